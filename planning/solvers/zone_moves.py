"""The moves of a zone plan, in numba: shift a unit, a branch (a unit with what hangs on it), or a chain of units.

Chains of two are swaps and ejections, chains of three also rotations. A move is priced first (nanoseconds); only what
does not cost too much is tested for connectedness, shape and limits. Whatever is kept leaves every zone in one piece.
"""

from __future__ import annotations

import numpy as np

from planning.solvers.zone_kernels import (
    copy_into,
    is_allowed,
    kernel,
    may_leave,
    settle,
    shift,
    shift_price,
    stays_whole,
    within_limits,
)
from planning.solvers.zone_state import Array, Plan, World

TRIES = 24
"""Draws from the rim for a partner in a given zone."""


@kernel
def draw(dice: Array) -> float:
    """Return a random number in [0, 1); ``dice`` (1,) uint64 is the state (xorshift64, Marsaglia 2003)."""
    word = dice[0]
    word ^= word << np.uint64(13)
    word ^= word >> np.uint64(7)
    word ^= word << np.uint64(17)
    dice[0] = word
    return np.float64(word >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def draw_below(dice: Array, count: int) -> int:
    """Return a random whole number in 0 .. count - 1."""
    return int(draw(dice) * count)


@kernel
def draw_zone_beside(world: World, plan: Plan, unit: int, dice: Array) -> int:
    """Return an open zone, not its own, that the unit touches; -1 where there is none."""
    first, last = world.start[unit], world.start[unit + 1]
    zone = plan.school[unit]
    degree = last - first
    if degree == 0:
        return -1
    turn = draw_below(dice, degree)
    for step in range(degree):
        place = first + turn + step
        if place >= last:
            place -= degree
        other = plan.school[world.neighbour[place]]
        if other != zone and plan.open[other]:
            return int(other)
    return -1


@kernel
def touches(world: World, plan: Plan, unit: int, zone: int) -> bool:
    """Return whether a neighbour of the unit is in the zone."""
    found = False
    for link in range(world.start[unit], world.start[unit + 1]):
        found = found or plan.school[world.neighbour[link]] == zone
    return found


@kernel
def draw_rim_unit(plan: Plan, zone: int, dice: Array) -> int:
    """Return a unit of the zone that touches another, -1 where a few draws found none."""
    for _ in range(TRIES):
        unit = plan.rim[draw_below(dice, plan.rim_size[0])]
        if plan.school[unit] == zone:
            return int(unit)
    return -1


@kernel
def try_shift(world: World, plan: Plan, unit: int, to: int, penalty: float, ceiling: float) -> bool:
    """Move one unit to a zone it touches when that costs no more than ``ceiling`` and breaks nothing."""
    if not is_allowed(world, plan, unit, to):
        return False
    price = shift_price(world, plan, unit, to, penalty)
    if not world.shaped and price > ceiling:
        return False
    zone = plan.school[unit]
    if not may_leave(world, plan, unit):
        return False
    copy_into(plan.before, plan.values)
    shift(world, plan, unit, to)
    if world.shaped:
        price += shape_price(world, plan)
    if price > ceiling or not within_limits(world, plan.before, plan.values):
        shift(world, plan, unit, zone)
        copy_into(plan.values, plan.before)
        return False
    settle(world, plan, unit, zone)
    return True


@kernel
def gather_branch(world: World, plan: Plan, unit: int) -> int:
    """Put the unit and all that its zone would lose with it into ``plan.branch``; return how many, 0 = it may not.

    What hangs on a unit is what the seat cannot reach without it.
    """
    zone = plan.school[unit]
    home = world.seat[zone]
    if may_leave(world, plan, unit):
        plan.branch[0] = unit
        return 1
    mark = plan.ticket[0]
    plan.ticket[0] = mark + 2
    queue, seen = plan.queue, plan.seen
    queue[0] = home
    seen[home] = mark
    _reach(world, plan, zone, unit, mark, mark)
    queue[0] = unit
    seen[unit] = mark + 1
    count = _reach(world, plan, zone, -1, mark + 1, mark)
    for place in range(count):
        member = queue[place]
        if world.fixed[member] or plan.held[member]:
            return 0
        plan.branch[place] = member
    return count


@kernel
def _reach(world: World, plan: Plan, zone: int, without: int, mark: int, floor: int) -> int:
    """Mark what the first unit in the queue reaches within the zone over marks below ``floor``; return how many."""
    first, last = 0, 1
    while first < last:
        here = plan.queue[first]
        first += 1
        for link in range(world.start[here], world.start[here + 1]):
            other = world.neighbour[link]
            if other != without and plan.school[other] == zone and plan.seen[other] < floor:
                plan.seen[other] = mark
                plan.queue[last] = other
                last += 1
    return last


@kernel
def try_branch(world: World, plan: Plan, unit: int, to: int, penalty: float, ceiling: float) -> bool:
    """Move a unit and what hangs on it to a zone that it touches, when that costs no more than ``ceiling``."""
    count = gather_branch(world, plan, unit)
    zone = plan.school[unit]
    load, load_to = plan.load[zone], plan.load[to]
    price = 0.0
    for place in range(count):
        member = plan.branch[place]
        if not is_allowed(world, plan, member, to):
            price = np.inf
        price += shift_price(world, plan, member, to, penalty)
        plan.load[zone] -= world.pupils[member]
        plan.load[to] += world.pupils[member]
    plan.load[zone], plan.load[to] = load, load_to
    if count == 0 or price == np.inf or (not world.shaped and price > ceiling):
        return False
    copy_into(plan.before, plan.values)
    for place in range(count):
        shift(world, plan, plan.branch[place], to)
    if world.shaped:
        price += shape_price(world, plan)
    if price > ceiling or not within_limits(world, plan.before, plan.values):
        for place in range(count):
            shift(world, plan, plan.branch[place], zone)
        plan.load[zone], plan.load[to] = load, load_to
        copy_into(plan.values, plan.before)
        return False
    for place in range(count):
        settle(world, plan, plan.branch[place], zone)
    return True


@kernel
def shape_price(world: World, plan: Plan) -> float:
    """Return the weighted change of compactness and borders since ``plan.before``."""
    price = 0.0
    for which in range(3, 5):
        price += world.weights[which] * (plan.values[which] - plan.before[which])
    return price


@kernel
def chain_price(world: World, plan: Plan, units: Array, zones: Array, count: int, penalty: float) -> float:
    """Return the change of all but the shape for a chain; ``inf`` where a unit may not go there."""
    price = 0.0
    for step in range(count):
        if not is_allowed(world, plan, units[step], zones[step + 1]):
            price = np.inf
        plan.kept_load[step] = plan.load[zones[step]]
    plan.kept_load[count] = plan.load[zones[count]]
    for step in range(count):
        price += shift_price(world, plan, units[step], zones[step + 1], penalty)
        plan.load[zones[step]] -= world.pupils[units[step]]
        plan.load[zones[step + 1]] += world.pupils[units[step]]
    for step in range(count + 1):
        plan.load[zones[step]] = plan.kept_load[step]
    return price


@kernel
def try_chain(world: World, plan: Plan, units: Array, zones: Array, count: int, penalty: float, ceiling: float) -> bool:
    """Move ``units[k]`` from ``zones[k]`` to ``zones[k + 1]``, all or none, when it costs no more than ``ceiling``.

    ``zones`` are all different, but the last may be the first: a swap (two units) or a rotation (three).
    """
    price = chain_price(world, plan, units, zones, count, penalty)
    if price == np.inf or (not world.shaped and price > ceiling):
        return False
    copy_into(plan.before, plan.values)
    for step in range(count):
        shift(world, plan, units[step], zones[step + 1])
    if world.shaped:
        price += shape_price(world, plan)
    kept = price <= ceiling and within_limits(world, plan.before, plan.values)
    for step in range(count):
        kept = kept and stays_whole(world, plan, units[step], zones[step])
    if not kept:
        for step in range(count - 1, -1, -1):
            shift(world, plan, units[step], zones[step])
        for step in range(count + 1):
            plan.load[zones[step]] = plan.kept_load[step]
        copy_into(plan.values, plan.before)
        return False
    for step in range(count):
        settle(world, plan, units[step], zones[step])
    return True


@kernel
def draw_chain(world: World, plan: Plan, dice: Array, units: Array, zones: Array) -> int:
    """Draw two or three units that follow each other; return how many, 0 where the draw failed."""
    longest = 2 if draw(dice) < 0.7 else 3
    units[0] = plan.rim[draw_below(dice, plan.rim_size[0])]
    zones[0] = plan.school[units[0]]
    zones[1] = draw_zone_beside(world, plan, units[0], dice)
    if zones[1] < 0:
        return 0
    for step in range(1, longest):
        units[step] = draw_rim_unit(plan, zones[step], dice)
        if units[step] < 0:
            return 0
        if touches(world, plan, units[step], zones[0]) and draw(dice) < 0.8:
            zones[step + 1] = zones[0]
            return step + 1
        zones[step + 1] = draw_zone_beside(world, plan, units[step], dice)
        for earlier in range(1, step + 1):
            if zones[step + 1] == zones[earlier]:
                return 0
        if zones[step + 1] < 0:
            return 0
        if zones[step + 1] == zones[0]:
            return step + 1
    return longest
