"""Troubles of drawn zones: pockets, islands and detours past a nearer school, each with the move that would mend it.

A *pocket* is a piece of a zone, apart from its school, that other zones enclose, or that borders one other zone only;
an *island* is any other piece apart from its school. A *detour* is a unit whose way is longer, by more than the
rulebook lets pass (``max_detour_min``, as for the flag ``zone_detour``), than that to a nearer complete school that has
places left for it. Moves are tried on the drawing before they are named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from planning.drawing import DrawingTable, find_nearest_zones
from planning.drawing_checks import LEAST_PUPILS_TOLD, name_units
from planning.drawing_numbers import read_locks
from planning.drawing_state import FULL_PUPILS, DrawingState, build_state, find_pieces
from planning.obstacles import OBSTACLES, ReasonKind, find_obstacles
from planning.zone_paths import find_between
from planning.zoning_facts import list_names

TROUBLE_COLUMNS = (
    *("kind", "zone", "school_ids", "units", "unit_ids", "pupils", "extra_min", "message"),
    *("mend_zone", "mend_units", "mend_min", "mend_over_pupils", "mend"),
)
DETOUR_MIN = 10.0
"""Minutes beyond those to a nearer school that pass, where the rulebook has no rule on it."""
OPEN_EDGE_SHARE = 0.05
"""A piece is enclosed where less of its outline than this borders nothing (land outside the study, water)."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Mend:
    """A move: the units, their new zone, what it costs in pupil-minutes, pupils above the places that it adds."""

    zone: int
    units: Ints
    lost_min: float
    over_pupils: float


def list_troubles(table: DrawingTable, zone: Ints, locked: Bools | Ints | None = None) -> pd.DataFrame:
    """Return ``TROUBLE_COLUMNS``: pieces apart by their pupils, then detours by the minutes lost.

    ``kind``: ``"pocket"``, ``"island"`` or ``"detour"``; ``units`` positions on the map (tuple) and ``unit_ids``;
    ``extra_min`` pupil-minutes a day one way against the nearest school (a detour: against the nearer one); the move
    that mends: ``mend_zone`` (−1 = none found), ``mend_units`` positions, ``mend_min`` pupil-minutes that it costs
    (negative: saves), ``mend_over_pupils`` pupils above the places that it adds in all; ``mend`` in words.
    """
    state = build_state(table, zone)
    locks = read_locks(table, state.zone, locked)
    rows = _list_pieces(table, state, locks) + _list_detours(table, state, locks)
    return pd.DataFrame(rows, columns=list(TROUBLE_COLUMNS))


def _list_pieces(table: DrawingTable, state: DrawingState, locks: Ints) -> list[dict[str, object]]:
    apart = np.flatnonzero(state.detached | state.exclave)
    if not len(apart):
        return []
    piece = find_pieces(table, state.zone)[apart]
    order = np.lexsort((table.to_facts[apart], piece))
    groups = np.split(apart[order], np.flatnonzero(np.diff(piece[order])) + 1)
    own = table.travel[:, : table.n_own]
    near = find_nearest_zones(own, own, table.admits[state.zone])
    outer = _measure_edges(table)
    rows = [_describe_piece(table, state, locks, units, near, outer) for units in groups]
    return sorted(rows, key=lambda row: (-float(str(row["pupils"])), str(row["unit_ids"])))


@dataclass(frozen=True, eq=False)
class _Edges:
    """All neighbours (also across barriers) with their border, and the outline of every unit."""

    links: Ints
    border_m: Floats
    outline_m: Floats


def _measure_edges(table: DrawingTable) -> _Edges:
    to_map = np.argsort(table.to_facts, kind="stable")
    return _Edges(to_map[table.facts.links], table.facts.border_m, table.facts.outline_m[table.to_facts])


def _describe_piece(
    table: DrawingTable, state: DrawingState, locks: Ints, units: Ints, near: Ints, edges: _Edges
) -> dict[str, object]:
    zone = int(state.zone[units[0]])
    around, enclosed = _look_around(state, units, edges)
    kind = "pocket" if len(around) and (enclosed or len(around) == 1) else "island"
    pupils = float(table.pupils[units].sum())
    values = {
        "school": table.zone_names[zone],
        "count": len(units),
        "pupils": pupils,
        "units": name_units(table, units),
        "others": list_names(table.zone_names[at] for at in around.tolist()),
    }
    if kind == "pocket":
        message = msg(
            "{count} units of {school} with {pupils:,.0f} pupils lie apart from it, enclosed by {others}: {units}.",
            **values,
        )
    elif len(around):
        message = msg(
            "{count} units of {school} with {pupils:,.0f} pupils lie apart from it, beside {others}: {units}.", **values
        )
    else:
        message = msg(
            "{count} units of {school} with {pupils:,.0f} pupils lie apart from it and border no other zone: {units}.",
            **values,
        )
    known = units[(near[units] >= 0) & np.isfinite(state.minutes[units])]
    extra = float((table.pupils[known] * (state.minutes[known] - table.minutes[known, near[known]])).sum())
    mend = _mend_piece(table, state, locks, units)
    return _build_row(table, kind, zone, units, extra, message, mend, _tell_mend(table, units, zone, mend))


