"""Whose pupils every page with results shows: those of today, or of a year and variant of the forecast.

Kept as a word (``2030-middle``) in the session and in the address (``?pupils=``); links between pages carry it on. The
settings of the forecast stand beside it (``?forecast=``), so that a link shows the same numbers to everybody.
"""

from __future__ import annotations

import dataclasses
import logging

import streamlit as st

from geodata.errors import LayoutError, tell_error
from geodata.study import StudyArea
from planning.forecast import VARIANTS, Forecast, ForecastOptions, build_forecast
from planning.projected_study import project_study
from planning.scenario import Scenario
from reports.forecast_words import name_variant, read_view_words, say_pupils_of, say_school_year, say_variant
from reports.language import Translator
from ui.cards import text
from ui.forecast_study import Viewed, ask_viewed, read_options_text, read_viewed_word, write_options_text
from ui.state import FORECAST_KEY, PUPILS_KEY, keep_in_address, translator
from ui.text import plain

YEAR_KEY, VARIANT_KEY = "pupils_year", "pupils_variant"
LINKS_KEY = "pupils_links_old"
"""Set by a change, until the links between the pages have been drawn again and carry it."""
TODAY = 0
FORECASTS_IN_MEMORY, VIEWS_IN_MEMORY = 8, 6
log = logging.getLogger("buju.ui")
STYLE = """
<style>
.st-key-pupils_box { position: fixed; top: 0.5rem; right: 9.6rem; z-index: 1000000; width: auto !important; }
.st-key-pupils_box button { min-height: 1.9rem; padding: 0 0.6rem; font-size: 0.84rem; white-space: nowrap; }
[data-testid=stLayoutWrapper]:has(> .st-key-pupils_box) { position: absolute; }
.st-key-pupils_band { background: #fff6df; border: 1px solid #e3c477; border-radius: 6px; padding: 0.1rem 0.3rem 0.1rem
  0.7rem; gap: 0.6rem !important; min-height: 2.1rem; margin-bottom: -0.35rem; }
.st-key-pupils_band .words { font-size: 0.88rem; color: #4d3a05; line-height: 1.3; }
.st-key-pupils_band button { min-height: 1.75rem; padding: 0 0.6rem; font-size: 0.84rem; }
</style>
"""


def read_forecast_options() -> ForecastOptions:
    """Return the settings of the forecast that the visitor chose on the page Forecast, else the defaults."""
    return read_options_text(str(st.session_state.get(FORECAST_KEY) or ""))


def keep_forecast_options(options: ForecastOptions) -> None:
    """Remember the settings, over visits to other pages and in the address; for callbacks."""
    st.session_state[LINKS_KEY] = True
    words = write_options_text(options)
    if words:
        keep_in_address("forecast", FORECAST_KEY, words)
    else:
        _drop_from_address("forecast", FORECAST_KEY)


def read_viewed() -> Viewed | None:
    """Return the year and variant whose pupils are asked for, with the settings; None: today."""
    return read_viewed_word(str(st.session_state.get(PUPILS_KEY) or ""), read_forecast_options())


def read_viewed_of(study: StudyArea) -> Viewed | None:
    """Return whose pupils a study holds, None for today's: what a page passes on to its jobs (``viewed=``)."""
    viewed = read_viewed()
    return viewed if viewed is not None and study.view == viewed.view else None


def keep_viewed(year: int | None, variant: str = "middle") -> None:
    """Show all pages with the pupils of a year; None: today's. For callbacks."""
    st.session_state[LINKS_KEY] = True
    if year:
        keep_in_address("pupils", PUPILS_KEY, Viewed(year, variant).word)
    else:
        _drop_from_address("pupils", PUPILS_KEY)


def redraw_links() -> None:
    """Run the whole app again after a change; for parts of a page that run alone. The links stand outside of them."""
    if st.session_state.pop(LINKS_KEY, False):
        st.rerun()


def _drop_from_address(name: str, key: str) -> None:
    st.session_state[key] = None
    st.session_state[f"{key}_seen"] = None
    if name in st.query_params:
        del st.query_params[name]


def find_forecast(study: StudyArea, options: ForecastOptions | None = None) -> Forecast:
    """Return the forecast of a study (not a projected one), from the cache where it was made before.

    ``options``: the visitor's by default.
    """
    options = options or read_forecast_options()
    return _build_forecast(study.fingerprint, repr(options), study, options)


@st.cache_resource(max_entries=FORECASTS_IN_MEMORY, show_spinner=False)
def _build_forecast(fingerprint: str, settings: str, _study: StudyArea, _options: ForecastOptions) -> Forecast:
    return build_forecast(_study, _options)


@st.cache_resource(max_entries=VIEWS_IN_MEMORY, show_spinner=False)
def _project(fingerprint: str, settings: str, year: int, variant: str, _study: StudyArea, _of: Forecast) -> StudyArea:
    return project_study(_study, _of, year, variant)


def view_study(study: StudyArea) -> StudyArea:
    """Return the study with the pupils that are asked for; the study itself where that is today or cannot be."""
    viewed = read_viewed()
    if viewed is None:
        return study
    try:
        found = project_cached(study, viewed.year, viewed.variant, viewed.options)
    except LayoutError as error:
        log.info("no pupils of %s: %s", viewed.word, type(error).__name__)
        return study
    return found


