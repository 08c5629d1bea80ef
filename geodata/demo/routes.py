"""Roads between the settlements: cheapest paths over the land, the big roads first, the small ones joining them.

A net of triangles between scattered points covers the county. Roads follow its sides: hills make a side dear, a road
that is there already makes it cheap, the river can be crossed at few places. So roads wind, merge and end blind as real
ones do, and meet in shared nodes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay

from geodata.demo.settlements import Settlement
from geodata.demo.terrain import CENTRE_M, SEAT_M, Terrain
from geodata.demo.ways import Points, build_generator, round_points

RANKS = ("trunk", "primary", "secondary", "tertiary", "unclassified", "track", "path")
NONE = len(RANKS)
REUSE = (0.45, 0.45, 0.5, 0.55, 0.6, 0.85, 0.9, 1.0)
"""What a side costs, as a share, where a road of each rank is already."""
SPACING_M = 400.0
RURAL_BRIDGES_SHARE = (0.3, 0.385, 0.79, 0.925)
"""Where the river may be crossed outside the seat, as shares of its length."""

Ints = npt.NDArray[np.int64]


@dataclass
class RouteNet:
    """The net of triangle sides. Nodes: first the loose points, then gates and hubs of the settlements.

    ``gate_of`` maps (settlement number, crossing of its net) to the node, ``hub`` the settlement number to its hub.
    ``virtual`` sides lead through a settlement's own streets. ``rank`` is the best road on a side, ``NONE`` for none.
    """

    xy: Points
    first: Ints
    last: Ints
    cost: Points
    virtual: npt.NDArray[np.bool_]
    bridge: npt.NDArray[np.bool_]
    gate_of: dict[tuple[int, int], int]
    hub: list[int]
    rank: Ints
    side_of: dict[tuple[int, int], int] = field(default_factory=dict)
    label: dict[int, str] = field(default_factory=dict)

    def build_graph(self) -> csr_matrix:
        """Return the weighted graph in its present state."""
        weight = self.cost * np.array(REUSE)[self.rank]
        size = len(self.xy)
        rows, columns = np.r_[self.first, self.last], np.r_[self.last, self.first]
        return csr_matrix((np.r_[weight, weight], (rows, columns)), shape=(size, size))

    def lay_road(self, nodes: list[int], rank: int, label: str = "") -> None:
        """Make every side along ``nodes`` a road of at least ``rank``; a side that becomes better takes ``label``."""
        for a, b in itertools.pairwise(nodes):
            side = self.side_of[min(a, b), max(a, b)]
            if rank < self.rank[side]:
                self.rank[side], self.label[side] = rank, label

    def lay_route(self, start: int, end: int, rank: int, label: str = "") -> None:
        """Lay the cheapest road between two nodes; ``label`` is its name, a space, and its number."""
        before = dijkstra(self.build_graph(), directed=False, indices=start, return_predecessors=True)[1]
        self.lay_road(trace(before, end), rank, label)


def trace(before: npt.NDArray[np.int32], end: int) -> list[int]:
    """Return the nodes of the path that ends in ``end``, given each node's predecessor."""
    nodes = [end]
    while before[nodes[-1]] >= 0:
        nodes.append(int(before[nodes[-1]]))
    return nodes[::-1]


def scatter_points(rng: np.random.Generator, terrain: Terrain, places: list[Settlement]) -> Points:
    """Return loose points over the county, clear of water and settlements."""
    step = SPACING_M
    columns, rows = np.meshgrid(np.arange(-24_000, 24_000, step), np.arange(-22_000, 22_000, step * 0.87))
    columns[1::2] += step / 2
    spots = np.column_stack([columns.ravel(), rows.ravel()]) + np.array(CENTRE_M)
    spots += rng.uniform(-0.36, 0.36, spots.shape) * step
    points = shapely.points(spots)
    built = shapely.union_all([place.footprint.buffer(110.0) for place in places])
    water = shapely.union_all([terrain.river.buffer(105.0), terrain.reservoir.buffer(70.0), *terrain.ponds])
    free = shapely.contains(terrain.outline.buffer(-60.0), points)
    for area in (built, water):
        shapely.prepare(area)
        free &= ~shapely.intersects(area, points)
    return round_points(spots[free])


