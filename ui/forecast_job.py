"""The work of the Forecast page in another process: a plan judged in every year and variant. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from geodata.cache import DiskCache, compute_cache_folder
from geodata.study import Progress, compute_digest
from geodata.study_file import StudySpec
from planning.forecast import ForecastOptions
from planning.robust import RobustAnswer
from planning.run import RESULTS_VERSION
from planning.scenario import Scenario
from ui.forecast_study import build_viewed_study

JOB_VERSION = 1


@dataclass(frozen=True)
class RobustAsk:
    """What is to be judged: a plan, in which years and variants, by which rulebook and forecast."""

    rulebook: str
    scenario: Scenario
    years: tuple[int, ...]
    variants: tuple[str, ...]
    options: ForecastOptions = field(default_factory=ForecastOptions)


def compute_robust_key(fingerprint: str, ask: RobustAsk) -> str:
    """Return the name under which the judgement is kept."""
    return f"robust-{compute_digest(JOB_VERSION, RESULTS_VERSION, fingerprint, repr(ask))}"


def read_robust(key: str) -> RobustAnswer | None:
    """Return the judgement kept under a key, or None."""
    found = DiskCache(compute_cache_folder()).load(key)
    return found if isinstance(found, RobustAnswer) else None


def judge_in_worker(
    *, spec: StudySpec, class_sizes: Mapping[str, float], name: str, ask: RobustAsk, progress: Progress
) -> None:
    """Judge a plan in every year and variant, and keep the judgement in the disk cache under ``name``."""
    from planning.robust import judge_cases
    from planning.rules import read_rulebook

    study = build_viewed_study(spec, class_sizes, None)
    answer = judge_cases(
        study,
        read_rulebook(ask.rulebook),
        ask.scenario,
        ask.years,
        ask.variants,
        options=ask.options,
        progress=progress,
    )
    DiskCache(compute_cache_folder()).store(name, answer)
