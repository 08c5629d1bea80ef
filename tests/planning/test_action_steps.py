"""Every action on a street whose answers are worked by hand (see ``action_worlds.build_street``)."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from planning.actions import (
    AddBoarding,
    AddBusLine,
    ChangePlaces,
    ChangeStages,
    CloseSchool,
    MakeTeachingPoint,
    MergeSchools,
    MoveUnits,
    OpenSchool,
    StagePlaces,
)
from planning.assignment_options import AssignmentOptions
from planning.zoning_options import ZoningOptions
from tests.planning.action_worlds import (
    CN,
    answer,
    apply,
    build_street,
    list_moves,
    list_rolls,
    make_site,
    shuffle,
    tell,
)
from tests.worlds import WorldSchool, build_world

PRIMARY_60 = (StagePlaces("primary", 60),)
ZONES = [(unit, "primary", school) for unit, school in zip("abcde", "WMMEE", strict=True)]


def close(school: str, *stages: str, **more: object) -> CloseSchool:
    return CloseSchool(school_id=school, stages=stages, **more)  # type: ignore[arg-type]


def merge(schools: str, into: str, **more: object) -> MergeSchools:
    return MergeSchools(school_ids=tuple(schools), into=tuple(into), **more)  # type: ignore[arg-type]


def open_at(unit: str = "", **more: object) -> OpenSchool:
    settings = {"school_id": "N", "name": "New", "stages": PRIMARY_60, "unit_id": unit, **more}
    return OpenSchool(**settings)  # type: ignore[arg-type]


def test_closing_sends_everybody_to_the_nearest_school() -> None:
    # b -> W 10; c is 20 min from both, the tie goes to E; M's roll of 20: 20/30 to W, 10/30 to E.
    outcome = answer(build_street(), close("M"))
    assert list_moves(outcome) == {"a": {"W": 30}, "b": {"W": 20}, "c": {"E": 10}, "d": {"E": 20}, "e": {"E": 30}}
    assert list_rolls(outcome) == pytest.approx({"W": 40 + 20 * 20 / 30, "E": 70 + 20 * 10 / 30})
    assert outcome.require_plan().places["school_id"].tolist() == ["E", "W"]
    assert outcome.indicator("mean_travel_min") == pytest.approx((20 * 10 + 10 * 20 + 20 * 10) / 110)
    row = outcome.changes.iloc[0]
    assert (row["what"], row["kind_before"], row["kind_after"], row["stage"]) == ("closed", "primary", "", "primary")
    assert (row["places_before"], row["places_after"], row["classes_before"], row["x_m"]) == (45, 0, 1, 2500)


def test_closing_in_zones_leaves_units_without_a_zone() -> None:
    outcome = answer(build_street(zones=ZONES), close("M"), enrolment="zones")
    rows = outcome.require_plan().enrolment.set_index("unit_id")
    assert rows["origin"].to_dict() == {"a": "zone", "b": "no_zone", "c": "no_zone", "d": "zone", "e": "zone"}
    assert rows["school_id"].tolist() == ["W", "W", "E", "E", "E"]


def test_closing_one_stage_keeps_the_other_and_changes_the_kind() -> None:
    study = build_street(
        schools={
            "W": WorldSchool(kind="nine_year", stages=("primary", "junior"), places={"primary": 90, "junior": 50}),
            "M": WorldSchool(),
            "E": WorldSchool(kind="junior", stages=("junior",)),
        }
    )
    applied = apply(study, close("W", "junior"), stages=("primary", "junior"))
    assert applied.study.schools.set_index("school_id")["kind"].to_dict() == {
        "W": "primary",
        "M": "primary",
        "E": "junior",
    }
    assert set(applied.study.places.loc[applied.study.places["school_id"] == "W", "stage"]) == {"primary"}
    assert applied.changes["kind_after"].tolist() == ["primary"]


def test_merging_pins_the_units_of_the_school() -> None:
    # Units of M are b and c: both go to E (30 and 20 min), though b is nearer to W.
    outcome = answer(build_street(), merge("M", "E"))
    assert list_moves(outcome) == {"a": {"W": 30}, "b": {"E": 20}, "c": {"E": 10}, "d": {"E": 20}, "e": {"E": 30}}
    assert list_rolls(outcome) == pytest.approx({"W": 40, "E": 90})


def test_merging_into_two_schools_sends_each_unit_to_the_nearer() -> None:
    outcome = answer(build_street(), merge("M", "WE"))
    assert list_moves(outcome)["b"] == {"W": 20} and list_moves(outcome)["c"] == {"E": 10}
    applied = apply(build_street(), merge("M", "WE"))
    assert sorted(map(tuple, applied.pins.to_numpy())) == [
        ("b", "primary", "E", ""),
        ("b", "primary", "W", ""),
        ("c", "primary", "E", ""),
        ("c", "primary", "W", ""),
    ]


def test_merging_rewrites_zones_with_the_nearest_school() -> None:
    # c shares M and E: after the merger into W it shares W and E, five pupils each.
    study = build_street(zones=[*ZONES, ("c", "primary", "E")])
    outcome = answer(study, merge("M", "W"), enrolment="zones")
    assert list_moves(outcome) == {
        "a": {"W": 30},
        "b": {"W": 20},
        "c": {"E": 5, "W": 5},
        "d": {"E": 20},
        "e": {"E": 30},
    }
    assert set(outcome.require_plan().enrolment["origin"]) == {"zone"}


def test_merging_under_capacity_moves_others_out_of_the_way() -> None:
    # W keeps 45 places. b and c (30 pupils) must go there, so 15 of a's 30 go to M's old rival E, 40 min away.
    actions = (ChangePlaces(school_id="W", stage="primary", capacity_places=45), merge("M", "W"))
    outcome = answer(build_street(), *actions, enrolment="capacity")
    assert list_moves(outcome)["b"] == {"W": 20} and list_moves(outcome)["c"] == {"W": 10}
    assert list_moves(outcome)["a"] == pytest.approx({"W": 15, "E": 15})
    free = answer(build_street(), actions[0], close("M"), enrolment="capacity")
    assert list_moves(free)["c"] == {"E": 10}


def test_a_unit_that_cannot_reach_the_school_goes_where_it_can() -> None:
    # Water between c and d. a and b are S's (b ties with T, first id); S merged into I, which they cannot reach.
    study = build_world(
        "a/S b c/T . d/I",
        pupils={"a": 10, "b": 10, "c": 10, "d": 10},
        schools={"S": WorldSchool(), "T": WorldSchool(), "I": WorldSchool()},
    )
    applied = apply(study, merge("S", "I"))
    assert tell(applied) == [
        "1 warning: 2 units have no way to I: they go to the nearest school. Name a school that they can reach as well."
    ]
    assert list_moves(answer(study, merge("S", "I")))["a"] == {"T": 10}


def test_a_campus_pools_places_and_closes_nothing() -> None:
    # W and M pooled have 145 places; who goes there is split 100 : 45.
    applied = apply(build_street(), merge("M", "W", as_campus=True))
    assert applied.scenario.assignment.groups == (("West", ("M", "W")),)
    assert applied.study.schools.set_index("school_id")["group_id"].to_dict() == {"W": "W", "M": "W", "E": ""}
    assert applied.changes["what"].tolist() == ["campus"] and len(applied.pins) == 0
    outcome = answer(build_street(), merge("M", "W", as_campus=True), enrolment="capacity")
    assert list_moves(outcome)["a"] == pytest.approx({"W": 30 * 100 / 145, "M": 30 * 45 / 145})
    assert len(outcome.require_plan().places) == 3


def test_a_campus_joins_a_group_that_is_there() -> None:
    options = AssignmentOptions(groups=(("pool", ("W", "E")),))
    applied = apply(build_street(), merge("M", "W", as_campus=True), assignment=options)
    assert applied.scenario.assignment.groups == (("pool", ("E", "M", "W")),)
    closed = apply(build_street(), close("W"), assignment=options)
    assert closed.scenario.assignment.groups == (("pool", ("E",)),)


def grade_rolls() -> pd.DataFrame:
    """M's roll by grade: 7 5 2 2 2 2, so 14 in grades 1 to 3 and 6 above."""
    rows = [("M", 2025, "primary", grade, pupils, 1.0) for grade, pupils in enumerate((7, 5, 2, 2, 2, 2), start=1)]
    rows += [("W", 2025, "primary", 0, 40.0, 2.0), ("E", 2025, "primary", 0, 70.0, 2.0)]
    return pd.DataFrame(rows, columns=["school_id", "year", "stage", "grade", "pupils", "classes"])


