"""Compare answers: indicators with their differences, who gains and who loses, schools before and after.

The first answer is the baseline; every other one is compared with it. All differences are of the answers as they
are: where two answers were asked differently (another way of travel, another model), ``Comparison.notes`` says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from geodata.errors import ScenarioError
from geodata.messages import Message
from planning.compare_notes import list_notes
from planning.compare_schools import build_schools
from planning.compare_units import build_spread, build_totals, build_units, build_worst
from planning.indicators import INDICATORS

if TYPE_CHECKING:
    from planning.run import Outcome

MOST_OPTIONS = 4
Verdict = Literal["better", "worse", "same", "changed", "unknown"]
"""``changed``: it differs, and neither direction is better in itself."""

TOLERANCE = {"share": 0.0005, "min": 0.05, "m": 1.0, "ratio": 0.0005, "pupils": 0.5, "places": 0.5, "schools": 0.5}
"""Differences that are smaller are no difference: half of the last digit that a table shows."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Up to four answers side by side; ``names[0]`` is the baseline.

    Parameters
    ----------
    names
        What the options are called, in order.
    indicators
        One row per indicator and stage, of the county: ``indicator``, ``stage``, ``unit``, ``direction``, ``value_0``
        …, and for every option but the first ``difference_1`` … and ``verdict_1`` … (:data:`Verdict`). A number that
        is not known is NaN, and so is its difference.
    units
        ``planning.compare_units.UNIT_COLUMNS``: one row per option but the first, stage and unit.
    spread
        ``SPREAD_COLUMNS``: pupils by band of change, for the county, every setting and every town.
    totals
        ``TOTAL_COLUMNS``: who gains and who loses, per option and stage.
    worst
        As ``units``, with ``rank``: the twenty communities that lose most, per option and stage.
    schools
        ``planning.compare_schools.SCHOOL_COLUMNS``: one row per option but the first, stage and school.
    notes
        What a reader must know before reading the numbers, in words.
    conflicts
        What stands against a plan, for every option; empty where there is a plan.
    """

    names: tuple[str, ...]
    indicators: pd.DataFrame
    units: pd.DataFrame = field(repr=False)
    spread: pd.DataFrame = field(repr=False)
    totals: pd.DataFrame
    worst: pd.DataFrame
    schools: pd.DataFrame = field(repr=False)
    notes: tuple[Message, ...] = ()
    conflicts: tuple[tuple[Message, ...], ...] = ()

    def value(self, option: int, name: str, stage: str) -> float:
        """Return one number of the county; NaN where it is not known."""
        rows = self.indicators
        found = rows.loc[(rows["indicator"] == name) & (rows["stage"] == stage), f"value_{option}"]
        return float(found.iloc[0]) if len(found) else math.nan


def compare_outcomes(outcomes: Sequence[Outcome], names: Sequence[str]) -> Comparison:
    """Return ``outcomes`` compared with the first of them.

    Parameters
    ----------
    outcomes
        One to four answers for one county.
    names
        What they are called.

    Raises
    ------
    ScenarioError
        None or more than four are given, or not one name for each.
    """
    if not 1 <= len(outcomes) <= MOST_OPTIONS or len(names) != len(outcomes):
        raise ScenarioError(f"between 1 and {MOST_OPTIONS} answers can be compared, each with its name")
    units = build_units(outcomes)
    return Comparison(
        names=tuple(names),
        indicators=compare_indicators(outcomes),
        units=units,
        spread=build_spread(units),
        totals=build_totals(units),
        worst=build_worst(units),
        schools=build_schools(outcomes),
        notes=tuple(list_notes(outcomes, names)),
        conflicts=tuple(outcome.conflicts if outcome.plan is None else () for outcome in outcomes),
    )


def compare_indicators(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return the indicators of the county side by side: see :class:`Comparison`."""
    stages = list(dict.fromkeys(stage for outcome in outcomes for stage in outcome.scenario.stages))
    found = [_index_indicators(outcome) for outcome in outcomes]
    rows: list[dict[str, Any]] = []
    for stage in stages:
        for item in INDICATORS:
            values = [known.get((stage, item.name), math.nan) for known in found]
            row: dict[str, Any] = {
                "indicator": item.name,
                "stage": stage,
                "unit": item.unit,
                "direction": item.direction,
                **{f"value_{option}": value for option, value in enumerate(values)},
            }
            for option, value in enumerate(values[1:], start=1):
                row[f"difference_{option}"] = value - values[0]
                row[f"verdict_{option}"] = judge_difference(value - values[0], item.unit, item.direction)
            rows.append(row)
    return pd.DataFrame(rows)


def judge_difference(difference: float, unit: str, direction: str) -> Verdict:
    """Return whether a difference is for the better; ``direction`` is that of the indicator."""
    if not np.isfinite(difference):
        return "unknown"
    if abs(difference) < TOLERANCE.get(unit, 0.0005):
        return "same"
    if direction == "neutral":
        return "changed"
    return "better" if (difference > 0) == (direction == "higher") else "worse"


def _index_indicators(outcome: Outcome) -> dict[tuple[str, str], float]:
    """Return the values of the county by stage and name; later rows of one name do not replace the first."""
    table = outcome.indicators
    rows = table[table["area_kind"] == "county"]
    found: dict[tuple[str, str], float] = {}
    for stage, name, value in zip(rows["stage"], rows["indicator"], rows["value"], strict=True):
        found.setdefault((str(stage), str(name)), float(value))
    return found
