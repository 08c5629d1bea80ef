"""Which of many lawful places become candidates: one after the other, each for most pupils still without a place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import msg
from geodata.new_schools import measure_points
from geodata.site_search_places import Spot
from geodata.study import Mode, Progress, StudyArea
from geodata.travel import measure_straight

MEASURED_PER_CANDIDATE = 2
"""Places to which the ways are measured, for each candidate that is asked for."""
_AT_ONCE = 8
"""Spots measured between two looks at whether the search was stopped."""
_SHARE = 0.8
"""Share of the search that is done by then."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A spot with the unmet pupils that it would take up, and those near it."""

    spot: Spot
    unmet_pupils: float = 0.0
    near_pupils: float = 0.0


@dataclass(frozen=True, eq=False)
class Wants:
    """Who looks for places, and what is asked for."""

    study: StudyArea
    wanting: pd.DataFrame
    mode: Mode
    max_travel_min: float
    count: int
    school_pupils: float

    @property
    def pupils(self) -> Floats:
        """Unmet pupils by unit."""
        return self.wanting["unmet_pupils"].to_numpy(dtype=np.float64)

    def estimate(self, found: list[Found]) -> Floats:
        """Return minutes in a straight line from the units to the spots."""
        x_m, y_m = (self.wanting[name].to_numpy(dtype=np.float64) for name in ("x_m", "y_m"))
        units = (tuple(str(key) for key in self.wanting["unit_id"]), x_m, y_m)
        spots = (tuple(str(number) for number in range(len(found))), *locate_spots(found))
        factor = self.study.travel[self.mode].detour_factor
        return measure_straight(units, spots, self.mode, factor, None, np.inf)[0].astype(np.float64)

    def measure(self, found: list[Found], progress: Progress) -> Floats:
        """Return measured minutes from the units to the spots, a few spots at a time."""
        rows = pd.Index(self.study.travel[self.mode].unit_ids).get_indexer(pd.Index(self.wanting["unit_id"]))
        minutes = [np.empty((len(rows), 0))]
        for start in range(0, len(found), _AT_ONCE):
            progress(msg("Measuring ways to the candidates"), _SHARE)
            spots = locate_spots(found[start : start + _AT_ONCE])
            minutes.append(measure_points(self.study, self.mode, *spots)[0][rows].astype(np.float64))
        return np.concatenate(minutes, axis=1)


def locate_spots(found: list[Found]) -> tuple[Floats, Floats]:
    """Return x and y of spots."""
    return np.array([item.spot.x_m for item in found]), np.array([item.spot.y_m for item in found])


def choose_spots(wants: Wants, lawful: list[Found], progress: Progress) -> list[Found]:
    """Return the candidates, chosen one after the other, with what each would take up."""
    first = cover_greedily(wants.estimate(lawful), wants, wants.count * MEASURED_PER_CANDIDATE, progress)
    some = [lawful[at] for at, _ in first]
    time_min = wants.measure(some, progress)
    within = wants.pupils @ (time_min <= wants.max_travel_min).astype(np.float64)
    return [
        replace(some[at], unmet_pupils=taken, near_pupils=float(within[at]))
        for at, taken in cover_greedily(time_min, wants, wants.count, progress)
    ]


def cover_greedily(time_min: Floats, wants: Wants, count: int, progress: Progress) -> list[tuple[int, float]]:
    """Return the spots (columns of ``time_min``) chosen one after the other, and the pupils that each takes up."""
    left = wants.pupils.copy()
    chosen: list[tuple[int, float]] = []
    near = time_min <= wants.max_travel_min
    counts = near.astype(np.float64)
    for _ in range(min(count, near.shape[1])):
        progress(msg("Choosing among lawful places"), _SHARE)
        gain = np.minimum(left @ counts, wants.school_pupils)
        gain[[at for at, _taken in chosen]] = 0.0
        best = int(np.argmax(gain))
        if gain[best] < 1.0:
            break
        rows = np.flatnonzero(near[:, best])
        rows = rows[np.argsort(time_min[rows, best], kind="stable")]
        room = np.maximum(gain[best] - np.concatenate([[0.0], np.cumsum(left[rows])[:-1]]), 0.0)
        left[rows] -= np.minimum(left[rows], room)
        chosen.append((best, float(gain[best])))
    return chosen


def choose_excluded(wants: Wants, excluded: list[Found], progress: Progress) -> list[Found]:
    """Return the excluded spots with most pupils near them, at most as many as candidates are asked for."""
    within = wants.pupils @ (wants.estimate(excluded) <= wants.max_travel_min)
    order = np.argsort(-within, kind="stable")[: wants.count]
    some = [excluded[at] for at in order]
    within = wants.pupils @ (wants.measure(some, progress) <= wants.max_travel_min)
    return [
        replace(item, unmet_pupils=min(float(pupils), wants.school_pupils), near_pupils=float(pupils))
        for item, pupils in zip(some, within, strict=True)
        if pupils >= 1.0
    ]
