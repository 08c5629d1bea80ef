"""Crossing main roads, railways and rivers: worlds of few streets whose answers are worked by hand (0.9 s a metre)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.crossings import build_crossing_costs, cut_main_roads
from geodata.network import build_network
from geodata.road_access import BACKWARD, FORWARD
from geodata.road_classes import read_road_classes
from geodata.road_table import RoadTable
from geodata.study import RoadNetwork
from geodata.travel import compute_travel_matrix

CLASSES = read_road_classes()
NAMES = list(CLASSES)
NOTHING = gpd.GeoDataFrame({"kind": []}, geometry=[])
EVERY_WAY = sum(FORWARD.values()) | sum(BACKWARD.values())
ONE_WAY = EVERY_WAY & ~BACKWARD["drive"] & ~BACKWARD["bicycle"]

NODES = st.integers(0, 3)

Way = tuple[Sequence[int], str]


def draw(places: Sequence[tuple[float, float]], ways: Sequence[Way], *, one_way: Sequence[int] = ()) -> RoadTable:
    """Return roads in metres: ways of (nodes, class); ``one_way`` numbers ways of one direction."""
    pairs = [(a, b, way) for way, (nodes, _) in enumerate(ways) for a, b in pairwise(nodes)]
    tail, head, way = (np.array(column) for column in zip(*pairs, strict=True))
    x, y = (np.array(column, dtype=float) for column in zip(*places, strict=True))
    return RoadTable(
        crs="local",
        node_id=np.arange(len(x)),
        x_m=x,
        y_m=y,
        node_blocks=np.zeros(len(x), dtype=np.uint8),
        tail=tail.astype(np.int32),
        head=head.astype(np.int32),
        length_m=np.hypot(x[tail] - x[head], y[tail] - y[head]),
        way=way.astype(np.int32),
        way_class=np.array([NAMES.index(name) for _, name in ways], dtype=np.int16),
        way_name=np.zeros(len(ways), dtype=np.int32),
        way_access=np.array([ONE_WAY if n in one_way else EVERY_WAY for n in range(len(ways))], dtype=np.uint8),
        way_max_speed_kmh=np.full(len(ways), np.nan, dtype=np.float32),
        classes=tuple(CLASSES.values()),
        names=("",),
    )


def connect(roads: RoadTable, penalty_s: Mapping[str, float], crossings: gpd.GeoDataFrame = NOTHING) -> RoadNetwork:
    """Return the walking network with penalties, the main roads cut as a study cuts them."""
    roads = cut_main_roads(roads)
    return build_network(roads, "walk", crossings=build_crossing_costs(roads, crossings, penalty_s))


def measure_s(network: RoadNetwork, origin: tuple[float, float], goal: tuple[float, float]) -> float:
    """Return seconds on foot between two places."""
    origins, goals = (["a"], [origin[0]], [origin[1]]), (["b"], [goal[0]], [goal[1]])
    return float(compute_travel_matrix(network, origins, goals, mode="walk").time_min[0, 0]) * 60


# Side roads meet a main road that runs along y = 0:
#
#        N(0,200)   M(200,200)
#   W ------+----------+------ E(400)
#        S(0,-200)
STREET = [(-200, 0), (0, 0), (200, 0), (400, 0), (0, 200), (0, -200), (200, 200)]
CROSS = [([0, 1, 2, 3], "primary"), ([4, 1], "residential"), ([5, 1], "residential"), ([6, 2], "residential")]
NORTH, SOUTH, NEXT = (0.0, 200.0), (0.0, -200.0), (200.0, 200.0)


def test_crossing_costs_once_and_turning_in_costs_nothing() -> None:
    network = connect(draw(STREET, CROSS), {"main_road": 40})
    assert measure_s(network, NORTH, SOUTH) == pytest.approx(400 * 0.9 + 40, abs=0.01)
    assert measure_s(network, NORTH, NEXT) == pytest.approx(600 * 0.9, abs=0.01)  # in and out on the same side
    assert measure_s(network, SOUTH, NEXT) == pytest.approx(600 * 0.9 + 40, abs=0.01)
    assert measure_s(network, SOUTH, NORTH) == pytest.approx(400 * 0.9 + 40, abs=0.01)


def test_without_penalties_nothing_changes() -> None:
    roads = draw(STREET, CROSS)
    plain, zero = build_network(roads, "walk"), connect(draw(STREET, CROSS), {"main_road": 0, "railway": 0})
    assert build_crossing_costs(roads, NOTHING, {"main_road": 0.0}) is None
    assert measure_s(plain, NORTH, SOUTH) == pytest.approx(measure_s(zero, NORTH, SOUTH))
    assert plain.n_nodes == 7
    drive = build_network(roads, "drive", crossings=build_crossing_costs(roads, NOTHING, {"main_road": 40}))
    assert drive.n_nodes == 7  # cars pay nothing


def test_houses_on_both_sides_of_the_road_are_a_crossing_apart() -> None:
    """No side road within 100 m: they cross every 50 m, so at most 25 m of the road are walked twice."""
    network = connect(draw(STREET, CROSS), {"main_road": 40})
    over = measure_s(network, (100.0, 30.0), (100.0, -30.0))
    assert 40 + 59.8 * 0.9 - 0.1 <= over <= 40 + (60 + 50) * 0.9
    assert measure_s(network, (100.0, 30.0), (140.0, 30.0)) < (29.9 * 2 + 40) * 0.9 + 0.1


def test_a_dual_carriageway_is_one_crossing() -> None:
    places = [(-200, 0), (0, 0), (200, 0), (-200, 20), (0, 20), (200, 20), (0, 220), (0, -200)]
    ways = [([0, 1, 2], "trunk"), ([5, 4, 3], "trunk"), ([7, 1], "residential"), ([1, 4], "residential")]
    ways.append(([4, 6], "residential"))
    network = connect(draw(places, ways, one_way=(0, 1)), {"main_road": 40})
    assert measure_s(network, (0.0, 220.0), (0.0, -200.0)) == pytest.approx(420 * 0.9 + 40, abs=0.01)


def test_a_crossroads_of_main_roads_is_crossed_road_by_road() -> None:
    """From a path in the north-east corner to the opposite one two roads are crossed, to its neighbour one."""
    places = [(0, 0), (100, 0), (0, 100), (-100, 0), (0, -100), (80, 80), (-80, -80), (-80, 80)]
    ways = [([3, 0, 1], "primary"), ([4, 0, 2], "primary")]
    ways += [([number, 0], "residential") for number in (5, 6, 7)]
    network = connect(draw(places, ways), {"main_road": 30})
    leg = float(np.hypot(80, 80))
    assert measure_s(network, (80.0, 80.0), (-80.0, -80.0)) == pytest.approx(2 * leg * 0.9 + 60, abs=0.01)
    assert measure_s(network, (80.0, 80.0), (-80.0, 80.0)) == pytest.approx(2 * leg * 0.9 + 30, abs=0.01)


def test_a_railway_costs_once_however_it_is_met() -> None:
    """A bridge over two tracks in one piece, and a level crossing with a node on each of two tracks."""
    places = [(0, 0), (200, 0), (0, 100), (98, 100), (102, 100), (200, 100), (0, 50)]
    ways = [([0, 1], "residential"), ([2, 3, 4, 5], "residential"), ([0, 6, 2], "residential")]
    points = [(98, 0), (102, 0), (98, 100), (102, 100)]
    rails = gpd.GeoDataFrame({"kind": ["railway"] * 4}, geometry=list(shapely.points(points)))
    network = connect(draw(places, ways), {"railway": 60}, rails)
    assert measure_s(network, (0.0, 0.0), (200.0, 0.0)) == pytest.approx(200 * 0.9 + 60, abs=0.01)
    assert measure_s(network, (0.0, 100.0), (200.0, 100.0)) == pytest.approx(200 * 0.9 + 60, abs=0.01)
    assert measure_s(network, (0.0, 0.0), (0.0, 100.0)) == pytest.approx(100 * 0.9, abs=0.01)


def test_rivers_cost_nothing_unless_asked() -> None:
    river = gpd.GeoDataFrame({"kind": ["river"]}, geometry=[shapely.Point(50, 0)])
    roads = draw([(0, 0), (100, 0)], [([0, 1], "residential")])
    free, asked = (connect(roads, penalty, river) for penalty in ({"railway": 60}, {"river": 20}))
    assert measure_s(free, (0.0, 0.0), (100.0, 0.0)) == pytest.approx(90, abs=0.01)
    assert measure_s(asked, (0.0, 0.0), (100.0, 0.0)) == pytest.approx(110, abs=0.01)


def test_a_barrier_on_the_main_road_leaves_the_sides_whole() -> None:
    """A wall across the side road where it meets the main road: nobody crosses there."""
    roads = draw(STREET, CROSS)
    blocks = np.zeros(7, dtype=np.uint8)
    blocks[1] = 1
    network = connect(RoadTable(**{**roads.__dict__, "node_blocks": blocks}), {"main_road": 40})
    assert np.isfinite(network.time_s).all()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=2, unique=True), st.integers(1, 90)
)
def test_penalties_never_shorten_and_never_exceed_the_main_roads_met(ends: list[tuple[int, int]], seconds: int) -> None:
    """A grid of 4 × 4 nodes, its second row and third column main roads: between none and two crossings."""
    places = [(100.0 * column, 100.0 * row) for row in range(4) for column in range(4)]
    ways: list[Way] = [([4 * row + c for c in range(4)], "primary" if row == 1 else "residential") for row in range(4)]
    ways += [([4 * r + column for r in range(4)], "primary" if column == 2 else "residential") for column in range(4)]
    roads = draw(places, ways)
    plain, costly = build_network(roads, "walk"), connect(roads, {"main_road": seconds})
    origin, goal = ((100.0 * a, 100.0 * b) for a, b in ends)
    before, after = measure_s(plain, origin, goal), measure_s(costly, origin, goal)
    assert before - 0.01 <= after <= before + 2 * seconds + 0.01 + 6 * 0.9
