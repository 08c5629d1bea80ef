"""The zones of a notice in words of no language yet: found once for a pack, said in each of its languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.house_ranges import build_houses, describe_houses
from geodata.landmarks import build_landmarks
from geodata.zone_word_parts import UnitList, ZoneWords
from geodata.zone_words import ZoneTeller, describe_units
from planning.action_steps import apply_actions
from planning.flag_case import iterate_rows
from planning.projected_study import project_for
from reports.consultation_words import name_grades
from reports.zone_documents import as_stage
from reports.zone_notices import AGREES_SHARE, list_zone_groups
from reports.zone_words import say_zone

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.publication import Publication
    from reports.consultation_case import Consultation
    from reports.language import Translator

GRADES = ("all", "low", "upper")


@dataclass(frozen=True, eq=False)
class NoticeZone:
    """One zone: of one school, or shared by several, of all its grades or of a part of them.

    ``words``: the shortest form that agrees with the map; ``sides``: 四至; ``units``: every place; ``houses``: house
    numbers, None where none are known. ``exact``: ``words`` and map agree for (nearly) all children.
    """

    grades: str
    school_ids: tuple[str, ...]
    words: ZoneWords
    sides: ZoneWords
    units: ZoneWords
    houses: ZoneWords | None
    exact: bool


NoticeZones = Mapping[tuple[str, str, str], tuple[NoticeZone, ...]]
"""By stage, side (``before``, ``after``) and school."""


def list_told_schools(consultation: Consultation) -> pd.DataFrame:
    """Return the rows of ``publication.schools`` that a notice tells in full: those that change, or all (``scope``)."""
    schools = consultation.publication.schools
    return schools if consultation.options.scope == "all" else list_changed_schools(consultation.publication)


def list_changed_schools(publication: Publication) -> pd.DataFrame:
    """Return the rows of ``publication.schools`` that change, or have a community that changes: also one that shares
    its zone from now on."""
    units, schools = publication.units, publication.schools
    touched: set[tuple[str, str]] = set()
    for row in iterate_rows(units[units["changed"].astype(bool)]):
        touched |= {(str(row.stage), key) for ids in (row.before_ids, row.after_ids) for key in str(ids).split(";")}
    keys = zip(schools["stage"].astype(str), schools["school_id"].astype(str), strict=True)
    here = np.array([key in touched for key in keys], dtype=bool)
    found: pd.DataFrame = schools[here | schools["changed"].to_numpy(dtype=bool)]
    return found


def build_notice_zones(consultation: Consultation) -> NoticeZones:
    """Return the zones of the schools that a notice tells: of the proposal, and today's of schools that go.

    Costly (some tenths of a second per school); the same for every language.
    """
    told, ways = list_told_schools(consultation), consultation.publication.ways
    gone = told["status"] == "gone"
    found: dict[tuple[str, str, str], list[NoticeZone]] = {}
    for side, rows in (("before", told[gone]), ("after", told[~gone])):
        if rows.empty:
            continue
        finder = _ZoneFinder(_find_study(consultation, side), ways[ways["side"] == side])
        for stage in consultation.publication.stages:
            wanted = set(rows.loc[rows["stage"] == stage, "school_id"].astype(str))
            for zone in finder.find(stage, wanted):
                for school_id in wanted & set(zone.school_ids):
                    found.setdefault((stage, side, school_id), []).append(zone)
    return MappingProxyType({key: tuple(sorted(zones, key=_order)) for key, zones in found.items()})


def _order(zone: NoticeZone) -> tuple[int, bool]:
    """Order the zones of a school: of all grades first, its own before those that it shares."""
    return GRADES.index(zone.grades), len(zone.school_ids) > 1


class _ZoneFinder:
    """Finds the zones of one side of a proposal; what it looks up of the county is looked up once."""

    def __init__(self, study: StudyArea, ways: pd.DataFrame) -> None:
        self._ways = ways
        self._landmarks = build_landmarks(study)
        self._houses = build_houses(study, self._landmarks)

    def find(self, stage: str, wanted: set[str]) -> list[NoticeZone]:
        """Return the zones of one stage in which one of the schools has a part."""
        teller = ZoneTeller(self._landmarks, as_stage(stage))
        rows = self._ways[self._ways["stage"] == stage]
        found: list[NoticeZone] = []
        for grades in GRADES:
            groups = list_zone_groups(self._landmarks, rows[rows["grades"] == grades], stage)
            chosen = [schools for schools in sorted(groups) if wanted & set(schools)]
            found += [self._build(teller, stage, grades, schools, groups[schools]) for schools in chosen]
        return found

    def _build(
        self, teller: ZoneTeller, stage: str, grades: str, schools: tuple[str, ...], unit_ids: list[str]
    ) -> NoticeZone:
        words = teller.describe_zone(unit_ids, schools)
        told = describe_houses(self._houses, self._landmarks, unit_ids)
        share = teller.measure_agreement(unit_ids, words, as_stage(stage))
        return NoticeZone(
            grades=grades,
            school_ids=schools,
            words=words,
            sides=teller.describe_sides(unit_ids, schools),
            units=describe_units(self._landmarks, unit_ids, schools),
            houses=ZoneWords((told,), words.schools) if told.streets else None,
            exact=not share < AGREES_SHARE,
        )


def _find_study(consultation: Consultation, side: str) -> StudyArea:
    """Return the study whose names are told: of the proposal with the schools that it opens, if it opens any."""
    schools = consultation.publication.schools
    if side == "before" or not (schools["status"] == "new").any():
        return consultation.study
    scenario = consultation.proposal.scenario
    return apply_actions(project_for(consultation.study, scenario), consultation.rules, scenario).study


def tell_zone(zone: NoticeZone, _: Translator, *, today: bool = False) -> list[tuple[str, str]]:
    """Return a zone as pairs of a title and a text; of a zone that ends (``today``) only what it is made of."""
    title = _("Zone today") if today else _("Zone in the proposal")
    if zone.grades != "all":
        title = _("{title}, {grades}", title=title, grades=name_grades(zone.grades, _))
    text = _say(zone.words, _)
    pairs = [(title, text)]
    if not today and not any(isinstance(part, UnitList) for part in zone.sides.parts):
        pairs.append((_("Four sides"), _say(zone.sides, _)))
    if zone.units.parts != zone.words.parts:
        pairs.append((_("Communities"), _say(zone.units, _)))
    if zone.houses is not None and not today:
        pairs.append((_("House numbers"), _say(zone.houses, _)))
    return [(name, told) for name, told in pairs if told]


def _say(words: ZoneWords, _: Translator) -> str:
    """Return the words without the name of the school: it stands above."""
    return say_zone(replace(words, schools=()), _)
