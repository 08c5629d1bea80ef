"""What stands against any proposal and can be seen without a search."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.action_state import suggest
from planning.conflicts import Conflict
from planning.rules import Rules
from planning.scenario import name_mode, name_stage
from planning.siting_options import SitingOptions


def check_siting(study: StudyArea, rules: Rules, options: SitingOptions) -> list[Conflict]:
    """Return what stands against any plan and can be seen without a search; never raises."""
    found = [*_check_study(study, options), *_check_ids(study, options)]
    if not found:
        found = [*_check_money(options), *_check_count(study, options), *_check_sizes(study, rules, options)]
    return found


def _check_study(study: StudyArea, options: SitingOptions) -> list[Conflict]:
    """Return what the study lacks."""
    found = []
    stage = name_stage(options.stage)
    taught = study.places.loc[study.places["stage"] == options.stage, "school_id"]
    fitting = _list_sites(study, options.stage)
    if not taught.isin(study.schools["school_id"]).any() and not fitting:
        found.append(
            Conflict(
                "asked",
                msg("No school teaches the stage, and no site is meant for it: {stage}.", stage=stage),
                cure=msg("Add a school with places for it, or candidate sites."),
            )
        )
    if study.units.empty:
        found.append(Conflict("asked", msg("There are no planning units, so nobody is known to live here.")))
    if options.mode not in study.travel:
        found.append(
            Conflict(
                "asked",
                msg("There are no travel times {mode}.", mode=name_mode(options.mode)),
                cure=msg("Choose another way to travel, or add it to the study."),
            )
        )
    column = f"{options.stage}_pupils"
    if column not in study.units.columns or not (study.units[column].fillna(0) > 0).any():
        found.append(
            Conflict(
                "asked",
                msg("No children are known for {stage}.", stage=stage),
                cure=msg("Add them to the population of the study, or choose another stage."),
            )
        )
    if options.variant and study.view:
        found.append(
            Conflict(
                "asked",
                msg("The study shows a year of the forecast already ({view}).", view=study.view),
                cure=msg("Ask for the proposal on the study of today."),
            )
        )
    return found


def _list_sites(study: StudyArea, stage: str) -> set[str]:
    """Return the sites that are not meant for other stages only."""
    found = set()
    for site in study.sites.to_dict("records"):
        words = site.get("stages")
        stages = [part for part in str(words).split(";") if part] if isinstance(words, str) else []
        if not stages or stage in stages:
            found.add(str(site["site_id"]))
    return found


def _check_ids(study: StudyArea, options: SitingOptions) -> list[Conflict]:
    """Return ids that the study does not know."""
    schools = {str(key) for key in study.schools["school_id"]}
    sites = {str(key) for key in study.sites["site_id"]}
    asked: list[tuple[Message, Iterable[str], set[str]]] = [
        (msg("schools that may close"), options.may_close or (), schools),
        (msg("schools that may be extended"), options.may_expand or (), schools),
        (msg("sites that may be built on"), options.may_open or (), sites),
        (msg("protected schools"), options.rules.protected, schools),
    ]
    return [
        Conflict(
            "asked",
            msg("{where}: there is no id {id} in the study.", where=where, id=key),
            school_ids=(key,),
            cure=suggest(key, known) or msg("Take an id from the table."),
        )
        for where, ids, known in asked
        for key in sorted(set(ids) - known)
    ]


def _check_money(options: SitingOptions) -> list[Conflict]:
    """Return budgets of years in which nothing can be decided."""
    return [
        Conflict(
            "budget",
            msg("The budget of {year} is of no year of the plan.", year=year),
            cure=msg("Years of the plan: {years}.", years=tuple(str(item) for item in options.years))
            if options.years
            else msg("Name the years of the plan."),
        )
        for year, _ in options.rules.budgets_cny
        if year not in options.years
    ]


def _check_count(study: StudyArea, options: SitingOptions) -> list[Conflict]:
    """Return a number of schools that there cannot be."""
    if options.count is None:
        return []
    taught = set(study.places.loc[study.places["stage"] == options.stage, "school_id"].astype(str))
    taught &= {str(key) for key in study.schools["school_id"]}
    sites = _list_sites(study, options.stage)
    sites &= set(options.may_open) if options.may_open is not None else sites
    most = len(taught) + len(sites)
    if options.count > most:
        return [
            Conflict(
                "count",
                msg(
                    "{count} schools are asked for; there are {most} schools and sites.", count=options.count, most=most
                ),
                cure=msg("Ask for at most {most}, or add candidate sites.", most=most),
            )
        ]
    return []


def _check_sizes(study: StudyArea, rules: Rules, options: SitingOptions) -> list[Conflict]:
    """Return a stage of which nobody knows how large a class is."""
    size = options.rules.max_class_size or rules.limit("design_class_size", options.stage)
    places = study.places.loc[study.places["stage"] == options.stage, "capacity_places"].astype(float)
    if size is not None or (len(places) and np.isfinite(places).all()):
        return []
    return [
        Conflict(
            "class_size",
            msg(
                "The rulebook has no design class size for {stage}, and the places of some schools are not known.",
                stage=name_stage(options.stage),
            ),
            cure=msg("Give the pupils per class that places are counted with."),
        )
    ]
