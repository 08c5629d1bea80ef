"""Answers to whole scenarios: from memory or disk where they are known, else computed; heavy ones as a job."""

from __future__ import annotations

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from reports.language import Translator
from ui.forecast_study import ask_viewed
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.jobs import JobState
from ui.pupils_view import read_viewed_of
from ui.scenario_job import compute_outcome_key as compute_outcome_key
from ui.scenario_job import read_kept, run_in_worker
from ui.scenario_shelf import OutcomeShelf
from ui.state import read_open_reference, translator
from ui.studies import read_class_sizes, read_reference
from ui.text import plain

HEAVY_UNITS = 3_000
"""With places (or families' choice) counties of more units than this are answered by a job of their own."""
VAST_UNITS = 8_000
"""Above this many units every whole answer is a job."""
OUTCOMES_IN_MEMORY = 24


def is_heavy(study: StudyArea, scenario: Scenario) -> bool:
    """Whether the answer takes so long that it runs as a job: zoning always, the others in large counties."""
    if scenario.enrolment == "zoning":
        return True
    most = HEAVY_UNITS if scenario.enrolment in ("capacity", "choice") else VAST_UNITS
    return len(study.units) * len(scenario.stages) > most


@st.cache_resource(show_spinner=False)
def open_shelf() -> OutcomeShelf:
    """Return the server's outcomes in memory, and those being worked out beside the page."""
    return OutcomeShelf(OUTCOMES_IN_MEMORY)


def find_outcome(study: StudyArea, scenario: Scenario, rulebook: str = "cn") -> Outcome | None:
    """Return the outcome where it is known already; computes nothing."""
    scenario = ask_viewed(study, scenario)
    key = compute_outcome_key(study.fingerprint, scenario, rulebook)
    found = open_shelf().find(key)
    if found is None and is_heavy(study, scenario):
        found = read_kept(key)
        if found is not None:
            open_shelf().put(key, found)
    return found


def start_later(study: StudyArea, scenario: Scenario, rulebook: str = "cn") -> None:
    """Begin to work out a light outcome beside the page; what still waits for its turn is dropped."""
    scenario = ask_viewed(study, scenario)
    key = compute_outcome_key(study.fingerprint, scenario, rulebook)
    open_shelf().start(key, lambda: run_scenario(study, read_rulebook(rulebook), scenario))


def find_failure(study: StudyArea, scenario: Scenario, rulebook: str = "cn") -> LayoutError | None:
    """Return why an outcome worked out beside the page could not be; None where nothing went wrong."""
    scenario = ask_viewed(study, scenario)
    return open_shelf().find_failure(compute_outcome_key(study.fingerprint, scenario, rulebook))


def ask_scenario(
    study: StudyArea, scenario: Scenario, rulebook: str = "cn", *, slot: str = "", _: Translator | None = None
) -> Outcome | None:
    """Return the outcome of a scenario, computed where it is not known.

    A heavy one runs as a job: its progress with a button to stop it is drawn where this is called, and None is
    returned until it is there; a failure is told there in words, with a button to try again. ``slot`` names the place
    of the job on the page; by default it is made of the question, so that several can run side by side.

    A projected study answers about its own year and variant, whatever the scenario says (``ui.forecast_study``).
    """
    scenario = ask_viewed(study, scenario)
    found = find_outcome(study, scenario, rulebook)
    if found is not None:
        return found
    if not is_heavy(study, scenario):
        found = run_scenario(study, read_rulebook(rulebook), scenario)
        open_shelf().put(compute_outcome_key(study.fingerprint, scenario, rulebook), found)
        return found
    key = compute_outcome_key(study.fingerprint, scenario, rulebook)
    return _await(study, scenario, rulebook, key, slot or f"run_{key[-10:]}", _ or translator())


def _await(study: StudyArea, scenario: Scenario, rulebook: str, key: str, slot: str, _: Translator) -> Outcome | None:
    """Start the job where none runs, draw it, take its answer over."""
    ended = st.session_state.get(f"{slot}_ended")
    if isinstance(ended, list) and ended[0] == key:
        _offer_again(slot, ended[1], _)
        return None
    if st.session_state.get(f"{slot}_job") != key and not _start(study, scenario, rulebook, key, slot):
        st.warning(plain(_("The study's files are not there any more. Open the county again.")))
        return None
    state = render_job(slot, _("Working out “{name}”. The page stays usable.", name=scenario.name))
    if state is None and read_job(slot) is not None:
        return None
    clear_job(slot)
    found = read_kept(key) if state is None or state.status == "done" else None
    if found is not None:
        open_shelf().put(key, found)
    else:
        st.session_state[f"{slot}_ended"] = [key, _say_end(state, _)]
        _offer_again(slot, st.session_state[f"{slot}_ended"][1], _)
    return found


def _start(study: StudyArea, scenario: Scenario, rulebook: str, key: str, slot: str) -> bool:
    reference = read_open_reference()
    try:
        spec = read_reference(reference or "")
    except (LookupError, LayoutError):
        return False
    clear_job(slot)
    arguments = {"class_sizes": read_class_sizes(), "name": key, "scenario": scenario, "rulebook": rulebook}
    start_job(slot, key, run_in_worker, spec=spec, viewed=read_viewed_of(study), **arguments)
    return True


def _say_end(state: JobState | None, _: Translator) -> str:
    if state is not None and state.status == "cancelled":
        return _("Stopped before there was an answer.")
    words = [] if state is None or state.problem is None else [_.say(state.problem)]
    issues = [] if state is None else [_.say(issue.problem) for issue in state.issues[:3]]
    return " ".join([*words, *issues]) or _("The answer could not be worked out.")


def _offer_again(slot: str, words: str, _: Translator) -> None:
    def forget() -> None:
        st.session_state.pop(f"{slot}_ended", None)

    with st.container(horizontal=True, vertical_alignment="center", key=f"{slot}_stopped"):
        st.caption(plain(words, longest=500))
        st.button(_("Work it out"), key=f"{slot}_again", on_click=forget)
