"""Files of settings that people write: their text, and the TOML in it; what is wrong is noted, never raised."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from geodata.messages import Message, msg
from planning.plain_values import Notes

MAX_SIGNS = 1_000_000
"""The longest text that is read."""


def read_toml_file(path: Path, notes: Notes) -> dict[str, Any] | None:
    """Return the document of a file; None, and a note, where it cannot be read."""
    text = read_text_file(path, notes)
    return None if text is None else parse_toml(text, notes)


def read_text_file(path: Path, notes: Notes, *, most: int = MAX_SIGNS, cure: Message | None = None) -> str | None:
    """Return the text of a file; None, and a note, where it cannot be opened or is not text.

    Of a text longer than ``most`` signs so much is read that :func:`parse_toml` sees it. ``cure``: where there is no
    such file.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(4 * most + 1)
        return data.decode("utf-8-sig")
    except OSError as error:
        notes.add("", msg("The file cannot be opened."), cure or msg("Check the path."), str(error.strerror))
    except UnicodeDecodeError as error:
        notes.add("", msg("The file is not text."), msg("Save it as UTF-8."), str(error))
    return None


def parse_toml(text: str, notes: Notes, *, most: int = MAX_SIGNS, cure: Message | None = None) -> dict[str, Any] | None:
    """Return the document of a TOML text; None, and a note, where it is none, or longer than ``most`` (``cure``)."""
    if len(text) > most:
        problem = msg("The file is longer than {count:,} signs.", count=most)
        notes.add("", problem, cure or msg("Divide it."), f"{len(text):,}")
        return None
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        notes.add("", msg("The file is not valid TOML."), found="[[[[…")
    except ValueError as error:  # TOMLDecodeError is one; a number of 5,000 digits raises the plain one
        notes.add("", msg("The file is not valid TOML."), find_number_cure(text, str(error)), str(error))
    return None


def find_number_cure(text: str, error: str) -> Message | None:
    """Return the cure of an id such as 0101 that stands without quotes; TOML has no such number."""
    place = re.search(r"at line (\d+)", error)
    lines = text.splitlines()
    if place is None or int(place[1]) > len(lines):
        return None
    number = re.search(r"(?<![\w\".:+-])0\d+(?![\w\".:-])", lines[int(place[1]) - 1])
    return None if number is None else msg('Ids stand in quotes: "{value}".', value=number[0])
