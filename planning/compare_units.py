"""Who gains and who loses: the change of every unit's way to school between the baseline and another answer.

A unit's minutes are the mean over its pupils, one way. Its pupils count as better or worse off from a change of half a
minute on; less is no change. Pupils who reach a school in one answer only are counted apart: they have no change in
minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.tables import StageTables

if TYPE_CHECKING:
    from planning.run import Outcome

UNIT_COLUMNS = (
    *("option", "unit_id", "name", "setting", "town", "stage", "pupils", "min_before", "min_after", "change_min"),
    *("school_before_id", "school_before", "school_after_id", "school_after", "schools_before", "schools_after"),
    *("moved_pupils", "lost_pupils", "won_pupils", "verdict"),
)
SPREAD_COLUMNS = ("option", "group_kind", "group", "stage", "band", "pupils")
TOTAL_COLUMNS = (
    *("option", "stage", "pupils", "worse_pupils", "same_pupils", "better_pupils", "lost_pupils", "won_pupils"),
    *("unknown_pupils", "moved_pupils", "mean_change_min", "mean_worse_min", "mean_better_min", "worse_units"),
)
UnitVerdict = Literal["better", "worse", "same", "lost", "won", "unknown"]

SAME_MIN = 0.5
"""A change of fewer minutes than this is no change. A convention: travel times are not more exact."""
BAND_BREAKS_MIN = (-15.0, -5.0, -SAME_MIN, SAME_MIN, 5.0, 15.0)
BANDS = ("won", "better_15", "better_5", "better", "same", "worse", "worse_5", "worse_15", "lost", "unknown")
"""Bands of change, from the best to the worst: ``worse_5`` is from 5 minutes on, ``worse`` from half a minute on."""
WORST_UNITS = 20

Floats = npt.NDArray[np.float64]


def build_units(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return ``UNIT_COLUMNS`` for every answer but the first, for the stages that it shares with the first.

    ``moved_pupils``: those who go to another school. ``lost_pupils``: those who reached a school before and reach none
    after; ``won_pupils``: the other way round. Stages without an answer in one of the two are left out.
    """
    parts = [
        _compare_stage(number, before, after)
        for number, outcome in enumerate(outcomes[1:], start=1)
        for before, after in _iterate_stages(outcomes[0], outcome)
    ]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=_find_dtype(name)) for name in UNIT_COLUMNS})
    return pd.concat(parts, ignore_index=True)


def _find_dtype(column: str) -> str:
    if column in ("option", "schools_before", "schools_after"):
        return "int64"
    return "float64" if column.endswith(("pupils", "min")) or column.startswith("min_") else "str"


def _iterate_stages(first: Outcome, second: Outcome) -> Iterator[tuple[StageTables, StageTables]]:
    known = {tables.stage: tables for tables in second.stages if tables.modelled}
    for tables in first.stages:
        if tables.modelled and tables.stage in known:
            yield tables, known[tables.stage]


def _compare_stage(number: int, before: StageTables, after: StageTables) -> pd.DataFrame:
    old = before.units.drop_duplicates("unit_id").set_index("unit_id")
    new = after.units.drop_duplicates("unit_id").set_index("unit_id").reindex(old.index)
    pupils = old["pupils"].to_numpy(dtype=np.float64)
    reached = old["reached_share"].to_numpy(dtype=np.float64), new["reached_share"].to_numpy(dtype=np.float64)
    minutes = old["time_min"].to_numpy(dtype=np.float64), new["time_min"].to_numpy(dtype=np.float64)
    change = minutes[1] - minutes[0]
    lost = pupils * np.maximum(0.0, _drop_dust(reached[0] - reached[1]))
    won = pupils * np.maximum(0.0, _drop_dust(reached[1] - reached[0]))
    ids = old.index.astype(str).to_numpy(dtype=object)
    names = old["name"].fillna("").astype(str).to_numpy(dtype=object)
    frame = pd.DataFrame(
        {
            "option": np.full(len(old), number, dtype=np.int64),
            "unit_id": ids,
            "name": np.where(names != "", names, ids),
            "setting": old["setting"].fillna("").astype(str).to_numpy(),
            "town": old["town"].fillna("").astype(str).to_numpy(),
            "stage": before.stage,
            "pupils": pupils,
            "min_before": minutes[0],
            "min_after": minutes[1],
            "change_min": change,
            "school_before_id": old["school_id"].fillna("").astype(str).to_numpy(),
            "school_before": old["school_name"].fillna("").astype(str).to_numpy(),
            "school_after_id": new["school_id"].fillna("").astype(str).to_numpy(),
            "school_after": new["school_name"].fillna("").astype(str).to_numpy(),
            "schools_before": old["schools"].fillna(0).to_numpy(dtype=np.int64),
            "schools_after": new["schools"].fillna(0).to_numpy(dtype=np.int64),
            "moved_pupils": pupils * (1.0 - _share_staying(before.pairs, after.pairs, old.index)),
            "lost_pupils": lost,
            "won_pupils": won,
            "verdict": _judge_units(change, reached[0], reached[1]),
        }
    )
    return frame.loc[:, list(UNIT_COLUMNS)]


