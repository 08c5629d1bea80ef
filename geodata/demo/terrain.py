"""The land of the demo county: its outline, hills in the west and south, one river, a reservoir and streams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon

from geodata.demo.ways import Points, build_generator, round_points

CRS = "EPSG:32649"
CENTRE_M = (690_000.0, 3_762_000.0)
AREA_KM2 = 900.0
SEAT_M = (CENTRE_M[0] + 2_600.0, CENTRE_M[1] + 900.0)
SEAT_ANGLE = 0.09
SEAT_RIVER_V_M = -1_260.0
"""The river's place south of the seat's middle, along the seat's own (turned) axis."""

Waves = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Terrain:
    """Outline, river line and water areas (metres, ``CRS``), and the waves that make up the hills."""

    outline: Polygon
    river: LineString
    river_area: Polygon
    reservoir: Polygon
    ponds: tuple[Polygon, ...]
    waves: Waves

    def compute_height(self, points: Points) -> Points:
        """Return heights in metres above the plain at ``points`` (n, 2)."""
        east = (points[:, 0] - CENTRE_M[0]) / 1000.0
        north = (points[:, 1] - CENTRE_M[1]) / 1000.0
        rough = sum(a * np.cos(kx * east + ky * north + phase) for a, kx, ky, phase in self.waves)
        west = 1.0 / (1.0 + np.exp((east + 7.5 + 2.2 * np.sin(north / 4.0)) / 1.7))
        south = 1.0 / (1.0 + np.exp((north + 9.3 + 0.18 * east) / 1.3))
        hilly = np.clip(west + south, 0.0, 1.0)
        return np.asarray(60.0 + 2.0 * (18.0 - east) / 18.0 + hilly * (260.0 + 190.0 * rough))

    def compute_hilliness(self, points: Points) -> Points:
        """Return 0 (plain) to 1 (hills) at ``points``."""
        return np.clip((self.compute_height(points) - 75.0) / 160.0, 0.0, 1.0)


def build_terrain(seed: int) -> Terrain:
    """Draw the land."""
    rng = build_generator(seed, "terrain")
    outline = build_outline(rng)
    angles, lengths = rng.uniform(0.0, 2.0 * np.pi, 26), rng.uniform(1.4, 6.0, 26)
    waves = tuple(
        (0.34 * length / 6.0 + 0.06, 2 * np.pi / length * np.cos(angle), 2 * np.pi / length * np.sin(angle), phase)
        for angle, length, phase in zip(angles, lengths, rng.uniform(0.0, 2.0 * np.pi, 26), strict=True)
    )
    river = build_river(rng, outline)
    reservoir = build_reservoir(rng, river)
    river_area = river.buffer(42.0, cap_style="flat").intersection(outline)
    area = max(shapely.get_parts(river_area), key=lambda part: part.area)
    return Terrain(outline, river, area, reservoir, build_ponds(rng, outline, river), waves)


def build_outline(rng: np.random.Generator) -> Polygon:
    """Return the county's outline: a lopsided oval with a frayed edge, of exactly the wanted area."""
    angle = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False)
    radius = 1.0 / np.sqrt((np.cos(angle) / 1.14) ** 2 + (np.sin(angle) / 0.9) ** 2)
    for k in range(2, 90):
        size = 0.25 / k**1.05 if k < 9 else 0.3 / k**1.3
        radius += size * rng.uniform(0.3, 1.0) * np.cos(k * angle + rng.uniform(0.0, 2.0 * np.pi))
    ring = Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    factor = np.sqrt(AREA_KM2 * 1e6 / ring.area)
    points = shapely.get_coordinates(ring)[:-1] * factor
    centre = shapely.get_coordinates(ring.centroid)[0] * factor
    return Polygon(round_points(points - centre + np.array(CENTRE_M)))


def build_river(rng: np.random.Generator, outline: Polygon) -> LineString:
    """Return the river from the western hills to the eastern border, straightened where it passes the seat."""
    turn = np.array([[np.cos(SEAT_ANGLE), np.sin(SEAT_ANGLE)], [-np.sin(SEAT_ANGLE), np.cos(SEAT_ANGLE)]])
    along = np.array([-26_000, -17_000, -11_500, -7_500, -4_400, 0, 4_400, 8_500, 13_000, 19_000, 27_000], float)
    across = np.array([5_200, 3_400, 3_900, 600, 0, 0, 0, -1_900, -600, -2_600, -1_400], float)
    fine = np.arange(-26_000.0, 27_000.0, 40.0)
    bed = np.interp(fine, along, across)
    bed = np.convolve(np.pad(bed, 40, mode="edge"), np.hanning(81) / np.hanning(81).sum(), mode="valid")
    free = np.clip((np.abs(fine) - 3_300.0) / 2_600.0, 0.0, 1.0)
    meander = sum(
        size * np.sin(2 * np.pi * fine / length + phase)
        for size, length, phase in zip((620, 330, 120), (4_700, 2_450, 1_250), rng.uniform(0, 6, 3), strict=True)
    )
    local = np.column_stack([fine, SEAT_RIVER_V_M + bed + free * meander])
    line = LineString(round_points(local @ turn + np.array(SEAT_M))).intersection(outline.buffer(400.0))
    longest: LineString = max(shapely.get_parts(line), key=lambda part: part.length)
    return LineString(shapely.get_coordinates(longest))


def build_reservoir(rng: np.random.Generator, river: LineString) -> Polygon:
    """Return the reservoir: a wide, branching stretch of the upper river behind a straight dam."""
    share = np.linspace(0.115, 0.205, 40)
    middle = shapely.get_coordinates(shapely.line_interpolate_point(river, share, normalized=True))
    width = np.linspace(60.0, 430.0, 40) * (1.0 + 0.35 * np.sin(np.linspace(0, 14, 40) + rng.uniform(0, 6)))
    body = shapely.union_all(shapely.buffer(shapely.points(middle), width))
    arms = []
    for i, side in ((14, 1.0), (20, -1.0), (27, 1.0), (33, -1.0)):
        heading = rng.uniform(0.8, 1.5) * side
        reach = np.linspace(0.0, rng.uniform(1_000, 1_900), 24)
        turn = heading + 0.5 * np.sin(reach / 330.0 + rng.uniform(0, 6))
        steps = np.column_stack([-np.cos(turn), np.sin(turn)]) * reach[1]
        arm = shapely.points(middle[i] + np.cumsum(steps, axis=0))
        arms.append(shapely.union_all(shapely.buffer(arm, np.linspace(260.0, 45.0, 24))))
    lake = shapely.union_all([body, *arms]).buffer(60.0).buffer(-60.0)
    return Polygon(round_points(shapely.get_coordinates(lake.exterior.simplify(8.0))))


def build_ponds(rng: np.random.Generator, outline: Polygon, river: LineString) -> tuple[Polygon, ...]:
    """Return a dozen small ponds in the plain, away from the river."""
    ponds: list[Polygon] = []
    while len(ponds) < 12:
        place = np.array(CENTRE_M) + rng.uniform((-3_000, -11_000), (17_000, 12_000))
        angle = np.linspace(0, 2 * np.pi, 18, endpoint=False)
        radius = rng.uniform(60, 150) * (1 + 0.25 * np.sin(2 * angle + rng.uniform(0, 6)))
        pond = Polygon(round_points(place + np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])))
        seat_free = shapely.Point(SEAT_M).distance(pond) > 4_500.0
        if seat_free and outline.contains(pond) and river.distance(pond) > 600.0:
            ponds.append(pond)
    return tuple(ponds)
