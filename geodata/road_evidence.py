"""What the road file tells about itself: how far it reaches, where it is cut, which pieces hang loose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geodata.road_access import BACKWARD, FORWARD
from geodata.road_table import RoadTable
from geodata.study import FrozenArrays, Mode, RoadNetwork

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SMALL_PIECE_M = 200.0
"""Metres of road below which a piece that hangs loose is not kept."""
CELL_M = 500.0
"""The area that roads cover is found on squares of this size."""
CONCAVITY = 0.15
"""0 = the outline follows every bay of the squares with roads, 1 = the convex hull (``shapely.concave_hull``)."""
NEAR_OUTLINE_M = 1.5 * CELL_M
"""A through road that ends as near to the outline of all roads as this was cut there."""
THROUGH_GROUPS = ("expressway", "main", "secondary")
"""Groups of roads that seldom end by themselves."""


@dataclass(frozen=True, eq=False)
class RoadEvidence(FrozenArrays):
    """Facts about the roads of a study, in its CRS, kept beside its networks.

    ``outline_m`` (k, 2): a ring around the area that has roads. ``cut_m`` (c, 2): places where roads end because the
    extract does. ``piece_lines`` (e, 4): the straight bits of road (from x, y, to x, y) that ``mode`` may use outside
    its network, and ``piece`` the number of the connected piece of each; ``piece_length_m`` by piece, longest first,
    down to :data:`SMALL_PIECE_M`.
    """

    mode: str
    outline_m: Floats
    cut_m: Floats
    piece_lines: Floats = field(default_factory=lambda: np.empty((0, 4)))
    piece: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    piece_length_m: Floats = field(default_factory=lambda: np.empty(0))
    source: str = ""


def build_road_evidence(roads: RoadTable, networks: Mapping[Mode, RoadNetwork]) -> RoadEvidence:
    """Return the evidence for the checks; pieces for walking where the study has it, else for its first mode."""
    mode: Mode = "walk" if "walk" in networks or not networks else next(iter(networks))
    lines, piece, length_m = _find_pieces(roads, mode)
    outline = draw_outline(roads.x_m, roads.y_m)
    cut = _find_cut_ends(roads, outline)
    return RoadEvidence(mode, shapely.get_coordinates(outline), cut, lines, piece, length_m, roads.source)


def draw_outline(x_m: Floats, y_m: Floats) -> shapely.Polygon:
    """Return the area that points cover, to about :data:`CELL_M`."""
    cells = np.unique(np.floor(np.column_stack([x_m, y_m]) / CELL_M), axis=0)
    middles = shapely.multipoints((cells + 0.5) * CELL_M)
    drawn = shapely.concave_hull(middles, ratio=CONCAVITY)
    grown: Any = shapely.buffer(drawn, CELL_M / 2, quad_segs=2)
    return shapely.Polygon(grown.exterior)


def _find_pieces(roads: RoadTable, mode: Mode) -> tuple[Floats, Ints, Floats]:
    """Return the road outside the largest connected part that ``mode`` can use, its pieces, and their lengths."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    usable = np.flatnonzero((roads.way_access[roads.way] & (FORWARD[mode] | BACKWARD[mode])) > 0)
    if not len(usable):
        return np.empty((0, 4)), np.empty(0, dtype=np.int64), np.empty(0)
    tail, head = roads.tail[usable], roads.head[usable]
    graph = coo_array((np.ones(len(usable), dtype=np.int8), (tail, head)), shape=(roads.n_nodes, roads.n_nodes))
    label = connected_components(graph.tocsr(), directed=False)[1][tail]
    length = np.bincount(label, weights=roads.length_m[usable])
    order = np.argsort(-length, kind="stable")[1:]
    large = order[length[order] >= SMALL_PIECE_M]
    number = np.full(len(length), -1, dtype=np.int64)
    number[large] = np.arange(len(large))
    loose = number[label] >= 0
    ends = np.column_stack([roads.x_m[tail], roads.y_m[tail], roads.x_m[head], roads.y_m[head]])
    piece: Ints = number[label][loose]
    return np.asarray(ends[loose], dtype=np.float64), piece, np.asarray(length[large], dtype=np.float64)


def _find_cut_ends(roads: RoadTable, outline: shapely.Polygon) -> Floats:
    """Return where roads end because the extract does.

    These are the places after which a way names a node that the file does not hold, and the ends of through roads
    within :data:`NEAR_OUTLINE_M` of the outline of all roads.
    """
    degree = np.bincount(np.concatenate([roads.tail, roads.head]), minlength=roads.n_nodes)
    through = np.array([item.group in THROUGH_GROUPS for item in roads.classes], dtype=bool)
    way_class = roads.way_class[roads.way]
    through_edge = through[way_class] & (way_class >= 0)
    ends = np.concatenate([roads.tail[through_edge], roads.head[through_edge]])
    ends = np.unique(ends[degree[ends] == 1]).astype(np.int64)
    distance = shapely.distance(shapely.boundary(outline), shapely.points(roads.x_m[ends], roads.y_m[ends]))
    cut = np.union1d(ends[distance <= NEAR_OUTLINE_M], np.flatnonzero(roads.node_cut)).astype(np.int64)
    return np.column_stack([roads.x_m[cut], roads.y_m[cut]])
