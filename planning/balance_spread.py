"""Spread between schools: 差异系数, weighted by enrolment as the official method has it, and unweighted beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planning.balance_registry import BalanceIndicator
from planning.balance_rules import COMPOSITE_RULE, SPREAD_RULE, find_rule, read_limit
from planning.balance_tables import BALANCE_SPREAD_COLUMNS, BALANCE_STAGES, COMPOSITE, NO, UNKNOWN, YES, BalanceKind
from planning.measures import Values, compute_cv, compute_mean
from planning.rules import Rule, Rules

TOLERANCE = 1e-9
"""Relative slack of comparisons: a value that is its limit but for rounding in the last digit meets it."""


@dataclass(frozen=True)
class Spread:
    """Coefficients of variation of one indicator; NaN where they cannot be.

    ``mean`` is Σx/ΣP in the units of the values; ``sd`` the weighted deviation; ``sample``: unweighted, n − 1.
    """

    mean: float
    sd: float
    weighted: float
    unweighted: float
    sample: float
    schools: int


def compute_spread(values: Values, pupils: Values) -> Spread:
    """Return the spread of ``values`` (per pupil, or per hundred) between schools.

    ``S = sqrt(Σ (P_i / N) (X_i − X̄)²)``, ``CV = S / X̄`` with ``N = Σ P_i`` and ``X̄ = Σ x_i / N`` = the mean of the
    values weighted by pupils (县域义务教育校际均衡指标计算方法). Schools without a value or pupils have no part in it.
    """
    values, pupils = np.asarray(values, dtype=np.float64), np.asarray(pupils, dtype=np.float64)
    known = np.isfinite(values) & (pupils > 0)
    own, weights = values[known], pupils[known]
    mean, plain = compute_mean(own, weights), compute_mean(own)
    weighted = compute_cv(own, weights)
    sample = float(np.std(own, ddof=1) / plain) if len(own) > 1 and plain else float("nan")
    return Spread(
        mean=mean,
        sd=weighted * mean,
        weighted=weighted,
        unweighted=compute_cv(own),
        sample=sample,
        schools=int(known.sum()),
    )


def compute_composite(cvs: Sequence[float]) -> float:
    """Return the 综合差异系数 of 2012: the plain mean of the single coefficients; NaN as soon as one is not known."""
    found = np.asarray(cvs, dtype=np.float64)
    return float(found.mean()) if len(found) else float("nan")


def meets(value: float, limit: float, op: str = "<=") -> str:
    """Return yes or no, unknown where either number is not known."""
    if np.isnan(value) or np.isnan(limit):
        return UNKNOWN
    slack = TOLERANCE * max(abs(limit), 1e-12)
    holds = {
        "<=": value <= limit + slack,
        "<": value < limit - slack,
        ">=": value >= limit - slack,
        ">": value > limit + slack,
        "=": abs(value - limit) <= slack,
    }[op]
    return YES if holds else NO


def build_spread(
    indicators: pd.DataFrame, registry: Sequence[BalanceIndicator], rules: Rules, kind: BalanceKind, year: int | None
) -> pd.DataFrame:
    """Return ``BALANCE_SPREAD_COLUMNS`` from the rows of ``BALANCE_INDICATOR_COLUMNS``."""
    rows: list[dict[str, object]] = []
    for stage in BALANCE_STAGES:
        here = indicators[indicators["stage"] == stage]
        if here.empty:
            continue
        rule = find_rule(rules, SPREAD_RULE, stage, year=year) if kind == "quality" else None
        single: list[Spread] = []
        for item in registry:
            part = here[here["indicator"] == item.id]
            spread = compute_spread(part["value"].to_numpy(dtype=float), part["pupils"].to_numpy(dtype=float))
            single.append(spread)
            rows.append(_judge(stage, item.id, spread, rule, len(part) - spread.schools))
        if kind == "basic":
            limit = find_rule(rules, COMPOSITE_RULE, stage, year=year)
            rows.append(_build_composite(stage, single, limit, here["school_id"].nunique()))
    return pd.DataFrame(rows, columns=list(BALANCE_SPREAD_COLUMNS))


def _build_composite(stage: str, single: Sequence[Spread], rule: Rule | None, schools: int) -> dict[str, object]:
    nan = float("nan")
    together = Spread(
        mean=nan,
        sd=nan,
        weighted=compute_composite([item.weighted for item in single]),
        unweighted=compute_composite([item.unweighted for item in single]),
        sample=compute_composite([item.sample for item in single]),
        schools=min(item.schools for item in single),
    )
    return _judge(stage, COMPOSITE, together, rule, schools - together.schools)


def _judge(stage: str, indicator: str, spread: Spread, rule: Rule | None, unknown: int) -> dict[str, object]:
    limit = read_limit(rule, stage)
    met, plain = meets(spread.weighted, limit), meets(spread.unweighted, limit)
    return {
        "stage": stage,
        "indicator": indicator,
        "cv": spread.weighted,
        "cv_unweighted": spread.unweighted,
        "cv_sample": spread.sample,
        "limit": limit,
        "met": met,
        "met_unweighted": plain,
        "flips": {met, plain} == {YES, NO},
        "schools": spread.schools,
        "mean": spread.mean,
        "schools_unknown": unknown,
        "rule_id": "" if rule is None else rule.id,
        "verified": rule is not None and rule.verified,
    }
