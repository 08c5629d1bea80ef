"""Files from strangers: what is read, what is refused, and in which words."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from geodata import read_text
from geodata.errors import CrsError, DataError
from geodata.files import check_path, read_layer, read_raw_table, read_raw_tables, require_layer_crs


def write_book(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    """Write a workbook of rows by sheet."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    book.close()
    return path


def points(**columns: list[object]) -> gpd.GeoDataFrame:
    """Return a layer of points on a line."""
    count = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(columns, geometry=[Point(i, i) for i in range(count)], crs=4326)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_the_encodings_of_offices(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "学校.csv"
    path.write_text("学校代码,学校名称\n007,实验小学\n", encoding=encoding)
    raw = read_raw_table(path)
    assert raw.frame.to_dict("list") == {"学校代码": ["007"], "学校名称": ["实验小学"]}
    assert raw.rows.tolist() == [2]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_csv_with_other_signs(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"id{sign}name\n01{sign}a\n", encoding="utf-8")
    assert read_raw_table(path).frame["id"].tolist() == ["01"]


def test_rows_keep_the_numbers_of_the_spreadsheet(tmp_path: Path) -> None:
    # a title, an empty row, the headers in row 3, a record over two lines, an empty row between
    path = tmp_path / "a.csv"
    path.write_text('某县学校情况表,,\n,,\nid,name,n\n1,"two\nlines",5\n,,\n2,b,6\n', encoding="utf-8")
    raw = read_raw_table(path)
    assert raw.header_row == 3
    assert raw.rows.tolist() == [4, 6]
    assert raw.frame["name"].tolist() == ["two\nlines", "b"]


def test_workbook_numbers_are_what_the_planner_sees(tmp_path: Path) -> None:
    rows: list[list[object]] = [["id", "n", "half", "text"], ["0012", 12.0, 0.5, "=1+1"], [3, 1e6, -0.25, "{{7*7}}"]]
    path = write_book(tmp_path / "a.xlsx", {"空": [], "数据": rows})
    raw = read_raw_table(path)
    assert raw.sheet == "数据"
    assert raw.frame.to_numpy().tolist() == [["0012", "12", "0.5", "=1+1"], ["3", "1000000", "-0.25", "{{7*7}}"]]


def test_sheets_by_name(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", {"小学": [["id"], ["1"]], "初中": [["id"], ["2"]]})
    assert [raw.sheet for raw in read_raw_tables(path)] == ["小学", "初中"]
    assert read_raw_table(path, sheet="初中").frame["id"].tolist() == ["2"]
    with pytest.raises(DataError, match="小学, 初中"):
        read_raw_table(path, sheet="高中")


def test_doubled_and_missing_headers_get_names_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,n,n,,\n1,2,3,4,\n", encoding="utf-8")
    assert list(read_raw_table(path).frame.columns) == ["id", "n", "n (2)", "column 4"]


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1), min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_ids_survive_a_csv_file(tmp_path: Path, ids: list[str]) -> None:
    path = tmp_path / "ids.csv"
    pd.DataFrame({"school_id": ids, "name": "x"}).to_csv(path, index=False, encoding="utf-8-sig")
    assert read_raw_table(path).frame["school_id"].tolist() == [text.strip() for text in ids]


@pytest.mark.parametrize(
    "path", ["http://a.b/x.gpkg", "https://a/x.csv", "/vsicurl/http://a/x.gpkg", "ftp:/a/b.csv", "a/vsizip/b.gpkg"]
)
def test_addresses_are_refused(path: str) -> None:
    with pytest.raises(DataError, match="not addresses"):
        read_layer(path)
    with pytest.raises(DataError, match="not addresses"):
        read_raw_table(path)


def test_missing_empty_and_strange_files_are_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "a.docx").write_text("x")
    (tmp_path / "blank.csv").write_text("\n\n")
    for name, words in (
        ("none.csv", "does not exist"),
        ("empty.csv", "is empty"),
        ("a.docx", "not read here"),
        ("blank.csv", "holds no table"),
    ):
        with pytest.raises(DataError, match=words):
            read_raw_table(tmp_path / name)
    with pytest.raises(DataError, match="a folder"):
        check_path(tmp_path, (".csv",))


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.shp", "a.parquet", "a.json"])
def test_a_virtual_file_in_disguise_reads_nothing(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("x,y\n1,2\n")
    layer = f"<OGRVRTLayer name='secret'><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer>"
    (tmp_path / name).write_text(f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>")
    with pytest.raises(DataError, match="does not fit its ending"):
        read_layer(tmp_path / name)


def test_a_virtual_file_inside_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text('{"a": "<OGRVRTDataSource>"}')
    with pytest.raises(DataError, match="does not fit its ending"):
        read_layer(tmp_path / "a.geojson")


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp", "a.parquet"])
def test_layers_of_every_kind(tmp_path: Path, name: str) -> None:
    layer = points(id=["01", "02"], name=["=1+1", "{{7*7}}"])
    layer.to_parquet(tmp_path / name) if name.endswith("parquet") else layer.to_file(tmp_path / name)
    found = read_layer(tmp_path / name)
    assert found["name"].tolist() == ["=1+1", "{{7*7}}"]
    assert found["id"].tolist() == ["01", "02"]
    assert found.crs.to_epsg() == 4326


def test_only_listed_tables_of_a_geopackage_are_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    points(id=["1"]).to_file(path, layer="units")
    points(id=["2"]).to_file(path, layer="sites")
    with sqlite3.connect(path) as base:
        base.execute("CREATE VIEW endless AS SELECT * FROM units")
        names = "(table_name, data_type, identifier, srs_id)"
        base.execute(f"INSERT INTO gpkg_contents {names} VALUES ('endless', 'features', 'e', 4326)")
    assert read_layer(path, layer="sites")["id"].tolist() == ["2"]
    for name in ("endless", "no'; DROP TABLE units; --", "gpkg_contents"):
        with pytest.raises(DataError, match="units, sites"):
            read_layer(path, layer=name)


def test_a_broken_geopackage_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "a.gpkg").write_bytes(b"SQLite format 3\x00" + b"\x00" * 500)
    with pytest.raises(DataError, match="cannot be read"):
        read_layer(tmp_path / "a.gpkg")
    (tmp_path / "b.geojson").write_text('{"type": "FeatureCollection", "features": [')
    with pytest.raises(DataError, match="cannot be read"):
        read_layer(tmp_path / "b.geojson")
    (tmp_path / "c.parquet").write_bytes(b"PAR1" + b"\x00" * 100)
    with pytest.raises(DataError, match="cannot be read"):
        read_layer(tmp_path / "c.parquet")


def test_a_plain_parquet_table_is_no_layer(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError):
        read_layer(tmp_path / "a.parquet")


def test_an_empty_layer_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(DataError):
        read_layer(tmp_path / "a.geojson")


def test_a_workbook_with_a_cell_in_the_last_corner_is_refused(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    sheet.write(0, 0, "id")
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    with pytest.raises(DataError, match="too large"):
        read_raw_table(tmp_path / "a.xlsx")


def test_a_workbook_that_unpacks_to_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (40 * 1024**2))
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match="too large"):
        read_raw_table(path)


