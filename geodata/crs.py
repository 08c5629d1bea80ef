"""Where points are: one metric coordinate system per study, and the two shifted ones of Chinese web maps.

Names of Chinese grids (``CGCS2000 3度带 38带``) are understood by :mod:`geodata.crs_names`. Eastings of Gauss-Krüger
grids may stand with the number of the zone before them or without, whichever of the two the system's name says.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geodata.crs_names import PREFIX_M, find_crs_code
from geodata.errors import CrsError, DataIssue
from geodata.messages import Message, msg

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyproj

LOCAL = "local"
"""Name of a grid of metres without a place on Earth."""

WGS84 = "EPSG:4326"
SHIFTED = ("GCJ-02", "BD-09")
"""Longitude and latitude as Chinese web maps give them: moved by some 300 to 800 m against WGS 84."""

EARTH_RADIUS_M = 6_371_008.8
_M_PER_DEG = np.pi * EARTH_RADIUS_M / 180

# Krasovsky 1940, on which the GCJ-02 shift is defined.
_AXIS_M = 6_378_245.0
_ECCENTRICITY2 = 0.00669342162296594323

_BD09_WAVE = np.pi * 3000 / 180

Floats = npt.NDArray[np.float64]


def choose_metric_crs(lon_deg: float, lat_deg: float) -> str:
    """Return the UTM zone (WGS 84) of a place as ``"EPSG:326xx"`` (north) or ``"EPSG:327xx"`` (south)."""
    if not (-180 <= lon_deg <= 180 and -90 <= lat_deg <= 90):
        raise CrsError(
            DataIssue(
                "study_crs",
                "error",
                msg("Longitude or latitude is outside the Earth."),
                found=f"{lon_deg}, {lat_deg}",
                cure=msg("Check that longitude and latitude are not swapped and are in decimal degrees."),
            )
        )
    zone = min(int((lon_deg + 180) // 6) + 1, 60)
    return f"EPSG:{32600 + zone if lat_deg >= 0 else 32700 + zone}"


def require_metric_crs(crs: str) -> None:
    """Raise ``CrsError`` unless ``crs`` is known, projected and in metres (or ``"local"``)."""
    if crs == LOCAL:
        return
    known = _read_crs(crs)
    if not known.is_projected or any(axis.unit_name not in ("metre", "meter") for axis in known.axis_info[:2]):
        raise _build_error(
            msg("The study needs a coordinate system in metres."),
            crs,
            msg("Take the UTM or Gauss-Krüger zone of the county, for instance EPSG:4547."),
        )


def require_known_crs(crs: str) -> None:
    """Raise ``CrsError`` unless ``crs`` is empty or names a coordinate system that a file may be in."""
    named = normalise_crs(crs)
    if named and named != LOCAL and named not in SHIFTED:
        _read_crs(named)


def compute_scale_error(lon_deg: float, lat_deg: float, crs: str) -> float:
    """Return how far a metre of ``crs`` is from a metre on the ground at a place, as a share; NaN where it is unknown.

    The zone of a county stays under 0.01 even one zone further; Web Mercator is wrong by a fifth at 35 degrees north.
    """
    import pyproj

    if crs == LOCAL:
        return 0.0
    try:
        factors = pyproj.Proj(_read_crs(crs)).get_factors(lon_deg, lat_deg, errcheck=True)
    except pyproj.exceptions.ProjError:
        return float("nan")
    return float(max(abs(factors.tissot_semimajor - 1), abs(factors.tissot_semiminor - 1)))


@lru_cache(maxsize=256)
def normalise_crs(crs: str) -> str:
    """Return the name used here for a coordinate system: an EPSG code, ``GCJ-02``, ``BD-09``, ``local``.

    Names may be written in many ways (``wgs84``, ``gcj02``, ``百度坐标``, ``CGCS2000_3_Degree_GK_CM_114E``,
    ``西安80 6度带 19带``; see :mod:`geodata.crs_names`). What is not known here comes back as it is, for PROJ to judge.
    """
    text = crs.strip()
    if not text or len(text) > 120 or any(mark in text for mark in "[{+"):  # WKT, PROJJSON, a PROJ string
        return text
    if re.fullmatch(r"(?:epsg|esri) ?[:：] ?\d{3,6}", text, re.IGNORECASE):
        return re.sub(r"[\s：:]+", ":", text).upper()
    return find_crs_code(text) or (f"EPSG:{text}" if re.fullmatch(r"\d{4,5}", text) else text)


def _build_error(problem: Message, found: str, cure: Message) -> CrsError:
    return CrsError(DataIssue("study_crs", "error", problem, found=found, cure=cure))


@lru_cache(maxsize=32)
def _read_crs(crs: str) -> pyproj.CRS:
    import pyproj

    try:
        return pyproj.CRS.from_user_input(normalise_crs(crs))
    except pyproj.exceptions.CRSError as error:
        raise _build_error(
            msg("The coordinate system is not known."),
            crs,
            msg("Write an EPSG code (EPSG:4547), a name such as CGCS2000 3度带 38带, GCJ-02, BD-09, or local."),
        ) from error


@lru_cache(maxsize=32)
def _build_transformer(source: str, target: str) -> pyproj.Transformer:
    import pyproj

    try:
        return pyproj.Transformer.from_crs(_read_crs(source), _read_crs(target), always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise _build_error(
            msg("Nothing can be converted from or to this coordinate system."),
            source[:200],
            msg(
                "Save the file again in WGS 84 (EPSG:4326) or CGCS2000, "
                "or write its coordinate system in the study file."
            ),
        ) from error


def convert_points(x: npt.ArrayLike, y: npt.ArrayLike, source: str, target: str) -> tuple[Floats, Floats]:
    """Return points of coordinate system ``source`` in ``target``; NaN stays NaN.

    Either may be an EPSG code, WKT or ``"local"``; ``source`` may also be ``"GCJ-02"`` or ``"BD-09"`` (degrees). What
    cannot be converted comes back as NaN.
    """
    first, second = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    source, target = normalise_crs(source), normalise_crs(target)
    if source in SHIFTED:
        first, second = convert_to_wgs84(first, second, source)
        source = WGS84
    first = fit_zone_prefix(first, source)
    if source == target:
        return first.copy(), second.copy()
    if LOCAL in (source, target):
        return _convert_local(first, second, source, target)
    east, north = _build_transformer(source, target).transform(first, second)
    bad = ~(np.isfinite(east) & np.isfinite(north))
    return np.where(bad, np.nan, east), np.where(bad, np.nan, north)


def fit_zone_prefix(x: Floats, crs: str) -> Floats:
    """Return eastings with or without the number of the zone before them, as ``crs`` wants it.

    ``38 500 000`` is ``500 000`` in the strip of zone 38: where the system says the one and a file writes the other,
    there is nothing else that it can mean (it would lie 38,000 km away). Another zone than that of ``crs`` stays.
    """
    strip = read_strip(crs)
    if strip is None:
        return x
    zone, meridian = strip
    if zone:
        return np.where((x > 0) & (x < PREFIX_M), x + zone * PREFIX_M, x)
    written = np.floor(x / PREFIX_M)
    same = ((written * 3 == meridian) & (written >= 25)) | ((written * 6 - 3 == meridian) & (written < 25))
    return np.where((written >= 13) & same, x - written * PREFIX_M, x)


@lru_cache(maxsize=64)
def read_strip(crs: str) -> tuple[int, float] | None:
    """Return the zone before the easting (0 = none) and the central meridian of a strip of 3° or 6°; else ``None``.

    Strips are those of Gauss-Krüger and, without a zone before the easting, of UTM.
    """
    if not crs or crs == LOCAL or crs in SHIFTED:
        return None
    known = _read_crs(crs)
    if known.coordinate_operation is None or known.coordinate_operation.method_name != "Transverse Mercator":
        return None
    values = {item.name: float(item.value) for item in known.coordinate_operation.params}
    zone, rest = divmod(values.get("False easting", 0.0), PREFIX_M)
    if rest != PREFIX_M / 2:
        return None
    return int(zone), float(values.get("Longitude of natural origin", 0.0))


def is_geographic(crs: str) -> bool:
    """Whether coordinates of ``crs`` are degrees."""
    named = normalise_crs(crs)
    return named in SHIFTED or (named not in ("", LOCAL) and bool(_read_crs(named).is_geographic))


def fits_degrees(lon_deg: Floats, lat_deg: Floats) -> bool:
    """Whether all numbers can be longitude and latitude, and some are neither 0 nor empty."""
    known = np.isfinite(lon_deg) & np.isfinite(lat_deg)
    lon, lat = lon_deg[known], lat_deg[known]
    return bool(((lon != 0) | (lat != 0)).any() and (np.abs(lon) <= 180).all() and (np.abs(lat) <= 90).all())


def _convert_local(first: Floats, second: Floats, source: str, target: str) -> tuple[Floats, Floats]:
    """A local grid is shown around longitude 0, latitude 0, where a degree is as long both ways."""
    if source == LOCAL:
        return convert_points(first / _M_PER_DEG, second / _M_PER_DEG, WGS84, target)
    lon_deg, lat_deg = convert_points(first, second, source, WGS84)
    return lon_deg * _M_PER_DEG, lat_deg * _M_PER_DEG


def to_lonlat(x_m: npt.ArrayLike, y_m: npt.ArrayLike, crs: str) -> tuple[Floats, Floats]:
    """Return longitude and latitude (WGS 84, degrees) of points in ``crs``; ``"local"`` lies around 0, 0."""
    return convert_points(x_m, y_m, crs, WGS84)


def from_lonlat(lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike, crs: str) -> tuple[Floats, Floats]:
    """Return points given by longitude and latitude (WGS 84, degrees) in ``crs`` (metres)."""
    return convert_points(lon_deg, lat_deg, WGS84, crs)


def convert_to_wgs84(lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike, datum: str) -> tuple[Floats, Floats]:
    """Undo the shift of GCJ-02 or BD-09 (``datum``) and return WGS 84 degrees, to better than 1e-8 degrees (1 mm).

    Both shifts are published forwards: each is undone by fixed-point iteration, which the smallness of their slopes
    makes exact in a few steps. Outside China GCJ-02 moves nothing; BD-09 is a formula for the whole world.
    """
    lon, lat = np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float)
    if datum == "BD-09":
        lon, lat = _undo(_shift_gcj02_to_bd09, lon, lat, *_guess_gcj02(lon, lat))
    return _undo(shift_to_gcj02, lon, lat, lon, lat)


def shift_from_wgs84(lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike, datum: str) -> tuple[Floats, Floats]:
    """Return WGS 84 degrees as maps in ``datum`` (GCJ-02 or BD-09) show them; see :func:`convert_to_wgs84`."""
    lon, lat = shift_to_gcj02(np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float))
    return _shift_gcj02_to_bd09(lon, lat) if datum == "BD-09" else (lon, lat)


def _undo(
    shift: Callable[[Floats, Floats], tuple[Floats, Floats]],
    lon: Floats,
    lat: Floats,
    near_lon: Floats,
    near_lat: Floats,
) -> tuple[Floats, Floats]:
    """Return what ``shift`` brings to ``lon``, ``lat``, sought from a place nearby."""
    guess_lon, guess_lat = near_lon.copy(), near_lat.copy()
    for _ in range(8):
        there_lon, there_lat = shift(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon - (there_lon - lon), guess_lat - (there_lat - lat)
    return guess_lon, guess_lat


def shift_to_gcj02(lon_deg: Floats, lat_deg: Floats) -> tuple[Floats, Floats]:
    """Return WGS 84 degrees as Chinese web maps (GCJ-02) show them; the published approximation of the shift."""
    east, north = lon_deg - 105.0, lat_deg - 35.0
    waves = 20 * np.sin(6 * np.pi * east) + 20 * np.sin(2 * np.pi * east)
    root = np.sqrt(np.abs(east))
    d_lat = -100 + 2 * east + 3 * north + 0.2 * north**2 + 0.1 * east * north + 0.2 * root + waves * 2 / 3
    d_lat += (20 * np.sin(np.pi * north) + 40 * np.sin(np.pi / 3 * north)) * 2 / 3
    d_lat += (160 * np.sin(np.pi / 12 * north) + 320 * np.sin(np.pi / 30 * north)) * 2 / 3
    d_lon = 300 + east + 2 * north + 0.1 * east**2 + 0.1 * east * north + 0.1 * root + waves * 2 / 3
    d_lon += (20 * np.sin(np.pi * east) + 40 * np.sin(np.pi / 3 * east)) * 2 / 3
    d_lon += (150 * np.sin(np.pi / 12 * east) + 300 * np.sin(np.pi / 30 * east)) * 2 / 3
    phi = np.radians(lat_deg)
    curve = 1 - _ECCENTRICITY2 * np.sin(phi) ** 2
    lat_shift = d_lat / np.radians(_AXIS_M * (1 - _ECCENTRICITY2) / curve**1.5)
    lon_shift = d_lon / np.radians(_AXIS_M / np.sqrt(curve) * np.cos(phi))
    inside = (lon_deg >= 72.004) & (lon_deg <= 137.8347) & (lat_deg >= 0.8293) & (lat_deg <= 55.8271)
    return np.where(inside, lon_deg + lon_shift, lon_deg), np.where(inside, lat_deg + lat_shift, lat_deg)


def _shift_gcj02_to_bd09(lon_deg: Floats, lat_deg: Floats) -> tuple[Floats, Floats]:
    """The published formula of BD-09, which defines it."""
    radius = np.hypot(lon_deg, lat_deg) + 0.00002 * np.sin(lat_deg * _BD09_WAVE)
    angle = np.arctan2(lat_deg, lon_deg) + 0.000003 * np.cos(lon_deg * _BD09_WAVE)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _guess_gcj02(lon_deg: Floats, lat_deg: Floats) -> tuple[Floats, Floats]:
    """Undo BD-09 to about a metre: the start of the iteration."""
    return lon_deg - 0.0065, lat_deg - 0.006
