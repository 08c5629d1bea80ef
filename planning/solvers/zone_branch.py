"""Kernels of the subproblem of the zone bound: branch and bound over connected sets, separators, least cuts."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@numba.njit(cache=True, nogil=True)
def label_components(start: Array, neighbour: Array, on: Array) -> Any:
    """Return for each unit of ``on`` the number of its connected part, −1 elsewhere."""
    label = np.full(len(on), -1)
    queue = np.empty(len(on), np.int64)
    number = 0
    for first in range(len(on)):
        if not on[first] or label[first] >= 0:
            continue
        label[first] = number
        queue[0] = first
        head, tail = 0, 1
        while head < tail:
            unit = queue[head]
            head += 1
            for link in range(start[unit], start[unit + 1]):
                other = neighbour[link]
                if on[other] and label[other] < 0:
                    label[other] = number
                    queue[tail] = other
                    tail += 1
        number += 1
    return label


@numba.njit(cache=True, nogil=True)
def find_separator(start: Array, neighbour: Array, allowed: Array, piece: Array, seat: int) -> Any:
    """Return the units that every way from the seat to ``piece`` crosses first: a minimal separator beside it."""
    count = len(allowed)
    beside = np.zeros(count, np.bool_)
    for unit in range(count):
        if piece[unit]:
            for link in range(start[unit], start[unit + 1]):
                other = neighbour[link]
                if allowed[other] and not piece[other]:
                    beside[other] = True
    seen = np.zeros(count, np.bool_)
    met = np.zeros(count, np.bool_)
    queue = np.empty(count, np.int64)
    queue[0] = seat
    seen[seat] = True
    met[seat] = beside[seat]
    head, tail = 0, 0 if beside[seat] else 1
    while head < tail:
        unit = queue[head]
        head += 1
        for link in range(start[unit], start[unit + 1]):
            other = neighbour[link]
            if not allowed[other] or piece[other]:
                continue
            if beside[other]:
                met[other] = True
            elif not seen[other]:
                seen[other] = True
                queue[tail] = other
                tail += 1
    return np.flatnonzero(met)


@numba.njit(cache=True, nogil=True)
def find_mirror(start: Array, neighbour: Array) -> Any:
    """Return for every link the position of the link the other way."""
    mirror = np.empty(len(neighbour), np.int64)
    for unit in range(len(start) - 1):
        for link in range(start[unit], start[unit + 1]):
            other = neighbour[link]
            for back in range(start[other], start[other + 1]):
                if neighbour[back] == unit:
                    mirror[link] = back
    return mirror


@numba.njit(cache=True, nogil=True)
def find_least_cut(
    start: Array, neighbour: Array, mirror: Array, allowed: Array, shares: Array, seat: int, unit: int
) -> Any:
    """Return the least sum of shares that parts ``unit`` from the seat, and the units that make it.

    Maximum flow through the units, each as wide as its share, by shortest augmenting paths. States are ``2 v``
    (entering ``v``) and ``2 v + 1`` (leaving it). ``unit`` must not touch the seat.
    """
    count = len(allowed)
    through = np.zeros(count)
    flow = np.zeros(len(neighbour))
    came = np.empty(2 * count, np.int64)
    queue = np.empty(2 * count, np.int64)
    total = 0.0
    while _find_path(start, neighbour, mirror, allowed, shares, seat, unit, through, flow, came, queue):
        total += _push_along(start, neighbour, mirror, shares, seat, unit, through, flow, came)
    cut = np.zeros(count, np.bool_)
    for here in range(count):
        cut[here] = here != unit and came[2 * here] >= 0 and came[2 * here + 1] < 0
    return total, np.flatnonzero(cut)


@numba.njit(cache=True, nogil=True)
def _find_path(
    start: Array,
    neighbour: Array,
    mirror: Array,
    allowed: Array,
    shares: Array,
    seat: int,
    unit: int,
    through: Array,
    flow: Array,
    came: Array,
    queue: Array,
) -> Any:
    """Search a path with room from the seat to ``unit``; ``came`` holds the state before each state reached."""
    came[:] = -1
    queue[0] = 2 * seat + 1
    came[2 * seat + 1] = 2 * seat + 1
    head, tail = 0, 1
    while head < tail and came[2 * unit] < 0:
        state = queue[head]
        head += 1
        here, leaving = state // 2, state % 2 == 1
        across = 2 * here if leaving else 2 * here + 1
        room = through[here] if leaving else shares[here] - through[here]
        if here != seat and room > 1e-9 and came[across] < 0:
            came[across] = state
            queue[tail] = across
            tail += 1
        for link in range(start[here], start[here + 1]):
            other = neighbour[link]
            if not allowed[other] or other == seat or (not leaving and flow[mirror[link]] <= 1e-9):
                continue
            onward = 2 * other if leaving else 2 * other + 1
            if came[onward] < 0:
                came[onward] = state
                queue[tail] = onward
                tail += 1
    return came[2 * unit] >= 0


@numba.njit(cache=True, nogil=True)
def _find_link(start: Array, neighbour: Array, unit: int, other: int) -> Any:
    """Return the position of the link from ``unit`` to ``other``."""
    for link in range(start[unit], start[unit + 1]):
        if neighbour[link] == other:
            return link
    return -1


@numba.njit(cache=True, nogil=True)
def _push_along(
    start: Array,
    neighbour: Array,
    mirror: Array,
    shares: Array,
    seat: int,
    unit: int,
    through: Array,
    flow: Array,
    came: Array,
) -> Any:
    """Send as much as the path found has room for; return how much."""
    room = np.inf
    for push in range(2):
        state = 2 * unit
        while state != 2 * seat + 1:
            before = came[state]
            here, earlier, leaving = state // 2, before // 2, state % 2 == 1
            if here == earlier:
                if push:
                    through[here] += room if leaving else -room
                else:
                    room = min(room, shares[here] - through[here] if leaving else through[here])
            else:
                link = _find_link(start, neighbour, here, earlier)
                if leaving and push:
                    flow[link] -= room
                elif leaving:
                    room = min(room, flow[link])
                elif push:
                    flow[mirror[link]] += room
            state = before
    return room


@numba.njit(cache=True, nogil=True)
def _fill_knapsack(
    order: Array,
    penalised: Array,
    pupils: Array,
    reach: Array,
    stamp: int,
    status: Array,
    value: float,
    load: float,
    places: float,
    price: float,
) -> Any:
    """Return the fractional knapsack bound: ``value`` of the zone so far, filled up with what is within reach.

    Units come by prize per pupil; above the places every pupil costs ``price``.
    """
    bound = value
    room = max(places - load, 0.0)
    for unit in order:
        if reach[unit] != stamp or status[unit] != 0:
            continue
        if pupils[unit] <= room:
            bound += penalised[unit]
            room -= pupils[unit]
            continue
        inside = room / pupils[unit]
        bound += penalised[unit] * inside
        left = penalised[unit] * (1.0 - inside) - price * (pupils[unit] - room)
        room = 0.0
        if left <= 0.0:
            break
        bound += left
    return bound


@numba.njit(cache=True, nogil=True)
def thin_out(
    penalised: Array, pupils: Array, places: float, price: float, seat: int, allowed: Array, value: float, order: Array
) -> Any:
    """Return the units that a zone better than ``value`` can hold: penalised prize and a price of places decide."""
    keep = allowed.copy()
    room = places - pupils[seat]
    density = 0.0
    for unit in order:
        if pupils[unit] > room:
            density = min(price, penalised[unit] / max(pupils[unit], 1e-300))
            break
        room -= pupils[unit]
    room = places - pupils[seat]
    bound = penalised[seat]
    if room <= 0.0:
        density = price
    if density > 0.0:
        bound += density * room
    for unit in order:
        bound += max(0.0, penalised[unit] - density * pupils[unit])
    for unit in range(len(keep)):
        if keep[unit] and unit != seat and penalised[unit] - density * pupils[unit] + bound <= value:
            keep[unit] = penalised[unit] - density * pupils[unit] > 0.0
    return keep


@numba.njit(cache=True, nogil=True)
def _order_units(allowed: Array, seat: int, penalised: Array, pupils: Array) -> Any:
    """Return the units worth having, best prize per pupil first."""
    density = np.full(len(allowed), -np.inf)
    candidates = 0
    for unit in range(len(allowed)):
        if allowed[unit] and unit != seat and penalised[unit] > 0.0:
            density[unit] = penalised[unit] / max(pupils[unit], 1e-9)
            candidates += 1
    return np.argsort(-density)[:candidates]


@numba.njit(cache=True, nogil=True)
def _look_around(
    start: Array,
    neighbour: Array,
    allowed: Array,
    status: Array,
    reach: Array,
    stamp: int,
    inside: Array,
    members: int,
    queue: Array,
    pupils: Array,
    penalised: Array,
    room: float,
    hard: bool,
) -> Any:
    """Mark what is within reach of the zone with ``stamp``; return the most promising unit beside it, −1 for none."""
    for position in range(members):
        reach[inside[position]] = stamp
        queue[position] = inside[position]
    head, tail, chosen, most = 0, members, -1, -np.inf
    while head < tail:
        unit = queue[head]
        head += 1
        for link in range(start[unit], start[unit + 1]):
            other = neighbour[link]
            if reach[other] == stamp or status[other] != 0 or not allowed[other]:
                continue
            if hard and pupils[other] - room > 1e-9:
                continue
            reach[other] = stamp
            queue[tail] = other
            tail += 1
            if head <= members:
                worth = penalised[other] / max(pupils[other], 1e-3)
                if worth > most:
                    most, chosen = worth, other
    return chosen


@numba.njit(cache=True, nogil=True)
def _change_held(in_start: Array, in_triple: Array, triple_price: Array, held: Array, unit: int, step: int) -> Any:
    """Count a unit in (1) or out (−1) of its triples; return by how much the zone pays more."""
    more = 0.0
    for link in range(in_start[unit], in_start[unit + 1]):
        triple = in_triple[link]
        held[triple] += step
        if step > 0 and held[triple] == 2:
            more += triple_price[triple]
        elif step < 0 and held[triple] == 1:
            more -= triple_price[triple]
    return more


@numba.njit(cache=True, nogil=True)
def _find_open_bound(bounds: Array, again: Array, depth: int) -> Any:
    """Return the largest bound of the branches not looked at yet."""
    largest = -np.inf
    for level in range(depth):
        if not again[level]:
            largest = max(largest, bounds[level])
    return largest


@numba.njit(cache=True, nogil=True)
def branch(
    start: Array,
    neighbour: Array,
    prize: Array,
    penalised: Array,
    in_start: Array,
    in_triple: Array,
    triple_price: Array,
    pupils: Array,
    places: float,
    price: float,
    seat: int,
    allowed: Array,
    value: float,
    nodes: int,
    zone: Array,
) -> Any:
    """Return best value and proven upper bound; ``zone`` is overwritten where a better one than ``value`` is found."""
    count = len(prize)
    order = _order_units(allowed, seat, penalised, pupils)
    allowed = thin_out(penalised, pupils, places, price, seat, allowed, value, order)
    status = np.zeros(count, np.int8)  # 0 undecided, 1 in the zone, 2 out
    reach = np.zeros(count, np.int64)
    queue, inside, trail = np.empty(count + 1, np.int64), np.empty(count + 1, np.int64), np.empty(count + 1, np.int64)
    again, bounds = np.zeros(count + 1, np.bool_), np.empty(count + 1)
    held = np.zeros(len(triple_price), np.int64)
    _change_held(in_start, in_triple, triple_price, held, seat, 1)
    status[seat], inside[0] = 1, seat
    members, depth, visited = 1, 0, 0
    gained, hoped, load, best = prize[seat], penalised[seat], pupils[seat], value
    down = True
    while True:
        if down:
            visited += 1
            over = price * (load - places) if load - places > 1e-9 else 0.0
            if gained - over > best + 1e-7:
                best = gained - over
                zone[:] = status == 1
            room, hard = places - load, price >= 1e299
            around = (start, neighbour, allowed, status, reach, visited, inside, members, queue)
            chosen = _look_around(*around, pupils, penalised, room, hard)
            bound = _fill_knapsack(order, penalised, pupils, reach, visited, status, hoped - over, load, places, price)
            if visited >= nodes:
                return best, max(best, bound, _find_open_bound(bounds, again, depth))
            down = bound > best + 1e-7 and chosen >= 0
            if not down:
                continue
            trail[depth], again[depth], bounds[depth] = chosen, False, bound
            status[chosen], inside[members] = 1, chosen
            paid = _change_held(in_start, in_triple, triple_price, held, chosen, 1)
            gained, hoped, load = gained + prize[chosen] - paid, hoped + penalised[chosen] - paid, load + pupils[chosen]
            depth, members = depth + 1, members + 1
        elif depth == 0:
            return best, best
        else:
            chosen = trail[depth - 1]
            if not again[depth - 1]:
                paid = _change_held(in_start, in_triple, triple_price, held, chosen, -1)
                gained, hoped, load = (
                    gained - prize[chosen] - paid,
                    hoped - penalised[chosen] - paid,
                    load - pupils[chosen],
                )
                members -= 1
                again[depth - 1] = True
                down = bounds[depth - 1] > best + 1e-7
            else:
                down = False
            status[chosen] = 2 if down else 0
            depth -= 0 if down else 1
