"""p-median: within 0.5 % and to the optimum, against spopt with the same solver (HiGHS) in the same run; and growth.

``python -m benchmarks.p_median``; ``--fast`` leaves out the larger peers and sizes. spopt writes its model with pulp
and runs HiGHS to the same gap; its time is that from the cost matrix to the solved model, ours that from the cost
matrix to the answer. Both use one machine, one after the other; CPU seconds stand beside the clock of ours, because a
busy machine slows the clock.
"""

from __future__ import annotations

import resource
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.solvers.highs import THREADS
from planning.solvers.location_problems import LocationAnswer, LocationProblem
from planning.solvers.p_median import solve_p_median
from planning.solvers.problems import Floats

PEER_CASES = ((300, 60, 10), (900, 100, 10))
PEER_GAPS = (0.005, 0.0)
PEER_LIMIT_S = 600.0
GROWTH = (
    (900, 900, 30, 0.0, 120.0),
    (3_000, 3_000, 60, 0.001, 120.0),
    (50_000, 500, 60, 0.005, 120.0),
)
"""Rows, sites, sites to open, gap at which to stop, time limit in seconds."""
KINDS = ("uniform", "clustered")
FLOAT32_CELLS = 10_000_000
REPEATS = 3


def main() -> None:
    """Print the tables; stops with an error where a peer proved a better plan."""
    fast = "--fast" in sys.argv
    solve_p_median(build_problem(60, 20, 4))  # compile
    print("| units × sites, open | gap asked | ours | s | spopt with HiGHS | s | of these in HiGHS | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for rows, sites, count in PEER_CASES[:1] if fast else PEER_CASES:
        for gap in PEER_GAPS:
            print(compare(build_problem(rows, sites, count), gap), flush=True)
    print("\n| units × sites, open | layout | cost | bound | proven gap | s | CPU s | most MB | steps |")
    print("|---|---|---|---|---|---|---|---|---|")
    for rows, sites, count, gap, limit_s in GROWTH[:1] if fast else GROWTH:
        for kind in KINDS:
            print(measure(rows, sites, count, kind=kind, gap=gap, limit_s=limit_s), flush=True)


def build_problem(rows: int, sites: int, count: int, *, kind: str = "uniform", seed: int = 2026) -> LocationProblem:
    """Return a county of 60 km: homes uniform or in 40 clusters, 1 to 9 pupils each, pupil-km; sites among them."""
    draw = np.random.default_rng(seed)
    homes = draw.uniform(0, 60, (rows, 2))
    if kind == "clustered":
        homes = draw.uniform(0, 60, (40, 2))[draw.integers(0, 40, rows)] + draw.normal(0, 2, (rows, 2))
    places = homes if sites == rows else homes[draw.choice(rows, sites, replace=False)]
    pupils = draw.integers(1, 10, rows).astype(np.float64)
    cost: npt.NDArray[np.floating[Any]] = np.hypot(
        homes[:, None, 0] - places[None, :, 0], homes[:, None, 1] - places[None, :, 1]
    )
    cost *= pupils[:, None]
    if cost.size > FLOAT32_CELLS:
        cost = cost.astype(np.float32)
    return LocationProblem(cost, pupils, np.full(sites, np.inf), np.zeros(sites), count)


def compare(problem: LocationProblem, gap: float) -> str:
    """Return one line against the peer.

    Raises
    ------
    RuntimeError
        Where the peer found a better plan than ours can be.
    """
    best = np.inf
    for _ in range(REPEATS):
        began = time.perf_counter()
        answer = solve_p_median(problem, gap_share=gap, time_limit_s=PEER_LIMIT_S)
        best = min(best, time.perf_counter() - began)
    value, seconds, solver_seconds = solve_with_spopt(np.asarray(problem.cost, np.float64), problem.count or 1, gap)
    if value < answer.bound * (1 - 1e-6):
        raise RuntimeError(f"{answer.bound} proven here, {value} there.")
    return (
        f"| {write_size(problem)} | {gap:.1%} | {answer.objective:,.2f} ({answer.gap_share:.2%}) | {best:.3f}"
        f" | {value:,.2f} | {seconds:.1f} | {solver_seconds:.1f} | {seconds / best:,.0f} |"
    )


def solve_with_spopt(cost: Floats, count: int, gap: float) -> tuple[float, float, float]:
    """Return cost, seconds in all, and seconds in the solver."""
    import pulp
    from spopt.locate import PMedian

    began = time.perf_counter()
    model = PMedian.from_cost_matrix(cost, np.ones(len(cost)), count)
    solver = pulp.HiGHS(msg=False, timeLimit=PEER_LIMIT_S, threads=THREADS, gapRel=gap)
    model.solve(solver, results=False)
    seconds = time.perf_counter() - began
    return float(pulp.value(model.problem.objective)), seconds, float(model.problem.solutionTime)


def measure(rows: int, sites: int, count: int, *, kind: str, gap: float, limit_s: float) -> str:
    """Return one line of growth."""
    problem = build_problem(rows, sites, count, kind=kind)
    began, cpu = time.perf_counter(), time.process_time()
    answer: LocationAnswer = solve_p_median(problem, gap_share=gap, time_limit_s=limit_s)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    steps = ", ".join(f"{name} {value:,.10g}" for name, value in answer.facts.items())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"| {write_size(problem)} | {kind} | {answer.objective:,.2f} | {answer.bound:,.2f} | {answer.gap_share:.4%}"
        f" ({answer.stopped}) | {seconds:.1f} | {cpu:.1f} | {peak_mb:,.0f} | {steps} |"
    )


def write_size(problem: LocationProblem) -> str:
    """Return the size in words."""
    return f"{problem.n_rows:,} × {problem.n_sites:,}, {problem.count}"


if __name__ == "__main__":
    main()
