"""Schools from files of every shape: small files whose answer is worked by hand, messy ones, and the real cases."""

from __future__ import annotations

import io
import random
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from geodata.errors import DataError, DataIssue
from geodata.read_schools import SchoolTables, compute_roll_totals, read_schools
from geodata.schema import check_table
from geodata.school_columns import STAGES_OF_KIND, choose_kind, guess_kind, split_by_grades
from geodata.study_file import SchoolsSource, StudySpec
from geodata.template import write_template

CRS = "EPSG:32649"
HEAD = "学校代码,学校名称,学段,经度,纬度,学位数,班数,在校生数"


def read(
    tmp_path: Path, text: str, *, crs: str = CRS, sizes: dict[str, float] | None = None, **source: object
) -> SchoolTables:
    """Write a CSV and read it as a study's schools."""
    (tmp_path / "schools.csv").write_text(text, encoding="utf-8")
    return read_source(tmp_path, crs=crs, sizes=sizes, path="schools.csv", **source)


def read_source(
    folder: Path, *, crs: str = CRS, sizes: dict[str, float] | None = None, **source: object
) -> SchoolTables:
    """Read the schools of a study whose file lies in ``folder``."""
    spec = StudySpec("x", schools=SchoolsSource(**source), folder=folder)  # type: ignore[arg-type]
    return read_schools(spec, crs, design_class_size=sizes)


def fail(tmp_path: Path, text: str, **source: object) -> tuple[DataIssue, ...]:
    """Return the issues of a file that cannot be read."""
    with pytest.raises(DataError) as caught:
        read(tmp_path, text, **source)  # type: ignore[arg-type]
    return caught.value.issues


def places_of(tables: SchoolTables) -> dict[tuple[str, str], tuple[float, str]]:
    """Return places and their source by school and stage."""
    table = tables.places
    values = zip(table["capacity_places"], table["capacity_source"], strict=True)
    return dict(zip(zip(table["school_id"], table["stage"], strict=True), values, strict=True))


def rolls_of(tables: SchoolTables) -> dict[tuple[str, int, str, int], float]:
    """Return pupils by school, year, stage, grade."""
    table = tables.rolls
    keys = zip(table["school_id"], table["year"], table["stage"], table["grade"], strict=True)
    return dict(zip(keys, table["pupils"], strict=True))


def checks_of(issues: tuple[DataIssue, ...]) -> list[str]:
    """Return the names of the checks that found something."""
    return [issue.check for issue in issues]


def test_one_row_per_school_and_stage(tmp_path: Path) -> None:
    tables = read(
        tmp_path,
        f"{HEAD}\n007,实验学校,小学,113.0,34.7,900,20,870\n007,实验学校,初中,113.0,34.7,450,9,430\n",
        year=2024,
    )
    assert tables.schools[["school_id", "name", "kind"]].to_numpy().tolist() == [["007", "实验学校", "nine_year"]]
    assert places_of(tables) == {("007", "primary"): (900, "given"), ("007", "junior"): (450, "given")}
    assert rolls_of(tables) == {("007", 2024, "primary", 0): 870, ("007", 2024, "junior", 0): 430}
    assert tables.issues == ()
    x_m, y_m = tables.schools[["x_m", "y_m"]].iloc[0]
    # longitude 113 is 2 degrees east of the zone's middle (111): 183.2 km at this latitude
    assert x_m == pytest.approx(500_000 + 183_200, abs=300)
    assert y_m == pytest.approx(3_841_800, abs=2_000)
    assert tables.schools.geometry.iloc[0].equals(Point(x_m, y_m))
    for name in ("schools", "places", "rolls"):
        assert check_table(getattr(tables, name), name) == []


