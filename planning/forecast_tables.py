"""Arrays of a forecast as tables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.forecast_flows import Flows
from planning.forecast_inputs import RESIDENTS, Inputs
from planning.forecast_options import VARIANTS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SCHOOL_COLUMNS = ("school_id", "stage", "grade", "year", "variant", "pupils")
COUNTY_COLUMNS = ("stage", "grade", "year", "variant", "pupils")
FLOW_COLUMNS = ("stage", "from_school_id", "school_id", "share")


def tabulate_schools(inputs: Inputs, pupils: Floats, years: Ints) -> pd.DataFrame:
    """Return ``SCHOOL_COLUMNS``, ordered by variant, year, stage, school, grade.

    A grade in which a school has nobody, today and in every year and variant, has no rows.

    Parameters
    ----------
    pupils
        (variants, years, schools, cells).
    """
    cells, block = inputs.cells, inputs.schools
    base = np.nan_to_num(block.pupils[-1])
    parts = []
    for place, stage in enumerate(cells.stages):
        part = cells.of(stage)
        taught = (base[:, part] > 0) | (pupils[..., part] > 0).any(axis=(0, 1))
        taught &= (block.open[:, place] | taught.any(axis=1))[:, None]
        taught[[key == RESIDENTS for key in block.ids]] = False
        values, grades = pupils[..., part], np.array(cells.grade)[part]
        if stage not in inputs.by_grade:
            values, taught, grades = values.sum(axis=3, keepdims=True), taught.any(axis=1)[:, None], np.zeros(1, int)
        school, column = np.nonzero(taught)
        parts.append(
            _stack(
                values[:, :, school, column],
                years,
                {"school_id": _text(block.ids, school), "stage": stage, "grade": grades[column]},
            )
        )
    return _order(parts, SCHOOL_COLUMNS)


def tabulate_county(inputs: Inputs, pupils: Floats, years: Ints) -> pd.DataFrame:
    """Return ``COUNTY_COLUMNS``: the sums over the schools; ``pupils`` (variants, years, schools, cells)."""
    cells = inputs.cells
    sums = pupils.sum(axis=2)
    parts = []
    for stage in cells.stages:
        values, grades = sums[..., cells.of(stage)], np.array(cells.grade)[cells.of(stage)]
        if stage not in inputs.by_grade:
            values, grades = values.sum(axis=2, keepdims=True), np.zeros(1, dtype=int)
        parts.append(_stack(values, years, {"stage": stage, "grade": grades}))
    return _order(parts, COUNTY_COLUMNS)


def tabulate_flows(inputs: Inputs, flows: Flows) -> pd.DataFrame:
    """Return ``FLOW_COLUMNS``: who goes from which school to which other when the stage or its upper grades begin."""
    block, cells = inputs.schools, inputs.cells
    base = np.nan_to_num(block.totals[-1])
    parts = []
    for cell, table in flows.shares.items():
        stage = cells.stage[cell]
        before = {"junior": "primary", "senior": "junior"}.get(stage, stage) if cell == cells.first[stage] else stage
        rows = table.tocoo()
        to, source = rows.coords
        good = (rows.data > 1e-6) & (base[source, cells.stages.index(before)] > 0)
        good &= (to != source) | (cell == cells.first[stage])
        columns = {
            "stage": stage,
            "from_school_id": _text(block.ids, source[good]),
            "school_id": _text(block.ids, to[good]),
        }
        parts.append(pd.DataFrame({**columns, "share": rows.data[good]}))
    return _order(parts, FLOW_COLUMNS)


def _text(ids: tuple[str, ...], at: Ints) -> pd.Series[str]:
    return pd.Series(np.array(ids, dtype=object)[at], dtype="str")


def _stack(values: Floats, years: Ints, columns: dict[str, object]) -> pd.DataFrame:
    """Return rows of (variants, years, rows): the columns given, year, variant and pupils."""
    n_variants, n_years, count = values.shape
    about = pd.DataFrame(columns, index=range(count))
    table = pd.DataFrame({name: about[name].take(np.tile(np.arange(count), n_variants * n_years)) for name in about})
    table = table.reset_index(drop=True)
    table["year"] = np.tile(np.repeat(years, count), n_variants)
    table["variant"] = pd.Series(np.array(VARIANTS, dtype=object).repeat(n_years * count), dtype="str")
    table["pupils"] = values.ravel()
    return table


def build_empty(columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a table without rows, its columns of the types that rows would have."""
    kinds = {"grade": "int64", "year": "int64", "horizon_years": "int64", "cases": "int64"}
    kinds |= dict.fromkeys(("pupils", "share", "mape", "wape"), "float64")
    return pd.DataFrame({name: pd.Series([], dtype=kinds.get(name, "str")) for name in columns})


def _order(parts: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return build_empty(columns)
    return pd.concat(filled, ignore_index=True).loc[:, list(columns)]
