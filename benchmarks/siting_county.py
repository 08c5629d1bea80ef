"""A made-up county for choosing schools and sites over the years: seeded, clustered, growing in the seat.

Costs follow the conventions of ``planning.siting_options``: 10 yuan an hour on the way to school, 400 ways a year,
600,000 yuan a school and 250,000 yuan a class and year, 50,000 yuan a new place written off over 50 years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from planning.solvers.location_problems import SitingProblem
from planning.solvers.problems import Floats, Ints

CLASS_PUPILS = 45.0
PERIOD_YEARS = 3.0
DETOUR = 1.3
_METRES_PER_MIN = 250.0
_MOST_ARCS, _LEAST_ARCS = 40, 15
_REACH_MIN = 45.0


@dataclass(frozen=True)
class CountySize:
    """Numbers of planning units, schools, sites and periods; ``seed`` of everything random."""

    units: int = 20_000
    schools: int = 300
    sites: int = 100
    periods: int = 3
    seed: int = 0


@dataclass(frozen=True)
class _Ways:
    """Ways of all facilities: cost, places, least pupils, what they build (``spent``, ways × periods) and change."""

    start: Ints
    cost: Floats
    places: Floats
    least: Floats
    spent: Floats
    changes: Floats
    closes: Floats
    adds: Floats


def build_county(size: CountySize, *, least_pupils: float = 60.0) -> SitingProblem:
    """Return the problem; ``least_pupils`` of open schools (0: none)."""
    rng = np.random.default_rng(size.seed)
    n_towns = max(4, size.units // 700)
    towns = rng.uniform(0, 1000.0 * np.sqrt(size.units / 10.0), (n_towns, 2))
    share = np.concatenate([[0.3], 0.7 * rng.dirichlet(np.full(n_towns - 1, 2.0))])
    town = rng.choice(n_towns, size.units, p=share)
    spread = np.where(town == 0, 3000.0, 4500.0)
    units = towns[town] + rng.normal(0, 1, (size.units, 2)) * spread[:, None]
    pupils = _draw_pupils(rng, size, town)
    seats = np.concatenate([_pick_seats(rng, units, town, size.schools), _pick_seats(rng, units, town, size.sites)])
    near, minutes = _measure(units, seats)
    nearest = np.where(near[:, :_LEAST_ARCS] < size.schools, minutes[:, :_LEAST_ARCS], np.inf).argmin(axis=1)
    current = near[np.arange(size.units), nearest]
    load = np.bincount(current, weights=pupils[:, 0], minlength=len(seats))[: size.schools]
    classes = np.maximum(6.0, np.ceil(load / CLASS_PUPILS * rng.uniform(0.75, 1.35, size.schools)))
    ways = _list_ways(size, classes, rng)
    keep = ((minutes <= _REACH_MIN) | (np.arange(_MOST_ARCS) < _LEAST_ARCS)) & np.isfinite(minutes)
    hourly = 10.0 * 400.0 / 60.0
    cost = minutes * hourly + np.where(near == current[:, None], 0.0, 500.0)
    order = np.argsort(np.where(keep, cost, np.inf), axis=1, kind="stable")
    sorted_keep = np.take_along_axis(keep, order, axis=1)
    start, rule_way, value, limit, names = _list_rules(size, ways, seats)
    return SitingProblem(
        row_start=np.concatenate([[0], np.cumsum(keep.sum(axis=1))]).astype(np.int64),
        facility=np.take_along_axis(near, order, axis=1)[sorted_keep].astype(np.int32),
        arc_cost=np.take_along_axis(cost, order, axis=1)[sorted_keep],
        pupils=pupils,
        period_weight=np.full(size.periods, PERIOD_YEARS),
        way_start=ways.start,
        way_cost=ways.cost,
        way_places=ways.places,
        way_least_pupils=np.where(ways.places > 0, least_pupils, 0.0),
        side_start=start,
        side_way=rule_way,
        side_value=value,
        side_limit=limit,
        side_name=names,
        overload_price=PERIOD_YEARS * 100_000.0,
    )


def _draw_pupils(rng: np.random.Generator, size: CountySize, town: Ints) -> Floats:
    """Return pupils by unit and period: the seat grows by a tenth each period, villages lose up to a fifth."""
    base = rng.lognormal(1.4, 0.8, size.units)
    growth = np.where(town == 0, 1.10, rng.uniform(0.80, 0.98, size.units))
    return np.rint(base[:, None] * growth[:, None] ** np.arange(size.periods) * 10) / 10


def _pick_seats(rng: np.random.Generator, units: Floats, town: Ints, count: int) -> Floats:
    """Return where schools stand: at units drawn so that villages have more schools than their share of pupils."""
    weight = np.where(town == 0, 0.5, 1.0)
    chosen = rng.choice(len(units), count, replace=False, p=weight / weight.sum())
    return np.asarray(units[chosen] + rng.normal(0, 100.0, (count, 2)))


def _measure(units: Floats, seats: Floats) -> tuple[Ints, Floats]:
    """Return the nearest seats of every unit and the minutes to them, nearest first."""
    count = min(_MOST_ARCS, len(seats))
    distance, near = cKDTree(seats).query(units, k=count)
    padding = _MOST_ARCS - count
    minutes = np.pad(distance * DETOUR / _METRES_PER_MIN, ((0, 0), (0, padding)), constant_values=np.inf)
    return np.pad(near, ((0, 0), (0, padding))), minutes


def _list_ways(size: CountySize, classes: Floats, rng: np.random.Generator) -> _Ways:
    """Return the ways: schools stay, close, or grow by 6 or 12 classes; sites stay empty or open with 12 to 36."""
    periods = size.periods
    start, rows = [0], []
    for school in range(size.schools + size.sites):
        has = classes[school] if school < size.schools else 0.0
        rows.append((np.full(periods, has), 0, 0.0))
        for period in range(periods):
            later = np.arange(periods) >= period
            if school < size.schools:
                rows.append((np.where(later, 0.0, has), period, -1.0))
                rows += [(has + more * later, period, float(more)) for more in (6, 12)]
            else:
                rows += [(more * later, period, float(more)) for more in (12, 18, 24, 30, 36)]
        start.append(len(rows))
    number = np.array([row[0] for row in rows], dtype=float)
    when, more = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    land = rng.uniform(0.8, 1.4, len(start) - 1)[owner]
    price = np.where(owner < size.schools, 35_000.0, 50_000.0 * land)
    built = np.maximum(more, 0.0) * CLASS_PUPILS * price
    at = np.arange(periods)[None, :] == when[:, None]
    years_left = (periods - when) * PERIOD_YEARS
    running = ((number > 0) * 600_000.0 + number * (250_000.0 + CLASS_PUPILS * 500.0)).sum(axis=1) * PERIOD_YEARS
    return _Ways(
        start=np.array(start, dtype=np.int64),
        cost=running + built * years_left / 50.0,
        places=number * CLASS_PUPILS,
        least=np.zeros_like(number),
        spent=built[:, None] * at,
        changes=(more != 0)[:, None] * at.astype(float),
        closes=(more < 0)[:, None] * at.astype(float),
        adds=(more > 0)[:, None] * at.astype(float),
    )


def _list_rules(size: CountySize, ways: _Ways, seats: Floats) -> tuple[Ints, Ints, Floats, Floats, tuple[str, ...]]:
    """Return budgets, change counts, and for every third school: closes only after something near was added."""
    lists: list[tuple[Ints, Floats, float, str]] = []
    most = max(2.0, (size.schools + size.sites) / 12.0)
    for period in range(size.periods):
        for values, limit, name in (
            (ways.spent[:, period], most * 12.0 * CLASS_PUPILS * 45_000.0 / 2.0, "budget"),
            (ways.changes[:, period], np.floor(most), "changes"),
        ):
            used = np.flatnonzero(values)
            lists.append((used, values[used], float(limit), f"{name} {period}"))
    owner = np.repeat(np.arange(len(ways.start) - 1), np.diff(ways.start))
    tree = cKDTree(seats)
    for school in range(0, size.schools, 3):
        near = tree.query(seats[school], k=min(8, len(seats)))[1]
        for period in range(size.periods):
            closing = np.flatnonzero((owner == school) & (ways.closes[:, period] > 0))
            before = np.flatnonzero(np.isin(owner, near) & (owner != school) & (ways.adds[:, :period].sum(axis=1) > 0))
            value = np.concatenate([np.ones(len(closing)), -np.ones(len(before))])
            lists.append((np.concatenate([closing, before]), value, 0.0, f"first build, then close {school} {period}"))
    return (
        np.concatenate([[0], np.cumsum([len(item[0]) for item in lists])]).astype(np.int64),
        np.concatenate([item[0] for item in lists]).astype(np.int64),
        np.concatenate([item[1] for item in lists]),
        np.array([item[2] for item in lists]),
        tuple(item[3] for item in lists),
    )
