"""Compiled parts of capacitated location: what every site earns at given row prices, and steps that raise the bound."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"
_STALE = 12
_REACH = 0.03


@njit(cache=True)
def fill_site(cost: Array, demand: Array, capacity: float, price: Array, share: Array, rows: Array) -> float:
    """Fill one site with the rows that earn most per demand: a continuous knapsack; return what it costs, 0 or less.

    ``cost``, ``demand``, ``price`` (rows,); a row earns its price less its cost. ``share`` and ``rows`` (rows,) are
    filled from the front with the shares taken and their rows; the number of them is ``rows[-1]``.
    """
    taken, total, value = 0, 0.0, 0.0
    for i in range(len(demand)):
        reduced = cost[i] - price[i]
        if reduced < 0:
            rows[taken] = i
            share[taken] = 1.0
            total += demand[i]
            value += reduced
            taken += 1
    if total > capacity:
        ratio = np.empty(taken)
        for k in range(taken):
            i = rows[k]
            ratio[k] = (cost[i] - price[i]) / demand[i] if demand[i] > 0 else -np.inf
        order, wanted = np.argsort(ratio), rows[:taken].copy()
        left, value, taken = capacity, 0.0, 0
        for k in order:
            i = wanted[k]
            part = 1.0 if demand[i] <= left else left / demand[i]
            if part <= 0:
                break
            rows[taken], share[taken] = i, part
            value += part * (cost[i] - price[i])
            left -= part * demand[i]
            taken += 1
            if part < 1:
                break
    rows[-1] = taken
    return value


@njit(cache=True)
def price_sites(cost: Array, demand: Array, capacity: Array, price: Array) -> Array:
    """Return for every site what filling it costs at these row prices (0 or less); ``cost`` is (sites, rows)."""
    m, n = cost.shape
    share, rows, value = np.empty(n), np.empty(n + 1, np.int64), np.empty(m)
    for j in range(m):
        value[j] = fill_site(cost[j], demand, capacity[j], price, share, rows)
    return value


@njit(cache=True)
def open_cheapest(worth: Array, state: Array, least: int, most: int, weight: Array) -> float:
    """Set ``weight`` to 1 at the sites to open at least cost, ``least`` to ``most`` of them; return their sum.

    ``state`` (sites,): 1 = must be open, -1 = must not. ``inf`` where that leaves too few sites, or too many.
    """
    weight[:] = 0.0
    opened, value = 0, 0.0
    for j in range(len(worth)):
        if state[j] > 0:
            weight[j] = 1.0
            value += worth[j]
            opened += 1
    if opened > most:
        return np.inf
    for j in np.argsort(worth):
        if opened >= most or (opened >= least and worth[j] >= 0):
            break
        if state[j] == 0:
            weight[j] = 1.0
            value += worth[j]
            opened += 1
    return value if opened >= least else np.inf


@njit(cache=True)
def fix_sites(total: float, worth: Array, state: Array, limits: tuple[int, int], upper: float) -> int:
    """Set the state of sites that every plan below ``upper`` opens, or none does, in place; return how many.

    ``total`` is the sum of the row prices: with each site forced open, then closed, the Lagrangian bound is taken.
    """
    least, most = limits
    weight, fixed = np.zeros(len(worth)), 0
    for j in range(len(worth)):
        if state[j] != 0:
            continue
        state[j] = 1
        inside = total + open_cheapest(worth, state, least, most, weight)
        state[j] = -1
        outside = total + open_cheapest(worth, state, least, most, weight)
        state[j] = 0
        if inside > upper or outside > upper:
            state[j] = -1 if inside > upper else 1
            fixed += 1
    return fixed


@njit(cache=True)
def raise_prices(
    problem: tuple[Array, ...],
    state: Array,
    limits: tuple[int, int],
    point: Array,
    price: Array,
    effort: tuple[float, float, int],
) -> tuple[float, Array, Array, float]:
    """Raise a bound by subgradient steps on the row prices.

    ``problem`` is (cost (sites, rows), demand, capacity, fixed cost); ``limits`` the least and most open sites;
    ``effort`` (cost of a plan, length of the first step: 1 at first, most rounds). With an empty ``point`` the bound
    is the Lagrangian one: ``sum(price)`` and the sites of least fixed cost plus filling. With ``point`` (sites,)
    shares of opening, it is that of this point: ``sum(price) + sum(point * (fixed + filling))``: a cut there.
    Returns the bound, its prices, how often each site was open of late, and the length of step to go on with.
    """
    cost, demand, capacity, fixed = problem
    m, n = cost.shape
    share, rows = np.empty((m, n)), np.empty((m, n + 1), np.int64)
    weight, worth, slope, drift = np.zeros(m), np.empty(m), np.empty(n), np.zeros(n)
    best, best_price, price, often = -np.inf, price.copy(), price.copy(), np.zeros(m)
    upper, stride, rounds = effort
    fails = 0
    for _ in range(rounds):
        value = price.sum()
        for j in range(m):
            worth[j] = np.inf
            if state[j] >= 0 and (len(point) == 0 or point[j] > 0):
                worth[j] = fixed[j] + fill_site(cost[j], demand, capacity[j], price, share[j], rows[j])
        if len(point) == 0:
            open_cheapest(worth, state, limits[0], limits[1], weight)
        else:
            weight[:] = point
        slope[:] = 1.0
        for j in range(m):
            if weight[j] > 0 and state[j] >= 0:
                value += weight[j] * worth[j]
                for k in range(rows[j, n]):
                    slope[rows[j, k]] -= weight[j] * share[j, k]
        often = 0.95 * often + 0.05 * weight
        fails = 0 if value > best + 1e-6 * abs(best) else fails + 1
        if value > best:
            best = value
            best_price[:] = price
        if best >= upper or stride < 2e-3:
            break
        if fails >= _STALE:
            stride, fails = stride * 0.7, 0
            price[:] = best_price
            drift[:] = 0.0
            continue
        drift = slope + 0.6 * drift
        norm = (drift * drift).sum()
        if norm < 1e-18:
            break
        # A poor plan must not make the steps too long.
        target = min(upper, best + _REACH * abs(best))
        price += stride * (target - value) / norm * drift
    return best, best_price, often, stride
