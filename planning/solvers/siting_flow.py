"""Pupils sent at least cost when the ways of all facilities are given: one transport problem per period.

Least pupils: a facility that would stay below them is split in two, its first ``least`` places cheaper by the price of
overload (which is what a pupil lacking costs), the rest as they are. All other costs are raised by the same, so that
none is negative. The optimum of the split problem is the optimum under "flow plus lacking >= least".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planning.solvers.location_problems import SitingProblem, SitingSolution
from planning.solvers.problems import Bools, Floats, Ints, Schools, TransportProblem
from planning.solvers.transport import solve_transport


@dataclass(frozen=True)
class PeriodFlow:
    """The best flow of one period: ``flow`` (arcs,), ``unplaced`` (rows,), ``lacking`` (facilities,) pupils.

    ``cost`` with unplaced and lacking pupils priced; ``row_price`` (rows,): what one more pupil of the row costs, which
    is what the Lagrangian bound of ``siting_dual`` starts from. ``split``: facilities whose least pupils were pushed.
    """

    flow: Floats
    unplaced: Floats
    lacking: Floats
    cost: float
    row_price: Floats
    split: frozenset[int] = frozenset()


def send_pupils(
    problem: SitingProblem, period: int, places: Floats, least: Floats, split: frozenset[int] = frozenset()
) -> PeriodFlow:
    """Return the best flow of one period.

    Parameters
    ----------
    places, least : shape (facilities,)
        Places and least pupils; ``least`` counts only where there are places.
    split
        Facilities known to need their least pupils pushed to them.
    """
    asked = np.where(places > 0, least, 0.0)
    split = frozenset(facility for facility in split if asked[facility] > 0)
    least = np.minimum(asked, places)
    tolerance = 1e-9 * max(1.0, float(problem.pupils[:, period].sum()))
    while True:
        answer = _solve_split(problem, period, places, least, np.array(sorted(split), dtype=np.int64))
        load = np.bincount(problem.facility, weights=answer.flow, minlength=problem.n_facilities)
        short = np.flatnonzero(least - load > tolerance)
        more = split | {int(facility) for facility in short}
        if more == split:
            lacking = np.where(asked - load > tolerance, asked - load, 0.0)
            cost = answer.cost + problem.overload_price * float(lacking.sum())
            return PeriodFlow(answer.flow, answer.unplaced, lacking, cost, answer.row_price, split)
        split = more


def _solve_split(problem: SitingProblem, period: int, places: Floats, least: Floats, split: Ints) -> PeriodFlow:
    """Return the best flow when the facilities ``split`` have a bonus on their first pupils (lacking is left 0).

    First without the way out of being unplaced, which is quicker; where that overruns places, or a row would rather be
    unplaced, again with it.
    """
    answer = _solve_arcs(problem, period, places, least, split, nowhere=False)
    if answer is None:
        answer = _solve_arcs(problem, period, places, least, split, nowhere=True)
    assert answer is not None, "with the way out there is always an answer"
    return answer


def _solve_arcs(
    problem: SitingProblem, period: int, places: Floats, least: Floats, split: Ints, *, nowhere: bool
) -> PeriodFlow | None:
    """Return the best flow with or without the way out; None where it is needed."""
    bonus = problem.overload_price if len(split) else 0.0
    twin = np.full(problem.n_facilities, -1, np.int64)
    twin[split] = problem.n_facilities + 1 + np.arange(len(split))
    room = np.concatenate([places, [np.inf], least[split]])
    room[split] = places[split] - least[split]
    arcs, start, school, cost = _list_arcs(problem, period, places, twin, bonus, nowhere=nowhere)
    price = 2.0 * (problem.overload_price + bonus) + float(cost.max(initial=0.0)) if nowhere else problem.overload_price
    pupils = np.array(problem.pupils[:, period])
    answer = solve_transport(TransportProblem(start, school, cost, pupils, room, price + bonus))
    row_price = np.where(np.diff(start) > 0, answer.row_price - bonus, problem.overload_price)
    if not nowhere and (answer.overload.any() or (row_price[pupils > 0] > problem.overload_price).any()):
        return None
    flow, unplaced = np.zeros(len(problem.facility)), np.where(np.diff(start) > 0, 0.0, pupils)
    used = np.flatnonzero(answer.flow > 0)
    row = np.searchsorted(start, used, side="right") - 1
    away = arcs[used] < 0
    np.add.at(flow, arcs[used[~away]], answer.flow[used[~away]])
    np.add.at(unplaced, row[away], answer.flow[used[away]])
    travel = float((problem.arc_cost * flow).sum() * problem.period_weight[period])
    total = travel + problem.overload_price * float(unplaced.sum())
    return PeriodFlow(flow, unplaced, np.zeros(problem.n_facilities), total, row_price)


def _list_arcs(
    problem: SitingProblem, period: int, places: Floats, twin: Ints, bonus: float, *, nowhere: bool
) -> tuple[Ints, Ints, Schools, Floats]:
    """Return the arcs of the transport problem: which arc each is (−1: nowhere), row starts, schools, costs."""
    open_arcs = np.flatnonzero(places[problem.facility] > 0)
    row = np.repeat(np.arange(problem.n_rows), np.diff(problem.row_start))[open_arcs]
    travel = problem.arc_cost * problem.period_weight[period]
    doubled = np.flatnonzero(twin[problem.facility[open_arcs]] >= 0)
    out = np.arange(problem.n_rows) if nowhere else np.zeros(0, np.int64)
    if not nowhere and not len(doubled):
        start = np.searchsorted(row, np.arange(problem.n_rows + 1))
        return open_arcs, start, problem.facility[open_arcs].astype(np.int32), travel[open_arcs] + bonus
    arc = np.concatenate([open_arcs, open_arcs[doubled], np.full(len(out), -1)])
    row = np.concatenate([row, row[doubled], out])
    facility = problem.facility[open_arcs].astype(np.int64)
    school = np.concatenate([facility, twin[facility[doubled]], np.full(len(out), problem.n_facilities)])
    price = np.full(len(out), problem.overload_price + bonus)
    cost = np.concatenate([travel[open_arcs] + bonus, travel[open_arcs[doubled]], price])
    order = np.argsort(row, kind="stable")
    start = np.searchsorted(row[order], np.arange(problem.n_rows + 1))
    return arc[order], start.astype(np.int64), school[order].astype(np.int32), cost[order]


def evaluate_ways(problem: SitingProblem, way: Ints) -> SitingSolution:
    """Return the best flow for given ways (facilities,); ``bound`` is −inf, ``status`` ``"feasible"``.

    Whether the ways keep the rules over ways is not looked at: ``breaks_sides`` does. ``facts["lacking_pupils"]`` as in
    ``siting_solve``.
    """
    flows = [
        send_pupils(problem, period, problem.way_places[way, period], problem.way_least_pupils[way, period])
        for period in range(problem.n_periods)
    ]
    return compose_solution(problem, way, flows)


def compose_solution(problem: SitingProblem, way: Ints, flows: list[PeriodFlow]) -> SitingSolution:
    """Return the solution of ways and the best flow of every period."""
    lacking = np.array([flow.lacking.sum() for flow in flows])
    return SitingSolution(
        way=np.asarray(way, dtype=np.int64),
        flow=np.array([flow.flow for flow in flows]).reshape(problem.n_periods, len(problem.facility)),
        unplaced=np.array([flow.unplaced for flow in flows]).reshape(problem.n_periods, problem.n_rows).T,
        objective=float(problem.way_cost[way].sum() + sum(flow.cost for flow in flows)),
        bound=-np.inf,
        status="feasible",
        stopped="time",
        facts={"lacking_pupils": float(lacking.sum()), "lacking_pupils_by_period": lacking.tolist()},
    )


def breaks_sides(problem: SitingProblem, way: Ints) -> Bools:
    """Return which rules over ways the choice breaks (rules,), beyond rounding."""
    chosen = np.zeros(len(problem.way_cost))
    chosen[way] = 1.0
    rule = np.repeat(np.arange(len(problem.side_limit)), np.diff(problem.side_start))
    weight = problem.side_value * chosen[problem.side_way]
    used = np.bincount(rule, weights=weight, minlength=len(problem.side_limit))
    size = np.bincount(rule, weights=np.abs(weight), minlength=len(problem.side_limit))
    broken: Bools = used > problem.side_limit + 1e-6 * np.maximum(1e-3, size)
    return broken
