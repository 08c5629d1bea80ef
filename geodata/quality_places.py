"""Checks of places: zones, positions, roads and travel."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geodata.crs import choose_metric_crs, compute_scale_error
from geodata.errors import DataIssue, Severity
from geodata.messages import msg
from geodata.quality_facts import MODE_NAMES, STAGE_NAMES, Facts, join_words, pairs_of, pupils_of
from geodata.study import STAGES, TravelMatrix

if TYPE_CHECKING:
    import geopandas as gpd

OUTSIDE_MARGIN_M = 3_000.0
FAR_FROM_ROAD_M = 500.0
MAX_SCALE_ERROR = 0.01
MAX_UNIT_DISTANCE_M = 300_000.0
STUDY_FILE = "study.toml"


def check_zone_stages(facts: Facts) -> list[DataIssue]:
    """Warning: a zone leads to a school that does not teach the stage."""
    taught = set(pairs_of(facts.places))
    wrong = sorted({pair for pair in pairs_of(facts.zones) if pair not in taught and pair[0] in facts.school_names})
    return [
        facts.issue(
            "zone_stages",
            "warning",
            msg(
                "Zones for {stage} lead to {name}, which does not teach it.", stage=stage, name=facts.school_names[key]
            ),
            "schools",
            key,
            cure=msg("Correct the school in the table of zones, or add the stage to the school."),
        )
        for key, stage in wrong
    ]


def check_zone_gaps(facts: Facts) -> list[DataIssue]:
    """Warning: a unit has children of a stage that is zoned, but belongs to no zone."""
    issues = []
    ids = facts.units["unit_id"].astype(str).to_numpy()
    for stage in STAGES:
        zoned = facts.zones.loc[facts.zones["stage"] == stage, "unit_id"].astype(str)
        if not len(zoned):
            continue
        pupils = pupils_of(facts.units, stage)
        for at in np.flatnonzero((pupils > 0) & ~np.isin(ids, zoned.unique())):
            problem = msg(
                "{name} has {pupils:,.0f} children but no zone ({stage}).",
                name=facts.unit_names[ids[at]],
                pupils=float(pupils[at]),
                stage=STAGE_NAMES[stage],
            )
            cure = msg("Add the unit to the table of zones.")
            issues.append(facts.issue("zone_gaps", "warning", problem, "units", ids[at], cure=cure))
    return issues


def check_zone_overlaps(facts: Facts) -> list[DataIssue]:
    """Note: units belong to several schools of one stage: meant where a zone is shared (多校划片), else an overlap."""
    issues = []
    for stage in STAGES:
        rows = facts.zones[facts.zones["stage"] == stage]
        counts = rows.groupby(rows["unit_id"].astype(str))["school_id"].nunique()
        shared = [str(key) for key in counts.index[counts > 1] if str(key) in facts.unit_names]
        if not shared:
            continue
        problem = msg(
            "{count:,} units belong to several schools ({stage}), such as {names}.",
            count=len(shared),
            stage=STAGE_NAMES[stage],
            names=tuple(facts.unit_names[key] for key in shared[:3]),
        )
        cure = msg("Correct the zones, unless they are meant to be shared.")
        issue = facts.issue("zone_overlaps", "note", problem, "units", shared[0], cure=cure)
        issues.append(replace(issue, file=facts.files.get("zones", ""), record_id=shared[0]))
    return issues


def check_schools_without_zone(facts: Facts) -> list[DataIssue]:
    """Note: a school teaches a stage that is zoned, but no unit belongs to it; told once where that holds for most."""
    issues = []
    for stage in STAGES:
        zoned = set(facts.zones.loc[facts.zones["stage"] == stage, "school_id"].astype(str))
        taught = [key for key, of in pairs_of(facts.places) if of == stage and key in facts.school_names]
        left = [key for key in taught if key not in zoned]
        if not zoned or not left:
            continue
        if len(left) * 2 > len(taught):
            words = {"count": len(left), "stage": STAGE_NAMES[stage]}
            problem = msg("{count} schools have no zone ({stage}).", **words)
            issues.append(DataIssue("schools_without_zone", "note", problem, file=facts.files.get("zones", "")))
            continue
        for key in left:
            problem = msg("{name} has no zone ({stage}).", name=facts.school_names[key], stage=STAGE_NAMES[stage])
            issues.append(facts.issue("schools_without_zone", "note", problem, "schools", key))
    return issues


def check_positions(facts: Facts) -> list[DataIssue]:
    """Error: a school or site without a position on Earth. Warning: longitude and latitude look swapped."""
    issues = []
    for table in ("schools", "sites"):
        for record_id, (lon_deg, lat_deg) in facts.lonlat[table].items():
            if not (np.isfinite(lon_deg) and np.isfinite(lat_deg)):
                problem = msg("{id} has no position on Earth.", id=record_id)
                cure = msg("Check longitude and latitude, or the coordinate system.")
                issues.append(facts.issue("positions", "error", problem, table, record_id, cure=cure))
    west, south, east, north = _find_bounds(np.array(list(facts.lonlat["units"].values())).reshape(-1, 2))
    for record_id, (lon_deg, lat_deg) in facts.lonlat["schools"].items():
        inside = west <= lon_deg <= east and south <= lat_deg <= north
        if not inside and west <= lat_deg <= east and south <= lon_deg <= north:
            problem = msg("Longitude and latitude of {name} look swapped.", name=facts.school_names[record_id])
            cure = msg("Exchange the two numbers.")
            issues.append(facts.issue("positions", "warning", problem, "schools", record_id, cure=cure))
    return issues


def check_crs_scale(facts: Facts) -> list[DataIssue]:
    """Error: a metre of the study's coordinate system is not a metre on the ground, by more than one in a hundred."""
    points = np.array(list(facts.lonlat["units"].values())).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return []
    lon_deg, lat_deg = np.median(points, axis=0)
    wrong = compute_scale_error(float(lon_deg), float(lat_deg), facts.metric_crs)
    if not wrong > MAX_SCALE_ERROR:
        return []
    return [
        DataIssue(
            "crs_scale",
            "error",
            msg(
                "Metres of this coordinate system are wrong by {share:.0%} here, and so would be all travel.",
                share=wrong,
            ),
            file=STUDY_FILE,
            column="crs",
            found=facts.metric_crs,
            expected=msg("a zone of the county, such as {crs}", crs=choose_metric_crs(float(lon_deg), float(lat_deg))),
            cure=msg("Leave crs out of the study file, or write the zone of the county."),
            lon_deg=float(lon_deg),
            lat_deg=float(lat_deg),
        )
    ]


