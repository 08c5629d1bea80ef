"""The railway of the demo county: one line from the north to the south, west of the seat, that meets few roads.

It is drawn last and into no road: nothing else of the county depends on it.
"""

from __future__ import annotations

import numpy as np
import shapely

from geodata.demo.county_roads import smooth
from geodata.demo.settlements import Settlement
from geodata.demo.terrain import CENTRE_M, Terrain
from geodata.demo.ways import Points, WayBook, round_points

ROW_M = 600.0
COLUMN_M = 150.0
WIDEST_STEP = 3
"""From one row to the next the line moves aside by at most this many columns."""


def draw_railway(book: WayBook, terrain: Terrain, places: list[Settlement]) -> Points:
    """Return the railway as points (n, 2) from the county's northern border to its southern one.

    Dynamic programming over rows: a road crossed costs most, then nearness to a settlement, height and a step aside.
    """
    rows = np.arange(24_000.0, -24_001.0, -ROW_M)
    columns = np.arange(-7_500.0, 1_501.0, COLUMN_M)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1) + np.array(CENTRE_M)
    inside = shapely.contains_xy(terrain.outline, grid[..., 0], grid[..., 1])
    cost = np.where(inside, _measure_costs(grid, terrain, places), 0.0)
    roads = shapely.STRtree([shapely.LineString(book.place(nodes)) for nodes, _ in book.ways])
    total, back = cost[0], []
    steps = np.arange(-WIDEST_STEP, WIDEST_STEP + 1)
    for row in range(1, len(rows)):
        before = np.arange(len(columns))[:, None] - steps
        known = (before >= 0) & (before < len(columns))
        before = np.clip(before, 0, len(columns) - 1)
        ends = np.broadcast_to(grid[row][:, None], (*before.shape, 2))
        pieces = np.stack([grid[row - 1][before], ends], axis=2).reshape(-1, 2, 2)
        lines = np.asarray(shapely.linestrings(pieces), dtype=object)
        met = np.bincount(roads.query(lines, predicate="intersects")[0], minlength=len(lines)).reshape(before.shape)
        reached = np.where(known, total[before] + 6.0 * met + 0.6 * steps**2, np.inf)
        choice = np.argmin(np.round(reached, 6), axis=1)
        back.append(before[np.arange(len(columns)), choice])
        total = reached[np.arange(len(columns)), choice] + cost[row]
    path = [int(np.argmin(np.round(total, 6)))]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    points = grid[np.arange(len(rows)), path[::-1]]
    for _ in range(2):
        points[1:-1] = 0.25 * points[:-2] + 0.5 * points[1:-1] + 0.25 * points[2:]
    line = terrain.outline.intersection(shapely.LineString(smooth(points, 4)))
    longest = max(shapely.get_parts(line), key=lambda part: part.length)
    return round_points(shapely.get_coordinates(longest))


def _measure_costs(grid: Points, terrain: Terrain, places: list[Settlement]) -> Points:
    """Return what it costs to pass each place of the grid: settlements and ponds nearby, hills."""
    flat = grid.reshape(-1, 2)
    obstacles = shapely.union_all([*(place.footprint for place in places), *terrain.ponds, terrain.reservoir])
    shapely.prepare(obstacles)
    room = shapely.distance(obstacles, shapely.points(flat))
    near = np.clip((400.0 - room) / 80.0, 0.0, None) ** 2
    return np.asarray((near + 4.0 * terrain.compute_hilliness(flat)).reshape(grid.shape[:2]))
