"""Whose pupils a page shows: the word of the address, the settings beside it, and the studies that workers build."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.study_file import StudySpec, read_study_file
from planning.forecast import ForecastOptions, build_forecast
from planning.rules import design_class_size, read_rulebook
from planning.scenario import Scenario
from reports.language import read_catalogue
from tests.ui.forecast_county import count_pupils, write_forecast_county
from ui.forecast_job import RobustAsk, compute_robust_key
from ui.forecast_study import (
    Viewed,
    ask_viewed,
    build_viewed_study,
    read_options_text,
    read_viewed_word,
    write_options_text,
)
from ui.pupils_view import settle_scenario
from ui.scenario_job import compute_outcome_key, read_kept, run_in_worker

EN = read_catalogue("en")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> StudySpec:
    return read_study_file(write_forecast_county(tmp_path_factory.mktemp("county")))


@pytest.fixture(scope="module")
def sizes() -> dict[str, float]:
    return dict(design_class_size(read_rulebook("cn")))


@pytest.mark.parametrize("word", ["", "2030", "2030-wild", "middle-2030", "2030 middle", "20300-low", "<b>-low"])
def test_an_address_that_means_nothing_is_today(word: str) -> None:
    assert read_viewed_word(word) is None


def test_word_and_view_of_a_year() -> None:
    viewed = read_viewed_word("2030-low")
    assert viewed == Viewed(2030, "low")
    assert (viewed.word, viewed.view) == ("2030-low", "2030 low")


def test_settings_go_into_the_address_and_come_back() -> None:
    assert write_options_text(ForecastOptions()) == ""
    options = ForecastOptions(window_years=4, migration_share_per_year=(-0.01, 0.0, 0.02), method="linear")
    words = write_options_text(options)
    assert read_options_text(words) == options
    assert "last_year" not in words


@pytest.mark.parametrize("words", ["{", "[]", '{"window_years": 99}', '{"wild": 1}', '{"method": ["a"]}', "null"])
def test_settings_that_cannot_be_used_are_the_defaults(words: str) -> None:
    assert read_options_text(words) == ForecastOptions()


def test_a_projected_study_answers_about_its_own_year(spec: StudySpec, sizes: dict[str, float]) -> None:
    today = build_viewed_study(spec, sizes, None)
    assert ask_viewed(today, Scenario(year=2028)) == Scenario(year=2028)
    projected = build_viewed_study(spec, sizes, Viewed(2030, "middle"))
    asked = ask_viewed(projected, Scenario(year=2028, variant="low"))
    assert (asked.year, asked.variant) == (2030, "middle")


def test_the_app_and_its_workers_build_one_study(
    spec: StudySpec, sizes: dict[str, float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BUJU_CACHE", str(tmp_path))
    viewed = Viewed(2028, "middle", ForecastOptions(window_years=4))
    study = build_viewed_study(spec, sizes, viewed)
    assert study.view == "2028 middle"
    again = build_viewed_study(spec, sizes, viewed)
    assert again.fingerprint == study.fingerprint
    other = build_viewed_study(spec, sizes, Viewed(2028, "middle"))
    assert other.fingerprint != study.fingerprint
    scenario = Scenario(name="s")
    key = compute_outcome_key(study.fingerprint, ask_viewed(study, scenario))
    run_in_worker(
        spec=spec,
        class_sizes=sizes,
        name=key,
        scenario=scenario,
        rulebook="cn",
        progress=lambda step, share: None,
        viewed=viewed,
    )
    outcome = read_kept(key)
    assert outcome is not None
    rolls = outcome.school_table.set_index("school_id")["actual_pupils"]
    # Cohorts of 2023 to 2025 are on the rolls already and go up; the entry of 2026 to 2028 is foretold.
    assert rolls["001"] < count_pupils("001", 2025)
    assert outcome.record.study_fingerprint == study.fingerprint


def test_it_is_said_which_year_holds(spec: StudySpec, sizes: dict[str, float]) -> None:
    today = build_viewed_study(spec, sizes, None)
    plain = Scenario(year=2028)
    assert settle_scenario(today, plain, EN) == (today, plain, "")
    own = Scenario(year=2028, variant="low")
    study, asked, words = settle_scenario(today, own, EN)
    assert (study.view, asked) == ("2028 low", own)
    assert "This scenario asks about 2028/29, low forecast" in words
    # The year chosen for all pages comes before the scenario's own.
    projected = build_viewed_study(spec, sizes, Viewed(2030, "middle"))
    study, asked, words = settle_scenario(projected, own, EN)
    assert study is projected
    assert (asked.year, asked.variant) == (2030, "middle")
    assert "the pupils chosen above hold, with the steps up to 2030/31" in words
    assert settle_scenario(projected, Scenario(), EN)[2] == ""
    # What the forecast does not reach is said, and answered with the pupils of today.
    study, asked, words = settle_scenario(today, Scenario(year=2090, variant="low"), EN)
    assert study is today
    assert asked.variant == ""
    assert "2090" in words


def test_robust_keys_tell_questions_apart(spec: StudySpec, sizes: dict[str, float]) -> None:
    study = build_viewed_study(spec, sizes, None)
    ask = RobustAsk("cn", Scenario(), (2026,), ("low",))
    assert compute_robust_key(study.fingerprint, ask) == compute_robust_key(study.fingerprint, ask)
    keys = {
        compute_robust_key(study.fingerprint, other)
        for other in (
            ask,
            RobustAsk("intl", Scenario(), (2026,), ("low",)),
            RobustAsk("cn", Scenario(), (2026, 2027), ("low",)),
            RobustAsk("cn", Scenario(), (2026,), ("low",), ForecastOptions(window_years=3)),
        )
    }
    assert len(keys) == 4


def test_the_sample_has_a_forecast(spec: StudySpec, sizes: dict[str, float]) -> None:
    forecast = build_forecast(build_viewed_study(spec, sizes, None))
    middle = forecast.county[forecast.county["variant"] == "middle"].groupby("year")["pupils"].sum()
    # Of 2026 five grades are known: 97 + 49 pupils go up; the rest enters.
    assert 97 + 48 < middle[2026] < 180
