"""One stage made ready for zoning: facts, locks, feeders, problem and start; and the same without single rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.conflicts import Conflict
from planning.feeders import FeederZones, build_feeders, list_joint_seats, measure_splits, merge_units, note_feeders
from planning.grandfather import Cohorts, build_cohorts
from planning.rule_prices import Relaxed, build_transport
from planning.rules import Rules
from planning.solvers.problems import MOVED, ZoneProblem
from planning.tables import build_stage_schools
from planning.zoning_checks import check_zones
from planning.zoning_facts import ZoneFacts, build_zone_facts
from planning.zoning_objectives import Search
from planning.zoning_problem import (
    Locks,
    build_locks,
    build_start,
    build_zone_problem,
    compute_zone_cost,
    drop_locks,
    find_current_zones,
)

if TYPE_CHECKING:
    from planning.scenario import Scenario

FEEDING_STAGE = {"junior": "primary"}
"""Stage whose zones make up the zones of a stage (对口直升)."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Case:
    """One stage, ready to be solved. ``label`` numbers the feeder of every unit (each its own where there are none)."""

    facts: ZoneFacts
    scenario: Scenario
    locks: Locks
    problem: ZoneProblem
    start: Ints | None
    cohorts: Cohorts | None
    feeders: FeederZones | None
    notes: tuple[Message, ...]
    conflicts: tuple[Conflict, ...] = ()

    @property
    def entering_share(self) -> Floats | None:
        """Share of the entering grade by school, with grandfathering."""
        return None if self.cohorts is None else self.cohorts.entering_share

    @property
    def merged(self) -> bool:
        """Whether the units of the search are whole feeders."""
        return self.feeders is not None

    def merge(self, problem: ZoneProblem) -> ZoneProblem:
        """Return the problem by unit of the search."""
        return problem if self.feeders is None else merge_units(problem, self.feeders.label)


def build_case(
    study: StudyArea, rules: Rules, scenario: Scenario, stage: str, feeder_zones: pd.DataFrame | None
) -> Case | Conflict:
    """Return the problem of one stage with what stands against it."""
    options = scenario.zoning
    facts = build_zone_facts(study, rules, scenario, stage)
    if not facts.n_zones:
        return Conflict(
            "unreached",
            msg("Only teaching points teach this stage; zones need a complete school."),
            cure=msg("Add a complete school."),
        )
    feeders: FeederZones | None = None
    joint: tuple[tuple[str, ...], ...] = ()
    if options.feeders != "none" and stage in FEEDING_STAGE:
        table = feeder_zones if options.feeders == "proposed" else study.zones
        table = study.zones.iloc[:0] if table is None else table
        feeding = build_stage_schools(study, FEEDING_STAGE[stage], scenario.year)
        points = feeding.loc[feeding["low_only"], "school_id"]
        table = table[(table["stage"] == FEEDING_STAGE[stage]) & ~table["school_id"].isin(points)]
        if table.empty:
            return Conflict(
                "lock",
                msg("There are no primary zones to make junior zones of."),
                cure=msg("Load a table of zones for primary schools, or propose primary zones in the same run."),
            )
        feeders = build_feeders(facts.ways.unit_ids, table)
        ids = [tuple(str(facts.ways.school_ids[at]) for at in zone) for zone in facts.members]
        joint = list_joint_seats(feeders.label, facts.seat, facts.held, ids)
        facts = build_zone_facts(study, rules, scenario, stage, joint=joint) if joint else facts
    names = dict(zip(facts.schools["school_id"], facts.schools["name"], strict=True))
    notes = () if feeders is None else tuple(note_feeders(feeders, joint, names))
    cost = compute_zone_cost(facts)
    cohorts = build_cohorts(study, stage, facts.ways.school_ids, scenario.year) if options.grandfather else None
    start = build_start(facts, options, cost)
    base = start
    if base is None or options.start == "capacity":
        today = find_current_zones(facts, cost)
        base = np.where(today >= 0, today, cost.argmin(axis=1))
    locks = build_locks(facts, options, base, cost)
    entering = None if cohorts is None else cohorts.entering_share
    problem = build_zone_problem(facts, cost, locks, entering_share=entering)
    conflicts = list(locks.conflicts) or check_zones(facts, problem, locks)
    if problem.moved is None and _asks_for_moved(scenario):
        conflicts.append(_build_no_zones())
    return Case(facts, scenario, locks, problem, start, cohorts, feeders, notes, tuple(conflicts))


def _asks_for_moved(scenario: Scenario) -> bool:
    options = scenario.zoning
    return (
        options.max_moved_pupils is not None
        or options.start == "current"
        or options.grandfather
        or any(name == "moved" for name, _ in options.objectives)
    )


def _build_no_zones() -> Conflict:
    return Conflict(
        "budget",
        msg("Pupils moved cannot be counted: no current zones are given for this stage."),
        cure=msg("Load a table of zones, or leave out what refers to current zones."),
    )