def test_a_teaching_point_keeps_the_low_grades() -> None:
    # Half of b and c stays at M; the upper halves: b's 10 to W, c's 5 to E. M's six upper pupils: 4 to W, 2 to E.
    outcome = answer(build_street(rolls=grade_rolls()), MakeTeachingPoint(school_id="M"))
    assert list_moves(outcome)["b"] == {"M": 10, "W": 10}
    assert list_moves(outcome)["c"] == {"M": 5, "E": 5}
    assert list_rolls(outcome) == pytest.approx({"W": 44, "M": 14, "E": 72})
    table = outcome.school_table.set_index("school_id")
    assert table.loc["M", "kind"] == "teaching_point" and bool(table.loc["M", "low_only"])
    assert table.loc["M", "capacity_places"] == 45


def test_a_teaching_point_may_get_places_by_its_class_size() -> None:
    # L7.teaching_point: the rulebook's class of a teaching point.
    applied = apply(build_street(), MakeTeachingPoint(school_id="M", classes=3))
    size = applied.changes["places_after"].iloc[0] / 3
    assert size == answer_class_size("teaching_point")
    assert applied.study.places.set_index("school_id").loc["M", "capacity_source"] == "derived"


def answer_class_size(kind: str) -> float:
    found = CN.limit("design_class_size", "primary", kind=kind)
    assert found is not None
    return found


