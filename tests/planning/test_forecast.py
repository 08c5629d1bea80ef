"""The forecast: worlds worked by hand, laws, and what happens when something is missing."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.errors import ScenarioError
from geodata.study import StudyArea
from planning.forecast import (
    BACK_TEST_COLUMNS,
    COUNTY_COLUMNS,
    SCHOOL_COLUMNS,
    UNIT_COLUMNS,
    VARIANTS,
    Forecast,
    ForecastOptions,
    build_forecast,
)
from tests.planning.forecast_worlds import build_births, build_line, build_rolls, even
from tests.worlds import WorldSchool, build_five_villages, build_world

COHORT = ForecastOptions(method="cohort", last_year=2031)


def pick(forecast: Forecast, school: str, stage: str, grade: int, year: int, variant: str = "middle") -> float:
    table = forecast.schools
    found = table[
        (table["school_id"] == school)
        & (table["stage"] == stage)
        & (table["grade"] == grade)
        & (table["year"] == year)
        & (table["variant"] == variant)
    ]
    assert len(found) == 1, (school, stage, grade, year)
    return float(found["pupils"].iloc[0])


def tell(forecast: Forecast) -> str:
    return " ".join(str(note) for note in forecast.notes)


# ---- worked by hand


def test_one_year_of_rolls_ages_forward_whole() -> None:
    """P has 10 to 60 in grades 1 to 6; births of 2018 to 2020 are 30, 60, 90.

    Entry cohorts: 2025: 30/3 + 60·2/3 = 50; 2026: 60/3 + 90·2/3 = 80. In 2025 P takes 10 and Q 40 of the 50: capture
    1/5 and 4/5. So in 2026 P takes 16 and Q 64; grades 2 to 6 are those below, a year before.
    """
    study = build_line(
        {
            ("P", 2025, "primary"): {grade: 10.0 * grade for grade in range(1, 7)},
            ("Q", 2025, "primary"): even(1, 6, 40.0),
        },
        births=[(2018, "", "", 30.0), (2019, "", "", 60.0), (2020, "", "", 90.0)],
    )
    forecast = build_forecast(study, COHORT)
    assert forecast.base_year == 2025 and forecast.years == tuple(range(2026, 2032))
    assert [pick(forecast, "P", "primary", grade, 2026) for grade in range(2, 7)] == pytest.approx([10, 20, 30, 40, 50])
    assert pick(forecast, "P", "primary", 1, 2026) == pytest.approx(16.0)
    assert pick(forecast, "Q", "primary", 1, 2026) == pytest.approx(64.0)
    assert pick(forecast, "P", "primary", 3, 2028) == pytest.approx(16.0)
    assert "one school year only" in tell(forecast)


def test_ratios_are_seen_on_the_rolls() -> None:
    """One school: grade 2 of 2025 holds 90 of the 100 of grade 1 in 2024, all other grades 100 of 100."""
    study = build_line(
        {("P", 2024, "primary"): even(1, 6, 100.0), ("P", 2025, "primary"): {**even(1, 6, 100.0), 2: 90.0}},
    )
    forecast = build_forecast(study, COHORT)
    assert pick(forecast, "P", "primary", 2, 2026) == pytest.approx(90.0)
    assert pick(forecast, "P", "primary", 3, 2026) == pytest.approx(90.0)
    assert pick(forecast, "P", "primary", 3, 2027) == pytest.approx(90.0)
    assert pick(forecast, "P", "primary", 1, 2030) == pytest.approx(100.0)


def test_small_schools_are_drawn_to_the_county() -> None:
    """Of P's 2 in grade 1 one is left (ratio 0.5), of Q's 198 all: the county's ratio is 199/200."""
    study = build_line(
        {
            ("P", 2024, "primary"): even(1, 6, 2.0),
            ("P", 2025, "primary"): {**even(1, 6, 2.0), 2: 1.0},
            ("Q", 2024, "primary"): even(1, 6, 198.0),
            ("Q", 2025, "primary"): even(1, 6, 198.0),
        },
    )
    drawn = pick(build_forecast(study, COHORT), "P", "primary", 2, 2026)
    own = pick(build_forecast(study, replace(COHORT, shrink_cohorts=0.0)), "P", "primary", 2, 2026)
    assert own == pytest.approx(1.0, rel=0.01)
    assert 1.9 < drawn < 2.0


