"""Terminal door: check a study, run a stage or a scenario, compare, zone, describe, pack. See ``docs/terminal.md``.

Exit codes: 0 done, 1 bad input, 2 no lawful plan, 3 solver failure.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, get_args

from geodata.build import read_study
from geodata.errors import DataError, DataIssue, LayoutError, ScenarioError, SolverError
from geodata.messages import Message, msg
from geodata.read_zones import import_zones
from geodata.study import MODES, STAGES, Progress, Stage, StudyArea
from geodata.study_file import ZonesSource
from planning.action_words import collect_names
from planning.assignment_options import AssignmentOptions
from planning.compare import MOST_OPTIONS, compare_outcomes
from planning.conflicts import Conflict
from planning.drawing import build_drawing_table, read_drawn
from planning.rules import BOOKS, Rules, design_class_size, read_rulebook
from planning.run import Limits, Outcome, run_scenario
from planning.scenario import EnrolmentMethod, Measure, Scenario
from planning.scenario_file import read_family, read_scenario, render_scenario
from planning.zoning_options import FeederSource, ZoneStart, ZoningOptions
from reports.check_words import build_check_document, list_issue_lines, quote_signs, say_summary
from reports.compare_files import write_comparison
from reports.language import Translator, read_catalogue
from reports.scenario_files import write_scenario_files
from reports.scenario_words import tell_actions, tell_closure, tell_problem
from reports.tables import write_run_tables
from reports.zone_documents import (
    OUTLINE_FILE,
    build_zone_documents,
    tell_agreements,
    write_outlines,
    write_zone_documents,
)
from reports.zoning_tables import write_zone_files
from reports.zoning_words import tell_certificate, tell_report

if TYPE_CHECKING:
    import pandas as pd

EXIT_DONE, EXIT_BAD_INPUT, EXIT_NO_PLAN, EXIT_SOLVER = 0, 1, 2, 3
ZONING_TIME_S = 60.0
_SETTINGS = (
    *("stage", "mode", "enrolment", "whole_units", "measure", "travel_cap", "cap_price", "overload"),
    *("overload_price", "barriers", "cross_at", "groups", "closed"),
)
"""Options of ``run`` that a scenario file gives instead."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _build_parser().parse_args(arguments)
    say = read_catalogue(options.lang)
    try:
        return int(options.command(options, say))
    except DataError as error:
        _print_issues(error.issues, say, file=sys.stderr)
        return EXIT_BAD_INPUT
    except LayoutError as error:
        print(error, file=sys.stderr)
        return EXIT_SOLVER if isinstance(error, SolverError) else EXIT_BAD_INPUT


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cli.py", description="Buju 布局: plan where schools should be.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="read a study's files and list what is wrong with them")
    check.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    check.set_defaults(command=_check)

    run = commands.add_parser("run", help="model enrolment of one stage and write tables")
    run.add_argument("--stage", choices=STAGES, default="primary")
    run.add_argument("--mode", choices=MODES, default="walk", help="drive: car or school bus")
    run.add_argument("--enrolment", choices=get_args(EnrolmentMethod)[:4], default="nearest")
    run.add_argument("--whole-units", action="store_true", help="capacity: all pupils of a unit go to one school")
    run.add_argument("--scenario", type=Path, metavar="FILE", help="scenario file; gives all settings and actions")
    run.add_argument("--out", type=Path, required=True, help="folder for the tables; made when absent")
    _add_rule_arguments(run)
    settings = {item.dest: item.default for item in run._actions if item.dest in _SETTINGS}
    _add_limit_arguments(run)
    run.set_defaults(command=_run, settings=settings)

    compare = commands.add_parser("compare", help="answer scenarios and write what differs, who gains and who loses")
    _add_scenarios_argument(compare, required=True)
    compare.add_argument("--baseline", type=Path, metavar="FILE", help="scenario file; default: today, asked the same")
    compare.add_argument("--out", type=Path, required=True, help="folder for the tables; made when absent")
    _add_limit_arguments(compare)
    compare.set_defaults(command=_compare)

    pack = commands.add_parser("pack", help="put a study, its input files and scenarios into one file")
    _add_scenarios_argument(pack, required=False)
    pack.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write, such as county.buju.zip")
    pack.set_defaults(command=_pack)

    unpack = commands.add_parser("unpack", help="take such a file apart; the study can then be run as ever")
    unpack.add_argument("packed", type=Path, metavar="FILE", help="file that pack, or the app, has written")
    unpack.add_argument("--out", type=Path, required=True, help="folder for the files; new or empty")
    unpack.set_defaults(command=_unpack)

    zone = commands.add_parser("zone", help="propose zones of one piece each, with a proof of how good they are")
    _add_zone_arguments(zone)
    _add_rule_arguments(zone)
    zone.add_argument("--describe", action="store_true", help="also write boundaries in words, communities, reasons")
    zone.set_defaults(command=_zone)

    describe = commands.add_parser("describe", help="write outlines, boundaries in words and reasons of given zones")
    describe.add_argument("--stage", choices=STAGES, default="primary")
    describe.add_argument("--mode", choices=MODES, default="walk", help="drive: car or school bus")
    describe.add_argument("--zones", type=Path, metavar="FILE", help="table or layer; default: the current zones")
    describe.add_argument("--simplify", type=float, default=0.0, metavar="M", help="most metres that borders may move")
    describe.add_argument("--out", type=Path, required=True, help="folder for the files; made when absent")
    _add_rule_arguments(describe)
    describe.set_defaults(command=_describe)

    for command in (check, run, zone, describe, compare, pack):
        command.add_argument("study", type=Path, metavar="STUDY", help="path of study.toml")
        command.add_argument("--rulebook", default="cn", help="cn, intl, or the path of a rulebook")
    for command in (check, run, zone, describe, compare, pack, unpack):
        command.add_argument("--lang", choices=("en", "zh"), default="en")
        command.add_argument("--quiet", action="store_true", help="do not print progress")
    return parser


