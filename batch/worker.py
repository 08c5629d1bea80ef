"""Loaded by every worker of a local cluster before its first task."""

from __future__ import annotations

import signal
import threading


def dask_setup(worker: object) -> None:
    """Let Ctrl-C be the business of the process that asked: it closes its workers; they need not complain as well."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
