"""Solve a published location instance: objective, proven bound, gap and seconds.

``python -m benchmarks.location FILE --kind pmedian|pcenter|cpmp|sscflp|cflp [--time-limit 60] [--json]
[--out PLAN.json] [--p N] [--capacity N] [--gap 0] [--seed 0]``. Layouts are told apart by content: see
``benchmarks.location_files``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.location_files import KINDS, CaseError, LocationCase, build_problem, find_optimum, read_case
from geodata.errors import LayoutError
from planning.solvers.location_problems import LocationAnswer, LocationProblem

SOLVERS = {
    "pmedian": ("planning.solvers.p_median", "solve_p_median"),
    "pcenter": ("planning.solvers.p_center", "solve_p_center"),
    "cpmp": ("planning.solvers.single_source", "solve_single_source"),
    "sscflp": ("planning.solvers.single_source", "solve_single_source"),
    "cflp": ("planning.solvers.cflp", "solve_split_location"),
}
SPLIT_SHARE = 1e-9
"""Shares below this are rounding."""


def main(arguments: list[str] | None = None) -> int:
    """Solve one file; return 0, or 1 with what is wrong on stderr."""
    wanted = _read_arguments(arguments)
    try:
        case = read_case(wanted.file)
        problem, notes = build_problem(case, wanted.kind, count=wanted.p, capacity=wanted.capacity)
        solve = _import_solver(wanted.kind)
        _warm_up(solve)
        started = time.perf_counter()
        answer = solve(problem, time_limit_s=wanted.time_limit, gap_share=wanted.gap, seed=wanted.seed)
        seconds = time.perf_counter() - started
        result = describe_answer(case, wanted.kind, problem, answer)
        result |= {"seconds": round(seconds, 3), "notes": notes}
        if wanted.out is not None:
            plan = describe_plan(case, wanted.kind, answer)
            wanted.out.write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
    except (CaseError, LayoutError, OSError) as error:
        print(f"benchmarks.location: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result) if wanted.json else _write_text(result))
    return 0


def describe_answer(case: LocationCase, kind: str, problem: LocationProblem, answer: LocationAnswer) -> dict[str, Any]:
    """Return the result in plain data. Without a plan the objective and the gap are None."""
    found = bool(np.isfinite(answer.objective))
    bound = answer.bound if np.isfinite(answer.bound) else None
    result: dict[str, Any] = {
        "file": str(case.path),
        "layout": case.layout,
        "kind": kind,
        "rows": problem.n_rows,
        "sites": problem.n_sites,
        "p": problem.count,
        "status": answer.status,
        "stopped": answer.stopped,
        "objective": answer.objective if found else None,
        "bound": bound,
        "gap": answer.gap_share if found and bound is not None else None,
        "opened": int(np.count_nonzero(answer.opened)),
    }
    optimum = find_optimum(case, kind, problem)
    known = case.optima.get(f"{kind}_best_known")
    if optimum is not None:
        result["optimum"] = optimum
        result["above_optimum"] = (answer.objective - optimum) / optimum if found and optimum else None
    elif known is not None:
        result["best_known"] = known
        result["above_best_known"] = (answer.objective - known) / known if found and known else None
    return result


def describe_plan(case: LocationCase, kind: str, answer: LocationAnswer) -> dict[str, Any]:
    """Return the plan in the numbers of the file: open sites, the site of every row, the shares of split rows."""
    sites = [int(case.site_ids[site]) if site >= 0 else None for site in answer.site.tolist()]
    plan: dict[str, Any] = {
        "file": str(case.path),
        "kind": kind,
        "numbering": case.numbering,
        "objective": answer.objective if np.isfinite(answer.objective) else None,
        "open_sites": case.site_ids[np.asarray(answer.opened)].tolist(),
        "site_of_row": [{"row": row, "site": site} for row, site in zip(case.row_ids.tolist(), sites, strict=True)],
    }
    if answer.share is not None:
        rows, columns = np.nonzero(answer.share > SPLIT_SHARE)
        plan["shares"] = [
            {"row": int(case.row_ids[row]), "site": int(case.site_ids[site]), "share": float(answer.share[row, site])}
            for row, site in zip(rows.tolist(), columns.tolist(), strict=True)
        ]
    return plan


def _import_solver(kind: str) -> Callable[..., LocationAnswer]:
    module, name = SOLVERS[kind]
    solver: Callable[..., LocationAnswer] = getattr(import_module(module), name)
    return solver


def _warm_up(solve: Callable[..., LocationAnswer]) -> None:
    """Solve something small: what is compiled on first use is compiled before the clock starts, and cached."""
    places = np.random.default_rng(0).random((40, 2))
    cost = np.hypot(*(places[:, None] - places[None, :10]).transpose(2, 0, 1))
    problem = LocationProblem(
        cost=cost,
        demand=np.ones(40),
        capacity=np.full(10, 16.0),
        fixed_cost=np.full(10, 0.5),
        count=4,
    )
    solve(problem, time_limit_s=2.0)


def _write_text(result: dict[str, Any]) -> str:
    """Return the result as lines for a reader."""
    lines = []
    for key, value in result.items():
        if key == "notes":
            lines += [f"note       {note}" for note in value]
        elif value is not None:
            share = key in ("gap", "above_optimum", "above_best_known")
            shown = f"{value:.4%}" if share else f"{value:,.6g}" if key == "seconds" else _write_value(value)
            lines.append(f"{key:<10} {shown}")
    return "\n".join(lines)


def _write_value(value: Any) -> str:
    return f"{value:,.4f}" if isinstance(value, float) else str(value)


def _read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.location", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="instance, in any layout of benchmarks.location_files")
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for the search")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--out", type=Path, help="write the plan here, as JSON")
    parser.add_argument("--p", type=int, help="number of sites, instead of that of the file")
    parser.add_argument("--capacity", type=float, help="capacity of every site, instead of that of the file")
    parser.add_argument("--gap", type=float, default=0.0, help="stop at this proven gap (share)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
