"""Heights of the ground: a GeoTIFF, sampled at the nodes of roads and along their longer pieces.

The raster is read inside the box of the roads only. Between the middles of its cells heights are interpolated
(bilinear); a place whose four cells are partly unknown takes what is known of them. Bridges and tunnels take the height
of the ground below or above them, as the raster has no others: a valley under a bridge reads as a dip.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from geodata.crs import LOCAL, convert_points
from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg
from geodata.population_raster import MAX_CELLS, TIFF_STARTS
from geodata.study import FrozenArrays

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

    from geodata.road_table import RoadTable

Floats = npt.NDArray[np.float64]

LOWEST_M, HIGHEST_M = -500.0, 9_000.0
"""No ground of a county lies outside."""
WELL_COVERED_SHARE = 0.98
"""With less of the road's nodes on known ground the planner is told."""
DEFAULT_STEP_M = 30.0


@dataclass(frozen=True, eq=False)
class Ground(FrozenArrays):
    """A raster of heights as read: ``height_m`` (rows from north to south, NaN unknown) and where its cells lie.

    Cell (row, column) has its middle at ``west + (column + 0.5) * width``, ``north - (row + 0.5) * height`` in
    ``crs``.
    """

    height_m: Floats
    west: float
    north: float
    width: float
    height: float
    crs: str


@dataclass(frozen=True, eq=False)
class EdgeHeights(FrozenArrays):
    """Heights along every edge of a :class:`~geodata.road_table.RoadTable`.

    Edge ``e`` is cut into equal parts; ``height_m[start[e]:start[e + 1]]`` are the heights at its tail, between the
    parts, and at its head (two or more; NaN unknown).
    """

    start: npt.NDArray[np.int64]
    height_m: Floats


def read_edge_heights(path: Path, roads: RoadTable) -> tuple[EdgeHeights, list[DataIssue]]:
    """Return the heights along all roads, and what the planner should know of them.

    Parameters
    ----------
    path
        GeoTIFF of heights in metres above the sea, north up, with its coordinate system.
    roads
        Edges longer than a cell of the raster are sampled in between, too.

    Raises
    ------
    DataError
        The file cannot be read, does not say where it lies, holds no heights, or covers none of the roads.
    """
    if roads.crs == LOCAL:
        raise DataError(
            _issue(
                path,
                msg("The study has no place on Earth, so heights cannot be laid under its roads."),
                cure=msg("Leave out [elevation], or give the study a coordinate system."),
            )
        )
    ground = read_ground(path, roads.x_m, roads.y_m, roads.crs)
    known = np.isfinite(sample_ground(ground, roads.x_m, roads.y_m, roads.crs))
    share = float(known.mean())
    if not known.any():
        raise DataError(_describe_elsewhere(path))
    step_m = _measure_cell(ground, roads)
    return _sample_edges(ground, roads, step_m), _check_coverage(path, share)


def read_ground(path: Path, x_m: npt.ArrayLike, y_m: npt.ArrayLike, crs: str) -> Ground:
    """Return the part of a raster that lies under the box of some points, with one cell around it.

    Raises ``DataError`` as :func:`read_edge_heights`.
    """
    with _open_raster(path) as source:
        east, north = convert_points(x_m, y_m, crs, source.crs.to_wkt())
        transform = source.transform
        columns = (np.array([np.nanmin(east), np.nanmax(east)]) - transform.c) / transform.a
        rows = (np.array([np.nanmax(north), np.nanmin(north)]) - transform.f) / transform.e
        left, right = _cut(columns, source.width)
        top, bottom = _cut(rows, source.height)
        if left >= right or top >= bottom:
            raise DataError(_describe_elsewhere(path))
        if (right - left) * (bottom - top) > MAX_CELLS:
            problem = msg("Below the roads the raster has more than {limit:,} cells.", limit=MAX_CELLS)
            raise DataError(_issue(path, problem, cure=msg("Give a coarser raster: 30 m cells are enough.")))
        cells = source.read(1, masked=True, window=((top, bottom), (left, right)))
        wkt = source.crs.to_wkt()
    heights = np.ma.filled(cells.astype(np.float64), np.nan)
    heights[(heights < LOWEST_M) | (heights > HIGHEST_M)] = np.nan  # undeclared nodata: -32768, 1e38 …
    return Ground(
        height_m=heights,
        west=float(transform.c + left * transform.a),
        north=float(transform.f + top * transform.e),
        width=float(transform.a),
        height=float(-transform.e),
        crs=wkt,
    )


