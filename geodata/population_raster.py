"""Population rasters: GeoTIFF totals, and WorldPop's one file per age band."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.errors import CrsError, DataError, DataIssue, MissingColumnError
from geodata.messages import Message, msg
from geodata.population_table import COUNT_COLUMNS, PUPIL_COLUMNS, Band, RasterCounts, Values, fill_pupils
from geodata.shapes import project_shapes
from geodata.study import Progress, Stage, no_progress

if TYPE_CHECKING:
    import geopandas as gpd

MAX_CELLS = 50_000_000
MAX_PEOPLED_CELLS = 2_000_000
MAX_CELL_PEOPLE = 1e7
"""No cell of a raster that a county can use holds more people."""
TIFF_STARTS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
OLDEST_BAND = 80
"""Totals are added up from age bands only when the bands reach this age without a gap."""

_AGE_NAME = re.compile(r"(?:^|_)(?P<sex>[fmt])_(?P<age>\d{1,2})_(?P<year>\d{4})(?=[_.]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class _Grid:
    """The grid that all bands of a study must share."""

    width: int
    height: int
    transform: tuple[float, ...]
    crs_wkt: str


def read_total_raster(
    path: Path, *, share: dict[str, float]
) -> tuple[RasterCounts, tuple[Stage, ...], list[DataIssue]]:
    """Read a GeoTIFF of people per cell; children are ``share`` × people.

    Returns the counts, the stages modelled, and the findings (negative cells are taken as empty and reported).

    Raises
    ------
    DataError
        The file is not a GeoTIFF, has no CRS, is turned, or is larger than :data:`MAX_CELLS`.
    """
    people, grid, issues = _read_band(path)
    pupils, modelled = fill_pupils({}, {}, people, share)
    values = {"population_people": people} | {PUPIL_COLUMNS[stage]: counts for stage, counts in pupils.items()}
    return _build_counts(values, grid, path.name), modelled, issues


def read_age_rasters(
    path: Path, *, share: dict[str, float], progress: Progress = no_progress
) -> tuple[RasterCounts, tuple[Stage, ...], list[DataIssue]]:
    """Read WorldPop age bands: a folder, or a pattern such as ``ages/chn_*_2020.tif``, or names joined by ``;``.

    Names are ``<country>_<sex>_<age>_<year>…`` with sex f, m or t (both) and the band's first year of age: 0 is the
    year [0], 1 is [1-4], 5 is [5-9] and so on. Both sexes are added; a ``t`` file takes the place of ``f`` and ``m``.
    Of several years the latest is read.
    """
    files, issues = _choose_age_files(list_rasters(path), path.name)
    bands: dict[Band, Values] = {}
    grid: _Grid | None = None
    for position, (age, members) in enumerate(sorted(files.items())):
        progress(msg("Reading age bands"), position / len(files))
        for member in members:
            counts, found, band_issues = _read_band(member)
            issues += band_issues
            grid = grid or found
            if found != grid:
                raise DataError(_issue(member, msg("This age band lies on another grid than the first one.")))
            band = _compute_band(age)
            bands[band] = bands[band] + counts if band in bands else counts
    assert grid is not None
    people = _sum_people(bands)
    pupils, modelled = fill_pupils({}, bands, people, share)
    if not pupils:
        raise MissingColumnError(
            _issue(
                path,
                msg("These age bands cover no stage of school completely."),
                found=", ".join(f"{first}-{last}" for first, last in sorted(bands)),
                cure=msg("Add the bands that start at ages 1, 5, 10 and 15."),
            )
        )
    values = {PUPIL_COLUMNS[stage]: counts for stage, counts in pupils.items()}
    if people is not None:
        values["population_people"] = people
    return _build_counts(values, grid, path.name), modelled, issues


def build_raster_cells(raster: RasterCounts, crs: str) -> gpd.GeoDataFrame:
    """Return the raster's cells that hold people or children, as polygons in ``crs``.

    Columns: ``unit_id`` (``r<row>_<column>``, counted in the file), :data:`COUNT_COLUMNS`, ``x_m``, ``y_m`` (middle
    of the cell).
    """
    import geopandas as gpd

    filled = np.sum([np.nan_to_num(values) for values in raster.values.values()], axis=0) > 0
    rows, columns = np.nonzero(filled)
    if len(rows) > MAX_PEOPLED_CELLS:
        raise DataError(
            _issue(
                Path(raster.file),
                msg("The raster has {count:,} cells with people: too many for one county.", count=len(rows)),
                cure=msg("Cut the raster to the county first."),
            )
        )
    width, height = raster.cell_size
    west, north = raster.bounds[0] + columns * width, raster.bounds[3] - rows * height
    shapes = project_shapes(shapely.box(west, north - height, west + width, north), raster.crs_wkt, crs)
    cells = gpd.GeoDataFrame(
        {"unit_id": [f"r{row:05d}_{column:05d}" for row, column in zip(rows, columns, strict=True)]},
        geometry=shapes,
        crs=None if crs == "local" else crs,
    )
    for column in COUNT_COLUMNS:
        known = raster.values.get(column)
        cells[column] = np.nan if known is None else known[rows, columns]
    middle = shapely.centroid(shapes)
    return cells.assign(x_m=shapely.get_x(middle), y_m=shapely.get_y(middle))


def _issue(path: Path, problem: Message, *, found: str = "", cure: Message | None = None) -> DataIssue:
    return DataIssue("population_raster", "error", problem, file=path.name, found=found, cure=cure)


def _read_band(path: Path) -> tuple[Values, _Grid, list[DataIssue]]:
    """Read one GeoTIFF as counts per cell; nodata becomes 0, negative cells become 0 with a warning."""
    import rasterio
    from rasterio.errors import RasterioError

    require_tiff(path)
    try:
        # The driver is named: by default a text file could make GDAL open any other file of the machine.
        with rasterio.open(path, driver="GTiff") as source:
            if source.crs is None:
                raise CrsError(_issue(path, msg("The raster does not say which coordinate system it uses.")))
            if source.transform.b or source.transform.d or source.transform.e >= 0:
                raise DataError(_issue(path, msg("The raster is turned; only rasters with north up can be read.")))
            if source.width * source.height > MAX_CELLS:
                raise DataError(
                    _issue(
                        path,
                        msg("The raster is larger than {limit:,} cells.", limit=MAX_CELLS),
                        cure=msg("Cut the raster to the county first."),
                    )
                )
            cells = source.read(1, masked=True)
            bands = source.count
            grid = _Grid(source.width, source.height, tuple(source.transform), source.crs.to_wkt())
    except RasterioError as error:
        raise DataError(_issue(path, msg("The raster cannot be read."), found=str(error))) from error
    counts = np.ma.filled(cells.astype(np.float64), 0.0)
    counts[~np.isfinite(counts)] = 0.0
    issues = _clear_fillers(counts, cells.dtype, path)
    if bands > 1:
        text = msg("The raster has {count} bands; the first is used.", count=bands)
        issues.append(DataIssue("raster_bands", "warning", text, file=path.name))
    negative = int((counts < 0).sum())
    if negative:
        text = msg("{count:,} cells hold a negative number of people; they are taken as empty.", count=negative)
        issues.append(DataIssue("raster_negative", "warning", text, file=path.name, found=f"{counts.min():g}"))
        counts[counts < 0] = 0.0
    return counts, grid, issues


def _clear_fillers(counts: Values, dtype: np.dtype[Any], path: Path) -> list[DataIssue]:
    """Empty the cells, in place, that hold a number no cell can: a nodata value that the file does not declare."""
    filler = counts > MAX_CELL_PEOPLE
    if dtype.kind in "iu" and dtype.itemsize > 1:
        filler |= counts == np.iinfo(dtype).max
    if not filler.any():
        return []
    text = msg(
        "{count:,} cells hold a number that stands for “not known” in many programs; they are taken as empty.",
        count=int(filler.sum()),
    )
    found = f"{counts[filler].max():g}"
    counts[filler] = 0.0
    cure = msg("Write the nodata value into the raster.")
    return [DataIssue("nodata_number", "warning", text, file=path.name, found=found, cure=cure)]


def require_tiff(path: Path) -> None:
    """Raise ``DataError`` unless the file starts like a TIFF: GDAL alone would open whatever it finds inside."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise DataError(
            _issue(path, msg("The population raster cannot be opened."), found=str(error.strerror))
        ) from error
    if start not in TIFF_STARTS:
        raise DataError(
            _issue(path, msg("This is not a GeoTIFF file."), cure=msg("Give a population raster as GeoTIFF (.tif)."))
        )