def _look_around(state: DrawingState, units: Ints, edges: _Edges) -> tuple[Ints, bool]:
    """Return the zones around a piece, and whether they (and nothing else) enclose it."""
    inside = np.zeros(len(state.zone), dtype=np.bool_)
    inside[units] = True
    first, second = inside[edges.links[:, 0]], inside[edges.links[:, 1]]
    crossing = first != second
    other = np.where(first[crossing], edges.links[crossing, 1], edges.links[crossing, 0])
    around = np.unique(state.zone[other])
    outline = float(edges.outline_m[units].sum() - 2.0 * edges.border_m[first & second].sum())
    bordered = float(edges.border_m[crossing].sum())
    enclosed = outline > 0 and outline - bordered < OPEN_EDGE_SHARE * outline
    return around[around >= 0].astype(np.int64), enclosed and bool((around >= 0).all())


def _mend_piece(table: DrawingTable, state: DrawingState, locks: Ints, units: Ints) -> _Mend | None:
    """Return the cheapest of: giving the piece to a zone beside it, or giving its zone the units in between."""
    beside = np.concatenate([table.neighbour[table.start[at] : table.start[at + 1]] for at in units.tolist()])
    found = state.zone[beside[~state.detached[beside]]]
    own = np.flatnonzero(table.admits[np.unique(found)].any(axis=0)) if len(found) else np.empty(0, dtype=np.int64)
    moves = [_price(table, state, locks, units, int(at)) for at in own]
    zone = int(state.zone[units[0]])
    if zone < table.n_own and state.detached[units].any():
        between = find_between(table, state, int(units[0]), zone)
        between = between[state.zone[between] != zone]
        if len(between):
            moves.append(_price(table, state, locks, between, zone))
    offers = [move for move in moves if move is not None]
    for offer in sorted(offers, key=lambda move: (move.over_pupils > LEAST_PUPILS_TOLD, move.lost_min, move.zone)):
        after = state.zone.copy()
        after[offer.units] = offer.zone
        apart = build_state(table, after).detached
        if not apart[units].any() and not (apart & ~state.detached).any():
            return offer
    return None


def _price(table: DrawingTable, state: DrawingState, locks: Ints, units: Ints, own: int) -> _Mend | None:
    """Return what it costs to give units to an own zone; None where a rule forbids it."""
    seats = np.append(table.seat[table.seat >= 0], table.held[:, 0])
    locked = (locks[units] >= 0) & (locks[units] != own)
    stays = np.isin(units, seats) & (units != table.seat[own])
    if locked.any() or stays.any() or table.shut[own] or (state.zone[units] == own).all():
        return None
    if not np.isfinite(table.cost[units, own]).all() or (state.zone[units] < 0).any():
        return None
    zone = state.zone[units]
    pupils = table.pupils[units]
    change = table.minutes[units, own] - state.minutes[units]
    load = state.load - pupils @ table.weight[zone]
    load[own] += pupils.sum()
    over = np.maximum(0.0, load - table.places)[np.isfinite(table.places)].sum() - state.over(table).sum()
    lost = float(pupils[pupils > 0] @ change[pupils > 0])
    return _Mend(own, units, lost, float(over)) if np.isfinite(lost) else None


def _tell_mend(table: DrawingTable, units: Ints, zone: int, mend: _Mend | None) -> Message:
    if mend is None:
        return msg("No single move mends this without breaking another rule.")
    values = {
        "units": name_units(table, mend.units),
        "school": table.zone_names[mend.zone],
        "minutes": abs(mend.lost_min),
        "over": mend.over_pupils,
    }
    more_over = mend.over_pupils >= LEAST_PUPILS_TOLD
    if mend.lost_min < 0:
        if more_over:
            return msg(
                "Give {units} to {school}: {minutes:,.0f} pupil-minutes a day less, but {over:,.0f} pupils more above"
                " the places.",
                **values,
            )
        return msg("Give {units} to {school}: {minutes:,.0f} pupil-minutes a day less.", **values)
    if more_over:
        return msg(
            "Give {units} to {school}: {minutes:,.0f} pupil-minutes a day more, and {over:,.0f} pupils more above the"
            " places.",
            **values,
        )
    return msg("Give {units} to {school}: {minutes:,.0f} pupil-minutes a day more.", **values)


