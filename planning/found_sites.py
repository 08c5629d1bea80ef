"""New sites for a proposal where nobody has a list: the search of ``geodata.site_search`` by the rules in force."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from geodata.site_search import Candidates, find_candidates
from geodata.study import SETTINGS, Progress, StudyArea, no_progress
from planning.actions import Action, OpenSchool
from planning.forecast import VARIANTS, build_forecast
from planning.projected_study import project_study
from planning.rules import Rules
from planning.scenario import Scenario
from planning.site_rules import add_candidates, build_clear_distances
from planning.siting_answer import SitingAnswer
from planning.siting_options import SitingOptions

LONGEST_MIN = 40.0
"""Longest way where neither the options nor the rulebook name one: a convention, as for the search on the page."""


def add_found_sites(
    study: StudyArea, rules: Rules, options: SitingOptions, count: int, *, progress: Progress = no_progress
) -> tuple[StudyArea, Candidates]:
    """Return the study with at most ``count`` new candidates among its sites, and what the search found.

    They stand clear of what the siting rules name, and within the longest way of pupils who have no place near: of
    today's, or where a variant of the forecast is asked for, of the year of the plan with most pupils.
    """
    candidates = find_candidates(
        project_fullest(study, options),
        stage=options.stage,
        mode=options.mode,
        max_travel_min=find_longest_min(rules, options),
        count=count,
        clear=build_clear_distances(rules, stage=options.stage),
        seed=options.search.seed,
        progress=progress,
    )
    return add_candidates(study, candidates), candidates


def project_fullest(study: StudyArea, options: SitingOptions) -> StudyArea:
    """Return the study of the year with most pupils of the stage; today's where no year of the plan has more.

    Read of ``options``: stage, years, variant and forecast.
    """
    if not options.variant or study.view:
        return study
    last = max(options.forecast.last_year, options.years[-1])
    forecast = build_forecast(study, dataclasses.replace(options.forecast, last_year=last))
    years = [year for year in options.years if year in forecast.years]
    if options.stage not in forecast.stages or not years:
        return study
    values = forecast.unit_pupils[VARIANTS.index(options.variant), :, forecast.stages.index(options.stage)]
    pupils = [float(np.nansum(values[forecast.years.index(year)])) for year in years]
    today = float(study.units[f"{options.stage}_pupils"].sum()) if years != list(options.years) else -np.inf
    fullest = int(np.argmax(pupils))
    if pupils[fullest] < today:
        return study
    return project_study(study, forecast, years[fullest], options.variant)


def find_longest_min(rules: Rules, options: SitingOptions) -> float:
    """Return the longest way in minutes: of the options, else of the rulebook (its widest), else a convention."""
    asked = options.rules.max_travel_min or options.cover_min
    if asked:
        return asked
    year = options.years[-1] if options.years else None
    found = [rules.limit("max_travel_min", options.stage, setting=setting, year=year) for setting in ("", *SETTINGS)]
    return max((float(limit) for limit in found if limit is not None), default=LONGEST_MIN)


def free_of_candidates(answer: SitingAnswer, candidates: Candidates) -> SitingAnswer:
    """Return the answer with scenarios that open schools at points in the place of candidates.

    The files of the study do not know the candidates; so the scenarios can be run on it all the same.
    """
    table = candidates.table
    points = {
        str(site_id): (float(x_m), float(y_m))
        for site_id, x_m, y_m in zip(table["site_id"], table["x_m"], table["y_m"], strict=True)
    }
    plans = []
    for plan in answer.plans:
        own, above = (tuple(_free(item, points) for item in part) for part in _list_actions(plan.scenario))
        scenario = dataclasses.replace(plan.scenario, actions=own, inherited=above)
        plans.append(dataclasses.replace(plan, scenario=scenario))
    return dataclasses.replace(answer, plans=tuple(plans))


def _list_actions(scenario: Scenario) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    return scenario.actions, scenario.inherited


def _free(action: Action, points: Mapping[str, tuple[float, float]]) -> Action:
    if isinstance(action, OpenSchool) and action.site_id in points:
        return dataclasses.replace(action, site_id="", point=points[action.site_id])
    return action
