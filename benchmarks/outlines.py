"""Outlines of zones from 50,000 cells, dissolved and simplified, against geopandas' default dissolve and topojson.

The same cells (Voronoi cells of random points) and the same zones (nearest of as many random schools) on all sides.
What counts is the answer: outlines that share their borders. So beside the seconds stands how many zones lie on each
other, and how much land opens between them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.outlines import build_zone_outlines
from geodata.shapes import Shapes
from geodata.simplify import simplify_coverage
from geodata.tessellate import build_voronoi_cells

CELLS = 50_000
ZONES = (100, 300)
TOLERANCE_M = 50.0
CELL_M = 100.0
REPEATS = 3


def build_cells(cells: int, *, seed: int = 1) -> gpd.GeoDataFrame:
    """Return cells of about a hectare as units."""
    side_m = CELL_M * np.sqrt(cells)
    x_m, y_m = np.random.default_rng(seed).uniform(0, side_m, (2, cells))
    ids = [f"u{number:06d}" for number in range(cells)]
    return gpd.GeoDataFrame(
        {"unit_id": ids, "kind": "cell", "x_m": x_m, "y_m": y_m}, geometry=build_voronoi_cells(x_m, y_m)
    )


def draw_zones(units: gpd.GeoDataFrame, schools: int, *, seed: int = 2) -> pd.DataFrame:
    """Return each unit's nearest of random schools as its zone."""
    from scipy.spatial import cKDTree

    demand = units[["x_m", "y_m"]].to_numpy()
    seats = np.random.default_rng(seed).uniform(demand.min(), demand.max(), (schools, 2))
    near = cKDTree(seats).query(demand)[1]
    return pd.DataFrame({"unit_id": units["unit_id"], "stage": "primary", "school_id": [f"S{key:03d}" for key in near]})


def simplify_by_topojson(zones: gpd.GeoDataFrame) -> Shapes:
    """Return outlines simplified by topojson with Douglas and Peucker, to the same tolerance."""
    from topojson.core.topology import Topology

    topology = Topology(zones, prequantize=False, toposimplify=TOLERANCE_M)
    simple: Shapes = np.asarray(topology.to_gdf().geometry)
    return simple


def measure(name: str, work: Callable[[], Shapes], peer_s: float | None) -> tuple[float, Shapes]:
    """Run the work a few times and print a line: least CPU seconds, ratio to the peer, how good the answer is."""
    seconds = []
    for _ in range(REPEATS):
        began = time.process_time()
        shapes = work()
        seconds.append(time.process_time() - began)
    least = min(seconds)
    ratio = "1x" if peer_s is None else f"{peer_s / least:.1f}x"
    overlap_m2 = float(shapely.area(shapes).sum() - shapely.union_all(shapes).area)
    holes = sum(len(part.interiors) for part in shapely.get_parts(shapely.union_all(shapes)))
    valid = bool(shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes))
    vertices = int(shapely.get_num_coordinates(shapes).sum())
    print(
        f"| {name} | {least:.2f} | {ratio} | {vertices:,} | {'yes' if valid else 'no'} | {overlap_m2:,.0f} | {holes} |",
        flush=True,
    )
    return least, shapes


def compare(units: gpd.GeoDataFrame, schools: int) -> None:
    """Print one table: dissolving, then simplifying, ours and the peers'."""
    zones = draw_zones(units, schools)
    by_school = units.assign(school_id=zones["school_id"].to_numpy())[["school_id", "geometry"]]

    def outline(tolerance_m: float) -> Shapes:
        found = build_zone_outlines(units, zones, scattered=False, tolerance_m=tolerance_m)
        return np.asarray(found.geometry)

    def dissolve(method: str) -> Shapes:
        return np.asarray(by_school.dissolve("school_id", method=method).geometry)

    print(f"\n{len(units):,} cells, {schools} zones, tolerance {TOLERANCE_M:.0f} m\n")
    print("| way | CPU s | against the peer | vertices | valid coverage | overlap m² | gaps |")
    print("|---|---|---|---|---|---|---|")
    dissolved_s, _ = measure("geopandas dissolve, default", lambda: dissolve("unary"), None)
    measure("geopandas dissolve, coverage (no check of the data)", lambda: dissolve("coverage"), dissolved_s)
    _, shapes = measure("ours: cleaned and dissolved", lambda: outline(0.0), dissolved_s)
    table = gpd.GeoDataFrame(geometry=shapes)
    peer_s, _ = measure("topojson, simplify", lambda: simplify_by_topojson(table), None)
    measure("each zone by itself, simplify", lambda: shapely.simplify(shapes, TOLERANCE_M), peer_s)
    measure("coverage_simplify alone", lambda: shapely.coverage_simplify(shapes, TOLERANCE_M), peer_s)
    measure("ours: simplify", lambda: simplify_coverage(shapes, TOLERANCE_M), peer_s)
    print(f"| geopandas dissolve, default, and topojson | {dissolved_s + peer_s:.2f} | 1x | | | | |")
    measure("ours: cleaned, dissolved and simplified", lambda: outline(TOLERANCE_M), dissolved_s + peer_s)


def main(cells: int = CELLS) -> None:
    """Print the tables."""
    units = build_cells(cells)
    for schools in ZONES:
        compare(units, schools)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS)
    main(parser.parse_args().cells)
