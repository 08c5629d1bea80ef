"""Scenarios with actions through ``run_scenario``: laws, the record, before and after, every method of enrolment."""

import dataclasses
import functools
import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.build import build_study
from geodata.study_file import DemoSource, StudySpec
from planning.action_steps import apply_actions
from planning.actions import (
    Action,
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
from planning.plan import Plan, check_plan
from planning.rules import design_class_size
from planning.run import Outcome, run_many, run_scenario
from planning.scenario import Scenario
from planning.scenario_rows import build_action
from planning.tables import choose_year
from planning.zoning_options import ZoningOptions
from tests.planning.action_worlds import CN, answer, build_street, list_moves, list_rolls, shuffle
from tests.worlds import WorldSchool, WorldUnit, build_world

SCHOOLS = ("W", "M", "E", "T", "N")
UNITS = tuple("abcdef")
ZONES = [
    *((unit, "primary", "W") for unit in "abc"),
    ("d", "primary", "E"),
    ("e", "primary", "E"),
    ("d", "primary", "T"),
]


@functools.cache
def build_district() -> object:
    """Six villages in two rows, a teaching point T among them.

    ::

        a/W  b    c/M       pupils 30 20 10 20 30 15
        d/T  e/E  f
    """
    return build_world(
        "a/W b c/M\nd/T e/E f",
        pupils={"a": 30, "b": 20, "c": 10, "d": 20, "e": 30, "f": 15},
        schools={
            "W": WorldSchool(places=60, classes=2, roll=50),
            "M": WorldSchool(places=45, classes=1, roll=20),
            "E": WorldSchool(places=50, classes=2, roll=70),
            "T": WorldSchool(kind="teaching_point", places=20, classes=1, roll=8),
        },
        zones=ZONES,
    )


ids = st.sampled_from(SCHOOLS)
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(CloseSchool, school_id=ids),
    st.tuples(ids, ids, st.booleans())
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: MergeSchools(school_ids=(pair[0],), into=(pair[1],), as_campus=pair[2])),
    st.builds(MakeTeachingPoint, school_id=ids),
    st.builds(ChangePlaces, school_id=ids, stage=st.just("primary"), add_places=st.sampled_from([-10.0, 30.0])),
    st.builds(ChangeStages, school_id=ids, add=st.just((StagePlaces("junior", 40),))),
    st.builds(
        OpenSchool,
        school_id=st.just("N"),
        name=st.just("New"),
        stages=st.just((StagePlaces("primary", 50),)),
        unit_id=st.sampled_from(UNITS),
    ),
    st.builds(
        MoveUnits,
        unit_ids=st.lists(st.sampled_from(UNITS), min_size=1, max_size=3, unique=True).map(tuple),
        stage=st.just("primary"),
        school_ids=st.lists(ids, min_size=1, max_size=2, unique=True).map(tuple),
    ),
    st.builds(AddBoarding, school_id=ids, beds=st.just(20.0)),
    st.builds(AddBusLine, school_id=ids, unit_ids=st.just(("a", "f"))),
)


def check_laws(before: Outcome, outcome: Outcome) -> None:
    """Nobody is lost or doubled, the rolls' total is kept, and closed schools have nobody."""
    tables = outcome.stages[0]
    assert tables.modelled
    plan = Plan(places=tables.schools.assign(capacity_source="given"), enrolment=tables.pairs)
    held = tables.units[["unit_id", "stage", "pupils"]]
    assert check_plan(plan, held) == []
    assert float(held["pupils"].sum()) == 125
    total = float(before.school_table["actual_pupils"].sum())
    assert float(outcome.school_table["actual_pupils"].sum()) == pytest.approx(total)
    assert (outcome.school_table["actual_pupils"] >= -1e-9).all()


@settings(max_examples=15)
@given(actions=st.lists(ACTIONS, max_size=4), method=st.sampled_from(["nearest", "zones", "capacity"]))
def test_no_pupil_is_lost_or_doubled(actions: list[Action], method: str) -> None:
    """For any list of actions; those in error are left out, and then there is no plan but the tables still hold."""
    outcome = answer(build_district(), *actions, enrolment=method)  # type: ignore[arg-type]
    before = outcome.before or outcome
    check_laws(before, outcome)
    bad = any(problem.severity == "error" for problem in outcome.action_problems)
    assert (outcome.plan is None) == bad


