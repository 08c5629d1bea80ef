"""House numbers from an OpenStreetMap road file and from a file of one's own."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geodata.addresses import read_addresses
from geodata.errors import DataError
from geodata.schema import check_table
from geodata.study_file import AddressesSource, RoadsSource, StudySpec
from tests.geodata.drawn_roads import write_osm

CRS = "EPSG:32649"
COLUMNS = ["street", "house_number"]


def _read(folder: Path, text: str = "", **source: object) -> tuple[pd.DataFrame, list[object]]:
    """Read a table of addresses."""
    (folder / "a.csv").write_text(text, encoding="utf-8")
    spec = StudySpec("x", addresses=AddressesSource("a.csv", **source), folder=folder)  # type: ignore[arg-type]
    table, issues = read_addresses(spec, CRS)
    return table, list(issues)


def _write_road_file(folder: Path) -> RoadsSource:
    # Node 5 is a house; way 2 a building around (111.0005, 34.0005); node 6 has a number and a place, no street;
    # node 7 a number only, node 8 a street only.
    nodes = {1: (111.0, 34.0), 2: (111.001, 34.0), 3: (111.001, 34.001), 4: (111.0, 34.001), 5: (111.002, 34.0)}
    nodes |= {6: (111.003, 34.0), 7: (111.004, 34.0), 8: (111.005, 34.0)}
    building = {"building": "yes", "addr:street": "人民路", "addr:housenumber": "12-14"}
    tags = {
        5: {"addr:street": " 人民路 ", "addr:housenumber": "12A"},
        6: {"addr:place": "东村", "addr:housenumber": "3"},
        7: {"addr:housenumber": "9"},
        8: {"addr:street": "人民路"},
    }
    write_osm(
        folder / "roads.osm", nodes, [([1, 2], {"highway": "residential"}), ([1, 2, 3, 4, 1], building)], node_tags=tags
    )
    return RoadsSource(path="roads.osm")


def test_numbers_of_the_road_file_as_written(tmp_path: Path) -> None:
    found, issues = read_addresses(StudySpec("x", roads=_write_road_file(tmp_path), folder=tmp_path), CRS)
    assert issues == []
    assert found[COLUMNS].to_numpy().tolist() == [["东村", "3"], ["人民路", "12-14"], ["人民路", "12A"]]
    middle = gpd.GeoSeries([shapely.Point(111.0005, 34.0005)], crs=4326).to_crs(CRS).iloc[0]
    assert found[["x_m", "y_m"]].iloc[1].tolist() == pytest.approx([middle.x, middle.y], abs=0.5)
    assert check_table(found, "addresses") == []


@pytest.mark.parametrize(
    "header", ["街道,门牌号,经度,纬度", "路名,门牌,lon,lat", "street,house_number,lon_deg,lat_deg"]
)
def test_a_table_of_ones_own(tmp_path: Path, header: str) -> None:
    found, issues = _read(tmp_path, f"{header}\n建设路,007,111,34\n建设路,007,111,34\n建设路,12号甲,111.001,34\n")
    assert issues == []
    assert found[COLUMNS].to_numpy().tolist() == [["建设路", "007"], ["建设路", "12号甲"]], "zeros stay, repetitions go"
    assert found["x_m"].iloc[0] == pytest.approx(500_000, abs=1)  # 111 degrees is the middle of zone 49


def test_metres_workbooks_and_layers(tmp_path: Path) -> None:
    metres, _ = _read(tmp_path, "street,house_number,x,y\n甲路,1,500000,3760000\n")
    assert metres[["x_m", "y_m"]].to_numpy().tolist() == [[500_000, 3_760_000]]
    frame = pd.DataFrame({"道路": ["甲路"], "号": ["2"], "经度": [111.0], "纬度": [34.0]})
    frame.to_excel(tmp_path / "a.xlsx", sheet_name="门牌", index=False)
    columns = {"street": "道路", "house_number": "号"}
    source = AddressesSource("a.xlsx", sheet="门牌", columns=columns)
    assert read_addresses(StudySpec("x", addresses=source, folder=tmp_path), CRS)[0]["house_number"].tolist() == ["2"]
    layer = gpd.GeoDataFrame(
        {"street": ["甲路"], "house_number": ["3"]},
        geometry=[shapely.box(500_000, 3_760_000, 500_010, 3_760_020)],
        crs=CRS,
    )
    layer.to_file(tmp_path / "a.gpkg", layer="houses")
    spec = StudySpec("x", addresses=AddressesSource("a.gpkg"), folder=tmp_path)
    assert read_addresses(spec, CRS)[0][["x_m", "y_m"]].to_numpy().tolist() == [[500_005, 3_760_010]]


def test_the_own_file_comes_before_the_road_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "street,house_number,lon,lat\n人民路,12A,111.5,34\n人民路,1,111.5,34\n", encoding="utf-8"
    )
    spec = StudySpec("x", roads=_write_road_file(tmp_path), addresses=AddressesSource("a.csv"), folder=tmp_path)
    found = read_addresses(spec, CRS)[0]
    assert found["house_number"].tolist() == ["3", "1", "12-14", "12A"]
    assert found["x_m"].iloc[3] == found["x_m"].iloc[1], "12A stands where the own file says"


def test_all_problems_at_once_with_row_and_column(tmp_path: Path) -> None:
    text = "街道,门牌号,经度,纬度\n,1,111,34\n甲路,,111,34\n甲路,3,east,34\n甲路,4,,\n"
    with pytest.raises(DataError) as caught:
        _read(tmp_path, text)
    assert {(i.check, i.row, i.column) for i in caught.value.issues} == {
        ("required_value", 2, "街道"),
        ("required_value", 3, "门牌号"),
        ("type", 4, "经度"),
        ("position", 4, "经度"),
        ("position", 5, "经度"),
    }
    assert all(issue.file == "a.csv" for issue in caught.value.issues)


def test_missing_columns_and_wrong_mappings_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _read(tmp_path, "house,经度,纬度\n1,111,34\n", columns={"street": "Strasse"})
    checks = [(issue.check, issue.column) for issue in caught.value.issues]
    assert ("column_mapping", "Strasse") in checks
    assert ("required_column", "house_number") in checks


def test_without_files_the_table_is_empty(tmp_path: Path) -> None:
    found, issues = read_addresses(StudySpec("x", folder=tmp_path), CRS)
    assert list(found.columns) == [*COLUMNS, "x_m", "y_m"]
    assert len(found) == 0 and issues == []
    broken = StudySpec("x", roads=RoadsSource(path="no.osm.pbf"), folder=tmp_path)
    assert len(read_addresses(broken, CRS)[0]) == 0, "the reader of roads tells what is wrong with its file"


@pytest.mark.real
def test_liechtenstein_has_addresses(cases: Path) -> None:
    path = cases / "liechtenstein" / "liechtenstein-2015-07_valhalla.osm.pbf"
    found, _ = read_addresses(StudySpec("x", roads=RoadsSource(path=str(path))), "EPSG:32632")
    assert len(found) == 1_001
    assert {"Städtle", "Dorfstrasse"} <= set(found["street"])