def test_a_teaching_point_hands_its_pupils_on() -> None:
    """P teaches grades 1 to 3 (9 each), Q all six (20 each): grade 4 of 2026 at Q is its own 20 and P's 9."""
    study = build_line(
        {("P", 2025, "primary"): even(1, 3, 9.0), ("Q", 2025, "primary"): even(1, 6, 20.0)},
        kinds={"P": "teaching_point"},
    )
    forecast = build_forecast(study, COHORT)
    assert pick(forecast, "Q", "primary", 4, 2026) == pytest.approx(29.0)
    assert pick(forecast, "Q", "primary", 5, 2027) == pytest.approx(29.0)
    assert pick(forecast, "Q", "primary", 5, 2026) == pytest.approx(20.0)
    rows = forecast.schools[forecast.schools["school_id"] == "P"]
    assert set(rows["grade"]) == {1, 2, 3}
    assert list(forecast.flows.itertuples(index=False, name=None)) == [("primary", "P", "Q", 1.0)]


def test_junior_entry_follows_the_zones() -> None:
    """P's zone (a, b) is J's but for b's half: 3 of 4 children go on to J; Q's all to K."""
    study = build_line(
        {
            ("P", 2025, "primary"): even(1, 6, 40.0),
            ("Q", 2025, "primary"): even(1, 6, 20.0),
            ("J", 2025, "junior"): even(7, 9, 30.0),
            ("K", 2025, "junior"): even(7, 9, 30.0),
        },
        children={"primary": {"a": 120, "b": 120, "c": 0, "d": 120}, "junior": {"a": 45, "b": 45, "c": 0, "d": 90}},
        zones=[
            *[(unit, "primary", "P") for unit in "ab"],
            *[(unit, "primary", "Q") for unit in "cd"],
            *[("a", "junior", "J"), ("b", "junior", "J"), ("b", "junior", "K")],
            *[(unit, "junior", "K") for unit in "cd"],
        ],
    )
    forecast = build_forecast(study, COHORT)
    assert pick(forecast, "J", "junior", 7, 2026) == pytest.approx(30.0)
    assert pick(forecast, "K", "junior", 7, 2026) == pytest.approx(30.0)
    shares = forecast.flows.set_index(["from_school_id", "school_id"])["share"].to_dict()
    assert shares == pytest.approx({("P", "J"): 0.75, ("P", "K"): 0.25, ("Q", "K"): 1.0})
    assert "zones of both stages" in tell(forecast)


def test_a_drop_in_capture_is_not_taken_for_a_trend() -> None:
    """Three years of births and entry that agree: capture 1, whatever the births do next."""
    births = [(year, "", "", 120.0 - 6 * (year - 2010)) for year in range(2010, 2026)]
    lagged = {year: (120 - 6 * (year - 2017)) / 3 + (120 - 6 * (year - 2016)) * 2 / 3 for year in range(2023, 2027)}
    held = {("P", year, "primary"): {**even(1, 6, 100.0), 1: lagged[year]} for year in (2023, 2024, 2025)}
    forecast = build_forecast(build_line(held, births=births), COHORT)
    assert pick(forecast, "P", "primary", 1, 2026) == pytest.approx(lagged[2026])


def test_births_of_towns_and_of_zones_move_schools_apart() -> None:
    """Westtown's births double in 2020, Easttown's stay: in 2027 P takes twice as many, Q as many as before."""
    births = [(year, "Westtown", "", 60.0 if year < 2020 else 120.0) for year in range(2017, 2026)]
    births += [(year, "Easttown", "", 60.0) for year in range(2017, 2026)]
    held = {(key, 2025, "primary"): even(1, 6, 30.0) for key in "PQ"}
    forecast = build_forecast(build_line(held, births=births), COHORT)
    assert pick(forecast, "P", "primary", 1, 2027) == pytest.approx(60.0)
    assert pick(forecast, "Q", "primary", 1, 2027) == pytest.approx(30.0)


