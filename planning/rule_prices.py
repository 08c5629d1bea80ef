"""What each rule costs: the same problem without it, solved for a moment, with a bound on what it can cost at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from geodata.messages import Message, msg
from planning.certificate import RulePrice
from planning.solvers.problems import MOVED, TRAVEL, TransportProblem, ZoneAnswer, ZoneProblem
from planning.zone_graph import find_detached
from planning.zoning_objectives import Search

EXACT_PAIRS = 5_000
"""Up to this many pairs of unit and school the assignment of whole units is proven, not only bounded."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The problem without one rule. ``limits`` as far as they still hold; ``start``: the plan, where units differ."""

    rule: str
    name: Message
    problem: ZoneProblem
    limits: Floats
    start: Ints | None = None


def compute_rule_prices(
    plan: ZoneAnswer,
    problem: ZoneProblem,
    limits: Floats,
    relaxed: Iterable[Callable[[], Relaxed]],
    search: Search,
    *,
    count: int,
) -> tuple[RulePrice, ...]:
    """Return the price of every rule in force, in travel (shortages weighed with their price).

    Parameters
    ----------
    plan, problem, limits
        The plan whose travel was made as small as it could be, its problem, and the hard limits that it kept.
    relaxed
        Makes the problem without a rule; made when its turn comes, because each holds a table of costs.
    count
        Number of those, to share the time.

    Notes
    -----
    Without connectedness the units are assigned whole, by flow and exchange, with the bound of the flow. Without
    places every unit goes to its cheapest school: exact where that leaves each zone in one piece.
    """
    value = weigh(plan, problem)
    prices = [_price_connectedness(plan, problem, limits, value, search)]
    if np.isfinite(problem.places).any():
        prices.append(_price_places(plan, problem, limits, value, search))
    for done, make in enumerate(relaxed):
        item = make()
        start = np.asarray(plan.school) if item.start is None else item.start
        answer = _search_without(item.problem, item.limits, start, search, 1.0 / (count - done))
        prices.append(_build_price(item.rule, item.name, value, weigh(answer, item.problem), answer.bound))
    return tuple(prices)


def weigh(answer: ZoneAnswer, problem: ZoneProblem) -> float:
    """Return travel with the price of overload."""
    return float(answer.values[TRAVEL]) + problem.overload_price * float(answer.overload_pupils)


def _build_price(rule: str, name: Message, value: float, without: float, bound: float) -> RulePrice:
    without = min(without, value)
    bound = min(max(0.0, bound), without)
    return RulePrice(rule, name, without, bound, value - without, value - bound)


def _search_without(
    problem: ZoneProblem,
    limits: Floats,
    start: npt.NDArray[np.signedinteger],
    search: Search,
    share: float,
) -> ZoneAnswer:
    """Return the plan improved in the problem without the rule, from a plan near the best."""
    weights = np.zeros(5)
    weights[TRAVEL] = 1.0
    return search.solve(
        problem,
        weights=weights,
        limits=limits,
        start=np.array(start, dtype=np.int32),
        share=share,
    )


def _price_connectedness(
    plan: ZoneAnswer, problem: ZoneProblem, limits: Floats, value: float, search: Search
) -> RulePrice:
    from planning.solvers.whole_units import solve_whole_units

    name = msg("each zone in one piece")
    transport = build_transport(problem, problem.cost)
    limit_s = search.part_s(0.15, least_s=2.0)
    exact = len(transport.cost) <= EXACT_PAIRS
    answer = solve_whole_units(transport, seed=search.seed, time_limit_s=limit_s, exact=exact)
    school = np.asarray(answer.school)
    lawful = problem.moved is None or _sum_at(problem.moved, school) <= limits[MOVED] + 1e-6
    without = float(answer.objective) if lawful and (school >= 0).all() else value
    return _build_price("connected", name, value, without, float(answer.bound))


