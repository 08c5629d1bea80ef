"""What forecasts and inspections need: past rolls, births, housing, assets, groups, evidence."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.errors import DataError, DataIssue
from geodata.locate_points import locate_rows
from geodata.messages import msg
from geodata.quality_facts import STAGE_NAMES
from geodata.read_rows import Cells, Rows, build_rows, list_year_sheets, read_cells
from geodata.schema import build_empty_table, check_table, raise_if_errors
from geodata.school_columns import GRADES, build_school_columns
from geodata.school_sheets import year_of
from geodata.seats import find_seats
from geodata.study_file import StudySpec, YearRowsSource
from geodata.values import format_number, is_total

if TYPE_CHECKING:
    import geopandas as gpd

PLANNING_TABLES = ("births", "housing", "assets", "groups", "evidence")
ROLL_KEY = ("school_id", "year", "stage", "grade")
_PLACES = ("lon_deg", "lat_deg", "x_m", "y_m")


def _build_nothing(name: str) -> Callable[[], pd.DataFrame]:
    return lambda: build_empty_table(name)


@dataclass(frozen=True, eq=False)
class PlanningTables:
    """The optional tables of a study, each empty where the study does not name it, and warnings on them.

    ``rolls`` are those of the file of past years only; see :func:`join_rolls`. ``roll_rows`` are their rows in the
    file.
    """

    rolls: pd.DataFrame = field(default_factory=_build_nothing("rolls"))
    births: pd.DataFrame = field(default_factory=_build_nothing("births"))
    housing: pd.DataFrame = field(default_factory=_build_nothing("housing"))
    assets: pd.DataFrame = field(default_factory=_build_nothing("assets"))
    groups: pd.DataFrame = field(default_factory=_build_nothing("groups"))
    evidence: pd.DataFrame = field(default_factory=_build_nothing("evidence"))
    roll_rows: Rows = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    issues: tuple[DataIssue, ...] = ()


def read_planning_tables(spec: StudySpec, crs: str) -> PlanningTables:
    """Read the files that ``[rolls]``, ``[births]``, ``[housing]``, ``[assets]``, ``[groups]``, ``[evidence]`` name.

    Parameters
    ----------
    spec : the study
    crs : its metric CRS, or ``"local"``, for the positions of housing

    Raises
    ------
    DataError
        A file cannot be read or holds errors; all of all files at once.
    """
    readers: dict[str, Callable[[], tuple[pd.DataFrame, Rows, list[DataIssue]]]] = {
        "rolls": lambda: read_past_rolls(spec),
        "births": lambda: read_births(spec),
        "housing": lambda: read_housing(spec, crs),
        **{name: _plain_reader(spec, name) for name in ("assets", "groups", "evidence")},
    }
    found: dict[str, Any] = {}
    issues: list[DataIssue] = []
    for name, read in readers.items():
        if getattr(spec, name) is None:
            continue
        try:
            found[name], rows, told = read()
        except DataError as error:
            issues += error.issues
            continue
        issues += told
        if name == "rolls":
            found["roll_rows"] = rows
    raise_if_errors(issues)
    return PlanningTables(**found, issues=tuple(issues))


def _plain_reader(spec: StudySpec, name: str) -> Callable[[], tuple[pd.DataFrame, Rows, list[DataIssue]]]:
    """Return the reader of a table that is taken as it stands."""

    def read() -> tuple[pd.DataFrame, Rows, list[DataIssue]]:
        source = getattr(spec, name)
        cells = read_cells(spec.resolve(source.path), source, name)
        values = dict(cells.values)
        if isinstance(source, YearRowsSource):
            values["year"] = [year or 0 for year in _fill_years(cells, source)]
        table, rows = build_rows(cells, values)
        return table, rows, cells.issues

    return read


def _fill_years(cells: Cells, source: YearRowsSource) -> list[int | None]:
    """Return the year of every row: its own, else that of the study file, else that of the sheet's name."""
    other = source.year or year_of(cells.sheet.name)
    return [year or other for year in cells.column("year")]


