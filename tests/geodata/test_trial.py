"""The first look at a layer in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from geodata import trial
from geodata.trial import check_layer_readable, look
from tests.geodata.test_files import points


def test_what_can_be_looked_at_is_not_refused_here(tmp_path: Path) -> None:
    points(id=["1"]).to_file(tmp_path / "a.gpkg")
    assert check_layer_readable(tmp_path / "a.gpkg") == []
    (tmp_path / "b.geojson").write_text("{broken")
    assert check_layer_readable(tmp_path / "b.geojson") == [], "its reader tells what is wrong"
    (tmp_path / "c.csv").write_text("x")
    assert check_layer_readable(tmp_path / "c.csv") == []


@pytest.mark.parametrize("code", [-11, -6, -24, 3])
def test_a_file_that_ends_the_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    (tmp_path / "a.gpkg").write_bytes(b"x")

    def end(*_: object, **__: object) -> object:
        return subprocess.CompletedProcess([], code)

    monkeypatch.setattr("geodata.trial.subprocess.run", end)
    (issue,) = check_layer_readable(tmp_path / "a.gpkg", name="学校.gpkg")
    assert (issue.severity, issue.file) == ("error", "学校.gpkg")


def test_a_file_that_holds_the_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.gpkg").write_bytes(b"x")
    monkeypatch.setattr(trial, "WAITING", 0.001)
    assert len(check_layer_readable(tmp_path / "a.gpkg")) == 1


def test_the_look_gives_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    points(id=["1"]).to_file(tmp_path / "a.gpkg")
    assert look(str(tmp_path / "a.gpkg"), 5) == 0
    assert look(str(tmp_path / "none.gpkg"), 5) == 0
