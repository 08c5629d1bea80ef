"""The tables, charts and maps of the forecast, on a county worked by hand (``tests.forecast_samples``)."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from planning.projected_study import project_study
from reports.forecast_alerts import build_demand_table, build_heat_table
from reports.forecast_charts import build_multiples, build_stage_chart
from reports.forecast_scene import (
    CHANGE_BREAKS,
    YearsView,
    assign_units,
    build_years_parts,
    build_years_scene,
    choose_small_years,
    compute_change,
    find_children,
)
from reports.forecast_tables import (
    build_county_rows,
    build_error_table,
    build_school_table,
    build_series,
    build_town_summary,
    build_town_table,
    say_stage_ahead,
    show_school_table,
    sum_places,
)
from reports.forecast_words import find_ground, name_enrolled, read_view_words, say_pupils_of, say_school_year
from reports.language import read_catalogue
from reports.tables import render_csv
from tests.forecast_samples import build_sample_alerts, build_sample_county, build_sample_forecast

EN, ZH = read_catalogue("en"), read_catalogue("zh")


@pytest.fixture(scope="module")
def county():
    study = build_sample_county()
    return study, build_sample_forecast(study)


def test_series_runs_from_the_rolls_into_the_forecast(county):
    study, forecast = county
    series = build_series(study, forecast, "primary")
    assert series[["year", "kind", "pupils"]].values.tolist() == [
        [2025, "roll", 130.0],
        [2025, "forecast", 130.0],  # the lines meet
        [2026, "forecast", 130.0],
        [2027, "forecast", 140.0],
    ]
    assert series["low_pupils"].iloc[-1] == 120.0
    assert series["high_pupils"].iloc[-1] == 160.0
    assert build_series(study, forecast, "primary", "C")["pupils"].tolist() == [50.0, 50.0, 40.0, 20.0]
    assert sum_places(study, "primary") == 160.0


@pytest.mark.parametrize(
    ("pupils", "words"),
    [
        ((1000, 900, 500), "Primary: pupils fall from 1,000 to 500 by 2027/28 (490 to 510)"),
        ((1000, 1100, 1500), "Primary: pupils rise from 1,000 to 1,500 by 2027/28 (1,490 to 1,510)"),
        ((1000, 1010, 1005), "Primary: pupils stay near 1,000, 1,000 by 2027/28 (995 to 1,020)"),
        ((1000, 1200, 800), "1,200 at the peak in 2026/27, 800 by 2027/28 (790 to 810)"),
    ],
)
def test_headline_says_what_comes_in_three_figures(county, pupils, words):
    study, forecast = county
    series = build_series(study, forecast, "primary")
    ahead = series["kind"] == "forecast"
    series.loc[ahead, "pupils"] = pupils
    series.loc[ahead, "low_pupils"] = [value - 10 for value in pupils]
    series.loc[ahead, "high_pupils"] = [value + 10 for value in pupils]
    assert words in say_stage_ahead(series, "primary", EN)


def test_headline_without_any_roll_says_that_it_rests_on_assumptions(county):
    study, forecast = county
    series = build_series(study, forecast, "primary")
    words = say_stage_ahead(series[series["kind"] != "roll"], "primary", EN)
    assert "no rolls are known" in words
    assert "assumption" in words


def test_schools_in_most_trouble_come_first(county):
    study, forecast = county
    table = build_school_table(study, forecast, "primary", 2027, "middle").set_index("school_id")
    # A: 120 of 100 places, 20 too many. C: 20 of 60 places, 10 below half.
    assert table.index.tolist() == ["A", "C"]
    assert table["trouble"].tolist() == [20.0, 10.0]
    assert table.loc["A", ["today_pupils", "pupils", "low_pupils", "high_pupils"]].tolist() == [80, 120, 110, 130]
    assert table.loc["A", "peak_year"] == 2027
    assert table.loc["C", "peak_year"] == 2026
    shown = show_school_table(table.reset_index(), EN)
    assert shown["Fill then (%)"].tolist() == [120.0, 33.3]
    assert shown["Fullest in"].tolist() == ["2027/28", "2026/27"]


def test_townships_add_up_the_children_who_live_there(county):
    study, forecast = county
    towns = build_town_table(study, forecast, "primary")
    west = towns[towns["town"] == "West"].set_index("year")["pupils"]
    assert west.to_dict() == {2025: 70.0, 2026: 80.0, 2027: 60.0}
    summary = build_town_summary(towns, 2027, EN)
    assert summary["Township"].tolist() == ["East", "West"]  # +20, then −10
    assert summary["Change"].tolist() == [20.0, -10.0]
    assert np.isnan(summary["Change (%)"].iloc[0])  # nobody lived there: no share of nothing


def test_heat_table_sorts_by_red_and_says_every_colour_with_a_sign():
    heat = build_heat_table(build_sample_alerts(), "middle", EN)
    assert heat.school_ids == ("A", "C")
    assert heat.table["2026/27"].tolist() == ["● 95%", "○ 50%"]
    assert heat.table["2027/28"].tolist() == ["▲ 120%", "–"]
    assert "background-color" in heat.colours["2027/28"].iloc[0]
    assert heat.colours["2027/28"].iloc[1] == ""
    assert heat.style().to_html()
    demand = build_demand_table(build_sample_alerts(), "middle", EN)
    assert demand[["Pupils", "Places"]].values.tolist() == [[130, 160], [140, 160]]
    assert demand["▲"].tolist() == [0, 1]


def test_a_school_without_a_zone_adds_places_but_no_children_a_second_time():
    alerts = build_sample_alerts()
    alerts["basis"] = alerts["school_id"].map({"A": "zones", "C": "rolls"})
    of_a = alerts[(alerts["variant"] == "middle") & (alerts["school_id"] == "A")]
    demand = build_demand_table(alerts, "middle", EN)
    assert demand["Pupils"].tolist() == of_a["demand_pupils"].tolist()
    assert demand["Places"].tolist() == [160, 160]


def test_errors_stand_by_years_ahead_and_method(county):
    table = build_error_table(county[1], EN)
    assert table["Years ahead"].tolist() == [1, 2]
    assert table["Ensemble of all methods"].tolist() == [1.0, 2.0]
    assert table["Last value"].tolist() == [3.0, 6.0]
    assert table["Tests"].tolist() == [2, 1]


def test_charts_are_plain_json_and_leave_the_unknown_out(county):
    study, forecast = county
    series = build_series(study, forecast, "primary")
    spec = build_stage_chart(series, 160.0, EN)
    text = json.dumps(spec, allow_nan=False)
    assert "160" in text
    assert len(spec["layer"]) == 4
    assert len(build_stage_chart(series, float("nan"), EN)["layer"]) == 3
    cells = series[series["kind"] == "forecast"].assign(name="A", places=float("nan"))
    assert json.dumps(build_multiples(cells, ZH), allow_nan=False)


def test_map_of_a_year_holds_the_children_of_that_year(county):
    study, forecast = county
    order = [str(key) for key in study.units["unit_id"]]
    children = dict(zip(order, find_children(study, forecast, "primary", 2027, "high"), strict=True))
    assert children == {"a": 70.0, "b": 10.0, "c": 30.0}
    today = dict(zip(order, find_children(study, forecast, "primary", 2025, "middle"), strict=True))
    assert today == {"a": 40.0, "b": 30.0, "c": 0.0}
    change = compute_change(np.array([60.0, 0.0, 20.0, 0.0]), np.array([40.0, 30.0, 0.0, 0.0]))
    assert change[:3].tolist() == [0.5, -1.0, 1.0]
    assert np.isnan(change[3])


def test_map_paints_change_and_alerts(county):
    study, forecast = county
    alerts, zones = build_sample_alerts(), assign_units(study, "primary")
    assert zones.to_dict() == {"a": "A", "b": "A", "c": "C"}  # b lies between both; the first stands
    view = YearsView("primary", "change", (2026, 2027), "middle")
    parts = build_years_parts(study, forecast, view, alerts, zones, EN)
    assert list(parts) == ["paint_0", "paint_1"]
    assert parts["paint_0"].digest != parts["paint_1"].digest
    order = [str(key) for key in study.units["unit_id"]]

    def classes(parts, place):
        found = np.frombuffer(base64.b64decode(parts[place].build()["units"]["classes"]), dtype=np.uint8)
        return dict(zip(order, found.tolist(), strict=True))

    # a: 60 of 40 (+50 %), b: 0 of 30 (−100 %), c: 20 where nobody lived.
    assert classes(parts, "paint_1") == {"a": len(CHANGE_BREAKS), "b": 0, "c": len(CHANGE_BREAKS)}
    view = YearsView("primary", "alert", (2027,), "middle")
    painted = classes(build_years_parts(study, forecast, view, alerts, zones, EN), "paint_0")
    assert painted == {"a": 2, "b": 2, "c": 255}  # red, red, not known
    scene = build_years_scene(study, forecast, view, EN)
    assert scene["panes"] == {"layout": "single", "items": [{"label": "2027/28"}]}
    assert choose_small_years([2026, 2027, 2035], 2025) == (2025, 2028, 2032, 2035)


def test_words_of_a_view():
    assert say_school_year(2030, EN) == "2030/31"
    assert say_school_year(2099, EN) == "2099/00"
    assert say_school_year(2030, ZH) == "2030学年"
    assert read_view_words("2030 middle") == (2030, "middle")
    assert read_view_words("2030 wild") is None
    assert read_view_words("") is None
    assert say_pupils_of(2030, "low", EN) == "Pupils of 2030/31, low forecast"


def test_a_projected_study_keeps_its_ground(county):
    study, forecast = county
    projected = project_study(study, forecast, 2027, "middle")
    assert projected.fingerprint != study.fingerprint
    assert find_ground(projected) == find_ground(study) == study.fingerprint
    assert name_enrolled(study, EN) == "Enrolled"
    assert name_enrolled(projected, EN) == "Forecast roll"


def test_files_never_start_a_formula(county):
    study, forecast = county
    rows = build_county_rows(study, forecast)
    assert rows["places_today"].unique().tolist() == [160.0]
    table = build_school_table(study, forecast, "primary", 2027, "middle")
    assert b"'=A school" in render_csv(table)
