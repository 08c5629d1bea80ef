"""The commands of the terminal that judge, inspect and look ahead, on a small county written by the test."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import cli
from geodata.errors import ScenarioError
from planning.robust import CASE_COLUMNS, ROBUST_INDICATORS
from planning.rule_checks import CHECK_COLUMNS
from planning.rules import read_rulebook
from reports.check_tables import CHECK_FILES, ROBUST_FILES
from terminal.arguments import read_years
from terminal.parser import build_parser
from tests.small_county import write_small_county

ROOT = Path(__file__).resolve().parents[2]
CLOSE = 'name = "close"\n[[action]]\nkind = "close"\nschool_id = "002"\n'


@pytest.fixture()
def county(tmp_path: Path) -> Path:
    write_small_county(tmp_path)
    return tmp_path


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _call(county: Path, command: str, *more: str) -> int:
    return cli.main([command, str(county / "study.toml"), "--out", str(county / "out"), "--quiet", *more])


def test_judge_writes_the_checks_and_says_what_cures(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """School 001 has 120 pupils on 90 places and 2 classes: 30 places, and one class to be below 56."""
    assert _call(county, "judge") == 0
    printed = capsys.readouterr().out
    assert "=第一小学 (primary school): pupils per place 133.3%" in printed
    assert "30 more places would cure it." in printed and "Missing data:" in printed
    assert {path.name for path in (county / "out").iterdir()} == set(CHECK_FILES)
    rows = _rows(county / "out" / "checks.csv")
    assert set(CHECK_COLUMNS) <= set(rows[0])
    (full,) = [row for row in rows if row["rule_id"] == "P7.red" and row["subject_id"] == "001"]
    assert (full["status"], full["cure"], full["cure_amount"]) == ("failed", "places", "30")
    assert full["source"] and full["subject_name"] == "'=第一小学"
    ids = {row["rule_id"] for row in rows} | {row["rule_id"] for row in _rows(county / "out" / "not_checked.csv")}
    assert ids == {rule.id for rule in read_rulebook("cn").rules if rule.enabled}


def test_judge_in_chinese_and_as_json(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(county, "judge", "--lang", "zh") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines and all(any("\u4e00" <= letter <= "\u9fff" for letter in line) for line in lines)
    assert _call(county, "judge", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lawful"] is False and found["counts"]["failed"] == len(found["failed"])
    assert {row["rule_id"] for row in found["rules"]} >= {"P7.red", "L8.large"}
    assert all(row["finding"] for row in found["failed"]) and "robust" not in found


def test_judge_a_scenario_in_years_to_come(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """School 002 closes: all 180 pupils on 90 places, in every case."""
    (county / "close.toml").write_text(CLOSE, encoding="utf-8")
    arguments = ("--scenario", str(county / "close.toml"), "--years", "2026,2028", "--variants", "low,high", "--json")
    assert _call(county, "judge", *arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["robust"]["lawful"] is False
    assert [(case["year"], case["variant"]) for case in found["robust"]["cases"]] == [
        *((2026, "low"), (2026, "high"), (2028, "low"), (2028, "high")),
    ]
    assert {path.name for path in (county / "out").iterdir()} == {*CHECK_FILES, *ROBUST_FILES}
    cases = _rows(county / "out" / "robust_cases.csv")
    assert set(cases[0]) == {*CASE_COLUMNS, "pupils", *ROBUST_INDICATORS}
    first = _rows(county / "out" / "robust_first.csv")
    assert {"P7.red"} <= {row["rule_id"] for row in first if row["year"] == "2026"}


def test_judge_refuses_what_it_cannot_read(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(county, "judge", "--years", "soon") == 1
    assert _call(county, "judge", "--years", "2026", "--variants", "lowest") == 1
    assert "known: low, middle, high" in capsys.readouterr().err
    assert _call(county, "judge", "--stage", "senior") == 2
    assert capsys.readouterr().err.strip()


def test_years_are_read() -> None:
    assert read_years("2026-2028") == (2026, 2027, 2028) and read_years("2026, 2030,2026") == (2026, 2030)
    for wrong in ("", "26-30", "2030-2026", "1900"):
        with pytest.raises(ScenarioError):
            read_years(wrong)


def test_run_for_a_year_to_come(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(county, "run", "--year", "2027", "--variant", "high") == 0
    record = json.loads((county / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["scenario"]["year"] == 2027 and record["scenario"]["variant"] == "high"
    (county / "close.toml").write_text(CLOSE, encoding="utf-8")
    assert _call(county, "run", "--scenario", str(county / "close.toml"), "--year", "2027", "--variant", "low") == 0
    record = json.loads((county / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["scenario"]["variant"] == "low"
    assert _call(county, "run", "--variant", "low") == 1
    assert "needs a year" in capsys.readouterr().err


def test_forecast_writes_every_table(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(county, "forecast", "--last-year", "2028") == 0
    assert "2028:" in capsys.readouterr().out
    out = county / "out"
    assert {path.stem for path in out.iterdir()} == {
        *("schools", "units", "county", "entries", "flows", "back_test", "alerts"),
    }
    assert {row["variant"] for row in _rows(out / "county.csv")} == {"low", "middle", "high"}
    assert _call(county, "forecast", "--last-year", "2028", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["base_year"] == 2025 and found["years"][-1] == 2028 and found["notes"]


def test_inspect_writes_tables_and_the_workbook(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(county, "inspect") == 0
    assert "primary school: of 2 schools" in capsys.readouterr().out
    names = {path.name for path in (county / "out").iterdir()}
    assert {"inspection.xlsx", "indicators.csv", "spread.csv", "items.csv", "groups.csv"} <= names
    (county / "close.toml").write_text(CLOSE, encoding="utf-8")
    assert _call(county, "inspect", "--scenario", str(county / "close.toml"), "--kind", "basic", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "basic" and found["spread"]
    assert (county / "out" / "moves.csv").exists()


def test_rules_prints_a_book_or_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rules"]) == 0
    printed = capsys.readouterr().out
    book = read_rulebook("cn")
    assert len(printed.splitlines()) == len(book.rules) and "G4" in printed
    assert cli.main(["rules", "--against", "cn"]) == 0
    assert "sets nothing otherwise" in capsys.readouterr().out
    own = tmp_path / "own.toml"
    own.write_text(
        'base = "cn"\nlevel = "county"\nname = "own"\nversion = "1"\n[[rule]]\nid = "G4"\nvalue = { primary = 1800 }\n'
        'source = "县教育局"\nreason = "small sites"\n',
        encoding="utf-8",
    )
    assert cli.main(["rules", "--rulebook", str(own), "--against", "cn"]) == 0
    printed = capsys.readouterr().out
    assert "G4, value.primary: 2000.0 → 1800.0" in printed and "small sites" in printed
    assert cli.main(["rules", "--rulebook", str(own), "--against", "cn", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {change["rule_id"] for change in found["changes"]} == {"G4"}
    assert cli.main(["rules", "--json", "--lang", "zh"]) == 0
    rules = json.loads(capsys.readouterr().out)["rules"]
    assert rules[0]["name"] and all(set(rule) >= {"id", "source", "verified", "words"} for rule in rules)
    assert cli.main(["rules", "--rulebook", "nowhere"]) == 1


def test_every_command_and_option_is_documented() -> None:
    page = (ROOT / "docs" / "terminal.md").read_text(encoding="utf-8")
    actions = [action for action in build_parser()._actions if action.choices]
    (commands,) = [action.choices for action in actions if isinstance(action.choices, dict)]
    for name, command in commands.items():
        assert f"{name} " in page, name
        for action in command._actions:
            for option in action.option_strings:
                assert option in ("-h", "--help") or option in page, (name, option)


def test_check_writes_marked_copies_of_good_and_of_refused_files(
    county: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["check", str(county / "study.toml"), "--quiet", "--marked", str(county / "marked")]
    cli.main(command)
    schools = next(path for path in sorted(county.glob("schools*")) if path.suffix in (".csv", ".xlsx"))
    text = schools.read_text(encoding="utf-8")
    schools.write_text(text + text.splitlines()[-1] + "\n", encoding="utf-8")
    assert cli.main(command) == 1
    assert (county / "marked" / f"{schools.stem}-marked.xlsx").read_bytes().startswith(b"PK")
    assert not list((county / "marked").glob(".*"))
    (county / "file").write_text("", encoding="utf-8")
    assert cli.main([*command[:-1], str(county / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err
