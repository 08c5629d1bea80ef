"""Lines of a road layer into a graph: which ends are one place, where a line is met, where two lines cross at a level.

A layer of lines says where roads run, not where they meet. Four rules, in this order, make it a graph:

1. *Shared vertices.* Two lines with a vertex at the same place (to a millimetre) meet there; where neither ends there,
   only if they run on the same level (a bridge over a road is drawn through the same point in many layers).
2. *Ends.* Line ends nearer to each other than ``snap_m`` are one place: that of the end with the most lines. Ends that
   short lines join already stay apart, so that a road drawn in tiny bits is not folded up.
3. *Ends on lines.* An end nearer than ``snap_m`` to the inside of another line of its level meets it there.
4. *Crossings.* Lines that cross without a vertex meet where both run on the ground and both may be crossed (an
   expressway may not). Where the layer does not tell levels, they meet only if such crossings are common in it
   (:data:`CROSSING_SHARE`): a layer whose junctions all have vertices crosses without one where a bridge is.

Coordinates are metres; nothing here knows what a road is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.study import FrozenArrays

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEAR_MISS_M = 15.0
"""An end that stops as near to another line, and does not meet it, is told."""
CROSSING_SHARE = 0.2
"""Share of crossings without a vertex among all meetings, above which they are junctions that were not drawn."""
STEP_M = 0.001
"""Places are the same to a millimetre."""
MAX_PAIRS = 30_000_000
_END_LEVEL = 63
_LEVELS = 31


@dataclass(frozen=True, eq=False)
class Lines(FrozenArrays):
    """The vertices of lines one after another: those of line ``i`` are ``start[i]:start[i+1]``, at least two each.

    ``level`` (-30 to 30) and ``crossable`` are per line; ``tells_levels``: the layer says which lines run on bridges.
    """

    x_m: Floats
    y_m: Floats
    start: Ints
    level: Ints
    crossable: Bools
    tells_levels: bool

    @property
    def line(self) -> Ints:
        """The line of each vertex."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))


@dataclass(frozen=True, eq=False)
class NodedLines(FrozenArrays):
    """Lines as ways between nodes: ``way_nodes[way_start[i]:way_start[i+1]]`` are the nodes of line ``i``.

    A line that fell together keeps no node. ``snapped``: ends that were moved; ``met``: ends joined to the inside of a
    line; ``crossed``: crossings made junctions; ``passed``: crossings left alone; ``short``: lines that fell together.
    ``miss_m`` (n, 2), ``miss_gap_m`` and ``miss_line``: ends that stop beside another line, widest-reaching first
    (those that would join two separate pieces: ``miss_apart``).
    """

    x_m: Floats
    y_m: Floats
    way_start: Ints
    way_nodes: Ints
    snapped: int
    met: int
    crossed: int
    passed: int
    short: int
    miss_m: Floats
    miss_gap_m: Floats
    miss_line: Ints
    miss_apart: Bools


@dataclass(frozen=True, eq=False)
class _Inserts:
    """Nodes set into the inside of lines: the line, how far along it (m), the node."""

    line: Ints
    along_m: Floats
    node: Ints


def node_lines(lines: Lines, snap_m: float) -> NodedLines:
    """Return the graph of lines by the rules above.

    Raises
    ------
    DataError
        ``snap_m`` is so wide that nearly every end lies within it of every other.
    """
    shapes: Any = shapely.linestrings(np.column_stack([lines.x_m, lines.y_m]), indices=lines.line)
    node, x_m, y_m, is_end = _share_vertices(lines)
    node, snapped = _snap_ends(lines, node, x_m, y_m, is_end, snap_m)
    met = _meet_insides(lines, shapes, node, (x_m, y_m), snap_m)
    crossings, cross_m, passed = _cross(lines, shapes, node, met, max(snap_m, STEP_M))
    fresh = len(x_m) + np.arange(len(cross_m))
    x_m, y_m = np.concatenate([x_m, cross_m[:, 0]]), np.concatenate([y_m, cross_m[:, 1]])
    inserts = _Inserts(
        np.concatenate([met.line, crossings[0], crossings[1]]),
        np.concatenate([met.along_m, *_locate(shapes, crossings, cross_m)]),
        np.concatenate([met.node, fresh, fresh]),
    )
    start, ways = _thread(lines, node, inserts)
    misses = _find_misses(lines, shapes, start, ways, (x_m, y_m), snap_m)
    short = int((np.diff(start) == 0).sum())
    return NodedLines(x_m, y_m, start, ways, snapped, len(met.line), len(cross_m), passed, short, *misses)


