"""Neighbours and their shared border, on drawings whose answer can be counted."""

import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from geodata.adjacency import compute_adjacency, find_land
from geodata.build import read_study
from geodata.study import Adjacency
from geodata.tessellate import build_voronoi_cells


def _units(shapes: list[shapely.Geometry], kind: str = "village") -> gpd.GeoDataFrame:
    inner = [shape.representative_point() for shape in shapes]
    return gpd.GeoDataFrame(
        {
            "unit_id": [f"u{position}" for position in range(len(shapes))],
            "kind": kind,
            "x_m": [point.x for point in inner],
            "y_m": [point.y for point in inner],
        },
        geometry=shapes,
    )


def _borders(found: Adjacency) -> dict[tuple[str, str], float]:
    return dict(zip(zip(found.first_ids, found.second_ids, strict=True), np.round(found.border_m, 3), strict=True))


def test_a_square_of_four_touches_along_sides_not_corners() -> None:
    # u2 u3
    # u0 u1   sides of 100 m
    units = _units([shapely.box(x, y, x + 100, y + 100) for y in (0, 100) for x in (0, 100)])
    found = compute_adjacency(units)
    assert _borders(found) == {("u0", "u1"): 100, ("u0", "u2"): 100, ("u1", "u3"): 100, ("u2", "u3"): 100}
    assert found.island_ids == ()
    corners = _borders(compute_adjacency(units, corners=True))
    assert len(corners) == 6
    assert corners["u0", "u3"] == 0


def test_a_vertex_on_one_side_only() -> None:
    # u0 is 200 m high; u1 and u2 stand beside it, 120 m and 80 m high.
    units = _units([shapely.box(0, 0, 50, 200), shapely.box(50, 0, 90, 120), shapely.box(50, 120, 90, 200)])
    assert _borders(compute_adjacency(units)) == {("u0", "u1"): 120, ("u0", "u2"): 80, ("u1", "u2"): 40}


@pytest.mark.parametrize("gap_m", [0.3, -0.3])
def test_a_sliver_is_still_a_border_and_a_lane_is_not(gap_m: float) -> None:
    near = _units([shapely.box(0, 0, 100, 100), shapely.box(100 + gap_m, 0, 200, 100)])
    assert _borders(compute_adjacency(near)) == {("u0", "u1"): pytest.approx(100, abs=1)}
    far = _units([shapely.box(0, 0, 100, 100), shapely.box(106, 0, 200, 100)])
    assert compute_adjacency(far).island_ids == ("u0", "u1")


def test_a_hole_and_an_exclave() -> None:
    # u0 is a ring around u1 (40 m × 40 m) and owns a second part beside u2.
    ring = shapely.box(0, 0, 100, 100).difference(shapely.box(30, 30, 70, 70))
    both = shapely.MultiPolygon([ring, shapely.box(300, 0, 320, 20)])
    units = _units([both, shapely.box(30, 30, 70, 70), shapely.box(320, 0, 360, 20)])
    assert _borders(compute_adjacency(units)) == {("u0", "u1"): 160, ("u0", "u2"): 20}


def test_buildings_are_neighbours_across_the_street() -> None:
    # Three houses in a row, 30 m apart: the middle one neighbours both, the outer ones do not see each other.
    units = _units([shapely.box(x, 0, x + 10, 10) for x in (0, 40, 80)], kind="building")
    found = compute_adjacency(units)
    assert [*zip(found.first_ids, found.second_ids, strict=True)] == [("u0", "u1"), ("u1", "u2")]
    scattered = compute_adjacency(units.assign(kind="other"))
    assert scattered.first_ids == found.first_ids


def test_one_unit_and_none() -> None:
    one = compute_adjacency(_units([shapely.box(0, 0, 1, 1)]))
    assert (one.first_ids, one.island_ids) == ((), ("u0",))
    assert compute_adjacency(_units([shapely.box(0, 0, 1, 1)]).iloc[:0]).island_ids == ()


@given(seed=st.integers(0, 10_000), count=st.integers(5, 40))
def test_laws_of_neighbours(seed: int, count: int) -> None:
    """Pairs once, in order; no row order matters; a unit's borders are no longer than its outline."""
    random = np.random.default_rng(seed)
    x_m, y_m = random.uniform(0, 5000, (2, count))
    units = _units(list(build_voronoi_cells(x_m, y_m)))
    found = _borders(compute_adjacency(units))
    assert all(int(first[1:]) < int(second[1:]) for first, second in found)
    mixed = _borders(compute_adjacency(units.sample(frac=1, random_state=seed)))
    assert {tuple(sorted(pair)) for pair in mixed} == {tuple(sorted(pair)) for pair in found}
    for position, outline in enumerate(shapely.length(units.geometry.to_numpy())):
        assert sum(border for pair, border in found.items() if f"u{position}" in pair) <= outline + 0.01


