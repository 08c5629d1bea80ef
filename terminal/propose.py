"""The command ``propose``: which schools to close, merge, expand and open, with proof."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
from typing import Any

from geodata.errors import ScenarioError
from geodata.study import Progress, StudyArea
from planning.flag_case import iterate_rows
from planning.found_sites import add_found_sites, free_of_candidates
from planning.rules import Rules, read_rulebook
from planning.scenario import Scenario
from planning.scenario_file import read_scenario
from planning.siting import propose_sites
from planning.siting_answer import SitingAnswer
from planning.siting_file import read_siting_options
from planning.siting_options import SitingOptions
from reports.language import Translator
from reports.siting_files import build_siting_document, write_candidates, write_siting_files
from reports.siting_tables import collect_site_names
from reports.siting_words import name_plan, say_decision, say_plan, tell_proof
from terminal.arguments import read_years, split_list
from terminal.stopping import stop_on_interrupt
from terminal.study import EXIT_DONE, EXIT_NO_PLAN, print_lines, read_for, require_mode, show_progress

DIRECT = ("model", "stage", "mode", "variant", "count", "cover_min")
"""Options of the command that are fields of ``SitingOptions`` under the same name."""
RULES = {"max_changes": "max_changes", "min_pupils": "min_pupils", "max_travel": "max_travel_min"}
SEARCH = {"gap": "gap_share", "seed": "seed", "plans": "front_plans", "alternatives": "alternatives"}


def propose(options: argparse.Namespace, say: Translator) -> int:
    """Propose which schools to close, merge, expand and open, and write every plan."""
    asked = build_siting(options)
    base = Scenario("present") if options.scenario is None else read_scenario(options.scenario)
    rules = read_rulebook(options.rulebook)
    study = read_for(options, rules, say)
    require_mode(options, study, asked.mode)
    with stop_on_interrupt(show_progress(options, say)) as progress:
        answer, study = _search(options, study, rules, base, asked, progress, say)
    write_siting_files(answer, options.out, language=say)
    if options.json:
        print(json.dumps(build_siting_document(answer, say), ensure_ascii=False, indent=2, allow_nan=False))
    elif answer.plans:
        print_lines(_tell(answer, study, say))
    for conflict in answer.conflicts:
        words = (say.say(part) for part in (conflict.message, conflict.cure))
        print_lines([" ".join(part for part in words if part)], file=sys.stderr)
    if answer.plans and not options.quiet and not options.json:
        print(options.out)
    return EXIT_DONE if answer.plans else EXIT_NO_PLAN


def _search(
    options: argparse.Namespace,
    study: StudyArea,
    rules: Rules,
    base: Scenario,
    asked: SitingOptions,
    progress: Progress,
    say: Translator,
) -> tuple[SitingAnswer, StudyArea]:
    """Return the answer, and the study with the sites that were looked for first."""
    if not options.find_sites:
        return propose_sites(study, rules, base, asked, progress=progress), study
    wider, candidates = add_found_sites(study, rules, asked, options.find_sites, progress=progress)
    write_candidates(candidates, rules, wider, options.out, language=say)
    answer = propose_sites(wider, rules, base, asked, progress=progress)
    return free_of_candidates(answer, candidates), wider


def build_siting(options: argparse.Namespace) -> SitingOptions:
    """Return what the command asks: the file of options, if one is given, and what stands beside it holds instead.

    Raises
    ------
    DataError
        The file cannot be read, with everything that is wrong in it.
    ScenarioError
        Settings that cannot be, or cannot stand together.
    """
    found = SitingOptions() if options.options is None else read_siting_options(options.options)
    rules: dict[str, Any] = _take(options, RULES)
    if options.protect is not None:
        rules["protected"] = tuple(split_list(options.protect))
    if options.budget is not None:
        rules |= read_budget(options.budget)
    search: dict[str, Any] = _take(options, SEARCH)
    if options.time_limit is not None:
        search["time_limit_s"] = None if math.isinf(options.time_limit) else options.time_limit
    direct: dict[str, Any] = _take(options, {name: name for name in DIRECT})
    if options.years is not None:
        direct["years"] = tuple(sorted(read_years(options.years)))
    return dataclasses.replace(
        found,
        **direct,
        rules=dataclasses.replace(found.rules, **rules),
        search=dataclasses.replace(found.search, **search),
    )


def _take(options: argparse.Namespace, names: dict[str, str]) -> dict[str, Any]:
    """Return the options that were given, under the names of the fields."""
    held = {field: getattr(options, name) for name, field in names.items()}
    return {field: value for field, value in held.items() if value is not None}


def read_budget(text: str) -> dict[str, Any]:
    """Return ``total_budget_cny`` of ``30000000``, or ``budgets_cny`` of ``2027:30000000,2030:10000000``.

    Raises ``ScenarioError`` where it is neither.
    """
    parts = [part.partition(":") for part in split_list(text)]
    try:
        if len(parts) == 1 and not parts[0][1]:
            return {"total_budget_cny": float(parts[0][0])}
        if parts and all(colon for _, colon, _ in parts):
            return {"budgets_cny": tuple((int(year), float(money)) for year, _, money in parts)}
    except ValueError:
        pass
    raise ScenarioError(f"--budget {text}: write yuan, such as 30000000, or YEAR:YUAN,YEAR:YUAN")


def _tell(answer: SitingAnswer, study: StudyArea, say: Translator) -> list[str]:
    """Return every plan in a sentence, the best one in detail, and what must be known of the figures."""
    names = collect_site_names(study, answer)
    best = answer.plans[0]
    lines = [say_plan(answer, plan, say) for plan in answer.plans]
    lines += ["", say("{plan} in detail:", plan=name_plan(best.plan_id, say))]
    lines += [say_decision(row, names, say) for row in iterate_rows(best.decisions)]
    lines += [*tell_proof(answer, best, say), ""]
    return [*lines, *(say.say(note) for note in answer.notes)]
