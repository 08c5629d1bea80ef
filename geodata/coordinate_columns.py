"""Two columns of coordinates: which coordinate system they are in, whatever their headers say, and what is wrong.

Headers lie: 经度 and 纬度 hold metres of a survey sheet, X坐标 and Y坐标 hold degrees, and a surveyor's X points north.
Numbers do not: degrees end at 180, eastings of a Gauss-Krüger strip are six digits with or without the two of its zone,
and northings have seven.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.crs import (
    LOCAL,
    SHIFTED,
    WGS84,
    convert_points,
    fits_degrees,
    is_geographic,
    normalise_crs,
    read_strip,
)
from geodata.crs_names import PREFIX_M, GaussKrueger, find_grid, find_other_form, guess_grids
from geodata.dictionary import Origin
from geodata.errors import CrsError, DataIssue, Severity
from geodata.messages import Message, msg

Floats = npt.NDArray[np.float64]

LONLAT = ("lon_deg", "lat_deg")
METRES = ("x_m", "y_m")
_HOPELESS = frozenset(["metres_in_degrees", "lonlat_swapped"])
NORTHING_M = (900_000.0, 10_000_000.0)
EASTING_M = (100_000.0, 900_000.0)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two columns of numbers as a file has them: east and north, or what stands in their place; NaN = empty.

    ``columns`` are our names of the two (:data:`LONLAT` or :data:`METRES`); ``file_crs`` the system that the study file
    gives, ``layer_crs`` the file's own, ``study_crs`` that of the study.
    """

    first: Floats
    second: Floats
    columns: tuple[str, str]
    file_crs: str
    study_crs: str
    origin: Origin
    layer_crs: str = ""


@dataclass(frozen=True, eq=False)
class Placed:
    """Positions in the study's CRS (NaN where there is none), and what was found on the way."""

    x_m: Floats
    y_m: Floats
    issues: list[DataIssue]

    @property
    def usable(self) -> bool:
        """Whether the columns as a whole were understood; single rows may still be wrong."""
        return not any(issue.check in _HOPELESS for issue in self.issues)


def place_pair(pair: Pair) -> Placed:
    """Return the positions that two columns mean, in the study's CRS; findings are told once for the columns."""
    first, second = pair.first, pair.second
    crs, issues = _choose_crs(pair)
    if any(issue.check in _HOPELESS for issue in issues):
        nowhere = np.full(len(first), np.nan)
        return Placed(nowhere, nowhere.copy(), issues)
    if _is_exchanged(first, second, crs):
        issues.append(_report_exchanged(pair))
        first, second = second, first
    issues += _report_zone(pair, first, crs)
    x_m, y_m = convert_points(first, second, crs, pair.study_crs)
    return Placed(x_m, y_m, issues)


def _choose_crs(pair: Pair) -> tuple[str, list[DataIssue]]:
    """Return the system that the numbers are in, and what is to be said of it."""
    named = normalise_crs(pair.file_crs)
    in_degrees = named in SHIFTED or (named not in ("", LOCAL) and is_geographic(named))
    if pair.columns == LONLAT:
        if _hold_metres(pair):
            if named and not in_degrees:
                return named, []
            return WGS84, [_report_metres(pair)]
        swapped = report_swapped(pair.first, pair.second, pair.origin)
        return named if in_degrees else WGS84, swapped or _report_range(pair)
    crs = named or pair.layer_crs or pair.study_crs
    if crs == LOCAL or in_degrees or (not named and pair.layer_crs and is_geographic(crs)):
        return crs, []
    if fits_degrees(pair.first, pair.second):
        return WGS84, [_report_degrees(pair)]
    if fits_degrees(pair.second, pair.first):
        swapped = report_swapped(pair.first, pair.second, pair.origin, column="y_m")
        return crs, swapped
    return crs, []


def _hold_metres(pair: Pair) -> bool:
    """Whether most rows of columns of degrees hold numbers that no degree can be."""
    known = np.isfinite(pair.first) & np.isfinite(pair.second)
    beyond = known & ((np.abs(pair.first) > 360) | (np.abs(pair.second) > 360))
    return bool(beyond.sum() * 2 > known.sum())


def _is_exchanged(first: Floats, second: Floats, crs: str) -> bool:
    """Whether metres of a strip stand north first: nearly all rows could not be meant otherwise."""
    if crs in (LOCAL, *SHIFTED) or is_geographic(crs) or not read_strip(crs):
        return False
    known = np.isfinite(first) & np.isfinite(second)
    north, east = first[known], second[known]
    zone, rest = np.divmod(east, PREFIX_M)
    is_east = (rest >= EASTING_M[0]) & (rest <= EASTING_M[1]) & ((zone == 0) | ((zone >= 13) & (zone <= 45)))
    is_north = (north >= NORTHING_M[0]) & (north <= NORTHING_M[1])
    return bool(len(north)) and bool((is_east & is_north).mean() > 0.9)


def _tell(
    pair: Pair,
    check: str,
    severity: Severity,
    problem: Message,
    column: str,
    at: int,
    expected: Message | None,
    cure: Message,
) -> DataIssue:
    origin, values = pair.origin, {pair.columns[0]: pair.first, pair.columns[1]: pair.second}
    return DataIssue(
        check,
        severity,
        problem,
        file=origin.file,
        sheet=origin.sheet,
        row=origin.row(at),
        column=origin.headers.get(column, column),
        found=f"{values[column][at]:.10g}",
        expected=expected,
        cure=cure,
    )


