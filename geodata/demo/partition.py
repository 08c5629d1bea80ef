"""Planning units of the demo county: street blocks and village lands that tile the county exactly."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from geodata.demo.settlements import Settlement
from geodata.demo.terrain import Terrain
from geodata.demo.ways import Points, build_generator, round_points
from geodata.errors import LayoutError

SMALL_M2 = 9_000.0
"""Blocks smaller than this join a neighbour."""


@dataclass(frozen=True)
class Land:
    """One planning unit's ground and the number of the settlement to which it belongs."""

    settlement: int
    shape: BaseGeometry


def fray(rng: np.random.Generator, start: Points, end: Points) -> Points:
    """Return an uneven line between two points, as the border of fields is."""
    length = float(np.hypot(*(end - start)))
    parts = int(np.clip(length // 90.0, 1, 60))
    share = np.linspace(0.0, 1.0, parts + 1)
    wave = np.zeros(parts + 1)
    for k in range(1, 7):
        wave += rng.normal(0.0, 1.0) * np.sin(np.pi * k * share) / k
    normal = np.array([-(end - start)[1], (end - start)[0]]) / max(length, 1.0)
    jitter = rng.normal(0.0, 5.0, parts + 1) * np.sin(np.pi * share) ** 0.5
    size = min(0.045 * length, 75.0)
    return start + (end - start) * share[:, None] + normal * (wave * size + jitter)[:, None]


def list_village_borders(
    rng: np.random.Generator, terrain: Terrain, places: list[Settlement]
) -> list[shapely.LineString]:
    """Return the borders between villages: halfway between their centres, frayed."""
    seeds = [(place.x_m, place.y_m) for place in places if place.kind == "village"]
    net = shapely.voronoi_polygons(
        shapely.MultiPoint(seeds), extend_to=terrain.outline.buffer(3_000.0), only_edges=True
    )
    lines = []
    for part in shapely.get_parts(net):
        points = shapely.get_coordinates(part)
        for start, end in itertools.pairwise(points):
            a, b = round_points(start), round_points(end)
            if tuple(a) > tuple(b):
                a, b = b, a
            lines.append((tuple(a), tuple(b)))
    near = terrain.outline.buffer(500.0)
    kept = [pair for pair in sorted(set(lines)) if shapely.LineString(pair).intersects(near)]
    return [shapely.LineString(round_points(fray(rng, np.array(a), np.array(b)))) for a, b in kept if a != b]


def build_partition(seed: int, terrain: Terrain, places: list[Settlement]) -> list[Land]:
    """Tile the county. Order: blocks of the seat, blocks of the towns, village lands, each by settlement."""
    rng = build_generator(seed, "partition")
    blocks = [edge.points for place in places for edge in place.net.edges if edge.border]
    block_lines = [shapely.LineString(points) for points in blocks]
    towns = [k for k, place in enumerate(places) if place.kind != "village"]
    built = {k: _cover_blocks(places[k]) for k in towns}
    all_built = shapely.union_all(list(built.values()))
    open_lines = [*list_village_borders(rng, terrain, places), terrain.river]
    outside = shapely.union_all(shapely.difference(shapely.intersection(open_lines, terrain.outline), all_built))
    lines = shapely.union_all([outside, terrain.outline.exterior, *block_lines], grid_size=0.01)
    faces = [face for face in shapely.get_parts(shapely.polygonize([lines])) if face.area > 1.0]
    order = np.lexsort((shapely.get_y(shapely.point_on_surface(faces)), shapely.get_x(shapely.point_on_surface(faces))))
    faces = [faces[k] for k in order]
    owner = _own_faces(faces, places, built)
    return _merge_orphans(faces, owner, towns)


def _cover_blocks(place: Settlement) -> BaseGeometry:
    lines = shapely.union_all(
        [shapely.LineString(edge.points) for edge in place.net.edges if edge.border], grid_size=0.01
    )
    return shapely.union_all(shapely.polygonize([lines]))


def _own_faces(faces: list[Polygon], places: list[Settlement], built: dict[int, BaseGeometry]) -> list[int]:
    """Return the settlement of each face: -1 where none is yet known."""
    owner = np.full(len(faces), -1)
    inner = shapely.point_on_surface(faces)
    for k, area in built.items():
        shapely.prepare(area)
        owner[shapely.contains_properly(area, inner)] = k
    tree = shapely.STRtree(faces)
    villages = [k for k, place in enumerate(places) if place.kind == "village"]
    hubs = shapely.points([(places[k].x_m, places[k].y_m) for k in villages])
    for n, face in zip(*tree.query(hubs, predicate="within"), strict=True):
        owner[face] = villages[n]
    return [int(k) for k in owner]


def _merge_orphans(faces: list[Polygon], owner: list[int], towns: list[int]) -> list[Land]:
    """Give faces without a village, and slivers between streets, to the neighbour with the longest common border."""
    group = list(range(len(faces)))
    pairs = shapely.STRtree(faces).query(faces, predicate="intersects")
    shared: dict[int, list[tuple[float, int]]] = {}
    for a, b in zip(*pairs, strict=True):
        if a != b:
            length = shapely.length(shapely.intersection(faces[a], faces[b]))
            if length > 1.0:
                shared.setdefault(int(a), []).append((round(float(length), 2), int(b)))
    small = [k for k in range(len(faces)) if owner[k] in towns and faces[k].area < SMALL_M2]
    for k in small:
        choices = [(length, b) for length, b in shared.get(k, []) if owner[b] == owner[k] and b not in small]
        if choices:
            group[k] = group[max(choices)[1]]
    waiting = [k for k in range(len(faces)) if owner[k] < 0]
    while waiting:
        ready = [k for k in waiting if any(owner[b] >= 0 and owner[b] not in towns for _, b in shared.get(k, []))]
        if not ready:
            raise LayoutError("a piece of land touches no village")
        chosen = [
            max((length, b) for length, b in shared[k] if owner[b] >= 0 and owner[b] not in towns)[1] for k in ready
        ]
        for k, b in zip(ready, chosen, strict=True):
            owner[k], group[k] = owner[b], group[b]
        waiting = [k for k in waiting if k not in set(ready)]
    parts: dict[tuple[int, int], list[Polygon]] = {}
    for k, face in enumerate(faces):
        parts.setdefault((owner[k], group[k]), []).append(face)
    return [Land(k, shapely.coverage_union_all(parts[k, g])) for k, g in sorted(parts)]
