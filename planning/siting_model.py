"""The case as a numeric problem: who may go where at what cost, the ways, and the rules over them; and its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from geodata.messages import Message, msg
from geodata.study import FrozenArrays, Progress, no_progress
from planning.siting_case import SitingCase
from planning.siting_sides import Side, list_sides
from planning.siting_ways import SitingWays, build_siting_ways
from planning.solvers.location_problems import SitingProblem, SitingSolution
from planning.solvers.problems import Bools, Floats, Ints, Schools
from planning.solvers.siting_solve import breaks_sides, evaluate_ways, solve_siting

NEAR_FACILITIES = 30
"""Facilities that a row may be sent to: its nearest ones within the limit, and its school of today."""
CONVENTION_MIN = 60.0
"""Nobody is sent farther where no rule limits the way, unless the way is longer today: a convention of this project."""
TIME_TIE_MIN = 1e-3
SCALE = 1e-3
"""Problems count in thousand yuan, so that numbers stay near one another."""
LACKING_PUPILS = 1e-3
"""Fewer pupil-years without a place than this are rounding."""
PARTS = ("travel", "building", "running", "moved", "empty", "unplaced")


@dataclass(frozen=True)
class Mix:
    """How much each part of the stated mix counts: 1 as stated, 0 not at all."""

    travel: float = 1.0
    moved: float = 1.0
    building: float = 1.0
    running: float = 1.0
    empty: float = 1.0


STATED = Mix()


@dataclass(frozen=True, eq=False)
class SitingModel(FrozenArrays):
    """Arcs, ways and rules of a case.

    Parameters
    ----------
    row_start, facility : shape (rows + 1,), (arcs,)
        Where each row may be sent, nearest first.
    arc_min, arc_moved : shape (arcs,)
        Minutes; share of the row for whom it is another school than today's.
    beyond : shape (arcs,)
        Whether the way is longer than the limit.
    stuck : shape (rows,)
        Rows that no school or site lies within the limit of, whatever is decided.
    near
        The bound is of this many nearest schools and sites of each row, because lawful ways beyond them are left out;
        0: none is.
    """

    case: SitingCase
    ways: SitingWays
    sides: tuple[Side, ...]
    row_start: Ints
    facility: Schools
    arc_min: Floats
    arc_moved: Floats
    beyond: Bools
    stuck: Bools
    near: int = 0

    @property
    def arc_row(self) -> Ints:
        """Row of each arc."""
        return np.repeat(np.arange(len(self.row_start) - 1), np.diff(self.row_start))


@dataclass(frozen=True, eq=False)
class Solved(FrozenArrays):
    """An answer in yuan over the horizon.

    ``way`` (facilities,); ``flow`` (periods, arcs of the model); ``unplaced`` (rows, periods); ``parts`` by
    ``PARTS``; ``value`` and ``bound`` of the mix asked for, without the price of pupils who have no place where there
    are none.
    """

    way: Ints
    flow: Floats
    unplaced: Floats
    parts: Mapping[str, float]
    value: float
    bound: float
    status: str
    stopped: str
    seconds: float
    least_unplaced: float
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def lawful(self) -> bool:
        """Whether all rules hold: everybody has a place, and every school its least pupils."""
        lacking = float(self.facts.get("lacking_pupils", 0.0))  # type: ignore[arg-type]
        known = self.status in ("optimal", "feasible")
        return known and float(self.unplaced.sum()) + lacking <= LACKING_PUPILS

    @property
    def gap_share(self) -> float:
        """Return the proven distance from the best possible."""
        if self.value <= self.bound:
            return 0.0
        return (self.value - self.bound) / abs(self.value) if self.value else float("inf")


def build_siting_model(case: SitingCase, *, near: int | None = NEAR_FACILITIES, capped: bool = True) -> SitingModel:
    """Return arcs, ways and rules; ``near`` None: all facilities; ``capped`` False: without the limit of travel."""
    minutes = case.minutes
    allowed, stuck = _allow(case, minutes, capped)
    lawful = int(allowed.sum())
    if near is not None and minutes.shape[1] > near:
        ranked = np.where(allowed, minutes, np.inf)
        cut = np.partition(ranked, near - 1, axis=1)[:, near - 1 : near]
        allowed &= (minutes <= cut) | (case.home > 0)
    row, facility = np.nonzero(allowed)
    order = np.lexsort((facility, minutes[row, facility], row))
    row, facility = row[order], facility[order]
    ways = build_siting_ways(case)
    arc_min = minutes[row, facility]
    return SitingModel(
        case=case,
        ways=ways,
        sides=list_sides(case, ways, row, facility, arc_min),
        row_start=np.searchsorted(row, np.arange(case.n_rows + 1)).astype(np.int64),
        facility=facility.astype(np.int32),
        arc_min=arc_min,
        arc_moved=np.where(case.home[row, facility] > 0, 0.0, 1.0),
        beyond=arc_min > case.cap_min[row] + TIME_TIE_MIN,
        stuck=stuck,
        near=near if near is not None and len(row) < lawful else 0,
    )


def _allow(case: SitingCase, minutes: Floats, capped: bool) -> tuple[Bools, Bools]:
    """Return who may go where (rows, facilities), and who is beyond the limit whatever is decided.

    Within the limit; and no farther than today for those whom it cannot hold for: ways to today's school, and those
    not longer than to the nearest school of today. That is, where no school of today lies within a limit of the
    rulebook; where no school or site at all lies within one that is asked for; and where no rule speaks and
    ``CONVENTION_MIN`` stands in its place, for everybody.
    """
    there = np.isfinite(minutes)
    if not capped:
        return there, np.zeros(len(minutes), dtype=np.bool_)
    ruled = np.isfinite(case.cap_min)
    within = there & (minutes <= np.where(ruled, case.cap_min, CONVENTION_MIN)[:, None] + TIME_TIE_MIN)
    stuck = ~within.any(axis=1)
    now = np.where(case.facilities.is_site[None, :], np.inf, minutes).min(axis=1, initial=np.inf)
    least = minutes.min(axis=1, initial=np.inf)
    today = there & ((minutes <= np.where(np.isfinite(now), now, least)[:, None] + TIME_TIE_MIN) | (case.home > 0))
    far_today = now > case.cap_min + TIME_TIE_MIN
    within |= today & (stuck | ~ruled | (far_today & ~case.strict))[:, None]
    return np.asarray(within), np.asarray(stuck & ruled)


def tell_limits(model: SitingModel) -> list[Message]:
    """Return who is beyond the limit of travel whatever is decided, and for whom no rule has one."""
    case = model.case
    notes = []
    stuck = float(case.pupils[model.stuck].max(axis=1).sum()) if model.stuck.any() else 0.0
    if stuck > 0:
        notes.append(
            msg(
                "{pupils:,.0f} pupils have neither a school nor a site within the limit of travel, whatever is decided:"
                " for them it is that no way gets longer than to today's nearest school.",
                pupils=stuck,
            )
        )
    free = ~np.isfinite(case.cap_min)
    if free.any():
        notes.append(
            msg(
                "No rule limits the way of {pupils:,.0f} pupils: nobody of them is sent farther than {limit:,.0f} min,"
                " or than today where that is longer (a convention; ask for a limit of your own).",
                pupils=float(case.pupils[free].sum(axis=0).max()),
                limit=CONVENTION_MIN,
            )
        )
    if model.near:
        notes.append(
            msg(
                "Everybody may be sent to the {count} nearest schools and sites within the limit, and to today's"
                " school. The proof holds for these ways; a plan with longer ones could cost less than the bound.",
                count=model.near,
            )
        )
    return notes


def compute_arc_cost(model: SitingModel, mix: Mix = STATED) -> Floats:
    """Return yuan per pupil and year of each arc: the way, and that another school than today's is new to the child."""
    weights = model.case.options.weights
    travel = weights.travel_cny_per_pupil_hour * weights.trips_per_year / 60.0 * model.arc_min
    cost: Floats = mix.travel * travel + mix.moved * weights.moved_cny_per_pupil * model.arc_moved
    return cost + mix.empty * compute_idle_cost(model)


