"""A scenario checked against every rule of a rulebook: what passes, what fails by how much, and what would cure it.

One row per rule and subject (school, community, town, county):

``status``
    ``passed``, ``failed``, ``unknown`` (``missing`` names the columns that are needed, ``;``-joined), or ``evidence``
    (a person answers it with a document, and has not yet).
``measured``, ``limit``, ``op``, ``unit``
    ``measured op limit`` is lawful. NaN: not known, or no number.
``short_by``
    By how much a failed row misses its limit, in ``unit``; 0 where passed, NaN where not known.
``cure``, ``cure_amount``
    What would mend a failed row (``CURES``) and how much of it is enough; empty where nothing countable does.
``severity``, ``verified``
    Those of the rule: ``block`` forbids, ``warn`` advises, ``note`` informs.
``detail``
    More about the row: the indicator of a spread, ``unreached``, the grades, where the cure lies (``elsewhere``).
``pupils``
    Pupils concerned; NaN unknown.
``document``
    What an evidence row rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.action_steps import apply_actions
from planning.balance_tables import Balance
from planning.check_balance import find_item_rows
from planning.check_case import CHECK_COLUMNS as CHECK_COLUMNS
from planning.check_case import CURES as CURES
from planning.check_case import STATUSES as STATUSES
from planning.check_case import SUBJECTS as SUBJECTS
from planning.check_case import Block, CheckCase, StageCase, build_facts, judge_pupils, list_rolls, stack_blocks
from planning.check_evidence import find_evidence_rows
from planning.check_registry import RULE_CHECKS as RULE_CHECKS
from planning.check_words import tell_check as tell_check
from planning.check_words import tell_cure as tell_cure
from planning.projected_study import project_for
from planning.rules import KEYS, Rule, Rules
from planning.run import Outcome

SUMMARY_COLUMNS = ("rule_id", "stage", "passed", "failed", "unknown", "evidence")
NOT_CHECKED_COLUMNS = ("rule_id", "key", "reason")
PROPOSED = ("zoning", "capacity")
"""Methods of enrolment that propose who goes where: their schools are filled by the model, not by today's rolls."""


def check_rules(
    study: StudyArea, rules: Rules, outcome: Outcome, *, balance: Balance | None = None, by: str = "auto"
) -> pd.DataFrame:
    """Check the answer to a scenario against every rule that can be measured.

    Parameters
    ----------
    study
        The study that was asked, without the actions of the scenario.
    rules
        The rulebook; may be another than that of the outcome, but travel limits of pairs are not worked out again.
    outcome
        With a plan; where there is none, what is known of the schools is checked all the same.
    balance
        What the inspection found of the same outcome; without it its rules are not checked.
    by
        Whose pupils fill a school: ``"roll"`` (the model where no roll is known), ``"model"``, or ``"auto"``: the model
        where the scenario proposes who goes where, else the roll.

    Returns
    -------
    pd.DataFrame
        ``CHECK_COLUMNS``, in the order of the rulebook, then by stage, subject and id.
    """
    return check_case(build_case(study, rules, outcome, balance=balance, by=by))


def check_case(case: CheckCase) -> pd.DataFrame:
    """Return the checks of a case that is built; see :func:`check_rules`."""
    blocks = list(_find_blocks(case))
    known = {str(name) for block in blocks for name in set(block["rule_id"])}
    blocks += find_item_rows(case, known)
    known |= {str(name) for block in blocks for name in set(block["rule_id"])}
    answered = _find_answered(blocks)
    blocks += find_evidence_rows(case, known & answered)
    return _order(stack_blocks(blocks), case.rules)


def build_case(
    study: StudyArea, rules: Rules, outcome: Outcome, *, balance: Balance | None = None, by: str = "auto"
) -> CheckCase:
    """Return what every check reads; see :func:`check_rules`."""
    scenario = outcome.scenario
    if by == "auto":
        by = "model" if scenario.enrolment in PROPOSED else "roll"
    study = project_for(study, scenario)
    changed = apply_actions(study, rules, scenario).study if scenario.all_actions else study
    stages = tuple(StageCase(tables.stage, tables, *judge_pupils(tables, by)) for tables in outcome.stages)
    rolls = list_rolls(changed, outcome.stages, scenario.year)
    facts = build_facts(changed, rolls, scenario.year)
    return CheckCase(changed, rules, outcome, balance, stages, rolls, facts)


