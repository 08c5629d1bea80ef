"""The search for good connected zones: rounds of simulated annealing in a few neighbouring zones at a time.

A round opens some adjacent zones, may force one unit elsewhere and hold it there (ruin and recreate), warms the zones
up and cools them down; its plan is kept when it is better. While it is warm, the prices of places lead: what frees
dear places pays at once. When nothing has been gained for long, the whole plan is warmed up. Zones of good plans go
to a pool, from which set partitioning picks the best combination (``zone_pool``).

Method: simulated annealing with price guidance after the Lagrangian heuristics of generalised assignment; kicks and
set partitioning as in Y. Kong, "An iterative local search based hybrid algorithm for the service area problem",
Computational Urban Science 1, 19 (2021).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from planning.solvers.problems import MOVED, TRAVEL, Floats, Schools, ZoneProblem
from planning.solvers.zone_anneal import anneal, kick, open_around, sample_price
from planning.solvers.zone_chains import relieve_zones
from planning.solvers.zone_kernels import objective, recount, total_overload
from planning.solvers.zone_pool import ZonePool
from planning.solvers.zone_start import estimate_place_price
from planning.solvers.zone_state import Array, Plan, World, build_plan, build_world

OnBest = Callable[[Schools, float], None]

FEWEST_ZONES = 3
MOST_UNITS = 3000
"""Units that one round may open, so that it takes less than about a second."""
STEPS_PER_UNIT, REHEAT_STEPS_PER_UNIT = 200, 1000
HOT, HOT_SPREAD, COLD, REHEAT = 0.3, 5.0, 0.003, 3.0
"""Temperatures as shares of the mean change of a random shift: a round's first (times or through the spread), the last
of all, and the first when the whole plan is warmed up."""
KICK_SHARE = 0.5
LAST_PENALTY, PENALTY_GROWTH = 10.0, 1.2
"""Price of overload at the end of a round and when plans are compared, as a multiple of the dearest place; it grows by
the second number with every round that the plan at hand stays overloaded, up to the true price, and falls again."""
PATIENCE = 100
"""Rounds without gain before the whole plan is warmed up."""


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
    rounds
        0 only computes the values of the start.
    pool
        Collects the zones of the plans reached.
    should_stop
        Asked after every round, several times a second.
    on_best
        Called with every plan better than all before, and its objective.
    place_price : shape (schools,)
        What a place more is worth at each school, in units of the weighted objective (duals of ``solve_transport``);
        estimated unless given.
    """
    began = time.perf_counter()
    weights = np.eye(5)[TRAVEL] if weights is None else np.array(weights, float)
    limits = np.full(5, np.inf) if limits is None else np.array(limits, float)
    world = build_world(problem, weights, limits)
    plan = build_plan(world, start)
    recount(world, plan)
    run = _Run(world, plan, np.random.default_rng(seed), pool, on_best)
    stopped, done = "rounds", 0
    if rounds > 0:
        run.prepare(place_price, seed)
    while done < rounds:
        if time_limit_s is not None and time.perf_counter() - began > time_limit_s:
            stopped = "time"
            break
        if should_stop is not None and should_stop():
            stopped = "cancelled"
            break
        if not run.play():
            stopped = "settled"
            break
        done += 1
    facts = {
        "rounds": done,
        "stopped": stopped,
        "reheats": run.reheats,
        "start_objective": run.first,
        "zones_seen": 0 if pool is None else len(pool),
        "seconds": time.perf_counter() - began,
    }
    return _report(problem, world, plan, run.best, facts)


