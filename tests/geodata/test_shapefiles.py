"""Shapefiles from Chinese offices: zipped, in GBK or UTF-8 with or without a label, with words cut in a character."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import Point

from geodata.files import list_layers, read_layer
from geodata.shapefiles import choose_shapefile_encoding, find_missing_part

NAMES = ["实验小学", "第二小学" * 30]


def write(folder: Path, encoding: str, *, label: bool, mark: int = 0) -> Path:
    """Write a shapefile whose header is longer than the format holds; ``mark`` is the language byte of its table."""
    layer = gpd.GeoDataFrame({"学校名称全称": NAMES, "n": [1, 2]}, geometry=[Point(113, 34.7)] * 2, crs=4326)
    path = folder / "学校.shp"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer.to_file(path, encoding=encoding)
    if not label:
        path.with_suffix(".cpg").unlink()
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = mark
    path.with_suffix(".dbf").write_bytes(table)
    return path


def pack(path: Path, *, inside: str = "", old: bool = False) -> Path:
    """Zip the parts of a shapefile; ``old`` as Chinese Windows does it, with names in GBK and no word of it."""
    target = path.parent / "layer.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for part in path.parent.glob(path.stem + ".*"):
            archive.write(part, inside + ("xuexiao" if old else part.stem) + part.suffix)
    if old:
        target.write_bytes(target.read_bytes().replace(b"xuexiao", "学校a".encode("gbk") + b"bc"))
    return target


@pytest.mark.parametrize("mark", [0, 0x57, 0x4D])
@pytest.mark.parametrize("label", [True, False])
@pytest.mark.parametrize("encoding", ["GBK", "UTF-8"])
def test_words_are_read_in_their_encoding(tmp_path: Path, encoding: str, label: bool, mark: int) -> None:
    if encoding == "UTF-8" and mark == 0x4D:
        pytest.skip("the table says that it is GBK")
    path = write(tmp_path, encoding, label=label, mark=mark)
    for layer in (read_layer(path), read_layer(pack(path, inside="数据/"))):
        header = str(layer.columns[0])
        assert "学校名称全称".startswith(header) and len(header) >= 3
        assert layer[header].iloc[0] == NAMES[0]
        assert NAMES[1].startswith(layer[header].iloc[1])


def test_the_layer_of_an_archive_is_called_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, "GBK", label=True)
    assert list_layers(pack(path)) == {"": []}
    other = gpd.GeoDataFrame({"a": [5]}, geometry=[Point(1, 2)], crs=4326)
    other.to_file(tmp_path / "其他.geojson")
    with zipfile.ZipFile(tmp_path / "layer.zip", "a") as archive:
        archive.write(tmp_path / "其他.geojson", "其他.geojson")
        archive.writestr("__MACOSX/._其他.geojson", b"x")
        archive.writestr("说明.txt", b"x")
    assert set(list_layers(tmp_path / "layer.zip")) == {"学校", "其他"}
    assert read_layer(tmp_path / "layer.zip", layer="其他")["a"].tolist() == [5]
    assert len(read_layer(tmp_path / "layer.zip", layer="学校")) == 2


def test_names_of_old_archives_are_read_in_gbk(tmp_path: Path) -> None:
    path = pack(write(tmp_path, "GBK", label=True), old=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.geojson", b'{"type": "FeatureCollection", "features": []}')
    assert set(list_layers(path)) == {"学校abc", "b"}
    assert len(read_layer(path, layer="学校abc")) == 2


def test_a_geopackage_in_an_archive_has_its_own_layers(tmp_path: Path) -> None:
    for name in ("a", "b"):
        layer = gpd.GeoDataFrame({"x": [name]}, geometry=[Point(1, 2)], crs=4326)
        layer.to_file(tmp_path / "l.gpkg", layer=name)
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.write(tmp_path / "l.gpkg", "l.gpkg")
    assert list_layers(tmp_path / "l.zip") == {"a": ["x"], "b": ["x"]}
    assert read_layer(tmp_path / "l.zip", layer="b")["x"].tolist() == ["b"]


def test_real_shapefiles_are_the_same_zipped(cases: Path, tmp_path: Path) -> None:
    source = cases / "reykjavik_gostnets"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for part in source.glob("rek_grid_pop.*"):
            archive.write(part, part.name)
    assert read_layer(tmp_path / "a.zip").equals(read_layer(source / "rek_grid_pop.shp"))


def test_parts_are_found_in_capitals(tmp_path: Path) -> None:
    path = write(tmp_path, "UTF-8", label=True)
    path.with_suffix(".dbf").rename(tmp_path / "学校.DBF")
    assert find_missing_part(path) == ""
    (tmp_path / "学校.DBF").write_bytes(b"short")
    assert choose_shapefile_encoding(path) == ""
