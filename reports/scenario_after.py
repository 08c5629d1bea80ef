"""Before and after a scenario, by unit and school: what the scenario map paints and its strip of numbers says.

Made either of a whole answer (``planning.run``) or, faster, of the what-if engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.measures import compute_quantile

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.run import Outcome
    from planning.what_if import WhatIfAnswer

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]
SCHOOL_COLUMNS = ("school_id", "pupils_before", "pupils_after", "places_before", "places_after")
NUMBERS = (*("mean_min", "max_min", "p95_min", "beyond_limit_pupils", "over_places_pupils", "unreached_pupils"),)
"""Names in ``BeforeAfter.numbers``, each with ``_before`` and ``_after``; also ``pupils`` and ``moved_pupils``."""


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """One stage before and after a scenario.

    ``school_before``, ``school_after`` (units of the study,): id of the school that most pupils of a unit go to, ``""``
    for none. ``min_before``, ``min_after`` (units,): mean way, NaN for none. ``schools``: ``SCHOOL_COLUMNS``, one row
    per school open before or after; what is not open has NaN. ``numbers``: see ``NUMBERS``; NaN = unknown.
    """

    stage: str
    mode: str
    school_before: Words
    school_after: Words
    min_before: Floats
    min_after: Floats
    schools: pd.DataFrame
    numbers: Mapping[str, float]

    @property
    def moved(self) -> npt.NDArray[np.int64]:
        """Positions of the units whose school changes."""
        return np.flatnonzero(self.school_before != self.school_after)


def compare_answers(
    study: StudyArea,
    before: WhatIfAnswer,
    after: WhatIfAnswer,
    unit_ids: tuple[str, ...],
    after_unit_ids: tuple[str, ...],
    stage: str,
    mode: str,
    *,
    shares: tuple[pd.Series, pd.Series] | None = None,
    limited: bool = True,
) -> BeforeAfter:
    """Return the difference of two answers of the what-if engine, which may hold other schools.

    ``before`` is an answer without changes; numbers before are taken from it, numbers after from ``after``. Where the
    two come from different bases, who moves is counted by ``shares``: pupils by unit and school in each of them.
    Without ``limited`` no rule speaks about the way, so that nobody can be said to be beyond or within it.
    """
    ids = study.units["unit_id"].astype(str)
    first = pd.DataFrame({"school": _name_schools(before), "minutes": before.minutes}, index=list(unit_ids))
    then = pd.DataFrame({"school": _name_schools(after), "minutes": after.minutes}, index=list(after_unit_ids))
    first, then = first.reindex(ids), then.reindex(ids)
    old = before.schools.set_index("school_id")
    new = after.schools.set_index("school_id")
    known = pd.Index(old.index).union(new.index, sort=False)
    places = old["places_after"].reindex(known), new["places_after"].reindex(known)
    schools = pd.DataFrame(
        {
            "school_id": known.astype(str),
            "pupils_before": old["pupils_after"].reindex(known).to_numpy(dtype=np.float64),
            "pupils_after": new["pupils_after"].reindex(known).to_numpy(dtype=np.float64),
            "places_before": places[0].to_numpy(dtype=np.float64),
            "places_after": places[1].to_numpy(dtype=np.float64),
        }
    )
    numbers = {f"{name}_before": float(before.numbers.get(f"{name}_after", math.nan)) for name in NUMBERS}
    numbers |= {f"{name}_after": float(after.numbers.get(f"{name}_after", math.nan)) for name in NUMBERS}
    numbers["pupils"] = float(after.numbers.get("pupils", math.nan))
    numbers["moved_pupils"] = float(after.numbers.get("moved_pupils", math.nan))
    if not limited:
        numbers |= dict.fromkeys(("beyond_limit_pupils_before", "beyond_limit_pupils_after"), math.nan)
    if shares is not None:
        numbers["moved_pupils"] = _sum_left(*shares)
    return BeforeAfter(
        stage,
        mode,
        first["school"].fillna("").to_numpy(dtype=object),
        then["school"].fillna("").to_numpy(dtype=object),
        first["minutes"].to_numpy(dtype=np.float64),
        then["minutes"].to_numpy(dtype=np.float64),
        schools,
        numbers,
    )


def _name_schools(answer: WhatIfAnswer) -> Words:
    names = np.array([*map(str, answer.school_ids), ""], dtype=object)
    found: Words = names[np.asarray(answer.unit_school, dtype=np.int64)]
    return found


def compare_outcomes(study: StudyArea, before: Outcome, after: Outcome, stage: str) -> BeforeAfter:
    """Return the difference of two whole answers for one stage; an answer without a plan counts as unknown."""
    ids = study.units["unit_id"].astype(str)
    sides = [_read_side(outcome, stage, ids) for outcome in (before, after)]
    known = pd.Index(sides[0].schools.index).union(sides[1].schools.index, sort=False)
    columns = {}
    for word, side in zip(("before", "after"), sides, strict=True):
        rows = side.schools.reindex(known)
        columns[f"pupils_{word}"] = rows["modelled_pupils"].to_numpy(dtype=np.float64)
        columns[f"places_{word}"] = rows["capacity_places"].to_numpy(dtype=np.float64)
    schools = pd.DataFrame({"school_id": known.astype(str), **columns})[list(SCHOOL_COLUMNS)]
    numbers = {
        f"{name}_{word}": value
        for word, side in zip(("before", "after"), sides, strict=True)
        for name, value in side.numbers.items()
    }
    numbers["pupils"] = sides[1].pupils
    numbers["moved_pupils"] = _count_moved(before, after, stage)
    return BeforeAfter(
        stage,
        after.scenario.mode,
        sides[0].school,
        sides[1].school,
        sides[0].minutes,
        sides[1].minutes,
        schools,
        numbers,
    )


@dataclass(frozen=True, eq=False)
class _Side:
    school: Words
    minutes: Floats
    schools: pd.DataFrame
    numbers: Mapping[str, float]
    pupils: float


def _read_side(outcome: Outcome, stage: str, ids: pd.Series) -> _Side:
    table = outcome.unit_table
    rows = table[table["stage"] == stage].drop_duplicates("unit_id").set_index("unit_id").reindex(ids)
    about = outcome.school_table
    schools = about[about["stage"] == stage].drop_duplicates("school_id").set_index("school_id")
    tables = next((item for item in outcome.stages if item.stage == stage), None)
    if tables is None or not tables.modelled:
        nothing = dict.fromkeys(NUMBERS, math.nan)
        return _Side(np.full(len(ids), "", dtype=object), np.full(len(ids), np.nan), schools, nothing, math.nan)
    pairs = tables.pairs
    pupils = pairs["pupils"].to_numpy(dtype=np.float64)
    minutes = pairs["time_min"].to_numpy(dtype=np.float64)
    there = (pairs["school_id"] != "").to_numpy() & np.isfinite(minutes) & (pupils > 0)
    away = (pairs["school_id"] == "").to_numpy() & (pupils > 0)
    limit = _read_limits(pairs)
    metres = pairs["length_m"].to_numpy(dtype=np.float64)
    beyond = there & ((minutes > limit[0] + 1e-6) | (metres > limit[1] + 1e-6))
    known = bool((np.isfinite(limit[0]) | np.isfinite(limit[1])).any())
    over = (schools["modelled_pupils"] - schools["capacity_places"]).clip(lower=0)
    numbers = {
        "mean_min": float(np.average(minutes[there], weights=pupils[there])) if there.any() else math.nan,
        "max_min": float(minutes[there].max()) if there.any() else math.nan,
        "p95_min": float(compute_quantile(minutes[there], pupils[there], 0.95)) if there.any() else math.nan,
        "beyond_limit_pupils": float(pupils[beyond].sum()) if known else math.nan,
        "over_places_pupils": float(over.sum()) if schools["capacity_places"].notna().any() else math.nan,
        "unreached_pupils": float(pupils[away].sum()),
    }
    return _Side(
        rows["school_id"].fillna("").to_numpy(dtype=object),
        rows["time_min"].to_numpy(dtype=np.float64),
        schools,
        numbers,
        float(np.nansum(pupils)),
    )


def _read_limits(pairs: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the limit of minutes and of metres that hold for every pair; the minutes come first where both do."""
    most = pairs["max_min"].to_numpy(dtype=np.float64)
    radius = pairs["radius_m"].to_numpy(dtype=np.float64)
    return most, np.where(np.isfinite(most), np.nan, radius)


def _count_moved(before: Outcome, after: Outcome, stage: str) -> float:
    """Return the pupils who go to another school: per unit and school, what leaves."""
    if before.plan is None or after.plan is None:
        return math.nan
    shares = [
        outcome.require_plan().stage_enrolment(stage).groupby(["unit_id", "school_id"])["pupils"].sum()
        for outcome in (before, after)
    ]
    return _sum_left(*shares)


def _sum_left(before: pd.Series, after: pd.Series) -> float:
    return float(before.sub(after, fill_value=0.0).clip(lower=0.0).sum())
