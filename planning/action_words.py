"""Actions as sentences, with the names of schools, communities and sites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from geodata.messages import COMMA, Message, msg
from geodata.study import StudyArea
from planning.actions import (
    Action,
    AddBoarding,
    AddBusLine,
    ChangePlaces,
    ChangeStages,
    CloseSchool,
    MakeTeachingPoint,
    MergeSchools,
    MoveUnits,
    OpenSchool,
    StagePlaces,
)
from planning.scenario import name_stage

MAX_NAMED = 3
"""Of a longer list so many are named, and the others counted."""


def collect_names(study: StudyArea, actions: Iterable[Action] = ()) -> dict[str, str]:
    """Return the name of every unit, site and school by id, with the schools that ``actions`` open.

    Ids without a name are left out. Where a site and a school have one id the school has it.
    """
    names: dict[str, str] = {}
    for table, key in ((study.units, "unit_id"), (study.sites, "site_id"), (study.schools, "school_id")):
        if key in table.columns and "name" in table.columns:
            names |= {str(code): str(name) for code, name in zip(table[key], table["name"].fillna(""), strict=True)}
    names |= {action.school_id: action.name for action in actions if isinstance(action, OpenSchool)}
    return {code: name for code, name in names.items() if name}


def describe_action(action: Action, names: StudyArea | Mapping[str, str]) -> Message:
    """Return what an action does: "Close Chengxi No. 2 Primary School (primary school)".

    Parameters
    ----------
    names
        Name by id (:func:`collect_names`; worked out once for a list of actions), or the study. An id without a name
        stands for itself. Year and comment are not told.
    """
    known = collect_names(names, (action,)) if isinstance(names, StudyArea) else names
    return _Words(known).tell(action)


class _Words:
    """Tells actions with the names that it knows."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def tell(self, action: Action) -> Message:
        told = self._tell_school(action) or self._tell_move(action)
        return msg("{kind}", kind=action.kind) if told is None else told

    def _tell_school(self, action: Action) -> Message | None:
        if isinstance(action, CloseSchool):
            return _add_stages(msg("Close {school}", school=self._name(action.school_id)), action.stages)
        if isinstance(action, MergeSchools):
            schools, into = self._list(action.school_ids), self._list(action.into)
            if action.as_campus:
                return _add_stages(msg("Make {schools} a campus of {into}", schools=schools, into=into), action.stages)
            return _add_stages(msg("Merge {schools} into {into}", schools=schools, into=into), action.stages)
        if isinstance(action, MakeTeachingPoint):
            told = msg("Turn {school} into a teaching point", school=self._name(action.school_id))
            return _add_size(told, _tell_counts(action.capacity_places, action.classes))
        if isinstance(action, ChangePlaces):
            return self._tell_places(action)
        if isinstance(action, ChangeStages):
            return self._tell_stages(action)
        if isinstance(action, OpenSchool):
            return self._tell_open(action)
        return None

    def _tell_move(self, action: Action) -> Message | None:
        if isinstance(action, MoveUnits):
            return msg(
                "Give {units} to {schools} ({stage})",
                units=self._list(action.unit_ids),
                schools=self._list(action.school_ids),
                stage=name_stage(action.stage),
            )
        if isinstance(action, AddBoarding):
            return msg("Add {beds:,.10g} beds at {school}", beds=action.beds, school=self._name(action.school_id))
        if isinstance(action, AddBusLine):
            school, units = self._name(action.school_id), self._list(action.unit_ids)
            told = msg("Run a school bus from {units} to {school}", units=units, school=school)
            return _add_size(told, None if action.seats is None else msg("{seats:,.10g} seats", seats=action.seats))
        return None

    def _tell_places(self, action: ChangePlaces) -> Message:
        about = {"school": self._name(action.school_id), "stage": name_stage(action.stage)}
        if action.add_places is None and action.add_classes is None:
            size = _tell_counts(action.capacity_places, action.classes)
            return msg("Resize {school} ({stage}) to {size}", **about, size=size)
        size = _tell_counts(action.add_places, action.add_classes, signed=True)
        return msg("Resize {school} ({stage}) by {size}", **about, size=size)

    def _tell_stages(self, action: ChangeStages) -> Message:
        school = self._name(action.school_id)
        if not action.drop:
            return msg("Add to {school}: {added}", school=school, added=_join([*map(_tell_stage, action.add)]))
        dropped = _join([*map(name_stage, action.drop)])
        if not action.add:
            return msg("Drop from {school}: {dropped}", school=school, dropped=dropped)
        added = _join([*map(_tell_stage, action.add)])
        return msg("Add to {school}: {added}; drop: {dropped}", school=school, added=added, dropped=dropped)

    def _tell_open(self, action: OpenSchool) -> Message:
        about = {"school": action.name or action.school_id, "stages": _join([_tell_stage(i) for i in action.stages])}
        if action.site_id:
            return msg("Open {school} at the site {site} ({stages})", **about, site=self._name(action.site_id))
        if action.unit_id:
            return msg("Open {school} in {unit} ({stages})", **about, unit=self._name(action.unit_id))
        return msg("Open {school} at a point on the map ({stages})", **about)

    def _name(self, code: str) -> str:
        return self._names.get(code) or code

    def _list(self, codes: Sequence[str]) -> Message:
        named = tuple(self._name(code) for code in codes[:MAX_NAMED])
        if len(codes) <= MAX_NAMED:
            return msg("{names}", names=named)
        return msg("{names} and {count:,} more", names=named, count=len(codes) - MAX_NAMED)


def _add_stages(told: Message, stages: Sequence[str]) -> Message:
    """Name the stages where not all are meant."""
    return msg("{told} ({stages})", told=told, stages=_join([*map(name_stage, stages)])) if stages else told


def _add_size(told: Message, size: Message | None) -> Message:
    return told if size is None else msg("{told} ({size})", told=told, size=size)


def _tell_stage(item: StagePlaces) -> Message:
    size = _tell_counts(item.capacity_places, item.classes)
    stage = name_stage(item.stage)
    return stage if size is None else msg("{stage} with {size}", stage=stage, size=size)


def _tell_counts(places: float | None, classes: float | None, *, signed: bool = False) -> Message | None:
    """Return "450 places, 10 classes" of what is given; with a sign where it is a change."""
    told = []
    if places is not None:
        told.append(
            msg("{places:+,.10g} places", places=places) if signed else msg("{places:,.10g} places", places=places)
        )
    if classes is not None:
        told.append(
            msg("{classes:+,.10g} classes", classes=classes)
            if signed
            else msg("{classes:,.10g} classes", classes=classes)
        )
    return _join(told) if told else None


def _join(parts: Sequence[Message]) -> Message:
    """Return the sentences after each other, with the comma of the language."""
    joined = parts[0]
    for part in parts[1:]:
        joined = msg("{first}{comma}{second}", first=joined, comma=COMMA, second=part)
    return joined
