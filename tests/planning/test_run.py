import dataclasses
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import Cancelled, InfeasibleError
from geodata.study import StudyArea
from planning.plan import ENROLMENT_COLUMNS, Plan, check_plan
from planning.rules import read_rulebook
from planning.run import RESULTS_VERSION, run_many, run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, WorldUnit, build_five_villages, build_island, build_nine_units, build_world

CN = read_rulebook("cn")


def run(study: StudyArea, **settings_: object):
    return run_scenario(study, CN, Scenario(**settings_))


def living(study: StudyArea, *stages: str) -> pd.DataFrame:
    """What the units hold, as ``check_plan`` wants it."""
    parts = [
        pd.DataFrame({"unit_id": study.units["unit_id"], "stage": stage, "pupils": study.units[f"{stage}_pupils"]})
        for stage in stages
    ]
    return pd.concat(parts)


def test_five_villages_by_hand():
    """Worked in worlds.py: the tie at c goes to E (first id); E has 60 for 40 places, W has 50; mean 600/110 min."""
    outcome = run(build_five_villages())
    plan = outcome.require_plan()
    assert tuple(plan.enrolment.columns) == ENROLMENT_COLUMNS
    assert plan.enrolment["school_id"].tolist() == ["W", "W", "E", "E", "E"]
    assert plan.pupils_by_school("primary").to_dict() == {"E": 60, "W": 50}
    assert outcome.indicator("mean_travel_min") == pytest.approx(600 / 110)
    assert outcome.indicator("median_travel_min") == 0
    assert outcome.indicator("p95_travel_min") == 20
    assert outcome.indicator("within_10_min_share") == pytest.approx(100 / 110)
    assert check_plan(plan, living(build_five_villages(), "primary")) == []


def test_a_zone_breaks_the_tie():
    outcome = run(build_five_villages(zones=[("c", "primary", "W")]))
    assert outcome.require_plan().pupils_by_school("primary").to_dict() == {"E": 50, "W": 60}


def test_nine_units_by_hand():
    outcome = run(build_nine_units())
    assert outcome.indicator("mean_travel_min") == pytest.approx(40 / 3)
    assert outcome.indicator("mean_length_m") == pytest.approx(4000 / 3)
    assert outcome.indicator("max_travel_min") == 20
    assert outcome.school_table["modelled_pupils"].tolist() == [90]


def test_modes_change_minutes_not_metres():
    outcome = run(build_nine_units(), mode="drive")
    assert outcome.indicator("mean_travel_min") == pytest.approx(40 / 3 / 5)
    assert outcome.indicator("mean_length_m") == pytest.approx(4000 / 3)


def test_the_island_is_listed_not_dropped():
    outcome = run(build_island())
    rows = outcome.require_plan().enrolment.set_index("unit_id")
    assert rows.loc["i", "school_id"] == "" and rows.loc["i", "origin"] == "unreached"
    assert rows.loc["i", "share"] == 1
    assert outcome.indicator("unreached_pupils") == 5
    assert outcome.indicator("within_30_min_share") == pytest.approx(30 / 35)
    assert outcome.indicator("mean_travel_min") == pytest.approx(100 / 30)
    assert check_plan(outcome.require_plan(), living(build_island(), "primary")) == []


def test_several_stages_at_once():
    study = build_world(
        "a/P b/J",
        pupils={"primary": {"a": 30, "b": 10}, "junior": {"a": 8}},
        schools={"P": WorldSchool(), "J": WorldSchool(kind="junior", stages=("junior",))},
    )
    outcome = run(study, stages=("primary", "junior"))
    plan = outcome.require_plan()
    assert plan.pupils_by_school("junior").to_dict() == {"J": 8}
    assert outcome.indicator("pupils", stage="junior") == 8
    assert check_plan(plan, living(study, "primary", "junior")) == []
    assert set(outcome.unit_table["stage"]) == {"primary", "junior"}


def test_a_stage_that_nobody_teaches_is_a_conflict_in_words():
    outcome = run(build_five_villages(), stages=("primary", "senior"))
    assert outcome.plan is None
    assert [str(conflict) for conflict in outcome.conflicts] == [
        "No school teaches the stage: senior school. Add a school with places for it, or choose another."
    ]
    with pytest.raises(InfeasibleError, match="No school teaches"):
        outcome.require_plan()
    assert outcome.indicator("actual_pupils") == 110
    assert outcome.indicator("schools", stage="senior") == 0
    assert len(outcome.school_table) == 2


