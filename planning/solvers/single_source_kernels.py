"""Knapsacks of single-source location: what each site earns at most from the rows it may take, and which sites to open.

Sites hold their arcs in CSR form: the rows that site ``j`` may serve are ``row[start[j]:start[j + 1]]`` at ``cost``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"
FREE, OPEN, CLOSED = 0, 1, -1
MAX_NODES = 300
MAX_CELLS = 200_000
_ROUNDING = 1e-12


@njit(cache=True, nogil=True)
def pack(gain: Array, load: Array, room: float, slack: float, chosen: Array, max_nodes: int) -> tuple[float, bool]:
    """Return (at least) the most ``sum(gain)`` within ``room``, and whether it is exact; ``chosen`` earns it if so.

    Depth-first branch and bound (E. Horowitz, S. Sahni 1974) on items of positive gain and load in falling order of
    ``gain / load``. What could earn less than ``slack`` more is
    not looked at, and beyond ``max_nodes`` nothing is: then the bound of what was left out counts.
    """
    n = len(gain)
    sum_gain, sum_load = np.zeros(n + 1), np.zeros(n + 1)
    for i in range(n):
        sum_gain[i + 1], sum_load[i + 1] = sum_gain[i] + gain[i], sum_load[i] + load[i]
    least = np.empty(n + 1)
    least[n] = np.inf
    for i in range(n - 1, -1, -1):
        least[i] = min(least[i + 1], load[i])
    stack, top = np.empty(n, np.int64), 0
    best, value, i, nodes = 0.0, 0.0, 0, 0
    left = 0.0
    while True:
        nodes += 1
        low, high = i, n
        while low < high:
            middle = (low + high + 1) >> 1
            if sum_load[middle] - sum_load[i] <= room:
                low = middle
            else:
                high = middle - 1
        hope = value + sum_gain[low] - sum_gain[i]
        if low < n:
            hope += (room - (sum_load[low] - sum_load[i])) * gain[low] / load[low]
        if hope > best + _ROUNDING * (1.0 + best):
            if nodes > max_nodes or hope <= best + slack:
                left = max(left, hope)
            else:
                for k in range(i, low):
                    stack[top] = k
                    top += 1
                value += sum_gain[low] - sum_gain[i]
                room -= sum_load[low] - sum_load[i]
                if value > best:
                    best = value
                    chosen[:] = False
                    for k in range(top):
                        chosen[stack[k]] = True
                i = low + 1
                if i < n and room >= least[i]:
                    continue
        if top == 0:
            return max(best, left), left <= best + slack
        top -= 1
        last = stack[top]
        value -= gain[last]
        room += load[last]
        i = last + 1


@njit(cache=True, nogil=True)
def pack_whole(gain: Array, load: Array, room: int, chosen: Array) -> float:
    """Return the most ``sum(gain)`` of items of whole ``load`` within ``room``, by dynamic programming."""
    n = len(gain)
    best = np.zeros(room + 1)
    taken = np.zeros((n, room + 1), np.bool_)
    for i in range(n):
        weight, worth = load[i], gain[i]
        for at in range(room, weight - 1, -1):
            other = best[at - weight] + worth
            if other > best[at]:
                best[at] = other
                taken[i, at] = True
    at = room
    for i in range(n - 1, -1, -1):
        chosen[i] = taken[i, at]
        if taken[i, at]:
            at -= load[i]
    return float(best[room])


@njit(cache=True, nogil=True)
def pack_any(gain: Array, load: Array, room: float, slack: float, whole: bool, chosen: Array) -> tuple[float, bool]:
    """Return what ``pack`` returns, for items in any order; dynamic programming where branching takes too long."""
    n = len(gain)
    chosen[:] = True
    if load.sum() <= room:
        return float(gain.sum()), True
    ratio = np.empty(n)
    for one in range(n):
        ratio[one] = -gain[one] / load[one] if load[one] > 0 else -np.inf
    order = np.argsort(ratio)
    free = 0
    earned = 0.0
    while free < n and load[order[free]] <= 0.0:
        earned += gain[order[free]]
        free += 1
    order = order[free:]
    picked = np.zeros(len(order), np.bool_)
    value, exact = pack(gain[order], load[order], room, slack, picked, MAX_NODES)
    if not exact and whole and len(order) * room <= MAX_CELLS:
        value, exact = pack_whole(gain[order], load[order].astype(np.int64), int(room), picked), True
    for one in range(len(order)):
        chosen[order[one]] = picked[one]
    return value + earned, exact


@njit(cache=True, nogil=True)
def pack_sites(
    start: Array,
    row: Array,
    cost: Array,
    demand: Array,
    room: Array,
    whole: bool,
    slack: float,
    price: Array,
    taken: Array,
) -> Array:
    """Return what every site earns at most, ``sum(price - cost)`` of the rows it takes; ``taken`` (arcs,)."""
    m = len(room)
    earned = np.zeros(m)
    taken[:] = False
    for j in range(m):
        begin, end = start[j], start[j + 1]
        gain, load, arc = np.empty(end - begin), np.empty(end - begin), np.empty(end - begin, np.int64)
        count = 0
        for place in range(begin, end):
            gained = price[row[place]] - cost[place]
            if gained > 0.0:
                gain[count], load[count], arc[count] = gained, demand[row[place]], place
                count += 1
        chosen = np.zeros(count, np.bool_)
        earned[j], _ = pack_any(gain[:count], load[:count], room[j], slack, whole, chosen)
        for one in range(count):
            taken[arc[one]] = chosen[one]
    return earned
