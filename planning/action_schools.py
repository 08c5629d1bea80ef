"""Actions that take schools away: closing and merging."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.messages import msg
from planning.action_checks import check_left, check_school
from planning.action_state import BANDS, Catchment, PlanSoFar, derive_kind, name_stages
from planning.actions import CloseSchool, MergeSchools
from planning.assignment import Ways
from planning.scenario import name_stage


def close_school(state: PlanSoFar, action: CloseSchool) -> None:
    """Close a school, or some of its stages."""
    stages = _find_leaving(state, action.school_id, action.stages)
    if stages is None or not check_left(state, [action.school_id], stages):
        return
    _end_stages(state, action.school_id, stages, "closed", "")


def _find_leaving(state: PlanSoFar, school_id: str, stages: tuple[str, ...]) -> list[str] | None:
    """Return the stages that leave a school: those named, else all; None (and a note) where one is not there."""
    if not check_school(state, school_id):
        return None
    wrong = [stage for stage in stages if not check_school(state, school_id, stage)]
    if wrong:
        return None
    return list(stages) or state.find_stages(school_id)


def _end_stages(state: PlanSoFar, school_id: str, stages: list[str], what: str, into: str) -> None:
    """Record and carry out the end of stages of a school."""
    rest = [stage for stage in state.find_stages(school_id) if stage not in stages]
    kind = derive_kind(state.kind(school_id), rest) if rest else ""
    for stage in stages:
        state.record(school_id, stage, what, kind_after=kind, places_after=0.0, classes_after=0.0, into=into)
    if not stages:  # a school without places of any stage
        state.record(school_id, "", what, kind_after="", into=into)
    state.drop_stages(school_id, stages, kind)


def merge_schools(state: PlanSoFar, action: MergeSchools) -> None:
    """Merge schools into others: their units go there and nowhere else; or make them campuses of one school."""
    leaving = {key: _find_leaving(state, key, action.stages) for key in action.school_ids}
    takers = [check_school(state, key) for key in action.into]
    if not all(takers) or any(stages is None for stages in leaving.values()):
        return
    ending = {key: stages for key, stages in leaving.items() if stages is not None}
    if action.as_campus:
        _make_campuses(state, action, ending)
        return
    if not _check_takers(state, action, ending):
        return
    every = sorted({stage for stages in ending.values() for stage in stages})
    for stage in every:
        check_left(state, [key for key in ending if stage in ending[key]], [stage])
    if state.failed:
        return
    if state.scenario.enrolment in ("choice", "zoning"):
        _warn_free(state)
    for key, stages in ending.items():
        for stage in stages:
            _hand_over(state, key, stage, action.into)
        _end_stages(state, key, stages, "merged", ";".join(action.into))


def _warn_free(state: PlanSoFar) -> None:
    if state.scenario.enrolment == "choice":
        state.warn(msg("Where families choose, a merger acts as a closure: nobody is told where to go."))
    else:
        state.warn(msg("New zones are drawn for everybody: the units of a merged school may come to another one."))


def _check_takers(state: PlanSoFar, action: MergeSchools, ending: dict[str, list[str]]) -> bool:
    """Note stages that nobody takes over, and schools that take over none."""
    every = sorted({stage for stages in ending.values() for stage in stages})
    well = True
    for stage in every:
        takers = [key for key in action.into if stage in state.find_stages(key)]
        if not takers:
            state.fail(
                msg("None of {schools} teaches {stage}.", schools=_names(state, action.into), stage=name_stage(stage)),
                msg("Add the stage there first, or merge into a school that teaches it."),
            )
            well = False
        elif all(state.is_low_only(key, stage) for key in takers) and any(
            stage in stages and not state.is_low_only(key, stage) for key, stages in ending.items()
        ):
            state.warn(
                msg("{schools} cannot take grades 4 to 6: they go to the nearest complete school.",
                    schools=_names(state, takers)),
                msg("Merge into a complete school as well."),
            )  # fmt: skip
    for key in action.into:
        if not set(state.find_stages(key)) & set(every):
            state.fail(
                msg("{school} teaches none of the stages that are merged: {stages}.", school=state.name(key),
                    stages=name_stages(every)),
                msg("Leave it out, or add the stage there first."),
            )  # fmt: skip
            well = False
    return well


def _names(state: PlanSoFar, school_ids: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return tuple(state.name(key) for key in school_ids)


def _hand_over(state: PlanSoFar, school_id: str, stage: str, into: tuple[str, ...]) -> None:
    """Pin the catchment of a school to those that take it over, and rewrite its zones."""
    ways = state.ways(stage)
    if ways is None:
        return
    catchment = state.find_catchment(school_id, stage)
    takers = {"low": [key for key in into if stage in state.find_stages(key)]}
    takers["upper"] = [key for key in takers["low"] if not state.is_low_only(key, stage)]
    stranded: set[str] = set()
    for band in BANDS:
        reached_by = _find_reached(ways, catchment.units[band], takers[band])
        for unit in catchment.units[band]:
            reached = reached_by.get(unit, [])
            if takers[band] and not reached:
                stranded.add(unit)
            held = state.pins.get(stage, {}).get(band, {}).get(unit, catchment.others[band].get(unit, ()))
            if reached:
                state.pin(stage, band, unit, [*(key for key in held if key != school_id), *reached])
    if stranded:
        state.warn(
            msg("{count} units have no way to {schools}: they go to the nearest school.", count=len(stranded),
                schools=_names(state, list(into))),
            msg("Name a school that they can reach as well."),
        )  # fmt: skip
    _rewrite_zones(state, ways, school_id, stage, catchment, takers)


def _find_reached(ways: Ways, units: list[str], school_ids: list[str]) -> dict[str, list[str]]:
    """Return the schools that each unit has a way to, nearest first (time, else metres; then id)."""
    if not units or not school_ids:
        return {}
    ids = sorted(school_ids)
    rows = pd.Index(ways.unit_ids).get_indexer(pd.Index(units, dtype=object))
    columns = pd.Index(ways.school_ids).get_indexer(pd.Index(ids, dtype=object))
    known = np.flatnonzero(rows >= 0)
    some = np.ix_(rows[known], columns)
    minutes, metres = (np.where(np.isnan(table[some]), np.inf, table[some]) for table in (ways.time_min, ways.length_m))
    order = np.lexsort((metres, minutes), axis=1)
    there = np.isfinite(minutes) | np.isfinite(metres)
    return {
        units[at]: [ids[place] for place in order[row] if there[row, place]] for row, at in enumerate(known.tolist())
    }


def _rewrite_zones(
    state: PlanSoFar, ways: Ways, school_id: str, stage: str, catchment: Catchment, takers: dict[str, list[str]]
) -> None:
    """Put the nearest taker in the place of a merged school in the zone of every unit."""
    if not state.has_zones(stage):
        return
    rows = state.study.zones
    mine = rows[(rows["school_id"] == school_id) & (rows["stage"] == stage)]
    units = list(dict.fromkeys(mine["unit_id"].astype(str)))
    reached = {band: _find_reached(ways, units, takers[band]) for band in BANDS}
    served = {band: set(catchment.units[band]) for band in BANDS}
    here = rows[(rows["stage"] == stage) & rows["unit_id"].isin(units) & (rows["school_id"] != school_id)]
    others = {str(unit): set(members) for unit, members in here.groupby("unit_id")["school_id"]}
    fresh: list[tuple[str, str, str]] = []
    mixed = 0
    for unit in units:
        bands = [band for band in BANDS if unit in served[band]] or ["upper"]
        chosen = {key for band in bands for key in reached[band].get(unit, [])[:1]}
        fresh += [(unit, stage, key) for key in sorted(chosen)]
        # A teaching point's low grades come to a school beside the one that has the upper grades.
        upper = others.get(unit, set())
        mixed += bands == ["low"] and bool(upper) and not chosen <= upper
    if mixed:
        state.warn(
            msg("{count} units now have two schools in their zone, one for grades 1 to 3 before: their pupils are"
                " split evenly.", count=mixed),
            msg("Move these units to one school."),
        )  # fmt: skip
    state.add_zones(fresh)


def _make_campuses(state: PlanSoFar, action: MergeSchools, ending: dict[str, list[str]]) -> None:
    """Put schools under one roof in name: places are pooled, the buildings stay."""
    head = action.into[0]
    for key, stages in ending.items():
        common = set(state.find_stages(key)) & set(state.find_stages(head))
        if not common & set(stages):
            state.fail(
                msg("{school} and {head} teach no stage together, so they cannot share places.",
                    school=state.name(key), head=state.name(head)),
                msg("Choose a head school that teaches {stages}.", stages=name_stages(stages)),
            )  # fmt: skip
        elif action.stages and common - set(stages):
            state.fail(msg("A campus belongs to the head school with all its stages."), msg("Leave the stages out."))
    if state.failed:
        return
    schools = state.study.schools.set_index("school_id")["group_id"].fillna("").astype(str)
    group = str(schools.get(head, "")) or head
    pooled = [head]
    for key in ending:
        if state.is_low_only(key, "primary") or state.is_low_only(head, "primary"):
            state.warn(
                msg("{school} takes grades 1 to 3 only: its places are not pooled.",
                    school=state.name(key if state.is_low_only(key, "primary") else head))
            )  # fmt: skip
        else:
            pooled.append(key)
    for key in ending:
        state.record(key, "", "campus", into=head)
        state.set_school(key, group_id=group)
    state.set_school(head, group_id=group)
    if len(pooled) > 1:
        state.groups.append((state.name(head), tuple(sorted(pooled))))
