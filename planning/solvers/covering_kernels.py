"""Compiled parts of covering: rows and sites that do not matter, prices on rows, greedy covers.

Covers come as two sparse tables: the sites of every row (``start``, ``site``) and the rows of every site
(``col_start``, ``col_row``). Sets are compared as bits, 64 to a word.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"
_MOMENTUM, _STALE = 0.8, 20


@njit(cache=True)
def turn_table(start: Array, site: Array, n_sites: int) -> tuple[Array, Array]:
    """Return the rows of every site from the sites of every row."""
    col_start = np.zeros(n_sites + 1, np.int64)
    for j in site:
        col_start[j + 1] += 1
    col_start = np.cumsum(col_start)
    fill = col_start[:-1].copy()
    col_row = np.empty(len(site), np.int32)
    for r in range(len(start) - 1):
        for k in range(start[r], start[r + 1]):
            j = site[k]
            col_row[fill[j]] = r
            fill[j] += 1
    return col_start, col_row


@njit(cache=True)
def pack_bits(start: Array, item: Array, n_items: int) -> Array:
    """Return the sets as bits: shape (sets, words)."""
    bits = np.zeros((len(start) - 1, (n_items + 63) // 64), np.uint64)
    for r in range(len(start) - 1):
        for k in range(start[r], start[r + 1]):
            i = item[k]
            bits[r, i >> 6] |= np.uint64(1) << np.uint64(i & 63)
    return bits


@njit(cache=True)
def _is_subset(small: Array, large: Array, mask: Array) -> bool:
    for w in range(len(mask)):  # noqa: SIM110 (compiled: no generators)
        if small[w] & ~large[w] & mask[w]:
            return False
    return True


@njit(cache=True)
def _mask_bits(on: Array) -> Array:
    mask = np.zeros((len(on) + 63) // 64, np.uint64)
    for i in range(len(on)):
        if on[i]:
            mask[i >> 6] |= np.uint64(1) << np.uint64(i & 63)
    return mask


@njit(cache=True)
def count_active(start: Array, item: Array, item_on: Array) -> Array:
    """Return how many active items every set holds."""
    size = np.zeros(len(start) - 1, np.int64)
    for r in range(len(start) - 1):
        for k in range(start[r], start[r + 1]):
            if item_on[item[k]]:
                size[r] += 1
    return size


@njit(cache=True)
def _find_rarest(start: Array, item: Array, item_on: Array, size: Array, r: int) -> int:
    best = -1
    for k in range(start[r], start[r + 1]):
        i = item[k]
        if item_on[i] and (best < 0 or size[i] < size[best]):
            best = i
    return best


@njit(cache=True)
def drop_rows(tables: tuple[Array, ...], bits: Array, row_on: Array, col_on: Array) -> int:
    """Drop rows that are covered whenever another one is (its sites hold all of the other's); return how many."""
    start, site, col_start, col_row = tables
    size, col_size = count_active(start, site, col_on), count_active(col_start, col_row, row_on)
    mask, dropped = _mask_bits(col_on), 0
    for s in np.argsort(size, kind="mergesort"):
        if not row_on[s] or size[s] == 0:
            continue
        c = _find_rarest(start, site, col_on, col_size, s)
        for k in range(col_start[c], col_start[c + 1]):
            r = col_row[k]
            if r != s and row_on[r] and size[r] >= size[s] and _is_subset(bits[s], bits[r], mask):
                row_on[r] = False
                dropped += 1
    return dropped


@njit(cache=True)
def drop_sites(tables: tuple[Array, ...], bits: Array, row_on: Array, col_on: Array, cost: Array) -> int:
    """Drop sites whose rows another one covers at no more cost, and those without rows; return how many."""
    start, site, col_start, col_row = tables
    size, row_size = count_active(col_start, col_row, row_on), count_active(start, site, col_on)
    mask, dropped = _mask_bits(row_on), 0
    for j in np.argsort(size, kind="mergesort"):
        if not col_on[j]:
            continue
        if size[j] == 0:
            col_on[j] = False
            dropped += 1
            continue
        r = _find_rarest(col_start, col_row, row_on, row_size, j)
        for k in range(start[r], start[r + 1]):
            i = site[k]
            better = i != j and col_on[i] and size[i] >= size[j] and cost[i] <= cost[j]
            if better and _is_subset(bits[j], bits[i], mask):
                col_on[j] = False
                dropped += 1
                break
    return dropped


@njit(cache=True)
def take_only_sites(tables: tuple[Array, ...], row_on: Array, col_on: Array, taken: Array) -> int:
    """Take the site of every row that has only one, with all its rows; -1: a row has none."""
    start, site, col_start, col_row = tables
    found = 0
    for r in range(len(start) - 1):
        if not row_on[r]:
            continue
        only, size = -1, 0
        for k in range(start[r], start[r + 1]):
            if col_on[site[k]]:
                only = site[k]
                size += 1
                if size > 1:
                    break
        if size == 0:
            return -1
        if size == 1:
            taken[only], col_on[only] = True, False
            found += 1
            for k in range(col_start[only], col_start[only + 1]):
                row_on[col_row[k]] = False
    return found


@njit(cache=True)
def improve_prices(
    tables: tuple[Array, ...], cost: Array, price: Array, upper: float, rounds: int
) -> tuple[float, Array]:
    """Raise the Lagrangian bound of a set cover by subgradient steps; return the bound and the prices of the rows.

    Relaxes "every row is covered": ``sum(price) + sum(min(0, cost - price of its rows))`` for any prices of 0 or more
    (A. Caprara, M. Fischetti, P. Toth, *A heuristic method for the set covering problem*, Operations Research 47,
    1999). ``upper`` is the cost of a cover, which steers the steps; the bound may stop once it exceeds that.
    """
    col_start, col_row = tables[2], tables[3]
    n, m = len(tables[0]) - 1, len(cost)
    price, best_price, best = price.copy(), price.copy(), -np.inf
    stride, fails, hits, drift = 1.5, 0, np.zeros(n, np.int64), np.zeros(n)
    for _ in range(rounds):
        value = price.sum()
        hits[:] = 0
        for j in range(m):
            reduced = cost[j]
            for k in range(col_start[j], col_start[j + 1]):
                reduced -= price[col_row[k]]
            if reduced < 0:
                value += reduced
                for k in range(col_start[j], col_start[j + 1]):
                    hits[col_row[k]] += 1
        if value > best:
            fails = fails + 1 if value < best + 1e-4 * abs(best) else 0
            best = value
            best_price[:] = price
        else:
            fails += 1
        if best > upper or stride < 1e-3:
            break
        if fails >= _STALE:
            stride, fails = stride * 0.7, 0
            price[:] = best_price
            drift[:] = 0.0
            continue
        norm = 0.0
        for r in range(n):
            drift[r] = 1 - hits[r] + _MOMENTUM * drift[r]
            if drift[r] > 0 or price[r] > 0:
                norm += drift[r] * drift[r]
        if norm == 0:
            break
        step = stride * max(1.02 * upper - value, 0.02 * abs(upper)) / norm
        for r in range(n):
            price[r] = max(price[r] + step * drift[r], 0.0)
    return best, best_price


@njit(cache=True)
def cover_greedily(tables: tuple[Array, ...], cost: Array, price: Array, noise: Array) -> Array:
    """Return sites that cover every row: cheapest for the (priced) rows they add, then those made useless taken out.

    ``price`` (rows,) weighs the rows; ``noise`` (sites,) multiplies the costs, to tell one try from another.
    """
    start, site, col_start, col_row = tables
    n, m = len(start) - 1, len(cost)
    gain, covered, chosen = np.zeros(m), np.zeros(n, np.int64), np.zeros(m, np.bool_)
    for j in range(m):
        for k in range(col_start[j], col_start[j + 1]):
            gain[j] += price[col_row[k]]
    left = n
    while left > 0:
        best, best_ratio = -1, np.inf
        for j in range(m):
            if gain[j] > 1e-12 and not chosen[j] and cost[j] * noise[j] < best_ratio * gain[j]:
                best, best_ratio = j, cost[j] * noise[j] / gain[j]
        if best < 0:
            break
        chosen[best] = True
        for k in range(col_start[best], col_start[best + 1]):
            r = col_row[k]
            if covered[r] == 0:
                left -= 1
                for q in range(start[r], start[r + 1]):
                    gain[site[q]] -= price[r]
            covered[r] += 1
    _drop_useless(col_start, col_row, cost, covered, chosen)
    return chosen


@njit(cache=True)
def _drop_useless(col_start: Array, col_row: Array, cost: Array, covered: Array, chosen: Array) -> None:
    """Take out sites, dearest first, whose rows are covered without them."""
    for j in np.argsort(-cost, kind="mergesort"):
        if not chosen[j]:
            continue
        useless = True
        for k in range(col_start[j], col_start[j + 1]):
            if covered[col_row[k]] < 2:
                useless = False
                break
        if useless:
            chosen[j] = False
            for k in range(col_start[j], col_start[j + 1]):
                covered[col_row[k]] -= 1


@njit(cache=True)
def find_reduced_costs(tables: tuple[Array, ...], cost: Array, price: Array) -> Array:
    """Return the cost of every site less the prices of its rows."""
    col_start, col_row = tables[2], tables[3]
    reduced = cost.copy()
    for j in range(len(cost)):
        for k in range(col_start[j], col_start[j + 1]):
            reduced[j] -= price[col_row[k]]
    return reduced


@njit(cache=True)
def select_table(start: Array, site: Array, row_on: Array, renamed: Array) -> tuple[Array, Array]:
    """Return the sites of the active rows, renamed; sites renamed to -1 are left out."""
    new_start = np.zeros(int(row_on.sum()) + 1, np.int64)
    new_site = np.empty(len(site), np.int32)
    filled, row = 0, 0
    for r in range(len(start) - 1):
        if row_on[r]:
            for k in range(start[r], start[r + 1]):
                if renamed[site[k]] >= 0:
                    new_site[filled] = renamed[site[k]]
                    filled += 1
            row += 1
            new_start[row] = filled
    return new_start, new_site[:filled].copy()


@njit(cache=True)
def list_within(cost: Array, radius: float, n_pairs: int) -> tuple[Array, Array]:
    """Return the sites of every row that cost no more than ``radius``; ``n_pairs`` of them in all."""
    n, m = cost.shape
    start, site = np.zeros(n + 1, np.int64), np.empty(n_pairs, np.int32)
    filled = 0
    for r in range(n):
        for j in range(m):
            if cost[r, j] <= radius:
                site[filled] = j
                filled += 1
        start[r + 1] = filled
    return start, site
