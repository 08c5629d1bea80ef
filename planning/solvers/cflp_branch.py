"""Branch on sites, open or closed, with the Lagrangian bound at every node: lowest bound first.

Every node starts from the row prices of its parent, raises them a little and fixes what that proves. Where all sites
are decided, serving the rows is a transport problem, solved exactly.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planning.solvers.cflp_kernels import fix_sites, open_cheapest, price_sites, raise_prices
from planning.solvers.cflp_serve import Served, Sites
from planning.solvers.problems import Bools, Floats, Ints

ROUNDING = 1e-9
"""Bounds are taken down by this share, more than sums of numbers can be off."""
_ROUNDS, _CHUNKS = 30, 6
_STRIDE = 0.4
_NONE = np.zeros(0)


@dataclass(frozen=True)
class Node:
    """A part of all choices: ``state`` (sites,) 1 open, -1 closed, 0 undecided; ``price`` (rows,) to start from."""

    bound: float
    state: Ints
    price: Floats


@dataclass
class Branching:
    """What tries plans, and what was seen: ``try_sites`` serves the rows, ``best`` returns the cost of the best plan.

    ``dropped`` is the lowest bound of a node that was given up because its gap was small enough.
    """

    sites: Sites
    try_sites: Callable[[Bools], Served | None]
    best: Callable[[], float]
    tell: Callable[[float], None]
    late: Callable[[], bool]
    nodes: int = 0
    dropped: float = np.inf

    def run(self, root: Node, gap_share: float) -> float:
        """Search until the gap is closed or time is up; return the proven bound."""
        order = itertools.count()
        heap: list[tuple[float, int, Node]] = [(root.bound, next(order), root)]
        while heap:
            lowest = heap[0][0]
            if lowest >= self._cutoff(gap_share) or self.late():
                return min(lowest, self.dropped, self.best())
            self.tell(max(0.0, 1 - (self.best() - lowest) / max(self.best() - root.bound, 1e-300)))
            node = heapq.heappop(heap)[2]
            self.nodes += 1
            for child in self._open(node, gap_share):
                heapq.heappush(heap, (child.bound, next(order), child))
        return min(self.dropped, self.best())

    def _cutoff(self, gap_share: float) -> float:
        return self.best() - max(gap_share, ROUNDING) * abs(self.best())

    def _open(self, node: Node, gap_share: float) -> list[Node]:
        """Raise the bound of a node; return its children, none where it is done with."""
        state, price, bound, often = node.state.copy(), node.price, node.bound, _NONE
        stride = _STRIDE
        for chunk in range(_CHUNKS):
            if not self._possible(state):
                return []
            effort = (self.best(), stride, self.sites.rounds(_ROUNDS))
            value, found, often, stride = raise_prices(
                self.sites.arrays, state, self.sites.limits, _NONE, price, effort
            )
            value -= ROUNDING * abs(value)
            gain = value - bound
            if value > bound:
                bound, price = value, found
            if bound >= self._cutoff(gap_share):
                self.dropped = min(self.dropped, bound)
                return []
            fixed = self._fix(state, found)
            wanted = self.best() - bound
            if fixed == 0 and chunk > 0 and (gain * (_CHUNKS - chunk) < 0.5 * wanted or self.late()):
                break
        undecided = np.flatnonzero(state == 0)
        opened = (state > 0) | ((state == 0) & (often >= 0.5))
        if self._possible(np.where(opened, 1, -1)):
            self.try_sites(opened)
        if len(undecided) == 0:
            return []
        site = int(undecided[np.argmin(np.abs(often[undecided] - 0.5))])
        children = []
        for decided in (1, -1):
            child = state.copy()
            child[site] = decided
            if self._possible(child):
                children.append(Node(bound, child, price))
        return children

    def _possible(self, state: Ints) -> bool:
        """Return True where the sites that are not closed hold the demand, and their number can be kept."""
        weight = np.empty(len(state))
        if not np.isfinite(open_cheapest(np.zeros(len(state)), state, *self.sites.limits, weight)):
            return False
        held = np.sort(self.sites.capacity[state == 0])[::-1][: max(self.sites.most - int((state > 0).sum()), 0)]
        return float(held.sum() + self.sites.capacity[state > 0].sum()) >= self.sites.total * (1 - 1e-9)

    def _fix(self, state: Ints, price: Floats) -> int:
        worth = self.sites.fixed + price_sites(self.sites.cost, self.sites.demand, self.sites.capacity, price)
        upper = self.best() + 1e-9 * abs(self.best())
        return int(fix_sites(float(price.sum()), worth, state, self.sites.limits, upper))
