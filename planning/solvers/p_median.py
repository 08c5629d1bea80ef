"""The p-median problem and uncapacitated location with fixed costs, to proven optimality.

Four steps, each with a proven bound: a plan by swaps (``p_median_swap``); prices of the rows that prove a bound
(``p_median_dual``); the sites that the bound rules out are dropped, and the linear relaxation of the rest is solved
by cuts, then branched (``p_median_close``). For p-median the relaxation is mostly within 0.1 % of the optimum.
"""

from __future__ import annotations

import time

import numpy as np

from geodata.messages import msg
from geodata.study import Progress, no_progress
from planning.certificate import OPTIMAL_GAP_SHARE
from planning.solvers.location_problems import LocationAnswer, LocationProblem
from planning.solvers.p_median_close import close_gap, shake_among
from planning.solvers.p_median_dual import PriceSearch
from planning.solvers.p_median_kernels import Rows
from planning.solvers.p_median_rough import MANY_ROWS, find_rough_sites
from planning.solvers.p_median_rows import CLOSED, Bound, build_rows, choose_width, reduce_rows, touches_ceiling
from planning.solvers.p_median_state import Search
from planning.solvers.p_median_swap import PlanSearch
from planning.solvers.siting_highs import Watch

_MOST_PRICE_ROUNDS = 3_000
_LARGE_CELLS = 3_000_000
_SHAKES = 4
_STEP = msg("Choosing the best sites")


def solve_p_median(
    problem: LocationProblem,
    *,
    time_limit_s: float | None = None,
    gap_share: float = 0.0,
    seed: int = 0,
    progress: Progress = no_progress,
) -> LocationAnswer:
    """Open at most ``problem.count`` sites and serve every row from the cheapest, at least cost.

    Minimise ``sum(fixed_cost of open sites) + sum(cost[row, its site])``. Demand and capacity are not looked at.

    Parameters
    ----------
    problem : ``count`` sites at most (None: as many as pay). Opening fewer is an answer where more would not pay.
    time_limit_s : ends the search with the best plan and the bound proven so far
    gap_share : the search ends once the proven gap is so small; 0 = to the optimum
    seed : of the shaking of plans
    progress : told the step and the share done; may raise to stop

    Returns
    -------
    LocationAnswer
        ``status`` ``"optimal"`` (gap up to 1e-6), ``"feasible"``, ``"infeasible"`` (some row has no allowed site, or
        it is proven that ``count`` sites cannot serve all) or ``"no_plan_in_time"``. ``facts``: ``relaxation``,
        ``sites_left``, ``cuts``, ``nodes``, ``price_rounds``, ``shakes``.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or hold negative numbers or NaN.
    """
    began = time.monotonic()
    check_problem(problem)
    watch = Watch(progress, np.inf if time_limit_s is None else began + time_limit_s, _STEP)
    watch.tell(0.0)
    if problem.n_rows == 0 or problem.n_sites == 0 or not np.isfinite(problem.cost).any(axis=1).all():
        return answer_without_choice(problem, time.monotonic() - began)
    most = min(problem.n_sites if problem.count is None else problem.count, problem.n_sites, problem.n_rows)
    rows = build_rows(problem, choose_width(problem, most))
    search = Search(
        most=most,
        whole=is_whole(problem),
        gap_share=gap_share,
        seed=seed,
        watch=watch,
        numbers=np.arange(problem.n_sites),
        marks=np.zeros(problem.n_sites, np.int8),
    )
    find_sites(search, problem, rows)
    return compose_answer(problem, search, rows.unserved, time.monotonic() - began)


def check_problem(problem: LocationProblem) -> None:
    """Raise ``ValueError`` if the arrays do not fit together or hold impossible numbers."""
    if problem.cost.ndim != 2 or len(problem.fixed_cost) != problem.n_sites:
        raise ValueError("costs and sites do not fit together")
    if problem.count is not None and problem.count < 1:
        raise ValueError("at least one site must be allowed to open")
    if np.isnan(problem.cost).any() or (problem.cost < 0).any():
        raise ValueError("costs must be 0 or more, or infinite where not allowed")
    if not (np.isfinite(problem.fixed_cost).all() and (problem.fixed_cost >= 0).all()):
        raise ValueError("fixed costs must be finite and not negative")