def compute_idle_cost(model: SitingModel) -> Floats:
    """Return yuan per pupil and year of arcs to schools whose places do not count: a public place stays empty.

    With it the places that pupils fill are a constant (``find_offset``), whoever goes where.
    """
    facilities = model.case.facilities
    outside = facilities.fixed | ~np.isfinite(facilities.places)
    return np.where(outside[model.facility], model.case.options.weights.empty_cny_per_place_year, 0.0)


def compute_way_cost(model: SitingModel, mix: Mix = STATED) -> Floats:
    """Return yuan over the horizon of each way; of empty places all that stand, filled ones being a constant."""
    ways, weights = model.ways, model.case.options.weights
    money = mix.building * weights.building * ways.building_cny + mix.running * weights.running * ways.running_cny
    cost: Floats = money + mix.empty * ways.empty_cny
    return cost


def find_offset(model: SitingModel, mix: Mix = STATED) -> float:
    """Return the constant of the empty places: those that pupils fill, in yuan, to be taken off."""
    filled = float(model.case.pupils.sum(axis=0) @ model.case.year_weight)
    return -mix.empty * model.case.options.weights.empty_cny_per_place_year * filled


def build_siting_problem(
    model: SitingModel,
    *,
    mix: Mix = STATED,
    sides: tuple[Side, ...] | None = None,
    way_cost: Floats | None = None,
) -> tuple[SitingProblem, Ints]:
    """Return the numeric problem, and the arc of the model that each of its arcs is.

    ``sides`` replaces the rules of the model; ``way_cost`` (yuan) replaces the cost of the mix.
    """
    case, ways = model.case, model.ways
    cost = compute_arc_cost(model, mix) * SCALE
    order = np.lexsort((model.facility, cost, model.arc_row))
    rules = model.sides if sides is None else sides
    whole = (compute_way_cost(model, mix) if way_cost is None else way_cost) * SCALE
    spread = np.ptp(whole) if len(whole) else 0.0
    fill = np.where(case.facilities.fixed[ways.owner], 1.0, case.options.rules.fill_share)[:, None]
    room = 2.0 * float(case.pupils.sum(axis=0).max(initial=0.0)) + 1.0
    price = 10.0 * (1.0 + float(cost.max(initial=0.0)) * float(case.year_weight.max())) + 2.0 * float(spread)
    # The constant is put on all ways of one facility, so that gaps are shares of the value that is told.
    whole = whole + np.where(ways.owner == 0, find_offset(model, mix) * SCALE, 0.0)
    problem = SitingProblem(
        row_start=model.row_start,
        facility=model.facility[order],
        arc_cost=cost[order],
        pupils=case.pupils,
        period_weight=case.year_weight,
        way_start=ways.start,
        way_cost=whole,
        way_places=np.minimum(ways.places * fill, room),
        way_least_pupils=ways.least_pupils,
        side_start=np.cumsum([0, *(len(side.way) for side in rules)]).astype(np.int64),
        side_way=np.concatenate([side.way for side in rules]).astype(np.int64) if rules else np.empty(0, np.int64),
        side_value=np.concatenate([side.value for side in rules]) if rules else np.empty(0),
        side_limit=np.array([side.limit for side in rules], dtype=np.float64),
        side_name=tuple(side.name for side in rules),
        overload_price=price,
    )
    return problem, order


