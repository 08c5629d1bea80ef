"""Shapes of the offline map: whole steps of the Mercator world, as differences in a few bytes each, in base64.

A step is 2^-26 of the world (0.6 m at the equator). Numbers are written as variable-length bytes (zigzag, seven bits a
byte), so that no browser needs to unpack anything compressed.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.adjacency import find_land
from geodata.coverage import clean_coverage
from geodata.outlines import build_zone_outlines, unite_shapes
from geodata.road_classes import read_road_classes
from geodata.shapes import Shapes
from geodata.simplify import simplify_coverage
from reports.maps import RANK_OF_GROUP, to_world

if TYPE_CHECKING:
    from geodata.study import Basemap, StudyArea

STEP_SHIFT = 4
"""Steps of ``reports.maps`` (2^-30 of the world) are divided by 2 to this power."""
LAND_TOLERANCES_M = (2.0, 5.0, 10.0, 20.0, 40.0)
MAX_LAND_VERTICES = 170_000
ROAD_TOLERANCES_M = (6.0, 15.0, 30.0)
MAX_ROAD_VERTICES = 120_000
WATER_TOLERANCE_M = 10.0

Payload = dict[str, Any]
Ints = npt.NDArray[np.int64]


def pack_numbers(values: npt.ArrayLike) -> str:
    """Return whole numbers (|n| < 2^34) as base64 text of variable-length bytes."""
    numbers = np.asarray(values, dtype=np.int64).ravel()
    rest = np.where(numbers < 0, -2 * numbers - 1, 2 * numbers)
    parts = np.zeros((len(rest), 5), dtype=np.uint8)
    length = np.ones(len(rest), dtype=np.int64)
    for place in range(5):
        parts[:, place] = rest & 127
        rest = rest >> 7
        length[rest > 0] = place + 2
    place_of = np.arange(5)
    parts[place_of < (length - 1)[:, None]] |= 128
    return base64.b64encode(parts[place_of < length[:, None]].tobytes()).decode("ascii")


def to_steps(x_m: npt.ArrayLike, y_m: npt.ArrayLike, crs: str) -> Ints:
    """Return positions in steps of the page's map, shape (n, 2), y to the south."""
    steps: Ints = to_world(x_m, y_m, crs) >> STEP_SHIFT
    return steps


def pack_areas(shapes: Shapes, crs: str) -> Payload:
    """Return (multi)polygons with their holes, ready for the page; a missing shape has no rings."""
    parts, shape_of_part = shapely.get_parts(shapes, return_index=True)
    is_polygon = shapely.get_type_id(parts) == 3
    rings, part_of_ring = shapely.get_rings(parts[is_polygon], return_index=True)
    xy, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    return _pack_paths(
        to_steps(xy[:, 0], xy[:, 1], crs), ring_of_point, shape_of_part[is_polygon][part_of_ring], len(shapes)
    )


def pack_lines(shapes: Shapes, crs: str) -> tuple[Payload, Ints]:
    """Return all lines as the paths of one shape, and for every path the position of the line that it came from."""
    parts, shape_of_part = shapely.get_parts(shapes, return_index=True)
    is_line = shapely.get_type_id(parts) == 1
    parts, shape_of_part = parts[is_line], shape_of_part[is_line]
    xy, part_of_point = shapely.get_coordinates(parts, return_index=True)
    packed = _pack_paths(to_steps(xy[:, 0], xy[:, 1], crs), part_of_point, np.zeros(len(parts), dtype=np.int64), 1)
    return packed, shape_of_part.astype(np.int64)


def _pack_paths(points: Ints, path_of_point: Ints, shape_of_path: Ints, n_shapes: int) -> Payload:
    """Pack paths; a point on the same step as the one before it is left out, but no path loses its ends."""
    n_paths = len(shape_of_path)
    same = np.zeros(len(points), dtype=np.bool_)
    if len(points):
        same[1:] = (points[1:] == points[:-1]).all(axis=1) & (path_of_point[1:] == path_of_point[:-1])
    points, path_of_point = points[~same], path_of_point[~same]
    steps = np.diff(points, axis=0, prepend=points[:1]) if len(points) else points
    return {
        "origin": points[0].tolist() if len(points) else [0, 0],
        "steps": pack_numbers(steps),
        "sizes": pack_numbers(np.bincount(path_of_point, minlength=n_paths)),
        "owners": pack_numbers(np.bincount(shape_of_path, minlength=n_shapes)),
    }


