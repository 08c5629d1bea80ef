"""Today: the county as it is. Map, flags with their reasons, indicators, and who goes where."""

from __future__ import annotations

import streamlit as st

from geodata.study import StudyArea
from ui.reopen import open_or_build
from ui.state import translator
from ui.text import plain
from ui.today_choices import render_choices
from ui.today_map import ask, read_selected, render_today_map
from ui.today_panels import render_headline, render_page_style, render_side, render_tables


@st.fragment
def render_today(study: StudyArea) -> None:
    """Draw the page; a click or a switch runs only this part again."""
    _ = translator()
    with st.container(key="today_page"):
        choice = render_choices(study, _)
        if choice is None:
            st.warning(plain(_("No school of this county teaches any stage: load a table of schools with places.")))
            return
        outcome = ask(study, choice)
        render_headline(study, outcome, choice, _)
        selected = read_selected()
        left, right = st.columns([2.6, 1], gap="small")
        with left:
            render_today_map(study, outcome, choice, selected)
        with right:
            render_side(study, outcome, choice, selected, _)
        render_tables(study, outcome, choice, _)


render_page_style()
county = open_or_build()
if county is not None:
    render_today(county)