def _find_blocks(case: CheckCase) -> Iterator[Block]:
    keys = dict.fromkeys(rule.key for rule in case.rules.rules if rule.enabled)
    for key in keys:
        if key in RULE_CHECKS:
            yield from (block for block in RULE_CHECKS[key].find(case, key) if len(block["rule_id"]))


def _find_answered(blocks: list[Block]) -> set[str]:
    """Return the rules that the data answered for at least one subject; the others may be answered by a document."""
    found: set[str] = set()
    for block in blocks:
        status = np.asarray(block["status"], dtype=object)
        found |= set(np.asarray(block["rule_id"], dtype=object)[status != "unknown"])
    return found


def _order(checks: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    places = {rule.id: place for place, rule in enumerate(rules.rules)}
    subjects = {subject: place for place, subject in enumerate(("county", "town", "group", "school", "unit"))}
    order = np.lexsort(
        (
            checks["subject_id"].to_numpy(dtype=object).astype(str),
            checks["subject"].map(subjects).to_numpy(dtype=np.int64),
            checks["stage"].to_numpy(dtype=object).astype(str),
            checks["rule_id"].map(places).to_numpy(dtype=np.int64),
        )
    )
    return checks.iloc[order].reset_index(drop=True)


def summarise_checks(checks: pd.DataFrame) -> pd.DataFrame:
    """Count subjects by rule, stage and status: ``SUMMARY_COLUMNS``, in the order of ``checks``."""
    if checks.empty:
        return pd.DataFrame(columns=list(SUMMARY_COLUMNS))
    counts = checks.groupby(["rule_id", "stage", "status"], sort=False).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(STATUSES), fill_value=0).reset_index()
    return counts.loc[:, list(SUMMARY_COLUMNS)].rename_axis(columns=None)


def list_not_checked(rules: Rules, outcome: Outcome, checks: pd.DataFrame, *, balanced: bool = False) -> pd.DataFrame:
    """Return every enabled rule that has no row in ``checks``, with the reason: ``NOT_CHECKED_COLUMNS``.

    ``balanced``: a balance was given to :func:`check_rules`. ``reason`` is a ``Message``.
    """
    known = set(checks["rule_id"])
    rows = [
        (rule.id, rule.key, _tell_why_not(rule, outcome, balanced=balanced))
        for rule in rules.rules
        if rule.enabled and rule.id not in known
    ]
    return pd.DataFrame(rows, columns=list(NOT_CHECKED_COLUMNS))


def _tell_why_not(rule: Rule, outcome: Outcome, *, balanced: bool) -> Message:
    year = outcome.scenario.year
    if year is not None and (year < (rule.valid_from or year) or year > (rule.valid_until or year)):
        return msg("Not in force in {year}.", year=year)
    if rule.value and not {"all", *outcome.scenario.stages} & set(rule.value):
        return msg("About other stages than those asked about.")
    check = RULE_CHECKS.get(rule.key)
    if check is None or not (rule.value or check.needs_balance):
        return _tell_unread(rule)
    if check.needs_balance and not balanced:
        return msg("Answered by the balance inspection, which was not asked.")
    if check.needs_balance:
        return msg("The inspection found no school to judge: no assets are known, or no school is in scope.")
    if check.needs_closure and not outcome.closures:
        return msg("About closures; this scenario closes nothing.")
    if rule.key == "max_detour_min" and outcome.scenario.enrolment != "zones":
        return msg("About given zones; this scenario does not follow them.")
    return msg("No school or community of the study falls under it, or a narrower rule speaks in its place.")


def _tell_unread(rule: Rule) -> Message:
    use = KEYS[rule.key].use if rule.key in KEYS else "reference"
    if use == "parameter":
        return msg("A figure that other computations take; nothing to pass or fail.")
    if use == "reference":
        return msg("For reference: no data of the study is compared with it.")
    return msg("Nothing in the data of a study measures it yet.")


def iterate_checks(checks: pd.DataFrame) -> Iterator[Any]:
    """Return the rows as named tuples, as :func:`tell_check` and :func:`tell_cure` read them."""
    return iter(checks.itertuples(index=False))
