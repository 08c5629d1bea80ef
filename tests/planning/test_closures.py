"""What a closure answers, on tiny worlds worked by hand.

A cell is 1,000 m: 10 min on foot, 2 min by car. A ride by bus is the time by car × 1.5 + 5 min. The national rulebook
lets primary pupils walk 30 min (C6), lets nobody below grade 4 board (C5), and knows no bus below 7 seats (T3).
"""

import dataclasses
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.action_steps import BUS_COLUMNS, PIN_COLUMNS, Applied, apply_actions
from planning.actions import (
    AddBoarding,
    AddBusLine,
    ChangeStages,
    CloseSchool,
    MakeTeachingPoint,
    MergeSchools,
    StagePlaces,
)
from planning.closures import build_closures
from planning.rules import Rules, read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, build_world

CN = read_rulebook("cn")
LINE = "a b/S c d e/T"
PUPILS = {"a": 12, "b": 24, "c": 18, "d": 6, "e": 30}
"""S has a, b, c (54 pupils), T has d and e (36). Without S, a walks 40 min, b 30 and c 20 to T."""


def _answer(study, changed, actions, *, rules: Rules = CN, bus=(), **settings):
    """Return the answers to ``actions``, whose result ``changed`` is given."""
    scenario = Scenario("plan", actions=tuple(actions), **settings)
    applied = Applied(
        study=changed,
        scenario=dataclasses.replace(scenario, actions=()),
        pins=pd.DataFrame(columns=list(PIN_COLUMNS)),
        changes=apply_actions(study, rules, scenario).changes,
        bus=pd.DataFrame(list(bus), columns=list(BUS_COLUMNS)),
        in_force=tuple(True for _ in scenario.all_actions),
    )
    before = run_scenario(study, rules, applied.scenario).stages
    after = run_scenario(changed, rules, applied.scenario).stages
    return build_closures(study, rules, scenario, applied, before, after)


def _world(picture=LINE, pupils=PUPILS, **schools):
    known = {"S": WorldSchool(places=60), "T": WorldSchool(places=100)} | schools
    return build_world(picture, pupils=pupils, schools={key: known[key] for key in known if f"/{key}" in picture})


def _without_s(picture=LINE, **schools):
    return _world(picture.replace("/S", ""), **schools)


def _beds(study, school_id, beds):
    schools = study.schools.copy()
    schools.loc[schools["school_id"] == school_id, "boarding_places"] = beds
    return dataclasses.replace(study, schools=schools)


def _rules(answer):
    return {(finding.rule_id, finding.severity) for finding in answer.findings}


def _row(table, key):
    return table.set_index(table.columns[0]).loc[key]


def test_who_goes_where_with_minutes_before_and_after():
    (answer,) = _answer(_world(), _without_s(), [CloseSchool(school_id="S")])
    assert (answer.number, answer.what, answer.school_id, answer.stage) == (1, "closed", "S", "primary")
    assert answer.pupils == 54 and math.isnan(answer.roll_pupils)
    communities = answer.communities.set_index("unit_id")
    assert communities["pupils"].to_dict() == {"a": 12, "b": 24, "c": 18}
    assert communities["min_before"].tolist() == [10, 0, 10]
    assert communities["min_after"].tolist() == [40, 30, 20]
    assert communities["m_after"].tolist() == [4000, 3000, 2000]
    assert communities["beyond_limit"].tolist() == [True, False, False]
    assert set(communities["school_ids"]) == {"T"} and set(communities["low_pupils"]) == {6, 12, 9}
    receiver = _row(answer.receivers, "T")
    assert (receiver["pupils_added"], receiver["pupils_before"], receiver["pupils_after"]) == (54, 36, 90)
    assert (receiver["fill_before"], receiver["fill_after"]) == (0.36, 0.9)
    assert receiver["mean_min"] == pytest.approx((12 * 40 + 24 * 30 + 18 * 20) / 54) and receiver["max_min"] == 40


