import dataclasses

import numpy as np
import pandas as pd
import pytest

from geodata.study import StudyArea
from planning.flags import FLAG_COLUMNS, FLAG_NAMES
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, WorldUnit, build_five_villages, build_island, build_world

CN = read_rulebook("cn")


def flags_of(study, rules=CN, **settings) -> pd.DataFrame:
    flags = run_scenario(study, rules, Scenario(**settings)).flags
    assert tuple(flags.columns) == FLAG_COLUMNS
    assert set(flags["flag"]) <= set(FLAG_NAMES)
    assert set(flags["severity"]) <= {"block", "warn", "note"}
    return flags


def flags_of_school(school: WorldSchool, **settings) -> dict[str, str]:
    """Flags of one school at its only unit, with ten children, as {flag: reason}."""
    stages = settings.pop("stages", ("primary",))
    study = build_world("a/S", pupils={stage: {"a": 10} for stage in stages}, schools={"S": school})
    flags = flags_of(study, stages=stages, **settings)
    return {row.flag: str(row.reason) for row in flags.itertuples() if row.subject == "school"}


@pytest.mark.parametrize(
    ("pupils", "flag", "severity"),
    [
        (101, "over_capacity", "block"),
        (100, "nearly_full", "note"),
        (90, "nearly_full", "note"),
        (89, None, None),
        (50, None, None),
        (49, "low_use", "note"),
        (0, "low_use", "note"),
    ],
)
def test_fill_bands(pupils, flag, severity):
    """Yellow from 0.90, red above 1.00 (P7); low below one half (a convention)."""
    study = build_world("a/S", pupils={"a": 10}, schools={"S": WorldSchool(places=100, roll=pupils)})
    flags = flags_of(study).query("subject == 'school'")
    assert flags["flag"].tolist() == ([flag] if flag else [])
    assert flags["severity"].tolist() == ([severity] if severity else [])


def test_pupils_without_any_place_are_over_capacity():
    flags = flags_of_school(WorldSchool(places=0, roll=70, name="North"))
    assert flags["over_capacity"] == "North has 70 pupils and no places."
    assert "over_capacity" not in flags_of_school(WorldSchool(places=0, roll=0))


def test_the_reason_holds_the_numbers_and_the_rule():
    study = build_world("a/S", pupils={"a": 1}, schools={"S": WorldSchool(places=1000, roll=1250, name="North")})
    row = flags_of(study).iloc[0]
    assert str(row["reason"]) == "North has 1,250 pupils for 1,000 places (125% full)."
    assert (row["value"], row["limit"], row["unit"], row["rule_id"]) == (1.25, 1.0, "share", "P7.red")
    assert (row["subject"], row["subject_id"], row["name"], row["stage"]) == ("school", "S", "North", "primary")


def test_without_any_roll_the_model_judges_and_says_so():
    study = build_world("a/S", pupils={"a": 30}, schools={"S": WorldSchool(places=20)})
    flags = flags_of(study).set_index("flag")
    assert "would have 30 pupils for 20 places (150% full) if every child went to the nearest school" in str(
        flags.loc["over_capacity", "reason"]
    )
    assert "roll of no primary school is known" in str(flags.loc["no_data", "reason"])
    zoned = build_world("a/S", pupils={"a": 30}, schools={"S": WorldSchool(places=20)}, zones=[("a", "primary", "S")])
    assert "school of its zone" in str(
        flags_of(zoned, enrolment="zones").set_index("flag").loc["over_capacity", "reason"]
    )


@pytest.mark.parametrize(
    ("stage", "roll", "flag"),
    [
        ("primary", 450, None),
        ("primary", 451, "class_over_limit"),
        ("primary", 559, "class_over_limit"),
        ("primary", 560, "large_class"),
        ("primary", 659, "large_class"),
        ("primary", 660, "super_large_class"),
        ("junior", 500, None),
        ("junior", 501, "class_over_limit"),
        ("junior", 660, "super_large_class"),
        ("kindergarten", 351, "class_over_limit"),
        ("senior", 700, None),
    ],
)
def test_class_size_bands(stage, roll, flag):
    """Ten classes: 45/50 is the limit (G5), 56-65 large, 66 and more super-large (L8), 35 in kindergartens (K1)."""
    school = WorldSchool(kind=stage, stages=(stage,), places=10_000, classes=10, roll=roll)
    found = set(flags_of_school(school, stages=(stage,))) - {"low_use"}
    assert found == ({flag} if flag else set())


