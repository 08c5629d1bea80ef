"""Children by planning unit: today's, aged forward with the county's cohorts; entry by the births of unit or town.

In the base year the children of every unit are split over the grades so that both sums hold, those of the units as
given and those of the grades as in the county (iterative proportional fitting). From then on every grade of every unit
moves up, and each grade is scaled to the county's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from planning.forecast_births import Born
from planning.forecast_cohort import list_donors
from planning.forecast_inputs import Cells, Inputs, compute_entry_age
from planning.forecast_options import VARIANTS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FITTING_ROUNDS = 25


def project_units(
    inputs: Inputs, county: Floats, base: Floats, born: Born | None, years: Ints, from_births: frozenset[str]
) -> tuple[Floats, Floats, dict[str, float]]:
    """Return children (variants, years, stages, units), those of entry age, and children per pupil by stage.

    Parameters
    ----------
    county
        Pupils (variants, years, cells).
    base
        Pupils of the base year (cells,).
    """
    cells, units = inputs.cells, inputs.units
    ratio = _compute_children_per_pupil(cells, units.children, base)
    scale = np.array([ratio[stage] for stage in cells.stage])
    now = np.repeat(_split_base(inputs, base * scale, born)[None], len(VARIANTS), axis=0)
    shape = (len(VARIANTS), len(years), len(cells.stages), len(units.ids))
    children, entries = np.zeros(shape), np.zeros(shape)
    donors = list_donors(
        cells, frozenset(from_births & frozenset({"kindergarten", "primary"})) | _list_bare(cells, units.children)
    )
    weights = {stage: _Entry(inputs, born, stage, now[0][cells.of(stage)]) for stage in cells.stages}
    for at, year in enumerate(years):
        nearer = np.empty_like(now)
        for cell in range(len(cells)):
            source = donors.get(cell)
            raw = weights[cells.stage[cell]].weigh(int(year)) if source is None else now[:, source]
            total = np.nansum(raw, axis=1)
            factor = np.divide(county[:, at, cell] * scale[cell], total, out=np.zeros(len(total)), where=total > 0)
            nearer[:, cell] = raw * factor[:, None]
        now = nearer
        for place, stage in enumerate(cells.stages):
            unknown = ~np.isfinite(units.children[:, place])
            children[:, at, place] = now[:, cells.of(stage)].sum(axis=1)
            entries[:, at, place] = now[:, cells.first[stage]]
            children[:, at, place][:, unknown] = np.nan
            entries[:, at, place][:, unknown] = np.nan
    return children, entries, ratio


def _list_bare(cells: Cells, children: Floats) -> frozenset[str]:
    """Return the stages that children of units cannot enter from the stage before, because it is not known."""
    before = {"junior": "primary", "senior": "junior"}
    known = {stage for at, stage in enumerate(cells.stages) if np.isfinite(children[:, at]).any()}
    return frozenset(
        stage for stage in before if stage in cells.first and before[stage] not in known & set(cells.first)
    )


def _compute_children_per_pupil(cells: Cells, children: Floats, base: Floats) -> dict[str, float]:
    """Return children who live in the units by pupils on the rolls, by stage; 1 where no unit's are known."""
    ratio = {}
    for at, stage in enumerate(cells.stages):
        live, learn = float(np.nansum(children[:, at])), float(base[cells.of(stage)].sum())
        ratio[stage] = live / learn if np.isfinite(children[:, at]).any() and learn > 0 else 1.0
    return ratio


def _split_base(inputs: Inputs, base: Floats, born: Born | None) -> Floats:
    """Return children (cells, units) of the base year: sums by unit as given, sums by grade as in the county."""
    cells, units = inputs.cells, inputs.units
    found = np.zeros((len(cells), len(units.ids)))
    for at, stage in enumerate(cells.stages):
        rows = np.nan_to_num(units.children[:, at])
        columns = base[cells.of(stage)]
        if rows.sum() <= 0 or columns.sum() <= 0:
            continue
        seed = np.outer(columns, rows)
        if born is not None:
            age = compute_entry_age(cells, stage)
            lagged = [_lag_units(inputs, born, inputs.base_year - step, age)[1] for step in range(cells.count(stage))]
            alive = np.array(lagged)
            share = alive / np.maximum(alive.sum(axis=0), 1e-12)
            seed = np.where(alive.sum(axis=0) > 0, (share + 1e-6) * rows, seed / columns.sum())
        found[cells.of(stage)] = _fit(seed, rows, columns)
    return found


def _fit(table: Floats, by_unit: Floats, by_grade: Floats) -> Floats:
    """Return the table scaled to both margins, that of the units last but one, so that grades hold exactly."""
    for _ in range(FITTING_ROUNDS):
        sums = table.sum(axis=0)
        table = table * np.divide(by_unit, sums, out=np.zeros(len(sums)), where=sums > 0)
        sums = table.sum(axis=1)
        factor = np.divide(by_grade, sums, out=np.zeros(len(sums)), where=sums > 0)
        table = table * factor[:, None]
        if np.abs(factor[by_grade > 0] - 1.0).max(initial=0.0) < 1e-9:
            break
    return table


def _lag_units(inputs: Inputs, born: Born, year: int, age: int) -> Floats:
    """Return children of entry age by variant and unit: births of units, else the town's, else the county's, shared."""
    units = inputs.units
    if born.units is not None:
        own = born.lag("units", year, age)
        if np.isfinite(own).all():
            return own
    weight = np.nan_to_num(units.children).sum(axis=1)
    n_towns = len(inputs.towns)
    in_town = np.bincount(units.town, weight, minlength=n_towns)
    share = np.divide(weight, in_town[units.town], out=np.zeros(len(weight)), where=in_town[units.town] > 0)
    towns, county = born.lag("towns", year, age), born.lag("county", year, age)
    of_all = weight / max(weight.sum(), 1e-12)
    by_town = np.where(np.isfinite(towns[:, units.town]), towns[:, units.town] * share, county[:, None] * of_all)
    if born.units is None:
        return np.asarray(by_town)
    own = born.lag("units", year, age)
    return np.asarray(np.where(np.isfinite(own), own, by_town))


class _Entry:
    """How the children of entry age are spread over the units, year by year."""

    def __init__(self, inputs: Inputs, born: Born | None, stage: str, now: Floats) -> None:
        self.inputs, self.born = inputs, born
        self.age = compute_entry_age(inputs.cells, stage)
        self.flat = now.sum(axis=0)
        self.stay = np.ones(len(self.flat))
        if born is not None:
            steps = range(inputs.cells.count(stage))
            alive = np.sum([_lag_units(inputs, born, inputs.base_year - step, self.age)[1] for step in steps], axis=0)
            mean = float(alive.mean()) if len(alive) else 0.0
            wider = self.flat.sum() / alive.sum() if alive.sum() > 0 else 1.0
            self.stay = np.divide(
                self.flat + mean * wider, alive + mean, out=np.full(len(alive), wider), where=alive + mean > 0
            )

    def weigh(self, year: int) -> Floats:
        """Return weights (variants, units)."""
        if self.born is None:
            return np.repeat(self.flat[None], len(VARIANTS), axis=0)
        return _lag_units(self.inputs, self.born, year, self.age) * self.stay
