"""Rebalancing: pupils above the places are passed on from zone to zone until they reach free places.

A chain leads from the most overloaded zone over its neighbours to a zone with room, where a shift over each border
costs least per pupil. It is run from the free end, so that no zone on the way is overrun: units move over the last
border as far as there is room, then over the one before, and so on.
"""

from __future__ import annotations

import numpy as np

from planning.solvers.zone_kernels import is_allowed, kernel, list_rim, may_leave, shift_price, total_overload
from planning.solvers.zone_moves import try_shift
from planning.solvers.zone_state import Array, Plan, World

ZONES_PER_REFRESH = 40
"""Borders are priced anew after one chain for so many zones, and after every chain that brought nothing."""
REST = 20
"""Chains for which a border, or a zone, that let nothing through is left alone."""


def relieve_zones(world: World, plan: Plan) -> int:
    """Pass pupils on from overloaded zones to free places, as far as whole connected units allow.

    Limits, locks and connectedness hold. ``plan`` needs books (``recount``) and changes in place. Returns the units
    moved.
    """
    schools = len(plan.load)
    plan.open[:] = True
    arcs = np.zeros((schools, schools))
    blocked = np.zeros((schools, schools), np.int64)
    work = np.zeros((3, schools))
    moved = 0
    for room in (2.0 * float(world.pupils.mean()), 1e-9):
        blocked[:] = 0
        moved += int(_relieve(world, plan, arcs, blocked, work, 50 * schools, room))
    return moved


@kernel
def _relieve(world: World, plan: Plan, arcs: Array, blocked: Array, work: Array, most: int, room: float) -> int:
    """Run chains to zones with ``room`` until nothing is overloaded or nothing helps."""
    list_rim(world, plan)
    moved = 0
    idle = 0
    stale = len(plan.load)
    for turn in range(1, most + 1):
        first = _most_overloaded(world, plan, blocked, turn)
        if first < 0 or idle > len(plan.load) + REST:
            break
        before = total_overload(world, plan)
        if stale >= len(plan.load) // ZONES_PER_REFRESH:
            _price_borders(world, plan, arcs, blocked, turn)
            stale = 0
        stale += 1
        last = _find_way(world, plan, arcs, work, first, room)
        if last >= 0:
            moved += _run_chain(world, plan, blocked, work, first, last, turn)
        if total_overload(world, plan) < before - 1e-9:
            idle = 0
        else:
            idle += 1
            stale = len(plan.load)
            if last < 0:
                blocked[first, first] = turn + REST
    return moved


@kernel
def _most_overloaded(world: World, plan: Plan, blocked: Array, turn: int) -> int:
    """Return the zone with most pupils above its places that is not known to be stuck; -1 = none."""
    found = -1
    most = 1e-9
    for zone in range(len(plan.load)):
        over = plan.load[zone] - world.places[zone]
        if over > most and blocked[zone, zone] < turn:
            most = over
            found = zone
    return found


@kernel
def _price_borders(world: World, plan: Plan, arcs: Array, blocked: Array, turn: int) -> None:
    """Fill ``arcs[a, b]`` with the least price per pupil of a unit that can go from zone a to zone b."""
    arcs[:, :] = np.inf
    for place in range(plan.rim_size[0]):
        unit = plan.rim[place]
        zone = plan.school[unit]
        if world.pupils[unit] <= 0.0 or not may_leave(world, plan, unit):
            continue
        for link in range(world.start[unit], world.start[unit + 1]):
            to = plan.school[world.neighbour[link]]
            if to == zone or blocked[zone, to] >= turn or not is_allowed(world, plan, unit, to):
                continue
            price = shift_price(world, plan, unit, to, 0.0) / world.pupils[unit]
            arcs[zone, to] = min(arcs[zone, to], price)


@kernel
def _find_way(world: World, plan: Plan, arcs: Array, work: Array, first: int, room: float) -> int:
    """Find the cheapest chain from ``first`` to a zone with that room; ``work[1]`` holds the zone before each zone.

    Prices may be negative, they count from the least one, which also favours few zones. Dijkstra over the zones.
    """
    schools = len(plan.load)
    least = 0.0
    for zone in range(schools):
        for to in range(schools):
            least = min(least, arcs[zone, to])
    price, source, done = work[0], work[1], work[2]
    price[:] = np.inf
    done[:] = 0.0
    price[first] = 0.0
    source[first] = -1.0
    for _ in range(schools):
        here = -1
        for zone in range(schools):
            if done[zone] == 0.0 and price[zone] < np.inf and (here < 0 or price[zone] < price[here]):
                here = zone
        if here < 0:
            return -1
        if here != first and plan.load[here] <= world.places[here] - room:
            return here
        done[here] = 1.0
        for to in range(schools):
            there = price[here] + arcs[here, to] - least
            if there < price[to]:
                price[to] = there
                source[to] = here
    return -1


@kernel
def _run_chain(world: World, plan: Plan, blocked: Array, work: Array, first: int, last: int, turn: int) -> int:
    """Move units over the borders of the chain, from its free end; return how many moved."""
    source = work[1]
    moved = 0
    to = last
    while to != first:
        zone = int(source[to])
        excess = plan.load[first] - world.places[first]
        passed = 0
        while plan.load[first] > world.places[first]:
            room = world.places[to] - plan.load[to]
            unit = _cheapest_unit(world, plan, zone, to, min(room, 1.5 * excess))
            if unit < 0 or not try_shift(world, plan, unit, to, 0.0, np.inf):
                break
            passed += 1
            if world.places[zone] - plan.load[zone] >= excess:
                break
        if passed == 0:
            blocked[zone, to] = turn + REST
            break
        moved += passed
        to = zone
    return moved


@kernel
def _cheapest_unit(world: World, plan: Plan, zone: int, to: int, most_pupils: float) -> int:
    """Return the unit of ``zone`` that goes to ``to`` at the least price per pupil and fits; -1 = none."""
    found = -1
    least = np.inf
    for place in range(plan.rim_size[0]):
        unit = plan.rim[place]
        pupils = world.pupils[unit]
        if plan.school[unit] != zone or pupils <= 0.0 or pupils > most_pupils + 1e-9:
            continue
        beside = False
        for link in range(world.start[unit], world.start[unit + 1]):
            beside = beside or plan.school[world.neighbour[link]] == to
        if not beside or not is_allowed(world, plan, unit, to):
            continue
        price = shift_price(world, plan, unit, to, 0.0) / pupils
        if price < least and may_leave(world, plan, unit):
            least = price
            found = unit
    return found
