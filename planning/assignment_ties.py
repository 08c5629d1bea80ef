"""One plan of several equally good ones, so that two machines publish the same.

An optimal flow is seldom the only one. By complementary slackness a flow is optimal exactly if it uses only ways whose
cost plus price is least for the row, fills every school that has a price, and overruns only schools whose price is that
of overload (R. K. Ahuja, T. L. Magnanti, J. B. Orlin, *Network Flows*, 1993, ch. 9.3). Among these flows a second
transport problem chooses: first as many pupils as can be at a school of their current zone, then the schools whose ids
come first, then the units whose ids come first at the schools whose ids come first. The first objective is untouched:
it is not perturbed, only its optimal face is searched, and the result is checked against it.
"""

from __future__ import annotations

import numpy as np

from planning.assignment import Bools
from planning.solvers.problems import Floats, TransportAnswer, TransportProblem
from planning.solvers.transport import solve_transport

TIGHT = 1e-9
"""Reduced costs up to this share of the dearest price are rounding."""


def settle_ties(problem: TransportProblem, answer: TransportAnswer, preferred: Bools) -> Floats:
    """Return the optimal flow (arcs,) that the documented rule chooses; that of ``answer`` where none is as good.

    Parameters
    ----------
    preferred : shape (arcs,)
        Ways to a school of the current zone.
    """
    row = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
    tolerance = TIGHT * (1.0 + problem.overload_price)
    reduced = problem.cost + answer.place_price[problem.school] - answer.row_price[row]
    tight = (reduced <= tolerance) | (answer.flow > 0)
    if np.bincount(row[tight], minlength=problem.n_rows).max(initial=0) <= 1:
        return answer.flow
    second = _build_face(problem, answer, np.flatnonzero(tight), row, preferred, tolerance)
    chosen = solve_transport(second)
    flow = np.zeros(len(problem.school))
    np.add.at(flow, np.repeat(np.flatnonzero(tight), _copies(problem, answer, tight, tolerance)), chosen.flow)
    load = np.bincount(problem.school, weights=flow, minlength=problem.n_schools)
    over = np.maximum(0.0, load - problem.places).sum()
    value = float(problem.cost @ flow) + problem.overload_price * float(over)
    return flow if value <= answer.objective + 1e-9 * (1.0 + abs(answer.objective)) else answer.flow


def _copies(problem: TransportProblem, answer: TransportAnswer, tight: Bools, tolerance: float) -> np.ndarray:
    """Return how often each tight arc stands in the second problem: twice where its school may be overrun."""
    overrun = answer.place_price >= problem.overload_price - tolerance
    return 1 + overrun[problem.school[tight]].astype(np.int64)


def _build_face(
    problem: TransportProblem,
    answer: TransportAnswer,
    arcs: np.ndarray,
    row: np.ndarray,
    preferred: Bools,
    tolerance: float,
) -> TransportProblem:
    """Return the problem over the optimal face: leaving it costs more than the second objective can ever gain."""
    width = problem.n_schools
    school = problem.school[arcs].astype(np.int64)
    order = (school + 1) / (width + 1)
    unit = (row[arcs] + 1) / (problem.n_rows + 1)
    wish = np.where(preferred[arcs], 0.0, 1.0) + 1e-2 * order + 1e-4 * unit * (1.0 - order)
    leave = 4.0 * (width + 1)
    priced = answer.place_price > tolerance
    overrun = answer.place_price >= problem.overload_price - tolerance
    twin = np.flatnonzero(overrun[school])
    every_row = np.concatenate([row[arcs], row[arcs][twin]])
    every_school = np.concatenate([school, school[twin] + width])
    every_cost = np.concatenate([wish + np.where(priced[school], 0.0, leave), wish[twin] + leave])
    source = np.concatenate([np.arange(len(arcs)), twin])
    into = np.lexsort((every_school, source, every_row))
    count = np.bincount(every_row, minlength=problem.n_rows)
    return TransportProblem(
        start=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        school=every_school[into].astype(np.int32),
        cost=every_cost[into],
        pupils=problem.pupils,
        places=np.concatenate([problem.places, np.full(width, np.inf)]),
        overload_price=10.0 * leave,
    )
