"""The nearest road piece to a point, by numba kernels over a grid of cells.

A shapely tree of a million lines takes seconds to build and a quarter of a gigabyte; travel needs neither. Each cell
lists the pieces that pass through it. Around a point the cells are looked at ring by ring, until everything not yet
looked at is farther than the best piece found. Where the roads are far away, coarser grids take over, so that empty
land is crossed in few steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from geodata.study import FrozenArrays

Array: TypeAlias = "np.ndarray[Any, Any]"

_RINGS = 6  # looked at in one grid before the next coarser one takes over
_COARSER = 4
_MOST_CELLS = 2  # cells per piece, at most


@dataclass(frozen=True, eq=False)
class SnapGrid(FrozenArrays):
    """Cells of ``side_m`` from ``x_m``, ``y_m`` on; ``pieces[first[c]:first[c+1]]`` pass through cell ``c``."""

    x_m: float
    y_m: float
    side_m: float
    columns: int
    rows: int
    first: npt.NDArray[np.int32]
    pieces: npt.NDArray[np.int32]


class SnapGrids:
    """Grids over pieces, from fine to coarse; the coarse ones are built when a point far from all roads asks."""

    def __init__(self, ends: tuple[Array, Array, Array, Array]) -> None:
        tail_x, tail_y, head_x, head_y = ends
        self.ends = ends
        self.low = float(min(tail_x.min(), head_x.min())), float(min(tail_y.min(), head_y.min()))
        high = float(max(tail_x.max(), head_x.max())), float(max(tail_y.max(), head_y.max()))
        self.size = high[0] - self.low[0], high[1] - self.low[1]
        least = max(*self.size, 1.0) / 30_000.0
        area = max(self.size[0], 1.0) * max(self.size[1], 1.0)
        sides = [max(float(np.sqrt(area / (_MOST_CELLS * len(tail_x)))), least)]
        while max(self.size) / sides[-1] >= 2 * _RINGS:
            sides.append(sides[-1] * _COARSER)
        self.sides = tuple(sides)
        self._built: dict[int, SnapGrid] = {}

    def open_level(self, level: int) -> SnapGrid:
        """Return the grid of a level, 0 = the finest."""
        if level not in self._built:
            side = self.sides[level]
            columns, rows = int(self.size[0] / side) + 1, int(self.size[1] / side) + 1
            first, pieces = _list_pieces(self.ends, *self.low, side, columns, rows)
            self._built[level] = SnapGrid(*self.low, side, columns, rows, first, pieces)
        return self._built[level]


def build_snap_grids(ends: tuple[Array, Array, Array, Array]) -> SnapGrids:
    """Return grids over pieces: x and y of tails, x and y of heads."""
    grids = SnapGrids(ends)
    grids.open_level(0)
    return grids


def find_nearest_pieces(grids: SnapGrids, ends: tuple[Array, Array, Array, Array], x: Array, y: Array) -> Array:
    """Return the number of the nearest piece to each point; of equally near ones the first."""
    best = np.full(len(x), -1, dtype=np.int32)
    away = np.full(len(x), np.inf)
    sure = np.zeros(len(x), dtype=np.bool_)
    for level in range(len(grids.sides)):
        grid = grids.open_level(level)
        rings = _RINGS if level + 1 < len(grids.sides) else max(grid.columns, grid.rows)
        place = (grid.x_m, grid.y_m, grid.side_m, grid.columns, grid.rows)
        _look_around(place, grid.first, grid.pieces, ends, x, y, rings, best, away, sure)
        if sure.all():
            break
    return best


@njit(cache=True, nogil=True)
def _span(low: float, high: float, origin: float, side: float, count: int) -> tuple[int, int]:
    """Return the first and last cell that a stretch reaches, a hair's breadth more on both sides."""
    hair = 1e-6 * side
    first = int(np.floor((low - hair - origin) / side))
    last = int(np.floor((high + hair - origin) / side))
    return max(min(first, count - 1), 0), max(min(last, count - 1), 0)


