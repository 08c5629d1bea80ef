"""Answering a scenario: planning.run against plain pandas (nearest school by ``idxmin``, sums by ``groupby``).

The peer computes only who goes where and the load of each school; ours also weighs travel, flags and indicators. So
two ratios are printed: enrolment alone against the same work of the peer, and the whole answer against it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.study import Adjacency, Basemap, StudyArea, TravelMatrix
from planning.assignment import enrol_nearest
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.tables import build_stage_schools, build_ways

SIZES = ((1_000, 60), (5_000, 150), (20_000, 300))
REPEATS = 3
SIDE_M = 30_000.0


def build_study(units: int, schools: int, *, seed: int = 2026) -> StudyArea:
    """Return a made-up county of points on a square, straight-line travel, 15 towns, about five pupils a unit."""
    generator = np.random.default_rng(seed)
    unit_x, unit_y = generator.uniform(0, SIDE_M, (2, units))
    school_x, school_y = generator.uniform(0, SIDE_M, (2, schools))
    length_m = (np.hypot(unit_x[:, None] - school_x, unit_y[:, None] - school_y) * 1.3).astype(np.float32)
    unit_ids = [f"u{number:06d}" for number in range(units)]
    school_ids = [f"s{number:05d}" for number in range(schools)]
    towns = np.array([f"town {number}" for number in range(15)])
    settings = np.array(["urban", "town", "rural"])

    def place(count: int) -> dict[str, Any]:
        return {"setting": generator.choice(settings, count), "town": generator.choice(towns, count)}

    school_table = {"school_id": school_ids, "name": school_ids, "kind": "primary", "ownership": "public"}
    unit_table = {"unit_id": unit_ids, "name": unit_ids, "primary_pupils": generator.poisson(5, units).astype(float)}
    per_school = pd.DataFrame({"school_id": school_ids, "stage": "primary", "classes": 12.0})
    capacity = generator.uniform(200, 900, schools).round()
    pupils = generator.uniform(50, 1200, schools).round()
    nothing = gpd.GeoDataFrame({"name": []}, geometry=[])
    return StudyArea(
        name="benchmark",
        crs="local",
        schools=gpd.GeoDataFrame({**school_table, **place(schools)}, geometry=gpd.points_from_xy(school_x, school_y)),
        places=per_school.assign(capacity_places=capacity, capacity_source="given"),
        rolls=per_school.assign(year=2025, grade=0, pupils=pupils),
        units=gpd.GeoDataFrame({**unit_table, **place(units)}, geometry=gpd.points_from_xy(unit_x, unit_y)),
        zones=pd.DataFrame(columns=["unit_id", "stage", "school_id"], dtype=str),
        sites=nothing,
        travel={
            "walk": TravelMatrix(
                mode="walk",
                unit_ids=tuple(unit_ids),
                destination_ids=tuple(school_ids),
                time_min=length_m / np.float32(75.0),
                length_m=length_m,
                unit_snap_m=np.zeros(units, dtype=np.float32),
                destination_snap_m=np.zeros(schools, dtype=np.float32),
                method="straight line",
            )
        },
        adjacency=Adjacency((), (), np.zeros(0)),
        basemap=Basemap(nothing, nothing),
        synthetic=True,
        fingerprint=f"benchmark-{units}-{schools}-{seed}",
    )


def answer_with_pandas(study: StudyArea) -> pd.Series:
    """Return pupils by nearest school, the plain way."""
    matrix = pd.DataFrame(
        study.travel["walk"].time_min, index=study.units["unit_id"], columns=study.schools["school_id"]
    )
    pupils = study.units.set_index("unit_id")["primary_pupils"]
    loads: pd.Series = pupils.groupby(matrix.idxmin(axis=1)).sum()
    return loads


def measure_s(work: Callable[[], object]) -> float:
    """Return the shortest of a few runs, in seconds."""
    spans = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        spans.append(time.perf_counter() - start)
    return min(spans)


def main() -> None:
    """Print the table."""
    rules, scenario = read_rulebook("cn"), Scenario()
    print("| units × schools | pandas s | enrolment s | ratio | whole answer s | ratio | flags |")
    print("|---|---|---|---|---|---|---|")
    for units, schools in SIZES:
        study = build_study(units, schools)
        ways = build_ways(study, scenario, build_stage_schools(study, "primary", None))
        peer = measure_s(lambda study=study: answer_with_pandas(study))  # type: ignore[misc]
        enrolment = measure_s(lambda ways=ways: enrol_nearest(ways))  # type: ignore[misc]
        whole = measure_s(lambda study=study: run_scenario(study, rules, scenario))  # type: ignore[misc]
        outcome = run_scenario(study, rules, scenario)
        loads = outcome.require_plan().pupils_by_school("primary")
        assert np.allclose(loads, answer_with_pandas(study).reindex(loads.index)), "the peer disagrees"
        print(
            f"| {units:,} × {schools} | {peer:.3f} | {enrolment:.3f} | {enrolment / peer:.1f} | {whole:.3f}"
            f" | {whole / peer:.1f} | {len(outcome.flags):,} |"
        )


if __name__ == "__main__":
    main()
