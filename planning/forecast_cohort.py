"""Cohort survival: every grade is the grade below it of the year before, times a ratio; entry follows births.

    pupils (school s, grade g + 1, year t + 1) = ratio (s, g) × those handed to s from grade g of the year t
    entry (s, t) = capture (s, t) × children of entry age (area of s, t)

Handed are a school's own pupils, and those of schools that end at the grade (``planning.forecast_flows``). The ratio of
a school is taken over the years of the window, later years weighing more, and drawn to that of its town, and that to
the county's:

    ratio = (sum of w × pupils + k × wider ratio) / (sum of w × handed + k)

with *k* in mean cohorts of a school, so that doubling all numbers changes no ratio. Where nothing is known it is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planning.forecast_births import Born
from planning.forecast_capture import RECENCY, Capture, fit_entry, list_children
from planning.forecast_flows import Flows
from planning.forecast_inputs import Cells, SchoolBlock
from planning.forecast_options import VARIANTS, ForecastOptions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FLOW_SHRINKAGE = 0.02
"""How strongly ratios into schools that others feed are drawn to the wider ones, against other ratios: they also hold
what the flows get wrong, which is a school's own."""
SIGNS = np.array([-1.0, 0.0, 1.0])
LEAST_RATIO_DEVIATION, ASSUMED_RATIO_DEVIATION = 0.003, 0.015
"""Yearly standard deviations of logarithms: at least; and where the rolls hold too few years to see one."""
MOST, LEAST = 3.0, 0.2
"""Bounds of the ratio of one school."""


@dataclass(frozen=True, eq=False)
class Area:
    """Ratios (places, cells) and captures of schools, or of the county as one school."""

    ratio: Floats
    capture: Capture


@dataclass(frozen=True, eq=False)
class CohortFit:
    """What the years up to the base year say. The deviations are by stage; ``transitions``: pairs of years whose
    grades were seen.

    ``from_births``: stages whose entry follows births (or is held), not leavers of the stage before.
    """

    schools: Area
    county: Area
    ratio_deviation: Floats
    entry_deviation: Floats
    transitions: int
    from_births: frozenset[str]


def list_donors(cells: Cells, from_births: frozenset[str]) -> Mapping[int, int]:
    """Return for every cell the one from which its pupils come; entry from births has none."""
    donors: dict[int, int] = {}
    for stage in cells.stages:
        first = cells.first[stage]
        donors |= {cell: cell - 1 for cell in range(first + 1, cells.last[stage] + 1)}
        if stage not in from_births:
            donors[first] = cells.last[{"junior": "primary", "senior": "junior"}[stage]]
    return donors


def find_birth_stages(cells: Cells, with_rolls: frozenset[str]) -> frozenset[str]:
    """Return the stages that are not entered from another one."""
    before = {"junior": "primary", "senior": "junior"}
    return frozenset(
        stage
        for stage in cells.stages
        if before.get(stage) not in cells.first or stage not in with_rolls or before.get(stage) not in with_rolls
    )


def fit_cohort(
    block: SchoolBlock, cells: Cells, flows: Flows, born: Born | None, base: int, options: ForecastOptions
) -> CohortFit:
    """Return ratios and captures as they were known in the school year ``base``."""
    years = np.array(block.years)
    at = np.flatnonzero((years <= base) & (years >= base - options.window_years))
    pupils = block.pupils[at]
    weights = RECENCY ** (base - years[at]).astype(np.float64)
    pairs = [(i, i + 1) for i in range(len(at) - 1) if years[at][i + 1] == years[at][i] + 1]
    donors = list_donors(cells, flows.from_births)
    upper, lower = _pair_up(pupils, pairs, donors, flows, cells)
    paired = np.array([weights[after] for _, after in pairs])
    mean_cohort = _compute_mean_cohorts(pupils[-1], cells)
    fed = np.array([cell in flows.shares for cell in range(len(cells))])
    k = options.shrink_cohorts * mean_cohort * np.where(fed, FLOW_SHRINKAGE, 1.0)
    school, county = shrink_ratios(upper, lower, paired, block.town, k)
    entry = fit_entry(block, cells, flows, born, at, options)
    return CohortFit(
        schools=Area(school, entry.schools),
        county=Area(county, entry.county),
        ratio_deviation=_find_ratio_deviation(upper, lower, county[0], cells),
        entry_deviation=entry.deviation,
        transitions=int((lower.sum(axis=(1, 2)) > 0).sum()),
        from_births=flows.from_births,
    )


def _pair_up(
    pupils: Floats, pairs: list[tuple[int, int]], donors: Mapping[int, int], flows: Flows, cells: Cells
) -> tuple[Floats, Floats]:
    """Return pupils of the year after and those handed to the school, (pairs, schools, cells); 0 where unknown."""
    shape = (len(pairs), pupils.shape[1], len(cells))
    upper, lower = np.zeros(shape), np.zeros(shape)
    for row, (before, after) in enumerate(pairs):
        for cell, donor in donors.items():
            handed = flows.hand(cell, pupils[before, :, donor][:, None])[:, 0]
            now = pupils[after, :, cell]
            known = np.isfinite(handed) & np.isfinite(now)
            upper[row, known, cell], lower[row, known, cell] = now[known], handed[known]
            follow = flows.successors[cells.stage[cell]]
            shut = (follow >= 0) & (np.nan_to_num(pupils[after][:, cells.of(cells.stage[cell])]).sum(axis=1) <= 0)
            np.add.at(lower[row, :, cell], follow[shut], lower[row, shut, cell])
            lower[row, shut, cell] = 0.0
    return upper, lower


