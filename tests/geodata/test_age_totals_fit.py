"""Iterative proportional fitting: both kinds of totals hold, what is unlike stays unlike, contradictions are told."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.age_totals import AgeTotals
from geodata.age_totals_fit import build_residual_table, fit_ages, fit_table
from geodata.population_table import COUNT_COLUMNS
from geodata.read_population import read_population
from geodata.study_file import PopulationSource, StudySpec
from geodata.units import build_units
from tests.geodata.population_files import CRS, EAST, NORTH, write_layer

# Worked by hand: the odds ratio 1·4 / (2·3) = 2/3 stays, rows 30 and 70, columns 40 and 60.
# a / (30 − a) = 2/3 · (40 − a) / (30 + a)  gives  a² + 230 a − 2400 = 0,  a = 10 (the positive root).


def test_a_table_worked_by_hand() -> None:
    fit = fit_table(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([30.0, 70.0]), np.array([40.0, 60.0]))
    assert fit.table[0, 0] == pytest.approx(10)
    assert fit.table.sum(axis=0) == pytest.approx([40, 60], rel=1e-9)
    assert fit.table.sum(axis=1) == pytest.approx([30, 70], rel=1e-9)
    assert fit.missed_share <= 1e-10 and fit.rounds < 100


def test_zeros_stay_zeros_and_what_cannot_be_met_is_told() -> None:
    fit = fit_table(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([5.0, 5.0]), np.array([7.0, 3.0]))
    assert fit.table[0, 1] == fit.table[1, 0] == 0
    assert fit.missed_share > 0.1


@given(st.lists(st.lists(st.floats(0.1, 100), min_size=3, max_size=3), min_size=2, max_size=6), st.integers(0, 99))
def test_totals_that_agree_are_met(seed: list[list[float]], number: int) -> None:
    table = np.array(seed)
    aim = np.random.default_rng(number).uniform(1, 50, table.shape)
    fit = fit_table(table, aim.sum(axis=1), aim.sum(axis=0))
    assert fit.table.sum(axis=1) == pytest.approx(aim.sum(axis=1), rel=1e-6)
    assert fit.table.sum(axis=0) == pytest.approx(aim.sum(axis=0), rel=1e-6)
    odds = table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0])
    found = fit.table[0, 0] * fit.table[1, 1] / (fit.table[0, 1] * fit.table[1, 0])
    assert found == pytest.approx(odds, rel=1e-6)


def _units(people: list[float], primary: list[float], towns: list[str]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame({"unit_id": [str(at) for at in range(len(people))], "town": towns})
    for name in COUNT_COLUMNS:
        frame[name] = np.nan
    frame["population_people"], frame["primary_pupils"] = people, primary
    frame["area_m2"] = 1.0
    return gpd.GeoDataFrame(frame, geometry=[shapely.box(at, 0, at + 1, 1) for at in range(len(people))])


def _ages(primary: float, others: float, towns: tuple[str, ...] = ("",)) -> AgeTotals:
    people = np.full((len(towns), 121), others / 115)
    people[:, 6:12] = primary / 6
    return AgeTotals(towns, tuple((age, age) for age in range(121)), people, "ages.csv")


def test_townships_and_ages_of_the_county_hold_at_once() -> None:
    units = _units([100, 100, 200], [10, 20, 10], ["A", "A", "B"])
    totals = pd.DataFrame({"town": ["A", "B"], "population_people": [300.0, 100.0]})
    fitted, issues = fit_ages(units, _ages(60, 340), town_totals=totals, modelled=("primary",))
    assert fitted["primary_pupils"].sum() == pytest.approx(60, rel=1e-9)
    assert fitted.groupby("town")["population_people"].sum().to_dict() == pytest.approx({"A": 300, "B": 100})
    assert fitted["primary_pupils"][1] / fitted["primary_pupils"][0] == pytest.approx(2)
    assert {issue.severity for issue in issues} == {"note"}


def test_ages_by_township_are_met_cell_by_cell() -> None:
    units = _units([100, 100, 200], [10, 20, 10], ["东镇", "东镇", "西乡"])
    ages = _ages(50, 250, ("东", "西街道"))
    fitted, issues = fit_ages(units, ages, modelled=("primary",))
    assert fitted.groupby("town")["primary_pupils"].sum().tolist() == pytest.approx([50, 50])
    assert fitted["population_people"].sum() == pytest.approx(400)
    assert "totals_contradict" in {issue.check for issue in issues}  # 600 by age, 400 live there


def test_more_children_than_people_is_a_contradiction() -> None:
    units = _units([10, 10], [1, 1], ["A", "B"])
    fitted, issues = fit_ages(units, _ages(60, 0), modelled=("primary",))
    assert fitted["primary_pupils"].sum() == pytest.approx(60)
    assert "totals_contradict" in {issue.check for issue in issues}


def test_counted_children_are_left_alone() -> None:
    units = _units([100, 100], [10, 20], ["A", "B"])
    fitted, issues = fit_ages(units, _ages(60, 140), modelled=())
    assert fitted["primary_pupils"].tolist() == [10, 20]
    assert any("counted" in str(issue.problem) for issue in issues)
    assert fitted["junior_pupils"].sum() == pytest.approx(3 * 140 / 115)  # not known before: spread like the people


def test_unknown_stays_unknown() -> None:
    units = _units([100, np.nan], [10, np.nan], ["A", "B"])
    fitted, _ = fit_ages(units, _ages(20, 80), modelled=("primary",))
    assert fitted["primary_pupils"][0] == pytest.approx(20) and np.isnan(fitted["primary_pupils"][1])
    assert np.isnan(fitted["population_people"][1])


def test_a_study_is_fitted_and_its_differences_shown(tmp_path: Path) -> None:
    columns = {"id": ["1", "2", "3"], "人口": [100, 200, 300], "乡镇": ["东镇", "东镇", "西乡"]}
    columns |= {"age_0_4": [10, 20, 9], "age_5_9": [10, 25, 9], "age_10_14": [10, 10, 9], "age_15_19": [8, 8, 8]}
    write_layer(
        tmp_path / "villages.gpkg", columns, [shapely.box(EAST + a, NORTH, EAST + a + 1, NORTH + 1) for a in range(3)]
    )
    (tmp_path / "towns.csv").write_text("乡镇,人口\n东镇,330\n西乡,310\n", encoding="utf-8")
    ages = "\n".join(f"{age},{10 + age % 3}" for age in range(18))
    (tmp_path / "ages.csv").write_text("年龄,人数\n" + ages, encoding="utf-8")
    source = PopulationSource("villages.gpkg", town_totals="towns.csv", age_totals="ages.csv")
    spec = StudySpec("Test", crs=CRS, population=source, folder=tmp_path)
    units, issues = build_units(read_population(spec, CRS), spec, CRS)
    assert {issue.check for issue in issues if issue.severity == "warning"} == set()
    table = build_residual_table(units, spec)
    assert table["town"].tolist() == ["东镇", "西乡", "", "", "", ""]
    assert table["difference"].abs().max() < 1e-6
    assert table.loc[table["what"] == "primary_pupils", "known"].item() == sum(10 + age % 3 for age in range(6, 12))
    assert build_residual_table(units, StudySpec("Test")).empty


def test_a_township_without_children_gets_those_of_its_ages_and_loses_nobody() -> None:
    units = _units([100, 50, 50], [10, 0, 0], ["A", "B", "B"])
    bands = tuple((age, age) for age in range(18))
    fitted, issues = fit_ages(units, AgeTotals(("A", "B"), bands, np.full((2, 18), 2.0)), modelled=("primary",))
    assert fitted["primary_pupils"].tolist() == pytest.approx([12, 6, 6])
    assert fitted["population_people"].tolist() == pytest.approx([100, 50, 50])
    assert [issue.found for issue in issues if issue.check == "calibration" and issue.severity == "warning"] == ["B"]


def test_townships_that_contradict_are_told_though_the_county_agrees() -> None:
    units = _units([1000, 1000], [100, 100], ["A", "B"])
    bands = (*((age, age) for age in range(80)), (80, 120))
    people = np.array([np.full(81, 500 / 81), np.full(81, 1500 / 81)])
    _, issues = fit_ages(units, AgeTotals(("A", "B"), bands, people, "ages.csv"), modelled=("primary",))
    assert [issue.found for issue in issues if issue.check == "totals_contradict"] == ["A", "B"]
