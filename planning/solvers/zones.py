"""Connected zones with a proof: search and bound side by side, put together by set partitioning.

1. The transport problem (pupils may be split, zones need not be connected) gives a first bound, prices and a start.
2. Local search (``zone_search``) improves the start in a thread of its own; column generation (``zone_bound``) raises
   the bound meanwhile. Both collect zones.
3. Set partitioning (``zone_pool``) picks the best plan out of all zones seen; the search goes on from it.

It stops when the gap is small enough, when the time is up, or after the rounds asked for, always with the best plan so
far and what is proven of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from planning.solvers.problems import (
    MOVED,
    TRAVEL,
    Floats,
    Schools,
    TransportAnswer,
    TransportProblem,
    ZoneAnswer,
    ZoneProblem,
)
from planning.solvers.transport import solve_transport
from planning.solvers.whole_units import solve_whole_units
from planning.solvers.zone_bound import ZoneBound, find_allowed
from planning.solvers.zone_pool import ZonePool, solve_partition
from planning.solvers.zone_search import FoundZones, search_zones
from planning.solvers.zone_start import build_start

OnProgress = Callable[[float, float, float], None]
"""Called with objective, bound and the share of the time used; may raise to stop."""

OPTIMAL_SHARE = 1e-6
_PHASES = (0.12, 0.24, 0.36, 0.48, 0.6, 0.72, 0.84, 0.94)
"""Shares of the time at which the zones seen are put together anew."""
_MOST_PAIRS = 600_000
"""Problems with more pairs of unit and school are bounded by the transport problem alone."""
_BEAT_S = 0.25


@dataclass(eq=False)
class _Run:
    """What is known so far, shared by the threads."""

    problem: ZoneProblem
    weights: Floats
    limits: Floats
    seed: int
    began: float
    time_limit_s: float | None
    gap_share: float
    progress: OnProgress | None
    floor: float = -np.inf
    best: FoundZones | None = None
    column: ZoneBound | None = None
    pool: ZonePool = field(default_factory=ZonePool)
    stop: threading.Event = field(default_factory=threading.Event)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def bound(self) -> float:
        """The best bound so far, never above the plan."""
        raised = self.floor if self.column is None else max(self.floor, self.column.bound)
        return raised if self.best is None else min(raised, self.best.objective)

    @property
    def gap(self) -> float:
        """The proven gap as a share of the objective."""
        if self.best is None:
            return np.inf
        objective = self.best.objective
        return (objective - self.bound) / abs(objective) if objective else 0.0

    def until(self, share: float) -> float | None:
        """Return the clock at which this share of the time is used; None without a limit."""
        return None if self.time_limit_s is None else self.began + share * self.time_limit_s

    def left_s(self) -> float | None:
        """Return the seconds left; None without a limit."""
        return None if self.time_limit_s is None else self.began + self.time_limit_s - time.perf_counter()

    def keep(self, found: FoundZones) -> None:
        """Keep a plan that is better than the best so far."""
        if self.best is None or found.objective < self.best.objective:
            self.best = found

    def tell(self) -> None:
        """Report progress."""
        if self.progress is None or self.best is None:
            return
        share = 0.0 if self.time_limit_s is None else (time.perf_counter() - self.began) / self.time_limit_s
        self.progress(self.best.objective, self.bound, min(1.0, share))


def solve_zones(
    problem: ZoneProblem,
    *,
    weights: Floats | None = None,
    limits: Floats | None = None,
    start: Schools | None = None,
    time_limit_s: float | None = 60.0,
    gap_share: float = OPTIMAL_SHARE,
    seed: int = 0,
    rounds: int | None = None,
    progress: OnProgress | None = None,
) -> ZoneAnswer:
    """Return connected zones of least weighted objective found, with a proven lower bound.

    Parameters
    ----------
    weights, limits : shape (5,)
        Of the objectives in the order of ``OBJECTIVES``; travel alone and no limits by default. A limit that the start
        already breaks may not be broken further.
    start : shape (units,)
        Where the search begins; repaired where its zones are not connected. Built from the prices unless given.
    time_limit_s
        None needs ``rounds``: the answer then depends on the seed alone.
    gap_share
        Stop once the proven gap is at most this.
    rounds
        Rounds of the search in each of the phases.

    Returns
    -------
    ZoneAnswer
        ``bound`` counts the objectives without a linear form (fill, compactness, borders) as 0.
    """
    if time_limit_s is None and rounds is None:
        raise ValueError("give a time limit or a number of rounds")
    weights = np.eye(5)[TRAVEL] if weights is None else np.asarray(weights, dtype=np.float64)
    limits = np.full(5, np.inf) if limits is None else np.asarray(limits, dtype=np.float64)
    began = time.perf_counter()
    warm_up()
    warmed_s = time.perf_counter() - began
    # Loading compiled kernels counts; the first compilation of a machine may not take the search's time away.
    aim_s = None if time_limit_s is None else max(0.5 * time_limit_s, 0.97 * time_limit_s - warmed_s)
    run = _Run(problem, weights, limits, seed, time.perf_counter(), aim_s, gap_share, progress)
    cost = build_linear_cost(problem, weights)
    relaxed = solve_transport(build_transport(problem, cost))
    run.floor = relaxed.bound
    school = build_start(problem, given=start, place_price=relaxed.place_price, cost=cost)
    run.keep(_search(run, school, rounds=0, until=None))
    run.facts["start_objective"] = run.best.objective if run.best else None
    if problem.n_units * problem.n_schools <= _MOST_PAIRS:
        run.column = _open_bound(run, cost, relaxed)
    stopped = _run_phases(run, rounds)
    assert run.best is not None
    gap = run.gap
    run.facts |= {
        "floor": run.floor,
        "sweeps": 0 if run.column is None else run.column.sweeps,
        "closed": run.column is not None and run.column.closed,
    }
    return ZoneAnswer(
        school=run.best.school,
        values=run.best.values,
        overload_pupils=run.best.overload_pupils,
        objective=run.best.objective,
        bound=run.bound,
        status="optimal" if gap <= OPTIMAL_SHARE else "feasible",
        stopped=stopped,
        facts=run.facts,
    )


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Compile every kernel on four units in a row, before the search; once in a process.

    The places of the second problem are too unequal for the nearest school: those kernels are needed too.
    """
    for places in ((2.0, 2.0), (1.0, 4.0)):
        _warm_up(np.array(places))


