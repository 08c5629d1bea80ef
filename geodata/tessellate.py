"""Areas around points: Voronoi cells for villages and buildings, hexagons for a lattice of centres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geodata.population_table import Values
from geodata.shapes import build_points

COINCIDENT_M = 0.5
"""Points nearer to each other than this are moved apart, by this much, before cells are drawn around them."""


def separate_points(x_m: Values, y_m: Values, ids: npt.NDArray[np.object_]) -> tuple[Values, Values, int]:
    """Move points that lie on one spot apart, so that each can have a cell of its own.

    Points nearer than :data:`COINCIDENT_M` to another are one group; in the order of their ids its members are set on
    a circle around the group's middle, :data:`COINCIDENT_M` apart. Returns the coordinates and how many moved.
    """
    x_m, y_m = x_m.copy(), y_m.copy()
    pairs = cKDTree(np.column_stack([x_m, y_m])).query_pairs(COINCIDENT_M, output_type="ndarray")
    if not len(pairs):
        return x_m, y_m, 0
    n = len(x_m)
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    group = connected_components(links, directed=False)[1]
    crowded = np.flatnonzero(np.bincount(group)[group] > 1)
    order = crowded[np.lexsort((ids[crowded].astype(str), group[crowded]))]
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        angle = 2 * np.pi * np.arange(len(members)) / len(members)
        radius = COINCIDENT_M / (2 * np.sin(np.pi / len(members)))
        middle_x, middle_y = x_m[members].mean(), y_m[members].mean()
        x_m[members] = middle_x + radius * np.cos(angle)
        y_m[members] = middle_y + radius * np.sin(angle)
    return x_m, y_m, len(crowded)


def compute_spacing(x_m: Values, y_m: Values) -> float:
    """Return the median distance from a point to its nearest other point, in metres; 1000 for a single point."""
    if len(x_m) < 2:
        return 1000.0
    distance, _ = cKDTree(np.column_stack([x_m, y_m])).query(np.column_stack([x_m, y_m]), k=2)
    return float(max(np.median(distance[:, 1]), COINCIDENT_M))


def build_voronoi_cells(x_m: Values, y_m: Values) -> npt.NDArray[np.object_]:
    """Return one polygon per point: all places nearer to it than to any other point.

    The cells are cut off at the convex hull of the points, widened by the median distance between neighbours, so that
    the outermost places keep some land around them. Cells are convex, have one part and tile the hull. The points must
    be apart (:func:`separate_points`).
    """
    points = build_points(x_m, y_m)
    hull = shapely.buffer(shapely.convex_hull(shapely.multipoints(points)), compute_spacing(x_m, y_m), quad_segs=8)
    if len(points) == 1:
        return np.array([hull], dtype=object)
    # Far corners make every real cell bounded, also where the points stand in one line.
    west, south, east, north = shapely.bounds(hull)
    reach = 10 * max(east - west, north - south)
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    corners = build_points(middle_x + reach * np.array([-1, 1, 1, -1]), middle_y + reach * np.array([-1, -1, 1, 1]))
    diagram = shapely.voronoi_polygons(shapely.multipoints(np.append(points, corners)), ordered=True)
    cells = shapely.get_parts(diagram)[: len(points)]
    # On a lattice corners that should be one lie a hair apart, and a ring may cross itself; every cell is convex.
    cells = np.where(shapely.is_valid(cells), cells, shapely.convex_hull(cells))
    clipped: npt.NDArray[np.object_] = shapely.intersection(cells, hull)
    return clipped


def build_hexagons(x_m: Values, y_m: Values) -> npt.NDArray[np.object_]:
    """Return the hexagon around each centre of a hexagonal lattice (H3 cells, for instance).

    The six steps of the lattice are measured from the centres themselves; missing neighbours are set beyond the rim,
    and the Voronoi cells of all centres are the hexagons, which share their edges exactly. Where the centres make no
    lattice (fewer than three, or no six directions), plain Voronoi cells are returned.
    """
    steps = _measure_lattice(x_m, y_m)
    if steps is None:
        return build_voronoi_cells(x_m, y_m)
    centres = np.column_stack([x_m, y_m])
    spacing = float(np.hypot(*steps.T).mean())
    ghosts = centres
    rim: list[npt.NDArray[np.float64]] = []
    for _ring in range(2):
        # Two rings: the second bounds the cells of the first, so that nothing depends on the clipping of the diagram.
        ghosts = _merge_near((ghosts[:, None, :] + steps[None, :, :]).reshape(-1, 2), spacing / 2)
        known = np.vstack([centres, *rim])
        ghosts = ghosts[cKDTree(known).query(ghosts)[0] > spacing / 2]
        rim.append(ghosts)
    everything = shapely.multipoints(build_points(*np.vstack([centres, *rim]).T))
    cells: npt.NDArray[np.object_] = shapely.get_parts(shapely.voronoi_polygons(everything, ordered=True))
    return cells[: len(centres)]


def _measure_lattice(x_m: Values, y_m: Values) -> npt.NDArray[np.float64] | None:
    """Return the six mean steps to neighbours, shape (6, 2), in metres; ``None`` where they are not six."""
    if len(x_m) < 3:
        return None
    centres = np.column_stack([x_m, y_m])
    pairs = cKDTree(centres).query_pairs(1.3 * compute_spacing(x_m, y_m), output_type="ndarray")
    if not len(pairs):
        return None
    step = centres[pairs[:, 1]] - centres[pairs[:, 0]]
    step = np.vstack([step, -step])
    angle = np.arctan2(step[:, 1], step[:, 0])
    turn = np.angle(np.exp(6j * angle).mean()) / 6
    if abs(np.exp(6j * angle).mean()) < 0.7:
        return None
    sector = np.round((angle - turn) / (np.pi / 3)).astype(int) % 6
    length = float(np.hypot(step[:, 0], step[:, 1]).mean())
    ideal = turn + np.arange(6) * np.pi / 3
    steps = length * np.column_stack([np.cos(ideal), np.sin(ideal)])
    for side in range(6):
        if (sector == side).any():
            steps[side] = step[sector == side].mean(axis=0)
    return steps


def _merge_near(points: npt.NDArray[np.float64], distance: float) -> npt.NDArray[np.float64]:
    """Return the middle of each group of points that lie within ``distance`` of each other."""
    pairs = cKDTree(points).query_pairs(distance, output_type="ndarray")
    n = len(points)
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    group = connected_components(links, directed=False)[1]
    size = np.bincount(group)
    return np.column_stack([np.bincount(group, points[:, axis]) / size for axis in (0, 1)])