def is_whole(problem: LocationProblem) -> bool:
    """Return whether every cost is a whole number (or infinite), so that the optimum is one."""
    if (problem.fixed_cost != np.floor(problem.fixed_cost)).any():
        return False
    few = problem.cost[: max(1, 100_000 // problem.n_sites)]  # the first rows mostly tell
    return bool((few == np.floor(few)).all() and (problem.cost == np.floor(problem.cost)).all())


def answer_without_choice(problem: LocationProblem, seconds: float) -> LocationAnswer:
    """Return the answer where nothing has to be served, or a row cannot be."""
    empty = problem.n_rows == 0
    return LocationAnswer(
        opened=np.zeros(problem.n_sites, bool),
        site=np.full(problem.n_rows, -1, np.int32),
        objective=0.0 if empty else np.inf,
        bound=0.0 if empty else np.inf,
        status="optimal" if empty else "infeasible",
        seconds=seconds,
    )


def find_sites(search: Search, problem: LocationProblem, rows: Rows) -> None:
    """Run the four steps until the search is done or late."""
    plans = PlanSearch(rows, search.most, search.seed)
    plans.start()
    if problem.n_rows >= MANY_ROWS:
        rough = find_rough_sites(problem, rows, search.most, seed=search.seed, watch=search.watch)
        if len(rough):
            plans.open_sites(rough)
    search.offer_plan(plans.cost, plans.sites)
    prices = PriceSearch(rows, search.most, plans.read_prices())
    bound = approach(search, plans, prices)
    while not search.is_over() and touches_ceiling(rows, prices.prices):
        rows = build_rows(problem, 4 * rows.site.shape[1])
        plans.rows, prices = rows, PriceSearch(rows, search.most, prices.prices)
        bound = approach(search, plans, prices)
    search.facts["price_rounds"], search.facts["shakes"] = prices.rounds, plans.rounds
    if search.is_over():
        return
    shake_among(search, rows, bound.worth, prices.share)
    if search.is_over():
        return
    search.settle(bound)
    kept = np.flatnonzero(search.marks != CLOSED)
    search.keep(kept)
    search.facts["sites_kept"] = len(kept)
    if len(kept):
        close_gap(search, reduce_rows(rows, kept), prices.prices, prices.share[kept])
    else:
        search.raise_bound(search.cutoff)


def approach(search: Search, plans: PlanSearch, prices: PriceSearch) -> Bound:
    """Improve plan and prices in turn until done, late, or prices hardly improve; return the bound of the prices."""
    price_rounds = 20 if plans.rows.site.size > _LARGE_CELLS else 50  # so few that a stop is answered soon
    slow = 0
    while True:
        bound = prices.run(price_rounds, search.cost)
        search.raise_bound(min(bound.value, search.cutoff))
        search.watch.tell(0.5 * min(1.0, prices.rounds / _MOST_PRICE_ROUNDS))
        slow = slow + price_rounds if prices.slow else 0
        if search.is_over() or slow >= 200 or prices.rounds >= _MOST_PRICE_ROUNDS:
            return bound
        plans.shake(_SHAKES)
        search.offer_plan(plans.cost, plans.sites)


def compose_answer(problem: LocationProblem, search: Search, unserved: float, seconds: float) -> LocationAnswer:
    """Return the answer of a search that has ended."""
    opened = np.zeros(problem.n_sites, bool)
    opened[search.sites] = True
    sites = np.flatnonzero(opened)
    serving = sites[np.argmin(problem.cost[:, sites], axis=1)].astype(np.int32)
    served = problem.cost[np.arange(problem.n_rows), serving].astype(np.float64)
    cost = float(served.sum() + problem.fixed_cost[sites].sum())
    bound = min(search.bound, cost)
    if not np.isfinite(cost):
        proven = search.bound >= unserved / 2
        return LocationAnswer(
            opened=np.zeros(problem.n_sites, bool),
            site=np.full(problem.n_rows, -1, np.int32),
            objective=np.inf,
            bound=np.inf if proven else search.bound,
            status="infeasible" if proven else "no_plan_in_time",
            stopped="proven" if proven else "time",
            seconds=seconds,
            facts=search.facts,
        )
    optimal = cost - bound <= OPTIMAL_GAP_SHARE * abs(cost)
    within = cost - bound <= search.gap_share * abs(cost)
    return LocationAnswer(
        opened=opened,
        site=serving,
        objective=cost,
        bound=bound,
        status="optimal" if optimal else "feasible",
        stopped="proven" if optimal else "gap" if within else "time",
        seconds=seconds,
        facts=search.facts,
    )
