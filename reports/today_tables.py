"""The tables below the Today map, in the reader's words: flags, indicators, who leaks where, and CSV files."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.messages import Message
from planning.flag_case import iterate_rows
from planning.flags import FLAG_NAMES
from planning.indicators import INDICATORS, find_indicator
from reports.citations import cite_rule
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_setting_short

if TYPE_CHECKING:
    from collections.abc import Collection

    from planning.rules import Rules
    from planning.run import Outcome

SEVERITIES = ("block", "warn", "note")
AREA_INDICATORS = (
    "schools",
    "pupils",
    "actual_pupils",
    "places",
    "fill_share",
    "mean_travel_min",
    "p95_travel_min",
    "within_15_min_share",
    "within_30_min_share",
    "places_short",
)


def name_severity(severity: str, _: Translator) -> str:
    """Return the weight of a flag, with a sign that needs no colour."""
    names = {"block": _("▲ Serious"), "warn": _("● Warning"), "note": _("○ Note")}
    return names.get(severity, severity)


def name_flag(flag: str, _: Translator) -> str:
    """Return what a flag is called."""
    return _.say(FLAG_NAMES[flag]) if flag in FLAG_NAMES else flag


def name_subject(subject: str, _: Translator) -> str:
    """Return what a flag is about."""
    return {"school": _("School"), "unit": _("Planning unit"), "county": _("County")}.get(subject, subject)


def say_value(value: float, unit: str, _: Translator) -> str:
    """Return a number with its unit as a reader expects it: shares in per cent, distances in km from 1,000 m on."""
    if value is None or not np.isfinite(value):
        return MISSING_NUMBER
    if unit == "share":
        nearly = 0 < value < 0.1 or 0.99 < value < 1  # neither a few nor nearly all may read as none or all
        return _.percent(min(value, 0.999) if nearly else value, digits=1 if nearly else 0)
    if unit == "min":
        return _("{value} min", value=_.number(value, digits=0 if value >= 10 else 1))
    if unit == "m":
        if value >= 1000:
            return _("{value} km", value=_.number(value / 1000, digits=1))
        return _("{value} m", value=_.number(value))
    if unit in ("ratio", "cv"):
        return _.number(value, digits=3)
    return _.number(value, digits=1 if unit in ("pupils/class",) else 0)


def select_flags(
    outcome: Outcome, severities: Collection[str], subjects: Collection[str], flag: str = ""
) -> pd.DataFrame:
    """Return the flags of the severities, subjects and kind wanted (``""`` = all kinds), in the order of weight."""
    flags = outcome.flags
    wanted = flags["severity"].isin(list(severities)) & flags["subject"].isin(list(subjects))
    if flag:
        wanted &= flags["flag"] == flag
    return flags[wanted].reset_index(drop=True)


def select_pressing(outcome: Outcome, count: int) -> pd.DataFrame:
    """Return the ``count`` flags to read first: by severity; of areas those where most children live.

    A single child an hour from school is in the table, but does not stand before a village of fifty.
    """
    flags = outcome.flags[outcome.flags["severity"] != "note"]
    units = outcome.unit_table
    children = units.groupby("unit_id")["pupils"].sum()
    concerned = flags["subject_id"].map(children).fillna(0).to_numpy(dtype=np.float64)
    order = pd.DataFrame(
        {
            "severity": flags["severity"].map(SEVERITIES.index).to_numpy(),
            "is_unit": (flags["subject"] == "unit").to_numpy(),
            "children": np.where(flags["subject"] == "unit", concerned, 0.0),
        },
        index=flags.index,
    )
    order = order.sort_values(["severity", "is_unit", "children"], ascending=[True, True, False], kind="stable")
    return flags.loc[order.index[:count]]


def count_flags(outcome: Outcome) -> list[tuple[str, str, str, int]]:
    """Return ``(severity, flag, subject, count)`` by kind of flag, the gravest and then the most common first."""
    columns = [outcome.flags[name].astype(str) for name in ("severity", "flag", "subject")]
    counts = Counter(zip(*columns, strict=True))
    rows = [(severity, flag, subject, count) for (severity, flag, subject), count in counts.items()]
    return sorted(rows, key=lambda row: (SEVERITIES.index(row[0]), -row[3], row[1]))


def build_flag_table(flags: pd.DataFrame, rules: Rules, _: Translator) -> pd.DataFrame:
    """Return flags as a reader sees them: severity, what, whom, the reason in words, the rule with its source."""
    columns = [_("Severity"), _("Flag"), _("About"), _("Name"), _("Reason"), _("Rule and source")]
    rows = [
        (
            name_severity(str(row.severity), _),
            name_flag(str(row.flag), _),
            name_subject(str(row.subject), _),
            str(row.name),
            say_reason(row.reason, _),
            cite_rule(rules, str(row.rule_id), _),
        )
        for row in iterate_rows(flags)
    ]
    return pd.DataFrame(rows, columns=columns)


def say_reason(reason: object, _: Translator) -> str:
    """Return the reason of a flag as a sentence."""
    return _.say(reason) if isinstance(reason, Message) else str(reason)


def build_indicator_table(outcome: Outcome, stage: str, _: Translator) -> pd.DataFrame:
    """Return every indicator of the county: name, value, what it means."""
    table = outcome.indicators
    rows = table[(table["area_kind"] == "county") & (table["stage"] == stage)]
    county = dict(zip(rows["indicator"], rows["value"], strict=True))
    lines = [
        (
            _.say(item.title),
            say_value(float(county[item.name]), item.unit, _),
            _.say(item.definition),
        )
        for item in INDICATORS
        if item.name in county
    ]
    return pd.DataFrame(lines, columns=[_("Indicator"), _("Value"), _("Meaning")])


def build_area_table(outcome: Outcome, stage: str, area_kind: str, _: Translator) -> pd.DataFrame:
    """Return the main indicators by ``"setting"`` or ``"town"``: one row per area; shares are in per cent."""
    table = outcome.indicators
    rows = table[(table["area_kind"] == area_kind) & (table["stage"] == stage)]
    wide = rows.pivot_table(index="area", columns="indicator", values="value", aggfunc="first", dropna=False)
    wide = wide.reindex(columns=list(AREA_INDICATORS))
    names = [str(area) if area_kind == "town" else name_setting_short(str(area), _) for area in wide.index]
    heading = _("Township") if area_kind == "town" else _("Setting")
    shown = pd.DataFrame({heading: names})
    for name in AREA_INDICATORS:
        item = find_indicator(name)
        values = wide[name].to_numpy(dtype=np.float64)
        title = _.say(item.title)
        if item.unit == "share":
            shown[_("{title} (%)", title=title)] = np.round(values * 100, 1)
        elif item.unit == "min":
            shown[_("{title} (min)", title=title)] = np.round(values, 1)
        else:
            shown[title] = np.round(values)
    return shown


def build_leakage_table(outcome: Outcome, area_kind: str, _: Translator) -> pd.DataFrame:
    """Return who leaks where by ``"setting"``, ``"town"`` or ``"school"``, the greatest gain first."""
    rows = outcome.leakage[outcome.leakage["area_kind"] == area_kind].sort_values("surplus_pupils", ascending=False)
    names = (
        [name_setting_short(str(name), _) for name in rows["area"]] if area_kind == "setting" else list(rows["name"])
    )
    heading = {"setting": _("Setting"), "town": _("Township"), "school": _("School")}[area_kind]
    return pd.DataFrame(
        {
            heading: names,
            _("Expected by the model"): rows["expected_pupils"].round().to_numpy(),
            _("On the rolls"): rows["actual_pupils"].round().to_numpy(),
            _("More (+) or fewer (−)"): rows["surplus_pupils"].round().to_numpy(),
            _("Share (%)"): (rows["surplus_share"] * 100).round(1).to_numpy(),
        }
    )
