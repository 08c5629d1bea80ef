"""The command ``propose`` on a small county: files, plans that can be run, conflicts, and options that are refused."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import pandas as pd
import pytest

import cli
from geodata.errors import Cancelled, ScenarioError
from geodata.messages import Message, msg
from planning.scenario_file import read_scenario
from planning.siting_answer import DECISION_COLUMNS, ENROLMENT_COLUMNS, FRONT_COLUMNS, PERIOD_COLUMNS, SCHOOL_COLUMNS
from planning.siting_file import read_siting_options
from reports.siting_files import SITING_FILES
from terminal.parser import build_parser
from terminal.propose import build_siting, read_budget
from terminal.stopping import stop_on_interrupt
from tests.small_county import write_small_county

EFFORT = ("--time-limit", "20", "--plans", "2", "--alternatives", "0", "--gap", "0")


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    write_small_county(folder)
    return folder


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _call(county: Path, out: Path, *more: str) -> int:
    return cli.main(["propose", str(county / "study.toml"), "--out", str(out), *EFFORT, *more])


@pytest.fixture(scope="module")
def proposed(county: Path) -> Path:
    assert _call(county, county / "out", "--quiet") == 0
    return county / "out"


def test_every_plan_is_written_with_its_proof(proposed: Path) -> None:
    """180 pupils on 90 + 180 places: school 001 has a name that a spreadsheet would run."""
    names = {path.name for path in proposed.iterdir()}
    plans = sorted(name for name in names if name.startswith("plan_"))
    assert names == {*SITING_FILES, *plans} and plans
    document = json.loads((proposed / "answer.json").read_text(encoding="utf-8"))
    assert document["status"] == "plan" and [plan["scenario"] for plan in document["plans"]] == plans
    for plan in document["plans"]:
        proof = plan["certificate"]
        assert proof["bound"] <= proof["value"] * (1 + 1e-9) and 0 <= proof["gap_share"] <= 1
        assert proof["status"] == "optimal"
    front = _rows(proposed / "front.csv")
    assert (
        list(front[0]) == list(FRONT_COLUMNS) and [row["plan"] for row in front] == ["plan 1", "plan 2"][: len(front)]
    )
    schools = _rows(proposed / "schools.csv")
    assert list(schools[0]) == ["plan", *SCHOOL_COLUMNS]
    assert {row["name"] for row in schools} <= {"'=第一小学", "{{7*7}}小学"}
    periods = _rows(proposed / "periods.csv")
    assert list(periods[0]) == ["plan", *PERIOD_COLUMNS] and periods[0]["plan"] == "today"
    assert {float(row["pupils"]) for row in periods} == {180.0}
    enrolment = pd.read_parquet(proposed / "enrolment.parquet")
    assert list(enrolment.columns) == ["plan", *ENROLMENT_COLUMNS]
    assert enrolment.groupby("plan")["pupils"].sum().round(6).eq(180).all()
    header = (proposed / "decisions.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == ",".join(["plan", *DECISION_COLUMNS])


def test_every_plan_can_be_run(county: Path, proposed: Path, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(proposed.glob("plan_*.toml"))):
        assert read_scenario(path).parent is None
        out = tmp_path / str(number)
        arguments = ["run", str(county / "study.toml"), "--scenario", str(path), "--out", str(out), "--quiet"]
        assert cli.main(arguments) == 0
        assert len(_rows(out / "schools.csv")) >= 1


def test_what_is_printed(county: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(county, tmp_path, "--quiet") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Plan 1: ") and "Plan 1 in detail:" in printed.out and not printed.err
    assert _call(county, tmp_path, "--lang", "zh") == 0
    printed = capsys.readouterr()
    told = [line for line in printed.out.splitlines() if line and line != str(tmp_path)]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in line) for line in told)
    assert "100%" in printed.err
    assert _call(county, tmp_path, "--json", "--quiet") == 0
    assert json.loads(capsys.readouterr().out)["plans"]


def test_no_lawful_plan_is_told_with_its_cure(county: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(county, tmp_path, "--min-pupils", "500", "--quiet") == 2
    printed = capsys.readouterr()
    assert printed.err.strip() and not printed.out
    document = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert document["status"] == "no_plan" and document["conflicts"][0]["message"]
    assert {path.name for path in tmp_path.iterdir()} == {"answer.json", "options.toml"}


def test_old_plans_do_not_stay_beside_new_ones(county: Path, tmp_path: Path) -> None:
    (tmp_path / "plan_9.toml").write_text("", encoding="utf-8")
    assert _call(county, tmp_path, "--quiet") == 0
    assert not (tmp_path / "plan_9.toml").exists() and (tmp_path / "plan_1.toml").exists()


CHEAP = """may_close = []
may_expand = []
[weights]
travel_cny_per_pupil_hour = 1000
[costs]
building_cny_per_place = 100
running_cny_per_school_year = 0
running_cny_per_class_year = 0
[rules]
max_travel_min = 20
"""


def test_sites_that_were_looked_for_are_points_in_the_plans(county: Path, tmp_path: Path) -> None:
    """Half of village 00 has no place within 20 minutes: a school there, which the study file does not know."""
    (tmp_path / "cheap.toml").write_text(CHEAP, encoding="utf-8")
    out = tmp_path / "out"
    arguments = ("--options", str(tmp_path / "cheap.toml"), "--find-sites", "2", "--quiet", "--plans", "1")
    assert _call(county, out, *arguments) == 0
    found = _rows(out / "candidates.csv")
    assert found[0]["unit_id"] == "00" and (out / "site_checks.csv").exists()
    (opened,) = [row for row in _rows(out / "decisions.csv") if row["decision"] == "open"]
    assert opened["facility_id"] == found[0]["site_id"] and opened["kind"] == "site"
    text = (out / "plan_1.toml").read_text(encoding="utf-8")
    assert "site_id" not in text and "point = [" in text
    arguments = (
        "run",
        str(county / "study.toml"),
        "--scenario",
        str(out / "plan_1.toml"),
        "--out",
        str(tmp_path / "run"),
    )
    assert cli.main([*arguments, "--quiet"]) == 0
    assert len(_rows(tmp_path / "run" / "schools.csv")) == 3


def _ask(*arguments: str) -> argparse.Namespace:
    return build_parser().parse_args(["propose", "study.toml", "--out", "out", *arguments])


def test_what_stands_beside_a_file_holds_instead(tmp_path: Path) -> None:
    path = tmp_path / "options.toml"
    path.write_text('stage = "junior"\nyears = [2027]\n[rules]\nmin_pupils = 30\nmax_changes = 3\n', encoding="utf-8")
    found = build_siting(_ask("--options", str(path), "--max-changes", "5", "--years", "2030,2027", "--budget", "9e6"))
    assert (found.stage, found.years, found.rules.min_pupils) == ("junior", (2027, 2030), 30.0)
    assert (found.rules.max_changes, found.rules.total_budget_cny) == (5, 9e6)
    found = build_siting(_ask("--model", "p_median", "--count", "3", "--protect", "001, 002", "--time-limit", "inf"))
    assert (found.model, found.count, found.rules.protected) == ("p_median", 3, ("001", "002"))
    assert found.search.time_limit_s is None
    with pytest.raises(ScenarioError):
        build_siting(_ask("--model", "p_median"))
    with pytest.raises(ScenarioError):
        build_siting(_ask("--variant", "low"))


def test_budgets_are_read() -> None:
    assert read_budget("2027:3e7, 2030:1000") == {"budgets_cny": ((2027, 3e7), (2030, 1000.0))}
    assert read_budget("30000000") == {"total_budget_cny": 3e7}
    for wrong in ("", "much", "2027:1,5", "2027:", "2027.5:3"):
        with pytest.raises(ScenarioError, match="--budget"):
            read_budget(wrong)


def test_bad_input(county: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "options.toml"
    path.write_text('[rules]\nmin_pupil = 30\nprotect = ["001"]\n', encoding="utf-8")
    assert _call(county, tmp_path / "out", "--options", str(path), "--quiet") == 1
    told = capsys.readouterr().err
    assert "Did you mean 'min_pupils'?" in told and "Did you mean 'protected'?" in told
    assert _call(county, tmp_path / "out", "--years", "soon", "--quiet") == 1
    assert _call(county, tmp_path / "out", "--model", "p_center", "--quiet") == 1
    assert not (tmp_path / "out").exists()


def test_the_options_that_were_used_can_be_used_again(proposed: Path) -> None:
    found = read_siting_options(proposed / "options.toml")
    assert (found.search.front_plans, found.search.alternatives, found.search.time_limit_s) == (2, 0, 20.0)


def test_ctrl_c_stops_at_the_next_step(
    county: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    seen: list[Message] = []
    with stop_on_interrupt(lambda step, share: seen.append(step)) as progress:
        progress(msg("Done"), 0.5)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Cancelled):
            progress(msg("Done"), 0.6)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert len(seen) == 1 and signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def stop(*arguments: object, **more: object) -> None:
        raise Cancelled

    monkeypatch.setattr("terminal.propose.propose_sites", stop)
    assert _call(county, tmp_path / "out", "--quiet") == 130
    assert capsys.readouterr().err.strip() == "Stopped." and not (tmp_path / "out").exists()