def _drop_dust(share: Floats) -> Floats:
    return np.where(np.abs(share) < 1e-9, 0.0, share)


def _share_staying(before: pd.DataFrame, after: pd.DataFrame, unit_ids: pd.Index[str]) -> Floats:
    """Return the share of every unit that keeps its school: sum over schools of the smaller of the two shares."""
    both = before[["unit_id", "school_id", "share"]].merge(
        after[["unit_id", "school_id", "share"]], on=["unit_id", "school_id"], suffixes=("_before", "_after")
    )
    kept = both[["share_before", "share_after"]].min(axis=1).groupby(both["unit_id"]).sum()
    share = kept.reindex(unit_ids).fillna(0.0).to_numpy(dtype=np.float64)
    return np.where(share > 1.0 - 1e-9, 1.0, share)


def _judge_units(change: Floats, reached_before: Floats, reached_after: Floats) -> npt.NDArray[np.str_]:
    known = np.isfinite(change)
    verdict = np.full(len(change), "unknown", dtype="<U7")
    verdict[known] = "same"
    verdict[known & (change >= SAME_MIN)] = "worse"
    verdict[known & (change <= -SAME_MIN)] = "better"
    verdict[reached_after < reached_before - 1e-9] = "lost"
    verdict[reached_after > reached_before + 1e-9] = "won"
    # Who reaches no school in both has no change.
    verdict[~known & (reached_before <= 1e-9) & (reached_after <= 1e-9)] = "same"
    return verdict


def band_changes(change_min: Floats) -> npt.NDArray[np.object_]:
    """Return the band of every change in minutes; NaN is ``"unknown"``."""
    inner = np.array(["better_15", "better_5", "better", "same", "worse", "worse_5", "worse_15"], dtype=object)
    low = np.searchsorted(np.array(BAND_BREAKS_MIN[:3]), change_min, side="left")
    high = np.searchsorted(np.array(BAND_BREAKS_MIN[3:]), change_min, side="right")
    found: npt.NDArray[np.object_] = inner[np.minimum(low + high, len(inner) - 1)]
    found[~np.isfinite(change_min)] = "unknown"
    return found


