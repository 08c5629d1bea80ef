"""The terminal contract of docs/terminal.md, on a small county written by the test."""

import csv
import json
from pathlib import Path

import pytest

import cli
from tests.small_county import SCHOOLS, STUDY, write_small_county


@pytest.fixture()
def county(tmp_path: Path) -> Path:
    write_small_county(tmp_path)
    return tmp_path


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_check_json(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(county / "study.toml"), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["usable"] is True
    assert (found["schools"], found["units"], found["people"]) == (2, 3, 3000)
    assert found["pupils"]["primary"] == 180
    assert found["modes"] == ["walk", "bicycle", "drive"]


def test_run_writes_the_tables(county: Path) -> None:
    out = county / "out"
    assert cli.main(["run", str(county / "study.toml"), "--out", str(out), "--quiet"]) == 0
    assert {path.name for path in out.iterdir()} >= {
        *("schools.csv", "units.csv", "flags.csv", "indicators.csv", "run.json"),
    }
    schools = _rows(out / "schools.csv")
    assert [row["school_id"] for row in schools] == ["001", "002"]
    assert schools[0]["name"] == "'=第一小学"
    assert schools[1]["name"] == "{{7*7}}小学"
    units = _rows(out / "units.csv")
    assert {row["unit_id"]: row["school_id"] for row in units} == {"00": "001", "01": "001", "02": "002"}
    flagged = {(row["subject_id"], row["flag"]) for row in _rows(out / "flags.csv")}
    assert ("001", "over_capacity") in flagged
    indicators = {row["name"]: row for row in _rows(out / "indicators.csv") if row["area"] == "county"}
    assert float(indicators["pupils"]["value"]) == 180
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["results_version"] >= 1


def test_reasons_are_chinese_when_asked(county: Path) -> None:
    out = county / "out"
    assert cli.main(["run", str(county / "study.toml"), "--out", str(out), "--lang", "zh", "--quiet"]) == 0
    reasons = [row["reason"] for row in _rows(out / "flags.csv")]
    assert reasons
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in reason) for reason in reasons)


def test_bad_input_is_told_all_at_once(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = SCHOOLS.replace("34.50,90", "94.50,90").replace(",60,4", ",many,4")
    (county / "schools.csv").write_text(bad, encoding="utf-8")
    assert cli.main(["check", str(county / "study.toml"), "--quiet"]) == 1
    printed = capsys.readouterr().out
    assert "row 2" in printed and "94.5" in printed
    assert "row 3" in printed and "many" in printed
    assert cli.main(["run", str(county / "study.toml"), "--out", str(county / "out"), "--quiet"]) == 1
    assert not (county / "out").exists()


def test_a_missing_file_and_an_unknown_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(tmp_path / "none.toml"), "--quiet"]) == 1
    (tmp_path / "study.toml").write_text(STUDY.replace("year", "yeer"), encoding="utf-8")
    assert cli.main(["check", str(tmp_path / "study.toml"), "--quiet"]) == 1
    assert "'year'" in capsys.readouterr().out


def test_a_stage_nobody_teaches_is_no_plan(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["run", str(county / "study.toml"), "--stage", "senior", "--out", str(county / "out"), "--quiet"])
    assert code == 2
    assert capsys.readouterr().err.strip()
