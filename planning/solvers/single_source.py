"""Capacitated p-median and single-source capacitated location: every row whole at one open site, least cost, proven.

Local search gives a plan, Lagrangian relaxation of "each row once" the bound; what no better plan can have is dropped,
and branch and bound with the same relaxation closes the rest. The best sites for split rows are filled with whole
ones, and regions of plans are solved anew, before the tree and now and then within it. The tree first looks only
for plans close to the bound: with so low a cutoff most arcs fall away, and what it finds or excludes is proven.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache

import numpy as np

from geodata.messages import Message, msg
from geodata.study import Progress, no_progress
from planning.certificate import OPTIMAL_GAP_SHARE
from planning.solvers.cflp import solve_split_location
from planning.solvers.location_problems import LocationAnswer, LocationProblem
from planning.solvers.problems import Bools, Floats, Ints
from planning.solvers.single_source_bound import Part, climb
from planning.solvers.single_source_incumbent import HEATS, Incumbent
from planning.solvers.single_source_instance import Instance, build_instance, spread_sites
from planning.solvers.single_source_regions import RegionSearch
from planning.solvers.single_source_tree import Tree, reduce_arcs

_WORKERS = 2
_ROOT_ROUNDS, _FIRST_KICKS = 600, 150
_FIRST_STEP_SHARE = 0.0015
_STEP_GROWTH = 2.0
_QUICK_NODES, _STEP_WORK = 60, 8_000_000
_TURNS = (8, 12)
_QUIET = 5
_SEARCH_SHARE, _CLIMB_SHARE = 0.06, 0.05
_CHUNK_ROUNDS = 50
_SITES_POLISH, _ROOT_POLISH, _POLISH_SHARE = 1500, 400, 0.5
_SPLIT_SHARE, _SPLIT_GAP = 0.07, 1e-4
_WORTH = 1e-4
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
        self.price, self.priced = np.zeros(instance.n_rows), -math.inf
        self.average, self.opened = np.zeros(0), np.zeros(instance.n_sites)
        self.step_share, self.leaps = _FIRST_STEP_SHARE, False
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
        with ThreadPoolExecutor(_WORKERS) as pool:
            return self._search(pool)

    def _search(self, pool: Executor) -> str:
        self._start(pool)
        while not self.is_done():
            if self.incumbent.is_late():
                return "time"
            self._run_tree(pool)
        upper = self.incumbent.upper
        return "gap" if math.isfinite(upper) and upper - self.bound > OPTIMAL_GAP_SHARE * abs(upper) else "proven"

    def _start(self, pool: Executor) -> None:
        """Look for prices and plans before any branching."""
        own, best = self.instance, self.incumbent
        best.search(spread_sites(own), np.full(own.n_sites, 0.5), _FIRST_KICKS)
        self._climb_root(_ROOT_ROUNDS)
        if not self.is_done() and own.cost.min() >= 0.0:
            self._try_split_sites(pool)
        for turns in _TURNS:
            if self.is_done():
                return
            self._search_root(turns)
            self._climb_root(_ROOT_ROUNDS)
            self.regions = RegionSearch(best, self.price, best.seed + turns, pool)
            before = math.inf
            while before - best.upper > _WORTH * abs(best.upper):
                before = best.upper
                self._polish(_ROOT_POLISH)

    def _polish(self, effort: int) -> None:
        self.regions.improve(effort, self.bound)

    def _try_split_sites(self, pool: Executor) -> None:
        """Search from the sites that are best where rows may be split: with many rows to a site those are close."""
        own = self.instance
        count = own.count if own.count < own.n_sites else None
        problem = LocationProblem(own.cost, own.demand, own.room, own.fixed, count, single_source=False)
        limit = None if math.isinf(self.limit) else _SPLIT_SHARE * self.limit
        split = solve_split_location(problem, time_limit_s=limit, gap_share=_SPLIT_GAP, progress=self._listen)
        if split.opened.any():
            self._fill_sites(split.opened, split.site.astype(np.int64), pool)
        # With a count, the split plan opens exactly so many sites: ours may open fewer, and cost less than its bound.
        if own.count == own.n_sites and math.isfinite(split.bound):
            self.bound = max(self.bound, self._lift(split.bound - 1e-9 * abs(split.bound)))

    def _fill_sites(self, opened: Bools, start: Ints, pool: Executor) -> None:
        """Look for the best plan of just these sites: a search with all of them leaves good ones too soon."""
        best, position = self.incumbent, np.flatnonzero(opened)
        own = self.instance.keep_sites(position)
        inner = Incumbent(own, seed=best.seed, gap_share=best.gap_share, deadline=best.deadline, tell=best.tell)
        place = np.where(opened, np.cumsum(opened) - 1, -1)
        inner.search(np.ones(own.n_sites, dtype=bool), np.ones(own.n_sites), _FIRST_KICKS, start=place[start])
        fees = float(self.instance.fixed[opened].sum())
        RegionSearch(inner, self.price, best.seed, pool).improve(_SITES_POLISH, self.bound - fees)
        if inner.site is not None:
            best.offer(position[inner.site])

    def _listen(self, step: Message, share: float) -> None:
        self._tell()

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
        """Raise the bound from the best prices so far, with a short memory and then with a long one."""
        own = self.instance
        arcs = own.arcs
        part = own.part(arcs.start, arcs.row, arcs.cost, np.zeros(own.n_sites, dtype=np.int8))
        best = -math.inf, self.average, self.opened
        for quick in (True, False):
            self.average, self.opened = np.zeros(len(arcs.row)), np.zeros(own.n_sites)
            found = self._climb_part(part, start_prices(own), rounds, quick)
            if found > best[0]:
                best = found, self.average, self.opened
        _, self.average, self.opened = best

    def _climb_part(self, part: Part, price: Floats, rounds: int, quick: bool) -> float:
        own, best, stride = self.instance, -math.inf, 1.0
        begun, done, size, clock = True, 0, 10, time.perf_counter()
        while done < rounds and (begun or not self.incumbent.is_late()) and not self.is_done():
            upper = self.incumbent.upper
            if not math.isfinite(upper):
                upper = own.most if self.bound <= 0 else min(1.3 * self.bound, own.most)
            goal = min(upper, self.incumbent.goal)
            found, stride = climb(part, price, goal, size, stride, begun, quick, self.average, self.opened)
            if found == math.inf:
                self.bound = own.most
            best = max(best, found)
            if self.priced < found < math.inf:
                self.priced, self.price = found, price.copy()
                self.bound = max(self.bound, self._lift(found - 1e-9 * abs(found)))
            done, begun = done + size, False
            if stride < 1e-3 or time.perf_counter() > clock + _CLIMB_SHARE * self.limit:
                break
            size = int(np.clip(_SLICE_ARCS // max(len(part.row), 1), 5, _CHUNK_ROUNDS))
        return best

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

    def _run_tree(self, pool: Executor) -> None:
        """Look for plans close to the bound, or for all that are better."""
        own, best = self.instance, self.incumbent
        step = self.step_share * max(abs(self.bound), 1e-3 * own.most) + own.grain
        target = min(best.goal if self.leaps else self.bound + step, best.goal, own.most)
        status = np.zeros(own.n_sites, dtype=np.int8)
        arcs = reduce_arcs(own, status, self.price, self.bound, target)
        tree = Tree(own, arcs, status, target, best, pool)
        most = math.inf if self.leaps or target >= best.goal else max(_STEP_WORK // max(len(arcs.row), 1), _QUICK_NODES)
        done = tree.run(self.price, self.bound, most, polish=lambda nodes: self._polish(int(_POLISH_SHARE * nodes)))
        # Where a step takes this long, more steps take longer than all at once: low cutoffs make for short strides.
        self.leaps = self.leaps or not done
        self.bound = max(self.bound, self._lift(min(tree.bound, best.upper)))
        if tree.nodes < _QUICK_NODES:
            self.step_share *= _STEP_GROWTH
        self.facts |= {
            "trees": self.facts["trees"] + 1,
            "nodes": self.facts["nodes"] + tree.nodes,
            "arcs_left": len(arcs.row),
        }


def start_prices(instance: Instance) -> Floats:
    """Return prices of rows to start from: the cheapest site and a share in the fixed costs or the detours."""
    usable = np.isfinite(instance.cost)
    least = np.where(usable, instance.cost, np.inf).min(axis=1)
    mean = np.where(usable, instance.cost, 0.0).sum(axis=1) / usable.sum(axis=1)
    per_unit = float(instance.fixed.sum()) / max(float(instance.room.sum()), 1e-12)
    detour = 0.1 * (mean - least) if instance.count < instance.n_sites else 0.0
    prices: Floats = least + detour + per_unit * instance.demand
    return prices
