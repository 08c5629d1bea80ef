"""The data dictionary: every column described once, in ``geodata/tables/*.csv``.

From these files come the checks below, the matching of headers, the upload template and ``docs/data-dictionary.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.coordinate_text import parse_degrees
from geodata.dictionary import (
    GEOMETRY_TABLES,
    TABLES,
    UNIT_NAMES,
    ColumnSchema,
    Origin,
    TableSchema,
    read_table_schema,
    render_data_dictionary,
)
from geodata.errors import DataError, DataIssue, DuplicateIdError, MissingColumnError, RangeError, Severity
from geodata.messages import Message, msg
from geodata.values import (
    find_unit_factor,
    format_number,
    is_missing,
    match_word,
    narrow_id,
    normalise_header,
    parse_number,
    parse_year,
    split_unit,
)

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "TABLES",
    "ColumnSchema",
    "Origin",
    "TableSchema",
    "build_empty_table",
    "build_missing_column",
    "check_doubled",
    "check_mapping",
    "check_table",
    "convert_column",
    "match_columns",
    "match_headers",
    "raise_if_errors",
    "read_table_schema",
    "render_data_dictionary",
    "validate_table",
]


SHAPEFILE_NAME_BYTES = 10


def build_empty_table(name: str, crs: str | None = None) -> pd.DataFrame:
    """Return table ``name`` with its columns and no rows; a GeoDataFrame for schools, units and sites."""
    data = {c.name: pd.Series([], dtype=_choose_dtype(c)) for c in read_table_schema(name).stored}
    if name not in GEOMETRY_TABLES:
        return pd.DataFrame(data)
    import geopandas as gpd

    table: pd.DataFrame = gpd.GeoDataFrame(data, geometry=[], crs=None if crs in (None, "", "local") else crs)
    return table


def _choose_dtype(column: ColumnSchema) -> str:
    """Return the dtype of a column; a whole number that may be unknown is a float, for NaN has no place elsewhere."""
    if column.type == "integer":
        return "int64" if column.required or column.key else "float64"
    return "float64" if column.is_numeric else "str"


def match_columns(headers: Iterable[str], name: str, mapping: Mapping[str, str] | None = None) -> dict[str, str]:
    """Find our columns among a file's headers.

    Parameters
    ----------
    headers : the headers as they stand in the file
    name : table of the data dictionary
    mapping : our column name → the file's header; comes before the aliases. An empty header means that the file does
        not have the column, whatever its headers look like

    Returns
    -------
    dict
        Our column name → the header as it stands in the file; only what was found. A header serves one column.
    """
    return match_headers(headers, {c.name: c.headers for c in read_table_schema(name).columns}, mapping)


def match_headers(
    headers: Iterable[str], wanted: Mapping[str, Sequence[str]], mapping: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Match headers against ``wanted`` (our name → accepted headers, best first); see :func:`match_columns`."""
    present = list(headers)
    by_name = {header: header for header in reversed(present)}
    found = {ours: by_name[theirs] for ours, theirs in (mapping or {}).items() if theirs in by_name}
    by_text: dict[str, str] = {}
    for header in present:
        for text in [header, *header.replace("\n", "/").split("/")]:
            key = normalise_header(text)
            if key:
                by_text.setdefault(key, header)
    taken = set(found.values())
    for ours, accepted in wanted.items():
        if ours in found or ours in (mapping or {}):
            continue
        for alias in accepted:
            header = by_text.get(normalise_header(alias), "")
            if header and header not in taken:
                found[ours] = header
                taken.add(header)
                break
    free = {key: header for key, header in by_text.items() if header not in taken and _may_be_cut(header)}
    for ours, accepted in wanted.items():
        if ours in found or ours in (mapping or {}):
            continue
        starts = [key for key in free if any(normalise_header(alias).startswith(key) for alias in accepted)]
        if starts:
            found[ours] = free.pop(starts[0])
    return found


def _may_be_cut(header: str) -> bool:
    """Whether a header is as long as a Shapefile cuts the names of its columns: ten bytes (学校代, capacity_p)."""
    count = len(header.encode("utf-8", "replace"))
    return count == SHAPEFILE_NAME_BYTES or (count == SHAPEFILE_NAME_BYTES - 1 and not header.isascii())


def check_mapping(
    mapping: Mapping[str, str], headers: Iterable[str], known: Iterable[str], origin: Origin, *, table: str
) -> list[DataIssue]:
    """Report a ``columns`` entry of the study file that names an unknown column of ours or a header not in the file."""
    present, names = list(headers), list(known)
    issues = []
    for ours, theirs in mapping.items():
        if ours not in names:
            issues.append(
                DataIssue(
                    "column_mapping",
                    "error",
                    msg("The study file maps a column that the table {table} does not have.", table=table),
                    file=origin.file,
                    sheet=origin.sheet,
                    column=ours,
                    found=ours,
                    expected=msg("one of: {names}", names=", ".join(names)),
                )
            )
        elif theirs and theirs not in present:
            issues.append(
                DataIssue(
                    "column_mapping",
                    "error",
                    msg("The study file names a header that the file does not have."),
                    file=origin.file,
                    sheet=origin.sheet,
                    column=theirs,
                    found=theirs,
                    expected=msg("one of: {names}", names=", ".join(present[:40])),
                    cure=msg("Correct the name in the study file, or the header in the file."),
                )
            )
    return issues


