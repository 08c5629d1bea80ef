"""The state of a zone plan and its moves, in numba: who goes where, what it costs, and whether a zone stays one piece.

A ``World`` is what does not change (read-only arrays), a ``Plan`` what does (arrays changed in place). A unit may leave
its zone when its neighbours in the zone stay linked without it: a search from all of them at once, level by level,
ends as soon as they have met (a few steps as a rule) or one side is used up, so that it is exact and local. Searching
both sides in turn is how S. Even and Y. Shiloach, "An on-line edge-deletion problem" (1981), find what a cut divides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

from planning.solvers.problems import BORDER, COMPACT, FILL, MOVED, TRAVEL
from planning.solvers.zone_state import Array, Plan, World

TINY = 1e-9
"""Share of a limit that rounding may take."""
Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile: cached, without the interpreter's lock, and without counting references to arrays.

    Plans are tuples of some thirty arrays; counting references to each of them at every call costs ten times the work
    itself. In return a kernel may not create arrays: all workspace is in the plan.
    """
    options: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
    compiled: Function = njit(**options)(function)
    return compiled


@kernel
def copy_into(target: Array, source: Array) -> None:
    """Copy one vector over another."""
    for place in range(len(target)):
        target[place] = source[place]


@kernel
def recount(world: World, plan: Plan) -> None:
    """Compute loads, perimeters, areas, keys and the five values afresh from ``plan.school``."""
    plan.load[:] = 0.0
    plan.perimeter_m[:] = 0.0
    plan.area_m2[:] = 0.0
    plan.zone_key[:] = 0
    plan.values[:] = 0.0
    plan.clock[0] += 1
    plan.age[:] = plan.clock[0]
    has_moved = world.moved.shape[0] == len(plan.school)
    for unit in range(len(plan.school)):
        zone = plan.school[unit]
        plan.load[zone] += world.pupils[unit]
        plan.zone_key[zone] ^= world.key[unit]
        plan.values[TRAVEL] += world.cost[unit, zone]
        if has_moved:
            plan.values[MOVED] += world.moved[unit, zone]
        if world.shaped:
            plan.perimeter_m[zone] += world.outline_m[unit]
            plan.area_m2[zone] += world.area_m2[unit]
            for link in range(world.start[unit], world.start[unit + 1]):
                if plan.school[world.neighbour[link]] == zone:
                    plan.perimeter_m[zone] -= world.border_m[link]
                else:
                    plan.values[BORDER] += world.border_m[link] / 2.0
    for zone in range(len(plan.load)):
        if world.target[zone] >= 0.0:
            plan.values[FILL] += abs(plan.load[zone] - world.target[zone])
        if world.shaped:
            plan.values[COMPACT] += raggedness(plan.perimeter_m[zone], plan.area_m2[zone])


@kernel
def raggedness(perimeter_m: float, area_m2: float) -> float:
    """Return how much longer the outline is than that of a circle, squared: 0 = circle."""
    if area_m2 <= 0.0:
        return 0.0
    return perimeter_m * perimeter_m / (4.0 * np.pi * area_m2) - 1.0


@kernel
def total_overload(world: World, plan: Plan) -> float:
    """Return the pupils above the places."""
    over = 0.0
    for zone in range(len(plan.load)):
        over += max(0.0, plan.load[zone] - world.places[zone])
    return over


@kernel
def objective(world: World, plan: Plan) -> float:
    """Return the weighted values plus the price of overload."""
    over = total_overload(world, plan)
    total = world.overload_price * over if over > 0.0 else 0.0
    for which in range(len(plan.values)):
        if world.weights[which] > 0.0:
            total += world.weights[which] * plan.values[which]
    return total


@kernel
def _root(group: Array, item: int) -> int:
    while group[item] != item:
        group[item] = group[group[item]]
        item = group[item]
    return item


