"""Roads between crossings as single steps: the search skips the bends.

Most nodes of a road map are bends with one road in and one out. Here the network is folded to its crossings and road
ends ("core nodes"); a *chain* is the run of edges between two of them, laid out from its A end to its B end. Places
in the middle of a chain are reached from either end, or along the chain itself. Each chain gives two arcs of the core
graph, also where one-way traffic shuts one or both: number ``2 c`` leads from A to B, ``2 c + 1`` from B to A.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.snap import Edges, Snap
from geodata.study import FrozenArrays, RoadNetwork

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(eq=False)
class Sums:
    """One direction of all edges in chain order: each edge's own seconds and metres, and those of its chain before it.

    ``shut`` marks the edges that may not be used in this direction, ``shut_before`` counts those of the chain before
    the edge; they add nothing to the others. Not frozen: :func:`change_times` writes into a copy.
    """

    edge_s: npt.NDArray[np.float32]
    before_s: Floats
    edge_m: npt.NDArray[np.float32]
    before_m: Floats
    shut: npt.NDArray[np.bool_]
    shut_before: npt.NDArray[np.int32]

    def copy_times(self) -> Sums:
        """Return a copy whose times may be changed; the metres are shared."""
        return Sums(
            self.edge_s.copy(),
            self.before_s.copy(),
            self.edge_m,
            self.before_m,
            self.shut.copy(),
            self.shut_before.copy(),
        )

    def measure_chains(self, last: Ints) -> tuple[Floats, Floats]:
        """Return the seconds (``inf`` where shut) and metres of the whole chains that end before ``last``."""
        at = last - 1
        open_ = self.shut_before[at] + self.shut[at] == 0
        seconds = np.where(open_, self.before_s[at] + self.edge_s[at], np.inf)
        return seconds, self.before_m[at] + self.edge_m[at]


@dataclass(frozen=True, eq=False)
class Chains(FrozenArrays):
    """The folded network.

    Per edge of ``build_edges``: ``position`` in chain order, ``chain``, ``along`` (its tail lies towards A). Per chain:
    ``first`` and ``last`` position (the last is not part of it), ``a_node`` and ``b_node`` (core nodes). ``ahead`` and
    ``back``: the sums from A to B, and those of the edges driven towards A, both counted from A.
    """

    n_core: int
    position: npt.NDArray[np.int32]
    chain: npt.NDArray[np.int32]
    along: npt.NDArray[np.bool_]
    first: Ints
    last: Ints
    a_node: npt.NDArray[np.int32]
    b_node: npt.NDArray[np.int32]
    ahead: Sums
    back: Sums

    def list_arcs(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return tail and head of the core arcs, two per chain."""
        return (
            np.column_stack([self.a_node, self.b_node]).ravel(),
            np.column_stack([self.b_node, self.a_node]).ravel(),
        )

    def measure_arcs(self, chains: Ints | slice = slice(None)) -> tuple[Floats, Floats]:
        """Return seconds (``inf`` = shut) and metres of the core arcs of all or some chains, two per chain."""
        last = self.last[chains]
        pairs = zip(self.ahead.measure_chains(last), self.back.measure_chains(last), strict=True)
        seconds, metres = (np.column_stack(pair).ravel() for pair in pairs)
        return seconds, metres


@dataclass(frozen=True, eq=False)
class Places(FrozenArrays):
    """Points on chains; one entry per point, chain -1 = joins nothing.

    ``node`` (points, 2): core nodes A and B, -1 = none; ``end_s``, ``end_m``: to them, or from them, ``inf`` = shut.
    ``facts`` columns: place in chain order, seconds and metres ahead, seconds and metres back (from A to the place),
    closed edges ahead and back (counted so that a way between two places is open when the difference is not positive).
    """

    node: npt.NDArray[np.int32]
    end_s: Floats
    end_m: Floats
    chain: npt.NDArray[np.int32]
    facts: Floats


def build_chains(network: RoadNetwork, edges: Edges) -> Chains:
    """Fold ``network`` to its crossings and ends; a ring without any keeps one node."""
    from geodata import search

    incident_start, incident = search.list_incident(edges.tail, edges.head, network.n_nodes)
    core = np.diff(incident_start) != 2
    order, along, sizes, a_node, b_node = search.walk_chains(edges.tail, edges.head, incident_start, incident, core)
    position = np.empty(len(order), dtype=np.int32)
    position[order] = np.arange(len(order), dtype=np.int32)
    last = np.cumsum(sizes, dtype=np.int64)
    first = last - sizes
    chain = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    forward, backward = edges.forward_arc[order], edges.backward_arc[order]
    core_number = (np.cumsum(core, dtype=np.int64) - 1).astype(np.int32)
    along_edge = np.empty(len(order), dtype=np.bool_)
    along_edge[order] = along
    return Chains(
        n_core=int(core.sum()),
        position=position,
        chain=chain[position],
        along=along_edge,
        first=first,
        last=last,
        a_node=core_number[a_node],
        b_node=core_number[b_node],
        ahead=_sum_up(network, np.where(along, forward, backward), first, last),
        back=_sum_up(network, np.where(along, backward, forward), first, last),
    )


