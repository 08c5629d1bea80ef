"""What a planner may ask of an assignment under capacity: plain values, checked, ready for TOML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from geodata.messages import Message, msg
from planning.option_checks import check_word, require_none

CapUse = Literal["none", "priced", "hard"]
OverloadUse = Literal["priced", "forbidden"]
DecayUse = Literal["assumed", "fitted"]
CrossingUse = Literal["roads", "nowhere"]


@dataclass(frozen=True)
class ChoiceOptions:
    """How ``"choice"`` is fitted.

    ``decay``: ``"assumed"`` holds the way over which the pull of a school halves (``choice_fit.HALF_WAY_KM``);
    ``"fitted"`` takes what the rolls alone say, exponential or power, whichever fits better.
    """

    decay: DecayUse = "assumed"

    def __post_init__(self) -> None:
        require_none([check_word("decay", self.decay, get_args(DecayUse))])


@dataclass(frozen=True)
class PriorityClass:
    """A class of pupils. Where places are short, classes of a higher rank number bear it: rank 1 comes first.

    ``share`` is the share of every unit's pupils; ``unit_shares`` (unit id, share) says otherwise for single units.
    """

    name: str
    rank: int
    share: float = 0.0
    unit_shares: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class AssignmentOptions:
    """How pupils are sent to schools when places count. Composed into ``Scenario.assignment``.

    Parameters
    ----------
    whole_units
        All pupils of a unit (of one grade band and class) go to one school.
    travel_cap
        ``"hard"``: nobody is sent beyond the limit of the rules (minutes where minutes are compared, the service
        radius where metres are); ``"priced"``: each minute (metre) beyond it counts ``cap_price`` times more;
        ``"none"``: the limit plays no part.
    cap_price
        Extra pupil-minutes for each pupil-minute beyond the limit.
    overload
        ``"priced"``: places may be overrun at ``overload_price_min`` per pupil, so there is always an answer;
        ``"forbidden"``: too few places are a conflict.
    overload_price_min
        Minutes of travel that one pupil above the places is taken to be worth. The default is longer than any way to
        school, so places are overrun only where there are none free.
    closed
        (unit id, school id): this unit may not be sent to this school.
    barriers
        Kinds of barriers (``"railway"``, ``"expressway"``, ``"river"``, ``"other"``) that pupils must not cross.
    cross_at
        ``"roads"``: a walkable road across the barrier (a bridge, an underpass) joins its sides; ``"nowhere"``: also
        there nobody may cross.
    groups
        (name, school ids): schools of a group share one zone (多校划片); their places are pooled and the pupils are
        split among them in proportion to the places.
    priorities
        Classes of pupils; what their shares leave over comes last.
    """

    whole_units: bool = False
    travel_cap: CapUse = "none"
    cap_price: float = 1.0
    overload: OverloadUse = "priced"
    overload_price_min: float = 1000.0
    closed: tuple[tuple[str, str], ...] = ()
    barriers: tuple[str, ...] = ()
    cross_at: CrossingUse = "roads"
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    priorities: tuple[PriorityClass, ...] = ()

    def __post_init__(self) -> None:
        require_none(self._find_problems())

    def _find_problems(self) -> list[Message | None]:
        members = [school for _, schools in self.groups for school in schools]
        names = [name for name, _ in self.groups]
        twice = sorted({school for school in members if members.count(school) > 1})
        shares = [priority.share for priority in self.priorities]
        every = [*shares, *(share for priority in self.priorities for _, share in priority.unit_shares)]
        return [
            check_word("travel_cap", self.travel_cap, get_args(CapUse)),
            check_word("overload", self.overload, get_args(OverloadUse)),
            check_word("cross_at", self.cross_at, get_args(CrossingUse)),
            None if self.cap_price >= 0 else msg("cap_price must be 0 or more"),
            None
            if 0 < self.overload_price_min < float("inf")
            else msg("overload_price_min must be positive and finite"),
            msg("schools in two groups: {schools}", schools=tuple(twice)) if twice else None,
            msg("a group name stands twice") if len(set(names)) < len(names) else None,
            None if all(schools for _, schools in self.groups) else msg("a group has no schools"),
            None
            if all(0 <= share <= 1 for share in every)
            else msg("shares of priority classes must lie between 0 and 1"),
            None if sum(shares) <= 1 + 1e-9 else msg("the shares of the priority classes add up to more than 1"),
        ]
