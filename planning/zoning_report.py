"""Tables of proposed zones: who belongs where, who goes where, and what each school gets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from planning.assignment import NEAREST, UNREACHED, ZONE
from planning.grandfather import list_movers
from planning.zone_graph import find_detached
from planning.zoning_facts import ZoneFacts, list_names
from planning.zoning_problem import EMPTY_UNIT_PUPILS, Locks

ZONES_COLUMNS = ("unit_id", "stage", "school_id")
ENROLMENT_COLUMNS = ("unit_id", "school_id", "share", "pupils", "time_min", "length_m", "origin")
ZONE_UNIT_COLUMNS = (
    *(
        "unit_id",
        "name",
        "stage",
        "zone_id",
        "school_ids",
        "school_names",
        "pupils",
        "zone_pupils",
        "travel",
        "measure",
    ),
    *("current_school_ids", "moved_pupils", "locked", "seat", "exclave", "on_paper"),
)
ZONE_SCHOOL_COLUMNS = (
    *("school_id", "name", "stage", "zone_id", "seat_unit_id", "capacity_places", "units", "zone_pupils", "low_pupils"),
    *("pupils", "fill_share", "pupils_over", "mean_travel", "measure", "joined_pupils", "left_pupils", "exclaves"),
    *("raggedness", "locked"),
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ZoningReport:
    """What there is to say about proposed zones of one stage.

    ``schools`` has ``ZONE_SCHOOL_COLUMNS``, ``units`` has ``ZONE_UNIT_COLUMNS`` (``travel`` in minutes or metres, see
    ``measure``). With grandfathering ``years`` holds the loads year by year (``planning.grandfather.LOAD_COLUMNS``)
    and ``staying`` who stays (``STAYING_COLUMNS``); else both are empty. ``moved_pupils`` counts the entering grade
    only where the others stay. ``feeders``: feeder, school_id, pupils, outside_share.
    """

    stage: str
    schools: pd.DataFrame = field(default_factory=pd.DataFrame)
    units: pd.DataFrame = field(default_factory=pd.DataFrame)
    years: pd.DataFrame = field(default_factory=pd.DataFrame)
    staying: pd.DataFrame = field(default_factory=pd.DataFrame)
    feeders: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[Message, ...] = ()
    moved_pupils: float = float("nan")
    overload_pupils: float = 0.0


def build_zones(facts: ZoneFacts, zone: Ints) -> pd.DataFrame:
    """Return unit_id, stage, school_id: one row per unit and school of its zone."""
    rows = [(unit, member) for unit in range(facts.n_units) for member in facts.members[zone[unit]]]
    unit, school = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    return pd.DataFrame(
        {
            "unit_id": pd.Series(facts.ways.unit_ids[unit], dtype=str),
            "stage": pd.Series([facts.stage] * len(unit), dtype=str),
            "school_id": pd.Series(facts.ways.school_ids[school], dtype=str),
        }
    )


def build_enrolment(facts: ZoneFacts, zone: Ints) -> pd.DataFrame:
    """Return who goes where: the columns of :func:`planning.assignment.enrol_nearest`.

    The schools of a shared zone get their pupils in proportion to their places. Low grades at teaching points are
    ``nearest``; units without a way to their zone's schools are ``unreached``.
    """
    low_share = np.zeros(facts.n_units)
    low_share[facts.low_unit] = facts.low_share
    allowed = np.isfinite(facts.costs.cost())
    reached = np.isfinite(facts.costs.travel)
    unit: list[Ints] = [facts.low_unit]
    school: list[Ints] = [facts.low_school]
    share: list[Floats] = [facts.low_share]
    for at, (members, split) in enumerate(zip(facts.members, facts.split, strict=True)):
        rows = np.flatnonzero((zone == at) & (low_share < 1.0))
        weight = np.where(allowed[np.ix_(rows, members)], np.maximum(split, 1e-12), 0.0)
        blocked = weight.sum(axis=1) == 0
        weight[blocked] = np.where(reached[np.ix_(rows[blocked], members)], np.maximum(split, 1e-12), 0.0)
        total = weight.sum(axis=1)
        lost = rows[total == 0]
        unit.append(lost)
        school.append(np.full(len(lost), -1, dtype=np.int64))
        share.append(1.0 - low_share[lost])
        row, column = np.nonzero(weight)
        unit.append(rows[row])
        school.append(members[column])
        share.append(weight[row, column] / total[row] * (1.0 - low_share[rows[row]]))
    origin = [NEAREST] * len(facts.low_unit)
    return _build_rows(facts, np.concatenate(unit), np.concatenate(school), np.concatenate(share), origin)


def _build_rows(facts: ZoneFacts, unit: Ints, school: Ints, share: Floats, origin: list[str]) -> pd.DataFrame:
    ways = facts.ways
    reached = school >= 0
    rest = np.where(reached[len(origin) :], ZONE, UNREACHED)
    time_min, length_m = (
        np.where(reached, table[unit, school].astype(np.float64), np.nan) for table in (ways.time_min, ways.length_m)
    )
    table = pd.DataFrame(
        {
            "unit_id": pd.Series(ways.unit_ids[unit], dtype=str),
            "school_id": pd.Series(np.append(ways.school_ids, "")[school], dtype=str),
            "share": share,
            "pupils": share * ways.pupils[unit],
            "time_min": time_min,
            "length_m": length_m,
            "origin": pd.Series([*origin, *map(str, rest)], dtype=str),
        }
    )
    return table.sort_values(["unit_id", "school_id"], kind="stable").reset_index(drop=True)


def build_report(
    facts: ZoneFacts,
    zone: Ints,
    locks: Locks,
    values: Floats,
    *,
    entering_share: Floats | None,
    years: pd.DataFrame | None = None,
    staying: pd.DataFrame | None = None,
    feeders: pd.DataFrame | None = None,
    notes: tuple[Message, ...] = (),
) -> ZoningReport:
    """Return the report of a plan. ``values`` (5,): the objectives of the plan."""
    real = facts.links
    exclave = np.zeros(facts.n_units, dtype=np.bool_)
    exclave[find_detached(zone, real, facts.seat)] = True
    units = _build_units(facts, zone, locks, exclave, entering_share)
    schools = _build_schools(facts, zone, locks, exclave, entering_share)
    said = [*facts.notes, *notes]
    if exclave.any():
        names = list_names(facts.unit_names[exclave])
        said.append(msg("{count} units are exclaves of their zone: {units}.", count=int(exclave.sum()), units=names))
    over = schools["pupils_over"].sum(min_count=1)
    return ZoningReport(
        stage=facts.stage,
        schools=schools,
        units=units,
        years=pd.DataFrame() if years is None else years,
        staying=pd.DataFrame() if staying is None else staying,
        feeders=pd.DataFrame() if feeders is None else feeders,
        notes=tuple(said),
        moved_pupils=float(units["moved_pupils"].sum(min_count=1)),
        overload_pupils=0.0 if np.isnan(over) else float(over),
    )


def _build_units(
    facts: ZoneFacts, zone: Ints, locks: Locks, exclave: npt.NDArray[np.bool_], entering_share: Floats | None
) -> pd.DataFrame:
    ids = facts.ways.school_ids
    zone_ids = np.array(facts.zone_ids(), dtype=object)
    zone_names = np.array([facts.name_zone(at) for at in range(facts.n_zones)], dtype=object)
    seat = np.zeros(facts.n_units, dtype=np.bool_)
    seat[facts.seat[facts.seat >= 0]] = True
    seat[facts.held[:, 0]] = True
    moved = _count_moved(facts, zone, entering_share)
    today = [";".join(ids[facts.current[unit]]) if unit in facts.current else "" for unit in range(facts.n_units)]
    table = pd.DataFrame(
        {
            "unit_id": facts.ways.unit_ids,
            "name": facts.unit_names,
            "stage": facts.stage,
            "zone_id": zone_ids[zone],
            "school_ids": zone_ids[zone],
            "school_names": zone_names[zone],
            "pupils": facts.ways.pupils,
            "zone_pupils": facts.pupils,
            "travel": facts.travel[np.arange(facts.n_units), zone],
            "measure": "minutes" if facts.costs.measure == "time" else "metres",
            "current_school_ids": today,
            "moved_pupils": moved,
            "locked": locks.zone >= 0,
            "seat": seat,
            "exclave": exclave,
            "on_paper": facts.on_paper,
        }
    )
    return table.loc[:, list(ZONE_UNIT_COLUMNS)]


def _count_moved(facts: ZoneFacts, zone: Ints, entering_share: Floats | None) -> Floats:
    """Return the pupils moved by unit; NaN where the unit has no zone today."""
    zone_of = facts.zone_of_school()
    moved = np.full(facts.n_units, np.nan)
    for unit, schools in facts.current.items():
        complete = schools[zone_of[schools] >= 0]
        if len(complete):
            entering = np.ones(len(complete)) if entering_share is None else entering_share[complete]
            outside = zone_of[complete] != zone[unit]
            moved[unit] = facts.pupils[unit] * float((entering * outside).sum()) / len(complete)
    return moved


def _build_schools(
    facts: ZoneFacts, zone: Ints, locks: Locks, exclave: npt.NDArray[np.bool_], entering_share: Floats | None
) -> pd.DataFrame:
    n = len(facts.schools)
    low = np.bincount(facts.low_school, facts.low_pupils, minlength=n).astype(np.float64)
    of_zone = np.bincount(zone, facts.pupils, minlength=facts.n_zones)
    way = np.where(facts.pupils > 0, facts.travel[np.arange(facts.n_units), zone], 0.0)
    travel = np.bincount(zone, way * facts.pupils, minlength=facts.n_zones)
    mean = np.divide(travel, of_zone, out=np.full(facts.n_zones, np.nan), where=of_zone > EMPTY_UNIT_PUPILS)
    ragged = _measure_raggedness(facts, zone)
    origin, target, pupils = list_movers(facts, zone)
    if entering_share is not None:
        pupils = pupils * entering_share[origin]
    left = np.bincount(origin, pupils, minlength=n)
    joined = np.bincount(target, pupils, minlength=facts.n_zones)
    zone_of = facts.zone_of_school()
    at = np.maximum(zone_of, 0)
    zoned = zone_of >= 0
    share = np.zeros(n)
    for members, split in zip(facts.members, facts.split, strict=True):
        share[members] = split
    places = facts.schools["capacity_places"].to_numpy(dtype=np.float64)
    own = of_zone[at] * share
    unit_ids = np.append(facts.ways.unit_ids, "")
    zone_ids = np.array(facts.zone_ids(), dtype=object)

    def spread(values: npt.NDArray[np.generic]) -> Floats:
        return np.where(zoned, np.asarray(values, dtype=np.float64)[at], np.nan)

    table = pd.DataFrame(
        {
            "school_id": facts.schools["school_id"].to_numpy(),
            "name": facts.schools["name"].to_numpy(),
            "stage": facts.stage,
            "zone_id": np.where(zoned, zone_ids[at], ""),
            "seat_unit_id": np.where(zoned, unit_ids[facts.seat[at]], ""),
            "capacity_places": places,
            "units": spread(np.bincount(zone, minlength=facts.n_zones)),
            "zone_pupils": np.where(zoned, own, 0.0),
            "low_pupils": low,
            "pupils": own + low,
            "fill_share": (own + low) / np.where(places > 0, places, np.nan),
            "pupils_over": np.where(np.isnan(places), np.nan, np.maximum(0.0, own + low - places)),
            "mean_travel": spread(mean),
            "measure": "minutes" if facts.costs.measure == "time" else "metres",
            "joined_pupils": spread(joined) * np.where(zoned, share, 1.0),
            "left_pupils": np.where(zoned, left, np.nan),
            "exclaves": spread(np.bincount(zone[exclave], minlength=facts.n_zones)),
            "raggedness": spread(ragged),
            "locked": zoned & locks.shut[at],
        }
    )
    return table.loc[:, list(ZONE_SCHOOL_COLUMNS)]


def _measure_raggedness(facts: ZoneFacts, zone: Ints) -> Floats:
    """Return perimeter² / (4 π area) − 1 of every zone: 0 for a circle."""
    same = zone[facts.links[:, 0]] == zone[facts.links[:, 1]]
    inner = np.bincount(zone[facts.links[same, 0]], facts.border_m[same], minlength=facts.n_zones)
    outline = np.bincount(zone, facts.outline_m, minlength=facts.n_zones) - 2.0 * inner
    area = np.bincount(zone, facts.area_m2, minlength=facts.n_zones)
    ragged: Floats = np.divide(outline**2, 4 * np.pi * area, out=np.full(facts.n_zones, np.nan), where=area > 0) - 1.0
    return ragged
