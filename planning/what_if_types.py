"""What can be asked of a what-if, and what it answers: plain values.

A what-if is a base question solved once (``planning.what_if``) to which small changes are put: schools of the stage
closed, places changed, schools opened. Each change is on the base, not on the change before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import FrozenArrays

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SCHOOL_COLUMNS = (
    "school_id",
    "name",
    "pupils_before",
    "pupils_after",
    "places_before",
    "places_after",
    "over_before",
    "over_after",
    "changed",
)
"""Places that are not known are NaN. ``changed``: the change names the school, or its pupils are others than before."""
RECEIVER_COLUMNS = (
    *("school_id", "name", "pupils_added", "pupils_before", "pupils_after", "places", "mean_min", "max_min"),
)
NUMBERS = (
    *("pupils", "moved_pupils", "moved_units", "mean_min_before", "mean_min_after", "max_min_before", "max_min_after"),
    *("p95_min_before", "p95_min_after", "moved_mean_min_before", "moved_mean_min_after", "moved_max_min_after"),
    *("extra_pupil_min", "beyond_limit_pupils_before", "beyond_limit_pupils_after"),
    *("over_places_pupils_before", "over_places_pupils_after", "unreached_pupils_before", "unreached_pupils_after"),
    *("objective_before", "objective", "bound"),
)
"""Keys of ``WhatIfAnswer.numbers``. Minutes are of the pupils who reach a school; ``objective`` and ``bound`` (NaN
without capacity) in the unit of the costs, with what stands above the places priced."""


@dataclass(frozen=True, eq=False)
class NewColumn(FrozenArrays):
    """A school that is not there yet.

    ``places``: NaN or ``inf`` = not known, so unlimited. ``time_min``, ``length_m`` (units,): the way from every unit
    in the order of ``WhatIf.unit_ids`` (sorted ids), NaN = none; ``low_only``: a teaching point. ``setting`` of the
    school, ``""`` = unknown; ``seat``: id of the unit in which it stands (its side of barriers), ``""`` = unknown.
    """

    school_id: str
    name: str
    places: float
    time_min: Floats32
    length_m: Floats32
    low_only: bool = False
    setting: str = ""
    seat: str = ""


@dataclass(frozen=True, eq=False)
class Change:
    """What is changed of the base: schools closed for the stage, new numbers of places, schools opened."""

    closed: frozenset[str] = frozenset()
    places: tuple[tuple[str, float], ...] = ()
    opened: tuple[NewColumn, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is changed."""
        return not (self.closed or self.places or self.opened)


@dataclass(frozen=True, eq=False)
class WhatIfAnswer(FrozenArrays):
    """Who goes where after a change, and what that means against the base.

    Parameters
    ----------
    school_ids
        Those of the base (closed ones too), then those opened.
    unit_school : shape (units,)
        Position in ``school_ids`` of the school that takes the most of the unit's pupils; −1 = none can be reached.
    minutes : shape (units,)
        Mean way of the unit's pupils, NaN = none.
    schools
        ``SCHOOL_COLUMNS``, in the order of ``school_ids``.
    numbers
        See ``NUMBERS``.
    moved_units
        Positions of the units of whose pupils some go elsewhere than in the base.
    moved_pupils : shape (units,)
        How many of each unit's pupils do.
    flow_unit, flow_from, flow_to, flow_pupils
        The moves: from unit ``flow_unit``, so many pupils leave school ``flow_from`` (−1: reached none) for
        ``flow_to`` (−1: reach none now). Positions in ``school_ids``.
    flow_min_before, flow_min_after
        Minutes of their way (NaN = none).
    flow_beyond_before, flow_beyond_after
        Whether their way is beyond the limit of the rules.
    """

    school_ids: tuple[str, ...]
    unit_school: Ints
    minutes: Floats
    schools: pd.DataFrame
    numbers: Mapping[str, float]
    moved_units: Ints
    moved_pupils: Floats
    flow_unit: Ints
    flow_from: Ints
    flow_to: Ints
    flow_pupils: Floats
    flow_min_before: Floats
    flow_min_after: Floats
    flow_beyond_before: Bools
    flow_beyond_after: Bools
