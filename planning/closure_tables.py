"""The flows of a closure summed up: by receiving school, by community and by grade."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import StudyArea
from planning.closure_flows import GradeMix
from planning.closure_rides import Rides, round_seats
from planning.rules import Rules
from planning.tables import StageTables

Floats = npt.NDArray[np.float64]

RECEIVER_COLUMNS = (
    *("school_id", "name", "pupils_added", "pupils_before", "pupils_after", "roll_before", "roll_after", "places"),
    *("fill_before", "fill_after", "classes", "class_pupils_before", "class_pupils_after", "mean_min", "max_min"),
    *("bus_pupils", "bus_seats_needed", "bus_seats", "beds_needed", "beds"),
)
COMMUNITY_COLUMNS = (
    *("unit_id", "name", "setting", "town", "pupils", "receivers", "school_ids", "min_before", "min_after"),
    *("m_before", "m_after", "low_pupils", "upper_pupils", "must_ride_pupils", "ride_or_board_pupils"),
    *("must_board_pupils", "no_way_pupils", "bus_pupils", "beyond_limit", "served_by_bus"),
)
GRADE_COLUMNS = (
    *("grade", "pupils", "min_before", "min_after", "max_after", "beyond_pupils", "may_board"),
    *("must_ride_pupils", "may_board_or_ride_pupils", "no_way_pupils"),
)


@dataclass(frozen=True, eq=False)
class Leavers:
    """Who leaves one stage of one school, and how they can travel: everything that the tables are made of."""

    study: StudyArea
    changed: StudyArea
    rules: Rules
    before: StageTables
    after: StageTables
    flows: pd.DataFrame
    rides: Rides
    mix: GradeMix
    bus: pd.DataFrame
    year: int | None

    @cached_property
    def schools_before(self) -> pd.DataFrame:
        """Schools of the stage without the actions, by id."""
        return self.before.schools.set_index("school_id")

    @cached_property
    def schools_after(self) -> pd.DataFrame:
        """Schools of the stage with the actions, by id."""
        return self.after.schools.set_index("school_id")

    @property
    def stage(self) -> str:
        """The stage that is left."""
        return self.before.stage

    @property
    def pupils(self) -> Floats:
        """Pupils by flow row; NaN unknown."""
        return self.flows["pupils"].to_numpy(dtype=float)

    def count(self, shares: npt.NDArray[np.generic], where: npt.NDArray[np.bool_] | None = None) -> float:
        """Return the pupils of ``shares`` (by flow row), NaN where none is known."""
        return sum_known(self.pupils * shares.astype(float), where)


def sum_known(values: Floats, where: npt.NDArray[np.bool_] | None = None) -> float:
    """Return the sum of what is known; NaN where there are values and none is known."""
    chosen = values if where is None else values[where]
    return math.nan if len(chosen) and np.isnan(chosen).all() else float(np.nansum(chosen))


def average(values: Floats, weights: Floats) -> float:
    """Return the mean of the known values by weight (plain, where the weights are unknown or zero); NaN for none."""
    known = np.isfinite(values)
    if not known.any():
        return math.nan
    chosen = np.where(np.isfinite(weights), weights, 0.0)[known]
    return float(np.average(values[known], weights=chosen if chosen.sum() > 0 else None))


def longest(values: Floats, weights: Floats) -> float:
    """Return the longest way of those rows where somebody lives, or may live (unknown numbers)."""
    chosen = values[np.isfinite(values) & ~(weights == 0)]
    return float(chosen.max()) if len(chosen) else math.nan


def build_receivers(leavers: Leavers) -> pd.DataFrame:
    """Return one row per receiving school: ``RECEIVER_COLUMNS``, most pupils first.

    ``pupils_*`` and ``fill_*`` are those of the model, ``roll_*`` those on the roll (after: projected). Class sizes
    are by the roll where it is known before (of a new school: after), else by the model; ``classes`` are
    those of the plan.
    """
    flows = leavers.flows
    before, after = leavers.schools_before, leavers.schools_after
    beds = leavers.changed.schools.set_index("school_id")["boarding_places"]
    rows = []
    for school_id in sorted(set(flows["school_id"]) - {""}):
        here = (flows["school_id"] == school_id).to_numpy()
        now, then = _find_row(before, school_id), _find_row(after, school_id)
        pupils, minutes = leavers.pupils[here], flows["min_after"].to_numpy(dtype=float)[here]
        rolls = (_number(now, "actual_pupils"), _number(then, "actual_pupils"))
        models = (_number(now, "modelled_pupils"), _number(then, "modelled_pupils"))
        told = math.isfinite(rolls[1]) and (now is None or math.isfinite(rolls[0]))
        sizes = rolls if told else models
        riders = leavers.count(leavers.rides.bus | leavers.rides.beyond & leavers.rides.can_ride, here)
        rows.append(
            {
                "school_id": school_id,
                "name": str(then["name"]) if then is not None else school_id,
                "pupils_added": sum_known(pupils),
                "pupils_before": models[0] if now is not None else 0.0,
                "pupils_after": models[1],
                "roll_before": rolls[0] if now is not None else math.nan,
                "roll_after": rolls[1],
                "places": _number(then, "capacity_places"),
                "fill_before": _divide(models[0], _number(now, "capacity_places")),
                "fill_after": _divide(models[1], _number(then, "capacity_places")),
                "classes": _number(then, "classes"),
                "class_pupils_before": _divide(sizes[0], _number(now, "classes")),
                "class_pupils_after": _divide(sizes[1], _number(then, "classes")),
                "mean_min": average(minutes, pupils),
                "max_min": longest(minutes, pupils),
                "bus_pupils": leavers.count(leavers.rides.bus, here),
                "bus_seats_needed": round_seats(leavers.rules, leavers.stage, riders, leavers.year),
                "bus_seats": count_line_seats(leavers.bus, school_id, flows["unit_id"][here]),
                "beds_needed": leavers.count(leavers.rides.ride_or_board + leavers.rides.must_board, here),
                "beds": float(beds.get(school_id, math.nan)),
            }
        )
    table = pd.DataFrame(rows, columns=list(RECEIVER_COLUMNS))
    return table.sort_values(["pupils_added", "school_id"], ascending=[False, True], kind="stable", ignore_index=True)


def count_line_seats(bus: pd.DataFrame, school_id: str, unit_ids: pd.Series[str]) -> float:
    """Return the seats of the bus lines from any of the units to the school; NaN where a line does not say."""
    lines = bus[bus["school_id"] == school_id]
    if len(lines):
        lines = lines[lines["unit_id"].isin(unit_ids)].drop_duplicates("number")
    return float(lines["seats"].astype(float).sum(skipna=False)) if len(lines) else 0.0


def build_communities(leavers: Leavers) -> pd.DataFrame:
    """Return one row per community that loses the school: ``COMMUNITY_COLUMNS``, in the order of unit ids.

    A unit only part of whose pupils went there stands with that part. Minutes and metres after are means over its
    receiving schools. Names of receivers are joined by `` / ``, the school of most pupils first.
    """
    flows, rides = leavers.flows, leavers.rides
    if flows.empty:
        return pd.DataFrame(columns=list(COMMUNITY_COLUMNS))
    low = flows["low"].to_numpy(dtype=bool)
    parts = {
        "pupils": np.ones(len(flows)),
        "low_pupils": low,
        "upper_pupils": ~low,
        "must_ride_pupils": rides.must_ride,
        "ride_or_board_pupils": rides.ride_or_board,
        "must_board_pupils": rides.must_board,
        "no_way_pupils": rides.no_way,
        "bus_pupils": rides.bus,
    }
    work = pd.DataFrame({name: leavers.pupils * part.astype(float) for name, part in parts.items()})
    work["unit_id"] = flows["unit_id"].to_numpy()
    weights = np.where(leavers.pupils > 0, leavers.pupils, flows["share"].to_numpy(dtype=float))
    ways = ("min_before", "min_after", "m_before", "m_after")
    for name in ways:
        values = flows[name].to_numpy(dtype=float)
        work[name] = values * weights
        work[f"{name}_weight"] = np.where(np.isfinite(values), weights, np.nan)
    work["beyond_limit"], work["served_by_bus"] = rides.beyond.astype(float), rides.bus.astype(float)
    table = work.groupby("unit_id", sort=True).sum(min_count=1)
    for name in ways:
        table[name] = table[name] / table[f"{name}_weight"]
    about = flows.drop_duplicates("unit_id").set_index("unit_id")[["name", "setting", "town"]]
    table = table.join(about).join(_list_receivers(leavers)).reset_index()
    for name in ("beyond_limit", "served_by_bus"):
        table[name] = table[name] > 0
    for name in ("receivers", "school_ids"):
        table[name] = table[name].fillna("")
    return table.loc[:, list(COMMUNITY_COLUMNS)]


def _list_receivers(leavers: Leavers) -> pd.DataFrame:
    """Return names and ids of the receiving schools by unit id, the school of most pupils first."""
    sent = leavers.flows.groupby(["unit_id", "school_id"], as_index=False)["share"].sum()
    sent = sent[sent["school_id"] != ""]
    sent = sent.sort_values(["unit_id", "share", "school_id"], ascending=[True, False, True], kind="stable")
    names = leavers.schools_after["name"]
    sent["receivers"] = names.reindex(sent["school_id"]).fillna("").astype(str).to_numpy()
    grouped = sent.groupby("unit_id", sort=True)
    return pd.DataFrame(
        {"receivers": grouped["receivers"].agg(" / ".join), "school_ids": grouped["school_id"].agg(";".join)}
    )


def build_grades(leavers: Leavers) -> pd.DataFrame:
    """Return one row per grade that leaves: ``GRADE_COLUMNS``; ``max_after`` is the longest way of any pupil of it."""
    flows, rides = leavers.flows, leavers.rides
    low = flows["low"].to_numpy(dtype=bool)
    before, after = (flows[name].to_numpy(dtype=float) for name in ("min_before", "min_after"))
    rows = []
    for at, grade in enumerate(leavers.mix.grades):
        here = low == leavers.mix.low[at]
        part = leavers.mix.within(bool(leavers.mix.low[at]))[at]
        pupils = np.where(here, leavers.pupils * part, 0.0)
        if not here.any() or part <= 0:
            continue
        may_board = rides.boarding_grade is None or grade >= rides.boarding_grade
        rides_on = here & rides.beyond & rides.can_ride
        rows.append(
            {
                "grade": grade,
                "pupils": sum_known(pupils[here]),
                "min_before": average(before[here], pupils[here]),
                "min_after": average(after[here], pupils[here]),
                "max_after": longest(after[here], pupils[here]),
                "beyond_pupils": sum_known(pupils[here] * rides.beyond[here]),
                "may_board": may_board,
                "must_ride_pupils": 0.0 if may_board else sum_known(pupils[rides_on]),
                "may_board_or_ride_pupils": sum_known(pupils[here & rides.beyond]) if may_board else 0.0,
                "no_way_pupils": 0.0 if may_board else sum_known(pupils[here & rides.beyond & ~rides.can_ride]),
            }
        )
    return pd.DataFrame(rows, columns=list(GRADE_COLUMNS))


def _find_row(table: pd.DataFrame, school_id: str) -> Any:
    """Return the school's row, None where the table does not have it."""
    return table.loc[school_id] if school_id in table.index else None


def _number(row: Any, column: str) -> float:
    return math.nan if row is None else float(row[column])


def _divide(value: float, by: float) -> float:
    return value / by if by > 0 else math.nan
