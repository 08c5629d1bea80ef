"""Schools, their places and their rolls from one file, whatever its shape; all problems told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.crs import LOCAL
from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.schema import build_empty_table, check_table, raise_if_errors
from geodata.school_columns import choose_kind
from geodata.school_companions import list_companion_stages, read_companion
from geodata.school_rows import FACTS, SchoolRow, SheetReader
from geodata.school_sheets import Sheet, open_sheets
from geodata.study import STAGES
from geodata.study_file import SchoolsSource, StudySpec

if TYPE_CHECKING:
    import geopandas as gpd

UNKNOWN = float("nan")
SAME_PLACE_M = 100.0


@dataclass(frozen=True, eq=False)
class SchoolTables:
    """What a file of schools holds: the tables ``schools``, ``places``, ``rolls``, and warnings and notes on them."""

    schools: gpd.GeoDataFrame
    places: pd.DataFrame
    rolls: pd.DataFrame
    issues: tuple[DataIssue, ...] = ()


def read_schools(spec: StudySpec, crs: str, *, design_class_size: Mapping[str, float] | None = None) -> SchoolTables:
    """Read the schools of a study.

    Parameters
    ----------
    spec : the study; ``spec.schools`` says where the file is and how its columns are called
    crs : the study's metric CRS, or ``"local"``
    design_class_size : pupils per class by stage (a kind of school may have its own, such as ``teaching_point``);
        gives a missing capacity from classes, marked ``derived``

    Returns
    -------
    SchoolTables
        Checked tables; ``issues`` holds warnings and notes.

    Raises
    ------
    DataError
        Anything was an error; ``issues`` holds everything found.

    Notes
    -----
    One row per school and stage, per school, stage and year, per school, stage and grade, or per school with wide
    columns (小学学位数, 一年级人数). One number for several stages is shared out by their grades (6:3:3) and marked
    ``derived``. With grade columns the rolls have one row per grade and none for the stage: see
    :func:`compute_roll_totals`. A capacity that nobody gives and no classes imply is NaN and marked ``missing``.
    """
    source = spec.schools
    if source is None:
        return SchoolTables(build_empty_table("schools", crs), build_empty_table("places"), build_empty_table("rolls"))
    sheets = open_sheets(
        spec.resolve(source.path), sheet=source.sheet, layer=source.layer, crs=source.crs, match_school_sheets=True
    )
    if not any(len(sheet.frame) for sheet in sheets):
        raise DataError(_build_empty_issue(sheets[0]))
    rows, issues = _read_sheets(sheets, spec, source, crs)
    issues += _report_unread(sheets[0])
    schools = _group_rows(rows)
    issues += _check_rows(rows, schools)
    tables = _build_tables(schools, crs, design_class_size or {}, sheets[0].file, issues)
    raise_if_errors(issues)
    if not rows:
        raise DataError([_build_empty_issue(sheets[0]), *issues])
    return replace(tables, issues=tuple(issues))


def _read_sheets(
    sheets: list[Sheet], spec: StudySpec, source: SchoolsSource, crs: str
) -> tuple[list[SchoolRow], list[DataIssue]]:
    """Read the sheets of schools, then those of places and rolls that go with them.

    Rolls that the study file reads as past rolls from the same workbook are left to it.
    """
    rows: list[SchoolRow] = []
    issues: list[DataIssue] = []
    same = spec.rolls is not None and spec.resolve(spec.rolls.path) == spec.resolve(source.path)
    companions = [each for each in sheets[0].companions if not (same and each[0] == "rolls")]
    stages = list_companion_stages(companions, source)
    for sheet in sheets:
        prefix = f"{sheet.name}-" if len(sheets) > 1 else ""
        reader = SheetReader(sheet, source, crs, prefix, known_stages=stages)
        rows += reader.read()
        issues += reader.issues
    schools = {row.school_id: row for row in reversed(rows)}
    for table, sheet in companions:
        found, told = read_companion(table, sheet, source, crs, schools)
        rows += found
        issues += told
    return rows, issues


def _report_unread(sheet: Sheet) -> list[DataIssue]:
    """Warn of every sheet that looks like schools and was passed over: which of them are meant, nobody said."""
    problem = msg("This sheet looks like a table of schools, too, but was not read.")
    cure = msg("Put all schools on one sheet, name the sheets after stages (小学, 初中), or name the sheet to read.")
    return [
        DataIssue("sheet_not_read", "warning", problem, file=sheet.file, sheet=name, cure=cure) for name in sheet.unread
    ]


def _build_empty_issue(sheet: Sheet) -> DataIssue:
    return DataIssue(
        "no_rows",
        "error",
        msg("The table of schools has headers but no schools."),
        file=sheet.file,
        sheet=sheet.name,
        cure=msg("Fill in one row per school and stage below the headers, then load the file again."),
    )


def _group_rows(rows: Iterable[SchoolRow]) -> dict[str, list[SchoolRow]]:
    grouped: dict[str, list[SchoolRow]] = {}
    for row in rows:
        grouped.setdefault(row.school_id, []).append(row)
    return grouped


def _check_rows(rows: list[SchoolRow], schools: Mapping[str, list[SchoolRow]]) -> list[DataIssue]:
    """Report rows that say the same thing twice, and rows of one school that do not fit together."""
    issues: list[DataIssue] = []
    if rows and not any("school_id" in row.origin.headers for row in rows):
        problem = msg("The file has no column of school codes; codes were made from the rows.")
        cure = msg("Add a column 学校代码, so that a later file can be compared with this one.")
        issues.append(replace(rows[0].issue("missing_id", "warning", problem, cure=cure), row=None, record_id=""))
    for group in schools.values():
        seen: dict[tuple[str, str, int, int], SchoolRow] = {}
        for row in group:
            for stage in row.stages:
                first = seen.setdefault((row.table, stage, row.year, row.grade), row)
                if first is not row:
                    issues.append(_build_duplicate(row, first))
                    break
            else:
                issues += _check_same_school(row, group[0])
    return issues


def _build_duplicate(row: SchoolRow, first: SchoolRow) -> DataIssue:
    return row.issue(
        "duplicate_id",
        "error",
        msg("The same school and stage stand twice."),
        "school_id",
        found=row.school_id,
        expected=msg("each id once; it stands already in row {row}", row=first.row),
        cure=msg("Delete the second row, or give it its own id."),
    )


def _check_same_school(row: SchoolRow, first: SchoolRow) -> list[DataIssue]:
    if row is first:
        return []
    issues = []
    apart = np.hypot(row.x_m - first.x_m, row.y_m - first.y_m) > SAME_PLACE_M
    if row.name != first.name and apart:
        problem = msg("Two schools with different names and positions have the same code.")
        cure = msg("Give each school its own code; the stages of one school need one name or one position.")
        found, expected = row.school_id, msg("{name} in row {row}", name=first.name, row=first.row)
        return [row.issue("duplicate_id", "error", problem, "school_id", found=found, expected=expected, cure=cure)]
    if row.name != first.name:
        problem = msg("Rows with the same code have different names; the first name is kept.")
        issues.append(row.issue("same_id_other_name", "warning", problem, "name", found=f"{first.name} / {row.name}"))
    if apart:
        problem = msg("Rows with the same code have different positions; the first position is kept.")
        issues.append(row.issue("same_id_other_place", "warning", problem, "lon_deg"))
    return issues


def _build_tables(
    groups: Mapping[str, list[SchoolRow]],
    crs: str,
    class_size: Mapping[str, float],
    file: str,
    issues: list[DataIssue],
) -> SchoolTables:
    schools, places, rolls = [], [], []
    for school_id, group in groups.items():
        school = _build_school(school_id, group)
        schools.append(school)
        places += _build_places(school, group, class_size)
        for row in group:
            rolls += _build_rolls(row, issues)
    tables = SchoolTables(_build_points(schools, crs), _fill_table(places, "places"), _fill_table(rolls, "rolls"))
    issues += _note_derived(tables.places, file)
    issues += _note_year(tables.rolls, file)
    if not any(issue.severity == "error" for issue in issues):
        issues += check_table(tables.schools, "schools", file=file)
        issues += check_table(tables.places, "places", file=file)
        issues += check_table(tables.rolls, "rolls", file=file)
    return tables


def _build_school(school_id: str, group: list[SchoolRow]) -> dict[str, Any]:
    """Return the row of ``schools``: what the first row leaves empty comes from the next ones."""
    stages = {stage for row in group for stage in row.stages}
    kinds = {row.kind for row in group if row.table == "schools"}
    facts: dict[str, Any] = {fact: next((row.facts[fact] for row in group if row.facts[fact]), None) for fact in FACTS}
    for fact in ("setting", "town", "ownership", "group_id"):
        facts[fact] = facts[fact] or ""
    first = group[0]
    kind = kinds.pop() if len(kinds) == 1 else choose_kind(tuple(stages))
    return {
        "school_id": school_id,
        "name": first.name,
        "kind": kind,
        "x_m": first.x_m,
        "y_m": first.y_m,
        "unit_id": "",
        **facts,
    }


def _build_places(
    school: Mapping[str, Any], group: list[SchoolRow], class_size: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return the rows of ``places``: the latest year's numbers, whole-stage rows before rows of one grade.

    A sheet of places comes before that of the schools, and both before one of rolls.
    """
    found = []
    for stage in (stage for stage in STAGES if any(stage in row.stages for row in group)):
        of_stage = [row for row in group if stage in row.stages]
        table = next(name for name in ("places", "schools", "rolls") if any(row.table == name for row in of_stage))
        told = sorted((row for row in of_stage if row.table == table), key=lambda row: (-row.year, row.grade))
        latest = [row for row in told if row.year == told[0].year]
        givers = [row for row in told if stage in row.numbers["capacity_places"]]
        capacity, origin = UNKNOWN, "missing"
        classes = _count_classes(latest, stage)
        if givers:
            capacity = givers[0].numbers["capacity_places"][stage]
            origin = "derived" if "capacity_places" in givers[0].split else "given"
        else:
            size = class_size.get(school["kind"], class_size.get(stage))
            if size is not None and classes > 0:
                capacity, origin = classes * size, "derived"
        found.append(
            {
                "school_id": school["school_id"],
                "stage": stage,
                "capacity_places": capacity,
                "classes": classes,
                "capacity_source": origin,
            }
        )
    return found


