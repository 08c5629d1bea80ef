"""What every way is worth at given row prices: the Lagrangian relaxation of "every pupil is sent somewhere".

With a price ``price[row, t]`` on each pupil of each row, the pupils fall apart by facility and period: a facility takes
those that cost it less than their price, best first, up to its places (at least ``least_pupils``, lacking ones priced).
That is worth ``value[way]``, summed over the periods. For all prices up to the price of overload,
``sum(price * pupils) + sum over the ways chosen of (way_cost + value)`` is at most the cost of the choice, so the least
of it over all lawful choices is a proven bound, and each price is also a valid cut of Benders' kind over the ways
(A. M. Geoffrion, *Lagrangean relaxation for integer programming*, Math. Programming Study 2, 1974; T. L. Magnanti,
R. T. Wong, *Accelerating Benders decomposition*, Operations Research 29, 1981).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from planning.solvers.location_problems import SitingProblem
from planning.solvers.problems import Floats, Ints
from planning.solvers.siting_kernels import list_wanted, load_rows, sort_wanted, value_ways

_SAFETY = 1e-9


Wanted: TypeAlias = tuple[Ints, "np.ndarray[Any, Any]", Floats, Floats, Floats]


@dataclass(frozen=True)
class WayPrices:
    """A cut: pupils cost at least ``base[t] + sum(value[chosen ways, t])`` in period ``t``, rounding taken off.

    ``base`` (periods,), ``value`` (ways, periods).
    """

    base: Floats
    value: Floats


class SitingDual:
    """The arcs by facility, ready to be priced again and again. Row prices are arrays (periods, rows)."""

    def __init__(self, problem: SitingProblem) -> None:
        order = np.argsort(problem.facility, kind="stable")
        row_of = np.repeat(np.arange(problem.n_rows, dtype=np.int32), np.diff(problem.row_start))
        counts = np.bincount(problem.facility, minlength=problem.n_facilities)
        self.problem = problem
        self._start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._row, self._cost = row_of[order], np.ascontiguousarray(problem.arc_cost[order])
        self._pupils = np.ascontiguousarray(problem.pupils.T)
        self._places = np.ascontiguousarray(problem.way_places.T)
        self._way_start = np.array(problem.way_start)
        least = np.where(problem.way_places > 0, problem.way_least_pupils, 0.0)
        self._least = np.ascontiguousarray(least.T)
        first = self._way_start[:-1]
        self._most = [
            (np.maximum.reduceat(places, first), np.maximum.reduceat(least, first))
            for places, least in zip(self._places, self._least, strict=True)
        ]

    def sort(self, prices: Floats) -> tuple[WayPrices, list[Wanted]]:
        """Return the cut of row prices, and what each facility wants in each period (for :meth:`leave`)."""
        problem, wanted = self.problem, []
        prices = np.minimum(prices, problem.overload_price)
        value = np.empty(self._places.shape)
        for period, weight in enumerate(problem.period_weight):
            pupils, price = self._pupils[period], np.ascontiguousarray(prices[period])
            most, dear = self._most[period], problem.overload_price
            listed = list_wanted((self._start, self._row, self._cost), weight, pupils, price, most, dear)
            wanted.append((*listed, *sort_wanted(*listed, pupils)))
            value_ways(wanted[-1], self._way_start, self._places[period], self._least[period], dear, value[period])
        base = (prices * self._pupils).sum(axis=1)
        base -= _SAFETY * (np.abs(prices * self._pupils).sum(axis=1) + np.abs(value).max(axis=1))
        return WayPrices(base, np.ascontiguousarray(value.T)), wanted

    def leave(self, wanted: list[Wanted], chosen: Floats) -> Floats:
        """Return the pupils (periods, rows) less those whom the ways ``chosen`` (ways,) take: a subgradient."""
        left = np.empty(self._pupils.shape)
        for period, pupils in enumerate(self._pupils):
            load = np.zeros(len(pupils))
            ways = (self._way_start, self._places[period], self._least[period])
            load_rows(wanted[period], *ways, pupils, chosen, load)
            left[period] = pupils - load
        return left
