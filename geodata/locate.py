"""Where on Earth a study lies, found by looking at its files before they are read; and the digest of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from geodata.coordinate_columns import LONLAT, METRES, Pair, place_pair
from geodata.coordinate_text import parse_degrees
from geodata.crs import LOCAL, WGS84, choose_metric_crs, convert_points, fits_degrees, is_geographic, normalise_crs
from geodata.dictionary import Origin
from geodata.errors import CrsError, DataError, DataIssue
from geodata.files import TABLE_ENDINGS, read_layer, read_raw_table
from geodata.messages import msg
from geodata.paths import find_path_problem
from geodata.population_raster import require_tiff
from geodata.raster_names import list_rasters
from geodata.schema import match_columns
from geodata.study_file import PopulationSource, SchoolsSource, StudySpec, UnitsSource


def compute_file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of the rasters meant by a folder, a pattern or names joined by ``;``.

    Empty where there is none: its reader will say so.
    """
    if find_path_problem(str(path)) is not None:
        return ""
    if path.is_dir() or any(mark in path.name for mark in "*?;"):
        try:
            return "".join(compute_file_digest(item)[:16] for item in list_rasters(path))
        except DataError:
            return ""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def choose_study_crs(spec: StudySpec) -> str:
    """Return the metric CRS for a study that names none: the UTM zone of its schools, else of its population.

    Raises ``CrsError`` where no file says where on Earth it lies.
    """
    for source in (spec.population, spec.units, spec.schools):
        if isinstance(source, PopulationSource | UnitsSource | SchoolsSource) and source.path:
            centre = _find_centre(spec.resolve(source.path), source)
            if centre is not None:
                return choose_metric_crs(*centre)
    raise CrsError(
        DataIssue(
            "study_crs",
            "error",
            msg("No file says where on Earth the study lies."),
            file="study.toml",
            column="crs",
            cure=msg('Write the coordinate system of the files, for instance crs = "EPSG:4547", or crs = "local".'),
        )
    )


def _find_centre(path: Path, source: PopulationSource | UnitsSource | SchoolsSource) -> tuple[float, float] | None:
    """Return longitude and latitude of the middle of a file's content, or ``None`` where it cannot be told."""
    name = path.name.lower()
    try:
        if name.endswith(TABLE_ENDINGS):
            return _find_table_centre(path, source)
        if name.endswith((".pbf", ".osm", ".osm.gz", ".osm.bz2")):
            return _find_osm_centre(path)
        if isinstance(source, PopulationSource) and source.kind in ("raster", "age_rasters"):
            return _find_raster_centre(path)
        layer = read_layer(path, layer=source.layer)
    except DataError:
        return None  # its own reader will tell what is wrong, with everything else
    crs = normalise_crs(source.crs) or ("" if layer.crs is None else layer.crs.to_wkt())
    if crs in ("", LOCAL) or layer.empty:
        return None
    west, south, east, north = layer.total_bounds
    return _find_middle(np.array([west, east]), np.array([south, north]), crs)


def _find_table_centre(
    path: Path, source: PopulationSource | UnitsSource | SchoolsSource
) -> tuple[float, float] | None:
    raw = read_raw_table(path, sheet=getattr(source, "sheet", ""))
    table = "schools" if isinstance(source, SchoolsSource) else "units"
    headers = match_columns(list(raw.frame.columns), table, source.columns)
    pairs = [pair for pair in (LONLAT, METRES) if all(name in headers for name in pair)]
    if not pairs:
        return None
    first, second = (_to_numbers(raw.frame[headers[name]].tolist()) for name in pairs[0])
    if np.isnan(first).all() or np.isnan(second).all():
        return None
    if fits_degrees(first, second):
        return float(np.nanmedian(first)), float(np.nanmedian(second))
    crs = normalise_crs(source.crs)
    if crs in ("", LOCAL) or is_geographic(crs):
        return None
    placed = place_pair(Pair(first, second, pairs[0], crs, WGS84, Origin()))
    return _find_middle(placed.x_m, placed.y_m, WGS84)


def _find_middle(x: np.ndarray, y: np.ndarray, crs: str) -> tuple[float, float] | None:
    """Return the median place of points of ``crs`` in degrees; ``None`` where none is on Earth."""
    lon_deg, lat_deg = convert_points(x, y, crs, WGS84)
    known = np.isfinite(lon_deg) & np.isfinite(lat_deg)
    return (float(np.median(lon_deg[known])), float(np.median(lat_deg[known]))) if known.any() else None


def _to_numbers(texts: list[str]) -> np.ndarray:
    def number(text: str) -> float:
        try:
            value = parse_degrees(text)
        except ValueError:
            return np.nan
        return np.nan if value is None else value

    return np.array([number(text) for text in texts], dtype=float)


def _find_osm_centre(path: Path) -> tuple[float, float] | None:
    import osmium

    try:
        for thing in osmium.FileProcessor(str(path), osmium.osm.NODE):
            if isinstance(thing, osmium.osm.Node):
                return thing.location.lon, thing.location.lat
    except RuntimeError:
        return None
    return None


def _find_raster_centre(path: Path) -> tuple[float, float] | None:
    import rasterio
    from rasterio.warp import transform_bounds

    try:
        path = list_rasters(path)[0]
        require_tiff(path)
        with rasterio.open(path, driver="GTiff") as raster:
            if raster.crs is None:
                return None
            west, south, east, north = transform_bounds(raster.crs, "EPSG:4326", *raster.bounds)
    except (DataError, rasterio.errors.RasterioError, rasterio.errors.CRSError):
        return None
    return (west + east) / 2, (south + north) / 2
