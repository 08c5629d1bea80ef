"""The command ``batch``: many scenarios and many counties, in this process or over a cluster.

The package ``batch`` is loaded when the command runs, and Dask only when a cluster is asked for: no other command pays
for them.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from typing import TYPE_CHECKING

from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg
from reports.check_words import quote_signs
from reports.language import Translator
from terminal.study import EXIT_BAD_INPUT, EXIT_DONE, EXIT_NO_PLAN, EXIT_SOLVER, EXIT_STOPPED

if TYPE_CHECKING:
    from batch.run import Spread, Summary


def batch(options: argparse.Namespace, say: Translator) -> int:
    """Carry out every task of a file of jobs and write their tables."""
    _check(options)
    from batch.jobs import read_jobs
    from batch.run import run_batch
    from batch.tasks import list_tasks

    tasks = list_tasks(read_jobs(options.jobs), language=options.lang)

    def tell(step: Message, share: float) -> None:
        if not options.quiet:
            print(f"{share:4.0%} {quote_signs(say.say(step))}", file=sys.stderr, flush=True)

    summary = run_batch(tasks, options.out, spread=_choose_spread(options), resume=options.resume, tell=tell)
    _print(summary, options, say)
    return _choose_code(summary)


def _check(options: argparse.Namespace) -> None:
    """Refuse options of which one would be ignored."""
    here = [name for name in ("workers", "memory_limit") if getattr(options, name) is not None]
    if options.serial and (here or options.scheduler):
        _refuse(msg("--serial uses no workers: leave out the one or the others."), options)
    if options.scheduler and here:
        _refuse(msg("--scheduler has workers of its own: leave out --workers and --memory-limit."), options)
    if options.workers is not None and options.workers < 1:
        _refuse(msg("--workers: at least one."), options)


def _refuse(problem: Message, options: argparse.Namespace) -> None:
    raise DataError(DataIssue("arguments", "error", problem, file=options.jobs.name))


def _choose_spread(options: argparse.Namespace) -> Spread:
    if options.serial:
        from batch.run import spread_serially

        return spread_serially
    from batch.cluster import spread_tasks

    return partial(
        spread_tasks,
        scheduler=options.scheduler or "",
        workers=options.workers,
        memory_limit=options.memory_limit or "auto",
    )


def _print(summary: Summary, options: argparse.Namespace, say: Translator) -> None:
    counts = {name: summary.counts.get(name, 0) for name in ("done", "no plan", "failed", "cancelled")}
    if options.json:
        document = {
            "tasks": sum(counts.values()),
            **{name.replace(" ", "_"): count for name, count in counts.items()},
            "kept": summary.kept,
            "stopped": summary.stopped,
            "blamed": summary.blamed,
            "files": [path.name for path in summary.paths],
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return
    words = {name.replace(" ", "_"): say.number(count) for name, count in counts.items()}
    line = say(
        "{done} tasks done, {no_plan} without a lawful plan, {failed} failed, {cancelled} not run; see tasks.csv.",
        **words,
    )
    print(line)
    if summary.kept:
        print(say("{kept} of them were finished before.", kept=say.number(summary.kept)))
    if not options.quiet:
        print(options.out)


def _choose_code(summary: Summary) -> int:
    """Return the exit code: stopped, then what is broken, then bad input, then no lawful plan."""
    if summary.stopped:
        return EXIT_STOPPED
    if summary.blamed.keys() - {"input"}:
        return EXIT_SOLVER
    if summary.blamed:
        return EXIT_BAD_INPUT
    return EXIT_NO_PLAN if summary.counts.get("no plan") else EXIT_DONE
