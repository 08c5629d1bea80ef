"""The grid of a raster: rows and columns with north up, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = "npt.NDArray[np.integer[Any]]"
"""Positions of cells, counted row by row from the north-west, from 0."""


@dataclass(frozen=True)
class RasterGrid:
    """Rows and columns of cells: ``bounds`` (west, south, east, north) in the CRS ``crs_wkt``.

    A window of a larger file begins at that file's row ``first_row`` and column ``first_column``.
    """

    shape: tuple[int, int]
    bounds: tuple[float, float, float, float]
    crs_wkt: str
    first_row: int = 0
    first_column: int = 0

    @property
    def cell_size(self) -> tuple[float, float]:
        """Width and height of a cell, in units of the grid's CRS."""
        west, south, east, north = self.bounds
        return (east - west) / self.shape[1], (north - south) / self.shape[0]

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.shape[0] * self.shape[1]

    def list_middles(self, cells: Places) -> tuple[Floats, Floats]:
        """Return the coordinates of the middles of cells, in the grid's CRS."""
        width, height = self.cell_size
        row, column = np.divmod(cells, self.shape[1])
        return self.bounds[0] + (column + 0.5) * width, self.bounds[3] - (row + 0.5) * height

    def list_boxes(self, first: Places, last: Places) -> tuple[Floats, Floats, Floats, Floats]:
        """Return west, south, east, north of boxes, from the north-west cell ``first`` to the south-east ``last``."""
        width, height = self.cell_size
        (top, left), (bottom, right) = np.divmod(first, self.shape[1]), np.divmod(last, self.shape[1])
        west, east = self.bounds[0] + left * width, self.bounds[0] + (right + 1) * width
        south, north = self.bounds[3] - (bottom + 1) * height, self.bounds[3] - top * height
        return tuple(np.asarray(side, dtype=np.float64) for side in (west, south, east, north))  # type: ignore[return-value]
