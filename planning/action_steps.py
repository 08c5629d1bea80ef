"""Actions applied, one after the other, to a copy of the study; everything wrong with them gathered, in words.

Order
    Actions take effect by year, those without a year first; actions of one year in the order of the list. Each is
    checked against the plan that those before it leave. One with an error is left out, the others are applied.
What belongs to a school
    The units of its zone, where the study has zones of the stage; else those to which it is the nearest school, in the
    mode and measure of the scenario. A teaching point has the low grades of these, a complete school the rest.
Closing
    The school leaves places and zones. Its units go where the method of enrolment sends them.
Merging
    The units go to the schools that take over and nowhere else: their zones name the nearest of these; where zones do
    not decide, they are pinned to them (``planning.pins``). A unit that cannot reach any of them goes where it can.
    As a campus nothing moves: places are pooled where they count, and the schools form one group.
Places and classes
    Classes that are not given follow the places at the class size of today, else of the rulebook, rounded up. Planned
    classes replace those counted in the rolls.
Opening
    Ways to the new school are measured (``geodata.new_schools``). With ``takes="nearest"`` the zones of a stage give it
    every unit to which it is nearer than the nearest school of the unit's zone.
Buses
    A unit of the line takes the shorter of its own time and the ride; metres stay those of its own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from geodata.new_schools import NewPoint, add_school_travel
from geodata.study import StudyArea, compute_digest
from planning.action_schools import close_school, merge_schools
from planning.action_sites import find_place, open_school
from planning.action_sizes import add_boarding, change_places, change_stages, make_teaching_point
from planning.action_state import BUS_COLUMNS as BUS_COLUMNS
from planning.action_state import CHANGE_COLUMNS as CHANGE_COLUMNS
from planning.action_state import ActionProblem as ActionProblem
from planning.action_state import PlanSoFar
from planning.action_ways import add_bus_line, move_units
from planning.actions import Action, OpenSchool
from planning.pins import PIN_COLUMNS as PIN_COLUMNS
from planning.rules import Rules
from planning.scenario import Scenario

_STEPS: Mapping[str, Any] = {
    "close": close_school,
    "merge": merge_schools,
    "teaching_point": make_teaching_point,
    "places": change_places,
    "stages": change_stages,
    "open": open_school,
    "move": move_units,
    "boarding": add_boarding,
    "bus": add_bus_line,
}


@dataclass(frozen=True, eq=False)
class Applied:
    """The plan after the actions.

    Parameters
    ----------
    study
        The changed copy; closed schools are gone, new ones are there. Where no action is in force, the study itself.
    scenario
        Without actions; with the groups and locks that they imply.
    pins
        ``planning.pins.PIN_COLUMNS``: units that go to these schools and nowhere else.
    changes
        ``CHANGE_COLUMNS``, one row per action, school and stage (``""`` = the whole school), in the order in which they
        take effect. ``what``: closed, merged, campus, teaching_point, places, stages, opened, boarding, bus, moved.
        ``kind_after`` is ``""`` where the school is gone. ``into``: ids joined by ``;`` (merged, campus, moved).
        Boarding: places are beds. Bus and moved: the units stand in ``bus`` and in the action.
    bus
        ``BUS_COLUMNS``: minutes by each bus line; ``seats`` of the whole line, NaN = not given.
    problems
        Everything found, by number of the action.
    in_force
        By ``all_actions``: whether the action holds in the year asked about (and was applied, unless in error).
    """

    study: StudyArea
    scenario: Scenario
    pins: pd.DataFrame
    changes: pd.DataFrame
    bus: pd.DataFrame
    problems: tuple[ActionProblem, ...] = ()
    in_force: tuple[bool, ...] = ()

    @property
    def errors(self) -> tuple[ActionProblem, ...]:
        """The problems that stand against a plan."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def apply_actions(study: StudyArea, rules: Rules, scenario: Scenario) -> Applied:
    """Return the study after the actions of ``scenario`` that are in force, and every problem; never raises for ids."""
    state, order, in_force = _begin(study, rules, scenario)
    for number, action in order:
        state.number, state.action, state.failed = number, action, False
        _STEPS[action.kind](state, action)
    applied = [(number, replace(action, comment="")) for number, action in order if number not in _find_failed(state)]
    changed = state.study
    if applied:
        digest = compute_digest(study.fingerprint, scenario.mode, scenario.measure, rules.fingerprint, repr(applied))
        changed = _tidy(replace(state.study, fingerprint=digest))
    return Applied(
        study=changed if applied else study,
        scenario=_build_scenario(state, changed, scenario),
        pins=state.list_pins(),
        changes=_build_changes(state),
        bus=_build_bus(state),
        problems=tuple(sorted(state.problems, key=lambda problem: problem.number)),
        in_force=in_force,
    )


def check_actions(study: StudyArea, rules: Rules, scenario: Scenario) -> tuple[ActionProblem, ...]:
    """Return what is wrong with the actions of a scenario, each checked against the plan so far."""
    return apply_actions(study, rules, scenario).problems


def list_in_force(scenario: Scenario) -> tuple[bool, ...]:
    """Return, by ``all_actions``, whether an action holds in the year asked about."""
    asked = scenario.year
    return tuple(asked is None or action.year is None or action.year <= asked for action in scenario.all_actions)


