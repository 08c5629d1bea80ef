"""From words to the area: what a reader would draw who knows the names, and nothing else of the zone.

A ring is drawn as the shortest closed walk along the lines in the order named that encloses the school, whose place the
reader knows; where no walk encloses it, or no school is named, the shortest that encloses more than a crossing. A
street means the whole street of that name. "The edge of X" says that X belongs to the zone, "the border with X" that
it does not. Units are added and taken out whole. House numbers draw no area: ``geodata.house_ranges`` reads those.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np
import numpy.typing as npt
import shapely

from geodata.landmarks import Landmarks
from geodata.line_walks import WalkMaker
from geodata.outlines import unite_shapes
from geodata.population_table import Values
from geodata.shapes import Shapes
from geodata.study import Stage
from geodata.zone_word_parts import FourSides, Limit, Name, Part, Ring, TownUnits, UnitList, ZoneWords, merge_repeats

SMALLEST_M2 = 2_000.0
"""What encloses less is a crossing of streets and not an area."""
AT_STREET_M = 30.0
"""A school that stands this near to the line is enclosed."""
MOST_WALKS = 40
NOWHERE: shapely.Geometry = shapely.Polygon()


def draw_zone_words(landmarks: Landmarks, words: ZoneWords) -> shapely.Geometry:
    """Return the area that a reader of ``words`` would draw, in the study's metres; empty where they lead nowhere."""
    return WordReader(landmarks).draw(words)


def measure_agreement(landmarks: Landmarks, unit_ids: Iterable[str], words: ZoneWords, stage: Stage) -> float:
    """Return the share of pupils for whom text and zone agree: those in both of those in either; NaN without pupils.

    Pupils of a unit are spread evenly over its land; those of scattered units live at its point.
    """
    reader = WordReader(landmarks)
    member = np.zeros(len(landmarks.unit_ids), dtype=np.bool_)
    member[landmarks.find_units(unit_ids)] = True
    return compute_agreement(member, reader.measure_shares(reader.draw(words)), landmarks.pupils[stage])


def compute_agreement(member: npt.NDArray[np.bool_], share: Values, weight: Values) -> float:
    """Return weight in both zone and text, of the weight in either. All arrays: one value per unit."""
    both = float((weight * share)[member].sum())
    either = float(weight[member].sum() + (weight * share)[~member].sum())
    return both / either if either > 0 else float("nan")


