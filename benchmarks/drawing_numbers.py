"""The numbers of drawn zones after a move, against asking the whole question again with ``run_scenario``.

A made-up county: a grid of units with 1 to 20 pupils, schools at random, straight ways. The drawing is that of the
nearest schools with a hundred units given to a neighbour. The peer answers the same question in the same run:
``run_scenario`` with the drawing as catchments, which is how numbers were had before. Both must agree on the mean way.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.study import Adjacency, Basemap, StudyArea, TravelMatrix
from planning.conflicts import Conflict
from planning.drawing import DrawingTable, build_drawing_table, list_drawn
from planning.drawing_numbers import measure_drawing
from planning.reasons import explain_unit, list_reasons
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.zone_troubles import list_troubles

SIZES = ((50, 100, 100), (150, 200, 300))
"""Rows, columns and schools: 5,000 units with 100 zones, 30,000 with 300."""
TARGETS_MS = {5_000: 20.0, 30_000: 120.0}
CELL_M = 200.0
M_PER_MIN = 80.0
REPEATS = 7


def build_county(rows: int, columns: int, schools: int, *, seed: int = 1) -> StudyArea:
    """Return a county on a grid; every place of the travel matrix is known."""
    generator = np.random.default_rng(seed)
    count = rows * columns
    row, column = np.divmod(np.arange(count), columns)
    x_m, y_m = column * CELL_M, row * CELL_M
    seats = np.sort(generator.choice(count, schools, replace=False))
    unit_ids = [f"{at:06d}" for at in range(count)]
    school_ids = [f"S{at:04d}" for at in range(schools)]
    pupils = generator.integers(1, 21, count).astype(float)
    length_m = np.hypot(x_m[:, None] - x_m[seats], y_m[:, None] - y_m[seats]).astype(np.float32)
    cells = np.arange(count).reshape(rows, columns)
    first = np.concatenate([cells[:, :-1].ravel(), cells[:-1].ravel()])
    second = np.concatenate([cells[:, 1:].ravel(), cells[1:].ravel()])
    about = {"setting": "", "town": "", "name": "", "kind": "village"}
    return StudyArea(
        name="made up",
        crs="local",
        schools=gpd.GeoDataFrame(
            {"school_id": school_ids, "name": school_ids, "kind": "primary", "setting": "", "town": ""}
            | {"ownership": "public", "x_m": x_m[seats], "y_m": y_m[seats]}
            | {"unit_id": [unit_ids[at] for at in seats]},
            geometry=gpd.points_from_xy(x_m[seats], y_m[seats]),
        ),
        places=pd.DataFrame(
            {"school_id": school_ids, "stage": "primary", "capacity_places": np.ceil(pupils.sum() * 1.05 / schools)}
            | {"classes": np.nan, "capacity_source": "given"}
        ),
        rolls=pd.DataFrame(columns=["school_id", "year", "stage", "grade", "pupils", "classes"]),
        units=gpd.GeoDataFrame(
            {"unit_id": unit_ids, **about, "x_m": x_m, "y_m": y_m, "primary_pupils": pupils}
            | {"area_m2": CELL_M**2, "perimeter_m": 4 * CELL_M},
            geometry=gpd.points_from_xy(x_m, y_m),
        ),
        zones=pd.DataFrame(columns=["unit_id", "stage", "school_id"], dtype=str),
        sites=gpd.GeoDataFrame({"site_id": []}, geometry=[]),
        travel={"walk": _build_travel(unit_ids, school_ids, length_m)},
        adjacency=Adjacency(
            tuple(unit_ids[at] for at in first), tuple(unit_ids[at] for at in second), np.full(len(first), CELL_M)
        ),
        basemap=Basemap(gpd.GeoDataFrame(geometry=[]), gpd.GeoDataFrame(geometry=[])),
        synthetic=True,
        fingerprint=f"grid {rows} {columns} {schools} {seed}",
    )


def _build_travel(unit_ids: list[str], school_ids: list[str], length_m: np.ndarray) -> TravelMatrix:
    return TravelMatrix(
        mode="walk",
        unit_ids=tuple(unit_ids),
        destination_ids=tuple(school_ids),
        time_min=(length_m / M_PER_MIN).astype(np.float32),
        length_m=length_m,
        unit_snap_m=np.zeros(len(unit_ids), dtype=np.float32),
        destination_snap_m=np.zeros(len(school_ids), dtype=np.float32),
        method="straight",
    )


def give_away(table: DrawingTable, count: int, *, seed: int = 1) -> np.ndarray:
    """Return the nearest schools, with some units given to the zone of a neighbour."""
    generator = np.random.default_rng(seed)
    zone = table.nearest.copy()
    for unit in generator.permutation(table.n_units)[:count]:
        others = table.neighbour[table.start[unit] : table.start[unit + 1]]
        zone[unit] = zone[generator.choice(others)]
    zone[table.seat] = np.arange(table.n_own)
    return zone


def _time_ms(ask: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the median of several runs, in milliseconds; the first, which may compile, is not counted."""
    ask()
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return float(np.median(taken))


def measure(rows: int, columns: int, schools: int) -> None:
    """Print one size."""
    rules, scenario = read_rulebook("cn"), Scenario(enrolment="zones")
    study = build_county(rows, columns, schools)
    began = time.perf_counter()
    table = build_drawing_table(study, rules, scenario, "primary")
    if isinstance(table, Conflict):
        raise RuntimeError(str(table.message))
    ready_s = time.perf_counter() - began
    zone = give_away(table, 100)
    numbers = measure_drawing(table, zone)
    drawn = replace(study, zones=list_drawn(table, zone))
    ours_ms = _time_ms(lambda: measure_drawing(table, zone))
    peer_ms = _time_ms(lambda: run_scenario(drawn, rules, scenario), repeats=1)
    outcome = run_scenario(drawn, rules, scenario)
    gap = abs(outcome.indicator("mean_travel_min") - numbers.mean_travel_min_total)
    if gap > 1e-3:
        raise RuntimeError(f"the two do not agree: {gap} min")
    reasons_ms = _time_ms(lambda: list_reasons(table, zone), repeats=3)
    troubles_ms = _time_ms(lambda: list_troubles(table, zone), repeats=3)
    away = np.flatnonzero(list_reasons(table, zone)["kind"].isin(["full", "free", "apart", "cuts"]))[:20]
    one_ms = [_time_ms(lambda unit=int(unit): explain_unit(table, zone, unit), repeats=1) for unit in away]  # type: ignore[misc]
    units = rows * columns
    print(f"\n{units:,} units, {schools} zones; made ready in {ready_s:.1f} s; {len(numbers.broken)} rules broken")
    print(f"numbers after a move      {ours_ms:8.1f} ms   target {TARGETS_MS.get(units, float('nan')):.0f} ms")
    print(f"run_scenario, catchments  {peer_ms:8.1f} ms   ratio {peer_ms / ours_ms:,.0f}")
    print(f"reasons of all units      {reasons_ms:8.1f} ms")
    print(f"troubles                  {troubles_ms:8.1f} ms")
    print(f"reason of one unit        {np.mean(one_ms):8.1f} ms   longest {np.max(one_ms):.1f} ms")


def main(arguments: list[str] | None = None) -> None:
    """Measure both sizes, or the first one only."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="5,000 units only")
    asked = parser.parse_args(arguments)
    for size in SIZES[:1] if asked.small else SIZES:
        measure(*size)


if __name__ == "__main__":
    main()