@kernel
def stays_whole(world: World, plan: Plan, unit: int, zone: int) -> bool:
    """Return whether the units of ``zone`` around ``unit`` are linked within the zone without it.

    Exact for a zone that was one piece. Each neighbour starts a group; groups that meet are merged; when one group is
    left the answer is yes, when a group has nowhere left to go it is no.
    """
    if world.loose[zone]:
        return True
    base = plan.ticket[0]
    plan.ticket[0] = base + world.start[unit + 1] - world.start[unit] + 1
    group, waiting, queue, seen = plan.group, plan.waiting, plan.queue, plan.seen
    last = 0
    for link in range(world.start[unit], world.start[unit + 1]):
        other = world.neighbour[link]
        if plan.school[other] == zone:
            seen[other] = base + last
            queue[last] = other
            group[last] = last
            waiting[last] = 1
            last += 1
    left = last
    first = 0
    while left > 1:
        here = queue[first]
        first += 1
        mine = _root(group, seen[here] - base)
        waiting[mine] -= 1
        for link in range(world.start[here], world.start[here + 1]):
            other = world.neighbour[link]
            if plan.school[other] != zone or other == unit:
                continue
            if seen[other] < base:
                seen[other] = base + mine
                queue[last] = other
                last += 1
                waiting[mine] += 1
                continue
            theirs = _root(group, seen[other] - base)
            if theirs != mine:
                group[theirs] = mine
                waiting[mine] += waiting[theirs]
                left -= 1
                if left == 1:
                    return True
        if waiting[mine] == 0:
            return False
    return True


@kernel
def may_leave(world: World, plan: Plan, unit: int) -> bool:
    """Return ``stays_whole`` for the unit's own zone, remembered until the zone changes."""
    zone = plan.school[unit]
    if plan.asked[unit] == plan.age[zone]:
        return bool(plan.answer[unit])
    whole = stays_whole(world, plan, unit, zone)
    plan.asked[unit] = plan.age[zone]
    plan.answer[unit] = whole
    return whole


@kernel
def zone_price(world: World, zone: int, load: float, penalty: float) -> float:
    """Return what a load costs: overload at the penalty, distance from equal fill at its weight."""
    price: float = penalty * max(0.0, load - world.places[zone])
    if world.weights[FILL] > 0.0 and world.target[zone] >= 0.0:
        price += world.weights[FILL] * abs(load - world.target[zone])
    return price


@kernel
def is_allowed(world: World, plan: Plan, unit: int, to: int) -> bool:
    """Return whether the unit may be at the school, or is already where it may not be."""
    return bool(world.cost[unit, to] < world.forbidden or world.cost[unit, plan.school[unit]] >= world.forbidden)


@kernel
def shift_price(world: World, plan: Plan, unit: int, to: int, penalty: float) -> float:
    """Return the change of all but the shape when the unit goes to ``to``: travel, moved, fill, overload."""
    zone = plan.school[unit]
    pupils = world.pupils[unit]
    price: float = world.weights[TRAVEL] * (world.cost[unit, to] - world.cost[unit, zone])
    if world.weights[MOVED] > 0.0:
        price += world.weights[MOVED] * (world.moved[unit, to] - world.moved[unit, zone])
    price += pupils * (plan.place_price[to] - plan.place_price[zone])
    price += zone_price(world, zone, plan.load[zone] - pupils, penalty)
    price -= zone_price(world, zone, plan.load[zone], penalty)
    price += zone_price(world, to, plan.load[to] + pupils, penalty)
    return price - zone_price(world, to, plan.load[to], penalty)


@kernel
def shift(world: World, plan: Plan, unit: int, to: int) -> None:
    """Move the unit and keep loads, shape, keys and the five values right; the rim is left as it is."""
    zone = plan.school[unit]
    pupils = world.pupils[unit]
    plan.values[TRAVEL] += world.cost[unit, to] - world.cost[unit, zone]
    if world.moved.shape[0] == len(plan.school):
        plan.values[MOVED] += world.moved[unit, to] - world.moved[unit, zone]
    _reload(world, plan, zone, unit, -pupils)
    _reload(world, plan, to, unit, pupils)
    if world.shaped:
        _reshape(world, plan, unit, zone, to)
    plan.school[unit] = to


