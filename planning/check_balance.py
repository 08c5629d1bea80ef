"""Checks that the balance inspection answers: assets of every school, the spread between schools, and the items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from planning.balance_registry import find_indicator
from planning.balance_rules import read_param
from planning.check_case import CURES, Block, CheckCase, build_row
from planning.rules import Rule

_STATUS = {"yes": "passed", "no": "failed", "unknown": "unknown"}


def check_assets(case: CheckCase, key: str) -> Iterator[Block]:
    """Assets per pupil of every school (R1 to R7); the cure is teachers, m², yuan or rooms."""
    if case.balance is None:
        return
    table = case.balance.indicators
    keys = {name: find_indicator(name).rule_key for name in table["indicator"].unique()}
    rows = table[table["indicator"].map(keys) == key]
    for stage, part in rows.groupby("stage", sort=True):
        rule = case.rules.find(key, str(stage), year=case.year)
        if rule is not None and rule.severity != "evidence":
            yield _judge_assets(rule, str(stage), part)


def _judge_assets(rule: Rule, stage: str, part: pd.DataFrame) -> Block:
    value, limit, short = (part[name].to_numpy(dtype=np.float64) for name in ("value", "limit", "short_full"))
    status = part["met"].map(_STATUS).to_numpy(dtype=object)
    failed = status == "failed"
    unit = str(part["asset_unit"].iloc[0])
    cure = unit if unit in CURES else ""
    amount = np.where(failed & (cure != ""), np.ceil(short - 1e-6), np.nan)
    size = len(part)
    block = {name: np.repeat(values, size) for name, values in build_row(rule, stage, "school", ("", ""), "").items()}
    return block | {
        "subject_id": part["school_id"].to_numpy(dtype=object),
        "subject_name": part["name"].to_numpy(dtype=object),
        "status": status,
        "measured": value,
        "limit": limit,
        "short_by": np.where(failed, limit - value, np.where(status == "passed", 0.0, np.nan)),
        "missing": part["missing"].to_numpy(dtype=object),
        "cure": np.where(amount > 0, cure, ""),
        "cure_amount": amount,
        "pupils": part["pupils"].to_numpy(dtype=np.float64),
    }


def check_passes(case: CheckCase, key: str) -> Iterator[Block]:
    """Whether every school meets enough of its indicators, with the rest above the floor."""
    if case.balance is None:
        return
    gaps = case.balance.indicators
    missing = gaps[gaps["missing"] != ""].groupby(["school_id", "stage"])["missing"].agg(";".join)
    for row in _iterate(case.balance.schools):
        rule = case.rules.find(key, str(row.stage), year=case.year)
        if rule is None or rule.severity == "evidence":
            continue
        lacks = str(missing.get((row.school_id, row.stage), "")) if row.status == "unknown" else ""
        wanted = read_param(rule, "min_met", float(row.of))
        met = float(row.met_count)
        yield build_row(
            rule,
            str(row.stage),
            "school",
            (str(row.school_id), str(row.name)),
            str(row.status),
            measured=met,
            limit=wanted,
            op=">=",
            unit="indicators",
            short_by=max(0.0, wanted - met) if row.status == "failed" else 0.0 if row.status == "passed" else np.nan,
            missing=";".join(dict.fromkeys(part for part in lacks.split(";") if part)),
            detail=str(row.short_indicators),
            pupils=float(row.pupils),
        )


def check_spread(case: CheckCase, key: str) -> Iterator[Block]:
    """Coefficient of variation between schools of every indicator, weighted by enrolment."""
    if case.balance is None:
        return
    for row in _iterate(case.balance.spread):
        rule = case.rules.find(key, str(row.stage), year=case.year)
        if rule is None or rule.id != row.rule_id or rule.severity == "evidence":
            continue
        status = _STATUS[str(row.met)]
        if status == "passed" and row.schools_unknown > 0:
            status = "unknown"  # a school without a value may lie far from the others
        cv, limit = float(row.cv), float(row.limit)
        table = case.balance.indicators
        own = table[(table["indicator"] == row.indicator) & (table["stage"] == row.stage) & (table["missing"] != "")]
        lacks = sorted({part for cell in own["missing"] for part in str(cell).split(";")})
        yield build_row(
            rule,
            str(row.stage),
            "county",
            ("", ""),
            status,
            measured=cv,
            limit=limit,
            short_by=cv - limit if status == "failed" else 0.0 if status == "passed" else np.nan,
            missing=";".join(lacks) if status == "unknown" else "",
            detail=str(row.indicator),
        )


def check_items(case: CheckCase, key: str) -> Iterator[Block]:
    """Return the items of the inspection that are rules of ``key``, for the county."""
    wanted = {rule.id: rule for rule in case.rules.rules if rule.enabled and rule.key == key}
    yield from _tell_items(case, wanted)


def find_item_rows(case: CheckCase, known: set[str]) -> Iterator[Block]:
    """Return the other items of the inspection that are rules of the book and have no row yet (``known``)."""
    wanted = {rule.id: rule for rule in case.rules.rules if rule.enabled and rule.id not in known}
    yield from _tell_items(case, wanted)


def _tell_items(case: CheckCase, wanted: Mapping[str, Rule]) -> Iterator[Block]:
    if case.balance is None:
        return
    for row in _iterate(case.balance.items):
        rule = wanted.get(str(row.rule_id or row.item_id))
        if rule is None:
            continue
        status = _STATUS.get(str(row.met), "unknown")
        if status == "unknown" and (rule.severity == "evidence" or not row.missing):
            status = "evidence"
        value, limit = _as_number(row.value), _as_number(row.limit)
        yield build_row(
            rule,
            str(row.stage or ""),
            "county",
            ("", ""),
            status,
            measured=value,
            limit=limit,
            op=str(row.op or rule.op),
            unit=str(row.unit or rule.unit),
            short_by=abs(value - limit) if status == "failed" else 0.0 if status == "passed" else np.nan,
            missing=str(row.missing or "") if status == "unknown" else "",
            document=str(row.document or ""),
        )


def _iterate(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def _as_number(value: object) -> float:
    return float(value) if isinstance(value, int | float | np.floating) else float("nan")
