"""The search: row prices prove a bound, a programme over ways proposes plans, exact flows cost them and sharpen it.

1. Climb (``siting_ascent``) to prices close to the best bound of the relaxation.
2. Solve the programme over ways with the cuts at hand (``siting_ways``): its bound holds for all lawful choices, its
   choice is costed by exact flows (``siting_flow``), whose row prices, and mixtures of them with the best ones, are new
   cuts (Benders' decomposition, with cuts from mixtures as in M. Fischetti, I. Ljubic, M. Sinnl, *Redesigning Benders
   decomposition for large-scale facility location*, Management Science 63, 2017).
3. Ways that the bound shows to be in no better plan are left out, and so on until bound and plan meet.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from planning.solvers.location_problems import SitingProblem
from planning.solvers.problems import Bools, Floats, Ints
from planning.solvers.siting_ascent import Pace, ascend, price_rows
from planning.solvers.siting_dual import SitingDual, WayPrices
from planning.solvers.siting_flow import PeriodFlow, breaks_sides, send_pupils
from planning.solvers.siting_highs import Watch
from planning.solvers.siting_plain import WayChoice, solve_plain
from planning.solvers.siting_ways import Ask, RelaxedWays, choose_ways

_MIXTURES = (1.0, 0.5, 0.1, 0.02)
"""Shares of a plan's own row prices in the prices of its cuts; the rest are the best ones."""
_LEVELS = (0.95, 0.8, 0.6, 0.4, 0.2, 0.05)
_MOST_CUTS = 80
_SLACK = 1e-9
_MEND_S = 5.0


