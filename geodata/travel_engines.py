"""The two engines of a :class:`geodata.travel_search.TravelSearch`: bounded searches, and sweeps over a hierarchy.

Both read the same whole-number costs of the core arcs and give the same numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.cache import DiskCache
from geodata.chains import Chains
from geodata.study import compute_digest
from geodata.travel_pairs import Located, PairFinder, Pairs
from geodata.whole_costs import Costs, no_way, to_costs

if TYPE_CHECKING:
    from geodata.hierarchy import LiveMetric, Metric, Selection, Topology
    from geodata.hierarchy_sweep import Sweep

Floats32: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int64]
Tell: TypeAlias = Callable[[float], None]

TOPOLOGY_VERSION = 2
"""Part of the cache key of a hierarchy's shape: raise it when the same roads give another."""
_FEW = 3
"""Up to so many schools, one by one is faster than a vector of them."""
BLOCK = 32
"""Schools that a thread takes at a time in the bounded search."""


@dataclass(frozen=True, eq=False)
class Question:
    """Schools to be measured: minutes alone or with ``lengths``, up to the cost ``limit``."""

    schools: Located
    finder: PairFinder
    lengths: bool
    limit: int
    threads: int

    @property
    def shift(self) -> int:
        """Bits of the metres in a cost."""
        return 32 if self.lengths else 0

    def open_tables(self, *, empty: bool) -> tuple[Floats32, Floats32]:
        """Return tables for minutes and metres; ``empty``: NaN everywhere. Without lengths the second has no rows."""
        shape = (len(self.finder.units.x_m), len(self.schools.x_m))
        make = (lambda size: np.full(size, np.nan, dtype=np.float32)) if empty else _make_table
        return make(shape), make(shape if self.lengths else (0, shape[1]))


def _make_table(shape: tuple[int, ...]) -> Floats32:
    return np.empty(shape, dtype=np.float32)


class BoundedEngine:
    """Searches from every school outwards, up to the limit."""

    def __init__(self, chains: Chains, units: Located) -> None:
        self.chains, self.units = chains, units
        self._graph: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64]] | None = None
        self._ends: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]] | None = None
        self._costs: dict[bool, tuple[Costs, Costs]] = {}

    def measure(self, question: Question, tell: Tell) -> tuple[Floats32, Floats32]:
        """Return minutes and metres, shape (units, schools)."""
        from geodata import search

        time, length = question.open_tables(empty=True)
        ends = question.schools.measure_ends(lengths=question.lengths)
        start, head, cost, unit = self._prepare(question.lengths)
        limit, none = cost.dtype.type(question.limit), cost.dtype.type(no_way(cost.dtype))

        def fill(first: int) -> None:
            part = slice(first, first + BLOCK)
            schools = question.schools.part(part)
            pairs = question.finder.find(schools, lengths=question.lengths)
            pair_first = np.searchsorted(pairs.school, np.arange(len(schools.x_m) + 1))
            search.fill_near(
                (start, head, cost),
                unit,
                (schools.places.node, ends[part]),
                (pair_first, pairs.unit, pairs.cost),
                limit,
                none,
                question.shift,
                first,
                time,
                length,
            )

        run_blocks(fill, range(0, time.shape[1], BLOCK), question.threads, tell)
        return time, length

    def count_reach(self, question: Question, rows: Ints, most: int) -> int:
        """Return the core nodes within the limit of some schools, all together, at most ``most`` each."""
        from geodata import search

        start, head, cost, _ = self._prepare(question.lengths)
        schools = question.schools.part(rows)
        ends = schools.measure_ends(lengths=question.lengths)
        kind = cost.dtype.type
        return int(
            search.count_reach(
                (start, head, cost), schools.places.node, ends, kind(question.limit), kind(no_way(cost.dtype)), most
            )
        )

    def fork(self, chains: Chains, units: Located) -> BoundedEngine:
        """Return an engine for the same roads and units with other times, which :meth:`change` may alter."""
        twin = BoundedEngine(chains, units)
        twin._graph, twin._ends = self._graph, self._ends
        return twin

    def change(self) -> None:
        """Read the costs anew at the next question, since the chains or units have changed."""
        self._costs = {}

    def _prepare(self, lengths: bool) -> tuple[Any, ...]:
        """Return start, head and cost of the reversed core graph, and the units by core node."""
        if self._graph is None or self._ends is None:
            from geodata import search

            tail, head = self.chains.list_arcs()
            self._graph = search.turn_round(tail, head, self.chains.n_core)
            self._ends = search.list_ends(self.units.places.node, self.chains.n_core)
        start, other, order = self._graph
        if lengths not in self._costs:
            costs = to_costs(*self.chains.measure_arcs(), lengths=lengths)
            self._costs[lengths] = costs[order], self.units.measure_ends(lengths=lengths)
        cost, ends = self._costs[lengths]
        return start, other, cost, (*self._ends, ends)