def _share_vertices(lines: Lines) -> tuple[Ints, Floats, Floats, Bools]:
    """Rule 1: the node of every vertex, the places of the nodes, and which vertices are ends of lines."""
    west, south = lines.x_m.min(), lines.y_m.min()
    reach = max(float(np.ptp(lines.x_m)), float(np.ptp(lines.y_m)), 1.0)
    step = max(STEP_M, reach / 2**27)
    across = np.round((lines.x_m - west) / step).astype(np.int64)
    up = np.round((lines.y_m - south) / step).astype(np.int64)
    is_end = np.zeros(len(across), dtype=bool)
    is_end[lines.start[:-1]] = is_end[lines.start[1:] - 1] = True
    level = np.where(is_end, _END_LEVEL, lines.level[lines.line] + _LEVELS)
    key = (((across << 29) | up) << 6) | level
    unique, first, node = np.unique(key, return_index=True, return_inverse=True)
    node = node.reshape(-1)
    place = unique >> 6
    last = np.append(place[1:] != place[:-1], True)  # an end, where there is one, is the last of its place
    group_last = np.flatnonzero(last)[np.cumsum(last) - last]
    ended = (unique[group_last] & 63) == _END_LEVEL
    target = np.where(ended, group_last, np.arange(len(unique)))
    return target[node], lines.x_m[first], lines.y_m[first], is_end


def _snap_ends(lines: Lines, node: Ints, x_m: Floats, y_m: Floats, is_end: Bools, snap_m: float) -> tuple[Ints, int]:
    """Rule 2: the node of every vertex, where near ends are one; and how many places moved."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends, count = np.unique(node[is_end], return_counts=True)
    if snap_m <= 0:
        return node, 0
    points: Any = shapely.points(x_m[ends], y_m[ends])
    tree = shapely.STRtree(points)
    pairs: list[Ints] = []
    total = 0
    for low in range(0, len(ends), 20_000):
        found = tree.query(points[low : low + 20_000], predicate="dwithin", distance=snap_m).astype(np.int64)
        found[0] += low
        total += found.shape[1]
        if total > MAX_PAIRS:
            problem = msg("Within the snap distance of {snap_m:g} m nearly all line ends fall together.", snap_m=snap_m)
            cure = msg("Set a smaller snap_m under [roads].")
            raise DataError(DataIssue("roads", "error", problem, column="snap_m", cure=cure))
        pairs.append(found[:, found[0] < found[1]])
    first, second = np.concatenate(pairs, axis=1) if pairs else np.empty((2, 0), dtype=np.int64)
    apart = _label_short_chains(lines, node, len(x_m), snap_m)[ends]
    strangers = apart[first] != apart[second]
    first, second = first[strangers], second[strangers]
    if not len(first):
        return node, 0
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(len(ends), len(ends)))
    label = connected_components(graph.tocsr(), directed=False)[1]
    order = np.lexsort((np.arange(len(ends)), -count, label))
    chief = order[np.append(True, np.diff(label[order]) > 0)]  # per label the end with the most lines
    target = np.arange(len(x_m))
    target[ends] = ends[chief[label]]
    return target[node], int((target[ends] != ends).sum())


def _label_short_chains(lines: Lines, node: Ints, n_nodes: int, snap_m: float) -> Ints:
    """Return the same number for nodes that lines no longer than ``2 * snap_m`` join: a road drawn in tiny bits.

    Such ends meet already; to join them would fold the road up.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    step = np.hypot(np.diff(lines.x_m), np.diff(lines.y_m))
    step[lines.start[1:-1] - 1] = 0.0
    length = np.add.reduceat(np.append(step, 0.0), lines.start[:-1])
    short = length <= 2 * snap_m
    tail, head = node[lines.start[:-1][short]], node[lines.start[1:][short] - 1]
    graph = coo_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(n_nodes, n_nodes))
    return np.asarray(connected_components(graph.tocsr(), directed=False)[1], dtype=np.int64)


def _meet_insides(lines: Lines, shapes: Any, node: Ints, places: tuple[Floats, Floats], snap_m: float) -> _Inserts:
    """Rule 3: ends set into the lines that they touch."""
    x_m, y_m = places
    reach_m = max(snap_m, STEP_M)
    chain = _label_short_chains(lines, node, len(x_m), snap_m)
    line = lines.line
    edge_vertex = np.concatenate([lines.start[:-1], lines.start[1:] - 1])
    ends = np.unique(node[edge_vertex])
    points = shapely.points(x_m[ends], y_m[ends])
    end, other = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=reach_m).astype(np.int64)
    width = len(lines.start)
    known = np.unique(node * width + line)
    end_level = np.unique(node[edge_vertex] * 64 + lines.level[line[edge_vertex]] + _LEVELS)
    strange = ~_holds(known, ends[end] * width + other)
    level = _holds(end_level, ends[end] * 64 + lines.level[other] + _LEVELS)
    keep = strange & level & (chain[ends[end]] != chain[node[lines.start[:-1]][other]])
    end, other = end[keep], other[keep]
    along = shapely.line_locate_point(shapes[other], points[end])
    return _Inserts(other, np.asarray(along, dtype=np.float64), ends[end])


