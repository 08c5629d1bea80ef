"""On which side of a barrier a place lies, and which neighbouring units a barrier parts.

Land is cut along the lines of one kind. Where a walkable road crosses, the line is opened by a gap of two metres, so
that the land on both sides is one piece. Two questions are asked of the pieces:

- **The whole study area** (:func:`compute_sides`): are two places on one side? Lines that end inside the area part
  nothing: one can walk around.
- **Two neighbours** (:func:`find_parted_pairs`): can one walk from one demand point to the other within the two units
  and :data:`NEAR_M` around them? A bridge further off joins the county, but not these neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.barriers import BARRIER_KINDS
from geodata.outlines import unite_shapes
from geodata.population_table import Values
from geodata.shapes import Shapes, build_points
from geodata.study import Adjacency, build_empty_sides

if TYPE_CHECKING:
    import geopandas as gpd

NEAR_M = 200.0
"""A crossing up to this distance from two neighbouring units joins them."""
OPENING_M = 1.0
"""Half the gap that a crossing makes in its line."""
AT_BORDER_M = 50.0
"""A line that ends as near to the border of the study area as this reaches it."""

Positions = npt.NDArray[np.int64]


class PlaceTable(NamedTuple):
    """Ids and positions (metres, shape (n,)) of units, schools or sites; ``place`` says which."""

    place: str
    ids: Sequence[str]
    x_m: Values
    y_m: Values


@dataclass(frozen=True)
class _Barrier:
    """One kind of barrier: its straight pieces, whole and opened at the crossings."""

    kind: str
    closed: Shapes
    opened: Shapes


def compute_sides(
    outline: shapely.Geometry,
    barriers: gpd.GeoDataFrame,
    crossings: gpd.GeoDataFrame,
    places: Sequence[PlaceTable],
) -> pd.DataFrame:
    """Return on which side of each kind of barrier every place lies.

    Parameters
    ----------
    outline : the study area (:func:`close_outline`)
    barriers, crossings : as :func:`geodata.barriers.read_barriers` returns them
    places : units, schools and sites

    Returns
    -------
    DataFrame
        ``kind``, ``place``, ``id``, ``side``, ``side_uncrossed``. Side 0 holds most of the places, 1 the next, and so
        on. ``side`` counts land that a walkable road joins across the line as one; ``side_uncrossed`` does not. No rows
        for a kind without lines. A place outside the study area lies on the side of the nearest land, one on the very
        line on the side with the smaller number.
    """
    kinds = _list_kinds(outline, barriers, crossings)
    if not kinds:
        return build_empty_sides()
    x_m, y_m = (np.concatenate([np.asarray(table[at], dtype=np.float64) for table in places]) for at in (2, 3))
    points = build_points(x_m, y_m)
    found = []
    for barrier in kinds:
        sides = {
            name: _number_sides(outline, pieces, points)
            for name, pieces in (("side", barrier.opened), ("side_uncrossed", barrier.closed))
        }
        words = {
            "kind": barrier.kind,
            "place": np.repeat([table.place for table in places], [len(table.ids) for table in places]),
            "id": [str(key) for table in places for key in table.ids],
        }
        found.append(pd.DataFrame({**words, **sides}))
    return pd.concat([build_empty_sides(), *found], ignore_index=True).astype(build_empty_sides().dtypes.to_dict())


def find_parted_pairs(
    units: gpd.GeoDataFrame,
    land: Shapes,
    outline: shapely.Geometry,
    adjacency: Adjacency,
    barriers: gpd.GeoDataFrame,
    crossings: gpd.GeoDataFrame,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return ``Adjacency.barriers`` and ``Adjacency.crossed``: per pair the kinds between the two units, joined by ";".

    ``land`` holds the area of each unit (:func:`geodata.adjacency.find_land`), ``outline`` is the study area
    (:func:`close_outline`), ``barriers`` and ``crossings`` are as :func:`geodata.barriers.read_barriers` returns them.
    A kind stands in the first where nobody can walk from one demand point to the other without crossing its line,
    within the two units and :data:`NEAR_M` around them; in the second where only a road across the line makes that
    possible. Two empty tuples where the study has no barriers.
    """
    kinds = _list_kinds(outline, barriers, crossings)
    if not kinds or not len(adjacency.first_ids):
        return (), ()
    where = {key: position for position, key in enumerate(units["unit_id"])}
    pairs = np.array(
        [(where[one], where[other]) for one, other in zip(adjacency.first_ids, adjacency.second_ids, strict=True)],
        dtype=np.int64,
    )
    demand = units[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    parted: list[list[str]] = [[] for _ in pairs]
    crossed: list[list[str]] = [[] for _ in pairs]
    for barrier in kinds:
        cut = _find_cut(land, outline, demand, pairs, barrier.closed)
        still = cut[_find_cut(land, outline, demand, pairs[cut], barrier.opened)]
        for position in cut:
            (parted if position in set(still.tolist()) else crossed)[position].append(barrier.kind)
    return tuple(";".join(found) for found in parted), tuple(";".join(found) for found in crossed)


def _list_kinds(outline: shapely.Geometry, barriers: gpd.GeoDataFrame, crossings: gpd.GeoDataFrame) -> list[_Barrier]:
    """Return every kind that has lines, in order."""
    found = []
    for kind in BARRIER_KINDS:
        lines = barriers.geometry.to_numpy()[(barriers["kind"] == kind).to_numpy()]
        spots = crossings.geometry.to_numpy()[(crossings["kind"] == kind).to_numpy()]
        if len(lines):
            whole = shapely.union_all(lines)
            gaps = shapely.union_all(shapely.buffer(spots, OPENING_M, quad_segs=2))
            closed = _cut_pieces(whole)
            ends = _reach_border(outline, closed)
            opened = _cut_pieces(shapely.difference(whole, gaps))
            found.append(_Barrier(kind, np.append(closed, ends), np.append(opened, ends)))
    return found


def _cut_pieces(lines: shapely.Geometry) -> Shapes:
    """Return the straight pieces of lines."""
    places, part = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    inner = part[1:] == part[:-1]
    return np.asarray(shapely.linestrings(np.stack([places[:-1][inner], places[1:][inner]], axis=1)), dtype=object)


def close_outline(land: Shapes) -> shapely.Geometry:
    """Return the study area in one piece without holes, from the areas of the units.

    Gaps between units are closed as far as needed: lanes first, then land that nobody lives on as wide as a unit; where
    that is not enough the convex hull is taken. The outline is half a metre within the land, so that lines drawn up to
    the border reach over it.
    """
    whole = unite_shapes(land)
    typical_m = float(np.sqrt(np.median(shapely.area(land))))
    for reach_m in (0.0, 25.0, typical_m):
        near = shapely.buffer(shapely.buffer(whole, reach_m), -reach_m) if reach_m else whole
        parts = shapely.get_parts(near)
        if len(parts) == 1 and parts[0].geom_type == "Polygon":
            return shapely.buffer(shapely.Polygon(parts[0].exterior), -OPENING_M / 2)
    return shapely.buffer(shapely.convex_hull(whole), -OPENING_M / 2)


def _reach_border(outline: shapely.Geometry, pieces: Shapes) -> Shapes:
    """Return short lines from the loose ends of a barrier over the border, where that is near."""
    tips = shapely.get_coordinates(pieces)
    _, first, count = np.unique(np.round(tips, 3), axis=0, return_index=True, return_counts=True)
    loose = np.asarray(shapely.points(tips[first[count == 1]]), dtype=object)
    border = shapely.boundary(outline)
    near = loose[shapely.dwithin(loose, border, AT_BORDER_M) & shapely.intersects(outline, loose)]
    if not len(near):
        return near
    ways = shapely.get_coordinates(shapely.shortest_line(near, border)).reshape(-1, 2, 2)
    step = ways[:, 1] - ways[:, 0]
    length_m = np.hypot(*step.T)[:, None]
    over = ways[:, 1] + np.where(length_m > 0, step / np.where(length_m > 0, length_m, 1.0), 0.0)
    return np.asarray(shapely.linestrings(np.stack([ways[:, 0], over], axis=1)), dtype=object)


def _number_sides(outline: shapely.Geometry, pieces: Shapes, points: Shapes) -> Positions:
    """Return the number of the side of each point; 0 is the side with most points, of equals the larger one."""
    inside = pieces[shapely.STRtree(pieces).query(outline, predicate="intersects")]
    faces = _cut_faces(outline, inside)
    tree = shapely.STRtree(faces)
    point, face = tree.query(points, predicate="intersects")
    beyond = np.setdiff1d(np.arange(len(points)), point)
    if len(beyond):
        near, near_face = tree.query_nearest(points[beyond], all_matches=True)
        point, face = np.append(point, beyond[near]), np.append(face, near_face)
    order = np.lexsort((-np.round(shapely.area(faces)), -np.bincount(face, minlength=len(faces))))
    rank = np.argsort(order)
    sides = np.full(len(points), len(faces), dtype=np.int64)
    np.minimum.at(sides, point, rank[face])
    return np.unique(sides, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _cut_faces(area: shapely.Geometry, pieces: Shapes) -> Shapes:
    """Return the areas into which lines cut an area; lines that end inside cut nothing."""
    net = shapely.union_all([*shapely.boundary(shapely.get_parts(area)), *pieces])
    faces: Shapes = shapely.get_parts(shapely.polygonize(shapely.get_parts(net)))
    return faces[shapely.covers(shapely.buffer(area, 0.01), faces)] if len(faces) else np.array([area], dtype=object)


def _find_cut(land: Shapes, outline: shapely.Geometry, demand: Values, pairs: Positions, pieces: Shapes) -> Positions:
    """Return the positions of the pairs whose demand points lie in different pieces of their common land."""
    if not len(pairs) or not len(pieces):
        return np.empty(0, dtype=np.int64)
    tree = shapely.STRtree(pieces)
    touched = np.zeros(len(land), dtype=bool)
    touched[tree.query(land, predicate="dwithin", distance=OPENING_M)[0]] = True
    ways = np.stack([demand[pairs[:, 0]], demand[pairs[:, 1]]], axis=1)
    straight = np.asarray(shapely.linestrings(ways), dtype=object)
    met = np.zeros(len(pairs), dtype=bool)
    met[tree.query(straight, predicate="intersects")[0]] = True
    asked = np.flatnonzero(touched[pairs].any(axis=1))
    united = shapely.union(land[pairs[asked, 0]], land[pairs[asked, 1]])
    # A straight way inside the two units that meets no line needs no closer look.
    doubtful = met[asked] | ~shapely.covers(united, straight[asked])
    asked, united = asked[doubtful], united[doubtful]
    areas = shapely.buffer(united, NEAR_M, quad_segs=2)
    shapely.prepare(outline)
    rim = ~shapely.contains_properly(outline, areas)  # nobody walks round a line outside the study area
    areas[rim] = shapely.intersection(areas[rim], outline)
    area_of, piece = tree.query(areas, predicate="intersects")
    bounds = np.searchsorted(area_of, np.arange(len(asked) + 1))
    points = np.asarray(shapely.points(demand[pairs[asked]]), dtype=object)
    cut = [
        not _lie_together(_cut_faces(area, pieces[piece[low:high]]), ends)
        for area, low, high, ends in zip(areas, bounds[:-1], bounds[1:], points, strict=True)
    ]
    return asked[np.array(cut, dtype=bool)] if len(asked) else asked


def _lie_together(faces: Shapes, ends: Shapes) -> bool:
    """Tell whether one face holds both ends; an end outside all faces belongs to the nearest."""
    away_m = [shapely.distance(faces, end) for end in ends]
    first, second = (away <= away.min() + 1e-6 for away in away_m)
    return bool((first & second).any())
