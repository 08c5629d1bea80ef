"""The numba kernels of the bounded travel search: Dijkstra (1959) with a binary heap, over arrays only.

Costs may be of any number type; those of travel tables are whole numbers (``geodata.whole_costs``), those of
:func:`settle_all` seconds. Kernels release the GIL, so several blocks of destinations run in Python threads (numba's
own threads may not be entered by two of an app's threads at once).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"


@njit(cache=True, nogil=True)
def _push(keys: Array, items: Array, size: int, key: Any, item: int) -> int:
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
    key = keys[size]
    item = items[size]
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
    cost: Array,
    seed_node: Array,
    seed_cost: Array,
    limit: Any,
    most: int,
    best: Array,
    touched: Array,
    keys: Array,
    items: Array,
) -> int:
    """Fill ``best`` for every node within ``limit`` of the seeds; return how many nodes were touched.

    ``best`` must hold more than ``limit`` everywhere; the nodes written to are listed in ``touched``. Seeds at node -1
    do not count. The search ends early when ``most`` nodes are touched (``best`` is then not final). ``keys`` and
    ``items`` hold the heap: as many entries as arcs and seeds.
    """
    size = 0
    count = 0
    for position in range(len(seed_node)):
        node = seed_node[position]
        if node < 0 or seed_cost[position] > limit or seed_cost[position] >= best[node]:
            continue
        if best[node] > limit:
            touched[count] = node
            count += 1
        best[node] = seed_cost[position]
        size = _push(keys, items, size, best[node], node)
    while size > 0 and count < most:
        key, node = keys[0], items[0]
        size = _drop_first(keys, items, size)
        if key > best[node]:
            continue
        for arc in range(start[node], start[node + 1]):
            other = head[arc]
            new = key + cost[arc]
            if new > limit or new >= best[other]:
                continue
            if best[other] > limit:
                touched[count] = other
                count += 1
            best[other] = new
            size = _push(keys, items, size, new, other)
    return count


@njit(cache=True, nogil=True)
def settle_all(graph: tuple[Array, ...], seed_node: Array, seed_s: Array, limit_s: float) -> Array:
    """Return the seconds between every node and the nearest seed; ``inf`` beyond ``limit_s``.

    ``graph``: start, head, seconds of the arcs as they are walked away from the seeds.
    """
    start, head, time_s = graph
    best = np.full(len(start) - 1, np.inf)
    touched = np.empty(len(best), dtype=np.int32)
    keys = np.empty(len(head) + len(seed_node) + 1, dtype=np.float64)
    items = np.empty(len(keys), dtype=np.int32)
    bound = min(limit_s, 1e300)
    settle(start, head, time_s, seed_node, seed_s, bound, len(best) + 1, best, touched, keys, items)
    return best


@njit(cache=True, nogil=True)
def count_reach(
    graph: tuple[Array, ...], seed_node: Array, seed_cost: Array, limit: Any, no_way: Any, most: int
) -> int:
    """Return how many nodes lie within ``limit`` of each of some destinations, all together, at most ``most`` each."""
    start, head, cost = graph
    best = np.full(len(start) - 1, no_way, dtype=cost.dtype)
    touched = np.empty(len(best), dtype=np.int32)
    keys = np.empty(len(head) + seed_node.shape[1] + 1, dtype=cost.dtype)
    items = np.empty(len(keys), dtype=np.int32)
    total = 0
    for row in range(len(seed_node)):
        count = settle(start, head, cost, seed_node[row], seed_cost[row], limit, most, best, touched, keys, items)
        for place in range(count):
            best[touched[place]] = no_way
        total += count
    return total


@njit(cache=True, nogil=True)
def fill_near(
    graph: tuple[Array, ...],
    unit: tuple[Array, Array, Array],
    school: tuple[Array, Array],
    pair: tuple[Array, Array, Array],
    limit: Any,
    no_way: Any,
    shift: int,
    column: int,
    time_min: Array,
    length_m: Array,
) -> None:
    """Search from each of some destinations and write the units within ``limit``; the others are left as they are.

    ``graph``: start, head, cost of the reversed core graph. ``unit``: (first, item, cost), the ends of units at each
    core node, ``item`` = 2 × unit + end, ``cost`` (units, 2). ``school``: core nodes and costs (schools, 2). ``pair``:
    (first, unit, cost), other ways between a school and units, school by school. ``shift``: bits of the metres in a
    cost. Written: minutes and metres (units, destinations), from ``column`` on; metres only where there is room.
    """
    start, head, cost = graph
    first, item, end_cost = unit
    school_node, school_cost = school
    pair_first, pair_unit, pair_cost = pair
    best = np.full(len(start) - 1, no_way, dtype=cost.dtype)
    touched = np.empty(len(best), dtype=np.int32)
    keys = np.empty(len(head) + school_node.shape[1] + 1, dtype=cost.dtype)
    items = np.empty(len(keys), dtype=np.int32)
    row = np.full(len(end_cost), no_way, dtype=cost.dtype)
    near = np.empty(len(end_cost), dtype=np.int32)
    mask = (1 << shift) - 1
    for number in range(len(school_node)):
        count = settle(
            start, head, cost, school_node[number], school_cost[number], limit, len(best) + 1, best, touched, keys,
            items,
        )  # fmt: skip
        filled = 0
        for place in range(count):
            node = touched[place]
            for spot in range(first[node], first[node + 1]):
                here = item[spot] >> 1
                total = best[node] + end_cost[here, item[spot] & 1]
                if total <= limit and total < row[here]:
                    if row[here] == no_way:
                        near[filled] = here
                        filled += 1
                    row[here] = total
            best[node] = no_way
        for place in range(pair_first[number], pair_first[number + 1]):
            here = pair_unit[place]
            if pair_cost[place] <= limit and pair_cost[place] < row[here]:
                if row[here] == no_way:
                    near[filled] = here
                    filled += 1
                row[here] = pair_cost[place]
        for place in range(filled):
            here = near[place]
            time_min[here, column + number] = np.float32(row[here] >> shift) / np.float32(60000.0)
            if length_m.shape[0] > 0:
                length_m[here, column + number] = np.float32(row[here] & mask) / np.float32(1000.0)
            row[here] = no_way


@njit(cache=True, nogil=True)
def fill_nodes(
    graph: tuple[Array, ...], unit: tuple[Array, Array], goals: Array, limit: Any, column: int, time_min: Array
) -> None:
    """Search from each of some nodes and write the minutes of the units within ``limit`` into a column each.

    ``graph``: start, head, milliseconds of the turned graph. ``unit``: (first, item), the units at each node.
    """
    start, head, cost = graph
    first, item = unit
    no_way = limit + cost.dtype.type(1)
    best = np.full(len(start) - 1, no_way, dtype=cost.dtype)
    touched = np.empty(len(best), dtype=np.int32)
    keys = np.empty(len(head) + 2, dtype=cost.dtype)
    items = np.empty(len(keys), dtype=np.int32)
    seed, nothing = np.empty(1, dtype=np.int32), np.zeros(1, dtype=cost.dtype)
    for number in range(len(goals)):
        seed[0] = goals[number]
        count = settle(start, head, cost, seed, nothing, limit, len(best) + 1, best, touched, keys, items)
        for place in range(count):
            node = touched[place]
            for spot in range(first[node], first[node + 1]):
                time_min[item[spot], column + number] = np.float32(best[node]) / np.float32(60000.0)
            best[node] = no_way


@njit(cache=True, nogil=True)
def turn_costs(start: Array, head: Array, time_s: Array, longest_ms: int) -> tuple[Array, Array, Array]:
    """Return start, head and whole milliseconds of the arcs turned round."""
    n_nodes = len(start) - 1
    first = np.zeros(n_nodes + 1, dtype=np.int32)
    for node in head:
        first[node + 1] += 1
    for node in range(n_nodes):
        first[node + 1] += first[node]
    place = first[:-1].copy()
    other = np.empty(len(head), dtype=np.int32)
    cost = np.empty(len(head), dtype=np.int32)
    for node in range(n_nodes):
        for arc in range(start[node], start[node + 1]):
            spot = place[head[arc]]
            millis = np.float64(time_s[arc]) * 1000.0
            other[spot] = node
            cost[spot] = np.int32(max(np.rint(millis), 0.0)) if millis < longest_ms - 0.5 else longest_ms
            place[head[arc]] += 1
    return first, other, cost


@njit(cache=True, nogil=True)
def list_nodes(node: Array, n_nodes: int) -> tuple[Array, Array]:
    """Return which points lie at each node: first, and the points."""
    first = np.zeros(n_nodes + 1, dtype=np.int32)
    for at in node:
        first[at + 1] += 1
    for at in range(n_nodes):
        first[at + 1] += first[at]
    place = first[:-1].copy()
    item = np.empty(len(node), dtype=np.int32)
    for point in range(len(node)):
        item[place[node[point]]] = point
        place[node[point]] += 1
    return first, item


@njit(cache=True, nogil=True)
def pair_arcs(start: Array, head: Array, time_s: Array, length_m: Array) -> tuple[Array, Array, Array, Array]:
    """Return the edges of a network: lower node, higher node, and one arc each way (-1 = none).

    Of parallel arcs the fastest, of equally fast ones the shortest, of these the first.
    """
    n_nodes = len(start) - 1
    first = np.zeros(n_nodes + 1, dtype=np.int32)
    for node in range(n_nodes):
        for arc in range(start[node], start[node + 1]):
            first[min(node, head[arc]) + 1] += 1
    for node in range(n_nodes):
        first[node + 1] += first[node]
    place = first[:-1].copy()
    other = np.empty(len(head), dtype=np.int32)  # of each arc at its lower node: the higher one
    arcs = np.empty(len(head), dtype=np.int32)
    for node in range(n_nodes):
        for arc in range(start[node], start[node + 1]):
            low, high = min(node, head[arc]), max(node, head[arc])
            spot = place[low]
            while spot > first[low] and other[spot - 1] > high:
                other[spot], arcs[spot] = other[spot - 1], arcs[spot - 1]
                spot -= 1
            other[spot], arcs[spot] = high, arc
            place[low] += 1
    tails, heads = np.empty(len(head), dtype=np.int32), np.empty(len(head), dtype=np.int32)
    ahead, back = np.full(len(head), -1, dtype=np.int32), np.full(len(head), -1, dtype=np.int32)
    count = 0
    for low in range(n_nodes):
        for spot in range(first[low], first[low + 1]):
            if spot == first[low] or other[spot] != other[spot - 1]:
                tails[count], heads[count] = low, other[spot]
                count += 1
            arc = arcs[spot]
            side = ahead if start[low] <= arc < start[low + 1] and head[arc] != low else back
            old = side[count - 1]
            if (
                old < 0
                or time_s[arc] < time_s[old]
                or (time_s[arc] == time_s[old] and (length_m[arc], arc) < (length_m[old], old))
            ):
                side[count - 1] = arc
    return tails[:count].copy(), heads[:count].copy(), ahead[:count].copy(), back[:count].copy()


@njit(cache=True, nogil=True)
def turn_round(tail: Array, head: Array, n_nodes: int) -> tuple[Array, Array, Array]:
    """Return start, head and number of the arcs turned round: ``start[i]:start[i+1]`` are those that lead to ``i``."""
    start = np.zeros(n_nodes + 1, dtype=np.int32)
    for arc in range(len(head)):
        start[head[arc] + 1] += 1
    for node in range(n_nodes):
        start[node + 1] += start[node]
    place = start[:-1].copy()
    other = np.empty(len(head), dtype=np.int32)
    order = np.empty(len(head), dtype=np.int32)
    for arc in range(len(head)):
        other[place[head[arc]]] = tail[arc]
        order[place[head[arc]]] = arc
        place[head[arc]] += 1
    return start, other, order


@njit(cache=True, nogil=True)
def list_ends(node: Array, n_nodes: int) -> tuple[Array, Array]:
    """Return, for the nodes (points, 2), which ends lie at each node: first, and 2 × point + end; -1 = nowhere."""
    first = np.zeros(n_nodes + 1, dtype=np.int32)
    for point in range(len(node)):
        for end in range(2):
            if node[point, end] >= 0:
                first[node[point, end] + 1] += 1
    for at in range(n_nodes):
        first[at + 1] += first[at]
    place = first[:-1].copy()
    item = np.empty(first[-1], dtype=np.int32)
    for point in range(len(node)):
        for end in range(2):
            if node[point, end] >= 0:
                item[place[node[point, end]]] = 2 * point + end
                place[node[point, end]] += 1
    return first, item


@njit(cache=True, nogil=True)
def list_incident(tail: Array, head: Array, n_nodes: int) -> tuple[Array, Array]:
    """Return the edges at each node, in the order of the edges: ``incident[start[i]:start[i+1]]``."""
    start = np.zeros(n_nodes + 1, dtype=np.int32)
    for edge in range(len(tail)):
        start[tail[edge] + 1] += 1
        start[head[edge] + 1] += 1
    for node in range(n_nodes):
        start[node + 1] += start[node]
    place = start[:-1].copy()
    incident = np.empty(2 * len(tail), dtype=np.int32)
    for edge in range(len(tail)):
        incident[place[tail[edge]]] = edge
        place[tail[edge]] += 1
        incident[place[head[edge]]] = edge
        place[head[edge]] += 1
    return start, incident


@njit(cache=True, nogil=True)
def find_meeting(boxes: Array, strip: int, spots: Array, schools: Array) -> tuple[Array, Array]:
    """Return the pairs (place in ``spots``, school) that are no farther apart than their reaches together.

    ``spots``, ``schools``: x, y, reach (NaN = nowhere). ``boxes``: least x, least y, largest x, largest y that each
    ``strip`` spots reach. Pairs of two points without reach do not count.
    """
    found = np.empty(64, dtype=np.int64)
    whose = np.empty(64, dtype=np.int64)
    count = 0
    for school in range(len(schools)):
        x, y, reach = schools[school]
        if not np.isfinite(x + y + reach):
            continue
        hair = 1e-6 + 1e-9 * reach
        for box in range(len(boxes)):
            if x + reach + hair < boxes[box, 0] or x - reach - hair > boxes[box, 2]:
                continue
            if y + reach + hair < boxes[box, 1] or y - reach - hair > boxes[box, 3]:
                continue
            for place in range(box * strip, min((box + 1) * strip, len(spots))):
                near = spots[place, 2] + reach
                if (
                    near <= 0.0
                    or abs(spots[place, 0] - x) > near
                    or np.hypot(spots[place, 0] - x, spots[place, 1] - y) > near
                ):
                    continue
                if count == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                    whose = np.concatenate((whose, np.empty_like(whose)))
                found[count], whose[count] = place, school
                count += 1
    return found[:count], whose[:count]


@njit(cache=True, nogil=True)
def sum_chains(
    arc: Array, first: Array, last: Array, time_s: Array, length_m: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return the columns of ``geodata.chains.Sums``; ``arc`` in chain order, -1 = none."""
    edge_s, edge_m = np.zeros(len(arc), dtype=np.float32), np.zeros(len(arc), dtype=np.float32)
    before_s, before_m = np.empty(len(arc), dtype=np.float64), np.empty(len(arc), dtype=np.float64)
    shut = np.empty(len(arc), dtype=np.bool_)
    shut_before = np.empty(len(arc), dtype=np.int32)
    for chain in range(len(first)):
        seconds, metres, closed = 0.0, 0.0, 0
        for edge in range(first[chain], last[chain]):
            before_s[edge], before_m[edge], shut_before[edge] = seconds, metres, closed
            shut[edge] = arc[edge] < 0
            if shut[edge]:
                closed += 1
                continue
            edge_s[edge], edge_m[edge] = time_s[arc[edge]], length_m[arc[edge]]
            seconds += edge_s[edge]
            metres += edge_m[edge]
    return edge_s, before_s, edge_m, before_m, shut, shut_before


@njit(cache=True)
def walk_chains(
    tail: Array, head: Array, incident_start: Array, incident: Array, core: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Follow the edges from core node to core node.

    A ring without a core node gets one: ``core`` is changed. Returns the edges in chain order, whether each is walked
    from tail to head, the number of edges of each chain, and the nodes at its two ends.
    """
    n_edges = len(tail)
    order = np.empty(n_edges, dtype=np.int32)
    along = np.empty(n_edges, dtype=np.bool_)
    sizes = np.empty(n_edges, dtype=np.int64)
    a_node = np.empty(n_edges, dtype=np.int32)
    b_node = np.empty(n_edges, dtype=np.int32)
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
