"""The balance inspection on small counties worked by hand."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planning.actions import ChangeStages, CloseSchool, MergeSchools, StagePlaces
from planning.balance import (
    BALANCE_INDICATOR_COLUMNS,
    BALANCE_MOVE_COLUMNS,
    BALANCE_SPREAD_COLUMNS,
    BALANCE_STAGES,
    Balance,
    build_balance,
    compare_balance,
    list_shortages,
)
from planning.balance_registry import BASIC_INDICATORS, QUALITY_INDICATORS
from planning.balance_rules import RULE_KEYS_READ
from planning.inspection_items import INSPECTION_ITEMS
from planning.rules import RULE_KEYS
from planning.run import run_scenario
from planning.scenario import Scenario
from tests.planning.balance_worlds import CN, build_two_schools, make_assets, make_good_row, put_tables
from tests.worlds import WorldSchool, build_world

NAN = float("nan")


def _find(balance: Balance, school_id: str, indicator: str, stage: str = "primary") -> pd.Series:
    rows = balance.indicators.set_index(["school_id", "stage", "indicator"])
    row: pd.Series = rows.loc[[(school_id, stage, indicator)]].iloc[0]
    return row


def test_every_key_that_is_asked_for_is_one_a_rule_can_have() -> None:
    asked = (
        {item.rule_key for item in QUALITY_INDICATORS} | {item.key for item in INSPECTION_ITEMS} | set(RULE_KEYS_READ)
    )
    assert asked - {""} <= set(RULE_KEYS)
    assert {item.id for item in QUALITY_INDICATORS} <= {rule.id for rule in CN.rules}
    assert {item.id for item in INSPECTION_ITEMS} - {rule.id for rule in CN.rules} == {"R-pre"}


def test_two_good_schools_pass_everything() -> None:
    found = build_balance(build_two_schools(), CN)
    assert tuple(found.indicators.columns) == BALANCE_INDICATOR_COLUMNS
    assert tuple(found.spread.columns) == BALANCE_SPREAD_COLUMNS
    assert list(found.schools["status"]) == ["passed", "passed"]
    assert list(found.spread["cv"]) == pytest.approx([0.0] * 7, abs=1e-12)
    # R4: 6.5 m² of rooms less 0.5 m² of indoor sports; R5: 10.5 outdoors and these 0.5.
    assert _find(found, "W", "R4")["value"] == pytest.approx(6.0)
    assert _find(found, "E", "R5")["value"] == pytest.approx(11.0)
    assert found.before is None and list_shortages(found).empty
    assert compare_balance(found).empty


def test_six_of_seven_and_the_seventh_at_85_percent() -> None:
    # Limit of R1 in primary schools: 4.2 per 100 pupils. W (200 pupils) needs 8.4, 85 % of it are 7.14.
    for teachers, status, floor in ((8.4, "passed", "yes"), (7.14, "passed", "yes"), (7.13, "failed", "no")):
        study = build_two_schools(make_good_row("W", 200, above_degree_teachers=teachers), make_good_row("E", 100))
        row = build_balance(study, CN).schools.set_index("school_id").loc["W"]
        assert (row["status"], row["floor_ok"]) == (status, floor)
    two = make_good_row("W", 200, above_degree_teachers=8.0, backbone_teachers=1.9)
    row = build_balance(build_two_schools(two, make_good_row("E", 100)), CN).schools.set_index("school_id").loc["W"]
    assert (row["met_count"], row["of"], row["status"], row["short_indicators"]) == (5, 7, "failed", "R1;R2")


def test_what_is_short_is_counted_in_pieces_and_in_metres() -> None:
    # E (100 pupils): R1 needs 4.2 -> has 2, short 3 teachers (2.2), for 85 % (3.57) 2; R4 needs 450 m², 85 %: 382.5.
    study = build_two_schools(
        make_good_row("W", 200),
        make_good_row(
            "E", 100, above_degree_teachers=2, teaching_area_m2=400, indoor_sports_m2=0, equipment_cny=150_000
        ),
    )
    short = list_shortages(build_balance(study, CN)).set_index("indicator")
    assert set(short["school_id"]) == {"E"}
    assert (short.at["R1", "short_full"], short.at["R1", "short_floor"]) == (3.0, 2.0)
    assert (short.at["R4", "short_full"], short.at["R4", "short_floor"]) == (50.0, 0.0)
    assert short.at["R6", "short_full"] == 50_000.0 and short.at["R6", "asset_unit"] == "cny"


def test_what_is_not_known_is_not_zero() -> None:
    row = make_good_row("E", 100)
    del row["indoor_sports_m2"], row["backbone_teachers"]
    found = build_balance(build_two_schools(make_good_row("W", 200), row), CN)
    assert math.isnan(_find(found, "E", "R4")["value"])
    assert _find(found, "E", "R4")["missing"] == "assets.indoor_sports_m2"
    assert _find(found, "E", "R2")["met"] == "unknown"
    verdict = found.schools.set_index("school_id")["status"]
    assert verdict["E"] == "unknown" and verdict["W"] == "passed"
    spread = found.spread.set_index("indicator")
    assert (spread.at["R2", "schools"], spread.at["R2", "schools_unknown"]) == (1, 1)


def test_two_sure_misses_fail_a_school_whatever_is_not_known() -> None:
    row = make_good_row("E", 100, above_degree_teachers=4.0, backbone_teachers=0.9)
    del row["equipment_cny"]
    found = build_balance(build_two_schools(make_good_row("W", 200), row), CN)
    assert found.schools.set_index("school_id").at["E", "status"] == "failed"


def test_without_assets_everything_is_unknown() -> None:
    study = build_two_schools()
    found = build_balance(put_tables(study, assets=study.assets.iloc[:0]), CN)
    assert set(found.indicators["met"]) == {"unknown"}
    assert set(found.schools["status"]) == {"unknown"}
    assert found.spread["cv"].isna().all() and set(found.spread["met"]) == {"unknown"}
    assert any("no table of assets" in str(note) for note in found.notes)


def test_schools_out_of_scope_are_named_with_the_reason() -> None:
    study = build_world(
        "a/P b/Q c/Z d/S e/V f/U",
        pupils={"a": 10},
        schools={
            "P": WorldSchool(kind="teaching_point", roll=49, name="Point"),
            "Q": WorldSchool(kind="teaching_point", roll=50, name="Larger point"),
            "Z": WorldSchool(roll=0, name="Empty"),
            "S": WorldSchool(roll=80, name="县特殊教育学校"),
            "V": WorldSchool(roll=80, name="职业中学"),
            "U": WorldSchool(name="Unknown"),
        },
    )
    found = build_balance(study, CN)
    assert list(found.schools["school_id"]) == ["Q"]
    reasons = {str(row["school_id"]): str(row["reason"]) for row in found.left_out.to_dict("records")}
    assert "49 pupils" in reasons["P"] and "below 50" in reasons["P"]
    assert "special" in reasons["S"] and "vocational" in reasons["V"]
    assert "no pupils" in reasons["Z"] and "not known" in reasons["U"]


@pytest.mark.parametrize(
    ("setting", "roll", "counted"),
    [
        ("rural", 50, 2.0),
        ("rural", 99, 2.0),
        ("rural", 49, 0.0),
        ("rural", 100, 0.0),
        ("urban", 80, 0.0),
        ("", 80, 0.0),
    ],
)
def test_shared_teachers_count_in_small_rural_schools_only(setting: str, roll: float, counted: float) -> None:
    study = build_two_schools(
        make_good_row("W", 200),
        make_good_row("E", roll, pe_art_teachers=1.0, shared_pe_art_teachers=2.0),
        E=WorldSchool(roll=roll, setting=setting),
    )
    assert _find(build_balance(study, CN), "E", "R3")["total"] == pytest.approx(1.0 + counted)


def test_rented_venues_do_not_count_outside_dense_cores() -> None:
    study = build_two_schools(make_good_row("W", 200, rented_sports_m2=900.0), make_good_row("E", 100))
    row = _find(build_balance(study, CN), "W", "R5")
    assert row["total"] == pytest.approx(2200.0)
    assert "not counted" in str(row["note"])


def test_nine_year_schools_are_judged_by_stage_and_teachers_by_their_own_count() -> None:
    # 100 primary and 100 junior pupils: areas 1 : 1.1, so 2100 m² are 1000 and 1100. Teachers are counted by stage.
    study = build_world(
        "a/N b",
        pupils={"primary": {"a": 100}, "junior": {"a": 100}},
        schools={
            "N": WorldSchool(kind="nine_year", stages=("primary", "junior"), roll={"primary": 100, "junior": 100})
        },
    )
    rows = make_assets(
        {"school_id": "N", "teaching_area_m2": 2100, "indoor_sports_m2": 0, "backbone_teachers": 4},
        {"school_id": "N", "stage": "primary", "backbone_teachers": 3},
        {"school_id": "N", "stage": "junior", "backbone_teachers": 1},
    )
    found = build_balance(put_tables(study, assets=rows), CN)
    assert _find(found, "N", "R4")["total"] == pytest.approx(1000.0)
    assert _find(found, "N", "R4", "junior")["total"] == pytest.approx(1100.0)
    assert (_find(found, "N", "R2")["total"], _find(found, "N", "R2", "junior")["total"]) == (3.0, 1.0)
    assert "split" in str(_find(found, "N", "R4")["note"]) and _find(found, "N", "R2")["note"] is None


def test_the_latest_year_up_to_the_one_asked_about_counts() -> None:
    study = build_two_schools(
        make_good_row("W", 200, year=2023, backbone_teachers=1),
        make_good_row("W", 200, year=2025, backbone_teachers=5),
        make_good_row("E", 100, year=2024),
    )
    assert _find(build_balance(study, CN), "W", "R2")["total"] == 5
    # Rolls of 2025 are later than the year asked about: without pupils there is no value.
    assert build_balance(study, CN, year=2024).schools.empty


def test_the_unweighted_coefficient_can_say_the_opposite() -> None:
    # Books of fixture F1 as equipment: weighted 0.515 > 0.50 >= 0.489 unweighted.
    pupils, books = [45.0, 37.0, 89.0, 76.0, 55.0], [279.0, 137.0, 935.0, 160.0, 402.0]
    keys = "ABCDE"
    study = build_world(
        "a/A b/B c/C d/D e/E",
        pupils={"a": 1},
        schools={key: WorldSchool(roll=roll) for key, roll in zip(keys, pupils, strict=True)},
    )
    rows = [{"school_id": key, "equipment_cny": value} for key, value in zip(keys, books, strict=True)]
    found = build_balance(put_tables(study, assets=make_assets(*rows)), CN)
    row = found.spread.set_index("indicator").loc["R6"]
    assert row["cv"] == pytest.approx(0.5153, abs=5e-5) and row["cv_unweighted"] == pytest.approx(0.4888, abs=5e-5)
    assert (row["met"], row["met_unweighted"], row["flips"]) == ("no", "yes", True)
    assert "opposite" in str(found.items.set_index("item_id").at["R-CV", "note"])


def test_basic_balance_is_the_mean_of_eight_and_says_that_its_limit_is_not_verified() -> None:
    study = build_two_schools(make_good_row("W", 200), make_good_row("E", 100, library_books=5000))
    found = build_balance(study, CN, kind="basic")
    assert len(BASIC_INDICATORS) == 8
    rows = found.spread.set_index("indicator")
    # Books: 25 and 50 per pupil; mean 10000/300; sqrt(2/3·(8.33)² + 1/3·(16.67)²) = 11.785; / 33.33 = 0.35355; / 8.
    assert rows.at["B1-5", "cv"] == pytest.approx(0.353553, abs=1e-6)
    assert rows.at["composite", "cv"] == pytest.approx(0.353553 / 8, abs=1e-6)
    assert (rows.at["composite", "limit"], rows.at["composite", "verified"]) == (0.65, False)
    assert rows.at["composite", "met"] == "yes"
    item = found.items.set_index("item_id").loc["B3"]
    assert not item["verified"] and item["met"] == "yes"


def test_a_merger_moves_teachers_and_equipment_and_leaves_the_buildings() -> None:
    study = build_two_schools(make_good_row("W", 200), make_good_row("E", 100, above_degree_teachers=2))
    outcome = run_scenario(study, CN, Scenario(actions=(MergeSchools(school_ids=("E",), into=("W",)),)))
    found = build_balance(study, CN, outcome=outcome)
    assert list(found.schools["school_id"]) == ["W"] and found.schools["pupils"].iloc[0] == pytest.approx(300)
    assert _find(found, "W", "R1")["total"] == pytest.approx(12 + 2)
    assert _find(found, "W", "R6")["total"] == pytest.approx(900_000)
    assert _find(found, "W", "R4")["total"] == pytest.approx(1200)  # its own rooms only
    assert _find(found, "W", "R7")["total"] == pytest.approx(6)
    assert found.schools["short_indicators"].iloc[0] == "R4;R5;R7"
    moves = compare_balance(found)
    assert tuple(moves.columns) == BALANCE_MOVE_COLUMNS
    cv = moves[(moves["indicator"] == "R1") & (moves["measure"] == "cv")].iloc[0]
    # Before: 6 and 2 per 100, mean 14/3; sqrt(2/3·(4/3)² + 1/3·(8/3)²) = 1.8856; / 4.6667 = 0.40406.
    assert cv["before"] == pytest.approx(0.404061, abs=1e-6) and cv["after"] == pytest.approx(0.0, abs=1e-12)
    assert cv["better"] == "yes"
    assert any("stay behind" in str(note) for note in found.notes)


def test_a_campus_keeps_its_buildings_under_the_head_school() -> None:
    study = build_two_schools()
    action = MergeSchools(school_ids=("E",), into=("W",), as_campus=True)
    found = build_balance(study, CN, outcome=run_scenario(study, CN, Scenario(actions=(action,))))
    assert list(found.schools["school_id"]) == ["W"]
    assert _find(found, "W", "R4")["total"] == pytest.approx(1800)
    assert list(found.schools["status"]) == ["passed"]


def test_a_closed_school_hands_on_in_proportion_to_its_pupils() -> None:
    # M's pupils come from b (60) alone; b goes to W or E. With b between them the tie goes to E (first id).
    study = build_world(
        "a/W b/M c/E",
        pupils={"a": 100, "b": 60, "c": 100},
        schools={key: WorldSchool(places=400, roll=roll) for key, roll in (("W", 100), ("M", 60), ("E", 100))},
    )
    rows = make_assets(make_good_row("W", 100), make_good_row("M", 60), make_good_row("E", 100))
    study = put_tables(study, assets=rows)
    outcome = run_scenario(study, CN, Scenario(actions=(CloseSchool(school_id="M"),)))
    found = build_balance(study, CN, outcome=outcome)
    totals = {key: _find(found, key, "R6")["total"] for key in "WE"}
    assert sum(totals.values()) == pytest.approx(780_000)
    assert totals["E"] == pytest.approx(480_000)


def test_a_new_stage_has_no_value_until_it_is_given() -> None:
    study = build_two_schools()
    add = ChangeStages(school_id="W", add=(StagePlaces(stage="junior", capacity_places=90),))
    outcome = run_scenario(study, CN, Scenario(actions=(add,)))
    found = build_balance(study, CN, outcome=outcome)
    assert any("junior" in str(note).lower() for note in found.notes)
    assert set(found.schools["stage"]) <= set(BALANCE_STAGES)


def test_rules_without_a_balance_part_give_values_without_verdicts() -> None:
    from planning.rules import read_rulebook

    found = build_balance(build_two_schools(), read_rulebook("intl"))
    assert np.isfinite(found.indicators["value"]).all()
    assert set(found.indicators["met"]) == {"unknown"}


@pytest.mark.parametrize("closed", ["W", "M", "E"])
def test_closing_any_school_keeps_all_teachers_and_loses_its_rooms(closed: str) -> None:
    study = build_world(
        "a/W b/M c/E",
        pupils={"a": 100, "b": 60, "c": 100},
        schools={key: WorldSchool(places=400, roll=roll) for key, roll in (("W", 100), ("M", 60), ("E", 100))},
    )
    sizes = {"W": 100.0, "M": 60.0, "E": 100.0}
    study = put_tables(study, assets=make_assets(*(make_good_row(key, size) for key, size in sizes.items())))
    outcome = run_scenario(study, CN, Scenario(actions=(CloseSchool(school_id=closed),)))
    found = build_balance(study, CN, outcome=outcome)
    totals = found.indicators.groupby("indicator")["total"].sum()
    assert totals["R1"] == pytest.approx(260 * 0.06) and totals["R6"] == pytest.approx(260 * 3000)
    assert totals["R4"] == pytest.approx((260 - sizes[closed]) * 6.0)
    assert found.totals["staff_teachers"].sum() == pytest.approx(260 / 15)


def test_a_school_that_is_gone_is_not_worse_than_before() -> None:
    """E met its limits and closes: fewer schools meet them, but none of those that are left does worse."""
    rich: dict[str, Any] = {
        name: 2 * value for name, value in make_good_row("W", 200).items() if isinstance(value, float)
    }
    study = build_two_schools(make_good_row("W", 200, **rich), make_good_row("E", 100))
    outcome = run_scenario(study, CN, Scenario(actions=(MergeSchools(school_ids=("E",), into=("W",)),)))
    moves = compare_balance(build_balance(study, CN, outcome=outcome))
    row = moves[(moves["indicator"] == "R1") & (moves["measure"] == "schools_met")].iloc[0]
    assert (row["before"], row["after"], row["change"], row["better"]) == (2, 1, -1, "")
    row = moves[(moves["indicator"] == "") & (moves["measure"] == "schools_passed")].iloc[0]
    assert (row["before"], row["after"], row["better"]) == (2, 1, "")
    # Without the reserves W misses R4 (6 m² for 300 pupils instead of 200 are 4): that is worse.
    study = build_two_schools(make_good_row("W", 200), make_good_row("E", 100))
    moves = compare_balance(build_balance(study, CN, outcome=run_scenario(study, CN, outcome.scenario)))
    row = moves[(moves["indicator"] == "R4") & (moves["measure"] == "schools_met")].iloc[0]
    assert (row["before"], row["after"], row["better"]) == (2, 0, "no")


def test_a_stage_that_nobody_asked_about_still_takes_its_part_of_shared_assets() -> None:
    """Closing N ends its junior classes too; W's rooms are split by both stages, asked about or not."""
    nine: dict[str, Any] = {"kind": "nine_year", "stages": ("primary", "junior"), "places": 400}
    study = build_world(
        "a/W b/N c/E",
        pupils={stage: dict.fromkeys("abc", 100) for stage in ("primary", "junior")},
        schools={key: WorldSchool(roll=100, **nine) for key in "WNE"},
    )
    junior = study.rolls.assign(stage="junior", pupils=100.0)
    rolls = pd.concat([study.rolls, junior], ignore_index=True).astype(study.rolls.dtypes.to_dict())
    study = put_tables(study, rolls=rolls, assets=make_assets(*(make_good_row(key, 200) for key in "WNE")))
    outcome = run_scenario(study, CN, Scenario(stages=("primary",), actions=(CloseSchool(school_id="N"),)))
    found = build_balance(study, CN, outcome=outcome)
    assert set(found.schools["stage"]) == set(compare_balance(found)["stage"]) == {"primary"}
    assert _find(found, "W", "R4")["total"] == pytest.approx(1200 / 2.1)
