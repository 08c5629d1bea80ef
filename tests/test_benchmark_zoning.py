"""The benchmark of zoning on a published instance: every figure it prints can be counted from the plan it writes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.zoning import main, read_instance
from tests.planning.solvers.grid_problems import is_connected

PUBLISHED = 1536.52624839
"""Of zys_17b; see optima_cplex.csv of the case."""


@pytest.mark.real
def test_figures_follow_from_the_plan(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = cases / "henan_kong" / "sap"
    files = [str(folder / "zys_17b.txt"), str(folder / "zys_connectivity.txt")]
    out = tmp_path / "plan.csv"
    main([*files, "--time-limit", "6", "--seed", "1", "--json", "--out", str(out)])
    found = json.loads(capsys.readouterr().out)
    instance = read_instance(Path(files[0]), Path(files[1]))
    problem = instance.problem
    with out.open(encoding="utf-8") as file:
        plan = {row["unit"]: row["school"] for row in csv.DictReader(file)}
    school = np.array([instance.school_ids.index(plan[unit]) for unit in instance.unit_ids])
    loads = np.bincount(school, weights=problem.pupils, minlength=problem.n_schools)
    assert found["objective"] == pytest.approx(problem.cost[np.arange(len(school)), school].sum())
    assert found["overload"] == pytest.approx(np.maximum(loads - problem.places, 0).sum()) == 0
    assert found["connected"] and is_connected(problem, school)
    assert 0.95 * PUBLISHED <= found["bound"] <= PUBLISHED + 1e-4
    assert PUBLISHED - 1e-4 <= found["objective"] <= 1.05 * PUBLISHED
    assert found["gap"] == pytest.approx(1 - found["bound"] / found["objective"])
    assert found["seconds"] > 0