def test_a_merged_teaching_point_hands_over_its_low_grades_only() -> None:
    # T at b has b's low half; its upper half is at W. Merged into M, the low half goes to M; the upper stays at W.
    study = build_world(
        "a/W b/T c/M",
        pupils={"a": 30, "b": 20, "c": 10},
        schools={"W": WorldSchool(), "T": WorldSchool(kind="teaching_point"), "M": WorldSchool()},
        zones=(),
    )
    before = list_moves(answer(study))
    assert before["b"] == {"T": 10, "M": 10}  # M and W tie for the upper half; M is the first id
    after = list_moves(answer(study, merge("T", "W")))
    assert after == {"a": {"W": 30}, "b": {"W": 10, "M": 10}, "c": {"M": 10}}
    applied = apply(study, merge("T", "W"))
    assert list(map(tuple, applied.pins.to_numpy())) == [("b", "primary", "W", "low")]


def test_a_complete_school_merged_into_a_teaching_point_keeps_no_upper_grades_there() -> None:
    study = build_world(
        "a/W b/T c/M",
        pupils={"a": 30, "b": 20, "c": 10},
        schools={"W": WorldSchool(), "T": WorldSchool(kind="teaching_point"), "M": WorldSchool()},
    )
    outcome = answer(study, merge("M", "T"))
    assert list_moves(outcome)["c"] == {"T": 5, "W": 5}
    assert tell(apply(study, merge("M", "T"))) == [
        "1 warning: T cannot take grades 4 to 6: they go to the nearest complete school."
        " Merge into a complete school as well."
    ]


@pytest.mark.parametrize(
    ("change", "places", "classes"),
    [
        ({"capacity_places": 90}, 90, 2),  # 45 to a class as now
        ({"capacity_places": 91}, 91, 3),
        ({"capacity_places": 100, "classes": 4}, 100, 4),
        ({"classes": 4}, 180, 4),  # 45 to a class by the rules
        ({"add_places": -5}, 40, 1),
        ({"add_classes": 2}, 135, 3),
        ({"add_classes": -1}, 0, 0),
    ],
)
def test_places_by_number_by_classes_or_by_change(change: dict[str, float], places: float, classes: float) -> None:
    applied = apply(build_street(), ChangePlaces(school_id="M", stage="primary", **change))
    row = applied.study.places.set_index("school_id").loc["M"]
    assert (row["capacity_places"], row["classes"]) == (places, classes)
    assert applied.changes[["places_after", "classes_after"]].iloc[0].tolist() == [places, classes]


