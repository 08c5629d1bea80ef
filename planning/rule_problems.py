"""Words that the problems of rulebooks share: the place, the near word, the level, and why a text is not TOML."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from geodata.messages import Message, msg

LEVEL_WORDS: Mapping[str, Message] = MappingProxyType(
    {
        "nation": msg("the nation"),
        "province": msg("the province"),
        "city": msg("the city"),
        "county": msg("the county"),
    }
)
TYPE_WORDS: Mapping[type, Message] = MappingProxyType(
    {bool: msg("bool"), int: msg("int"), str: msg("str"), dict: msg("dict")}
)
_REASONS = (
    msg("Invalid statement"),
    msg("Invalid value"),
    msg("Invalid hex value"),
    msg("Invalid date or datetime"),
    msg("Invalid initial character for a key part"),
    msg("Expected newline or end of document after a statement"),
    msg("Expected '=' after a key in a key/value pair"),
    msg("Expected ']' at the end of a table declaration"),
    msg("Expected ']]' at the end of an array declaration"),
    msg("Cannot overwrite a value"),
    msg("Unclosed array"),
    msg("Unclosed inline table"),
    msg("Unterminated string"),
    msg("Unescaped '\\' in a string"),
    msg("Escaped character is not a Unicode scalar value"),
    msg("Cannot declare {found} twice", found=""),
    msg("Cannot mutate immutable namespace {found}", found=""),
    msg("Cannot redefine namespace {found}", found=""),
    msg("Duplicate inline table key {found}", found=""),
    msg("Found invalid character {found}", found=""),
    msg("Illegal character {found}", found=""),
    msg("Expected {found}", found=""),
)
"""What ``tomllib`` says; a sentence that is none of these is told as it is. The more special ones stand first."""
_PLACE = re.compile(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)")


def tell_at(where: Message, problem: Message) -> Message:
    """Return a problem with the place where it stands."""
    return msg("{where}: {problem}", where=where, problem=problem)


def name_table(table: Any, number: int) -> Message:
    """Return how problems call a table: its number, and its id where it has one."""
    if isinstance(table, Mapping) and "id" in table:
        return msg("rule {number} ({id})", number=number, id=str(table["id"]))
    return msg("rule {number}", number=number)


def suggest(word: str, known: Iterable[str]) -> Message:
    """Return the nearest known word as a question, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    return msg("did you mean {name!r}?", name=near[0]) if near else msg("known: {names}", names=tuple(names))


def tell_not_toml(error: ValueError | RecursionError) -> Message:
    """Return why a text cannot be read as TOML, with the line and the column where ``tomllib`` tells them."""
    if isinstance(error, RecursionError):
        return msg("its lists stand in one another too deep")
    if isinstance(error, UnicodeDecodeError):
        return msg("it is not text in UTF-8")
    if not isinstance(error, tomllib.TOMLDecodeError):  # Python refuses numbers of thousands of digits
        return msg("a number in it has too many digits")
    found = _PLACE.fullmatch(str(error))
    if found is None:
        return _find_reason(str(error))
    reason, line, column = _find_reason(found[1]), found[2], found[3]
    if line is None:
        return msg("{reason} (at end of document)", reason=reason)
    return msg("{reason} (at line {line}, column {column})", reason=reason, line=line, column=column)


def _find_reason(words: str) -> Message:
    for reason in _REASONS:
        before, mark, after = reason.template.partition("{found}")
        if words == before if not mark else words.startswith(before) and words.endswith(after):
            inner = words[len(before) : len(words) - len(after)]
            return Message(reason.template, (("found", inner),)) if mark else reason
    return msg("{reason}", reason=words)
