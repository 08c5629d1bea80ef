"""The first page: what this is, and two ways in."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

from reports.language import Translator
from ui.build_job import build_in_worker
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.state import open_study, read_address, translator
from ui.studies import DEMO, find_study, forget_missing_studies, read_class_sizes, read_reference
from ui.template_button import render_template_button
from ui.text import plain

SLOT = "home"


def show_home() -> None:
    """Draw the page."""
    _ = translator()
    with st.container(key="home"):
        words, picture = st.columns([1.25, 1], gap="large", vertical_alignment="center")
        with words:
            st.title(_("Where should our schools be?"), anchor=False)
            st.markdown(
                _(
                    "Buju shows where children live, how they reach school by road, and which schools are full, too "
                    "empty or too far away. It works from three files of a county: schools, roads and population."
                )
            )
            _show_doors(_)
        picture.image(_read_picture(), width="stretch")
        _show_facts(_)
        _show_notes(_)


@lru_cache(maxsize=1)
def _read_picture() -> str:
    return (Path(__file__).parent / "home_picture.svg").read_text(encoding="utf-8")


def _show_doors(_: Translator) -> None:
    state = render_job(SLOT, _("Building the demo county"))
    if state is not None:
        clear_job(SLOT)
        if state.status == "done":
            forget_missing_studies()
            _enter_demo()
        elif state.status == "cancelled":
            st.info(_("Stopped. Nothing was changed."))
        elif state.problem is not None:
            st.error(plain(_.say(state.problem), longest=500))
    if read_job(SLOT) is not None:
        return
    with st.container(horizontal=True, gap="small", key="home_doors"):
        if st.button(_("Open the demo county"), type="primary", key="open_demo"):
            _open_demo()
        if st.button(_("Load your own data"), key="open_own"):
            st.switch_page("pages/data.py", query_params=read_address())
    st.caption(_("The demo county is invented. Its first opening takes about half a minute, later ones a few seconds."))


def _open_demo() -> None:
    if find_study(DEMO) is not None:
        _enter_demo()
    start_job(SLOT, DEMO, build_in_worker, spec=read_reference(DEMO), class_sizes=read_class_sizes())
    st.rerun()


def _enter_demo() -> None:
    open_study(DEMO)
    st.switch_page("pages/today.py", query_params=read_address())


def _show_facts(_: Translator) -> None:
    facts = (
        (
            _("See today"),
            _("Every school with its fill, every village with its way to school on foot, by bicycle or by bus."),
        ),
        (
            _("Find what is wrong"),
            _("Overcrowded classes, empty schools and long ways are flagged, each with the rule and its source."),
        ),
        (
            _("Check your data"),
            _("Every problem is named with file, row, column and cure, before anything is computed."),
        ),
    )
    for column, (title, words) in zip(st.columns(3, gap="medium"), facts, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(title, anchor=False)
            st.markdown(words)


def _show_notes(_: Translator) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="home_notes"):
        st.caption(
            _(
                "Works without internet: nothing leaves this machine. "
                "It needs numbers of pupils only, never their names."
            )
        )
        render_template_button(_, key="template")


if __name__ == "__main__":
    show_home()
