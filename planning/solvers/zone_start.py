"""Connected plans to start from: given, nearest, or by place prices; what hangs loose is given to zones beside it.

With a price per place, every unit goes where cost + price × pupils is least. Those zones are nearly balanced and, as
cells of an additively weighted Voronoi diagram, nearly connected; pieces cut off are absorbed by neighbouring zones.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numba import njit

from planning.solvers.problems import Floats, Schools, ZoneProblem
from planning.solvers.zone_state import Array

LINK_ROUNDS = 3
"""Times that ways to locked units are laid, since one way may cut another."""


def build_start(
    problem: ZoneProblem,
    *,
    given: Schools | None = None,
    place_price: Floats | None = None,
    cost: Floats | None = None,
    grow: bool = False,
) -> Schools:
    """Return a plan whose zones are each one piece and hold their seat, as near as can be to what is asked.

    Parameters
    ----------
    given : shape (units,)
        A plan to be repaired, ``-1`` = nothing given. Without it the plan comes from the costs.
    place_price : shape (schools,)
        Price of a place (the duals of ``solve_transport``); 0 unless given, that is the nearest school.
    cost : shape (units, schools)
        Cost to use instead of the problem's, ``inf`` = not allowed.
    grow
        Let zones grow from their seats, cheapest unit first, instead of taking what each unit likes best.

    Notes
    -----
    Connectedness comes first: a unit that no allowed zone can reach goes to a zone beside it, and one that no zone can
    reach at all (no seat in its part of the map) to its cheapest school. Locked units are linked to their school by
    the shortest way over units that are free, where there is one. Places are not looked at.
    """
    cost = np.array(problem.cost if cost is None else cost, float)
    price = np.zeros(problem.n_schools) if place_price is None else np.array(place_price, float)
    pupils = np.array(problem.pupils, float)
    start = np.array(problem.neighbour_start, np.int64)
    neighbour = np.array(problem.neighbour, np.int32)
    seat = np.array(problem.seat, np.int32)
    held = _hold(problem, cost)
    school = _wish(cost, price, pupils) if given is None else np.array(given, np.int32)
    if grow:
        school[:] = -1
    school[(school < -1) | (school >= problem.n_schools)] = -1
    school = np.where(held >= 0, held, school).astype(np.int32)
    for _ in range(LINK_ROUNDS):
        linked = _find_linked(start, neighbour, seat, school)
        if _lay_ways(start, neighbour, held, cost, linked, school) == 0:
            break
    linked = _find_linked(start, neighbour, seat, school)
    school[~linked & (held < 0)] = -1
    for barred_too in (False, True):
        _absorb(start, neighbour, cost, price, pupils, linked, school, barred_too)
    lost = school < 0
    school[lost] = _wish(cost[lost], price, pupils[lost])
    return school


def count_detached(problem: ZoneProblem, school: Schools) -> int:
    """Return how many units are not linked with the seat of their school within their zone."""
    linked = _find_linked(
        np.array(problem.neighbour_start, np.int64),
        np.array(problem.neighbour, np.int32),
        np.array(problem.seat, np.int32),
        np.array(school, np.int32),
    )
    return int((~linked).sum())


def _wish(cost: Array, price: Array, pupils: Array) -> Array:
    """Return the school of least cost and price for every unit, allowed ones first."""
    wish = np.empty(len(pupils), np.int32)
    for first in range(0, len(pupils), 4096):
        part = slice(first, first + 4096)
        wish[part] = np.argmin(cost[part] + price * pupils[part, None], axis=1)
    return wish


def _hold(problem: ZoneProblem, cost: Array) -> Array:
    """Return the school that a unit must be with: locked, seat, or the only one allowed; -1 = free."""
    allowed = np.isfinite(cost)
    held = np.where(allowed.sum(axis=1) == 1, np.argmax(allowed, axis=1), -1).astype(np.int32)
    held = np.where(problem.locked >= 0, problem.locked, held).astype(np.int32)
    schools = np.flatnonzero(problem.seat >= 0)
    held[problem.seat[schools]] = schools
    return held


@njit(cache=True, nogil=True)
def _find_linked(start: Array, neighbour: Array, seat: Array, school: Array) -> Array:
    """Return which units are linked with their school's seat within the zone; all are where the school has none."""
    linked = np.zeros(len(school), np.bool_)
    queue = np.empty(len(school), np.int32)
    last = 0
    for zone in range(len(seat)):
        if seat[zone] >= 0 and school[seat[zone]] == zone:
            linked[seat[zone]] = True
            queue[last] = seat[zone]
            last += 1
    first = 0
    while first < last:
        unit = queue[first]
        first += 1
        for link in range(start[unit], start[unit + 1]):
            other = neighbour[link]
            if not linked[other] and school[other] == school[unit]:
                linked[other] = True
                queue[last] = other
                last += 1
    for unit in range(len(school)):
        if school[unit] >= 0 and seat[school[unit]] < 0:
            linked[unit] = True
    return linked


