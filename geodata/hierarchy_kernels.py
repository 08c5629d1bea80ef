"""The numba kernels that build the hierarchy's shape: elimination tree, numbering, upward arcs."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"


@njit(cache=True, nogil=True)
def find_parents(start: Array, head: Array, order: Array) -> Array:
    """Return each place's parent in the elimination tree (-1 = a root); places are positions in ``order``.

    Liu (1986), with path compression: whatever was eliminated before and touches a node hangs below it.
    """
    n_nodes = len(order)
    place = np.empty(n_nodes, dtype=np.int32)
    place[order] = np.arange(n_nodes, dtype=np.int32)
    parent = np.full(n_nodes, -1, dtype=np.int32)
    top = np.full(n_nodes, -1, dtype=np.int32)
    for here in range(n_nodes):
        node = order[here]
        for arc in range(start[node], start[node + 1]):
            other = place[head[arc]]
            while other < here and other >= 0:
                above = top[other]
                top[other] = here
                if above < 0:
                    parent[other] = here
                    break
                other = above
                if other == here:
                    break
    return parent


@njit(cache=True, nogil=True)
def number_down(parent: Array) -> tuple[Array, Array, Array]:
    """Number the tree from the top, every subtree in one run.

    Returns each place's number, and by number the parent (-1 = root) and the depth.
    """
    n_nodes = len(parent)
    size = np.ones(n_nodes, dtype=np.int32)
    for place in range(n_nodes):
        if parent[place] >= 0:
            size[parent[place]] += size[place]
    number = np.empty(n_nodes, dtype=np.int32)
    free = np.empty(n_nodes, dtype=np.int32)  # the next number free below a place
    above = np.empty(n_nodes, dtype=np.int32)
    depth = np.empty(n_nodes, dtype=np.int32)
    next_root = 0
    for place in range(n_nodes - 1, -1, -1):
        up = parent[place]
        if up < 0:
            mine = next_root
            next_root += size[place]
            above[mine] = -1
            depth[mine] = 0
        else:
            mine = free[up]
            free[up] += size[place]
            above[mine] = number[up]
            depth[mine] = depth[number[up]] + 1
        number[place] = mine
        free[place] = mine + 1
    return number, above, depth


@njit(cache=True, nogil=True)
def fill_in(start: Array, head: Array, number: Array, parent: Array) -> tuple[Array, Array]:
    """Return the upward arcs of every number as CSR (``first``, ``up``), nearest (= highest number) first.

    ``start``, ``head``: the undirected graph; ``number`` of each node; ``parent`` by number. Taking a node out joins
    all its upper neighbours; so each node inherits the upper neighbours of its children, except itself.
    """
    n_nodes = len(parent)
    node_of = np.empty(n_nodes, dtype=np.int32)
    node_of[number] = np.arange(n_nodes, dtype=np.int32)
    child, sibling = _list_children(parent)
    seen = np.full(n_nodes, -1, dtype=np.int32)
    began = np.empty(n_nodes, dtype=np.int64)
    ended = np.empty(n_nodes, dtype=np.int64)
    pool = np.empty(max(4 * len(head), 16), dtype=np.int32)
    filled = 0
    for here in range(n_nodes - 1, -1, -1):
        began[here] = filled
        need = start[node_of[here] + 1] - start[node_of[here]]
        below = child[here]
        while below >= 0:
            need += ended[below] - began[below]
            below = sibling[below]
        if filled + need > len(pool):
            pool = np.concatenate((pool[:filled], np.empty(filled + 2 * need, dtype=np.int32)))
        seen[here] = here
        for arc in range(start[node_of[here]], start[node_of[here] + 1]):
            filled = _add(pool, filled, seen, here, number[head[arc]])
        below = child[here]
        while below >= 0:
            for arc in range(began[below], ended[below]):
                filled = _add(pool, filled, seen, here, pool[arc])
            below = sibling[below]
        ended[here] = filled
        pool[began[here] : filled] = -np.sort(-pool[began[here] : filled])
    first = np.zeros(n_nodes + 1, dtype=np.int32)
    first[1:] = np.cumsum(ended - began)
    up = np.empty(filled, dtype=np.int32)
    for here in range(n_nodes):
        up[first[here] : first[here + 1]] = pool[began[here] : ended[here]]
    return first, up


@njit(cache=True, nogil=True)
def _add(pool: Array, filled: int, seen: Array, here: int, other: int) -> int:
    """Append an upper neighbour of ``here`` that is new; return the new length."""
    if other > here or seen[other] == here:
        return filled
    seen[other] = here
    pool[filled] = other
    return filled + 1


@njit(cache=True, nogil=True)
def _list_children(parent: Array) -> tuple[Array, Array]:
    """Return each number's first child, and its next sibling; -1 = none."""
    child = np.full(len(parent), -1, dtype=np.int32)
    sibling = np.full(len(parent), -1, dtype=np.int32)
    for node in range(len(parent)):
        if parent[node] >= 0:
            sibling[node] = child[parent[node]]
            child[parent[node]] = node
    return child, sibling


@njit(cache=True, nogil=True)
def list_from_below(first: Array, up: Array) -> tuple[Array, Array, Array]:
    """Return the arcs that lead up to each number: CSR start, which upward arc, and whose (rising)."""
    n_nodes = len(first) - 1
    low_first = np.zeros(n_nodes + 1, dtype=np.int32)
    for above in up:
        low_first[above + 1] += 1
    low_first = np.cumsum(low_first).astype(np.int32)
    place = low_first.copy()
    low_arc = np.empty(len(up), dtype=np.int32)
    low_node = np.empty(len(up), dtype=np.int32)
    for node in range(n_nodes):
        for arc in range(first[node], first[node + 1]):
            low_arc[place[up[arc]]] = arc
            low_node[place[up[arc]]] = node
            place[up[arc]] += 1
    return low_first, low_arc, low_node


@njit(cache=True, nogil=True)
def find_slots(first: Array, up: Array, tail: Array, head: Array) -> Array:
    """Return where each input arc lies: 2 × upward arc, + 1 where it leads down; -1 for a loop."""
    slot = np.empty(len(tail), dtype=np.int32)
    for arc in range(len(tail)):
        low, high = max(tail[arc], head[arc]), min(tail[arc], head[arc])
        if low == high:
            slot[arc] = -1
            continue
        left, right = first[low], first[low + 1]
        while left < right:  # ``up`` falls
            middle = (left + right) >> 1
            if up[middle] > high:
                left = middle + 1
            else:
                right = middle
        slot[arc] = 2 * left + (1 if tail[arc] == high else 0)
    return slot
