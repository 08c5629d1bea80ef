"""Kernels of :mod:`geodata.raster_coverage`: how much of each raster cell lies in a polygon, exactly.

Every edge of a polygon adds, in each row of cells that it crosses, its signed height to the cells on its right, and to
the cell in which it runs the part of that height that lies to its right. Sums from left to right then give the share of
each cell inside. (The area form of Green's theorem, as renderers of type use it: one visit for each cell on the
boundary, and one addition for each cell of the bounding box.)
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"

TINY = 1e-9
"""Shares nearer than this to 0 or 1 are 0 or 1: below what adding up coordinates leaves exact."""
RUN_CELLS = 512
"""So many cells are added up in the type of the raster, see :func:`add_covered`."""
BAND_CELLS = 50_000
"""So many cells of the grid are kept near, see :func:`add_covered`."""
BUFFER_CELLS = 1 << 20
"""Polygons are laid in bands of rows of at most about this many cells."""


@njit(cache=True, nogil=True)
def _lay_piece(height: Array, row: int, width: int, start: float, stop: float, rise: float) -> None:
    """Lay the part of an edge inside one row: it runs from column ``start`` to ``stop`` and is ``rise`` high."""
    low, high = min(start, stop), max(start, stop)
    if high <= 0.0:
        height[row, 0] += rise
        return
    if low >= width:
        return
    column = int(np.floor(low))
    if high <= column + 1:
        middle = 0.5 * (low + high) - column
        height[row, column] += rise * (1.0 - middle)
        height[row, column + 1] += rise * middle
        return
    steepness = rise / (high - low)
    if low < 0.0:
        height[row, 0] -= steepness * low
        low = 0.0
    high = min(high, float(width))
    column = int(low)
    while low < high:
        right = min(column + 1.0, high)
        part = steepness * (right - low)
        middle = 0.5 * (low + right) - column
        height[row, column] += part * (1.0 - middle)
        height[row, column + 1] += part * middle
        low = right
        column += 1


@njit(cache=True, nogil=True)
def _lay_edge(height: Array, rows: int, width: int, x0: float, y0: float, x1: float, y1: float) -> None:
    """Lay one edge into a band of ``rows`` × ``width`` cells; coordinates in cells from the band's upper left."""
    if y0 == y1:
        return
    sign = 1.0
    if y0 > y1:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
    if y1 <= 0.0 or y0 >= rows:
        return
    slope = (x1 - x0) / (y1 - y0)
    low, high = max(y0, 0.0), min(y1, float(rows))
    x = x0 + (low - y0) * slope
    row = int(low)
    while low < high:
        below = min(row + 1.0, high)
        next_x = x1 if below == y1 else x0 + (below - y0) * slope
        _lay_piece(height, row, width, x, next_x, sign * (below - low))
        low, x = below, next_x
        row += 1