def test_grades_of_even_cohorts_and_who_must_ride_or_may_board():
    """Of a's 12 pupils 2 are in every grade; the ride takes 8 × 1.5 + 5 = 17 min."""
    (answer,) = _answer(_world(), _without_s(), [CloseSchool(school_id="S")])
    grades = answer.grades.set_index("grade")
    assert grades["pupils"].tolist() == pytest.approx([9] * 6)
    assert grades.loc[1, "min_before"] == pytest.approx(300 / 54)
    assert grades.loc[6, "min_after"] == pytest.approx(1560 / 54) and grades.loc[6, "max_after"] == 40
    assert grades["beyond_pupils"].tolist() == pytest.approx([2] * 6)
    assert grades["may_board"].tolist() == [False] * 3 + [True] * 3
    assert grades["must_ride_pupils"].tolist() == pytest.approx([2, 2, 2, 0, 0, 0])
    assert grades["may_board_or_ride_pupils"].tolist() == pytest.approx([0, 0, 0, 2, 2, 2])
    a = _row(answer.communities, "a")
    assert (a["must_ride_pupils"], a["ride_or_board_pupils"], a["must_board_pupils"]) == pytest.approx((6, 6, 0))
    assert answer.bus_seats_needed == 12 and answer.bus_seats == 0 and answer.beds_needed == pytest.approx(6)
    assert {("C6", "warn"), ("C5", "warn")} <= _rules(answer) and not any(s == "block" for _, s in _rules(answer))
    upper = [item for item in answer.findings if "who may board" in str(item.message)]
    assert [(item.rule_id, str(item.message)[:28]) for item in upper] == [("C1.travel", "6 pupils of the upper grades")]


def test_grades_follow_the_roll_of_the_school_that_closes():
    """Roll 10, 10, 10, 20, 20, 30: half as many low pupils (0.3) as even cohorts would say."""
    by_grade = [10, 10, 10, 20, 20, 30]
    rows = [("S", 2025, "primary", grade, float(n), math.nan) for grade, n in enumerate(by_grade, start=1)]
    columns = ["school_id", "year", "stage", "grade", "pupils", "classes"]
    rolls = pd.DataFrame(rows, columns=columns)
    study, changed = (dataclasses.replace(world, rolls=rolls) for world in (_world(), _without_s()))
    (answer,) = _answer(study, changed, [CloseSchool(school_id="S")])
    assert answer.roll_pupils == 100
    assert answer.grades["pupils"].tolist() == pytest.approx([54 * n / 100 for n in by_grade])
    assert _row(answer.communities, "a")["low_pupils"] == pytest.approx(12 * 0.3)
    assert not any("of equal size" in str(finding.message) for finding in answer.findings)


def test_a_bus_line_of_the_plan_carries_whom_it_is_quicker_for():
    """The line needs 17 min from a (own way 40) and 25 min from c (own way 20: nobody of c takes it)."""
    changed = _without_s()
    walk = changed.travel["walk"]
    time_min = walk.time_min.copy()
    time_min[walk.unit_ids.index("a"), 0] = 17.0
    changed = dataclasses.replace(
        changed, travel={**changed.travel, "walk": dataclasses.replace(walk, time_min=time_min)}
    )
    line = [(2, "a", "T", 17.0, 10.0), (2, "c", "T", 25.0, 10.0)]
    actions = [CloseSchool(school_id="S"), AddBusLine(school_id="T", unit_ids=("a", "c"), seats=10)]
    (answer,) = _answer(_world(), changed, actions, bus=line)
    assert answer.communities.set_index("unit_id")["served_by_bus"].to_dict() == {"a": True, "b": False, "c": False}
    assert _row(answer.communities, "a")["bus_pupils"] == 12 and not answer.communities["beyond_limit"].any()
    assert answer.bus_seats_needed == 12 and answer.bus_seats == 10 and answer.beds_needed == 0
    assert _rules(answer) == {("T3", "warn"), ("", "note")}