def _add_zone_arguments(zone: argparse.ArgumentParser) -> None:
    zone.add_argument("--stage", choices=STAGES, default="primary")
    zone.add_argument("--mode", choices=MODES, default="walk", help="drive: car or school bus")
    zone.add_argument("--out", type=Path, required=True, help="folder for the files; made when absent")
    zone.add_argument("--time-limit", type=float, default=ZONING_TIME_S, metavar="S", help="seconds for a stage")
    zone.add_argument("--gap", type=float, default=None, metavar="SHARE", help="stop at this proven gap, such as 0.005")
    zone.add_argument("--seed", type=int, default=0)
    zone.add_argument("--start", choices=get_args(ZoneStart), default="scratch")
    zone.add_argument("--start-zones", type=Path, metavar="FILE", help="table of zones to start from (--start table)")
    zone.add_argument(
        "--objectives",
        default="travel",
        metavar="LIST",
        help="in order, each with the share it may worsen for later ones: travel:0.01,fill:0.05,border",
    )
    zone.add_argument("--max-moved", type=float, metavar="PUPILS", help="most pupils that may change school")
    zone.add_argument("--locks", type=Path, metavar="FILE", help="table like zones: unit, stage, school that must stay")
    zone.add_argument("--lock-schools", default="", metavar="IDS", help="schools whose zone stays as in the start")
    zone.add_argument("--grandfather", action="store_true", help="only the entering grade follows the new zones")
    zone.add_argument("--feeders", choices=get_args(FeederSource), default="none", help="junior zones of primary zones")
    zone.add_argument("--max-feeder-split", type=float, default=0.0, metavar="SHARE")


def _add_rule_arguments(command: argparse.ArgumentParser) -> None:
    """Add what ``AssignmentOptions`` holds: rules of zones and of the assignment under capacity."""
    command.add_argument("--measure", choices=get_args(Measure), default="time")
    command.add_argument("--travel-cap", choices=("none", "priced", "hard"), default="none")
    command.add_argument("--cap-price", type=float, default=1.0, help="extra minutes per minute beyond the limit")
    command.add_argument("--overload", choices=("priced", "forbidden"), default="priced")
    command.add_argument("--overload-price", type=float, default=1000.0, metavar="MIN", help="minutes per pupil above")
    command.add_argument("--barriers", default="", metavar="KINDS", help="not to be crossed: railway,river")
    command.add_argument("--cross-at", choices=("roads", "nowhere"), default="roads", help="where barriers let through")
    command.add_argument("--groups", default="", metavar="LIST", help="schools that share a zone: A+B,C+D")
    command.add_argument("--closed", default="", metavar="LIST", help="units closed to a school: UNIT@SCHOOL,…")


