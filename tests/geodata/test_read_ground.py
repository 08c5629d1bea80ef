"""Layers of what keeps schools away, and of open land: good files in any writing, and every fault of bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from geodata.errors import DataError
from geodata.read_ground import GroundTables, check_ground, read_ground
from geodata.schema import check_table
from geodata.study_file import ExclusionsSource, OpenLandSource, StudySpec, build_study_spec, list_sources

CRS = "EPSG:32649"


def write_layer(path: Path, table: dict[str, list[Any]], shapes: list[Any], crs: str | None = CRS) -> None:
    """Write a layer of mixed shapes."""
    gpd.GeoDataFrame(table, geometry=shapes, crs=crs).to_file(path, driver="GPKG", geometry_type="Unknown")


def read(folder: Path, *exclusions: ExclusionsSource, land: OpenLandSource | None = None) -> GroundTables:
    return read_ground(StudySpec("x", exclusions=exclusions, open_land=land, folder=folder), CRS)


def read_issues(folder: Path, *exclusions: ExclusionsSource, land: OpenLandSource | None = None) -> set[Any]:
    with pytest.raises(DataError) as caught:
        read(folder, *exclusions, land=land)
    return {(issue.check, issue.file, issue.row, issue.column) for issue in caught.value.issues}


def test_kinds_in_chinese_and_several_layers(tmp_path: Path) -> None:
    shapes = [box(0, 0, 10, 10), LineString([(0, 0), (100, 0)]), Point(5, 5), MultiPolygon([box(0, 0, 1, 1)])]
    kinds = ["蓄滞洪区", "铁路", "殡仪馆", "泥石流"]
    write_layer(tmp_path / "all.gpkg", {"管控类型": kinds, "名称": ["河西", None, "馆", ""]}, shapes)
    write_layer(tmp_path / "more.gpkg", {"about": ["x", "y"]}, [box(0, 0, 5, 5), box(9, 9, 12, 12)])
    found = read(tmp_path, ExclusionsSource("all.gpkg"), ExclusionsSource("more.gpkg", kind="洪水")).exclusions
    assert found[["exclusion_id", "kind", "name"]].to_numpy().tolist() == [
        ["flood-1", "flood", "河西"],
        ["railway-1", "railway", ""],
        ["funeral_home-1", "funeral_home", "馆"],
        ["debris_flow-1", "debris_flow", ""],
        ["flood-2", "flood", ""],
        ["flood-3", "flood", ""],
    ]
    assert found.crs == CRS
    assert found.geometry.geom_type.tolist()[:3] == ["Polygon", "LineString", "Point"]
    assert check_table(found, "exclusions") == []


def test_the_layers_own_words_and_the_kind_where_a_cell_is_empty(tmp_path: Path) -> None:
    write_layer(tmp_path / "a.gpkg", {"type": ["Z1", None]}, [box(0, 0, 1, 1), box(5, 5, 6, 6)])
    source = ExclusionsSource("a.gpkg", kind="landslide", values={"kind": {"Z1": "seismic"}})
    assert read(tmp_path, source).exclusions["kind"].tolist() == ["seismic", "landslide"]


def test_a_table_of_places(tmp_path: Path) -> None:
    (tmp_path / "gas.csv").write_text("名称,经度,纬度\n东站,111,34\n西站,111.1,34\n", encoding="utf-8")
    found = read(tmp_path, ExclusionsSource("gas.csv", kind="加油站")).exclusions
    assert found["kind"].tolist() == ["gas_station"] * 2 and found["name"].tolist() == ["东站", "西站"]
    assert found.geometry.iloc[0].x == pytest.approx(500_000, abs=1)  # 111 degrees is the middle of zone 49


def test_shapes_in_degrees_are_projected_and_broken_ones_repaired(tmp_path: Path) -> None:
    bow = Polygon([(111, 34), (111.01, 34.01), (111.01, 34), (111, 34.01)])
    write_layer(tmp_path / "a.gpkg", {"name": ["x"]}, [bow], "EPSG:4326")
    ground = read(tmp_path, ExclusionsSource("a.gpkg", kind="flood"))
    assert ground.exclusions.geometry.iloc[0].is_valid
    assert 4e5 < ground.exclusions.geometry.iloc[0].area < 6e5
    assert [issue.check for issue in ground.issues] == ["geometry_repaired"]


def test_every_fault_of_every_file_at_once(tmp_path: Path) -> None:
    write_layer(tmp_path / "a.gpkg", {"kind": ["flood", "swamp", ""]}, [box(0, 0, 1, 1)] * 3)
    write_layer(tmp_path / "b.gpkg", {"name": ["x"]}, [box(0, 0, 1, 1)])
    write_layer(tmp_path / "c.gpkg", {"name": ["x", "y"]}, [None, box(0, 0, 1, 1)])
    write_layer(tmp_path / "d.gpkg", {"area": [-5, 3]}, [box(0, 0, 1, 1), Point(0, 0)])
    told = read_issues(
        tmp_path,
        ExclusionsSource("a.gpkg"),
        ExclusionsSource("b.gpkg"),
        ExclusionsSource("c.gpkg", kind="floood"),
        ExclusionsSource("gone.gpkg", kind="flood"),
        land=OpenLandSource("d.gpkg"),
    )
    assert told == {
        ("allowed_value", "a.gpkg", 2, "kind"),
        ("required_value", "a.gpkg", 3, "kind"),
        ("required_column", "b.gpkg", None, "kind"),
        ("allowed_value", "study.toml", None, "exclusions.kind"),
        ("geometry", "c.gpkg", 1, ""),
        ("file", "gone.gpkg", None, ""),
        ("range", "d.gpkg", 1, "area"),
        ("geometry", "d.gpkg", 2, ""),
    }


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_layer_without_a_system_and_a_column_that_is_not_there(tmp_path: Path) -> None:
    write_layer(tmp_path / "a.gpkg", {"name": ["x"]}, [box(0, 0, 1, 1)], None)
    assert ("layer_crs", "a.gpkg", None, "") in read_issues(tmp_path, ExclusionsSource("a.gpkg", kind="flood"))
    named = ExclusionsSource("a.gpkg", kind="flood", crs=CRS, columns={"name": "Nome", "nmae": "name"})
    checks = {(check, column) for check, _, _, column in read_issues(tmp_path, named)}
    assert checks == {("column_mapping", "Nome"), ("column_mapping", "nmae")}


def test_open_land_with_and_without_codes_and_areas(tmp_path: Path) -> None:
    shapes = [box(0, 0, 100, 100), box(200, 0, 300, 50)]
    write_layer(
        tmp_path / "a.gpkg", {"地块编号": ["07", "08"], "地块名称": ["东", None], "面积": [8000.0, None]}, shapes
    )
    found = read(tmp_path, land=OpenLandSource("a.gpkg")).open_land
    assert found[["land_id", "name", "area_m2"]].to_numpy().tolist() == [["07", "东", 8000.0], ["08", "08", 5000.0]]
    assert check_table(found, "open_land") == []
    write_layer(tmp_path / "b.gpkg", {"note": ["", ""]}, shapes)
    plain = read(tmp_path, land=OpenLandSource("b.gpkg")).open_land
    assert plain["land_id"].tolist() == ["land-1", "land-2"]
    write_layer(tmp_path / "c.gpkg", {"code": ["1", "1"]}, shapes)
    assert {check for check, *_ in read_issues(tmp_path, land=OpenLandSource("c.gpkg"))} == {"duplicate_id"}


def test_a_layer_far_outside_the_county_is_told(tmp_path: Path) -> None:
    """An easting without its zone, or with one: the whole layer lies elsewhere, and every site would seem clear."""
    units = gpd.GeoDataFrame({"unit_id": ["a"]}, geometry=[box(0, 0, 1000, 1000)], crs=CRS)
    shapes = [box(90_000, 0, 90_100, 100), box(500, 0, 600, 100), LineString([(31_000, 0), (31_000, 900)])]
    write_layer(tmp_path / "a.gpkg", {"kind": ["flood", "flood", "railway"]}, shapes)
    write_layer(tmp_path / "b.gpkg", {"name": ["x"]}, [box(0, 61_000, 100, 61_100)])
    ground = read(tmp_path, ExclusionsSource("a.gpkg"), land=OpenLandSource("b.gpkg"))
    assert [str(issue.problem) for issue in check_ground(ground, units)] == [
        "All of it lies 30 km outside the county: railway.",
        "All of it lies 60 km outside the county: open land.",
    ]
    assert {issue.severity for issue in check_ground(ground, units)} == {"warning"}
    assert check_ground(GroundTables(), units) == []


def test_a_study_without_layers_has_empty_tables() -> None:
    ground = read_ground(StudySpec("x"), CRS)
    assert ground.exclusions.empty and ground.open_land.empty and ground.issues == ()
    assert isinstance(ground.exclusions, pd.DataFrame)


def test_the_study_file_takes_one_layer_or_several(tmp_path: Path) -> None:
    base = {"name": "x", "schools": {"path": "s.csv"}, "population": {"path": "p.csv"}}
    one = build_study_spec({**base, "exclusions": {"path": "a.gpkg", "kind": "flood"}}, folder=tmp_path)
    assert one.exclusions == (ExclusionsSource("a.gpkg", kind="flood"),)
    parts = [{"path": "a.gpkg", "kind": "flood"}, {"path": "b.gpkg", "columns": {"kind": "K"}}]
    two = build_study_spec({**base, "exclusions": parts, "open_land": {"path": "l.gpkg"}}, folder=tmp_path)
    assert [source.path for source in list_sources(two, "exclusions")] == ["a.gpkg", "b.gpkg"]
    assert [source.path for source in list_sources(two, "open_land")] == ["l.gpkg"]
    assert list_sources(one, "open_land") == ()


def test_faults_of_the_study_file_are_told(tmp_path: Path) -> None:
    base = {"name": "x", "schools": {"path": "s.csv"}, "population": {"path": "p.csv"}}
    parts = [{"path": "", "kind": 3}, {"layer": "x"}, {"path": "a.gpkg", "kin": "flood"}, 5]
    with pytest.raises(DataError) as caught:
        build_study_spec({**base, "exclusions": parts}, folder=tmp_path)
    told = {(issue.column, str(issue.problem)) for issue in caught.value.issues}
    assert told == {
        ("exclusions.path", "A required key is missing."),
        ("exclusions.kind", "A value of the wrong kind."),
        ("exclusions.kin", "Unknown key."),
        ("exclusions", "A table was expected here."),
    }