def test_class_sizes_are_said_to_be_averages():
    reason = flags_of_school(WorldSchool(places=1000, classes=10, roll=583))["large_class"]
    assert reason == "S has 58.3 pupils in a class on average (roll 583, classes 10); 56 and more count as large."


def test_a_nine_year_school_is_sized_by_both_stages_and_flagged_once():
    """1,800 + 800 = 2,600 pupils above 2,500, though neither stage passes 2,000; 30 + 16 = 46 classes above 45."""
    school = WorldSchool(
        kind="nine_year",
        stages=("primary", "junior"),
        places={"primary": 2000, "junior": 900},
        classes={"primary": 45, "junior": 20},
        roll={"primary": 1800, "junior": 800},
    )
    study = build_world("a/S", pupils={"primary": {"a": 1}, "junior": {"a": 1}}, schools={"S": school})
    for stages in (("primary", "junior"), ("junior",)):
        flags = flags_of(study, stages=stages)
        size = flags[flags["flag"] == "oversize_school"]
        assert size["value"].tolist() == [2600] and size["rule_id"].tolist() == ["G4.nine_year"]
        assert flags.loc[flags["flag"] == "too_many_classes", "value"].tolist() == [65]


def test_oversize_primary_school():
    found = flags_of_school(WorldSchool(places=3000, classes=37, roll=2001, kind="primary"))
    assert found["oversize_school"] == "S has 2,001 pupils; the limit for a school of its kind is 2,000."
    assert found["too_many_classes"] == "S has 37 classes; a school of its kind should have at most 36."


def test_small_schools_are_rural_only():
    assert "small_school" in flags_of_school(WorldSchool(places=120, roll=99, setting="rural"))
    assert "small_school" not in flags_of_school(WorldSchool(places=120, roll=100, setting="rural"))
    assert "small_school" not in flags_of_school(WorldSchool(places=120, roll=99, setting="urban"))
    assert "small_school" not in flags_of_school(WorldSchool(places=120, roll=99))


def test_teaching_points_are_named():
    point = WorldSchool(kind="teaching_point", places=30, roll=25, setting="rural")
    assert flags_of_school(point)["small_school"] == "S is a teaching point with 25 pupils, fewer than 100."
    assert "teaching_point" in flags_of_school(WorldSchool(kind="teaching_point", places=30, roll=25))


def test_unknown_is_not_zero():
    """A: no capacity; B: no roll; C: neither; D: both. Only D may be judged by its fill."""
    schools = {
        "A": WorldSchool(places=None, roll=50),
        "B": WorldSchool(places=60),
        "C": WorldSchool(places=None),
        "D": WorldSchool(places=50, roll=60),
    }
    study = build_world("a/A b/B c/C d/D", pupils=dict.fromkeys("abcd", 40), schools=schools)
    flags = flags_of(study).query("subject == 'school'")
    reasons = {row.subject_id: str(row.reason) for row in flags.itertuples() if row.flag == "no_data"}
    assert reasons == {
        "A": "The places of A are not known, so nobody can say how full it is.",
        "B": "The roll of B is not known.",
        "C": "Neither the places nor the roll of C is known.",
    }
    assert flags.loc[flags["flag"] == "over_capacity", "subject_id"].tolist() == ["D"]


def test_beyond_the_radius_by_setting_of_the_unit():
    """Villages 1 km apart, school at a: urban b (1,000 m > 500) is too far; rural c (2,000 m) is not, d (3,000) is."""
    study = build_world(
        "a/S b c d",
        pupils=dict.fromkeys("abcd", 10),
        schools={"S": WorldSchool(setting="urban")},
        units={"a": WorldUnit("urban"), "b": WorldUnit("urban"), "c": WorldUnit("rural"), "d": WorldUnit("rural")},
    )
    outcome = run_scenario(study, CN, Scenario())
    far = outcome.flags.query("flag == 'beyond_radius' and subject == 'unit'").set_index("subject_id")
    assert far["rule_id"].to_dict() == {"b": "L1", "d": "C7b"}
    assert (
        str(far.loc["d", "reason"])
        == "Children of d (10) live 3,000 m from their school; the service radius is 2,000 m."
    )
    school = outcome.flags.query("flag == 'beyond_radius' and subject == 'school'")
    assert school["value"].tolist() == [0.5]
    assert outcome.indicator("beyond_radius_share") == 0.5
    assert outcome.indicator("beyond_radius_share", area_kind="setting", area="urban") == 0.5


