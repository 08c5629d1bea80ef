"""Forecast: the pupils of the years ahead. What comes, how sure that is, where it hurts, and which plans stand it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from geodata.errors import LayoutError, tell_error
from geodata.study import StudyArea
from planning.forecast import Forecast
from reports.language import Translator
from ui.forecast_alerts import render_alerts
from ui.forecast_choices import Asked, choose_section, render_choices
from ui.forecast_errors import render_errors
from ui.forecast_files import render_downloads
from ui.forecast_map import forget_slider, render_years_map
from ui.forecast_panels import find_stages, render_headline, render_page_style, render_top
from ui.forecast_robust import render_robust
from ui.forecast_schools import render_schools, render_towns
from ui.forecast_zones import find_alerts
from ui.page_words import render_page_words
from ui.pupils_view import find_forecast, render_pupils_choice
from ui.reopen import open_or_build
from ui.state import translator
from ui.text import plain


@st.fragment
def render_forecast(study: StudyArea) -> None:
    """Draw the page; a choice runs only this part again."""
    _ = translator()
    render_page_words(_)
    with st.container(key="forecast_page"):
        headline = st.empty()
        forecast = _find_forecast(study, _)
        asked = None if forecast is None else render_choices(study, forecast, _)
        if forecast is None or asked is None:
            st.warning(plain(_("There is no forecast: neither rolls nor births of any year are known.")))
            return
        with headline:
            render_headline(study, forecast, find_stages(study, forecast), asked.stage, _)
        render_top(study, forecast, asked.stage, _)
        _render_section(study, forecast, asked, _)


def _find_forecast(study: StudyArea, _: Translator) -> Forecast | None:
    try:
        with st.spinner(_("Working out the years ahead …")):
            return find_forecast(study)
    except LayoutError as error:
        st.warning(plain(_.say(tell_error(error)), longest=500))
        return None


def _render_section(study: StudyArea, forecast: Forecast, asked: Asked, _: Translator) -> None:
    """Draw what the reader wants to look at, one thing at a time."""
    alerts = find_alerts(study, forecast, asked.stage, asked.rulebook)
    draw: dict[str, tuple[str, Callable[[], None]]] = {
        "map": (_("Map"), lambda: render_years_map(study, forecast, asked)),
        "schools": (_("Schools"), lambda: render_schools(study, forecast, asked, _)),
        "towns": (_("Townships"), lambda: render_towns(study, forecast, asked, _)),
        "alerts": (_("Seat alerts"), lambda: render_alerts(study, forecast, asked, alerts, _)),
        "errors": (_("How good is it?"), lambda: render_errors(forecast, asked, _)),
        "robust": (_("Robust plans"), lambda: render_robust(study, forecast, asked, _)),
        "downloads": (_("Downloads"), lambda: render_downloads(study, forecast, asked, alerts, _)),
    }
    chosen = choose_section({name: title for name, (title, _draw) in draw.items()}, _)
    if chosen != "map":
        forget_slider()
    draw[chosen][1]()


render_page_style()
county = open_or_build(projected=False)
if county is not None:
    render_pupils_choice(county, translator())
    render_forecast(county)
