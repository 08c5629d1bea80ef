"""Reach, bridges and detached pieces against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.zone_graph import add_bridges, find_detached, find_reach, find_stranded

LINE = np.array([[0, 1], [1, 2], [2, 3]])


def test_a_closed_unit_stops_the_reach() -> None:
    allowed = np.array([[True, True], [True, False], [True, True], [True, True]])
    reach = find_reach(allowed, LINE, np.array([3, 0]))
    assert reach[:, 0].tolist() == [True] * 4
    assert reach[:, 1].tolist() == [True, False, False, False]


def test_stranded_behind_a_foreign_seat() -> None:
    """0 - 1 - 2 - 3, seats in 1 and 3: unit 0 may only go to the school in 3, behind the seat in 1."""
    allowed = np.array([[False, True], [True, True], [True, True], [True, True]])
    assert find_stranded(allowed, LINE, np.array([1, 3])).tolist() == [0]


def test_bridges_join_only_land_without_a_seat() -> None:
    links = np.array([[0, 1], [2, 3]])
    travel = np.array([[0.0, 9.0], [1.0, 8.0], [7.0, 2.0], [6.0, 3.0]])
    assert add_bridges(4, links, np.array([0, 1]), travel, 1).tolist() == [[2, 1], [3, 1]]
    assert len(add_bridges(4, links, np.array([0, 2]), travel, 1)) == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=9, max_size=9))
def test_detached_as_networkx_sees_it(zone: list[int]) -> None:
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 3))
    seat = np.array([0, 4, 8])
    plan = np.array(zone)
    plan[seat] = [0, 1, 2]
    expected = []
    for number in range(3):
        inside = grid.subgraph(np.flatnonzero(plan == number).tolist())
        expected += [unit for unit in inside if not nx.has_path(inside, unit, int(seat[number]))]
    assert find_detached(plan, np.array(grid.edges), seat).tolist() == sorted(expected)
