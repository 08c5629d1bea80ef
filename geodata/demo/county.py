"""The whole demo county, built part by part from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from geodata.demo.catchments import Site, ZoneRow, build_sites, build_zones
from geodata.demo.county_roads import smooth, write_county_roads
from geodata.demo.enrolment import enrol
from geodata.demo.expressway import write_expressway
from geodata.demo.houses import Houses, build_houses
from geodata.demo.partition import build_partition
from geodata.demo.people import People, Unit, build_units, count_people
from geodata.demo.railway import draw_railway
from geodata.demo.routes import RouteNet, build_route_net, lay_roads, trace
from geodata.demo.schools import School, build_schools
from geodata.demo.settlements import build_settlements
from geodata.demo.terrain import Terrain, build_terrain
from geodata.demo.ways import Points, WayBook, build_generator, round_points
from geodata.errors import LayoutError
from geodata.messages import msg
from geodata.study import Progress, no_progress

STREAMS = 7


@dataclass(frozen=True)
class County:
    """Everything that is written to files."""

    terrain: Terrain
    streams: list[Points]
    book: WayBook
    railway: Points
    units: list[Unit]
    people: People
    schools: list[School]
    zones: list[ZoneRow]
    sites: list[Site]
    houses: Houses


def build_county(seed: int, *, progress: Progress = no_progress) -> County:
    """Build the county of one seed."""
    progress(msg("Demo county: shaping the land"), 0.0)
    terrain = build_terrain(seed)
    places = build_settlements(seed, terrain)
    net = build_route_net(seed, terrain, places)
    streams = draw_streams(seed, net, terrain)
    progress(msg("Demo county: laying roads"), 0.2)
    lay_roads(seed, net, terrain, places)
    book = WayBook()
    write_county_roads(seed, book, net, terrain, places)
    write_expressway(book, terrain, places)
    write_lost_tracks(seed, book, net)
    progress(msg("Demo county: settling people"), 0.6)
    units = build_units(seed, build_partition(seed, terrain, places), places)
    people = count_people(seed, units, places)
    progress(msg("Demo county: opening schools"), 0.75)
    schools = build_schools(seed, units, places, people)
    enrol(seed, units, people, schools, terrain)
    zones = build_zones(seed, units, people, schools, terrain)
    railway = draw_railway(book, terrain, places)
    houses = build_houses(seed, places, units)
    return County(terrain, streams, book, railway, units, people, schools, zones, build_sites(terrain), houses)


def draw_streams(seed: int, net: RouteNet, terrain: Terrain) -> list[Points]:
    """Return streams from the hills down to the river, along the cheapest downhill way."""
    rng = build_generator(seed, "streams")
    height = terrain.compute_height(net.xy)
    plain = ~net.virtual
    first, last = net.first[plain], net.last[plain]
    length = np.hypot(*(net.xy[first] - net.xy[last]).T)
    weight = length * (1.0 + np.clip(np.maximum(height[first], height[last]) - 70.0, 0.0, None) / 45.0)
    size = len(net.xy)
    graph = csr_matrix((weight, (first, last)), shape=(size, size))
    to_river = shapely.distance(shapely.points(net.xy), terrain.river)
    mouths = np.flatnonzero((to_river < 330.0) & np.isin(np.arange(size), np.r_[first, last]))
    away, before, _ = dijkstra(graph, directed=False, indices=mouths, min_only=True, return_predecessors=True)
    far = np.flatnonzero(np.isfinite(away) & (terrain.compute_hilliness(net.xy) > 0.5) & (to_river > 4_000.0))
    streams: list[Points] = []
    sources: list[Points] = []
    for node in rng.permutation(far):
        if len(streams) == STREAMS:
            break
        if all(np.hypot(*(net.xy[node] - other)) > 3_600.0 for other in sources):
            sources.append(net.xy[node])
            path = net.xy[trace(before, int(node))]
            mouth = shapely.get_coordinates(shapely.shortest_line(terrain.river, shapely.Point(path[0])))[:1]
            streams.append(round_points(smooth(np.vstack([mouth, path])[::-1])))
    return streams


def write_lost_tracks(seed: int, book: WayBook, net: RouteNet) -> None:
    """Add two short tracks that touch no other road, as every real map has some."""
    rng = build_generator(seed, "lost")
    roads = shapely.STRtree([shapely.LineString(book.place(nodes)) for nodes, _ in book.ways])
    found = 0
    for node in rng.permutation(len(net.xy)):
        start = net.xy[node]
        path = start + np.column_stack([np.arange(6) * 24.0, 12.0 * np.sin(np.arange(6))])
        if roads.query_nearest(shapely.LineString(path), return_distance=True)[1][0] > 140.0:
            book.add_way(book.add_nodes(round_points(path)), {"highway": "track"})
            found += 1
        if found == 2:
            return
    raise LayoutError("no room for a lost track")
