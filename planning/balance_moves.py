"""How a scenario moves the inspection, and what each school is short of."""

from __future__ import annotations

import math

import pandas as pd

from planning.balance_tables import (
    BALANCE_MOVE_COLUMNS,
    BALANCE_STAGES,
    FAILED,
    PASSED,
    SHORTAGE_COLUMNS,
    UNKNOWN,
    YES,
    Balance,
)

_SPREAD_MEASURES = ("cv", "cv_unweighted", "mean")
_LOWER_IS_BETTER = ("cv", "cv_unweighted", "schools_failed", "schools_unknown")


def compare_balance(balance: Balance) -> pd.DataFrame:
    """Return how indicators, spread and verdicts move: ``BALANCE_MOVE_COLUMNS``; empty without ``before``."""
    if balance.before is None:
        return pd.DataFrame(columns=list(BALANCE_MOVE_COLUMNS))
    rows: list[dict[str, object]] = []
    judged = [set(side.schools["stage"]) for side in (balance.before, balance)]
    for stage in [stage for stage in BALANCE_STAGES if all(stage in side for side in judged)]:
        rows += _compare_spread(balance, balance.before, stage)
        rows += _compare_met(balance, balance.before, stage)
        rows += _compare_verdicts(balance, balance.before, stage)
    return pd.DataFrame(rows, columns=list(BALANCE_MOVE_COLUMNS))


def _row(stage: str, indicator: str, measure: str, before: float, after: float, **more: object) -> dict[str, object]:
    change = after - before
    return {
        "stage": stage,
        "indicator": indicator,
        "measure": measure,
        "before": before,
        "after": after,
        "change": change,
        "limit": float("nan"),
        "met_before": "",
        "met_after": "",
        "better": _judge_change(measure, change),
        **more,
    }


def _judge_change(measure: str, change: float) -> str:
    if not math.isfinite(change) or abs(change) <= 1e-12:
        return ""
    return YES if (change < 0) == (measure in _LOWER_IS_BETTER) else "no"


def _compare_spread(after: Balance, before: Balance, stage: str) -> list[dict[str, object]]:
    sides = [item.spread[item.spread["stage"] == stage].set_index("indicator") for item in (before, after)]
    rows = []
    for name in dict.fromkeys([*sides[0].index, *sides[1].index]):
        for measure in _SPREAD_MEASURES:
            was, now = (float(side[measure].get(name, float("nan"))) for side in sides)
            more: dict[str, object] = {}
            if measure != "mean":
                word = "met" if measure == "cv" else "met_unweighted"
                limits = [float(side["limit"].get(name, float("nan"))) for side in sides]
                more = {
                    "limit": limits[1] if math.isfinite(limits[1]) else limits[0],
                    "met_before": str(sides[0][word].get(name, UNKNOWN)),
                    "met_after": str(sides[1][word].get(name, UNKNOWN)),
                }
            rows.append(_row(stage, str(name), measure, was, now, **more))
    return rows


def _compare_met(after: Balance, before: Balance, stage: str) -> list[dict[str, object]]:
    sides = [item.indicators[item.indicators["stage"] == stage] for item in (before, after)]
    rows = []
    for name in dict.fromkeys([*sides[0]["indicator"], *sides[1]["indicator"]]):
        words = [side[side["indicator"] == name].set_index("school_id")["met"] for side in sides]
        for measure, word in (("schools_met", YES), ("schools_unknown", UNKNOWN)):
            rows.append(_count(stage, str(name), measure, word, *words))
    return rows


def _count(
    stage: str, indicator: str, measure: str, word: str, before: pd.Series[str], after: pd.Series[str]
) -> dict[str, object]:
    """Return the row of a number of schools; both series are by school.

    Fewer schools that meet a limit are not worse where the others have closed: only those that are still there count.
    """
    was, now = (float((side == word).sum()) for side in (before, after))
    stay = before[before.index.isin(after.index)]
    gain = now - was if measure in _LOWER_IS_BETTER else now - float((stay == word).sum())
    return _row(stage, indicator, measure, was, now, better=_judge_change(measure, gain))


def _compare_verdicts(after: Balance, before: Balance, stage: str) -> list[dict[str, object]]:
    tables = [item.schools[item.schools["stage"] == stage] for item in (before, after)]
    words = [table.set_index("school_id")["status"] for table in tables]
    counted = (("schools_passed", PASSED), ("schools_failed", FAILED), ("schools_unknown", UNKNOWN))
    return [_count(stage, "", measure, word, *words) for measure, word in counted]


def list_shortages(balance: Balance) -> pd.DataFrame:
    """Return what each school lacks to reach its limits: ``SHORTAGE_COLUMNS``, rows below their limit only.

    ``short_full``: to the limit; ``short_floor``: to 85 % of it. In ``asset_unit``: teachers, m2, cny, rooms.
    Ordered by stage, indicator and the relative shortage, worst first.
    """
    rows = balance.indicators[balance.indicators["met"] == "no"]
    ordered = rows.sort_values(["stage", "indicator", "ratio", "school_id"], kind="stable", ignore_index=True)
    order = {stage: at for at, stage in enumerate(BALANCE_STAGES)}
    ordered = ordered.sort_values("stage", key=lambda column: column.map(order), kind="stable", ignore_index=True)
    return ordered.loc[:, list(SHORTAGE_COLUMNS)]
