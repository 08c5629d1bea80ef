"""Bands of equal travel time round schools, as polygons that share their borders.

The ground is cut into square cells; each takes the time of the nearest place on a road plus the walk to it. Cells of
one band become one shape, then all shapes are simplified together, so that no gaps open between bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.snap import Snap, snap_points
from geodata.study import RoadNetwork
from geodata.travel import compute_leg_m, compute_nearest_time

if TYPE_CHECKING:
    import geopandas as gpd

BANDS_MIN: tuple[float, ...] = (5, 10, 15, 20, 30)
CELL_M = 100.0
MAX_CELLS = 400_000
_SPECK_CELLS = 3  # islands of a band smaller than this are drawn as their surroundings


def compute_isochrones(
    network: RoadNetwork,
    x_m: npt.ArrayLike,
    y_m: npt.ArrayLike,
    *,
    bands_min: Sequence[float] = BANDS_MIN,
    cell_m: float = CELL_M,
    detour_factor: float = 1.3,
    max_snap_m: float = 500.0,
    crs: str | None = None,
) -> gpd.GeoDataFrame:
    """Return the area within each band of minutes to the nearest of the destinations ``x_m``, ``y_m``.

    Returns
    -------
    GeoDataFrame
        ``min_min``, ``max_min`` (the band: longer than, up to) and ``geometry``; near bands first, empty bands left
        out. The bands do not overlap.

    Raises
    ------
    ValueError
        ``bands_min`` is empty or does not rise.
    """
    import geopandas as gpd

    bands = np.asarray(bands_min, dtype=np.float64)
    if not len(bands) or (np.diff(bands, prepend=0.0) <= 0).any():
        raise ValueError("bands_min must be positive and rising")
    snap = snap_points(network, x_m, y_m)
    legs_min = compute_leg_m(snap.snap_m, detour_factor, max_snap_m) / (network.off_road_kmh / 0.06)
    minutes = compute_nearest_time(
        network, x_m, y_m, max_min=float(bands[-1]), detour_factor=detour_factor, max_snap_m=max_snap_m, snap=snap
    )
    places = (
        _spread_along_edges(network, minutes, cell_m / 2),
        _spread_to_schools(network, snap, legs_min, cell_m / 2),
    )
    points_x, points_y, times = (np.concatenate(parts) for parts in zip(*places, strict=True))
    columns: dict[str, list[float]] = {"min_min": [], "max_min": []}
    shapes: list[object] = []
    if len(times):
        walk_m_min = network.off_road_kmh / 0.06
        own = np.asarray(x_m, dtype=np.float64).ravel(), np.asarray(y_m, dtype=np.float64).ravel()
        reach_m = float(bands[-1]) * walk_m_min
        grid = _Grid.build(np.concatenate([points_x, own[0]]), np.concatenate([points_y, own[1]]), cell_m, reach_m)
        time = grid.fill(points_x, points_y, times, walk_m_min, detour_factor, max_snap_m)
        band = np.searchsorted(bands, time, side="left").astype(np.int16)  # beyond the last band, and NaN: len(bands)
        for index, shape in _draw_bands(band, grid, len(bands)):
            columns["min_min"].append(float(bands[index - 1]) if index else 0.0)
            columns["max_min"].append(float(bands[index]))
            shapes.append(shape)
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=None if crs in (None, "local") else crs)


_Places: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _spread_to_schools(network: RoadNetwork, snap: Snap, legs_min: npt.NDArray[np.float64], step_m: float) -> _Places:
    """Return places on the schools' own edges from which one reaches the school without passing a node."""
    parts: list[_Places] = []
    for arc, node, part in (
        (snap.forward_arc, snap.tail, snap.fraction),
        (snap.backward_arc, snap.head, 1.0 - snap.fraction),
    ):
        rows = np.flatnonzero(arc >= 0)
        pieces = np.ceil(part[rows] * network.length_m[arc[rows]] / step_m).astype(np.int64) + 1
        owner = np.repeat(rows, pieces)
        rank = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        share = rank / np.repeat(pieces, pieces)  # 0 at the school, towards 1 at the node
        x = snap.x_m[owner] + share * (network.x_m[node[owner]] - snap.x_m[owner])
        y = snap.y_m[owner] + share * (network.y_m[node[owner]] - snap.y_m[owner])
        time = legs_min[owner] + share * part[owner] * network.time_s[arc[owner]] / 60.0
        parts.append((x, y, time))
    x, y, time = (np.concatenate(values) for values in zip(*parts, strict=True))
    return x, y, time


