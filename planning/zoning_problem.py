"""From the facts of a stage to the numeric problem: costs, locks, moved pupils, neighbours, and plans to start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import msg
from planning.assignment import find_zone_schools
from planning.conflicts import Conflict
from planning.solvers.problems import ZoneProblem
from planning.zoning_facts import ZoneFacts, combine_schools
from planning.zoning_options import ZoningOptions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Schools = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

EMPTY_UNIT_PUPILS = 1e-6
"""Weight of a unit without pupils (or with an unknown number): it follows the nearest school and counts for nothing."""
MOVE_TIE = 1e-6
"""Minutes (or metres) that a pupil who changes school counts more: of equal plans, the one that moves fewer."""


@dataclass(frozen=True, eq=False)
class Locks:
    """What stays: ``zone`` (units,), −1 = free; ``shut`` (zones,): zones that nothing may join."""

    zone: Ints
    shut: Bools
    conflicts: tuple[Conflict, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is locked."""
        return bool((self.zone >= 0).any() or self.shut.any())


def compute_zone_cost(facts: ZoneFacts, *, caps: bool = True, closed: bool = True, barriers: bool = True) -> Floats:
    """Return the cost per pupil (units, zones), ``inf`` where a rule forbids it; rules may be left out."""
    cost = combine_schools(facts.costs.cost(caps=caps, closed=closed, barriers=barriers), facts.members, facts.split)
    if facts.on_paper.any():
        forbidden = np.zeros(cost.shape, dtype=np.bool_)
        for use, barred in ((closed, facts.costs.closed), (barriers, facts.costs.crossing)):
            if use and barred is not None:
                forbidden |= np.isfinite(combine_schools(np.where(barred, 0.0, np.inf), facts.members, facts.split))
        known = np.isfinite(combine_schools(facts.costs.travel, facts.members, facts.split))
        rows = facts.on_paper[:, None] & ~known & ~forbidden
        cost = np.where(rows, facts.travel, cost)
    return cost


def build_zone_problem(
    facts: ZoneFacts,
    cost: Floats,
    locks: Locks,
    *,
    barriers: bool = True,
    entering_share: Floats | None = None,
) -> ZoneProblem:
    """Return the numeric problem.

    Parameters
    ----------
    cost : shape (units, zones)
        Per pupil, from :func:`compute_zone_cost`.
    barriers
        Whether neighbours parted by a barrier count as none.
    entering_share : shape (schools,) or None
        Share of a school's pupils in the entering grade: only they count as moved (grandfathering); None: all count.
    """
    weight = np.where(facts.pupils > 0, facts.pupils, EMPTY_UNIT_PUPILS)
    whole = cost * weight[:, None]
    free = locks.zone < 0
    shut = np.flatnonzero(locks.shut)
    if len(shut):
        whole[np.ix_(np.flatnonzero(free), shut)] = np.inf
    moved = compute_moved(facts, entering_share)
    if moved is not None:
        whole += MOVE_TIE * moved
    start, neighbour, border_m = build_neighbours(facts, barriers=barriers)
    return ZoneProblem(
        cost=whole,
        pupils=facts.pupils.copy(),
        places=facts.places.copy(),
        seat=facts.seat.astype(np.int32),
        neighbour_start=start,
        neighbour=neighbour,
        overload_price=facts.costs.overload_price,
        locked=locks.zone.astype(np.int32),
        moved=moved,
        border_m=border_m,
        outline_m=facts.outline_m.copy(),
        area_m2=facts.area_m2.copy(),
    )


def list_links(facts: ZoneFacts, *, barriers: bool = True) -> tuple[Ints, Floats]:
    """Return pairs of neighbours, virtual bridges included, each once, and their border."""
    open_links = ~facts.barred if barriers else np.ones(len(facts.links), dtype=np.bool_)
    pairs = np.vstack([facts.links[open_links], np.sort(facts.bridges, axis=1)])
    border_m = np.append(facts.border_m[open_links], np.zeros(len(facts.bridges)))
    pairs, kept = np.unique(pairs, axis=0, return_index=True) if len(pairs) else (pairs, np.empty(0, dtype=np.int64))
    return pairs, border_m[kept]