def build_route_net(seed: int, terrain: Terrain, places: list[Settlement]) -> RouteNet:
    """Span the net of triangle sides over the county."""
    rng = build_generator(seed, "routes")
    loose = scatter_points(rng, terrain, places)
    gates = [(k, gate) for k, place in enumerate(places) for gate in place.net.gates]
    gate_xy = np.array([reach_out(places[k], gate, terrain) for k, gate in gates])
    xy = np.vstack([loose, gate_xy, [place.net.xy[place.net.hub] for place in places]])
    gate_of = {key: len(loose) + n for n, key in enumerate(gates)}
    hub = [len(loose) + len(gates) + k for k in range(len(places))]
    sides = _list_sides(xy[: len(loose) + len(gates)], terrain, places)
    sides, bridge = _bridge_river(xy, sides, terrain)
    length = np.hypot(*(xy[sides[:, 0]] - xy[sides[:, 1]]).T)
    height = terrain.compute_height(xy)
    slope = np.abs(height[sides[:, 0]] - height[sides[:, 1]]) / np.maximum(length, 30.0)
    cost = length * (1.0 + 9.0 * slope) * rng.uniform(0.86, 1.3, len(length)) + 900.0 * bridge
    inner = np.array([(hub[k], gate_of[k, gate]) for k, gate in gates])
    inner_length = np.hypot(*(xy[inner[:, 0]] - xy[inner[:, 1]]).T)
    first, last = np.r_[sides[:, 0], inner[:, 1]], np.r_[sides[:, 1], inner[:, 0]]
    net = RouteNet(
        xy, first, last, np.r_[cost, inner_length * 1.1 + 1.0],
        np.r_[np.zeros(len(sides), bool), np.ones(len(inner), bool)],
        np.r_[bridge, np.zeros(len(inner), bool)], gate_of, hub, np.full(len(first), NONE),
    )  # fmt: skip
    net.side_of = {
        (min(a, b), max(a, b)): k for k, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True))
    }
    return net


def reach_out(place: Settlement, gate: int, terrain: Terrain) -> Points:
    """Return the point just outside the settlement where a road arrives that leads to ``gate``.

    It lies away from the middle, or in line with a street where the river would be in the way.
    """
    net = place.net
    start = net.xy[gate]
    others = [net.hub] + [
        edge.last if edge.first == gate else edge.first
        for edge in net.edges
        if edge.tags and gate in (edge.first, edge.last)
    ]
    point = start
    for other in others:
        away = (start - net.xy[other]) / max(float(np.hypot(*(start - net.xy[other]))), 1.0)
        inside = shapely.LineString([start, start + 900.0 * away]).intersection(place.footprint).length
        point = round_points(start + away * (inside + 26.0))
        if not terrain.river_area.intersects(shapely.LineString([start, point])):
            break
    return np.asarray(point)


def straighten(net: RouteNet, terrain: Terrain) -> None:
    """Shift the points along the better roads, so that a road does not bend at every junction."""
    fixed = np.zeros(len(net.xy), bool)
    fixed[list(net.gate_of.values())] = True
    fixed[net.hub] = True
    fixed |= shapely.distance(shapely.points(net.xy), terrain.river) < 260.0
    fixed |= shapely.distance(shapely.points(net.xy), terrain.reservoir) < 200.0
    fixed |= shapely.distance(shapely.points(net.xy), shapely.MultiPolygon(terrain.ponds)) < 150.0
    for rank, rounds in ((0, 8), (1, 6), (2, 4), (3, 2), (4, 1)):
        side = np.flatnonzero((net.rank == rank) & ~net.virtual)
        count = np.bincount(np.r_[net.first[side], net.last[side]], minlength=len(net.xy))
        move = (count == 2) & ~fixed
        for _ in range(rounds):
            total = np.zeros_like(net.xy)
            np.add.at(total, net.first[side], net.xy[net.last[side]])
            np.add.at(total, net.last[side], net.xy[net.first[side]])
            net.xy[move] = 0.5 * net.xy[move] + 0.25 * total[move]
        fixed |= count > 0
    net.xy[:] = round_points(net.xy)


def _list_sides(xy: Points, terrain: Terrain, places: list[Settlement]) -> Ints:
    """Return the triangle sides that stay inside the county and outside settlements and still water."""
    triangles = Delaunay(xy).simplices
    sides = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1)
    sides = np.unique(sides, axis=0).astype(np.int64)
    lines = shapely.linestrings(xy[sides])
    blocked = np.hypot(*(xy[sides[:, 0]] - xy[sides[:, 1]]).T) > 1_500.0
    walls = [place.footprint.buffer(-4.0) for place in places] + [terrain.reservoir, *terrain.ponds]
    tree = shapely.STRtree(walls)
    blocked[tree.query(lines, predicate="intersects")[0]] = True
    inside = terrain.outline.buffer(-20.0)
    shapely.prepare(inside)
    return np.asarray(sides[~blocked & shapely.contains_properly(inside, lines)])


