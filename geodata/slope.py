"""How much longer a way takes for its slope, uphill and downhill apart.

On foot
    Tobler's hiking function, ``6 exp(-3.5 |s + 0.05|)`` km/h at slope ``s``: Tobler 1993, "Three presentations on
    geographical analysis and modeling", NCGIA Technical Report 93-1. Only its *shape* is used: on flat ground our
    pupil keeps the speed of the table of roads (4 km/h), so times are multiplied by ``exp(3.5 (|s + 0.05| - 0.05))``.
    The best slope is 5 % down, where a way takes 0.84 of the time on the flat; 10 % up it takes 1.42 times as long.
By bicycle
    Uphill by a balance of power: riders give about 150 W on the flat, at 22 km/h, and about 250 W uphill (Parkin &
    Rotheram 2010, "Design speeds and acceleration characteristics of bicycle traffic for use in planning, design and
    appraisal", Transport Policy 17(5), 335-341), so the speed is ``min(1, (250 / 150) r / (r + s))`` of that on the
    flat. ``r`` is the resistance that 150 W overcome at 22 km/h, as a share of the weight of rider and bicycle (80 kg:
    an assumption). Downhill up to 25/22 of it, reached at 3 % (same paper: 25 km/h at 3 %). A pupil's speed on the flat
    is that of the table of roads (12 km/h) and changes by the same shares. Where riding would be slower than pushing,
    the bicycle is pushed, at Tobler's pace.

Steps keep their own speed, which holds the climb already. Where the height is not known the way counts as flat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.elevation import EdgeHeights
from geodata.road_table import RoadTable
from geodata.study import FrozenArrays, Mode

Floats = npt.NDArray[np.float64]

STEEPEST = 0.5
"""Greater slopes of a raster are errors of its heights, or cliffs that the road does not climb straight."""
CLIMBING_POWER = 250.0 / 150.0
RESISTANCE = 150.0 / (22.0 / 3.6) / (80.0 * 9.81)
"""Rolling and air at 22 km/h as a share of the weight: 0.031."""
DOWNHILL_SHARE, DOWNHILL_SLOPE = 25.0 / 22.0, 0.03


@dataclass(frozen=True, eq=False)
class SlopeFactors(FrozenArrays):
    """What the time of every edge is multiplied by from tail to head (``ahead``) and from head to tail (``back``)."""

    ahead: Floats
    back: Floats


def compute_walk_factor(slope: npt.ArrayLike) -> Floats:
    """Return the walking time at ``slope`` (rise by run, up positive) by that on the flat (Tobler 1993)."""
    steep = np.clip(np.asarray(slope, dtype=np.float64), -STEEPEST, STEEPEST)
    return np.asarray(np.exp(3.5 * (np.abs(steep + 0.05) - 0.05)), dtype=np.float64)


def compute_ride_factor(slope: npt.ArrayLike, *, flat_kmh: npt.ArrayLike, walk_kmh: float) -> Floats:
    """Return the riding time at ``slope`` by that on the flat, the bicycle pushed where that is quicker.

    Parameters
    ----------
    slope
        Rise by run, up positive.
    flat_kmh
        Speed of the bicycle on the flat; where it is no more than ``walk_kmh`` it is pushed anyway.
    walk_kmh
        Speed on foot on the flat.
    """
    steep = np.clip(np.asarray(slope, dtype=np.float64), -STEEPEST, STEEPEST)
    flat = np.asarray(flat_kmh, dtype=np.float64)
    up = np.minimum(CLIMBING_POWER * RESISTANCE / (RESISTANCE + np.maximum(steep, 0.0)), 1.0)
    down = 1.0 + np.minimum(np.maximum(-steep, 0.0) / DOWNHILL_SLOPE, 1.0) * (DOWNHILL_SHARE - 1.0)
    ridden = flat * up * down
    pushed = walk_kmh / compute_walk_factor(steep)
    speed = np.where(flat > walk_kmh, np.maximum(ridden, np.minimum(pushed, flat)), flat / compute_walk_factor(steep))
    return np.asarray(np.divide(flat, speed, out=np.ones_like(speed), where=speed > 0), dtype=np.float64)


def compute_slope_factors(
    roads: RoadTable, heights: EdgeHeights, mode: Mode, *, flat_kmh: Floats, walk_kmh: float
) -> SlopeFactors | None:
    """Return the factors of every edge for ``mode``; None for cars, which slopes do not slow here.

    ``flat_kmh``: speed of the mode by edge (``network.compute_speeds``); ``walk_kmh``: speed on foot on the flat.
    """
    if mode == "drive":
        return None
    counts = np.diff(heights.start)
    edge = np.repeat(np.arange(roads.n_edges), counts - 1)
    first = np.arange(len(heights.height_m))
    first = np.delete(first, heights.start[1:] - 1)
    run = (roads.length_m / (counts - 1))[edge]
    rise = heights.height_m[first + 1] - heights.height_m[first]
    slope = np.nan_to_num(np.divide(rise, run, out=np.zeros(len(run)), where=run > 0), nan=0.0)
    steps = np.array([item.name == "steps" for item in roads.classes], dtype=bool)[roads.way_class[roads.way]]
    slope = np.where(steps[edge], 0.0, slope)

    def average(signed: Floats) -> Floats:
        if mode == "walk":
            factor = compute_walk_factor(signed)
        else:
            factor = compute_ride_factor(signed, flat_kmh=flat_kmh[edge], walk_kmh=walk_kmh)
        total = np.bincount(edge, weights=factor, minlength=roads.n_edges)
        return np.asarray(total / (counts - 1), dtype=np.float64)

    return SlopeFactors(average(slope), average(-slope))
