"""Schools of the baseline and of another answer side by side: who is new, who is gone, and how full they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from planning.run import Outcome

SIDES = ("before", "after")
NUMBERS = {
    "pupils": "modelled_pupils",
    "roll": "actual_pupils",
    "places": "capacity_places",
    "fill": "modelled_fill_share",
    "roll_fill": "fill_share",
    "classes": "classes",
    "class_pupils": "mean_class_pupils",
    "mean_min": "mean_travel_min",
}
"""Numbers of a school, each with the column of ``planning.tables.SCHOOL_COLUMNS`` that it is read from.

``pupils`` and ``fill`` are by the model; ``roll``, ``roll_fill`` and ``class_pupils`` follow the rolls: those of today,
and after actions those projected by the model (``planning.projected_rolls``).
"""
SCHOOL_COLUMNS = (
    *("option", "stage", "school_id", "name", "town", "setting", "status", "kind_before", "kind_after", "into"),
    *(f"{name}_{side}" for name in NUMBERS for side in SIDES),
)
STATUSES = ("gone", "new", "changed", "same")
"""``gone``: only in the baseline; ``new``: only in the other answer; ``changed``: its places or kind differ."""


def build_schools(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return ``SCHOOL_COLUMNS``: every school of the baseline or the other answer, per stage, ordered by id.

    ``into``: names of the schools that take over where an action says so. A number is NaN where it is not known, and
    on the side where the school does not teach the stage.
    """
    parts = [
        _compare_stage(number, stage, outcomes[0], outcome)
        for number, outcome in enumerate(outcomes[1:], start=1)
        for stage in outcomes[0].scenario.stages
        if stage in outcome.scenario.stages
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(SCHOOL_COLUMNS))


def _compare_stage(number: int, stage: str, first: Outcome, second: Outcome) -> pd.DataFrame:
    tables = [_index_schools(outcome, stage) for outcome in (first, second)]
    ids = tables[0].index.union(tables[1].index).sort_values()
    old, new = (table.reindex(ids) for table in tables)
    here = [ids.isin(table.index) for table in tables]
    about = new.where(pd.Series(here[1], index=ids), old)
    frame = pd.DataFrame(
        {
            "option": np.full(len(ids), number, dtype=np.int64),
            "stage": stage,
            "school_id": ids.astype(str),
            **{name: about[name].fillna("").astype(str).to_numpy() for name in ("name", "town", "setting")},
            "kind_before": old["kind"].fillna("").astype(str).to_numpy(),
            "kind_after": new["kind"].fillna("").astype(str).to_numpy(),
            "into": _name_receivers(second, stage, ids),
            **{
                f"{name}_{side}": table[column].to_numpy(dtype=np.float64)
                for name, column in NUMBERS.items()
                for side, table in zip(SIDES, (old, new), strict=True)
            },
        }
    )
    frame["status"] = _judge_schools(frame, *here)
    return frame.loc[:, list(SCHOOL_COLUMNS)]


def _index_schools(outcome: Outcome, stage: str) -> pd.DataFrame:
    table = outcome.school_table
    rows = table[table["stage"] == stage].drop_duplicates("school_id").set_index("school_id")
    rows.index = rows.index.astype(str)
    return rows


def _judge_schools(frame: pd.DataFrame, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    places = frame["places_before"].to_numpy(), frame["places_after"].to_numpy()
    same_places = (places[0] == places[1]) | (np.isnan(places[0]) & np.isnan(places[1]))
    changed = ~same_places | (frame["kind_before"] != frame["kind_after"]).to_numpy()
    status = np.where(changed, "changed", "same").astype(object)
    status[before & ~after] = "gone"
    status[after & ~before] = "new"
    return status


def _name_receivers(outcome: Outcome, stage: str, ids: pd.Index) -> list[str]:
    """Return the names of the schools into which each school was merged; empty where it was not."""
    changes = outcome.changes
    if changes.empty or "into" not in changes.columns:
        return [""] * len(ids)
    rows = changes[changes["stage"].isin(["", stage]) & (changes["into"].fillna("") != "")]
    names = outcome.school_table.drop_duplicates("school_id").set_index("school_id")["name"]
    found = {
        str(school): "; ".join(str(names.get(key, key)) for key in str(into).split(";"))
        for school, into in zip(rows["school_id"], rows["into"], strict=True)
    }
    return [found.get(str(key), "") for key in ids]
