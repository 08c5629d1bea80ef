"""Branch and bound for single-source location: sites open or closed first, then rows to sites, best bound first.

Every node raises the Lagrangian bound from the prices of its parent, drops what no plan below the cutoff has, and
rounds the mean Lagrangian solution to a plan. Branching on sites, then on single assignments: A. Ceselli, G. Righini
(*Networks* 45, 2005).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
import numpy.typing as npt

from planning.solvers.problems import Bools, Floats, Ints
from planning.solvers.single_source_bound import climb, rule_out
from planning.solvers.single_source_incumbent import Incumbent
from planning.solvers.single_source_instance import Arcs, Instance, Ways
from planning.solvers.single_source_kernels import CLOSED, FREE, OPEN

ROUNDS = 40
_ROUNDING = 1e-9
_SPLIT = 0.02
_STRIDE = 0.3
_KEPT_SHARE = 0.8
_POLISH_NODES, _BATCH = 100, 2
_QUIET_NODES, _MOST_SKIPPED = 12, 12


@dataclass(order=True)
class Node:
    """A part of the plans: ``status`` of sites, arcs kept (packed bits), prices to start from, and what to branch on.

    ``choice``: a site (0 or more), or ``-1 - arc``.
    """

    bound: float
    order: int
    status: Ways = field(compare=False)
    keep: npt.NDArray[np.uint8] = field(compare=False)
    price: npt.NDArray[np.float32] = field(compare=False)
    choice: int = field(compare=False, default=0)
    split: float = field(compare=False, default=0.0)
    pruned: bool = field(compare=False, default=True)


@dataclass
class Relaxed:
    """The last relaxation of a node: arcs left, their mean use, and that of the sites."""

    arcs: Ints
    average: Floats
    opened: Floats


class Tree:
    """All plans cheaper than ``target``; improves ``incumbent`` on the way."""

    def __init__(
        self, instance: Instance, arcs: Arcs, status: Ways, target: float, incumbent: Incumbent,
        pool: Executor | None = None,
    ) -> None:  # fmt: skip
        self.map = map if pool is None else pool.map
        self.instance, self.arcs, self.target, self.incumbent = instance, arcs, target, incumbent
        self.row, self.site = arcs.row, arcs.site
        self.pin = float(arcs.cost.max(initial=0.0) + instance.fixed.max(initial=0.0))
        self.status = status
        self.nodes, self.quiet, self.next_polish = 0, 0, _POLISH_NODES
        self.heap: list[Node] = []
        self.raised, self.seen = np.zeros((instance.n_sites, 2)), np.zeros((instance.n_sites, 2))

    @property
    def cutoff(self) -> float:
        """Plans that cost this or more are not looked for."""
        return min(self.target, self.incumbent.goal)

    @property
    def bound(self) -> float:
        """No plan of this tree costs less."""
        return min(self.heap[0].bound, self.cutoff) if self.heap else self.cutoff

    def run(
        self, price: Floats, bound: float, most_nodes: float = math.inf, polish: Callable[[int], None] | None = None
    ) -> bool:
        """Search until nothing is left, or time or nodes are used up; return whether nothing is left.

        ``polish`` is told now and then after how many nodes it is called.
        """
        keep = np.packbits(np.ones(len(self.row), dtype=bool))
        root = Node(bound, 0, self.status.copy(), keep, price.astype(np.float32))
        self._enter(root, self._relax(root, 3 * ROUNDS))
        while self.heap:
            if self.heap[0].bound >= self.cutoff:
                self.heap = []
                break
            if self.nodes >= most_nodes or self.incumbent.is_late():
                return False
            # As many at once on any machine: what is found must not depend on its processors.
            nodes = [heapq.heappop(self.heap) for _ in range(min(_BATCH, len(self.heap)))]
            children = [(node, child, way) for node in nodes for way, child in enumerate(self._branch(node))]
            relaxed = self.map(self._relax, [child for _, child, _ in children], repeat(ROUNDS))
            for (node, child, way), found in zip(children, list(relaxed), strict=True):
                self._enter(child, found)
                self._learn(node, child, way)
            if polish is not None and self.nodes >= self.next_polish:
                self.next_polish += _POLISH_NODES
                polish(_POLISH_NODES)
        return True

    def _enter(self, node: Node, relaxed: Relaxed | None) -> None:
        """Keep a node, unless nothing is ``relaxed`` or it is a plan; look for plans near to it."""
        self.nodes += 1
        node.order = self.nodes
        if relaxed is None:
            return
        many = np.bincount(self.row[relaxed.arcs], minlength=self.instance.n_rows)
        if many.min(initial=1) == 0:
            return
        if many.max(initial=0) <= 1:
            site = np.empty(self.instance.n_rows, dtype=np.int64)
            site[self.row[relaxed.arcs]] = self.site[relaxed.arcs]
            self.incumbent.offer(site)
            return
        self._look_for_plan(node, relaxed)
        node.choice, node.split = self._choose(node, relaxed, many)
        node.pruned = False
        heapq.heappush(self.heap, node)

    def _look_for_plan(self, node: Node, relaxed: Relaxed) -> None:
        """Round the mean solution of every node while that gives better plans, of fewer and fewer where it does not."""
        self.quiet += 1
        if self.quiet % min(1 + self.quiet // _QUIET_NODES, _MOST_SKIPPED):
            return
        before, arcs = self.incumbent.upper, relaxed.arcs
        self.incumbent.round(node.status, self.row[arcs], self.site[arcs], relaxed.average, relaxed.opened)
        if self.incumbent.upper < before:
            self.quiet = 0

    def _learn(self, node: Node, child: Node, way: int) -> None:
        """Note by how much opening (0) or closing (1) the site raised the bound, for a whole unit."""
        if node.choice >= 0:
            rise = (self.cutoff if child.pruned else min(child.bound, self.cutoff)) - node.bound
            part = 1.0 - node.split if way == 0 else node.split
            self.raised[node.choice, way] += max(rise, 0.0) / max(part, _SPLIT)
            self.seen[node.choice, way] += 1.0

    def _relax(self, node: Node, rounds: int) -> Relaxed | None:
        """Raise the bound of a node and drop what cannot be; None when nothing below the cutoff is left."""
        keep = np.unpackbits(node.keep, count=len(self.row)).astype(bool)
        status, price = node.status, node.price.astype(np.float64)
        relaxed = Relaxed(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
        for turn in range(2):
            arcs = self._tidy(keep, status, price)
            if arcs is None:
                return None
            found, kept = self._bound(node, arcs, status, price, rounds)
            if found is None:
                return None
            relaxed = found
            keep[arcs[~kept]] = False
            if turn == 1 or kept.mean() > _KEPT_SHARE:
                break
        if self._tidy(keep, status, price) is None:
            return None
        node.keep, node.status, node.price = np.packbits(keep), status, price.astype(np.float32)
        left = keep[relaxed.arcs]
        return Relaxed(relaxed.arcs[left], relaxed.average[left], relaxed.opened)

    def _tidy(self, keep: Bools, status: Ways, price: Floats) -> Ints | None:
        """Return the arcs left after rows with one arc took their places (their prices pin them); None: no plan."""
        instance = self.instance
        for _ in range(3):
            keep &= status[self.site] != CLOSED
            arcs = np.flatnonzero(keep)
            row, site = self.row[arcs], self.site[arcs]
            many = np.bincount(row, minlength=instance.n_rows)
            if many.min(initial=1) == 0:
                return None
            single = many[row] == 1
            status[site[single]] = OPEN
            price[row[single]] = np.maximum(price[row[single]], self.arcs.cost[arcs[single]] + self.pin)
            load = np.bincount(site[single], weights=instance.demand[row[single]], minlength=instance.n_sites)
            if (load > instance.room * (1.0 + 1e-12)).any():
                return None
            full = ~single & (instance.demand[row] > (instance.room - load)[site] + 1e-12 * instance.room[site])
            if not full.any():
                break
            keep[arcs[full]] = False
        return arcs

    def _bound(self, node: Node, arcs: Ints, status: Ways, price: Floats, rounds: int) -> tuple[Relaxed | None, Bools]:
        """Raise the bound on these arcs; return the relaxation and which arcs stay (``status`` is updated)."""
        own, cutoff = self.instance, self.cutoff
        row, site = self.row[arcs], self.site[arcs]
        start = np.searchsorted(site, np.arange(own.n_sites + 1)).astype(np.int64)
        part = own.part(start, row, self.arcs.cost[arcs], status)
        average, opened = np.zeros(len(arcs)), np.zeros(own.n_sites)
        kept, must = np.ones(len(arcs), dtype=bool), np.zeros(len(arcs), dtype=bool)
        found, _ = climb(part, price, cutoff, rounds, _STRIDE, True, False, average, opened)
        if found == np.inf:
            return None, kept
        node.bound = max(node.bound, found - _ROUNDING * abs(found))
        if node.bound >= cutoff:
            return None, kept
        rule_out(part, price, found, cutoff + _ROUNDING * abs(cutoff), kept, must)
        taken = np.bincount(row[must], minlength=own.n_rows)
        if taken.max(initial=0) > 1:
            return None, kept
        kept &= (taken[row] == 0) | must
        return Relaxed(arcs, average, opened), kept

    def _choose(self, node: Node, relaxed: Relaxed, many: Ints) -> tuple[int, float]:
        """Return what to branch on and how far it is open: the site that promises most, else a row split most.

        A site promises the product of what opening and closing it raise the bound by, as seen so far (pseudo-costs:
        M. Benichou and others, *Mathematical Programming* 1, 1971).
        """
        opened = relaxed.opened
        fractional = (node.status == FREE) & (np.minimum(opened, 1.0 - opened) > _SPLIT)
        if fractional.any():
            known = self.seen.sum(axis=0)
            mean = np.where(known > 0, self.raised.sum(axis=0) / np.maximum(known, 1.0), 1.0)
            rate = (self.raised + mean) / (self.seen + 1.0)
            least = 1e-6 * max(float(mean.max()), 1e-12)
            promise = np.maximum(rate[:, 0] * (1.0 - opened), least) * np.maximum(rate[:, 1] * opened, least)
            site = int(np.argmax(np.where(fractional, promise, -1.0)))
            return site, float(opened[site])
        row = self.row[relaxed.arcs]
        split = np.minimum(relaxed.average, 1.0 - relaxed.average) * (self.instance.demand[row] + 1e-9)
        return -1 - int(relaxed.arcs[np.argmax(np.where(many[row] > 1, split, -1.0))]), 0.0

    def _branch(self, node: Node) -> list[Node]:
        children = []
        for way in range(2):
            status, keep = node.status.copy(), node.keep
            if node.choice >= 0:
                status[node.choice] = (OPEN, CLOSED)[way]
            else:
                arc = -1 - node.choice
                bits = np.unpackbits(keep, count=len(self.row)).astype(bool)
                if way == 0:
                    bits[self.row == self.row[arc]] = False
                bits[arc] = way == 0
                keep = np.packbits(bits)
            children.append(Node(node.bound, 0, status, keep, node.price.copy()))
        return children


def reduce_arcs(instance: Instance, status: Ways, price: Floats, bound: float, cutoff: float) -> Arcs:
    """Return the arcs that plans below ``cutoff`` may use; ``status`` is updated. ``bound``: what ``price`` proves."""
    arcs = instance.arcs
    kept, must = np.ones(len(arcs.row), dtype=bool), np.zeros(len(arcs.row), dtype=bool)
    part = instance.part(arcs.start, arcs.row, arcs.cost, status)
    rule_out(part, price, bound, cutoff + _ROUNDING * abs(cutoff), kept, must)
    start = np.searchsorted(arcs.site[kept], np.arange(instance.n_sites + 1)).astype(np.int64)
    return Arcs(start, arcs.row[kept], arcs.cost[kept])
