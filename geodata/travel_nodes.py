"""Minutes between nodes of a network as it is given: nothing is folded, no point is placed, nothing is kept.

For a small cutoff this is the least work. The numbers are those of the other ways of searching: whole milliseconds an
arc (at most half a millisecond of rounding each).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.study import RoadNetwork
from geodata.travel_engines import BLOCK, count_threads, run_blocks
from geodata.whole_costs import LONGEST_MS, to_limit

Whole: TypeAlias = npt.NDArray[np.int32]
Turned: TypeAlias = tuple[Whole, Whole, Whole]
"""Start, head and milliseconds of the arcs turned round: ``start[i]:start[i + 1]`` are those that lead to ``i``."""


def turn_network(network: RoadNetwork) -> Turned:
    """Return the arcs turned round, in whole milliseconds; to be kept where several questions follow."""
    from geodata import search

    turned: Any = search.turn_costs(network.start, network.head, network.time_s, LONGEST_MS)
    return turned[0], turned[1], turned[2]


def measure_nodes(
    turned: Turned,
    unit_nodes: npt.ArrayLike,
    goal_nodes: npt.ArrayLike,
    *,
    cutoff_min: float = float("inf"),
    threads: int = 0,
) -> npt.NDArray[np.float32]:
    """Return the minutes from each of some nodes to each of some others, shape (units, goals).

    NaN beyond ``cutoff_min`` and where no way leads. ``turned``: see :func:`turn_network`.
    """
    from geodata import search

    units, goals = (np.asarray(nodes, dtype=np.int32).ravel() for nodes in (unit_nodes, goal_nodes))
    first, item = search.list_nodes(units, len(turned[0]) - 1)
    limit = np.int32(to_limit(cutoff_min * 60.0, np.int32))
    minutes = np.full((len(units), len(goals)), np.nan, dtype=np.float32)

    def fill(begin: int) -> None:
        search.fill_nodes(turned, (first, item), goals[begin : begin + BLOCK], limit, begin, minutes)

    run_blocks(fill, range(0, len(goals), BLOCK), count_threads(threads))
    return minutes
