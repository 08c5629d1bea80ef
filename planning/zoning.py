"""Contiguous catchments: zones of whole planning units with a proof of how good they are.

Whole units, every zone in one piece with its school inside, places, travel limits, barriers, locks, a budget on moved
pupils, and objectives in the planner's order. What cannot be had is told as a conflict, never raised.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import Progress, StudyArea, no_progress
from planning.certificate import Certificate
from planning.conflicts import Conflict
from planning.feeders import FeederZones, choose_free_units
from planning.grandfather import build_stay_tables
from planning.rule_prices import bound_moved, bound_overload, bound_travel, compute_rule_prices
from planning.rules import Rules
from planning.solvers.problems import MOVED, ZoneAnswer, ZoneProblem
from planning.zone_graph import find_detached
from planning.zoning_case import Case, build_case, build_search_start, check_feeders, list_feeders, list_relaxed
from planning.zoning_checks import explain_budget, explain_shortage
from planning.zoning_facts import ZoneFacts, list_names
from planning.zoning_objectives import (
    FLOW_METHOD,
    SEARCH_SHARE,
    Phase,
    Search,
    Solved,
    ZoneSolver,
    build_certificates,
    solve_in_order,
)
from planning.zoning_problem import list_links
from planning.zoning_report import ENROLMENT_COLUMNS, ZONES_COLUMNS, build_enrolment, build_report, build_zones
from planning.zoning_report import ZoningReport as ZoningReport

if TYPE_CHECKING:
    from planning.enrolment import Limits
    from planning.scenario import Scenario

ROUNDS = 300
"""Rounds of the search where no time limit is given: then the same seed gives the same plan on every machine."""
GAP_SHARE = 1e-6

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ZoningAnswer:
    """Proposed zones, or the conflicts that stand against any; never both.

    ``zones``: unit_id, stage, school_id (several rows of a unit = shared zone). ``enrolment``: who goes where.
    ``certificate`` of the last objective, with those of the ``earlier`` ones in the planner's order (travel first where
    the planner did not name it: it decides what is left open); the price of every rule stands with travel.
    ``shortages``: places overrun at a price.
    """

    zones: pd.DataFrame
    enrolment: pd.DataFrame
    certificate: Certificate | None
    conflicts: tuple[Conflict, ...]
    report: ZoningReport
    shortages: tuple[Conflict, ...] = ()


def propose_zones(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    stage: str,
    *,
    limits: Limits | None = None,
    progress: Progress = no_progress,
    feeder_zones: pd.DataFrame | None = None,
    solve: ZoneSolver | None = None,
) -> ZoningAnswer:
    """Propose zones for one stage.

    Parameters
    ----------
    study, rules, scenario, stage
        ``scenario.zoning`` says what is wanted, ``scenario.assignment`` which rules hold.
    limits
        ``time_limit_s`` for everything together (None: a number of rounds, so that the answer depends on the seed
        alone), ``gap_share`` at which a search may stop, ``seed``.
    progress
        Told the step and the share done; may raise ``Cancelled``.
    feeder_zones
        Zones (unit_id, stage, school_id) just proposed for other stages, for feeders from ``"proposed"``.
    solve
        Another solver with the call of ``planning.solvers.zones.solve_zones``.

    Returns
    -------
    ZoningAnswer
        With zones, or with conflicts: a lock against another, a unit without a lawful school, a budget that cannot be
        kept, places that do not suffice where overrunning them is forbidden.
    """
    asked = limits or _no_limits()
    progress(msg("Gathering units, schools and borders"), 0.0)
    began = _start_clock(asked.time_limit_s, own_solver=solve is None)
    case = build_case(study, rules, scenario, stage, feeder_zones)
    if isinstance(case, Conflict):
        return _refuse(stage, (case,), ())
    if case.conflicts:
        return _refuse(stage, case.conflicts, (*case.facts.notes, *case.notes))
    search = Search(
        solver=solve or _find_solver(),
        deadline_s=None if asked.time_limit_s is None else began + SEARCH_SHARE * asked.time_limit_s,
        gap_share=GAP_SHARE if asked.gap_share is None else asked.gap_share,
        seed=asked.seed,
        rounds=ROUNDS,
        progress=progress,
        progress_start=0.05,
        progress_width=SEARCH_SHARE,
    )
    return _answer(case, search, None if asked.time_limit_s is None else began + asked.time_limit_s)


def _start_clock(time_limit_s: float | None, *, own_solver: bool) -> float:
    """Return when the time began to run: the first compilation on a machine takes half of it at most."""
    began = time.monotonic()
    if time_limit_s is not None and own_solver:
        from planning.solvers.zones import warm_up

        warm_up()
        began = max(began, time.monotonic() - 0.5 * time_limit_s)
    return began


def _no_limits() -> Limits:
    from planning.enrolment import Limits

    return Limits()


def _find_solver() -> ZoneSolver:
    from planning.solvers import zones

    found: ZoneSolver = zones.solve_zones
    return found


def _refuse(stage: str, conflicts: tuple[Conflict, ...], notes: tuple[Message, ...]) -> ZoningAnswer:
    return ZoningAnswer(
        pd.DataFrame(columns=list(ZONES_COLUMNS), dtype=str),
        pd.DataFrame(columns=list(ENROLMENT_COLUMNS)),
        None,
        conflicts,
        ZoningReport(stage, notes=notes),
    )


def _answer(case: Case, search: Search, deadline_s: float | None) -> ZoningAnswer:
    """Solve one stage and put the answer together."""
    scenario, facts = case.scenario, case.facts
    options = scenario.zoning
    problem = case.merge(case.problem)
    if case.merged:
        against = check_feeders(case, problem)
        if against:
            return _refuse(facts.stage, against, (*facts.notes, *case.notes))
    start = build_search_start(case, problem, search)
    solved = solve_in_order(
        problem,
        options.objectives,
        search,
        start=start,
        budget=options.max_moved_pupils,
    )
    zone = _expand(case, solved.answer)
    if case.feeders is not None and options.max_feeder_split_share > 0 and not solved.budget_missed:
        solved = _split_feeders(case, case.feeders, zone, search)
        zone, problem = solved.answer.school.astype(np.int64), case.problem
    against = _check_plan(case, solved, problem, zone)
    if against:
        return _refuse(facts.stage, against, (*facts.notes, *case.notes))
    late = replace(search, deadline_s=deadline_s)
    certificate = _certify(case, solved, problem, zone, late)
    search.progress(msg("Writing down the zones"), 0.98)
    return _compose(case, solved, problem, zone, certificate)


def _expand(case: Case, answer: ZoneAnswer) -> Ints:
    """Return the zone of every planning unit."""
    zone = np.asarray(answer.school, dtype=np.int64)
    return zone if case.feeders is None else zone[case.feeders.label]


def _split_feeders(case: Case, feeders: FeederZones, zone: Ints, search: Search) -> Solved:
    """Improve a plan of whole feeders by letting some of their units go elsewhere, up to the cap.

    The bounds are those of the problem without feeders, because the choice of the units is no proof.
    """
    options = case.scenario.zoning
    free = choose_free_units(case.problem, feeders.label, zone, options.max_feeder_split_share)
    locked = zone.copy()
    locked[free] = np.asarray(case.problem.locked)[free]
    problem = replace(case.problem, locked=locked.astype(np.int32))
    deadline_s = None if search.deadline_s is None else time.monotonic() + search.part_s(1.0)
    extra = replace(search, deadline_s=deadline_s)
    solved = solve_in_order(problem, options.objectives, extra, start=zone, budget=options.max_moved_pupils)
    floor = bound_travel(case.problem)
    phases = tuple(
        replace(phase, bound=floor if phase.name == "travel" else 0.0, method=FLOW_METHOD) for phase in solved.phases
    )
    return replace(solved, phases=phases)


def _check_plan(case: Case, solved: Solved, problem: ZoneProblem, zone: Ints) -> tuple[Conflict, ...]:
    """Return what makes a plan unlawful: pieces, the budget, overrun places where that is forbidden."""
    facts, scenario = case.facts, case.scenario
    answer = solved.answer
    if answer.status in ("infeasible", "no_plan_in_time") or (zone < 0).any():
        return (_build_not_found(answer.status),)
    if not case.merged:
        apart = find_detached(zone, list_links(facts)[0], facts.seat)
        if len(apart):
            return (_build_pieces(facts, apart),)
    budget = scenario.zoning.max_moved_pupils
    if solved.budget_missed and budget is not None:
        return (explain_budget(budget, float(answer.values[MOVED]), solved.least_moved),)
    if scenario.assignment.overload == "forbidden" and answer.overload_pupils > 1e-6:
        load = np.bincount(zone, facts.pupils, minlength=facts.n_zones).astype(np.float64)
        return tuple(explain_shortage(facts, load, bound_overload(problem), forbidden=True))
    return ()


def _build_not_found(status: str) -> Conflict:
    if status == "infeasible":
        what = msg("No zones exist that are each of one piece and keep all rules.")
    else:
        what = msg("No zones of one piece each were found in time; that does not prove that there are none.")
    return Conflict("connected", what, cure=msg("Give more time, release locks, or price the travel limit."))


def _build_pieces(facts: ZoneFacts, apart: Ints) -> Conflict:
    return Conflict(
        "connected",
        msg(
            "No zones were found in which these {count} units are joined to their school: {units}.",
            count=len(apart),
            units=list_names(facts.unit_names[apart]),
        ),
        tuple(str(unit) for unit in facts.ways.unit_ids[apart]),
        (),
        float(facts.pupils[apart].sum()),
        msg("Release a lock or a closed pair beside them, or give more time."),
    )


def _certify(case: Case, solved: Solved, problem: ZoneProblem, zone: Ints, search: Search) -> Certificate:
    """Return the certificate of the last objective, the earlier ones inside, rule prices with travel."""
    scenario = case.scenario
    phases = tuple(_bound_phase(phase, problem, solved.answer) for phase in solved.phases)
    certificates = build_certificates(
        replace(solved, phases=phases), problem, case.facts.stage, case.facts.costs.unit, search.seed
    )
    search.progress(msg("What each rule costs"), 0.05 + SEARCH_SHARE)
    relaxed = list_relaxed(case, solved.limits, zone)
    prices = compute_rule_prices(solved.travel, problem, solved.limits, relaxed, search, count=len(relaxed))
    told = tuple(replace(item, rule_prices=prices) if item.objective == "travel" else item for item in certificates)
    named = [name for name, _ in scenario.zoning.objectives]
    kept = [item for item in told if item.objective not in named] + [item for item in told if item.objective in named]
    return replace(kept[-1], earlier=tuple(kept[:-1]))


def _bound_phase(phase: Phase, problem: ZoneProblem, answer: ZoneAnswer) -> Phase:
    """Return the phase of moved pupils with the bound of the flow where that is better."""
    if phase.name != "moved":
        return phase
    bound = min(phase.value, bound_moved(problem, answer.overload_pupils))
    return phase if bound <= phase.bound else replace(phase, bound=bound, method=FLOW_METHOD)


def _compose(case: Case, solved: Solved, problem: ZoneProblem, zone: Ints, certificate: Certificate) -> ZoningAnswer:
    facts = case.facts
    notes = [*case.notes]
    years = staying = None
    if case.cohorts is not None:
        staying, years, told = build_stay_tables(facts, case.cohorts, zone)
        notes += told
    load = np.bincount(zone, facts.pupils, minlength=facts.n_zones).astype(np.float64)
    over = solved.answer.overload_pupils > 1e-6
    short = explain_shortage(facts, load, bound_overload(problem), forbidden=False) if over else []
    report = build_report(
        facts,
        zone,
        case.locks,
        np.asarray(solved.answer.values),
        entering_share=case.entering_share,
        years=years,
        staying=staying,
        feeders=None if case.feeders is None else list_feeders(case, case.feeders, zone),
        notes=tuple(notes),
    )
    return ZoningAnswer(
        build_zones(facts, zone), build_enrolment(facts, zone), certificate, (), report, shortages=tuple(short)
    )