def read_births(spec: StudySpec) -> tuple[pd.DataFrame, Rows, list[DataIssue]]:
    """Read births by calendar year and unit, town or county; a row of totals (全县合计) is one of the county."""
    source = spec.births
    assert source is not None
    cells = read_cells(spec.resolve(source.path), source, "births")
    values = dict(cells.values)
    for name in ("town", "unit_id"):
        values[name] = ["" if is_total(str(text)) else text for text in cells.column(name, "")]
    if "year" in values or source.year:
        values["year"] = _fill_years(cells, source)
    table, rows = build_rows(cells, values)
    return table, rows, cells.issues


def read_housing(spec: StudySpec, crs: str) -> tuple[pd.DataFrame, Rows, list[DataIssue]]:
    """Read housing projects: each has a planning unit, or a position (of which :func:`seat_housing` makes a unit)."""
    source = spec.housing
    assert source is not None
    cells = read_cells(spec.resolve(source.path), source, "housing")
    values = dict(cells.values)
    if cells.sheet.x is not None or any(name in values for name in _PLACES):
        headers, origin = cells.origin.headers, cells.origin
        x, y, found = locate_rows(
            cells.sheet, values, headers, source.columns, source.crs, crs, origin, table="housing"
        )
        values |= {"x_m": x.tolist(), "y_m": y.tolist()}
        homeless = {origin.row(at) for at, unit_id in enumerate(cells.column("unit_id", "")) if not unit_id}
        cells.issues.extend(issue for issue in found if issue.check != "position" or issue.row in homeless)
    else:
        cure = msg("Fill in the code of the unit, or add columns of longitude and latitude.")
        problem = msg("The housing project has neither a planning unit nor a position.")
        cells.issues.extend(
            cells.issue("position", problem, at, "unit_id", cure=cure)
            for at, unit_id in enumerate(cells.column("unit_id", ""))
            if not unit_id
        )
    names = zip(cells.column("name", ""), cells.column("project_id", ""), strict=True)
    values["name"] = [name or key for name, key in names]
    table, rows = build_rows(cells, values)
    return table, rows, cells.issues


def seat_housing(housing: pd.DataFrame, units: gpd.GeoDataFrame, *, scattered: bool) -> pd.DataFrame:
    """Return the projects with the planning unit in which each lies, where the file does not name one."""
    x_m, y_m = (housing[name].to_numpy(dtype=np.float64) for name in ("x_m", "y_m"))
    seats = pd.Series(find_seats(units, x_m, y_m, scattered=scattered), index=housing.index, dtype="str")
    return housing.assign(unit_id=housing["unit_id"].where(housing["unit_id"] != "", seats).astype("str"))


def read_past_rolls(spec: StudySpec) -> tuple[pd.DataFrame, Rows, list[DataIssue]]:
    """Read rolls of past years: one row per school, year, stage and grade, or grades in columns (一年级人数).

    A row without a grade counts the whole stage (grade 0), where it has no columns of grades. Sheets that are named
    after years (2023学年, 2024学年) are read together.
    """
    source = spec.rolls
    assert source is not None
    path = spec.resolve(source.path)
    sheets = list_year_sheets(path, source, "rolls")
    parts = [_read_rolls(path, replace(source, sheet=sheet)) for sheet in sheets or [source.sheet]]
    issues = [issue for part in parts for issue in part[2]]
    table, rows = pd.concat([part[0] for part in parts], ignore_index=True), np.concatenate([part[1] for part in parts])
    twice = table.duplicated().to_numpy()
    table, rows = table[~twice].reset_index(drop=True), rows[~twice]
    if len(parts) > 1:
        issues += check_table(table, "rolls", file=path.name, rows=rows)
        raise_if_errors(issues)
    return table, rows, issues


def _read_rolls(path: Path, source: YearRowsSource) -> tuple[pd.DataFrame, Rows, list[DataIssue]]:
    """Read one sheet of past rolls."""
    wide = [column for name, column in build_school_columns().items() if "grade_" in name]
    cells = read_cells(path, source, "rolls", extra=wide)
    values = {name: cells.column(name) for name in ROLL_KEY if name in cells.values}
    if "year" in values or source.year or year_of(cells.sheet.name):
        values["year"] = _fill_years(cells, source)
    rows = list(_list_grades(cells, {column.name for column in wide}))
    at = np.array([row[0] for row in rows], dtype=np.int64)
    table: dict[str, list[Any]] = {name: [column[k] for k in at] for name, column in values.items()}
    table |= {name: [row[n] for row in rows] for n, name in enumerate(("grade", "pupils", "classes"), 1)}
    if not any("pupils" in name for name in cells.values):
        table.pop("pupils")
    told, numbers = build_rows(cells, table, at)
    return told, numbers, cells.issues


