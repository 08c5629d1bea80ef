"""Entry to kindergarten and primary school: children of entry age, times the share of them that a school captures.

    capture (s, t) = entry (s, t) / children of entry age (area of s, t)

The area is the school's zone where births by unit and zones are known, else its town, else the county. Without births
the children are counted as 1 and the capture is the entry itself. A trend of the logarithm is fitted over the window.
That of the county is drawn to 0 by its own uncertainty; those of schools are drawn to the county's by as much as chance
explains their differences (random slopes, DerSimonian and Laird's estimate of their variance). Trends lose a part of
their slope every year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planning.forecast_births import Born
from planning.forecast_flows import Flows
from planning.forecast_inputs import Cells, SchoolBlock, compute_entry_age
from planning.forecast_options import VARIANTS, ForecastOptions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RECENCY = 0.8
"""Weight of a year against the one after it."""
DAMPING = 0.7
"""Share of the trend of capture that is left every year."""
CAUTION = 4.0
"""How far the county's trend of capture is drawn to 0: by so many times its squared standard error over its square."""
LEAST_YEARS = 3
"""Years of entry that show a trend."""
LEAST_DEVIATION, ASSUMED_DEVIATION = 0.02, 0.06
"""Yearly standard deviation of the logarithm: at least; and where the rolls hold too few years to see one."""


@dataclass(frozen=True, eq=False)
class Capture:
    """Entry by children of entry age: ``level`` in the base year and yearly ``trend``, both (places, stages).

    ``births_at``: by stage, the column of the births of each place's area (towns, the county, then zones of schools).
    """

    level: Floats
    trend: Floats
    births_at: Mapping[int, Ints]

    def enter(self, children: Floats, stage: int, away: int) -> Floats:
        """Return entry (variants, places) of a year; ``children`` (variants, areas), ``away``: years from the base."""
        drift = self.trend[:, stage] * np.sum(DAMPING ** np.arange(1, away + 1))
        return np.asarray(children[:, self.births_at[stage]] * self.level[:, stage] * np.exp(drift))


@dataclass(frozen=True, eq=False)
class EntryFit:
    """Captures of the schools and of the county, and by stage how much the county's moved from year to year."""

    schools: Capture
    county: Capture
    deviation: Floats


def fit_entry(
    block: SchoolBlock,
    cells: Cells,
    flows: Flows,
    born: Born | None,
    at: Ints,
    options: ForecastOptions,
) -> EntryFit:
    """Return what the entry of the years at positions ``at`` of the block says."""
    years = np.array(block.years)[at]
    shape = (len(block.ids), len(cells.stages))
    level, trend = np.zeros(shape), np.zeros(shape)
    county_level, county_trend = np.zeros((1, shape[1])), np.zeros((1, shape[1]))
    deviation = np.full(shape[1], ASSUMED_DEVIATION)
    places: dict[int, Ints] = {}
    whole = np.array([0 if born is None else born.towns.shape[2]])
    for place, stage in enumerate(cells.stages):
        if stage not in flows.from_births:
            continue
        children = list_children(cells, stage, born, years)[:, 1]
        entered = block.pupils[at][:, :, cells.first[stage]]
        places[place] = _choose_areas(block, born, children)
        total = np.nansum(entered, axis=1)
        seen = np.isfinite(entered).any(axis=1) & (total > 0) & (children[:, whole[0]] > 0)
        county_level[0, place], county_trend[0, place], deviation[place] = _fit_county(
            total[seen] / children[seen, whole[0]], years[seen], options
        )
        level[:, place], trend[:, place] = _fit_schools(
            _follow(entered, flows.successors[stage]),
            children[:, places[place]],
            years,
            float(county_trend[0, place]),
            options,
        )
    return EntryFit(
        Capture(level, trend, places),
        Capture(county_level, county_trend, dict.fromkeys(places, whole)),
        deviation,
    )


def _follow(entered: Floats, successors: Ints) -> Floats:
    """Return the entry (years, schools) with that of closed schools counted at those that followed them."""
    gone = np.flatnonzero(successors >= 0)
    if not len(gone):
        return entered
    found = entered.copy()
    np.add.at(found.T, successors[gone], np.nan_to_num(entered[:, gone]).T)
    found[:, gone] = 0.0
    return found


def _choose_areas(block: SchoolBlock, born: Born | None, children: Floats) -> Ints:
    """Return the column of the births of every school: its zone's, else its town's, else the county's."""
    if born is None:
        return np.zeros(len(block.ids), dtype=np.int64)
    n_towns = born.towns.shape[2]
    known = np.isfinite(born.towns).all(axis=(0, 1)) & (born.towns[-1, 1] > 0)
    found = np.where(known[block.town], block.town, n_towns)
    if children.shape[1] > n_towns + 1:
        zoned = (children[:, n_towns + 1 :] > 0).all(axis=0)
        found = np.where(zoned, n_towns + 1 + np.arange(len(found)), found)
    return found.astype(np.int64)


