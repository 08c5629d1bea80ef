"""One run of cohorts as it could be made in some school year, for the county and its schools, and their agreement."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from geodata.study import StudyArea
from planning.forecast_births import Born, extend_births
from planning.forecast_cohort import CohortFit, find_birth_stages, fit_cohort, run_cohort
from planning.forecast_flows import Flows, build_flows, build_zone_shares
from planning.forecast_inputs import Cells, Inputs, split_base
from planning.forecast_options import ForecastOptions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CohortRun:
    """``county`` (variants, years, cells) and ``schools`` (variants, years, schools, cells), not yet in agreement."""

    county: Floats
    schools: Floats
    fit: CohortFit
    flows: Flows
    born: Born | None


def run_from(study: StudyArea, inputs: Inputs, base: int, years: Ints, options: ForecastOptions) -> CohortRun:
    """Return cohorts run from the school year ``base`` with what was known then: rolls up to it, and births.

    Births are known as long before or after the rolls as they are today, but never of a year after ``base``.
    """
    cells, births = inputs.cells, inputs.births
    if births is not None and base < inputs.base_year:
        births = births.until(base + min(births.last_year - inputs.base_year, 0))
    block = split_base(inputs.schools, cells, base, births)
    inputs = replace(inputs, schools=block)
    born = None if births is None else extend_births(births, int(years[-1]) if len(years) else base, options)
    if born is not None and born.units is not None:
        born = replace(born, zones=_gather_zones(study, inputs, born.units))
    flows = build_flows(study, inputs, find_birth_stages(cells, inputs.with_rolls), base=base)
    fit = fit_cohort(block, cells, flows, born, base, options)
    start = block.pupils[block.years.index(base)]
    total = np.nansum(start, axis=0)[None, :]
    county = run_cohort(fit, fit.county, total, cells, None, born=born, years=years, options=options)
    schools = run_cohort(fit, fit.schools, start, cells, flows, born=born, years=years, options=options)
    return CohortRun(county[:, :, 0], schools, fit, flows, born)


def _gather_zones(study: StudyArea, inputs: Inputs, units: Floats) -> dict[str, Floats]:
    """Return births by stage in the zones of its schools (years, variants, schools)."""
    found = {}
    for stage in inputs.cells.stages:
        shares = build_zone_shares(study.zones, inputs, stage)
        if shares is not None:
            flat = np.nan_to_num(units).reshape(-1, units.shape[2])
            found[stage] = np.asarray(flat @ shares).reshape(*units.shape[:2], -1)
    return found


def scale_schools(schools: Floats, county: Floats, cells: Cells) -> Floats:
    """Return the schools' pupils scaled so that every grade, year and variant adds up to the county's.

    A grade that no school has, though the county does, is spread as the school's whole stage is.
    """
    sums = schools.sum(axis=2)
    found = schools * np.divide(county, sums, out=np.zeros_like(sums), where=sums > 0)[:, :, None]
    for stage in cells.stages:
        part = cells.of(stage)
        bare = (sums[:, :, part] <= 0) & (county[:, :, part] > 0)
        if not bare.any():
            continue
        weight = schools[..., part].sum(axis=3)
        total = weight.sum(axis=2, keepdims=True)
        share = np.divide(weight, total, out=np.full(weight.shape, 1.0 / max(weight.shape[2], 1)), where=total > 0)
        spread = share[..., None] * county[:, :, None, part]
        found[..., part] = np.where(bare[:, :, None], spread, found[..., part])
    return np.asarray(found)


def sum_stages(values: Floats, cells: Cells) -> Floats:
    """Return sums over the grades of every stage: the last axis goes from cells to stages."""
    sums = np.zeros((*values.shape[:-1], len(cells.stages)))
    for at, stage in enumerate(cells.stages):
        sums[..., at] = values[..., cells.of(stage)].sum(axis=-1)
    return sums


def scale_stages(values: Floats, totals: Floats, cells: Cells) -> Floats:
    """Return the cells scaled so that every stage adds up to ``totals`` (…, stages)."""
    sums = sum_stages(values, cells)
    factor = np.divide(totals, sums, out=np.ones_like(sums), where=sums > 0)
    place = [cells.stages.index(stage) for stage in cells.stage]
    return np.asarray(values * factor[..., place])