def _warm_up(places: Floats) -> None:
    problem = ZoneProblem(
        cost=np.array([[0.0, 3.0], [1.0, 2.0], [2.0, 1.0], [3.0, 0.0]]),
        pupils=np.ones(4),
        places=places,
        seat=np.array([0, 3], dtype=np.int32),
        neighbour_start=np.array([0, 1, 3, 5, 6]),
        neighbour=np.array([1, 0, 2, 1, 3, 2], dtype=np.int32),
        overload_price=10.0,
        locked=np.full(4, -1, dtype=np.int32),
    )
    run = _Run(problem, np.eye(5)[TRAVEL], np.full(5, np.inf), 0, time.perf_counter(), None, 0.0, None)
    cost = build_linear_cost(problem, run.weights)
    relaxed = solve_transport(build_transport(problem, cost))
    solve_whole_units(build_transport(problem, cost), time_limit_s=0.1)
    run.keep(_search(run, build_start(problem, place_price=relaxed.place_price, cost=cost), rounds=2, until=None))
    _open_bound(run, cost, relaxed).run(until=None, sweeps=3)


def build_linear_cost(problem: ZoneProblem, weights: Floats) -> Floats:
    """Return (units, schools): the part of the objective that is a sum over units; ``inf`` = not allowed."""
    cost = np.where(
        np.isfinite(problem.cost), weights[TRAVEL] * np.where(np.isfinite(problem.cost), problem.cost, 0.0), np.inf
    )
    if weights[MOVED] and problem.moved is not None:
        cost = cost + weights[MOVED] * problem.moved
    return np.asarray(cost)


