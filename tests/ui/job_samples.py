"""Work for the tests of jobs; in a module of its own, so that a new process finds it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from geodata.errors import DataError, DataIssue, NetworkError
from geodata.messages import msg
from geodata.study import Progress


def write_file(*, path: str, progress: Progress) -> None:
    progress(msg("Writing {name}", name="it"), 0.5)
    Path(path).write_text("done", encoding="utf-8")


def work_long(*, progress: Progress) -> None:
    for turn in range(600):
        progress(msg("Counting"), turn / 600)
        time.sleep(0.05)


def work_deaf(*, progress: Progress) -> None:
    progress(msg("Not listening"), 0.1)
    time.sleep(60)


def find_fault(*, progress: Progress) -> None:
    raise DataError(DataIssue("sample", "error", msg("Row {row} is wrong.", row=7), file="a.csv", row=7, column="经度"))


def lose_roads(*, progress: Progress) -> None:
    raise NetworkError("no roads here")


def crash(*, progress: Progress) -> None:
    raise RuntimeError("/secret/path")


def die(*, progress: Progress) -> None:
    os._exit(9)


def talk_much(*, progress: Progress) -> None:
    for turn in range(200_000):
        progress(msg("Talking"), turn / 200_000)
