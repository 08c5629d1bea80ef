"""Pieces of drawn zones in numba: which units hang together within the zones that admit them.

A unit of a shared zone belongs to several own zones and may hang together with each of them or not: so it has a *node*
for each. Nodes of neighbours are joined where both have the same own zone (union-find with path halving; R. E. Tarjan
and J. van Leeuwen, "Worst-case analysis of set union algorithms", 1984).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"
Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile: cached, and without the interpreter's lock."""
    options: dict[str, Any] = {"cache": True, "nogil": True}
    compiled: Function = njit(**options)(function)
    return compiled


@kernel
def find_root(parent: Array, node: int) -> int:
    """Return the representative of a node, halving the path to it."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@kernel
def join(parent: Array, first: int, second: int) -> None:
    """Put two nodes into one part; the smaller number represents it."""
    low, high = find_root(parent, first), find_root(parent, second)
    if low > high:
        low, high = high, low
    parent[high] = low


@kernel
def label_nodes(zone: Array, own_start: Array, own: Array, node_start: Array, links: Array) -> Array:
    """Return the part of every node.

    ``own[own_start[z]:own_start[z + 1]]`` are the own zones of zone ``z``; the nodes of unit ``u`` start at
    ``node_start[u]``, in the order of its own zones.
    """
    parent = np.arange(node_start[-1])
    for row in range(len(links)):
        first, second = links[row, 0], links[row, 1]
        a, b = zone[first], zone[second]
        if a < 0 or b < 0:
            continue
        if a == b:
            for place in range(own_start[a + 1] - own_start[a]):
                join(parent, node_start[first] + place, node_start[second] + place)
            continue
        for at in range(own_start[a], own_start[a + 1]):
            for to in range(own_start[b], own_start[b + 1]):
                if own[at] == own[to]:
                    join(parent, node_start[first] + at - own_start[a], node_start[second] + to - own_start[b])
    for node in range(len(parent)):
        parent[node] = find_root(parent, node)
    return parent


@kernel
def label_pieces(zone: Array, links: Array) -> Array:
    """Return the piece of every unit: units of the very same zone that hang together."""
    parent = np.arange(len(zone))
    for row in range(len(links)):
        if zone[links[row, 0]] == zone[links[row, 1]]:
            join(parent, links[row, 0], links[row, 1])
    for unit in range(len(parent)):
        parent[unit] = find_root(parent, unit)
    return parent


@kernel
def pick(values: Array, zone: Array) -> Array:
    """Return ``values[unit, zone[unit]]`` in one pass; ``inf`` for units without a zone."""
    found = np.full(len(zone), np.inf)
    for unit in range(len(zone)):
        if zone[unit] >= 0:
            found[unit] = values[unit, zone[unit]]
    return found


@kernel
def belongs(zone: int, wanted: int, own_start: Array, own: Array) -> bool:
    """Return whether a zone is, or shares, an own zone."""
    found = False
    if zone >= 0:
        for at in range(own_start[zone], own_start[zone + 1]):
            found = found or own[at] == wanted
    return found


@kernel
def walk(
    zone: Array,
    wanted: int,
    first: int,
    left_out: int,
    own_start: Array,
    own: Array,
    start: Array,
    neighbour: Array,
    stamp: Array,
    clock: int,
    stack: Array,
) -> int:
    """Stamp the units of an own zone that hang together with ``first``, one unit left out; return their number."""
    if first == left_out or not belongs(zone[first], wanted, own_start, own):
        return 0
    stack[0], height, count = first, 1, 1
    stamp[first] = clock
    while height:
        height -= 1
        unit = stack[height]
        for at in range(start[unit], start[unit + 1]):
            other = neighbour[at]
            if stamp[other] != clock and other != left_out and belongs(zone[other], wanted, own_start, own):
                stamp[other] = clock
                stack[height] = other
                height += 1
                count += 1
    return count


@kernel
def find_touching(
    zone: Array,
    target: Array,
    own_start: Array,
    own: Array,
    node_start: Array,
    part: Array,
    home: Array,
    start: Array,
    neighbour: Array,
) -> Array:
    """Return which units have a neighbour that hangs together with the school of their ``target`` (own zone, or −1)."""
    touching = np.zeros(len(zone), dtype=np.bool_)
    for unit in range(len(zone)):
        wanted = target[unit]
        if wanted < 0:
            continue
        if home[wanted] < 0:
            touching[unit] = True
            continue
        for at in range(start[unit], start[unit + 1]):
            other = neighbour[at]
            of = zone[other]
            if of < 0:
                continue
            for place in range(own_start[of], own_start[of + 1]):
                node = node_start[other] + place - own_start[of]
                if own[place] == wanted and part[node] == home[wanted]:
                    touching[unit] = True
    return touching


@kernel
def find_cutting(
    zone: Array,
    asked: Array,
    seat: Array,
    own_start: Array,
    own: Array,
    node_start: Array,
    part: Array,
    home: Array,
    size: Array,
    start: Array,
    neighbour: Array,
) -> Array:
    """Return which of the ``asked`` units cut others off from their school when they leave their zone.

    ``size`` (own zones,): units that hang together with the school.
    """
    cutting = np.zeros(len(zone), dtype=np.bool_)
    stamp = np.zeros(len(zone), dtype=np.int64)
    stack = np.empty(len(zone), dtype=np.int64)
    clock = 0
    for unit in range(len(zone)):
        of = zone[unit]
        if not asked[unit] or of < 0:
            continue
        for place in range(own_start[of], own_start[of + 1]):
            wanted = own[place]
            joined = home[wanted] >= 0 and part[node_start[unit] + place - own_start[of]] == home[wanted]
            if not joined or seat[wanted] == unit or not belongs(zone[seat[wanted]], wanted, own_start, own):
                continue
            clock += 1
            reached = walk(zone, wanted, seat[wanted], unit, own_start, own, start, neighbour, stamp, clock, stack)
            if reached < size[wanted] - 1:
                cutting[unit] = True
    return cutting


@kernel
def stays_whole(
    zone: Array,
    moved: Array,
    to: Array,
    touched: Array,
    members_start: Array,
    members: Array,
    joined: Array,
    seat: Array,
    own_start: Array,
    own: Array,
    start: Array,
    neighbour: Array,
    stamp: Array,
    clock: Array,
    stack: Array,
) -> bool:
    """Return whether nobody is newly apart from a school of the ``touched`` own zones after some moves.

    ``members`` by own zone are its units before, ``joined`` whether they hang together with the school. ``zone`` is
    changed and put back; −1 in ``moved`` and ``touched`` is passed over.
    """
    before = np.empty(len(moved), dtype=np.int64)
    for row in range(len(moved)):
        if moved[row] >= 0:
            before[row] = zone[moved[row]]
            zone[moved[row]] = to[row]
    whole = True
    for at in range(len(touched)):
        wanted = touched[at]
        if wanted < 0 or seat[wanted] < 0 or not belongs(zone[seat[wanted]], wanted, own_start, own):
            continue
        clock[0] += 1
        walk(zone, wanted, seat[wanted], -1, own_start, own, start, neighbour, stamp, clock[0], stack)
        for place in range(members_start[wanted], members_start[wanted + 1]):
            unit = members[place]
            if joined[place] and stamp[unit] != clock[0] and belongs(zone[unit], wanted, own_start, own):
                whole = False
                break
        for row in range(len(moved)):
            if moved[row] >= 0 and belongs(to[row], wanted, own_start, own) and stamp[moved[row]] != clock[0]:
                whole = False
        if not whole:
            break
    for row in range(len(moved) - 1, -1, -1):
        if moved[row] >= 0:
            zone[moved[row]] = before[row]
    return whole


@kernel
def find_first_whole(
    zone: Array,
    rows: Array,
    unit: int,
    target: int,
    members_start: Array,
    members: Array,
    joined: Array,
    seat: Array,
    own_start: Array,
    own: Array,
    start: Array,
    neighbour: Array,
    most: int,
) -> int:
    """Return the first row (unit, zone, unit, zone; −1 = no second move) that leaves every zone whole, else −1.

    ``unit`` moves to ``target`` besides. At most ``most`` rows are tried; −2 when that was not enough.
    """
    stamp = np.zeros(len(zone), dtype=np.int64)
    stack = np.empty(len(zone), dtype=np.int64)
    clock = np.zeros(1, dtype=np.int64)
    moved = np.empty(3, dtype=np.int64)
    to = np.empty(3, dtype=np.int64)
    touched = np.empty(8, dtype=np.int64)
    for row in range(len(rows)):
        if row == most:
            return -2
        moved[0], to[0] = unit, target
        moved[1], to[1], moved[2], to[2] = rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 3]
        touched[:] = -1
        touched[0], touched[1], touched[2] = target, to[1], to[2]
        if moved[2] >= 0:
            touched[3] = zone[moved[2]]
        of = zone[unit]
        if of >= 0:
            for place in range(own_start[of], min(own_start[of + 1], own_start[of] + 4)):
                touched[4 + place - own_start[of]] = own[place]
        if stays_whole(
            zone,
            moved,
            to,
            touched,
            members_start,
            members,
            joined,
            seat,
            own_start,
            own,
            start,
            neighbour,
            stamp,
            clock,
            stack,
        ):
            return row
    return -1


@kernel
def find_reached(members: Array, start: Array, neighbour: Array, first: int) -> Array:
    """Return which of the marked units hang together with ``first`` (itself marked) by neighbours in the set."""
    reached = np.zeros(len(members), dtype=np.bool_)
    stack = np.empty(len(members), dtype=np.int64)
    stack[0] = first
    height = 1
    reached[first] = True
    while height:
        height -= 1
        unit = stack[height]
        for at in range(start[unit], start[unit + 1]):
            other = neighbour[at]
            if members[other] and not reached[other]:
                reached[other] = True
                stack[height] = other
                height += 1
    return reached
