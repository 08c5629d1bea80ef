"""Long work: told, finished, failed, stopped, lost."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.ui import job_samples
from ui.jobs import Job, JobBoard, JobState


def wait(job: Job, seconds: float = 30.0) -> JobState:
    end = time.monotonic() + seconds
    while not job.state.finished and time.monotonic() < end:
        time.sleep(0.02)
    return job.state


def is_alive(process_id: int | None) -> bool:
    assert process_id is not None
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_done(tmp_path: Path) -> None:
    state = wait(Job(job_samples.write_file, {"path": str(tmp_path / "out")}))
    assert state.status == "done"
    assert state.share == 1.0
    assert (tmp_path / "out").read_text() == "done"


def test_issues_come_back_whole() -> None:
    state = wait(Job(job_samples.find_fault, {}))
    assert state.status == "failed"
    assert [issue.row for issue in state.issues] == [7]
    assert str(state.issues[0].problem) == "Row 7 is wrong."


def test_own_error_in_words() -> None:
    state = wait(Job(job_samples.lose_roads, {}))
    assert str(state.problem) == "no roads here"


def test_unexpected_error_tells_no_details() -> None:
    state = wait(Job(job_samples.crash, {}))
    assert state.status == "failed"
    assert "secret" not in str(state.problem)


def test_death_is_noticed() -> None:
    state = wait(Job(job_samples.die, {}))
    assert state.status == "failed"
    assert "code 9" in str(state.problem)


def test_much_talk_does_not_block() -> None:
    assert wait(Job(job_samples.talk_much, {})).status == "done"


@pytest.mark.parametrize("work", [job_samples.work_long, job_samples.work_deaf])
def test_cancel_within_a_second(work: object) -> None:
    job = Job(work, {})  # type: ignore[arg-type]
    end = time.monotonic() + 30
    while job.state.share == 0.0 and time.monotonic() < end:
        time.sleep(0.02)
    begun = time.monotonic()
    job.cancel()
    assert job.state.status == "cancelled"
    while is_alive(job.worker_id) and time.monotonic() < begun + 5:
        time.sleep(0.02)
    assert time.monotonic() - begun < 1.5  # a second on an idle machine


def test_board_shares_one_job(tmp_path: Path) -> None:
    board = JobBoard()
    board.start("a", job_samples.work_long, {})
    board.start("a", job_samples.work_long, {})
    assert board.look("a") is not None
    board.forget("a")
    assert board.look("a") is not None, "a running job is not forgotten"
    board.cancel("a")
    board.forget("a")
    assert board.look("a") is None
    assert board.look("b") is None
    board.cancel("b")
