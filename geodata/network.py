"""From the roads as read to one connected graph per mode, to lines for the map, and to a report of what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.crossings import CrossingCosts, SidedEdges, part_main_roads
from geodata.errors import NetworkError
from geodata.messages import msg
from geodata.road_access import BACKWARD, BLOCKER, FORWARD, PUSH, RIDE
from geodata.road_classes import STRAIGHT_LINE
from geodata.road_table import RoadTable
from geodata.study import Basemap, Mode, RoadNetwork

if TYPE_CHECKING:
    import geopandas as gpd

    from geodata.slope import SlopeFactors

CLOSED_GROUPS = ("expressway",)
"""Groups of roads that a house or a school cannot be joined to."""

DRAWING_TOLERANCE_M = 3.0


def build_network(
    roads: RoadTable,
    mode: Mode,
    *,
    speeds: Mapping[str, float] | None = None,
    slopes: SlopeFactors | None = None,
    crossings: CrossingCosts | None = None,
) -> RoadNetwork:
    """Return the largest connected part of the roads that ``mode`` may use.

    For walking, "connected" means that there is a way at all; for bicycle and drive that every place can be
    reached from every other and back (one-way streets!). A barrier stops the mode at its node only: the pieces on
    both sides stay usable. Of several pieces between the same two nodes the fastest is kept. Nodes are sorted along
    a space-filling curve, which speeds up every search.

    Parameters
    ----------
    speeds
        km/h by road class, instead of those of the table.
    slopes
        What the time of every edge is multiplied by for its slope (``geodata.slope``); None = flat.
    crossings
        What crossing main roads, railways and rivers costs (``geodata.crossings``); cars pay nothing.

    Raises
    ------
    NetworkError
        The mode can use no road.
    """
    bits = roads.way_access[roads.way]
    ahead, back = (bits & FORWARD[mode]) > 0, (bits & BACKWARD[mode]) > 0
    usable = np.flatnonzero(ahead | back)
    if not len(usable):
        raise NetworkError(msg("No road in {file} can be used by mode {mode}.", file=roads.source, mode=mode))
    costs = crossings if mode != "drive" else None
    sided = _lay_sides(roads, usable, mode, costs)
    edge = usable[sided.edge]
    length = roads.length_m[edge]
    time = length / (compute_speeds(roads, mode, speeds)[edge] / 3.6)
    waits = np.zeros(len(edge)) if costs is None else costs.edge_s[edge]
    up = time if slopes is None else time * slopes.ahead[edge]
    down = time if slopes is None else time * slopes.back[edge]
    closed = np.array([item.group in CLOSED_GROUPS for item in roads.classes], dtype=bool)
    open_edge = ~closed[roads.way_class[roads.way[edge]]]
    goes, comes = ahead[edge], back[edge]
    none, shut = np.zeros(2 * len(sided.link_s)), np.zeros(2 * len(sided.link_s), dtype=bool)
    source = np.concatenate([sided.tail[goes], sided.head[comes], sided.link_from, sided.link_to])
    target = np.concatenate([sided.head[goes], sided.tail[comes], sided.link_to, sided.link_from])
    arcs = pd.DataFrame(
        {
            "tail": source,
            "head": target,
            "length_m": np.concatenate([length[goes], length[comes], none]),
            "time_s": np.concatenate([(up + waits)[goes], (down + waits)[comes], *[sided.link_s] * 2]),
            "open": np.concatenate([open_edge[goes], open_edge[comes], shut]),
        }
    )
    label, parts = _find_main_part(arcs, len(sided.x_m), strong=mode != "walk")
    inside = label[sided.tail] & label[sided.head]
    kept = arcs[label[source] & label[target]]
    share = float(length[inside].sum() / length.sum())
    return _pack(roads, mode, kept, sided.x_m, sided.y_m, parts, share)


def _lay_sides(roads: RoadTable, usable: npt.NDArray[np.int64], mode: Mode, costs: CrossingCosts | None) -> SidedEdges:
    """Return the edges of a mode with nodes of their own at barriers, and with two sides where crossing costs."""
    tail, head, x, y = _split_at_barriers(roads, usable, mode)
    if costs is not None and costs.main_road_s > 0:
        return part_main_roads(roads, usable, (tail, head), (x, y), costs.main_road_s)
    nothing = np.empty(0, dtype=np.int64)
    return SidedEdges(np.arange(len(usable)), tail, head, x, y, nothing, nothing, np.empty(0))


def compute_speeds(roads: RoadTable, mode: Mode, speeds: Mapping[str, float] | None = None) -> npt.NDArray[np.float64]:
    """Return the speed of every edge in km/h; 0 where the mode never goes.

    A posted limit lowers the speed of cars, and never raises it. Bicycles ride at the speed of a cycleway where they
    are welcome, and are pushed at walking speed where they must be.
    """
    own = {item.name: item.speed_kmh[mode] for item in roads.classes}
    if speeds:
        own |= {name: float(value) for name, value in speeds.items() if name in own}
    by_class = np.array([own[item.name] for item in roads.classes], dtype=np.float64)
    result = by_class[roads.way_class]
    if mode == "drive":
        result = np.fmin(result, roads.way_max_speed_kmh.astype(np.float64))
    elif mode == "bicycle":
        walking = np.array([item.speed_kmh["walk"] for item in roads.classes])[roads.way_class]
        riding = own.get("cycleway", 0.0)
        result = np.where(roads.way_access & RIDE, np.maximum(result, riding), result)
        result = np.where((roads.way_access & PUSH) > 0, np.minimum(result, walking), result)
    return np.asarray(result[roads.way], dtype=np.float64)


def _split_at_barriers(
    roads: RoadTable, usable: npt.NDArray[np.int64], mode: Mode
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return tail, head, x, y, where every edge that meets a barrier ends at a node of its own."""
    tail, head = roads.tail[usable].astype(np.int64), roads.head[usable].astype(np.int64)
    blocked = (roads.node_blocks & BLOCKER[mode]) > 0
    x, y = [roads.x_m], [roads.y_m]
    count = roads.n_nodes
    for ends in (tail, head):
        at = np.flatnonzero(blocked[ends])
        x.append(roads.x_m[ends[at]])
        y.append(roads.y_m[ends[at]])
        ends[at] = count + np.arange(len(at))
        count += len(at)
    return tail, head, np.concatenate(x), np.concatenate(y)


