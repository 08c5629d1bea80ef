"""Reading: roads against osmnx, rasters against exactextract, and the whole Reykjavík study; each in its own process.

- **Roads.** Ours: a ``.osm.pbf`` to a walking network in arrays (ways, tags, access, geodesic lengths, seconds). Peer:
  osmnx's ``graph_from_xml`` of the same extract, turned into XML by osmium beforehand, its roads alone and without
  simplification, speeds or times: the least that osmnx must do. CPU seconds after the imports; peak memory of the whole
  process with its imports: of ours at the first reading, whose time is least of three after it.
- **Rasters.** Sums in known units: ``exact_extract(…, "sum", strategy="raster-sequential")`` against
  ``raster_coverage.sum_cells``, both from an array in memory; then one file to planning units, and a window of a raster
  that is larger than memory.
- **Study.** ``examples/studies/reykjavik.toml`` from its files to a study, with an empty cache.

``python -m benchmarks.read [--json] [--only roads rasters study] [--cells 5000] [--units 5000]``
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geodata.study_file import CASES_DEFAULT, CASES_VARIABLE

CASES = Path(os.environ.get(CASES_VARIABLE, Path(__file__).parents[1] / CASES_DEFAULT))
EXTRACTS = {
    "Porto Alegre": ("porto_alegre_r5r/poa_osm.pbf", "EPSG:32722"),
    "Reykjavík": ("reykjavik_gostnets/capital_area.osm.pbf", "EPSG:32627"),
}
REPEATS = 3
PARTS = ("roads", "rasters", "study")
CELLS = 5_000
"""Rows and columns of the raster, and number of units."""
WEST, NORTH, CELL_M, CRS = 300_000.0, 4_000_000.0, 100.0, "EPSG:32649"
HUGE = 40_000
"""Rows and columns of the raster that is larger than memory: 1.6 thousand million cells, 6.4 GB."""

Facts = dict[str, Any]


def measure(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, float, Any]:
    """Return least CPU seconds, least seconds and the answer of a few runs."""
    cpu, wall, answer = [], [], None
    for _ in range(repeats):
        began_cpu, began = time.process_time(), time.perf_counter()
        answer = work()
        cpu.append(time.process_time() - began_cpu)
        wall.append(time.perf_counter() - began)
    return min(cpu), min(wall), answer


def read_peak_mb() -> float:
    """Return the greatest memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_ours(path: str, crs: str) -> Facts:
    """Read a pbf into a walking network."""
    from geodata.network import build_network
    from geodata.osm import read_osm_roads
    from geodata.road_classes import read_road_classes
    from geodata.road_table import build_road_table

    def work() -> Any:
        return build_network(build_road_table(read_osm_roads(path), crs, read_road_classes()), "walk")

    first_s, _, network = measure(work, repeats=1)
    peak_mb = read_peak_mb()  # of one reading, like the peer's
    seconds, wall, _ = measure(work)
    return {"seconds": seconds, "first_s": first_s, "wall_s": wall, "peak_mb": peak_mb, "nodes": len(network.x_m)}


def run_osmnx(path: str, _: str) -> Facts:
    """Read the XML into osmnx's graph."""
    import osmnx

    seconds, wall, graph = measure(lambda: osmnx.graph_from_xml(path, simplify=False, retain_all=True), repeats=1)
    return {"seconds": seconds, "wall_s": wall, "peak_mb": read_peak_mb(), "nodes": graph.number_of_nodes()}


def write_road_xml(source: Path, target: Path) -> None:
    """Write the roads of an extract, with their nodes, as XML."""
    import osmium

    roads = osmium.filter.KeyFilter("highway")
    nodes: set[int] = set()
    for way in osmium.FileProcessor(str(source), osmium.osm.WAY).with_filter(roads):
        nodes.update(node.ref for node in way.nodes)  # type: ignore[union-attr]
    with osmium.SimpleWriter(str(target)) as writer:
        for node in osmium.FileProcessor(str(source), osmium.osm.NODE):
            if node.id in nodes:
                writer.add(node)
        for way in osmium.FileProcessor(str(source), osmium.osm.WAY).with_filter(roads):
            writer.add(way)


def build_zones(cells: int, units: int) -> np.ndarray:
    """Return Voronoi cells of random points on a square of ``cells`` × ``cells``."""
    import shapely

    from geodata.tessellate import build_voronoi_cells

    side = cells * CELL_M
    x_m, y_m = np.random.default_rng(1).uniform(0, side, (2, units))
    square = shapely.box(WEST, NORTH - side, WEST + side, NORTH)
    return np.asarray(shapely.intersection(build_voronoi_cells(x_m + WEST, y_m + NORTH - side), square))