def test_wide_columns_and_a_number_to_be_shared(tmp_path: Path) -> None:
    # A has its own columns; B has one number for nine grades: 900 places are shared 6:3, 28 classes 19:9
    text = (
        "学校代码,学校名称,办学类型,经度,纬度,小学学位数,初中学位数,学位数,班数\n"
        "A,甲,九年一贯制学校,113,34,600,200,,\nB,乙,九年一贯制,113.1,34,,,900,28\n"
    )
    tables = read(tmp_path, text)
    assert places_of(tables) == {
        ("A", "primary"): (600, "given"),
        ("A", "junior"): (200, "given"),
        ("B", "primary"): (600, "derived"),
        ("B", "junior"): (300, "derived"),
    }
    assert tables.places["classes"].tolist()[2:] == [19, 9]
    assert "split_between_stages" in checks_of(tables.issues)
    assert len(tables.rolls) == 0


def test_wide_columns_alone_tell_the_stages(tmp_path: Path) -> None:
    tables = read(
        tmp_path, "学校代码,学校名称,经度,纬度,小学在校生数,初中在校生数\nA,甲,113,34,600,0\nB,乙,113.1,34,300,150\n"
    )
    assert tables.schools["kind"].tolist() == ["primary", "nine_year"]
    assert set(rolls_of(tables)) == {("A", 0, "primary", 0), ("B", 0, "primary", 0), ("B", 0, "junior", 0)}
    assert "year_missing" in checks_of(tables.issues)


def test_grade_columns_give_rolls_by_grade(tmp_path: Path) -> None:
    text = "学校代码,学校名称,学段,经度,纬度,一年级,二年级人数,3年级,在校生数,班数\nA,甲,小学,113,34,30,40,50,120,3\n"
    tables = read(tmp_path, text, year=2025)
    assert rolls_of(tables) == {("A", 2025, "primary", grade): 20 + 10 * grade for grade in (1, 2, 3)}
    totals = compute_roll_totals(tables.rolls, tables.places)
    assert totals[["pupils", "classes"]].to_numpy().tolist() == [[120, 3]]
    assert np.isnan(compute_roll_totals(tables.rolls)["classes"].iloc[0])


def test_grades_that_do_not_add_up_are_told(tmp_path: Path) -> None:
    tables = read(tmp_path, "学校代码,学校名称,学段,经度,纬度,一年级,二年级,在校生数\nA,甲,小学,113,34,30,40,75\n")
    assert "grades_sum" in checks_of(tables.issues)
    assert compute_roll_totals(tables.rolls)["pupils"].tolist() == [70]


def test_long_form_by_grade_and_year(tmp_path: Path) -> None:
    head = "学校代码,学校名称,办学类型,经度,纬度,年份,年级,人数\n"
    told = (("2023", "六年级", 10), ("2024", "六年级", 11), ("2024", "初一", 12))
    rows = "".join(f"A,甲,九年一贯制,113,34,{year},{grade},{count}\n" for year, grade, count in told)
    tables = read(tmp_path, head + rows)
    assert rolls_of(tables) == {
        ("A", 2023, "primary", 6): 10,
        ("A", 2024, "primary", 6): 11,
        ("A", 2024, "junior", 7): 12,
    }
    assert compute_roll_totals(tables.rolls)[["stage", "year", "pupils"]].to_numpy().tolist() == [
        ["primary", 2024, 11],
        ["junior", 2024, 12],
    ]


def test_totals_take_the_latest_year_and_never_make_zero_of_unknown() -> None:
    rolls = pd.DataFrame(
        {
            "school_id": ["A", "A", "A", "B"],
            "year": [2023, 2024, 2024, 2022],
            "stage": "primary",
            "grade": [0, 0, 1, 1],
            "pupils": [1.0, 2.0, 99.0, np.nan],
            "classes": [1.0, 3.0, 9.0, np.nan],
        }
    )
    totals = compute_roll_totals(rolls).set_index("school_id")
    assert totals.loc["A", ["year", "pupils", "classes"]].tolist() == [2024, 2, 3]
    assert np.isnan(totals.loc["B", "pupils"])
    assert len(compute_roll_totals(rolls.iloc[:0])) == 0


