"""The parameters of rules in a reader's words: what ``min_met`` and ``majority_of_parents_object`` mean.

Names and texts stand in ``rulebooks/words.csv`` in both languages, as the names of the rules do in the books; one that
is not there, of a planner's own rulebook, is shown as it is written.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

WORDS_FILE = Path(__file__).parent / "rulebooks" / "words.csv"
_THOUSANDS_FROM = 10_000
"""Smaller numbers are written without separators: some of them are years."""


def read_words(file: Path = WORDS_FILE) -> Mapping[tuple[str, str], tuple[str, str]]:
    """Read the words: by kind (``name`` or ``text``) and word, English and Chinese."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return MappingProxyType({(row["kind"], row["word"]): (row["en"], row["zh"]) for row in rows})


WORDS = read_words()


def list_params(params: Mapping[str, Any], *, chinese: bool = False) -> tuple[tuple[str, str], ...]:
    """Return parameters as pairs of name and value in words; tables within become names of two parts."""
    found: list[tuple[str, str]] = []
    for key, value in params.items():
        name = _find_word("name", key, chinese)
        if isinstance(value, Mapping):
            found += [(f"{name}: {inner}", said) for inner, said in list_params(value, chinese=chinese)]
        else:
            found.append((name, _say(value, chinese)))
    return tuple(found)


def _say(value: Any, chinese: bool) -> str:
    if isinstance(value, bool):
        return ("是" if value else "否") if chinese else ("yes" if value else "no")
    if isinstance(value, int | float):
        return f"{value:,.10g}" if abs(value) >= _THOUSANDS_FROM else f"{value:.10g}"
    if isinstance(value, list | tuple):
        return ("、" if chinese else ", ").join(_say(item, chinese) for item in value) or ("无" if chinese else "none")
    return _find_word("text", str(value), chinese)


def _find_word(kind: str, word: str, chinese: bool) -> str:
    pair = WORDS.get((kind, word))
    return word if pair is None else pair[chinese]