def _bridge_river(xy: Points, sides: Ints, terrain: Terrain) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Drop the sides across the river, but for one short side at each bridge."""
    lines = shapely.linestrings(xy[sides])
    crossing = shapely.intersects(lines, terrain.river)
    spots = shapely.line_interpolate_point(terrain.river, RURAL_BRIDGES_SHARE, normalized=True)
    bridge = np.zeros(len(sides), bool)
    for spot in spots:
        score = shapely.distance(lines, spot) + 0.8 * shapely.length(lines)
        bridge[int(np.argmin(np.where(crossing, score, np.inf)))] = True
    keep = ~crossing | bridge
    return sides[keep], bridge[keep]


def find_border_node(net: RouteNet, terrain: Terrain, bearing_deg: float) -> int:
    """Return the loose node nearest to the county border in the direction ``bearing_deg`` (0 north, 90 east)."""
    angle = np.radians(bearing_deg)
    target = (SEAT_M[0] + 60_000.0 * np.sin(angle), SEAT_M[1] + 60_000.0 * np.cos(angle))
    exit_ = shapely.LineString(np.array([SEAT_M, target])).intersection(terrain.outline.exterior)
    spot = shapely.get_coordinates(exit_)[-1]
    used = np.unique(np.r_[net.first, net.last])
    return int(used[np.argmin(np.hypot(*(net.xy[used] - spot).T))])


def lay_roads(seed: int, net: RouteNet, terrain: Terrain, places: list[Settlement]) -> None:
    """Lay the roads in the order in which they would have been built: national, provincial, county, village, field."""
    rng = build_generator(seed, "roads")
    hub = net.hub
    for bearing in (292.0, 104.0):
        net.lay_route(find_border_node(net, terrain, bearing), hub[0], 0, "宁川线 G9X6")
    for bearing in (12.0, 196.0):
        net.lay_route(find_border_node(net, terrain, bearing), hub[0], 1, "云澄线 S9X2")
    towns = [k for k, place in enumerate(places) if place.kind == "town"]
    xy = np.array([(place.x_m, place.y_m) for place in places])
    for k in sorted(towns, key=lambda t: float(np.hypot(*(xy[t] - xy[0])))):
        net.lay_route(hub[k], hub[0], 2, f"澄{places[k].name[0]}线 X9{k:02d}")
    for k in towns:
        near = sorted((t for t in towns if t != k), key=lambda t: float(np.hypot(*(xy[t] - xy[k]))))
        for t in near[: 2 if places[k].hilliness < 0.4 else 1]:
            net.lay_route(hub[k], hub[t], 2, f"{places[k].name[0]}{places[t].name[0]}线 X9{20 + k:02d}")
    for bearing in (48.0, 140.0, 318.0, 238.0):
        net.lay_route(find_border_node(net, terrain, bearing), hub[0], 3)
    _lay_village_roads(rng, net, places, xy)
    _lay_tracks(rng, net, terrain)


def _lay_village_roads(rng: np.random.Generator, net: RouteNet, places: list[Settlement], xy: Points) -> None:
    """Join every village to its town; in the plain also to neighbours. Big villages get the better road."""
    centre = {place.name: k for k, place in enumerate(places) if place.kind == "town"}
    villages = [k for k, place in enumerate(places) if place.kind == "village"]
    goal = {k: centre.get(places[k].town, 0) for k in villages}
    by_size = sorted(villages, key=lambda k: (-places[k].people, k))
    for n, k in enumerate(by_size):
        rank = 3 if n < 70 and places[k].hilliness < 0.6 else 4
        net.lay_route(net.hub[k], net.hub[goal[k]], rank, f" Y{900 + n}" if rank == 3 else "")
    for k in villages:
        away = np.hypot(*(xy - xy[k]).T)
        away[k] = np.inf
        links = 1 if places[k].hilliness > 0.45 else 3
        for t in np.argsort(away)[:links]:
            if rng.random() < (0.2 if places[k].hilliness > 0.45 else 0.62):
                net.lay_route(net.hub[k], net.hub[int(t)], 4)


def _lay_tracks(rng: np.random.Generator, net: RouteNet, terrain: Terrain) -> None:
    """Lay field tracks in the plain and footpaths in the hills, from loose points to the nearest road."""
    used = np.unique(np.r_[net.first[net.rank < NONE], net.last[net.rank < NONE]])
    away, before, _ = dijkstra(net.build_graph(), directed=False, indices=used, min_only=True, return_predecessors=True)
    free = np.flatnonzero(np.isfinite(away) & (away > 320.0) & (away < 1_700.0))
    chosen = rng.permutation(free)[:760]
    hilly = terrain.compute_hilliness(net.xy)
    for node in np.sort(chosen):
        net.lay_road(trace(before, int(node)), 6 if hilly[node] > 0.55 else 5)
