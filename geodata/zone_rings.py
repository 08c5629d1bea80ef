"""The ring of a zone in words: the fewest names whose reading gives back the zone.

The names along the border are where the search starts. Then names are left out, and stretches along units are replaced
by streets near by, as long as the text gets shorter; what the shorter ring loses or gains is named unit by unit (含,
不含). Every try is drawn as a reader would draw it, so nothing is told that reads differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely

from geodata.border_names import Border, Positions, Stretch
from geodata.landmarks import ID_COST, Landmarks
from geodata.population_table import Values
from geodata.zone_word_parts import Limit, Name, Ring, merge_repeats
from geodata.zone_words_area import WordReader, compute_agreement

ENOUGH_SHARE = 0.995
"""Texts that agree for this share of the weight agree; below it each per cent weighs as much as some names."""
NAMES_PER_PCT = 2.0
NEEDED_SHARE = 0.991
"""Below this, a text of units with names is wrong: each per cent weighs so many times more."""
STRICT_FACTOR = 40.0
CUT_SHARES = (0.1, 0.03, 0.01)
"""A unit is named as added or taken out when more than this share of it is on the wrong side: the first that
suffices.
"""
UNIT_EDGE_NAMES = 2.0
"""The edge of a unit counts this many names: who lives there knows where it runs, others do not."""
EMPTY_WEIGHT = 0.2
"""Units where nobody lives weigh this share of the mean, so that they have a zone too."""
MOST_TRIES = 70
NEARBY_M = 900.0
MOST_NEARBY = 5


@dataclass(frozen=True)
class ToldRing:
    """A ring with the steps of the border that each limit stands for, how long it is to read, and how well it
    agrees.
    """

    stretches: tuple[Stretch, ...]
    ring: Ring
    effort: float
    agreement_share: float
    strict: bool = True

    @property
    def score(self) -> float:
        """Names to read, with those that disagreement is worth; less is better.

        ``strict``: units have names, so that what the lines get wrong can be put right.
        """
        lack = max(0.0, ENOUGH_SHARE - self.agreement_share)
        wrong = max(0.0, NEEDED_SHARE - self.agreement_share) if self.strict else 0.0
        return self.effort + NAMES_PER_PCT * 100 * (lack + STRICT_FACTOR * wrong)

    @property
    def lines_share(self) -> float:
        """Share of the border's length that is told by streets, water and railways."""
        length = sum(stretch.length_m for stretch in self.stretches)
        return sum(s.length_m for s in self.stretches if s.limit.kind == "line") / max(length, 1.0)


