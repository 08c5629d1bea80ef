"""Population rasters: GeoTIFF totals, and WorldPop's one file per age band.

A raster is read in strips of rows, and of each strip only the cells with people are kept: a raster may be larger than
the machine's memory. One of more than :data:`MAX_CELLS` cells is read only around the study
(:mod:`geodata.raster_window`), because unpacking a continent takes minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from geodata.errors import CrsError, DataError, DataIssue, MissingColumnError
from geodata.messages import Message, msg
from geodata.population_table import COUNT_COLUMNS, PUPIL_COLUMNS, Band, RasterCounts, Values, fill_pupils
from geodata.raster_grid import RasterGrid
from geodata.raster_names import choose_age_files, choose_total_file, parse_raster_name
from geodata.raster_window import StudyWindow
from geodata.shapes import project_shapes
from geodata.study import Progress, Stage, no_progress

if TYPE_CHECKING:
    import geopandas as gpd
    from rasterio.io import DatasetReader

MAX_CELLS = 50_000_000
"""Larger rasters are read only around the study; nor may more cells than these hold people."""
MAX_DRAWN_CELLS = 2_000_000
STRIP_CELLS = 4_000_000
MAX_CELL_PEOPLE = 1e7
"""No cell of a raster that a county can use holds more people."""
TIFF_STARTS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
OLDEST_BAND = 80
"""Totals are added up from age bands only when the bands reach this age without a gap."""
DRAWN_RUN_M = 2_000.0
"""Neighbouring cells are drawn as one piece of at most about this length: so far a row of cells is straight."""

_BAND_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")


@dataclass(frozen=True)
class _Sheet:
    """One band as read: ``counts`` (all above 0) of ``cells`` of ``grid``."""

    grid: RasterGrid
    cells: npt.NDArray[np.int64]
    counts: Values
    issues: list[DataIssue]


@dataclass
class _Faults:
    """What was wrong with the cells of one band."""

    fillers: int = 0
    filler: float = 0.0
    negative: int = 0
    least: float = 0.0


def read_total_raster(
    path: Path, *, share: Mapping[str, float], year: int = 0, window: StudyWindow | None = None
) -> tuple[RasterCounts, tuple[Stage, ...], list[DataIssue]]:
    """Read a GeoTIFF of people per cell; children are ``share`` × people.

    ``path`` may name several rasters of several years (a folder, a pattern, names joined by ``;``), or one with a band
    per year; ``year`` chooses, 0 = the latest. Returns the counts, the stages modelled, and the findings (negative
    cells are taken as empty and reported).

    Raises
    ------
    DataError
        The file is not a GeoTIFF, has no CRS, is turned, or is larger than :data:`MAX_CELLS` and ``window`` does not
        say where the study lies.
    """
    file, issues = choose_total_file(path, year)
    sheet = _read_band(file, year, window)
    pupils, modelled = fill_pupils({}, {}, sheet.counts, share)
    values = {"population_people": sheet.counts} | {PUPIL_COLUMNS[stage]: counts for stage, counts in pupils.items()}
    return RasterCounts(sheet.grid, sheet.cells, values, file.name), modelled, [*issues, *sheet.issues]


def read_age_rasters(
    path: Path,
    *,
    share: Mapping[str, float],
    year: int = 0,
    window: StudyWindow | None = None,
    progress: Progress = no_progress,
) -> tuple[RasterCounts, tuple[Stage, ...], list[DataIssue]]:
    """Read WorldPop age bands: a folder, or a pattern such as ``ages/chn_*_2020.tif``, or names joined by ``;``.

    For names see :mod:`geodata.raster_names`: sex f, m or t (both) and the band's first year of age, where 0 is the
    year [0], 1 is [1-4], 5 is [5-9] and so on. ``year`` and ``window`` as for :func:`read_total_raster`.
    """
    files, issues = choose_age_files(path, year)
    sheets: dict[Band, list[_Sheet]] = {}
    first: _Sheet | None = None
    for position, (age, members) in enumerate(sorted(files.items())):
        progress(msg("Reading age bands"), position / len(files))
        for member in members:
            sheet = _read_band(member, 0, window)
            told = {issue.check for issue in issues} & {"raster_without_nodata"}
            issues += [issue for issue in sheet.issues if issue.check not in told]
            first = first or sheet
            if sheet.grid != first.grid:
                raise DataError(_issue(member, msg("This age band lies on another grid than the first one.")))
            sheets.setdefault(_compute_band(age), []).append(sheet)
    assert first is not None
    cells, bands = _align(sheets)
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
    return RasterCounts(first.grid, cells, values, path.name), modelled, issues


def _align(sheets: Mapping[Band, list[_Sheet]]) -> tuple[npt.NDArray[np.int64], dict[Band, Values]]:
    """Return the cells in which any band has people, and the people of each band in them."""
    cells = np.unique(np.concatenate([sheet.cells for group in sheets.values() for sheet in group]))
    bands = {}
    for band, group in sheets.items():
        bands[band] = np.zeros(len(cells))
        for sheet in group:
            bands[band][np.searchsorted(cells, sheet.cells)] += sheet.counts
    return cells, bands


def build_raster_cells(raster: RasterCounts, crs: str) -> gpd.GeoDataFrame:
    """Return the raster's cells that hold people or children, as polygons in ``crs``.

    Columns: ``unit_id`` (``r<row>_<column>``, counted in the file), :data:`COUNT_COLUMNS`, ``x_m``, ``y_m`` (middle
    of the cell).
    """
    filled = np.sum([np.nan_to_num(values) for values in raster.values.values()], axis=0) > 0
    cells = raster.cells[filled]
    if len(cells) > MAX_DRAWN_CELLS:
        raise DataError(
            _issue(
                Path(raster.file),
                msg("The raster has {count:,} cells with people: too many for one county.", count=len(cells)),
                cure=msg("Put the people into larger units: [units] kind = “grid”, “blocks” or “polygons”."),
            )
        )
    table = _draw(raster.grid, cells, cells, crs)
    for column in COUNT_COLUMNS:
        known = raster.values.get(column)
        table[column] = np.nan if known is None else known[filled]
    return table


def build_raster_land(raster: RasterCounts, crs: str) -> gpd.GeoDataFrame:
    """Return the land of the cells with people as pieces of rows, in the columns of :func:`build_raster_cells`.

    For units that are drawn by other lines than the cells: where there are millions of cells. Counts are NaN.
    """
    columns = raster.grid.shape[1]
    breaks = np.flatnonzero((np.diff(raster.cells) > 1) | (raster.cells[1:] % columns == 0)) + 1
    start, stop = np.append(0, breaks), np.append(breaks, len(raster.cells))
    most = max(int(DRAWN_RUN_M / _measure_width(raster.grid, crs)), 1)
    pieces = -(-(stop - start) // most)
    owner = np.repeat(np.arange(len(start)), pieces)
    first = start[owner] + most * (np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces))
    last = np.minimum(first + most, stop[owner]) - 1
    return _draw(raster.grid, raster.cells[first], raster.cells[last], crs).assign(
        **dict.fromkeys(COUNT_COLUMNS, np.nan)
    )


def build_raster_tiles(raster: RasterCounts, crs: str) -> gpd.GeoDataFrame:
    """Return the land around the cells with people in squares of cells, in the columns of :func:`build_raster_cells`.

    For a grid of other squares, which lets go of those without people. Counts are NaN.
    """
    rows, columns = raster.grid.shape
    side = max(int(DRAWN_RUN_M / _measure_width(raster.grid, crs)), 1)
    across = -(-columns // side)
    tiles = np.zeros(across * -(-rows // side), dtype=bool)
    for part in range(0, len(raster.cells), STRIP_CELLS):
        row, column = np.divmod(raster.cells[part : part + STRIP_CELLS], columns)
        tiles[row // side * across + column // side] = True
    row, column = np.divmod(np.flatnonzero(tiles), across)
    first = row * side * columns + column * side
    last = np.minimum((row + 1) * side, rows) - 1, np.minimum((column + 1) * side, columns) - 1
    drawn = _draw(raster.grid, first, last[0] * columns + last[1], crs)
    return drawn.assign(**dict.fromkeys(COUNT_COLUMNS, np.nan))


def _measure_width(grid: RasterGrid, crs: str) -> float:
    """Return the width of the grid's middle cell in units of ``crs``."""
    middle = np.array([grid.size // 2])
    west, south, east, _ = grid.list_boxes(middle, middle)
    ends = project_shapes(shapely.linestrings([[[west[0], south[0]], [east[0], south[0]]]]), grid.crs_wkt, crs)
    return max(float(shapely.length(ends)[0]), 1e-9)


def _draw(grid: RasterGrid, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], crs: str) -> gpd.GeoDataFrame:
    """Return boxes of cells as polygons in ``crs``, named after their first cell, with their middles."""
    import geopandas as gpd

    shapes = project_shapes(shapely.box(*grid.list_boxes(first, last)), grid.crs_wkt, crs)
    rows, columns = np.divmod(first, grid.shape[1])
    ids = [
        f"r{row:05d}_{column:05d}"
        for row, column in zip((rows + grid.first_row).tolist(), (columns + grid.first_column).tolist(), strict=True)
    ]
    middle = shapely.centroid(shapes)
    columns_of = {"unit_id": ids, "x_m": shapely.get_x(middle), "y_m": shapely.get_y(middle)}
    return gpd.GeoDataFrame(columns_of, geometry=shapes, crs=None if crs == "local" else crs)


def _issue(path: Path, problem: Message, *, found: str = "", cure: Message | None = None) -> DataIssue:
    return DataIssue("population_raster", "error", problem, file=path.name, found=found, cure=cure)


def _read_band(path: Path, year: int, window: StudyWindow | None) -> _Sheet:
    """Read one GeoTIFF as counts per cell; nodata and negative cells are empty, the latter with a warning."""
    import rasterio
    from rasterio.errors import RasterioError

    require_tiff(path)
    try:
        # The driver is named: by default a text file could make GDAL open any other file of the machine.
        with rasterio.open(path, driver="GTiff") as source:
            if source.crs is None:
                raise CrsError(_issue(path, msg("The raster does not say which coordinate system it uses.")))
            if source.transform.b or source.transform.d or source.transform.e >= 0 or source.transform.a <= 0:
                raise DataError(_issue(path, msg("The raster is turned; only rasters with north up can be read.")))
            band, issues = _choose_band(source, path, year)
            grid, cut_issues = _cut_grid(source, path, window)
            cut_issues += _note_no_nodata(source, path)
            faults = _Faults()
            strips = list(_read_strips(source, band, grid, faults, path))
    except RasterioError as error:
        raise DataError(_issue(path, msg("The raster cannot be read."), found=str(error))) from error
    cells, counts = (np.concatenate(parts) for parts in zip(*strips, strict=True))
    return _Sheet(grid, cells, counts, [*issues, *cut_issues, *_tell_faults(faults, path)])


def _choose_band(source: DatasetReader, path: Path, year: int) -> tuple[int, list[DataIssue]]:
    """Return the band to read: of bands that are described by different years the one asked for, else the first."""
    if source.count == 1:
        return 1, []
    found = [_BAND_YEAR.findall(text or "") for text in source.descriptions]
    years = {int(each[0]): number for number, each in enumerate(found, start=1) if len(each) == 1}
    if len(years) < source.count and year and parse_raster_name(path).year != year:
        problem = msg("There is no raster of the year {year}.", year=year)
        cure = msg("Write into the raster which band is of which year, or give a file of that year.")
        bands = ", ".join(text or str(number) for number, text in enumerate(source.descriptions, start=1))
        raise DataError(DataIssue("raster_years", "error", problem, file=path.name, found=bands, cure=cure))
    if len(years) < source.count:
        text = msg("The raster has {count} bands; the first is used.", count=source.count)
        return 1, [DataIssue("raster_bands", "warning", text, file=path.name)]
    listed = ", ".join(map(str, sorted(years)))
    cure = msg("Choose one of the years found, under [population] year.")
    if year and year not in years:
        problem = msg("There is no raster of the year {year}.", year=year)
        issue = DataIssue("raster_years", "error", problem, file=path.name, found=listed, cure=cure)
        raise DataError(issue)
    chosen = year or max(years)
    if year:
        return years[chosen], []
    text = msg("There are rasters of several years; the latest, {year}, is used.", year=chosen)
    return years[chosen], [DataIssue("raster_years", "warning", text, file=path.name, found=listed, cure=cure)]


def _cut_grid(source: DatasetReader, path: Path, window: StudyWindow | None) -> tuple[RasterGrid, list[DataIssue]]:
    """Return the grid to read: the whole, or of a large raster the part around the study."""
    transform, wkt = source.transform, source.crs.to_wkt()
    top, left, bottom, right = 0, 0, source.height, source.width
    issues = []
    if source.width * source.height > MAX_CELLS:
        box = None if window is None else window.find_box(wkt)
        if box is None:
            problem = msg("The raster is larger than {limit:,} cells.", limit=MAX_CELLS)
            raise DataError(_issue(path, problem, cure=msg("Cut the raster to the county first.")))
        columns = (np.array([box[0], box[2]]) - transform.c) / transform.a
        rows = (np.array([box[3], box[1]]) - transform.f) / transform.e
        left, right = max(int(np.floor(columns[0])), 0), min(int(np.ceil(columns[1])), source.width)
        top, bottom = max(int(np.floor(rows[0])), 0), min(int(np.ceil(rows[1])), source.height)
        if left >= right or top >= bottom:
            problem = msg("The raster lies elsewhere than the study.")
            raise DataError(
                _issue(path, problem, cure=msg("Check the coordinate systems of the raster and of the study."))
            )
        text = msg(
            "Of this large raster only the part around the study was read: {rows:,} × {columns:,} cells.",
            rows=bottom - top,
            columns=right - left,
        )
        issues.append(DataIssue("raster_window", "note", text, file=path.name))
    west, north = transform.c + left * transform.a, transform.f + top * transform.e
    bounds = (west, north + (bottom - top) * transform.e, west + (right - left) * transform.a, north)
    return RasterGrid((bottom - top, right - left), bounds, wkt, top, left), issues


def _read_strips(
    source: DatasetReader, band: int, grid: RasterGrid, faults: _Faults, path: Path
) -> Iterator[tuple[npt.NDArray[np.int64], Values]]:
    """Yield the cells with people, and how many, strip by strip; counts in ``faults`` what was wrong."""
    from rasterio.windows import Window

    rows, columns = grid.shape
    block = source.block_shapes[band - 1][0]
    high = max(STRIP_CELLS // columns // block, 1) * block
    people_cells = 0
    top = 0
    while top < rows:
        # strips end where the file's own blocks end, so that no block is unpacked twice
        bottom = min(((grid.first_row + top) // high + 1) * high - grid.first_row, rows)
        strip = source.read(
            band, masked=True, window=Window(grid.first_column, grid.first_row + top, columns, bottom - top)
        )
        if (source.scales[band - 1], source.offsets[band - 1]) != (1.0, 0.0):  # tenths of people in whole numbers
            strip = strip * source.scales[band - 1] + source.offsets[band - 1]
        cells, counts = _clean(strip, faults)
        people_cells += len(cells)
        if people_cells > MAX_CELLS:
            problem = msg("The raster is larger than {limit:,} cells.", limit=MAX_CELLS)
            raise DataError(_issue(path, problem, cure=msg("Cut the raster to the county first.")))
        yield cells + top * columns, counts
        top = bottom


def _clean(strip: np.ma.MaskedArray[Any, Any], faults: _Faults) -> tuple[npt.NDArray[np.int64], Values]:
    """Return the cells of a strip with people, and how many."""
    values = np.ma.getdata(strip).ravel()
    kept = values != 0
    if np.ma.is_masked(strip):
        kept &= ~np.ma.getmaskarray(strip).ravel()
    cells = np.flatnonzero(kept)
    counts = (values if len(cells) == len(values) else values[cells]).astype(np.float64)
    if not len(counts) or (counts.min() > 0 and counts.max() < 2**8 - 1):  # NaN is neither
        return cells, counts
    filler = counts > MAX_CELL_PEOPLE
    if values.dtype.kind in "iu" and values.dtype.itemsize > 1:
        filler |= counts == np.iinfo(values.dtype).max
    filler &= np.isfinite(counts)
    negative = (counts < 0) & np.isfinite(counts)
    if filler.any():
        faults.fillers += int(filler.sum())
        faults.filler = max(faults.filler, float(counts[filler].max()))
    if negative.any():
        faults.negative += int(negative.sum())
        faults.least = min(faults.least, float(counts[negative].min()))
    good = np.isfinite(counts) & ~filler & ~negative
    return (cells, counts) if good.all() else (cells[good], counts[good])


def _note_no_nodata(source: DatasetReader, path: Path) -> list[DataIssue]:
    """Note that a raster does not say which number means "not known": its empty cells count as nobody."""
    from rasterio.enums import MaskFlags

    if source.nodata is not None or MaskFlags.all_valid not in source.mask_flag_enums[0]:
        return []
    problem = msg("The raster declares no nodata value: cells where nothing is known look like empty ones.")
    cure = msg("Write the nodata value into the raster.")
    return [DataIssue("raster_without_nodata", "note", problem, file=path.name, cure=cure)]


def _tell_faults(faults: _Faults, path: Path) -> list[DataIssue]:
    """Report cells with a number that no cell can hold: undeclared nodata values, and negative ones."""
    issues = []
    if faults.fillers:
        text = msg(
            "{count:,} cells hold a number that stands for “not known” in many programs; they are taken as empty.",
            count=faults.fillers,
        )
        cure = msg("Write the nodata value into the raster.")
        found = f"{faults.filler:g}"
        issues.append(DataIssue("nodata_number", "warning", text, file=path.name, found=found, cure=cure))
    if faults.negative:
        text = msg("{count:,} cells hold a negative number of people; they are taken as empty.", count=faults.negative)
        issues.append(DataIssue("raster_negative", "warning", text, file=path.name, found=f"{faults.least:g}"))
    return issues


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
