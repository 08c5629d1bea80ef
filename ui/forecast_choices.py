"""The choices of the Forecast page: stage, variant, and the settings that the forecast is made by."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import streamlit as st

from geodata.study import StudyArea
from planning.forecast import VARIANTS, Forecast, ForecastOptions
from planning.forecast_options import MAX_WINDOW_YEARS, METHODS, MIN_WINDOW_YEARS
from reports.forecast_tables import list_forecast_stages
from reports.forecast_words import name_method, name_variant, say_school_year
from reports.language import Translator
from reports.legend import name_stage_short
from ui.pupils_view import keep_forecast_options, read_forecast_options, redraw_links
from ui.rulebooks import choose_rulebook
from ui.today_choices import choose_switch, list_stages
from ui.zoning_keep import keep_value, put_back

LATEST_YEARS = tuple(range(2028, 2046))
CAPTURES = ("trend", "mean", "last")
WIDGET = "forecast_set_"


@dataclass(frozen=True)
class Asked:
    """What the reader asks of the page."""

    stage: str
    variant: str
    rulebook: str


def render_choices(study: StudyArea, forecast: Forecast, _: Translator) -> Asked | None:
    """Draw stage, variant and settings in one row; None where no stage has a forecast."""
    redraw_links()
    known = [stage for stage in list_stages(study) if stage in list_forecast_stages(forecast)]
    if not known:
        return None
    with st.container(key="forecast_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        first = "primary" if "primary" in known else known[0]
        stage = choose_switch(_("Stage"), known, "stage", lambda name: name_stage_short(name, _), first)
        variant = choose_switch(
            _("Variant"), VARIANTS, "forecast_variant", lambda name: name_variant(name, _), "middle"
        )
        changed = read_forecast_options() != ForecastOptions()
        label = _("Settings (changed)") if changed else _("Settings")
        with st.popover(label, icon=":material/tune:", key="forecast_settings"):
            render_settings(study, forecast, _)
        rulebook = choose_rulebook(_)
    return Asked(stage, variant, rulebook)


def render_settings(study: StudyArea, forecast: Forecast, _: Translator) -> None:
    """Draw the settings; a change is taken at once, on every page, and kept in the address."""
    options = read_forecast_options()
    st.caption(_("A change is worked out at once and holds on every page."))
    left, right = st.columns(2)
    with left:
        _choose_method(options, _)
        _choose_window(options, _)
        _choose_last_year(options, forecast, _)
        _choose_capture(options, _)
    with right:
        _choose_migration(options, _)
        _choose_range(options, _)
        _choose_shrink(options, _)
    _choose_yields(study, options, _)
    st.button(
        _("Back to the default settings"),
        key="forecast_defaults",
        on_click=keep_forecast_options,
        args=(ForecastOptions(),),
        disabled=options == ForecastOptions(),
    )


def _change(name: str, key: str, scale: float = 1.0) -> None:
    """Take one setting over from its widget."""
    value: Any = st.session_state.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and scale != 1.0:
        value = float(value) * scale
    keep_forecast_options(dataclasses.replace(read_forecast_options(), **{name: value}))


def _choose_method(options: ForecastOptions, _: Translator) -> None:
    key = WIDGET + "method"
    st.session_state[key] = options.method
    st.selectbox(
        _("Method of the county's totals"),
        ["ensemble", *METHODS],
        format_func=lambda name: name_method(name, _),
        key=key,
        on_change=_change,
        args=("method", key),
        help=_("The ensemble weighs the methods by how well they foretold the rolls that are known by now."),
    )


def _choose_window(options: ForecastOptions, _: Translator) -> None:
    key = WIDGET + "window"
    st.session_state[key] = options.window_years
    st.slider(
        _("Years that the ratios are taken from"),
        MIN_WINDOW_YEARS,
        MAX_WINDOW_YEARS,
        key=key,
        on_change=_change,
        args=("window_years", key),
        help=_("From grade to grade, how many pupils stay, come and go: the mean of so many years."),
    )


def _choose_last_year(options: ForecastOptions, forecast: Forecast, _: Translator) -> None:
    key = WIDGET + "last"
    years = [year for year in LATEST_YEARS if year > forecast.base_year] or [options.last_year]
    years = sorted({*years, options.last_year})
    st.session_state[key] = options.last_year
    st.selectbox(
        _("Last year"),
        years,
        format_func=lambda year: say_school_year(year, _),
        key=key,
        on_change=_change,
        args=("last_year", key),
    )


def _choose_capture(options: ForecastOptions, _: Translator) -> None:
    key = WIDGET + "capture"
    names = {"trend": _("Follows its trend"), "mean": _("Mean of the years"), "last": _("As in the last year")}
    st.session_state[key] = options.capture
    st.selectbox(
        _("Entrants per child born"),
        CAPTURES,
        format_func=names.__getitem__,
        key=key,
        on_change=_change,
        args=("capture", key),
    )


def _choose_migration(options: ForecastOptions, _: Translator) -> None:
    for place, (variant, told) in enumerate(
        zip(VARIANTS, (_("Net arrivals, low"), _("Net arrivals, middle"), _("Net arrivals, high")), strict=True)
    ):
        key = WIDGET + f"migration_{variant}"
        st.session_state[key] = round(options.migration_share_per_year[place] * 100, 3)
        st.number_input(
            _("{what} (% of a cohort a year)", what=told),
            -20.0,
            20.0,
            step=0.5,
            format="%.1f",
            key=key,
            on_change=_change_migration,
            args=(place, key),
        )


def _change_migration(place: int, key: str) -> None:
    """Keep one of the three; the others give way, for low may not lie above middle, nor middle above high."""
    options = read_forecast_options()
    value = float(st.session_state.get(key) or 0.0) / 100
    shares = [
        min(share, value) if at < place else max(share, value) if at > place else value
        for at, share in enumerate(options.migration_share_per_year)
    ]
    keep_forecast_options(dataclasses.replace(options, migration_share_per_year=(shares[0], shares[1], shares[2])))


def _choose_range(options: ForecastOptions, _: Translator) -> None:
    key = WIDGET + "range"
    st.session_state[key] = float(options.range_deviations)
    st.slider(
        _("Width of the range (standard deviations)"),
        0.0,
        3.0,
        step=0.01,
        key=key,
        on_change=_change,
        args=("range_deviations", key),
        help=_("With 1.28 about eight of ten outcomes would lie between low and high, if the past is a guide."),
    )


def _choose_shrink(options: ForecastOptions, _: Translator) -> None:
    key = WIDGET + "shrink"
    st.session_state[key] = float(options.shrink_cohorts)
    st.slider(
        _("Pull of small schools towards their township"),
        0.0,
        5.0,
        step=0.5,
        key=key,
        on_change=_change,
        args=("shrink_cohorts", key),
        help=_("A few children more or less swing the ratios of a small school; 0 takes every school by itself."),
    )


def _choose_yields(study: StudyArea, options: ForecastOptions, _: Translator) -> None:
    """Draw the children per new dwelling for projects whose own yield is not given."""
    if study.housing.empty:
        return
    st.caption(_("Children per new dwelling where the housing table gives none (empty: such projects are not counted)"))
    stages = list_stages(study)
    for column, stage in zip(st.columns(len(stages)), stages, strict=True):
        name = f"{stage}_pupils_per_dwelling"
        key = WIDGET + name
        st.session_state[key] = getattr(options, name)
        with column:
            st.number_input(
                name_stage_short(stage, _),
                0.0,
                3.0,
                value=None,
                step=0.05,
                format="%.2f",
                key=key,
                on_change=_change,
                args=(name, key),
            )


def choose_section(names: dict[str, str], _: Translator) -> str:
    """Draw the switch of what stands below the charts."""
    key = "forecast_section"
    put_back(key, next(iter(names)), list(names))
    found = st.segmented_control(
        _("What to look at"),
        list(names),
        format_func=names.__getitem__,
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    keep_value(key, found)
    return str(found or next(iter(names)))
