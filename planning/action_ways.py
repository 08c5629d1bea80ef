"""Actions on units: moving them to a school, and running a bus."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geodata.messages import msg
from geodata.study import TravelMatrix
from planning.action_checks import check_school, check_units
from planning.action_state import PlanSoFar
from planning.actions import AddBusLine, MoveUnits
from planning.conflicts import name_some
from planning.scenario import name_mode, name_stage


def move_units(state: PlanSoFar, action: MoveUnits) -> None:
    """Give units to schools, whatever their zone or the way says."""
    stage = action.stage
    wrong = [key for key in action.school_ids if not check_school(state, key, stage)]
    if not check_units(state, action.unit_ids) or wrong or not _check_method(state, action):
        return
    points = [key for key in action.school_ids if state.is_low_only(key, stage)]
    complete = [key for key in action.school_ids if key not in points]
    if not _check_reached(state, action):
        return
    if points and not complete:
        state.warn(
            msg("{schools} cannot take grades 4 to 6: they go to the nearest complete school.",
                schools=tuple(state.name(key) for key in points)),
            msg("Name a complete school as well."),
        )  # fmt: skip
    for key in action.school_ids:
        state.record(key, stage, "moved", into=";".join(action.school_ids))
    for unit in action.unit_ids:
        # As in a zone: where it names teaching points beside complete schools, the low grades go to the former.
        state.pin(stage, "low", unit, points or complete)
        state.pin(stage, "upper", unit, complete)
        if state.scenario.enrolment == "zoning":
            state.locks[(unit, stage)] = complete[0]
    if state.has_zones(stage):
        zones = state.study.zones
        gone = zones[(zones["stage"] == stage) & zones["unit_id"].isin(list(action.unit_ids))]
        state.drop_zones(stage, list(zip(gone["unit_id"], gone["school_id"], strict=True)))
        state.add_zones([(unit, stage, key) for unit in action.unit_ids for key in action.school_ids])


def _check_method(state: PlanSoFar, action: MoveUnits) -> bool:
    """Note a method of enrolment in which units cannot be given to a school."""
    if state.scenario.enrolment == "choice":
        state.fail(
            msg("Where families choose, units cannot be moved to a school."),
            msg("Remove this action, or choose another method of enrolment."),
        )
        return False
    if state.scenario.enrolment == "zoning":
        complete = [key for key in action.school_ids if not state.is_low_only(key, action.stage)]
        if len(complete) != 1:
            state.fail(
                msg("A new zone has one complete school: {count} are named.", count=len(complete)),
                msg("Name one complete school, or let the schools share a zone in the settings."),
            )
            return False
    return True


def _check_reached(state: PlanSoFar, action: MoveUnits) -> bool:
    """Note units that have no way to any of the schools."""
    ways = state.ways(action.stage)
    if ways is None:
        return True
    rows = np.flatnonzero(np.isin(ways.unit_ids, np.array(action.unit_ids, dtype=object)))
    columns = np.flatnonzero(np.isin(ways.school_ids, np.array(action.school_ids, dtype=object)))
    some = np.ix_(rows, columns)
    lost = rows[~(np.isfinite(ways.time_min[some]) | np.isfinite(ways.length_m[some])).any(axis=1)]
    if not len(lost):
        return True
    names = state.study.units.set_index("unit_id")["name"].reindex(ways.unit_ids[lost]).fillna("").astype(str)
    told = [name or str(unit) for name, unit in zip(names, ways.unit_ids[lost], strict=True)]
    state.fail(
        msg("No way {mode} leads from {units} to {schools} ({stage}).", mode=name_mode(state.scenario.mode),
            units=name_some(told), schools=tuple(state.name(key) for key in action.school_ids),
            stage=name_stage(action.stage)),
        msg("Choose a school that they can reach, or run a bus first."),
    )  # fmt: skip
    return False


def add_bus_line(state: PlanSoFar, action: AddBusLine) -> None:
    """Let the pupils of some units ride to a school where that is quicker than their own way."""
    key, mode = action.school_id, state.scenario.mode
    school_there = check_school(state, key)
    if not check_units(state, action.unit_ids) or not school_there:
        return
    drive, own = state.study.travel.get("drive"), state.study.travel.get(mode)
    if drive is None:
        state.fail(
            msg("There are no travel times by car, so the ride of a bus is not known."),
            msg("Add driving to the study's ways to travel ([travel] modes)."),
        )
        return
    if own is None:
        return
    if mode == "drive":
        state.warn(msg("Pupils travel by car or school bus already: a bus line is no quicker."))
    units = list(dict.fromkeys(action.unit_ids))
    ride, metres = _read_column(drive, units, key)
    ride = (ride * np.float32(action.time_factor) + np.float32(action.wait_min)).astype(np.float32)
    own_min, _ = _read_column(own, units, key)
    names = state.study.units.set_index("unit_id")["name"].fillna("").astype(str).to_dict()
    lost = [names.get(unit) or unit for unit, minutes in zip(units, ride, strict=True) if not np.isfinite(minutes)]
    if len(lost) == len(units):
        state.fail(
            msg("No drive leads from {units} to {school}.", units=name_some(lost), school=state.name(key)),
            msg("Check the roads there."),
        )
        return
    if lost:
        state.warn(
            msg("No drive leads from {units} to {school}: no bus runs there.", units=name_some(lost),
                school=state.name(key)),
            msg("Leave these units out, or check the roads there."),
        )  # fmt: skip
    quicker = np.isfinite(ride) & ~(own_min <= ride)
    if not quicker.any() and mode != "drive":
        state.warn(
            msg("The bus to {school} is quicker for none of its units than their own way.", school=state.name(key)),
            msg("Check the units, or the figures of the line."),
        )
    state.record(key, "", "bus")
    seats = float("nan") if action.seats is None else float(action.seats)
    state.bus += [
        {"number": state.number, "unit_id": unit, "school_id": key, "time_min": float(minutes), "seats": seats}
        for unit, minutes in zip(units, ride, strict=True)
        if np.isfinite(minutes)
    ]
    if quicker.any():
        _shorten(state, own, key, [unit for unit, use in zip(units, quicker, strict=True) if use], ride[quicker],
                 metres[quicker])  # fmt: skip


def _read_column(travel: TravelMatrix, units: list[str], school_id: str) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes and metres from units to a school; NaN where the matrix does not know one."""
    rows = pd.Index(travel.unit_ids, dtype=object).get_indexer(pd.Index(units, dtype=object))
    column = pd.Index(travel.destination_ids, dtype=object).get_indexer(pd.Index([school_id], dtype=object))[0]
    found = []
    for table in (travel.time_min, travel.length_m):
        values = np.full(len(units), np.nan, dtype=np.float32)
        if column >= 0:
            values[rows >= 0] = table[rows[rows >= 0], column]
        found.append(values)
    return found[0], found[1]


def _shorten(
    state: PlanSoFar, own: TravelMatrix, school_id: str, units: list[str], minutes: np.ndarray, metres: np.ndarray
) -> None:
    """Put the ride in the place of the own way. The matrix is copied once for all bus lines of a scenario.

    Metres stay those of the own way, and are those of the drive where there is none.
    """
    mode = state.scenario.mode
    tables = state.own_tables.get(mode)
    if tables is None or tables[0].shape != own.time_min.shape:
        tables = (np.array(own.time_min), np.array(own.length_m))
        state.own_tables[mode] = tables
    rows = pd.Index(own.unit_ids, dtype=object).get_indexer(pd.Index(units, dtype=object))
    column = list(own.destination_ids).index(school_id)
    known = rows >= 0
    tables[0][rows[known], column] = minutes[known]
    there = tables[1][rows[known], column]
    tables[1][rows[known], column] = np.where(np.isnan(there), metres[known], there)
    state.put(travel={**state.study.travel, mode: replace(own, time_min=tables[0], length_m=tables[1])})
