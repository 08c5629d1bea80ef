"""A solution as tables: years of the plan, schools, who goes where, and today for comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planning.siting_answer import ENROLMENT_COLUMNS, PERIOD_COLUMNS, SCHOOL_COLUMNS
from planning.siting_case import SitingCase
from planning.siting_model import TIME_TIE_MIN, SitingModel, Solved
from planning.siting_ways import compute_fixed_running
from planning.solvers.problems import Bools, Floats, Ints

LEAST_PUPILS = 1e-6
"""Smaller flows are rounding."""


def find_open(model: SitingModel, way: Ints) -> Bools:
    """Return which facilities are open in each year under a plan, shape (facilities, periods)."""
    return model.ways.open_now[way]


def compute_load(model: SitingModel, flow: Floats) -> Floats:
    """Return pupils by facility and year, shape (facilities, periods)."""
    width = model.case.facilities.count
    return np.column_stack([np.bincount(model.facility, weights=part, minlength=width) for part in flow])


def compute_running(case: SitingCase, opened: Bools, load: Floats) -> Floats:
    """Return the running cost of each facility and year in yuan, the classes that its pupils fill included."""
    size = np.where(case.facilities.class_size > 0, case.facilities.class_size, np.inf)[:, None]
    filled = load / size * case.options.costs.running_cny_per_class_year
    found: Floats = np.where(opened, compute_fixed_running(case) + filled, 0.0)
    found[case.facilities.fixed] = 0.0
    return found


def build_periods(model: SitingModel, solved: Solved) -> pd.DataFrame:
    """Return ``PERIOD_COLUMNS``, one row per year of the plan."""
    case, ways = model.case, model.ways
    opened, load = find_open(model, solved.way), compute_load(model, solved.flow)
    places = np.where(opened, ways.places[solved.way], 0.0)
    rows = []
    for period in range(case.n_periods):
        flow = np.where(solved.flow[period] > LEAST_PUPILS, solved.flow[period], 0.0)
        travel = _sum_travel(flow, model.arc_min, model.beyond)
        rows.append(
            {
                "year": case.years[period],
                "pupils": _count_pupils(case, period),
                **_sum_places(case, opened[:, period], places[:, period], load[:, period]),
                **travel,
                "unplaced_pupils": float(solved.unplaced[:, period].sum() + case.lost_pupils[period]),
                "moved_pupils": float(flow @ model.arc_moved),
                "building_cny": float(ways.money_cny[solved.way, period].sum()),
                "running_cny": float(compute_running(case, opened, load)[:, period].sum()),
            }
        )
    return pd.DataFrame(rows, columns=list(PERIOD_COLUMNS))


def _count_pupils(case: SitingCase, period: int) -> float:
    return float(case.pupils[:, period].sum() + case.lost_pupils[period])


def _sum_places(case: SitingCase, opened: Bools, places: Floats, load: Floats) -> dict[str, float]:
    """Return places, schools and empty places of one year; schools whose places are not known do not count."""
    known = opened & np.isfinite(places)
    return {
        "places": float(places[known].sum()),
        "schools": int(opened.sum()),
        "empty_places": float(np.maximum(0.0, places - load)[known].sum()),
    }


def _sum_travel(flow: Floats, minutes: Floats, beyond: Bools) -> dict[str, float]:
    total = float(flow.sum())
    used = flow > 0
    return {
        "mean_travel_min": float(flow[used] @ minutes[used]) / total if total > 0 else float("nan"),
        "max_travel_min": float(minutes[used].max()) if used.any() else float("nan"),
        "beyond_limit_pupils": float(flow[beyond].sum()),
    }


def build_before(case: SitingCase) -> pd.DataFrame:
    """Return ``PERIOD_COLUMNS`` if nothing is decided: everybody at today's school; above its places is unplaced."""
    load = case.home_pupils
    opened = np.repeat(~case.facilities.is_site[:, None], case.n_periods, axis=1)
    running = compute_running(case, opened, load)
    row, facility = np.nonzero(case.home)
    minutes = case.minutes[row, facility]
    beyond = minutes > case.cap_min[row] + TIME_TIE_MIN
    rows = []
    for period in range(case.n_periods):
        flow = case.home[row, facility] * case.pupils[row, period]
        above = np.maximum(0.0, load[:, period] - case.facilities.places)
        away = case.pupils[:, period] * (1.0 - np.minimum(1.0, case.home.sum(axis=1)))
        rows.append(
            {
                "year": case.years[period],
                "pupils": _count_pupils(case, period),
                **_sum_places(case, opened[:, period], case.facilities.places, load[:, period]),
                **_sum_travel(flow, minutes, beyond),
                "unplaced_pupils": float(above.sum() + away.sum() + case.lost_pupils[period]),
                "moved_pupils": 0.0,
                "building_cny": 0.0,
                "running_cny": float(running[:, period].sum()),
            }
        )
    return pd.DataFrame(rows, columns=list(PERIOD_COLUMNS))


