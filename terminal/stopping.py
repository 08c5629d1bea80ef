"""Ctrl-C as a question, not a blow: the work stops at its next step; a second one stops it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from geodata.errors import Cancelled
from geodata.messages import Message
from geodata.study import Progress


@contextmanager
def stop_on_interrupt(progress: Progress) -> Iterator[Progress]:
    """Give a progress that raises ``Cancelled`` after Ctrl-C; the second Ctrl-C raises ``KeyboardInterrupt``."""
    asked = threading.Event()

    def told(step: Message, share: float) -> None:
        if asked.is_set():
            raise Cancelled
        progress(step, share)

    if threading.current_thread() is not threading.main_thread():  # only the main thread may listen to signals
        yield told
        return

    def note(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield told
    finally:
        signal.signal(signal.SIGINT, before)
