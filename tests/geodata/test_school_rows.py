"""Rows that are no schools, and columns that cannot be told apart."""

from __future__ import annotations

from pathlib import Path

from tests.geodata.test_read_schools import HEAD, fail, read


def test_a_row_of_totals_is_left_out_and_told(tmp_path: Path) -> None:
    tables = read(tmp_path, f"{HEAD}\n1,甲,小学,113,34,90,2,80\n,合计,,,,90,2,80\n")
    assert tables.schools["school_id"].tolist() == ["1"]
    assert [(i.check, i.severity, i.row) for i in tables.issues if i.check == "totals_row"] == [
        ("totals_row", "warning", 3)
    ]


def test_two_columns_of_one_name_are_not_chosen_from(tmp_path: Path) -> None:
    head = HEAD.replace("学位数", "在校生数")
    issues = fail(tmp_path, f"{head}\n1,甲,小学,113,34,90,2,80\n")
    assert [(i.check, i.column) for i in issues if i.severity == "error"] == [("doubled_column", "在校生数")]
    assert len(read(tmp_path, f"{head}\n1,甲,小学,113,34,80,2,80\n").schools) == 1
