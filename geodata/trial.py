"""A first look at a stranger's layer in a process of its own: what cannot be read within limits is not read at all.

The libraries that read shapes are large and written in C and C++. A file that brings one of them down, or holds it
without end, then ends only the process that looked: ``python -m geodata.trial FILE CPU_S``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from geodata.errors import DataError, DataIssue
from geodata.files import LAYER_ENDINGS, read_layer
from geodata.messages import msg

MEMORY_BYTES = 4 * 1024**3
START_S, MB_PER_S = 7, 10
"""Processor seconds that any layer may take, and what larger ones are read at, at the slowest."""
WAITING = 2
_ROOT = Path(__file__).resolve().parent.parent


def check_layer_readable(file: Path, *, name: str = "") -> list[DataIssue]:
    """Return an error when a layer cannot be looked at within limits of time and memory; nothing for other files.

    What is wrong with a layer that can be looked at is told by :func:`geodata.files.read_layer`.

    Parameters
    ----------
    file : the layer
    name : what the planner calls it; empty = its own name
    """
    if file.suffix.lower() not in LAYER_ENDINGS:
        return []
    cpu_s = START_S + int(file.stat().st_size / 1024**2 / MB_PER_S)
    command = [sys.executable, "-m", "geodata.trial", str(file.resolve()), str(cpu_s)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=_ROOT, env=environment, capture_output=True, timeout=cpu_s * WAITING, check=False
        )
        stopped = done.returncode != 0
    except subprocess.TimeoutExpired:
        stopped = True
    if not stopped:
        return []
    return [
        DataIssue(
            "file",
            "error",
            msg("The file cannot be read within the limits of time and memory: it is damaged, or made to do harm."),
            file=name or file.name,
            found=f"> {cpu_s} s, > {MEMORY_BYTES // 1024**3} GB",
            cure=msg("Open it in the program that made it and save it again."),
        )
    ]


def look(path: str, cpu_s: int) -> int:
    """Read a layer in this process, which is limited for good; return the exit code, 0 also for a refused layer."""
    try:
        import resource
    except ImportError:  # not on this system: the caller's time limit remains
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        read_layer(path)
    except DataError:
        return 0
    except MemoryError:
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(look(sys.argv[1], int(sys.argv[2])))
