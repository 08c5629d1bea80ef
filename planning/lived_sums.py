"""The lived ways to school summed up: by school with the buses and beds they need, and for the county by band."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from geodata.study import StudyArea
from planning.action_steps import apply_actions
from planning.lived_travel import BANDS, WAYS, LivedOptions
from planning.rules import Rules
from planning.run import Outcome

LIVED_SCHOOL_COLUMNS = (
    *("school_id", "name", "stage", "pupils", "walk_pupils", "bus_pupils", "board_pupils", "none_pupils"),
    *("unknown_pupils", "bus_seats", "buses", "beds", "beds_used"),
)
LIVED_COUNTY_COLUMNS = ("band", "way", "pupils", "share")
NEGLIGIBLE_PUPILS = 1e-6


def summarise_lived_schools(
    lived: pd.DataFrame, study: StudyArea, rules: Rules, outcome: Outcome, *, options: LivedOptions | None = None
) -> pd.DataFrame:
    """Return ``LIVED_SCHOOL_COLUMNS``, one row per school and stage with pupils, in the order of ids.

    ``buses`` are vehicles of ``options.bus_seats`` seats that go once; the last may be smaller, but has no fewer seats
    than the rule for the smallest school bus (T3) asks. Those of the primary stage must be built for primary pupils.
    ``beds`` are all beds of the school, whatever the stage (NaN unknown); ``beds_used`` those of this stage's boarders.
    The rows with an empty ``school_id`` are pupils who reach no school.
    """
    options = options or LivedOptions()
    changed = apply_actions(study, rules, outcome.scenario).study if outcome.scenario.all_actions else study
    schools = changed.schools.set_index("school_id")
    sums = lived.pivot_table(
        index=["school_id", "stage"], columns="way", values="pupils", aggfunc="sum", fill_value=0.0, observed=False
    )
    table = sums.reindex(columns=list(WAYS), fill_value=0.0).add_suffix("_pupils").reset_index()
    table["pupils"] = table[[f"{way}_pupils" for way in WAYS]].sum(axis=1)
    table["name"] = schools["name"].reindex(table["school_id"]).fillna("").astype(str).to_numpy()
    table["name"] = table["name"].where(table["name"] != "", table["school_id"])
    table["beds"] = schools["boarding_places"].astype(float).reindex(table["school_id"]).to_numpy()
    table["beds_used"] = np.ceil(np.maximum(table["board_pupils"].to_numpy(dtype=float) - NEGLIGIBLE_PUPILS, 0.0))
    needs = [
        count_buses(float(riders), rules.limit("min_bus_seats", str(stage), year=outcome.scenario.year) or 0.0, options)
        for riders, stage in zip(table["bus_pupils"], table["stage"], strict=True)
    ]
    table["buses"], table["bus_seats"] = ([need[at] for need in needs] for at in (0, 1))
    return table.loc[:, list(LIVED_SCHOOL_COLUMNS)].rename_axis(columns=None)


def count_buses(riders: float, least_seats: float, options: LivedOptions) -> tuple[int, int]:
    """Return the buses and seats for ``riders`` pupils: full vehicles, and one that is just large enough."""
    if not riders > NEGLIGIBLE_PUPILS:
        return 0, 0
    seats = max(options.bus_seats, math.ceil(least_seats))
    wanted = math.ceil(riders - NEGLIGIBLE_PUPILS)
    full, rest = divmod(wanted, seats)
    return full + (rest > 0), full * seats + (max(rest, math.ceil(least_seats)) if rest else 0)


def summarise_lived_county(lived: pd.DataFrame) -> pd.DataFrame:
    """Return ``LIVED_COUNTY_COLUMNS``: pupils by band and way, and their share in the band.

    Bands without pupils are left out; every other band has a row for each way.
    """
    sums = lived.groupby(["band", "way"], observed=True)["pupils"].sum()
    bands = [band for band in BANDS if band in set(lived["band"])]
    rows = []
    for band in bands:
        pupils = [float(sums.get((band, way), 0.0)) for way in WAYS]
        total = sum(pupils)
        rows += [
            (band, way, count, count / total if total > 0 else math.nan)
            for way, count in zip(WAYS, pupils, strict=True)
        ]
    return pd.DataFrame(rows, columns=list(LIVED_COUNTY_COLUMNS))
