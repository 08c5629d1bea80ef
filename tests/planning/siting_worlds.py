"""What the tests of proposals share: a street with a site, plain prices, and a search through everything."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import linprog

from geodata.study import StudyArea
from planning.rules import read_rulebook
from planning.scenario import Scenario
from planning.siting import propose_sites
from planning.siting_answer import SitingAnswer
from planning.siting_model import STATED, Mix, SitingModel, compute_arc_cost, compute_way_cost, find_offset
from planning.siting_options import SitingCosts, SitingOptions, SitingRules, SitingSearch, SitingWeights
from tests.planning.action_worlds import build_street, make_site

CN = read_rulebook("cn")
PLAIN_COSTS = SitingCosts(
    building_cny_per_place=1000.0,
    expanding_cny_per_place=500.0,
    running_cny_per_school_year=10_000.0,
    running_cny_per_class_year=0.0,
    building_years=10.0,
)
"""Places at 1,000 yuan, extensions at 500, 10,000 yuan a school and year; a year carries a tenth of a building."""
PLAIN_WEIGHTS = SitingWeights(
    travel_cny_per_pupil_hour=6.0, trips_per_year=10.0, moved_cny_per_pupil=0.0, empty_cny_per_place_year=0.0
)
"""A minute of one pupil's way counts 1 yuan a year; nothing else beside money."""
ONE_PLAN = SitingSearch(time_limit_s=120.0, gap_share=1e-9, front_plans=1, alternatives=0)
FREE = SitingRules(build_before_closing=False)


def build_site_street(**about: Any) -> StudyArea:
    """The street of ``action_worlds`` with the middle school turned into a site ``M``, 8 classes of 45 if built.

    ::

        a/W   b   c(M)   d   e/E     pupils 30 20 10 20 30; places W 100, E 90; 10 min between neighbours
    """
    return make_site(build_street(), "M", **{"class_options": "2", "stages": "primary", **about})


def ask(study: StudyArea, scenario: Scenario | None = None, **changes: Any) -> SitingAnswer:
    """Return the answer with plain prices, no limit of travel but what is asked, and one plan unless said otherwise."""
    return propose_sites(study, CN, scenario or Scenario(), build_options(**changes))


def build_options(**changes: Any) -> SitingOptions:
    """Return plain options: W and E (and M, unless said) may close, 1 or 2 classes may be added, one plan."""
    rules = replace(FREE, **{"max_travel_min": 1000.0, "max_travel_low_min": 1000.0, **changes.pop("rules", {})})
    settings: dict[str, Any] = {
        "may_close": ("W", "M", "E"),
        "expand_classes": (1, 2),
        "costs": PLAIN_COSTS,
        "weights": PLAIN_WEIGHTS,
        "search": ONE_PLAN,
        "rules": rules,
    }
    return SitingOptions(**{**settings, **changes})


def list_decisions(answer: SitingAnswer, plan: int = 0) -> list[tuple[str, str, int]]:
    """Return (id, decision, year) of a plan."""
    table = answer.plans[plan].decisions
    return list(zip(table["facility_id"], table["decision"], table["year"], strict=True))


def search_everything(model: SitingModel, mix: Mix = STATED) -> float:
    """Return the least value of a mix over every choice of ways; ``inf`` where none is lawful.

    Independent of the solvers: rules by hand, the flow of each year as a linear programme of scipy.
    """
    ways = model.ways
    spans = [range(ways.start[at], ways.start[at + 1]) for at in range(len(ways.start) - 1)]
    arc_cost, way_cost = compute_arc_cost(model, mix), compute_way_cost(model, mix)
    best = np.inf
    for chosen in itertools.product(*spans):
        way = np.array(chosen)
        if any(side.value[np.isin(side.way, way)].sum() > side.limit + 1e-9 for side in model.sides):
            continue
        value = way_cost[way].sum() + find_offset(model, mix)
        for period in range(model.case.n_periods):
            value += model.case.year_weight[period] * _send(model, way, arc_cost, period)
        best = min(best, value)
    return float(best)


def _send(model: SitingModel, way: np.ndarray, cost: np.ndarray, period: int) -> float:
    """Return the least cost of one year's flow; ``inf`` where somebody has no place."""
    case, ways = model.case, model.ways
    rows, width = case.n_rows, case.facilities.count
    fill = np.where(case.facilities.fixed, 1.0, case.options.rules.fill_share)
    equal, below = np.zeros((rows, len(cost))), np.zeros((width, len(cost)))
    equal[model.arc_row, np.arange(len(cost))] = 1.0
    below[model.facility, np.arange(len(cost))] = 1.0
    places = np.minimum(ways.places[way, period] * fill, 1e6)
    least = ways.least_pupils[way, period]
    answer = linprog(
        cost,
        A_ub=np.vstack([below, -below]),
        b_ub=np.concatenate([places, -least]),
        A_eq=equal,
        b_eq=case.pupils[:, period],
    )
    return float(answer.fun) if answer.status == 0 else np.inf