def check_doubled(headers: Mapping[str, str], frame: pd.DataFrame, origin: Origin) -> list[DataIssue]:
    """Report a header that stands over two columns with different cells: which of them is meant, nobody can tell."""
    issues = []
    for header in dict.fromkeys(headers.values()):
        second = f"{header} (2)"
        if second in frame.columns and frame[header].tolist() != frame[second].tolist():
            issues.append(
                DataIssue(
                    "doubled_column",
                    "error",
                    msg("Two columns have the same header, and different cells."),
                    file=origin.file,
                    sheet=origin.sheet,
                    column=header,
                    cure=msg("Rename one of them, or delete the one that is not meant."),
                )
            )
    return issues


def build_missing_column(name: str, column: str, origin: Origin) -> DataIssue:
    """Return the issue for a required column that the file lacks, with the headers that would be understood."""
    schema = read_table_schema(name).column(column)
    return DataIssue(
        "required_column",
        "error",
        msg("A required column is missing: {column}.", column=column),
        file=origin.file,
        sheet=origin.sheet,
        column=column,
        expected=msg("a header such as {names}", names=", ".join(schema.headers[:5])),
        cure=msg("Add the column, or name its header in the study file under columns."),
    )


def convert_column(
    values: Sequence[str], column: ColumnSchema, origin: Origin, *, words: Mapping[str, str] | None = None
) -> tuple[list[Any], list[DataIssue]]:
    """Turn the text cells of one column into values, and report every cell that cannot be read.

    Numbers outside the range are reported and kept; unreadable cells become ``None``. ``words`` are further cell texts
    and their meaning (``values`` of the study file). An unknown word in a column that is not required is a warning. A
    larger unit that the header names (占地面积（亩）) is turned into that of the column, with a note.
    """
    header = origin.headers.get(column.name, "")
    factor, unit = find_unit_factor(header, column.unit) if column.is_numeric else (1.0, "")
    meanings = column.words | {normalise_header(word): value for word, value in (words or {}).items()}
    results: list[Any] = []
    issues: list[DataIssue] = []
    known: dict[str, tuple[Any, _Finding | None]] = {}  # columns repeat few texts
    for position, cell in enumerate(values):
        text = str(cell).strip()
        if text not in known:
            known[text] = _convert_cell(text, column, meanings, factor)
        value, issue = known[text]
        if issue is not None:
            check, problem, expected, cure, severity = issue
            issues.append(_place(check, severity, problem, origin, position, column, text, expected, cure))
        results.append(value)
    if factor != 1 and any(value is not None for value in results):
        own = UNIT_NAMES.get(column.unit, column.unit)
        problem = msg("The header gives the unit {unit}; its numbers were turned into {own}.", unit=unit, own=own)
        issues.append(DataIssue("unit_in_header", "note", problem, origin.file, origin.sheet, column=header))
    return results, issues


_Finding = tuple[str, Message, Message | None, Message | None, Severity]


def _convert_cell(
    text: str, column: ColumnSchema, words: Mapping[str, str], factor: float = 1.0
) -> tuple[Any, _Finding | None]:
    if column.is_numeric:
        return _convert_number(match_word(text, words) or text, column, factor)
    if column.type == "id":
        return narrow_id(text), None
    if not column.values:
        return text, None
    if is_missing(text):
        return "", None
    meaning = match_word(text, words)
    if meaning is not None:
        return meaning, None
    expected = msg("one of: {names}", names=column.choices)
    cure = msg("Write one of these words, or say in the study file under values what the word means.")
    severity: Severity = "error" if column.required else "warning"
    return "", ("allowed_value", msg("A word that is not known here."), expected, cure, severity)


def _convert_number(text: str, column: ColumnSchema, factor: float) -> tuple[float | int | None, _Finding | None]:
    text, own = split_unit(text, column.unit)
    factor = factor if own is None else own  # what the cell says goes before what the header says
    try:
        if column.unit == "deg":  # whether the pair of columns makes sense, geodata.coordinate_columns says
            return parse_degrees(text), None
        value = parse_year(text) if column.unit == "year" and text not in ("0", "") else parse_number(text)
    except ValueError:
        expected = msg("a number ({unit})", unit=UNIT_NAMES.get(column.unit, column.unit))
        return None, ("type", msg("Not a number."), expected, msg("Write the number only, without words."), "error")
    if value is None:
        return None, None
    value = value if factor == 1 else round(value * factor, 2)
    if column.type == "integer" and value != int(value):
        return value, ("type", msg("Not a whole number."), msg("a whole number"), None, "error")
    value = int(value) if column.type == "integer" else value
    return value, _check_range(value, column)


