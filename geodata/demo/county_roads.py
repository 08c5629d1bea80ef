"""From the laid routes to drawn ways: smooth curves through the hills, names and numbers, bridges, class changes."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.demo.routes import NONE, RANKS, RouteNet, straighten
from geodata.demo.settlements import Settlement
from geodata.demo.terrain import Terrain
from geodata.demo.ways import Points, StreetNet, Tags, WayBook, build_generator, join_edges, round_points

STEP_M = (38.0, 36.0, 32.0, 28.0, 25.0, 28.0, 24.0)
"""Distance between the nodes of a curve, by rank."""
TAGS: tuple[Tags, ...] = (
    {"highway": "trunk", "maxspeed": "80"},
    {"highway": "primary", "maxspeed": "70"},
    {"highway": "secondary", "maxspeed": "60"},
    {"highway": "tertiary", "maxspeed": "40"},
    {"highway": "unclassified"},
    {"highway": "track"},
    {"highway": "path"},
)


def upgrade_axes(net: RouteNet, places: list[Settlement]) -> None:
    """Give the streets on which a road passes through a village or town the class of that road."""
    for (k, gate), node in net.gate_of.items():
        side = net.side_of[min(node, net.hub[k]), max(node, net.hub[k])]
        rank = int(net.rank[side])
        if k == 0 or rank >= 5:
            continue
        limit = 2 if places[k].kind == "town" else 1
        streets = [edge for edge in places[k].net.edges if edge.tags]
        for n in places[k].net.axes.get(gate, []):
            present = streets[n].tags
            if rank <= limit or places[k].kind == "village":
                old = RANKS.index(present["highway"]) if present["highway"] in RANKS else NONE
                streets[n].tags = {**present, "highway": RANKS[min(rank, old)]}


def write_streets(book: WayBook, net: StreetNet) -> list[int]:
    """Write the existing streets of one settlement; returns the book's numbers of its crossings."""
    streets = [edge for edge in net.edges if edge.tags]
    return join_edges(book, StreetNet(net.xy, streets, net.hub, net.gates, net.axes))


def list_chains(net: RouteNet) -> list[tuple[list[int], int, bool]]:
    """Return the laid roads between junctions as (nodes, first side, bridge); a change of class or name ends one."""
    laid = np.flatnonzero((net.rank < NONE) & ~net.virtual)
    at: dict[int, list[int]] = {}
    for side in laid.tolist():
        at.setdefault(int(net.first[side]), []).append(side)
        at.setdefault(int(net.last[side]), []).append(side)
    ends = set(net.gate_of.values())
    for node, sides in at.items():
        kinds = {(int(net.rank[side]), bool(net.bridge[side]), net.label[side]) for side in sides}
        if len(sides) != 2 or len(kinds) > 1:
            ends.add(node)
    done: set[int] = set()
    chains = []
    for start in sorted(ends & set(at)):
        for side in at[start]:
            if side in done:
                continue
            nodes, here = [start], side
            while True:
                done.add(here)
                nodes.append(int(net.last[here] if net.first[here] == nodes[-1] else net.first[here]))
                if nodes[-1] in ends:
                    break
                here = next(other for other in at[nodes[-1]] if other != here)
            chains.append((nodes, side, bool(net.bridge[side])))
    return chains


def smooth(points: Points, rounds: int = 3) -> Points:
    """Cut the corners of an open line again and again (Chaikin); the ends stay."""
    for _ in range(rounds):
        near, far = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.vstack([points[:1], np.stack([near, far], axis=1).reshape(-1, 2)[1:-1], points[-1:]])
    return points


def space_out(points: Points, step_m: float) -> Points:
    """Return points about ``step_m`` apart along a line, both ends included."""
    line = shapely.LineString(points)
    parts = max(1, round(line.length / step_m))
    return shapely.get_coordinates(shapely.line_interpolate_point(line, np.linspace(0, 1, parts + 1), normalized=True))


def wind(rng: np.random.Generator, points: Points, hilliness: Points, step_m: float) -> Points:
    """Make a line wind: sideways waves, strong in the hills, none at its ends."""
    count = len(points)
    if count < 6:
        return points
    heading = np.gradient(points, axis=0)
    normal = np.column_stack([-heading[:, 1], heading[:, 0]]) / np.maximum(np.hypot(*heading.T), 1e-9)[:, None]
    along = np.arange(count) * step_m
    lengths, phases = rng.uniform(170.0, 560.0, 3), rng.uniform(0, 2 * np.pi, 3)
    wave = sum(np.sin(2 * np.pi * along / length + phase) for length, phase in zip(lengths, phases, strict=True))
    fade = np.clip(np.minimum(np.arange(count), np.arange(count)[::-1]) / 6.0, 0.0, 1.0)
    return np.asarray(points + normal * (wave * fade * (2.5 + 17.0 * hilliness))[:, None])


def write_county_roads(seed: int, book: WayBook, net: RouteNet, terrain: Terrain, places: list[Settlement]) -> None:
    """Draw streets and roads into ``book``."""
    rng = build_generator(seed, "curves")
    upgrade_axes(net, places)
    straighten(net, terrain)
    number: dict[int, int] = {}
    for k, place in enumerate(places):
        crossings = write_streets(book, place.net)
        for gate in place.net.gates:
            node = net.gate_of[k, gate]
            rank = int(net.rank[net.side_of[min(node, net.hub[k]), max(node, net.hub[k])]])
            if rank < NONE:
                number[node] = book.add_node(*net.xy[node])
                tags = TAGS[max(rank, 2)] if place.kind == "seat" else TAGS[rank]
                book.add_way([crossings[gate], number[node]], dict(tags))
    walls = shapely.STRtree([*(place.footprint.buffer(-6.0) for place in places), terrain.river_area])
    for nodes, side, bridge in list_chains(net):
        rank = int(net.rank[side])
        control = net.xy[nodes]
        step = STEP_M[rank]
        curve = space_out(smooth(control), step)
        curve = wind(rng, curve, terrain.compute_hilliness(curve), step) if not bridge else space_out(control, step)
        if not bridge and len(walls.query(shapely.LineString(curve), predicate="intersects")):
            curve = space_out(control, step)
        for node in (nodes[0], nodes[-1]):
            if node not in number:
                number[node] = book.add_node(*net.xy[node])
        inner = book.add_nodes(round_points(curve[1:-1]))
        book.add_way([number[nodes[0]], *inner, number[nodes[-1]]], describe(rank, bridge, net.label[side]))


def describe(rank: int, bridge: bool, label: str) -> Tags:
    """Return the tags of a road: class, speed, and the invented name and number of the bigger ones."""
    tags = dict(TAGS[rank])
    name, _, ref = label.partition(" ")
    if name:
        tags["name"] = name
    if ref:
        tags["ref"] = ref
    if bridge:
        tags |= {"bridge": "yes", "layer": "1"}
    return tags