def test_new_housing_adds_the_children_of_its_dwellings() -> None:
    """200 dwellings × 0.3, lived in by halves in 2027 and 2028: 30, then 60 pupils more at the school of the zone."""
    study = build_line(
        {("P", 2025, "primary"): even(1, 6, 10.0), ("Q", 2025, "primary"): even(1, 6, 10.0)},
        children={"primary": {"a": 60, "b": 0, "c": 0, "d": 60}},
        zones=[("a", "primary", "P"), ("d", "primary", "Q")],
    )
    project = {
        **{"project_id": "H1", "name": "", "unit_id": "d", "x_m": 0.0, "y_m": 0.0, "new_dwellings": 200.0},
        **{"completion_year": 2027, "filling_years": 2.0},
        **{f"{stage}_pupils_per_dwelling": np.nan for stage in ("kindergarten", "junior", "senior")},
        "primary_pupils_per_dwelling": 0.3,
    }
    plain = build_forecast(study, COHORT)
    forecast = build_forecast(replace(study, housing=pd.DataFrame([project])), COHORT)
    more = {
        year: float(
            forecast.schools.query("school_id == 'Q' and year == @year and variant == 'middle'")["pupils"].sum()
            - plain.schools.query("school_id == 'Q' and year == @year and variant == 'middle'")["pupils"].sum()
        )
        for year in (2026, 2027, 2028, 2029)
    }
    assert more == pytest.approx({2026: 0.0, 2027: 30.0, 2028: 60.0, 2029: 60.0})
    assert "may count twice" in tell(forecast)
    assert_sums_agree(forecast)
    bare = replace(study, housing=pd.DataFrame([{**project, "primary_pupils_per_dwelling": np.nan}]))
    assert "no sourced number" in tell(build_forecast(bare, COHORT))
    by_options = build_forecast(bare, replace(COHORT, primary_pupils_per_dwelling=0.3))
    assert by_options.schools["pupils"].sum() == pytest.approx(forecast.schools["pupils"].sum())


def test_five_and_four_years_are_read_from_the_rolls() -> None:
    study = build_line(
        {("P", 2025, "primary"): even(1, 5, 20.0), ("J", 2025, "junior"): {6: 30.0, 7: 29.0, 8: 28.0, 9: 27.0}},
    )
    forecast = build_forecast(study, COHORT)
    assert set(forecast.county.loc[forecast.county["stage"] == "junior", "grade"]) == {6, 7, 8, 9}
    assert pick(forecast, "J", "junior", 7, 2026) == pytest.approx(30.0)


def test_migration_is_on_top_and_by_variant() -> None:
    study = build_line({("P", 2025, "primary"): even(1, 6, 100.0)})
    options = replace(COHORT, migration_share_per_year=(-0.1, 0.0, 0.1), range_deviations=0.0)
    forecast = build_forecast(study, options)
    assert [pick(forecast, "P", "primary", 6, 2027, variant) for variant in VARIANTS] == pytest.approx([81, 100, 121])


# ---- what is missing


def test_only_totals_of_the_stage() -> None:
    """Without grades the total is split as children were born; the answer has grade 0 only, and says so."""
    births = [(year, "", "", 100.0) for year in range(2010, 2026)]
    forecast = build_forecast(build_line({("P", 2025, "primary"): {0: 600.0}}, births=births), COHORT)
    assert set(forecast.schools["grade"]) == {0}
    assert pick(forecast, "P", "primary", 0, 2027) == pytest.approx(600.0)
    assert "totals without grades" in tell(forecast)


def test_no_rolls_forecast_the_children_of_units() -> None:
    """Births halve after 2019: 120/3 + 60·2/3 = 80 come to school in 2026, 60 in every year after it."""
    births = [(year, "", "", 120.0 if year < 2020 else 60.0) for year in range(2012, 2026)]
    study = build_line({}, births=births, children={"primary": {"a": 240, "b": 240, "c": 120, "d": 120}})
    forecast = build_forecast(study, replace(COHORT, base_year=2025))
    assert forecast.schools.empty and forecast.base_year == 2025
    middle = forecast.units[forecast.units["variant"] == "middle"]
    sums = middle.groupby("year")["pupils"].sum()
    assert sums[2026] == pytest.approx(600 + 80)
    assert sums[2031] == pytest.approx(80 + 60 * 5)
    first = middle[middle["year"] == 2031].set_index("unit_id")["pupils"]
    assert first.to_dict() == pytest.approx({"a": 380 / 3, "b": 380 / 3, "c": 380 / 6, "d": 380 / 6})
    assert "there are no rolls" in tell(forecast)


