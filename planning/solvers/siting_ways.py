"""The programme over ways alone: one way each, the rules over ways, and what pupils cost as told by cuts.

Variables: ``y[way]``, and ``c[t]``, the cost of the pupils of period ``t``. Every cut says ``c[t] >= base[t] +
sum(value[way, t] * y[way])`` (``siting_dual``). Money is counted in a unit that makes numbers small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from planning.solvers.highs import open_highs
from planning.solvers.location_problems import SitingProblem
from planning.solvers.problems import Bools, Floats, Ints
from planning.solvers.siting_dual import WayPrices
from planning.solvers.siting_highs import Columns, Watch, pass_columns, run_watched
from planning.solvers.siting_plain import WayChoice, list_sides, measure_sides, owner_of_ways, read_choice

_TOTAL = 1e6
"""The objective is counted in a unit that makes it about so large."""


@dataclass(frozen=True)
class Relaxation:
    """Ways as shares: ``chosen`` (ways,), their proven least cost ``bound``, and ``reduced`` (ways,).

    ``reduced``: by how much at least the bound rises when the way is chosen (``inf``: not among those kept).
    """

    chosen: Floats
    bound: float
    reduced: Floats


class RelaxedWays:
    """The programme without cuts, ways as shares 0 to 1, solved again and again with other costs."""

    def __init__(self, problem: SitingProblem, kept: Bools | None = None) -> None:
        self._problem = problem
        self._kept = np.arange(len(problem.way_cost)) if kept is None else np.flatnonzero(kept)
        self._owner = owner_of_ways(problem)[self._kept]
        self._first = np.searchsorted(self._owner, np.arange(problem.n_facilities))
        self._model: Any = None
        if len(problem.side_limit):
            self._model = open_highs(presolve=False)
            pass_columns(self._model, build_ways(problem, self._kept, [], 1.0, whole=False))

    def solve(self, cost: Floats) -> Relaxation | None:
        """Return the shares of least cost (ways,); None where the rules contradict each other.

        The bound is counted again from the prices of the rules in float64, whatever the solver's tolerances.
        """
        import highspy

        charged, income, chosen = np.array(cost[self._kept]), 0.0, np.zeros(len(cost))
        if self._model is not None:
            unit = max(float(np.abs(charged).max()), 1e-9) / _TOTAL
            index = np.arange(len(self._kept), dtype=np.int32)
            self._model.changeColsCost(len(index), index, charged / unit)
            self._model.run()
            if self._model.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
                return None
            solution = self._model.getSolution()
            chosen[self._kept] = np.clip(np.array(solution.col_value), 0.0, 1.0)
            price = np.minimum(np.array(solution.row_dual)[self._problem.n_facilities :], 0.0) * unit
            price /= measure_sides(self._problem)
            income = float(price @ self._problem.side_limit)
            charged -= self._charge(price)
        least = np.minimum.reduceat(charged, self._first)
        if self._model is None:
            chosen[self._kept[first_least(charged, least[self._owner], self._owner)]] = 1.0
        reduced = np.full(len(cost), np.inf)
        reduced[self._kept] = charged - least[self._owner]
        return Relaxation(chosen, float(least.sum() + income), reduced)

    def _charge(self, price: Floats) -> Floats:
        """Return what the rules pay for each way kept at their prices (0 or less)."""
        problem = self._problem
        rule = np.repeat(np.arange(len(problem.side_limit)), np.diff(problem.side_start))
        weights = problem.side_value * price[rule]
        paid = np.bincount(problem.side_way, weights=weights, minlength=len(problem.way_cost))
        return np.asarray(paid[self._kept], dtype=np.float64)


def first_least(values: Floats, least: Floats, owner: Ints) -> Ints:
    """Return the first position of each owner (ascending) whose value is the least."""
    hits = np.flatnonzero(values <= least)
    return np.asarray(hits[np.unique(owner[hits], return_index=True)[1]])


@dataclass(frozen=True)
class Ask:
    """What is asked of the programme over ways.

    ``kept`` (ways,): may be chosen. ``scale``: about how large the objective is. ``start`` (facilities,): ways to begin
    from.
    """

    kept: Bools
    scale: float
    gap_share: float
    start: Ints | None = None
    seed: int = 0


def choose_ways(problem: SitingProblem, cuts: list[WayPrices], ask: Ask, watch: Watch) -> WayChoice:
    """Return the best ways as the cuts tell, and the proven bound."""
    import highspy

    ways, unit = np.flatnonzero(ask.kept), max(abs(ask.scale), 1e-9) / _TOTAL
    model = open_highs(seed=ask.seed)
    model.setOptionValue("mip_rel_gap", ask.gap_share)
    model.setOptionValue("mip_abs_gap", 0.0)
    pass_columns(model, build_ways(problem, ways, cuts, unit, whole=True))
    if ask.start is not None and ask.kept[ask.start].all():
        at = np.searchsorted(ways, ask.start)
        value = np.zeros(len(ways))
        value[at] = 1.0
        model.setSolution(len(ways), np.arange(len(ways), dtype=np.int32), value)
    run_watched(model, watch)
    if model.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return WayChoice(None, np.inf, "infeasible")
    choice = read_choice(problem, model, ways)
    return WayChoice(choice.way, choice.bound * unit - 1e-9 * abs(choice.bound * unit), choice.status)


def build_ways(problem: SitingProblem, ways: Ints, cuts: list[WayPrices], unit: float, *, whole: bool) -> Columns:
    """Return the programme over the ways given: one each, the rules, the cuts; then one cost of pupils per period.

    The value of a facility's first way is moved into the base of a cut: most others then have none.
    """
    owner = owner_of_ways(problem)[ways]
    n_ways, n_periods = len(ways), problem.n_periods if cuts else 0
    n_sides = len(problem.side_limit)
    first = ways[np.searchsorted(owner, np.arange(problem.n_facilities))]
    entries = [(owner, np.arange(n_ways), np.ones(n_ways)), list_sides(problem, ways, problem.n_facilities)]
    lower = [np.ones(problem.n_facilities), np.full(n_sides, -np.inf)]
    upper = [np.ones(problem.n_facilities), problem.side_limit / measure_sides(problem)]
    row = problem.n_facilities + n_sides
    for cut in cuts:
        for period in range(n_periods):
            more = (cut.value[ways, period] - cut.value[first[owner], period]) / unit
            used = np.flatnonzero(np.abs(more) > 0.0)
            entries.append((np.full(len(used), row), used, -more[used]))
            entries.append((np.array([row]), np.array([n_ways + period]), np.ones(1)))
            lower.append(np.array([(cut.base[period] + cut.value[first, period].sum()) / unit]))
            upper.append(np.array([np.inf]))
            row += 1
    cost = np.concatenate([problem.way_cost[ways] / unit, np.ones(n_periods)])
    above = np.concatenate([np.ones(n_ways), np.full(n_periods, np.inf)])
    kinds = (np.arange(len(cost)) < n_ways) & whole
    limits = (np.concatenate(lower), np.concatenate(upper))
    return Columns.gather(entries, limits, cost=cost, upper=above, whole=kinds)
