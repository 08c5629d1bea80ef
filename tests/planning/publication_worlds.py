"""What the tests of publications share: a publication made of cells by hand, and a stranger who attacks it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from planning.publication import (
    FLOW_COLUMNS,
    SCHOOL_COLUMNS,
    TOTAL_COLUMNS,
    TOWN_COLUMNS,
    UNIT_COLUMNS,
    WAY_COLUMNS,
    Publication,
)

Cell = tuple[str, str, str, int]
VERDICTS = ("worse", "same", "better", "lost", "won", "unknown")


def build_cells(rows: list[Cell], verdicts: dict[str, str]) -> pd.DataFrame:
    """Return the cells of (unit, before, after, pupils); ``verdicts`` by unit, else "same"."""
    frame = pd.DataFrame(rows, columns=["unit_id", "before_id", "after_id", "pupils"])
    frame = frame.groupby(["unit_id", "before_id", "after_id"], as_index=False, sort=True)["pupils"].sum()
    verdict = [verdicts.get(key, "same") for key in frame["unit_id"]]
    return frame.assign(stage="primary", verdict=verdict, pupils=frame["pupils"].astype(float))


def build_from_cells(cells: pd.DataFrame, towns: dict[str, str], threshold: int = 10) -> Publication:
    """Return the publication of these cells with every count shown; the sums are written out once more here."""
    ids = sorted(cells["unit_id"].unique())
    moved = cells["before_id"] != cells["after_id"]
    town = cells["unit_id"].map(towns)

    def count(here: pd.Series) -> float:
        return float(cells.loc[here, "pupils"].sum())

    units = [
        {
            "unit_id": key,
            "name": key,
            "town": towns[key],
            "pupils": count(cells["unit_id"] == key),
            "moved_pupils": count((cells["unit_id"] == key) & moved),
        }
        for key in ids
    ]
    schools = sorted({*cells["before_id"], *cells["after_id"]} - {""})
    school_rows = [
        {
            "school_id": key,
            "name": key,
            "pupils_before": count(cells["before_id"] == key),
            "pupils_after": count(cells["after_id"] == key),
        }
        for key in schools
    ]
    pairs = sorted({(old, new) for old, new in zip(cells["before_id"], cells["after_id"], strict=True) if old != new})
    flows = [
        {"before_id": old, "after_id": new, "pupils": count((cells["before_id"] == old) & (cells["after_id"] == new))}
        for old, new in pairs
    ]
    town_rows = [
        {
            "town": key,
            "pupils": count(town == key),
            "moved_pupils": count((town == key) & moved),
            **{f"{name}_pupils": count((town == key) & (cells["verdict"] == name)) for name in ("worse", "better")},
        }
        for key in sorted(set(towns.values()))
    ]
    totals = {
        "pupils": count(cells["pupils"] >= 0),
        "moved_pupils": count(moved),
        **{f"{name}_pupils": count(cells["verdict"] == name) for name in VERDICTS},
    }
    share = cells["pupils"] / cells.groupby("unit_id")["pupils"].transform("sum")
    ways = [
        {"unit_id": unit, "side": side, "grades": "all", "school_id": key, "share": float(part)}
        for side in ("before", "after")
        for (unit, key), part in share.groupby([cells["unit_id"], cells[f"{side}_id"]]).sum().items()
        if key
    ]
    return Publication(
        stages=("primary",),
        units=_frame(units, UNIT_COLUMNS),
        ways=_frame(ways, WAY_COLUMNS),
        schools=_frame(school_rows, SCHOOL_COLUMNS),
        flows=_frame(flows, FLOW_COLUMNS),
        towns=_frame(town_rows, TOWN_COLUMNS),
        totals=_frame([totals], TOTAL_COLUMNS),
        threshold=threshold,
    )


def _frame(rows: list[dict[str, object]], columns: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows).reindex(columns=list(columns)).assign(stage="primary")
    for column in columns:
        if column.endswith("_hidden"):
            table[column] = False
        elif column == "reason":
            table[column] = None
    return table


def list_counts(
    publication: Publication, cells: pd.DataFrame, towns: dict[str, str]
) -> list[tuple[str, np.ndarray, bool]]:
    """Return every published count as (name, which cells it is the sum of, whether it is hidden)."""
    unit, old, new = (cells[name].to_numpy() for name in ("unit_id", "before_id", "after_id"))
    town, verdict = cells["unit_id"].map(towns).to_numpy(), cells["verdict"].to_numpy()
    moved = old != new
    found: list[tuple[str, np.ndarray, Any]] = []
    for row in publication.units.itertuples():
        found.append((f"unit {row.unit_id}", unit == row.unit_id, row.pupils_hidden))
        found.append((f"moved {row.unit_id}", (unit == row.unit_id) & moved, row.moved_hidden))
    for row in publication.schools.itertuples():
        found.append((f"before {row.school_id}", old == row.school_id, row.pupils_before_hidden))
        found.append((f"after {row.school_id}", new == row.school_id, row.pupils_after_hidden))
    for row in publication.flows.itertuples():
        goes = (old == row.before_id) & (new == row.after_id)
        found += [(f"{row.before_id}>{row.after_id}", goes, row.pupils_hidden)]
    for row in publication.towns.itertuples():
        for name in ("pupils", "moved", "worse", "better"):
            here = {"pupils": np.ones(len(cells), dtype=bool), "moved": moved}.get(name, verdict == name)
            found.append((f"town {row.town} {name}", (town == row.town) & here, getattr(row, f"{name}_hidden")))
    total = publication.totals.iloc[0]
    found.append(("county", np.ones(len(cells), dtype=bool), False))
    found.append(("county moved", moved, bool(total["moved_hidden"])))
    found += [(f"county {name}", verdict == name, bool(total[f"{name}_hidden"])) for name in VERDICTS]
    return [(name, here, bool(hidden)) for name, here, hidden in found]


def attack(
    publication: Publication, cells: pd.DataFrame, towns: dict[str, str], *, knows_split: bool
) -> dict[str, tuple[float, float, float]]:
    """Return the truth, the least and the most of every hidden count by what is shown.

    ``knows_split``: the stranger knows how every community is split between schools, and asks for communities only.
    """
    pupils = cells["pupils"].to_numpy()
    counts = list_counts(publication, cells, towns)
    to_cells = np.eye(len(cells))
    if knows_split:
        ids, at = np.unique(cells["unit_id"], return_inverse=True)
        whole = np.bincount(at, weights=pupils)
        to_cells = np.zeros((len(cells), len(ids)))
        to_cells[np.arange(len(cells)), at] = np.divide(pupils, whole[at], out=np.ones(len(cells)), where=whole[at] > 0)
        counts = [item for item in counts if item[0].startswith("unit ") or not item[2]]
    shown = [here.astype(float) for _, here, hidden in counts if not hidden]
    matrix = np.array(shown) @ to_cells
    values = np.array([float(here @ pupils) for here in shown])
    found = {}
    for name, here, hidden in counts:
        if not hidden:
            continue
        weights = here.astype(float) @ to_cells
        ends = [
            linprog(sign * weights, A_eq=matrix, b_eq=values, bounds=(0, None), method="highs") for sign in (1.0, -1.0)
        ]
        assert all(end.status == 0 for end in ends), (name, [end.message for end in ends])
        found[name] = (float(here @ pupils), float(ends[0].fun), -float(ends[1].fun))
    return found
