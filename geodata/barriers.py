"""Barriers: railways, expressways and rivers that part a county, and the places where a walkable road crosses them.

Railways and rivers come from an OpenStreetMap road file, expressways from the roads (whatever file they are from),
anything from a layer of lines or of water areas (``[barriers]`` of the study file); an area stands for its middle line.
A crossing is a place where a road that may be walked goes from one side of the line
to the other, whatever it is: bridge, level crossing, underpass. A road that only ends at the line does not cross it.
What runs in a tunnel bars nobody and is left out. Without roads no crossing is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.centrelines import draw_centrelines
from geodata.crs import LOCAL, WGS84
from geodata.dictionary import Origin, read_table_schema
from geodata.errors import DataIssue, GeometryError
from geodata.files import read_layer
from geodata.messages import msg
from geodata.osm import OSM_SUFFIXES
from geodata.population_table import Values
from geodata.road_access import BACKWARD, FORWARD
from geodata.road_table import RoadTable
from geodata.schema import (
    build_empty_table,
    build_missing_column,
    check_mapping,
    convert_column,
    match_columns,
    raise_if_errors,
)
from geodata.shapes import Shapes, build_points, find_layer_crs, project_shapes
from geodata.study_file import StudySpec

if TYPE_CHECKING:
    import geopandas as gpd

BARRIER_KINDS = ("river", "railway", "expressway", "other")
"""Every kind of barrier, in the order in which they are told."""
AT_CROSSING_M = 0.01
"""A road that ends as near to a line as this ends on it."""

_WALK = FORWARD["walk"] | BACKWARD["walk"]
_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_LINES = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)


def read_barriers(spec: StudySpec, crs: str, roads: RoadTable | None) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the barriers of a study and their crossings.

    Parameters
    ----------
    spec : ``spec.roads`` and ``spec.barriers`` name the files
    crs : the study's metric CRS, or ``"local"``
    roads : the roads as read; ``None`` = no roads, so no crossing is known

    Returns
    -------
    barriers : GeoDataFrame
        ``kind`` (:data:`BARRIER_KINDS`), ``name``, ``crossings`` (how many), one line (of several parts) for each
        kind and name, in the order of kinds, then names.
    crossings : GeoDataFrame
        ``kind`` and points.

    Raises
    ------
    DataError
        The layer cannot be read, or holds words or shapes that are not understood.
    """
    import geopandas as gpd

    parts = [_read_layer_lines(spec, crs)]
    if spec.roads is not None and spec.roads.path.lower().endswith(OSM_SUFFIXES):
        from geodata.osm_features import read_osm_barriers

        layer = read_osm_barriers(spec.resolve(spec.roads.path))
        shapes = project_shapes(layer.geometry.to_numpy(), WGS84, crs)
        parts.append((layer["kind"].tolist(), layer["name"].tolist(), shapes))
    if roads is not None:
        parts.append(_list_expressways(roads))
    kinds = np.array([kind for part in parts for kind in part[0]], dtype=object)
    names = np.array([name for part in parts for name in part[1]], dtype=object)
    lines: Shapes = np.concatenate([np.asarray(part[2], dtype=object) for part in parts])
    target = None if crs == LOCAL else crs
    rows = [
        (kind, name, shapely.line_merge(shapely.union_all(lines[(kinds == kind) & (names == name)])))
        for kind in BARRIER_KINDS
        for name in sorted(set(names[kinds == kind]))
    ]
    if not rows:
        empty = build_empty_table("barriers", crs).assign(crossings=pd.Series([], dtype="int64"))
        return empty, gpd.GeoDataFrame({"kind": pd.Series([], dtype="str")}, geometry=[], crs=target)
    table = pd.DataFrame([row[:2] for row in rows], columns=["kind", "name"], dtype="str")
    merged: Shapes = np.array([row[2] for row in rows], dtype=object)
    found, points = find_crossings(table["kind"].tolist(), merged, roads)
    crossings = gpd.GeoDataFrame({"kind": pd.Series(found, dtype="str")}, geometry=list(points), crs=target)
    table["crossings"] = _count_crossings(table["kind"].to_numpy(dtype=object), merged, found, points)
    return gpd.GeoDataFrame(table, geometry=list(merged), crs=target), crossings


def _count_crossings(kinds: Shapes, lines: Shapes, found: Sequence[str], points: Shapes) -> npt.NDArray[np.int64]:
    """Return how many of the crossings lie on each line of their kind."""
    line, point = shapely.STRtree(points).query(lines, predicate="dwithin", distance=AT_CROSSING_M)
    same = kinds[line] == np.array(found, dtype=object)[point]
    return np.bincount(line[same], minlength=len(lines)).astype(np.int64)