def test_a_bus_has_at_least_seven_seats():
    (answer,) = _answer(
        _world(pupils={"a": 2, "e": 30}), _without_s(pupils={"a": 2, "e": 30}), [CloseSchool(school_id="S")]
    )
    assert answer.bus_seats_needed == 7


FAR = "a b/S c + + + + + + + + + + + + e/T"
"""Without S: a is 15 cells from T: 150 min on foot, by bus 30 × 1.5 + 5 = 50 min; b 47 min, c 44 min."""


def test_low_grades_beyond_every_ride_block_and_upper_grades_need_beds():
    """Nobody can ride in 30 min. 27 low pupils must not board: no lawful way. 27 upper ones must board."""
    pupils = {"a": 12, "b": 24, "c": 18, "e": 30}
    study, changed = _world(FAR, pupils), _without_s(FAR, pupils=pupils)
    (answer,) = _answer(study, changed, [CloseSchool(school_id="S")])
    assert answer.communities["no_way_pupils"].sum() == pytest.approx(27)
    assert answer.communities["must_board_pupils"].sum() == pytest.approx(27)
    assert answer.beds_needed == pytest.approx(27) and math.isnan(answer.beds_free)
    assert {("C5", "block"), ("C1.boarding", "warn")} <= _rules(answer)
    assert answer.bus_seats_needed == 0
    (answer,) = _answer(study, _beds(changed, "T", 20.0), [CloseSchool(school_id="S")])
    assert ("C1.boarding", "block") in _rules(answer) and answer.beds_free == 20
    (answer,) = _answer(study, _beds(changed, "T", 27.0), [CloseSchool(school_id="S")])
    assert ("C1.boarding", "note") in _rules(answer) and ("C5", "warn") in _rules(answer)


def test_where_no_car_gets_through_nobody_can_ride_and_without_car_times_it_is_not_known():
    changed = _without_s()
    drive = changed.travel["drive"]
    cut = dataclasses.replace(drive, time_min=drive.time_min * math.nan)
    blocked = dataclasses.replace(changed, travel={**changed.travel, "drive": cut})
    (answer,) = _answer(_world(), blocked, [CloseSchool(school_id="S")])
    assert answer.communities["no_way_pupils"].sum() == pytest.approx(6) and ("C5", "block") in _rules(answer)
    on_foot = dataclasses.replace(changed, travel={"walk": changed.travel["walk"]})
    (answer,) = _answer(_world(), on_foot, [CloseSchool(school_id="S")])
    assert answer.communities["must_ride_pupils"].sum() == pytest.approx(6) and answer.bus_seats_needed == 12
    assert any("no times by car" in str(finding.message) for finding in answer.findings)


def test_nobody_may_be_left_without_a_school():
    """Water parts a and b from T."""
    picture = "a b/S . e/T"
    pupils = {"a": 12, "b": 24, "e": 30}
    (answer,) = _answer(_world(picture, pupils), _without_s(picture, pupils=pupils), [CloseSchool(school_id="S")])
    assert answer.receivers.empty and answer.pupils == 36
    assert answer.communities["receivers"].tolist() == ["", ""] and answer.communities["min_after"].isna().all()
    assert answer.communities["beyond_limit"].all() and answer.communities["no_way_pupils"].sum() == pytest.approx(18)
    assert ("C1.travel", "block") in _rules(answer) and answer.bus_seats_needed == 0


