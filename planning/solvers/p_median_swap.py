"""Good plans by swapping sites: the best swap again and again, shaken and repeated.

All swaps are valued at once from what each row gains and loses (M. G. C. Resende, R. F. Werneck, *A fast swap-based
local search procedure for location problems*, Annals of Operations Research 150, 2007, after R. Whitaker 1983), and
only the rows that a swap touches are counted anew. Shaking: iterated local search.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from planning.solvers.p_median_kernels import Rows
from planning.solvers.p_median_swap_kernels import (
    Swaps,
    build_swaps,
    count_all,
    descend,
    set_open,
    shake_and_descend,
    total_cost,
)
from planning.solvers.problems import Floats, Ints

_STRENGTH = 6
_PATIENCE = 0.0005
_ALL = 1_000_000


@dataclass(eq=False)
class PlanSearch:
    """The best plan found among the sites of ``rows``, at most ``most`` of them open.

    ``cost`` and ``sites`` are those of the best plan; ``rounds`` counts the shakes so far, and numbers their seeds.
    """

    rows: Rows
    most: int
    seed: int = 0
    cost: float = np.inf
    sites: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    rounds: int = 0

    def __post_init__(self) -> None:
        self._state: Swaps = build_swaps(self.rows, self.most)

    def start(self) -> None:
        """Open sites one by one, each the best, then swap."""
        count_all(self.rows, self._state)
        descend(self.rows, self._state, self.most, self.most)
        count_all(self.rows, self._state)  # the first sites are valued from "nobody is served": drop what was rounded
        descend(self.rows, self._state, self.most, _ALL)
        self._keep()

    def open_sites(self, sites: Ints) -> None:
        """Start again from the sites given, and swap."""
        set_open(self.rows, self._state, np.asarray(sites, np.int64)[: self.most])
        descend(self.rows, self._state, self.most, _ALL)
        self._keep()

    def shake(self, rounds: int) -> None:
        """Shake the plan that stands and swap again, so many times, each from the best so far."""
        if self._state.n_open[0] == 0 or self._state.n_open[0] >= len(self.rows.fixed):
            return
        set_open(self.rows, self._state, self._state.opened[: self._state.n_open[0]].astype(np.int64))
        shake_and_descend(
            self.rows, self._state, self.most, rounds, _STRENGTH, _PATIENCE, self.seed + 7919 * self.rounds
        )
        self.rounds += rounds
        self._keep()

    def read_prices(self) -> Floats:
        """Return prices of the rows to start a bound from: half way between the nearest open site and the next."""
        state, rows = self._state, self.rows
        dearest = rows.value[np.arange(len(rows.reach)), rows.reach - 1]
        prices: Floats = np.minimum((state.least + state.next_least) / 2, dearest)
        return prices

    def _keep(self) -> None:
        """Remember the plan that stands if it is the best."""
        cost = total_cost(self.rows, self._state)
        if cost < self.cost:
            self.cost = cost
            self.sites = np.sort(self._state.opened[: self._state.n_open[0]]).astype(np.int64)
