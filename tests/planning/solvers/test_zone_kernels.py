"""The test of connectedness against plain search, and the books of a plan against a fresh count."""

from __future__ import annotations

import numpy as np
import pytest

from planning.solvers.zone_anneal import anneal, kick
from planning.solvers.zone_kernels import may_leave, recount, stays_whole
from planning.solvers.zone_moves import gather_branch, try_branch
from planning.solvers.zone_start import build_start
from planning.solvers.zone_state import build_plan, build_world
from tests.planning.solvers.grid_problems import build_grid, is_connected
from tests.planning.solvers.test_zone_search import count_values, shaped

TRAVEL_ONLY, NO_LIMITS = np.eye(5)[0], np.full(5, np.inf)


def drop_links(problem, share: float, seed: int):
    """Take some links away, so that zones are tangled, but keep the whole connected."""
    import dataclasses

    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(problem.n_units))
    for unit in range(problem.n_units):
        for other in problem.neighbour[problem.neighbour_start[unit] : problem.neighbour_start[unit + 1]].tolist():
            graph.add_edge(unit, other)
    draw = np.random.default_rng(seed)
    for edge in list(graph.edges):
        if draw.random() < share:
            graph.remove_edge(*edge)
            if not nx.is_connected(graph):
                graph.add_edge(*edge)
    pairs = sorted((a, b) for edge in graph.edges for a, b in (edge, edge[::-1]))
    return dataclasses.replace(
        problem,
        neighbour_start=np.searchsorted([a for a, _ in pairs], np.arange(problem.n_units + 1)).astype(np.int64),
        neighbour=np.array([b for _, b in pairs], np.int32),
    )


@pytest.mark.parametrize("seed", range(8))
def test_leaving_is_judged_as_by_plain_search(seed: int) -> None:
    problem = drop_links(build_grid(seed, rows=9, columns=9, schools=3), 0.4, seed)
    world = build_world(problem, TRAVEL_ONLY, NO_LIMITS)
    plan = build_plan(world, build_start(problem))
    recount(world, plan)
    answers = set()
    for unit in range(problem.n_units):
        zone = plan.school[unit]
        if world.fixed[unit]:
            continue
        without = plan.school.copy()
        without[unit] = 1 - zone if zone < 2 else 0
        reached = {int(problem.seat[zone])}
        stack = list(reached)
        while stack:
            here = stack.pop()
            for other in problem.neighbour[problem.neighbour_start[here] : problem.neighbour_start[here + 1]].tolist():
                if other not in reached and without[other] == zone:
                    reached.add(other)
                    stack.append(other)
        whole = len(reached) == int((without == zone).sum())
        answers.add(whole)
        assert stays_whole(world, plan, unit, zone) == whole
        assert may_leave(world, plan, unit) == whole
        assert may_leave(world, plan, unit) == whole, "remembered"
        branch = set(plan.branch[: gather_branch(world, plan, unit)].tolist())
        assert branch == {unit} | (set(np.flatnonzero(without == zone).tolist()) - reached)
    assert answers == {True, False}


@pytest.mark.parametrize("seed", range(6))
def test_books_stay_right_and_zones_whole(seed: int) -> None:
    problem = drop_links(build_grid(seed, rows=10, columns=10, schools=6, slack=1.1), 0.25, seed)
    start = build_start(problem)
    problem = shaped(problem, 10, start)
    world = build_world(problem, np.array([1.0, 0.1, 0.1, 3.0, 0.01]), NO_LIMITS)
    plan = build_plan(world, start)
    recount(world, plan)
    dice = np.array([seed + 77], np.uint64)
    for turn in range(20):
        if turn % 3 == 1:
            kick(world, plan, dice)
            plan.held[:] = False
        plan.open[:] = True
        anneal(world, plan, dice, 2000, 20.0, 0.1, 1.0, 10.0, np.full(6, 0.5))
        assert is_connected(problem, plan.school)
        assert plan.values == pytest.approx(count_values(problem, plan.school))
        load, key = plan.load.copy(), plan.zone_key.copy()
        recount(world, plan)
        assert plan.load == pytest.approx(load)
        assert (plan.zone_key == key).all()


def test_a_branch_goes_as_one() -> None:
    problem = build_grid(0, rows=1, columns=6, schools=2)
    seats = sorted(problem.seat.tolist())
    world = build_world(problem, TRAVEL_ONLY, NO_LIMITS)
    plan = build_plan(world, build_start(problem))
    recount(world, plan)
    for unit in range(problem.n_units):
        if unit in seats or not seats[0] < unit < seats[1]:
            continue
        other = 1 - int(plan.school[unit])
        if try_branch(world, plan, unit, other, 0.0, np.inf):
            assert is_connected(problem, plan.school)
