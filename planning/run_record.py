"""What it takes to run a scenario again: the record that stands in every outcome."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import numpy as np

from geodata.study import StudyArea
from planning.enrolment import Limits
from planning.plan import Plan
from planning.projected_study import FORECAST_ROLE
from planning.rules import Rules
from planning.scenario import Scenario
from planning.scenario_rows import action_as_dict
from planning.tables import choose_year

RESULTS_VERSION = 1
"""Rises when the same input gives other numbers; printed in every exported document."""

LIBRARIES = ("numpy", "pandas", "geopandas", "shapely", "pyproj", "scipy", "numba", "highspy", "scikit-learn")


@dataclass(frozen=True)
class RunRecord:
    """What it takes to run the same again. ``started`` is given by the caller; planning never asks the clock.

    ``forecast``: view ("2030 middle"), its fingerprint, and the fingerprint of the study of today from which it was
    made (``study_fingerprint`` is that of the projected one). Empty: today's children and rolls.
    """

    results_version: int
    study: str
    study_fingerprint: str
    synthetic: bool
    rulebook: str
    rulebook_version: str
    rulebook_fingerprint: str
    scenario: Mapping[str, Any]
    limits: Mapping[str, Any]
    roll_years: Mapping[str, int | None]
    travel: Mapping[str, Any]
    sources: tuple[Mapping[str, str], ...]
    versions: Mapping[str, str]
    plan_fingerprint: str = ""
    started: str | None = None
    forecast: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {item.name: _plain(getattr(self, item.name)) for item in dataclasses.fields(self)}


def build_record(
    study: StudyArea, rules: Rules, scenario: Scenario, limits: Limits, plan: Plan | None, started: str | None
) -> RunRecord:
    """Return the record of a run; ``study`` is the one without actions."""
    travel = study.travel.get(scenario.mode)
    settings = dataclasses.asdict(dataclasses.replace(scenario, actions=(), inherited=()))
    listed = {name: [action_as_dict(action) for action in getattr(scenario, name)] for name in ("actions", "inherited")}
    return RunRecord(
        results_version=RESULTS_VERSION,
        study=study.name,
        study_fingerprint=study.fingerprint,
        synthetic=study.synthetic,
        rulebook=rules.name,
        rulebook_version=rules.version,
        rulebook_fingerprint=rules.fingerprint,
        scenario={**settings, **listed},
        limits=dataclasses.asdict(limits),
        roll_years={stage: choose_year(study.rolls, stage, scenario.year) for stage in scenario.stages},
        travel={}
        if travel is None
        else {
            "mode": travel.mode,
            "method": travel.method,
            "detour_factor": travel.detour_factor,
            "cutoff_min": travel.cutoff_min if np.isfinite(travel.cutoff_min) else None,
        },
        sources=tuple(dataclasses.asdict(source) for source in study.sources),
        versions=read_versions(),
        plan_fingerprint="" if plan is None else plan.fingerprint,
        started=started,
        forecast=_describe_view(study),
    )


def _describe_view(study: StudyArea) -> dict[str, str]:
    """Return which forecast the children and rolls of a study are of."""
    if not study.view:
        return {}
    source = next((item for item in study.sources if item.role == FORECAST_ROLE and item.path == study.view), None)
    if source is None:
        return {"view": study.view}
    return {"view": study.view, "fingerprint": source.digest, "study_fingerprint": source.note}


def read_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that numbers depend on."""
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            versions[library] = "not installed"
    return versions


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
