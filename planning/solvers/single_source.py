"""Capacitated p-median and single-source capacitated location: every row whole at one open site, least cost, proven.

Local search gives a plan, Lagrangian relaxation of "each row once" the bound; what no better plan can have is dropped,
and branch and bound with the same relaxation closes the rest. The tree first looks only for plans close to the bound:
with so low a cutoff most arcs fall away, and what it finds or excludes is proven either way.
"""

from __future__ import annotations

import math
import time
from functools import cache

import numpy as np

from geodata.messages import msg
from geodata.study import Progress, no_progress
from planning.certificate import OPTIMAL_GAP_SHARE
from planning.solvers.location_problems import LocationAnswer, LocationProblem
from planning.solvers.problems import Floats
from planning.solvers.single_source_bound import climb
from planning.solvers.single_source_incumbent import HEATS, Incumbent
from planning.solvers.single_source_instance import Instance, build_instance, spread_sites
from planning.solvers.single_source_tree import Tree, reduce_arcs

_FIRST_STEP_SHARE = 0.0015
_STEP_GROWTH = 2.0
_QUICK_NODES = 60
_ALL_STEPS = 4.0
_TURNS = (8, 12)
_QUIET = 5
_SEARCH_SHARE = 0.12
_SLICE_ARCS, _SLICE_KICKS = 2_000_000, 600_000


def solve_single_source(
    problem: LocationProblem,
    *,
    time_limit_s: float | None = None,
    gap_share: float = 0.0,
    seed: int = 0,
    progress: Progress = no_progress,
) -> LocationAnswer:
    """Open sites and send every row whole to one of them, within the capacities, at least cost.

    With ``count`` this is the capacitated p-median problem (at most ``count`` sites are opened: one that serves no row
    is left closed), with fixed costs the single-source capacitated facility location problem; both together are
    allowed.

    Parameters
    ----------
    problem : ``single_source`` is taken as True
    time_limit_s : wall time, without that for compiling (once after installing); None: until proven
    gap_share : stops when this gap is proven
    seed : of the search for plans; with no time limit reached, answers repeat exactly
    progress : told step and share; may raise ``Cancelled``

    Returns
    -------
    LocationAnswer
        ``status`` ``"infeasible"`` where that is proven, ``"no_plan_in_time"`` where no plan was found.

    Raises
    ------
    ValueError
        If a demand, capacity or fixed cost is negative or unknown, or a cost is unknown or minus infinite.
    """
    _compile_kernels()
    started = time.perf_counter()
    solver = _Solver(build_instance(problem), time_limit_s, gap_share, seed, progress)
    stopped = solver.run()
    return solver.answer(stopped, time.perf_counter() - started)


@cache
def _compile_kernels() -> None:
    """Run everything compiled once, so that compiling takes nothing from the time limit."""
    cost = np.array([[1.0, 4.0], [3.0, 2.0], [2.0, 2.0]])
    problem = LocationProblem(cost, np.ones(3), np.full(2, 2.0), np.ones(2))
    solver = _Solver(build_instance(problem), None, 0.0, 0, no_progress)
    solver.run()
    reduce_arcs(solver.instance, np.zeros(2, dtype=np.int8), solver.price, 0.0, 100.0)


