"""Assets of schools by stage: the latest row of each, shared assets split by weighted pupils.

A row of ``study.assets`` with a stage counts that stage; one without counts the whole school. Where a number is given
for a stage, it stands. What the whole school has beside is split between its other stages in proportion to

    pupils × weight        primary 1, junior 1.1, senior 1.32 (complete secondary schools: junior 1, senior 1.2)

so that the parts add up to the whole. Kindergarten classes have no weight and take no part. Where pupils of one of the
stages are not known, the split is not known either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.balance_rules import SplitWeights

Floats = npt.NDArray[np.float64]

MOVING_ASSETS = (
    *("staff_teachers", "above_degree_teachers", "backbone_teachers", "pe_art_teachers", "shared_pe_art_teachers"),
    *("mid_title_teachers", "certified_teachers", "trained_teachers"),
    *("eligible_teachers", "rotated_teachers", "rotated_backbone_teachers"),
    *("equipment_cny", "pupil_computers", "library_books"),
)
"""What goes with the pupils when a school closes."""
STAYING_ASSETS = (
    *("teaching_area_m2", "indoor_sports_m2", "outdoor_sports_m2", "rented_sports_m2"),
    *("multimedia_rooms", "music_rooms", "art_rooms"),
)
"""What stays behind with the buildings."""
PUPIL_COUNTS = ("migrant_pupils", "in_zone_pupils")
"""Counted by stage; never split, because a split by weights would invent them."""
SCHOOL_FACTS = ("founded_year", "smallest_music_m2", "smallest_art_m2", "largest_class_pupils")
"""Not sums: the same for all stages of a school, or the extreme of its stages."""
SHARED_ASSETS = (*MOVING_ASSETS, *STAYING_ASSETS)
ASSET_COLUMNS = (*SHARED_ASSETS, *PUPIL_COUNTS, *SCHOOL_FACTS)
SPLIT_STAGES = ("primary", "junior", "senior")


def pick_asset_rows(assets: pd.DataFrame, year: int | None) -> pd.DataFrame:
    """Return the latest row of every school and stage up to a year (None: of all), ordered, with all asset columns."""
    rows = pd.DataFrame(assets)
    for column in ASSET_COLUMNS:
        if column not in rows.columns:
            rows = rows.assign(**{column: np.nan})
    rows = rows.assign(
        school_id=rows["school_id"].astype(str),
        stage=rows["stage"].astype(object).fillna("").astype(str),
        year=pd.to_numeric(rows["year"], errors="coerce").fillna(0).astype(int),
    )
    if year is not None:
        rows = rows[rows["year"] <= year]
    rows = rows.sort_values(["school_id", "stage", "year"], kind="stable").drop_duplicates(
        ["school_id", "stage"], keep="last"
    )
    rows = rows.astype(dict.fromkeys(ASSET_COLUMNS, float))
    return rows[["school_id", "stage", "year", *ASSET_COLUMNS]].reset_index(drop=True)


def split_assets(rows: pd.DataFrame, parts: pd.DataFrame, weights: SplitWeights) -> pd.DataFrame:
    """Return the assets of every school part: school_id, stage and ``ASSET_COLUMNS``, and ``split_columns``.

    Parameters
    ----------
    rows
        Of :func:`pick_asset_rows`.
    parts
        ``school_id``, ``stage``, ``kind``, ``pupils``: the stages that each school teaches.
    weights
        Of a pupil, by stage.

    Returns
    -------
    DataFrame
        Ordered by school and stage. ``split_columns``: columns worked out by weights, joined by ``;``.
    """
    numbers = rows[list(ASSET_COLUMNS)].to_numpy(dtype=np.float64)
    known = dict(zip(zip(rows["school_id"], rows["stage"], strict=True), numbers, strict=True))
    nothing = np.full(len(ASSET_COLUMNS), np.nan)
    taught = parts[parts["stage"].isin(SPLIT_STAGES)].sort_values(["school_id", "stage"], kind="stable")
    found = []
    for key, school in taught.groupby("school_id", sort=True):
        stages = [str(stage) for stage in school["stage"]]
        given = np.array([known.get((str(key), stage), nothing) for stage in stages])
        shares = compute_weighted_pupils(school, weights)
        values, split = _share_out(given, known.get((str(key), ""), nothing), shares)
        for stage, row, marks in zip(stages, values, split, strict=True):
            names = ";".join(name for name, mark in zip(ASSET_COLUMNS, marks, strict=True) if mark)
            found.append((str(key), stage, *row, names))
    table = pd.DataFrame(found, columns=["school_id", "stage", *ASSET_COLUMNS, "split_columns"])
    return table.astype({"school_id": str, "stage": str, **dict.fromkeys(ASSET_COLUMNS, float), "split_columns": str})


def compute_weighted_pupils(school: pd.DataFrame, weights: SplitWeights) -> Floats:
    """Return pupils × weight by stage of one school (rows with ``stage``, ``kind``, ``pupils``)."""
    kind = str(school["kind"].iloc[0])
    by_stage = [weights.of(str(stage), kind) for stage in school["stage"]]
    return np.asarray(school["pupils"].to_numpy(dtype=np.float64) * np.array(by_stage), dtype=np.float64)


def _share_out(given: Floats, shared: Floats, weighted: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return values by stage and column, and which of them the weights made.

    Parameters
    ----------
    given
        Numbers of the stages themselves, (stages, columns); NaN = not given.
    shared
        Numbers of the whole school, by column.
    weighted
        Pupils × weight by stage.
    """
    values, made = given.copy(), np.zeros(given.shape, dtype=bool)
    for at, name in enumerate(ASSET_COLUMNS):
        total = shared[at]
        open_stages = np.isnan(given[:, at])
        if np.isnan(total) or not open_stages.any():
            continue
        if name in ("founded_year", "smallest_music_m2", "smallest_art_m2"):
            values[open_stages, at] = total
        elif len(given) == 1:
            values[0, at] = total
        elif name in SHARED_ASSETS:
            rest = total - np.nansum(given[:, at])
            sums = weighted[open_stages].sum()
            if rest >= 0 and sums > 0:
                values[open_stages, at] = rest * (weighted[open_stages] / sums)
                made[open_stages, at] = True
    return values, made


