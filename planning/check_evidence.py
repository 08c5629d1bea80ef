"""Rules that a person answers with a document: what ``study.evidence`` says of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from planning.check_case import Block, CheckCase, build_row, compare
from planning.inspection import SHARE_UNITS, read_reported
from planning.rules import Rule


def find_evidence_rows(case: CheckCase, known: set[str]) -> Iterator[Block]:
    """Return rows of the county for rules that documents answer and that have no row yet (``known``).

    Every rule of severity ``evidence`` has at least one row, unanswered or not; any other rule only where the study's
    evidence speaks of it.
    """
    evidence = case.study.evidence
    answers: dict[str, Any] = {str(row.item_id): row for row in evidence.itertuples(index=False)}
    for rule in case.rules.rules:
        if not rule.enabled or rule.id in known or not _in_force(rule, case.year):
            continue
        answer = answers.get(rule.id)
        if rule.severity == "evidence" or (answer is not None and (answer.met or answer.reported_value)):
            yield from _answer(rule, answer)


def _in_force(rule: Rule, year: int | None) -> bool:
    return (year is None or rule.valid_from is None or year >= rule.valid_from) and (
        year is None or rule.valid_until is None or year <= rule.valid_until
    )


def _answer(rule: Rule, answer: Any) -> Iterator[Block]:
    """Return what a document says: its number decides before its yes or no, as in ``planning.inspection``."""
    number = read_reported(str(answer.reported_value)) if answer is not None else math.nan
    if rule.unit in SHARE_UNITS and rule.op in (">=", ">") and number > 1.0:
        number = math.nan  # percent is never guessed: 95 is not 0.95
    document = "" if answer is None else "; ".join(str(part) for part in (answer.document, answer.dated) if part)
    stages = list(rule.value) if math.isfinite(number) and len(rule.value) > 1 else [""]
    for stage in stages:
        limit = rule.limit(stage) if stage else next(iter(rule.value.values()), math.nan)
        status, short = "evidence", math.nan
        if math.isfinite(number) and math.isfinite(limit):
            status = "passed" if compare(np.array([number]), np.array([limit]), rule.op)[0] else "failed"
            short = abs(number - limit) if status == "failed" else 0.0
        elif answer is not None and answer.met in ("yes", "no"):
            status = "passed" if answer.met == "yes" else "failed"
        known = {"limit": limit, "measured": number, "short_by": short, "document": document}
        yield build_row(rule, "" if stage == "all" else stage, "county", ("", ""), status, **known)
