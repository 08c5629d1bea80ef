"""The numba kernels that put costs on the hierarchy's arcs: on the whole network, or where a changed road matters.

Both rest on one fact. The cost of the arc between two nodes y and z is the least of its own roads' and of every way
over a node x below both: from y down to x and up to z (a *lower triangle*). Arcs of x are done before those of y.

``shape`` is always depth, first, up, up_depth, low_first, low_arc, low_node of ``geodata.hierarchy.Topology``. Nodes
are meant by number: below = higher number.
"""

from __future__ import annotations

import heapq
from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"


@njit(cache=True, nogil=True)
def lay_costs(slot: Array, cost: Array, n_arcs: int, no_way: int) -> tuple[Array, Array]:
    """Return the roads' own costs on the upward arcs, going up and going down; ``no_way`` where there is no road."""
    up_cost = np.full(n_arcs, no_way, dtype=cost.dtype)
    down_cost = np.full(n_arcs, no_way, dtype=cost.dtype)
    for road in range(len(slot)):
        arc = slot[road] >> 1
        if slot[road] < 0:
            continue
        if slot[road] & 1:
            down_cost[arc] = min(down_cost[arc], cost[road])
        else:
            up_cost[arc] = min(up_cost[arc], cost[road])
    return up_cost, down_cost


@njit(cache=True, nogil=True)
def pull_triangles(shape: tuple[Array, ...], up_cost: Array, down_cost: Array) -> None:
    """Bring the roads' own costs to those of the hierarchy, node by node from the bottom.

    All upper ends of a node's arcs, and of the arcs below, are ancestors: their depths name them.
    """
    depth, first, _, up_depth, low_first, low_arc, low_node = shape
    if len(depth) == 0:
        return
    ahead = np.empty(depth.max() + 1, dtype=up_cost.dtype)  # by depth of the other end: going up
    back = np.empty_like(ahead)  # … and coming down
    for node in range(len(depth) - 1, -1, -1):
        for arc in range(first[node], first[node + 1]):
            ahead[up_depth[arc]] = up_cost[arc]
            back[up_depth[arc]] = down_cost[arc]
        for place in range(low_first[node], low_first[node + 1]):
            side = low_arc[place]
            fall, rise = down_cost[side], up_cost[side]
            for arc in range(side + 1, first[low_node[place] + 1]):  # nearest first: what follows ends above
                there = up_depth[arc]
                ahead[there] = min(ahead[there], fall + up_cost[arc])
                back[there] = min(back[there], down_cost[arc] + rise)
        for arc in range(first[node], first[node + 1]):
            up_cost[arc] = ahead[up_depth[arc]]
            down_cost[arc] = back[up_depth[arc]]


@njit(cache=True, nogil=True)
def follow_changes(
    shape: tuple[Array, ...],
    roads: tuple[Array, Array, Array],
    slots: Array,
    no_way: int,
    queued: Array,
    up_cost: Array,
    down_cost: Array,
) -> Array:
    """Mend the costs after the roads at ``slots`` have got others; return the upward arcs that changed.

    ``roads``: slot, slot_order and the new cost of every road. Arcs wait in a heap, the lowest node's first; an arc
    whose cost stays ends its branch, and one above is looked at only where the changed way was or becomes its best.
    ``queued``: a mark for every upward arc, all False before and after. (No set: numba's may search for ever once many
    entries have been removed from it.)
    """
    first, up = shape[1], shape[2]
    waiting = [np.int64(0) for _ in range(0)]  # minus the arc
    changed = [np.int64(0) for _ in range(0)]
    for slot in slots:
        arc = np.int64(slot >> 1)
        if slot >= 0 and not queued[arc]:
            queued[arc] = True
            heapq.heappush(waiting, -arc)
    while len(waiting) > 0:
        arc = -heapq.heappop(waiting)
        queued[arc] = False
        node = int(np.searchsorted(first, arc, side="right")) - 1
        rose, fell = _measure_arc(shape, roads, node, int(arc), no_way, up_cost, down_cost)
        old_up, old_down = up_cost[arc], down_cost[arc]
        if rose == old_up and fell == old_down:
            continue
        up_cost[arc], down_cost[arc] = rose, fell
        changed.append(arc)
        for other in range(first[node], first[node + 1]):
            if other == arc:
                continue
            # From the end of ``arc`` over the node to the end of ``other``, and back.
            was_go, is_go = old_down + up_cost[other], fell + up_cost[other]
            was_come, is_come = down_cost[other] + old_up, down_cost[other] + rose
            if was_go == is_go and was_come == is_come:
                continue
            low, high = (arc, other) if arc < other else (other, arc)
            side = _find_arc(first, up, up[low], up[high])
            if queued[side]:
                continue
            go, come = (up_cost[side], down_cost[side]) if low == arc else (down_cost[side], up_cost[side])
            matters = was_go != is_go and min(was_go, is_go) <= go
            matters |= was_come != is_come and min(was_come, is_come) <= come
            if matters:
                queued[side] = True
                heapq.heappush(waiting, -np.int64(side))
    return np.array(changed, dtype=np.int64)


@njit(cache=True, nogil=True)
def _find_arc(first: Array, up: Array, node: int, above: int) -> int:
    """Return the upward arc from ``node`` to ``above``; the ends fall."""
    left, right = int(first[node]), int(first[node + 1]) - 1
    while left < right:
        middle = (left + right) >> 1
        if up[middle] > above:
            left = middle + 1
        else:
            right = middle
    return left


@njit(cache=True, nogil=True)
def _measure_arc(
    shape: tuple[Array, ...],
    roads: tuple[Array, Array, Array],
    node: int,
    arc: int,
    no_way: int,
    up_cost: Array,
    down_cost: Array,
) -> tuple[int, int]:
    """Return the cost of one upward arc of ``node``, up and down: the least of its roads and lower triangles."""
    _, _, up, _, low_first, low_arc, low_node = shape
    slot, slot_order, cost = roads
    costs = np.full(2, no_way, dtype=up_cost.dtype)
    left, right = 0, len(slot_order)
    while left < right:
        middle = (left + right) >> 1
        if slot[slot_order[middle]] < 2 * arc:
            left = middle + 1
        else:
            right = middle
    while left < len(slot_order) and slot[slot_order[left]] <= 2 * arc + 1:
        way = slot[slot_order[left]] & 1
        costs[way] = min(costs[way], cost[slot_order[left]])
        left += 1
    mine, last_mine = low_first[node], low_first[node + 1]
    other, last_other = low_first[up[arc]], low_first[up[arc] + 1]
    other += np.searchsorted(low_node[other:last_other], node, side="right")  # what is below both comes after the node
    while mine < last_mine and other < last_other:  # nodes below both
        if low_node[mine] < low_node[other]:
            mine += 1
        elif low_node[mine] > low_node[other]:
            other += 1
        else:
            near, far = low_arc[mine], low_arc[other]
            costs[0] = min(costs[0], down_cost[near] + up_cost[far])
            costs[1] = min(costs[1], down_cost[far] + up_cost[near])
            mine += 1
            other += 1
    return costs[0], costs[1]
