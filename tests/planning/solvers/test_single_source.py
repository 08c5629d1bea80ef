"""Single-source location: hand-worked, by trying all plans, laws, impossible demands, and published optima."""

from __future__ import annotations

import math
import time
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.location_files import build_problem as build_case
from benchmarks.location_files import find_optimum, read_case
from geodata.errors import Cancelled
from geodata.messages import Message
from planning.solvers.location_problems import LocationAnswer, LocationProblem
from planning.solvers.single_source import solve_single_source
from planning.solvers.single_source_instance import build_instance
from planning.solvers.single_source_kernels import pack, pack_any, pack_whole


def build_problem(
    cost: list[list[float]],
    demand: list[float],
    capacity: list[float],
    fixed: list[float] | None = None,
    count: int | None = None,
) -> LocationProblem:
    return LocationProblem(
        np.array(cost, dtype=float),
        np.array(demand, dtype=float),
        np.array(capacity, dtype=float),
        np.array(fixed or [0.0] * len(capacity)),
        count,
    )


def try_all(problem: LocationProblem) -> float:
    """Return the cost of the best plan, by trying every one; ``inf`` where there is none."""
    best = math.inf
    for plan in product(range(problem.n_sites), repeat=problem.n_rows):
        site = np.array(plan, dtype=int)
        load = np.bincount(site, weights=problem.demand, minlength=problem.n_sites)
        used = np.unique(site)
        if (load > problem.capacity + 1e-9).any() or (problem.count is not None and len(used) > problem.count):
            continue
        cost = problem.cost[np.arange(problem.n_rows), site].sum() + problem.fixed_cost[used].sum()
        best = min(best, float(cost))
    return best


def check_lawful(problem: LocationProblem, answer: LocationAnswer) -> None:
    """Each row once, at an open site that it may use, within capacity; the objective is that of the plan."""
    assert (answer.site >= 0).all() and answer.opened[answer.site].all()
    load = np.bincount(answer.site, weights=problem.demand, minlength=problem.n_sites)
    assert (load <= problem.capacity + 1e-9 * max(1.0, problem.demand.sum())).all()
    cost = problem.cost[np.arange(problem.n_rows), answer.site].sum() + problem.fixed_cost[answer.opened].sum()
    assert cost == pytest.approx(answer.objective, rel=1e-9)
    assert answer.bound <= answer.objective
    assert problem.count is None or answer.opened.sum() <= problem.count


# Four villages on a line at 0, 1, 4, 5 with 2 pupils each; a school may stand in each and holds 4.
LINE = [[abs(a - b) * 2.0 for b in (0, 1, 4, 5)] for a in (0, 1, 4, 5)]


def test_two_medians_on_a_line() -> None:
    # One school in each pair: one village of each pair walks 1 km, 2 pupils: 2 + 2 = 4.
    answer = solve_single_source(build_problem(LINE, [2] * 4, [4] * 4, count=2))
    assert (answer.status, answer.objective, answer.bound) == ("optimal", 4.0, 4.0)
    assert answer.opened[:2].sum() == answer.opened[2:].sum() == 1


def test_capacity_sends_a_whole_row_away() -> None:
    # Site 0 (free of charge) holds 5 of the demands 3, 3, 2: with 3 + 2 at cost 0, the other 3 goes to site 1 for 7.
    problem = build_problem([[0, 9], [0, 7], [0, 8]], [3, 3, 2], [5, 5])
    answer = solve_single_source(problem)
    assert answer.objective == 7.0 and answer.site.tolist() == [0, 1, 0]


def test_fixed_costs_decide_how_many_open() -> None:
    cheap = solve_single_source(build_problem(LINE, [2] * 4, [8] * 4, [1.0] * 4))
    dear = solve_single_source(build_problem(LINE, [2] * 4, [8] * 4, [50.0] * 4))
    # At 1 a school, each village has its own (4); at 50, one serves all: 2 + 8 + 10 or, from village 1, 2 + 6 + 8 = 16.
    assert (cheap.objective, cheap.opened.sum()) == (4.0, 4)
    assert (dear.objective, dear.opened.sum()) == (66.0, 1)


