"""Between which bounds a count lies that is not published: linear programs over what is.

    A x = b,  x >= 0,   find  min w x  and  max w x   for many w

``A`` says of which unknown cells every published count is the sum, ``b`` how many are left when the known cells are
taken away. One model is kept and only its costs change, so that every answer starts from the one before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from geodata.errors import SolverError
from planning.solvers.highs import open_highs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TIGHT = 1e-7


class CountRanges:
    """Bounds of sums of unknown cells, given published sums of them."""

    def __init__(self, matrix: sparse.csr_matrix, values: Floats) -> None:
        """``matrix`` (rows, cells), ``values`` (rows): ``matrix @ x = values`` has a solution ``x >= 0``."""
        import highspy

        n_rows, n_columns = matrix.shape
        columns = matrix.tocsc()
        self.n_columns = n_columns
        self.model: Any = open_highs(presolve=False)
        problem = highspy.HighsLp()
        problem.num_col_, problem.num_row_ = n_columns, n_rows
        problem.col_cost_ = np.zeros(n_columns)
        problem.col_lower_, problem.col_upper_ = np.zeros(n_columns), np.full(n_columns, highspy.kHighsInf)
        problem.row_lower_, problem.row_upper_ = values.astype(np.float64), values.astype(np.float64)
        problem.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        problem.a_matrix_.start_ = columns.indptr.astype(np.int32)
        problem.a_matrix_.index_ = columns.indices.astype(np.int32)
        problem.a_matrix_.value_ = columns.data.astype(np.float64)
        self.model.passModel(problem)
        self.optimal = highspy.HighsModelStatus.kOptimal
        self.unbounded = (
            highspy.HighsModelStatus.kUnbounded,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        )

    def find_bound(self, weights: Floats, *, largest: bool) -> tuple[float, Ints]:
        """Return the least (or largest) sum ``weights @ x``, and the rows that hold it there; infinite: no rows.

        Raises
        ------
        SolverError
            The rows contradict each other.
        """
        sign = -1.0 if largest else 1.0
        at = np.arange(self.n_columns, dtype=np.int32)
        self.model.changeColsCost(self.n_columns, at, sign * weights)
        self.model.run()
        status = self.model.getModelStatus()
        if status in self.unbounded:
            return float("inf"), np.empty(0, dtype=np.int64)
        if status != self.optimal:
            raise SolverError(f"counts contradict each other ({status})")
        dual = np.asarray(self.model.getSolution().row_dual, dtype=np.float64)
        value = sign * float(self.model.getInfo().objective_function_value)
        return value, np.flatnonzero(np.abs(dual) > TIGHT)
