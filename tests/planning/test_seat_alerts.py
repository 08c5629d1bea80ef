"""Seat alerts, worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.study import StudyArea
from planning.forecast import ForecastOptions, build_forecast
from planning.rules import build_rules, read_rulebook
from planning.seat_alerts import ALERT_COLUMNS, build_alerts, find_alert_levels
from tests.planning.forecast_worlds import build_line, even

OPTIONS = ForecastOptions(method="cohort", last_year=2030, range_deviations=0.0)
RULES = read_rulebook("cn")
CN_CLASS = 45.0


def build(**changes: object) -> StudyArea:
    """Zones a, b → P and c, d → Q. Births by village so that 2026 brings 41 children to P's zone and 90 to Q's."""
    births = [
        (year, "", key, count)
        for year in range(2013, 2026)
        for key, count in zip("abcd", (20, 21, 45, 45), strict=True)
    ]
    settings: dict[str, object] = {
        "births": births,
        "children": {"primary": {"a": 120, "b": 126, "c": 270, "d": 270}},
        "zones": [*[(unit, "primary", "P") for unit in "ab"], *[(unit, "primary", "Q") for unit in "cd"]],
    }
    held = {("P", 2025, "primary"): even(1, 6, 41.0), ("Q", 2025, "primary"): even(1, 6, 90.0)}
    study = build_line(held, **{**settings, **changes})  # type: ignore[arg-type]
    return replace(study, rolls=study.rolls.assign(classes=study.rolls["school_id"].map({"P": 1.0, "Q": 2.0})))


def one(table: pd.DataFrame, school: str, year: int) -> pd.Series:
    return table.query("school_id == @school and year == @year and variant == 'middle'").iloc[0]


def test_children_of_the_zone_against_the_classes_of_the_first_grade() -> None:
    """P: 41 children for one class of 45 is 0.911: yellow. Q: 90 for two classes is 1.00: red. Places: 400 each."""
    study = build()
    table = build_alerts(study, RULES, build_forecast(study, OPTIONS), stage="primary")
    assert list(table.columns) == list(ALERT_COLUMNS)
    assert len(table) == 2 * 5 * 3
    west, east = one(table, "P", 2026), one(table, "Q", 2026)
    assert west["entry_children"] == pytest.approx(41.0) and west["intake_places"] == CN_CLASS
    assert (west["alert"], east["alert"]) == ("yellow", "red")
    assert west["alert_share"] == pytest.approx(41 / 45)
    assert west["demand_pupils"] == pytest.approx(246.0) and west["fill_share"] == pytest.approx(246 / 400)
    assert set(table["basis"]) == {"zones"}
    assert table.groupby("year")["look_ahead"].first().to_dict() == {
        **dict.fromkeys((2026, 2027, 2028), True),
        **dict.fromkeys((2029, 2030), False),
    }


def test_places_by_grades_where_no_classes_are_known() -> None:
    """400 places by 6 grades = 66.7: 41 children are 0.615, green."""
    study = build()
    study = replace(study, rolls=study.rolls.assign(classes=np.nan))
    found = one(build_alerts(study, RULES, build_forecast(study, OPTIONS), stage="primary"), "P", 2026)
    assert found["intake_places"] == pytest.approx(400 / 6) and found["alert"] == "green"


def test_without_zones_the_entry_of_the_school_counts() -> None:
    study = build(zones=())
    table = build_alerts(study, RULES, build_forecast(study, OPTIONS), stage="primary")
    assert set(table["basis"]) == {"rolls"}
    assert one(table, "P", 2026)["entry_children"] == pytest.approx(41.0)


def test_zones_of_a_plan_with_shares() -> None:
    """Half of b's 21 go to Q: P's zone has 20 + 10.5."""
    study = build()
    zones = pd.DataFrame(
        [("a", "P", 1.0), ("b", "P", 0.5), ("b", "Q", 0.5), ("c", "Q", 1.0), ("d", "Q", 1.0)],
        columns=["unit_id", "school_id", "share"],
    ).assign(stage="primary")
    table = build_alerts(study, RULES, build_forecast(study, OPTIONS), stage="primary", zones=zones)
    assert one(table, "P", 2026)["entry_children"] == pytest.approx(30.5)
    assert one(table, "Q", 2026)["entry_children"] == pytest.approx(100.5)


def test_junior_schools_count_the_graduates_of_their_feeders() -> None:
    """P's grade 6 has 30 in 2025 and 24 in 2026; all of them go to J."""
    study = build_line(
        {
            ("P", 2025, "primary"): {**even(1, 6, 24.0), 6: 30.0},
            ("J", 2025, "junior"): even(7, 9, 30.0),
        },
        children={"primary": {"a": 150}, "junior": {"a": 90}},
        zones=[("a", "primary", "P"), ("a", "junior", "J")],
    )
    table = build_alerts(study, RULES, build_forecast(study, OPTIONS), stage="junior")
    found = table[table["school_id"] == "J"].query("variant == 'middle'").set_index("year")
    assert found["entry_children"].head(2).tolist() == pytest.approx([30.0, 24.0])
    assert found["basis"].unique().tolist() == ["feeders"]
    assert found["intake_places"].iloc[0] == pytest.approx(200 / 3)
    other = table[table["school_id"] == "K"]
    assert other["alert"].unique().tolist() == [""] or set(other["alert"]) <= {"green", ""}


def test_what_is_not_known_has_no_alert() -> None:
    study = build()
    units = study.units.copy()
    units.loc[units["unit_id"] == "a", "primary_pupils"] = np.nan
    places = study.places.assign(capacity_places=np.nan)
    study = replace(study, units=units, places=places, rolls=study.rolls.assign(classes=np.nan))
    table = build_alerts(study, RULES, build_forecast(study, OPTIONS), stage="primary")
    assert set(table["alert"]) == {""}
    assert one(table, "P", 2026)[["entry_children", "intake_places", "fill_share"]].isna().all()


def test_levels_come_from_the_rulebook() -> None:
    levels = find_alert_levels(RULES, "primary")
    assert (levels.yellow_from, levels.red_from, levels.horizon_years) == (0.9, 1.0, 3)
    other = find_alert_levels(read_rulebook("intl"), "primary")
    assert other.red_from == read_rulebook("intl").limit("max_fill_share", "primary")


def test_a_stage_that_is_not_forecast_has_no_rows() -> None:
    study = build()
    assert build_alerts(study, RULES, build_forecast(study, OPTIONS), stage="senior").empty


def test_odd_parameters_of_a_rule_of_ones_own_leave_the_alert_open() -> None:
    rule = {"id": "A1", "key": "seat_alert", "name_en": "Alert", "name_zh": "预警", "severity": "warn", "source": "own"}
    rule |= {
        "verified": True,
        "evidence": "official",
        "params": {"yellow": [], "red_from": "full", "horizon_years": "x"},
    }
    levels = find_alert_levels(build_rules({"name": "own", "version": "1", "rule": [rule]}), "primary")
    assert np.isnan(levels.yellow_from) and np.isnan(levels.red_from) and levels.horizon_years == 3
