"""Capacitated location with split rows: hand-worked, brute force over the sites, published optima."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from benchmarks.location_files import build_problem, read_case
from geodata.errors import Cancelled, SolverError
from geodata.messages import Message
from planning.solvers.cflp import solve_split_location
from planning.solvers.location_problems import LocationAnswer, LocationProblem

LITERATURE = {
    "capa": {8000: 19240822.449, 10000: 18438046.543, 12000: 17765201.949, 14000: 17160439.012},
    "capb": {5000: 13656379.578, 6000: 13361927.449, 7000: 13198556.434, 8000: 13082516.496},
    "capc": {5000: 11646596.974, 5750: 11570340.289, 6500: 11518743.744, 7250: 11505767.394},
}
"""Optima by capacity of the series (J. E. Beasley's collection)."""


def check_plan(problem: LocationProblem, answer: LocationAnswer) -> None:
    """The plan serves every row within the capacities, and costs what is told."""
    assert answer.share is not None
    assert answer.share.min() >= 0
    assert answer.share.sum(axis=1) == pytest.approx(np.ones(problem.n_rows))
    assert not answer.share[:, ~answer.opened].any()
    loads = problem.demand @ answer.share
    assert (loads <= np.where(answer.opened, problem.capacity, 0.0) + 1e-6 * problem.demand.sum()).all()
    served = np.where(answer.share > 0, problem.cost, 0.0) * answer.share
    assert answer.objective == pytest.approx(problem.fixed_cost[answer.opened].sum() + served.sum())
    assert answer.bound <= answer.objective * (1 + 1e-12)


def serve(problem: LocationProblem, sites: list[int]) -> float:
    """Least cost of serving all rows from the sites, by a linear programme."""
    n, k = problem.n_rows, len(sites)
    cost = problem.cost[:, sites].ravel()
    allowed = np.isfinite(cost)
    rows = np.kron(np.eye(n), np.ones((1, k)))
    loads = np.kron(problem.demand[None, :], np.eye(k))
    result = linprog(
        np.where(allowed, cost, 0.0),
        A_ub=loads,
        b_ub=np.minimum(problem.capacity[sites], 1e9),
        A_eq=rows,
        b_eq=np.ones(n),
        bounds=[(0, 1) if ok else (0, 0) for ok in allowed],
    )
    return float(result.fun + problem.fixed_cost[sites].sum()) if result.status == 0 else np.inf


def test_a_village_is_split_between_two_schools() -> None:
    # Two villages of 10 beside schools A and B of 12 and 8 places, 4 apart (cost 40 for the whole village): both must
    # open (3 + 5); the second village sends 8 of 10 to B and 2 to A: 0.2 * 40 = 8. In all 16.
    problem = LocationProblem(
        cost=np.array([[0.0, 40.0], [40.0, 0.0]]),
        demand=np.array([10.0, 10.0]),
        capacity=np.array([12.0, 8.0]),
        fixed_cost=np.array([3.0, 5.0]),
        single_source=False,
    )
    answer = solve_split_location(problem)
    assert answer.objective == pytest.approx(16)
    assert answer.status == "optimal"
    assert answer.share is not None
    assert answer.share == pytest.approx(np.array([[1.0, 0.0], [0.2, 0.8]]))
    assert answer.site.tolist() == [0, 1]


def test_capacities_that_hold_less_than_the_demand() -> None:
    problem = LocationProblem(
        cost=np.ones((3, 2)), demand=np.full(3, 4.0), capacity=np.full(2, 5.0), fixed_cost=np.zeros(2)
    )
    answer = solve_split_location(problem)
    assert answer.status == "infeasible"
    assert answer.objective == answer.bound == np.inf
    assert answer.share is None and (answer.site == -1).all()


def test_rows_that_may_only_go_to_full_sites() -> None:
    # All three rows may go to site 0 only, which holds two of them, though site 1 has room.
    cost = np.array([[1.0, np.inf]] * 3)
    problem = LocationProblem(cost=cost, demand=np.ones(3), capacity=np.array([2.0, 9.0]), fixed_cost=np.zeros(2))
    assert solve_split_location(problem).status == "infeasible"


@pytest.mark.parametrize("seed", range(20))
def test_brute_force(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, sites = int(random.integers(3, 9)), int(random.integers(2, 6))
    demand = random.integers(0 if seed % 3 == 0 else 1, 9, rows).astype(float)
    cost = random.integers(1, 40, (rows, sites)).astype(float)
    if seed % 4 == 0:
        cost[random.random((rows, sites)) < 0.2] = np.inf
        cost[:, 0] = random.integers(1, 40, rows)
    capacity = random.integers(4, 4 + int(2.5 * demand.sum() / sites) + 1, sites).astype(float)
    if seed % 5 == 0:
        capacity[0] = np.inf
    count = int(random.integers(1, sites + 1)) if seed % 2 else None
    problem = LocationProblem(
        cost=cost,
        demand=demand,
        capacity=capacity,
        fixed_cost=random.integers(0, 60, sites).astype(float),
        count=count,
        single_source=False,
    )
    sizes = range(1, sites + 1) if count is None else [count]
    best = min(serve(problem, list(chosen)) for size in sizes for chosen in combinations(range(sites), size))
    answer = solve_split_location(problem, seed=seed)
    if np.isfinite(best):
        assert answer.status == "optimal"
        assert answer.objective == pytest.approx(best, rel=1e-7, abs=1e-7)
        assert answer.bound == pytest.approx(best, rel=1e-6, abs=1e-6)
        check_plan(problem, answer)
        assert count is None or answer.opened.sum() == count
    else:
        assert answer.objective == np.inf
        assert answer.status in ("infeasible", "no_plan_in_time")


def build_county(rows: int, sites: int) -> LocationProblem:
    random = np.random.default_rng(rows)
    places = random.random((rows, 2)) * 20
    demand = random.integers(1, 40, rows).astype(float)
    capacity = np.full(sites, 3.0 * demand.sum() / sites)
    distance = np.hypot(*(places[:, None] - places[None, :sites]).transpose(2, 0, 1))
    return LocationProblem(
        cost=demand[:, None] * distance,
        demand=demand,
        capacity=capacity,
        fixed_cost=random.uniform(400, 700, sites),
        single_source=False,
    )


def test_hurry_and_wide_gaps_are_honest() -> None:
    problem = build_county(60, 15)
    calm = solve_split_location(problem)
    assert calm.status == "optimal"
    check_plan(problem, calm)
    for answer in (solve_split_location(problem, time_limit_s=0.0), solve_split_location(problem, gap_share=0.05)):
        check_plan(problem, answer)
        assert answer.bound <= calm.objective * (1 + 1e-9)
        assert answer.objective >= calm.bound
    assert solve_split_location(problem, gap_share=0.05).gap_share <= 0.05


def test_cancel_and_wrong_numbers() -> None:
    def stop(step: Message, share: float) -> None:
        raise Cancelled

    problem = build_county(30, 6)
    with pytest.raises(Cancelled):
        solve_split_location(problem, progress=stop)
    with pytest.raises(SolverError, match="0 or more"):
        solve_split_location(LocationProblem(problem.cost - 1e6, problem.demand, problem.capacity, problem.fixed_cost))


@pytest.mark.real
@pytest.mark.parametrize("number", [71, 74, 101, 103, 131, 133, 134])
def test_published_optima_without_limits(cases: Path, number: int) -> None:
    case = read_case(cases / "bench" / "orlib_cap" / f"cap{number}.txt")
    problem, _ = build_problem(case, "cflp")
    answer = solve_split_location(problem, time_limit_s=60.0)
    check_plan(problem, answer)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(case.optima["uncapacitated"], rel=1e-8)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "capacity"), [(name, capacity) for name, values in LITERATURE.items() for capacity in values]
)
def test_published_optima_with_limits(cases: Path, name: str, capacity: int) -> None:
    case = read_case(cases / "bench" / "orlib_cap" / f"{name}.txt")
    problem, _ = build_problem(case, "cflp", capacity=float(capacity))
    answer = solve_split_location(problem, time_limit_s=120.0)
    check_plan(problem, answer)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(LITERATURE[name][capacity], rel=1e-9)
