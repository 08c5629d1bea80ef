"""A pool of zones seen in good plans, and the best plan that can be put together from them.

Every zone is a column (a school and its units); set partitioning takes one column for each school so that each unit is
in exactly one. Compare Kong (2021), who found local search plus set partitioning the best method for service areas.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from planning.solvers.highs import open_highs
from planning.solvers.problems import BORDER, COMPACT, FILL, MOVED, TRAVEL, Floats, Ints, Schools, ZoneProblem
from planning.solvers.zone_state import Array, Plan, World, equal_fill, name_units

MOST_ZONES = 40_000
MOST_MEMBERS = 8_000_000
MOST_COLUMNS = 6_000
"""Columns of the integer problem: those with the least reduced cost."""


class _Zone(NamedTuple):
    school: int
    members: Array
    score: float


class ZonePool:
    """Distinct zones, each with the objective of the best plan it was seen in; the worst go when memory is full.

    Parameters
    ----------
    most_zones, most_members
        Bounds on what is kept: zones, and units in all zones together.
    """

    def __init__(self, most_zones: int = MOST_ZONES, most_members: int = MOST_MEMBERS) -> None:
        self._zones: dict[tuple[int, int], _Zone] = {}
        self._members = 0
        self._most_zones, self._most_members = most_zones, most_members

    def __len__(self) -> int:
        return len(self._zones)

    def add(self, world: World, plan: Plan, score: float) -> None:
        """Note the zones of a plan with up-to-date books; ``score``: its objective."""
        for school, word in enumerate(plan.zone_key.tolist()):
            seen = self._zones.get((school, word))
            if seen is None:
                if plan.load[school] <= world.places[school]:
                    self._keep((school, word), np.flatnonzero(plan.school == school).astype(np.int32), score)
            elif score < seen.score:
                self._zones[school, word] = seen._replace(score=score)
        self._make_room()

    def add_zone(self, school: int, zone: Array, score: float = 0.0) -> None:
        """Note one zone given as a mask over the units; ``score`` 0 keeps it for good."""
        members = np.flatnonzero(zone).astype(np.int32)
        word = int(np.bitwise_xor.reduce(name_units(len(zone))[members], initial=np.uint64(0)))
        if (school, word) not in self._zones:
            self._keep((school, word), members, score)
        self._make_room()

    def zones(self) -> list[tuple[int, Array]]:
        """Return (school, units) of every zone."""
        return [(zone.school, zone.members) for zone in self._zones.values()]

    def _keep(self, key: tuple[int, int], members: Array, score: float) -> None:
        self._zones[key] = _Zone(key[0], members, score)
        self._members += len(members)

    def _make_room(self) -> None:
        """Drop the worse half when there are too many."""
        if len(self._zones) <= self._most_zones and self._members <= self._most_members:
            return
        ranked = sorted(self._zones.items(), key=lambda item: item[1].score)
        self._zones = dict(ranked[: len(ranked) // 2])
        self._members = sum(len(zone.members) for zone in self._zones.values())


def solve_partition(
    problem: ZoneProblem,
    pool: ZonePool,
    incumbent: Schools,
    *,
    weights: Floats | None = None,
    limits: Floats | None = None,
    time_limit_s: float | None = None,
    seed: int = 0,
    duals: tuple[Floats, Floats] | None = None,
) -> Schools | None:
    """Return the best plan made of zones of the pool when it beats ``incumbent``, else None.

    Parameters
    ----------
    incumbent : shape (units,)
        Its zones take part.
    weights, limits : shape (5,)
        As in ``search_zones``.
    time_limit_s
        Of the solver; what it has by then counts.
    duals
        Prices of units and values of schools of a relaxation (``ZoneBound.duals``), which choose the columns at once;
        without them the relaxation of the pool is solved, however long that takes.
    """
    weights = np.eye(5)[TRAVEL] if weights is None else np.asarray(weights, float)
    limits = np.full(5, np.inf) if limits is None else np.asarray(limits, float)
    zones = pool.zones()
    zones += [(school, np.flatnonzero(incumbent == school)) for school in range(problem.n_schools)]
    columns = _Columns.build(problem, zones)
    price = columns.price(weights, problem.overload_price)
    own = price[-problem.n_schools :].sum()
    usable = np.flatnonzero(np.isfinite(price))
    if not np.isfinite(own) or len(usable) <= problem.n_schools:
        return None
    if duals is None:
        reduced, gap = _solve_relaxed(problem, columns, price, usable, float(own), limits)
    else:
        reduced = price[usable] - _sum_by_zone(duals[0][columns.unit], columns.start)[usable]
        reduced += duals[1][columns.school[usable]]
        gap = float(own - duals[0].sum() + duals[1].sum())
    kept = _cheap_columns(problem, usable, reduced, gap + 1e-9 * abs(float(own)))
    chosen = _pick(problem, columns, price, kept, float(own), limits, time_limit_s, seed)
    if chosen is None or price[chosen].sum() >= own - 1e-9 * abs(own):
        return None
    school = np.full(problem.n_units, -1, np.int32)
    for which in chosen:
        school[zones[which][1]] = zones[which][0]
    return school if (school >= 0).all() else None


class _Columns(NamedTuple):
    """Zones as columns: ``start``/``unit`` their units, ``school``, ``values`` (zones, 5), ``overload``."""

    start: Ints
    unit: Ints
    school: Ints
    values: Floats
    overload: Floats

    @classmethod
    def build(cls, problem: ZoneProblem, zones: list[tuple[int, Array]]) -> _Columns:
        """Compute the values of every zone; each border between zones counts half on either side."""
        sizes = np.array([len(members) for _, members in zones], np.int64)
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        unit = np.concatenate([members for _, members in zones]).astype(np.int64)
        school = np.array([school for school, _ in zones], np.int64)
        owner = np.repeat(school, sizes)
        values = np.zeros((len(zones), 5))
        values[:, TRAVEL] = _sum_by_zone(problem.cost[unit, owner], start)
        load = _sum_by_zone(problem.pupils[unit], start)
        target = equal_fill(problem)[school]
        values[:, FILL] = np.where(target >= 0.0, np.abs(load - target), 0.0)
        if problem.moved is not None:
            values[:, MOVED] = _sum_by_zone(problem.moved[unit, owner], start)
        if len(problem.border_m) == len(problem.neighbour) and len(problem.outline_m) == problem.n_units:
            inner = np.array([_inner_border(problem, members) for _, members in zones])
            links = np.concatenate([[0.0], np.cumsum(problem.border_m)])[problem.neighbour_start]
            values[:, BORDER] = (_sum_by_zone(np.diff(links)[unit], start) - inner) / 2.0
            outline = _sum_by_zone(problem.outline_m[unit], start) - inner
            area = _sum_by_zone(problem.area_m2[unit], start)
            ragged = outline**2 / (4.0 * np.pi * np.where(area > 0.0, area, 1.0)) - 1.0
            values[:, COMPACT] = np.where(area > 0.0, ragged, 0.0)
        overload = np.maximum(0.0, load - problem.places[school])
        return cls(start, unit, school, values, overload)

    def price(self, weights: Floats, overload_price: float) -> Floats:
        """Return the objective of every zone."""
        counted = weights > 0.0
        return np.asarray(self.values[:, counted] @ weights[counted] + overload_price * self.overload)


def _sum_by_zone(numbers: Array, start: Array) -> Array:
    """Return the sum of each zone's numbers (every zone has at least its seat, or sums to 0)."""
    total = np.concatenate([[0.0], np.cumsum(np.where(np.isfinite(numbers), numbers, 0.0))])
    sums = np.diff(total[start])
    endless = ~np.isfinite(numbers)
    if endless.any():
        sums[np.diff(np.concatenate([[0], np.cumsum(endless)])[start]) > 0] = np.inf
    return np.asarray(sums)


