"""New sites for a proposal: looked for where the plan's own years lack places."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from planning import found_sites
from tests.planning.action_worlds import build_street
from tests.planning.siting_worlds import CN, build_options


def test_sites_are_looked_for_in_the_year_with_most_pupils(monkeypatch: pytest.MonkeyPatch) -> None:
    """Middle variant: 100 pupils in 2027, 130 in 2030 and 120 in 2033, which is not asked about; 110 today."""
    pupils = np.zeros((3, 3, 1, 2))
    pupils[1, :, 0, :] = [[60, 40], [90, 40], [80, 40]]
    held = SimpleNamespace(stages=("primary",), years=(2027, 2030, 2033), unit_pupils=pupils)
    monkeypatch.setattr(found_sites, "build_forecast", lambda study, options: held)
    monkeypatch.setattr(found_sites, "project_study", lambda study, forecast, year, variant: f"{year} {variant}")
    seen: list[Any] = []
    monkeypatch.setattr(found_sites, "find_candidates", lambda study, **asked: seen.append(study))
    monkeypatch.setattr(found_sites, "add_candidates", lambda study, candidates: study)
    today = build_street()
    for years, variant in (((2027, 2030), "middle"), ((2025, 2027), "middle"), ((2027,), "middle"), ((2027,), "")):
        study, _ = found_sites.add_found_sites(today, CN, build_options(years=years, variant=variant), 3)
        assert study is today  # the proposal itself makes its years from today's study
    assert seen == ["2030 middle", today, "2027 middle", today]
