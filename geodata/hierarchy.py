"""A customizable contraction hierarchy: the shape of a road graph is prepared once, costs are put on it in a moment.

Three parts, each a value:

``Topology``
    Nodes are taken out of the graph one after another, those that hold it together last, and whatever a node was joined
    to is joined directly. Every arc then leads *up* (to a node taken out later) or down, and the nodes form a tree in
    which every upward arc ends at an ancestor. It depends only on who touches whom.
``Metric``
    The cost of every such arc, either way: its own road's, or less by way of a node further down. Built in one pass;
    a :class:`LiveMetric` follows one changed road only.
``Selection``
    What a set of units needs of the tree, and the order in which a pass goes over it.

:mod:`geodata.hierarchy_sweep` then gives the costs from all units to any goals.

Numbers: node ``i`` of the caller has ``number[i]``; 0 is the top, ancestors come before descendants, and a node with
all its descendants is one run of numbers. Costs are whole numbers (``int32``, or ``int64`` with room for a second
quantity in the low bits), so that sums are exact and equal ways stay equal; :func:`infinity` = "no way".

Sources: Dibbelt, Strasser, Wagner, "Customizable Contraction Hierarchies", JEA 21 (2016); Buchhold, Sanders, Wagner,
"Real-time traffic assignment using engineered customizable contraction hierarchies", JEA 24 (2019: tree search).
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.study import FrozenArrays

Ints: TypeAlias = npt.NDArray[np.int32]
Costs: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Topology(FrozenArrays):
    """The shape of the hierarchy.

    ``number`` of each node. By number: ``parent`` (-1 = top of its part) and ``depth`` in the tree; the upward arcs
    ``first[v]:first[v + 1]``, nearest end first: ``up`` (number of the upper end) and ``up_depth`` (its depth); the
    arcs from below ``low_first[v]:low_first[v + 1]``: ``low_arc`` (which upward arc) and ``low_node`` (whose, rising).
    Per arc of the caller: ``slot`` = 2 × upward arc, + 1 where it leads down, -1 for a loop; ``slot_order`` sorts it.
    """

    number: Ints
    parent: Ints
    depth: Ints
    first: Ints
    up: Ints
    up_depth: Ints
    low_first: Ints
    low_arc: Ints
    low_node: Ints
    slot: Ints
    slot_order: Ints

    @property
    def n_nodes(self) -> int:
        """Nodes of the graph."""
        return len(self.number)

    @property
    def height(self) -> int:
        """Levels of the tree."""
        return int(self.depth.max(initial=-1)) + 1


@dataclass(frozen=True, eq=False)
class Metric(FrozenArrays):
    """Costs on a topology: ``cost`` of each of the caller's arcs; ``up_cost`` and ``down_cost`` of each upward arc."""

    cost: Costs
    up_cost: Costs
    down_cost: Costs

    @property
    def no_way(self) -> int:
        """The cost from which on there is no way."""
        return infinity(self.up_cost.dtype)


@dataclass(frozen=True, eq=False)
class Selection(FrozenArrays):
    """The nodes that a set of units needs, and the pass over them.

    ``order``: the units as the pass meets them; ``nodes``: numbers of the nodes it visits, rising; after node ``i``
    come the units ``order[at[i]:at[i + 1]]``. Nodes and units in that order are the *steps*: step ``s`` fills row
    ``target[s]`` from the rows ``above[step_first[s]:step_first[s + 1]]``. Rows: one a level, one of "no way", one for
    each unit of a chunk; chunk ``c`` has the steps ``chunk_step[c]:chunk_step[c + 1]``. ``origin_row`` (units, k): the
    rows of the units' own nodes, in the pass's order.
    """

    order: Ints
    nodes: Ints
    at: Ints
    origin_row: Ints
    target: Ints
    step_first: Ints
    above: Ints
    chunk_step: Ints


def infinity(dtype: npt.DTypeLike) -> int:
    """Return the cost that means "no way" in ``int32`` or ``int64``; the sum of two of them still fits."""
    return 10**9 if np.dtype(dtype).itemsize == 4 else 10**9 * 2**32


