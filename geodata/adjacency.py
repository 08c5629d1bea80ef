"""Neighbours: which units share a border, and how many metres of it.

Borders are compared edge by edge. Edges that two units have in common, vertex for vertex, are found by their
coordinates. What is left over (a vertex on one side only, a gap or an overlap narrower than the tolerance) is found by
laying each edge along the edges of other units that run beside it. Touching in a corner is not a border.

Footprints and scattered places do not touch. Where all units are buildings, or where units fall into many clusters on
land that they mostly leave empty (:func:`_are_scattered`), neighbours are those of the Voronoi cells of the demand
points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geodata.population_table import Values
from geodata.shapes import Shapes
from geodata.study import Adjacency
from geodata.tessellate import build_voronoi_cells, separate_points

if TYPE_CHECKING:
    import geopandas as gpd

TOLERANCE_M = 0.5
"""Gaps and overlaps up to this width are taken for one border."""
SHORTEST_BORDER_M = 2 * TOLERANCE_M
"""Borders found with the tolerance must be longer than this: what is shorter is a corner."""
SCATTERED_SHARE = 0.25
_ROUNDING_M = 0.001
_PARALLEL = 0.8
"""Edges belong to one border when the cosine of the angle between them is at least this."""

Positions = npt.NDArray[np.int64]


def compute_adjacency(units: gpd.GeoDataFrame, *, tolerance_m: float = TOLERANCE_M, corners: bool = False) -> Adjacency:
    """Return every pair of neighbouring units once, with the length of their shared border.

    Parameters
    ----------
    units : the units table (``unit_id``, ``kind``, ``x_m``, ``y_m``, polygons in metres)
    tolerance_m : width of gaps and overlaps that are still one border
    corners : whether units that touch in a point only are neighbours too, with a border of 0 m

    Returns
    -------
    Adjacency
        Pairs in the order of the table, the earlier unit first; ``island_ids`` are the units without neighbour;
        ``area_m2`` and ``perimeter_m`` of the shapes whose borders were measured (see :func:`find_land`).
    """
    shapes = np.asarray(units.geometry.to_numpy(), dtype=object)
    ids = units["unit_id"].to_numpy(dtype=object)
    if len(units) < 2:
        return _build(ids, np.empty((0, 2), dtype=np.int64), np.empty(0), shapes, scattered=False)
    scattered = bool((units["kind"] == "building").all()) if "kind" in units else False
    if not scattered:
        pairs, border_m = _measure_borders(shapes, tolerance_m)
        scattered = _are_scattered(shapes, pairs)
    if scattered:
        shapes = find_land(units, scattered=True)
        pairs, border_m = _measure_borders(shapes, tolerance_m)
    elif corners:
        pairs, border_m = _add_corners(shapes, pairs, border_m)
    return _build(ids, pairs, border_m, shapes, scattered=scattered)


def find_land(units: gpd.GeoDataFrame, *, scattered: bool | None = None) -> Shapes:
    """Return the land of each unit: its own polygon, or the Voronoi cell of its demand point where units are scattered.

    ``scattered`` is ``Adjacency.scattered``; ``None`` finds out, which measures all borders. Cells tile the convex hull
    of the demand points, widened by the median distance between neighbours.
    """
    if scattered is None:
        scattered = compute_adjacency(units).scattered
    if not scattered or len(units) < 2:
        return np.asarray(units.geometry.to_numpy(), dtype=object)
    ids = units["unit_id"].to_numpy(dtype=object)
    x_m, y_m, _ = separate_points(units["x_m"].to_numpy(dtype=np.float64), units["y_m"].to_numpy(dtype=np.float64), ids)
    return build_voronoi_cells(x_m, y_m)


def _add_corners(shapes: Shapes, pairs: Positions, border_m: Values) -> tuple[Positions, Values]:
    """Return the pairs with those added that only touch; their border is 0 m."""
    n = len(shapes)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    touching = (first * n + second)[first < second]
    key = np.append(pairs[:, 0] * n + pairs[:, 1], np.setdiff1d(touching, pairs[:, 0] * n + pairs[:, 1]))
    border_m = np.append(border_m, np.zeros(len(key) - len(border_m)))
    order = np.argsort(key)
    earlier, later = np.divmod(key[order], n)
    return np.column_stack([earlier, later]), border_m[order]


def _are_scattered(shapes: Shapes, pairs: Positions) -> bool:
    """Whether shapes are footprints and not land.

    They are when they make more separate clusters than :data:`SCATTERED_SHARE` of their number (terraced houses touch,
    streets part them) and cover less than half of their common hull. A grid with islands makes few clusters.
    """
    n = len(shapes)
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    clusters = connected_components(links, directed=False)[0]
    if n < 3 or clusters <= max(1, SCATTERED_SHARE * n):
        return False
    hull = shapely.convex_hull(shapely.geometrycollections(list(shapes)))
    return float(shapely.area(shapes).sum()) < 0.5 * float(shapely.area(hull))


def _build(ids: Shapes, pairs: Positions, border_m: Values, shapes: Shapes, *, scattered: bool) -> Adjacency:
    alone = np.setdiff1d(np.arange(len(ids)), pairs)
    perimeter_m = np.asarray(shapely.length(shapes), dtype=np.float64)
    return Adjacency(
        first_ids=tuple(ids[pairs[:, 0]]),
        second_ids=tuple(ids[pairs[:, 1]]),
        border_m=_limit_borders(pairs, border_m, perimeter_m),
        island_ids=tuple(ids[alone]),
        area_m2=np.asarray(shapely.area(shapes), dtype=np.float64),
        perimeter_m=perimeter_m,
        scattered=scattered,
    )


def _limit_borders(pairs: Positions, border_m: Values, perimeter_m: Values) -> Values:
    """Return borders that add up to no more than the perimeter of either unit.

    Only where outlines overlap may one stretch lie beside two neighbours; the borders of that unit are shortened alike.
    """
    total_m = np.bincount(pairs.T.ravel(), np.tile(border_m, 2), minlength=len(perimeter_m))
    excess = total_m > perimeter_m * (1 + 1e-9)
    factor = np.where(excess, perimeter_m / np.where(excess, total_m, 1.0), 1.0)
    return np.asarray(border_m * np.minimum(factor[pairs[:, 0]], factor[pairs[:, 1]]), dtype=np.float64)


def _measure_borders(shapes: Shapes, tolerance_m: float) -> tuple[Positions, Values]:
    """Return pairs of positions, shape (n, 2), sorted, and their border in metres."""
    start, end, owner = list_edges(shapes)
    n = len(shapes)
    exact_pairs, exact_m, matched = _match_exact_edges(start, end, owner)
    loose = ~matched
    near_pairs, near_m = _match_near_edges(start[loose], end[loose], owner[loose], tolerance_m)
    key = np.append(exact_pairs[:, 0] * n + exact_pairs[:, 1], near_pairs[:, 0] * n + near_pairs[:, 1])
    unique, where = np.unique(key, return_inverse=True)
    exact_sum = np.bincount(where[: len(exact_m)], exact_m, minlength=len(unique))
    near_sum = np.bincount(where[len(exact_m) :], near_m, minlength=len(unique))
    kept = (exact_sum > _ROUNDING_M) | (near_sum > max(SHORTEST_BORDER_M, 2 * tolerance_m))
    border_m: Values = np.asarray((exact_sum + near_sum)[kept], dtype=np.float64)
    first, second = np.divmod(unique[kept], n)
    return np.column_stack([first, second]), border_m


def list_edges(shapes: Shapes) -> tuple[Values, Values, Positions]:
    """Return start, end (n, 2) and owning shape of every edge of every ring, without those of no length."""
    parts, part_owner = shapely.get_parts(shapes, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    places, ring = shapely.get_coordinates(rings, return_index=True)
    owner = part_owner[ring_part[ring]]
    inner = ring[1:] == ring[:-1]
    start, end = places[:-1][inner], places[1:][inner]
    real = np.hypot(*(end - start).T) > _ROUNDING_M
    return start[real], end[real], owner[:-1][inner][real].astype(np.int64)


def _match_exact_edges(start: Values, end: Values, owner: Positions) -> tuple[Positions, Values, npt.NDArray[np.bool_]]:
    """Return pairs that own the same edge, the edge's length, and which edges were matched so."""
    low = np.round(start / _ROUNDING_M).astype(np.int64)
    high = np.round(end / _ROUNDING_M).astype(np.int64)
    swap = (low[:, 0] > high[:, 0]) | ((low[:, 0] == high[:, 0]) & (low[:, 1] > high[:, 1]))
    low[swap], high[swap] = high[swap], low[swap].copy()
    order = np.lexsort((owner, high[:, 1], high[:, 0], low[:, 1], low[:, 0]))
    line = np.hstack([low, high])[order]
    same = (line[1:] == line[:-1]).all(axis=1) & (owner[order][1:] != owner[order][:-1])
    first, second = order[:-1][same], order[1:][same]
    matched = np.zeros(len(start), dtype=bool)
    matched[first] = matched[second] = True
    pairs = np.sort(np.column_stack([owner[first], owner[second]]), axis=1)
    return pairs, np.hypot(*(end[first] - start[first]).T), matched


