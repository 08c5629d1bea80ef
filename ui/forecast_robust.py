"""Robust plans: today or a scenario, judged in every year and variant of the forecast."""

from __future__ import annotations

import dataclasses

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import STAGES, Mode, Stage, StudyArea
from planning.forecast import VARIANTS, Forecast
from planning.robust import RobustAnswer
from planning.rules import Rules, read_rulebook
from planning.scenario import Scenario
from reports.forecast_robust import build_first_table, build_worst_table, find_cases, list_case_axes, say_robust
from reports.forecast_tables import list_future_years
from reports.forecast_words import name_variant, say_school_year
from reports.language import Translator
from ui.base_choice import TODAY, choose_base, read_base
from ui.cards import text
from ui.forecast_choices import Asked
from ui.forecast_job import RobustAsk, compute_robust_key, judge_in_worker, read_robust
from ui.forecast_panels import render_small_title
from ui.forecast_schools import number_columns
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.jobs import JobState
from ui.pupils_view import read_forecast_options
from ui.rulebooks import build_judged_by
from ui.state import read_open_reference
from ui.studies import read_class_sizes, read_reference
from ui.text import plain
from ui.zoning_keep import keep_value, put_back

SLOT = "forecast_robust"
LAST_KEY = "forecast_robust_last"


def render_robust(study: StudyArea, forecast: Forecast, asked: Asked, _: Translator) -> None:
    """Draw the choice of plan, years and variants, the running job, and the judgement."""
    st.caption(
        _("A plan is judged on the pupils of each year and variant: the same schools, steps and zones, other children.")
    )
    ask, pressed = _choose(study, forecast, asked, _)
    if ask is not None and pressed:
        _start(study, ask)
    _render_running(_)
    key = "" if ask is None else compute_robust_key(study.fingerprint, ask)
    answer = find_answer(key) or find_answer(str(st.session_state.get(LAST_KEY) or ""))
    if answer is not None:
        if find_answer(key) is None:
            st.caption(
                ":orange[●] " + plain(_("The choices have changed since this result. Judge again to see their effect."))
            )
        render_answer(answer, read_rulebook(asked.rulebook), _)


def _choose(study: StudyArea, forecast: Forecast, asked: Asked, _: Translator) -> tuple[RobustAsk | None, bool]:
    """Draw plan, years, variants and the button; return the question, and whether it was asked just now."""
    years = list_future_years(forecast)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="forecast_robust_choices"):
        scenario = _choose_plan(study, asked, _)
        default = sorted({years[round(step * (len(years) - 1) / 3)] for step in range(4)})
        key = "forecast_robust_years"
        put_back(key, default, years)
        chosen = st.multiselect(
            _("Years"),
            years,
            format_func=lambda year: say_school_year(year, _),
            key=key,
            width=430,
            select_all=False,
            placeholder=_("Choose the years"),
        )
        keep_value(key, chosen)
        key = "forecast_robust_variants"
        put_back(key, list(VARIANTS), VARIANTS)
        variants = st.pills(
            _("Variants"),
            list(VARIANTS),
            selection_mode="multi",
            format_func=lambda name: name_variant(name, _),
            key=key,
        )
        keep_value(key, variants)
        ready = scenario is not None and bool(chosen) and bool(variants)
        job = read_job(SLOT)
        busy = job is not None and not job.finished
        pressed = st.button(_("Judge the plan"), type="primary", key="forecast_judge", disabled=busy or not ready)
    if scenario is None or not ready:
        return None, False
    ordered = tuple(name for name in VARIANTS if name in variants)
    ask = RobustAsk(asked.rulebook, scenario, tuple(sorted(chosen)), ordered, read_forecast_options())
    return ask, bool(pressed)


def _choose_plan(study: StudyArea, asked: Asked, _: Translator) -> Scenario | None:
    """Draw the list of plans: today, then the stored scenarios of this county."""
    today = _("Today's schools and zones")
    chosen, names = choose_base(study, _("Scenario"), "forecast_robust_plan", _, width=260, today=today)
    if chosen == TODAY:
        return build_today(study, asked.stage, today)
    scenario = read_base(chosen, _)
    return None if scenario is None else dataclasses.replace(scenario, name=names[chosen])


