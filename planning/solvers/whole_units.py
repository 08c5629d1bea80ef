"""Whole units at one school each: from the split optimum by rounding, shifts, swaps and kicks; exactly where small.

This is the generalised assignment problem with overload at a price. The split optimum is the floor and gives the
prices that steer the search (``whole_kernels``). Where units are big the floor is loose: ``knapsack_bound`` proves
more, and for small problems HiGHS closes the gap.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from geodata.errors import SolverError
from geodata.messages import msg
from geodata.study import FrozenArrays, Progress, no_progress
from planning.solvers.highs import open_highs
from planning.solvers.problems import Floats, Schools, TransportAnswer, TransportProblem

KICKS, QUIET_ROUNDS = 250, 60
PATIENCE_SHARE = 0.02
_CHOICES = 60
_TRAIL = 20_000
_DONE_SHARE = 1e-9


@dataclass(frozen=True, eq=False)
class WholeUnitsAnswer(FrozenArrays):
    """One school for every row, and what is proven of it.

    ``school`` (rows,), ``-1`` = row without arcs; ``overload`` (schools,) pupils above the places; ``objective`` with
    overload priced; ``bound`` proven; ``split_bound`` that of split pupils; ``stopped`` is ``"proven"``, ``"gap"``,
    ``"rounds"`` or ``"time"``.
    """

    school: Schools
    overload: Floats
    objective: float
    bound: float
    split_bound: float
    stopped: str


def solve_whole_units(
    problem: TransportProblem,
    *,
    transport: TransportAnswer | None = None,
    seed: int = 0,
    time_limit_s: float = 10.0,
    enough: float = 4e-4,
    rounds: int = 1_600,
    exact: bool = False,
    progress: Progress = no_progress,
) -> WholeUnitsAnswer:
    """Send every row whole to one school.

    Parameters
    ----------
    problem : rows are units; rows without arcs are left out
    transport : the split optimum, if known
    seed : of the kicks; with ``rounds`` as the only limit reached, answers repeat exactly
    time_limit_s : for the search, and again for ``exact``
    enough : the search stops at this gap to the split optimum (share)
    rounds : of ``KICKS`` kicks each; the search also stops when ``QUIET_ROUNDS`` of them gain nothing
    exact : then prove with HiGHS, which may improve the plan; for small problems

    Returns
    -------
    WholeUnitsAnswer

    Raises
    ------
    ValueError
        As ``solve_transport``.
    SolverError
        With ``exact``, when HiGHS is missing or fails.
    """
    from planning.solvers.transport import solve_transport

    transport = solve_transport(problem) if transport is None else transport
    progress(msg("Making units whole"), 0.0)
    search = _Search(problem, transport)
    stopped = search.run(seed, time_limit_s, enough, rounds, progress)
    school = search.read_schools()
    objective, overload = price_plan(problem, school)
    bound = transport.bound
    if exact and objective - bound > _DONE_SHARE * abs(objective):
        school, proven = prove_with_highs(problem, transport, school, time_limit_s=time_limit_s)
        bound = max(bound, proven)
        objective, overload = price_plan(problem, school)
        stopped = "time"
    if objective - bound <= _DONE_SHARE * max(1.0, abs(objective)):
        stopped = "proven"
    progress(msg("Making units whole"), 1.0)
    return WholeUnitsAnswer(school, overload, objective, min(bound, objective), transport.bound, stopped)


def price_plan(problem: TransportProblem, school: Schools) -> tuple[float, Floats]:
    """Return the objective of a plan of whole rows, and the overload of each school.

    Raises
    ------
    ValueError
        If a row is at a school that it has no arc to, or a row with arcs is nowhere.
    """
    row_of = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
    used = np.flatnonzero(problem.school == school[row_of])
    if len(used) != (np.diff(problem.start) > 0).sum() or len(used) != (school >= 0).sum():
        raise ValueError("a row is at a school that it has no arc to, or nowhere")
    pupils = problem.pupils[row_of[used]]
    load = np.bincount(problem.school[used], weights=pupils, minlength=problem.n_schools)
    overload = np.maximum(load - problem.places, 0.0)
    overload[overload <= 1e-12 * max(1.0, float(load.sum()))] = 0.0
    return float(pupils @ problem.cost[used] + problem.overload_price * overload.sum()), overload


class _Search:
    """The local search on the arcs that can matter."""

    def __init__(self, problem: TransportProblem, transport: TransportAnswer) -> None:
        from planning.solvers import whole_kernels as kernels

        self.problem, self.bound = problem, transport.bound
        row_of = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
        dear = problem.cost + transport.place_price[problem.school] - transport.row_price[row_of]
        first = kernels.first_arcs(np.array(problem.start), np.array(problem.cost), np.array(transport.flow))
        self.school = np.full(problem.n_rows, -1, dtype=np.int32)
        self.school[first >= 0] = problem.school[first[first >= 0]]
        kept = dear <= choose_reach(dear, _CHOICES * problem.n_schools)
        kept[first[first >= 0]] = True
        lengths = np.bincount(row_of[kept], minlength=problem.n_rows)
        self.rows = np.flatnonzero((lengths > 1) & (problem.pupils > 0))
        arcs = np.flatnonzero(kept & ((lengths > 1) & (problem.pupils > 0))[row_of])
        start = np.concatenate([[0], np.cumsum(lengths[self.rows])]).astype(np.int64)
        pupils = np.array(problem.pupils[self.rows])
        school = problem.school[arcs].astype(np.int64)
        load = np.zeros(problem.n_schools)
        placed = first >= 0
        load += np.bincount(self.school[placed], weights=problem.pupils[placed], minlength=problem.n_schools)
        n = len(self.rows)
        self.plan = kernels.Plan(
            start,
            school,
            np.maximum(dear[arcs], 0.0) * np.repeat(pupils, lengths[self.rows]),
            pupils,
            np.minimum(problem.places, 1e18),
            np.array(transport.place_price),
            float(problem.overload_price),
            *kernels.link_schools(start, school, problem.n_schools),
            np.searchsorted(arcs, first[self.rows]).astype(np.int64),
            load,
            np.full(problem.n_schools, -1),
            np.empty(n, np.int64),
            np.empty(n, np.int64),
            np.zeros(max(2 * _TRAIL, 16 * problem.n_schools) + 1, np.int64),
        )
        kernels.enter_units(self.plan)
        kernels.descend(self.plan)
        kernels.relay_losses(self.plan, 5)
        kernels.descend(self.plan)

    def run(self, seed: int, time_limit_s: float, enough: float, rounds: int, progress: Progress) -> str:
        """Kick until a limit is reached; return which."""
        clock, quiet = time.perf_counter() + time_limit_s, 0
        for number in range(rounds):
            if self.measure_gap() <= enough:
                return "gap"
            if time.perf_counter() > clock:
                return "time"
            quiet = 0 if self.kick(seed * 1_000_003 + number) else quiet + 1
            progress(msg("Making units whole"), min(number / rounds, 0.99))
            if quiet >= QUIET_ROUNDS:
                break
        return "rounds"

    def measure_losses(self) -> Floats:
        """Return what each school loses by being off its places, and by units at dearer arcs."""
        plan = self.plan
        room = plan.places - plan.load
        loss: Floats = np.where(room >= 0, plan.price * room, (plan.price - plan.overload_price) * room)
        if len(plan.at):
            loss += np.bincount(plan.school[plan.at], weights=plan.extra[plan.at], minlength=len(loss))
        return loss

    def measure_gap(self) -> float:
        """Return the gap to the split optimum as a share of it."""
        return float(self.measure_losses().sum()) / max(abs(self.bound), 1e-12)

    def kick(self, seed: int) -> bool:
        """Kick some thousand times; return whether it gained."""
        from planning.solvers import whole_kernels as kernels

        loss = self.measure_losses()
        losing = np.flatnonzero(loss > 1e-3 * loss.max())
        if len(self.rows) == 0 or loss.max() <= 0:
            return False
        state = np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64 | 1], dtype=np.uint64)
        return bool(
            kernels.kick_and_settle(self.plan, losing, state, KICKS, 3, PATIENCE_SHARE * float(loss.sum()))
            < -1e-9 * loss.sum()
        )

    def read_schools(self) -> Schools:
        """Return the school of every row."""
        school = self.school.copy()
        school[self.rows] = self.plan.school[self.plan.at]
        return school


def choose_reach(dear: Floats, count: int) -> float:
    """Return the reduced cost that about ``count`` unused arcs stay below."""
    positive = dear[dear > 0]
    if len(positive) <= count:
        return math.inf
    return float(np.partition(positive, count)[count])


def prove_with_highs(
    problem: TransportProblem,
    transport: TransportAnswer,
    school: Schools,
    *,
    time_limit_s: float,
    gap_share: float = 1e-7,
) -> tuple[Schools, float]:
    """Return the best plan and the bound of HiGHS, among the arcs that could be in a better plan than the one given.

    An arc whose reduced cost alone exceeds the gap between the plan and the split optimum can be in no better plan.
    """
    import highspy
    from scipy.sparse import coo_array

    row_of = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
    upper = price_plan(problem, school)[0]
    pupils = problem.pupils[row_of]
    dear = pupils * (problem.cost + transport.place_price[problem.school] - transport.row_price[row_of])
    mine = problem.school == school[row_of]
    arcs = np.flatnonzero((dear <= upper - transport.bound + 1e-9 * abs(upper)) | mine)
    rows, place = np.unique(row_of[arcs], return_inverse=True)
    n, n_schools, n_rows = len(arcs), problem.n_schools, len(rows)
    bounded = np.isfinite(problem.places)
    line = np.concatenate([place, n_rows + problem.school[arcs], n_rows + np.arange(n_schools)])
    column = np.concatenate([np.arange(n), np.arange(n), n + np.arange(n_schools)])
    value = np.concatenate([np.ones(n), pupils[arcs], -np.ones(n_schools)])
    matrix = coo_array((value, (line, column)), shape=(n_rows + n_schools, n + n_schools)).tocsc()
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = n + n_schools, n_rows + n_schools
    model.col_cost_ = np.concatenate([pupils[arcs] * problem.cost[arcs], np.full(n_schools, problem.overload_price)])
    model.col_lower_ = np.zeros(n + n_schools)
    model.col_upper_ = np.concatenate([np.ones(n), np.full(n_schools, highspy.kHighsInf)])
    model.row_lower_ = np.concatenate([np.ones(n_rows), np.full(n_schools, -highspy.kHighsInf)])
    model.row_upper_ = np.concatenate([np.ones(n_rows), np.where(bounded, problem.places, highspy.kHighsInf)])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    model.integrality_ = [highspy.HighsVarType.kInteger] * n + [highspy.HighsVarType.kContinuous] * n_schools
    highs = open_highs(time_limit_s=time_limit_s)
    highs.setOptionValue("mip_rel_gap", gap_share)
    highs.passModel(model)
    overload = price_plan(problem, school)[1]
    start = highspy.HighsSolution()
    start.col_value = np.concatenate([mine[arcs].astype(float), overload]).tolist()
    highs.setSolution(start)
    if highs.run() == highspy.HighsStatus.kError:
        raise SolverError("HiGHS refused the assignment of whole units.")
    bound = min(float(highs.getInfo().mip_dual_bound), upper)
    chosen = np.array(highs.getSolution().col_value)
    if len(chosen):
        plan = school.copy()
        used = arcs[chosen[:n] > 0.5]
        plan[row_of[used]] = problem.school[used]
        if len(used) == n_rows and price_plan(problem, plan)[0] < upper:
            return plan, bound
    return school, bound
