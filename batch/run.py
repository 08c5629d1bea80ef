"""Run a batch: what is finished is kept, what fails is tabulated, the rest goes on."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from batch.parts import Parts, write_tables
from batch.tasks import Task
from batch.work import Result, Status, carry_out
from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg

Spread = Callable[[Sequence[Task]], Iterator[tuple[Task, Result]]]
"""Carries tasks out and yields them as they end, in any order."""
Tell = Callable[[Message, float], None]
"""Told every task that ends, and the share of all that is done."""


@dataclass(frozen=True)
class Summary:
    """What became of a batch.

    Parameters
    ----------
    counts
        Tasks by status.
    blamed
        Failures by who is to blame (``batch.work.Blame``).
    kept
        Tasks whose result is that of an earlier run.
    stopped
        The user stopped it.
    paths
        Files written.
    """

    counts: dict[Status, int]
    blamed: dict[str, int]
    kept: int
    stopped: bool
    paths: tuple[Path, ...]


def spread_serially(tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
    """Carry tasks out one after the other, in this process."""
    for task in tasks:
        yield task, carry_out(task)


def run_batch(
    tasks: Sequence[Task], folder: str | Path, *, spread: Spread = spread_serially, resume: bool = False, tell: Tell
) -> Summary:
    """Carry out all tasks and write their tables into ``folder``.

    Parameters
    ----------
    tasks
        As ``batch.tasks.list_tasks`` gives them.
    spread
        In this process by default; ``batch.cluster.spread_tasks`` over others.
    resume
        Results that the folder holds already are taken as they are, found by their key.
    tell
        Told every task that ends.

    Raises
    ------
    DataError
        The folder holds results of an earlier run, and ``resume`` is not asked for.
    ExportError
        The folder cannot be written to.

    Returns
    -------
    Summary
        Also after Ctrl-C: the tables then hold what was finished.
    """
    folder = Path(folder)
    parts = Parts(folder)
    there = parts.list_keys()
    if there and not resume:
        problem = msg("The folder holds results of an earlier batch.")
        cure = msg("Continue it with --resume, or name another folder.")
        raise DataError(DataIssue("batch_folder", "error", problem, file=folder.name, cure=cure))
    parts.tidy()
    results: dict[int, Result] = {}
    kept = 0
    for task in tasks:
        if task.trouble:
            results[task.number] = Result("failed", "input", task.trouble)
        elif task.key in there and (found := parts.load(task.key)) is not None:
            results[task.number] = _mark(found, kept=True)
            kept += 1
    waiting = [task for task in tasks if task.number not in results]
    stopped = _carry_on(waiting, results, parts, spread, _count(tell, len(tasks), len(tasks) - len(waiting)))
    for task in waiting:
        results.setdefault(task.number, Result("cancelled"))
    paths = write_tables(parts, tasks, results, folder)
    counts = Counter(result.status for result in results.values())
    blamed = Counter(str(result.blame) for result in results.values() if result.blame)
    return Summary(dict(counts), dict(blamed), kept, stopped, tuple(paths))


def _carry_on(
    waiting: Sequence[Task],
    results: dict[int, Result],
    parts: Parts,
    spread: Spread,
    tell: Callable[[Task, Result], None],
) -> bool:
    """Carry out what is waiting, keep each result at once; return whether the user stopped it."""
    if not waiting:
        return False
    ended = spread(waiting)
    try:
        for task, result in ended:
            if result.status in ("done", "no plan"):
                result = parts.keep(task.key, result)
            results[task.number] = _mark(result, kept=False)
            tell(task, result)
    except KeyboardInterrupt:
        return True
    finally:
        with contextlib.suppress(AttributeError):
            ended.close()  # type: ignore[attr-defined]  # a generator: its cluster is closed now, not some time later
    return False


def _mark(result: Result, *, kept: bool) -> Result:
    times: Iterable[tuple[str, float]] = {**result.times, "kept": kept}.items()
    return Result(result.status, result.blame, result.words, {}, result.facts, dict(times))


def _count(tell: Tell, total: int, begun: int) -> Callable[[Task, Result], None]:
    """Return what tells one task after another, counting from those that need not be run."""
    done = begun

    def told(task: Task, result: Result) -> None:
        nonlocal done
        done += 1
        words = {
            "task": " · ".join(part for part in (task.study_label, task.scenario, task.options_label) if part),
            "seconds": result.times.get("seconds", 0.0),
        }
        template = _ENDED[result.status]
        tell(Message(template.template, tuple(words.items())), done / total)

    return told


_ENDED: dict[Status, Message] = {
    "done": msg("{task}: done, {seconds:.1f} s"),
    "no plan": msg("{task}: no lawful plan, {seconds:.1f} s"),
    "failed": msg("{task}: failed"),
    "cancelled": msg("{task}: stopped"),
}
