"""Every check worked by hand on tiny counties, and the law of cures: who applies the cure, passes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from geodata.study import StudyArea
from planning.actions import AddBusLine, CloseSchool, MakeTeachingPoint
from planning.check_county import count_share_cure
from planning.inspection import read_reported
from planning.rule_checks import (
    CHECK_COLUMNS,
    CURES,
    RULE_CHECKS,
    STATUSES,
    SUBJECTS,
    check_rules,
    iterate_checks,
    list_not_checked,
    summarise_checks,
    tell_check,
    tell_cure,
)
from planning.rules import BOOKS, KEYS, read_rulebook
from tests.planning.action_worlds import build_street
from tests.planning.check_worlds import add_rows, ask, change, check, make_rules, pick
from tests.worlds import WorldSchool, WorldUnit, build_five_villages, build_island, build_world

FILL = make_rules({"key": "max_fill_share", "unit": "share", "value": 1.0})


def test_fill_of_schools_and_the_places_that_cure_it() -> None:
    """East: 70 pupils, 40 places: 1.75, which is 0.75 too much; 30 more places make it 1.0. West: 40 of 100."""
    study = build_five_villages()
    checks = check(study, FILL)
    assert list(checks.columns) == list(CHECK_COLUMNS)
    east, west = pick(checks, "E"), pick(checks, "W")
    assert (east["status"], east["measured"], east["short_by"]) == ("failed", 1.75, 0.75)
    assert (east["cure"], east["cure_amount"], east["pupils"]) == ("places", 30, 70)
    assert (west["status"], west["measured"], west["short_by"], west["cure"]) == ("passed", 0.4, 0.0, "")
    assert math.isnan(west["cure_amount"])
    told = str(tell_check(east, FILL))
    assert told == (
        "East School (primary school): pupils per place 175.0%, but the rule says at most 100.0%: 75.0 percentage"
        " points too much."
    )
    assert str(tell_cure(east, FILL)) == "30 more places would cure it."


def test_a_school_without_places_and_one_whose_places_nobody_knows() -> None:
    study = build_five_villages()
    none = pick(check(change(study, "places", "E", capacity_places=0.0), FILL), "E")
    assert (none["status"], none["cure_amount"]) == ("failed", 70) and math.isnan(none["measured"])
    assert str(tell_check(none, FILL)) == "East School (primary school): 70 pupils and no places."
    blank = pick(check(change(study, "places", "E", capacity_places=math.nan), FILL), "E")
    assert (blank["status"], blank["missing"], blank["cure"]) == ("unknown", "places.capacity_places", "")
    assert math.isnan(blank["short_by"])
    assert str(tell_cure(blank, FILL)) == "Add places.capacity_places."


def test_towns_are_judged_where_they_have_several_schools() -> None:
    """Town T: 40 + 70 pupils on 100 + 40 places: 110/140. Alone each school would be its own row only."""
    schools = {
        "W": WorldSchool(places=100, roll=40, town="T"),
        "E": WorldSchool(places=40, roll=70, town="T"),
    }
    checks = check(build_five_villages(schools=schools), FILL)
    town = pick(checks, "T", subject="town")
    assert town["measured"] == pytest.approx(110 / 140) and town["status"] == "passed"
    assert not (check(build_five_villages(), FILL)["subject"] == "town").any()


def test_the_model_fills_the_schools_of_a_proposal() -> None:
    """Least travel within 100 and 40 places: East takes 40 of the model, whatever its roll of 70 says."""
    study = build_five_villages()
    outcome = ask(study, FILL, enrolment="capacity")
    assert pick(check_rules(study, FILL, outcome), "E")["pupils"] == pytest.approx(40)
    assert pick(check_rules(study, FILL, outcome, by="roll"), "E")["pupils"] == 70


def test_large_classes_are_below_the_limit_only() -> None:
    """112 pupils in one class; below 56 (not 56 itself) needs three classes: 112 / 2 is just 56."""
    rules = make_rules({"key": "large_class_from", "unit": "pupils", "op": "<", "value": 56})
    study = build_five_villages(schools={"W": WorldSchool(classes=2, roll=112), "E": WorldSchool(classes=1, roll=112)})
    checks = check(study, rules)
    assert pick(checks, "W")["status"] == "failed" and pick(checks, "W")["short_by"] == 0
    assert (pick(checks, "W")["cure"], pick(checks, "W")["cure_amount"]) == ("classes", 1)
    assert (pick(checks, "E")["measured"], pick(checks, "E")["cure_amount"]) == (112, 2)


def test_a_low_average_proves_nothing_about_every_class() -> None:
    rules = make_rules({"key": "max_class_size", "unit": "pupils", "value": 45})
    study = build_five_villages()
    west = pick(check(study, rules), "W")  # 40 pupils, 2 classes
    assert (west["status"], west["measured"], west["missing"]) == ("unknown", 20, "assets.largest_class_pupils")
    for largest, status in ((44, "passed"), (46, "failed")):
        known = add_rows(
            study, "assets", {"school_id": "W", "stage": "", "year": 2025, "largest_class_pupils": largest}
        )
        row = pick(check(known, rules), "W")
        assert (row["status"], row["measured"], row["cure"]) == (status, largest, "")
    assert str(tell_cure(row, rules)) == "Share the pupils evenly among the classes."
    none = change(change(study, "places", "E", classes=0.0), "rolls", "E", classes=0.0)
    east = pick(check(none, rules), "E")
    assert (east["status"], east["cure_amount"]) == ("failed", 2)
    assert str(tell_check(east, rules)) == "East School (primary school): 70 pupils and no classes."
    east = pick(check(study, rules), "E")  # 70 pupils, 1 class
    assert (east["status"], east["cure"], east["cure_amount"]) == ("failed", "classes", 1)


def test_school_size_with_exceptions() -> None:
    """2,300 pupils: over 2,000; with the exception of 2,400 lawful, if the school was founded by 2010."""
    rule = {
        "key": "max_school_pupils",
        "unit": "pupils",
        "value": 2000,
        "exceptions": [{"when": "founded_year <= 2010 or migrant_share > 0.5", "value": 2400}],
    }
    rules = make_rules(rule)
    study = build_five_villages(schools={"W": WorldSchool(places=2000, roll=2300), "E": WorldSchool(roll=2500)})
    west, east = (pick(check(study, rules), name) for name in "WE")
    assert west["status"] == "unknown"
    assert west["missing"] == "assets.founded_year;assets.migrant_pupils" and west["measured"] == 2300
    assert (east["status"], east["limit"], east["cure"], east["cure_amount"]) == ("failed", 2000, "places", 500)
    for facts, status, limit in (
        ({"founded_year": 2005}, "passed", 2400),
        ({"founded_year": 2015, "migrant_pupils": 100}, "failed", 2000),
        ({"founded_year": 2015, "migrant_pupils": 2000}, "passed", 2400),
    ):
        known = add_rows(study, "assets", {"school_id": "W", "stage": "", "year": 2025, **facts})
        row = pick(check(known, rules), "W")
        assert (row["status"], row["limit"]) == (status, limit), facts
    assert str(tell_cure(east, rules)) == "500 places at other schools would cure it."


def test_nine_year_schools_count_both_stages() -> None:
    rules = make_rules({"key": "max_school_pupils", "unit": "pupils", "value": 100, "kind": ["nine_year"]})
    school = WorldSchool(
        kind="nine_year",
        stages=("primary", "junior"),
        roll={"primary": 70, "junior": 50},
        places={"primary": 80, "junior": 60},
    )
    checks = check(build_world("a/S", pupils={"a": 10}, schools={"S": school}), rules)
    assert (pick(checks, "S")["measured"], pick(checks, "S")["cure_amount"]) == (120, 20)


def test_number_of_classes_and_small_schools() -> None:
    rules = make_rules(
        {"key": "max_classes", "unit": "classes", "value": 1},
        {"key": "min_school_pupils", "unit": "pupils", "op": ">=", "value": 50, "severity": "note"},
    )
    checks = check(build_five_villages(), rules)
    assert (pick(checks, "W")["cure"], pick(checks, "W")["cure_amount"]) == ("classes", 1)
    small = pick(checks, "W", "T1")
    assert (small["status"], small["short_by"], small["cure"]) == ("failed", 10, "")
    assert str(tell_check(small, rules)).endswith(
        "40 pupils, but the rule says at least 50 pupils: 10 pupils too little."
    )


TRAVEL = make_rules(
    {"key": "max_travel_min", "unit": "min", "value": 30},
    {"key": "min_bus_seats", "unit": "seats", "op": ">=", "value": 7, "severity": "note"},
)


def test_travel_time_of_communities_and_the_bus_that_cures_it() -> None:
    """Five villages on a line, one school at the end: a is 40 min away. By car 8 min × 1.5 + 5 = 17: a bus helps."""
    study = build_world("a b c d e/E", pupils={"a": 12, "b": 5, "e": 3}, schools={"E": WorldSchool(places=100)})
    checks = check(study, TRAVEL)
    far, edge = pick(checks, "a"), pick(checks, "b")
    assert (far["status"], far["measured"], far["short_by"]) == ("failed", 40, 10)
    assert (far["cure"], far["cure_amount"], far["pupils"]) == ("bus", 12, 12)
    assert (edge["status"], edge["measured"]) == ("passed", 30)
    assert set(checks["subject_id"]) == {"a", "b", "e"}, "nobody lives in c and d"
    mended = check(study, TRAVEL, AddBusLine(school_id="E", unit_ids=("a",), seats=far["cure_amount"]))
    assert (pick(mended, "a")["status"], pick(mended, "a")["measured"]) == ("passed", 17)


def test_a_bus_too_slow_is_no_cure() -> None:
    study = build_world("a + + + + + + + + + + + + + e/E", pupils={"a": 12}, schools={"E": WorldSchool(places=100)})
    far = pick(check(study, TRAVEL), "a")  # 14 km: 28 min by car, 47 with stops
    assert (far["status"], far["cure"]) == ("failed", "")


def test_a_limit_for_low_grades_is_silent_about_the_upper_ones() -> None:
    """Grades 1 to 3 of a stay at its teaching point; only grades 4 to 6 go the 40 minutes to E."""
    rules = make_rules({"key": "max_travel_min", "unit": "min", "value": 30, "grades": [1, 2, 3]})
    schools = {"E": WorldSchool(places=100), "A": WorldSchool(places=20)}
    study = build_world("a/A b c d e/E", pupils={"a": 12}, schools=schools)
    point = MakeTeachingPoint(school_id="A")
    row = pick(check(study, rules, point), "a")
    assert (row["status"], row["measured"], row["pupils"]) == ("passed", 0, 6)
    every = make_rules({"key": "max_travel_min", "unit": "min", "value": 30})
    assert pick(check(study, every, point), "a")["status"] == "failed"
    low, high = {"key": "max_travel_min", "unit": "min", "value": 30, "grades": [1, 2, 3]}, {
        "key": "max_travel_min", "unit": "min", "value": 35, "grades": [4, 5, 6]}  # fmt: skip
    both = check(study, make_rules(low, high), point)
    assert pick(both, "a", "T0")["status"] == "passed"
    upper = pick(both, "a", "T1")
    assert (upper["status"], upper["short_by"], upper["pupils"]) == ("failed", 5, 6)
    assert "grades 4 to 6" in str(tell_check(upper, make_rules(low, high)))


def test_the_radius_follows_the_setting_and_says_when_it_is_not_known() -> None:
    """d (urban) is 1,000 m from E; c (rural) 2,000 m; the rules are 500 m in towns and 2,000 m in villages."""
    rules = make_rules(
        {"key": "service_radius", "unit": "m", "value": 500, "setting": ["urban"]},
        {"key": "service_radius", "unit": "m", "value": 2000, "setting": ["rural"]},
    )
    study = build_five_villages()
    checks = check(study, rules)
    assert (pick(checks, "d")["status"], pick(checks, "d")["short_by"]) == ("failed", 500)
    assert pick(checks, "c", "T1")["status"] == "passed" and pick(checks, "c", "T1")["measured"] == 2000
    blank = check(build_five_villages(units={"d": WorldUnit()}, schools={}), rules)
    row = pick(blank, "d")
    assert (row["status"], row["missing"]) == ("unknown", "units.setting")


def test_pupils_beyond_the_radius_of_a_school() -> None:
    """W has a and b, rural, 0 and 1,000 m; E has c, d and e: only d and e are urban, d (20 of 50) is too far."""
    rules = make_rules(
        {"key": "max_beyond_share", "unit": "share", "value": 0.1, "severity": "note"},
        {"key": "service_radius", "unit": "m", "value": {"primary": 500}, "setting": ["urban"]},
    )
    checks = check(build_five_villages(), rules)
    assert pick(checks, "E")["measured"] == pytest.approx(0.4)
    assert not ((checks["subject_id"] == "W") & (checks["rule_id"] == "T0")).any(), "no rule sets a radius there"
    blank = check(build_world("a/S b", pupils={"a": 1, "b": 2}), rules)
    assert (pick(blank, "S")["status"], pick(blank, "S")["missing"]) == ("unknown", "units.setting")


def test_an_island_fails_without_a_number() -> None:
    checks = check(build_island(), TRAVEL)
    row = pick(checks, "i")
    assert row["status"] == "failed" and math.isnan(row["measured"]) and row["cure"] == ""
    assert str(tell_check(row, TRAVEL)) == "i (primary school): no school can be reached; children there: 5."


def test_the_detour_of_a_zone() -> None:
    """The zone sends d (10 min from E) to W, 30 min away: 20 more."""
    rules = make_rules({"key": "max_detour_min", "unit": "min", "value": 10, "severity": "note"})
    zones = [(unit, "primary", school) for unit, school in zip("abcde", "WWWWE", strict=True)]
    study = build_five_villages(zones=zones)
    row = pick(check(study, rules, enrolment="zones"), "d")
    assert (row["status"], row["measured"], row["short_by"]) == ("failed", 20, 10)
    outcome = ask(study, rules)
    left = list_not_checked(rules, outcome, check_rules(study, rules, outcome))
    assert left["rule_id"].tolist() == ["T0"] and "zones" in str(left["reason"][0])


def test_land_per_pupil_of_the_whole_school() -> None:
    """70 primary and 50 junior pupils on 2,000 m²: 16.67 m² each, 22 wanted: 640 m² short."""
    rules = make_rules({"key": "site_area_per_pupil", "unit": "m2", "op": ">=", "value": {"primary": 22}})
    school = WorldSchool(kind="nine_year", stages=("primary", "junior"), roll={"primary": 70, "junior": 50})
    study = build_world("a/S", pupils={"a": 10}, schools={"S": school})
    assert pick(check(study, rules), "S")["missing"] == "schools.site_area_m2"
    row = pick(check(change(study, "schools", "S", site_area_m2=2000.0), rules), "S")
    assert row["measured"] == pytest.approx(2000 / 120) and row["status"] == "failed"
    assert (row["cure"], row["cure_amount"]) == ("m2", 640)


def test_large_classes_of_the_county() -> None:
    """Of 4 + 6 + 10 classes only E's 4 (of 60) are large: 4 of 20; 5 % allowed. 240 / 5 = 48: one more class."""
    rules = make_rules(
        {"key": "max_large_class_share", "unit": "share", "value": 0.05},
        {"key": "large_class_from", "unit": "pupils", "op": "<", "value": 56},
    )
    study = build_street(
        schools={
            "W": WorldSchool(classes=6, roll=240),
            "M": WorldSchool(classes=10, roll=400),
            "E": WorldSchool(classes=4, roll=240),
        }
    )
    row = pick(check(study, rules), "", subject="county")
    assert (row["status"], row["measured"], row["cure"], row["cure_amount"]) == ("failed", 0.2, "classes", 1)
    sizes, classes = np.array([60.0, 120.0]), np.array([10.0, 1.0])
    assert count_share_cure(sizes, classes, 56, 0.5) == 1  # ten of eleven: one class mends ten
    assert count_share_cure(sizes, classes, 56, 0.0) == 3