def _read_layer_lines(spec: StudySpec, crs: str) -> tuple[list[str], list[str], Shapes]:
    """Return kind, name and lines of the layer that ``[barriers]`` names."""
    source = spec.barriers
    if source is None:
        return [], [], np.empty(0, dtype=object)
    path = spec.resolve(source.path)
    layer = read_layer(path, layer=source.layer)
    table = pd.DataFrame(layer.drop(columns=layer.geometry.name))
    table.columns = [str(header) for header in table.columns]
    schema = read_table_schema("barriers")
    headers = match_columns(table.columns, "barriers", source.columns)
    origin = Origin(path.name, source.layer, np.arange(1, len(layer) + 1), headers)
    issues = check_mapping(source.columns, table.columns, [c.name for c in schema.columns], origin, table="barriers")
    kinds: list[str] = [source.kind] * len(table)
    if "kind" in headers:
        texts = [str(cell) if isinstance(cell, str) else "" for cell in table[headers["kind"]]]
        found, more = convert_column([text or source.kind for text in texts], schema.column("kind"), origin)
        kinds, issues = [str(kind) for kind in found], [*issues, *more]
    elif not source.kind:
        issues.append(build_missing_column("barriers", "kind", origin))
    names = [""] * len(table)
    if "name" in headers:
        names = [cell.strip() if isinstance(cell, str) else "" for cell in table[headers["name"]]]
    shapes = shapely.force_2d(np.asarray(layer.geometry.to_numpy(), dtype=object))
    usable = np.isin(shapely.get_type_id(shapes), (*_LINES, *_AREAS)) & ~shapely.is_empty(shapes)
    for position in np.flatnonzero(~usable):
        kind = "" if shapes[position] is None else shapes[position].geom_type
        problem, cure = (
            msg("The shape is neither a line nor an area."),
            msg("Draw barriers as lines, or water as areas."),
        )
        issues.append(DataIssue("geometry", "error", problem, path.name, row=int(position) + 1, found=kind, cure=cure))
    if any(issue.check == "geometry" for issue in issues):
        raise GeometryError(issues)
    raise_if_errors(issues)
    shapes = project_shapes(shapes, find_layer_crs(layer, source.crs, crs, origin), crs)
    return _replace_areas(kinds, names, shapes)


def _replace_areas(kinds: list[str], names: list[str], shapes: Shapes) -> tuple[list[str], list[str], Shapes]:
    """Return barriers with the middle line of all areas of one kind and name in place of the areas.

    Water is drawn in many tiles: only together do they have a middle. Areas without one (round ponds) part nothing.
    """
    is_area = np.isin(shapely.get_type_id(shapes), _AREAS)
    if not is_area.any():
        return kinds, names, shapes
    rows = np.flatnonzero(is_area)
    groups = sorted({(kinds[row], names[row]) for row in rows})
    areas = [
        shapely.union_all(shapely.make_valid(shapes[[row for row in rows if (kinds[row], names[row]) == key]]))
        for key in groups
    ]
    middles = draw_centrelines(np.array(areas, dtype=object))
    found = [number for number, middle in enumerate(middles) if not shapely.is_empty(middle)]
    lines = np.flatnonzero(~is_area)
    return (
        [*(kinds[row] for row in lines), *(groups[number][0] for number in found)],
        [*(names[row] for row in lines), *(groups[number][1] for number in found)],
        np.concatenate([shapes[lines], middles[found]]),
    )


def _list_expressways(roads: RoadTable) -> tuple[list[str], list[str], Shapes]:
    """Return carriageways on which nobody may walk: motorways, and trunk roads closed to walkers; not their ramps."""
    classes = [item.name for item in roads.classes]
    closed = np.array([name == "trunk" for name in classes])[roads.way_class] & ((roads.way_access & _WALK) == 0)
    express = (np.array([name == "motorway" for name in classes])[roads.way_class] | closed) & (roads.way_class >= 0)
    edges = np.flatnonzero(express[roads.way])
    if not len(edges):
        return [], [], np.empty(0, dtype=object)
    tail, head, way = roads.tail[edges], roads.head[edges], roads.way[edges]
    ends = [np.column_stack([roads.x_m[nodes], roads.y_m[nodes]]) for nodes in (tail, head)]
    lines = np.asarray(shapely.linestrings(np.stack(ends, axis=1)), dtype=object)
    names = [roads.names[int(roads.way_name[one])] for one in way]
    return ["expressway"] * len(lines), names, lines


