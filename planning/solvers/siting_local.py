"""Better plans by switching single facilities, many far apart ones at a time, guided by all cuts.

For every way the cuts tell the least that switching its facility to it can cost (``siting_dual``: a cut holds for every
choice, and is exact where it was taken). The most promising switches of facilities that share few pupils are tried
together, half of them when that is no better; what is learnt from a failure is a cut, too.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from planning.solvers.problems import Floats, Ints
from planning.solvers.siting_flow import breaks_sides
from planning.solvers.siting_plain import owner_of_ways
from planning.solvers.siting_search import Search

_NEAR_ARCS = 4
"""Facilities among so many cheapest of one row are neighbours."""
_WORTH = 1e-6


class LocalSearch:
    """Neighbours among facilities, and the ways' facilities, of one search."""

    def __init__(self, search: Search) -> None:
        problem = search.problem
        self.search = search
        self._owner = owner_of_ways(problem)
        rank = np.arange(len(problem.facility)) - np.repeat(problem.row_start[:-1], np.diff(problem.row_start))
        near = rank < _NEAR_ARCS
        row = np.repeat(np.arange(problem.n_rows), np.diff(problem.row_start))[near]
        shape = (problem.n_rows, problem.n_facilities)
        served = sparse.csr_matrix((np.ones(len(row)), (row, problem.facility[near])), shape=shape)
        self._beside = (served.T @ served).tocsr()

    def run(self, most_plans: int) -> None:
        """Improve the best plan until no switch looks worth it, at most so many plans are costed, or time is over."""
        search, most = self.search, self.search.problem.n_facilities
        for _ in range(most_plans):
            if search.done:
                return
            search.watch.tell()
            way = self._switch(most)
            if way is None:
                return
            before, changed = search.objective, int((way != search.way).sum())
            search.cost_plan(way)
            most = 2 * changed if search.objective < before else max(changed // 2, 1)

    def _switch(self, most: int) -> Ints | None:
        """Return the best plan with up to ``most`` facilities switched; None where nothing looks worth it."""
        search = self.search
        saving = self._estimate()
        order = np.argsort(-saving, kind="stable")
        order = order[saving[order] > _WORTH * abs(search.objective)]
        way, blocked, switched = search.way.copy(), np.zeros(search.problem.n_facilities, bool), 0
        for candidate in order:
            facility = self._owner[candidate]
            if switched >= most:
                break
            if blocked[facility]:
                continue
            trial = way.copy()
            trial[facility] = candidate
            if breaks_sides(search.problem, trial).any() or (switched == 0 and search.knows(trial)):
                continue
            way, switched = trial, switched + 1
            blocked[self._beside.indices[self._beside.indptr[facility] : self._beside.indptr[facility + 1]]] = True
            blocked[facility] = True
        return way if switched and not search.knows(way) else None

    def _estimate(self) -> Floats:
        """Return by way the most that switching its facility to it, and nothing else, can save."""
        search = self.search
        own = search.way[self._owner]
        told = np.full((len(own), search.problem.n_periods), -np.inf)
        for cut in search.cuts:
            now = cut.base + cut.value[search.way].sum(axis=0)
            np.maximum(told, now + cut.value - cut.value[own], out=told)
        cost = search.problem.way_cost
        saving = np.array([flow.cost for flow in search.flows]).sum() - told.sum(axis=1) - (cost - cost[own])
        return np.where(search.list_ways() & (np.arange(len(own)) != own), saving, -np.inf)