def test_places_and_people() -> None:
    """W 100 and E 40 places for 1,000 people: 140 per 1,000; 200 asks for 60 more."""
    rules = make_rules(
        {"key": "kindergarten_seats_per_1000", "unit": "seats", "op": ">=", "value": {"primary": 200}},
        {"key": "people_per_school", "unit": "people", "value": {"primary": 400}},
    )
    study = build_five_villages()
    people = pick(check(study, rules), "", subject="county")
    assert people["missing"] == "units.population_people;places.capacity_places"
    study = replace(study, units=study.units.assign(population_people=200.0), fingerprint="people")
    checks = check(study, rules)
    county = pick(checks, "", subject="county")
    assert (county["measured"], county["cure"], county["cure_amount"]) == (140, "places", 60)
    assert pick(checks, "", "T1")["short_by"] == 100
    assert pick(checks, "Easttown", subject="town")["measured"] == 100


CLOSING = (
    {"key": "max_no_bed_pupils", "unit": "pupils", "value": 0},
    {"key": "max_no_way_pupils", "unit": "pupils", "value": 0},
    {"key": "min_boarding_grade", "unit": "grade", "op": ">=", "value": {"primary": 4}},
    {"key": "max_travel_min", "unit": "min", "value": 15},
    {"key": "min_bus_seats", "unit": "seats", "op": ">=", "value": 7, "severity": "note"},
)


