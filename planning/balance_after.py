"""Assets after actions: teachers, equipment and books go with the pupils, buildings and grounds stay where they are.

Assumptions, each said in the answer
    Closed or merged: teachers, equipment, computers and books of the stage go to the schools that take its pupils, in
    proportion to these pupils. Rooms, areas and sports grounds stay behind and count for nobody; where the school keeps
    another stage, that stage has them.
    Campus: nothing moves. Pupils and assets of the campus, its buildings included, count under the head school.
    Teaching point, moved zones: pupils change, assets do not.
    New school, new stage, more places: assets are not known until they are given.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.balance_assets import (
    ASSET_COLUMNS,
    MOVING_ASSETS,
    PUPIL_COUNTS,
    SHARED_ASSETS,
    join_campuses,
    pick_asset_rows,
    split_assets,
    total_assets,
)
from planning.balance_rules import SplitWeights
from planning.projected_rolls import compute_flows
from planning.run import Outcome
from planning.tables import StageTables

ENDED = ("closed", "merged")
_NO_MOVES = ["school_id", "stage", *MOVING_ASSETS]


@dataclass(frozen=True, eq=False)
class AssetBook:
    """Assets ready to be counted.

    ``parts``: school_id, stage, ``ASSET_COLUMNS``, ``split_columns``. ``totals``: whole schools, indexed by school.
    ``heads``: head school by campus. ``years``: those of the rows. ``new``: schools that actions opened.
    """

    parts: pd.DataFrame
    totals: pd.DataFrame
    heads: dict[str, str] = field(default_factory=dict)
    years: tuple[int, ...] = ()
    new: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()


def build_assets(study: StudyArea, parts: pd.DataFrame, weights: SplitWeights, year: int | None) -> AssetBook:
    """Return the assets as they are; ``parts`` as ``planning.balance_parts.PART_COLUMNS``."""
    rows = pick_asset_rows(study.assets, year)
    return AssetBook(split_assets(rows, parts, weights), total_assets(rows), years=_list_years(rows))


def build_assets_after(
    study: StudyArea,
    outcome: Outcome,
    before: pd.DataFrame,
    after: pd.DataFrame,
    weights: SplitWeights,
) -> AssetBook:
    """Return the assets after the actions of an outcome.

    Parameters
    ----------
    study
        Without the actions.
    before, after
        School parts without and with the actions (``planning.balance_parts.PART_COLUMNS``).
    """
    rows = pick_asset_rows(study.assets, outcome.scenario.year)
    changes = outcome.changes
    owned = split_assets(rows, before, weights).set_index(["school_id", "stage"])
    ended = _list_ended(changes, after)
    moved = _move_assets(study, outcome, owned, ended, after)
    rest = _take_out(rows, owned, ended)
    parts = _add_moved(split_assets(rest, after, weights), moved)
    campus = changes[changes["what"] == "campus"] if len(changes) else changes
    heads = {str(key): str(into) for key, into in zip(campus["school_id"], campus["into"], strict=True)}
    heads = {key: _find_head(key, heads) for key in heads}
    opened = changes.loc[changes["what"] == "opened", "school_id"] if len(changes) else pd.Series(dtype=str)
    return AssetBook(
        parts=join_campuses(parts, heads, (*SHARED_ASSETS, *PUPIL_COUNTS)),
        totals=_total_after(rest, moved, heads, set(after["school_id"])),
        heads=heads,
        years=_list_years(rows),
        new=tuple(dict.fromkeys(str(key) for key in opened)),
        notes=_tell_assumptions(changes),
    )


def _list_years(rows: pd.DataFrame) -> tuple[int, ...]:
    return tuple(sorted({int(year) for year in rows["year"]}))


def _find_head(key: str, heads: dict[str, str]) -> str:
    """Follow a campus of a campus to the last head; a ring ends where it began."""
    seen = {key}
    while heads.get(key, "") and heads[key] not in seen:
        key = heads[key]
        seen.add(key)
    return key


def _list_ended(changes: pd.DataFrame, after: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the school parts that end and are not open in the end."""
    if changes.empty:
        return []
    rows = changes[changes["what"].isin(ENDED) | ((changes["what"] == "stages") & (changes["places_after"] == 0))]
    still = set(zip(after["school_id"], after["stage"], strict=True))
    pairs = dict.fromkeys((str(key), str(stage)) for key, stage in zip(rows["school_id"], rows["stage"], strict=True))
    return [pair for pair in pairs if pair not in still and pair[1]]


def _move_assets(
    study: StudyArea, outcome: Outcome, owned: pd.DataFrame, ended: list[tuple[str, str]], after: pd.DataFrame
) -> pd.DataFrame:
    """Return what comes to each school part: school_id, stage, ``MOVING_ASSETS``."""
    found = []
    for key, stage in ended:
        if (key, stage) not in owned.index:
            continue
        values = owned.loc[(key, stage), list(MOVING_ASSETS)].to_numpy(dtype=np.float64)
        for goal, share in _find_goals(study, outcome, key, stage, after).items():
            found.append((goal, stage, *(values * share)))
    table = pd.DataFrame(found, columns=_NO_MOVES).astype(dict.fromkeys(MOVING_ASSETS, float))
    summed = table.groupby(["school_id", "stage"], sort=True)[list(MOVING_ASSETS)]
    return summed.sum(skipna=False).reset_index()