@settings(max_examples=6)
@given(actions=st.lists(ACTIONS, min_size=1, max_size=4), cut=st.integers(0, 4), seed=st.integers(0, 99))
def test_a_child_and_its_parent_are_one_list_whatever_the_order_of_rows(
    actions: list[Action], cut: int, seed: int
) -> None:
    study = build_district()
    one = answer(study, *actions, enrolment="zones")  # type: ignore[arg-type]
    split = Scenario(inherited=tuple(actions[:cut]), actions=tuple(actions[cut:]), parent="p", enrolment="zones")
    two = run_scenario(shuffle(study, seed), CN, split)  # type: ignore[arg-type]
    assert [str(text) for text in one.conflicts] == [str(text) for text in two.conflicts]
    pd.testing.assert_frame_equal(one.changes, two.changes)
    pd.testing.assert_frame_equal(one.unit_table, two.unit_table)
    assert one.record.plan_fingerprint == two.record.plan_fingerprint


@pytest.mark.parametrize("pair", ["WM", "WT", "MT"])
def test_two_closures_may_change_places(pair: str) -> None:
    """Closing is the same in either order while a complete school is left; merging is not (test_action_steps)."""
    first, second = (CloseSchool(school_id=key) for key in pair)
    one, other = answer(build_district(), first, second), answer(build_district(), second, first)  # type: ignore[arg-type]
    assert one.record.plan_fingerprint == other.record.plan_fingerprint != ""
    assert list_rolls(one) == pytest.approx(list_rolls(other))


def test_the_order_of_opening_and_merging_matters() -> None:
    # Street: W merged into E pins a to E, also when N opens at a; with N first, a is N's and stays there.
    merge = MergeSchools(school_ids=("W",), into=("E",))
    new = OpenSchool(school_id="N", name="N", stages=(StagePlaces("primary", 50),), unit_id="a", setting="rural")
    assert list_moves(answer(build_street(), merge, new))["a"] == {"E": 30}
    assert list_moves(answer(build_street(), new, merge))["a"] == {"N": 30}


@pytest.mark.parametrize("method", ["nearest", "zones", "capacity"])
def test_actions_without_effect_change_nothing(method: str) -> None:
    study = build_district()
    plain = answer(study, enrolment=method)  # type: ignore[arg-type]
    later = answer(study, CloseSchool(school_id="M", year=2030), enrolment=method, year=2025)  # type: ignore[arg-type]
    beds = answer(study, AddBoarding(school_id="W", beds=10), enrolment=method)  # type: ignore[arg-type]
    for outcome in (later, beds):
        assert outcome.record.plan_fingerprint == plain.record.plan_fingerprint
        pd.testing.assert_frame_equal(outcome.school_table, plain.school_table)
        pd.testing.assert_frame_equal(outcome.indicators, plain.indicators)
        pd.testing.assert_frame_equal(outcome.unit_table, plain.unit_table)
    assert plain.before is None and len(plain.changes) == 0 and plain.action_problems == ()


def test_before_is_the_answer_without_actions_and_is_used_again() -> None:
    study = build_street()
    plain = answer(study)
    scenario = Scenario(name="merger", actions=(CloseSchool(school_id="M"),))
    outcome = run_scenario(study, CN, scenario)
    assert outcome.before is not None
    pd.testing.assert_frame_equal(outcome.before.school_table, plain.school_table)
    assert run_scenario(study, CN, scenario, before=plain).before is plain
    other = answer(study, mode="drive")
    assert run_scenario(study, CN, scenario, before=other).before is not other


def test_the_record_holds_the_actions_as_plain_data() -> None:
    actions = (
        MergeSchools(school_ids=("M",), into=("W", "E"), comment="2027 plan", year=2026),
        OpenSchool(school_id="N", name="New", stages=(StagePlaces("primary", 60),), point=(1500.0, 500.0)),
    )
    study = build_street()
    outcome = run_scenario(study, CN, Scenario(inherited=actions[:1], actions=actions[1:], parent="p"))
    record = json.loads(json.dumps(outcome.record.as_dict()))
    listed = [*record["scenario"]["inherited"], *record["scenario"]["actions"]]
    assert [build_action(row) for row in listed] == list(actions)
    assert record["study_fingerprint"] == study.fingerprint
    assert [row["kind"] for row in listed] == ["merge", "open"]


