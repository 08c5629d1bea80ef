"""Four sides (四至) of an outline: which of its stretches is the limit to the east, south, west and north.

The outline is cut at four places so that each of the four stretches between them faces its side as well as possible.
"""

from __future__ import annotations

import numpy as np

from geodata.border_names import Border, Positions, Stretch
from geodata.population_table import Values
from geodata.zone_word_parts import FourSides, Limit, merge_repeats

EXTRA_CUTS = 12
WITHIN_COST = 0.08
"""To cut within a named stretch costs this share of the outline: a line should stand on one side only."""
LEAST_SHARE = 0.12
LEAST_M = 30.0


def choose_sides(border: Border, stretches: tuple[Stretch, ...]) -> FourSides | None:
    """Return the limits of ``stretches`` on the four sides; ``None`` without any. Every limit stands on some side."""
    if not stretches:
        return None
    n = len(border.places)
    starts = sorted({stretch.first % n for stretch in stretches})
    cuts = np.array(sorted({*starts, *(n * k // EXTRA_CUTS for k in range(EXTRA_CUTS))}), dtype=np.int64)
    cost = np.where(np.isin(cuts, starts), 0.0, WITHIN_COST * n)
    bounds = cuts[list(_place_cuts(_measure_facing(border.places), cuts, cost))]
    sides: list[list[Limit]] = [[], [], [], []]
    for stretch in _turn(stretches, int(bounds[0]), n):
        on = _count_steps(stretch, bounds, n)
        for side in range(4):
            share = on[side] / on.sum()
            if (share >= LEAST_SHARE and share * stretch.length_m >= LEAST_M) or on[side] == on.max():
                sides[side].append(stretch.limit)
    for side in range(4):
        if not sides[side]:  # what the ring left out has to be said after all
            longest = max(border.stretches, key=lambda stretch: int(_count_steps(stretch, bounds, n)[side]))
            sides[side].append(longest.limit)
    east, south, west, north = (_join_side(side) for side in sides)
    return FourSides(east, south, west, north)


def _join_side(limits: list[Limit]) -> tuple[Limit, ...]:
    """Return the limits of one side without repeats; first and last may be alike."""
    marker = Limit("county")
    return merge_repeats((*limits, marker))[:-1] if limits[-1] != marker else merge_repeats(tuple(limits))


def _measure_facing(places: Values) -> Values:
    """Return how well each step faces east, south, west and north, shape (n, 4): cosines of its outward normal.

    Towards the middle of the outline counts a little too, so that a notch does not turn a side around.
    """
    step = np.roll(places, -1, axis=0) - np.roll(places, 1, axis=0)
    step /= np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    outward = np.column_stack([-step[:, 1], step[:, 0]])
    radial = places - places.mean(axis=0)
    radial /= np.maximum(np.hypot(*radial.T), 1e-9)[:, None]
    facing = 0.6 * outward + 0.4 * radial
    return np.column_stack([facing[:, 0], -facing[:, 1], -facing[:, 0], facing[:, 1]])


def _place_cuts(facing: Values, cuts: Positions, cost: Values) -> tuple[int, ...]:
    """Return positions in ``cuts`` of the starts of the four sides, in clockwise order, that face best."""
    count, n = len(cuts), len(facing)
    total = np.vstack([np.zeros(4), np.cumsum(np.vstack([facing, facing]), axis=0)])
    best, chosen = -np.inf, (0, 1, 2, 3)
    for first in range(count):
        turned = (np.arange(count) + first) % count
        at = np.where(turned < first, cuts[turned] + n, cuts[turned])
        gain = np.where(np.arange(count) == 0, 0.0, -np.inf) - cost[first]
        came = []
        for side in range(3):
            value = gain[:, None] + total[at[None, :], side] - total[at[:, None], side] - cost[turned][None, :]
            value = np.where(np.arange(count)[:, None] < np.arange(count)[None, :], value, -np.inf)
            came.append(value.argmax(axis=0))
            gain = value.max(axis=0)
        gain = gain + total[at[0] + n, 3] - total[at, 3]
        last = int(np.argmax(gain))
        if gain[last] > best:
            third = int(came[2][last])
            second = int(came[1][third])
            best = float(gain[last])
            chosen = tuple(int(turned[k]) for k in (0, second, third, last))  # type: ignore[assignment]
    return chosen


def _turn(stretches: tuple[Stretch, ...], start: int, n: int) -> list[Stretch]:
    """Return the stretches in clockwise order from the one that holds step ``start``."""
    return sorted(stretches, key=lambda stretch: (((stretch.first + stretch.last) // 2) - start) % n)


def _count_steps(stretch: Stretch, bounds: Positions, n: int) -> Positions:
    """Return how many steps of a stretch lie on each side; ``bounds`` are the first steps of the sides, clockwise."""
    steps = np.arange(stretch.first, stretch.last)
    side = np.searchsorted((bounds - bounds[0]) % n, (steps - bounds[0]) % n, "right") - 1
    return np.bincount(side, minlength=4)
