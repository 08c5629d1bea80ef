"""A school closed, resized or opened: the optimum from that of the base, against OR-tools and our solve from scratch.

``python -m benchmarks.what_if``; ``--small`` leaves out the large size. A county of homes on a square, every school
within reach of every home, places filled to 90 %. The peers get the changed problem in the same run, in turn; all must
agree on the optimum.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from benchmarks.assignment import SCALE, solve_with_ortools
from benchmarks.run import build_study
from planning.closure_ranking import rank_closures, rank_pairs
from planning.rules import read_rulebook
from planning.scenario import Scenario
from planning.solvers.problems import TransportProblem
from planning.solvers.transport import solve_transport
from planning.solvers.transport_warm import CostTable, WarmAnswer, WarmColumn, WarmTransport
from planning.what_if import Change, WhatIf, build_new_column, build_what_if

SIZES = ((5_000, 100), (20_000, 300))
TARGET_MS = 300.0
FILL = 0.9
SIDE_KM = 30.0
ASKED = 5
"""Changes of each kind for which the peers are asked."""
PAIRED = 60
T = TypeVar("T")


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="the small size only")
    asked = parser.parse_args(arguments)
    sizes = SIZES[:1] if asked.small else SIZES
    compare_solvers(500, 12)  # compile
    print("| units × schools | change | ours ms, longest | from scratch ms | ratio | OR-tools ms | ratio | gap |")
    print("|---|---|---|---|---|---|---|---|")
    for size in sizes:
        for line in compare_solvers(*size):
            print(line, flush=True)
    print("\nThe whole answer, with numbers by school and unit; all closures")
    print("| units × schools | base s | closed ms, longest | places ms | opened ms | singles s | pairs: s, solved | |")
    print("|---|---|---|---|---|---|---|---|")
    for size in sizes:
        print(measure_answers(*size), flush=True)


def build_costs(units: int, schools: int, *, seed: int = 2026) -> tuple[Any, Any, Any]:
    """Return minutes (units, schools), pupils and places of a made-up county."""
    draw = np.random.default_rng(seed)
    homes, sites = draw.uniform(0, SIDE_KM, (units, 2)), draw.uniform(0, SIDE_KM, (schools, 2))
    km = np.hypot(homes[:, None, 0] - sites[:, 0], homes[:, None, 1] - sites[:, 1])
    minutes = np.rint(km * 1.3 / 4.5 * 60 * SCALE) / SCALE
    pupils, size = draw.poisson(5, units).astype(float), draw.uniform(0.5, 1.5, schools)
    return minutes, pupils, np.rint(size / size.sum() * pupils.sum() / FILL)


def list_arcs(minutes: Any, pupils: Any, places: Any) -> TransportProblem:
    """Return the problem in which every finite entry of ``minutes`` is an arc."""
    use = np.isfinite(minutes) & (pupils > 0)[:, None]
    row, school = np.nonzero(use)
    start = np.concatenate([[0], np.cumsum(use.sum(axis=1))]).astype(np.int64)
    return TransportProblem(start, school.astype(np.int32), minutes[row, school], pupils, places, 1000.0)


def compare_solvers(units: int, schools: int) -> list[str]:
    """Return the rows of one size: each kind of change, ours against the peers."""
    minutes, pupils, places = build_costs(units, schools)
    problem = list_arcs(minutes, pupils, places)
    nothing = np.zeros(units, dtype=np.bool_)
    table = CostTable(minutes, np.arange(units), np.ones(units), nothing, np.zeros(schools, dtype=np.bool_))
    warm = WarmTransport(problem, solve_transport(problem), table)
    draw = np.random.default_rng(1)
    kinds = ("closed", "half the places", "twice the places", "opened")
    return [
        _compare(kind, warm, minutes, pupils, places, draw.choice(schools, min(ASKED, schools), replace=False))
        for kind in kinds
    ]


def _compare(kind: str, warm: WarmTransport, minutes: Any, pupils: Any, places: Any, chosen: Any) -> str:
    ours, scratch, peer, gap = [], [], [], 0.0
    for school in chosen:
        after, capacity, columns = minutes, places.copy(), []
        if kind == "closed":
            after = minutes.copy()
            after[:, school] = np.inf
        elif kind == "opened":
            new = np.rint((minutes[:, school] + minutes[:, (school + 1) % len(places)]) / 2 * SCALE) / SCALE
            after, capacity = np.column_stack([minutes, new]), np.append(places, 500.0)
            columns = [WarmColumn(new, 500.0)]
        else:
            capacity[school] = np.rint(capacity[school] * (0.5 if kind.startswith("half") else 2.0))

        def ask(school: Any = school, capacity: Any = capacity, columns: Any = columns) -> WarmAnswer:
            if kind == "closed":
                return warm.solve(np.array([school]))
            return warm.solve(None, None if columns else capacity, columns)

        changed = list_arcs(after, pupils, capacity)
        ask()
        ms, answer = measure_ms(ask)
        ours.append(ms)
        ms, anew = measure_ms(lambda changed=changed: solve_transport(changed))  # type: ignore[misc]
        scratch.append(ms)
        ms, optimum = measure_ms(lambda changed=changed: solve_with_ortools(changed, SCALE))  # type: ignore[misc]
        peer.append(ms)
        gap = max(gap, abs(answer.objective / optimum - 1), abs(answer.bound / anew.objective - 1))
    mine, whole, other = np.mean(ours), np.mean(scratch), np.mean(peer)
    return (
        f"| {len(pupils):,} × {len(places)} | {kind} | {mine:.1f}, {max(ours):.1f} | {whole:.0f} | {whole / mine:.0f} |"
        f" {other:,.0f} | {other / mine:,.0f} | {gap:.0e} |"
    )


def measure_ms(work: Callable[[], T]) -> tuple[float, T]:
    """Return milliseconds of the processor and the result (a busy machine counts little)."""
    start = time.process_time()
    result = work()
    return (time.process_time() - start) * 1000, result


def measure_answers(units: int, schools: int) -> str:
    """Return one row: the what-if as the app asks it."""
    rules, scenario = read_rulebook("cn"), Scenario(enrolment="capacity")
    study = build_study(units, schools)
    start = time.perf_counter()
    what_if = build_what_if(study, rules, scenario, "primary")
    if not isinstance(what_if, WhatIf):
        raise RuntimeError(str(what_if.message))
    base_s = time.perf_counter() - start
    travel = study.travel["walk"]
    times: dict[str, list[float]] = {"closed": [], "places": [], "opened": []}
    for at, school_id in enumerate(what_if.school_ids[:20]):
        ways = (travel.time_min[:, at] + np.float32(2), travel.length_m[:, at] + np.float32(150))
        new = build_new_column(what_if, *ways, unit_ids=travel.unit_ids, school_id="new", name="new", places=600.0)
        asked = {
            "closed": Change(closed=frozenset({school_id})),
            "places": Change(places=((school_id, 900.0),)),
            "opened": Change(opened=(new,)),
        }
        for kind, change in asked.items():
            start = time.perf_counter()
            what_if.answer(change)
            times[kind].append((time.perf_counter() - start) * 1000)
    start = time.perf_counter()
    singles = rank_closures(what_if)
    singles_s = time.perf_counter() - start
    start = time.perf_counter()
    pairs = rank_pairs(what_if, singles, school_ids=what_if.school_ids[:PAIRED])
    pairs_s = time.perf_counter() - start
    longest = max(max(found) for found in times.values())
    return (
        f"| {units:,} × {schools} | {base_s:.1f}"
        f" | {np.mean(times['closed']):.1f}, {max(times['closed']):.1f}"
        f" | {np.mean(times['places']):.1f} | {np.mean(times['opened']):.1f} | {singles_s:.1f}"
        f" | {len(pairs):,}: {pairs_s:.1f}, {pairs['solved'].mean():.0%} |"
        f" {'' if longest <= TARGET_MS else f'beyond the target of {TARGET_MS:.0f} ms'}"
    )


if __name__ == "__main__":
    main()