def test_places_class_sizes_and_sizes_of_the_receiver():
    """T: 36 + 54 = 90 pupils for 80 places (10 short), which are meant for 80 / 45 = 1 class."""
    small = {"T": WorldSchool(places=80, classes=1.5)}
    (answer,) = _answer(_world(**small), _without_s(**small), [CloseSchool(school_id="S")])
    receiver = _row(answer.receivers, "T")
    assert receiver["class_pupils_before"] == 24 and receiver["class_pupils_after"] == 60
    # 90 / 1.5 = 60 in a class (24 today): large classes, newly made, and no room for more
    assert {("P7.red", "block"), ("C1.size", "block")} <= _rules(answer)
    said = " ".join(str(finding.message) for finding in answer.findings)
    assert "90 pupils for 80 places: 10 short" in said
    assert "60.0 pupils in a class with its 2 classes; to keep to 45 it needs 2, and its places are meant for 2" in said
    # 36 / 0.6 = 60 were large before, 150 are super-large now
    large = {"T": WorldSchool(places=20, classes=0.6)}
    (answer,) = _answer(_world(**large), _without_s(**large), [CloseSchool(school_id="S")])
    assert ("C1.size", "block") in _rules(answer)
    # 90 / 1.8 = 50: over the limit of 45, not large
    over = {"T": WorldSchool(places=80, classes=1.8)}
    (answer,) = _answer(_world(**over), _without_s(**over), [CloseSchool(school_id="S")])
    assert ("G5", "warn") in _rules(answer) and ("C1.size", "block") not in _rules(answer)
    # 90 places are meant for 2 classes of 45: with one class more nobody is in a large class
    room = {"T": WorldSchool(places=90, classes=1)}
    (answer,) = _answer(_world(**room), _without_s(**room), [CloseSchool(school_id="S")])
    assert ("L8.super_large", "warn") in _rules(answer) and ("C1.size", "block") not in _rules(answer)


def test_an_oversize_school_is_a_block_new_or_old():
    pupils = {"a": 100, "b": 500, "c": 100, "d": 6, "e": 1500}
    big = {"T": WorldSchool(places=3000)}
    study, changed = _world(pupils=pupils, **big), _without_s(pupils=pupils, **big)
    (answer,) = _answer(study, changed, [CloseSchool(school_id="S")])
    assert ("C1.size", "block") in _rules(answer)
    lenient = [rule for rule in CN.rules if rule.id != "C1.size"]
    lenient.append(dataclasses.replace(CN.by_id("C1.size"), value={"primary": 1}))  # one such school is allowed
    rules = dataclasses.replace(CN, rules=tuple(lenient))
    (answer,) = _answer(study, changed, [CloseSchool(school_id="S")], rules=rules)
    assert ("G4", "block") in _rules(answer) and ("C1.size", "block") not in _rules(answer)
    pupils["e"] = 2500
    study, changed = _world(pupils=pupils, **big), _without_s(pupils=pupils, **big)
    (answer,) = _answer(study, changed, [CloseSchool(school_id="S")])
    assert ("G4", "block") in _rules(answer) and ("C1.size", "block") not in _rules(answer)


def test_a_teaching_point_keeps_the_low_grades():
    """27 of S's 54 pupils are above grade 3 and leave; T takes them."""
    point = {"S": WorldSchool(kind="teaching_point", places=60)}
    (answer,) = _answer(_world(), _world(**point), [MakeTeachingPoint(school_id="S")])
    assert answer.what == "teaching_point" and answer.pupils == pytest.approx(27)
    assert answer.grades["grade"].tolist() == [4, 5, 6] and answer.grades["pupils"].tolist() == pytest.approx([9] * 3)
    assert answer.communities["low_pupils"].sum() == 0 and answer.communities["upper_pupils"].sum() == pytest.approx(27)
    assert _row(answer.receivers, "T")["pupils_added"] == pytest.approx(27)
    assert answer.assets["site_area_m2"] == 0 and answer.assets["places"] == 0


def test_low_grades_may_go_to_a_teaching_point_nearby():
    """S closes; the point P in c takes the low grades of a, b, c; the upper ones go on to T."""
    schools = {"P": WorldSchool(kind="teaching_point", places=60)}
    picture = "a b/S c/P d e/T"
    (answer,) = _answer(_world(picture, **schools), _without_s(picture, **schools), [CloseSchool(school_id="S")])
    # c's low grades are at P today: S has a and b (36) and the upper half of c (9)
    assert answer.pupils == pytest.approx(45)
    added = answer.receivers.set_index("school_id")["pupils_added"].to_dict()
    assert added == pytest.approx({"T": 27, "P": 18})
    a = _row(answer.communities, "a")
    assert a["school_ids"] in ("P;T", "T;P") and a["min_after"] == pytest.approx((20 + 40) / 2)
    grades = answer.grades.set_index("grade")
    assert grades.loc[1, "pupils"] == pytest.approx(6) and grades.loc[4, "pupils"] == pytest.approx(9)
    assert grades.loc[1, "max_after"] == 20 and grades.loc[4, "max_after"] == 40


