"""Areas of a coverage simplified together: common borders stay common, and no border moves further than asked.

Shapely's ``coverage_simplify`` (Visvalingam and Whyatt) leaves out vertices by the area of the triangle that they make,
so a long thin tongue may go altogether. What it leaves out too boldly is put back here: of every stretch that strays
further than the tolerance the farthest vertex, again and again (the step of Douglas and Peucker), then all vertices of
rings that would shrink away or cross.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geodata.population_table import Values
from geodata.shapes import Shapes

BOLDNESS = 2.0
"""``coverage_simplify`` is asked for this many times the tolerance: on real borders that leaves the fewest vertices."""
MAX_SHRINK_SHARE = 0.25
"""A ring that would lose or gain more than this share of its area keeps all its vertices."""

Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Rings:
    """The rings of areas, without their closing vertices; ``vertex`` numbers the different places."""

    places: Values
    vertex: Positions
    ring: Positions
    start: Positions
    ring_part: Positions
    part_shape: Positions
    n_shapes: int


def simplify_coverage(shapes: Shapes, tolerance_m: float) -> Shapes:
    """Return areas with fewer vertices that still tile the same land.

    Parameters
    ----------
    shapes : a valid coverage of (multi)polygons in metres
    tolerance_m : no border moves further than this

    Returns
    -------
    Shapes
        As many areas in the same order, a valid coverage whose vertices are among the old ones. Vertices where three
        areas meet stay. No part and no hole vanishes.
    """
    if tolerance_m <= 0 or shapely.is_empty(shapes).all():
        return shapes
    rings = _list_rings(shapes)
    kept = _find_kept(rings, shapely.coverage_simplify(shapes, BOLDNESS * tolerance_m))
    while True:
        kept = _put_back(rings, kept, tolerance_m)
        simple = _build_shapes(rings, kept)
        wrong = ~shapely.is_valid(simple)
        if not wrong.any():
            wrong = ~shapely.is_empty(shapely.coverage_invalid_edges(simple))
        whole = np.zeros_like(kept)
        whole[rings.vertex[wrong[rings.part_shape[rings.ring_part[rings.ring]]]]] = True
        if not (whole & ~kept).any():
            return simple
        kept |= whole


def _list_rings(shapes: Shapes) -> _Rings:
    parts, part_shape = shapely.get_parts(shapes, return_index=True)
    parts, part_shape = parts[~shapely.is_empty(parts)], part_shape[~shapely.is_empty(parts)]
    lines, ring_part = shapely.get_rings(parts, return_index=True)
    places, ring = shapely.get_coordinates(lines, return_index=True)
    open_ended = np.append(ring[1:] == ring[:-1], False)
    places, ring = places[open_ended], ring[open_ended]
    exact = np.ascontiguousarray(places + 0.0).view("V16").ravel()
    _, vertex = np.unique(exact, return_inverse=True)
    start = np.flatnonzero(np.diff(ring, prepend=-1))
    return _Rings(places, vertex, ring, start, ring_part, part_shape, len(shapes))


def _find_kept(rings: _Rings, simple: Shapes) -> Flags:
    """Return which vertices are still there."""
    exact = np.ascontiguousarray(rings.places + 0.0).view("V16").ravel()
    left = np.ascontiguousarray(shapely.get_coordinates(simple) + 0.0).view("V16").ravel()
    kept = np.zeros(int(rings.vertex.max()) + 1, dtype=bool)
    kept[rings.vertex[np.isin(exact, left)]] = True
    return kept


def _put_back(rings: _Rings, kept: Flags, tolerance_m: float) -> Flags:
    """Return the vertices to keep so that no ring shrinks away and none left out is too far from its border."""
    kept = kept.copy()
    while True:
        count = np.add.reduceat(kept[rings.vertex].astype(np.int64), rings.start)
        short = count < 3
        if not short.any():
            short = _are_shrunk(rings, kept)
        before = kept.sum()
        kept[rings.vertex[short[rings.ring]]] = True
        if kept.sum() == before:
            far = _find_far(rings, kept, tolerance_m)
            if not len(far):
                return kept
            kept[rings.vertex[far]] = True


def _are_shrunk(rings: _Rings, kept: Flags) -> Flags:
    """Whether rings would lose or gain much of their area."""
    before = _measure_rings(rings, np.ones(len(rings.ring), dtype=bool))
    after = _measure_rings(rings, kept[rings.vertex])
    return np.abs(after - before) > MAX_SHRINK_SHARE * before


def _measure_rings(rings: _Rings, chosen: Flags) -> Values:
    """Return the area that each ring encloses with the vertices chosen, by the shoelace formula."""
    ring, middle = rings.ring[chosen], rings.places[rings.start]
    places = rings.places[chosen] - middle[ring]
    start = np.flatnonzero(np.diff(ring, prepend=-1))
    follower = np.arange(1, len(ring) + 1)
    follower[np.append(start[1:], len(ring)) - 1] = start
    cross = places[:, 0] * places[follower, 1] - places[:, 1] * places[follower, 0]
    return np.asarray(np.abs(np.bincount(ring, cross, minlength=len(rings.start))) / 2, dtype=np.float64)


def _find_far(rings: _Rings, kept: Flags, tolerance_m: float) -> Positions:
    """Return of every stretch that strays further than the tolerance the farthest vertex, as positions."""
    before, after = _find_ends(rings, kept)
    gone = np.flatnonzero(~kept[rings.vertex])
    low, high = before[gone], after[gone]
    off_m = _measure_off(rings.places[gone], rings.places[low], rings.places[high])
    order = np.lexsort((-off_m, low))
    _, farthest = np.unique(low[order], return_index=True)
    worst = order[farthest]
    found: Positions = gone[worst[off_m[worst] > tolerance_m]]
    return found


def _measure_off(places: Values, low: Values, high: Values) -> Values:
    """Return the distance of each place to the straight stretch between two others."""
    along, to_place = high - low, places - low
    square = np.maximum((along**2).sum(axis=1), np.finfo(np.float64).tiny)
    share = np.clip((along * to_place).sum(axis=1) / square, 0.0, 1.0)
    return np.asarray(np.hypot(*(to_place - share[:, None] * along).T), dtype=np.float64)


def _find_ends(rings: _Rings, kept: Flags) -> tuple[Positions, Positions]:
    """Return the positions of the kept vertices before and after each vertex, round the ring."""
    here = np.arange(len(rings.ring))
    stays = kept[rings.vertex]
    end = np.append(rings.start[1:], len(here)) - 1
    first = np.minimum.reduceat(np.where(stays, here, len(here)), rings.start)
    last = np.maximum.reduceat(np.where(stays, here, -1), rings.start)
    before = np.maximum.accumulate(np.where(stays, here, -1))
    before = np.where(before < first[rings.ring], last[rings.ring], before)
    after = np.minimum.accumulate(np.where(stays, here, len(here))[::-1])[::-1]
    after = np.where(after > end[rings.ring], first[rings.ring], after)
    beyond = after > last[rings.ring]
    return before.astype(np.int64), np.where(beyond, first[rings.ring], after).astype(np.int64)


def _build_shapes(rings: _Rings, kept: Flags) -> Shapes:
    """Return the areas with the vertices kept."""
    chosen = kept[rings.vertex]
    ring, places = rings.ring[chosen], rings.places[chosen]
    lines: Shapes = np.asarray(shapely.linearrings(places, indices=ring), dtype=object)
    outer = np.diff(rings.ring_part, prepend=-1) > 0
    first = np.flatnonzero(outer)
    parts: Shapes = np.asarray(shapely.polygons(lines[outer]), dtype=object)
    for part in np.unique(rings.ring_part[~outer]):
        inner = lines[np.flatnonzero(~outer & (rings.ring_part == part))]
        parts[part] = shapely.polygons(lines[first[part]], inner)
    simple: Shapes = np.full(rings.n_shapes, shapely.MultiPolygon(), dtype=object)
    count = np.bincount(rings.part_shape, minlength=rings.n_shapes)
    single = count[rings.part_shape] == 1
    simple[rings.part_shape[single]] = parts[single]
    for shape in np.flatnonzero(count > 1):
        simple[shape] = shapely.multipolygons(parts[rings.part_shape == shape])
    return simple
