"""Closing the gap: the linear relaxation by cuts, then branch and bound on the sites.

Every node solves the relaxation again from where the last one ended, takes its bound from the prices, and closes or
opens the sites that this bound settles. The node of least bound comes next, so the least of the open ones is proven.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from planning.solvers.p_median_cuts import CutProgramme
from planning.solvers.p_median_kernels import Array, Rows
from planning.solvers.p_median_rows import (
    CLOSED,
    FREE,
    OPEN,
    compute_bound,
    is_settled,
    list_open,
    reduce_rows,
    settle_sites,
)
from planning.solvers.p_median_state import Search
from planning.solvers.p_median_swap import PlanSearch
from planning.solvers.problems import Bools, Floats, Ints

_ROOT_ROUNDS, _NODE_ROUNDS = 60, 8
_NEAR_SITES = 5
_SHAKES, _STALE_SHAKES = 20, 600
_WHOLE = 1e-6


@dataclass(frozen=True, eq=False)
class Node:
    """A part of all plans: sites marked, the shares of its relaxation, a bound."""

    bound: float
    marks: Array
    share: Floats


def close_gap(search: Search, rows: Rows, prices: Floats, share: Floats) -> None:
    """Prove the best plan of ``search``, or find better ones, until done or late.

    Parameters
    ----------
    rows : of the sites that ``search`` still looks at
    prices, share : shape (rows,), (sites,); of the Lagrangian bound
    """
    programme = CutProgramme(rows, search.most, prices, share)
    root = _solve_root(search, rows, programme, prices, share)
    if root is not None and not search.done:
        _Branching(search, rows, programme).run(root)
    search.facts["cuts"] = programme.n_cuts


def _solve_root(search: Search, rows: Rows, programme: CutProgramme, prices: Floats, share: Floats) -> Node | None:
    """Solve the relaxation, look for better plans near it, settle sites; None where the time is up.

    First among the sites of most promise; the others come in where the prices of the rows favour them.
    """
    active = find_near(search, share, compute_bound(rows, prices, search.most, search.marks).worth)
    while True:
        relaxed = programme.solve(np.where(active, search.marks, CLOSED), _ROOT_ROUNDS, search.watch)
        if relaxed is None:
            return None
        bound = compute_bound(rows, relaxed.prices, search.most, search.marks)
        search.raise_bound(min(bound.value, search.cutoff))
        tight = settle_sites(bound, search.most, bound.value + _WHOLE * search.cost, search.marks)
        wanted = ~active & (tight != CLOSED)
        if search.is_over() or not wanted.any():
            break
        active |= wanted
    search.facts["relaxation"] = bound.value
    if search.done:
        return None
    shake_among(search, rows, bound.worth, relaxed.share)
    search.settle(bound)
    search.facts["sites_left"] = int((search.marks == FREE).sum())
    return Node(bound.value, search.marks, relaxed.share)


def find_near(search: Search, share: Floats, worth: Floats) -> Bools:
    """Return which sites have the most promise: a share, or the least worth."""
    near: Bools = share > _WHOLE
    near[np.argsort(worth, kind="stable")[: max(_NEAR_SITES * search.most, 50)]] = True
    return near


def shake_among(search: Search, rows: Rows, worth: Floats, share: Floats) -> None:
    """Look for better plans among the sites of least worth, from those of the largest shares."""
    sites = np.flatnonzero(find_near(search, share, worth))
    plans = PlanSearch(reduce_rows(rows, sites), search.most, search.seed)
    plans.open_sites(np.argsort(-share[sites], kind="stable")[: search.most])
    stale = 0
    while stale < _STALE_SHAKES and not search.is_over():
        before = plans.cost
        plans.shake(_SHAKES)
        stale = 0 if plans.cost < before else stale + _SHAKES
        search.offer_plan(plans.cost, sites[plans.sites])
        search.watch.tell()


class _Branching:
    """Branch and bound: the open nodes, and plans tried on the way."""

    def __init__(self, search: Search, rows: Rows, programme: CutProgramme) -> None:
        self.search, self.rows, self.programme = search, rows, programme
        self.plans = PlanSearch(rows, search.most, search.seed)
        self.nodes: list[tuple[float, int, Node]] = []
        self.count = 0

    def run(self, root: Node) -> None:
        """Work through the nodes until none can hold a better plan."""
        search = self.search
        self._push(root)
        while self.nodes and self.nodes[0][0] < search.cutoff and not search.is_over():
            node = heapq.heappop(self.nodes)[2]
            site = choose_site(node)
            for mark in (OPEN, CLOSED):
                if not self._branch(node, site, mark):
                    self._push(node)
                    break
            least = self.nodes[0][0] if self.nodes else np.inf
            search.raise_bound(min(least, search.cutoff))
            search.watch.tell(0.5 + 0.5 * min(1.0, self.count / 1000))
        search.facts["nodes"] = self.count

    def _push(self, node: Node) -> None:
        self.count += 1
        heapq.heappush(self.nodes, (node.bound, self.count, node))

    def _branch(self, node: Node, site: int, mark: int) -> bool:
        """Solve the part of the node with the site open or closed; False where the time is up."""
        search, marks = self.search, node.marks.copy()
        marks[site] = mark
        relaxed = self.programme.solve(marks, _NODE_ROUNDS, search.watch)
        if relaxed is None:
            return False
        self._try_plan(np.argsort(-relaxed.share, kind="stable")[: search.most])
        bound = compute_bound(self.rows, relaxed.prices, search.most, marks)
        if bound.value >= search.cutoff:
            return True
        marks = settle_sites(bound, search.most, search.cutoff, marks)
        if is_settled(marks, search.most):
            self._try_plan(list_open(marks))
        else:
            self._push(Node(max(bound.value, node.bound), marks, relaxed.share))
        return True

    def _try_plan(self, sites: Ints) -> None:
        self.plans.open_sites(sites)
        self.search.offer_plan(self.plans.cost, self.plans.sites)


def choose_site(node: Node) -> int:
    """Return the free site to branch on: the one whose share is nearest to one half."""
    free = np.flatnonzero(node.marks == FREE)
    return int(free[np.argmin(np.abs(node.share[free] - 0.5))])
