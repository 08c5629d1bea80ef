"""Robust plans: worked by hand with a forecast written by the test, and the law that a still county stays as it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from geodata.errors import Cancelled
from geodata.messages import Message
from geodata.study import StudyArea
from planning import robust
from planning.forecast import Forecast
from planning.forecast_options import ForecastOptions
from planning.robust import ROBUST_INDICATORS, RobustAnswer, compare_robust, judge_cases
from planning.rule_checks import check_rules
from planning.run import run_scenario
from planning.scenario import Scenario
from tests.planning.check_worlds import make_rules
from tests.worlds import build_five_villages

RULES = make_rules(
    {"key": "max_fill_share", "unit": "share", "value": 1.0},
    {"key": "max_travel_min", "unit": "min", "value": 15, "severity": "warn"},
)
CALM = {"places": {"W": 100, "E": 100}}


def _grow(study: StudyArea, factor: float, year: int, variant: str) -> StudyArea:
    """Return the study with ``factor`` times the children, and rolls of the year that grew as much."""
    rolls = study.rolls.assign(year=year, pupils=study.rolls["pupils"] * factor)
    return replace(
        study,
        units=study.units.assign(primary_pupils=study.units["primary_pupils"] * factor),
        rolls=pd.concat([study.rolls, rolls], ignore_index=True),
        view=f"{year} {variant}",
        fingerprint=f"{study.fingerprint}-{year}-{factor}",
    )


@pytest.fixture()
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[tuple[int, str], float]], None]:
    """Replace the forecast by growth factors by year and variant; base year 2025."""

    def tell(factors: dict[tuple[int, str], float]) -> None:
        empty = object.__new__(Forecast)
        object.__setattr__(empty, "base_year", 2025)

        def project(study: StudyArea, forecast: Forecast, year: int, variant: str) -> StudyArea:
            return _grow(study, factors.get((year, variant), 1.0), year, variant)

        monkeypatch.setattr(robust, "build_forecast", lambda study, options: empty)
        monkeypatch.setattr(robust, "project_study", project)

    return tell


def test_the_year_and_variant_in_which_a_rule_first_fails(told: Callable[..., None]) -> None:
    """E: roll 70 on 80 places. Fails from 8/7 on: high in 2027 (1.2: 84), middle in 2028 (1.3: 91); low never."""
    told({(2027, "high"): 1.2, (2028, "middle"): 1.3, (2028, "high"): 1.5, (2028, "low"): 0.5})
    study = build_five_villages()
    study = replace(study, places=study.places.assign(capacity_places=[100.0, 80.0]), fingerprint="80")
    answer = judge_cases(study, RULES, Scenario("as it is"), (2028, 2027), ("high", "low", "middle"))
    cases = answer.cases.set_index(["year", "variant"])
    assert list(cases.index) == [(year, name) for year in (2027, 2028) for name in ("low", "middle", "high")]
    assert cases["lawful"].tolist() == [True, True, False, True, False, False]
    assert cases.loc[(2028, "high"), "failed_rule_ids"] == "T0" and cases.loc[(2028, "high"), "failed_rules"] == 1
    assert cases.loc[(2028, "high"), "places_short"] == pytest.approx(25)  # 105 for 80; W has 60 for 100
    first = answer.first.iloc[0]
    assert (first["rule_id"], first["year"], first["variant"], first["failed"], first["cases"]) == (
        "T0",
        2027,
        "high",
        1,
        3,
    )
    assert answer.worst["places_short"] == (pytest.approx(25), 2028, "high")
    assert answer.mean["places_short"] == pytest.approx((0 + 0 + 4 + 0 + 11 + 25) / 6)
    assert not answer.lawful and not answer.conflicts
    failures = answer.failures[answer.failures["rule_id"] == "T0"]
    assert set(failures["subject_id"]) == {"E"}
    assert failures.groupby(["year", "variant"])["short_by"].sum()[(2027, "high")] == pytest.approx(0.05)


@pytest.mark.parametrize("enrolment", ["nearest", "capacity", "zones"])
def test_a_forecast_that_is_today_in_all_years_answers_as_today(told: Callable[..., None], enrolment: str) -> None:
    told({})
    zones = [(unit, "primary", school) for unit, school in zip("abcde", "WWWEE", strict=True)]
    study = build_five_villages(zones=zones)
    scenario = Scenario("still", enrolment=enrolment)  # type: ignore[arg-type]
    checks = check_rules(study, RULES, run_scenario(study, RULES, scenario))
    today = checks[checks["status"] == "failed"].reset_index(drop=True)
    answer = judge_cases(study, RULES, scenario, (2026, 2030), ("low", "high"))
    for _, part in answer.failures.groupby(["year", "variant"]):
        pd.testing.assert_frame_equal(part.drop(columns=["year", "variant"]).reset_index(drop=True), today)
    assert len(answer.failures) == 4 * len(today)
    for name in ROBUST_INDICATORS:
        assert answer.cases[name].nunique(dropna=False) == 1


def test_a_plan_is_made_once_and_held(told: Callable[..., None]) -> None:
    """Within 100 and 40 places E takes d and e's 40 today; twice the children: the same shares, 80 for 40 places."""
    told({(2030, "high"): 2.0})
    answer = judge_cases(build_five_villages(), RULES, Scenario(enrolment="capacity"), (2025, 2030), ("high",))
    assert answer.cases["variant"].tolist() == ["", "high"]
    assert answer.cases["lawful"].tolist() == [True, False]
    assert answer.cases["places_short"].tolist() == pytest.approx([0, 80])  # E 80 for 40, W 140 for 100
    assert answer.cases["mean_travel_min"].nunique() == 1
    assert "made once" in str(answer.basis[0])


