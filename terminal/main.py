"""Run one command of the terminal door and return its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from geodata.disk import is_disk_full, tell_disk_full
from geodata.errors import Cancelled, DataError, LayoutError, SolverError, tell_error
from reports.language import read_catalogue
from terminal.parser import build_parser
from terminal.study import EXIT_BAD_INPUT, EXIT_SOLVER, EXIT_STOPPED, print_issues


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``arguments`` are those of the process where none are given."""
    options = build_parser().parse_args(arguments)
    say = read_catalogue(options.lang)
    try:
        return int(options.command(options, say))
    except DataError as error:
        print_issues(error.issues, say, file=sys.stderr)
        return EXIT_BAD_INPUT
    except (Cancelled, KeyboardInterrupt):
        print(say("Stopped."), file=sys.stderr)
        return EXIT_STOPPED
    except LayoutError as error:
        print(say.say(tell_error(error)), file=sys.stderr)
        return EXIT_SOLVER if isinstance(error, SolverError) else EXIT_BAD_INPUT
    except OSError as error:
        if not is_disk_full(error):
            raise
        print(say.say(tell_disk_full()), file=sys.stderr)
        return EXIT_BAD_INPUT