@dataclass
class Search:
    """The state of a search: the best plan, the proven bound, the cuts.

    ``way``, ``flows``, ``objective``: the best plan. ``bound``: proven. ``reduced`` (ways,) with ``root``: choosing the
    way raises the bound ``root`` by so much.
    """

    problem: SitingProblem
    watch: Watch
    gap_share: float
    seed: int
    dual: SitingDual
    relaxed: RelaxedWays
    way: Ints
    flows: list[PeriodFlow] = field(default_factory=list)
    objective: float = np.inf
    bound: float = -np.inf
    prices: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    root: float = -np.inf
    reduced: Floats = field(default_factory=lambda: np.zeros(0))
    cuts: list[WayPrices] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=lambda: {"steps": 0, "plans": 0, "rounds": 0})

    @property
    def gap(self) -> float:
        """Return the gap of the best plan."""
        return max(self.objective - self.bound, 0.0) / max(abs(self.objective), 1e-9)

    @property
    def done(self) -> bool:
        """True when the plan is good enough or the time is over."""
        return self.gap <= self.gap_share or self.watch.late

    def cost_plan(self, way: Ints) -> bool:
        """Cost a lawful plan exactly and add its cuts; return whether it is new."""
        if self.knows(way):
            return False
        self.seen.add(way.astype(np.int32).tobytes())
        self.facts["plans"] += 1
        problem = self.problem
        flows = [self._send(way, period) for period in range(problem.n_periods)]
        objective = float(problem.way_cost[way].sum() + sum(flow.cost for flow in flows))
        own = np.array([flow.row_price for flow in flows])
        if not len(self.prices):
            self.prices = own
        for share in _MIXTURES:
            self.cuts.append(self.dual.sort(share * own + (1 - share) * self.prices)[0])
        if objective < self.objective:
            self.way, self.flows, self.objective = way, flows, objective
        return True

    def _send(self, way: Ints, period: int) -> PeriodFlow:
        """Return the best flow of a period: that of the best plan where nothing differs."""
        self.watch.tell()
        places, least = self.problem.way_places[:, period], self.problem.way_least_pupils[:, period]
        if not self.flows:
            return send_pupils(self.problem, period, places[way], least[way])
        best = self.flows[period]
        if (places[way] == places[self.way]).all() and (least[way] == least[self.way]).all():
            return best
        return send_pupils(self.problem, period, places[way], least[way], best.split)

    def knows(self, way: Ints) -> bool:
        """Return whether the plan was costed before."""
        return way.astype(np.int32).tobytes() in self.seen

    def settle_prices(self) -> None:
        """Cut off row prices that are far above most, where that proves more: those of pupils without a place."""
        levels = [np.inf, *(float(np.quantile(self.prices, share)) for share in _LEVELS)]
        tried = [price_rows(self.dual, self.relaxed, np.minimum(self.prices, level)) for level in levels]
        best = max((found[0] for found in tried if found is not None), key=lambda found: found.bound)
        self.prices = best.prices

    def climb(self, steps: int, stride: float, rise: float) -> None:
        """Raise the bound by better prices.

        ``rise``: share by which the bound is thought to rise at most in the next steps, for their length.
        """
        pace = Pace(steps, stride, self.gap_share / 2, rise)
        found = ascend(self.dual, self.relaxed, self.prices, target=self.objective, watch=self.watch, pace=pace)
        assert found is not None, "the rules over ways hold for the plan at hand"
        self.facts["steps"] += found.steps
        if found.bound >= self.root:
            self.root, self.reduced, self.prices = found.bound, found.reduced, found.prices
        self.bound = max(self.bound, found.bound)
        self.cuts += found.cuts[-4:]

    def list_ways(self) -> Bools:
        """Return the ways that a better plan may hold, and those of the best plan (ways,)."""
        kept: Bools = self.root + self.reduced <= self.objective + _SLACK * abs(self.objective)
        kept[self.way] = True
        return kept

    def ask_ways(self, gap_share: float, most_s: float) -> Ints | None:
        """Return the ways that the cuts favour, and take over the bound that they prove."""
        self.facts["rounds"] += 1
        watch = replace(self.watch, deadline=min(self.watch.deadline, time.monotonic() + most_s))
        self.cuts = self.cuts[-_MOST_CUTS:]
        ask = Ask(self.list_ways(), self.objective, gap_share, self.way, self.seed)
        choice = choose_ways(self.problem, self.cuts, ask, watch)
        if choice.way is not None or choice.status != "infeasible":
            self.bound = max(self.bound, min(choice.bound, self.objective))
        return choice.way

    def ask_whole(self, most_s: float) -> None:
        """Let HiGHS have the whole programme (``siting_plain``) for some seconds, with the ways that are left."""
        watch = replace(self.watch, deadline=min(self.watch.deadline, time.monotonic() + most_s))
        choice = solve_plain(
            self.problem,
            watch=watch,
            gap_share=self.gap_share / 2,
            seed=self.seed,
            allowed=self.list_ways(),
            start=self.way,
        )
        if choice.way is not None:
            self.cost_plan(choice.way)
        if choice.status != "infeasible" and np.isfinite(choice.bound):
            self.bound = max(self.bound, min(choice.bound - _SLACK * abs(choice.bound), self.objective))

    def exchange(self, rounds: int, gap_share: float) -> bool:
        """Ask the programme over ways for plans, cost them, sharpen the cuts; False as soon as no new plan comes."""
        for _ in range(rounds):
            if self.done:
                return True
            self.watch.tell(1.0 - min(self.gap, 1.0))
            way = self.ask_ways(gap_share, max(10.0, 0.1 * min(self.watch.left_s, 600.0)))
            if way is None or not self.cost_plan(way):
                return False
        return True


def open_search(
    problem: SitingProblem, watch: Watch, *, gap_share: float, seed: int, start: Ints | None
) -> tuple[Search | None, str]:
    """Return a search with a first lawful plan, costed; or None and the status, where there is none."""
    begin = np.array(problem.way_start[:-1] if start is None else start, dtype=np.int64)
    mended = mend_ways(problem, begin, watch, seed)
    if mended.way is None:
        return None, mended.status
    search = Search(problem, watch, gap_share, seed, SitingDual(problem), RelaxedWays(problem), mended.way)
    search.cost_plan(mended.way)
    return search, "feasible"


def mend_ways(problem: SitingProblem, way: Ints, watch: Watch, seed: int) -> WayChoice:
    """Return a lawful choice with few other ways, or what is known of there being none."""
    if not breaks_sides(problem, way).any():
        return WayChoice(way, -np.inf, "feasible")
    other = np.ones(len(problem.way_cost))
    other[way] = 0.0
    every = np.ones(len(other), bool)
    ask = Ask(every, float(problem.n_facilities), 0.5, seed=seed)
    patient = replace(watch, deadline=max(watch.deadline, time.monotonic() + _MEND_S))
    return choose_ways(replace(problem, way_cost=other), [], ask, patient)
