"""Improve from here: the drawing is handed to the search with its locks, and comes back as one step."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import streamlit as st

from geodata.errors import LayoutError
from geodata.messages import msg
from geodata.study import compute_digest
from planning.assignment_options import AssignmentOptions
from planning.drawing import list_drawn, list_locks, read_drawn
from planning.run import Limits
from planning.scenario import Scenario
from planning.zoning_options import ZoningOptions
from reports.language import Translator
from reports.zone_answer import find_certificate
from ui.cards import render_title, text
from ui.catchments_choices import Choices, Effort
from ui.catchments_open import Sheet, View, put_drawing, tell
from ui.catchments_state import Drawing, take_zones
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.jobs import JobState
from ui.pupils_view import read_viewed_of
from ui.state import read_open_reference
from ui.studies import read_class_sizes, read_reference
from ui.zoning_cards import build_conflict, build_proof
from ui.zoning_job import Answer, Ask, answer_in_worker, compute_key, read_answer

SLOT = "catchments"
RUNNING_KEY = "catchments_running"
NO_PLAN_KEY = "catchments_no_plan"
"""Key of an answer without a plan, and the revision of the drawing that it was asked of."""
MOST_CONFLICTS = 6


@st.cache_resource(max_entries=6, show_spinner=False)
def _load_answer(key: str) -> Answer | None:
    return read_answer(key)


def find_answer(key: str) -> Answer | None:
    """Return the answer kept under a key, or None; what is not there yet is looked for again."""
    found = _load_answer(key) if key else None
    if found is None:
        _load_answer.clear(key)
    return found


def build_ask(sheet: Sheet, drawing: Drawing, effort: Effort) -> Ask:
    """Return the question: zones that begin with the drawing and keep its locks."""
    terms, table = sheet.terms, sheet.table
    zones = list_drawn(table, drawing.zone)
    scenario = Scenario(
        name="drawing",
        stages=(terms.stage,),
        mode=terms.mode,
        enrolment="zoning",
        assignment=AssignmentOptions(
            travel_cap=cast(Any, effort.travel_cap), overload=cast(Any, effort.overload), barriers=terms.barriers
        ),
        zoning=ZoningOptions(
            start="table",
            start_zones=tuple(zones.itertuples(index=False, name=None)),
            objectives=effort.goals,
            locks=list_locks(table, drawing.zone, drawing.locked),
        ),
    )
    return Ask(terms.rulebook, scenario, Limits(effort.seconds, None, 0))


def is_busy() -> bool:
    """Whether a search is running."""
    job = read_job(SLOT)
    return job is not None and not job.finished


def render_improve(choices: Choices, sheet: Sheet, drawing: Drawing, _: Translator) -> None:
    """Draw the button, and start the search when it is pressed."""
    hint = _("Searches for better zones, beginning with the drawing. Locked areas stay. Undo brings the drawing back.")
    zoned = bool((drawing.zone >= 0).any())
    if st.button(
        _("Improve from here"), type="primary", key="catchments_improve", help=hint, disabled=is_busy() or not zoned
    ):
        _start(choices, sheet, drawing)


def _start(choices: Choices, sheet: Sheet, drawing: Drawing) -> None:
    reference = read_open_reference()
    try:
        spec = read_reference(reference or "")
    except (LookupError, LayoutError):
        tell(msg("The county is no longer there."))
        return
    ask = build_ask(sheet, drawing, choices.effort)
    key = compute_key(sheet.study.fingerprint, ask)
    tell(None)
    st.session_state[NO_PLAN_KEY] = None
    zones = compute_digest(drawing.zone_ids)
    asked = {"key": key, "zone": drawing.zone.tolist(), "zones": zones, "place": _name_place(sheet)}
    st.session_state[RUNNING_KEY] = asked
    clear_job(SLOT)
    more = {"spec": spec, "class_sizes": read_class_sizes(), "name": key, "ask": ask, "with_values": False}
    start_job(SLOT, key, answer_in_worker, viewed=read_viewed_of(sheet.study), **more)
    st.rerun()


def _name_place(sheet: Sheet) -> str:
    return f"{sheet.study.fingerprint}:{sheet.terms.stage}"


def render_running(sheet: Sheet, drawing: Drawing, _: Translator) -> None:
    """Draw the running search; take over what it found as a step of the drawing."""
    state = render_job(SLOT, _("Improving. You can go on drawing."))
    if state is None:
        return
    running = st.session_state.get(RUNNING_KEY)
    if not isinstance(running, dict) or running["place"] != _name_place(sheet):
        tell(msg("The search has ended, but another stage or county is open now. Nothing was changed."))
    elif state.status == "done":
        _load_answer.clear(running["key"])
        # An imported plan may have numbered the zones anew meanwhile.
        same = running["zones"] == compute_digest(drawing.zone_ids)
        asked = np.array(running["zone"], dtype=np.int64) if same else drawing.zone
        take_answer(sheet, drawing, running["key"], asked)
    else:
        _tell_failure(state)
    # Last, so that a run that is cut short begins this again.
    st.session_state[RUNNING_KEY] = None
    clear_job(SLOT)
    st.rerun()


def _tell_failure(state: JobState) -> None:
    if state.status == "cancelled":
        tell(msg("Stopped. The drawing is as it was."))
    elif state.problem is not None:
        tell(state.problem)


def take_answer(sheet: Sheet, drawing: Drawing, key: str, asked: np.ndarray[Any, np.dtype[np.int64]]) -> None:
    """Take over what a search found; areas that were drawn meanwhile keep what the planner gave them."""
    answer = find_answer(key)
    if answer is None:
        tell(msg("The search has ended, but its answer could not be kept on this machine."))
        return
    if answer.outcome.plan is None:
        st.session_state[NO_PLAN_KEY] = {"key": key, "revision": drawing.revision}
        return
    if drawing.steps and drawing.steps[-1].note == key:
        return
    found = read_drawn(sheet.table, answer.outcome.zones)
    meanwhile = (drawing.zone != asked) | drawing.locked | (found < 0)
    zone = np.where(meanwhile, drawing.zone, found)
    improved = take_zones(drawing, zone, key)
    if improved is drawing:
        tell(msg("The search found nothing better than the drawing: no area changes."))
        return
    put_drawing(improved)
    count = len(np.flatnonzero(zone != drawing.zone))
    since = len(np.flatnonzero(drawing.zone != asked))
    if since:
        tell(
            msg(
                "Improved: {count:,} areas change school; {since:,} that you drew meanwhile stay as drawn.",
                count=count,
                since=since,
            )
        )
    else:
        tell(msg("Improved: {count:,} areas change school. Undo brings the drawing back.", count=count))


def render_result(view: View, _: Translator) -> None:
    """Draw the proof of the last step where it was an improvement, or why there was none."""
    refused = st.session_state.get(NO_PLAN_KEY)
    if isinstance(refused, dict) and refused["revision"] == view.drawing.revision:
        _render_conflicts(find_answer(refused["key"]), _)
        return
    last = view.drawing.steps[-1] if view.drawing.steps else None
    answer = find_answer(last.note) if last is not None and last.kind == "improve" else None
    certificate = None if answer is None else find_certificate(answer.outcome, view.sheet.terms.stage)
    if answer is not None and certificate is not None:
        head = render_title(_("What the search has proven"))
        st.html(f'<div class="card">{head}{build_proof(certificate, answer.outcome, _)}</div>')


def _render_conflicts(answer: Answer | None, _: Translator) -> None:
    if answer is None:
        return
    outcome = answer.outcome
    head = render_title(_("No lawful plan with these rules and locks: the drawing is as it was"))
    blocks = [build_conflict(conflict, _, priced=False) for conflict in outcome.hard_conflicts[:MOST_CONFLICTS]]
    told = {conflict.message for conflict in outcome.hard_conflicts}
    blocks += [
        f'<div class="conflict">{text(_.say(message), longest=700)}</div>'
        for message in outcome.conflicts
        if message not in told
    ][:MOST_CONFLICTS]
    st.html(f'<div class="card" id="catchments-conflicts">{head}{"".join(blocks)}</div>')
