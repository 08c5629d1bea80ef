"""Covering: set covering, maximal covering and p-center against spopt with HiGHS in the same run.

``python -m benchmarks.covering``; ``--fast`` leaves out the larger sizes. spopt writes its models with pulp and runs
HiGHS through highspy; ours run the same HiGHS on what their reductions and bounds leave (maximal covering branches by
itself and needs no solver). Its time is that from the cost matrix to the solved model, ours that from the cost matrix
to the answer. Both run on the same threads to a gap of 0, one after the other.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from planning.solvers.covering import solve_maximal_covering, solve_set_covering
from planning.solvers.covering_kernels import list_within
from planning.solvers.highs import THREADS
from planning.solvers.location_problems import CoverProblem, LocationAnswer, LocationProblem
from planning.solvers.p_center import solve_p_center
from planning.solvers.problems import Floats

COVER_SIZES = ((500, 60), (2_000, 100), (5_000, 200))
CENTER_SIZES = ((100, 30), (200, 50))
RADIUS_KM = 6.0
COUNT_SHARE = 0.1
PEER_LIMIT_S = 300.0
REPEATS = 3
T = TypeVar("T")


def main() -> None:
    """Print the table; stops with an error where a peer that ran to the end found a better plan."""
    fast = "--fast" in sys.argv
    measure_covers(build_county(60, 20))  # compile
    measure_center(build_county(60, 20))
    print("| problem | units × sites | ours | s | spopt with HiGHS | s | of these in HiGHS | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for units, sites in COVER_SIZES[:1] if fast else COVER_SIZES:
        for line in measure_covers(build_county(units, sites)):
            print(line, flush=True)
    for units, sites in CENTER_SIZES[:1] if fast else CENTER_SIZES:
        print(measure_center(build_county(units, sites)), flush=True)


def build_county(units: int, sites: int) -> tuple[Floats, Floats]:
    """Return distances in km (units, sites) and pupils: towns in a county of 60 km, sites among the units."""
    random = np.random.default_rng(units)
    towns = random.random((30, 2)) * 60
    places = towns[random.integers(0, 30, units)] + random.normal(0, 3, (units, 2))
    chosen = places[random.choice(units, sites, replace=False)]
    distance = np.hypot(*(places[:, None] - chosen[None, :]).transpose(2, 0, 1))
    return distance, random.integers(1, 200, units).astype(np.float64)


def measure_covers(county: tuple[Floats, Floats]) -> list[str]:
    """Return the lines of set covering and maximal covering."""
    from spopt.locate import LSCP, MCLP

    distance, pupils = county
    reached = distance.min(axis=1) <= RADIUS_KM
    distance, pupils = distance[reached], pupils[reached]
    count = max(int(COUNT_SHARE * distance.shape[1]), 1)
    size = f"{len(pupils):,} × {distance.shape[1]}"
    ours, seconds = time_best(lambda: solve_set_covering(build_cover(distance, pupils), time_limit_s=PEER_LIMIT_S))
    peer = time_peer(lambda: LSCP.from_cost_matrix(distance, RADIUS_KM))
    lines = [write_line("set covering, sites", size, (ours, seconds), peer)]
    ours, seconds = time_best(
        lambda: solve_maximal_covering(build_cover(distance, pupils), count, time_limit_s=PEER_LIMIT_S)
    )
    peer = time_peer(lambda: MCLP.from_cost_matrix(distance, pupils, RADIUS_KM, count))
    return [*lines, write_line(f"maximal covering, {count} sites, pupils", size, (ours, seconds), peer)]


def measure_center(county: tuple[Floats, Floats]) -> str:
    """Return the line of p-center."""
    from spopt.locate import PCenter

    distance, pupils = county
    sites = distance.shape[1]
    count = max(int(COUNT_SHARE * sites), 1)
    problem = LocationProblem(distance, pupils, np.full(sites, np.inf), np.zeros(sites), count)
    ours, seconds = time_best(lambda: solve_p_center(problem, time_limit_s=PEER_LIMIT_S))
    peer = time_peer(lambda: PCenter.from_cost_matrix(distance, count))
    return write_line(f"p-center, {count} sites, km", f"{len(distance):,} × {sites}", (ours, seconds), peer)


def build_cover(distance: Floats, pupils: Floats) -> CoverProblem:
    """Return which sites cover which units."""
    start, site = list_within(distance, RADIUS_KM, int(np.count_nonzero(distance <= RADIUS_KM)))
    return CoverProblem(start=start, site=site, weight=pupils, site_cost=np.ones(distance.shape[1]))


def time_best(run: Callable[[], T]) -> tuple[T, float]:
    """Return the answer and the best time of several runs."""
    best = np.inf
    for _ in range(REPEATS):
        started = time.perf_counter()
        answer = run()
        best = min(best, time.perf_counter() - started)
    return answer, best


def time_peer(build: Callable[[], Any]) -> tuple[float, float, float, bool]:
    """Return objective, seconds in all, seconds in the solver, and whether it proved its answer."""
    import pulp

    started = time.perf_counter()
    model = build()
    solver = pulp.HiGHS(msg=False, timeLimit=PEER_LIMIT_S, threads=THREADS, gapRel=0.0)
    model.solve(solver, results=False)
    seconds = time.perf_counter() - started
    problem = model.problem
    proven = problem.sol_status == pulp.LpSolutionOptimal
    return float(pulp.value(problem.objective)), seconds, float(problem.solutionTime), proven


def write_line(name: str, size: str, ours: tuple[LocationAnswer, float], peer: tuple[float, float, float, bool]) -> str:
    """Return one line of the table.

    Raises
    ------
    RuntimeError
        Where the peer proved another optimum than ours.
    """
    answer, seconds = ours
    value, peer_seconds, solver_seconds, proven = peer
    if proven and answer.status == "optimal" and abs(value - answer.objective) > 1e-5 * max(abs(value), 1.0):
        raise RuntimeError(f"{name}, {size}: {answer.objective} here, {value} there.")
    told = f"{value:,.6g}" + ("" if proven else " (not proven in time)")
    shown = f"{answer.objective:,.6g}" + ("" if answer.status == "optimal" else " (not proven in time)")
    return (
        f"| {name} | {size} | {shown} | {seconds:.3f} | {told} | {peer_seconds:.2f} | {solver_seconds:.2f}"
        f" | {peer_seconds / seconds:,.0f} |"
    )


if __name__ == "__main__":
    main()
