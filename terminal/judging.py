"""The command ``judge``: a scenario against every rule, and in every year and variant of the forecast."""

from __future__ import annotations

import argparse
import json

from geodata.errors import ScenarioError
from geodata.study import StudyArea
from planning.balance import build_balance
from planning.balance_tables import Balance
from planning.forecast_options import VARIANTS
from planning.robust import RobustAnswer, judge_cases
from planning.rule_checks import RULE_CHECKS, check_rules
from planning.rules import Rules, read_rulebook
from planning.run import Outcome, run_scenario
from reports.check_tables import build_judgement, list_check_lines, list_robust_lines, write_check_files
from reports.language import Translator
from terminal.answers import build_scenario
from terminal.arguments import build_limits, read_years, split_list
from terminal.study import (
    EXIT_DONE,
    EXIT_NO_PLAN,
    print_conflicts,
    print_lines,
    read_for,
    require_mode,
    show_progress,
)


def judge(options: argparse.Namespace, say: Translator) -> int:
    """Check a scenario against every rule; with years, judge it in all of them."""
    scenario = build_scenario(options)
    years = read_years(options.years) if options.years else ()
    variants = _read_variants(options.variants)
    rules = read_rulebook(options.rulebook)
    study = read_for(options, rules, say)
    require_mode(options, study, scenario.mode)
    progress, limits = show_progress(options, say), build_limits(options, scenario)
    outcome = run_scenario(study, rules, scenario, limits=limits, progress=progress)
    checks = check_rules(study, rules, outcome, balance=_inspect(study, rules, outcome))
    robust = None
    if years:
        robust = judge_cases(study, rules, scenario, years, variants, limits=limits, progress=progress)
    write_check_files(checks, outcome, options.out, say, robust=robust)
    if options.json:
        document = build_judgement(checks, outcome, say, robust)
        print(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print_lines(list_check_lines(checks, rules, say))
        _print_robust(robust, rules, say)
    print_conflicts(outcome, say)
    if not options.quiet and not options.json:
        print(options.out)
    return EXIT_NO_PLAN if outcome.plan is None else EXIT_DONE


def _print_robust(robust: RobustAnswer | None, rules: Rules, say: Translator) -> None:
    if robust is not None:
        print_lines(list_robust_lines(robust, rules, say))


def _read_variants(text: str) -> tuple[str, ...]:
    variants = tuple(split_list(text))
    wrong = [name for name in variants if name not in VARIANTS]
    if wrong or not variants:
        raise ScenarioError(f"--variants {text}: known: {', '.join(VARIANTS)}")
    return variants


def _inspect(study: StudyArea, rules: Rules, outcome: Outcome) -> Balance | None:
    """Return the balance of the answer where the rulebook has rules of the inspection; else None."""
    asked = any(
        rule.enabled and rule.key in RULE_CHECKS and RULE_CHECKS[rule.key].needs_balance for rule in rules.rules
    )
    return build_balance(study, rules, outcome=outcome) if asked and outcome.plan is not None else None
