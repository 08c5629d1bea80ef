"""A scenario: what is asked. Ordered actions on a copy of the present; no action yet means: the present as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from geodata.messages import Message, msg
from geodata.study import MODES, STAGES, Mode, Stage
from planning.actions import Action
from planning.assignment_options import AssignmentOptions, ChoiceOptions
from planning.forecast_options import VARIANTS, ForecastOptions
from planning.option_checks import check_word, require_none
from planning.zoning_options import ZoningOptions

EnrolmentMethod = Literal["nearest", "zones", "capacity", "choice", "zoning"]
Measure = Literal["time", "length"]
AskedVariant = Literal["", "low", "middle", "high"]


@dataclass(frozen=True)
class Scenario:
    """What is asked of one county.

    Parameters
    ----------
    name
        How the planner calls it.
    year
        Start of the school year asked about: actions of later years are not yet in force, and rules and rolls are
        those of this year (rolls: the latest up to it). None: all actions, and the latest rolls.
    actions
        Ordered changes. Empty: the present.
    parent
        Name of the scenario that this one builds on.
    inherited
        Actions of the parents, in order; they come before ``actions``.
    stages
        Stages to answer for.
    mode
        How children travel.
    enrolment
        ``"nearest"``: every child at the nearest school of its stage. ``"zones"``: as the given catchments say.
        ``"capacity"``: least travel of all children together within the places (``assignment``). ``"choice"``: as
        families are seen to choose. ``"zoning"``: new catchments, each of one piece (``zoning``).
    measure
        What "nearest" compares: ``"time"`` or ``"length"``.
    low_grade_share
        Share of a unit's primary pupils in grades 1 to 3, which a teaching point can take: even cohorts make 0.5.
    assignment
        Rules of ``"capacity"``, and of ``"zoning"`` where they apply.
    choice
        How ``"choice"`` is fitted.
    zoning
        What ``"zoning"`` starts from, aims at and keeps.
    variant
        With a year after today's rolls: the children and the rolls of that year, by this variant of the forecast
        (``"low"``, ``"middle"``, ``"high"``). Empty: today's children and rolls, whatever the year.
    forecast
        How the forecast is made.
    """

    name: str = "present"
    year: int | None = None
    actions: tuple[Action, ...] = ()
    parent: str | None = None
    inherited: tuple[Action, ...] = ()
    stages: tuple[Stage, ...] = ("primary",)
    mode: Mode = "walk"
    enrolment: EnrolmentMethod = "nearest"
    measure: Measure = "time"
    low_grade_share: float = 0.5
    assignment: AssignmentOptions = field(default_factory=AssignmentOptions)
    choice: ChoiceOptions = field(default_factory=ChoiceOptions)
    zoning: ZoningOptions = field(default_factory=ZoningOptions)
    variant: AskedVariant = ""
    forecast: ForecastOptions = field(default_factory=ForecastOptions)

    def __post_init__(self) -> None:
        problems = [
            *(check_word("stage", stage, STAGES) for stage in self.stages),
            check_word("mode", self.mode, MODES),
            check_word("enrolment", self.enrolment, get_args(EnrolmentMethod)),
            check_word("measure", self.measure, get_args(Measure)),
            check_word("variant", self.variant, VARIANTS) if self.variant else None,
            msg("a variant of the forecast needs a year") if self.variant and self.year is None else None,
            None if self.stages else msg("a scenario needs at least one stage"),
            None if 0 <= self.low_grade_share <= 1 else msg("low_grade_share must lie between 0 and 1"),
            *(
                msg("not an action: {item!r}", item=item)
                for item in (*self.inherited, *self.actions)
                if not isinstance(item, Action)
            ),
        ]
        require_none(problems)

    @property
    def all_actions(self) -> tuple[Action, ...]:
        """The actions of the parents, then the own ones."""
        return (*self.inherited, *self.actions)


def name_stage(stage: str) -> Message:
    """The stage in words."""
    names = {
        "kindergarten": msg("kindergarten"),
        "primary": msg("primary school"),
        "junior": msg("junior school"),
        "senior": msg("senior school"),
    }
    return names.get(stage) or msg("{stage}", stage=stage)


def name_mode(mode: str) -> Message:
    """How children travel, in words."""
    names = {"walk": msg("on foot"), "bicycle": msg("by bicycle"), "drive": msg("by car or school bus")}
    return names.get(mode) or msg("{mode}", mode=mode)


def name_setting(setting: str) -> Message:
    """Urban, town or rural, in words."""
    names = {"urban": msg("urban"), "town": msg("town"), "rural": msg("rural")}
    return names.get(setting) or msg("of unknown setting")
