"""Compiled kernels are thrown away when a source that they are built from has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata import kernel_cache


def test_compiled_kernels_go_when_any_of_their_sources_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = tmp_path / "compiled"
    compiled.mkdir()
    for name in ("first.py", "second.py"):
        (tmp_path / name).write_text("one")
    monkeypatch.setattr(kernel_cache, "__file__", str(tmp_path / "kernel_cache.py"))

    def start_again() -> int:
        kernel_cache.forget_stale_kernels.cache_clear()
        return kernel_cache.forget_stale_kernels(compiled, ("first", "second"))

    kept = [
        compiled / name for name in ("first.climb-1.py311.nbi", "second.fill-9.py311.1.nbc", "other.run-2.py311.nbi")
    ]
    for path in kept:
        path.touch()
    assert start_again() == 2  # of unknown age
    assert [path.exists() for path in kept] == [False, False, True]
    for path in kept:
        path.touch()
    assert start_again() == 0
    (tmp_path / "second.py").write_text("two")
    assert start_again() == 2
    assert sorted(path.name for path in compiled.iterdir()) == ["first.digest", "other.run-2.py311.nbi"]
    (tmp_path / "second.py").unlink()
    assert start_again() == 0
    kernel_cache.forget_stale_kernels.cache_clear()
