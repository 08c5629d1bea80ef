"""Plans to start from: connected whatever is given, locks linked, and balanced by prices and chains."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.solvers.zone_chains import relieve_zones
from planning.solvers.zone_kernels import recount, total_overload
from planning.solvers.zone_start import build_start, count_detached, estimate_place_price
from planning.solvers.zone_state import build_plan, build_world
from tests.planning.solvers.grid_problems import build_grid, is_connected


@given(st.integers(0, 10_000), st.integers(1, 5), st.sampled_from(["given", "nearest", "grow", "price"]))
@settings(max_examples=60, deadline=None)
def test_every_start_is_connected(seed: int, schools: int, kind: str) -> None:
    problem = build_grid(seed, rows=5, columns=6, schools=schools)
    draw = np.random.default_rng(seed)
    school = build_start(
        problem,
        given=draw.integers(-1, schools, problem.n_units) if kind == "given" else None,
        grow=kind == "grow",
        place_price=draw.uniform(0, 5, schools) if kind == "price" else None,
    )
    assert is_connected(problem, school)
    assert count_detached(problem, school) == 0


def test_a_connected_plan_stays_as_given() -> None:
    problem = build_grid(3, rows=6, columns=6, schools=4)
    school = build_start(problem)
    assert (build_start(problem, given=school) == school).all()


def test_locked_units_are_linked_to_their_school() -> None:
    problem = build_grid(7, rows=6, columns=6, schools=3)
    locked = np.full(36, -1, np.int32)
    far = int(np.argmax(np.where(np.isin(np.arange(36), problem.seat), -1.0, problem.cost[:, 0])))
    locked[far] = 0
    school = build_start(dataclasses.replace(problem, locked=locked))
    assert school[far] == 0
    assert is_connected(problem, school)


def test_a_part_without_a_seat_goes_to_its_cheapest_school() -> None:
    problem = build_grid(0, rows=1, columns=6, schools=1)
    start = np.array(problem.neighbour_start)
    cut = [(unit, other) for unit in range(6) for other in problem.neighbour[start[unit] : start[unit + 1]].tolist()]
    cut = [pair for pair in cut if set(pair) != {2, 3}]
    problem = dataclasses.replace(
        problem,
        neighbour_start=np.searchsorted([unit for unit, _ in cut], np.arange(7)),
        neighbour=np.array([other for _, other in cut], np.int32),
    )
    school = build_start(problem)
    assert (school == 0).all()
    assert count_detached(problem, school) == 3


def test_prices_balance_and_chains_carry_to_free_places() -> None:
    problem = build_grid(11, rows=60, columns=60, schools=20, slack=1.04)
    nearest = build_start(problem)
    price = estimate_place_price(problem.cost, problem.pupils, problem.places, 50.0)
    priced = build_start(problem, place_price=price)
    world = build_world(problem, np.eye(5)[0], np.full(5, np.inf))
    over = []
    for school in (nearest, priced):
        plan = build_plan(world, school)
        recount(world, plan)
        before = total_overload(world, plan)
        values = plan.values.copy()
        relieve_zones(world, plan)
        kept = plan.values.copy()
        recount(world, plan)
        assert kept == pytest.approx(plan.values)
        assert values[0] != kept[0]
        assert is_connected(problem, plan.school)
        over.append((before, total_overload(world, plan)))
    total = problem.pupils.sum()
    assert over[1][0] < over[0][0]
    assert over[0][1] < 0.02 * total
    assert over[1][1] < 0.01 * total
