"""The answer of a balance inspection: its tables, their columns, and the words that stand in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from geodata.messages import Message
from geodata.study import FrozenArrays

BalanceKind = Literal["quality", "basic"]
BALANCE_KINDS: tuple[BalanceKind, ...] = ("quality", "basic")
BALANCE_STAGES = ("primary", "junior")

YES, NO, UNKNOWN = "yes", "no", "unknown"
PASSED, FAILED = "passed", "failed"

BALANCE_INDICATOR_COLUMNS = (
    "school_id",
    "name",
    "stage",
    "indicator",
    "total",
    "pupils",
    "value",
    "limit",
    "ratio",
    "met",
    "missing",
    "note",
    "short_full",
    "short_floor",
    "asset_unit",
)
"""One row per school part, stage and indicator. ``total``: the assets that count, in ``asset_unit``. ``value``: per
pupil or per 100 pupils. ``ratio``: value / limit. ``met``: yes, no, unknown. ``missing``: table.column names joined by
``;``. ``note``: a ``Message`` or None. ``short_full``, ``short_floor``: what is missing of the assets to reach the
limit and 85 % of it (0 where reached, NaN where unknown; teachers, rooms and computers in whole numbers)."""

BALANCE_SCHOOL_COLUMNS = (
    "school_id",
    "name",
    "stage",
    "met_count",
    "of",
    "floor_ok",
    "status",
    "short_indicators",
    "pupils",
    "unknown_count",
    "kind",
    "setting",
    "town",
)
"""One row per school and stage in scope. ``status``: passed, failed, unknown. ``floor_ok``: yes, no, unknown.
``short_indicators``: ids of indicators below their limit, joined by ``;``."""

BALANCE_SPREAD_COLUMNS = (
    "stage",
    "indicator",
    "cv",
    "cv_unweighted",
    "cv_sample",
    "limit",
    "met",
    "met_unweighted",
    "flips",
    "schools",
    "mean",
    "schools_unknown",
    "rule_id",
    "verified",
)
"""One row per stage and indicator, and for ``basic`` one more per stage with indicator ``composite`` (the mean of the
eight). ``cv``: weighted by enrolment, population form. ``flips``: the weighted and the unweighted (population) form lie
on different sides of the limit. ``schools``: those with a value; ``schools_unknown``: in scope, but without."""

BALANCE_ITEM_COLUMNS = (
    "item_id",
    "name",
    "value",
    "limit",
    "op",
    "met",
    "missing",
    "basis",
    "document",
    "stage",
    "group",
    "unit",
    "show",
    "note",
    "verified",
    "rule_id",
)
"""One row per item (and stage, where its limit depends on it). ``basis``: data (worked out), reported (a number from
``study.evidence``), evidence (a document to show). ``group``: guarantee, quality, recognition, veto, precondition,
government. ``show``: a ``Message``: what to show. ``name``: a ``Message``. ``note``: a ``Message`` or None."""

LEFT_OUT_COLUMNS = ("school_id", "reason", "name", "stage", "pupils")
"""``reason`` is a ``Message``; ``stage`` ``""`` = the whole school."""

BALANCE_MOVE_COLUMNS = (
    "stage",
    "indicator",
    "measure",
    "before",
    "after",
    "change",
    "limit",
    "met_before",
    "met_after",
    "better",
)
"""``measure``: cv, cv_unweighted, mean, schools_met (number of schools at or above the limit), schools_unknown; and
with indicator ``""``: schools_passed, schools_failed, schools_unknown of the six-of-seven rule. ``better``: yes, no,
``""``; fewer schools that meet or pass are not worse where the others have closed. Only stages that both sides hold."""

SHORTAGE_COLUMNS = (
    "school_id",
    "name",
    "stage",
    "indicator",
    "value",
    "limit",
    "ratio",
    "short_full",
    "short_floor",
    "asset_unit",
)

COMPOSITE = "composite"


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))


@dataclass(frozen=True, eq=False)
class Balance(FrozenArrays):
    """A county seen by the balance inspection.

    Parameters
    ----------
    kind
        ``quality`` (优质均衡, 2017) or ``basic`` (基本均衡, 2012).
    indicators, schools, spread, items, left_out
        ``BALANCE_INDICATOR_COLUMNS`` and so on.
    before
        Without the actions; None where there are none.
    notes
        Assumptions and gaps, in words.
    year
        School year asked about; None: the latest. ``asset_years`` and ``roll_years`` are those that were found.
    assets
        By school part, split and moved, one column per asset, beside what is known of the part.
    totals
        Assets of whole schools, indexed by school.
    rulebook
        Name and version of the rules.
    """

    kind: BalanceKind
    indicators: pd.DataFrame
    schools: pd.DataFrame
    spread: pd.DataFrame
    items: pd.DataFrame
    left_out: pd.DataFrame
    before: Balance | None = None
    notes: tuple[Message, ...] = ()
    year: int | None = None
    asset_years: tuple[int, ...] = ()
    roll_years: tuple[int, ...] = ()
    assets: pd.DataFrame = field(default_factory=lambda: _empty(("school_id", "stage")), repr=False)
    totals: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    rulebook: str = ""