def _price_places(plan: ZoneAnswer, problem: ZoneProblem, limits: Floats, value: float, search: Search) -> RulePrice:
    """Return the price of the places: the cheapest school for all, searched only where that is not connected."""
    name = msg("no more pupils than places")
    free = replace(problem, places=np.full(problem.n_schools, np.inf))
    cost = mask_locked(problem)
    cheapest = cost.argmin(axis=1)
    bound = float(cost[np.arange(len(cost)), cheapest].sum())
    tail = np.repeat(np.arange(problem.n_units), np.diff(problem.neighbour_start))
    links = np.column_stack([tail, problem.neighbour]).astype(np.int64)
    connected = not len(find_detached(cheapest, links, problem.seat.astype(np.int64)))
    lawful = problem.moved is None or _sum_at(problem.moved, cheapest) <= limits[MOVED] + 1e-6
    if connected and lawful:
        return _build_price("capacity", name, value, bound, bound)
    start = cheapest if lawful else np.asarray(plan.school)
    answer = _search_without(free, limits, start, search, 0.3)
    return _build_price("capacity", name, value, weigh(answer, free), max(bound, answer.bound))


def mask_locked(problem: ZoneProblem) -> Floats:
    """Return the costs with only the lock of each locked unit, and of each seat, allowed."""
    cost: Floats = np.array(problem.cost)
    locked = np.array(problem.locked, dtype=np.int64)
    placed = np.flatnonzero(problem.seat >= 0)
    locked[problem.seat[placed]] = placed
    rows = np.flatnonzero(locked >= 0)
    kept = cost[rows, locked[rows]]
    cost[rows] = np.inf
    cost[rows, locked[rows]] = kept
    return cost


def build_transport(
    problem: ZoneProblem, whole_cost: Floats, *, overload_price: float | None = None
) -> TransportProblem:
    """Return the problem without connectedness: every unit's pupils to the schools allowed to it, at ``whole_cost``.

    Units without pupils are rows of a millionth of a pupil, so that each has a school; they count for nothing.
    """
    allowed = np.isfinite(mask_locked(problem))
    row, school = np.nonzero(allowed)
    pupils = np.maximum(problem.pupils, 1e-6)
    start = np.zeros(problem.n_units + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=problem.n_units), out=start[1:])
    return TransportProblem(
        start=start,
        school=school.astype(np.int32),
        cost=np.asarray(whole_cost[row, school] / pupils[row], dtype=np.float64),
        pupils=pupils,
        places=np.array(problem.places),
        overload_price=problem.overload_price if overload_price is None else overload_price,
    )


def bound_overload(problem: ZoneProblem) -> float:
    """Return the least number of pupils above the places in any assignment, connected or not."""
    from planning.solvers.transport import solve_transport

    answer = solve_transport(build_transport(problem, np.zeros_like(problem.cost), overload_price=1.0))
    return max(0.0, float(answer.bound))


def bound_travel(problem: ZoneProblem) -> float:
    """Return a proven least travel, overload priced: the flow, with pupils split and zones in pieces."""
    from planning.solvers.transport import solve_transport

    return max(0.0, float(solve_transport(build_transport(problem, np.asarray(problem.cost))).bound))


def bound_moved(problem: ZoneProblem, overload_pupils: float) -> float:
    """Return the least number of pupils moved in any plan with no more overload than this one.

    The bound of the flow at cost "moved" less the price of the plan's own overload; the best over several prices.
    """
    from planning.solvers.transport import solve_transport

    if problem.moved is None:
        return 0.0
    best = 0.0
    for price in (1.0, 10.0, 100.0):
        answer = solve_transport(build_transport(problem, np.asarray(problem.moved), overload_price=price))
        best = max(best, float(answer.bound) - price * overload_pupils)
    return best


def _sum_at(table: Floats, school: npt.NDArray[np.signedinteger]) -> float:
    return float(table[np.arange(len(table)), school].sum())
