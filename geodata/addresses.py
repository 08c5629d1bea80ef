"""House numbers: which number of which street stands where, for boundaries in words (雁城路 1–70号)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geodata.crs import WGS84, convert_points
from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataError, DataIssue
from geodata.locate_points import locate_rows
from geodata.osm import OSM_SUFFIXES
from geodata.schema import (
    build_empty_table,
    build_missing_column,
    check_doubled,
    check_mapping,
    check_table,
    convert_column,
    match_columns,
    raise_if_errors,
)
from geodata.school_sheets import open_sheets
from geodata.study_file import AddressesSource, StudySpec


def read_addresses(spec: StudySpec, crs: str) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Read the house numbers of a study: those of its OpenStreetMap road file, and those of ``[addresses]``.

    An own file comes first: what it holds of a street and number, the road file does not tell again.

    Parameters
    ----------
    spec : ``spec.addresses`` and ``spec.roads`` name the files
    crs : the study's metric CRS, or ``"local"``

    Returns
    -------
    DataFrame, list of DataIssue
        Table ``addresses`` (``street``, ``house_number`` as written, ``x_m``, ``y_m``), sorted by street, number and
        place, without repetitions; empty where there are none. Issues: warnings.

    Raises
    ------
    DataError
        A file cannot be read, or holds errors; all at once.
    """
    own, issues = _read_own(spec, crs)
    found = build_empty_table("addresses")
    if spec.roads is not None and spec.roads.path.lower().endswith(OSM_SUFFIXES):
        with suppress(DataError):  # the reader of roads tells what is wrong with its file
            found = _read_osm(spec.resolve(spec.roads.path), crs)
    told = pd.MultiIndex.from_frame(own[["street", "house_number"]])
    new = ~pd.MultiIndex.from_frame(found[["street", "house_number"]]).isin(told)
    return _sort(pd.concat([own, found[new]], ignore_index=True)), issues


def _sort(addresses: pd.DataFrame) -> pd.DataFrame:
    addresses = addresses.assign(x_m=addresses["x_m"].round(2), y_m=addresses["y_m"].round(2))
    columns = ["street", "house_number", "x_m", "y_m"]
    return addresses.drop_duplicates(columns).sort_values(columns, ignore_index=True)


def _read_osm(path: Path, crs: str) -> pd.DataFrame:
    """Return the addresses of an OpenStreetMap file, in the study's CRS."""
    from geodata.osm_features import read_osm_addresses

    table = read_osm_addresses(path)
    x, y = convert_points(table["lon_deg"].to_numpy(), table["lat_deg"].to_numpy(), WGS84, crs)
    return table[["street", "house_number"]].assign(x_m=x, y_m=y)


def _read_own(spec: StudySpec, crs: str) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Return the addresses of the file that ``[addresses]`` names."""
    source = spec.addresses
    if source is None:
        return build_empty_table("addresses"), []
    path = spec.resolve(source.path)
    if path.name.lower().endswith(OSM_SUFFIXES):
        return _read_osm(path, crs), []
    return _read_table(path, source, crs)


def _read_table(path: Path, source: AddressesSource, crs: str) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Return the addresses of a table or a layer of points or areas."""
    sheet = open_sheets(path, sheet=source.sheet, layer=source.layer, crs=source.crs)[0]
    headers = match_columns(sheet.frame.columns, "addresses", source.columns)
    origin = Origin(sheet.file, sheet.name, sheet.rows, headers)
    schema = read_table_schema("addresses")
    names = [column.name for column in schema.columns]
    issues = check_mapping(source.columns, sheet.frame.columns, names, origin, table="addresses")
    issues += check_doubled(headers, sheet.frame, origin)
    for name in ("street", "house_number"):
        if name not in headers:
            issues.append(build_missing_column("addresses", name, origin))
    cells: dict[str, list[Any]] = {}
    for column in schema.columns:
        if column.name in headers:
            cells[column.name], found = convert_column(sheet.frame[headers[column.name]].tolist(), column, origin)
            issues += found
    x, y, found = locate_rows(sheet, cells, headers, source.columns, source.crs, crs, origin, table="addresses")
    issues += found
    words = pd.DataFrame({name: cells.get(name, [""] * len(x)) for name in ("street", "house_number")}, dtype="str")
    table = words.assign(x_m=x, y_m=y)
    issues += _check_rows(table, origin, issues)
    raise_if_errors(issues)
    return table, issues


def _check_rows(table: pd.DataFrame, origin: Origin, told: list[DataIssue]) -> list[DataIssue]:
    """Return what the schema finds wrong and nobody has said yet; a repeated row is no fault of an address list."""
    if any(issue.check == "required_column" for issue in told):
        return []
    known = {(issue.row, issue.column) for issue in told}
    lost = {origin.row(int(at)) for at in np.flatnonzero(~(np.isfinite(table["x_m"]) & np.isfinite(table["y_m"])))}
    return [
        issue
        for issue in check_table(
            table, "addresses", file=origin.file, sheet=origin.sheet, rows=origin.rows, headers=origin.headers
        )
        if issue.check != "duplicate_id"
        and (issue.row, issue.column) not in known
        and not (issue.row in lost and issue.column in _place_columns(origin))
    ]


def _place_columns(origin: Origin) -> set[str]:
    return {origin.headers.get(name, name) for name in ("x_m", "y_m")}