def test_a_unit_that_was_only_partly_there_counts_with_its_part():
    """b's zone is shared by S and T: half of its 24 pupils leave."""
    zones = [("b", "primary", "S"), ("b", "primary", "T"), ("a", "primary", "S"), ("c", "primary", "T")]
    zones += [("d", "primary", "T"), ("e", "primary", "T")]
    study = build_world(LINE, pupils=PUPILS, schools={"S": WorldSchool(), "T": WorldSchool()}, zones=zones)
    changed = build_world(
        LINE.replace("/S", ""), pupils=PUPILS, schools={"T": WorldSchool()}, zones=[z for z in zones if z[2] == "T"]
    )
    (answer,) = _answer(study, changed, [CloseSchool(school_id="S")], enrolment="zones")
    assert answer.communities.set_index("unit_id")["pupils"].to_dict() == pytest.approx({"a": 12, "b": 12})
    assert answer.pupils == pytest.approx(24)


def test_mergers_give_an_answer_for_every_school_and_campuses_none():
    picture = "a/S b c/U d e/T"
    known = {"U": WorldSchool(places=50)}
    changed = _world("a b c d e/T", **known)
    merged = MergeSchools(school_ids=("S", "U"), into=("T",))
    answers = _answer(_world(picture, **known), changed, [merged])
    assert [(answer.school_id, answer.what, answer.number) for answer in answers] == [
        ("S", "merged", 1),
        ("U", "merged", 1),
    ]
    assert [answer.pupils for answer in answers] == pytest.approx([36, 18])  # b is 10 min from S and U: S by id
    campus = MergeSchools(school_ids=("S", "U"), into=("T",), as_campus=True)
    assert _answer(_world(picture, **known), _world(picture, **known), [campus]) == ()


def test_what_belongs_to_the_whole_school_is_freed_once():
    """A nine-year school closes: two answers, its land with the first; a dropped stage frees no land."""
    both = ("primary", "junior")
    nine = WorldSchool(
        kind="nine_year", stages=both, places={"primary": 60, "junior": 30}, classes={"primary": 2, "junior": 1}
    )
    other = WorldSchool(kind="nine_year", stages=both, places={"primary": 90, "junior": 90})
    pupils = {"primary": PUPILS, "junior": {key: value / 2 for key, value in PUPILS.items()}}
    study = _world(pupils=pupils, S=nine, T=other)
    schools = study.schools.assign(site_area_m2=9000.0)
    study = dataclasses.replace(study, schools=schools)
    changed = _without_s(pupils=pupils, T=other)
    first, second = _answer(study, changed, [CloseSchool(school_id="S")], stages=both)
    assert (first.stage, second.stage) == both and second.grades["grade"].tolist() == [7, 8, 9]
    assert first.assets["site_area_m2"] == 9000 and second.assets["site_area_m2"] == 0
    assert (first.assets["places"], second.assets["places"], second.assets["classes"]) == (60, 30, 1)
    assert math.isnan(first.assets["floor_area_m2"]) and math.isnan(first.assets["boarding_places"])
    only = WorldSchool(kind="primary", places=60, classes=2)
    (answer,) = _answer(
        study, _world(pupils=pupils, S=only, T=other), [ChangeStages(school_id="S", drop=("junior",))], stages=both
    )
    assert (answer.stage, answer.what, answer.assets["site_area_m2"], answer.assets["places"]) == (
        "junior",
        "stages",
        0,
        30,
    )