def _find_main_part(arcs: pd.DataFrame, n_nodes: int, *, strong: bool) -> tuple[npt.NDArray[np.bool_], int]:
    """Return which nodes lie in the part with the most road, and how many parts there are."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    tail, head = arcs["tail"].to_numpy(), arcs["head"].to_numpy()
    graph = coo_array((np.ones(len(arcs), dtype=np.int8), (tail, head)), shape=(n_nodes, n_nodes)).tocsr()
    _, weak = connected_components(graph, directed=True, connection="weak")
    parts = len(np.unique(weak[tail]))
    label = connected_components(graph, directed=True, connection="strong")[1] if strong else weak
    inner = label[tail] == label[head]
    weight = np.bincount(label[tail[inner]], weights=arcs["length_m"].to_numpy()[inner])
    if not len(weight) or weight.max() <= 0:
        raise NetworkError(msg("The roads hold no connected part that leads there and back."))
    return label == int(weight.argmax()), parts


def _pack(
    roads: RoadTable,
    mode: Mode,
    arcs: pd.DataFrame,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    parts: int,
    share: float,
) -> RoadNetwork:
    """Renumber the nodes along the curve and lay the arcs out node by node."""
    nodes = np.unique(arcs["tail"].to_numpy())
    nodes = nodes[np.argsort(compute_curve_position(x[nodes], y[nodes]), kind="stable")]
    position = np.full(len(x), -1, dtype=np.int32)
    position[nodes] = np.arange(len(nodes))
    tail, head = position[arcs["tail"].to_numpy()], position[arcs["head"].to_numpy()]
    order = np.lexsort((arcs["length_m"].to_numpy(), arcs["time_s"].to_numpy(), head, tail))
    tail, head = tail[order], head[order]
    kept = tail != head
    kept[1:] &= (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])  # the first of several is the fastest
    order, tail, head = order[kept], tail[kept], head[kept]
    start = np.zeros(len(nodes) + 1, dtype=np.int32)
    start[1:] = np.cumsum(np.bincount(tail, minlength=len(nodes)))
    return RoadNetwork(
        mode=mode,
        start=start,
        head=head,
        length_m=arcs["length_m"].to_numpy()[order].astype(np.float32),
        time_s=arcs["time_s"].to_numpy()[order].astype(np.float32),
        x_m=x[nodes],
        y_m=y[nodes],
        parts=parts,
        kept_share=share,
        source=roads.source,
        date=roads.date,
        enterable=arcs["open"].to_numpy(dtype=bool)[order],
        off_road_kmh=next((c.speed_kmh["walk"] for c in roads.classes if c.name == STRAIGHT_LINE), 4.0),
    )


def compute_curve_position(x_m: npt.NDArray[np.float64], y_m: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
    """Return the place of each point on a Z-order (Morton) curve: near on the curve is near on the ground."""
    result = np.zeros(len(x_m), dtype=np.uint64)
    side = max(float(np.ptp(x_m)), float(np.ptp(y_m)), 1.0)
    for shift, values in ((0, x_m), (1, y_m)):
        cell = ((values - values.min()) / side * (2**20 - 1)).astype(np.uint64)
        for bit in range(20):
            result |= ((cell >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + shift)
    return result


def build_basemap(
    roads: RoadTable | None, water: gpd.GeoDataFrame | None, *, tolerance_m: float = DRAWING_TOLERANCE_M
) -> Basemap:
    """Return the roads as few lines for drawing, merged by class and name and simplified, and the water as given."""
    import geopandas as gpd

    crs = None if roads is None or roads.crs == "local" else roads.crs
    if roads is None:
        frame = gpd.GeoDataFrame({"road_class": [], "name": []}, geometry=[], crs=None if water is None else water.crs)
    else:
        frame = gpd.GeoDataFrame(_merge_lines(roads, tolerance_m), geometry="geometry", crs=crs)
    if water is None:
        water = gpd.GeoDataFrame({"kind": [], "name": []}, geometry=[], crs=frame.crs)
    return Basemap(roads=frame, water=water)


def list_road_lines(roads: RoadTable) -> gpd.GeoDataFrame:
    """Return the roads that somebody may use, way by way, with every node: ``road_class``, ``name``, lines."""
    import geopandas as gpd

    lines, way = _draw_ways(roads)
    names = np.array([item.name for item in roads.classes], dtype=object)[roads.way_class[way]]
    table = {"road_class": names, "name": np.array(roads.names, dtype=object)[roads.way_name[way]]}
    return gpd.GeoDataFrame(table, geometry=list(lines), crs=None if roads.crs == "local" else roads.crs)


def _draw_ways(roads: RoadTable) -> tuple[Any, npt.NDArray[np.int32]]:
    """Return the lines of the roads that somebody may use, and the way of each."""
    import shapely

    drawn = roads.way_access[roads.way] > 0
    way = roads.way[drawn]
    joined = np.zeros(len(way), dtype=bool)  # edge continues the one before it
    tail, head = roads.tail[drawn], roads.head[drawn]
    joined[1:] = (way[1:] == way[:-1]) & (tail[1:] == head[:-1])
    run = np.cumsum(~joined) - 1
    first = np.flatnonzero(~joined)
    points = np.concatenate([head, tail[first]])
    order = np.lexsort((np.concatenate([np.ones(len(head)), np.zeros(len(first))]), np.concatenate([run, run[first]])))
    points = points[order]
    lines: Any = shapely.linestrings(
        np.column_stack([roads.x_m[points], roads.y_m[points]]), indices=np.concatenate([run, run[first]])[order]
    )
    return lines, way[first]


def _merge_lines(roads: RoadTable, tolerance_m: float) -> dict[str, object]:
    """Return ``road_class``, ``name`` and one (multi-)line for each pair of them."""
    import shapely

    lines, way = _draw_ways(roads)
    keys = pd.DataFrame({"road_class": roads.way_class[way], "name": roads.way_name[way]})
    groups = keys.groupby(["road_class", "name"], sort=True).indices
    grouped: list[Any] = [shapely.multilinestrings(lines[rows]) for rows in groups.values()]
    merged = shapely.line_merge(grouped)
    return {
        "road_class": [roads.classes[int(key[0])].name for key in groups],  # type: ignore[index]
        "name": [roads.names[int(key[1])] for key in groups],  # type: ignore[index]
        "geometry": shapely.simplify(merged, tolerance_m),
    }


def build_road_report(roads: RoadTable, networks: Mapping[Mode, RoadNetwork]) -> pd.DataFrame:
    """Return the length of road by mode and class.

    Columns: ``mode``, ``road_class``, ``length_km`` (usable by the mode, before cleaning), ``parts`` and
    ``kept_share`` (of the mode's whole network). Mode ``"all"`` counts every road of the file.
    """
    rows: list[tuple[str, str, float, int, float]] = []
    bits, road_class = roads.way_access[roads.way], roads.way_class[roads.way]
    everything = np.ones(roads.n_edges, dtype=bool)
    masks: dict[str, npt.NDArray[np.bool_]] = {"all": everything}
    masks |= {mode: (bits & (FORWARD[mode] | BACKWARD[mode])) > 0 for mode in networks}
    for mode, mask in masks.items():
        length = np.bincount(road_class[mask], weights=roads.length_m[mask], minlength=len(roads.classes)) / 1000
        network = networks.get(mode)  # type: ignore[call-overload]
        parts, share = (network.parts, network.kept_share) if network is not None else (0, 1.0)
        rows += [
            (mode, item.name, float(km), parts, share) for item, km in zip(roads.classes, length, strict=True) if km > 0
        ]
    return pd.DataFrame(rows, columns=["mode", "road_class", "length_km", "parts", "kept_share"])
