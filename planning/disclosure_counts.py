"""The published counts of one stage as sums of cells, and the sums that tie them together.

A *cell* is the children of one unit who go from one school to another; cells are not published. Every published count
is a sum of cells. Some counts are not published but are differences of published ones (who stays at a school, in a
unit; who reaches no school): they are listed too, so that a small difference is kept as well as a small count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

VERDICTS = ("worse", "same", "better", "lost", "won", "unknown")
NEVER_HIDDEN = ("totals", "pupils")
COSTS = {"units": 1.0, "flows": 3.0, "schools": 5.0, "towns": 8.0, "totals": 20.0, "": 0.2}
"""How much a reader misses a count of a table, against another of the same size; ``""``: counts that are derived."""


@dataclass(eq=False)
class CountSystem:
    """Counts of one stage. Counts of the same cells are one: ``group`` of every place, arrays are by group.

    Parameters
    ----------
    members : (groups, cells)
        Which cells a count is the sum of.
    value, cost : (groups,)
        The true count, and how much it is missed.
    fixed, shown : (groups,)
        Whether it may never be hidden; whether it stands anywhere.
    cell_pupils, cell_unit : (cells,)
        Children of the cell, and the group of its unit's count.
    places
        ``table``, ``row``, ``column``, ``flag``, ``group``: where the counts stand.
    relations
        Groups that are tied by one sum: the whole first, then its parts. Counts of nobody are left out.
    rows_of : (cells, groups)
        ``members`` by cell: ``rows_of.indices`` from ``indptr[cell]`` on are the counts that a cell is part of.
    """

    members: sparse.csr_matrix
    value: Ints
    cost: npt.NDArray[np.float64]
    fixed: Bools
    shown: Bools
    cell_pupils: Ints
    cell_unit: Ints
    places: pd.DataFrame
    relations: list[Ints]
    rows_of: sparse.csc_matrix


@dataclass(eq=False)
class _Listing:
    """Counts while they are listed: each with its cells."""

    cells: list[Ints] = field(default_factory=list)
    places: list[tuple[str, int, str, str]] = field(default_factory=list)
    relations: list[list[int]] = field(default_factory=list)

    def add(self, cells: Ints, table: str = "", row: int = -1, column: str = "", flag: str = "") -> int:
        """Add one count; return its number."""
        self.cells.append(np.sort(cells))
        self.places.append((table, row, column, flag))
        return len(self.cells) - 1

    def tie(self, whole: int, parts: list[int]) -> None:
        """Note that the parts add up to the whole."""
        self.relations.append([whole, *parts])


def build_counts(cells: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> CountSystem:
    """Return the counts of one stage.

    Parameters
    ----------
    cells
        ``unit_id``, ``before_id``, ``after_id``, ``pupils``, ``verdict``, ``town``.
    tables
        Rows of ``units``, ``schools``, ``flows``, ``towns``, ``totals`` of the stage, indexed as they are published.
    """
    cells = cells[cells["pupils"] > 0].reset_index(drop=True)
    listing = _Listing()
    moved = (cells["before_id"] != cells["after_id"]).to_numpy()
    units = _list_units(listing, cells, moved, tables["units"])
    flows = _list_flows(listing, cells, moved, tables["flows"])
    totals = _list_totals(listing, cells, moved, tables["totals"])
    _list_towns(listing, cells, moved, tables["towns"], units, totals)
    _list_schools(listing, cells, tables["schools"], flows, totals)
    listing.tie(totals["moved"], [number for number, _, _ in flows])
    for name, side in (("lost", 1), ("won", 0)):
        listing.tie(totals[name], [number for number, *ends in flows if ends[side] == ""])
    return _merge(listing, cells, units)


def _group(cells: pd.DataFrame, keys: str | list[str], here: Bools | None = None) -> dict[object, Ints]:
    rows = cells if here is None else cells[here]
    return {key: np.asarray(part, dtype=np.int64) for key, part in rows.groupby(keys, sort=True).groups.items()}


def _list_units(
    listing: _Listing, cells: pd.DataFrame, moved: Bools, table: pd.DataFrame
) -> dict[object, tuple[int, int | None]]:
    """Add the pupils of units and who of them moves or stays; return the numbers of the former two."""
    all_of, moving = _group(cells, "unit_id"), _group(cells, "unit_id", moved)
    found: dict[object, tuple[int, int | None]] = {}
    for row, key in zip(table.index, table["unit_id"], strict=True):
        if key not in all_of:
            continue
        here = listing.add(all_of[key], "units", row, "pupils", "pupils_hidden")
        leaves = None
        if key in moving:
            leaves = listing.add(moving[key], "units", row, "moved_pupils", "moved_hidden")
            stays = listing.add(np.setdiff1d(all_of[key], moving[key]))
            listing.tie(here, [leaves, stays])
        found[key] = (here, leaves)
    return found


def _list_flows(
    listing: _Listing, cells: pd.DataFrame, moved: Bools, table: pd.DataFrame
) -> list[tuple[int, str, str]]:
    groups = _group(cells, ["before_id", "after_id"], moved)
    return [
        (listing.add(groups[(old, new)], "flows", row, "pupils", "pupils_hidden"), str(old), str(new))
        for row, old, new in zip(table.index, table["before_id"], table["after_id"], strict=True)
        if (old, new) in groups
    ]


def _list_totals(listing: _Listing, cells: pd.DataFrame, moved: Bools, table: pd.DataFrame) -> dict[str, int]:
    row = int(table.index[0])
    everybody = np.arange(len(cells), dtype=np.int64)
    found = {
        "pupils": listing.add(everybody, "totals", row, "pupils"),
        "moved": listing.add(np.flatnonzero(moved), "totals", row, "moved_pupils", "moved_hidden"),
    }
    stays = listing.add(np.flatnonzero(~moved))
    listing.tie(found["pupils"], [found["moved"], stays])
    for name in VERDICTS:
        here = np.flatnonzero((cells["verdict"] == name).to_numpy())
        found[name] = listing.add(here, "totals", row, f"{name}_pupils", f"{name}_hidden")
    listing.tie(found["pupils"], [found[name] for name in VERDICTS])
    return found


def _list_towns(
    listing: _Listing,
    cells: pd.DataFrame,
    moved: Bools,
    table: pd.DataFrame,
    units: dict[object, tuple[int, int | None]],
    totals: dict[str, int],
) -> None:
    about = cells.drop_duplicates("unit_id")
    by_town = {key: list(part) for key, part in about.groupby("town")["unit_id"]}
    for name in ("pupils", "moved", "worse", "better"):
        if name == "pupils":
            here = np.ones(len(cells), dtype=bool)
        else:
            here = moved if name == "moved" else (cells["verdict"] == name).to_numpy()
        groups = _group(cells, "town", here)
        column = "pupils" if name == "pupils" else f"{name}_pupils"
        towns = []
        for row, town in zip(table.index, table["town"], strict=True):
            if town not in groups:
                continue
            number = listing.add(groups[town], "towns", row, column, f"{name}_hidden")
            towns.append(number)
            if name in ("pupils", "moved"):
                parts = [units[key][name == "moved"] for key in by_town[town]]
                listing.tie(number, [part for part in parts if part is not None])
        listing.tie(totals[name], towns)


def _list_schools(
    listing: _Listing,
    cells: pd.DataFrame,
    table: pd.DataFrame,
    flows: list[tuple[int, str, str]],
    totals: dict[str, int],
) -> None:
    stay = _group(cells, "before_id", (cells["before_id"] == cells["after_id"]).to_numpy())
    stays = {key: listing.add(part) for key, part in stay.items()}
    for side, end in (("before", 1), ("after", 2)):
        groups = _group(cells, f"{side}_id")
        parts = [listing.add(groups[""])] if "" in groups else []
        for row, key in zip(table.index, table["school_id"], strict=True):
            if key not in groups:
                continue
            number = listing.add(groups[key], "schools", row, f"pupils_{side}", f"pupils_{side}_hidden")
            parts.append(number)
            ends = [flow[0] for flow in flows if flow[end] == key]
            listing.tie(number, [*ends, *([stays[key]] if key in stays else [])])
        listing.tie(totals["pupils"], parts)


def _merge(listing: _Listing, cells: pd.DataFrame, units: dict[object, tuple[int, int | None]]) -> CountSystem:
    """Put counts of the same cells together."""
    known: dict[bytes, int] = {}
    group = np.array([known.setdefault(part.tobytes(), len(known)) for part in listing.cells], dtype=np.int64)
    first = np.unique(group, return_index=True)[1]
    chosen = [listing.cells[number] for number in first]
    pupils = cells["pupils"].to_numpy(dtype=np.int64)
    places = pd.DataFrame(listing.places, columns=["table", "row", "column", "flag"]).assign(group=group)
    fixed = np.zeros(len(first), dtype=bool)
    fixed[group[((places["table"] == NEVER_HIDDEN[0]) & (places["column"] == NEVER_HIDDEN[1])).to_numpy()]] = True
    shown = np.zeros(len(first), dtype=bool)
    shown[group[(places["table"] != "").to_numpy()]] = True
    value = np.array([int(pupils[part].sum()) for part in chosen], dtype=np.int64)
    weight = np.zeros(len(first))
    np.maximum.at(weight, group, places["table"].map(COSTS).to_numpy(dtype=np.float64))
    unit_group = {key: int(group[numbers[0]]) for key, numbers in units.items()}
    members = _build_members(chosen, len(cells))
    return CountSystem(
        members=members,
        value=value,
        cost=weight * (value + 1.0),
        fixed=fixed,
        shown=shown,
        cell_pupils=pupils,
        cell_unit=np.array([unit_group[key] for key in cells["unit_id"]], dtype=np.int64),
        places=places[places["table"] != ""].reset_index(drop=True),
        relations=list(_merge_relations(listing, group, value)),
        rows_of=members.tocsc(),
    )


def _build_members(chosen: list[Ints], n_cells: int) -> sparse.csr_matrix:
    pointer = np.concatenate([[0], np.cumsum([len(part) for part in chosen])])
    index = np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)
    return sparse.csr_matrix((np.ones(len(index)), index, pointer), shape=(len(chosen), n_cells))


def _merge_relations(listing: _Listing, group: Ints, value: Ints) -> Iterator[Ints]:
    seen: set[tuple[int, ...]] = set()
    for numbers in listing.relations:
        members = [int(group[number]) for number in numbers if value[group[number]] > 0]
        key = tuple(members)
        if len(set(members)) > 1 and key not in seen:
            seen.add(key)
            yield np.array(members, dtype=np.int64)
