"""p-center: open so many sites that the farthest row is as near as can be.

The answer is one of the costs, so the search halves the list of distinct costs; each question is "do so many sites
cover every row within this radius?" (E. Minieka, *The m-center problem*, SIAM Review 12, 1970). Most questions are
answered by a greedy cover (yes) or a Lagrangian bound of the cover (no); HiGHS decides the few between.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from geodata.errors import SolverError
from geodata.messages import msg
from geodata.study import Progress, no_progress
from planning.solvers.covering import find_cover
from planning.solvers.covering_kernels import list_within
from planning.solvers.covering_reduce import reduce_cover
from planning.solvers.location_problems import LocationAnswer, LocationProblem
from planning.solvers.p_center_kernels import pick_far_rows, swap_centers
from planning.solvers.problems import Bools, Floats, Ints
from planning.solvers.siting_highs import Watch

STEP = msg("Bringing the farthest unit nearer")
_RESOLUTION = 1e-3
"""Quick questions stop where the radii differ by this share."""
_FIRST_SLICE_S, _STARTS = 3.0, 15


@dataclass
class _Search:
    """Radii by position in ``radii``: all below ``low`` are proven too small; ``high`` is that of ``opened``."""

    cost: Floats
    count: int
    radii: Floats
    low: int
    high: int
    opened: Bools
    watch: Watch
    seed: int
    facts: dict[str, int] = field(default_factory=lambda: {"radii_tried": 0, "radii_open": 0})

    def run(self, gap_share: float) -> None:
        """Narrow the radii from both sides, first by quick questions, then by ones of ever more time."""
        slice_s = 0.0
        while not self._done(gap_share):
            for upward in (False, True):
                self._narrow(gap_share, slice_s, upward=upward)
            slice_s = max(2 * slice_s, _FIRST_SLICE_S)

    def _done(self, gap_share: float) -> bool:
        spread = self.radii[self.high] - self.radii[self.low]
        return self.low >= self.high or self.watch.late or bool(spread <= gap_share * self.radii[self.high])

    def _narrow(self, gap_share: float, slice_s: float, *, upward: bool) -> None:
        """Halve the radii, taking an open answer for "yes" (looking for the last "no"), or for "no" (the first "yes").

        ``slice_s`` is the time of one question (0: a quick one; those stop short of the last digits).
        """
        first, last = self.low, self.high
        while first < last and not self._done(gap_share):
            if slice_s == 0 and self.radii[last] - self.radii[first] <= _RESOLUTION * self.radii[last]:
                return
            middle = (first + last) // 2
            decided = self._ask(middle, slice_s)
            if not decided and upward:
                last = middle
            elif not decided:
                first = middle + 1
            first, last = max(first, self.low), min(last, self.high)

    def _ask(self, middle: int, slice_s: float) -> bool:
        """Ask whether ``count`` sites cover all within one radius; False: it stays open."""
        self.watch.tell(1 - (self.high - self.low) / max(len(self.radii), 1))
        self.facts["radii_tried"] += 1
        radius = float(self.radii[middle])
        start, site = list_within(self.cost, radius, int(np.count_nonzero(self.cost <= radius)))
        cover = reduce_cover(start, site, np.ones(self.cost.shape[1]))
        until = min(self.watch.deadline, time.monotonic() + slice_s)
        patience = Watch(self.watch.progress, until, STEP, self.watch.share)
        found, proven = find_cover(cover, self.count, patience, seed=self.seed, thorough=slice_s > 0)
        if found is not None:
            opened = np.zeros(self.cost.shape[1], dtype=np.bool_)
            opened[found] = True
            swap_centers(self.cost, opened, self.count)
            self._take(opened)
        elif proven:
            self.low = middle + 1
        else:
            self.facts["radii_open"] += 1
        return proven

    def _take(self, opened: Bools) -> None:
        reached = float(self.cost[:, opened].min(axis=1).max())
        position = int(np.searchsorted(self.radii, reached))
        if position < self.high:
            self.high, self.opened = position, opened


def solve_p_center(
    problem: LocationProblem,
    *,
    time_limit_s: float | None = None,
    gap_share: float = 0.0,
    seed: int = 0,
    progress: Progress = no_progress,
) -> LocationAnswer:
    """Open ``problem.count`` sites so that the largest cost of a row at its nearest open site is least.

    Rows of demand 0 do not count. Demand, capacity and fixed cost are not read otherwise.

    Parameters
    ----------
    time_limit_s : ends the search with the best sites and the radius proven so far
    gap_share : a proven gap this small ends it too
    seed : of ties in the greedy covers and of HiGHS

    Returns
    -------
    LocationAnswer
        ``objective`` and ``bound`` are costs of single rows; every row goes to its nearest open site. Sites that the
        farthest row does not need go where they shorten the sum of costs most. ``"infeasible"`` where ``count`` sites
        cannot reach every row.

    Raises
    ------
    SolverError
        When ``count`` is missing, or HiGHS is.
    Cancelled
        From ``progress``.
    """
    began = time.monotonic()
    if problem.count is None:
        raise SolverError("p-center needs the number of sites.")
    watch = Watch(progress, np.inf if time_limit_s is None else began + time_limit_s, STEP)
    watch.tell(0.0)
    cost = np.ascontiguousarray(problem.cost, dtype=np.float64)
    count = min(problem.count, problem.n_sites)
    rows = np.ascontiguousarray(cost[np.asarray(problem.demand) > 0])
    if len(rows) == 0:
        opened = np.arange(problem.n_sites) < count
        return _tell(problem, cost, opened, (0.0, 0.0), began, {})
    if count < 1 or not np.isfinite(rows.min(axis=1)).all():
        return _tell(problem, cost, np.zeros(problem.n_sites, np.bool_), (np.inf, np.inf), began, {})
    search, possible = _begin(rows, count, watch, seed)
    if search is None:
        bound = float(rows.min(axis=1).max()) if possible else np.inf
        return _tell(problem, cost, np.zeros(problem.n_sites, np.bool_), (np.inf, bound), began, {}, late=possible)
    search.run(gap_share)
    opened = _fill_up(rows, search.opened, count)
    value = float(rows[:, opened].min(axis=1).max())
    bound = min(float(search.radii[search.low]), value)
    return _tell(problem, cost, opened, (value, bound), began, dict(search.facts), late=watch.late)


def _begin(rows: Floats, count: int, watch: Watch, seed: int) -> tuple[_Search | None, bool]:
    """Return the search with first bounds on both sides, and whether ``count`` sites may reach all rows."""
    least = float(rows.min(axis=1).max())
    opened = _choose_first(rows, count, watch, seed)
    reach = float(rows[:, opened].min(axis=1).max())
    if not np.isfinite(reach):
        start, site = list_within(rows, np.finfo(np.float64).max, int(np.isfinite(rows).sum()))
        cover = reduce_cover(start, site, np.ones(rows.shape[1]))
        found, proven = find_cover(cover, count, watch, seed=seed)
        if found is None:
            return None, not proven
        opened = np.zeros(rows.shape[1], dtype=np.bool_)
        opened[found] = True
        reach = float(rows[:, opened].min(axis=1).max())
    radii = np.unique(rows[(rows >= least) & (rows <= reach)])
    return _Search(rows, count, radii, 0, len(radii) - 1, opened, watch, seed), True


def _choose_first(rows: Floats, count: int, watch: Watch, seed: int) -> Bools:
    """Return sites near rows that are far from each other, then swapped while the farthest row comes nearer.

    T. F. Gonzalez, *Clustering to minimize the maximum intercluster distance*, Theoretical Computer Science 38, 1985;
    from several first rows, the one farthest from all sites among them.
    """
    random = np.random.default_rng(seed)
    best, best_reach = np.zeros(rows.shape[1], dtype=np.bool_), np.inf
    for first in [int(rows.min(axis=1).argmax()), *random.integers(0, len(rows), _STARTS).tolist()]:
        opened = np.zeros(rows.shape[1], dtype=np.bool_)
        opened[np.argmin(rows[pick_far_rows(rows, count, first)], axis=1)] = True
        swap_centers(rows, opened, count)
        reach = float(rows[:, opened].min(axis=1).max())
        if reach < best_reach or not best.any():
            best, best_reach = opened, reach
        watch.tell(0.0)
        if watch.late:
            break
    return best


def _fill_up(rows: Floats, opened: Bools, count: int) -> Bools:
    """Open the sites left over, each where it shortens the sum of costs most; none where it shortens nothing."""
    opened = opened.copy()
    nearest = rows[:, opened].min(axis=1)
    while opened.sum() < count:
        saved = np.maximum(nearest[:, None] - rows, 0.0).sum(axis=0)
        best = int(np.argmax(saved))
        if saved[best] <= 0:
            break
        opened[best] = True
        nearest = np.minimum(nearest, rows[:, best])
    return opened


def _tell(
    problem: LocationProblem,
    cost: Floats,
    opened: Bools,
    reached: tuple[float, float],
    began: float,
    facts: dict[str, int],
    late: bool = False,
) -> LocationAnswer:
    """Return the answer; ``reached`` are objective and bound."""
    value, bound = reached
    sites: Ints = np.flatnonzero(opened)
    site = np.full(problem.n_rows, -1, dtype=np.int32)
    if len(sites):
        near = cost[:, sites].argmin(axis=1)
        served = np.isfinite(cost[np.arange(len(cost)), sites[near]])
        site[served] = sites[near[served]]
    proven = bound >= value
    found = "optimal" if proven else "feasible"
    return LocationAnswer(
        opened=opened,
        site=site,
        objective=value,
        bound=bound,
        status=found if np.isfinite(value) else "infeasible" if proven else "no_plan_in_time",
        stopped="proven" if proven else "time" if late else "gap",
        seconds=time.monotonic() - began,
        facts=facts,
    )
