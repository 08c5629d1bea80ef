"""Tasks over processes or machines with Dask: the only module of the program that knows it.

A local cluster listens on this machine only, without a dashboard; its processes talk through TLS with certificates that
are made for this run and kept in memory, because whoever reaches a Dask port can run code. A scheduler that is there
already is used as it is: what protects it is its owner's business.

A worker that is lost takes no result with it: its task is given to another one, ``LOSSES`` times at most.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import Any

import dask
from distributed import Client, LocalCluster, Security, as_completed
from distributed.scheduler import KilledWorker
from distributed.utils import CancelledError

from batch.tasks import Task
from batch.work import Result, carry_out, describe_versions
from geodata.errors import SolverError
from geodata.messages import Message, msg
from reports.language import read_catalogue

LOSSES = 2
"""A task that has cost more workers than this is given up: it takes more memory than there is, or crashes a library."""
CONNECT_S = 30.0
SETTINGS: Mapping[str, object] = {
    "distributed.scheduler.allowed-failures": LOSSES,
    # No task waits at a worker behind another one: a worker that dies is blamed on the task that it ran.
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.admin.tick.limit": "1h",  # a worker that holds the interpreter for long is at work, not ill
    "distributed.comm.timeouts.connect": CONNECT_S,
    # No dashboard, no metrics: the ports that Dask opens for them answer nothing.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.preload": ["batch.worker"],
}


class ClusterError(SolverError):
    """The scheduler cannot be reached, has no workers, or they cannot run this program."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(str(message))


def spread_tasks(
    tasks: Sequence[Task],
    *,
    scheduler: str = "",
    workers: int | None = None,
    memory_limit: str = "auto",
    carry: Callable[[Task], Result] = carry_out,
) -> Iterator[tuple[Task, Result]]:
    """Yield every task with its result, as they end.

    Parameters
    ----------
    scheduler
        Address of one that is there, such as ``tcp://10.0.0.1:8786``; empty: a cluster of this machine for this run.
    workers
        Processes of a local cluster, one task each; None: one per processor.
    memory_limit
        Memory of each local worker, such as ``4GB``; a worker that needs more is stopped. ``"auto"``: its share of
        the machine's.
    carry
        What carries one task out; a worker must be able to import it.

    Raises
    ------
    ClusterError
        See there.
    """
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(dict(SETTINGS)))
        client = _open(stack, scheduler, workers, memory_limit)
        futures: dict[Any, Task] = {}
        try:
            for task in take_turns(tasks):
                futures[client.submit(carry, task, key=f"buju-{task.number}-{task.key}", pure=False)] = task
            for future in as_completed(list(futures), loop=client.loop):
                task = futures.pop(future)
                yield task, _read(future, task)
                future.release()
        finally:
            client.cancel(list(futures), force=True)


def take_turns(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks with the first of every study in front, then the second of every study, and so on.

    So that two workers seldom read the same county for the first time at once: the second finds it in the cache.
    """
    seen: Counter[str] = Counter()
    turns = []
    for task in tasks:
        turns.append(seen[task.study])
        seen[task.study] += 1
    order = sorted(range(len(tasks)), key=turns.__getitem__)
    return [tasks[at] for at in order]


def _open(stack: ExitStack, scheduler: str, workers: int | None, memory_limit: str) -> Any:
    """Return a client that is closed with ``stack``, of a scheduler whose workers can run this program."""
    try:
        if scheduler:
            client = stack.enter_context(Client(scheduler, timeout=CONNECT_S, set_as_default=False))
            client.wait_for_workers(1, timeout=CONNECT_S)
            _check_workers(client)
            return client
        folder = stack.enter_context(TemporaryDirectory(prefix="buju-batch-"))
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=memory_limit,
            local_directory=folder,
            security=Security.temporary(),
            silence_logs=logging.CRITICAL,
        )
        stack.enter_context(cluster)
        return stack.enter_context(Client(cluster, set_as_default=False))
    except (OSError, TimeoutError, ValueError) as error:
        if scheduler:
            told = msg("The scheduler {address} cannot be used: {error}", address=scheduler, error=str(error))
        else:
            told = msg("No cluster can be started here: {error}", error=str(error))
        raise ClusterError(told) from error


def _check_workers(client: Client) -> None:
    """Raise ``ClusterError`` where workers lack the program, or have other versions of what numbers depend on."""
    try:
        found = client.run(describe_versions)
    except ImportError as error:
        told = msg("The workers cannot load this program: {error}. Put it into their PYTHONPATH.", error=str(error))
        raise ClusterError(told) from error
    own = describe_versions()
    for address, versions in found.items():
        if versions != own:
            words = {"address": str(address), "versions": versions, "own": own}
            raise ClusterError(msg("The worker {address} has other versions: {versions} instead of {own}.", **words))


def _read(future: Any, task: Task) -> Result:
    """Return the result of a future that has ended.

    Its worker may have been lost between the end and this moment, with the result: then the task runs again, and this
    waits for it.
    """
    say = read_catalogue(task.language)
    try:
        result: Result = future.result()
    except KilledWorker:
        lost = msg("The worker was lost {count} times: too little memory for this task, or a crash.", count=LOSSES + 1)
        return Result("failed", "worker", (say.say(lost),))
    except CancelledError:
        return Result("cancelled")
    except Exception as error:  # whatever a worker's machine can raise, before our own code runs: told in the table
        return Result("failed", "worker", (f"{type(error).__name__}: {error}",))
    return result
