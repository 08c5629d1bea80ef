"""Reading zones in words: a small parser over the same grammar that writes them."""

from __future__ import annotations

from geodata.zone_word_parts import (
    AddressList,
    FourSides,
    Limit,
    LimitKind,
    Name,
    NumberRange,
    Parity,
    Part,
    Ring,
    StreetNumbers,
    TownUnits,
    UnitList,
    ZoneWords,
)
from reports.zone_grammar import Grammar


def read_words(text: str, grammar: Grammar) -> ZoneWords:
    """Return the words of a text; ``ValueError`` where it does not follow the grammar."""
    return _Reading(text, grammar).read()


class _Reading:
    """A text and how far it has been read."""

    def __init__(self, text: str, grammar: Grammar) -> None:
        self._grammar = grammar
        self._text = text.removesuffix(grammar.note).removesuffix(grammar.stop)
        self._at = 0

    def read(self) -> ZoneWords:
        schools = self._read_schools()
        if not schools:
            self._text = self._text[:1].lower() + self._text[1:]
        parts: list[Part] = []
        if not self._take(self._grammar.nothing):
            parts.append(self._read_part())
            while self._take(self._grammar.part):
                parts.append(self._read_part())
        if self._at < len(self._text):
            raise self._refuse()
        return ZoneWords(tuple(parts), schools)

    def _read_schools(self) -> tuple[Name, ...]:
        grammar = self._grammar
        openers = (grammar.ring[0], grammar.sides[0], grammar.places, grammar.houses, grammar.nothing)
        if self._text.startswith(tuple(o for opener in openers for o in (opener, opener[0].upper() + opener[1:]))):
            return ()
        if not self._take(grammar.shared[0]):
            self._require(grammar.catchment[0])
        names = [self._read_name()]
        while self._take(grammar.school_comma) or self._take(grammar.comma):
            names.append(self._read_name())
        self._require(grammar.catchment[1] if len(names) == 1 else grammar.shared[1])
        return tuple(names)

    def _read_part(self) -> Part:
        grammar = self._grammar
        if self._take(grammar.ring[0]):
            limits = self._read_limits()
            self._require(grammar.ring[1])
            return Ring(limits, *self._read_changes())
        if self._take(grammar.sides[0]):
            sides = [self._read_limits()]
            for opener in grammar.sides[1:]:
                self._require(opener)
                sides.append(self._read_limits())
            return FourSides(sides[0], sides[1], sides[2], sides[3], *self._read_changes())
        if self._take(grammar.places):
            towns = [self._read_town()]
            while self._goes_on():
                towns.append(self._read_town())
            return UnitList(tuple(towns))
        self._require(grammar.houses)
        streets = [self._read_street()]
        while self._goes_on():
            streets.append(self._read_street())
        return AddressList(tuple(streets))

    def _goes_on(self) -> bool:
        """Step over the sign between entries of a list, unless another part begins behind it."""
        grammar = self._grammar
        openers = (grammar.ring[0], grammar.sides[0], grammar.places, grammar.houses)
        if any(self._sees(grammar.part + opener) for opener in openers):
            return False
        return self._take(grammar.part)

    def _read_limits(self) -> tuple[Limit, ...]:
        limits = [self._read_limit()]
        while self._take(self._grammar.joint):
            limits.append(self._read_limit())
        return tuple(limits)

    def _read_limit(self) -> Limit:
        grammar = self._grammar
        if self._take(grammar.county):
            return Limit("county")
        marked: dict[LimitKind, tuple[str, str]] = {
            "units": grammar.edge,
            "beyond": grammar.beyond,
            "town": grammar.town,
        }
        for kind, (before, after) in marked.items():
            if before and self._take(before):
                names = self._read_names()
                self._require(after)
                return Limit(kind, names)
        names = self._read_names()
        for kind, (before, after) in marked.items():
            if not before and self._take(after):
                return Limit(kind, names)
        return Limit("line", names)

    def _read_changes(self) -> tuple[tuple[Name, ...], tuple[Name, ...]]:
        added = self._read_names() if self._take(self._grammar.including) else ()
        taken = self._read_names() if self._take(self._grammar.excluding) else ()
        return added, taken

    def _read_town(self) -> TownUnits:
        grammar = self._grammar
        start = self._at
        if not grammar.whole[0] or self._take(grammar.whole[0]):
            town = self._read_text()
            if not grammar.whole[1] or self._take(grammar.whole[1]):
                names: tuple[Name, ...] = ()
                if self._take(grammar.all_but[0]):
                    names = self._read_names()
                    self._require(grammar.all_but[1])
                return TownUnits(town, (), True, names)
            if self._take(grammar.of_town):
                return TownUnits(town, self._read_names())
            self._at = start
        names = self._read_names()
        return TownUnits(self._read_text() if self._take(grammar.in_town) else "", names)

    def _read_street(self) -> StreetNumbers:
        grammar = self._grammar
        street = self._read_name()
        self._require(grammar.of_street)
        if self._take(grammar.all_numbers):
            return StreetNumbers(street)
        ranges = [self._read_range()]
        while self._take(grammar.comma):
            ranges.append(self._read_range())
        return StreetNumbers(street, tuple(ranges))

    def _read_range(self) -> NumberRange:
        grammar = self._grammar
        first = self._read_text(numbers=True)
        last = first
        if self._take(grammar.upwards):
            last = ""
        else:
            if self._take(grammar.span):
                last = self._read_text(numbers=True)
            self._require(grammar.number)
        parities: tuple[Parity, ...] = ("odd", "even")
        found = [parity for parity in parities if self._take(grammar.parity[parity])]
        return NumberRange(found[0] if found else "both", first, last)

    def _read_names(self) -> tuple[Name, ...]:
        grammar = self._grammar
        names = [self._read_name()]
        others = (grammar.including, grammar.excluding, *grammar.sides[1:])
        while not any(self._sees(other) for other in others):
            if not (self._take(grammar.last_comma) or self._take(grammar.comma)):
                break
            names.append(self._read_name())
        return tuple(names)

    def _read_name(self) -> Name:
        text = self._read_text()
        if not self._take(self._grammar.brackets[0]):
            return Name(text)
        place = self._read_text()
        self._require(self._grammar.brackets[1])
        return Name(text, place)

    def _read_text(self, *, numbers: bool = False) -> str:
        """Return what stands in quotes, or all up to the next sign of the grammar."""
        before, after = self._grammar.quotes
        if self._take(before):
            text = ""
            while True:
                end = self._text.find(after, self._at)
                if end < 0:
                    raise self._refuse()
                text += self._text[self._at : end]
                self._at = end + len(after)
                if not self._take(after):
                    return text
                text += after
        marks = self._grammar.number_marks if numbers else self._grammar.marks
        ends = [self._text.find(mark, self._at) for mark in marks]
        end = min((end for end in ends if end >= 0), default=len(self._text))
        if end == self._at:
            raise self._refuse()
        text, self._at = self._text[self._at : end], end
        return text

    def _sees(self, literal: str) -> bool:
        return self._text.startswith(literal, self._at)

    def _take(self, literal: str) -> bool:
        seen = bool(literal) and self._sees(literal)
        if seen:
            self._at += len(literal)
        return seen

    def _require(self, literal: str) -> None:
        if literal and not self._take(literal):
            raise self._refuse()

    def _refuse(self) -> ValueError:
        return ValueError(f"not understood from character {self._at + 1} on: {self._text[self._at :][:40]!r}")
