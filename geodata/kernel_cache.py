"""Compiled kernels that no longer fit their sources are thrown away.

numba keeps compiled kernels on disk and compiles a file's kernels anew when that file changes, but not when a kernel
that they *call*, written in another file, changes: after an upgrade an old step would live on inside a new one. So the
sources of kernels that call each other across files have one digest, kept beside the compiled kernels.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

__all__ = ["forget_stale_kernels"]


@cache
def forget_stale_kernels(folder: Path, modules: Sequence[str]) -> int:
    """Delete the compiled kernels of ``modules`` unless they were compiled from the present sources.

    ``folder``: where numba keeps them (``kernel.stats.cache_path``); ``modules``: names of files beside this one, all
    that call each other. To be called before the first of them runs; looked at once a process. Returns how many files
    were deleted.
    """
    sources = [Path(__file__).with_name(f"{name}.py") for name in modules]
    if not all(source.is_file() for source in sources):  # packed in an archive: nothing to compare
        return 0
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    stamp = folder / f"{modules[0]}.digest"
    deleted = 0
    with suppress(OSError):  # read-only installations keep nothing either
        if stamp.is_file() and stamp.read_text(encoding="ascii", errors="replace") == digest:
            return 0
        for name in modules:
            for kept in folder.glob(f"{name}.*.nb[ic]"):
                kept.unlink(missing_ok=True)
                deleted += 1
        if folder.is_dir():
            beside = stamp.with_suffix(f".{os.getpid()}")
            beside.write_text(digest, encoding="ascii")
            beside.replace(stamp)
    return deleted
