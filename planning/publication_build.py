"""A publication from two answers: every count from one table of cells, rounded once, hidden where it is small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from planning.compare import Comparison
from planning.compare_units import SAME_MIN
from planning.disclosure import protect
from planning.disclosure_rolls import TRANSFER_COLUMNS
from planning.projected_rolls import compute_flows
from planning.publication import (
    CELL_COLUMNS,
    FLOW_COLUMNS,
    SCHOOL_COLUMNS,
    TOTAL_COLUMNS,
    TOWN_COLUMNS,
    UNIT_COLUMNS,
    WAY_COLUMNS,
    Publication,
)
from planning.publication_cells import build_shares, count_cells, find_bands, round_by_largest_remainder
from planning.publication_options import PackOptions
from planning.publication_reasons import build_reasons
from planning.tables import StageTables

if TYPE_CHECKING:
    from planning.run import Outcome

LEAST_SHARE = 0.05
"""A school that takes a smaller share of a unit's grades is not named."""
SIDES = ("before", "after")


@dataclass(frozen=True, eq=False)
class _Stage:
    """One stage that both answers have."""

    stage: str
    before: StageTables
    after: StageTables
    low_grade_shares: tuple[float, float]
    names: dict[str, str]


def build_publication(
    baseline: Outcome, proposal: Outcome, comparison: Comparison, options: PackOptions
) -> Publication:
    """Return what may be published of a proposal.

    Parameters
    ----------
    baseline, proposal
        Answers for the same county, stages and year.
    comparison
        Of the two, in this order; further options are not looked at.
    options
        Whose ``threshold`` hides small counts.
    """
    stages = list(_iterate_stages(baseline, proposal))
    units_of = comparison.units[comparison.units["option"] == 1]
    parts = [_build_stage(case, units_of[units_of["stage"] == case.stage], comparison) for case in stages]
    tables = {
        name: _stack([part[name] for part in parts], columns)
        for name, columns in (
            ("units", UNIT_COLUMNS),
            ("ways", WAY_COLUMNS),
            ("schools", SCHOOL_COLUMNS),
            ("flows", FLOW_COLUMNS),
            ("towns", TOWN_COLUMNS),
            ("totals", TOTAL_COLUMNS),
        )
    }
    reasons = build_reasons(baseline, proposal, tables["units"], tables["ways"])
    publication = Publication(
        stages=tuple(case.stage for case in stages),
        units=tables["units"].assign(reason=pd.Series(reasons, index=tables["units"].index, dtype=object)),
        ways=tables["ways"],
        schools=tables["schools"],
        flows=tables["flows"],
        towns=tables["towns"],
        totals=tables["totals"],
        threshold=options.threshold,
        notes=_list_notes(tables["units"], tables["ways"], options.threshold),
    )
    cells = _stack([part["cells"] for part in parts], CELL_COLUMNS)
    return protect(publication, cells, {case.stage: _find_transfers(case) for case in stages})


def _find_transfers(case: _Stage) -> pd.DataFrame:
    """Return which share of a school's children are at which school afterwards: ``TRANSFER_COLUMNS``."""
    flows = compute_flows(case.before, case.after, case.low_grade_shares[1])
    sums = flows.groupby(["school_from", "school_to"], sort=True)["pupils"].sum().reset_index()
    sums["share"] = sums["pupils"] / sums.groupby("school_from")["pupils"].transform("sum")
    return sums.loc[:, list(TRANSFER_COLUMNS)]


def _iterate_stages(baseline: Outcome, proposal: Outcome) -> Iterator[_Stage]:
    known = {tables.stage: tables for tables in proposal.stages if tables.modelled}
    shares = baseline.scenario.low_grade_share, proposal.scenario.low_grade_share
    for before in baseline.stages:
        if before.modelled and before.stage in known:
            after = known[before.stage]
            names = {
                str(key): "" if name == key else str(name)
                for tables in (before, after)
                for key, name in zip(tables.schools["school_id"], tables.schools["name"], strict=True)
            }
            yield _Stage(before.stage, before, after, shares, names)


