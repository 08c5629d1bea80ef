"""The work of the Sites page in another process: places for new schools found, plans proposed. No Streamlit here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geodata.cache import DiskCache, compute_cache_folder
from geodata.messages import Message, msg
from geodata.site_search import Candidates
from geodata.study import Mode, Progress, Stage, StudyArea, compute_digest
from geodata.study_file import StudySpec
from planning.run import RESULTS_VERSION
from planning.scenario import AskedVariant, Scenario
from planning.siting_answer import SitingAnswer
from planning.siting_options import SitingOptions
from planning.siting_record import SITING_VERSION
from ui.forecast_study import Viewed, build_viewed_study
from ui.rules_key import compute_rules_key

if TYPE_CHECKING:
    from planning.rules import Rules

JOB_VERSION = 1
BUILT_SHARE, FOUND_SHARE = 0.03, 0.1


@dataclass(frozen=True)
class FindAsk:
    """Where new schools could stand: for which stage and way, how far at most, how many places.

    ``years`` and ``variant`` are those of the plan: its fullest year is searched, not today's pupils.
    """

    rulebook: str
    stage: Stage
    mode: Mode
    max_travel_min: float
    count: int
    seed: int = 0
    years: tuple[int, ...] = ()
    variant: AskedVariant = ""


@dataclass(frozen=True)
class SitesAsk:
    """What is proposed: a rulebook, the options, the base, and the search whose places are used (None: none)."""

    rulebook: str
    options: SitingOptions
    base: Scenario = field(default_factory=Scenario)
    find: FindAsk | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """The places that a search found."""

    ask: FindAsk
    candidates: Candidates
    seconds: float


@dataclass(frozen=True, eq=False)
class SitesAnswer:
    """Plans, or why there are none; ``seconds`` with everything around the search."""

    ask: SitesAsk
    answer: SitingAnswer
    seconds: float


def compute_find_key(fingerprint: str, ask: FindAsk) -> str:
    """Return the name under which the places found are kept."""
    rules = compute_rules_key(ask.rulebook)
    return f"places-{compute_digest(JOB_VERSION, RESULTS_VERSION, SITING_VERSION, fingerprint, rules, repr(ask))}"


def compute_sites_key(fingerprint: str, ask: SitesAsk) -> str:
    """Return the name under which the answer is kept."""
    rules = compute_rules_key(ask.rulebook)
    return f"sites-{compute_digest(JOB_VERSION, RESULTS_VERSION, SITING_VERSION, fingerprint, rules, repr(ask))}"


def read_found(key: str) -> Found | None:
    """Return the places kept under a key, or None."""
    found = DiskCache(compute_cache_folder()).load(key) if key else None
    return found if isinstance(found, Found) else None


def read_sites_answer(key: str) -> SitesAnswer | None:
    """Return the answer kept under a key, or None."""
    found = DiskCache(compute_cache_folder()).load(key) if key else None
    return found if isinstance(found, SitesAnswer) else None


def find_in_worker(
    *, spec: StudySpec, class_sizes: Mapping[str, float], name: str, ask: FindAsk, progress: Progress
) -> None:
    """Find places for new schools and keep them in the disk cache under ``name``."""
    progress(msg("Reading the county"), 0.0)
    study = build_viewed_study(spec, class_sizes, None)
    found = _find(study, _read_rules(ask.rulebook), ask, _spread(progress, BUILT_SHARE, 1.0))
    DiskCache(compute_cache_folder()).store(name, found)


def propose_in_worker(
    *,
    spec: StudySpec,
    class_sizes: Mapping[str, float],
    name: str,
    ask: SitesAsk,
    progress: Progress,
    viewed: Viewed | None = None,
) -> None:
    """Propose plans and keep the answer in the disk cache under ``name``, where the app finds it.

    ``viewed``: whose pupils (None: today's, and those of the years that the options name).
    """
    from planning.projected_study import project_for
    from planning.site_rules import add_candidates
    from planning.siting import propose_sites

    began = time.monotonic()
    progress(msg("Reading the county"), 0.0)
    study = build_viewed_study(spec, class_sizes, viewed)
    study = study if study.view else project_for(study, ask.base)
    rules = _read_rules(ask.rulebook)
    start = BUILT_SHARE
    if ask.find is not None:
        key = compute_find_key(study.fingerprint, ask.find)
        found = read_found(key)
        if found is None:
            found = _find(study, rules, ask.find, _spread(progress, BUILT_SHARE, FOUND_SHARE))
            DiskCache(compute_cache_folder()).store(key, found)
        study, start = add_candidates(study, found.candidates), FOUND_SHARE
    answer = propose_sites(study, rules, ask.base, ask.options, progress=_spread(progress, start, 1.0))
    DiskCache(compute_cache_folder()).store(name, SitesAnswer(ask, answer, time.monotonic() - began))


def _read_rules(rulebook: str) -> Rules:
    from planning.rules import read_rulebook

    return read_rulebook(rulebook)


def _find(study: StudyArea, rules: Rules, ask: FindAsk, progress: Progress) -> Found:
    from geodata.site_search import find_candidates
    from planning.found_sites import project_fullest
    from planning.site_rules import build_clear_distances

    began = time.monotonic()
    planned = SitingOptions(stage=ask.stage, mode=ask.mode, years=ask.years, variant=ask.variant)
    candidates = find_candidates(
        project_fullest(study, planned),
        stage=ask.stage,
        mode=ask.mode,
        max_travel_min=ask.max_travel_min,
        count=ask.count,
        clear=build_clear_distances(rules, stage=ask.stage),
        seed=ask.seed,
        progress=progress,
    )
    return Found(ask, candidates, time.monotonic() - began)


def _spread(progress: Progress, start: float, end: float) -> Progress:
    def inner(step: Message, share: float) -> None:
        progress(step, start + (end - start) * min(max(share, 0.0), 1.0))

    return inner
