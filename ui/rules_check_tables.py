"""What a check of a county found, as tables: by rule, by school or community, and which data would answer most."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from planning.rules import SEVERITIES, Rules
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_stage_short
from ui.rules_words import mark_rule, name_mark, name_rule, name_severity, say_limits
from ui.text import clean

STATES = ("failed", "unknown", "evidence", "passed")
WORST = {state: place for place, state in enumerate(STATES)}
COUNTED = ("failed", "unknown", "evidence", "passed")


def name_state(state: str, _: Translator) -> str:
    """Return how a check ended, with a sign that needs no colour."""
    names = {
        "failed": _("✗ failed"),
        "unknown": _("? unknown"),
        "evidence": _("□ to be shown"),
        "passed": _("✓ passed"),
    }
    return names.get(state, state)


def select_stage(checks: pd.DataFrame, stage: str) -> pd.DataFrame:
    """Return the checks of one stage, with those that are about no stage; all where ``stage`` is empty."""
    return checks[checks["stage"].isin([stage, ""])] if stage else checks


def count_by_rule(checks: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return one row per rule: ``rule_id``, ``severity``, a count for each of ``STATES``; the gravest failures first.

    Subjects are counted once for each stage that a rule judges them in.
    """
    columns = ["rule_id", *COUNTED]
    if checks.empty:
        return pd.DataFrame(columns=[*columns, "severity"])
    counts = checks.groupby(["rule_id", "status"], sort=False).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(COUNTED), fill_value=0).reset_index()
    counts.columns.name = None
    counts["severity"] = [rules.by_id(rule_id).severity for rule_id in counts["rule_id"]]
    ends = np.select([counts["failed"] > 0, counts["unknown"] > 0, counts["evidence"] > 0], [0, 1, 2], default=3)
    counts = counts.assign(_end=ends, _weight=counts["severity"].map(SEVERITIES.index))
    order = ["_end", "_weight", "failed", "unknown"]
    counts = counts.sort_values(order, ascending=[True, True, False, False], kind="stable")
    return counts.drop(columns=["_end", "_weight"]).reset_index(drop=True)


def build_rule_table(counts: pd.DataFrame, rules: Rules, _: Translator) -> pd.DataFrame:
    """Return the counts by rule as a reader sees them."""
    rows = []
    for row in counts.to_dict("records"):
        rule = rules.by_id(str(row["rule_id"]))
        numbers = [int(row[state]) or None for state in COUNTED]
        rows.append(
            (
                clean(name_rule(rule, _)),
                name_severity(rule.severity, _),
                *numbers,
                say_limits(rule, _),
                name_mark(mark_rule(rule), _),
                rule.id,
            )
        )
    states = [name_state(state, _) for state in COUNTED]
    columns = [_("Rule"), _("Severity"), *states, _("Limit"), _("Source read"), _("Id")]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(dict.fromkeys(states, "Int64")) if rows else table


def count_by_subject(checks: pd.DataFrame, subject: str) -> pd.DataFrame:
    """Return one row per school, community … : id, name, counts by state and of serious failures, the worst first."""
    rows = checks[checks["subject"] == subject]
    columns = ["subject_id", "subject_name", "serious", *COUNTED]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    grouped = rows.groupby("subject_id", sort=False)
    counts = rows.groupby(["subject_id", "status"], sort=False).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(COUNTED), fill_value=0)
    serious = rows[(rows["status"] == "failed") & (rows["severity"] == "block")].groupby("subject_id").size()
    counts.insert(0, "serious", serious.reindex(counts.index).fillna(0).astype(int))
    counts.insert(0, "subject_name", grouped["subject_name"].first().reindex(counts.index))
    counts.columns.name = None
    order = ["serious", "failed", "unknown"]
    return counts.reset_index().sort_values(order, ascending=False, kind="stable").reset_index(drop=True)[columns]