class WordReader:
    """Draws words; keeps the lines and crossings that it has looked up."""

    def __init__(self, landmarks: Landmarks) -> None:
        self.landmarks = landmarks
        self.walker = WalkMaker()
        self._tree = shapely.STRtree(landmarks.land)
        self._area_m2 = np.maximum(shapely.area(landmarks.land), 1e-9)
        self._spots: Shapes = np.asarray(shapely.point_on_surface(landmarks.land), dtype=object)
        self._lines: dict[Limit, shapely.Geometry] = {}
        self._units: dict[str, list[int]] = {}
        for position, name in enumerate(landmarks.unit_names):
            self._units.setdefault(name.text, []).append(position)
        self._streets: dict[str, list[int]] = {}
        for position, line in enumerate(landmarks.lines):
            if line.kind not in ("town", "county"):
                self._streets.setdefault(line.name.text, []).append(position)

    def draw(self, words: ZoneWords) -> shapely.Geometry:
        """Return the area of all parts together."""
        schools = self.find_schools(words.schools)
        areas = [self._draw_part(part, schools) for part in words.parts]
        return shapely.union_all(areas) if len(areas) != 1 else areas[0]

    def _draw_part(self, part: Part, schools: Shapes) -> shapely.Geometry:
        if isinstance(part, Ring | FourSides):
            area = self.draw_ring(part.limits, schools)
            added = self._unite(self.find_units(part.with_units))
            taken = self._unite(self.find_units(part.without_units))
            return shapely.difference(shapely.union(area, added), taken)
        if isinstance(part, UnitList):
            return self._unite(np.concatenate([self.find_town(town) for town in part.towns]))
        return NOWHERE

    def draw_ring(self, limits: tuple[Limit, ...], schools: Shapes) -> shapely.Geometry:
        """Return the area that the lines enclose in their order, with the units along which they run, without those
        beyond.
        """
        limits = merge_repeats(limits)
        lines = [(limit, self.find_line(limit)) for limit in limits]
        if not lines or any(shapely.is_empty(line) for _, line in lines):
            return NOWHERE
        inside, outside = (
            self.find_units(name for limit in limits if limit.kind == kind for name in limit.names)
            for kind in ("units", "beyond")
        )
        walked = len(lines) > 1
        area = self._enclose_walk(lines, schools, self._spots[outside]) if walked else _enclose(lines[0][1])
        area = shapely.difference(area, self._unite(outside)) if len(outside) else area
        return shapely.union(area, self._unite(inside)) if len(inside) else area

    def _enclose_walk(
        self, lines: list[tuple[Limit, shapely.Geometry]], schools: Shapes, beyond: Shapes
    ) -> shapely.Geometry:
        """Return the area of the walk that is meant; it holds none of the units that are told to lie ``beyond``."""
        shortest = NOWHERE
        for walk in islice(self.walker.list_walks(lines), MOST_WALKS):
            plain = shapely.Polygon(walk)
            area = plain if shapely.is_valid(plain) else _enclose(shapely.LineString(walk))
            if shapely.area(area) < SMALLEST_M2 or bool(shapely.intersects(area, beyond).any()):
                continue
            if not len(schools) or bool((shapely.distance(area, schools) <= AT_STREET_M).any()):
                return area
            shortest = area if shapely.is_empty(shortest) else shortest
        return shortest

    def find_line(self, limit: Limit) -> shapely.Geometry:
        """Return the line of a limit; a street named without its town is any of that name. Empty: nobody knows it."""
        if limit not in self._lines:
            self._lines[limit] = self._find_line(limit)
        return self._lines[limit]

    def _find_line(self, limit: Limit) -> shapely.Geometry:
        lines = self.landmarks.lines
        if limit.kind in ("units", "beyond"):
            return shapely.boundary(self._unite(self.find_units(limit.names)))
        if limit.kind in ("town", "county"):
            text = limit.names[0].text if limit.names else ""
            found = [line.shape for line in lines if line.kind == limit.kind and line.name.text == text]
        else:
            name = limit.names[0]
            found = [
                lines[position].shape
                for position in self._streets.get(name.text, [])
                if not name.place or lines[position].name == name
            ]
        return found[0] if len(found) == 1 else shapely.union_all(found)

    def find_units(self, names: Iterable[Name]) -> npt.NDArray[np.int64]:
        """Return the positions of units by name; a name without its town means all units of that name."""
        known = self.landmarks.unit_names
        found = [
            position
            for name in names
            for position in self._units.get(name.text, [])
            if not name.place or known[position] == name
        ]
        return np.array(sorted(set(found)), dtype=np.int64)

    def find_town(self, town: TownUnits) -> npt.NDArray[np.int64]:
        """Return the positions of the units that a town's entry in a list means."""
        if not town.whole:
            return self.find_units(town.units)
        members = np.flatnonzero(np.array(self.landmarks.unit_towns, dtype=object) == town.town)
        return np.setdiff1d(members, self.find_units(town.without_units))

    def find_schools(self, names: Iterable[Name]) -> Shapes:
        """Return the points of the schools named."""
        wanted = set(names)
        chosen = [name in wanted for name in self.landmarks.schools.values()]
        found: Shapes = self.landmarks.school_points[np.array(chosen, dtype=np.bool_)]
        return found

    def _unite(self, positions: npt.NDArray[np.int64]) -> shapely.Geometry:
        return unite_shapes(self.landmarks.land[positions]) if len(positions) else NOWHERE

    def measure_shares(self, area: shapely.Geometry) -> Values:
        """Return the share of each unit's land that lies in an area; scattered units are in it or not."""
        share = np.zeros(len(self._area_m2))
        if shapely.is_empty(area):
            return share
        shapely.prepare(area)
        if self.landmarks.scattered:
            inside = shapely.intersects_xy(area, self.landmarks.x_m, self.landmarks.y_m)
            return np.asarray(inside, dtype=np.float64)
        share[self._tree.query(area, predicate="covers")] = 1.0
        touched = self._tree.query(area, predicate="intersects")
        cut = touched[share[touched] == 0.0]
        share[cut] = shapely.area(shapely.intersection(self.landmarks.land[cut], area)) / self._area_m2[cut]
        return share


def _enclose(line: shapely.Geometry) -> shapely.Geometry:
    """Return everything that a line encloses, loops of it too; what it walks twice encloses nothing."""
    faces = shapely.get_parts(shapely.polygonize([shapely.unary_union(line)]))
    return shapely.union_all(faces) if len(faces) else NOWHERE