def run_sums(cells: str, units: str) -> Facts:
    """Sum rasters in known units: a kept coverage against exactextract."""
    import exactextract
    import geopandas as gpd
    from exactextract.raster import NumPyRasterSource
    from pyproj import CRS as Crs

    from geodata.raster_coverage import build_coverage, sum_cells
    from geodata.raster_grid import RasterGrid

    count = int(cells)
    shapes = build_zones(count, int(units))
    values = np.random.default_rng(0).random((count, count), dtype=np.float32) * 10
    side = count * CELL_M
    bounds = (WEST, NORTH - side, WEST + side, NORTH)
    grid = RasterGrid((count, count), bounds, Crs(CRS).to_wkt())
    sum_cells(build_coverage(grid, shapes[:2]), values)  # compiled once for a machine, not for a raster
    build_s, _, coverage = measure(lambda: build_coverage(grid, shapes))
    ours_cpu_s, ours_s, ours = measure(lambda: sum_cells(coverage, values), repeats=10)
    layer = gpd.GeoDataFrame(geometry=shapes, crs=CRS)
    source = NumPyRasterSource(values, *bounds, srs_wkt=grid.crs_wkt)
    peer_cpu_s, peer_s, peer = measure(
        lambda: exactextract.exact_extract(source, layer, "sum", strategy="raster-sequential", output="pandas")
    )
    error = float(np.abs(ours / peer["sum"].to_numpy() - 1).max())
    sizes = sum(
        getattr(coverage, name).nbytes for name in ("unit", "cell", "share", "run_unit", "run_start", "run_stop")
    )
    return {
        "coverage_s": build_s,
        "coverage_mb": sizes / 1e6,
        "ours_s": ours_s,
        "ours_cpu_s": ours_cpu_s,
        "peer_s": peer_s,
        "peer_cpu_s": peer_cpu_s,
        "ratio": peer_s / ours_s,
        "cpu_ratio": peer_cpu_s / ours_cpu_s,
        "error": error,
    }


def write_raster(path: Path, cells: int, *, filled: int) -> None:
    """Write a raster of random people in its north-western ``filled`` × ``filled`` cells, nobody elsewhere."""
    import rasterio
    from rasterio.transform import from_origin

    people = (np.random.default_rng(0).random((filled, filled), dtype=np.float32) * 10).round(2)
    options: Facts = {"driver": "GTiff", "width": cells, "height": cells, "count": 1, "dtype": "float32", "crs": CRS}
    options |= {"nodata": -99999.0, "compress": "lzw", "tiled": True, "SPARSE_OK": True}
    with rasterio.open(path, "w", transform=from_origin(WEST, NORTH, CELL_M, CELL_M), **options) as target:
        target.write(people, 1, window=((0, filled), (0, filled)))


def run_file(cells: str, filled: str) -> Facts:
    """Read one raster file into 5,000 given planning units."""
    import geopandas as gpd

    from geodata.raster_coverage import build_coverage, sum_cells
    from geodata.raster_grid import RasterGrid
    from geodata.read_population import read_population
    from geodata.study_file import PopulationSource, StudySpec, UnitsSource
    from geodata.units import build_units

    small = RasterGrid((2, 2), (0.0, 0.0, 2.0, 2.0), "")
    sum_cells(build_coverage(small, build_zones(2, 3)), np.zeros((2, 2), dtype=np.float32))
    with tempfile.TemporaryDirectory() as folder:
        write_raster(Path(folder) / "people.tif", int(cells), filled=int(filled))
        shapes = build_zones(int(filled), 5_000)
        layer = gpd.GeoDataFrame({"code": [f"u{n}" for n in range(len(shapes))]}, geometry=shapes, crs=CRS)
        layer.to_file(Path(folder) / "units.gpkg", driver="GPKG")
        population = PopulationSource(path="people.tif", kind="raster", share={"primary": 0.1})
        units = UnitsSource(kind="polygons", path="units.gpkg")
        spec = StudySpec(name="raster", crs=CRS, population=population, units=units, folder=Path(folder))
        held = read_peak_mb()
        seconds, wall, (table, _) = measure(lambda: build_units(read_population(spec, CRS), spec, CRS), repeats=2)
    return {"seconds": seconds, "wall_s": wall, "peak_mb": read_peak_mb(), "before_mb": held, "units": len(table)}