def build_topology(n_nodes: int, tail: npt.ArrayLike, head: npt.ArrayLike) -> Topology:
    """Return the shape of the hierarchy of a directed graph.

    ``tail``, ``head`` (arcs,): nodes 0 … ``n_nodes - 1``; loops and doubles are allowed. Give roads that are closed
    now too: what is no arc here cannot be opened by :func:`recost`.
    """
    from geodata import hierarchy_kernels as kernels
    from geodata.hierarchy_order import join_both_ways, order_nodes

    tails, heads = np.asarray(tail, dtype=np.int32), np.asarray(head, dtype=np.int32)
    start, other = join_both_ways(n_nodes, tails, heads)
    order = order_nodes(start, other)
    number_of_place, parent, depth = kernels.number_down(kernels.find_parents(start, other, order))
    number = np.empty(n_nodes, dtype=np.int32)
    number[order] = number_of_place
    first, up = kernels.fill_in(start, other, number, parent)
    low_first, low_arc, low_node = kernels.list_from_below(first, up)
    slot = kernels.find_slots(first, up, number[tails], number[heads])
    return Topology(
        number=number,
        parent=parent,
        depth=depth,
        first=first,
        up=up,
        up_depth=depth[up],
        low_first=low_first,
        low_arc=low_arc,
        low_node=low_node,
        slot=slot,
        slot_order=np.argsort(slot, kind="stable").astype(np.int32),
    )


def build_metric(topology: Topology, cost: npt.ArrayLike) -> Metric:
    """Put costs on the whole hierarchy.

    ``cost`` (arcs,): int32 or int64, at least 0, in the order of the topology's arcs; ``infinity`` or more = closed.

    Raises
    ------
    ValueError
        A cost is missing or negative, or they are no whole numbers of 32 or 64 bits.
    """
    from geodata import hierarchy_costs as kernels

    own = np.asarray(cost)
    if own.shape != topology.slot.shape or own.dtype not in (np.int32, np.int64) or own.min(initial=0) < 0:
        raise ValueError("one cost per arc is wanted: int32 or int64, at least 0")
    own = np.minimum(own, own.dtype.type(infinity(own.dtype)))
    up_cost, down_cost = kernels.lay_costs(topology.slot, own, len(topology.up), infinity(own.dtype))
    kernels.pull_triangles(_shape_of(topology), up_cost, down_cost)
    return Metric(own, up_cost, down_cost)


def recost(topology: Topology, metric: Metric, arcs: npt.ArrayLike, cost: npt.ArrayLike) -> Metric:
    """Return a copy of ``metric`` with other costs on some of the caller's arcs: what :func:`build_metric` would give.

    To try many changes, copy once with :class:`LiveMetric`. ``arcs``: each at most once.
    """
    live = LiveMetric(topology, metric)
    live.change(arcs, cost)
    return Metric(live.cost, live.up_cost, live.down_cost)


