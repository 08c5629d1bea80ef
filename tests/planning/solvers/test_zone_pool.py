"""Set partitioning over a pool of zones: the best plan that the pool holds, under limits, within memory."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from planning.solvers.problems import MOVED
from planning.solvers.zone_kernels import recount
from planning.solvers.zone_pool import ZonePool, solve_partition
from planning.solvers.zone_start import build_start
from planning.solvers.zone_state import build_plan, build_world
from tests.planning.solvers.grid_problems import build_grid, is_connected, price_plan, try_all
from tests.planning.solvers.test_zone_search import all_plans, count_values, shaped


def fill_pool(problem) -> ZonePool:
    pool = ZonePool()
    for school in all_plans(problem):
        for zone in range(problem.n_schools):
            pool.add_zone(zone, (school == zone).astype(np.int8))
    return pool


@pytest.mark.parametrize("seed", range(6))
def test_with_all_zones_it_is_exact(seed: int) -> None:
    problem = build_grid(seed, slack=1.1)
    start = build_start(problem)
    found = solve_partition(problem, fill_pool(problem), start)
    best = start if found is None else found
    assert is_connected(problem, best)
    assert price_plan(problem, best) == pytest.approx(try_all(problem)[0])


def test_all_objectives_and_limits_are_counted() -> None:
    problem = build_grid(5, slack=1.3)
    current = build_start(problem)
    problem = shaped(problem, 3, current)
    weights = np.array([1.0, 0.3, 0.0, 2.0, 0.01])
    limits = np.array([np.inf, np.inf, 8.0, np.inf, np.inf])

    def price(school) -> float:
        load = np.bincount(school, weights=problem.pupils, minlength=3)
        over = np.maximum(load - problem.places, 0.0).sum()
        return float(weights @ count_values(problem, school) + problem.overload_price * over)

    lawful = [plan for plan in all_plans(problem) if count_values(problem, plan)[MOVED] <= 8.0]
    found = solve_partition(problem, fill_pool(problem), current, weights=weights, limits=limits)
    best = current if found is None else found
    assert price(best) == pytest.approx(min(price(plan) for plan in lawful))


def test_nothing_better_is_none() -> None:
    problem = build_grid(1)
    assert solve_partition(problem, ZonePool(), try_all(problem)[1]) is None


def test_the_same_zone_is_kept_once_and_the_worst_go_first() -> None:
    problem = build_grid(2, rows=6, columns=6)
    world = build_world(problem, np.eye(5)[0], np.full(5, np.inf))
    plan = build_plan(world, build_start(problem))
    recount(world, plan)
    roomy = dataclasses.replace(problem, places=np.full(3, np.inf))
    world = build_world(roomy, np.eye(5)[0], np.full(5, np.inf))
    pool = ZonePool()
    pool.add(world, plan, 5.0)
    pool.add(world, plan, 4.0)
    assert len(pool) == 3
    pool.add_zone(0, plan.school == 0)
    assert len(pool) == 3
    small = ZonePool(most_zones=4)
    for number in range(10):
        mask = np.zeros(36, bool)
        mask[: number + 1] = True
        small.add_zone(0, mask, score=float(-number))
    assert len(small) <= 4
    assert max(len(members) for _, members in small.zones()) == 10