def list_failed(checks: pd.DataFrame, subject: str, rules: Rules, _: Translator) -> dict[str, str]:
    """Return by id of a school or community the rules that it fails, in words, the gravest first."""
    rows = checks[(checks["subject"] == subject) & (checks["status"] == "failed")]
    rows = rows.assign(_weight=rows["severity"].map(SEVERITIES.index)).sort_values("_weight", kind="stable")
    names = {rule_id: clean(name_rule(rules.by_id(rule_id), _), longest=60) for rule_id in rows["rule_id"].unique()}
    found: dict[str, dict[str, None]] = {}
    for key, rule_id in zip(rows["subject_id"], rows["rule_id"], strict=True):
        found.setdefault(str(key), {})[names[rule_id]] = None
    return {key: _("; ").join(said) for key, said in found.items()}


def build_subject_table(counts: pd.DataFrame, failed: dict[str, str], heading: str, _: Translator) -> pd.DataFrame:
    """Return the counts by school or community as a reader sees them; ``failed``: see :func:`list_failed`."""
    states = [name_state(state, _) for state in ("failed", "unknown", "passed")]
    table = pd.DataFrame(
        {
            heading: [
                clean(name or key) for name, key in zip(counts["subject_name"], counts["subject_id"], strict=True)
            ],
            _("▲ Serious"): counts["serious"].to_numpy(),
            **{
                title: counts[state].to_numpy()
                for title, state in zip(states, ("failed", "unknown", "passed"), strict=True)
            },
        }
    )
    numbers = list(table.columns[1:])
    table[numbers] = table[numbers].astype("Int64").replace(0, pd.NA)
    table.insert(3, _("Rules that fail"), [failed.get(str(key), "") for key in counts["subject_id"]])
    return table


def count_missing(checks: pd.DataFrame) -> pd.DataFrame:
    """Return which data are missing together, and how many rules and cases they would answer: the most first.

    Columns: ``missing`` (as in the checks), ``rules``, ``subjects``.
    """
    rows = checks[(checks["status"] == "unknown") & (checks["missing"] != "")]
    if rows.empty:
        return pd.DataFrame(columns=["missing", "rules", "subjects"])
    found = rows.groupby("missing", sort=False).agg(rules=("rule_id", "nunique"), subjects=("subject_id", "size"))
    return found.reset_index().sort_values(["rules", "subjects"], ascending=False, kind="stable").reset_index(drop=True)


def sum_cures(rows: pd.DataFrame) -> dict[str, float]:
    """Return how much of each cure the failed rows need together."""
    cured = rows[(rows["status"] == "failed") & (rows["cure"] != "")]
    totals = cured.groupby("cure", sort=False)["cure_amount"].sum()
    return {str(cure): float(amount) for cure, amount in totals.items() if amount > 0}


def say_cures(cures: dict[str, float], _: Translator) -> str:
    """Return what would cure the failures, in figures."""
    names = {
        "places": _("places"),
        "classes": _("classes"),
        "m2": "m²",
        "teachers": _("teachers"),
        "cny": _("yuan"),
        "rooms": _("rooms"),
        "boarding": _("beds"),
        "bus": _("bus seats"),
    }
    return _.join(f"{_.number(amount)} {names.get(cure, cure)}" for cure, amount in cures.items())


def say_headline(checks: pd.DataFrame, _: Translator) -> str:
    """Return what was found in a sentence: rules failed, at how many schools and communities, and what is unknown."""
    failed = checks[checks["status"] == "failed"]
    unknown = set(checks.loc[checks["status"] == "unknown", "rule_id"]) - set(failed["rule_id"])
    at = {subject: failed.loc[failed["subject"] == subject, "subject_id"].nunique() for subject in ("school", "unit")}
    words = _("No rule fails.")
    if len(failed):
        words = _(
            "Rules that fail: {rules}, at {schools} schools and {units} communities.",
            rules=_.number(failed["rule_id"].nunique()),
            schools=_.number(at["school"]),
            units=_.number(at["unit"]),
        )
    more = _("Not judged for want of data: {count}.", count=_.number(len(unknown)))
    shown = checks.loc[checks["status"] == "evidence", "rule_id"].nunique()
    papers = _("To be shown by documents: {count}.", count=_.number(shown))
    gap = "" if _.language == "zh" else " "
    return gap.join([words, *([more] if unknown else []), *([papers] if shown else [])])


def say_stages(stages: Iterable[str], _: Translator) -> str:
    """Return stages as a list; a dash for none."""
    return _.join(name_stage_short(stage, _) for stage in stages if stage) or MISSING_NUMBER
