"""A comparison in words, tables, charts and files: nothing hidden, nothing that a spreadsheet would run."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from geodata.study import StudyArea
from planning.actions import ChangePlaces, CloseSchool, OpenSchool, StagePlaces
from planning.compare import Comparison, compare_outcomes
from planning.compare_units import BANDS
from planning.compare_years import ROLLS, ask_year, build_years, find_state_year, list_plan_years
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from reports.compare_charts import build_band_chart, build_group_chart, build_year_chart, say_unchanged
from reports.compare_files import build_comparison_tables, build_definition_table, render_workbook, write_comparison
from reports.compare_tables import (
    build_gain_table,
    build_key_lines,
    build_lines,
    build_school_table,
    build_worst_table,
    list_definitions,
    select_schools,
)
from reports.compare_words import BAND_COLOURS, name_band, say_difference, say_number
from reports.language import read_catalogue
from tests.worlds import WorldUnit, build_five_villages

_ = read_catalogue("en")


def _ask(study: StudyArea, **changes: object) -> Outcome:
    return run_scenario(study, read_rulebook("cn"), Scenario(**changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def closed() -> Comparison:
    """Without the east school c, d, e (60 pupils) walk to W: d 10 -> 30, e 0 -> 40 min, c stays at 20."""
    study = build_five_villages()
    return compare_outcomes([_ask(study), _ask(study, actions=(CloseSchool(school_id="E"),))], ["Today", "=Close E"])


def test_lines_tell_value_difference_and_direction(closed: Comparison) -> None:
    groups = build_lines(closed, "primary", _)
    assert next(iter(groups)) == "gains"
    gains = {line.name: line for line in groups["gains"]}
    assert gains["worse_pupils"].cells[1].value == "50"
    assert gains["worse_pupils"].cells[1].verdict == "worse"
    assert gains["gone_schools"].cells[1].value == "1"
    mean = {line.name: line for line in groups["way"]}["mean_travel_min"]
    # 600 / 110 = 5.45 before, 2200 / 110 = 20 after.
    assert (mean.cells[0].value, mean.cells[1].value) == ("5.5 min", "20 min")
    assert (mean.cells[1].difference, mean.cells[1].verdict) == ("+14.5 min", "worse")
    within = {line.name: line for line in groups["reach"]}["within_15_min_share"]
    # 100 of 110 pupils before (all but c), 50 of 110 after: −45.5 points.
    assert (within.cells[1].difference, within.cells[1].verdict) == ("−45.5 points", "worse")


def test_every_number_of_the_page_has_its_definition(closed: Comparison) -> None:
    defined = {name for name, _title, definition in list_definitions(_) if definition}
    shown = [line for lines in build_lines(closed, "primary", _).values() for line in lines]
    shown += build_key_lines(closed, "primary", _)
    assert {line.name for line in shown} <= defined
    assert all(line.definition for line in shown)


def test_worst_and_gains_by_name(closed: Comparison) -> None:
    worst = build_worst_table(closed, 1, "primary", _)
    assert worst["Community"].tolist() == ["e", "d"]
    assert worst.loc[0, ["School before", "School after", "Minutes longer"]].tolist() == [
        "East School",
        "West School",
        40,
    ]
    gains = build_gain_table(closed, 1, "setting", "primary", _).set_index("Group")
    assert gains.loc["Urban", "Longer way"] == 50
    assert gains.loc["Rural", "No change"] == 60
    assert build_gain_table(closed, 1, "stage", "", _)["Pupils"].tolist() == [110]


def test_schools_before_and_after(closed: Comparison) -> None:
    rows = select_schools(closed, 1, "primary")
    table = build_school_table(rows, _).set_index("School")
    assert table.loc["East School", ["What happens", "Pupils before", "Pupils after"]].tolist() == ["✕ closed", 60, 0]
    assert table.loc["West School", ["Pupils before", "Pupils after", "Fill after (%)"]].tolist() == [50, 110, 110]
    assert math.isnan(table.loc["East School", "Fill after (%)"])
    assert len(select_schools(closed, 1, "primary", changed_only=True)) == 2


def test_numbers_in_words() -> None:
    assert say_number(math.nan, "min", _) == "–"
    assert say_number(0.1234, "share", _) == "12.3%"
    assert say_difference(-0.021, "share", _) == "−2.1 points"
    assert say_difference(1500.0, "m", _) == "+1.5 km"
    assert say_difference(0.0, "pupils", _) == "±0"
    assert set(BAND_COLOURS) == set(BANDS)
    assert len({name_band(band, _) for band in BANDS}) == len(BANDS)


def test_charts_are_plain_data_that_say_the_same(closed: Comparison) -> None:
    band = build_band_chart(closed, 1, "primary", _)
    assert band["data"]["values"] == [
        {"band": "15 min or more longer", "pupils": 50.0, "label": "50 (45.5%)"},
    ]
    assert say_unchanged(closed, 1, "primary", _) == "no change for 60 pupils (54.5%)"
    group = build_group_chart(closed, 1, "setting", "primary", _)
    shares = {(row["area"], row["band"]): row["share"] for row in group["data"]["values"]}
    assert shares["Urban", "15 min or more longer"] == 1.0
    for spec in (band, group):
        assert json.loads(json.dumps(spec)) == spec
        assert spec["description"]


def test_years_of_rolls_and_plans() -> None:
    study = build_five_villages()
    scenario = Scenario(
        actions=(
            ChangePlaces(school_id="E", stage="primary", add_places=60, year=2027),
            CloseSchool(school_id="W", year=2030),
        )
    )
    years = list_plan_years([Scenario(), scenario], 2025)
    assert years == [2025, 2027, 2030]
    assert list_plan_years([Scenario()], 2025) == []
    assert [find_state_year(scenario, year, 2025) for year in (2025, 2026, 2027, 2029, 2030)] == [
        2025,
        2025,
        2027,
        2027,
        2030,
    ]
    plans = [(0, year, run_scenario(study, read_rulebook("cn"), ask_year(scenario, year))) for year in years]
    table = build_years(study, "primary", plans)
    assert table.loc[table["option"] == ROLLS, ["year", "pupils", "places"]].values.tolist() == [[2025, 110, 140]]
    # Places: 100 + 40, then E has 100, then only E's 100 are left; the rolls (40 + 70) stay 110 in all.
    plan = table[table["kind"] == "plan"].set_index("year")
    assert plan["places"].tolist() == [140, 200, 100]
    assert plan["pupils"].tolist() == pytest.approx([110, 110, 110])
    west = build_years(study, "primary", plans, "W").set_index(["kind", "year"])
    assert west.loc[("plan", 2030), "pupils"] == 0
    assert math.isnan(west.loc[("plan", 2030), "fill_share"])
    spec = build_year_chart(table, ("Plan",), "fill_share", _)
    assert json.loads(json.dumps(spec)) == spec


def test_files_never_start_a_formula_and_unknown_is_empty(tmp_path: Path) -> None:
    names = {"a": WorldUnit(name='=HYPERLINK("x")'), **{key: WorldUnit(name=key) for key in "bcde"}}
    study = build_five_villages(units=names)
    opened = OpenSchool(
        school_id="N", name="+New", stages=(StagePlaces("primary", capacity_places=50),), unit_id="c", takes="nobody"
    )
    compared = compare_outcomes([_ask(study), _ask(study, actions=(opened,))], ["Today", "@plan"])
    tables = {**build_comparison_tables(compared, _), "definitions": build_definition_table(_)}
    book = CalamineWorkbook.from_filelike(io.BytesIO(render_workbook(tables)))
    assert book.sheet_names == list(tables)
    units = book.get_sheet_by_name("units").to_python()
    head = units[0]
    assert '=HYPERLINK("x")' in [row[head.index("name")] for row in units[1:]]
    assert b"<f>" not in render_workbook(tables)
    schools = book.get_sheet_by_name("schools").to_python()
    new = next(row for row in schools if "N" in row)
    assert new[schools[0].index("pupils_before")] == ""
    paths = write_comparison(compared, tmp_path / "out")
    written = pd.read_csv(tmp_path / "out" / "units.csv")
    assert '\'=HYPERLINK("x")' in written["name"].tolist()
    assert {path.name for path in paths} == {f"{name}.csv" for name in tables}
