"""Which facilities follow which way through the years, at least cost, with a proof: the door.

The method is that of ``siting_search``: prices of pupils that prove a bound, a programme over ways with cuts, exact
flows. A pupil *lacking* in an open facility below its least pupils costs as much as one without a place
(``overload_price``), so that there is always an answer; ``facts["lacking_pupils"]`` says how many pupil-periods lack,
and ``least_unplaced`` counts both kinds.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from geodata.study import Progress, no_progress
from planning.certificate import OPTIMAL_GAP_SHARE
from planning.solvers.location_problems import SitingProblem, SitingSolution
from planning.solvers.problems import Ints
from planning.solvers.siting_flow import breaks_sides, compose_solution, evaluate_ways
from planning.solvers.siting_highs import Watch
from planning.solvers.siting_rounds import run_search
from planning.solvers.siting_search import Search, open_search

__all__ = ["breaks_sides", "evaluate_ways", "solve_siting"]

_UNPLACED_SHARE = 0.25
"""Share of the time limit kept for proving how many pupils stay without a place, where some do."""
_UNPLACED_S = 60.0
_NOBODY = 1e-6


def solve_siting(
    problem: SitingProblem,
    *,
    time_limit_s: float | None = None,
    gap_share: float = 0.001,
    seed: int = 0,
    start: Ints | None = None,
    progress: Progress = no_progress,
) -> SitingSolution:
    """Return the best ways found, the best flow for them, and the proven bound.

    Parameters
    ----------
    time_limit_s
        Seconds in all; None: until the gap is reached. At least one lawful plan is costed whatever the limit. Where
        pupils stay without a place, up to a quarter more is spent on proving ``least_unplaced`` (a minute at most).
    gap_share
        Good enough when proven to be so close to the best.
    start : shape (facilities,)
        Ways to begin from; may break rules.
    progress : told the step and the share done; may raise to stop

    Returns
    -------
    SitingSolution
        ``status`` ``"optimal"`` (gap at most 1e-6), ``"feasible"``, ``"infeasible"`` (the rules over ways contradict
        each other; ``way`` is that of today then), or ``"no_plan_in_time"`` (no lawful choice was found in time; today
        again). ``facts``: ``lacking_pupils``, ``lacking_pupils_by_period``, ``root_bound`` of the relaxation, ``steps``
        of the ascent, ``rounds`` of the programme over ways, ``plans`` costed, ``ways_left`` of all ``ways``.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """
    check_siting(problem)
    began = time.monotonic()
    watch = Watch(progress, began + time_limit_s if time_limit_s is not None else np.inf)
    search, status = open_search(problem, watch, gap_share=gap_share, seed=seed, start=start)
    if search is None:
        today = evaluate_ways(problem, problem.way_start[:-1])
        bound = np.inf if status == "infeasible" else -np.inf
        stopped = "proven" if status == "infeasible" else "time"
        return replace(today, status=status, stopped=stopped, bound=bound, seconds=time.monotonic() - began)
    run_search(search)
    answer = _compose(search)
    amiss = float(answer.unplaced.sum()) + answer.facts["lacking_pupils"]
    if amiss > _NOBODY * max(1.0, float(problem.pupils.sum())):
        answer = replace(answer, least_unplaced=min(prove_unplaced(problem, answer.way, watch, seed), amiss))
    progress(watch.step, 1.0)
    return replace(answer, seconds=time.monotonic() - began)


def _compose(search: Search) -> SitingSolution:
    """Return the best plan of a search with what is proven."""
    answer = compose_solution(search.problem, search.way, search.flows)
    bound = min(search.bound, answer.objective)
    proven = search.gap <= OPTIMAL_GAP_SHARE
    stopped = "proven" if proven else "gap" if search.gap <= search.gap_share else "time"
    facts: dict[str, Any] = {**answer.facts, **search.facts, "root_bound": search.root}
    facts["ways"], facts["ways_left"] = len(search.problem.way_cost), int(search.list_ways().sum())
    return replace(answer, bound=bound, status="optimal" if proven else "feasible", stopped=stopped, facts=facts)


def prove_unplaced(problem: SitingProblem, way: Ints, watch: Watch, seed: int) -> float:
    """Return a proven least number of pupil-periods unplaced or lacking under all rules, 0 where none is proven.

    The same problem with nothing to pay but those.
    """
    bare = replace(
        problem,
        arc_cost=np.zeros_like(problem.arc_cost),
        way_cost=np.zeros_like(problem.way_cost),
        overload_price=1.0,
    )
    now = time.monotonic()
    extra = min(_UNPLACED_S, max(2.0, _UNPLACED_SHARE * (watch.deadline - now if watch.left_s else 0.0)))
    inner = replace(watch, deadline=now + extra)
    search, _ = open_search(bare, inner, gap_share=1e-4, seed=seed, start=way)
    if search is None:
        return 0.0
    run_search(search)
    least = float(search.bound)
    return least if least > _NOBODY * max(1.0, float(problem.pupils.sum())) else 0.0


def check_siting(problem: SitingProblem) -> None:
    """Raise ``ValueError`` if the arrays of a problem do not fit together or hold impossible numbers."""
    arcs, ways = len(problem.facility), len(problem.way_cost)
    shape = (ways, problem.n_periods)
    fits = (
        (problem.row_start[0] == 0 and problem.row_start[-1] == arcs == len(problem.arc_cost), "rows and arcs"),
        (problem.way_start[0] == 0 and problem.way_start[-1] == ways, "facilities and ways"),
        ((np.diff(problem.row_start) >= 0).all() and (np.diff(problem.way_start) > 0).all(), "starts"),
        (problem.pupils.shape == (problem.n_rows, problem.n_periods), "pupils and periods"),
        (problem.way_places.shape == shape == problem.way_least_pupils.shape, "ways and periods"),
        (len(problem.side_start) == len(problem.side_limit) + 1, "rules"),
        (problem.side_start[-1] == len(problem.side_way) == len(problem.side_value), "entries of rules"),
    )
    wrong = [name for fit, name in fits if not fit]
    if wrong:
        raise ValueError(f"arrays do not fit together: {', '.join(wrong)}")
    floats = (problem.arc_cost, problem.pupils, problem.period_weight, problem.way_places, problem.way_least_pupils)
    if any((np.isnan(values) | (values < 0)).any() for values in floats):
        raise ValueError("costs of arcs, pupils, weights, places and least pupils must be 0 or more")
    if not (np.isfinite(problem.way_cost).all() and 0 <= problem.overload_price < np.inf):
        raise ValueError("costs of ways and the price of overload must be finite")