def test_the_changed_study_has_its_own_fingerprint_and_comments_do_not_count() -> None:
    study = build_street()

    def mark(**more: object) -> str:
        scenario = Scenario(actions=(CloseSchool(school_id="M", **more),))  # type: ignore[arg-type]
        return apply_actions(study, CN, scenario).study.fingerprint

    assert mark() == mark(comment="why") != study.fingerprint
    assert len({mark(), mark(stages=("primary",)), study.fingerprint}) == 3


def test_travel_is_not_copied_where_no_action_changes_it() -> None:
    study = build_street()
    scenario = Scenario(actions=(CloseSchool(school_id="M"), AddBoarding(school_id="W", beds=5)))
    applied = apply_actions(study, CN, scenario)
    for mode, travel in study.travel.items():
        assert np.shares_memory(travel.time_min, applied.study.travel[mode].time_min)


def test_several_scenarios_at_once() -> None:
    scenarios = [Scenario(name=key, actions=(CloseSchool(school_id=key),)) for key in "WM"]
    found = run_many(build_street(), CN, scenarios)
    assert [outcome.changes["school_id"].tolist() for outcome in found] == [["W"], ["M"]]
    assert all(len(outcome.closures) == 1 for outcome in found)


def build_choice_world() -> object:
    """Twelve villages on a line with five schools; rolls in proportion to places."""
    names = "abcdefghijkl"
    cells = [*names]
    schools = {}
    for at, key, places in ((0, "P", 60), (3, "Q", 90), (6, "R", 30), (8, "S", 60), (11, "U", 120)):
        cells[at] += f"/{key}"
        schools[key] = WorldSchool(places=places, classes=2, roll=places, setting="rural")
    units = {key: WorldUnit(setting="rural", town="t") for key in names}
    return build_world(" ".join(cells), pupils=dict.fromkeys(names, 30.0), schools=schools, units=units)


def test_families_choose_among_the_changed_schools_as_they_did_before() -> None:
    study = build_choice_world()
    new = OpenSchool(school_id="N", name="N", stages=(StagePlaces("primary", 90),), unit_id="g", setting="rural")
    outcome = answer(study, CloseSchool(school_id="Q"), new, enrolment="choice")  # type: ignore[arg-type]
    assert outcome.before is not None
    before, after = outcome.before.choice[0], outcome.choice[0]
    assert after.model == before.model and after.parameters == before.parameters
    table = outcome.school_table.set_index("school_id")["modelled_pupils"]
    assert table["N"] > table["R"] > 0  # at one place: 90 places draw more than 30
    assert "Q" not in table.index and table.sum() == pytest.approx(360)
    # Three of four left schools have rolls: too few to fit, but the fit was made before.
    few = answer(study, *(CloseSchool(school_id=key) for key in "PQ"), enrolment="choice")  # type: ignore[arg-type]
    assert few.plan is not None


def test_new_zones_are_drawn_on_the_changed_study() -> None:
    study = build_street(zones=[(unit, "primary", key) for unit, key in zip("abcde", "WMMEE", strict=True)])
    move = MoveUnits(unit_ids=("b",), stage="primary", school_ids=("W",))
    outcome = answer(study, CloseSchool(school_id="M"), move, enrolment="zoning")
    zones = outcome.zones.set_index("unit_id")["school_id"].to_dict()
    assert zones["b"] == "W" and set(zones.values()) == {"W", "E"} and len(zones) == 5


def test_a_closed_stage_is_a_conflict_only_for_those_who_ask_for_it() -> None:
    study = build_world(
        "a/W b/J", pupils={"primary": {"a": 30}, "junior": {"a": 8}},
        schools={"W": WorldSchool(), "J": WorldSchool(kind="junior", stages=("junior",))},
    )  # fmt: skip
    outcome = answer(study, CloseSchool(school_id="J"), stages=("primary", "junior"))
    assert [str(text) for text in outcome.conflicts] == [
        "Action 1: Nobody would teach junior school any more."
        " Keep one school of this stage, or open another one before."
    ]


