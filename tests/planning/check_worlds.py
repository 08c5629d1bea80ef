"""What the tests of rule checks share: rulebooks of one rule, and a short way to check a county."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from geodata.study import StudyArea
from planning.actions import Action
from planning.rule_checks import check_rules
from planning.rules import Rules, build_rules
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario


def make_rules(*rules: dict[str, Any]) -> Rules:
    """Return a rulebook of these rules; each needs ``key`` and ``value``, ids are R0, R1, …"""
    usual = {
        "name_en": "A rule",
        "name_zh": "规则",
        "unit": "",
        "op": "<=",
        "severity": "block",
        "source": "the test",
        "verified": True,
        "evidence": "official",
    }
    tables = [{"id": f"T{number}", **usual, **rule} for number, rule in enumerate(rules)]
    return build_rules({"name": "test", "version": "1", "rule": tables})


def ask(study: StudyArea, rules: Rules, *actions: Action, **settings: Any) -> Outcome:
    """Return the answer to a scenario."""
    return run_scenario(study, rules, Scenario(actions=actions, **settings))


def check(study: StudyArea, rules: Rules, *actions: Action, **settings: Any) -> pd.DataFrame:
    """Return the checks of a scenario."""
    return check_rules(study, rules, ask(study, rules, *actions, **settings))


def pick(checks: pd.DataFrame, subject_id: str, rule_id: str = "T0", **where: str) -> Any:
    """Return the one row about a subject."""
    rows = checks[(checks["subject_id"] == subject_id) & (checks["rule_id"] == rule_id)]
    for name, value in where.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def change(study: StudyArea, table: str, school_id: str, **columns: float) -> StudyArea:
    """Return the study with other numbers for a school in one of its tables."""
    found = getattr(study, table).copy()
    for name, value in columns.items():
        found.loc[found["school_id"] == school_id, name] = value
    return replace(study, **{table: found}, fingerprint=study.fingerprint + repr((table, school_id, columns)))


def add_rows(study: StudyArea, table: str, *rows: dict[str, Any]) -> StudyArea:
    """Return the study with rows added to one of its tables; what is not given is unknown."""
    empty = getattr(study, table)
    text = [name for name in empty.columns if not pd.api.types.is_numeric_dtype(empty[name])]
    given = [{**dict.fromkeys(text, ""), **row} for row in rows]
    added = pd.DataFrame(given).reindex(columns=list(empty.columns))
    found = added if empty.empty else pd.concat([empty, added], ignore_index=True)
    return replace(study, **{table: found}, fingerprint=study.fingerprint + repr(rows))
