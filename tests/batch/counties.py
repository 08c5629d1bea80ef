"""Two small counties, one that cannot be read, and a file of jobs about them; and work that loses its worker."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from batch.tasks import Task
from batch.work import Result, carry_out
from tests.small_county import write_small_county

CLOSE = 'name = "close"\n[[action]]\nkind = "close"\nschool_id = "002"\n'
JOBS = """studies = ["counties/*/study.toml"]
[[task]]
kind = "run"
scenarios = ["near.toml", "close.toml", "senior.toml"]
[[task]]
kind = "judge"
studies = ["counties/a/study.toml"]
[[task]]
kind = "compare"
studies = ["counties/a/study.toml"]
scenarios = ["close.toml"]
"""
WAIT_S = 30.0


def write_counties(folder: Path, *, broken: bool = True) -> Path:
    """Write counties a and b (and c, whose files are not there), scenarios and jobs; return the file of jobs."""
    for name in ("a", "b"):
        (folder / "counties" / name).mkdir(parents=True)
        study = write_small_county(folder / "counties" / name)
        study.write_text(study.read_text(encoding="utf-8").replace("小县", f"{name}县"), encoding="utf-8")
    if broken:
        (folder / "counties" / "c").mkdir()
        text = 'name = "c县"\n[schools]\npath = "none.csv"\n[population]\npath = "none.geojson"\n'
        (folder / "counties" / "c" / "study.toml").write_text(text, encoding="utf-8")
    (folder / "near.toml").write_text('name = "=near"\n', encoding="utf-8")
    (folder / "close.toml").write_text(CLOSE, encoding="utf-8")
    (folder / "senior.toml").write_text('name = "senior"\nstages = ["senior"]\n', encoding="utf-8")
    (folder / "jobs.toml").write_text(JOBS, encoding="utf-8")
    return folder / "jobs.toml"


def carry_and_wait_once(task: Task) -> Result:
    """Carry out a task; that of county b waits the first time, its worker's number on paper, until it is killed.

    That of county c kills its own worker, every time.
    """
    note = Path(task.study).with_name("worker.txt")
    if task.study_label.startswith("counties/c"):
        os.kill(os.getpid(), signal.SIGKILL)
    if task.study_label.startswith("counties/b") and task.scenario == "close" and not note.exists():
        note.with_suffix(".part").write_text(str(os.getpid()), encoding="utf-8")
        note.with_suffix(".part").rename(note)
        time.sleep(WAIT_S)
    return carry_out(task)
