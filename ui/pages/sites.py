"""Sites: which schools to close, merge, expand and open over the years. Several good plans, each with its proof."""

from __future__ import annotations

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from reports.forecast_words import say_school_year
from reports.language import Translator
from reports.siting_words import name_plan, say_changes
from ui.job_panel import clear_job, read_job, render_job, say_failure, start_job
from ui.page_words import render_page_words
from ui.pupils_view import render_pupils_choice
from ui.reopen import open_or_build
from ui.scenario_who import recall_who
from ui.sites_choices import Question, render_question
from ui.sites_find import (
    choose_used,
    found_open_land,
    is_finding,
    recall_found,
    render_find,
    render_finding,
    say_no_sites,
)
from ui.sites_job import Found, SitesAsk, compute_sites_key, propose_in_worker
from ui.sites_map import Ground, build_ground, choose_painted, forget_views, render_sites_map
from ui.sites_panels import render_headline, render_page_style, render_side
from ui.sites_put import build_taken, render_done, render_put
from ui.sites_state import (
    ANSWERS_KEY,
    PLAN_KEY,
    YEAR_KEY,
    Shown,
    build_shown,
    find_answer,
    forget_answer,
    keep_key,
    name_place,
    read_selected,
    recall_key,
    show_plan,
)
from ui.sites_tables import render_tables
from ui.state import read_open_reference, translator
from ui.studies import read_class_sizes, read_reference
from ui.text import plain

SLOT = "sites"
FAILURE_KEY = "sites_failure"
RUNNING_KEY = "sites_running"


@st.fragment
def render_sites(study: StudyArea) -> None:
    """Draw the page; a click or a choice runs only this part again."""
    _ = translator()
    render_page_words(_)
    with st.container(key="sites_page"):
        headline = st.empty()
        recall_who()
        question = render_question(study, _)
        if question is None:
            st.warning(plain(_("No school of this county teaches any stage: load a table of schools with places.")))
            return
        found_key, found = recall_found(study, question)
        ask = _render_buttons(study, question, found, _)
        _render_running(_)
        shown = _find_shown(study, question, ask)
        ground = build_ground(study, question.stage, question.mode, question.rulebook, found, found_key)
        with headline:
            render_headline(study, ground, shown, _)
        _say_state(study, question, ask, shown, found, _)
        _render_answer(study, ground, shown, _)


def _render_answer(study: StudyArea, ground: Ground, shown: Shown, _: Translator) -> None:
    selected = read_selected()
    with st.container(key="sites_plans", horizontal=True, vertical_alignment="center", gap="small"):
        shown = _choose_plan(shown, _)
        painted = choose_painted(shown, _)
        if shown.plan is not None:
            suggestion = " · ".join([name_plan(shown.plan.plan_id, _), say_changes(shown.plan, _)])
            render_put(study, build_taken(study, shown.plan, ground.sites, _), suggestion, _)
    render_done(_)
    left, right = st.columns([2.1, 1], gap="small")
    with left:
        render_sites_map(study, ground, shown, painted, selected, _)
    with right:
        render_side(study, ground, shown, selected, _)
    render_tables(study, ground, shown, _)


def _render_buttons(study: StudyArea, question: Question, found: Found | None, _: Translator) -> SitesAsk | None:
    """Draw what finds places and what proposes; returns what would be proposed, None while something is missing."""
    job = read_job(SLOT)
    busy = job is not None and not job.finished
    with question.row:
        if question.opens:
            render_find(study, question, _, busy=busy or is_finding())
        used = choose_used(found, _) if question.opens else False
        ask = None
        if question.options is not None:
            find = found.ask if found is not None and used else None
            ask = SitesAsk(question.rulebook, question.options, find=find)
        st.button(
            _("Propose plans"),
            type="primary",
            key="sites_run",
            disabled=busy or is_finding() or ask is None,
            on_click=_start,
            args=(study, ask),
        )
    if question.problem:
        st.warning(plain(question.problem, longest=500))
    return ask


