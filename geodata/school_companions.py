"""Sheets beside that of the schools: places and rolls that name a school by its code only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from geodata.errors import DataIssue
from geodata.messages import msg
from geodata.schema import match_headers
from geodata.school_columns import build_school_columns, match_kind_and_stages
from geodata.school_rows import SchoolRow, SheetReader
from geodata.school_sheets import Sheet
from geodata.study import STAGES
from geodata.study_file import SchoolsSource
from geodata.values import find_near_id, is_missing, is_total, narrow_id

_NAMES = {"name": "学校名称", "kind": "办学类型"}
"""Headers under which a companion gets what the sheet of schools tells, where it has no such column."""


def list_companion_stages(sheets: Sequence[tuple[str, Sheet]], source: SchoolsSource) -> dict[str, tuple[str, ...]]:
    """Return the stages of each school that its rows on the companion sheets speak of."""
    found: dict[str, set[str]] = {}
    for _table, sheet in sheets:
        headers = _match(sheet, source)
        for column in ("stage", "kind"):
            if column in headers:
                words = source.values.get(column, {})
                for key, text in zip(sheet.frame[headers["school_id"]], sheet.frame[headers[column]], strict=True):
                    found.setdefault(narrow_id(key.strip()), set()).update(
                        (match_kind_and_stages(text, words) or ("", ()))[1]
                    )
    return {key: tuple(stage for stage in STAGES if stage in stages) for key, stages in found.items() if stages}


def read_companion(
    table: str, sheet: Sheet, source: SchoolsSource, crs: str, schools: Mapping[str, SchoolRow]
) -> tuple[list[SchoolRow], list[DataIssue]]:
    """Return the rows of a sheet of places or rolls, with name and position of the school that they name.

    A code that the sheet of schools does not have is an error, with the nearest one; a row of totals is left out.
    """
    headers = _match(sheet, source)
    header = headers["school_id"]
    keys = [narrow_id(str(cell).strip()) for cell in sheet.frame[header]]
    totals = np.array([any(is_total(str(cell)) for cell in row[:4]) for row in sheet.frame.values.tolist()], dtype=bool)
    empty = np.array([is_missing(key) for key in keys], dtype=bool)
    known = np.array([key in schools for key in keys], dtype=bool)
    issues = [_tell_total(sheet, int(at), header) for at in np.flatnonzero(totals & ~known)]
    issues += [
        _tell_unknown(sheet, int(at), header, keys[at], schools) for at in np.flatnonzero(~known & ~totals & ~empty)
    ]
    issues += [_tell_empty(sheet, int(at), header) for at in np.flatnonzero(empty & ~totals)]
    own = [schools[key] for key, wanted in zip(keys, known, strict=True) if wanted]
    kept = sheet.keep(known)
    frame = kept.frame
    for name, title in _NAMES.items():
        if name not in headers and not (name == "kind" and "stage" in headers) and title not in frame.columns:
            frame = frame.assign(**{title: [getattr(row, name) for row in own]})
    x, y = (np.array([getattr(row, name) for row in own], dtype=float) for name in ("x_m", "y_m"))
    columns = {ours: theirs for ours, theirs in source.columns.items() if theirs in frame.columns}
    plain = replace(source, columns=columns, crs="", defaults={}, keep_where_positive="")
    reader = SheetReader(replace(kept, frame=frame, x=x, y=y, crs=crs), plain, crs)
    rows = [row for row in reader.read() if row.stages]
    for row in rows:
        row.table = table
    return rows, [*issues, *reader.issues]


def _match(sheet: Sheet, source: SchoolsSource) -> dict[str, str]:
    wanted = {name: column.headers for name, column in build_school_columns().items()}
    return match_headers(sheet.frame.columns, wanted, source.columns)


def _tell_total(sheet: Sheet, at: int, header: str) -> DataIssue:
    problem = msg("This is a row of totals, not a school; it is left out.")
    return DataIssue("totals_row", "warning", problem, sheet.file, sheet.name, int(sheet.rows[at]), header)


def _tell_empty(sheet: Sheet, at: int, header: str) -> DataIssue:
    problem, cure = msg("An entry is missing here."), msg("Fill in the cell.")
    place = (sheet.file, sheet.name, int(sheet.rows[at]), header)
    return DataIssue("required_value", "error", problem, *place, cure=cure)


def _tell_unknown(sheet: Sheet, at: int, header: str, key: str, known: Mapping[str, SchoolRow]) -> DataIssue:
    near = find_near_id(key, known)
    cure = msg("Correct the code, or add the missing school or unit.")
    if near:
        cure = msg("Did you mean {name}? Ids are compared as text, leading zeros included.", name=near)
    problem = msg("The table {table} names {id}, which is not known.", table=sheet.name, id=key)
    place = (sheet.file, sheet.name, int(sheet.rows[at]), header, key)
    return DataIssue("unknown_ids", "error", problem, *place, cure=cure, record_id=key)
