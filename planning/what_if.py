"""Small changes of a school network answered at once: a base solved once, each change re-optimised from it.

The base is the answer of ``run_scenario`` to one stage (``"nearest"``, ``"zones"`` or ``"capacity"``, with pupils split
where places ask for it). With places a change is the optimum again, proven by prices, and those who need not move stay
where they are (``planning.solvers.transport_warm``); else the units that it touches are enrolled anew by the same
functions. One thing is not as in ``run_scenario``: the mean pace that turns minutes into metres, where a matrix lacks
one of them, stays that of the base.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from geodata.errors import ScenarioError
from geodata.messages import msg
from geodata.study import Progress, StudyArea, no_progress
from planning.assignment import Ways, find_zone_schools
from planning.assignment_options import AssignmentOptions
from planning.capacity import build_assignment
from planning.conflicts import Conflict
from planning.projected_study import project_for
from planning.rules import Rules
from planning.scenario import Scenario
from planning.tables import build_stage_schools, build_ways
from planning.way_costs import WayCosts, build_way_costs
from planning.what_if_capacity import CapacityEngine
from planning.what_if_direct import DirectEngine, build_direct
from planning.what_if_entries import Ground, Solved, Sums, add_up, compose_answer
from planning.what_if_openings import WayRules, build_way_rules
from planning.what_if_types import NUMBERS as NUMBERS
from planning.what_if_types import RECEIVER_COLUMNS as RECEIVER_COLUMNS
from planning.what_if_types import SCHOOL_COLUMNS as SCHOOL_COLUMNS
from planning.what_if_types import Bools, Floats, Floats32, Ints
from planning.what_if_types import Change as Change
from planning.what_if_types import NewColumn as NewColumn
from planning.what_if_types import WhatIfAnswer as WhatIfAnswer

if TYPE_CHECKING:
    from planning.action_steps import Applied

MOVED_COLUMNS = ("unit_id", "name", "from_school_id", "to_school_id", "pupils", "min_before", "min_after", "beyond")


@dataclass(frozen=True, eq=False)
class WhatIf:
    """One stage of a study, ready for changes. Made by :func:`build_what_if`; safe to share between threads.

    ``unit_ids`` and ``school_ids`` are sorted; ``unit_names`` by unit; ``schools``: the table of
    ``planning.tables.build_stage_schools``. ``split``: the scenario keeps units whole, but what-ifs split them.
    ``open_way`` (units, schools): ways that the rules of the scenario allow. ``low_only`` (schools,) teaching points;
    ``small_below`` (schools,): pupils below which the rulebook calls a school small (NaN = it does not).
    """

    stage: str
    scenario: Scenario
    unit_ids: tuple[str, ...]
    unit_names: tuple[str, ...]
    school_ids: tuple[str, ...]
    schools: pd.DataFrame = field(repr=False)
    base: WhatIfAnswer = field(repr=False)
    split: bool
    ground: Ground = field(repr=False)
    engine: CapacityEngine | DirectEngine = field(repr=False)
    way_rules: WayRules = field(repr=False)
    open_way: Bools = field(repr=False)
    low_only: Bools = field(repr=False)
    small_below: Floats = field(repr=False)
    base_sums: Sums = field(repr=False)

    def answer(self, change: Change) -> WhatIfAnswer:
        """Return who goes where after the change. ``ScenarioError`` for ids that are not in the base."""
        if change.is_empty:
            return self.base
        closed, places = self._locate(change)
        solved = self.solve(change, closed, places)
        after = np.concatenate([self.ground.places, [column.places for column in change.opened]])
        for at, value in places.items():
            after[at] = value
        after[closed] = 0.0
        after[np.isinf(after)] = np.nan
        named = np.concatenate([closed, np.array(sorted(places), dtype=np.int64)])
        new = len(self.school_ids) + np.arange(len(change.opened))
        return compose_answer(
            self.ground, self.engine.base, self.base_sums, solved, change.opened, after, np.concatenate([named, new])
        )

    def solve(self, change: Change, closed: Ints, places: Mapping[int, float]) -> Solved:
        """Return the entries after a change; ``closed`` and ``places`` by position."""
        if isinstance(self.engine, DirectEngine):
            return self.engine.solve(closed, change.opened)
        return self.engine.solve(closed, places, [self.way_rules.build_opening(column) for column in change.opened])

    def find_schools(self, school_ids: Collection[str]) -> Ints:
        """Return positions; ``ScenarioError`` for ids that are not in the base."""
        at = pd.Index(self.school_ids).get_indexer(pd.Index(list(school_ids), dtype=object))
        strangers = [key for key, place in zip(school_ids, at, strict=True) if place < 0]
        if strangers:
            raise ScenarioError("not among the schools of the stage: " + ", ".join(sorted(strangers)[:5]))
        return np.sort(at.astype(np.int64))

    def _locate(self, change: Change) -> tuple[Ints, dict[int, float]]:
        """Return positions of the schools closed, and new places by position, after checks."""
        closed = self.find_schools(change.closed)
        places: dict[int, float] = {}
        for school_id, value in change.places:
            if value < 0:
                raise ScenarioError(f"places of {school_id} must be 0 or more")
            at = int(self.find_schools([school_id])[0])
            now = self.ground.places[at]
            same = value == now or (np.isnan(now) and not np.isfinite(value))
            if at not in closed and not same:
                places[at] = float(value)
        known = set(self.school_ids)
        for column in change.opened:
            if column.school_id in known:
                raise ScenarioError(f"there is a school {column.school_id} already")
            if len(column.time_min) != len(self.unit_ids) or len(column.length_m) != len(self.unit_ids):
                raise ScenarioError(f"the ways to {column.school_id} are not those of the units")
            known.add(column.school_id)
        return closed, places


def build_what_if(
    study: StudyArea, rules: Rules, scenario: Scenario, stage: str, *, progress: Progress = no_progress
) -> WhatIf | Conflict:
    """Return the base of what-ifs for one stage, or what stands against it.

    Enrolment ``"nearest"``, ``"zones"`` and ``"capacity"``; the actions of the scenario are applied first. With
    ``whole_units`` the units are split all the same (``WhatIf.split`` says so). Where the scenario names a variant, the
    study is projected first, as in ``run_scenario``.
    """
    study = project_for(study, scenario)
    plain, pins = scenario, None
    if scenario.all_actions:
        from planning.action_steps import apply_actions

        applied = apply_actions(study, rules, scenario)
        study, plain, pins = applied.study, applied.scenario, applied.pins
    against = _check(study, plain, stage)
    if against is not None:
        return against
    progress(msg("Assigning pupils within the places"), 0.0)
    schools = build_stage_schools(study, stage, plain.year)
    ways = build_ways(study, plain, schools)
    within = plain.enrolment == "capacity"
    judged = plain if within else replace(plain, assignment=AssignmentOptions())
    costs = build_way_costs(study, rules, judged, schools, ways, pins=pins)
    engine = _build_engine(study, plain, schools, ways, costs, progress)
    open_way = np.isfinite(costs.cost()) if within else np.isfinite(ways.time_min) | np.isfinite(ways.length_m)
    way_rules = build_way_rules(study, rules, judged, stage, ways, costs)
    ground = _build_ground(study, rules, plain, schools, ways, costs, way_rules)
    sums = add_up(ground, engine.base.entries, (), ground.places)
    nobody = np.zeros(0, dtype=np.int64)
    about = study.units.set_index("unit_id")["name"].reindex(ways.unit_ids).fillna("").astype(str)
    progress(msg("Done"), 1.0)
    return WhatIf(
        stage=stage,
        scenario=plain,
        unit_ids=tuple(map(str, ways.unit_ids)),
        unit_names=tuple(name or str(key) for key, name in zip(ways.unit_ids, about, strict=True)),
        school_ids=tuple(map(str, ways.school_ids)),
        schools=schools,
        base=compose_answer(ground, engine.base, sums, engine.base, (), ground.places, nobody),
        split=within and plain.assignment.whole_units,
        ground=ground,
        engine=engine,
        way_rules=way_rules,
        open_way=open_way,
        low_only=np.asarray(ways.low_only),
        small_below=_find_small_limits(rules, schools, plain.year),
        base_sums=sums,
    )


def _find_small_limits(rules: Rules, schools: pd.DataFrame, year: int | None) -> Floats:
    """Return the pupils below which each school is called small, NaN = no rule speaks."""
    found = [
        rules.limit(
            "min_school_pupils", str(row["stage"]), kind=str(row["kind"]), setting=str(row["setting"]), year=year
        )
        for _, row in schools.iterrows()
    ]
    return np.array([np.nan if limit is None else float(limit) for limit in found])


def _check(study: StudyArea, scenario: Scenario, stage: str) -> Conflict | None:
    """Return what stands against what-ifs."""
    from planning.run import check_stage

    if scenario.enrolment not in ("nearest", "zones", "capacity"):
        return Conflict(
            rule="no_zone",
            message=msg(
                "Changes can be tried at once only with the nearest school, with catchments, or within places."
            ),
            cure=msg("Choose another method of enrolment."),
        )
    against = check_stage(study, scenario, stage)
    return Conflict(rule="unreached", message=against[0]) if against else None


def _build_engine(
    study: StudyArea, scenario: Scenario, schools: pd.DataFrame, ways: Ways, costs: WayCosts, progress: Progress
) -> CapacityEngine | DirectEngine:
    stage = str(schools["stage"].iloc[0])
    zones = find_zone_schools(ways, study.zones[study.zones["stage"] == stage])
    if scenario.enrolment != "capacity":
        return build_direct(
            ways,
            zones,
            by_zones=scenario.enrolment == "zones",
            measure=scenario.measure,
            low_grade_share=scenario.low_grade_share,
            pins=costs.pins,
        )
    assignment = build_assignment(schools, ways, costs, scenario.assignment, scenario.low_grade_share)
    grouped = {key for _, members in scenario.assignment.groups for key in members}
    inside = [at for at, key in enumerate(ways.school_ids) if str(key) in grouped]
    cost = costs.cost() if inside else np.empty((0, 0))
    members = {at: cost[:, at].copy() for at in inside}
    return CapacityEngine(assignment, members, schools["capacity_places"].to_numpy(dtype=float), zones, progress)


def _build_ground(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    schools: pd.DataFrame,
    ways: Ways,
    costs: WayCosts,
    way_rules: WayRules,
) -> Ground:
    """Return what numbers are made of; limits are those of the measure asked for, else of the other one."""
    stage = str(schools["stage"].iloc[0])
    limited = costs
    measure: Literal["time", "length"] = costs.measure
    if not np.isfinite(costs.limit).any():
        measure = "length" if costs.measure == "time" else "time"
        other = replace(scenario, measure=measure, assignment=AssignmentOptions())
        found = build_way_costs(study, rules, other, schools, ways)
        if np.isfinite(found.limit).any() and found.measure == measure:
            limited = found
    by_time = limited.measure == "time"
    way = np.where(np.isinf(limited.travel), np.nan, limited.travel).astype(np.float32)
    settings = study.units.set_index("unit_id")["setting"].reindex(ways.unit_ids).fillna("").astype(str)
    wide = limited.limit.shape[1] > 1
    key = "max_travel_min" if by_time else "service_radius"
    by_setting = []
    for name in ("", "urban", "town", "rural"):
        limit = rules.limit(key, stage, setting=name, year=scenario.year)
        by_setting.append((name, np.inf if limit is None else float(limit)))
    return Ground(
        school_ids=tuple(map(str, ways.school_ids)),
        names=tuple(map(str, schools["name"])),
        pupils=ways.pupils,
        time_min=np.asarray(ways.time_min, dtype=np.float32),
        way=way,
        limit=limited.limit,
        own_limit=np.where((settings == "").to_numpy() & wide, np.nan, limited.limit[:, 0]),
        setting_limits=tuple(by_setting),
        places=schools["capacity_places"].to_numpy(dtype=np.float64),
        by_time=by_time,
    )


def compute_change(what_if: WhatIf, applied: Applied) -> Change | None:
    """Return actions as a change of the base, None where they do more than close, open and change places.

    ``what_if`` is of the study and the scenario without these actions. Actions on other stages, and beds, change
    nothing here.
    """
    stage = what_if.stage
    rows = applied.changes[applied.changes["stage"].isin([stage, ""])]
    if rows["what"].isin(["merged", "campus", "teaching_point", "moved", "bus"]).any():
        return None
    travel = applied.study.travel[what_if.scenario.mode]
    schools = build_stage_schools(applied.study, stage, what_if.scenario.year)
    if schools.empty:
        return Change(closed=frozenset(what_if.school_ids))
    after, before = schools.set_index("school_id"), what_if.schools.set_index("school_id")
    kept = [key for key in what_if.school_ids if key in after.index]
    if (after.loc[kept, "low_only"] != before.loc[kept, "low_only"]).any():
        return None
    places = after.loc[kept, "capacity_places"]
    moved = ~(
        (places == before.loc[kept, "capacity_places"]) | (places.isna() & before.loc[kept, "capacity_places"].isna())
    )
    column_of = {key: at for at, key in enumerate(travel.destination_ids)}
    seats = applied.study.schools.set_index("school_id")["unit_id"].to_dict()
    opened = [
        build_new_column(
            what_if,
            travel.time_min[:, column_of[str(key)]],
            travel.length_m[:, column_of[str(key)]],
            unit_ids=travel.unit_ids,
            school_id=str(key),
            name=str(row["name"]),
            places=float(row["capacity_places"]),
            setting=str(row["setting"]),
            seat=str(seats.get(key) or ""),
            low_only=bool(row["low_only"]),
        )
        for key, row in after.iterrows()
        if key not in before.index
    ]
    gone = frozenset(set(what_if.school_ids) - set(kept))
    if opened and what_if.scenario.enrolment == "zones":
        zoned = applied.study.zones.loc[applied.study.zones["stage"] == stage, "school_id"]
        if gone or not all(zoned.eq(column.school_id).any() for column in opened):
            return None  # whom a new school takes depends on the order of the actions
    return Change(
        closed=gone,
        places=tuple((str(key), float(places[key])) for key in places.index[moved]),
        opened=tuple(opened),
    )


def build_new_column(
    what_if: WhatIf,
    time_min: Floats32,
    length_m: Floats32,
    *,
    unit_ids: tuple[str, ...],
    school_id: str,
    name: str,
    places: float,
    setting: str = "",
    seat: str = "",
    low_only: bool = False,
) -> NewColumn:
    """Return a new school from ways in the order of ``unit_ids`` (those of ``study.travel``; others have no way)."""
    at = pd.Index(unit_ids, dtype=object).get_indexer(pd.Index(what_if.unit_ids, dtype=object))
    minutes, metres = (
        np.append(np.asarray(values, np.float32), np.float32(np.nan))[at] for values in (time_min, length_m)
    )
    return NewColumn(school_id, name, places, minutes, metres, low_only=low_only, setting=setting, seat=seat)


def list_receivers(what_if: WhatIf, answer: WhatIfAnswer, closed: Collection[str]) -> pd.DataFrame:
    """Return the schools that take the pupils of some schools: ``RECEIVER_COLUMNS``, most pupils first.

    ``mean_min`` and ``max_min`` of the pupils who come from those schools. Pupils who reach no school: id ``""``.
    """
    origins = what_if.find_schools(closed)
    at = np.flatnonzero(np.isin(answer.flow_from, origins))
    flows = pd.DataFrame(
        {
            "school": answer.flow_to[at],
            "pupils_added": answer.flow_pupils[at],
            "spent": answer.flow_pupils[at] * answer.flow_min_after[at],
            "timed": np.where(np.isfinite(answer.flow_min_after[at]), answer.flow_pupils[at], 0.0),
            "max_min": np.where(answer.flow_pupils[at] > 0, answer.flow_min_after[at], np.nan),
        }
    )
    groups = flows.groupby("school")
    found = groups[["pupils_added", "spent", "timed"]].sum().join(groups["max_min"].max()).reset_index()
    table = answer.schools.iloc[np.maximum(found["school"].to_numpy(dtype=int), 0)].reset_index(drop=True)
    lost = (found["school"] < 0).to_numpy()
    result = pd.DataFrame(
        {
            "school_id": table["school_id"].mask(lost, ""),
            "name": table["name"].mask(lost, ""),
            "pupils_added": found["pupils_added"],
            "pupils_before": table["pupils_before"].mask(lost),
            "pupils_after": table["pupils_after"].mask(lost),
            "places": table["places_after"].mask(lost),
            "mean_min": found["spent"] / found["timed"].where(found["timed"] > 0),
            "max_min": found["max_min"],
        }
    )
    return result.sort_values(["pupils_added", "school_id"], ascending=[False, True], kind="stable", ignore_index=True)


def sum_shares(what_if: WhatIf, answer: WhatIfAnswer) -> pd.Series:
    """Return the pupils by (unit_id, school_id) after an answer of this base; ``""`` = they reach no school."""
    entries, pupils = what_if.engine.base.entries, np.nan_to_num(what_if.ground.pupils)
    parts = (
        (entries.unit, entries.school, entries.share * pupils[entries.unit]),
        (answer.flow_unit, answer.flow_from, -answer.flow_pupils),
        (answer.flow_unit, answer.flow_to, answer.flow_pupils),
    )
    unit, school, count = (np.concatenate(column) for column in zip(*parts, strict=True))
    table = pd.DataFrame(
        {
            "unit_id": np.array(what_if.unit_ids, dtype=object)[unit],
            "school_id": np.array([*answer.school_ids, ""], dtype=object)[school],
            "pupils": count,
        }
    )
    return table.groupby(["unit_id", "school_id"])["pupils"].sum()


def list_moved(what_if: WhatIf, answer: WhatIfAnswer) -> pd.DataFrame:
    """Return the moves: ``MOVED_COLUMNS``, most pupils first; ``beyond``: the new way is beyond the limit."""
    ids, units = np.array([*answer.school_ids, ""], dtype=object), answer.flow_unit
    table = pd.DataFrame(
        {
            "unit_id": np.array(what_if.unit_ids, dtype=object)[units],
            "name": np.array(what_if.unit_names, dtype=object)[units],
            "from_school_id": ids[answer.flow_from],
            "to_school_id": ids[answer.flow_to],
            "pupils": answer.flow_pupils,
            "min_before": answer.flow_min_before,
            "min_after": answer.flow_min_after,
            "beyond": answer.flow_beyond_after,
        },
        columns=list(MOVED_COLUMNS),
    )
    return table.sort_values(["pupils", "unit_id"], ascending=[False, True], kind="stable", ignore_index=True)
