"""Opening a school: where it may stand, what it is, and whom its zone takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.errors import CrsError
from geodata.messages import msg
from geodata.new_schools import (
    NewPoint,
    add_school_rows,
    find_travel_method,
    lonlat_to_study,
    measure_gap_m,
    measure_snap_m,
    unit_point,
)
from planning.action_checks import check_kind, count_places
from planning.action_state import PlanSoFar, derive_kind, name_stages, suggest
from planning.actions import OpenSchool
from planning.assignment import LENGTH_TIE_M, TIME_TIE_MIN, Floats, Ways
from planning.scenario import name_mode, name_stage

OUTSIDE_M = 5000.0
"""A new school farther than this from every unit is taken for a slip of the coordinates."""
FAR_ROAD_M = 500.0
"""A new school farther than this from every road is told."""


@dataclass(frozen=True)
class Place:
    """Where a new school stands."""

    x_m: float
    y_m: float
    site_area_m2: float = float("nan")


def find_place(state: PlanSoFar, action: OpenSchool) -> Place | None:
    """Return where the school is to stand; None (and a note) where that cannot be told."""
    if action.site_id:
        return _find_site(state, action)
    if action.unit_id:
        try:
            return Place(*unit_point(state.study, action.unit_id))
        except KeyError:
            known = set(state.study.units["unit_id"])
            state.fail(
                msg("There is no planning unit with the id {id}.", id=action.unit_id),
                suggest(action.unit_id, known) or msg("Take an id from the table of planning units."),
            )
            return None
    assert action.point is not None
    if not action.point_is_lonlat:
        return Place(*action.point)
    lon_deg, lat_deg = action.point
    if abs(lon_deg) > 180 or abs(lat_deg) > 90:
        state.fail(
            msg("{x:g}, {y:g} is no place in degrees.", x=lon_deg, y=lat_deg),
            msg("Give longitude, then latitude; or metres without point_is_lonlat."),
        )
        return None
    try:
        return Place(*lonlat_to_study(state.study, lon_deg, lat_deg))
    except CrsError as error:
        state.fail(msg("{text}", text=str(error)), msg("Give the point in the study's metres."))
        return None


def _find_site(state: PlanSoFar, action: OpenSchool) -> Place | None:
    sites = state.study.sites
    row = sites[sites["site_id"] == action.site_id]
    if row.empty:
        taken = state.sites.get(action.site_id)
        if taken is not None:
            state.fail(
                msg("The site {site} is taken already by action {number}.", site=action.site_id, number=taken),
                msg("Choose another site, or remove one of the two actions."),
            )
        else:
            known = [str(key) for key in sites["site_id"]]
            nothing = msg("The study has no candidate sites: open the school in a unit or at a point.")
            state.fail(
                msg("There is no candidate site with the id {id}.", id=action.site_id),
                suggest(action.site_id, known)
                or (msg("Known sites: {names}.", names=tuple(known[:8])) if known else nothing),
            )
        return None
    area = float(row["area_m2"].iloc[0]) if "area_m2" in row.columns else float("nan")
    return Place(float(row["x_m"].iloc[0]), float(row["y_m"].iloc[0]), area)


def open_school(state: PlanSoFar, action: OpenSchool) -> None:
    """Open a new school."""
    key = action.school_id
    if key in state.names:
        state.fail(
            msg("A school with the id {id} exists already: {school}.", id=key, school=state.name(key)),
            msg("Give the new school an id of its own."),
        )
        return
    place = find_place(state, action)
    kind_known = check_kind(state, action.becomes, [item.stage for item in action.stages])
    if place is None or not kind_known or not _check_surroundings(state, action, place):
        return
    stages = [item.stage for item in action.stages]
    kind = action.becomes or derive_kind("", stages) or "primary"
    sizes = [count_places(state, item.stage, kind, item.capacity_places, item.classes) for item in action.stages]
    if any(size is None for size in sizes):
        return
    point = NewPoint(
        school_id=key,
        name=action.name.strip() or key,
        kind=kind,
        x_m=place.x_m,
        y_m=place.y_m,
        setting=action.setting,
        ownership=action.ownership,
        site_id=action.site_id,
        site_area_m2=place.site_area_m2,
    )
    _check_site_fits(state, action, [size for size in sizes if size is not None])
    state.put(**_parts(add_school_rows(state.study, [point])))
    state.names[key] = point.name
    if action.site_id:
        state.sites[action.site_id] = state.number
    for item, size in zip(action.stages, sizes, strict=True):
        assert size is not None
        classes = size[1] if not math.isnan(size[1]) else _count_classes(state, item.stage, kind, size[0])
        after = {"kind_after": kind, "places_after": size[0], "classes_after": classes}
        state.record(key, item.stage, "opened", kind_before="", places_before=0.0, classes_before=0.0, **after)
        state.set_places(key, item.stage, size[0], classes, size[2])
    for stage in stages:
        _check_reach(state, key, stage)
        if action.takes == "nearest":
            _take_units(state, key, stage)


def _parts(study: object) -> dict[str, object]:
    return {name: getattr(study, name) for name in ("schools", "sites", "travel", "sides")}


def _count_classes(state: PlanSoFar, stage: str, kind: str, places: float) -> float:
    size = state.class_size(stage, kind)
    return float(math.ceil(places / size - 1e-9)) if size else float("nan")


def _check_surroundings(state: PlanSoFar, action: OpenSchool, place: Place) -> bool:
    """Note a place outside the county or far from any road."""
    gap_m = 0.0 if action.site_id or action.unit_id else measure_gap_m(state.study, place.x_m, place.y_m)
    if not gap_m <= OUTSIDE_M:
        state.fail(
            msg("The new school would lie outside the county: {km:,.0f} km from the nearest planning unit.",
                km=gap_m / 1000.0),
            msg("Check the coordinates: east before north, metres or degrees."),
        )  # fmt: skip
        return False
    if gap_m > 0 and not state.study.adjacency.scattered:
        state.warn(
            msg("The new school lies {m:,.0f} m outside every planning unit.", m=gap_m),
            msg("Check the coordinates."),
        )
    mode = state.scenario.mode
    if mode not in state.study.travel:
        return True
    snap_m = measure_snap_m(state.study, mode, place.x_m, place.y_m)
    if snap_m > FAR_ROAD_M:
        state.warn(
            msg("The nearest road {mode} is {m:,.0f} m from the new school; that way is counted as walked.",
                mode=name_mode(mode), m=snap_m),
            msg("Check the coordinates, or the roads there."),
        )  # fmt: skip
    if not action.site_id and find_travel_method(state.study, mode) == "pace":
        state.warn(
            msg("The study has no roads: ways to the new school are estimated from straight lines, at the pace of the"
                " given travel times."),
            msg("Load roads, or measure the ways and give them in the travel matrix."),
        )  # fmt: skip
    return True


def _check_site_fits(state: PlanSoFar, action: OpenSchool, sizes: list[tuple[float, float, str]]) -> None:
    """Note sizes and stages that a candidate site is not meant for."""
    sites = state.study.sites
    row = sites[sites["site_id"] == action.site_id]
    if row.empty:
        return
    words = {name: str(row[name].iloc[0]) if name in row.columns else "" for name in ("class_options", "stages")}
    allowed = [part.strip() for part in words["stages"].split(";") if part.strip() and part.strip() != "nan"]
    others = [item.stage for item in action.stages if allowed and item.stage not in allowed]
    if others:
        state.warn(
            msg("The site {site} is not meant for {stages}.", site=action.site_id, stages=name_stages(others)),
            msg("It is meant for {stages}.", stages=name_stages(allowed)),
        )
    options = [float(part) for part in words["class_options"].split(";") if part.strip().replace(".", "", 1).isdigit()]
    kind = action.becomes or derive_kind("", [item.stage for item in action.stages])
    counts = [
        size[1] if not math.isnan(size[1]) else _count_classes(state, item.stage, kind, size[0])
        for item, size in zip(action.stages, sizes, strict=True)
    ]
    classes = float(sum(counts))
    if options and not math.isnan(classes) and classes not in options:
        state.warn(
            msg("The site {site} is meant for {options} classes, not {classes:g}.", site=action.site_id,
                options=tuple(f"{option:g}" for option in options), classes=classes),
            msg("Choose one of these sizes, or another site."),
        )  # fmt: skip


def _check_reach(state: PlanSoFar, school_id: str, stage: str) -> None:
    """Note a new school that nobody can reach."""
    ways = state.ways(stage)
    if ways is None:
        return
    at = int(np.flatnonzero(ways.school_ids == school_id)[0])
    if not (np.isfinite(ways.time_min[:, at]).any() or np.isfinite(ways.length_m[:, at]).any()):
        state.warn(
            msg("Nobody has a way to the new school {mode}.", mode=name_mode(state.scenario.mode)),
            msg("Check the coordinates, or the roads there."),
        )


def _take_units(state: PlanSoFar, school_id: str, stage: str) -> None:
    """Give the new school the units to which it is nearer than what their zone has now, by grade band."""
    ways = state.ways(stage)
    if ways is None or not state.has_zones(stage):
        return
    table, tie = _choose_table(ways, state.scenario.measure)
    new = int(np.flatnonzero(ways.school_ids == school_id)[0])
    rows = state.study.zones[(state.study.zones["stage"] == stage) & (state.study.zones["school_id"] != school_id)]
    unit = pd.Index(ways.unit_ids).get_indexer(pd.Index(rows["unit_id"].to_numpy(dtype=object)))
    school = pd.Index(ways.school_ids).get_indexer(pd.Index(rows["school_id"].to_numpy(dtype=object)))
    known = (unit >= 0) & (school >= 0)
    unit, school = unit[known], school[known]
    point, way = ways.low_only[school], np.nan_to_num(table[unit, school], nan=np.inf)
    least = {low: np.full(len(ways.unit_ids), np.nan) for low in (True, False)}  # NaN: none of the kind in the zone
    for low, found in least.items():
        np.fmin.at(found, unit[point == low], way[point == low])
    own = table[:, new]
    nearer = {low: own < found - tie for low, found in least.items()}
    if ways.low_only[new]:
        taken = np.where(np.isnan(least[True]), nearer[False], nearer[True])
        leaving = point & taken[unit]
    else:
        taken = nearer[False]
        leaving = taken[unit] & (~point | nearer[True][unit])
    gone = [
        (str(ways.unit_ids[at]), str(ways.school_ids[key]))
        for at, key in zip(unit[leaving], school[leaving], strict=True)
    ]
    fresh = [(str(key), stage, school_id) for key in ways.unit_ids[taken]]
    state.drop_zones(stage, gone)
    state.add_zones(fresh)
    if not fresh and state.scenario.enrolment == "zones":
        state.warn(
            msg("No unit is nearer to the new school than to that of its zone ({stage}).", stage=name_stage(stage)),
            msg("Move units to it."),
        )


def _choose_table(ways: Ways, measure: str) -> tuple[Floats, float]:
    """Return the ways that are compared, and how near is equally near."""
    minutes, metres = (ways.time_min, TIME_TIE_MIN), (ways.length_m, LENGTH_TIE_M)
    first, second = (minutes, metres) if measure == "time" else (metres, minutes)
    return first if np.isfinite(first[0]).any() else second
