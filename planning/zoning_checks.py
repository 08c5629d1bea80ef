"""What stands against any lawful zones, found before the search: which rule, where, by how much, the cheapest cure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geodata.messages import Message, msg
from planning.conflicts import Conflict, RuleId
from planning.solvers.problems import ZoneProblem
from planning.zone_graph import find_reach
from planning.zoning_facts import ZoneFacts, list_names
from planning.zoning_problem import Locks, compute_zone_cost, list_links

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def check_zones(facts: ZoneFacts, problem: ZoneProblem, locks: Locks) -> list[Conflict]:
    """Return the conflicts that no search can mend: units without an allowed school, or cut off from every one."""
    allowed = np.isfinite(problem.cost)
    lost = ~allowed.any(axis=1)
    if lost.any():
        return _explain_lost(facts, problem, locks, np.flatnonzero(lost))
    _keep_seats(facts, allowed)
    links = list_links(facts)[0]
    stranded = ~find_reach(allowed, links, facts.seat).any(axis=1)
    if stranded.any():
        return [_build_cut_off(facts, np.flatnonzero(stranded))]
    locked = locks.zone >= 0
    if not locked.any():
        return []
    allowed[locked] = False
    allowed[locked, locks.zone[locked]] = True
    _keep_seats(facts, allowed)
    reach = find_reach(allowed, links, facts.seat)
    cut = np.flatnonzero(locked & ~reach[np.arange(facts.n_units), np.maximum(locks.zone, 0)])
    found = [_build_cut_lock(facts, int(unit), int(locks.zone[unit])) for unit in cut]
    blocked = np.flatnonzero(~locked & ~reach.any(axis=1))
    return found + ([_build_blocked(facts, blocked)] if len(blocked) else [])


def _keep_seats(facts: ZoneFacts, allowed: Bools) -> None:
    """Let every seat belong to its own zone only, in place."""
    placed = np.flatnonzero(facts.seat >= 0)
    allowed[facts.seat[placed]] = False
    allowed[facts.seat[placed], placed] = True
    allowed[facts.held[:, 0]] = False
    allowed[facts.held[:, 0], facts.held[:, 1]] = True


def _explain_lost(facts: ZoneFacts, problem: ZoneProblem, locks: Locks, lost: Ints) -> list[Conflict]:
    """Return one conflict for each rule that leaves units without any school; a unit is told under one rule."""
    options: list[tuple[RuleId, Floats]] = [
        ("travel_cap", compute_zone_cost(facts, caps=False)),
        ("barrier", compute_zone_cost(facts, barriers=False)),
        ("closed", compute_zone_cost(facts, closed=False)),
    ]
    found: list[Conflict] = []
    left = lost
    shut = np.flatnonzero(locks.shut)
    for rule, cost in options:
        table = cost[left].copy()
        table[:, shut] = np.inf
        mended = np.isfinite(table).any(axis=1)
        if mended.any():
            found.append(_build_lost(facts, rule, left[mended]))
        left = left[~mended]
    if len(left) and len(shut):
        mended = np.isfinite(compute_zone_cost(facts)[left]).any(axis=1)
        if mended.any():
            found.append(_build_lost(facts, "lock", left[mended]))
        left = left[~mended]
    if len(left):
        found.append(_build_lost(facts, "unreached", left))
    return found


def _build_lost(facts: ZoneFacts, rule: RuleId, units: Ints) -> Conflict:
    names = list_names(facts.unit_names[units])
    count = len(units)
    if rule == "travel_cap":
        message, cure = _tell_travel_cap(facts, units, names)
    elif rule == "barrier":
        message = msg("Barriers cut {count} units off from every school: {units}.", count=count, units=names)
        cure = msg("Let pupils cross the barrier there, or open a school on that side.")
    elif rule == "closed":
        message = msg("Every school within reach is closed to {count} units: {units}.", count=count, units=names)
        cure = msg("Open one of the closed pairs of unit and school.")
    elif rule == "lock":
        message = msg(
            "Only locked schools are allowed to {count} units outside their zones: {units}.", count=count, units=names
        )
        cure = msg("Unlock one of these schools, or lock these units to it.")
    else:
        message = msg("Several rules together leave {count} units without a school: {units}.", count=count, units=names)
        cure = msg("Give up one of the rules for these units.")
    return Conflict(rule, message, _list_units(facts, units), (), _sum_pupils(facts, units), cure)


def _tell_travel_cap(facts: ZoneFacts, units: Ints, names: Message) -> tuple[Message, Message]:
    """Return what the travel limit does not allow, and by how much it is missed."""
    ways, limit = facts.travel[units], facts.costs.limit[units]
    gap = np.where(np.isfinite(ways), ways - np.where(np.isfinite(limit), limit, np.inf), np.inf).min(axis=1)
    worst = int(units[gap.argmax()])
    by_time = facts.costs.measure == "time"
    most = float(gap.max())
    message = msg(
        "{count} units have no school within the travel limit: {units}. {unit} misses it most, by {beyond}.",
        count=len(units),
        units=names,
        unit=facts.unit_names[worst],
        beyond=msg("{minutes:.1f} min", minutes=most) if by_time else msg("{metres:,.0f} m", metres=most),
    )
    return message, msg("Price the limit instead of forbidding what is beyond it, or open a school near these units.")


def _build_cut_off(facts: ZoneFacts, units: Ints) -> Conflict:
    return Conflict(
        "connected",
        msg(
            "{count} units cannot be joined in one piece with any school that is allowed to them, because units in"
            " between are not allowed to go there: {units}.",
            count=len(units),
            units=list_names(facts.unit_names[units]),
        ),
        _list_units(facts, units),
        (),
        _sum_pupils(facts, units),
        msg("Allow the units in between the same school, or these units a school that they border."),
    )


def _build_cut_lock(facts: ZoneFacts, unit: int, zone: int) -> Conflict:
    return Conflict(
        "lock",
        msg(
            "{unit} is locked to {school}, but other locks, or schools in between, cut it off from there.",
            unit=facts.unit_names[unit],
            school=facts.name_zone(zone),
        ),
        (str(facts.ways.unit_ids[unit]),),
        tuple(str(facts.ways.school_ids[member]) for member in facts.members[zone]),
        float(facts.pupils[unit]),
        msg("Release the lock, or lock a chain of units between the two to the same school."),
    )


def _build_blocked(facts: ZoneFacts, units: Ints) -> Conflict:
    return Conflict(
        "lock",
        msg(
            "Locked units lie between {count} units and every school allowed to them: {units}.",
            count=len(units),
            units=list_names(facts.unit_names[units]),
        ),
        _list_units(facts, units),
        (),
        _sum_pupils(facts, units),
        msg("Release a lock beside these units."),
    )


def explain_shortage(facts: ZoneFacts, load: Floats, least_overload: float, *, forbidden: bool) -> list[Conflict]:
    """Return where places are overrun in a plan, and how much of it no plan can avoid.

    Parameters
    ----------
    load : shape (zones,)
        Pupils of each zone.
    least_overload
        Proven least number of pupils above the places, all schools together.
    """
    over = np.where(np.isfinite(facts.places), load - facts.places, 0.0)
    full = np.flatnonzero(over > 1e-6)
    if not len(full):
        return []
    full = full[np.argsort(-over[full], kind="stable")]
    total = float(over[full].sum())
    where = list_names(f"{facts.name_zone(int(zone))} ({over[zone]:,.0f})" for zone in full)
    if least_overload >= total - 0.5:
        message = msg(
            "Places are short for {pupils:,.0f} pupils, whatever the zones: {schools}.", pupils=total, schools=where
        )
    elif least_overload > 0.5:
        message = msg(
            "Places are short for {pupils:,.0f} pupils in these zones, for {least:,.0f} at least in any: {schools}.",
            pupils=total,
            least=least_overload,
            schools=where,
        )
    else:
        message = msg(
            "No zones were found that keep within the places: {pupils:,.0f} pupils are above them: {schools}.",
            pupils=total,
            schools=where,
        )
    worst = int(full[0])
    cure = (
        msg(
            "Add {places:,.0f} places at {school}, or allow overrun places at a price.",
            places=np.ceil(over[worst]),
            school=facts.name_zone(worst),
        )
        if forbidden
        else msg("Add {places:,.0f} places at {school}.", places=np.ceil(over[worst]), school=facts.name_zone(worst))
    )
    schools = tuple(sorted(str(facts.ways.school_ids[member]) for zone in full for member in facts.members[zone]))
    return [Conflict("capacity", message, (), schools, total, cure)]


def explain_budget(budget: float, found: float, least: float) -> Conflict:
    """Return the conflict of a budget on moved pupils that no plan was found to keep."""
    if least > budget + 1e-6:
        message = msg(
            "At most {budget:,.0f} pupils may move, but any lawful zones move {least:,.0f} at least; {found:,.0f} were"
            " moved by the best zones found.",
            budget=budget,
            least=least,
            found=found,
        )
    else:
        message = msg(
            "At most {budget:,.0f} pupils may move; the best zones found move {found:,.0f}. None that moves fewer is"
            " known, nor that there is none.",
            budget=budget,
            found=found,
        )
    cure = msg("Raise the budget to {pupils:,.0f} pupils.", pupils=float(np.ceil(found)))
    return Conflict("budget", message, (), (), found - budget, cure)


def _list_units(facts: ZoneFacts, units: Ints) -> tuple[str, ...]:
    return tuple(str(unit) for unit in np.sort(facts.ways.unit_ids[units]))


def _sum_pupils(facts: ZoneFacts, units: Ints) -> float:
    return float(np.nan_to_num(facts.ways.pupils[units]).sum())