def check_units_apart(facts: Facts) -> list[DataIssue]:
    """Warning: a unit lies more than 300 km from the middle of all units: probably a wrong coordinate."""
    x, y = (facts.units[name].to_numpy(dtype=float) for name in ("x_m", "y_m"))
    away = np.hypot(x - np.median(x), y - np.median(y)) if len(x) else x
    issues = []
    for at in np.flatnonzero(away > MAX_UNIT_DISTANCE_M):
        unit_id = str(facts.units["unit_id"].iloc[at])
        problem = msg(
            "{name} lies {distance:,.0f} km from the middle of all units.",
            name=facts.unit_names[unit_id],
            distance=float(away[at]) / 1000,
        )
        cure = msg("Check longitude and latitude, or the coordinate system.")
        issues.append(facts.issue("units_apart", "warning", problem, "units", unit_id, cure=cure))
    return issues


def _find_bounds(points: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return west, south, east, north of points (n, 2); NaN, which contains nothing, where there are none."""
    known = points[np.isfinite(points).all(axis=1)]
    if not len(known):
        return (np.nan, np.nan, np.nan, np.nan)
    (west, south), (east, north) = known.min(axis=0), known.max(axis=0)
    return float(west), float(south), float(east), float(north)


def measure_outside(
    units: gpd.GeoDataFrame, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how many metres each point lies outside the rectangle around all units; NaN where it has no place."""
    shapes = units.geometry.total_bounds
    points = _find_bounds(units[["x_m", "y_m"]].to_numpy(dtype=float))
    west, south = np.fmin(shapes[:2], points[:2])
    east, north = np.fmax(shapes[2:], points[2:])
    away_x, away_y = np.maximum(np.maximum(west - x, x - east), 0), np.maximum(np.maximum(south - y, y - north), 0)
    away_m: npt.NDArray[np.float64] = np.hypot(away_x, away_y)
    return away_m


def check_schools_outside(facts: Facts) -> list[DataIssue]:
    """Warning: a school or site lies more than 3 km outside the rectangle around all units; error: all do by 300 km."""
    if not len(facts.units):
        return []
    issues = []
    for table, frame in (("schools", facts.schools), ("sites", facts.sites)):
        x, y = frame["x_m"].to_numpy(dtype=float), frame["y_m"].to_numpy(dtype=float)
        away_m = measure_outside(facts.units, x, y)
        severity: Severity = "error" if len(x) and (away_m > MAX_UNIT_DISTANCE_M).all() else "warning"
        for at in np.flatnonzero(away_m > OUTSIDE_MARGIN_M):
            record_id = str(frame[f"{table[:-1]}_id"].iloc[at])
            problem = msg(
                "{name} lies {distance:,.0f} km outside the area of the units.",
                name=str(frame["name"].iloc[at]) or record_id,
                distance=float(away_m[at]) / 1000,
            )
            cure = msg("Check longitude and latitude, or the coordinate system.")
            issues.append(facts.issue("schools_outside", severity, problem, table, record_id, cure=cure))
    return issues


def check_far_from_roads(facts: Facts) -> list[DataIssue]:
    """Warning: a unit with children, a school or a site lies more than 500 m from any road that can be used."""
    by_mode = [matrix for matrix in facts.travel.values() if matrix.method == "roads"]
    if not by_mode:
        return []
    matrix = next((m for m in by_mode if m.mode == "walk"), by_mode[0])
    has_children = dict(zip(facts.units["unit_id"].astype(str), facts.unit_pupils > 0, strict=True))
    ends = [("units", key, snap) for key, snap in zip(matrix.unit_ids, matrix.unit_snap_m, strict=True)]
    for key, snap in zip(matrix.destination_ids, matrix.destination_snap_m, strict=True):
        ends.append(("schools" if key in facts.school_names else "sites", key, snap))
    issues = []
    for table, key, snap in ends:
        if snap > FAR_FROM_ROAD_M and has_children.get(key, table != "units"):
            names = {"units": facts.unit_names, "schools": facts.school_names}.get(table, {})
            name = names.get(key, key)
            problem = msg("{name} lies {distance:,.0f} m from the nearest road.", name=name, distance=float(snap))
            cure = msg("Check the position; or the road is missing in the road file.")
            issues.append(facts.issue("far_from_roads", "warning", problem, table, key, cure=cure))
    return issues


def check_unreachable_units(facts: Facts) -> list[DataIssue]:
    """Warning: a unit with children from which no school can be reached, with the modes for which that holds."""
    modes: dict[str, list[str]] = defaultdict(list)
    for mode, matrix in facts.travel.items():
        for unit_id in _find_cut_off(matrix, set(facts.school_names)):
            modes[unit_id].append(str(mode))
    pupils = dict(zip(facts.units["unit_id"].astype(str), facts.unit_pupils, strict=True))
    return [
        facts.issue(
            "unreachable_units",
            "warning",
            msg(
                "No school can be reached from {name} ({modes}); {pupils:,.0f} children live there.",
                name=facts.unit_names.get(unit_id, unit_id),
                modes=join_words([MODE_NAMES[mode] for mode in cut_off]),
                pupils=float(pupils[unit_id]),
            ),
            "units",
            unit_id,
            cure=msg("Check the roads around it, or the greatest travel time of the study."),
        )
        for unit_id, cut_off in modes.items()
        if pupils.get(unit_id, 0) > 0
    ]


def _find_cut_off(matrix: TravelMatrix, schools: set[str]) -> list[str]:
    """Return the units from which no school has a travel time."""
    columns = [at for at, key in enumerate(matrix.destination_ids) if key in schools]
    if not columns:
        return []
    nowhere = np.flatnonzero(np.isnan(matrix.time_min[:, columns]).all(axis=1))
    return [matrix.unit_ids[at] for at in nowhere]


def check_unreached_schools(facts: Facts) -> list[DataIssue]:
    """Warning: no unit reaches a school, with the modes for which that holds; a given matrix may lack its column."""
    modes: dict[str, list[str]] = defaultdict(list)
    for mode, matrix in facts.travel.items():
        reached = np.atleast_1d(np.isfinite(matrix.time_min).any(axis=0)).tolist()
        for school_id, known in zip(matrix.destination_ids, reached, strict=True):
            if not known and school_id in facts.school_names:
                modes[school_id].append(str(mode))
    return [
        facts.issue(
            "unreached_schools",
            "warning",
            msg(
                "{name} cannot be reached from any unit ({modes}); the model sends nobody there.",
                name=facts.school_names[school_id],
                modes=join_words([MODE_NAMES[mode] for mode in cut_off]),
            ),
            "schools",
            school_id,
            cure=msg(
                "Check its position and the roads around it, or the column of the school in the given travel matrix."
            ),
        )
        for school_id, cut_off in modes.items()
    ]