def project_cached(study: StudyArea, year: int, variant: str, options: ForecastOptions) -> StudyArea:
    """Return the study with the pupils of a year, from the cache where that was asked before.

    Raises ``ScenarioError`` as ``planning.projected_study`` does.
    """
    forecast = find_forecast(study, options)
    return _project(study.fingerprint, repr(options), year, variant, study, forecast)


def settle_scenario(study: StudyArea, scenario: Scenario, _: Translator) -> tuple[StudyArea, Scenario, str]:
    """Return study and question that hold together, and what must be said of it (``""``: nothing).

    Where all pages show the pupils of a year, that year and variant hold. Else a scenario with a year and a variant of
    its own is answered with its own pupils.
    """
    view = read_view_words(study.view)
    if view is not None:
        own = scenario.variant or scenario.year not in (None, view[0])
        words = _(
            "The scenario itself asks about {year}. Here the pupils chosen above hold, with the steps up to {shown}.",
            year=_say_own(scenario, _),
            shown=say_school_year(view[0], _),
        )
        return study, ask_viewed(study, scenario), words if own else ""
    if not scenario.variant or scenario.year is None:
        return study, scenario, ""
    try:
        if scenario.year <= find_forecast(study, scenario.forecast).base_year:
            return study, scenario, ""
        found = project_cached(study, scenario.year, scenario.variant, scenario.forecast)
    except LayoutError as error:
        return study, dataclasses.replace(scenario, variant=""), _.say(tell_error(error))
    words = _(
        "This scenario asks about {year}: its children and rolls are those of the forecast.", year=_say_own(scenario, _)
    )
    return found, scenario, words


def _say_own(scenario: Scenario, _: Translator) -> str:
    year = say_school_year(scenario.year, _) if scenario.year is not None else _("all years")
    return _.join([year, say_variant(scenario.variant, _)]) if scenario.variant else year


def show_viewed(study: StudyArea) -> StudyArea:
    """Draw choice and band, and return the study with the pupils that are asked for."""
    _ = translator()
    render_pupils_choice(study, _)
    with st.spinner(_("Working out the pupils of that year …")):
        found = view_study(study)
    render_pupils_band(found, _)
    return found


def list_view_years(study: StudyArea) -> list[int]:
    """Return the school years after the base year for which there is a forecast; empty where none can be made."""
    try:
        forecast = find_forecast(study)
    except LayoutError as error:
        log.info("no forecast: %s", type(error).__name__)
        return []
    return [int(year) for year in forecast.years if int(year) > forecast.base_year]


def render_pupils_choice(study: StudyArea, _: Translator) -> None:
    """Draw the choice "Pupils of" beside the language, at the top of every page with results."""
    st.session_state.pop(LINKS_KEY, None)  # this runs with the whole app, after the links
    years = list_view_years(study)
    viewed = read_viewed()
    st.html(STYLE)
    shown = viewed is not None and viewed.year in years
    label = _("Pupils: {year}", year=_say_short(viewed, _)) if shown and viewed else _("Pupils: today")
    with st.container(key="pupils_box"), st.popover(plain(label)), st.container(width=300):
        st.session_state[YEAR_KEY] = viewed.year if shown and viewed else TODAY
        st.selectbox(
            _("Pupils of"),
            [TODAY, *years],
            format_func=lambda year: say_school_year(year, _) if year else _("today"),
            key=YEAR_KEY,
            on_change=_follow_choice,
            disabled=not years,
        )
        st.session_state[VARIANT_KEY] = viewed.variant if viewed else "middle"
        st.segmented_control(
            _("Forecast"),
            list(VARIANTS),
            format_func=lambda name: name_variant(name, _),
            key=VARIANT_KEY,
            on_change=_follow_choice,
            required=True,
            disabled=not shown,
        )
        st.caption(
            _("All pages then work on the children and rolls of that year. The page Forecast says how they are made.")
            if years
            else _("There is no forecast: neither rolls nor births of any year are known.")
        )


def _say_short(viewed: Viewed, _: Translator) -> str:
    return f"{say_school_year(viewed.year, _)} {name_variant(viewed.variant, _).lower()}"


def _follow_choice() -> None:
    keep_viewed(st.session_state.get(YEAR_KEY) or None, str(st.session_state.get(VARIANT_KEY) or "middle"))


def _back_to_today() -> None:
    keep_viewed(None)


def render_pupils_band(study: StudyArea, _: Translator) -> None:
    """Say whose pupils a study holds, with a way back to today; nothing where they are today's, as asked."""
    viewed = read_viewed()
    if viewed is None:
        return
    if study.view:
        words = say_pupils_of(viewed.year, viewed.variant, _)
        more = _(
            "Children and rolls are the forecast's. “Today” means today's schools, places and zones with these pupils."
        )
    else:
        words = _("There is no forecast of {year}", year=say_school_year(viewed.year, _))
        more = _("The pupils shown are today's.")
    with st.container(key="pupils_band", horizontal=True, vertical_alignment="center"):
        st.html(f'<div class="words"><b>{text(words)}</b> · {text(more, longest=300)}</div>', width="stretch")
        st.button(_("Back to today"), key="pupils_today", on_click=_back_to_today)
