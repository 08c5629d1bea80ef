"""The linear relaxation by cuts: how much a row costs at least, given the shares of sites that are open.

With shares ``y`` of the sites and the cost ``theta`` of every row, the relaxation is: minimise ``fixed @ y +
sum(theta)`` with, for every row and every level ``d``, ``theta >= d - sum((d - cost) * y of the sites cheaper than
d)``. Of these cuts the one that a plan violates most is read off the sorted row (G. Cornuejols, G. L. Nemhauser,
L. A. Wolsey, 1980; C. Duran-Mateluna, Z. Ales, S. Elloumi, *An efficient Benders decomposition for the p-median
problem*, European Journal of Operational Research 308, 2023). The bound is not taken from the solver: its duals give
prices of the rows (the mean level of the cuts of a row), whose Lagrangian bound is at least as good, and exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from planning.solvers.highs import open_highs
from planning.solvers.p_median_kernels import Array, Rows, count_cheaper, fill_cuts, find_least, find_levels, find_steps
from planning.solvers.p_median_rows import CLOSED, OPEN
from planning.solvers.problems import Floats, Ints
from planning.solvers.siting_highs import Watch, run_watched

_VIOLATED = 1e-6


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Shares of the sites (sites,) at the optimum of the relaxation, and prices of the rows (rows,) that prove it."""

    share: Floats
    prices: Floats


class CutProgramme:
    """The relaxation over ``rows`` with the cuts found so far; cuts stay valid whatever sites are opened or closed.

    Parameters
    ----------
    most : at most so many sites are open
    prices, share : shape (rows,), (sites,)
        From the Lagrangian bound: they say which cuts to start with.
    """

    def __init__(self, rows: Rows, most: int, prices: Floats, share: Floats) -> None:
        self.rows, self.most = rows, most
        self._row: Ints = np.zeros(0, np.int64)
        self._level: Floats = np.zeros(0)
        self._least = find_least(rows)
        self.model = self._build_model()
        every = np.arange(len(self._least))
        below, above, level, cost = (np.empty(len(every)) for _ in range(4))
        find_steps(rows, prices, below, above)
        find_levels(rows, share, level, cost)
        pairs = np.unique(np.stack([np.tile(every, 3), np.concatenate([below, above, level])], axis=1), axis=0)
        useful = pairs[:, 1] > self._least[pairs[:, 0].astype(np.int64)]
        self._add_cuts(pairs[useful, 0].astype(np.int64), pairs[useful, 1])

    @property
    def n_cuts(self) -> int:
        """Number of cuts so far."""
        return len(self._row)

    def _build_model(self) -> Any:
        n_rows, n_sites = len(self._least), len(self.rows.fixed)
        model = open_highs(presolve=False)
        model.setOptionValue("solver", "simplex")
        most, columns = np.inf, np.arange(n_sites + n_rows, dtype=np.int32)
        lower = np.concatenate([np.zeros(n_sites), self._least])
        model.addVars(n_sites + n_rows, lower, np.concatenate([np.ones(n_sites), np.full(n_rows, most)]))
        model.changeColsCost(len(columns), columns, np.concatenate([self.rows.fixed, np.ones(n_rows)]))
        model.addRow(0.0, float(self.most), n_sites, columns[:n_sites], np.ones(n_sites))
        return model

    def _add_cuts(self, row: Ints, level: Floats) -> None:
        count = count_cheaper(self.rows, row, level) + 1
        start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        column, value = np.empty(start[-1], np.int32), np.empty(start[-1])
        fill_cuts(self.rows, row, level, start, column, value)
        above = np.full(len(row), np.inf)
        self.model.addRows(len(row), level, above, len(column), start[:-1].astype(np.int32), column, value)
        self._row, self._level = np.append(self._row, row), np.append(self._level, level)

    def solve(self, marks: Array, rounds: int, watch: Watch) -> Relaxed | None:
        """Solve with the sites marked open, closed or free, adding cuts ``rounds`` times at most.

        None where time has run out before the first solution.
        """
        n_sites = len(marks)
        lower, upper = (marks == OPEN).astype(float), (marks != CLOSED).astype(float)
        self.model.changeColsBounds(n_sites, np.arange(n_sites, dtype=np.int32), lower, upper)
        level, cost = np.empty(len(self._least)), np.empty(len(self._least))
        relaxed = None
        for number in range(rounds):
            run_watched(self.model, watch)
            if not self._is_optimal():
                break
            solution = self.model.getSolution()
            columns = np.array(solution.col_value)
            share = np.clip(columns[:n_sites], 0.0, 1.0)
            relaxed = Relaxed(share, self._read_prices(np.array(solution.row_dual)[1:]))
            find_levels(self.rows, share, level, cost)
            tolerance = _VIOLATED * np.maximum(np.abs(cost), np.abs(cost).mean())
            violated = np.flatnonzero(cost - columns[n_sites:] > tolerance)
            if len(violated) == 0 or number == rounds - 1:
                break
            self._add_cuts(violated, level[violated])
        return relaxed

    def _is_optimal(self) -> bool:
        import highspy

        return bool(self.model.getModelStatus() == highspy.HighsModelStatus.kOptimal)

    def _read_prices(self, dual: Floats) -> Floats:
        """Return the mean level of the cuts of each row, weighted by their duals; the rest is the least cost."""
        weight = np.bincount(self._row, weights=dual, minlength=len(self._least))
        mean = np.bincount(self._row, weights=dual * self._level, minlength=len(self._least))
        prices: Floats = np.clip(mean + (1.0 - weight) * self._least, self._least, self.rows.ceiling)
        return prices