def test_many_units_are_fast() -> None:
    random = np.random.default_rng(1)
    shapes = shapely.segmentize(build_voronoi_cells(*random.uniform(0, 30_000, (2, 5_000))), 40)
    units = _units(list(shapes))
    started = time.perf_counter()
    found = compute_adjacency(units)
    assert time.perf_counter() - started < 2
    assert 14_000 < len(found.first_ids) < 15_000


@pytest.mark.real
def test_gongyi_has_the_published_neighbours(cases: Path) -> None:
    layer = gpd.read_file(cases / "henan_kong" / "gongyi.gpkg")
    units = layer.assign(unit_id=layer["ID"].astype(str), kind="village", x_m=layer["px"], y_m=layer["py"])
    table = pd.read_csv(cases / "henan_kong" / "gongyi_adjacency.csv")
    published = {tuple(sorted(pair)) for pair in table.itertuples(index=False, name=None)}
    assert len(published) == 3_910

    def pairs(found: Adjacency) -> set[tuple[int, ...]]:
        both = zip(found.first_ids, found.second_ids, strict=True)
        return {tuple(sorted((int(first), int(second)))) for first, second in both}

    # The published table counts touching in a corner; 483 of its pairs have no border at all.
    sides, corners = compute_adjacency(units), compute_adjacency(units, corners=True)
    assert pairs(sides) <= published
    assert len(pairs(sides)) == 3_427
    assert len(pairs(corners) & published) >= 3_905
    assert len(pairs(corners) - published) <= 3
    assert sides.island_ids == ()


def test_area_and_perimeter_are_those_of_the_shapes_whose_borders_were_measured() -> None:
    squares = compute_adjacency(_units([shapely.box(x, 0, x + 100, 100) for x in (0, 100)]))
    assert (squares.area_m2.tolist(), squares.perimeter_m.tolist(), squares.scattered) == (
        [1e4, 1e4],
        [400, 400],
        False,
    )
    houses = _units([shapely.box(x, 0, x + 10, 10) for x in (0, 40, 80)], kind="building")
    found = compute_adjacency(houses)
    assert found.scattered
    assert shapely.area(find_land(houses)) == pytest.approx(found.area_m2)
    assert (found.area_m2 > 1_000).all()


def test_borders_never_add_up_to_more_than_the_perimeter() -> None:
    # Two neighbours lie on each other beside u0, so both run along the same 100 m of it; all its four sides are taken.
    boxes = [shapely.box(0, 0, 100, 100), *[shapely.box(100, 0, 200, 100)] * 2]
    boxes += [shapely.box(-100, 0, 0, 100), shapely.box(0, 100, 100, 200), shapely.box(0, -100, 100, 0)]
    units = _units(boxes)
    found = compute_adjacency(units)
    assert sum(border for pair, border in _borders(found).items() if "u0" in pair) <= 400.01


@pytest.mark.real
def test_zy_blocks_have_the_published_neighbours(cases: Path) -> None:
    units = read_study(Path(__file__).resolve().parents[2] / "examples" / "studies" / "zy_blocks.toml").units
    # The published nodes are in another order than the blocks: each is the block whose middle is nearest.
    nodes = pd.read_csv(cases / "henan_kong" / "sap" / "zys_13b.txt", sep="\t")
    middle = shapely.get_coordinates(units.geometry.centroid.to_numpy())
    gap = middle[None] - nodes[["PointX", "PointY"]].to_numpy()[:, None]
    node, block = linear_sum_assignment(np.hypot(gap[..., 0], gap[..., 1]))
    assert (nodes["pop"].to_numpy()[node] == units["primary_pupils"].to_numpy()[block]).all()
    number = {units["unit_id"].iloc[position]: int(nodes["OID"].iloc[row]) for row, position in zip(node, block)}  # noqa: B905
    table = pd.read_csv(cases / "henan_kong" / "sap" / "zys_connectivity.txt")
    published = {tuple(sorted(pair)) for pair in table[["ID1", "ID2"]].itertuples(index=False, name=None)}
    found = compute_adjacency(units)
    ours = {tuple(sorted((number[a], number[b]))) for a, b in zip(found.first_ids, found.second_ids, strict=True)}
    assert len(published) == 809
    assert published <= ours
    assert len(ours) == 848
    assert found.island_ids == ()


@pytest.mark.real
def test_vasileostrovsky_houses_are_not_islands(cases: Path) -> None:
    layer = gpd.read_parquet(cases / "spb_objectnat" / "buildings.parquet")
    inner = layer.geometry.representative_point()
    units = layer.assign(unit_id=layer.index.astype(str), kind="other", x_m=inner.x, y_m=inner.y)
    found = compute_adjacency(units)
    assert found.island_ids == ()
    assert 2.5 < len(found.first_ids) / len(units) <= 3
