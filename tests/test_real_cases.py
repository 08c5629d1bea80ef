"""The real cases load and run, end to end, as a script would call them (issue: real first)."""

import csv
import json
from pathlib import Path

import pytest

import cli

pytestmark = pytest.mark.real
STUDIES = Path(__file__).resolve().parent.parent / "examples" / "studies"


def _run(name: str, stage: str, mode: str, out: Path) -> dict[str, float]:
    code = cli.main(
        ["run", str(STUDIES / f"{name}.toml"), "--stage", stage, "--mode", mode, "--out", str(out), "--quiet"]
    )
    assert code == 0
    with (out / "indicators.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["area"] == "county" and row["value"]]
    return {row["name"]: float(row["value"]) for row in rows}


def _check(name: str, capsys: pytest.CaptureFixture[str]) -> dict:  # type: ignore[type-arg]
    assert cli.main(["check", str(STUDIES / f"{name}.toml"), "--json", "--quiet"]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def test_porto_alegre(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("porto_alegre", capsys)
    assert found["people"] == 812_935
    assert (found["schools"], found["units"]) == (177, 1_227)
    for mode in ("walk", "bicycle", "drive"):
        values = _run("porto_alegre", "primary", mode, tmp_path / mode)
        assert values["pupils"] == pytest.approx(0.08 * 812_935, rel=1e-6)
    # The reference (437 m on the same streets, node to node) leaves out the way from the home to the street.
    walk = {
        row["name"]: row for row in csv.DictReader((tmp_path / "walk" / "indicators.csv").open(encoding="utf-8-sig"))
    }
    assert 430 < float(walk["mean_length_m"]["value"]) < 700


def test_porto_alegre_from_the_raster(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("porto_alegre_raster", capsys)
    assert found["people"] == pytest.approx(812_935, rel=1e-3)
    assert _run("porto_alegre_raster", "primary", "walk", tmp_path)["pupils"] > 60_000


def test_porto_alegre_in_street_blocks(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("porto_alegre_blocks", capsys)
    assert found["people"] == pytest.approx(812_935, abs=1)
    assert found["schools"] == 177 and found["units"] == pytest.approx(839, rel=0.02)
    values = _run("porto_alegre_blocks", "primary", "walk", tmp_path)
    assert values["pupils"] == pytest.approx(0.08 * 812_935, rel=1e-6)
    assert values["unreached_pupils"] == 0


def test_liechtenstein_in_street_blocks(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("liechtenstein_blocks", capsys)
    assert found["people"] == pytest.approx(36_838, abs=1)
    assert found["units"] == pytest.approx(275, rel=0.02)
    assert _run("liechtenstein_blocks", "primary", "walk", tmp_path)["unreached_pupils"] == 0


@pytest.mark.slow
def test_liechtenstein(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("liechtenstein", capsys)
    assert found["people"] == pytest.approx(36_838, abs=1)
    assert found["schools"] >= 15
    assert _run("liechtenstein", "primary", "walk", tmp_path)["mean_travel_min"] > 1


def test_gongyi(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("gongyi", capsys)
    assert (found["schools"], found["units"]) == (22, 1_276)
    assert found["pupils"]["junior"] == 40_995
    values = _run("gongyi", "junior", "bicycle", tmp_path)
    assert values["pupils"] == 40_995
    assert values["places"] == 41_900


def test_zy_blocks(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("zy_blocks", capsys)
    assert (found["schools"], found["units"]) == (16, 324)
    assert found["pupils"]["primary"] == 3_873
    values = _run("zy_blocks", "primary", "walk", tmp_path)
    assert values["pupils"] == 3_873
    assert values["places"] == 4_000


def test_vasileostrovsky(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("vasileostrovsky", capsys)
    assert (found["schools"], found["units"]) == (36, 4_101)
    assert found["pupils"]["primary"] == 29_596
    values = _run("vasileostrovsky", "primary", "walk", tmp_path)
    assert values["mean_travel_min"] == pytest.approx(7.044, abs=0.01)  # the case's own reference
    assert values["places"] == 31_142
