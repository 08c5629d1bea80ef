"""The hierarchy against scipy's Dijkstra on the same whole costs, and the laws of its parts."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geodata.hierarchy import (
    LiveMetric,
    Metric,
    Topology,
    build_metric,
    build_topology,
    compute_costs,
    infinity,
    recost,
    select_origins,
)
from geodata.hierarchy_rows import lower_row_plainly
from geodata.hierarchy_sweep import WIDTH, open_rows, sweep_step

KINDS = (np.int32, np.int64)


def _draw(seed: int, nodes: int, arcs: int) -> tuple[Any, Any, Any]:
    """Random arcs with loops, doubles, one-ways, closed roads and zero costs; some nodes touch nothing."""
    draw = np.random.default_rng(seed)
    tail, head = draw.integers(0, nodes, arcs), draw.integers(0, nodes, arcs)
    cost = draw.integers(0, 40, arcs)
    return tail, head, np.where(draw.random(arcs) < 0.1, 10**9, cost)


def _ask_scipy(nodes: int, tail: Any, head: Any, cost: Any) -> Any:
    """Return all pairs; costs are raised by one part in a million so that scipy keeps arcs of no cost."""
    best = np.full((nodes, nodes), np.inf)
    np.minimum.at(best, (tail, head), np.where(cost < 10**9, cost + 1e-7, np.inf))
    rows, columns = np.nonzero(np.isfinite(best))
    found = dijkstra(coo_array((best[rows, columns], (rows, columns)), shape=(nodes, nodes)).tocsr())
    return np.where(np.isfinite(found), np.round(found), 10**9)


def _all_pairs(topology: Topology, metric: Metric, **options: Any) -> Any:
    nodes = np.arange(topology.n_nodes)
    return compute_costs(
        topology, metric, select_origins(topology, nodes), nodes, np.zeros(len(nodes), dtype=int), **options
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), nodes=st.integers(1, 45), share=st.floats(0.0, 3.0))
def test_all_pairs_are_those_of_scipy(seed: int, nodes: int, share: float) -> None:
    tail, head, cost = _draw(seed, nodes, int(share * nodes))
    topology = build_topology(nodes, tail, head)
    expected = _ask_scipy(nodes, tail, head, cost)
    for kind in KINDS:
        costs = np.where(cost < 10**9, cost, infinity(kind)).astype(kind)
        found = _all_pairs(topology, build_metric(topology, costs), threads=1)
        assert np.array_equal(np.where(found >= infinity(kind), 10**9, found), expected)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), nodes=st.integers(2, 45), kind=st.sampled_from(KINDS))
def test_a_changed_road_gives_what_a_new_start_gives(seed: int, nodes: int, kind: Any) -> None:
    tail, head, cost = _draw(seed, nodes, 2 * nodes)
    topology = build_topology(nodes, tail, head)
    metric = build_metric(topology, cost.astype(kind))
    draw = np.random.default_rng(seed + 1)
    for _ in range(4):
        arcs = draw.choice(len(cost), size=min(3, len(cost)), replace=False)
        cost[arcs] = draw.choice([0, 7, 90, infinity(kind)], size=len(arcs)).astype(np.int64)
        before = metric.up_cost.copy()
        changed = recost(topology, metric, arcs, cost[arcs])
        anew = build_metric(topology, np.minimum(cost, infinity(kind)).astype(kind))
        assert np.array_equal(metric.up_cost, before)  # the old one stays as it was
        assert np.array_equal(changed.up_cost, anew.up_cost)
        assert np.array_equal(changed.down_cost, anew.down_cost)
        metric = changed


def test_many_goals_two_threads_and_the_order_of_arcs_change_nothing() -> None:
    nodes = 300
    tail, head, cost = _draw(5, nodes, 800)
    topology = build_topology(nodes, tail, head)
    metric = build_metric(topology, cost.astype(np.int32))
    found = _all_pairs(topology, metric, threads=1)
    assert np.array_equal(found, _all_pairs(topology, metric, threads=2))
    assert np.array_equal(found, _ask_scipy(nodes, tail, head, cost))
    order = np.random.default_rng(1).permutation(len(tail))
    other = build_topology(nodes, tail[order], head[order])
    assert np.array_equal(found, _all_pairs(other, build_metric(other, cost[order].astype(np.int32))))


def test_units_and_goals_between_two_nodes() -> None:
    """A line 0 - 1 - 2 - 3 of 10 each way: the unit is 3 from node 0 and 7 from 1, the goal 4 from 2 and 6 from 3."""
    tail, head = [0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]
    topology = build_topology(4, tail, head)
    metric = build_metric(topology, np.full(6, 10, dtype=np.int32))
    chosen = select_origins(topology, [[0, 1], [-1, -1], [2, 2]])
    found = compute_costs(
        topology, metric, chosen, [[2, 3], [-1, -1]], [[4, 6], [0, 0]], origin_cost=[[3, 7], [0, 0], [1, 5]]
    )
    assert found.tolist() == [[7 + 10 + 4, 10**9], [10**9, 10**9], [1 + 4, 10**9]]


def test_nothing_is_no_trouble() -> None:
    topology = build_topology(0, [], [])
    metric = build_metric(topology, np.zeros(0, dtype=np.int32))
    found = compute_costs(
        topology, metric, select_origins(topology, np.zeros((0, 2))), np.zeros((0, 2)), np.zeros((0, 2))
    )
    assert found.shape == (0, 0)


def test_unjoined_nodes_and_bad_costs_are_told() -> None:
    topology = build_topology(4, [0, 2], [1, 3])
    with pytest.raises(ValueError, match="joined"):
        select_origins(topology, [[0, 2]])
    for bad in (np.array([1, -1], dtype=np.int32), np.array([1.0, 2.0]), np.array([1], dtype=np.int32)):
        with pytest.raises(ValueError, match="cost"):
            build_metric(topology, bad)


def test_values_stay_read_only_when_pickled() -> None:
    topology = pickle.loads(pickle.dumps(build_topology(3, [0, 1], [1, 2])))
    assert not topology.up.flags.writeable
    assert topology.height == 2
    line = np.arange(999)
    assert build_topology(1000, line, line + 1).height < 40


@pytest.mark.parametrize("kind", KINDS)
def test_the_vector_step_does_what_it_says(kind: Any) -> None:
    draw = np.random.default_rng(3)
    rows = open_rows(12, np.empty(0, dtype=kind))
    rows[:] = draw.integers(0, 1000, rows.shape)
    above, cost = draw.integers(0, 11, 9).astype(np.int32), draw.integers(0, 50, 9).astype(kind)
    plain = rows[11].copy()
    lower_row_plainly(plain, rows, above, cost, 2, 8)
    sweep_step(rows[11], rows, above, cost, 2, 8)
    assert rows.shape == (12, WIDTH)
    assert rows.ctypes.data % 64 == 0
    assert np.array_equal(rows[11], plain)


def test_many_changes_on_a_large_map_come_to_an_end() -> None:
    """Hundreds of changes with long branches; the set that once marked the waiting arcs could hang here."""
    side = 60
    node = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [np.stack([a.ravel(), b.ravel()], 1) for a, b in ((node[1:], node[:-1]), (node[:, 1:], node[:, :-1]))]
    )
    tail, head = np.concatenate([pairs[:, 0], pairs[:, 1]]), np.concatenate([pairs[:, 1], pairs[:, 0]])
    topology = build_topology(side * side, tail, head)
    draw = np.random.default_rng(7)
    cost = draw.integers(1, 100, len(tail)).astype(np.int32)
    live = LiveMetric(topology, build_metric(topology, cost))
    for _ in range(300):
        arcs = draw.choice(len(tail), size=4, replace=False)
        cost[arcs] = draw.choice([1, 50, 10**9], size=4)
        live.change(arcs, cost[arcs])
    anew = build_metric(topology, cost)
    assert np.array_equal(live.up_cost, anew.up_cost)
    assert np.array_equal(live.down_cost, anew.down_cost)
