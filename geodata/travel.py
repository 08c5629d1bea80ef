"""Travel from units to schools and sites, in minutes and metres.

The times are those of the way *to* school; how they are found: ``docs/travel.md``. Points join the network in the
middle of the nearest edge; the part of the edge is counted exactly, also where a unit and a school lie on the same
edge.

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

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.cache import DiskCache
from geodata.given_travel import read_travel_matrix
from geodata.road_classes import STRAIGHT_LINE, read_road_classes
from geodata.snap import Snap, snap_points
from geodata.study import Mode, Progress, RoadNetwork, TravelMatrix, no_progress
from geodata.travel_choice import Method
from geodata.travel_nodes import measure_nodes, turn_network
from geodata.travel_search import Points, TravelSearch, compute_leg_m, read_points

__all__ = [
    "TravelSearch",
    "compute_leg_m",
    "compute_nearest_time",
    "compute_travel_matrix",
    "read_travel_matrix",
    "warm_up",
]


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
    method: Method = "auto",
    cache: DiskCache | None = None,
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
    method
        The way of searching (:mod:`geodata.travel_choice`); the numbers are the same.
    cache
        Where the shape of the roads' hierarchy is kept from run to run.

    Raises
    ------
    NetworkError
        The network has no road that points can join.
    ValueError
        ``network`` is of another mode.
    """
    if network is not None and network.mode != mode:
        raise ValueError(f"a network for {network.mode} was given for mode {mode}")
    units, destinations = read_points(unit_points), read_points(destination_points)
    if network is None or not len(units[1]) or not len(destinations[1]):
        time, length = measure_straight(units, destinations, mode, detour_factor, straight_kmh, cutoff_min)
        unit_snap, school_snap = np.zeros(len(units[1])), np.zeros(len(destinations[1]))
    else:
        search = TravelSearch(
            network,
            units,
            detour_factor=detour_factor,
            max_snap_m=max_snap_m,
            cutoff_min=cutoff_min,
            cache=cache,
        )
        time, length, school_snap = search.measure(destinations, progress, method=method)
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
    search = TravelSearch(line, (["a"], [0.0], [0.0]))
    methods: tuple[Method, ...] = ("bounded", "hierarchy")
    for method in methods:
        search.measure((["b"], [100.0], [0.0]), method=method)
        search.measure_minutes((["b"], [100.0], [0.0]), method=method)
    near = TravelSearch(line, (["a"], [0.0], [0.0]), cutoff_min=30.0)  # asks how far the cutoff reaches
    near.measure((["b"], [100.0], [0.0]))
    near.measure_minutes((["b"], [100.0], [0.0]))
    many = ["b"] * 5, [100.0] * 5, [0.0] * 5
    search.measure(many, method="hierarchy")
    search.measure_minutes(many, method="hierarchy")
    changed = search.with_costs([0], [80.0])
    for lengths in (False, True):
        search.find_touched(changed, (["b"], [100.0], [0.0]), lengths=lengths)
    measure_nodes(turn_network(line), [0], [1], cutoff_min=30.0)
    compute_nearest_time(line, [0.0], [0.0])


_Located: TypeAlias = tuple[tuple[str, ...], npt.NDArray[np.float64], npt.NDArray[np.float64]]


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


def _reverse(network: RoadNetwork) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return the network with every arc turned round: start, head, seconds."""
    from geodata import search

    tail = np.repeat(np.arange(network.n_nodes, dtype=np.int32), np.diff(network.start))
    start, head, order = search.turn_round(tail, network.head, network.n_nodes)
    return start, head, network.time_s[order]


def _measure_arrival(network: RoadNetwork, snap: Snap) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Return the two end nodes of each point's edge, and the seconds from them to the point; shape (points, 2).

    ``inf`` where one-way traffic forbids it; a point at the very end of an edge is at its node.
    """
    seconds = []
    for arc, part in ((snap.forward_arc, snap.fraction), (snap.backward_arc, 1.0 - snap.fraction)):
        shut = np.where((part == 0.0) & np.isfinite(snap.snap_m), 0.0, np.inf)
        seconds.append(np.where(arc >= 0, part * network.time_s[arc], shut))
    return np.column_stack([snap.tail, snap.head]), np.column_stack(seconds)
