"""Terminal door: check, run, propose, batch, compare, zone, judge and others. See ``docs/terminal.md``.

Exit codes: 0 done, 1 bad input, 2 no lawful plan, 3 solver failure, 130 stopped. The commands are in ``terminal``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from terminal.main import run_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return run_command(arguments)


if __name__ == "__main__":
    sys.exit(main())
