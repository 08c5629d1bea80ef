"""Education groups and alliances (集团化办学): members, what they have together, and who could help whom."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from geodata.study import StudyArea
from planning.balance_registry import BALANCE_INDICATORS
from planning.balance_rules import SPREAD_RULE, find_rule, read_limit
from planning.balance_spread import compute_spread, meets
from planning.balance_tables import BALANCE_STAGES, FAILED, PASSED, UNKNOWN, Balance
from planning.groups_pairs import PAIR_COLUMNS as PAIR_COLUMNS
from planning.groups_pairs import propose_pairs as propose_pairs
from planning.rules import Rules

NAN = float("nan")

GROUP_COLUMNS = (
    "group_id",
    "name",
    "kind",
    "lead_id",
    "schools",
    "pupils",
    "eligible_teachers",
    "exchanged_teachers",
    "exchange_share",
    "exchange_limit",
    "exchange_met",
    "passed",
    "failed",
    "unknown",
    "missing",
)
"""One row per group. ``schools``: members; ``passed``, ``failed``, ``unknown``: parts by the six-of-seven rule."""
MEMBER_COLUMNS = ("group_id", "name", "kind", "school_id", "school_name", "role", "basis")
"""``basis``: groups (the table) or schools (``schools.group_id``)."""
GROUP_INDICATOR_COLUMNS = (
    "group_id",
    "name",
    "stage",
    "indicator",
    "schools",
    "total",
    "pupils",
    "value",
    "limit",
    "met",
    "cv",
    "cv_unweighted",
    "cv_limit",
    "cv_met",
    "missing",
)
COVERAGE_COLUMNS = ("stage", "schools", "grouped_schools", "school_share", "pupils", "grouped_pupils", "pupil_share")
"""``stage`` ``""`` = all schools of compulsory stages, each counted once."""


def list_members(study: StudyArea) -> pd.DataFrame:
    """Return who belongs to which group: ``MEMBER_COLUMNS``, ordered.

    ``study.groups`` says it; a school that it does not name belongs to the group of ``schools.group_id``. One school
    may stand in several groups.
    """
    names = dict(zip(study.schools["school_id"].astype(str), study.schools["name"], strict=True))
    table = pd.DataFrame(study.groups).reindex(columns=["group_id", "name", "kind", "school_id", "role"])
    table = table.astype(object).fillna("").astype(str).assign(basis="groups")
    rest = pd.DataFrame(study.schools[["school_id", "group_id"]]).astype(object).fillna("").astype(str)
    rest = rest[(rest["group_id"] != "") & ~rest["school_id"].isin(table["school_id"])]
    rest = rest.assign(name="", kind="", role="", basis="schools")
    found = pd.concat([table, rest[list(table.columns)]], ignore_index=True)
    for column in ("name", "kind"):
        given = {key: text for key, text in zip(table["group_id"], table[column], strict=True) if text}
        found[column] = [text or given.get(key, "") for key, text in zip(found["group_id"], found[column], strict=True)]
    found["name"] = found["name"].where(found["name"] != "", found["group_id"])
    found["kind"] = found["kind"].where(found["kind"] != "", "group")
    found["school_name"] = [str(names.get(key) or key) for key in found["school_id"]]
    found = found.drop_duplicates(["group_id", "school_id"]).sort_values(["group_id", "school_id"], kind="stable")
    return found.loc[:, list(MEMBER_COLUMNS)].reset_index(drop=True)


def build_groups(study: StudyArea, rules: Rules, balance: Balance) -> pd.DataFrame:
    """Return one row per group: ``GROUP_COLUMNS``.

    The exchange share is that of the teachers who are due in all members together; it is not known as soon as one
    member gives no number. Its limit is that of rule G11.
    """
    members = list_members(study)
    numbers = pd.DataFrame(study.groups).reindex(
        columns=["group_id", "school_id", "eligible_teachers", "exchanged_teachers"]
    )
    rule = find_rule(rules, "teacher_rotation", year=balance.year)
    given = NAN if rule is None else rule.params.get("of_eligible", NAN)
    limit = float(given) if isinstance(given, int | float) and not math.isnan(given) else read_limit(rule)
    rows = []
    for key, group in members.groupby("group_id", sort=True):
        own = numbers[numbers["group_id"].astype(str) == key].set_index("school_id").reindex(group["school_id"])
        eligible, exchanged = (
            float(own[name].astype(float).sum(skipna=False)) for name in ("eligible_teachers", "exchanged_teachers")
        )
        share = exchanged / eligible if eligible > 0 else NAN
        parts = balance.schools[balance.schools["school_id"].isin(group["school_id"])]
        words = list(parts["status"])
        leads = group.loc[group["role"] == "lead", "school_id"]
        lacking = [f"groups.{name}" for name in ("eligible_teachers", "exchanged_teachers") if own[name].isna().any()]
        rows.append(
            {
                "group_id": key,
                "name": group["name"].iloc[0],
                "kind": group["kind"].iloc[0],
                "lead_id": str(leads.iloc[0]) if len(leads) else "",
                "schools": len(group),
                "pupils": float(parts["pupils"].sum()) if len(parts) else NAN,
                "eligible_teachers": eligible,
                "exchanged_teachers": exchanged,
                "exchange_share": share,
                "exchange_limit": limit,
                "exchange_met": meets(share, limit, ">="),
                "passed": words.count(PASSED),
                "failed": words.count(FAILED),
                "unknown": words.count(UNKNOWN),
                "missing": ";".join(lacking),
            }
        )
    return pd.DataFrame(rows, columns=list(GROUP_COLUMNS))


def build_group_indicators(study: StudyArea, rules: Rules, balance: Balance) -> pd.DataFrame:
    """Return each group's indicators, all its schools together, and their spread: ``GROUP_INDICATOR_COLUMNS``.

    The law sets no limit for the spread within a group: that of the county stands beside it for comparison.
    """
    members = list_members(study)
    per = {item.id: item.per for item in BALANCE_INDICATORS[balance.kind]}
    rows = []
    names = members.drop_duplicates("group_id").set_index("group_id")["name"]
    joined = members[["group_id", "school_id"]].merge(balance.indicators, on="school_id")
    for stage in BALANCE_STAGES:
        rule = find_rule(rules, SPREAD_RULE, stage, year=balance.year) if balance.kind == "quality" else None
        here = joined[joined["stage"] == stage]
        for (group, indicator), part in here.groupby(["group_id", "indicator"], sort=True):
            total, pupils = float(part["total"].sum(skipna=False)), float(part["pupils"].sum())
            value, limit = total / pupils * per[str(indicator)], _find_common_limit(part)
            spread = compute_spread(part["value"].to_numpy(dtype=float), part["pupils"].to_numpy(dtype=float))
            rows.append(
                {
                    "group_id": group,
                    "name": names[str(group)],
                    "stage": stage,
                    "indicator": indicator,
                    "schools": len(part),
                    "total": total,
                    "pupils": pupils,
                    "value": value,
                    "limit": limit,
                    "met": meets(value, limit, ">="),
                    "cv": spread.weighted,
                    "cv_unweighted": spread.unweighted,
                    "cv_limit": read_limit(rule, stage),
                    "cv_met": meets(spread.weighted, read_limit(rule, stage)),
                    "missing": ";".join(
                        dict.fromkeys(name for text in part["missing"] for name in text.split(";") if name)
                    ),
                }
            )
    return pd.DataFrame(rows, columns=list(GROUP_INDICATOR_COLUMNS))


def _find_common_limit(part: pd.DataFrame) -> float:
    """Return the limit of the schools weighted by pupils: the same one, unless limits differ between them."""
    limits = part["limit"].to_numpy(dtype=np.float64)
    return float(np.average(limits, weights=part["pupils"].to_numpy(dtype=np.float64)))


def compute_coverage(study: StudyArea, balance: Balance) -> pd.DataFrame:
    """Return the share of schools and pupils in groups: ``COVERAGE_COLUMNS``; teaching points count too."""
    grouped = set(list_members(study)["school_id"])
    columns = ["school_id", "stage", "pupils"]
    parts = pd.concat([balance.schools[columns], balance.left_out[columns]], ignore_index=True)
    parts = parts[parts["pupils"].astype(float) > 0]
    rows = []
    for stage in ("", *BALANCE_STAGES):
        here = parts if not stage else parts[parts["stage"] == stage]
        if here.empty:
            continue
        inside = here["school_id"].isin(grouped)
        schools, members = here["school_id"].nunique(), here.loc[inside, "school_id"].nunique()
        pupils, covered = float(here["pupils"].sum()), float(here.loc[inside, "pupils"].sum())
        rows.append((stage, schools, members, members / schools, pupils, covered, covered / pupils))
    return pd.DataFrame(rows, columns=list(COVERAGE_COLUMNS))