class RingSearch:
    """Tells one piece of a zone as a ring.

    ``member``: the units of the whole zone; ``piece``: positions of those of this piece. ``pupils`` per unit.
    ``schools``: the points that the reader knows.
    """

    def __init__(
        self,
        reader: WordReader,
        member: npt.NDArray[np.bool_],
        piece: Positions,
        pupils: Values,
        schools: npt.NDArray[np.object_],
    ) -> None:
        self._reader = reader
        self._landmarks: Landmarks = reader.landmarks
        self._member = member
        self._piece = piece
        self._pupils = pupils
        mean = float(pupils.mean()) if len(pupils) else 0.0
        self._weight: Values = np.maximum(pupils, EMPTY_WEIGHT * mean if mean > 0 else 1.0)
        self._schools = schools
        self._tried: dict[tuple[Limit, ...], ToldRing | None] = {}

    def find_ring(self, border: Border) -> ToldRing | None:
        """Return the best ring found; ``None`` where no ring of names gives back any of the piece."""
        best = self.tell(border.stretches)
        improved = True
        while improved and len(self._tried) < MOST_TRIES:
            improved = False
            start = border.stretches if best is None else best.stretches
            for stretches in self._list_changes(border, start):
                told = self.tell(stretches)
                if told is not None and (best is None or told.score < best.score - 1e-9):
                    best, improved = told, True
                    break
                if len(self._tried) >= MOST_TRIES:
                    break
        return best

    def _list_changes(self, border: Border, stretches: tuple[Stretch, ...]) -> Iterator[tuple[Stretch, ...]]:
        """Yield stretches with one left out, the shortest first, then with one along units moved to a line near by."""
        order = sorted(range(len(stretches)), key=lambda i: stretches[i].length_m)
        if len(stretches) > 2:
            for i in order:
                yield (*stretches[:i], *stretches[i + 1 :])
        for i in order:
            if stretches[i].limit.kind in ("units", "beyond") and len(stretches) > 1:
                for limit in self._list_nearby(border, stretches, i):
                    yield (*stretches[:i], replace(stretches[i], limit=limit), *stretches[i + 1 :])

    def _list_nearby(self, border: Border, stretches: tuple[Stretch, ...], i: int) -> Iterator[Limit]:
        """Yield lines near a stretch that meet the lines before and after it, the nearest first."""
        stretch = stretches[i]
        n = len(border.places)
        middle = shapely.points(border.places[((stretch.first + stretch.last) // 2) % n])
        lines = self._landmarks.lines
        shapes = np.array([line.shape for line in lines], dtype=object)
        near = [int(k) for k in np.flatnonzero(shapely.dwithin(shapes, middle, NEARBY_M))]
        near = [k for k in near if lines[k].kind not in ("town", "county")]
        near.sort(key=lambda k: float(shapely.distance(shapes[k], middle)))
        sides = [stretches[i - 1].limit, stretches[(i + 1) % len(stretches)].limit]
        keyed = [(side, self._reader.find_line(side)) for side in sides]
        found = 0
        for k in near:
            limit = Limit("line", (lines[k].name,))
            mine = limit, self._reader.find_line(limit)
            if limit not in sides and all(len(self._reader.walker.meet(side, mine)[0]) for side in keyed):
                yield limit
                found += 1
                if found == MOST_NEARBY:
                    return

    def tell(self, stretches: tuple[Stretch, ...]) -> ToldRing | None:
        """Return the ring of stretches with its corrections; ``None`` where the lines lead nowhere."""
        limits = merge_repeats(tuple(stretch.limit for stretch in stretches))
        if limits not in self._tried:
            told = self.correct(limits)
            self._tried[limits] = None if told is None else replace(told, stretches=stretches)
        return self._tried[limits]

    def correct(self, limits: tuple[Limit, ...]) -> ToldRing | None:
        """Return the ring of ``limits`` with units added and taken out so that it agrees."""
        share = self._reader.measure_shares(self._reader.draw_ring(limits, self._schools))
        mine = np.zeros(len(share), dtype=np.bool_)
        mine[self._piece] = True
        if float((share * self._weight)[mine].sum()) <= 0:
            return None
        wrong = np.where(mine, 1.0 - share, np.where(self._member, 0.0, share))
        strict = bool((self._landmarks.name_cost[self._piece] < ID_COST).all())
        told = None
        for cut in CUT_SHARES:
            named = wrong > cut
            # Other pieces of the zone are told elsewhere: they are neither here nor there.
            read = np.where(named, mine.astype(np.float64), share)[mine | ~self._member]
            here = mine[mine | ~self._member]
            agreement = self._compare(here, read, mine | ~self._member)
            ring = Ring(limits, self._name(np.flatnonzero(named & mine)), self._name(np.flatnonzero(named & ~mine)))
            effort = self.measure_effort(limits) + self._count_names(np.flatnonzero(named))
            now = ToldRing((), ring, effort, agreement, strict)
            told = now if told is None or now.score < told.score else told
            if told.agreement_share >= ENOUGH_SHARE:
                break
        return told

    def _compare(self, here: npt.NDArray[np.bool_], read: Values, told: npt.NDArray[np.bool_]) -> float:
        """Return the agreement by weight or by pupils alone, whichever is lower."""
        by_pupils = compute_agreement(here, read, self._pupils[told])
        by_weight = compute_agreement(here, read, self._weight[told])
        return min(by_pupils, by_weight) if by_pupils == by_pupils else by_weight

    def _name(self, positions: Positions) -> tuple[Name, ...]:
        return tuple(self._landmarks.unit_names[position] for position in positions)

    def _count_names(self, positions: Iterable[int]) -> float:
        return float(self._landmarks.name_cost[list(positions)].sum())

    def measure_effort(self, limits: tuple[Limit, ...]) -> float:
        """Return how many names a reader of the limits has to know; the edge of a unit is harder to
        see than a street.
        """
        total = 0.0
        for limit in limits:
            along = limit.kind in ("units", "beyond")
            names = self._count_names(self._reader.find_units(limit.names)) if along else 0.0
            total += 0.5 + UNIT_EDGE_NAMES * names if along else 1.0
        return total
