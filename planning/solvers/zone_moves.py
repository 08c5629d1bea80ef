"""Random moves of a zone plan under a falling temperature, in numba: shift, swap, and chains of up to three units.

A proposal is priced first (nanoseconds), and only what the temperature lets pass is tested for connectedness, shape
and limits. Whatever is kept leaves every zone in one piece.
"""

from __future__ import annotations

import numpy as np

from planning.solvers.zone_kernels import (
    copy_into,
    is_allowed,
    kernel,
    list_rim,
    may_leave,
    settle,
    shift,
    shift_price,
    stays_whole,
    within_limits,
)
from planning.solvers.zone_state import Array, Plan, World

COOLING_STEPS = 64
"""Proposals between two changes of the temperature."""
SHIFT_SHARE, BRANCH_SHARE = 0.45, 0.1
"""Shares of the proposals that are shifts of one unit, and of a unit with what hangs on it; the others are chains."""
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
    for link in range(world.start[unit], world.start[unit + 1]):
        if plan.school[world.neighbour[link]] == zone:
            return True
    return False


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


@kernel
def anneal(
    world: World,
    plan: Plan,
    dice: Array,
    steps: int,
    hot: float,
    cold: float,
    penalty: float,
    last_penalty: float,
    guide: Array,
) -> int:
    """Run ``steps`` random moves of the open zones while the temperature falls; return how many were kept."""
    list_rim(world, plan)
    units, zones = plan.chain_units, plan.chain_zones
    kept = 0
    turns = max(1, steps // COOLING_STEPS)
    for turn in range(turns):
        part = turn / max(1, turns - 1)
        heat = hot * (cold / hot) ** part
        weight = penalty * (last_penalty / penalty) ** part
        for zone in range(len(guide)):
            plan.place_price[zone] = guide[zone] * max(0.0, 1.0 - 1.25 * part)
        for _ in range(COOLING_STEPS):
            if plan.rim_size[0] == 0:
                return kept
            ceiling = -heat * np.log(1.0 - draw(dice))
            kind = draw(dice)
            if kind < SHIFT_SHARE + BRANCH_SHARE:
                unit = plan.rim[draw_below(dice, plan.rim_size[0])]
                to = draw_zone_beside(world, plan, unit, dice)
                if to < 0:
                    continue
                if kind < SHIFT_SHARE:
                    kept += try_shift(world, plan, unit, to, weight, ceiling)
                else:
                    kept += try_branch(world, plan, unit, to, weight, ceiling)
            else:
                count = draw_chain(world, plan, dice, units, zones)
                if count and try_chain(world, plan, units, zones, count, weight, ceiling):
                    kept += 1
    return kept


@kernel
def sample_price(world: World, plan: Plan, dice: Array, draws: int) -> float:
    """Return the mean size of what a random shift changes, overload left out: the scale of temperatures."""
    list_rim(world, plan)
    total = 0.0
    found = 0
    if plan.rim_size[0] == 0:
        return 0.0
    for _ in range(draws):
        unit = plan.rim[draw_below(dice, plan.rim_size[0])]
        to = draw_zone_beside(world, plan, unit, dice)
        if to < 0 or not is_allowed(world, plan, unit, to):
            continue
        zone = plan.school[unit]
        price = shift_price(world, plan, unit, to, 0.0)
        if world.shaped:
            copy_into(plan.before, plan.values)
            shift(world, plan, unit, to)
            price += shape_price(world, plan)
            shift(world, plan, unit, zone)
            copy_into(plan.values, plan.before)
        if price < world.forbidden:
            total += abs(price)
            found += 1
    return total / max(1, found)


@kernel
def open_around(world: World, plan: Plan, dice: Array, zones: int, first: int, second: int) -> int:
    """Open two given zones (-1 = a random one) and zones beside them, ``zones`` in all; return the units they hold."""
    schools = len(plan.load)
    plan.open[:] = zones >= schools
    if zones < schools:
        plan.open[draw_below(dice, schools) if first < 0 else first] = True
        left = zones - 1
        if second >= 0:
            plan.open[second] = True
            left -= 1
        units = len(plan.school)
        for _ in range(4 * schools):
            if left <= 0:
                break
            grown = _open_one(world, plan, draw_below(dice, units))
            left -= grown
            if grown == 0:
                break
    inside = 0
    for unit in range(len(plan.school)):
        inside += plan.open[plan.school[unit]]
    return inside


@kernel
def _open_one(world: World, plan: Plan, first: int) -> int:
    """Open the first closed zone that touches an open one, looking from unit ``first`` on."""
    units = len(plan.school)
    for step in range(units):
        unit = first + step
        if unit >= units:
            unit -= units
        if not plan.open[plan.school[unit]]:
            continue
        for link in range(world.start[unit], world.start[unit + 1]):
            other = plan.school[world.neighbour[link]]
            if not plan.open[other]:
                plan.open[other] = True
                return 1
    return 0


@kernel
def kick(world: World, plan: Plan, dice: Array) -> bool:
    """Force a unit, with what hangs on it, to a zone beside it and hold it there; the zones are opened by the caller.

    ``plan.chain_zones`` holds where it came from and went. Units with many pupils are drawn as often as all others
    together: they decide what fits, and small steps never move them.
    """
    most = 0.0
    for unit in range(len(plan.school)):
        most = max(most, world.pupils[unit])
    for _ in range(200):
        unit = draw_below(dice, len(plan.school))
        if world.fixed[unit] or (draw(dice) < 0.5 and draw(dice) * most > 4.0 * world.pupils[unit]):
            continue
        zone = plan.school[unit]
        to = draw_zone_beside(world, plan, unit, dice)
        if to >= 0 and try_branch(world, plan, unit, to, 0.0, np.inf):
            plan.held[unit] = True
            plan.chain_zones[0] = zone
            plan.chain_zones[1] = to
            return True
    return False
