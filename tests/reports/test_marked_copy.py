"""The user's own file comes back as it was, with each finding in its cell."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
import xlsxwriter
from python_calamine import CalamineWorkbook

from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.read_schools import read_schools
from geodata.study_file import PopulationSource, SchoolsSource, StudySpec, ZonesSource
from reports.language import read_catalogue
from reports.marked_copy import OTHER_FILE, build_marked_copies
from tests.geodata.office_files import HEADERS, SCHOOLS, write_messy_workbook, write_sheets

EN = read_catalogue("en")
HOSTILE = '=HYPERLINK("http://x","y")'


def problem(file: str, row: int | None = None, column: str = "", **more: object) -> DataIssue:
    return DataIssue("some_check", "error", msg("Not a number."), file=file, row=row, column=column, **more)  # type: ignore[arg-type]


def spec(folder: Path, schools: str, **more: object) -> StudySpec:
    return StudySpec("x", schools=SchoolsSource(schools), folder=folder, **more)  # type: ignore[arg-type]


def cells(content: bytes) -> dict[str, list[list[object]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def part(content: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "".join(archive.read(each).decode() for each in archive.namelist() if name in each)


def test_a_workbook_keeps_its_cells_and_gets_a_column_and_a_list(tmp_path: Path) -> None:
    rows = [HEADERS, *SCHOOLS]
    rows[1] = ["0101", HOSTILE, *SCHOOLS[0][2:7], "很多", "城关镇"]
    write_sheets(tmp_path / "a.xlsx", {"学校": rows, "notes": [["free", 3.5]]})
    issues = [problem("a.xlsx", 2, "在校生数", sheet="学校", found="很多"), problem("a.xlsx")]
    sheets = cells(build_marked_copies(spec(tmp_path, "a.xlsx"), issues, EN)["a-marked.xlsx"])
    assert list(sheets) == ["Findings", "学校", "notes"]
    assert sheets["学校"][0] == [*HEADERS, "Findings"]
    assert sheets["学校"][1][:9] == rows[1]
    assert sheets["学校"][1][9] == "Error: Not a number. Found: 很多."
    assert [row[:9] for row in sheets["学校"][2:]] == rows[2:]
    assert {row[9] for row in sheets["学校"][2:]} == {""}
    assert sheets["notes"] == [["free", 3.5]]
    assert [row[1] for row in sheets["Findings"][1:]] == ["学校!H2", ""]


def test_comments_colours_and_links_and_no_formula(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        f'学校代码,学校名称,学位数\n07,"{HOSTILE.replace(chr(34), chr(34) * 2)}",-5\n', "gb18030"
    )
    content = build_marked_copies(spec(tmp_path, "a.csv"), [problem("a.csv", 2, "学位数", found=HOSTILE)], EN)[
        "a-marked.xlsx"
    ]
    assert cells(content)["Table"][1][:3] == ["07", HOSTILE, "-5"]
    assert "<f>" not in part(content, "sheet2.xml")
    assert "Not a number" in part(content, "comments1.xml")
    assert "F6C1BB" in part(content, "styles.xml")
    assert "C2" in part(content, "sheet1.xml")


def test_a_finding_without_a_row_is_found_by_its_id(tmp_path: Path) -> None:
    write_sheets(tmp_path / "a.xlsx", {"学校": [HEADERS, *SCHOOLS]})
    (tmp_path / "z.csv").write_text("村,学段,学校\na,小学,0101\nb,小学,0199\n", encoding="utf-8")
    issues = [
        problem("a.xlsx", record_id="0103"),
        problem("a.xlsx", record_id="row-3"),
        problem("z.csv", column="school_id", found="0199", record_id="0199"),
    ]
    copies = build_marked_copies(spec(tmp_path, "a.xlsx", zones=ZonesSource("z.csv")), issues, EN)
    marked = [row[-1] != "" for row in cells(copies["a-marked.xlsx"])["学校"][1:]]
    assert marked == [False, True, True, False]
    assert [row[-1] != "" for row in cells(copies["z-marked.xlsx"])["Table"][1:]] == [False, True]


def test_the_messy_workbook_is_marked_where_the_reader_says(tmp_path: Path) -> None:
    path = write_messy_workbook(tmp_path / "a.xlsx")
    tables = read_schools(spec(tmp_path, path.name), "EPSG:32649")
    sheet = cells(build_marked_copies(spec(tmp_path, path.name), tables.issues, EN)["a-marked.xlsx"])["基本情况"]
    told = {at + 1: row[-1] for at, row in enumerate(sheet) if row[-1]}
    assert "heading" in told[7]
    assert "totals" in told[11]
    assert "remark" in told[15]
    assert sheet[9][4:6] == [720, 18] or sheet[7][4:6] == ["７２０", "18个"]


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp"])
def test_layers_become_geopackages_with_their_findings(tmp_path: Path, ending: str) -> None:
    table = {"unit_id": ["a", "b", "c"], "finding": [HOSTILE, "{{7*7}}", ""]}
    boxes = [shapely.box(113 + at / 10, 34, 113.1 + at / 10, 34.1) for at in range(3)]
    gpd.GeoDataFrame(table, geometry=boxes, crs="EPSG:4326").to_file(tmp_path / f"units.{ending}")
    file = f"units.{ending}"
    issues = [problem(file, 2), problem(file, record_id="c"), problem(file, lon_deg=113.2, lat_deg=34.05)]
    study = StudySpec("x", population=PopulationSource(file), folder=tmp_path)
    content = build_marked_copies(study, issues, EN)["units-marked.gpkg"]
    (tmp_path / "out.gpkg").write_bytes(content)
    layer = pyogrio.read_dataframe(tmp_path / "out.gpkg", layer="units")
    assert layer["finding"].tolist()[:2] == [HOSTILE, "{{7*7}}"]
    assert [bool(text) for text in layer["finding_2"]] == [False, True, True]
    assert layer["severity"].tolist() == ["", "Error", "Error"] or layer["severity"].isna().tolist() == [
        True,
        False,
        False,
    ]
    points = pyogrio.read_dataframe(tmp_path / "out.gpkg", layer="findings")
    assert len(points) == 3
    assert points.geometry.iloc[2].coords[0] == (113.2, 34.05)
    assert not points.geometry.isna().any() or points.geometry.iloc[1] is None
    with sqlite3.connect(tmp_path / "out.gpkg") as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_zipped_shapefile_is_marked_too(tmp_path: Path) -> None:
    import shutil

    (tmp_path / "shp").mkdir()
    points = [shapely.Point(113 + at / 100, 34.5) for at in range(2)]
    layer = gpd.GeoDataFrame({"code": ["01", "02"], "名称": ["甲", "乙"]}, geometry=points, crs="EPSG:4326")
    layer.to_file(tmp_path / "shp" / "schools.shp", encoding="utf-8")
    shutil.make_archive(str(tmp_path / "schools"), "zip", tmp_path / "shp")
    issues = [problem("schools.zip", 2), problem("schools.zip", record_id="01")]
    content = build_marked_copies(spec(tmp_path, "schools.zip"), issues, EN)["schools-marked.gpkg"]
    (tmp_path / "out.gpkg").write_bytes(content)
    found = pyogrio.read_dataframe(tmp_path / "out.gpkg", layer="schools")
    assert found["名称"].tolist() == ["甲", "乙"]
    assert found["finding"].notna().all()


def test_what_no_file_can_show_stands_in_a_workbook_of_its_own(tmp_path: Path) -> None:
    write_sheets(tmp_path / "a.xlsx", {"学校": [HEADERS, *SCHOOLS]})
    issues = [problem("roads.osm.pbf"), problem(""), problem("gone.csv", 3)]
    copies = build_marked_copies(spec(tmp_path, "a.xlsx"), issues, EN)
    assert list(copies) == [OTHER_FILE]
    assert len(cells(copies[OTHER_FILE])["Findings"]) == 4
    assert build_marked_copies(spec(tmp_path, "a.xlsx"), [], EN) == {}


def test_many_faults_in_a_thousand_rows_take_seconds(tmp_path: Path) -> None:
    import time

    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet("学校")
        sheet.write_row(0, 0, HEADERS)
        for at in range(1000):
            sheet.write_row(at + 1, 0, [f"{at:04}", f"学校{at}", "小学", 113.0, 34.5, f"x{at}", f"y{at}", 10, "镇"])
    with pytest.raises(DataError) as caught:
        read_schools(spec(tmp_path, "a.xlsx"), "EPSG:32649")
    assert len(caught.value.issues) >= 2000
    started = time.process_time()
    content = build_marked_copies(spec(tmp_path, "a.xlsx"), caught.value.issues, EN)["a-marked.xlsx"]
    assert time.process_time() - started < 8
    assert len([row for row in cells(content)["学校"][1:] if row[-1]]) == 1000


def test_names_of_sheets_and_copies_that_a_workbook_cannot_hold(tmp_path: Path) -> None:
    write_sheets(tmp_path / "a.xlsx", {"Findings": [HEADERS, *SCHOOLS], "O'Brien": [["x", "y"], [1, 2]]})
    content = build_marked_copies(spec(tmp_path, "a.xlsx"), [problem("a.xlsx", 2, "学位数")], EN)["a-marked.xlsx"]
    assert list(cells(content)) == ["Findings (2)", "Findings", "O_Brien"]
    again = build_marked_copies(spec(tmp_path, "a.xlsx"), [problem("a.xlsx", 2, "学位数")], EN)["a-marked.xlsx"]
    assert again == content