def test_without_a_limit_it_is_not_known_who_must_ride():
    both = {"junior": PUPILS}
    school = WorldSchool(kind="junior", stages=("junior",), places=100)
    study, changed = _world(pupils=both, S=school, T=school), _without_s(pupils=both, T=school)
    (answer,) = _answer(study, changed, [CloseSchool(school_id="S")], stages=("junior",))
    assert not answer.communities["beyond_limit"].any() and answer.grades["may_board"].all()
    assert any("no limit of travel time" in str(finding.message) for finding in answer.findings)


def test_a_rulebook_without_boarding_rules_lets_everybody_board():
    (answer,) = _answer(_world(), _without_s(), [CloseSchool(school_id="S")], rules=_only_limit())
    a = _row(answer.communities, "a")
    assert a["must_ride_pupils"] == 0 and a["ride_or_board_pupils"] == 12 and answer.grades["may_board"].all()


def _only_limit():
    return dataclasses.replace(CN, rules=tuple(rule for rule in CN.rules if rule.key == "max_travel_min"))


def test_a_school_to_which_the_model_sends_nobody_says_so():
    roll = {"S": WorldSchool(places=60, roll=40)}
    study = _world(pupils={"d": 6, "e": 30}, **roll)
    (answer,) = _answer(study, _without_s(pupils={"d": 6, "e": 30}), [CloseSchool(school_id="S")])
    assert answer.roll_pupils == 40 and answer.pupils == 0
    nobody = build_world(
        "+/S + + d e/T", pupils={"d": 6, "e": 30}, schools={"S": WorldSchool(roll=40), "T": WorldSchool()}
    )
    then = build_world("+ + + d e/T", pupils={"d": 6, "e": 30}, schools={"T": WorldSchool()})
    (answer,) = _answer(nobody, then, [CloseSchool(school_id="S")])
    assert answer.communities.empty and answer.receivers.empty and answer.grades.empty
    assert "40 pupils on its roll" in str(answer.findings[0].message)


def test_children_whose_number_is_unknown_stay_unknown():
    study, changed = _world(), _without_s()
    unknown = study.units["primary_pupils"].where(study.units["unit_id"] != "a")
    study, changed = (dataclasses.replace(w, units=w.units.assign(primary_pupils=unknown)) for w in (study, changed))
    (answer,) = _answer(study, changed, [CloseSchool(school_id="S")])
    assert math.isnan(_row(answer.communities, "a")["pupils"]) and answer.pupils == 42
    assert any("is not known" in str(finding.message) for finding in answer.findings)


def test_actions_not_in_force_and_stages_not_asked_for_have_no_answer():
    assert _answer(_world(), _without_s(), [CloseSchool(school_id="S", stages=("junior",))]) == ()
    assert _answer(_world(), _without_s(), [CloseSchool(school_id="X")]) == ()


def _ask(*actions, study=None, **settings):
    """Return number, what, school and pupils of every answer of a run."""
    outcome = run_scenario(study or _world(), CN, Scenario(actions=actions, **settings))
    return [(item.number, item.what, item.school_id, item.pupils) for item in outcome.closures]


def test_an_action_in_error_has_no_answer():
    """Nothing may be left without a school, and what is closed cannot close again: S stands with what closed it."""
    close_s, close_t = CloseSchool(school_id="S"), CloseSchool(school_id="T")
    assert _ask(close_s, close_t) == [(1, "closed", "S", 54)]
    merged = MergeSchools(school_ids=("S",), into=("T",), year=2026)
    assert _ask(merged, CloseSchool(school_id="S", year=2030)) == [(1, "merged", "S", 54)]
    assert _ask(CloseSchool(school_id="S", year=2030), merged) == [(2, "merged", "S", 54)]


