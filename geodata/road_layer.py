"""Roads from a layer of lines (GeoPackage, shapefile, GeoJSON …): what its columns say, and the graph they make.

The columns are those of table ``roads`` of the data dictionary; the lines become ways with the tags that
:mod:`geodata.road_access` reads, so that one set of rules decides who may go where. Roads are two-way unless a column
tells otherwise. How lines become a graph stands in :mod:`geodata.road_noding`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.crs import LOCAL, to_lonlat
from geodata.dictionary import Origin
from geodata.errors import DataError, DataIssue, GeometryError
from geodata.files import read_layer
from geodata.messages import Message, msg
from geodata.osm import NODE_TAGS, WAY_TAGS, RawRoads
from geodata.road_classes import RoadClass
from geodata.road_layer_columns import RoadColumns, read_road_columns
from geodata.road_noding import NEAR_MISS_M, Lines, NodedLines, node_lines
from geodata.road_table import RoadTable, build_road_table
from geodata.schema import raise_if_errors
from geodata.shapes import Shapes, find_layer_crs, find_unplaced, project_shapes
from geodata.study_file import RoadsSource

if TYPE_CHECKING:
    import geopandas as gpd

MAX_TOLD = 20
"""Places of one kind that are told one by one; the rest are counted."""
NEVER_CROSSED = frozenset(["motorway", "motorway_link"])
"""Roads that no other road crosses at their level."""

_LINES = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)
_TAGS = {"access": "access", "access_walk": "foot", "access_bicycle": "bicycle", "access_drive": "motor_vehicle"}


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The usable lines of a layer in the study's metres: one part each, with the row of the layer it is from."""

    shapes: Shapes
    row: npt.NDArray[np.int64]
    issues: list[DataIssue]


def read_road_layer(path: Path, source: RoadsSource, crs: str, classes: dict[str, RoadClass]) -> RoadTable:
    """Read a layer of lines as roads with nodes in ``crs`` (metres, or ``"local"``).

    What was found on the way (words not known, ends joined, ends that stop beside a road …) is in ``issues`` of the
    table.

    Raises
    ------
    DataError
        The file cannot be read, its coordinate system is not known, or it holds no usable line.
    """
    layer = read_layer(path, layer=source.layer)
    columns = read_road_columns(layer, path.name, source)
    raise_if_errors(columns.issues)
    origin = columns.origin
    drawn = _draw(layer, find_layer_crs(layer, source.crs, crs, origin), crs, origin)
    drawn = _drop_doubled(drawn, columns, origin, crs)
    lines = _build_lines(drawn, columns)
    noded = node_lines(lines, source.snap_m)
    raw = _build_raw(noded, drawn, columns, crs, path.name)
    issues = [*columns.issues, *drawn.issues, *_tell(noded, drawn, origin, source.snap_m, crs)]
    table = build_road_table(raw, crs, classes)
    if crs == LOCAL:  # the lengths of a grid of metres are its own
        steps = (table.x_m[table.head] - table.x_m[table.tail], table.y_m[table.head] - table.y_m[table.tail])
        table = replace(table, length_m=np.hypot(*steps))
    return replace(table, issues=tuple(issues))


def _draw(layer: gpd.GeoDataFrame, source_crs: str, crs: str, origin: Origin) -> _Drawn:
    """Return the lines of the layer in ``crs``; shapes of other kinds are told."""
    shapes = np.asarray(shapely.force_2d(layer.geometry.to_numpy()), dtype=object)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    is_line = np.isin(shapely.get_type_id(shapes), _LINES)
    issues = _tell_other_shapes(shapes, empty, is_line, origin)
    rows = np.flatnonzero(is_line & ~empty)
    if not len(rows):
        cure = msg("Give a layer of lines, one for each stretch of road.")
        raise GeometryError(
            [*issues, DataIssue("roads", "error", msg("The layer holds no line."), origin.file, cure=cure)]
        )
    lost = rows[find_unplaced(shapes[rows], source_crs, crs)]
    for row in lost[:MAX_TOLD]:
        problem = msg("The shape lies outside what its coordinate system can hold.")
        cure = msg("Correct the coordinates, or write crs in the study file, for instance EPSG:4547.")
        issues.append(DataIssue("geometry", "error", problem, origin.file, row=origin.row(int(row)), cure=cure))
    if len(lost):
        raise GeometryError(issues)
    parts, part = shapely.get_parts(project_shapes(shapes[rows], source_crs, crs), return_index=True)
    parts = shapely.remove_repeated_points(parts, 0.0)
    kept = shapely.length(parts) > 0
    return _Drawn(parts[kept], rows[part][kept], issues)


def _tell_other_shapes(
    shapes: Shapes, empty: npt.NDArray[np.bool_], is_line: npt.NDArray[np.bool_], origin: Origin
) -> list[DataIssue]:
    """Return a warning for rows without a shape, and one for shapes that are no lines; they are left out."""
    issues = []
    for found, problem in (
        (empty, msg("{count:,} rows of the road layer have no shape; they are left out.", count=int(empty.sum()))),
        (
            ~empty & ~is_line,
            msg(
                "{count:,} shapes of the road layer are no lines; they are left out.",
                count=int((~empty & ~is_line).sum()),
            ),
        ),
    ):
        if found.any():
            first = int(np.flatnonzero(found)[0])
            kind = "" if shapes[first] is None else shapes[first].geom_type
            issues.append(DataIssue("road_shapes", "warning", problem, origin.file, row=origin.row(first), found=kind))
    return issues


