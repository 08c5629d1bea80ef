"""Regions of a single-source plan solved anew: by trying all plans, bounds, and the same with and without threads."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from planning.solvers.location_problems import LocationProblem
from planning.solvers.problems import Ints
from planning.solvers.single_source import start_prices
from planning.solvers.single_source_bound import climb
from planning.solvers.single_source_incumbent import Incumbent
from planning.solvers.single_source_instance import Instance, build_instance
from planning.solvers.single_source_regions import Region, RegionSearch


def draw_instance(seed: int, rows: int, sites: int, count: int | None = None) -> Instance:
    rng = np.random.default_rng(seed)
    demand = rng.integers(1, 9, rows).astype(float)
    cost = rng.integers(1, 30, (rows, sites)).astype(float)
    capacity = np.full(sites, np.ceil(1.8 * demand.sum() / sites))
    fixed = rng.integers(0, 40, sites).astype(float)
    return build_instance(LocationProblem(cost, demand, capacity, fixed, count))


def list_plans(instance: Instance) -> list[tuple[float, Ints]]:
    """Return all lawful plans and their costs, the cheapest first."""
    plans = [np.array(plan, dtype=np.int64) for plan in product(range(instance.n_sites), repeat=instance.n_rows)]
    lawful = [(instance.price_plan(plan), plan) for plan in plans if instance.fits(plan)]
    return sorted(lawful, key=lambda one: one[0])


def start_search(instance: Instance, plan: Ints, pool: ThreadPoolExecutor | None = None) -> RegionSearch:
    best = Incumbent(instance, seed=1, gap_share=0.0, deadline=math.inf, tell=lambda: None)
    best.offer(plan)
    return RegionSearch(best, start_prices(instance), 1, pool)


@pytest.mark.parametrize("seed", range(12))
def test_a_region_is_solved_as_well_as_by_trying_all(seed: int) -> None:
    instance = draw_instance(seed, 6, 4, 3 if seed % 3 == 0 else None)
    plans = list_plans(instance)
    if not plans:
        pytest.skip("no lawful plan was drawn")
    rng = np.random.default_rng(seed)
    cost, plan = plans[-1 - int(rng.integers(0, len(plans) // 2 + 1))]
    search = start_search(instance, plan)
    row = np.sort(rng.permutation(6)[:4])
    site = np.arange(4)[~np.isin(np.arange(4), plan[np.setdiff1d(np.arange(6), row)])]
    found = search.solve_region(Region(row, site), 0)
    kept = np.setdiff1d(np.arange(6), row)
    best = min(other for other, one in plans if (one[kept] == plan[kept]).all())
    assert found.exact
    if found.site is not None:
        plan = plan.copy()
        plan[row] = found.site
        # With a limit on the number of sites, a part may promise a plan that opens one too many: it is not taken.
        cost = instance.price_plan(plan) if instance.fits(plan) else cost
    assert cost == best or instance.count < instance.n_sites


@pytest.mark.parametrize("seed", range(6))
def test_regions_only_improve_and_find_the_best_of_small_cases(seed: int) -> None:
    instance = draw_instance(seed, 7, 4)
    plans = list_plans(instance)
    search = start_search(instance, plans[-1][1])
    search.improve(400, -math.inf)
    best = search.incumbent
    assert best.site is not None and instance.fits(best.site)
    assert best.upper == instance.price_plan(best.site) == plans[0][0]


def test_nothing_is_looked_for_where_the_bound_is_reached() -> None:
    instance = draw_instance(3, 7, 4)
    cost, plan = list_plans(instance)[-1]
    search = start_search(instance, plan)
    search.improve(400, cost)
    assert search.tries == 0 and search.incumbent.upper == cost


def test_threads_change_nothing() -> None:
    instance = draw_instance(5, 40, 10)
    plan = None
    found = []
    for threads in (0, 1, 2):
        best = Incumbent(instance, seed=1, gap_share=0.0, deadline=math.inf, tell=lambda: None)
        best.search(np.ones(10, dtype=bool), np.full(10, 0.5), 1)
        plan = best.site if plan is None else plan
        assert plan is not None
        if threads:
            with ThreadPoolExecutor(threads) as pool:
                search = start_search(instance, plan, pool)
                search.improve(300, -math.inf)
        else:
            search = start_search(instance, plan)
            search.improve(300, -math.inf)
        assert search.incumbent.site is not None
        found.append((search.incumbent.upper, search.incumbent.site.tolist(), search.tries))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_prices_never_promise_more_than_the_best_plan(seed: int, quick: bool) -> None:
    instance = draw_instance(seed, 6, 4)
    best = list_plans(instance)[0][0]
    arcs = instance.arcs
    part = instance.part(arcs.start, arcs.row, arcs.cost, np.zeros(4, dtype=np.int8))
    average, opened = np.zeros(len(arcs.row)), np.zeros(4)
    bound, _ = climb(part, start_prices(instance), 2.0 * best, 300, 1.0, True, quick, average, opened)
    assert bound <= best + 1e-9
