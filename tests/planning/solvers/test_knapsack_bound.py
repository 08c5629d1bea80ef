"""The bound for whole units: never above the best plan, never below the split bound, tight knapsacks."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planning.solvers.knapsack_bound import MAX_NODES, bound_whole_units, pack, price_units
from planning.solvers.problems import TransportProblem
from planning.solvers.transport import solve_transport
from tests.planning.solvers.test_transport import build_problem, problems


def count_plans(problem: TransportProblem) -> int:
    return prod(max(int(count), 1) for count in np.diff(problem.start))


def list_plans(problem: TransportProblem) -> float:
    """Return the objective of the best plan of whole rows, by trying all."""
    rows = [row for row in range(problem.n_rows) if problem.start[row + 1] > problem.start[row]]
    choices = [range(problem.start[row], problem.start[row + 1]) for row in rows]
    best = np.inf
    for plan in product(*choices):
        load, cost = np.zeros(problem.n_schools), 0.0
        for row, arc in zip(rows, plan, strict=True):
            load[problem.school[arc]] += problem.pupils[row]
            cost += problem.pupils[row] * problem.cost[arc]
        cost += problem.overload_price * np.maximum(load - problem.places, 0.0).sum()
        best = min(best, cost)
    return best


@given(
    st.lists(st.tuples(st.sampled_from((0.5, 1.0, 2.0, 3.7)), st.sampled_from((0.0, 0.3, 1.0, 2.0, 5.5))), max_size=8),
    st.sampled_from((0.0, 1.0, 3.3, 7.0, 40.0)),
)
def test_a_knapsack_is_packed_best(items, room):
    price = 20.0
    gain = np.array([item[0] for item in items if item[1] or item[0]], dtype=float)
    load = np.array([item[1] for item in items if item[1] or item[0]], dtype=float)
    gain = np.minimum(gain, np.where(load > 0, price * load, gain))
    order = np.argsort(np.where(load > 0, -gain / np.maximum(load, 1e-300), -np.inf), kind="stable")
    gain, load = gain[order], load[order]
    best = max(
        float(np.dot(choice, gain) - price * max(0.0, np.dot(choice, load) - room))
        for choice in product((0, 1), repeat=len(gain))
    )
    chosen = np.zeros(len(gain), dtype=np.bool_)
    packed = pack(gain, load, room, price, chosen, MAX_NODES)
    assert packed == pytest.approx(best, abs=1e-6)
    assert packed >= best - 1e-12
    assert gain[chosen].sum() - price * max(0.0, load[chosen].sum() - room) == pytest.approx(best, abs=1e-6)
    limited = pack(gain, load, room, price, chosen, 1)
    assert limited >= best - 1e-12


@given(problems(), st.integers(0, 10_000))
@settings(max_examples=150)
def test_the_bound_lies_between_the_split_optimum_and_the_best_plan(problem, seed):
    assume(problem.overload_price < 1e6 and count_plans(problem) <= 7_000)
    best = list_plans(problem)
    split = solve_transport(problem)
    bound, prices = bound_whole_units(problem, best, row_price=split.row_price, rounds=30)
    slack = 1e-7 * (1 + abs(best))
    assert split.bound - slack <= bound <= best + slack
    assert price_units(problem, prices) == pytest.approx(bound, rel=1e-12)
    wild = np.random.default_rng(seed).uniform(-50, 500, problem.n_rows)
    assert price_units(problem, wild) <= best + slack


def test_big_units_are_bounded_better_than_by_splitting_them():
    problem = build_problem([{0: 1.0, 1: 10.0}] * 3, [60.0] * 3, [100.0, 100.0], price=100.0)
    best, split = list_plans(problem), solve_transport(problem)
    bound, _ = bound_whole_units(problem, best)
    assert split.bound < bound - 0.02 * best
    assert bound <= best


def test_the_search_for_a_bound_may_be_cancelled():
    problem = build_problem([{0: 1.0, 1: 10.0}] * 3, [60.0] * 3, [100.0, 100.0], price=100.0)
    asked = []
    bound_whole_units(problem, 1e9, cancelled=lambda: bool(asked.append(1)) or len(asked) >= 3)
    assert len(asked) == 3