def place_points(chains: Chains, snap: Snap, *, arriving: bool) -> Places:
    """Return where snapped points lie on their chains.

    ``arriving``: seconds and metres from the ends to the point; else from the point to the ends. ``inf`` where
    one-way traffic forbids it.
    """
    position = chains.position[snap.edge]
    chain = chains.chain[snap.edge]
    share = np.where(chains.along[snap.edge], snap.fraction, 1.0 - snap.fraction)
    gone = (snap.forward_arc < 0) & (snap.backward_arc < 0)
    final = chains.last[chain] - 1
    # The point's own edge counts only where the point is not just at its end.
    entered, passed = share > 0, share == 1
    ahead, back = chains.ahead, chains.back
    ahead_s, ahead_m = _read_place(ahead, position, share)
    back_s, back_m = _read_place(back, position, share)
    towards_a, towards_b = (ahead, back) if arriving else (back, ahead)  # whose edges join the point with A, with B
    a_s, a_m = (ahead_s, ahead_m) if arriving else (back_s, back_m)
    b_s, b_m = (back_s, back_m) if arriving else (ahead_s, ahead_m)
    a_shut = _count_shut(towards_a, position, entered) > 0
    b_shut = _count_shut(towards_b, final, True) - _count_shut(towards_b, position, passed) > 0
    a_shut, b_shut = a_shut | gone, b_shut | gone
    whole_s = towards_b.before_s[final] + towards_b.edge_s[final]
    whole_m = towards_b.before_m[final] + towards_b.edge_m[final]
    node = np.column_stack([chains.a_node[chain], chains.b_node[chain]])
    closed_ahead = _count_shut(ahead, position, entered if arriving else passed)
    closed_back = _count_shut(back, position, passed if arriving else entered)
    return Places(
        node=np.where(gone[:, None], -1, node).astype(np.int32),
        end_s=np.column_stack([np.where(a_shut, np.inf, a_s), np.where(b_shut, np.inf, whole_s - b_s)]),
        end_m=np.column_stack([np.where(a_shut, np.inf, a_m), np.where(b_shut, np.inf, whole_m - b_m)]),
        chain=np.where(gone, -1, chain).astype(np.int32),
        facts=np.column_stack([position + share, ahead_s, ahead_m, back_s, back_m, closed_ahead, closed_back]),
    )


def measure_along(units: Floats, schools: Floats) -> tuple[Floats, Floats]:
    """Return seconds and metres between places on one chain without leaving it; ``inf`` where shut.

    Both hold rows of ``Places.facts``, pair by pair.
    """
    ahead = (units[:, 0] <= schools[:, 0]) & (schools[:, 5] <= units[:, 5])
    back = (units[:, 0] >= schools[:, 0]) & (units[:, 6] <= schools[:, 6])
    ahead_s = np.where(ahead, np.maximum(schools[:, 1] - units[:, 1], 0.0), np.inf)
    back_s = np.where(back, np.maximum(units[:, 3] - schools[:, 3], 0.0), np.inf)
    ahead_m, back_m = np.maximum(schools[:, 2] - units[:, 2], 0.0), np.maximum(units[:, 4] - schools[:, 4], 0.0)
    seconds = np.minimum(ahead_s, back_s)
    metres = np.where(back_s < ahead_s, back_m, ahead_m)
    return seconds, np.where(np.isfinite(seconds), metres, np.inf)


def change_times(
    chains: Chains, edges: Edges, edge: Ints, forward_s: Floats, backward_s: Floats
) -> npt.NDArray[np.int64]:
    """Write new seconds (``inf`` = closed, NaN = as it was) into the sums of some edges; return the chains changed.

    ``chains.ahead`` and ``chains.back`` must be copies (``Sums.copy_times``). A direction in which the network has no
    arc stays shut.
    """
    spot = chains.position[edge]
    along = chains.along[edge]
    forward_s = np.where(edges.forward_arc[edge] < 0, np.nan, forward_s)
    backward_s = np.where(edges.backward_arc[edge] < 0, np.nan, backward_s)
    changed = np.unique(chains.chain[edge]).astype(np.int64)
    for sums, seconds in (
        (chains.ahead, np.where(along, forward_s, backward_s)),
        (chains.back, np.where(along, backward_s, forward_s)),
    ):
        given = ~np.isnan(seconds)
        sums.shut[spot[given]] = np.isinf(seconds[given])
        sums.edge_s[spot[given]] = np.where(np.isinf(seconds), 0.0, seconds)[given]
        for chain in changed:
            part = slice(chains.first[chain], chains.last[chain])
            sums.before_s[part] = np.cumsum(np.append(0.0, sums.edge_s[part][:-1]), dtype=np.float64)
            sums.shut_before[part] = np.cumsum(sums.shut[part]) - sums.shut[part]
    return changed


def _read_place(sums: Sums, position: npt.NDArray[np.int32], share: Floats) -> tuple[Floats, Floats]:
    """Return the seconds and metres from A to a share of an edge."""
    return (
        sums.before_s[position] + share * sums.edge_s[position],
        sums.before_m[position] + share * sums.edge_m[position],
    )


def _count_shut(sums: Sums, position: npt.NDArray[np.integer], own: npt.NDArray[np.bool_] | bool) -> Ints:
    """Return the shut edges between A and an edge, with the edge itself where ``own``."""
    return np.asarray(sums.shut_before[position] + (sums.shut[position] & own), dtype=np.int64)


def _sum_up(network: RoadNetwork, arc: npt.NDArray[np.int32], first: Ints, last: Ints) -> Sums:
    """Return the sums of one direction; ``arc`` in chain order, -1 = none."""
    from geodata import search

    return Sums(*search.sum_chains(arc, first, last, network.time_s, network.length_m))
