"""The order in which crossings are taken out of the graph: first those that cost nothing, then a nested dissection.

A crossing with one neighbour, or with two, is taken out without adding a road (the two neighbours get one instead of
two). That goes for six of ten crossings of a road map; the dissection takes a third of the time without them, and its
hierarchy has fewer arcs.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"


@njit(cache=True, nogil=True)
def join_both_ways(n_nodes: int, tail: Array, head: Array) -> tuple[Array, Array]:
    """Return the undirected graph as CSR (start, head), without loops and doubles."""
    start = np.zeros(n_nodes + 1, dtype=np.int32)
    for arc in range(len(tail)):
        start[tail[arc] + 1] += 1
        start[head[arc] + 1] += 1
    start = np.cumsum(start).astype(np.int32)
    place = start[:-1].copy()
    both = np.empty(2 * len(tail), dtype=np.int32)
    for arc in range(len(tail)):
        both[place[tail[arc]]] = head[arc]
        place[tail[arc]] += 1
        both[place[head[arc]]] = tail[arc]
        place[head[arc]] += 1
    seen = np.full(n_nodes, -1, dtype=np.int32)
    filled = 0
    for node in range(n_nodes):
        first, last = start[node], start[node + 1]
        start[node] = filled
        seen[node] = node
        for arc in range(first, last):
            if seen[both[arc]] != node:
                seen[both[arc]] = node
                both[filled] = both[arc]
                filled += 1
    start[n_nodes] = filled
    return start, both[:filled].copy()


def order_nodes(start: npt.NDArray[np.int32], head: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the nodes of an undirected graph (CSR, no loops, no doubles) in the order of elimination."""
    import pymetis

    peeled, rest, rest_start, rest_head = peel(start, head)
    if len(rest) < 2:
        return np.concatenate([peeled, rest])
    nodes, _ = pymetis.nested_dissection(adjacency=pymetis.CSRAdjacency(rest_start, rest_head))
    return np.concatenate([peeled, rest[np.asarray(nodes, dtype=np.int32)]])


@njit(cache=True, nogil=True)
def peel(start: Array, head: Array) -> tuple[Array, Array, Array, Array]:
    """Take out nodes with at most two neighbours, again and again; two neighbours are then joined directly.

    Of two neighbours only one goes in a round, so that a long line becomes a low tree. Returns these nodes in their
    order, the nodes left, and the graph of these (CSR, numbered as they are listed). Lists of neighbours never grow, so
    they are kept where they are.
    """
    n_nodes = len(start) - 1
    near, count = head.copy(), (start[1:] - start[:-1]).astype(np.int32)
    order, left = np.empty(n_nodes, dtype=np.int32), np.full(n_nodes, -1, dtype=np.int32)
    gone, lost = count <= 2, np.zeros(n_nodes, dtype=np.int32)  # the round in which a node lost a neighbour
    now, later = np.empty(n_nodes, dtype=np.int32), np.empty(n_nodes, dtype=np.int32)
    few = np.flatnonzero(gone)
    now[: len(few)] = few
    waiting, last, turn = len(few), 0, 0
    while waiting > 0:
        turn += 1
        again = 0
        for node in now[:waiting]:
            if lost[node] == turn:
                later[again] = node
                again += 1
                continue
            order[last] = node
            last += 1
            for side in range(count[node]):
                here = near[start[node] + side]
                lost[here] = turn
                there = near[start[node] + 1 - side] if count[node] == 2 else node
                place, known = start[here], there == node
                for spot in range(start[here], start[here] + count[here]):
                    if near[spot] == node:
                        place = spot
                    elif near[spot] == there:
                        known = True
                if known:
                    count[here] -= 1
                    near[place] = near[start[here] + count[here]]
                else:
                    near[place] = there
                if count[here] <= 2 and not gone[here]:
                    gone[here] = True
                    later[again] = here
                    again += 1
        now, later, waiting = later, now, again
    rest = np.flatnonzero(~gone).astype(np.int32)
    left[rest] = np.arange(len(rest), dtype=np.int32)
    rest_start = np.zeros(len(rest) + 1, dtype=np.int32)
    rest_start[1:] = np.cumsum(count[rest])
    rest_head = np.empty(rest_start[-1], dtype=np.int32)
    for place in range(len(rest)):
        for spot in range(count[rest[place]]):
            rest_head[rest_start[place] + spot] = left[near[start[rest[place]] + spot]]
    return order[:last].copy(), rest, rest_start, rest_head