def tell_problem(problem: ActionProblem) -> Message:
    """Return a problem in one sentence, with the number of the action and the cure."""
    if problem.cure is None:
        return msg("Action {number}: {problem}", number=problem.number, problem=problem.message)
    return msg("Action {number}: {problem} {cure}", number=problem.number, problem=problem.message, cure=problem.cure)


def _begin(
    study: StudyArea, rules: Rules, scenario: Scenario
) -> tuple[PlanSoFar, list[tuple[int, Action]], tuple[bool, ...]]:
    """Return the plan before the first action, the actions in the order in which they hold, and which are in force."""
    in_force = list_in_force(scenario)
    numbered = [
        (number, action)
        for number, (action, holds) in enumerate(zip(scenario.all_actions, in_force, strict=True), start=1)
        if holds
    ]
    order = sorted(numbered, key=lambda item: (item[1].year is not None, item[1].year or 0))
    names = study.schools.set_index("school_id")["name"].fillna("").astype(str).to_dict()
    state = PlanSoFar(
        study=study,
        rules=rules,
        scenario=replace(scenario, actions=(), inherited=()),
        names={str(key): name for key, name in names.items()},
        later={action.school_id: number for number, action in order if isinstance(action, OpenSchool)},
    )
    _measure_new_schools(state, [action for _, action in order if isinstance(action, OpenSchool)])
    return state, order, in_force


def _measure_new_schools(state: PlanSoFar, openings: list[OpenSchool]) -> None:
    """Add the ways to all new schools at once, so that the travel matrices are copied only once.

    A column without a school in the table is nobody's way. What is wrong with a place is told when its turn comes.
    """
    points: dict[str, NewPoint] = {}
    quiet = replace(state)  # its notes are thrown away
    quiet.problems = []
    for number, action in enumerate(openings, start=1):
        quiet.number, quiet.action = number, action
        place = find_place(quiet, action)
        if place is not None and action.school_id not in state.names and action.school_id not in points:
            points[action.school_id] = NewPoint(
                action.school_id, action.name, "primary", place.x_m, place.y_m, site_id=action.site_id
            )
    if points:
        state.put(travel=add_school_travel(state.study, list(points.values())).travel)


def _find_failed(state: PlanSoFar) -> set[int]:
    return {problem.number for problem in state.problems if problem.severity == "error"}


def _tidy(study: StudyArea) -> StudyArea:
    """Return the study with its tables in one order, whatever the order of the actions."""
    return replace(
        study,
        places=study.places.sort_values(["school_id", "stage"], kind="stable", ignore_index=True),
        zones=study.zones.sort_values(["stage", "unit_id", "school_id"], kind="stable", ignore_index=True),
    )


def _build_scenario(state: PlanSoFar, study: StudyArea, scenario: Scenario) -> Scenario:
    """Return the scenario without actions, with the groups and locks that they imply, and without what is gone."""
    plain = replace(scenario, actions=(), inherited=())
    if not state.changes:
        return plain
    assignment, zoning = scenario.assignment, scenario.zoning
    groups = _join_groups([*assignment.groups, *state.groups])
    kept = [(name, tuple(key for key in ids if _may_pool(state, key))) for name, ids in groups]
    locks = [row for row in zoning.locks if (row[0], row[1]) not in state.locks]
    locks += [(unit, stage, school) for (unit, stage), school in sorted(state.locks.items())]
    taught = set(zip(study.places["school_id"], study.places["stage"], strict=True))
    kept_locks = [row for row in locks if (row[2], row[1]) not in state.closed or (row[2], row[1]) in taught]
    return replace(
        plain,
        assignment=replace(assignment, groups=tuple((name, ids) for name, ids in kept if ids)),
        zoning=replace(zoning, locks=tuple(kept_locks)),
    )


def _join_groups(groups: list[tuple[str, tuple[str, ...]]]) -> list[tuple[str, tuple[str, ...]]]:
    """Return groups without common schools: those that share one are joined under the first name."""
    found: list[tuple[str, set[str]]] = []
    for name, ids in groups:
        name, members = name, set(ids)
        for other in [item for item in found if item[1] & members]:
            found.remove(other)
            name, members = other[0], members | other[1]
        found.append((name, members))
    used: dict[str, int] = {}
    result = []
    for name, members in found:
        used[name] = used.get(name, 0) + 1
        result.append((name if used[name] == 1 else f"{name} {used[name]}", tuple(sorted(members))))
    return result


def _may_pool(state: PlanSoFar, school_id: str) -> bool:
    return state.is_open(school_id) and not state.is_low_only(school_id, "primary")


def _build_changes(state: PlanSoFar) -> pd.DataFrame:
    table = pd.DataFrame(state.changes, columns=list(CHANGE_COLUMNS))
    words = ("school_id", "name", "stage", "what", "kind_before", "kind_after", "into")
    counts = ("places_before", "places_after", "classes_before", "classes_after", "x_m", "y_m")
    types: dict[str, Any] = {
        **dict.fromkeys(words, str),
        **dict.fromkeys(counts, np.float64),
        "number": np.int64,
        "year": "Int64",
    }
    return table.astype(types)


def _build_bus(state: PlanSoFar) -> pd.DataFrame:
    table = pd.DataFrame(state.bus, columns=list(BUS_COLUMNS))
    return table.astype(
        {"number": np.int64, "unit_id": str, "school_id": str, "time_min": np.float64, "seats": np.float64}
    )