def _spread_along_edges(network: RoadNetwork, minutes: npt.NDArray[np.float64], step_m: float) -> _Places:
    """Return places every ``step_m`` along the roads that can be reached, and the minutes from each."""
    tail = np.repeat(np.arange(network.n_nodes), np.diff(network.start))
    # From a place on arc tail -> head one goes on to the head.
    arcs = np.flatnonzero(np.isfinite(minutes[network.head]) & (network.length_m > step_m))
    pieces = np.ceil(network.length_m[arcs] / step_m).astype(np.int64)
    inner = pieces - 1
    owner = np.repeat(arcs, inner)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(inner) - inner, inner) + 1
    part = rank / np.repeat(pieces, inner)
    first, last = tail[owner], network.head[owner]
    x = network.x_m[first] + part * (network.x_m[last] - network.x_m[first])
    y = network.y_m[first] + part * (network.y_m[last] - network.y_m[first])
    time = minutes[last] + (1.0 - part) * network.time_s[owner] / 60.0
    nodes = np.flatnonzero(np.isfinite(minutes))
    return (
        np.concatenate([network.x_m[nodes], x]),
        np.concatenate([network.y_m[nodes], y]),
        np.concatenate([minutes[nodes], time]),
    )


class _Grid:
    """Square cells over the reachable ground; row 0 is the north."""

    def __init__(self, west_m: float, north_m: float, cell_m: float, rows: int, columns: int) -> None:
        self.west_m, self.north_m, self.cell_m, self.shape = west_m, north_m, cell_m, (rows, columns)

    @classmethod
    def build(cls, x_m: npt.NDArray[np.float64], y_m: npt.NDArray[np.float64], cell_m: float, reach_m: float) -> _Grid:
        """Return a grid round the points with room for the walk off the road; larger cells for a large area."""
        margin = min(reach_m, 10 * cell_m)
        west, east = float(x_m.min()) - margin, float(x_m.max()) + margin
        south, north = float(y_m.min()) - margin, float(y_m.max()) + margin
        cell_m = max(cell_m, float(np.sqrt((east - west) * (north - south) / MAX_CELLS)))
        rows, columns = int(np.ceil((north - south) / cell_m)), int(np.ceil((east - west) / cell_m))
        return cls(west, north, cell_m, max(rows, 1), max(columns, 1))

    def fill(
        self,
        x_m: npt.NDArray[np.float64],
        y_m: npt.NDArray[np.float64],
        minutes: npt.NDArray[np.float64],
        walk_m_min: float,
        detour_factor: float,
        max_snap_m: float,
    ) -> npt.NDArray[np.float64]:
        """Return the minutes of each cell: the best of the nearest places, each with the walk from the cell to it."""
        from scipy.spatial import cKDTree

        rows, columns = self.shape
        centre_x = self.west_m + (np.arange(columns) + 0.5) * self.cell_m
        centre_y = self.north_m - (np.arange(rows) + 0.5) * self.cell_m
        cells = np.column_stack([np.tile(centre_x, rows), np.repeat(centre_y, columns)])
        # The nearest place alone would show the wrong side of a one-way road.
        count = min(3, len(x_m))
        distance, place = cKDTree(np.column_stack([x_m, y_m])).query(cells, k=count, workers=-1)
        distance, place = distance.reshape(-1, count), place.reshape(-1, count)
        walk = compute_leg_m(distance, detour_factor, max_snap_m) / walk_m_min
        best: npt.NDArray[np.float64] = (minutes[place] + walk).min(axis=1)
        return best.reshape(self.shape)


def _draw_bands(band: npt.NDArray[np.int16], grid: _Grid, n_bands: int) -> list[tuple[int, object]]:
    """Return the shape of each band that occurs, simplified with its neighbours."""
    import shapely
    from affine import Affine
    from rasterio import features

    band = features.sieve(band, size=_SPECK_CELLS, connectivity=4)
    transform = Affine(grid.cell_m, 0.0, grid.west_m, 0.0, -grid.cell_m, grid.north_m)
    index, polygons = [], []
    for outline, value in features.shapes(band, mask=band < n_bands, connectivity=4, transform=transform):
        rings = outline["coordinates"]
        index.append(int(value))
        polygons.append(shapely.Polygon(rings[0], rings[1:]))
    if not polygons:
        return []
    simple = shapely.coverage_simplify(np.array(polygons, dtype=object), grid.cell_m)
    numbers = np.array(index)
    return [(value, shapely.union_all(simple[numbers == value])) for value in np.unique(numbers).tolist()]
