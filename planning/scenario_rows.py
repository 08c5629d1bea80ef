"""One action as plain data and back: the ``[[action]]`` of a scenario file, the record of a run, the app's table."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from geodata.errors import DataError
from geodata.messages import Message, msg
from planning.actions import ACTION_CLASSES, Action
from planning.plain_values import Notes, changed_fields, read_fields


def build_action(row: Mapping[str, Any], *, file: str = "", number: int = 1) -> Action:
    """Return the action of a plain row: ``kind``, and the fields of that action by name; lists stand for tuples.

    A field that is None counts as left out.

    Parameters
    ----------
    file, number
        Where the row stands, for messages.

    Raises
    ------
    DataError
        With everything that is wrong: an unknown kind or key, a value of the wrong kind, a size below zero …
    """
    notes = Notes(file)
    action = read_action({key: value for key, value in row.items() if value is not None}, notes, number)
    if action is None:
        raise DataError(notes.issues)
    return action


def read_action(row: object, notes: Notes, number: int) -> Action | None:
    """Return the action of row ``number``, or note what is wrong and return None."""
    inside = notes.inside(f"[[action]] {number}")
    if not isinstance(row, Mapping):
        inside.add("", msg("A table was expected here."), msg("Write [[action]], with its keys below."), repr(row))
        return None
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in ACTION_CLASSES:
        near = difflib.get_close_matches(str(kind), list(ACTION_CLASSES), n=1)
        cure = msg("Did you mean '{name}'?", name=near[0]) if near else None
        known = msg("Use one of: {values}.", values=", ".join(ACTION_CLASSES))
        problem = msg("Unknown kind of action.") if "kind" in row else msg("The action has no kind.")
        inside.add("kind", problem, cure or known, repr(kind) if "kind" in row else "", known if cure else None)
        return None
    inside = notes.inside(f"[[action]] {number} ({kind})")
    cls = ACTION_CLASSES[kind]
    values, good = read_fields(cls, {key: value for key, value in row.items() if key != "kind"}, inside)
    if not good:
        return None
    found = list_problems(cls, values)
    for problem in found:
        inside.add("", problem)
    return None if found else cls(**values)


def list_problems(cls: type[Action], values: Mapping[str, Any]) -> list[Message]:
    """Return what the action itself finds wrong with these values."""
    probe = object.__new__(cls)  # not through the constructor: that raises, with all of it run together
    for key, value in values.items():
        object.__setattr__(probe, key, value)
    return list(dict.fromkeys(problem for problem in probe.list_problems() if problem is not None))


def action_as_dict(action: Action) -> dict[str, Any]:
    """Return ``kind`` and every field that differs from its default, as plain data; ``build_action`` undoes it.

    The year stands first, the comment last.
    """
    held = changed_fields(action)
    year = {"year": held.pop("year")} if "year" in held else {}
    comment = {"comment": held.pop("comment")} if "comment" in held else {}
    return {"kind": action.kind, **year, **held, **comment}


describe_fields = action_as_dict
