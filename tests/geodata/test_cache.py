from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from geodata.cache import DiskCache, compute_cache_folder


def test_a_value_comes_back(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "new")
    assert cache.load("travel-1") is None
    assert cache.store("travel-1", {"a": np.arange(3)})
    assert cache.load("travel-1")["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "empty"])
def test_damaged_entries_are_forgotten(tmp_path: Path, damage: str) -> None:
    cache = DiskCache(tmp_path)
    cache.store("k", list(range(100)))
    path = tmp_path / "k.cache"
    content = path.read_bytes()
    broken = {
        "cut": content[:-5],
        "flip": content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
        "text": b"hello",
        "empty": b"",
    }
    path.write_bytes(broken[damage])
    assert cache.load("k") is None
    assert not path.exists()
    assert cache.store("k", 1)
    assert cache.load("k") == 1


def test_an_entry_of_an_unknown_class_is_forgotten(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    cache.store("k", _Gone())
    del globals()["_Gone"]
    assert cache.load("k") is None


class _Gone:
    pass


def test_the_oldest_entries_go_first(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, max_bytes=2500)
    for number, key in enumerate(("a", "b", "c")):
        cache.store(key, bytes(1000))
        if (tmp_path / f"{key}.cache").exists():
            os.utime(tmp_path / f"{key}.cache", (number, number))
    assert cache.load("a") is None
    assert cache.load("b") is not None
    assert cache.load("c") is not None


def test_what_is_larger_than_the_cache_is_not_stored(tmp_path: Path) -> None:
    assert not DiskCache(tmp_path, max_bytes=100).store("k", bytes(1000))


def test_no_half_written_file_is_ever_read(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    values = [np.full(20_000, number) for number in range(8)]

    def write(value: np.ndarray) -> None:
        cache.store("k", value)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, values * 4))
    found = cache.load("k")
    assert len(set(found.tolist())) == 1
    assert not list(tmp_path.glob("*.part"))


def test_keys_cannot_leave_the_folder(tmp_path: Path) -> None:
    for key in ("../x", "a/b", "", ".hidden", "a\\b"):
        with pytest.raises(ValueError, match="cache key"):
            DiskCache(tmp_path).load(key)


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    cache = DiskCache(tmp_path / "file" / "below")
    assert not cache.store("k", 1)
    assert cache.load("k") is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners are known on POSIX only")
def test_files_that_others_may_write_are_not_read(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    cache.store("k", 1)
    (tmp_path / "k.cache").chmod(0o666)
    assert cache.load("k") is None


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BUJU_CACHE", str(tmp_path))
    assert compute_cache_folder() == tmp_path
    monkeypatch.delenv("BUJU_CACHE")
    assert compute_cache_folder().name == "buju"
