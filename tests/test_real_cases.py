"""The real cases load and run, end to end, as a script would call them (issue: real first)."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

import cli
from geodata.read_population import read_population
from geodata.study_file import BuildingsSource, PopulationSource, StudySpec, UnitsSource, read_study_file
from geodata.units import build_units

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


@pytest.mark.slow
def test_reykjavik(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("reykjavik", capsys)
    assert found["people"] == pytest.approx(226_323, abs=1)
    assert 180 < found["schools"] < 213 and found["units"] == pytest.approx(1_847, rel=0.02)
    values = _run("reykjavik", "primary", "walk", tmp_path)
    assert values["pupils"] == pytest.approx(0.08 * 226_323, rel=1e-6)
    assert 8 < values["mean_travel_min"] < 15
    assert values["unreached_pupils"] == 0


@pytest.mark.slow
def test_reykjavik_people_stay_in_their_municipality(cases: Path) -> None:
    spec = read_study_file(STUDIES / "reykjavik.toml")
    table = read_population(spec, spec.crs).table
    found = table.groupby("town")["population_people"].sum()
    with (STUDIES / "reykjavik_towns.csv").open(encoding="utf-8", newline="") as file:
        totals = {row["town"]: float(row["population"]) for row in csv.DictReader(file)}
    assert found.to_dict() == pytest.approx(totals)
    assert len(table) > 30_000  # one of its 42,423 buildings lies outside, and many are not lived in


def test_the_landscan_samples_of_reykjavik_go_into_its_houses(cases: Path) -> None:
    """Points on a lattice of 1 km, with nodata numbers, put into the houses nearest to each."""
    folder = cases / "reykjavik_gostnets"
    points = PopulationSource(str(folder / "rek_grid_pop.shp"), "points", columns={"population_people": "Pop"})
    spec = StudySpec("Test", crs="EPSG:3057", population=points, units=UnitsSource("grid", cell_m=250.0))
    spec = replace(spec, buildings=BuildingsSource(str(folder / "capital_area.osm.pbf")))
    population = read_population(spec, spec.crs)
    counted = population.table["population_people"].sum()
    assert counted == pytest.approx(41_945 + 712, abs=10)  # each value stands one above its cell
    units, _ = build_units(population, spec, spec.crs)
    assert units["population_people"].sum() == pytest.approx(counted)
    told = {issue.check for issue in population.issues}
    assert {"people_in_buildings", "places_without_buildings", "nodata_number"} <= told


def test_sao_paulo(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("sao_paulo", capsys)
    assert found["people"] == 517_570
    assert (found["schools"], found["units"]) == (51, 323)
    values = _run("sao_paulo", "primary", "walk", tmp_path)
    assert values["pupils"] == pytest.approx(0.08 * 517_570, rel=1e-6)
    assert 500 < values["mean_length_m"] < 700


def test_monaco(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _check("monaco", capsys)
    # 35,881 (tag of the area), 13,515, 5,022 and 3,180 (place nodes inside): communes that the file cuts are left out.
    assert found["people"] == pytest.approx(35_881 + 13_515 + 5_022 + 3_180, abs=1)
    assert found["schools"] >= 15
    values = _run("monaco", "primary", "walk", tmp_path)
    assert values["pupils"] == pytest.approx(0.055 * found["people"], rel=1e-6)
    assert values["unreached_pupils"] == 0


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
