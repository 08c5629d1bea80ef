"""What the browser's map needs: shapes packed once, and small arrays of values afterwards.

Shapes travel as whole numbers on a grid of ``2**-30`` of the Web Mercator world (4 cm at the equator), as differences,
compressed, in base64. A part carries a digest of its content, so that the browser can say which parts it holds.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from geodata.crs import to_lonlat
from geodata.road_classes import read_road_classes
from geodata.study import compute_digest

if TYPE_CHECKING:
    import geopandas as gpd

    from geodata.study import Basemap, StudyArea

ENCODING_VERSION = 2
WORLD_STEPS = 2.0**30
MAX_LATITUDE_DEG = 85.0511
FINE_TOLERANCE_M = 3.0
COARSE_TOLERANCE_M = 30.0
MAX_AREA_VERTICES = 600_000

RANK_OF_GROUP: dict[str, int] = {"expressway": 1, "main": 1, "secondary": 2, "local": 3}
"""Rank of a group of road classes for drawing: 1 main road, 2 county road, 3 street, 4 everything else."""

Payload = dict[str, Any]


@dataclass(frozen=True)
class MapPart:
    """One set of shapes, named by role and content; ``build`` makes the payload when the browser lacks it."""

    role: str
    digest: str
    build: Callable[[], Payload]


def compute_part_digest(fingerprint: str, role: str, *details: object) -> str:
    """Return the name under which the browser keeps a part."""
    return f"{role}-{compute_digest(ENCODING_VERSION, fingerprint, role, *details)}"


def to_world(x_m: npt.ArrayLike, y_m: npt.ArrayLike, crs: str) -> npt.NDArray[np.int64]:
    """Return positions in steps of the Mercator world, shape (n, 2), y to the south."""
    lon, lat = to_lonlat(np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64), crs)
    lat = np.radians(np.clip(lat, -MAX_LATITUDE_DEG, MAX_LATITUDE_DEG))
    world_x = (np.asarray(lon) + 180.0) / 360.0
    world_y = 0.5 - np.log(np.tan(np.pi / 4 + lat / 2)) / (2 * np.pi)
    return np.rint(np.column_stack([world_x, world_y]) * WORLD_STEPS).astype(np.int64)


def pack_array(values: npt.NDArray[Any]) -> str:
    """Return an array as base64 text of its little-endian bytes (no compression: for small arrays of values)."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def pack_compressed(values: npt.NDArray[Any]) -> str:
    """Return whole numbers as base64 text of their compressed 32-bit bytes (for shapes and long arrays)."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values, dtype="<i4").tobytes(), 6)).decode("ascii")


def encode_paths(points: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], owners: npt.NDArray[np.int64]) -> Payload:
    """Pack rings or lines.

    Parameters
    ----------
    points
        World positions of all paths one after another, shape (n, 2).
    sizes
        Number of points of every path.
    owners
        Number of paths of every shape (a shape may have none).
    """
    if len(points):
        steps = np.diff(points, axis=0, prepend=points[:1])
        origin = [int(points[0, 0]), int(points[0, 1])]
    else:
        steps, origin = points, [0, 0]
    return {
        "origin": origin,
        "steps": pack_compressed(steps.astype(np.int32).ravel()),
        "sizes": pack_compressed(sizes.astype(np.int32)),
        "owners": pack_compressed(owners.astype(np.int32)),
    }


def encode_areas(shapes: npt.NDArray[Any], crs: str) -> Payload:
    """Pack polygons and multipolygons with their holes; points and missing shapes become shapes without rings."""
    parts, shape_of_part = shapely.get_parts(shapes, return_index=True)
    is_polygon = shapely.get_type_id(parts) == 3
    parts, shape_of_part = parts[is_polygon], shape_of_part[is_polygon]
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    coordinates, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    sizes = np.bincount(ring_of_point, minlength=len(rings)).astype(np.int64)
    owners = np.bincount(shape_of_part[part_of_ring], minlength=len(shapes)).astype(np.int64)
    closing = np.zeros(len(coordinates), dtype=bool)
    closing[np.cumsum(sizes) - 1] = True
    world = to_world(coordinates[~closing, 0], coordinates[~closing, 1], crs)
    return encode_paths(world, sizes - 1, owners)


def encode_lines(shapes: npt.NDArray[Any], crs: str, tolerance_m: float) -> Payload:
    """Pack lines as one shape, simplified by ``tolerance_m`` metres."""
    parts = shapely.get_parts(shapes)
    parts = parts[shapely.get_type_id(parts) == 1]
    if tolerance_m > 0 and len(parts):
        parts = shapely.simplify(parts, tolerance_m, preserve_topology=False)
    coordinates, part_of_point = shapely.get_coordinates(parts, return_index=True)
    sizes = np.bincount(part_of_point, minlength=len(parts)).astype(np.int64)
    world = to_world(coordinates[:, 0], coordinates[:, 1], crs)
    return encode_paths(world, sizes, np.array([len(parts)], dtype=np.int64))


def encode_units(study: StudyArea) -> Payload:
    """Pack the planning units: outlines, ids, names, and the towns as labels."""
    shapes = simplify_coverage(np.asarray(study.units.geometry.array))
    frame = study.units
    return {
        "kind": "areas",
        "shape": encode_areas(shapes, study.crs),
        "ids": [str(value) for value in frame["unit_id"]],
        "names": [str(value) for value in frame["name"].fillna("")],
        "notes": [str(value) for value in frame["town"].fillna("")],
        "labels": _build_town_labels(study),
    }


def simplify_coverage(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Thin out very detailed outlines, shared borders alike; leave ordinary ones as they are."""
    if shapely.get_num_coordinates(shapes).sum() <= MAX_AREA_VERTICES:
        return shapes
    simple: npt.NDArray[Any] = shapely.coverage_simplify(shapes, 5.0)
    return np.where(shapely.is_empty(simple), shapes, simple)


