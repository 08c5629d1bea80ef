"""The upload workbook: its headers are understood, its lists too, and what is filled in comes back."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from geodata.dictionary import SHEET_NAMES
from geodata.files import read_raw_tables
from geodata.read_schools import read_schools
from geodata.schema import match_columns, match_headers
from geodata.school_columns import build_school_columns, match_kind_and_stages
from geodata.study_file import SchoolsSource, StudySpec
from geodata.template import (
    _CHINESE_WORDS,
    HELP_SHEET,
    OTHER_TABLES,
    SCHOOL_SHEET,
    TEMPLATE_COLUMNS,
    build_header,
    list_columns,
    write_template,
)
from geodata.values import match_word


def test_every_header_of_the_template_leads_to_its_column(tmp_path: Path) -> None:
    write_template(tmp_path / "t.xlsx")
    raws = {raw.sheet: raw for raw in read_raw_tables(tmp_path / "t.xlsx")}
    assert list(raws) == [SCHOOL_SHEET, *(SHEET_NAMES[table] for table in OTHER_TABLES), HELP_SHEET]
    headers = list(raws[SCHOOL_SHEET].frame.columns)
    columns = build_school_columns()
    found = match_headers(headers, {name: column.headers for name, column in columns.items()})
    assert found == {name: build_header(columns[name]) for name in TEMPLATE_COLUMNS}
    assert len(raws[SCHOOL_SHEET].frame) == 0
    for table in OTHER_TABLES:
        frame = raws[SHEET_NAMES[table]].frame
        expected = {column.name: build_header(column) for column in list_columns(table)}
        assert match_columns(list(frame.columns), table) == expected
        assert len(frame) == 0
    explained = len(TEMPLATE_COLUMNS) + sum(len(list_columns(table)) for table in OTHER_TABLES)
    assert len(raws[HELP_SHEET].frame) == explained + 1 + len(OTHER_TABLES)


@pytest.mark.parametrize("table", OTHER_TABLES)
def test_every_word_of_the_other_sheets_is_understood(table: str) -> None:
    for column in list_columns(table):
        for value in column.values:
            assert match_word(_CHINESE_WORDS[value], column.words) == value


@pytest.mark.parametrize("name", TEMPLATE_COLUMNS)
def test_every_word_that_the_lists_offer_is_understood(name: str) -> None:
    column = build_school_columns()[name]
    for value in column.values:
        word = _CHINESE_WORDS[value]
        if name in ("stage", "kind"):
            assert match_kind_and_stages(word, {}) is not None
        assert match_word(word, column.words) == value


def test_lists_and_limits_stand_in_the_workbook_and_no_formula(tmp_path: Path) -> None:
    write_template(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert 'type="list"' in sheet and "幼儿园,小学,初中,高中" in sheet
    assert 'type="decimal"' in sheet
    assert "<f>" not in sheet


def test_a_filled_template_comes_back(tmp_path: Path) -> None:
    columns = build_school_columns()
    book = xlsxwriter.Workbook(str(tmp_path / "f.xlsx"), {"strings_to_formulas": False})
    other = book.add_worksheet(SHEET_NAMES["rolls"])  # looks like schools, too, and is not read as such
    other.write_row(0, 0, ["学校代码", "年份", "学段", "在校生数"])
    other.write_row(1, 0, ["007", 2024, "小学", 61])
    book.add_worksheet(HELP_SHEET).write_row(0, 0, ["列 / header", "含义"])
    sheet = book.add_worksheet(SCHOOL_SHEET)
    sheet.write_row(0, 0, [build_header(columns[name]) for name in TEMPLATE_COLUMNS])
    sheet.write_row(1, 0, ["007", "=1+1", "小学", "教学点", 111.0, 34.0, "", 4, 60, 2025, "乡村", "城关镇", "公办"])
    book.close()
    spec = StudySpec("x", schools=SchoolsSource("f.xlsx"), folder=tmp_path)
    tables = read_schools(spec, "EPSG:32649", design_class_size={"primary": 30})
    assert not [issue for issue in tables.issues if issue.check == "sheet_not_read"]
    school = tables.schools.iloc[0]
    facts = school[["school_id", "name", "kind", "setting", "town", "ownership"]].tolist()
    assert facts == ["007", "=1+1", "teaching_point", "rural", "城关镇", "public"]
    assert tables.places[["capacity_places", "capacity_source"]].to_numpy().tolist() == [[120.0, "derived"]]
    assert tables.rolls[["year", "pupils"]].to_numpy().tolist() == [[2025, 60.0]]
