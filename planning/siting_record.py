"""What it takes to ask for a proposal again."""

from __future__ import annotations

import dataclasses
from typing import Any

from geodata.study import StudyArea
from planning.rules import Rules
from planning.run_record import RESULTS_VERSION, read_versions
from planning.scenario import Scenario
from planning.scenario_rows import action_as_dict
from planning.siting_options import SitingOptions

SITING_VERSION = 2
"""Rises when the same question gets other plans."""


def build_siting_record(
    study: StudyArea, rules: Rules, scenario: Scenario, options: SitingOptions, started: str
) -> dict[str, Any]:
    """Return plain data, ready for JSON; ``study`` is the one without actions."""
    return {
        "results_version": RESULTS_VERSION,
        "siting_version": SITING_VERSION,
        "study": study.name,
        "study_fingerprint": study.fingerprint,
        "synthetic": study.synthetic,
        "view": study.view,
        "rulebook": rules.name,
        "rulebook_version": rules.version,
        "rulebook_fingerprint": rules.fingerprint,
        "base": scenario.name,
        "base_actions": [action_as_dict(action) for action in scenario.all_actions],
        "options": _plain(dataclasses.asdict(options)),
        "versions": read_versions(),
        "started": started,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
