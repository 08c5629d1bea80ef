"""Past rolls, births, housing, assets, groups, evidence: read, joined, seated; every mistake told with its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xlsxwriter

from geodata.build import build_study, read_study
from geodata.cache import DiskCache
from geodata.crs import convert_points
from geodata.dictionary import SHEET_NAMES
from geodata.errors import DataError, DataIssue, DuplicateIdError, MissingColumnError
from geodata.read_planning import read_planning_tables
from geodata.schema import build_empty_table, check_table
from geodata.study import StudyArea
from geodata.study_file import read_study_file
from tests.small_county import write_small_county

GOOD: Mapping[str, str] = {
    "rolls": "学校代码,学年,学段,年级,在校生数,班数\n001,2024-2025学年,小学,一年级,20,1\n001,2024,小学,2年级,22,1\n"
    "002,2023,小学,合计,70,4\n",
    "births": "年份,乡镇,单元编号,出生人数\n2024,,00,9\n2024,,01,11\n2024,,,21\n2023,,全县合计,30\n",
    "housing": "项目编号,楼盘名称,经度,纬度,套数,交付年份,户均小学生\nP1,甲苑,112.995,34.5,400,2027年,0.3\n"
    "P2,,113.017,34.5,100,2028,\n",
    "assets": "学校代码,学段,专任教师,教学及辅助用房面积（平方米）,建校年份\n001,小学,8,900,1965\n002,,—,1500,\n",
    "groups": "集团代码,集团名称,类型,学校代码,角色\nG1,一小集团,教育集团,001,牵头校\n"
    "G1,一小集团,教育集团,002,成员校\n",
    "evidence": "条目编号,填报数值,是否达标,佐证材料\nG9,95%,达标,文号一\nQ1,,,\n",
}


def write_tables(folder: Path, tables: Mapping[str, str], **settings: str) -> Path:
    """Write the small county with further tables; ``settings`` are more lines of the study file by table."""
    path = write_small_county(folder)
    lines = [path.read_text(encoding="utf-8")]
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        lines.append(f'[{name}]\npath = "{name}.csv"\n{settings.get(name, "")}')
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read(folder: Path, tables: Mapping[str, str], **settings: str) -> StudyArea:
    return read_study(write_tables(folder, tables, **settings), cache=DiskCache(folder / "cache"))


def refuse(folder: Path, tables: Mapping[str, str], **settings: str) -> list[DataIssue]:
    """Return the errors of a study that cannot be read."""
    with pytest.raises(DataError) as caught:
        read(folder, tables, **settings)
    return [issue for issue in caught.value.issues if issue.severity == "error"]


def test_all_tables_are_read(tmp_path: Path) -> None:
    study = read(tmp_path, GOOD)
    assert not study.issues
    for name in ("rolls", "births", "housing", "assets", "groups", "evidence"):
        table = getattr(study, name)
        assert check_table(table, name) == []
        assert table.dtypes.to_dict() == build_empty_table(name).dtypes.to_dict(), name
    rolls = study.rolls.set_index(["school_id", "year", "grade"])["pupils"].to_dict()
    assert rolls == {("001", 2025, 0): 120, ("002", 2025, 0): 60, ("001", 2024, 1): 20, ("001", 2024, 2): 22} | {
        ("002", 2023, 0): 70
    }
    births = study.births[["year", "unit_id", "births_children"]].to_numpy().tolist()
    assert births == [[2024, "00", 9], [2024, "01", 11], [2024, "", 21], [2023, "", 30]]
    assert study.housing[["unit_id", "name", "completion_year"]].to_numpy().tolist() == [
        ["00", "甲苑", 2027],
        ["02", "P2", 2028],
    ]
    assert study.housing["primary_pupils_per_dwelling"].tolist()[0] == 0.3
    assert np.isnan(study.housing["primary_pupils_per_dwelling"].tolist()[1])
    assert study.assets["stage"].tolist() == ["primary", ""]
    assert study.assets["year"].tolist() == [0, 0]
    assert study.assets["founded_year"].tolist()[0] == 1965
    assert study.assets[["staff_teachers", "founded_year"]].iloc[1].isna().all()
    assert study.groups[["kind", "role"]].to_numpy().tolist() == [["group", "lead"], ["group", "member"]]
    assert study.evidence[["item_id", "reported_value", "met"]].to_numpy().tolist() == [
        ["G9", "95%", "yes"],
        ["Q1", "", ""],
    ]
    roles = [source.role for source in study.sources]
    assert roles == ["schools", "population", *GOOD]


def test_a_study_without_them_is_as_it_was(tmp_path: Path) -> None:
    """An empty table leaves the fingerprint alone; one with rows changes it, and so does each of its cells."""
    plain = read_study(write_small_county(tmp_path), cache=DiskCache(tmp_path / "cache"))
    header = GOOD["groups"].split("\n", 1)[0] + "\n"
    assert read(tmp_path, {"groups": header}).fingerprint == plain.fingerprint
    full = read(tmp_path, {"groups": GOOD["groups"]}).fingerprint
    other = read(tmp_path, {"groups": GOOD["groups"].replace("成员校", "牵头校")}).fingerprint
    assert len({plain.fingerprint, full, other}) == 3


def test_grades_may_stand_side_by_side(tmp_path: Path) -> None:
    text = "学校代码,年度,学段,一年级,二年级人数,1年级班数,在校生数\n001,2024,小学,20,22,1,\n002,2024,小学,,,,70\n"
    rolls = read(tmp_path, {"rolls": text}).rolls
    found = rolls[rolls["year"] == 2024][["school_id", "grade", "pupils", "classes"]]
    known = found.fillna(-1).to_numpy().tolist()
    assert known == [["001", 1, 20, 1], ["001", 2, 22, -1], ["002", 0, 70, -1]]


def test_the_year_may_stand_in_the_study_file(tmp_path: Path) -> None:
    tables = {"rolls": "学校代码,学段,在校生数\n001,小学,110\n", "assets": GOOD["assets"]}
    study = read(tmp_path, tables, rolls="year = 2024", assets="year = 2025")
    assert sorted(set(study.rolls["year"])) == [2024, 2025]
    assert study.assets["year"].tolist() == [2025, 2025]


def test_what_two_files_tell_alike_counts_once(tmp_path: Path) -> None:
    same = "学校代码,学年,学段,年级,在校生数,班数\n001,2025,小学,0,120,2\n001,2024,小学,0,118,2\n"
    study = read(tmp_path, {"rolls": same})
    assert study.rolls[["year", "pupils"]].to_numpy().tolist() == [[2025, 120], [2025, 60], [2024, 118]]
    (found,) = refuse(tmp_path, {"rolls": same.replace(",120,", ",119,")})
    assert (found.check, found.file, found.row, found.found) == ("rolls_differ", "rolls.csv", 2, "119")
    assert str(found.expected) == "120 as in schools.csv"


def test_one_file_that_contradicts_itself(tmp_path: Path) -> None:
    text = "学校代码,学年,学段,在校生数\n001,2024,小学,120\n001,2024,小学,121\n001,2024,小学,120\n"
    (found,) = refuse(tmp_path, {"rolls": text})
    assert (found.check, found.row, found.found) == ("duplicate_id", 3, "001 / 2024 / primary / 0")
    assert "row 2" in str(found.expected)
    twice = read(tmp_path, {"rolls": text.replace("121", "120")})
    assert [(issue.check, issue.severity, issue.row) for issue in twice.issues] == [
        ("duplicate_row", "warning", 3),
        ("duplicate_row", "warning", 4),
    ]


def test_past_rolls_need_a_year_of_today(tmp_path: Path) -> None:
    path = write_tables(tmp_path, {"rolls": GOOD["rolls"]})
    path.write_text(path.read_text(encoding="utf-8").replace("year = 2025\n", ""), encoding="utf-8")
    with pytest.raises(DataError, match="does not say of which year its own are"):
        read_study(path, cache=DiskCache(tmp_path / "cache"))


def test_schools_that_were_closed_stay_in_the_past(tmp_path: Path) -> None:
    text = "学校代码,学年,学段,在校生数\n001,2023,小学,1\n002,2023,小学,2\n099,2023,小学,3\n"
    study = read(tmp_path, {"rolls": text})
    assert study.rolls["school_id"].tolist().count("099") == 1
    assert [(issue.check, issue.severity) for issue in study.issues] == [("past_schools", "warning")]
    lost_zeros = text.replace("00", "").replace("099", "99")
    (found,) = refuse(tmp_path, {"rolls": lost_zeros})
    assert found.check == "past_schools"
    assert "leading zeros" in str(found.cure)


def test_all_mistakes_of_all_tables_are_told_at_once(tmp_path: Path) -> None:
    bad = {
        "rolls": "学校代码,学年,学段,年级,在校生数\n001,上年,小学,13,-4\n,2024,大学,1,5\n",
        "births": "年份,出生人数\n2024,很多\n,5\n",
        "housing": "项目编号,经度,纬度,套数,交付年份\nP1,,,100,2027\n",
        "assets": "学段,专任教师\n小学,9999\n",
        "groups": "集团代码,学校代码,角色\nG1,001,校长\n",
        "evidence": "填报数值\n1\n",
    }
    found = refuse(tmp_path, bad)
    told = {(issue.file, issue.row, issue.column) for issue in found}
    assert told == {
        ("rolls.csv", 2, "学年"),
        ("rolls.csv", 2, "年级"),
        ("rolls.csv", 2, "在校生数"),
        ("rolls.csv", 3, "学校代码"),
        ("rolls.csv", 3, "学段"),
        ("births.csv", 2, "出生人数"),
        ("births.csv", 3, "年份"),
        ("housing.csv", 2, "经度"),
        ("assets.csv", None, "school_id"),
        ("assets.csv", 2, "专任教师"),
        ("evidence.csv", None, "item_id"),
    }
    assert all(issue.cure or issue.expected for issue in found)


def test_one_mistake_has_its_own_error(tmp_path: Path) -> None:
    spec = read_study_file(write_tables(tmp_path, {"births": "年份\n2024\n"}))
    with pytest.raises(MissingColumnError):
        read_planning_tables(spec, "EPSG:32649")
    spec = read_study_file(write_tables(tmp_path, {"evidence": "条目编号,数值\nG9,1\nG9,2\n"}))
    with pytest.raises(DuplicateIdError):
        read_planning_tables(spec, "EPSG:32649")


@pytest.mark.parametrize(
    ("name", "text", "check"),
    [
        ("births", "年份,单元编号,出生人数\n2024,0,1\n", "planning_ids"),
        ("housing", "项目编号,单元编号,套数,交付年份\nP,09,1,2027\n", "planning_ids"),
        ("assets", "学校代码,专任教师\n01,1\n", "planning_ids"),
        ("groups", "集团代码,学校代码\nG,003\n", "planning_ids"),
    ],
)
def test_ids_that_nobody_knows(tmp_path: Path, name: str, text: str, check: str) -> None:
    (found,) = refuse(tmp_path, {name: text})
    assert (found.check, found.file) == (check, f"{name}.csv")
    assert "Did you mean" in str(found.cure) or "Correct the code" in str(found.cure)


def test_births_by_town_need_units_with_towns(tmp_path: Path) -> None:
    study = read(tmp_path, {"births": "年份,乡镇,出生人数\n2024,甲镇,5\n"})
    assert [(issue.check, issue.severity) for issue in study.issues] == [("planning_ids", "warning")]


def test_suspicious_numbers_are_warnings(tmp_path: Path) -> None:
    tables = {
        "births": "年份,单元编号,出生人数\n2024,00,9\n2024,,30\n",
        "housing": "项目编号,经度,纬度,套数,交付年份\nP,116,34.5,1,2027\n",
        "assets": "学校代码,学段,专任教师,骨干教师\n001,小学,5,6\n001,,5,5\n002,初中,5,5\n",
        "groups": "集团代码,类型,学校代码,角色\nG,教育集团,001,成员校\nL,联盟,001,成员校\n",
    }
    found = {(issue.check, issue.file) for issue in read(tmp_path, tables).issues}
    assert found == {
        ("births_sums", "births.csv"),
        ("housing_outside", "housing.csv"),
        ("parts", "assets.csv"),
        ("assets_stages", "assets.csv"),
        ("group_members", "groups.csv"),
    }


def test_housing_in_metres_of_its_own_system(tmp_path: Path) -> None:
    x, y = convert_points([112.995], [34.5], "EPSG:4326", "EPSG:2333")
    text = f"项目编号,横坐标,纵坐标,套数,交付年份\nP,{x[0]:.2f},{y[0]:.2f},10,2027\n"
    study = read(tmp_path, {"housing": text}, housing='crs = "EPSG:2333"')
    assert study.housing["unit_id"].tolist() == ["00"]
    assert abs(study.housing["x_m"][0] - study.units.set_index("unit_id").loc["00", "x_m"]) < 5_000
    (found,) = refuse(tmp_path, {"housing": text}, housing='crs = "EPSG:1"')
    assert (found.file, found.column) == ("study.toml", "housing.crs")


def test_headers_and_words_of_the_study_file(tmp_path: Path) -> None:
    text = "机构,类别,牵头\nA,学校联合体,001\n"
    settings = 'columns = { group_id = "机构", kind = "类别", school_id = "牵头" }\n'
    settings += 'values = { kind = { "学校联合体" = "alliance" } }'
    study = read(tmp_path, {"groups": text}, groups=settings)
    assert study.groups[["group_id", "kind", "school_id"]].to_numpy().tolist() == [["A", "alliance", "001"]]
    found = refuse(tmp_path, {"groups": text}, groups='columns = { gruppe = "机构" }\nvalues = { size = { a = "b" } }')
    assert [issue.column for issue in found if issue.check == "column_mapping"] == ["gruppe", "size"]


def test_one_workbook_with_a_sheet_for_each(tmp_path: Path) -> None:
    """The sheets of the template are found by their names, whatever stands in the others."""
    book = xlsxwriter.Workbook(str(tmp_path / "all.xlsx"))
    for name, text in GOOD.items():
        sheet = book.add_worksheet(SHEET_NAMES[name])
        for row, line in enumerate(text.strip().split("\n")):
            sheet.write_row(row, 0, line.split(","))
    book.close()
    csv_study = read(tmp_path, GOOD)
    path = tmp_path / "study.toml"
    text = path.read_text(encoding="utf-8")
    for name in GOOD:
        text = text.replace(f'"{name}.csv"', '"all.xlsx"')
    path.write_text(text, encoding="utf-8")
    assert read_study(path, cache=DiskCache(tmp_path / "cache")).fingerprint == csv_study.fingerprint


def write_book(path: Path, sheets: Mapping[str, str]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        for name, text in sheets.items():
            sheet = book.add_worksheet(name)
            for row, line in enumerate(text.strip().split("\n")):
                sheet.write_row(row, 0, line.split(","))


def test_a_sheet_for_each_year(tmp_path: Path) -> None:
    head = "学校代码,学段,在校生数\n"
    sheets = {"说明": "甲,乙\n丙,丁\n", "2023学年": head + "001,小学,100\n", "2024学年": head + "001,小学,110\n"}
    path = write_tables(tmp_path, {})
    write_book(tmp_path / "r.xlsx", sheets)
    path.write_text(path.read_text(encoding="utf-8") + '\n[rolls]\npath = "r.xlsx"\n', encoding="utf-8")
    study = read_study(path, cache=DiskCache(tmp_path / "cache"))
    assert not study.issues
    assert study.rolls[["year", "pupils"]].to_numpy().tolist() == [[2025, 120], [2025, 60], [2023, 100], [2024, 110]]
    (tmp_path / "r.xlsx").unlink()
    write_book(tmp_path / "r.xlsx", {**sheets, "2024学年（二）": head + "001,小学,111\n"})
    with pytest.raises(DataError) as caught:
        read_study(path, cache=DiskCache(tmp_path / "cache"))
    assert [issue.check for issue in caught.value.issues] == ["duplicate_id"]


def test_a_second_sheet_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    head = "条目编号,数值\n"
    path = write_tables(tmp_path, {})
    write_book(tmp_path / "e.xlsx", {"甲": head + "G9,1\n", "乙": head + "Q1,2\n", "丙": "x,y\n1,2\n"})
    path.write_text(path.read_text(encoding="utf-8") + '\n[evidence]\npath = "e.xlsx"\n', encoding="utf-8")
    study = read_study(path, cache=DiskCache(tmp_path / "cache"))
    assert len(study.evidence) == 1
    assert [(issue.check, issue.sheet) for issue in study.issues] == [("sheet_not_read", "乙")]


def test_rows_in_any_order_give_the_same_seats(tmp_path: Path) -> None:
    study = read(tmp_path, GOOD)
    head, *rows = GOOD["housing"].strip().split("\n")
    again = read(tmp_path, {**GOOD, "housing": "\n".join([head, *reversed(rows)]) + "\n"})
    pd.testing.assert_frame_equal(
        study.housing.sort_values("project_id", ignore_index=True),
        again.housing.sort_values("project_id", ignore_index=True),
    )


def test_a_point_layer_of_housing(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [113.005, 34.5]}
    feature = {"type": "Feature", "properties": {"项目编号": "P", "套数": 5, "交付年份": 2027}, "geometry": point}
    layer = json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False)
    path = write_tables(tmp_path, {})
    (tmp_path / "h.geojson").write_text(layer, encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8") + '\n[housing]\npath = "h.geojson"\n', encoding="utf-8")
    assert read_study(path, cache=DiskCache(tmp_path / "cache")).housing["unit_id"].tolist() == ["01"]


@pytest.mark.real
def test_gongyi_with_tables_of_its_own(cases: Path, tmp_path: Path) -> None:
    """Gongyi has no such tables: some are made here, in its own ids, names of towns and metres (EPSG:2333)."""
    root = Path(__file__).resolve().parents[2]
    spec = read_study_file(root / "examples" / "studies" / "gongyi.toml")
    plain = build_study(spec, cache=DiskCache(tmp_path / "cache"))
    unit = plain.units.iloc[len(plain.units) // 2]
    school = plain.schools.iloc[0]
    stage = plain.places.loc[plain.places["school_id"] == school["school_id"], "stage"].iloc[0]
    x, y = convert_points([unit["x_m"]], [unit["y_m"]], plain.crs, "EPSG:2333")
    texts = {
        "births": "年份,单元编号,出生人数\n" + "".join(f"2023,{key},3\n" for key in plain.units["unit_id"]),
        "housing": f"项目编号,X坐标,Y坐标,套数,交付年份\nP,{x[0]:.2f},{y[0]:.2f},10,2027\n",
        "assets": f"学校代码,学段,年份,专任教师\n{school['school_id']},{stage},2024,12\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    document = "".join(f'[{name}]\npath = "{(tmp_path / name).as_posix()}.csv"\n' for name in texts)
    document = document.replace('housing.csv"\n', 'housing.csv"\ncrs = "EPSG:2333"\n')
    text = (root / "examples" / "studies" / "gongyi.toml").read_text(encoding="utf-8")
    (tmp_path / "gongyi.toml").write_text(text + "\n" + document, encoding="utf-8")
    study = build_study(
        replace(read_study_file(tmp_path / "gongyi.toml"), folder=spec.folder), cache=DiskCache(tmp_path / "cache")
    )
    assert study.housing["unit_id"].tolist() == [unit["unit_id"]]
    assert len(study.births) == len(plain.units)
    assert study.assets["staff_teachers"].tolist() == [12]
    assert {"births", "housing", "assets"} <= {source.role for source in study.sources}
    assert study.fingerprint != plain.fingerprint
