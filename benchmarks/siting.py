"""Schools and sites over the years, in a made-up county: our search against plain HiGHS on the same programme.

    python -m benchmarks.siting
    python -m benchmarks.siting --units 700 --schools 8 --sites 3 --periods 2 --time-limit 60
    python -m benchmarks.siting --units 20000 --schools 300 --sites 100 --periods 3 --time-limit 600 --no-peer --json

The peer is HiGHS on the strong formulation (``planning.solvers.siting_plain``) with the same time limit; from
``PEER_FLOWS`` flow variables on it is left out, for it does not get through presolve. The value of both is counted by
the same exact flows from the ways that they chose.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import Any

import numpy as np

from benchmarks.siting_county import CountySize, build_county
from planning.solvers.location_problems import SitingProblem
from planning.solvers.siting_highs import Watch
from planning.solvers.siting_plain import solve_plain
from planning.solvers.siting_solve import evaluate_ways, solve_siting

SIZES = (CountySize(500, 30, 8, 3), CountySize(700, 8, 3, 2), CountySize(2_000, 40, 10, 3))
PEER_FLOWS = 400_000


def main(arguments: list[str] | None = None) -> None:
    """Print value, bound, gap and seconds of ours and of the peer."""
    asked = _read_arguments(arguments)
    sizes = [CountySize(asked.units, asked.schools, asked.sites, asked.periods, asked.seed)] if asked.units else SIZES
    rows = []
    for size in sizes:
        problem = build_county(size)
        flows = len(problem.facility) * problem.n_periods
        rows.append(_describe(size, flows) | measure_ours(problem, asked.time_limit, asked.gap, asked.seed))
        if not asked.no_peer and flows <= PEER_FLOWS:
            rows.append(_describe(size, flows) | measure_peer(problem, asked.time_limit, asked.gap, asked.seed))
        if not asked.json:
            for row in rows[-2:] if not asked.no_peer and flows <= PEER_FLOWS else rows[-1:]:
                print(_render(row), flush=True)
    if asked.json:
        print(json.dumps(rows, indent=1))


def measure_ours(problem: SitingProblem, time_limit_s: float, gap_share: float, seed: int) -> dict[str, Any]:
    """Return what our search finds and proves in the time limit."""
    begun, processor = time.perf_counter(), time.process_time()
    answer = solve_siting(problem, time_limit_s=time_limit_s, gap_share=gap_share, seed=seed)
    return {
        "solver": "buju",
        "value": answer.objective,
        "bound": answer.bound,
        "gap_share": _gap(answer.objective, answer.bound),
        "status": answer.status,
        "unplaced_pupils": float(answer.unplaced.sum()),
        **_cost(begun, processor),
        "facts": {key: value for key, value in answer.facts.items() if not isinstance(value, list)},
    }


def measure_peer(problem: SitingProblem, time_limit_s: float, gap_share: float, seed: int) -> dict[str, Any]:
    """Return the same of HiGHS on the whole programme."""
    begun, processor = time.perf_counter(), time.process_time()
    choice = solve_plain(problem, watch=Watch(deadline=time.monotonic() + time_limit_s), gap_share=gap_share, seed=seed)
    cost = _cost(begun, processor)
    value = evaluate_ways(problem, choice.way).objective if choice.way is not None else float("inf")
    gap = _gap(value, choice.bound)
    return {"solver": "HiGHS", "value": value, "bound": choice.bound, "gap_share": gap, "status": choice.status, **cost}


def _gap(value: float, bound: float) -> float:
    return max(value - bound, 0.0) / abs(value) if np.isfinite(value) and value else float("inf")


def _cost(begun: float, processor: float) -> dict[str, float]:
    """Return seconds, processor seconds, and the most memory of the process so far."""
    return {
        "seconds": time.perf_counter() - begun,
        "processor_s": time.process_time() - processor,
        "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def _describe(size: CountySize, flows: int) -> dict[str, Any]:
    return {
        "units": size.units,
        "schools": size.schools,
        "sites": size.sites,
        "periods": size.periods,
        "seed": size.seed,
        "flow_variables": flows,
    }


def _render(row: dict[str, Any]) -> str:
    size = f"{row['units']:>6} units {row['schools']:>4} schools {row['sites']:>4} sites {row['periods']} periods"
    proof = f"value {row['value']:.6g} bound {row['bound']:.6g} gap {row['gap_share']:.3%}"
    return f"{size}  {row['solver']:<6} {proof} {row['seconds']:.1f} s ({row['processor_s']:.1f} s of processor)"


def _read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=0, help="planning units (0: three sizes where HiGHS can compete)")
    parser.add_argument("--schools", type=int, default=300)
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--periods", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gap", type=float, default=0.001, help="share at which the search may end")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds")
    parser.add_argument("--no-peer", action="store_true", help="leave plain HiGHS out")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
