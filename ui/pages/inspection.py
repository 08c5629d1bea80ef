"""Inspection: the county checks itself item by item, as the balance inspections do, today or after a scenario."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from geodata.study import StudyArea
from reports.language import Translator
from ui.inspection_choices import Inspected, find_inspected, render_choices
from ui.inspection_county import build_left_out_table, render_items, render_moves, render_spread
from ui.inspection_files import render_files
from ui.inspection_groups import render_groups
from ui.inspection_panels import render_headline, render_missing, render_notes, render_page_style, render_tiles
from ui.inspection_schools import render_schools, render_shortages
from ui.page_words import render_page_words
from ui.reopen import open_or_build
from ui.state import translator

TABLE_KEY = "inspection_table"


@st.fragment
def render_inspection(study: StudyArea) -> None:
    """Draw the page; a click or a choice runs only this part again."""
    _ = translator()
    render_page_words(_)
    with st.container(key="inspection_page"):
        headline = st.empty()
        choice = render_choices(study, _)
        if choice is None:
            return
        inspected = find_inspected(study, choice, _)
        if inspected is None:
            return
        with headline:
            render_headline(study, inspected, _)
        render_missing(inspected.balance, _)
        render_tiles(inspected, _)
        render_notes(inspected.balance, _)
        _render_tables(study, inspected, _)


def _render_tables(study: StudyArea, inspected: Inspected, _: Translator) -> None:
    """Draw the tables, one at a time."""
    draw: dict[str, tuple[str, Callable[[], None]]] = {
        "schools": (_("Schools"), lambda: render_schools(inspected, _)),
        "spread": (_("Spread between schools"), lambda: render_spread(inspected, _)),
        "items": (_("Items and evidence"), lambda: render_items(inspected, _)),
    }
    if inspected.balance.kind == "quality":
        draw["short"] = (_("What is short"), lambda: render_shortages(inspected, _))
    draw |= {
        "moves": (_("Before and after"), lambda: render_moves(inspected, _)),
        "groups": (_("Groups"), lambda: render_groups(study, inspected, _)),
        "left_out": (_("Not counted"), lambda: _render_left_out(inspected, _)),
        "downloads": (_("Downloads"), lambda: render_files(study, inspected, _)),
    }
    shown = st.segmented_control(
        _("Tables"),
        list(draw),
        format_func=lambda name: draw[name][0],
        default="schools",
        required=True,
        key=TABLE_KEY,
        label_visibility="collapsed",
        persist_state="session",
    )
    draw.get(shown or "schools", draw["schools"])[1]()


def _render_left_out(inspected: Inspected, _: Translator) -> None:
    left_out = inspected.balance.left_out
    if left_out.empty:
        st.text(_("Every school is counted."))
        return
    st.dataframe(build_left_out_table(left_out, _), hide_index=True)


render_page_style()
county = open_or_build()
if county is not None:
    render_inspection(county)