class LiveMetric:
    """A copy of a :class:`Metric` that may be changed in place; the same names."""

    def __init__(self, topology: Topology, metric: Metric | LiveMetric) -> None:
        self.topology = topology
        self.cost: Costs = metric.cost.copy()
        self.up_cost: Costs = metric.up_cost.copy()
        self.down_cost: Costs = metric.down_cost.copy()
        self._queued = np.zeros(len(self.up_cost), dtype=np.bool_)

    @property
    def no_way(self) -> int:
        """The cost from which on there is no way."""
        return infinity(self.up_cost.dtype)

    def change(self, arcs: npt.ArrayLike, cost: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Put other costs on some of the caller's arcs, each at most once; return the upward arcs that changed.

        Only arcs of the hierarchy whose cost may change are looked at. ``ValueError`` for negative costs.
        """
        from geodata import hierarchy_costs as kernels

        changed = np.asarray(arcs, dtype=np.int64).ravel()
        own = np.minimum(np.asarray(cost), self.no_way)
        if own.min(initial=0) < 0:
            raise ValueError("costs are at least 0")
        self.cost[changed] = own
        slots = self.topology.slot[changed]
        roads = self.topology.slot, self.topology.slot_order, self.cost
        shape = _shape_of(self.topology)
        found = kernels.follow_changes(shape, roads, slots, self.no_way, self._queued, self.up_cost, self.down_cost)
        return np.asarray(found, dtype=np.int64)


def _shape_of(topology: Topology) -> tuple[Ints, ...]:
    """Return what the kernels of costs want; see ``geodata.hierarchy_costs``."""
    low = topology.low_first, topology.low_arc, topology.low_node
    return topology.depth, topology.first, topology.up, topology.up_depth, *low


def select_origins(topology: Topology, nodes: npt.ArrayLike) -> Selection:
    """Return what is needed for units at ``nodes``.

    ``nodes`` (units,) or (units, k): nodes of the graph, -1 = none.

    Raises
    ------
    ValueError
        The nodes of one unit are not all on one way up the tree. Ends of an arc always are.
    """
    from geodata import hierarchy_select as kernels
    from geodata.hierarchy_sweep import CHUNK

    given = _as_columns(nodes)
    number = np.where(given >= 0, topology.number[given], -1) if topology.n_nodes else given
    lowest = number.max(axis=1, initial=-1).astype(np.int32)
    row = kernels.find_rows(number, lowest, topology.parent, topology.depth, topology.height)
    if (row < 0).any():
        raise ValueError("the nodes of a unit must be the same or joined by an arc")
    order = np.argsort(lowest, kind="stable").astype(np.int32)
    needed = np.flatnonzero(kernels.mark_ancestors(lowest, topology.parent)).astype(np.int32)
    at = np.searchsorted(lowest[order], np.append(needed, topology.n_nodes)).astype(np.int32)
    shape = topology.depth, topology.first, topology.up_depth
    steps = kernels.lay_steps(shape, needed, at, row[order], topology.height, CHUNK)
    return Selection(order, needed, at, row[order], *steps)


def compute_costs(
    topology: Topology,
    metric: Metric | LiveMetric,
    selection: Selection,
    goal_node: npt.ArrayLike,
    goal_cost: npt.ArrayLike,
    *,
    origin_cost: npt.ArrayLike | None = None,
    threads: int = 2,
) -> Costs:
    """Return the cost from every unit to every goal, shape (units, goals); ``infinity`` = no way.

    The least, over the nodes of both, of ``origin_cost`` (units, k; ``None`` = 0), the way between the nodes, and
    ``goal_cost`` (goals, k). ``goal_node``: (goals,) or (goals, k), -1 = none. This is the plain door; a caller that
    wants something else of the costs (minutes, a sum) takes ``geodata.hierarchy_sweep`` and never stores them.
    """
    from geodata.hierarchy_select import fill_costs
    from geodata.hierarchy_sweep import GROUP, build_sweep

    node = _as_columns(goal_node)
    cost = np.minimum(np.asarray(goal_cost).reshape(node.shape), metric.no_way).astype(metric.up_cost.dtype)
    plan = build_sweep(topology, metric, selection, None if origin_cost is None else np.asarray(origin_cost))
    found = np.empty((len(selection.order), len(node)), dtype=metric.up_cost.dtype)

    def fill(first: int) -> None:
        part = slice(first, first + GROUP)
        fill_costs(plan, node[part], cost[part], found[:, part])

    _run_all(fill, range(0, len(node), GROUP), threads)
    return found


def _as_columns(nodes: npt.ArrayLike) -> Ints:
    """Return nodes with one row for each unit or goal."""
    given = np.ascontiguousarray(nodes, dtype=np.int32)
    return given[:, None] if given.ndim == 1 else given


def _run_all(task: Any, items: Iterable[int], threads: int) -> None:
    if threads == 1:
        for item in items:
            task(item)
        return
    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(task, items))
