"""Tables of plain rows (rolls, births, housing, assets, groups, evidence): one reader for all of them.

What a table needs beyond this stands in ``geodata.read_planning``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.dictionary import SHEET_NAMES, ColumnSchema, Origin, read_table_schema
from geodata.errors import DataIssue
from geodata.files import LAYER_ENDINGS, WORKBOOK_ENDINGS, RawTable, read_raw_table, read_raw_tables
from geodata.messages import Message, msg
from geodata.schema import (
    build_empty_table,
    build_missing_column,
    check_doubled,
    check_mapping,
    check_table,
    convert_column,
    match_columns,
    match_headers,
    raise_if_errors,
)
from geodata.school_sheets import Sheet, open_sheets, year_of
from geodata.study_file import RowsSource
from geodata.values import is_missing

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """What the cells of a file say, column by column, before they are a table; unknown is ``None`` or ``""``.

    ``values`` holds the columns that were found, one list per column; ``issues`` what could not be read. ``known`` are
    the columns that the file might have had.
    """

    name: str
    sheet: Sheet
    origin: Origin
    values: dict[str, list[Any]]
    issues: list[DataIssue]

    def __len__(self) -> int:
        return len(self.sheet.frame)

    def column(self, name: str, default: Any = None) -> list[Any]:
        """Return the values of a column; ``default`` in every row where the file does not have it."""
        return self.values.get(name, [default] * len(self))

    def issue(
        self,
        check: str,
        problem: Message,
        position: int,
        column: str,
        *,
        found: str = "",
        expected: Message | None = None,
        cure: Message | None = None,
    ) -> DataIssue:
        """Return an error placed at one cell."""
        header = self.origin.headers.get(column, column)
        place = (self.origin.file, self.origin.sheet, self.origin.row(position), header)
        return DataIssue(check, "error", problem, *place, found, expected, cure)


def read_cells(path: Path, source: RowsSource, name: str, *, extra: Iterable[ColumnSchema] = ()) -> Cells:
    """Read the cells of table ``name`` of the data dictionary from a CSV or Excel file.

    Parameters
    ----------
    path : the file; in a workbook the sheet ``source.sheet``, else the one that the template names for this table, else
        the first one with rows. A layer of shapes where ``source`` has a ``layer``
    source : ``columns`` and ``values`` of the study file
    name : table of the data dictionary
    extra : further columns that the file may hold

    Raises
    ------
    DataError
        The file cannot be opened. What is wrong with its cells stands in ``issues``.
    """
    sheet = _open_sheet(path, source, name)
    columns = {column.name: column for column in (*read_table_schema(name).columns, *extra)}
    headers = match_headers(sheet.frame.columns, {key: c.headers for key, c in columns.items()}, source.columns)
    origin = Origin(sheet.file, sheet.name, sheet.rows, headers)
    issues = check_mapping(source.columns, sheet.frame.columns, columns, origin, table=name)
    issues += check_doubled(headers, sheet.frame, origin)
    issues += _check_words(source.values, columns, name)
    values: dict[str, list[Any]] = {}
    for key, column in columns.items():
        if key in headers:
            texts = sheet.frame[headers[key]].tolist()
            if not column.is_numeric:
                texts = ["" if is_missing(text) else text.strip() for text in texts]
            values[key], found = convert_column(texts, column, origin, words=source.values.get(key))
            issues += found
    for other in sheet.unread:
        cure = msg("Put all rows on one sheet, or name the sheet to read.")
        problem = msg("This sheet looks like the same kind of table, too, but was not read.")
        issues.append(DataIssue("sheet_not_read", "warning", problem, file=sheet.file, sheet=other, cure=cure))
    if not len(sheet.frame):
        cure = msg("Fill in the rows below the headers, or take the file out of the study.")
        problem = msg("The table has headers but no rows.")
        issues.append(DataIssue("no_rows", "warning", problem, file=sheet.file, sheet=sheet.name, cure=cure))
    return Cells(name, sheet, origin, values, issues)


def _open_sheet(path: Path, source: RowsSource, name: str) -> Sheet:
    """Return the sheet of a file that holds the table ``name``."""
    if hasattr(source, "layer") and path.name.lower().endswith(LAYER_ENDINGS):
        return open_sheets(path, layer=source.layer, crs=getattr(source, "crs", ""))[0]
    unread: tuple[str, ...] = ()
    if source.sheet:
        raw = read_raw_table(path, sheet=source.sheet)
    else:
        raws = read_raw_tables(path)
        named = [raw for raw in raws if raw.sheet == SHEET_NAMES[name]]
        raw = (named or [raw for raw in raws if len(raw.frame)] or raws)[0]
        unread = () if named else tuple(each.sheet for each in raws if each is not raw and _fits(each, source, name))
    return Sheet(raw.frame, raw.rows, raw.file, raw.sheet, unread=unread)


def _fits(raw: RawTable, source: RowsSource, name: str) -> bool:
    """Whether a sheet has rows and every column that the table needs; its name may tell the year, grades the pupils."""
    found = match_columns(raw.frame.columns, name, source.columns)
    needed = {column.name for column in read_table_schema(name).columns if column.required} - {
        "year",
        "grade",
        "pupils",
    }
    return raw.sheet not in SHEET_NAMES.values() and len(raw.frame) > 0 and needed <= set(found)


def list_year_sheets(path: Path, source: RowsSource, name: str) -> list[str]:
    """Return the sheets of a workbook that hold the table ``name`` and are called after a year (2023学年, 2024学年).

    Empty where the study file names a sheet, the workbook has that of the template, or fewer than two are such.
    """
    if source.sheet or path.suffix.lower() not in WORKBOOK_ENDINGS:
        return []
    raws = read_raw_tables(path)
    if any(raw.sheet == SHEET_NAMES[name] for raw in raws):
        return []
    found = [raw.sheet for raw in raws if _fits(raw, source, name) and year_of(raw.sheet) is not None]
    return found if len(found) > 1 else []


def _check_words(
    words: Mapping[str, Mapping[str, str]], columns: Mapping[str, ColumnSchema], table: str
) -> list[DataIssue]:
    """Report ``values`` of the study file for columns that there are not."""
    expected = msg("one of: {names}", names=", ".join(columns))
    problem = msg("The study file maps a column that the table {table} does not have.", table=table)
    return [
        DataIssue("column_mapping", "error", problem, file="study.toml", column=key, found=key, expected=expected)
        for key in words
        if key not in columns
    ]


def build_rows(
    cells: Cells, values: Mapping[str, list[Any]], positions: Rows | None = None
) -> tuple[pd.DataFrame, Rows]:
    """Return the checked table of what was read, and the row of the file of each of its rows.

    Parameters
    ----------
    cells : where the values come from, and what is wrong with them already
    values : our columns; a column that is missing is unknown in every row
    positions : the position in ``cells`` of each row, where they are not the same rows

    Returns
    -------
    DataFrame, array of int
        The stored columns of the data dictionary; rows that stand twice count once, which is told as a warning in
        ``cells.issues``. The row numbers are those that the spreadsheet shows.

    Raises
    ------
    DataError
        A column or entry is missing, a cell is not understood, a number lies outside its range, or a key stands twice
        with different facts; all at once, with what ``cells.issues`` holds.
    """
    count = len(cells) if positions is None else len(positions)
    where = np.arange(count) if positions is None else positions
    rows = np.asarray(cells.sheet.rows)[where].astype(np.int64)
    empty = build_empty_table(cells.name)
    told = {(issue.row, issue.column) for issue in cells.issues}
    issues = []
    frame = pd.DataFrame(index=range(count))
    for column in read_table_schema(cells.name).stored:
        blank = None if column.is_numeric else ""
        given = values.get(column.name, [blank] * count)
        frame[column.name] = pd.Series(given, dtype="float64" if column.is_numeric else "str")
        if column.required and column.name not in values:
            issues.append(build_missing_column(cells.name, column.name, cells.origin))
    again = frame.duplicated().to_numpy()
    frame, rows, twice = frame[~again].reset_index(drop=True), rows[~again], rows[again]
    missing = {issue.column for issue in issues}
    issues += [
        _tell_twins(issue, cells)
        for issue in check_table(
            frame,
            cells.name,
            file=cells.origin.file,
            sheet=cells.origin.sheet,
            rows=rows,
            headers=cells.origin.headers,
        )
        if (issue.row, issue.column) not in told and issue.column not in missing
    ]
    if not any(issue.severity == "error" for issue in cells.issues):
        issues += [_build_twice(cells.origin, int(row)) for row in twice]
    cells.issues.extend(issues)
    raise_if_errors(cells.issues)
    return frame.astype(empty.dtypes.to_dict()), rows


def _tell_twins(issue: DataIssue, cells: Cells) -> DataIssue:
    """Return the finding of a key that stands twice in words that fit a key of several columns."""
    if issue.check != "duplicate_id":
        return issue
    headers = cells.origin.headers
    key = ", ".join(headers[name] for name in read_table_schema(cells.name).key if name in headers)
    parts = [part.removesuffix(".0") for part in issue.found.split(" / ")]
    return replace(
        issue,
        problem=msg("Two rows tell different things of the same {key}.", key=key),
        found=" / ".join(part for part in parts if part),
        cure=msg("Delete or correct one of the two rows."),
    )


def _build_twice(origin: Origin, row: int) -> DataIssue:
    problem = msg("The same row stands twice; it counts once.")
    return DataIssue("duplicate_row", "warning", problem, file=origin.file, sheet=origin.sheet, row=row)
