"""Compiled parts of maximal covering: greedy choice, swaps, prices of the Lagrangian bound."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"
_MOMENTUM, _STALE = 0.9, 30


@njit(cache=True)
def cover_most_greedily(tables: tuple[Array, ...], weight: Array, count: int) -> Array:
    """Return ``count`` sites, each the one that adds most weight to those before."""
    start, site, col_start, col_row = tables
    m = len(col_start) - 1
    gain, chosen, covered = np.zeros(m), np.zeros(m, np.bool_), np.zeros(len(weight), np.bool_)
    for j in range(m):
        for k in range(col_start[j], col_start[j + 1]):
            gain[j] += weight[col_row[k]]
    for _ in range(count):
        best = -1
        for j in range(m):
            if not chosen[j] and (best < 0 or gain[j] > gain[best]):
                best = j
        chosen[best] = True
        for k in range(col_start[best], col_start[best + 1]):
            r = col_row[k]
            if not covered[r]:
                covered[r] = True
                for q in range(start[r], start[r + 1]):
                    gain[site[q]] -= weight[r]
    return chosen


@njit(cache=True)
def _find_swap(tables: tuple[Array, ...], weight: Array, chosen: Array, covers: Array, out: int) -> tuple[int, float]:
    """Return the closed site that gains most where ``out`` is closed, and the gain."""
    col_start, col_row = tables[2], tables[3]
    loss = 0.0
    for k in range(col_start[out], col_start[out + 1]):
        r = col_row[k]
        covers[r] -= 1
        if covers[r] == 0:
            loss += weight[r]
    best, best_gain = -1, -np.inf
    for j in range(len(chosen)):
        if not chosen[j]:
            gain = -loss
            for k in range(col_start[j], col_start[j + 1]):
                if covers[col_row[k]] == 0:
                    gain += weight[col_row[k]]
            if gain > best_gain:
                best, best_gain = j, gain
    for k in range(col_start[out], col_start[out + 1]):
        covers[col_row[k]] += 1
    return best, best_gain


@njit(cache=True)
def swap_sites(tables: tuple[Array, ...], weight: Array, chosen: Array) -> float:
    """Swap an open site for a closed one while that covers more, in place; return the weight covered."""
    col_start, col_row = tables[2], tables[3]
    covers = np.zeros(len(weight), np.int64)
    for j in np.flatnonzero(chosen):
        for k in range(col_start[j], col_start[j + 1]):
            covers[col_row[k]] += 1
    improved, passes = True, 0
    while improved and passes < 5:
        improved, passes = False, passes + 1
        for out in range(len(chosen)):
            if not chosen[out]:
                continue
            into, gain = _find_swap(tables, weight, chosen, covers, out)
            if into >= 0 and gain > 1e-9:
                chosen[out], chosen[into] = False, True
                for k in range(col_start[out], col_start[out + 1]):
                    covers[col_row[k]] -= 1
                for k in range(col_start[into], col_start[into + 1]):
                    covers[col_row[k]] += 1
                improved = True
    total = 0.0
    for r in range(len(weight)):
        if covers[r] > 0:
            total += weight[r]
    return total


@njit(cache=True)
def search_from(tables: tuple[Array, ...], weight: Array, chosen: Array, kicks: int, seed: int) -> float:
    """Exchange a few sites at random and swap again, ``kicks`` times, keeping the best in place; return its weight."""
    np.random.seed(seed)  # noqa: NPY002
    best = swap_sites(tables, weight, chosen)
    count = int(chosen.sum())
    if count == 0 or count == len(chosen):
        return best
    for _ in range(kicks):
        trial = chosen.copy()
        for _ in range(1 + np.random.randint(min(3, count))):  # noqa: NPY002
            out = np.random.choice(np.flatnonzero(trial))  # noqa: NPY002
            into = np.random.choice(np.flatnonzero(~trial))  # noqa: NPY002
            trial[out], trial[into] = False, True
        value = swap_sites(tables, weight, trial)
        if value > best:
            best = value
            chosen[:] = trial
    return best


@njit(cache=True)
def choose_top(gain: Array, state: Array, count: int, chosen: Array) -> float:
    """Set ``chosen`` to the sites that must be open (state 1) and the best others up to ``count``; return their sum."""
    chosen[:] = False
    left, value = count, 0.0
    for j in range(len(gain)):
        if state[j] > 0:
            chosen[j] = True
            value += gain[j]
            left -= 1
    for j in np.argsort(-gain):
        if left <= 0:
            break
        if state[j] == 0:
            chosen[j] = True
            value += gain[j]
            left -= 1
    return value


@njit(cache=True)
def sum_prices(tables: tuple[Array, ...], price: Array, gain: Array) -> None:
    """Fill ``gain`` (sites,) with the prices of the rows that each site covers."""
    col_start, col_row = tables[2], tables[3]
    for j in range(len(gain)):
        gain[j] = 0.0
        for k in range(col_start[j], col_start[j + 1]):
            gain[j] += price[col_row[k]]


@njit(cache=True)
def lower_prices(
    tables: tuple[Array, ...],
    weight: Array,
    state: Array,
    price: Array,
    effort: tuple[int, float, float, int],
) -> tuple[float, Array, Array, float]:
    """Lower the Lagrangian bound by subgradient steps.

    The bound: ``sum(weight - price)`` and the largest sums of prices over the rows of ``count`` sites, those of state 1
    among them, none of state -1; for any prices (rows,), 0 to the weight. ``effort``: count, weight covered by a plan,
    length of the first step, most rounds. Returns the bound, its prices, how often each site was chosen of late, and
    the length of step to go on with.
    """
    col_start, col_row = tables[2], tables[3]
    n, m = len(weight), len(col_start) - 1
    count, known, stride, rounds = effort
    price, best_price, best, fails = price.copy(), price.copy(), np.inf, 0
    gain, slope, often, chosen = np.zeros(m), np.zeros(n), np.zeros(m), np.zeros(m, np.bool_)
    drift = np.zeros(n)
    for _ in range(rounds):
        sum_prices(tables, price, gain)
        value = (weight - price).sum() + choose_top(gain, state, count, chosen)
        slope[:] = -1.0
        for j in range(m):
            often[j] *= 0.93
            if chosen[j]:
                often[j] += 0.07
                for k in range(col_start[j], col_start[j + 1]):
                    slope[col_row[k]] += 1.0
        fails = fails + 1 if value > best - 1e-5 * abs(best) else 0
        if value < best:
            best = value
            best_price[:] = price
        if best <= known or stride < 1e-3:
            break
        if fails >= _STALE:
            stride, fails = stride * 0.75, 0
            price[:] = best_price
            drift[:] = 0.0
            continue
        norm = 0.0
        for r in range(n):
            drift[r] = slope[r] + _MOMENTUM * drift[r]
            if (drift[r] > 0 and price[r] > 0) or (drift[r] < 0 and price[r] < weight[r]):
                norm += drift[r] * drift[r]
        if norm == 0:
            break
        step = stride * (value - known) / norm
        for r in range(n):
            price[r] = min(max(price[r] - step * drift[r], 0.0), weight[r])
    return best, best_price, often, stride


@njit(cache=True)
def fix_by_price(tables: tuple[Array, ...], weight: Array, state: Array, price: Array, count: int, least: float) -> int:
    """Set the state of sites that every choice of more than ``least`` opens, or none does, in place; return how many.

    Each site is forced in, then out, and the bound at these prices is taken.
    """
    m, fixed = len(state), 0
    gain, chosen = np.zeros(m), np.zeros(m, np.bool_)
    sum_prices(tables, price, gain)
    base = (weight - price).sum()
    total = base + choose_top(gain, state, count, chosen)
    last, following, inside = np.inf, 0.0, 0
    for j in range(m):
        if state[j] > 0:
            inside += 1
        elif state[j] == 0 and chosen[j]:
            last = min(last, gain[j])
        elif state[j] == 0:
            following = max(following, gain[j])
    for j in range(m):
        if state[j] != 0:
            continue
        if inside >= count or (not chosen[j] and total - last + gain[j] <= least):
            state[j] = -1
            fixed += 1
        elif chosen[j] and total - gain[j] + following <= least:
            state[j] = 1
            inside += 1
            fixed += 1
    return fixed
