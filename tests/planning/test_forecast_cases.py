"""The forecast of the demo county and of real cases that have neither rolls nor births."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from geodata.build import read_study
from geodata.study import StudyArea
from planning.forecast import ForecastOptions, build_forecast
from planning.projected_study import project_study
from planning.rules import design_class_size, read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.seat_alerts import build_alerts
from tests.planning.test_forecast import assert_sums_agree

STUDIES = Path(__file__).resolve().parent.parent.parent / "examples" / "studies"


@cache
def read(name: str) -> StudyArea:
    return read_study(STUDIES / f"{name}.toml", design_class_size=design_class_size(read_rulebook("cn")))


def test_the_demo_county() -> None:
    """Births fall by a half from 2016 to 2025, so primary schools empty; alerts and a plan of 2032 can be asked for."""
    study, rules = read("demo"), read_rulebook("cn")
    forecast = build_forecast(study)
    assert forecast.base_year == 2025 and forecast.years[-1] == 2035
    assert_sums_agree(forecast)
    middle = forecast.county[forecast.county["variant"] == "middle"]
    primary = middle[middle["stage"] == "primary"].groupby("year")["pupils"].sum()
    assert primary[2035] < 0.6 * primary[2026]
    wide = forecast.county.groupby(["year", "variant"])["pupils"].sum().unstack()
    spread = (wide["high"] - wide["low"]) / wide["middle"]
    assert 0 < spread[2026] < 0.03 and spread.is_monotonic_increasing and spread[2035] < 0.6
    table = forecast.back_test[forecast.back_test["level"] == "county"]
    cohort, naive = (
        float(np.average(rows["mape"], weights=rows["cases"]))
        for rows in (table[table["method"] == name] for name in ("cohort", "naive"))
    )
    assert cohort < 0.02 < naive
    alerts = build_alerts(study, rules, forecast, stage="primary")
    reds = alerts[(alerts["alert"] == "red") & (alerts["variant"] == "middle")].groupby("year").size()
    assert reds[2026] > reds.get(2033, 0)
    outcome = run_scenario(study, rules, Scenario(year=2032, variant="low", enrolment="zones"), forecast=forecast)
    assert outcome.indicator("pupils") == pytest.approx(
        forecast.units.query("stage == 'primary' and year == 2032 and variant == 'low'")["pupils"].sum()
    )
    assert outcome.plan is not None


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "stage", "children"), [("gongyi", "junior", 40_995), ("vasileostrovsky", "primary", None)]
)
def test_cases_without_rolls_and_births(cases: Path, name: str, stage: str, children: int | None) -> None:
    """Nothing says what comes, so today's children are held, with a range that says how little is known."""
    study, rules = read(name), read_rulebook("intl")
    forecast = build_forecast(study, ForecastOptions(last_year=2030))
    assert forecast.schools.empty and forecast.stages == (stage,) and forecast.back_test.empty
    today = float(study.units[f"{stage}_pupils"].sum())
    assert children is None or today == children
    sums = forecast.units.groupby(["variant", "year"])["pupils"].sum()
    assert sums["middle"].tolist() == pytest.approx([today] * 5)
    assert sums["low", 2030] < 0.92 * today and sums["high", 2030] > 1.08 * today
    said = " ".join(str(note) for note in forecast.notes)
    assert "there are no rolls" in said and "No births are known" in said and "taken as those of 2025" in said
    mode = next(iter(study.travel))
    later = project_study(study, forecast, 2030, "high")
    before = run_scenario(study, rules, Scenario(stages=(stage,), mode=mode))  # type: ignore[arg-type]
    after = run_scenario(later, rules, Scenario(stages=(stage,), mode=mode))  # type: ignore[arg-type]
    assert after.indicator("pupils") == pytest.approx(float(sums["high", 2030]))
    assert after.indicator("mean_travel_min") == pytest.approx(before.indicator("mean_travel_min"), rel=1e-6)
    alerts = build_alerts(study, rules, forecast, stage=stage)
    assert set(alerts["alert"]) == {""}
