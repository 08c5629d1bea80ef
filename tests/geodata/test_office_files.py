"""School files as offices make them all give the same schools: every dress of the same four."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geodata.errors import DataError
from geodata.files import read_raw_tables
from geodata.read_schools import SchoolTables, read_schools
from geodata.school_words import list_unknown_words
from geodata.study_file import SchoolsSource, StudySpec, YearRowsSource
from geodata.values import split_unit
from tests.geodata.office_files import (
    GROUPED_HEAD,
    GROUPED_ROWS,
    GROUPED_SPANS,
    HEADERS,
    PLACES,
    SCHOOLS,
    render_csv,
    write_messy_workbook,
    write_sheets,
    write_xls,
)

CRS = "EPSG:32649"


def read(path: Path, **options: object) -> SchoolTables:
    source = SchoolsSource(path.name, **options)  # type: ignore[arg-type]
    return read_schools(StudySpec("x", schools=source, folder=path.parent), CRS)


def places(tables: SchoolTables) -> dict[tuple[str, str], float]:
    rows = tables.places[["school_id", "stage", "capacity_places"]].itertuples(index=False)
    return {(row.school_id, row.stage): row.capacity_places for row in rows}


def checks(tables: SchoolTables) -> set[str]:
    return {issue.check for issue in tables.issues}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "schools.csv"
    path.write_bytes(render_csv([HEADERS, *SCHOOLS]).encode(encoding))
    tables = read(path)
    assert places(tables) == PLACES
    assert tables.schools["name"].tolist() == ["城关镇第一小学", "河口教学点", "城关初级中学", "育才学校"]
    assert tables.schools["kind"].tolist() == ["primary", "teaching_point", "junior", "nine_year"]


def test_an_old_workbook_with_merged_cells(tmp_path: Path) -> None:
    title = [["某县学校一览表", *[""] * 8], HEADERS, *SCHOOLS]
    assert places(read(write_xls(tmp_path / "a.xls", title, [(0, 0, 0, 8)]))) == PLACES
    spans = [(0, 2, 0, 0), (0, 2, 1, 1), (0, 1, 2, 3), (0, 0, 4, 6), (0, 0, 7, 9), (1, 1, 4, 5), (1, 1, 7, 8)]
    path = write_xls(tmp_path / "b.xls", [*GROUPED_HEAD, *GROUPED_ROWS], spans)
    assert places(read(path)) == PLACES


@pytest.mark.parametrize("above", [[], [["某县学校一览表"], ["填报单位：教育局", "", "", "", "单位：人"]]])
def test_three_rows_of_headers(tmp_path: Path, above: list[list[object]]) -> None:
    first = len(above) + 1
    spans = [span.format(first, first + 1, first + 2) for span in GROUPED_SPANS]
    rows = [*above, *GROUPED_HEAD, *GROUPED_ROWS]
    tables = read(write_sheets(tmp_path / "a.xlsx", {"学校": rows}, {"学校": spans}))
    assert places(tables) == PLACES
    assert dict(zip(tables.rolls["school_id"], tables.rolls["pupils"], strict=False))["0101"] == 690


def test_rows_of_headers_in_a_text_file_that_lost_its_merged_cells(tmp_path: Path) -> None:
    head = [GROUPED_HEAD[0], GROUPED_HEAD[2]]
    head[0] = ["学校代码", "学校名称", "经度", "纬度", *head[0][4:]]
    head[1] = ["", "", "", "", *head[1][4:]]
    path = tmp_path / "a.csv"
    path.write_text(render_csv([["某县学校一览表"], *head, *GROUPED_ROWS]), encoding="gb18030")
    assert places(read(path)) == PLACES


def test_columns_numbered_below_the_headers_are_no_school(tmp_path: Path) -> None:
    for numbers in (["甲", "乙", "丙", 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7, 8, 9]):
        tables = read(write_sheets(tmp_path / "a.xlsx", {"学校": [HEADERS, numbers, *SCHOOLS]}))
        assert places(tables) == PLACES


@pytest.mark.parametrize("at", [0, 1, 2, 8])
@pytest.mark.parametrize("word", ["合计", "小 计", "全县总计", "城关镇人民政府中心学校小计：", "本页合计（4所）"])
def test_totals_in_any_column_are_left_out(tmp_path: Path, at: int, word: str) -> None:
    total: list[object] = ["", "", "", "", "", 2580, 62, 2451, ""]
    total[at] = word
    rows = [HEADERS, *SCHOOLS, total]
    rows = [[row[8], *row[:8]] for row in rows] if at == 8 else rows
    tables = read(write_sheets(tmp_path / "a.xlsx", {"学校": rows}))
    assert places(tables) == PLACES
    told = [issue for issue in tables.issues if issue.check == "totals_row"]
    assert [(issue.row, issue.severity) for issue in told] == [(6, "warning")]


def test_numbers_as_people_type_them(tmp_path: Path) -> None:
    rows = [list(row) for row in SCHOOLS]
    rows[0][5:8] = ["７２０", "１８个", "６９０人"]
    rows[1][3:6] = ["１１３．０５", " 34.55 ", "60 "]
    rows[2][5:8] = ["900个", "20个班", "850名"]
    tables = read(write_sheets(tmp_path / "a.xlsx", {"学校": [HEADERS, *rows]}))
    assert places(tables) == PLACES
    assert sorted(tables.rolls["pupils"]) == sorted([690.0, 41.0, 850.0, 580.0, 290.0])


def test_what_is_no_number_is_still_told(tmp_path: Path) -> None:
    rows = [list(row) for row in SCHOOLS]
    rows[0][7], rows[1][7], rows[2][7] = "约690人", "12人3", "人"
    with pytest.raises(DataError) as caught:
        read(write_sheets(tmp_path / "a.xlsx", {"学校": [HEADERS, *rows]}))
    assert [issue.row for issue in caught.value.issues if issue.check == "type"] == [2, 3, 4]


def test_headings_and_remarks_between_the_rows(tmp_path: Path) -> None:
    heads = [HEADERS[:2] + HEADERS[3:8], ["一、小学部分"], *(row[:2] + row[3:8] for row in SCHOOLS[:2]), ["二、初中"]]
    rows = [*heads, SCHOOLS[2][:2] + SCHOOLS[2][3:8], ["备注：数据来自2025年事业统计。"]]
    tables = read(write_sheets(tmp_path / "a.xlsx", {"学校": rows}))
    assert places(tables) == {key: PLACES[key] for key in list(PLACES)[:3]}
    assert {"heading_row", "remark_row"} <= checks(tables)


def test_a_school_of_which_only_the_name_is_known_is_not_dropped(tmp_path: Path) -> None:
    rows = [HEADERS, *SCHOOLS, ["", "红旗小学", "", "", "", "", "", "", ""]]
    with pytest.raises(DataError) as caught:
        read(write_sheets(tmp_path / "a.xlsx", {"学校": rows}))
    assert [(issue.check, issue.row) for issue in caught.value.issues if issue.severity == "error"] == [("position", 6)]


def test_everything_at_once(tmp_path: Path) -> None:
    tables = read(write_messy_workbook(tmp_path / "a.xlsx"), year=2025)
    assert places(tables) == PLACES
    assert dict(zip(tables.schools["name"], tables.schools["town"], strict=True))["河口教学点"] == "河口乡"
    assert {"totals_row", "remark_row", "heading_row"} <= checks(tables)
    assert not [issue for issue in tables.issues if issue.severity == "error"]


def test_sheets_of_schools_places_and_rolls(tmp_path: Path) -> None:
    schools = [["school_id", "name", "kind", "lon_deg", "lat_deg"], *(row[:5] for row in SCHOOLS)]
    seats = [["school_id", "stage", "capacity_places", "classes"]]
    seats += [[key, stage, value, 9] for (key, stage), value in PLACES.items()]
    rolls: list[list[object]] = [["school_id", "year", "stage", "grade", "pupils"]]
    rolls += [[key, year, stage, 0, 100 + year - 2024] for key, stage in PLACES for year in (2024, 2025)]
    book = {"schools": schools, "places": [*seats, ["合计", "", 2580, 45]], "rolls": rolls}
    tables = read(write_sheets(tmp_path / "a.xlsx", book))
    assert places(tables) == PLACES
    assert len(tables.rolls) == 2 * len(PLACES)
    assert set(tables.rolls.loc[tables.rolls["year"] == 2025, "pupils"]) == {101.0}
    assert tables.schools["kind"].tolist() == ["primary", "teaching_point", "junior", "nine_year"]
    chinese = {
        "学校": [HEADERS[:5], *(row[:5] for row in SCHOOLS)],
        "学位": [["学校代码", "学段", "学位数"]],
        "在校生": rolls,
    }
    chinese["学位"] += [
        [key, {"primary": "小学", "junior": "初中"}[stage], value] for (key, stage), value in PLACES.items()
    ]
    assert places(read(write_sheets(tmp_path / "b.xlsx", chinese))) == PLACES
    assert places(read(tmp_path / "b.xlsx", sheet="学校")) == PLACES


def test_companion_sheets_tell_the_stage_and_name_only_known_schools(tmp_path: Path) -> None:
    schools = [["school_id", "name", "lon_deg", "lat_deg"], ["7", "甲", 113.0, 34.5], ["8", "乙", 113.1, 34.5]]
    seats = [["school_id", "stage", "capacity_places"], ["7", "primary", 90], ["8", "senior", 80]]
    tables = read(write_sheets(tmp_path / "a.xlsx", {"schools": schools, "places": seats}))
    assert places(tables) == {("7", "primary"): 90.0, ("8", "senior"): 80.0}
    seats += [["07", "primary", 5], ["", "primary", 6], ["8", "senior", 80]]
    with pytest.raises(DataError) as caught:
        read(write_sheets(tmp_path / "a.xlsx", {"schools": schools, "places": seats}))
    told = {(issue.check, issue.sheet, issue.row) for issue in caught.value.issues if issue.severity == "error"}
    assert told == {("unknown_ids", "places", 4), ("required_value", "places", 5), ("duplicate_id", "places", 6)}


def test_rolls_named_in_the_study_file_are_not_read_twice(tmp_path: Path) -> None:
    rolls = [["school_id", "year", "stage", "pupils"], ["0101", 2024, "primary", 650]]
    path = write_sheets(tmp_path / "a.xlsx", {"学校": [HEADERS, *SCHOOLS], "rolls": rolls})
    source = SchoolsSource(path.name, year=2025)
    alone = read_schools(StudySpec("x", schools=source, folder=tmp_path), CRS)
    named = StudySpec("x", schools=source, rolls=YearRowsSource(path.name, sheet="rolls"), folder=tmp_path)
    assert len(alone.rolls) == len(read_schools(named, CRS).rolls) + 1


def test_words_of_kinds(tmp_path: Path) -> None:
    words = {
        "完小": "primary",
        "完全小学": "primary",
        "村小": "primary",
        "小学教学点": "teaching_point",
        "初级中学": "junior",
        "九年一贯制学校": "nine_year",
        "十二年一贯制学校": "twelve_year",
        "完全中学": "complete_secondary",
        "高级中学": "senior",
        "普通高中（寄宿）": "senior",
    }
    rows = [[f"{at}", f"学校{at}", word, 113 + at / 50, 34.5, 90, 3, 80, ""] for at, word in enumerate(words, 1)]
    tables = read(write_sheets(tmp_path / "a.xlsx", {"学校": [HEADERS, *rows]}))
    assert tables.schools["kind"].tolist() == list(words.values())


def test_unknown_words_are_counted_and_can_be_mapped_or_left_out(tmp_path: Path) -> None:
    rows = [list(row) for row in SCHOOLS]
    rows[0][2], rows[1][2], rows[2][2] = "中心校", "中心校", "中等职业学校"
    path = write_sheets(tmp_path / "a.xlsx", {"学校": [[*HEADERS, "城乡"], *([*row, "山区"] for row in rows)]})
    unknown = list_unknown_words(path, SchoolsSource(path.name))
    assert unknown == {"kind": {"中心校": 2, "中等职业学校": 1}, "setting": {"山区": 4}}
    values = {"kind": {"中心校": "primary", "中等职业学校": "-"}, "setting": {"山区": "rural"}}
    assert list_unknown_words(path, SchoolsSource(path.name, values=values)) == {}
    tables = read(path, values=values)
    assert tables.schools["school_id"].tolist() == ["0101", "0102", "0104"]
    assert set(tables.schools["setting"]) == {"rural"}
    assert "kind_left_out" in checks(tables)


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_a_zipped_shapefile(tmp_path: Path, encoding: str) -> None:
    import shutil

    frame = pd.DataFrame([row[:3] + row[5:6] for row in SCHOOLS], columns=["学校代码", "名称", "类型", "学位数"])
    points = [shapely.Point(row[3], row[4]) for row in SCHOOLS]
    layer = gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4490").to_crs("EPSG:4547")
    folder = tmp_path / "shp"
    folder.mkdir()
    layer.to_file(folder / "schools.shp", encoding=encoding)
    path = Path(shutil.make_archive(str(tmp_path / "schools"), "zip", folder))
    tables = read(path)
    assert places(tables) == PLACES
    assert len(tables.schools) == 4


@pytest.mark.parametrize(
    ("header", "area"),
    [
        ("占地面积（亩）", 20000.0),
        ("占地面积(公顷)", 300000.0),
        ("占地面积 [单位：亩]", 20000.0),
        ("占地面积（平方米）", 30.0),
    ],
)
def test_areas_in_other_units(tmp_path: Path, header: str, area: float) -> None:
    tables = read(write_sheets(tmp_path / "a.xlsx", {"学校": [[*HEADERS, header], *([*row, 30] for row in SCHOOLS)]}))
    assert set(tables.schools["site_area_m2"]) == {area}
    assert ("unit_in_header" in checks(tables)) == (area != 30)


def test_a_numbered_name_is_no_heading_and_totals_may_stand_at_zero(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(
        "学校名称,办学类型,经度,纬度,在校生数\n一、红旗小学,,,,\n二、农村小学,,,,\n乙小学,小学,114.1,34.1,100\n总计,,0,0,100\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        read(tmp_path / "s.csv")
    told = {(issue.check, issue.row) for issue in caught.value.issues}
    assert {("position", 2), ("heading_row", 3), ("totals_row", 5)} <= told
    assert ("position", 5) not in told


def test_a_head_over_one_column_is_no_row_of_data(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["学校代码", "学校名称", "办学类型", "位置", "", "学生", "用地"],
        ["", "", "", "经度", "纬度", "在校生数", "占地面积（亩）"],
        ["0101", "第一小学", "小学", 113.01, 34.51, "690人", "18.5亩"],
    ]
    spans = ["A1:A2", "B1:B2", "C1:C2", "D1:E1"]
    (table,) = read_raw_tables(write_sheets(tmp_path / "a.xlsx", {"学校": rows}, {"学校": spans}))
    assert list(table.frame.columns) == [
        "学校代码",
        "学校名称",
        "办学类型",
        "经度",
        "纬度",
        "在校生数",
        "占地面积（亩）",
    ]
    assert len(table.frame) == 1


@pytest.mark.parametrize(("cell", "value"), [("18.5亩", 12333.33), ("５００㎡", 500.0), ("1.2公顷", 12000.0)])
def test_the_unit_behind_a_number_counts(cell: str, value: float) -> None:
    assert split_unit(cell, "m2")[1] == pytest.approx(value / float(split_unit(cell, "m2")[0]), rel=1e-4)
    assert split_unit("12人", "pupils") == ("12人", None)
