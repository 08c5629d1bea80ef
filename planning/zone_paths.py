"""What lies between: units on the way from a unit to a zone, and units that hang on one that leaves."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from planning.drawing import DrawingTable
from planning.drawing_kernels import find_reached
from planning.drawing_state import DrawingState

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def find_home(table: DrawingTable, state: DrawingState, own: int) -> Bools:
    """Return which units hang together with the school of an own zone."""
    home = np.zeros(table.n_units, dtype=np.bool_)
    rows = (state.node_own == own) & ((state.part == state.home[own]) | (state.home[own] < 0))
    home[state.node_unit[rows]] = True
    return home


def find_between(table: DrawingTable, state: DrawingState, unit: int, own: int) -> Ints:
    """Return the units on the shortest chain of neighbours from a unit to an own zone, both ends left out.

    Fewest units first, then by id. Empty where they touch, or where no chain exists.
    """
    home = find_home(table, state, own)
    before = {unit: -1}
    queue = deque([unit])
    while queue:
        at = queue.popleft()
        if home[at] and at != unit:
            chain = []
            while before[at] >= 0:
                at = before[at]
                chain.append(at)
            return np.array(chain[-2::-1] if len(chain) > 1 else [], dtype=np.int64)
        others = table.neighbour[table.start[at] : table.start[at + 1]]
        for other in others[np.argsort(table.to_facts[others])].tolist():
            if other not in before:
                before[other] = at
                queue.append(other)
    return np.empty(0, dtype=np.int64)


def find_cut_off(table: DrawingTable, state: DrawingState, unit: int) -> Ints:
    """Return the units that would be apart from a school of theirs if a unit left its zone, ordered by id."""
    lost = np.zeros(table.n_units, dtype=np.bool_)
    for own in table.own_zones(int(state.zone[unit])).tolist():
        seat = int(table.seat[own])
        home = find_home(table, state, own)
        if seat < 0 or not home[seat] or not home[unit] or seat == unit:
            continue
        home[unit] = False
        lost |= home & ~find_reached(home, table.start, table.neighbour, seat)
    units = np.flatnonzero(lost)
    found: Ints = units[np.argsort(table.to_facts[units])]
    return found
