"""Small counts hidden, and as many others as are needed to keep them so; and the check that nothing slips out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from planning.disclosure_checks import DisclosureProblem as DisclosureProblem
from planning.disclosure_checks import check_disclosure as check_disclosure
from planning.disclosure_counts import VERDICTS, build_counts
from planning.disclosure_hide import choose_hidden
from planning.disclosure_rolls import choose_hidden_rolls
from planning.publication import Publication

COUNTED = ("units", "schools", "flows", "towns", "totals")
HIDDEN_TOTALS = tuple(f"{name}_hidden" for name in ("moved", *VERDICTS))
"""Flags that are added to ``totals``: parts of the county that are small, or kept with them."""


def protect(
    publication: Publication, cells: pd.DataFrame, transfers: Mapping[str, pd.DataFrame] | None = None
) -> Publication:
    """Return the publication with every count hidden that must not be shown.

    Parameters
    ----------
    publication
        With all counts shown.
    cells
        ``planning.publication.CELL_COLUMNS``: what its counts are sums of.
    transfers
        By stage, ``planning.disclosure_rolls.TRANSFER_COLUMNS``: how the rolls go from school to school.
    """
    tables = {name: getattr(publication, name).copy() for name in COUNTED}
    for flag in HIDDEN_TOTALS:
        tables["totals"][flag] = False
    town = publication.units.drop_duplicates(["stage", "unit_id"]).set_index(["stage", "unit_id"])["town"]
    keys = pd.MultiIndex.from_frame(cells[["stage", "unit_id"]])
    cells = cells.assign(town=town.reindex(keys).to_numpy())
    count = np.zeros(2, dtype=np.int64)
    for stage in publication.stages:
        count += _hide_counts(tables, cells[cells["stage"] == stage], stage, publication.threshold)
        found = (transfers or {}).get(stage)
        if found is not None:
            count += _hide_rolls(tables["schools"], found, stage, publication.threshold)
            count[1] += _hide_roll_changes(tables["schools"], tables["flows"], stage)
        _hide_means(tables["schools"], tables["units"], cells, stage)
    _hide_mean_lengths(tables["units"])
    return replace(publication, hidden=(int(count[0]), int(count[1])), **tables)


def _hide_counts(tables: dict[str, pd.DataFrame], cells: pd.DataFrame, stage: str, threshold: int) -> np.ndarray:
    """Hide counts of one stage, in place; return how many because they are small, and how many with them."""
    rows = {name: table[table["stage"] == stage] for name, table in tables.items()}
    if cells.empty or rows["totals"].empty:
        return np.zeros(2, dtype=np.int64)
    system = build_counts(cells, rows)
    small, beside = choose_hidden(system, threshold)
    places = system.places[(small | beside)[system.places["group"]] & (system.places["flag"] != "").to_numpy()]
    for (table, column, flag), part in places.groupby(["table", "column", "flag"], sort=True):
        index = part["row"].to_numpy(dtype=np.int64)
        tables[str(table)].loc[index, str(flag)] = True
        tables[str(table)].loc[index, str(column)] = np.nan
    chosen = places["group"].to_numpy()
    return np.array([int(small[chosen].sum()), int(beside[chosen].sum())], dtype=np.int64)


def _hide_rolls(schools: pd.DataFrame, transfers: pd.DataFrame, stage: str, threshold: int) -> np.ndarray:
    index = schools.index[(schools["stage"] == stage).to_numpy()]
    small, beside = choose_hidden_rolls(schools.loc[index], transfers, threshold)
    for at, side in enumerate(("before", "after")):
        gone = index[(small | beside)[:, at]]
        schools.loc[gone, f"roll_{side}_hidden"] = True
        schools.loc[gone, f"roll_{side}"] = np.nan
    return np.array([int(small.sum()), int(beside.sum())], dtype=np.int64)


def _hide_roll_changes(schools: pd.DataFrame, flows: pd.DataFrame, stage: str) -> int:
    """Hide rolls after where a hidden flow comes or leaves, in place: the roll changes by just these children.

    One alone would be told by the sum of the county: then the smallest other one goes with it.
    """
    hidden = flows[(flows["stage"] == stage) & flows["pupils_hidden"].astype(bool)]
    here = (schools["stage"] == stage) & schools["roll_after"].notna() & (schools["roll_after"] > 0)
    ends = {*hidden["before_id"], *hidden["after_id"]}
    gone = schools.index[here & schools["school_id"].isin(ends)]
    shut = ((schools["stage"] == stage) & schools["roll_after_hidden"].astype(bool)).sum()
    if len(gone) == 1 and not shut:
        others = schools.loc[here].drop(index=gone).sort_values(["roll_after", "school_id"], kind="stable")
        gone = gone.append(others.index[:1])
    schools.loc[gone, "roll_after_hidden"] = True
    schools.loc[gone, "roll_after"] = np.nan
    return len(gone)


def _hide_means(schools: pd.DataFrame, units: pd.DataFrame, cells: pd.DataFrame, stage: str) -> None:
    """Take away mean minutes of schools to which a hidden community goes, in place.

    The minutes of the communities are published: with these, a mean is one more sum of their children.
    """
    hidden = units[(units["stage"] == stage) & units["pupils_hidden"].astype(bool)]["unit_id"]
    rows = cells[(cells["stage"] == stage) & cells["unit_id"].isin(hidden)]
    for side in ("before", "after"):
        touched = (schools["stage"] == stage) & schools["school_id"].isin(rows[f"{side}_id"])
        touched |= (schools["stage"] == stage) & schools[f"pupils_{side}_hidden"].astype(bool)
        schools.loc[touched, f"mean_min_{side}"] = np.nan


def _hide_mean_lengths(units: pd.DataFrame) -> None:
    """Take away mean metres of communities that go to several schools where it is hidden how many move, in place.

    With the metres to each of the schools, a mean to the metre tells how the community is divided.
    """
    parted = units["before_ids"].astype(str).str.contains(";") | units["after_ids"].astype(str).str.contains(";")
    closed = parted & units["moved_hidden"].astype(bool)
    units.loc[closed, ["length_before_m", "length_after_m"]] = np.nan