def test_nothing_but_children_is_held() -> None:
    forecast = build_forecast(build_five_villages(rolls=build_rolls({})), COHORT)
    middle = forecast.units[(forecast.units["variant"] == "middle") & (forecast.units["stage"] == "primary")]
    assert middle.groupby("year")["pupils"].sum().tolist() == pytest.approx([110.0] * len(forecast.years))
    assert "No births are known" in tell(forecast) and "taken as those of 2025" in tell(forecast)
    low, high = (forecast.county.query("variant == @name and year == 2031")["pupils"].sum() for name in ("low", "high"))
    assert low < 105 < 115 < high


def test_units_whose_children_are_not_known_stay_unknown() -> None:
    study = build_line({("P", 2025, "primary"): even(1, 6, 10.0)}, children={"primary": dict.fromkeys("abcd", 15.0)})
    units = study.units.copy()
    units.loc[units["unit_id"] == "c", "primary_pupils"] = np.nan
    forecast = build_forecast(replace(study, units=units), COHORT)
    unknown = forecast.units.groupby("unit_id")["pupils"].apply(lambda values: values.isna().all())
    assert unknown.to_dict() == {"a": False, "b": False, "c": True, "d": False}


def test_a_stage_whose_last_rolls_are_older_is_carried() -> None:
    held = {("P", 2025, "primary"): even(1, 6, 10.0), ("J", 2024, "junior"): even(7, 9, 8.0)}
    forecast = build_forecast(build_line(held), COHORT)
    assert pick(forecast, "J", "junior", 8, 2026) == pytest.approx(8.0)
    assert "the last rolls are of 2024" in tell(forecast)


def test_a_forecast_is_frozen_also_after_pickling() -> None:
    forecast = build_forecast(build_line({("P", 2025, "primary"): even(1, 6, 10.0)}), COHORT)
    again = pickle.loads(pickle.dumps(forecast))
    for found in (forecast, again):
        with pytest.raises(ValueError, match="read-only"):
            found.unit_pupils[0, 0, 0, 0] = 1.0
    assert again.fingerprint == forecast.fingerprint
    pd.testing.assert_frame_equal(again.units, forecast.units)


def test_a_school_without_a_roll_today_is_left_out() -> None:
    study = build_line({("P", 2025, "primary"): even(1, 6, 10.0)})
    forecast = build_forecast(study, COHORT)
    assert set(forecast.schools["school_id"]) == {"P"}
    assert "1 schools have no roll in 2025" in tell(forecast)


ODD_BIRTHS = {
    "one year": [(2020, "", "", 50.0)],
    "nobody born": [(year, "", "", 0.0) for year in range(2015, 2025)],
    "nobody born lately": [(year, "", "", 50.0 if year < 2021 else 0.0) for year in range(2012, 2025)],
    "one unit": [(year, "", "a", 50.0) for year in range(2015, 2025)],
    "one town": [(year, "Westtown", "", 50.0) for year in range(2015, 2025)],
    "an unknown town": [(year, "Nowhere", "", 50.0) for year in range(2015, 2025)],
    "a gap": [(2015, "", "", 50.0), (2022, "", "", 80.0)],
    "long ago": [(year, "", "", 50.0) for year in range(1992, 1999)],
    "only to come": [(2027, "", "", 50.0), (2028, "", "", 50.0)],
}


@pytest.mark.parametrize("name", ODD_BIRTHS)
def test_odd_births_give_numbers(name: str) -> None:
    held = {("P", year, "primary"): even(1, 6, 20.0) for year in (2024, 2025)} | {
        ("J", 2025, "junior"): even(7, 9, 15.0)
    }
    children = {"primary": dict.fromkeys("abcd", 30.0), "junior": dict.fromkeys("abcd", 11.0)}
    forecast = build_forecast(build_line(held, births=ODD_BIRTHS[name], children=children))
    assert np.isfinite(forecast.schools["pupils"]).all() and np.isfinite(forecast.units["pupils"]).all()
    assert_sums_agree(forecast)


