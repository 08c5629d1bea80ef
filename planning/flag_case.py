"""What one flag is, and what every flag function reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geodata.messages import Message
from planning.rules import Rule, Rules
from planning.scenario import Scenario
from planning.tables import StageTables

FLAG_COLUMNS = (
    "subject",
    "subject_id",
    "name",
    "stage",
    "flag",
    "severity",
    "value",
    "limit",
    "unit",
    "rule_id",
    "reason",
)


@dataclass(frozen=True)
class Flag:
    """One finding; the fields are the columns of the flag table."""

    subject: str
    subject_id: str
    name: str
    stage: str
    flag: str
    severity: str
    reason: Message
    value: float = float("nan")
    limit: float = float("nan")
    unit: str = ""
    rule_id: str = ""


@dataclass(frozen=True, eq=False)
class FlagCase:
    """What every flag function reads."""

    tables: StageTables
    rules: Rules
    scenario: Scenario
    year: int | None

    @property
    def stage(self) -> str:
        """The stage judged."""
        return self.tables.stage


def iterate_rows(table: pd.DataFrame) -> Iterator[Any]:
    """Return the rows as named tuples."""
    return iter(table.itertuples(index=False))


def build_rule_flag(rule: Rule, stage: str, flag: str, subject: str, row: Any, value: float, reason: Message) -> Flag:
    """Return a flag about one school or unit (``row`` of its table)."""
    return Flag(
        subject=subject,
        subject_id=str(row.school_id if subject == "school" else row.unit_id),
        name=str(row.name),
        stage=stage,
        flag=flag,
        severity=rule.severity,
        reason=reason,
        value=float(value),
        limit=rule.limit(stage),
        unit=rule.unit,
        rule_id=rule.id,
    )
