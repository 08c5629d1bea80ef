"""Coverage of raster cells by units: worked by hand, against shapely and exactextract, and kept on disk."""

from __future__ import annotations

import pickle
from pathlib import Path

import exactextract
import geopandas as gpd
import numpy as np
import pytest
import shapely
from exactextract.raster import NumPyRasterSource
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.cache import DiskCache
from geodata.raster_coverage import Coverage, build_coverage, find_coverage, sum_cells
from geodata.raster_grid import RasterGrid
from geodata.shapes import Shapes
from geodata.tessellate import build_voronoi_cells

ROWS, COLUMNS = 6, 9


def _grid(rows: int = ROWS, columns: int = COLUMNS) -> RasterGrid:
    """Return cells of 1 × 1; the north-west corner is at 0, rows."""
    return RasterGrid((rows, columns), (0.0, 0.0, float(columns), float(rows)), "")


def _spread(coverage: Coverage, unit: int) -> np.ndarray:
    """Return the share of each cell that lies in one unit, as rows and columns."""
    share = np.zeros(coverage.grid.size)
    mine = coverage.unit == unit
    np.add.at(share, coverage.cell[mine], coverage.share[mine])
    for start, stop in zip(
        coverage.run_start[coverage.run_unit == unit], coverage.run_stop[coverage.run_unit == unit], strict=True
    ):
        share[start:stop] += 1.0
    return share.reshape(coverage.grid.shape)


def _cut(shape: shapely.Geometry, grid: RasterGrid) -> np.ndarray:
    """Return the same by cutting every cell with shapely."""
    cells = np.arange(grid.size)
    return shapely.area(shapely.intersection(shapely.box(*grid.list_boxes(cells, cells)), shape)).reshape(grid.shape)


def test_shares_by_hand() -> None:
    # Half of the first cell of the middle row, all of the second, a triangle of a half of the third.
    shape = shapely.Polygon([(0.5, 1), (3, 1), (2, 2), (0.5, 2)])
    coverage = build_coverage(_grid(3, 4), np.array([shape]))
    assert coverage.cell.tolist() == [4, 6]
    assert coverage.share.tolist() == [0.5, 0.5]
    assert (coverage.run_start.tolist(), coverage.run_stop.tolist()) == ([5], [6])
    values = np.arange(12.0).reshape(3, 4)
    assert sum_cells(coverage, values).tolist() == [0.5 * 4 + 5 + 0.5 * 6]
    values[1, 1] = np.nan
    assert sum_cells(coverage, values).tolist() == [0.5 * 4 + 0.5 * 6]


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(-5, -5, 50, 50),
        shapely.box(-5, 2.25, 50, 2.5),
        shapely.box(20, 20, 30, 30),
        shapely.Point(4, 3).buffer(2.7).difference(shapely.Point(4, 3).buffer(1.1)),
        shapely.MultiPolygon([shapely.box(0.2, 0.2, 0.4, 0.4), shapely.box(0.6, 0.6, 3.1, 5.9)]),
        shapely.Polygon([(-3, -3), (12, 2), (4, 9)]).reverse(),
        shapely.GeometryCollection([shapely.box(1, 1, 2, 2), shapely.Point(5, 5)]),
        shapely.Polygon(),
    ],
)
def test_shapes_of_all_kinds(shape: shapely.Geometry) -> None:
    coverage = build_coverage(_grid(), np.array([shape], dtype=object))
    np.testing.assert_allclose(_spread(coverage, 0), _cut(shape, _grid()), atol=1e-9)


# whole hundredths: where lines cross, shapely itself rounds
corners = st.tuples(st.integers(-400, 1300), st.integers(-400, 1000)).map(lambda at: (at[0] / 100, at[1] / 100))


@settings(max_examples=150)
@given(st.lists(st.lists(corners, min_size=3, max_size=8), min_size=1, max_size=3))
def test_law_shares_are_areas(rings: list[list[tuple[float, float]]]) -> None:
    made = [shapely.make_valid(shapely.Polygon(ring)) for ring in rings]
    shapes: Shapes = np.array([shapely.union_all([s for s in shapely.get_parts(m) if s.area > 0]) for m in made])
    coverage = build_coverage(_grid(), shapes)
    for unit, shape in enumerate(shapes):
        np.testing.assert_allclose(_spread(coverage, unit), _cut(shape, _grid()), atol=1e-7)


def test_a_tiling_covers_every_cell_once() -> None:
    tiles = shapely.intersection(
        build_voronoi_cells(*np.random.default_rng(3).uniform(0, 40, (2, 60))), shapely.box(3, 3, 37, 37)
    )
    whole = sum(_spread(build_coverage(_grid(40, 40), tiles), unit) for unit in range(60))
    np.testing.assert_allclose(whole, _cut(shapely.union_all(tiles), _grid(40, 40)), atol=1e-9)


def test_sums_agree_with_exactextract() -> None:
    tiles: Shapes = np.asarray(build_voronoi_cells(*np.random.default_rng(5).uniform(0, 300, (2, 80))))
    values = np.random.default_rng(7).random((300, 300), dtype=np.float32)
    layer = gpd.GeoDataFrame(geometry=tiles, crs="EPSG:32649")
    source = NumPyRasterSource(values, 0, 0, 300, 300, srs_wkt=layer.crs.to_wkt())
    expected = exactextract.exact_extract(source, layer, "sum", output="pandas")["sum"]
    np.testing.assert_allclose(sum_cells(build_coverage(_grid(300, 300), tiles), values), expected, rtol=1e-6)


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="another shape"):
        sum_cells(build_coverage(_grid(), np.array([shapely.box(0, 0, 1, 1)])), np.zeros(7))


def test_a_coverage_is_kept_on_disk(tmp_path: Path) -> None:
    cache, shapes = DiskCache(tmp_path), np.array([shapely.box(0.5, 0.5, 3, 3)])
    first = find_coverage(_grid(), shapes, cache)
    assert len(list(tmp_path.iterdir())) == 1
    again = find_coverage(_grid(), shapes, cache)
    assert again is not first
    assert (again.grid, again.share.tolist()) == (first.grid, first.share.tolist())
    find_coverage(_grid(), np.array([shapely.box(0.5, 0.5, 3, 4)]), cache)
    find_coverage(_grid(7, 9), shapes, cache)
    assert len(list(tmp_path.iterdir())) == 3
    assert not pickle.loads(pickle.dumps(first)).share.flags.writeable