@dataclass(frozen=True, eq=False)
class MapLand:
    """Land of the units, thinned out together: what is clicked, and what the outlines of zones are united from."""

    units: gpd.GeoDataFrame
    shapes: Shapes


def build_land(study: StudyArea) -> MapLand:
    """Return the land of every unit, simplified as little as the size of the page allows."""
    land = clean_coverage(find_land(study.units, scattered=study.adjacency.scattered))
    simple = land
    for tolerance_m in LAND_TOLERANCES_M:
        simple = simplify_coverage(land, tolerance_m)
        if shapely.get_num_coordinates(simple).sum() <= MAX_LAND_VERTICES:
            break
    columns = study.units[["unit_id", "kind", "town", "x_m", "y_m"]]
    return MapLand(gpd.GeoDataFrame(columns, geometry=list(simple), crs=study.units.crs), simple)


def pack_zones(land: MapLand, zones: pd.DataFrame, stage: str, crs: str) -> tuple[Payload, list[str]]:
    """Return the outlines of one stage's zones and the schools of each (ids, joined by ";" where it is shared)."""
    rows = zones[zones["stage"] == stage]
    if rows.empty:
        return pack_areas(np.empty(0, dtype=object), crs), []
    outlines = build_zone_outlines(land.units, rows, scattered=False)
    return pack_areas(np.asarray(outlines.geometry.array), crs), outlines["school_id"].astype(str).tolist()


def pack_town_borders(land: MapLand, crs: str) -> Payload:
    """Return the land of every town, for its border."""
    towns = land.units["town"].fillna("").astype(str).to_numpy(dtype=object)
    names = sorted({name for name in towns if name})
    return pack_areas(np.array([unite_shapes(land.shapes[towns == name]) for name in names], dtype=object), crs)


def pack_backdrop(basemap: Basemap, crs: str) -> Payload:
    """Return roads by rank (1 main road to 3 street; with names) and water, as quiet ground of the map."""
    water = np.asarray(basemap.water.geometry.array, dtype=object) if len(basemap.water) else np.empty(0, dtype=object)
    water = shapely.simplify(water, WATER_TOLERANCE_M)
    return {
        "roads": _pack_roads(basemap, crs) if len(basemap.roads) else [],
        "lakes": pack_areas(water, crs),
        "rivers": pack_lines(water, crs)[0],
    }


def _pack_roads(basemap: Basemap, crs: str) -> list[Payload]:
    """Return the roads, thinned out until they are few enough; streets go where even that does not help."""
    ranks = {name: RANK_OF_GROUP.get(kind.group, 4) for name, kind in read_road_classes().items()}
    frame = pd.DataFrame(
        {
            "rank": basemap.roads["road_class"].map(ranks).fillna(4).to_numpy(dtype=np.int64),
            "name": basemap.roads["name"].fillna("").astype(str).to_numpy(dtype=object),
            "shape": np.asarray(basemap.roads.geometry.array, dtype=object),
        }
    )
    frame = frame[frame["rank"] <= 3]
    joined = frame.groupby(["rank", "name"], sort=True)["shape"].agg(_join_lines).reset_index()
    for most_rank, tolerance_m in [(3, metres) for metres in ROAD_TOLERANCES_M] + [(2, ROAD_TOLERANCES_M[-1])]:
        joined = joined[joined["rank"] <= most_rank]
        shapes = shapely.simplify(np.array(joined["shape"].tolist(), dtype=object), tolerance_m)
        if shapely.get_num_coordinates(shapes).sum() <= MAX_ROAD_VERTICES:
            break
    roads = []
    for rank in (3, 2, 1):
        chosen = (joined["rank"] == rank).to_numpy()
        paths, line = pack_lines(shapes[chosen], crs)
        names = joined["name"].to_numpy(dtype=object)[chosen].tolist()
        roads.append({"rank": rank, "paths": paths, "names": names, "name_of": pack_numbers(line)})
    return roads


def _join_lines(shapes: pd.Series[Any]) -> shapely.Geometry:
    """Return lines of one name joined end to end, so that simplifying finds more to leave out."""
    parts = shapely.get_parts(np.array(shapes.tolist(), dtype=object))
    lines = parts[shapely.get_type_id(parts) == 1]
    merged: shapely.Geometry = shapely.line_merge(shapely.multilinestrings(lines))
    return merged
