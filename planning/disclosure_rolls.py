"""Small rolls hidden. Rolls are tied by the sums of the county, and because a roll goes where the children go.

Of a school that closes with seven children the receiving school has seven more: so rolls before and after are looked
at together, each roll after as the sum of the parts of the rolls before that the model sends there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from planning.disclosure_hide import MOST_ROUNDS, build_puzzle

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

TRANSFER_COLUMNS = ("school_from", "school_to", "share")
SMALL_SHARE = 0.005


def choose_hidden_rolls(
    schools: pd.DataFrame, transfers: pd.DataFrame, threshold: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which rolls are hidden because they are small, and which with them: arrays (schools, before and after).

    Parameters
    ----------
    schools
        ``school_id``, ``roll_before``, ``roll_after`` of one stage, whole numbers, NaN = unknown.
    transfers
        ``TRANSFER_COLUMNS``: the share of a school's children who are at which school afterwards.
    """
    rolls = schools[["roll_before", "roll_after"]].to_numpy(dtype=np.float64)
    value = np.nan_to_num(rolls.ravel())
    small = (value > 0) & (value < threshold)
    hidden = small.copy()
    matrix = _build_ties(schools, rolls, transfers)
    for _ in range(MOST_ROUNDS):
        _hide_by_rows(matrix, value, hidden)
        found = _find_readable(matrix, value, hidden, threshold)
        if not found:
            break
        hidden[found] = True
    shape = rolls.shape
    return small.reshape(shape), (hidden & ~small).reshape(shape)


def _build_ties(schools: pd.DataFrame, rolls: Floats, transfers: pd.DataFrame) -> sparse.csr_matrix:
    """Return the equations between rolls (columns: before and after of every school), up to a known constant."""
    n = len(rolls)
    known = np.isfinite(rolls) & (rolls > 0)
    rows: list[dict[int, float]] = [
        {2 * at + side: 1.0 for at in np.flatnonzero(known[:, side]).tolist()} for side in (0, 1)
    ]
    place = {str(key): at for at, key in enumerate(schools["school_id"])}
    incoming: dict[int, dict[int, float]] = {}
    for start, end, share in transfers[list(TRANSFER_COLUMNS)].itertuples(index=False):
        if start in place and end in place and share > SMALL_SHARE:
            incoming.setdefault(place[end], {})[place[start]] = float(share)
    for at in np.flatnonzero(known[:, 1]).tolist():
        if known[at, 0] and rolls[at, 0] == rolls[at, 1]:
            rows.append({2 * at + 1: 1.0, 2 * at: -1.0})
        elif at in incoming:
            parts = {2 * start: -share for start, share in incoming[at].items() if known[start, 0]}
            rows.append({2 * at + 1: 1.0, **parts})
    triples = [(number, column, value) for number, row in enumerate(rows) for column, value in row.items()]
    if not triples:
        return sparse.csr_matrix((0, 2 * n))
    numbers, columns, values = (np.array(part) for part in zip(*triples, strict=True))
    place_of = numbers.astype(np.int64), columns.astype(np.int64)
    return sparse.csr_matrix((values, place_of), shape=(len(rows), 2 * n))


def _hide_by_rows(matrix: sparse.csr_matrix, value: Floats, hidden: Bools) -> None:
    """Hide a second one wherever a single roll of an equation is hidden; changes ``hidden``."""
    for _ in range(len(hidden) + 1):
        count = np.asarray((matrix != 0) @ hidden.astype(np.float64)).ravel()
        alone = np.flatnonzero(count == 1)
        changed = False
        for row in alone.tolist():
            columns = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
            free = columns[~hidden[columns] & (value[columns] > 0)]
            if len(free) and hidden[columns].sum() == 1:
                hidden[free[np.lexsort((free, value[free]))[0]]] = True
                changed = True
        if not changed:
            return


def _find_readable(matrix: sparse.csr_matrix, value: Floats, hidden: Bools, threshold: int) -> list[int]:
    """Return what to hide beside the rolls that can be narrowed below the threshold."""
    columns = np.flatnonzero(hidden)
    if not len(columns) or not matrix.shape[0]:
        return []
    puzzle = build_puzzle(matrix[:, columns].tocsr(), np.arange(matrix.shape[0]), value[columns])
    if puzzle is None:
        return []
    found: set[int] = set()
    for at in range(len(columns)):
        least, largest, held = puzzle.ask(np.array([at]))
        if least >= threshold - 1e-6 or largest - least >= threshold - 1e-6:
            continue
        near = np.unique(np.concatenate([matrix.indices[matrix.indptr[r] : matrix.indptr[r + 1]] for r in held]))
        free = near[~hidden[near] & (value[near] > 0)]
        if len(free):
            found.add(int(free[np.lexsort((free, value[free]))[0]]))
    return sorted(found)