def build_schools(model: SitingModel, solved: Solved) -> pd.DataFrame:
    """Return ``SCHOOL_COLUMNS``: every school open in a year of the plan, by year and id."""
    case, ways = model.case, model.ways
    opened, load = find_open(model, solved.way), compute_load(model, solved.flow)
    facility, period = np.nonzero(opened)
    order = np.lexsort((facility, period))
    facility, period = facility[order], period[order]
    places = ways.places[solved.way][facility, period]
    places = np.where(np.isfinite(places), places, np.nan)
    pupils = load[facility, period]
    return pd.DataFrame(
        {
            "facility_id": pd.Series(np.array(case.facilities.ids, dtype=object)[facility], dtype=str),
            "name": pd.Series(np.array(case.facilities.names, dtype=object)[facility], dtype=str),
            "kind": np.where(case.facilities.is_site[facility], "site", "school"),
            "year": np.array(case.years)[period],
            "classes": ways.classes[solved.way][facility, period],
            "places": places,
            "pupils": np.where(pupils > LEAST_PUPILS, pupils, 0.0),
            "fill_share": pupils / np.where(places > 0, places, np.nan),
        },
        columns=list(SCHOOL_COLUMNS),
    )


def build_enrolment(model: SitingModel, solved: Solved) -> pd.DataFrame:
    """Return ``ENROLMENT_COLUMNS``: who goes where in every year, by year, unit and school."""
    case = model.case
    period, arc = np.nonzero(solved.flow > LEAST_PUPILS)
    unit, facility = case.row_unit[model.arc_row[arc]], model.facility[arc]
    table = pd.DataFrame({"unit": unit, "period": period, "facility": facility, "pupils": solved.flow[period, arc]})
    sums = table.groupby(["period", "unit", "facility"], sort=True)["pupils"].sum().reset_index()
    unit, facility = sums["unit"].to_numpy(), sums["facility"].to_numpy()
    return pd.DataFrame(
        {
            "unit_id": pd.Series(case.unit_ids[unit], dtype=str),
            "year": np.array(case.years)[sums["period"].to_numpy()],
            "school_id": pd.Series(np.array(case.facilities.ids, dtype=object)[facility], dtype=str),
            "pupils": sums["pupils"].to_numpy(),
            "time_min": case.travel_min[unit, facility],
        },
        columns=list(ENROLMENT_COLUMNS),
    )


def compute_axes(model: SitingModel, solved: Solved) -> tuple[float, float]:
    """Return the two axes of the front, means of a year: pupil-minutes of one way on one day, and yuan.

    Yuan: buildings written off and closing, and running with the classes that pupils fill.
    """
    case, years = model.case, float(model.case.year_weight.sum())
    opened, load = find_open(model, solved.way), compute_load(model, solved.flow)
    running = float(compute_running(case, opened, load).sum(axis=0) @ case.year_weight)
    built = float(model.ways.building_cny[solved.way].sum())
    travel = float(case.year_weight @ (solved.flow @ model.arc_min))
    return travel / years, (built + running) / years
