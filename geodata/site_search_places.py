"""Places for a new school near a point: pieces of open land, or the places where people live, clear of what excludes.

A piece of open land is first cut by what excludes (zones, and strips along lines as wide as the clear distance); the
largest part that is left must be large enough. Within it the school stands clear also of what is only told, where such
a spot is left. The demand point of a unit is moved, by at most :data:`SNAP_M` and within the county, to the nearest
spot that is clear.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from geodata.adjacency import find_land
from geodata.shapes import Shapes, build_points
from geodata.site_exclusions import EXCLUSION_KINDS, ClearDistance, ClearDistances, Obstacles
from geodata.study import StudyArea

SNAP_M = 500.0
"""A unit's demand point is moved by at most so much."""
LARGE_M2 = 250_000.0
"""Of a larger piece of land only the part around its point nearest to the demand is looked at."""
WINDOW_M = 500.0
"""Half the side of that part."""
INNER_M = 60.0
"""A school on a large piece of land stands so far from its edge, where there is room."""
SLIVER_M2 = 2_000.0
"""A smaller piece of land is no site, even where no rule names a least area."""
MAX_TRIED = 60
"""Pieces of land, and units, tried around one point."""
_MARGIN_M = 0.5
_ROUND_SHARE = 0.002
"""Strips are drawn a little wider, because their round ends are drawn with corners."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Spot:
    """A place found.

    ``source``: open_land or unit; ``row``: its position in that table. ``area_m2``: land that is left, NaN unknown.
    ``excluded_by``: kinds, joined by ``;``; empty: a school may stand there.
    """

    x_m: float
    y_m: float
    source: str
    row: int
    area_m2: float = math.nan
    excluded_by: str = ""


class PlaceFinder:
    """The land of a study, ready to be asked for places near a point."""

    def __init__(self, study: StudyArea, clear: ClearDistances, obstacles: Obstacles) -> None:
        known = [item for item in clear.items if len(obstacles.parts.get(item.kind, ()))]
        self._study = study
        self._min_area_m2 = SLIVER_M2 if math.isnan(clear.min_area_m2) else clear.min_area_m2
        self._excluding = [item for item in known if item.excludes]
        self._told = [item for item in known if not item.excludes]
        self._parts = {item.kind: obstacles.parts[item.kind] for item in known}
        self._trees = {kind: shapely.STRtree(parts) for kind, parts in self._parts.items()}
        shapes = np.asarray(study.open_land.geometry.to_numpy(), dtype=object)
        self._pieces, self._owner = shapely.get_parts(shapes, return_index=True)
        self._given_m2 = np.where(
            np.bincount(self._owner, minlength=len(shapes))[self._owner] == 1,
            study.open_land["area_m2"].to_numpy(dtype=np.float64)[self._owner],
            np.nan,
        )
        self._piece_tree = shapely.STRtree(self._pieces)
        self._units = np.column_stack([study.units[name].to_numpy(dtype=np.float64) for name in ("x_m", "y_m")])
        self._tried: dict[int, Spot] = {}

    def list_land(self, x_m: float, y_m: float, reach_m: float) -> Iterator[Spot]:
        """Yield pieces of open land within ``reach_m`` of a point, nearest first; those excluded say by what."""
        centre = shapely.Point(x_m, y_m)
        near = self._piece_tree.query(centre, predicate="dwithin", distance=reach_m)
        away_m = shapely.distance(self._pieces[near], centre)
        for at in near[np.lexsort((near, away_m))][:MAX_TRIED].tolist():
            large = shapely.area(self._pieces[at]) > LARGE_M2
            if at not in self._tried or large:
                self._tried[at] = self._try_piece(at, centre, large=large)
            yield self._tried[at]

    def list_units(self, x_m: float, y_m: float) -> Iterator[Spot]:
        """Yield the places of the units nearest to a point, nearest first, moved to where a school may stand."""
        away_m = np.hypot(self._units[:, 0] - x_m, self._units[:, 1] - y_m)
        away_m = np.where(np.isnan(away_m), np.inf, away_m)
        count = min(MAX_TRIED, int(np.isfinite(away_m).sum()))
        nearest = np.argpartition(away_m, count - 1)[:count] if count else np.empty(0, dtype=np.int64)
        for row in nearest[np.lexsort((nearest, away_m[nearest]))].tolist():
            yield self._try_unit(row)

    def _try_piece(self, at: int, centre: shapely.Point, *, large: bool) -> Spot:
        """Return where on a piece of land a school could stand, or what excludes it."""
        ground = piece = self._pieces[at]
        row = int(self._owner[at])
        if large:
            near = shapely.get_coordinates(shapely.shortest_line(piece, centre))[0]
            ground = shapely.intersection(piece, shapely.box(*(near - WINDOW_M), *(near + WINDOW_M)))
        left = _keep_largest(self.cut(ground, self._excluding))
        area_m2 = float(shapely.area(left))
        given = float(self._given_m2[at])
        if not large and not math.isnan(given):
            area_m2 = min(area_m2, given)
        if area_m2 < self._min_area_m2:
            inner = shapely.point_on_surface(ground)
            reasons = self._find_reasons(ground, self._excluding)
            return Spot(inner.x, inner.y, "open_land", row, area_m2, ";".join(reasons) or "area")
        clear = _keep_largest(self.cut(left, self._told))
        stand = left if shapely.is_empty(clear) else clear
        point = _find_inner(stand, centre) if large else shapely.point_on_surface(stand)
        return Spot(point.x, point.y, "open_land", row, area_m2)

    def _try_unit(self, row: int) -> Spot:
        """Return the spot nearest to a unit's demand point on which a school may stand, or what excludes it."""
        x_m, y_m = (float(value) for value in self._units[row])
        point = shapely.Point(x_m, y_m)
        reasons = self._find_reasons(point, self._excluding)
        if not reasons and not self._find_reasons(point, self._told):
            return Spot(x_m, y_m, "unit", row)
        allowed = self.cut(self._find_ground(point), self._excluding)
        for ground in (self.cut(allowed, self._told), allowed):
            if not shapely.is_empty(ground):
                found = shapely.get_coordinates(shapely.shortest_line(ground, point))[0]
                return Spot(float(found[0]), float(found[1]), "unit", row)
        return Spot(x_m, y_m, "unit", row, excluded_by=";".join(reasons))

    def _find_ground(self, point: shapely.Point) -> shapely.Geometry:
        """Return the land of the county within :data:`SNAP_M` of a point."""
        disc = shapely.buffer(point, SNAP_M)
        near = self._land_tree.query(disc, predicate="intersects")
        return shapely.intersection(disc, shapely.union_all(self._land[near])) if len(near) else disc

    @cached_property
    def _land(self) -> Shapes:
        return find_land(self._study.units, scattered=self._study.adjacency.scattered)

    @cached_property
    def _land_tree(self) -> shapely.STRtree:
        return shapely.STRtree(self._land)

    def _find_reasons(self, ground: shapely.Geometry, items: Sequence[ClearDistance]) -> list[str]:
        """Return the kinds that come too near to a piece of ground, or lie on it."""
        kinds = {item.kind for item in items if len(self._find_near(ground, item))}
        return [kind for kind in EXCLUSION_KINDS if kind in kinds]

    def _find_near(self, ground: shapely.Geometry, item: ClearDistance) -> Shapes:
        near = self._trees[item.kind].query(ground, predicate="dwithin", distance=item.distance_m)
        return np.asarray(self._parts[item.kind][near], dtype=object)

    def cut(self, ground: shapely.Geometry, items: Sequence[ClearDistance]) -> shapely.Geometry:
        """Return what is left of a piece of ground clear of the kinds of ``items``."""
        for item in items:
            near = self._find_near(ground, item)
            if len(near) and not shapely.is_empty(ground):
                wide_m = item.distance_m * (1 + _ROUND_SHARE) + _MARGIN_M
                near = _clip_lines(near, shapely.bounds(ground) + np.array([-2, -2, 2, 2]) * wide_m)
                ground = shapely.difference(ground, shapely.union_all(shapely.buffer(near, wide_m)))
        return ground


