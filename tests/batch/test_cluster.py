"""A real cluster of this machine: the same bytes as in one process, and a killed worker costs time only."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from distributed import Client, LocalCluster

import cli
from batch import cluster
from batch.cluster import ClusterError, spread_tasks, take_turns
from batch.jobs import read_jobs
from batch.parts import TIME_COLUMNS
from batch.run import run_batch
from batch.tasks import list_tasks
from geodata.messages import Message
from tests.batch.counties import carry_and_wait_once, write_counties

pytestmark = pytest.mark.timeout(400)


def _quiet(step: Message, share: float) -> None:
    pass


def _kill_who_waits(note: Path) -> int:
    """Kill the worker that has put its number on paper; return the number (0: nobody did in time)."""
    for _ in range(2000):
        if note.exists():
            number = int(note.read_text(encoding="utf-8"))
            os.kill(number, signal.SIGKILL)
            return number
        time.sleep(0.1)
    return 0


def test_killed_workers_lose_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One task waits until its worker is killed; another kills every worker that takes it, and is given up."""
    jobs = write_counties(tmp_path)
    text = 'studies = ["counties/*/study.toml"]\n[[task]]\nscenarios = ["close.toml"]\n'
    jobs.write_text(text, encoding="utf-8")
    monkeypatch.setattr(cluster, "LOSSES", 1)  # one worker fewer to start
    monkeypatch.setattr(cluster, "SETTINGS", {**cluster.SETTINGS, "distributed.scheduler.allowed-failures": 1})
    tasks = list_tasks(read_jobs(jobs))
    killed: list[int] = []
    note = tmp_path / "counties" / "b" / "worker.txt"
    killer = threading.Thread(target=lambda: killed.append(_kill_who_waits(note)))
    killer.start()
    summary = run_batch(
        tasks,
        tmp_path / "cluster",
        spread=lambda asked: spread_tasks(asked, workers=2, carry=carry_and_wait_once),
        tell=_quiet,
    )
    killer.join()
    assert killed and killed[0] > 0
    assert summary.counts == {"done": 2, "failed": 1} and summary.blamed == {"worker": 1}
    table = pd.read_parquet(tmp_path / "cluster" / "tasks.parquet")
    assert list(table["status"]) == ["done", "done", "failed"]
    assert "The worker was lost 2 times" in table["words"].iloc[2]
    assert not list((tmp_path / "cluster" / "parts").glob(".unfinished-*"))

    run_batch(tasks[:2], tmp_path / "serial", tell=_quiet)
    compared = sorted(path.name for path in (tmp_path / "serial").glob("*.parquet"))
    assert len(compared) == 6
    for name in compared:
        if name != "tasks.parquet":
            assert (tmp_path / "cluster" / name).read_bytes() == (tmp_path / "serial" / name).read_bytes(), name
    ours, theirs = (pd.read_parquet(tmp_path / name / "tasks.parquet") for name in ("cluster", "serial"))
    drop = list(TIME_COLUMNS)
    pd.testing.assert_frame_equal(ours.drop(columns=drop)[:2], theirs.drop(columns=drop), check_dtype=False)


def test_counties_take_turns(tmp_path: Path) -> None:
    tasks = list_tasks(read_jobs(write_counties(tmp_path)))
    assert [task.number for task in take_turns(tasks)] == [1, 4, 7, 2, 5, 8, 3, 6, 9, 10, 11]


def test_a_scheduler_that_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = write_counties(tmp_path, broken=False)
    jobs.write_text('[[task]]\nstudies = ["counties/a/study.toml"]\nscenarios = ["near.toml"]\n', encoding="utf-8")
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "host": "127.0.0.1"}
    options["protocol"] = "tcp"
    with LocalCluster(dashboard_address="127.0.0.1:0", **options) as there, Client(there):
        address = there.scheduler_address
        out = tmp_path / "out"
        assert cli.main(["batch", str(jobs), "--out", str(out), "--scheduler", address, "--quiet"]) == 0
    assert "1 tasks done" in capsys.readouterr().out
    assert (out / "indicators.parquet").exists()


def test_a_scheduler_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = write_counties(tmp_path, broken=False)
    monkeypatch.setattr("batch.cluster.CONNECT_S", 0.5)
    monkeypatch.setattr("batch.cluster.SETTINGS", {"distributed.comm.timeouts.connect": 0.5})
    with pytest.raises(ClusterError, match="cannot be used"):
        list(spread_tasks(list_tasks(read_jobs(jobs))[:1], scheduler="tcp://127.0.0.1:9"))
    arguments = ["batch", str(jobs), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:9", "--quiet"]
    assert cli.main(arguments) == 3
