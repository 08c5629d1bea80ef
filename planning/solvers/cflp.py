"""Capacitated location with split rows: which sites to open, and who serves how much of each row, with a proof.

Row prices give a Lagrangian bound (every site fills its capacity with the rows that earn most: J. E. Beasley,
*Lagrangean heuristics for location problems*, European Journal of Operational Research 65, 1993), which also fixes
most sites; branching on the others closes the gap. Given the sites, serving the rows is a transport problem that is
solved exactly.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geodata.errors import SolverError
from geodata.messages import msg
from geodata.study import Progress, no_progress
from planning.certificate import OPTIMAL_GAP_SHARE
from planning.solvers.cflp_branch import ROUNDING, Branching, Node
from planning.solvers.cflp_kernels import fix_sites, price_sites, raise_prices
from planning.solvers.cflp_serve import Served, Sites, serve_rows
from planning.solvers.location_problems import LocationAnswer, LocationProblem
from planning.solvers.problems import Bools, Floats
from planning.solvers.siting_highs import Watch

STEP = msg("Choosing sites within their capacity")
_CHUNKS = 40
_TRIALS = 150
_NONE = np.zeros(0)


@dataclass
class _Search:
    """The best plan and the best bound so far; ``state`` (sites,): 1 open and -1 closed in every better plan."""

    sites: Sites
    watch: Watch
    gap_share: float
    dearest: float
    best: Served
    bound: float = -np.inf
    known: dict[bytes, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state = np.zeros(len(self.sites.fixed), dtype=np.int64)
        costs = np.partition(self.sites.cost, min(1, len(self.sites.fixed) - 1), axis=0)
        self.price: Floats = np.where(
            np.isfinite(costs[min(1, len(costs) - 1)]), costs[min(1, len(costs) - 1)], costs[0]
        )
        self.often: Floats = np.zeros(len(self.sites.fixed))

    @property
    def closed(self) -> bool:
        """True when nothing is left to prove, or time is up."""
        enough = max(self.gap_share, 2 * ROUNDING) * abs(self.best.value)
        return self.watch.late or self.best.value - self.bound <= enough

    def run(self) -> None:
        """Raise the bound by prices, then close the gap by cuts."""
        self._raise_bound()
        self.facts["price_bound"] = self.bound
        if self.closed:
            return
        self._improve_plan()
        self._fix()
        self.facts["sites_free"] = int((self.state == 0).sum())
        branching = Branching(
            self.sites,
            self.try_sites,
            best=lambda: self.best.value,
            tell=lambda share: self.watch.tell(0.4 + 0.6 * share),
            late=lambda: self.watch.late,
        )
        # Sites were fixed for plans cheaper than the best: the bound speaks of those only.
        self.bound = max(self.bound, branching.run(Node(self.bound, self.state, self.price), self.gap_share))
        self.facts["nodes"] = branching.nodes

    def try_sites(self, opened: Bools) -> Served | None:
        """Serve all rows from these sites; None where they were tried before. Keeps the best."""
        key = np.packbits(opened).tobytes()
        if key in self.known:
            return None
        served = serve_rows(self.sites, opened, self.dearest)
        self.known[key] = served.value
        if served.value < self.best.value:
            self.best = served
        return served

    def _raise_bound(self) -> None:
        stale, stride = 0, 1.0
        for step in range(_CHUNKS):
            self.watch.tell(0.3 * step / _CHUNKS)
            effort = (self.best.value, stride, self.sites.rounds(25))
            value, price, often, stride = raise_prices(
                self.sites.arrays, self.state, self.sites.limits, _NONE, self.price, effort
            )
            value -= ROUNDING * abs(value)
            stale = 0 if value > self.bound + 1e-5 * abs(self.bound) else stale + 1
            if value > self.bound:
                self.bound, self.price = value, price
            self.often = often
            for least in (0.3, 0.6):
                self.try_sites(self._round(often, least))
            if stale >= 5 or stride < 3e-3 or self.closed:
                return

    def _round(self, often: Floats, least: float) -> Bools:
        """Return sites often open in the relaxation, and more in that order until they hold the demand."""
        order = np.argsort(-(often + 1e-6 * self.sites.capacity / self.sites.total), kind="stable")
        held = np.cumsum(self.sites.capacity[order])
        enough = int(np.searchsorted(held, self.sites.total * (1 - 1e-9))) + 1
        count = max(int((often[order] >= least).sum()), enough, self.sites.least)
        opened = np.zeros(len(often), dtype=np.bool_)
        opened[order[: min(count, self.sites.most)]] = True
        return opened

    def _improve_plan(self) -> None:
        """Close, open or swap single sites of the best plan, the most promising first, while that is cheaper."""
        trials, improved = _TRIALS, True
        while improved and trials > 0:
            improved = False
            worth = self.sites.fixed + price_sites(self.sites.cost, self.sites.demand, self.sites.capacity, self.price)
            inside = np.flatnonzero(self.best.opened)
            inside = inside[np.argsort(-worth[inside])]
            outside = np.flatnonzero(~self.best.opened)
            outside = outside[np.argsort(worth[outside])][:8]
            moves = [(out, into) for out in [-1, *inside.tolist()] for into in [-1, *outside.tolist()]]
            value = self.best.value
            for out, into in moves:
                opened = self.best.opened.copy()
                if out >= 0:
                    opened[out] = False
                if into >= 0:
                    opened[into] = True
                if not self._may_open(opened) or self.try_sites(opened) is None:
                    continue
                trials -= 1
                self.watch.tell(0.35)
                if self.best.value < value:
                    improved = True
                    break
                if trials <= 0 or self.watch.late:
                    return

    def _may_open(self, opened: Bools) -> bool:
        held = float(self.sites.capacity[opened].sum())
        return self.sites.least <= opened.sum() <= self.sites.most and held >= self.sites.total * (1 - 1e-9)

    def _fix(self) -> None:
        worth = self.sites.fixed + price_sites(self.sites.cost, self.sites.demand, self.sites.capacity, self.price)
        upper = self.best.value + 1e-7 * abs(self.best.value)
        fix_sites(float(self.price.sum()), worth, self.state, self.sites.limits, upper)


def solve_split_location(
    problem: LocationProblem,
    *,
    time_limit_s: float | None = None,
    gap_share: float = 0.0,
    seed: int = 0,
    progress: Progress = no_progress,
) -> LocationAnswer:
    """Open sites and serve every row within their capacity, rows split where that pays, at least cost.

    Parameters
    ----------
    problem : ``count`` = exactly so many sites (all, where there are fewer); ``single_source`` is not read
    time_limit_s : ends the search with the best plan and the bound proven so far
    gap_share : a proven gap this small ends it too
    seed : not used: the search has no chance in it

    Returns
    -------
    LocationAnswer
        ``share`` (rows, sites); ``"infeasible"`` where the capacities of all sites that may be opened hold less than
        the demand that is allowed there.

    Raises
    ------
    SolverError
        When a number is negative.
    Cancelled
        From ``progress``.
    """
    began = time.monotonic()
    watch = Watch(progress, np.inf if time_limit_s is None else began + time_limit_s, STEP)
    watch.tell(0.0)
    sites, dearest = _read_sites(problem)
    everything = serve_rows(sites, _open_largest(sites), dearest)
    if serve_rows(sites, np.ones(len(sites.fixed), np.bool_), dearest).over > 0 or not _can_hold(sites):
        return _tell(problem, everything, np.inf, began, watch, {})
    search = _Search(sites, watch, gap_share, dearest, everything)
    search.run()
    return _tell(problem, search.best, search.bound, began, watch, search.facts)


def _read_sites(problem: LocationProblem) -> tuple[Sites, float]:
    """Return the sites as the search sees them, and the price of demand without capacity."""
    cost = np.ascontiguousarray(np.asarray(problem.cost, dtype=np.float64).T)
    demand = np.asarray(problem.demand, dtype=np.float64)
    fixed = np.asarray(problem.fixed_cost, dtype=np.float64)
    if np.isnan(cost).any() or min(cost.min(initial=0.0), demand.min(initial=0.0), fixed.min(initial=0.0)) < 0:
        raise SolverError("Costs and demand must be 0 or more.")
    total = float(demand.sum())
    capacity = np.minimum(np.asarray(problem.capacity, dtype=np.float64), max(total, 1e-300))
    held = np.cumsum(np.sort(capacity)[::-1])
    least = min(int(np.searchsorted(held, total * (1 - 1e-9))) + 1, len(fixed))
    most = len(fixed)
    if problem.count is not None:
        most = min(problem.count, len(fixed))
        least = most
    full = demand > 0
    per_demand = np.where(np.isfinite(cost[:, full]), cost[:, full], 0.0) / demand[full]
    dearest = 2.0 * float(per_demand.max(initial=0.0)) + float(fixed.max(initial=0.0)) / max(total, 1e-300) + 1e-9
    return Sites(cost, demand, capacity, fixed, least, most, max(total, 1e-300)), dearest


def _open_largest(sites: Sites) -> Bools:
    """Return as many sites as may be open, those of largest capacity first."""
    opened = np.zeros(len(sites.fixed), dtype=np.bool_)
    opened[np.argsort(-sites.capacity, kind="stable")[: sites.most]] = True
    return opened


def _can_hold(sites: Sites) -> bool:
    largest = np.sort(sites.capacity)[::-1][: sites.most]
    return sites.most >= 1 and float(largest.sum()) >= sites.total * (1 - 1e-9)


def _tell(
    problem: LocationProblem, best: Served, bound: float, began: float, watch: Watch, facts: dict[str, Any]
) -> LocationAnswer:
    """Return the answer; a plan with demand left over is none."""
    site = np.full(problem.n_rows, -1, dtype=np.int32)
    share = np.zeros((problem.n_rows, problem.n_sites))
    lawful = best.over <= 0 and np.isfinite(bound)
    value = best.value if lawful else np.inf
    if lawful:
        share[best.rows, best.site] = best.share
        share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
        site = share.argmax(axis=1).astype(np.int32)
        bound = min(bound, value)
    proven = bound == np.inf or (lawful and value - bound <= OPTIMAL_GAP_SHARE * abs(value))
    status = "optimal" if proven else "feasible"
    if not lawful:
        status = "infeasible" if proven else "no_plan_in_time"
    return LocationAnswer(
        opened=best.opened if lawful else np.zeros(problem.n_sites, dtype=np.bool_),
        site=site,
        objective=value,
        bound=bound,
        status=status,
        stopped="proven" if proven else "time" if watch.late else "gap",
        seconds=time.monotonic() - began,
        share=share if lawful else None,
        facts=facts,
    )
