"""Ways between a unit and a school that need no crossing: along one chain, and straight where no road is needed.

Both concern few pairs, which are found without looking at all: units by their chain, and units whose own way to the
road reaches as far as the school's.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.chains import Places, measure_along
from geodata.study import FrozenArrays
from geodata.whole_costs import Costs, add_costs, to_costs

_STRIP = 256
"""Units that lie behind one another from west to east are looked at together, if their box is near."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Located(FrozenArrays):
    """Points with their places on the roads: ``snap_m`` straight to the road, ``leg_s`` and ``leg_m`` as walked."""

    x_m: Floats
    y_m: Floats
    snap_m: Floats
    leg_s: Floats
    leg_m: Floats
    places: Places

    def part(self, rows: Any) -> Located:
        """Return some of the points."""
        at = self.places
        places = Places(at.node[rows], at.end_s[rows], at.end_m[rows], at.chain[rows], at.facts[rows])
        return Located(self.x_m[rows], self.y_m[rows], self.snap_m[rows], self.leg_s[rows], self.leg_m[rows], places)

    def measure_ends(self, *, lengths: bool) -> Costs:
        """Return the costs between the points and the two ends of their chains, the leg counted; shape (points, 2)."""
        ends = to_costs(self.places.end_s, self.places.end_m, lengths=lengths)
        return add_costs(ends, to_costs(self.leg_s, self.leg_m, lengths=lengths)[:, None])


@dataclass(frozen=True, eq=False)
class Pairs(FrozenArrays):
    """Single pairs, ``cost`` each; a pair may occur twice. Sorted by ``school``."""

    unit: Ints
    school: Ints
    cost: Costs


class PairFinder:
    """Units, ready to be asked for those that a school can be reached from without a crossing.

    ``straight_s``, ``straight_m``: seconds and metres counted per metre of straight line off the road.
    """

    def __init__(self, units: Located, straight_s: float, straight_m: float) -> None:
        self.units = units
        self.straight = straight_s, straight_m
        self.by_chain = np.argsort(units.places.chain, kind="stable")
        self.chain = units.places.chain[self.by_chain]
        placed = np.flatnonzero(np.isfinite(units.snap_m))
        self.strips = placed[np.argsort(units.x_m[placed], kind="stable")]  # from west to east
        x, y, reach = (values[self.strips] for values in (units.x_m, units.y_m, units.snap_m))
        cuts = np.arange(0, len(x), _STRIP)
        low = [np.minimum.reduceat(values - reach, cuts) if len(cuts) else values for values in (x, y)]
        high = [np.maximum.reduceat(values + reach, cuts) if len(cuts) else values for values in (x, y)]
        self.boxes = np.column_stack([low[0], low[1], high[0], high[1]]).reshape(-1, 4)
        self.spots = np.column_stack([x, y, reach]).reshape(-1, 3)

    def list_units_on(self, chains: Ints) -> Ints:
        """Return the units that lie on some chains (sorted, each once)."""
        low, high = (np.searchsorted(self.chain, chains, side=side) for side in ("left", "right"))
        count = high - low
        step = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        return np.asarray(self.by_chain[np.repeat(low, count) + step], dtype=np.int64)

    def with_units(self, units: Located) -> PairFinder:
        """Return the same for units that lie where they were, on roads with other times."""
        twin = copy(self)
        twin.units = units
        return twin

    def find(self, schools: Located, *, lengths: bool) -> Pairs:
        """Return the pairs of some schools."""
        parts = [self._find_along(schools, lengths=lengths), self._find_straight(schools, lengths=lengths)]
        unit, school, cost = (np.concatenate(values) for values in zip(*parts, strict=True))
        order = np.argsort(school, kind="stable")
        return Pairs(unit[order], school[order], cost[order])

    def _find_along(self, schools: Located, *, lengths: bool) -> tuple[Ints, Ints, Costs]:
        chain = schools.places.chain
        low, high = (np.searchsorted(self.chain, chain, side=side) for side in ("left", "right"))
        count = np.where(chain >= 0, high - low, 0)
        school = np.repeat(np.arange(len(chain)), count)
        step = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        unit = self.by_chain[low[school] + step]
        seconds, metres = measure_along(self.units.places.facts[unit], schools.places.facts[school])
        cost = to_costs(seconds, metres, lengths=lengths)
        for points, rows in ((self.units, unit), (schools, school)):
            cost = add_costs(cost, to_costs(points.leg_s[rows], points.leg_m[rows], lengths=lengths))
        return unit, school, cost

    def _find_straight(self, schools: Located, *, lengths: bool) -> tuple[Ints, Ints, Costs]:
        from geodata.search import find_meeting

        spots = np.column_stack([schools.x_m, schools.y_m, schools.snap_m])
        place, school = find_meeting(self.boxes, _STRIP, self.spots, spots)
        unit = self.strips[place]
        away = np.hypot(self.units.x_m[unit] - schools.x_m[school], self.units.y_m[unit] - schools.y_m[school])
        return unit, school, to_costs(away * self.straight[0], away * self.straight[1], lengths=lengths)
