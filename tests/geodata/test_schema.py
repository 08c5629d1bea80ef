"""The data dictionary and the checks made from it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.dictionary import TABLES, Origin, read_table_schema, render_data_dictionary
from geodata.errors import DataError, DuplicateIdError, MissingColumnError, RangeError
from geodata.messages import msg
from geodata.schema import (
    build_empty_table,
    check_mapping,
    check_table,
    convert_column,
    match_columns,
    validate_table,
)
from geodata.values import find_unit_factor, format_number, is_missing, normalise_header, parse_number, parse_year

UNIT_SUFFIXES = {
    *("deg", "m", "m2", "places", "classes", "pupils", "people", "cny", "year", "grade", "children", "years"),
    *("floors", "weight", "dwellings", "pupils_per_dwelling", "teachers", "rooms", "computers", "books", "kmh"),
}
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("table", TABLES)
def test_every_numeric_column_has_a_unit_and_its_suffix(table: str) -> None:
    for column in read_table_schema(table).columns:
        assert column.type in {"id", "text", "number", "integer"}
        if column.is_numeric:
            assert column.unit in UNIT_SUFFIXES, column.name
            assert column.name == column.unit or column.name.endswith("_" + column.unit), column.name
            assert column.min is not None and column.max is not None and column.min < column.max
        else:
            assert not column.unit


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_described_and_its_headers_lead_back_to_it(table: str) -> None:
    for column in read_table_schema(table).columns:
        assert column.meaning_en and column.meaning_zh
        for header in column.headers:
            assert header in match_columns([header], table).values()
        for _, value in column.value_aliases:
            assert not column.values or value in column.values or column.name == "grade"
    assert read_table_schema(table).key


def test_the_dictionary_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert page == render_data_dictionary(), "run: python -m geodata.dictionary"


def test_unknown_table_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="schools"):
        read_table_schema("school")


def test_headers_are_found_in_any_width_case_and_with_units() -> None:
    found = match_columns(["学校名称 ", "学位数（个）", "ＬＯＮ", "LAT*", "班 数"], "schools")
    assert found == {"name": "学校名称 ", "lon_deg": "ＬＯＮ", "lat_deg": "LAT*"}
    assert match_columns(["学位数（个）", "班 数"], "places") == {"capacity_places": "学位数（个）", "classes": "班 数"}
    assert match_columns(["学校名称 / name"], "schools") == {"name": "学校名称 / name"}


def test_mapping_comes_before_aliases_and_an_empty_one_switches_off() -> None:
    headers = ["ID", "code", "students"]
    assert match_columns(headers, "schools", {"school_id": "ID"})["school_id"] == "ID"
    assert "pupils" in match_columns(headers, "rolls")
    assert "pupils" not in match_columns(headers, "rolls", {"pupils": ""})


def test_mapping_to_what_is_not_there_is_reported() -> None:
    issues = check_mapping(
        {"nmae": "a", "name": "Nome", "town": ""}, ["a"], ["name", "town"], Origin("f.csv"), table="x"
    )
    assert [(issue.column, issue.severity) for issue in issues] == [("nmae", "error"), ("Nome", "error")]


def test_all_problems_of_a_table_at_once_with_row_and_header() -> None:
    # five different faults in one table: all must be told, each with the spreadsheet's row and the file's header
    frame = pd.DataFrame(
        {
            "school_id": ["01", "01", "03", ""],
            "name": ["甲", "乙", "丙", "丁"],
            "kind": ["小学", "primary", "大学", "junior"],
            "x_m": ["1", "2", "three", "4"],
            "y_m": ["1", "2", "3", "4"],
            "boarding_places": ["", "-5", "", "12"],
        }
    )
    issues = check_table(frame, "schools", file="s.xlsx", sheet="表1", rows=[3, 4, 5, 7], headers={"x_m": "X坐标"})
    told = {(issue.check, issue.row, issue.column) for issue in issues}
    assert told == {
        ("duplicate_id", 4, "school_id"),
        ("required_value", 7, "school_id"),
        ("allowed_value", 5, "kind"),
        ("type", 5, "X坐标"),
        ("range", 4, "boarding_places"),
    }
    assert all(issue.file == "s.xlsx" and issue.sheet == "表1" for issue in issues)
    with pytest.raises(DataError) as caught:
        validate_table(frame, "schools")
    assert len(caught.value.issues) == 5


def test_special_errors_when_there_is_one_kind_of_problem() -> None:
    good = pd.DataFrame({"unit_id": ["a"], "stage": ["primary"], "school_id": ["s"]})
    validate_table(good, "zones")
    with pytest.raises(DuplicateIdError):
        validate_table(pd.concat([good, good]), "zones")
    with pytest.raises(MissingColumnError):
        validate_table(good.drop(columns="stage"), "zones")
    rolls = pd.DataFrame({"school_id": ["s"], "year": [2025], "stage": ["primary"], "grade": [0], "pupils": [-1.0]})
    with pytest.raises(RangeError):
        validate_table(rolls, "rolls")


def test_numbers_are_checked_for_range_infinity_and_holes() -> None:
    frame = pd.DataFrame(
        {
            "school_id": ["a", "b", "c"],
            "stage": "primary",
            "capacity_places": [np.nan, np.inf, 1e9],
            "classes": [1.0, 2.0, 3.0],
            "capacity_source": "given",
        }
    )
    assert [(i.check, i.column) for i in check_table(frame, "places")] == [("range", "capacity_places")] * 2


@pytest.mark.parametrize("table", TABLES)
def test_empty_tables_pass_their_own_check(table: str) -> None:
    empty = build_empty_table(table, "EPSG:32649")
    assert len(empty) == 0
    assert check_table(empty, table) == []


def test_optional_words_are_warnings_and_required_ones_errors() -> None:
    schema = read_table_schema("schools")
    _, warned = convert_column(["月球"], schema.column("setting"), Origin())
    _, failed = convert_column(["月球"], schema.column("kind"), Origin())
    assert (warned[0].severity, failed[0].severity) == ("warning", "error")
    values, issues = convert_column(["Ecole"], schema.column("kind"), Origin(), words={"ecole": "primary"})
    assert (values, issues) == (["primary"], [])


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("１２", 12), (" 1,234 ", 1234), ("1.5", 1.5), ("-3", -3), ("1e3", 1000), ("", None), ("—", None)],
)
def test_numbers_as_people_type_them(text: str, value: float | None) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["12元", "1_000", "1,23", "abc", "1e999", "0x10", "1 2", "=1+1", "{{7*7}}"])
def test_what_is_not_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        parse_number(text)


def test_years_of_school_years() -> None:
    assert parse_year("2024-2025学年") == 2024
    assert parse_year("2024年秋") == 2024
    assert parse_year("—") is None
    with pytest.raises(ValueError, match="24"):
        parse_year("24")


@given(st.floats(min_value=-1e12, max_value=1e12, allow_nan=False))
def test_a_written_number_reads_back(value: float) -> None:
    assert parse_number(format_number(value)) == value


@given(st.text())
def test_no_cell_breaks_the_parsers(text: str) -> None:
    normalise_header(text)
    if not is_missing(text):
        try:
            number = parse_number(text)
        except ValueError:
            return
        assert number is not None and np.isfinite(number)


HOSTILE = ["<img src=x onerror=alert(1)>", "{{7*7}}", "=1+1", "{name}", "{0.__class__}", "%s"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_are_never_taken_for_templates(name: str) -> None:
    message = msg("The places of {name} are not known ({stage}).", name=name, stage=msg("primary"))
    assert str(message) == f"The places of {name} are not known (primary)."
    translated = message.render(lambda template: template.replace("The places of", "不知道"))
    assert name in translated


@pytest.mark.parametrize(
    ("header", "unit", "factor"),
    [
        ("占地面积（市亩）", "m2", 2000 / 3),
        ("占地面积(千平方米)", "m2", 1e3),
        ("面积（平方千米）", "m2", 1e6),
        ("造价（百万元）", "cny", 1e6),
        ("占地面积（㎡）", "m2", 1.0),
    ],
)
def test_units_that_a_header_names(header: str, unit: str, factor: float) -> None:
    assert find_unit_factor(header, unit)[0] == pytest.approx(factor)
