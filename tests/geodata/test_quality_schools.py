"""Schools entered twice, schools on one spot, schools on the wrong bank, zones that overlap."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.errors import DataIssue
from geodata.quality import check_study
from geodata.quality_facts import Evidence
from geodata.quality_schools import are_alike
from geodata.study import StudyArea, TravelMatrix
from tests.worlds import WorldSchool, build_world


def check(study: StudyArea, name: str, evidence: Evidence | None = None, **tables: Any) -> list[DataIssue]:
    names = ("schools", "places", "rolls", "units", "zones", "sites", "travel")
    found = check_study(*(tables.get(each, getattr(study, each)) for each in names), crs=study.crs, evidence=evidence)
    return [issue for issue in found if issue.check == name]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("城关镇中心小学", "城关镇 中心小学（本部）"),
        ("实验小学", "巩义市实验小学"),
        ("育才九年一贯制学校", "育才九年一贯制学校。"),
        ("新华路小学校", "新华路小学"),
        ("Green Hill Primary School", "Grean Hill primary school"),
        ("Escola Municipal João Paulo", "Escola Municipal Joao Paulo"),
    ],
)
def test_spellings_of_one_name(first: str, second: str) -> None:
    assert are_alike(first, second)
    assert are_alike(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("城关镇第一小学", "城关镇第二小学"),
        ("城东实验小学", "城西实验小学"),
        ("河洛镇中心小学", "河洛镇初级中学"),
        ("School No. 12", "School No. 13"),
        ("Riverside School A", "Riverside School B"),
        ("新城小学", "老城小学"),
        ("甲", "乙"),
        ("", ""),
    ],
)
def test_names_of_two_schools(first: str, second: str) -> None:
    assert not are_alike(first, second)


def _move(study: StudyArea, places: dict[str, tuple[float, float]]) -> gpd.GeoDataFrame:
    schools = study.schools.copy()
    for at, key in enumerate(schools["school_id"]):
        if key in places:
            schools.loc[schools.index[at], ["x_m", "y_m"]] = places[key]
    return schools.set_geometry(shapely.points(schools[["x_m", "y_m"]].to_numpy()))


def test_the_same_school_twice_within_three_hundred_metres() -> None:
    kinds = {
        "S": WorldSchool(name="实验小学", roll=1),
        "T": WorldSchool(name="某县实验小学", roll=1),
        "J": WorldSchool(name="某县实验小学初中部", stages=("junior",), kind="junior", roll=1),
    }
    study = build_world("a/S b/T c/J", pupils={"a": 1.0}, schools=kinds)
    assert not check(study, "doubled_schools")
    near = _move(study, {"S": (500.0, 500.0), "T": (700.0, 700.0), "J": (500.0, 600.0)})
    found = check(study, "doubled_schools", schools=near)
    assert [(issue.severity, issue.record_id) for issue in found] == [("warning", "T")]
    assert "may be one school" in str(found[0].problem)
    assert not check(study, "doubled_schools", schools=_move(study, {"S": (500.0, 500.0), "T": (720.0, 710.0)}))


def test_schools_on_one_spot() -> None:
    kinds = {key: WorldSchool(name=f"第{key}小学", roll=1) for key in "STU"}
    study = build_world("a/S b/T c/U", pupils={"a": 1.0}, schools=kinds)
    spot = _move(study, {"S": (1500.0, 500.0)})
    found = check(study, "shared_positions", schools=spot)
    assert [issue.record_id for issue in found] == ["S", "T"]
    assert not check(study, "shared_positions")
    junior = {**kinds, "T": WorldSchool(name="x", stages=("junior",), kind="junior", roll=1)}
    other = build_world("a/S b/T c/U", pupils={"a": 1.0}, schools=junior)
    assert not check(other, "shared_positions", schools=_move(other, {"S": (1500.0, 500.0)}))


# A river runs between b and c. The school, meant for a and b, was put on the bank of c and d, 80 m from the water:
#   a  b | c  d      children live in a and b mostly; a bridge is 3 km away
RIVER = gpd.GeoDataFrame(
    {"kind": ["river"], "name": ["洛河"]}, geometry=[shapely.LineString([(2000, -5000), (2000, 5000)])]
)


def _bank(way_m: float, children: float = 40.0) -> tuple[StudyArea, dict[str, TravelMatrix]]:
    pupils = {"a": 60.0, "b": children, "c": 5.0, "d": 5.0}
    study = build_world("a b c d/S", pupils=pupils, schools={"S": WorldSchool(name="河口小学", roll=1)})
    lengths = np.array([[way_m + 1000], [way_m], [500.0], [1500.0]], dtype=np.float32)
    walk = study.travel["walk"]
    return study, {"walk": replace(walk, length_m=lengths, time_min=lengths / 80)}


def test_a_school_on_the_wrong_bank() -> None:
    study, travel = _bank(6000.0)
    schools = _move(study, {"S": (2080.0, 500.0)})
    evidence = Evidence(barriers=RIVER)
    found = check(study, "wrong_bank", evidence, schools=schools, travel=travel)
    assert [(issue.severity, issue.record_id) for issue in found] == [("warning", "S")]
    assert "b is 580 m away in a straight line, but the way on foot is 6.0 km; a river lies between" in str(
        found[0].problem
    )
    assert found[0].cure is not None


def test_no_school_is_doubted_without_reason() -> None:
    study, far = _bank(6000.0)
    evidence, near_river = Evidence(barriers=RIVER), _move(study, {"S": (2080.0, 500.0)})
    short = _bank(1200.0)[1]
    assert not check(study, "wrong_bank", evidence, schools=near_river, travel=short)  # there is a bridge
    assert not check(study, "wrong_bank", evidence, schools=_move(study, {"S": (3000.0, 500.0)}), travel=far)
    assert not check(study, "wrong_bank", Evidence(), schools=near_river, travel=far)  # nothing lies between
    units = study.units.assign(primary_pupils=[1.0, 1.0, 50.0, 50.0])
    assert not check(study, "wrong_bank", evidence, schools=near_river, travel=far, units=units)
    given = {"walk": replace(far["walk"], method="straight line")}
    assert not check(study, "wrong_bank", evidence, schools=near_river, travel=given)


def test_no_way_at_all_is_far() -> None:
    study, travel = _bank(float("nan"))
    schools = _move(study, {"S": (2080.0, 500.0)})
    found = check(study, "wrong_bank", Evidence(barriers=RIVER), schools=schools, travel=travel)
    assert "no way on foot was found" in str(found[0].problem)


def test_shared_zones_and_schools_without_one() -> None:
    zones = [("a", "primary", "S"), ("a", "primary", "T"), ("b", "primary", "S"), ("c", "primary", "S")]
    kinds = {key: WorldSchool(roll=1) for key in "STU"}
    study = build_world("a/S b/T c/U", pupils={"a": 1.0}, schools=kinds, zones=zones)
    shared = check(study, "zone_overlaps")
    assert [(issue.severity, issue.record_id) for issue in shared] == [("note", "a")]
    assert [issue.record_id for issue in check(study, "schools_without_zone")] == ["U"]


def test_a_school_whose_children_all_live_across_is_noted_though_a_bridge_is_near() -> None:
    study = build_world("a b c d e/S f", pupils=dict.fromkeys("abcdef", 10.0), schools={"S": WorldSchool(roll=1)})
    units = study.units.assign(x_m=[1500.0, 1700.0, 1800.0, 1900.0, 1950.0, 2300.0], y_m=500.0)
    lengths = np.array([[1100], [900], [800], [700], [650], [250]], dtype=np.float32)
    near = {"walk": replace(study.travel["walk"], length_m=lengths)}
    schools = _move(study, {"S": (2080.0, 500.0)})
    found = check(study, "wrong_bank", Evidence(barriers=RIVER), schools=schools, travel=near, units=units)
    assert [(issue.severity, issue.record_id) for issue in found] == [("note", "S")]
    assert "83% live on the other side: a river lies between. They walk 490 m further" in str(found[0].problem)
    straight = {"walk": replace(near["walk"], length_m=np.maximum(lengths - 400, 250))}
    assert not check(study, "wrong_bank", Evidence(barriers=RIVER), schools=schools, travel=straight, units=units)
