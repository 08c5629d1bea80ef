"""Points onto the nearest road edge, with the metres moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.errors import NetworkError
from geodata.messages import msg
from geodata.study import FrozenArrays, RoadNetwork

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
    """Pair the arcs of ``network`` to edges. Of parallel arcs the first in the network's order is taken."""
    tail = np.repeat(np.arange(network.n_nodes, dtype=np.int64), np.diff(network.start))
    head = network.head.astype(np.int64)
    key = np.minimum(tail, head) * network.n_nodes + np.maximum(tail, head)
    unique, edge = np.unique(key, return_inverse=True)
    forward = np.full(len(unique), -1, dtype=np.int32)
    backward = np.full(len(unique), -1, dtype=np.int32)
    arcs = np.arange(len(tail), dtype=np.int32)[::-1]
    rising = (tail < head)[::-1]
    edge = edge.reshape(-1)[::-1]
    forward[edge[rising]] = arcs[rising]  # written backwards, so that the first arc stays
    backward[edge[~rising]] = arcs[~rising]
    first, second = np.divmod(unique, network.n_nodes)
    return Edges(first.astype(np.int32), second.astype(np.int32), forward, backward)


@dataclass(frozen=True, eq=False)
class SnapIndex:
    """The edges of one network that points may join, ready to be searched.

    ``usable``: their numbers in ``edges``; ``ends`` (usable, 2, 2): x and y of both ends; ``tree``: a shapely STRtree.
    """

    edges: Edges
    usable: npt.NDArray[np.int64]
    ends: npt.NDArray[np.float64]
    tree: Any


def build_snap_index(network: RoadNetwork, edges: Edges | None = None) -> SnapIndex:
    """Return the index of a network's edges; ``NetworkError`` where none can be joined."""
    import shapely

    edges = build_edges(network) if edges is None else edges
    if network.enterable is None:
        usable = np.arange(len(edges.tail))
    else:
        arc = np.where(edges.forward_arc >= 0, edges.forward_arc, edges.backward_arc)
        usable = np.flatnonzero(network.enterable[arc])
    if not len(usable):
        raise NetworkError(msg("The network has no road that a house or a school can be joined to."))
    tail, head = edges.tail[usable], edges.head[usable]
    ends = np.stack(
        [
            np.column_stack([network.x_m[tail], network.y_m[tail]]),
            np.column_stack([network.x_m[head], network.y_m[head]]),
        ],
        axis=1,
    )
    return SnapIndex(edges, usable, ends, shapely.STRtree(np.asarray(shapely.linestrings(ends))))


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
    import shapely

    x, y = np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)
    index = build_snap_index(network, edges) if index is None else index
    edges, usable, ends, tree = index.edges, index.usable, index.ends, index.tree
    placed = np.isfinite(x) & np.isfinite(y)
    nearest = np.zeros(len(x), dtype=np.int64)
    nearest[placed] = tree.query_nearest(shapely.points(x[placed], y[placed]), all_matches=False)[1]
    chosen, origin, goal = usable[nearest], ends[nearest, 0], ends[nearest, 1]
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
