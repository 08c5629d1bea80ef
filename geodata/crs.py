"""Where points are: one metric coordinate system per study, and the two shifted ones of Chinese web maps."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geodata.errors import CrsError, DataIssue
from geodata.messages import Message, msg

if TYPE_CHECKING:
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


def normalise_crs(crs: str) -> str:
    """Return the name used here for a coordinate system: ``wgs84``, ``gcj02`` and ``bd09`` may be written any way."""
    plain = crs.replace("-", "").replace("_", "").replace(" ", "").casefold()
    return {"gcj02": "GCJ-02", "bd09": "BD-09", "bd09ll": "BD-09", "wgs84": WGS84, "local": LOCAL}.get(plain, crs)


def _build_error(problem: Message, found: str, cure: Message) -> CrsError:
    return CrsError(DataIssue("study_crs", "error", problem, found=found, cure=cure))


@lru_cache(maxsize=32)
def _read_crs(crs: str) -> pyproj.CRS:
    import pyproj

    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise _build_error(
            msg("The coordinate system is not known."),
            crs,
            msg("Write an EPSG code, for instance EPSG:32649, or local."),
        ) from error


@lru_cache(maxsize=32)
def _build_transformer(source: str, target: str) -> pyproj.Transformer:
    import pyproj

    return pyproj.Transformer.from_crs(_read_crs(source), _read_crs(target), always_xy=True)


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
    if source == target:
        return first.copy(), second.copy()
    if LOCAL in (source, target):
        return _convert_local(first, second, source, target)
    east, north = _build_transformer(source, target).transform(first, second)
    bad = ~(np.isfinite(east) & np.isfinite(north))
    return np.where(bad, np.nan, east), np.where(bad, np.nan, north)


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
    """Undo the shift of GCJ-02 or BD-09 (``datum``) and return WGS 84 degrees, to better than a centimetre for GCJ-02.

    The shift is defined forwards only: it is undone by fixed-point iteration. Outside China nothing is moved.
    """
    lon, lat = np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float)
    if datum == "BD-09":
        lon, lat = _convert_bd09_to_gcj02(lon, lat)
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(8):
        there_lon, there_lat = shift_to_gcj02(guess_lon, guess_lat)
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


def _convert_bd09_to_gcj02(lon_deg: Floats, lat_deg: Floats) -> tuple[Floats, Floats]:
    wave = np.pi * 3000 / 180
    east, north = lon_deg - 0.0065, lat_deg - 0.006
    radius = np.hypot(east, north) - 0.00002 * np.sin(north * wave)
    angle = np.arctan2(north, east) - 0.000003 * np.cos(east * wave)
    return radius * np.cos(angle), radius * np.sin(angle)