def run_study(path: str, _: str) -> Facts:
    """Build a study with an empty cache."""
    from geodata.build import build_study
    from geodata.cache import DiskCache
    from geodata.study_file import read_study_file

    with tempfile.TemporaryDirectory() as folder:
        seconds, wall, study = measure(lambda: build_study(read_study_file(path), cache=DiskCache(folder)), repeats=1)
    facts = {"units": len(study.units), "schools": len(study.schools), "modes": len(study.travel)}
    return {"seconds": seconds, "wall_s": wall, "peak_mb": read_peak_mb()} | facts


CHILDREN: dict[str, Callable[[str, str], Facts]] = {
    "ours": run_ours,
    "osmnx": run_osmnx,
    "sums": run_sums,
    "file": run_file,
    "study": run_study,
}


def run_child(name: str, *arguments: str) -> Facts:
    """Run one of :data:`CHILDREN` in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.read", "--child", name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: Facts = json.loads(done.stdout.splitlines()[-1])
    return found


def compare_roads() -> dict[str, Facts]:
    """Measure both readers on each extract."""
    found = {}
    for place, (file, crs) in EXTRACTS.items():
        with tempfile.TemporaryDirectory() as folder:
            xml = Path(folder) / "roads.osm"
            write_road_xml(CASES / file, xml)
            ours, peer = run_child("ours", str(CASES / file), crs), run_child("osmnx", str(xml), crs)
        memory = ours["peak_mb"] / peer["peak_mb"]
        found[place] = {"ours": ours, "osmnx": peer, "ratio": peer["seconds"] / ours["seconds"], "memory": memory}
    return found


def print_tables(found: dict[str, Any]) -> None:
    """Print what was found as tables."""
    if "roads" in found:
        print("| extract | osmnx CPU s | ours CPU s | ratio | osmnx MB | ours MB | share |")
        print("|---|---|---|---|---|---|---|")
        for place, row in found["roads"].items():
            ours, peer = row["ours"], row["osmnx"]
            print(f"| {place}, {ours['nodes']:,} nodes | {peer['seconds']:.2f} | {ours['seconds']:.2f} ", end="")
            print(f"| {row['ratio']:.1f}x | {peer['peak_mb']:.0f} | {ours['peak_mb']:.0f} | {row['memory']:.0%} |")
    if "sums" in found:
        sums = found["sums"]
        print(
            f"\nfurther raster, known units: exactextract {sums['peer_s']:.2f} s, ours {sums['ours_s']:.4f} s", end=""
        )
        print(f" on two threads: {sums['ratio']:.0f}x ({sums['cpu_ratio']:.0f}x in CPU time),", end="")
        print(f" greatest error {sums['error']:.1e}; the coverage once {sums['coverage_s']:.2f} s,", end="")
        print(f" {sums['coverage_mb']:.0f} MB")
        for name, text in (("file", "every cell with people"), ("window", f"a window of {HUGE:,} × {HUGE:,} cells")):
            row = found[name]
            print(f"file to 5,000 units, {text}: {row['seconds']:.1f} s CPU, {row['peak_mb']:,.0f} MB")
    if "study" in found:
        row = found["study"]
        print(f"\nReykjavík to a study: {row['wall_s']:.1f} s ({row['seconds']:.1f} s CPU),", end="")
        print(f" {row['peak_mb']:,.0f} MB, {row['units']:,} units, {row['schools']:,} schools, {row['modes']} modes")


def measure_all(only: Sequence[str], cells: int, units: int) -> Facts:
    """Measure everything asked for."""
    found: Facts = {}
    if "roads" in only:
        found["roads"] = compare_roads()
    if "rasters" in only:
        found["sums"] = run_child("sums", str(cells), str(units))
        found["file"] = run_child("file", str(cells), str(cells))
        found["window"] = run_child("file", str(HUGE), "2000")
    if "study" in only:
        found["study"] = run_child("study", str(Path(__file__).parents[1] / "examples/studies/reykjavik.toml"), "")
    return found


def main() -> None:
    """Measure everything and print it."""
    print_tables(measure_all(PARTS, CELLS, CELLS))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--child", nargs=3, metavar=("NAME", "FIRST", "SECOND"), help="one measurement, for this program"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--units", type=int, default=CELLS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(CHILDREN[asked.child[0]](asked.child[1], asked.child[2])))
    else:
        result = measure_all(asked.only, asked.cells, asked.units)
        if asked.json:
            print(json.dumps(result, indent=2))
        else:
            print_tables(result)