def _build_stage(case: _Stage, compared: pd.DataFrame, comparison: Comparison) -> dict[str, pd.DataFrame]:
    compared = compared.sort_values("unit_id", kind="stable").reset_index(drop=True)
    ways = _build_ways(case)
    units = _build_units(case, compared, ways)
    pupils = pd.Series(compared["pupils"].to_numpy(dtype=np.float64), index=compared["unit_id"].astype(str))
    cells = count_cells(case.before, case.after, pupils, case.low_grade_shares)
    cells = _judge_cells(cells.assign(stage=case.stage), units)
    units = _count_units(units, cells)
    return {
        "cells": cells,
        "units": units,
        "ways": ways,
        "schools": _build_schools(case, cells, ways, units, comparison),
        "flows": _build_flows(case, cells),
        "towns": _build_towns(case, cells, units),
        "totals": _build_totals(case, cells, units),
    }


def _build_ways(case: _Stage) -> pd.DataFrame:
    """Return ``WAY_COLUMNS``: grades apart only where they go apart."""
    bands = find_bands(case.before, case.after)
    parts = []
    for side, tables, low in zip(SIDES, (case.before, case.after), case.low_grade_shares, strict=True):
        shares = build_shares(tables, bands, low)
        if bands != ("all",):
            shares = _merge_bands(shares)
        shares = shares[(shares["school_id"] != "") & (shares["share"] >= LEAST_SHARE - 1e-9)]
        about = tables.pairs[["unit_id", "school_id", "time_min", "length_m"]]
        parts.append(shares.merge(about, on=["unit_id", "school_id"], how="left").assign(side=side))
    rows = pd.concat(parts, ignore_index=True)
    rows["stage"] = case.stage
    rows["school_name"] = [case.names.get(key, "") for key in rows["school_id"]]
    rows["time_min"] = rows["time_min"].astype(float).round(1)
    rows["length_m"] = rows["length_m"].astype(float).round(0)
    rows["share"] = rows["share"].round(4)
    rows["place"] = rows["side"].map({"before": 0, "after": 1})
    rows["least"] = -rows["share"]
    rows = rows.sort_values(["unit_id", "place", "grades", "least", "school_id"], kind="stable", ignore_index=True)
    return rows.loc[:, list(WAY_COLUMNS)]


def _merge_bands(shares: pd.DataFrame) -> pd.DataFrame:
    """Return the shares with ``grades`` "all" where grades 1 to 3 go where the upper grades go."""
    wide = shares.pivot_table(index=["unit_id", "school_id"], columns="grades", values="share", fill_value=0.0)
    wide = wide.reindex(columns=["low", "upper"], fill_value=0.0)
    apart = (wide["low"] - wide["upper"]).abs() > 1e-6
    split = apart.groupby(level="unit_id").any()
    here = shares["unit_id"].map(split).to_numpy(dtype=bool)
    together = shares[~here & (shares["grades"] == "low").to_numpy()].assign(grades="all")
    return pd.concat([shares[here], together], ignore_index=True)


def _build_units(case: _Stage, compared: pd.DataFrame, ways: pd.DataFrame) -> pd.DataFrame:
    units = pd.DataFrame(compared[["stage", "unit_id", "name", "town", "setting", "min_before", "min_after"]])
    units["name"] = units["name"].astype(str).where(units["name"] != units["unit_id"], "")
    for column in ("min_before", "min_after"):
        units[column] = units[column].astype(float).round(1)
    units["change_min"] = (units["min_after"] - units["min_before"]).round(1)
    sets = {}
    for side, tables in zip(SIDES, (case.before, case.after), strict=True):
        rows = ways[ways["side"] == side]
        first = rows.drop_duplicates(["unit_id", "school_id"])
        ids = first.groupby("unit_id", sort=False)["school_id"].agg(tuple)
        listed = [ids.get(key, ()) for key in units["unit_id"]]
        units[f"{side}_ids"] = [";".join(found) for found in listed]
        units[f"{side}_names"] = [tuple(case.names.get(key, "") for key in found) for found in listed]
        length = tables.units.drop_duplicates("unit_id").set_index("unit_id")["length_m"]
        units[f"length_{side}_m"] = length.reindex(units["unit_id"]).to_numpy(dtype=float).round(0)
        pairs = rows["grades"] + ":" + rows["school_id"]
        sets[side] = pairs.groupby(rows["unit_id"]).agg(frozenset)
    empty: frozenset[str] = frozenset()
    units["changed"] = [sets["before"].get(key, empty) != sets["after"].get(key, empty) for key in units["unit_id"]]
    units["verdict"] = _judge_units(units, compared["verdict"])
    return units


