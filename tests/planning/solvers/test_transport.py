"""The transport solver: the optimum of HiGHS on small problems, of OR-tools on larger ones, and laws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.solvers import transport
from planning.solvers.problems import TransportAnswer, TransportProblem
from planning.solvers.transport import solve_transport

PUPIL_VALUES = (0.0, 0.1, 1.0, 1.0, 2.5, 3.0, 1e-18, 40.0)
COST_VALUES = (0.0, 0.0, 1.0, 1.0, 2.0, 0.1, 7.3, 30.0)


def build_problem(rows, pupils, places, price=50.0) -> TransportProblem:
    """``rows``: a mapping of school to cost for each row."""
    lengths = [len(row) for row in rows]
    return TransportProblem(
        start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        school=np.array([school for row in rows for school in row], dtype=np.int32),
        cost=np.array([cost for row in rows for cost in row.values()], dtype=np.float64),
        pupils=np.array(pupils, dtype=np.float64),
        places=np.array(places, dtype=np.float64),
        overload_price=price,
    )


def build_county(n_rows: int, n_schools: int, *, fill=0.95, seed=0, nearest=25, whole=False) -> TransportProblem:
    """Homes and schools on a square; minutes of walking to the nearest schools."""
    draw = np.random.default_rng(seed)
    homes, schools = draw.uniform(0, 30, (n_rows, 2)), draw.uniform(0, 30, (n_schools, 2))
    minutes = np.hypot(*(homes[:, None] - schools).transpose(2, 0, 1)) * 17
    near = np.sort(np.argsort(minutes, axis=1, kind="stable")[:, :nearest], axis=1)
    minutes = np.take_along_axis(minutes, near, axis=1)
    minutes = np.rint(minutes) if whole else np.rint(minutes * 1000) / 1000
    pupils, share = draw.poisson(5, n_rows).astype(float), draw.uniform(0.5, 1.5, n_schools)
    return TransportProblem(
        start=np.arange(n_rows + 1) * near.shape[1],
        school=near.ravel().astype(np.int32),
        cost=minutes.ravel(),
        pupils=pupils,
        places=np.rint(share / share.sum() * pupils.sum() / fill),
        overload_price=1000.0,
    )


@st.composite
def problems(draw) -> TransportProblem:
    n_schools = draw(st.integers(1, 4))
    n_rows = draw(st.integers(0, 8))
    rows = [
        draw(st.dictionaries(st.integers(0, n_schools - 1), st.sampled_from(COST_VALUES), max_size=n_schools))
        for _ in range(n_rows)
    ]
    pupils = draw(st.lists(st.sampled_from(PUPIL_VALUES), min_size=n_rows, max_size=n_rows))
    places = draw(st.lists(st.sampled_from((0.0, 0.3, 1.0, 5.0, 40.0, np.inf)), min_size=n_schools, max_size=n_schools))
    return build_problem(rows, pupils, places, draw(st.sampled_from((0.0, 5.0, 50.0, 1e7))))


def solve_with_highs(problem: TransportProblem) -> float:
    """Return the optimum by scipy's HiGHS."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, vstack

    n_rows, n_schools, n_arcs = problem.n_rows, problem.n_schools, len(problem.school)
    row_of = np.repeat(np.arange(n_rows), np.diff(problem.start))
    reached = np.unique(row_of)
    used = np.flatnonzero(np.isfinite(problem.places))
    ones, arcs = np.ones(n_arcs), np.arange(n_arcs)
    leave = csr_array((ones, (row_of, arcs)), shape=(n_rows, n_arcs))[reached]
    enter = csr_array((ones, (problem.school, arcs)), shape=(n_schools, n_arcs))[used]
    over = csr_array((-np.ones(len(used)), (np.arange(len(used)), used)), shape=(len(used), n_schools))
    nothing = csr_array((len(reached), n_schools))
    answer = linprog(
        np.concatenate([problem.cost, np.full(n_schools, problem.overload_price)]),
        A_ub=hstack([enter, over]) if len(used) else None,
        b_ub=problem.places[used] if len(used) else None,
        A_eq=vstack([hstack([leave, nothing])]) if len(reached) else None,
        b_eq=problem.pupils[reached] if len(reached) else None,
        method="highs",
    )
    assert answer.status == 0, answer.message
    return float(answer.fun)


def check_answer(problem: TransportProblem, answer: TransportAnswer) -> None:
    """The flow is lawful, and the prices prove that it is optimal."""
    reached = np.diff(problem.start) > 0
    row_of = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
    sent = np.bincount(row_of, weights=answer.flow, minlength=problem.n_rows)
    assert (answer.flow >= 0).all()
    assert np.allclose(sent[reached], problem.pupils[reached], rtol=1e-12, atol=0)
    load = np.bincount(problem.school, weights=answer.flow, minlength=problem.n_schools)
    assert (load <= problem.places + answer.overload + 1e-9 + 1e-11 * load.sum()).all()
    assert ((answer.place_price >= 0) & (answer.place_price <= problem.overload_price)).all()
    assert (answer.place_price[np.isinf(problem.places)] == 0).all()
    assert answer.row_price.shape == (problem.n_rows,)
    assert (answer.row_price[row_of] <= problem.cost + answer.place_price[problem.school] + 1e-9).all()
    scale = 1e-9 * (1 + abs(answer.objective)) + 1e-11 * problem.overload_price * problem.pupils.sum()
    assert answer.bound <= answer.objective + scale
    assert answer.objective - answer.bound <= scale


@given(problems())
@settings(max_examples=250)
def test_small_problems_have_the_optimum_of_highs(problem):
    answer = solve_transport(problem)
    check_answer(problem, answer)
    if problem.n_rows:
        assert answer.objective == pytest.approx(solve_with_highs(problem), rel=1e-7, abs=1e-6)


