"""What the road file tells about itself: loose pieces, and extracts that end too near."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.network import build_network
from geodata.quality_facts import Facts
from geodata.quality_roads import check_road_extent, check_road_pieces
from geodata.road_classes import read_road_classes
from geodata.road_evidence import build_road_evidence
from geodata.road_layer import read_road_layer
from geodata.road_table import RoadTable
from geodata.schema import build_empty_table
from geodata.study_file import RoadsSource
from geodata.travel import compute_travel_matrix

CRS = "EPSG:32649"
X, Y = 500_000.0, 3_800_000.0


def build_facts(
    folder: Path, lines: list[list[tuple[float, float]]], classes: list[str], schools: list[tuple[float, float]]
) -> Facts:
    shapes = [shapely.LineString([(X + x, Y + y) for x, y in line]) for line in lines]
    path = folder / "roads.gpkg"
    gpd.GeoDataFrame({"highway": classes}, geometry=shapes, crs=CRS).to_file(path)
    table: RoadTable = read_road_layer(path, RoadsSource(path=path.name), CRS, read_road_classes())
    network = build_network(table, "walk")
    x, y = (np.array([place[side] for place in schools]) + (X, Y)[side] for side in (0, 1))
    ids = np.array([f"s{number}" for number in range(len(schools))], dtype=object)
    matrix = compute_travel_matrix(network, (ids, x, y), (ids, x, y), mode="walk")
    frame = gpd.GeoDataFrame(
        {"school_id": ids.astype(str), "name": ids.astype(str), "x_m": x, "y_m": y},
        geometry=gpd.points_from_xy(x, y),
        crs=CRS,
    )
    tables: Any = [build_empty_table(name, CRS) for name in ("places", "rolls", "units", "zones", "sites")]
    evidence = build_road_evidence(table, {"walk": network})
    networks, travel = {"walk": network}, {"walk": matrix}
    return Facts(frame, *tables, travel=travel, crs=CRS, networks=networks, roads=evidence)  # type: ignore[misc]


MAIN = [[(0.0, 0.0), (6000.0, 0.0)], [(3000.0, 0.0), (3000.0, 4000.0)]]


def test_a_school_at_a_loose_piece_is_a_warning(tmp_path: Path) -> None:
    loose = [(1000.0, 300.0), (1000.0, 800.0)]
    facts = build_facts(tmp_path, [*MAIN, loose], ["residential"] * 3, [(1000.0, 500.0), (2000.0, 10.0)])
    (issue,) = check_road_pieces(facts)
    assert (
        issue.severity == "warning"
        and "0.5 km" in str(issue.problem)
        and "Schools beside them: 1" in str(issue.problem)
    )
    assert issue.lon_deg == pytest.approx(111.0109, abs=1e-3) and issue.file == "roads.gpkg"


def test_a_long_loose_piece_that_nobody_needs_is_a_note(tmp_path: Path) -> None:
    far, small = [(0.0, 3000.0), (1500.0, 3000.0)], [(5000.0, 3000.0), (5300.0, 3000.0)]
    facts = build_facts(tmp_path, [*MAIN, far, small], ["residential"] * 4, [(2000.0, 10.0)])
    (issue,) = check_road_pieces(facts)
    assert issue.severity == "note" and "1.5 km" in str(issue.problem)


def test_one_piece_is_no_finding(tmp_path: Path) -> None:
    facts = build_facts(tmp_path, MAIN, ["residential"] * 2, [(2000.0, 10.0)])
    assert check_road_pieces(facts) == [] and check_road_extent(facts) == []


def test_through_roads_cut_near_schools(tmp_path: Path) -> None:
    facts = build_facts(tmp_path, MAIN, ["primary"] * 2, [(900.0, 10.0), (5000.0, 20.0), (3000.0, 3000.0)])
    (issue,) = check_road_extent(facts)
    assert "cuts 3 roads off within 2 km" in str(issue.problem) and "schools: 3" in str(issue.problem)
    # side streets end as they like
    assert check_road_extent(build_facts(tmp_path, MAIN, ["residential"] * 2, [(900.0, 10.0)])) == []


def test_schools_outside_the_road_file(tmp_path: Path) -> None:
    facts = build_facts(tmp_path, MAIN, ["residential"] * 2, [(2000.0, 10.0), (3000.0, 9000.0)])
    (issue,) = check_road_extent(facts)
    assert "1 schools and 0 units" in str(issue.problem) and issue.lat_deg == pytest.approx(34.41, abs=0.02)


def test_without_roads_there_is_nothing_to_check(tmp_path: Path) -> None:
    tables: Any = [build_empty_table(name, CRS) for name in ("schools", "places", "rolls", "units", "zones", "sites")]
    facts = Facts(*tables, crs=CRS)  # type: ignore[misc]
    assert check_road_pieces(facts) == check_road_extent(facts) == []
