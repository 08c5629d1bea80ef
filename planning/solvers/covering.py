"""Set covering and maximal covering: which sites cover every row at least cost, or most weight with so many sites.

C. Toregas, R. Swain, C. ReVelle, L. Bergman, *The location of emergency service facilities*, Operations Research 19,
1971; R. Church, C. ReVelle, *The maximal covering location problem*, Papers of the Regional Science Association 32,
1974. Both are made small first; HiGHS solves what is left of the former, branching what is left of the latter.
"""

from __future__ import annotations

import time

import numpy as np

from geodata.errors import SolverError
from geodata.messages import msg
from geodata.study import Progress, no_progress
from planning.certificate import OPTIMAL_GAP_SHARE
from planning.solvers.covering_most import MostAnswer, cover_most
from planning.solvers.covering_reduce import ROUNDING, Cover, drop_by_price, estimate_cover, reduce_cover, round_down
from planning.solvers.highs import open_highs
from planning.solvers.location_problems import CoverProblem, LocationAnswer
from planning.solvers.problems import Bools, Ints, Schools
from planning.solvers.siting_highs import Columns, Watch, pass_columns, run_watched

STEP = msg("Covering the units")


def solve_set_covering(
    problem: CoverProblem,
    *,
    time_limit_s: float | None = None,
    gap_share: float = 0.0,
    seed: int = 0,
    progress: Progress = no_progress,
) -> LocationAnswer:
    """Choose sites that cover every row, at least cost. ``weight`` is not read.

    Parameters
    ----------
    time_limit_s : ends the search with the best cover and the bound proven so far
    gap_share : a proven gap this small ends it too
    seed : of ties in the greedy covers and of HiGHS

    Returns
    -------
    LocationAnswer
        ``site`` is the first of the row's sites that is open. ``"infeasible"`` where a row has no site.

    Raises
    ------
    SolverError
        When a cost is below 0 or not finite, or HiGHS is missing.
    Cancelled
        From ``progress``.
    """
    began = time.monotonic()
    watch = Watch(progress, _deadline(began, time_limit_s), STEP)
    watch.tell(0.0)
    cost = np.asarray(problem.site_cost, dtype=np.float64)
    if (cost < 0).any() or not np.isfinite(cost).all():
        raise SolverError("Costs of sites must be 0 or more and finite.")
    first = reduce_cover(np.asarray(problem.start), np.asarray(problem.site), cost)
    if not first.possible:
        return _no_cover(problem, began)
    chosen, bound, facts = solve_cover(first, watch, gap_share=gap_share, seed=seed)
    opened = np.zeros(len(cost), dtype=np.bool_)
    opened[chosen] = True
    value = float(cost[opened].sum())
    bound = min(bound, value)
    proven = value - bound <= OPTIMAL_GAP_SHARE * abs(value)
    return LocationAnswer(
        opened=opened,
        site=_assign_rows(problem.start, problem.site, opened),
        objective=value,
        bound=bound,
        status="optimal" if proven else "feasible",
        stopped="proven" if proven else "time" if watch.late else "gap",
        seconds=time.monotonic() - began,
        facts=facts,
    )


def solve_maximal_covering(
    problem: CoverProblem,
    count: int,
    *,
    time_limit_s: float | None = None,
    gap_share: float = 0.0,
    seed: int = 0,
    progress: Progress = no_progress,
) -> LocationAnswer:
    """Choose ``count`` sites that cover most weight (fewer, where more would cover nothing). Site costs are not read.

    Returns
    -------
    LocationAnswer
        ``objective`` is the weight covered, and ``bound`` an UPPER bound: no choice covers more.
        ``facts["gap_share"]`` is ``bound / objective - 1`` (the property ``gap_share`` is for least cost: 0 here).
        ``site`` is -1 for rows that are not covered.

    Raises
    ------
    SolverError
        When ``count`` or a weight is below 0.
    Cancelled
        From ``progress``.
    """
    began = time.monotonic()
    watch = Watch(progress, _deadline(began, time_limit_s), STEP)
    watch.tell(0.0)
    weight = np.asarray(problem.weight, dtype=np.float64)
    if count < 0 or (weight < 0).any() or not np.isfinite(weight).all():
        raise SolverError("The number of sites and the weights must be 0 or more.")
    found: MostAnswer = cover_most(problem, count, watch, gap_share=gap_share, seed=seed)
    site = _assign_rows(problem.start, problem.site, found.opened)
    value = float(weight[site >= 0].sum())
    bound = max(found.bound, value)
    proven = bound - value <= OPTIMAL_GAP_SHARE * abs(value)
    return LocationAnswer(
        opened=found.opened,
        site=site,
        objective=value,
        bound=bound,
        status="optimal" if proven else "feasible",
        stopped="proven" if proven else "time" if watch.late else "gap",
        seconds=time.monotonic() - began,
        facts={**found.facts, "gap_share": bound / value - 1 if value else 0.0 if bound == value else np.inf},
    )


