"""A generated road map of any size that looks like unsimplified OpenStreetMap; the same for the same seed.

Crossings lie densely in towns (sizes by Zipf's law) and thinly between them; roads are short edges of their Delaunay
triangulation that keep everything connected; ever faster classes join neighbouring centres of three levels, as village,
county and trunk roads do; a quarter of the side streets is one-way; every road winds through bends of its own. Times
are whole milliseconds, so that every engine can be given the same numbers.

How near it comes (share of nodes by number of neighbours; one-way share of edges; metres per edge; km/h):

| map | nodes | arcs a node | 1 | 2 | 3 | 4+ | one-way | median m | median km/h |
|---|---|---|---|---|---|---|---|---|---|
| Porto Alegre, drive | 30,566 | 1.94 | 0.07 | 0.59 | 0.25 | 0.08 | 0.35 | 27 | 25 |
| Reykjavík, drive | 89,625 | 1.87 | 0.07 | 0.76 | 0.15 | 0.02 | 0.24 | 14 | 25 |
| Reykjavík, walk | 171,805 | 2.17 | 0.05 | 0.78 | 0.14 | 0.04 | 0.00 | 10 | 4 |
| generated, seed 2026 | 1,000,000 | 2.04 | 0.06 | 0.73 | 0.11 | 0.10 | 0.21 | 37 | 25 |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from scipy.spatial import Delaunay

from geodata.network import compute_curve_position
from geodata.study import RoadNetwork

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

CORE_SHARE = 0.39  # crossings and road ends among all nodes, some of which end up as bends
ROADS_PER_CORE = 1.36
ONE_WAY_SHARE = 0.95
"""Of the side streets that are not the only way to a place."""
SIDE_STREET_KMH = (15.0, 25.0, 25.0, 30.0)
LEVELS = ((150, 40.0), (3_000, 60.0), (60_000, 90.0))
"""Crossings per centre, and the km/h of the roads that join neighbouring centres."""
M2_PER_CORE = 12_000.0


@dataclass(frozen=True, eq=False)
class RoadGraph:
    """A network in curve order, and ``file_order``: its nodes in the order in which a file would list them."""

    network: RoadNetwork
    file_order: Ints


def build_road_graph(nodes: int, seed: int = 2026) -> RoadGraph:
    """Return a road map of ``nodes`` nodes (at least 100; a few less where two lie on one spot)."""
    draw = np.random.default_rng(seed)
    core = max(int(nodes * CORE_SHARE), 30)
    x, y = _draw_crossings(draw, core)
    tail, head, spare = _choose_roads(draw, x, y)
    kmh = _choose_speeds(draw, x, y, tail, head)
    one_way = spare & (kmh <= max(SIDE_STREET_KMH)) & (draw.random(len(tail)) < ONE_WAY_SHARE)
    bends = nodes - core
    edges, x, y = _wind(draw, (x, y), (tail, head), bends)
    road = edges[2]
    length = np.hypot(x[edges[0]] - x[edges[1]], y[edges[0]] - y[edges[1]])
    millis = np.maximum(np.rint(length / (kmh[road] / 3.6) * 1000.0), 1.0)
    return _pack(draw, (x, y), edges, np.rint(length * 1000.0) / 1000.0, millis, one_way[road])


def _draw_crossings(draw: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Return places of crossings: seven tenths in towns, the rest all over the land."""
    side = np.sqrt(count * M2_PER_CORE * 4.0)
    towns = max(count // 800, 3)
    share = 1.0 / np.arange(1, towns + 1) ** 0.8
    town = draw.choice(towns, size=int(count * 0.7), p=share / share.sum())
    radius = np.sqrt(np.bincount(town, minlength=towns) * M2_PER_CORE / np.pi)[town]
    away, turn = radius * np.sqrt(draw.random(len(town))), draw.random(len(town)) * 2.0 * np.pi
    middle = draw.random((towns, 2)) * side
    rest = draw.random((count - len(town), 2)) * side
    x = np.concatenate([middle[town, 0] + away * np.cos(turn), rest[:, 0]])
    y = np.concatenate([middle[town, 1] + away * np.sin(turn), rest[:, 1]])
    order = np.argsort(compute_curve_position(x, y), kind="stable")
    return x[order], y[order]


def _choose_roads(draw: np.random.Generator, x: Floats, y: Floats) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """Return the ends of the roads: a spanning tree of the triangulation, and the shortest other edges (marked)."""
    corners = Delaunay(np.column_stack([x, y])).simplices.astype(np.int64)
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    key = np.unique(pairs.min(axis=1) * len(x) + pairs.max(axis=1))
    tail, head = np.divmod(key, len(x))
    weight = np.hypot(x[tail] - x[head], y[tail] - y[head]) * draw.uniform(0.5, 1.5, len(key)) + 1e-3
    tree = minimum_spanning_tree(csr_array((weight, (tail, head)), shape=(len(x), len(x)))).tocoo()
    own = np.isin(key, tree.row.astype(np.int64) * len(x) + tree.col)
    spare = np.flatnonzero(~own)
    more = spare[np.argsort(weight[spare])[: int(len(x) * ROADS_PER_CORE) - int(own.sum())]]
    chosen = np.sort(np.concatenate([np.flatnonzero(own), more]))
    return tail[chosen], head[chosen], ~own[chosen]


def _choose_speeds(draw: np.random.Generator, x: Floats, y: Floats, tail: Ints, head: Ints) -> Floats:
    """Return km/h per road: side streets, and on the fastest ways between neighbouring centres ever more."""
    kmh = draw.choice(SIDE_STREET_KMH, len(tail))
    length = np.hypot(x[tail] - x[head], y[tail] - y[head]) + 1e-3
    for per_centre, faster in LEVELS:
        centres = draw.choice(len(x), max(len(x) // per_centre, 2), replace=False)
        kmh[_join_centres(len(x), tail, head, length / kmh, centres)] = faster
    return kmh


def _join_centres(n_nodes: int, tail: Ints, head: Ints, weight: Floats, centres: Ints) -> Ints:
    """Return the roads on the quickest way between each two centres whose surroundings touch."""
    graph = csr_array((weight, (tail, head)), shape=(n_nodes, n_nodes))
    away, before, centre = dijkstra(graph, directed=False, indices=centres, min_only=True, return_predecessors=True)
    border = np.flatnonzero(centre[tail] != centre[head])
    low, high = np.minimum(centre[tail], centre[head])[border], np.maximum(centre[tail], centre[head])[border]
    order = np.lexsort(((away[tail] + away[head] + weight)[border], high, low))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    links = border[order[first]]
    used = np.zeros(n_nodes, dtype=bool)
    at = np.concatenate([tail[links], head[links]])
    while len(at):
        at = np.unique(at[(before[at] >= 0) & ~used[at]]).astype(np.int64)
        used[at] = True
        at = before[at].astype(np.int64)
    on_tree = (used[tail] & (before[tail] == head)) | (used[head] & (before[head] == tail))
    return np.union1d(np.flatnonzero(on_tree), links)


def _wind(
    draw: np.random.Generator, places: tuple[Floats, Floats], roads: tuple[Ints, Ints], bends: int
) -> tuple[tuple[Ints, Ints, Ints], Floats, Floats]:
    """Return the edges (tail, head, road) and all places after ``bends`` bends are put on the roads."""
    (x, y), (tail, head) = places, roads
    length = np.hypot(x[tail] - x[head], y[tail] - y[head])
    share = np.sqrt(length + 1.0) * draw.exponential(1.0, len(tail))
    count = np.bincount(draw.choice(len(tail), bends, p=share / share.sum()), minlength=len(tail))
    road = np.repeat(np.arange(len(tail)), count)
    last = np.cumsum(count)
    place = np.arange(bends) - np.repeat(last - count, count)
    along = (place + 1.0 + draw.uniform(-0.35, 0.35, bends)) / (count[road] + 1.0)
    aside = draw.normal(0.0, 0.04, bends) * length[road]
    step_x, step_y = (x[head] - x[tail])[road], (y[head] - y[tail])[road]
    unit = np.maximum(length[road], 1e-9)
    bend_x = x[tail][road] + along * step_x - aside * step_y / unit
    bend_y = y[tail][road] + along * step_y + aside * step_x / unit
    own = len(x) + np.arange(bends)
    begin = np.where(place == 0, tail[road], own - 1)
    final = np.where(count > 0, len(x) + last - 1, tail)  # each road's last piece
    edges = (
        np.concatenate([begin, final]),
        np.concatenate([own, head]),
        np.concatenate([road, np.arange(len(tail))]),
    )
    return edges, np.concatenate([x, bend_x]), np.concatenate([y, bend_y])


def _pack(
    draw: np.random.Generator,
    places: tuple[Floats, Floats],
    edges: tuple[Ints, Ints, Ints],
    length_m: Floats,
    millis: Floats,
    one_way: npt.NDArray[np.bool_],
) -> RoadGraph:
    """Return the part whose nodes all lead to each other, in curve order, and the order of a file of its roads."""
    (x, y), (tail, head, _) = places, edges
    back = ~one_way
    source, target = np.concatenate([tail, head[back]]), np.concatenate([head, tail[back]])
    graph = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(len(x), len(x)))
    label = connected_components(graph.tocsr(), directed=True, connection="strong")[1]
    kept = np.flatnonzero(label == np.bincount(label).argmax())
    kept = kept[np.argsort(compute_curve_position(x[kept], y[kept]), kind="stable")]
    number = np.full(len(x), -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    own = (number[source] >= 0) & (number[target] >= 0)
    source, target = number[source[own]], number[target[own]]
    length, time = (np.concatenate([values, values[back]])[own] for values in (length_m, millis))
    order = np.lexsort((time, target, source))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(source[order]) != 0) | (np.diff(target[order]) != 0)
    order = order[first]
    start = np.zeros(len(kept) + 1, dtype=np.int32)
    start[1:] = np.cumsum(np.bincount(source[order], minlength=len(kept)))
    network = RoadNetwork(
        mode="drive",
        start=start,
        head=target[order].astype(np.int32),
        length_m=length[order].astype(np.float32),
        time_s=(time[order] / 1000.0).astype(np.float32),
        x_m=x[kept],
        y_m=y[kept],
        source="generated",
    )
    return RoadGraph(network, _list_as_file(draw, number, edges))


def _list_as_file(draw: np.random.Generator, number: Ints, edges: tuple[Ints, Ints, Ints]) -> Ints:
    """Return the nodes road by road, the roads in no order: as they were mapped over the years."""
    tail, head, road = edges
    turn = draw.permutation(int(road.max()) + 1)[road]
    order = np.lexsort((np.arange(len(road)), turn))
    listed = number[np.column_stack([tail[order], head[order]]).ravel()]
    listed = listed[listed >= 0]
    _, first = np.unique(listed, return_index=True)
    return listed[np.sort(first)]
