from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import NetworkError
from geodata.snap import build_edges, snap_points
from tests.geodata.drawn_roads import both_ways, build_arcs

# 0 ---- 1 ---- 2   (100 m each), one way from 1 to 2
LINE = build_arcs([(0, 0), (100, 0), (200, 0)], [(0, 1), (1, 0), (1, 2)])


def test_points_fall_square_on_the_edge() -> None:
    snap = snap_points(LINE, [30, 150, -40, 260], [10, -25, 0, 80])
    assert snap.snap_m.tolist() == [10, 25, 40, 100]
    assert snap.fraction.tolist() == [0.3, 0.5, 0.0, 1.0]
    assert snap.x_m.tolist() == [30, 150, 0, 200]
    assert snap.tail.tolist() == [0, 1, 0, 1]
    assert snap.head.tolist() == [1, 2, 1, 2]


def test_one_way_edges_have_one_arc() -> None:
    snap = snap_points(LINE, [30, 150], [0, 0])
    assert (snap.forward_arc >= 0).all()
    assert (snap.backward_arc >= 0).tolist() == [True, False]
    assert LINE.head[snap.backward_arc[0]] == 0


def test_a_one_way_edge_against_the_order_of_nodes() -> None:
    snap = snap_points(build_arcs([(0, 0), (100, 0)], [(1, 0)]), [25], [0])
    assert (snap.tail[0], snap.head[0], snap.fraction[0]) == (0, 1, 0.25)
    assert (snap.forward_arc[0], snap.backward_arc[0]) == (-1, 0)


def test_a_point_without_coordinates_joins_nothing() -> None:
    snap = snap_points(LINE, [np.nan, 30], [0, 0])
    assert np.isnan(snap.snap_m[0])
    assert (snap.forward_arc[0], snap.backward_arc[0]) == (-1, -1)
    assert snap.snap_m[1] == 0


def test_closed_edges_are_passed_over() -> None:
    network = build_arcs([(0, 0), (100, 0), (0, 50), (100, 50)], both_ways([(0, 1), (1, 3), (2, 3)]))
    closed = np.ones(6, dtype=bool)
    closed[0] = closed[1] = False  # both arcs of 0 - 1
    arcs = dict(zip(["mode", "start", "head", "length_m", "time_s", "x_m", "y_m"], _fields(network), strict=True))
    snap = snap_points(type(network)(**arcs, enterable=closed), [40], [10])
    assert (snap.tail[0], snap.head[0]) == (2, 3)
    with pytest.raises(NetworkError):
        snap_points(type(network)(**arcs, enterable=np.zeros(6, dtype=bool)), [40], [10])


def _fields(network: object) -> list[object]:
    return [getattr(network, name) for name in ("mode", "start", "head", "length_m", "time_s", "x_m", "y_m")]


def test_every_arc_belongs_to_one_edge() -> None:
    edges = build_edges(LINE)
    arcs = np.concatenate([edges.forward_arc, edges.backward_arc])
    assert sorted(arcs[arcs >= 0].tolist()) == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(-200, 400), st.integers(-200, 200)), min_size=1, max_size=20))
def test_no_edge_is_nearer_than_the_one_chosen(points: list[tuple[int, int]]) -> None:
    network = build_arcs([(0, 0), (100, 0), (200, 50), (100, 120)], both_ways([(0, 1), (1, 2), (2, 3)]))
    x, y = np.array(points, dtype=float).T
    snap = snap_points(network, x, y)
    part = np.linspace(0, 1, 501)[:, None]
    for first, second in ((0, 1), (1, 2), (2, 3)):
        place_x = network.x_m[first] + part * (network.x_m[second] - network.x_m[first])
        place_y = network.y_m[first] + part * (network.y_m[second] - network.y_m[first])
        assert (snap.snap_m <= np.hypot(place_x - x, place_y - y).min(axis=0) + 1e-9).all()
