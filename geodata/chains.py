"""Roads between crossings as single steps: the search skips the bends.

Most nodes of a road map are bends with one road in and one out. Here the network is folded to its crossings and road
ends ("core nodes"); a *chain* is the run of edges between two of them, laid out from its A end to its B end. Places
in the middle of a chain are reached from either end, or along the chain itself. Nothing is rounded: the sums are those
of the edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.snap import Edges, Snap
from geodata.study import FrozenArrays, RoadNetwork

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Sums(FrozenArrays):
    """Running sums of one direction over all edges in chain order; entry ``p`` counts the edges before ``p``.

    ``closed`` counts the edges that may not be used in this direction; they add nothing to the other two.
    """

    seconds: Floats
    metres: Floats
    closed: Ints


@dataclass(frozen=True, eq=False)
class Chains(FrozenArrays):
    """The folded network.

    ``graph``: the *reversed* core graph (start, head, seconds, metres). Per edge of ``build_edges``: ``position`` in
    chain order, ``chain``, ``along`` (its tail lies towards A). Per chain: ``first`` and ``last`` position (the last
    is not part of it), ``a_node`` and ``b_node`` (core nodes).
    """

    graph: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats, Floats]
    position: Ints
    chain: Ints
    along: npt.NDArray[np.bool_]
    first: Ints
    last: Ints
    a_node: Ints
    b_node: Ints
    ahead: _Sums
    back: _Sums


@dataclass(frozen=True, eq=False)
class Places(FrozenArrays):
    """Points on chains; one entry per point, chain -1 = joins nothing.

    ``node`` (points, 2): core nodes A and B; ``end_s``, ``end_m``: to them, or from them. ``facts`` columns: place in
    chain order, seconds and metres ahead, seconds and metres back (running sums at the place), closed edges ahead and
    back (counted so that a way between two places is open when the difference is not positive).
    """

    node: npt.NDArray[np.int32]
    end_s: Floats
    end_m: Floats
    chain: Ints
    facts: Floats


def build_chains(network: RoadNetwork, edges: Edges) -> Chains:
    """Fold ``network`` to its crossings and ends; a ring without any keeps one node."""
    from geodata import search

    incident_start, incident = _list_incident(network.n_nodes, edges)
    degree = np.diff(incident_start)
    core = degree != 2
    order, along_in_order, sizes, a_node, b_node = search.walk_chains(
        edges.tail, edges.head, incident_start, incident, core
    )
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    along = np.empty(len(order), dtype=bool)
    along[order] = along_in_order
    last = np.cumsum(sizes)
    first = last - sizes
    ahead_arc = np.where(along, edges.forward_arc, edges.backward_arc)[order]
    back_arc = np.where(along, edges.backward_arc, edges.forward_arc)[order]
    ahead, back = _sum_up(network, ahead_arc), _sum_up(network, back_arc)
    core_number = np.cumsum(core, dtype=np.int64) - 1
    a_core, b_core = core_number[a_node], core_number[b_node]
    return Chains(
        graph=_build_reversed_core(int(core.sum()), a_core, b_core, first, last, ahead, back),
        position=position,
        chain=np.repeat(np.arange(len(sizes)), sizes)[position],
        along=along,
        first=first,
        last=last,
        a_node=a_core,
        b_node=b_core,
        ahead=ahead,
        back=back,
    )


def place_points(chains: Chains, snap: Snap, *, arriving: bool) -> Places:
    """Return where snapped points lie on their chains.

    ``arriving``: seconds and metres from the ends to the point; else from the point to the ends. ``inf`` where
    one-way traffic forbids it.
    """
    position = chains.position[snap.edge]
    chain = chains.chain[snap.edge]
    share = np.where(chains.along[snap.edge], snap.fraction, 1.0 - snap.fraction)
    first, last = chains.first[chain], chains.last[chain]
    # The point's own edge counts only where the point is not just at its end.
    before, after = position + (share > 0), position + (share == 1)
    ahead_s, ahead_m = _read_place(chains.ahead, position, share)
    back_s, back_m = _read_place(chains.back, position, share)
    a_side, b_side = (chains.ahead, chains.back) if arriving else (chains.back, chains.ahead)
    a_s, a_m = (ahead_s, ahead_m) if arriving else (back_s, back_m)
    b_s, b_m = (back_s, back_m) if arriving else (ahead_s, ahead_m)
    a_shut = a_side.closed[before] - a_side.closed[first] > 0
    b_shut = b_side.closed[last] - b_side.closed[after] > 0
    gone = (snap.forward_arc < 0) & (snap.backward_arc < 0)
    a_shut, b_shut = a_shut | gone, b_shut | gone
    closed_ahead = chains.ahead.closed[before if arriving else after]
    closed_back = chains.back.closed[after if arriving else before]
    return Places(
        node=np.column_stack([chains.a_node[chain], chains.b_node[chain]]).astype(np.int32),
        end_s=np.column_stack(
            [
                np.where(a_shut, np.inf, a_s - a_side.seconds[first]),
                np.where(b_shut, np.inf, b_side.seconds[last] - b_s),
            ]
        ),
        end_m=np.column_stack(
            [
                np.where(a_shut, np.inf, a_m - a_side.metres[first]),
                np.where(b_shut, np.inf, b_side.metres[last] - b_m),
            ]
        ),
        chain=np.where(gone, -1, chain),
        facts=np.column_stack([position + share, ahead_s, ahead_m, back_s, back_m, closed_ahead, closed_back]),
    )


def _read_place(sums: _Sums, position: Ints, share: Floats) -> tuple[Floats, Floats]:
    """Return the running seconds and metres at a share of an edge."""
    seconds = sums.seconds[position] + share * (sums.seconds[position + 1] - sums.seconds[position])
    metres = sums.metres[position] + share * (sums.metres[position + 1] - sums.metres[position])
    return seconds, metres


def _list_incident(n_nodes: int, edges: Edges) -> tuple[Ints, Ints]:
    """Return the edges at each node: ``incident[start[i]:start[i+1]]``."""
    node = np.concatenate([edges.tail, edges.head])
    edge = np.tile(np.arange(len(edges.tail), dtype=np.int64), 2)
    start = np.zeros(n_nodes + 1, dtype=np.int64)
    start[1:] = np.cumsum(np.bincount(node, minlength=n_nodes))
    return start, edge[np.argsort(node, kind="stable")]


def _sum_up(network: RoadNetwork, arc: npt.NDArray[np.int32]) -> _Sums:
    def run(values: npt.NDArray[np.generic]) -> Floats:
        return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])

    shut = arc < 0
    return _Sums(
        seconds=run(np.where(shut, 0.0, network.time_s[arc])),
        metres=run(np.where(shut, 0.0, network.length_m[arc])),
        closed=run(shut).astype(np.int64),
    )


def _build_reversed_core(
    n_core: int, a_node: Ints, b_node: Ints, first: Ints, last: Ints, ahead: _Sums, back: _Sums
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats, Floats]:
    """Return start, head, seconds and metres of the core graph with every chain's direction turned round."""
    tails, heads, seconds, metres = [], [], [], []
    # What leads from A to B is, reversed, an arc at B.
    for sums, goal, origin in ((ahead, b_node, a_node), (back, a_node, b_node)):
        open_chain = (sums.closed[last] == sums.closed[first]) & (a_node != b_node)
        tails.append(goal[open_chain])
        heads.append(origin[open_chain])
        seconds.append((sums.seconds[last] - sums.seconds[first])[open_chain])
        metres.append((sums.metres[last] - sums.metres[first])[open_chain])
    tail, head = np.concatenate(tails), np.concatenate(heads)
    order = np.argsort(tail, kind="stable")
    start = np.zeros(n_core + 1, dtype=np.int32)
    start[1:] = np.cumsum(np.bincount(tail, minlength=n_core))
    return start, head[order].astype(np.int32), np.concatenate(seconds)[order], np.concatenate(metres)[order]