class HierarchyEngine:
    """Sweeps over a contraction hierarchy of the core graph, many schools at once."""

    def __init__(self, chains: Chains, units: Located, cache: DiskCache | None) -> None:
        self.chains, self.units, self.cache = chains, units, cache
        self._shape: tuple[Topology, Selection, Ints] | None = None  # and the place of every unit in the sweeps' order
        self._live = False  # a fork's
        self._metrics: dict[bool, tuple[Metric | LiveMetric, Costs]] = {}  # and the costs from the units to their ends
        self._plans: dict[bool, Sweep] = {}

    def fork(self, chains: Chains, units: Located) -> HierarchyEngine:
        """Return an engine for the same roads and units with other times, which :meth:`change` may alter."""
        from geodata.hierarchy import LiveMetric
        from geodata.hierarchy_sweep import fork_sweep

        twin = HierarchyEngine(chains, units, self.cache)
        twin._shape, twin._live = self._shape, True
        for lengths, (metric, ends) in self._metrics.items():
            live = LiveMetric(self._prepare_shape()[0], metric)
            twin._metrics[lengths] = live, ends.copy()
            if lengths in self._plans:
                twin._plans[lengths] = fork_sweep(self._plans[lengths], live)
        return twin

    def change(self, chains: Ints, rows: Ints) -> None:
        """Put the present times of some chains and of some units on the hierarchy of a fork."""
        from geodata.hierarchy import LiveMetric
        from geodata.hierarchy_sweep import mend_arcs, mend_units

        arcs = np.column_stack([2 * chains, 2 * chains + 1]).ravel()
        seconds, metres = self.chains.measure_arcs(chains)
        for lengths, (metric, ends) in self._metrics.items():
            if not isinstance(metric, LiveMetric):
                raise TypeError("only the engine of a fork may be changed")
            own = self.units.part(rows).measure_ends(lengths=lengths)
            ends[rows] = own
            lifted = metric.change(arcs, to_costs(seconds, metres, lengths=lengths))
            if lengths in self._plans:
                mend_arcs(self._plans[lengths], metric.up_cost, lifted)
                mend_units(self._plans[lengths], self._prepare_shape()[2][rows], np.ascontiguousarray(own))

    def measure_from_nodes(self, node: npt.NDArray[np.int32], schools: Located, *, lengths: bool) -> Costs:
        """Return the costs from some core nodes to schools, shape (nodes, schools)."""
        from geodata.hierarchy import compute_costs, select_origins

        topology = self._prepare_shape()[0]
        metric = self._prepare_metric(lengths=lengths)[0]
        chosen = select_origins(topology, node)
        ends = schools.measure_ends(lengths=lengths)
        return compute_costs(topology, metric, chosen, schools.places.node, ends, threads=1)

    def ready(self, *, lengths: bool) -> bool:
        """Return whether questions can be answered at once."""
        return lengths in self._metrics

    def prepare(self, *, lengths: bool) -> Sweep:
        """Build what is not there yet; return the plan of the sweeps."""
        from geodata.hierarchy_sweep import build_sweep

        topology, selection, _ = self._prepare_shape()
        if lengths not in self._plans:
            metric, ends = self._prepare_metric(lengths=lengths)
            self._plans[lengths] = build_sweep(topology, metric, selection, ends)
        return self._plans[lengths]

    def _prepare_metric(self, *, lengths: bool) -> tuple[Metric | LiveMetric, Costs]:
        from geodata.hierarchy import LiveMetric, build_metric

        if lengths not in self._metrics:
            topology = self._prepare_shape()[0]
            metric = build_metric(topology, to_costs(*self.chains.measure_arcs(), lengths=lengths))
            ends = self.units.measure_ends(lengths=lengths)
            self._metrics[lengths] = LiveMetric(topology, metric) if self._live else metric, ends
        return self._metrics[lengths]

    def _prepare_shape(self) -> tuple[Topology, Selection, Ints]:
        from geodata.hierarchy import select_origins

        if self._shape is None:
            topology = self._load_topology()
            selection = select_origins(topology, self.units.places.node)
            place = np.empty(len(selection.order), dtype=np.int64)
            place[selection.order] = np.arange(len(place))
            self._shape = topology, selection, place
        return self._shape

    def _load_topology(self) -> Topology:
        """Return the shape of the hierarchy, from the cache where this graph was met before."""
        from geodata.hierarchy import Topology, build_topology

        tail, head = self.chains.list_arcs()
        key = ""
        if self.cache is not None:
            key = "hierarchy-" + compute_digest(TOPOLOGY_VERSION, self.chains.n_core, tail, head)
            found = self.cache.load(key)
            if isinstance(found, Topology):
                return found
        topology = build_topology(self.chains.n_core, tail, head)
        if self.cache is not None:
            self.cache.store(key, topology)
        return topology

    def measure(self, question: Question, tell: Tell) -> tuple[Floats32, Floats32]:
        """Return minutes and metres, shape (units, schools)."""
        from geodata.hierarchy_sweep import GROUP, WIDTH
        from geodata.travel_kernels import fill_group, fill_one

        plan = self.prepare(lengths=question.lengths)
        place = self._prepare_shape()[2]
        time, length = question.open_tables(empty=False)
        node, ends = question.schools.places.node, question.schools.measure_ends(lengths=question.lengths)
        limit = plan.cost.dtype.type(question.limit)
        few = len(node) <= _FEW
        size = 1 if few else _divide(len(node), WIDTH, GROUP, question.threads)
        kernel = fill_one if few else fill_group

        def fill(first: int) -> None:
            group = slice(first, first + size)
            pairs = question.finder.find(question.schools.part(group), lengths=question.lengths)
            school = np.ascontiguousarray(node[group]), np.ascontiguousarray(ends[group])
            kernel(plan, school, _sort_by_place(pairs, place), limit, question.shift, first, time, length)

        run_blocks(fill, range(0, len(node), size), question.threads, tell)
        return time, length


