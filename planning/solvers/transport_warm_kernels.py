"""The numba kernels of warm starts: near arcs, rows set free, and the check of every arc that was left out."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from planning.solvers.transport_paths import Moves, Rows, link, offer

Array: TypeAlias = "np.ndarray[Any, Any]"


class Costs(NamedTuple):
    """Every arc there is, as a table: ``cost[line[row], column] * weight[row]``, rounded to multiples of ``unit``.

    ``barred_row`` and ``barred_column``: rows that may not use those columns. Rows with a line of ``pin_open`` in
    ``pin_row`` (0 or more) may use its columns only. ``twin`` (0 or more): every column has a
    twin that costs so much more (times the weight) and stands as many columns further; below 0: there are none.
    """

    cost: Array
    line: Array
    weight: Array
    barred_row: Array
    barred_column: Array
    pin_row: Array
    pin_open: Array
    twin: float
    unit: float


@njit(cache=True, nogil=True)
def fill_row(costs: Costs, row: int, value: Array) -> None:
    """Write the costs of all arcs of one row (``inf`` = none) to ``value`` (columns,), twins behind."""
    width, line, weight = costs.cost.shape[1], costs.line[row], costs.weight[row]
    for column in range(width):
        least = float(costs.cost[line, column])
        if costs.barred_row[row] and costs.barred_column[column]:
            least = np.inf
        if costs.pin_row[row] >= 0 and not costs.pin_open[costs.pin_row[row], column]:
            least = np.inf
        value[column] = np.rint(least * weight / costs.unit) * costs.unit
        if costs.twin >= 0:
            value[width + column] = np.rint((least * weight + weight * costs.twin) / costs.unit) * costs.unit


@njit(cache=True, nogil=True)
def list_rows(costs: Costs, rows: Array, price: Array, limit: Array, most: Array) -> tuple[Array, Array, Array, Array]:
    """Return the arcs of some rows whose ``cost + price`` is up to ``limit``, or among the ``most`` least.

    ``(starts, schools, costs, least value of the arcs left out)``, the last ``inf`` where none is.
    """
    m = len(price)
    cost, value = np.empty(m), np.empty(m)
    start, beyond = np.zeros(len(rows) + 1, np.int64), np.full(len(rows), np.inf)
    school, kept = np.empty(1024, np.int32), np.empty(1024)
    count = 0
    for place in range(len(rows)):
        fill_row(costs, rows[place], cost)
        for k in range(m):
            value[k] = cost[k] + price[k]
        if count + m > len(school):
            more, dearer = np.empty(2 * len(school) + m, np.int32), np.empty(2 * len(school) + m)
            more[:count], dearer[:count] = school[:count], kept[:count]
            school, kept = more, dearer
        bound = np.inf
        if most[place] < m:
            bound = max(limit[place], np.partition(value, most[place] - 1)[most[place] - 1])
        for k in range(m):
            if value[k] == np.inf:
                continue
            if value[k] <= bound:
                school[count], kept[count] = k, cost[k]
                count += 1
            elif value[k] < beyond[place]:
                beyond[place] = value[k]
        start[place + 1] = count
    return start, school[:count].copy(), kept[:count].copy(), beyond


@njit(cache=True, nogil=True)
def find_cheaper(costs: Costs, rows: Array, price: Array, least: Array, value: Array) -> Array:
    """Return those of ``rows`` that have an arc of less ``cost + price`` than ``least`` (by row)."""
    found = np.zeros(len(rows), np.bool_)
    for place in range(len(rows)):
        row = rows[place]
        fill_row(costs, row, value)
        for k in range(len(price)):
            if value[k] + price[k] < least[row]:
                found[place] = True
                break
    return rows[found]


@njit(cache=True, nogil=True)
def compute_least(start: Array, school: Array, cost: Array, price: Array) -> Array:
    """Return the least ``cost + price`` of every row, ``inf`` where it has no arc."""
    least = np.full(len(start) - 1, np.inf)
    for row in range(len(least)):
        for arc in range(start[row], start[row + 1]):
            least[row] = min(least[row], cost[arc] + price[school[arc]])
    return least


@njit(cache=True, nogil=True)
def send_waiting(start: Array, school: Array, cost: Array, pupils: Array, price: Array, flow: Array) -> int:
    """Send rows that use dearer arcs than their least, or none, to a least arc; return how many rows were changed.

    Rows without an open arc lose their flow.
    """
    changed = 0
    for row in range(len(pupils)):
        low, used, at, sent = np.inf, -np.inf, -1, 0.0
        for arc in range(start[row], start[row + 1]):
            value = cost[arc] + price[school[arc]]
            if value < low:
                low, at = value, arc
            if flow[arc] > 0:
                sent += flow[arc]
                used = max(used, value)
        if pupils[row] > 0 and (used > low or used == np.inf or sent != pupils[row]) and (at >= 0 or sent > 0):
            changed += 1
            for arc in range(start[row], start[row + 1]):
                flow[arc] = 0.0
            if at >= 0:
                flow[at] = pupils[row]
    return changed


@njit(cache=True, nogil=True)
def free_closed(closed: Array, rows: Rows, moves: Moves, flow: Array, price: Array) -> None:
    """Send the pupils of closed schools (their ``price`` is ``inf``) to the least open arc of their rows.

    Rows without another arc lose their flow. Flow and moves are changed in place.
    """
    for school in closed:
        arc = moves.first[school]
        while arc >= 0:
            following, best, low = moves.after[arc], -1, np.inf
            row = rows.row_of[arc]
            for other in range(rows.start[row], rows.start[row + 1]):
                value = rows.cost[other] + price[rows.school[other]]
                if value < low:
                    best, low = other, value
            if best >= 0:
                if flow[best] == 0:
                    link(best, rows.school[best], moves)
                flow[best] += flow[arc]
                offer(best, rows, moves)
            flow[arc] = 0.0
            arc = following
        moves.first[school] = -1
        moves.key[moves.begin[school] : moves.begin[school + 1]] = np.inf


@njit(cache=True, nogil=True)
def merge_arcs(
    start: Array,
    school: Array,
    cost: Array,
    flow: Array,
    extra_rows: Array,
    extra_start: Array,
    extra_school: Array,
    extra_cost: Array,
) -> tuple[Array, Array, Array, Array, Array]:
    """Return rows with more arcs: ``(starts, schools, costs, flows, row of each arc)``.

    ``extra_rows`` ascend; an extra arc to a school that the row has already is passed over.
    """
    n_rows, size = len(start) - 1, len(school) + len(extra_school)
    new_start, new_school, new_cost = np.zeros(n_rows + 1, np.int64), np.empty(size, np.int32), np.empty(size)
    new_flow, row_of = np.zeros(size), np.empty(size, np.int64)
    count, extra = 0, 0
    for row in range(n_rows):
        first = count
        for arc in range(start[row], start[row + 1]):
            new_school[count], new_cost[count], new_flow[count] = school[arc], cost[arc], flow[arc]
            row_of[count] = row
            count += 1
        last = count
        if extra < len(extra_rows) and extra_rows[extra] == row:
            for arc in range(extra_start[extra], extra_start[extra + 1]):
                known = False
                for other in range(first, last):
                    known = known or new_school[other] == extra_school[arc]
                if not known:
                    new_school[count], new_cost[count], row_of[count] = extra_school[arc], extra_cost[arc], row
                    count += 1
            extra += 1
        new_start[row + 1] = count
    return new_start, new_school[:count], new_cost[:count], new_flow[:count], row_of[:count]


@njit(cache=True, nogil=True)
def place_flow(
    start: Array, school: Array, pupils: Array, flow: Array, row: Array, to: Array, amount: Array, grain: float
) -> None:
    """Write given flows (``row`` ascending) to the arcs of their rows, in place, as multiples that sum to it."""
    place = 0
    while place < len(row):
        at, left = row[place], pupils[row[place]]
        while place < len(row) and row[place] == at:
            last = place + 1 == len(row) or row[place + 1] != at
            part = left if last else min(left, np.rint(amount[place] / grain) * grain)
            for arc in range(start[at], start[at + 1]):
                if school[arc] == to[place]:
                    flow[arc] = part
            left -= part
            place += 1