@dataclass(eq=False)
class _Run:
    """One search: the plan at hand, the one it returns to, and the best."""

    world: World
    plan: Plan
    chance: np.random.Generator
    pool: ZonePool | None
    on_best: OnBest | None

    def __post_init__(self) -> None:
        self.best = self.plan.school.copy()
        self.first = self.best_value = self.since_reheat = float(objective(self.world, self.plan))
        self.reheats = self.idle = 0

    def prepare(self, place_price: Floats | None, seed: int) -> None:
        """Set the scales of temperature and penalty, and pass on what is above the places."""
        world, plan = self.world, self.plan
        self.dice = np.array([(seed * 0x9E3779B97F4A7C15 + 88172645463325252) % 2**64 or 1], np.uint64)
        price = _estimate(world) if place_price is None else np.array(place_price, float)
        pupils = max(1e-9, float(world.pupils.mean()))
        self.scale = max(1e-9, float(sample_price(world, plan, self.dice, 2000)))
        self.guide = np.minimum(price, world.overload_price)
        self.dear = min(world.overload_price, max(float(self.guide.max(initial=0.0)), 0.5 * self.scale / pupils))
        if total_overload(world, plan) > 0.0:
            relieve_zones(world, plan)
            recount(world, plan)
        self.kept = plan.school.copy()
        self.penalty = min(world.overload_price, LAST_PENALTY * self.dear)
        self.kept_value, self.kept_over = self._count()
        self._note_best()

    def play(self) -> bool:
        """Play one round; False when no unit can move at all."""
        world, plan = self.world, self.plan
        reheat = self.idle > PATIENCE and len(plan.school) <= MOST_UNITS
        if reheat:
            plan.open[:] = True
            self._anneal(REHEAT_STEPS_PER_UNIT * len(plan.school), REHEAT * self.scale, self.dear, self.guide)
            self.reheats += 1
            self.penalty = min(world.overload_price, LAST_PENALTY * self.dear)
        else:
            self._anneal_some()
        recount(world, plan)
        if plan.rim_size[0] == 0 and bool(plan.open.all()):
            return False
        self._note_best()
        value, over = self._count()
        gain = self.kept_value - value + self.penalty * (self.kept_over - over)
        if self.pool is not None:
            self.pool.add(world, plan, value + self.penalty * over)
        priced = value + world.overload_price * over
        gained = reheat or priced < self.since_reheat - 1e-9 * abs(priced)
        self.since_reheat = priced if gained else self.since_reheat
        self.idle = 0 if gained else self.idle + 1
        if reheat or gain >= 0.0:
            self.kept[:] = plan.school
            self.kept_value, self.kept_over = value, over
        else:
            plan.school[:] = self.kept
            recount(world, plan)
        growth = PENALTY_GROWTH if self.kept_over > 0.0 else 1.0 / PENALTY_GROWTH
        self.penalty = min(world.overload_price, max(LAST_PENALTY * self.dear, growth * self.penalty))
        return True

    def _anneal_some(self) -> None:
        """Anneal a few adjacent zones, often around a unit that was forced elsewhere."""
        world, plan, schools = self.world, self.plan, len(self.plan.load)
        most = min(schools, max(FEWEST_ZONES, MOST_UNITS * schools // max(1, len(plan.school))))
        zones = round(FEWEST_ZONES * (most / FEWEST_ZONES) ** self.chance.random()) if most > FEWEST_ZONES else most
        hot = HOT * self.scale * HOT_SPREAD ** self.chance.uniform(-1.0, 1.0)
        kicked = self.chance.random() < KICK_SHARE and bool(kick(world, plan, self.dice))
        first, second = (int(plan.chain_zones[0]), int(plan.chain_zones[1])) if kicked else (-1, -1)
        inside = int(open_around(world, plan, self.dice, zones, first, second))
        self._anneal(STEPS_PER_UNIT * inside, hot, self.dear, self.guide)
        if kicked:
            plan.held[:] = False
            penalty = self.penalty / 3.0
            self._anneal(STEPS_PER_UNIT * inside // 3, hot / 10.0, penalty, np.zeros(schools))

    def _anneal(self, steps: int, hot: float, penalty: float, guide: Array) -> None:
        cold = min(hot, COLD * self.scale)
        last = max(1e-12, self.penalty)
        anneal(self.world, self.plan, self.dice, steps, hot, cold, max(1e-12, min(penalty, last)), last, guide)

    def _count(self) -> tuple[float, float]:
        """Return the objective without overload, and the overload."""
        over = float(total_overload(self.world, self.plan))
        return float(objective(self.world, self.plan)) - self.world.overload_price * over, over

    def _note_best(self) -> None:
        value = float(objective(self.world, self.plan))
        if value < self.best_value - 1e-12 * abs(self.best_value):
            self.best_value = value
            self.best[:] = self.plan.school
            if self.on_best is not None:
                self.on_best(self.best.copy(), value)


def _estimate(world: World) -> Array:
    """Return what places are worth by the linear objectives; 0 where these do not count."""
    travel, moved = world.weights[TRAVEL], world.weights[MOVED]
    if travel <= 0.0 and moved <= 0.0:
        return np.zeros(len(world.places))
    cost = world.cost if travel == 1.0 else travel * world.cost
    if moved > 0.0 and world.moved.shape == world.cost.shape:
        cost = cost + moved * world.moved
    return estimate_place_price(cost, world.pupils, world.places, world.overload_price)


def _report(problem: ZoneProblem, world: World, plan: Plan, best: Schools, facts: dict[str, Any]) -> FoundZones:
    """Return the best plan with its books counted afresh, forbidden pairs as ``inf``."""
    plan.school[:] = best
    recount(world._replace(shaped=True), plan)
    values = plan.values.copy()
    values[TRAVEL] = problem.cost[np.arange(len(best)), best].sum()
    overload = float(total_overload(world, plan))
    counted = world.weights > 0.0
    total = float(world.weights[counted] @ values[counted]) + (problem.overload_price * overload if overload else 0.0)
    return FoundZones(best, values, overload, total, facts)
