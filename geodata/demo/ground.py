"""Ground of the demo county that keeps schools away, and plots of open land on which they may be built."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from geodata.demo import names
from geodata.demo.county import County
from geodata.demo.people import Unit
from geodata.demo.terrain import CRS, Terrain
from geodata.demo.ways import build_generator

FLOOD_M = 170.0
"""The river's flood zone reaches so far from its water."""
SLOPES = 6
PLOTS = {"flooded": 4, "urban": 18, "town": 12, "rural": 8}
"""Plots of open land by setting of the unit in which they lie; first some in the seat that the river may flood."""
_SIDES_M = {"flooded": (80.0, 150.0), "urban": (95.0, 190.0), "town": (85.0, 170.0), "rural": (90.0, 210.0)}


@dataclass(frozen=True)
class Ground:
    """Rows of the two layers: kind, name and shape; name, shape."""

    exclusions: list[tuple[str, str, shapely.Geometry]]
    plots: list[tuple[str, str, shapely.Polygon]]


def build_ground(seed: int, county: County) -> Ground:
    """Return flood zone, slopes that may slide, railway and funeral home; and the plots, a few of them flooded."""
    rng = build_generator(seed, "ground")
    land = county.terrain
    flood = shapely.intersection(shapely.buffer(land.river_area, FLOOD_M), land.outline)
    rows: list[tuple[str, str, shapely.Geometry]] = [
        ("铁路", names.RAILWAY, shapely.LineString(county.railway)),
        ("洪水淹没区", f"{names.RIVER}洪水淹没区", flood),
    ]
    slopes = _draw_slopes(rng, land)
    rows += [("滑坡", f"滑坡隐患{number}", shape) for number, shape in enumerate(slopes, 1)]
    far = max(county.units, key=lambda unit: (unit.setting == "rural", unit.x_m + unit.y_m))
    rows.append(("殡仪馆", "县殡仪馆", shapely.Point(far.x_m + 400.0, far.y_m - 300.0)))
    plots = _draw_plots(rng, county, flood)
    return Ground([(kind, name, _round(shape)) for kind, name, shape in rows], plots)


def _round(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape with corners in decimetres, as surveyors would hand it over."""
    return shapely.set_precision(shape, 0.1)


def _draw_slopes(rng: np.random.Generator, land: Terrain) -> list[shapely.Polygon]:
    """Return patches in the hills."""
    west, south, east, north = land.outline.bounds
    spots = rng.uniform((west, south), (east, north), size=(400, 2))
    hilly = spots[(land.compute_hilliness(spots) > 0.8) & shapely.contains_xy(land.outline, spots)]
    sizes = rng.uniform(180.0, 420.0, len(hilly))
    chosen: list[shapely.Polygon] = []
    for spot, size in zip(hilly, sizes, strict=True):
        patch = shapely.buffer(shapely.Point(spot), size, quad_segs=4)
        if len(chosen) < SLOPES and land.outline.contains(patch) and all(patch.disjoint(other) for other in chosen):
            chosen.append(patch)
    return chosen


def _draw_plots(
    rng: np.random.Generator, county: County, flood: shapely.Geometry
) -> list[tuple[str, str, shapely.Polygon]]:
    """Return code, name and shape of plots inside units, off the water and off each other."""
    land = county.terrain
    water = shapely.union_all([land.river_area, land.reservoir, *land.ponds])
    plots: list[tuple[str, str, shapely.Polygon]] = []
    count: Counter[str] = Counter()
    for setting, wanted in PLOTS.items():
        wet = setting == "flooded"
        units = [unit for unit in county.units if unit.setting == ("urban" if wet else setting)]
        for at in rng.permutation(len(units)).tolist():
            if sum(1 for code, _, _ in plots if code.startswith(setting[0].upper())) >= wanted:
                break
            ground = shapely.intersection(units[at].shape, flood) if wet else units[at].shape - flood
            shape = _draw_plot(rng, shapely.difference(ground, water), units[at], _SIDES_M[setting])
            if shape is None or any(shape.intersects(other) for _, _, other in plots):
                continue
            town = units[at].town
            count[town] += 1
            plots.append((f"{setting[0].upper()}{len(plots) + 1:02}", f"{town}{count[town]}号储备地块", shape))
    return plots


def _draw_plot(
    rng: np.random.Generator, ground: shapely.Geometry, unit: Unit, sides: tuple[float, float]
) -> shapely.Polygon | None:
    """Return a rectangle on the ground of a unit, beside its middle; None where none of a few fits."""
    for _ in range(60):
        width, depth = rng.uniform(*sides, size=2)
        turn, away = rng.uniform(0.0, np.pi, size=2)
        reach = rng.uniform(60.0, 420.0)
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, depth / 2)
        rotation = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
        middle = np.array([unit.x_m, unit.y_m]) + reach * np.array([np.cos(2 * away), np.sin(2 * away)])
        plot = shapely.Polygon(np.round(corners @ rotation + middle, 1))
        if shapely.contains(ground, plot):
            return plot
    return None


def write_ground(folder: Path, seed: int, county: County) -> None:
    """Write ``exclusions.gpkg`` and ``open_land.gpkg`` into ``folder``."""
    ground = build_ground(seed, county)
    kinds, labels, shapes = zip(*ground.exclusions, strict=True)
    _write(folder / "exclusions.gpkg", "exclusions", {"避让类型": list(kinds), "名称": list(labels)}, list(shapes))
    codes, titles, plots = zip(*ground.plots, strict=True)
    _write(folder / "open_land.gpkg", "open_land", {"地块编号": list(codes), "地块名称": list(titles)}, list(plots))


def _write(path: Path, layer: str, table: dict[str, list[str]], shapes: list[shapely.Geometry]) -> None:
    import geopandas as gpd
    import pyogrio

    from geodata.demo.files import ATTRIBUTION

    frame = gpd.GeoDataFrame(table, geometry=shapes, crs=CRS)
    path.unlink(missing_ok=True)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2026-01-01T00:00:00.000Z"})  # else the file holds "now"
    try:
        about = {"DESCRIPTION": ATTRIBUTION}
        frame.to_file(path, layer=layer, driver="GPKG", engine="pyogrio", metadata=about, geometry_type="Unknown")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
