"""Faces of the street net into blocks of a chosen size: which neighbours are put together. Numbers only, no shapes.

Greedy, from small to large, in three rounds:

1. Slivers (medians of dual carriageways, traffic islands, strips beside water) join the neighbour with the longest
   border, over a barrier only where there is no other such neighbour.
2. For each rank of street, the smallest first: a block joins a neighbour across streets of at most this rank, as long
   as both together stay below :data:`MOST` times the size aimed at. So smaller streets are crossed before larger ones.
   The neighbour is chosen by the size reached and by the Polsby-Popper compactness (4π area / perimeter²) of both;
   what would be ragged together stays apart.
3. What is still small joins a neighbour of any size.

Barriers (railways, expressways, shores, rivers) are crossed in the first round only.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.cut_lines import BARRIER, RIVER

ENOUGH, MOST, SMALL = 0.75, 1.5, 0.25
"""Shares of the size aimed at: a block looks for more below the first, never grows above the second in round 2, and
must find a neighbour below the third."""
SLIVER_M2, SLIVER_M, NARROW_WATER_M = 2_000.0, 20.0, 60.0
"""A piece of land below this area or mean width (2 × area / perimeter) is a sliver; so is water below the last."""
STRIP_M, STRIP_COMPACTNESS = 80.0, 0.2
"""So is a long strip below this width and compactness: the planted middle of a wide avenue, where nobody lives."""
LONG_SHARE = 0.25
"""A sliver joins a neighbour that has at least this share of its outline, where there is one."""
LEAST_COMPACTNESS = 0.4
"""Times the weight of compactness: two blocks that together are less compact than this stay apart in round 2."""
CROSSED_SHARE = 0.2
"""A border has the rank of the largest street that makes up at least this share of it."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Faces (``area_m2``, ``perimeter_m``, ``wet``) and the stretches of line between two of them.

    Stretch ``s`` of ``length_m[s]`` and ``rank[s]`` lies between the faces ``first[s]`` and ``second[s]``.
    """

    area_m2: Floats
    perimeter_m: Floats
    wet: npt.NDArray[np.bool_]
    first: Ints
    second: Ints
    rank: Ints
    length_m: Floats


def merge_faces(mosaic: Mosaic, *, target_m2: float, compactness: float) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return the block of each face (numbers from 0, in the order of the first face), and whether it is water."""
    merger = _Merger(mosaic, target_m2, compactness)
    merger.join_slivers()
    for rank in range(BARRIER):
        merger.join_to_size(rank)
    merger.join_small()
    roots = np.array([merger.find(face) for face in range(len(mosaic.area_m2))], dtype=np.int64)
    unique, block = np.unique(roots, return_inverse=True)
    return block.reshape(-1).astype(np.int64), np.array([merger.wet[root] for root in unique], dtype=bool)


