"""Results of single tasks on disk, each complete or not there at all; and the tables of a whole batch made of them.

A part is a folder named after the key of its task: one Parquet file per table, and ``result.json`` with everything else
and the digests of the files. It is written beside its place and moved there in one step, so that a kill at any moment
leaves no half of one. What does not fit its digests is run again. A key that two tasks share is one part.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from batch.tables import HEAD, TABLES, build_schema
from batch.tasks import Task
from batch.work import Result
from geodata.errors import ExportError
from reports.tables import render_csv

PARTS = "parts"
RECORD = "result.json"
KEY = re.compile(r"[0-9a-f]{20}")
TASK_COLUMNS: Mapping[str, pa.DataType] = {
    "task": pa.int64(),
    "kind": pa.string(),
    "study": pa.string(),
    "study_name": pa.string(),
    "scenario": pa.string(),
    "options": pa.string(),
    "rulebook": pa.string(),
    "status": pa.string(),
    "blame": pa.string(),
    "words": pa.string(),
    "plans": pa.int64(),
    "gap_share": pa.float64(),
    "stopped": pa.string(),
    "study_fingerprint": pa.string(),
    "rulebook_fingerprint": pa.string(),
    "versions": pa.string(),
    "key": pa.string(),
    "seconds": pa.float64(),
    "cpu_seconds": pa.float64(),
    "peak_memory_mb": pa.float64(),
    "kept": pa.bool_(),
}
"""Columns of ``tasks.parquet`` and ``tasks.csv``. ``kept``: the result is that of an earlier run."""
TIME_COLUMNS = ("seconds", "cpu_seconds", "peak_memory_mb", "kept")
"""Columns of the tasks that differ from run to run; nothing else does."""


class Parts:
    """The finished tasks of a batch in its folder.

    Parameters
    ----------
    folder
        Of the whole batch; made when something is first kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / PARTS

    def list_keys(self) -> set[str]:
        """Return the keys of what is there; whether it is whole is seen when it is loaded."""
        with contextlib.suppress(OSError):
            return {path.name for path in self.folder.iterdir() if KEY.fullmatch(path.name)}
        return set()

    def load(self, key: str) -> Result | None:
        """Return a finished task without its tables; None where there is none, or it is damaged."""
        folder = self._place(key)
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            for name, digest in record["files"].items():
                if name not in TABLES or _digest((folder / f"{name}.parquet").read_bytes()) != digest:
                    return None
            facts, times = dict(record["facts"]), dict(record["times"])
            return Result(record["status"], "", tuple(record["words"]), {}, facts, times)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # written by another version, or damaged

    def keep(self, key: str, result: Result) -> Result:
        """Write a finished task in one step; return it without its tables.

        Raises
        ------
        ExportError
            The folder cannot be written to.
        """
        place = self._place(key)
        record = {
            **{name: getattr(result, name) for name in ("status", "words", "facts", "times")},
            "files": {name: _digest(content) for name, content in sorted(result.tables.items())},
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = Path(mkdtemp(prefix=".unfinished-", dir=self.folder))
            for name, content in result.tables.items():
                (unfinished / f"{name}.parquet").write_bytes(content)
            text = json.dumps(record, ensure_ascii=False, allow_nan=True)
            (unfinished / RECORD).write_text(text, encoding="utf-8")
            if place.exists():  # damaged, or that of a task with the same key: equal then
                shutil.rmtree(place)
            unfinished.chmod(0o755)
            unfinished.rename(place)
        except OSError as error:
            raise ExportError(f"{self.folder} cannot be written: {error.strerror}") from error
        return dataclasses.replace(result, tables={})

    def read_table(self, key: str, name: str) -> pa.Table | None:
        """Return one table of a finished task; None where it has none."""
        path = self._place(key) / f"{name}.parquet"
        return pq.read_table(io.BytesIO(path.read_bytes())) if path.exists() else None

    def tidy(self) -> None:
        """Delete what a killed run left half written."""
        for path in self.folder.glob(".unfinished-*"):
            shutil.rmtree(path, ignore_errors=True)

    def _place(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"not a key: {key!r}")
        return self.folder / key


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_tables(parts: Parts, tasks: Sequence[Task], results: Mapping[int, Result], folder: Path) -> list[Path]:
    """Write every table of the batch, one row group per task in the order of the tasks, and the tables of tasks.

    A table that no task fills is not written; one of an earlier run is then removed.

    Parameters
    ----------
    results
        By the number of the task.

    Raises
    ------
    ExportError
        The folder cannot be written to.
    """
    finished = [task for task in tasks if results[task.number].status in ("done", "no plan")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [path for name in TABLES if (path := _write_one(parts, finished, name, folder)) is not None]
        return [*paths, *_write_tasks(tasks, results, folder)]
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error


def _write_one(parts: Parts, tasks: Iterable[Task], name: str, folder: Path) -> Path | None:
    schema, path = build_schema(name), folder / f"{name}.parquet"
    unfinished = folder / f".{name}.parquet.unfinished"
    writer: pq.ParquetWriter | None = None
    try:
        for task in tasks:
            rows = parts.read_table(task.key, name)
            if rows is None:
                continue
            writer = writer or pq.ParquetWriter(unfinished, schema, compression="zstd")
            writer.write_table(_add_head(rows, task, schema), row_group_size=max(rows.num_rows, 1))
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        path.unlink(missing_ok=True)
        return None
    unfinished.replace(path)
    return path


def _add_head(rows: pa.Table, task: Task, schema: pa.Schema) -> pa.Table:
    head = {"task": task.number, "study": task.study_label, "scenario": task.scenario, "options": task.options_label}
    arrays = [pa.array([head[name]] * rows.num_rows, type=schema.field(name).type) for name in HEAD]
    return pa.Table.from_arrays([*arrays, *rows.columns], schema=schema)


def _write_tasks(tasks: Iterable[Task], results: Mapping[int, Result], folder: Path) -> list[Path]:
    schema = pa.schema(list(TASK_COLUMNS.items()))
    table = pa.Table.from_pylist([describe_task(task, results[task.number]) for task in tasks], schema=schema)
    paths = [folder / "tasks.parquet", folder / "tasks.csv"]
    unfinished = [path.with_name(f".{path.name}.unfinished") for path in paths]
    pq.write_table(table, unfinished[0], compression="zstd")
    unfinished[1].write_bytes(render_csv(table.to_pandas()))
    for temporary, path in zip(unfinished, paths, strict=True):
        temporary.replace(path)
    return paths


def describe_task(task: Task, result: Result) -> dict[str, Any]:
    """Return one row of ``TASK_COLUMNS``."""
    row = {
        "task": task.number,
        "kind": task.kind,
        "study": task.study_label,
        "scenario": task.scenario,
        "options": task.options_label,
        "rulebook": Path(task.rulebook).name,
        "status": result.status,
        "blame": result.blame,
        "words": "\n".join(result.words),
        "key": task.key,
        **result.facts,
        **result.times,
    }
    return {name: row.get(name) for name in TASK_COLUMNS}
