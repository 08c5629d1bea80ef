"""The shortest closed walk along lines in a given order: what a finger does on a map while a boundary is read out.

Each line is a small graph of its own points. Where two lines that follow each other meet or come near, the walk may
change over. All closed walks that pass a given pair of changing places are found by dynamic programming over the order
of the lines; the shortest first.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geodata.population_table import Values
from geodata.shapes import build_points

MEET_M = 20.0
"""Lines that come this near meet: carriageways, bends cut short by drawing."""
REACH_M = 150.0
"""Where two lines never meet, a reader goes straight across a gap of this width, and no wider."""
MOST_MEETINGS = 24
GRID_M = 0.01

Meetings = tuple[Values, Values]
"""Places where two lines meet: on the first and on the second line, shape (n, 2) each."""


class LineNet:
    """One line, maybe of several pieces, as a graph to walk on. Pieces are joined where they come nearest."""

    def __init__(self, shape: shapely.Geometry) -> None:
        self.shape = shape
        noded = shapely.union_all([shape], grid_size=GRID_M)
        places, part = shapely.get_coordinates(shapely.get_parts(noded), return_index=True)
        self.nodes, node = np.unique(np.round(places / GRID_M), axis=0, return_inverse=True)
        self.nodes = self.nodes * GRID_M
        node = node.reshape(-1)
        inner = (part[1:] == part[:-1]) & (node[1:] != node[:-1])
        edges = np.column_stack([node[:-1][inner], node[1:][inner]])
        self.edges = np.vstack([edges, _bridge_pieces(self.nodes, edges)]).astype(np.int64)
        self.length_m = np.hypot(*(self.nodes[self.edges[:, 1]] - self.nodes[self.edges[:, 0]]).T)
        self._next: list[list[tuple[int, float]]] = [[] for _ in range(len(self.nodes))]
        for (first, last), length in zip(self.edges.tolist(), self.length_m.tolist(), strict=True):
            self._next[first].append((last, length))
            self._next[last].append((first, length))
        self._reached: dict[tuple[float, float], tuple[npt.NDArray[np.float64], list[int]]] = {}
        self._spots: dict[tuple[float, float], tuple[int, float]] = {}

    def _find_spot(self, place: tuple[float, float]) -> tuple[int, float]:
        """Return the edge nearest to a place, and the metres along it."""
        if place not in self._spots:
            start, step = self.nodes[self.edges[:, 0]], self.nodes[self.edges[:, 1]] - self.nodes[self.edges[:, 0]]
            share = ((np.array(place) - start) * step).sum(axis=1) / np.maximum(self.length_m, 1e-9) ** 2
            share = np.clip(share, 0.0, 1.0)
            off = np.hypot(*(start + share[:, None] * step - place).T)
            edge = int(np.argmin(off))
            self._spots[place] = edge, float(share[edge] * self.length_m[edge])
        return self._spots[place]

    def _reach(self, place: tuple[float, float]) -> tuple[npt.NDArray[np.float64], list[int]]:
        """Return metres from a place to every node, and the node before it on the way (-1: the place itself)."""
        if place in self._reached:
            return self._reached[place]
        edge, along = self._find_spot(place)
        first, last = self.edges[edge].tolist()
        far: list[float] = [float("inf")] * len(self.nodes)
        before = [-1] * len(self.nodes)
        heap = [(along, first), (float(self.length_m[edge]) - along, last)]
        for length, node in heap:
            far[node] = min(far[node], length)
        heapq.heapify(heap)
        while heap:
            length, node = heapq.heappop(heap)
            if length > far[node]:
                continue
            for other, step in self._next[node]:
                if length + step < far[other] - 1e-9:
                    far[other], before[other] = length + step, node
                    heapq.heappush(heap, (length + step, other))
        self._reached[place] = np.array(far), before
        return self._reached[place]

    def measure(self, start: tuple[float, float], end: tuple[float, float]) -> float:
        """Return the metres between two places along the line; ``inf`` where it does not lead there."""
        edge, along = self._find_spot(end)
        from_edge, from_along = self._find_spot(start)
        if edge == from_edge:
            return abs(along - from_along)
        far, _ = self._reach(start)
        first, last = self.edges[edge]
        return float(min(far[first] + along, far[last] + self.length_m[edge] - along))

    def trace(self, start: tuple[float, float], end: tuple[float, float]) -> Values:
        """Return the places between two places along the line, both included; shape (n, 2)."""
        edge, along = self._find_spot(end)
        if edge == self._find_spot(start)[0]:
            return np.array([start, end])
        far, before = self._reach(start)
        first, last = self.edges[edge].tolist()
        node = first if far[first] + along <= far[last] + self.length_m[edge] - along else last
        passed = []
        while node >= 0:
            passed.append(node)
            node = before[node]
        return np.vstack([[start], self.nodes[passed[::-1]], [end]])


def _bridge_pieces(nodes: Values, edges: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return edges that join the pieces of a line, the nearest first, so that all hang together."""
    count = len(nodes)
    links = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
    pieces, piece = connected_components(links, directed=False)
    bridges: list[tuple[int, int]] = []
    joined = piece == piece[0] if count else np.zeros(0, dtype=bool)
    for _ in range(pieces - 1):
        inside, outside = np.flatnonzero(joined), np.flatnonzero(~joined)
        tree = shapely.STRtree(build_points(*nodes[inside].T))
        spots = shapely.points(nodes[outside])
        near, gap = tree.query_nearest(spots, return_distance=True, all_matches=False)
        best = int(np.argmin(gap))
        here, there = int(inside[near[1][best]]), int(outside[near[0][best]])
        bridges.append((here, there))
        joined |= piece == piece[there]
    return np.array(bridges, dtype=np.int64).reshape(-1, 2)


