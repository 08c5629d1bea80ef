"""Pupils to schools without a capacity limit: the nearest school, or the school that the zones name.

Ties are broken by one documented rule, so that two machines publish the same plan: of schools that are equally near
(within ``TIME_TIE_MIN`` or ``LENGTH_TIE_M``) the one of the unit's current zone, then the one with the shorter way (or
time), then the one whose id comes first.

Every school open for the stage takes part, private ones too: nothing here knows who would pay for a place.

Teaching points (教学点) teach grades 1 to 3. They compete for the ``low_grade_share`` of a unit's primary pupils only;
the upper grades go to the nearest complete primary school. A teaching point whose rolls show pupils above grade 3 is
taken as complete.

Shared zones (多校划片) admit by lottery: the unit's pupils are split evenly among the zone's schools within reach.
Where a zone names teaching points beside complete schools, the low grades go to the former and the upper ones to the
latter. A unit without a usable zone goes to its nearest school and is marked ``no_zone``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.scenario import Measure

TIME_TIE_MIN = 1e-3
LENGTH_TIE_M = 0.1
_ROWS_AT_ONCE = 16_384
"""Rows of the travel matrix worked on together: bounds the memory for large counties."""

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEAREST, ZONE, NO_ZONE, UNREACHED = "nearest", "zone", "no_zone", "unreached"


@dataclass(frozen=True, eq=False)
class Ways:
    """Units, the schools open for one stage, and the ways between them.

    ``unit_ids`` and ``school_ids`` are sorted; ``pupils`` (units) may hold NaN for unknown; ``time_min`` and
    ``length_m`` have shape (units, schools), NaN = no way; ``low_only`` (schools) marks teaching points.
    """

    unit_ids: npt.NDArray[np.object_]
    school_ids: npt.NDArray[np.object_]
    pupils: npt.NDArray[np.float64]
    time_min: Floats
    length_m: Floats
    low_only: Bools


def find_nearest(
    ways: Ways, *, measure: Measure = "time", allowed: Bools | None = None, preferred: Mapping[int, Ints] | None = None
) -> Ints:
    """Return for each unit the position of its nearest school, −1 where none can be reached.

    Parameters
    ----------
    measure
        ``"time"`` compares minutes, ``"length"`` metres; a unit that has no finite value of the one is served by the
        other (given matrices often hold only one of the two).
    allowed
        Schools that may be chosen (schools,).
    preferred
        Positions of the schools of a unit's current zone, by position of the unit: they win ties.
    """
    columns = np.arange(len(ways.school_ids)) if allowed is None else np.flatnonzero(allowed)
    nearest = np.full(len(ways.unit_ids), -1, dtype=np.int64)
    if not len(columns):
        return nearest
    for start in range(0, len(nearest), _ROWS_AT_ONCE):
        rows = slice(start, min(start + _ROWS_AT_ONCE, len(nearest)))
        nearest[rows] = _nearest_of_rows(ways, rows, columns, measure, preferred or {})
    return nearest


def _nearest_of_rows(ways: Ways, rows: slice, columns: Ints, measure: Measure, preferred: Mapping[int, Ints]) -> Ints:
    """Return positions of the nearest schools for a run of units."""
    everything = len(columns) == len(ways.school_ids)
    parts = [table[rows] if everything else table[rows][:, columns] for table in (ways.time_min, ways.length_m)]
    time_min, length_m = (np.where(np.isnan(part), np.float32(np.inf), part) for part in parts)
    main, other = (time_min, length_m) if measure == "time" else (length_m, time_min)
    tie = TIME_TIE_MIN if measure == "time" else LENGTH_TIE_M
    best = main.argmin(axis=1)
    least = main[np.arange(len(main)), best]
    lost = np.flatnonzero(~np.isfinite(least))
    if len(lost):
        best[lost] = other[lost].argmin(axis=1)
        lost = lost[~np.isfinite(other[lost, best[lost]])]
    near = main <= (least + np.float32(tie))[:, None]
    near[~np.isfinite(least)] = False
    for row in np.flatnonzero(near.sum(axis=1) > 1):
        tied = np.flatnonzero(near[row])
        zone = preferred.get(rows.start + int(row))
        if zone is not None:
            kept = tied[np.isin(columns[tied], zone)]
            tied = kept if len(kept) else tied
        best[row] = tied[other[row, tied].argmin()]
    found: Ints = columns[best]
    found[lost] = -1
    return found


def enrol_nearest(
    ways: Ways,
    *,
    measure: Measure = "time",
    low_grade_share: float = 0.5,
    preferred: Mapping[int, Ints] | None = None,
    nearest: Ints | None = None,
    upper: Ints | None = None,
) -> pd.DataFrame:
    """Return every unit's pupils at the nearest school: unit_id, school_id, share, pupils, time_min, length_m, origin.

    One row per unit and school; the unreached have school_id ``""``. Shares of a unit add up to one. ``nearest`` is
    the answer of :func:`find_nearest` over all schools, where it is known already; ``upper`` that for the upper grades
    where they go elsewhere (see ``planning.pins``).
    """
    units = np.arange(len(ways.unit_ids))
    low = find_nearest(ways, measure=measure, preferred=preferred) if nearest is None else nearest
    if upper is None and not ways.low_only.any():
        return build_enrolment(ways, units, low, np.ones(len(units)), np.where(low >= 0, NEAREST, UNREACHED))
    whole = upper
    if whole is None:
        whole = find_nearest(ways, measure=measure, allowed=~ways.low_only, preferred=preferred)
    if low_grade_share <= 0:
        return build_enrolment(ways, units, whole, np.ones(len(units)), np.where(whole >= 0, NEAREST, UNREACHED))
    rows = np.concatenate([units, units])
    schools = np.concatenate([low, whole])
    shares = np.repeat([low_grade_share, 1.0 - low_grade_share], len(units))
    return build_enrolment(ways, rows, schools, shares, np.where(schools >= 0, NEAREST, UNREACHED))


def enrol_by_zones(
    ways: Ways, zones: Mapping[int, Ints], *, measure: Measure = "time", low_grade_share: float = 0.5
) -> pd.DataFrame:
    """Return every unit's pupils at the schools of its zone; same table as :func:`enrol_nearest`.

    Parameters
    ----------
    zones
        Positions of the zone's schools by position of the unit (see :func:`find_zone_schools`).
    """
    parts = ((True, low_grade_share), (False, 1.0 - low_grade_share)) if ways.low_only.any() else ((False, 1.0),)
    found: list[tuple[Ints, Ints, npt.NDArray[np.float64], npt.NDArray[np.object_]]] = []
    for low, share in parts:
        if share <= 0:
            continue
        nearest = find_nearest(ways, measure=measure, allowed=None if low else ~ways.low_only, preferred=zones)
        unit_at, school_at, split = _split_zones(ways, zones, low)
        outside = np.setdiff1d(np.arange(len(ways.unit_ids)), unit_at)
        origin = np.where(nearest[outside] >= 0, NO_ZONE, UNREACHED).astype(object)
        found.append((unit_at, school_at, split * share, np.full(len(unit_at), ZONE, dtype=object)))
        found.append((outside, nearest[outside], np.full(len(outside), share), origin))
    rows, schools, shares, origins = (np.concatenate(list(column)) for column in zip(*found, strict=True))
    return build_enrolment(ways, rows, schools, shares, origins)


def find_zone_schools(ways: Ways, zones: pd.DataFrame) -> dict[int, Ints]:
    """Return positions of zone schools by position of the unit. Units or schools that are not in ``ways`` are left out.

    Parameters
    ----------
    zones
        ``unit_id``, ``school_id`` of one stage; several rows of a unit are a shared zone.
    """
    unit_at = pd.Index(ways.unit_ids).get_indexer(pd.Index(zones["unit_id"].to_numpy(dtype=object)))
    school_at = pd.Index(ways.school_ids).get_indexer(pd.Index(zones["school_id"].to_numpy(dtype=object)))
    known = (unit_at >= 0) & (school_at >= 0)
    pairs = np.unique(np.column_stack([unit_at[known], school_at[known]]), axis=0).astype(np.int64)
    if not len(pairs):
        return {}
    cuts = np.flatnonzero(np.diff(pairs[:, 0])) + 1
    return {int(group[0, 0]): group[:, 1] for group in np.split(pairs, cuts)}


def _split_zones(ways: Ways, zones: Mapping[int, Ints], low: bool) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """Return (unit, school, share) of the zones that can be used by the low (or upper) grades."""
    units: list[Ints] = []
    schools: list[Ints] = []
    shares: list[npt.NDArray[np.float64]] = []
    for unit, members in zones.items():
        reached = members[np.isfinite(ways.time_min[unit, members]) | np.isfinite(ways.length_m[unit, members])]
        points = ways.low_only[reached]
        chosen = reached[points] if low and points.any() else reached[~points]
        if len(chosen):
            units.append(np.full(len(chosen), unit, dtype=np.int64))
            schools.append(chosen)
            shares.append(np.full(len(chosen), 1.0 / len(chosen)))
    if not units:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
    return np.concatenate(units), np.concatenate(schools), np.concatenate(shares)


def build_enrolment(
    ways: Ways, units: Ints, schools: Ints, shares: npt.NDArray[np.float64], origins: npt.NDArray[np.object_]
) -> pd.DataFrame:
    """Return the enrolment table from (unit, school, share, origin); school −1 = reaches none.

    Rows of one unit and school are put together, ordered by unit and school id.
    """
    width = len(ways.school_ids) + 1
    key, first, place = np.unique(units * width + schools + 1, return_index=True, return_inverse=True)
    unit, school = key // width, key % width - 1
    share = np.bincount(place, weights=shares, minlength=len(key))
    reached = school >= 0
    time_min, length_m = (
        np.where(reached, table[unit, school].astype(np.float64), np.nan)
        if table.shape[1]
        else np.full(len(key), np.nan)
        for table in (ways.time_min, ways.length_m)
    )
    names = np.append(ways.school_ids, "")
    return pd.DataFrame(
        {
            "unit_id": pd.Series(ways.unit_ids[unit], dtype=str),
            "school_id": pd.Series(names[school], dtype=str),
            "share": share,
            "pupils": share * ways.pupils[unit],
            "time_min": time_min,
            "length_m": length_m,
            "origin": pd.Series(np.asarray(origins, dtype=object)[first], dtype=str),
        }
    )
