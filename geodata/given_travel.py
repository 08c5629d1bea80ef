"""A travel matrix that somebody else measured: a table of minutes, units × schools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import DataError, DataIssue
from geodata.files import check_path, read_raw_table
from geodata.messages import Message, msg
from geodata.population_table import limit_issues
from geodata.schema import raise_if_errors
from geodata.study import TravelMatrix
from geodata.study_file import StudySpec
from geodata.values import find_near_id, normalise_header, normalise_text, parse_number

_ID_HEADERS = frozenset(["unitid", "id", "originid", "fromid", "单元编号", "编号", "单元", "小区编号", "村编号"])
_NOWHERE = frozenset(["inf", "infinity", "∞"])


@dataclass(frozen=True, eq=False)
class _Minutes:
    """The table as numbers; ``labels`` are its unit ids, ``None`` where the rows have none but their order."""

    minutes: npt.NDArray[np.float64]
    labels: list[str] | None
    headers: list[str]


def read_travel_matrix(spec: StudySpec, unit_ids: Sequence[str], destination_ids: Sequence[str]) -> TravelMatrix:
    """Read the minutes of ``[travel] path`` (CSV, XLSX or Parquet), one row per unit and one column per school.

    Rows are found by a first column of unit ids, or by the file's own row labels; else they must be as many as the
    units and in their order. A first column that is no school is taken for unit ids, whatever it is called. Columns are
    found by school ids in the header; else they must be as many as the schools and in their order. Destinations
    without a column are unreachable. Metres are not in such a file: ``length_m`` is NaN, and so are the metres between
    points and roads. Infinite and empty values are unreachable.

    Raises
    ------
    DataError
        The file cannot be read, its rows and columns do not fit the study, or a time is negative or not a number.
    """
    path = spec.resolve(spec.travel.path)
    units, destinations = [str(key) for key in unit_ids], [str(key) for key in destination_ids]
    table = _read_table(path, units, destinations)
    rows = _match_rows(table, units, path.name)
    columns = _match_columns(table.headers, destinations, path.name)
    mode = spec.travel.matrix_mode
    cutoff = spec.travel.cutoff_min.get(mode, float("inf"))
    time = np.full((len(units), len(destinations)), np.nan, dtype=np.float32)
    known = np.flatnonzero(columns >= 0)
    time[:, known] = table.minutes[np.ix_(rows, columns[known])]
    time[~np.isfinite(time) | (time > cutoff)] = np.nan
    return TravelMatrix(
        mode=mode,
        unit_ids=tuple(units),
        destination_ids=tuple(destinations),
        time_min=time,
        length_m=np.full(time.shape, np.nan, dtype=np.float32),
        unit_snap_m=np.full(time.shape[0], np.nan, dtype=np.float32),
        destination_snap_m=np.full(time.shape[1], np.nan, dtype=np.float32),
        method="given",
        cutoff_min=cutoff,
    )


def _read_table(path: Path, units: list[str], destinations: list[str]) -> _Minutes:
    """Return the table as numbers, with the unit ids that label its rows."""
    frame, row_numbers = _read_frame(path)
    labels = None if isinstance(frame.index, pd.RangeIndex) else [str(label) for label in frame.index]
    headers = [str(header) for header in frame.columns]
    if headers and _holds_ids(headers, frame.iloc[:, 0].astype(str).tolist(), set(units), set(destinations)):
        labels = [str(cell).strip() for cell in frame.iloc[:, 0]]
        frame, headers = frame.iloc[:, 1:], headers[1:]
    minutes = np.full(frame.shape, np.nan)
    issues: list[DataIssue] = []
    for at, header in enumerate(headers):
        minutes[:, at] = _read_times(frame.iloc[:, at], header, row_numbers, path.name, issues)
    raise_if_errors(limit_issues(issues))
    return _Minutes(minutes, labels, headers)


def _read_frame(path: Path) -> tuple[pd.DataFrame, Sequence[int]]:
    """Return the table as it stands in the file, and the row numbers to tell."""
    if path.suffix.lower() not in (".parquet", ".geoparquet"):
        raw = read_raw_table(path)
        return raw.frame, raw.rows.tolist()
    try:
        frame = pd.read_parquet(check_path(path, (".parquet", ".geoparquet")))
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        problem = msg("The travel matrix cannot be read.")
        raise DataError(_issue(path.name, problem, found=str(error)[:200])) from error
    return frame, range(1, len(frame) + 1)


def _holds_ids(headers: list[str], first: list[str], units: set[str], destinations: set[str]) -> bool:
    """Tell whether the first column holds unit ids and not minutes."""
    if headers[0] in destinations:
        return False
    if normalise_header(headers[0]) in _ID_HEADERS or destinations & set(headers[1:]):
        return True
    numbered = headers == [str(number) for number in range(len(headers))]
    return not numbered and bool(first) and {cell.strip() for cell in first} <= units


def _read_times(
    cells: pd.Series[Any], header: str, rows: Sequence[int], file: str, issues: list[DataIssue]
) -> npt.NDArray[np.float64]:
    """Return the minutes of one column; NaN for empty and infinite cells; report the others that are no time."""
    if pd.api.types.is_numeric_dtype(cells.dtype):
        times = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        times = np.full(len(cells), np.nan)
        for at, cell in enumerate(cells):
            text = "" if cell is None or cell is pd.NA else str(cell)
            try:
                value = None if normalise_text(text) in _NOWHERE else parse_number(text)
            except ValueError:
                problem = msg("A travel time is not a number.")
                issues.append(_issue(file, problem, row=rows[at], column=header, found=text))
                continue
            times[at] = np.nan if value is None else value
    for position in np.flatnonzero(times < 0):
        problem = msg("A travel time is negative.")
        found = f"{times[position]:g}"
        issues.append(_issue(file, problem, row=rows[int(position)], column=header, found=found, check="range"))
    return times


def _match_rows(table: _Minutes, unit_ids: list[str], file: str) -> npt.NDArray[np.int64]:
    """Return the row of each unit."""
    count = len(table.minutes)
    if table.labels is None:
        numbers = {str(number): number for number in range(count)}
        if all(key in numbers for key in unit_ids):
            return np.array([numbers[key] for key in unit_ids], dtype=np.int64)
        if count == len(unit_ids):
            return np.arange(count, dtype=np.int64)
        problem = msg(
            "The travel matrix has {rows} rows, and {units} units are to be found there.",
            rows=count,
            units=len(unit_ids),
        )
        raise DataError(_issue(file, problem, cure=_CURE))
    label = {key: position for position, key in enumerate(table.labels)}
    twice = sorted(key for key, times in Counter(table.labels).items() if times > 1)
    missing = [key for key in unit_ids if key not in label]
    if not twice and not missing:
        return np.array([label[key] for key in unit_ids], dtype=np.int64)
    issues = []
    if twice:
        problem = msg("The travel matrix has several rows for one unit.")
        issues.append(_issue(file, problem, found=", ".join(twice[:5]), cure=msg("Keep one row per unit.")))
    if missing:
        problem = msg("The travel matrix has no row for {count} units.", count=len(missing))
        near = find_near_id(missing[0], label)
        cure = msg("Did you mean {name}? Ids are compared as text, leading zeros included.", name=near)
        issues.append(_issue(file, problem, found=", ".join(missing[:5]), cure=cure if near else _CURE))
    raise DataError(issues)


def _match_columns(headers: list[str], destination_ids: list[str], file: str) -> npt.NDArray[np.int64]:
    """Return the column of each destination; -1 where there is none (a new site, for instance)."""
    label = {key: position for position, key in enumerate(headers)}
    found = np.array([label.get(key, -1) for key in destination_ids], dtype=np.int64)
    if (found >= 0).all():
        return found
    numbered = headers == [str(number) for number in range(len(headers))]
    if numbered and len(headers) == len(destination_ids):
        return np.arange(len(destination_ids), dtype=np.int64)
    if not numbered and (found >= 0).any():
        return found
    problem = msg(
        "The travel matrix has {columns} columns, and {schools} schools are to be found there.",
        columns=len(headers),
        schools=len(destination_ids),
    )
    near = find_near_id(destination_ids[0], headers) if destination_ids else ""
    cure = msg("Did you mean {name}? Ids are compared as text, leading zeros included.", name=near)
    raise DataError(_issue(file, problem, found=", ".join(headers[:5]), cure=cure if near else _CURE))


_CURE = msg("Give the unit ids in a first column called unit_id and the school ids in the header.")


def _issue(
    file: str,
    problem: Message,
    *,
    row: int | None = None,
    column: str = "",
    found: str = "",
    cure: Message | None = None,
    check: str = "travel_matrix",
) -> DataIssue:
    return DataIssue(check, "error", problem, file=file, row=row, column=column, found=found, cure=cure)
