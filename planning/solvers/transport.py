"""The transport problem, exactly: pupils of every row to schools within places, with prices that prove the optimum.

Few schools, many rows. First prices close to the optimum (``transport_prices``); then every row takes its least
``cost + price``, and what is above or below the places is moved along shortest paths of the graph whose nodes are the
schools (``transport_paths``; successive shortest paths with potentials: R. K. Ahuja, T. L. Magnanti, J. B. Orlin,
*Network Flows*, 1993, ch. 9). Only arcs near the least are looked at; the others are checked at the end, and come in
where the prices turn out to favour them. Overload is an arc that is always open, so there is always an answer.
"""

from __future__ import annotations

import math

import numpy as np

from geodata.messages import msg
from geodata.study import Progress, no_progress
from planning.solvers.problems import Floats, Ints, Schools, TransportAnswer, TransportProblem

COLD_ARCS = 20_000
"""Problems of fewer arcs are solved without looking for good prices first."""
_COST_BITS, _PRICE_BITS, _PUPIL_BITS = 40, 50, 52
_Rows = tuple[Ints, Schools, Floats, Floats]


def solve_transport(problem: TransportProblem, *, progress: Progress = no_progress) -> TransportAnswer:
    """Return a flow of least cost and the prices that prove it.

    Parameters
    ----------
    problem : rows without arcs are left out (no flow, row price 0)
    progress : told the step and the share done; may raise to stop

    Returns
    -------
    TransportAnswer
        ``bound`` equals ``objective`` up to rounding (costs count to 12 digits of the largest, pupils to 15 of the
        sum). At most ``schools`` rows are split, so whole units are close.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or hold negative numbers or NaN.
    """
    from planning.solvers.transport_prices import find_prices

    check_problem(problem)
    progress(msg("Assigning pupils within the places"), 0.0)
    unit, grain = choose_cost_unit(problem), choose_pupil_unit(problem)
    pupils = snap(problem.pupils, grain)
    rows, arcs = list_rows(problem, pupils, unit)
    places = snap(np.minimum(problem.places, 2 * pupils.sum() + 1), grain)
    ceiling = float(snap(np.array([problem.overload_price]), unit)[0])
    price, width = np.zeros(problem.n_schools), 0.0
    if len(arcs) > COLD_ARCS:
        price, width = find_prices(*rows, places, ceiling)
        price = np.minimum(snap(price, unit), ceiling)
    progress(msg("Assigning pupils within the places"), 0.6)
    used, price = complete_flow(rows, places, ceiling, price, width)
    flow = np.zeros(len(problem.school))
    flow[arcs] = used
    progress(msg("Assigning pupils within the places"), 1.0)
    return compose_answer(problem, flow, np.clip(price, 0.0, problem.overload_price))


def check_problem(problem: TransportProblem) -> None:
    """Raise ``ValueError`` if the arrays do not fit together or hold impossible numbers."""
    start = problem.start
    if len(start) != problem.n_rows + 1 or start[0] != 0 or start[-1] != len(problem.school):
        raise ValueError("start does not span the arcs")
    if len(problem.cost) != len(problem.school) or (np.diff(start) < 0).any():
        raise ValueError("arcs, costs and rows do not fit together")
    if len(problem.school) and not (problem.school.min() >= 0 and problem.school.max() < problem.n_schools):
        raise ValueError("an arc names a school that is not there")
    if not (np.isfinite(problem.cost).all() and (problem.cost >= 0).all()):
        raise ValueError("costs must be finite and not negative")
    if not (np.isfinite(problem.pupils).all() and (problem.pupils >= 0).all()):
        raise ValueError("pupils must be finite and not negative")
    if not (problem.places >= 0).all():
        raise ValueError("places must not be negative")
    if not (math.isfinite(problem.overload_price) and problem.overload_price >= 0):
        raise ValueError("the price of overload must be finite and not negative")


def choose_cost_unit(problem: TransportProblem) -> float:
    """Return a power of two so fine that rounding costs to it is harmless, so coarse that sums of them are exact."""
    largest = float(problem.cost.max()) if len(problem.cost) else 0.0
    bits = max(math.frexp(largest)[1] - _COST_BITS, math.frexp(problem.overload_price)[1] - _PRICE_BITS)
    return math.ldexp(1.0, bits)


def choose_pupil_unit(problem: TransportProblem) -> float:
    """Return a power of two such that any sum of multiples of it up to all pupils is exact."""
    total = float(problem.pupils.sum())
    return math.ldexp(1.0, math.frexp(total)[1] + 2 - _PUPIL_BITS) if total > 0 else 1.0


