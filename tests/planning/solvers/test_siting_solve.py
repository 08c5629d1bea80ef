"""Choosing ways of facilities: worked by hand, against brute force, against HiGHS on the whole problem, and laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geodata.errors import Cancelled
from geodata.messages import Message
from planning.solvers.location_problems import SitingProblem, SitingSolution
from planning.solvers.siting_dual import SitingDual
from planning.solvers.siting_flow import breaks_sides
from planning.solvers.siting_plain import solve_plain
from planning.solvers.siting_solve import evaluate_ways, solve_siting
from tests.planning.solvers.siting_worlds import DEAR, build_problem, draw_problem, list_choices

INF = float("inf")


def check_solution(problem: SitingProblem, answer: SitingSolution) -> None:
    """Count everything again: pupils, places, rules, objective, bound."""
    row = np.repeat(np.arange(problem.n_rows), np.diff(problem.row_start))
    lacking = 0.0
    for period in range(problem.n_periods):
        sent = np.bincount(row, weights=answer.flow[period], minlength=problem.n_rows)
        np.testing.assert_allclose(sent + answer.unplaced[:, period], problem.pupils[:, period], atol=1e-9)
        load = np.bincount(problem.facility, weights=answer.flow[period], minlength=problem.n_facilities)
        places = problem.way_places[answer.way, period]
        assert (load <= places + 1e-7).all()
        least = np.where(places > 0, problem.way_least_pupils[answer.way, period], 0.0)
        lacking += float(np.maximum(least - load - 1e-7, 0).sum())
    assert answer.facts["lacking_pupils"] == pytest.approx(lacking, abs=1e-5)
    travel = (answer.flow @ problem.arc_cost) @ problem.period_weight
    dear = problem.overload_price * (answer.unplaced.sum() + answer.facts["lacking_pupils"])
    assert answer.objective == pytest.approx(problem.way_cost[answer.way].sum() + travel + dear)
    assert answer.bound <= answer.objective * (1 + 1e-12) + 1e-9
    if answer.status != "infeasible":
        assert not breaks_sides(problem, answer.way).any()


def solve_flow(problem: SitingProblem, way: np.ndarray) -> float:
    """Return the least cost of given ways by a linear programme that knows nothing of the solver."""
    row = np.repeat(np.arange(problem.n_rows), np.diff(problem.row_start))
    total = float(problem.way_cost[way].sum())
    arcs, rows, facilities = len(row), problem.n_rows, problem.n_facilities
    for period in range(problem.n_periods):
        cost = np.concatenate(
            [problem.arc_cost * problem.period_weight[period], np.full(rows + facilities, problem.overload_price)]
        )
        equal, above = np.zeros((rows, len(cost))), np.zeros((2 * facilities, len(cost)))
        equal[row, np.arange(arcs)] = 1
        equal[np.arange(rows), arcs + np.arange(rows)] = 1
        above[problem.facility, np.arange(arcs)] = 1
        above[facilities + problem.facility, np.arange(arcs)] = -1
        above[facilities + np.arange(facilities), arcs + rows + np.arange(facilities)] = -1
        places = problem.way_places[way, period]
        least = np.where(places > 0, problem.way_least_pupils[way, period], 0.0)
        found = linprog(cost, above, np.concatenate([places, -least]), equal, problem.pupils[:, period])
        assert found.status == 0
        total += float(found.fun)
    return total


def test_school_closes_when_running_it_costs_more_than_travel() -> None:
    # 10 pupils in each of two villages with a school each; the other school is 3 away.
    # Running the second costs 50; closing it costs 10 pupils x 3 = 30 of travel: it closes at 30 + 100.
    ways = [[(100.0, [20.0])], [(50.0, [20.0]), (0.0, [0.0])]]
    cheap = build_problem([[0, 3], [3, 0]], [[10], [10]], ways)
    answer = solve_siting(cheap, gap_share=0.0)
    check_solution(cheap, answer)
    assert answer.way.tolist() == [0, 2]
    assert answer.objective == pytest.approx(130.0)
    assert answer.status == "optimal"
    # at 6 away travel would be 60: it stays
    far = build_problem([[0, 6], [6, 0]], [[10], [10]], ways)
    assert solve_siting(far, gap_share=0.0).objective == pytest.approx(150.0)


def test_new_school_opens_before_the_old_one_closes() -> None:
    # Ways of the old: stay (60), close in period 1 (0) or in period 2 (30); of the site: nothing, open in 1 (40) or in
    # 2 (20). Travel is free. Without a rule the old closes and the new opens at once: 0 + 40. The rule "close in t only
    # after opening before t" leaves: open in 1, close in 2: 40 + 30.
    ways = [
        [(60.0, [10.0, 10.0]), (0.0, [0.0, 0.0]), (30.0, [10.0, 0.0])],
        [(0.0, [0.0, 0.0]), (40.0, [10.0, 10.0]), (20.0, [0.0, 10.0])],
    ]
    free = build_problem([[0, 0]], [[10, 10]], ways)
    assert solve_siting(free, gap_share=0.0).objective == pytest.approx(40.0)
    rules = [({1: 1.0}, 0.0), ({2: 1.0, 4: -1.0}, 0.0)]
    ruled = build_problem([[0, 0]], [[10, 10]], ways, rules=rules)
    answer = solve_siting(ruled, gap_share=0.0)
    check_solution(ruled, answer)
    # staying costs 60 alone, which is less than 70
    assert answer.way.tolist() == [0, 3]
    assert answer.objective == pytest.approx(60.0)
    dearer = replace(ruled, way_cost=np.array([80.0, 0.0, 30.0, 0.0, 40.0, 20.0]))
    answer = solve_siting(dearer, gap_share=0.0)
    assert answer.way.tolist() == [2, 4]
    assert answer.objective == pytest.approx(70.0)


def test_budget_postpones_the_second_site() -> None:
    # Two sites, each near 10 pupils who else travel 5: opening pays for both at once (cost 10 each, saves 50 a period),
    # but the budget of the first period pays for one: the other opens in the second period.
    new = [(0.0, [0.0, 0.0]), (10.0, [10.0, 10.0]), (10.0, [0.0, 10.0])]
    ways = [[(0.0, [20.0, 20.0])], new, new]
    table = [[5, 0, INF], [5, INF, 0]]
    free = build_problem(table, [[10, 10], [10, 10]], ways)
    assert solve_siting(free, gap_share=0.0).objective == pytest.approx(20.0)
    ruled = build_problem(table, [[10, 10], [10, 10]], ways, rules=[({2: 1.0, 5: 1.0}, 1.0)])
    answer = solve_siting(ruled, gap_share=0.0)
    check_solution(ruled, answer)
    assert answer.objective == pytest.approx(70.0)
    assert sorted(answer.way.tolist()) in ([0, 2, 6], [0, 3, 5])


def test_least_pupils_pull_pupils_or_close() -> None:
    # The small school has 4 pupils near and needs 6: two come from the other village (1 each, 2 in all).
    # Closing costs 20 and 4 x 2 of travel, so it stays.
    ways = [[(0.0, [20.0])], [(0.0, [10.0]), (20.0, [0.0])]]
    problem = build_problem([[0, 1], [2, 0]], [[10], [4]], ways, least=6.0)
    answer = solve_siting(problem, gap_share=0.0)
    check_solution(problem, answer)
    assert answer.objective == pytest.approx(2.0)
    assert answer.facts["lacking_pupils"] == 0
    # nobody else may come: two lack, at the price of overload; so it closes
    alone = build_problem([[0, INF], [2, 0]], [[10], [4]], ways, least=6.0)
    assert solve_siting(alone, gap_share=0.0).objective == pytest.approx(28.0)
    stuck = build_problem([[0, INF], [2, 0]], [[10], [4]], [ways[0], ways[1][:1]], least=6.0)
    answer = solve_siting(stuck, gap_share=0.0)
    check_solution(stuck, answer)
    assert answer.facts["lacking_pupils"] == pytest.approx(2.0)
    assert answer.objective == pytest.approx(2 * DEAR)
    assert answer.least_unplaced == pytest.approx(2.0, rel=1e-3)


def test_contradicting_rules_are_infeasible() -> None:
    ways = [[(1.0, [5.0]), (0.0, [0.0])], [(0.0, [0.0]), (1.0, [5.0])]]
    rules = [({0: 1.0}, 0.0), ({1: 1.0}, 0.0)]
    answer = solve_siting(build_problem([[0, 1]], [[3]], ways, rules=rules))
    assert answer.status == "infeasible"
    assert answer.way.tolist() == [0, 2]
    # fractions of ways would keep these rules, whole ways do not
    halves = [({0: 2.0, 1: -2.0}, 1.0), ({0: -2.0, 1: 2.0}, 1.0)]
    assert solve_siting(build_problem([[0, 1]], [[3]], ways, rules=halves)).status == "infeasible"


def test_pupils_without_places_are_counted_and_proven() -> None:
    # 10 pupils, at most 4 + 3 places under a rule that allows one extension only: 3 have none in the best plan.
    ways = [[(0.0, [2.0]), (5.0, [4.0])], [(0.0, [3.0]), (5.0, [5.0])]]
    problem = build_problem([[1, 2], [2, 1]], [[5], [5]], ways, rules=[({1: 1.0, 3: 1.0}, 1.0)])
    answer = solve_siting(problem, gap_share=0.0)
    check_solution(problem, answer)
    assert answer.unplaced.sum() == pytest.approx(3.0)
    assert answer.least_unplaced == pytest.approx(3.0, rel=1e-3)
    assert solve_siting(replace(problem, pupils=np.array([[3.0], [4.0]])), gap_share=0.0).least_unplaced == 0


def test_rows_without_arcs_stay_unplaced() -> None:
    problem = build_problem([[1], [INF]], [[2], [4]], [[(0.0, [9.0])]])
    answer = solve_siting(problem, gap_share=0.0)
    check_solution(problem, answer)
    assert answer.unplaced.ravel().tolist() == [0.0, 4.0]
    assert answer.objective == pytest.approx(2 + 4 * DEAR)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rules=st.integers(0, 3))
def test_small_problems_match_brute_force(seed: int, rules: int) -> None:
    problem = draw_problem(seed, rows=5, facilities=3, periods=2, rules=rules)
    choices = list_choices(problem)
    answer = solve_siting(problem, gap_share=0.0)
    if not choices:
        assert answer.status == "infeasible"
        return
    check_solution(problem, answer)
    best = min(solve_flow(problem, choice) for choice in choices)
    assert answer.objective == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert answer.bound <= best * (1 + 1e-9) + 1e-9
    assert answer.status == "optimal"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), price_seed=st.integers(0, 10**6))
def test_any_row_prices_give_a_cut_below_every_choice(seed: int, price_seed: int) -> None:
    problem = draw_problem(seed, rows=6, facilities=3, periods=2, rules=0)
    rng = np.random.default_rng(price_seed)
    prices = rng.uniform(-50, 80, (2, 6))
    cut, _ = SitingDual(problem).sort(prices)
    for choice in list_choices(problem)[:6]:
        told = problem.way_cost[choice].sum() + cut.base.sum() + cut.value[choice].sum()
        assert told <= evaluate_ways(problem, choice).objective * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_middle_problems_match_the_whole_programme(seed: int) -> None:
    problem = draw_problem(seed, rows=40, facilities=9, periods=3, rules=5)
    exact = solve_plain(problem, gap_share=0.0)
    answer = solve_siting(problem, gap_share=1e-6)
    if exact.way is None:
        assert answer.status == exact.status == "infeasible"
        return
    check_solution(problem, answer)
    assert answer.objective == pytest.approx(evaluate_ways(problem, exact.way).objective, rel=3e-6)
    assert answer.bound <= exact.bound * (1 + 3e-6)


def test_same_seed_same_answer_and_start_is_only_a_start() -> None:
    problem = draw_problem(5, rows=30, facilities=6, periods=2, rules=2)
    first, again = (solve_siting(problem, gap_share=0.0, seed=3) for _ in range(2))
    assert first.way.tolist() == again.way.tolist()
    assert first.bound == again.bound
    worst = problem.way_start[1:] - 1
    other = solve_siting(problem, gap_share=0.0, start=worst)
    assert other.objective == pytest.approx(first.objective, rel=1e-6)


def test_time_limit_gives_a_plan_with_an_honest_bound() -> None:
    problem = draw_problem(7, rows=60, facilities=12, periods=3, rules=0)
    answer = solve_siting(problem, gap_share=0.0, time_limit_s=0.0)
    check_solution(problem, answer)
    assert (answer.status, answer.stopped) == ("feasible", "time")
    assert answer.bound <= solve_siting(problem, gap_share=0.0).objective


def test_cancel_stops_the_search() -> None:
    problem = draw_problem(7, rows=60, facilities=12, periods=3, rules=0)
    calls = []

    def cancel(step: Message, share: float) -> None:
        calls.append(share)
        if len(calls) > 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        solve_siting(problem, gap_share=0.0, progress=cancel)
    assert len(calls) == 6
