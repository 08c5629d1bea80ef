"""The names along a border: which street, river, town limit or county limit each stretch of a zone's outline follows.

The outline is walked clockwise in steps. At each step the lines that run beside it are candidates; the sequence of
names with the least total cost is found by dynamic programming (Viterbi 1967): a name costs by its distance, each
change of name costs some metres, and a stretch without a name costs most, so that a crossing street never breaks a
boundary.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely

from geodata.landmarks import Landmarks
from geodata.population_table import Values
from geodata.shapes import build_points
from geodata.zone_word_parts import Limit

STEP_M = 10.0
MOST_STEPS = 1_500
BESIDE_M = 25.0
CHANGE_M = 45.0
"""A change of name costs as much as this many metres without a name."""
_PARALLEL = 0.7
_EXTRA = {"town": 0.35, "county": 0.2}
_FAR = 4.0
OWN_TOWN = 0.08
AT_UNIT_M = 5.0

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stretch:
    """A piece of an outline with its limit: steps ``first`` to ``last`` (not included; beyond the end: go on at 0)."""

    limit: Limit
    first: int
    last: int
    length_m: float


@dataclass(frozen=True, eq=False)
class Border:
    """An outline walked clockwise: ``places`` (n, 2) at equal steps, and its stretches in order."""

    places: Values
    stretches: tuple[Stretch, ...]


class BorderNamer:
    """Names stretches of outlines; holds the pieces of all named lines for quick search."""

    def __init__(self, landmarks: Landmarks) -> None:
        self._landmarks = landmarks
        shapes = np.array([line.shape for line in landmarks.lines], dtype=object)
        parts, owner = shapely.get_parts(shapes, return_index=True)
        places, part = shapely.get_coordinates(parts, return_index=True)
        inner = part[1:] == part[:-1]
        self._start, self._end = places[:-1][inner], places[1:][inner]
        self._owner = owner[part][:-1][inner]
        ends = np.stack([self._start, self._end], axis=1)
        self._tree = shapely.STRtree(np.asarray(shapely.linestrings(ends), dtype=object))
        self._units = shapely.STRtree(landmarks.land)
        self._extra = np.array([_EXTRA.get(line.kind, 0.0) for line in landmarks.lines])

    def name_border(self, outline: shapely.Geometry, members: Positions, *, beyond: bool = False) -> Border:
        """Return the outer ring of ``outline`` as stretches with names; ``members`` are the zone's units.

        Stretches that no line follows are told by the units inside, together; or each by a unit ``beyond`` the border.
        """
        places, step_m = _walk_outline(outline)
        labels, lines = self._choose_names(places, step_m, members)
        n = len(places)
        found = []
        for first, last in _list_runs(labels):
            line = labels[first % n]
            if line >= 0:
                landmark = self._landmarks.lines[int(lines[line])]
                kind = landmark.kind if landmark.kind in ("town", "county") else "line"
                pieces = [(first, last, Limit(kind, (landmark.name,) if kind != "county" else ()))]
            elif beyond:
                pieces = self._list_beyond(places, first, last, members)
            else:
                pieces = [(first, last, self._name_inside(places[np.arange(first, last) % n], members))]
            found += [Stretch(limit, start, end, (end - start) * step_m) for start, end, limit in pieces]
        return Border(places, _start_in_the_north_west(found, places))

    def _choose_names(self, places: Values, step_m: float, members: Positions) -> tuple[Positions, Positions]:
        """Return for each step a position in the list of candidate lines (-1 = no name), and that list."""
        n = len(places)
        step, piece = self._tree.query(shapely.points(places), predicate="dwithin", distance=BESIDE_M)
        ahead = np.roll(places, -1, axis=0) - np.roll(places, 1, axis=0)
        along = self._end[piece] - self._start[piece]
        scale = np.hypot(*ahead[step].T) * np.hypot(*along.T)
        beside = np.abs((ahead[step] * along).sum(axis=1)) >= _PARALLEL * np.maximum(scale, 1e-9)
        step, piece, along = step[beside], piece[beside], along[beside]
        share = ((places[step] - self._start[piece]) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-9)
        spot = self._start[piece] + np.clip(share, 0.0, 1.0)[:, None] * along
        off_m = np.hypot(*(spot - places[step]).T)
        lines, line = np.unique(self._owner[piece], return_inverse=True)
        cost = np.full((n, len(lines) + 1), _FAR)
        cost[:, -1] = 1.0
        extra = self._rate_lines(lines, members)
        np.minimum.at(cost, (step, line), 0.9 * (off_m / BESIDE_M) ** 2 + extra[line])
        labels = _find_cheapest(np.vstack([cost, cost]), CHANGE_M / step_m)[n // 2 : n // 2 + n]
        labels = np.roll(labels, n // 2)
        return np.where(labels == len(lines), -1, labels), lines

    def _rate_lines(self, lines: Positions, members: Positions) -> Values:
        """Return what each line costs beside its distance: "up to the next town" is better than "up to our limits"."""
        own = {self._landmarks.unit_towns[member] for member in members}
        names = [self._landmarks.lines[int(line)] for line in lines]
        return self._extra[lines] + [OWN_TOWN * (line.kind == "town" and line.name.text in own) for line in names]

    def _name_inside(self, places: Values, members: Positions) -> Limit:
        """Return the limit that is told by the zone's own units along it, in the order of the walk."""
        nearest = self._find_nearest(places, members).tolist()
        count = Counter(nearest)
        kept = [unit for unit in count if count[unit] > 2 or count[unit] == max(count.values())]
        return Limit("units", tuple(self._landmarks.unit_names[unit] for unit in kept))

    def _list_beyond(self, places: Values, first: int, last: int, members: Positions) -> list[tuple[int, int, Limit]]:
        """Return the stretch cut by the units beyond it; what has none beyond is told by the units inside."""
        steps = np.arange(first, last)
        here = places[steps % len(places)]
        touched = self._units.query(build_points(*here.T), predicate="dwithin", distance=AT_UNIT_M)[1]
        others = np.setdiff1d(touched, members)
        if not len(others):
            return [(first, last, self._name_inside(here, members))]
        nearest = self._find_nearest(here, others)
        cuts = [0, *(np.flatnonzero(nearest[1:] != nearest[:-1]) + 1).tolist(), len(steps)]
        names = self._landmarks.unit_names
        return [
            (first + start, first + end, Limit("beyond", (names[int(nearest[start])],)))
            for start, end in pairwise(cuts)
        ]

    def _find_nearest(self, places: Values, units: Positions) -> Positions:
        found: Positions = units[shapely.STRtree(self._landmarks.land[units]).nearest(build_points(*places.T))]
        return found


