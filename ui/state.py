"""What the app remembers of one visitor: plain words and numbers in the session, and the address that restores them.

Objects are never kept in the session: the study comes from the cache on every run.
"""

from __future__ import annotations

import logging
from typing import Any

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from reports.language import LANGUAGE_NAMES, LANGUAGES, Language, Translator, choose_language, read_catalogue
from ui.studies import find_study

LANGUAGE_KEY = "language"
STUDY_KEY = "study"
DRAFT_KEY = "draft"
DRAWING_KEY = "drawing"
SCENARIO_KEY = "scenario"
COMPARE_KEY = "compare"
PUPILS_KEY = "pupils"
"""Year and variant of the forecast whose pupils all pages show (``ui.pupils_view``), and the settings behind it."""
FORECAST_KEY = "forecast"
RULES_KEY = "rules"
PACK_KEY = "pack"
"""Token of the folder that holds what the visitor fills in for consultation packs (``ui.consultation_state``)."""
log = logging.getLogger("buju.ui")


def read_language() -> Language:
    """Return the reader's language: the one chosen, else that of the address (``?lang=``), else the browser's."""
    chosen = st.session_state.get(LANGUAGE_KEY)
    return choose_language(chosen or st.query_params.get("lang"), st.context.locale)


def translator() -> Translator:
    """Return the reader's translator."""
    return read_catalogue(read_language())


STAGE_KEY, MODE_KEY = "today_stage_kept", "today_mode_kept"
"""Stage and way of travel, which the pages with a map share (``ui.today_choices``)."""
ADDRESS = (
    *(("lang", LANGUAGE_KEY), ("study", STUDY_KEY), ("draft", DRAFT_KEY), ("stage", STAGE_KEY), ("mode", MODE_KEY)),
    *(("drawing", DRAWING_KEY), ("scenario", SCENARIO_KEY), ("compare", COMPARE_KEY), ("rules", RULES_KEY)),
    *(("pupils", PUPILS_KEY), ("forecast", FORECAST_KEY), ("pack", PACK_KEY)),
)


def take_address() -> None:
    """Take over what the address asks for; called once at the start of a run.

    Nothing is written back here: that would add a step to the browser's history at each page, and Back would be stuck.
    The links between pages carry the address on (:func:`read_address`).
    """
    for name, key in ADDRESS:
        asked = st.query_params.get(name)
        if asked and asked != st.session_state.get(f"{key}_seen") and (name != "lang" or asked in LANGUAGES):
            st.session_state[key] = asked
        st.session_state[f"{key}_seen"] = asked or st.session_state.get(key)


def read_address() -> dict[str, str]:
    """Return what a link to another page must say, so that the same language, study and draft are open there."""
    return {name: str(st.session_state[key]) for name, key in ADDRESS if st.session_state.get(key)}


def render_language_switch() -> None:
    """Draw the switch English / 中文; a change is remembered and written into the address."""

    def remember() -> None:
        chosen = st.session_state.get("language_switch")
        if chosen in LANGUAGES:
            keep_in_address("lang", LANGUAGE_KEY, chosen)

    st.session_state["language_switch"] = read_language()
    with st.container(key="language_box"):
        st.segmented_control(
            "Language · 语言",
            LANGUAGES,
            format_func=lambda code: LANGUAGE_NAMES[code],
            key="language_switch",
            on_change=remember,
            required=True,
            label_visibility="collapsed",
        )


def keep_in_address(name: str, key: str, value: str) -> None:
    """Remember what the reader chose, and write it into the address, so that a reload shows it again."""
    st.session_state[key] = st.session_state[f"{key}_seen"] = value
    st.query_params[name] = value


def open_study(reference: str) -> None:
    """Make ``reference`` (see ``ui.studies``) the study that the pages show."""
    keep_in_address("study", STUDY_KEY, reference)


def close_study() -> None:
    """Forget the open study, so that nothing tries to open it again."""
    st.session_state[STUDY_KEY] = None
    st.session_state[f"{STUDY_KEY}_seen"] = st.query_params.get("study")


def read_draft_token() -> str:
    """Return the token of the visitor's upload folder, or ``""`` where nothing was uploaded yet."""
    return str(st.session_state.get(DRAFT_KEY) or "")


def keep_draft_token(token: str) -> None:
    """Remember the upload folder, also over a reload of the page."""
    keep_in_address("draft", DRAFT_KEY, token)


def read_drawing_token() -> str:
    """Return the token of the visitor's drawings, or ``""`` where nothing was drawn yet."""
    return str(st.session_state.get(DRAWING_KEY) or "")


def keep_drawing_token(token: str) -> None:
    """Remember the visitor's drawings, also over a reload of the page."""
    keep_in_address("drawing", DRAWING_KEY, token)


def read_open_reference() -> str | None:
    """Return the reference of the open study, or None."""
    reference: Any = st.session_state.get(STUDY_KEY)
    return reference if isinstance(reference, str) and reference else None


def require_study() -> StudyArea | None:
    """Return the open study, or None where there is none that has been built."""
    reference = read_open_reference()
    study = None
    if reference is not None:
        try:
            study = find_study(reference)
        except (LookupError, LayoutError) as error:
            log.info("study %r cannot be opened: %s", reference, type(error).__name__)
    return study


def render_no_study() -> None:
    """Say that nothing is open, with a way on."""
    _ = translator()
    with st.container(key="no_study", horizontal_alignment="center"):
        st.subheader(_("No county is open yet"), anchor=False)
        st.write(_("Open the demo county on the first page, or load your own three files."))
        with st.container(horizontal=True, horizontal_alignment="center"):
            if st.button(_("To the first page"), type="primary", key="no_study_home"):
                st.switch_page("pages/home.py", query_params=read_address())
            if st.button(_("Load your own data"), key="no_study_data"):
                st.switch_page("pages/data.py", query_params=read_address())
