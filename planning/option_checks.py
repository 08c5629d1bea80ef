"""Checks of options by their values alone: what is wrong is told in words, all of it at once."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from geodata.errors import ScenarioError
from geodata.messages import Message, msg


def require_none(problems: Iterable[Message | None]) -> None:
    """Raise ``ScenarioError`` with all problems, each once; None is no problem."""
    found = [problem for problem in dict.fromkeys(problems) if problem is not None]
    if found:
        raise ScenarioError(found)


def check_word(what: str, word: object, known: tuple[str, ...]) -> Message | None:
    """Return what is wrong with a word that must be one of ``known``; ``what`` is the name of the option."""
    if word in known:
        return None
    near = difflib.get_close_matches(str(word), known, n=1)
    if near:
        return msg("unknown {what} {word!r}; did you mean {near!r}?", what=what, word=word, near=near[0])
    return msg("unknown {what} {word!r}; known: {known}", what=what, word=word, known=known)


def check_numbers(value: Any) -> list[Message]:
    """Return which plain numbers of a dataclass are not 0 or more."""
    numbers = {item.name: getattr(value, item.name) for item in fields(value)}
    return [
        msg("{name} must be a number, 0 or more", name=name)
        for name, number in numbers.items()
        if isinstance(number, (int, float)) and not (math.isfinite(number) and number >= 0)
    ]