def test_odd_studies_give_numbers() -> None:
    held = {("P", year, "primary"): even(1, 6, 20.0) for year in (2024, 2025)} | {
        ("J", 2025, "junior"): even(7, 9, 15.0)
    }
    study = build_line(held, children={"primary": dict.fromkeys("abcd", 30.0)})
    rolls = study.rolls
    once = rolls[rolls["year"] == 2025]
    schools = study.schools.assign(x_m=np.nan, y_m=np.nan, town=None)
    odd = (
        replace(study, rolls=rolls.assign(pupils=rolls["pupils"].where(rolls.index != 0))),
        replace(study, rolls=once.assign(year=0)),
        replace(study, units=study.units.iloc[:0]),
        replace(study, units=study.units.assign(town=None)),
        replace(study, schools=schools),
        replace(study, schools=study.schools.iloc[:0]),
        build_line({("P", year, "primary"): even(1, 6, 20.0) for year in (2019, 2021, 2022, 2025)}),
        build_line({("P", 2025, "primary"): {1: 5.0, 2: 6.0, 9: 7.0}}),
        build_line({("P", 2025, "primary"): even(1, 6, 9.0), ("Q", 2025, "primary"): {0: 100.0}}),
        build_line({("P", year, "primary"): {0: 100.0 + year - 2018} for year in range(2018, 2026)}),
    )
    for case in odd:
        forecast = build_forecast(case, ForecastOptions(last_year=2030))
        assert len(forecast.schools) and np.isfinite(forecast.schools["pupils"]).all()
        assert_sums_agree(forecast)


def test_nothing_at_all() -> None:
    study = build_line({})
    forecast = build_forecast(replace(study, units=study.units.assign(primary_pupils=np.nan)))
    assert forecast.schools.empty and forecast.county.empty and forecast.units.empty
    assert "nothing can be forecast" in tell(forecast)


def test_projected_studies_are_not_forecast_again() -> None:
    with pytest.raises(ScenarioError, match="projected"):
        build_forecast(replace(build_five_villages(), view="2030 middle"))


@pytest.mark.parametrize(
    "changes",
    [
        {"window_years": 2},
        {"window_years": 7},
        {"last_year": 3000},
        {"method": "magic"},
        {"capture": "all"},
        {"shrink_cohorts": -1.0},
        {"migration_share_per_year": (0.0, 0.0)},
        {"migration_share_per_year": (0.0, 0.9, 0.0)},
        {"primary_pupils_per_dwelling": 5.0},
        {"range_deviations": float("nan")},
    ],
)
def test_options_that_cannot_be(changes: dict[str, object]) -> None:
    with pytest.raises(ScenarioError):
        ForecastOptions(**changes)  # type: ignore[arg-type]


# ---- back-tests


def grow(years: range, seed: int = 1) -> StudyArea:
    """Six or more years of a county whose births fall by 8 a year; 2 % leave at every grade; everything else holds."""
    births = {year: 200.0 - 8.0 * (year - 2005) for year in range(2005, 2026)}
    enter = {year: births[year - 7] / 3 + births[year - 6] * 2 / 3 for year in range(2012, 2026)}
    part = {"P": 0.25, "Q": 0.75}
    held = {
        (key, year, "primary"): {
            grade: round(part[key] * enter[year - grade + 1] * 0.98 ** (grade - 1), 4) for grade in range(1, 7)
        }
        for key in part
        for year in years
    }
    return build_line(held, births=[(year, "", "", count) for year, count in births.items()])


