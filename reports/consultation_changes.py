"""What the actions of a proposal mean for schools and communities: from when, who rides a bus, whose zone changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planning.action_steps import list_in_force
from planning.actions import AddBusLine, MoveUnits
from planning.flag_case import iterate_rows
from reports.consultation_words import name_school_status
from reports.legend import name_kind

if TYPE_CHECKING:
    from planning.publication import Publication
    from reports.consultation_case import Consultation
    from reports.language import Translator

MOVING = ("closed", "merged", "teaching_point", "stages", "opened")
"""What of ``Outcome.changes`` sends children elsewhere by itself."""
SAME_MIN = 0.06
"""A ride is quicker than the own way by more than this: ways are published to a tenth of a minute."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What the actions of one proposal change, keyed by ids.

    Parameters
    ----------
    school_years, unit_years
        School year from which a change holds, by stage and school or unit; without an entry: not said.
    rides
        Unit and school whose way in the proposal is that of a new bus line.
    zones
        Stage and school whose zone is another than today.
    """

    school_years: Mapping[tuple[str, str], int]
    unit_years: Mapping[tuple[str, str], int]
    rides: frozenset[tuple[str, str]]
    zones: frozenset[tuple[str, str]]


def build_changes(consultation: Consultation) -> Changes:
    """Return what the actions of the proposal mean for the schools and communities of its publication."""
    own = _find_school_years(consultation)
    units = _find_unit_years(consultation, own)
    return Changes(
        school_years=_spread_years(consultation.publication, own, units),
        unit_years=units,
        rides=frozenset(_find_rides(consultation)),
        zones=frozenset(_find_changed_zones(consultation.publication)),
    )


def _find_school_years(consultation: Consultation) -> dict[tuple[str, str, str], int]:
    """Return the first year by stage, school and what is done with it."""
    scenario = consultation.proposal.scenario
    found: dict[tuple[str, str, str], int] = {}
    columns = consultation.proposal.changes[["number", "school_id", "stage", "what"]]
    for row in iterate_rows(columns):
        year = scenario.all_actions[int(row.number) - 1].year
        year = scenario.year if year is None else year
        if year is not None:
            key = (str(row.stage), str(row.school_id), str(row.what))
            found[key] = min(year, found.get(key, year))
    return found


def _find_unit_years(consultation: Consultation, own: Mapping[tuple[str, str, str], int]) -> dict[tuple[str, str], int]:
    """Return the first year in which a changed unit goes elsewhere: its own move's, else that of its schools."""
    scenario = consultation.proposal.scenario
    moves: dict[tuple[str, str], int] = {}
    for action in _list_actions(consultation, MoveUnits):
        year = scenario.year if action.year is None else action.year
        moves |= {(action.stage, str(unit)): year for unit in action.unit_ids if year is not None}
    units = consultation.publication.units
    found: dict[tuple[str, str], int] = {}
    for row in iterate_rows(units[units["changed"].astype(bool)]):
        key = (str(row.stage), str(row.unit_id))
        schools = {*str(row.before_ids).split(";"), *str(row.after_ids).split(";")}
        years = [moves[key]] if key in moves else _pick(own, key[0], schools)
        if years or scenario.year is not None:
            found[key] = min(years) if years else int(scenario.year or 0)
    return found


def _pick(own: Mapping[tuple[str, str, str], int], stage: str, schools: Iterable[str]) -> list[int]:
    wanted = set(schools)
    return [year for (of, school, what), year in own.items() if of == stage and school in wanted and what in MOVING]


def _spread_years(
    publication: Publication, own: Mapping[tuple[str, str, str], int], units: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], int]:
    """Return the first year by stage and school: of what is done with it, else of the units that come or leave."""
    found: dict[tuple[str, str], int] = {}
    for row in iterate_rows(publication.units[publication.units["changed"].astype(bool)]):
        year = units.get((str(row.stage), str(row.unit_id)))
        for school_id in {*str(row.before_ids).split(";"), *str(row.after_ids).split(";")} if year else ():
            key = (str(row.stage), school_id)
            found[key] = min(int(year or 0), found.get(key, int(year or 0)))
    direct: dict[tuple[str, str], int] = {}
    for (stage, school_id, what), year in own.items():
        if what in (*MOVING, "places"):
            direct[stage, school_id] = min(year, direct.get((stage, school_id), year))
    return {**found, **direct}


def _find_rides(consultation: Consultation) -> set[tuple[str, str]]:
    """Return unit and school where a bus line of the proposal is quicker than the own way."""
    scenario = consultation.proposal.scenario
    lines = {
        (str(unit), str(action.school_id))
        for action in _list_actions(consultation, AddBusLine)
        for unit in action.unit_ids
    }
    if not lines:
        return set()
    travel = consultation.study.travel[scenario.mode]
    rows = {key: place for place, key in enumerate(travel.unit_ids)}
    columns = {key: place for place, key in enumerate(travel.destination_ids)}
    ways = consultation.publication.ways
    found: set[tuple[str, str]] = set()
    for row in iterate_rows(ways[ways["side"] == "after"]):
        key = (str(row.unit_id), str(row.school_id))
        if key in lines:
            walk = travel.time_min[rows[key[0]], columns[key[1]]] if key[1] in columns else np.nan
            if not walk <= float(row.time_min) + SAME_MIN:
                found.add(key)
    return found


def _list_actions(consultation: Consultation, kind: type[Any]) -> list[Any]:
    scenario = consultation.proposal.scenario
    pairs = zip(scenario.all_actions, list_in_force(scenario), strict=True)
    return [action for action, holds in pairs if holds and isinstance(action, kind)]


def _find_changed_zones(publication: Publication) -> set[tuple[str, str]]:
    """Return the schools that have other communities or grades than today, or share one with another school."""
    sides: dict[str, dict[tuple[str, str], set[tuple[str, str]]]] = {"before": {}, "after": {}}
    for row in iterate_rows(publication.ways):
        key = (str(row.stage), str(row.school_id))
        grades = ("low", "upper") if row.grades == "all" else (str(row.grades),)
        sides[str(row.side)].setdefault(key, set()).update((str(row.unit_id), grade) for grade in grades)
    keys = {*sides["before"], *sides["after"]}
    touched = {key for key in keys if sides["before"].get(key) != sides["after"].get(key)}
    for row in iterate_rows(publication.units[publication.units["changed"].astype(bool)]):
        touched |= {(str(row.stage), key) for ids in (row.before_ids, row.after_ids) for key in str(ids).split(";")}
    return touched


def say_what_happens(row: Any, changes: Changes, _: Translator) -> str:
    """Return what happens to a school (a row of ``publication.schools``), all of it in a few words."""
    if row.status in ("gone", "new"):
        return name_school_status(str(row.status), _, into=str(row.into))
    told: list[str] = []
    if row.kind_before and row.kind_after and row.kind_before != row.kind_after:
        told.append(_("becomes: {kind}", kind=name_kind(str(row.kind_after), _)))
    if row.places_after > row.places_before:
        told.append(_("more places"))
    elif row.places_after < row.places_before:
        told.append(_("fewer places"))
    elif np.isfinite(row.classes_before) and np.isfinite(row.classes_after) and row.classes_before != row.classes_after:
        told.append(_("another number of classes"))
    if (str(row.stage), str(row.school_id)) in changes.zones:
        told.append(_("zone changes"))
    return _("; ").join(told) or name_school_status(str(row.status), _)
