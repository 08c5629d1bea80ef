"""Prices of places close to the optimum, by Newton's method on a smoothed dual; the exact end is ``transport_paths``.

Every row spreads over its arcs by ``exp(-(cost + price) / width)`` (entropic smoothing; M. Cuturi and G. Peyré,
*Semidual regularized optimal transport*, SIAM Review 60, 2018), the bounds ``0 <= price <= ceiling`` are kept by
logarithmic barriers, and ``width`` goes down in steps. The first steps look at a sample of the pupils only, the last
at all rows, but only at the arcs that can still matter.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from planning.solvers.problems import Floats

Array: TypeAlias = "np.ndarray[Any, Any]"
_REACH = 10.0
_BARRIER_SHARE = 0.1
_PRUNE, _LEASH = 40.0, 15.0
"""Arcs looked at, and how far prices may move before they are chosen anew (widths): what is left out stays harmless."""
_STAGES = ((10, 1.0), (10, 1 / 3), (10, 1 / 9), (20, 1 / 27))
"""Sampled rows per school, and width as a share of the first."""
_STEPS = 20
_HIGHEST = 20.0
"""Prices of overload above this many spreads of cost are lowered to it while prices are sought."""


_Rows = tuple[Array, Array, Floats, Floats]


class Market(NamedTuple):
    """Rows (``start``, ``school``, ``cost``, ``pupils``) and what schools hold already (``fixed``)."""

    start: Array
    school: Array
    cost: Array
    pupils: Array
    fixed: Array


@njit(cache=True, nogil=True)
def compute_loads(
    start: Array,
    school: Array,
    cost: Array,
    pupils: Array,
    price: Array,
    width: float,
    rank: Array,
    load: Array,
    curve: Array,
) -> float:
    """Add the smoothed choice of every row to ``load``; return the smoothed sum of least ``cost + price``.

    ``curve`` becomes minus the second derivative by price (lower triangle, schools in the order ``rank``).
    """
    curve[:] = 0.0
    n_rows, longest = len(pupils), 0
    for row in range(n_rows):
        longest = max(longest, start[row + 1] - start[row])
    value, weight, where = np.empty(longest), np.empty(longest), np.empty(longest, np.int64)
    total, inverse = 0.0, 1.0 / width
    for row in range(n_rows):
        begin, low = start[row], np.inf
        for arc in range(begin, start[row + 1]):
            value[arc - begin] = cost[arc] + price[school[arc]]
            low = min(low, value[arc - begin])
        count, mass, limit = 0, 0.0, low + _REACH * width
        for arc in range(begin, start[row + 1]):
            if value[arc - begin] < limit:
                weight[count] = math.exp((low - value[arc - begin]) * inverse)
                mass += weight[count]
                where[count] = school[arc]
                count += 1
        total += pupils[row] * (low - width * math.log(mass))
        steep = pupils[row] * inverse
        for one in range(count):
            share = weight[one] / mass
            weight[one] = share
            load[where[one]] += pupils[row] * share
            line = rank[where[one]]
            where[one] = line
            curve[line, line] += steep * share * (1.0 - share)
            for two in range(one):
                column = where[two]
                curve[max(line, column), min(line, column)] -= steep * share * weight[two]
    return total


@njit(cache=True, nogil=True, fastmath=True)
def _dot(one: Array, two: Array, begin: int, end: int) -> float:
    """Return the scalar product of a stretch of two vectors."""
    total = 0.0
    for place in range(begin, end):
        total += one[place] * two[place]
    return total


@njit(cache=True, nogil=True)
def solve_definite(matrix: Array, right: Array) -> None:
    """Solve ``matrix @ x == right`` for a positive definite lower triangle; both are overwritten, ``right`` by ``x``.

    Cholesky by rows, from the first entry of each row that is not zero.
    """
    n = len(right)
    first = np.empty(n, np.int64)
    for i in range(n):
        line, begin = matrix[i], 0
        while begin < i and line[begin] == 0.0:
            begin += 1
        first[i] = begin
        for j in range(begin, i):
            line[j] = (line[j] - _dot(line, matrix[j], max(begin, first[j]), j)) / matrix[j, j]
        line[i] = math.sqrt(max(line[i] - _dot(line, line, begin, i), 1e-300))
        right[i] = (right[i] - _dot(line, right, begin, i)) / line[i]
    for i in range(n - 1, -1, -1):
        right[i] /= matrix[i, i]
        for j in range(first[i], i):
            right[j] -= right[i] * matrix[i, j]


@njit(cache=True, nogil=True)
def keep_near(start: Array, school: Array, cost: Array, price: Array, wide: float) -> tuple[Array, Array]:
    """Return the arcs of every row within ``wide`` of its least ``cost + price``: starts and arcs."""
    n_rows = len(start) - 1
    new_start = np.zeros(n_rows + 1, np.int64)
    kept = np.empty(1024, np.int64)
    count = 0
    for row in range(n_rows):
        begin, end, low = start[row], start[row + 1], np.inf
        for arc in range(begin, end):
            low = min(low, cost[arc] + price[school[arc]])
        if count + end - begin > len(kept):
            more = np.empty(2 * len(kept) + end - begin, np.int64)
            more[:count] = kept[:count]
            kept = more
        low += wide
        for arc in range(begin, end):
            if cost[arc] + price[school[arc]] <= low:
                kept[count] = arc
                count += 1
        new_start[row + 1] = count
    return new_start, kept[:count]


@njit(cache=True, nogil=True)
def keep_contested(
    start: Array, school: Array, cost: Array, pupils: Array, price: Array, wide: float
) -> tuple[Array, Array, Array, Array, Array]:
    """Return the market of the rows with two or more arcs within ``wide`` of the least; the others are ``fixed``."""
    n_rows = len(pupils)
    fixed = np.zeros(len(price))
    new_start, new_pupils = np.zeros(n_rows + 1, np.int64), np.empty(n_rows)
    kept = np.empty(len(school), np.int64)
    rows, count = 0, 0
    for row in range(n_rows):
        begin, end, low = start[row], start[row + 1], np.inf
        if pupils[row] == 0 or begin == end:
            continue
        for arc in range(begin, end):
            low = min(low, cost[arc] + price[school[arc]])
        low += wide
        before = count
        for arc in range(begin, end):
            if cost[arc] + price[school[arc]] <= low:
                kept[count] = arc
                count += 1
        if count == before + 1:
            count = before
            fixed[school[kept[before]]] += pupils[row]
        else:
            new_pupils[rows] = pupils[row]
            rows += 1
            new_start[rows] = count
    kept = kept[:count]
    return new_start[: rows + 1], school[kept], cost[kept], new_pupils[:rows], fixed


def find_prices(
    start: Array, school: Array, cost: Floats, pupils: Floats, places: Floats, ceiling: float
) -> tuple[Floats, float]:
    """Return prices near the optimum, and the width of their uncertainty (cost units).

    Parameters are those of ``TransportProblem``; every row has arcs and pupils, ``places`` are finite.
    """
    n_schools, total = len(places), float(pupils.sum())
    spread = measure_spread(start, cost, n_rows=len(pupils))
    if spread <= 0 or ceiling <= 0:
        return np.zeros(n_schools), 0.0
    rank = order_schools(*draw_sample(start, school, cost, pupils, 10 * n_schools), n_schools)
    lowered = min(ceiling, _HIGHEST * spread)
    widest = min(spread / 8, lowered / 8)
    newton = Newton(places, lowered, rank, _BARRIER_SHARE * total / n_schools)
    price = np.full(n_schools, widest)
    for per_school, share in _STAGES:
        sample = draw_sample(start, school, cost, pupils, per_school * n_schools)
        width = widest * share
        price = newton.climb(sample, price, width, _STEPS, enough=0.02, prune=share < 0.2)
    price = newton.climb((start, school, cost, pupils), price, width, _STEPS, enough=0.003, prune=True)
    near_start, near = keep_near(start, school, cost, price, 2 * _PRUNE * width)
    rows = (near_start, school[near], cost[near], pupils)
    finest = measure_finest(*rows[:3], price)
    while width > finest:
        width = max(width / 4, finest)
        price = newton.climb(rows, price, width, _STEPS, enough=0.003, prune=True)
    market = Market(*keep_contested(*rows, price, _PRUNE * width))
    load = market.fixed.copy()
    compute_loads(*market[:4], price, width, rank, load, newton.curve)
    price[(load < places * (1 - 1e-3)) & (price < 5 * width)] = 0.0
    price[(load > places * (1 + 1e-3)) & (price > lowered - 5 * width)] = lowered
    price[price > 0.5 * lowered] += ceiling - lowered  # all that hang on a place of overload rise with its price
    return price, width


class Newton:
    """Newton's method on the smoothed dual of one problem."""

    def __init__(self, places: Floats, ceiling: float, rank: npt.NDArray[np.int64], barrier: float) -> None:
        self.places, self.ceiling, self.rank, self.barrier = places, ceiling, rank, barrier
        self.curve = np.zeros((len(places), len(places)))

    def climb(self, rows: _Rows, price: Floats, width: float, steps: int, *, enough: float, prune: bool) -> Floats:
        """Return better prices: until loads are within ``enough`` (share of all pupils) of the places, or no more.

        With ``prune`` only arcs near the least are looked at, and prices stay where that is harmless; beyond it the
        arcs are chosen anew.
        """
        while steps > 0:
            market, reach = Market(*rows, np.zeros(len(price))), math.inf
            if prune:
                market, reach = Market(*keep_contested(*rows, price, _PRUNE * width)), _LEASH * width
            low, high = price - reach, price + reach
            value, slope, total = self.evaluate(market, price, width)
            while True:
                if steps == 0 or np.abs(slope).sum() < enough * total:
                    return price
                step = self.solve(price, slope, width)
                for share in (1.0, 0.4, 0.1, 0.03, 0.01):
                    new = np.clip(price + share * step, 0.1 * price, self.ceiling - 0.1 * (self.ceiling - price))
                    new = np.clip(new, low, high)
                    hoped = float(slope @ (new - price))
                    answer = self.evaluate(market, new, width)
                    if hoped > 0 and answer[0] >= value + 1e-4 * hoped:
                        break
                else:
                    return price
                steps -= 1
                price, (value, slope, total) = new, answer
                if (price <= low).any() or (price >= high).any():
                    break
        return price

    def solve(self, price: Floats, slope: Floats, width: float) -> Floats:
        """Return Newton's step; ``curve`` is used up."""
        barrier = self.barrier * width
        room = self.ceiling - price
        above = slope - barrier / price + barrier / room
        self.curve[self.rank, self.rank] += np.maximum(barrier / price, -above) / price
        self.curve[self.rank, self.rank] += np.maximum(barrier / room, above) / room
        ordered = np.empty(len(price))
        ordered[self.rank] = slope
        solve_definite(self.curve, ordered)
        return ordered[self.rank]

    def evaluate(self, market: Market, price: Floats, width: float) -> tuple[float, Floats, float]:
        """Return the value of the smoothed dual, its slope, and all pupils; ``curve`` is set."""
        load, barrier = market.fixed.copy(), self.barrier * width
        value = compute_loads(*market[:4], price, width, self.rank, load, self.curve)
        room = self.ceiling - price
        value += float((market.fixed - self.places) @ price + barrier * (np.log(price) + np.log(room)).sum())
        return value, load - self.places + barrier / price - barrier / room, float(load.sum())