def _count_classes(rows: list[SchoolRow], stage: str) -> float:
    """Return the classes of a stage: as given for the stage, else the sum over its grades; NaN where unknown."""
    whole = [row.numbers["classes"][stage] for row in rows if row.grade == 0 and stage in row.numbers["classes"]]
    if whole:
        return whole[0]
    grades = [value for row in rows for (of, _), value in row.grade_classes.items() if of == stage]
    grades += [row.numbers["classes"][stage] for row in rows if row.grade and stage in row.numbers["classes"]]
    return sum(grades) if grades else UNKNOWN


def _build_rolls(row: SchoolRow, issues: list[DataIssue]) -> list[dict[str, Any]]:
    """Return the rows of ``rolls`` that one row of the file gives: by grade where it has grade columns."""
    found = []
    for stage in row.stages:
        total, classes = row.numbers["pupils"].get(stage), row.numbers["classes"].get(stage, UNKNOWN)
        grades = {grade: value for (of, grade), value in row.grade_pupils.items() if of == stage}
        base = {"school_id": row.school_id, "year": row.year, "stage": stage}
        for grade, pupils in grades.items():
            of_grade = row.grade_classes.get((stage, grade), UNKNOWN)
            found.append({**base, "grade": grade, "pupils": pupils, "classes": of_grade})
        if not grades and total is not None:
            found.append({**base, "grade": row.grade, "pupils": total, "classes": classes})
        if grades and total is not None and len(row.stages) == 1 and total != sum(grades.values()):
            problem = msg("The pupils of all grades do not add up to the number of pupils; the grades are used.")
            expected = msg("{total:,.0f}", total=sum(grades.values()))
            issues.append(row.issue("grades_sum", "warning", problem, "pupils", found=f"{total:g}", expected=expected))
    return found


