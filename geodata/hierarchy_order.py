"""The order in which crossings are taken out of the graph: first those that cost nothing, then a nested dissection."""

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

    if len(start) < 3 or not len(head):
        return np.arange(len(start) - 1, dtype=np.int32)
    nodes, _ = pymetis.nested_dissection(adjacency=pymetis.CSRAdjacency(start, head))
    return np.asarray(nodes, dtype=np.int32)