def build_neighbours(facts: ZoneFacts, *, barriers: bool = True) -> tuple[Ints, Schools, Floats]:
    """Return the neighbours of every unit (start, neighbour, border), both directions."""
    pairs, border_m = list_links(facts, barriers=barriers)
    return build_csr(facts.n_units, pairs, border_m)


def build_csr(n: int, pairs: Ints, border_m: Floats) -> tuple[Ints, Schools, Floats]:
    """Return pairs (each once) as neighbours of every unit: start (n + 1,), neighbour, border."""
    tail = np.append(pairs[:, 0], pairs[:, 1])
    head = np.append(pairs[:, 1], pairs[:, 0])
    order = np.lexsort((head, tail))
    start = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(tail, minlength=n), out=start[1:])
    return start, head[order].astype(np.int32), np.append(border_m, border_m)[order]


def compute_moved(facts: ZoneFacts, entering_share: Floats | None = None) -> Floats | None:
    """Return the pupils (units, zones) that change school if the unit joins the zone; None without current zones.

    A unit whose current zone is shared moves the part of the pupils whose school is not in the new zone.
    """
    zone_of = facts.zone_of_school()
    current = {unit: zone_of[schools] for unit, schools in facts.current.items() if (zone_of[schools] >= 0).any()}
    if not current:
        return None
    moved = np.zeros((facts.n_units, facts.n_zones))
    entering = np.ones(len(zone_of)) if entering_share is None else entering_share
    for unit, schools in facts.current.items():
        complete = schools[zone_of[schools] >= 0]
        if not len(complete):
            continue
        share = entering[complete] / len(complete)
        moved[unit] = share.sum()
        np.subtract.at(moved[unit], zone_of[complete], share)
    return np.maximum(moved, 0.0) * facts.pupils[:, None]


def find_current_zones(facts: ZoneFacts, cost: Floats) -> Ints:
    """Return today's zone of every unit, −1 where it has none; of several the one that costs least."""
    return _choose_zones(facts, facts.current, cost)


def _choose_zones(facts: ZoneFacts, schools_of: Mapping[int, Ints], cost: Floats) -> Ints:
    zone_of = facts.zone_of_school()
    chosen = np.full(facts.n_units, -1, dtype=np.int64)
    for unit, schools in schools_of.items():
        zones = np.unique(zone_of[schools][zone_of[schools] >= 0])
        if len(zones):
            chosen[unit] = zones[cost[unit, zones].argmin()]
    return chosen


def build_start(facts: ZoneFacts, options: ZoningOptions, cost: Floats) -> Ints | None:
    """Return the zone of every unit that the search begins with; None: the search makes its own.

    Units that the start does not name, or names for a school not allowed to them, go to the cheapest allowed one. The
    start ``"capacity"`` is made by the caller, who has the assignment at hand.
    """
    if options.start == "scratch":
        return None
    nearest = cost.argmin(axis=1).astype(np.int64)
    if options.start == "current":
        wanted = find_current_zones(facts, cost)
    elif options.start == "table":
        wanted = _choose_zones(facts, _index_rows(facts, options.start_zones), cost)
    else:
        wanted = np.full(facts.n_units, -1, dtype=np.int64)
    usable = (wanted >= 0) & np.isfinite(cost[np.arange(facts.n_units), np.maximum(wanted, 0)])
    start = np.where(usable, wanted, nearest)
    placed = facts.seat >= 0
    start[facts.seat[placed]] = np.flatnonzero(placed)
    start[facts.held[:, 0]] = facts.held[:, 1]
    return start


def _index_rows(facts: ZoneFacts, rows: Iterable[tuple[str, str, str]]) -> dict[int, Ints]:
    of_stage = [(unit, school) for unit, stage, school in rows if stage == facts.stage]
    return find_zone_schools(facts.ways, pd.DataFrame(of_stage, columns=["unit_id", "school_id"], dtype=str))


