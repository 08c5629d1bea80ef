"""Prices of the rows that prove a bound, better and better: subgradients, then the volume algorithm."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from planning.solvers.p_median_dual_kernels import BOUND, build_volume, improve_prices, warm_up
from planning.solvers.p_median_kernels import Rows
from planning.solvers.p_median_rows import Bound, compute_bound
from planning.solvers.problems import Floats

WARM_ROUNDS = 100
_SLOW = 0.02


@dataclass(eq=False)
class PriceSearch:
    """The best prices found for ``rows``; ``rounds`` so far, ``slow`` once more rounds hardly help.

    ``prices`` (rows,) and ``share`` (sites,), an estimate of the optimum of the linear relaxation.
    """

    rows: Rows
    most: int
    prices: Floats
    rounds: int = 0
    slow: bool = False
    share: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        self._state = build_volume(self.prices, len(self.rows.fixed))

    def run(self, rounds: int, target: float) -> Bound:
        """Run so many rounds towards the cost of a plan; return the proven bound of the best prices."""
        state = self._state
        before = float(state.numbers[BOUND])
        warm = min(rounds, max(0, WARM_ROUNDS - self.rounds))
        warm_up(self.rows, state, self.most, target, warm)
        first = self.rounds + warm - WARM_ROUNDS
        improve_prices(self.rows, state, self.most, target, rounds - warm, first)
        self.rounds += rounds
        gap = target - float(state.numbers[BOUND])
        self.slow = float(state.numbers[BOUND]) - before < _SLOW * rounds / 100 * gap
        self.prices, self.share = state.best, state.share
        return compute_bound(self.rows, state.best, self.most)
