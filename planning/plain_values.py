"""Frozen values to plain data (texts, numbers, lists, tables) and back, by type hints; every problem in words."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from geodata.errors import DataIssue
from geodata.messages import Message, msg

BAD: Final = object()
"""Stands for a value that could not be read; what is wrong with it has been noted."""

FREE_TEXTS = frozenset(["name", "comment", "parent", "kind", "becomes", "setting", "ownership"])
"""Keys whose text is no id."""
SYNONYMS: Mapping[str, str] = {
    **{"school": "school_id", "schools": "school_ids", "unit": "unit_id", "units": "unit_ids", "site": "site_id"},
    **{"places": "capacity_places", "to": "into", "receivers": "into", "note": "comment", "remark": "comment"},
    **{"method": "enrolment", "from_year": "year", "units_ids": "unit_ids", "capacity": "capacity_places"},
}
"""Words that a planner may try, and the key that is meant."""


@dataclass
class Notes:
    """Where in a file something is read, and what was found wrong there."""

    file: str
    table: str = ""
    issues: list[DataIssue] = field(default_factory=list)
    check: str = "scenario_file"

    def inside(self, table: str) -> Notes:
        """Return notes of a table of the same file; they fill the same list."""
        return Notes(self.file, table, self.issues, self.check)

    def add(
        self, key: str, problem: Message, cure: Message | None = None, found: str = "", expected: Message | None = None
    ) -> None:
        """Note one problem."""
        self.issues.append(
            DataIssue(
                *(self.check, "error", problem),
                file=self.file,
                sheet=self.table,
                column=key,
                found=found[:200],
                expected=expected,
                cure=cure,
            )
        )


def suggest(word: str, known: Iterable[str]) -> Message:
    """Return the key that was probably meant, else all that are known."""
    names = sorted(known)
    near = [SYNONYMS[word]] if SYNONYMS.get(word) in names else difflib.get_close_matches(word, names, n=1)
    if near:
        return msg("Did you mean '{name}'?", name=near[0])
    return msg("Known keys: {names}.", names=", ".join(names))


def read_fields(cls: type, table: object, notes: Notes, prefix: str = "") -> tuple[dict[str, Any], bool]:
    """Return the values of dataclass ``cls`` that ``table`` gives, by field, and whether nothing is wrong.

    Unknown keys, missing required keys and values of the wrong kind are noted, all of them.
    """
    if not isinstance(table, Mapping):
        notes.add(prefix, msg("A table was expected here."), msg("Write a table of names and values."), repr(table))
        return {}, False
    start = len(notes.issues)
    hints = get_type_hints(cls)
    known = {item.name: item for item in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{prefix}.{key}" if prefix else str(key)
        if key not in known:
            notes.add(where, msg("Unknown key."), suggest(str(key), known))
            continue
        values[key] = convert(hints[key], value, notes, where)
    values = {key: value for key, value in values.items() if value is not BAD}
    for key, item in known.items():
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if required and key not in table:
            where = f"{prefix}.{key}" if prefix else key
            notes.add(where, msg("A required key is missing."), msg("Add it."))
    return values, len(notes.issues) == start


def convert(hint: Any, value: object, notes: Notes, where: str) -> Any:
    """Return ``value`` as ``hint`` asks, or note what is wrong and return ``BAD``."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
    origin, inner = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        values, good = read_fields(hint, value, notes, where)  # type: ignore[arg-type]
        return hint(**values) if good else BAD  # type: ignore[operator]
    if origin is Literal:
        if isinstance(value, str) and value in inner:
            return value
        near = difflib.get_close_matches(str(value), [str(item) for item in inner], n=1)
        cure = msg("Did you mean '{name}'?", name=near[0]) if near else None
        every = msg("Use one of: {values}.", values=", ".join(map(str, inner)))
        notes.add(where, msg("Unknown value."), cure or every, repr(value), every if cure else None)
        return BAD
    if origin is tuple and isinstance(value, list | tuple):
        return _convert_list(inner, value, notes, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(min(max(value, -(10**300)), 10**300))  # integers of TOML have no limit; floats have
    if isinstance(hint, type) and isinstance(value, hint) and (hint is bool) == isinstance(value, bool):
        return value
    if hint is str and isinstance(value, int | float) and not isinstance(value, bool) and where not in FREE_TEXTS:
        problem = msg("An id is text: written as a number it loses its leading zeros.")
        notes.add(
            where, problem, msg('Put it in quotes: "{value}", with the zeros that it has.', value=value), f"{value}"
        )
        return BAD
    notes.add(where, msg("A value of the wrong kind."), _WANTED.get(origin or hint), repr(value))
    return BAD


def _convert_list(inner: tuple[Any, ...], value: list[Any] | tuple[Any, ...], notes: Notes, where: str) -> Any:
    if inner[-1] is Ellipsis:
        found = [convert(inner[0], item, notes, f"{where}[{at}]") for at, item in enumerate(value, start=1)]
    elif len(value) != len(inner):
        cure = msg("Write a list of {count} values.", count=len(inner))
        notes.add(where, msg("The list has another length."), cure, repr(list(value)))
        return BAD
    else:
        found = [convert(hint, item, notes, where) for hint, item in zip(inner, value, strict=True)]
    return BAD if any(item is BAD for item in found) else tuple(found)


def as_plain(value: object) -> Any:
    """Return ``value`` as texts, numbers, lists and tables; fields that hold their default are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return changed_fields(value)
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def changed_fields(value: Any, *, every: bool = False) -> dict[str, Any]:
    """Return the fields of a dataclass as plain data: those without default, and (``every``: also) the others.

    ``None`` is left out: TOML has no word for it.
    """
    found = {}
    for item in dataclasses.fields(value):
        default = item.default
        if item.default_factory is not dataclasses.MISSING:
            default = item.default_factory()
        held = getattr(value, item.name)
        if held is not None and (every or default is dataclasses.MISSING or held != default):
            found[item.name] = as_plain(held)
    return found


_WANTED: Mapping[object, Message] = {
    bool: msg("Write true or false."),
    int: msg("Write a whole number."),
    float: msg("Write a number."),
    tuple: msg("Write a list: [value, value]."),
    str: msg("Write a text in quotes."),
}
