"""The bound of connected zones: never above the best plan found by trying all, and close to it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from planning.solvers.zone_bound import ZoneBound, find_triples
from planning.solvers.zone_branch import find_least_cut, find_mirror, find_separator, label_components
from planning.solvers.zone_pricing import (
    SchoolPricing,
    build_triple_prices,
)
from tests.planning.solvers.grid_problems import build_grid, try_all


def close_bound(problem, **more):
    prices = np.where(np.isfinite(problem.cost), problem.cost, np.inf).min(axis=1)
    bound = ZoneBound(problem, np.array(problem.cost), prices, **more)
    bound.run(until=None, sweeps=300)
    return bound


@pytest.mark.parametrize("seed", range(20))
def test_bound_lies_below_the_best_plan_and_close_to_it(seed):
    problem = build_grid(seed, slack=(1.05, 1.2, 0.9)[seed % 3])
    best, plan = try_all(problem)
    assert plan is not None
    bound = close_bound(problem)
    assert bound.bound <= best + 1e-6
    assert bound.bound >= 0.97 * best


@pytest.mark.parametrize("seed", range(6))
def test_bound_holds_with_a_budget(seed):
    problem = build_grid(100 + seed)
    best, plan = try_all(problem)
    moved = np.repeat(problem.pupils[:, None], problem.n_schools, axis=1)
    stays = np.argmin(problem.cost, axis=1)
    moved[np.arange(problem.n_units), stays] = 0.0
    budget = 0.5 * float(moved[np.arange(problem.n_units), plan].sum())
    limited, _ = try_all(problem, lambda school: moved[np.arange(problem.n_units), school].sum() <= budget)
    bound = close_bound(problem, budgets=((moved, budget),))
    assert bound.bound <= limited + 1e-6
    assert bound.bound >= close_bound(problem).bound - 1e-6
    assert limited >= best


@pytest.mark.parametrize("seed", range(6))
def test_locks_and_forbidden_pairs_are_kept(seed):
    problem = build_grid(200 + seed)
    _, plan = try_all(problem)
    locked = np.array(problem.locked)
    locked[problem.neighbour[problem.neighbour_start[problem.seat[0]]]] = 0
    locked[problem.seat] = np.arange(problem.n_schools)
    cost = np.array(problem.cost)
    cost[np.flatnonzero(plan == 1)[-1], 2] = np.inf
    changed = dataclasses.replace(problem, locked=locked.astype(np.int32), cost=cost)
    best, found = try_all(changed)
    if found is None:
        pytest.skip("no connected plan with this lock")
    assert close_bound(changed).bound <= best + 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_dropped_pairs_are_in_no_better_plan(seed):
    problem = build_grid(300 + seed)
    best, plan = try_all(problem)
    bound = close_bound(problem)
    share = bound.drop_units(best + 1e-6)
    assert 0 < share <= 1
    assert bound.allowed_pairs()[np.arange(problem.n_units), plan].all()


def test_pricing_finds_the_best_connected_set():
    problem = build_grid(7, rows=3, columns=4, schools=2)
    generator = np.random.default_rng(1)
    start, neighbour = np.array(problem.neighbour_start), np.array(problem.neighbour)
    for places in (9.0, 25.0, np.inf):
        for overload_price in (np.inf, 1.5):
            pricing = SchoolPricing(
                np.array(problem.pupils), places, overload_price, 0, start, neighbour, np.ones(12, dtype=bool)
            )
            prize = generator.normal(0, 10, 12)
            triples = build_triple_prices(np.array([[1, 2, 3], [4, 5, 8]]), np.array([2.0, 1.0]), 12)
            value, bound, _ = pricing.price(prize, triples)
            best = -np.inf
            for code in range(1, 2**12, 2):
                members = (code >> np.arange(12)) & 1
                if label_components(start, neighbour, members > 0).max() > 0:
                    continue
                over = max(0.0, problem.pupils[members > 0].sum() - places)
                if over > 0 and not np.isfinite(overload_price):
                    continue
                paid = prize[members > 0].sum() - triples.charge(members.astype(np.int8))
                best = max(best, paid - (over * overload_price if over else 0.0))
            if not np.isfinite(best):
                continue
            assert value == pytest.approx(best)
            assert bound == pytest.approx(best)


def test_separator_lies_between_seat_and_piece():
    problem = build_grid(1, rows=3, columns=3)
    piece = np.zeros(9, dtype=bool)
    piece[8] = True
    found = find_separator(
        np.array(problem.neighbour_start), np.array(problem.neighbour), np.ones(9, dtype=bool), piece, 0
    )
    assert found.tolist() == [5, 7]


def test_triples_of_a_fractional_plan_are_found():
    # three zones of two units each at one half: every pair of the triple together in one of them
    zones = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=np.int8)
    assert find_triples(zones, np.full(3, 0.5), 5).tolist() == [[0, 1, 2]]
    assert len(find_triples(zones, np.full(3, 0.33), 5)) == 0


def test_least_cut_agrees_with_networkx():
    import networkx as nx

    problem = build_grid(3, rows=5, columns=5, schools=2)
    start, neighbour = np.array(problem.neighbour_start), np.array(problem.neighbour)
    generator = np.random.default_rng(5)
    for _ in range(20):
        shares = generator.uniform(0, 1, 25).round(2)
        allowed = generator.uniform(0, 1, 25) > 0.1
        allowed[[0, 24]] = True
        graph = nx.DiGraph()
        for unit in np.flatnonzero(allowed):
            graph.add_edge((unit, "in"), (unit, "out"), capacity=shares[unit] if unit not in (0, 24) else 99.0)
            for other in neighbour[start[unit] : start[unit + 1]]:
                if allowed[other]:
                    graph.add_edge((unit, "out"), (other, "in"), capacity=99.0)
        expected = nx.maximum_flow_value(graph, (0, "out"), (24, "in"))
        flow, cut = find_least_cut(start, neighbour, find_mirror(start, neighbour), allowed, shares, 0, 24)
        assert flow == pytest.approx(expected)
        assert shares[cut].sum() == pytest.approx(flow)