def _first_known(pair: Pair) -> int:
    known = np.flatnonzero(np.isfinite(pair.first) & np.isfinite(pair.second))
    return int(known[0]) if len(known) else 0


def _report_metres(pair: Pair) -> DataIssue:
    """Report metres under headers of degrees, with the systems that they may be in."""
    east, north = (float(np.nanmedian(values)) for values in (pair.first, pair.second))
    guesses = guess_systems(east, north, pair.study_crs)
    expected = None
    if guesses:
        expected = msg("one of: {names}", names=", ".join(f"{name} ({code})" for code, name in guesses))
    cure = msg(
        'Write the coordinate system of these metres in the study file, for instance crs = "{crs}".',
        crs=guesses[0][0] if guesses else "EPSG:4547",
    )
    problem = msg("Longitude and latitude hold metres, not degrees.")
    return _tell(pair, "metres_in_degrees", "error", problem, pair.columns[0], _first_known(pair), expected, cure)


def _report_degrees(pair: Pair) -> DataIssue:
    """Report degrees under headers of metres; they are read as WGS 84."""
    problem = msg("The columns of metres hold degrees; they are read as longitude and latitude (WGS 84).")
    cure = msg('Write in the study file which degrees they are: crs = "{crs}", or GCJ-02 or BD-09.', crs="EPSG:4326")
    return _tell(pair, "degrees_in_metres", "warning", problem, pair.columns[0], _first_known(pair), None, cure)


def _report_exchanged(pair: Pair) -> DataIssue:
    problem = msg("The first of the two columns points north and the second east; they are read so.")
    cure = msg("Exchange the headers of the two columns. (In Chinese surveys X is north and Y is east.)")
    return _tell(pair, "xy_swapped", "warning", problem, pair.columns[0], _first_known(pair), None, cure)


def _report_zone(pair: Pair, east: Floats, crs: str) -> list[DataIssue]:
    """Report eastings that carry the number of another zone than that of their coordinate system."""
    strip = None if crs in (LOCAL, *SHIFTED) or is_geographic(crs) else read_strip(crs)
    if strip is None:
        return []
    zone, meridian = strip
    written = np.floor(east / PREFIX_M)
    other = (written >= 13) & (written <= 45) & (written != zone)
    other &= ~((written * 3 == meridian) & (written >= 25)) & ~((written * 6 - 3 == meridian) & (written < 25))
    if not other.any():
        return []
    at = int(np.flatnonzero(other)[0])
    grid = find_grid(crs)
    meant = GaussKrueger(grid.datum if grid else "CGCS2000", 3 if written[at] >= 25 else 6, int(written[at]), True)
    problem = msg(
        "In {count} rows the easting begins with zone {zone}, which is not that of the coordinate system.",
        count=int(other.sum()),
        zone=int(written[at]),
    )
    cure = msg('Write crs = "{crs}" for the file, or correct the numbers.', crs=meant.crs)
    column = pair.columns[0]
    return [_tell(pair, "zone_number", "error", problem, column, at, msg("{name}", name=meant.name), cure)]


def _report_range(pair: Pair) -> list[DataIssue]:
    """Report every row whose longitude or latitude is beyond the Earth."""
    issues = []
    for column, values, limit in zip(pair.columns, (pair.first, pair.second), (180, 90), strict=True):
        for at in np.flatnonzero(np.abs(values) > limit):
            expected = msg("from {low} to {high} {unit}", low=f"-{limit}", high=f"{limit}", unit=msg("degrees"))
            problem, cure = msg("The number lies outside what is possible."), msg("Correct the number.")
            issues.append(_tell(pair, "range", "error", problem, column, int(at), expected, cure))
    return issues


def guess_systems(east: float, north: float, study_crs: str = "") -> list[tuple[str, str]]:
    """Return code and name of systems that metres may be in, the likeliest first; the study's own where it fits.

    ``east``, ``north``: usual values of the file, in either order.
    """
    if not NORTHING_M[0] <= north <= NORTHING_M[1] and NORTHING_M[0] <= east <= NORTHING_M[1]:
        east, north = north, east
    lon_deg, found = _find_meridian(study_crs), list[tuple[str, str]]()
    zone = int(east // PREFIX_M)
    if study_crs and study_crs != LOCAL and lon_deg is not None and not zone and find_grid(study_crs):
        found.append((study_crs, study_crs))
    lons = [None] if lon_deg is None or zone else [lon_deg, lon_deg + 3, lon_deg - 3]
    for one in lons:
        found += [(strip.crs, strip.name) for strip in guess_grids(east, one)]
    for strip in guess_grids(east, None):
        bare = find_other_form(strip, 0)
        found += [(bare.crs, bare.name)] if bare is not None else []
    if 8e6 <= abs(east) <= 1.55e7 and 1.9e6 <= north <= 7.3e6:
        found.append(("EPSG:3857", "Web Mercator"))
    return list(dict.fromkeys(found))


def _find_meridian(crs: str) -> float | None:
    """Return the central meridian of a strip, ``None`` for other systems."""
    try:
        strip = read_strip(crs) if crs and crs != LOCAL else None
    except CrsError:
        return None
    return None if strip is None else strip[1]


def report_swapped(lon_deg: Floats, lat_deg: Floats, origin: Origin, *, column: str = "lat_deg") -> list[DataIssue]:
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
            column=origin.headers.get(column, column),
            found=f"{lat_deg[at]}",
            expected=msg("a latitude from -90 to 90 (China: 18 to 54)"),
            cure=msg("Exchange the headers of the two columns."),
        )
    ]
