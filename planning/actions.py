"""What a planner can change: one frozen value per action. A scenario is an ordered list of them.

Actions name schools, units and sites by id; whether those exist is checked against the plan so far, when the actions
are applied (``planning.action_steps``). Here only what can be seen without a county is checked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar, Literal, get_args

from geodata.messages import Message, msg
from geodata.study import STAGES, Stage
from planning.option_checks import check_word, require_none

Takes = Literal["nearest", "nobody"]
COMPULSORY: tuple[Stage, ...] = ("primary", "junior")


@dataclass(frozen=True)
class StagePlaces:
    """Places of one stage of a school; without ``capacity_places`` they are classes × the design class size."""

    stage: Stage
    capacity_places: float | None = None
    classes: float | None = None

    def list_problems(self) -> list[Message | None]:
        """Return what is wrong, in words."""
        found = [check_word("stage", self.stage, STAGES)]
        if self.capacity_places is None and self.classes is None:
            found.append(msg("{stage}: give capacity_places or classes.", stage=self.stage))
        return found + [_check_count(f"{self.stage}: {name}", getattr(self, name)) for name in _COUNTS]


_COUNTS = ("capacity_places", "classes")


@dataclass(frozen=True, kw_only=True)
class Action:
    """What all actions share.

    Parameters
    ----------
    year
        Start of the school year from which the action holds; None: from the first.
    comment
        The planner's note, shown wherever the action is.
    """

    kind: ClassVar[str] = ""
    year: int | None = None
    comment: str = ""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, list):
                object.__setattr__(self, item.name, tuple(value))
        found = [problem for problem in self.list_problems() if problem is not None]
        require_none(msg("{kind}: {problem}", kind=self.kind, problem=problem) for problem in found)

    def list_problems(self) -> list[Message | None]:
        """Return what is wrong with the values themselves; empty texts are nothing."""
        return [
            *_check_ids(self),
            None if self.year is None or 1900 <= self.year <= 2200 else msg("The year must lie between 1900 and 2200."),
        ]


@dataclass(frozen=True, kw_only=True)
class CloseSchool(Action):
    """Close a school, or some of its stages (empty: all). Its units go where the method of enrolment sends them."""

    kind: ClassVar[str] = "close"
    school_id: str
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MergeSchools(Action):
    """Merge schools into one or several others.

    The units of a merged school (those of its zone; without zones, those to whom it is nearest) go to the schools in
    ``into`` and nowhere else: each to the nearest of them, or as places allow. With ``as_campus`` the buildings stay
    in use as campuses of the first school in ``into``: places are pooled, and nobody has to move.
    """

    kind: ClassVar[str] = "merge"
    school_ids: tuple[str, ...]
    into: tuple[str, ...]
    stages: tuple[Stage, ...] = ()
    as_campus: bool = False

    def list_problems(self) -> list[Message | None]:
        """See :class:`Action`."""
        both = sorted(set(self.school_ids) & set(self.into))
        return [
            *super().list_problems(),
            None if self.school_ids else msg("{name} is empty.", name="school_ids"),
            None if self.into else msg("{name} is empty.", name="into"),
            msg("A school is merged into itself: {ids}.", ids=tuple(both)) if both else None,
            msg("A campus belongs to one school: name one in into.") if self.as_campus and len(self.into) > 1 else None,
        ]


@dataclass(frozen=True, kw_only=True)
class MakeTeachingPoint(Action):
    """Turn a primary school into a teaching point (教学点): grades 1 to 3 stay, the upper grades go elsewhere.

    Places stay as they are unless given.
    """

    kind: ClassVar[str] = "teaching_point"
    school_id: str
    capacity_places: float | None = None
    classes: float | None = None

    def list_problems(self) -> list[Message | None]:
        """See :class:`Action`."""
        return [*super().list_problems(), *(_check_count(name, getattr(self, name)) for name in _COUNTS)]


@dataclass(frozen=True, kw_only=True)
class ChangePlaces(Action):
    """Expand or shrink one stage of a school: to a size, or by ``add_places`` or ``add_classes``.

    Where only classes are given, places follow from them by the design class size of the rules.
    """

    kind: ClassVar[str] = "places"
    school_id: str
    stage: Stage
    capacity_places: float | None = None
    classes: float | None = None
    add_places: float | None = None
    add_classes: float | None = None

    def list_problems(self) -> list[Message | None]:
        """See :class:`Action`."""
        absolute = [name for name in _COUNTS if getattr(self, name) is not None]
        relative = [name for name in ("add_places", "add_classes") if getattr(self, name) is not None]
        return [
            *super().list_problems(),
            *(_check_count(name, getattr(self, name)) for name in _COUNTS),
            *(_check_finite(name, getattr(self, name)) for name in ("add_places", "add_classes")),
            None if absolute or relative else msg("Give capacity_places, classes, add_places or add_classes."),
            msg("Give the new size or the change, not both.") if absolute and relative else None,
        ]


@dataclass(frozen=True, kw_only=True)
class ChangeStages(Action):
    """Add or drop stages: a primary school that gets a junior stage becomes a nine-year school (九年一贯制).

    ``becomes`` is the new kind of the school; empty: what its stages make it.
    """

    kind: ClassVar[str] = "stages"
    school_id: str
    add: tuple[StagePlaces, ...] = ()
    drop: tuple[Stage, ...] = ()
    becomes: str = ""

    def list_problems(self) -> list[Message | None]:
        """See :class:`Action`."""
        added = [item.stage for item in self.add]
        both = sorted(set(added) & set(self.drop))
        return [
            *super().list_problems(),
            *(problem for item in self.add for problem in item.list_problems()),
            None if self.add or self.drop else msg("There is nothing to add or drop."),
            msg("Added and dropped: {stages}.", stages=tuple(both)) if both else None,
            msg("A stage is added twice.") if len(set(added)) < len(added) else None,
        ]


@dataclass(frozen=True, kw_only=True)
class OpenSchool(Action):
    """Open a school at a candidate site, in a planning unit, or at a point.

    Parameters
    ----------
    school_id, name
        Of the new school; the id must be new.
    stages
        Places of each stage.
    site_id, unit_id, point
        Where: exactly one. ``point`` is (easting, northing) in the study's metres, or with ``point_is_lonlat``
        (longitude, latitude) in degrees WGS 84.
    becomes
        Kind of school; empty: what its stages make it.
    takes
        Where the current zones decide who goes where: ``"nearest"`` gives the new school every unit to which it is
        nearer than the unit's present school; ``"nobody"`` waits for ``MoveUnits``.
    """

    kind: ClassVar[str] = "open"
    school_id: str
    name: str
    stages: tuple[StagePlaces, ...]
    site_id: str = ""
    unit_id: str = ""
    point: tuple[float, float] | None = None
    point_is_lonlat: bool = False
    becomes: str = ""
    setting: str = ""
    ownership: str = "public"
    takes: Takes = "nearest"

    def list_problems(self) -> list[Message | None]:
        """See :class:`Action`."""
        where = sum([bool(self.site_id), bool(self.unit_id), self.point is not None])
        stages = [item.stage for item in self.stages]
        return [
            *super().list_problems(),
            *(problem for item in self.stages for problem in item.list_problems()),
            None if self.school_id.strip() else msg("{name} is empty.", name="school_id"),
            None if self.stages else msg("A school needs at least one stage."),
            msg("A stage stands twice.") if len(set(stages)) < len(stages) else None,
            None if where == 1 else msg("Say where the school is to stand: one of site_id, unit_id, point."),
            check_word("takes", self.takes, get_args(Takes)),
            check_word("setting", self.setting, ("", "urban", "town", "rural")),
            check_word("ownership", self.ownership, ("public", "private")),
            None
            if self.point is None or all(map(math.isfinite, self.point))
            else msg("point needs two finite numbers."),
        ]


@dataclass(frozen=True, kw_only=True)
class MoveUnits(Action):
    """Give planning units to one school, or to several that share them (多校划片)."""

    kind: ClassVar[str] = "move"
    unit_ids: tuple[str, ...]
    stage: Stage
    school_ids: tuple[str, ...]

    def list_problems(self) -> list[Message | None]:
        """See :class:`Action`."""
        return [
            *super().list_problems(),
            None if self.unit_ids else msg("{name} is empty.", name="unit_ids"),
            None if self.school_ids else msg("{name} is empty.", name="school_ids"),
        ]


@dataclass(frozen=True, kw_only=True)
class AddBoarding(Action):
    """Add beds for boarders at a school."""

    kind: ClassVar[str] = "boarding"
    school_id: str
    beds: float

    def list_problems(self) -> list[Message | None]:
        """See :class:`Action`."""
        return [*super().list_problems(), _check_count("beds", self.beds)]


@dataclass(frozen=True, kw_only=True)
class AddBusLine(Action):
    """Run a school bus from planning units to a school.

    The ride takes the time by car × ``time_factor`` (stops and detours) and ``wait_min``; pupils of these units take it
    where it is quicker than their own way. Both figures are conventions of this project: measure them and give yours.
    """

    kind: ClassVar[str] = "bus"
    school_id: str
    unit_ids: tuple[str, ...]
    seats: float | None = None
    time_factor: float = 1.5
    wait_min: float = 5.0

    def list_problems(self) -> list[Message | None]:
        """See :class:`Action`."""
        return [
            *super().list_problems(),
            None if self.unit_ids else msg("{name} is empty.", name="unit_ids"),
            _check_count("seats", self.seats),
            None
            if 1.0 <= self.time_factor <= 10.0
            else msg("{name} must lie between {low} and {high}.", name="time_factor", low=1, high=10),
            None
            if 0.0 <= self.wait_min <= 120.0
            else msg("{name} must lie between {low} and {high}.", name="wait_min", low=0, high=120),
        ]


ACTION_CLASSES: Mapping[str, type[Action]] = MappingProxyType(
    {
        item.kind: item
        for item in (
            *(CloseSchool, MergeSchools, MakeTeachingPoint, ChangePlaces, ChangeStages),
            *(OpenSchool, MoveUnits, AddBoarding, AddBusLine),
        )
    }
)
"""Every action by its kind: the word in scenario files."""


def _check_count(name: str, value: float | None) -> Message | None:
    fine = value is None or (math.isfinite(value) and value >= 0)
    return None if fine else msg("{name} must be 0 or more.", name=name)


def _check_finite(name: str, value: float | None) -> Message | None:
    return None if value is None or math.isfinite(value) else msg("{name} must be a number.", name=name)


def _check_ids(action: Action) -> list[Message | None]:
    """Return problems of the fields that hold ids and stages."""
    found: list[Message | None] = []
    for item in fields(action):
        value: Any = getattr(action, item.name)
        if item.name.endswith("_ids") or item.name == "into":
            found += [msg("{name} holds an empty id.", name=item.name) for part in value if not str(part).strip()]
            twice = [part for part in sorted(set(value)) if value.count(part) > 1]
            found += [msg("{name} names {value} twice.", name=item.name, value=repr(part)) for part in twice]
        if item.name == "school_id" and not str(value).strip():
            found.append(msg("{name} is empty.", name="school_id"))
        if item.name in ("stages", "drop"):
            found += [check_word("stage", part, STAGES) for part in value if isinstance(part, str)]
        if item.name == "stage":
            found.append(check_word("stage", value, STAGES))
    return found