def _divide(count: int, width: int, most: int, threads: int) -> int:
    """Return the size of groups, at most ``most``, of which every thread gets as many as the others."""
    batches = -(-count // width)
    rounds = max(-(-batches // (most // width * threads)), 1)
    return max(-(-batches // (rounds * threads)), 1) * width


def _sort_by_place(pairs: Pairs, place: Ints) -> tuple[Ints, Ints, Costs]:
    """Return pairs sorted by their units' places in the sweep's order."""
    at = place[pairs.unit]
    order = np.argsort(at, kind="stable")
    return at[order], pairs.school[order], pairs.cost[order]


def count_threads(threads: int) -> int:
    """Return the number of threads meant: 0 = one per processor, at most eight."""
    return threads or max(1, min(os.cpu_count() or 1, 8))


def run_blocks(task: Callable[[int], None], blocks: range, threads: int, tell: Tell | None = None) -> None:
    """Do every block in some threads; what ``tell`` raises stops the rest."""
    if not blocks:
        return
    pool = ThreadPoolExecutor(max_workers=threads)
    try:
        for done, _ in enumerate(pool.map(task, blocks), start=1):
            if tell is not None:
                tell(done / len(blocks))
    finally:  # also when the user cancels
        pool.shutdown(cancel_futures=True)
