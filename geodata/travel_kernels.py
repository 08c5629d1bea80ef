"""The numba kernel that turns a sweep over the hierarchy into minutes and metres."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

from geodata.hierarchy_sweep import WIDTH, Sweep, climb, count_chunks, find_infinity, open_sweep, sweep_chunk

Array: TypeAlias = "np.ndarray[Any, Any]"


@njit(cache=True, nogil=True)
def fill_group(
    plan: Sweep,
    school: tuple[Array, Array],
    pair: tuple[Array, Array, Array],
    limit: Any,
    shift: int,
    column: int,
    time_min: Array,
    length_m: Array,
) -> None:
    """Write the travel from every unit to a group of schools; NaN beyond ``limit``.

    ``school``: core nodes and costs (schools, 2). ``pair``: (place, school, cost), other ways between units (their
    places in ``plan.order``, rising) and schools. ``shift``: bits of the metres in a cost. Written: columns from
    ``column`` on of minutes and metres (units, schools); metres only where there is room.
    """
    pair_place, pair_school, pair_cost = pair
    count = len(school[0])
    goals = climb(plan, school[0], school[1])
    rows = open_sweep(plan, goals)
    next_pair = 0
    for chunk in range(count_chunks(plan)):
        first, last, place = sweep_chunk(plan, goals, chunk, rows)
        while next_pair < len(pair_place) and pair_place[next_pair] < last:
            goal = pair_school[next_pair]
            at = place + pair_place[next_pair] - first
            cost = rows[goal // WIDTH, at, goal % WIDTH]
            rows[goal // WIDTH, at, goal % WIDTH] = min(cost, pair_cost[next_pair])
            next_pair += 1
        for origin in range(first, last):
            unit = plan.order[origin]
            for batch in range(len(rows)):
                begin = column + batch * WIDTH
                end = column + min((batch + 1) * WIDTH, count)
                row = rows[batch, place + origin - first]
                _write_minutes(row, limit, shift, time_min[unit, begin:end])
                if length_m.shape[0] > 0:
                    _write_metres(row, limit, shift, length_m[unit, begin:end])


@njit(cache=True, nogil=True)
def fill_one(
    plan: Sweep,
    school: tuple[Array, Array],
    pair: tuple[Array, Array, Array],
    limit: Any,
    shift: int,
    column: int,
    time_min: Array,
    length_m: Array,
) -> None:
    """Do what :func:`fill_group` does for a single school, some times as fast: its rows are single numbers."""
    pair_place, _, pair_cost = pair
    no_way = find_infinity(plan.cost)
    goals = climb(plan, school[0], school[1])
    level = np.full(plan.height + 1, no_way, dtype=plan.cost.dtype)
    turn, past = 0, len(goals.step)
    next_goal = goals.step[0] if past > 0 else -1
    mask = (1 << shift) - 1
    place, next_pair = 0, 0
    for step in range(len(plan.target)):
        best = level[plan.height]
        if step == next_goal:
            best = goals.row[turn, 0]
            turn += 1
            next_goal = goals.step[turn] if turn < past else -1
        for arc in range(plan.step_first[step], plan.step_first[step + 1]):
            best = min(best, plan.cost[arc] + level[plan.above[arc]])
        if plan.target[step] < plan.height:
            level[plan.target[step]] = best
            continue
        while next_pair < len(pair_place) and pair_place[next_pair] == place:
            best = min(best, pair_cost[next_pair])
            next_pair += 1
        unit = plan.order[place]
        place += 1
        time_min[unit, column] = (
            np.float32(best >> shift) / np.float32(60000.0) if best <= limit else np.float32(np.nan)
        )
        if length_m.shape[0] > 0:
            length_m[unit, column] = (
                np.float32(best & mask) / np.float32(1000.0) if best <= limit else np.float32(np.nan)
            )


@njit(cache=True, nogil=True)
def _write_minutes(cost: Array, limit: Any, shift: int, out: Array) -> None:
    """Write minutes; NaN for costs beyond ``limit``."""
    beyond = np.float32(np.nan)
    for goal in range(len(out)):
        minutes = np.float32(cost[goal] >> shift) / np.float32(60000.0)
        out[goal] = minutes if cost[goal] <= limit else beyond


@njit(cache=True, nogil=True)
def _write_metres(cost: Array, limit: Any, shift: int, out: Array) -> None:
    """Write metres; NaN for costs beyond ``limit``."""
    beyond = np.float32(np.nan)
    mask = (1 << shift) - 1
    for goal in range(len(out)):
        metres = np.float32(cost[goal] & mask) / np.float32(1000.0)
        out[goal] = metres if cost[goal] <= limit else beyond