def build_transport(problem: ZoneProblem, cost: Floats) -> TransportProblem:
    """Return the transport problem that relaxes the zones: pupils may be split, zones need not be connected."""
    allowed = find_allowed(problem, cost)
    unit, school = np.nonzero(allowed)
    pupils = np.asarray(problem.pupils)
    per_pupil = (
        np.where(np.isfinite(cost[unit, school]), cost[unit, school], 0.0) / np.where(pupils > 0, pupils, 1.0)[unit]
    )
    per_pupil[pupils[unit] <= 0] = 0.0
    price = float(problem.overload_price)
    return TransportProblem(
        start=np.concatenate([[0], np.cumsum(allowed.sum(axis=1))]).astype(np.int64),
        school=school.astype(np.int32),
        cost=per_pupil,
        pupils=pupils,
        places=np.asarray(problem.places),
        overload_price=price if np.isfinite(price) else 10.0 * (1.0 + float(per_pupil.max(initial=0.0))),
    )


def _open_bound(run: _Run, cost: Floats, relaxed: TransportAnswer) -> ZoneBound:
    problem = run.problem
    budgets = []
    for position, matrix in ((TRAVEL, problem.cost), (MOVED, problem.moved)):
        if np.isfinite(run.limits[position]) and matrix is not None:
            assert run.best is not None
            limit = max(float(run.limits[position]), float(run.best.values[position]))
            budgets.append((np.where(np.isfinite(matrix), matrix, 0.0), limit))
    return ZoneBound(problem, cost, relaxed.row_price * problem.pupils, budgets=tuple(budgets))


def _search(run: _Run, school: Schools, *, rounds: int, until: float | None) -> FoundZones:
    """Search on from a plan in this thread."""
    return search_zones(
        run.problem,
        school,
        weights=run.weights,
        limits=run.limits,
        rounds=rounds,
        seed=run.seed,
        time_limit_s=None if until is None else max(0.0, until - time.perf_counter()),
        pool=run.pool,
        should_stop=run.stop.is_set,
    )


def _run_phases(run: _Run, rounds: int | None) -> str:
    """Search and bound, put together, again; return why it ended."""
    for number, share in enumerate(_PHASES):
        until = run.until(share)
        _run_side_by_side(run, rounds, until)
        if run.gap <= run.gap_share:
            break
        _put_together(run)
        run.seed += 1
        if run.gap <= run.gap_share:
            break
        if number + 1 < len(_PHASES) and run.column is not None and run.best is not None:
            run.column.drop_units(run.best.objective)
    run.tell()
    if run.gap <= OPTIMAL_SHARE:
        return "proven"
    if run.gap <= run.gap_share:
        return "gap"
    return "rounds" if run.time_limit_s is None else "time"


def _run_side_by_side(run: _Run, rounds: int | None, until: float | None) -> None:
    """One phase: the search in a thread, the bound here; what the search raises is raised here."""
    assert run.best is not None
    run.stop.clear()
    with ThreadPoolExecutor(max_workers=1) as threads:
        found = threads.submit(_search, run, run.best.school, rounds=10**9 if rounds is None else rounds, until=until)
        try:
            _raise_bound(run, rounds, until)
            while not found.done():
                run.tell()
                if run.gap <= run.gap_share:
                    break
                wait([found], timeout=_BEAT_S)
        finally:
            if rounds is None or not found.done():
                run.stop.set()
        run.keep(found.result())


def _raise_bound(run: _Run, rounds: int | None, until: float | None) -> None:
    """Sweep until the phase ends, the bound closes or the gap is small enough."""
    if run.column is None:
        return
    sweeps = 10**9 if rounds is None else max(1, rounds // 10)
    for _ in range(sweeps):
        if run.column.closed or run.gap <= run.gap_share or (until is not None and time.perf_counter() > until):
            return
        run.column.run(until=until, sweeps=1)
        run.tell()


def _put_together(run: _Run) -> None:
    """Pick the best plan out of all zones seen, then polish it a little."""
    assert run.best is not None
    if run.column is not None:
        for school, zone, _ in run.column.zones:
            run.pool.add_zone(school, zone)
    left = run.left_s()
    found = solve_partition(
        run.problem,
        run.pool,
        run.best.school,
        weights=run.weights,
        limits=run.limits,
        time_limit_s=None if left is None else max(0.5, 0.15 * left),
        duals=None if run.column is None else run.column.duals,
    )
    if found is not None:
        run.keep(_search(run, found, rounds=0, until=None))
    if run.column is not None and run.best is not None:
        run.column.add_plan(run.best.school)
