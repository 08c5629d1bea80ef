"""Sweeps over a prepared hierarchy: the cost from many units to many goals, ``WIDTH`` goals with one instruction.

The idea (restricted PHAST; see docs/travel.md). A cheapest way climbs from the unit's node to some common ancestor and
comes down to the goal. So first every goal looks *up*: :func:`climb` finds the cost from each of its ancestors down to
it. Then one pass goes *down* the tree, from the top, over the ancestors of the units only: a node's cost is the least,
over its upward arcs, of the arc and the cost of the node above.

Why it is fast. Upward arcs lead to ancestors only, and the pass visits every subtree in one run. So the costs of the
nodes between the top and the node at hand are all that is ever read: one row for each *depth*, overwritten when the
pass enters another branch, and small enough to stay in the processor's cache. A row holds ``WIDTH`` goals. A unit is
one more step of the pass, right after the lowest of its nodes: its "arcs" are its ways to its nodes. Costs and places
lie in the order in which the pass reads them. Several batches of ``WIDTH`` goals go down together, chunk by chunk, so
that a unit's row of the result is written in one piece.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from geodata.hierarchy_rows import lower_row
from geodata.kernel_cache import forget_stale_kernels

if TYPE_CHECKING:
    from geodata.hierarchy import LiveMetric, Metric, Selection, Topology

Array: TypeAlias = "np.ndarray[Any, Any]"

WIDTH = 32
"""Goals in a row: two (whole numbers of 32 bits) or four (64 bits) of the widest registers."""
GROUP = 4 * WIDTH
"""Goals that should go down together: enough to fill cache lines of the result, few enough for the cache."""
CHUNK = 64
"""Units that the pass hands out at a time."""
_TOGETHER = ("hierarchy_sweep", "hierarchy_rows", "hierarchy_select", "travel_kernels")
"""Files whose kernels call each other."""


class Sweep(NamedTuple):
    """All that the kernels read, as one argument.

    The tree: ``number`` of each node, by number ``parent``, ``first``, ``up``, ``down_cost`` (see
    ``geodata.hierarchy.Topology`` and ``Metric``). The pass (see ``geodata.hierarchy.Selection``): ``nodes``, ``at``,
    ``order``, ``target``, ``step_first``, ``above``, ``chunk_step``, and ``cost`` of each of its arcs. ``height``:
    levels of the tree; a batch's rows are the levels, one row of "no way", and ``CHUNK`` units.
    """

    number: Array
    parent: Array
    first: Array
    up: Array
    down_cost: Array
    nodes: Array
    at: Array
    order: Array
    target: Array
    step_first: Array
    above: Array
    chunk_step: Array
    cost: Array
    height: int


class Goals(NamedTuple):
    """What the pass must know of its goals: at step ``step`` of batch ``b`` begins ``row``.

    ``step`` and ``row`` of batch ``b`` are at ``first[b]:first[b + 1]``, steps rising; ``turn``: where each batch is.
    """

    first: Array
    step: Array
    row: Array
    turn: Array


def build_sweep(
    topology: Topology,
    metric: Metric | LiveMetric,
    selection: Selection,
    origin_cost: npt.NDArray[np.integer] | None = None,
) -> Sweep:
    """Return a pass ready to run, some milliseconds of copying at a million nodes.

    ``origin_cost`` (units, k) or (units,), in the caller's order of units: the cost from each unit to its nodes;
    ``None`` = 0. Where a live metric is changed afterwards, :func:`mend_arcs` and :func:`mend_units` follow it.
    """
    if climb.stats.cache_path is not None:
        forget_stale_kernels(Path(climb.stats.cache_path), _TOGETHER)
    kind = metric.up_cost.dtype
    shape = selection.origin_row.shape
    if origin_cost is None:
        own = np.zeros(shape, dtype=kind)
    else:
        own = np.minimum(np.asarray(origin_cost).reshape(shape), metric.no_way).astype(kind)[selection.order]
    return Sweep(
        number=topology.number,
        parent=topology.parent,
        first=topology.first,
        up=topology.up,
        down_cost=view_read_only(metric.down_cost),
        nodes=selection.nodes,
        at=selection.at,
        order=selection.order,
        target=selection.target,
        step_first=selection.step_first,
        above=selection.above,
        chunk_step=selection.chunk_step,
        cost=_line_up(selection.nodes, selection.at, topology.first, metric.up_cost, own),
        height=topology.height,
    )


@njit(cache=True, nogil=True)
def _line_up(nodes: Array, at: Array, first: Array, up_cost: Array, own: Array) -> Array:
    """Return the costs of all arcs and all units' ways, in the order in which the pass reads them."""
    size = own.size
    for node in nodes:
        size += first[node + 1] - first[node]
    cost = np.empty(size, dtype=up_cost.dtype)
    filled = 0
    for position in range(len(nodes) + 1):
        origin = at[position - 1] if position > 0 else 0
        if position > 0:
            for arc in range(first[nodes[position - 1]], first[nodes[position - 1] + 1]):
                cost[filled] = up_cost[arc]
                filled += 1
        for place in range(origin, at[position]):
            for end in range(own.shape[1]):
                cost[filled] = own[place, end]
                filled += 1
    return cost


