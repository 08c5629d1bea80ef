"""What stands between every unit and its nearest school: computed from places, distances, neighbours, locks and rules.

The nearest school of a unit is that of the shortest way of all complete schools, allowed or not: what is not allowed is
one of the things that stand in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from geodata.study import FrozenArrays
from planning.drawing import DrawingTable, find_nearest_zones
from planning.drawing_kernels import find_cutting, find_touching
from planning.drawing_state import FULL_PUPILS, DrawingState, list_own
from planning.room_chains import compute_joining

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ReasonKind = Literal[
    "nearest",
    "seat",
    "teaching_point",
    "no_zone",
    "no_way",
    "locked",
    "other_seat",
    "shut",
    "closed",
    "barrier",
    "travel_cap",
    "full",
    "apart",
    "cuts",
    "free",
]
OBSTACLES: tuple[ReasonKind, ...] = (
    *("locked", "other_seat", "shut", "closed", "barrier", "travel_cap", "full", "apart", "cuts"),
)
"""What can stand against a move to the nearest school, in the order in which it is told."""


@dataclass(frozen=True, eq=False)
class Obstacles(FrozenArrays):
    """By unit: ``near`` its nearest own zone (−1 = no way), whether it is ``there``, and what stands in between.

    ``against`` has a column for each of ``OBSTACLES``; ``short_places`` by how many places the nearest school would be
    short if the unit joined it; ``point`` its nearest teaching point where that is nearer than ``near``, else −1.
    """

    near: Ints
    there: Bools
    seated: Bools
    against: Bools
    short_places: Floats
    point: Ints

    def kinds(self, unit: int, zoned: bool) -> tuple[ReasonKind, ...]:
        """Return what is to be said of a unit, the main thing first."""
        if self.near[unit] < 0:
            return ("no_way",)
        if self.there[unit]:
            if self.seated[unit]:
                return ("seat",)
            return ("teaching_point",) if self.point[unit] >= 0 else ("nearest",)
        found = tuple(kind for kind, holds in zip(OBSTACLES, self.against[unit], strict=True) if holds)
        if not zoned:
            return ("no_zone", *found)
        return found or ("free",)


def find_obstacles(
    table: DrawingTable, state: DrawingState, locked: Ints, *, units: Ints | None = None, near: Ints | None = None
) -> Obstacles:
    """Return what stands between units and their nearest schools.

    Parameters
    ----------
    locked : shape (units,)
        Zone that each unit has to stay in, −1 = free.
    units
        Look for cuts of these only.
    near : shape (units,)
        Own zones to look at instead of the nearest; −1 = none.
    """
    n = table.n_units
    own_travel = table.travel[:, : table.n_own]
    near = find_nearest_zones(own_travel, own_travel, table.admits[state.zone]) if near is None else near
    known = near >= 0
    at = np.maximum(near, 0)
    there = known & table.admits[state.zone, at]
    seat_of = np.full(n, -1, dtype=np.int64)
    seat_of[table.seat[table.seat >= 0]] = np.flatnonzero(table.seat >= 0)
    seat_of[table.held[:, 0]] = table.held[:, 1]
    joining = compute_joining(table, state, np.arange(n), near)
    short = np.maximum(0.0, state.load[at] + joining - table.places[at])
    short[~known | there | (joining <= FULL_PUPILS) | (short <= FULL_PUPILS)] = 0.0
    against = np.zeros((n, len(OBSTACLES)), dtype=np.bool_)
    column = {kind: against[:, place] for place, kind in enumerate(OBSTACLES)}
    column["locked"][:] = (locked >= 0) & (locked != near)
    column["other_seat"][:] = (seat_of >= 0) & (seat_of != near)
    column["shut"][:] = table.shut[at]
    _mark_forbidden(table, at, column)
    column["full"][:] = short > 0
    own_start, own = list_own(table)
    parts = (own_start, own, state.node_start, state.part, state.home)
    target = np.where(known & ~there, near, -1)
    column["apart"][:] = ~find_touching(state.zone, target, *parts, table.start, table.neighbour)
    asked = target >= 0
    if units is not None:
        asked &= np.isin(np.arange(n), units)
    joined = state.part == state.home[state.node_own]
    size = np.bincount(state.node_own[joined], minlength=table.n_own).astype(np.int64)
    column["cuts"][:] = find_cutting(state.zone, asked, table.seat, *parts, size, table.start, table.neighbour)
    against[~known | there] = False
    return Obstacles(near, there, there & (seat_of == near), against, short, _find_points(table, own_travel, at))


def _mark_forbidden(table: DrawingTable, near: Ints, column: dict[ReasonKind, Bools]) -> None:
    """Mark which rule forbids the nearest school: a closed pair, a barrier, else the travel limit."""
    rows = np.flatnonzero(~np.isfinite(table.cost[np.arange(table.n_units), near]))
    costs = table.facts.costs
    members = table.facts.members
    for unit in rows.tolist():
        schools = members[near[unit]]
        known = False
        for kind, barred in (("closed", costs.closed), ("barrier", costs.crossing)):
            if barred is not None and barred[table.to_facts[unit], schools].any():
                column[kind][unit] = known = True  # type: ignore[index]
        if not known:
            column["travel_cap"][unit] = True


def _find_points(table: DrawingTable, own_travel: Floats, near: Ints) -> Ints:
    """Return the teaching point that is nearer than the nearest complete school, as a position in ``ways``."""
    point = np.full(table.n_units, -1, dtype=np.int64)
    columns = np.flatnonzero(table.facts.ways.low_only)
    if len(columns):
        ways = table.facts.costs.travel[np.ix_(table.to_facts, columns)]
        best = ways.argmin(axis=1)
        nearer = ways[np.arange(len(best)), best] < own_travel[np.arange(len(best)), near]
        point[nearer] = columns[best[nearer]]
    return point
