"""The tables that flags and indicators read: schools of a stage with their numbers, units, and unit-school pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import StudyArea, TravelMatrix
from planning.assignment import Ways
from planning.measures import compute_quantile
from planning.rules import Rules
from planning.scenario import Scenario

JOINT_KINDS = ("nine_year", "twelve_year")
"""Kinds whose size is that of the primary and the junior stage together."""

SCHOOL_COLUMNS = (
    "school_id",
    "name",
    "stage",
    "kind",
    "setting",
    "town",
    "ownership",
    "capacity_places",
    "capacity_source",
    "classes",
    "actual_pupils",
    "modelled_pupils",
    "fill_share",
    "modelled_fill_share",
    "mean_class_pupils",
    "mean_travel_min",
    "p95_travel_min",
    "mean_length_m",
    "beyond_radius_share",
    "leak_pupils",
    "size_pupils",
    "size_classes",
)
UNIT_COLUMNS = (
    "unit_id",
    "name",
    "stage",
    "setting",
    "town",
    "pupils",
    "school_id",
    "school_name",
    "main_share",
    "schools",
    "reached_share",
    "time_min",
    "length_m",
    "nearest_school_id",
    "nearest_time_min",
    "nearest_length_m",
    "radius_m",
    "snap_m",
    "origin",
)


@dataclass(frozen=True, eq=False)
class StageTables:
    """One stage, ready to be judged.

    ``schools`` has ``SCHOOL_COLUMNS``, ``units`` has ``UNIT_COLUMNS``. ``pairs`` is the enrolment with ``setting``,
    ``town`` and ``name`` of the unit, and ``radius_m`` and ``max_min``, the limits that hold for it (NaN = none).
    ``modelled`` is False where a conflict left nobody enrolled: ``units`` and ``pairs`` are empty then. ``reach``:
    places per child within reach, by unit id (``planning.access_reach``); empty where it was not computed.
    """

    stage: str
    schools: pd.DataFrame
    units: pd.DataFrame
    pairs: pd.DataFrame
    modelled: bool = True
    reach: pd.Series[float] = field(default_factory=lambda: pd.Series(dtype=np.float64))


def choose_year(rolls: pd.DataFrame, stage: str, year: int | None) -> int | None:
    """Return the school year to read for a stage: the one asked for, or the latest before it that the rolls hold.

    Without a year: the latest. None where the rolls hold no such year.
    """
    years = rolls.loc[rolls["stage"] == stage, "year"]
    if year is not None:
        years = years[years <= year]
    return None if years.empty else int(years.max())


def compute_stage_rolls(rolls: pd.DataFrame, stage: str, year: int | None) -> pd.DataFrame:
    """Return pupils, classes and the highest grade by school of one stage and year, indexed by school_id.

    Grade 0 is the total of the stage; where it is given, single grades are not added to it.
    """
    chosen = choose_year(rolls, stage, year)
    rows = rolls[(rolls["stage"] == stage) & (rolls["year"] == (-1 if chosen is None else chosen))]
    totals = rows[rows["grade"] == 0]
    grades = rows[(rows["grade"] != 0) & ~rows["school_id"].isin(totals["school_id"])]
    sums = pd.concat([totals, grades]).groupby("school_id")[["pupils", "classes"]].sum(min_count=1)
    taught = rows[rows["pupils"].fillna(0) > 0].groupby("school_id")["grade"].max()
    return sums.assign(highest_grade=taught.reindex(sums.index)).astype(float)


def build_stage_schools(study: StudyArea, stage: str, year: int | None) -> pd.DataFrame:
    """Return the schools open for a stage with what is known of them today, ordered by id; unknown numbers are NaN.

    Columns: the first part of ``SCHOOL_COLUMNS`` to ``actual_pupils``, ``mean_class_pupils``, ``fill_share``, the
    sizes, and ``low_only`` (teaching points that teach grades 1 to 3 only). Classes are those of the rolls of the
    year, else those of the places.
    """
    about = ["school_id", "name", "kind", "setting", "town", "ownership"]
    rolls = compute_stage_rolls(study.rolls, stage, year)
    places = study.places[study.places["stage"] == stage]
    places = places.drop_duplicates("school_id").rename(columns={"classes": "places_classes"})
    schools = pd.DataFrame(study.schools[about]).merge(places, on="school_id", how="inner")
    schools = schools.sort_values("school_id", kind="stable").reset_index(drop=True)
    text = ["name", "kind", "setting", "town", "ownership", "capacity_source"]
    schools[text] = schools[text].fillna("").astype(str)
    schools["name"] = schools["name"].where(schools["name"] != "", schools["school_id"])
    schools["stage"] = stage
    for column, source in (
        ("actual_pupils", "pupils"),
        ("roll_classes", "classes"),
        ("highest_grade", "highest_grade"),
    ):
        schools[column] = rolls[source].reindex(schools["school_id"]).to_numpy(dtype=float)
    capacity = schools["capacity_places"].astype(float)
    schools["capacity_places"] = capacity
    schools["classes"] = schools["roll_classes"].fillna(schools["places_classes"].astype(float))
    schools["fill_share"] = schools["actual_pupils"] / capacity.where(capacity > 0)
    schools["mean_class_pupils"] = schools["actual_pupils"] / schools["classes"].where(schools["classes"] > 0)
    low = (schools["kind"] == "teaching_point") & ~(schools["highest_grade"] > 3)
    schools["low_only"] = low.to_numpy() & (stage == "primary")
    return schools.drop(columns=["roll_classes", "places_classes", "highest_grade"])


def add_school_sizes(schools: pd.DataFrame, study: StudyArea, year: int | None) -> pd.DataFrame:
    """Return ``schools`` with ``size_pupils`` and ``size_classes``: nine- and twelve-year schools count two stages."""
    stage = str(schools["stage"].iloc[0]) if len(schools) else ""
    result = schools.assign(size_pupils=schools["actual_pupils"], size_classes=schools["classes"])
    joint = result["kind"].isin(JOINT_KINDS).to_numpy()
    if stage not in ("primary", "junior") or not joint.any():
        return result
    other = build_stage_schools(study, "junior" if stage == "primary" else "primary", year).set_index("school_id")
    ids = result["school_id"]
    has_other = ids.isin(other.index).to_numpy() & joint
    for size, own in (("size_pupils", "actual_pupils"), ("size_classes", "classes")):
        added = result[own].to_numpy() + other[own].reindex(ids).to_numpy(dtype=float)
        result[size] = np.where(has_other, added, result[own].to_numpy())
    return result


def build_ways(study: StudyArea, scenario: Scenario, schools: pd.DataFrame) -> Ways:
    """Return units, schools and the ways between them for one stage. A missing unit or school has no way (NaN)."""
    stage = str(schools["stage"].iloc[0])
    units = study.units.sort_values("unit_id", kind="stable")
    unit_ids = units["unit_id"].to_numpy(dtype=object)
    school_ids = schools["school_id"].to_numpy(dtype=object)
    travel = study.travel[scenario.mode]
    column = f"{stage}_pupils"
    pupils = units[column].to_numpy(dtype=np.float64) if column in units.columns else np.full(len(units), np.nan)
    return Ways(
        unit_ids=unit_ids,
        school_ids=school_ids,
        pupils=pupils,
        time_min=_pick(travel, travel.time_min, unit_ids, school_ids),
        length_m=_pick(travel, travel.length_m, unit_ids, school_ids),
        low_only=schools["low_only"].to_numpy(dtype=bool),
    )


def _pick(
    travel: TravelMatrix,
    table: npt.NDArray[np.float32],
    unit_ids: npt.NDArray[np.object_],
    school_ids: npt.NDArray[np.object_],
) -> npt.NDArray[np.float32]:
    """Return rows and columns of the matrix in the order asked for; NaN where the matrix does not know one."""
    rows = pd.Index(travel.unit_ids, dtype=object).get_indexer(pd.Index(unit_ids, dtype=object))
    columns = pd.Index(travel.destination_ids, dtype=object).get_indexer(pd.Index(school_ids, dtype=object))
    if (rows >= 0).all() and (columns >= 0).all():
        same_rows = len(rows) == len(table) and bool((np.diff(rows) == 1).all())
        same_columns = len(columns) == table.shape[1] and bool((np.diff(columns) == 1).all())
        chosen = table if same_rows else table[rows]
        return chosen if same_columns else chosen[:, columns]
    picked = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
    known_rows, known_columns = np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0)
    picked[np.ix_(known_rows, known_columns)] = table[np.ix_(rows[known_rows], columns[known_columns])]
    return picked


def build_pairs(
    study: StudyArea,
    rules: Rules,
    stage: str,
    enrolment: pd.DataFrame,
    schools: pd.DataFrame,
    *,
    year: int | None = None,
) -> pd.DataFrame:
    """Return ``enrolment`` with name, setting and town of the unit and the limits that hold for it.

    The radius follows the setting of the unit, else (where unknown) that of the school.
    """
    about = (
        pd.DataFrame(study.units[["unit_id", "name", "setting", "town"]]).set_index("unit_id").fillna("").astype(str)
    )
    pairs = enrolment.copy()
    order = about.index.get_indexer(pd.Index(pairs["unit_id"]))
    for column in ("name", "setting", "town"):
        pairs[column] = about[column].to_numpy()[order]
    pairs["name"] = pairs["name"].where(pairs["name"] != "", pairs["unit_id"])
    school_setting = schools.set_index("school_id")["setting"].reindex(pairs["school_id"]).fillna("").to_numpy()
    setting = pairs["setting"].where(pairs["setting"] != "", school_setting)
    radius = {name: rules.limit("service_radius", stage, setting=str(name), year=year) for name in setting.unique()}
    longest = {name: rules.limit("max_travel_min", stage, setting=str(name), year=year) for name in setting.unique()}
    pairs["radius_m"] = setting.map(radius).astype(float)
    pairs["max_min"] = setting.map(longest).astype(float)
    return pairs


def complete_school_table(schools: pd.DataFrame, pairs: pd.DataFrame | None) -> pd.DataFrame:
    """Return the school table with what the model adds; NaN there where nothing was modelled."""
    table = schools.copy()
    added = ("modelled_pupils", "mean_travel_min", "p95_travel_min", "mean_length_m", "beyond_radius_share")
    if pairs is None:
        table[list(added)] = np.nan
    else:
        facts = _compute_school_travel(pairs)
        for column in added:
            table[column] = facts[column].reindex(table["school_id"]).to_numpy(dtype=float)
        table["modelled_pupils"] = table["modelled_pupils"].fillna(_find_empty_schools(table["school_id"], pairs))
    capacity = table["capacity_places"]
    table["modelled_fill_share"] = table["modelled_pupils"] / capacity.where(capacity > 0)
    table["leak_pupils"] = table["actual_pupils"] - table["modelled_pupils"]
    return table.loc[:, [*SCHOOL_COLUMNS, "low_only"]]


def _find_empty_schools(school_ids: pd.Series[str], pairs: pd.DataFrame) -> pd.Series[float]:
    """Return 0 for schools to which the model is known to send nobody; NaN where the children sent are not known."""
    unknown = pairs["pupils"].isna()
    if len(pairs) and unknown.all():
        return pd.Series(np.nan, index=school_ids.index)
    return school_ids.isin(pairs.loc[unknown, "school_id"]).map({True: np.nan, False: 0.0})


def _compute_school_travel(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return modelled pupils and their travel by school id."""
    rows = pairs[(pairs["school_id"] != "") & (pairs["pupils"] > 0)]
    known = rows["radius_m"].notna() & rows["length_m"].notna()
    work = pd.DataFrame(
        {
            "school_id": rows["school_id"],
            "pupils": rows["pupils"],
            "timed": rows["pupils"].where(rows["time_min"].notna()),
            "time": rows["pupils"] * rows["time_min"],
            "measured": rows["pupils"].where(rows["length_m"].notna()),
            "length": rows["pupils"] * rows["length_m"],
            "judged": rows["pupils"].where(known),
            "beyond": rows["pupils"].where(known & (rows["length_m"] > rows["radius_m"]), 0.0),
        }
    )
    sums = work.groupby("school_id").sum(min_count=1)
    groups = rows.groupby("school_id")[["time_min", "pupils"]]
    p95 = {key: compute_quantile(part["time_min"].to_numpy(), part["pupils"].to_numpy(), 0.95) for key, part in groups}
    return pd.DataFrame(
        {
            "modelled_pupils": sums["pupils"],
            "mean_travel_min": sums["time"] / sums["timed"],
            "p95_travel_min": pd.Series(p95, dtype=float).reindex(sums.index),
            "mean_length_m": sums["length"] / sums["measured"],
            "beyond_radius_share": sums["beyond"] / sums["judged"],
        }
    )