def build_today(study: StudyArea, stage: str, name: str) -> Scenario:
    """Return the question about today: as the zones say where there are any, else the nearest school."""
    chosen: Stage = next(item for item in STAGES if item == stage)
    mode: Mode = "walk" if "walk" in study.travel else next(iter(study.travel), "walk")
    zoned = bool((study.zones["stage"] == stage).any())
    return Scenario(name=name, stages=(chosen,), mode=mode, enrolment="zones" if zoned else "nearest")


@st.cache_resource(max_entries=8, show_spinner=False)
def _load_answer(key: str) -> RobustAnswer | None:
    return read_robust(key)


def find_answer(key: str) -> RobustAnswer | None:
    """Return the judgement kept under a key, or None; what is not there yet is looked for again."""
    if not key:
        return None
    found = _load_answer(key)
    if found is None:
        _load_answer.clear(key)
    return found


def _start(study: StudyArea, ask: RobustAsk) -> None:
    try:
        spec = read_reference(read_open_reference() or "")
    except (LookupError, LayoutError):
        return
    key = compute_robust_key(study.fingerprint, ask)
    clear_job(SLOT)
    st.session_state["forecast_robust_failure"] = None
    st.session_state["forecast_robust_running"] = key
    start_job(SLOT, key, judge_in_worker, spec=spec, class_sizes=read_class_sizes(), name=key, ask=ask)
    st.rerun()


def _render_running(_: Translator) -> None:
    state = render_job(SLOT, _("Judging the plan. The page stays usable."))
    if state is not None:
        clear_job(SLOT)
        key = st.session_state.pop("forecast_robust_running", "")
        if state.status == "done":
            st.session_state[LAST_KEY] = key
        else:
            st.session_state["forecast_robust_failure"] = _say_failure(state, _)
        st.rerun()
    failure = st.session_state.get("forecast_robust_failure")
    if isinstance(failure, str) and failure:
        st.warning(plain(failure, longest=600))


def _say_failure(state: JobState, _: Translator) -> str:
    if state.status == "cancelled":
        return _("Stopped before there was an answer.")
    words = [] if state.problem is None else [_.say(state.problem)]
    return " ".join([*words, *(_.say(issue.problem) for issue in state.issues[:3])])


def render_answer(answer: RobustAnswer, rules: Rules, _: Translator) -> None:
    """Draw the judgement: the sentence, the grid, the first failures and the worst case."""
    st.html(f"<b>{text(say_robust(answer, _), longest=400)}</b>{build_judged_by(rules, _)}")
    left, right = st.columns([1, 1.15], gap="medium")
    with left:
        st.html(build_grid(answer, _))
        for words in answer.basis:
            st.caption(plain(_.say(words), longest=500))
    with right:
        worst = build_worst_table(answer, _)
        render_small_title(_("Worst and average case"))
        st.dataframe(worst, hide_index=True, placeholder="–")
    first = build_first_table(answer, rules, _)
    if len(first):
        render_small_title(_("Where each rule first fails"))
        st.dataframe(first, hide_index=True, column_config=number_columns(first), placeholder="–")


def build_grid(answer: RobustAnswer, _: Translator) -> str:
    """Return the grid of years by variants: lawful or not, with the number of rules broken."""
    years, variants = list_case_axes(answer)
    cases = find_cases(answer)
    head = "".join(f"<th>{text(say_school_year(year, _))}</th>" for year in years)
    rows = []
    for variant in variants:
        cells = []
        for year in years:
            case = cases.get((year, variant))
            if case is None:
                cells.append("<td>–</td>")
                continue
            lawful, failed = case
            words = _("✓ lawful") if lawful else _("✗ {count} rules", count=_.number(failed))
            cells.append(f'<td class="{"yes" if lawful else "no"}">{text(words)}</td>')
        rows.append(f"<tr><th>{text(name_variant(variant, _))}</th>{''.join(cells)}</tr>")
    return f'<table class="robust"><tr><th></th>{head}</tr>{"".join(rows)}</table>'
