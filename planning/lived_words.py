"""Why a child gets to school as it does, or does not, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from geodata.messages import Message, msg
from geodata.study import FrozenArrays

if TYPE_CHECKING:
    from planning.lived_travel import LivedOptions

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tried(FrozenArrays):
    """Minutes of the ways that were tried, by row; NaN = no such way.

    ``walk`` all the way on foot; ``stop`` to the stop; ``ride`` in the bus, halts included; ``bus`` door to door.
    """

    walk: Floats
    stop: Floats
    ride: Floats
    bus: Floats

    @property
    def quickest(self) -> Floats:
        """The shorter of the ways on foot and by bus."""
        return np.fmin(self.walk, self.bus)


def tell_way(row: Any, options: LivedOptions) -> Message:
    """Return the reason behind one row of the lived travel, as a sentence or a few."""
    if row.school_id == "":
        return msg("No school of this stage can be reached.")
    if row.way == "walk":
        return msg(
            "{minutes:,.0f} min on foot, within the {limit:,.0f} min of grades {band}.",
            minutes=row.foot_min,
            limit=row.limit_min,
            band=_name_band(row),
        )
    foot = _tell_foot(row)
    if row.way == "bus":
        ride = msg(
            "By school bus {total:,.0f} min: {stop:,.0f} to the stop, {wait:,.0f} waiting, {ride:,.0f} riding.",
            total=row.bus_min,
            stop=row.stop_min,
            wait=options.wait_min,
            ride=row.ride_min,
        )
        return msg("{foot} {bus}", foot=foot, bus=ride)
    return msg("{foot} {bus} {board}", foot=foot, bus=_tell_no_bus(row, options), board=_tell_board(row, options))


def _name_band(row: Any) -> str:
    """Return the grades with a dash, as readers write them."""
    return str(row.band).replace("-", "–")


def _tell_foot(row: Any) -> Message:
    if math.isnan(row.foot_min):
        return msg("There is no way on foot within the times measured.")
    return msg(
        "{minutes:,.0f} min on foot is longer than the {limit:,.0f} min of grades {band}.",
        minutes=_round_above(row.foot_min, row.limit_min),
        limit=row.limit_min,
        band=_name_band(row),
    )


def _round_above(minutes: float, limit: float) -> float:
    """Return whole minutes that do not read as if the limit were kept: what is above it is rounded up."""
    return float(math.ceil(minutes)) if minutes > limit else minutes


def _tell_no_bus(row: Any, options: LivedOptions) -> Message:
    """Say why no school bus is the way."""
    if not options.bus:
        return msg("No school bus runs.")
    if row.dark:
        return msg("Times by car are not known, so neither is the ride of a bus.")
    if row.stop_min > options.max_stop_walk_min:
        return msg(
            "The next road for a bus is {minutes:,.0f} min on foot away, more than {limit:,.0f}.",
            minutes=_round_above(row.stop_min, options.max_stop_walk_min),
            limit=options.max_stop_walk_min,
        )
    if math.isnan(row.bus_min):
        return msg("No road for a bus leads there.")
    return msg("By school bus it would be {minutes:,.0f} min.", minutes=_round_above(row.bus_min, row.limit_min))


def _tell_board(row: Any, options: LivedOptions) -> Message:
    """Say why the pupil boards, or does not."""
    if row.way == "board":
        return msg("Grades {band} may board, and the school has a bed.", band=_name_band(row))
    if not row.may_board:
        return msg("Grades {band} must not board.", band=_name_band(row))
    if not options.boarding:
        return msg("Boarding is left out.")
    if math.isnan(row.beds):
        return msg("Grades {band} may board, but the beds of the school are not known.", band=_name_band(row))
    if row.beds <= 0:
        return msg("Grades {band} may board, but the school has no beds.", band=_name_band(row))
    return msg(
        "Grades {band} may board, but the {beds:,.0f} beds of the school are taken.",
        band=_name_band(row),
        beds=row.beds,
    )
