"""Random tilings of land, as surveys draw it: clean, with needles, or with the unevenness of drawing."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.shapes import Shapes
from geodata.tessellate import build_hexagons, build_voronoi_cells

PATTERNS = ("grid", "voronoi", "hexagons")
CELL_M = 1_000.0
NEEDLE_LENGTH_M = 40.0
STAGE = "primary"

_Places = list[tuple[float, float]]


def build_tiling(pattern: str, seed: int, *, side: int = 6, needles: int = 0) -> gpd.GeoDataFrame:
    """Return units of about a square kilometre with bent borders: holes, units of several parts, an island.

    ``needles`` borders have a spike 0.2 m wide and :data:`NEEDLE_LENGTH_M` long, the same on both sides.
    """
    random = np.random.default_rng(seed)
    cells = _bend_borders(_draw_cells(pattern, random, side), random, needles)
    _west, south, east, _north = shapely.total_bounds(cells)
    island = shapely.box(east + 500, south, east + 900, south + 300)
    cells = np.append(random.permutation(cells)[int(random.integers(0, 4)) :], island)
    return _build_units(_join_some(cells, random), random)


def _draw_cells(pattern: str, random: np.random.Generator, side: int) -> Shapes:
    row, column = np.divmod(np.arange(side * side), side)
    if pattern == "hexagons":
        return build_hexagons(CELL_M * (column + row % 2 / 2), CELL_M * row * np.sqrt(3) / 2)
    if pattern == "voronoi":
        return build_voronoi_cells(*random.uniform(0, CELL_M * side, (2, side * side)))
    corner = np.stack(np.meshgrid(np.arange(side + 1.0), np.arange(side + 1.0)), axis=-1) * CELL_M
    corner += random.uniform(-250, 250, corner.shape)
    ring = [corner[row, column], corner[row, column + 1], corner[row + 1, column + 1], corner[row + 1, column]]
    cells: Shapes = np.asarray(shapely.polygons(np.stack(ring, axis=1)), dtype=object)
    return cells


def _bend_borders(cells: Shapes, random: np.random.Generator, needles: int) -> Shapes:
    """Return cells whose edges have vertices in between, to one side or the other, alike in both cells of an edge."""
    bends: dict[tuple[tuple[float, float], ...], _Places] = {}
    rings = []
    for cell in cells:
        places = [(float(x), float(y)) for x, y in np.round(shapely.get_coordinates(cell), 6)]
        ring: _Places = []
        for start, end in pairwise(places):
            key = (min(start, end), max(start, end))
            if key not in bends:
                bends[key] = _bend(*key, random, needle=len(bends) % 3 == 1 and len(bends) < 3 * needles)
            ring += [start, *(bends[key] if start == key[0] else bends[key][::-1])]
        rings.append(ring)
    bent: Shapes = np.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    return bent


def _bend(
    start: tuple[float, float], end: tuple[float, float], random: np.random.Generator, *, needle: bool
) -> _Places:
    low, high = np.array(start), np.array(end)
    length = float(np.hypot(*(high - low)))
    along = (high - low) / length
    across = np.array([-along[1], along[0]])
    if needle and length > 300:
        middle = (low + high) / 2
        spots = [middle - 0.1 * along, middle + NEEDLE_LENGTH_M * across, middle + 0.1 * along]
    else:
        shares = np.sort(random.uniform(0.1, 0.9, int(random.integers(0, 6))))
        spots = [low + share * (high - low) + random.uniform(-0.03, 0.03) * length * across for share in shares]
    return [(float(x), float(y)) for x, y in spots]


def _join_some(cells: Shapes, random: np.random.Generator) -> Shapes:
    """Return cells of which one is made of two that need not touch, and one lost a lake in its middle."""
    cells = random.permutation(cells)
    joined = shapely.union_all(cells[:2]) if not shapely.touches(*cells[:2]) else shapely.coverage_union_all(cells[:2])
    middle = shapely.point_on_surface(cells[-1])
    lake = shapely.difference(cells[-1], shapely.buffer(middle, 0.3 * shapely.distance(middle, cells[-1].boundary)))
    out: Shapes = np.array([joined, *cells[2:-1], lake], dtype=object)
    return out


def _build_units(shapes: Shapes, random: np.random.Generator) -> gpd.GeoDataFrame:
    spots = shapely.point_on_surface(shapes)
    table = pd.DataFrame(
        {
            "unit_id": [f"u{number:03d}" for number in range(len(shapes))],
            "name": [f"Village {number}" for number in range(len(shapes))],
            "kind": "village",
            "x_m": shapely.get_x(spots),
            "y_m": shapely.get_y(spots),
            "primary_pupils": random.integers(0, 50, len(shapes)).astype(np.float64),
        }
    )
    return gpd.GeoDataFrame(table, geometry=shapes)


def disturb(units: gpd.GeoDataFrame, seed: int, *, width_m: float = 0.2) -> gpd.GeoDataFrame:
    """Return units of which every other had a vertex moved and one put in, on its side of the border only."""
    random = np.random.default_rng(seed)
    shapes = units.geometry.to_numpy().copy()
    for position in np.flatnonzero(random.random(len(shapes)) < 0.5):
        if shapes[position].geom_type != "Polygon":
            continue
        places = shapely.get_coordinates(shapes[position].exterior)[:-1]
        inner = [shapely.get_coordinates(ring) for ring in shapes[position].interiors]
        chosen = int(random.integers(0, len(places)))
        follower = places[(chosen + 1) % len(places)]
        between = (places[chosen] + follower) / 2
        places[chosen] += random.uniform(-width_m, width_m, 2) / np.sqrt(2)
        moved = shapely.Polygon(np.insert(places, chosen + 1, between, axis=0), inner)
        if moved.is_valid:
            shapes[position] = moved
    return units.set_geometry(gpd.GeoSeries(shapes, index=units.index))


def draw_zones(
    units: gpd.GeoDataFrame, seed: int, *, schools: int = 4, stages: tuple[str, ...] = (STAGE,)
) -> pd.DataFrame:
    """Return zones by nearest of a few random schools; some units are shared by two, some are in none."""
    random = np.random.default_rng(seed)
    demand = units[["x_m", "y_m"]].to_numpy()
    rows = []
    for stage in stages:
        seats = demand[random.choice(len(units), schools, replace=False)]
        away = np.hypot(*(demand[:, None] - seats[None]).transpose(2, 0, 1))
        near, second = np.argsort(away, axis=1)[:, :2].T
        dice = random.random(len(units))
        rows += [(key, stage, f"S{one}") for key, one, x in zip(units["unit_id"], near, dice, strict=True) if x > 0.1]
        rows += [(key, stage, f"S{two}") for key, two, x in zip(units["unit_id"], second, dice, strict=True) if x > 0.9]
    return pd.DataFrame(rows, columns=["unit_id", "stage", "school_id"], dtype=str)
