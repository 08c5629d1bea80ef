"""Travel tables against scipy and networkx, in the same run: ``python -m benchmarks.travel``.

The peers answer the easier question (node to node, minutes only); ours also counts the parts of edges, the walk to the
road, and metres. Peers that would take too long are run from a few schools and multiplied: such figures carry ``*``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.network import build_network
from geodata.osm import read_osm_roads
from geodata.road_classes import read_road_classes
from geodata.road_table import RoadTable, build_road_table
from geodata.study import Mode, RoadNetwork, TravelMatrix
from geodata.study_file import compute_cases_folder
from geodata.travel import compute_travel_matrix, warm_up

CASES = {
    "Porto Alegre": ("porto_alegre_r5r/poa_osm.pbf", "EPSG:32722"),
    "Reykjavík": ("reykjavik_gostnets/capital_area.osm.pbf", "EPSG:32627"),
}
RUNS: tuple[tuple[Mode, float], ...] = (
    ("walk", 30.0),
    ("walk", float("inf")),
    ("drive", 15.0),
    ("drive", float("inf")),
)
UNITS, SCHOOLS = 5_000, 200
SCIPY_SAMPLE, NETWORKX_SAMPLE = 20, 2
REPEATS = 3  # the best counts
SEED = 2026
T = TypeVar("T")
Nodes: TypeAlias = npt.NDArray[np.int64]


def main() -> None:
    """Print the tables."""
    warm_up()
    folder = compute_cases_folder()
    tables: dict[str, RoadTable] = {}
    print("| case | read s | nodes | edges |\n|---|---|---|---|")
    for name, (file, crs) in CASES.items():
        if not (folder / file).is_file():
            print(f"| {name} | absent | | |")
            continue
        seconds, tables[name] = measure(lambda file=file, crs=crs: read_table(folder / file, crs))  # type: ignore[misc]
        print(f"| {name} | {seconds:.2f} | {tables[name].n_nodes:,} | {tables[name].n_edges:,} |")
    print(f"\n{UNITS:,} units x {SCHOOLS} schools, seconds; `*` = extrapolated from a few schools")
    print("| case | mode | cutoff min | nodes | ours | scipy | networkx | scipy / ours | networkx / ours |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, roads in tables.items():
        for mode, cutoff_min in RUNS:
            print(compare(name, build_network(roads, mode), cutoff_min))
    print("\nGrowth with the number of units, 200 schools, drive, no cutoff, seconds")
    print("| case | 1,000 | 5,000 | 20,000 |\n|---|---|---|---|")
    for name, roads in tables.items():
        network = build_network(roads, "drive")
        figures = [measure_growth(network, units) for units in (1_000, 5_000, 20_000)]
        print(f"| {name} | " + " | ".join(f"{seconds:.2f}" for seconds in figures) + " |")


def read_table(path: Path, crs: str) -> RoadTable:
    """Read a road file into arrays."""
    return build_road_table(read_osm_roads(path), crs, read_road_classes())


def compare(name: str, network: RoadNetwork, cutoff_min: float) -> str:
    """Return one row of the table."""
    _, schools = choose_nodes(network, UNITS, SCHOOLS)
    ours, scipy_s = float("inf"), float("inf")
    for _ in range(REPEATS):  # in turn, so that a busy machine slows both
        seconds, table = measure(lambda: run_ours(network, UNITS, SCHOOLS, cutoff_min))
        ours = min(ours, seconds)
        seconds, _ = measure(lambda: run_scipy(network, schools[:SCIPY_SAMPLE], cutoff_min))
        scipy_s = min(scipy_s, seconds * SCHOOLS / SCIPY_SAMPLE)
    graph = build_networkx(network)
    networkx_s, _ = measure(lambda: run_networkx(graph, schools[:NETWORKX_SAMPLE], cutoff_min))
    networkx_s *= SCHOOLS / NETWORKX_SAMPLE
    if table.time_min.shape != (UNITS, SCHOOLS):
        raise AssertionError("the table is of another size")
    return (
        f"| {name} | {network.mode} | {cutoff_min:g} | {network.n_nodes:,} | {ours:.2f} | {scipy_s:.2f}* | "
        f"{networkx_s:.1f}* | {scipy_s / ours:.1f} | {networkx_s / ours:.0f} |"
    )


def measure_growth(network: RoadNetwork, units: int) -> float:
    """Return the best seconds of some runs with this many units."""
    return min(measure(lambda: run_ours(network, units, SCHOOLS))[0] for _ in range(REPEATS))


def choose_nodes(network: RoadNetwork, units: int, schools: int) -> tuple[Nodes, Nodes]:
    """Return the nodes near which units and schools lie; the same in every run."""
    draw = np.random.default_rng(SEED)
    return draw.integers(0, network.n_nodes, units), draw.integers(0, network.n_nodes, schools)


def run_ours(network: RoadNetwork, units: int, schools: int, cutoff_min: float = float("inf")) -> TravelMatrix:
    """Measure travel from points some 20 m beside the road, snapping included."""
    homes, goals = choose_nodes(network, units, schools)

    def points(nodes: Nodes) -> tuple[list[str], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        return [str(n) for n in range(len(nodes))], network.x_m[nodes] + 15.0, network.y_m[nodes] - 15.0

    return compute_travel_matrix(network, points(homes), points(goals), mode=network.mode, cutoff_min=cutoff_min)


def run_scipy(network: RoadNetwork, goals: Nodes, cutoff_min: float) -> npt.NDArray[np.float64]:
    """Search the reversed graph with scipy; nodes are in the same good order as ours."""
    size = (network.n_nodes, network.n_nodes)
    graph = csr_array((network.time_s.astype(np.float64), network.head, network.start), shape=size).T.tocsr()
    found: npt.NDArray[np.float64] = dijkstra(graph, indices=goals, limit=cutoff_min * 60.0)
    return found


def build_networkx(network: RoadNetwork) -> nx.DiGraph:
    """Return the reversed graph."""
    tail = np.repeat(np.arange(network.n_nodes), np.diff(network.start))
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(zip(network.head.tolist(), tail.tolist(), network.time_s.tolist(), strict=True))
    return graph


def run_networkx(graph: nx.DiGraph, goals: Nodes, cutoff_min: float) -> None:
    """Search from each of the goals."""
    for goal in goals.tolist():
        nx.single_source_dijkstra_path_length(graph, goal, cutoff=cutoff_min * 60.0)


def measure(task: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that ``task`` took, and its result."""
    began = time.perf_counter()
    result = task()
    return time.perf_counter() - began, result


if __name__ == "__main__":
    main()
