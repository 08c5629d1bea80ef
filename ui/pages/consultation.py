"""Consultation: one pack per proposal that residents, experts and the council can read, check and answer."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from geodata.errors import LayoutError, ScenarioError
from geodata.study import StudyArea
from planning.procedure import STEPS, Procedure
from planning.rules import Rules
from reports.language import Translator
from ui.consultation_choices import Question, render_question
from ui.consultation_costs import render_costs
from ui.consultation_details import Form, render_details
from ui.consultation_draft import build_options, build_procedure
from ui.consultation_files import render_files, render_made
from ui.consultation_job import MadePack, PackAsk, compute_pack_key, make_in_worker, read_made
from ui.consultation_look import render_look
from ui.consultation_panels import render_headline, render_holds, render_page_style, render_part_title
from ui.consultation_safety import find_checked, find_problems, render_remarks, render_safety
from ui.consultation_state import FAILURE_KEY, find_folder, keep_made, read_open_draft, recall_made
from ui.consultation_steps import render_steps
from ui.job_panel import clear_job, read_job, render_job, say_failure, start_job
from ui.page_words import render_page_words
from ui.reopen import open_or_build
from ui.rulebooks import read_rules
from ui.state import read_language, read_open_reference, translator
from ui.studies import read_class_sizes, read_reference
from ui.text import clean, plain
from ui.zoning_keep import keep_value, put_back

SLOT = "consultation"
RUNNING_KEY = "consultation_running"
PART_KEY, NEXT_PART_KEY = "consultation_part", "consultation_part_next"
PACK = "pack"


@dataclass(frozen=True, eq=False)
class Work:
    """What the page is about in this run. ``problems``: why nothing can be asked for; ``stale``: the pack shown was
    made of other choices."""

    study: StudyArea
    question: Question
    form: Form
    procedure: Procedure
    rules: Rules
    ask: PackAsk | None
    problems: tuple[str, ...] = ()
    made: MadePack | None = None
    stale: bool = False

    @property
    def suggestion(self) -> str:
        """The title where none is given."""
        return clean(self.question.proposal.name, longest=80)


@st.fragment
def render_consultation(study: StudyArea) -> None:
    """Draw the page; a click or a choice runs only this part again."""
    _ = translator()
    render_page_words(_)
    with st.container(key="consultation_page"):
        headline = st.empty()
        question = render_question(study, _)
        if question is None:
            return
        work = _build_work(study, question, _)
        with headline:
            render_headline(study, work.form.draft.title or work.suggestion, work.procedure, work.rules, _)
        part = _choose_part(work, _)
        if part == PACK and work.made is not None:
            _render_pack(work, work.made, _)
            return
        left, right = st.columns([1.5, 1], gap="medium")
        with left:
            _render_fill_in(work, part, _)
        with right, st.container(key="consultation_side"):
            _render_side(work, _)


def _build_work(study: StudyArea, question: Question, _: Translator) -> Work:
    form = Form(question.scenario_id, read_open_draft(question.scenario_id))
    rules = read_rules(question.rulebook)
    procedure = build_procedure(form.draft, question.kind, find_folder())
    last = recall_made(question.scenario_id)
    old = read_made(last) if last else None
    try:
        options = build_options(form.draft)
    except ScenarioError as error:
        told = tuple(_.say(problem) for problem in error.problems)
        return Work(study, question, form, procedure, rules, None, told, old, stale=True)
    ask = PackAsk(
        question.rulebook,
        question.proposal,
        question.baseline,
        question.alternatives,
        question.languages,
        options,
        procedure,
    )
    made = read_made(compute_pack_key(study.fingerprint, ask))
    return Work(study, question, form, procedure, rules, ask, (), made or old, stale=made is None)


def _choose_part(work: Work, _: Translator) -> str:
    """Draw the switch between what is to be filled in and, once it is made, the pack."""
    count = sum(work.procedure.kind in step.kinds for step in STEPS.values())
    names = {
        "details": _("Details"),
        "steps": _("Steps of the law ({done}/{count})", done=count - len(work.procedure.missing), count=count),
        "costs": _("Costs ({count})", count=len(work.form.draft.costs)),
    }
    if work.made is not None:
        names[PACK] = _("The pack")
    put_back(PART_KEY, "details", list(names))
    wanted = st.session_state.pop(NEXT_PART_KEY, None)
    if wanted in names:
        st.session_state[PART_KEY] = wanted
    chosen = st.segmented_control(
        _("Part of the work"),
        list(names),
        format_func=lambda name: names[name],
        required=True,
        key=PART_KEY,
        label_visibility="collapsed",
    )
    keep_value(PART_KEY, chosen)
    return chosen or "details"


def _show_part(part: str) -> None:
    st.session_state[NEXT_PART_KEY] = part


def _render_fill_in(work: Work, part: str, _: Translator) -> None:
    years = [action.year for action in work.question.proposal.all_actions if action.year]
    first_year = min(years, default=datetime.datetime.now(tz=datetime.UTC).year)
    draw: dict[str, Callable[[], None]] = {
        "details": lambda: render_details(work.form, work.suggestion, _),
        "steps": lambda: render_steps(work.form, work.procedure, work.rules, _),
        "costs": lambda: render_costs(work.form, first_year, _),
    }
    draw.get(part, draw["details"])()


def _render_side(work: Work, _: Translator) -> None:
    """Draw the check, the button, and what was made."""
    for line in work.problems:
        st.warning(plain(line, longest=400))
    if work.ask is None:
        return
    render_part_title(_("Before it is published"))
    checked = find_checked(work.study, work.ask, _)
    blocked = checked is None
    if checked is not None:
        problems = find_problems(work.study, work.ask, checked)
        blocked = any(problem.blocks for problem in problems)
        render_safety(checked, problems, _)
    render_remarks(work.study, work.ask, work.rules, _)
    _render_make(work, work.ask, _, blocked=blocked)
    if work.made is None:
        render_holds(_)
        return
    _say_stale(work, _)
    render_made(work.made, _)
    st.button(_("Every file, and a look inside"), key="consultation_see", on_click=_show_part, args=(PACK,))


def _render_make(work: Work, ask: PackAsk, _: Translator, *, blocked: bool) -> None:
    _render_running(_)
    job = read_job(SLOT)
    fresh = work.made is None or work.stale
    st.button(
        _("Make the pack") if fresh else _("Make the pack again"),
        type="primary" if fresh else "secondary",
        key="consultation_make",
        width="stretch",
        disabled=blocked or (job is not None and not job.finished),
        on_click=_start,
        args=(work.question.scenario_id, compute_pack_key(work.study.fingerprint, ask), ask),
    )


def _say_stale(work: Work, _: Translator) -> None:
    if work.stale:
        words = _("The choices have changed since this pack was made. Make it again to publish them.")
        st.caption(":orange[●] " + plain(words))


def _render_pack(work: Work, made: MadePack, _: Translator) -> None:
    """Draw every file of the pack, and beside them what is inside."""
    left, right = st.columns([1, 1.7], gap="medium")
    with left, st.container(key="consultation_pack"):
        _render_running(_)
        _say_stale(work, _)
        render_made(made, _)
        render_files(made, _)
    with right:
        render_look(made, _)


def _start(scenario_id: str, key: str, ask: PackAsk) -> None:
    try:
        spec = read_reference(read_open_reference() or "")
    except (LookupError, LayoutError):
        return
    st.session_state[FAILURE_KEY] = None
    st.session_state[RUNNING_KEY] = [scenario_id, key]
    clear_job(SLOT)
    start_job(
        SLOT,
        key,
        make_in_worker,
        spec=spec,
        class_sizes=read_class_sizes(),
        name=key,
        ask=ask,
        look=read_language(),
    )


def _render_running(_: Translator) -> None:
    """Draw the running job; take over what it made once it is done, or say why there is nothing."""
    state = render_job(SLOT, _("Making the pack. The page stays usable."))
    if state is not None:
        clear_job(SLOT)
        running = st.session_state.pop(RUNNING_KEY, None)
        if state.status == "done" and isinstance(running, list):
            keep_made(running[0], running[1])
            _show_part(PACK)
        else:
            st.session_state[FAILURE_KEY] = say_failure(state, _)
        st.rerun()
    failure = st.session_state.get(FAILURE_KEY)
    if isinstance(failure, str) and failure:
        st.warning(plain(failure, longest=900))


render_page_style()
county = open_or_build(projected=False)
if county is not None:
    render_consultation(county)
