"""Files of settings that people write: their text, and the TOML in it; what is wrong is noted, never raised."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from geodata.messages import msg
from planning.plain_values import Notes
from planning.scenario_file import find_number_cure

MAX_SIGNS = 1_000_000
"""The longest text that is read."""


def read_toml_file(path: Path, notes: Notes) -> dict[str, Any] | None:
    """Return the document of a file; None, and a note, where it cannot be read."""
    text = read_text_file(path, notes)
    return None if text is None else parse_toml(text, notes)


def read_text_file(path: Path, notes: Notes) -> str | None:
    """Return the text of a file; None, and a note, where it cannot be opened or is not text."""
    try:
        with path.open("rb") as stream:
            data = stream.read(4 * MAX_SIGNS + 1)
        return data.decode("utf-8-sig")
    except OSError as error:
        notes.add("", msg("The file cannot be opened."), msg("Check the path."), str(error.strerror))
    except UnicodeDecodeError as error:
        notes.add("", msg("The file is not text."), msg("Save it as UTF-8."), str(error))
    return None


def parse_toml(text: str, notes: Notes) -> dict[str, Any] | None:
    """Return the document of a TOML text; None, and a note, where it is none."""
    if len(text) > MAX_SIGNS:
        problem = msg("The file is longer than {count:,} signs.", count=MAX_SIGNS)
        notes.add("", problem, msg("Divide it."), f"{len(text):,}")
        return None
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        notes.add("", msg("The file is not valid TOML."), found="[[[[…")
    except ValueError as error:  # TOMLDecodeError is one; a number of 5,000 digits raises the plain one
        cure = find_number_cure(text, str(error))
        notes.add("", msg("The file is not valid TOML."), cure, str(error))
    return None
