"""Which part of which raster cell lies in which unit: measured once for a grid and its units, used for every raster.

The coverage is a value of its own: a list of the cells that a unit covers partly, with their shares, and of the runs of
cells in a row that it covers wholly. A county of 5,000 units on 25 million cells takes some 40 MB, and adding up a
further raster (another year, another age) touches each cell once. Shares are exact: they agree with exactextract, which
measures the same (Baston 2022), but keeps no result to use again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geodata.cache import DiskCache
from geodata.raster_grid import Floats, Places, RasterGrid
from geodata.raster_kernels import add_covered, lay_polygons
from geodata.shapes import Shapes
from geodata.study import FrozenArrays, compute_digest

COVERAGE_VERSION = 1
"""Part of the cache key: raise it when the same grid and units give another coverage."""

THREADS = 2
"""Sums are added up in so many parts, whatever the machine has."""


@dataclass(frozen=True, eq=False)
class Coverage(FrozenArrays):
    """The cells of a grid that each of ``n_units`` shapes covers.

    Cell ``cell[k]`` lies to ``share[k]`` (between 0 and 1) in shape ``unit[k]``; the cells from ``run_start[r]`` up to,
    but not with, ``run_stop[r]`` lie in shape ``run_unit[r]`` wholly. Both lists are in the order of the grid.
    """

    grid: RasterGrid
    n_units: int
    unit: Places
    cell: Places
    share: Floats
    run_unit: Places
    run_start: Places
    run_stop: Places


def build_coverage(grid: RasterGrid, shapes: Shapes) -> Coverage:
    """Return the coverage of a grid by polygons in the grid's own CRS. What lies outside the grid is left out."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, owner = shapely.orient_polygons(parts[areal]), owner[areal]
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    places, ring = shapely.get_coordinates(rings, return_index=True)
    width, height = grid.cell_size
    xy = np.column_stack([(places[:, 0] - grid.bounds[0]) / width, (grid.bounds[3] - places[:, 1]) / height])
    ring_start = np.searchsorted(ring, np.arange(len(rings) + 1))
    part_start = np.searchsorted(ring_part, np.arange(len(parts) + 1))
    polygons = (xy, ring_start, part_start, grid.shape)
    n_cells, n_runs = lay_polygons(*polygons, _make_room(0, np.float64), _make_room(0, np.int64), False)
    cells, runs = _make_room(n_cells, np.float64), _make_room(n_runs, np.int64)
    lay_polygons(*polygons, cells, runs, True)
    place = np.int32 if grid.size < np.iinfo(np.int32).max else np.int64
    by_place, by_start = np.argsort(cells[1], kind="stable"), np.argsort(runs[1], kind="stable")
    owner = owner.astype(np.int32)
    return Coverage(
        grid,
        len(shapes),
        unit=owner[cells[0][by_place]],
        cell=cells[1][by_place].astype(place),
        share=cells[2][by_place].astype(np.float64),
        run_unit=owner[runs[0][by_start]],
        run_start=runs[1][by_start].astype(place),
        run_stop=runs[2][by_start].astype(place),
    )


def _make_room(count: int, last: type) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return three empty columns; the last is of the type named."""
    return np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64), np.empty(count, dtype=last)


def find_coverage(grid: RasterGrid, shapes: Shapes, cache: DiskCache | None = None) -> Coverage:
    """Return :func:`build_coverage`, from the disk cache where the same shapes were laid on the same grid before."""
    if cache is None:
        return build_coverage(grid, shapes)
    key = "coverage-" + compute_digest(COVERAGE_VERSION, grid, b"".join(shapely.to_wkb(shapes)))
    found = cache.load(key)
    if isinstance(found, Coverage):
        return found
    coverage = build_coverage(grid, shapes)
    cache.store(key, coverage)
    return coverage


def sum_cells(coverage: Coverage, values: npt.ArrayLike) -> Floats:
    """Return the sum of a raster of the grid's shape in each unit: cells count with the share that is covered.

    NaN counts as nothing.
    """
    flat = np.ascontiguousarray(values).ravel()
    if flat.size != coverage.grid.size:
        raise ValueError("the raster has another shape than the grid of the coverage")
    with ThreadPoolExecutor(THREADS) as pool:
        totals = pool.map(lambda half: _sum_half(coverage, flat, half), range(THREADS))
        return np.asarray(np.sum(list(totals), axis=0), dtype=np.float64)


def _sum_half(coverage: Coverage, flat: npt.NDArray[np.floating[Any]], half: int) -> Floats:
    """Return the sums over one part of the lists; the parts are the same wherever they are added up."""
    total = np.zeros(coverage.n_units)
    parts, runs = (slice(*_cut(len(part), half)) for part in (coverage.unit, coverage.run_unit))
    zero = np.float32(0.0) if flat.dtype == np.float32 else np.float64(0.0)
    add_covered(
        flat,
        zero,
        (coverage.unit[parts], coverage.cell[parts], coverage.share[parts]),
        (coverage.run_unit[runs], coverage.run_start[runs], coverage.run_stop[runs]),
        total,
    )
    return total


def _cut(count: int, half: int) -> tuple[int, int]:
    return count * half // THREADS, count * (half + 1) // THREADS