@njit(cache=True, nogil=True)
def _list_pieces(
    ends: tuple[Array, Array, Array, Array], x_m: float, y_m: float, side: float, columns: int, rows: int
) -> tuple[Array, Array]:
    """Return the pieces of each cell: first, pieces."""
    tail_x, tail_y, head_x, head_y = ends
    first = np.zeros(columns * rows + 1, dtype=np.int32)
    pieces = np.empty(0, dtype=np.int32)
    for turn in range(2):  # count, then write
        for piece in range(len(tail_x)):
            ax, ay, bx, by = tail_x[piece], tail_y[piece], head_x[piece], head_y[piece]
            if ay > by:
                ax, ay, bx, by = bx, by, ax, ay
            low_row, high_row = _span(ay, by, y_m, side, rows)
            for row in range(low_row, high_row + 1):
                enter, leave = ax, bx
                if low_row < high_row:
                    below = (y_m + (row - 1e-6) * side - ay) / (by - ay)
                    above = (y_m + (row + 1 + 1e-6) * side - ay) / (by - ay)
                    enter = ax + min(max(below, 0.0), 1.0) * (bx - ax)
                    leave = ax + min(max(above, 0.0), 1.0) * (bx - ax)
                low_column, high_column = _span(min(enter, leave), max(enter, leave), x_m, side, columns)
                for column in range(low_column, high_column + 1):
                    cell = row * columns + column
                    if turn == 0:
                        first[cell + 1] += 1
                    else:
                        pieces[first[cell]] = piece
                        first[cell] += 1
        if turn == 0:
            for cell in range(columns * rows):
                first[cell + 1] += first[cell]
            pieces = np.empty(first[-1], dtype=np.int32)
        else:
            for cell in range(columns * rows, 0, -1):
                first[cell] = first[cell - 1]
            first[0] = 0
    return first, pieces


@njit(cache=True, nogil=True)
def _measure_square(ends: tuple[Array, Array, Array, Array], piece: int, x: float, y: float) -> float:
    """Return the squared distance from a point to a piece."""
    ax, ay = ends[0][piece], ends[1][piece]
    step_x, step_y = ends[2][piece] - ax, ends[3][piece] - ay
    square = max(step_x * step_x + step_y * step_y, 1e-12)
    share = min(max(((x - ax) * step_x + (y - ay) * step_y) / square, 0.0), 1.0)
    off_x, off_y = ax + share * step_x - x, ay + share * step_y - y
    return float(off_x * off_x + off_y * off_y)


@njit(cache=True, nogil=True)
def _look_around(
    place: tuple[float, float, float, int, int],
    first: Array,
    pieces: Array,
    ends: tuple[Array, Array, Array, Array],
    x: Array,
    y: Array,
    rings: int,
    best: Array,
    away: Array,
    sure: Array,
) -> None:
    """Look at the cells around every point that has no sure answer yet; ``away`` holds squared distances."""
    x_m, y_m, side, columns, rows = place
    for point in range(len(x)):
        if sure[point]:
            continue
        at_x, at_y = x[point], y[point]
        own_column = int(min(max((at_x - x_m) / side, 0.0), columns - 1.0))
        own_row = int(min(max((at_y - y_m) / side, 0.0), rows - 1.0))
        for ring in range(rings + 1):
            low_row, high_row = max(own_row - ring, 0), min(own_row + ring, rows - 1)
            low_column, high_column = max(own_column - ring, 0), min(own_column + ring, columns - 1)
            for row in range(low_row, high_row + 1):
                edge_row = abs(row - own_row) == ring
                column = low_column
                while column <= high_column:
                    if not edge_row and abs(column - own_column) < ring:  # looked at before
                        column = own_column + ring
                        continue
                    cell = row * columns + column
                    for spot in range(first[cell], first[cell + 1]):
                        square = _measure_square(ends, pieces[spot], at_x, at_y)
                        if square < away[point] or (square == away[point] and pieces[spot] < best[point]):
                            away[point] = square
                            best[point] = pieces[spot]
                    column += 1
            bound = np.inf  # the least distance to what has not been looked at
            if low_column > 0:
                bound = min(bound, at_x - (x_m + low_column * side))
            if high_column < columns - 1:
                bound = min(bound, x_m + (high_column + 1) * side - at_x)
            if low_row > 0:
                bound = min(bound, at_y - (y_m + low_row * side))
            if high_row < rows - 1:
                bound = min(bound, y_m + (high_row + 1) * side - at_y)
            if bound == np.inf or (bound > 0.0 and away[point] < bound * bound):
                sure[point] = True
                break
