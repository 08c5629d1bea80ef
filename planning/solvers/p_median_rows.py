"""Sorted rows of a location problem, the bound at given prices, and which sites the bound rules out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from planning.solvers.location_problems import LocationProblem
from planning.solvers.p_median_kernels import Array, Rows, choose_best, compute_worth, count_kept, keep_sites, sort_rows
from planning.solvers.problems import Bools, Floats, Ints

ROUND_DOWN = 1e-9
"""Bounds are lowered by this share, which is far more than sums of doubles can be wrong."""
FREE, OPEN, CLOSED = 0, 1, -1
_SORT_THREADS = 2
_BIG = 2_000_000
_LEAST_WIDTH, _TIMES_NEAR = 50, 10


class Bound(NamedTuple):
    """A proven bound and the worth of every site at its prices."""

    value: float
    worth: Floats


def build_rows(problem: LocationProblem, width: int) -> Rows:
    """Return the rows of a problem with their ``width`` cheapest sites, sorted; every row must have an allowed site."""
    cost = np.ascontiguousarray(problem.cost)
    if cost.dtype != np.float32:
        cost = cost.astype(np.float64, copy=False)
    width = min(width, problem.n_sites)
    allowed = np.isfinite(cost)
    dearest = np.where(allowed, cost, 0).max(axis=1).sum(dtype=np.float64)
    unserved = float(1.0 + 2.0 * (dearest + problem.fixed_cost.sum()))
    site, value = np.zeros((len(cost), width), np.int32), np.zeros((len(cost), width))
    reach, ceiling = np.empty(len(cost), np.int64), np.full(len(cost), unserved)
    parts = 1 if cost.size < _BIG else 8 * _SORT_THREADS
    edges = np.linspace(0, len(cost), parts + 1).astype(int)
    with ThreadPoolExecutor(_SORT_THREADS) as pool:
        list(pool.map(lambda a, b: sort_rows(cost, a, b, site, value, reach, ceiling), edges[:-1], edges[1:]))
    by_site = np.array(cost.T, np.float64, order="C")
    if not allowed.all():
        by_site[~allowed.T] = unserved
    return Rows(site, value, reach, ceiling, by_site, problem.fixed_cost.astype(np.float64), unserved)


def choose_width(problem: LocationProblem, most: int) -> int:
    """Return how many sites of each row to list: several times as many as there are for every open one."""
    if problem.count is None:
        return problem.n_sites
    return max(_LEAST_WIDTH, _TIMES_NEAR * problem.n_sites // most)


def touches_ceiling(rows: Rows, prices: Floats) -> bool:
    """Return whether some price is as high as the sites listed allow, so that more sites could raise the bound."""
    return bool(((prices >= rows.ceiling) & (rows.ceiling < rows.unserved)).any())


def reduce_rows(rows: Rows, sites: Ints) -> Rows:
    """Return the rows with only the sites listed, renumbered in their order."""
    number = np.full(len(rows.fixed), -1, np.int64)
    number[sites] = np.arange(len(sites))
    reach = count_kept(rows, number)
    shape = (len(reach), max(1, int(reach.max())))
    site, value = np.zeros(shape, np.int32), np.zeros(shape)
    keep_sites(rows, number, site, value)
    return Rows(site, value, reach, rows.ceiling, rows.by_site[sites], rows.fixed[sites], rows.unserved)


def compute_bound(rows: Rows, lam: Floats, most: int, marks: Array | None = None) -> Bound:
    """Return the Lagrangian bound at the prices, rounded down, for the sites marked open, closed or free."""
    worth = np.empty(len(rows.fixed))
    total = compute_worth(rows, lam, worth)
    if marks is None:
        marks = np.zeros(len(worth), np.int8)
    forced = worth[marks == OPEN]
    free = worth[marks == FREE]
    left = most - len(forced)
    value = total + float(forced.sum())
    if left > 0 and len(free):
        value += choose_best(free, min(left, len(free)), np.empty(len(free)))
    return Bound(value - ROUND_DOWN * abs(value), worth)


def settle_sites(bound: Bound, most: int, cutoff: float, marks: Array) -> Array:
    """Return the marks with free sites closed or opened where the contrary cannot cost less than ``cutoff``.

    A free site that is not chosen costs its worth less that of the last chosen one to open; a chosen one costs that
    of the first one not chosen less its own to close (reduced cost fixing).
    """
    free = np.flatnonzero(marks == FREE)
    left = most - int((marks == OPEN).sum())
    settled = marks.copy()
    if left <= 0:
        settled[free] = CLOSED
        return settled
    worth = bound.worth[free]
    ordered = np.sort(np.append(np.minimum(worth, 0.0), np.zeros(left + 1)))
    last, following = ordered[left - 1], ordered[left]
    slack = cutoff - bound.value
    settled[free[worth - last >= slack]] = CLOSED
    settled[free[following - worth >= slack]] = OPEN
    return settled


def is_settled(marks: Array, most: int) -> bool:
    """Return whether the marks leave nothing to choose."""
    return not (marks == FREE).any() or int((marks == OPEN).sum()) >= most


def list_open(marks: Array) -> Ints:
    """Return the positions marked open."""
    opened: Bools = marks == OPEN
    return np.flatnonzero(opened)