def test_back_tests_know_only_what_was_known() -> None:
    """Cohorts follow the births, so they err by chance only; holding the last value errs by the fall of births."""
    forecast = build_forecast(grow(range(2018, 2026)), ForecastOptions(last_year=2030))
    table = forecast.back_test
    assert list(table.columns) == list(BACK_TEST_COLUMNS)
    errors = table[table["level"] == "county"].set_index(["method", "horizon_years"])["mape"]
    assert errors["cohort", 1] < 0.002 and errors["cohort", 4] < 0.01
    assert errors["naive", 1] > 0.03 and errors["naive", 4] > 0.15
    assert errors["ensemble", 4] < 0.02
    assert table[table["level"] == "county"].groupby("method")["cases"].sum().to_dict() == dict.fromkeys(
        ("cohort", "ensemble", "linear", "naive", "trend"), 5 + 4 + 3 + 2 + 1
    )
    assert forecast.weights["primary"]["cohort"] > 0.9
    changed = grow(range(2018, 2026))
    later = changed.rolls.assign(pupils=changed.rolls["pupils"].where(changed.rolls["year"] < 2025, 1_000.0))
    blind = build_forecast(replace(changed, rolls=later), ForecastOptions(last_year=2030, method="cohort")).back_test
    same = table.merge(blind, on=["level", "method", "stage", "horizon_years"])
    assert len(same) == len(table)  # 2025 is truth for every origin, known to none
    assert (same["mape_y"] > same["mape_x"]).all()


def test_too_few_years_are_not_tested() -> None:
    forecast = build_forecast(grow(range(2024, 2026)))
    assert forecast.back_test.empty
    assert forecast.weights["primary"]["cohort"] == 1.0
    assert "errors are not known" in tell(forecast)


@pytest.mark.parametrize("method", ["naive", "linear", "trend", "cohort", "ensemble"])
def test_every_method_agrees_with_its_schools(method: str) -> None:
    forecast = build_forecast(grow(range(2018, 2026)), ForecastOptions(last_year=2030, method=method))  # type: ignore[arg-type]
    assert_sums_agree(forecast)
    total = forecast.county.query("variant == 'middle'").groupby("year")["pupils"].sum()
    today = grow(range(2018, 2026)).rolls.query("year == 2025")["pupils"].sum()
    if method == "naive":
        assert total.tolist() == pytest.approx([today] * 5)
    else:
        assert (total.diff().dropna() < 0).all()


# ---- laws


def assert_sums_agree(forecast: Forecast) -> None:
    keys = ["stage", "year", "variant"]
    county = forecast.county.groupby([*keys, "grade"])["pupils"].sum()
    if len(forecast.schools):
        schools = forecast.schools.groupby([*keys, "grade"])["pupils"].sum().reindex(county.index).fillna(0.0)
        np.testing.assert_allclose(schools, county, rtol=1e-9, atol=1e-9)
    totals = forecast.county.groupby(keys)["pupils"].sum()
    units = forecast.units.groupby(keys)["pupils"].sum(min_count=1).dropna()
    stages = units.index.get_level_values("stage")
    scale = np.array([forecast.children_per_pupil[str(stage)] for stage in stages], dtype=np.float64)
    np.testing.assert_allclose(units, totals.reindex(units.index) * scale, rtol=1e-9, atol=1e-9)


@st.composite
def counties(draw: st.DrawFn, *, years: int = 4) -> StudyArea:
    """Rolls of one to ``years`` years, births of none, the county or towns, children of units."""
    number = st.integers(0, 60).map(float)
    count = draw(st.integers(1, years))
    held = {}
    for key, stage, first, last in (("P", "primary", 1, 6), ("Q", "primary", 1, 6), ("J", "junior", 7, 9)):
        for year in range(2026 - count, 2026):
            held[key, year, stage] = {
                grade: draw(number) + (1.0 if key == "Q" else 0.0) for grade in range(first, last + 1)
            }
    held["J", 2025, "junior"] = even(7, 9, draw(number) + 1.0)
    level = draw(st.sampled_from(["", "county", "town"]))
    spots = {"": [], "county": [""], "town": ["Westtown", "Easttown"]}[level]
    births = [(year, town, "", draw(number) + 1.0) for year in range(2016, 2025) for town in spots]
    children = {stage: {key: draw(number) + 1.0 for key in "abcd"} for stage in ("primary", "junior")}
    return build_line(held, births=births, children=children)


LAWS = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@LAWS
@given(counties())
def test_sums_over_schools_and_units_are_the_county(study: StudyArea) -> None:
    forecast = build_forecast(study, ForecastOptions(last_year=2029))
    assert_sums_agree(forecast)
    assert list(forecast.schools.columns) == list(SCHOOL_COLUMNS)
    assert list(forecast.county.columns) == list(COUNTY_COLUMNS)
    assert list(forecast.units.columns) == list(UNIT_COLUMNS)
    assert not forecast.schools["pupils"].isna().any() and (forecast.schools["pupils"] >= 0).all()
    wide = forecast.county.pivot_table(index=["stage", "year"], columns="variant", values="pupils", aggfunc="sum")
    assert (wide["low"] <= wide["middle"] + 1e-6).all() and (wide["middle"] <= wide["high"] + 1e-6).all()


