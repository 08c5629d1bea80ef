"""One stage made ready for drawing zones by hand: everything that a move needs, as arrays in the order of the map.

Positions of units are those of ``study.units``, as on the map. Zones are those of :class:`planning.zoning_facts`
(*own* zones: one school, or a group with a common zone), then *shared* ones: units that today's table, or a drawn
one, gives to several own zones (多校划片). Pupils of a shared zone are split evenly among its schools, as by lottery
(:func:`planning.assignment.enrol_by_zones`); a group of schools with common places is one own zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import msg
from geodata.study import FrozenArrays, StudyArea
from planning.assignment import TIME_TIE_MIN, find_zone_schools
from planning.conflicts import Conflict
from planning.rules import Rule, Rules
from planning.scenario import Scenario
from planning.tables import build_stage_schools
from planning.way_costs import measure_travel
from planning.zoning_facts import ZoneFacts, build_zone_facts, combine_schools
from planning.zoning_problem import build_csr, compute_zone_cost, list_links

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TravelLimit:
    """One rule of the rulebook on the way to school: ``limit`` (units,), ``inf`` where it does not speak."""

    rule: Rule
    by_time: bool
    limit: Floats


@dataclass(frozen=True, eq=False)
class DrawingTable(FrozenArrays):
    """One stage, ready for moves. All arrays by unit are in the order of ``study.units``.

    Parameters
    ----------
    unit_ids, unit_names, towns : by unit
    zone_ids, zone_names, zone_schools : by zone
        The first ``n_own`` zones are own zones; the rest are shared by several of those.
    to_facts : shape (units,)
        Position of the unit in ``facts`` (the order of ids: it breaks ties, whatever the order of the rows).
    weight : shape (zones, own zones)
        Share of a zone's pupils that goes to each own zone; rows add up to one.
    admits : shape (zones + 1, own zones)
        Whether the zone belongs to an own zone. The last row, for units without a zone (−1), is empty.
    pupils, stage_pupils : shape (units,)
        Pupils left for zones (low grades at teaching points apart), and all pupils of the stage (NaN = unknown).
    travel, cost, minutes, length_m : shape (units, zones)
        The way in the scenario's measure; the same with rules (``inf`` = not allowed); minutes; metres. ``inf`` = none.
    places, seat : shape (own zones,)
        Pooled places (``inf`` = unknown); unit in which the school stands (−1 = nowhere).
    held : shape (n, 2)
        (unit, own zone) of the other seats of a group.
    links, paths : shape (n, 2)
        Neighbours that no forbidden barrier parts; the same with the bridges of land without a school, which count
        where a zone has to be one piece. ``start``, ``neighbour``: ``paths`` as lists of neighbours.
    today_unit, today_own, today_share
        Rows: today's own zones of the units, and the share of the unit's pupils there.
    current, nearest : shape (units,)
        Today's zone, and that of the nearest school within what is allowed; −1 = none.
    lock_zone : shape (units,)
        Zone that the scenario locks the unit to, −1 = free. ``shut`` (own zones,): nothing may join.
    limits
        Limits of the way to school in the rulebook. ``class_size``: the rule on it, where there is one.
    """

    stage: str
    facts: ZoneFacts
    scenario: Scenario
    rules: Rules
    unit_ids: tuple[str, ...]
    unit_names: tuple[str, ...]
    towns: tuple[str, ...]
    zone_ids: tuple[str, ...]
    zone_names: tuple[str, ...]
    zone_schools: tuple[tuple[str, ...], ...]
    n_own: int
    to_facts: Ints
    weight: Floats
    admits: Bools
    pupils: Floats
    stage_pupils: Floats
    travel: Floats
    cost: Floats
    minutes: Floats
    length_m: Floats
    places: Floats
    seat: Ints
    held: Ints
    links: Ints
    paths: Ints
    start: Ints
    neighbour: Ints
    today_unit: Ints
    today_own: Ints
    today_share: Floats
    current: Ints
    nearest: Ints
    lock_zone: Ints
    shut: Bools
    limits: tuple[TravelLimit, ...]

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.unit_ids)

    @property
    def n_zones(self) -> int:
        """Number of zones, shared ones included."""
        return len(self.zone_ids)

    def own_zones(self, zone: int) -> Ints:
        """Return the own zones of a zone; none for −1."""
        return np.flatnonzero(self.admits[zone]).astype(np.int64)


def build_drawing_table(
    study: StudyArea, rules: Rules, scenario: Scenario, stage: str, *, drawn: pd.DataFrame | None = None
) -> DrawingTable | Conflict:
    """Return one stage ready for drawing, or why it cannot be drawn.

    Parameters
    ----------
    drawn
        Rows unit_id, stage, school_id of a plan drawn before: its shared zones become zones of the table, beside those
        of today and of ``scenario.zoning.start_zones``.
    """
    if build_stage_schools(study, stage, scenario.year).empty:
        return _refuse()
    facts = build_zone_facts(study, rules, scenario, stage)
    if not facts.n_zones:
        return _refuse()
    started = pd.DataFrame(list(scenario.zoning.start_zones), columns=["unit_id", "stage", "school_id"], dtype=str)
    shared = find_shared(facts, [study.zones, started, *([] if drawn is None else [drawn])])
    weight = _weigh(facts, shared)
    order = _find_order(study, facts)
    parts = _measure_ways(study, scenario, facts, weight, order)
    today = _index_today(facts, order)
    current = _number_zones(facts, shared, facts.current)[order]
    admits = np.vstack([weight > 0, np.zeros((1, facts.n_zones), dtype=np.bool_)])
    nearest = find_nearest_zones(
        parts["cost"][:, : facts.n_zones], parts["travel"][:, : facts.n_zones], admits[current]
    )
    seat, held, links, paths = _place_on_map(facts, order)
    nearest[seat[seat >= 0]] = np.flatnonzero(seat >= 0)
    nearest[held[:, 0]] = held[:, 1]
    lock_zone, shut = _read_locks(facts, shared, scenario, np.where(current >= 0, current, nearest), order)
    start, neighbour, _ = build_csr(facts.n_units, paths, np.zeros(len(paths)))
    schools = tuple(_list_schools(facts, row) for row in weight > 0)
    return DrawingTable(
        stage=stage,
        facts=facts,
        scenario=scenario,
        rules=rules,
        unit_ids=tuple(study.units["unit_id"].astype(str)),
        unit_names=tuple(str(facts.unit_names[at]) for at in order),
        towns=_list_towns(study),
        zone_ids=tuple(";".join(ids) for ids in schools),
        zone_names=tuple(" + ".join(_name_schools(facts, row)) for row in weight > 0),
        zone_schools=schools,
        n_own=facts.n_zones,
        to_facts=order,
        weight=weight,
        admits=admits,
        pupils=facts.pupils[order],
        stage_pupils=facts.ways.pupils[order],
        travel=parts["travel"],
        cost=parts["cost"],
        minutes=parts["minutes"],
        length_m=parts["length_m"],
        places=facts.places,
        seat=seat,
        held=held,
        links=links,
        paths=paths,
        start=start,
        neighbour=neighbour.astype(np.int64),
        today_unit=today[0],
        today_own=today[1],
        today_share=today[2],
        current=current,
        nearest=nearest,
        lock_zone=lock_zone,
        shut=shut,
        limits=_build_limits(study, rules, scenario, stage),
    )


def _place_on_map(facts: ZoneFacts, order: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Return seats, held units, neighbours, and neighbours with bridges by positions on the map."""
    to_map = np.empty_like(order)
    to_map[order] = np.arange(len(order))
    seat = np.where(facts.seat >= 0, to_map[np.maximum(facts.seat, 0)], -1)
    held = np.column_stack([to_map[facts.held[:, 0]], facts.held[:, 1]]).astype(np.int64)
    links = np.sort(to_map[facts.links[~facts.barred]], axis=1).reshape(-1, 2)
    return seat, held, links, np.sort(to_map[list_links(facts)[0]], axis=1).reshape(-1, 2)