def find_crossings(kinds: Sequence[str], lines: Shapes, roads: RoadTable | None) -> tuple[list[str], Shapes]:
    """Return kind and point of every crossing of a walkable road with a line, in the order of kinds and coordinates.

    ``kinds`` and ``lines`` are one per barrier. Roads that meet the line in one of their nodes cross it there when
    roads leave that node on both sides of the line.
    """
    nothing: tuple[list[str], Shapes] = [], np.empty(0, dtype=object)
    edges = np.flatnonzero((roads.way_access[roads.way] & _WALK) > 0) if roads is not None else np.empty(0, dtype=int)
    if roads is None or not len(edges) or not len(lines):
        return nothing
    start, end, kind = _cut_lines(kinds, lines)
    nodes = np.column_stack([roads.x_m, roads.y_m])
    ends = np.stack([nodes[roads.tail[edges]], nodes[roads.head[edges]]], axis=1)
    tree = shapely.STRtree(np.asarray(shapely.linestrings(np.stack([start, end], axis=1)), dtype=object))
    edge, piece = tree.query(shapely.linestrings(ends), predicate="dwithin", distance=AT_CROSSING_M)
    step, along = ends[edge, 1] - ends[edge, 0], end[piece] - start[piece]
    gap = start[piece] - ends[edge, 0]
    turn = _cross(step, along)
    length = np.hypot(*step.T)
    sure = np.abs(turn) > 1e-9 * np.maximum(length * np.hypot(*along.T), 1e-9)
    share = np.where(sure, _cross(gap, along) / np.where(sure, turn, 1.0), np.nan)
    spot = ends[edge, 0] + share[:, None] * step
    within = np.abs(share - 0.5) * length < 0.5 * length - AT_CROSSING_M
    found = {(kind[one], *np.round(at, 2)) for one, at in zip(piece[within], spot[within], strict=True)}
    on_line = ~within | ~sure
    touching = _list_touching(roads, edges[edge[on_line]], start[piece[on_line]], end[piece[on_line]], nodes)
    found |= _find_at_nodes(touching, kind[piece[on_line]], start[piece[on_line]], end[piece[on_line]], nodes)
    rows = sorted(found, key=lambda row: (BARRIER_KINDS.index(row[0]), row[1], row[2]))
    if not rows:
        return nothing
    places = np.array([row[1:] for row in rows], dtype=np.float64)
    return [row[0] for row in rows], build_points(places[:, 0], places[:, 1])


def _cross(first: Values, second: Values) -> Values:
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0], dtype=np.float64)


def _cut_lines(kinds: Sequence[str], lines: Shapes) -> tuple[Values, Values, Shapes]:
    """Return start, end (n, 2) and kind of every straight piece of the lines."""
    parts, owner = shapely.get_parts(lines, return_index=True)
    places, part = shapely.get_coordinates(parts, return_index=True)
    inner = part[1:] == part[:-1]
    kind = np.array(kinds, dtype=object)[owner[part]][:-1][inner]
    return places[:-1][inner], places[1:][inner], kind


def _list_touching(
    roads: RoadTable, edges: npt.NDArray[np.int64], start: Values, end: Values, nodes: Values
) -> npt.NDArray[np.int64]:
    """Return for each pair of an edge and a piece the node of the edge that lies on the piece, and its other node.

    Shape (n, 2); -1 where neither lies on it, or both (an edge along the line).
    """
    ends = np.column_stack([roads.tail[edges], roads.head[edges]]).astype(np.int64)
    pieces = shapely.linestrings(np.stack([start, end], axis=1))
    near = np.column_stack(
        [shapely.distance(pieces, shapely.points(nodes[ends[:, side]])) <= AT_CROSSING_M for side in (0, 1)]
    )
    result = np.where(near[:, :1], ends, ends[:, ::-1])
    result[near.sum(axis=1) != 1] = -1
    return result


def _find_at_nodes(
    touching: npt.NDArray[np.int64], kind: Shapes, start: Values, end: Values, nodes: Values
) -> set[tuple[str, float, float]]:
    """Return the nodes on a line from which walkable roads leave to both sides."""
    roads_at: dict[tuple[int, str], set[float]] = defaultdict(set)
    lines_at: dict[tuple[int, str], set[float]] = defaultdict(set)
    for (node, other), one, first, last in zip(touching, kind, start, end, strict=True):
        if node < 0:
            continue
        place = nodes[node]
        roads_at[int(node), one].add(_compute_angle(nodes[other] - place))
        for tip in (first, last):
            if np.hypot(*(tip - place)) > AT_CROSSING_M:
                lines_at[int(node), one].add(_compute_angle(tip - place))
    found = set()
    for key, angles in roads_at.items():
        bounds = np.sort(np.array([*lines_at[key]]))
        if len(bounds) > 1 and len(set(np.searchsorted(bounds, sorted(angles)) % len(bounds))) > 1:
            x_m, y_m = np.round(nodes[key[0]], 2)
            found.add((key[1], float(x_m), float(y_m)))
    return found


def _compute_angle(step: Values) -> float:
    return round(float(np.arctan2(step[1], step[0])), 6)
