"""Lists of villages without positions, placed by name."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.errors import DataError
from geodata.gazetteer import MATCH_COLUMNS, build_match_table, list_place_names, read_matches, write_matches
from geodata.read_population import read_population
from geodata.study_file import GazetteerSource, PopulationSource, StudySpec
from geodata.units import build_units
from tests.geodata.population_files import CRS, EAST, NORTH, write_layer

PLACES = [
    ("东村", "城关镇"),
    ("西村", "城关镇"),
    ("北上王家沟村", "北山乡"),
    ("和平社区", "城关镇"),
    ("南湾", "北山乡"),
]


def _boxes(count: int) -> list[shapely.Geometry]:
    return [shapely.box(EAST + 1000 * at, NORTH, EAST + 1000 * (at + 1), NORTH + 1000) for at in range(count)]


def _spec(folder: Path, text: str, *, matches: str = "", places: list[tuple[str, str]] = PLACES) -> StudySpec:
    (folder / "list.csv").write_text(text, encoding="gb18030")
    columns = {"村名": [name for name, _ in places], "乡镇": [town for _, town in places], "人口": ["x"] * len(places)}
    write_layer(folder / "places.gpkg", columns, _boxes(len(places)))
    return StudySpec(
        "Test",
        crs=CRS,
        population=PopulationSource("list.csv", "polygons", share={"primary": 0.1}),
        gazetteer=GazetteerSource("places.gpkg", matches=matches),
        folder=folder,
    )


LIST = """北山县各村人口表,,
行政村,所属乡镇,人口
东村村委会,城关镇,1200
西  村,城关,800
北上王家勾村,北山乡,300
和平居委会,城关街道办事处,2000
城关镇合计,,4300
"""


def test_a_list_gets_the_shapes_of_its_names(tmp_path: Path) -> None:
    spec = _spec(tmp_path, LIST)
    population = read_population(spec, CRS)
    table = population.table.set_index("name")
    people = table["population_people"]
    assert people.drop("南湾").to_dict() == {"东村村委会": 1200, "西  村": 800, "北上王家勾村": 300, "和平居委会": 2000}
    assert np.isnan(people["南湾"])
    assert shapely.equals(table.geometry["北上王家勾村"], _boxes(5)[2])
    told = {issue.check: issue for issue in population.issues}
    assert set(told) == {"totals_row", "name_near", "names_joined", "place_not_listed"}
    assert told["name_near"].row == 5 and "北上王家沟村" in str(told["name_near"].expected)
    assert told["name_near"].lon_deg == pytest.approx(111.027, abs=0.002)  # the middle of the third box
    units, _ = build_units(population, spec, CRS)
    assert len(units) == 5 and units["population_people"].sum() == 4300
    assert units["primary_pupils"].sum() == pytest.approx(430)


def test_names_without_a_place_are_errors_with_candidates(tmp_path: Path) -> None:
    spec = _spec(tmp_path, LIST + "南湾塘子,北山乡,100\n完全不同,北山乡,50\n")
    with pytest.raises(DataError) as caught:
        read_population(spec, CRS)
    told = {(issue.check, issue.row): issue for issue in caught.value.issues if issue.severity == "error"}
    assert set(told) == {("name_ambiguous", 8), ("name_unknown", 9)}
    assert "南湾" in str(told["name_ambiguous", 8].expected)
    assert all(issue.file == "list.csv" and issue.column == "行政村" for issue in told.values())


def test_the_review_table_comes_back_and_is_obeyed(tmp_path: Path) -> None:
    text = LIST + "完全不同,北山乡,50\n南湾子,北山乡,90\n"
    spec = _spec(tmp_path, text)
    table = build_match_table(spec)
    assert list(table.columns) == list(MATCH_COLUMNS)
    assert table["status"].tolist()[0] in ("ambiguous", "unknown")
    assert sorted(table["row"]) == [3, 4, 5, 6, 8, 9]
    assert set(list_place_names(spec)["place_name"]) == {name for name, _ in PLACES}
    lost = table["list_name"] == "完全不同"
    table.loc[lost, ["place_name", "place_town", "accept"]] = ["", "", True]
    given = table["list_name"] == "南湾子"
    table.loc[given, ["place_name", "place_town", "accept"]] = ["南湾", "北山乡", True]
    write_matches(tmp_path / "reviewed.csv", table)
    spec = _spec(tmp_path, text, matches="reviewed.csv")
    population = read_population(spec, CRS)
    assert population.table["population_people"].sum() == 4390
    assert [issue.row for issue in population.issues if issue.check == "name_left_out"] == [8]
    assert not [issue for issue in population.issues if issue.check == "name_near"]
    again = build_match_table(spec)
    assert set(again["status"]) == {"accepted", "left_out"}


def test_villages_that_were_merged_add_up(tmp_path: Path) -> None:
    rows = [
        "list_name,list_town,place_name,place_town,accept",
        "旧东村,城关镇,东村,城关镇,是",
        "东村,城关镇,东村,城关镇,是",
    ]
    (tmp_path / "reviewed.csv").write_text("\n".join(rows), encoding="utf-8")
    text = "编号,行政村,所属乡镇,人口\n01,东村,城关镇,100\n02,旧东村,城关镇,40\n"
    population = read_population(_spec(tmp_path, text, matches="reviewed.csv"), CRS)
    table = population.table.set_index("unit_id")
    assert table["population_people"]["01"] == 140
    assert table["population_people"].sum() == 140 and len(table) == 5


def test_an_undecided_row_forbids_nothing(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "list_name": ["=1+1", "乙"],
            "list_town": ["", ""],
            "place_name": ["甲", "乙"],
            "place_town": ["", ""],
            "score": [0.6, 0.9],
            "accept": [False, False],
            "status": ["ambiguous", "near"],
            "row": [2, 3],
        }
    )
    write_matches(tmp_path / "m.csv", table)
    verdicts = read_matches(tmp_path / "m.csv")
    assert [(verdict.listed.name, verdict.accept) for verdict in verdicts] == [("乙", False)]
    assert "'=1+1" in (tmp_path / "m.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("list_name,place_name\n东村,东村\n", "required_column"),
        ("list_name,place_name,accept\n东村,东村,maybe\n", "match_word"),
        ("list_name,place_name,accept\n东村,东村,yes\n东村,西村,yes\n", "match_doubled"),
    ],
)
def test_a_bad_review_table_is_told(tmp_path: Path, text: str, check: str) -> None:
    (tmp_path / "m.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_matches(tmp_path / "m.csv")
    assert [issue.check for issue in caught.value.issues] == [check]


def test_a_list_without_positions_and_gazetteer_says_what_is_missing(tmp_path: Path) -> None:
    spec = _spec(tmp_path, LIST)
    bare = StudySpec("Test", crs=CRS, population=spec.population, folder=tmp_path)
    with pytest.raises(DataError) as caught:
        read_population(bare, CRS)
    assert "gazetteer" in str(caught.value)


def test_points_of_a_table_serve_as_gazetteer(tmp_path: Path) -> None:
    spec = _spec(tmp_path, "村名,人口\n甲村,10\n乙村,20\n")
    (tmp_path / "points.csv").write_text("名称,经度,纬度\n甲,111.01,34.3\n乙,111.03,34.3\n", encoding="utf-8")
    spec = StudySpec(
        "Test", crs=CRS, population=spec.population, gazetteer=GazetteerSource("points.csv"), folder=tmp_path
    )
    units, _ = build_units(read_population(spec, CRS), spec, CRS)
    assert units.sort_values("x_m")["population_people"].tolist() == [10, 20]


def test_names_that_a_spreadsheet_would_run_come_back_as_they_were(tmp_path: Path) -> None:
    names = ["=1+1", "-庄", "@村", "+村", "'甲"]
    table = pd.DataFrame({"list_name": names, "list_town": "", "place_name": names, "place_town": ""})
    write_matches(tmp_path / "m.csv", table.assign(score=1.0, accept=True, status="near", row=2))
    assert [verdict.listed.name for verdict in read_matches(tmp_path / "m.csv")] == names
    assert [verdict.place.name for verdict in read_matches(tmp_path / "m.csv") if verdict.place] == names


def test_a_cross_is_neither_yes_nor_no(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("list_name,place_name,accept\n东村,东村,X\n", encoding="utf-8")
    with pytest.raises(DataError):
        read_matches(tmp_path / "m.csv")


def test_a_decision_for_one_of_two_namesakes_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("list_name,list_town,place_name,accept\n东村,城关镇,新村,是\n", encoding="utf-8")
    spec = _spec(tmp_path, "行政村,所属乡镇,人口\n东村,城关镇,1\n", matches="m.csv")
    layer = gpd.read_file(tmp_path / "places.gpkg")
    layer.loc[[0, 2], "村名"] = "新村"
    layer.to_file(tmp_path / "places.gpkg")
    with pytest.raises(DataError) as caught:
        read_population(spec, CRS)
    assert "match_ambiguous" in {issue.check for issue in caught.value.issues}
