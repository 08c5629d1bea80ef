import csv
import json

import pandas as pd
import pytest

from geodata.errors import ExportError
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from reports.language import Translator
from reports.tables import RUN_FILES, neutralise_formulas, write_run_tables
from tests.worlds import WorldSchool, build_five_villages, build_island, build_world

CN = read_rulebook("cn")


def read_rows(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_file_is_written_and_can_be_read_back(tmp_path):
    outcome = run_scenario(build_five_villages(), CN, Scenario())
    paths = write_run_tables(outcome, tmp_path / "new" / "folder")
    assert [path.name for path in paths] == list(RUN_FILES)
    units = read_rows(paths[1])
    assert [row["school_name"] for row in units] == ["West School"] * 2 + ["East School"] * 3
    assert [float(row["time_min"]) for row in units] == [0, 10, 20, 10, 0]
    assert sum(float(row["pupils"]) for row in units) == 110
    assert {"unit_id", "school_id", "time_min", "length_m", "pupils"} <= set(units[0])
    assert "East School has 70 pupils for 40 places (175% full)." in {row["reason"] for row in read_rows(paths[2])}
    indicators = read_rows(paths[3])
    assert {"name", "value", "unit", "area"} <= set(indicators[0])
    record = json.loads(paths[4].read_text(encoding="utf-8"))
    assert record["status"] == "plan" and record["study_fingerprint"] == build_five_villages().fingerprint
    assert len(read_rows(paths[0])) == 2


def test_missing_values_are_empty_cells(tmp_path):
    paths = write_run_tables(run_scenario(build_island(), CN, Scenario()), tmp_path)
    lost = next(row for row in read_rows(paths[1]) if row["unit_id"] == "i")
    assert (lost["school_id"], lost["time_min"], lost["origin"]) == ("", "", "unreached")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")'])
def test_names_cannot_become_formulas(tmp_path, name):
    study = build_world("a/S", pupils={"a": 30}, schools={"S": WorldSchool(places=10, roll=20, name=name)})
    paths = write_run_tables(run_scenario(study, CN, Scenario()), tmp_path)
    assert read_rows(paths[0])[0]["name"] == "'" + name
    for path in paths[:4]:
        for row in read_rows(path):
            for column, cell in row.items():
                is_number = column in ("value", "limit", "leak_pupils")
                assert is_number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (path.name, column, cell)


def test_hostile_markup_stays_text(tmp_path):
    name = "<img src=x onerror=alert(1)> {{7*7}} {name}"
    study = build_world("a/S", pupils={"a": 30}, schools={"S": WorldSchool(places=10, roll=20, name=name)})
    paths = write_run_tables(run_scenario(study, CN, Scenario()), tmp_path)
    assert read_rows(paths[0])[0]["name"] == name
    assert any(row["reason"].startswith(name + " has 20 pupils") for row in read_rows(paths[2]))


def test_numbers_and_leading_zeros_are_untouched():
    table = pd.DataFrame({"id": ["001", "-7"], "value": [-1.5, 2.0], "=bad": ["x", None]})
    safe = neutralise_formulas(table)
    assert safe.columns.tolist() == ["id", "value", "'=bad"]
    assert safe["id"].tolist() == ["001", "'-7"] and safe["value"].tolist() == [-1.5, 2.0]
    assert table.columns.tolist() == ["id", "value", "=bad"]


def test_conflicts_are_written_where_there_is_no_plan(tmp_path):
    paths = write_run_tables(run_scenario(build_five_villages(), CN, Scenario(stages=("senior",))), tmp_path)
    record = json.loads(paths[4].read_text(encoding="utf-8"))
    assert record["status"] == "no_plan" and "No school teaches" in record["conflicts"][0]
    assert read_rows(paths[1]) == []


def test_sentences_are_said_in_the_readers_language(tmp_path):
    template = "{name} has {pupils:,.0f} pupils for {places:,.0f} places ({fill:.0%} full)."
    language = Translator("zh", {template: "{name}学位{places:,.0f}个，在校生{pupils:,.0f}人"})
    paths = write_run_tables(run_scenario(build_five_villages(), CN, Scenario()), tmp_path, language=language)
    assert "East School学位40个，在校生70人" in {row["reason"] for row in read_rows(paths[2])}


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        write_run_tables(run_scenario(build_island(), CN, Scenario()), tmp_path / "file" / "below")
