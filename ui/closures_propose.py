"""“Propose” on the Closures page: which schools to close or merge, and which to extend for it, with a proof."""

from __future__ import annotations

import streamlit as st

from geodata.errors import LayoutError
from planning.flag_case import iterate_rows
from planning.siting_answer import SitingPlan
from planning.siting_options import SitingOptions, SitingRules, SitingSearch
from reports.language import Translator
from reports.siting_words import name_plan, say_plan
from ui.closures_engine import Engine
from ui.closures_state import COMBINE_KEY, Asked, Resized, keep_asked
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.pupils_view import read_viewed_of
from ui.sites_fields import enter_number, enter_optional, toggle
from ui.sites_job import SitesAnswer, SitesAsk, compute_sites_key, propose_in_worker
from ui.sites_panels import build_conflict
from ui.sites_put import say_what_today_is
from ui.sites_state import find_answer, forget_answer
from ui.state import read_open_reference
from ui.studies import read_class_sizes, read_reference
from ui.text import plain

SLOT = "closures_propose"
ANSWERS_KEY, RUNNING_KEY, FAILURE_KEY = "closures_proposed", "closures_propose_running", "closures_propose_failure"
TIMES_KEY, CHOICE_KEY = "closures_propose_times", "closures_plan"
SECONDS, FRONT_PLANS, ALTERNATIVES, MOST_CHANGES = 30.0, 3, 2, 10.0


def render_propose(engine: Engine, scope: str, asked: Asked, _: Translator) -> None:
    """Draw the button with its few choices, the running search, and the plans that it found."""
    job = read_job(SLOT)
    busy = job is not None and not job.finished
    number = st.session_state.get(TIMES_KEY, 0)  # a new key after each time closes the form
    with st.popover(_("Propose closures"), key=f"{SLOT}_{number}"), st.container(width=400):
        st.caption(
            _(
                "Which schools to close or merge so that buildings, running and ways together cost least, within the"
                " rules. No school is opened: that is the page Sites."
            )
        )
        ask = SitesAsk(engine.question.rulebook, _render_options(engine, _), base=engine.question.scenario)
        st.button(_("Propose"), type="primary", key=f"{SLOT}_go", disabled=busy, on_click=_start, args=(engine, ask))
    _render_running(engine, _)
    kept = find_answer(str(st.session_state.get(ANSWERS_KEY, {}).get(engine.key, "")))
    if kept is not None:
        _render_plans(kept, scope, asked, _)


def _render_options(engine: Engine, _: Translator) -> SitingOptions:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        most = enter_number(f"{SLOT}_most", _("Changes, at most"), MOST_CHANGES, (1.0, 500.0, 1.0))
        least = enter_optional(
            f"{SLOT}_least", _("Pupils of a school, at least"), (0.0, 5000.0, 10.0), _("any number"), width=190
        )
        cap = enter_optional(f"{SLOT}_cap", _("Longest way (min)"), (1.0, 240.0, 5.0), _("the rules'"), width=190)
        seconds = enter_number(f"{SLOT}_seconds", _("Time limit (seconds)"), SECONDS, (5.0, 3600.0, 30.0))
    grow = toggle(f"{SLOT}_grow", _("Other schools may be extended"), default=True)
    return build_closure_options(engine, most=int(most), least=least, cap=cap, grow=grow, seconds=seconds)


def build_closure_options(
    engine: Engine, *, most: int, least: float | None, cap: float | None, grow: bool, seconds: float
) -> SitingOptions:
    """Return what is asked: closures and mergers at once, no new school."""
    return SitingOptions(
        stage=engine.stage,
        mode=engine.question.mode,
        may_open=(),
        may_expand=None if grow else (),
        # There is one moment only: an extension and the closure that it makes possible come together.
        rules=SitingRules(max_travel_min=cap, min_pupils=least, max_changes=most, build_before_closing=False),
        search=SitingSearch(time_limit_s=seconds, front_plans=FRONT_PLANS, alternatives=ALTERNATIVES),
    )