def _build_town_labels(study: StudyArea) -> list[list[Any]]:
    """Return ``[text, x, y]`` per town, at the middle of its units' demand points."""
    frame = study.units[["town", "x_m", "y_m"]].copy()
    frame = frame[frame["town"].fillna("").astype(str) != ""]
    if frame.empty:
        return []
    middle = frame.groupby("town", sort=True)[["x_m", "y_m"]].median()
    world = to_world(middle["x_m"], middle["y_m"], study.crs)
    return [[str(town), int(x), int(y)] for town, (x, y) in zip(middle.index, world, strict=True)]


def encode_points(ids: list[str], names: list[str], x_m: npt.ArrayLike, y_m: npt.ArrayLike, crs: str) -> Payload:
    """Pack named points."""
    world = to_world(x_m, y_m, crs)
    return {"kind": "points", "ids": ids, "names": names, "x": world[:, 0].tolist(), "y": world[:, 1].tolist()}


def encode_basemap(basemap: Basemap, crs: str) -> Payload:
    """Pack water and roads; roads by rank, each coarse (for the overview) and fine (for a close look)."""
    roads: list[Payload] = []
    if len(basemap.roads):
        ranks = {name: RANK_OF_GROUP.get(kind.group, 4) for name, kind in read_road_classes().items()}
        rank = basemap.roads["road_class"].map(ranks).fillna(4).to_numpy(dtype=np.int64)
        lines = np.asarray(basemap.roads.geometry.array)
        texts = basemap.roads["name"].fillna("").astype(str).to_numpy(dtype=object)
        for number in (4, 3, 2, 1):
            chosen = lines[rank == number]
            if not len(chosen):
                continue
            entry: Payload = {"rank": number, "fine": encode_lines(chosen, crs, FINE_TOLERANCE_M)}
            entry["names"] = _encode_line_names(chosen, texts[rank == number])
            if number <= 2:
                entry["coarse"] = encode_lines(chosen, crs, COARSE_TOLERANCE_M)
            roads.append(entry)
    water = np.asarray(basemap.water.geometry.array) if len(basemap.water) else np.array([], dtype=object)
    return {
        "kind": "basemap",
        "roads": roads,
        "lakes": encode_areas(water, crs),
        "rivers": encode_lines(water, crs, FINE_TOLERANCE_M * 2),
    }


def _encode_line_names(shapes: npt.NDArray[Any], texts: npt.NDArray[Any]) -> Payload:
    """Return the different names, and the position of its name for every path of :func:`encode_lines`."""
    parts, shape_of_part = shapely.get_parts(shapes, return_index=True)
    names, number = np.unique(texts.astype(str), return_inverse=True)
    of_path = number[shape_of_part[shapely.get_type_id(parts) == 1]]
    return {"texts": names.tolist(), "of": pack_compressed(of_path.astype(np.int32))}


def encode_bands(bands: gpd.GeoDataFrame, crs: str) -> Payload:
    """Pack isochrone bands (``max_min``, geometry), the widest first, so that nearer ones are drawn on top."""
    ordered = bands.sort_values("max_min", ascending=False)
    return {
        "kind": "areas",
        "shape": encode_areas(np.asarray(ordered.geometry.array), crs),
        "ids": [f"{minutes:g}" for minutes in ordered["max_min"]],
        "names": ["" for _ in range(len(ordered))],
        "limits": [float(minutes) for minutes in ordered["max_min"]],
    }


def encode_outlines(shapes: npt.NDArray[Any], zone: npt.NDArray[np.int64], crs: str) -> Payload:
    """Pack the outline of every zone: the union of its units' shapes (``zone`` < 0: in no zone)."""
    outlines = []
    for number in np.unique(zone[zone >= 0]):
        members = shapes[zone == number]
        members = members[shapely.area(members) > 0]
        if len(members):
            outlines.append(_unite(members))
    return {"kind": "areas", "shape": encode_areas(np.array(outlines, dtype=object), crs), "ids": [], "names": []}


def _unite(members: npt.NDArray[Any]) -> Any:
    """Unite shapes that should not overlap: the fast way where they do not, the general way else."""
    if shapely.coverage_is_valid(members):
        return shapely.coverage_union_all(members)
    return shapely.union_all(shapely.make_valid(members))
