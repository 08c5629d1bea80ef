"""Why a unit does not go to its nearest school: who is placed there, how many places short, what would change it.

Every sentence is computed from the drawing at hand: what stands in between (``planning.obstacles``), who is placed at
the nearest school and lives closer to it, or farther (it is said either way), and the cheapest moves of others that
would make room (``planning.room_chains``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message
from planning.assignment import TIME_TIE_MIN
from planning.drawing import DrawingTable
from planning.drawing_numbers import read_locks
from planning.drawing_state import DrawingState, build_state
from planning.obstacles import Obstacles, ReasonKind, find_obstacles
from planning.reason_words import Placed, Told, tell_changes, tell_details, tell_main
from planning.room_chains import Chain, find_chain
from planning.zone_paths import find_between, find_cut_off

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

REASON_COLUMNS = (
    *("unit_id", "school_ids", "nearest_school_id", "kind", "kinds", "pupils", "minutes", "nearest_min", "extra_min"),
    *("short_places", "free_places", "closer_pupils", "farther_pupils"),
)


@dataclass(frozen=True)
class Reason:
    """Why a unit goes where it goes.

    ``nearest_school_id``: the nearest complete school (ids joined by ";" where several share a zone). ``kind``: the
    main thing, ``kinds`` everything that stands in between. ``extra_min`` per pupil against the nearest school.
    ``short_places``: what it would be short of if the unit joined. ``closer`` and ``farther``: units placed at the
    nearest school that live closer to it, or farther, with their pupils. ``between``: units in between where the zones
    do not touch; ``cut_off``: units that would lose their school's zone if this one left. ``chain``: the moves of
    others (unit id, from, to) that make room, ``chain_min`` their cost in pupil-minutes a day (NaN = none).
    ``message`` says the main thing, ``details`` the rest, ``changes`` what would have to change.
    """

    unit_id: str
    school_ids: tuple[str, ...]
    nearest_school_id: str
    kind: ReasonKind
    extra_min: float
    short_places: float
    message: Message
    kinds: tuple[ReasonKind, ...] = ()
    details: tuple[Message, ...] = ()
    changes: tuple[Message, ...] = ()
    closer: tuple[str, ...] = ()
    farther: tuple[str, ...] = ()
    closer_pupils: float = 0.0
    farther_pupils: float = 0.0
    between: tuple[str, ...] = ()
    cut_off: tuple[str, ...] = ()
    chain: tuple[tuple[str, str, str], ...] = ()
    chain_min: float = float("nan")


def explain_unit(table: DrawingTable, zone: Ints, unit: int, locked: Bools | Ints | None = None) -> Reason:
    """Return why a unit goes where it goes.

    Parameters
    ----------
    zone : shape (units,)
        Zone of every unit, −1 = none.
    unit
        Position on the map.
    locked
        See :func:`planning.drawing_numbers.measure_drawing`.
    """
    return explain_units(table, zone, np.array([unit]), locked)[0]


def explain_units(
    table: DrawingTable, zone: Ints, units: Ints, locked: Bools | Ints | None = None
) -> tuple[Reason, ...]:
    """Return the reasons of some units (positions on the map): as :func:`explain_unit`, the drawing looked at once."""
    state = build_state(table, zone)
    locks = read_locks(table, state.zone, locked)
    obstacles = find_obstacles(table, state, locks, units=units)
    return tuple(_explain(table, state, locks, obstacles, int(unit)) for unit in units)


def _explain(table: DrawingTable, state: DrawingState, locks: Ints, obstacles: Obstacles, unit: int) -> Reason:
    kinds = obstacles.kinds(unit, bool(state.zone[unit] >= 0))
    near = int(obstacles.near[unit])
    placed = find_placed(table, state, unit, near)
    chain: Chain | None = None
    complete = True
    if "full" in kinds and set(kinds) <= {"full", "no_zone"}:
        chain, complete = find_chain(table, state, unit, near, locks)
    between = find_between(table, state, unit, near) if "apart" in kinds else np.empty(0, dtype=np.int64)
    cut_off = find_cut_off(table, state, unit) if "cuts" in kinds else np.empty(0, dtype=np.int64)
    told = Told(table, state, unit, near, int(obstacles.point[unit]), kinds, _measure_gain(table, state, unit, near))
    told = told.add(float(obstacles.short_places[unit]), placed, between, cut_off, chain, complete)
    names, zones = table.unit_ids, table.zone_ids
    return Reason(
        unit_id=names[unit],
        school_ids=table.zone_schools[state.zone[unit]] if state.zone[unit] >= 0 else (),
        nearest_school_id=zones[near] if near >= 0 else "",
        kind=kinds[0],
        extra_min=told.extra_min,
        short_places=told.short_places,
        message=tell_main(told),
        kinds=kinds,
        details=tell_details(told),
        changes=tell_changes(told),
        closer=tuple(names[at] for at in placed.closer.tolist()),
        farther=tuple(names[at] for at in placed.farther.tolist()),
        closer_pupils=placed.closer_pupils,
        farther_pupils=placed.farther_pupils,
        between=tuple(names[at] for at in between.tolist()),
        cut_off=tuple(names[at] for at in cut_off.tolist()),
        chain=() if chain is None else tuple((names[at], zones[old], zones[new]) for at, old, new in chain.moves),
        chain_min=float("nan") if chain is None else chain.lost_min,
    )


def _measure_gain(table: DrawingTable, state: DrawingState, unit: int, near: int) -> float:
    """Return the minutes that a pupil of the unit goes farther than to the nearest school; NaN without a way."""
    if near < 0 or not np.isfinite(state.minutes[unit]):
        return float("nan")
    return float(state.minutes[unit] - table.minutes[unit, near])


def find_placed(table: DrawingTable, state: DrawingState, unit: int, near: int) -> Placed:
    """Return who is placed at an own zone and lives closer to its school than a unit, or farther.

    Pupils of shared zones count by their part. Equally far counts as neither.
    """
    if near < 0:
        none = np.empty(0, dtype=np.int64)
        return Placed(none, none, 0.0, 0.0, 0.0)
    share = np.append(table.weight[:, near], 0.0)[state.zone]
    there = np.flatnonzero((share > 0) & (table.pupils > 0))
    there = there[there != unit]
    way, mine = table.travel[there, near], table.travel[unit, near]
    order = np.lexsort((table.to_facts[there], way))
    there, way = there[order], way[order]
    closer, farther = there[way < mine - TIME_TIE_MIN], there[way > mine + TIME_TIE_MIN][::-1]
    own = table.travel[:, : table.n_own]
    least = own[farther].min(axis=1) if len(farther) else np.empty(0)
    nearest_too = farther[table.travel[farther, near] <= least + TIME_TIE_MIN]
    count = table.pupils * share
    return Placed(
        closer,
        farther,
        float(count[closer].sum()),
        float(count[farther].sum()),
        float(count[nearest_too].sum()),
    )


def list_reasons(table: DrawingTable, zone: Ints, locked: Bools | Ints | None = None) -> pd.DataFrame:
    """Return ``REASON_COLUMNS`` for every unit, in the order of the map.

    ``kind`` is the main thing, ``kinds`` all joined by ";" (``planning.obstacles.ReasonKind``). The pupils placed at
    the nearest school who live closer to it, or farther, are NaN for units that go there.
    """
    state = build_state(table, zone)
    obstacles = find_obstacles(table, state, read_locks(table, state.zone, locked))
    kinds = [obstacles.kinds(unit, bool(state.zone[unit] >= 0)) for unit in range(table.n_units)]
    near, at = obstacles.near, np.maximum(obstacles.near, 0)
    nearest_min = np.where(near >= 0, table.minutes[np.arange(table.n_units), at], np.nan)
    minutes = np.where(np.isfinite(state.minutes), state.minutes, np.nan)
    closer, farther = _count_placed(table, state, obstacles)
    zone_ids = np.array([*table.zone_ids, ""], dtype=object)
    return pd.DataFrame(
        {
            "unit_id": pd.Series(table.unit_ids, dtype=str),
            "school_ids": pd.Series(zone_ids[state.zone], dtype=str),
            "nearest_school_id": pd.Series(zone_ids[near], dtype=str),
            "kind": pd.Series([found[0] for found in kinds], dtype=str),
            "kinds": pd.Series([";".join(found) for found in kinds], dtype=str),
            "pupils": table.pupils,
            "minutes": minutes,
            "nearest_min": nearest_min,
            "extra_min": minutes - nearest_min,
            "short_places": obstacles.short_places,
            "free_places": np.where(near >= 0, state.free(table)[at], np.nan),
            "closer_pupils": closer,
            "farther_pupils": farther,
        }
    ).loc[:, list(REASON_COLUMNS)]


def _count_placed(table: DrawingTable, state: DrawingState, obstacles: Obstacles) -> tuple[Floats, Floats]:
    """Return the pupils placed at each unit's nearest school who live closer to it, and farther."""
    closer, farther = np.full(table.n_units, np.nan), np.full(table.n_units, np.nan)
    away = np.flatnonzero((obstacles.near >= 0) & ~obstacles.there)
    share = np.vstack([table.weight, np.zeros((1, table.n_own))])
    for own in np.unique(obstacles.near[away]).tolist():
        asking = away[obstacles.near[away] == own]
        weight = share[state.zone, own] * table.pupils
        there = np.flatnonzero(weight > 0)
        order = np.argsort(table.travel[there, own], kind="stable")
        way = table.travel[there[order], own]
        summed = np.append(0.0, np.cumsum(weight[there[order]]))
        mine = table.travel[asking, own]
        closer[asking] = summed[np.searchsorted(way, mine - TIME_TIE_MIN, side="left")]
        farther[asking] = summed[-1] - summed[np.searchsorted(way, mine + TIME_TIE_MIN, side="right")]
    return closer, farther
