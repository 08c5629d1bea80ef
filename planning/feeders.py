"""Feeders (对口直升): zones of the next stage made of whole primary zones, or with a cap on how much one is split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from planning.solvers.problems import ZoneProblem
from planning.zoning_problem import build_csr

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FeederZones:
    """``label`` (units,) numbers the feeder of every unit, in the order of the smallest unit; ``keys`` names them."""

    label: Ints
    keys: tuple[str, ...]
    alone: int

    @property
    def count(self) -> int:
        """Number of feeders, units without a zone included."""
        return len(self.keys)


def build_feeders(unit_ids: npt.NDArray[np.object_], zones: pd.DataFrame) -> FeederZones:
    """Return the feeders: units with the same schools in ``zones`` (unit_id, school_id; several rows = shared zone).

    Units without a zone are feeders of their own.
    """
    rows = zones.loc[:, ["unit_id", "school_id"]].drop_duplicates().sort_values(["unit_id", "school_id"])
    schools: dict[str, str] = {}
    for unit, school in zip(rows["unit_id"].astype(str), rows["school_id"].astype(str), strict=True):
        schools[unit] = f"{schools[unit]};{school}" if unit in schools else school
    names = [schools.get(str(unit), "") for unit in unit_ids]
    keys = [name or f"unit {unit}" for name, unit in zip(names, unit_ids, strict=True)]
    codes, found = pd.factorize(np.array(keys, dtype=object))
    return FeederZones(codes.astype(np.int64), tuple(map(str, found)), sum(not name for name in names))


def list_joint_seats(
    label: Ints, seat: Ints, held: Ints, school_ids: list[tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    """Return groups of schools of several zones that stand in one feeder: they have to share a zone.

    ``seat`` (zones,) and ``held`` rows (unit, zone) are the units in which the schools of each zone stand.
    """
    zones: dict[int, set[int]] = {}
    for zone, unit in [*enumerate(seat.tolist()), *((at, unit) for unit, at in held.tolist())]:
        if unit >= 0:
            zones.setdefault(int(label[unit]), set()).add(zone)
    groups = [sorted(key for zone in found for key in school_ids[zone]) for found in zones.values() if len(found) > 1]
    return tuple(tuple(group) for group in sorted(groups))


def merge_units(problem: ZoneProblem, label: Ints) -> ZoneProblem:
    """Return the problem whose units are the feeders: sums of cost, pupils and moved; borders between them only.

    A feeder may go to a school when all its units may. Its lock is that of any of its units.
    """
    count = int(label.max()) + 1 if len(label) else 0
    tail = np.repeat(np.arange(problem.n_units), np.diff(problem.neighbour_start))
    head = np.asarray(problem.neighbour, dtype=np.int64)
    once = tail < head
    first, second, border = label[tail[once]], label[head[once]], np.asarray(problem.border_m)[once]
    inner = first == second
    outline = _sum_by(label, problem.outline_m, count) - 2.0 * np.bincount(first[inner], border[inner], minlength=count)
    pairs = np.sort(np.column_stack([first, second])[~inner], axis=1)
    unique, where = np.unique(pairs, axis=0, return_inverse=True) if len(pairs) else (pairs, np.empty(0, dtype=int))
    borders = np.bincount(where.ravel(), border[~inner], minlength=len(unique)).astype(np.float64)
    start, neighbour, border_m = build_csr(count, unique.astype(np.int64), borders)
    locked = np.full(count, -1, dtype=np.int32)
    held = np.flatnonzero(problem.locked >= 0)
    locked[label[held]] = problem.locked[held]
    seat = np.where(problem.seat >= 0, label[np.maximum(problem.seat, 0)], -1)
    return ZoneProblem(
        cost=_sum_rows(problem.cost, label, count),
        pupils=_sum_by(label, problem.pupils, count),
        places=np.array(problem.places),
        seat=seat.astype(np.int32),
        neighbour_start=start,
        neighbour=neighbour,
        overload_price=problem.overload_price,
        locked=locked,
        moved=None if problem.moved is None else _sum_rows(problem.moved, label, count),
        border_m=border_m,
        outline_m=np.maximum(outline, 0.0),
        area_m2=_sum_by(label, problem.area_m2, count),
        target_pupils=problem.target_pupils,
    )


def _sum_by(label: Ints, values: Floats, count: int) -> Floats:
    if not len(values):
        return np.zeros(0)
    return np.bincount(label, values, minlength=count).astype(np.float64)


def _sum_rows(table: Floats, label: Ints, count: int) -> Floats:
    sums = np.zeros((count, table.shape[1]))
    np.add.at(sums, label, table)
    return sums


def choose_free_units(problem: ZoneProblem, label: Ints, main: Ints, cap_share: float) -> Ints:
    """Return the units that may leave the main school of their feeder: those that gain most per pupil, up to the cap.

    Parameters
    ----------
    main : shape (units,)
        Zone of the unit's whole feeder.
    cap_share
        Most pupils of a feeder, as a share, that may be outside.
    """
    rows = np.arange(problem.n_units)
    own = problem.cost[rows, main]
    rest = np.array(problem.cost)
    rest[rows, main] = np.inf
    weight = np.maximum(problem.pupils, 1e-6)
    with np.errstate(invalid="ignore"):
        gain = (own - rest.min(axis=1)) / weight
    gain = np.where(np.isfinite(gain), gain, -np.inf)
    allowance = cap_share * np.bincount(label, problem.pupils)
    free: list[int] = []
    for unit in np.lexsort((rows, -gain)):
        if np.isfinite(gain[unit]) and problem.pupils[unit] <= allowance[label[unit]] + 1e-9:
            allowance[label[unit]] -= problem.pupils[unit]
            free.append(int(unit))
    return np.array(sorted(free), dtype=np.int64)


def measure_splits(pupils: Floats, label: Ints, zone: Ints) -> Floats:
    """Return the share of every feeder's pupils outside its main zone (the one with most of them)."""
    count = int(label.max()) + 1 if len(label) else 0
    zones = int(zone.max()) + 1 if len(zone) else 0
    table = np.bincount(label * zones + zone, pupils, minlength=count * zones).reshape(count, zones)
    total = table.sum(axis=1)
    outside: Floats = np.divide(total - table.max(axis=1), total, out=np.zeros(count), where=total > 0)
    return outside


def note_feeders(feeders: FeederZones, joint: tuple[tuple[str, ...], ...], names: Mapping[str, str]) -> list[Message]:
    """Return what to say about the feeders: units without one, and schools that stand in the same."""
    notes = [msg("Zones are made of {count} feeder zones.", count=feeders.count)]
    if feeders.alone:
        notes.append(msg("{count} units have no zone at the feeding stage; each is taken alone.", count=feeders.alone))
    for members in joint:
        told = tuple(names.get(school, school) for school in members)
        notes.append(msg("{schools} stand in the same feeder zone: they share one zone.", schools=told))
    return notes
