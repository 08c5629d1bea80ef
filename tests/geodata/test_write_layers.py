"""GeoPackages: whole or not at all, text stays text."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.errors import ExportError
from geodata.files import read_layer
from geodata.messages import msg
from geodata.write_layers import write_geopackage

HOSTILE = ["=1+1", "<img src=x onerror=alert(1)>", "{{7*7}}", "'; DROP TABLE zones; --", "a\x00b\udc80", "学校 🏫"]


def _table(**columns: object) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))  # type: ignore[arg-type]
    shapes = [shapely.box(k, 0, k + 1, 1) for k in range(count)]
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes, crs="EPSG:32649")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    text = pd.Series(HOSTILE, dtype=object)
    number = [1.5, np.nan, 3.0, 4.0, 5.0, 6.0]
    words = [msg("primary"), None, pd.NA, [1, 2], np.nan, "x"]
    whole = pd.Series([1, None, 3, 4, 5, 6], dtype="Int64")
    table = _table(
        name=text,
        number=number,
        whole=whole,
        flag=[True, False] * 3,
        count=range(6),
        word=pd.Series(words, dtype=object),
    )
    path = write_geopackage(tmp_path / "z.gpkg", {"zones": table}, description="合成 synthetic")
    found = read_layer(path)
    assert found["name"].tolist() == [*HOSTILE[:4], "a?b?", HOSTILE[5]]
    assert found["number"].fillna(-1).tolist() == [1.5, -1, 3, 4, 5, 6]
    assert found["whole"].fillna(-1).tolist() == [1, -1, 3, 4, 5, 6]
    assert found["flag"].tolist() == [True, False] * 3
    assert found["count"].tolist() == list(range(6))
    assert [None if pd.isna(word) else word for word in found["word"]] == ["primary", None, None, "[1, 2]", None, "x"]
    assert str(found.crs) == "EPSG:32649"
    assert found.geometry.area.tolist() == [1.0] * 6
    with sqlite3.connect(path) as base:
        assert base.execute("SELECT description FROM gpkg_contents").fetchall() == [("合成 synthetic",)]


def test_several_layers_a_local_grid_and_an_empty_table(tmp_path: Path) -> None:
    table = _table(name=["a", "b"])
    local = table.set_crs(None, allow_override=True)
    path = write_geopackage(tmp_path / "z.gpkg", {"zones": table, "units": local, "none": table.iloc[:0]})
    assert read_layer(path, layer="units").crs is None
    assert len(read_layer(path, layer="zones")) == 2
    with sqlite3.connect(path) as base:
        assert base.execute("SELECT count(*) FROM none").fetchone() == (0,)
        assert "name" in {row[1] for row in base.execute("PRAGMA table_info(none)")}


def test_columns_that_a_geopackage_uses_itself(tmp_path: Path) -> None:
    table = _table(fid=["x", "y"], geom=["1", "2"], FID=["p", "q"])
    found = read_layer(write_geopackage(tmp_path / "z.gpkg", {"zones": table}))
    assert found[["fid", "geom", "FID_"]].to_numpy().tolist() == [["x", "1", "p"], ["y", "2", "q"]]


def test_equal_content_gives_equal_files_and_replaces_the_old_one(tmp_path: Path) -> None:
    first = write_geopackage(tmp_path / "a.gpkg", {"zones": _table(name=["a"])}).read_bytes()
    write_geopackage(tmp_path / "b.gpkg", {"zones": _table(name=["b", "c"])})
    assert write_geopackage(tmp_path / "b.gpkg", {"zones": _table(name=["a"])}).read_bytes() == first
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.gpkg", "b.gpkg"]


@pytest.mark.parametrize("name", ["", "a b", "x;--", "1a", "a" * 61, "../z"])
def test_names_that_no_layer_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError):
        write_geopackage(tmp_path / "z.gpkg", {name: _table(name=["a"])})
    with pytest.raises(ExportError):
        write_geopackage(tmp_path / "z.gpkg", {"zones": _table(name=["a"]), "Zones": _table(name=["a"])})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_and_a_layer_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExportError, match="cannot be written"):
        write_geopackage(tmp_path / "none" / "z.gpkg", {"zones": _table(name=["a"])})
    path = write_geopackage(tmp_path / "z.gpkg", {"zones": _table(name=["old"])})
    import pyogrio

    def fail(*_: object, **__: object) -> None:
        raise pyogrio.errors.DataSourceError("disk full")

    monkeypatch.setattr(pyogrio, "write_dataframe", fail)
    with pytest.raises(ExportError, match="disk full"):
        write_geopackage(path, {"zones": _table(name=["new"])})
    assert read_layer(path)["name"].tolist() == ["old"]
    assert [item.name for item in tmp_path.iterdir()] == ["z.gpkg"]
