"""How much memory a piece of work took at its worst."""

from __future__ import annotations

import contextlib
import importlib
import math
import sys
from pathlib import Path

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reset_peak() -> bool:
    """Let the peak of this process begin anew, where the system can (Linux); return whether it did."""
    with contextlib.suppress(OSError):
        RESET.write_text("5", encoding="ascii")
        return True
    return False


def read_peak_mb() -> float:
    """Return the greatest resident memory of this process in megabytes of 10⁶ bytes; NaN where nobody tells.

    Since :func:`reset_peak` on Linux, else since the process began.
    """
    with contextlib.suppress(OSError):
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        resource = importlib.import_module("resource")  # not on Windows
    except ImportError:
        return math.nan
    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