def _inner_border(problem: ZoneProblem, members: Array) -> float:
    """Return the border between units of the zone, counted from both sides."""
    inside = np.zeros(problem.n_units, bool)
    inside[members] = True
    first, last = problem.neighbour_start[members], problem.neighbour_start[members + 1]
    counts = last - first
    links = np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(counts.sum())
    return float(problem.border_m[links][inside[problem.neighbour[links]]].sum())


def _open_model(
    problem: ZoneProblem, columns: _Columns, price: Array, kept: Array, limits: Array, time_limit_s: float | None
) -> Any:
    """Return the linear programme of the columns: units once, schools once, limits."""
    import highspy

    # Presolve takes longer than the whole solution here, and does not look at the time limit.
    model = open_highs(time_limit_s=time_limit_s, presolve=False)
    model.setOptionValue("mip_detect_symmetry", False)
    units, schools = problem.n_units, problem.n_schools
    bound = np.flatnonzero(np.isfinite(limits))
    lengths = (columns.start[1:] - columns.start[:-1])[kept]
    rows: list[Array] = []
    entries: list[Array] = []
    starts = [0]
    for which, length in zip(kept, lengths, strict=True):
        first = columns.start[which]
        rows += [columns.unit[first : first + length], np.array([units + columns.school[which]])]
        rows.append(units + schools + np.arange(len(bound)))
        entries += [np.ones(length + 1), columns.values[which, bound]]
        starts.append(starts[-1] + int(length) + 1 + len(bound))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(kept), units + schools + len(bound)
    lp.col_cost_ = price[kept]
    lp.col_lower_, lp.col_upper_ = np.zeros(len(kept)), np.ones(len(kept))
    ones = np.ones(units + schools)
    own = columns.values[-schools:, bound].sum(axis=0)
    lp.row_lower_ = np.concatenate([ones, np.full(len(bound), -np.inf)])
    lp.row_upper_ = np.concatenate([ones, np.maximum(limits[bound], own) * (1 + 1e-9)])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.array(starts)
    lp.a_matrix_.index_ = np.concatenate(rows)
    lp.a_matrix_.value_ = np.concatenate(entries)
    model.passModel(lp)
    return model


