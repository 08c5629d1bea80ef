"""Checks of closures: what ``planning.closures`` found against them, by the rule that each finding cites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from planning.check_case import Block, CheckCase, build_row
from planning.closure_findings import Finding
from planning.closures import ClosureAnswer
from planning.rules import Rule


def check_closures(case: CheckCase, key: str) -> Iterator[Block]:
    """Return one row per school and stage that an action takes away, for the rule of ``key``.

    Pupils who must ride need seats that the plan's bus lines lack; pupils who must board need beds of the receiving
    schools. A receiving school of which no number of beds is known leaves the answer unknown.
    """
    for answer in case.outcome.closures:
        rule = case.rules.find(key, answer.stage, year=case.year)
        if rule is not None and rule.severity != "evidence":
            found = [finding for finding in answer.findings if finding.rule_id == rule.id]
            yield _judge(rule, key, answer, found)


def _judge(rule: Rule, key: str, answer: ClosureAnswer, findings: list[Finding]) -> Block:
    told = [dict(finding.message.params) for finding in findings if finding.severity in ("block", "warn")]
    unknown = _find_gap(key, findings)
    against = [item for item in told if key != "max_no_bed_pupils" or "beds" in item]
    status = "failed" if against else "unknown" if unknown else "passed"
    count = float(sum(_number(item, "count") for item in against))
    cure, amount = _find_cure(key, answer, against)
    counted = rule.unit in ("pupils", "schools")
    if key == "max_new_oversize_schools":
        count = float(len({str(item.get("school", "")) for item in against}))
    measured = np.nan if not counted or status == "unknown" else count
    short = np.nan if status == "unknown" else max(0.0, count - rule.limit(answer.stage)) if counted else count
    cured = status == "failed" and amount > 0
    return build_row(
        rule,
        answer.stage,
        "school",
        (answer.school_id, answer.name),
        status,
        measured=measured,
        short_by=short,
        missing=unknown if status == "unknown" else "",
        cure=cure if cured else "",
        cure_amount=amount if cured else np.nan,
        detail="closure",
        pupils=answer.pupils if key == "max_new_oversize_schools" else count,
    )


def _find_gap(key: str, findings: list[Finding]) -> str:
    """Return what is not known: the beds of a receiving school, or the seats of a bus line of the scenario."""
    told = [(finding.severity, dict(finding.message.params)) for finding in findings]
    if key == "max_no_bed_pupils" and any(severity != "note" and "beds" not in item for severity, item in told):
        return "schools.boarding_places"
    if key == "min_bus_seats" and any(severity == "note" and "seats" not in item for severity, item in told):
        return "scenario.seats"
    return ""


def _number(item: dict[str, Any], name: str) -> float:
    value = item.get(name, 0.0)
    return float(value) if isinstance(value, int | float) else 0.0


def _find_cure(key: str, answer: ClosureAnswer, against: list[dict[str, Any]]) -> tuple[str, float]:
    """Return what would mend a closure, and how much of it."""
    if key == "max_no_bed_pupils":
        return "boarding", float(sum(max(0.0, _number(item, "count") - _number(item, "beds")) for item in against))
    if key == "min_bus_seats":
        return "bus", float(sum(max(0.0, _number(item, "needed") - _number(item, "seats")) for item in against))
    riding = [item for item in against if "limit" in item]
    if key in ("max_no_way_pupils", "min_boarding_grade") and riding:
        there = answer.bus_seats if np.isfinite(answer.bus_seats) else 0.0
        return "bus", float(max(0.0, answer.bus_seats_needed - there)) if answer.bus_seats_needed > 0 else 0.0
    return "", 0.0