def test_capacity_given_derived_or_missing_but_never_zero(tmp_path: Path) -> None:
    text = (
        "学校代码,学校名称,办学类型,经度,纬度,学位数,班数\n"
        "A,甲,小学,113,34,500,12\nB,乙,小学,113.1,34,,12\nC,丙,教学点,113.2,34,,4\nD,丁,小学,113.3,34,—,\n"
    )
    tables = read(tmp_path, text, sizes={"primary": 45, "teaching_point": 30})
    found = places_of(tables)
    assert found["A", "primary"] == (500, "given")
    assert found["B", "primary"] == (540, "derived")
    assert found["C", "primary"] == (120, "derived")
    assert np.isnan(found["D", "primary"][0]) and found["D", "primary"][1] == "missing"
    assert tables.schools["kind"].tolist() == ["primary", "primary", "teaching_point", "primary"]
    assert "capacity_derived" in checks_of(tables.issues)


def test_latest_year_gives_the_places(tmp_path: Path) -> None:
    head = "学校代码,学校名称,学段,经度,纬度,年份,学位数,在校生数\n"
    text = head + "A,甲,小学,113,34,2023,100,90\nA,甲,小学,113,34,2024,200,95\n"
    tables = read(tmp_path, text)
    assert places_of(tables) == {("A", "primary"): (200, "given")}
    assert len(tables.rolls) == 2


def test_every_problem_at_once_with_row_and_header(tmp_path: Path) -> None:
    # row 1 is a title, row 2 the headers: the first school stands in row 3
    text = (
        f"某县学校一览表,,,,,,,\n{HEAD}\n"
        "01,甲,小学,113,34,很多,20,870\n"
        "01,甲,小学,113,34,500,20,870\n"
        "02,乙,大学,113,34,500,20,870\n"
        "03,丙,小学,,34,500,20,870\n"
        "04,丁,小学,113,34,500,-3,870\n"
    )
    found = {
        (issue.check, issue.row, issue.column, issue.found)
        for issue in fail(tmp_path, text)
        if issue.severity == "error"
    }
    assert found == {
        ("type", 3, "学位数", "很多"),
        ("duplicate_id", 4, "学校代码", "01"),
        ("allowed_value", 5, "学段", "大学"),
        ("position", 6, "经度", ""),
        ("range", 7, "班数", "-3"),
    }
    assert all(issue.file == "schools.csv" for issue in fail(tmp_path, text))


def test_swapped_coordinates_are_recognised(tmp_path: Path) -> None:
    issues = fail(tmp_path, f"{HEAD}\nA,甲,小学,34.7,113.1,1,1,1\nB,乙,小学,34.8,113.2,1,1,1\n")
    assert "lonlat_swapped" in checks_of(issues)
    assert (
        str(next(i for i in issues if i.check == "lonlat_swapped").problem)
        == "Longitude and latitude are swapped in 2 rows."
    )


def test_zero_zero_is_no_position(tmp_path: Path) -> None:
    assert checks_of(fail(tmp_path, f"{HEAD}\nA,甲,小学,0,0,1,1,1\n", year=2025)) == ["position"]


def test_no_position_columns_no_name_columns(tmp_path: Path) -> None:
    issues = fail(tmp_path, "学段,学位数\n小学,5\n")
    assert {(i.check, i.column) for i in issues if i.severity == "error"} == {
        ("required_column", "name"),
        ("required_column", "lon_deg"),
    }


def test_unknown_stage_is_told_once_and_a_default_cures_it(tmp_path: Path) -> None:
    text = "学校代码,学校名称,经度,纬度\nA,甲校,113,34\nB,乙校,113.1,34\n"
    issues = [issue for issue in fail(tmp_path, text) if issue.severity == "error"]
    assert checks_of(tuple(issues)) == ["stage_unknown"]
    assert "2 schools" in str(issues[0].problem) and 'stage = "primary"' in str(issues[0].cure)
    assert set(places_of(read(tmp_path, text, defaults={"stage": "primary"}))) == {("A", "primary"), ("B", "primary")}


def test_the_name_tells_the_stage_with_a_warning(tmp_path: Path) -> None:
    tables = read(tmp_path, "学校代码,学校名称,经度,纬度\nA,城关镇第一小学,113,34\nB,阳光幼儿园,113.1,34\n")
    assert tables.schools["kind"].tolist() == ["primary", "kindergarten"]
    assert checks_of(tables.issues).count("stage_from_name") == 2


