"""Commands about the files of a study: check, pack, unpack."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from geodata.errors import DataError, DataIssue, ExportError, ScenarioError
from geodata.messages import msg
from geodata.study import StudyArea
from geodata.study_file import read_study_file
from planning.rules import BOOKS, read_rulebook, render_stack
from planning.scenario_file import read_family, render_scenario
from reports.check_words import build_check_document, quote_signs, say_summary
from reports.language import Translator
from reports.marked_copy import build_marked_copies
from store.exchange import pack_study, unpack_study
from terminal.study import EXIT_BAD_INPUT, EXIT_DONE, print_issues, read_for


def check(options: argparse.Namespace, say: Translator) -> int:
    """Read a study's files and list what is wrong with them."""
    rules = read_rulebook(options.rulebook)
    study: StudyArea | None = None
    issues: Sequence[DataIssue]
    try:
        study = read_for(options, rules, say)
        issues = study.issues
    except DataError as error:
        issues = error.issues
    bad = study is None
    if options.marked is not None:
        _write_marked(options, issues, say)
    if options.json:
        print(json.dumps(build_check_document(study, issues, say), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print_issues(issues, say, file=sys.stdout)
        if study is not None:
            print(say_summary(study, say))
    return EXIT_BAD_INPUT if bad else EXIT_DONE


def _write_marked(options: argparse.Namespace, issues: Sequence[DataIssue], say: Translator) -> None:
    """Write copies of the user's files with the findings marked in them, each as a whole or not at all."""
    try:
        spec = read_study_file(options.study)
    except DataError:
        return  # no study file, no files of the user's
    try:
        options.marked.mkdir(parents=True, exist_ok=True)
        for name, content in build_marked_copies(spec, issues, say).items():
            path = options.marked / name
            unfinished = path.with_name(f".{path.name}.part")
            unfinished.write_bytes(content)
            unfinished.replace(path)
            if not options.quiet:
                print(quote_signs(str(path)), file=sys.stderr)
    except OSError as error:
        reason = str(error.strerror or error)
        problem = msg("{folder} cannot be written: {reason}.", folder=options.marked.name, reason=reason)
        raise ExportError(problem) from error


def pack(options: argparse.Namespace, say: Translator) -> int:
    """Put a study, its input files and scenarios into one file."""
    family = [scenario for path in options.scenario for scenario in read_family(path)]
    texts = {scenario.name: render_scenario(scenario) for scenario in family}
    twice = [scenario.name for scenario in family if texts[scenario.name] != render_scenario(scenario)]
    if twice:
        raise ScenarioError(f"--scenario: two scenarios are called {twice[0]!r}; give each its own name")
    rulesets = []
    if options.rulebook not in BOOKS:
        rules = read_rulebook(options.rulebook)
        text = Path(options.rulebook).read_text(encoding="utf-8-sig")
        stacked = bool(rules.base) and rules.base.split()[0] not in BOOKS
        rulesets.append((Path(options.rulebook).stem, render_stack(rules) if stacked else text))
    path = pack_study(options.study, options.out, scenarios=list(texts.items()), rulesets=rulesets)
    if not options.quiet:
        print(path)
    return EXIT_DONE


def unpack(options: argparse.Namespace, say: Translator) -> int:
    """Take such a file apart."""
    unpacked = unpack_study(options.packed, options.out)
    print_issues(unpacked.issues, say, file=sys.stderr)
    for path in [unpacked.study_path, *sorted((options.out / "scenarios").glob("*.toml"))]:
        if not options.quiet:
            print(path)
    return EXIT_DONE
