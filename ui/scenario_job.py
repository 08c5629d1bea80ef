"""The work on a whole scenario that the app sends to another process. Nothing of Streamlit is imported here."""

from __future__ import annotations

from collections.abc import Mapping

from geodata.cache import DiskCache, compute_cache_folder
from geodata.study import Progress, compute_digest
from geodata.study_file import StudySpec
from planning.run import RESULTS_VERSION, Outcome
from planning.scenario import Scenario
from ui.forecast_study import Viewed, ask_viewed, build_viewed_study
from ui.rules_key import compute_rules_key

KEPT_VERSION = 1


def compute_outcome_key(fingerprint: str, scenario: Scenario, rulebook: str = "cn") -> str:
    """Return the name under which the outcome of a scenario is kept."""
    rules = compute_rules_key(rulebook)
    return f"outcome-{compute_digest(KEPT_VERSION, RESULTS_VERSION, fingerprint, rules, repr(scenario))}"


def read_kept(key: str) -> Outcome | None:
    """Return the outcome kept on disk under a key, or None."""
    found = DiskCache(compute_cache_folder()).load(key)
    return found if isinstance(found, Outcome) else None


def run_in_worker(
    *,
    spec: StudySpec,
    class_sizes: Mapping[str, float],
    name: str,
    scenario: Scenario,
    rulebook: str,
    progress: Progress,
    viewed: Viewed | None = None,
) -> None:
    """Answer a scenario and keep the outcome in the disk cache under ``name``, where the app finds it.

    ``viewed``: whose pupils (None: today's).
    """
    from planning.rules import read_rulebook
    from planning.run import run_scenario

    study = build_viewed_study(spec, class_sizes, viewed)
    outcome = run_scenario(study, read_rulebook(rulebook), ask_viewed(study, scenario), progress=progress)
    DiskCache(compute_cache_folder()).store(name, outcome)
