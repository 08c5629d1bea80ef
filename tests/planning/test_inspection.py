"""Items of the inspection: by data, by reported numbers, by documents; and honesty about what is not known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geodata.study import StudyArea
from planning.balance import build_balance
from planning.inspection import read_reported
from planning.inspection_facts import Tally
from planning.inspection_items import INSPECTION_ITEMS
from planning.run import run_scenario
from planning.scenario import Scenario
from tests.planning.balance_worlds import CN, build_two_schools, make_assets, make_good_row, make_table, put_tables
from tests.worlds import WorldSchool


def _answer(study: StudyArea, item: str, stage: str = "", **settings: Any) -> pd.Series:
    found = build_balance(study, CN, **settings).items.set_index(["item_id", "stage"])
    row: pd.Series = found.loc[[(item, stage)]].iloc[0]
    return row


def _ask(west: dict[str, Any], east: dict[str, Any] | None = None, **schools: WorldSchool) -> StudyArea:
    return build_two_schools(make_good_row("W", 200, **west), make_good_row("E", 100, **(east or west)), **schools)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.95", 0.95),
        ("95%", 0.95),
        ("９５％", 0.95),
        ("97.2 %", 0.972),
        ("1,200", 1200.0),
        ("≥0.9", 0.9),
        ("95", 95.0),
    ],
)
def test_reported_numbers_are_read_as_written(text: str, value: float) -> None:
    assert read_reported(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "高", "n/a", "0.9 to 0.95"])
def test_words_are_no_numbers(text: str) -> None:
    assert np.isnan(read_reported(text))


def test_every_item_has_one_row_or_one_per_stage() -> None:
    items = build_balance(build_two_schools(), CN).items
    assert set(items["item_id"]) == {item.id for item in INSPECTION_ITEMS if item.kind == "quality"}
    assert not items.duplicated(["item_id", "stage"]).any()
    assert set(items["basis"]) <= {"data", "reported", "evidence"} and set(items["met"]) <= {"yes", "no", "unknown"}


def test_reported_shares_are_judged_and_percent_is_never_guessed() -> None:
    evidence = make_table(
        "evidence",
        {"item_id": "G14", "reported_value": "58%", "met": "yes", "document": "Notice 1", "dated": "2025-05-20"},
        {"item_id": "Q2", "reported_value": "0.94", "met": "yes"},
        {"item_id": "Q4", "reported_value": "6"},
        {"item_id": "G8", "met": "yes", "document": "Pay table"},
        {"item_id": "Q1", "reported_value": "high", "met": "yes"},
    )
    items = build_balance(put_tables(build_two_schools(), evidence=evidence), CN).items.set_index("item_id")
    assert (items.at["G14", "met"], items.at["G14", "basis"]) == ("yes", "reported")
    assert items.at["G14", "document"] == "Notice 1 2025-05-20"
    assert items.at["Q2", "met"] == "no" and "number decides" in str(items.at["Q2", "note"])
    assert items.at["Q4", "met"] == "unknown" and "above 1" in str(items.at["Q4", "note"])
    assert (items.at["G8", "met"], items.at["G8", "basis"]) == ("yes", "evidence")
    assert items.at["Q1", "met"] == "yes" and "not a number" in str(items.at["Q1", "note"])
    assert items.at["G7", "met"] == "unknown" and items.at["G7", "missing"] == "evidence.reported_value"


def test_data_decide_before_the_report_and_say_where_they_differ() -> None:
    study = _ask({"eligible_teachers": 10, "rotated_teachers": 1, "rotated_backbone_teachers": 0})
    evidence = make_table("evidence", {"item_id": "G11", "reported_value": "0.30"})
    row = _answer(put_tables(study, evidence=evidence), "G11")
    assert (row["met"], row["basis"]) == ("yes", "data") and row["value"] == pytest.approx(0.1)
    assert "0.300" in str(row["note"]) and "0.100" in str(row["note"])
    assert _answer(study, "G11.backbone")["met"] == "no"


def test_one_teacher_without_a_certificate_fails_and_a_gap_leaves_it_open() -> None:
    full = {"staff_teachers": 20, "certified_teachers": 20, "trained_teachers": 20}
    assert _answer(_ask(full), "G12")["met"] == "yes"
    assert _answer(_ask(full, {**full, "certified_teachers": 19}), "G12")["met"] == "no"
    gap = {"staff_teachers": 20, "trained_teachers": 20}
    row = _answer(_ask(full, gap), "G12")
    assert row["met"] == "unknown" and "assets.certified_teachers" in row["missing"]
    assert row["value"] == pytest.approx(1.0)
    # What is known already proves that not all of them have one.
    assert _answer(_ask({**full, "certified_teachers": 19}, gap), "G12")["met"] == "no"


def test_special_rooms_by_classes_area_and_year() -> None:
    # W has 5 classes and E 3: one room of each kind. 13 classes need two.
    good = {
        "music_rooms": 1,
        "art_rooms": 1,
        "smallest_music_m2": 96,
        "smallest_art_m2": 90,
        "largest_class_pupils": 40,
    }
    assert _answer(_ask(good), "G3")["met"] == "yes"
    thirteen = WorldSchool(roll=200, classes=13, name="West")
    assert _answer(_ask(good, W=thirteen), "G3")["met"] == "no"
    small = {**good, "smallest_music_m2": 73, "smallest_art_m2": 67}
    assert _answer(_ask({**small, "founded_year": 2016}), "G3")["met"] == "yes"
    assert _answer(_ask({**small, "founded_year": 2017}), "G3")["met"] == "no"
    row = _answer(_ask(small), "G3")
    assert row["met"] == "unknown" and "assets.founded_year" in row["missing"]
    assert _answer(_ask({**good, "art_rooms": 0}), "G3")["met"] == "no"
    # E is rural: with its largest class below 30 it is judged by itself.
    row = _answer(_ask(good, {"largest_class_pupils": 29}), "G3")
    assert row["met"] == "yes" and "judged by themselves" in str(row["note"])


@pytest.mark.parametrize(
    ("roll", "facts", "met"),
    [
        (2000, {}, "yes"),
        (2001, {}, "unknown"),
        (2401, {}, "no"),
        (2400, {"founded_year": 2010}, "yes"),
        (2400, {"founded_year": 2011, "migrant_pupils": 1201}, "yes"),
        (2400, {"founded_year": 2011, "migrant_pupils": 1200}, "no"),
    ],
)
def test_school_size_with_its_relaxation(roll: float, facts: dict[str, Any], met: str) -> None:
    study = build_two_schools(
        make_good_row("W", roll, **facts), make_good_row("E", 100), W=WorldSchool(roll=roll, classes=60)
    )
    assert _answer(study, "G4")["met"] == met


def test_the_unverified_limit_of_twelve_year_schools_leaves_them_open() -> None:
    for roll, met in ((2000, "yes"), (2300, "unknown"), (2600, "no")):
        school = WorldSchool(kind="twelve_year", roll=roll, classes=60)
        study = build_two_schools(make_good_row("W", roll, founded_year=2015), make_good_row("E", 100), W=school)
        study = put_tables(study, assets=study.assets.assign(migrant_pupils=0.0))
        assert _answer(study, "G4")["met"] == met


def test_class_sizes_are_honest_about_averages() -> None:
    assert _answer(_ask({"largest_class_pupils": 45}), "G5", "primary")["met"] == "yes"
    assert _answer(_ask({"largest_class_pupils": 46}), "G5", "primary")["met"] == "no"
    row = _answer(build_two_schools(), "G5", "primary")  # averages 40 and 33
    assert row["met"] == "unknown" and "proves nothing" in str(row["note"])
    crowded = WorldSchool(roll=200, classes=4)
    assert _answer(build_two_schools(W=crowded), "G5", "primary")["met"] == "no"


def test_one_grade_over_the_cap_proves_a_class_over_it() -> None:
    study = build_two_schools()
    rolls = pd.DataFrame(
        [
            ("W", 2025, "primary", 1, 46.0, 1.0),
            ("W", 2025, "primary", 2, 154.0, 5.0),
            ("E", 2025, "primary", 0, 100.0, 3.0),
        ],
        columns=study.rolls.columns,
    )
    row = _answer(put_tables(study, rolls=rolls), "G5", "primary")
    assert row["met"] == "no" and row["value"] == pytest.approx(46.0)


def test_catchments_by_address_by_the_model_or_as_a_bound() -> None:
    # W is urban, E rural: W alone counts. Its zone holds a: 150 children, and 200 are on its roll.
    by_address = _ask({"in_zone_pupils": 200}, {"in_zone_pupils": 10})
    row = _answer(by_address, "G13", "primary")
    assert row["met"] == "yes" and "address" in str(row["note"])
    zones = pd.DataFrame(
        [("a", "primary", "W"), ("b", "primary", "E"), ("c", "primary", "E")], columns=["unit_id", "stage", "school_id"]
    )
    study = put_tables(build_two_schools(), zones=zones)
    row = _answer(study, "G13", "primary")
    assert row["value"] == pytest.approx(150 / 200) and row["met"] == "no"
    # By the model everybody of W comes from its zone (nearest school); a model that starts from zones says nothing.
    row = _answer(study, "G13", "primary", outcome=run_scenario(study, CN, Scenario(enrolment="nearest")))
    assert row["value"] == pytest.approx(1.0) and row["met"] == "yes" and "model" in str(row["note"])
    row = _answer(study, "G13", "primary", outcome=run_scenario(study, CN, Scenario(enrolment="zones")))
    assert row["value"] == pytest.approx(150 / 200)
    assert _answer(build_two_schools(), "G13", "primary")["met"] == "unknown"


def test_boarding_schools_have_no_part_in_catchments() -> None:
    study = _ask({"in_zone_pupils": 100})
    beds = study.schools.assign(boarding_places=np.where(study.schools["school_id"] == "W", 40.0, np.nan))
    row = _answer(replace(study, schools=beds), "G13", "primary")
    assert row["met"] == "unknown" and "No public day school" in str(row["note"])


def test_migrants_in_public_schools_are_a_lower_bound() -> None:
    study = _ask({"migrant_pupils": 17}, {"migrant_pupils": 3}, E=WorldSchool(roll=100, ownership="private"))
    assert _answer(study, "G15")["met"] == "yes"
    study = _ask({"migrant_pupils": 16}, {"migrant_pupils": 4}, E=WorldSchool(roll=100, ownership="private"))
    row = _answer(study, "G15")
    assert row["met"] == "unknown" and "80.0%" in str(row["note"])


def test_small_schools_are_named_but_not_judged() -> None:
    study = build_two_schools(E=WorldSchool(roll=99, name="Little"))
    row = _answer(study, "G6")
    assert row["met"] == "unknown" and "Little" in str(row["note"])


def test_a_cohort_is_shown_beside_the_retention_that_it_cannot_prove() -> None:
    study = build_two_schools(
        W=WorldSchool(kind="junior", stages=("junior",), roll=200),
        E=WorldSchool(kind="junior", stages=("junior",), roll=100),
    )
    rolls = pd.DataFrame(
        [("W", 2025, "junior", 9, 190.0, 5.0), ("W", 2023, "junior", 7, 200.0, 5.0)], columns=study.rolls.columns
    )
    row = _answer(put_tables(study, rolls=rolls), "Q1")
    assert row["met"] == "unknown" and "95.0%" in str(row["note"])


def test_a_tally_is_sure_of_what_it_says() -> None:
    assert Tally({}).verdict == "unknown"
    assert Tally({"a": "yes", "b": "unknown"}).verdict == "unknown" and np.isnan(Tally({"a": "unknown"}).share)
    assert Tally({"a": "no", "b": "unknown"}).verdict == "no"
    assert Tally({"a": "yes", "b": "no"}).share == 0.5


def test_assets_of_a_whole_school_are_the_sum_of_its_stages() -> None:
    from planning.balance_assets import pick_asset_rows, total_assets

    rows = make_assets(
        {
            "school_id": "N",
            "stage": "primary",
            "staff_teachers": 10,
            "smallest_music_m2": 80,
            "largest_class_pupils": 40,
        },
        {"school_id": "N", "stage": "junior", "staff_teachers": 5, "smallest_music_m2": 70, "largest_class_pupils": 50},
        {"school_id": "N", "teaching_area_m2": 900},
    )
    found = total_assets(pick_asset_rows(rows, None)).loc["N"]
    assert (found["staff_teachers"], found["teaching_area_m2"]) == (15, 900)
    assert (found["smallest_music_m2"], found["largest_class_pupils"]) == (70, 50)


def test_counts_of_today_say_nothing_about_forecast_pupils() -> None:
    study = _ask(
        {"largest_class_pupils": 40, "in_zone_pupils": 200}, {"largest_class_pupils": 40, "in_zone_pupils": 100}
    )
    assert _answer(study, "G5", "primary")["met"] == "yes"
    ahead = replace(study, view="2030 middle")
    assert _answer(ahead, "G5", "primary")["met"] == "unknown"
    assert _answer(ahead, "G13", "primary")["met"] == "unknown"
    assert any("forecast for 2030" in str(note) for note in build_balance(ahead, CN).notes)


def test_a_school_of_unknown_setting_leaves_catchments_open() -> None:
    study = _ask({"in_zone_pupils": 200}, {"in_zone_pupils": 10}, E=WorldSchool(roll=100, setting=""))
    row = _answer(study, "G13", "primary")
    assert row["met"] == "unknown" and row["missing"].startswith("schools.setting")


def test_the_page_tells_of_every_indicator_item_column_and_trap() -> None:
    from planning.balance_registry import BASIC_INDICATORS, QUALITY_INDICATORS
    from planning.inspection_page import render_inspection_page

    page = render_inspection_page()
    for one in (*QUALITY_INDICATORS, *BASIC_INDICATORS):
        assert f"| {one.id} | {one.title} |" in page and f"**{one.id}**: {one.trap}" in page
        assert all(f"`{column}`" in page for column in one.columns)
    for item in INSPECTION_ITEMS:
        assert f"| {item.id} |" in page and str(item.name) in page
        assert item.trap is None or f"**{item.id}**: {item.trap}" in page
    assert "not verified" in page and " nan" not in page


def test_a_bound_needs_what_it_counts() -> None:
    """Children who are not known, and schools without a zone, prove nothing against a school."""
    rows = [("a", "primary", "W"), ("b", "primary", "E"), ("c", "primary", "E")]
    zones = pd.DataFrame(rows, columns=["unit_id", "stage", "school_id"])
    study = put_tables(build_two_schools(), zones=zones)
    assert _answer(study, "G13", "primary")["met"] == "no"
    units = study.units.assign(primary_pupils=study.units["primary_pupils"].where(study.units["unit_id"] != "a"))
    row = _answer(replace(study, units=units), "G13", "primary")
    assert row["met"] == "unknown" and row["value"] == pytest.approx(1.0)
    row = _answer(put_tables(study, zones=zones.iloc[1:]), "G13", "primary")
    assert row["met"] == "unknown" and row["value"] == pytest.approx(1.0)


def test_migrants_of_today_say_nothing_after_actions() -> None:
    study = _ask({"migrant_pupils": 17}, {"migrant_pupils": 3})
    assert _answer(study, "G15")["met"] == "yes"
    assert _answer(replace(study, view="2030 middle"), "G15")["met"] == "unknown"


def test_a_nine_year_school_is_as_large_as_both_of_its_stages() -> None:
    nine = WorldSchool(kind="nine_year", stages=("primary", "junior"), places=3000, roll=1500, setting="urban")
    study = build_two_schools(W=nine)
    assert _answer(study, "G4")["met"] == "unknown"  # how many juniors there are nobody says
    rolls = study.rolls
    for pupils, met in ((900.0, "yes"), (1600.0, "no")):
        junior = rolls[rolls["school_id"] == "W"].assign(stage="junior", pupils=pupils)
        both = pd.concat([rolls, junior], ignore_index=True).astype(rolls.dtypes.to_dict())
        assert _answer(put_tables(study, rolls=both), "G4")["met"] == met