def test_more_places_draw_pupils_under_capacity_and_planned_classes_count() -> None:
    # M has 10 places: c's 10 pupils fill it, b goes to W. With 30 places b comes too.
    study = build_street(
        schools={
            "W": WorldSchool(places=100, classes=2, roll=40),
            "M": WorldSchool(places=10, classes=1, roll=20),
            "E": WorldSchool(places=90, classes=2, roll=70),
        },
        zones=[("b", "primary", "M")],
    )
    small = answer(study, enrolment="capacity")
    large = answer(study, ChangePlaces(school_id="M", stage="primary", classes=1, capacity_places=30),
                   enrolment="capacity")  # fmt: skip
    assert list_moves(small)["b"] == {"W": 20} and list_moves(large)["b"] == {"M": 20}
    wide = answer(study, ChangePlaces(school_id="M", stage="primary", classes=5))
    assert wide.school_table.set_index("school_id").loc["M", "classes"] == 5


def test_a_primary_school_becomes_a_nine_year_school() -> None:
    # Junior pupils: a 6, e 4; J stands at e. With a junior stage at W the 6 of a stay there.
    study = build_world(
        "a/W b c/M d e/J",
        pupils={"primary": {"a": 30, "c": 10}, "junior": {"a": 6, "e": 4}},
        schools={
            "W": WorldSchool(places=100, classes=2, roll=40),
            "M": WorldSchool(places=45, classes=1, roll=20),
            "J": WorldSchool(kind="junior", stages=("junior",), places=50, classes=1, roll=20),
        },
    )
    outcome = answer(study, ChangeStages(school_id="W", add=(StagePlaces("junior", classes=2),)),
                     stages=("primary", "junior"))  # fmt: skip
    assert list_moves(outcome, "junior") == {"a": {"W": 6}, "e": {"J": 4}}
    # J's roll of 20: 6 of 10 modelled pupils leave, so 12.
    assert list_rolls(outcome, "junior") == pytest.approx({"J": 8, "W": 12})
    table = outcome.school_table.set_index(["school_id", "stage"])
    assert table.loc[("W", "primary"), "kind"] == "nine_year"
    assert table.loc[("W", "junior"), "capacity_places"] == 100  # two classes of 50
    assert table.loc[("W", "primary"), "size_pupils"] == pytest.approx(40 + 12)
    assert table.loc[("W", "junior"), "size_classes"] == 4


def test_dropping_a_stage_undoes_adding_it() -> None:
    study = build_street()
    add = ChangeStages(school_id="W", add=(StagePlaces("junior", 100),))
    applied = apply(study, add, ChangeStages(school_id="M", add=(StagePlaces("junior", 100),)),
                    ChangeStages(school_id="W", drop=("junior",)))  # fmt: skip
    assert applied.study.schools.set_index("school_id")["kind"].to_dict() == {
        "W": "primary",
        "M": "nine_year",
        "E": "primary",
    }


def test_opening_in_a_unit() -> None:
    # N at b: b 0 min; a stays at W, c at M.
    outcome = answer(build_street(), open_at("b"))
    assert list_moves(outcome)["b"] == {"N": 20}
    # M hands on b's share of its roll: 20 of 30 modelled pupils.
    assert list_rolls(outcome) == pytest.approx({"W": 40, "M": 20 / 3, "E": 70, "N": 40 / 3})
    row = outcome.changes.iloc[0]
    assert (row["what"], row["kind_before"], row["kind_after"], row["places_after"]) == ("opened", "", "primary", 60)
    assert row["classes_after"] == 2 and row["x_m"] == 1500


def test_opening_at_a_site_takes_its_measured_ways() -> None:
    # Water between a and b: nobody of a can reach the site, however near it is in a straight line.
    schools = {"W": WorldSchool(), "S": WorldSchool(), "M": WorldSchool()}
    study = make_site(build_world("a/W . b/S c/M", pupils={"a": 10, "b": 10, "c": 10}, schools=schools), "S")
    applied = apply(study, open_at(site_id="S"))
    assert "S" not in set(applied.study.travel["walk"].destination_ids)
    assert applied.study.sites.empty and applied.problems == ()
    school = applied.study.schools.set_index("school_id").loc["N"]
    assert (school["site_area_m2"], school["unit_id"]) == (9000, "b")
    assert list_moves(answer(study, open_at(site_id="S"))) == {"a": {"W": 10}, "b": {"N": 10}, "c": {"M": 10}}


@pytest.mark.parametrize(
    "where",
    [{"point": (1500.0, 500.0)}, {"point": (1500.0 / 111_319.490793, 500.0 / 111_319.490793), "point_is_lonlat": True}],
)
def test_opening_at_a_point(where: dict[str, object]) -> None:
    applied = apply(build_street(), open_at(**where))
    school = applied.study.schools.set_index("school_id").loc["N"]
    assert (school["x_m"], school["y_m"]) == pytest.approx((1500, 500), abs=20)
    assert school["unit_id"] == "b" and school["kind"] == "primary"


