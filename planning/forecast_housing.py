"""New housing: children per dwelling, from completion on, over the years in which a project fills.

What a project adds is the stock of children that live there, above what lived there in the base year: the share of the
dwellings that is lived in grows by 1 / filling_years a year. Only completions after the base year, and the rest of
those that are still filling, count. That they are *above* what was built every year before cannot be known from the
table: ordinary building is in the ratios already.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.forecast_flows import build_zone_shares
from planning.forecast_inputs import Inputs
from planning.forecast_options import ForecastOptions
from planning.scenario import name_stage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Housing:
    """Children added by new housing: ``units`` (years, stages, units), ``schools`` (years, schools, cells)."""

    units: Floats
    schools: Floats
    notes: tuple[Message, ...]


def build_housing(study: StudyArea, inputs: Inputs, years: Ints, options: ForecastOptions) -> Housing:
    """Return what new housing adds in ``years``."""
    cells, block, units = inputs.cells, inputs.schools, inputs.units
    rows = study.housing.sort_values("project_id", kind="stable")
    shape = (len(years), len(cells.stages))
    of_units, of_schools = np.zeros((*shape, len(units.ids))), np.zeros((len(years), len(block.ids), len(cells)))
    if rows.empty or not len(units.ids):
        return Housing(of_units, of_schools, ())
    unit = pd.Index(units.ids).get_indexer(pd.Index(rows["unit_id"].fillna("").astype(str)))
    lived = _count_dwellings(rows, years) - _count_dwellings(rows, np.array([inputs.base_year]))
    new = lived[-1] > 0
    notes = _note_projects(rows, unit, new, inputs, options)
    for at, stage in enumerate(cells.stages):
        column = rows[f"{stage}_pupils_per_dwelling"].to_numpy(dtype=np.float64)
        per = np.nan_to_num(np.where(np.isfinite(column), column, options.yield_of(stage)))
        children = lived * per
        good = (unit >= 0) & (children[-1] > 0)
        np.add.at(of_units[:, at].T, unit[good], children[:, good].T)
        shares = _seat(study, inputs, stage, unit[good])
        part = of_schools[:, :, cells.of(stage)]
        part += (children[:, good] @ shares)[:, :, None] / cells.count(stage)
    return Housing(of_units, of_schools, tuple(notes))


def _count_dwellings(rows: pd.DataFrame, years: Ints) -> Floats:
    """Return dwellings lived in, (years, projects)."""
    begin = rows["completion_year"].to_numpy(dtype=np.float64)
    filling = np.maximum(rows["filling_years"].fillna(1.0).to_numpy(dtype=np.float64), 1.0)
    share = np.clip((years[:, None] - begin + 1.0) / filling, 0.0, 1.0)
    return np.asarray(share * rows["new_dwellings"].to_numpy(dtype=np.float64))


def _seat(study: StudyArea, inputs: Inputs, stage: str, unit: Ints) -> Floats:
    """Return shares (projects, schools): by the zone of the project's unit, else all at the nearest school."""
    block, at = inputs.schools, inputs.cells.stages.index(stage)
    last = inputs.cells.last[stage]
    pupils = np.nan_to_num(block.pupils[-1][:, last])
    goal = block.open[:, at] & (pupils > 0)
    if not goal.any():
        goal = block.open[:, at]
    zones = build_zone_shares(study.zones, inputs, stage)
    own = sparse.csr_array((len(inputs.units.ids), len(block.ids))) if zones is None else zones
    shares = own.toarray()[unit] if len(unit) else np.zeros((0, len(block.ids)))
    away = np.hypot(inputs.units.x_m[unit, None] - block.x_m, inputs.units.y_m[unit, None] - block.y_m)
    nearest = np.where(goal, np.where(np.isfinite(away), away, 1e9), np.inf).argmin(axis=1)
    for row in np.flatnonzero(shares.sum(axis=1) <= 0):
        shares[row, nearest[row]] = 1.0
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _note_projects(
    rows: pd.DataFrame, unit: Ints, new: npt.NDArray[np.bool_], inputs: Inputs, options: ForecastOptions
) -> list[Message]:
    """Say what is counted, what is not, and what cannot be known."""
    notes: list[Message] = []
    dwellings = rows["new_dwellings"].to_numpy(dtype=np.float64)
    if not new.any():
        return notes
    notes.append(
        msg(
            "New housing adds children of {projects:,} projects with {dwellings:,.0f} dwellings. Whether that is more"
            " than was built every year before is not known; ordinary building is in the ratios already, so some of it"
            " may count twice.",
            projects=int(new.sum()),
            dwellings=float(dwellings[new].sum()),
        )
    )
    lost = new & (unit < 0)
    if lost.any():
        notes.append(
            msg(
                "{projects:,} housing projects lie in no known planning unit and are not counted.",
                projects=int(lost.sum()),
            )
        )
    silent = []
    for stage in inputs.cells.stages:
        bare = new & rows[f"{stage}_pupils_per_dwelling"].isna().to_numpy()
        if bare.any() and np.isnan(options.yield_of(stage)):
            silent.append(msg("{stage} ({count:,})", stage=name_stage(stage), count=int(bare.sum())))
    if silent:
        notes.append(
            msg(
                "Projects that do not say how many children a dwelling brings add none, because no sourced number is"
                " known: {stages}.",
                stages=tuple(silent),
            )
        )
    return notes