def test_a_unit_of_unknown_setting_is_judged_by_its_school():
    study = build_world("a/S b", pupils={"b": 10}, schools={"S": WorldSchool(setting="town")})
    flags = flags_of(study)
    assert flags.query("flag == 'beyond_radius' and subject == 'unit'")["rule_id"].tolist() == ["L1"]
    assert "setting_unknown" not in set(flags["flag"])


def test_where_no_setting_is_known_the_gap_is_told_once():
    flags = flags_of(build_island())
    assert "beyond_radius" not in set(flags["flag"])
    assert flags.loc[flags["flag"] == "setting_unknown", "subject"].tolist() == ["county"]
    international = flags_of(build_island(), rules=read_rulebook("intl"))
    assert "setting_unknown" not in set(international["flag"])


def test_without_metres_the_radius_is_not_checked_and_that_is_told():
    """A given matrix holds minutes only."""
    study = build_five_villages()
    walk = study.travel["walk"]
    minutes = dataclasses.replace(walk, length_m=np.full_like(walk.length_m, np.nan), method="given")
    fields = {key: getattr(study, key) for key in study.__dataclass_fields__}
    outcome = run_scenario(StudyArea(**{**fields, "travel": {"walk": minutes}}), CN, Scenario())
    assert "beyond_radius" not in set(outcome.flags["flag"])
    assert "known in minutes only" in str(outcome.flags.set_index("flag").loc["no_data", "reason"])
    assert np.isnan(outcome.indicator("beyond_radius_share")) and np.isnan(outcome.indicator("mean_length_m"))


def test_long_ways_and_no_ways():
    """30 min are allowed (C6): e is 40 min away on foot; the island i has no way. By car nobody is late."""
    study = build_world("a/S b c d e . i", pupils={"d": 5, "e": 7, "i": 3}, schools={"S": WorldSchool()})
    flags = flags_of(study).query("subject == 'unit'").set_index("flag")
    assert flags.loc["long_travel", "subject_id"] == "e"
    assert str(flags.loc["long_travel", "reason"]) == (
        "Children of e (7) need 40 minutes on foot to school; at most 30 are advised."
    )
    assert (
        str(flags.loc["unreachable", "reason"])
        == "From i no primary school can be reached on foot; children living there: 3.0."
    )
    assert "long_travel" not in set(flags_of(study, mode="drive")["flag"])


def test_zones_that_send_past_a_nearer_school():
    study = build_five_villages(zones=[("a", "primary", "E"), ("c", "primary", "W"), ("e", "primary", "E")])
    detours = flags_of(study, enrolment="zones").query("flag == 'zone_detour'")
    assert detours["subject_id"].tolist() == ["a"]
    assert detours["value"].tolist() == [40]
    assert str(detours["reason"].iloc[0]) == (
        "The zone sends a to East School, 40 minutes on foot; West School is 0 minutes away."
    )
    assert "zone_detour" not in set(flags_of(study)["flag"])


def test_the_county_share_of_large_classes():
    """One of three classes is in a school of 70 on average: 33.3%, above both targets (L9)."""
    county = flags_of(build_five_villages()).query("subject == 'county'").set_index("flag")
    assert county.loc["large_class_share", "value"] == pytest.approx(1 / 3)
    assert county.loc["super_large_class_share", "limit"] == 0.02
    assert "About 33.3% of the classes" in str(county.loc["large_class_share", "reason"])


def test_the_gravest_come_first():
    order = [{"block": 0, "warn": 1, "note": 2}[item] for item in flags_of(build_five_villages())["severity"]]
    assert order == sorted(order)


def test_a_district_without_findings_has_an_empty_table_of_the_right_types():
    school = WorldSchool(places=100, roll=70, classes=2, setting="urban")
    study = build_world("a/S", pupils={"a": 70}, schools={"S": school}, units={"a": WorldUnit("urban")})
    flags = flags_of(study)
    assert len(flags) == 0 and flags["value"].dtype == np.float64