def test_rows_of_no_demand_and_sites_of_no_or_endless_capacity() -> None:
    problem = build_problem([[5, 1, 9], [1, 0, 3], [2, 0, 1]], [0, 4, 4], [math.inf, 0, 4])
    answer = solve_single_source(problem)
    # Row 0 takes nothing and may use site 1 of capacity 0; the others share sites 0 and 2.
    assert answer.site.tolist() == [1, 0, 2] and answer.objective == 3.0


def test_costs_below_zero() -> None:
    # A subsidised way: rows 0 and 1 both go to site 1 (-3 and -1) if it holds them; it holds one of them.
    answer = solve_single_source(build_problem([[0, -3], [0, -1]], [2, 2], [4, 3]))
    assert (answer.status, answer.objective, answer.site.tolist()) == ("optimal", -3.0, [1, 0])


def test_no_rows() -> None:
    answer = solve_single_source(LocationProblem(np.empty((0, 2)), np.empty(0), np.ones(2), np.ones(2)))
    assert (answer.status, answer.objective, len(answer.site)) == ("optimal", 0.0, 0)


@pytest.mark.parametrize(
    ("demand", "capacity", "count"),
    [
        ([5, 1, 1], [4, 4], None),  # one row fits nowhere
        ([3, 3, 3], [4, 4], None),  # 9 of demand, 8 of capacity
        ([3, 3, 3], [5, 5], None),  # 10 of capacity, but a site holds one row only: three rows, two sites
        ([2, 2, 2], [4, 4], 1),  # one site is not enough
    ],
)
def test_impossible_demands_are_proven(demand: list[float], capacity: list[float], count: int | None) -> None:
    answer = solve_single_source(build_problem([[1, 2], [2, 1], [1, 1]], demand, capacity, count=count))
    assert answer.status == "infeasible" and answer.stopped == "proven"
    assert (answer.site == -1).all() and not answer.opened.any()


def test_unknown_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="demands and fixed costs"):
        solve_single_source(build_problem([[1, 1]], [-1], [1, 1]))
    with pytest.raises(ValueError, match="capacities"):
        solve_single_source(build_problem([[1, math.nan]], [1], [1, 1]))


def draw_problem(seed: int) -> LocationProblem:
    rng = np.random.default_rng(seed)
    rows, sites = int(rng.integers(2, 8)), int(rng.integers(1, 4))
    whole = rng.random() < 0.5
    demand = rng.integers(0, 9, rows).astype(float) if whole else rng.random(rows) * 3
    cost = rng.integers(0, 20, (rows, sites)).astype(float) if rng.random() < 0.5 else rng.random((rows, sites))
    cost[rng.random((rows, sites)) < 0.1] = np.inf
    capacity = demand.sum() * (0.3 + rng.random(sites)) * 1.4 / sites
    fixed = rng.integers(0, 15, sites) * float(cost[np.isfinite(cost)].max(initial=1.0)) / 5
    count = int(rng.integers(1, sites + 1)) if rng.random() < 0.4 else None
    return LocationProblem(cost, demand, np.round(capacity) if whole else capacity, fixed, count)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_as_good_as_trying_all(seed: int) -> None:
    problem = draw_problem(seed)
    best, answer = try_all(problem), solve_single_source(problem)
    if math.isinf(best):
        assert answer.status == "infeasible"
        return
    check_lawful(problem, answer)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(best, rel=2e-6, abs=1e-9)


def draw_county(rows: int, sites: int, seed: int = 3) -> LocationProblem:
    rng = np.random.default_rng(seed)
    place, at = rng.random((rows, 2)), rng.random((sites, 2))
    demand = rng.integers(5, 40, rows).astype(float)
    cost = np.round(np.hypot(*(place[:, None] - at).transpose(2, 0, 1)) * demand[:, None], 3)
    capacity = np.full(sites, np.round(2.5 * demand.sum() / sites))
    return LocationProblem(cost, demand, capacity, 10.0 + 60.0 * rng.random(sites))