def _holds(ordered: Ints, wanted: Ints) -> Bools:
    """Whether each wanted value stands among ordered ones."""
    if not len(ordered):
        return np.zeros(len(wanted), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.asarray(ordered[at] == wanted, dtype=bool)


def _cross(
    lines: Lines, shapes: Any, node: Ints, met: _Inserts, reach_m: float
) -> tuple[tuple[Ints, Ints], Floats, int]:
    """Rule 4: pairs of lines and the places where they become one junction; and how many crossings are left alone."""
    nothing = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)), np.empty((0, 2))
    tree = shapely.STRtree(shapes)
    found = [tree.query(shapes, predicate=predicate).astype(np.int64) for predicate in ("crosses", "overlaps")]
    first, second = np.concatenate(found, axis=1)
    first, second = first[first < second], second[first < second]
    if not len(first):
        return *nothing, 0
    shared = shapely.intersection(shapes[first], shapes[second])
    parts, pair = shapely.get_parts(shared, return_index=True)
    runs = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING  # drawn over each other for a while
    parts = np.concatenate([parts[~runs], shapely.get_point(parts[runs], 0), shapely.get_point(parts[runs], -1)])
    pair = np.concatenate([pair[~runs], pair[runs], pair[runs]])
    first, second = first[pair], second[pair]
    spot = shapely.get_coordinates(parts)
    width = len(lines.start)
    used = np.unique(np.concatenate([node * width + lines.line, met.node * width + met.line]))
    open_spot = ~_near_shared_node(lines, shapes, node, met, (first, second), spot, reach_m)
    nodes_met = np.bincount(used // width)
    first, second, spot = first[open_spot], second[open_spot], spot[open_spot]
    joined = (lines.level[first] == 0) & (lines.level[second] == 0) & lines.crossable[first] & lines.crossable[second]
    meetings = int((nodes_met >= 2).sum())
    if not lines.tells_levels and len(first) <= CROSSING_SHARE * (len(first) + meetings):
        joined = np.zeros(len(first), dtype=bool)
    return (first[joined], second[joined]), spot[joined], int((~joined).sum())


def _near_shared_node(
    lines: Lines, shapes: Any, node: Ints, met: _Inserts, pairs: tuple[Ints, Ints], spot: Floats, reach_m: float
) -> Bools:
    """Whether the lines of each pair meet already within ``reach_m`` of the spot: at a vertex or a joined end."""
    width = len(lines.start)
    vertex_node = np.concatenate([node, met.node])
    vertex_line = np.concatenate([lines.line, met.line])
    met_place = shapely.get_coordinates(shapely.line_interpolate_point(shapes[met.line], met.along_m))
    places = np.concatenate([np.column_stack([lines.x_m, lines.y_m]), met_place.reshape(-1, 2)])
    used = np.unique(vertex_node * width + vertex_line)
    shared = np.bincount(used // width)[vertex_node] > 1
    vertex_node, vertex_line, places = vertex_node[shared], vertex_line[shared], places[shared]
    tree = shapely.STRtree(shapely.points(places))
    at, vertex = tree.query(shapely.points(spot), predicate="dwithin", distance=reach_m).astype(np.int64)
    on_pair = (vertex_line[vertex] == pairs[0][at]) | (vertex_line[vertex] == pairs[1][at])
    at, vertex = at[on_pair], vertex[on_pair]
    both = _holds(used, vertex_node[vertex] * width + pairs[0][at])
    both &= _holds(used, vertex_node[vertex] * width + pairs[1][at])
    result = np.zeros(len(spot), dtype=bool)
    result[at[both]] = True
    return result


def _locate(shapes: Any, pairs: tuple[Ints, Ints], spot: Floats) -> tuple[Floats, Floats]:
    """Return how far along each line of the pairs the spots lie."""
    points = shapely.points(spot)
    first, second = (np.asarray(shapely.line_locate_point(shapes[side], points), dtype=np.float64) for side in pairs)
    return first, second


def _thread(lines: Lines, node: Ints, inserts: _Inserts) -> tuple[Ints, Ints]:
    """Return the nodes of every line in order, those set into it among its vertices; nodes twice in a row once."""
    line = lines.line
    step = np.hypot(np.diff(lines.x_m), np.diff(lines.y_m))
    step[lines.start[1:-1] - 1] = 0.0
    along = np.concatenate([[0.0], np.cumsum(step)])
    along -= along[lines.start[:-1]][line]
    all_line, all_node = np.concatenate([line, inserts.line]), np.concatenate([node, inserts.node])
    all_along = np.concatenate([along, inserts.along_m])
    # at equal distances an inserted node stands between the first and the last vertex
    last = np.zeros(len(all_line))
    last[: len(line)][lines.start[1:] - 1] = 2.0
    last[len(line) :] = 1.0
    final = np.zeros(len(all_line))
    final[: len(line)][lines.start[1:] - 1] = 1.0
    order = np.lexsort((last, all_along, final, all_line))
    all_line, all_node = all_line[order], all_node[order]
    again = np.append(False, (all_line[1:] == all_line[:-1]) & (all_node[1:] == all_node[:-1]))
    all_line, all_node = all_line[~again], all_node[~again]
    sizes = np.bincount(all_line, minlength=len(lines.start) - 1)
    alone = sizes[all_line] < 2
    sizes[sizes < 2] = 0
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), all_node[~alone]


def _find_misses(
    lines: Lines, shapes: Any, start: Ints, ways: Ints, places: tuple[Floats, Floats], snap_m: float
) -> tuple[Floats, Floats, Ints, Bools]:
    """Return ends of one line only that stop within :data:`NEAR_MISS_M` of another line without meeting it.

    Told are those that would join two separate pieces, and those whose last stretch points at the other line, where the
    two have no node in common.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    x_m, y_m = places
    line = np.repeat(np.arange(len(start) - 1), np.diff(start))
    inner = line[1:] == line[:-1]
    tail, head, owner = ways[:-1][inner], ways[1:][inner], line[:-1][inner]
    graph = coo_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(len(x_m), len(x_m)))
    part = connected_components(graph.tocsr(), directed=False)[1]
    degree = np.bincount(np.concatenate([tail, head]), minlength=len(x_m))
    at = np.concatenate([tail, head])
    before = np.concatenate([head, tail])
    edge = np.flatnonzero(degree[at] == 1)
    end, before, own = at[edge], before[edge], np.concatenate([owner, owner])[edge]
    points = shapely.points(x_m[end], y_m[end])
    if not len(end):
        return np.empty((0, 2)), np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
    kept = np.flatnonzero(np.diff(start) > 0)
    row, other = shapely.STRtree(shapes[kept]).query(points, predicate="dwithin", distance=NEAR_MISS_M).astype(np.int64)
    other = kept[other]
    far = other != own[row]
    row, other = row[far], other[far]
    gap = np.asarray(shapely.distance(shapes[other], points[row]), dtype=np.float64)
    apart = part[end[row]] != part[ways[start[other]]]
    aims = _aims_at(shapes[other], (x_m, y_m), end[row], before[row])
    width = len(start)
    used = np.unique(ways * width + line)
    stranger = ~_share_a_node(used, width, start, ways, own[row], other)
    keep = apart | (aims & stranger)
    row, gap, apart = row[keep], gap[keep], apart[keep]
    order = np.lexsort((gap, row, ~apart))
    chosen = order[np.sort(np.unique(row[order], return_index=True)[1])]  # one for each end, those apart first
    return np.column_stack([x_m, y_m])[end[row[chosen]]], gap[chosen], own[row[chosen]], apart[chosen]


def _aims_at(others: Any, places: tuple[Floats, Floats], end: Ints, before: Ints) -> Bools:
    """Whether the last stretch of a line, drawn on by :data:`NEAR_MISS_M`, reaches the other line."""
    x_m, y_m = places
    step_x, step_y = x_m[end] - x_m[before], y_m[end] - y_m[before]
    scale = NEAR_MISS_M / np.maximum(np.hypot(step_x, step_y), 1e-9)
    tip = np.column_stack([x_m[end] + step_x * scale, y_m[end] + step_y * scale])
    ray = shapely.linestrings(np.stack([np.column_stack([x_m[end], y_m[end]]), tip], axis=1))
    return np.asarray(shapely.intersects(ray, others), dtype=bool)


def _share_a_node(used: Ints, width: int, start: Ints, ways: Ints, own: Ints, other: Ints) -> Bools:
    """Whether two lines have a node in common."""
    sizes = np.diff(start)[own]
    pair = np.repeat(np.arange(len(own)), sizes)
    offset = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    node = ways[start[own][pair] + offset]
    result = np.zeros(len(own), dtype=bool)
    result[pair[_holds(used, node * width + other[pair])]] = True
    return result
