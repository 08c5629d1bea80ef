"""The current catchments: which unit belongs to which school, by stage."""

from __future__ import annotations

import pandas as pd

from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue
from geodata.files import read_raw_table
from geodata.messages import msg
from geodata.schema import (
    build_empty_table,
    build_missing_column,
    check_mapping,
    convert_column,
    match_columns,
    raise_if_errors,
)
from geodata.study_file import StudySpec
from geodata.values import is_missing


def read_zones(spec: StudySpec) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Read the table of catchments: one row per unit, stage and school; several rows = a shared zone (多校划片).

    Returns
    -------
    DataFrame, list of DataIssue
        ``unit_id``, ``stage``, ``school_id``; warnings. An empty table where the study names no zones. Whether the
        ids exist is checked across tables in ``geodata.quality``.

    Raises
    ------
    DataError
        The file cannot be read, a column is missing, or cells are empty or not understood; all at once.
    """
    if spec.zones is None:
        return build_empty_table("zones"), []
    raw = read_raw_table(spec.resolve(spec.zones.path))
    headers = match_columns(raw.frame.columns, "zones", spec.zones.columns)
    origin = Origin(raw.file, raw.sheet, raw.rows, headers)
    schema = read_table_schema("zones")
    names = [column.name for column in schema.columns]
    issues = check_mapping(spec.zones.columns, raw.frame.columns, names, origin, table="zones")
    table = {}
    for column in schema.columns:
        if column.name not in headers:
            issues.append(build_missing_column("zones", column.name, origin))
            continue
        texts = raw.frame[headers[column.name]].tolist()
        issues += _report_empty(texts, column.name, origin)
        table[column.name], found = convert_column(texts, column, origin)
        issues += found
    raise_if_errors(issues)
    zones = pd.DataFrame(table, columns=names, dtype="str")
    twice = zones.duplicated().to_numpy()
    issues += [_build_twice(origin, position, zones) for position, again in enumerate(twice) if again]
    return zones[~twice].reset_index(drop=True), issues


def _report_empty(texts: list[str], column: str, origin: Origin) -> list[DataIssue]:
    return [
        DataIssue(
            "required_value",
            "error",
            msg("An entry is missing here."),
            file=origin.file,
            sheet=origin.sheet,
            row=origin.row(position),
            column=origin.headers[column],
            cure=msg("Fill in the cell."),
        )
        for position, text in enumerate(texts)
        if is_missing(text)
    ]


def _build_twice(origin: Origin, position: int, zones: pd.DataFrame) -> DataIssue:
    return DataIssue(
        "duplicate_row",
        "warning",
        msg("The same row stands twice; it counts once."),
        file=origin.file,
        sheet=origin.sheet,
        row=origin.row(position),
        found=" / ".join(zones.iloc[position]),
        record_id=str(zones["unit_id"].iloc[position]),
    )
