"""Points onto the nearest road edge, with the metres moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.errors import NetworkError
from geodata.messages import msg
from geodata.study import FrozenArrays, RoadNetwork

if TYPE_CHECKING:
    from geodata.snap_grid import SnapGrids

Floats: TypeAlias = npt.NDArray[np.float64]

_END = 1e-9


@dataclass(frozen=True, eq=False)
class Snap(FrozenArrays):
    """Where points join the network; one entry per point.

    The edge (``edge``: its number in :func:`build_edges`) runs from node ``tail`` to node ``head``, and the point lies
    at ``fraction`` (0 to 1) of it. ``forward_arc`` leads from tail to head and ``backward_arc`` from head to tail; -1
    where that is forbidden. ``snap_m`` is the straight way from the point to its place on the road (``x_m``, ``y_m``);
    NaN for a point without coordinates, which joins nothing.
    """

    edge: npt.NDArray[np.int64]
    tail: npt.NDArray[np.int32]
    head: npt.NDArray[np.int32]
    forward_arc: npt.NDArray[np.int32]
    backward_arc: npt.NDArray[np.int32]
    fraction: npt.NDArray[np.float64]
    snap_m: npt.NDArray[np.float64]
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Edges(FrozenArrays):
    """The undirected edges of a network, each once, with the arcs of both directions (-1 = none)."""

    tail: npt.NDArray[np.int32]
    head: npt.NDArray[np.int32]
    forward_arc: npt.NDArray[np.int32]
    backward_arc: npt.NDArray[np.int32]


def build_edges(network: RoadNetwork) -> Edges:
    """Pair the arcs of ``network`` to edges. Of parallel arcs the fastest is taken, of equally fast the shortest."""
    from geodata.search import pair_arcs

    return Edges(*pair_arcs(network.start, network.head, network.time_s, network.length_m))


@dataclass(frozen=True, eq=False)
class SnapIndex:
    """The edges of one network that points may join, ready to be searched.

    ``usable``: their numbers in ``edges``; ``ends``: x and y of their tails, x and y of their heads; ``grids``: see
    :mod:`geodata.snap_grid`.
    """

    edges: Edges
    usable: npt.NDArray[np.int64]
    ends: tuple[Floats, Floats, Floats, Floats]
    grids: SnapGrids


def build_snap_index(network: RoadNetwork, edges: Edges | None = None) -> SnapIndex:
    """Return the index of a network's edges; ``NetworkError`` where none can be joined."""
    from geodata.snap_grid import build_snap_grids

    edges = build_edges(network) if edges is None else edges
    if network.enterable is None:
        usable = np.arange(len(edges.tail))
    else:
        arc = np.where(edges.forward_arc >= 0, edges.forward_arc, edges.backward_arc)
        usable = np.flatnonzero(network.enterable[arc])
    if not len(usable):
        raise NetworkError(msg("The network has no road that a house or a school can be joined to."))
    tail, head = edges.tail[usable], edges.head[usable]
    x, y = network.x_m, network.y_m
    ends = (x[tail], y[tail], x[head], y[head])
    return SnapIndex(edges, usable, ends, build_snap_grids(ends))


def snap_points(
    network: RoadNetwork,
    x_m: npt.ArrayLike,
    y_m: npt.ArrayLike,
    *,
    edges: Edges | None = None,
    index: SnapIndex | None = None,
) -> Snap:
    """Return the nearest place on any edge that points may join, for each point.

    Points and network are in the same metric CRS. ``edges``, ``index``: those of the network, where they are known.

    Raises
    ------
    NetworkError
        The network has no edge that can be joined.
    """
    from geodata.snap_grid import find_nearest_pieces

    x, y = np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)
    index = build_snap_index(network, edges) if index is None else index
    edges, usable = index.edges, index.usable
    placed = np.isfinite(x) & np.isfinite(y)
    nearest = np.zeros(len(x), dtype=np.int64)
    nearest[placed] = find_nearest_pieces(index.grids, index.ends, x[placed], y[placed])
    tail_x, tail_y, head_x, head_y = (values[nearest] for values in index.ends)
    chosen, origin, goal = usable[nearest], np.column_stack([tail_x, tail_y]), np.column_stack([head_x, head_y])
    step = goal - origin
    square = np.maximum((step**2).sum(axis=1), 1e-12)
    fraction = np.clip(((np.column_stack([x, y]) - origin) * step).sum(axis=1) / square, 0.0, 1.0)
    # Rounding must not keep a point off a node: just beside it, a one-way street would be shut.
    fraction = np.where(fraction < _END, 0.0, np.where(fraction > 1.0 - _END, 1.0, fraction))
    place = origin + fraction[:, None] * step
    return Snap(
        edge=chosen,
        tail=edges.tail[chosen],
        head=edges.head[chosen],
        forward_arc=np.where(placed, edges.forward_arc[chosen], -1).astype(np.int32),
        backward_arc=np.where(placed, edges.backward_arc[chosen], -1).astype(np.int32),
        fraction=fraction,
        snap_m=np.hypot(place[:, 0] - x, place[:, 1] - y),
        x_m=place[:, 0],
        y_m=place[:, 1],
    )
