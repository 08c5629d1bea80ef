"""How children get to school as it is lived: on foot, by school bus, boarding, or by no lawful way at all.

The enrolment of an outcome is followed by grade band. Each child takes the first way that holds:

1. **walk**: the way on foot is no longer than the limit of its grades;
2. **bus**: the walk to the stop, the wait, the ride at car times and the halts are together no longer than that limit,
   and the stop is near enough;
3. **board**: the rules let its grade board, and the school has a bed left; those who live farthest get them first;
4. **none**: no lawful way is left. **unknown**: the study lacks what would tell.

A school bus is a vehicle of a size that the rules set, for primary pupils one built for them (校车安全管理条例 art. 2);
it may be asked for only where neither a near school nor public transport serves (art. 3). Cars go no faster here than
a school bus may (80 and 60 km/h). Ways are possibilities within the rules, not what families do today; bus lines of a
plan are not looked at. Rules by grade: longest way ``max_travel_min``, lowest boarding grade ``min_boarding_grade``;
seats ``min_bus_seats``. Everything else is an option below, and a convention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import FrozenArrays, StudyArea, TravelMatrix
from planning.action_steps import apply_actions
from planning.lived_words import Tried, tell_way
from planning.projected_rolls import split_bands
from planning.rules import Rules
from planning.run import Outcome
from planning.scenario import Scenario, name_mode
from planning.tables import StageTables

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Way = Literal["walk", "bus", "board", "none", "unknown"]
WAYS: tuple[Way, ...] = ("walk", "bus", "board", "none", "unknown")
BANDS: Mapping[str, tuple[int, ...]] = MappingProxyType({"1-3": (1, 2, 3), "4-6": (4, 5, 6), "7-9": (7, 8, 9)})
"""Grades of each band."""
LIVED_COLUMNS = (
    *("unit_id", "school_id", "stage", "band", "pupils", "way", "time_min", "ride_min", "walk_min", "limit_min"),
    *("limit_rule", "lawful", "reason"),
)
"""``time_min`` is door to door (boarding: of the ride home; no way: of the quickest that was tried). ``ride_min`` and
``walk_min`` are those of the way taken, for ``none`` those that were tried (``walk_min`` all the way on foot).
``limit_rule`` is the id of the rule behind ``limit_min``, empty where it is an option. ``lawful`` is missing where the
way is unknown."""
STAGE_BANDS: Mapping[str, tuple[str, ...]] = MappingProxyType({"primary": ("1-3", "4-6"), "junior": ("7-9",)})
LEAST_SHARE = 1e-9


def _default_limits() -> Mapping[str, float]:
    return {"1-3": 30.0, "4-6": 40.0, "7-9": 40.0}


@dataclass(frozen=True)
class LivedOptions(FrozenArrays):
    """What the rules leave open. All figures are conventions of this project: measure them and give yours.

    Parameters
    ----------
    max_min
        Longest way, one way and door to door, by grade band, where no rule speaks. 30 min for grades 1 to 3 is that of
        国办发〔2018〕27号; 40 min for the others is widely named, and no source was found.
    bus
        Whether school buses may run.
    boarding
        Whether pupils may board.
    stop_walk_m
        Mean walk from the homes of a community to its stop, beside the way from there to a road for cars.
    max_stop_walk_min
        Longest walk to a stop.
    wait_min
        Wait at the stop, as on a bus line of a plan.
    halts
        Stops on the way after getting in.
    halt_s
        Seconds that one stop costs.
    bus_seats
        Seats of the vehicle that is counted; the rule for the smallest one (T3) holds all the same.
    walk_kmh
        Walking speed to the stop, and where the study measures no walks but knows the length of ways.

    Raises
    ------
    ValueError
        A limit is missing or is for grades that no band has, or a number is out of range.
    """

    max_min: Mapping[str, float] = field(default_factory=_default_limits)
    bus: bool = True
    boarding: bool = True
    stop_walk_m: float = 300.0
    max_stop_walk_min: float = 15.0
    wait_min: float = 5.0
    halts: int = 6
    halt_s: float = 30.0
    bus_seats: int = 36
    walk_kmh: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if set(self.max_min) != set(BANDS):
            raise ValueError(f"max_min needs a limit for each of {', '.join(BANDS)}")
        least = (
            *self.max_min.values(),
            self.stop_walk_m,
            self.max_stop_walk_min,
            self.wait_min,
            self.halts,
            self.halt_s,
        )
        if not all(value >= 0 for value in least) or not self.walk_kmh > 0 or self.bus_seats < 1:
            raise ValueError("options of the way to school must not be negative; a bus has a seat, a walk a speed")


def build_lived_travel(
    study: StudyArea, rules: Rules, outcome: Outcome, *, options: LivedOptions | None = None
) -> pd.DataFrame:
    """Return who gets to school how: ``LIVED_COLUMNS``, one row per unit, school, stage, band and way.

    Parameters
    ----------
    study
        The study of the outcome, before its actions.
    rules
        Limits by grade; see the module.
    outcome
        Who goes to which school. Primary and junior stages count; others have no such rules.

    Returns
    -------
    DataFrame
        Ordered by stage, unit, band, school. The pupils of a unit, school and band add up to those of the outcome;
        where beds are short a row is parted in two ways. Empty without a plan.
    """
    options = options or LivedOptions()
    scenario = outcome.scenario
    changed = apply_actions(study, rules, scenario).study if scenario.all_actions else study
    parts = [
        _list_pupils(tables, scenario, band)
        for tables in outcome.stages
        if tables.modelled
        for band in STAGE_BANDS.get(tables.stage, ())
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(LIVED_COLUMNS))
    if rows.empty:
        return pd.DataFrame(columns=list(LIVED_COLUMNS))
    rows = _add_limits(rows, rules, scenario, options)
    tried = _try_ways((study, changed), rows, scenario, options)
    chosen = _share_beds(_choose_ways(rows, tried, options), changed, options)
    chosen = chosen.sort_values(["stage", "unit_id", "band", "school_id", "way"], kind="stable", ignore_index=True)
    reasons = [tell_way(row, options) for row in chosen.itertuples(index=False)]
    lawful = chosen["way"].ne("none").astype("boolean").mask(chosen["way"] == "unknown")
    chosen = chosen.assign(reason=pd.Series(reasons, dtype=object), lawful=lawful)
    return chosen.loc[:, list(LIVED_COLUMNS)]


def list_lived_notes(study: StudyArea, outcome: Outcome, options: LivedOptions | None = None) -> tuple[Message, ...]:
    """Return what a reader must know of the answer: times the study lacks, and what stands in for them."""
    options = options or LivedOptions()
    notes: list[Message] = []
    if "walk" not in study.travel:
        notes.append(
            msg(
                "The study has no walking times: they are made from the length of its ways {mode}, at {speed:g} km/h.",
                mode=name_mode(outcome.scenario.mode),
                speed=options.walk_kmh,
            )
        )
    if options.bus and "drive" not in study.travel:
        notes.append(
            msg(
                "The study has no travel times by car, so it is not known whom a school bus could bring:"
                " add a road file, or times by car."
            )
        )
    if options.boarding and study.schools["boarding_places"].isna().all():
        notes.append(msg("No school's beds are known: add boarding_places to the table of schools (0 for none)."))
    return tuple(notes)


def _list_pupils(tables: StageTables, scenario: Scenario, band: str) -> pd.DataFrame:
    """Return the pupils of one band by unit and school; teaching points have the low grades only."""
    low_only = dict(zip(tables.schools["school_id"], tables.schools["low_only"].astype(bool), strict=True))
    low_share = scenario.low_grade_share if tables.stage == "primary" else 0.0
    split = split_bands(tables.pairs, low_only, low_share)
    part = split["low_share" if band == "1-3" else "upper_share"].to_numpy(dtype=float)
    share = tables.pairs["share"].to_numpy(dtype=float)
    rows = tables.pairs[["unit_id", "school_id", "name", "setting", "length_m"]].assign(
        stage=tables.stage,
        band=band,
        pupils=tables.pairs["pupils"].to_numpy(dtype=float)
        * np.divide(part, share, out=np.zeros(len(share)), where=share > 0),
    )
    kept: pd.DataFrame = rows[(part > LEAST_SHARE) & ~(rows["pupils"] == 0).to_numpy()]
    return kept


def _add_limits(rows: pd.DataFrame, rules: Rules, scenario: Scenario, options: LivedOptions) -> pd.DataFrame:
    """Return ``rows`` with ``limit_min``, ``limit_rule`` and ``may_board``."""
    found: dict[tuple[str, str, str], tuple[float, str, bool]] = {}
    keys = list(zip(rows["stage"], rows["band"], rows["setting"], strict=True))
    for stage, band, setting in dict.fromkeys(keys):
        grade = BANDS[band][0]
        scope = {"setting": setting, "year": scenario.year, "grade": grade}
        rule = rules.find("max_travel_min", stage, **scope)
        lowest = rules.limit("min_boarding_grade", stage, **scope)
        limit = options.max_min[band] if rule is None else rule.limit(stage)
        found[stage, band, setting] = (limit, "" if rule is None else rule.id, lowest is None or grade >= lowest)
    limits, ids, may = zip(*(found[key] for key in keys), strict=True)
    return rows.assign(limit_min=np.array(limits), limit_rule=list(ids), may_board=np.array(may, dtype=bool))


def _try_ways(
    studies: tuple[StudyArea, StudyArea], rows: pd.DataFrame, scenario: Scenario, options: LivedOptions
) -> Tried:
    """Return minutes of every way that could be tried, by row."""
    walk = _read_minutes(studies, "walk", rows)
    if not any("walk" in study.travel for study in studies):
        walk = rows["length_m"].to_numpy(dtype=float) / (options.walk_kmh / 0.06)
    drive = _read_minutes(studies, "drive", rows)
    leg = _read_legs(studies, rows, options)
    stop = leg + options.stop_walk_m / (options.walk_kmh / 0.06)
    ride = np.maximum(drive - leg, 0.0) + options.halts * options.halt_s / 60.0
    return Tried(walk=walk, stop=stop, ride=ride, bus=stop + options.wait_min + ride)


def _read_minutes(studies: tuple[StudyArea, StudyArea], mode: str, rows: pd.DataFrame) -> Floats:
    """Return minutes from unit to school: those of the study, for schools that actions open those of its copy."""
    result = np.full(len(rows), np.nan)
    for study in reversed(studies):
        matrix: TravelMatrix | None = study.travel.get(mode)  # type: ignore[call-overload]
        if matrix is not None:
            unit, school = _locate(matrix, rows)
            known = (unit >= 0) & (school >= 0)
            result[known] = matrix.time_min[unit[known], school[known]]
    return result


def _read_legs(studies: tuple[StudyArea, StudyArea], rows: pd.DataFrame, options: LivedOptions) -> Floats:
    """Return the minutes from each unit to the road for cars, which are walked; 0 where not measured."""
    result = np.zeros(len(rows))
    for study in reversed(studies):
        matrix = study.travel.get("drive")
        if matrix is not None:
            unit, _school = _locate(matrix, rows)
            beyond = np.maximum(matrix.unit_snap_m - matrix.max_snap_m, 0.0)
            metres = np.nan_to_num(matrix.unit_snap_m + (matrix.detour_factor - 1.0) * beyond)
            result[unit >= 0] = metres[unit[unit >= 0]] / (options.walk_kmh / 0.06)
    return result


def _locate(matrix: TravelMatrix, rows: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    unit = pd.Index(matrix.unit_ids, dtype=object).get_indexer(pd.Index(rows["unit_id"], dtype=object))
    school = pd.Index(matrix.destination_ids, dtype=object).get_indexer(pd.Index(rows["school_id"], dtype=object))
    return unit.astype(np.int64), school.astype(np.int64)


def _choose_ways(rows: pd.DataFrame, tried: Tried, options: LivedOptions) -> pd.DataFrame:
    """Return ``rows`` with the first way that holds, and what was tried; ``board`` is still to be shared out."""
    limit = rows["limit_min"].to_numpy(dtype=float)
    reached = (rows["school_id"] != "").to_numpy()
    walks = reached & (tried.walk <= limit)
    rides = reached & ~walks & options.bus & (tried.bus <= limit) & (tried.stop <= options.max_stop_walk_min)
    # Without times by car nobody knows whether a bus would do; a row that may board may still do that.
    dark = options.bus & np.isnan(tried.ride).all() & (tried.stop <= options.max_stop_walk_min)
    boards = reached & ~walks & ~rides & options.boarding & rows["may_board"].to_numpy(dtype=bool)
    way = np.select([walks, rides, boards, reached & dark], ["walk", "bus", "board", "unknown"], "none")
    on_foot = way == "walk"
    by_bus = way == "bus"
    return rows.assign(
        way=way,
        time_min=np.where(on_foot, tried.walk, np.where(by_bus | (way == "board"), tried.bus, tried.quickest)),
        ride_min=np.where(on_foot, np.nan, tried.ride),
        walk_min=np.where(by_bus, tried.stop, tried.walk),
        foot_min=tried.walk,
        stop_min=tried.stop,
        bus_min=tried.bus,
        dark=dark,
        beds=np.nan,
    )


def _share_beds(rows: pd.DataFrame, changed: StudyArea, options: LivedOptions) -> pd.DataFrame:
    """Give the beds of every school to those who live farthest; the others of ``board`` have no way, or an unknown one.

    A school whose beds are not known leaves its would-be boarders unknown.
    """
    beds = changed.schools.set_index("school_id")["boarding_places"].astype(float)
    rows["beds"] = beds.reindex(rows["school_id"]).to_numpy(dtype=float)
    wants = rows[rows["way"] == "board"]
    if wants.empty:
        return rows
    far = wants["foot_min"].fillna(np.inf)
    order = wants.assign(far=far).sort_values(
        ["school_id", "far", "unit_id", "band"], ascending=[True, False, True, True]
    )
    asked = order["pupils"].fillna(0.0)
    before = asked.groupby(order["school_id"]).cumsum() - asked
    got = np.clip(order["beds"].fillna(0.0) - before, 0.0, asked)
    known = order["beds"].notna() & order["pupils"].notna()
    lodged = order.assign(pupils=got)[known & (got > LEAST_SHARE)].drop(columns="far")
    left = order.assign(pupils=order["pupils"] - got.where(known, 0.0))[~known | (asked - got > LEAST_SHARE)]
    lost = np.where(left["beds"].isna() | left["pupils"].isna() | left["dark"], "unknown", "none")
    left = left.assign(way=lost, time_min=np.fmin(left["foot_min"], left["bus_min"]))
    result: pd.DataFrame = pd.concat(
        [rows[rows["way"] != "board"], lodged, left.drop(columns="far")], ignore_index=True
    )
    return result
