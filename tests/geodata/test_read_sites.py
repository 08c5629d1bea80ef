"""Candidate sites from tables and layers."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from geodata.errors import DataError
from geodata.read_sites import read_sites
from geodata.schema import check_table
from geodata.study_file import SitesSource, StudySpec

CRS = "EPSG:32649"


def build_spec(folder: Path, text: str, **source: object) -> StudySpec:
    """Write a table of sites and return a study that names it."""
    (folder / "sites.csv").write_text(text, encoding="utf-8")
    return StudySpec("x", sites=SitesSource("sites.csv", **source), folder=folder)  # type: ignore[arg-type]


def test_lists_in_any_writing(tmp_path: Path) -> None:
    text = (
        "地块编号,地块名称,经度,纬度,用地面积（㎡）,可建规模,可办学段,建设费用\n"
        "01,东地块,111,34,20000,12、18班;24,小学/初中,3000000\n02,,111,34.1,,,九年一贯制,\n"
    )
    sites, issues = read_sites(build_spec(tmp_path, text), CRS)
    assert issues == []
    assert sites[["site_id", "name", "class_options", "stages"]].to_numpy().tolist() == [
        ["01", "东地块", "12;18;24", "primary;junior"],
        ["02", "02", "", "primary;junior"],
    ]
    assert sites["area_m2"].iloc[0] == 20_000 and np.isnan(sites["area_m2"].iloc[1])
    assert sites["x_m"].iloc[0] == pytest.approx(500_000, abs=1)  # 111 degrees is the middle of zone 49
    assert check_table(sites, "sites") == []


def test_all_problems_at_once(tmp_path: Path) -> None:
    text = "site_id,lon,lat,area_m2,class_options,stages\nA,111,34,-5,many,primary\nA,,34,5,12,大学\n"
    with pytest.raises(DataError) as caught:
        read_sites(build_spec(tmp_path, text), CRS)
    assert {(i.check, i.row, i.column) for i in caught.value.issues} == {
        ("range", 2, "area_m2"),
        ("allowed_value", 2, "class_options"),
        ("allowed_value", 3, "stages"),
        ("position", 3, "lon"),
        ("duplicate_id", 3, "site_id"),
    }


def test_doubled_ids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="twice"):
        read_sites(build_spec(tmp_path, "site_id,lon,lat\nA,111,34\nA,111,34.1\n"), CRS)


def test_a_layer_of_areas(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame({"code": ["7"]}, geometry=[box(500_000, 3_800_000, 500_100, 3_800_100)], crs=CRS)
    layer.to_file(tmp_path / "sites.gpkg")
    sites, _ = read_sites(StudySpec("x", sites=SitesSource("sites.gpkg"), folder=tmp_path), CRS)
    assert sites["site_id"].tolist() == ["7"]
    assert layer.geometry.iloc[0].contains(sites.geometry.iloc[0])


def test_no_sites_is_an_empty_layer() -> None:
    sites, issues = read_sites(StudySpec("x"), CRS)
    assert len(sites) == 0 and issues == [] and sites.crs.to_epsg() == 32649
    assert read_sites(StudySpec("x"), "local")[0].crs is None


def test_ids_are_checked_together_with_the_cells(tmp_path: Path) -> None:
    text = "地块编号,经度,纬度,用地面积\nA,113,34,5\nA,113,34,x\n,113,34,5\n"
    with pytest.raises(DataError) as caught:
        read_sites(build_spec(tmp_path, text), CRS)
    assert {(issue.check, issue.row) for issue in caught.value.issues} == {
        ("type", 3),
        ("duplicate_id", 3),
        ("required_value", 4),
    }
