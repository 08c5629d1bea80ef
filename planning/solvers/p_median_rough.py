"""A good plan for very many rows: rows with the same nearest sites are added up, and the sum is searched instead."""

from __future__ import annotations

import numpy as np

from planning.solvers.location_problems import LocationProblem
from planning.solvers.p_median_kernels import Rows
from planning.solvers.p_median_rows import build_rows, choose_width
from planning.solvers.p_median_swap import PlanSearch
from planning.solvers.problems import Ints
from planning.solvers.siting_highs import Watch

MANY_ROWS = 20_000
_SAME_SITES = 3
_SHAKES, _ROUNDS = 20, 50


def find_rough_sites(problem: LocationProblem, rows: Rows, most: int, *, seed: int, watch: Watch) -> Ints:
    """Return sites that are good for the rows added up; empty where hardly any rows have the same nearest sites.

    Rows of the same three nearest sites, in order, are added up. All of a sum are then served by one site, so the
    cost is not exact; which sites are good hardly changes, and every swap is many times cheaper.
    """
    key = np.zeros(problem.n_rows, np.int64)
    for place in range(min(_SAME_SITES, rows.site.shape[1])):
        key = key * problem.n_sites + np.where(rows.reach > place, rows.site[:, place], 0)
    order = np.argsort(key, kind="stable")
    start = np.flatnonzero(np.diff(key[order], prepend=-1))
    if 3 * len(start) > problem.n_rows:
        return np.zeros(0, np.int64)
    watch.tell()
    cost = np.add.reduceat(problem.cost[order], start, axis=0, dtype=np.float64)
    added = LocationProblem(cost, np.ones(len(start)), problem.capacity, problem.fixed_cost, problem.count)
    plans = PlanSearch(build_rows(added, choose_width(added, most)), most, seed)
    plans.start()
    for _ in range(_ROUNDS):
        watch.tell()
        if watch.late:
            break
        plans.shake(_SHAKES)
    return plans.sites