@kernel
def _reload(world: World, plan: Plan, zone: int, unit: int, pupils: float) -> None:
    """Add ``pupils`` (or take them, below 0) with their unit to a zone."""
    if world.target[zone] >= 0.0:
        plan.values[FILL] -= abs(plan.load[zone] - world.target[zone])
        plan.values[FILL] += abs(plan.load[zone] + pupils - world.target[zone])
    plan.load[zone] += pupils
    plan.zone_key[zone] ^= world.key[unit]


@kernel
def _reshape(world: World, plan: Plan, unit: int, zone: int, to: int) -> None:
    """Carry perimeter, area, compactness and border over to the plan after the shift."""
    with_old = 0.0
    with_new = 0.0
    for link in range(world.start[unit], world.start[unit + 1]):
        there = plan.school[world.neighbour[link]]
        if there == zone:
            with_old += world.border_m[link]
        elif there == to:
            with_new += world.border_m[link]
    plan.values[COMPACT] -= raggedness(plan.perimeter_m[zone], plan.area_m2[zone])
    plan.values[COMPACT] -= raggedness(plan.perimeter_m[to], plan.area_m2[to])
    plan.perimeter_m[zone] += 2.0 * with_old - world.outline_m[unit]
    plan.perimeter_m[to] += world.outline_m[unit] - 2.0 * with_new
    plan.area_m2[zone] -= world.area_m2[unit]
    plan.area_m2[to] += world.area_m2[unit]
    plan.values[COMPACT] += raggedness(plan.perimeter_m[zone], plan.area_m2[zone])
    plan.values[COMPACT] += raggedness(plan.perimeter_m[to], plan.area_m2[to])
    plan.values[BORDER] += with_old - with_new


@kernel
def within_limits(world: World, before: Array, values: Array) -> bool:
    """Return whether no value is above its limit, unless it was worse before."""
    for which in range(len(values)):
        limit = world.limits[which]
        if values[which] > limit + TINY * abs(limit) and values[which] > before[which]:
            return False
    return True


@kernel
def on_rim(world: World, plan: Plan, unit: int) -> bool:
    """Return whether the unit may move and touches another zone that is open."""
    zone = plan.school[unit]
    if world.fixed[unit] or plan.held[unit] or not plan.open[zone]:
        return False
    for link in range(world.start[unit], world.start[unit + 1]):
        other = plan.school[world.neighbour[link]]
        if other != zone and plan.open[other]:
            return True
    return False


@kernel
def note_rim(world: World, plan: Plan, unit: int) -> None:
    """Put the unit in the rim, or take it out."""
    place = plan.rim_at[unit]
    wanted = on_rim(world, plan, unit)
    if wanted and place < 0:
        plan.rim_at[unit] = plan.rim_size[0]
        plan.rim[plan.rim_size[0]] = unit
        plan.rim_size[0] += 1
    elif not wanted and place >= 0:
        plan.rim_size[0] -= 1
        last = plan.rim[plan.rim_size[0]]
        plan.rim[place] = last
        plan.rim_at[last] = place
        plan.rim_at[unit] = -1


@kernel
def settle(world: World, plan: Plan, unit: int, came_from: int) -> None:
    """Close a move of the unit: its zones are new, and so is the rim around it."""
    plan.clock[0] += 1
    plan.age[came_from] = plan.clock[0]
    plan.age[plan.school[unit]] = plan.clock[0]
    note_rim(world, plan, unit)
    for link in range(world.start[unit], world.start[unit + 1]):
        note_rim(world, plan, world.neighbour[link])


@kernel
def list_rim(world: World, plan: Plan) -> None:
    """Build the rim of the open zones afresh."""
    plan.rim_size[0] = 0
    plan.rim_at[:] = -1
    for unit in range(len(plan.school)):
        note_rim(world, plan, unit)