@njit(cache=True, nogil=True)
def _lay_ways(start: Array, neighbour: Array, held: Array, cost: Array, linked: Array, school: Array) -> int:
    """Link held units that are cut off from their zone by the shortest way over free units; return how many."""
    units = len(school)
    source = np.full(units, -1, np.int32)
    stamp = np.full(units, -1, np.int32)
    queue = np.empty(units, np.int32)
    laid = 0
    for unit in range(units):
        zone = held[unit]
        if zone < 0 or linked[unit]:
            continue
        queue[0] = unit
        stamp[unit] = unit
        first, last, end = 0, 1, -1
        while first < last and end < 0:
            here = queue[first]
            first += 1
            for link in range(start[here], start[here + 1]):
                other = neighbour[link]
                if stamp[other] == unit:
                    continue
                if linked[other] and school[other] == zone:
                    end = here
                    break
                stamp[other] = unit
                if held[other] == zone or (held[other] < 0 and np.isfinite(cost[other, zone])):
                    source[other] = here
                    queue[last] = other
                    last += 1
        if end < 0:
            continue
        laid += 1
        while end != unit:
            school[end] = zone
            linked[end] = True
            end = source[end]
        linked[unit] = True
    return laid


@njit(cache=True, nogil=True)
def _absorb(
    start: Array,
    neighbour: Array,
    cost: Array,
    price: Array,
    pupils: Array,
    linked: Array,
    school: Array,
    barred_too: bool,
) -> None:
    """Let the zones take units without one beside them, those first that lose least per pupil by it."""
    schools = len(price)
    least = np.zeros(len(school))
    for unit in range(len(school)):
        if school[unit] < 0:
            least[unit] = np.inf
            for zone in range(schools):
                least[unit] = min(least[unit], cost[unit, zone] + price[zone] * pupils[unit])
    turn = 0
    heap = [(0.0, 0, -1, -1)]
    for unit in range(len(school)):
        if school[unit] >= 0 and linked[unit]:
            turn = _offer(start, neighbour, cost, price, pupils, least, school, barred_too, unit, heap, turn)
    while len(heap) > 0:
        _, _, unit, zone = heapq.heappop(heap)
        if unit < 0 or school[unit] >= 0:
            continue
        school[unit] = zone
        linked[unit] = True
        turn = _offer(start, neighbour, cost, price, pupils, least, school, barred_too, unit, heap, turn)


@njit(cache=True, nogil=True)
def _offer(
    start: Array,
    neighbour: Array,
    cost: Array,
    price: Array,
    pupils: Array,
    least: Array,
    school: Array,
    barred_too: bool,
    unit: int,
    heap: Any,
    turn: int,
) -> int:
    """Offer the zone of the unit to those beside it that have none; return the number of offers so far."""
    zone = school[unit]
    for link in range(start[unit], start[unit + 1]):
        other = neighbour[link]
        if school[other] >= 0:
            continue
        loss = cost[other, zone] + price[zone] * pupils[other] - least[other]
        if not np.isfinite(loss):
            if not barred_too:
                continue
            loss = 1e300
        turn += 1
        heapq.heappush(heap, (loss / max(pupils[other], 1.0), turn, np.int64(other), np.int64(zone)))
    return turn


def estimate_place_price(cost: Floats, pupils: Floats, places: Floats, ceiling: float, sweeps: int = 120) -> Floats:
    """Return roughly what a place more is worth at each school, in units of cost per pupil, at most ``ceiling``.

    Subgradient steps on the dual of the transport problem (whole units to the cheapest school at cost + price), each
    2-4 % shorter than the one before. ``solve_transport`` gives the exact prices.
    """
    places = np.minimum(np.array(places, float), 2.0 * float(pupils.sum()) + 1.0)
    price = np.zeros(len(places))
    people = np.maximum(np.asarray(pupils, float), 0.0)
    least = np.asarray(cost).min(axis=1)
    step = float(least.sum() / max(people.sum(), 1e-9)) or 1.0
    size = max(1e-9, float(people.sum()) / len(places))
    mean = np.zeros(len(places))
    for turn in range(sweeps):
        load = _load_at(np.asarray(cost), people, price)
        price = np.clip(price + step * (load - places) / size, 0.0, ceiling)
        step *= 0.97
        if 2 * turn >= sweeps:
            mean += price / (sweeps - sweeps // 2)
    return np.minimum(mean, ceiling)


@njit(cache=True, nogil=True)
def _load_at(cost: Array, pupils: Array, price: Array) -> Array:
    """Return the load of each school when every unit takes its cheapest at these prices."""
    load = np.zeros(len(price))
    for unit in range(cost.shape[0]):
        best, least = 0, np.inf
        for zone in range(len(price)):
            value = cost[unit, zone] + price[zone] * pupils[unit]
            if value < least:
                best, least = zone, value
        load[best] += pupils[unit]
    return load
