"""The command ``export`` on a small county: both languages, today or a file as baseline, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import cli
from terminal.parser import build_parser
from tests.small_county import write_small_county

CLOSE = 'name = "=close"\n[[action]]\nkind = "close"\nschool_id = "002"\n'
KEEP = 'name = "keep"\n[[action]]\nkind = "places"\nschool_id = "001"\nstage = "primary"\nadd_places = 30\n'
DETAILS = '[pack]\nissuer = "Office"\nphone = "000"\nopens = 2026-03-01\ncloses = 2026-04-02\n'


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    write_small_county(folder)
    for name, text in (("close", CLOSE), ("keep", KEEP), ("details", DETAILS)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def _export(county: Path, out: Path, *more: str) -> int:
    return cli.main(["export", str(county / "study.toml"), "--out", str(out), *more])


def test_export_writes_a_pack_in_both_languages(
    county: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The third village (60 pupils) goes to 001 when 002 closes; the steps of a closure are all missing."""
    options = ("--scenario", str(county / "close.toml"), "--details", str(county / "details.toml"), "--lang", "both")
    assert _export(county, tmp_path / "pack", *options, "--alternative", str(county / "keep.toml")) == 0
    printed = capsys.readouterr().out
    assert "Not done yet: public participation, hearing" in printed
    assert "'" not in printed.splitlines()[0]
    manifest = json.loads((tmp_path / "pack" / "manifest.json").read_text(encoding="utf-8"))
    names = {file["path"] for file in manifest["files"]}
    assert {"map.html", "notice_zh.pdf", "notice_en.docx", "layers/layers.gpkg"} <= names
    assert manifest["proposal"]["scenario"]["name"] == "=close"
    assert manifest["missing_steps"][:2] == ["public_participation", "hearing"]
    assert (tmp_path / "pack" / f"buju_{manifest['pack_id']}.zip").exists()


def test_one_language_alone_and_another_baseline(county: Path, tmp_path: Path) -> None:
    options = ("--scenario", str(county / "close.toml"), "--baseline", str(county / "keep.toml"), "--quiet")
    assert _export(county, tmp_path / "pack", *options, "--lang", "zh", "--threshold", "20") == 0
    names = {path.name for path in (tmp_path / "pack").iterdir()}
    assert "notice_zh.pdf" in names
    assert not [name for name in names if "_en" in name]
    manifest = json.loads((tmp_path / "pack" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["threshold"] == 20
    assert manifest["baseline"]["scenario"]["name"] == "keep"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--threshold", "2"), "threshold must be at least 3"),
        (("--threshold", "1000"), "1,000|1000"),
        (("--details", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_what_is_refused_is_told_and_nothing_is_written(
    county: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], told: str
) -> None:
    """The county has 180 children: below a threshold of 1,000."""
    assert _export(county, tmp_path / "pack", "--scenario", str(county / "close.toml"), "--quiet", *more) == 1
    printed = capsys.readouterr().err
    assert any(part in printed for part in told.split("|")), printed
    assert not (tmp_path / "pack").exists()


def test_only_export_speaks_both_languages_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    parser = build_parser()
    asked = ["export", "s.toml", "--scenario", "a.toml", "--out", "o", "--lang", "both"]
    assert parser.parse_args(asked).lang == "both"
    with pytest.raises(SystemExit):
        parser.parse_args(["check", "s.toml", "--lang", "both"])
    print(capsys.readouterr().err, file=sys.stderr)
