"""Zones in words for a public notice, in Chinese and English, and read back from the notice: ``parse(say(w)) == w``."""

from __future__ import annotations

from collections.abc import Sequence

from geodata.zone_word_parts import (
    SIDES,
    AddressList,
    FourSides,
    Limit,
    Name,
    NumberRange,
    Part,
    Ring,
    StreetNumbers,
    TownUnits,
    UnitList,
    ZoneWords,
)
from reports.language import Language, Translator
from reports.zone_grammar import GRAMMARS, Grammar
from reports.zone_words_read import read_words

__all__ = ["parse_zone", "say_zone"]


def say_zone(words: ZoneWords, _: Translator) -> str:
    """Return the text of a zone in the reader's language.

    Names stay as they are; those with signs or words of the grammar in them are put in quotes: 「…」, “…”.
    """
    grammar = GRAMMARS[_.language]
    parts = [_say_part(part, grammar) for part in words.parts] or [grammar.nothing]
    text = _say_schools(words.schools, grammar) + grammar.part.join(parts) + grammar.stop
    rings = [part for part in words.parts if isinstance(part, Ring | FourSides)]
    if any(limit.kind == "line" for part in rings for limit in part.limits):
        text += grammar.note
    return text[0].upper() + text[1:] if not words.schools else text


def parse_zone(text: str, language: Language) -> ZoneWords:
    """Return the words of a text that :func:`say_zone` wrote in ``language``.

    Raises
    ------
    ValueError
        The text does not follow the grammar; says where.
    """
    return read_words(text, GRAMMARS[language])


def _say_schools(schools: Sequence[Name], grammar: Grammar) -> str:
    if not schools:
        return ""
    before, after = grammar.catchment if len(schools) == 1 else grammar.shared
    return before + _join([say_name(name, grammar) for name in schools], grammar.comma, grammar.school_comma) + after


def _say_part(part: Part, grammar: Grammar) -> str:
    if isinstance(part, Ring):
        before, after = grammar.ring
        return before + _say_limits(part.limits, grammar) + after + _say_changes(part, grammar)
    if isinstance(part, FourSides):
        told = [
            opener + _say_limits(getattr(part, side), grammar)
            for opener, side in zip(grammar.sides, SIDES, strict=True)
        ]
        return "".join(told) + _say_changes(part, grammar)
    if isinstance(part, UnitList):
        return grammar.places + grammar.part.join(_say_town(town, grammar) for town in part.towns)
    assert isinstance(part, AddressList)
    return grammar.houses + grammar.part.join(_say_street(street, grammar) for street in part.streets)


def _say_limits(limits: Sequence[Limit], grammar: Grammar) -> str:
    return grammar.joint.join(_say_limit(limit, grammar) for limit in limits)


def _say_limit(limit: Limit, grammar: Grammar) -> str:
    if limit.kind == "county":
        return grammar.county
    around = {"line": ("", ""), "units": grammar.edge, "beyond": grammar.beyond, "town": grammar.town}[limit.kind]
    return say_names(limit.names, grammar).join(around)


def _say_changes(part: Ring | FourSides, grammar: Grammar) -> str:
    text = grammar.including + say_names(part.with_units, grammar) if part.with_units else ""
    return text + (grammar.excluding + say_names(part.without_units, grammar) if part.without_units else "")


def _say_town(town: TownUnits, grammar: Grammar) -> str:
    heading = quote(town.town, grammar)
    if town.whole:
        without = say_names(town.without_units, grammar).join(grammar.all_but) if town.without_units else ""
        return heading.join(grammar.whole) + without
    names = say_names(town.units, grammar)
    if not town.town:
        return names
    return heading + grammar.of_town + names if grammar.of_town else names + grammar.in_town + heading


def _say_street(street: StreetNumbers, grammar: Grammar) -> str:
    ranges = [_say_range(item, grammar) for item in street.ranges]
    told = _join(ranges, grammar.comma, grammar.comma) if ranges else grammar.all_numbers
    return say_name(street.street, grammar) + grammar.of_street + told


def _say_range(item: NumberRange, grammar: Grammar) -> str:
    first, last = (quote(number, grammar, numbers=True) for number in (item.first, item.last))
    if not item.last:
        span = first + grammar.upwards
    elif item.first == item.last:
        span = first + grammar.number
    else:
        span = first + grammar.span + last + grammar.number
    return span + grammar.parity[item.parity]


def say_names(names: Sequence[Name], grammar: Grammar) -> str:
    """Return names as a list of the language: "A, B and C", "A、B、C"."""
    return _join([say_name(name, grammar) for name in names], grammar.comma, grammar.last_comma)


def say_name(name: Name, grammar: Grammar) -> str:
    """Return a name with its town in brackets where it has one: 新街（柳溪镇）."""
    text = quote(name.text, grammar)
    return text + grammar.brackets[0] + quote(name.place, grammar) + grammar.brackets[1] if name.place else text


def quote(text: str, grammar: Grammar, *, numbers: bool = False) -> str:
    """Return a name in quotes if it could be misread without; a closing quote within is doubled."""
    marks = grammar.number_marks if numbers else grammar.marks
    plain = bool(text) and text == text.strip() and not text.startswith(grammar.openers)
    if plain and not any(mark in text or _could_grow(text, mark, grammar) for mark in marks):
        return text
    before, after = grammar.quotes
    return before + text.replace(after, after + after) + after


def _could_grow(text: str, mark: str, grammar: Grammar) -> bool:
    """Whether the end of a name and what may follow it could be taken for a mark: "A –" before " (B)"."""
    return any(text.endswith(mark[:cut]) and mark[cut] in grammar.followers for cut in range(1, len(mark)))


def _join(texts: Sequence[str], comma: str, last_comma: str) -> str:
    return comma.join(texts[:-1]) + last_comma + texts[-1] if len(texts) > 1 else "".join(texts)
