"""The roads as read, before any mode is chosen: nodes, straight pieces, and what may go where."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.crs import from_lonlat
from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.osm import RawRoads
from geodata.road_access import compute_max_speed, compute_node_blocks, compute_way_access
from geodata.road_classes import RoadClass
from geodata.study import FrozenArrays


@dataclass(frozen=True, eq=False)
class RoadTable(FrozenArrays):
    """All roads of a file. Edge ``e`` is the straight piece of way ``way[e]`` from node ``tail[e]`` to ``head[e]``.

    ``x_m``/``y_m`` (per node) are in the study's CRS. ``length_m`` (per edge) is measured on the ellipsoid, so the
    projection's scale does not enter. Per way: ``way_class`` (position in ``classes``), ``way_name`` (position in
    ``names``; 0 = no name), ``way_access`` (bits of ``geodata.road_access``), ``way_max_speed_kmh`` (NaN = not
    posted). ``node_blocks`` (per node): bits of the modes that a barrier stops. Edges follow their way, so the
    polyline of a way is its edges in order. ``node_cut`` (per node; may be empty): the way goes on from here to a node
    that the file does not hold. ``issues``: what the reader of a layer of lines found.
    """

    crs: str
    node_id: npt.NDArray[np.int64]
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    node_blocks: npt.NDArray[np.uint8]
    tail: npt.NDArray[np.int32]
    head: npt.NDArray[np.int32]
    length_m: npt.NDArray[np.float64]
    way: npt.NDArray[np.int32]
    way_class: npt.NDArray[np.int16]
    way_name: npt.NDArray[np.int32]
    way_access: npt.NDArray[np.uint8]
    way_max_speed_kmh: npt.NDArray[np.float32]
    classes: tuple[RoadClass, ...]
    names: tuple[str, ...]
    source: str = ""
    date: str = ""
    node_cut: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    issues: tuple[DataIssue, ...] = ()

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.x_m)

    @property
    def n_edges(self) -> int:
        """Number of straight pieces."""
        return len(self.tail)


def _require_on_earth(
    lon_deg: npt.NDArray[np.float64],
    lat_deg: npt.NDArray[np.float64],
    placed: npt.NDArray[np.bool_],
    source: str,
) -> None:
    """Raise ``DataError`` where a node of a road has no place on Earth: a projected graph, for instance."""
    lost = ~placed | ~(np.abs(lon_deg) <= 180) | ~(np.abs(lat_deg) <= 90)
    if not lost.any():
        return
    first = int(np.flatnonzero(lost)[0])
    problem = msg("{count:,} points of roads have no longitude and latitude on Earth.", count=int(lost.sum()))
    found = f"{lon_deg[first]:g}, {lat_deg[first]:g}"
    cure = msg("Save the roads in longitude and latitude (WGS 84), not projected.")
    raise DataError(DataIssue("roads", "error", problem, file=source, found=found, cure=cure))


def build_road_table(raw: RawRoads, crs: str, classes: dict[str, RoadClass]) -> RoadTable:
    """Project the nodes, cut the ways into straight pieces, and read access from the tags.

    Ways of a class that is not in ``classes`` (proposed, under construction, platforms …) are left out, and so are
    pieces with a node that the file does not hold.

    Raises
    ------
    DataError
        Nothing is left.
    """
    way_class = _code(raw.tags["highway"], classes)
    tail, head, way = _cut_ways(raw, way_class >= 0)
    if not len(tail):
        problem = msg("No road that anybody may use in this file.")
        raise DataError(DataIssue("roads", "error", problem, file=raw.source))
    used = np.zeros(len(raw.node_id), dtype=bool)
    used[tail] = used[head] = True
    renumber = np.cumsum(used, dtype=np.int64) - 1
    lon, lat = raw.lon_deg[used], raw.lat_deg[used]
    x, y = from_lonlat(lon, lat, crs)
    _require_on_earth(lon, lat, np.isfinite(x) & np.isfinite(y), raw.source)
    tail, head = renumber[tail].astype(np.int32), renumber[head].astype(np.int32)
    blocks = np.zeros(len(raw.node_id), dtype=np.uint8)
    blocks[raw.barriers["node"].to_numpy(dtype=np.int64)] = compute_node_blocks(raw.barriers)
    name_code, names = _read_names(raw.tags)
    return RoadTable(
        crs=crs,
        node_id=raw.node_id[used],
        x_m=np.asarray(x, dtype=np.float64),
        y_m=np.asarray(y, dtype=np.float64),
        node_blocks=blocks[used],
        tail=tail,
        head=head,
        length_m=measure_edges(lon, lat, tail, head),
        way=way,
        way_class=way_class,
        way_name=name_code,
        way_access=compute_way_access(raw.tags, classes),
        way_max_speed_kmh=compute_max_speed(raw.tags),
        classes=tuple(classes.values()),
        names=names,
        source=raw.source,
        date=raw.date,
        node_cut=_find_cut_nodes(raw)[used],
    )


def _find_cut_nodes(raw: RawRoads) -> npt.NDArray[np.bool_]:
    """Return which nodes are the last that the file holds of a way that goes on."""
    cut = np.zeros(len(raw.node_id), dtype=bool)
    if len(raw.way_nodes) == 0 or raw.way_nodes.min() >= 0:
        return cut
    way_of = np.repeat(np.arange(len(raw.way_start) - 1), np.diff(raw.way_start))
    first, second = raw.way_nodes[:-1], raw.way_nodes[1:]
    same = way_of[:-1] == way_of[1:]
    cut[first[same & (first >= 0) & (second < 0)]] = True
    cut[second[same & (second >= 0) & (first < 0)]] = True
    return cut


def measure_edges(
    lon_deg: npt.NDArray[np.float64],
    lat_deg: npt.NDArray[np.float64],
    tail: npt.NDArray[np.int32],
    head: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """Return the geodesic length of each edge on the WGS 84 ellipsoid, in metres."""
    from pyproj import Geod

    _, _, length = Geod(ellps="WGS84").inv(lon_deg[tail], lat_deg[tail], lon_deg[head], lat_deg[head])
    return np.asarray(length, dtype=np.float64)


def _cut_ways(
    raw: RawRoads, keep_way: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return tail node, head node and way of every pair of consecutive nodes."""
    sizes = np.diff(raw.way_start)
    way_of = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    tail, head = raw.way_nodes[:-1], raw.way_nodes[1:]
    keep = (way_of[:-1] == way_of[1:]) & keep_way[way_of[:-1]] & (tail >= 0) & (head >= 0) & (tail != head)
    return tail[keep], head[keep], way_of[:-1][keep]


def _code(highway: pd.Series, classes: dict[str, RoadClass]) -> npt.NDArray[np.int16]:
    """Return the position of each tag in ``classes``; -1 for other classes, and for rows that are no road."""
    position = {name: number for number, name in enumerate(classes) if classes[name].group != "none"}
    column = highway.astype("category")
    table = np.array([*(position.get(word, -1) for word in column.cat.categories), -1], dtype=np.int16)
    return table[column.cat.codes.to_numpy()]


def _read_names(tags: pd.DataFrame) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
    """Return the position of each way's name, and the names; without a name the road number stands in."""
    chosen = pd.Series("", index=tags.index, dtype=object)
    for key in ("name", "name:zh", "ref"):
        if key in tags:
            column = tags[key].astype(object).fillna("")
            chosen = chosen.where(chosen != "", column)
    codes, words = pd.factorize(pd.concat([pd.Series([""]), chosen], ignore_index=True))
    return codes[1:].astype(np.int32), tuple(str(word) for word in words)