def test_the_year_of_the_rolls_is_the_latest_up_to_the_one_asked_for() -> None:
    rolls = pd.DataFrame(
        [("W", year, "primary", 0, 10.0 * year, 1.0) for year in (2021, 2023)],
        columns=["school_id", "year", "stage", "grade", "pupils", "classes"],
    )
    asked = {year: choose_year(rolls, "primary", year) for year in (None, 2020, 2021, 2022, 2023, 2030)}
    assert asked == {None: 2023, 2020: None, 2021: 2021, 2022: 2021, 2023: 2023, 2030: 2023}
    assert choose_year(rolls, "junior", 2023) is None


def test_settings_stay_those_of_the_scenario() -> None:
    scenario = Scenario(name="x", actions=(MergeSchools(school_ids=("M",), into=("W",), as_campus=True),))
    outcome = run_scenario(build_street(), CN, scenario)
    assert outcome.scenario is scenario
    assert dataclasses.asdict(scenario.assignment) == outcome.record.scenario["assignment"]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["nearest", "zones", "capacity", "choice"])
def test_the_demo_county_by_every_method(method: str) -> None:
    """A merger, a teaching point, a school at a site and one more stage: nobody lost, same plan from shuffled rows."""
    study = build_study(
        StudySpec(name="Demo county", demo=DemoSource(), synthetic=True), design_class_size=design_class_size(CN)
    )
    taught = study.places.loc[study.places["stage"] == "primary", "school_id"]
    schools = study.schools[study.schools["school_id"].isin(taught) & (study.schools["setting"] == "rural")]
    complete = schools.loc[schools["kind"] == "primary", "school_id"].tolist()
    actions = (
        MergeSchools(school_ids=(complete[0],), into=(complete[1], complete[2])),
        MakeTeachingPoint(school_id=complete[3]),
        OpenSchool(school_id="N", name="N", stages=(StagePlaces("primary", classes=30),), site_id="01"),
        ChangeStages(school_id=complete[4], add=(StagePlaces("junior", classes=6),)),
    )
    asked = {"enrolment": method, "stages": ("primary", "junior")}
    one, other = (answer(item, *actions, **asked) for item in (study, shuffle(study, 1)))
    assert one.record.plan_fingerprint == other.record.plan_fingerprint != ""
    assert one.before is not None
    for stage, rows in one.school_table.groupby("stage"):
        was = one.before.school_table
        total = float(was.loc[was["stage"] == stage, "actual_pupils"].sum())
        assert float(rows["actual_pupils"].sum()) == pytest.approx(total)


def test_an_outcome_with_actions_travels_between_processes() -> None:
    outcome = answer(build_street(), CloseSchool(school_id="M"))
    copy = pickle.loads(pickle.dumps(outcome))
    assert copy.record.plan_fingerprint == outcome.record.plan_fingerprint
    assert len(copy.closures) == 1 and copy.before.record == outcome.before.record  # type: ignore[union-attr]


def test_new_zones_say_that_those_of_a_closed_school_are_not_counted_as_moved() -> None:
    # c and d (30 pupils) are M's today. They all change school, because M closes; nobody else has to.
    today = [(unit, "primary", school) for unit, school in zip("abcde", "WWMME", strict=True)]
    places = {"W": WorldSchool(places=60), "M": WorldSchool(places=60), "E": WorldSchool(places=60)}
    settings: dict[str, Any] = {"enrolment": "zoning", "zoning": ZoningOptions(start="current", grandfather=True)}
    study = build_street(zones=today, schools=places)
    (report,) = answer(study, CloseSchool(school_id="M"), **settings).zoning
    told = [str(note) for note in report.notes]
    assert report.moved_pupils == 0 and told[-1].startswith("30 pupils live in the zone of a school that closes")
    assert not any("keep their schools" in note for note in told)
    (report,) = answer(study, ChangePlaces(school_id="M", stage="primary", add_places=10), **settings).zoning
    assert not any("closes here" in str(note) for note in report.notes)