def test_closures_are_judged_by_their_findings() -> None:
    """E closes: e and d go to M, 20 and 10 minutes; by bus e needs 4 × 1.5 + 5 = 11: the 15 low pupils must ride."""
    rules = make_rules(*CLOSING)
    checks = check(build_street(), rules, CloseSchool(school_id="E"))
    board = pick(checks, "E", "T2")
    assert (board["status"], board["cure"]) == ("failed", "bus") and board["cure_amount"] >= 15
    seats = board["cure_amount"]
    vague = check(build_street(), rules, CloseSchool(school_id="E"), AddBusLine(school_id="M", unit_ids=("d", "e")))
    assert (pick(vague, "E", "T4")["status"], pick(vague, "E", "T4")["missing"]) == ("unknown", "scenario.seats")
    line = AddBusLine(school_id="M", unit_ids=("d", "e"), seats=seats)
    mended = check(build_street(), rules, CloseSchool(school_id="E"), line)
    assert pick(mended, "E", "T2")["status"] == "passed"
    outcome = ask(build_street(), rules)
    left = list_not_checked(rules, outcome, check_rules(build_street(), rules, outcome))
    assert {str(reason) for reason in left["reason"]} == {"About closures; this scenario closes nothing."}


def test_beds_of_receiving_schools() -> None:
    """No ride is short enough for 9 minutes: the upper half of E's 50 pupils must board; no beds are known."""
    rules = make_rules(*CLOSING[:3], {"key": "max_travel_min", "unit": "min", "value": 9})
    study = build_street()
    row = pick(check(study, rules, CloseSchool(school_id="E")), "E", "T0")
    assert (row["status"], row["missing"]) == ("unknown", "schools.boarding_places")
    short = change(study, "schools", "M", boarding_places=5.0)
    row = pick(check(short, rules, CloseSchool(school_id="E")), "E", "T0")
    assert (row["status"], row["cure"]) == ("failed", "boarding") and row["cure_amount"] > 0
    cured = change(study, "schools", "M", boarding_places=5.0 + row["cure_amount"])
    assert pick(check(cured, rules, CloseSchool(school_id="E")), "E", "T0")["status"] == "passed"


