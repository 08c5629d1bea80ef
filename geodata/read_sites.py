"""Candidate sites for new schools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.crs import LOCAL
from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue
from geodata.locate_points import locate_rows
from geodata.messages import msg
from geodata.schema import (
    build_empty_table,
    build_missing_column,
    check_mapping,
    check_table,
    convert_column,
    match_columns,
    raise_if_errors,
)
from geodata.school_columns import match_kind_and_stages
from geodata.school_sheets import open_sheets
from geodata.study_file import StudySpec
from geodata.values import format_number, is_missing

if TYPE_CHECKING:
    import geopandas as gpd

_LIST_SIGNS = re.compile(r"[;；,，、/\s]+")


def read_sites(spec: StudySpec, crs: str) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Read the candidate sites: CSV, XLSX, or a layer of points or areas.

    Returns
    -------
    GeoDataFrame, list of DataIssue
        Table ``sites`` in ``crs`` (metres); warnings. Empty where the study names no sites.

    Raises
    ------
    DataError
        The file cannot be read, or holds errors; all at once.
    """
    if spec.sites is None:
        return build_empty_table("sites", crs), []
    source = spec.sites
    sheet = open_sheets(spec.resolve(source.path), layer=source.layer, crs=source.crs)[0]
    headers = match_columns(sheet.frame.columns, "sites", source.columns)
    origin = Origin(sheet.file, sheet.name, sheet.rows, headers)
    schema = read_table_schema("sites")
    names = [column.name for column in schema.columns]
    issues = check_mapping(source.columns, sheet.frame.columns, names, origin, table="sites")
    if "site_id" not in headers:
        issues.append(build_missing_column("sites", "site_id", origin))
    cells: dict[str, list[Any]] = {}
    for column in schema.columns:
        if column.name in headers:
            cells[column.name], found = convert_column(sheet.frame[headers[column.name]].tolist(), column, origin)
            issues += found
    x, y, found = locate_rows(sheet, cells, headers, source.columns, source.crs, crs, origin, table="sites")
    issues += found
    cells["class_options"] = _read_lists(cells.get("class_options"), len(x), "class_options", origin, issues)
    cells["stages"] = _read_lists(cells.get("stages"), len(x), "stages", origin, issues)
    if "site_id" in cells:
        told = {(issue.row, issue.column) for issue in issues}
        sites = _build_sites(cells, x, y, crs)
        found = check_table(sites, "sites", file=sheet.file, sheet=sheet.name, rows=sheet.rows, headers=headers)
        lost = {origin.row(int(at)) for at in np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))}
        issues += [
            i for i in found if (i.row, i.column) not in told and not (i.row in lost and i.column in ("x_m", "y_m"))
        ]
    raise_if_errors(issues)
    return sites, issues


def _build_sites(cells: dict[str, list[Any]], x: Any, y: Any, crs: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    empty = build_empty_table("sites", crs)
    columns = [name for name in empty.columns if name != "geometry"]
    frame = pd.DataFrame({"site_id": cells["site_id"]}, dtype="str")
    for name in columns[1:]:
        blank = "" if empty[name].dtype == "str" else None
        frame[name] = cells.get(name, [blank] * len(frame))
    frame["x_m"], frame["y_m"] = x, y
    frame["name"] = [name or key for name, key in zip(frame["name"], frame["site_id"], strict=True)]
    frame = frame.astype(empty.dtypes[columns].to_dict())
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(x, y), crs=None if crs == LOCAL else crs)


def _read_lists(cells: list[Any] | None, count: int, column: str, origin: Origin, issues: list[DataIssue]) -> list[str]:
    """Return lists such as ``12、18`` or ``小学/初中`` as ``12;18`` and ``primary;junior``; report what is neither."""
    results = []
    for position, cell in enumerate(cells if cells is not None else [""] * count):
        parts = [part for part in _LIST_SIGNS.split(str(cell or "")) if part and not is_missing(part)]
        read = [_read_part(part, column) for part in parts]
        results.append(";".join(dict.fromkeys(word for words in read for word in words or [])))
        if [] in read:
            expected = msg("numbers of classes, such as 12;18;24") if column == "class_options" else None
            issues.append(
                DataIssue(
                    "allowed_value",
                    "error",
                    msg("A word that is not known here."),
                    file=origin.file,
                    sheet=origin.sheet,
                    row=origin.row(position),
                    column=origin.headers.get(column, column),
                    found=str(cell),
                    expected=expected or msg("one of: {names}", names="kindergarten, primary, junior, senior"),
                )
            )
    return results


def _read_part(part: str, column: str) -> list[str]:
    if column == "stages":
        meaning = match_kind_and_stages(part, {})
        return list(meaning[1]) if meaning else []
    number = part.removesuffix("班")
    return [format_number(float(number))] if re.fullmatch(r"\d{1,3}(\.0)?", number) else []
