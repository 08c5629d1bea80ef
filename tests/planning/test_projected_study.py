"""A study in a year to come, and scenarios that ask for one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.errors import ScenarioError
from geodata.study import StudyArea
from planning.actions import CloseSchool
from planning.compare import compare_outcomes
from planning.compare_years import ask_year, build_years, find_state_year, list_plan_years
from planning.forecast import ForecastOptions, build_forecast
from planning.projected_study import FORECAST_ROLE, project_study
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.scenario_file import parse_scenario, render_scenario
from planning.tables import build_stage_schools
from tests.planning.forecast_worlds import build_line, even

OPTIONS = ForecastOptions(method="cohort", last_year=2030, range_deviations=0.0)
RULES = read_rulebook("cn")


def build() -> StudyArea:
    """P 10, 20 … 60 in grades 1 to 6 (210), Q 20 each (120); children as on the rolls; no births: entry 10 and 20."""
    return build_line(
        {
            ("P", 2025, "primary"): {grade: 10.0 * grade for grade in range(1, 7)},
            ("Q", 2025, "primary"): even(1, 6, 20.0),
        },
        children={"primary": {"a": 105, "b": 105, "c": 60, "d": 60}},
    )


def test_a_projected_study_holds_the_children_and_rolls_of_its_year() -> None:
    """2027: P has 10, 10, 10, 20, 30, 40 = 120; the county 240 of 330, and every unit its share of the cohorts."""
    study = build()
    forecast = build_forecast(study, OPTIONS)
    later = project_study(study, forecast, 2027, "middle")
    assert later.view == "2027 middle"
    assert build_stage_schools(later, "primary", None).set_index("school_id")["actual_pupils"]["P"] == pytest.approx(
        120
    )
    assert build_stage_schools(later, "primary", 2025).set_index("school_id")["actual_pupils"]["P"] == 210
    assert later.units["primary_pupils"].sum() == pytest.approx(240)
    units = forecast.units.query("year == 2027 and variant == 'middle'").set_index("unit_id")["pupils"]
    np.testing.assert_allclose(later.units["primary_pupils"], units[later.units["unit_id"]])
    assert later.units["junior_pupils"].isna().all()
    assert later.fingerprint not in ("", study.fingerprint)
    assert project_study(study, forecast, 2027, "low").fingerprint != later.fingerprint
    assert later.sources[-1].role == FORECAST_ROLE and later.sources[-1].digest == forecast.fingerprint
    assert study.view == "" and study.units["primary_pupils"].sum() == 330
    assert later.rolls.dtypes.to_dict() == study.rolls.dtypes.to_dict()


def test_classes_stay_those_of_today() -> None:
    study = build()
    rolls = study.rolls.assign(classes=np.where(study.rolls["school_id"] == "P", 1.0, np.nan))
    study = replace(study, rolls=rolls)
    later = project_study(study, build_forecast(study, OPTIONS), 2027, "middle")
    table = build_stage_schools(later, "primary", 2027).set_index("school_id")
    assert table["classes"]["P"] == 6.0 and np.isnan(table["classes"]["Q"])
    assert table["mean_class_pupils"]["P"] == pytest.approx(20.0)


def test_totals_beside_grades_are_projected_too() -> None:
    study = build()
    total = study.rolls[study.rolls["grade"] == 1].assign(grade=0, classes=7.0)
    total["pupils"] = total["school_id"].map({"P": 210.0, "Q": 120.0})
    rolls = pd.concat([study.rolls, total], ignore_index=True)
    study = replace(study, rolls=rolls)
    later = project_study(study, build_forecast(study, OPTIONS), 2027, "middle")
    table = build_stage_schools(later, "primary", 2027).set_index("school_id")
    assert table["actual_pupils"].to_dict() == pytest.approx({"P": 120.0, "Q": 120.0})
    assert table["classes"].to_dict() == {"P": 7.0, "Q": 7.0}


def test_what_cannot_be_projected() -> None:
    study = build()
    forecast = build_forecast(study, OPTIONS)
    with pytest.raises(ScenarioError, match="2026 to 2030, not 2031"):
        project_study(study, forecast, 2031, "middle")
    with pytest.raises(ScenarioError, match="variant"):
        project_study(study, forecast, 2027, "best")
    with pytest.raises(ScenarioError, match="projected already"):
        project_study(replace(study, view="2027 low"), forecast, 2027, "low")


def test_a_scenario_asks_for_a_year_and_variant() -> None:
    study = build()
    scenario = Scenario(year=2027, variant="middle", forecast=OPTIONS)
    outcome = run_scenario(study, RULES, scenario)
    assert outcome.indicator("pupils") == pytest.approx(240)
    assert outcome.indicator("actual_pupils") == pytest.approx(240)
    forecast = build_forecast(study, OPTIONS)
    record = outcome.record.as_dict()
    assert record["forecast"] == {
        "view": "2027 middle",
        "fingerprint": forecast.fingerprint,
        "study_fingerprint": study.fingerprint,
    }
    assert record["scenario"]["variant"] == "middle" and record["scenario"]["forecast"]["last_year"] == 2030
    assert record["roll_years"] == {"primary": 2027}
    later = project_study(study, forecast, 2027, "middle")
    again = run_scenario(later, RULES, scenario)
    assert again.record.as_dict() == record
    with pytest.raises(ScenarioError, match="projected to 2027 middle, not to 2028 low"):
        run_scenario(later, RULES, Scenario(year=2028, variant="low"))
    given = run_scenario(study, RULES, scenario, forecast=forecast)
    assert given.record.as_dict() == record
    other = run_scenario(study, RULES, scenario, forecast=build_forecast(study, replace(OPTIONS, last_year=2029)))
    assert other.record.as_dict() == record


def test_actions_come_after_the_projection() -> None:
    """Q closes: its 120 pupils of 2027 (20 in every grade) go to P, which has 120 of its own."""
    scenario = Scenario(year=2027, variant="middle", forecast=OPTIONS, actions=(CloseSchool(school_id="Q", year=2026),))
    outcome = run_scenario(build(), RULES, scenario)
    table = outcome.school_table.set_index("school_id")
    assert table["actual_pupils"]["P"] == pytest.approx(240)
    assert outcome.before is not None and outcome.before.indicator("pupils") == pytest.approx(240)
    reused = run_scenario(build(), RULES, scenario, before=outcome.before)
    assert reused.before is outcome.before


def test_years_up_to_the_rolls_are_not_projected() -> None:
    study = build()
    outcome = run_scenario(study, RULES, Scenario(year=2025, variant="high", forecast=OPTIONS))
    assert outcome.indicator("pupils") == 330 and outcome.record.forecast == {}
    plain = run_scenario(study, RULES, Scenario(year=2030))
    assert plain.indicator("pupils") == 330 and plain.record.forecast == {}


def test_variants_in_scenarios() -> None:
    with pytest.raises(ScenarioError, match="needs a year"):
        Scenario(variant="low")
    with pytest.raises(ScenarioError, match="did you mean 'middle'"):
        Scenario(year=2030, variant="midle")  # type: ignore[arg-type]


def test_variant_and_forecast_in_scenario_files() -> None:
    options = ForecastOptions(
        last_year=2033, migration_share_per_year=(-0.01, 0.0, 0.02), primary_pupils_per_dwelling=0.3
    )
    scenario = Scenario(name="later", year=2030, variant="low", forecast=options)
    text = render_scenario(scenario)
    assert 'variant = "low"' in text and "[forecast]" in text and "migration_share_per_year = [-0.01, 0, 0.02]" in text
    assert parse_scenario(text) == scenario
    assert "variant" not in render_scenario(Scenario(name="now")) and "forecast" not in render_scenario(
        Scenario(name="now")
    )
    child = parse_scenario('name = "child"\nparent = "later"', parents=lambda name: text)
    assert child.variant == "" and child.year is None and child.forecast == options
    assert parse_scenario(render_scenario(child), parents=lambda name: text) == child


@pytest.mark.parametrize(
    "text",
    [
        'variant = "best"\nyear = 2030',
        'variant = "low"',
        "[forecast]\nlast = 2030",
        "[forecast]\nwindow_years = 9",
        '[forecast]\nmethod = "magic"',
        "[forecast]\nmigration_share_per_year = [0.1]",
    ],
)
def test_wrong_keys_and_values_are_told(text: str) -> None:
    with pytest.raises(ValueError):
        parse_scenario(f'name = "x"\n{text}')


def test_years_of_a_comparison_follow_the_forecast() -> None:
    study = build()
    scenario = Scenario(year=2029, variant="middle", forecast=OPTIONS)
    assert find_state_year(scenario, 2027, 2025) == 2027
    assert find_state_year(Scenario(year=2029), 2027, 2025) == 2025
    assert list_plan_years([scenario], 2025) == [2025, 2026, 2027, 2028, 2029]
    assert list_plan_years([Scenario(year=2029)], 2025) == []
    plans = [(0, year, run_scenario(study, RULES, ask_year(scenario, year))) for year in (2026, 2027)]
    table = build_years(study, "primary", plans).set_index(["kind", "year"])["pupils"]
    assert table.to_dict() == pytest.approx({("roll", 2025): 330.0, ("plan", 2026): 280.0, ("plan", 2027): 240.0})
    later = project_study(study, build_forecast(study, OPTIONS), 2027, "middle")
    kinds = build_years(later, "primary", []).set_index("year")["kind"]
    assert kinds.to_dict() == {2025: "roll", 2027: "forecast"}


def test_a_comparison_says_whose_pupils_are_counted() -> None:
    study = build()
    now = run_scenario(study, RULES, Scenario(year=2027))
    later = run_scenario(study, RULES, Scenario(year=2027, variant="middle", forecast=OPTIONS))
    wider = run_scenario(study, RULES, Scenario(year=2027, variant="middle"))
    notes = [str(note) for note in compare_outcomes([now, later], ["A", "B"]).notes]
    assert notes == [
        "“B” counts the pupils of 2027, middle variant, “A” counts today's pupils:"
        " part of the difference comes from that."
    ]
    notes = [str(note) for note in compare_outcomes([later, wider], ["A", "B"]).notes]
    assert notes == ["The forecasts of “B” and “A” were made with other settings."]
    assert compare_outcomes([later, later], ["A", "B"]).notes == ()
