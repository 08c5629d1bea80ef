"""Where drawings are kept: one file for each county, stage and visitor's token, written anew after every change.

The token stands in the address, so that a reload, or a new start of the program, finds the drawing again. The files
lie beside the cache, in a folder of their own that the cache never tidies.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import tempfile
import time
from pathlib import Path

from geodata.cache import compute_cache_folder
from geodata.messages import msg
from geodata.study import compute_digest
from ui.catchments_state import Drawing, DrawingError, check_drawing, pack_drawing, unpack_drawing

FOLDER = "drawings"
TOKEN = re.compile(r"[0-9a-f]{16}")
MOST_FILE_BYTES = 200_000_000
KEEP_DAYS = 400
Stamp = tuple[int, int]
"""Size and time of a file: tells whether another window has written it."""


def build_token() -> str:
    """Return a new token, which nobody can guess."""
    return secrets.token_hex(8)


def compute_drawing_path(fingerprint: str, stage: str, token: str) -> Path:
    """Return the file of a drawing; ``ValueError`` for a token that is none."""
    if not TOKEN.fullmatch(token):
        raise ValueError("not a token")
    return compute_cache_folder() / FOLDER / f"{compute_digest(fingerprint, stage)}-{token}.json"


def write_drawing(path: Path, drawing: Drawing) -> Stamp | None:
    """Write a drawing, as a whole or not at all; return the mark of the file, None where it cannot be written."""
    content = json.dumps(pack_drawing(drawing), separators=(",", ":")).encode("ascii")
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(path)
    except OSError:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        return None
    return read_stamp(path)


def read_stamp(path: Path) -> Stamp | None:
    """Return size and time of a file, None where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns


def read_kept_drawing(path: Path) -> Drawing | None:
    """Return the drawing that a file holds, None where there is no file.

    Raises
    ------
    DrawingError
        The file cannot be read, or holds no drawing.
    """
    if not path.exists():
        return None
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise DrawingError(msg("The file of the drawing is too large."))
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise DrawingError(msg("The file of the drawing cannot be read.")) from error
    except (ValueError, RecursionError) as error:
        raise DrawingError(msg("The drawing is damaged.")) from error
    drawing = unpack_drawing(content)
    check_drawing(drawing)
    return drawing


def put_aside(path: Path) -> None:
    """Give a file that cannot be used another name, so that a new drawing does not overwrite it."""
    with contextlib.suppress(OSError):
        path.replace(path.with_suffix(f".{secrets.token_hex(3)}.unreadable"))


def clear_old_drawings() -> None:
    """Delete drawings that nobody has changed for more than a year."""
    oldest = time.time() - KEEP_DAYS * 86_400
    with contextlib.suppress(OSError):
        for path in (compute_cache_folder() / FOLDER).iterdir():
            if path.suffix in (".json", ".part", ".unreadable") and path.stat().st_mtime < oldest:
                path.unlink()
