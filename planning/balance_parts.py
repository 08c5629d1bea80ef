"""School parts: the stages of each school with their pupils, and which of them an inspection counts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.balance_rules import SCOPE_RULE, find_rule, read_limit
from planning.balance_tables import BALANCE_STAGES, LEFT_OUT_COLUMNS
from planning.rules import Rules
from planning.run import Outcome
from planning.scenario import name_stage
from planning.tables import build_stage_schools

PART_COLUMNS = (
    *("school_id", "stage", "name", "kind", "setting", "town", "ownership"),
    *("pupils", "classes", "mean_class_pupils", "school_pupils"),
)
OUT_OF_SCOPE_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "special": ("特殊教育", "特教", "培智", "启智", "聋", "盲人", "盲校", "special school", "special education"),
        "vocational": ("职业", "中专", "中等专业", "技工", "职教", "vocational"),
    }
)
"""Words in a name that tell a special or vocational school: the data dictionary has no such kinds."""
POINT_LIMIT_PUPILS = 50.0


def build_parts(study: StudyArea, outcome: Outcome | None, year: int | None) -> pd.DataFrame:
    """Return ``PART_COLUMNS`` of the stages primary, junior and senior, ordered by school and stage.

    Pupils and classes are those of the outcome's stages where it has them (projected rolls after actions), else those
    of the rolls: also of stages that the actions change but nobody asked about (:func:`list_unasked_stages`), which
    shared assets have to be split with. ``school_pupils``: all these stages of the school; NaN where one is not known.
    """
    answered = {tables.stage: tables.schools for tables in outcome.stages} if outcome is not None else {}
    found = []
    for stage in (*BALANCE_STAGES, "senior"):
        schools = answered.get(stage)
        if schools is None:
            schools = build_stage_schools(study, stage, year)
        found.append(schools.assign(pupils=schools["actual_pupils"].astype(float), stage=stage))
    table = pd.concat(found, ignore_index=True)
    table["school_pupils"] = table.groupby("school_id")["pupils"].transform("sum", skipna=False)
    table["classes"] = table["classes"].astype(float)
    table = table.sort_values(["school_id", "stage"], kind="stable", ignore_index=True)
    return table.loc[:, list(PART_COLUMNS)].astype({"school_id": str, "stage": str})


def list_unasked_stages(outcome: Outcome) -> tuple[str, ...]:
    """Return compulsory stages that the actions change, but that the scenario does not ask about."""
    asked = {tables.stage for tables in outcome.stages}
    touched = set(outcome.changes["stage"].astype(str)) if len(outcome.changes) else set()
    return tuple(stage for stage in BALANCE_STAGES if stage in touched and stage not in asked)


def find_scope(parts: pd.DataFrame, rules: Rules) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the compulsory parts that count, and the others with the reason (``LEFT_OUT_COLUMNS``).

    Out of scope: teaching points below the size of rule R-scope, special and vocational schools (by their name), and
    parts without pupils or whose pupils are not known: these have no value, not the value 0.
    """
    limit = read_limit(find_rule(rules, SCOPE_RULE), "primary")
    limit = POINT_LIMIT_PUPILS if np.isnan(limit) else limit
    compulsory = parts[parts["stage"].isin(BALANCE_STAGES)]
    columns = [compulsory[name].tolist() for name in ("name", "kind", "pupils", "stage")]
    reasons = [
        _find_reason(str(name), str(kind), float(pupils), str(stage), limit)
        for name, kind, pupils, stage in zip(*columns, strict=True)
    ]
    kept = np.array([reason is None for reason in reasons], dtype=bool)
    out = compulsory.assign(reason=pd.Series(reasons, index=compulsory.index, dtype=object))[~kept]
    return compulsory[kept].reset_index(drop=True), out.loc[:, list(LEFT_OUT_COLUMNS)].reset_index(drop=True)


def _find_reason(name: str, kind: str, pupils: float, stage: str, limit: float) -> Message | None:
    lower = name.lower()
    if any(word in lower for word in OUT_OF_SCOPE_WORDS["special"]):
        return msg("A special school, by its name: not part of this inspection.")
    if any(word in lower for word in OUT_OF_SCOPE_WORDS["vocational"]):
        return msg("A vocational school, by its name: not part of this inspection.")
    if np.isnan(pupils):
        return msg("How many pupils it has in {stage} is not known: no value.", stage=name_stage(stage))
    if pupils <= 0:
        return msg("It has no pupils in {stage}: no value, not the value 0.", stage=name_stage(stage))
    if kind == "teaching_point" and pupils < limit:
        return msg(
            "A teaching point of {pupils:,.0f} pupils: those below {limit:,.0f} are not counted.",
            pupils=pupils,
            limit=limit,
        )
    return None