def test_a_plan_for_a_year_to_come_is_held_before_and_after_it() -> None:
    """Made for 2028 (high) with the forecast of the program; judged in the years around it."""
    options = ForecastOptions(last_year=2029, base_year=2025)
    scenario = Scenario("2028", enrolment="capacity", year=2028, variant="high", forecast=options)
    answer = judge_cases(build_five_villages(), RULES, scenario, (2025, 2027, 2029), ("low", "high"))
    assert len(answer.cases) == 5 and not answer.conflicts
    assert "2028 (high)" in str(answer.basis[0])


def test_no_plan_at_all_is_an_answer(told: Callable[..., None]) -> None:
    told({})
    answer = judge_cases(build_five_villages(), RULES, Scenario(stages=("senior",)), (2026,), ("low",))
    assert not answer.lawful and answer.conflicts
    assert math.isnan(answer.cases["mean_travel_min"][0]) and answer.worst == {}


def test_plans_are_compared_by_worst_and_by_average_case(told: Callable[..., None]) -> None:
    told({(2030, "high"): 2.0})
    study = build_five_villages()
    answers = [
        judge_cases(study, RULES, Scenario(name, enrolment=how), (2030,), ("low", "high"))  # type: ignore[arg-type]
        for name, how in (("near", "nearest"), ("fit", "capacity"))
    ]
    table = compare_robust(answers).set_index(["indicator", "plan"])
    near, fit = (table.loc[("places_short", name)] for name in ("near", "fit"))
    assert (near["worst"], fit["worst"]) == (pytest.approx(100), pytest.approx(80))  # rolls 80 and 140; 80 and 140
    assert (near["rank_worst"], fit["rank_worst"]) == (2, 1)
    assert fit["mean"] == pytest.approx(40) and (fit["worst_year"], fit["worst_variant"]) == (2030, "high")
    other = judge_cases(study, RULES, Scenario(), (2031,), ("low",))
    with pytest.raises(ValueError, match="different years"):
        compare_robust([answers[0], other])


def test_cancelling_stops_it(told: Callable[..., None]) -> None:
    told({})
    steps: list[str] = []

    def progress(step: Message, share: float) -> None:
        steps.append(str(step))
        assert 0 <= share <= 1
        if len(steps) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        judge_cases(build_five_villages(), RULES, Scenario(), (2026, 2027), ("low",), progress=progress)
    assert steps == ["Forecast", "Judging 2026 (low)", "Judging 2027 (low)"]


def test_the_forecast_of_the_program_can_be_judged() -> None:
    """One year of rolls without grades: totals are carried on; the answer has every case."""
    study = build_five_villages()
    options = ForecastOptions(last_year=2028, base_year=2025)
    answer = judge_cases(study, RULES, Scenario(), (2026, 2028), options=options)
    assert isinstance(answer, RobustAnswer) and len(answer.cases) == 6
    assert (answer.cases["pupils"] > 0).all()