def view_read_only(values: Array) -> Array:
    """Return a view that may not be written to: one type of arrays for the kernels, so that they are compiled once."""
    view = values.view()
    view.flags.writeable = False
    return view


def fork_sweep(plan: Sweep, metric: LiveMetric) -> Sweep:
    """Return a copy of ``plan`` that follows ``metric``, a copy of the plan's."""
    return plan._replace(cost=plan.cost.copy(), down_cost=view_read_only(metric.down_cost))


@njit(cache=True, nogil=True)
def mend_arcs(plan: Sweep, up_cost: Array, arcs: Array) -> None:
    """Write the present costs of some upward arcs into the plan."""
    for arc in arcs:
        node = np.searchsorted(plan.first, arc, side="right") - 1
        position = np.searchsorted(plan.nodes, node)
        if position < len(plan.nodes) and plan.nodes[position] == node:
            step = position + plan.at[position]
            plan.cost[plan.step_first[step] + arc - plan.first[node]] = up_cost[arc]


@njit(cache=True, nogil=True)
def mend_units(plan: Sweep, places: Array, own: Array) -> None:
    """Write the costs ``own`` from some units, at ``places`` of the plan's order, to their nodes into the plan."""
    no_way = find_infinity(plan.cost)
    for row in range(len(places)):
        step = places[row] + np.searchsorted(plan.at[:-1], places[row], side="right")
        for end in range(own.shape[1]):
            plan.cost[plan.step_first[step] + end] = min(own[row, end], no_way)


@njit(cache=True, nogil=True)
def find_infinity(costs: Array) -> int:
    """Return the cost that means "no way" in an array of this type (as ``geodata.hierarchy.infinity``)."""
    return 10**9 if costs.itemsize == 4 else 10**9 * 2**32


@njit(cache=True, nogil=True)
def count_chunks(plan: Sweep) -> int:
    """Return how many chunks a pass has."""
    return len(plan.chunk_step) - 1


@njit(cache=True, nogil=True)
def open_rows(count: int, like: Array) -> Array:
    """Return ``count`` rows that begin at the border of a cache line (a row across it costs two lines a read)."""
    room = np.empty(count * WIDTH + 64, dtype=like.dtype)
    skip = (-room.ctypes.data) % 64 // like.itemsize
    return room[skip : skip + count * WIDTH].reshape(count, WIDTH)


@njit(cache=True, nogil=True)
def open_sweep(plan: Sweep, goals: Goals) -> Array:
    """Return the rows in which a pass works: (batches, levels + 1 + ``CHUNK``, ``WIDTH``)."""
    batches = len(goals.turn)
    levels = plan.height + 1 + CHUNK
    rows = open_rows(batches * levels, plan.cost)
    rows[:] = find_infinity(plan.cost)
    return rows.reshape(batches, levels, WIDTH)


@njit(cache=True, nogil=True)
def climb(plan: Sweep, goal_node: Array, goal_cost: Array) -> Goals:
    """Return the costs from the goals' ancestors to the goals.

    ``goal_node``, ``goal_cost``: (goals, k); node -1 = none. Goals are taken in batches of ``WIDTH`` as they come.
    """
    batches = (len(goal_node) + WIDTH - 1) // WIDTH
    first = np.zeros(batches + 1, dtype=np.int64)
    steps = [np.empty(0, dtype=np.int64) for _ in range(0)]
    rows = [open_rows(0, plan.cost) for _ in range(0)]
    place = np.full(len(plan.number), -1, dtype=np.int32)
    for batch in range(batches):
        part = slice(batch * WIDTH, min((batch + 1) * WIDTH, len(goal_node)))
        step, row = _climb_batch(plan, goal_node[part], goal_cost[part], place)
        steps.append(step)
        rows.append(row)
        first[batch + 1] = first[batch] + len(step)
    step = np.empty(first[batches], dtype=np.int64)
    row = open_rows(first[batches], plan.cost)
    for batch in range(batches):
        step[first[batch] : first[batch + 1]] = steps[batch]
        row[first[batch] : first[batch + 1]] = rows[batch]
    return Goals(first, step, row, first[:-1].copy())


