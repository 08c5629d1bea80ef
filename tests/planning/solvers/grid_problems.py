"""Small zone problems on grids, and every connected plan of them tried."""

from __future__ import annotations

import itertools

import numpy as np

from planning.solvers.problems import ZoneProblem


def build_grid(
    seed: int, *, rows: int = 3, columns: int = 3, schools: int = 3, slack: float = 1.2, overload_price: float = 50.0
) -> ZoneProblem:
    """Return a grid of units with whole pupils, random seats and straight ways."""
    generator = np.random.default_rng(seed)
    count = rows * columns
    y, x = np.divmod(np.arange(count), columns)
    seat = np.sort(generator.choice(count, schools, replace=False)).astype(np.int32)
    pupils = generator.integers(1, 12, count).astype(float)
    places = generator.uniform(0.5, 1.5, schools)
    places = np.ceil(places / places.sum() * pupils.sum() * slack)
    links = [
        (first, second)
        for first in range(count)
        for second in range(count)
        if abs(x[first] - x[second]) + abs(y[first] - y[second]) == 1
    ]
    start = np.searchsorted([first for first, _ in links], np.arange(count + 1)).astype(np.int64)
    way = np.hypot(x[:, None] - x[seat], y[:, None] - y[seat]) + generator.uniform(0, 0.3, (count, schools))
    way[seat, np.arange(schools)] = 0.0
    return ZoneProblem(
        cost=way * pupils[:, None],
        pupils=pupils,
        places=places,
        seat=seat,
        neighbour_start=start,
        neighbour=np.array([second for _, second in links], dtype=np.int32),
        overload_price=overload_price,
        locked=np.full(count, -1, dtype=np.int32),
    )


def is_connected(problem: ZoneProblem, school: np.ndarray) -> bool:
    """Whether every unit is reached from its school's seat within the zone."""
    reached = set(problem.seat[school[problem.seat] == np.arange(problem.n_schools)].tolist())
    stack = list(reached)
    while stack:
        unit = stack.pop()
        for other in problem.neighbour[problem.neighbour_start[unit] : problem.neighbour_start[unit + 1]].tolist():
            if other not in reached and school[other] == school[unit]:
                reached.add(other)
                stack.append(other)
    return len(reached) == problem.n_units


def price_plan(problem: ZoneProblem, school: np.ndarray) -> float:
    """Return travel with overload priced."""
    loads = np.bincount(school, weights=problem.pupils, minlength=problem.n_schools)
    over = np.maximum(loads - problem.places, 0.0).sum()
    return float(problem.cost[np.arange(problem.n_units), school].sum() + problem.overload_price * over)


def try_all(problem: ZoneProblem, allowed=lambda school: True) -> tuple[float, np.ndarray | None]:
    """Return the least price over all connected plans with every seat at its own school, and such a plan."""
    free = np.setdiff1d(np.arange(problem.n_units), problem.seat)
    school = np.zeros(problem.n_units, dtype=np.int64)
    school[problem.seat] = np.arange(problem.n_schools)
    best, found = np.inf, None
    for choice in itertools.product(range(problem.n_schools), repeat=len(free)):
        school[free] = choice
        if (problem.locked >= 0).any() and (school != problem.locked)[problem.locked >= 0].any():
            continue
        price = price_plan(problem, school)
        if price < best and allowed(school) and is_connected(problem, school):
            best, found = price, school.copy()
    return best, found
