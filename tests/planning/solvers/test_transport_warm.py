"""The transport problem after a change, from the optimum of the base: always the optimum from scratch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.solvers import transport_warm
from planning.solvers.problems import TransportProblem
from planning.solvers.transport import solve_transport
from planning.solvers.transport_warm import CostTable, WarmColumn, WarmTransport

INF = np.inf
COSTS = (0.0, 0.0, 1.0, 1.0, 2.0, 7.25, 30.0, INF)
PUPILS = (0.0, 0.1, 1.0, 1.0, 2.5, 40.0)
PLACES = (0.0, 1.0, 2.5, 10.0, 60.0, INF)


def list_arcs(cost, pupils, places, price=50.0) -> TransportProblem:
    """Every finite entry of ``cost`` (rows, schools) is an arc of the rows that have pupils."""
    cost, pupils = np.asarray(cost, dtype=float), np.asarray(pupils, dtype=float)
    use = np.isfinite(cost) & (pupils > 0)[:, None]
    row, school = np.nonzero(use)
    start = np.concatenate([[0], np.cumsum(use.sum(axis=1))]).astype(np.int64)
    return TransportProblem(start, school.astype(np.int32), cost[row, school], pupils, np.asarray(places, float), price)


def build_table(cost, **more) -> CostTable:
    cost = np.asarray(cost, dtype=float)
    n_rows, n_schools = cost.shape
    values = {
        "weight": np.ones(n_rows),
        "barred_row": np.zeros(n_rows, bool),
        "barred_column": np.zeros(n_schools, bool),
    }
    return CostTable(**{"cost": cost, "line": np.arange(n_rows), **values, **more})


def start_warm(cost, pupils, places, price=50.0) -> WarmTransport:
    problem = list_arcs(cost, pupils, places, price)
    return WarmTransport(problem, solve_transport(problem), build_table(cost))


def check_same(cost, pupils, places, price, answer) -> None:
    """The answer is that of a solve from scratch, its bound closes, and nobody is lost."""
    fresh = solve_transport(list_arcs(cost, pupils, places, price))
    scale = 1e-9 * (1 + abs(fresh.objective))
    assert answer.objective == pytest.approx(fresh.objective, abs=scale)
    assert answer.bound == pytest.approx(fresh.objective, abs=scale)
    assert (answer.flow >= 0).all()
    sent = np.bincount(answer.row, weights=answer.flow, minlength=len(pupils))
    reach = np.isfinite(cost).any(axis=1)
    np.testing.assert_allclose(sent, np.where(reach, pupils, 0.0), rtol=1e-12)
    used = answer.flow > 0
    assert np.isfinite(cost[answer.row[used], answer.school[used]]).all()


@st.composite
def questions(draw):
    """Return base (costs, pupils, places) and a change: schools closed, new places, new columns."""
    n_schools, n_rows, n_new = draw(st.integers(1, 5)), draw(st.integers(1, 9)), draw(st.integers(0, 2))
    numbers = st.lists(st.sampled_from(COSTS), min_size=n_schools + n_new, max_size=n_schools + n_new)
    cost = np.array([draw(numbers) for _ in range(n_rows)])
    pupils = np.array(draw(st.lists(st.sampled_from(PUPILS), min_size=n_rows, max_size=n_rows)))
    places = [
        np.array(draw(st.lists(st.sampled_from(PLACES), min_size=k, max_size=k))) for k in (n_schools, n_schools, n_new)
    ]
    closed = np.array(sorted(draw(st.sets(st.integers(0, n_schools - 1)))), dtype=np.int64)
    return cost[:, :n_schools], cost[:, n_schools:], pupils, places, closed, draw(st.sampled_from((3.0, 50.0, 1000.0)))


@settings(max_examples=200, deadline=None)
@given(questions(), st.sampled_from([1, 2, 12]), st.booleans())
def test_any_change_is_the_optimum_from_scratch(question, near, more_places):
    """Also where every row was given only one arc at first, so that more have to be found."""
    cost, new_cost, pupils, (places, other_places, new_places), closed, price = question
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport_warm, "NEAR_ARCS", near)
        warm = start_warm(cost, pupils, places, price)
        changed = other_places if more_places else places
        columns = [WarmColumn(new_cost[:, at], new_places[at]) for at in range(new_cost.shape[1])]
        answer = warm.solve(closed, changed if more_places else None, columns)
        after = np.concatenate([cost, new_cost], axis=1)
        after[:, closed] = INF
        capacity = np.concatenate([np.where(np.isin(np.arange(len(places)), closed), 0.0, changed), new_places])
        check_same(after, pupils, capacity, price, answer)
        again = warm.solve()
        check_same(cost, pupils, places, price, again)
        assert not again.changed.any()


@settings(max_examples=100, deadline=None)
@given(questions())
def test_closing_never_lowers_a_price(question):
    cost, _, pupils, (places, _, _), closed, price = question
    warm = start_warm(cost, pupils, places, price)
    assert (warm.solve(closed).price >= warm.base_price).all()


def test_one_school_closes_by_hand():
    """Rows of 10 at 0 and 5 from two schools with 10 places each, and a third at 9 with room: the second moves on.

    Closing the first sends its ten to the second for 5 (and the second's on to the third for 9 − 1 = 8), or straight to
    the third for 9: 9 is cheaper.
    """
    cost = np.array([[0.0, 5.0, 9.0], [6.0, 1.0, 9.0]])
    warm = start_warm(cost, [10.0, 10.0], [10.0, 10.0, 30.0])
    assert warm.solve().objective == 10.0
    answer = warm.solve(np.array([0]))
    assert answer.objective == 10.0 + 90.0 and answer.bound == answer.objective
    flow = {(int(r), int(s)): f for r, s, f in zip(answer.row, answer.school, answer.flow, strict=True) if f > 0}
    assert flow == {(0, 2): 10.0, (1, 1): 10.0}


def test_all_schools_close():
    """Nobody is sent anywhere, and the value is that of nobody."""
    warm = start_warm(np.array([[1.0, 2.0]]), [5.0], [9.0, 9.0])
    answer = warm.solve(np.array([0, 1]))
    assert answer.objective == 0.0 and answer.bound == 0.0 and not answer.flow.any()


def test_rows_reach_a_new_school_only():
    """A row without any school goes to the first that opens, at the price of overload where that is full."""
    warm = start_warm(np.array([[INF], [1.0]]), [4.0, 4.0], [4.0])
    answer = warm.solve(columns=[WarmColumn(np.array([3.0, INF]), 1.0)])
    assert answer.objective == pytest.approx(4.0 + 12.0 + 3 * 50.0)
    assert answer.bound == pytest.approx(answer.objective)


def test_thousands_of_rows():
    """A county with 40 schools, 95 % full: closing, opening and resizing at once, against the solve from scratch."""
    draw = np.random.default_rng(3)
    homes, sites = draw.uniform(0, 30, (3_000, 2)), draw.uniform(0, 30, (42, 2))
    cost = np.hypot(*(homes[:, None] - sites).transpose(2, 0, 1)) * 17
    pupils = draw.poisson(5, 3_000).astype(float)
    places = np.rint(np.full(42, pupils.sum() / 40 / 0.95))
    warm = start_warm(cost[:, :40], pupils, places[:40], 1000.0)
    columns = [WarmColumn(cost[:, at], places[at]) for at in (40, 41)]
    changed = places.copy()
    changed[[5, 6]] *= (0.2, 2.0)
    closed = np.array([1, 2, 30])
    answer = warm.solve(closed, changed[:40], columns)
    after = cost.copy()
    after[:, closed] = INF
    check_same(after, pupils, changed, 1000.0, answer)
