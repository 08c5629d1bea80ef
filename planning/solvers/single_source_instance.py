"""One problem of single-source location made ready: arcs that can be used, whole numbers where demands allow it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from planning.solvers.location_problems import LocationProblem
from planning.solvers.problems import Bools, Floats, Ints
from planning.solvers.single_source_bound import Part
from planning.solvers.single_source_settle import Field

REACH_WORK = 1_000_000
_SCALES = (1.0, 2.0, 4.0, 5.0, 8.0, 10.0, 100.0, 1_000.0)
_LARGEST_WHOLE = 1e9
_GRAINS = (1.0, 0.5, 0.25, 0.1, 0.05, 0.01)


Ways = npt.NDArray[np.int8]
"""Status of sites: FREE, OPEN or CLOSED."""


@dataclass(frozen=True, eq=False)
class Arcs:
    """Which rows each site may serve: those of site ``j`` are ``row[start[j]:start[j + 1]]``, at ``cost``."""

    start: Ints
    row: Ints
    cost: Floats

    @cached_property
    def site(self) -> Ints:
        """Site of every arc."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))


@dataclass(frozen=True, eq=False)
class Instance:
    """What the search works on; all arrays are its own.

    ``cost`` (rows, sites) with ``inf`` where the row does not fit; ``room`` the capacity that can be filled (rounded
    down where demands are ``whole``; never more than the demand in all); ``count`` at most so many sites are open;
    ``grain``: every plan costs a multiple of it (0 = unknown).
    """

    cost: Floats
    demand: Floats
    room: Floats
    fixed: Floats
    count: int
    whole: bool
    grain: float

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.demand)

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.room)

    @cached_property
    def need(self) -> float:
        """What all rows take together, a hair less: for bounds."""
        total = float(self.demand.sum())
        return total if self.whole else total * (1.0 - 1e-12)

    @cached_property
    def arcs(self) -> Arcs:
        """Arcs that can be used, by site."""
        allowed = np.isfinite(self.cost).T
        site, row = np.nonzero(allowed)
        start = np.searchsorted(site, np.arange(self.n_sites + 1)).astype(np.int64)
        return Arcs(start, row.astype(np.int64), np.ascontiguousarray(self.cost.T[allowed]))

    @cached_property
    def near(self) -> Ints:
        """Sites of every row, cheapest first."""
        return np.argsort(self.cost, axis=1, kind="stable").astype(np.int64)

    @cached_property
    def near_site(self) -> Ints:
        """Sites by how much alike their costs are to those of each site, most alike first."""
        top = float(self.cost[np.isfinite(self.cost)].max(initial=0.0))
        filled = np.where(np.isfinite(self.cost), self.cost, 2.0 * top + 1.0)
        step = max(1, self.n_rows // 400)
        sample = np.ascontiguousarray(filled[::step].T)
        far = np.array([np.abs(sample - line).sum(axis=1) for line in sample])
        return np.argsort(far, axis=1, kind="stable").astype(np.int64)

    @cached_property
    def reach(self) -> int:
        """How many of the cheapest open sites local search looks at: fewer where sites serve many rows."""
        smallest = max(1, int(np.searchsorted(np.cumsum(-np.sort(-self.room)), self.need)) + 1)
        per_row = self.n_rows * max(self.n_rows / min(smallest, self.count), 1.0)
        return int(min(self.n_sites, max(4, (REACH_WORK / per_row) ** 0.5)))

    @cached_property
    def most(self) -> float:
        """More than any plan costs."""
        worst = np.where(np.isfinite(self.cost), self.cost, -np.inf).max(axis=1, initial=-np.inf)
        return float(worst[np.isfinite(worst)].sum() + self.fixed.sum()) + 1.0

    def part(self, start: Ints, row: Ints, cost: Floats, status: Ways) -> Part:
        """Return the part of the plans with these arcs and states of sites."""
        return Part(start, row, cost, self.demand, self.room, self.fixed, status, self.count, self.need, self.whole)

    def field(self, status: Ways) -> Field:
        """Return what local search works on."""
        return Field(self.cost, self.demand, self.room, self.fixed, self.near, self.near_site, status)

    def keep_sites(self, position: Ints) -> Instance:
        """Return the problem with these sites alone, all open: without their fixed costs."""
        cost, room = np.ascontiguousarray(self.cost[:, position]), self.room[position]
        fixed = np.zeros(len(position))
        return Instance(cost, self.demand, room, fixed, len(position), self.whole, self.grain)

    def price_plan(self, site: Ints) -> float:
        """Return what a plan costs; only the sites that serve rows are open."""
        used = np.unique(site)
        return float(self.cost[np.arange(self.n_rows), site].sum() + self.fixed[used].sum())

    def fits(self, site: Ints) -> bool:
        """Return whether every row has a site that it may use, within room and count."""
        if (site < 0).any() or not np.isfinite(self.cost[np.arange(self.n_rows), site]).all():
            return False
        load = np.bincount(site, weights=self.demand, minlength=self.n_sites)
        return bool((load <= self.room * (1.0 + 1e-12)).all() and len(np.unique(site)) <= self.count)


def build_instance(problem: LocationProblem) -> Instance:
    """Return the problem made ready.

    Raises
    ------
    ValueError
        If a demand, capacity or fixed cost is negative or unknown, or a cost is unknown or minus infinite.
    """
    cost = np.array(problem.cost, dtype=np.float64)
    demand, room = np.array(problem.demand, dtype=np.float64), np.array(problem.capacity, dtype=np.float64)
    fixed = np.array(problem.fixed_cost, dtype=np.float64)
    if not (
        np.isfinite(demand).all() and np.isfinite(fixed).all() and min(demand.min(initial=0), fixed.min(initial=0)) >= 0
    ):
        raise ValueError("demands and fixed costs must be known and 0 or more")
    if not (room >= 0).all() or np.isnan(cost).any() or (cost == -np.inf).any():
        raise ValueError("capacities must be 0 or more, costs must be known or inf")
    scale = _find_scale(demand)
    if scale:
        demand = np.round(demand * scale)
        room = np.floor(room * scale * (1.0 + 1e-12))
    else:
        room = room * (1.0 + 1e-12)
    room = np.minimum(room, demand.sum())
    cost[demand[:, None] > room] = np.inf
    count = problem.n_sites if problem.count is None else min(int(problem.count), problem.n_sites)
    return Instance(np.ascontiguousarray(cost), demand, room, fixed, count, bool(scale), _find_grain(cost, fixed))


def _find_scale(demand: Floats) -> float:
    """Return what makes all demands whole numbers, 0 where nothing does; a common factor is divided out."""
    for scale in _SCALES:
        scaled = demand * scale
        whole = np.round(scaled)
        if scaled.max(initial=0.0) < _LARGEST_WHOLE and np.abs(scaled - whole).max(initial=0.0) <= 1e-9 * scale:
            factor = int(np.gcd.reduce(whole.astype(np.int64))) if len(whole) else 1
            return scale / max(factor, 1)
    return 0.0


def _find_grain(cost: Floats, fixed: Floats) -> float:
    """Return the largest usual step that all costs are multiples of, 0 where there is none."""
    values = np.concatenate([cost[np.isfinite(cost)], fixed])
    for grain in _GRAINS:
        steps = values / grain
        if np.abs(steps).max(initial=0.0) < 1e12 and np.abs(steps - np.round(steps)).max(initial=0.0) < 1e-9:
            return grain
    return 0.0


def spread_sites(instance: Instance) -> Bools:
    """Return a first choice of sites: in turn the one that saves most against what rows pay so far."""
    usable = np.isfinite(instance.cost)
    top = float(instance.cost[usable].max(initial=0.0)) + 1.0
    cost = np.where(usable, instance.cost, 2.0 * top)
    paid, offered = np.full(instance.n_rows, 2.0 * top), 0.0
    opened = np.zeros(instance.n_sites, dtype=bool)
    for _ in range(instance.count):
        saved = np.maximum(paid[:, None] - cost, 0.0).sum(axis=0) - instance.fixed
        saved[opened] = -np.inf
        if offered < instance.need:
            best = int(np.argmax(np.where(opened, -np.inf, saved + top * 1e-9 * instance.room)))
        else:
            best = int(np.argmax(saved))
            if saved[best] <= 0.0:
                break
        if opened[best]:
            break
        opened[best] = True
        offered += instance.room[best]
        paid = np.minimum(paid, cost[:, best])
    return opened