@dataclass(frozen=True)
class Effort:
    """How hard to search for one answer."""

    time_limit_s: float | None = None
    gap_share: float = 0.001
    seed: int = 0


def solve_model(
    model: SitingModel,
    effort: Effort,
    *,
    mix: Mix = STATED,
    extra: tuple[Side, ...] = (),
    start: Ints | None = None,
    progress: Progress = no_progress,
) -> Solved:
    """Return the best plan of a mix under the rules of the model and ``extra`` ones."""
    problem, order = build_siting_problem(model, mix=mix, sides=(*model.sides, *extra))
    answer = solve_siting(
        problem,
        time_limit_s=effort.time_limit_s,
        gap_share=effort.gap_share,
        seed=effort.seed,
        start=start,
        progress=progress,
    )
    if answer.status == "no_plan_in_time":
        known = problem.way_start[:-1] if start is None else start
        if not breaks_sides(problem, known).any():  # nothing better was found than what was known before
            fallback = evaluate_ways(problem, known)
            answer = replace(fallback, bound=answer.bound, status="feasible", stopped="time", seconds=answer.seconds)
    return read_solution(model, problem, order, answer, mix)


def keep_schools(model: SitingModel) -> Solved:
    """Return what sending the children anew does alone: today's schools, the best flow of the stated mix."""
    problem, order = build_siting_problem(model, mix=STATED, sides=model.sides)
    return read_solution(model, problem, order, evaluate_ways(problem, problem.way_start[:-1]))


def read_solution(
    model: SitingModel, problem: SitingProblem, order: Ints, answer: SitingSolution, mix: Mix = STATED
) -> Solved:
    """Return a solution in the arcs of the model and in yuan."""
    flow = np.zeros(answer.flow.shape)
    flow[:, order] = answer.flow
    price = float(answer.unplaced.sum()) * problem.overload_price / SCALE
    return Solved(
        way=answer.way,
        flow=flow,
        unplaced=answer.unplaced,
        parts=compute_parts(model, answer.way, flow, price),
        value=answer.objective / SCALE,
        bound=answer.bound / SCALE,
        status=answer.status,
        stopped=answer.stopped,
        seconds=answer.seconds,
        least_unplaced=answer.least_unplaced,
        facts=dict(answer.facts),
    )


def compute_parts(model: SitingModel, way: Ints, flow: Floats, unplaced_cny: float = 0.0) -> dict[str, float]:
    """Return the stated mix by part, in yuan over the horizon."""
    case, ways, weights = model.case, model.ways, model.case.options.weights
    yearly = case.year_weight @ flow
    travel, moved = (compute_arc_cost(model, mix) for mix in (Mix(moved=0.0, empty=0.0), Mix(travel=0.0, empty=0.0)))
    empty = float(ways.empty_cny[way].sum()) + float(yearly @ compute_idle_cost(model)) + find_offset(model)
    return {
        "travel": float(yearly @ travel),
        "building": weights.building * float(ways.building_cny[way].sum()),
        "running": weights.running * float(ways.running_cny[way].sum()),
        "moved": float(yearly @ moved),
        "empty": empty,
        "unplaced": unplaced_cny,
    }


def evaluate_plan(model: SitingModel, way: Ints, bound: float) -> Solved:
    """Return what ways cost by the stated mix, pupils sent as it is best by it; ``bound`` (yuan) is handed on."""
    problem, order = build_siting_problem(model)
    answer = evaluate_ways(problem, way)
    solved = read_solution(model, problem, order, answer)
    return replace(solved, bound=bound, status="feasible")
