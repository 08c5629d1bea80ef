"""The command ``inspect``: the balance inspection of a county as tables and as a workbook."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from geodata.errors import ExportError
from geodata.messages import Message
from planning.balance import build_balance, compare_balance, list_shortages
from planning.balance_tables import Balance
from planning.flag_case import iterate_rows
from planning.groups import build_groups
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import name_stage
from planning.scenario_file import read_scenario
from reports.inspection_workbook import build_inspection_workbook
from reports.language import Translator
from reports.tables import render_csv
from terminal.arguments import build_limits
from terminal.study import EXIT_DONE, EXIT_NO_PLAN, print_conflicts, print_lines, read_for, require_mode, show_progress

INSPECTION_FILES = ("indicators", "schools", "spread", "items", "left_out", "shortages", "groups")


def inspect(options: argparse.Namespace, say: Translator) -> int:
    """Inspect a county as it is, or as it would be after a scenario."""
    rules = read_rulebook(options.rulebook)
    scenario = None if options.scenario is None else read_scenario(options.scenario)
    if scenario is not None and options.year is not None:
        scenario = dataclasses.replace(scenario, year=options.year)
    study = read_for(options, rules, say)
    outcome = None
    if scenario is not None:
        require_mode(options, study, scenario.mode)
        limits = build_limits(options, scenario)
        outcome = run_scenario(study, rules, scenario, limits=limits, progress=show_progress(options, say))
        if outcome.plan is None:
            print_conflicts(outcome, say)
            return EXIT_NO_PLAN
    balance = build_balance(study, rules, outcome=outcome, kind=options.kind, year=options.year)
    tables = _list_tables(balance)
    tables["groups"] = build_groups(study, rules, balance)
    _write(tables, build_inspection_workbook(balance, study, rules, say), options.out, say)
    if options.json:
        print(json.dumps(_describe(balance, say), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print_lines(_tell(balance, say))
    if not options.quiet and not options.json:
        print(options.out)
    return EXIT_DONE


def _list_tables(balance: Balance) -> dict[str, pd.DataFrame]:
    tables = {name: getattr(balance, name) for name in INSPECTION_FILES[:5]}
    tables["shortages"] = list_shortages(balance)
    if balance.before is not None:
        tables["moves"] = compare_balance(balance)
    return tables


def _write(tables: dict[str, pd.DataFrame], workbook: bytes, folder: Path, say: Translator) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            (folder / f"{name}.csv").write_bytes(render_csv(_say_cells(table, say.say)))
        (folder / "inspection.xlsx").write_bytes(workbook)
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error


def _say_cells(table: pd.DataFrame, say: Callable[[Message], str]) -> pd.DataFrame:
    """Return the table with its messages as sentences."""
    told = table.copy()
    for name in told.columns:
        if told[name].dtype == object:
            told[name] = [say(cell) if isinstance(cell, Message) else cell for cell in told[name]]
    return told


def _describe(balance: Balance, say: Translator) -> dict[str, object]:
    tables = {name: _say_cells(getattr(balance, name), say.say) for name in ("spread", "schools", "items", "left_out")}
    return {
        "kind": balance.kind,
        "year": balance.year,
        "notes": [say.say(note) for note in balance.notes],
        **{name: table.astype(object).where(table.notna(), None).to_dict("records") for name, table in tables.items()},
    }


def _tell(balance: Balance, say: Translator) -> list[str]:
    """Return how many schools pass by stage, the spread of every indicator, and the notes."""
    lines = []
    for stage, part in balance.schools.groupby("stage", sort=False):
        counts = {name: say.number(int((part["status"] == name).sum())) for name in ("passed", "failed", "unknown")}
        words = {"stage": say.say(name_stage(str(stage))), "count": say.number(len(part)), **counts}
        lines.append(
            say("{stage}: of {count} schools {passed} pass, {failed} fail, {unknown} cannot be told.", **words)
        )
    for row in iterate_rows(balance.spread):
        words = {"stage": say.say(name_stage(str(row.stage))), "indicator": str(row.indicator)}
        words |= {name: say.number(float(getattr(row, name)), digits=3) for name in ("cv", "cv_unweighted", "limit")}
        words["verdict"] = {"yes": say("met"), "no": say("not met")}.get(str(row.met), say("cannot be told"))
        lines.append(
            say("{stage}, {indicator}: CV {cv} (unweighted {cv_unweighted}), limit {limit}: {verdict}.", **words)
        )
        if str(row.flips) in ("yes", "True"):
            lines.append(say("{stage}, {indicator}: without weights it lies on the other side of the limit.", **words))
    return [*lines, *(say.say(note) for note in balance.notes)]