@njit(cache=True, nogil=True)
def lay_polygons(
    xy: Array,
    ring_start: Array,
    part_start: Array,
    shape: tuple[int, int],
    cells: tuple[Array, Array, Array],
    runs: tuple[Array, Array, Array],
    fill: bool,
) -> tuple[int, int]:
    """Find the cells that each polygon covers; return how many partly covered cells and full runs there are.

    ``xy`` holds columns and rows of the corners (float64, (n, 2)) of rings ``ring_start[k]:ring_start[k + 1]``; part
    ``p`` has the rings ``part_start[p]:part_start[p + 1]``, outer rings clockwise as rows grow downwards. With ``fill``
    the answer is written: ``cells`` = part, position, share of each partly covered cell; ``runs`` = part, first and
    last + 1 position of neighbours in a row that are covered wholly.
    """
    n_rows, n_columns = shape
    height = np.zeros(2)
    n_cells = n_runs = 0
    for part in range(len(part_start) - 1):
        first, last = ring_start[part_start[part]], ring_start[part_start[part + 1]]
        if first == last:
            continue
        left = max(int(np.floor(xy[first:last, 0].min())), 0)
        right = min(int(np.ceil(xy[first:last, 0].max())), n_columns)
        top = max(int(np.floor(xy[first:last, 1].min())), 0)
        bottom = min(int(np.ceil(xy[first:last, 1].max())), n_rows)
        width = right - left
        if width <= 0 or bottom <= top:
            continue
        band_rows = min(max(BUFFER_CELLS // (width + 1), 1), bottom - top)
        if len(height) < band_rows * (width + 1):
            height = np.zeros(band_rows * (width + 1))
        for band in range(top, bottom, band_rows):
            rows = min(band_rows, bottom - band)
            sheet = height[: rows * (width + 1)].reshape(rows, width + 1)
            sheet[:] = 0.0
            for ring in range(part_start[part], part_start[part + 1]):
                for corner in range(ring_start[ring], ring_start[ring + 1] - 1):
                    _lay_edge(
                        sheet,
                        rows,
                        width,
                        xy[corner, 0] - left,
                        xy[corner, 1] - band,
                        xy[corner + 1, 0] - left,
                        xy[corner + 1, 1] - band,
                    )
            for row in range(rows):
                place = (band + row) * n_columns + left
                n_cells, n_runs = _list_row(sheet[row], width, part, place, cells, runs, n_cells, n_runs, fill)
    return n_cells, n_runs


@njit(cache=True, nogil=True)
def _list_row(
    height: Array,
    width: int,
    part: int,
    place: int,
    cells: tuple[Array, Array, Array],
    runs: tuple[Array, Array, Array],
    n_cells: int,
    n_runs: int,
    fill: bool,
) -> tuple[int, int]:
    """Add up one row from the left and list its covered cells; ``place`` is the position of its first cell."""
    total = 0.0
    run = -1
    for column in range(width):
        total += height[column]
        if total > 1.0 - TINY:
            if run < 0:
                run = column
            continue
        if run >= 0:
            if fill:
                runs[0][n_runs], runs[1][n_runs], runs[2][n_runs] = part, place + run, place + column
            n_runs += 1
            run = -1
        if total > TINY:
            if fill:
                cells[0][n_cells], cells[1][n_cells], cells[2][n_cells] = part, place + column, total
            n_cells += 1
    if run >= 0:
        if fill:
            runs[0][n_runs], runs[1][n_runs], runs[2][n_runs] = part, place + run, place + width
        n_runs += 1
    return n_cells, n_runs


@njit(cache=True, nogil=True)
def _add_neighbours(values: Array, first: int, last: int, zero: Any) -> Any:
    """Return the sum of neighbouring values in the type of ``zero``, in eight lanes: additions need not wait."""
    a = b = c = d = e = f = g = h = zero
    place = first
    while place < last - 7:
        at = np.uint64(place)  # unsigned: no test for a place counted from the end
        a += values[at]
        b += values[at + np.uint64(1)]
        c += values[at + np.uint64(2)]
        d += values[at + np.uint64(3)]
        e += values[at + np.uint64(4)]
        f += values[at + np.uint64(5)]
        g += values[at + np.uint64(6)]
        h += values[at + np.uint64(7)]
        place += 8
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    while place < last:
        total += values[np.uint64(place)]
        place += 1
    return total


@njit(cache=True, nogil=True)
def add_covered(
    values: Array, zero: Any, cells: tuple[Array, Array, Array], runs: tuple[Array, Array, Array], total: Array
) -> None:
    """Add to ``total`` (per unit) the values that lie in it; NaN counts as nothing. ``values`` are flat.

    ``cells``: unit, position and share of partly covered cells; ``runs``: unit, start and stop of runs of whole cells;
    both in the order of the grid. They are gone through side by side, :data:`BAND_CELLS` of the grid at a time, so that
    values come from the main memory once. Up to :data:`RUN_CELLS` cells of a run are added in the type of ``zero``, and
    those sums in float64: of so few numbers, in eight lanes, float32 keeps six digits and more.
    """
    unit, cell, share = cells
    run_unit, run_start, run_stop = runs
    number = run = 0
    limit = 0
    while number < len(cell) or run < len(run_start):
        limit += BAND_CELLS
        while run < len(run_start) and run_start[run] < limit:
            first, stop = run_start[run], run_stop[run]
            while first < stop:
                last = min(first + RUN_CELLS, stop)
                piece = _add_neighbours(values, first, last, zero)
                if piece != piece:  # some are not known: rare, so only then each is asked
                    piece = zero
                    for value in values[first:last]:
                        piece += value if value == value else zero
                total[np.uint64(run_unit[run])] += piece
                first = last
            run += 1
        while number < len(cell) and cell[number] < limit:
            value = values[np.uint64(cell[number])]
            total[np.uint64(unit[number])] += share[number] * value if value == value else 0.0
            number += 1


@njit(cache=True, nogil=True)
def add_pieces(values: Array, low: Array, high: Array, total: Array) -> None:
    """Write to ``total`` (per piece) the values from ``low`` up to, but not with, ``high``."""
    for piece in range(len(low)):
        total[piece] = 0.0
        for value in values[low[piece] : high[piece]]:
            total[piece] += value


@njit(cache=True, nogil=True)
def find_offsets(weight: Array, cells: Array, low: Array, high: Array, offset: Array) -> None:
    """Write to ``offset`` (per piece) how many cells to the right of its first the middle of its weight lies."""
    for piece in range(len(low)):
        total = moment = 0.0
        for place in range(low[piece], high[piece]):
            total += weight[place]
            moment += weight[place] * (cells[place] - cells[low[piece]])
        offset[piece] = moment / total if total > 0.0 else 0.0


@njit(cache=True, nogil=True)
def cover_cells(source: Array, share: Array, low: Array, high: Array, covered: Array) -> None:
    """Add to ``covered`` (per cell) the shares of partly covered cells, and one for each cell of a piece."""
    for number in range(len(source)):
        covered[source[number]] += share[number]
    for piece in range(len(low)):
        covered[low[piece] : high[piece]] += 1.0
