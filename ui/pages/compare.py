"""Compare: up to four scenarios side by side. Numbers with their direction, maps in step, who gains and who loses."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from geodata.study import StudyArea
from reports.language import Translator
from ui.compare_files import render_downloads
from ui.compare_gains import render_gains, render_schools, render_worst
from ui.compare_indicators import render_definitions, render_numbers
from ui.compare_options import Chosen, render_options
from ui.compare_panels import render_headline, render_notes, render_page_style, render_side
from ui.compare_view import Compared, choose_panes, find_compared, read_selected, render_compare_map
from ui.compare_years import render_years
from ui.page_words import render_page_words
from ui.reopen import open_or_build
from ui.state import read_address, translator


@st.fragment
def render_compare(study: StudyArea) -> None:
    """Draw the page; a click or a choice runs only this part again."""
    _ = translator()
    render_page_words(_)
    with st.container(key="compare_page"):
        headline = st.empty()
        chosen = render_options(study, _)
        if chosen is None:
            return
        if len(chosen.options) < 2:
            _render_hint(_)
        compared = find_compared(study, chosen, _)
        if compared is None:
            return
        with headline:
            render_headline(study, compared, _)
        render_notes(compared, _)
        selected = read_selected()
        switches = st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="compare_switches")
        left, right = st.columns([2.1, 1], gap="small")
        with switches:
            panes = choose_panes(compared, _)
        with left:
            render_compare_map(study, compared, panes, selected)
        with right:
            render_side(study, compared, selected, _)
        _render_tables(study, chosen, compared, _)
        render_definitions(_, many=panes.layout == "grid" and len(panes.shown) > 2)


def _render_hint(_: Translator) -> None:
    with st.container(key="compare_hint", horizontal=True, vertical_alignment="center"):
        st.caption(_("Choose at least two options. Scenarios are made on the page Scenarios."), width="content")
        if st.button(_("To the scenarios"), key="compare_to_scenarios"):
            st.switch_page("pages/scenarios.py", query_params=read_address())


def _render_tables(study: StudyArea, chosen: Chosen, compared: Compared, _: Translator) -> None:
    """Draw the tables below the maps, one at a time."""
    several = len(compared.options) > 1
    draw: dict[str, tuple[str, Callable[[], None]]] = {
        "numbers": (_("All numbers"), lambda: render_numbers(compared, _))
    }
    if several:
        draw |= {
            "gains": (_("Who gains and who loses"), lambda: render_gains(compared, _)),
            "worst": (_("Worst twenty"), lambda: render_worst(compared, _)),
            "schools": (_("Schools before and after"), lambda: render_schools(compared, _)),
        }
    draw |= {
        "years": (_("By year"), lambda: render_years(study, chosen, compared, _)),
        "downloads": (_("Downloads"), lambda: render_downloads(compared, _)),
    }
    shown = st.segmented_control(
        _("Tables"),
        list(draw),
        format_func=lambda name: draw[name][0],
        default="numbers",
        required=True,
        key="compare_table",
        label_visibility="collapsed",
        persist_state="session",
    )
    draw.get(shown or "numbers", draw["numbers"])[1]()


render_page_style()
county = open_or_build()
if county is not None:
    render_compare(county)
