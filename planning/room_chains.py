"""Making room at a school: the cheapest one or two moves of other units after which a unit fits in there.

A chain moves a unit placed at the school elsewhere, and perhaps a second unit: another one of the school, or one of the
zone that the first goes to. It breaks nothing: every school that gets pupils keeps within its places (or gets no fuller
than it is), nobody is newly apart from a school, no lock, seat, barrier, closed pair or hard travel limit is touched.
Candidates are put in the order of the pupil-minutes that they cost and tried one after another, so the first that holds
is the cheapest. Units of shared zones and units without pupils are not moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planning.drawing import DrawingTable
from planning.drawing_kernels import find_first_whole
from planning.drawing_state import FULL_PUPILS, DrawingState, list_own

MOST_MOVES = 1500
"""Single moves out of one zone that pairs are made of, the cheapest first."""
MOST_TRIED = 20_000
"""Chains tried in the order of their cost before the search gives up."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Chain:
    """Moves (unit, from own zone, to own zone) and the pupil-minutes a day (one way) that they cost."""

    moves: tuple[tuple[int, int, int], ...]
    lost_min: float


@dataclass(frozen=True, eq=False)
class _Moves:
    """Single moves: unit, own zone gone to, pupils, pupil-minutes lost."""

    unit: Ints
    to: Ints
    pupils: Floats
    lost: Floats


def compute_joining(table: DrawingTable, state: DrawingState, units: Ints, own: Ints) -> Floats:
    """Return the pupils by which own zones grow when units join them: less for those who come from a shared zone."""
    zone = state.zone[units]
    there = np.where(zone >= 0, table.weight[np.maximum(zone, 0), np.maximum(own, 0)], 0.0)
    joining: Floats = table.pupils[units] * (1.0 - there)
    return joining


def find_chain(
    table: DrawingTable, state: DrawingState, unit: int, target: int, locked: Ints
) -> tuple[Chain | None, bool]:
    """Return the cheapest chain after which ``unit`` fits in at own zone ``target``, and whether all were tried.

    Parameters
    ----------
    locked : shape (units,)
        Zone that each unit has to stay in, −1 = free.
    """
    load = state.load.copy()
    zone = int(state.zone[unit])
    if zone >= 0:
        load -= table.pupils[unit] * table.weight[zone]
    most = np.maximum(table.places, state.load) + FULL_PUPILS
    load[target] += table.pupils[unit]
    need = float(load[target] - table.places[target]) - FULL_PUPILS
    fixed = _find_fixed(table, state, unit, locked)
    first = _list_moves(table, state, target, fixed)
    room = most - load
    rows, lost = _list_single(first, room, need)
    pairs, pairs_lost = _list_pairs(first, room, need)
    swaps, swaps_lost = _list_swaps(table, state, first, room, need, target, fixed)
    rows, lost = np.vstack([rows, pairs, swaps]), np.concatenate([lost, pairs_lost, swaps_lost])
    every = len(first.unit) <= MOST_MOVES
    if not len(rows):
        return None, every
    rank = np.append(table.to_facts, -1)
    keys = (rows[:, 3], rank[rows[:, 2]], rows[:, 1], rank[rows[:, 0]], rows[:, 2] >= 0, np.round(lost, 6))
    order = np.lexsort(keys)
    found = _try_rows(table, state, rows[order], unit, target)
    if found < 0:
        return None, every and found == -1
    moves = rows[order[found]].tolist()
    chain = [(moves[0], target, moves[1])]
    if moves[2] >= 0:
        chain.append((moves[2], int(state.zone[moves[2]]), moves[3]))
    return Chain(tuple(chain), float(lost[order[found]])), True


def _find_fixed(table: DrawingTable, state: DrawingState, unit: int, locked: Ints) -> Bools:
    """Return the units that no chain may move."""
    fixed = (locked >= 0) | (state.zone >= table.n_own) | (table.pupils <= FULL_PUPILS)
    fixed[table.seat[table.seat >= 0]] = True
    fixed[table.held[:, 0]] = True
    fixed[unit] = True
    return fixed