@LAWS
@given(counties(years=1))
def test_cohorts_are_conserved(study: StudyArea) -> None:
    """With one year of rolls all ratios are 1: a grade's pupils are in the next one a year later, at any school."""
    forecast = build_forecast(study, replace(COHORT, range_deviations=0.0))
    table = forecast.county[forecast.county["variant"] == "middle"]
    keys = zip(table["stage"], table["grade"], table["year"], strict=True)
    now = dict(zip(keys, table["pupils"].astype(float), strict=True))
    for (stage, grade, year), pupils in now.items():
        if grade not in (6, 9) and year < 2031:
            assert now[stage, grade + 1, year + 1] == pytest.approx(pupils, abs=1e-9)
    today = study.rolls.groupby(["stage", "grade"])["pupils"].sum()
    for grade in range(1, 6):
        assert now["primary", grade + 1, 2026] == pytest.approx(today["primary", grade], abs=1e-9)


@LAWS
@given(counties())
def test_doubling_everything_doubles_the_answer(study: StudyArea) -> None:
    """Pupils, births and children twice as many: twice the answer; shares, weights and relative errors as before."""
    units = study.units.assign(**{name: study.units[name] * 2 for name in ("primary_pupils", "junior_pupils")})
    double = replace(
        study,
        rolls=study.rolls.assign(pupils=study.rolls["pupils"] * 2),
        births=study.births.assign(births_children=study.births["births_children"] * 2),
        units=units,
    )
    options = ForecastOptions(last_year=2029)
    once, twice = build_forecast(study, options), build_forecast(double, options)
    for name in ("schools", "county", "units"):
        before, after = getattr(once, name), getattr(twice, name)
        assert len(before) == len(after)
        np.testing.assert_allclose(after["pupils"], 2 * before["pupils"], rtol=1e-7, atol=1e-9)
    for stage, weights in once.weights.items():
        assert dict(twice.weights[stage]) == pytest.approx(dict(weights), rel=1e-6)
    np.testing.assert_allclose(twice.flows["share"], once.flows["share"], rtol=1e-9)
    np.testing.assert_allclose(twice.back_test["mape"], once.back_test["mape"], rtol=1e-6, atol=1e-12)


@LAWS
@given(counties(), st.randoms(use_true_random=False))
def test_shuffling_rows_changes_nothing(study: StudyArea, random: object) -> None:
    seed = random.randint(0, 10_000)  # type: ignore[attr-defined]
    mixed = replace(
        study,
        **{
            name: getattr(study, name).sample(frac=1, random_state=seed)
            for name in ("rolls", "births", "units", "zones", "schools")
        },
    )
    options = ForecastOptions(last_year=2029)
    once, again = build_forecast(study, options), build_forecast(mixed, options)
    pd.testing.assert_frame_equal(once.schools, again.schools)
    pd.testing.assert_frame_equal(once.county, again.county)
    pd.testing.assert_frame_equal(once.units, again.units)
    assert once.notes == again.notes and once.fingerprint == again.fingerprint


@LAWS
@given(counties())
def test_more_births_never_bring_fewer_pupils(study: StudyArea) -> None:
    """Twice the births of the last years only: no school, year or grade has fewer pupils (by cohorts, mean capture)."""
    late = study.births["year"] >= 2021
    births = study.births.assign(
        births_children=study.births["births_children"].where(~late, study.births["births_children"] * 2)
    )
    options = replace(COHORT, last_year=2027, capture="mean")
    once, more = build_forecast(study, options), build_forecast(replace(study, births=births), options)
    assert (more.schools["pupils"] >= once.schools["pupils"] - 1e-9).all()


