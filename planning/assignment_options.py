"""What a planner may ask of an assignment under capacity: plain values, checked, ready for TOML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from geodata.errors import ScenarioError

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
        if self.decay not in get_args(DecayUse):
            raise ScenarioError(f"unknown decay {self.decay!r}")


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
        found = [problem for problem in self._find_problems() if problem]
        if found:
            raise ScenarioError("; ".join(found))

    def _find_problems(self) -> list[str]:
        members = [school for _, schools in self.groups for school in schools]
        names = [name for name, _ in self.groups]
        twice = sorted({school for school in members if members.count(school) > 1})
        shares = [priority.share for priority in self.priorities]
        every = [*shares, *(share for priority in self.priorities for _, share in priority.unit_shares)]
        return [
            "" if self.travel_cap in get_args(CapUse) else f"unknown travel_cap {self.travel_cap!r}",
            "" if self.overload in get_args(OverloadUse) else f"unknown overload {self.overload!r}",
            "" if self.cross_at in get_args(CrossingUse) else f"unknown cross_at {self.cross_at!r}",
            "" if self.cap_price >= 0 else "cap_price must be 0 or more",
            "" if 0 < self.overload_price_min < float("inf") else "overload_price_min must be positive and finite",
            f"schools in two groups: {', '.join(twice)}" if twice else "",
            "a group name stands twice" if len(set(names)) < len(names) else "",
            "" if all(schools for _, schools in self.groups) else "a group has no schools",
            "" if all(0 <= share <= 1 for share in every) else "shares of priority classes must lie between 0 and 1",
            "" if sum(shares) <= 1 + 1e-9 else "the shares of the priority classes add up to more than 1",
        ]