def test_missing_codes_are_made_from_rows(tmp_path: Path) -> None:
    tables = read(tmp_path, f"{HEAD}\n,甲,小学,113,34,1,1,1\n05,乙,小学,113.1,34,1,1,1\n")
    assert tables.schools["school_id"].tolist() == ["row-2", "05"]
    assert [(issue.check, issue.row) for issue in tables.issues if issue.severity == "warning"] == [("missing_id", 2)]


def test_without_codes_rows_of_one_school_find_each_other(tmp_path: Path) -> None:
    text = "学校名称,学段,经度,纬度\n甲,小学,113,34\n甲,初中,113,34\n甲,小学,114,34\n"
    tables = read(tmp_path, text)
    assert tables.schools["school_id"].tolist() == ["row-2", "row-4"]
    assert tables.schools["kind"].tolist() == ["nine_year", "primary"]
    assert checks_of(tables.issues).count("missing_id") == 1


def test_names_and_positions_that_do_not_fit_their_code(tmp_path: Path) -> None:
    renamed = read(tmp_path, f"{HEAD}\nA,甲,小学,113,34,1,1,1\nA,乙,初中,113,34,1,1,1\n")
    assert renamed.schools["name"].tolist() == ["甲"]
    assert "same_id_other_name" in checks_of(renamed.issues)
    moved = read(tmp_path, f"{HEAD}\nA,甲,小学,113,34,1,1,1\nA,甲,初中,113.5,34,1,1,1\n")
    assert "same_id_other_place" in checks_of(moved.issues)
    with pytest.raises(DataError, match="Two schools") as told:  # put together, one of them would move by 46 km
        read(tmp_path, f"{HEAD}\nA,甲,小学,113,34,1,1,1\nA,乙,初中,113.5,34,1,1,1\n")
    assert [issue.row for issue in told.value.issues if issue.severity == "error"] == [3]


def test_study_file_names_columns_values_and_defaults(tmp_path: Path) -> None:
    tables = read(
        tmp_path,
        "Nr,Nom,Niveau,E,N,Effectif,students\n1,a,maternelle,500000,3800000,80,5\n2,b,college,500100,3800000,90,6\n",
        columns={
            "school_id": "Nr",
            "name": "Nom",
            "stage": "Niveau",
            "x_m": "E",
            "y_m": "N",
            "capacity_places": "Effectif",
            "pupils": "",
        },
        values={"stage": {"maternelle": "kindergarten", "college": "junior"}},
        defaults={"setting": "rural", "ownership": "公办"},
    )
    assert set(places_of(tables)) == {("1", "kindergarten"), ("2", "junior")}
    assert tables.schools["x_m"].tolist() == [500000, 500100]
    assert tables.schools["setting"].tolist() == ["rural", "rural"]
    assert tables.schools["ownership"].tolist() == ["public", "public"]
    assert len(tables.rolls) == 0


def test_wrong_names_in_the_study_file(tmp_path: Path) -> None:
    issues = fail(
        tmp_path,
        f"{HEAD}\nA,甲,小学,113,34,1,1,1\n",
        columns={"name": "Nome", "colour": "x"},
        values={"stag": {}},
        keep_where_positive="nix",
    )
    assert sorted(i.found for i in issues if i.check == "column_mapping") == ["Nome", "colour", "nix", "stag"]


def test_keep_where_positive(tmp_path: Path) -> None:
    text = f"{HEAD}\nA,甲,小学,113,34,0,1,1\nB,乙,小学,113,34.1,5,1,1\nC,丙,小学,113,34.2,x,1,1\n"
    for column in ("学位数", "capacity_places"):
        assert read(tmp_path, text, keep_where_positive=column).schools["school_id"].tolist() == ["B"]
    assert checks_of(fail(tmp_path, f"{HEAD}\nA,甲,小学,113,34,0,1,1\n", keep_where_positive="学位数")) == ["no_rows"]


def test_local_grid_and_other_crs(tmp_path: Path) -> None:
    text = "id,name,stage,x_m,y_m\nA,a,primary,100,200\n"
    tables = read(tmp_path, text, crs="local")
    assert tables.schools.crs is None
    assert tables.schools[["x_m", "y_m"]].to_numpy().tolist() == [[100, 200]]
    tables = read_source_2333(tmp_path)
    assert tables.schools["x_m"].iloc[0] == pytest.approx(682_000, abs=3_000)


