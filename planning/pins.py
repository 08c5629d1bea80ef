"""Pins: units that go to some schools and nowhere else, because an action says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planning.assignment import Bools, Ints, Ways, find_nearest
from planning.scenario import Measure

PIN_COLUMNS = ("unit_id", "stage", "school_id", "grades")
"""``grades``: ``""`` all grades of the stage, ``"low"`` grades 1 to 3 of primary only, ``"upper"`` the others only."""


@dataclass(frozen=True, eq=False)
class Pins:
    """Positions of the schools that a unit may use, by position of the unit: for the low grades, and the upper ones."""

    low: Mapping[int, Ints]
    upper: Mapping[int, Ints]

    @property
    def split(self) -> bool:
        """Whether low and upper grades of some unit are pinned differently."""
        return self.low.keys() != self.upper.keys() or any(
            not np.array_equal(found, self.upper[unit]) for unit, found in self.low.items()
        )


def build_pins(ways: Ways, pins: pd.DataFrame | None, stage: str) -> Pins | None:
    """Return the pins (``PIN_COLUMNS``) of one stage by position, None where there are none.

    Units and schools that are not in ``ways`` are passed over.
    """
    if pins is None or pins.empty:
        return None
    rows = pins[pins["stage"] == stage]
    unit_at = pd.Index(ways.unit_ids).get_indexer(pd.Index(rows["unit_id"].to_numpy(dtype=object)))
    school_at = pd.Index(ways.school_ids).get_indexer(pd.Index(rows["school_id"].to_numpy(dtype=object)))
    grades = rows["grades"].to_numpy(dtype=object)
    found: dict[str, dict[int, set[int]]] = {"low": {}, "upper": {}}
    for unit, school, which in zip(unit_at.tolist(), school_at.tolist(), grades, strict=True):
        if unit >= 0 and school >= 0:
            for band in ("low", "upper") if which == "" else (str(which),):
                found[band].setdefault(unit, set()).add(school)
    if not found["low"] and not found["upper"]:
        return None
    low, upper = (
        {unit: np.array(sorted(schools), dtype=np.int64) for unit, schools in found[band].items()}
        for band in ("low", "upper")
    )
    return Pins(low, upper)


def pin_nearest(
    ways: Ways,
    nearest: Ints,
    pinned: Mapping[int, Ints],
    *,
    measure: Measure = "time",
    allowed: Bools | None = None,
    preferred: Mapping[int, Ints] | None = None,
) -> Ints:
    """Return ``nearest`` with the nearest of its own schools for every pinned unit that can reach one of them.

    Other arguments: see :func:`planning.assignment.find_nearest`.
    """
    if not pinned:
        return nearest
    units = np.array(sorted(pinned), dtype=np.int64)
    open_here = np.zeros((len(units), len(ways.school_ids)), dtype=np.bool_)
    for row, unit in enumerate(units.tolist()):
        open_here[row, pinned[unit]] = True
    some = Ways(
        unit_ids=ways.unit_ids[units],
        school_ids=ways.school_ids,
        pupils=ways.pupils[units],
        time_min=np.where(open_here, ways.time_min[units], np.float32(np.nan)),
        length_m=np.where(open_here, ways.length_m[units], np.float32(np.nan)),
        low_only=ways.low_only,
    )
    wanted = {row: preferred[unit] for row, unit in enumerate(units.tolist()) if preferred and unit in preferred}
    own = find_nearest(some, measure=measure, allowed=allowed, preferred=wanted)
    changed = nearest.copy()
    changed[units[own >= 0]] = own[own >= 0]
    return changed


def pin_bands(
    ways: Ways,
    nearest: Ints,
    pins: Pins | None,
    *,
    measure: Measure = "time",
    preferred: Mapping[int, Ints] | None = None,
) -> tuple[Ints, Ints | None]:
    """Return the nearest school of the low and of the upper grades with pins; None: the upper grades are no case apart.

    ``nearest``: over all schools, without pins.
    """
    if pins is None:
        return nearest, None
    low = pin_nearest(ways, nearest, pins.low, measure=measure, preferred=preferred)
    if not ways.low_only.any() and not pins.split:
        return low, None
    complete = ~ways.low_only
    upper = find_nearest(ways, measure=measure, allowed=complete, preferred=preferred)
    return low, pin_nearest(ways, upper, pins.upper, measure=measure, allowed=complete, preferred=preferred)
