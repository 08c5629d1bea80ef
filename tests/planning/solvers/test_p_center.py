"""p-center: hand-worked and brute-forced answers, and the published optima of the OR-Library graphs."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from benchmarks.location_files import build_problem, read_case
from geodata.errors import Cancelled, SolverError
from geodata.messages import Message
from planning.solvers.location_problems import LocationProblem
from planning.solvers.p_center import solve_p_center


def build(cost: np.ndarray, count: int | None, demand: np.ndarray | None = None) -> LocationProblem:  # type: ignore[type-arg]
    rows, sites = cost.shape
    return LocationProblem(
        cost=cost,
        demand=np.ones(rows) if demand is None else demand,
        capacity=np.full(sites, np.inf),
        fixed_cost=np.zeros(sites),
        count=count,
    )


def line(*places: float) -> np.ndarray:  # type: ignore[type-arg]
    at = np.array(places)
    return np.abs(at[:, None] - at[None, :])


def test_villages_on_a_line() -> None:
    # Villages at 0, 1, 2, 6, 8 km. One school: at 2 the farthest has 6. Two: at 1 and at 6 or 8, the farthest has 2.
    cost = line(0, 1, 2, 6, 8)
    one, two = solve_p_center(build(cost, 1)), solve_p_center(build(cost, 2))
    assert (one.objective, one.bound, one.status) == (6, 6, "optimal")
    assert (two.objective, two.bound, two.status) == (2, 2, "optimal")
    assert two.opened.sum() == 2
    assert cost[np.arange(5), two.site].max() == 2


def test_rows_without_demand_do_not_count() -> None:
    answer = solve_p_center(build(line(0, 1, 2, 100), 1, np.array([1.0, 1.0, 1.0, 0.0])))
    assert answer.objective == 1
    assert answer.site.tolist() == [1, 1, 1, 1]


def test_sites_left_over_shorten_the_way_of_the_others() -> None:
    # Villages at 0, 4, 10, 13 km, schools may stand at 0, 10 and 13. The village at 4 has 4 km whatever is open besides
    # 0; two sites do for that radius, and the third saves 3 km.
    cost = line(0, 4, 10, 13)[:, [0, 2, 3]]
    answer = solve_p_center(build(cost, 3))
    assert answer.objective == 4
    assert answer.opened.tolist() == [True, True, True]


@pytest.mark.parametrize("seed", range(25))
def test_brute_force(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, sites, count = int(random.integers(4, 14)), int(random.integers(3, 9)), int(random.integers(1, 4))
    cost = random.integers(1, 30, (rows, sites)).astype(float)
    cost[random.random((rows, sites)) < 0.3] = np.inf
    choices = combinations(range(sites), min(count, sites))
    best = min(cost[:, list(chosen)].min(axis=1).max() for chosen in choices)
    answer = solve_p_center(build(cost, count))
    assert answer.objective == best
    assert answer.bound == best
    assert answer.status == ("optimal" if np.isfinite(best) else "infeasible")
    if np.isfinite(best):
        assert answer.opened.sum() <= count
        assert cost[np.arange(rows), answer.site].max() == best
        assert answer.opened[answer.site].all()


def test_no_time_leaves_an_honest_bound() -> None:
    places = np.random.default_rng(3).random((80, 2))
    cost = np.hypot(*(places[:, None] - places[None, :]).transpose(2, 0, 1))
    hurried = solve_p_center(build(cost, 6), time_limit_s=0.0)
    calm = solve_p_center(build(cost, 6))
    assert calm.status == "optimal"
    assert hurried.bound <= calm.objective <= hurried.objective
    assert hurried.status in ("feasible", "optimal")


def test_cancel_and_missing_count() -> None:
    def stop(step: Message, share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        solve_p_center(build(line(0, 1, 2), 1), progress=stop)
    with pytest.raises(SolverError, match="number of sites"):
        solve_p_center(build(line(0, 1, 2), None))


@pytest.mark.real
@pytest.mark.parametrize("name", ["pmed2", "pmed5", "pmed8", "pmed10", "pmed15", "pmed20"])
def test_published_optima(cases: Path, name: str) -> None:
    case = read_case(cases / "bench" / "orlib_pmed" / f"{name}.txt")
    answer = solve_p_center(build_problem(case, "pcenter")[0], time_limit_s=60.0)
    assert answer.status == "optimal"
    assert answer.objective == answer.bound == case.optima["pcenter"]