@pytest.mark.parametrize(
    ("answer", "status", "short"),
    [
        ({}, "evidence", None),
        ({"met": "yes"}, "passed", None),
        ({"met": "no", "document": "文件〔2025〕3号"}, "failed", None),
        ({"reported_value": "92%"}, "failed", 0.03),
        ({"reported_value": "0.97", "document": "Report"}, "passed", 0.0),
        ({"reported_value": "many"}, "evidence", None),
    ],
)
def test_evidence(answer: dict[str, Any], status: str, short: float | None) -> None:
    rules = make_rules(
        {"key": "junior_retention_3y", "unit": "share", "op": ">=", "value": 0.95, "severity": "evidence"}
    )
    study = build_five_villages()
    if answer:
        study = add_rows(study, "evidence", {"item_id": "T0", **answer})
    row = pick(check(study, rules), "", subject="county")
    assert row["status"] == status and row["document"] == answer.get("document", "")
    assert row["short_by"] == pytest.approx(short) if short is not None else math.isnan(row["short_by"])
    assert str(tell_check(row, rules))


def test_a_document_answers_what_the_data_cannot() -> None:
    rules = make_rules({"key": "max_class_size", "unit": "pupils", "value": 45})
    found = check(build_five_villages(), rules)
    assert set(found["subject"]) == {"school"} and pick(found, "E")["status"] == "failed"
    known = build_five_villages(schools={"W": WorldSchool(classes=2, roll=40), "E": WorldSchool(classes=4, roll=70)})
    known = add_rows(known, "evidence", {"item_id": "T0", "met": "yes", "document": "Class list"})
    county = pick(check(known, rules), "", subject="county")
    assert (county["status"], county["document"]) == ("passed", "Class list")


