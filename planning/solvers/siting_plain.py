"""The siting problem as one mixed integer programme, in its strong form: exact, for small problems and as a peer.

Variables: ``y[w]`` 0 or 1 for every way, ``f[arc, t]``, ``u[row, t]`` unplaced, ``s[facility, t]`` pupils lacking.
Every facility follows one way; ``sum f + u = pupils`` of every row; ``sum f <= sum places * y``; ``sum f + s >= sum
least_pupils * y``; and, what makes it strong, ``f[arc, t] <= pupils * sum(y of the ways open in t)`` (the strong
formulation of capacitated location, see G. Cornuejols, R. Sridharan, J.-M. Thizy, *A comparison of heuristics and
relaxations for the capacitated plant location problem*, EJOR 50, 1991).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planning.solvers.highs import open_highs
from planning.solvers.location_problems import SitingProblem
from planning.solvers.problems import Bools, Floats, Ints
from planning.solvers.siting_highs import Columns, Watch, pass_columns, run_watched


@dataclass(frozen=True)
class WayChoice:
    """What a programme over ways says: ``way`` (facilities,) or None, the proven ``bound``, and ``status``.

    ``status``: ``"optimal"``, ``"feasible"``, ``"infeasible"`` or ``"no_plan_in_time"``.
    """

    way: Ints | None
    bound: float
    status: str


def owner_of_ways(problem: SitingProblem) -> Ints:
    """Return the facility of every way (ways,)."""
    return np.repeat(np.arange(problem.n_facilities), np.diff(problem.way_start))


def solve_plain(
    problem: SitingProblem,
    *,
    watch: Watch | None = None,
    gap_share: float = 0.0,
    seed: int = 0,
    allowed: Bools | None = None,
    start: Ints | None = None,
) -> WayChoice:
    """Return the best ways by HiGHS on the whole problem.

    Parameters
    ----------
    allowed : shape (ways,)
        Ways that may be chosen; None: all.
    start : shape (facilities,)
        Ways to begin from.
    """
    import highspy

    columns, ways = build_programme(problem, allowed)
    model = open_highs(seed=seed)
    model.setOptionValue("mip_rel_gap", gap_share)
    model.setOptionValue("mip_abs_gap", 0.0)
    pass_columns(model, columns)
    if start is not None:
        chosen = np.zeros(len(columns.cost))
        chosen[np.searchsorted(ways, start)] = 1.0
        index = np.arange(len(ways), dtype=np.int32)
        model.setSolution(len(ways), index, chosen[: len(ways)])
    run_watched(model, watch or Watch())
    status = model.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return WayChoice(None, np.inf, "infeasible")
    return read_choice(problem, model, ways)


def read_choice(problem: SitingProblem, model: object, ways: Ints) -> WayChoice:
    """Return the choice that a model holds whose first columns are the ways ``ways``."""
    import highspy

    info, status = model.getInfo(), model.getModelStatus()  # type: ignore[attr-defined]
    bound = float(info.mip_dual_bound)
    if not np.isfinite(bound):
        bound = -np.inf
    value = np.array(model.getSolution().col_value)  # type: ignore[attr-defined]
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if not feasible or len(value) < len(ways):
        return WayChoice(None, bound, "no_plan_in_time")
    chosen = ways[value[: len(ways)] > 0.5]
    if len(chosen) != problem.n_facilities:
        return WayChoice(None, bound, "no_plan_in_time")
    proven = status == highspy.HighsModelStatus.kOptimal
    return WayChoice(chosen, bound, "optimal" if proven else "feasible")


def build_programme(problem: SitingProblem, allowed: Bools | None = None) -> tuple[Columns, Ints]:
    """Return the programme, and the ways that its first columns stand for."""
    ways = np.flatnonzero(allowed) if allowed is not None else np.arange(len(problem.way_cost))
    owner = owner_of_ways(problem)[ways]
    n_ways, n_periods, n_facilities = len(ways), problem.n_periods, problem.n_facilities
    open_ever = np.zeros((n_facilities, n_periods), bool)
    np.logical_or.at(open_ever, owner, problem.way_places[ways] > 0)
    row_of = np.repeat(np.arange(problem.n_rows), np.diff(problem.row_start))
    live = (problem.pupils[row_of] > 0) & open_ever[problem.facility]
    arc, period = np.nonzero(live)
    wanted_row, wanted_period = np.nonzero(problem.pupils > 0)
    row_at = np.full((problem.n_rows, n_periods), -1, np.int64)
    row_at[wanted_row, wanted_period] = np.arange(len(wanted_row))
    n_flow, n_unplaced = len(arc), len(wanted_row)
    flow_at, unplaced_at = n_ways, n_ways + n_flow
    lack_at = unplaced_at + n_unplaced
    upper = problem.pupils[row_of[arc], period]
    cost = np.concatenate(
        [
            problem.way_cost[ways],
            problem.arc_cost[arc] * problem.period_weight[period],
            np.full(n_unplaced + n_facilities * n_periods, problem.overload_price),
        ]
    )
    parts = _ModelParts(problem, ways, owner, arc, period, row_at[row_of[arc], period], upper)
    entries, lower, limit = parts.list_rows(flow_at, unplaced_at, lack_at, n_unplaced)
    wanted = problem.pupils[wanted_row, wanted_period]
    lower[n_facilities : n_facilities + n_unplaced] = wanted
    limit[n_facilities : n_facilities + n_unplaced] = wanted
    whole = np.arange(len(cost)) < n_ways
    above = np.where(whole, 1.0, np.inf)
    return Columns.gather(entries, (lower, limit), cost=cost, upper=above, whole=whole), ways


@dataclass(frozen=True)
class _ModelParts:
    """The columns of a programme: flows ``arc``, ``period``, row of the programme ``wanted``, most pupils ``upper``."""

    problem: SitingProblem
    ways: Ints
    owner: Ints
    arc: Ints
    period: Ints
    wanted: Ints
    upper: Floats

    def list_rows(
        self, flow_at: int, unplaced_at: int, lack_at: int, n_unplaced: int
    ) -> tuple[list[tuple[Ints, Ints, Floats]], Floats, Floats]:
        """Return the entries ``(row, column, value)`` and the limits of all rows.

        Rows: one way per facility, pupils of each row, places, least pupils, rules, strong limits.
        """
        problem, n_periods = self.problem, self.problem.n_periods
        n_ways, n_flow, cells = len(self.ways), len(self.arc), problem.n_facilities * n_periods
        places_at = problem.n_facilities + n_unplaced
        least_at, side_at = places_at + cells, places_at + 2 * cells
        strong_at = side_at + len(problem.side_limit)
        flow, way = flow_at + np.arange(n_flow), np.arange(n_ways)
        cell = problem.facility[self.arc].astype(np.int64) * n_periods + self.period
        lack = np.arange(cells)
        entries = [
            (self.owner, way, np.ones(n_ways)),
            (problem.n_facilities + self.wanted, flow, np.ones(n_flow)),
            (problem.n_facilities + np.arange(n_unplaced), unplaced_at + np.arange(n_unplaced), np.ones(n_unplaced)),
            (places_at + cell, flow, np.ones(n_flow)),
            (least_at + cell, flow, np.ones(n_flow)),
            (least_at + lack, lack_at + lack, np.ones(cells)),
            (strong_at + np.arange(n_flow), flow, np.ones(n_flow)),
        ]
        for period in range(n_periods):
            places = problem.way_places[self.ways, period]
            at = self.owner * n_periods + period
            entries.append((places_at + at, way, -np.where(np.isinf(places), problem.pupils.sum(), places)))
            least = np.where(places > 0, problem.way_least_pupils[self.ways, period], 0.0)
            entries.append((least_at + at, way, -least))
        entries += [list_sides(problem, self.ways, side_at), self._list_strong(strong_at)]
        entries = [(row[value != 0], column[value != 0], value[value != 0]) for row, column, value in entries]
        n_rows = strong_at + n_flow
        lower, upper = np.full(n_rows, -np.inf), np.zeros(n_rows)
        lower[: problem.n_facilities] = upper[: problem.n_facilities] = 1.0
        lower[least_at:side_at], upper[least_at:side_at] = 0.0, np.inf
        upper[side_at:strong_at] = problem.side_limit / measure_sides(problem)
        return entries, lower, upper

    def _list_strong(self, strong_at: int) -> tuple[Ints, Ints, Floats]:
        """Return the entries of the open ways in ``f <= pupils * sum(open ways)``."""
        problem = self.problem
        shown = problem.way_places[self.ways] > 0
        first = np.searchsorted(self.owner, np.arange(problem.n_facilities))
        count = np.bincount(self.owner, minlength=problem.n_facilities)
        facility = problem.facility[self.arc]
        lengths = count[facility]
        flow = np.repeat(np.arange(len(self.arc)), lengths)
        inner = np.arange(len(flow)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        way = first[facility][flow] + inner
        keep = shown[way, self.period[flow]]
        return strong_at + flow[keep], way[keep], -self.upper[flow[keep]]


def measure_sides(problem: SitingProblem) -> Floats:
    """Return the largest number in each rule over ways (rules,), 1 where there is none: what solvers divide it by."""
    rule = np.repeat(np.arange(len(problem.side_limit)), np.diff(problem.side_start))
    largest = np.zeros(len(problem.side_limit))
    np.maximum.at(largest, rule, np.abs(problem.side_value))
    return np.where(largest > 0, largest, 1.0)


def list_sides(problem: SitingProblem, ways: Ints, side_at: int) -> tuple[Ints, Ints, Floats]:
    """Return the entries of the rules over ways, divided by their largest number."""
    position = np.full(len(problem.way_cost), -1, np.int64)
    position[ways] = np.arange(len(ways))
    side = np.repeat(np.arange(len(problem.side_limit)), np.diff(problem.side_start))
    column = position[problem.side_way]
    kept = column >= 0
    value = np.asarray(problem.side_value, dtype=np.float64) / measure_sides(problem)[side]
    return side_at + side[kept], column[kept], value[kept]