def _walk_outline(outline: shapely.Geometry) -> tuple[Values, float]:
    """Return places at equal steps along the outer ring, clockwise, and the metres of a step."""
    ring = shapely.get_exterior_ring(outline)
    if shapely.is_ccw(ring):
        ring = shapely.reverse(ring)
    length = float(shapely.length(ring))
    n = int(min(max(length / STEP_M, 24), MOST_STEPS))
    places: Values = shapely.get_coordinates(shapely.line_interpolate_point(ring, (np.arange(n) + 0.5) / n * length))
    return places, length / n


def _find_cheapest(cost: Values, change: float) -> Positions:
    """Return the cheapest label of each row of ``cost`` (steps, labels), where each change of label costs extra."""
    steps, count = cost.shape
    total = cost[0].copy()
    came = np.empty((steps, count), dtype=np.int64)
    own = np.arange(count)
    for step in range(1, steps):
        best = int(np.argmin(total))
        changed = total[best] + change < total
        came[step] = np.where(changed, best, own)
        total = np.where(changed, total[best] + change, total) + cost[step]
    labels = np.empty(steps, dtype=np.int64)
    labels[-1] = int(np.argmin(total))
    for step in range(steps - 1, 0, -1):
        labels[step - 1] = came[step, labels[step]]
    return labels


def _list_runs(labels: Positions) -> list[tuple[int, int]]:
    """Return first and last (not included) step of every run of equal labels of a closed walk."""
    n = len(labels)
    starts = np.flatnonzero(labels != np.roll(labels, 1))
    if not len(starts):
        return [(0, n)]
    return [(int(first), int(last)) for first, last in zip(starts, np.append(starts[1:], starts[0] + n), strict=True)]


def _start_in_the_north_west(stretches: list[Stretch], places: Values) -> tuple[Stretch, ...]:
    """Return the stretches in order, from the one that starts furthest to the north-west."""
    n = len(places)
    starts = places[[stretch.first % n for stretch in stretches]]
    first = int(np.argmax(starts[:, 1] - starts[:, 0]))
    return (*stretches[first:], *stretches[:first])