def measure_spread(start: Array, cost: Floats, *, n_rows: int) -> float:
    """Return by how much the 25th cheapest arc (or the dearest) is dearer than the cheapest, over some rows."""
    rows = np.unique(np.linspace(0, n_rows - 1, 200).astype(np.int64))
    gaps = []
    for row in rows:
        costs = np.sort(cost[start[row] : start[row + 1]])[:25]
        gaps.append(costs[-1] - costs[0])
    return float(np.mean(gaps))


def measure_finest(start: Array, school: Array, cost: Floats, price: Floats) -> float:
    """Return the width at which about two rows per school still hesitate."""
    value = cost + price[school]
    low = np.minimum.reduceat(value, start[:-1])
    value -= np.repeat(low, np.diff(start))
    value = value[value > 0]
    count = min(2 * len(price), len(value) - 1)
    return float(np.partition(value, count)[count]) if count > 0 else float("inf")


def draw_sample(
    start: Array, school: Array, cost: Floats, pupils: Floats, size: int
) -> tuple[Array, Array, Floats, Floats]:
    """Return about ``size`` rows, drawn with chances by their pupils from equal stretches; the same in every run."""
    if size >= len(pupils):
        return start, school, cost, pupils
    total = float(pupils.sum())
    marks = (np.arange(size) + np.random.default_rng(size).uniform(size=size)) * (total / size)
    rows, counts = np.unique(np.searchsorted(np.cumsum(pupils), marks), return_counts=True)
    rows, counts = rows[rows < len(pupils)], counts[rows < len(pupils)]
    lengths = start[rows + 1] - start[rows]
    new_start = np.concatenate([[0], np.cumsum(lengths)])
    arcs = np.repeat(start[rows] - new_start[:-1], lengths) + np.arange(new_start[-1])
    return new_start, school[arcs], cost[arcs], counts * (total / counts.sum())


def order_schools(start: Array, school: Array, cost: Floats, pupils: Floats, n_schools: int) -> npt.NDArray[np.int64]:
    """Return a rank for each school such that schools that share rows are close (reverse Cuthill-McKee)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    new_start, arcs = keep_near(start, school, cost, np.zeros(n_schools), float(np.median(cost)))
    rows = csr_array((np.ones(len(arcs), np.float32), school[arcs], new_start), shape=(len(pupils), n_schools))
    rank = np.empty(n_schools, np.int64)
    rank[reverse_cuthill_mckee((rows.T @ rows).tocsr(), symmetric_mode=True)] = np.arange(n_schools)
    return rank
