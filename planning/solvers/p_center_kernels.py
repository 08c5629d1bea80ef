"""Compiled parts of p-center: rows far from each other, and swaps of sites that bring the farthest row nearer."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"
_PASSES = 200


@njit(cache=True)
def pick_far_rows(cost: Array, count: int, first: int) -> Array:
    """Return ``count`` rows from ``first`` on, each the farthest from the nearest sites of those before."""
    n = len(cost)
    rows = np.empty(count, np.int64)
    nearest = np.full(n, np.inf)
    row = first
    for k in range(count):
        rows[k] = row
        j = int(np.argmin(cost[row]))
        for r in range(n):
            nearest[r] = min(nearest[r], cost[r, j])
        row = int(np.argmax(nearest))
    return rows


@njit(cache=True)
def _rank_sites(cost: Array, opened: Array, first: Array, second: Array, owner: Array) -> int:
    """Fill nearest and second nearest open cost of every row; return the farthest row."""
    far, names = 0, np.flatnonzero(opened)
    for r in range(len(cost)):
        first[r], second[r], owner[r] = np.inf, np.inf, -1
        for j in names:
            c = cost[r, j]
            if c < first[r] or owner[r] < 0:
                first[r], second[r], owner[r] = c, first[r], j
            elif c < second[r]:
                second[r] = c
        if first[r] > first[far]:
            far = r
    return far


@njit(cache=True)
def swap_centers(cost: Array, opened: Array, count: int) -> None:
    """Open a site nearer to the farthest row, close the one least missed, in place, while the radius shrinks."""
    n, m = cost.shape
    first, second, owner = np.empty(n), np.empty(n), np.empty(n, np.int64)
    worst = np.empty(m)
    far = _rank_sites(cost, opened, first, second, owner)
    for _ in range(_PASSES):
        radius = first[far]
        best_radius, best_in, best_out = radius, -1, -1
        spare = opened.sum() < count
        for j in range(m):
            if opened[j] or cost[far, j] >= best_radius:
                continue
            base = 0.0
            worst[:] = 0.0
            for r in range(n):
                near = min(first[r], cost[r, j])
                base = max(base, near)
                k = owner[r]
                worst[k] = max(worst[k], min(second[r], cost[r, j]))
            if base >= best_radius:
                continue
            if spare:
                best_radius, best_in, best_out = base, j, -1
                continue
            for k in range(m):
                if opened[k] and max(base, worst[k]) < best_radius:
                    best_radius, best_in, best_out = max(base, worst[k]), j, k
        if best_in < 0:
            break
        opened[best_in] = True
        if best_out >= 0:
            opened[best_out] = False
        far = _rank_sites(cost, opened, first, second, owner)
