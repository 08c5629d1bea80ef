"""Positions of the rows of a file: from its shapes, from longitude and latitude, or from metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.coordinate_columns import LONLAT, METRES, Pair, place_pair, report_swapped
from geodata.crs import convert_points
from geodata.dictionary import Origin
from geodata.errors import DataIssue
from geodata.messages import msg
from geodata.schema import build_missing_column
from geodata.school_sheets import Sheet

__all__ = ["locate_rows", "report_swapped"]

Floats = npt.NDArray[np.float64]


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
    pairs = (LONLAT, METRES)
    named = [pair for pair in pairs if all(name in mapping and name in headers for name in pair)]
    if not named and sheet.x is not None and sheet.y is not None:
        x, y = convert_points(sheet.x, sheet.y, file_crs or sheet.crs, study_crs)
        return x, y, _report_missing(x, y, None, origin)
    found = named or [pair for pair in pairs if all(name in headers for name in pair)]
    if not found:
        nowhere = np.full(len(sheet.frame), np.nan)
        return nowhere, nowhere.copy(), [build_missing_column(table, "lon_deg", origin)]
    columns = found[0]
    first, second = (np.array([np.nan if v is None else v for v in cells[name]], dtype=float) for name in columns)
    pair = Pair(first, second, columns, file_crs, study_crs, origin, layer_crs=sheet.crs)
    placed = place_pair(pair)
    issues = placed.issues
    if placed.usable:
        issues = issues + _report_missing(first, second, columns, origin)
    return placed.x_m, placed.y_m, issues


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