def _list_detours(table: DrawingTable, state: DrawingState, locks: Ints) -> list[dict[str, object]]:
    rule = table.rules.find("max_detour_min", table.stage, year=table.scenario.year)
    limit = DETOUR_MIN if rule is None else rule.limit(table.stage)
    own = np.arange(table.n_own)
    free = state.free(table) + FULL_PUPILS
    asked = np.flatnonzero((state.zone >= 0) & (table.pupils >= LEAST_PUPILS_TOLD) & np.isfinite(state.minutes))
    usable = np.isfinite(table.cost[np.ix_(asked, own)]) & (table.pupils[asked, None] <= free[None, :])
    ways = np.where(usable, table.travel[np.ix_(asked, own)], np.inf)
    near = np.full(table.n_units, -1, dtype=np.int64)
    near[asked] = find_nearest_zones(ways, ways, table.admits[state.zone[asked]])
    near[near >= 0] = np.where(table.admits[state.zone, near], -1, near)[near >= 0]
    extra = np.zeros(table.n_units)
    found = np.flatnonzero(near >= 0)
    extra[found] = state.minutes[found] - table.minutes[found, near[found]]
    units = np.flatnonzero(extra > limit)
    obstacles = find_obstacles(table, state, locks, units=units, near=near)
    lost = extra * table.pupils
    rows = []
    for unit in units[np.lexsort((table.to_facts[units], -np.round(lost[units], 6)))].tolist():
        kinds = obstacles.kinds(unit, True)
        rows.append(_describe_detour(table, state, unit, int(near[unit]), kinds, float(extra[unit])))
    return rows


def _describe_detour(
    table: DrawingTable, state: DrawingState, unit: int, near: int, kinds: tuple[ReasonKind, ...], extra: float
) -> dict[str, object]:
    pupils, zone = float(table.pupils[unit]), int(state.zone[unit])
    units = np.array([unit])
    values = {
        "unit": table.unit_names[unit],
        "pupils": pupils,
        "school": table.zone_names[zone],
        "minutes": float(state.minutes[unit]),
        "nearer": table.zone_names[near],
        "nearest": float(table.minutes[unit, near]),
        "free": float(state.free(table)[near]),
    }
    message = (
        msg(
            "{unit} ({pupils:,.0f} pupils) goes to {school}, {minutes:.0f} min; {nearer} is {nearest:.0f} min away and"
            " has {free:,.0f} places left.",
            **values,
        )
        if np.isfinite(table.places[near])
        else msg(
            "{unit} ({pupils:,.0f} pupils) goes to {school}, {minutes:.0f} min; {nearer} is {nearest:.0f} min away, and"
            " its places are not known.",
            **values,
        )
    )
    hindered = [kind for kind in kinds if kind in OBSTACLES]
    if hindered:
        return _build_row(
            table, "detour", zone, units, extra * pupils, message, None, _tell_hindrance(hindered[0], values)
        )
    mend = _Mend(near, units, -extra * pupils, 0.0)
    return _build_row(table, "detour", zone, units, extra * pupils, message, mend, _tell_mend(table, units, zone, mend))


def _tell_hindrance(kind: ReasonKind, values: dict[str, object]) -> Message:
    """Return why the unit cannot simply be given to the nearer school."""
    told = {
        "locked": msg("{unit} is locked where it is.", **values),
        "other_seat": msg("A school stands in {unit}.", **values),
        "shut": msg("The zone of {nearer} is locked.", **values),
        "apart": msg("{unit} does not touch the zone of {nearer}; give it the units in between first.", **values),
        "cuts": msg("Without {unit} other units would be cut off from {school}; give them away first.", **values),
    }
    return told.get(kind, msg("A rule stands against {nearer}.", **values))


def _build_row(
    table: DrawingTable,
    kind: str,
    zone: int,
    units: Ints,
    extra_min: float,
    message: Message,
    mend: _Mend | None,
    mend_words: Message,
) -> dict[str, object]:
    return {
        "kind": kind,
        "zone": zone,
        "school_ids": table.zone_ids[zone],
        "units": tuple(units.tolist()),
        "unit_ids": tuple(sorted(table.unit_ids[at] for at in units.tolist())),
        "pupils": float(table.pupils[units].sum()),
        "extra_min": extra_min,
        "message": message,
        "mend_zone": -1 if mend is None else mend.zone,
        "mend_units": () if mend is None else tuple(mend.units.tolist()),
        "mend_min": float("nan") if mend is None else mend.lost_min,
        "mend_over_pupils": float("nan") if mend is None else mend.over_pupils,
        "mend": mend_words,
    }
