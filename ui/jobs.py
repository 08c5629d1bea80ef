"""Long work in a process of its own: told step by step, stopped within a second, never holding up the page.

A job is known by a key made of what it works on, so that two visitors who ask for the same thing share one job. The
result goes through the disk cache, not through the pipe: the pipe carries only words and shares.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from geodata.disk import is_disk_full, tell_disk_full
from geodata.errors import Cancelled, DataError, DataIssue, LayoutError, tell_error
from geodata.messages import Message, msg
from geodata.study import Progress

JobStatus = Literal["running", "done", "failed", "cancelled"]
Work = Callable[..., None]
"""A function of a module (so that a new process can find it): keyword arguments, and ``progress``."""

GRACE_S = 0.6
KEEP_FINISHED_S = 7200.0
TELL_EVERY_S = 0.1
MOST_AT_ONCE = 4
log = logging.getLogger("buju.jobs")


@dataclass(frozen=True)
class JobState:
    """What is known of a job now. ``share`` is 0 to 1; ``issues`` and ``problem`` say why it failed."""

    status: JobStatus
    step: Message = field(default_factory=lambda: msg("Starting"))
    share: float = 0.0
    issues: tuple[DataIssue, ...] = ()
    problem: Message | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.status != "running"


class Job:
    """One worker process and the thread that listens to it."""

    def __init__(self, work: Work, arguments: dict[str, Any]) -> None:
        context = multiprocessing.get_context("spawn")
        listen, tell = context.Pipe(duplex=False)
        self._stop = context.Event()
        self._lock = threading.Lock()
        self._state = JobState("running")
        self.finished_at: float | None = None
        self._process: BaseProcess = context.Process(
            target=run_worker, args=(work, arguments, tell, self._stop), name="buju-job", daemon=True
        )
        self._process.start()
        tell.close()  # only the worker holds this end now: its death ends the pipe
        threading.Thread(target=self._listen, args=(listen,), name="buju-job-listener", daemon=True).start()

    @property
    def state(self) -> JobState:
        """What is known now."""
        with self._lock:
            return self._state

    @property
    def worker_id(self) -> int | None:
        """Process number of the worker."""
        return self._process.pid

    def cancel(self) -> None:
        """Ask the worker to stop; after ``GRACE_S`` it is ended. Cached files are written whole or not at all."""
        self._stop.set()
        self._settle(replace(self.state, status="cancelled"))
        threading.Thread(target=self._end, name="buju-job-end", daemon=True).start()

    def _end(self) -> None:
        self._process.join(GRACE_S)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(GRACE_S)
        if self._process.is_alive():
            self._process.kill()

    def _listen(self, listen: Connection) -> None:
        try:
            while True:
                told: JobState = listen.recv()
                self._settle(told)
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            lost = msg("The work stopped unexpectedly (code {code}). There may not be enough memory.", code=code)
            self._settle(replace(self.state, status="failed", problem=lost))
        finally:
            listen.close()

    def _settle(self, state: JobState) -> None:
        """Take over what was told, unless the job had ended before."""
        with self._lock:
            if self._state.finished:
                return
            self._state = state
            if state.finished:
                self.finished_at = time.monotonic()


class JobBoard:
    """All jobs of one server, by key. Finished ones are kept for two hours, for those who still look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def start(self, key: str, work: Work, arguments: dict[str, Any]) -> JobState:
        """Start a job, or join the one that already runs under this key."""
        with self._lock:
            self._clear_finished()
            running = [job for job in self._jobs.values() if not job.state.finished]
            known = self._jobs.get(key)
            if known is not None and not known.state.finished:
                return known.state
            if len(running) >= MOST_AT_ONCE:
                return JobState("failed", problem=msg("The machine is busy with other work. Try again in a minute."))
            self._jobs[key] = Job(work, arguments)
            return self._jobs[key].state

    def look(self, key: str) -> JobState | None:
        """Return what is known of a job, or None for one that never was or is long gone."""
        with self._lock:
            job = self._jobs.get(key)
        return None if job is None else job.state

    def cancel(self, key: str) -> None:
        """Stop a job; does nothing where there is none."""
        with self._lock:
            job = self._jobs.get(key)
        if job is not None:
            job.cancel()

    def forget(self, key: str) -> None:
        """Drop a finished job whose end has been dealt with."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and job.state.finished:
                del self._jobs[key]

    def _clear_finished(self) -> None:
        now = time.monotonic()
        old = [
            key
            for key, job in self._jobs.items()
            if job.finished_at is not None and now - job.finished_at > KEEP_FINISHED_S
        ]
        for key in old:
            del self._jobs[key]


def run_worker(work: Work, arguments: dict[str, Any], tell: Connection, stop: Any) -> None:
    """Do the work in the new process and tell how it went. The worker's door: every error ends here."""
    try:
        work(**arguments, progress=_build_progress(tell, stop))
        end = JobState("done", step=msg("Done"), share=1.0)
    except Cancelled:
        end = JobState("cancelled")
    except DataError as error:
        end = JobState("failed", issues=error.issues, problem=msg("The data cannot be used as they are."))
    except LayoutError as error:
        end = JobState("failed", problem=tell_error(error))
    except MemoryError:
        end = JobState("failed", problem=msg("There is not enough memory for this study."))
    except Exception as error:  # the door of this process: the details go to the log, never to the screen
        log.exception("a job failed")
        unknown = msg("An unexpected error stopped the work. The log has the details.")
        end = JobState("failed", problem=tell_disk_full() if is_disk_full(error) else unknown)
    try:
        tell.send(end)
    except (BrokenPipeError, OSError):
        log.info("nobody listens to this job any more")


def _build_progress(tell: Connection, stop: Any) -> Progress:
    """Return a progress callback that tells at most ten times a second and stops the work when asked to."""
    last_told = [-TELL_EVERY_S]
    last_step: list[Message] = []

    def progress(step: Message, share: float) -> None:
        if stop.is_set():
            raise Cancelled(str(step))
        now = time.monotonic()
        if now - last_told[0] < TELL_EVERY_S and last_step == [step]:
            return
        last_told[0], last_step[:] = now, [step]
        tell.send(JobState("running", step=step, share=min(max(float(share), 0.0), 1.0)))

    return progress
