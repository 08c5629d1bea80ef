"""What-ifs where places do not count: the nearest school, or the one that the zones name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.study import FrozenArrays
from planning.assignment import LENGTH_TIE_M, TIME_TIE_MIN, Ways, enrol_by_zones, enrol_nearest, find_nearest
from planning.pins import Pins, pin_bands
from planning.scenario import Measure
from planning.what_if_entries import Entries, Solved
from planning.what_if_types import Bools, Floats, Floats32, Ints, NewColumn

NOBODY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class DirectEngine(FrozenArrays):
    """One stage without a limit of places. Units that a change may touch are enrolled anew, by the same functions.

    ``zones``: positions of the schools of each unit's zone; with ``by_zones`` they decide, else they settle ties.
    ``farthest_min``, ``farthest_m`` (units,): the longest way that a unit's pupils have in the base; ``inf`` where some
    reach no school. ``base``: entries, a row for every unit.
    """

    ways: Ways
    zones: Mapping[int, Ints]
    by_zones: bool
    measure: Measure
    low_grade_share: float
    pins: Pins | None
    base: Solved
    farthest_min: Floats
    farthest_m: Floats

    def solve(self, closed: Ints, opened: Sequence[NewColumn]) -> Solved:
        """Return who goes where after schools are closed (positions) and opened."""
        units = self._find_touched(closed, opened)
        kept = np.setdiff1d(np.arange(len(self.ways.school_ids)), closed)
        ids = np.concatenate([self.ways.school_ids[kept], np.array([c.school_id for c in opened], dtype=object)])
        position = np.concatenate([kept, len(self.ways.school_ids) + np.arange(len(opened))])
        order = np.argsort(ids.astype(str), kind="stable")
        some = Ways(
            unit_ids=self.ways.unit_ids[units],
            school_ids=ids[order],
            pupils=self.ways.pupils[units],
            time_min=_join(self.ways.time_min, units, kept, [c.time_min for c in opened])[:, order],
            length_m=_join(self.ways.length_m, units, kept, [c.length_m for c in opened])[:, order],
            low_only=np.concatenate([self.ways.low_only[kept], [c.low_only for c in opened]]).astype(bool)[order],
        )
        position = position[order]
        zones, pins = self._move_zones(units, position, some), _pick_pins(self.pins, units, position)
        how = (self.by_zones, self.measure, self.low_grade_share)
        table = enrol(some, zones, *how, pins)
        row, school, share = read_table(table, some, position)
        return Solved(self._replace(units, units[row], school, share))

    def _find_touched(self, closed: Ints, opened: Sequence[NewColumn]) -> Ints:
        """Return the units for which the change may matter (some for which it does not may be among them)."""
        touched = np.zeros(len(self.ways.unit_ids), dtype=np.bool_)
        near = [(self.ways.time_min[:, at], self.ways.length_m[:, at]) for at in closed]
        near += [(column.time_min, column.length_m) for column in opened]
        with np.errstate(invalid="ignore"):
            for time_min, length_m in near:
                touched |= (time_min <= self.farthest_min) | (length_m <= self.farthest_m)
        gone = set(closed.tolist())
        for unit, members in self.zones.items():
            if gone and gone.intersection(members.tolist()):
                touched[unit] = True
        return np.flatnonzero(touched)

    def _move_zones(self, units: Ints, position: Ints, some: Ways) -> dict[int, Ints]:
        """Return the zones of some units, by their positions; opened schools take those to whom they are nearer."""
        at = {int(school): place for place, school in enumerate(position)}
        fresh = np.argsort(position)[np.sum(position < len(self.ways.school_ids)) :] if self.by_zones else NOBODY
        first = self.ways.time_min if self.measure == "time" else self.ways.length_m
        by_time = (self.measure == "time") == bool(np.isfinite(first).any())
        table, tie = (some.time_min, TIME_TIE_MIN) if by_time else (some.length_m, LENGTH_TIE_M)
        zones: dict[int, Ints] = {}
        for row, unit in enumerate(units.tolist()):
            members = [at[int(m)] for m in self.zones.get(unit, NOBODY) if int(m) in at]
            if not members:
                continue
            for new in fresh.tolist():
                members = _take_in(members, new, table[row], some.low_only, tie)
            zones[row] = np.array(members, dtype=np.int64)
        return zones

    def _replace(self, units: Ints, row: Ints, school: Ints, share: Floats) -> Entries:
        """Return the entries of the base with those of some units replaced."""
        base = self.base.entries
        touched = np.zeros(len(self.ways.unit_ids), dtype=np.bool_)
        touched[units] = True
        kept = ~touched[base.row]
        rows = np.concatenate([base.row[kept], row])
        order = np.argsort(rows, kind="stable")
        return Entries(
            row=rows[order],
            school=np.concatenate([base.school[kept], school])[order],
            share=np.concatenate([base.share[kept], share])[order],
            unit_of_row=base.unit_of_row,
            changed=units,
        )


def build_direct(
    ways: Ways,
    zones: Mapping[int, Ints],
    *,
    by_zones: bool,
    measure: Measure,
    low_grade_share: float,
    pins: Pins | None = None,
) -> DirectEngine:
    """Return the engine of one stage."""
    table = enrol(ways, zones, by_zones, measure, low_grade_share, pins)
    n_units = len(ways.unit_ids)
    row, school, share = read_table(table, ways, np.arange(len(ways.school_ids)))
    farthest = []
    for matrix, tie in ((ways.time_min, TIME_TIE_MIN), (ways.length_m, LENGTH_TIE_M)):
        way = np.where(school >= 0, matrix[row, school], np.inf) if matrix.shape[1] else np.full(len(row), np.inf)
        longest = np.full(n_units, -np.inf)
        np.maximum.at(longest, row, np.where(np.isnan(way), -np.inf, way).astype(np.float64))
        farthest.append(longest + 2 * tie)
    base = Solved(Entries(row, school, share, np.arange(n_units), NOBODY))
    return DirectEngine(ways, zones, by_zones, measure, low_grade_share, pins, base, *farthest)


def enrol(
    ways: Ways,
    zones: Mapping[int, Ints],
    by_zones: bool,
    measure: Measure,
    low_grade_share: float,
    pins: Pins | None,
) -> pd.DataFrame:
    """Return the enrolment table of the method, as :func:`planning.enrolment.enrol_stage` makes it."""
    if by_zones:
        return enrol_by_zones(ways, zones, measure=measure, low_grade_share=low_grade_share)
    nearest = find_nearest(ways, measure=measure, preferred=zones)
    low, upper = pin_bands(ways, nearest, pins, measure=measure, preferred=zones)
    return enrol_nearest(
        ways, measure=measure, low_grade_share=low_grade_share, preferred=zones, nearest=low, upper=upper
    )


def _take_in(members: list[int], new: int, way: Floats32, low_only: Bools, tie: float) -> list[int]:
    """Return the zone of a unit after a school is opened, by grade band as ``planning.action_sites`` rewrites zones."""
    points, full = ([key for key in members if bool(low_only[key]) == low] for low in (True, False))
    own = float(way[new])
    nearer = [
        bool(group) and own < min(np.inf if np.isnan(way[key]) else float(way[key]) for key in group) - tie
        for group in (points, full)
    ]
    if low_only[new]:
        return [*full, new] if nearer[0 if points else 1] else members
    if not nearer[1]:
        return members
    return [*([] if nearer[0] else points), new]


def _pick_pins(pins: Pins | None, units: Ints, position: Ints) -> Pins | None:
    """Return the pins of some units, by their positions and those of the schools that are left."""
    if pins is None:
        return None
    at = {int(school): place for place, school in enumerate(position)}
    bands: list[dict[int, Ints]] = []
    for band in (pins.low, pins.upper):
        left = {
            row: [at[int(m)] for m in band.get(unit, NOBODY) if int(m) in at] for row, unit in enumerate(units.tolist())
        }
        bands.append({row: np.array(sorted(members), dtype=np.int64) for row, members in left.items() if members})
    return Pins(*bands)


def read_table(table: pd.DataFrame, ways: Ways, position: Ints) -> tuple[Ints, Ints, Floats]:
    """Return (unit, school, share) of an enrolment table, units ascending; ``position`` of the schools of ``ways``."""
    unit = pd.Index(ways.unit_ids).get_indexer(pd.Index(table["unit_id"].to_numpy(dtype=object)))
    school = pd.Index(ways.school_ids).get_indexer(pd.Index(table["school_id"].to_numpy(dtype=object)))
    found = np.append(position, -1)[school]
    return unit.astype(np.int64), found.astype(np.int64), table["share"].to_numpy(dtype=np.float64)


def _join(table: Floats | Floats32, units: Ints, kept: Ints, new: Sequence[Floats32]) -> Floats32:
    """Return rows and columns of a matrix, with the ways to new schools behind."""
    own = np.asarray(table[np.ix_(units, kept)], dtype=np.float32)
    return np.concatenate([own, *(np.asarray(values, dtype=np.float32)[units, None] for values in new)], axis=1)
