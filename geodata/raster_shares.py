"""Raster cells given to units by the exact part of each that a unit covers; nobody lost, nobody doubled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geodata.aggregate import ROUNDING, Positions, Shares
from geodata.cache import DiskCache
from geodata.crs import LOCAL, convert_points
from geodata.population_table import COUNT_COLUMNS, RasterCounts, Values
from geodata.raster_coverage import Coverage, find_coverage
from geodata.raster_kernels import add_pieces, cover_cells, find_offsets
from geodata.shapes import Shapes, project_shapes

if TYPE_CHECKING:
    import geopandas as gpd

PROJECTED_ROUNDING = 1e-3
"""As :data:`geodata.aggregate.ROUNDING`, where neighbours had to be projected into the raster's CRS: a side that is
straight here is not quite straight there, and they may cut it at other points."""
STRAIGHT_M = 500.0
"""Sides of units are cut into pieces of this length before they are projected: straight to half a centimetre."""
MANY_PAIRS = 1_000_000
"""With more pairs of cell and unit, whole cells that are neighbours in a row are added up beforehand."""
PIECE_CELLS = 16
"""So many cells are added up at most: the middle of their people is that of a straight row."""


@dataclass(frozen=True)
class _Laid:
    """A coverage on the cells with people: positions in ``RasterCounts.cells``.

    Cell ``source[k]`` lies in ``unit[k]`` to ``share[k]``; cells ``low[r]`` to ``high[r] - 1`` lie in ``run_unit[r]``.
    """

    unit: Positions
    source: Positions
    share: Values
    run_unit: Positions
    low: Positions
    high: Positions


def compute_raster_shares(
    raster: RasterCounts, units: gpd.GeoDataFrame, crs: str, cache: DiskCache | None = None
) -> Shares:
    """Give every raster cell to units by the exact part of it that each covers.

    ``source`` counts the cells of ``raster``. Cells that units cover wholly, but for rounding, are brought to exactly
    one; so are cells on which units lie on each other.
    """
    laid = _lay(raster, _cover(raster, units, crs, cache), longest=raster.grid.shape[1])
    return _share_cells(raster, laid, _count_cover(laid, len(raster.cells)), crs)


def share_raster(
    raster: RasterCounts, units: gpd.GeoDataFrame, crs: str, cache: DiskCache | None = None
) -> tuple[Shares, pd.DataFrame]:
    """Return who of a raster's people lives in which unit, and the table of sources that the shares point at.

    Sources are the cells; of a very large raster, cells that lie in one unit wholly are added up to pieces of rows, and
    the cells outside all units to one source. Columns: :data:`COUNT_COLUMNS`, ``town`` and ``setting`` (empty).
    """
    longest = raster.grid.shape[1] if _is_same(crs, raster) else PIECE_CELLS
    laid = _lay(raster, _cover(raster, units, crs, cache), longest=longest)
    covered = _count_cover(laid, len(raster.cells))
    few = int((laid.high - laid.low).sum()) + len(laid.unit) <= MANY_PAIRS
    if few or (covered > 1 + PROJECTED_ROUNDING).any():  # where units lie on each other, each cell is shared out
        return _share_cells(raster, laid, covered, crs), _build_sources(raster.values, len(raster.cells))
    return _share_pieces(raster, laid, covered, crs)


def _cover(raster: RasterCounts, units: gpd.GeoDataFrame, crs: str, cache: DiskCache | None) -> Coverage:
    """Return the coverage of the raster's grid by units, which are projected into its CRS."""
    shapes: Shapes = units.geometry.to_numpy()
    if len(shapes) and not _is_same(crs, raster):
        shapes = project_shapes(shapely.segmentize(shapes, STRAIGHT_M), crs, raster.grid.crs_wkt)
    return find_coverage(raster.grid, shapes, cache)


def _is_same(crs: str, raster: RasterCounts) -> bool:
    """Whether the study works in the CRS of the raster."""
    if crs == LOCAL:
        return False
    return CRS.from_user_input(crs).equals(CRS.from_wkt(raster.grid.crs_wkt), ignore_axis_order=True)