def _find_goals(study: StudyArea, outcome: Outcome, key: str, stage: str, after: pd.DataFrame) -> dict[str, float]:
    """Return the shares in which a closed school's pupils go to open ones; without a model to the nearest."""
    sides = [_find_stage(answer, stage) for answer in (outcome.before, outcome)]
    opened = set(after.loc[after["stage"] == stage, "school_id"])
    if sides[0] is not None and sides[1] is not None and sides[0].modelled and sides[1].modelled:
        flows = compute_flows(sides[0], sides[1], outcome.scenario.low_grade_share)
        own = flows[(flows["school_from"] == key) & flows["school_to"].isin(opened)]
        goals = own.groupby("school_to")["pupils"].sum()
        if goals.sum() > 0:
            return {str(goal): float(share) for goal, share in (goals / goals.sum()).items()}
    nearest = _find_nearest(study, key, opened)
    return {nearest: 1.0} if nearest else {}


def _find_stage(outcome: Outcome | None, stage: str) -> StageTables | None:
    found = [tables for tables in outcome.stages if tables.stage == stage] if outcome is not None else []
    return found[0] if found else None


def _find_nearest(study: StudyArea, key: str, opened: set[str]) -> str:
    """Return the open school nearest in a straight line (of equals the first id); ``""`` where none is known."""
    spots = study.schools.drop_duplicates("school_id").set_index("school_id")[["x_m", "y_m"]]
    goals = spots[spots.index.isin(opened)].dropna()
    if key not in spots.index or goals.empty:
        return ""
    away = np.hypot(goals["x_m"] - spots.at[key, "x_m"], goals["y_m"] - spots.at[key, "y_m"])
    return str(sorted(zip(away.round(3), goals.index, strict=True))[0][1])


def _take_out(rows: pd.DataFrame, owned: pd.DataFrame, ended: list[tuple[str, str]]) -> pd.DataFrame:
    """Return the rows without the ended parts; what they held of a whole school's movable assets is taken off it."""
    rest = rows.copy()
    gone = set(ended)
    pairs = pd.Series(list(zip(rest["school_id"], rest["stage"], strict=True)), index=rest.index, dtype=object)
    given = set(pairs)
    for key, stage in ended:
        whole = (rest["school_id"] == key) & (rest["stage"] == "")
        if whole.any() and (key, stage) in owned.index:
            values = owned.loc[(key, stage), list(MOVING_ASSETS)].astype(float)
            rest.loc[whole, list(MOVING_ASSETS)] = (
                rest.loc[whole, list(MOVING_ASSETS)].to_numpy(dtype=np.float64) - values.to_numpy()
            )
            counts = list(PUPIL_COUNTS)
            rest.loc[whole, counts] = np.nan
    return rest[[pair not in gone for pair in pairs]] if given & gone else rest


def _add_moved(parts: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    """Add what came to the assets of each part; unknown as soon as one of them is."""
    if moved.empty:
        return parts
    table = parts.set_index(["school_id", "stage"])
    for row in moved.itertuples(index=False):
        at = (str(row.school_id), str(row.stage))
        if at in table.index:
            come = np.array([getattr(row, name) for name in MOVING_ASSETS], dtype=np.float64)
            table.loc[at, list(MOVING_ASSETS)] = table.loc[at, list(MOVING_ASSETS)].to_numpy(dtype=np.float64) + come
    return table.reset_index()[list(parts.columns)]


def _total_after(rest: pd.DataFrame, moved: pd.DataFrame, heads: dict[str, str], opened: set[str]) -> pd.DataFrame:
    """Return whole schools after the actions: what they keep, what came, and their campuses."""
    totals = total_assets(rest)
    totals = totals[totals.index.isin(opened)]
    come = moved.groupby("school_id")[list(MOVING_ASSETS)].sum(skipna=False)
    for key in come.index.intersection(totals.index):
        totals.loc[key, list(MOVING_ASSETS)] = totals.loc[key, list(MOVING_ASSETS)] + come.loc[key]
    named = totals.rename_axis("school_id").reset_index().assign(stage="")
    joined = join_campuses(named, heads, (*SHARED_ASSETS, *PUPIL_COUNTS))
    return joined.set_index("school_id")[list(ASSET_COLUMNS)]


def _tell_assumptions(changes: pd.DataFrame) -> tuple[Message, ...]:
    """Return what is assumed of the assets, for the kinds of change that there are."""
    kinds = set(changes["what"]) if len(changes) else set()
    found = []
    if kinds & set(ENDED):
        found.append(
            msg(
                "Of a school that closes or merges, teachers, equipment, computers and books go to the schools that"
                " take its pupils, in proportion to these pupils. Its rooms, areas and sports grounds stay behind and"
                " are not counted."
            )
        )
    if "campus" in kinds:
        found.append(msg("A campus counts under its head school: pupils and assets together, buildings included."))
    if kinds & {"opened", "stages", "places"}:
        found.append(
            msg(
                "What new schools, new stages and new places will have is not known until it is given: a new school has"
                " no value, and a school with more places keeps the assets of today."
            )
        )
    if kinds & {"moved", "teaching_point"}:
        found.append(
            msg("Where pupils move between schools that stay open, teachers and equipment stay where they are.")
        )
    return tuple(found)