def test_a_new_school_takes_the_units_of_zones_to_which_it_is_nearer() -> None:
    study = build_street(zones=[("a", "primary", "W"), ("b", "primary", "W"), ("c", "primary", "W")])
    nearest = apply(study, open_at("c"), close("M"))
    assert sorted(map(tuple, nearest.study.zones.to_numpy())) == [
        ("a", "primary", "W"),  # 0 min against 20
        ("b", "primary", "W"),  # as near as W: stays
        ("c", "primary", "N"),
    ]
    nobody = apply(study, open_at("c", takes="nobody"))
    assert (nobody.study.zones["school_id"] == "W").all()


def test_moving_units() -> None:
    action = MoveUnits(unit_ids=("c", "d"), stage="primary", school_ids=("W",))
    assert list_moves(answer(build_street(), action))["d"] == {"W": 20}
    assert list_moves(answer(build_street(), action, enrolment="capacity"))["d"] == {"W": 20}
    zoned = answer(build_street(zones=ZONES), action, enrolment="zones")
    assert list_moves(zoned)["c"] == {"W": 10} and list_moves(zoned)["b"] == {"M": 20}
    both = MoveUnits(unit_ids=("c",), stage="primary", school_ids=("W", "E"))
    assert list_moves(answer(build_street(zones=ZONES), both, enrolment="zones"))["c"] == {"E": 5, "W": 5}
    locked = apply(build_street(zones=ZONES), action, enrolment="zoning")
    assert locked.scenario.zoning.locks == (("c", "primary", "W"), ("d", "primary", "W"))


def test_a_later_move_wins_and_a_closure_frees_the_pins() -> None:
    first = MoveUnits(unit_ids=("c",), stage="primary", school_ids=("W",))
    second = MoveUnits(unit_ids=("c",), stage="primary", school_ids=("E",))
    assert list_moves(answer(build_street(), first, second))["c"] == {"E": 10}
    assert list_moves(answer(build_street(), first, close("W")))["c"] == {"M": 10}


def test_boarding_adds_beds() -> None:
    applied = apply(build_street(), AddBoarding(school_id="W", beds=30), AddBoarding(school_id="W", beds=20))
    assert applied.study.schools.set_index("school_id").loc["W", "boarding_places"] == 50
    assert applied.changes["places_after"].tolist() == [30, 50]
    assert math.isnan(applied.changes["places_before"].iloc[0])


def test_a_bus_shortens_the_way_where_it_is_quicker() -> None:
    # a -> E by bus: 8 min × 1.5 + 5 = 17 instead of 40; d -> E: 2 × 1.5 + 5 = 8 instead of 10; e walks 0 min.
    study = build_street()
    bus = AddBusLine(school_id="E", unit_ids=("a", "d", "e"), seats=40)
    outcome = answer(study, close("W"), bus)
    rows = outcome.require_plan().enrolment.set_index("unit_id")
    assert rows["school_id"].to_dict() == {"a": "E", "b": "M", "c": "M", "d": "E", "e": "E"}
    assert rows["time_min"].to_dict() == {"a": 17, "b": 10, "c": 0, "d": 8, "e": 0}
    applied = apply(study, close("W"), bus)
    assert applied.bus["time_min"].tolist() == [17, 8, 5] and set(applied.bus["seats"]) == {40}
    assert np.nanmin(study.travel["walk"].time_min[0]) == 0 and study.travel["walk"].time_min[0, 2] == 40
    assert applied.study.travel["walk"].length_m[0, 2] == 4000


def test_actions_of_later_years_wait() -> None:
    actions = (close("M", year=2027), merge("E", "W", year=2030))
    assert apply(build_street(), *actions, year=2026).in_force == (False, False)
    assert apply(build_street(), *actions, year=2028).study.schools["school_id"].tolist() == ["W", "E"]
    assert apply(build_street(), *actions).in_force == (True, True)
    waiting = apply(build_street(), *actions, year=2026)
    assert waiting.study.fingerprint == build_street().fingerprint and waiting.problems == ()