def list_children(cells: Cells, stage: str, born: Born | None, years: Ints) -> Floats:
    """Return children of the entry age by school year, variant and area; 1 without births.

    Areas are the towns, the county, and the zones of the schools where births of units and zones are known.
    """
    if born is None:
        return np.ones((len(years), len(VARIANTS), 1))
    age = compute_entry_age(cells, stage)
    rows = []
    for year in map(int, years):
        parts = [born.lag("towns", year, age), born.lag("county", year, age)[:, None]]
        if stage in born.zones:
            parts.append(born.lag_zones(stage, year, age))
        rows.append(np.concatenate(parts, axis=1))
    return np.array(rows)


def _fit_county(capture: Floats, years: Ints, options: ForecastOptions) -> tuple[float, float, float]:
    """Return the capture of the base year, its yearly trend (of the logarithm) and the deviation around it."""
    if not len(capture):
        return 0.0, 0.0, ASSUMED_DEVIATION
    logs = np.log(capture)
    weights = RECENCY ** (years[-1] - years).astype(np.float64)
    level = float(weights @ logs / weights.sum()) if options.capture != "last" else float(logs[-1])
    if len(capture) < LEAST_YEARS:
        return float(np.exp(level)), 0.0, ASSUMED_DEVIATION
    centre = float(weights @ years / weights.sum())
    away = years - centre
    slope = float(weights @ (away * logs) / (weights @ away**2)) if options.capture == "trend" else 0.0
    rest = logs - weights @ logs / weights.sum() - slope * away
    deviation = float(np.sqrt((rest**2).sum() / (len(rest) - (2 if slope else 1))))
    sure = 1.0 - CAUTION * deviation**2 / float((away**2).sum()) / slope**2 if slope else 0.0
    slope *= max(sure, 0.0)
    return float(np.exp(level + slope * (years[-1] - centre))), slope, max(deviation, LEAST_DEVIATION)


def _fit_schools(
    entered: Floats, children: Floats, years: Ints, county_trend: float, options: ForecastOptions
) -> tuple[Floats, Floats]:
    """Return level in the base year and trend of every school; entry and children are (years, schools).

    The first years of a school without any entry do not count: it was not yet open.
    """
    begun = np.isfinite(entered) & (np.cumsum(np.nan_to_num(entered) > 0, axis=0) > 0)
    usable = begun & np.isfinite(children) & (children > 0)
    weight = np.where(usable, RECENCY ** (years[-1] - years[:, None]).astype(np.float64), 0.0)
    if options.capture == "last":
        weight[:-1] = 0.0
    above, below = np.where(usable, entered, 0.0), np.where(usable, children, 0.0)
    expected = (weight * below).sum(axis=0)
    level = np.divide((weight * above).sum(axis=0), expected, out=np.zeros(len(expected)), where=expected > 0)
    if options.capture != "trend":
        return level, np.zeros(len(level))
    found = _fit_trends(above, below, years, weight, county_trend)
    return level * np.exp(found.trend * (years[-1] - found.centre)), found.trend


@dataclass(frozen=True, eq=False)
class _Trends:
    """Yearly slopes of logarithms by school, and the year (a mean) at which a pooled level stands."""

    trend: Floats
    centre: Floats


def _fit_trends(above: Floats, below: Floats, years: Ints, weight: Floats, common: float) -> _Trends:
    """Return the slopes of log(above / below) by school, each drawn to ``common`` as far as chance explains it.

    Parameters
    ----------
    above, below
        (years, schools); 0 where not known.
    weight
        Of the years (broadcast to the same shape).

    Notes
    -----
    Least squares weighted by ``weight`` × ``above``; the variance between schools is that of DerSimonian and Laird
    (1986), and a slope keeps the share between / (between + its own error²) of its distance from ``common``.
    """
    good = (above > 0) & (below > 0) & (weight > 0)
    logs = np.log(np.where(good, above, 1.0) / np.where(good, below, 1.0))
    w = np.where(good, weight * above, 0.0)
    total = np.maximum(w.sum(axis=0), 1e-12)
    base = float(years[-1]) if len(years) else 0.0
    centre = np.where(good.any(axis=0), (w * years[:, None]).sum(axis=0) / total, base)
    x = years[:, None] - centre
    spread = (w * x**2).sum(axis=0)
    counted = good.sum(axis=0)
    usable = (counted >= LEAST_YEARS) & (spread > 0)
    if usable.sum() < LEAST_YEARS:
        return _Trends(np.full(above.shape[1], common), centre)
    slope = np.where(usable, (w * x * logs).sum(axis=0) / np.maximum(spread, 1e-12), common)
    rest = np.where(good, logs - (w * logs).sum(axis=0) / total - slope * x, 0.0)
    noise = float((w * rest**2)[:, usable].sum() / max((counted[usable] - 2).sum(), 1))
    error = np.where(usable, np.maximum(noise / np.maximum(spread, 1e-12), 1e-12), 1.0)
    p = 1.0 / error[usable]
    scale = p.sum() - (p**2).sum() / p.sum()
    away = (p * (slope[usable] - common) ** 2).sum() - len(p)
    between = max(float(away), 0.0) / scale if scale > 0 else 0.0
    pull = np.where(usable, between / (between + error), 0.0)
    return _Trends(np.asarray(common + pull * (slope - common)), centre)