def _judge_units(units: pd.DataFrame, compared: pd.Series[str]) -> np.ndarray:
    """Return the verdict by the published minutes, so that a reader who takes the difference comes to the same."""
    change = units["change_min"].to_numpy(dtype=np.float64)
    told = compared.to_numpy(dtype=object).copy()
    plain = np.isfinite(change) & ~np.isin(told, ("lost", "won"))
    told[plain] = np.where(
        change[plain] >= SAME_MIN - 1e-9, "worse", np.where(change[plain] <= -SAME_MIN + 1e-9, "better", "same")
    )
    return told


def _judge_cells(cells: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Return ``CELL_COLUMNS``: lost and won by cell, the others as the change of their unit."""
    change = units.set_index("unit_id")["change_min"].reindex(cells["unit_id"]).to_numpy(dtype=np.float64)
    known = np.isfinite(change)
    verdict = np.full(len(cells), "unknown", dtype=object)
    verdict[known] = "same"
    verdict[known & (change >= SAME_MIN - 1e-9)] = "worse"
    verdict[known & (change <= -SAME_MIN + 1e-9)] = "better"
    nowhere = (cells["before_id"] == "").to_numpy(), (cells["after_id"] == "").to_numpy()
    verdict[nowhere[0] & nowhere[1]] = "same"
    verdict[~nowhere[0] & nowhere[1]] = "lost"
    verdict[nowhere[0] & ~nowhere[1]] = "won"
    return cells.assign(verdict=verdict).loc[:, list(CELL_COLUMNS)]


def _count_units(units: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    moved = cells[cells["before_id"] != cells["after_id"]]
    for column, rows in (("pupils", cells), ("moved_pupils", moved)):
        units[column] = _sum_by(rows, "unit_id", units["unit_id"])
    unknown = units["pupils"].isna()
    units["moved_pupils"] = units["moved_pupils"].where(~unknown)
    return units.assign(pupils_hidden=False, moved_hidden=False, reason=None).loc[:, list(UNIT_COLUMNS)]


def _sum_by(rows: pd.DataFrame, key: str, ids: pd.Series[str]) -> np.ndarray:
    """Return pupils by ``ids``: 0 where no row is there, NaN where all its rows are unknown."""
    sums = rows.groupby(key)["pupils"].sum(min_count=1)
    here = pd.Index(ids).isin(sums.index)
    return np.where(here, sums.reindex(ids).to_numpy(dtype=np.float64), 0.0)


def _build_schools(
    case: _Stage, cells: pd.DataFrame, ways: pd.DataFrame, units: pd.DataFrame, comparison: Comparison
) -> pd.DataFrame:
    table = comparison.schools
    rows = table[(table["option"] == 1) & (table["stage"] == case.stage)].sort_values("school_id", kind="stable")
    schools = rows.reset_index(drop=True).reindex(columns=list(SCHOOL_COLUMNS))
    schools["name"] = [case.names.get(key, "") for key in schools["school_id"]]
    for side in SIDES:
        taught = schools["school_id"].isin((case.before if side == "before" else case.after).schools["school_id"])
        count = _sum_by(cells, f"{side}_id", schools["school_id"])
        schools[f"pupils_{side}"] = np.where(taught, count, np.nan)
        schools[f"roll_{side}"] = _round_known(rows[f"roll_{side}"].to_numpy(dtype=np.float64))
        members = ways[ways["side"] == side].drop_duplicates(["unit_id", "school_id"]).groupby("school_id").size()
        schools[f"units_{side}"] = members.reindex(schools["school_id"]).fillna(0).to_numpy(dtype=np.int64)
        schools[f"mean_min_{side}"] = schools[f"mean_min_{side}"].astype(float).round(1)
        schools[[f"pupils_{side}_hidden", f"roll_{side}_hidden"]] = False
    schools["changed"] = _find_changed_schools(schools, ways, units)
    return schools.loc[:, list(SCHOOL_COLUMNS)]


def _round_known(values: np.ndarray) -> np.ndarray:
    rounded = np.full(len(values), np.nan)
    known = np.isfinite(values)
    rounded[known] = round_by_largest_remainder(values[known], round(float(values[known].sum())))
    return rounded


def _find_changed_schools(schools: pd.DataFrame, ways: pd.DataFrame, units: pd.DataFrame) -> np.ndarray:
    """Tell which schools are not as before: opened, closed, another size or kind, or another zone."""
    sides = [
        {tuple(row) for row in ways.loc[ways["side"] == side, ["unit_id", "grades", "school_id"]].to_numpy()}
        for side in SIDES
    ]
    touched = {str(row[2]) for row in sides[0] ^ sides[1]}
    differs = (schools["status"] != "same") | (schools["kind_before"] != schools["kind_after"])
    for name in ("places", "classes"):
        old, new = schools[f"{name}_before"].astype(float), schools[f"{name}_after"].astype(float)
        differs |= ~((old - new).abs() < 0.5) & ~(old.isna() & new.isna())
    found: np.ndarray = (differs | schools["school_id"].isin(touched)).to_numpy(dtype=bool)
    return found


def _build_flows(case: _Stage, cells: pd.DataFrame) -> pd.DataFrame:
    moved = cells[(cells["before_id"] != cells["after_id"]) & (cells["pupils"].fillna(0) > 0)]
    flows = moved.groupby(["stage", "before_id", "after_id"], as_index=False, sort=True).agg(
        units=("unit_id", "nunique"), pupils=("pupils", "sum")
    )
    for side in SIDES:
        flows[f"{side}_name"] = [case.names.get(key, "") for key in flows[f"{side}_id"]]
    return flows.assign(pupils_hidden=False).loc[:, list(FLOW_COLUMNS)]


def _build_towns(case: _Stage, cells: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    town = units.set_index("unit_id")["town"]
    rows = cells.assign(town=town.reindex(cells["unit_id"]).to_numpy())
    towns = units.groupby("town", as_index=False, sort=True).agg(units=("unit_id", "size")).assign(stage=case.stage)
    moved = rows["before_id"] != rows["after_id"]
    for column, here in (
        ("pupils", slice(None)),
        ("moved_pupils", moved),
        ("worse_pupils", rows["verdict"] == "worse"),
        ("better_pupils", rows["verdict"] == "better"),
    ):
        towns[column] = _sum_by(rows.loc[here], "town", towns["town"])
    flags = {name: False for name in TOWN_COLUMNS if name.endswith("_hidden")}
    return towns.assign(**flags).loc[:, list(TOWN_COLUMNS)]


def _build_totals(case: _Stage, cells: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    by_verdict = cells.groupby("verdict")["pupils"].sum()
    nothing = np.nan if cells["pupils"].isna().all() else 0.0  # nobody is known: no sum is
    row = {
        "stage": case.stage,
        "units": len(units),
        "changed_units": int(units["changed"].sum()),
        "pupils": float(cells["pupils"].sum()) + nothing,
        "moved_pupils": float(cells.loc[cells["before_id"] != cells["after_id"], "pupils"].sum()) + nothing,
        **{
            f"{name}_pupils": float(by_verdict.get(name, 0.0)) + nothing
            for name in ("worse", "same", "better", "lost", "won", "unknown")
        },
    }
    return pd.DataFrame([row], columns=list(TOTAL_COLUMNS))


def _list_notes(units: pd.DataFrame, ways: pd.DataFrame, threshold: int) -> tuple[Message, ...]:
    found = [
        msg(
            "Counts are of children as the model sends them to school, in whole numbers that add up in every document."
        ),
        msg(
            "Counts of fewer than {threshold} children are not shown, and neither are those from which they could be"
            " worked out.",
            threshold=threshold,
        ),
        msg(
            "Minutes are one way, the mean over the children of a community. A change of less than half a minute"
            " is none."
        ),
    ]
    if (ways["share"] < 1.0).any():
        found.append(msg("Schools that take less than 5% of the children of a community are not named for it."))
    if len(units) and units["pupils"].isna().any():
        found.append(msg("Where the number of children is not known, a dash stands in its place."))
    return tuple(found)


def _stack(tables: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))