def test_reported_numbers() -> None:
    assert read_reported("95%") == 0.95 and read_reported(" 1,200 ") == 1200 and read_reported("９５％") == 0.95
    assert math.isnan(read_reported("")) and math.isnan(read_reported("about half"))


def test_the_summary_counts_every_row_once() -> None:
    checks = check(build_five_villages(), read_rulebook("cn"))
    summary = summarise_checks(checks)
    assert int(summary[["passed", "failed", "unknown", "evidence"]].to_numpy().sum()) == len(checks)
    assert summarise_checks(checks.iloc[:0]).empty


@pytest.mark.parametrize(
    ("book", "stages"),
    [("cn", ("primary",)), *((book, ("kindergarten", "primary", "junior", "senior")) for book in BOOKS)],
)
def test_every_rule_of_every_book_is_checked_or_says_why_not(book: str, stages: tuple[str, ...]) -> None:
    rules = read_rulebook(book)
    schools = {
        "S": WorldSchool(stages=("kindergarten", "primary", "junior", "senior"), roll=30, classes=1, setting="urban"),
        "N": WorldSchool(kind="nine_year", stages=("primary", "junior"), setting="rural"),
    }
    pupils = {stage: {"a": 10, "b": 20} for stage in ("kindergarten", "primary", "junior", "senior")}
    study = build_world("a/S b c/N", pupils=pupils, schools=schools)
    outcome = ask(study, rules, stages=stages)
    checks = check_rules(study, rules, outcome)
    left = list_not_checked(rules, outcome, checks)
    assert set(checks["rule_id"]) | set(left["rule_id"]) == {rule.id for rule in rules.rules if rule.enabled}
    assert not set(checks["rule_id"]) & set(left["rule_id"])
    assert set(checks["status"]) <= set(STATUSES) and set(checks["subject"]) <= set(SUBJECTS)
    assert set(checks["cure"]) <= set(CURES)
    assert not (checks["status"].eq("unknown") & checks["missing"].eq("")).any()
    assert all(str(tell_check(row, rules)) and (tell_cure(row, rules) or True) for row in iterate_checks(checks))
    assert all(str(reason) for reason in left["reason"])


