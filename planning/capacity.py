"""Pupils to schools within places: least travel of all together, with a proof, and what each rule costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import Progress, no_progress
from planning.assignment import UNREACHED, Ints, Ways, build_enrolment
from planning.assignment_options import AssignmentOptions
from planning.assignment_problem import Assignment, build_columns, build_rows, pin_rows
from planning.assignment_ties import settle_ties
from planning.certificate import OPTIMAL_GAP_SHARE, Certificate, RulePrice
from planning.solvers.problems import Floats, TransportAnswer, TransportProblem
from planning.solvers.transport import solve_transport
from planning.way_costs import WayCosts

CAPACITY = "capacity"
FLOW_TOLERANCE = 1e-9
_BOUND_S = 5.0
"""Flows up to this share of the row are rounding."""


@dataclass(frozen=True, eq=False)
class Sent:
    """An answer: who is sent where, what it costs, and the proof.

    ``row``, ``column``, ``pupils``: one entry per row of pupils and column used. ``over`` (columns,) pupils above the
    places; ``price`` (columns,) the dual of the places per pupil, in the unit of the costs (of the last rank);
    ``objective`` and ``bound`` include the price of overload; ``answer`` is that of the solver to
    ``problem``.
    """

    row: Ints
    column: Ints
    pupils: Floats
    over: Floats
    price: Floats
    objective: float
    bound: float
    whole: bool = False
    answer: TransportAnswer | None = None
    problem: TransportProblem | None = None

    def load(self, width: int) -> Floats:
        """Return pupils by column."""
        load: Floats = np.bincount(self.column, weights=self.pupils, minlength=width).astype(np.float64)
        return load


def build_assignment(
    schools: pd.DataFrame, ways: Ways, costs: WayCosts, options: AssignmentOptions, low_grade_share: float, **use: bool
) -> Assignment:
    """Return rows, columns and costs of one stage; ``use`` leaves rules out (see :meth:`WayCosts.cost`)."""
    columns = build_columns(schools, ways, options)
    rows = build_rows(ways, options, low_grade_share, costs.pins)
    cost = columns.pool(costs.cost(**use))
    price = costs.overload_price
    if options.overload == "forbidden":
        finite = cost[np.isfinite(cost)]
        price = max(price, (len(columns.name) + 1) * float(finite.max(initial=1.0)))
    if costs.pins is None:
        return Assignment(rows, columns, cost, price)
    return Assignment(rows, columns, cost, price, *pin_rows(rows, columns, columns.pool(costs.travel), costs.pins))


def send(
    assignment: Assignment,
    *,
    places: Floats | None = None,
    zones: Mapping[int, Ints] | None = None,
    like: Sent | None = None,
    progress: Progress = no_progress,
) -> Sent:
    """Return the split flow of least cost; exact, also where ways had to be left out at first.

    ``zones`` (positions of the schools of a unit's current zone, by position of the unit) decide between equally good
    flows, see :mod:`planning.assignment_ties`; or ``like``: as many pupils as can be stay where that answer sends
    them. Neither: no matter which.
    """
    problem = assignment.build_problem(places=places)
    answer = solve_transport(problem, progress=progress)
    while assignment.pruned:
        more = assignment.build_problem(places=places, price=answer.place_price, row_price=answer.row_price)
        if len(more.school) <= len(problem.school):
            break
        problem = more
        answer = solve_transport(problem, progress=progress)
    flow = answer.flow
    if zones is not None:
        flow = settle_ties(problem, answer, _prefer_zones(assignment, problem, zones))
    elif like is not None:
        used = np.zeros((problem.n_rows, len(assignment.columns.name)), dtype=np.bool_)
        used[like.row, like.column] = True
        row = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
        flow = settle_ties(problem, answer, used[row, problem.school % used.shape[1]])
    return _compose(assignment, problem, answer, flow)


def _prefer_zones(
    assignment: Assignment, problem: TransportProblem, zones: Mapping[int, Ints]
) -> npt.NDArray[np.bool_]:
    """Return for each arc whether it leads to a school of the unit's current zone."""
    columns = assignment.columns
    width = len(columns.name)
    inside = np.zeros((len(assignment.cost), width), dtype=np.bool_)
    column_of = columns.of_school(len(columns.member))
    for unit, members in zones.items():
        inside[unit, column_of[members]] = True
    row = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
    found: npt.NDArray[np.bool_] = inside[assignment.rows.unit[row], problem.school % width]
    return found


def _compose(assignment: Assignment, problem: TransportProblem, answer: TransportAnswer, flow: Floats) -> Sent:
    width = len(assignment.columns.name)
    row = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
    used = flow > FLOW_TOLERANCE * problem.pupils[row]
    places = problem.places[:width]
    load = np.bincount(problem.school % width, weights=flow, minlength=width)
    over = np.where(np.isfinite(places), np.maximum(0.0, load - places), 0.0)
    over[over < 1e-6] = 0.0
    return Sent(
        row=row[used],
        column=(problem.school[used] % width).astype(np.int64),
        pupils=flow[used],
        over=over,
        price=answer.place_price[:width],
        objective=answer.objective,
        bound=answer.bound,
        answer=answer,
        problem=problem,
    )


def send_whole(assignment: Assignment, flow: Sent, *, seed: int = 0, time_limit_s: float | None = None) -> Sent:
    """Return whole rows sent to one column each: found by search, the bound is that of the solver or of the flow."""
    from planning.solvers.knapsack_bound import bound_whole_units
    from planning.solvers.whole_units import solve_whole_units

    problem = flow.problem or assignment.build_problem()
    effort: dict[str, Any] = {} if time_limit_s is None else {"time_limit_s": time_limit_s}
    answer = solve_whole_units(problem, transport=flow.answer, seed=seed, **effort)
    bound, _ = bound_whole_units(problem, float(answer.objective), time_limit_s=_BOUND_S, enough=1e-4)
    width = len(assignment.columns.name)
    row = np.flatnonzero(np.asarray(answer.school) >= 0)
    column = np.asarray(answer.school)[row].astype(np.int64) % width
    pupils = problem.pupils[row]
    load = np.bincount(column, weights=pupils, minlength=width)
    places = problem.places[:width]
    return Sent(
        row=row,
        column=column,
        pupils=pupils,
        over=np.where(np.isfinite(places), np.maximum(0.0, load - places), 0.0),
        price=flow.price,
        objective=float(answer.objective),
        bound=min(float(answer.objective), max(flow.bound, float(answer.bound), bound)),
        whole=True,
    )


def build_capacity_enrolment(ways: Ways, assignment: Assignment, sent: Sent) -> pd.DataFrame:
    """Return the enrolment: the table of :func:`planning.assignment.enrol_nearest` with origin ``"capacity"``.

    Rows without pupils (none live there, or their number is unknown) go to the nearest school allowed. Who can be sent
    nowhere is ``unreached``.
    """
    rows, columns = assignment.rows, assignment.columns
    total = np.bincount(sent.row, weights=sent.pupils, minlength=len(rows.unit))
    idle = np.flatnonzero(total <= 0)
    nearest, _ = assignment.nearest()
    row = np.concatenate([sent.row, idle])
    column = np.concatenate([sent.column, nearest[idle]])
    part = np.concatenate([sent.pupils / total[sent.row], np.ones(len(idle))])
    share = part * rows.share[row]
    placed = column >= 0
    counts = np.diff(columns.start)
    repeat = np.where(placed, counts[column], 1)
    at = np.repeat(np.arange(len(row)), repeat)
    offset = np.arange(len(at)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    inside = placed[at]
    member = np.where(inside, columns.start[column[at]] + offset, 0)
    school = np.where(inside, columns.member[member], -1)
    split = np.where(inside, columns.share[member], 1.0)
    origin = np.where(school >= 0, CAPACITY, UNREACHED).astype(object)
    return build_enrolment(ways, rows.unit[row][at], school, share[at] * split, origin)


def build_certificate(
    stage: str, assignment: Assignment, sent: Sent, costs: WayCosts, rule_prices: tuple[RulePrice, ...], seed: int = 0
) -> Certificate:
    """Return the certificate of an assignment."""
    value = max(sent.objective, sent.bound)
    closed = value - sent.bound <= OPTIMAL_GAP_SHARE * max(1.0, abs(value))
    travelled = float((assignment.cost[assignment.rows.unit[sent.row], sent.column] * sent.pupils).sum())
    pupils = float(sent.pupils.sum())
    if sent.whole:
        method = msg("Lagrangian bound for whole units, a knapsack per school, not below that of split units")
    else:
        method = msg("duality of the transport problem: prices of places prove that no assignment costs less")
    return Certificate(
        stage=stage,
        objective="travel",
        unit=costs.unit if assignment.rows.ranks == 1 else f"weighted {costs.unit}",
        value=value,
        bound=sent.bound,
        status="optimal" if closed else "feasible",
        method=method,
        stopped="proven" if closed else "rounds",
        seed=seed,
        overload_pupils=float(sent.over.sum()),
        mean_per_pupil=travelled / pupils if pupils else float("nan"),
        rule_prices=rule_prices,
    )


def price_rules(
    schools: pd.DataFrame,
    ways: Ways,
    costs: WayCosts,
    options: AssignmentOptions,
    low_grade_share: float,
    sent: Sent,
    flow: Sent,
) -> tuple[RulePrice, ...]:
    """Return what each rule in use costs: the objective against that of the problem solved again without it.

    All are solved with units that may be split: ``flow`` is that answer with the rules, ``sent`` the plan.
    """
    found = [_price_without_places(schools, ways, costs, options, low_grade_share, sent, flow)]
    if sent.whole:
        name = msg("without keeping units whole")
        found.append(_make_price("whole_units", name, sent, sent, flow.objective, flow.bound))
    rules: list[tuple[str, str, Message, bool]] = [
        ("travel_cap", "caps", msg("without the limit of travel"), options.travel_cap != "none"),
        ("closed", "closed", msg("without closed pairs of unit and school"), costs.closed is not None),
        ("barrier", "barriers", msg("without the barriers"), costs.crossing is not None),
    ]
    for rule, keyword, name, used in rules:
        if used:
            freed = build_assignment(schools, ways, costs, options, low_grade_share, **{keyword: False})
            without = send(_leave_out(freed, sent))
            found.append(_make_price(rule, name, sent, flow, without.objective, without.bound))
    if options.groups:
        apart = replace(options, groups=())
        without = send(_leave_out(build_assignment(schools, ways, costs, apart, low_grade_share), sent))
        found.append(_make_price("groups", msg("without shared zones"), sent, flow, without.objective, without.bound))
    return tuple(found)


def _leave_out(assignment: Assignment, sent: Sent) -> Assignment:
    """Return the problem without the rows that the plan could not send anywhere: only like is compared with like."""
    placed = np.zeros(len(assignment.rows.unit), dtype=np.bool_)
    placed[sent.row] = True
    rows = replace(assignment.rows, pupils=np.where(placed, assignment.rows.pupils, 0.0))
    return replace(assignment, rows=rows)


def _price_without_places(
    schools: pd.DataFrame,
    ways: Ways,
    costs: WayCosts,
    options: AssignmentOptions,
    low_grade_share: float,
    sent: Sent,
    flow: Sent,
) -> RulePrice:
    """Without places everybody goes to the cheapest school: no problem to solve."""
    assignment = build_assignment(schools, ways, costs, options, low_grade_share)
    column, least = assignment.nearest()
    at = (column >= 0) & (assignment.rows.pupils > 0)
    value = float((least[at] * assignment.rows.pupils[at] * assignment.rows.weight[at]).sum())
    return _make_price(
        CAPACITY, msg("without places: everybody at the nearest school allowed"), sent, flow, value, value
    )


def _make_price(rule: str, name: Message, sent: Sent, like: Sent, value: float, bound: float) -> RulePrice:
    """Return a price; ``like`` is the answer, with the rule, of the kind (split or whole) that ``value`` is of."""
    return RulePrice(
        rule=rule,
        name=name,
        value=value,
        bound=bound,
        saved=max(0.0, like.objective - value),
        saved_at_most=max(0.0, sent.objective - bound),
    )