def find_meetings(first: shapely.Geometry, second: shapely.Geometry) -> Meetings:
    """Return the places where two lines meet: crossings, and both ends of every stretch that they have in common.

    Lines that do not meet within :data:`MEET_M` have one meeting where they come nearest, if that is within
    :data:`REACH_M`; else none.
    """
    near = shapely.intersection(first, shapely.buffer(second, MEET_M, quad_segs=4))
    pieces = shapely.get_parts(shapely.line_merge(near)) if not shapely.is_empty(near) else np.empty(0, dtype=object)
    spots: list[tuple[float, float]] = []
    for piece in pieces:
        cross = shapely.intersection(piece, second)
        if not shapely.is_empty(cross) and shapely.length(piece) < 6 * MEET_M:
            middle = shapely.get_coordinates(shapely.centroid(cross))
            spots.append((float(middle[0, 0]), float(middle[0, 1])))
        elif shapely.length(piece) < 3 * MEET_M:
            nearest = shapely.get_coordinates(shapely.shortest_line(piece, second))
            spots.append((float(nearest[0, 0]), float(nearest[0, 1])))
        else:
            ends = shapely.get_coordinates(piece)[[0, -1]]
            spots += [(float(x), float(y)) for x, y in ends]
    if not spots:
        line = shapely.shortest_line(first, second)
        if line is None or shapely.length(line) > REACH_M:
            return np.empty((0, 2)), np.empty((0, 2))
        ends = shapely.get_coordinates(line)
        return ends[:1], ends[1:]
    apart = _thin_out(np.array(spots))
    return _project(first, apart), _project(second, apart)


def _thin_out(spots: Values) -> Values:
    """Return places of which no two lie within :data:`MEET_M` of each other, the most southern and western kept."""
    kept: list[Values] = []
    for spot in spots[np.lexsort(spots.T)]:
        if all(np.hypot(*(spot - other)) > MEET_M for other in kept):
            kept.append(spot)
    return np.array(kept[:MOST_MEETINGS])


def _project(line: shapely.Geometry, spots: Values) -> Values:
    lines = shapely.shortest_line(line, shapely.points(spots))
    found: Values = shapely.get_coordinates(lines)[::2]
    return found


