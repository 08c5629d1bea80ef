"""What the Zoning page asks of another process, and where the answer is kept. Nothing of Streamlit is imported here."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from geodata.cache import DiskCache, compute_cache_folder
from geodata.messages import msg
from geodata.study import Progress, compute_digest
from geodata.study_file import StudySpec
from planning.assignment_options import AssignmentOptions
from planning.run import RESULTS_VERSION, Limits, Outcome
from planning.scenario import Scenario
from ui.forecast_study import Viewed, build_viewed_study
from ui.rules_key import compute_rules_key

ANSWER_VERSION = 1
SOLVE_SHARE = 0.9


@dataclass(frozen=True)
class Ask:
    """What is asked: a rulebook, a scenario whose last stage is the one shown, and the effort."""

    rulebook: str
    scenario: Scenario
    limits: Limits

    @property
    def stage(self) -> str:
        """The stage that is shown."""
        return self.scenario.stages[-1]

    @property
    def task(self) -> str:
        """``"zoning"``, ``"capacity"`` or ``"choice"``."""
        return self.scenario.enrolment


@dataclass(frozen=True, eq=False)
class Answer:
    """The outcome, and what more places would be worth (``planning.place_values``; empty for a choice model)."""

    ask: Ask
    outcome: Outcome
    place_values: pd.DataFrame
    seconds: float


def compute_key(fingerprint: str, ask: Ask) -> str:
    """Return the name under which the answer of a study to a question is kept."""
    rules = compute_rules_key(ask.rulebook)
    return f"zoning-{compute_digest(ANSWER_VERSION, RESULTS_VERSION, fingerprint, rules, repr(ask))}"


def read_answer(key: str) -> Answer | None:
    """Return the answer kept under a key, or None."""
    found = DiskCache(compute_cache_folder()).load(key)
    return found if isinstance(found, Answer) else None


def answer_in_worker(
    *,
    spec: StudySpec,
    class_sizes: Mapping[str, float],
    name: str,
    ask: Ask,
    progress: Progress,
    with_values: bool = True,
    viewed: Viewed | None = None,
) -> None:
    """Answer a question and keep the answer in the disk cache under ``name``, where the app finds it.

    ``with_values``: also what more places would be worth. ``viewed``: whose pupils (None: today's).
    """
    from planning.rules import read_rulebook
    from planning.run import run_scenario

    began = time.monotonic()
    study = build_viewed_study(spec, class_sizes, viewed)
    rules = read_rulebook(ask.rulebook)
    outcome = run_scenario(
        study,
        rules,
        ask.scenario,
        limits=ask.limits,
        progress=lambda step, share: progress(step, SOLVE_SHARE * share),
    )
    place_values = outcome.place_values
    if ask.task == "zoning" and with_values:
        progress(msg("What more places would be worth"), SOLVE_SHARE)
        place_values = run_scenario(study, rules, build_value_scenario(ask)).place_values
    answer = Answer(ask, outcome, place_values, time.monotonic() - began)
    DiskCache(compute_cache_folder()).store(name, answer)


def build_value_scenario(ask: Ask) -> Scenario:
    """Return the question of what places are worth: pupils split among schools, the same rules, places priced."""
    rules: AssignmentOptions = dataclasses.replace(ask.scenario.assignment, overload="priced", whole_units=False)
    return dataclasses.replace(ask.scenario, stages=ask.scenario.stages[-1:], enrolment="capacity", assignment=rules)