def _list_grades(cells: Cells, wide: set[str]) -> Iterator[tuple[int, int, Any, Any]]:
    """Yield position, grade, pupils and classes of every number that a row of rolls holds."""
    columns = {name: cells.column(name) for name in ("stage", "grade", "pupils", "classes")}
    has_grades = bool(wide & set(cells.values)) and "grade" not in cells.values
    for at in range(len(cells)):
        stage, found = columns["stage"][at] or "", False
        prefix = "kindergarten_grade" if stage == "kindergarten" else "grade"
        for grade in GRADES.get(stage, ()) if has_grades else ():
            pupils, classes = (cells.values.get(f"{prefix}_{grade}_{name}") for name in ("pupils", "classes"))
            if pupils is not None and pupils[at] is not None:
                found = True
                yield at, grade, pupils[at], None if classes is None else classes[at]
        if not found:
            yield at, columns["grade"][at] or 0, columns["pupils"][at], columns["classes"][at]


def join_rolls(rolls: pd.DataFrame, past: PlanningTables, *, file: str, past_file: str) -> pd.DataFrame:
    """Return the rolls of the file of schools with those of past years below.

    What both files tell counts once; classes that one of them does not know come from the other.

    Raises
    ------
    DataError
        Both tell the pupils of a school, year, stage and grade, and not the same number; or the file of schools does
        not say of which year its rolls are, so that nobody can tell which come later.
    """
    if not len(past.rolls):
        return rolls
    key = list(ROLL_KEY)
    issues = _check_years(rolls, file)
    joined = past.rolls.assign(row=past.roll_rows).merge(rolls, on=key, how="left", suffixes=("", "_now"))
    both = joined["pupils_now"].notna()
    for name in ("pupils", "classes"):
        other = both & joined[name].notna() & joined[f"{name}_now"].notna() & (joined[name] != joined[f"{name}_now"])
        issues += [_build_conflict(row, name, file, past_file) for row in joined[other].to_dict("records")]
    raise_if_errors(issues)
    known = joined.loc[both, [*key, "classes"]].rename(columns={"classes": "classes_past"})
    filled = rolls.merge(known, on=key, how="left")
    filled["classes"] = filled["classes"].fillna(filled.pop("classes_past"))
    return pd.concat([filled, joined.loc[~both, list(rolls.columns)]], ignore_index=True).astype(rolls.dtypes.to_dict())


def _check_years(rolls: pd.DataFrame, file: str) -> list[DataIssue]:
    if not (rolls["year"] == 0).any():
        return []
    problem = msg("Rolls of past years are given, but the file of schools does not say of which year its own are.")
    cure = msg("Add a column 年份, or write year = 2025 under [schools] in the study file.")
    return [DataIssue("year_missing", "error", problem, file=file, column="year", cure=cure)]


def _build_conflict(row: Mapping[Hashable, Any], name: str, file: str, past_file: str) -> DataIssue:
    """Return the error that two files tell different numbers of one school, year, stage and grade."""
    problem = msg(
        "{school_id}, {year}, {stage}, grade {grade}: two files tell different numbers.",
        school_id=str(row["school_id"]),
        year=str(row["year"]),
        stage=STAGE_NAMES[row["stage"]],
        grade=str(row["grade"]),
    )
    expected = msg("{number} as in {file}", number=format_number(row[f"{name}_now"]), file=file)
    cure = msg("Correct one of the two, or delete the row here.")
    found = format_number(row[name])
    issue = DataIssue("rolls_differ", "error", problem, past_file, row=int(row["row"]), column=name, found=found)
    return replace(issue, expected=expected, cure=cure, record_id=str(row["school_id"]))
