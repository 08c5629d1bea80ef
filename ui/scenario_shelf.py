"""Outcomes in memory, and one thread that works them out beside the page. Nothing of Streamlit is imported here."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from geodata.errors import LayoutError
from geodata.messages import msg
from planning.run import Outcome

log = logging.getLogger("buju.ui")
Compute = Callable[[], Outcome]


class UnexpectedError(LayoutError):
    """Something went wrong that nobody foresaw; the log has the details."""


class OutcomeShelf:
    """The last ``most`` outcomes by key. Safe to share between visitors."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Outcome] = OrderedDict()
        self._failed: OrderedDict[str, LayoutError] = OrderedDict()
        self._waiting: dict[str, Future[None]] = {}
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="buju-outcome")

    def find(self, key: str) -> Outcome | None:
        """Return an outcome, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def find_failure(self, key: str) -> LayoutError | None:
        """Return why an outcome could not be worked out, or None."""
        with self._lock:
            return self._failed.get(key)

    def put(self, key: str, outcome: Outcome) -> None:
        """Keep an outcome; the one not used for longest goes."""
        with self._lock:
            self._kept[key] = outcome
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def start(self, key: str, compute: Compute) -> None:
        """Work an outcome out beside the page; what still waits for its turn is dropped: the newest question counts."""
        with self._lock:
            if key in self._waiting or key in self._kept or key in self._failed:
                return
            for other in [name for name, future in self._waiting.items() if future.cancel()]:
                del self._waiting[other]
            self._waiting[key] = self._worker.submit(self._work, key, compute)

    def _work(self, key: str, compute: Compute) -> None:
        try:
            self.put(key, compute())
        except LayoutError as error:
            self._note_failure(key, error)
        except Exception:  # the door of this thread: the details go to the log, never to the screen
            log.exception("an outcome failed")
            words = msg("An unexpected error stopped the work. The log has the details.")
            self._note_failure(key, UnexpectedError(str(words)))
        finally:
            with self._lock:
                self._waiting.pop(key, None)

    def _note_failure(self, key: str, error: LayoutError) -> None:
        with self._lock:
            self._failed[key] = error
            while len(self._failed) > self._most:
                self._failed.popitem(last=False)
