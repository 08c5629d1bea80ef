"""Commands that answer scenarios: run, compare."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from geodata.errors import DataError, DataIssue, ScenarioError
from geodata.messages import msg
from planning.action_words import collect_names
from planning.compare import MOST_OPTIONS, compare_outcomes
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.scenario_file import read_scenario
from reports.check_words import quote_signs
from reports.compare_files import write_comparison
from reports.language import Translator
from reports.scenario_files import write_scenario_files
from reports.scenario_words import tell_actions, tell_closure
from reports.tables import write_run_tables
from terminal.arguments import build_assignment, build_limits
from terminal.study import (
    EXIT_DONE,
    EXIT_NO_PLAN,
    print_conflicts,
    print_problems,
    read_for,
    require_mode,
    show_progress,
)

SETTINGS = (
    *("stage", "mode", "enrolment", "whole_units", "measure", "travel_cap", "cap_price", "overload"),
    *("overload_price", "barriers", "cross_at", "groups", "closed"),
)
"""Options that a scenario file gives instead."""


def run(options: argparse.Namespace, say: Translator) -> int:
    """Answer one stage, or a scenario file, and write tables."""
    if options.scenario is not None:
        return _run_scenario_file(options, say)
    rules = read_rulebook(options.rulebook)
    study = read_for(options, rules, say)
    scenario = build_scenario(options)
    require_mode(options, study, scenario.mode)
    outcome = run_scenario(study, rules, scenario, progress=show_progress(options, say))
    if outcome.plan is None:
        print_conflicts(outcome, say)
        return EXIT_NO_PLAN
    write_run_tables(outcome, options.out, language=say)
    if not options.quiet:
        print(options.out)
    return EXIT_DONE


def build_scenario(options: argparse.Namespace) -> Scenario:
    """Return the scenario that the options ask for: a file, or one stage without actions; with its year and variant.

    A year or variant given beside a file holds instead of the file's.
    """
    if options.scenario is None:
        return Scenario(
            "today",
            stages=(options.stage,),
            mode=options.mode,
            enrolment=options.enrolment,
            measure=options.measure,
            assignment=build_assignment(options),
            year=options.year,
            variant=options.variant,
        )
    require_no_settings(options)
    scenario = read_scenario(options.scenario)
    asked = {name: getattr(options, name) for name in ("year", "variant") if getattr(options, name)}
    return dataclasses.replace(scenario, **asked)


def _run_scenario_file(options: argparse.Namespace, say: Translator) -> int:
    scenario = build_scenario(options)
    rules = read_rulebook(options.rulebook)
    study = read_for(options, rules, say)
    require_mode(options, study, scenario.mode)
    limits = build_limits(options, scenario)
    outcome = run_scenario(study, rules, scenario, limits=limits, progress=show_progress(options, say))
    names = collect_names(study, scenario.all_actions)
    write_scenario_files(outcome, names, options.out, language=say)
    if outcome.plan is None:
        print_problems(outcome, names, say)
        print_conflicts(outcome, say)
        return EXIT_NO_PLAN
    if not options.quiet:
        told = [*tell_actions(outcome, names, say)]
        told += [line for answer in outcome.closures for line in tell_closure(answer, say)]
        for line in told:
            print(quote_signs(line))
        print(options.out)
    print_problems(outcome, names, say)
    return EXIT_DONE


def require_no_settings(options: argparse.Namespace) -> None:
    """Refuse options that the scenario file gives: one of the two would be ignored."""
    given = [name for name, default in options.settings.items() if getattr(options, name) != default]
    if given:
        words = ", ".join("--" + name.replace("_", "-") for name in given)
        problem = msg("A scenario file gives these settings; they cannot be given beside it.")
        cure = msg("Write them into the file, or leave out --scenario.")
        raise DataError(
            DataIssue("scenario_file", "error", problem, file=options.scenario.name, found=words, cure=cure)
        )


def compare(options: argparse.Namespace, say: Translator) -> int:
    """Answer scenarios and write what differs, who gains and who loses."""
    scenarios = [read_scenario(path) for path in options.scenario]
    if len(scenarios) >= MOST_OPTIONS:
        raise ScenarioError(f"--scenario: at most {MOST_OPTIONS - 1} scenarios can be compared with the baseline")
    if options.baseline is None:
        first = dataclasses.replace(scenarios[0], actions=(), inherited=(), parent=None)
        scenarios.insert(0, dataclasses.replace(first, name=say("Today")))
    else:
        scenarios.insert(0, read_scenario(options.baseline))
    rules = read_rulebook(options.rulebook)
    study = read_for(options, rules, say)
    outcomes = []
    for scenario in scenarios:
        require_mode(options, study, scenario.mode)
        limits = build_limits(options, scenario)
        outcomes.append(run_scenario(study, rules, scenario, limits=limits, progress=show_progress(options, say)))
    comparison = compare_outcomes(outcomes, [scenario.name for scenario in scenarios])
    write_comparison(comparison, options.out, language=say)
    for note in comparison.notes:
        print(quote_signs(say.say(note)), file=sys.stderr)
    for outcome in outcomes:
        names = collect_names(study, outcome.scenario.all_actions)
        print_problems(outcome, names, say)
        print_conflicts(outcome, say)
    if not options.quiet:
        print(options.out)
    return EXIT_NO_PLAN if any(outcome.plan is None for outcome in outcomes) else EXIT_DONE
