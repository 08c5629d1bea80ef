"""Where on Earth a study lies, found by looking at its files before they are read; and the digest of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from geodata.crs import choose_metric_crs
from geodata.errors import CrsError, DataError, DataIssue
from geodata.files import read_layer, read_raw_table
from geodata.messages import msg
from geodata.paths import find_path_problem
from geodata.population_raster import list_rasters, require_tiff
from geodata.schema import match_columns
from geodata.study_file import PopulationSource, SchoolsSource, StudySpec, UnitsSource

TABLE_ENDINGS = (".csv", ".xlsx", ".xlsm", ".tsv", ".txt")


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
    if layer.crs is None or layer.empty:
        return None
    west, south, east, north = layer.to_crs(4326).total_bounds
    return (west + east) / 2, (south + north) / 2


def _find_table_centre(
    path: Path, source: PopulationSource | UnitsSource | SchoolsSource
) -> tuple[float, float] | None:
    raw = read_raw_table(path, sheet=getattr(source, "sheet", ""))
    table = "schools" if isinstance(source, SchoolsSource) else "units"
    columns = match_columns(list(raw.frame.columns), table, source.columns)
    if "lon_deg" not in columns or "lat_deg" not in columns:
        return None
    numbers = [_to_numbers(raw.frame[columns[key]].tolist()) for key in ("lon_deg", "lat_deg")]
    if any(np.isnan(values).all() for values in numbers):
        return None
    lon_deg, lat_deg = (float(np.nanmedian(values)) for values in numbers)
    return (lon_deg, lat_deg) if abs(lon_deg) <= 180 and abs(lat_deg) <= 90 else None


def _to_numbers(texts: list[str]) -> np.ndarray:
    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return np.nan

    return np.array([number(text) for text in texts])


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
