"""One network with its units, ready to be asked for the ways to any school; see ``docs/travel.md`` for the method.

Two ways of searching give the same numbers: a bounded search from each school (:mod:`geodata.search`), and sweeps over
a contraction hierarchy (:mod:`geodata.hierarchy`). :mod:`geodata.travel_choice` says which one is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.cache import DiskCache
from geodata.chains import Chains, Places, build_chains, change_times, place_points
from geodata.messages import msg
from geodata.snap import Edges, Snap, SnapIndex, build_snap_index, snap_points
from geodata.study import FrozenArrays, Progress, RoadNetwork, no_progress
from geodata.travel_choice import PROBE_NODES, PROBES, Method, Work, choose_method
from geodata.travel_engines import BoundedEngine, HierarchyEngine, Question, count_threads
from geodata.travel_pairs import Located, PairFinder
from geodata.whole_costs import cost_type, to_limit

__all__ = ["Points", "Touched", "TravelSearch", "compute_leg_m", "read_points"]

Points: TypeAlias = tuple[Sequence[str] | npt.NDArray[np.object_], npt.ArrayLike, npt.ArrayLike]
"""Ids, x_m and y_m of the same length."""
Floats32: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


def read_points(points: Points) -> tuple[tuple[str, ...], Floats, Floats]:
    """Return ids, x and y; ``ValueError`` where they are not of the same length."""
    ids, x, y = points
    found = tuple(map(str, ids)), np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not len(found[0]) == len(found[1]) == len(found[2]):
        raise ValueError("ids, x_m and y_m must be of the same length")
    return found


def compute_leg_m(snap_m: Floats, detour_factor: float, max_snap_m: float) -> Floats:
    """Return the metres walked between a point and the road ``snap_m`` away."""
    return np.asarray(snap_m + (detour_factor - 1.0) * np.maximum(snap_m - max_snap_m, 0.0), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Touched(FrozenArrays):
    """Whom a change of roads may concern: columns (``destinations``) and rows (``units``) of a travel table."""

    destinations: npt.NDArray[np.bool_]
    units: npt.NDArray[np.bool_]


class TravelSearch:
    """One network with its units, ready to be searched from any destination.

    Parameters
    ----------
    units
        Ids, x_m and y_m in the network's CRS, at least one.
    detour_factor, max_snap_m, cutoff_min
        See :func:`geodata.travel.compute_travel_matrix`.
    used_again
        More questions will follow: worth preparing.
    cache
        Where the hierarchy's shape is kept from run to run.
    threads
        0 = one per processor, at most eight. The numbers do not depend on it.

    Raises
    ------
    NetworkError
        The network has no road that points can join.
    """

    def __init__(
        self,
        network: RoadNetwork,
        units: Points,
        *,
        detour_factor: float = 1.3,
        max_snap_m: float = 500.0,
        cutoff_min: float = float("inf"),
        used_again: bool = False,
        cache: DiskCache | None = None,
        threads: int = 0,
    ) -> None:
        self.network = network
        self.detour, self.max_snap_m = detour_factor, max_snap_m
        self.limit_s = cutoff_min * 60.0
        self.walk_m_s = network.off_road_kmh / 3.6
        self.used_again = used_again
        self.threads = count_threads(threads)
        self.index: SnapIndex = build_snap_index(network)
        self.chains: Chains = build_chains(network, self.index.edges)
        _, x, y = read_points(units)
        self.unit_snap = snap_points(network, x, y, index=self.index)
        self.units = self._locate(x, y, self.unit_snap, arriving=False)
        self.finder = PairFinder(self.units, detour_factor / self.walk_m_s, detour_factor)
        self.bounded = BoundedEngine(self.chains, self.units)
        self.hierarchy = HierarchyEngine(self.chains, self.units, cache)
        self.changed_chains: Ints = np.empty(0, dtype=np.int64)
        self._arc_edge: npt.NDArray[np.int32] | None = None
        self._times: tuple[Floats, Floats, Floats] | None = None  # of a fork's units, open to change

    def measure(
        self, destination_points: Points, progress: Progress = no_progress, *, method: Method = "auto"
    ) -> tuple[Floats32, Floats32, Floats]:
        """Return minutes and metres, shape (units, destinations), and the metres between destinations and road.

        ``method`` names the way of searching; the numbers are the same.
        """
        return self._measure(destination_points, progress, method, lengths=True)

    def measure_minutes(
        self, destination_points: Points, progress: Progress = no_progress, *, method: Method = "auto"
    ) -> tuple[Floats32, Floats]:
        """Return minutes, shape (units, destinations), and the metres between destinations and road.

        Half the memory and half the time of :meth:`measure`.
        """
        time, _, snap_m = self._measure(destination_points, progress, method, lengths=False)
        return time, snap_m

    def find_snap_m(self, x_m: float, y_m: float) -> float:
        """Return the metres between a point and the nearest road that it can join."""
        return float(snap_points(self.network, [x_m], [y_m], index=self.index).snap_m[0])

    def prepare(self, *, lengths: bool = True) -> None:
        """Build the hierarchy now, so that the next question is answered at once."""
        self.hierarchy.prepare(lengths=lengths)

    def with_costs(self, arcs: npt.ArrayLike, time_s: npt.ArrayLike) -> TravelSearch:
        """Return the same search on roads with other times; ``arcs`` of the network, ``time_s`` seconds each.

        ``inf`` closes a road in that direction, NaN leaves it as it is. Prepare first: the copy shares what does not
        change. To try many changes, :meth:`fork` once and :meth:`change` the copy again and again. Of parallel arcs
        the slower ones are not used, also when the fastest is closed (``build_network`` keeps one only).
        """
        twin = self.fork()
        twin.change(arcs, time_s)
        return twin

    def fork(self) -> TravelSearch:
        """Return a copy that may be changed without touching this search."""
        if self._arc_edge is None:
            self._arc_edge = _number_edges(self.index.edges, len(self.network.head))
        ahead, back = self.chains.ahead.copy_times(), self.chains.back.copy_times()
        own = self.units.places
        times = (own.end_s.copy(), own.end_m.copy(), own.facts.copy())
        twin = copy(self)
        twin.chains = replace(self.chains, ahead=ahead, back=back)
        twin.units = replace(self.units, places=Places(own.node, times[0], times[1], own.chain, times[2]))
        twin.finder = self.finder.with_units(twin.units)
        twin.bounded = self.bounded.fork(twin.chains, twin.units)
        twin.hierarchy = self.hierarchy.fork(twin.chains, twin.units)
        twin._times = times
        return twin

    def change(self, arcs: npt.ArrayLike, time_s: npt.ArrayLike) -> None:
        """Put other times on some arcs of a :meth:`fork`, in place; see :meth:`with_costs`.

        Only what the arcs touch is computed again: their chains, the units on these, and the part of the hierarchy
        above. ``ValueError`` for a search that is not a fork.
        """
        if self._times is None or self._arc_edge is None:
            raise ValueError("only a fork may be changed")
        arc, seconds = np.asarray(arcs, dtype=np.int64).ravel(), np.asarray(time_s, dtype=np.float64).ravel()
        known = self._arc_edge[arc] >= 0  # a slower parallel road is not used at all
        arc, seconds = arc[known], seconds[known]
        edge, at = np.unique(self._arc_edge[arc], return_inverse=True)
        forward = self.index.edges.forward_arc[edge][at] == arc
        forward_s, backward_s = np.full(len(edge), np.nan), np.full(len(edge), np.nan)
        forward_s[at[forward]], backward_s[at[~forward]] = seconds[forward], seconds[~forward]
        chains = change_times(self.chains, self.index.edges, edge.astype(np.int64), forward_s, backward_s)
        rows = self.finder.list_units_on(chains)
        if len(rows):
            snap = Snap(*(getattr(self.unit_snap, item.name)[rows] for item in fields(Snap)))
            places = place_points(self.chains, snap, arriving=False)
            for kept, new in zip(self._times, (places.end_s, places.end_m, places.facts), strict=True):
                kept[rows] = new
        self.changed_chains = np.union1d(self.changed_chains, chains)
        self.bounded.change()
        self.hierarchy.change(chains, rows)

    def find_touched(self, changed: TravelSearch, destination_points: Points, *, lengths: bool = True) -> Touched:
        """Return whom the roads of ``changed``, a fork of this search, may concern.

        ``lengths=False``: minutes alone (an equally fast way may become longer or shorter), in less time.

        The ways from all other units to all other destinations are as they were. Why: such a way that gets faster or
        slower enters a changed chain at one of its ends, and from the first such end on it differs; so it is enough to
        compare the ends of the changed chains. Units and destinations on a changed chain are always named.
        """
        chains = changed.changed_chains
        _, x, y = read_points(destination_points)
        snap = snap_points(self.network, x, y, index=self.index)
        schools = self._locate(x, y, snap, arriving=True)
        ends = np.unique(np.concatenate([self.chains.a_node[chains], self.chains.b_node[chains]]))
        before, after = (
            search.hierarchy.measure_from_nodes(ends, schools, lengths=lengths) for search in (self, changed)
        )
        destinations = (before != after).any(axis=0) | np.isin(schools.places.chain, chains)
        units = np.zeros(len(self.units.x_m), dtype=np.bool_)
        units[self.finder.list_units_on(chains)] = True
        return Touched(destinations, units)

    def _locate(self, x: Floats, y: Floats, snap: Snap, *, arriving: bool) -> Located:
        places = place_points(self.chains, snap, arriving=arriving)
        leg_m = compute_leg_m(snap.snap_m, self.detour, self.max_snap_m)
        return Located(x, y, snap.snap_m, leg_m / self.walk_m_s, leg_m, places)

    def _measure(
        self, points: Points, progress: Progress, method: Method, *, lengths: bool
    ) -> tuple[Floats32, Floats32, Floats]:
        _, x, y = read_points(points)
        snap = snap_points(self.network, x, y, index=self.index)
        schools = self._locate(x, y, snap, arriving=True)
        limit = to_limit(self.limit_s, cost_type(lengths))
        question = Question(schools, self.finder, lengths, limit, self.threads)
        chosen = self._choose(question) if method == "auto" else method
        engine = self.hierarchy if chosen == "hierarchy" else self.bounded
        time, length = engine.measure(question, lambda share: progress(msg("Measuring travel"), share))
        progress(msg("Measuring travel"), 1.0)
        return time, length, snap.snap_m

    def _choose(self, question: Question) -> Method:
        """Return the way of searching with less work; see :mod:`geodata.travel_choice`."""
        count = len(question.schools.x_m)
        core, reach = self.chains.n_core, float(self.chains.n_core)
        ready = self.hierarchy.ready(lengths=question.lengths)
        if np.isfinite(self.limit_s) and count:
            probes = np.linspace(0, count - 1, min(PROBES, count)).astype(np.int64)
            reach = self.bounded.count_reach(question, probes, PROBE_NODES) / len(probes)
            reach = reach if reach < PROBE_NODES else float(core)
        return choose_method(Work(count, reach, core, prepared=ready, used_again=self.used_again))


def _number_edges(edges: Edges, n_arcs: int) -> npt.NDArray[np.int32]:
    """Return the edge of every arc; -1 for one that a faster parallel arc stands for."""
    found = np.full(n_arcs, -1, dtype=np.int32)
    for arc in (edges.forward_arc, edges.backward_arc):
        there = np.flatnonzero(arc >= 0)
        found[arc[there]] = there
    return found
