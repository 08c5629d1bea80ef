"""Node to node on the map as given, against scipy's ``limit``; parallel arcs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from benchmarks.road_graph import build_road_graph
from benchmarks.travel_peers import Question
from geodata.study import RoadNetwork
from geodata.travel import TravelSearch
from geodata.travel_nodes import measure_nodes, turn_network
from tests.geodata.drawn_roads import build_arcs


@pytest.mark.parametrize("cutoff_min", [0.0, 3.0, 15.0, np.inf])
@pytest.mark.parametrize("threads", [1, 2])
def test_minutes_between_nodes_are_those_of_scipy(cutoff_min: float, threads: int) -> None:
    from scipy.sparse import csr_array

    network = build_road_graph(3_000, seed=5).network
    draw = np.random.default_rng(1)
    units, goals = draw.integers(0, network.n_nodes, 400), draw.integers(0, network.n_nodes, 70)
    tail, head, millis = Question(network, units, goals, units, 1).list_arcs()
    graph = csr_array((millis.astype(float), (head, tail)), shape=(network.n_nodes, network.n_nodes))
    expected = dijkstra(graph, indices=goals, limit=cutoff_min * 60_000)[:, units].T
    minutes = np.where(np.isinf(expected), np.nan, expected.astype(np.float32) / np.float32(60_000))
    found = measure_nodes(turn_network(network), units, goals, cutoff_min=cutoff_min, threads=threads)
    np.testing.assert_array_equal(found, minutes.astype(np.float32))


@given(st.permutations([(90.0, 100.0), (60.0, 120.0), (60.0, 110.0), (75.0, 80.0)]))
def test_of_parallel_arcs_the_fastest_then_the_shortest_counts(ways: list[tuple[float, float]]) -> None:
    """Given arrays may hold parallel arcs in any order."""
    plain = build_arcs([(0, 0), (100, 0)], [(0, 1), (1, 0)], mode="drive")
    seconds, metres = (np.array([*(way[part] for way in ways), 90.0], dtype=np.float32) for part in (0, 1))
    start, head = np.array([0, 4, 5], dtype=np.int32), np.array([1, 1, 1, 1, 0], dtype=np.int32)
    network = RoadNetwork("drive", start, head, metres, seconds, plain.x_m, plain.y_m)
    search = TravelSearch(network, (["a"], [0.0], [0.0]))
    for method in ("bounded", "hierarchy"):
        time, length, _ = search.measure((["b"], [100.0], [0.0]), method=method)
        assert (float(time[0, 0]), float(length[0, 0])) == (1.0, 110.0)
    assert measure_nodes(turn_network(network), [0], [1])[0, 0] == 1.0
