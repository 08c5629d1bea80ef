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

    ``best_s`` must be ``inf`` and ``done`` False everywhere; the nodes written to are listed in ``touched``. Nodes
    beyond the limit stay ``inf``. Among equally fast ways the shorter is taken.
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
def _measure_along(unit: Array, school: Array) -> tuple[float, float]:
    """Return seconds and metres between two places on one chain without leaving it; ``inf`` where shut.

    Both hold the columns of ``geodata.chains.Places.facts``.
    """
    fast, far = np.inf, np.inf
    if unit[0] <= school[0] and school[5] - unit[5] <= 0:
        fast, far = max(school[1] - unit[1], 0.0), max(school[2] - unit[2], 0.0)
    if unit[0] >= school[0] and unit[6] - school[6] <= 0 and unit[3] - school[3] < fast:
        fast, far = max(unit[3] - school[3], 0.0), max(unit[4] - school[4], 0.0)
    return fast, far


@njit(cache=True, nogil=True)
def _read_units(
    unit: tuple[Array, ...],
    school_chain: int,
    school: Array,
    school_walk: Array,
    best_s: Array,
    best_m: Array,
    limit_s: float,
    detour_s: float,
    detour: float,
    out_min: Array,
    out_m: Array,
) -> None:
    """Write the travel from every unit to one destination; NaN beyond ``limit_s``.

    ``unit``: core nodes, seconds and metres to them, chain, facts (see ``geodata.chains.Places``), and walk: seconds
    and metres to the road, straight metres to it, x, y. ``school``, ``school_walk``: one row of facts and of walk.
    """
    node, end_s, end_m, chain, facts, walk = unit
    for row in range(len(chain)):
        fast, far = np.inf, np.inf
        for end in range(2):
            total = end_s[row, end] + best_s[node[row, end]]
            if total > fast or total == np.inf:
                continue
            metres = end_m[row, end] + best_m[node[row, end]]
            if total < fast or metres < far:
                fast, far = total, metres
        if chain[row] == school_chain and school_chain >= 0:
            total, metres = _measure_along(facts[row], school)
            if total < fast or (total == fast and metres < far):
                fast, far = total, metres
        fast += walk[row, 0] + school_walk[0]
        far += walk[row, 1] + school_walk[1]
        near = walk[row, 2] + school_walk[2]
        if near > 0.0:
            straight = np.hypot(walk[row, 3] - school_walk[3], walk[row, 4] - school_walk[4])
            if straight <= near and straight * detour_s < fast:
                fast, far = straight * detour_s, straight * detour
        if fast <= limit_s and fast < np.inf:
            out_min[row] = fast / 60.0
            out_m[row] = far
        else:
            out_min[row] = np.nan
            out_m[row] = np.nan


@njit(cache=True, nogil=True)
def fill_block(
    graph: tuple[Array, ...],
    unit: tuple[Array, ...],
    school: tuple[Array, ...],
    limit_s: float,
    detour_s: float,
    detour: float,
    out_min: Array,
    out_m: Array,
) -> None:
    """Search from each destination of a block and write its row of ``out_min`` (minutes) and ``out_m`` (metres).

    ``graph``: the reversed core graph (start, head, seconds, metres). ``unit``, ``school``: see ``_read_units``.
    ``detour_s``: seconds per straight metre off the road, ``detour``: metres per straight metre.
    """
    start, head, time_s, length_m = graph
    school_node, school_s, school_m, school_chain, school_facts, school_walk = school
    n_nodes = len(start) - 1
    best_s = np.full(n_nodes, np.inf)
    best_m = np.full(n_nodes, np.inf)
    done = np.zeros(n_nodes, dtype=np.bool_)
    touched = np.empty(n_nodes, dtype=np.int32)
    keys = np.empty(len(head) + 4, dtype=np.float64)
    items = np.empty(len(head) + 4, dtype=np.int32)
    for row in range(len(school_chain)):
        count = settle(
            start, head, time_s, length_m, school_node[row], school_s[row], school_m[row],
            limit_s - school_walk[row, 0], best_s, best_m, done, touched, keys, items,
        )  # fmt: skip
        _read_units(
            unit, school_chain[row], school_facts[row], school_walk[row], best_s, best_m, limit_s, detour_s, detour,
            out_min[row], out_m[row],
        )  # fmt: skip
        for position in range(count):
            node = touched[position]
            best_s[node] = np.inf
            best_m[node] = np.inf
            done[node] = False


@njit(cache=True)
def walk_chains(
    tail: Array, head: Array, incident_start: Array, incident: Array, core: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Follow the edges from core node to core node.

    A ring without a core node gets one: ``core`` is changed. Returns the edges in chain order, whether each is walked
    from tail to head, the number of edges of each chain, and the nodes at its two ends.
    """
    n_edges = len(tail)
    order = np.empty(n_edges, dtype=np.int64)
    along = np.empty(n_edges, dtype=np.bool_)
    sizes = np.empty(n_edges, dtype=np.int64)
    a_node = np.empty(n_edges, dtype=np.int64)
    b_node = np.empty(n_edges, dtype=np.int64)
    seen = np.zeros(n_edges, dtype=np.bool_)
    filled, chains = 0, 0
    n_nodes = len(core)
    for turn in range(2 * n_nodes):
        origin = turn % n_nodes
        if turn < n_nodes:
            if not core[origin]:
                continue
        elif core[origin] or seen[incident[incident_start[origin]]]:
            continue
        else:
            core[origin] = True  # a ring
        for place in range(incident_start[origin], incident_start[origin + 1]):
            edge = incident[place]
            if seen[edge]:
                continue
            began, node = filled, origin
            while True:
                seen[edge] = True
                order[filled] = edge
                along[filled] = tail[edge] == node
                filled += 1
                node = head[edge] if tail[edge] == node else tail[edge]
                if core[node]:
                    break
                first = incident[incident_start[node]]
                edge = first if first != edge else incident[incident_start[node] + 1]
            sizes[chains] = filled - began
            a_node[chains] = origin
            b_node[chains] = node
            chains += 1
    return order, along, sizes[:chains], a_node[:chains], b_node[:chains]


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
