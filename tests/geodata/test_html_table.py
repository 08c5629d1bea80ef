"""Tables of web pages, as portals hand them out under the ending of a workbook."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata import html_table
from geodata.html_table import TooManyCells, is_web_page, read_html_tables


def test_merged_cells_and_missing_ends() -> None:
    page = (
        "<TABLE><tr><th colspan=2>甲<th rowspan=2>乙</tr><tr><td>1<td>2<tr><td>3<td>a<br>b&lt;c&gt;&nbsp;<td>5</TABLE>"
    )
    (table,) = read_html_tables(page)
    assert table.rows == [["甲", "", "乙"], ["1", "2"], ["3", "a b<c>", "5"]]
    assert table.merged == [(0, 0, 0, 1), (0, 2, 1, 2)]


def test_a_tall_cell_keeps_its_column_free_below() -> None:
    (table,) = read_html_tables("<table><tr><td rowspan=2>镇<td>a</tr><tr><td>b</tr></table>")
    assert table.rows == [["镇", "a"], ["", "b"]]


def test_tables_for_layout_and_scripts_are_no_tables() -> None:
    inner = "<table><tr><td>1<td>2</tr><tr><td>3<td>4</tr></table>"
    page = f"<table><tr><td>menu {inner}<script>x('<td>')</script></td></tr></table>"
    assert [table.rows for table in read_html_tables(page)] == [[["1", "2"], ["3", "4"]]]


def test_a_page_may_not_claim_more_cells_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_table, "MAX_HTML_CELLS", 1_000)
    with pytest.raises(TooManyCells):
        read_html_tables("<table><tr><td rowspan=999 colspan=999>x")


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("\ufeff <!DOCTYPE html>", True), ("<HTML>", True), ("<table border=1>", True), ("MIME-Version: 1.0\n", True),
        ("<?xml version='1.0'?><Workbook>", False), ("学校,镇\n", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_a_web_page(start: str, expected: bool) -> None:
    assert is_web_page(start) is expected


PIECES = [*"<>/ \"'=ab1&;!-", "<table>", "<tr>", "<td>", "</td>", "<td rowspan=3>", "</table>"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_has_some_tables_or_none(text: str) -> None:
    for table in read_html_tables(text):
        assert all(isinstance(cell, str) for row in table.rows for cell in row)