def test_a_missing_mode_and_missing_zones_are_conflicts():
    outcome = run(build_five_villages(modes=["walk"]), mode="drive", enrolment="zones")
    text = " ".join(map(str, outcome.conflicts))
    assert "no travel times by car or school bus" in text and "No catchments are given for primary school" in text
    assert outcome.school_table["modelled_pupils"].isna().all()
    assert "over_capacity" in set(outcome.flags["flag"])


def test_units_without_any_pupil():
    outcome = run(build_five_villages(pupils={"a": 0}))
    assert outcome.indicator("pupils") == 0
    assert np.isnan(outcome.indicator("mean_travel_min"))
    assert outcome.school_table["modelled_pupils"].tolist() == [0, 0]
    assert not (outcome.flags["subject"] == "unit").any()


def test_unknown_numbers_of_children_are_not_zero():
    outcome = run(build_five_villages(pupils={"junior": {"a": 1}}))
    assert np.isnan(outcome.indicator("pupils"))
    assert outcome.unit_table["time_min"].tolist() == [0, 10, 20, 10, 0]
    reasons = [str(reason) for reason in outcome.flags.loc[outcome.flags["flag"] == "no_data", "reason"]]
    assert reasons == ["The number of children is not known (primary school)."]


def test_no_rolls_and_no_capacities():
    study = build_five_villages(schools={"W": WorldSchool(places=None), "E": WorldSchool(places=None)})
    outcome = run(study)
    assert outcome.school_table[["capacity_places", "actual_pupils", "fill_share"]].isna().all(axis=None)
    assert np.isnan(outcome.indicator("places")) and np.isnan(outcome.indicator("leak_share"))
    assert len(outcome.leakage) == 0


def test_schools_and_units_that_the_matrix_does_not_know_have_no_way():
    study = build_five_villages()
    other = build_world("a b c/S", pupils={"a": 1}, schools={"S": WorldSchool()})
    mixed = StudyArea(**{**{key: getattr(study, key) for key in study.__dataclass_fields__}, "travel": other.travel})
    outcome = run(mixed)
    assert set(outcome.require_plan().enrolment["school_id"]) == {""}


def test_rolls_by_grade_are_added_and_totals_are_not_added_twice():
    rolls = pd.DataFrame(
        [
            ("E", 2025, "primary", 0, 70.0, 2.0),
            ("E", 2025, "primary", 1, 30.0, 1.0),
            ("W", 2025, "primary", 1, 15.0, 1.0),
            ("W", 2025, "primary", 2, 10.0, 1.0),
            ("W", 2024, "primary", 0, 99.0, 9.0),
        ],
        columns=["school_id", "year", "stage", "grade", "pupils", "classes"],
    )
    study = build_five_villages(rolls=rolls)
    table = run(study).school_table.set_index("school_id")
    assert table["actual_pupils"].to_dict() == {"E": 70, "W": 25}
    assert table["classes"].to_dict() == {"E": 2, "W": 2}
    older = run(study, year=2024).school_table.set_index("school_id")
    assert older["actual_pupils"]["W"] == 99 and np.isnan(older["actual_pupils"]["E"])
    assert run(study).record.roll_years == {"primary": 2025}


def test_teaching_points_in_a_run():
    """a: the point T is on the spot, the complete school P 20 min away: 15 of 30 pupils each."""
    schools = {"T": WorldSchool(kind="teaching_point", places=30, roll=12, setting="rural"), "P": WorldSchool()}
    study = build_world("a/T b c/P", pupils={"a": 30, "b": 0, "c": 10}, schools=schools)
    outcome = run(study)
    assert outcome.require_plan().pupils_by_school("primary").to_dict() == {"P": 25, "T": 15}
    grades = pd.DataFrame(
        [("T", 2025, "primary", 5, 12.0, 1.0)], columns=["school_id", "year", "stage", "grade", "pupils", "classes"]
    )
    complete = build_world("a/T b c/P", pupils={"a": 30, "c": 10}, schools=schools, rolls=grades)
    assert run(complete).require_plan().pupils_by_school("primary")["T"] == 30


def test_the_record_can_repeat_the_run():
    outcome = run_scenario(build_five_villages(), CN, Scenario(), started="2026-01-01T00:00:00Z")
    record = outcome.record.as_dict()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["results_version"] == RESULTS_VERSION
    assert record["rulebook"] == "cn" and record["rulebook_fingerprint"] == CN.fingerprint
    assert record["scenario"]["enrolment"] == "nearest" and record["travel"]["method"] == "roads"
    assert record["versions"]["numpy"] == np.__version__
    assert record["started"] == "2026-01-01T00:00:00Z"
    assert run(build_five_villages()).record.started is None


