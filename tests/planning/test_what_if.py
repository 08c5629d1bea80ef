"""What-ifs: by hand on small worlds, and always the answer of the whole pipeline to the changed study."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.errors import ScenarioError
from planning.action_steps import apply_actions
from planning.actions import Action, ChangePlaces, CloseSchool, MergeSchools, OpenSchool, StagePlaces
from planning.assignment_options import AssignmentOptions
from planning.conflicts import Conflict
from planning.scenario import Scenario
from planning.what_if import (
    NUMBERS,
    SCHOOL_COLUMNS,
    Change,
    NewColumn,
    build_what_if,
    compute_change,
    list_moved,
    list_receivers,
    sum_shares,
)
from tests.planning import what_if_worlds as made
from tests.planning.what_if_worlds import CN, ready
from tests.worlds import WorldSchool, build_five_villages, build_island, build_nine_units, build_world

CAPACITY = Scenario(enrolment="capacity")
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


def test_five_villages_west_closes_by_hand():
    """Within places W takes a, b, c and half of d, E (40 places) the rest. Without W all 110 are at E, 70 above them.

    Minutes to E: a 40, b 30, c 20, d 10, e 0: 1200 + 600 + 200 + 200 = 2,200 instead of 800. Moved: a 30, b 20, c 10,
    d 10 = 70. Limit 30 min for all (primary): a (40 min) is beyond it now.
    """
    what_if = ready(build_five_villages(), CAPACITY)
    answer = what_if.answer(Change(closed=frozenset({"W"})))
    numbers = answer.numbers
    assert numbers["objective_before"] == pytest.approx(800)
    assert numbers["objective"] == pytest.approx(2200 + 70 * 1000) == pytest.approx(numbers["bound"])
    assert numbers["moved_pupils"] == pytest.approx(70) and numbers["moved_units"] == 4
    assert numbers["extra_pupil_min"] == pytest.approx(1400)
    assert numbers["mean_min_before"] == pytest.approx(800 / 110)
    assert numbers["mean_min_after"] == pytest.approx(2200 / 110)
    assert (numbers["max_min_before"], numbers["max_min_after"]) == (30, 40)
    assert (numbers["over_places_pupils_before"], numbers["over_places_pupils_after"]) == (0, pytest.approx(70))
    assert (numbers["beyond_limit_pupils_before"], numbers["beyond_limit_pupils_after"]) == (0, pytest.approx(30))
    schools = answer.schools.set_index("school_id")
    assert schools.loc["E", "pupils_after"] == pytest.approx(110) and schools.loc["W", "pupils_after"] == 0
    assert schools.loc["W", "places_after"] == 0 and schools["changed"].all()
    assert answer.school_ids == ("E", "W") and (answer.unit_school == 0).all()
    assert answer.minutes.tolist() == [40, 30, 20, 10, 0]
    receivers = list_receivers(what_if, answer, {"W"})
    assert receivers[["school_id", "pupils_added", "pupils_before", "pupils_after", "places"]].values.tolist() == [
        ["E", pytest.approx(70), pytest.approx(40), pytest.approx(110), 40.0]
    ]
    assert receivers.loc[0, "mean_min"] == pytest.approx((30 * 40 + 20 * 30 + 10 * 20 + 10 * 10) / 70)
    moved = list_moved(what_if, answer)
    assert moved["unit_id"].tolist() == ["a", "b", "c", "d"] and moved["to_school_id"].eq("E").all()
    assert moved["beyond"].tolist() == [True, False, False, False]


def test_more_places_by_hand():
    """Ten more places at E take the other ten of d, who save 20 min each."""
    answer = ready(build_five_villages(), CAPACITY).answer(Change(places=(("E", 50.0),)))
    assert answer.numbers["objective"] == pytest.approx(600)
    assert answer.numbers["moved_pupils"] == pytest.approx(10)
    assert answer.numbers["over_places_pupils_after"] == 0


def test_a_school_opens_by_hand():
    """A school in c with 20 places: c's ten walk 0 instead of 20 min, and the ten of d in W 10 instead of 30.

    The nearest: c, and b (10 min to both; the tie goes to the smaller id).
    """
    minutes = np.array([20, 10, 0, 10, 20], dtype=np.float32)
    new = NewColumn("N", "New", 20.0, minutes, minutes * 100)
    for enrolment, moved, value in (("capacity", 20.0, 400.0), ("nearest", 30.0, None)):
        what_if = ready(build_five_villages(), Scenario(enrolment=enrolment))
        answer = what_if.answer(Change(opened=(new,)))
        assert answer.school_ids == ("E", "W", "N")
        assert answer.numbers["moved_pupils"] == pytest.approx(moved)
        assert answer.schools["name"].iloc[-1] == "New"
        if value is not None:
            assert answer.numbers["objective"] == pytest.approx(value)


def test_nobody_else_can_be_reached():
    """The shore's school closes: thirty reach none now, five did not before."""
    for enrolment in ("nearest", "capacity"):
        answer = ready(build_island(), Scenario(enrolment=enrolment)).answer(Change(closed=frozenset({"S"})))
        assert answer.numbers["unreached_pupils_before"] == 5
        assert answer.numbers["unreached_pupils_after"] == 35
        assert answer.numbers["moved_pupils"] == 30 and np.isnan(answer.minutes).all()
        assert answer.flow_to.tolist() == [-1, -1] and (answer.unit_school == -1).all()


