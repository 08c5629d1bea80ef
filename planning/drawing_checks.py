"""Every rule that drawn zones break, in words: which units and schools, how many pupils, and what would cure it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geodata.messages import Message, msg
from planning.conflicts import NAMED, Conflict, RuleId
from planning.drawing import DrawingTable, TravelLimit
from planning.drawing_state import DrawingState
from planning.zoning_facts import list_names

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEAST_PUPILS_TOLD = 0.5
"""Estimated children may be fractions; fewer than this would read as "0 children"."""


def list_broken(table: DrawingTable, state: DrawingState, locked: Ints) -> tuple[Conflict, ...]:
    """Return the rules that the drawing breaks, the gravest first.

    Parameters
    ----------
    locked : shape (units,)
        Zone that each unit has to stay in, −1 = free.
    """
    found = _check_without_zone(table, state)
    found += _check_seats(table, state)
    found += _check_places(table, state)
    found += _check_class_size(table, state)
    found += _check_pieces(table, state)
    found += _check_unreached(table, state)
    found += _check_prohibitions(table, state)
    for limit in table.limits:
        found += _check_limit(table, state, limit)
    found += _check_locks(table, state, locked)
    return tuple(found)


def _build(
    table: DrawingTable,
    rule: RuleId,
    message: Message,
    cure: Message,
    *,
    units: Ints | None = None,
    own: Ints | None = None,
    pupils: float = 0.0,
    rule_id: str = "",
) -> Conflict:
    unit_ids = () if units is None else tuple(sorted(table.unit_ids[at] for at in units.tolist()))
    schools = () if own is None else tuple(sorted({key for at in own.tolist() for key in table.zone_schools[at]}))
    return Conflict(rule, message, unit_ids, schools, pupils, cure, rule_id)


def name_units(table: DrawingTable, units: Ints, limit: int = NAMED) -> Message:
    """Return the names of the first units by id, and how many more there are."""
    count = len(units)
    if count > limit:
        units = units[np.argpartition(table.to_facts[units], limit)[:limit]]
    first = tuple(table.unit_names[at] for at in units[np.argsort(table.to_facts[units])].tolist())
    if count <= limit:
        return msg("{names}", names=first)
    return msg("{names} and {count} more", names=first, count=count - limit)


def _sum(table: DrawingTable, units: Ints) -> float:
    return float(table.pupils[units].sum())


def _check_without_zone(table: DrawingTable, state: DrawingState) -> list[Conflict]:
    units = np.flatnonzero(state.zone < 0)
    if not len(units):
        return []
    message = msg(
        "{count} units with {pupils:,.0f} pupils have no school: {units}.",
        count=len(units),
        pupils=_sum(table, units),
        units=name_units(table, units),
    )
    return [_build(table, "no_zone", message, msg("Give them to a school."), units=units, pupils=_sum(table, units))]


def _check_seats(table: DrawingTable, state: DrawingState) -> list[Conflict]:
    """Return the schools that stand in a unit of another zone."""
    seats = [(int(unit), own) for own, unit in enumerate(table.seat) if unit >= 0]
    seats += [(int(unit), int(own)) for unit, own in table.held]
    found = []
    for unit, own in seats:
        zone = int(state.zone[unit])
        if zone < 0 or table.admits[zone, own]:
            continue
        values = {"school": table.zone_names[own], "unit": table.unit_names[unit]}
        found.append(
            _build(
                table,
                "seat",
                msg("{school} stands in {unit}, which is given to {other}.", other=table.zone_names[zone], **values),
                msg("Give {unit} back to {school}.", **values),
                units=np.array([unit]),
                own=np.array([own]),
                pupils=float(table.pupils[unit]),
            )
        )
    return found


def _check_places(table: DrawingTable, state: DrawingState) -> list[Conflict]:
    over = state.over(table)
    full = np.flatnonzero(over >= LEAST_PUPILS_TOLD)
    if not len(full):
        return []
    free = state.free(table)
    roomiest = _find_roomy_neighbours(table, state, free)
    rule = table.rules.find("max_fill_share", table.stage, year=table.scenario.year)
    found = []
    for own in full[np.argsort(-over[full], kind="stable")].tolist():
        values = {"school": table.zone_names[own], "over": math.ceil(over[own] - 1e-6)}
        cure = _cure_places(table, int(roomiest[own]), free, values)
        message = msg(
            "{school}: {pupils:,.0f} pupils for {places:,.0f} places, {over:,.0f} too many.",
            pupils=float(state.load[own]),
            places=float(table.places[own]),
            **values,
        )
        rule_id = "" if rule is None else rule.id
        found.append(
            _build(table, "capacity", message, cure, own=np.array([own]), pupils=float(over[own]), rule_id=rule_id)
        )
    return found


def _cure_places(table: DrawingTable, near: int, free: Floats, values: dict[str, object]) -> Message:
    """Return where the pupils above the places could go: to the zone beside with the most room, else to new places."""
    if near < 0:
        return msg("Add {over:,.0f} places at {school}: no zone beside it has a place left.", **values)
    values["near"] = table.zone_names[near]
    if not np.isfinite(free[near]):
        return msg(
            "Give units with {over:,.0f} pupils to {near} beside it, whose places are not known, or add as many places"
            " at {school}.",
            **values,
        )
    if free[near] >= float(str(values["over"])):
        return msg(
            "Give units with {over:,.0f} pupils to {near} beside it, which has {free:,.0f} places left, or add as"
            " many places at {school}.",
            free=math.floor(free[near] + 1e-6),
            **values,
        )
    return msg(
        "Add {over:,.0f} places at {school}, or fewer with help from the zones beside it: {near} has the most places"
        " left, {free:,.0f}.",
        free=math.floor(free[near] + 1e-6),
        **values,
    )


def _find_roomy_neighbours(table: DrawingTable, state: DrawingState, free: Floats) -> Ints:
    """Return for each own zone the one beside it with the most free places (1 at least), −1 = none."""
    zones = state.zone[table.links]
    zones = zones[(zones >= 0).all(axis=1) & (zones < table.n_own).all(axis=1)]
    zones = zones[zones[:, 0] != zones[:, 1]]
    pairs = np.unique(np.append(zones[:, 0], zones[:, 1]) * table.n_own + np.append(zones[:, 1], zones[:, 0]))
    first, second = pairs // table.n_own, pairs % table.n_own
    kept = free[second] >= 1.0
    first, second = first[kept], second[kept]
    order = np.lexsort((second, -free[second], first))
    own, at = np.unique(first[order], return_index=True)
    found = np.full(table.n_own, -1, dtype=np.int64)
    found[own] = second[order][at]
    return found


def _check_class_size(table: DrawingTable, state: DrawingState) -> list[Conflict]:
    """Return the schools whose places follow from their classes, and whose classes would be too large."""
    schools = table.facts.schools
    derived = schools["capacity_places"].isna() | (schools["capacity_source"].astype(str) == "derived")
    classes = np.where(derived, schools["classes"].to_numpy(dtype=np.float64), np.nan)
    found = []
    for own, members in enumerate(table.facts.members):
        count = float(classes[members].sum())
        if not count > 0:
            continue
        kind = str(schools["kind"].iloc[members[0]])
        rule = table.rules.find("max_class_size", table.stage, kind=kind, year=table.scenario.year)
        size = float(state.load[own]) / count
        if rule is None or size <= rule.limit(table.stage) + 1e-9:
            continue
        limit = rule.limit(table.stage)
        over = float(state.load[own]) - limit * count
        values = {"school": table.zone_names[own], "classes": count}
        message = msg(
            "{school}: {size:.1f} pupils in each of {classes:.0f} classes; at most {limit:.0f} are allowed.",
            size=size,
            limit=limit,
            **values,
        )
        cure = msg(
            "Open {more:.0f} more classes at {school}, or give {over:,.0f} pupils to another.",
            more=math.ceil(state.load[own] / limit - count - 1e-9),
            over=math.ceil(over - 1e-6),
            school=table.zone_names[own],
        )
        found.append(_build(table, "class_size", message, cure, own=np.array([own]), pupils=over, rule_id=rule.id))
    return found


def _check_pieces(table: DrawingTable, state: DrawingState) -> list[Conflict]:
    """Return the zones with units that are apart from their school, exclaves by geography left out."""
    apart = np.flatnonzero(state.detached)
    zones = state.zone[apart]
    order = np.argsort(zones, kind="stable")
    apart, zones = apart[order], zones[order]
    found = []
    for units in np.split(apart, np.flatnonzero(np.diff(zones)) + 1) if len(apart) else []:
        zone = int(state.zone[units[0]])
        pupils = _sum(table, units)
        message = msg(
            "{school}: {count} units with {pupils:,.0f} pupils do not hang together with the school: {units}.",
            school=table.zone_names[zone],
            count=len(units),
            pupils=pupils,
            units=name_units(table, units),
        )
        cure = msg(
            "Give them to a school whose zone they touch, or give {school} the units in between.",
            school=table.zone_names[zone],
        )
        found.append(_build(table, "connected", message, cure, units=units, own=table.own_zones(zone), pupils=pupils))
    return found


def _check_unreached(table: DrawingTable, state: DrawingState) -> list[Conflict]:
    """Return who is given to a school that no way leads to, though one leads to others."""
    units = np.flatnonzero((state.zone >= 0) & ~np.isfinite(state.travel) & (table.pupils > 0))
    if not len(units):
        return []
    pupils = _sum(table, units)
    message = msg(
        "No way leads from {count} units with {pupils:,.0f} pupils to their school: {units}.",
        count=len(units),
        pupils=pupils,
        units=name_units(table, units),
    )
    own = np.flatnonzero(table.admits[state.zone[units]].any(axis=0))
    cure = msg("Give them to a school that they can reach.")
    return [_build(table, "unreached", message, cure, units=units, own=own, pupils=pupils)]


def _check_prohibitions(table: DrawingTable, state: DrawingState) -> list[Conflict]:
    """Return who is sent across a barrier, and who to a school that is closed to them."""
    found: list[Conflict] = []
    crossing = _find_barred(table, state, table.facts.costs.crossing)
    if len(crossing):
        message = msg(
            "{count} units with {pupils:,.0f} pupils would cross a barrier on the way to school: {units}.",
            count=len(crossing),
            pupils=_sum(table, crossing),
            units=name_units(table, crossing),
        )
        own = np.flatnonzero(table.admits[state.zone[crossing]].any(axis=0))
        cure = msg("Give them to a school on their side, or let pupils cross there.")
        pupils = _sum(table, crossing)
        found.append(_build(table, "barrier", message, cure, units=crossing, own=own, pupils=pupils))
    closed = _find_barred(table, state, table.facts.costs.closed)
    if len(closed):
        message = msg(
            "{count} units with {pupils:,.0f} pupils are given to a school that is closed to them: {units}.",
            count=len(closed),
            pupils=_sum(table, closed),
            units=name_units(table, closed),
        )
        own = np.flatnonzero(table.admits[state.zone[closed]].any(axis=0))
        cure = msg("Give them to another school, or open the pair of unit and school.")
        found.append(_build(table, "closed", message, cure, units=closed, own=own, pupils=_sum(table, closed)))
    return found


def _find_barred(table: DrawingTable, state: DrawingState, barred: Bools | None) -> Ints:
    """Return the units with an own zone of which every school is barred to them."""
    if barred is None:
        return np.empty(0, dtype=np.int64)
    order = np.argsort(state.node_own, kind="stable")
    found = []
    for nodes in np.split(order, np.flatnonzero(np.diff(state.node_own[order])) + 1) if len(order) else []:
        members = table.facts.members[int(state.node_own[nodes[0]])]
        units = state.node_unit[nodes]
        found.append(units[barred[np.ix_(table.to_facts[units], members)].all(axis=1)])
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def _check_limit(table: DrawingTable, state: DrawingState, limit: TravelLimit) -> list[Conflict]:
    """Return who is sent farther than a rule of the rulebook allows."""
    units = find_beyond(table, state, limit)
    if not len(units):
        return []
    way = _measure_way(table, state, limit)[units]
    worst = int(units[np.lexsort((table.to_facts[units], -way))[0]])
    values = {
        "rule": limit.rule.id,
        "count": len(units),
        "pupils": _sum(table, units),
        "limit": limit.rule.limit(table.stage),
        "units": name_units(table, units),
        "unit": table.unit_names[worst],
        "longest": float(way.max()),
    }
    message = (
        msg(
            "Rule {rule}: {count} units with {pupils:,.0f} pupils have more than {limit:.0f} min to school: {units}."
            " {unit} has the longest way, {longest:.0f} min.",
            **values,
        )
        if limit.by_time
        else msg(
            "Rule {rule}: {count} units with {pupils:,.0f} pupils have more than {limit:,.0f} m to school: {units}."
            " {unit} has the longest way, {longest:,.0f} m.",
            **values,
        )
    )
    table_of = table.minutes if limit.by_time else table.length_m
    near = table_of[units, : table.n_own].min(axis=1) <= limit.limit[units]
    cure = (
        msg(
            "{count} of them have a school within the limit; the others need a school nearer by, boarding or a bus.",
            count=int(near.sum()),
        )
        if near.any()
        else msg("None of them has a school within the limit: open one nearer by, or plan boarding or a bus.")
    )
    own = np.flatnonzero(table.admits[state.zone[units]].any(axis=0))
    pupils = _sum(table, units)
    return [_build(table, "travel_cap", message, cure, units=units, own=own, pupils=pupils, rule_id=limit.rule.id)]


def _measure_way(table: DrawingTable, state: DrawingState, limit: TravelLimit) -> Floats:
    if limit.by_time:
        return np.asarray(state.minutes)
    way: Floats = np.full(table.n_units, np.inf)
    spoken = np.flatnonzero(np.isfinite(limit.limit) & (state.zone >= 0))
    way[spoken] = table.length_m[spoken, state.zone[spoken]]
    return way


def find_beyond(table: DrawingTable, state: DrawingState, limit: TravelLimit) -> Ints:
    """Return the units with pupils whose way is longer than a rule allows. Without a way: not told here."""
    way = _measure_way(table, state, limit)
    beyond = (way > limit.limit + 1e-9) & np.isfinite(way) & (table.pupils >= LEAST_PUPILS_TOLD)
    return np.flatnonzero(beyond)


def _check_locks(table: DrawingTable, state: DrawingState, locked: Ints) -> list[Conflict]:
    """Return the units that were locked to another zone, and those that joined a school that takes nobody new."""
    found: list[Conflict] = []
    units = np.flatnonzero((locked >= 0) & (locked != state.zone))
    if len(units):
        names = list_names(table.zone_names[at] for at in np.unique(locked[units]).tolist())
        message = msg(
            "{count} locked units with {pupils:,.0f} pupils are given away: {units}. They are locked to {schools}.",
            count=len(units),
            pupils=_sum(table, units),
            units=name_units(table, units),
            schools=names,
        )
        own = np.flatnonzero(table.admits[locked[units]].any(axis=0))
        cure = msg("Give them back, or unlock them.")
        found.append(_build(table, "lock", message, cure, units=units, own=own, pupils=_sum(table, units)))
    if table.shut.any():
        shut_zone: Bools = np.any(table.admits[:, table.shut], axis=1)
        shut = np.flatnonzero(shut_zone[state.zone])
        joined = shut[(state.zone[shut] != table.current[shut]) & (state.zone[shut] >= 0)]
        if len(joined):
            message = msg(
                "{count} units with {pupils:,.0f} pupils join a school whose zone is locked: {units}.",
                count=len(joined),
                pupils=_sum(table, joined),
                units=name_units(table, joined),
            )
            own = np.flatnonzero(table.admits[state.zone[joined]].any(axis=0) & table.shut)
            cure = msg("Give them back, or unlock the school.")
            found.append(_build(table, "lock", message, cure, units=joined, own=own, pupils=_sum(table, joined)))
    return found
