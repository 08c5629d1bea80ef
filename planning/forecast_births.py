"""Births: those known by county, town and unit; those beyond the last known year by variant; and who enters when.

School years begin on 1 September. Those who enter in the year Y at the age *a* were born from 1 September Y − a − 1 to
31 August Y − a (rule P1), so with births spread evenly over the months (rule P3)

    entry cohort (Y, a) = 4/12 · births (Y − a − 1) + 8/12 · births (Y − a)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.forecast_options import VARIANTS, ForecastOptions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHARE_BEFORE, SHARE_AFTER = 4 / 12, 8 / 12
"""Of the year before and of the year of the cut-off (P3)."""
TREND_YEARS = 8
"""Years of births from which their trend is taken."""
DAMPING = 0.8
"""Share of a trend that is left every year: a fall does not go on for ever."""
SHARE_YEARS = 4
"""Last years over which towns and units share later births."""
LEAST_DEVIATION, ASSUMED_DEVIATION = 0.02, 0.06
"""Standard deviation of the yearly change: at least; and where fewer than four years are known."""


@dataclass(frozen=True, eq=False)
class Births:
    """Births that are known: ``county`` (years,), ``towns`` (years, towns), ``units`` (years, units) or None.

    Years follow each other without a gap from ``first_year``. Towns without births of their own are NaN.
    """

    first_year: int
    county: Floats
    towns: Floats
    units: Floats | None

    @property
    def last_year(self) -> int:
        """The last year that is known."""
        return self.first_year + len(self.county) - 1

    def lag_county(self, year: int, age: int) -> float:
        """Return the entry cohort of a school year; the first and last known years stand for those outside."""
        return float(_lag(self.county, year - age - self.first_year))

    def until(self, year: int) -> Births | None:
        """Return what was known when ``year`` was the last year; None: nothing."""
        count = year - self.first_year + 1
        if count < 1:
            return None
        units = None if self.units is None else self.units[:count]
        return replace(self, county=self.county[:count], towns=self.towns[:count], units=units)


def _lag(values: Floats, at: int) -> Floats:
    """Return the entry cohort from births along the first axis; ``at``: position of the year of the cut-off."""
    before, after = np.clip([at - 1, at], 0, len(values) - 1)
    return np.asarray(SHARE_BEFORE * values[before] + SHARE_AFTER * values[after], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Born:
    """Births known and to come, by variant: ``county`` (years, variants), ``towns`` (years, variants, towns).

    ``units``: (years, variants, units) or None. ``zones`` by stage: (years, variants, schools), where births of units
    and zones are known.
    """

    first_year: int
    county: Floats
    towns: Floats
    units: Floats | None
    zones: Mapping[str, Floats] = field(default_factory=dict)

    def lag(self, level: str, year: int, age: int) -> Floats:
        """Return the entry cohort of a school year by variant (and town, or unit)."""
        values = getattr(self, level)
        return _lag(values, year - age - self.first_year)

    def lag_zones(self, stage: str, year: int, age: int) -> Floats:
        """Return the entry cohort of a school year by variant and school, of the schools' zones."""
        return _lag(self.zones[stage], year - age - self.first_year)


def build_births(births: pd.DataFrame, units: pd.DataFrame, towns: tuple[str, ...]) -> Births | None:
    """Return the births that are known, or None. What is not given for a level is added up from the level below.

    Parameters
    ----------
    units
        Ordered by id.
    towns
        Their names, in the order of the answer.
    """
    rows = births.dropna(subset=["births_children"])
    if rows.empty:
        return None
    rows = rows.assign(town=rows["town"].fillna("").astype(str), unit_id=rows["unit_id"].fillna("").astype(str))
    rows = rows.sort_values(["year", "town", "unit_id"], kind="stable")
    first, last = int(rows["year"].min()), int(rows["year"].max())
    years = range(first, last + 1)
    by_unit = _spread(rows[rows["unit_id"] != ""], "unit_id", years, units["unit_id"].astype(str).tolist())
    by_town = _spread(rows[(rows["unit_id"] == "") & (rows["town"] != "")], "town", years, list(towns))
    whole = rows[(rows["unit_id"] == "") & (rows["town"] == "")].groupby("year")["births_children"].sum()
    county = whole.reindex(years).to_numpy(dtype=np.float64)
    if np.isfinite(by_unit).any():
        of_unit = _sum_units(by_unit, units["town"].fillna("").astype(str).tolist(), towns)
        by_town = np.where(np.isfinite(by_town), by_town, of_unit)
    county = np.where(np.isfinite(county), county, _sum_complete(by_town))
    county = _fill_gaps(county)
    by_town = _fill_towns(by_town, county)
    filled = _fill_towns(by_unit, county) if np.isfinite(by_unit).any() else None
    return Births(first, county, by_town, filled)