def test_nothing_changes_nothing():
    what_if = ready(build_nine_units(), CAPACITY)
    for change in (Change(), Change(places=(("M", 90.0),))):
        answer = what_if.answer(change)
        assert answer.numbers["moved_pupils"] == 0 and not len(answer.moved_units)
        assert answer.numbers["objective"] == what_if.base.numbers["objective"]
    assert tuple(answer.schools.columns) == SCHOOL_COLUMNS and tuple(answer.numbers) == NUMBERS


def test_wrong_questions_are_refused():
    what_if = ready(build_five_villages(), CAPACITY)
    minutes = np.zeros(5, dtype=np.float32)
    for change in (
        Change(closed=frozenset({"X"})),
        Change(places=(("X", 3.0),)),
        Change(places=(("E", -3.0),)),
        Change(opened=(NewColumn("E", "East", 3.0, minutes, minutes),)),
        Change(opened=(NewColumn("N", "New", 3.0, minutes[:2], minutes[:2]),)),
        Change(opened=(NewColumn("N", "New", 3.0, minutes, minutes, low_only=True),)),
    ):
        with pytest.raises(ScenarioError):
            what_if.answer(change)
    assert isinstance(build_what_if(build_five_villages(), CN, Scenario(enrolment="choice"), "primary"), Conflict)
    assert isinstance(build_what_if(build_five_villages(), CN, Scenario(enrolment="zones"), "primary"), Conflict)
    assert isinstance(build_what_if(build_five_villages(), CN, CAPACITY, "senior"), Conflict)


def test_whole_units_are_split_and_said_so():
    whole = replace(CAPACITY, assignment=AssignmentOptions(whole_units=True))
    assert ready(build_five_villages(), whole).split
    assert not ready(build_five_villages(), CAPACITY).split


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(made.worlds(), made.scenarios(), st.data())
def test_within_places_it_is_the_answer_of_the_pipeline(study, scenario, data):
    """Objective to 1e-9, bound closed, nobody lost, unreached the same; with caps, classes, groups, teaching points."""
    closed, resized, opened = data.draw(made.changes(study))
    base = made.close(study, {opened}) if opened else study
    try:
        what_if = ready(base, scenario)
    except ScenarioError:  # a teaching point in a group
        return
    if opened and scenario.assignment.groups and opened in ("P", "Q"):
        return  # the school that opens would join a group
    answer = what_if.answer(made.make_change(study, what_if, closed, resized, opened))
    anew = made.answer_anew(made.close(study, closed, resized), scenario)
    value = anew.certificate.value
    assert answer.numbers["objective"] == pytest.approx(value, rel=1e-9, abs=1e-6)
    assert answer.numbers["bound"] == pytest.approx(value, rel=1e-9, abs=1e-6)
    loads = made.read_loads(answer)
    assert sum(loads.values()) == pytest.approx(study.units["primary_pupils"].sum())
    assert loads.get("", 0.0) == pytest.approx(made.sum_by_school(anew.enrolment).get("", 0.0))
    again = what_if.answer(Change(places=(("P", what_if.ground.places[what_if.school_ids.index("P")]),)))
    assert again.numbers["moved_pupils"] == 0


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(made.worlds(), made.scenarios(enrolment=("nearest", "zones")), st.data())
def test_without_places_it_is_the_answer_of_the_pipeline(study, scenario, data):
    """Pupils of every school, and the minutes of all."""
    closed, resized, opened = data.draw(made.changes(study))
    if scenario.enrolment == "zones":
        opened = ""  # what a new school takes is up to the actions
    study = replace(study, zones=study.zones[study.zones["school_id"] != opened])
    base = made.close(study, {opened}) if opened else study
    after = made.close(study, closed, resized)
    if scenario.enrolment == "zones" and after.zones.empty:
        return
    what_if = ready(base, replace(scenario, assignment=AssignmentOptions()))
    answer = what_if.answer(made.make_change(study, what_if, closed, resized, opened))
    anew = made.answer_anew(after, scenario).enrolment
    loads = made.sum_by_school(anew)
    assert made.read_loads(answer) == pytest.approx(loads)
    reached = sum(value for key, value in loads.items() if key)
    assert np.nan_to_num(answer.numbers["mean_min_after"]) * reached == pytest.approx(made.total_minutes(anew))


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(made.worlds(), made.scenarios(enrolment=("nearest", "zones", "capacity")), st.data())
def test_moves_tell_before_from_after(study, scenario, data):
    """Pupils before, less those who leave, plus those who come, are those after; by school and by unit."""
    closed, resized, _ = data.draw(made.changes(study))
    try:
        what_if = ready(study, scenario)
    except ScenarioError:
        return
    answer = what_if.answer(Change(closed=closed, places=tuple(resized.items())))
    schools = answer.schools
    balance = schools["pupils_before"].to_numpy().copy()
    for at, sign in ((answer.flow_from, -1.0), (answer.flow_to, 1.0)):
        placed = at >= 0
        np.add.at(balance, at[placed], sign * answer.flow_pupils[placed])
    np.testing.assert_allclose(balance, schools["pupils_after"], atol=1e-6)
    assert answer.numbers["moved_pupils"] == pytest.approx(answer.moved_pupils.sum())
    assert (answer.flow_from != answer.flow_to).all()
    gone = [what_if.school_ids.index(key) for key in closed]
    assert not np.isin(answer.unit_school, gone).any() and not np.isin(answer.flow_to, gone).any()
    number = answer.numbers
    spent = [number[f"mean_min_{when}"] for when in ("before", "after")]
    if number["unreached_pupils_before"] == number["unreached_pupils_after"] and np.isfinite(spent).all():
        reached = number["pupils"] - number["unreached_pupils_after"]
        assert (spent[1] - spent[0]) * reached == pytest.approx(number["extra_pupil_min"], abs=1e-6)


