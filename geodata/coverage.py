"""Areas that tile the land: overlaps, cracks and needles of the data taken out, borders simplified together.

Shapes are a coverage when no two overlap and every common border has the same vertices on both sides. Shapely's
``coverage_clean`` (GEOS 3.14) makes one of nearly fitting shapes and fills gaps that are closed all round. What it
leaves is done here: cracks that open to the outside or to a lake, and needles, both narrower than the tolerance of
:mod:`geodata.adjacency` for a length of :data:`NEEDLE_M`. They go to the neighbour with the longest common border, so
that both sides change alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from geodata.adjacency import TOLERANCE_M
from geodata.population_table import Values
from geodata.shapes import Shapes

NEEDLE_M = 5.0
"""What is narrower than the tolerance for this length is a needle or a crack of the data; a shorter one is a corner."""
MAX_CHANGE_SHARE = 0.001
"""No unit gives away more than this share of its area as needles."""
_PARALLEL = 0.995
_NEAR_M = 1e-6
_SNAPS_M = (-1.0, 0.001, 0.01, 0.1)
"""Distances at which vertices are snapped, tried in turn; -1 lets GEOS choose: very little."""
_ROUNDS = 3

Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Edges = tuple[Values, Values, Positions, Positions]
"""Start and end (n, 2), ring and shape of edges."""


def clean_coverage(shapes: Shapes) -> Shapes:
    """Return areas without overlaps, cracks and needles, whose common borders are the same on both sides.

    Parameters
    ----------
    shapes : valid (multi)polygons in metres that nearly fit together

    Returns
    -------
    Shapes
        As many areas in the same order, a valid coverage. Land on which areas lie on each other goes to the smaller
        one, so that the share lost is small; an area that lies wholly on another may be left empty. Gaps narrower than
        :data:`geodata.adjacency.TOLERANCE_M` are filled, wider ones (lakes) stay.
    """
    if not len(shapes):
        return shapes
    edges = _list_ring_edges(shapely.orient_polygons(shapes))
    fitting = _is_fitting(shapes, edges)
    cleaned = shapes if fitting else _clean(shapes)
    for _round in range(_ROUNDS):
        pieces, owner = _find_pieces(cleaned, edges if fitting else _list_ring_edges(cleaned), fitting)
        if not len(pieces):
            break
        changed = _give_away(cleaned, pieces, owner)
        if not shapely.coverage_is_valid(changed):
            break
        cleaned, fitting = changed, False
    return cleaned


def _is_fitting(shapes: Shapes, edges: Edges) -> bool:
    """Whether shapes are a valid coverage without narrow gaps.

    Where an edge is that of exactly one other shape, on its other side, there is nothing to ask. GEOS looks at the
    shapes with other edges, which is mostly the rim, and at what lies around them.
    """
    start, end, _ring, owner = edges
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    edge = np.where(swap[:, None], np.hstack([end, start]), np.hstack([start, end]))
    order = np.lexsort(edge.T)
    number = np.cumsum(np.append(False, (edge[order][1:] != edge[order][:-1]).any(axis=1)))
    matched = (np.bincount(number) == 2) & (np.bincount(number, swap[order]) == 1)
    loose = np.unique(owner[order][~matched[number]])
    near = np.unique(shapely.STRtree(shapes).query(shapes[loose], predicate="dwithin", distance=TOLERANCE_M)[1])
    return bool(shapely.coverage_is_valid(shapes[near], gap_width=TOLERANCE_M))


def _clean(shapes: Shapes) -> Shapes:
    """Return a valid coverage of nearly fitting shapes by ``coverage_clean``."""
    for snap_m in _SNAPS_M:
        cleaned: Shapes = shapely.coverage_clean(  # type: ignore[attr-defined]  # newer than its stubs
            shapes, gap_width=TOLERANCE_M, snapping_distance=snap_m, merge_strategy="min_area"
        )
        if shapely.coverage_is_valid(cleaned):
            break
    return cleaned


def _find_pieces(shapes: Shapes, edges: Edges, fitting: bool) -> tuple[Shapes, Positions]:
    """Return cracks, needles and slivers, and the shape that each belongs to (-1: a crack, nobody's land)."""
    tips, tip_owner = _find_tips(edges)
    needles, needle_owner = _find_needles(shapes, tips, tip_owner)
    slivers, sliver_owner = _find_slivers(shapes)
    cracks = np.empty(0, dtype=object)
    if len(tips) or not (fitting or shapely.coverage_is_valid(shapes, gap_width=TOLERANCE_M)):
        cracks = _find_cracks(shapes)
    nobody = np.full(len(cracks), -1, dtype=np.int64)
    return np.concatenate([needles, slivers, cracks]), np.concatenate([needle_owner, sliver_owner, nobody])


def _find_tips(edges: Edges) -> tuple[Values, Positions]:
    """Return vertices where an outline turns back on itself within the tolerance, and their shapes."""
    start, end, ring, owner = edges
    length = np.hypot(*(end - start).T)
    direction = (end - start) / np.maximum(length, 1e-12)[:, None]
    first = np.flatnonzero(np.diff(ring, prepend=-1))
    size = np.bincount(ring)
    found = np.zeros(len(start), dtype=bool)
    here = np.arange(len(start))
    between = np.zeros(len(start))
    for step in (1, 2, 3):
        # The edge that many places further in the same ring, and the way from the end of this one to its start.
        ahead = first[ring] + (here - first[ring] + step) % size[ring]
        found |= (between <= TOLERANCE_M) & ((direction * direction[ahead]).sum(axis=1) < -_PARALLEL)
        between += length[ahead]
    return end[found], owner[found]


def _list_ring_edges(shapes: Shapes) -> Edges:
    """Return start and end (n, 2), ring and shape of every edge that has a length, ring by ring in order."""
    parts, part_owner = shapely.get_parts(shapes, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    places, ring = shapely.get_coordinates(rings, return_index=True)
    inner = (ring[1:] == ring[:-1]) & (places[1:] != places[:-1]).any(axis=1)
    ring = ring[:-1][inner].astype(np.int64)
    _, dense = np.unique(ring, return_inverse=True)
    return places[:-1][inner], places[1:][inner], dense.astype(np.int64), part_owner[ring_part[ring]].astype(np.int64)


def _find_needles(shapes: Shapes, tips: Values, tip_owner: Positions) -> tuple[Shapes, Positions]:
    """Return the needles of shapes that have tips, and the shape of each."""
    suspect = np.unique(tip_owner)
    if not len(suspect):
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    whole = shapes[suspect]
    body = _widen(_widen(whole, -TOLERANCE_M / 2), TOLERANCE_M / 2)
    parts, which = shapely.get_parts(shapely.difference(whole, body), return_index=True)
    owner = suspect[which]
    kept = _are_needles(parts, shapely.boundary(whole)[which])
    kept &= shapely.area(parts) <= MAX_CHANGE_SHARE * shapely.area(shapes[owner])
    kept[kept] &= shapely.distance(parts[kept], shapely.multipoints(tips)) < _NEAR_M
    return parts[kept], owner[kept]


def _find_cracks(shapes: Shapes) -> Shapes:
    """Return land outside all shapes that is narrower than the tolerance and opens to the outside or to a hole."""
    whole = shapely.coverage_union_all(shapes)
    closed = _widen(_widen(np.array([whole]), TOLERANCE_M / 2), -TOLERANCE_M / 2)
    parts = shapely.get_parts(shapely.difference(closed, whole))
    found: Shapes = parts[_are_needles(parts, np.full(len(parts), shapely.boundary(whole), dtype=object))]
    return found


def _widen(shapes: Shapes, width_m: float) -> Shapes:
    widened: Shapes = shapely.buffer(shapes, width_m, join_style="mitre")
    return widened


def _are_needles(parts: Shapes, border: Shapes) -> Flags:
    """Whether parts are long, and bounded by ``border`` all round but for a short neck."""
    length_m = shapely.length(parts)
    found = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (length_m >= 2 * NEEDLE_M)
    found &= shapely.area(parts) > _NEAR_M * length_m
    chosen = np.flatnonzero(found)
    if len(chosen):
        start, end, _ring, part = _list_ring_edges(parts[chosen])
        off = shapely.distance(shapely.points((start + end) / 2), border[chosen][part]) > _NEAR_M
        neck_m = np.bincount(part[off], np.hypot(*(end - start)[off].T), minlength=len(chosen))
        found[chosen] = neck_m < 0.2 * length_m[chosen]
    return np.asarray(found, dtype=bool)


def _find_slivers(shapes: Shapes) -> tuple[Shapes, Positions]:
    """Return parts of multipart shapes that are narrower than the tolerance, never the largest part."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    area_m2 = shapely.area(parts)
    largest = np.zeros(len(shapes))
    np.maximum.at(largest, owner, area_m2)
    thin = (2 * area_m2 < TOLERANCE_M * shapely.length(parts)) & (area_m2 <= MAX_CHANGE_SHARE * largest[owner])
    return parts[thin], owner[thin].astype(np.int64)


def _give_away(shapes: Shapes, pieces: Shapes, owner: Positions) -> Shapes:
    """Return shapes with each piece given to the neighbour that it has the longest border with.

    A needle or sliver never goes back to its owner; with no other neighbour a needle is left out.
    """
    n = len(shapes)
    split = _clean(np.concatenate([shapes, pieces]))
    changed, pieces = split[:n].copy(), split[n:]
    piece, other = shapely.STRtree(changed).query(pieces, predicate="intersects")
    apart = other != owner[piece]
    piece, other = piece[apart], other[apart]
    shared_m = shapely.length(shapely.intersection(shapely.boundary(pieces[piece]), shapely.boundary(changed[other])))
    order = np.lexsort((other, -shared_m, piece))
    order = order[shared_m[order] > 0]
    taken, best = np.unique(piece[order], return_index=True)
    for position in np.unique(other[order][best]):
        mine = taken[other[order][best] == position]
        changed[position] = shapely.coverage_union_all(np.append(pieces[mine], changed[position]))
    return changed
