"""A made-up county for the drawing map: a grid of areas with winding borders that neighbours share vertex for vertex.

Areas have 28 vertices. Where asked, one area has a hole with another area in it, and one has two parts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.study import Adjacency, StudyArea, compute_digest
from tests.worlds import WorldSchool, build_world

CELL_M = 400.0
WEST_M, SOUTH_M = 480_000.0, 3_500_000.0
CRS = "EPSG:32650"
PUPILS = 12.0
Values = npt.NDArray[np.float64]


def build_drawing_county(
    rows: int,
    columns: int,
    schools: int,
    *,
    special: bool = False,
    school_names: Mapping[int, str] | None = None,
    unit_name: Callable[[int], str] = "Area {}".format,
) -> StudyArea:
    """Return a county of ``rows`` × ``columns`` areas, numbered from the south-west along the rows.

    ``special``: area 0 has a hole that is area ``rows * columns``; the last corner of the grid belongs to area 1.
    """
    shapes = _draw_cells(rows, columns)
    if special:
        middle = shapely.centroid(shapes[0])
        pond = shapely.buffer(middle, CELL_M / 5, quad_segs=7)
        shapes = np.append(shapes, pond)
        shapes[0] = shapely.difference(shapes[0], pond)
        shapes[1] = shapely.multipolygons([shapes[1], shapes[rows * columns - 1]])
        shapes = np.delete(shapes, rows * columns - 1)
    world = build_world("a/S", schools={"S": WorldSchool()})
    school_table, places, at = _build_schools(world, schools, rows, columns, school_names or {})
    units = _build_units(world, shapes, unit_name)
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects").T
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    ids = units["unit_id"].to_numpy(dtype=object)
    adjacency = Adjacency(
        tuple(ids[pairs[:, 0]]), tuple(ids[pairs[:, 1]]), np.full(len(pairs), CELL_M), area_m2=shapely.area(shapes)
    )
    return dataclasses.replace(
        world,
        name="Winding county",
        crs=CRS,
        units=units,
        schools=school_table,
        places=places,
        adjacency=adjacency,
        fingerprint=compute_digest("drawing county", rows, columns, schools, special, list(units["name"]), at),
    )


def find_nearest(study: StudyArea) -> npt.NDArray[np.int64]:
    """Return the nearest school of every area: its number among the schools."""
    tree = shapely.STRtree(shapely.points(study.schools["x_m"], study.schools["y_m"]))
    points = shapely.points(study.units["x_m"].to_numpy(dtype=float), study.units["y_m"].to_numpy(dtype=float))
    return np.asarray(tree.nearest(points), dtype=np.int64)


def _draw_cells(rows: int, columns: int) -> npt.NDArray[np.object_]:
    """Return winding cells: every side has six vertices between its corners."""
    random = np.random.default_rng(7)
    corner = np.stack(np.meshgrid(np.arange(columns + 1), np.arange(rows + 1)), axis=-1) * CELL_M
    corner = corner + random.uniform(-0.12, 0.12, corner.shape) * CELL_M
    along = np.linspace(0, 1, 8)[:-1][:, None]

    def wind(start: Values, end: Values) -> Values:
        line = start[..., None, :] * (1 - along) + end[..., None, :] * along
        shift = random.uniform(-0.05, 0.05, line.shape) * CELL_M
        shift[..., 0, :] = 0
        return np.asarray(line + shift)

    flat, tall = wind(corner[:, :-1], corner[:, 1:]), wind(corner[:-1], corner[1:])

    def turn(line: Values, end: Values) -> Values:
        return np.concatenate([end[..., None, :], line[..., :0:-1, :]], axis=-2)

    rings = [
        flat[:-1],
        tall[:, 1:],
        turn(flat[1:], corner[1:, 1:]),
        turn(tall[:, :-1], corner[1:, :-1]),
    ]
    points = np.concatenate(rings, axis=-2).reshape(rows * columns, -1, 2) + np.array([WEST_M, SOUTH_M])
    cells: npt.NDArray[np.object_] = np.asarray(shapely.polygons(points), dtype=object)
    return cells


def _build_units(
    world: StudyArea, shapes: npt.NDArray[np.object_], unit_name: Callable[[int], str]
) -> gpd.GeoDataFrame:
    count = len(shapes)
    middle = shapely.point_on_surface(shapes)
    rows = {name: [world.units[name].iloc[0]] * count for name in world.units.columns if name != "geometry"}
    rows |= {
        "unit_id": [f"u{i:05d}" for i in range(count)],
        "name": [unit_name(i) for i in range(count)],
        "area_m2": shapely.area(shapes).tolist(),
        "perimeter_m": shapely.length(shapes).tolist(),
        "x_m": shapely.get_x(middle).tolist(),
        "y_m": shapely.get_y(middle).tolist(),
        "primary_pupils": [PUPILS] * count,
    }
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=CRS)


def _build_schools(
    world: StudyArea, count: int, rows: int, columns: int, names: Mapping[int, str]
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, list[tuple[float, float]]]:
    """Return schools spread evenly over the grid, each in the middle of a cell."""
    across = max(1, round((count * columns / rows) ** 0.5))
    down = -(-count // across)
    at = []
    for i in range(count):
        row, column = int((i // across + 0.5) * rows / down), int((i % across + 0.5) * columns / across)
        at.append((WEST_M + (column + 0.5) * CELL_M, SOUTH_M + (row + 0.5) * CELL_M))
    keys = [f"s{i:03d}" for i in range(count)]
    table = {name: [world.schools[name].iloc[0]] * count for name in world.schools.columns if name != "geometry"}
    table |= {
        "school_id": keys,
        "name": [names.get(i, f"School {i}") for i in range(count)],
        "x_m": [x for x, _ in at],
        "y_m": [y for _, y in at],
    }
    seats = {name: [world.places[name].iloc[0]] * count for name in world.places.columns}
    places = pd.DataFrame(seats | {"school_id": keys, "capacity_places": [PUPILS * rows * columns / count] * count})
    points = shapely.points(np.array(at))
    return gpd.GeoDataFrame(pd.DataFrame(table), geometry=points, crs=CRS), places, at
