"""A disk that is full, told in words: wherever something is written, the doors ask here what an error meant."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from geodata.messages import Message, msg

_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says that there is no room left to write."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if isinstance(error, RuntimeError) and os.strerror(errno.ENOSPC) in str(error):
            return True  # libraries in C++ pass on only the words
        error = error.__cause__ or error.__context__
    return False


def require_room(folder: Path, size_bytes: int) -> None:
    """Raise the ``OSError`` of a full disk where ``folder`` has no room for ``size_bytes``."""
    if shutil.disk_usage(folder).free < size_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def tell_disk_full() -> Message:
    """Return what happened and what to do about it."""
    return msg("The disk of this machine is full. Make room on it, then try again. Nothing stored before was changed.")
