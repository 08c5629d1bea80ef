"""What the Closures page asks of another process: the ranking of a large county, and all pairs of closures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from geodata.cache import DiskCache, compute_cache_folder
from geodata.errors import ScenarioError
from geodata.messages import Message, msg
from geodata.study import Progress, Stage, compute_digest
from geodata.study_file import StudySpec
from planning.scenario import Scenario
from ui.forecast_study import Viewed, ask_viewed, build_viewed_study
from ui.rules_key import compute_rules_key

JOB_VERSION = 1
BUILD_SHARE, SINGLES_SHARE = 0.15, 0.35


@dataclass(frozen=True)
class RankAsk:
    """What is to be ranked: every school alone, or all pairs of ``school_ids`` (None: of all schools)."""

    rulebook: str
    scenario: Scenario
    stage: Stage
    pairs: bool = False
    school_ids: tuple[str, ...] | None = None


def compute_rank_key(fingerprint: str, ask: RankAsk) -> str:
    """Return the name under which a ranking is kept."""
    return f"ranking-{compute_digest(JOB_VERSION, fingerprint, compute_rules_key(ask.rulebook), repr(ask))}"


def read_ranking(key: str) -> pd.DataFrame | None:
    """Return the ranking kept under a key, or None."""
    found = DiskCache(compute_cache_folder()).load(key)
    return found if isinstance(found, pd.DataFrame) else None


def rank_in_worker(
    *,
    spec: StudySpec,
    class_sizes: Mapping[str, float],
    name: str,
    ask: RankAsk,
    progress: Progress,
    viewed: Viewed | None = None,
) -> None:
    """Rank closures and keep the table in the disk cache under ``name``, where the app finds it.

    ``viewed``: whose pupils (None: today's).
    """
    from planning.closure_ranking import rank_closures, rank_pairs
    from planning.projected_study import project_for
    from planning.rules import read_rulebook
    from planning.what_if import WhatIf, build_what_if

    progress(msg("Solving the base"), 0.0)
    study = build_viewed_study(spec, class_sizes, viewed)
    study = study if study.view else project_for(study, ask.scenario)
    what_if = build_what_if(study, read_rulebook(ask.rulebook), ask_viewed(study, ask.scenario), ask.stage)
    if not isinstance(what_if, WhatIf):
        raise ScenarioError(str(what_if.message))
    end = SINGLES_SHARE if ask.pairs else 1.0
    table = rank_closures(what_if, progress=_spread(progress, BUILD_SHARE, end))
    if ask.pairs:
        table = rank_pairs(what_if, table, school_ids=ask.school_ids, progress=_spread(progress, SINGLES_SHARE, 1.0))
    DiskCache(compute_cache_folder()).store(name, table)


def _spread(progress: Progress, start: float, end: float) -> Progress:
    def inner(step: Message, share: float) -> None:
        progress(step, start + (end - start) * share)

    return inner
