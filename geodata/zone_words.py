"""A zone in words: as a ring of named lines, as four sides, or as a list of units, whichever is shortest and agrees.

A zone falls into pieces that do not touch; each is told by itself. A piece whose border mostly follows streets, rivers
and railways is told as a ring; villages and hamlets whose border nobody has a name for are listed. Nothing is told
that does not read back: see ``geodata.zone_words_area``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geodata.border_names import Border, BorderNamer, Positions
from geodata.four_sides import choose_sides
from geodata.landmarks import Landmarks
from geodata.outlines import unite_shapes
from geodata.population_table import Values
from geodata.study import STAGES, Stage
from geodata.zone_rings import RingSearch, ToldRing
from geodata.zone_word_parts import FourSides, Limit, Name, Part, Ring, TownUnits, UnitList, ZoneWords, merge_repeats
from geodata.zone_words_area import WordReader, compute_agreement

__all__ = [
    *("FourSides", "Limit", "Name", "Ring", "TownUnits", "UnitList", "ZoneWords"),
    *("ZoneTeller", "describe_sides", "describe_units", "describe_zone"),
]

RING_FACTOR = 1.2
"""A ring may have this many times the names of a list: streets are on every map."""
SHORT_SHARE = 0.015
"""A stretch of less than this share of the border is left out of the four sides."""
OWN_EDGE_COST = 2.5
"""To name the neighbours on each side is worth so many units added or taken out."""
LINES_SHARE = 0.5
"""A ring is told where streets, water and railways make at least this share of the border; else units are listed."""


def describe_zone(landmarks: Landmarks, unit_ids: Iterable[str], school_ids: Iterable[str] = ()) -> ZoneWords:
    """Return the shortest words that give back the zone of ``unit_ids``; ``school_ids`` say whose it is."""
    return ZoneTeller(landmarks).describe_zone(unit_ids, school_ids)


def describe_sides(landmarks: Landmarks, unit_ids: Iterable[str], school_ids: Iterable[str] = ()) -> ZoneWords:
    """Return the four sides (四至) of a zone; pieces that are small beside the largest are listed unit by unit."""
    return ZoneTeller(landmarks).describe_sides(unit_ids, school_ids)


def describe_units(landmarks: Landmarks, unit_ids: Iterable[str], school_ids: Iterable[str] = ()) -> ZoneWords:
    """Return the list of all units of a zone, by town."""
    part = UnitList(_list_units(landmarks, landmarks.find_units(unit_ids)))
    return ZoneWords((part,), _name_schools(landmarks, school_ids))


@dataclass(frozen=True, eq=False)
class _Piece:
    """A connected piece of a zone: its units, its border, and its ring, if names make one."""

    units: Positions
    shape: shapely.Geometry
    border: Border
    told: ToldRing | None


class ZoneTeller:
    """Tells zones of one study; keeps what it has looked up.

    ``landmarks`` are those of ``build_landmarks``. ``stage``: whose pupils the words should agree for; ``None`` = all.
    """

    def __init__(self, landmarks: Landmarks, stage: Stage | None = None) -> None:
        self.landmarks = landmarks
        self.reader = WordReader(landmarks)
        self._namer = BorderNamer(landmarks)
        stages = STAGES if stage is None else (stage,)
        self._pupils: Values = np.sum([landmarks.pupils[one] for one in stages], axis=0)
        self._pieces: dict[tuple[bytes, tuple[Name, ...]], list[_Piece]] = {}

    def describe_zone(self, unit_ids: Iterable[str], school_ids: Iterable[str] = ()) -> ZoneWords:
        """Return the words of :func:`describe_zone`."""
        units = self.landmarks.find_units(unit_ids)
        schools = _name_schools(self.landmarks, school_ids)
        rings: list[Part] = []
        listed: list[Positions] = []
        for piece in self._list_pieces(units, schools):
            if piece.told is not None and self._prefers_ring(piece, piece.told):
                rings.append(piece.told.ring)
            else:
                listed.append(piece.units)
        lists = [UnitList(_list_units(self.landmarks, np.concatenate(listed)))] if listed else []
        return self._drop_places(ZoneWords((*rings, *lists), schools))

    def describe_sides(self, unit_ids: Iterable[str], school_ids: Iterable[str] = ()) -> ZoneWords:
        """Return the words of :func:`describe_sides`; a list of units where the lines lead nowhere."""
        units = self.landmarks.find_units(unit_ids)
        schools = _name_schools(self.landmarks, school_ids)
        pieces = self._list_pieces(units, schools)
        if not pieces:
            return ZoneWords((), schools)
        told = self._tell_sides(units, pieces[0], schools)
        if told is None:
            return ZoneWords((UnitList(_list_units(self.landmarks, units)),), schools)
        rest = [piece.units for piece in pieces[1:]]
        lists = [UnitList(_list_units(self.landmarks, np.concatenate(rest)))] if rest else []
        return self._drop_places(ZoneWords((told, *lists), schools))

    def _tell_sides(self, units: Positions, piece: _Piece, schools: tuple[Name, ...]) -> FourSides | None:
        """Return the sides of a piece: by its ring if streets make it, else by what lies beyond its border."""
        search = self._search(units, piece.units, schools)
        rings = [(piece.border, piece.told.stretches)] if piece.told is not None else []
        if piece.told is None or piece.told.lines_share < LINES_SHARE:
            border = self._namer.name_border(piece.shape, units, beyond=True)
            least_m = SHORT_SHARE * sum(stretch.length_m for stretch in border.stretches)
            rings += [(border, tuple(s for s in border.stretches if s.length_m >= least_m)), (border, border.stretches)]
        found: list[tuple[float, FourSides]] = []
        for border, stretches in rings:
            sides = choose_sides(border, stretches)
            told = search.correct(merge_repeats(sides.limits)) if sides is not None else None
            if sides is not None and told is not None:
                changes = told.ring.with_units, told.ring.without_units
                own = OWN_EDGE_COST if border is piece.border else 0.0
                cost = told.score - told.effort + len(changes[0]) + len(changes[1]) + own
                found.append((cost, FourSides(sides.east, sides.south, sides.west, sides.north, *changes)))
        return min(found, key=lambda item: item[0])[1] if found else None

    def measure_agreement(self, unit_ids: Iterable[str], words: ZoneWords, stage: Stage) -> float:
        """Return the share of :func:`geodata.zone_words_area.measure_agreement`."""
        member = np.zeros(len(self.landmarks.unit_ids), dtype=np.bool_)
        member[self.landmarks.find_units(unit_ids)] = True
        share = self.reader.measure_shares(self.reader.draw(words))
        return compute_agreement(member, share, self.landmarks.pupils[stage])

    def _search(self, units: Positions, piece: Positions, schools: tuple[Name, ...]) -> RingSearch:
        member = np.zeros(len(self.landmarks.unit_ids), dtype=np.bool_)
        member[units] = True
        return RingSearch(self.reader, member, piece, self._pupils, self.reader.find_schools(schools))

    def _list_pieces(self, units: Positions, schools: tuple[Name, ...]) -> list[_Piece]:
        """Return the connected pieces of a zone, the one with the most pupils first."""
        key = units.tobytes(), schools
        if key not in self._pieces:
            land = self.landmarks.land[units]
            shapes = shapely.get_parts(unite_shapes(land)) if len(units) else np.empty(0, dtype=object)
            home = shapely.STRtree(shapes).nearest(shapely.point_on_surface(land)) if len(shapes) else np.empty(0)
            pieces = [self._tell_piece(units, units[home == k], shapes[k], schools) for k in range(len(shapes))]
            pieces = [piece for piece in pieces if len(piece.units)]
            self._pieces = {key: sorted(pieces, key=lambda piece: -float(self._pupils[piece.units].sum()))}
        return self._pieces[key]

    def _tell_piece(
        self, units: Positions, piece: Positions, shape: shapely.Geometry, schools: tuple[Name, ...]
    ) -> _Piece:
        border = self._namer.name_border(shape, units)
        return _Piece(piece, shape, border, self._search(units, piece, schools).find_ring(border))

    def _prefers_ring(self, piece: _Piece, told: ToldRing) -> bool:
        """Whether a piece is better told by its ring than by its units."""
        entries = _list_units(self.landmarks, piece.units)
        listed = sum(self._measure_list(entry) for entry in entries)
        return told.lines_share >= LINES_SHARE and told.score <= listed * RING_FACTOR

    def _measure_list(self, entry: TownUnits) -> float:
        names = entry.without_units if entry.whole else entry.units
        # A label that nobody uses may stand once as an exception; a list of such labels tells a resident nothing.
        return float(entry.whole) + float((self.landmarks.name_cost[self.reader.find_units(names)] ** 2).sum())

    def _drop_places(self, words: ZoneWords) -> ZoneWords:
        """Return the words with streets named without their town, where who knows the school reads the same."""
        if not words.schools:
            return words
        plain = ZoneWords(tuple(_drop_place(part) for part in words.parts), words.schools)
        if plain == words:
            return words
        before, after = self.reader.draw(words), self.reader.draw(plain)
        same = shapely.area(shapely.symmetric_difference(before, after)) <= 1e-6 * max(shapely.area(before), 1.0)
        return plain if same else words


def _drop_place(part: Part) -> Part:
    if isinstance(part, Ring):
        return Ring(_plain(part.limits), part.with_units, part.without_units)
    if isinstance(part, FourSides):
        east, south, west, north = (_plain(side) for side in (part.east, part.south, part.west, part.north))
        return FourSides(east, south, west, north, part.with_units, part.without_units)
    return part


def _plain(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    return tuple(Limit("line", (Name(limit.names[0].text),)) if limit.kind == "line" else limit for limit in limits)


def _name_schools(landmarks: Landmarks, school_ids: Iterable[str]) -> tuple[Name, ...]:
    return tuple(landmarks.schools[str(key)] for key in school_ids)


def _list_units(landmarks: Landmarks, positions: Positions) -> tuple[TownUnits, ...]:
    """Return units by town, towns by their first unit; a town that is all there, or nearly, is named as a whole."""
    towns = np.array(landmarks.unit_towns, dtype=object)
    listed: npt.NDArray[np.bool_] = np.zeros(len(towns), dtype=np.bool_)
    listed[positions] = True
    entries = []
    for town in dict.fromkeys(towns[np.sort(positions)]):
        inside, outside = np.flatnonzero(listed & (towns == town)), np.flatnonzero(~listed & (towns == town))
        if town and 1 + len(outside) < len(inside) and len(outside) <= 3:
            entries.append(TownUnits(str(town), (), True, _name_in_town(landmarks, outside, str(town))))
        else:
            entries.append(TownUnits(str(town), _name_in_town(landmarks, inside, str(town))))
    return tuple(entries)


def _name_in_town(landmarks: Landmarks, positions: Positions, town: str) -> tuple[Name, ...]:
    """Return names of units under the heading of their town, which need not be said again."""
    names = (landmarks.unit_names[position] for position in positions)
    return tuple(Name(name.text) if name.place == town else name for name in names)
