"""What a search for the best sites knows: the best plan, the proven bound, and when it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from planning.certificate import OPTIMAL_GAP_SHARE
from planning.solvers.p_median_kernels import Array
from planning.solvers.p_median_rows import OPEN, Bound, settle_sites
from planning.solvers.problems import Ints
from planning.solvers.siting_highs import Watch

_TIGHT = OPTIMAL_GAP_SHARE / 20
_WHOLE_BELOW = 1e7


@dataclass(eq=False)
class Search:
    """The state of one search.

    ``cost`` and ``sites`` (positions in the problem) are the best plan, ``bound`` what is proven for all plans.
    ``numbers`` (kept sites,): position in the problem of every site still looked at; ``marks`` (kept sites,): which
    of them are open, closed or free in any plan that beats ``cutoff``. ``whole``: all costs are whole numbers.
    """

    most: int
    whole: bool
    gap_share: float
    seed: int
    watch: Watch
    numbers: Ints
    marks: Array
    cost: float = np.inf
    bound: float = 0.0
    sites: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def cutoff(self) -> float:
        """Only plans that cost less are still sought: all others count as no better than the best."""
        cutoff = self.cost - _TIGHT * abs(self.cost)
        if self.whole and self.cost < _WHOLE_BELOW:
            cutoff = min(cutoff, self.cost - 0.95)
        return cutoff

    @property
    def done(self) -> bool:
        """Whether the gap is closed, or small enough."""
        return self.cost - self.bound <= max(self.gap_share, 2 * _TIGHT) * abs(self.cost)

    def is_over(self) -> bool:
        """Whether the search ends: done, or the time is up."""
        return self.done or self.watch.late

    def offer_plan(self, cost: float, sites: Ints) -> None:
        """Keep a plan (sites as positions among the kept ones) if it is better."""
        if cost < self.cost:
            self.cost, self.sites = cost, self.numbers[sites]

    def raise_bound(self, bound: float) -> None:
        """Keep a proven bound if it is better; of whole costs, the next whole number. Never above the plan."""
        if self.whole and self.cost < _WHOLE_BELOW:
            bound = float(np.ceil(bound - 0.04))
        self.bound = min(max(self.bound, bound), self.cost)

    def settle(self, bound: Bound) -> None:
        """Close the sites that the bound rules out, and open those that it demands."""
        self.marks = settle_sites(bound, self.most, self.cutoff, self.marks)

    def keep(self, kept: Ints) -> None:
        """Look only at the sites kept (positions among those looked at so far)."""
        self.numbers, self.marks = self.numbers[kept], self.marks[kept]

    @property
    def n_settled_open(self) -> int:
        """Number of sites open in every better plan."""
        return int((self.marks == OPEN).sum())
