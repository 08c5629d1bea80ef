"""The numba kernels of the travel search: a bounded Dijkstra with a binary heap, over arrays only.

All times are seconds and all lengths metres, in float64; ``inf`` means "no way". Kernels release the GIL, so several
blocks of destinations run in Python threads (numba's own threads may not be entered by two of an app's threads at
once).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"


@njit(cache=True, nogil=True)
def _push(keys: Array, items: Array, size: int, key: float, item: int) -> int:
    """Add one entry to the heap; return its new size."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if keys[parent] <= key:
            break
        keys[place] = keys[parent]
        items[place] = items[parent]
        place = parent
    keys[place] = key
    items[place] = item
    return size + 1


@njit(cache=True, nogil=True)
def _drop_first(keys: Array, items: Array, size: int) -> int:
    """Remove the smallest entry; return the new size."""
    size -= 1
    key, item = keys[size], items[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[place] = keys[child]
        items[place] = items[child]
        place = child
    keys[place] = key
    items[place] = item
    return size


@njit(cache=True, nogil=True)
def settle(
    start: Array,
    head: Array,
    time_s: Array,
    length_m: Array,
    seed_node: Array,
    seed_s: Array,
    seed_m: Array,
    limit_s: float,
    best_s: Array,
    best_m: Array,
    done: Array,
    touched: Array,
    keys: Array,
    items: Array,
) -> int:
    """Fill ``best_s`` and ``best_m`` for every node within ``limit_s`` of the seeds; return how many were touched.

    ``best_s`` must be ``inf`` and ``done`` False everywhere; the nodes written to are listed in ``touched``. Among
    equally fast ways the shorter is taken. A node beyond the limit may be left with a value that is not final.
    """
    size = 0
    n_touched = 0
    for position in range(len(seed_node)):
        node = seed_node[position]
        if node < 0 or seed_s[position] > limit_s:
            continue
        if best_s[node] == np.inf:
            touched[n_touched] = node
            n_touched += 1
        elif (seed_s[position], seed_m[position]) >= (best_s[node], best_m[node]):
            continue
        best_s[node] = seed_s[position]
        best_m[node] = seed_m[position]
        size = _push(keys, items, size, seed_s[position], node)
    while size > 0:
        node = items[0]
        size = _drop_first(keys, items, size)
        if done[node]:
            continue
        done[node] = True
        base_s = best_s[node]
        base_m = best_m[node]
        for arc in range(start[node], start[node + 1]):
            other = head[arc]
            if done[other]:
                continue
            new_s = base_s + time_s[arc]
            if new_s > limit_s or new_s > best_s[other]:
                continue
            new_m = base_m + length_m[arc]
            if new_s == best_s[other]:
                if new_m < best_m[other]:
                    best_m[other] = new_m
                continue
            if best_s[other] == np.inf:
                touched[n_touched] = other
                n_touched += 1
            best_s[other] = new_s
            best_m[other] = new_m
            size = _push(keys, items, size, new_s, other)
    return n_touched


@njit(cache=True, nogil=True)
def _read_units(
    unit: tuple[Array, ...],
    school: tuple[float, ...],
    school_edge: int,
    best_s: Array,
    best_m: Array,
    limit_s: float,
    detour_s: float,
    detour: float,
    out_s: Array,
    out_m: Array,
) -> None:
    """Write the travel from every unit to one destination; NaN beyond ``limit_s``.

    ``unit``: node of each end, seconds and metres to it (shape (units, 2)), edge, fraction, seconds and metres along
    the whole edge forward and backward, leg seconds and metres, snap metres, x, y. ``school``: fraction, leg seconds,
    leg metres, snap metres, x, y.
    """
    node, to_s, to_m, edge, fraction, edge_s, edge_m, leg_s, leg_m, snap_m, x_m, y_m = unit
    at, school_leg_s, school_leg_m, school_snap_m, school_x, school_y = school
    for row in range(len(edge)):
        fast, far = np.inf, np.inf
        for end in range(2):
            if to_s[row, end] == np.inf:
                continue
            total = to_s[row, end] + best_s[node[row, end]]
            metres = to_m[row, end] + best_m[node[row, end]]
            if total < fast or (total == fast and metres < far):
                fast, far = total, metres
        if edge[row] == school_edge and edge[row] >= 0:
            ahead = at - fraction[row]
            way = 0 if ahead >= 0 else 1
            if ahead == 0:
                fast, far = 0.0, 0.0
            elif abs(ahead) * edge_s[row, way] < fast:
                fast, far = abs(ahead) * edge_s[row, way], abs(ahead) * edge_m[row, way]
        fast += leg_s[row] + school_leg_s
        far += leg_m[row] + school_leg_m
        straight = np.hypot(x_m[row] - school_x, y_m[row] - school_y)
        if straight <= snap_m[row] + school_snap_m and straight * detour_s < fast:
            fast, far = straight * detour_s, straight * detour
        if fast <= limit_s and fast < np.inf:
            out_s[row] = fast / 60.0
            out_m[row] = far
        else:
            out_s[row] = np.nan
            out_m[row] = np.nan


@njit(cache=True, nogil=True)
def fill_block(
    graph: tuple[Array, ...],
    unit: tuple[Array, ...],
    seed: tuple[Array, ...],
    school: Array,
    school_edge: Array,
    limit_s: float,
    detour_s: float,
    detour: float,
    out_min: Array,
    out_m: Array,
) -> None:
    """Search from each destination of a block and write its row of ``out_min`` (minutes) and ``out_m`` (metres).

    ``graph``: the reversed network (start, head, seconds, metres). ``seed``: nodes, seconds and metres, shape
    (destinations, 2). ``school``: see ``_read_units``, one row per destination. ``detour_s``: seconds per straight
    metre off the road, ``detour``: metres per straight metre.
    """
    start, head, time_s, length_m = graph
    seed_node, seed_s, seed_m = seed
    n_nodes = len(start) - 1
    best_s = np.full(n_nodes, np.inf)
    best_m = np.full(n_nodes, np.inf)
    done = np.zeros(n_nodes, dtype=np.bool_)
    touched = np.empty(n_nodes, dtype=np.int32)
    keys = np.empty(len(head) + 4, dtype=np.float64)
    items = np.empty(len(head) + 4, dtype=np.int32)
    for row in range(len(school_edge)):
        facts = (school[row, 0], school[row, 1], school[row, 2], school[row, 3], school[row, 4], school[row, 5])
        count = settle(
            start, head, time_s, length_m, seed_node[row], seed_s[row], seed_m[row], limit_s - facts[1],
            best_s, best_m, done, touched, keys, items,
        )  # fmt: skip
        _read_units(unit, facts, school_edge[row], best_s, best_m, limit_s, detour_s, detour, out_min[row], out_m[row])
        for position in range(count):
            node = touched[position]
            best_s[node] = np.inf
            best_m[node] = np.inf
            done[node] = False


@njit(cache=True, nogil=True)
def settle_all(graph: tuple[Array, ...], seed_node: Array, seed_s: Array, limit_s: float) -> Array:
    """Return the seconds between every node and the nearest seed; ``inf`` beyond ``limit_s``."""
    start, head, time_s, length_m = graph
    n_nodes = len(start) - 1
    best_s = np.full(n_nodes, np.inf)
    best_m = np.full(n_nodes, np.inf)
    done = np.zeros(n_nodes, dtype=np.bool_)
    touched = np.empty(n_nodes, dtype=np.int32)
    keys = np.empty(len(head) + len(seed_node) + 4, dtype=np.float64)
    items = np.empty(len(head) + len(seed_node) + 4, dtype=np.int32)
    settle(
        start, head, time_s, length_m, seed_node, seed_s, np.zeros(len(seed_node)), limit_s,
        best_s, best_m, done, touched, keys, items,
    )  # fmt: skip
    return best_s
