"""What a public notice says of each zone: its boundary in words, four sides, places and house numbers, each checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.house_ranges import Houses, build_houses, describe_houses, measure_house_agreement
from geodata.landmarks import Landmarks, build_landmarks
from geodata.study import Stage, StudyArea
from geodata.zone_word_parts import UnitList, ZoneWords
from geodata.zone_words import ZoneTeller, describe_units
from reports.language import Translator
from reports.zone_words import say_zone

if TYPE_CHECKING:
    import pandas as pd

AGREES_SHARE = 0.99
"""A text that agrees with the map for fewer pupils must be read with the map."""


@dataclass(frozen=True)
class ZoneNotice:
    """One zone as a notice tells it; a zone of several schools is shared (多校划片).

    ``text`` is the form that is shortest and agrees; ``sides_text`` 四至; ``units_text`` all places by town;
    ``addresses_text`` house numbers, empty where none are known. ``…_agreement_share``: share of pupils (of houses for
    addresses) for whom text and map agree; NaN without pupils or houses. ``words`` and ``sides_words``: the values
    behind the texts.
    """

    stage: Stage
    school_ids: tuple[str, ...]
    name: str
    units: int
    pupils: float
    text: str
    sides_text: str
    units_text: str
    addresses_text: str
    agreement_share: float
    sides_agreement_share: float
    units_agreement_share: float
    addresses_agreement_share: float
    words: ZoneWords
    sides_words: ZoneWords
    labels: bool = False

    @property
    def shared(self) -> bool:
        """Whether several schools take the children of this zone."""
        return len(self.school_ids) > 1


def build_zone_notices(
    study: StudyArea,
    zones: pd.DataFrame,
    stage: Stage,
    _: Translator,
    *,
    school_ids: Iterable[str] | None = None,
    landmarks: Landmarks | None = None,
) -> tuple[ZoneNotice, ...]:
    """Return the notices of a stage's zones, by school ids.

    Parameters
    ----------
    study : whose places are named
    zones : ``unit_id``, ``stage``, ``school_id``; several rows of a unit and stage = shared zone. Rows of units or
    schools
        that the study does not have are passed over
    stage : whose zones and pupils
    _ : the language
    school_ids : only zones in which one of these schools has a part
    landmarks : those of ``build_landmarks(study)``, if kept; they are the same for all plans
    """
    landmarks = build_landmarks(study) if landmarks is None else landmarks
    groups = list_zone_groups(landmarks, zones, stage)
    if school_ids is not None:
        wanted = {str(key) for key in school_ids}
        groups = {schools: units for schools, units in groups.items() if wanted & set(schools)}
    maker = _NoticeMaker(landmarks, build_houses(study, landmarks), stage, _)
    return tuple(maker.build(schools, groups[schools]) for schools in sorted(groups))


def list_zone_groups(landmarks: Landmarks, zones: pd.DataFrame, stage: str) -> dict[tuple[str, ...], list[str]]:
    """Return the units of each school, or group of schools that share them, of one stage."""
    known = set(landmarks.unit_ids)
    schools_of: dict[str, set[str]] = {}
    rows = zones[zones["stage"] == stage]
    for unit_id, school_id in zip(rows["unit_id"].astype(str), rows["school_id"].astype(str), strict=True):
        if unit_id in known and school_id in landmarks.schools:
            schools_of.setdefault(unit_id, set()).add(school_id)
    groups: dict[tuple[str, ...], list[str]] = {}
    for unit_id in sorted(schools_of):
        groups.setdefault(tuple(sorted(schools_of[unit_id])), []).append(unit_id)
    return groups


class _NoticeMaker:
    """Builds the notices of one stage in one language."""

    def __init__(self, landmarks: Landmarks, houses: Houses, stage: Stage, _: Translator) -> None:
        self._landmarks = landmarks
        self._houses = houses
        self._teller = ZoneTeller(landmarks, stage)
        self._stage = stage
        self._say = _

    def build(self, school_ids: tuple[str, ...], unit_ids: list[str]) -> ZoneNotice:
        """Return the notice of one zone."""
        landmarks, _, measure = self._landmarks, self._say, self._teller.measure_agreement
        words = self._teller.describe_zone(unit_ids, school_ids)
        sides = self._teller.describe_sides(unit_ids, school_ids)
        listed = describe_units(landmarks, unit_ids, school_ids)
        told = describe_houses(self._houses, landmarks, unit_ids)
        houses = ZoneWords((told,), words.schools)
        return ZoneNotice(
            stage=self._stage,
            school_ids=school_ids,
            name=_.join(landmarks.schools[key].text for key in school_ids),
            units=len(unit_ids),
            pupils=float(landmarks.pupils[self._stage][landmarks.find_units(unit_ids)].sum()),
            text=say_zone(words, _),
            sides_text=say_zone(sides, _),
            units_text=say_zone(listed, _),
            addresses_text=say_zone(houses, _) if told.streets else "",
            agreement_share=measure(unit_ids, words, self._stage),
            sides_agreement_share=measure(unit_ids, sides, self._stage),
            units_agreement_share=measure(unit_ids, listed, self._stage),
            addresses_agreement_share=measure_house_agreement(self._houses, landmarks, unit_ids, told),
            words=words,
            sides_words=sides,
            labels=self._lists_labels(words),
        )

    def _lists_labels(self, words: ZoneWords) -> bool:
        """Whether the text lists a place whose name is not in use."""
        lists = [part for part in words.parts if isinstance(part, UnitList)]
        names = [name for part in lists for town in part.towns for name in (*town.units, *town.without_units)]
        return any(cost > 1 for cost in self._landmarks.name_cost[self._teller.reader.find_units(names)])


def tell_agreement(notice: ZoneNotice, _: Translator) -> str:
    """Return the sentence that says how well the text of a notice gives back the zone on the map."""
    share = notice.agreement_share
    if notice.labels:
        return _("The text lists places by labels that nobody uses. Publish the map with it.")
    if share != share:
        return _("No pupils are known here, so text and map were not compared.")
    if share >= AGREES_SHARE:
        return _("Text and map agree for {share} of pupils.", share=_.percent(share, digits=1))
    return _(
        "Text and map agree for only {share} of pupils: the border does not follow lines that have names. "
        "Publish the map or the list of places with it.",
        share=_.percent(share, digits=1),
    )
