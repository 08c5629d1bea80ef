"""What one worker does with one task: answer it, and hand back its tables as bytes; nothing is written here.

This module is what runs on other machines. It does not know Dask, and it never raises: one county that fails must not
end the others.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from batch.answers import Answer, answer_task
from batch.memory import read_peak_mb, reset_peak
from batch.tables import write_table
from batch.tasks import TABLES_VERSION, Task
from geodata.errors import DataError, ExportError, LayoutError, SolverError, tell_error
from planning.run import RESULTS_VERSION, read_versions
from reports.check_words import list_issue_lines
from reports.language import read_catalogue

Status = Literal["done", "no plan", "failed", "cancelled"]
Blame = Literal["", "input", "solver", "program", "worker"]
"""Who is to blame for a failure: files and settings, the solver, the program itself, or a worker that was lost."""


@dataclass(frozen=True)
class Result:
    """What became of one task.

    Parameters
    ----------
    status
        ``"done"``; ``"no plan"``: no lawful plan, and ``words`` say why; ``"failed"``; ``"cancelled"``: never ended.
    blame
        Of a failure.
    words
        What stands against a plan, or what went wrong, in the language of the task.
    tables
        Parquet by name of the table (``batch.tables``), without the columns of the task.
    facts
        See ``batch.answers.Answer``; and ``versions``.
    times
        What differs from run to run: ``seconds``, ``cpu_seconds``, ``peak_memory_mb``.
    """

    status: Status
    blame: Blame = ""
    words: tuple[str, ...] = ()
    tables: Mapping[str, bytes] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)


def carry_out(task: Task) -> Result:
    """Answer one task; whatever goes wrong is in the result."""
    begun, cpu = time.perf_counter(), time.process_time()
    reset_peak()
    result = _try(task)
    times = {
        "seconds": time.perf_counter() - begun,
        "cpu_seconds": time.process_time() - cpu,
        "peak_memory_mb": read_peak_mb(),
    }
    return Result(result.status, result.blame, result.words, result.tables, result.facts, times)


def _try(task: Task) -> Result:
    say = read_catalogue(task.language)
    try:
        return _pack(answer_task(task), task)
    except DataError as error:
        return Result("failed", "input", tuple(list_issue_lines(error.issues, say)))
    except SolverError as error:
        return Result("failed", "solver", (say.say(tell_error(error)),))
    except ExportError as error:
        return Result("failed", "program", (say.say(tell_error(error)),))
    except LayoutError as error:
        return Result("failed", "input", (say.say(tell_error(error)),))
    except Exception as error:  # a door: one county's surprise must not end the batch; it is told in the table
        return Result("failed", "program", (f"{type(error).__name__}: {error}",))


def _pack(answer: Answer, task: Task) -> Result:
    say = read_catalogue(task.language)
    tables = {name: write_table(name, table, say) for name, table in answer.tables.items() if len(table)}
    facts = {name: _plain(value) for name, value in answer.facts.items()}
    facts |= {"versions": describe_versions()}
    words = tuple(say.say(message) for message in dict.fromkeys(answer.words))
    return Result("done" if answer.lawful else "no plan", words=words, tables=tables, facts=facts)


def describe_versions() -> str:
    """Return the versions that numbers depend on, as one line of JSON."""
    versions = {"results": RESULTS_VERSION, "tables": TABLES_VERSION, **read_versions()}
    return json.dumps(versions, sort_keys=True)


def _plain(value: object) -> Any:
    """Return a number or text that JSON can hold; unknown is None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
