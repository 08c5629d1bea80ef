"""What it costs to send a pupil of a unit to a school, and where that is not allowed: one table for all who assign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import ScenarioError
from geodata.study import StudyArea
from planning.assignment import Bools, Ways
from planning.pins import Pins, build_pins
from planning.rules import Rules
from planning.scenario import Scenario

WALK_M_PER_MIN = 80.0
"""Pace that turns minutes into metres where the matrix holds no pair with both."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WayCosts:
    """Cost per pupil of every way, and the rules that forbid some.

    Parameters
    ----------
    travel : shape (units, schools)
        Minutes (or metres) of the way; ``inf`` = no way.
    limit : shape (units, 1) or (units, schools)
        Longest lawful way in the same unit; ``inf`` = no rule speaks.
    closed, crossing : shape (units, schools) or None
        Pairs closed by name, and pairs on two sides of a barrier; None = there are none.
    measure
        What is compared: ``"time"`` (minutes) or ``"length"`` (metres).
    overload_price
        Price of one pupil above the places, in minutes (or metres).
    pins
        Units that an action sends to some schools only.
    """

    travel: Floats
    limit: Floats
    closed: Bools | None
    crossing: Bools | None
    measure: Literal["time", "length"]
    travel_cap: Literal["none", "priced", "hard"]
    cap_price: float
    overload_price: float
    pins: Pins | None = None

    @property
    def unit(self) -> str:
        """Unit of travel summed over pupils."""
        return "pupil-minutes" if self.measure == "time" else "pupil-metres"

    def cost(self, *, caps: bool = True, closed: bool = True, barriers: bool = True) -> Floats:
        """Return the cost per pupil (units, schools), ``inf`` where it is not allowed; rules may be left out."""
        cost: Floats = self.travel.copy()
        if caps and self.travel_cap != "none":
            with np.errstate(invalid="ignore"):
                beyond = np.where(np.isfinite(cost), np.maximum(0.0, cost - self.limit), 0.0)
            if self.travel_cap == "hard":
                cost[beyond > 0] = np.inf
            else:
                cost += self.cap_price * beyond
        for use, barred in ((closed, self.closed), (barriers, self.crossing)):
            if use and barred is not None:
                cost[barred] = np.inf
        return cost


def build_way_costs(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    schools: pd.DataFrame,
    ways: Ways,
    *,
    pins: pd.DataFrame | None = None,
) -> WayCosts:
    """Return costs and prohibitions for one stage.

    Units that have no way in the measure asked for are served by the other one, turned into it at the mean pace of
    the matrix. ``pins``: see ``planning.pins``. ``ScenarioError`` for a pair closed, or a barrier, that the study does
    not know.
    """
    options = scenario.assignment
    stage = str(schools["stage"].iloc[0])
    travel, measure, pace_m_per_min = measure_travel(ways, scenario)
    factor = 1.0 if measure == "time" else pace_m_per_min
    return WayCosts(
        travel=travel,
        limit=_build_limits(study, rules, stage, schools, ways, measure, scenario.year),
        closed=_close_pairs(ways, options.closed),
        crossing=_find_crossings(study, ways, options.barriers, options.cross_at),
        measure=measure,
        travel_cap=options.travel_cap,
        cap_price=options.cap_price,
        overload_price=options.overload_price_min * factor,
        pins=build_pins(ways, pins, stage),
    )


def measure_travel(ways: Ways, scenario: Scenario) -> tuple[Floats, Literal["time", "length"], float]:
    """Return travel (inf = no way), the measure used, and the mean pace in metres per minute."""
    tables = {"time": ways.time_min.astype(np.float64), "length": ways.length_m.astype(np.float64)}
    both = np.isfinite(tables["time"]) & np.isfinite(tables["length"])
    minutes = float(tables["time"][both].sum())
    pace = float(tables["length"][both].sum()) / minutes if minutes > 0 else WALK_M_PER_MIN
    asked = scenario.measure
    measure: Literal["time", "length"] = asked
    if not np.isfinite(tables[asked]).any():
        measure = "length" if asked == "time" else "time"
    main, other = (tables["time"], tables["length"]) if measure == "time" else (tables["length"], tables["time"])
    lost = ~np.isfinite(main).any(axis=1)
    if lost.any():
        main[lost] = other[lost] / pace if measure == "time" else other[lost] * pace
    main[~np.isfinite(main)] = np.inf
    return main, measure, pace


def _build_limits(
    study: StudyArea, rules: Rules, stage: str, schools: pd.DataFrame, ways: Ways, measure: str, year: int | None
) -> Floats:
    """Return the longest lawful way: by setting of the unit, else (where unknown) that of the school."""
    key = "max_travel_min" if measure == "time" else "service_radius"

    def limit(setting: str) -> float:
        found = rules.limit(key, stage, setting=setting, year=year)
        return np.inf if found is None else float(found)

    settings = study.units.set_index("unit_id")["setting"].reindex(ways.unit_ids).fillna("").astype(str)
    by_setting = {name: limit(str(name)) for name in settings.unique()}
    own: Floats = settings.map(by_setting).to_numpy(dtype=np.float64)[:, None]
    unknown = (settings == "").to_numpy()
    if not unknown.any():
        return own
    of_school = np.array([limit(str(setting)) for setting in schools["setting"].fillna("")])
    return np.where(unknown[:, None], of_school[None, :], own)


def _close_pairs(ways: Ways, closed: tuple[tuple[str, str], ...]) -> Bools | None:
    """Return the pairs closed by name. Schools of other stages are passed over; an unknown unit is an error."""
    if not closed:
        return None
    unit_at = pd.Index(ways.unit_ids).get_indexer(pd.Index([unit for unit, _ in closed], dtype=object))
    school_at = pd.Index(ways.school_ids).get_indexer(pd.Index([school for _, school in closed], dtype=object))
    strangers = sorted({unit for (unit, _), at in zip(closed, unit_at, strict=True) if at < 0})
    if strangers:
        raise ScenarioError("closed pairs name units that are not in the study: " + ", ".join(strangers[:5]))
    table = np.zeros((len(ways.unit_ids), len(ways.school_ids)), dtype=np.bool_)
    known = school_at >= 0
    table[unit_at[known], school_at[known]] = True
    return table if table.any() else None


def _find_crossings(study: StudyArea, ways: Ways, barriers: tuple[str, ...], cross_at: str) -> Bools | None:
    """Return the pairs whose unit and school lie on two known sides of one of the barriers."""
    if not barriers:
        return None
    sides = study.sides
    column = "side" if cross_at == "roads" else "side_uncrossed"
    unknown = sorted(set(barriers) - set(sides["kind"]))
    if unknown:
        raise ScenarioError("the study has no barriers of this kind: " + ", ".join(unknown))
    table = np.zeros((len(ways.unit_ids), len(ways.school_ids)), dtype=np.bool_)
    for kind in barriers:
        rows = sides[sides["kind"] == kind]
        unit_side, school_side = (
            rows[rows["place"] == place].drop_duplicates("id").set_index("id")[column].reindex(ids)
            for place, ids in (("unit", ways.unit_ids), ("school", ways.school_ids))
        )
        codes = pd.factorize(pd.concat([unit_side, school_side]))[0]
        first, second = codes[: len(unit_side)], codes[len(unit_side) :]
        table |= (first[:, None] >= 0) & (second[None, :] >= 0) & (first[:, None] != second[None, :])
    return table if table.any() else None
