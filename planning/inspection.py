"""The items of the inspections beside the indicators: those that data answer, reported numbers, and documents to show.

Each item takes the first of these that decides it: data of the study; a number in ``study.evidence``; the answer yes or
no that stands there. Where data and the reported number disagree, data decide and the note says so.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

import pandas as pd

from geodata.messages import Message, msg
from planning.balance_rules import find_rule
from planning.balance_spread import meets
from planning.balance_tables import BALANCE_ITEM_COLUMNS, NO, UNKNOWN, YES, BalanceKind
from planning.inspection_county import read_share_limit
from planning.inspection_facts import Basis, Finding, InspectionFacts, InspectionItem
from planning.inspection_items import INSPECTION_ITEMS
from planning.rules import Rule

SHARE_UNITS = ("share", "ratio")


def build_items(facts: InspectionFacts, kind: BalanceKind) -> pd.DataFrame:
    """Return ``BALANCE_ITEM_COLUMNS``: one row per item and stage of an inspection."""
    rows: list[dict[str, object]] = []
    evidence = read_evidence(facts.study.evidence)
    for item in INSPECTION_ITEMS:
        if item.kind == kind:
            rows += _answer_item(item, facts, evidence)
    return pd.DataFrame(rows, columns=list(BALANCE_ITEM_COLUMNS))


def read_evidence(table: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return the rows of ``study.evidence`` by item id; a later row of the same item wins."""
    columns = ("reported_value", "met", "document", "dated", "note")
    rows = table.reindex(columns=["item_id", *columns]).astype(object).fillna("").astype(str).to_dict("records")
    return {str(row["item_id"]).strip(): {name: str(row[name]).strip() for name in columns} for row in rows}


def read_reported(text: str) -> float:
    """Return a reported number: ``0.95``, ``95%``, ``９５％``, ``1,200``; NaN where it is none.

    Percent is never guessed: 95 is 95, not 0.95.
    """
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "").replace("％", "%")
    found = re.fullmatch(r"[≥>=≤<约]*([+-]?\d+(?:\.\d+)?)(%?)", plain)
    if found is None:
        return float("nan")
    return float(found[1]) / (100.0 if found[2] else 1.0)


def _answer_item(
    item: InspectionItem, facts: InspectionFacts, evidence: dict[str, dict[str, str]]
) -> list[dict[str, object]]:
    computed = item.compute(facts) if item.compute is not None else []
    by_stage = {finding.stage: finding for finding in computed}
    stages = list(by_stage) or list(item.stages)
    return [_answer(item, facts, stage, by_stage.get(stage), evidence) for stage in stages]


def _answer(
    item: InspectionItem,
    facts: InspectionFacts,
    stage: str,
    finding: Finding | None,
    evidence: dict[str, dict[str, str]],
) -> dict[str, object]:
    """Return one row; see the module for what decides."""
    limit = _find_limit(item, facts, stage, finding)
    given = evidence.get(f"{item.id}.{stage}", {}) if stage else {}
    given = given or evidence.get(item.id, {})
    reported = read_reported(given.get("reported_value", "")) if given.get("reported_value") else float("nan")
    notes = [finding.note] if finding is not None else []
    met, value = UNKNOWN, float("nan")
    basis: Basis = "evidence"
    if finding is not None and item.compute is not None:
        met, value = finding.met, finding.value
        basis = "data" if met != UNKNOWN or not math.isnan(value) else "evidence"
    if met != UNKNOWN:
        notes.append(_compare_reported(item, value, reported, given.get("met", "")))
    elif given.get("reported_value"):
        met, value, basis, said = _read_answer(item, reported, given, limit)
        notes.append(said)
    elif given.get("met") in (YES, NO):
        met, basis = given["met"], "evidence"
    rule = _find_own_rule(item, facts, stage)
    missing = finding.missing if finding is not None and met == UNKNOWN else ()
    if met == UNKNOWN and item.group != "resources":
        missing = (*missing, "evidence.reported_value" if item.op else "evidence.met")
    return {
        "item_id": item.id,
        "name": item.name,
        "value": value,
        "limit": limit,
        "op": item.op,
        "met": met,
        "missing": ";".join(missing),
        "basis": basis,
        "document": " ".join(text for text in (given.get("document", ""), given.get("dated", "")) if text),
        "stage": stage,
        "group": item.group,
        "unit": item.unit,
        "show": item.show,
        "note": join_notes([note for note in notes if note is not None]),
        "verified": rule is None or rule.verified,
        "rule_id": "" if rule is None else rule.id,
    }


def _find_own_rule(item: InspectionItem, facts: InspectionFacts, stage: str) -> Rule | None:
    """Return the rule behind an item: that of its id, else the one of its key."""
    named = [rule for rule in facts.rules.rules if rule.id == item.id]
    if named:
        return named[0]
    return find_rule(facts.rules, item.key, stage or "all", year=facts.year) if item.key else None


def _find_limit(item: InspectionItem, facts: InspectionFacts, stage: str, finding: Finding | None) -> float:
    if finding is not None and finding.limit is not None:
        return finding.limit
    if not item.key or not item.op:
        return float("nan")
    return read_share_limit(facts, item.key, item.param, stage or "all")


def _read_answer(
    item: InspectionItem, reported: float, given: dict[str, str], limit: float
) -> tuple[str, float, Basis, Message | None]:
    """Judge a reported number; one that cannot be read, or a share above 1, decides nothing."""
    stated = given.get("met", "")
    fallback = stated if stated in (YES, NO) else UNKNOWN
    if math.isnan(reported):
        wrong = msg("The reported value {text} is not a number.", text=given["reported_value"])
        return fallback, float("nan"), "evidence", wrong
    if item.unit in SHARE_UNITS and item.op in (">=", ">") and reported > 1.0:
        wrong = msg("The reported value {text} is above 1: write shares as 0.95 or 95%.", text=given["reported_value"])
        return fallback, float("nan"), "evidence", wrong
    word = meets(reported, limit, item.op) if item.op else UNKNOWN
    if word == UNKNOWN:
        return fallback, reported, "reported", None
    differs = stated in (YES, NO) and stated != word
    note = msg("Reported as met or not met against its own number: the number decides.") if differs else None
    return word, reported, "reported", note


def _compare_reported(item: InspectionItem, value: float, reported: float, stated: str) -> Message | None:
    if math.isnan(reported) or math.isnan(value) or not item.op:
        return None
    if abs(reported - value) <= 0.005 * max(abs(value), abs(reported)):
        return None
    return msg("Reported: {reported:,.3f}; the data of the study give {value:,.3f}.", reported=reported, value=value)


def join_notes(notes: Sequence[Message]) -> Message | None:
    """Return notes as one message; None for none."""
    if not notes:
        return None
    found = notes[0]
    for note in notes[1:]:
        found = msg("{first} {second}", first=found, second=note)
    return found
