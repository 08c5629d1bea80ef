"""Layers in every format and datum: what is opened again is what was written, and GCJ-02 shifted back agrees."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from geodata.crs import convert_to_wgs84
from geodata.errors import ExportError
from geodata.layer_formats import convert_layer, shorten_fields
from geodata.write_layers import FIELDS_FILE, write_layer_files
from tests.open_gdal import read_any_layer

NAMES = ["河东村；=1+1", '<b>&"校"</b>\x01', "[1]"]


def _areas() -> gpd.GeoDataFrame:
    hole = shapely.Polygon(
        [(450_000, 3_800_000), (453_000, 3_800_000), (453_000, 3_803_000), (450_000, 3_803_000)],
        [[(451_000, 3_801_000), (451_000, 3_802_000), (452_000, 3_802_000), (452_000, 3_801_000)]],
    )
    two = shapely.MultiPolygon([shapely.box(460_000 + d, 3_800_000, 461_000 + d, 3_801_000) for d in (0, 5_000)])
    table = pd.DataFrame(
        {
            "name": NAMES,
            "pupils_before": [12.0, np.nan, 3.5],
            "pupils_before_hidden": [False, True, False],
            "reason": ["因" * 200, "", "x"],
        }
    )
    return gpd.GeoDataFrame(table, geometry=[hole, two, shapely.box(470_000, 3_800_000, 471_000, 3_801_000)], crs=32649)


def _layers() -> dict[str, gpd.GeoDataFrame]:
    areas = _areas()
    return {"zones": areas, "schools": areas.set_geometry(areas.geometry.representative_point())}


def _open(file: Path, layer: str) -> gpd.GeoDataFrame:
    if file.suffix == ".kml":
        return read_any_layer(file, layer)
    return pyogrio.read_dataframe(file, layer=layer if file.suffix == ".gpkg" else None)


def _points(table: gpd.GeoDataFrame) -> Any:
    """Vertices in an order that does not depend on where a ring begins."""
    return np.unique(np.round(shapely.get_coordinates(table.geometry), 6), axis=0)


@pytest.mark.parametrize("datum", ["WGS-84", "CGCS2000", "GCJ-02"])
def test_every_format_holds_the_same(tmp_path: Path, datum: str) -> None:
    layers = _layers()
    files = write_layer_files(layers, tmp_path, datum=datum, description="合成")
    mark = "_gcj02" if datum == "GCJ-02" else ""
    assert {file.name for file in files} == {
        *(f"layers{mark}.{ending}" for ending in ("gpkg", "kml")),
        *(f"{name}{mark}.{ending}" for name in layers for ending in ("geojson", "shp.zip")),
        FIELDS_FILE,
    }
    assert sorted(tmp_path.iterdir()) == sorted(files)
    for name, table in layers.items():
        wanted = convert_layer(table, datum)
        for file in (f"layers{mark}.gpkg", f"{name}{mark}.geojson", f"{name}{mark}.shp.zip", f"layers{mark}.kml"):
            found = _open(tmp_path / file, f"{name}{mark}")
            kml = file.endswith("kml")
            assert len(found) == 3
            assert found["Name" if kml else "name"].tolist() == [
                name.replace("\x01", "?") if kml else name for name in NAMES
            ]
            assert np.abs(_points(found) - _points(wanted)).max() < 2e-6, file
            if kml:
                continue
            short = file.endswith("zip")
            pupils = found["pupils_bef" if "pupils_bef" in found else "pupil_befo" if short else "pupils_before"]
            assert pupils.fillna(-1).tolist() == [12.0, -1, 3.5]
            assert found[next(column for column in found if "hi" in column)].astype(bool).tolist() == [
                False,
                True,
                False,
            ]
            assert found["reason"].iloc[0].startswith("因" * 80)
            if not (datum == "GCJ-02" and file.endswith("geojson")):
                assert found.crs.to_epsg() == {"WGS-84": 4326, "CGCS2000": 4490}.get(datum)
                assert datum != "GCJ-02" or "GCJ-02" in found.crs.name


def test_gcj02_shifted_back_is_wgs84(tmp_path: Path) -> None:
    write_layer_files(_layers(), tmp_path / "a", formats=("geojson",))
    write_layer_files(_layers(), tmp_path / "b", formats=("geojson",), datum="GCJ-02")
    there = _points(_open(tmp_path / "a" / "zones.geojson", ""))
    moved = shapely.get_coordinates(_open(tmp_path / "b" / "zones_gcj02.geojson", "").geometry)
    lon_deg, lat_deg = convert_to_wgs84(moved[:, 0], moved[:, 1], "GCJ-02")
    back = np.unique(np.round(np.column_stack([lon_deg, lat_deg]), 6), axis=0)
    assert np.abs(moved.mean(axis=0) - there.mean(axis=0)).max() > 1e-3
    assert len(back) == len(there) and np.abs(back - there).max() < 2e-6
    document = json.loads((tmp_path / "b" / "zones_gcj02.geojson").read_text(encoding="utf-8"))
    assert "crs" not in document and "GCJ-02" in document["description"]


def test_rings_turn_as_geojson_asks_and_areas_are_of_one_kind(tmp_path: Path) -> None:
    write_layer_files(_layers(), tmp_path, formats=("geojson",))
    document = json.loads((tmp_path / "zones.geojson").read_text(encoding="utf-8"))
    kinds = {feature["geometry"]["type"] for feature in document["features"]}
    assert kinds == {"MultiPolygon"}
    outer, inner = document["features"][0]["geometry"]["coordinates"][0]
    assert shapely.LinearRing(outer).is_ccw and not shapely.LinearRing(inner).is_ccw
    assert 100 < outer[0][0] < 120 and 30 < outer[0][1] < 40


def test_equal_layers_give_equal_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_layer_files(_layers(), tmp_path / folder, description="x")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_a_shapefile_is_utf8_and_its_fields_are_told(tmp_path: Path) -> None:
    meanings = {"meaning_zh": {"pupils_before": "调整前学生数"}}
    write_layer_files(_layers(), tmp_path, formats=("shp", "kml"), meanings=meanings)
    with zipfile.ZipFile(tmp_path / "zones.shp.zip") as packed:
        assert {name.rpartition(".")[2] for name in packed.namelist()} == {"shp", "shx", "dbf", "prj", "cpg"}
        assert packed.read("zones.cpg") == b"UTF-8"
    fields = pd.read_csv(tmp_path / FIELDS_FILE, encoding="utf-8-sig", keep_default_na=False)
    told = fields.set_index(["layer", "field"])
    assert told.loc[("zones", "pupils_before"), "meaning_zh"] == "调整前学生数"
    found = set(_open(tmp_path / "zones.shp.zip", ""))
    assert set(fields.loc[fields["layer"] == "zones", "shapefile_field"]) <= found
    assert "调整前学生数" in (tmp_path / "layers.kml").read_text(encoding="utf-8")


def test_short_names_are_unique() -> None:
    names = ["pupils_before", "pupils_before_hidden", "pupils_beforehand", "名称", "名字", "a" * 30, "name"]
    short = shorten_fields(names)
    assert list(short) == names
    assert len({name.casefold() for name in short.values()}) == len(names)
    assert all(len(name) <= 10 and name.isascii() for name in short.values())


def test_an_empty_layer_keeps_its_fields(tmp_path: Path) -> None:
    files = write_layer_files({"zones": _areas().iloc[:0]}, tmp_path)
    for file in files:
        if file.suffix in (".gpkg", ".geojson", ".zip"):
            assert len(_open(file, "zones")) == 0


def test_no_place_on_earth_no_format_no_datum(tmp_path: Path) -> None:
    local = _areas().set_crs(None, allow_override=True)
    with pytest.raises(ExportError, match="without a place on Earth"):
        write_layer_files({"zones": local}, tmp_path)
    with pytest.raises(ExportError, match="BD-09"):
        write_layer_files(_layers(), tmp_path, datum="BD-09")
    with pytest.raises(ExportError, match="dxf"):
        write_layer_files(_layers(), tmp_path, formats=("dxf",))
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ExportError):
        write_layer_files(_layers(), tmp_path / "file")
    assert [item.name for item in tmp_path.iterdir()] == ["file"]