def test_the_registry_knows_every_key_that_is_measured() -> None:
    measured = {name for name, key in KEYS.items() if key.use == "measured"}
    assert measured <= set(RULE_CHECKS) <= set(KEYS)


SIX = [f"S{number}" for number in range(6)]
CURED = {"T0": ("places", "capacity_places", 1), "T1": ("rolls", "classes", 1), "T2": ("schools", "site_area_m2", 1)}
ELSEWHERE = {"T3": ("rolls", "pupils", -1)}
_school = st.tuples(st.integers(1, 400), st.integers(1, 200), st.integers(1, 9), st.integers(0, 9000))


@settings(max_examples=6, deadline=None, phases=[Phase.generate])
@given(
    known=st.lists(_school, min_size=6, max_size=6),
    limit=st.sampled_from([0.85, 0.9, 1.0]),
    op=st.sampled_from(["<", "<="]),
)
def test_the_cure_cures_and_one_less_does_not(known: list[tuple[int, ...]], limit: float, op: str) -> None:
    rules = make_rules(
        {"key": "max_fill_share", "unit": "share", "op": op, "value": limit},
        {"key": "large_class_from", "unit": "pupils", "op": op, "value": 50 * limit},
        {"key": "site_area_per_pupil", "unit": "m2", "op": ">=", "value": 22.5},
        {"key": "max_school_pupils", "unit": "pupils", "op": op, "value": 90},
    )
    schools = {
        name: WorldSchool(roll=roll, places=places, classes=classes)
        for name, (roll, places, classes, _) in zip(SIX, known, strict=True)
    }
    study = build_world("a/S0 /S1 /S2 /S3 /S4 /S5", pupils={"a": 10}, schools=schools)
    for name, (*_, site) in zip(SIX, known, strict=True):
        study = change(study, "schools", name, site_area_m2=float(site))
    found = check(study, rules)
    for cures in (CURED, ELSEWHERE):
        judged = found[found["rule_id"].isin(list(cures)) & found["subject"].eq("school")]
        failed = judged[judged["status"] == "failed"]
        assert (failed["cure_amount"] >= 1).all() and (judged.loc[judged["status"] == "passed", "cure"] == "").all()
        for less, wanted in ((0.0, "passed"), (1.0, "failed")):
            mended = study
            for row in iterate_checks(failed):
                mended = _apply(mended, row.subject_id, cures[row.rule_id], row.cure_amount - less)
            again = check(mended, rules).set_index(["rule_id", "subject_id"])["status"]
            assert all(again[row.rule_id, row.subject_id] == wanted for row in iterate_checks(failed))


