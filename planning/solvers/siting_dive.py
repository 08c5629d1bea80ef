"""A plan by diving: settle the facilities that the relaxation is surest of, climb again, and so on to the last.

The averaged shares of ways along the ascent are close to the solution of the relaxation (F. Barahona, R. Anbil, *The
volume algorithm*, Math. Programming 87, 2000). After every settlement the prices adapt, so that places stay enough.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from planning.solvers.problems import Bools, Floats
from planning.solvers.siting_ascent import Pace, ascend
from planning.solvers.siting_search import Search
from planning.solvers.siting_ways import Ask, RelaxedWays, choose_ways

_PACE = Pace(steps=15, stride=0.5, gap_share=0.0, rise=0.005)
_KEPT_CUTS = 6
_MOST_S = 10.0


def dive(search: Search, sure: float, largest_share: float = 0.15) -> bool:
    """Settle facilities, cost the plan reached; return whether it is better than the best.

    Ways with a share of at least ``sure`` are settled, of the others the surest ones, up to ``largest_share`` of the
    undecided facilities at a time.
    """
    kept, prices, cuts, before = search.list_ways(), search.prices, [], search.objective
    while not search.watch.late and (np.add.reduceat(kept.astype(np.int64), search.problem.way_start[:-1]) > 1).any():
        relaxed = RelaxedWays(search.problem, kept)
        found = ascend(search.dual, relaxed, prices, target=2 * abs(search.objective), watch=search.watch, pace=_PACE)
        if found is None:
            break
        search.facts["steps"] += found.steps
        cuts.append(found.cut)
        prices = found.prices
        trial = _settle(search, kept, found.shares, (sure, largest_share))
        if RelaxedWays(search.problem, trial).solve(search.problem.way_cost) is None:
            break
        kept = trial
    ask = Ask(kept, search.objective, max(search.gap_share / 3, 1e-6), seed=search.seed)
    watch = replace(search.watch, deadline=min(search.watch.deadline, time.monotonic() + _MOST_S))
    choice = choose_ways(search.problem, [*search.cuts[-_KEPT_CUTS:], *cuts[-_KEPT_CUTS:]], ask, watch)
    if choice.way is not None:
        search.cost_plan(choice.way)
    search.cuts += cuts[-2:]
    return search.objective < before


def _settle(search: Search, kept: Bools, shares: Floats, limits: tuple[float, float]) -> Bools:
    """Return the ways kept when the surest facilities follow their likeliest way."""
    problem, (sure, largest_share) = search.problem, limits
    share = np.where(kept, shares, -1.0)
    first, repeats = problem.way_start[:-1], np.diff(problem.way_start)
    most = np.maximum.reduceat(share, first)
    undecided = np.add.reduceat(kept.astype(np.int64), first) > 1
    count = max(int(largest_share * undecided.sum()), 1)
    bar = np.sort(most[undecided])[-count]
    settled = undecided & (most >= min(sure, bar))
    likely = np.zeros(len(share), bool)
    likely[[first[j] + int(share[first[j] : first[j] + repeats[j]].argmax()) for j in range(len(first))]] = True
    return np.asarray(kept & (~np.repeat(settled, repeats) | likely))