def test_actions_hold_in_the_order_of_their_years() -> None:
    # Listed first, but later: expanding M in 2026 comes before closing it in 2030.
    expand = ChangePlaces(school_id="M", stage="primary", add_places=45, year=2026)
    applied = apply(build_street(), close("M", year=2030), expand)
    assert applied.problems == () and applied.changes["number"].tolist() == [2, 1]
    assert applied.changes["places_before"].tolist() == [45, 90]


def test_the_order_matters_where_one_action_needs_the_other() -> None:
    # M merged into W, then W into E: b and c follow to E. The other way round W is gone when M comes.
    chain = answer(build_street(), merge("M", "W"), merge("W", "E"))
    assert list_moves(chain) == {
        unit: {"E": pupils} for unit, pupils in zip("abcde", (30, 20, 10, 20, 30), strict=True)
    }
    assert tell(apply(build_street(), merge("W", "E"), merge("M", "W"))) == [
        "2 error: West is closed already by action 1. Remove one of the two actions, or change their order."
    ]


def test_a_school_opened_by_an_action_can_be_changed_by_the_next() -> None:
    actions = (open_at("b"), ChangePlaces(school_id="N", stage="primary", add_places=30), merge("W", "N"))
    applied = apply(build_street(), *actions)
    assert applied.study.places.set_index("school_id")["capacity_places"].to_dict() == {"E": 90, "M": 45, "N": 90}
    assert list_moves(answer(build_street(), *actions))["a"] == {"N": 30}
    assert [text[:7] for text in tell(apply(build_street(), *reversed(actions)))[:2]] == ["1 error", "2 error"]
    assert "action 3 opens it later" in tell(apply(build_street(), *reversed(actions)))[0]