def _build_counts(values: dict[str, Values], grid: _Grid, file: str) -> RasterCounts:
    a, _, west, _, e, north = grid.transform[:6]
    bounds = (west, north + e * grid.height, west + a * grid.width, north)
    return RasterCounts(values=values, bounds=bounds, crs_wkt=grid.crs_wkt, file=file)


def list_rasters(path: Path) -> list[Path]:
    """Return the files meant by a folder, a pattern, or names joined by ``;``."""
    if path.is_dir():
        inside = sorted(item for item in path.iterdir() if item.suffix.lower() in {".tif", ".tiff"})
        if not inside:
            raise DataError(_issue(path, msg("No age band raster was found there.")))
        return inside
    first, *others = str(path).split(";")
    names = [Path(first), *(Path(first).parent / name.strip() for name in others if name.strip())]
    found = [Path(match) for name in names for match in sorted(glob.glob(str(name)))]  # noqa: PTH207
    if not found:
        raise DataError(_issue(path, msg("No age band raster was found there.")))
    return found


def _choose_age_files(files: Sequence[Path], where: str) -> tuple[dict[int, list[Path]], list[DataIssue]]:
    """Return the files to add up by first year of age, and what was passed over."""
    known = [(match, path) for path in files if (match := _AGE_NAME.search(path.name))]
    if not known:
        raise DataError(
            DataIssue(
                "population_raster",
                "error",
                msg("No file is named like an age band of WorldPop."),
                file=where,
                expected=msg("Names such as chn_f_5_2020.tif (country, sex f, m or t, first age, year)."),
            )
        )
    year = max(int(match["year"]) for match, _ in known)
    issues = []
    if any(int(match["year"]) != year for match, _ in known):
        text = msg("There are age bands of several years; the latest, {year}, is used.", year=year)
        issues.append(DataIssue("age_band_years", "warning", text, file=where))
    chosen: dict[int, dict[str, Path]] = {}
    for match, path in known:
        if int(match["year"]) == year:
            chosen.setdefault(int(match["age"]), {})[match["sex"].lower()] = path
    for age, sexes in chosen.items():
        if "t" not in sexes and len(sexes) == 1:
            text = msg("The age band from {age} years is there for one sex only.", age=age)
            issues.append(DataIssue("age_band_sex", "error", text, file=where, found=next(iter(sexes.values())).name))
    if any(issue.severity == "error" for issue in issues):
        raise DataError(issues)
    return {age: [s["t"]] if "t" in s else list(s.values()) for age, s in chosen.items()}, issues


def _compute_band(age: int) -> Band:
    """Return the band that WorldPop names by its first year of age."""
    if age == 0:
        return 0, 0
    return (1, 4) if age == 1 else (age, age + 4)


def _sum_people(bands: dict[Band, Values]) -> Values | None:
    """Return all people, where the bands reach from birth to old age without a gap; else ``None``."""
    expected = [0, 1, *range(5, max(OLDEST_BAND, *(first for first, _ in bands)) + 1, 5)]
    if sorted(first for first, _ in bands) != expected:
        return None
    return np.asarray(np.sum(list(bands.values()), axis=0), dtype=np.float64)
