"""Small siting problems for tests: written by hand, and random ones with every kind of rule."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from planning.solvers.location_problems import SitingProblem
from planning.solvers.problems import Floats, Ints
from planning.solvers.siting_flow import breaks_sides

DEAR = 1000.0


def build_problem(
    cost: Sequence[Sequence[float]],
    pupils: Sequence[Sequence[float]],
    ways: Sequence[Sequence[tuple[float, Sequence[float] | Floats]]],
    *,
    least: float = 0.0,
    rules: Sequence[tuple[dict[int, float], float]] = (),
    overload_price: float = DEAR,
) -> SitingProblem:
    """Return the problem of ``cost[row][facility]`` (inf: not allowed) and ``ways[facility] = [(cost, places)]``."""
    table = np.array(cost, dtype=float)
    start, facility, price = [0], [], []
    for row in table:
        order = [j for j in np.argsort(row, kind="stable") if np.isfinite(row[j])]
        facility += order
        price += [row[j] for j in order]
        start.append(len(facility))
    flat = [way for own in ways for way in own]
    places = np.array([way[1] for way in flat], dtype=float)
    entries = [(way, value) for rule, _ in rules for way, value in rule.items()]
    return SitingProblem(
        row_start=np.array(start, dtype=np.int64),
        facility=np.array(facility, dtype=np.int32),
        arc_cost=np.array(price, dtype=float),
        pupils=np.array(pupils, dtype=float),
        period_weight=np.ones(places.shape[1]),
        way_start=np.concatenate([[0], np.cumsum([len(own) for own in ways])]).astype(np.int64),
        way_cost=np.array([way[0] for way in flat], dtype=float),
        way_places=places,
        way_least_pupils=np.where(places > 0, least, 0.0),
        side_start=np.concatenate([[0], np.cumsum([len(rule) for rule, _ in rules])]).astype(np.int64),
        side_way=np.array([entry[0] for entry in entries], dtype=np.int64),
        side_value=np.array([entry[1] for entry in entries], dtype=float),
        side_limit=np.array([limit for _, limit in rules], dtype=float),
        side_name=tuple(f"rule {number}" for number in range(len(rules))),
        overload_price=overload_price,
    )


def draw_problem(seed: int, *, rows: int, facilities: int, periods: int, rules: int) -> SitingProblem:
    """Return a random problem: some arcs missing, ways that close, open and grow, least pupils, random rules."""
    rng = np.random.default_rng(seed)
    cost = np.rint(rng.uniform(1, 40, (rows, facilities)))
    cost[rng.random(cost.shape) < 0.3] = np.inf
    pupils = np.rint(rng.uniform(0, 9, (rows, periods)))
    ways: list[list[tuple[float, Sequence[float] | Floats]]] = []
    for _ in range(facilities):
        base = float(rng.integers(0, 2)) * np.rint(rng.uniform(0.5, 2.0) * pupils.sum() / periods / facilities)
        running = float(np.rint(rng.uniform(20, 120))) * (base > 0)
        own: list[tuple[float, Sequence[float] | Floats]] = [(running, np.full(periods, base))]
        for _ in range(int(rng.integers(1, 3))):
            when = np.arange(periods) >= rng.integers(0, periods)
            size = float(rng.choice([0.0, 1.0, 2.0])) * np.rint(pupils.sum() / periods / facilities)
            places = np.where(when, size, base)
            own.append((float(np.rint(rng.uniform(0, 150))), places))
        ways.append(own)
    n_ways = sum(len(own) for own in ways)
    drawn = []
    for _ in range(rules):
        used = rng.choice(n_ways, min(n_ways, 4), replace=False)
        drawn.append(({int(way): float(rng.integers(-2, 5)) for way in used}, float(rng.integers(1, 6))))
    return build_problem(cost.tolist(), pupils.tolist(), ways, least=float(rng.integers(0, 6)), rules=drawn)


def list_choices(problem: SitingProblem) -> list[Ints]:
    """Return every choice of ways that keeps the rules."""
    spans = [range(problem.way_start[j], problem.way_start[j + 1]) for j in range(problem.n_facilities)]
    choices = [np.array(choice, dtype=np.int64) for choice in product(*spans)]
    return [choice for choice in choices if not breaks_sides(problem, choice).any()]