def _match_near_edges(start: Values, end: Values, owner: Positions, tolerance_m: float) -> tuple[Positions, Values]:
    """Return pairs whose unmatched edges run side by side, and for how long.

    Each edge is laid along the other; both units see the border so, and the mean of the two is taken.
    """
    nothing = np.empty((0, 2), dtype=np.int64), np.empty(0)
    if not len(start):
        return nothing
    lines = np.asarray(shapely.linestrings(np.stack([start, end], axis=1)), dtype=object)
    edge, other = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=tolerance_m)
    apart = owner[edge] != owner[other]
    edge, other = edge[apart], other[apart]
    along = end - start
    length = np.hypot(*along.T)
    along /= length[:, None]
    parallel = np.abs((along[edge] * along[other]).sum(axis=1)) >= _PARALLEL
    edge, other = edge[parallel], other[parallel]
    overlap = _measure_overlap(start, end, along, length, edge, other, tolerance_m)
    found = overlap > 0
    if not found.any():
        return nothing
    # No edge can run beside one neighbour for longer than it is.
    n = int(owner.max()) + 1
    side, where = np.unique(edge[found] * n + owner[other[found]], return_inverse=True)
    seen = np.minimum(np.bincount(where, overlap[found]), length[side // n])
    pairs = np.sort(np.column_stack([owner[side // n], side % n]), axis=1)
    return pairs, seen / 2


def _measure_overlap(
    start: Values,
    end: Values,
    along: Values,
    length: Values,
    edge: Positions,
    other: Positions,
    tolerance_m: float,
) -> Values:
    """Return how many metres of each ``edge`` have ``other`` beside them within the tolerance."""
    to_start, to_end = start[other] - start[edge], end[other] - start[edge]
    direction = along[edge]
    at = np.stack([(to_start * direction).sum(axis=1), (to_end * direction).sum(axis=1)])
    off = np.stack(
        [
            direction[:, 0] * to_start[:, 1] - direction[:, 1] * to_start[:, 0],
            direction[:, 0] * to_end[:, 1] - direction[:, 1] * to_end[:, 0],
        ]
    )
    low, high = np.maximum(at.min(axis=0), 0.0), np.minimum(at.max(axis=0), length[edge])
    # The distance between two lines changes evenly: cut the overlap to where it stays within the tolerance.
    span = np.where(np.abs(at[1] - at[0]) > 1e-9, at[1] - at[0], 1.0)
    slope = (off[1] - off[0]) / span
    level = off[0] - slope * at[0]
    steep = np.abs(slope) > 1e-9
    safe = np.where(steep, slope, 1.0)
    edges = np.sort(np.stack([(-tolerance_m - level) / safe, (tolerance_m - level) / safe]), axis=0)
    low = np.where(steep, np.maximum(low, edges[0]), low)
    high = np.where(steep, np.minimum(high, edges[1]), high)
    beside = steep | (np.abs(level) <= tolerance_m)
    return np.where(beside, np.maximum(high - low, 0.0), 0.0)
