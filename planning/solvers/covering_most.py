"""Maximal covering: Lagrangian prices tell the sites that must be in or out; branching decides the rest.

The bound relaxes "a row counts only with an open site of its own" (R. D. Galvão, C. ReVelle, *A Lagrangean heuristic
for the maximal covering location problem*, European Journal of Operational Research 88, 1996): for prices between 0
and the weight of each row, no choice covers more than ``sum(weight - price)`` and the best ``count`` sums of prices.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from planning.solvers.covering_kernels import drop_sites, pack_bits, select_table, turn_table
from planning.solvers.covering_most_kernels import (
    cover_most_greedily,
    fix_by_price,
    lower_prices,
    search_from,
)
from planning.solvers.covering_reduce import ROUNDING
from planning.solvers.location_problems import CoverProblem
from planning.solvers.problems import Bools, Floats, Ints, Schools
from planning.solvers.siting_highs import Watch

_ROUNDS, _KICKS = 3000, 20
_NODE_ROUNDS, _CHUNKS, _STRIDE = 60, 4, 0.7


@dataclass(frozen=True)
class MostAnswer:
    """Sites opened, and what no choice can exceed."""

    opened: Bools
    bound: float
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Rows:
    """Rows that still count: no two with the same sites; ``name`` (sites,) numbers of the problem."""

    start: Ints
    site: Schools
    weight: Floats
    name: Ints

    @property
    def tables(self) -> tuple[Ints, Schools, Ints, Schools]:
        return self.start, self.site, *turn_table(self.start, self.site, len(self.name))


def cover_most(problem: CoverProblem, count: int, watch: Watch, *, gap_share: float, seed: int) -> MostAnswer:
    """Return the sites that cover most weight, with a proven upper bound of what any ``count`` sites cover."""
    n_sites = len(problem.site_cost)
    rows = _keep_rows(problem)
    room = min(count, len(rows.name))
    opened = np.zeros(n_sites, dtype=np.bool_)
    facts: dict[str, Any] = {"rows_left": len(rows.weight), "sites_left": len(rows.name)}
    if room == len(rows.name):
        opened[rows.name] = True
        return MostAnswer(opened, float(rows.weight.sum()), facts)
    if room == 0:
        return MostAnswer(opened, 0.0, facts)
    search = _Search(rows, room, watch, gap_share)
    chosen, bound = search.run(seed)
    opened[rows.name[chosen]] = True
    return MostAnswer(opened, bound, {**facts, "nodes": search.nodes})


def _keep_rows(problem: CoverProblem) -> _Rows:
    """Return rows of weight that have sites, merged where their sites are the same, without sites of no use."""
    start, site = np.array(problem.start, dtype=np.int64), np.array(problem.site, dtype=np.int32)
    weight = np.asarray(problem.weight, dtype=np.float64)
    n_sites = len(problem.site_cost)
    row_on = (weight > 0) & (np.diff(start) > 0)
    tables = (start, site, *turn_table(start, site, n_sites))
    col_on = np.ones(n_sites, dtype=np.bool_)
    drop_sites(tables, pack_bits(tables[2], tables[3], len(row_on)), row_on, col_on, np.zeros(n_sites))
    kept = np.flatnonzero(col_on)
    renamed = np.full(n_sites, -1, dtype=np.int64)
    renamed[kept] = np.arange(len(kept))
    start, site = select_table(start, site, row_on, renamed)
    weight = weight[row_on]
    if len(weight) == 0:
        return _Rows(start, site, weight, kept)
    _, first, same = np.unique(pack_bits(start, site, len(kept)), axis=0, return_index=True, return_inverse=True)
    merged = np.zeros(len(weight), dtype=np.bool_)
    merged[first] = True
    order = np.argsort(np.argsort(first))
    total = np.zeros(len(first))
    np.add.at(total, order[same.ravel()], weight)
    start, site = select_table(start, site, merged, np.arange(len(kept)))
    return _Rows(start, site, total, kept)


@dataclass(frozen=True)
class _Node:
    """A part of all choices: ``state`` (sites,) 1 open, -1 closed, 0 undecided; ``price`` (rows,) to start from."""

    bound: float
    state: Ints
    price: Floats


class _Search:
    """Branch on sites, highest bound first, with the Lagrangian bound at every node."""

    def __init__(self, rows: _Rows, room: int, watch: Watch, gap_share: float) -> None:
        self.rows, self.room, self.watch, self.gap_share = rows, room, watch, gap_share
        self.tables = rows.tables
        self.pair_row = np.repeat(np.arange(len(rows.weight)), np.diff(rows.start))
        self.whole = bool((rows.weight == np.round(rows.weight)).all()) and float(rows.weight.sum()) < 1e12
        self.nodes, self.dropped = 0, 0.0

    def run(self, seed: int) -> tuple[Bools, float]:
        """Return the best sites found and a bound that no choice exceeds."""
        weight = self.rows.weight
        self.chosen = cover_most_greedily(self.tables, weight, self.room)
        self.value = search_from(self.tables, weight, self.chosen, _KICKS, seed)
        state = np.zeros(len(self.rows.name), dtype=np.int64)
        price = weight * np.minimum(1.0, 2.0 / np.diff(self.rows.start))
        bound, price, _, _ = lower_prices(self.tables, weight, state, price, self._effort(1.5, _ROUNDS))
        order = itertools.count()
        heap = [(-bound, next(order), _Node(bound, state, price))]
        while heap:
            highest = -heap[0][0]
            if highest <= self._enough() or self.watch.late:
                return self.chosen, self._round(highest)
            self.watch.tell(1 - (highest - self.value) / max(bound - self.value, 1e-300))
            self.nodes += 1
            for child in self._open(heapq.heappop(heap)[2]):
                heapq.heappush(heap, (-child.bound, next(order), child))
        return self.chosen, self._round(self.value)

    def _effort(self, stride: float, rounds: int) -> tuple[int, float, float, int]:
        return self.room, self._enough(), stride, rounds

    def _enough(self) -> float:
        """Return the bound up to which a node needs no opening; of whole weights the next whole number counts."""
        margin = ROUNDING * self.value
        return self.value + max(margin, self.gap_share * self.value, 1 - 2e-6 - margin if self.whole else 0.0)

    def _open(self, node: _Node) -> list[_Node]:
        """Lower the bound of a node; return its children, none where it is done with."""
        state, price, bound, stride, often = node.state.copy(), node.price, node.bound, _STRIDE, np.zeros(0)
        for chunk in range(_CHUNKS):
            value, found, often, stride = lower_prices(
                self.tables, self.rows.weight, state, price, self._effort(stride, _NODE_ROUNDS)
            )
            gain = bound - value
            if value < bound:
                bound, price = value, found
            if bound <= self._enough():
                self.dropped = max(self.dropped, bound)
                return []
            least = self.value * (1 - ROUNDING)
            fixed = fix_by_price(self.tables, self.rows.weight, state, found, self.room, least)
            if fixed == 0 and gain * (_CHUNKS - chunk) < 0.5 * (bound - self._enough()):
                break
        self._try(state, often)
        free = np.flatnonzero(state == 0)
        if len(free) == 0 or (state > 0).sum() >= self.room:
            return []
        site = int(free[np.argmin(np.abs(often[free] - 0.5))])
        children = []
        for decided in (1, -1):
            child = state.copy()
            child[site] = decided
            children.append(_Node(bound, child, price))
        return children

    def _round(self, bound: float) -> float:
        """Return the bound up by the rounding; of whole weights the whole number below."""
        bound = max(bound, self.dropped) * (1 + ROUNDING)
        return max(float(np.floor(bound + 1e-6)) if self.whole else bound, self.value)

    def _try(self, state: Ints, often: Floats) -> None:
        """Take the sites most often chosen in the relaxation as a plan."""
        rank = np.where(state > 0, 2.0, np.where(state < 0, -1.0, often))
        chosen = np.zeros(len(state), dtype=np.bool_)
        chosen[np.argsort(-rank, kind="stable")[: self.room]] = True
        covered = np.bincount(self.pair_row, weights=chosen[self.rows.site], minlength=len(self.rows.weight)) > 0
        value = float(self.rows.weight[covered].sum())
        if value > self.value:
            self.value, self.chosen = value, chosen
