"""Each check finds its fault, with its place, and is silent on a sound district."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.crs import from_lonlat, to_lonlat
from geodata.errors import DataIssue
from geodata.quality import CHECKS, check_study, render_checks_page
from geodata.study import StudyArea
from tests.worlds import WorldSchool, build_five_villages, build_island, build_world


def check(study: StudyArea, **changes: Any) -> list[DataIssue]:
    """Run all checks on a world, with some of its tables replaced."""
    names = ("schools", "places", "rolls", "units", "zones", "sites", "travel")
    tables = {name: changes.get(name, getattr(study, name)) for name in names}
    return check_study(*tables.values(), crs=changes.get("crs", study.crs))


def named(issues: list[DataIssue], name: str) -> list[DataIssue]:
    """Return the findings of one check."""
    return [issue for issue in issues if issue.check == name]


def change(table: Any, row: int, column: str, value: object) -> Any:
    """Return a copy of a table with one cell changed."""
    copy = table.copy()
    copy.loc[copy.index[row], column] = value
    return copy


def build_site(site_id: str, x_m: float = 500.0, y_m: float = 500.0) -> gpd.GeoDataFrame:
    """Return a table of one site."""
    return gpd.GeoDataFrame(
        {"site_id": [site_id], "name": [""], "x_m": [x_m], "y_m": [y_m]}, geometry=[shapely.Point(x_m, y_m)]
    )


def test_a_sound_district_has_no_findings() -> None:
    assert check(build_five_villages()) == []


def test_doubled_ids_within_and_across_tables() -> None:
    study = build_five_villages()
    twice = named(check(study, schools=pd.concat([study.schools, study.schools.iloc[:1]])), "duplicate_ids")
    assert [(i.severity, i.record_id) for i in twice] == [("error", "W")]
    shared = named(check(study, sites=build_site("E")), "duplicate_ids")
    assert [i.record_id for i in shared] == ["E"]


def test_unknown_ids_in_every_table() -> None:
    study = build_five_villages(zones=[("a", "primary", "W"), ("zz", "primary", "W"), ("b", "primary", "Q")])
    issues = check(
        study,
        places=change(study.places, 0, "school_id", "P"),
        rolls=change(study.rolls, 0, "school_id", "R"),
    )
    found = {(i.record_id, i.column, i.severity) for i in named(issues, "unknown_ids")}
    columns = {"P": "school_id", "R": "school_id", "Q": "school_id", "zz": "unit_id"}
    assert found == {(key, column, "error") for key, column in columns.items()}


def test_negative_counts_are_errors_and_fractions_warnings() -> None:
    study = build_five_villages()
    issues = check(
        study,
        places=change(study.places, 0, "capacity_places", 99.5),
        rolls=change(study.rolls, 1, "pupils", -70.0),
        units=change(study.units, 2, "primary_pupils", -1.0),
    )
    found = [(i.severity, i.record_id) for i in named(issues, "counts")]
    assert found == [("error", "E"), ("error", "c"), ("warning", "W")]


def test_fractions_of_children_are_natural() -> None:
    study = build_five_villages()
    assert check(study, units=change(study.units, 0, "primary_pupils", 29.7)) == []


def test_missing_capacity_one_by_one_or_all_at_once() -> None:
    some = check(
        build_world(
            "a/S b/T", pupils={"a": 1}, schools={"S": WorldSchool(places=None, roll=5), "T": WorldSchool(roll=5)}
        )
    )
    assert [(i.record_id, i.severity) for i in named(some, "stage_without_capacity")] == [("S", "warning")]
    none = {key: WorldSchool(places=None, roll=5) for key in "STU"}
    together = named(check(build_world("a/S b/T c/U", pupils={"a": 1}, schools=none)), "stage_without_capacity")
    assert [(i.record_id, str(i.problem)) for i in together] == [
        ("", "The places of 3 schools and stages are not known.")
    ]


def test_missing_rolls() -> None:
    issues = check(build_world("a/S b/T", pupils={"a": 1}, schools={"S": WorldSchool(), "T": WorldSchool(roll=5)}))
    assert [(i.record_id, i.severity) for i in named(issues, "school_without_roll")] == [("S", "note")]


def test_rolls_and_classes_beyond_belief() -> None:
    schools = {"S": WorldSchool(places=100, roll=301, classes=2), "T": WorldSchool(places=100, roll=300, classes=3)}
    issues = check(build_world("a/S b/T", pupils={"a": 1}, schools=schools))
    assert [str(i.problem) for i in named(issues, "roll_over_capacity")] == ["S has 301 pupils on 100 places."]
    assert [i.record_id for i in named(issues, "class_size")] == ["S"]


def test_kind_and_stages() -> None:
    schools = {
        "S": WorldSchool(
            stages=("primary", "junior"),
            kind="primary",
            roll={"primary": 1, "junior": 1},
            places={"primary": 9, "junior": 9},
        )
    }
    study = build_world("a/S", pupils={"primary": {"a": 1}, "junior": {"a": 1}}, schools=schools)
    assert [str(i.problem) for i in check(study)] == [
        "S is of the kind primary school but has numbers for junior secondary."
    ]


def test_units_and_stages_without_children() -> None:
    study = build_five_villages()
    issues = check(study, units=change(study.units, 0, "primary_pupils", np.nan))
    assert ["1 units" in str(i.problem) for i in named(issues, "units_without_children")] == [True]
    schools = {"S": WorldSchool(kind="junior", stages=("junior",), roll=5)}
    issues = check(build_world("a/S", pupils={"a": 1}, schools=schools))
    assert ["junior" in str(i.problem) for i in named(issues, "units_without_children")] == [True]


def test_zone_gaps_and_zones_to_the_wrong_school() -> None:
    zones = [(key, "primary", "W") for key in "abc"] + [("d", "junior", "E")]
    issues = check(build_five_villages(zones=zones))
    assert [i.record_id for i in named(issues, "zone_gaps")] == ["d", "e"]
    assert [i.record_id for i in named(issues, "zone_stages")] == ["E"]


def test_the_same_school_twice_within_300_m() -> None:
    study = build_world(
        "a/S b/T",
        pupils={"a": 1},
        schools={"S": WorldSchool(roll=1, name="X"), "T": WorldSchool(roll=1, name="x ")},
        cell_m=300,
    )
    assert [i.record_id for i in named(check(study), "doubled_schools")] == ["T"]
    far = build_world(
        "a/S b/T",
        pupils={"a": 1},
        schools={"S": WorldSchool(roll=1, name="X"), "T": WorldSchool(roll=1, name="x")},
        cell_m=301,
    )
    assert check(far) == []


def test_schools_outside_the_area() -> None:
    study = build_five_villages()  # units fill x 0 to 5000, y 0 to 1000; the margin is 3 km
    assert named(check(study, schools=change(study.schools, 0, "x_m", 7_999.0)), "schools_outside") == []
    issues = named(check(study, schools=change(study.schools, 0, "x_m", 15_000.0)), "schools_outside")
    assert [str(i.problem) for i in issues] == ["West School lies 10 km outside the area of the units."]


def test_positions_missing_and_swapped() -> None:
    study = build_five_villages()
    issues = named(check(study, schools=change(study.schools, 0, "x_m", np.nan)), "positions")
    assert [(i.severity, i.record_id, i.lon_deg) for i in issues] == [("error", "W", None)]
    # around longitude 10, latitude 50 a school with both exchanged lies at longitude 50, latitude 10
    units = pd.DataFrame({"x_m": [500_000.0, 580_000.0], "y_m": [5_500_000.0, 5_560_000.0]})
    table = gpd.GeoDataFrame(
        {"unit_id": ["a", "b"], "name": ["", ""], "primary_pupils": [1.0, 1.0]} | dict(units),
        geometry=gpd.points_from_xy(units["x_m"], units["y_m"]),
    )
    x_m, y_m = from_lonlat([49.9], [9.5], "EPSG:32632")
    schools = change(change(study.schools, 0, "x_m", x_m[0]), 0, "y_m", y_m[0])
    issues = named(check(study, units=table, schools=schools, travel={}, crs="EPSG:32632"), "positions")
    assert [(i.severity, i.record_id) for i in issues] == [("warning", "W")]


def test_far_from_roads() -> None:
    study = build_five_villages()
    walk = study.travel["walk"]
    moved = replace(
        walk,
        unit_snap_m=np.array([0, 501, 0, 0, 499], dtype=np.float32),
        destination_snap_m=np.array([900, 0], dtype=np.float32),
    )
    issues = named(check(study, travel={"walk": moved}), "far_from_roads")
    assert [(i.record_id, i.severity) for i in issues] == [("b", "warning"), ("W", "warning")]
    assert named(check(study, travel={"walk": replace(moved, method="straight line")}), "far_from_roads") == []


def test_unreachable_units_are_told_once_with_their_modes() -> None:
    issues = named(check(build_island()), "unreachable_units")
    assert [str(i.problem) for i in issues] == [
        "No school can be reached from i (on foot, by bicycle, by car or bus); 5 children live there."
    ]


def test_findings_stand_on_the_map_errors_first() -> None:
    study = build_island()
    issues = check(study, rolls=change(study.rolls, 0, "pupils", -3.0))
    assert [issue.severity for issue in issues] == ["error", "warning"]
    unit = study.units.set_index("unit_id").loc["i"]
    lon, lat = to_lonlat([unit["x_m"]], [unit["y_m"]], "local")
    assert (issues[1].lon_deg, issues[1].lat_deg) == (lon[0], lat[0])


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "{{7*7}}", "=1+1", "{x}"])
def test_hostile_names_pass_as_text(name: str) -> None:
    schools = {"S": WorldSchool(places=None, name=name, roll=1), "T": WorldSchool(roll=1)}
    issues = check(build_world("a/S b/T", pupils={"a": 1}, schools=schools))
    assert str(issues[0].problem) == f"The places of {name} are not known (primary)."


def test_every_check_is_named_described_and_on_the_page() -> None:
    page = render_checks_page()
    for name, function in CHECKS.items():
        assert function.__name__ == f"check_{name}"
        assert (function.__doc__ or "").startswith(("Error: ", "Warning: ", "Note: "))
        assert f"`{name}`" in page


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:32633"])
def test_metres_that_are_none(crs: str) -> None:
    study = build_five_villages()
    lon, lat = np.full(5, 113.0), np.full(5, 34.5) + np.arange(5) / 100
    x, y = from_lonlat(lon, lat, crs)
    units = study.units.assign(x_m=x, y_m=y)
    (issue,) = named(check(study, units=units, crs=crs), "crs_scale")
    assert (issue.severity, issue.found) == ("error", crs)
    assert "EPSG:32649" in str(issue.expected)


def test_a_unit_in_another_province() -> None:
    study = build_five_villages()
    issues = check(study, units=change(study.units, 0, "x_m", 820_000.0))
    assert [issue.record_id for issue in named(issues, "units_apart")] == ["a"]


def test_rolls_of_an_earlier_year_are_not_lost_in_silence() -> None:
    study = build_five_villages()
    rolls = study.rolls.assign(year=2025)
    for year in (2024, 0):
        (issue,) = named(check(study, rolls=change(rolls, 0, "year", year)), "roll_years")
        assert issue.record_id == str(rolls["school_id"].iloc[0])
        assert str(year or "no year") in str(issue.problem)


def test_a_school_that_no_unit_reaches() -> None:
    study = build_five_villages()
    walk = study.travel["walk"]
    time = walk.time_min.copy()
    time[:, list(walk.destination_ids).index("E")] = np.nan
    issues = check(study, travel={"walk": replace(walk, time_min=time)})
    assert [issue.record_id for issue in named(issues, "unreached_schools")] == ["E"]


def test_unknown_ids_name_the_id_that_is_meant_and_the_file() -> None:
    study = build_five_villages(zones=[("a", "primary", "0W"), (" a", "primary", "W")])
    tables = (study.schools, study.places, study.rolls, study.units, study.zones, study.sites, study.travel)
    issues = named(check_study(*tables, crs=study.crs, files={"zones": "z.csv"}), "unknown_ids")
    assert {(i.file, i.column, i.found) for i in issues} == {
        ("z.csv", "school_id", "0W"),
        ("z.csv", "unit_id", " a"),
    }
    assert all("Did you mean" in str(issue.cure) for issue in issues)
