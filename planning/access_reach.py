"""Places within reach of every child: two-step floating catchment areas of one stage, by the limit of the rules."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.access import compute_2sfca
from planning.assignment import Ways
from planning.rules import Rules

REACH_MIN = 30.0
"""What is within reach where no rule names a longest way: half an hour, a convention of this project."""


def find_reach_limit(rules: Rules, stage: str, year: int | None = None) -> float:
    """Return how many minutes are within reach: the longest way of the rules that hold everywhere, else 30 min."""
    limit = rules.limit("max_travel_min", stage, year=year)
    return REACH_MIN if limit is None else float(limit)


def compute_reach(ways: Ways, schools: pd.DataFrame, rules: Rules, stage: str, *, year: int | None = None) -> pd.Series:
    """Return places per child within reach, by unit id (``planning.access.compute_2sfca``).

    Children who live near share the places with one another, wherever they are enrolled; schools whose places are not
    known offer none. NaN everywhere where no place or no child is known.

    Parameters
    ----------
    ways
        Units, schools and minutes of one stage.
    schools
        ``school_id`` and ``capacity_places``.
    """
    places = schools.set_index("school_id")["capacity_places"].astype(float).reindex(ways.school_ids).to_numpy()
    if np.isfinite(places).any() and np.nansum(ways.pupils) > 0:
        found: npt.NDArray[np.float64] = compute_2sfca(
            ways.time_min, ways.pupils, places, limit_min=find_reach_limit(rules, stage, year)
        )
    else:
        found = np.full(len(ways.unit_ids), np.nan)
    return pd.Series(found, index=pd.Index(ways.unit_ids, dtype=object), name="places_per_child")
