"""Whole units: brute force where small, laws, published optima of single-source sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planning.solvers.knapsack_bound import bound_whole_units
from planning.solvers.problems import TransportProblem
from planning.solvers.transport import solve_transport
from planning.solvers.whole_units import price_plan, solve_whole_units
from tests.planning.solvers.test_knapsack_bound import count_plans, list_plans
from tests.planning.solvers.test_transport import build_county, build_problem, problems


def check_plan(problem: TransportProblem, answer) -> None:
    reached = np.diff(problem.start) > 0
    assert (answer.school[~reached] == -1).all()
    objective, overload = price_plan(problem, answer.school)
    assert objective == answer.objective
    assert np.array_equal(overload, answer.overload)
    assert answer.bound <= answer.objective
    assert answer.split_bound <= answer.bound + 1e-9 * (1 + abs(answer.bound))


@given(problems(), st.integers(0, 3))
@settings(max_examples=120)
def test_small_problems_are_lawful_and_not_below_the_best(problem, seed):
    assume(problem.overload_price < 1e6 and count_plans(problem) <= 7_000)
    answer = solve_whole_units(problem, seed=seed, rounds=8)
    check_plan(problem, answer)
    best = list_plans(problem)
    assert answer.objective >= best - 1e-7 * (1 + best)


@given(problems())
@settings(max_examples=60)
def test_exact_finds_the_best_plan(problem):
    assume(problem.overload_price < 1e6 and count_plans(problem) <= 7_000)
    answer = solve_whole_units(problem, rounds=1, exact=True)
    check_plan(problem, answer)
    best = list_plans(problem)
    assert answer.objective == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert answer.bound <= best + 1e-6 * (1 + best)


def test_search_finds_what_brute_force_finds():
    draw = np.random.default_rng(4)
    for _ in range(20):
        rows = [dict(enumerate(draw.integers(1, 30, 3).astype(float))) for _ in range(8)]
        problem = build_problem(rows, draw.integers(5, 40, 8), np.full(3, 70.0), price=200.0)
        answer = solve_whole_units(problem, enough=0.0, rounds=40)
        assert answer.objective == pytest.approx(list_plans(problem), rel=1e-12)


@pytest.mark.parametrize("fill", [0.8, 0.95, 1.02])
def test_many_small_units_lose_next_to_nothing(fill):
    problem = build_county(5_000, 60, fill=fill, seed=2)
    split = solve_transport(problem)
    answer = solve_whole_units(problem, transport=split)
    check_plan(problem, answer)
    assert answer.objective <= split.bound * 1.0005


def test_the_same_seed_gives_the_same_plan():
    problem = build_county(1_500, 30, fill=0.97, seed=5)
    first, second = (solve_whole_units(problem, seed=7, rounds=20, enough=0.0, time_limit_s=600) for _ in range(2))
    assert np.array_equal(first.school, second.school)


def test_fractional_pupils():
    problem = build_county(2_000, 30, fill=0.95, seed=6)
    pupils = problem.pupils + np.random.default_rng(1).uniform(0, 1, problem.n_rows)
    places = problem.places * pupils.sum() / problem.pupils.sum()
    problem = TransportProblem(problem.start, problem.school, problem.cost, pupils, places, 1000.0)
    answer = solve_whole_units(problem)
    check_plan(problem, answer)
    assert answer.objective <= answer.split_bound * 1.001


def test_a_plan_with_a_row_nowhere_is_refused():
    problem = build_problem([{0: 1.0}], [1.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="no arc"):
        price_plan(problem, np.array([1], dtype=np.int32))
    with pytest.raises(ValueError, match="nowhere"):
        price_plan(problem, np.array([-1], dtype=np.int32))


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "sscflp_holmberg/p1",
        "sscflp_holmberg/p25",
        "sscflp_orlib_small/p3",
        "orlib_pmedcap/pmedcap1_13.txt",
        "sjc_cpmp/SJC1.dat",
    ],
)
def test_published_optima_with_the_sites_known(cases: Path, name):
    from benchmarks.published import list_published

    instance = next(instance for instance in list_published(cases / "bench") if instance.name == name)
    answer = solve_whole_units(instance.problem, exact=True, time_limit_s=20)
    assert answer.objective + instance.fixed_cost == pytest.approx(instance.optimum, rel=2e-5)
    assert answer.bound <= answer.objective
    bound, _ = bound_whole_units(instance.problem, answer.objective)
    assert bound <= answer.objective * (1 + 1e-9)
    assert bound + instance.fixed_cost >= 0.97 * instance.optimum
