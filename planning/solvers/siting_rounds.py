"""The order of a search: climb, look around the best plan, ask the programme over ways, and again."""

from __future__ import annotations

import numpy as np

from planning.solvers.siting_dive import dive
from planning.solvers.siting_local import LocalSearch
from planning.solvers.siting_search import Search

_WHOLE_FLOWS, _WHOLE_S = 60_000, 30.0
"""Programmes of up to so many flows are also given to HiGHS as a whole, for so long: loose ones it settles at once."""
_SURE = (0.8, 0.95)
"""From which share on ways are settled at once, in the dives after the first."""


def run_search(search: Search) -> None:
    """Search until the gap is reached or the time is over; the rules must not contradict each other."""
    local = LocalSearch(search)
    search.settle_prices()
    search.climb(250, 1.0, 0.03)
    if not search.done:
        dive(search, 0.9)
    for _ in range(2):
        local.run(6)
        search.exchange(2, 0.003)
    if search.done:
        return
    search.climb(400, 1.0, np.inf)
    if not search.done and len(search.problem.facility) * search.problem.n_periods <= _WHOLE_FLOWS:
        search.ask_whole(min(_WHOLE_S, 0.4 * search.watch.left_s))
    fine, last, turn = max(search.gap_share / 3, 1e-7), search.objective, 0
    while not search.done:
        if turn < len(_SURE):
            dive(search, _SURE[turn])
            local.run(6)
        new = search.exchange(4, max(fine, min(search.gap / 8, 0.002)))
        local.run(6)
        if search.objective < last and not search.done:
            search.climb(100, 0.3, np.inf)
            last = search.objective
        if not new:
            if fine <= 1e-7 and turn >= len(_SURE):
                return
            fine = max(fine / 4, 1e-7)
        turn += 1
