"""The map through the years: a slider and one map, or four years beside each other. A year sends small arrays only."""

from __future__ import annotations

from typing import Any, cast

import streamlit as st

from geodata.study import StudyArea, compute_digest
from planning.forecast import Forecast
from reports.forecast_scene import (
    PAINTED,
    Painted,
    YearsView,
    build_years_parts,
    build_years_scene,
    choose_small_years,
)
from reports.forecast_tables import list_future_years
from reports.forecast_words import say_school_year
from reports.language import Translator, read_catalogue
from reports.map_scene import build_study_parts
from reports.maps import MapPart
from ui.forecast_cards import SELECTION, render_side
from ui.forecast_choices import Asked
from ui.forecast_zones import find_alerts, find_unit_schools
from ui.map_canvas import render_map
from ui.map_settings import read_tiles
from ui.pupils_view import keep_viewed, redraw_links
from ui.state import read_language, translator
from ui.today_choices import choose_switch
from ui.zoning_keep import keep_value

MAP_KEY = SELECTION.map_key
MAP_HEIGHT = "var(--forecast-map)"
YEAR_KEY = "forecast_map_year"


@st.cache_resource(max_entries=96, show_spinner=False)
def _build_view(
    mark: str, view: YearsView, rulebook: str, _study: StudyArea, _forecast: Forecast
) -> tuple[dict[str, Any], dict[str, MapPart]]:
    _ = read_catalogue(view.language)
    alerts = find_alerts(_study, _forecast, view.stage, rulebook)
    parts = build_years_parts(_study, _forecast, view, alerts, find_unit_schools(_study, view.stage), _)
    return build_years_scene(_study, _forecast, view, _), parts


@st.cache_resource(max_entries=4, show_spinner=False)
def _build_study_parts(fingerprint: str, _study: StudyArea) -> dict[str, MapPart | None]:
    return build_study_parts(_study)


@st.fragment
def render_years_map(study: StudyArea, forecast: Forecast, asked: Asked) -> None:
    """Draw switches, slider and map; the slider runs only this part again."""
    _ = translator()
    redraw_links()
    years = [forecast.base_year, *list_future_years(forecast)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="forecast_map_choices"):
        names = {"children": _("Children"), "change": _("Change against today"), "alert": _("Seat alerts")}
        painted = choose_switch(_("Colour of the areas"), PAINTED, "forecast_painted", names.__getitem__, "change")
        words = {"one": _("One year"), "four": _("Four years")}
        layout = choose_switch(_("Maps"), ["one", "four"], "forecast_layout", words.__getitem__, "one")
        year = _choose_year(years, _) if layout == "one" else years[-1]
        if layout != "one":
            forget_slider()
        if layout == "one" and year > forecast.base_year:
            st.button(
                _("Show all pages with these pupils"),
                key="forecast_use",
                on_click=keep_viewed,
                args=(year, asked.variant),
            )
    shown = (year,) if layout == "one" else choose_small_years(years[1:], forecast.base_year)
    view = YearsView(asked.stage, cast(Painted, painted), shown, asked.variant, read_language())
    selected = SELECTION.read()
    scene, parts = _build_view(f"{study.fingerprint}{forecast.fingerprint}", view, asked.rulebook, study, forecast)
    drawn = {
        **scene,
        "selected": selected,
        "focus": st.session_state.get(SELECTION.focus_key),
        "tiles": None if study.crs == "local" else read_tiles(),
        "version": compute_digest(scene["version"], asked.rulebook),
    }
    left, right = st.columns([2.3, 1], gap="small")
    with left:
        render_map(drawn, {**_build_study_parts(study.fingerprint, study), **parts}, key=MAP_KEY, height=MAP_HEIGHT)
    with right, st.container(key="forecast_side", gap="small"):
        alerts = find_alerts(study, forecast, asked.stage, asked.rulebook)
        render_side(study, forecast, asked, year, selected, alerts, _)


def forget_slider() -> None:
    """Let the slider be given its year again: one that was away would be drawn at its first year."""
    st.session_state.pop(YEAR_KEY, None)


def _choose_year(years: list[int], _: Translator) -> int:
    """Draw the slider through the years."""
    # Given only where the widget has no year of its own: a year set in every run would throw a quick hand back.
    if st.session_state.get(YEAR_KEY) not in years:
        kept = st.session_state.get(f"{YEAR_KEY}_kept")
        st.session_state[YEAR_KEY] = kept if kept in years else years[-1]
    year = st.select_slider(
        _("School year"), years, format_func=lambda value: say_school_year(value, _), key=YEAR_KEY, width=330
    )
    keep_value(YEAR_KEY, year)
    return int(year)