def _clip_lines(shapes: Shapes, bounds: Floats) -> Shapes:
    """Return shapes with only the part of lines within bounds: a long line is widened only where it matters."""
    clipped = np.array(shapes, dtype=object)
    lines = shapely.get_dimensions(clipped) == 1
    clipped[lines] = shapely.clip_by_rect(clipped[lines], *bounds)
    return clipped


def _keep_largest(ground: shapely.Geometry) -> shapely.Geometry:
    """Return the largest area of a shape, an empty polygon where it has none."""
    parts = shapely.get_parts(ground)
    parts = parts[shapely.get_dimensions(parts) == 2]
    return parts[int(np.argmax(shapely.area(parts)))] if len(parts) else shapely.Polygon()


def _find_inner(ground: shapely.Geometry, centre: shapely.Point) -> shapely.Point:
    """Return the spot of a piece of ground nearest to a point, away from its edge where there is room."""
    inner = shapely.buffer(ground, -INNER_M)
    stand = ground if shapely.is_empty(inner) else inner
    return shapely.Point(shapely.get_coordinates(shapely.shortest_line(stand, centre))[0])


def build_spot_points(spots: Sequence[Spot]) -> Shapes:
    """Return the points of spots."""
    return build_points(np.array([spot.x_m for spot in spots]), np.array([spot.y_m for spot in spots]))
