"""Unmet demand: pupils without a place in a school near enough, by a simple accounting.

Every pupil wants a place within the longest way. Places are given out pair by pair of unit and school, the shortest
ways first, as many as the unit still has pupils and the school places. What is left over is unmet. This is what a
planner would do with a list and a pencil; it is not the best assignment (``planning.assignment``), which may leave
fewer over, because a unit with only one school near it may find that school full of pupils who had another choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from numba import njit

from geodata.errors import ScenarioError
from geodata.study import FrozenArrays, Mode, Stage, StudyArea

UNMET_COLUMNS = ("unit_id", "pupils", "beyond_pupils", "above_pupils", "unmet_pupils")
"""Pupils of a unit; those with no school within the longest way; those whose schools are full; both together."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class UnmetDemand(FrozenArrays):
    """Who has no place near enough.

    ``table``: ``UNMET_COLUMNS``, one row per unit of the travel matrix, in its order. ``unknown_schools``: how many
    schools of the stage have no known number of places; they are taken to have room for everybody.
    """

    table: pd.DataFrame
    unknown_schools: int = 0


def compute_unmet(study: StudyArea, *, stage: Stage, mode: Mode, max_travel_min: float) -> UnmetDemand:
    """Return the pupils of each unit who find no place within the longest way; see the module.

    Raises
    ------
    ScenarioError
        The study has no travel in this mode.
    """
    if mode not in study.travel:
        raise ScenarioError(f"the study has no travel by {mode}; there is: {', '.join(study.travel)}")
    travel = study.travel[mode]
    pupils = _find_pupils(study, travel.unit_ids, stage)
    places = study.places[study.places["stage"] == stage].drop_duplicates("school_id")
    where = {key: at for at, key in enumerate(travel.destination_ids)}
    known = places[places["school_id"].astype(str).isin(list(where))]
    columns = np.array([where[str(key)] for key in known["school_id"]], dtype=np.int64)
    room = known["capacity_places"].to_numpy(dtype=np.float64)
    unknown = int(np.isnan(room).sum())
    room = np.where(np.isnan(room), np.inf, room)
    time_min = travel.time_min[:, columns]
    near = (time_min <= max_travel_min) & (room > 0) & (pupils > 0)[:, None]
    unit, school = np.nonzero(near)
    order = np.argsort(time_min[unit, school], kind="stable")
    left = give_out(unit[order], school[order], pupils.copy(), room.copy())
    left[left < 1e-9] = 0.0
    has_school = near.any(axis=1)
    table = pd.DataFrame({"unit_id": pd.Series(travel.unit_ids, dtype="str"), "pupils": pupils})
    table["beyond_pupils"] = np.where(has_school, 0.0, left)
    table["above_pupils"] = np.where(has_school, left, 0.0)
    table["unmet_pupils"] = left
    return UnmetDemand(table, unknown)


def _find_pupils(study: StudyArea, unit_ids: tuple[str, ...], stage: Stage) -> Floats:
    """Return the pupils of each unit of the matrix; unknown numbers count as nobody."""
    column = f"{stage}_pupils"
    if column not in study.units.columns:
        return np.zeros(len(unit_ids))
    pupils = study.units.drop_duplicates("unit_id").set_index("unit_id")[column].reindex(list(unit_ids))
    return np.asarray(pupils.fillna(0.0), dtype=np.float64).clip(min=0.0)


@njit(cache=True)
def give_out(unit: Any, school: Any, left: Any, room: Any) -> Any:
    """Give places to the pairs in their order; return the pupils that are left over, shape (units,).

    ``unit``, ``school``: positions, one per pair. ``left`` (pupils by unit) and ``room`` (places by school) are used
    up.
    """
    for pair in range(len(unit)):
        wanted = left[unit[pair]]
        if wanted <= 0.0:
            continue
        given = min(wanted, room[school[pair]])
        left[unit[pair]] = wanted - given
        room[school[pair]] -= given
    return left