def _lay(raster: RasterCounts, coverage: Coverage, *, longest: int) -> _Laid:
    """Return the coverage of the cells with people alone; runs are cut into pieces of ``longest`` cells."""
    cells = raster.cells
    if not len(cells):
        nothing = np.empty(0, dtype=np.int64)
        return _Laid(nothing, nothing, np.empty(0), nothing, nothing, nothing)
    place = np.minimum(np.searchsorted(cells, coverage.cell), len(cells) - 1)
    held = cells[place] == coverage.cell
    start, stop = coverage.run_start.astype(np.int64), coverage.run_stop.astype(np.int64)
    pieces = -(-(stop - start) // longest)
    owner = np.repeat(np.arange(len(start)), pieces)
    first = start[owner] + longest * (np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces))
    low = np.searchsorted(cells, first)
    high = np.searchsorted(cells, np.minimum(first + longest, stop[owner]))
    some = high > low
    run_unit = coverage.run_unit[owner][some].astype(np.int64)
    unit = coverage.unit[held].astype(np.int64)
    return _Laid(unit, place[held], coverage.share[held], run_unit, low[some], high[some])


def _count_cover(laid: _Laid, n_cells: int) -> Values:
    """Return how much of each cell lies in units, together."""
    covered = np.zeros(n_cells)
    cover_cells(laid.source, laid.share, laid.low, laid.high, covered)
    return covered


def _share_cells(raster: RasterCounts, laid: _Laid, covered: Values, crs: str) -> Shares:
    """Return one share for each cell and unit that meet."""
    count = laid.high - laid.low
    whole = np.repeat(laid.low, count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    unit = np.append(laid.unit, np.repeat(laid.run_unit, count))
    source = np.append(laid.source, whole)
    share = _fill_up(np.append(laid.share, np.ones(len(whole))), source, covered, raster, crs)
    x_m, y_m = convert_points(*raster.grid.list_middles(raster.cells[source]), raster.grid.crs_wkt, crs)
    return Shares(unit, source, share, x_m, y_m)


def _fill_up(share: Values, source: Positions, covered: Values, raster: RasterCounts, crs: str) -> Values:
    """Return shares that add up to exactly one in the cells that units cover wholly."""
    inside = covered[source]
    full = inside >= 1 - ROUNDING
    if not _is_same(crs, raster):
        _, position, count = np.unique(source, return_inverse=True, return_counts=True)
        full |= (inside >= 1 - PROJECTED_ROUNDING) & (count[position] > 1)
    return np.where(full, share / np.where(full, inside, 1.0), share)


def _build_sources(values: Mapping[str, Values], length: int) -> pd.DataFrame:
    """Return a table of sources with the counts that are known."""
    columns = {name: values.get(name, np.nan) for name in COUNT_COLUMNS}
    return pd.DataFrame(columns, index=range(length)).assign(town="", setting="")


def _share_pieces(raster: RasterCounts, laid: _Laid, covered: Values, crs: str) -> tuple[Shares, pd.DataFrame]:
    """Return shares of partly covered cells, then of pieces of rows; the last source is who lives outside."""
    edge, edge_source = np.unique(laid.source, return_inverse=True)
    outside = np.flatnonzero(covered <= 0)
    values = {}
    for name, known in raster.values.items():
        summed = np.empty(len(laid.low))
        add_pieces(known, laid.low, laid.high, summed)
        values[name] = np.concatenate([known[edge], summed, [known[outside].sum()]])
    offset = np.empty(len(laid.low))
    find_offsets(_weigh(raster), raster.cells, laid.low, laid.high, offset)
    x, y = raster.grid.list_middles(raster.cells[np.append(laid.source, laid.low)])
    x[len(laid.source) :] += offset * raster.grid.cell_size[0]
    x_m, y_m = convert_points(x, y, raster.grid.crs_wkt, crs)
    share = _fill_up(laid.share, laid.source, covered, raster, crs)
    unit = np.append(laid.unit, laid.run_unit)
    source = np.append(edge_source, len(edge) + np.arange(len(laid.run_unit)))
    shares = Shares(unit, source, np.append(share, np.ones(len(laid.run_unit))), x_m, y_m)
    return shares, _build_sources(values, len(edge) + len(laid.run_unit) + 1)


def _weigh(raster: RasterCounts) -> Values:
    """Return what each cell weighs: its people, else its children."""
    people = raster.values.get("population_people")
    return np.sum(list(raster.values.values()), axis=0) if people is None else people
