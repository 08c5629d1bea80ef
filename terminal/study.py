"""Reading a study for a command, and printing what stands against an answer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from geodata.build import read_study
from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg
from geodata.study import Progress, StudyArea
from planning.rules import Rules, design_class_size
from planning.run import Outcome
from reports.check_words import list_issue_lines, quote_signs
from reports.language import Translator
from reports.scenario_words import tell_problem

EXIT_DONE, EXIT_BAD_INPUT, EXIT_NO_PLAN, EXIT_SOLVER = 0, 1, 2, 3
EXIT_STOPPED = 130
"""After Ctrl-C: what shells give for it."""


def read_for(options: argparse.Namespace, rules: Rules, say: Translator) -> StudyArea:
    """Return the study named, its places derived by the rulebook where none are given."""
    progress = show_progress(options, say)
    return read_study(options.study, design_class_size=design_class_size(rules), progress=progress)


def show_progress(options: argparse.Namespace, say: Translator) -> Progress:
    """Return a progress that prints to standard error, unless the command is quiet; nothing twice in a row."""
    last = ""

    def progress(step: Message, share: float) -> None:
        nonlocal last
        line = "" if options.quiet else f"{share:4.0%} {say.say(step)}"
        if line != last:
            last = line
            print(line, file=sys.stderr, flush=True)

    return progress


def require_mode(options: argparse.Namespace, study: StudyArea, mode: str) -> None:
    """Raise ``DataError`` where the study has no travel by ``mode``."""
    if mode not in study.travel:
        problem = msg("This study has no travel by {mode}.", mode=mode)
        cure = msg("Choose one of: {modes}.", modes=", ".join(study.travel))
        raise DataError(DataIssue("mode_available", "error", problem, file=options.study.name, cure=cure))


def print_problems(outcome: Outcome, names: Mapping[str, str], say: Translator) -> None:
    """Print doubts about actions; what stands against them is among the conflicts."""
    for problem in outcome.action_problems:
        if problem.severity == "warning" or outcome.plan is not None:
            print(quote_signs(tell_problem(problem, names, say)), file=sys.stderr)


def print_conflicts(outcome: Outcome, say: Translator) -> None:
    """Print what stands against a plan, with the cheapest cure where one is known."""
    cures = {conflict.message: conflict.cure for conflict in outcome.hard_conflicts}
    for message in outcome.conflicts:
        cure = say.say(cures[message]) if message in cures else ""
        print(quote_signs(" ".join(part for part in (say.say(message), cure) if part)), file=sys.stderr)


def print_issues(issues: Sequence[DataIssue], say: Translator, *, file: TextIO) -> None:
    """Print one line per issue, the worst first."""
    for line in list_issue_lines(issues, say):
        print(line, file=file)


def print_lines(lines: Sequence[str], *, file: TextIO | None = None) -> None:
    """Print lines fit for a terminal: no sign of a stranger's name can move the cursor."""
    for line in lines:
        print(quote_signs(line), file=file)
