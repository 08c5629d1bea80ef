"""A travel matrix that somebody else measured: a table of minutes, units × schools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import DataError, DataIssue, RangeError
from geodata.files import read_raw_table
from geodata.messages import Message, msg
from geodata.study import TravelMatrix
from geodata.study_file import StudySpec

_ID_HEADERS = ("unit_id", "id", "origin_id", "from_id", "单元编号", "编号")


def read_travel_matrix(spec: StudySpec, unit_ids: Sequence[str], destination_ids: Sequence[str]) -> TravelMatrix:
    """Read the minutes of ``[travel] path`` (CSV, XLSX or Parquet), one row per unit and one column per school.

    Rows are found by a first column of unit ids, or by the file's own row labels; else they must be as many as the
    units and in their order. Columns are found by school ids in the header; else they must be as many as the schools
    and in their order. Destinations without a column are unreachable. Metres are not in such a file: ``length_m`` is
    NaN, and so are the metres between points and roads. Infinite and empty values are unreachable.

    Raises
    ------
    DataError
        The file cannot be read, or its rows and columns do not fit the study.
    RangeError
        A time is negative.
    """
    path = spec.resolve(spec.travel.path)
    frame = _read_frame(path)
    rows = _match_rows(frame, [str(key) for key in unit_ids], path.name)
    columns = _match_columns(frame, [str(key) for key in destination_ids], path.name)
    minutes = frame.to_numpy(dtype=np.float64)
    if (minutes < 0).any():
        row, column = (int(place[0]) for place in np.nonzero(minutes < 0))
        raise RangeError(
            _issue(path.name, msg("A travel time is negative."), row=row + 2, column=str(frame.columns[column]))
        )
    mode = spec.travel.matrix_mode
    cutoff = spec.travel.cutoff_min.get(mode, float("inf"))
    time = np.full((len(unit_ids), len(destination_ids)), np.nan, dtype=np.float32)
    known = np.flatnonzero(columns >= 0)
    time[:, known] = minutes[np.ix_(rows, columns[known])]
    time[~np.isfinite(time) | (time > cutoff)] = np.nan
    return TravelMatrix(
        mode=mode,
        unit_ids=tuple(str(key) for key in unit_ids),
        destination_ids=tuple(str(key) for key in destination_ids),
        time_min=time,
        length_m=np.full(time.shape, np.nan, dtype=np.float32),
        unit_snap_m=np.full(time.shape[0], np.nan, dtype=np.float32),
        destination_snap_m=np.full(time.shape[1], np.nan, dtype=np.float32),
        method="given",
        cutoff_min=cutoff,
    )


def _read_frame(path: Path) -> pd.DataFrame:
    """Return the table as numbers, labelled by row and column labels as text."""
    if path.suffix.lower() in (".parquet", ".geoparquet"):
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            problem = msg("The travel matrix cannot be read.")
            raise DataError(_issue(path.name, problem, found=str(error)[:200])) from error
    else:
        frame = read_raw_table(path).frame
    frame = frame.rename(columns=str)
    first = str(frame.columns[0]) if len(frame.columns) else ""
    if first.strip().lower() in _ID_HEADERS:
        frame = frame.set_index(first)
    frame.index = frame.index.map(str)
    numbers: pd.DataFrame = frame.apply(pd.to_numeric, errors="coerce").astype(np.float64)
    text = frame.astype(str).apply(lambda column: column.str.strip().str.lower())
    wrong = numbers.isna() & frame.notna() & ~text.isin(["", "nan", "na", "inf", "none", "null"])
    if wrong.to_numpy().any():
        row, column = (int(place[0]) for place in np.nonzero(wrong.to_numpy()))
        found = str(frame.iloc[row, column])
        problem = msg("A travel time is not a number.")
        raise DataError(_issue(path.name, problem, row=row + 2, column=str(frame.columns[column]), found=found))
    return numbers


def _match_rows(frame: pd.DataFrame, unit_ids: list[str], file: str) -> npt.NDArray[np.int64]:
    """Return the row of each unit."""
    label = {key: position for position, key in enumerate(frame.index)}
    if len(label) == len(frame) and all(key in label for key in unit_ids):
        return np.array([label[key] for key in unit_ids], dtype=np.int64)
    by_order = isinstance(frame.index, pd.Index) and list(frame.index) == [str(n) for n in range(len(frame))]
    if by_order and len(frame) == len(unit_ids):
        return np.arange(len(frame), dtype=np.int64)
    missing = [key for key in unit_ids if key not in label]
    problem = msg(
        "The travel matrix has {rows} rows, and {units} units are to be found there.",
        rows=len(frame),
        units=len(unit_ids),
    )
    raise DataError(_issue(file, problem, found=", ".join(missing[:5]), cure=_CURE))


def _match_columns(frame: pd.DataFrame, destination_ids: list[str], file: str) -> npt.NDArray[np.int64]:
    """Return the column of each destination; -1 where there is none (a new site, for instance)."""
    label = {str(key): position for position, key in enumerate(frame.columns)}
    found = np.array([label.get(key, -1) for key in destination_ids], dtype=np.int64)
    if (found >= 0).all():
        return found
    numbered = list(frame.columns) == [str(n) for n in range(len(frame.columns))]
    if numbered and len(frame.columns) == len(destination_ids):
        return np.arange(len(destination_ids), dtype=np.int64)
    if not numbered and (found >= 0).any():
        return found
    problem = msg(
        "The travel matrix has {columns} columns, and {schools} schools are to be found there.",
        columns=len(frame.columns),
        schools=len(destination_ids),
    )
    raise DataError(_issue(file, problem, cure=_CURE))


_CURE = msg("Give the unit ids in a first column called unit_id and the school ids in the header.")


def _issue(
    file: str,
    problem: Message,
    *,
    row: int | None = None,
    column: str = "",
    found: str = "",
    cure: Message | None = None,
) -> DataIssue:
    return DataIssue("travel_matrix", "error", problem, file=file, row=row, column=column, found=found, cure=cure)