def _fill_table(rows: list[dict[str, Any]], name: str) -> pd.DataFrame:
    empty = build_empty_table(name)
    if not rows:
        return empty
    return pd.DataFrame(rows, columns=list(empty.columns)).astype(empty.dtypes.to_dict())


def _build_points(rows: list[dict[str, Any]], crs: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    empty = build_empty_table("schools", crs)
    columns = [name for name in empty.columns if name != "geometry"]
    frame = pd.DataFrame(rows, columns=columns).astype(empty.dtypes[columns].to_dict())
    points = gpd.points_from_xy(frame["x_m"], frame["y_m"])
    return gpd.GeoDataFrame(frame, geometry=points, crs=None if crs == LOCAL else crs)


def _note_derived(places: pd.DataFrame, file: str) -> list[DataIssue]:
    derived = int((places["capacity_source"] == "derived").sum())
    if not derived:
        return []
    problem = msg("The places of {count} schools and stages were derived from classes or shared out.", count=derived)
    return [DataIssue("capacity_derived", "note", problem, file=file)]


def _note_year(rolls: pd.DataFrame, file: str) -> list[DataIssue]:
    if not len(rolls) or not (rolls["year"] == 0).any():
        return []
    problem = msg("The file does not say of which year its pupil numbers are.")
    cure = msg("Add a column 年份, or write year = 2025 under [schools] in the study file.")
    return [DataIssue("year_missing", "note", problem, file=file, cure=cure)]


def compute_roll_totals(rolls: pd.DataFrame, places: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return pupils and classes per school and stage in its latest year.

    Where a stage has a row for all grades together (``grade`` 0) that row counts; else its grades are added up.
    Classes that the rolls do not tell come from ``places`` where given, else are NaN (unknown, never 0).

    Returns
    -------
    DataFrame
        ``school_id``, ``stage``, ``year``, ``pupils``, ``classes``; one row per school and stage with a roll.
    """
    keys = ["school_id", "stage"]
    columns = [*keys, "year", "pupils", "classes"]
    if not len(rolls):
        return build_empty_table("rolls")[columns]
    latest = rolls[rolls["year"] == rolls.groupby(keys)["year"].transform("max")]
    has_whole = (latest["grade"] == 0).groupby([latest[key] for key in keys]).transform("any")
    counted = latest[(latest["grade"] == 0) | ~has_whole]
    totals = counted.groupby([*keys, "year"], sort=False, as_index=False)[["pupils", "classes"]].sum(min_count=1)
    if places is not None:
        known = totals.merge(places[[*keys, "classes"]], on=keys, how="left", suffixes=("", "_now"))["classes_now"]
        totals["classes"] = totals["classes"].fillna(known)
    return totals[columns]
