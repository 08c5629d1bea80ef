"""Terminal door: ``check`` a study's files, ``run`` a stage and write its tables. See ``docs/terminal.md``.

Exit codes: 0 done, 1 bad input, 2 no lawful plan, 3 solver failure.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.build import read_study
from geodata.errors import DataError, DataIssue, LayoutError, SolverError
from geodata.messages import Message, msg
from geodata.study import MODES, STAGES, StudyArea
from planning.rules import Rules, design_class_size, read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from reports.language import Translator, read_catalogue
from reports.tables import write_run_tables

if TYPE_CHECKING:
    import pandas as pd

EXIT_DONE, EXIT_BAD_INPUT, EXIT_NO_PLAN, EXIT_SOLVER = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _build_parser().parse_args(arguments)
    say = read_catalogue(options.lang)
    try:
        return int(options.command(options, say))
    except DataError as error:
        _print_issues(error.issues, say, file=sys.stderr)
        return EXIT_BAD_INPUT
    except SolverError as error:
        print(error, file=sys.stderr)
        return EXIT_SOLVER
    except LayoutError as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_INPUT


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cli.py", description="Buju 布局: plan where schools should be.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="read a study's files and list what is wrong with them")
    check.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    check.set_defaults(command=_check)

    run = commands.add_parser("run", help="model enrolment of one stage and write tables")
    run.add_argument("--stage", choices=STAGES, default="primary")
    run.add_argument("--mode", choices=MODES, default="walk", help="drive: car or school bus")
    run.add_argument("--enrolment", choices=("nearest", "zones"), default="nearest")
    run.add_argument("--out", type=Path, required=True, help="folder for the tables; made when absent")
    run.set_defaults(command=_run)

    for command in (check, run):
        command.add_argument("study", type=Path, metavar="STUDY", help="path of study.toml")
        command.add_argument("--rulebook", default="cn", help="cn, intl, or the path of a rulebook")
        command.add_argument("--lang", choices=("en", "zh"), default="en")
        command.add_argument("--quiet", action="store_true", help="do not print progress")
    return parser


def _read(options: argparse.Namespace, rules: Rules, say: Translator) -> StudyArea:
    def progress(step: Message, share: float) -> None:
        if not options.quiet:
            print(f"{share:4.0%} {say.say(step)}", file=sys.stderr)

    return read_study(options.study, design_class_size=design_class_size(rules), progress=progress)


def _check(options: argparse.Namespace, say: Translator) -> int:
    rules = read_rulebook(options.rulebook)
    study: StudyArea | None = None
    try:
        study = _read(options, rules, say)
        issues = study.issues
    except DataError as error:
        issues = error.issues
    bad = study is None
    if options.json:
        print(json.dumps(_build_check_document(study, issues, say), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _print_issues(issues, say, file=sys.stdout)
        if study is not None:
            _print_summary(study, say)
    return EXIT_BAD_INPUT if bad else EXIT_DONE


def _run(options: argparse.Namespace, say: Translator) -> int:
    rules = read_rulebook(options.rulebook)
    study = _read(options, rules, say)
    if options.mode not in study.travel:
        raise DataError(
            DataIssue(
                "mode_available",
                "error",
                msg("This study has no travel by {mode}.", mode=options.mode),
                file=options.study.name,
                cure=msg("Choose one of: {modes}.", modes=", ".join(study.travel)),
            )
        )
    scenario = Scenario("today", stages=(options.stage,), mode=options.mode, enrolment=options.enrolment)
    outcome = run_scenario(study, rules, scenario)
    if outcome.plan is None:
        for conflict in outcome.conflicts:
            print(_quote_signs(say.say(conflict)), file=sys.stderr)
        return EXIT_NO_PLAN
    write_run_tables(outcome, options.out, language=say)
    if not options.quiet:
        print(options.out)
    return EXIT_DONE


def _print_issues(issues: Sequence[DataIssue], say: Translator, *, file: object) -> None:
    for issue in sorted(issues, key=lambda issue: ("error", "warning", "note").index(issue.severity)):
        row = "" if issue.row is None else say("row {row}", row=issue.row)
        record = issue.record_id if issue.row is None else ""
        place = ", ".join(part for part in (issue.file, issue.sheet, row, issue.column, record) if part)
        parts = [say.say(_SEVERITY[issue.severity]), f"[{issue.check}]", place + ":" if place else ""]
        parts.append(say.say(issue.problem))
        if issue.found:
            parts.append(say.say(msg("Found: {found}.", found=issue.found)))
        if issue.expected:
            parts.append(say.say(msg("Expected: {expected}", expected=issue.expected)))
        if issue.cure:
            parts.append(say.say(msg("To mend: {cure}", cure=issue.cure)))
        print(_quote_signs(" ".join(part for part in parts if part)), file=file)  # type: ignore[call-overload]


def _quote_signs(text: str) -> str:
    """Return text of strangers fit for a terminal: one line, no sign that moves the cursor or turns the writing."""
    return "".join(
        letter if letter == " " or unicodedata.category(letter)[0] not in "CZ" else f"\\u{ord(letter):04x}"
        for letter in text
    )


_SEVERITY = {"error": msg("Error"), "warning": msg("Warning"), "note": msg("Note")}


def _print_summary(study: StudyArea, say: Translator) -> None:
    counts = Counter(issue.severity for issue in study.issues)
    people = _sum_known(study.units["population_people"])
    line = msg(
        "{name}: schools {schools:,}, planning units {units:,}, people {people}; warnings {warnings}, notes {notes}.",
        name=study.name,
        schools=len(study.schools),
        units=len(study.units),
        people=msg("unknown") if people is None else f"{people:,.0f}",
        warnings=counts["warning"],
        notes=counts["note"],
    )
    print(_quote_signs(say.say(line)))


def _sum_known(values: pd.Series[float]) -> float | None:
    """Return the sum of what is known; ``None`` where nothing is, because unknown is not zero."""
    total = float(values.sum(min_count=1))
    return None if math.isnan(total) else total


def _build_check_document(study: StudyArea | None, issues: Sequence[DataIssue], say: Translator) -> dict[str, object]:
    """Return what ``check --json`` prints; documented in ``docs/terminal.md``."""

    def words(message: Message | None) -> str:
        return "" if message is None else say.say(message)

    document: dict[str, object] = {
        "usable": study is not None,
        "issues": [
            {
                "check": issue.check,
                "severity": issue.severity,
                "file": issue.file,
                "sheet": issue.sheet,
                "row": issue.row,
                "column": issue.column,
                "record_id": issue.record_id,
                "problem": words(issue.problem),
                "found": issue.found,
                "expected": words(issue.expected),
                "cure": words(issue.cure),
                "lon_deg": issue.lon_deg,
                "lat_deg": issue.lat_deg,
            }
            for issue in issues
        ],
    }
    if study is not None:
        document |= {
            "name": study.name,
            "crs": study.crs,
            "fingerprint": study.fingerprint,
            "synthetic": study.synthetic,
            "schools": len(study.schools),
            "units": len(study.units),
            "sites": len(study.sites),
            "people": _sum_known(study.units["population_people"]),
            "pupils": {stage: _sum_known(study.units[f"{stage}_pupils"]) for stage in STAGES},
            "modes": list(study.travel),
        }
    return document


if __name__ == "__main__":
    sys.exit(main())