def solve_cover(
    cover: Cover, watch: Watch, *, gap_share: float = 0.0, seed: int = 0
) -> tuple[Ints, float, dict[str, int]]:
    """Return sites (first numbers) of a cover, a proven lower bound of its cost, and facts for the record."""
    facts = {"rows_left": cover.n_rows, "sites_left": len(cover.cost), "programme_sites": 0}
    if cover.n_rows == 0:
        return cover.taken, cover.spent, facts
    known = estimate_cover(cover, seed=seed)
    chosen = np.concatenate([cover.taken, cover.name[known.chosen]])
    value, bound = cover.spent + known.value, cover.spent + known.bound
    if value - bound <= max(gap_share, ROUNDING) * abs(value) or watch.late:
        return chosen, bound, facts
    left = drop_by_price(cover, known)
    if not left.possible:
        return chosen, value, facts
    facts["programme_sites"] = len(left.cost)
    found, least = _solve_programme(left, watch, gap_share=gap_share, seed=seed, upper=value - left.spent)
    if found is not None:
        sites = np.concatenate([left.taken, left.name[found]])
        total = left.spent + float(left.cost[found].sum())
        if total < value:
            chosen, value = sites, total
    # Sites were dropped for covers no dearer than the known one: the rest bounds only those.
    return chosen, max(bound, min(value, left.spent + round_down(least, left.cost))), facts


def find_cover(
    cover: Cover, count: int, watch: Watch, *, seed: int = 0, thorough: bool = True
) -> tuple[Ints | None, bool]:
    """Return at most ``count`` sites that cover all, or None; and whether that is proven. All costs are 1.

    ``thorough`` False leaves open what a greedy cover and the Lagrangian bound do not decide.
    """
    if not cover.possible or cover.spent > count:
        return None, True
    if cover.n_rows == 0:
        return cover.taken, True
    room = count - round(cover.spent)
    known = estimate_cover(cover, seed=seed, upper=float(room) + 1e-3)
    if known.value <= room:
        return np.concatenate([cover.taken, cover.name[known.chosen]]), True
    if known.bound > room:
        return None, True
    if watch.late or not thorough:
        return None, False
    found, least = _solve_programme(cover, watch, gap_share=0.0, seed=seed, upper=float(room), enough=float(room))
    if found is not None and found.sum() <= room:
        return np.concatenate([cover.taken, cover.name[found]]), True
    return None, round_down(least, cover.cost) > room


def _solve_programme(
    cover: Cover, watch: Watch, *, gap_share: float, seed: int, upper: float, enough: float | None = None
) -> tuple[Bools | None, float]:
    """Solve a cover with HiGHS: the sites, or None, and the bound (above ``upper``: no cover costs so little)."""
    import highspy

    n, m = cover.n_rows, len(cover.cost)
    row = np.repeat(np.arange(n), np.diff(cover.start))
    column = cover.site.astype(np.int64)
    lower, top = np.ones(n), np.full(n, np.inf)
    if enough is not None:
        row, column = np.concatenate([row, np.full(m, n)]), np.concatenate([column, np.arange(m)])
        lower, top = np.append(lower, -np.inf), np.append(top, upper)
    columns = Columns.gather(
        [(row, column, np.ones(len(row)))], (lower, top), cost=cover.cost, upper=np.ones(m), whole=np.ones(m, np.bool_)
    )
    model = open_highs(seed=seed)
    model.setOptionValue("mip_rel_gap", gap_share)
    model.setOptionValue("mip_abs_gap", 0.0)
    if enough is not None:
        model.setOptionValue("objective_target", enough + 0.5)
    pass_columns(model, columns)
    run_watched(model, watch)
    if model.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return None, np.inf
    info = model.getInfo()
    bound = float(info.mip_dual_bound) if np.isfinite(info.mip_dual_bound) else 0.0
    values = np.asarray(model.getSolution().col_value)
    if len(values) != m or info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None, bound
    return values > 0.5, bound


def _assign_rows(start: Ints, site: Schools, opened: Bools) -> Schools:
    """Return for each row the first of its sites that is open; -1 = none."""
    start, site = np.asarray(start), np.asarray(site)
    rows = np.repeat(np.arange(len(start) - 1), np.diff(start))
    hit = np.flatnonzero(opened[site])
    answer = np.full(len(start) - 1, -1, dtype=np.int32)
    answer[rows[hit][::-1]] = site[hit][::-1]
    return answer


def _no_cover(problem: CoverProblem, began: float) -> LocationAnswer:
    """Return the answer where a row has no site."""
    return LocationAnswer(
        opened=np.zeros(len(problem.site_cost), dtype=np.bool_),
        site=np.full(len(problem.start) - 1, -1, dtype=np.int32),
        objective=np.inf,
        bound=np.inf,
        status="infeasible",
        seconds=time.monotonic() - began,
    )


def _deadline(began: float, time_limit_s: float | None) -> float:
    return np.inf if time_limit_s is None else began + time_limit_s
