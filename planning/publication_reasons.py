"""Why a community goes where the proposal sends it, in words that a resident can check.

A reason has up to three sentences: what the proposal does (a school closes, opens, is merged …), where the community
goes and whether that is the nearest school, and the planner's note on the action. It holds no counts of pupils.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from planning.actions import Action, AddBusLine, MoveUnits
from planning.compare_units import SAME_MIN
from planning.scenario import Scenario
from planning.tables import StageTables

if TYPE_CHECKING:
    from planning.run import Outcome

PLACE_TOLERANCE = 0.5
Told = tuple[Message, Action | None]


@dataclass(frozen=True, eq=False)
class _Case:
    """What the reasons of one stage are told from.

    ``ended``: schools that teach the stage before and not after, with what became of them; ``opened``, ``points``: new
    schools, and schools that keep their low grades only, by the action; ``moved``, ``buses``: actions by unit.
    ``nearest``: id and minutes of each unit's nearest school after; ``full``: schools without a free place after.
    """

    scenario: Scenario
    before: Outcome
    names: Mapping[str, str]
    ended: dict[str, Told] = field(default_factory=dict)
    opened: dict[str, Action | None] = field(default_factory=dict)
    points: dict[str, Action | None] = field(default_factory=dict)
    moved: dict[str, MoveUnits] = field(default_factory=dict)
    buses: dict[str, AddBusLine] = field(default_factory=dict)
    nearest: dict[str, tuple[str, float]] = field(default_factory=dict)
    full: frozenset[str] = frozenset()

    def name(self, school_id: str) -> str | Message:
        """What a school is called; one without a name by its number."""
        name = self.names.get(school_id, "").strip()
        return name if name and name != school_id else msg("School no. {number}", number=school_id)

    def say(self, school_ids: list[str]) -> tuple[str | Message, ...]:
        """What schools are called, for a sentence."""
        return tuple(map(self.name, school_ids))


def build_reasons(baseline: Outcome, proposal: Outcome, units: pd.DataFrame, ways: pd.DataFrame) -> list[Message]:
    """Return the reason of every row of ``units`` (``planning.publication.UNIT_COLUMNS``).

    Parameters
    ----------
    ways
        ``WAY_COLUMNS`` of the same units.
    """
    if units.empty:
        return []
    after = ways[ways["side"] == "after"]
    found: dict[tuple[str, str], list[Any]] = {}
    for way in after.itertuples(index=False):
        found.setdefault((str(way.stage), str(way.unit_id)), []).append(way)
    cases = {stage: _build_case(baseline, proposal, str(stage)) for stage in units["stage"].unique()}
    return [
        _tell_unit(cases[row.stage], row, found.get((str(row.stage), str(row.unit_id)), []))
        for row in units.itertuples(index=False)
    ]


def _build_case(baseline: Outcome, proposal: Outcome, stage: str) -> _Case:
    before, after = (_find_stage(outcome, stage) for outcome in (baseline, proposal))
    names = {
        str(key): str(name)
        for tables in (before, after)
        for key, name in zip(tables.schools["school_id"], tables.schools["name"], strict=True)
    }
    case = _Case(proposal.scenario, baseline, names, full=_find_full(after), nearest=_find_nearest(after))
    taught = [set(tables.schools["school_id"].astype(str)) for tables in (before, after)]
    actions = proposal.scenario.all_actions
    changes = proposal.changes[proposal.changes["stage"].isin(["", stage])]
    for number, row in zip(changes["number"].astype(int), changes.itertuples(index=False), strict=True):
        _read_change(case, row, actions[number - 1], stage)
    for key in sorted(taught[0] - taught[1]):
        case.ended.setdefault(key, (msg("{school} does not teach this stage any more.", school=case.name(key)), None))
    for key in taught[0] & taught[1]:
        case.ended.pop(key, None)
    for key in sorted(taught[1] - taught[0]):
        case.opened.setdefault(key, None)
    return case


def _find_stage(outcome: Outcome, stage: str) -> StageTables:
    return next(tables for tables in outcome.stages if tables.stage == stage)


def _find_nearest(tables: StageTables) -> dict[str, tuple[str, float]]:
    rows = tables.units[["unit_id", "nearest_school_id", "nearest_time_min"]]
    return {str(unit): (str(school or ""), float(minutes)) for unit, school, minutes in rows.itertuples(index=False)}


def _find_full(tables: StageTables) -> frozenset[str]:
    schools = tables.schools
    free = schools["capacity_places"].astype(float) - schools["modelled_pupils"].astype(float)
    return frozenset(schools.loc[free < 1.0 + PLACE_TOLERANCE, "school_id"].astype(str))


def _read_change(case: _Case, row: Any, action: Action, stage: str) -> None:
    """Take note of one row of ``planning.action_state.CHANGE_COLUMNS``."""
    key, into = str(row.school_id), [part for part in str(row.into or "").split(";") if part]
    if row.what == "merged" and into:
        case.ended[key] = (
            msg("{school} is merged into {into}.", school=case.name(key), into=case.say(into)),
            action,
        )
    elif row.what in ("closed", "merged"):
        case.ended[key] = (msg("{school} closes.", school=case.name(key)), action)
    elif row.what == "stages":
        case.ended[key] = (msg("{school} does not teach this stage any more.", school=case.name(key)), action)
    elif row.what == "teaching_point":
        case.points[key] = action
    elif row.what == "opened":
        case.opened[key] = action
    if row.what == "moved" and isinstance(action, MoveUnits) and action.stage == stage:
        case.moved.update(dict.fromkeys(action.unit_ids, action))
    if row.what == "bus" and isinstance(action, AddBusLine):
        case.buses.update(dict.fromkeys(action.unit_ids, action))


def _tell_unit(case: _Case, row: Any, ways: list[Any]) -> Message:
    cause, action = _find_cause(case, row) if row.changed else (None, None)
    parts = [part for part in (cause, *_tell_place(case, row, ways)) if part is not None]
    bus = case.buses.get(str(row.unit_id))
    if bus is not None and bus.school_id in str(row.after_ids).split(";"):
        parts.append(msg("A school bus runs to {school}.", school=case.name(bus.school_id)))
    if action is not None and action.comment.strip():
        parts.append(msg("Note on the proposal: {comment}.", comment=action.comment.strip().rstrip(".。；;")))
    return _join(parts)


def _join(parts: list[Message]) -> Message:
    whole = parts[0]
    for part in parts[1:]:
        whole = msg("{first} {second}", first=whole, second=part)
    return whole


def _find_cause(case: _Case, row: Any) -> tuple[Message | None, Action | None]:
    """Return what of the proposal sends a community to another school, and the action."""
    before, after = (_split(value) for value in (row.before_ids, row.after_ids))
    moved = case.moved.get(str(row.unit_id))
    if moved is not None:
        return msg("The proposal assigns this community to {schools}.", schools=case.say(list(moved.school_ids))), moved
    for key in before:
        if key in case.ended:
            return case.ended[key]
    for key in before:
        if key in case.points:
            return msg("{school} becomes a teaching point for grades 1 to 3.", school=case.name(key)), case.points[key]
    for key in after:
        if key in case.opened and key not in before:
            return msg("{school} opens.", school=case.name(key)), case.opened[key]
    bus = case.buses.get(str(row.unit_id))
    if bus is not None and bus.school_id in after:
        return None, bus
    return _tell_knock_on(case, row, before, after), None


def _tell_knock_on(case: _Case, row: Any, before: list[str], after: list[str]) -> Message | None:
    """Return why a community moves whose own schools stay as they are."""
    method = case.scenario.enrolment
    full = [key for key in before if key in case.full]
    if method == "zoning":
        if case.before.scenario.enrolment != "zoning":
            return msg("The catchments are drawn anew.")
        return msg("The catchments are drawn anew after the changes at other schools.")
    if method == "capacity":
        near, near_min = case.nearest.get(str(row.unit_id), ("", float("nan")))
        if near in case.full and near not in after and float(row.min_after) - near_min >= SAME_MIN:
            return None  # told where the nearest school is
        if full:
            return msg("The places of {schools} do not suffice for all who live around.", schools=case.say(full))
        return msg("The places of the county are shared out anew.")
    if method == "choice":
        return msg("What families choose shifts with the changes at other schools.")
    if case.before.scenario.enrolment != method:
        return msg("Today’s catchments no longer decide.") if method == "nearest" else msg("The catchments decide.")
    return msg("The changes at other schools reach this community too.")


def _tell_place(case: _Case, row: Any, ways: list[Any]) -> Iterator[Message]:
    """Yield where a community goes in the proposal, and whether it is the nearest."""
    if not ways:
        yield msg("No school of this stage can be reached.")
        return
    by_grades: dict[str, list[str]] = {}
    for way in ways:
        by_grades.setdefault(str(way.grades), []).append(str(way.school_id))
    if "all" not in by_grades:
        yield from _tell_grades(case, by_grades)
        return
    here = by_grades["all"]
    near, near_min = case.nearest.get(str(row.unit_id), ("", float("nan")))
    names = case.say(here)
    if len(here) > 1:
        yield _say_several(case, names, changed=bool(row.changed))
        if near and near not in here:
            yield from _tell_gap(case, near, min(float(way.time_min) for way in ways) - near_min)
        return
    gap = float(ways[0].time_min) - near_min
    if near == here[0] or abs(gap) < SAME_MIN:
        if row.changed:
            yield msg("It goes to {school}, the nearest school in the proposal.", school=names[0])
        else:
            yield msg("It stays at {school}, the nearest school.", school=names[0])
        return
    yield msg("It goes to {school}.", school=names[0]) if row.changed else msg("It stays at {school}.", school=names[0])
    if near:
        yield from _tell_gap(case, near, gap)


def _say_several(case: _Case, names: tuple[str | Message, ...], *, changed: bool) -> Message:
    if case.scenario.enrolment == "zones":
        return msg("It belongs to the shared catchment of {schools}.", schools=names)
    if changed:
        return msg("It is divided between {schools}.", schools=names)
    return msg("It stays divided between {schools}.", schools=names)


def _tell_grades(case: _Case, by_grades: dict[str, list[str]]) -> Iterator[Message]:
    """Yield where the grades go apart: a teaching point takes the low ones only."""
    low, upper = by_grades.get("low", []), by_grades.get("upper", [])
    if low and upper:
        yield msg("Grades 1 to 3 go to {low}, the upper grades to {upper}.", low=case.say(low), upper=case.say(upper))
    elif low:
        yield msg("Grades 1 to 3 go to {low}; the upper grades reach no school.", low=case.say(low))
    else:
        yield msg("The upper grades go to {upper}; grades 1 to 3 reach no school.", upper=case.say(upper))
    points = [key for key in low if key not in upper and key not in case.points]
    if points and upper:
        yield msg("A teaching point takes grades 1 to 3 only: {schools}.", schools=case.say(points))


def _tell_gap(case: _Case, near: str, gap: float) -> Iterator[Message]:
    """Yield by how much another school would be nearer, and why it is not that one."""
    if not np.isfinite(gap) or gap < SAME_MIN:
        return
    name, minutes = case.name(near), max(1.0, np.floor(gap + 0.5))
    method = case.scenario.enrolment
    if method in ("capacity", "zoning") and near in case.full:
        yield msg(
            "{school} would be {minutes:.0f} min nearer, but its places do not suffice for all who live around.",
            school=name,
            minutes=minutes,
        )
    elif method == "zones":
        yield msg(
            "{school} would be {minutes:.0f} min nearer, but has another catchment.", school=name, minutes=minutes
        )
    elif method == "zoning":
        yield msg(
            "{school} would be {minutes:.0f} min nearer; catchments are drawn so that each is of one piece and has"
            " places for all.",
            school=name,
            minutes=minutes,
        )
    elif method == "choice":
        yield msg(
            "{school} would be {minutes:.0f} min nearer, but families are seen to choose otherwise.",
            school=name,
            minutes=minutes,
        )
    else:
        yield msg("{school} would be {minutes:.0f} min nearer.", school=name, minutes=minutes)


def _split(ids: object) -> list[str]:
    return [part for part in str(ids).split(";") if part]
