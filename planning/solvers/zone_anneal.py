"""Rounds of simulated annealing on a zone plan, in numba: zones that take part, a kick, random moves while it cools."""

from __future__ import annotations

import numpy as np

from planning.solvers.zone_kernels import (
    copy_into,
    is_allowed,
    kernel,
    list_rim,
    shift,
    shift_price,
    total_overload,
)
from planning.solvers.zone_moves import (
    draw,
    draw_below,
    draw_chain,
    draw_zone_beside,
    shape_price,
    try_branch,
    try_chain,
    try_shift,
)
from planning.solvers.zone_state import Array, Plan, World

COOLING_STEPS = 64
"""Proposals between two changes of the temperature."""
SHIFT_SHARE, BRANCH_SHARE = 0.45, 0.1
"""Shares of the proposals that are shifts of one unit, and of a unit with what hangs on it; the others are chains."""
GUIDED_SHARE = 0.8
"""Share of a round in which the prices of places lead, ever less."""


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
    """Run ``steps`` random moves of the open zones while the temperature falls; return how many were kept.

    ``penalty`` is the price of overload, from the first to the last step; ``guide`` (schools,) the price of a place at
    each school: with it a shift to a school whose places are worth less pays before the places it frees are used.
    """
    list_rim(world, plan)
    units, zones = plan.chain_units, plan.chain_zones
    kept = 0
    turns = max(1, steps // COOLING_STEPS)
    for turn in range(turns):
        part = turn / max(1, turns - 1)
        heat = hot * (cold / hot) ** part
        weight = penalty * (last_penalty / penalty) ** part
        for zone in range(len(guide)):
            plan.place_price[zone] = guide[zone] * max(0.0, 1.0 - part / GUIDED_SHARE)
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
    overloaded = total_overload(world, plan) > 0.0 and draw(dice) < 0.5
    for _ in range(400):
        unit = draw_below(dice, len(plan.school))
        if overloaded and plan.load[plan.school[unit]] <= world.places[plan.school[unit]]:
            continue
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