@given(problems(), st.randoms())
def test_order_of_rows_changes_nothing(problem, random):
    order = list(range(problem.n_rows))
    random.shuffle(order)
    rows = [
        dict(
            zip(
                problem.school[problem.start[row] : problem.start[row + 1]].tolist(),
                problem.cost[problem.start[row] : problem.start[row + 1]].tolist(),
                strict=True,
            )
        )
        for row in order
    ]
    other = build_problem(rows, problem.pupils[order], problem.places, problem.overload_price)
    assert solve_transport(other).objective == pytest.approx(solve_transport(problem).objective, rel=1e-9, abs=1e-9)


@given(problems(), st.integers(0, 3), st.sampled_from((0.5, 3.0, np.inf)))
def test_more_places_never_hurt(problem, school, more):
    places = problem.places.copy()
    places[school % len(places)] += more
    before, after = solve_transport(problem), solve_transport(replace(problem, places=places))
    assert after.objective <= before.objective + 1e-9 * (1 + before.objective)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("fill", [0.7, 0.95, 1.05])
def test_a_county_has_the_optimum_of_ortools(fill, whole):
    problem = build_county(4_000, 60, fill=fill, whole=whole)
    answer = solve_transport(problem)
    check_answer(problem, answer)
    assert answer.objective == pytest.approx(solve_with_ortools(problem, 1000), rel=1e-9)
    split = np.add.reduceat((answer.flow > 0).astype(int), problem.start[:-1]) > 1
    assert split.sum() <= problem.n_schools
    assert np.array_equal(solve_transport(problem).flow, answer.flow)


def solve_with_ortools(problem: TransportProblem, scale: int) -> float:
    """Return the optimum by SimpleMinCostFlow; pupils and places whole, costs in multiples of ``1 / scale``."""
    from benchmarks.assignment import solve_with_ortools as solve

    return solve(problem, scale)


def test_cold_and_warm_start_agree(monkeypatch):
    problem = build_county(1_500, 30, fill=0.9, seed=3)
    warm = solve_transport(problem)
    monkeypatch.setattr(transport, "COLD_ARCS", 10**9)
    cold = solve_transport(problem)
    check_answer(problem, cold)
    assert cold.objective == pytest.approx(warm.objective, rel=1e-11)


def test_dense_arcs():
    problem = build_county(1_200, 40, nearest=40, whole=True)
    answer = solve_transport(problem)
    check_answer(problem, answer)
    assert answer.objective == pytest.approx(solve_with_ortools(problem, 1), rel=1e-12)


def test_equal_costs_everywhere_end():
    n_rows, n_schools = 5_000, 10
    problem = TransportProblem(
        start=np.arange(n_rows + 1) * n_schools,
        school=np.tile(np.arange(n_schools, dtype=np.int32), n_rows),
        cost=np.full(n_rows * n_schools, 5.0),
        pupils=np.ones(n_rows),
        places=np.full(n_schools, 450.0),
        overload_price=100.0,
    )
    answer = solve_transport(problem)
    check_answer(problem, answer)
    assert answer.objective == 5.0 * n_rows + 100.0 * 500


def test_shortage_is_priced_and_shown_by_school():
    problem = build_problem([{0: 3.0, 1: 9.0}, {0: 2.0}], [10.0, 10.0], [8.0, 5.0], price=100.0)
    answer = solve_transport(problem)
    assert answer.overload.tolist() == [7.0, 0.0] or answer.overload.sum() == 7.0
    assert answer.objective == pytest.approx(2 * 10 + 3 * 5 + 9 * 5 + 700)
    assert answer.place_price.tolist() == [100.0, 94.0]


def test_a_row_without_arcs_is_left_out():
    answer = solve_transport(build_problem([{}, {0: 1.0}], [5.0, 2.0], [9.0]))
    assert answer.flow.tolist() == [2.0]
    assert answer.row_price.tolist() == [0.0, 1.0]
    assert answer.objective == answer.bound == 2.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cost": np.array([np.nan])}, "costs"),
        ({"cost": np.array([-1.0])}, "costs"),
        ({"pupils": np.array([-1.0])}, "pupils"),
        ({"places": np.array([np.nan])}, "places"),
        ({"school": np.array([1], dtype=np.int32)}, "not there"),
        ({"start": np.array([0, 2])}, "span"),
        ({"overload_price": np.inf}, "price"),
    ],
)
def test_impossible_numbers_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        solve_transport(replace(build_problem([{0: 1.0}], [1.0], [1.0]), **change))


def test_progress_may_stop_the_work():
    class Stopped(Exception):
        pass

    def stop(step, share):
        if share > 0.5:
            raise Stopped

    with pytest.raises(Stopped):
        solve_transport(build_county(300, 10), progress=stop)


@pytest.mark.real
def test_vasileostrovsky_has_the_published_optimum(cases: Path):
    folder = cases / "spb_objectnat"
    minutes = pd.read_parquet(folder / "matrix_time.parquet").to_numpy(float)
    open_arcs = np.isfinite(minutes)
    problem = TransportProblem(
        start=np.concatenate([[0], np.cumsum(open_arcs.sum(axis=1))]),
        school=np.nonzero(open_arcs)[1].astype(np.int32),
        cost=minutes[open_arcs],
        pupils=pd.read_parquet(folder / "buildings.parquet", columns=["demand"])["demand"].to_numpy(float),
        places=pd.read_parquet(folder / "services.parquet", columns=["capacity"])["capacity"].to_numpy(float),
        overload_price=1000.0,
    )
    answer = solve_transport(problem)
    check_answer(problem, answer)
    assert answer.objective == pytest.approx(248_032.85, abs=0.01)
    assert answer.overload.sum() == 0
