"""Results kept on disk, keyed by the digest of everything they were made from.

A cache may be deleted at any time, and may fail at any time (full disk, two programs at once, a file cut short): the
worst that happens is that something is computed again. Entries are pickles; a folder or file that belongs to somebody
else is therefore never read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CACHE_VARIABLE = "BUJU_CACHE"
MAX_BYTES = 4 * 2**30
_HEAD = b"buju-cache-1\n"
_DIGEST_BYTES = 32
_STALE_S = 3600.0


def compute_cache_folder() -> Path:
    """Return the cache folder: ``BUJU_CACHE``, else ``buju`` in the platform's folder for caches."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "buju"


class DiskCache:
    """A folder of results. Keys are short texts of letters, figures, ``-``, ``_`` and ``.``.

    Parameters
    ----------
    folder
        Made when first needed, readable by its owner only.
    max_bytes
        When the entries hold more than this, those not used for longest are deleted.
    """

    def __init__(self, folder: str | Path, *, max_bytes: int = MAX_BYTES) -> None:
        self.folder = Path(folder)
        self.max_bytes = max_bytes

    def load(self, key: str) -> Any | None:
        """Return what was stored under ``key``; ``None`` when there is nothing, or nothing readable."""
        path = self._path(key)
        try:
            if not _is_own(self.folder) or not _is_own(path):
                return None
            content = path.read_bytes()
        except OSError:
            return None
        head, body = content[: len(_HEAD)], content[len(_HEAD) + _DIGEST_BYTES :]
        digest = content[len(_HEAD) : len(_HEAD) + _DIGEST_BYTES]
        if head != _HEAD or hashlib.sha256(body).digest() != digest:
            self._delete(path)
            return None
        try:
            value = pickle.loads(body)
        except (pickle.UnpicklingError, AttributeError, ImportError, EOFError, LookupError, TypeError, ValueError):
            # Written by another version of the program or of a library.
            self._delete(path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return value

    def store(self, key: str, value: Any) -> bool:
        """Keep ``value`` under ``key``; return whether that worked. ``None`` cannot be stored."""
        if value is None:
            raise ValueError("None means 'not in the cache' and cannot be stored")
        path = self._path(key)
        body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        if len(body) > self.max_bytes:
            return False
        temporary = ""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(dir=self.folder, suffix=".part")
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(_HEAD + hashlib.sha256(body).digest())
                stream.write(body)
            Path(temporary).replace(path)
        except OSError:
            if temporary:
                self._delete(Path(temporary))
            return False
        self._tidy(keep=path)
        return True

    def has(self, key: str) -> bool:
        """Whether something is stored under ``key``; it may still be found unreadable."""
        return self._path(key).is_file()

    def clear(self) -> None:
        """Delete every entry; other files in the folder stay."""
        for path, _, _ in self._entries():
            self._delete(path)

    def _path(self, key: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,150}", key) or key.startswith("."):
            raise ValueError(f"not a cache key: {key!r}")
        return self.folder / f"{key}.cache"

    def _entries(self) -> Iterator[tuple[Path, int, float]]:
        """Yield path, bytes and time of last use of each entry."""
        for path in self.folder.glob("*.cache"):
            with contextlib.suppress(OSError):
                facts = path.stat()
                yield path, facts.st_size, facts.st_mtime

    def _tidy(self, keep: Path) -> None:
        """Delete what was not used for longest until the rest fits, and pieces that a broken run left."""
        entries = sorted(self._entries(), key=lambda entry: entry[2])
        total = sum(size for _, size, _ in entries)
        for path, size, _ in entries:
            if total <= self.max_bytes:
                break
            if path != keep:
                self._delete(path)
                total -= size
        for path in self.folder.glob("*.part"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_S:
                    self._delete(path)

    @staticmethod
    def _delete(path: Path) -> None:
        with contextlib.suppress(OSError):
            path.unlink()


class WatchedCache(DiskCache):
    """A cache that knows what was stored through it, so that it can be taken back."""

    def __init__(self, cache: DiskCache) -> None:
        super().__init__(cache.folder, max_bytes=cache.max_bytes)
        self._keys: list[str] = []

    def store(self, key: str, value: Any) -> bool:
        """Keep ``value`` under ``key``; return whether that worked."""
        self._keys.append(key)
        return super().store(key, value)

    def take_back(self) -> None:
        """Delete every entry that was stored through this object."""
        for key in self._keys:
            self._delete(self._path(key))
        self._keys.clear()


def _is_own(path: Path) -> bool:
    """Return whether nobody but this user can have written ``path``. Always true where owners are not known."""
    if not hasattr(os, "getuid"):
        return True
    facts = path.stat()
    return facts.st_uid == os.getuid() and not facts.st_mode & 0o002
