"""Who hands pupils to whom: teaching points to complete schools, primary to junior schools, junior to senior schools.

Flows are shares of the leavers of a school; they add up to 1, so that nobody is lost on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from geodata.study import StudyArea
from planning.forecast_inputs import Inputs, SchoolBlock

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shares = Mapping[int, sparse.csr_array]

OWN_SCHOOL = 30.0
"""How much likelier a school with both stages is for its own leavers than one next door, where only the rolls tell."""
FITTING_ROUNDS = 60


@dataclass(frozen=True, eq=False)
class Flows:
    """``shares`` by cell: (to school, from school); a cell that is not there: everyone stays at the school.

    ``from_births``: stages whose entry follows births. ``zoned``: stages whose flows follow the given zones.
    ``successors`` by stage: the school that took over from one that closed before the base year; -1: none.
    """

    shares: Shares
    from_births: frozenset[str]
    zoned: frozenset[str] = frozenset()
    successors: Mapping[str, Ints] = field(default_factory=dict)

    def hand(self, cell: int, leavers: Floats) -> Floats:
        """Return those handed to every school for a cell; ``leavers`` (schools, any) of the cell before."""
        if cell not in self.shares:
            return leavers
        return np.asarray(self.shares[cell] @ leavers)


def build_flows(study: StudyArea, inputs: Inputs, from_births: frozenset[str], *, base: int) -> Flows:
    """Return the flows as they could be known in the school year ``base``: its rolls, and the zones of the study."""
    block, cells = inputs.schools, inputs.cells
    shares: dict[int, sparse.csr_array] = {}
    at = block.years.index(base)
    zones = {stage: build_zone_shares(study.zones, inputs, stage) for stage in cells.stages}
    zoned = set()
    for stage in cells.stages:
        shares |= _hand_on_inside(inputs, stage, at, zones[stage])
        if stage in from_births:
            continue
        before = {"junior": "primary", "senior": "junior"}[stage]
        donor, first = cells.last[before], cells.first[stage]
        seeds = _find_seeds(block, block.totals[at, :, cells.stages.index(stage)] > 0, alike=stage == "senior")
        seen = _fit_margins(seeds, block, donor, first, at)
        children = np.nan_to_num(inputs.units.children[:, cells.stages.index(before)])
        if zones[stage] is not None and zones[before] is not None:
            by_zone = (zones[stage].T @ sparse.diags_array(children) @ zones[before]).toarray()  # type: ignore[union-attr]
            by_zone[~seeds.any(axis=1)] = 0.0
            has = by_zone.sum(axis=0) > 0
            seen[:, has] = by_zone[:, has] / by_zone[:, has].sum(axis=0)
            zoned.add(stage)
        shares[first] = sparse.csr_array(seen)
    followed = {stage: _find_successors(inputs, stage, at) for stage in cells.stages}
    return Flows(shares, from_births, frozenset(zoned), followed)


def _find_successors(inputs: Inputs, stage: str, at: int) -> Ints:
    """Return for every school that has closed by now the nearest open one (of its town first); -1 for the others.

    A closed school that is not in the table of schools stands nowhere, so nobody follows it.
    """
    block, place = inputs.schools, inputs.cells.stages.index(stage)
    totals = np.nan_to_num(block.totals[: at + 1, :, place])
    closed = (totals[-1] <= 0) & (totals.max(axis=0) > 0) & np.isfinite(block.x_m)
    found = np.full(len(block.ids), -1, dtype=np.int64)
    if (totals[-1] > 0).any():
        for school in np.flatnonzero(closed):
            found[school] = int(_choose_receivers(inputs, int(school), totals[-1] > 0, stage, None).argmax())
    return found


def build_zone_shares(zones: pd.DataFrame, inputs: Inputs, stage: str) -> sparse.csr_array | None:
    """Return shares (units, schools) of the zones of a stage; shared zones in equal parts; None without zones.

    ``zones``: unit_id, stage, school_id and, if there is one, share. Schools without rolls are left out.
    """
    rows = zones[zones["stage"] == stage]
    unit = pd.Index(inputs.units.ids).get_indexer(pd.Index(rows["unit_id"].astype(str)))
    school = pd.Index(inputs.schools.ids).get_indexer(pd.Index(rows["school_id"].astype(str)))
    weight = rows["share"].to_numpy(dtype=np.float64) if "share" in rows.columns else np.ones(len(rows))
    good = (unit >= 0) & (school >= 0) & (weight > 0)
    if not good.any():
        return None
    shape = (len(inputs.units.ids), len(inputs.schools.ids))
    table = sparse.csr_array((weight[good], (unit[good], school[good])), shape=shape)
    if "share" not in rows.columns:
        table = sparse.csr_array(table / np.maximum(np.asarray(table.sum(axis=1)), 1.0)[:, None])
    return table


def _hand_on_inside(inputs: Inputs, stage: str, at: int, zones: sparse.csr_array | None) -> dict[int, sparse.csr_array]:
    """Return the flows of a stage's grades where some schools end early (teaching points)."""
    block, cells = inputs.schools, inputs.cells
    part = cells.of(stage)
    top = _find_top(block.pupils[: at + 1, :, part], block)
    teaches = np.nan_to_num(block.pupils[at][:, part]).sum(axis=1) > 0
    count = cells.count(stage)
    shares = {}
    for grade in range(1, count):
        ends = teaches & (top == grade - 1)
        goes_on = teaches & (top >= grade)
        if not ends.any() or not goes_on.any():
            continue
        table = np.eye(len(block.ids))
        for school in np.flatnonzero(ends):
            table[:, school] = _choose_receivers(inputs, int(school), goes_on, stage, zones)
        shares[cells.first[stage] + grade] = sparse.csr_array(table)
    return shares


