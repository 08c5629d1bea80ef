"""What drawn zones change: by unit, by community of each school, by grade, and who comes and who leaves."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.drawing import DrawingTable
from planning.drawing_state import DrawingState, build_state
from planning.grandfather import Cohorts, build_cohorts
from planning.tables import choose_year
from planning.zoning_facts import list_names

CHANGE_COLUMNS = (
    *("unit_id", "name", "town", "stage", "old_school_ids", "old_school_names", "new_school_ids", "new_school_names"),
    *("pupils", "moved_pupils", "min_before", "min_after", "extra_min"),
)
COMMUNITY_COLUMNS = (
    *("school_id", "school_name", "unit_id", "community", "town", "shared", "pupils", "moved_pupils"),
    *("old_school_ids", "old_school_names", "min_before", "min_after", "extra_min"),
)
GRADE_COLUMNS = (
    *("zone", "school_id", "name", "stage", "grade", "pupils", "share", "classes", "class_size"),
    *("limit_class_size", "classes_needed", "rolls_known", "classes_known"),
)
FLOW_COLUMNS = (
    "from_school_ids",
    "from_names",
    "to_school_ids",
    "to_names",
    "pupils",
    "units",
    "unit_ids",
    "extra_min",
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def list_changes(table: DrawingTable, zone: Ints, *, everyone: bool = False) -> pd.DataFrame:
    """Return ``CHANGE_COLUMNS`` of the units whose zone changes (``everyone``: of all units), ordered by id.

    ``moved_pupils``: those whose school of today is not in the new zone; NaN where the unit has no zone today. Minutes
    are per pupil, NaN without a way or a zone.
    """
    return _list_units(table, build_state(table, zone), everyone)


def _list_units(table: DrawingTable, state: DrawingState, everyone: bool) -> pd.DataFrame:
    order = np.argsort(table.to_facts, kind="stable")
    at = order if everyone else order[state.zone[order] != table.current[order]]
    ids = np.array([*table.zone_ids, ""], dtype=object)
    names = np.array([*table.zone_names, ""], dtype=object)
    before = np.where(table.current >= 0, table.minutes[np.arange(table.n_units), table.current], np.nan)[at]
    before[~np.isfinite(before)] = np.nan
    after = np.where(np.isfinite(state.minutes), state.minutes, np.nan)[at]
    frame = pd.DataFrame(
        {
            "unit_id": pd.Series([table.unit_ids[unit] for unit in at.tolist()], dtype=str),
            "name": pd.Series([table.unit_names[unit] for unit in at.tolist()], dtype=str),
            "town": pd.Series([table.towns[unit] for unit in at.tolist()], dtype=str),
            "stage": pd.Series([table.stage] * len(at), dtype=str),
            "old_school_ids": pd.Series(ids[table.current[at]], dtype=str),
            "old_school_names": pd.Series(names[table.current[at]], dtype=str),
            "new_school_ids": pd.Series(ids[state.zone[at]], dtype=str),
            "new_school_names": pd.Series(names[state.zone[at]], dtype=str),
            "pupils": table.pupils[at],
            "moved_pupils": count_moved_by_unit(table, state.zone)[at],
            "min_before": before,
            "min_after": after,
            "extra_min": after - before,
        }
    )
    return frame.loc[:, list(CHANGE_COLUMNS)]


def count_moved_by_unit(table: DrawingTable, zone: Ints) -> Floats:
    """Return the pupils of every unit whose school of today is not in the new zone; NaN without a zone today."""
    moved = np.where(table.current >= 0, 0.0, np.nan)
    unit, share = table.today_unit, table.today_share
    gone = ~table.admits[zone[unit], table.today_own] & (zone[unit] >= 0)
    np.add.at(moved, unit[gone], table.pupils[unit[gone]] * share[gone])
    return moved


def list_communities(table: DrawingTable, zone: Ints) -> pd.DataFrame:
    """Return ``COMMUNITY_COLUMNS``: the communities and villages of every school, with the school of today.

    A row for each school and unit; in a shared zone (``shared``) ``pupils`` and ``moved_pupils`` are the part of the
    school. Minutes are those to the zone. Ordered by school and unit ids; units without a zone are left out.
    """
    state = build_state(table, zone)
    units = _list_units(table, state, everyone=True).assign(zone=state.zone[np.argsort(table.to_facts, kind="stable")])
    facts = table.facts
    parts = []
    for own, (members, split) in enumerate(zip(facts.members, facts.split, strict=True)):
        share = np.append(table.weight[:, own], 0.0)[units["zone"]]
        rows = units[share > 0]
        for school, part in zip(members, split, strict=True):
            whole = share[share > 0] * part
            parts.append(
                rows.assign(
                    school_id=str(facts.ways.school_ids[school]),
                    school_name=str(facts.schools["name"].iloc[school]),
                    shared=whole < 1.0 - 1e-9,
                    pupils=rows["pupils"] * whole,
                    moved_pupils=rows["moved_pupils"] * whole,
                )
            )
    found = pd.concat(parts, ignore_index=True).rename(columns={"name": "community"})
    found = found.sort_values(["school_id", "unit_id"], kind="stable").reset_index(drop=True)
    return found.loc[:, list(COMMUNITY_COLUMNS)]


def list_grades(study: StudyArea, table: DrawingTable, zone: Ints) -> pd.DataFrame:
    """Return ``GRADE_COLUMNS``: the fill of every school by grade, estimated.

    ``pupils``: those of the school's zone (low grades at teaching points apart) times the ``share`` of the grade in the
    school's own roll by grade of the latest year; where the school has none (``rolls_known`` is False), in those of all
    schools of the stage together, and where no school has any, even. ``classes``: of the grade in the roll
    (``classes_known``), else the school's classes spread evenly over the grades; NaN where not known. ``class_size``
    is compared with ``limit_class_size``, the rulebook's largest class; ``classes_needed`` keep within it.
    """
    state = build_state(table, zone)
    facts = table.facts
    cohorts = build_cohorts(study, table.stage, facts.ways.school_ids, table.scenario.year)
    share = _share_grades(cohorts, facts.schools["actual_pupils"].to_numpy(dtype=np.float64))
    classes, known = _count_classes(study, table, cohorts)
    rows = []
    for own, (members, split) in enumerate(zip(facts.members, facts.split, strict=True)):
        for school, part in zip(members.tolist(), split.tolist(), strict=True):
            about = facts.schools.iloc[school]
            limit = table.rules.limit("max_class_size", table.stage, kind=str(about["kind"]), year=table.scenario.year)
            load = float(state.load[own]) * part
            for place, grade in enumerate(cohorts.grades):
                pupils = load * float(share[school, place])
                count = float(classes[school, place])
                rows.append(
                    {
                        "zone": own,
                        "school_id": str(about["school_id"]),
                        "name": str(about["name"]),
                        "stage": table.stage,
                        "grade": grade,
                        "pupils": pupils,
                        "share": float(share[school, place]),
                        "classes": count,
                        "class_size": pupils / count if count > 0 else math.nan,
                        "limit_class_size": math.nan if limit is None else limit,
                        "classes_needed": math.nan if limit is None else math.ceil(pupils / limit - 1e-9),
                        "rolls_known": bool(cohorts.known[school]),
                        "classes_known": bool(known[school, place]),
                    }
                )
    return pd.DataFrame(rows, columns=list(GRADE_COLUMNS))


def _share_grades(cohorts: Cohorts, pupils: Floats) -> Floats:
    """Return the share of each grade by school: of its own roll, else of all rolls together, else even."""
    share = cohorts.share.copy()
    known = cohorts.known & (np.nan_to_num(pupils) > 0)
    if known.any():
        together = pupils[known] @ cohorts.share[known]
        share[~cohorts.known] = together / together.sum()
    return share


def _count_classes(study: StudyArea, table: DrawingTable, cohorts: Cohorts) -> tuple[Floats, Bools]:
    """Return the classes by school and grade, and where the roll tells them."""
    schools = table.facts.schools
    year = choose_year(study.rolls, table.stage, table.scenario.year)
    rolls = study.rolls[(study.rolls["stage"] == table.stage) & (study.rolls["year"] == (-1 if year is None else year))]
    told = rolls.pivot_table(index="school_id", columns="grade", values="classes", aggfunc="sum", min_count=1)
    told = told.reindex(index=list(schools["school_id"]), columns=list(cohorts.grades))
    by_grade = told.to_numpy(dtype=np.float64)
    known = np.isfinite(by_grade) & (np.nan_to_num(by_grade) > 0)
    even = schools["classes"].to_numpy(dtype=np.float64)[:, None] / len(cohorts.grades)
    return np.where(known, by_grade, even), known


def tell_grades(study: StudyArea, table: DrawingTable) -> tuple[Message, ...]:
    """Return in words how the pupils and classes by grade are estimated."""
    facts = table.facts
    cohorts = build_cohorts(study, table.stage, facts.ways.school_ids, table.scenario.year)
    classes_known = _count_classes(study, table, cohorts)[1]
    zoned = np.concatenate(facts.members)
    without = zoned[~cohorts.known[zoned]]
    if len(without) == len(zoned):
        told = [msg("No rolls by grade are known: the pupils of a zone are spread evenly over the grades.")]
    else:
        told = [
            msg(
                "Pupils by grade are estimated: the pupils of the zone times the shares of the grades in the school's"
                " roll of {year}.",
                year=cohorts.year,
            )
        ]
        if len(without):
            names = list_names(facts.schools["name"].to_numpy(dtype=object)[without])
            told.append(
                msg(
                    "{count} schools have no roll by grade; the shares of all schools together are taken: {schools}.",
                    count=len(without),
                    schools=names,
                )
            )
    given = facts.schools["classes"].notna().to_numpy()
    if given[zoned].any() and not classes_known[zoned].all():
        told.append(msg("Where the roll does not tell classes by grade, the school's classes are spread evenly."))
    return tuple(told)


def list_flows(table: DrawingTable, zone: Ints) -> pd.DataFrame:
    """Return ``FLOW_COLUMNS``: who changes from which school to which, most pupils first.

    From own zones of today to own zones of the drawing (a shared one counts for each of its own zones by its part).
    ``extra_min``: pupil-minutes a day one way that they travel more. Pupils of units with several schools today count
    at each of them alike, as everywhere.
    """
    state = build_state(table, zone)
    unit, old, share = table.today_unit, table.today_own, table.today_share
    gone = ~table.admits[state.zone[unit], old] & (state.zone[unit] >= 0)
    unit, old, share = unit[gone], old[gone], share[gone]
    row, new = np.nonzero(table.weight[state.zone[unit]])
    unit, old = unit[row], old[row]
    pupils = table.pupils[unit] * share[row] * table.weight[state.zone[unit], new]
    with np.errstate(invalid="ignore"):
        extra = pupils * (table.minutes[unit, new] - table.minutes[unit, old])
    flows = pd.DataFrame({"old": old, "new": new, "unit": unit, "pupils": pupils, "extra_min": extra})
    rows = []
    for key, group in flows.groupby(flows["old"] * table.n_own + flows["new"], sort=True):
        first, second = divmod(int(str(key)), table.n_own)
        rows.append(
            {
                "from_school_ids": table.zone_ids[first],
                "from_names": table.zone_names[first],
                "to_school_ids": table.zone_ids[second],
                "to_names": table.zone_names[second],
                "pupils": float(group["pupils"].sum()),
                "units": group["unit"].nunique(),
                "unit_ids": tuple(sorted({table.unit_ids[at] for at in group["unit"]})),
                "extra_min": float(group["extra_min"].sum()),
            }
        )
    found = pd.DataFrame(rows, columns=list(FLOW_COLUMNS))
    keys = ["pupils", "from_school_ids", "to_school_ids"]
    return found.sort_values(keys, ascending=[False, True, True], kind="stable").reset_index(drop=True)