class WalkMaker:
    """Walks along lines; keeps what it has measured. Lines are told apart by a key."""

    def __init__(self) -> None:
        self._nets: dict[object, LineNet] = {}
        self._meetings: dict[tuple[object, object], Meetings] = {}

    def _net(self, key: object, shape: shapely.Geometry) -> LineNet:
        if key not in self._nets:
            self._nets[key] = LineNet(shape)
        return self._nets[key]

    def meet(self, first: tuple[object, shapely.Geometry], second: tuple[object, shapely.Geometry]) -> Meetings:
        """Return :func:`find_meetings` of two keyed lines."""
        pair = first[0], second[0]
        if pair not in self._meetings:
            # Always looked for from the same side, so that the words read the same whatever was read before.
            (one, line), (other, next_line) = sorted((first, second), key=lambda keyed: repr(keyed[0]))
            here, there = find_meetings(line, next_line)
            self._meetings[one, other] = here, there
            self._meetings[other, one] = there, here
        return self._meetings[pair]

    def list_walks(self, lines: Sequence[tuple[object, shapely.Geometry]]) -> Iterator[Values]:
        """Yield closed walks along keyed lines in their order, the shortest first; shape (n, 2) each.

        One line alone has no walk here: what it encloses is found by its shape. A line that does not meet the next
        one ends all walks.
        """
        count = len(lines)
        if count < 2:
            return
        meets = [self.meet(lines[i], lines[(i + 1) % count]) for i in range(count)]
        if any(not len(meeting[0]) for meeting in meets):
            return
        nets = [self._net(*line) for line in lines]
        tables = []
        for i in range(count):
            arrive, leave = meets[i - 1][1], meets[i][0]
            gap = np.hypot(*(meets[i][0] - meets[i][1]).T)
            table = [[nets[i].measure(_spot(a), _spot(b)) for b in leave] for a in arrive]
            tables.append(np.array(table) + gap[None, :])
        for choice in _list_choices(tables):
            pieces = [
                nets[i].trace(_spot(meets[i - 1][1][choice[i - 1]]), _spot(meets[i][0][choice[i]]))
                for i in range(count)
            ]
            yield np.vstack([*pieces, pieces[0][:1]])


def _spot(place: Values) -> tuple[float, float]:
    return float(place[0]), float(place[1])


def _list_choices(tables: list[Values]) -> Iterator[tuple[int, ...]]:
    """Yield choices of one meeting for each pair of lines: the best for every pair of meetings, the shortest first.

    ``tables[i][a, b]``: metres along line ``i`` from meeting ``a`` (with the line before) to ``b`` (with the next).
    """
    ways: list[tuple[list[Values], list[Values]]] = []
    costs, keys = [], []
    for start in range(tables[0].shape[0]):
        forth = [tables[0][start]]
        for table in tables[1:]:
            forth.append((forth[-1][:, None] + table).min(axis=0))
        back = [np.where(np.arange(tables[-1].shape[1]) == start, 0.0, np.inf)]
        for table in tables[:0:-1]:
            back.append((table + back[-1][None, :]).min(axis=1))
        back.reverse()
        ways.append((forth, back))
        first = np.where(np.arange(tables[0].shape[0]) == start, 0.0, np.inf)
        for i, (before, table, after) in enumerate(zip([first, *forth[:-1]], tables, back, strict=True)):
            total = before[:, None] + table + after[None, :]
            a, b = np.nonzero(np.isfinite(total))
            costs.append(total[a, b])
            keys.append(np.column_stack([np.full(len(a), start), np.full(len(a), i), a, b]))
    cost, key = np.concatenate(costs), np.vstack(keys)
    seen = set()
    for row in np.lexsort((*key.T[::-1], np.round(cost, 3))):
        start, i, a, b = key[row].tolist()
        forth, back = ways[start]
        choice = _follow(tables, forth, back, i, a, b, start)
        if choice not in seen:
            seen.add(choice)
            yield choice


def _follow(
    tables: list[Values], forth: list[Values], back: list[Values], layer: int, a: int, b: int, start: int
) -> tuple[int, ...]:
    """Return the meetings of the best closed walk from ``start`` that goes from ``a`` to ``b`` on line ``layer``."""
    count = len(tables)
    choice = [0] * count
    choice[layer] = b
    place = a
    for i in range(layer - 1, -1, -1):
        choice[i] = place
        if i:
            place = int(np.argmin(forth[i - 1] + tables[i][:, place]))
    place = b
    for i in range(layer + 1, count):
        place = int(np.argmin(tables[i][place] + back[i]))
        choice[i] = place
    choice[count - 1] = start
    return tuple(choice)
