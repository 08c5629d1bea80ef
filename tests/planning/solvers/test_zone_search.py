"""The search for zones: the best of all plans on tiny worlds, and what holds for every plan it returns."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from planning.solvers.problems import BORDER, COMPACT, FILL, MOVED, TRAVEL, ZoneProblem
from planning.solvers.zone_pool import ZonePool
from planning.solvers.zone_search import search_zones
from planning.solvers.zone_start import build_start
from tests.planning.solvers.grid_problems import build_grid, is_connected, price_plan, try_all


def shaped(problem: ZoneProblem, columns: int, current: np.ndarray | None = None) -> ZoneProblem:
    """Give squares of 100 m a shape, and pupils a zone they are in now."""
    count = problem.n_units
    moved = None
    if current is not None:
        moved = np.where(np.arange(problem.n_schools) == current[:, None], 0.0, problem.pupils[:, None])
    return dataclasses.replace(
        problem,
        border_m=np.full(len(problem.neighbour), 100.0),
        outline_m=np.full(count, 400.0),
        area_m2=np.full(count, 10_000.0),
        moved=moved,
    )


def count_values(problem: ZoneProblem, school: np.ndarray) -> np.ndarray:
    """The five objectives, counted the plain way."""
    rows = np.arange(problem.n_units)
    load = np.bincount(school, weights=problem.pupils, minlength=problem.n_schools)
    target = problem.places * problem.pupils.sum() / problem.places.sum()
    values = np.zeros(5)
    values[TRAVEL] = problem.cost[rows, school].sum()
    values[FILL] = np.abs(load - target).sum()
    values[MOVED] = 0.0 if problem.moved is None else problem.moved[rows, school].sum()
    outline = np.bincount(school, weights=problem.outline_m, minlength=problem.n_schools)
    area = np.bincount(school, weights=problem.area_m2, minlength=problem.n_schools)
    for unit in rows:
        for link in range(problem.neighbour_start[unit], problem.neighbour_start[unit + 1]):
            if school[problem.neighbour[link]] == school[unit]:
                outline[school[unit]] -= problem.border_m[link]
            else:
                values[BORDER] += problem.border_m[link] / 2
    values[COMPACT] = (outline**2 / (4 * np.pi * area) - 1).sum()
    return values


def all_plans(problem: ZoneProblem):
    """Every connected plan."""
    for choice in itertools.product(range(problem.n_schools), repeat=problem.n_units):
        school = np.array(choice, np.int32)
        if (school[problem.seat] == np.arange(problem.n_schools)).all() and is_connected(problem, school):
            yield school


@pytest.mark.parametrize("seed", range(12))
def test_best_of_all_plans_is_found(seed: int) -> None:
    problem = build_grid(seed, slack=1.05 + 0.1 * (seed % 3), overload_price=20.0)
    found = search_zones(problem, build_start(problem), rounds=60, seed=seed)
    assert is_connected(problem, found.school)
    assert found.objective == pytest.approx(price_plan(problem, found.school))
    assert found.objective == pytest.approx(try_all(problem)[0])


@pytest.mark.parametrize("objective", [FILL, MOVED, COMPACT, BORDER])
def test_each_objective_alone(objective: int) -> None:
    problem = build_grid(3, rows=2, columns=4, slack=1.4, overload_price=1e6)
    current = build_start(problem)
    problem = shaped(problem, 4, current)
    weights = np.zeros(5)
    weights[objective] = 1.0
    found = search_zones(problem, build_start(problem, grow=True), weights=weights, rounds=60)
    load = np.bincount(found.school, weights=problem.pupils, minlength=problem.n_schools)
    assert found.overload_pupils == pytest.approx(np.maximum(load - problem.places, 0.0).sum())
    assert found.values == pytest.approx(count_values(problem, found.school))
    least = min(
        count_values(problem, plan)[objective]
        + 1e6 * np.maximum(np.bincount(plan, weights=problem.pupils, minlength=3) - problem.places, 0.0).sum()
        for plan in all_plans(problem)
    )
    assert found.objective == pytest.approx(least)


def test_limits_hold() -> None:
    problem = build_grid(5, slack=1.3)
    current = build_start(problem)
    problem = shaped(problem, 3, current)
    for budget in (0.0, 4.0, 15.0):
        limits = np.array([np.inf, np.inf, budget, np.inf, 700.0])
        found = search_zones(problem, current, limits=limits, rounds=40)
        start = count_values(problem, current)
        assert found.values[MOVED] <= max(budget, start[MOVED]) + 1e-9
        assert found.values[BORDER] <= max(700.0, start[BORDER]) + 1e-9
        lawful = [
            price_plan(problem, plan)
            for plan in all_plans(problem)
            if count_values(problem, plan)[MOVED] <= budget and count_values(problem, plan)[BORDER] <= 700.0
        ]
        if lawful and (start <= limits).all():
            assert found.objective >= min(lawful) - 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_laws_of_larger_plans(seed: int) -> None:
    problem = build_grid(seed, rows=14, columns=15, schools=9, slack=1.08)
    locked = np.full(problem.n_units, -1, np.int32)
    start = build_start(problem)
    locked[::17] = start[::17]
    problem = dataclasses.replace(shaped(problem, 15, start), locked=locked)
    seen: list[float] = []
    weights = np.array([1.0, 0.2, 0.1, 0.5, 0.01])
    found = search_zones(
        problem, start, weights=weights, rounds=25, seed=seed, on_best=lambda _, value: seen.append(value)
    )
    again = search_zones(problem, start, weights=weights, rounds=25, seed=seed)
    assert (found.school == again.school).all()
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == pytest.approx(found.objective)
    assert is_connected(problem, found.school)
    assert (found.school[locked >= 0] == locked[locked >= 0]).all()
    assert found.values == pytest.approx(count_values(problem, found.school))
    first = search_zones(problem, start, weights=weights, rounds=0)
    assert found.objective <= first.objective
    assert (first.school == start).all()


def test_forbidden_pairs_are_not_used() -> None:
    problem = build_grid(2, rows=8, columns=8, schools=4, slack=1.1)
    cost = np.array(problem.cost)
    cost[cost > np.quantile(cost, 0.8)] = np.inf
    cost[problem.seat, np.arange(4)] = 0.0
    problem = dataclasses.replace(problem, cost=cost)
    found = search_zones(problem, build_start(problem), rounds=30)
    assert is_connected(problem, found.school)
    assert np.isfinite(found.objective)


def test_a_zone_without_a_seat_may_be_in_pieces() -> None:
    problem = build_grid(1, rows=4, columns=4, schools=3)
    seat = np.array(problem.seat)
    seat[2] = -1
    cost = np.array(problem.cost)
    cost[:, 2] = 5.0
    cost[[0, 15], 2] = 0.0
    problem = dataclasses.replace(problem, seat=seat, cost=cost)
    found = search_zones(problem, build_start(problem), rounds=20)
    rest = [zone for zone in (0, 1) if (found.school == zone).any()]
    assert rest
    assert found.objective == pytest.approx(price_plan(problem, found.school))


def test_rows_in_another_order_cost_the_same() -> None:
    problem = build_grid(4, slack=1.2)
    order = np.random.default_rng(0).permutation(problem.n_units)
    place = np.argsort(order)
    links = [problem.neighbour[problem.neighbour_start[i] : problem.neighbour_start[i + 1]] for i in order]
    turned = dataclasses.replace(
        problem,
        cost=problem.cost[order],
        pupils=problem.pupils[order],
        seat=place[problem.seat].astype(np.int32),
        neighbour_start=np.concatenate([[0], np.cumsum([len(link) for link in links])]),
        neighbour=place[np.concatenate(links)].astype(np.int32),
    )
    one = search_zones(problem, build_start(problem), rounds=50)
    other = search_zones(turned, build_start(turned), rounds=50)
    assert one.objective == pytest.approx(other.objective)


def test_it_stops_when_asked_and_when_nothing_can_move() -> None:
    problem = build_grid(0, rows=6, columns=6)
    start = build_start(problem)
    assert search_zones(problem, start, should_stop=lambda: True).facts["stopped"] == "cancelled"
    assert search_zones(problem, start, time_limit_s=0.0).facts["stopped"] == "time"
    frozen = dataclasses.replace(problem, locked=start)
    found = search_zones(frozen, start, rounds=9)
    assert found.facts["stopped"] == "settled"
    assert (found.school == start).all()


def test_the_pool_collects_connected_zones_within_places() -> None:
    problem = build_grid(6, rows=8, columns=8, schools=5, slack=1.15)
    pool = ZonePool()
    search_zones(problem, build_start(problem), rounds=20, pool=pool)
    assert len(pool) > problem.n_schools
    for zone, members in pool.zones():
        assert problem.seat[zone] in members
        assert problem.pupils[members].sum() <= problem.places[zone]