def test_the_same_answer_twice_and_with_rows_shuffled() -> None:
    problem = draw_county(40, 8)
    first, again = solve_single_source(problem, seed=5), solve_single_source(problem, seed=5)
    assert (first.site == again.site).all() and first.bound == again.bound
    order = np.random.default_rng(0).permutation(40)
    turned = LocationProblem(problem.cost[order], problem.demand[order], problem.capacity, problem.fixed_cost)
    check_lawful(problem, first)
    assert solve_single_source(turned).objective == pytest.approx(first.objective, rel=1e-6)


def test_more_capacity_never_costs_more() -> None:
    problem = draw_county(30, 6, seed=8)
    roomy = LocationProblem(problem.cost, problem.demand, 1.5 * problem.capacity, problem.fixed_cost)
    assert solve_single_source(roomy).bound <= solve_single_source(problem).objective


def test_a_time_limit_leaves_an_honest_bound() -> None:
    problem = draw_county(300, 60)
    clock = time.perf_counter()
    answer = solve_single_source(problem, time_limit_s=0.5)
    assert time.perf_counter() - clock < 20.0
    assert answer.stopped in ("time", "proven")
    if answer.status != "no_plan_in_time":
        check_lawful(problem, answer)


def test_a_gap_is_enough() -> None:
    answer = solve_single_source(draw_county(60, 12), gap_share=0.05)
    assert answer.gap_share <= 0.05 + 1e-9


def test_cancelling_gets_through() -> None:
    def stop(step: Message, share: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        solve_single_source(draw_county(40, 8), progress=stop)


def test_knapsacks_agree() -> None:
    rng = np.random.default_rng(4)
    for _ in range(40):
        n = int(rng.integers(1, 9))
        gain, load, room = rng.random(n), rng.integers(1, 9, n), int(rng.integers(0, 20))
        best = max(
            float(gain[list(map(bool, bits))].sum())
            for bits in product((0, 1), repeat=n)
            if load[list(map(bool, bits))].sum() <= room
        )
        order = np.argsort(-gain / load)
        taken = np.zeros(n, dtype=bool)
        value, exact = pack(gain[order], load[order].astype(float), float(room), 0.0, taken, 1_000)
        assert exact and value == pytest.approx(best)
        value, exact = pack(gain[order], load[order].astype(float), float(room), 0.0, taken, 1)
        assert value >= best - 1e-12
        assert pack_whole(gain, load, room, taken) == pytest.approx(best)
        assert pack_any(gain, load.astype(float), float(room), 0.0, True, taken)[0] == pytest.approx(best)
        assert gain[taken].sum() == pytest.approx(best)


def test_whole_numbers_are_found() -> None:
    instance = build_instance(build_problem([[1, 2], [3, 4]], [1.5, 3.0], [3.7, 4.6]))
    assert instance.whole and instance.demand.tolist() == [1.0, 2.0] and instance.room.tolist() == [2.0, 3.0]
    assert instance.grain == 1.0
    assert not build_instance(build_problem([[1, 2]], [math.pi], [4, 4])).whole


QUICK = (
    "orlib_pmedcap/pmedcap1_2.txt cpmp",
    "sjc_cpmp/SJC1.dat cpmp",
    "sscflp_holmberg/p2 sscflp",
    "sscflp_holmberg/p31 sscflp",
    "sscflp_orlib_small/p3 sscflp",
    "sscflp_delmaire/p1 sscflp",
)
LONGER = (
    "orlib_pmedcap/pmedcap1_15.txt cpmp",
    "sjc_cpmp/SJC2.dat cpmp",
    "sscflp_delmaire/p50 sscflp",
)


def check_published(cases: Path, name: str) -> None:
    file, kind = name.split()
    case = read_case(cases / "bench" / file)
    problem, _ = build_case(case, kind)
    optimum = find_optimum(case, kind, problem)
    answer = solve_single_source(problem)
    check_lawful(problem, answer)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(optimum, rel=2e-6)


@pytest.mark.real
@pytest.mark.parametrize("name", QUICK)
def test_published_optima(cases: Path, name: str) -> None:
    check_published(cases, name)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("name", LONGER)
def test_larger_published_optima(cases: Path, name: str) -> None:
    check_published(cases, name)
