"""Who may still walk after a closure, who rides, who could board: by the limits of the rules, for every flow."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import StudyArea, TravelMatrix
from planning.actions import AddBusLine
from planning.closure_flows import GradeMix
from planning.rules import Rules
from planning.scenario import Scenario

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SAME_MIN = 1e-3
"""Times closer than this are one time (matrices hold single precision)."""

_FACTOR, _WAIT_MIN = (
    float(item.default)  # type: ignore[arg-type]
    for item in fields(AddBusLine)
    if item.name in ("time_factor", "wait_min")
)


@dataclass(frozen=True, eq=False)
class Rides:
    """By flow row.

    ``beyond``: no way, or longer than the limit. ``bus``: on a bus line of the plan. ``ride_min``: by car × the factor
    of a bus line and its wait; NaN unknown. ``can_ride``: a ride within the limit (also where the ride is not known).
    ``no_board`` is the share of the row's pupils in grades that must not board. ``ride_known``: the study tells car
    times.
    """

    beyond: Bools
    beyond_before: Bools
    limit_known: Bools
    bus: Bools
    ride_min: Floats
    can_ride: Bools
    no_board: Floats
    ride_known: bool
    boarding_grade: float | None

    @property
    def must_ride(self) -> Floats:
        """Share of the pupils beyond the limit who must ride: they must not board."""
        return np.where(self.beyond & self.can_ride, self.no_board, 0.0)

    @property
    def ride_or_board(self) -> Floats:
        """Share beyond the limit who may do either."""
        return np.where(self.beyond & self.can_ride, 1.0 - self.no_board, 0.0)

    @property
    def must_board(self) -> Floats:
        """Share for whom the ride is too long, and who may board."""
        return np.where(self.beyond & ~self.can_ride, 1.0 - self.no_board, 0.0)

    @property
    def no_way(self) -> Floats:
        """Share for whom the ride is too long, and who must not board."""
        return np.where(self.beyond & ~self.can_ride, self.no_board, 0.0)


def build_rides(
    study: StudyArea,
    changed: StudyArea,
    rules: Rules,
    scenario: Scenario,
    stage: str,
    flows: pd.DataFrame,
    bus: pd.DataFrame,
    mix: GradeMix,
) -> Rides:
    """Return how the pupils of ``flows`` can get to school.

    Parameters
    ----------
    study, changed
        The study today and after the actions.
    bus
        Bus lines of the plan: ``unit_id``, ``school_id``, ``time_min``.
    """
    after = flows["min_after"].to_numpy(dtype=float)
    limit = flows["limit_min"].to_numpy(dtype=float)
    reached = flows["school_id"].to_numpy() != ""
    beyond = ~reached | (after > limit)
    ride = _read_ways(changed, "drive", flows)
    ride = after if scenario.mode == "drive" else ride * _FACTOR + _WAIT_MIN
    ride_known = "drive" in changed.travel
    grade = rules.limit("min_boarding_grade", stage, year=scenario.year)
    return Rides(
        beyond=beyond,
        beyond_before=flows["min_before"].to_numpy(dtype=float) > limit,
        limit_known=np.isfinite(limit),
        bus=_find_riders(study, scenario.mode, flows, bus, after),
        ride_min=ride,
        can_ride=reached & ((ride <= limit) if ride_known else True),
        no_board=_share_below(flows, mix, grade),
        ride_known=ride_known,
        boarding_grade=grade,
    )


def round_seats(rules: Rules, stage: str, riders: float, year: int | None) -> float:
    """Return the seats for ``riders`` pupils on one line: whole, and no fewer than the smallest school bus has."""
    if not riders > 1e-6:
        return 0.0 if riders == riders else math.nan
    least = rules.limit("min_bus_seats", stage, year=year) or 0.0
    return float(max(math.ceil(riders - 1e-6), least))


def _find_riders(study: StudyArea, mode: str, flows: pd.DataFrame, bus: pd.DataFrame, after: Floats) -> Bools:
    """Tell whose way is that of a bus line: the line is quicker than their own way (that of the study, if known)."""
    if bus.empty:
        return np.zeros(len(flows), dtype=bool)
    lines = bus.groupby(["unit_id", "school_id"])["time_min"].min()
    keys = pd.MultiIndex.from_arrays([flows["unit_id"], flows["school_id"]])
    line = lines.reindex(keys).to_numpy(dtype=float)
    own = _read_ways(study, mode, flows)
    return (line <= after + SAME_MIN) & ~(own <= line + SAME_MIN)


def _read_ways(study: StudyArea, mode: str, flows: pd.DataFrame) -> Floats:
    """Return minutes from the unit to the school of every row; NaN where the study has none."""
    matrix: TravelMatrix | None = study.travel.get(mode)  # type: ignore[call-overload]
    if matrix is None:
        return np.full(len(flows), np.nan)
    rows = pd.Index(matrix.unit_ids, dtype=object).get_indexer(pd.Index(flows["unit_id"], dtype=object))
    columns = pd.Index(matrix.destination_ids, dtype=object).get_indexer(pd.Index(flows["school_id"], dtype=object))
    known = (rows >= 0) & (columns >= 0)
    return np.where(known, matrix.time_min[rows, columns].astype(float), np.nan)


def _share_below(flows: pd.DataFrame, mix: GradeMix, grade: float | None) -> Floats:
    """Return the share of each row's pupils in grades below ``grade``."""
    if grade is None:
        return np.zeros(len(flows))
    below = np.array(mix.grades) < grade
    shares = {low: float(mix.within(low)[below].sum()) for low in (True, False)}
    return np.where(flows["low"].to_numpy(dtype=bool), shares[True], shares[False])