def _list_towns(study: StudyArea) -> tuple[str, ...]:
    if "town" not in study.units:
        return ("",) * len(study.units)
    return tuple(study.units["town"].fillna("").astype(str))


def _refuse() -> Conflict:
    return Conflict(
        "unreached",
        msg("No complete school teaches this stage, so there are no zones to draw."),
        cure=msg("Add a complete school."),
    )


def read_drawn(table: DrawingTable, zones: pd.DataFrame) -> Ints:
    """Return the zone of every unit (−1 = none) from rows unit_id, stage, school_id.

    Schools without a zone (teaching points) are passed over. Several schools of a unit that make no zone of the table
    (see ``drawn`` of :func:`build_drawing_table`) become the one of them that is allowed and nearest.
    """
    facts = table.facts
    rows = find_zone_schools(facts.ways, zones[zones["stage"] == table.stage])
    shared = [tuple(table.own_zones(at).tolist()) for at in range(table.n_own, table.n_zones)]
    cost = np.empty((table.n_units, table.n_own))
    cost[table.to_facts] = table.cost[:, : table.n_own]
    return _number_zones(facts, shared, rows, cost)[table.to_facts]


def list_drawn(table: DrawingTable, zone: Ints) -> pd.DataFrame:
    """Return rows unit_id, stage, school_id, ordered by unit and school; units without a zone have none."""
    rows = [
        (table.unit_ids[unit], school)
        for unit in np.argsort(table.to_facts, kind="stable")
        if zone[unit] >= 0
        for school in table.zone_schools[zone[unit]]
    ]
    unit_ids, school_ids = zip(*rows, strict=True) if rows else ((), ())
    return pd.DataFrame(
        {
            "unit_id": pd.Series(unit_ids, dtype=str),
            "stage": pd.Series([table.stage] * len(rows), dtype=str),
            "school_id": pd.Series(school_ids, dtype=str),
        }
    )


