"""The expressway of the demo county: two one-way carriageways, few interchanges, bridges over whatever it meets."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.demo.county_roads import smooth, space_out
from geodata.demo.settlements import Settlement
from geodata.demo.terrain import CENTRE_M, Terrain
from geodata.demo.ways import Points, Tags, WayBook, round_points

NAME = "宁川—云澄高速"
REF = "S9X8"
HALF_GAP_M = 13.0
INTERCHANGE_GAP_M = 4_000.0
JOINED_CLASSES = ("trunk", "primary", "secondary")


def choose_line(terrain: Terrain, places: list[Settlement]) -> shapely.LineString:
    """Return a gentle north-south curve in the eastern plain that keeps clear of settlements and ponds.

    Dynamic programming over rows 800 m apart: nearness to a settlement costs, and so does a step aside.
    """
    rows, columns = np.arange(24_000.0, -24_001.0, -800.0), np.arange(4_600.0, 12_601.0, 120.0)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2) + np.array(CENTRE_M)
    obstacles = shapely.union_all([*(place.footprint for place in places), *terrain.ponds])
    shapely.prepare(obstacles)
    room = shapely.distance(obstacles, shapely.points(grid)).reshape(len(rows), len(columns))
    near = np.clip((520.0 - room) / 100.0, 0.0, None) ** 2
    aside = ((columns[:, None] - columns) / 130.0) ** 2
    total, back = near[0], []
    for row in near[1:]:
        reached = total[:, None] + aside
        back.append(np.argmin(np.round(reached, 6), axis=0))
        total = reached.min(axis=0) + row
    path = [int(np.argmin(np.round(total, 6)))]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    points = np.column_stack([columns[path[::-1]], rows]) + np.array(CENTRE_M)
    for _ in range(2):
        points[1:-1] = 0.25 * points[:-2] + 0.5 * points[1:-1] + 0.25 * points[2:]
    inside = terrain.outline.intersection(shapely.LineString(smooth(points, 4)))
    longest: shapely.LineString = max(shapely.get_parts(inside), key=lambda part: part.length)
    return longest


def find_interchanges(book: WayBook, line: shapely.LineString) -> list[tuple[float, int]]:
    """Return where the expressway meets important roads, well apart: (metres along the line, way number)."""
    found: list[tuple[int, float, int]] = []
    for number, (nodes, tags) in enumerate(book.ways):
        if tags["highway"] in JOINED_CLASSES and len(nodes) > 12 and "bridge" not in tags:
            for spot in shapely.get_parts(line.intersection(shapely.LineString(book.place(nodes)))):
                along = float(shapely.line_locate_point(line, spot))
                found.append((JOINED_CLASSES.index(tags["highway"]), round(along, 1), number))
    chosen: list[tuple[float, int]] = []
    for _, along, number in sorted(found):
        clear = min(along, line.length - along) > 1_200.0
        if clear and all(abs(along - other) > INTERCHANGE_GAP_M for other, _ in chosen):
            chosen.append((along, number))
    return sorted(chosen)


def write_expressway(book: WayBook, terrain: Terrain, places: list[Settlement]) -> None:
    """Draw the expressway and its interchanges into ``book``."""
    line = choose_line(terrain, places)
    middle = space_out(shapely.get_coordinates(line), 44.0)
    step = line.length / (len(middle) - 1)
    interchanges = find_interchanges(book, line)
    crossed = _find_bridges(book, terrain, middle)
    for side in (1.0, -1.0):
        heading = np.gradient(middle, axis=0)
        heading /= np.hypot(*heading.T)[:, None]
        offset = np.column_stack([-heading[:, 1], heading[:, 0]]) * side
        track = round_points(middle - HALF_GAP_M * offset)
        order = slice(None) if side > 0 else slice(None, None, -1)
        nodes = book.add_nodes(track[order])[order]
        _write_carriageway(book, nodes if side > 0 else nodes[::-1], crossed if side > 0 else crossed[::-1])
        for along, number in interchanges:
            at = round(along / step)
            _write_ramps(book, nodes, middle, offset, at, number, int(side))


def _find_bridges(book: WayBook, terrain: Terrain, middle: Points) -> np.ndarray:
    """Return for each stretch between two points whether it is a bridge: over the river or over a road."""
    stretches = shapely.linestrings(np.stack([middle[:-1], middle[1:]], axis=1))
    roads = shapely.STRtree([shapely.LineString(book.place(nodes)) for nodes, _ in book.ways])
    met = np.unique(roads.query(stretches, predicate="intersects")[0])
    return np.asarray(shapely.intersects(stretches, terrain.river_area) | np.isin(np.arange(len(middle) - 1), met))


def _write_carriageway(book: WayBook, nodes: list[int], bridge: np.ndarray) -> None:
    plain: Tags = {"highway": "motorway", "oneway": "yes", "maxspeed": "120", "name": NAME, "ref": REF}
    start = 0
    for k in range(1, len(bridge) + 1):
        if k == len(bridge) or bridge[k] != bridge[start]:
            tags = plain | {"bridge": "yes", "layer": "1"} if bridge[start] else plain
            book.add_way(nodes[start : k + 1], dict(tags))
            start = k


def _write_ramps(
    book: WayBook, nodes: list[int], middle: Points, offset: Points, at: int, number: int, side: int
) -> None:  # fmt: skip
    """Join one carriageway to the crossing road: one ramp off before the crossing, one on behind it."""
    road = book.ways[number][0]
    goal = middle[at] - 75.0 * offset[at]
    inner = road[1:-1]
    terminal = inner[int(np.argmin(np.hypot(*(book.place(inner) - goal).T)))]
    reach = 9
    off, on = at - reach * side, at + reach * side
    for end, leaves in ((off, True), (on, False)):
        near = middle[(end + at) // 2] - 62.0 * offset[(end + at) // 2]
        start, stop = np.array(book.xy[nodes[end]]), np.array(book.xy[terminal])
        share = np.linspace(0, 1, 9)[1:-1, None]
        curve = (1 - share) ** 2 * start + 2 * share * (1 - share) * near + share**2 * stop
        path = [nodes[end], *book.add_nodes(round_points(curve)), terminal]
        tags = {"highway": "motorway_link", "oneway": "yes", "maxspeed": "40", "layer": "0"}
        book.add_way(path if leaves else path[::-1], tags)
