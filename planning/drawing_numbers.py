"""The numbers of drawn zones, and every rule that they break, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.study import FrozenArrays
from planning.assignment import TIME_TIE_MIN
from planning.conflicts import Conflict
from planning.drawing import DrawingTable
from planning.drawing_checks import list_broken
from planning.drawing_state import FULL_PUPILS, DrawingState, build_state, find_pieces

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_SUBTRACTED = (
    *("pupils", "zone_pupils", "fill_share", "mean_travel_min", "max_travel_min", "units", "pieces"),
    *("joined_pupils", "left_pupils", "mean_travel_min_total", "max_travel_min_total", "pupil_min", "over_pupils"),
    *("over_zones", "moved_pupils", "moved_units", "further_pupils", "nearer_pupils", "without_zone_pupils"),
)


@dataclass(frozen=True, eq=False)
class DrawingNumbers(FrozenArrays):
    """What drawn zones do. Arrays by zone, then totals.

    ``zone_pupils`` live in the zone; ``pupils`` are those of its schools (with their parts of shared zones; for a
    shared zone, those of its schools together), ``places`` theirs (``inf`` = unknown), ``fill_share`` their ratio.
    ``mean_travel_min``, ``max_travel_min`` of the zone's own pupils (NaN without any). ``pieces``: parts of the land
    on which the zone's schools admit. ``joined_pupils``, ``left_pupils`` against today.
    """

    pupils: Floats
    zone_pupils: Floats
    places: Floats
    fill_share: Floats
    mean_travel_min: Floats
    max_travel_min: Floats
    units: Ints
    pieces: Ints
    joined_pupils: Floats
    left_pupils: Floats
    total_pupils: float
    mean_travel_min_total: float
    max_travel_min_total: float
    pupil_min: float
    over_pupils: float
    over_zones: int
    moved_pupils: float
    moved_units: int
    further_pupils: float
    nearer_pupils: float
    detached: Ints
    exclaves: Ints
    without_zone: Ints
    without_zone_pupils: float
    broken: tuple[Conflict, ...] = ()


@dataclass(frozen=True, eq=False)
class NumbersDifference(FrozenArrays):
    """Now less before: the fields of :class:`DrawingNumbers`, counts of units, and rules newly broken and mended."""

    pupils: Floats
    zone_pupils: Floats
    fill_share: Floats
    mean_travel_min: Floats
    max_travel_min: Floats
    units: Ints
    pieces: Ints
    joined_pupils: Floats
    left_pupils: Floats
    mean_travel_min_total: float
    max_travel_min_total: float
    pupil_min: float
    over_pupils: float
    over_zones: int
    moved_pupils: float
    moved_units: int
    further_pupils: float
    nearer_pupils: float
    without_zone_pupils: float
    detached: int
    without_zone: int
    newly_broken: tuple[Conflict, ...]
    mended: tuple[Conflict, ...]


def measure_drawing(table: DrawingTable, zone: Ints, locked: Bools | Ints | None = None) -> DrawingNumbers:
    """Return the numbers of drawn zones.

    Parameters
    ----------
    zone : shape (units,)
        Zone of every unit, −1 = none.
    locked
        Zone that each unit is locked to, −1 = free: what differs is told as broken. None: the scenario's locks. Bools
        lock units where they are, and so nothing is broken.
    """
    state = build_state(table, zone)
    return measure_state(table, state, read_locks(table, state.zone, locked))


def read_locks(table: DrawingTable, zone: Ints, locked: Bools | Ints | None) -> Ints:
    """Return the zone that each unit is locked to, −1 = free (see :func:`measure_drawing`)."""
    if locked is None:
        return np.asarray(table.lock_zone)
    given: Ints = np.asarray(locked)
    return np.where(given, zone, -1) if given.dtype == np.bool_ else given.astype(np.int64)


def measure_state(table: DrawingTable, state: DrawingState, locked: Ints) -> DrawingNumbers:
    """Return the numbers of a drawing already looked at."""
    zone = state.zone
    zoned = zone >= 0
    known = zoned & np.isfinite(state.minutes) & (table.pupils > 0)
    weight = np.where(known, table.pupils, 0.0)
    spent = np.where(known, state.minutes, 0.0) * weight
    by_zone = np.bincount(zone[known], weight[known], minlength=table.n_zones)
    total_min = np.bincount(zone[known], spent[known], minlength=table.n_zones)
    longest = np.full(table.n_zones, -np.inf)
    np.maximum.at(longest, zone[known], state.minutes[known])
    over = state.over(table)
    further, nearer = _compare_ways(table, state)
    places = table.admits[: table.n_zones].astype(np.float64) @ np.where(np.isfinite(table.places), table.places, 0.0)
    places[(table.admits[: table.n_zones] & ~np.isfinite(table.places)).any(axis=1)] = np.inf
    pupils = table.admits[: table.n_zones].astype(np.float64) @ state.load
    fill = np.divide(pupils, places, out=np.full(table.n_zones, np.nan), where=np.isfinite(places) & (places > 0))
    joined, left, moved, moved_units = _count_moved(table, zone)
    total = float(weight.sum())
    without = np.flatnonzero(~zoned)
    return DrawingNumbers(
        pupils=pupils,
        zone_pupils=state.zone_pupils,
        places=places,
        fill_share=fill,
        mean_travel_min=np.divide(total_min, by_zone, out=np.full(table.n_zones, np.nan), where=by_zone > 0),
        max_travel_min=np.where(np.isfinite(longest), longest, np.nan),
        units=np.bincount(zone[zoned], minlength=table.n_zones).astype(np.int64),
        pieces=_count_pieces(table, state),
        joined_pupils=joined,
        left_pupils=left,
        total_pupils=float(table.pupils.sum()),
        mean_travel_min_total=float(spent.sum()) / total if total > 0 else float("nan"),
        max_travel_min_total=float(longest.max()) if known.any() else float("nan"),
        pupil_min=float(spent.sum()),
        over_pupils=float(over.sum()),
        over_zones=int((over > FULL_PUPILS).sum()),
        moved_pupils=moved,
        moved_units=moved_units,
        further_pupils=further,
        nearer_pupils=nearer,
        detached=np.flatnonzero(state.detached),
        exclaves=np.flatnonzero(state.exclave),
        without_zone=without,
        without_zone_pupils=float(table.pupils[without].sum()),
        broken=list_broken(table, state, locked),
    )


def _compare_ways(table: DrawingTable, state: DrawingState) -> tuple[float, float]:
    """Return the pupils whose way becomes longer than today, and those whose way becomes shorter."""
    both = np.flatnonzero((table.current >= 0) & (state.zone >= 0) & (table.current != state.zone))
    with np.errstate(invalid="ignore"):
        change = state.minutes[both] - table.minutes[both, table.current[both]]
    pupils = table.pupils[both]
    return float(pupils[change > TIME_TIE_MIN].sum()), float(pupils[change < -TIME_TIE_MIN].sum())


def _count_moved(table: DrawingTable, zone: Ints) -> tuple[Floats, Floats, float, int]:
    """Return pupils joined and left by zone, and all pupils and units moved, against today.

    A unit of several schools of today moves the part of its pupils whose school is not in its new zone. Those who
    join a shared zone count with it, and by their part with each of its own zones.
    """
    unit, own = table.today_unit, table.today_own
    gone = ~table.admits[zone[unit], own] & (zone[unit] >= 0)
    unit, own, share = unit[gone], own[gone], table.today_share[gone]
    pupils = table.pupils[unit] * share
    to_zone = np.bincount(zone[unit], pupils, minlength=table.n_zones).astype(np.float64)
    joined = to_zone.copy()
    joined[: table.n_own] = to_zone @ table.weight
    old = table.current[unit]
    left = np.bincount(old, pupils, minlength=table.n_zones).astype(np.float64)
    left[: table.n_own] = np.bincount(own, pupils, minlength=table.n_own)
    return joined, left, float(pupils.sum()), len(np.unique(unit))


def _count_pieces(table: DrawingTable, state: DrawingState) -> Ints:
    """Return the pieces of land on which each own zone admits; of a shared zone, those of its own units."""
    pieces = np.zeros(table.n_zones, dtype=np.int64)
    first = np.flatnonzero(state.land == np.arange(len(state.land)))
    pieces[: table.n_own] = np.bincount(state.node_own[first], minlength=table.n_own)
    if table.n_zones > table.n_own:
        land = find_pieces(table, state.zone)
        unit = np.flatnonzero((land == np.arange(len(land))) & (state.zone >= table.n_own))
        pieces += np.bincount(state.zone[unit], minlength=table.n_zones)
    return pieces


def compare_numbers(now: DrawingNumbers, before: DrawingNumbers) -> NumbersDifference:
    """Return ``now`` less ``before``: what a move, or a session, has changed. Both of one table."""
    return NumbersDifference(
        **{name: getattr(now, name) - getattr(before, name) for name in _SUBTRACTED},
        detached=len(now.detached) - len(before.detached),
        without_zone=len(now.without_zone) - len(before.without_zone),
        newly_broken=_find_new(now.broken, before.broken),
        mended=_find_new(before.broken, now.broken),
    )


def _find_new(broken: tuple[Conflict, ...], known: tuple[Conflict, ...]) -> tuple[Conflict, ...]:
    """Return the breaches that were not there before, or that have become graver: more units, or more pupils."""
    before = {_key(conflict): conflict for conflict in known}
    found = []
    for conflict in broken:
        old = before.get(_key(conflict))
        graver = old is None or conflict.short_pupils > old.short_pupils + FULL_PUPILS
        if graver or not set(conflict.unit_ids) <= set(old.unit_ids if old else ()):
            found.append(conflict)
    return tuple(found)


def _key(conflict: Conflict) -> tuple[object, ...]:
    """Return what makes two breaches the same one: rule and, where it is told by school, the schools."""
    by_school = conflict.rule in ("capacity", "class_size", "connected", "seat")
    return conflict.rule, conflict.rule_id, conflict.school_ids if by_school else ()