def _start(engine: Engine, ask: SitesAsk) -> None:
    st.session_state[TIMES_KEY] = int(st.session_state.get(TIMES_KEY, 0)) + 1
    st.session_state[FAILURE_KEY] = None
    reference, key = read_open_reference(), compute_sites_key(engine.fingerprint, ask)
    if find_answer(key) is not None:
        _keep(engine.key, key)
        return
    if reference is None:
        return
    try:
        spec = read_reference(reference)
    except (LookupError, LayoutError):
        return
    st.session_state[RUNNING_KEY] = [engine.key, key]
    clear_job(SLOT)
    more = {"name": key, "ask": ask, "viewed": read_viewed_of(engine.county)}
    start_job(SLOT, key, propose_in_worker, spec=spec, class_sizes=read_class_sizes(), **more)


def _keep(place: str, key: str) -> None:
    st.session_state[ANSWERS_KEY] = {**st.session_state.get(ANSWERS_KEY, {}), place: key}


def _render_running(engine: Engine, _: Translator) -> None:
    state = render_job(SLOT, _("Looking for plans. The page stays usable."))
    if state is not None:
        clear_job(SLOT)
        running = st.session_state.pop(RUNNING_KEY, None)
        if state.status == "done" and isinstance(running, list):
            forget_answer(running[1])
            _keep(running[0], running[1])
        elif state.status == "cancelled":
            st.session_state[FAILURE_KEY] = _("Stopped. The result shown before still stands.")
        else:
            words = [] if state.problem is None else [_.say(state.problem)]
            told = " ".join([*words, *(_.say(issue.problem) for issue in state.issues[:3])])
            st.session_state[FAILURE_KEY] = told
        st.rerun()
    failure = st.session_state.get(FAILURE_KEY)
    if isinstance(failure, str) and failure:
        st.warning(plain(failure, longest=500))


def _render_plans(kept: SitesAnswer, scope: str, asked: Asked, _: Translator) -> None:
    """Draw the plans found; the one chosen becomes the changes that the page answers."""
    answer = kept.answer
    if not answer.plans:
        blocks = "".join(build_conflict(conflict, _) for conflict in answer.conflicts)
        st.html(f'<div class="card">{blocks}</div>')
        return
    plans = {plan.plan_id: plan for plan in answer.plans}
    chosen = next((key for key, plan in plans.items() if build_asked(plan) == asked), None)
    st.session_state[CHOICE_KEY] = chosen
    st.segmented_control(
        _("Plans proposed"),
        list(plans),
        format_func=lambda key: name_plan(key, _),
        key=CHOICE_KEY,
        on_change=lambda: _choose(plans.get(str(st.session_state[CHOICE_KEY])), scope),
    )
    if chosen is None:
        st.caption(_("Choose a plan to see it on the map."))
    else:
        st.caption(plain(say_plan(answer, plans[chosen], _), longest=500))
        st.caption(say_what_today_is(_))
        if (plans[chosen].decisions["decision"] == "expand").any():
            st.caption(
                _(
                    "The proposal adds classes with the places. Class sizes on this page are still told with today's"
                    " classes."
                )
            )


def build_asked(plan: SitingPlan) -> Asked:
    """Return a plan as the changes of the page: schools that close or merge are closed, extensions are new sizes."""
    rows = plan.decisions
    closed = rows.loc[rows["decision"].isin(["close", "merge"]), "facility_id"].astype(str)
    resized = [
        Resized(str(row.facility_id), places=float(row.places_after))
        for row in iterate_rows(rows[rows["decision"] == "expand"])
    ]
    return Asked(closed=tuple(closed), resized=tuple(resized))


def _choose(plan: SitingPlan | None, scope: str) -> None:
    keep_asked(scope, Asked() if plan is None else build_asked(plan))
    if plan is not None:  # a further click on the map adds to the plan
        st.session_state[COMBINE_KEY] = st.session_state[f"{COMBINE_KEY}_kept"] = True
