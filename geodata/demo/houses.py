"""House numbers of the demo county: along every named street of the seat and the towns, odd left and even right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from geodata.demo.people import Unit
from geodata.demo.settlements import Settlement
from geodata.demo.ways import Points, build_generator, round_points

STEP_M = (30.0, 45.0)
"""Least and greatest distance between two houses of one side."""
BESIDE_M = 14.0
"""Distance of a house from the middle of its street."""
CORNER_M = 12.0
"""A house stands at least so far from a crossing."""


@dataclass(frozen=True)
class Houses:
    """Houses with their addresses, one per row of ``points`` (n, 2)."""

    points: Points
    streets: list[str]
    numbers: list[str]


def build_houses(seed: int, places: list[Settlement], units: list[Unit]) -> Houses:
    """Number the houses of every named street, rising along it; houses stand where the settlement is built up."""
    rng = build_generator(seed, "houses")
    parts: list[Points] = []
    streets: list[str] = []
    numbers: list[str] = []
    for place in places:
        if place.kind == "village":
            continue
        for name, stretches in _list_streets(place):
            for side in (0, 1):
                found = _place_side(rng, stretches, side)
                parts.append(found)
                streets += [name] * len(found)
                numbers += [str(2 * k + 1 + side) for k in range(len(found))]
    points = round_points(np.vstack(parts))
    built = shapely.union_all([unit.shape for unit in units if unit.setting in ("urban", "town")])
    shapely.prepare(built)
    keep = shapely.contains_xy(built, points)
    return Houses(
        points[keep],
        [name for name, kept in zip(streets, keep, strict=True) if kept],
        [number for number, kept in zip(numbers, keep, strict=True) if kept],
    )


def _list_streets(place: Settlement) -> Iterator[tuple[str, list[Points]]]:
    """Yield every named street of a settlement with its stretches between crossings, in order; bridges left out."""
    streets: dict[str, list[Points]] = {}
    for edge in place.net.edges:
        if edge.tags.get("name") and "bridge" not in edge.tags:
            streets.setdefault(edge.tags["name"], []).append(edge.points)
    yield from streets.items()


def _place_side(rng: np.random.Generator, stretches: list[Points], side: int) -> Points:
    """Return the houses of one side of a street (0 left, 1 right), in the order of its stretches."""
    found = [np.empty((0, 2))]
    for points in stretches:
        step = np.diff(points, axis=0)
        along = np.r_[0.0, np.cumsum(np.hypot(*step.T))]
        gaps = rng.uniform(*STEP_M, int(along[-1] / STEP_M[0]) + 1)
        at = CORNER_M + np.cumsum(gaps) - gaps[0] / 2
        at = at[at < along[-1] - CORNER_M]
        piece = np.minimum(np.searchsorted(along, at, side="right") - 1, len(step) - 1)
        heading = step[piece] / np.hypot(*step[piece].T)[:, None]
        left = np.column_stack([-heading[:, 1], heading[:, 0]]) * (BESIDE_M if side == 0 else -BESIDE_M)
        found.append(points[piece] + heading * (at - along[piece])[:, None] + left)
    return np.vstack(found)
