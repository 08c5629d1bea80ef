"""Travel from units to schools and sites, in minutes and metres.

From every destination a bounded Dijkstra runs over the reversed network, so that the times are those of the way *to*
school. Points join the network in the middle of the nearest edge; the part of the edge is counted exactly, also where
a unit and a school lie on the same edge.

Off the road
    The way between a point and the road is walked, whatever the mode, and is counted in minutes and metres. Up to
    ``max_snap_m`` it counts as straight (yards and paths lead to the road); every metre beyond counts
    ``detour_factor`` times, because a road is missing there.
No road needed
    Where the straight line between two points is no longer than their two ways to the road together, they may be
    joined directly: straight line × ``detour_factor``, walked, if that is faster.
No network
    Straight line × ``detour_factor`` at the mode's speed (row ``straight_line`` of ``road_classes.csv``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.chains import build_chains, place_points
from geodata.given_travel import read_travel_matrix
from geodata.messages import msg
from geodata.road_classes import STRAIGHT_LINE, read_road_classes
from geodata.snap import Snap, SnapIndex, build_snap_index, snap_points
from geodata.study import Mode, Progress, RoadNetwork, TravelMatrix, no_progress

__all__ = ["compute_leg_m", "compute_nearest_time", "compute_travel_matrix", "read_travel_matrix", "warm_up"]

Points: TypeAlias = tuple[Sequence[str] | npt.NDArray[np.object_], npt.ArrayLike, npt.ArrayLike]
"""Ids, x_m and y_m of the same length."""

_BLOCK = 8  # destinations a thread takes at a time: small enough to show progress, large enough to reuse its arrays


def compute_travel_matrix(
    network: RoadNetwork | None,
    unit_points: Points,
    destination_points: Points,
    *,
    mode: Mode,
    cutoff_min: float = float("inf"),
    detour_factor: float = 1.3,
    max_snap_m: float = 500.0,
    straight_kmh: float | None = None,
    progress: Progress = no_progress,
) -> TravelMatrix:
    """Return minutes and metres from every unit to every destination; see the module for what is counted.

    Parameters
    ----------
    network
        The roads of ``mode``; ``None`` = straight lines.
    unit_points, destination_points
        Ids, x_m and y_m in the network's CRS. A point without coordinates is unreachable.
    cutoff_min
        Longer ways are NaN; a cutoff makes the search much faster.
    straight_kmh
        Speed of ``mode`` where there is no network; default: the table's.

    Raises
    ------
    NetworkError
        The network has no road that points can join.
    ValueError
        ``network`` is of another mode.
    """
    if network is not None and network.mode != mode:
        raise ValueError(f"a network for {network.mode} was given for mode {mode}")
    units, destinations = _read_points(unit_points), _read_points(destination_points)
    if network is None or not len(units[1]) or not len(destinations[1]):
        time, length = measure_straight(units, destinations, mode, detour_factor, straight_kmh, cutoff_min)
        unit_snap, school_snap = np.zeros(len(units[1])), np.zeros(len(destinations[1]))
    else:
        search = TravelSearch(network, units, detour_factor=detour_factor, max_snap_m=max_snap_m, cutoff_min=cutoff_min)
        time, length, school_snap = search.measure(destinations, progress)
        unit_snap = search.unit_snap.snap_m
    return TravelMatrix(
        mode=mode,
        unit_ids=units[0],
        destination_ids=destinations[0],
        time_min=time,
        length_m=length,
        unit_snap_m=unit_snap.astype(np.float32),
        destination_snap_m=school_snap.astype(np.float32),
        method="straight line" if network is None else "roads",
        detour_factor=detour_factor,
        cutoff_min=cutoff_min,
        max_snap_m=max_snap_m,
    )


def compute_nearest_time(
    network: RoadNetwork,
    x_m: npt.ArrayLike,
    y_m: npt.ArrayLike,
    *,
    max_min: float = float("inf"),
    detour_factor: float = 1.3,
    max_snap_m: float = 500.0,
    snap: Snap | None = None,
) -> npt.NDArray[np.float64]:
    """Return, for every node, the minutes to the nearest of the destinations; NaN beyond ``max_min``.

    The destinations' own way to the road is counted. ``snap``: theirs, where it is known already.
    """
    from geodata import search

    if snap is None:
        snap = snap_points(network, x_m, y_m)
    leg_s = compute_leg_m(snap.snap_m, detour_factor, max_snap_m) / (network.off_road_kmh / 3.6)
    nodes, seconds = _measure_arrival(network, snap)
    seconds = seconds + leg_s[:, None]
    best = search.settle_all(_reverse(network), nodes.ravel(), seconds.ravel(), max_min * 60.0)
    return np.where(np.isfinite(best), best / 60.0, np.nan)


def compute_leg_m(snap_m: npt.NDArray[np.float64], detour_factor: float, max_snap_m: float) -> npt.NDArray[np.float64]:
    """Return the metres walked between a point and the road ``snap_m`` away."""
    return np.asarray(snap_m + (detour_factor - 1.0) * np.maximum(snap_m - max_snap_m, 0.0), dtype=np.float64)


def warm_up() -> None:
    """Compile the search (some seconds on the first run of an installation, then kept by numba)."""
    line = RoadNetwork(
        mode="walk",
        start=np.array([0, 1, 2], dtype=np.int32),
        head=np.array([1, 0], dtype=np.int32),
        length_m=np.array([100, 100], dtype=np.float32),
        time_s=np.array([90, 90], dtype=np.float32),
        x_m=np.array([0.0, 100.0]),
        y_m=np.array([0.0, 0.0]),
    )
    compute_travel_matrix(line, (["a"], [0.0], [0.0]), (["b"], [100.0], [0.0]), mode="walk")
    compute_nearest_time(line, [0.0], [0.0])


_Located: TypeAlias = tuple[tuple[str, ...], npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _read_points(points: Points) -> _Located:
    ids, x, y = points
    found = tuple(map(str, ids)), np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not len(found[0]) == len(found[1]) == len(found[2]):
        raise ValueError("ids, x_m and y_m must be of the same length")
    return found


def measure_straight(
    units: _Located,
    destinations: _Located,
    mode: Mode,
    detour_factor: float,
    speed_kmh: float | None,
    cutoff_min: float,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return minutes and metres along straight lines × the detour factor."""
    kmh = read_road_classes()[STRAIGHT_LINE].speed_kmh[mode] if speed_kmh is None else speed_kmh
    metres = detour_factor * np.hypot(
        units[1][:, None] - destinations[1][None, :], units[2][:, None] - destinations[2][None, :]
    )
    minutes = metres / (kmh / 0.06)  # km/h to metres a minute
    beyond = ~(minutes <= cutoff_min)
    minutes[beyond] = np.nan
    metres[beyond] = np.nan
    return minutes.astype(np.float32), metres.astype(np.float32)


