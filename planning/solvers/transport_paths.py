"""Shortest augmenting paths on the graph of schools: the exact end of the transport problem, as numba kernels.

Nodes are the schools and one sink (node ``m``). Pupils leave a school for another arc of their row, or enter the sink
through a place or, at the price of overload, without one. The length of the edge ``j -> k`` is the least
``cost[k] - cost[j]`` over the rows with pupils at ``j``, plus ``price[k] - price[j]``: the first part does not depend
on the prices, so it is kept per pair of schools and only looked up again where the row it came from has left.

All costs, prices and quantities are multiples of two powers of two that leave room for every sum (``transport.snap``),
so additions here are exact: ties are ties, and equal distances are told apart by the number of steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"


class Rows(NamedTuple):
    """Rows with a choice: arcs of row ``r`` are ``start[r]:start[r + 1]``; ``row_of`` the row of each arc."""

    start: Array
    school: Array
    cost: Array
    row_of: Array


class Sink(NamedTuple):
    """Places used (``inner``), pupils above them (``over``), and what waits at each node (the sink is the last)."""

    places: Array
    ceiling: float
    inner: Array
    over: Array
    excess: Array


class Moves(NamedTuple):
    """Arcs with pupils, as linked lists by school, and the cheapest move for each pair of schools (an edge).

    ``number[j, k]`` is the edge (``-1``: none), the edges of ``j`` are ``begin[j]:begin[j + 1]`` and lead to ``to``.
    """

    first: Array
    after: Array
    before: Array
    number: Array
    begin: Array
    to: Array
    key: Array
    leave: Array
    enter: Array


class Search(NamedTuple):
    """What one shortest path search writes: distances, steps, predecessors, and its heap."""

    distance: Array
    steps: Array
    origin: Array
    done: Array
    touched: Array
    heap_distance: Array
    heap_steps: Array
    heap_node: Array


@njit(cache=True, nogil=True)
def route_excess(rows: Rows, sink: Sink, flow: Array, price: Array, longest: float) -> int:
    """Make ``flow`` optimal in place, with its ``price`` (of the schools and the sink); return the number of paths.

    On entry every used arc must be one of least ``cost + price`` in its row, and ``excess`` be what is above (below,
    negative) the places used. Paths longer than ``longest`` are not followed: the answer is then ``-1`` and the
    excess stays.
    """
    return route_along(rows, list_moves(rows, flow, len(sink.places)), sink, flow, price, longest)


@njit(cache=True, nogil=True)
def route_along(rows: Rows, moves: Moves, sink: Sink, flow: Array, price: Array, longest: float) -> int:
    """Do the work of :func:`route_excess` with moves already listed; they are kept up with the flow."""
    m = len(sink.places)
    size = len(moves.to) + 4 * m + 8
    search = Search(
        np.full(m + 1, np.inf),
        np.zeros(m + 1, np.int64),
        np.full(m + 1, -1),
        np.zeros(m + 1, np.bool_),
        np.empty(m + 1, np.int64),
        np.empty(size),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
    )
    paths = 0
    for source in range(m + 1):
        while sink.excess[source] > 0:
            goal = _search(source, sink, moves, price, search, longest)
            if goal < 0:
                return -1
            _augment(source, goal, rows, sink, moves, flow, search.origin)
            paths += 1
    return paths


@njit(cache=True, nogil=True)
def list_moves(rows: Rows, flow: Array, m: int) -> Moves:
    """Return the edges that any row could ever make, and the cheapest move of each for the flow given."""
    number = np.full((m, m), -1, np.int32)
    begin = np.zeros(m + 1, np.int64)
    for row in range(len(rows.start) - 1):
        for one in range(rows.start[row], rows.start[row + 1]):
            for two in range(rows.start[row], rows.start[row + 1]):
                if one != two:
                    number[rows.school[one], rows.school[two]] = 0
    count = 0
    for j in range(m):
        for k in range(m):
            if number[j, k] == 0:
                number[j, k] = count
                count += 1
        begin[j + 1] = count
    to = np.empty(count, np.int64)
    for j in range(m):
        for k in range(m):
            if number[j, k] >= 0:
                to[number[j, k]] = k
    n_arcs = len(rows.school)
    moves = Moves(
        np.full(m, -1),
        np.empty(n_arcs, np.int64),
        np.empty(n_arcs, np.int64),
        number,
        begin,
        to,
        np.full(count, np.inf),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )
    for arc in range(n_arcs):
        if flow[arc] > 0:
            link(arc, rows.school[arc], moves)
            offer(arc, rows, moves)
    return moves


@njit(cache=True, nogil=True)
def link(arc: int, j: int, moves: Moves) -> None:
    """Add an arc to those with pupils at its school."""
    head = moves.first[j]
    moves.after[arc], moves.before[arc] = head, -1
    if head >= 0:
        moves.before[head] = arc
    moves.first[j] = arc


@njit(cache=True, nogil=True)
def _unlink(arc: int, j: int, moves: Moves) -> None:
    """Take an arc out of those with pupils at its school."""
    after, before = moves.after[arc], moves.before[arc]
    if before >= 0:
        moves.after[before] = after
    else:
        moves.first[j] = after
    if after >= 0:
        moves.before[after] = before


@njit(cache=True, nogil=True)
def offer(arc: int, rows: Rows, moves: Moves) -> None:
    """Let the pupils on ``arc`` leave for the other schools of their row where no cheaper move is known."""
    j, row = rows.school[arc], rows.row_of[arc]
    for other in range(rows.start[row], rows.start[row + 1]):
        if other != arc:
            edge = moves.number[j, rows.school[other]]
            key = rows.cost[other] - rows.cost[arc]
            if key < moves.key[edge]:
                moves.key[edge], moves.leave[edge], moves.enter[edge] = key, arc, other


@njit(cache=True, nogil=True)
def _offer_again(j: int, rows: Rows, moves: Moves) -> None:
    """Find the cheapest moves out of one school anew."""
    moves.key[moves.begin[j] : moves.begin[j + 1]] = np.inf
    arc = moves.first[j]
    while arc >= 0:
        offer(arc, rows, moves)
        arc = moves.after[arc]


@njit(cache=True, nogil=True)
def _search(source: int, sink: Sink, moves: Moves, price: Array, search: Search, longest: float) -> int:
    """Return the nearest node below its places, after moving the prices so that the path to it has length zero."""
    m = len(sink.places)
    search.distance[source], search.steps[source], search.origin[source] = 0.0, 0, -1
    search.touched[0] = source
    size, n_touched, goal = _push(search, 0, 0.0, 0, source), 1, -1
    while size > 0:
        near, steps, node = search.heap_distance[0], search.heap_steps[0], search.heap_node[0]
        size = _pop(search, size)
        if search.done[node] or near > search.distance[node] or steps > search.steps[node]:
            continue
        if near > longest:
            break
        search.done[node] = True
        if sink.excess[node] < 0:
            goal = node
            break
        begin, end = (0, m) if node == m else (moves.begin[node], moves.begin[node + 1] + 1)
        for edge in range(begin, end):
            if node == m:
                k = edge
                if sink.over[k] > 0:
                    length = price[k] - price[m] - sink.ceiling
                elif sink.inner[k] > 0:
                    length = price[k] - price[m]
                else:
                    continue
            elif edge == end - 1:
                k = m
                length = price[m] - price[node] + (0.0 if sink.inner[node] < sink.places[node] else sink.ceiling)
            else:
                k = moves.to[edge]
                length = moves.key[edge] + price[k] - price[node]
            reach = near + length
            if reach > search.distance[k] or reach == np.inf:
                continue
            if reach < search.distance[k] or (steps + 1 < search.steps[k] and not search.done[k]):
                if search.distance[k] == np.inf:
                    search.touched[n_touched] = k
                    n_touched += 1
                search.distance[k], search.steps[k], search.origin[k] = reach, steps + 1, node
                size = _push(search, size, reach, steps + 1, k)
    for place in range(n_touched):
        node = search.touched[place]
        if goal >= 0 and search.done[node]:
            price[node] += search.distance[goal] - search.distance[node]
        if node != goal:
            search.distance[node] = np.inf
        search.done[node] = False
    if goal >= 0:
        search.distance[goal] = np.inf
    return goal


@njit(cache=True, nogil=True)
def _augment(source: int, goal: int, rows: Rows, sink: Sink, moves: Moves, flow: Array, origin: Array) -> None:
    """Send as many pupils along the path found as its narrowest step lets through."""
    m = len(sink.places)
    amount = min(sink.excess[source], -sink.excess[goal])
    k = goal
    while origin[k] >= 0:
        j = origin[k]
        if j == m:
            amount = min(amount, sink.over[k] if sink.over[k] > 0 else sink.inner[k])
        elif k < m:
            amount = min(amount, flow[moves.leave[moves.number[j, k]]])
        elif sink.inner[j] < sink.places[j]:
            amount = min(amount, sink.places[j] - sink.inner[j])
        k = j
    sink.excess[source] -= amount
    sink.excess[goal] += amount
    k = goal
    while origin[k] >= 0:
        j = origin[k]
        if j == m:
            if sink.over[k] > 0:
                sink.over[k] -= amount
            else:
                sink.inner[k] -= amount
        elif k == m:
            if sink.inner[j] < sink.places[j]:
                sink.inner[j] += amount
            else:
                sink.over[j] += amount
        else:
            _move(j, k, amount, rows, moves, flow)
        k = j


@njit(cache=True, nogil=True)
def _move(j: int, k: int, amount: float, rows: Rows, moves: Moves, flow: Array) -> None:
    """Move pupils by the cheapest move from ``j`` to ``k``."""
    edge = moves.number[j, k]
    arc, other = moves.leave[edge], moves.enter[edge]
    if flow[other] == 0:
        link(other, k, moves)
    flow[other] += amount
    flow[arc] -= amount
    if flow[arc] == 0:
        _unlink(arc, j, moves)
        _offer_again(j, rows, moves)
    offer(other, rows, moves)


@njit(cache=True, nogil=True)
def _push(search: Search, size: int, distance: float, steps: int, node: int) -> int:
    """Add one entry to the heap; return its new size."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if search.heap_distance[parent] < distance or (
            search.heap_distance[parent] == distance and search.heap_steps[parent] <= steps
        ):
            break
        search.heap_distance[place] = search.heap_distance[parent]
        search.heap_steps[place] = search.heap_steps[parent]
        search.heap_node[place] = search.heap_node[parent]
        place = parent
    search.heap_distance[place], search.heap_steps[place], search.heap_node[place] = distance, steps, node
    return size + 1


@njit(cache=True, nogil=True)
def _pop(search: Search, size: int) -> int:
    """Remove the nearest entry of the heap; return the new size."""
    size -= 1
    distance, steps, node = search.heap_distance[size], search.heap_steps[size], search.heap_node[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and (
            search.heap_distance[child + 1] < search.heap_distance[child]
            or (
                search.heap_distance[child + 1] == search.heap_distance[child]
                and search.heap_steps[child + 1] < search.heap_steps[child]
            )
        ):
            child += 1
        if search.heap_distance[child] > distance or (
            search.heap_distance[child] == distance and search.heap_steps[child] >= steps
        ):
            break
        search.heap_distance[place] = search.heap_distance[child]
        search.heap_steps[place] = search.heap_steps[child]
        search.heap_node[place] = search.heap_node[child]
        place = child
    search.heap_distance[place], search.heap_steps[place], search.heap_node[place] = distance, steps, node
    return size
