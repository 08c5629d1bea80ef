"""What the rule checks found, without the figures that would tell of few children.

A check measures schools and communities one by one. Where the publication hides a count of one, every figure of a check
that could give it back (pupils, places used, pupils per class …) is hidden too; times and lengths stay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planning.check_words import name_subject, tell_check, tell_cure
from planning.flag_case import iterate_rows
from planning.publication import Publication
from planning.rules import Rules
from reports.check_tables import say_missing

if TYPE_CHECKING:
    from reports.consultation_case import Consultation
    from reports.language import Translator

SAFE_UNITS = frozenset({"min", "m", "classes", "schools", "grade", "years", "days", "storeys", "hours", "km_per_h"})
"""What is measured in these says nothing about how many children there are."""
MIXING = ("max_beyond_share",)
"""Keys of rules that measure which part of a school's children live in some of its communities."""
MEANS = ("mean_travel_min", "mean_length_m")
STEPS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {"min": (0.1, 0.2, 0.5, 1.0, 2.0, 5.0), "m": (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)}
)
"""What means of ways are rounded to, the finest that tells of no child."""
COUNTING = ("closure", "unreached")
"""Details of rows whose sentence tells a count of children."""
_FIGURES = ("measured", "short_by", "cure_amount", "pupils")

Hidden = Mapping[tuple[str, str], frozenset[str]]


def hide_checks(consultation: Consultation) -> pd.DataFrame:
    """Return ``consultation.checks`` with ``hidden``: figures of such rows are NaN.

    ``pupils`` is NaN in every row: those are counts of the model that the publication has rounded.
    """
    checks, threshold = consultation.checks, consultation.publication.threshold
    found = find_hidden(consultation.publication)
    mixed = _find_mixed(consultation)
    keys = {rule.id: rule.key for rule in consultation.rules.rules}
    told_of = (_is_about_hidden(row, keys.get(str(row.rule_id), ""), found, mixed) for row in iterate_rows(checks))
    about = np.fromiter(told_of, dtype=bool, count=len(checks))
    few = (checks["unit"] == "pupils") & (checks["measured"] > 0) & (checks["measured"] < threshold)
    told = checks["detail"].isin(COUNTING) | (
        ~np.isfinite(checks["measured"]) & checks["cure"].isin(("places", "classes"))
    )
    risky = ~checks["unit"].isin(SAFE_UNITS)
    hidden = (about & risky.to_numpy()) | few.to_numpy() | told.to_numpy()
    table = checks.assign(hidden=hidden)
    table.loc[hidden, list(_FIGURES)] = np.nan
    whole = (table["unit"] == "pupils") & table["detail"].isin(("", "elsewhere"))
    table["measured"] = table["measured"].where(~whole, table["measured"].round())
    _round_shares(table, consultation)
    return table.assign(pupils=np.nan)


def _is_about_hidden(row: Any, key: str, found: Hidden, mixed: Hidden) -> bool:
    """Tell whether figures of a row could give a hidden count back."""
    subject, stage, name = str(row.subject), str(row.stage), str(row.subject_id)
    if name in found.get((subject, stage), frozenset()):
        return True
    if subject == "school" and name in found.get((subject, ""), frozenset()):
        return True  # a nine-year school is measured as a whole: less one stage, that is the other
    return (subject == "town" or key in MIXING) and name in mixed.get((subject, stage), frozenset())


def _find_mixed(consultation: Consultation) -> Hidden:
    """Return towns with a school, and schools with a community, of which a count is hidden, by kind and stage.

    A figure of such a town sums rolls; a share of a school's children sums communities: one more sum than published.
    """
    publication = consultation.publication
    closed = find_hidden(publication)
    mixed: dict[tuple[str, str], frozenset[str]] = {}
    for stage in publication.stages:
        schools = publication.schools[publication.schools["stage"] == stage]
        inside = schools["school_id"].astype(str).isin(closed.get(("school", stage), frozenset()))
        ways = publication.ways[publication.ways["stage"] == stage]
        of_hidden = ways["unit_id"].astype(str).isin(closed.get(("unit", stage), frozenset()))
        mixed["town", stage] = frozenset(schools.loc[inside, "town"].astype(str))
        mixed["school", stage] = frozenset(ways.loc[of_hidden, "school_id"].astype(str))
    return mixed


