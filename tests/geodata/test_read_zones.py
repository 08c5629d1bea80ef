"""Catchments from a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.errors import DataError
from geodata.read_zones import read_zones
from geodata.schema import check_table
from geodata.study_file import StudySpec, ZonesSource


def build_spec(folder: Path, text: str, **source: object) -> StudySpec:
    """Write a table of zones and return a study that names it."""
    (folder / "zones.csv").write_text(text, encoding="utf-8")
    return StudySpec("x", zones=ZonesSource("zones.csv", **source), folder=folder)  # type: ignore[arg-type]


def test_chinese_headers_shared_zones_and_leading_zeros(tmp_path: Path) -> None:
    zones, issues = read_zones(build_spec(tmp_path, "小区,学段,学校\n001,小学,07\n001,小学,08\n002,初中,07\n"))
    assert issues == []
    assert zones.to_numpy().tolist() == [["001", "primary", "07"], ["001", "primary", "08"], ["002", "junior", "07"]]
    assert check_table(zones, "zones") == []


@pytest.mark.parametrize("header", ["村", "小区", "单元编号", "unit_id", "Unit"])
def test_the_unit_may_be_called_by_what_it_is(tmp_path: Path, header: str) -> None:
    zones, _ = read_zones(build_spec(tmp_path, f"{header},stage,school_id\na,primary,s\n"))
    assert zones["unit_id"].tolist() == ["a"]


def test_columns_named_in_the_study_file(tmp_path: Path) -> None:
    spec = build_spec(tmp_path, "from,level,to\na,小学,s\n", columns={"unit_id": "from", "school_id": "to"})
    assert read_zones(spec)[0].to_numpy().tolist() == [["a", "primary", "s"]]


def test_a_row_that_stands_twice_counts_once(tmp_path: Path) -> None:
    zones, issues = read_zones(build_spec(tmp_path, "村,学段,学校\na,小学,s\na,小学,s\n"))
    assert len(zones) == 1
    assert [(i.check, i.severity, i.row) for i in issues] == [("duplicate_row", "warning", 3)]


def test_all_problems_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_zones(build_spec(tmp_path, "村,学段,学校\n,小学,s\na,大学,\n"))
    assert [(i.check, i.row, i.column) for i in caught.value.issues] == [
        ("required_value", 2, "村"),
        ("allowed_value", 3, "学段"),
        ("required_value", 3, "学校"),
    ]


def test_missing_columns_and_files(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_zones(build_spec(tmp_path, "村,x\na,b\n"))
    assert [i.column for i in caught.value.issues] == ["stage", "school_id"]
    with pytest.raises(DataError, match="does not exist"):
        read_zones(StudySpec("x", zones=ZonesSource("none.csv"), folder=tmp_path))


def test_no_zones_is_an_empty_table() -> None:
    zones, issues = read_zones(StudySpec("x"))
    assert (list(zones.columns), len(zones), issues) == (["unit_id", "stage", "school_id"], 0, [])