def test_the_action_that_takes_effect_last_counts():
    """S keeps grades 1 to 3 from 2026 and closes in 2030, whatever the order of the list."""
    point, closed = MakeTeachingPoint(school_id="S", year=2026), CloseSchool(school_id="S", year=2030)
    assert _ask(point, closed) == [(2, "closed", "S", 54)]
    assert _ask(closed, point) == [(1, "closed", "S", 54)]
    assert _ask(closed, point, year=2026) == [(2, "teaching_point", "S", 27)]


def test_a_stage_that_comes_back_is_no_closure():
    """S gives up primary school for junior school, and takes it back; a teaching point with a junior stage is none."""
    swap = ChangeStages(school_id="S", drop=("primary",), add=(StagePlaces("junior", 60),))
    assert _ask(swap, ChangeStages(school_id="S", add=(StagePlaces("primary", 60),))) == []
    nine = ChangeStages(school_id="S", add=(StagePlaces("junior", 60),))
    assert _ask(MakeTeachingPoint(school_id="S"), nine) == []


def test_a_run_answers_for_its_closures_with_the_buses_and_beds_of_the_plan():
    """The whole way: a (40 min from T) rides 8 × 1.5 + 5 = 17 min; c walks 20 min; nobody is beyond the limit."""
    line = AddBusLine(school_id="T", unit_ids=("a",), seats=19)
    merged = MergeSchools(school_ids=("S",), into=("T",), year=2026)
    roll = {"S": WorldSchool(places=60, roll=50), "T": WorldSchool(places=100, roll=30)}
    outcome = run_scenario(_world(**roll), CN, Scenario(actions=(line, merged, AddBoarding(school_id="T", beds=20))))
    (answer,) = outcome.closures
    assert (answer.number, answer.what, answer.pupils, answer.roll_pupils) == (2, "merged", 54, 50)
    assert _row(answer.communities, "a")["min_after"] == pytest.approx(17)
    assert answer.bus_seats == 19 and answer.bus_seats_needed == 12 and answer.beds_free == 20
    receiver = _row(answer.receivers, "T")
    assert (receiver["roll_before"], receiver["roll_after"]) == (30, pytest.approx(80))
    assert not any(severity in ("block", "warn") for _, severity in _rules(answer))
    early = run_scenario(_world(**roll), CN, Scenario(actions=(line, merged), year=2025))
    assert early.closures == () and early.plan is not None


@settings(max_examples=12, deadline=None)
@given(
    pupils=st.lists(st.integers(0, 60), min_size=6, max_size=6),
    closed=st.sampled_from("STU"),
    point=st.sampled_from("-STU"),
    share=st.floats(0.1, 0.9),
)
def test_nobody_is_lost_or_doubled(pupils, closed, point, share):
    """Those who leave = those who are received + those who reach none; by community and by grade alike.

    Under "nearest" every other school's pupils stay, so the receivers grow by exactly what they are given.
    """
    picture = "a/S b c/T\nd e f/U"
    kinds = {key: WorldSchool(kind="teaching_point" if key == point else "primary") for key in "STU"}
    homes = dict(zip("abcdef", pupils, strict=True))
    study = build_world(picture, pupils=homes, schools=kinds)
    changed = build_world(picture.replace(f"/{closed}", ""), pupils=homes, schools=kinds)
    (answer,) = _answer(study, changed, [CloseSchool(school_id=closed)], low_grade_share=share)
    before = run_scenario(study, CN, Scenario(low_grade_share=share)).stages[0].schools.set_index("school_id")
    total = before.loc[closed, "modelled_pupils"]
    assert answer.pupils == pytest.approx(total)
    assert answer.receivers["pupils_added"].sum() == pytest.approx(total)
    assert answer.communities["pupils"].sum() == pytest.approx(total)
    assert answer.grades["pupils"].sum() == pytest.approx(total)
    bands = answer.communities[["low_pupils", "upper_pupils"]].sum().sum()
    assert bands == pytest.approx(total)
    grown = answer.receivers["pupils_after"] - answer.receivers["pupils_before"]
    assert grown.tolist() == pytest.approx(answer.receivers["pupils_added"].tolist(), abs=1e-9)