def _drop_doubled(drawn: _Drawn, columns: RoadColumns, origin: Origin, crs: str) -> _Drawn:
    """Leave out lines that stand twice: the same points in the same order, or backwards where both are two-way."""
    two_way = columns.oneway[drawn.row] == "no"
    flipped = shapely.normalize(drawn.shapes)
    shape = np.where(two_way, flipped, drawn.shapes)
    keys = pd.DataFrame({"shape": shapely.to_wkb(shape), "two_way": two_way, "level": columns.level[drawn.row]})
    again = keys.duplicated().to_numpy()
    if not again.any():
        return drawn
    at = np.flatnonzero(again)
    middle = shapely.line_interpolate_point(drawn.shapes[at[:1]], 0.5, normalized=True)
    lon, lat = to_lonlat(shapely.get_x(middle), shapely.get_y(middle), crs)
    told = DataIssue(
        "road_doubled",
        "warning",
        msg("{count:,} lines of the road layer stand twice; each is taken once.", count=len(at)),
        origin.file,
        row=origin.row(int(drawn.row[at[0]])),
        cure=msg("Delete the second ones."),
        lon_deg=float(lon[0]),
        lat_deg=float(lat[0]),
    )
    return _Drawn(drawn.shapes[~again], drawn.row[~again], [*drawn.issues, told])


def _build_lines(drawn: _Drawn, columns: RoadColumns) -> Lines:
    """Return the vertices of the lines with what decides whether crossing lines meet."""
    places, line = shapely.get_coordinates(drawn.shapes, return_index=True)
    start = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=len(drawn.shapes)))])
    crossable = ~np.isin(columns.road_class[drawn.row], list(NEVER_CROSSED))
    level = columns.level[drawn.row].astype(np.int64)
    return Lines(places[:, 0].copy(), places[:, 1].copy(), start, level, crossable, columns.tells_levels)


def _build_raw(noded: NodedLines, drawn: _Drawn, columns: RoadColumns, crs: str, file: str) -> RawRoads:
    """Return the graph as any reader of roads delivers it: ways with tags, in degrees."""
    lon, lat = to_lonlat(noded.x_m, noded.y_m, crs)
    tags: dict[str, npt.NDArray[Any]] = {
        "highway": columns.road_class,
        "name": columns.name,
        "ref": columns.ref,
        "oneway": columns.oneway,
        "maxspeed": columns.speed,
        **{tag: columns.access[name] for name, tag in _TAGS.items()},
    }
    empty = np.full(len(drawn.row), "", dtype=object)
    frame = pd.DataFrame({key: tags[key][drawn.row] if key in tags else empty for key in WAY_TAGS}, dtype="object")
    return RawRoads(
        node_id=-1 - np.arange(len(lon), dtype=np.int64),
        lon_deg=lon,
        lat_deg=lat,
        way_start=noded.way_start,
        way_nodes=noded.way_nodes.astype(np.int32),
        tags=frame.astype("category"),
        barriers=pd.DataFrame({key: pd.Series([], dtype=object) for key in ("node", *NODE_TAGS)}),
        source=file,
    )


def _tell(noded: NodedLines, drawn: _Drawn, origin: Origin, snap_m: float, crs: str) -> list[DataIssue]:
    """Return what the planner should know of how lines became a graph."""
    if len(noded.way_nodes) == 0:
        problem = msg("Every line of the road layer is shorter than the snap distance of {snap_m:g} m.", snap_m=snap_m)
        raise DataError(
            DataIssue("roads", "error", problem, origin.file, cure=msg("Set a smaller snap_m under [roads]."))
        )
    notes = []
    if noded.snapped or noded.met:
        notes.append(
            msg(
                "{snapped:,} line ends were joined to another end and {met:,} to the inside of a line ({snap_m:g} m).",
                snapped=noded.snapped,
                met=noded.met,
                snap_m=snap_m,
            )
        )
    if noded.crossed:
        notes.append(msg("{count:,} places where lines cross on the ground were made junctions.", count=noded.crossed))
    if noded.passed:
        notes.append(msg("At {count:,} places lines cross without meeting (bridges, expressways).", count=noded.passed))
    if noded.short:
        notes.append(msg("{count:,} lines shorter than the snap distance were left out.", count=noded.short))
    told = [DataIssue("road_joins", "note", note, origin.file) for note in notes]
    return told + _tell_misses(noded, drawn, origin, snap_m, crs)


def _tell_misses(noded: NodedLines, drawn: _Drawn, origin: Origin, snap_m: float, crs: str) -> list[DataIssue]:
    """Return warnings for ends that stop beside another road, those first that would join separate pieces."""
    count = len(noded.miss_gap_m)
    if not count:
        return []
    lon, lat = to_lonlat(noded.miss_m[:, 0], noded.miss_m[:, 1], crs)
    cure = msg("Draw the line on to the other road, or set a greater snap_m under [roads].")
    issues = [
        DataIssue(
            "road_near_miss",
            "warning",
            _say_miss(float(noded.miss_gap_m[at]), apart=bool(noded.miss_apart[at])),
            origin.file,
            row=origin.row(int(drawn.row[noded.miss_line[at]])),
            cure=cure,
            lon_deg=float(lon[at]),
            lat_deg=float(lat[at]),
        )
        for at in range(min(count, MAX_TOLD))
    ]
    if count > MAX_TOLD:
        problem = msg(
            "And {count:,} more line ends less than {distance:g} m beside another road.",
            count=count - MAX_TOLD,
            distance=NEAR_MISS_M,
        )
        issues.append(DataIssue("road_near_miss", "warning", problem, origin.file, cure=cure))
    return issues


def _say_miss(gap_m: float, *, apart: bool) -> Message:
    if apart:
        return msg("A line ends {gap:.1f} m beside a road that no way leads to from here.", gap=gap_m)
    return msg("A line ends {gap:.1f} m before another road and does not meet it.", gap=gap_m)