def read_source_2333(tmp_path: Path) -> SchoolTables:
    """Read a school given in Gauss-Krüger zone 19 into UTM 49."""
    (tmp_path / "gk.csv").write_text("id,name,stage,x_m,y_m\nA,a,primary,19682242.13,3827295.546\n", encoding="utf-8")
    spec = StudySpec("x", schools=SchoolsSource("gk.csv", crs="EPSG:2333"), folder=tmp_path)
    return read_schools(spec, CRS)


def test_web_map_coordinates_are_moved_back(tmp_path: Path) -> None:
    text = f"{HEAD}\nA,甲,小学,116.38404722455657,39.91334545536069,1,1,1\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    spec = StudySpec("x", schools=SchoolsSource("a.csv", crs="GCJ-02"), folder=tmp_path)
    moved = read_schools(spec, "EPSG:32650").schools
    true = read(tmp_path, f"{HEAD}\nA,甲,小学,116.377817,39.911954,1,1,1\n", crs="EPSG:32650").schools
    assert moved.distance(true).iloc[0] < 0.01


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "parquet"])
def test_layers_of_areas_and_points(tmp_path: Path, ending: str) -> None:
    shapes = [box(113, 34, 113.002, 34.002), Point(113.1, 34)]
    layer = gpd.GeoDataFrame(
        {"学校代码": ["01", "02"], "name": ["甲", "乙"], "stage": ["小学", "初中"], "capacity": [12.0, np.nan]},
        geometry=shapes,
        crs=4326,
    )
    path = tmp_path / f"s.{ending}"
    layer.to_parquet(path) if ending == "parquet" else layer.to_file(path)
    tables = read_source(tmp_path, path=path.name)
    assert tables.schools["school_id"].tolist() == ["01", "02"]
    assert tables.places["capacity_source"].tolist() == ["given", "missing"]
    assert layer.to_crs(CRS).geometry.iloc[0].contains(tables.schools.geometry.iloc[0])


def test_a_workbook_with_a_sheet_per_stage(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "b.xlsx"))
    for name, rows in (
        ("说明", [["填表说明", "x"]]),
        ("小学", [["学校代码", "学校名称", "经度", "纬度", "学位数"], ["01", "甲", 113.0, 34.0, 500.0]]),
        ("初中", [["标识码", "名称", "经度", "纬度", "学位"], ["02", "乙", 113.1, 34.0, 400.0]]),
    ):
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    book.close()
    tables = read_source(tmp_path, path="b.xlsx")
    assert places_of(tables) == {("01", "primary"): (500, "given"), ("02", "junior"): (400, "given")}
    assert read_source(tmp_path, path="b.xlsx", sheet="初中").schools["school_id"].tolist() == ["02"]


def test_the_untouched_template_says_what_to_do(tmp_path: Path) -> None:
    write_template(tmp_path / "t.xlsx")
    with pytest.raises(DataError, match="has headers but no schools"):
        read_source(tmp_path, path="t.xlsx")


def test_a_study_without_schools_and_a_missing_file(tmp_path: Path) -> None:
    assert len(read_schools(StudySpec("x"), CRS).schools) == 0
    with pytest.raises(DataError, match="does not exist"):
        read_source(tmp_path, path="none.csv")
    with pytest.raises(DataError, match="does not exist"):
        read_source(tmp_path, path="none.osm.pbf")


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "{{7*7}}", "=1+1", "{name}"])
def test_hostile_names_stay_plain_text(tmp_path: Path, name: str) -> None:
    tables = read(tmp_path, f"{HEAD}\nA,{name},小学,113,34,5,1,1\nA,{name}2,初中,113,34,5,1,1\n")
    assert tables.schools["name"].tolist() == [name]
    assert any(name in str(issue) for issue in tables.issues)


ids = st.text(st.characters(categories=("L", "N"), max_codepoint=0x9FFF), min_size=1, max_size=12)