def _check_range(value: float, column: ColumnSchema) -> _Finding | None:
    low, high = column.min, column.max
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    expected = msg(
        "from {low} to {high} {unit}",
        low="" if low is None else format_number(low),
        high="" if high is None else format_number(high),
        unit=UNIT_NAMES.get(column.unit, column.unit),
    )
    return "range", msg("The number lies outside what is possible."), expected, msg("Correct the number."), "error"


def _place(
    check: str,
    severity: Severity,
    problem: Message,
    origin: Origin,
    position: int,
    column: ColumnSchema,
    found: str = "",
    expected: Message | None = None,
    cure: Message | None = None,
) -> DataIssue:
    return DataIssue(
        check,
        severity,
        problem,
        file=origin.file,
        sheet=origin.sheet,
        row=origin.row(position),
        column=origin.headers.get(column.name, column.name),
        found=found,
        expected=expected,
        cure=cure,
    )


def check_table(
    frame: pd.DataFrame,
    name: str,
    *,
    file: str = "",
    sheet: str = "",
    rows: Sequence[int] | npt.NDArray[np.int64] | None = None,
    headers: Mapping[str, str] | None = None,
) -> list[DataIssue]:
    """Return everything wrong with a table: missing columns and values, types, ranges, words, doubled ids.

    ``frame`` has our column names; its cells may be text (as read) or values. ``rows`` are spreadsheet row numbers.
    """
    schema, origin = read_table_schema(name), Origin(file, sheet, rows, headers or {})
    issues: list[DataIssue] = []
    for column in schema.stored:
        if column.name not in frame.columns:
            if column.required:
                issues.append(build_missing_column(name, column.name, origin))
            continue
        issues += _check_column(frame[column.name], column, origin)
    if all(key in frame.columns for key in schema.key):
        issues += _check_key(frame, schema, origin)
    return issues


def _check_column(series: pd.Series[Any], column: ColumnSchema, origin: Origin) -> list[DataIssue]:
    empty = series.isna().to_numpy(dtype=bool)
    if not pd.api.types.is_numeric_dtype(series.dtype):
        empty = empty | np.array([is_missing(str(cell)) for cell in series], dtype=bool)
    issues = []
    if column.required:
        for position in np.flatnonzero(empty):
            cure = msg("Fill in the cell.")
            problem = msg("An entry is missing here.")
            issues.append(_place("required_value", "error", problem, origin, int(position), column, cure=cure))
    if column.is_numeric and pd.api.types.is_numeric_dtype(series.dtype):
        return issues + _check_numbers(series.to_numpy(dtype=float), column, origin)
    texts = ["" if gone else str(cell) for cell, gone in zip(series, empty, strict=True)]
    return issues + convert_column(texts, column, origin)[1]


def _check_numbers(values: npt.NDArray[np.float64], column: ColumnSchema, origin: Origin) -> list[DataIssue]:
    """Check a column that already holds numbers: only cells outside the range or infinite cost time."""
    low = -np.inf if column.min is None else column.min
    high = np.inf if column.max is None else column.max
    bad = ~np.isnan(values) & ((values < low) | (values > high) | np.isinf(values))
    issues = []
    for position in np.flatnonzero(bad):
        found = _check_range(float(values[position]), column)
        assert found is not None
        check, problem, expected, cure, severity = found
        text = str(values[position])
        issues.append(_place(check, severity, problem, origin, int(position), column, text, expected, cure))
    return issues


def _check_key(frame: pd.DataFrame, schema: TableSchema, origin: Origin) -> list[DataIssue]:
    columns = [frame[name].astype(str).fillna("") for name in schema.key]
    keys = [" / ".join(parts) for parts in zip(*columns, strict=True)]
    first: dict[str, int] = {}
    issues = []
    for position, key in enumerate(keys):
        if key not in first:
            first[key] = position
            continue
        earlier = origin.row(first[key])
        expected = msg("each id once; it stands already in row {row}", row=earlier) if earlier else msg("each id once")
        cure = msg("Delete the second row, or give it its own id.")
        problem = msg("The same id stands twice.")
        column = schema.column(schema.key[0])
        issues.append(_place("duplicate_id", "error", problem, origin, position, column, key, expected, cure))
    return issues


def raise_if_errors(issues: Sequence[DataIssue]) -> None:
    """Raise the ``DataError`` that fits when any issue is an error; it carries all of them, warnings too."""
    errors = {issue.check for issue in issues if issue.severity == "error"}
    if not errors:
        return
    special: dict[str, type[DataError]] = {
        "required_column": MissingColumnError,
        "duplicate_id": DuplicateIdError,
        "range": RangeError,
    }
    kind = special.get(next(iter(errors)), DataError) if len(errors) == 1 else DataError
    raise kind(issues)


def validate_table(
    frame: pd.DataFrame,
    name: str,
    *,
    file: str = "",
    sheet: str = "",
    rows: Sequence[int] | npt.NDArray[np.int64] | None = None,
) -> None:
    """Raise ``DataError`` with every problem of a table; see :func:`check_table`."""
    raise_if_errors(check_table(frame, name, file=file, sheet=sheet, rows=rows))