class _Merger:
    """Groups of faces while they grow; a group has the number of its first face."""

    def __init__(self, mosaic: Mosaic, target_m2: float, compactness: float) -> None:
        self.target_m2, self.compactness = target_m2, compactness
        self.sliver_m2 = min(SLIVER_M2, target_m2 / 10)
        self.sliver_m = min(SLIVER_M, target_m2**0.5 / 8)
        self.strip_m = min(STRIP_M, target_m2**0.5 / 4)
        self.area: list[float] = mosaic.area_m2.tolist()
        self.perimeter: list[float] = mosaic.perimeter_m.tolist()
        self.wet: list[bool] = mosaic.wet.tolist()
        self.parent = list(range(len(self.area)))
        self.beside: list[dict[int, list[float]]] = [{} for _ in self.area]
        columns = (mosaic.first, mosaic.second, mosaic.rank, mosaic.length_m)
        for one, other, rank, length in zip(*(column.tolist() for column in columns), strict=True):
            if one != other:
                lengths = self.beside[one].setdefault(other, [0.0] * (RIVER + 1))
                lengths[rank] += length
                self.beside[other][one] = lengths

    def find(self, face: int) -> int:
        """Return the group of a face."""
        while self.parent[face] != face:
            self.parent[face] = self.parent[self.parent[face]]
            face = self.parent[face]
        return face

    def join(self, one: int, other: int) -> int:
        """Put two groups together and return the number that both have now."""
        keep, gone = min(one, other), max(one, other)
        shared = sum(self.beside[keep].pop(gone))
        del self.beside[gone][keep]
        for third, lengths in self.beside[gone].items():
            del self.beside[third][gone]
            mine = self.beside[keep].get(third)
            total = lengths if mine is None else [a + b for a, b in zip(mine, lengths, strict=True)]
            self.beside[keep][third] = self.beside[third][keep] = total
        self.wet[keep] = self.wet[max(keep, gone, key=lambda group: self.area[group])]
        self.area[keep] += self.area[gone]
        self.perimeter[keep] += self.perimeter[gone] - 2 * shared
        self.parent[gone] = keep
        self.beside[gone] = {}
        return keep

    def join_slivers(self) -> None:
        """Round 1."""
        heap = [(area, face) for face, area in enumerate(self.area) if self._is_sliver(face)]
        heapq.heapify(heap)
        while heap:
            area, face = heapq.heappop(heap)
            if self.parent[face] != face or self.area[face] != area or not self.beside[face]:
                continue
            joined = self.join(face, self._choose_for_sliver(face))
            if self._is_sliver(joined):
                heapq.heappush(heap, (self.area[joined], joined))

    def _is_sliver(self, face: int) -> bool:
        width = 2 * self.area[face] / max(self.perimeter[face], 1e-9)
        if self.wet[face]:
            return width < NARROW_WATER_M
        if self.area[face] < self.sliver_m2 or width < self.sliver_m:
            return True
        return width < self.strip_m and _compute_compactness(self.area[face], self.perimeter[face]) < STRIP_COMPACTNESS

    def _choose_for_sliver(self, face: int) -> int:
        around = self.perimeter[face]

        def weigh(other: int) -> tuple[bool, bool, int, float, int]:
            lengths = self.beside[face][other]
            shared, rank = sum(lengths), find_border_rank(lengths)
            return shared < LONG_SHARE * around, rank >= BARRIER, rank, -shared, other

        return min(self.beside[face], key=weigh)

    def join_to_size(self, rank: int) -> None:
        """Round 2 for the streets of one rank and less."""
        heap = self._list_below(ENOUGH)
        while heap:
            area, face = heapq.heappop(heap)
            if self.parent[face] != face or self.area[face] != area:
                continue
            other = self._choose(face, rank, MOST * self.target_m2, LEAST_COMPACTNESS * self.compactness)
            if other is None:
                continue
            joined = self.join(face, other)
            if self.area[joined] < ENOUGH * self.target_m2:
                heapq.heappush(heap, (self.area[joined], joined))

    def join_small(self) -> None:
        """Round 3."""
        heap = self._list_below(SMALL)
        while heap:
            area, face = heapq.heappop(heap)
            if self.parent[face] != face or self.area[face] != area:
                continue
            other = self._choose(face, BARRIER - 1, float("inf"))
            if other is not None:
                joined = self.join(face, other)
                if self.area[joined] < SMALL * self.target_m2:
                    heapq.heappush(heap, (self.area[joined], joined))

    def _list_below(self, share: float) -> list[tuple[float, int]]:
        heap = [
            (self.area[face], face)
            for face in range(len(self.area))
            if self.parent[face] == face and not self.wet[face] and self.area[face] < share * self.target_m2
        ]
        heapq.heapify(heap)
        return heap

    def _choose(self, face: int, rank: int, limit_m2: float, least: float = 0.0) -> int | None:
        """Return the best neighbour across a street of at most ``rank``, or ``None``; of equals the first.

        Both together have at most ``limit_m2`` and at least the compactness ``least``. The best is rated by the size
        that both have together (1 = that aimed at) and by their compactness.
        """
        best: tuple[float, float, int] | None = None
        for other, lengths in self.beside[face].items():
            area = self.area[face] + self.area[other]
            if self.wet[other] or area > limit_m2 or find_border_rank(lengths) > rank:
                continue
            shared = sum(lengths)
            compact = _compute_compactness(area, self.perimeter[face] + self.perimeter[other] - 2 * shared)
            if compact < least:
                continue
            size = min(area / self.target_m2, self.target_m2 / area)
            rating = (1 - self.compactness) * size + self.compactness * compact
            found = (rating, shared, -other)
            best = found if best is None else max(best, found)
        return None if best is None else -best[2]


def _compute_compactness(area_m2: float, perimeter_m: float) -> float:
    """Return the Polsby-Popper measure: 1 for a circle, 0.79 for a square, near 0 for a strip."""
    return float(4 * np.pi * area_m2 / max(perimeter_m, 1e-9) ** 2)


def find_border_rank(lengths: list[float]) -> int:
    """Return the rank of a border from its metres by rank: that of any barrier in it, else of its main street."""
    total = sum(lengths)
    for rank in range(len(lengths) - 1, 0, -1):
        if lengths[rank] > 0.01 and (rank >= BARRIER or lengths[rank] >= CROSSED_SHARE * total):
            return rank
    return 0