def _add_scenarios_argument(command: argparse.ArgumentParser, *, required: bool) -> None:
    command.add_argument(
        "--scenario",
        type=Path,
        action="append",
        required=required,
        default=None if required else [],
        metavar="FILE",
        help="scenario file; may be given several times",
    )


def _add_limit_arguments(command: argparse.ArgumentParser) -> None:
    """Add the search effort of scenarios that propose zones or count places."""
    command.add_argument("--time-limit", type=float, metavar="S", help="seconds for a stage (zoning: default 60)")
    command.add_argument(
        "--gap", type=float, default=None, metavar="SHARE", help="stop at this proven gap, such as 0.005"
    )
    command.add_argument("--seed", type=int, default=0)


def _build_limits(options: argparse.Namespace, scenario: Scenario) -> Limits:
    default = ZONING_TIME_S if scenario.enrolment == "zoning" else None
    return Limits(default if options.time_limit is None else options.time_limit, options.gap, options.seed)


def _build_assignment(options: argparse.Namespace) -> AssignmentOptions:
    groups = [part.split("+") for part in _split(options.groups)]
    closed = [part.rpartition("@") for part in _split(options.closed)]
    return AssignmentOptions(
        whole_units=getattr(options, "whole_units", False),
        travel_cap=options.travel_cap,
        cap_price=options.cap_price,
        overload=options.overload,
        overload_price_min=options.overload_price,
        barriers=tuple(_split(options.barriers)),
        cross_at=options.cross_at,
        groups=tuple(("+".join(group), tuple(group)) for group in groups),
        closed=tuple((unit, school) for unit, _, school in closed),
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _build_zoning(options: argparse.Namespace, study: StudyArea) -> ZoningOptions:
    parts = [part.partition(":") for part in _split(options.objectives)]
    try:
        objectives = tuple((name, float(slack or 0.0)) for name, _, slack in parts)
    except ValueError as error:
        raise ScenarioError(f"--objectives {options.objectives}: write NAME:SHARE, such as travel:0.01") from error
    return ZoningOptions(
        start=options.start,
        start_zones=_read_zone_rows(options.start_zones, study, options.stage),
        objectives=objectives,  # type: ignore[arg-type]
        max_moved_pupils=options.max_moved,
        locks=_read_zone_rows(options.locks, study, options.stage),
        locked_schools=tuple(_split(options.lock_schools)),
        grandfather=options.grandfather,
        feeders=options.feeders,
        max_feeder_split_share=options.max_feeder_split,
    )


def _read_zone_rows(path: Path | None, study: StudyArea, stage: Stage) -> tuple[tuple[str, str, str], ...]:
    """Return unit, stage and school of a file like that of ``[zones]``: a table, or a layer of areas."""
    if path is None:
        return ()
    table, _ = import_zones(path, study, ZonesSource(str(path), stage=stage))
    return tuple(zip(table["unit_id"], table["stage"], table["school_id"], strict=True))


def _read(options: argparse.Namespace, rules: Rules, say: Translator) -> StudyArea:
    progress = _show_progress(options, say)
    return read_study(options.study, design_class_size=design_class_size(rules), progress=progress)


def _show_progress(options: argparse.Namespace, say: Translator) -> Progress:
    def progress(step: Message, share: float) -> None:
        if not options.quiet:
            print(f"{share:4.0%} {say.say(step)}", file=sys.stderr)

    return progress


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
        print(json.dumps(build_check_document(study, issues, say), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _print_issues(issues, say, file=sys.stdout)
        if study is not None:
            print(say_summary(study, say))
    return EXIT_BAD_INPUT if bad else EXIT_DONE


def _run(options: argparse.Namespace, say: Translator) -> int:
    if options.scenario is not None:
        return _run_scenario_file(options, say)
    rules = read_rulebook(options.rulebook)
    study = _read(options, rules, say)
    _require_mode(options, study, options.mode)
    scenario = Scenario(
        "today",
        stages=(options.stage,),
        mode=options.mode,
        enrolment=options.enrolment,
        measure=options.measure,
        assignment=_build_assignment(options),
    )
    outcome = run_scenario(study, rules, scenario)
    if outcome.plan is None:
        _print_conflicts(outcome, say)
        return EXIT_NO_PLAN
    write_run_tables(outcome, options.out, language=say)
    if not options.quiet:
        print(options.out)
    return EXIT_DONE


def _run_scenario_file(options: argparse.Namespace, say: Translator) -> int:
    _require_no_settings(options)
    scenario = read_scenario(options.scenario)
    rules = read_rulebook(options.rulebook)
    study = _read(options, rules, say)
    _require_mode(options, study, scenario.mode)
    limits = _build_limits(options, scenario)
    outcome = run_scenario(study, rules, scenario, limits=limits, progress=_show_progress(options, say))
    names = collect_names(study, scenario.all_actions)
    write_scenario_files(outcome, names, options.out, language=say)
    if outcome.plan is None:
        _print_problems(outcome, names, say)
        _print_conflicts(outcome, say)
        return EXIT_NO_PLAN
    if not options.quiet:
        told = [*tell_actions(outcome, names, say)]
        told += [line for answer in outcome.closures for line in tell_closure(answer, say)]
        for line in told:
            print(quote_signs(line))
        print(options.out)
    _print_problems(outcome, names, say)
    return EXIT_DONE


def _require_no_settings(options: argparse.Namespace) -> None:
    """Refuse options that the scenario file gives: one of the two would be ignored."""
    given = [name for name, default in options.settings.items() if getattr(options, name) != default]
    if given:
        words = ", ".join("--" + name.replace("_", "-") for name in given)
        problem = msg("A scenario file gives these settings; they cannot be given beside it.")
        cure = msg("Write them into the file, or leave out --scenario.")
        raise DataError(
            DataIssue("scenario_file", "error", problem, file=options.scenario.name, found=words, cure=cure)
        )


def _print_problems(outcome: Outcome, names: Mapping[str, str], say: Translator) -> None:
    """Print doubts about actions; what stands against them is among the conflicts."""
    for problem in outcome.action_problems:
        if problem.severity == "warning" or outcome.plan is not None:
            print(quote_signs(tell_problem(problem, names, say)), file=sys.stderr)


def _compare(options: argparse.Namespace, say: Translator) -> int:
    scenarios = [read_scenario(path) for path in options.scenario]
    if len(scenarios) >= MOST_OPTIONS:
        raise ScenarioError(f"--scenario: at most {MOST_OPTIONS - 1} scenarios can be compared with the baseline")
    if options.baseline is None:
        first = dataclasses.replace(scenarios[0], actions=(), inherited=(), parent=None)
        scenarios.insert(0, dataclasses.replace(first, name=say("Today")))
    else:
        scenarios.insert(0, read_scenario(options.baseline))
    rules = read_rulebook(options.rulebook)
    study = _read(options, rules, say)
    outcomes = []
    for scenario in scenarios:
        _require_mode(options, study, scenario.mode)
        limits = _build_limits(options, scenario)
        outcomes.append(run_scenario(study, rules, scenario, limits=limits, progress=_show_progress(options, say)))
    comparison = compare_outcomes(outcomes, [scenario.name for scenario in scenarios])
    write_comparison(comparison, options.out, language=say)
    for note in comparison.notes:
        print(quote_signs(say.say(note)), file=sys.stderr)
    for outcome in outcomes:
        names = collect_names(study, outcome.scenario.all_actions)
        _print_problems(outcome, names, say)
        _print_conflicts(outcome, say)
    if not options.quiet:
        print(options.out)
    return EXIT_NO_PLAN if any(outcome.plan is None for outcome in outcomes) else EXIT_DONE


def _pack(options: argparse.Namespace, say: Translator) -> int:
    from store.exchange import pack_study

    family = [scenario for path in options.scenario for scenario in read_family(path)]
    texts = {scenario.name: render_scenario(scenario) for scenario in family}
    twice = [scenario.name for scenario in family if texts[scenario.name] != render_scenario(scenario)]
    if twice:
        raise ScenarioError(f"--scenario: two scenarios are called {twice[0]!r}; give each its own name")
    rulesets = []
    if options.rulebook not in BOOKS:
        read_rulebook(options.rulebook)
        rulesets.append((Path(options.rulebook).stem, Path(options.rulebook).read_text(encoding="utf-8-sig")))
    path = pack_study(options.study, options.out, scenarios=list(texts.items()), rulesets=rulesets)
    if not options.quiet:
        print(path)
    return EXIT_DONE


def _unpack(options: argparse.Namespace, say: Translator) -> int:
    from store.exchange import unpack_study

    unpacked = unpack_study(options.packed, options.out)
    _print_issues(unpacked.issues, say, file=sys.stderr)
    for path in [unpacked.study_path, *sorted((options.out / "scenarios").glob("*.toml"))]:
        if not options.quiet:
            print(path)
    return EXIT_DONE


def _require_mode(options: argparse.Namespace, study: StudyArea, mode: str) -> None:
    if mode not in study.travel:
        problem = msg("This study has no travel by {mode}.", mode=mode)
        cure = msg("Choose one of: {modes}.", modes=", ".join(study.travel))
        raise DataError(DataIssue("mode_available", "error", problem, file=options.study.name, cure=cure))


def _print_conflicts(outcome: Outcome, say: Translator) -> None:
    """Print what stands against a plan, with the cheapest cure where one is known."""
    cures = {conflict.message: conflict.cure for conflict in outcome.hard_conflicts}
    for message in outcome.conflicts:
        cure = say.say(cures[message]) if message in cures else ""
        print(quote_signs(" ".join(part for part in (say.say(message), cure) if part)), file=sys.stderr)


def _zone(options: argparse.Namespace, say: Translator) -> int:
    rules = read_rulebook(options.rulebook)
    study = _read(options, rules, say)
    _require_mode(options, study, options.mode)
    zoning = _build_zoning(options, study)
    wanted: tuple[Stage, ...] = (options.stage,)
    stages = ("primary", *wanted) if options.feeders == "proposed" and wanted != ("primary",) else wanted
    scenario = Scenario(
        "zones",
        stages=stages,
        mode=options.mode,
        enrolment="zoning",
        measure=options.measure,
        assignment=_build_assignment(options),
        zoning=zoning,
    )

    limits = Limits(options.time_limit, options.gap, options.seed)
    outcome = run_scenario(study, rules, scenario, limits=limits, progress=_show_progress(options, say))
    write_zone_files(outcome, study, options.out, language=say)
    if outcome.plan is None:
        _print_conflicts(outcome, say)
        return EXIT_NO_PLAN
    if options.describe:
        _write_documents(study, rules, scenario, outcome.zones, options, say)
    told = [*(tell_report(report) for report in outcome.zoning), *(tell_certificate(c) for c in outcome.certificates)]
    told.append([part for short in outcome.shortages for part in (short.message, short.cure)])
    for line in [say.say(message) for part in told for message in part]:
        print(quote_signs(line))
    return EXIT_DONE


def _describe(options: argparse.Namespace, say: Translator) -> int:
    rules = read_rulebook(options.rulebook)
    study = _read(options, rules, say)
    _require_mode(options, study, options.mode)
    zones = study.zones[study.zones["stage"] == options.stage]
    if options.zones is not None:
        zones, _ = import_zones(options.zones, study, ZonesSource(str(options.zones), stage=options.stage))
    if zones.empty:
        problem = msg("There are no zones of this stage to describe.")
        cure = msg("Give a table or a layer of zones: --zones FILE.")
        raise DataError(DataIssue("zones", "error", problem, file=options.study.name, cure=cure))
    scenario = Scenario(
        "zones",
        stages=(options.stage,),
        mode=options.mode,
        enrolment="zones",
        measure=options.measure,
        assignment=_build_assignment(options),
    )
    told = _write_documents(study, rules, scenario, zones, options, say)
    if isinstance(told, Conflict):
        print(quote_signs(say.say(told.message)), file=sys.stderr)
        return EXIT_NO_PLAN
    write_outlines(study, zones, options.out / OUTLINE_FILE, tolerance_m=options.simplify)
    return EXIT_DONE


def _write_documents(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    zones: pd.DataFrame,
    options: argparse.Namespace,
    say: Translator,
) -> Conflict | None:
    """Write the documents of the zones of one stage and print how well text and map agree."""
    table = build_drawing_table(study, rules, scenario, options.stage, drawn=zones)
    if isinstance(table, Conflict):
        return table
    documents = build_zone_documents(study, table, read_drawn(table, zones), say)
    write_zone_documents(documents, options.out)
    for line in [*documents.cover, tell_agreements(documents.notices)]:
        print(quote_signs(say.say(line)))
    return None


def _print_issues(issues: Sequence[DataIssue], say: Translator, *, file: TextIO) -> None:
    for line in list_issue_lines(issues, say):
        print(line, file=file)


if __name__ == "__main__":
    sys.exit(main())