@given(st.lists(ids, min_size=1, max_size=20, unique=True), st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_ids_and_numbers_survive_and_the_order_of_rows_changes_nothing(
    tmp_path: Path, school_ids: list[str], shuffle: random.Random
) -> None:
    school_ids = [
        school_id for school_id in school_ids if school_id.casefold() not in ("na", "nan", "null", "none", "无", "空")
    ]
    rows = [f"{school_id},n{at},小学,113,{34 + at / 100},{at},{at},{at}" for at, school_id in enumerate(school_ids)]
    if not rows:
        return
    first = read(tmp_path, "\n".join([HEAD, *rows]) + "\n")
    assert first.schools["school_id"].tolist() == school_ids
    assert first.places["capacity_places"].tolist() == list(range(len(school_ids)))
    shuffle.shuffle(rows)
    second = read(tmp_path, "\n".join([HEAD, *rows]) + "\n")
    pd.testing.assert_frame_equal(
        first.places.sort_values("school_id", ignore_index=True),
        second.places.sort_values("school_id", ignore_index=True),
    )


@given(st.integers(min_value=0, max_value=100_000), st.sampled_from(list(STAGES_OF_KIND.values())))
def test_sharing_out_keeps_the_sum_and_whole_numbers(total: int, stages: tuple[str, ...]) -> None:
    shares = split_by_grades(total, stages)
    assert sum(shares.values()) == total
    assert all(value == int(value) and value >= 0 for value in shares.values())


def test_kinds_and_stages_agree() -> None:
    for kind, stages in STAGES_OF_KIND.items():
        assert choose_kind(stages) == ("primary" if kind == "teaching_point" else kind)
    assert choose_kind(("kindergarten", "primary")) == "primary"
    assert [guess_kind(name) for name in ("育才中学", "第二高级中学", "柳沟教学点", "Lincoln Elementary School")] == [
        "",
        "senior",
        "teaching_point",
        "primary",
    ]


def test_writing_to_an_open_file_works_too() -> None:
    buffer = io.BytesIO()
    write_template(buffer)
    assert buffer.getvalue()[:2] == b"PK"


@pytest.mark.real
def test_gongyi(cases: Path) -> None:
    tables = read_source(
        cases / "henan_kong",
        crs="EPSG:2333",
        path="gongyi.gpkg",
        columns={"school_id": "ID", "x_m": "px", "y_m": "py", "capacity_places": "school_capacity", "pupils": ""},
        keep_where_positive="school_capacity",
        defaults={"stage": "primary"},
    )
    assert len(tables.schools) == 22
    assert tables.places["capacity_places"].sum() == 41_900
    units = gpd.read_file(cases / "henan_kong" / "gongyi.gpkg")
    homes = units.set_index(units["ID"].astype(str)).loc[tables.schools["school_id"]]
    assert homes.geometry.contains(gpd.GeoSeries(tables.schools.geometry.to_numpy(), homes.index, crs=units.crs)).all()


@pytest.mark.real
def test_vasileostrovsky(cases: Path) -> None:
    tables = read_source(
        cases / "spb_objectnat", crs="EPSG:32636", path="services.parquet", defaults={"stage": "primary"}
    )
    assert len(tables.schools) == 36
    assert tables.places["capacity_places"].sum() == 31_142
    assert tables.schools["name"].str.contains("Школа").any()


@pytest.mark.real
def test_porto_alegre(cases: Path) -> None:
    tables = read_source(
        cases / "porto_alegre_r5r",
        crs="EPSG:32722",
        path="poa_hexgrid.csv",
        keep_where_positive="schools",
        defaults={"stage": "primary"},
    )
    assert len(tables.schools) == 177
    assert (tables.places["capacity_source"] == "missing").all() and tables.places["capacity_places"].isna().all()


@pytest.mark.real
def test_liechtenstein(cases: Path) -> None:
    tables = read_source(
        cases / "liechtenstein", crs="EPSG:32632", path="liechtenstein-2013-08-03_debian_osm2pgsql.osm.pbf"
    )
    assert 16 <= len(tables.schools) <= 30
    assert tables.schools["x_m"].between(530_000, 560_000).all()
