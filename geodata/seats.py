"""Seats: the planning unit in which each school and each candidate site stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from geodata.population_table import Values
from geodata.shapes import Shapes, build_points

if TYPE_CHECKING:
    import geopandas as gpd

SAME_DISTANCE_M = 0.001
"""Distances that differ by less are equal: the smaller id decides."""

Positions = npt.NDArray[np.int64]


def find_seats(
    units: gpd.GeoDataFrame, x_m: Values, y_m: Values, *, scattered: bool = False
) -> npt.NDArray[np.object_]:
    """Return the ``unit_id`` in which each point stands; ``""`` where there are no units or the point has no place.

    Parameters
    ----------
    units : the units table (``unit_id``, ``x_m``, ``y_m``, polygons in metres)
    x_m, y_m : positions of the points, shape (n,), in the CRS of the units
    scattered : whether units are footprints, not land (``Adjacency.scattered``): then the point stands in the Voronoi
        cell of the nearest demand point

    Notes
    -----
    A point stands in the unit whose polygon holds it (border included), else in the nearest by distance to the
    polygon, then to the demand point. What is still equal goes to the id that comes first as text.
    """
    ids = units["unit_id"].to_numpy(dtype=object)
    seats = np.full(len(x_m), "", dtype=object)
    placed = np.flatnonzero(np.isfinite(x_m) & np.isfinite(y_m))
    if not len(ids) or not len(placed):
        return seats
    points = np.column_stack([x_m, y_m]).astype(np.float64)[placed]
    rank = np.argsort(np.argsort(ids.astype(str), kind="stable"), kind="stable").astype(np.int64)
    demand = units[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    shapes = np.asarray(units.geometry.to_numpy(), dtype=object)
    chosen = _choose_nearest(points, demand, rank) if scattered else _choose_holding(points, demand, shapes, rank)
    seats[placed] = ids[chosen]
    return seats


def _choose_nearest(points: Values, demand: Values, rank: Positions) -> Positions:
    """Return the nearest demand point of each point, of equals the first in rank."""
    nearest_m, _ = cKDTree(demand).query(points)
    tied = cKDTree(demand).query_ball_point(points, nearest_m + SAME_DISTANCE_M)
    return np.array([min(found, key=lambda at: rank[at]) for found in tied], dtype=np.int64)


def _choose_holding(points: Values, demand: Values, shapes: Shapes, rank: Positions) -> Positions:
    """Return the shape that holds each point, else the nearest one."""
    places, tree = build_points(points[:, 0], points[:, 1]), shapely.STRtree(shapes)
    point, shape = tree.query(places, predicate="intersects")
    away = np.zeros(len(point))
    outside = np.setdiff1d(np.arange(len(points)), point)
    if len(outside):
        nearest_m = tree.query_nearest(places[outside], all_matches=False, return_distance=True)[1]
        near, near_shape = tree.query(places[outside], predicate="dwithin", distance=nearest_m + SAME_DISTANCE_M)
        gap = demand[near_shape] - points[outside[near]]
        point, shape = np.append(point, outside[near]), np.append(shape, near_shape)
        away = np.append(away, np.round(np.hypot(gap[:, 0], gap[:, 1]) / SAME_DISTANCE_M))
    order = np.lexsort((rank[shape], away, point))
    first = np.ones(len(order), dtype=bool)
    first[1:] = point[order][1:] != point[order][:-1]
    return np.asarray(shape[order][first], dtype=np.int64)
