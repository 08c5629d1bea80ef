"""A lower bound for whole units: every school packs its own knapsack, prices on the units pull them together.

Lagrangian relaxation of "each unit goes to one school" (M. L. Fisher, R. Jaikumar, L. N. Van Wassenhove, *A multiplier
adjustment method for the generalized assignment problem*, Management Science 32, 1986). Each school takes the set of
units that pays best within its places, overload at its price; with the prices of the split optimum this is at least
the bound of the split problem, and more where units are big. Holds for any prices and for fractional pupils: the
knapsacks are solved by branch and bound, and where that takes too long their own bound counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numba import njit

from planning.solvers.problems import Bools, Floats, TransportProblem

Array: TypeAlias = "np.ndarray[Any, Any]"
MAX_NODES = 20_000
_ROUNDING = 1e-9
_FAILS = 10


def bound_whole_units(
    problem: TransportProblem,
    upper: float,
    *,
    row_price: Floats | None = None,
    rounds: int = 500,
    time_limit_s: float = 60.0,
    enough: float = 1e-6,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[float, Floats]:
    """Return a proven lower bound of whole units at one school each, and the multipliers that prove it.

    Parameters
    ----------
    problem : rows are units; rows without arcs are left out
    upper : objective of a plan, overload priced (``inf`` = none known); only steers the steps
    row_price : shape (rows,), cost per pupil, to start from (the ``row_price`` of the transport optimum); None: that
        optimum is computed
    rounds, time_limit_s : limits
    enough : stops when the gap to ``upper`` is this share of it
    cancelled : asked once a round

    Returns
    -------
    bound, multipliers
        ``multipliers`` (rows,): price of the whole unit; ``price_units(problem, multipliers)`` gives the bound again.
    """
    from planning.solvers.transport import solve_transport

    if row_price is None:
        row_price = solve_transport(problem).row_price
    clock = time.perf_counter() + time_limit_s
    pricing = UnitPricing(problem)
    price = pricing.clip(problem.pupils * row_price)
    best, best_price = -np.inf, price
    stride, fails, drift = 1.0, 0, np.zeros(problem.n_rows)
    for _ in range(rounds):
        value, taken = pricing.evaluate(price)
        if value > best:
            fails = 0 if value > best + 1e-5 * abs(value) else fails + 1
            best, best_price = value, price
        else:
            fails += 1
        slope = np.where(pricing.reached, 1.0 - taken, 0.0)
        done = not slope.any() or best >= upper - enough * abs(upper)
        if done or time.perf_counter() > clock or stride < 1e-3 or cancelled():
            break
        if fails > _FAILS:
            stride, fails = stride * 0.8, 0
        drift = slope + 0.75 * drift
        target = upper if np.isfinite(upper) else best + 0.01 * abs(best) + 1e-9
        price = pricing.clip(price + stride * max(target - value, 0.0) / max(float(drift @ drift), 1e-12) * drift)
    return best, best_price


def price_units(problem: TransportProblem, multipliers: Floats) -> float:
    """Return the lower bound that these prices of units prove."""
    return UnitPricing(problem).evaluate(multipliers)[0]


class UnitPricing:
    """The knapsacks of one problem, by school."""

    def __init__(self, problem: TransportProblem) -> None:
        row_of = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
        order = np.argsort(problem.school, kind="stable")
        self.start = np.searchsorted(problem.school[order], np.arange(problem.n_schools + 1)).astype(np.int64)
        self.row = row_of[order].astype(np.int64)
        self.weight = np.array(problem.pupils)[self.row]
        self.cost = self.weight * problem.cost[order]
        self.places, self.overload_price = np.array(problem.places), float(problem.overload_price)
        self.reached: Bools = np.diff(problem.start) > 0
        least = np.zeros(problem.n_rows)
        if self.reached.any():
            least[self.reached] = np.minimum.reduceat(problem.cost, problem.start[:-1][self.reached])
        self.ceiling = problem.pupils * (least + problem.overload_price)

    def clip(self, price: Floats) -> Floats:
        """Return prices no higher than placing the unit at its nearest school with overload; more proves no more."""
        return np.minimum(price, self.ceiling)

    def evaluate(self, price: Floats) -> tuple[float, Floats]:
        """Return the bound and how many schools take each unit."""
        price = np.where(self.reached, self.clip(price), 0.0)
        taken = np.zeros(len(price))
        packed = pack_schools(
            self.start, self.row, self.weight, self.cost, self.places, self.overload_price, price, taken, MAX_NODES
        )
        return float(price.sum() - packed), taken


@njit(cache=True, nogil=True)
def pack_schools(
    start: Array,
    row: Array,
    weight: Array,
    cost: Array,
    places: Array,
    overload_price: float,
    price: Array,
    taken: Array,
    max_nodes: int,
) -> float:
    """Return what all schools earn at most, ``sum(price - cost)`` of the units they take; count takers in ``taken``."""
    total = 0.0
    for j in range(len(places)):
        begin, end = start[j], start[j + 1]
        size = end - begin
        gain, load, item = np.empty(size), np.empty(size), np.empty(size, np.int64)
        count = 0
        for place in range(begin, end):
            earned = price[row[place]] - cost[place]
            if earned > 0.0:
                gain[count], load[count], item[count] = earned, weight[place], row[place]
                count += 1
        if load[:count].sum() <= places[j]:
            total += gain[:count].sum()
            for one in range(count):
                taken[item[one]] += 1.0
            continue
        ratio = np.empty(count)
        for one in range(count):
            ratio[one] = -gain[one] / load[one] if load[one] > 0 else -np.inf
        order = np.argsort(ratio)
        chosen = np.zeros(count, np.bool_)
        total += pack(gain[:count][order], load[:count][order], places[j], overload_price, chosen, max_nodes)
        for one in range(count):
            if chosen[one]:
                taken[item[order[one]]] += 1.0
    return total


@njit(cache=True, nogil=True)
def _hope(begin: int, room: float, sum_gain: Array, sum_load: Array) -> tuple[float, int]:
    """Return the most that items from ``begin`` on earn in ``room`` if one may be cut, and the item that is cut."""
    n = len(sum_load) - 1
    low, high = begin, n
    while low < high:
        middle = (low + high + 1) >> 1
        if sum_load[middle] - sum_load[begin] <= room:
            low = middle
        else:
            high = middle - 1
    value = sum_gain[low] - sum_gain[begin]
    if low < n:
        left = room - (sum_load[low] - sum_load[begin])
        value += left * (sum_gain[low + 1] - sum_gain[low]) / (sum_load[low + 1] - sum_load[low])
    return value, low


@njit(cache=True, nogil=True)
def pack(gain: Array, load: Array, room: float, overload_price: float, chosen: Array, max_nodes: int) -> float:
    """Return (at least) the best ``sum(gain) - overload_price * overload``; ``chosen`` becomes the best set found.

    Depth-first branch and bound (E. Horowitz, S. Sahni 1974) on items in falling order of ``gain / load``, none of
    which may earn more than ``overload_price`` per pupil: then nothing follows an item that overruns the places.
    """
    n = len(gain)
    sum_gain, sum_load = np.zeros(n + 1), np.zeros(n + 1)
    for i in range(n):
        sum_gain[i + 1], sum_load[i + 1] = sum_gain[i] + gain[i], sum_load[i] + load[i]
    stack, top = np.empty(n, np.int64), 0
    best, value, i, nodes = 0.0, 0.0, 0, 0
    chosen[:] = False
    while True:
        nodes += 1
        hope, cut = _hope(i, room, sum_gain, sum_load)
        slack = _ROUNDING * (1.0 + abs(best))
        if value + hope > best + slack and nodes <= max_nodes:
            for k in range(i, cut):
                stack[top] = k
                top += 1
            value += sum_gain[cut] - sum_gain[i]
            room -= sum_load[cut] - sum_load[i]
            over, crossing = value, -1
            if cut < n:
                crossed = value + gain[cut] - overload_price * (load[cut] - room)
                if crossed > over:
                    over, crossing = crossed, cut
            if over > best:
                best = over
                chosen[:] = False
                for k in range(top):
                    chosen[stack[k]] = True
                if crossing >= 0:
                    chosen[crossing] = True
            i = cut + 1
            if i < n:
                continue
        elif nodes > max_nodes:
            best = max(best, value + hope)
        if top == 0:
            return best + _ROUNDING * (1.0 + abs(best))
        top -= 1
        last = stack[top]
        value -= gain[last]
        room += load[last]
        i = last + 1