def test_one_long_text_in_many_cells_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_book(tmp_path / "a.xlsx", {"a": [["id", "name"], *[["x" * 30_000, "y"] for _ in range(100)]]})
    monkeypatch.setattr(read_text, "MAX_TEXT_BYTES", 1_000_000)
    with pytest.raises(DataError, match="too large"):
        read_raw_table(path)


def test_what_is_no_workbook_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("hello.txt", "x")
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04" + b"\x00" * 50)
    for name in ("a.xlsx", "b.xlsx"):
        with pytest.raises(DataError, match="cannot be read"):
            read_raw_table(tmp_path / name)


def test_binary_rubbish_is_no_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(DataError, match="not text"):
        read_raw_table(tmp_path / "a.csv")


def test_a_layer_without_crs_needs_one_from_the_study() -> None:
    layer = points(id=["1"]).set_crs(None, allow_override=True)
    with pytest.raises(CrsError, match="coordinate system"):
        require_layer_crs(layer, "", "a.gpkg")
    assert require_layer_crs(layer, "EPSG:2333", "a.gpkg").crs.to_epsg() == 2333
    assert require_layer_crs(layer, "gcj02", "a.gpkg").crs is None


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,a\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="cannot be opened"):
        read_raw_table(tmp_path / "a.csv")