def _find_top(pupils: Floats, block: SchoolBlock) -> Ints:
    """Return the position of the highest grade after which pupils leave a school; the last where all go on.

    ``pupils``: (years, schools, grades) of one stage up to the base year. A school ends where nobody of its highest
    grade was seen in the next one a year later; with one year only teaching points end.
    """
    count = pupils.shape[2]
    now = np.nan_to_num(pupils[-1])
    highest = np.where(now > 0, np.arange(count), -1).max(axis=1)
    top = np.full(len(highest), count - 1, dtype=np.int64)
    point = np.array([kind == "teaching_point" for kind in block.kind])
    for school in np.flatnonzero((highest >= 0) & (highest < count - 1)):
        grade = int(highest[school])
        earlier = np.nan_to_num(pupils[:-1, school])
        taught = earlier[:, grade] > 0
        if taught.any():
            later = np.nan_to_num(pupils[1:, school, grade + 1])
            went_on = bool((later[taught] > 0).any())
            top[school] = count - 1 if went_on else grade
        elif point[school]:
            top[school] = grade
    return top


def _choose_receivers(
    inputs: Inputs, school: int, goes_on: npt.NDArray[np.bool_], stage: str, zones: sparse.csr_array | None
) -> Floats:
    """Return shares of the schools that take the leavers: those of the same zone, else the nearest (town first)."""
    block = inputs.schools
    if zones is not None:
        children = np.nan_to_num(inputs.units.children[:, inputs.cells.stages.index(stage)])
        own = zones[:, [school]].toarray()[:, 0] * children
        weight = np.where(goes_on, np.asarray(own @ zones), 0.0)
        if weight.sum() > 0:
            return np.asarray(weight / weight.sum())
    away = np.hypot(block.x_m - block.x_m[school], block.y_m - block.y_m[school])
    away = np.where(np.isfinite(away), away, 1e9)
    apart = block.town != block.town[school]
    found = np.zeros(len(block.ids))
    order = np.lexsort((np.arange(len(away)), np.round(away, 3), apart, ~goes_on))
    found[order[0]] = 1.0
    return found


def _find_seeds(block: SchoolBlock, taught: npt.NDArray[np.bool_], *, alike: bool) -> Floats:
    """Return how likely leavers of a school (columns) enter another (rows): by distance; ``alike``: all the same."""
    seeds = np.where(taught[:, None], 1.0, 0.0) * np.ones(len(block.ids))
    if alike:
        return seeds
    away = np.hypot(block.x_m[:, None] - block.x_m, block.y_m[:, None] - block.y_m)
    known = np.isfinite(away)
    nearest = np.where(known & taught[:, None], away, np.inf).min(axis=0, initial=np.inf)
    near = nearest[np.isfinite(nearest) & (nearest > 0)]
    reach = max(float(np.median(near)), 1.0) if len(near) else 1.0
    fade = np.where(known, np.exp(-np.where(known, away, 0.0) / reach), np.exp(-1.0))
    apart = block.town[:, None] != block.town
    fade = np.maximum(np.where(apart, fade * 0.3, fade), 1e-9)
    fade[np.arange(len(fade)), np.arange(len(fade))] = OWN_SCHOOL
    return seeds * fade


def _fit_margins(seeds: Floats, block: SchoolBlock, donor: int, first: int, at: int) -> Floats:
    """Return shares (to, from) whose sums are the leavers and the entry that the rolls show (proportional fitting)."""
    years = block.years
    pairs = [i for i in range(at) if years[i + 1] == years[i] + 1]
    if pairs:
        leavers = np.nansum([block.pupils[i, :, donor] for i in pairs], axis=0)
        entered = np.nansum([block.pupils[i + 1, :, first] for i in pairs], axis=0)
    else:
        leavers, entered = np.nan_to_num(block.pupils[at, :, donor]), np.nan_to_num(block.pupils[at, :, first])
    table = seeds * leavers
    goal = entered * (seeds.any(axis=1))
    if goal.sum() > 0 and table.sum() > 0:
        goal = goal * leavers.sum() / goal.sum()
        for _ in range(FITTING_ROUNDS):
            rows = table.sum(axis=1)
            table *= np.divide(goal, rows, out=np.zeros(len(rows)), where=rows > 0)[:, None]
            columns = table.sum(axis=0)
            table *= np.divide(leavers, columns, out=np.zeros(len(columns)), where=columns > 0)
    rows = table.sum(axis=0)
    other = np.divide(seeds, seeds.sum(axis=0), out=np.zeros_like(seeds), where=seeds.sum(axis=0) > 0)
    found: Floats = np.where(rows > 0, np.divide(table, rows, out=np.zeros_like(table), where=rows > 0), other)
    return found
