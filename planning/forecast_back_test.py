"""Back-tests with rolling origin: what each method would have said in earlier years, with what was known then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import StudyArea
from planning.forecast_county import run_from, scale_schools, sum_stages
from planning.forecast_inputs import Inputs
from planning.forecast_methods import blend, extrapolate, weigh_methods
from planning.forecast_options import METHODS, ForecastOptions
from planning.forecast_tables import build_empty

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BACK_TEST_COLUMNS = ("level", "method", "stage", "horizon_years", "mape", "wape", "cases")
_CASE_COLUMNS = (
    *("level", "method", "stage", "base", "horizon_years"),
    *("relative", "squared", "error", "actual", "cases", "covered"),
)
LEAST_YEARS = 3
"""School years that must be known up to an origin: two transitions."""


@dataclass(frozen=True, eq=False)
class BackTest:
    """``table`` has ``BACK_TEST_COLUMNS``. ``weights`` of the methods by stage; ``tested``: the longest horizon.

    ``covered`` and ``cases``: how often the county's total lay between low and high, of all cases.
    """

    table: pd.DataFrame
    weights: Mapping[str, Mapping[str, float]]
    tested: int
    covered: int = 0
    cases: int = 0


@dataclass(frozen=True, eq=False)
class _Origin:
    """What was forecast from one school year: by method, (years, stages) and (years, schools, stages)."""

    base: int
    years: Ints
    county: Mapping[str, Floats]
    schools: Mapping[str, Floats]
    range_low: Floats
    range_high: Floats


def build_back_test(study: StudyArea, inputs: Inputs, options: ForecastOptions) -> BackTest:
    """Return the errors of all methods from every school year with at least ``LEAST_YEARS`` years of rolls up to it.

    The weights of the ensemble of an origin are from the errors that were known in that year.
    """
    years = np.array(inputs.schools.years)
    stages = inputs.cells.stages
    cases = pd.DataFrame(columns=list(_CASE_COLUMNS))
    for base in years[LEAST_YEARS - 1 : -1]:
        origin = _run_origin(study, inputs, int(base), years[years > base], options)
        found = _judge_origin(_add_ensemble(origin, inputs, cases), inputs)
        cases = pd.concat([cases, found], ignore_index=True) if len(cases) else found
    if cases.empty:
        return BackTest(build_empty(BACK_TEST_COLUMNS), {stage: weigh_methods({}) for stage in stages}, 0)
    sums = cases.groupby(["level", "method", "stage", "horizon_years"], sort=True)
    table = sums[["relative", "error", "actual", "cases", "covered"]].sum().reset_index()
    table["mape"], table["wape"] = table["relative"] / table["cases"], table["error"] / table["actual"]
    county = table[(table["level"] == "county") & (table["method"] == "cohort")]
    return BackTest(
        table.loc[:, list(BACK_TEST_COLUMNS)],
        _weigh(cases, stages, int(years[-1])),
        int(cases["horizon_years"].max()),
        int(county["covered"].sum()),
        int(county["cases"].sum()),
    )


def _run_origin(study: StudyArea, inputs: Inputs, base: int, years: Ints, options: ForecastOptions) -> _Origin:
    cells, block = inputs.cells, inputs.schools
    every = np.arange(base + 1, int(years[-1]) + 1)
    run = run_from(study, inputs, base, every, options)
    chosen = np.isin(every, years)
    county = sum_stages(run.county, cells)[:, chosen]
    schools = sum_stages(scale_schools(run.schools, run.county, cells)[1], cells)[chosen]
    past = np.array([year for year in block.years if base - options.window_years <= year <= base])
    totals = block.totals[np.isin(block.years, past)]
    whole = np.where(np.isfinite(totals).any(axis=1), np.nansum(totals, axis=1), np.nan)
    simple = [method for method in METHODS if method != "cohort"]
    return _Origin(
        base,
        years,
        {"cohort": county[1], **{method: extrapolate(method, past, whole, years) for method in simple}},
        {"cohort": schools, **{method: extrapolate(method, past, totals, years) for method in simple}},
        county[0],
        county[2],
    )


def _add_ensemble(origin: _Origin, inputs: Inputs, cases: pd.DataFrame) -> _Origin:
    """Return the origin with the ensemble: its county total, and the cohorts of schools scaled to it."""
    known = cases[cases["base"] + cases["horizon_years"] <= origin.base]
    tested = int(known["horizon_years"].max()) if len(known) else 0
    weights = _weigh(cases, inputs.cells.stages, origin.base)
    totals = np.stack(
        [
            blend({name: said[:, at] for name, said in origin.county.items()}, weights[stage], tested)
            for at, stage in enumerate(inputs.cells.stages)
        ],
        axis=1,
    )
    cohort = origin.county["cohort"]
    factor = np.divide(totals, cohort, out=np.ones_like(cohort), where=cohort > 0)
    schools = origin.schools["cohort"] * factor[:, None, :]
    return replace(
        origin, county={**origin.county, "ensemble": totals}, schools={**origin.schools, "ensemble": schools}
    )


def _judge_origin(origin: _Origin, inputs: Inputs) -> pd.DataFrame:
    """Return ``_CASE_COLUMNS``: what was said against what came, of the county and of its schools."""
    block = inputs.schools
    was = np.nan_to_num(block.totals[block.years.index(origin.base)])
    rows: list[tuple[object, ...]] = []
    for at, year in enumerate(origin.years):
        now = block.totals[block.years.index(int(year))]
        for place, stage in enumerate(inputs.cells.stages):
            asked = np.isfinite(now[:, place]) & (now[:, place] > 0) & (was[:, place] > 0)
            truth = float(np.nansum(now[:, place]))
            if not asked.any():
                continue
            head = (stage, origin.base, int(year) - origin.base)
            inside = float(origin.range_low[at, place] <= truth <= origin.range_high[at, place])
            for method in origin.county:
                said = origin.county[method][at, place]
                rows.append(("county", method, *head, *_measure(np.array([said]), np.array([truth])), inside))
                own = origin.schools[method][at, asked, place]
                rows.append(("school", method, *head, *_measure(own, now[asked, place]), np.nan))
    return pd.DataFrame(rows, columns=list(_CASE_COLUMNS))


def _measure(said: Floats, truth: Floats) -> tuple[float, float, float, float, int]:
    """Return sums of the relative errors, their squares, the absolute errors and the truth, and the number of cases."""
    error = np.abs(said - truth)
    relative = error / truth
    return float(relative.sum()), float((relative**2).sum()), float(error.sum()), float(truth.sum()), len(truth)


def _weigh(cases: pd.DataFrame, stages: tuple[str, ...], base: int) -> dict[str, dict[str, float]]:
    """Return the weights of the methods by stage, from the errors of the county that were known in ``base``."""
    known = cases[(cases["base"] + cases["horizon_years"] <= base) & (cases["level"] == "county")]
    known = known[known["method"].isin(METHODS)]
    found = {}
    for stage in stages:
        sums = known[known["stage"] == stage].groupby("method", sort=True)[["squared", "cases"]].sum()
        pairs = zip(sums.index, sums["squared"] / sums["cases"], sums["cases"], strict=True)
        found[stage] = weigh_methods({str(name): (float(error), int(cases)) for name, error, cases in pairs})
    return found
