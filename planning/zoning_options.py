"""What the planner asks of new zones. Plain values, checked: they stand in the record of the run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from geodata.messages import msg
from geodata.study import STAGES
from planning.option_checks import check_word, require_none

ZoneStart = Literal["current", "nearest", "capacity", "scratch", "table"]
FeederSource = Literal["none", "current", "proposed"]
ObjectiveName = Literal["travel", "fill", "moved", "compact", "border"]


@dataclass(frozen=True)
class ZoningOptions:
    """How zones are to be proposed.

    Travel caps, closed pairs, barriers, shared zones and the price of overload are those of
    ``AssignmentOptions`` (``Scenario.assignment``).

    Parameters
    ----------
    start
        Plan that the search begins with: ``"scratch"`` (the search's own), the ``"current"`` zones, the ``"nearest"``
        school, the assignment under ``"capacity"``, or ``start_zones`` (``"table"``).
    start_zones
        Rows (unit_id, stage, school_id) of an imported plan, for ``"table"``.
    objectives
        In the planner's order: (name, slack_share). Later objectives make an earlier one worse by its slack at most.
    max_moved_pupils
        Budget: pupils whose school changes against the current zones; None = without limit.
    locks
        Rows (unit_id, stage, school_id): the unit belongs to that school. An empty school_id: to the school that it has
        in the start; from scratch or capacity, to that of today's zone, else the nearest.
    locked_schools
        Schools whose zone stays as it is in the start (or today, as above): nothing leaves it, nothing joins.
    grandfather
        Whether pupils stay at the school that they attend, so that only the entering grade follows the new zones.
    feeders
        Junior zones made of primary zones (对口直升): ``"none"``, the ``"current"`` ones, or the ``"proposed"``.
    max_feeder_split_share
        Share of the pupils of a primary zone that may live outside the zone's main junior school, 0 to 1.
    """

    start: ZoneStart = "scratch"
    start_zones: tuple[tuple[str, str, str], ...] = ()
    objectives: tuple[tuple[ObjectiveName, float], ...] = (("travel", 0.0),)
    max_moved_pupils: float | None = None
    locks: tuple[tuple[str, str, str], ...] = ()
    locked_schools: tuple[str, ...] = ()
    grandfather: bool = False
    feeders: FeederSource = "none"
    max_feeder_split_share: float = 0.0

    def __post_init__(self) -> None:
        names = [item[0] for item in self.objectives]
        budget = self.max_moved_pupils
        problems = [
            check_word("start", self.start, get_args(ZoneStart)),
            check_word("feeders", self.feeders, get_args(FeederSource)),
            *(check_word("objective", name, get_args(ObjectiveName)) for name in names),
            None if names else msg("zones need at least one objective"),
            None if len(set(names)) == len(names) else msg("an objective stands twice"),
            *(
                msg("the slack of {name} must be a share from 0 to 10", name=name)
                for name, slack in self.objectives
                if not 0 <= slack <= 10
            ),
            None
            if budget is None or (budget >= 0 and math.isfinite(budget))
            else msg("max_moved_pupils must be 0 or more"),
            None if 0 <= self.max_feeder_split_share < 1 else msg("max_feeder_split_share must lie between 0 and 1"),
            msg("start 'table' needs start_zones") if self.start == "table" and not self.start_zones else None,
            *(
                check_word(f"stage in {field}", row[1], STAGES)
                for field, rows in (("locks", self.locks), ("start_zones", self.start_zones))
                for row in rows
            ),
        ]
        require_none(problems)
