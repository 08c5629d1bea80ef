"""What it costs a child to cross main roads, railways and rivers on the way to school, in seconds.

Main roads
    A main road (trunk, primary and their ramps) gets two sides. Whoever goes along it stays on one; side roads join
    the side on which they lie; from one side to the other costs the penalty, at every node and every 50 m between.
    So a way that only turns into the road and leaves it on the same side pays nothing, and one that crosses pays once.
    A carriageway of one direction costs half: both of a dual carriageway together cost one crossing. Bridges and
    underpasses share no node with the road and cost nothing. At a crossroads of two main roads each is crossed by
    itself.
Railways and rivers
    Every place where a road crosses the line (``geodata.barriers``: level crossing, bridge, underpass) costs the
    penalty once. Tracks side by side that meet the road in neighbouring nodes count as one.

Whether a crossing has lights, a guard or a gate is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geodata.road_access import BACKWARD, FORWARD
from geodata.road_table import RoadTable
from geodata.study import FrozenArrays, Mode

if TYPE_CHECKING:
    import geopandas as gpd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAIN_GROUP = "main"
SIDE_M = 0.1
"""Metres between the middle of a main road and each of its two sides: enough to tell on which side a house lies."""
AT_NODE_M = 0.05
"""A crossing as near as this to a node lies on it (crossings are given in centimetres)."""
SAME_CROSSING_M = 40.0
"""Tracks of one railway no farther apart are crossed at one go."""
MAIN_STEP_M = 50.0
"""A main road can be crossed at least this often."""
_CHILDREN: tuple[Mode, ...] = ("walk", "bicycle")


@dataclass(frozen=True, eq=False)
class CrossingCosts(FrozenArrays):
    """Seconds for children on foot or bicycle.

    ``edge_s`` (per edge of the road table, either direction): railways and rivers. ``main_road_s``: one crossing of a
    main road.
    """

    edge_s: Floats
    main_road_s: float


@dataclass(frozen=True, eq=False)
class SidedEdges(FrozenArrays):
    """The edges of one mode, main roads twice (once for each side).

    ``edge`` is the position of each among the edges given; ``tail``, ``head``, ``x_m``, ``y_m`` as there, with the
    nodes of main roads parted. Links lead from side to side: nodes ``link_from`` and ``link_to``, in ``link_s`` seconds
    and no metres, both ways.
    """

    edge: Ints
    tail: Ints
    head: Ints
    x_m: Floats
    y_m: Floats
    link_from: Ints
    link_to: Ints
    link_s: Floats


def build_crossing_costs(
    roads: RoadTable, crossings: gpd.GeoDataFrame, penalty_s: Mapping[str, float]
) -> CrossingCosts | None:
    """Return the costs that ``[travel] crossing_penalty_s`` asks for; None where it asks for nothing.

    Parameters
    ----------
    crossings
        ``kind`` and points (:func:`geodata.barriers.read_barriers`).
    penalty_s
        Seconds for one ``main_road``, ``railway``, ``river``; one not named costs nothing.
    """
    if not any(value > 0 for value in penalty_s.values()):
        return None
    edge_s = np.zeros(roads.n_edges)
    for kind in ("railway", "river"):
        seconds = float(penalty_s.get(kind, 0.0))
        points = crossings.geometry.to_numpy()[(crossings["kind"] == kind).to_numpy()]
        if seconds > 0 and len(points):
            edge_s += seconds * _share_crossings(roads, points)
    return CrossingCosts(edge_s, float(penalty_s.get("main_road", 0.0)))


def cut_main_roads(roads: RoadTable, step_m: float = MAIN_STEP_M) -> RoadTable:
    """Return the roads with main roads cut into equal pieces no longer than ``step_m``: places to cross at."""
    parts = np.where(_find_main(roads), np.maximum(np.ceil(roads.length_m / step_m), 1), 1).astype(np.int64)
    if (parts == 1).all():
        return roads
    edge = np.repeat(np.arange(roads.n_edges), parts)
    first = np.cumsum(parts) - parts
    number = np.arange(len(edge)) - first[edge]
    fresh = number > 0  # pieces that begin at a new node
    node = roads.n_nodes + np.cumsum(fresh) - 1
    share = (number / parts[edge])[fresh]
    tail, head = roads.tail[edge[fresh]], roads.head[edge[fresh]]
    x_m = roads.x_m[tail] + share * (roads.x_m[head] - roads.x_m[tail])
    y_m = roads.y_m[tail] + share * (roads.y_m[head] - roads.y_m[tail])
    ends = np.append(np.where(fresh[1:], node[1:], -1), -1)
    return replace(
        roads,
        node_id=np.concatenate([roads.node_id, np.full(len(x_m), -1, dtype=np.int64)]),
        x_m=np.concatenate([roads.x_m, x_m]),
        y_m=np.concatenate([roads.y_m, y_m]),
        node_blocks=np.concatenate([roads.node_blocks, np.zeros(len(x_m), dtype=np.uint8)]),
        tail=np.where(fresh, node, roads.tail[edge]).astype(np.int32),
        head=np.where(ends >= 0, ends, roads.head[edge]).astype(np.int32),
        length_m=roads.length_m[edge] / parts[edge],
        way=roads.way[edge],
    )


def _share_crossings(roads: RoadTable, points: npt.NDArray[np.object_]) -> Floats:
    """Return the crossings on every edge: 1 inside it, a half for each end at a crossing."""
    import shapely

    bits = sum(FORWARD[mode] | BACKWARD[mode] for mode in _CHILDREN)
    usable = np.flatnonzero((roads.way_access[roads.way] & bits) > 0)
    ends = np.stack(
        [np.column_stack([roads.x_m[nodes[usable]], roads.y_m[nodes[usable]]]) for nodes in (roads.tail, roads.head)],
        axis=1,
    )
    tree = shapely.STRtree(np.asarray(shapely.linestrings(ends), dtype=object))
    point, row = tree.query(points, predicate="dwithin", distance=AT_NODE_M)
    place = shapely.get_coordinates(points)[point]
    near = np.hypot(*(ends[row] - place[:, None, :]).transpose(2, 0, 1)) <= AT_NODE_M
    inside = np.bincount(row[~near.any(axis=1)], minlength=len(usable)) > 0
    at_ends = np.column_stack([np.bincount(row[near[:, side]], minlength=len(usable)) > 0 for side in (0, 1)])
    between = at_ends.all(axis=1) & (roads.length_m[usable] <= SAME_CROSSING_M)
    share = np.zeros(roads.n_edges)
    share[usable] = np.where(inside, 1.0, np.where(between, 0.0, 0.5 * at_ends.sum(axis=1)))
    return share


@dataclass(frozen=True, eq=False)
class _Corners(FrozenArrays):
    """Nodes where two or more main edges meet, and the sectors between these edges.

    Sector ``j`` of a corner lies counter-clockwise of its main edge ``j``. ``number`` (per node, -1 = no corner);
    ``start`` (per corner + 1) counts sectors; ``node`` (per sector) is its new node; ``turn`` (per sector) holds corner
    + angle of the main edge as a share of a full turn, rising; ``place`` (edges, 2): sector that begins at the edge, at
    its tail and head (-1: no corner there); ``seconds`` (per sector): cost of crossing the edge at which it begins.
    """

    number: Ints
    start: Ints
    node: Ints
    turn: Floats
    place: Ints
    seconds: Floats


def part_main_roads(
    roads: RoadTable, usable: Ints, ends: tuple[Ints, Ints], places: tuple[Floats, Floats], penalty_s: float
) -> SidedEdges:
    """Return the edges of a mode with two sides for every main road.

    Parameters
    ----------
    usable
        Numbers of the edges that the mode may use.
    ends
        Their tail and head nodes; numbers from ``roads.n_nodes`` on are nodes of their own (barriers).
    places
        x_m and y_m of all nodes.
    penalty_s
        Seconds for one crossing.
    """
    tail, head = ends
    x, y = places[0].copy(), places[1].copy()
    corners = _find_corners(roads, np.unique(np.concatenate(ends)), len(x), penalty_s)
    if corners is None:
        nothing = np.empty(0, dtype=np.int64)
        return SidedEdges(np.arange(len(usable)), tail, head, x, y, nothing, nothing, np.empty(0))
    before = _list_before(corners)
    more = corners.node.max() + 1 - len(x)
    x, y = (np.concatenate([values, np.empty(max(more, 0))]) for values in (x, y))
    _move_aside(corners, before, (x, y), places)
    main = _find_main(roads)[usable]
    sides = []
    for left in (True, False):
        rows = np.arange(len(usable)) if left else np.flatnonzero(main)
        found = []
        for end, nodes in enumerate(ends):
            sector = np.where(
                main[rows],
                _choose_side(corners, before, usable[rows], end, left=left),
                _find_sector(corners, roads, usable[rows], nodes[rows], end),
            )
            whole = (sector >= 0) & (nodes[rows] < roads.n_nodes)  # at a barrier the road ends
            found.append(np.where(whole, corners.node[sector], nodes[rows]))
        sides.append((rows, *found))
    edge, first, last = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    return SidedEdges(edge, first, last, x, y, corners.node[before], corners.node, corners.seconds)


def _find_main(roads: RoadTable) -> npt.NDArray[np.bool_]:
    """Return which edges belong to main roads that somebody may use."""
    group = np.array([item.group == MAIN_GROUP for item in roads.classes], dtype=bool)
    return np.asarray(group[roads.way_class[roads.way]] & (roads.way_access[roads.way] > 0))


def _measure_turn(roads: RoadTable, edges: Ints, end: int) -> Floats:
    """Return the direction in which an edge leaves its tail (0) or head (1), as a share of a full turn."""
    here, there = (roads.tail, roads.head) if end == 0 else (roads.head, roads.tail)
    step_x = roads.x_m[there[edges]] - roads.x_m[here[edges]]
    step_y = roads.y_m[there[edges]] - roads.y_m[here[edges]]
    return np.asarray((np.arctan2(step_y, step_x) / (2 * np.pi)) % 1.0, dtype=np.float64)


def _find_corners(roads: RoadTable, used: Ints, n_nodes: int, penalty_s: float) -> _Corners | None:
    """Return the corners among the nodes ``used``; None where no main road passes through any."""
    main = np.flatnonzero(_find_main(roads))
    edges = np.concatenate([main, main])
    end = np.repeat([0, 1], len(main))
    nodes = np.concatenate([roads.tail[main], roads.head[main]]).astype(np.int64)
    meets = np.bincount(nodes, minlength=n_nodes) >= 2
    is_used = np.zeros(max(n_nodes, int(used.max(initial=0)) + 1), dtype=bool)
    is_used[used] = True
    kept = meets[nodes] & is_used[nodes]
    if not kept.any():
        return None
    edges, end, nodes = edges[kept], end[kept], nodes[kept]
    corner_nodes = np.unique(nodes)
    number = np.full(n_nodes, -1, dtype=np.int64)
    number[corner_nodes] = np.arange(len(corner_nodes))
    turn = np.where(end == 0, _measure_turn(roads, edges, 0), _measure_turn(roads, edges, 1))
    turn = number[nodes].astype(np.float64) + np.minimum(turn, np.nextafter(1.0, 0.0))
    order = np.argsort(turn, kind="stable")
    edges, end, nodes, turn = edges[order], end[order], nodes[order], turn[order]
    start = np.searchsorted(number[nodes], np.arange(len(corner_nodes) + 1))
    is_first = np.zeros(len(turn), dtype=bool)
    is_first[start[:-1]] = True
    fresh = n_nodes + np.cumsum(~is_first) - 1
    place = np.full((roads.n_edges, 2), -1, dtype=np.int64)
    place[edges, end] = np.arange(len(turn))
    bits = roads.way_access[roads.way[edges]]
    one_way = ((bits & FORWARD["drive"]) > 0) != ((bits & BACKWARD["drive"]) > 0)
    return _Corners(
        number=number,
        start=start,
        node=np.where(is_first, nodes, fresh),
        turn=turn,
        place=place,
        seconds=np.where(one_way, 0.5, 1.0) * penalty_s,
    )


def _list_before(corners: _Corners) -> Ints:
    """Return for every sector the one clockwise of it."""
    before = np.arange(len(corners.node)) - 1
    before[corners.start[:-1]] = corners.start[1:] - 1
    return before


def _move_aside(corners: _Corners, before: Ints, places: tuple[Floats, Floats], old: tuple[Floats, Floats]) -> None:
    """Set the places of the sectors' nodes: a little off the road, in the middle of the sector."""
    after = np.empty_like(before)
    after[before] = np.arange(len(before))
    corner = np.floor(corners.turn)
    own, following = corners.turn - corner, corners.turn[after] - corner
    width = (following - own) % 1.0
    width = np.where(width > 0, width, 1.0)
    middle = 2 * np.pi * (own + width / 2)
    origin = np.repeat(corners.node[corners.start[:-1]], np.diff(corners.start))
    for values, before_values, step in ((places[0], old[0], np.cos(middle)), (places[1], old[1], np.sin(middle))):
        values[corners.node] = before_values[origin] + SIDE_M * step


def _choose_side(corners: _Corners, before: Ints, edges: Ints, end: int, *, left: bool) -> Ints:
    """Return the sector of one side of main edges at their tail (0) or head (1); -1 where there is no corner.

    Seen from tail to head, left is counter-clockwise of the direction in which the edge leaves its tail, and clockwise
    of that in which it leaves its head.
    """
    own = corners.place[edges, end]
    begins = left == (end == 0)
    return np.where(own < 0, -1, own if begins else before[own])


def _find_sector(corners: _Corners, roads: RoadTable, edges: Ints, nodes: Ints, end: int) -> Ints:
    """Return the sector in which other edges leave their tail (0) or head (1); -1 where there is no corner."""
    known = nodes < len(corners.number)
    corner = np.where(known, corners.number[np.where(known, nodes, 0)], -1)
    turn = corner + _measure_turn(roads, edges, end)
    found = np.searchsorted(corners.turn, turn, side="right") - 1
    found = np.where(found < corners.start[corner], corners.start[corner + 1] - 1, found)
    return np.where(corner < 0, -1, found)
