"""Where people live in the demo county: the seat, fourteen towns and some 260 villages, with their street nets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Polygon

from geodata.demo import names
from geodata.demo.names import NameMaker
from geodata.demo.nets import build_seat_net, build_town_net, build_village_net
from geodata.demo.terrain import CENTRE_M, SEAT_M, Terrain
from geodata.demo.ways import Points, StreetNet, build_generator
from geodata.errors import LayoutError

VILLAGES = 262
SEAT_PEOPLE = 230_000
TOWN_PEOPLE = 126_000
VILLAGE_PEOPLE = 264_000


@dataclass
class Settlement:
    """One seat, town or village: ``people`` living there, its streets and the ground they cover."""

    kind: str
    name: str
    town: str
    x_m: float
    y_m: float
    people: int
    hilliness: float
    net: StreetNet
    footprint: Polygon


def share_out(total: int, weights: Points) -> npt.NDArray[np.int64]:
    """Split ``total`` into whole numbers in proportion to ``weights`` (largest remainders; ties by order)."""
    exact = total * weights / weights.sum()
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(np.round(exact - whole, 9)), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return np.asarray(whole)


def cover_ground(net: StreetNet) -> Polygon:
    """Return the ground that a street net covers."""
    return Polygon(shapely.get_coordinates(shapely.MultiPoint(net.xy).convex_hull))


def place_towns(rng: np.random.Generator, terrain: Terrain) -> Points:
    """Choose the places of the towns: far from each other, from the seat, the border and the river."""
    inside = terrain.outline.buffer(-1_900.0)
    spots = np.array(CENTRE_M) + rng.uniform(-21_000, 21_000, (6_000, 2))
    points = shapely.points(spots)
    free = shapely.contains(inside, points) & (shapely.distance(points, terrain.river) > 1_300.0)
    free &= (shapely.distance(points, terrain.reservoir) > 1_500.0) & (np.hypot(*(spots - SEAT_M).T) > 6_300.0)
    spots = spots[free]
    gap = 4_000.0 + 1_700.0 * terrain.compute_hilliness(spots) * rng.uniform(0.4, 1.2, len(spots))
    chosen: list[int] = []
    wanted = len(names.TOWNS)
    nearest = np.hypot(*(spots - SEAT_M).T) * 0.8
    for _ in range(wanted):
        best = int(np.argmax(np.minimum(nearest, gap * 2.3) + rng.uniform(0, 900.0, len(spots))))
        chosen.append(best)
        nearest = np.minimum(nearest, np.hypot(*(spots - spots[best]).T))
    return np.asarray(spots[chosen])


def place_villages(rng: np.random.Generator, terrain: Terrain, taken: list[Polygon]) -> Points:
    """Choose the places of the villages by throwing darts: closer together in the plain than in the hills."""
    inside = terrain.outline.buffer(-420.0)
    spots = np.array(CENTRE_M) + rng.uniform(-22_000, 22_000, (14_000, 2))
    points = shapely.points(spots)
    free = shapely.contains(inside, points) & (shapely.distance(points, terrain.river) > 640.0)
    free &= shapely.distance(points, terrain.reservoir) > 450.0
    free &= shapely.distance(points, shapely.union_all(taken)) > 700.0
    free &= shapely.distance(points, shapely.MultiPolygon(terrain.ponds)) > 420.0
    spots = spots[free]
    hilliness = terrain.compute_hilliness(spots)
    for scale in (1.0, 0.96, 0.92, 0.88, 0.84, 0.8, 0.76, 0.7, 0.6):
        gap = scale * (1_480.0 + 760.0 * hilliness)
        kept: list[int] = []
        for k in range(len(spots)):
            others = spots[kept]
            if not kept or np.min(np.hypot(others[:, 0] - spots[k, 0], others[:, 1] - spots[k, 1])) > gap[k]:
                kept.append(k)
                if len(kept) == VILLAGES:
                    return np.asarray(spots[kept])
    raise LayoutError("the county is too small for its villages")


def build_settlements(seed: int, terrain: Terrain) -> list[Settlement]:
    """Draw all settlements: the seat first, then the towns from north to south, then the villages by town."""
    rng = build_generator(seed, "settlements")
    seat_net = build_seat_net(rng)
    seat = Settlement(
        "seat", names.COUNTY_SHORT, names.SUBDISTRICTS[0], *SEAT_M, SEAT_PEOPLE, 0.0, seat_net, cover_ground(seat_net)
    )
    towns = _build_towns(rng, terrain)
    villages = _build_villages(rng, terrain, [seat, *towns])
    return [seat, *towns, *villages]


def _build_towns(rng: np.random.Generator, terrain: Terrain) -> list[Settlement]:
    spots = place_towns(rng, terrain)
    hilliness = terrain.compute_hilliness(spots)
    order = np.lexsort((spots[:, 0], -spots[:, 1], hilliness > 0.35))
    spots, hilliness = np.round(spots[order], 1), hilliness[order]
    people = share_out(TOWN_PEOPLE, rng.uniform(0.7, 1.5, len(spots)) * (1.0 - 0.5 * hilliness))
    towns = []
    for name, spot, count, hilly in zip(names.TOWNS, spots, people, hilliness, strict=True):
        centre = (float(spot[0]), float(spot[1]))
        net = build_town_net(rng, centre, float(count), float(rng.uniform(-0.5, 0.5)))
        towns.append(Settlement("town", name, name, *centre, int(count), float(hilly), net, cover_ground(net)))
    return towns


def _build_villages(rng: np.random.Generator, terrain: Terrain, centres: list[Settlement]) -> list[Settlement]:
    spots = np.round(place_villages(rng, terrain, [place.footprint for place in centres]), 1)
    hilliness = terrain.compute_hilliness(spots)
    hub = np.array([(place.x_m, place.y_m) for place in centres])
    reach = np.array([0.92 if place.kind == "seat" else 1.0 for place in centres])
    away = np.hypot(spots[:, None, 0] - hub[:, 0], spots[:, None, 1] - hub[:, 1]) * reach
    owner = np.argmin(away, axis=1)
    size = (
        np.exp(rng.normal(0.0, 0.42, len(spots))) * (1.0 - 0.62 * hilliness) * (1.0 + 0.5 * np.exp(-away.min(1) / 2500))
    )
    people = share_out(VILLAGE_PEOPLE, np.clip(size, 0.22, 2.6))
    maker = NameMaker(rng)
    villages = []
    for k in np.lexsort((spots[:, 0], owner)):
        centre = (float(spots[k, 0]), float(spots[k, 1]))
        hilly = float(hilliness[k])
        net = build_village_net(rng, centre, float(people[k]), hilly)
        town = _name_town(centres[owner[k]], centre)
        name = maker.draw_village(hilly > 0.45)
        villages.append(Settlement("village", name, town, *centre, int(people[k]), hilly, net, cover_ground(net)))
    return villages


def _name_town(centre: Settlement, spot: tuple[float, float]) -> str:
    """Return the town that a place belongs to; around the seat, the nearest of its three subdistricts."""
    if centre.kind == "town":
        return centre.name
    return name_subdistrict(np.array([spot]))[0]


def name_subdistrict(points: Points) -> list[str]:
    """Return the seat's subdistrict for each point: south of the river, the new north-east, or the old town."""
    east, north = points[:, 0] - SEAT_M[0], points[:, 1] - SEAT_M[1]
    kind = np.where(north - 0.09 * east < -1_260.0, 2, np.where(north + 0.9 * east > 700.0, 1, 0))
    return [names.SUBDISTRICTS[k] for k in kind]
