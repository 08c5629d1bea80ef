"""Positions of the rows of a file: from its shapes, from longitude and latitude, or from metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.crs import SHIFTED, WGS84, convert_points, normalise_crs
from geodata.dictionary import Origin
from geodata.errors import DataIssue
from geodata.messages import msg
from geodata.schema import build_missing_column
from geodata.school_sheets import Sheet

Floats = npt.NDArray[np.float64]
_DEGREES = ("EPSG:4326", "EPSG:4490")


def locate_rows(
    sheet: Sheet,
    cells: Mapping[str, Sequence[Any]],
    headers: Mapping[str, str],
    mapping: Mapping[str, str],
    file_crs: str,
    study_crs: str,
    origin: Origin,
    *,
    table: str = "schools",
) -> tuple[Floats, Floats, list[DataIssue]]:
    """Return x and y of every row in the study's CRS, in metres, and what is wrong; NaN where there is no position.

    Columns named in the study file (``mapping``) come first, then the file's shapes, then columns found by their
    headers (longitude and latitude before metres).
    """
    pairs = (("lon_deg", "lat_deg"), ("x_m", "y_m"))
    named = [pair for pair in pairs if all(name in mapping and name in headers for name in pair)]
    if not named and sheet.x is not None and sheet.y is not None:
        x, y = convert_points(sheet.x, sheet.y, file_crs or sheet.crs, study_crs)
        return x, y, _report_missing(x, y, None, origin)
    found = named or [pair for pair in pairs if all(name in headers for name in pair)]
    if not found:
        nowhere = np.full(len(sheet.frame), np.nan)
        return nowhere, nowhere.copy(), [build_missing_column(table, "lon_deg", origin)]
    pair = found[0]
    first, second = (np.array([np.nan if v is None else v for v in cells[name]], dtype=float) for name in pair)
    issues = report_swapped(first, second, origin) if pair == pairs[0] else []
    if not issues:
        issues = _report_missing(first, second, pair, origin)
    crs = _choose_crs(pair == pairs[0], file_crs, sheet.crs, study_crs)
    x, y = convert_points(first, second, crs, study_crs)
    return x, y, issues


def _choose_crs(degrees: bool, file_crs: str, layer_crs: str, study_crs: str) -> str:
    named = normalise_crs(file_crs)
    if degrees:
        return named if named in SHIFTED or named in _DEGREES else WGS84
    return named or layer_crs or study_crs


def _report_missing(x: Floats, y: Floats, pair: tuple[str, str] | None, origin: Origin) -> list[DataIssue]:
    """Report rows without a position, or at longitude 0 and latitude 0, which means the same."""
    nowhere = np.isnan(x) | np.isnan(y)
    if pair == ("lon_deg", "lat_deg"):
        nowhere |= (x == 0) & (y == 0)
    column = "geometry" if pair is None else origin.headers.get(pair[0], pair[0])
    return [
        DataIssue(
            "position",
            "error",
            msg("The row has no position."),
            file=origin.file,
            sheet=origin.sheet,
            row=origin.row(int(at)),
            column=column,
            expected=msg("longitude and latitude in decimal degrees, or x and y in metres"),
            cure=msg("Fill in the position, or delete the row."),
        )
        for at in np.flatnonzero(nowhere)
    ]


def report_swapped(lon_deg: Floats, lat_deg: Floats, origin: Origin) -> list[DataIssue]:
    """Report the columns as swapped where most latitudes can only be longitudes."""
    beyond = np.abs(lat_deg) > 90
    known = int((~np.isnan(lat_deg)).sum())
    if not known or beyond.sum() * 2 < known or not np.all(np.abs(lon_deg[beyond]) <= 90):
        return []
    at = int(np.flatnonzero(beyond)[0])
    return [
        DataIssue(
            "lonlat_swapped",
            "error",
            msg("Longitude and latitude are swapped in {count} rows.", count=int(beyond.sum())),
            file=origin.file,
            sheet=origin.sheet,
            row=origin.row(at),
            column=origin.headers.get("lat_deg", "lat_deg"),
            found=f"{lat_deg[at]}",
            expected=msg("a latitude from -90 to 90 (China: 18 to 54)"),
            cure=msg("Exchange the headers of the two columns."),
        )
    ]