def _start(study: StudyArea, ask: SitesAsk) -> None:
    reference = read_open_reference()
    if reference is None:
        return
    try:
        spec = read_reference(reference)
    except (LookupError, LayoutError):
        return
    key = compute_sites_key(study.fingerprint, ask)
    place = name_place(study, ask.options.stage, ask.options.mode)
    st.session_state[FAILURE_KEY] = None
    st.session_state[RUNNING_KEY] = [place, key]
    clear_job(SLOT)
    start_job(SLOT, key, propose_in_worker, spec=spec, class_sizes=read_class_sizes(), name=key, ask=ask)


def _render_running(_: Translator) -> None:
    """Draw the running jobs; take over what they found once they are done, or say why there is nothing."""
    finding = render_finding(_)
    if finding is not None:
        st.session_state[FAILURE_KEY] = None if finding.status == "done" else say_failure(finding, _)
        st.rerun()
    state = render_job(SLOT, _("Looking for plans. The page stays usable."))
    if state is not None:
        clear_job(SLOT)
        running = st.session_state.pop(RUNNING_KEY, None)
        if state.status == "done" and isinstance(running, list):
            keep_key(ANSWERS_KEY, running[0], running[1])
            forget_answer(running[1])
            forget_views()
            st.session_state.pop(PLAN_KEY, None)
        else:
            st.session_state[FAILURE_KEY] = say_failure(state, _)
        st.rerun()
    failure = st.session_state.get(FAILURE_KEY)
    if isinstance(failure, str) and failure:
        st.warning(plain(failure, longest=700))


def _find_shown(study: StudyArea, question: Question, ask: SitesAsk | None) -> Shown:
    """Return what to show: the answer to just this question, else the last one of this stage and way."""
    asked = "" if ask is None else compute_sites_key(study.fingerprint, ask)
    if find_answer(asked) is not None:
        return build_shown(asked)
    return build_shown(recall_key(ANSWERS_KEY, name_place(study, question.stage, question.mode)))


def _say_state(
    study: StudyArea, question: Question, ask: SitesAsk | None, shown: Shown, found: Found | None, _: Translator
) -> None:
    if shown.kept is not None and ask is not None and shown.key != compute_sites_key(study.fingerprint, ask):
        words = plain(_("The choices have changed since this result. Propose again to see their effect."))
        st.caption(":orange[●] " + words)
    hint = say_no_sites(study, question, found, _)
    if hint:
        st.caption(hint)
    if found is not None and question.opens and (shown.kept is None or not found_open_land(found)):
        for note in found.candidates.notes[:1]:
            st.caption(plain(_.say(note), longest=500))


def _choose_plan(shown: Shown, _: Translator) -> Shown:
    """Draw the plans and the years of the chosen one; returns what is shown after the choice."""
    if shown.answer is None or shown.plan is None:
        return shown
    ids = [plan.plan_id for plan in shown.answer.plans]
    st.session_state["sites_plan_choice"] = shown.plan.plan_id
    st.segmented_control(
        _("Proposed plan"),
        ids,
        format_func=lambda key: name_plan(key, _),
        key="sites_plan_choice",
        required=True,
        label_visibility="collapsed",
        on_change=lambda: show_plan(str(st.session_state["sites_plan_choice"])),
    )
    years = sorted({int(year) for year in shown.plan.schools["year"]})
    if len(years) > 1:
        st.session_state["sites_year_choice"] = shown.year

        def keep_year() -> None:
            st.session_state[YEAR_KEY] = st.session_state["sites_year_choice"]

        st.segmented_control(
            _("Year"),
            years,
            format_func=lambda year: say_school_year(year, _),
            key="sites_year_choice",
            required=True,
            label_visibility="collapsed",
            on_change=keep_year,
        )
    return shown


render_page_style()
county = open_or_build(projected=False)
if county is not None:
    render_pupils_choice(county, translator())
    render_sites(county)