def sample_ground(ground: Ground, x_m: npt.ArrayLike, y_m: npt.ArrayLike, crs: str) -> Floats:
    """Return the height at points in ``crs``, interpolated between the four nearest cells; NaN where none is known."""
    east, north = convert_points(x_m, y_m, crs, ground.crs)
    column = (np.asarray(east) - ground.west) / ground.width - 0.5
    row = (ground.north - np.asarray(north)) / ground.height - 0.5
    rows, columns = ground.height_m.shape
    inside = (column >= -0.5) & (column <= columns - 0.5) & (row >= -0.5) & (row <= rows - 0.5)
    column, row = np.where(inside, column, 0.0), np.where(inside, row, 0.0)
    left, top = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
    total, weight = np.zeros(len(column)), np.zeros(len(column))
    for down in (0, 1):
        for right in (0, 1):
            part = np.abs(1 - down - (row - top)) * np.abs(1 - right - (column - left))
            value = ground.height_m[np.clip(top + down, 0, rows - 1), np.clip(left + right, 0, columns - 1)]
            part = np.where(np.isfinite(value), part, 0.0)
            total += part * np.nan_to_num(value)
            weight += part
    return np.where(inside & (weight > 0), total / np.where(weight > 0, weight, 1.0), np.nan)


def _sample_edges(ground: Ground, roads: RoadTable, step_m: float) -> EdgeHeights:
    """Return heights at both ends of every edge, and in between where it is longer than ``step_m``."""
    parts = np.maximum(np.ceil(roads.length_m / step_m), 1).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(parts + 1)])
    edge = np.repeat(np.arange(roads.n_edges), parts + 1)
    share = (np.arange(start[-1]) - start[edge]) / parts[edge]
    tail, head = roads.tail[edge], roads.head[edge]
    x = roads.x_m[tail] + share * (roads.x_m[head] - roads.x_m[tail])
    y = roads.y_m[tail] + share * (roads.y_m[head] - roads.y_m[tail])
    return EdgeHeights(start, sample_ground(ground, x, y, roads.crs))


def _measure_cell(ground: Ground, roads: RoadTable) -> float:
    """Return the side of a cell in metres, at the middle of the roads."""
    east, north = convert_points([roads.x_m.mean()], [roads.y_m.mean()], roads.crs, ground.crs)
    x, y = convert_points(
        [east[0], east[0] + ground.width], [north[0], north[0] + ground.height], ground.crs, roads.crs
    )
    side = max(abs(float(x[1] - x[0])), abs(float(y[1] - y[0])))
    return side if np.isfinite(side) and side > 0 else DEFAULT_STEP_M


def _cut(bounds: Floats, size: int) -> tuple[int, int]:
    """Return first and last + 1 of the cells between two positions, with one more on either side."""
    if not np.isfinite(bounds).all():
        return 0, 0
    return max(int(np.floor(bounds[0])) - 1, 0), min(int(np.ceil(bounds[1])) + 1, size)


@contextmanager
def _open_raster(path: Path) -> Iterator[DatasetReader | Any]:
    """Open a GeoTIFF with north up and a coordinate system; foreign errors become ``DataError``."""
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with path.open("rb") as file:
            begins = file.read(4)
    except OSError as error:
        problem = msg("The raster of heights cannot be opened.")
        raise DataError(_issue(path, problem, found=str(error.strerror))) from error
    if begins not in TIFF_STARTS:
        raise DataError(
            _issue(path, msg("This is not a GeoTIFF file."), cure=msg("Give heights in metres as GeoTIFF (.tif)."))
        )
    try:
        # The driver is named: by default a text file could make GDAL open any other file of the machine.
        with rasterio.open(path, driver="GTiff") as source:
            if source.crs is None:
                raise DataError(_issue(path, msg("The raster does not say which coordinate system it uses.")))
            if source.transform.b or source.transform.d or source.transform.e >= 0 or source.transform.a <= 0:
                raise DataError(_issue(path, msg("The raster is turned; only rasters with north up can be read.")))
            yield source
    except RasterioError as error:
        raise DataError(_issue(path, msg("The raster cannot be read."), found=str(error)[:200])) from error


def _check_coverage(path: Path, share: float) -> list[DataIssue]:
    """Tell how much of the roads has a known height, where some has none."""
    if share >= 1.0:
        return []
    problem = msg("The raster of heights knows {share:.1%} of the roads; the others count as flat.", share=share)
    severity = "note" if share >= WELL_COVERED_SHARE else "warning"
    cure = msg("Give a raster that covers the whole county.")
    return [DataIssue("elevation_coverage", severity, problem, file=path.name, column="[elevation]", cure=cure)]  # type: ignore[arg-type]


def _describe_elsewhere(path: Path) -> DataIssue:
    problem = msg("The raster of heights covers none of the roads.")
    return _issue(path, problem, cure=msg("Check that it is of this county, and its coordinate system."))


def _issue(path: Path, problem: Message, *, found: str = "", cure: Message | None = None) -> DataIssue:
    return DataIssue("elevation", "error", problem, file=path.name, column="[elevation]", found=found, cure=cure)
