"""The years ahead: pupils by school, grade and year, children by unit, and the county, each with a range.

Documented in ``docs/forecast.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import ScenarioError
from geodata.messages import Message, msg
from geodata.study import FrozenArrays, StudyArea, compute_digest
from planning.forecast_back_test import BACK_TEST_COLUMNS as BACK_TEST_COLUMNS
from planning.forecast_back_test import BackTest, build_back_test
from planning.forecast_county import CohortRun, run_from, scale_schools, scale_stages, sum_stages
from planning.forecast_housing import build_housing
from planning.forecast_inputs import Inputs, build_inputs
from planning.forecast_methods import blend, extrapolate
from planning.forecast_options import METHODS as METHODS
from planning.forecast_options import VARIANTS as VARIANTS
from planning.forecast_options import ForecastOptions as ForecastOptions
from planning.forecast_tables import COUNTY_COLUMNS as COUNTY_COLUMNS
from planning.forecast_tables import FLOW_COLUMNS as FLOW_COLUMNS
from planning.forecast_tables import SCHOOL_COLUMNS as SCHOOL_COLUMNS
from planning.forecast_tables import tabulate_county, tabulate_flows, tabulate_schools
from planning.forecast_units import project_units
from planning.forecast_words import describe_forecast

Floats = npt.NDArray[np.float64]

Ints = npt.NDArray[np.int64]

FORECAST_VERSION = 1
"""Rises when the same inputs give another forecast; part of its fingerprint."""
UNIT_COLUMNS = ("unit_id", "stage", "year", "variant", "pupils")
ENTRY_COLUMNS = ("unit_id", "stage", "year", "variant", "entry_children")


@dataclass(frozen=True, eq=False)
class Forecast(FrozenArrays):
    """Pupils of the years after ``base_year``, in three variants.

    ``schools`` has ``SCHOOL_COLUMNS``, ``county`` has ``COUNTY_COLUMNS`` (pupils on the rolls; grade 0 only where
    nothing but totals of a stage is known). ``units`` (``UNIT_COLUMNS``) and ``entries`` (``ENTRY_COLUMNS``: children
    of the age of the first grade) are made from ``unit_pupils`` and ``unit_entries``, arrays of shape (variants, years,
    stages, units), NaN where a unit's children are not known.

    Sums agree for every stage, year and variant: over schools = county; over units = county ×
    ``children_per_pupil[stage]``, which is today's children of the units by today's pupils on the rolls.

    ``flows`` (``FLOW_COLUMNS``): where the leavers of a school go when they enter ``stage`` (junior, senior, and the
    upper grades of primary school after a teaching point). ``back_test`` (``BACK_TEST_COLUMNS``): level county|school,
    mean absolute percentage error as a share (``mape``), and the absolute errors by the pupils of all cases (``wape``).
    ``weights``: of every method in the ensemble, by stage.
    """

    schools: pd.DataFrame
    county: pd.DataFrame
    back_test: pd.DataFrame
    flows: pd.DataFrame
    notes: tuple[Message, ...]
    base_year: int
    years: tuple[int, ...]
    stages: tuple[str, ...]
    unit_ids: tuple[str, ...]
    unit_pupils: Floats = field(repr=False)
    unit_entries: Floats = field(repr=False)
    children_per_pupil: Mapping[str, float]
    weights: Mapping[str, Mapping[str, float]]
    options: ForecastOptions
    fingerprint: str

    @cached_property
    def units(self) -> pd.DataFrame:
        """Children by unit, stage, year and variant."""
        return self._unpack(self.unit_pupils, UNIT_COLUMNS)

    @cached_property
    def entries(self) -> pd.DataFrame:
        """Children of the age of the first grade, by unit, stage, year and variant."""
        return self._unpack(self.unit_entries, ENTRY_COLUMNS)

    def _unpack(self, values: Floats, columns: tuple[str, ...]) -> pd.DataFrame:
        years, stages, units = values.shape[1:]
        rows = np.arange(values.size)
        return pd.DataFrame(
            {
                columns[0]: pd.array(np.array(self.unit_ids, dtype=object), dtype="str")[rows % max(units, 1)],
                "stage": pd.array(np.array(self.stages, dtype=object), dtype="str")[rows // max(units, 1) % stages],
                "year": np.array(self.years)[rows // max(units * stages, 1) % years],
                "variant": pd.array(np.array(VARIANTS, dtype=object), dtype="str")[
                    rows // max(units * stages * years, 1)
                ],
                columns[-1]: values.ravel(),
            }
        )


def build_forecast(study: StudyArea, options: ForecastOptions = ForecastOptions()) -> Forecast:  # noqa: B008
    """Return the forecast of a study.

    Parameters
    ----------
    study
        Rolls (one year or more), births, housing, units, zones: whatever is there is used; what is missing is said in
        ``notes``.
    options
        See :class:`ForecastOptions`.

    Raises
    ------
    ScenarioError
        The study is projected already (``study.view``).
    """
    if study.view:
        raise ScenarioError(
            msg("the study is a projected one already ({view}): forecast the study of today", view=study.view)
        )
    inputs = build_inputs(study, options)
    years = np.arange(inputs.base_year + 1, max(options.last_year, inputs.base_year + 1) + 1)
    run = run_from(study, inputs, inputs.base_year, years, options)
    test = build_back_test(study, inputs, options)
    county = _choose_totals(inputs, run, test, years, options)
    housing = build_housing(study, inputs, years, options)
    schools = scale_schools(run.schools, county, inputs.cells)
    base = np.nansum(inputs.schools.pupils[-1], axis=0)
    children, entries, ratio = project_units(inputs, county, base, run.born, years, run.fit.from_births)
    added = housing.units * np.array([ratio[stage] for stage in inputs.cells.stages])[:, None]
    grades = np.array([inputs.cells.count(stage) for stage in inputs.cells.stages])
    children, entries = children + added, entries + added / grades[:, None]
    schools = schools + housing.schools
    return Forecast(
        schools=tabulate_schools(inputs, schools, years),
        county=tabulate_county(inputs, schools, years),
        back_test=test.table,
        flows=tabulate_flows(inputs, run.flows),
        notes=(*inputs.notes, *describe_forecast(study, inputs, run, test, options), *housing.notes),
        base_year=inputs.base_year,
        years=tuple(int(year) for year in years),
        stages=inputs.cells.stages,
        unit_ids=inputs.units.ids,
        unit_pupils=children,
        unit_entries=entries,
        children_per_pupil=ratio,
        weights=test.weights,
        options=options,
        fingerprint=compute_forecast_fingerprint(study, options),
    )


def compute_forecast_fingerprint(study: StudyArea, options: ForecastOptions) -> str:
    """Return what identifies a forecast: the study, the options, and the version of the method."""
    return compute_digest(FORECAST_VERSION, study.fingerprint, repr(options))


def _choose_totals(inputs: Inputs, run: CohortRun, test: BackTest, years: Ints, options: ForecastOptions) -> Floats:
    """Return the county (variants, years, cells): cohorts, scaled to the method asked for by stage.

    Low and high keep the distance from the middle that the cohorts have.
    """
    if options.method == "cohort" or not inputs.cells.stages:
        return run.county
    block, cells = inputs.schools, inputs.cells
    known = [at for at, year in enumerate(block.years) if year >= inputs.base_year - options.window_years]
    past = np.array(block.years)[known]
    totals = block.totals[known]
    whole = np.where(np.isfinite(totals).any(axis=1), np.nansum(totals, axis=1), np.nan)
    cohort = sum_stages(run.county, cells)
    said: dict[str, Floats] = {
        "cohort": cohort[1],
        **{name: extrapolate(name, past, whole, years) for name in METHODS if name != "cohort"},
    }
    if options.method == "ensemble":
        middle = np.stack(
            [
                blend({name: values[:, at] for name, values in said.items()}, test.weights[stage], test.tested)
                for at, stage in enumerate(cells.stages)
            ],
            axis=1,
        )
    else:
        middle = said[options.method]
    factor = np.divide(middle, cohort[1], out=np.ones_like(middle), where=cohort[1] > 0)
    return scale_stages(run.county, cohort * factor, cells)
