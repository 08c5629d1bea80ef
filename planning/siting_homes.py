"""Where every child is today: in the zone's schools, else where places let them go with least travel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.siting_facilities import Facilities
from planning.solvers.problems import Bools, Floats, Ints, TransportProblem
from planning.solvers.transport import solve_transport

OVERLOAD_MIN = 100_000.0
"""Minutes that a pupil above the places counts for: more than any way to free ones."""


def find_homes(
    zones: pd.DataFrame,
    facilities: Facilities,
    unit_ids: npt.NDArray[np.object_],
    *,
    row_unit: Ints,
    row_low: Bools,
    minutes: Floats,
    pupils: Floats,
) -> Floats:
    """Return the share of every row at every facility today, shape (rows, facilities); rows add up to 1, or 0.

    With zones: split evenly among the zone's schools within reach (teaching points have the low grades where there are
    any); a row without a usable zone is at its nearest school. Without zones: the flow of least travel within today's
    places, of the first year's pupils. Sites are nobody's school today.

    Parameters
    ----------
    zones
        ``unit_id``, ``school_id`` of the stage.
    minutes : shape (rows, facilities)
        ``inf`` = no way, or not for these grades.
    pupils : shape (rows, periods)
    """
    minutes = np.where(~facilities.is_site[None, :], minutes, np.inf)
    if not np.isfinite(minutes).any():
        return np.zeros(minutes.shape)
    if zones.empty:
        return _send_within_places(facilities, minutes, pupils[:, 0])
    return _split_zones(zones, facilities, unit_ids, row_unit=row_unit, row_low=row_low, minutes=minutes)


def _split_zones(
    zones: pd.DataFrame,
    facilities: Facilities,
    unit_ids: npt.NDArray[np.object_],
    *,
    row_unit: Ints,
    row_low: Bools,
    minutes: Floats,
) -> Floats:
    unit = pd.Index(unit_ids).get_indexer(pd.Index(zones["unit_id"].to_numpy(dtype=object)))
    school = pd.Index(facilities.ids, dtype=object).get_indexer(pd.Index(zones["school_id"].to_numpy(dtype=object)))
    known = (unit >= 0) & (school >= 0)
    member = np.zeros((len(unit_ids), facilities.count), dtype=np.bool_)
    member[unit[known], school[known]] = True
    here = member[row_unit] & np.isfinite(minutes)
    points = here & facilities.low_only[None, :]
    # As in an assignment by zones: the low grades go to the zone's teaching points where it names any.
    here = np.where((row_low & points.any(axis=1))[:, None], points, here)
    count = here.sum(axis=1)
    home: Floats = here / np.maximum(count, 1)[:, None]
    _put_nearest(home, minutes, np.flatnonzero(count == 0))
    return home


def _put_nearest(home: Floats, minutes: Floats, rows: Ints) -> None:
    """Send whole rows to the nearest school (equally near: the smaller id, which comes first)."""
    if not len(rows):
        return
    nearest = minutes[rows].argmin(axis=1)
    reached = np.isfinite(minutes[rows, nearest])
    home[rows[reached], nearest[reached]] = 1.0


def _send_within_places(facilities: Facilities, minutes: Floats, pupils: Floats) -> Floats:
    """Return the shares of the flow of least travel; rows without pupils are at the nearest school."""
    row, school = np.nonzero(np.isfinite(minutes))
    start = np.searchsorted(row, np.arange(len(minutes) + 1)).astype(np.int64)
    answer = solve_transport(
        TransportProblem(
            start=start,
            school=school.astype(np.int32),
            cost=minutes[row, school],
            pupils=pupils,
            places=facilities.places,
            overload_price=OVERLOAD_MIN,
        )
    )
    flow = np.zeros(minutes.shape)
    flow[row, school] = answer.flow
    total = flow.sum(axis=1)
    home: Floats = flow / np.where(total > 0, total, 1.0)[:, None]
    home[home < 1e-9] = 0.0
    _put_nearest(home, minutes, np.flatnonzero(total <= 0))
    return home