def check_feeders(case: Case, problem: ZoneProblem) -> tuple[Conflict, ...]:
    """Return the feeders of which no school may take every unit, or whose units are locked to several."""
    assert case.feeders is not None
    label = case.feeders.label
    held = np.flatnonzero(case.problem.locked >= 0)
    pairs = np.column_stack([label[held], case.problem.locked[held]])
    placed = np.flatnonzero(case.facts.seat >= 0)
    pairs = np.unique(np.vstack([pairs, np.column_stack([label[case.facts.seat[placed]], placed])]), axis=0)
    several = np.flatnonzero(np.bincount(pairs[:, 0], minlength=case.feeders.count) > 1)
    if len(several):
        return tuple(_build_torn(case, case.feeders, int(at)) for at in several)
    lost = np.flatnonzero(~np.isfinite(problem.cost).any(axis=1))
    return tuple(
        Conflict(
            "closed",
            msg(
                "No school is allowed to every unit of the feeder zone {feeder}.",
                feeder=case.feeders.keys[at],
            ),
            tuple(str(unit) for unit in case.facts.ways.unit_ids[case.feeders.label == at]),
            (),
            float(problem.pupils[at]),
            msg("Price the travel limit, open the closed pairs, or let feeder zones be split."),
        )
        for at in lost
    )


def _build_torn(case: Case, feeders: FeederZones, at: int) -> Conflict:
    return Conflict(
        "lock",
        msg("Units of the feeder zone {feeder} are locked to several schools.", feeder=feeders.keys[at]),
        tuple(str(unit) for unit in case.facts.ways.unit_ids[feeders.label == at]),
        (),
        float(case.problem.pupils[feeders.label == at].sum()),
        msg("Release a lock, or let feeder zones be split."),
    )


def build_search_start(case: Case, problem: ZoneProblem, search: Search) -> Ints | None:
    """Return the plan that the search begins with, by unit of the search."""
    start = case.start
    if case.scenario.zoning.start == "capacity":
        from planning.solvers.whole_units import solve_whole_units

        transport = build_transport(problem, np.asarray(problem.cost))
        answer = solve_whole_units(transport, seed=search.seed, time_limit_s=search.part_s(0.25, least_s=2.0))
        return np.asarray(answer.school, dtype=np.int64)
    if start is None or case.feeders is None:
        return start
    # A feeder starts where most of its pupils start.
    label, zones = case.feeders.label, problem.n_schools
    weight = np.maximum(case.facts.pupils, 1e-6)
    table = np.bincount(label * zones + start, weight, minlength=problem.n_units * zones)
    table = np.where(np.isfinite(problem.cost), table.reshape(problem.n_units, zones), -1.0)
    merged: Ints = table.argmax(axis=1).astype(np.int64)
    return merged


def list_relaxed(case: Case, limits: Floats, zone: Ints) -> list[Callable[[], Relaxed]]:
    """Return makers of the problem without each rule that the planner put in force."""
    assignment, options = case.scenario.assignment, case.scenario.zoning
    entering = case.entering_share

    def build(rule: str, name: Message, **left_out: bool) -> Callable[[], Relaxed]:
        def make() -> Relaxed:
            cost = compute_zone_cost(case.facts, **left_out)
            barriers = left_out.get("barriers", True)
            fine = build_zone_problem(case.facts, cost, case.locks, barriers=barriers, entering_share=entering)
            return Relaxed(rule, name, case.merge(fine), limits)

        return make

    def without_locks() -> Relaxed:
        fine = build_zone_problem(
            case.facts, compute_zone_cost(case.facts), drop_locks(case.facts), entering_share=entering
        )
        return Relaxed("lock", msg("locked units and schools"), case.merge(fine), limits)

    def without_budget() -> Relaxed:
        open_limits = limits.copy()
        open_limits[MOVED] = np.inf
        return Relaxed("budget", msg("the budget of moved pupils"), case.merge(case.problem), open_limits)

    def without_feeders() -> Relaxed:
        return Relaxed("feeders", msg("zones made of feeder zones"), case.problem, limits, zone)

    found: list[Callable[[], Relaxed]] = []
    if assignment.travel_cap != "none":
        found.append(build("travel_cap", msg("the travel limit"), caps=False))
    if assignment.closed and case.facts.costs.closed is not None:
        found.append(build("closed", msg("pairs of unit and school that are closed"), closed=False))
    if assignment.barriers:
        found.append(build("barrier", msg("barriers that are not crossed"), barriers=False))
    if options.locked_schools or any(stage == case.facts.stage for _, stage, _ in options.locks):
        found.append(without_locks)
    if options.max_moved_pupils is not None:
        found.append(without_budget)
    if case.feeders is not None and not case.scenario.zoning.max_feeder_split_share:
        found.append(without_feeders)
    return found


def list_feeders(case: Case, feeders: FeederZones, zone: Ints) -> pd.DataFrame:
    """Return feeder, school_ids of its main zone, pupils, outside_share."""
    facts = case.facts
    ids = facts.zone_ids()
    pupils = np.bincount(feeders.label, facts.pupils, minlength=feeders.count)
    weight = np.maximum(facts.pupils, 1e-6)
    table = np.bincount(feeders.label * facts.n_zones + zone, weight, minlength=feeders.count * facts.n_zones)
    main = table.reshape(feeders.count, facts.n_zones).argmax(axis=1)
    return pd.DataFrame(
        {
            "feeder": list(feeders.keys),
            "school_ids": [ids[at] for at in main],
            "pupils": pupils,
            "outside_share": measure_splits(facts.pupils, feeders.label, zone),
        }
    )
