"""A batch in one process: what fails is tabulated, what is done is kept, and the tables are those of every task."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import cli
from batch.jobs import read_jobs
from batch.parts import TASK_COLUMNS, TIME_COLUMNS, Parts
from batch.run import run_batch, spread_serially
from batch.tables import HEAD, TABLES
from batch.tasks import Task, list_tasks
from batch.work import Result, carry_out
from geodata.errors import DataError
from geodata.messages import Message
from planning.scenario_file import parse_scenario
from tests.batch.counties import write_counties


def _quiet(step: Message, share: float) -> None:
    assert 0 < share <= 1 and str(step)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whole batch, made once."""
    folder = tmp_path_factory.mktemp("batch")
    tasks = list_tasks(read_jobs(write_counties(folder)))
    summary = run_batch(tasks, folder / "out", tell=_quiet)
    assert summary.counts == {"done": 6, "no plan": 2, "failed": 3} and summary.blamed == {"input": 3}
    return folder


@pytest.fixture()
def again(done: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    shutil.copytree(done, tmp_path / "copy")
    return tmp_path / "copy"


def _tasks(folder: Path) -> list[Task]:
    return list_tasks(read_jobs(folder / "jobs.toml"))


def test_every_task_is_in_the_table_with_its_end(done: Path) -> None:
    tasks = pd.read_parquet(done / "out" / "tasks.parquet")
    assert list(tasks.columns) == list(TASK_COLUMNS)
    assert list(tasks["status"]) == ["done", "done", "no plan"] * 2 + ["failed"] * 3 + ["done", "done"]
    assert list(tasks["study_name"])[:4] == ["a县", "a县", "a县", "b县"]
    failed = tasks[tasks["status"] == "failed"]
    assert failed["words"].str.contains("none.csv").all() and set(failed["blame"]) == {"input"}
    assert "senior school" in tasks["words"].iloc[2]
    ran = tasks[tasks["status"] != "failed"]
    assert (ran["seconds"] > 0).all() and (ran["peak_memory_mb"] > 50).all() and not tasks["kept"].any()
    assert json.loads(ran["versions"].iloc[0])["results"] >= 1 and (ran["study_fingerprint"].str.len() > 9).all()
    with (done / "out" / "tasks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["scenario"] for row in rows][:2] == ["'=near", "close"]


def test_one_row_group_for_every_task(done: Path) -> None:
    """School 001 has 120 pupils; closing 002 sends all 180 there."""
    file = pq.ParquetFile(done / "out" / "schools.parquet")
    assert file.metadata.num_row_groups == 4  # nobody teaches the senior stage
    table = file.read().to_pandas()
    assert list(table.columns) == [*HEAD, *TABLES["schools"]]
    closed = table[(table["task"] == 2) & (table["school_id"] == "001")]
    assert list(closed["modelled_pupils"]) == [180.0] and set(closed["study"]) == {"counties/a/study.toml"}
    names = {path.stem for path in (done / "out").glob("*.parquet")}
    assert names == {
        *("tasks", "indicators", "schools", "flags", "changes", "enrolment", "conflicts"),
        *("checks", "comparison", "totals"),
    }
    compared = pd.read_parquet(done / "out" / "comparison.parquet")
    (schools,) = compared[compared["indicator"] == "schools"].itertuples()
    assert (schools.baseline, schools.value, schools.difference) == (2.0, 1.0, -1.0)


def test_the_same_numbers_as_a_run_of_its_own(done: Path, tmp_path: Path) -> None:
    study, scenario = done / "counties" / "a" / "study.toml", done / "close.toml"
    arguments = ["run", str(study), "--scenario", str(scenario), "--out", str(tmp_path), "--quiet"]
    assert cli.main(arguments) == 0
    alone = pd.read_csv(tmp_path / "indicators.csv", encoding="utf-8-sig").set_index(["name", "stage", "area"])["value"]
    table = pd.read_parquet(done / "out" / "indicators.parquet")
    rows = table[table["task"] == 2]
    ours = rows.assign(area=rows["area"].where(rows["area_kind"] != "county", "county"))
    ours = ours.set_index(["indicator", "stage", "area"])["value"]
    assert len(ours) == len(alone) > 10
    assert (ours.to_numpy() - alone.to_numpy() < 1e-6)[alone.notna().to_numpy()].all()


def test_what_is_finished_is_not_run_again(again: Path) -> None:
    with pytest.raises(DataError, match="--resume"):
        run_batch(_tasks(again), again / "out", tell=_quiet)
    asked: list[int] = []

    def spread(tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
        asked.extend(task.number for task in tasks)
        return spread_serially(tasks)

    tasks = _tasks(again)
    before = {path.name: path.read_bytes() for path in (again / "out").glob("*.parquet")}
    damaged, lost = tasks[0].key, tasks[4].key
    (again / "out" / "parts" / damaged / "schools.parquet").write_bytes(b"PAR1 half")
    shutil.rmtree(again / "out" / "parts" / lost)
    (again / "out" / "parts" / ".unfinished-x").mkdir()
    summary = run_batch(tasks, again / "out", spread=spread, resume=True, tell=_quiet)
    assert asked == [1, 5, 7, 8, 9] and summary.kept == 6  # what failed is tried again
    assert not (again / "out" / "parts" / ".unfinished-x").exists()
    for name, content in before.items():
        if name != "tasks.parquet":
            assert (again / "out" / name).read_bytes() == content, name
    kept = pd.read_parquet(again / "out" / "tasks.parquet")["kept"]
    assert list(kept.fillna(False)) == [number in (2, 3, 4, 6, 10, 11) for number in range(1, 12)]


def test_a_batch_that_is_stopped_keeps_what_it_has(done: Path, tmp_path: Path) -> None:
    closed: list[bool] = []

    def stop_after_two(tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
        try:
            for task in tasks[:2]:
                yield task, carry_out(task)
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    tasks = _tasks(done)
    summary = run_batch(tasks, tmp_path / "out", spread=stop_after_two, tell=_quiet)
    assert summary.stopped and closed == [True]
    assert summary.counts == {"done": 2, "cancelled": 9}
    summary = run_batch(tasks, tmp_path / "out", resume=True, tell=_quiet)
    assert summary.kept == 2 and summary.counts == {"done": 6, "no plan": 2, "failed": 3}
    for path in (done / "out").glob("*.parquet"):
        ours, theirs = pd.read_parquet(tmp_path / "out" / path.name), pd.read_parquet(path)
        drop = list(TIME_COLUMNS) if path.stem == "tasks" else []
        pd.testing.assert_frame_equal(ours.drop(columns=drop), theirs.drop(columns=drop))


def test_proposals_of_a_batch(tmp_path: Path) -> None:
    """180 pupils on 270 places; 500 pupils a school are impossible. The plans can be run as they are."""
    write_counties(tmp_path, broken=False)
    effort = "[search]\ntime_limit_s = 60\ngap_share = 0\nfront_plans = 1\nalternatives = 0\n"
    (tmp_path / "possible.toml").write_text(effort, encoding="utf-8")
    (tmp_path / "impossible.toml").write_text(effort + "[rules]\nmin_pupils = 500\n", encoding="utf-8")
    text = 'studies = ["counties/a/study.toml"]\n[[task]]\nkind = "propose"\noptions = ["*possible.toml"]\n'
    (tmp_path / "jobs.toml").write_text(text, encoding="utf-8")
    tasks = _tasks(tmp_path)
    assert [task.options_label for task in tasks] == ["impossible", "possible"]
    summary = run_batch(tasks, tmp_path / "out", tell=_quiet)
    assert summary.counts == {"no plan": 1, "done": 1}
    table = pd.read_parquet(tmp_path / "out" / "tasks.parquet")
    assert list(table["plans"]) == [0, 1] and table["words"].iloc[0] and table["stopped"].iloc[1] == "proven"
    (plan,) = pd.read_parquet(tmp_path / "out" / "plans.parquet").itertuples()
    assert plan.status == "optimal" and plan.bound <= plan.value * (1 + 1e-9)
    assert parse_scenario(plan.scenario_toml).stages == ("primary",)
    periods = pd.read_parquet(tmp_path / "out" / "periods.parquet")
    assert list(periods["plan"]) == ["today", "today, other zones", "plan 1"]
    assert list(periods["pupils"]) == [180.0] * 3
    assert pd.read_parquet(tmp_path / "out" / "plan_enrolment.parquet")["pupils"].sum() == pytest.approx(180)
    conflicts = pd.read_parquet(tmp_path / "out" / "conflicts.parquet")
    assert set(conflicts["task"]) == {1} and conflicts["message"].str.len().min() > 0


def test_surprises_are_tabulated(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(task: Task) -> None:
        raise ZeroDivisionError("a case that nobody thought of")

    monkeypatch.setattr("batch.work.answer_task", fall)
    result = carry_out(_tasks(done)[0])
    assert (result.status, result.blame) == ("failed", "program")
    assert result.words == ("ZeroDivisionError: a case that nobody thought of",)


def test_half_a_part_is_never_there(done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between two files leaves a folder that nobody takes for a result."""
    parts, key = Parts(tmp_path), "0" * 20
    tasks = _tasks(done)
    result = carry_out(tasks[0])

    def die(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", die)
    with pytest.raises(KeyboardInterrupt):
        parts.keep(key, result)
    monkeypatch.undo()
    assert parts.list_keys() == set() and parts.load(key) is None
    parts.tidy()
    assert list(parts.folder.iterdir()) == []
    assert parts.keep(key, result).tables == {} and parts.list_keys() == {key}
    found = parts.load(key)
    assert found is not None and found.facts == result.facts and found.times == result.times
    with pytest.raises(ValueError, match="not a key"):
        parts.load("../" + key)


def test_the_command(done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs, out = str(done / "jobs.toml"), str(tmp_path / "out")
    shutil.copytree(done / "out" / "parts", tmp_path / "out" / "parts")
    assert cli.main(["batch", jobs, "--out", out, "--serial", "--resume"]) == 1
    printed = capsys.readouterr()
    assert "6 tasks done, 2 without a lawful plan, 3 failed, 0 not run" in printed.out
    assert "8 of them were finished before." in printed.out
    assert cli.main(["batch", jobs, "--out", out, "--serial"]) == 1
    assert "--resume" in capsys.readouterr().err
    assert cli.main(["batch", jobs, "--out", out, "--serial", "--workers", "2"]) == 1
    assert cli.main(["batch", jobs, "--out", out, "--scheduler", "tcp://127.0.0.1:1", "--memory-limit", "1GB"]) == 1
    assert cli.main(["batch", jobs, "--out", out, "--workers", "0"]) == 1
    shutil.rmtree(done / "counties" / "c")
    assert cli.main(["batch", jobs, "--out", out, "--serial", "--resume", "--json", "--lang", "en", "--quiet"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["tasks"], found["done"], found["no_plan"], found["failed"]) == (8, 6, 2, 0)
