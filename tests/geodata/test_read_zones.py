"""Catchments from a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from geodata.errors import DataError
from geodata.read_zones import import_zones, read_zones
from geodata.schema import check_table
from geodata.study import StudyArea
from geodata.study_file import StudySpec, ZonesSource
from tests.worlds import WorldSchool, build_world


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


# Names as offices write them: two communities called 东关, in different towns; a nine-year school and a junior one.
#   a/P  b/N  c/J
NAMES = {"a": ("东关社区", "城关镇"), "b": ("西关村", "城关镇"), "c": ("东关村委会", "河口乡")}


def _county() -> StudyArea:
    schools = {
        "P": WorldSchool(name="城关镇第一小学"),
        "N": WorldSchool(kind="nine_year", stages=("primary", "junior"), name="育才学校"),
        "J": WorldSchool(kind="junior", stages=("junior",), name="河口初中"),
    }
    study = build_world("a/P b/N c/J", pupils=dict.fromkeys("abc", 10.0), schools=schools)
    names = study.units["unit_id"].map(lambda key: NAMES[key][0])
    return replace(study, units=study.units.assign(name=names, town=study.units["unit_id"].map(lambda k: NAMES[k][1])))


def _import(folder: Path, text: str) -> tuple[set[tuple[str, ...]], list[str]]:
    path = folder / "zones.csv"
    path.write_text(text, encoding="gb18030")
    zones, issues = import_zones(path, _county())
    return {tuple(row) for row in zones.itertuples(index=False, name=None)}, [issue.check for issue in issues]


def test_communities_and_schools_by_name(tmp_path: Path) -> None:
    text = "乡镇,社区名称,学段,对口学校\n城关镇,东关居委会,小学,城关镇第一小学\n城关,西关,小学,育才学校\n"
    text += "河口乡,东关村,初中,J\n"
    zones, _ = _import(tmp_path, text)
    assert zones == {("a", "primary", "P"), ("b", "primary", "N"), ("c", "junior", "J")}


def test_one_row_per_school_with_a_list_of_communities(tmp_path: Path) -> None:
    text = "学校名称,服务范围,学段\n城关镇第一小学,东关社区、西关村,小学\n育才学校,a；b，c,初中\n合计,合计,\n"
    zones, _ = _import(tmp_path, text.replace("，c", "；c"))
    assert zones == {("a", "primary", "P"), ("b", "primary", "P"), *((key, "junior", "N") for key in "abc")}


def test_a_column_of_schools_per_stage_and_stages_that_only_the_school_tells(tmp_path: Path) -> None:
    zones, checks = _import(tmp_path, "社区,对口小学,对口初中\na,P,育才学校\nb,P;N,河口初中\nc,,J\n")
    junior = {("a", "junior", "N"), ("b", "junior", "J"), ("c", "junior", "J")}
    assert zones == {("a", "primary", "P"), ("b", "primary", "P"), ("b", "primary", "N"), *junior}
    assert "zone_gaps" in checks
    assert _import(tmp_path, "社区,学校\na,P\nc,河口初中\n")[0] == {("a", "primary", "P"), ("c", "junior", "J")}


def test_names_that_mean_nothing_or_several_things_are_told_with_their_rows(tmp_path: Path) -> None:
    text = "社区,学校\n东关,P\n北关村,P\na,育才小学\na,育才学校\n"
    with pytest.raises(DataError) as caught:
        _import(tmp_path, text)
    told = [(issue.check, issue.row, issue.column, issue.found) for issue in caught.value.issues]
    assert told == [
        ("unknown_ids", 2, "社区", "东关"),
        ("unknown_ids", 3, "社区", "北关村"),
        ("unknown_ids", 4, "学校", "育才小学"),
        ("required_value", 5, "学校", "育才学校"),
    ]
    assert "a, c" in str(caught.value.issues[0])


def test_a_namesake_of_another_township_is_not_meant(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _import(tmp_path, "乡镇,社区,学校\n河口乡,西关村,P\n")
    assert [issue.check for issue in caught.value.issues] == ["unknown_ids"]