def build_unit_table(
    ways: Ways,
    nearest: npt.NDArray[np.int64],
    pairs: pd.DataFrame,
    schools: pd.DataFrame,
    snap_m: Mapping[str, float],
) -> pd.DataFrame:
    """Return one row per unit: its main school (largest share, then id), mean way by share, and the nearest school.

    ``snap_m``: metres between each unit and the road, by unit id.
    """
    ordered = pairs.sort_values(["unit_id", "share", "school_id"], ascending=[True, False, True], kind="stable")
    main = ordered.drop_duplicates("unit_id").set_index("unit_id").reindex(ways.unit_ids)
    reached = pairs[pairs["school_id"] != ""]
    sums = (
        pd.DataFrame(
            {
                "unit_id": reached["unit_id"],
                "schools": 1.0,
                "share": reached["share"],
                "timed": reached["share"].where(reached["time_min"].notna()),
                "time": reached["share"] * reached["time_min"],
                "measured": reached["share"].where(reached["length_m"].notna()),
                "length": reached["share"] * reached["length_m"],
            }
        )
        .groupby("unit_id")
        .sum(min_count=1)
        .reindex(ways.unit_ids)
    )
    at = np.arange(len(nearest))
    found = nearest >= 0
    names = schools.set_index("school_id")["name"]
    table = pd.DataFrame(
        {
            "unit_id": pd.Series(ways.unit_ids, dtype=str),
            **{column: main[column].to_numpy() for column in ("name", "stage", "setting", "town")},
            "pupils": ways.pupils,
            "school_id": main["school_id"].to_numpy(),
            "school_name": names.reindex(main["school_id"]).fillna("").to_numpy(),
            "main_share": main["share"].to_numpy(),
            "schools": sums["schools"].fillna(0).to_numpy().astype(int),
            "reached_share": sums["share"].fillna(0.0).to_numpy(),
            "time_min": (sums["time"] / sums["timed"]).to_numpy(),
            "length_m": (sums["length"] / sums["measured"]).to_numpy(),
            "nearest_school_id": pd.Series(np.append(ways.school_ids, "")[nearest], dtype=str),
            "nearest_time_min": np.where(found, ways.time_min[at, nearest].astype(float), np.nan),
            "nearest_length_m": np.where(found, ways.length_m[at, nearest].astype(float), np.nan),
            "radius_m": main["radius_m"].to_numpy(),
            "snap_m": np.array([snap_m.get(str(key), np.nan) for key in ways.unit_ids], dtype=np.float64),
            "origin": main["origin"].to_numpy(),
        }
    )
    return table.loc[:, list(UNIT_COLUMNS)]