class _Solver:
    """The steps from an instance to an answer."""

    def __init__(
        self, instance: Instance, time_limit_s: float | None, gap_share: float, seed: int, progress: Progress
    ) -> None:
        self.instance, self.progress = instance, progress
        self.started = time.perf_counter()
        self.limit = math.inf if time_limit_s is None else float(time_limit_s)
        deadline = self.started + self.limit
        self.incumbent = Incumbent(instance, seed=seed, gap_share=gap_share, deadline=deadline, tell=self._tell)
        self.bound = -math.inf
        self.price = np.zeros(instance.n_rows)
        self.average, self.opened = np.zeros(0), np.zeros(instance.n_sites)
        self.step_share = _FIRST_STEP_SHARE
        self.facts: dict[str, float] = {"nodes": 0, "trees": 0}

    def run(self) -> str:
        """Return why the search ended."""
        if self.is_hopeless():
            self.bound = math.inf
            return "proven"
        if self.instance.n_rows == 0:
            self.incumbent.offer(np.empty(0, dtype=np.int64))
            self.bound = 0.0
            return "proven"
        opened = spread_sites(self.instance)
        self.incumbent.search(opened, np.full(self.instance.n_sites, 0.5), 150)
        self._climb_root(600)
        for turns in _TURNS:
            if self.is_done():
                break
            self._search_root(turns)
            self._climb_root(200)
        while not self.is_done():
            if self.incumbent.is_late() or not self._run_tree():
                return "time"
        upper = self.incumbent.upper
        return "gap" if math.isfinite(upper) and upper - self.bound > OPTIMAL_GAP_SHARE * abs(upper) else "proven"

    def is_hopeless(self) -> bool:
        """Return whether a row fits nowhere, or the largest sites together are too small."""
        own = self.instance
        largest = np.sort(own.room)[::-1][: own.count].sum()
        return bool(not np.isfinite(own.cost).any(axis=1).all() or largest < own.need * (1.0 - 1e-12))

    def is_done(self) -> bool:
        """Return whether no plan worth looking for is left."""
        return self.bound >= min(self.incumbent.goal, self.instance.most)

    def answer(self, stopped: str, seconds: float) -> LocationAnswer:
        """Return what was found and proven."""
        own, best = self.instance, self.incumbent
        opened, objective = np.zeros(own.n_sites, dtype=bool), math.inf
        site = np.full(own.n_rows, -1, dtype=np.int32)
        if best.site is not None:
            opened[best.site] = True
            site, objective = best.site.astype(np.int32), best.upper
        bound = min(self._lift(self.bound), objective)
        if best.site is None:
            status = "infeasible" if stopped == "proven" else "no_plan_in_time"
            bound = math.inf if stopped == "proven" else bound
        else:
            status = "optimal" if objective - bound <= OPTIMAL_GAP_SHARE * abs(objective) else "feasible"
        facts = self.facts | {"arcs": len(own.arcs.row)}
        return LocationAnswer(opened, site, objective, bound, status, stopped, seconds, None, facts)

    def _lift(self, bound: float) -> float:
        """Return the least multiple of the grain from ``bound`` on."""
        grain = self.instance.grain
        return math.ceil(bound / grain - 1e-6) * grain if grain and math.isfinite(bound) else bound

    def _tell(self) -> None:
        share = (time.perf_counter() - self.started) / self.limit if math.isfinite(self.limit) else 0.0
        self.progress(msg("Choosing sites"), min(share, 0.99))

    def _climb_root(self, rounds: int) -> None:
        own = self.instance
        arcs = own.arcs
        fresh = len(self.average) == 0
        if fresh:
            self.price = start_prices(own)
        self.average, self.opened = np.zeros(len(arcs.row)), np.zeros(own.n_sites)
        part = own.part(arcs.start, arcs.row, arcs.cost, np.zeros(own.n_sites, dtype=np.int8))
        stride, begun, done, size = 1.0 if fresh else 0.3, True, 0, 10
        while done < rounds and (begun or not self.incumbent.is_late()):
            upper = self.incumbent.upper
            if not math.isfinite(upper):
                upper = own.most if self.bound <= 0 else min(1.3 * self.bound, own.most)
            goal = min(upper, self.incumbent.goal)
            found, stride = climb(part, self.price, goal, size, stride, begun, self.average, self.opened)
            if found == math.inf:
                self.bound = own.most
            elif math.isfinite(found):
                self.bound = max(self.bound, self._lift(found - 1e-9 * abs(found)))
            done, begun = done + size, False
            if stride < 1e-3 or self.is_done():
                break
            size = int(np.clip(_SLICE_ARCS // max(len(arcs.row), 1), 5, rounds))

    def _search_root(self, turns: int) -> None:
        """Look for plans around the Lagrangian mean and around the best plan, in turn, while that pays."""
        own, best, arcs, quiet, clock = self.instance, self.incumbent, self.instance.arcs, 0, time.perf_counter()
        free = np.zeros(own.n_sites, dtype=np.int8)
        rounds = int(np.clip(_SLICE_KICKS // max(own.n_rows * own.reach, 1), 100, 400))
        rng = np.random.default_rng(best.seed + 1)
        for turn in range(turns):
            late = time.perf_counter() > clock + _SEARCH_SHARE * self.limit or best.is_late()
            if quiet > _QUIET or late or self.is_done():
                return
            before, heat = best.upper, HEATS[turn // 2 % 2]
            if turn % 2:
                likely = self.opened + (0.3, 0.02)[turn // 4 % 2]
                best.search(self.opened > 0.5, likely, rounds, heat=heat)
            else:
                level = 0.5 + (0.6 * rng.random(own.n_sites) - 0.3 if turn else 0.0)
                spare = 1.0 + 0.06 * rng.random()
                best.round(free, arcs.row, arcs.site, self.average, self.opened, rounds, level, heat, spare)
            quiet = 0 if best.upper < before * (1.0 - 1e-5) else quiet + 1

    def _run_tree(self) -> bool:
        """Look for plans close to the bound; return whether all were looked at."""
        own, best = self.instance, self.incumbent
        step = self.step_share * max(abs(self.bound), 1e-3 * own.most) + own.grain
        target = min(self.bound + step, own.most)
        if best.goal < self.bound + _ALL_STEPS * step:
            target = min(best.goal, own.most)
        status = np.zeros(own.n_sites, dtype=np.int8)
        arcs = reduce_arcs(own, status, self.price, self.bound, target)
        tree = Tree(own, arcs, status, target, best)
        done = tree.run(self.price, self.bound)
        self.bound = max(self.bound, self._lift(min(tree.bound, best.upper)))
        if tree.nodes < _QUICK_NODES:
            self.step_share *= _STEP_GROWTH
        self.facts |= {
            "trees": self.facts["trees"] + 1,
            "nodes": self.facts["nodes"] + tree.nodes,
            "arcs_left": len(arcs.row),
        }
        return done


def start_prices(instance: Instance) -> Floats:
    """Return prices of rows to start from: the cheapest site and a share in the fixed costs or the detours."""
    usable = np.isfinite(instance.cost)
    least = np.where(usable, instance.cost, np.inf).min(axis=1)
    mean = np.where(usable, instance.cost, 0.0).sum(axis=1) / usable.sum(axis=1)
    per_unit = float(instance.fixed.sum()) / max(float(instance.room.sum()), 1e-12)
    detour = 0.1 * (mean - least) if instance.count < instance.n_sites else 0.0
    prices: Floats = least + detour + per_unit * instance.demand
    return prices