def _compute_mean_cohorts(pupils: Floats, cells: Cells) -> Floats:
    """Return the mean size of a grade at a school, by cell, that of its stage."""
    means = np.zeros(len(cells))
    for stage in cells.stages:
        part = pupils[:, cells.of(stage)]
        part = part[np.isfinite(part) & (part > 0)]
        means[cells.of(stage)] = part.mean() if len(part) else 1.0
    return means


def shrink_ratios(upper: Floats, lower: Floats, weights: Floats, town: Ints, k: Floats) -> tuple[Floats, Floats]:
    """Return the ratios of schools (schools, cells) and of the county (1, cells)."""
    n_schools, n_cells = upper.shape[1:]
    if not len(weights):
        return np.ones((n_schools, n_cells)), np.ones((1, n_cells))
    up, low = np.tensordot(weights, upper, 1), np.tensordot(weights, lower, 1)
    county = _divide(up.sum(axis=0), low.sum(axis=0), np.ones(n_cells))
    towns = int(town.max()) + 1 if n_schools else 0
    town_up, town_low = np.zeros((towns, n_cells)), np.zeros((towns, n_cells))
    np.add.at(town_up, town, up)
    np.add.at(town_low, town, low)
    wider = _divide(town_up + k * county, town_low + k, np.broadcast_to(county, town_up.shape))
    ratio = _divide(up + k * wider[town], low + k, wider[town])
    return np.clip(ratio, LEAST, MOST), county[None, :]


def _divide(above: Floats, below: Floats, other: Floats) -> Floats:
    """Return the quotient, ``other`` where the divisor is 0."""
    out = np.array(np.broadcast_to(other, above.shape), dtype=np.float64)
    return np.divide(above, below, out=out, where=below > 0)


def _find_ratio_deviation(upper: Floats, lower: Floats, county: Floats, cells: Cells) -> Floats:
    """Return by stage how much all ratios together moved from year to year (standard deviation of the logarithm)."""
    found = np.full(len(cells.stages), ASSUMED_RATIO_DEVIATION)
    for at, stage in enumerate(cells.stages):
        part = cells.of(stage)
        expected = (lower[:, :, part].sum(axis=1) * county[part]).sum(axis=1)
        seen = np.where(lower[:, :, part].sum(axis=1) > 0, upper[:, :, part].sum(axis=1), 0.0).sum(axis=1)
        good = (expected > 0) & (seen > 0)
        if good.sum() >= 3:
            found[at] = max(float(np.std(np.log(seen[good] / expected[good]), ddof=1)), LEAST_RATIO_DEVIATION)
    return found


def run_cohort(
    fit: CohortFit,
    area: Area,
    base: Floats,
    cells: Cells,
    flows: Flows | None,
    *,
    born: Born | None,
    years: Ints,
    options: ForecastOptions,
) -> Floats:
    """Return pupils (variants, years, places, cells) from those of the base year, ``base`` (places, cells).

    Parameters
    ----------
    area
        ``fit.schools`` or ``fit.county``.
    flows
        Who hands pupils to whom; None: one place, the county.
    years
        The years after the base year, without a gap.
    """
    donors = list_donors(cells, fit.from_births)
    stage_at = {stage: at for at, stage in enumerate(cells.stages)}
    children = {stage: list_children(cells, stage, born, years) for stage in fit.from_births}
    migration = 1.0 + np.array(options.migration_share_per_year)
    now = np.repeat(np.nan_to_num(base)[None], len(VARIANTS), axis=0)
    found = np.zeros((len(VARIANTS), len(years), *base.shape))
    for at in range(len(years)):
        away = at + 1
        step = SIGNS * options.range_deviations * (np.sqrt(away) - np.sqrt(away - 1))
        nearer = np.zeros_like(now)
        for cell, donor in donors.items():
            handed = now[:, :, donor] if flows is None else flows.hand(cell, now[:, :, donor].T).T
            factor = migration * np.exp(step * fit.ratio_deviation[stage_at[cells.stage[cell]]])
            nearer[:, :, cell] = handed * area.ratio[:, cell] * factor[:, None]
        for stage in fit.from_births:
            place = stage_at[stage]
            spread = SIGNS * options.range_deviations * fit.entry_deviation[place] * np.sqrt(away)
            factor = migration**away * np.exp(spread)
            entry = area.capture.enter(children[stage][at], place, away) * factor[:, None]
            nearer[:, :, cells.first[stage]] = np.nan_to_num(entry)
        found[:, at] = now = nearer
    return found