def _apply(study: StudyArea, school_id: str, where: tuple[str, str, int], amount: float) -> StudyArea:
    """Return the study with an amount more (or less) in one number of a school."""
    table, column, sign = where
    found = getattr(study, table)
    now = float(found.loc[found["school_id"] == school_id, column].iloc[0])
    return change(study, table, school_id, **{column: now + sign * amount})


def test_shuffling_rows_changes_nothing() -> None:
    from tests.planning.action_worlds import shuffle

    rules = read_rulebook("cn")
    study = build_five_villages()
    first = check(study, rules)
    pd.testing.assert_frame_equal(first, check(shuffle(study, 3), rules))


def test_a_reported_number_decides_before_its_yes_and_percent_is_never_guessed() -> None:
    def answer(**given: str) -> Any:
        study = add_rows(build_five_villages(), "evidence", {"item_id": "G14", "met": "yes", **given})
        return pick(check(study, read_rulebook("cn")), "", "G14", subject="county")

    assert answer(reported_value="58%")["status"] == "passed"
    row = answer(reported_value="30%")
    assert (row["status"], row["short_by"]) == ("failed", pytest.approx(0.2))
    row = answer(reported_value="58")  # not a share: the yes stands by itself
    assert row["status"] == "passed" and math.isnan(row["measured"])
