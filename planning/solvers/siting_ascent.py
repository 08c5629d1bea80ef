"""Row prices that prove much: a deflected subgradient method on the Lagrangian bound, rules over ways kept throughout.

Each step prices all ways (``siting_dual``), solves the small linear programme over ways, and moves the prices along the
surplus of pupils: the step of B. T. Polyak (*Minimization of unsmooth functionals*, 1969) towards the cost of a plan at
hand, the direction a sum of past ones (P. M. Camerini, L. Fratta, F. Maffioli, *On improving relaxation methods by
modified gradient techniques*, Math. Programming Study 3, 1975), rows scaled by their pupils.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planning.solvers.problems import Floats
from planning.solvers.siting_dual import SitingDual, WayPrices
from planning.solvers.siting_highs import Watch
from planning.solvers.siting_ways import RelaxedWays

_MEMORY = 0.7
_FRESH = 0.1
_PATIENCE, _SHRINK, _SHORTEST = 15, 0.7, 0.002
_KEPT_CUTS = 12
_ROUNDING = 1e-9


@dataclass
class Ascent:
    """The best prices so far: ``prices`` (periods, rows), their ``cut``, ``bound`` and ``reduced`` costs of ways.

    ``shares`` (ways,) averaged over the steps, late ones counting more. ``cuts``: of good prices met, the best last.
    """

    prices: Floats
    cut: WayPrices
    bound: float
    reduced: Floats
    shares: Floats
    cuts: list[WayPrices]
    steps: int = 0


@dataclass(frozen=True)
class Pace:
    """How long to climb: most ``steps``, the first ``stride`` (of Polyak's step), and a gap that is small enough.

    ``rise``: steps are as long as if the bound could rise by this share of itself at most.
    """

    steps: int = 600
    stride: float = 1.0
    gap_share: float = 1e-6
    rise: float = np.inf


def ascend(
    dual: SitingDual, ways: RelaxedWays, prices: Floats, *, target: float, watch: Watch, pace: Pace = Pace()
) -> Ascent | None:
    """Raise the bound from ``prices``; None where the rules over ways contradict each other.

    ``target`` is the cost of a plan at hand: the step length comes from the distance to it.
    """
    pupils = dual.problem.pupils.T
    weight = np.divide(1.0, pupils, out=np.zeros_like(pupils), where=pupils > 0)
    begun = price_rows(dual, ways, prices)
    if begun is None:
        return None
    best, best_left = begun
    bound, now, ahead, shares = best.bound, best.prices, best_left, best.shares
    stride, idle, goal = pace.stride, 0, target - pace.gap_share * abs(target)
    for step in range(1, pace.steps + 1):
        watch.tell()
        length = float((ahead * ahead * weight).sum())
        if watch.late or length <= 0 or best.bound >= goal or stride < _SHORTEST:
            break
        aim = min(target, best.bound + pace.rise * max(abs(best.bound), 0.1 * abs(target))) - bound
        now = np.minimum(now + stride * aim / length * ahead * weight, dual.problem.overload_price)
        tried = price_rows(dual, ways, now)
        assert tried is not None, "the rules do not change"
        found, left = tried
        bound, ahead = found.bound, left + _MEMORY * ahead
        shares = shares + _FRESH * (found.shares - shares)
        idle = 0 if bound > best.bound + 1e-6 * abs(target) else idle + 1
        if bound > best.bound:
            best, best_left = replace(found, cuts=[*best.cuts, found.cut][-_KEPT_CUTS:]), left
        best.steps = step
        if idle >= _PATIENCE:
            stride, idle, now, bound, ahead = stride * _SHRINK, 0, best.prices, best.bound, best_left
    return replace(best, shares=shares)


def price_rows(dual: SitingDual, ways: RelaxedWays, prices: Floats) -> tuple[Ascent, Floats] | None:
    """Return what prices prove, and the surplus of pupils (periods, rows); None where the rules contradict."""
    prices = np.minimum(prices, dual.problem.overload_price)
    cut, wanted = dual.sort(prices)
    relaxed = ways.solve(dual.problem.way_cost + cut.value.sum(axis=1))
    if relaxed is None:
        return None
    bound = float(cut.base.sum()) + relaxed.bound
    bound -= _ROUNDING * (abs(relaxed.bound) + abs(bound))
    return Ascent(prices, cut, bound, relaxed.reduced, relaxed.chosen, [cut]), dual.leave(wanted, relaxed.chosen)
