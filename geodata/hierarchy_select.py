"""The kernels around a sweep: the pass that a set of units needs, and the plain table of costs."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

from geodata.hierarchy_sweep import WIDTH, Goals, Sweep, climb, count_chunks, find_infinity, open_sweep, sweep_chunk

__all__ = ["Goals", "fill_costs", "find_rows", "lay_steps", "mark_ancestors"]

Array: TypeAlias = "np.ndarray[Any, Any]"


@njit(cache=True, nogil=True)
def mark_ancestors(lowest: Array, parent: Array) -> Array:
    """Return which numbers are a unit's lowest node or above one."""
    needed = np.zeros(len(parent), dtype=np.bool_)
    for node in lowest:
        while node >= 0 and not needed[node]:
            needed[node] = True
            node = parent[node]
    return needed


@njit(cache=True, nogil=True)
def find_rows(number: Array, lowest: Array, parent: Array, depth: Array, none: int) -> Array:
    """Return the row (= depth) of each of a unit's nodes; ``none`` for -1; -1 = not on the way up from the lowest."""
    found = np.empty(number.shape, dtype=np.int32)
    for origin in range(number.shape[0]):
        for end in range(number.shape[1]):
            wanted = number[origin, end]
            if wanted < 0:
                found[origin, end] = none
                continue
            node = lowest[origin]
            while node > wanted:
                node = parent[node]
            found[origin, end] = depth[wanted] if node == wanted else -1
    return found


@njit(cache=True, nogil=True)
def lay_steps(
    shape: tuple[Array, ...], nodes: Array, at: Array, origin_row: Array, height: int, chunk: int
) -> tuple[Array, Array, Array, Array]:
    """Return the pass: ``target``, ``step_first``, ``above``, ``chunk_step`` (see ``geodata.hierarchy.Selection``).

    ``shape``: depth, first, up_depth of the topology. Units that join nothing come before all nodes.
    """
    depth, first, up_depth = shape
    n_origins, ends = origin_row.shape
    arcs = n_origins * ends
    for node in nodes:
        arcs += first[node + 1] - first[node]
    n_steps = len(nodes) + n_origins
    target = np.empty(n_steps, dtype=np.int32)
    step_first = np.zeros(n_steps + 1, dtype=np.int32)
    above = np.empty(arcs, dtype=np.int32)
    chunk_step = np.zeros((n_origins + chunk - 1) // chunk + 1, dtype=np.int32)
    step, filled = 0, 0
    for position in range(len(nodes) + 1):
        origin = 0
        if position > 0:
            node = nodes[position - 1]
            target[step] = depth[node]
            above[filled : filled + first[node + 1] - first[node]] = up_depth[first[node] : first[node + 1]]
            filled += first[node + 1] - first[node]
            step += 1
            step_first[step] = filled
            origin = at[position - 1]
        for place in range(origin, at[position]):
            target[step] = height + 1 + place % chunk
            above[filled : filled + ends] = origin_row[place]
            filled += ends
            step += 1
            step_first[step] = filled
            chunk_step[place // chunk + 1] = step
    return target, step_first, above, chunk_step


@njit(cache=True, nogil=True)
def fill_costs(plan: Sweep, goal_node: Array, goal_cost: Array, found: Array) -> None:
    """Write the costs of some goals: ``found[unit, goal]``."""
    no_way = find_infinity(plan.cost)
    goals = climb(plan, goal_node, goal_cost)
    rows = open_sweep(plan, goals)
    for chunk in range(count_chunks(plan)):
        first, last, place = sweep_chunk(plan, goals, chunk, rows)
        for origin in range(first, last):
            out = found[plan.order[origin]]
            for batch in range(len(rows)):
                row = rows[batch, place + origin - first]
                begin = batch * WIDTH
                for goal in range(begin, min(begin + WIDTH, len(out))):
                    out[goal] = min(row[goal - begin], no_way)