def choose_share_digits(consultation: Consultation, stage: str) -> int:
    """Return how many decimals a share of the county's children may have (3: tenths of a per cent).

    So few that one step of the last one is no smaller than the threshold: else a share tells a small count.
    """
    totals = consultation.publication.totals
    pupils = totals.loc[totals["stage"] == stage, "pupils"] if stage else totals["pupils"]
    least = float(pupils.min()) if len(pupils) else 0.0
    return next((digits for digits in (3, 2) if least / 10**digits >= consultation.publication.threshold), 1)


def round_indicator(consultation: Consultation, name: str, unit: str, stage: str, value: float) -> float:
    """Return an indicator of the county no finer than may be told; NaN where no rounding would be coarse enough.

    Minutes and metres of the communities are published: a fine mean would be one more sum of their children. So a step
    of it is worth at least as many children as the threshold, on the longest way. Shares and ratios likewise.
    """
    if not math.isfinite(value) or unit not in ("share", "ratio", "min", "m"):
        return value
    if unit in ("share", "ratio"):
        return round(value, choose_share_digits(consultation, stage))
    publication = consultation.publication
    units = publication.units[publication.units["stage"] == stage]
    if name not in MEANS or not units["pupils_hidden"].astype(bool).any():
        return value
    ways = units[["min_before", "min_after"] if unit == "min" else ["length_before_m", "length_after_m"]]
    longest = float(np.nanmax(ways.to_numpy(dtype=np.float64), initial=0.0))
    pupils = float(publication.totals.loc[publication.totals["stage"] == stage, "pupils"].min())
    step = next((step for step in STEPS[unit] if step * pupils >= publication.threshold * longest), math.nan)
    return round(value / step) * step if math.isfinite(step) else math.nan


def _round_shares(table: pd.DataFrame, consultation: Consultation) -> None:
    """Round shares of the county, in place; a row that then seems to keep its limit keeps a gap of one step."""
    wide = (table["unit"] == "share") & table["subject"].isin(("county", "town")) & ~table["hidden"]
    for stage in table.loc[wide, "stage"].unique():
        here = wide & (table["stage"] == stage)
        digits = choose_share_digits(consultation, str(stage))
        table.loc[here, "measured"] = table.loc[here, "measured"].round(digits)
        failed = here & (table["short_by"] > 0)
        table.loc[failed, "short_by"] = table.loc[failed, "short_by"].round(digits).clip(lower=0.1**digits)


def find_hidden(publication: Publication) -> Hidden:
    """Return the ids of schools, communities and towns of which any count is hidden, by kind and stage."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    tables = {
        "school": (publication.schools, "school_id"),
        "unit": (publication.units, "unit_id"),
        "town": (publication.towns, "town"),
    }
    for subject, (rows, key) in tables.items():
        flags = [name for name in rows.columns if str(name).endswith("_hidden")]
        shut = rows[rows[flags].astype(bool).any(axis=1)]
        for stage, part in shut.groupby("stage", sort=False):
            found[subject, str(stage)] = frozenset(part[key].astype(str))
        found[subject, ""] = frozenset(shut[key].astype(str))
    return found


def say_finding(row: Any, rules: Rules, _: Translator) -> str:
    """Return what a row of :func:`hide_checks` found; without figures where these are hidden."""
    subject = _.say(name_subject(row))
    if row.status == "unknown" and row.missing:
        return _("{subject}: not known without {missing}.", subject=subject, missing=say_missing(str(row.missing), _))
    if not row.hidden:
        return _.say(tell_check(row, rules))
    if row.status == "passed":
        return _("{subject}: keeps the rule; the figures are not shown to protect children.", subject=subject)
    if row.status == "failed":
        return _("{subject}: breaks the rule; the figures are not shown to protect children.", subject=subject)
    return _("{subject}: not known.", subject=subject)


def say_remedy(row: Any, rules: Rules, _: Translator) -> str:
    """Return what would cure a row of :func:`hide_checks`, or which data it needs; empty where nothing is told."""
    if row.status == "unknown" and row.missing:
        return _("Add {missing}.", missing=say_missing(str(row.missing), _))
    if row.hidden or (row.cure and not math.isfinite(row.cure_amount)):
        return ""
    cure = tell_cure(row, rules)
    return "" if cure is None else _.say(cure)