_Graph: TypeAlias = tuple[
    npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.float32]
]


def _reverse(network: RoadNetwork) -> _Graph:
    """Return the network with every arc turned round: start, head, seconds, metres."""
    tail = np.repeat(np.arange(network.n_nodes, dtype=np.int32), np.diff(network.start))
    order = np.argsort(network.head, kind="stable")
    start = np.zeros(network.n_nodes + 1, dtype=np.int32)
    start[1:] = np.cumsum(np.bincount(network.head, minlength=network.n_nodes))
    return start, tail[order], network.time_s[order], network.length_m[order]


def _measure_arrival(network: RoadNetwork, snap: Snap) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Return the two end nodes of each point's edge, and the seconds from them to the point; shape (points, 2).

    ``inf`` where one-way traffic forbids it; a point at the very end of an edge is at its node.
    """
    seconds = []
    for arc, part in ((snap.forward_arc, snap.fraction), (snap.backward_arc, 1.0 - snap.fraction)):
        shut = np.where((part == 0.0) & np.isfinite(snap.snap_m), 0.0, np.inf)
        seconds.append(np.where(arc >= 0, part * network.time_s[arc], shut))
    return np.column_stack([snap.tail, snap.head]), np.column_stack(seconds)


class TravelSearch:
    """One network with its units, ready to be searched from any destination.

    Parameters
    ----------
    units
        Ids, x_m and y_m in the network's CRS, at least one.
    detour_factor, max_snap_m, cutoff_min
        See :func:`compute_travel_matrix`.

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
    ) -> None:
        self.network = network
        self.detour, self.max_snap_m = detour_factor, max_snap_m
        self.limit_s = cutoff_min * 60.0
        self.walk_m_s = network.off_road_kmh / 3.6
        self.index: SnapIndex = build_snap_index(network)
        self.chains = build_chains(network, self.index.edges)
        located = _read_points(units)
        self.unit_snap = snap_points(network, located[1], located[2], index=self.index)
        self.units = self._lay_out(located, self.unit_snap, arriving=False)

    def measure(
        self, destination_points: Points, progress: Progress = no_progress
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Return minutes and metres, shape (units, destinations), and the metres between destinations and road."""
        destinations = _read_points(destination_points)
        snap = snap_points(self.network, destinations[1], destinations[2], index=self.index)
        time, length = self._run(destinations, snap, progress)
        return time, length, snap.snap_m

    def find_snap_m(self, x_m: float, y_m: float) -> float:
        """Return the metres between a point and the nearest road that it can join."""
        return float(snap_points(self.network, [x_m], [y_m], index=self.index).snap_m[0])

    def _lay_out(self, points: _Located, snap: Snap, *, arriving: bool) -> tuple[npt.NDArray[np.generic], ...]:
        """Return the arrays that the kernel wants for points: see ``search._read_units``."""
        places = place_points(self.chains, snap, arriving=arriving)
        leg_m = compute_leg_m(snap.snap_m, self.detour, self.max_snap_m)
        walk = np.column_stack([leg_m / self.walk_m_s, leg_m, snap.snap_m, points[1], points[2]])
        return places.node, places.end_s, places.end_m, places.chain, places.facts, walk

    def _run(
        self, destinations: _Located, snap: Snap, progress: Progress
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return minutes and metres, shape (units, destinations)."""
        from geodata import search

        schools = self._lay_out(destinations, snap, arriving=True)
        shape = (len(destinations[0]), len(self.unit_snap.snap_m))
        time, length = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
        blocks = [slice(first, first + _BLOCK) for first in range(0, shape[0], _BLOCK)]

        def fill(rows: slice) -> None:
            search.fill_block(
                self.chains.graph,
                self.units,
                tuple(part[rows] for part in schools),
                self.limit_s,
                self.detour / self.walk_m_s,
                self.detour,
                time[rows],
                length[rows],
            )

        fill(blocks[0])  # alone, so that numba compiles only once
        pool = ThreadPoolExecutor(max_workers=max(1, min(os.cpu_count() or 1, 8)))
        try:
            for done, _ in enumerate(pool.map(fill, blocks[1:]), start=1):
                progress(msg("Measuring travel"), done / len(blocks))
        finally:  # also when the user cancels
            pool.shutdown(cancel_futures=True)
        progress(msg("Measuring travel"), 1.0)
        return np.ascontiguousarray(time.T), np.ascontiguousarray(length.T)
