"""The words of a zone as values: only names, no shapes, so that nobody can look at the map while reading them.

A zone is told in parts. A part is a ring of lines, four sides, a list of units, or a list of house numbers: the forms
of Chinese enrolment notices (招生简章, 学区划分通告). ``geodata.zone_words`` finds the words of an area,
``geodata.zone_words_area`` draws the area of words, ``reports.zone_words`` says them and reads them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

LimitKind = Literal["line", "units", "beyond", "town", "county"]
Parity = Literal["odd", "even", "both"]
SIDES: tuple[str, ...] = ("east", "south", "west", "north")
"""Clockwise, in the order of 东南西北."""


@dataclass(frozen=True, order=True)
class Name:
    """A name as people say it; ``place`` (a town) tells apart what bears the same name elsewhere."""

    text: str
    place: str = ""


@dataclass(frozen=True)
class Limit:
    """One stretch of a boundary.

    ``line``: a street, river or railway, along its middle. ``units``: the outer edge of units that belong to the zone.
    ``beyond``: the border with units that do not belong to it.
    ``town``: the edge of a town. ``county``: the edge of the county (no name).
    """

    kind: LimitKind = "line"
    names: tuple[Name, ...] = ()


@dataclass(frozen=True)
class Ring:
    """The area that the lines enclose, in clockwise order, with whole units added and taken out."""

    limits: tuple[Limit, ...]
    with_units: tuple[Name, ...] = ()
    without_units: tuple[Name, ...] = ()


@dataclass(frozen=True)
class FourSides:
    """The area between four sides (四至); the lines of a side in clockwise order, so the sides in order are a ring."""

    east: tuple[Limit, ...]
    south: tuple[Limit, ...]
    west: tuple[Limit, ...]
    north: tuple[Limit, ...]
    with_units: tuple[Name, ...] = ()
    without_units: tuple[Name, ...] = ()

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The sides as one ring; a line that rounds a corner stands in it once."""
        return merge_repeats((*self.east, *self.south, *self.west, *self.north))


@dataclass(frozen=True)
class TownUnits:
    """Units of one town. ``whole``: all of the town but ``without_units``; then ``units`` is empty.

    ``town`` may be empty: units of no town.
    """

    town: str
    units: tuple[Name, ...] = ()
    whole: bool = False
    without_units: tuple[Name, ...] = ()


@dataclass(frozen=True)
class UnitList:
    """Whole units, by town."""

    towns: tuple[TownUnits, ...]


@dataclass(frozen=True)
class NumberRange:
    """House numbers from ``first`` to ``last`` on one side of a street; an empty ``last`` is the end of the street."""

    parity: Parity
    first: str
    last: str = ""


@dataclass(frozen=True)
class StreetNumbers:
    """House numbers of one street; no ranges = the whole street."""

    street: Name
    ranges: tuple[NumberRange, ...] = ()


@dataclass(frozen=True)
class AddressList:
    """House numbers, by street."""

    streets: tuple[StreetNumbers, ...]


Part: TypeAlias = Ring | FourSides | UnitList | AddressList


@dataclass(frozen=True)
class ZoneWords:
    """A zone in words. ``schools``: whose zone it is; several share it (共同学区)."""

    parts: tuple[Part, ...] = ()
    schools: tuple[Name, ...] = ()


def merge_repeats(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    """Return a ring in which no line follows itself, nor the last the first; neighbouring stretches of units join."""
    merged: list[Limit] = []
    for limit in limits:
        if merged and merged[-1] == limit:
            continue
        if merged and limit.kind == merged[-1].kind and limit.kind in ("units", "beyond"):
            merged[-1] = Limit(limit.kind, tuple(dict.fromkeys((*merged[-1].names, *limit.names))))
            continue
        merged.append(limit)
    while len(merged) > 1 and merged[0] == merged[-1]:
        merged.pop()
    return tuple(merged)
