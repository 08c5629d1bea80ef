"""Every school of a stage closed in turn: what it would mean, and whether the limit of the way lets it close.

Order: first those that can close; then by harm: pupils who would reach no school, pupils newly beyond the limit, pupils
newly above the places, and the extra travel of all together (pupil-minutes, the least first); ties by id. So a school
stands first whose closing breaks no rule and costs children the least way.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.messages import msg
from geodata.study import Progress, no_progress
from planning.closure_dependants import find_reliance, list_dependants
from planning.closure_measures import judge, measure_closure, sort_by_harm
from planning.closure_pairs import PAIR_COLUMNS as PAIR_COLUMNS
from planning.closure_pairs import rank_pairs as rank_pairs
from planning.what_if import WhatIf

RANKING_COLUMNS = (
    *("school_id", "name", "kind", "setting", "town", "ownership", "pupils", "roll_pupils", "capacity_places"),
    *("moved_pupils", "mean_min_before", "mean_min_after", "max_min_after", "extra_pupil_min"),
    *("beyond_limit_added_pupils", "over_places_added_pupils", "unreached_added_pupils"),
    *("small", "can_close", "places_suffice", "dependent_units", "dependent_pupils", "reason", "rank"),
)
"""``pupils`` by the model, ``roll_pupils`` on the roll. ``mean_min_*`` and ``max_min_after`` of those who move;
``dependent_units`` a tuple of unit ids, most pupils first; ``reason`` a ``Message``; ``rank`` from 1. Unknown numbers
are NaN. ``can_close``: nobody would be without a school within the limit of the way (also where no rule limits it: the
reason says so); ``places_suffice``: and nobody more would be above the places, or be sent beyond the limit by them."""


def rank_closures(what_if: WhatIf, *, progress: Progress = no_progress) -> pd.DataFrame:
    """Return ``RANKING_COLUMNS``, one row per school of the stage, in the order of ``rank``.

    ``progress`` is told the share done and may raise to stop.
    """
    reliance = find_reliance(what_if)
    alone = reliance.pick(reliance.schools[:, 0] == reliance.schools[:, 1])
    rows = []
    for at in range(len(what_if.school_ids)):
        progress(msg("Closing every school in turn"), at / len(what_if.school_ids))
        closure = measure_closure(what_if, np.array([at]))
        found = list_dependants(what_if, alone.pick(alone.schools[:, 0] == at))
        rows.append({**closure.numbers, **judge(what_if, alone.limited, found, closure)})
    progress(msg("Closing every school in turn"), 1.0)
    table = _describe_schools(what_if).join(pd.DataFrame(rows, index=range(len(rows))))
    return sort_by_harm(table, ["school_id"]).loc[:, list(RANKING_COLUMNS)]


def _describe_schools(what_if: WhatIf) -> pd.DataFrame:
    """Return what is known of the schools today."""
    schools = what_if.schools.reset_index(drop=True)
    pupils = what_if.base_sums.load
    roll = schools["actual_pupils"].astype(float)
    size = np.where(roll.isna(), pupils, roll)
    small = (size < what_if.small_below) | what_if.low_only
    table = schools.loc[:, ["school_id", "name", "kind", "setting", "town", "ownership", "capacity_places"]]
    return table.assign(pupils=pupils, roll_pupils=roll, small=small)
