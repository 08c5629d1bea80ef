"""What it costs to send pupils to a school that is not there yet, by the same rules as ``planning.way_costs``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.study import FrozenArrays, StudyArea
from planning.assignment import Ways
from planning.rules import Rules
from planning.scenario import Scenario
from planning.way_costs import WayCosts, measure_travel
from planning.what_if_capacity import Opening
from planning.what_if_types import Floats, Ints, NewColumn


@dataclass(frozen=True, eq=False)
class WayRules(FrozenArrays):
    """The rules of a scenario on ways, for new schools.

    ``own_limit`` (units,) longest lawful way, NaN where the unit's setting is unknown: then ``setting_limits`` by that
    of the school. ``sides``: one array (units,) per barrier, −1 = unknown. ``lost`` (units,): those who have no way in
    the measure asked for, so that the other one counts, times ``other_factor``.
    """

    unit_ids: tuple[str, ...]
    by_time: bool
    travel_cap: str
    cap_price: float
    own_limit: Floats
    setting_limits: Mapping[str, float]
    closed: tuple[tuple[str, str], ...]
    sides: tuple[Ints, ...]
    lost: Ints
    other_factor: float

    def build_opening(self, column: NewColumn) -> Opening:
        """Return the cost of a new school."""
        main, other = (column.time_min, column.length_m) if self.by_time else (column.length_m, column.time_min)
        cost = np.array(main, dtype=np.float64)
        cost[self.lost] = np.asarray(other, dtype=np.float64)[self.lost] * self.other_factor
        cost[~np.isfinite(cost)] = np.inf
        if self.travel_cap != "none":
            limit = np.where(np.isnan(self.own_limit), self.setting_limits.get(column.setting, np.inf), self.own_limit)
            beyond = np.where(np.isfinite(cost), np.maximum(cost - limit, 0.0), 0.0)
            cost = np.where(beyond > 0, np.inf, cost) if self.travel_cap == "hard" else cost + self.cap_price * beyond
        position = {key: at for at, key in enumerate(self.unit_ids)} if self.closed or self.sides else {}
        for unit_id, school_id in self.closed:
            if school_id == column.school_id:
                cost[position[unit_id]] = np.inf
        seat = position.get(column.seat, -1)
        for side in self.sides:
            if seat >= 0 and side[seat] >= 0:
                cost[(side >= 0) & (side != side[seat])] = np.inf
        return Opening(cost, column.places, column.low_only)


def build_way_rules(
    study: StudyArea, rules: Rules, scenario: Scenario, stage: str, ways: Ways, costs: WayCosts
) -> WayRules:
    """Return the rules that hold for new schools of one stage."""
    key = "max_travel_min" if costs.measure == "time" else "service_radius"
    limits = {}
    for name in ("", "urban", "town", "rural"):
        limit = rules.limit(key, stage, setting=name, year=scenario.year)
        limits[name] = np.inf if limit is None else float(limit)
    settings = study.units.set_index("unit_id")["setting"].reindex(ways.unit_ids).fillna("").astype(str)
    main, other = (ways.time_min, ways.length_m) if costs.measure == "time" else (ways.length_m, ways.time_min)
    lost = np.flatnonzero(~np.isfinite(main).any(axis=1) & np.isfinite(other).any(axis=1))
    _, _, pace = measure_travel(ways, scenario) if len(lost) else (None, None, 1.0)
    options = scenario.assignment
    return WayRules(
        unit_ids=tuple(map(str, ways.unit_ids)),
        by_time=costs.measure == "time",
        travel_cap=options.travel_cap,
        cap_price=options.cap_price,
        own_limit=np.array([np.nan if name == "" else limits.get(name, np.inf) for name in settings]),
        setting_limits=limits,
        closed=options.closed,
        sides=tuple(_list_sides(study, ways, options.barriers, options.cross_at)),
        lost=lost.astype(np.int64),
        other_factor=1.0 / pace if costs.measure == "time" else pace,
    )


def _list_sides(study: StudyArea, ways: Ways, barriers: tuple[str, ...], cross_at: str) -> list[Ints]:
    """Return the side of every unit, −1 = unknown, for each kind of barrier."""
    column = "side" if cross_at == "roads" else "side_uncrossed"
    found = []
    for kind in barriers:
        rows = study.sides[(study.sides["kind"] == kind) & (study.sides["place"] == "unit")]
        side = rows.drop_duplicates("id").set_index("id")[column].reindex(ways.unit_ids)
        found.append(pd.factorize(side)[0].astype(np.int64))
    return found
