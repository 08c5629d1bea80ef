"""The drawing table as a whole: choices, map, numbers, cards and lists, in one fragment."""

from __future__ import annotations

import streamlit as st

from geodata.study import StudyArea
from planning.conflicts import Conflict
from reports.language import Translator
from ui.catchments_cards import render_card
from ui.catchments_choices import TAKE_KEY, Choices, render_choices, render_start, take_answer
from ui.catchments_improve import render_improve, render_result, render_running
from ui.catchments_lists import render_lists
from ui.catchments_map import clear_selected, forget_shown, read_selected, render_drawing_map, take_strokes
from ui.catchments_notices import forget_words
from ui.catchments_numbers import render_broken, render_numbers
from ui.catchments_open import Sheet, View, build_view, open_drawing, open_sheet, read_drawing_names, read_notice
from ui.catchments_panels import render_guidance, render_headline, render_notice
from ui.page_words import render_page_words
from ui.state import translator
from ui.text import plain


@st.fragment
def render_catchments(study: StudyArea) -> None:
    """Draw the page; a stroke, a click or a choice runs only this part again."""
    _ = translator()
    render_page_words(_)
    with st.container(key="catchments_page"):
        headline = st.empty()
        choices = render_choices(study, _)
        if choices is None:
            st.warning(plain(_("No school of this county teaches any stage: load a table of schools with places.")))
            return
        sheet = _open_sheet(study, choices, _)
        if isinstance(sheet, Conflict):
            st.warning(plain(_.say(sheet.message), longest=500))
            return
        view = _open_view(sheet, choices, _)
        with headline:
            render_headline(view, _)
        selected = read_selected()
        if selected is not None:
            forget_shown()
        left, right = st.columns([2.85, 1], gap="small")
        with left:
            render_drawing_map(view, selected, _)
        with right:
            _render_side(view, _)
        render_lists(view, _)


def _open_sheet(study: StudyArea, choices: Choices, _: Translator) -> Sheet | Conflict:
    with st.spinner(_("Preparing the drawing table …")):
        return open_sheet(study, choices.terms, read_drawing_names(study, choices.terms.stage))


def _open_view(sheet: Sheet, choices: Choices, _: Translator) -> View:
    """Open the drawing, take in what was drawn, and measure it."""
    drawing = open_drawing(sheet)
    handed = st.session_state.get(TAKE_KEY)
    if isinstance(handed, str):
        sheet = take_answer(sheet, handed)
        drawing = open_drawing(sheet)
        st.session_state[TAKE_KEY] = None
    drawing = take_strokes(sheet, drawing)
    with choices.row:
        sheet = render_start(sheet, _)
        drawing = open_drawing(sheet)
        render_improve(choices, sheet, drawing, _)
    return build_view(sheet, drawing)


def _render_side(view: View, _: Translator) -> None:
    with st.container(key="catchments_side", gap="small"):
        render_running(view.sheet, view.drawing, _)
        render_notice(read_notice())
        selected = read_selected()
        if selected is None:
            render_guidance(view, _)
        render_numbers(view, _)
        render_result(view, _)
        if selected is None or selected["kind"] != "school":
            forget_words()
        if selected is not None:
            if render_card(view, selected, _):
                return
            clear_selected()
        render_broken(view, _)