def _list_moves(table: DrawingTable, state: DrawingState, own: int, fixed: Bools) -> _Moves:
    """Return the moves out of an own zone to zones two steps away at most (farther ones cannot become one piece)."""
    if table.shut[own]:
        return _pack(table, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), own)
    near = np.flatnonzero((state.zone == own) & ~fixed)
    one = _step(table, near)
    two = _step(table, one[:, 1])
    cuts = np.flatnonzero(np.diff(two[:, 0])) + 1
    ends = {int(group[0, 0]): group[:, 1].tolist() for group in np.split(two, cuts)} if len(two) else {}
    pairs: set[tuple[int, int]] = set()
    admits = [table.own_zones(zone).tolist() for zone in range(table.n_zones)]
    for unit, other in one.tolist():
        for end in (other, *ends[other]):
            if state.zone[end] >= 0:
                pairs.update((unit, zone) for zone in admits[state.zone[end]])
    rows = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    rows = rows[(rows[:, 1] != own) & ~table.shut[rows[:, 1]] & np.isfinite(table.cost[rows[:, 0], rows[:, 1]])]
    return _pack(table, rows[:, 0], rows[:, 1], own)


def _step(table: DrawingTable, units: Ints) -> Ints:
    """Return pairs (unit, neighbour)."""
    units = np.unique(units)
    counts = table.start[units + 1] - table.start[units]
    first = np.repeat(units, counts)
    place = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.column_stack([first, table.neighbour[table.start[first] + place]]).astype(np.int64)


def _pack(table: DrawingTable, unit: Ints, to: Ints, own: int) -> _Moves:
    pupils = table.pupils[unit]
    known = np.isfinite(table.minutes[unit, to]) & np.isfinite(table.minutes[unit, own])
    unit, to, pupils = unit[known], to[known], pupils[known]
    return _Moves(unit, to, pupils, pupils * (table.minutes[unit, to] - table.minutes[unit, own]))


def _list_single(moves: _Moves, room: Floats, need: float) -> tuple[Ints, Floats]:
    fits = (moves.pupils >= need) & (moves.pupils <= room[moves.to])
    none = np.full(int(fits.sum()), -1, dtype=np.int64)
    return np.column_stack([moves.unit[fits], moves.to[fits], none, none]), moves.lost[fits]


def _list_pairs(moves: _Moves, room: Floats, need: float) -> tuple[Ints, Floats]:
    """Return pairs of moves of two units of the same zone."""
    kept = np.argsort(moves.lost, kind="stable")[:MOST_MOVES]
    unit, to, pupils, lost = moves.unit[kept], moves.to[kept], moves.pupils[kept], moves.lost[kept]
    both = pupils[:, None] + pupils[None, :]
    fits = (unit[:, None] < unit[None, :]) & (both >= need)
    single = pupils <= room[to]
    fits &= single[:, None] & single[None, :]
    fits &= (to[:, None] != to[None, :]) | (both <= room[to][:, None])
    first, second = np.nonzero(fits)
    rows = np.column_stack([unit[first], to[first], unit[second], to[second]]).astype(np.int64)
    return rows, lost[first] + lost[second]


def _list_swaps(
    table: DrawingTable, state: DrawingState, first: _Moves, room: Floats, need: float, target: int, fixed: Bools
) -> tuple[Ints, Floats]:
    """Return pairs of moves of which the second leaves the zone that the first one enters."""
    found: list[Ints] = []
    costs: list[Floats] = []
    for zone in np.unique(first.to):
        entering = first.to == zone
        second = _list_moves(table, state, int(zone), fixed)
        in_unit, in_pupils, in_lost = first.unit[entering], first.pupils[entering], first.lost[entering]
        gain = in_pupils[:, None] - second.pupils[None, :]
        back = second.to == target
        fits = gain <= room[zone]
        fits &= np.where(back[None, :], gain >= need, in_pupils[:, None] >= need)
        fits &= (back | (second.pupils <= room[second.to]))[None, :]
        at, to = np.nonzero(fits)
        where = np.full(len(at), zone, dtype=np.int64)
        found.append(np.column_stack([in_unit[at], where, second.unit[to], second.to[to]]).astype(np.int64))
        costs.append(in_lost[at] + second.lost[to])
    if not found:
        return np.empty((0, 4), dtype=np.int64), np.empty(0)
    return np.vstack(found), np.concatenate(costs)


def _try_rows(table: DrawingTable, state: DrawingState, rows: Ints, unit: int, target: int) -> int:
    """Return the first row that leaves every zone whole; −1 = none, −2 = not found among those tried."""
    order = np.argsort(state.node_own, kind="stable")
    members_start = np.zeros(table.n_own + 1, dtype=np.int64)
    np.cumsum(np.bincount(state.node_own, minlength=table.n_own), out=members_start[1:])
    joined = state.part == state.home[state.node_own]
    own_start, own = list_own(table)
    found: int = find_first_whole(
        state.zone.copy(),
        rows,
        unit,
        target,
        members_start,
        state.node_unit[order],
        joined[order],
        table.seat,
        own_start,
        own,
        table.start,
        table.neighbour,
        MOST_TRIED,
    )
    return found
