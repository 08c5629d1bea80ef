"""Tables as bureaus draw them: titles, merged cells, two rows of headers, formulas without a result, open quotes."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from geodata.files import RawTable, read_raw_table
from geodata.headers import find_header_row, read_header_block
from geodata.read_schools import read_schools
from geodata.study_file import SchoolsSource, StudySpec

HEAD = ["学校代码", "学校名称", "学段", "经度", "纬度", "学位数", "在校生数", "乡镇"]
FIRST: list[object] = ["001", "甲", "小学", 113.0, 34.5, 90, 80, "东镇"]


def write_book(
    path: Path, rows: list[list[object]], merged: tuple[str, ...] = (), *, left: int = 0, top: int = 0
) -> Path:
    """Write a workbook; a tuple is a formula and its result; ``merged`` are ranges that keep their first cell."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("学校")
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, tuple):
                sheet.write_formula(top + at, left + column, cell[0], None, cell[1])
            else:
                sheet.write(top + at, left + column, cell)
    for span in merged:
        first = span.partition(":")[0]
        row, column = int(first[1:]) - 1, ord(first[0]) - 65
        sheet.merge_range(span, rows[row - top][column - left])
    book.close()
    return path


def read(path: Path) -> RawTable:
    return read_raw_table(path)


def test_the_line_above_the_headers_is_not_taken_for_them(tmp_path: Path) -> None:
    rows = [["某县学校一览表"], ["填报单位：教育局", "", "单位：人", "2024-09-01"], HEAD, FIRST]
    raw = read(write_book(tmp_path / "a.xlsx", rows))
    assert raw.header_row == 3
    assert raw.frame["学校名称"].tolist() == ["甲"]
    assert raw.rows.tolist() == [4]


def test_headers_that_nobody_knows_stay_where_they_are() -> None:
    assert find_header_row([["Nr", "Nom", "Niveau"], ["1", "小学", "学校"]]) == 0
    assert find_header_row([["title"], ["Nr", "Nom"], ["1", "a"]]) == 1
    assert find_header_row([]) == 0


def test_two_rows_of_headers_are_joined_below_a_merged_cell(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["学校代码", "学校名称", "经度", "纬度", "小学", "", "初中", ""],
        ["", "", "", "", "学位数", "在校生数", "学位数", "在校生数"],
        ["001", "甲", 113.0, 34.5, 90, 80, 70, 60],
    ]
    path = write_book(tmp_path / "a.xlsx", rows, ("E1:F1", "G1:H1", "A1:A2"))
    assert read(path).frame.columns.tolist()[4:] == ["小学学位数", "小学在校生数", "初中学位数", "初中在校生数"]
    tables = read_schools(StudySpec("x", schools=SchoolsSource("a.xlsx"), folder=tmp_path), "EPSG:32649")
    assert dict(zip(tables.places["stage"], tables.places["capacity_places"], strict=True)) == {
        "primary": 90.0,
        "junior": 70.0,
    }


def test_a_town_merged_over_rows_is_that_of_each_but_counts_are_not_repeated(tmp_path: Path) -> None:
    rows = [
        HEAD,
        FIRST,
        ["002", "乙", "小学", 113.1, 34.5, "", 70, ""],
        ["003", "丙", "小学", 113.2, 34.5, 50, 40, "西镇"],
    ]
    for left in (0, 2):
        shift = chr(72 + left), chr(70 + left)
        path = write_book(
            tmp_path / "a.xlsx", rows, (f"{shift[0]}2:{shift[0]}3", f"{shift[1]}2:{shift[1]}3"), left=left
        )
        frame = read(path).frame
        assert frame["乡镇"].tolist() == ["东镇", "东镇", "西镇"]
        assert frame["学位数"].tolist() == ["90", "", "50"]


@pytest.mark.parametrize(("left", "top"), [(0, 0), (2, 3)])
def test_errors_and_formulas_without_result_are_not_empty_cells(tmp_path: Path, left: int, top: int) -> None:
    broken: list[object] = ["001", "甲", "小学", 113.0, 34.5, ("=1/0", "#DIV/0!"), ("=40*2", ""), ("=A1", "东镇")]
    path = write_book(tmp_path / "a.xlsx", [HEAD, broken, [*FIRST[:5], ("=45*2", 90), 7, "x"]], left=left, top=top)
    frame = read(path).frame
    assert frame["学位数"].tolist() == ["#DIV/0!", "90"]
    assert frame["在校生数"].tolist() == ["=40*2", "7"]
    assert frame["乡镇"].tolist() == ["东镇", "x"]


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,name\n1,a\n2,"b\n3,c\n', encoding="utf-8")
    with pytest.raises(DataError, match="never closed") as caught:
        read(tmp_path / "a.csv")
    assert caught.value.issues[0].row == 3
    (tmp_path / "a.csv").write_text('id,name\n1,"a"b\n2,6" pipe\n', encoding="utf-8")
    assert len(read(tmp_path / "a.csv").frame) == 2


def test_a_hundred_thousand_columns_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(("a," * 100_000 + "\n") * 3, encoding="utf-8")
    with pytest.raises(DataError, match="too large"):
        read(tmp_path / "a.csv")


_CELLS = st.sampled_from(
    ["", "", "学校代码", "学校名称", "小学", "初中", "学位数", "班数", "经度", "甲", "1", "2", "113.5", "x"]
)
_SPANS = st.tuples(*[st.integers(0, 4)] * 4).map(
    lambda t: (min(t[0], t[2]), min(t[1], t[3]), max(t[0], t[2]), max(t[1], t[3]))
)


@given(st.lists(st.lists(_CELLS, max_size=7), max_size=7), st.lists(_SPANS, max_size=4))
@settings(max_examples=400, deadline=None)
def test_any_rows_and_merged_cells_have_headers(rows: list[list[str]], spans: list[tuple[int, int, int, int]]) -> None:
    block = read_header_block(rows, spans)
    assert len(set(block.titles)) == len(block.titles)
    assert all(len(row) <= len(block.titles) for row in rows[block.last + 1 :])
    assert 0 <= block.top <= block.last or not rows


def test_a_row_longer_than_its_headers_is_data() -> None:
    rows = [["学校代码", "学校名称", "小学"], ["", "", "学位数", "班数", "x"], ["1", "甲", "90", "3", "", "y"]]
    assert len(read_header_block(rows).titles) == 6