def _solve_relaxed(
    problem: ZoneProblem, columns: _Columns, price: Array, usable: Array, own: float, limits: Array
) -> tuple[Array, float]:
    """Return the reduced cost of every usable column in the relaxation, and how far ``own`` is above it."""
    model = _open_model(problem, columns, price, usable, limits, None)
    model.run()
    reduced = np.array(model.getSolution().col_dual)
    return reduced, own - float(model.getInfo().objective_function_value)


def _cheap_columns(problem: ZoneProblem, usable: Array, reduced: Array, gap: float) -> Array:
    """Return the columns that may be in a better plan, the cheapest of them, and those of the plan at hand."""
    close = reduced <= gap
    close[-problem.n_schools :] = True
    order = np.argsort(reduced, kind="stable")
    order = order[close[order]]
    kept = np.union1d(order[:MOST_COLUMNS], np.arange(len(usable) - problem.n_schools, len(usable)))
    return np.asarray(usable[kept])


def _pick(
    problem: ZoneProblem,
    columns: _Columns,
    price: Array,
    kept: Array,
    own: float,
    limits: Array,
    time_limit_s: float | None,
    seed: int,
) -> Array | None:
    """Return the chosen columns of the integer problem; None when nothing better was found."""
    import highspy

    model = _open_model(problem, columns, price, kept, limits, time_limit_s)
    whole = np.full(len(kept), highspy.HighsVarType.kInteger)
    model.changeColsIntegrality(len(kept), np.arange(len(kept), dtype=np.int32), whole)
    model.setOptionValue("random_seed", seed)
    model.setOptionValue("objective_bound", own)
    start = highspy.HighsSolution()
    value = np.zeros(len(kept))
    value[-problem.n_schools :] = 1.0
    start.col_value = value.tolist()
    model.setSolution(start)
    model.run()
    found = np.array(model.getSolution().col_value)
    if len(found) != len(kept):
        return None
    chosen = np.asarray(kept[found > 0.5])
    return chosen if len(chosen) == problem.n_schools else None
