"""The finest counts of a publication: who lives where and goes from which school to which, in whole numbers.

Between two answers, those of a unit who can stay at their school do: of each school's share the smaller of the two.
The others are spread in proportion to what grows. Where teaching points are concerned, grades 1 to 3 and grades 4 to 6
are followed apart (``planning.projected_rolls``).

Numbers are rounded once, here: the pupils of the units so that they add up to those of the county, then the cells of
every unit so that they add up to those of the unit, both by largest remainder.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.projected_rolls import split_bands
from planning.tables import StageTables

BANDS = ("low", "upper")
NEGLIGIBLE = 1e-9
SHARE_COLUMNS = ("unit_id", "grades", "school_id", "share")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def round_by_largest_remainder(values: Floats, total: int) -> Ints:
    """Return whole numbers that add up to ``total``, each the value rounded down or up.

    What is missing after rounding down goes to the largest remainders; ties go to the first. ``ValueError`` where no
    such numbers exist: ``total`` is not between the sums rounded down and up.
    """
    return round_groups(values, np.zeros(len(values), dtype=np.int64), np.array([total], dtype=np.int64))


def round_groups(values: Floats, groups: Ints, totals: Ints) -> Ints:
    """Return :func:`round_by_largest_remainder` for every group at once; ``groups`` are positions in ``totals``."""
    exact = np.round(np.asarray(values, dtype=np.float64), 9)
    whole = np.floor(exact).astype(np.int64)
    rest = np.round(exact - whole, 9)
    size = np.bincount(groups, minlength=len(totals))
    short = totals - np.bincount(groups, weights=whole, minlength=len(totals)).astype(np.int64)
    if (short < 0).any() or (short > size).any():
        raise ValueError("totals must lie between the sums rounded down and up")
    order = np.lexsort((np.arange(len(exact)), -rest, groups))
    starts = np.concatenate([[0], np.cumsum(size)[:-1]])
    rank = np.empty(len(exact), dtype=np.int64)
    rank[order] = np.arange(len(exact)) - starts[groups[order]]
    rounded: Ints = whole + (rank < short[groups])
    return rounded


def build_shares(tables: StageTables, bands: tuple[str, ...], low_grade_share: float) -> pd.DataFrame:
    """Return ``SHARE_COLUMNS``: which share of the unit's pupils of each band is at which school (``""`` = at none).

    The shares of a unit and band add up to one. ``bands``: ``("all",)`` or :data:`BANDS`.
    """
    pairs = tables.pairs
    if bands == ("all",):
        table = pd.DataFrame(pairs[["unit_id", "school_id", "share"]]).assign(grades="all")
    else:
        schools = tables.schools
        points = {str(key): bool(low) for key, low in zip(schools["school_id"], schools["low_only"], strict=True)}
        split = split_bands(pairs, points, low_grade_share)
        table = pd.concat(
            [
                split[["unit_id", "school_id"]].assign(grades=band, share=split[f"{band}_share"].to_numpy())
                for band in bands
            ],
            ignore_index=True,
        )
    table = table[table["share"] > NEGLIGIBLE]
    whole = table.groupby(["unit_id", "grades"])["share"].transform("sum")
    table = table.assign(share=(table["share"] / whole).to_numpy(), school_id=table["school_id"].fillna("").astype(str))
    return table.loc[:, list(SHARE_COLUMNS)].reset_index(drop=True)


def find_bands(before: StageTables, after: StageTables) -> tuple[str, ...]:
    """Return the grades that are told apart: those of teaching points where there are any, else all together."""
    points = any(bool(tables.schools["low_only"].any()) for tables in (before, after))
    return BANDS if points else ("all",)


def cross_shares(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return ``unit_id``, ``grades``, ``before_id``, ``after_id``, ``share`` of the unit's grades.

    Parameters
    ----------
    before, after
        :func:`build_shares` of the two answers.
    """
    keys = ["unit_id", "grades"]
    both = before.merge(after, on=[*keys, "school_id"], how="outer", suffixes=("_old", "_new"), sort=True).fillna(
        {"share_old": 0.0, "share_new": 0.0}
    )
    kept = both[["share_old", "share_new"]].min(axis=1)
    stay = both[[*keys, "school_id"]].assign(after_id=both["school_id"], share=kept)
    stay = stay.rename(columns={"school_id": "before_id"})
    leave = both[[*keys, "school_id"]].assign(share=both["share_old"] - kept).rename(columns={"school_id": "before_id"})
    come = both[[*keys, "school_id"]].assign(share=both["share_new"] - kept).rename(columns={"school_id": "after_id"})
    leave, come = leave[leave["share"] > NEGLIGIBLE], come[come["share"] > NEGLIGIBLE]
    whole = come.groupby(keys)["share"].sum().rename("whole")
    moved = leave.merge(come, on=keys, suffixes=("", "_come")).merge(whole, left_on=keys, right_index=True)
    moved["share"] = moved["share"] * moved["share_come"] / moved["whole"]
    cells = pd.concat([stay[stay["share"] > NEGLIGIBLE], moved], ignore_index=True)
    columns = [*keys, "before_id", "after_id"]
    return cells.groupby(columns, sort=True)["share"].sum().reset_index()


def count_cells(
    before: StageTables, after: StageTables, pupils: pd.Series[float], low_grade_shares: tuple[float, float]
) -> pd.DataFrame:
    """Return ``unit_id``, ``before_id``, ``after_id``, ``pupils`` in whole numbers; NaN where the unit's are unknown.

    Parameters
    ----------
    pupils
        Of the stage, by unit id, not rounded.
    low_grade_shares
        Share of grades 1 to 3 before and after.
    """
    bands = find_bands(before, after)
    old, new = (
        build_shares(tables, bands, share) for tables, share in zip((before, after), low_grade_shares, strict=True)
    )
    cells = cross_shares(old, new)
    weight = {"all": 1.0, "low": low_grade_shares[1], "upper": 1.0 - low_grade_shares[1]}
    cells["share"] *= cells["grades"].map(weight).astype(float)
    cells = cells.groupby(["unit_id", "before_id", "after_id"], sort=True)["share"].sum().reset_index()
    cells["share"] /= cells.groupby("unit_id")["share"].transform("sum")
    return _round_cells(cells, pupils)


def _round_cells(cells: pd.DataFrame, pupils: pd.Series[float]) -> pd.DataFrame:
    known = pupils[np.isfinite(pupils.to_numpy(dtype=np.float64))].sort_index()
    held = np.asarray(known, dtype=np.float64)
    totals = round_by_largest_remainder(held, round(float(held.sum())))
    at = known.index.get_indexer(pd.Index(cells["unit_id"]))
    inside = at >= 0
    count = np.full(len(cells), np.nan)
    here = np.unique(at[inside])
    position = np.searchsorted(here, at[inside])
    exact: Floats = cells["share"].to_numpy(dtype=np.float64)[inside] * held[at[inside]]
    count[inside] = round_groups(exact, position, totals[here])
    return cells.assign(pupils=count).drop(columns="share")