def test_outcomes_travel_between_processes():
    outcome = run(build_island())
    again = pickle.loads(pickle.dumps(outcome))
    assert again.require_plan().fingerprint == outcome.require_plan().fingerprint
    pd.testing.assert_frame_equal(again.flags, outcome.flags)


def test_run_many_uses_the_map_it_is_given():
    called = []

    def listening_map(function, scenarios):
        called.append(True)
        return map(function, scenarios)

    scenarios = [Scenario(mode="walk"), Scenario(mode="drive")]
    walk, drive = run_many(build_nine_units(), CN, scenarios, map=listening_map)
    assert called == [True]
    assert walk.indicator("mean_travel_min") == pytest.approx(5 * drive.indicator("mean_travel_min"))


def test_progress_is_told_and_can_cancel():
    told = []
    run_scenario(build_nine_units(), CN, Scenario(), progress=lambda step, share: told.append((str(step), share)))
    assert told[0] == ("Sending children to school: primary school", 0.0) and told[-1] == ("Done", 1.0)

    def cancel(step, share):
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        run_scenario(build_nine_units(), CN, Scenario(), progress=cancel)


def test_check_plan_finds_what_is_lost_doubled_or_sent_nowhere():
    plan = run(build_five_villages()).require_plan()
    bent = plan.enrolment.copy()
    bent.loc[0, ["share", "pupils"]] = [0.5, 15.0]
    bent.loc[1, "school_id"] = "X"
    broken = Plan(plan.places, pd.concat([bent, bent.iloc[[4]]]))
    text = " ".join(map(str, check_plan(broken, living(build_five_villages(), "primary"))))
    assert "Unit a: the shares of its pupils add up to 0.500" in text
    assert "stand twice" in text and "not open: X" in text and "110.0 pupils live here" in text
    with pytest.raises(ValueError, match="enrolment lacks share"):
        Plan(plan.places, plan.enrolment.drop(columns="share"))


def shuffle(study: StudyArea, seed: int) -> StudyArea:
    """Shuffle every table; the matrices keep their order."""
    generator = np.random.default_rng(seed)
    tables = {name: getattr(study, name) for name in ("schools", "places", "rolls", "units", "zones")}
    mixed = {
        name: table.iloc[generator.permutation(len(table))].reset_index(drop=True) for name, table in tables.items()
    }
    return StudyArea(**{**{key: getattr(study, key) for key in study.__dataclass_fields__}, **mixed})


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**31),
    st.lists(st.integers(0, 60), min_size=8, max_size=8),
    st.sampled_from(["nearest", "zones"]),
)
def test_shuffling_rows_changes_nothing(seed: int, pupils: list[int], enrolment: str):
    study = build_world(
        "a/S b c/T d\n. . e .\nf/U g h i",
        pupils=dict(zip("abcdefgh", pupils, strict=True)),
        schools={
            "S": WorldSchool(roll=70, classes=1, setting="urban", town="x"),
            "T": WorldSchool(kind="teaching_point", roll=20, places=None, setting="rural", town="y"),
            "U": WorldSchool(kind="nine_year", stages=("primary", "junior"), setting="town"),
        },
        units={"a": WorldUnit("urban", "x"), "g": WorldUnit("rural", "y")},
        zones=[("a", "primary", "U"), ("b", "primary", "S"), ("b", "primary", "T"), ("f", "primary", "T")],
    )
    plain, mixed = (run(world, enrolment=enrolment) for world in (study, shuffle(study, seed)))
    assert plain.require_plan().fingerprint == mixed.require_plan().fingerprint
    for name in ("flags", "indicators", "school_table", "unit_table", "leakage"):
        pd.testing.assert_frame_equal(getattr(plain, name), getattr(mixed, name))
    assert check_plan(plain.require_plan(), living(study, "primary")) == []


def test_unknown_children_are_not_zero_pupils():
    study = build_five_villages()
    nobody_knows = run(dataclasses.replace(study, units=study.units.assign(primary_pupils=np.nan)))
    assert nobody_knows.school_table[["modelled_pupils", "modelled_fill_share", "leak_pupils"]].isna().all(axis=None)
    assert np.isnan(nobody_knows.indicator("modelled_fill_share"))
    east = study.units["unit_id"].isin(["c", "d", "e"])
    half = run(dataclasses.replace(study, units=study.units.assign(primary_pupils=np.where(east, np.nan, 10.0))))
    modelled = half.school_table.set_index("school_id")["modelled_pupils"]
    assert np.isnan(modelled["E"])
    assert modelled["W"] == 20
    west = run(dataclasses.replace(study, units=study.units.assign(primary_pupils=np.where(east, 0.0, 10.0))))
    assert west.school_table.set_index("school_id")["modelled_pupils"].to_dict() == {"E": 0, "W": 20}
