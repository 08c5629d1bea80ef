"""The first step of the Sites page where nobody has a list of sites: find places where new schools could stand."""

from __future__ import annotations

import dataclasses

import streamlit as st

from geodata.study import StudyArea
from reports.language import Translator
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.jobs import JobState
from ui.sites_choices import Question
from ui.sites_fields import enter_number, toggle
from ui.sites_job import FindAsk, Found, compute_find_key, find_in_worker
from ui.sites_state import FOUND_KEY, find_found, keep_key, name_place, recall_key
from ui.state import read_open_reference
from ui.studies import read_class_sizes, read_reference
from ui.text import plain

SLOT = "sites_find"
RUNNING_KEY = "sites_find_running"
TIMES_KEY = "sites_find_times"
START_MIN, START_COUNT = 30.0, 12.0


def render_find(study: StudyArea, question: Question, _: Translator, *, busy: bool) -> None:
    """Draw the button with its small form."""
    number = st.session_state.get(TIMES_KEY, 0)  # a new key after each time closes the form
    with st.popover(_("Find places for new schools"), key=f"sites_find_{number}"), st.container(width=380):
        st.caption(
            _(
                "Sites near children who have no school within the longest way, or whose schools are full: on open"
                " land where the county's layers show any, else in the middle of an area. Rules and exclusion layers"
                " are applied."
            )
        )
        with st.container(horizontal=True, gap="small"):
            minutes = enter_number("sites_find_min", _("Longest way (min)"), START_MIN, (5.0, 240.0, 5.0), width=150)
            count = enter_number("sites_find_count", _("Sites, at most"), START_COUNT, (1.0, 200.0, 1.0), width=150)
        options = question.options
        limit = options.rules.max_travel_min if options is not None else None
        if limit is not None and limit != minutes:
            st.caption(_("The plan itself is held to {limit} minutes.", limit=_.number(limit)))
        ask = FindAsk(question.rulebook, question.stage, question.mode, minutes, int(count))
        if options is not None:
            ask = dataclasses.replace(ask, years=options.years, variant=options.variant)
        st.button(
            _("Find sites"),
            type="primary",
            key="sites_find_go",
            disabled=busy,
            on_click=_start,
            args=(study, ask),
        )


def _start(study: StudyArea, ask: FindAsk) -> None:
    reference = read_open_reference()
    if reference is None:
        return
    key = compute_find_key(study.fingerprint, ask)
    place = name_place(study, ask.stage, ask.mode)
    st.session_state[TIMES_KEY] = int(st.session_state.get(TIMES_KEY, 0)) + 1
    if find_found(key) is not None:
        keep_key(FOUND_KEY, place, key)
        return
    try:
        spec = read_reference(reference)
    except LookupError:
        return
    st.session_state[RUNNING_KEY] = [place, key]
    clear_job(SLOT)
    start_job(SLOT, key, find_in_worker, spec=spec, class_sizes=read_class_sizes(), name=key, ask=ask)


def render_finding(_: Translator) -> JobState | None:
    """Draw the running search; returns how it ended once it did, and takes over what it found."""
    state = render_job(SLOT, _("Looking for sites. The page stays usable."))
    if state is None:
        return None
    clear_job(SLOT)
    running = st.session_state.pop(RUNNING_KEY, None)
    if state.status == "done" and isinstance(running, list):
        keep_key(FOUND_KEY, running[0], running[1])
    return state


def is_finding() -> bool:
    """Whether a search runs."""
    state = read_job(SLOT)
    return state is not None and not state.finished


def recall_found(study: StudyArea, question: Question) -> tuple[str, Found | None]:
    """Return the key of the places last found for this stage and way, and the places; (``""``, None) for none."""
    key = recall_key(FOUND_KEY, name_place(study, question.stage, question.mode))
    found = find_found(key)
    return (key, found) if found is not None else ("", None)


def found_open_land(found: Found) -> bool:
    """Whether any place found stands on land that a layer shows as open."""
    return bool((found.candidates.table["source"] == "open_land").any())


def choose_used(found: Found | None, _: Translator) -> bool:
    """Draw the switch whether the places found take part in the proposal; say how many they are."""
    if found is None:
        return False
    table = found.candidates.table
    free = int((~table["excluded"].astype(bool)).sum())
    used = toggle(
        "sites_use_found",
        _("Use the {count} sites found", count=_.number(free)),
        default=True,
        tip=_("{count} further sites are excluded by a rule or a layer.", count=_.number(len(table) - free)),
    )
    return used and free > 0


def say_no_sites(study: StudyArea, question: Question, found: Found | None, _: Translator) -> str:
    """Return a hint where schools may open and no site is known, else nothing."""
    if not question.opens or len(study.sites) or found is not None:
        return ""
    return plain(_("No candidate site is known: find sites first, or the plan opens no school."))
