"""Colours of zones while they are drawn: neighbours never alike, and a zone keeps its colour as long as it can."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reports.colours import ZONE_COLOURS

Numbers = npt.NDArray[np.int64]


def compute_drawing_colours(
    pairs: Numbers, zone: Numbers, before: Numbers, n_zones: int, kept: npt.ArrayLike | None = None
) -> npt.NDArray[np.uint8]:
    """Return a colour per zone such that zones that touch differ, today's and proposed ones alike.

    Parameters
    ----------
    pairs
        Positions of neighbouring units, shape (pairs, 2).
    zone, before
        Proposed and current zone of every unit; −1 = none.
    n_zones
        Number of zones.
    kept
        Colours so far, one per zone: only zones that would touch a zone of the same colour get another.

    Returns
    -------
    array of uint8
        One index into ``ZONE_COLOURS`` per zone. Two maps at once can need more colours than there are; then
        neighbours in the proposed zones come before those of today.
    """
    now, both = _list_touching(pairs, zone), _list_touching(pairs, zone, before)
    neighbours, close = _gather(both, n_zones), _gather(now, n_zones)
    colours = np.full(n_zones, -1, dtype=np.int64)
    if kept is not None:
        old = np.asarray(kept, dtype=np.int64)[:n_zones]
        colours[: len(old)] = np.where(old < len(ZONE_COLOURS), old, -1)
        _drop_clashes(colours, both, [len(others) for others in neighbours])
    for number in sorted(np.flatnonzero(colours < 0).tolist(), key=lambda n: (-len(neighbours[n]), n)):
        colours[number] = _choose(number, colours, neighbours[number], close[number])
    return colours.astype(np.uint8)


def _list_touching(pairs: Numbers, *zonings: Numbers) -> Numbers:
    """Return pairs of zones that touch, each once, the smaller number first."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for zone in zonings:
        both = np.sort(np.asarray(zone, dtype=np.int64)[pairs.reshape(-1, 2)], axis=1)
        found.append(both[(both[:, 0] >= 0) & (both[:, 0] != both[:, 1])])
    touching = np.vstack(found)
    if not len(touching):
        return touching
    size = int(touching.max()) + 1
    return np.column_stack(np.divmod(np.unique(touching[:, 0] * size + touching[:, 1]), size))


def _gather(touching: Numbers, n_zones: int) -> list[list[int]]:
    neighbours: list[list[int]] = [[] for _ in range(n_zones)]
    for first, second in touching.tolist():
        neighbours[first].append(second)
        neighbours[second].append(first)
    return neighbours


def _drop_clashes(colours: Numbers, touching: Numbers, degree: list[int]) -> None:
    """Take the colour from one zone of every pair that clashes, the one with fewer neighbours first."""
    for first, second in touching.tolist():
        if colours[first] >= 0 and colours[first] == colours[second]:
            colours[first if degree[first] < degree[second] else second] = -1


def _choose(number: int, colours: Numbers, neighbours: list[int], close: list[int]) -> int:
    """Return a colour that no neighbour has, spread over the palette; else the one that hurts least."""
    far = {int(colours[other]) for other in neighbours}
    free = [colour for colour in range(len(ZONE_COLOURS)) if colour not in far]
    if free:
        return free[number % len(free)]
    near = [int(colours[other]) for other in close]
    every = [int(colours[other]) for other in neighbours]
    return min(range(len(ZONE_COLOURS)), key=lambda colour: (near.count(colour), every.count(colour), colour))
