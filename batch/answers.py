"""What each kind of task answers, as plain tables: the same functions as the app and the terminal call."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from batch.jobs import Kind
from batch.tables import COMPARISON_COLUMNS, CONFLICT_COLUMNS, PLAN_COLUMNS
from batch.tasks import Task, read_rules
from geodata.build import read_study
from geodata.messages import Message
from geodata.study import StudyArea
from planning.balance import build_balance
from planning.check_registry import RULE_CHECKS
from planning.compare import Comparison, compare_outcomes
from planning.conflicts import Conflict
from planning.found_sites import add_found_sites, free_of_candidates
from planning.rule_checks import check_rules
from planning.rules import design_class_size
from planning.run import Limits, Outcome, run_scenario
from planning.scenario_file import parse_scenario, render_scenario
from planning.siting import propose_sites
from planning.siting_answer import SitingAnswer
from planning.siting_file import parse_siting_options
from reports.language import Translator, read_catalogue
from reports.siting_files import stack_plans, stand_alone

ZONING_TIME_S = 60.0
"""Time limit of zoning where the task names none, as in the terminal."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What one task found.

    Parameters
    ----------
    lawful
        There is a plan (of ``compare``: every option has one).
    words
        What stands against a plan.
    tables
        By name, see ``batch.tables.TABLES``; those that the kind does not fill are left out.
    facts
        For the table of tasks: ``study_name``, fingerprints, ``plans``, ``gap_share``, ``stopped``.
    """

    lawful: bool
    words: tuple[Message, ...]
    tables: Mapping[str, pd.DataFrame]
    facts: Mapping[str, Any] = field(default_factory=dict)


def answer_task(task: Task) -> Answer:
    """Answer one task; raises ``LayoutError`` where its files or settings are wrong, or a solver is broken."""
    return _ANSWERS[task.kind](task, open_study(task))


@lru_cache(maxsize=1)
def _read_study(path: str, rulebook: str, key: str) -> StudyArea:
    return read_study(Path(path), design_class_size=design_class_size(read_rules(rulebook)))


def open_study(task: Task) -> StudyArea:
    """Return the study of a task; this process keeps the last one: tasks of one study follow each other."""
    return _read_study(task.study, task.rulebook, task.key)


def _answer_run(task: Task, study: StudyArea) -> Answer:
    outcome = _run(task, study, task.scenarios[0])
    return Answer(outcome.plan is not None, outcome.conflicts, _list_run_tables(outcome), _describe_outcomes([outcome]))


def _answer_judge(task: Task, study: StudyArea) -> Answer:
    outcome = _run(task, study, task.scenarios[0])
    rules = read_rules(task.rulebook)
    asked = any(
        rule.enabled and rule.key in RULE_CHECKS and RULE_CHECKS[rule.key].needs_balance for rule in rules.rules
    )
    balance = build_balance(study, rules, outcome=outcome) if asked and outcome.plan is not None else None
    checks = check_rules(study, rules, outcome, balance=balance)
    tables = {"checks": checks, "conflicts": _list_conflicts(outcome.conflicts, outcome.hard_conflicts)}
    return Answer(outcome.plan is not None, outcome.conflicts, tables, _describe_outcomes([outcome]))


def _answer_compare(task: Task, study: StudyArea) -> Answer:
    first = dataclasses.replace(parse_scenario(task.scenarios[0]), actions=())
    today = dataclasses.replace(first, name=read_catalogue(task.language)("Today"))
    outcomes = [_run(task, study, text) for text in (render_scenario(today), *task.scenarios)]
    comparison = compare_outcomes(outcomes, [outcome.scenario.name for outcome in outcomes])
    totals = comparison.totals.assign(name=[comparison.names[int(at)] for at in comparison.totals["option"]])
    words = tuple(message for outcome in outcomes for message in outcome.conflicts if outcome.plan is None)
    tables = {
        "comparison": _list_differences(comparison),
        "totals": totals,
        "conflicts": _list_conflicts(words, [item for outcome in outcomes for item in outcome.hard_conflicts]),
    }
    lawful = all(outcome.plan is not None for outcome in outcomes)
    return Answer(lawful, words, tables, _describe_outcomes(outcomes))


def _answer_propose(task: Task, study: StudyArea) -> Answer:
    rules = read_rules(task.rulebook)
    options = parse_siting_options(task.options)
    base = parse_scenario(task.scenarios[0])
    if task.find_sites:
        wider, candidates = add_found_sites(study, rules, options, task.find_sites)
        answer = free_of_candidates(propose_sites(wider, rules, base, options), candidates)
    else:
        answer = propose_sites(study, rules, base, options)
    best = answer.plans[0] if answer.plans else None
    facts = {
        **_describe_study(study),
        "rulebook_fingerprint": rules.fingerprint,
        "plans": len(answer.plans),
        "gap_share": math.nan if best is None else best.certificate.gap_share,
        "stopped": "" if best is None else best.certificate.stopped,
    }
    words = tuple(conflict.message for conflict in answer.conflicts)
    tables = _list_siting_tables(answer, read_catalogue(task.language))
    return Answer(best is not None, words, tables, facts)


_ANSWERS: Mapping[Kind, Callable[[Task, StudyArea], Answer]] = {
    "run": _answer_run,
    "judge": _answer_judge,
    "compare": _answer_compare,
    "propose": _answer_propose,
}


def _run(task: Task, study: StudyArea, text: str) -> Outcome:
    scenario = parse_scenario(text)
    default = ZONING_TIME_S if scenario.enrolment == "zoning" else None
    limits = Limits(default if task.time_limit_s is None else task.time_limit_s, task.gap_share, task.seed)
    return run_scenario(study, read_rules(task.rulebook), scenario, limits=limits)


def _list_run_tables(outcome: Outcome) -> dict[str, pd.DataFrame]:
    """Return the tables of one answer; without a plan what is known all the same."""
    return {
        "indicators": outcome.indicators,
        "schools": outcome.school_table,
        "flags": outcome.flags,
        "changes": outcome.changes,
        "enrolment": pd.DataFrame() if outcome.plan is None else outcome.plan.enrolment,
        "conflicts": _list_conflicts(outcome.conflicts, outcome.hard_conflicts),
    }


def _list_conflicts(words: Iterable[Message], hard: Iterable[Conflict]) -> pd.DataFrame:
    """Return what stands against a plan, each once, with rule and cure where they are known."""
    known = {conflict.message: conflict for conflict in hard}
    rows: list[tuple[object, ...]] = []
    for message in dict.fromkeys(words):
        found = known.get(message)
        rows.append(
            ("", message, "", math.nan)
            if found is None
            else (found.rule, message, found.cure, found.short_pupils or math.nan)
        )
    return pd.DataFrame(rows, columns=list(CONFLICT_COLUMNS))


def _list_differences(comparison: Comparison) -> pd.DataFrame:
    """Return the indicators of every option but the first beside those of the first, one row each."""
    table = comparison.indicators
    parts = []
    for option, name in enumerate(comparison.names):
        if option == 0:
            continue
        rows = table.rename(
            columns={
                **{f"value_{option}": "value", f"difference_{option}": "difference", f"verdict_{option}": "verdict"},
                "value_0": "baseline",
            }
        )
        parts.append(rows.assign(option=option, name=name).loc[:, list(COMPARISON_COLUMNS)])
    return pd.concat(parts, ignore_index=True)


def _list_siting_tables(answer: SitingAnswer, say: Translator) -> dict[str, pd.DataFrame]:
    """Return the tables of a proposal; every plan is also a scenario file as text."""
    rows = [
        (
            *(plan.plan_id, plan.role, plan.name, plan.certificate.status, plan.certificate.stopped),
            *(plan.certificate.value, plan.certificate.bound, plan.certificate.gap_share),
            render_scenario(stand_alone(plan.scenario)),
        )
        for plan in answer.plans
    ]
    conflicts = [conflict.message for conflict in answer.conflicts]
    stacked = (
        {}
        if not answer.plans
        else {
            "front": answer.front,
            "plans": pd.DataFrame(rows, columns=list(PLAN_COLUMNS)),
            "decisions": stack_plans(answer, "decisions", say),
            "periods": stack_plans(answer, "periods", say),
            "plan_schools": stack_plans(answer, "schools", say),
            "plan_enrolment": stack_plans(answer, "enrolment", say),
        }
    )
    return {**stacked, "conflicts": _list_conflicts(conflicts, answer.conflicts)}


def _describe_outcomes(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the facts of one or more answers for the table of tasks: the last certificate is the one that counts."""
    record = outcomes[-1].record
    certificates = [item for outcome in outcomes for item in outcome.certificates]
    return {
        "study_name": record.study,
        "study_fingerprint": record.study_fingerprint,
        "rulebook_fingerprint": record.rulebook_fingerprint,
        "plans": sum(outcome.plan is not None for outcome in outcomes),
        "gap_share": max((item.gap_share for item in certificates), default=math.nan),
        "stopped": ";".join(dict.fromkeys(item.stopped for item in certificates)),
    }


def _describe_study(study: StudyArea) -> dict[str, Any]:
    return {"study_name": study.name, "study_fingerprint": study.fingerprint}
