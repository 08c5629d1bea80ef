"""What a closure must answer: who goes where, how long the way becomes, who must ride or board, what it frees."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from geodata.study import StudyArea
from planning.closure_findings import Finding, find_closure_findings
from planning.closure_flows import build_flows, build_grade_mix
from planning.closure_rides import build_rides
from planning.closure_tables import (
    COMMUNITY_COLUMNS,
    GRADE_COLUMNS,
    RECEIVER_COLUMNS,
    Leavers,
    build_communities,
    build_grades,
    build_receivers,
    sum_known,
)
from planning.rules import Rules
from planning.scenario import Scenario
from planning.tables import StageTables, choose_year

if TYPE_CHECKING:
    from planning.action_steps import Applied

__all__ = [
    "ASSETS",
    "COMMUNITY_COLUMNS",
    "GRADE_COLUMNS",
    "RECEIVER_COLUMNS",
    "ClosureAnswer",
    "Finding",
    "build_closures",
]

ASSETS = ("site_area_m2", "floor_area_m2", "places", "classes", "boarding_places")
"""What a closure may free; sites, floors and beds only where the whole school goes."""
_TAKING = ("closed", "merged", "teaching_point", "stages")
"""What of ``Applied.changes`` may take pupils from a school."""


@dataclass(frozen=True, eq=False)
class ClosureAnswer:
    """One stage of one school that closes, is merged, is dropped, or keeps the low grades only.

    Parameters
    ----------
    number
        Place of the action in ``scenario.all_actions``, from 1.
    what
        ``closed``, ``merged``, ``teaching_point`` or ``stages``.
    pupils, roll_pupils
        Those who leave: by the model, and on the roll (NaN unknown).
    receivers, communities, grades
        See ``planning.closure_tables``: ``RECEIVER_COLUMNS``, ``COMMUNITY_COLUMNS``, ``GRADE_COLUMNS``.
    bus_seats_needed, bus_seats
        For all who take a line of the plan, and all beyond the limit of the rules for whom a ride is short enough
        (also those who might board instead); by receiving school no fewer than the smallest school bus has. What the
        lines of the plan offer: NaN where one does not say.
    beds_needed, beds_free
        For all beyond the limit who may board (also those who might ride instead), and the beds of the receiving
        schools in the plan: at most so many are free, because today's boarders are not known; NaN unknown.
    assets
        ``ASSETS`` that become free; NaN unknown, 0 where nothing does. What belongs to the school as a whole stands
        with its first stage only.
    findings
        What the rules and the gaps in the data say.
    """

    number: int
    what: str
    school_id: str
    name: str
    stage: str
    pupils: float
    roll_pupils: float
    receivers: pd.DataFrame
    communities: pd.DataFrame
    grades: pd.DataFrame
    bus_seats_needed: float
    bus_seats: float
    beds_needed: float
    beds_free: float
    assets: Mapping[str, float]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Leaving:
    """One stage of one school that an action takes away."""

    number: int
    what: str
    school_id: str
    stage: str


def build_closures(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    applied: Applied,
    before: Sequence[StageTables],
    after: Sequence[StageTables],
) -> tuple[ClosureAnswer, ...]:
    """Return one answer per school and stage that leaves, in the order of the actions.

    Parameters
    ----------
    study, scenario
        Today's study, and the scenario with its actions.
    applied
        The plan after the actions: its study and bus lines.
    before, after
        Tables of the scenario's stages without and with the actions.

    Notes
    -----
    Campuses are no closures: nobody has to move. Where two actions take the same stage away, the one that takes effect
    later counts; a stage that comes back, and an action in error, have no answers. A stage in which nobody could be
    sent to school has none either.
    """
    then = {tables.stage: tables for tables in after}
    found: list[ClosureAnswer] = []
    told: set[str] = set()
    for leaving, tables in _find_leaving(applied, before, then):
        if not (tables.modelled and then[leaving.stage].modelled):
            continue
        leavers = _build_leavers(study, rules, scenario, applied, tables, then[leaving.stage], leaving)
        found.append(_build_answer(leavers, leaving, whole=leaving.school_id not in told))
        told.add(leaving.school_id)
    return tuple(found)


def _find_leaving(
    applied: Applied, before: Sequence[StageTables], after: Mapping[str, StageTables]
) -> list[tuple[_Leaving, StageTables]]:
    """Return what the plan takes away in the end, by what was carried out: an action in error takes nothing."""
    known = {tables.stage: tables for tables in before}
    last: dict[tuple[str, str], tuple[_Leaving, StageTables]] = {}
    for number, what, school_id, stage in applied.changes[["number", "what", "school_id", "stage"]].itertuples(
        index=False, name=None
    ):
        if what not in _TAKING or stage not in known or stage not in after:
            continue
        left = after[stage].schools.set_index("school_id")["low_only"]
        gone = bool(left.get(school_id, False)) if what == "teaching_point" else school_id not in left.index
        if gone and known[stage].schools["school_id"].eq(school_id).any():
            last[school_id, stage] = (_Leaving(int(number), str(what), str(school_id), str(stage)), known[stage])
    return sorted(last.values(), key=lambda item: item[0].number)


def _build_leavers(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    applied: Applied,
    before: StageTables,
    after: StageTables,
    leaving: _Leaving,
) -> Leavers:
    mix = build_grade_mix(study, leaving.stage, leaving.school_id, scenario.year)
    flows = build_flows(before, after, leaving.school_id, low_grade_share=scenario.low_grade_share, mix=mix)
    rides = build_rides(study, applied.study, rules, scenario, leaving.stage, flows, applied.bus, mix)
    return Leavers(study, applied.study, rules, before, after, flows, rides, mix, applied.bus, scenario.year)


def _build_answer(leavers: Leavers, leaving: _Leaving, *, whole: bool) -> ClosureAnswer:
    school: Any = leavers.schools_before.loc[leaving.school_id]
    receivers = build_receivers(leavers)
    communities, grades = build_communities(leavers), build_grades(leavers)
    roll = _count_roll(leavers, leaving, float(school["actual_pupils"]))
    rides = leavers.rides
    seats = receivers["bus_seats_needed"].sum(skipna=False) if len(receivers) else 0.0
    return ClosureAnswer(
        number=leaving.number,
        what=leaving.what,
        school_id=leaving.school_id,
        name=str(school["name"]),
        stage=leaving.stage,
        pupils=sum_known(leavers.pupils),
        roll_pupils=roll,
        receivers=receivers,
        communities=communities,
        grades=grades,
        bus_seats_needed=float(seats),
        bus_seats=float(receivers["bus_seats"].sum(skipna=False)) if len(receivers) else 0.0,
        beds_needed=leavers.count(rides.ride_or_board + rides.must_board),
        beds_free=float(receivers["beds"].sum(min_count=1)) if len(receivers) else math.nan,
        assets=_count_assets(leavers, leaving.school_id, whole=whole),
        findings=find_closure_findings(leavers, leaving.what, str(school["name"]), roll, receivers),
    )


def _count_roll(leavers: Leavers, leaving: _Leaving, roll: float) -> float:
    """Return who leaves by the roll: all, or of a new teaching point the grades above the low ones."""
    if leaving.what != "teaching_point":
        return roll
    rolls = leavers.study.rolls
    rows = rolls[(rolls["school_id"] == leaving.school_id) & (rolls["stage"] == leaving.stage)]
    rows = rows[rows["year"] == (choose_year(rolls, leaving.stage, leavers.year) or 0)]
    upper = [grade for grade, low in zip(leavers.mix.grades, leavers.mix.low, strict=True) if not low]
    return float(rows.loc[rows["grade"].isin(upper), "pupils"].sum(min_count=1))


def _count_assets(leavers: Leavers, school_id: str, *, whole: bool) -> dict[str, float]:
    """Return what becomes free: places and classes of the stage, and what the school leaves behind if it goes whole."""
    found = {}
    for name, column in (("places", "capacity_places"), ("classes", "classes")):
        now, then = (schools[column] for schools in (leavers.schools_before, leavers.schools_after))
        freed = float(now[school_id]) - float(then.get(school_id, 0.0))
        found[name] = math.nan if math.isnan(freed) else max(0.0, freed)
    gone = whole and school_id not in set(leavers.changed.schools["school_id"])
    row: Any = leavers.study.schools.set_index("school_id").loc[school_id]
    for name in ("site_area_m2", "floor_area_m2", "boarding_places"):
        found[name] = float(row.get(name, math.nan)) if gone else 0.0
    return {name: found[name] for name in ASSETS}
