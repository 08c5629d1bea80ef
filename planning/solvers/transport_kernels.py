"""The numba kernels of the transport problem that look at every row once: who goes where at given prices."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"


@njit(cache=True, nogil=True)
def _place_waiting(
    start: Array,
    school: Array,
    cost: Array,
    pupils: Array,
    places: Array,
    price: Array,
    flow: Array,
    least: Array,
    waiting: Array,
    load: Array,
) -> None:
    """Send rows with several least arcs to the one with most places left."""
    for row in range(len(pupils)):
        if not waiting[row]:
            continue
        at, most = -1, -np.inf
        for arc in range(start[row], start[row + 1]):
            room = places[school[arc]] - load[school[arc]]
            if cost[arc] + price[school[arc]] == least[row] and room > most:
                at, most = arc, room
        flow[at] = pupils[row]
        load[school[at]] += pupils[row]


@njit(cache=True, nogil=True)
def choose_arcs(
    start: Array, school: Array, cost: Array, pupils: Array, places: Array, price: Array, flow: Array, wide: float
) -> tuple[Array, Array, Array]:
    """Send rows without flow to an arc of least ``cost + price``; return loads and the rows that have a choice.

    A choice is two or more arcs within ``wide`` of the least: ``(load of each school, starts, arcs)``. Rows with
    several least arcs go where most places are left.
    """
    n_rows = len(pupils)
    load = np.zeros(len(places))
    least = np.empty(n_rows)
    count, waiting = np.zeros(n_rows, np.int64), np.zeros(n_rows, np.bool_)
    n_chosen, n_arcs, n_waiting = 0, 0, 0
    for row in range(n_rows):
        begin, end, low, at = start[row], start[row + 1], np.inf, -1
        if begin == end or pupils[row] == 0:
            continue
        sent = False
        for arc in range(begin, end):
            value = cost[arc] + price[school[arc]]
            if value < low:
                low, at = value, arc
            if flow[arc] > 0:
                sent = True
                load[school[arc]] += flow[arc]
        least[row] = low
        same = 0
        for arc in range(begin, end):
            value = cost[arc] + price[school[arc]]
            if value <= low + wide:
                count[row] += 1
                if value == low:
                    same += 1
        if count[row] > 1:
            n_chosen += 1
            n_arcs += count[row]
        if not sent and same == 1:
            flow[at] = pupils[row]
            load[school[at]] += pupils[row]
        elif not sent:
            waiting[row] = True
            n_waiting += 1
    if n_waiting > 0:
        _place_waiting(start, school, cost, pupils, places, price, flow, least, waiting, load)
    new_start, arcs = np.zeros(n_chosen + 1, np.int64), np.empty(n_arcs, np.int64)
    place, chosen = 0, 0
    for row in range(n_rows):
        if count[row] > 1:
            for arc in range(start[row], start[row + 1]):
                if cost[arc] + price[school[arc]] <= least[row] + wide:
                    arcs[place] = arc
                    place += 1
            chosen += 1
            new_start[chosen] = place
    return load, new_start, arcs


@njit(cache=True, nogil=True)
def drop_dear(start: Array, school: Array, cost: Array, price: Array, flow: Array) -> int:
    """Take back the flow of rows that do not only use arcs of least ``cost + price``; return how many."""
    dropped = 0
    for row in range(len(start) - 1):
        low, used = np.inf, -np.inf
        for arc in range(start[row], start[row + 1]):
            value = cost[arc] + price[school[arc]]
            if value < low:
                low = value
            if flow[arc] > 0 and value > used:
                used = value
        if used > low:
            dropped += 1
            for arc in range(start[row], start[row + 1]):
                flow[arc] = 0.0
    return dropped


@njit(cache=True, nogil=True)
def finish_rows(start: Array, school: Array, cost: Array, pupils: Array, price: Array, flow: Array) -> Array:
    """Make the flow of every row sum to its pupils, in place; return the least ``cost + price`` of the rows.

    Rows that send nothing (fewer pupils than the unit of the solver) go to their least arc.
    """
    row_price = np.zeros(len(pupils))
    for row in range(len(pupils)):
        begin, end, low, at, sent = start[row], start[row + 1], np.inf, -1, 0.0
        for arc in range(begin, end):
            value = cost[arc] + price[school[arc]]
            if value < low:
                low, at = value, arc
            sent += flow[arc]
        if at < 0:
            continue
        row_price[row] = low
        if sent == 0.0:
            flow[at] = pupils[row]
        elif sent != pupils[row]:
            for arc in range(begin, end):
                flow[arc] *= pupils[row] / sent
    return row_price