def list_locks(table: DrawingTable, zone: Ints, locked: Bools) -> tuple[tuple[str, str, str], ...]:
    """Return locks for ``ZoningOptions.locks``: each locked unit with a school of its zone.

    The search knows one zone per unit: a unit of a shared zone is locked to the part of it that is nearest to it.
    """
    found = []
    for unit in np.flatnonzero(locked & (zone >= 0)):
        own = table.own_zones(int(zone[unit]))
        best = own[table.cost[unit, own].argmin()]
        found.append((table.unit_ids[unit], table.stage, table.zone_schools[best][0]))
    return tuple(sorted(found))


def find_shared(facts: ZoneFacts, tables: Iterable[pd.DataFrame]) -> list[tuple[int, ...]]:
    """Return the sets of own zones that some unit is given to together, in order."""
    zone_of = facts.zone_of_school()
    found: set[tuple[int, ...]] = set()
    for table in tables:
        for schools in find_zone_schools(facts.ways, table[table["stage"] == facts.stage]).values():
            own = np.unique(zone_of[schools][zone_of[schools] >= 0])
            if len(own) > 1:
                found.add(tuple(own.tolist()))
    return sorted(found)


def _number_zones(
    facts: ZoneFacts, shared: list[tuple[int, ...]], rows: Mapping[int, Ints], cost: Floats | None = None
) -> Ints:
    """Return the zone of every unit of ``facts``; −1 where ``rows`` name none."""
    zone_of = facts.zone_of_school()
    number = {own: facts.n_zones + at for at, own in enumerate(shared)}
    chosen = np.full(facts.n_units, -1, dtype=np.int64)
    for unit, schools in rows.items():
        own = np.unique(zone_of[schools][zone_of[schools] >= 0])
        if len(own) == 1:
            chosen[unit] = own[0]
        elif len(own):
            known = number.get(tuple(own.tolist()), -1)
            chosen[unit] = known if known >= 0 or cost is None else own[cost[unit, own].argmin()]
    return chosen


def _weigh(facts: ZoneFacts, shared: list[tuple[int, ...]]) -> Floats:
    """Return the share of each zone's pupils by own zone: even by school, as ``assignment.enrol_by_zones`` has it."""
    weight = np.zeros((facts.n_zones + len(shared), facts.n_zones))
    weight[np.arange(facts.n_zones), np.arange(facts.n_zones)] = 1.0
    schools = np.array([len(members) for members in facts.members], dtype=np.float64)
    for at, own in enumerate(shared, start=facts.n_zones):
        weight[at, list(own)] = schools[list(own)] / schools[list(own)].sum()
    return weight


def _find_order(study: StudyArea, facts: ZoneFacts) -> Ints:
    """Return the position in ``facts`` of every unit of the study."""
    index = pd.Index(facts.ways.unit_ids, dtype=object)
    order: Ints = index.get_indexer(pd.Index(study.units["unit_id"].astype(str), dtype=object)).astype(np.int64)
    return order


def _measure_ways(
    study: StudyArea, scenario: Scenario, facts: ZoneFacts, weight: Floats, order: Ints
) -> dict[str, Floats]:
    """Return travel, cost, minutes and length_m by unit of the map and zone."""
    own = tuple(np.flatnonzero(row).astype(np.int64) for row in weight > 0)
    shares = tuple(row[members] for row, members in zip(weight, own, strict=True))

    def spread(table: Floats) -> Floats:
        if not facts.n_zones < len(weight):
            return np.ascontiguousarray(table[order])
        more = combine_schools(table, own[facts.n_zones :], shares[facts.n_zones :])
        return np.ascontiguousarray(np.hstack([table, more])[order])

    def pool(table: npt.NDArray[np.floating]) -> Floats:
        known = np.where(np.isnan(table), np.inf, table).astype(np.float64)
        return combine_schools(known, facts.members, facts.split)

    travel = spread(facts.travel)
    pace = measure_travel(facts.ways, scenario)[2]
    if facts.costs.measure == "time":
        minutes = travel
        metres = pool(facts.ways.length_m)
        length_m = spread(np.where(np.isfinite(metres), metres, facts.travel * pace))
    else:
        times = pool(facts.ways.time_min)
        minutes = spread(np.where(np.isfinite(times), times, facts.travel / pace))
        length_m = travel
    cost = spread(compute_zone_cost(facts))
    # Large tables are held once where they are equal.
    cost = travel if np.array_equal(cost, travel) else cost
    return {"travel": travel, "cost": cost, "minutes": minutes, "length_m": length_m}


