"""The search for good connected zones: rounds of simulated annealing in a few neighbouring zones at a time.

Each round opens some adjacent zones, warms them up, cools them down and keeps the plan when it is better, or hardly
worse (record-to-record travel, Dueck 1993). Zones of good plans go to a pool, from which set partitioning picks the
best combination (as Kong 2021 does for service areas).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from planning.solvers.problems import Floats, Schools, ZoneProblem
from planning.solvers.zone_kernels import objective, recount, total_overload
from planning.solvers.zone_moves import anneal, open_around, sample_price
from planning.solvers.zone_pool import ZonePool
from planning.solvers.zone_state import Array, Plan, World, build_plan, build_world

OnBest = Callable[[Schools, float], None]
TRAVEL_ONLY = (1.0, 0.0, 0.0, 0.0, 0.0)


class FoundZones(NamedTuple):
    """The best plan of a search: ``school`` (units,), ``values`` (5,), overload, priced objective, and facts."""

    school: Schools
    values: Floats
    overload_pupils: float
    objective: float
    facts: dict[str, Any]


def search_zones(
    problem: ZoneProblem,
    start: Schools,
    *,
    weights: Floats | None = None,
    limits: Floats | None = None,
    rounds: int = 1000,
    seed: int = 0,
    time_limit_s: float | None = None,
    pool: ZonePool | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_best: OnBest | None = None,
    place_price: Floats | None = None,
) -> FoundZones:
    """Improve a connected plan; the same ``seed`` and ``rounds`` give the same plan unless the time runs out.

    Parameters
    ----------
    start : shape (units,)
        Every zone in one piece (see ``zone_start``).
    weights, limits : shape (5,)
        Of the objectives, in the order of ``OBJECTIVES``; travel alone and no limits unless given. A value may not
        pass its limit; where the start is above it, it may not grow.
    pool
        Collects the zones of good plans.
    should_stop
        Asked several times a second.
    on_best
        Called with every plan better than all before, and its objective.
    place_price : shape (schools,)
        Worth of a place at each school, for the first penalty of overload; estimated unless given.
    """
    weights = np.array(TRAVEL_ONLY if weights is None else weights, float)
    limits = np.full(5, np.inf) if limits is None else np.array(limits, float)
    world = build_world(problem, weights, limits)
    plan = build_plan(world, start)
    recount(world, plan)
    dice = np.array([2 * seed + 88172645463325252], np.uint64)
    began = time.perf_counter()
    best = plan.school.copy()
    best_value = current = objective(world, plan)
    kept = plan.school.copy()
    scale = sample_price(world, plan, dice, 2000)
    penalty = scale / max(1e-12, float(problem.pupils.mean()))
    stopped, done = "rounds", 0
    for turn in range(rounds):
        if time_limit_s is not None and time.perf_counter() - began > time_limit_s:
            stopped = "time"
            break
        if should_stop is not None and should_stop():
            stopped = "cancelled"
            break
        done = turn + 1
        value = _run_round(world, plan, dice, scale, penalty)
        if pool is not None:
            pool.add(world, plan, value)
        if value < best_value:
            best_value = value
            best[:] = plan.school
            if on_best is not None:
                on_best(best.copy(), best_value)
        if value < current or value < best_value * 1.0005:
            current = value
            kept[:] = plan.school
        else:
            plan.school[:] = kept
            recount(world, plan)
    return _report(world, plan, best, {"rounds": done, "stopped": stopped, "seconds": time.perf_counter() - began})


def _run_round(world: World, plan: Plan, dice: Array, scale: float, penalty: float) -> float:
    """Anneal some adjacent zones and return the objective reached."""
    zones = 3 + int(dice[0] % np.uint64(5))
    inside = open_around(world, plan, dice, zones)
    hot = scale * 0.3
    anneal(world, plan, dice, 400 * inside, hot, hot * 0.01, penalty, 20.0 * penalty, np.zeros(len(plan.load)))
    recount(world, plan)
    return float(objective(world, plan))


def _report(world: World, plan: Plan, best: Schools, facts: dict[str, Any]) -> FoundZones:
    """Return the best plan with its books counted afresh."""
    plan.school[:] = best
    recount(world, plan)
    return FoundZones(
        best, plan.values.copy(), float(total_overload(world, plan)), float(objective(world, plan)), facts
    )
