"""Colours and classes of the maps: safe for colour-blind readers, and never the only sign.

Fill runs from blue (empty) over pale (well used) to orange (too full); travel time and children run from light to
dark, so that they also read in grey. Every school symbol carries a second sign for "too full" and "unknown".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

MISSING_CLASS = 255
"""Class of a unit without a value; drawn as a hatch, never as the lowest class."""

FILL_BREAKS: tuple[float, ...] = (0.5, 0.8, 1.0, 1.2)
"""Pupils per place (shares): upper bounds of all fill classes but the last."""
FILL_COLOURS: tuple[str, ...] = ("#2166ac", "#8fbfdc", "#f4efe4", "#f4a259", "#b3490b")
UNKNOWN_COLOUR = "#a3abb2"
"""A calm grey: nothing is said about how full the school is."""

TIME_BREAKS_MIN: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0)
"""Minutes: upper bounds of all classes of travel time but the last."""
TIME_COLOURS: tuple[str, ...] = ("#fef8e0", "#f1e0a0", "#cbce98", "#a3b99b", "#7a9a9b", "#577a94", "#3b5a83")

BANDS_MIN = (5, 10, 15, 20, 30)
"""Minutes: outer limits of the time bands around schools; the first classes of travel time, in the same colours."""
GROUND_COLOUR = "#f7f5f0"
"""What the map shows where nothing is drawn."""

CHILDREN_COLOURS: tuple[str, ...] = ("#f6f3f8", "#e3d7ea", "#c6b0d6", "#a183bd", "#79539c", "#4f2a75")

REACH_BREAKS: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
"""Places per child within reach: upper bounds of all but the last class; the first has none, and is not green."""
REACH_COLOURS: tuple[str, ...] = ("#efcfb4", "#e3ead2", "#c3d9b4", "#98c199", "#69a583", "#3f8470", "#1f5f5b")

ZONE_COLOURS: tuple[str, ...] = (
    "#a6cbe3",
    "#f3c493",
    "#a9d3b8",
    "#d9b8d6",
    "#ead98f",
    "#b9c1cc",
    "#e8b0a4",
    "#9fd0cf",
    "#cfc4a5",
    "#c3d38f",
)
"""Pale colours of neighbouring catchments; two that touch never share one."""

ROAD_STYLES: dict[int, tuple[str, float]] = {
    1: ("#c79b6f", 2.1),
    2: ("#aea597", 1.4),
    3: ("#c3bcb1", 0.9),
    4: ("#c9c3b8", 0.6),
}
"""Colour and width (pixels) of a road by rank: 1 main road … 4 path."""


def classify(values: npt.ArrayLike, breaks: Sequence[float]) -> npt.NDArray[np.uint8]:
    """Return the class of every value: the number of upper bounds that lie below it; NaN is ``MISSING_CLASS``."""
    numbers = np.asarray(values, dtype=np.float64)
    classes = np.searchsorted(np.asarray(breaks, dtype=np.float64), numbers, side="left").astype(np.uint8)
    classes[~np.isfinite(numbers)] = MISSING_CLASS
    return classes


def compute_count_breaks(values: npt.ArrayLike, classes: int = 5) -> tuple[float, ...]:
    """Return round upper bounds that split the positive counts into about equal groups; the first bound is 0.

    ``classes`` is the number of classes above zero; fewer come back where the counts hardly differ.
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[np.isfinite(numbers) & (numbers > 0)]
    if not len(numbers):
        return (0.0,)
    quantiles = np.quantile(numbers, np.linspace(0, 1, classes + 1)[1:-1])
    bounds = {_round_up(float(value)) for value in quantiles}
    return (0.0, *sorted(bounds))


def _round_up(value: float) -> float:
    """Return ``value`` rounded up to 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten (whole from 1 on)."""
    if value <= 1:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    step = next(s for s in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if s * power >= value - 1e-9)
    return float(np.ceil(step * power))


def compute_radius_px(pupils: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return symbol radii in pixels, area growing with pupils; unknown numbers get the smallest size."""
    numbers = np.nan_to_num(np.asarray(pupils, dtype=np.float64), nan=0.0)
    return np.clip(2.6 + np.sqrt(np.maximum(numbers, 0.0)) * 0.19, 3.4, 14.0)


def compute_zone_colours(zone: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Give every zone a colour index such that zones that touch differ where the palette allows.

    Parameters
    ----------
    zone
        Zone number (0 …) of every unit; negative = no zone.
    pairs
        Positions of neighbouring units.

    Returns
    -------
    list of int
        One index into ``ZONE_COLOURS`` per zone.
    """
    count = max(zone, default=-1) + 1
    neighbours: list[set[int]] = [set() for _ in range(count)]
    for first, second in pairs:
        a, b = zone[first], zone[second]
        if a >= 0 and b >= 0 and a != b:
            neighbours[a].add(b)
            neighbours[b].add(a)
    colours = [-1] * count
    for number in sorted(range(count), key=lambda n: (-len(neighbours[n]), n)):
        taken = {colours[other] for other in neighbours[number]}
        free = [colour for colour in range(len(ZONE_COLOURS)) if colour not in taken]
        if not free:
            return _colour_last_first(neighbours)
        colours[number] = free[number % len(free)]
    return colours


def _colour_last_first(neighbours: Sequence[set[int]]) -> list[int]:
    """Colour the zone with the fewest neighbours left last: a flat map of pieces never needs more than six colours."""
    left = [set(others) for others in neighbours]
    open_zones = set(range(len(left)))
    order = []
    while open_zones:
        number = min(open_zones, key=lambda n: (len(left[n]), n))
        open_zones.remove(number)
        order.append(number)
        for other in left[number]:
            left[other].discard(number)
    colours = [-1] * len(left)
    for number in reversed(order):
        taken = {colours[other] for other in neighbours[number]}
        free = [colour for colour in range(len(ZONE_COLOURS)) if colour not in taken]
        colours[number] = free[number % len(free)] if free else number % len(ZONE_COLOURS)
    return colours
