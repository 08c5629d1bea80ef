"""Every common border of units once, as lines that name the two units they part; outer lines name one unit.

A map that knows these lines draws the borders of any zones without overlay: the lines whose two units differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geodata.adjacency import TOLERANCE_M, Positions, list_edges
from geodata.population_table import Values
from geodata.shapes import Shapes
from geodata.study import FrozenArrays

OUTSIDE = -1
"""Stands for the second unit of a line that has a unit on one side only."""
_STEPS_PER_M = 1000.0


@dataclass(frozen=True, eq=False)
class BorderLines(FrozenArrays):
    """Lines one after another.

    ``points_m`` (n, 2): their vertices in the CRS of the shapes; ``sizes`` (lines,): vertices of every line; ``first``
    and ``second`` (lines,): positions of the units on both sides, ``first < second``; ``second`` is ``OUTSIDE`` (−1)
    where there is no other unit.
    """

    points_m: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]


def build_border_lines(shapes: Shapes, *, tolerance_m: float = TOLERANCE_M) -> BorderLines:
    """Return the borders of (multi)polygons in metres.

    Edges that two shapes have in common, vertex for vertex (to a millimetre), are one edge. What only one shape owns is
    a border with the other shape that lies within ``tolerance_m`` of the edge's middle (a vertex on one side only, a
    narrow gap, an overlap), else an outer line. Edges of one pair of shapes are joined into chains.
    """
    start, end, owner = list_edges(np.asarray(shapes, dtype=object))
    if not len(start):
        none = np.empty(0, dtype=np.int64)
        return BorderLines(np.empty((0, 2)), none, none, none)
    edge, first, second = _match_edges(_number_edges(start, end), owner)
    alone = np.flatnonzero(second == OUTSIDE)
    second[alone] = _find_beside(shapes, (start[edge[alone]] + end[edge[alone]]) / 2, first[alone], tolerance_m)
    swap = (second != OUTSIDE) & (second < first)
    first[swap], second[swap] = second[swap], first[swap].copy()
    return _join_edges(start[edge], end[edge], first, second)


def _number_edges(start: Values, end: Values) -> Positions:
    """Return one number per edge, the same for the same two ends in either order."""
    places = np.rint(np.vstack([start, end]) * _STEPS_PER_M).astype(np.int64)
    places -= places.min(axis=0)
    vertex = np.unique(places[:, 0] * (places[:, 1].max() + 1) + places[:, 1], return_inverse=True)[1]
    a, b = vertex[: len(start)], vertex[len(start) :]
    return np.asarray(np.minimum(a, b) * (vertex.max() + 1) + np.maximum(a, b), dtype=np.int64)


def _match_edges(number: Positions, owner: Positions) -> tuple[Positions, Positions, Positions]:
    """Return one edge of each number, and its owners; an edge that one shape owns twice lies inside it and is left."""
    order = np.lexsort((owner, number))
    begin = np.flatnonzero(np.append(True, number[order][1:] != number[order][:-1]))
    many = np.diff(np.append(begin, len(order))) > 1
    edge = order[begin]
    first, second = owner[edge], np.full(len(edge), OUTSIDE, dtype=np.int64)
    second[many] = owner[order[begin[many] + 1]]
    parting = first != second
    return edge[parting], first[parting], second[parting]


def _find_beside(shapes: Shapes, middle: Values, owner: Positions, tolerance_m: float) -> Positions:
    """Return the first other shape within the tolerance of each point, or ``OUTSIDE``."""
    beside = np.full(len(middle), OUTSIDE, dtype=np.int64)
    if len(middle):
        point, other = shapely.STRtree(shapes).query(shapely.points(middle), predicate="dwithin", distance=tolerance_m)
        apart = other != owner[point]
        point, other = point[apart], other[apart]
        order = np.lexsort((other, point))[::-1]
        beside[point[order]] = other[order]
    return beside


def _join_edges(start: Values, end: Values, first: Positions, second: Positions) -> BorderLines:
    """Join the edges of every pair of shapes into chains, pairs in order."""
    order = np.lexsort((second, first))
    pair = np.column_stack([first, second])[order]
    group = np.cumsum(np.append(False, (pair[1:] != pair[:-1]).any(axis=1)))
    edges = np.asarray(shapely.linestrings(np.stack([start[order], end[order]], axis=1)), dtype=object)
    merged = shapely.line_merge(shapely.multilinestrings(edges, indices=group))
    lines, of = shapely.get_parts(merged, return_index=True)
    points, line = shapely.get_coordinates(lines, return_index=True)
    of_pair = pair[np.flatnonzero(np.append(True, group[1:] != group[:-1]))][of]
    sizes = np.bincount(line, minlength=len(lines)).astype(np.int64)
    return BorderLines(points, sizes, of_pair[:, 0].astype(np.int64), of_pair[:, 1].astype(np.int64))