def _act(*actions: Action, enrolment: str = "capacity") -> Scenario:
    return Scenario(enrolment=enrolment, actions=actions)


@pytest.mark.parametrize("enrolment", ["nearest", "capacity"])
def test_actions_as_a_change(enrolment):
    """Closing, opening and resizing at once, as a change of today, is the base of the scenario with these actions."""
    study = build_nine_units(schools={key: WorldSchool(places=40) for key in "M"})
    scenario = _act(
        OpenSchool(school_id="N", name="New", stages=(StagePlaces("primary", 30),), unit_id="a"),
        OpenSchool(school_id="O", name="Other", stages=(StagePlaces("primary", 30),), unit_id="i"),
        CloseSchool(school_id="M"),
        ChangePlaces(school_id="N", stage="primary", capacity_places=35),
        enrolment=enrolment,
    )
    today = ready(study, replace(scenario, actions=()))
    applied = apply_actions(study, CN, scenario)
    assert not [problem for problem in applied.problems if problem.severity == "error"]
    change = compute_change(today, applied)
    assert change is not None and change.closed == {"M"} and [item.places for item in change.opened] == [35, 30]
    answer, base = today.answer(change), ready(study, scenario).base
    assert answer.numbers["mean_min_after"] == pytest.approx(base.numbers["mean_min_after"])
    if enrolment == "capacity":
        assert answer.numbers["objective"] == pytest.approx(base.numbers["objective"], rel=1e-9)
    after, plain = (item.schools.set_index("school_id")["pupils_after"] for item in (answer, base))
    assert after[["N", "O"]].sum() == pytest.approx(plain.sum()) == pytest.approx(90)


def test_mergers_are_no_change_and_their_pins_end_with_the_school():
    """P merges into Q: p walks to Q though R is nearer. When Q closes too, p is free again and goes to R."""
    study = build_world(
        "r/R p/P + q/Q", pupils=dict.fromkeys("rpq", 10.0), schools={key: WorldSchool(places=90) for key in "PQR"}
    )
    for enrolment in ("nearest", "capacity"):
        scenario = _act(MergeSchools(school_ids=("P",), into=("Q",)), enrolment=enrolment)
        assert compute_change(ready(study, replace(scenario, actions=())), apply_actions(study, CN, scenario)) is None
        what_if = ready(study, scenario)
        unit = what_if.unit_ids.index("p")
        assert what_if.base.school_ids[what_if.base.unit_school[unit]] == "Q"
        answer = what_if.answer(Change(closed=frozenset({"Q"})))
        assert answer.school_ids[answer.unit_school[unit]] == "R"
        assert answer.numbers["unreached_pupils_after"] == 0
        assert answer.numbers["moved_pupils"] == pytest.approx(20)


def test_a_new_school_takes_grade_bands_from_zones_as_the_actions_do():
    """The zone of b is its own point T and the far school F. N opens beside it: grades 4 to 6 go there, not 1 to 3.

    So 5 of b's 10 pupils move, and all 10 of n: they were F's, and N stands in their village.
    """
    study = build_world(
        "b/T n + + f/F",
        pupils=dict.fromkeys("bnf", 10.0),
        schools={"T": WorldSchool(places=90, kind="teaching_point"), "F": WorldSchool(places=90)},
        zones=[(unit, "primary", school) for unit, school in ("bT", "bF", "nF", "fF")],
    )
    opened = OpenSchool(school_id="N", name="New", stages=(StagePlaces("primary", 90),), unit_id="n")
    scenario = _act(opened, enrolment="zones")
    today = ready(study, replace(scenario, actions=()))
    change = compute_change(today, apply_actions(study, CN, scenario))
    assert change is not None
    answer, after = today.answer(change), ready(study, scenario)
    assert answer.numbers["moved_pupils"] == pytest.approx(15)
    expected = {("b", "T"): 5, ("b", "N"): 5, ("n", "N"): 10, ("f", "F"): 10}
    for shares in (sum_shares(today, answer), sum_shares(after, after.base)):
        assert {key: value for key, value in shares.items() if value > 1e-9} == pytest.approx(expected)
