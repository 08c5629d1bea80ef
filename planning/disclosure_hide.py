"""Which counts to hide: the small ones, and as few of the others as keep them so.

First by sums (complementary suppression): in every sum that is published, either nothing is hidden, or at least two
counts that are together at least the threshold. Then by linear programs: what can be worked out from **all** published
sums together. A count that could still be narrowed below the threshold has more hidden around it, until none is left.

Two readers are guarded against. One knows the published sums only. The other knows as well how the model splits the
children of a community between schools (the shares are published), so for this one a hidden community is one unknown
number, and a shown community with all its parts is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse

from planning.disclosure_counts import CountSystem
from planning.solvers.count_ranges import CountRanges

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MOST_CELLS = 6_000
MOST_QUESTIONS = 1_500
"""Beyond these sizes sums alone decide; the disclosure check still looks at all of them together."""
MOST_ROUNDS = 400


def choose_hidden(system: CountSystem, threshold: int) -> tuple[Bools, Bools]:
    """Return by group which counts are hidden because they are small, and which others with them."""
    small = (system.value > 0) & (system.value < threshold) & ~system.fixed
    hidden = small.copy()
    units, sums = _Answers(threshold), _Answers(threshold)
    for _ in range(MOST_ROUNDS):
        _hide_by_sums(system, hidden, threshold)
        found = [*_find_readable_units(system, hidden, units), *_find_readable_sums(system, hidden, small, sums)]
        if not found:
            break
        for number in found:
            hidden[number] = True
    return small, hidden & ~small


@dataclass(eq=False)
class _Answers:
    """Counts that were found to be wide enough: hiding more can only widen them, so they are not asked again."""

    threshold: int
    wide: set[int] = field(default_factory=set)


@dataclass(frozen=True, eq=False)
class _Trouble:
    """One sum in which too little is hidden, and what may be hidden beside."""

    candidates: Ints


def _hide_by_sums(system: CountSystem, hidden: Bools, threshold: int) -> None:
    """Hide more until every sum is safe; changes ``hidden``."""
    for _ in range(len(hidden) + 1):
        troubles = [*_find_sum_troubles(system, hidden, threshold), *_find_part_troubles(system, hidden, threshold)]
        troubles = [trouble for trouble in troubles if len(trouble.candidates)]
        if not troubles:
            return
        asked = np.bincount(np.concatenate([trouble.candidates for trouble in troubles]), minlength=len(hidden))
        price = system.cost / np.maximum(asked, 1)
        new: set[int] = set()
        for trouble in troubles:
            if not new & set(trouble.candidates.tolist()):
                best = np.lexsort((trouble.candidates, price[trouble.candidates]))[0]
                new.add(int(trouble.candidates[best]))
        hidden[sorted(new)] = True


def _find_sum_troubles(system: CountSystem, hidden: Bools, threshold: int) -> Iterator[_Trouble]:
    """Sums of counts: a single hidden one, or parts that are hidden and together too few."""
    for members in system.relations:
        here = hidden[members]
        count = int(here.sum())
        if count == 0:
            continue
        few = not here[0] and int(system.value[members][here].sum()) < threshold
        if count == 1 or few:
            open_ = members[~here]
            yield _Trouble(np.unique(open_[~system.fixed[open_]]))


def _find_part_troubles(system: CountSystem, hidden: Bools, threshold: int) -> Iterator[_Trouble]:
    """Shown counts that hold cells of too few hidden communities."""
    in_hidden = hidden[system.cell_unit]
    rows = np.flatnonzero(~hidden & system.shown & (system.value > 0))
    part = system.members[rows]
    touched = rows[np.asarray(part @ in_hidden.astype(np.float64)).ravel() > 0]
    for row in touched.tolist():
        cells = _list_cells(system, row)
        units, at = np.unique(system.cell_unit[cells], return_inverse=True)
        count = np.bincount(at, weights=system.cell_pupils[cells])
        closed = hidden[units]
        if closed.sum() >= 2 and count[closed].sum() >= threshold:
            continue
        others = units[~closed]
        own = [] if system.fixed[row] else [row]
        yield _Trouble(np.unique(np.concatenate([others[~system.fixed[others]], np.array(own, dtype=np.int64)])))


def _list_cells(system: CountSystem, row: int) -> Ints:
    start, end = system.members.indptr[row], system.members.indptr[row + 1]
    found: Ints = system.members.indices[start:end].astype(np.int64)
    return found


@dataclass(frozen=True, eq=False)
class Puzzle:
    """What a reader does not know: ``columns`` (unknown cells or communities) and the shown ``rows`` they stand in.

    ``kind`` of every column: those that stand in the same rows can be exchanged and are one unknown of the program.
    """

    rows: Ints
    matrix: sparse.csr_matrix
    truth: Floats
    kind: Ints
    n_kinds: int
    ranges: CountRanges

    def ask(self, own: Ints) -> tuple[float, float, Ints]:
        """Return least and largest sum of the columns ``own``, and the rows that hold it there.

        What is exchangeable with a column of ``own`` may be less or more in its place.
        """
        size = np.bincount(self.kind, minlength=self.n_kinds)
        mine = np.bincount(self.kind[own], minlength=self.n_kinds)
        largest, held = self.ranges.find_bound((mine > 0).astype(np.float64), largest=True)
        least, held_low = self.ranges.find_bound((mine == size).astype(np.float64), largest=False)
        return least, largest, np.union1d(self.rows[held], self.rows[held_low])


def build_puzzle(matrix: sparse.csr_matrix, rows: Ints, truth: Floats) -> Puzzle | None:
    """Return the puzzle of unknown columns; None where nothing shown touches them."""
    touched = np.flatnonzero(np.diff(matrix.indptr) > 0)
    if not len(touched):
        return None
    matrix, rows = matrix[touched], rows[touched]
    columns = matrix.tocsc()
    columns.sort_indices()
    known: dict[tuple[bytes, bytes], int] = {}
    kind = np.empty(matrix.shape[1], dtype=np.int64)
    for number in range(matrix.shape[1]):
        part = slice(columns.indptr[number], columns.indptr[number + 1])
        key = columns.indices[part].tobytes(), np.round(columns.data[part], 9).tobytes()
        kind[number] = known.setdefault(key, len(known))
    first = np.unique(kind, return_index=True)[1]
    values = np.asarray(matrix @ truth).ravel()
    merged = columns[:, first].tocsr()
    return Puzzle(rows, matrix, truth, kind, len(known), CountRanges(merged, values))


def _find_readable_units(system: CountSystem, hidden: Bools, known: _Answers) -> list[int]:
    """The reader who knows how communities are split: every hidden community is one unknown."""
    units = np.unique(system.cell_unit[hidden[system.cell_unit]])
    if not len(units) or len(units) > MOST_CELLS:
        return []
    rows = np.flatnonzero(~hidden & system.shown & (system.value > 0))
    cells = np.flatnonzero(hidden[system.cell_unit])
    share = system.cell_pupils[cells] / system.value[system.cell_unit[cells]]
    to_unit = sparse.csr_matrix(
        (share, (np.arange(len(cells)), np.searchsorted(units, system.cell_unit[cells]))),
        shape=(len(cells), len(units)),
    )
    puzzle = build_puzzle((system.members[rows][:, cells] @ to_unit).tocsr(), rows, system.value[units].astype(float))
    if puzzle is None:
        return []
    questions = [(int(unit), np.array([at])) for at, unit in enumerate(units) if int(unit) not in known.wide]
    return _ask_all(system, hidden, puzzle, questions, known)


def _find_readable_sums(system: CountSystem, hidden: Bools, small: Bools, known: _Answers) -> list[int]:
    """The reader of the sums: every cell is unknown that is not a whole shown community."""
    cells_of_unit = np.bincount(system.cell_unit, minlength=len(hidden))
    unknown = np.flatnonzero(hidden[system.cell_unit] | (cells_of_unit[system.cell_unit] > 1))
    is_unit = np.zeros(len(hidden), dtype=bool)
    is_unit[system.cell_unit] = True
    asked = np.flatnonzero(hidden & ~is_unit & (system.shown | small))
    asked = asked[~np.isin(asked, list(known.wide))]
    if not len(asked) or not len(unknown) or len(unknown) > MOST_CELLS or len(asked) > MOST_QUESTIONS:
        return []
    rows = np.flatnonzero(~hidden & system.shown & (system.value > 0))
    puzzle = build_puzzle(system.members[rows][:, unknown].tocsr(), rows, system.cell_pupils[unknown].astype(float))
    if puzzle is None:
        return []
    questions = []
    for number in asked.tolist():
        own = np.searchsorted(unknown, np.intersect1d(_list_cells(system, number), unknown))
        questions.append((number, own))
    return _ask_all(system, hidden, puzzle, questions, known)


def _ask_all(
    system: CountSystem, hidden: Bools, puzzle: Puzzle, questions: list[tuple[int, Ints]], known: _Answers
) -> list[int]:
    """Return what to hide beside the counts that are too narrow; those that are wide enough are noted in ``known``.

    The small counts are asked first, and the others only when all of those are wide enough.
    """
    found: set[int] = set()
    answered: dict[tuple[bytes, int], bool] = {}
    for small in (True, False):
        for number, own in [] if found else questions:
            if (system.value[number] < known.threshold) != small:
                continue
            base = int(system.value[number]) - round(float(puzzle.truth[own].sum()))
            key = np.sort(puzzle.kind[own]).tobytes(), base
            if key not in answered:
                least, largest, held = puzzle.ask(own)
                answered[key] = largest - least >= known.threshold - 1e-6
                if not answered[key] and least + base < known.threshold - 1e-6:
                    choice = _choose_beside(system, hidden, held)
                    found.update([] if choice is None else [choice])
            if answered[key]:
                known.wide.add(number)
    return sorted(found)


def _choose_beside(system: CountSystem, hidden: Bools, held: Ints) -> int | None:
    """Return what to hide: one of the counts that hold a bound, or a community that stands in all of them.

    Only such a community can take up what the count in question gives away; the fewer other counts it stands in, the
    better.
    """
    choices = [(float(system.cost[row]), int(row)) for row in held if not system.fixed[row]]
    shown = ~hidden & system.shown
    if len(held):
        common = set(np.unique(system.cell_unit[_list_cells(system, int(held[0]))]).tolist())
        for row in held[1:]:
            common &= set(np.unique(system.cell_unit[_list_cells(system, int(row))]).tolist())
        for unit in sorted(common):
            if hidden[unit] or system.fixed[unit]:
                continue
            rows = np.unique(system.rows_of.indices[_find_span(system, _list_cells(system, unit))])
            extra = int(shown[rows].sum()) - len(held) - 1
            choices.append((float(system.cost[unit]) * (1 + 4 * max(extra, 0)), unit))
    return min(choices)[1] if choices else None


def _find_span(system: CountSystem, cells: Ints) -> Ints:
    pointer = system.rows_of.indptr
    return np.concatenate([np.arange(pointer[cell], pointer[cell + 1]) for cell in cells])