def test_births_are_read_at_every_level() -> None:
    """Births by unit, by town and of the county give the same county when towns keep their shares."""
    held = {("P", 2025, "primary"): even(1, 6, 20.0), ("Q", 2025, "primary"): even(1, 6, 40.0)}
    share = {"a": 1.0, "b": 1.0, "c": 2.0, "d": 2.0}
    town = {"a": "Westtown", "b": "Westtown", "c": "Easttown", "d": "Easttown"}
    path = {year: 10.0 * (1.0 + 0.1 * (year % 3)) for year in range(2012, 2026)}
    units = [(year, "", key, path[year] * share[key]) for year in path for key in share]
    towns = [
        (year, name, "", path[year] * (2.0 if name == "Westtown" else 4.0))
        for year in path
        for name in set(town.values())
    ]
    county = [(year, "", "", path[year] * 6.0) for year in path]
    found = [
        build_forecast(
            build_line(held, births=rows, children={"primary": {key: 60.0 * value for key, value in share.items()}}),
            COHORT,
        )
        for rows in (units, towns, county)
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other.county["pupils"], found[0].county["pupils"], rtol=1e-9)
        np.testing.assert_allclose(other.units["pupils"], found[0].units["pupils"], rtol=1e-6)


def test_a_closed_school_is_not_projected() -> None:
    """P's 10 of every grade went to Q when it closed: 50 of 40 and 10, so the ratio is 1."""
    held = {("P", 2024, "primary"): even(1, 6, 10.0), ("Q", 2024, "primary"): even(1, 6, 40.0)}
    held[("Q", 2025, "primary")] = even(1, 6, 50.0)
    forecast = build_forecast(build_line(held), COHORT)
    assert set(forecast.schools["school_id"]) == {"Q"}
    assert [pick(forecast, "Q", "primary", grade, 2027) for grade in range(1, 7)] == pytest.approx([50.0] * 6)
    assert_sums_agree(forecast)


def test_one_school_for_the_whole_of_schooling() -> None:
    """A nine-year school keeps its own leavers where nothing else is there."""
    school = WorldSchool(kind="nine_year", stages=("primary", "junior"), places={"primary": 300, "junior": 150})
    held = {("N", 2025, "primary"): even(1, 6, 30.0), ("N", 2025, "junior"): even(7, 9, 20.0)}
    study = build_world(
        "a/N b", pupils={"primary": {"a": 100, "b": 80}}, schools={"N": school}, rolls=build_rolls(held)
    )
    forecast = build_forecast(replace(study, births=build_births([])), COHORT)
    assert pick(forecast, "N", "junior", 7, 2026) == pytest.approx(30.0)
    assert pick(forecast, "N", "junior", 9, 2028) == pytest.approx(30.0)


def test_totals_of_several_stages_and_years_have_no_grades() -> None:
    """Years that are known by totals only are split as today's are, or a back-test would start from nobody."""
    births = [(year, "", "", 110.0 - 3 * (year - 2010)) for year in range(2010, 2026)]
    held = {(key, year, "primary"): {0: 300.0 - 10 * (year - 2019)} for key in "PQ" for year in range(2019, 2026)}
    held |= {(key, year, "junior"): {0: 150.0 - 3 * (year - 2019)} for key in "JK" for year in range(2019, 2026)}
    forecast = build_forecast(build_line(held, births=births), ForecastOptions(last_year=2030))
    assert set(forecast.schools["grade"]) == set(forecast.county["grade"]) == {0}
    assert "totals without grades" in tell(forecast)
    errors = forecast.back_test.query("level == 'county'").set_index(["method", "stage", "horizon_years"])["mape"]
    assert errors["cohort", "primary", 1] < 0.02 and errors["cohort", "junior", 1] < 0.05
    assert_sums_agree(forecast)


def test_low_middle_and_high_are_in_order() -> None:
    with pytest.raises(ScenarioError, match="must not fall"):
        ForecastOptions(migration_share_per_year=(0.01, 0.0, -0.01))


def test_totals_of_earlier_years_are_no_ratios() -> None:
    """Six years of totals and one of grades show no grade moving up: the note does not speak of pairs of years."""
    held = {("P", year, "primary"): {0: 300.0} for year in range(2019, 2025)}
    forecast = build_forecast(build_line(held | {("P", 2025, "primary"): even(1, 6, 50.0)}), COHORT)
    assert "known for one school year only" in tell(forecast)
    assert forecast.back_test.query("level == 'county' and method == 'cohort'")["mape"].max() < 0.01