def _spread(rows: pd.DataFrame, key: str, years: range, names: list[str]) -> Floats:
    """Return births (years, names), added up; NaN where no row says."""
    table = np.full((len(years), len(names)), np.nan)
    if not len(rows):
        return table
    at = rows["year"].to_numpy(dtype=np.int64) - years.start
    column = pd.Index(names).get_indexer(pd.Index(rows[key].astype(str)))
    good = column >= 0
    spot = (at[good], column[good])
    table[spot] = 0.0
    np.add.at(table, spot, rows["births_children"].to_numpy(dtype=np.float64)[good])
    return table


def _sum_units(by_unit: Floats, town_of: list[str], towns: tuple[str, ...]) -> Floats:
    """Return births by town from those by unit."""
    place = {name: number for number, name in enumerate(towns)}
    at = np.array([place[name] for name in town_of], dtype=np.int64)
    sums = np.zeros((len(by_unit), len(towns)))
    known = np.zeros((len(by_unit), len(towns)), dtype=bool)
    np.add.at(sums.T, at, np.nan_to_num(by_unit).T)
    np.logical_or.at(known.T, at, np.isfinite(by_unit).T)
    return np.where(known, sums, np.nan)


def _sum_complete(by_town: Floats) -> Floats:
    """Return the sums of the years in which every town is known that is known at all."""
    known = np.isfinite(by_town)
    complete = known.sum(axis=1) == known.any(axis=0).sum()
    return np.where(complete & known.any(axis=1), np.nansum(by_town, axis=1), np.nan)


def _fill_gaps(values: Floats) -> Floats:
    """Return the series with its gaps filled on straight lines; its ends held."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return values
    return np.interp(np.arange(len(values)), known, values[known])


def _fill_towns(table: Floats, county: Floats) -> Floats:
    """Return births by town (or unit) with missing years filled by the town's share of the county in the years known.

    A column without any year stays NaN.
    """
    known = np.isfinite(table)
    inside = known & np.isfinite(county)[:, None]
    of_county = (np.where(inside, county[:, None], 0.0)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(inside, table, 0.0).sum(axis=0) / of_county
    share = np.where(known.any(axis=0) & (of_county > 0), share, np.nan)
    return np.where(known, table, share * county[:, None])


def extend_births(births: Births, last_year: int, options: ForecastOptions) -> Born:
    """Return births up to ``last_year`` by variant.

    After the last known year the logarithm of the county's births goes on with the slope of the last ``TREND_YEARS``,
    damped; low and high lie ``range_deviations`` × the standard deviation of the yearly changes × the root of the years
    away. Towns and units keep their share of the last ``SHARE_YEARS``.
    """
    count = max(last_year - births.last_year, 0)
    grown = births.county[-1] * np.exp(_grow(births.county, count, options))
    county = np.concatenate([np.repeat(births.county[:, None], len(VARIANTS), axis=1), grown])
    return Born(
        births.first_year,
        county,
        _share_out(births.towns, births.county, county),
        None if births.units is None else _share_out(births.units, births.county, county),
    )


def _grow(county: Floats, count: int, options: ForecastOptions) -> Floats:
    """Return the change of the logarithm since the last known year, of shape (count, variants)."""
    recent = np.log(np.maximum(county[-TREND_YEARS:], 1e-9))
    slope, deviation = 0.0, ASSUMED_DEVIATION
    if len(recent) >= 4 and county[-TREND_YEARS:].min() > 0:
        at = np.arange(len(recent)) - (len(recent) - 1) / 2
        slope = float(at @ recent / (at @ at))
        deviation = max(float(np.std(np.diff(recent) - slope, ddof=1)), LEAST_DEVIATION)
    steps = np.arange(1, count + 1)
    middle = slope * np.cumsum(DAMPING**steps) if count else np.empty(0)
    spread = options.range_deviations * deviation * np.sqrt(steps)
    return np.stack([middle - spread, middle, middle + spread], axis=1)


def _share_out(table: Floats, known_county: Floats, county: Floats) -> Floats:
    """Return towns or units for all years and variants; later years by their share of the last known ones."""
    recent = table[-SHARE_YEARS:]
    total = known_county[-SHARE_YEARS:].sum()
    share = recent.sum(axis=0) / total if total > 0 else np.zeros(table.shape[1])
    later = county[len(table) :, :, None] * share
    return np.concatenate([np.repeat(table[:, None, :], county.shape[1], axis=1), later])
