"""A study in a year to come: today's county with the children and the rolls of a forecast."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from geodata.errors import ScenarioError
from geodata.messages import msg
from geodata.study import Source, StudyArea, compute_digest
from planning.forecast import VARIANTS, Forecast, build_forecast, compute_forecast_fingerprint
from planning.scenario import Scenario

FORECAST_ROLE = "forecast"
"""Role of the source that a projected study names: its year and variant, with the fingerprint of the forecast."""


def name_view(year: int, variant: str) -> str:
    """Return the name of a projected study: ``"2030 middle"``."""
    return f"{year} {variant}"


def project_study(study: StudyArea, forecast: Forecast, year: int, variant: str) -> StudyArea:
    """Return the study with children by unit and rolls of ``year``; everything else is as today.

    The rolls of the year stand after those known. Their classes are today's, where they are known: what would be
    opened or closed is not invented, so class sizes show what comes if nothing is done. Units whose children are not
    known stay unknown; schools without a roll today have none.

    Parameters
    ----------
    forecast
        Of this study.

    Raises
    ------
    ScenarioError
        The study is projected already, or the forecast does not hold the year or the variant.
    """
    if study.view:
        raise ScenarioError(msg("the study is projected already ({view}); project the study of today", view=study.view))
    if variant not in VARIANTS:
        raise ScenarioError(msg("unknown variant {variant!r}; known: {known}", variant=variant, known=VARIANTS))
    if year not in forecast.years:
        raise ScenarioError(
            msg(
                "the forecast holds the years {first} to {last}, not {year}: set last_year",
                first=forecast.years[0],
                last=forecast.years[-1],
                year=year,
            )
        )
    view = name_view(year, variant)
    source = Source(FORECAST_ROLE, view, digest=forecast.fingerprint, note=study.fingerprint)
    return replace(
        study,
        units=_put_children(study, forecast, year, variant),
        rolls=_add_rolls(study, forecast, year, variant),
        view=view,
        sources=(*study.sources, source),
        fingerprint=compute_digest(study.fingerprint, forecast.fingerprint, year, variant),
    )


def project_for(study: StudyArea, scenario: Scenario, forecast: Forecast | None = None) -> StudyArea:
    """Return the study that a scenario asks about: projected where it names a variant and a year after the rolls.

    Parameters
    ----------
    forecast
        Where it is known already; one of another study or other options is not used.

    Raises
    ------
    ScenarioError
        As :func:`project_study`; and where the study is projected to another year or variant than the one asked for.
    """
    if not scenario.variant or scenario.year is None:
        return study
    wanted = name_view(scenario.year, scenario.variant)
    if study.view:
        if study.view != wanted:
            raise ScenarioError(
                msg(
                    "the study is projected to {view}, not to {wanted}: ask the study of today",
                    view=study.view,
                    wanted=wanted,
                )
            )
        return study
    if forecast is None or forecast.fingerprint != compute_forecast_fingerprint(study, scenario.forecast):
        forecast = build_forecast(study, scenario.forecast)
    if scenario.year <= forecast.base_year:
        return study
    return project_study(study, forecast, scenario.year, scenario.variant)


def _put_children(study: StudyArea, forecast: Forecast, year: int, variant: str) -> Any:
    """Return the units with children of the year; stages that the forecast does not hold stay as they are."""
    units = study.units.copy()
    order = pd.Index(forecast.unit_ids).get_indexer(pd.Index(units["unit_id"].astype(str)))
    values = forecast.unit_pupils[VARIANTS.index(variant), forecast.years.index(year)]
    for at, stage in enumerate(forecast.stages):
        column = f"{stage}_pupils"
        if column in units.columns:
            units[column] = np.where(order >= 0, values[at, order], np.nan)
    return units


def _add_rolls(study: StudyArea, forecast: Forecast, year: int, variant: str) -> pd.DataFrame:
    rows = forecast.schools
    rows = rows[(rows["year"] == year) & (rows["variant"] == variant)]
    later = pd.DataFrame(
        {
            "school_id": rows["school_id"].astype(str).to_numpy(),
            "year": np.full(len(rows), year),
            "stage": rows["stage"].astype(str).to_numpy(),
            "grade": rows["grade"].to_numpy(dtype=np.int64),
            "pupils": rows["pupils"].to_numpy(dtype=np.float64),
        }
    )
    today = study.rolls[study.rolls["year"] == _find_latest(study, forecast)]
    whole = today[(today["grade"] == 0)][["school_id", "stage"]].drop_duplicates()
    totals = later[later["grade"] > 0].groupby(["school_id", "stage"], sort=False)["pupils"].sum().reset_index()
    totals = totals.merge(whole, on=["school_id", "stage"]).assign(year=year, grade=0)
    every = pd.concat([later, totals[list(later.columns)]], ignore_index=True) if len(totals) else later
    classes = today[["school_id", "stage", "grade", "classes"]].drop_duplicates(["school_id", "stage", "grade"])
    every = every.merge(classes, on=["school_id", "stage", "grade"], how="left")
    every = every.astype({name: study.rolls[name].dtype for name in every.columns if name in study.rolls.columns})
    known = study.rolls[study.rolls["year"] != year]
    return pd.concat([known, every[list(study.rolls.columns)]], ignore_index=True) if len(known) else every


def _find_latest(study: StudyArea, forecast: Forecast) -> int:
    """Return the school year of today's rolls as the table writes it: 0 where it does not say."""
    years = study.rolls.loc[study.rolls["year"] <= forecast.base_year, "year"]
    return int(years.max()) if len(years) else forecast.base_year
