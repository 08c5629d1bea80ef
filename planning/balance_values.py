"""What each school part has of each indicator, against its limit, and the verdict on the school."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from planning.balance_registry import BalanceIndicator
from planning.balance_rules import (
    SHARED_TEACHERS_RULE,
    SPORTS_RULE,
    PassRule,
    find_rule,
    read_limit,
    read_names,
    read_pass_rule,
)
from planning.balance_spread import meets
from planning.balance_tables import (
    BALANCE_INDICATOR_COLUMNS,
    BALANCE_SCHOOL_COLUMNS,
    FAILED,
    NO,
    PASSED,
    UNKNOWN,
    YES,
    BalanceKind,
)
from planning.rules import Rule, Rules

WHOLE_SLACK = 1e-6


@dataclass(frozen=True)
class Counted:
    """The assets of one part that count for one indicator."""

    total: float
    missing: tuple[str, ...] = ()
    note: Message | None = None


def build_values(
    parts: pd.DataFrame, registry: Sequence[BalanceIndicator], rules: Rules, year: int | None
) -> pd.DataFrame:
    """Return ``BALANCE_INDICATOR_COLUMNS``.

    Parameters
    ----------
    parts
        School parts in scope with their assets: ``PART_COLUMNS`` and ``ASSET_COLUMNS``, ``split_columns``.
    registry
        Indicators.
    """
    floor = read_pass_rule(rules).floor_share
    rows: list[dict[str, object]] = []
    limits: dict[tuple[str, str, str, str], float] = {}
    for part in list_records(parts):
        for item in registry:
            scope = (item.rule_key, str(part["stage"]), str(part["kind"]), str(part["setting"]))
            if scope not in limits:
                limits[scope] = _find_limit(rules, scope, year)
            rows.append(_judge(part, item, count_assets(part, item, rules), limits[scope], floor))
    return pd.DataFrame(rows, columns=list(BALANCE_INDICATOR_COLUMNS))


def _find_limit(rules: Rules, scope: tuple[str, str, str, str], year: int | None) -> float:
    key, stage, kind, setting = scope
    return read_limit(find_rule(rules, key, stage, kind=kind, setting=setting, year=year) if key else None, stage)


def list_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dicts."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def count_assets(part: Mapping[str, object], item: BalanceIndicator, rules: Rules) -> Counted:
    """Return the assets of a part that count for an indicator, with the exceptions of R3 and R5."""
    numbers = {name: _read(part, name) for name in item.columns}
    missing = tuple(f"assets.{name}" for name, value in numbers.items() if math.isnan(value))
    total = sum(numbers[name] for name in item.plus) - sum(numbers[name] for name in item.minus)
    note = _tell_split(part, item)
    if total < 0:
        return Counted(float("nan"), (), msg("More is taken off than there is: check indoor sports rooms."))
    if item.rule_key == SHARED_TEACHERS_RULE:
        return _add_shared_teachers(part, Counted(total, missing, note), rules)
    if item.rule_key == SPORTS_RULE:
        return _add_rented(part, Counted(total, missing, note), rules)
    return Counted(total, missing, note)


def _read(part: Mapping[str, object], name: str) -> float:
    value = part.get(name)
    return float(value) if isinstance(value, int | float | np.number) else float("nan")


def _tell_split(part: Mapping[str, object], item: BalanceIndicator) -> Message | None:
    made = set(str(part.get("split_columns") or "").split(";")) & set(item.columns)
    if not made:
        return None
    if item.asset_unit == "teachers":
        return msg(
            "Teachers were given for the whole school and are split by weighted pupils: better count them by stage."
        )
    return msg("Shared by the stages of the school: split by weighted pupils.")


def _add_shared_teachers(part: Mapping[str, object], own: Counted, rules: Rules) -> Counted:
    """Add rotating, part-time and itinerant teachers where the rule says so: rural schools of 50 to 99 pupils (R3)."""
    size = _read(part, "school_pupils")
    facts = {"school_pupils": _read(part, "pupils") if math.isnan(size) else size}
    rule = _settle(rules, SHARED_TEACHERS_RULE, part, facts)
    if rule is None:
        return own
    if not rule.params.get("count_shared_teachers"):
        if not rule.may_be_relaxed:
            return own
        return Counted(
            own.total, own.missing, msg("Whether the school is rural is not known: shared teachers not counted.")
        )
    shared = _read(part, "shared_pe_art_teachers")
    if math.isnan(shared):
        return Counted(
            own.total, own.missing, msg("A small rural school: shared teachers would count, but are not given.")
        )
    return Counted(
        own.total + shared,
        own.missing,
        msg("A small rural school: {count:,.1f} shared teachers counted.", count=shared),
    )


def _add_rented(part: Mapping[str, object], own: Counted, rules: Rules) -> Counted:
    """Add rented venues within ten minutes on foot, in towns named as dense core only (exception of R5)."""
    rented = _read(part, "rented_sports_m2")
    if math.isnan(rented) or rented <= 0:
        return own
    cores = read_names(find_rule(rules, SPORTS_RULE, str(part["stage"])), "dense_core_towns")
    rule = _settle(rules, SPORTS_RULE, part, {"dense_core": bool(part.get("town")) and part["town"] in cores})
    if rule is not None and rule.params.get("count_rented_venues"):
        note = msg("Dense core: {area:,.0f} m² of rented venues counted.", area=rented)
        return Counted(own.total + rented, own.missing, note)
    return Counted(
        own.total, own.missing, msg("{area:,.0f} m² of rented venues not counted: not a dense core.", area=rented)
    )


def _settle(rules: Rules, key: str, part: Mapping[str, object], facts: Mapping[str, object]) -> Rule | None:
    """Return a rule as it holds for one school."""
    scope = {name: str(part.get(name) or "") for name in ("kind", "setting")}
    return find_rule(rules, key, str(part["stage"]), **scope, facts={**facts, "pupils": _read(part, "pupils")})


def _judge(
    part: Mapping[str, object], item: BalanceIndicator, counted: Counted, limit: float, floor: float
) -> dict[str, object]:
    pupils = _read(part, "pupils")
    value = counted.total / pupils * item.per if pupils > 0 else float("nan")
    return {
        "school_id": part["school_id"],
        "name": part["name"],
        "stage": part["stage"],
        "indicator": item.id,
        "total": counted.total,
        "pupils": pupils,
        "value": value,
        "limit": limit,
        "ratio": value / limit if limit > 0 else float("nan"),
        "met": meets(value, limit, ">="),
        "missing": ";".join(counted.missing),
        "note": counted.note,
        "short_full": compute_short(counted.total, limit * pupils / item.per, item.whole),
        "short_floor": compute_short(counted.total, floor * limit * pupils / item.per, item.whole),
        "asset_unit": item.asset_unit,
    }


def compute_short(total: float, needed: float, whole: bool) -> float:
    """Return what is missing of ``needed``, in whole pieces where asked; 0 where nothing is, NaN where unknown."""
    short = needed - total
    if math.isnan(short):
        return float("nan")
    if short <= WHOLE_SLACK * max(1.0, needed) * 1e-3:
        return 0.0
    return float(math.ceil(short - WHOLE_SLACK)) if whole else short


def judge_schools(parts: pd.DataFrame, values: pd.DataFrame, rules: Rules, kind: BalanceKind) -> pd.DataFrame:
    """Return ``BALANCE_SCHOOL_COLUMNS``: the six-of-seven rule on every part; for ``basic`` nobody is judged."""
    rule = read_pass_rule(rules)
    by_part = dict(list(values.groupby(["school_id", "stage"], sort=False)))
    rows = [
        _judge_school(part, by_part[(part["school_id"], part["stage"])], rule, kind) for part in list_records(parts)
    ]
    return pd.DataFrame(rows, columns=list(BALANCE_SCHOOL_COLUMNS))


def _judge_school(
    part: Mapping[str, object], rows: pd.DataFrame, rule: PassRule, kind: BalanceKind
) -> dict[str, object]:
    met = [str(word) for word in rows["met"]]
    below = rows[rows["met"] == NO]
    floors = [meets(float(ratio), rule.floor_share, ">=") for ratio in below["ratio"]]
    unknown = met.count(UNKNOWN)
    floor = NO if NO in floors else (UNKNOWN if unknown else YES)
    judged = kind == "quality"
    return {
        **{name: part[name] for name in ("school_id", "name", "stage", "pupils", "kind", "setting", "town")},
        "met_count": met.count(YES),
        "of": len(met) if judged else 0,
        "floor_ok": floor if judged else UNKNOWN,
        "status": judge_pass(met, floors, rule) if judged else UNKNOWN,
        "short_indicators": ";".join(str(name) for name in below["indicator"]),
        "unknown_count": int(rows["value"].isna().sum()),
    }


def judge_pass(met: Sequence[str], floors: Sequence[str], rule: PassRule) -> str:
    """Return passed, failed or unknown.

    Failed as soon as it is sure: more indicators are missed than may be, or one lies below the floor. Passed only when
    nothing that is not known could change it.
    """
    allowed = len(met) - rule.min_met
    if list(met).count(NO) > allowed or NO in floors:
        return FAILED
    return UNKNOWN if UNKNOWN in met else PASSED