@njit(cache=True, nogil=True)
def _climb_batch(plan: Sweep, goal_node: Array, goal_cost: Array, place: Array) -> tuple[Array, Array]:
    """Return the steps and rows of one batch; ``place`` is -1 everywhere, and is left so."""
    number = _find_ancestors(plan, goal_node, place)
    row = open_rows(len(number), plan.cost)
    row[:] = find_infinity(plan.cost)
    for goal in range(goal_node.shape[0]):
        for end in range(goal_node.shape[1]):
            if goal_node[goal, end] >= 0:
                here = place[plan.number[goal_node[goal, end]]]
                row[here, goal] = min(row[here, goal], goal_cost[goal, end])
    below = np.empty(1, dtype=np.int32)
    for here in range(len(number) - 1, -1, -1):
        below[0] = here
        for arc in range(plan.first[number[here]], plan.first[number[here] + 1]):
            lower_row(WIDTH, row[place[plan.up[arc]]], row, below, plan.down_cost[arc : arc + 1], 0, 1)  # type: ignore[call-arg]
    place[number] = -1
    position = np.searchsorted(plan.nodes, number)
    kept = np.empty(len(number), dtype=np.int64)
    count = 0
    for here in range(len(number)):  # what no unit needs is left out
        if position[here] < len(plan.nodes) and plan.nodes[position[here]] == number[here]:
            kept[count] = here
            count += 1
    step = position[kept[:count]] + plan.at[position[kept[:count]]]
    return step, row[kept[:count]]


@njit(cache=True, nogil=True)
def _find_ancestors(plan: Sweep, goal_node: Array, place: Array) -> Array:
    """Return the numbers of the goals' nodes and of all above them, rising; ``place`` of each is its position."""
    found = np.empty(64, dtype=np.int32)
    count = 0
    for node in goal_node.ravel():
        number = plan.number[node] if node >= 0 else -1
        while number >= 0 and place[number] < 0:
            place[number] = 0
            if count == len(found):
                found = np.concatenate((found, np.empty_like(found)))
            found[count] = number
            count += 1
            number = plan.parent[number]
    found = np.sort(found[:count])
    for position in range(count):
        place[found[position]] = position
    return found


@njit(cache=True, nogil=True)
def sweep_chunk(plan: Sweep, goals: Goals, chunk: int, rows: Array) -> tuple[int, int, int]:
    """Go on down by one chunk, for all batches; chunks are to be taken in their order.

    Returns ``first, last, place``: units ``plan.order[first:last]`` are done; the cost from ``plan.order[first + i]``
    to goal ``g`` is ``rows[g // WIDTH, place + i, g % WIDTH]``; the cost of no way or more = there is no way.
    """
    no_way = find_infinity(plan.cost)
    for batch in range(len(goals.turn)):
        mine = rows[batch]
        turn, past = goals.turn[batch], goals.first[batch + 1]
        next_goal = goals.step[turn] if turn < past else -1
        for step in range(plan.chunk_step[chunk], plan.chunk_step[chunk + 1]):
            row = mine[plan.target[step]]
            row[:] = no_way
            if step == next_goal:
                row[:] = goals.row[turn]
                turn += 1
                next_goal = goals.step[turn] if turn < past else -1
            lower_row(WIDTH, row, mine, plan.above, plan.cost, plan.step_first[step], plan.step_first[step + 1])  # type: ignore[call-arg]
        goals.turn[batch] = turn
    first = chunk * CHUNK
    return first, min(first + CHUNK, len(plan.order)), plan.height + 1


@njit(cache=True, nogil=True)
def sweep_step(row: Array, rows: Array, above: Array, cost: Array, first: int, last: int) -> None:
    """Do one step of a pass: for callers outside numba."""
    lower_row(WIDTH, row, rows, above, cost, first, last)  # type: ignore[call-arg]