def total_assets(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the assets of whole schools, indexed by school: the whole row where it has the number, else the stages.

    Sums, except for ``SCHOOL_FACTS``: the earliest year, the smallest room, the largest class.
    """
    whole = rows[rows["stage"] == ""].set_index("school_id")[list(ASSET_COLUMNS)]
    staged = rows[rows["stage"] != ""].groupby("school_id")[list(ASSET_COLUMNS)]
    sums = staged.sum(skipna=False)
    lowest, highest = staged.min(), staged.max()
    for name in ("founded_year", "smallest_music_m2", "smallest_art_m2"):
        sums[name] = lowest[name]
    sums["largest_class_pupils"] = highest["largest_class_pupils"]
    return whole.combine_first(sums).reindex(columns=list(ASSET_COLUMNS)).astype(float)


def round_to_sum(values: Sequence[float], digits: int = 0) -> list[float]:
    """Round values so that they still add up to the rounded total (largest remainders; of equals the first).

    For display only: rounding each part by itself can lose or invent one.
    """
    scale = 10.0**digits
    scaled = np.asarray(values, dtype=np.float64) * scale
    if np.isnan(scaled).any() or not len(scaled):
        return [float(value) for value in values]
    floors = np.floor(scaled + 1e-9)
    extra = round(float(scaled.sum()) - float(floors.sum()))
    order = np.argsort(-(scaled - floors), kind="stable")
    floors[order[: max(extra, 0)]] += 1
    return [float(value) / scale for value in floors]


def join_campuses(table: pd.DataFrame, heads: Mapping[str, str], sums: Sequence[str]) -> pd.DataFrame:
    """Return ``table`` (school_id, stage, …) with the campuses counted under their head school.

    ``sums`` are the columns that add up (unknown as soon as one of them is). Of ``SCHOOL_FACTS`` the extreme counts;
    the other columns are those of the head.
    """
    if not heads or table.empty:
        return table
    by_head = dict(heads)
    named = table.assign(school_id=table["school_id"].replace(by_head), at_head=~table["school_id"].isin(by_head))
    named = named.sort_values(["school_id", "stage", "at_head"], ascending=[True, True, False], kind="stable")
    grouped = named.groupby(["school_id", "stage"], sort=True)
    first = grouped.head(1).set_index(["school_id", "stage"])
    added = grouped[list(sums)].sum(skipna=False)
    first[list(sums)] = added[list(sums)].reindex(first.index)
    for name in set(SCHOOL_FACTS) & set(table.columns):
        extreme = grouped[name].max() if name == "largest_class_pupils" else grouped[name].min()
        first[name] = extreme.reindex(first.index)
    return first.reset_index()[list(table.columns)]
