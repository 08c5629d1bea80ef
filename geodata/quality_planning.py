"""Checks of what forecasts and inspections need: past rolls, births, housing, assets, groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from geodata.dictionary import read_table_schema
from geodata.errors import DataIssue
from geodata.messages import Message, msg
from geodata.quality_facts import STAGE_NAMES, Facts, pairs_of
from geodata.quality_places import OUTSIDE_MARGIN_M, measure_outside
from geodata.values import find_near_id

MAX_NAMED = 5
"""So many ids are named in one sentence."""
BIRTHS_TOLERANCE_SHARE = 0.05
_PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "assets": (
        ("above_degree_teachers", "staff_teachers"),
        ("backbone_teachers", "staff_teachers"),
        ("pe_art_teachers", "staff_teachers"),
        ("mid_title_teachers", "staff_teachers"),
        ("certified_teachers", "staff_teachers"),
        ("trained_teachers", "staff_teachers"),
        ("eligible_teachers", "staff_teachers"),
        ("rotated_teachers", "eligible_teachers"),
        ("rotated_backbone_teachers", "rotated_teachers"),
        ("indoor_sports_m2", "teaching_area_m2"),
    ),
    "groups": (("exchanged_teachers", "eligible_teachers"),),
}
"""Columns by table of which the first counts a part of the second."""


def _list_ids(ids: Iterable[str]) -> str:
    found = list(ids)
    return ", ".join(found[:MAX_NAMED]) + (" …" if len(found) > MAX_NAMED else "")


def _report_unknown(facts: Facts, table: str, column: str, ids: Iterable[str], known: set[str]) -> list[DataIssue]:
    """Return one error per id that is not known, with the nearest one."""
    issues = []
    other = {"unit_id": "units", "town": "units"}.get(column, "schools")
    for record_id in sorted({key for key in ids if key} - known):
        near = find_near_id(record_id, known)
        cure = msg("Correct the code, or add the missing school or unit.")
        if near:
            cure = msg("Did you mean {name}? Ids are compared as text, leading zeros included.", name=near)
        problem = msg("The table {table} names {id}, which is not known.", table=table, id=record_id)
        issues.append(
            DataIssue(
                "planning_ids",
                "error",
                problem,
                file=facts.files.get(table, ""),
                column=column,
                found=record_id,
                expected=msg("an id of the table {table}", table=other) if column != "town" else None,
                cure=cure,
                record_id=record_id,
            )
        )
    return issues


def check_planning_ids(facts: Facts) -> list[DataIssue]:
    """Error: assets or groups name a school, births or housing a unit, births a town, that nobody knows."""
    schools, units = set(facts.school_names), set(facts.unit_names)
    issues = []
    for table, frame in (("assets", facts.assets), ("groups", facts.groups)):
        issues += _report_unknown(facts, table, "school_id", frame["school_id"].astype(str), schools)
    for table, frame in (("births", facts.births), ("housing", facts.housing)):
        issues += _report_unknown(facts, table, "unit_id", frame["unit_id"].astype(str), units)
    of_town = facts.births.loc[facts.births["unit_id"] == "", "town"].astype(str)
    towns = set(facts.units["town"].astype(str)) - {""} if "town" in facts.units.columns else set()
    if towns:
        return issues + _report_unknown(facts, "births", "town", of_town, towns)
    if (of_town != "").any():
        problem = msg("Births are given by town, but no unit says to which town it belongs.")
        cure = msg("Add a column 乡镇 to the units, or give births by unit or of the county.")
        issues.append(
            DataIssue("planning_ids", "warning", problem, facts.files.get("births", ""), column="town", cure=cure)
        )
    return issues


def check_past_schools(facts: Facts) -> list[DataIssue]:
    """Warning: rolls of past years name schools that are not in the table of schools; error: most of theirs are not.

    Schools that were closed since belong there: their pupils count for the county, not for a school of today.
    """
    past = facts.rolls[facts.rolls["year"] < facts.rolls["year"].max()]
    ids = sorted(set(past["school_id"].astype(str)))
    gone = [school_id for school_id in ids if school_id not in facts.school_names]
    if not gone:
        return []
    most = len(gone) * 2 > len(ids)
    near = find_near_id(gone[0], facts.school_names) if most else ""
    cure = msg("Nothing to do where they are closed; else correct the codes.")
    if most:
        cure = msg("Correct the codes: they are compared as text, leading zeros included.")
    if near:
        cure = msg("Did you mean {name}? Ids are compared as text, leading zeros included.", name=near)
    problem = msg(
        "{count} of {all} schools in the rolls of past years are not in the table of schools: {names}.",
        count=len(gone),
        all=len(ids),
        names=_list_ids(gone),
    )
    file = facts.files.get("rolls", facts.files.get("schools", ""))
    return [DataIssue("past_schools", "error" if most else "warning", problem, file, column="school_id", cure=cure)]


def check_births_sums(facts: Facts) -> list[DataIssue]:
    """Warning: births of the units, or of the towns, do not add up to those of the county of the same year."""
    births = facts.births
    of_unit, of_town = births["unit_id"] != "", (births["unit_id"] == "") & (births["town"] != "")
    county = births[~of_unit & ~of_town].groupby("year")["births_children"].sum()
    issues = []
    for mask, name in ((of_unit, msg("units")), (of_town, msg("towns"))):
        sums = births[mask].groupby("year")["births_children"].sum().reindex(county.index).dropna()
        away = (sums - county.reindex(sums.index)).abs() > BIRTHS_TOLERANCE_SHARE * county.reindex(sums.index)
        if away.any():
            year = int(away.index[away][0])
            problem = msg(
                "Births of {year}: {sum:,.0f} in the {places}, {county:,.0f} in the county; years: {count}.",
                year=str(year),
                sum=float(sums[year]),
                county=float(county[year]),
                places=name,
                count=int(away.sum()),
            )
            cure = msg("Check both; the registers may count different people.")
            issues.append(DataIssue("births_sums", "warning", problem, facts.files.get("births", ""), cure=cure))
    return issues


def check_housing_outside(facts: Facts) -> list[DataIssue]:
    """Warning: a housing project lies more than 3 km outside the rectangle around all units."""
    if not len(facts.units) or not len(facts.housing):
        return []
    x, y = facts.housing["x_m"].to_numpy(dtype=float), facts.housing["y_m"].to_numpy(dtype=float)
    away_m = measure_outside(facts.units, x, y)
    issues = []
    for at in np.flatnonzero(away_m > OUTSIDE_MARGIN_M):
        name, record_id = str(facts.housing["name"].iloc[at]), str(facts.housing["project_id"].iloc[at])
        distance = float(away_m[at]) / 1000
        problem = msg("{name} lies {distance:,.0f} km outside the area of the units.", name=name, distance=distance)
        cure = msg("Check longitude and latitude, or the coordinate system.")
        issues.append(
            DataIssue(
                "housing_outside", "warning", problem, facts.files.get("housing", ""), cure=cure, record_id=record_id
            )
        )
    return issues


def check_assets_stages(facts: Facts) -> list[DataIssue]:
    """Warning: assets of a stage that the school does not teach, or of the whole school beside those of a stage."""
    taught, issues = set(pairs_of(facts.places)), []
    by_stage = facts.assets[facts.assets["stage"] != ""]
    for key, stage in dict.fromkeys(pairs_of(by_stage)):
        if key in facts.school_names and (key, stage) not in taught:
            problem = msg(
                "The assets name {name} for {stage}, which it does not teach.",
                name=facts.school_names[key],
                stage=STAGE_NAMES[stage],
            )
            cure = msg("Correct the stage, or leave it empty where the row counts the whole school.")
            issues.append(_place(facts, "assets_stages", problem, "assets", key, cure))
    whole = facts.assets[facts.assets["stage"] == ""]
    both = whole.merge(by_stage[["school_id", "year"]].drop_duplicates(), on=["school_id", "year"])
    for key in dict.fromkeys(both["school_id"].astype(str)):
        problem = msg(
            "The assets of {name} are given for the whole school and for a stage.",
            name=facts.school_names.get(key, key),
        )
        cure = msg("Delete the row of the whole school, or those of the stages.")
        issues.append(_place(facts, "assets_stages", problem, "assets", key, cure))
    return issues


def _place(facts: Facts, check: str, problem: Message, table: str, school_id: str, cure: Message) -> DataIssue:
    """Return a warning about a school, placed on the map, with the file that holds the number."""
    issue = facts.issue(check, "warning", problem, "schools", school_id, cure=cure)
    return replace(issue, file=facts.files.get(table, ""))


def check_parts(facts: Facts) -> list[DataIssue]:
    """Warning: a part is more than its whole: more backbone teachers than teachers, more exchanged than eligible."""
    issues = []
    for table, frame in (("assets", facts.assets), ("groups", facts.groups)):
        for part, whole in _PARTS[table]:
            wrong = frame[frame[part] > frame[whole]]
            for row in wrong.to_dict("records"):
                key = str(row["school_id"])
                problem = msg(
                    "{name}: {part} ({part_value:,.0f}) is more than {whole} ({whole_value:,.0f}).",
                    name=facts.school_names.get(key, key),
                    part=_name_column(table, part),
                    part_value=float(row[part]),
                    whole=_name_column(table, whole),
                    whole_value=float(row[whole]),
                )
                issues.append(_place(facts, "parts", problem, table, key, msg("Check both numbers.")))
    return issues


def _name_column(table: str, name: str) -> str:
    """Return a column as the template heads it, which readers of both languages understand."""
    return f"{read_table_schema(table).column(name).aliases[0]} / {name}"


def check_group_members(facts: Facts) -> list[DataIssue]:
    """Warning: an education group without one leading school, or a school in several groups."""
    groups, issues = facts.groups, []
    file = facts.files.get("groups", "")
    led = groups[groups["kind"] == "group"]
    for group_id, members in led.groupby("group_id", sort=True):
        leads = int((members["role"] == "lead").sum())
        if leads != 1:
            problem = msg("The group {name} has {count} leading schools.", name=_name_group(members), count=leads)
            cure = msg("Give one school of the group the role 牵头校.")
            issues.append(
                DataIssue("group_members", "warning", problem, file, cure=cure, column="role", record_id=str(group_id))
            )
    several = groups.groupby("school_id")["group_id"].nunique()
    for school_id in several.index[several > 1].astype(str):
        problem = msg("{name} stands in several groups.", name=facts.school_names.get(school_id, school_id))
        cure = msg("Keep one of them, unless the school is in a group and a district at once.")
        issues.append(_place(facts, "group_members", problem, "groups", school_id, cure))
    return issues


def _name_group(members: pd.DataFrame) -> str:
    names = [str(name) for name in members["name"] if name]
    return names[0] if names else str(members["group_id"].iloc[0])