KINDERGARTEN = {"kind": "kindergarten", "stages": ("kindergarten",)}


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ([close("w")], "There is no school with the id w. Did you mean W?"),
        ([close("Q7")], "There is no school with the id Q7. Take an id from the table of schools."),
        ([close("M"), close("M")], "Middle is closed already by action 1."),
        ([close("M", "junior")], "Middle does not teach junior school. It teaches primary school."),
        ([close("M"), close("W"), close("E")], "Nobody would teach primary school any more. Keep one school"),
        ([merge("MW", "E"), close("E")], "Nobody would teach primary school any more."),
        ([close("M"), merge("W", "M")], "Middle is closed already by action 1."),
        ([merge("W", "K")], "None of K teaches primary school. Add the stage there first"),
        ([merge("W", "MK")], "K teaches none of the stages that are merged: primary school. Leave it out"),
        ([merge("K", "W", as_campus=True)], "K and West teach no stage together, so they cannot share places."),
        ([ChangePlaces(school_id="M", stage="primary", add_places=-50)],
         "Middle has 45 places for primary school: they cannot shrink by 50. Take away fewer"),
        ([ChangePlaces(school_id="K", stage="kindergarten", add_places=5)],
         "The places of K for kindergarten are not known, so they cannot be changed by a number."),
        ([ChangePlaces(school_id="M", stage="junior", capacity_places=5)], "Middle does not teach junior school."),
        ([open_at("b", school_id="M")], "A school with the id M exists already: Middle."),
        ([open_at("b"), open_at("d")], "A school with the id N exists already: New."),
        ([open_at("B")], "There is no planning unit with the id B. Did you mean b?"),
        ([open_at(site_id="05")], "There is no candidate site with the id 05. Did you mean 5?"),
        ([open_at(site_id="5"), open_at(site_id="5", school_id="O")], "The site 5 is taken already by action 1."),
        ([open_at(point=(99_500.0, 500.0))], "outside the county: 92 km from the nearest planning unit."),
        ([open_at(point=(200.0, 10.0), point_is_lonlat=True)], "200, 10 is no place in degrees."),
        ([open_at("b", becomes="nine_yaer")], "There is no kind of school called nine_yaer. Did you mean nine_year?"),
        ([MakeTeachingPoint(school_id="K")], "K does not teach primary grades, so it cannot become a teaching point."),
        ([MakeTeachingPoint(school_id="M"), MakeTeachingPoint(school_id="M")], "Middle is a teaching point already."),
        ([close("W"), close("M"), MakeTeachingPoint(school_id="E")], "Only teaching points would be left"),
        ([ChangeStages(school_id="M", add=(StagePlaces("primary", 5),))], "Middle teaches primary school already."),
        ([ChangeStages(school_id="M", drop=("primary",))], "Middle would be left without any stage. Close the school"),
        ([ChangeStages(school_id="M", drop=("junior",))], "Middle does not teach junior school."),
        ([ChangeStages(school_id="M", add=(StagePlaces("senior", 5),), becomes="x")], "no kind of school called x."),
        ([MoveUnits(unit_ids=("z",), stage="primary", school_ids=("W",))], "There is no planning unit with the id z."),
        ([MoveUnits(unit_ids=("a",), stage="primary", school_ids=("K",))], "K does not teach primary school."),
        ([MoveUnits(unit_ids=("i",), stage="primary", school_ids=("W",))],
         "No way on foot leads from i to West (primary school). Choose a school that they can reach"),
        ([AddBoarding(school_id="K", beds=5)], "K is a kindergarten: its children do not board."),
        ([AddBusLine(school_id="M", unit_ids=("i",))], "No drive leads from i to Middle."),
        ([AddBusLine(school_id="X", unit_ids=("y",))], "There is no planning unit with the id y."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_with_a_cure(actions: list[object], told: str) -> None:
    study = build_world(
        "a/W b c/M d e/E f/5 . i\n+ + + + + g/K . .",
        pupils={"a": 30, "b": 20, "c": 10, "d": 20, "e": 30, "i": 5},
        schools={
            "W": WorldSchool(places=100, name="West"),
            "M": WorldSchool(places=45, classes=1, name="Middle"),
            "E": WorldSchool(places=90, name="East"),
            "5": WorldSchool(),
            "K": WorldSchool(places=None, **KINDERGARTEN),  # type: ignore[arg-type]
        },
    )
    applied = apply(make_site(study, "5"), *actions)  # type: ignore[arg-type]
    errors = [text for text in tell(applied) if " error: " in text]
    assert any(told in text for text in errors), errors
    assert all(problem.cure is not None for problem in applied.errors)
    assert {problem.number for problem in applied.errors} <= set(range(1, len(actions) + 1))


def test_every_problem_is_told_at_once_and_the_good_actions_are_applied() -> None:
    applied = apply(build_street(), close("X"), close("M"), open_at("q"), AddBoarding(school_id="Y", beds=1))
    assert [problem.number for problem in applied.errors] == [1, 3, 4]
    assert applied.study.schools["school_id"].tolist() == ["W", "E"]
    assert applied.in_force == (True, True, True, True)
    outcome = answer(build_street(), close("X"), close("M"))
    assert outcome.plan is None and outcome.school_table["school_id"].tolist() == ["E", "W"]
    assert [str(text) for text in outcome.conflicts] == [
        "Action 1: There is no school with the id X. Take an id from the table of schools."
    ]
    assert outcome.school_table["modelled_pupils"].tolist() == [60, 50]


@pytest.mark.parametrize(
    ("actions", "settings", "told"),
    [
        ([ChangePlaces(school_id="M", stage="primary", capacity_places=0)], {}, "Middle keeps no place"),
        ([open_at(site_id="E")], {}, "The site E is meant for 12, 18 classes, not 2."),
        ([open_at(site_id="E", stages=(StagePlaces("junior", 600, 12),))], {}, "The site E is not meant for junior"),
        ([open_at(point=(1500.0, 1800.0))], {}, "The new school lies 800 m outside every planning unit."),
        ([open_at("b")], {}, "The study has no roads: ways to the new school are estimated"),
        ([MakeTeachingPoint(school_id="M"), AddBoarding(school_id="M", beds=5)], {}, "grades 1 to 3 only"),
        ([open_at("b", becomes="nine_year")], {}, "primary school make a primary school, not a nine-year school."),
        ([AddBusLine(school_id="W", unit_ids=("a",))], {}, "The bus to West is quicker for none of its units"),
        ([AddBusLine(school_id="W", unit_ids=("c",))], {"mode": "drive"}, "already: a bus line is no quicker."),
        ([merge("M", "W")], {"enrolment": "choice"}, "Where families choose, a merger acts as a closure"),
        ([merge("M", "W")], {"enrolment": "zoning"}, "New zones are drawn for everybody"),
        ([ChangeStages(school_id="M", add=(StagePlaces("junior", 5),))], {"enrolment": "zones"},
         "No unit has Middle in its zone for junior school yet."),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_told_and_done(actions: list[object], settings: dict[str, object], told: str) -> None:
    zones = [*ZONES, ("a", "junior", "E")]
    study = make_site(build_street(zones=zones), "E", class_options="12;18", stages="primary")
    applied = apply(study, *actions, **settings)  # type: ignore[arg-type]
    assert any(told in text for text in tell(applied)), tell(applied)
    assert applied.errors == () and len(applied.changes) == len(actions)


@pytest.mark.parametrize(
    ("action", "settings", "told"),
    [
        (MoveUnits(unit_ids=("a",), stage="primary", school_ids=("M",)), {"enrolment": "choice"},
         "Where families choose, units cannot be moved"),
        (MoveUnits(unit_ids=("a",), stage="primary", school_ids=("M", "W")), {"enrolment": "zoning"},
         "A new zone has one complete school: 2 are named."),
    ],
)  # fmt: skip
def test_methods_that_cannot_move_units_say_so(action: MoveUnits, settings: dict[str, object], told: str) -> None:
    assert told in tell(apply(build_street(), action, **settings))[0]


def test_a_bus_needs_drive_times() -> None:
    told = tell(apply(build_street(modes=["walk"]), AddBusLine(school_id="E", unit_ids=("a",))))
    assert told == [
        "1 error: There are no travel times by car, so the ride of a bus is not known."
        " Add driving to the study's ways to travel ([travel] modes)."
    ]


def test_a_school_that_teaches_nothing_can_be_closed() -> None:
    study = build_street()
    bare = study.places[study.places["school_id"] != "M"].reset_index(drop=True)
    applied = apply(replace(study, places=bare), close("M"))
    assert applied.problems == () and applied.study.schools["school_id"].tolist() == ["W", "E"]


def test_rows_in_another_order_change_nothing() -> None:
    actions = (merge("M", "WE"), open_at("b"), AddBusLine(school_id="E", unit_ids=("a", "d")))
    study = build_street(zones=ZONES)
    for enrolment in ("nearest", "zones", "capacity"):
        one, other = (answer(item, *actions, enrolment=enrolment) for item in (study, shuffle(study, 3)))
        assert one.require_plan().fingerprint == other.require_plan().fingerprint
        pd.testing.assert_frame_equal(one.changes, other.changes)


def test_locks_of_closed_schools_are_dropped() -> None:
    options = ZoningOptions(locks=(("c", "primary", "M"), ("a", "primary", "W")))
    applied = apply(build_street(), close("M"), zoning=options)
    assert applied.scenario.zoning.locks == (("a", "primary", "W"),)


def test_locks_of_a_dropped_stage_are_dropped() -> None:
    # M stays open as a junior school: c cannot be kept to it for primary school any more.
    both = ZoningOptions(locks=(("c", "primary", "M"), ("a", "primary", "W")))
    swap = ChangeStages(school_id="M", drop=("primary",), add=(StagePlaces("junior", 45),))
    assert apply(build_street(), swap, zoning=both).scenario.zoning.locks == (("a", "primary", "W"),)
    back = ChangeStages(school_id="M", add=(StagePlaces("primary", 45),))
    assert len(apply(build_street(), swap, back, zoning=both).scenario.zoning.locks) == 2


def test_a_school_whose_opening_fails_is_not_said_to_open_later() -> None:
    failed = apply(build_street(), open_at("z"), ChangePlaces(school_id="N", stage="primary", add_places=10.0))
    assert "has an error" in tell(failed)[1] and "later" not in tell(failed)[1]


def test_unknown_places_stay_unknown() -> None:
    study = build_street(
        schools={"W": WorldSchool(places=None), "M": WorldSchool(places=None), "E": WorldSchool(places=None)}
    )
    outcome = answer(study, close("M"))
    assert outcome.school_table[["capacity_places", "actual_pupils"]].isna().all(axis=None)
    assert math.isnan(outcome.changes["places_before"].iloc[0])


def test_one_of_several_teaching_points_may_close() -> None:
    # No complete school is there to begin with: closing T takes none away.
    point = WorldSchool(kind="teaching_point")
    study = build_world("a/T b/U", pupils={"a": 10, "b": 10}, schools={"T": point, "U": point})
    assert apply(study, close("T")).problems == ()
    assert "Nobody would teach" in tell(apply(study, close("T"), close("U")))[0]
