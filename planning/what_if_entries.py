"""Who goes where as arrays, the moves between two such answers, and the numbers of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.study import FrozenArrays
from planning.measures import compute_quantile
from planning.what_if_types import NUMBERS, SCHOOL_COLUMNS, Bools, Floats, Floats32, Ints, NewColumn, WhatIfAnswer

SHARE_TOLERANCE = 1e-9
"""Parts of a row up to this are rounding."""
PUPIL_TOLERANCE = 1e-6
"""Pupils above the places up to this are rounding."""


@dataclass(frozen=True, eq=False)
class Entries(FrozenArrays):
    """Parts of rows at schools: ``row`` ascending, ``school`` (−1 = none can be reached), ``share`` of the unit.

    A row is a unit, or a grade band and class of its pupils; ``unit_of_row`` (rows,). ``changed``: rows that may
    differ from the base (all others are the same entries).
    """

    row: Ints
    school: Ints
    share: Floats
    unit_of_row: Ints
    changed: Ints

    @property
    def unit(self) -> Ints:
        """Unit of each entry."""
        unit: Ints = self.unit_of_row[self.row]
        return unit


@dataclass(frozen=True, eq=False)
class Solved:
    """Entries after a change, and the value of the objective with its bound (NaN where nothing is optimised).

    ``touched`` (columns,): where the price or somebody's school changed; None where that is not known by column.
    """

    entries: Entries
    objective: float = float("nan")
    bound: float = float("nan")
    touched: Bools | None = None


@dataclass(frozen=True, eq=False)
class Ground(FrozenArrays):
    """What numbers are made of: units, schools, ways and limits of one stage.

    ``pupils`` (units,) NaN = unknown; ``time_min`` (units, schools) NaN = none; ``way`` (units, schools) what the
    limit is compared with, NaN = none; ``limit`` (units, 1) or (units, schools), ``inf`` = no rule; ``own_limit``
    (units,) NaN where it depends on the school; ``setting_limits`` by setting of the school; ``places`` (schools,) NaN
    = unknown. ``by_time``: ``way`` is minutes.
    """

    school_ids: tuple[str, ...]
    names: tuple[str, ...]
    pupils: Floats
    time_min: Floats32
    way: Floats32
    limit: Floats
    own_limit: Floats
    setting_limits: tuple[tuple[str, float], ...]
    places: Floats
    by_time: bool

    def minutes_of(self, unit: Ints, school: Ints, opened: Sequence[NewColumn]) -> Floats:
        """Return minutes of the ways, NaN = none."""
        return self._look_up(self.time_min, [column.time_min for column in opened], unit, school)

    def beyond_of(self, unit: Ints, school: Ints, opened: Sequence[NewColumn]) -> Floats:
        """Return by how much each way is beyond the limit (0 = within, NaN = no way)."""
        new = [column.time_min if self.by_time else column.length_m for column in opened]
        way = self._look_up(self.way, new, unit, school)
        wide = self.limit.shape[1] > 1
        limit = self.limit[unit, np.minimum(school, self.limit.shape[1] - 1) if wide else 0].astype(np.float64)
        for place in np.flatnonzero(school >= len(self.school_ids)) if wide else ():
            column = opened[int(school[place]) - len(self.school_ids)]
            own = self.own_limit[unit[place]]
            limit[place] = dict(self.setting_limits).get(column.setting, np.inf) if np.isnan(own) else own
        beyond: Floats = np.where(np.isnan(way), np.nan, np.maximum(way - limit, 0.0))
        return beyond

    def _look_up(self, table: Floats32, new: Sequence[Floats32], unit: Ints, school: Ints) -> Floats:
        n_schools = len(self.school_ids)
        known = (school >= 0) & (school < n_schools)
        found = np.full(len(unit), np.nan)
        found[known] = table[unit[known], school[known]]
        for place, values in enumerate(new):
            at = school == n_schools + place
            found[at] = values[unit[at]]
        return found


@dataclass(frozen=True, eq=False)
class Moves(FrozenArrays):
    """Parts of units that go elsewhere: from school to school (−1 = none), ``share`` of the unit, and their pupils.

    ``min_before``, ``min_after`` minutes of the way (NaN = none), ``beyond_before``, ``beyond_after``: whether it is
    beyond the limit.
    """

    unit: Ints
    origin: Ints
    target: Ints
    share: Floats
    pupils: Floats
    min_before: Floats
    min_after: Floats
    beyond_before: Bools
    beyond_after: Bools


def find_moves(ground: Ground, before: Entries, after: Entries, opened: Sequence[NewColumn]) -> Moves:
    """Return the moves between two answers. Where a row leaves several schools for several, in proportion."""
    row, school, share = _list_changes(before, after, after.changed)
    lost, won = np.flatnonzero(share < -SHARE_TOLERANCE), np.flatnonzero(share > SHARE_TOLERANCE)
    first = np.searchsorted(row[won], row[lost], side="left")
    count = np.searchsorted(row[won], row[lost], side="right") - first
    source = np.repeat(lost, count)
    target = won[np.repeat(first - (np.cumsum(count) - count), count) + np.arange(len(source))]
    total = np.bincount(row[won], weights=share[won], minlength=len(after.unit_of_row))
    part = -share[source] * share[target] / total[row[source]]
    unit, origin, to = after.unit_of_row[row[source]], school[source], school[target]
    return Moves(
        unit=unit,
        origin=origin,
        target=to,
        share=part,
        pupils=np.nan_to_num(part * ground.pupils[unit]),
        min_before=ground.minutes_of(unit, origin, opened),
        min_after=ground.minutes_of(unit, to, opened),
        beyond_before=ground.beyond_of(unit, origin, opened) > 0,
        beyond_after=ground.beyond_of(unit, to, opened) > 0,
    )


def _list_changes(before: Entries, after: Entries, rows: Ints) -> tuple[Ints, Ints, Floats]:
    """Return (row, school, share after less before) of some rows, ordered by row."""
    parts = []
    for entries, sign in ((before, -1.0), (after, 1.0)):
        first = np.searchsorted(entries.row, rows, side="left")
        count = np.searchsorted(entries.row, rows, side="right") - first
        at = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
        parts.append((entries.row[at], entries.school[at], sign * entries.share[at]))
    row, school, share = (np.concatenate(column) for column in zip(*parts, strict=True))
    width = int(school.max(initial=-1)) + 2
    key, place = np.unique(row * width + school + 1, return_inverse=True)
    summed = np.bincount(place, weights=share, minlength=len(key)).astype(np.float64)
    return (key // width).astype(np.int64), (key % width - 1).astype(np.int64), summed


@dataclass(frozen=True, eq=False)
class Sums(FrozenArrays):
    """What one answer adds up to: by school, by unit, and in total."""

    load: Floats
    over: Floats
    unit_school: Ints
    minutes: Floats
    mean_min: float
    max_min: float
    p95_min: float
    beyond_pupils: float
    over_pupils: float
    unreached_pupils: float
    pupil_min: float


def add_up(ground: Ground, entries: Entries, opened: Sequence[NewColumn], places: Floats) -> Sums:
    """Return the sums of one answer; ``places`` (schools and those opened), NaN = unknown."""
    unit, school, share = entries.unit, entries.school, entries.share
    pupils = np.nan_to_num(share * ground.pupils[unit])
    minutes = ground.minutes_of(unit, school, opened)
    reached, timed = school >= 0, np.isfinite(minutes)
    n_units = len(ground.pupils)
    load = np.bincount(school[reached], weights=pupils[reached], minlength=len(places)).astype(np.float64)
    over = np.where(np.isnan(places), 0.0, np.maximum(load - places, 0.0))
    over[over < PUPIL_TOLERANCE] = 0.0
    weight, spent = np.where(timed, pupils, 0.0), np.where(timed, minutes, 0.0)
    by_unit = np.bincount(unit, weights=np.where(timed, share, 0.0), minlength=n_units)
    mean = np.bincount(unit, weights=np.where(timed, share, 0.0) * spent, minlength=n_units)
    total = float(weight.sum())
    return Sums(
        load=load,
        over=over,
        unit_school=_find_main(unit, school, share, n_units),
        minutes=np.divide(mean, by_unit, out=np.full(n_units, np.nan), where=by_unit > 0),
        mean_min=float((weight * spent).sum()) / total if total > 0 else float("nan"),
        max_min=float(minutes[weight > 0].max()) if (weight > 0).any() else float("nan"),
        p95_min=compute_quantile(minutes, weight, 0.95),
        beyond_pupils=float(pupils[ground.beyond_of(unit, school, opened) > 0].sum()),
        over_pupils=float(over.sum()),
        unreached_pupils=float(pupils[~reached].sum()),
        pupil_min=float((weight * spent).sum()),
    )


def _find_main(unit: Ints, school: Ints, share: Floats, n_units: int) -> Ints:
    """Return the school with the largest share of each unit, the first of equal ones; −1 = none."""
    main = np.full(n_units, -1, dtype=np.int64)
    single = np.bincount(unit, minlength=n_units)[unit] == 1
    main[unit[single]] = school[single]
    rest = np.flatnonzero(~single)
    if len(rest):
        width = int(school.max(initial=-1)) + 2
        key, place = np.unique(unit[rest] * width + school[rest] + 1, return_inverse=True)
        summed = np.round(np.bincount(place, weights=share[rest]), 9)
        of, at = key // width, key % width - 1
        order = np.lexsort((at, -summed, at < 0, of))
        first = order[np.concatenate([[True], np.diff(of[order]) > 0])]
        main[of[first]] = at[first]
    return main


def compose_answer(
    ground: Ground,
    base: Solved,
    base_sums: Sums,
    solved: Solved,
    opened: Sequence[NewColumn],
    places: Floats,
    named: Ints,
) -> WhatIfAnswer:
    """Return the answer to a change; ``named``: positions of the schools that it names."""
    entries = solved.entries
    same = not len(entries.changed) and not opened and not len(named)
    sums = base_sums if same else add_up(ground, entries, opened, places)
    moves = find_moves(ground, base.entries, entries, opened)
    n_units = len(ground.pupils)
    moved = np.bincount(moves.unit, weights=moves.share, minlength=n_units)
    moved_units = np.flatnonzero((moved > SHARE_TOLERANCE) & ~(ground.pupils == 0))
    school_ids = (*ground.school_ids, *(column.school_id for column in opened))
    numbers = {
        "pupils": float(np.nansum(ground.pupils)),
        **describe_moves(moves),
        "moved_units": float(len(moved_units)),
        **_pair_numbers(base_sums, sums),
        "objective_before": base.objective,
        "objective": solved.objective,
        "bound": solved.bound,
    }
    return WhatIfAnswer(
        school_ids=school_ids,
        unit_school=sums.unit_school,
        minutes=sums.minutes,
        schools=_tabulate_schools(ground, base_sums, sums, opened, places, named),
        numbers={name: numbers[name] for name in NUMBERS},
        moved_units=moved_units,
        moved_pupils=np.bincount(moves.unit, weights=moves.pupils, minlength=n_units).astype(np.float64),
        flow_unit=moves.unit,
        flow_from=moves.origin,
        flow_to=moves.target,
        flow_pupils=moves.pupils,
        flow_min_before=moves.min_before,
        flow_min_after=moves.min_after,
        flow_beyond_before=moves.beyond_before,
        flow_beyond_after=moves.beyond_after,
    )


def _tabulate_schools(
    ground: Ground, before: Sums, after: Sums, opened: Sequence[NewColumn], places: Floats, named: Ints
) -> pd.DataFrame:
    """Return ``SCHOOL_COLUMNS``."""
    new = np.zeros(len(opened))
    load_before = np.concatenate([before.load, new])
    changed = np.abs(after.load - load_before) > PUPIL_TOLERANCE
    changed[named] = True
    return pd.DataFrame(
        {
            "school_id": [*ground.school_ids, *(column.school_id for column in opened)],
            "name": [*ground.names, *(column.name for column in opened)],
            "pupils_before": load_before,
            "pupils_after": after.load,
            "places_before": np.concatenate([ground.places, new]),
            "places_after": places,
            "over_before": np.concatenate([before.over, new]),
            "over_after": after.over,
            "changed": changed,
        },
        columns=list(SCHOOL_COLUMNS),
    )


def describe_moves(moves: Moves) -> dict[str, float]:
    """Return the numbers of those who move; minutes of those who reach a school (before and after)."""
    pupils, before, after = moves.pupils, moves.min_before, moves.min_after
    found: dict[str, float] = {"moved_pupils": float(pupils.sum())}
    for when, minutes in (("before", before), ("after", after)):
        weight = np.where(np.isfinite(minutes), pupils, 0.0)
        total = float(weight.sum())
        found[f"timed_pupils_{when}"] = total
        found[f"moved_mean_min_{when}"] = float(weight @ np.nan_to_num(minutes)) / total if total else float("nan")
    on_way = np.isfinite(after) & (pupils > 0)
    found["moved_max_min_after"] = float(after[on_way].max()) if on_way.any() else float("nan")
    both = np.isfinite(before) & np.isfinite(after)
    found["extra_pupil_min"] = float(pupils[both] @ (after - before)[both])
    return found


def _pair_numbers(before: Sums, after: Sums) -> dict[str, float]:
    found: dict[str, float] = {}
    for when, sums in (("before", before), ("after", after)):
        found[f"mean_min_{when}"] = sums.mean_min
        found[f"max_min_{when}"] = sums.max_min
        found[f"p95_min_{when}"] = sums.p95_min
        found[f"beyond_limit_pupils_{when}"] = sums.beyond_pupils
        found[f"over_places_pupils_{when}"] = sums.over_pupils
        found[f"unreached_pupils_{when}"] = sums.unreached_pupils
    return found
