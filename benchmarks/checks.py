"""Rule checks: how long every rule of ``cn`` takes, and a robust plan. Run as ``python -m benchmarks.checks``."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np

from benchmarks.run import SIZES, build_study, measure_s
from geodata.build import read_study
from geodata.study import StudyArea
from planning.robust import judge_cases
from planning.rule_checks import check_rules
from planning.rules import Rules, design_class_size, read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario

DEMO = Path(__file__).resolve().parent.parent / "examples" / "studies" / "demo.toml"
YEARS = range(2026, 2036)


def main() -> None:
    """Print the tables."""
    rules = read_rulebook("cn")
    demo = read_study(DEMO, design_class_size=design_class_size(rules))
    print("| county | rows | wall s | CPU s | rows per CPU s |")
    print("|---|---|---|---|---|")
    print(measure_checks("demo, two stages", demo, rules, Scenario(stages=("primary", "junior"))))
    for units, schools in SIZES:
        print(measure_checks(f"{units:,} × {schools}", _complete(build_study(units, schools)), rules, Scenario()))
    start = time.process_time()
    answer = judge_cases(demo, rules, Scenario(), YEARS)
    spent = time.process_time() - start
    print(f"\nRobust plan, demo: {len(answer.cases)} cases in {spent:.1f} CPU s, {spent / len(answer.cases):.2f} each")


def measure_checks(name: str, study: StudyArea, rules: Rules, scenario: Scenario) -> str:
    """Return a row of the table."""
    outcome = run_scenario(study, rules, scenario)
    wall = measure_s(lambda: check_rules(study, rules, outcome))
    start = time.process_time()
    rows = len(check_rules(study, rules, outcome))
    spent = time.process_time() - start
    return f"| {name} | {rows:,} | {wall:.2f} | {spent:.2f} | {rows / spent:,.0f} |"


def _complete(study: StudyArea) -> StudyArea:
    """Return the made-up county with the columns that a reader would add."""
    blank = dict.fromkeys(("boarding_places", "site_area_m2", "floor_area_m2"), np.nan)
    return dataclasses.replace(
        study, schools=study.schools.assign(**blank), units=study.units.assign(population_people=np.nan)
    )


if __name__ == "__main__":
    main()