def snap(values: Floats, unit: float) -> Floats:
    """Return the values rounded to multiples of ``unit``."""
    rounded: Floats = np.rint(values / unit) * unit
    return rounded


def list_rows(problem: TransportProblem, pupils: Floats, unit: float) -> tuple[_Rows, Ints]:
    """Return starts, schools, costs and pupils of the rows that have arcs and pupils, and the positions of the arcs."""
    lengths = np.diff(problem.start)
    chosen = (lengths > 0) & (pupils > 0)
    start = np.concatenate([[0], np.cumsum(lengths[chosen])]).astype(np.int64)
    school, cost = np.array(problem.school, np.int32), snap(problem.cost, unit)
    arcs = np.arange(len(school))
    if not chosen.all():
        arcs = np.flatnonzero(np.repeat(chosen, lengths))
        school, cost = school[arcs], cost[arcs]
    return (start, school, cost, pupils[chosen]), arcs


def complete_flow(rows: _Rows, places: Floats, ceiling: float, price: Floats, width: float) -> tuple[Floats, Floats]:
    """Return the optimal flow on all arcs and its prices, from prices that are about ``width`` from the optimum."""
    from planning.solvers.transport_kernels import drop_dear
    from planning.solvers.transport_prices import keep_near, measure_spread

    start, school, cost, pupils = rows
    flow = np.zeros(len(school))
    if len(pupils) == 0:
        return flow, price
    wide = 3 * width or max(measure_spread(start, cost, n_rows=len(pupils)) / 2, ceiling / 100, 1e-9)
    outer = 16 * wide if width > 0 else math.inf
    while True:
        near_start, near = keep_near(start, school, cost, price, outer)
        used = flow[near]
        price, wide, done = route_near(
            (near_start, school[near], cost[near], pupils), places, ceiling, price, used, wide, outer
        )
        flow[:] = 0.0
        flow[near] = used
        if drop_dear(start, school, cost, price, flow) == 0 and done:
            return flow, price
        outer = 16 * wide


def route_near(
    rows: _Rows, places: Floats, ceiling: float, price: Floats, flow: Floats, wide: float, outer: float
) -> tuple[Floats, float, bool]:
    """Make ``flow`` optimal among the arcs given, in place; return prices, the reach used, whether it is optimal.

    Paths are sought among arcs within ``wide`` of the least, which grows as needed, up to ``outer``.
    """
    from planning.solvers.transport_kernels import choose_arcs, drop_dear
    from planning.solvers.transport_paths import Rows, Sink, route_excess

    start, school, cost, pupils = rows
    while True:
        load, chosen_start, arcs = choose_arcs(start, school, cost, pupils, places, price, flow, wide)
        inner = np.where(price > 0, places, np.minimum(load, places))
        over = np.where(price >= ceiling, np.maximum(load - places, 0.0), 0.0)
        excess = load - inner - over
        sink = Sink(places, ceiling, inner, over, np.append(excess, -excess.sum()))
        row_of = np.repeat(np.arange(len(chosen_start) - 1), np.diff(chosen_start))
        used, raised = flow[arcs], np.append(price, 0.0)
        paths = route_excess(Rows(chosen_start, school[arcs], cost[arcs], row_of), sink, used, raised, wide)
        flow[arcs] = used
        price = np.clip(raised[:-1] - raised[-1], 0.0, ceiling)
        if drop_dear(start, school, cost, price, flow) == 0 and paths >= 0:
            return price, wide, True
        wide *= 3
        if wide > outer:
            return price, wide, False


def compose_answer(problem: TransportProblem, flow: Floats, price: Floats) -> TransportAnswer:
    """Return the answer of a snapped flow (made exact in place): overload and bound from the true numbers."""
    from planning.solvers.transport_kernels import finish_rows

    start, school, cost = np.array(problem.start), np.array(problem.school), np.array(problem.cost)
    row_price = finish_rows(start, school, cost, np.array(problem.pupils), price, flow)
    load = np.bincount(problem.school, weights=flow, minlength=problem.n_schools)
    overload = np.maximum(load - problem.places, 0.0)
    overload[overload <= 1e-12 * max(1.0, float(load.sum()))] = 0.0
    finite = np.where(price > 0, problem.places, 0.0)
    return TransportAnswer(
        flow=flow,
        overload=overload,
        place_price=price,
        row_price=row_price,
        objective=float(problem.cost @ flow + problem.overload_price * overload.sum()),
        bound=float(problem.pupils @ row_price - finite @ price),
    )
