"""Years in a comparison: when something changes, and pupils and fill by year, of the rolls and of the plans.

A plan year says where the children would go to school with the actions of that year in force: the children of the
forecast, where the scenario names a variant of it and the year lies after the rolls; else today's.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from geodata.study import StudyArea
from planning.scenario import Scenario
from planning.tables import build_stage_schools, compute_stage_rolls

if TYPE_CHECKING:
    from planning.run import Outcome

YEAR_COLUMNS = ("option", "year", "kind", "pupils", "places", "fill_share")
ROLLS = -1
"""Number of the option in rows of the rolls, which all options share."""


def list_plan_years(scenarios: Iterable[Scenario], latest_roll: int | None = None) -> list[int]:
    """Return the years to ask for: the last one before anything changes, then each in which an action begins.

    Empty where no action has a year. The first is that of the latest roll where that is earlier than every action.
    Where a scenario names a variant of the forecast, children change every year: all years up to the one that it asks
    about are asked for.
    """
    scenarios = list(scenarios)
    years = sorted({action.year for item in scenarios for action in item.all_actions if action.year is not None})
    asked = [item.year for item in scenarios if item.variant and item.year is not None]
    if asked:
        start = latest_roll if latest_roll is not None else min([*asked, *years]) - 1
        years = sorted({*years, *range(start + 1, max(asked) + 1)})
    if not years:
        return []
    first = years[0] - 1 if latest_roll is None else min(years[0] - 1, latest_roll)
    return [first, *years]


def ask_year(scenario: Scenario, year: int | None) -> Scenario:
    """Return the same question for another school year."""
    return scenario if year is None else dataclasses.replace(scenario, year=year)


def find_state_year(scenario: Scenario, year: int, first: int) -> int:
    """Return the year whose answer holds in ``year``.

    With a variant of the forecast every year has other children, so it is ``year`` itself; else nothing changes between
    actions, and it is the last year up to ``year`` in which an action of ``scenario`` begins, else ``first``.
    """
    if scenario.variant:
        return year
    begun = [action.year for action in scenario.all_actions if action.year is not None and action.year <= year]
    return max([first, *begun])


def find_latest_roll(study: StudyArea, stage: str) -> int | None:
    """Return the latest school year of which a roll of the stage is known."""
    years = study.rolls.loc[study.rolls["stage"] == stage, "year"]
    return None if years.empty else int(years.max())


def build_years(
    study: StudyArea, stage: str, plans: Sequence[tuple[int, int, Outcome]], school_id: str = ""
) -> pd.DataFrame:
    """Return ``YEAR_COLUMNS``: one row per year of the rolls (``kind`` "roll"), and per option and plan year ("plan").

    The year to which a study is projected is of kind "forecast".

    Parameters
    ----------
    plans
        Option, year, and its answer.
    school_id
        One school only; empty: all schools of the stage.

    Pupils are those on the rolls, in plan years as projected; without rolls those by the model. Past places are not
    known: the fill of past years is measured by today's places. Fill is over the schools whose pupils and places are
    both known. A school that is closed has no pupils and no places; its fill is NaN.
    """
    rows = []
    ahead = int(study.view.split()[0]) if study.view else None
    places = build_stage_schools(study, stage, None).set_index("school_id")["capacity_places"]
    for year in sorted(study.rolls.loc[study.rolls["stage"] == stage, "year"].unique().tolist()):
        pupils = compute_stage_rolls(study.rolls, stage, int(year))["pupils"]
        pupils = pupils.reindex(places.index) if not school_id else pupils.reindex([school_id])
        if pupils.notna().any():
            kind = "forecast" if int(year) == ahead else "roll"
            rows.append((ROLLS, int(year), kind, *_sum_fill(pupils, places.reindex(pupils.index))))
    for option, year, outcome in plans:
        table = outcome.school_table
        table = table[table["stage"] == stage].set_index("school_id")
        known = table["actual_pupils"].notna().any()
        pupils = table["actual_pupils" if known else "modelled_pupils"]
        if school_id:
            if school_id not in table.index:
                rows.append((option, year, "plan", 0.0, 0.0, math.nan))
                continue
            pupils, table = pupils.loc[[school_id]], table.loc[[school_id]]
        rows.append((option, year, "plan", *_sum_fill(pupils, table["capacity_places"])))
    return pd.DataFrame(rows, columns=list(YEAR_COLUMNS))


def _sum_fill(pupils: pd.Series[float], places: pd.Series[float]) -> tuple[float, float, float]:
    both = pupils.notna() & places.notna() & (places > 0)
    room = float(places[both].sum())
    share = float(pupils[both].sum()) / room if room > 0 else math.nan
    return float(pupils.sum(min_count=1)), float(places.sum(min_count=1)), share