def build_locks(facts: ZoneFacts, options: ZoningOptions, base: Ints, cost: Floats) -> Locks:
    """Return what stays, and the locks that contradict each other or the rules.

    Parameters
    ----------
    base : shape (units,)
        Zone of every unit in the start: what locks without a school name, and locked schools, refer to.
    """
    zone = np.full(facts.n_units, -1, dtype=np.int64)
    zone_of = facts.zone_of_school()
    unit_at = {str(key): at for at, key in enumerate(facts.ways.unit_ids)}
    school_at = {str(key): at for at, key in enumerate(facts.ways.school_ids)}
    conflicts: list[Conflict] = []
    shut = np.zeros(facts.n_zones, dtype=np.bool_)
    for school in options.locked_schools:
        if school in school_at and zone_of[school_at[school]] >= 0:
            at = zone_of[school_at[school]]
            shut[at] = True
            zone[base == at] = at
    for unit, stage, school in options.locks:
        if stage != facts.stage:
            continue
        if unit not in unit_at or (school and (school not in school_at or zone_of[school_at[school]] < 0)):
            conflicts.append(_build_stranger(unit, school, unit in unit_at))
            continue
        at, wanted = unit_at[unit], int(zone_of[school_at[school]]) if school else int(base[unit_at[unit]])
        if zone[at] >= 0 and zone[at] != wanted:
            conflicts.append(_build_clash(facts, at, int(zone[at]), wanted))
        zone[at] = wanted
    conflicts += _check_seats(facts, zone)
    conflicts += _check_allowed(facts, zone, cost)
    zone[facts.held[:, 0]] = facts.held[:, 1]
    return Locks(zone, shut, tuple(conflicts))


def _build_stranger(unit: str, school: str, known_unit: bool) -> Conflict:
    what = (
        msg("A lock names school {school}, which has no zone of this stage.", school=school)
        if known_unit
        else msg("A lock names unit {unit}, which does not exist.", unit=unit)
    )
    cure = msg("Correct or remove the lock.")
    return Conflict("lock", what, (unit,), (school,) if school else (), 0.0, cure)


def _build_clash(facts: ZoneFacts, unit: int, first: int, second: int) -> Conflict:
    return Conflict(
        "lock",
        msg(
            "{unit} is locked to {first} and to {second}.",
            unit=facts.unit_names[unit],
            first=facts.name_zone(first),
            second=facts.name_zone(second),
        ),
        (str(facts.ways.unit_ids[unit]),),
        _list_schools(facts, (first, second)),
        float(facts.pupils[unit]),
        msg("Remove one of the two locks."),
    )


def _check_seats(facts: ZoneFacts, zone: Ints) -> list[Conflict]:
    """Return the locks that send the unit in which a school stands to another school."""
    own = [(int(unit), at) for at, unit in enumerate(facts.seat) if unit >= 0]
    own += [(int(unit), int(at)) for unit, at in facts.held]
    return [
        Conflict(
            "lock",
            msg(
                "{unit} is locked to {wanted}, but {school} stands in it.",
                unit=facts.unit_names[unit],
                wanted=facts.name_zone(int(zone[unit])),
                school=facts.name_zone(at),
            ),
            (str(facts.ways.unit_ids[unit]),),
            _list_schools(facts, (int(zone[unit]), at)),
            float(facts.pupils[unit]),
            msg("Remove the lock, or let the two schools share a zone."),
        )
        for unit, at in own
        if zone[unit] >= 0 and zone[unit] != at
    ]


def _check_allowed(facts: ZoneFacts, zone: Ints, cost: Floats) -> list[Conflict]:
    """Return the locks to a school that another rule does not allow."""
    locked = np.flatnonzero(zone >= 0)
    return [
        Conflict(
            "lock",
            msg(
                "{unit} is locked to {school}, which a travel limit, a barrier or a closed pair forbids to it.",
                unit=facts.unit_names[unit],
                school=facts.name_zone(int(zone[unit])),
            ),
            (str(facts.ways.unit_ids[unit]),),
            _list_schools(facts, (int(zone[unit]),)),
            float(facts.pupils[unit]),
            msg("Remove the lock, or price the travel limit."),
        )
        for unit in locked[~np.isfinite(cost[locked, zone[locked]])]
    ]


def _list_schools(facts: ZoneFacts, zones: Iterable[int]) -> tuple[str, ...]:
    return tuple(sorted({str(facts.ways.school_ids[member]) for zone in zones for member in facts.members[zone]}))


def drop_locks(facts: ZoneFacts) -> Locks:
    """Return the locks that are no choice: the seats of shared zones."""
    zone = np.full(facts.n_units, -1, dtype=np.int64)
    zone[facts.held[:, 0]] = facts.held[:, 1]
    return Locks(zone, np.zeros(facts.n_zones, dtype=np.bool_))
