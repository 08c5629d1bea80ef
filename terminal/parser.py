"""The commands of the terminal door and their options. See ``docs/terminal.md``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias, get_args

from geodata.study import STAGES
from planning.balance_tables import BALANCE_KINDS
from planning.forecast_options import MAX_WINDOW_YEARS, MIN_WINDOW_YEARS, Capture, ForecastMethod
from planning.publication_options import Datum, Scope
from terminal.answers import SETTINGS, compare, run
from terminal.arguments import (
    OUT_HELP,
    add_enrolment_arguments,
    add_limit_arguments,
    add_out_argument,
    add_proposal_arguments,
    add_rule_arguments,
    add_scenarios_argument,
    add_stage_arguments,
    add_year_arguments,
    add_zone_arguments,
)
from terminal.batches import batch
from terminal.books import rules
from terminal.export import export
from terminal.files import check, pack, unpack
from terminal.forecasts import forecast
from terminal.inspections import inspect
from terminal.judging import judge
from terminal.propose import propose
from terminal.zones import describe, zone

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; every command carries its function as ``command``."""
    parser = argparse.ArgumentParser(prog="cli.py", description="Buju 布局: plan where schools should be.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    about = [_add_check(commands), *_add_answers(commands), _add_pack(commands), *_add_zones(commands)]
    about += [
        _add_propose(commands),
        _add_export(commands),
        _add_judge(commands),
        _add_inspect(commands),
        _add_forecast(commands),
    ]
    others = [_add_unpack(commands), _add_rules(commands), _add_batch(commands)]
    for command in about:
        command.add_argument("study", type=Path, metavar="STUDY", help="path of study.toml")
    for command in (*about, others[1]):
        command.add_argument("--rulebook", default="cn", help="cn, intl, … or the path of a rulebook")
    for command in (*about, *others):
        languages = ("en", "zh", "both") if command.get_default("command") is export else ("en", "zh")
        command.add_argument("--lang", choices=languages, default="en")
        command.add_argument("--quiet", action="store_true", help="do not print progress")
    return parser


def _add_check(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("check", help="read a study's files and list what is wrong with them")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    help_marked = "also write copies of the files into FOLDER, with every finding marked in its cell"
    command.add_argument("--marked", type=Path, metavar="FOLDER", help=help_marked)
    command.set_defaults(command=check)
    return command


def _add_answers(commands: Commands) -> tuple[argparse.ArgumentParser, ...]:
    one = commands.add_parser("run", help="model enrolment of one stage and write tables")
    _add_asked(one)
    add_out_argument(one)
    add_limit_arguments(one)
    one.set_defaults(command=run)

    several = commands.add_parser("compare", help="answer scenarios and write what differs, who gains and who loses")
    add_scenarios_argument(several, required=True)
    several.add_argument("--baseline", type=Path, metavar="FILE", help="scenario file; default: today, asked the same")
    add_out_argument(several)
    add_limit_arguments(several)
    several.set_defaults(command=compare)
    return one, several


def _add_asked(command: argparse.ArgumentParser) -> None:
    """Add what is asked: a scenario file, or the settings of one stage, and the year."""
    add_stage_arguments(command)
    add_enrolment_arguments(command)
    command.add_argument("--scenario", type=Path, metavar="FILE", help="scenario file; gives all settings and actions")
    add_rule_arguments(command)
    settings = {item.dest: item.default for item in command._actions if item.dest in SETTINGS}
    command.set_defaults(settings=settings)
    add_year_arguments(command)


def _add_pack(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("pack", help="put a study, its input files and scenarios into one file")
    add_scenarios_argument(command, required=False)
    help_out = "file to write, such as county.buju.zip"
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help=help_out)
    command.set_defaults(command=pack)
    return command


def _add_unpack(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("unpack", help="take such a file apart; the study can then be run as ever")
    command.add_argument("packed", type=Path, metavar="FILE", help="file that pack, or the app, has written")
    command.add_argument("--out", type=Path, required=True, help="folder for the files; new or empty")
    command.set_defaults(command=unpack)
    return command


def _add_zones(commands: Commands) -> tuple[argparse.ArgumentParser, ...]:
    new = commands.add_parser("zone", help="propose zones of one piece each, with a proof of how good they are")
    add_stage_arguments(new)
    add_zone_arguments(new)
    add_rule_arguments(new)
    new.add_argument("--describe", action="store_true", help="also write boundaries in words, communities, reasons")
    new.set_defaults(command=zone)

    given = commands.add_parser("describe", help="write outlines, boundaries in words and reasons of given zones")
    add_stage_arguments(given)
    given.add_argument("--zones", type=Path, metavar="FILE", help="table or layer; default: the current zones")
    given.add_argument("--simplify", type=float, default=0.0, metavar="M", help="most metres that borders may move")
    add_out_argument(given)
    add_rule_arguments(given)
    given.set_defaults(command=describe)
    return new, given


def _add_rules(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("rules", help="print a rulebook with its sources, or what differs from another")
    command.add_argument("--against", metavar="BOOK", help="print only what differs from this rulebook")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    command.set_defaults(command=rules)
    return command


def _add_judge(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("judge", help="check a scenario against every rule; with --years in every year")
    _add_asked(command)
    command.add_argument("--years", default="", metavar="YEARS", help="2026-2035 or 2026,2030: a robust plan?")
    command.add_argument("--variants", default="low,middle,high", metavar="LIST", help="of the forecast")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    add_out_argument(command)
    add_limit_arguments(command)
    command.set_defaults(command=judge)
    return command


def _add_inspect(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("inspect", help="balance inspection: tables and a workbook")
    command.add_argument("--kind", choices=BALANCE_KINDS, default="quality", help="quality: 优质均衡; basic: 基本均衡")
    command.add_argument("--scenario", type=Path, metavar="FILE", help="scenario file: the county after its actions")
    command.add_argument("--year", type=int, metavar="YEAR", help="school year (its start); default: the latest")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    add_out_argument(command)
    add_limit_arguments(command)
    command.set_defaults(command=inspect)
    return command


def _add_forecast(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("forecast", help="pupils of the years ahead, with back-tests and seat alerts")
    command.add_argument("--last-year", type=int, default=2035, metavar="YEAR")
    years = range(MIN_WINDOW_YEARS, MAX_WINDOW_YEARS + 1)
    command.add_argument("--window", type=int, default=5, choices=years, help="years that ratios are taken from")
    command.add_argument("--method", choices=get_args(ForecastMethod), default="ensemble")
    command.add_argument("--capture", choices=get_args(Capture), default="trend", help="entry per child born")
    command.add_argument(
        "--stage", choices=STAGES, action="append", help="of the seat alerts; default: all with a roll"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    add_out_argument(command)
    command.set_defaults(command=forecast)
    return command


def _add_propose(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("propose", help="which schools to close, merge, expand and open, with proof")
    add_proposal_arguments(command)
    add_out_argument(command)
    command.set_defaults(command=propose)
    return command


def _add_export(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("export", help="write a consultation pack: map for homes, notice, report, letters")
    add = command.add_argument
    add("--scenario", type=Path, metavar="FILE", required=True, help="scenario file: the proposal")
    add("--baseline", type=Path, metavar="FILE", help="scenario file; default: today, asked the same")
    add("--alternative", type=Path, metavar="FILE", action="append", help="another scenario that was considered")
    add("--details", type=Path, metavar="FILE", help="who publishes, dates, costs, steps with evidence (TOML)")
    add("--threshold", type=int, metavar="N", help="hide counts of pupils below this; default: 10")
    add("--datum", choices=get_args(Datum), help="coordinates of the layers; default: WGS-84")
    add("--scope", choices=get_args(Scope), help="schools in the notice: those that change (default), or all")
    add("--map-number", metavar="NUMBER", help="under which the map was reviewed (审图号)")
    add_out_argument(command)
    add_limit_arguments(command)
    command.set_defaults(command=export)
    return command


def _add_batch(commands: Commands) -> argparse.ArgumentParser:
    command = commands.add_parser("batch", help="many scenarios, many counties: on all processors, or on a cluster")
    command.add_argument("jobs", type=Path, metavar="JOBS", help="file of jobs: studies and what is asked of each")
    command.add_argument("--out", type=Path, required=True, help=OUT_HELP)
    command.add_argument("--resume", action="store_true", help="go on: what the folder holds already is not run again")
    command.add_argument("--serial", action="store_true", help="one task after the other in this process, without Dask")
    command.add_argument("--workers", type=int, metavar="N", help="processes; default: one per processor")
    command.add_argument("--memory-limit", metavar="SIZE", help="memory of each worker, such as 4GB")
    command.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler that is there: tcp://… or tls://…")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    command.set_defaults(command=batch)
    return command
