"""Street blocks of real extracts: seconds by step, and the faces against momepy's enclosures of the same lines.

momepy (BSD-3) is asked only where it is installed (``pip install momepy``); the program does not need it.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geodata.barriers import read_barriers
from geodata.blocks import build_street_blocks
from geodata.cut_lines import CutLines, choose_cut_lines
from geodata.measure import OSM_ENDINGS, RoadFacts
from geodata.network import build_basemap, list_road_lines
from geodata.osm_features import read_osm_water
from geodata.read_roads import read_roads
from geodata.study_file import RoadsSource, StudySpec, UnitsSource, compute_cases_folder

FILES = (
    ("porto_alegre_r5r/poa_osm.pbf", "EPSG:32722"),
    ("reykjavik_gostnets/capital_area.osm.pbf", "EPSG:32627"),
    ("sao_paulo_r5r/spo_osm.pbf", "EPSG:32723"),
)
REPEATS = 3


def read_cut_lines(path: Path, crs: str) -> CutLines:
    """Return the lines of a road file that cut, and print how long that takes."""
    spec = StudySpec("x", roads=RoadsSource(path=str(path)), units=UnitsSource(kind="blocks"))
    start = time.perf_counter()
    roads = read_roads(spec, crs)
    read = time.perf_counter()
    water = read_osm_water(path).to_crs(crs) if path.name.endswith(OSM_ENDINGS) else None
    facts = RoadFacts({}, build_basemap(roads, water), None, *read_barriers(spec, crs, roads), list_road_lines(roads))
    cut = choose_cut_lines(facts)
    print(f"  roads {read - start:.2f} s; water, barriers, full lines {time.perf_counter() - read:.2f} s")
    return cut


def build_hull(cut: CutLines) -> shapely.Geometry:
    """Return the convex hull of all streets, a little widened."""
    places = shapely.get_coordinates(cut.lines[cut.street])
    return shapely.MultiPoint(places).convex_hull.buffer(50.0)


def measure_blocks(cut: CutLines, land: shapely.Geometry) -> float:
    """Print size and shape of the blocks; return the seconds, the best of :data:`REPEATS`."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        blocks = build_street_blocks(cut, land)
        seconds.append(time.perf_counter() - start)
    area, length = blocks.area.to_numpy(), blocks.length.to_numpy()
    compactness = 4 * np.pi * area / length**2
    valid = bool(shapely.coverage_is_valid(blocks.geometry.to_numpy()))
    print(
        f"  {len(cut.lines):,} lines -> {len(blocks):,} blocks in {min(seconds):.2f} s; "
        f"median {np.median(area):,.0f} m2, "
        f"compactness {np.median(compactness):.2f} (a tenth below {np.quantile(compactness, 0.1):.2f}); "
        f"a valid coverage: {valid}; land left out {abs(area.sum() / shapely.area(land) - 1):.1e}"
    )
    return min(seconds)


def measure_peer(cut: CutLines, land: shapely.Geometry, ours_s: float) -> None:
    """Print what momepy needs for the faces alone, before anything is merged."""
    momepy = importlib.import_module("momepy")
    streets = gpd.GeoSeries(cut.lines)
    start = time.perf_counter()
    faces = momepy.enclosures(streets, limit=gpd.GeoSeries([land]))
    peer_s = time.perf_counter() - start
    print(f"  momepy.enclosures: {len(faces):,} faces in {peer_s:.2f} s, {peer_s / ours_s:.1f} × our time with merging")


def main() -> None:
    """Measure every file that is there."""
    peer = importlib.util.find_spec("momepy") is not None
    for name, crs in FILES:
        path = compute_cases_folder() / name
        if not path.is_file():
            print(f"{name}: not found, passed over")
            continue
        print(name)
        cut = read_cut_lines(path, crs)
        land = build_hull(cut)
        ours_s = measure_blocks(cut, land)
        if peer:
            measure_peer(cut, land, ours_s)


if __name__ == "__main__":
    main()
