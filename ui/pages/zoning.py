"""Zoning: who could go where. Zones in one piece, pupils within the places, or what families choose, with a proof."""

from __future__ import annotations

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from reports.language import Translator
from ui.catchments_choices import render_take_over
from ui.job_panel import clear_job, read_job, render_job, say_failure, start_job
from ui.page_words import render_page_words
from ui.pupils_view import read_viewed_of
from ui.reopen import open_or_build
from ui.state import read_open_reference, translator
from ui.studies import read_class_sizes, read_reference
from ui.text import plain
from ui.zoning_choices import Question, render_question
from ui.zoning_job import Answer, answer_in_worker, compute_key, read_answer
from ui.zoning_keep import ANSWERS_KEY
from ui.zoning_map import Compared, ask_today, choose_shown, forget_views, read_selected, render_zoning_map
from ui.zoning_panels import render_headline, render_page_style, render_side, render_tables

SLOT = "zoning"
FAILURE_KEY = "zoning_failure"
ANSWERS_IN_MEMORY = 6


@st.cache_resource(max_entries=ANSWERS_IN_MEMORY, show_spinner=False)
def _load_answer(key: str) -> Answer | None:
    return read_answer(key)


def find_answer(key: str) -> Answer | None:
    """Return the answer kept under a key, or None; what is not there yet is looked for again."""
    if not key:
        return None
    found = _load_answer(key)
    if found is None:
        _load_answer.clear(key)
    return found


@st.fragment
def render_zoning(study: StudyArea) -> None:
    """Draw the page; a click or a choice runs only this part again."""
    _ = translator()
    render_page_words(_)
    with st.container(key="zoning_page"):
        headline = st.empty()
        job = read_job(SLOT)
        question = render_question(study, _, busy=job is not None and not job.finished)
        if question is None:
            st.warning(plain(_("No school of this county teaches any stage: load a table of schools with places.")))
            return
        if question.pressed:
            _start(study, question, _)
        _render_running(_)
        compared = _find_compared(study, question)
        with headline:
            render_headline(study, compared, _)
        _say_changed(study, question, compared, _)
        selected = read_selected()
        with question.row:
            shown = choose_shown(compared, _)
            if compared.planned and question.task == "zoning":
                render_take_over(compared.key, _)
        left, right = st.columns([2.3, 1], gap="small")
        with left:
            render_zoning_map(study, compared, shown, selected)
        with right:
            render_side(study, compared, selected, _)
        render_tables(study, compared, _)


def _name_place(study: StudyArea, question: Question) -> str:
    return f"{study.fingerprint}:{question.stage}:{question.mode}:{question.task}"


def _start(study: StudyArea, question: Question, _: Translator) -> None:
    reference = read_open_reference()
    if question.ask is None or reference is None:
        st.session_state[FAILURE_KEY] = _("Give the file of zones to start from, or choose another start.")
        return
    try:
        spec = read_reference(reference)
    except (LookupError, LayoutError):
        return
    key = compute_key(study.fingerprint, question.ask)
    st.session_state[FAILURE_KEY] = None
    st.session_state["zoning_running"] = [_name_place(study, question), key]
    clear_job(SLOT)
    more = {"name": key, "ask": question.ask, "viewed": read_viewed_of(study)}
    start_job(SLOT, key, answer_in_worker, spec=spec, class_sizes=read_class_sizes(), **more)
    st.rerun()


def _render_running(_: Translator) -> None:
    """Draw the running job; take over its answer once it is done, or say why there is none."""
    state = render_job(SLOT, _("Working. The page stays usable."))
    if state is not None:
        clear_job(SLOT)
        running = st.session_state.pop("zoning_running", None)
        if state.status == "done" and isinstance(running, list):
            place, key = running
            st.session_state[ANSWERS_KEY] = {**st.session_state.get(ANSWERS_KEY, {}), place: key}
            _load_answer.clear(key)
            forget_views()
        else:
            st.session_state[FAILURE_KEY] = say_failure(state, _)
        st.rerun()
    failure = st.session_state.get(FAILURE_KEY)
    if isinstance(failure, str) and failure:
        st.warning(plain(failure, longest=700))


def _find_compared(study: StudyArea, question: Question) -> Compared:
    """Return what to show: the answer to just this question, else the last one of this stage, way and task."""
    last = str(st.session_state.get(ANSWERS_KEY, {}).get(_name_place(study, question), ""))
    asked = "" if question.ask is None else compute_key(study.fingerprint, question.ask)
    for key in (asked, last):
        answer = find_answer(key)
        if answer is not None:
            return Compared(question.stage, question.mode, ask_today(study, question), answer, key)
    return Compared(question.stage, question.mode, ask_today(study, question), None, "")


def _say_changed(study: StudyArea, question: Question, compared: Compared, _: Translator) -> None:
    if compared.answer is None or question.ask is None:
        return
    if compared.key != compute_key(study.fingerprint, question.ask):
        st.caption(
            ":orange[●] " + plain(_("The choices have changed since this result. Run again to see their effect."))
        )


render_page_style()
county = open_or_build()
if county is not None:
    render_zoning(county)