def _index_today(facts: ZoneFacts, order: Ints) -> tuple[Ints, Ints, Floats]:
    """Return today's own zones as rows; several schools of a unit count alike, as the reports count them."""
    zone_of = facts.zone_of_school()
    rows: list[tuple[int, int, float]] = []
    for unit, at in enumerate(order):
        complete = zone_of[facts.current[int(at)]] if int(at) in facts.current else np.empty(0, dtype=np.int64)
        complete = complete[complete >= 0]
        own, count = np.unique(complete, return_counts=True)
        rows += [(unit, int(zone), float(n) / len(complete)) for zone, n in zip(own, count, strict=True)]
    unit_at, own_at, share = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(unit_at, dtype=np.int64), np.array(own_at, dtype=np.int64), np.array(share, dtype=np.float64)


def find_nearest_zones(cost: Floats, travel: Floats, preferred: Bools) -> Ints:
    """Return the own zone of the shortest allowed way; of equal ones a preferred one, else the first. −1 = no way.

    Where no zone is allowed, the shortest way of all.
    """
    ways = np.where(np.isfinite(cost), travel, np.inf)
    lost = ~np.isfinite(ways).any(axis=1)
    ways[lost] = travel[lost]
    least = ways.min(axis=1)
    tied = ways <= (least + TIME_TIE_MIN)[:, None]
    liked = tied & preferred
    nearest: Ints = np.where(liked.any(axis=1), liked.argmax(axis=1), ways.argmin(axis=1)).astype(np.int64)
    nearest[~np.isfinite(least)] = -1
    return nearest


def _read_locks(
    facts: ZoneFacts, shared: list[tuple[int, ...]], scenario: Scenario, base: Ints, order: Ints
) -> tuple[Ints, Bools]:
    """Return the zone that the scenario locks each unit to, and the own zones that nothing may join."""
    options = scenario.zoning
    zone_of = facts.zone_of_school()
    shut = np.zeros(facts.n_zones, dtype=np.bool_)
    school_at = {str(key): at for at, key in enumerate(facts.ways.school_ids)}
    for school in options.locked_schools:
        if school in school_at and zone_of[school_at[school]] >= 0:
            shut[zone_of[school_at[school]]] = True
    rows = [(unit, school) for unit, stage, school in options.locks if stage == facts.stage]
    named = pd.DataFrame([row for row in rows if row[1]], columns=["unit_id", "school_id"], dtype=str)
    zone = _number_zones(facts, shared, find_zone_schools(facts.ways, named), facts.travel)[order]
    kept = {unit for unit, school in rows if not school}
    as_is = np.array([str(facts.ways.unit_ids[at]) in kept for at in order], dtype=np.bool_)
    as_is |= (base >= 0) & (base < facts.n_zones) & np.append(shut, False)[np.minimum(base, facts.n_zones)]
    return np.where((zone < 0) & as_is, base, zone), shut


def _build_limits(study: StudyArea, rules: Rules, scenario: Scenario, stage: str) -> tuple[TravelLimit, ...]:
    """Return the rules on minutes and metres of the way to school, by the setting of the unit."""
    units = study.units
    settings = units["setting"].fillna("").astype(str) if "setting" in units else pd.Series([""] * len(units))
    found: list[TravelLimit] = []
    for key in ("max_travel_min", "service_radius"):
        speaking = {name: rules.find(key, stage, setting=str(name), year=scenario.year) for name in settings.unique()}
        for rule in dict.fromkeys(rule for rule in speaking.values() if rule is not None):
            own = np.array([speaking[name] == rule for name in settings], dtype=np.bool_)
            limit = np.where(own, rule.limit(stage), np.inf)
            found.append(TravelLimit(rule, key == "max_travel_min", limit))
    return tuple(found)


def _list_schools(facts: ZoneFacts, own: Bools) -> tuple[str, ...]:
    members = np.concatenate([facts.members[at] for at in np.flatnonzero(own)])
    return tuple(sorted(str(facts.ways.school_ids[at]) for at in members))


def _name_schools(facts: ZoneFacts, own: Bools) -> list[str]:
    return [facts.name_zone(int(at)) for at in np.flatnonzero(own)]
