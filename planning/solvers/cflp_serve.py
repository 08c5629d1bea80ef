"""Serve all rows from given open sites at least cost, rows split where that pays: a transport problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planning.solvers.problems import Bools, Floats, Ints, TransportProblem
from planning.solvers.transport import solve_transport

_ROUNDING = 1e-9
_WORK = 40_000_000


@dataclass(frozen=True)
class Sites:
    """Sites and rows as the search sees them: ``cost`` (sites, rows); capacities no more than the whole demand.

    ``least`` and ``most`` sites are opened; ``total`` is the demand.
    """

    cost: Floats
    demand: Floats
    capacity: Floats
    fixed: Floats
    least: int
    most: int
    total: float

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats, Floats]:
        """What the kernels read."""
        return self.cost, self.demand, self.capacity, self.fixed

    @property
    def limits(self) -> tuple[int, int]:
        """Least and most open sites."""
        return self.least, self.most

    def rounds(self, wanted: int) -> int:
        """Return fewer rounds than wanted where one takes long, so that a cancel is heard."""
        return int(np.clip(_WORK // max(self.cost.size, 1), 3, wanted))


@dataclass(frozen=True)
class Served:
    """What opening these sites costs: ``value`` fixed costs and serving; ``over`` demand without capacity, priced in.

    ``price`` (rows,) of whole rows, which prove the value of these sites; ``rows``, ``site``, ``share``: who serves.
    """

    opened: Bools
    value: float
    over: float
    price: Floats
    rows: Ints
    site: Ints
    share: Floats


def serve_rows(sites: Sites, opened: Bools, dearest: float) -> Served:
    """Return the least cost of serving all rows from the open sites.

    ``dearest``: price of demand that finds no capacity, above every cost per demand.
    """
    names = np.flatnonzero(opened)
    demand = sites.demand
    full = np.flatnonzero(demand > 0)
    cost = sites.cost[names].T
    unit_cost = cost[full] / demand[full, None]
    order = np.argsort(unit_cost, axis=1, kind="stable")
    ranked = np.take_along_axis(unit_cost, order, axis=1)
    allowed = np.isfinite(ranked)
    start = np.concatenate([[0], np.cumsum(allowed.sum(axis=1))]).astype(np.int64)
    problem = TransportProblem(
        start=start,
        school=order[allowed].astype(np.int32),
        cost=ranked[allowed],
        pupils=demand[full],
        places=sites.capacity[names],
        overload_price=dearest,
    )
    answer = solve_transport(problem)
    row = np.repeat(np.arange(len(full)), np.diff(start))
    share = np.asarray(answer.flow) / demand[full][row]
    used = share > _ROUNDING
    rows, taken, site = full[row[used]], share[used], problem.school[used].astype(np.int64)
    missing = float(demand[full][np.diff(start) == 0].sum())
    over = float(answer.overload.sum()) + missing
    value = float(sites.fixed[names].sum() + (cost[rows, site] * taken).sum())
    price = np.zeros(len(demand))
    price[full] = answer.row_price * demand[full]
    price[full[np.diff(start) == 0]] = dearest * demand[full[np.diff(start) == 0]]
    rows, site, taken, value = _serve_empty(sites, names, (rows, site, taken, value), price)
    over = over if over > _ROUNDING * sites.total else 0.0
    return Served(opened.copy(), value + dearest * over, over, price, rows, names[site], taken)


def _serve_empty(
    sites: Sites, names: Ints, served: tuple[Ints, Ints, Floats, float], price: Floats
) -> tuple[Ints, Ints, Floats, float]:
    """Add the rows without demand, each at its cheapest open site; their prices are filled in place."""
    rows, site, taken, value = served
    empty = np.flatnonzero(sites.demand <= 0)
    if len(empty) == 0:
        return served
    cost = sites.cost[np.ix_(names, empty)]
    best = cost.argmin(axis=0)
    least = cost[best, np.arange(len(empty))]
    price[empty] = np.where(np.isfinite(least), least, 0.0)
    reached = np.isfinite(least)
    return (
        np.concatenate([rows, empty[reached]]),
        np.concatenate([site, best[reached]]),
        np.concatenate([taken, np.ones(int(reached.sum()))]),
        value + float(least[reached].sum()),
    )