def build_spread(units: pd.DataFrame) -> pd.DataFrame:
    """Return ``SPREAD_COLUMNS``: pupils of every option, stage and group by band of change, in the order of ``BANDS``.

    ``group_kind`` is ``county`` (group ``""``), ``setting`` or ``town``; a band without pupils is left out. Each unit's
    pupils are split: those who lose their way to school, those who get one, and the rest by the change in minutes.
    """
    work = units[np.isfinite(units["pupils"].to_numpy(dtype=np.float64)) & (units["pupils"] > 0)]
    change = work["change_min"].to_numpy(dtype=np.float64)
    band = band_changes(change)
    band[~np.isfinite(change) & (work["verdict"] == "same").to_numpy()] = "same"
    rest = (work["pupils"] - work["lost_pupils"] - work["won_pupils"]).to_numpy(dtype=np.float64)
    keys = work[["option", "stage", "setting", "town"]]
    parts = pd.concat(
        [
            keys.assign(band=band, pupils=rest),
            keys.assign(band="lost", pupils=work["lost_pupils"]),
            keys.assign(band="won", pupils=work["won_pupils"]),
        ],
        ignore_index=True,
    )
    parts = parts[parts["pupils"] > 1e-9]
    tables = [
        parts.assign(group_kind=kind, group=parts[kind] if kind != "county" else "")
        for kind in ("county", "setting", "town")
    ]
    together = pd.concat(tables, ignore_index=True)
    together["place"] = together["band"].map({name: place for place, name in enumerate(BANDS)})
    order = ["option", "group_kind", "group", "stage", "place", "band"]
    sums: pd.DataFrame = together.groupby(order, sort=True)["pupils"].sum().reset_index()
    return sums.loc[:, list(SPREAD_COLUMNS)]


def build_totals(units: pd.DataFrame) -> pd.DataFrame:
    """Return ``TOTAL_COLUMNS``: one row per option and stage.

    Means are weighted by pupils: ``mean_change_min`` over all with a known change, ``mean_worse_min`` and
    ``mean_better_min`` over those who lose or gain. The parts of ``pupils`` add up to it; units of an unknown number of
    pupils count for none.
    """
    groups = dict(tuple(units.groupby(["option", "stage"])))
    rows = [_sum_group(int(str(option)), str(stage), part) for (option, stage), part in groups.items()]
    return pd.DataFrame(rows, columns=list(TOTAL_COLUMNS))


def _sum_group(option: int, stage: str, part: pd.DataFrame) -> dict[str, object]:
    part = part[np.isfinite(part["pupils"].to_numpy(dtype=np.float64))]
    change = part["change_min"].to_numpy(dtype=np.float64)
    lost, won = part["lost_pupils"].to_numpy(dtype=np.float64), part["won_pupils"].to_numpy(dtype=np.float64)
    rest = part["pupils"].to_numpy(dtype=np.float64) - lost - won
    known = np.isfinite(change)
    worse, better = known & (change >= SAME_MIN), known & (change <= -SAME_MIN)
    nowhere = ~known & (part["verdict"] == "same").to_numpy()
    same = (known & ~worse & ~better) | nowhere
    return {
        "option": option,
        "stage": stage,
        "pupils": float(part["pupils"].sum()),
        "worse_pupils": float(rest[worse].sum()),
        "same_pupils": float(rest[same].sum()),
        "better_pupils": float(rest[better].sum()),
        "lost_pupils": float(lost.sum()),
        "won_pupils": float(won.sum()),
        "unknown_pupils": float(rest[~known & ~nowhere].sum()),
        "moved_pupils": float(part["moved_pupils"].sum()),
        "mean_change_min": _weigh(change[known], rest[known]),
        "mean_worse_min": _weigh(change[worse], rest[worse]),
        "mean_better_min": _weigh(change[better], rest[better]),
        "worse_units": int((worse & (rest > 0)).sum() + ((lost > 0) & ~worse).sum()),
    }


def _weigh(values: Floats, weights: Floats) -> float:
    total = float(weights.sum())
    return float(values @ weights) / total if total > 0 else float("nan")


def build_worst(units: pd.DataFrame, count: int = WORST_UNITS) -> pd.DataFrame:
    """Return the ``count`` units that lose most, per option and stage, with their ``rank`` from 1.

    Those who lose their way to school come first, by how many they are; then the longest added minutes. Only units
    with pupils whose way grows by half a minute or more are listed.
    """
    loses = (units["change_min"] >= SAME_MIN) | (units["lost_pupils"] > 0)
    rows = units[loses & (units["pupils"] > 0)]
    rows = rows.sort_values(
        ["option", "stage", "lost_pupils", "change_min", "pupils", "unit_id"],
        ascending=[True, True, False, False, False, True],
        kind="stable",
    )
    rank = rows.groupby(["option", "stage"]).cumcount() + 1
    return rows.assign(rank=rank)[rank <= count].reset_index(drop=True)
