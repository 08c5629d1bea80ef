"""What may stand where a file's path is expected: a path of this machine, not an address, not something unusable."""

from __future__ import annotations

import re

from geodata.messages import Message, msg

_ADDRESS = re.compile(r"^/vsi|/vsi[a-z0-9_]+/|^[a-z][a-z0-9+.\-]+:/", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MAX_PATH_BYTES = 4_000
MAX_NAME_BYTES = 255
"""The longest path and the longest name in it that file systems take."""


def find_path_problem(path: str) -> tuple[Message, Message] | None:
    """Return what is wrong with a path as text, and the cure; ``None`` where it may name a file or a pattern."""
    if _ADDRESS.search(path):
        return (
            msg("Only files on this machine are read, not addresses."),
            msg("Download the file first, then give its path."),
        )
    cure = msg("Check the path in the study file.")
    if _CONTROL.search(path):
        return msg("The path holds a sign that no file name can have."), cure
    names = path.replace("\\", "/").replace(";", "/").split("/")
    if len(path.encode(errors="replace")) > MAX_PATH_BYTES or any(
        len(name.encode(errors="replace")) > MAX_NAME_BYTES for name in names
    ):
        return msg("The path is too long to be that of a file."), cure
    return None
