"""Travel tables against scipy, networkx and pyroutingkit, in the same run: ``python -m benchmarks.travel``.

Every engine answers the same question, whole milliseconds from every home to every school, from node to node, on the
same generated road map (:mod:`benchmarks.road_graph`) or a given OSM file (``--graph``), in a process of its own; the
answers are compared. Peers that would take too long are run from a few schools and multiplied: such figures carry
``*``. scipy is run on nodes as a file lists them and on nodes sorted along a space-filling curve, as ours are by our
reader; ratios are told for both. ``--growth`` prints how time grows with nodes and with units.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from benchmarks import travel_peers
from benchmarks.road_graph import RoadGraph, build_road_graph
from geodata.study import RoadNetwork

SEED = 2026
ENGINES = ("ours", "scipy_file", "scipy_curve", "pyroutingkit", "networkx")
CUTOFF_MIN = 15.0
T = TypeVar("T")
Nodes: TypeAlias = npt.NDArray[np.int64]
Figures: TypeAlias = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures; with ``--json`` as one object."""
    options = _read_options(arguments)
    if options.engine:
        print(json.dumps(run_engine(options.engine, Path(options.folder), options)))
        return
    if options.growth:
        print_growth(options)
        return
    found = compare(options)
    print(json.dumps(found, indent=1) if options.json else describe(found))


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.travel", description=__doc__)
    parser.add_argument("--nodes", type=int, default=250_000)
    parser.add_argument("--schools", type=int, default=200)
    parser.add_argument("--units", type=int, default=20_000)
    parser.add_argument("--graph", default="", help="an OSM file instead of a generated map")
    parser.add_argument("--crs", default="EPSG:3857", help="metres for --graph")
    parser.add_argument("--mode", default="drive", help="for --graph")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--repeats", type=int, default=5, help="runs of ours, of which the best counts")
    parser.add_argument("--sample", type=int, default=10, help="schools for scipy (a tenth for networkx)")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--engine", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    return parser.parse_args(arguments if arguments is not None else sys.argv[1:] if __name__ == "__main__" else [])


def compare(options: argparse.Namespace) -> Figures:
    """Return the figures of every engine, and the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph = load_graph(options)
        write_graph(folder, graph, options)
        network = graph.network
        found: Figures = {
            "nodes": network.n_nodes,
            "arcs": len(network.head),
            "schools": options.schools,
            "units": options.units,
            "engines": {},
        }
        del graph, network
        for engine in options.engines.split(","):
            found["engines"][engine] = _run_apart(engine, folder, options)
        found["equal"] = _compare_answers(folder, found["engines"])
    found["ratios"] = _compute_ratios(found["engines"])
    return found


def load_graph(options: argparse.Namespace) -> RoadGraph:
    """Return the map, generated or read; times are whole milliseconds."""
    if not options.graph:
        return build_road_graph(options.nodes, SEED)
    from dataclasses import replace

    from geodata.network import build_network
    from geodata.osm import read_osm_roads
    from geodata.road_classes import read_road_classes
    from geodata.road_table import build_road_table

    table = build_road_table(read_osm_roads(Path(options.graph)), options.crs, read_road_classes())
    network = build_network(table, options.mode)
    millis = np.maximum(np.rint(network.time_s.astype(np.float64) * 1000.0), 1.0)
    whole = replace(network, time_s=(millis / 1000.0).astype(np.float32), enterable=None)
    return RoadGraph(whole, np.random.default_rng(SEED).permutation(network.n_nodes))


def write_graph(folder: Path, graph: RoadGraph, options: argparse.Namespace) -> None:
    """Write the map and the question, for the engines' processes."""
    from geodata.snap import snap_points

    network = graph.network
    draw = np.random.default_rng(SEED)
    # Nodes that lie exactly on another road (bridges of a real map) cannot be named by their place: left out.
    picked = draw.permutation(network.n_nodes)[: 2 * (options.units + options.schools) + 1000]
    snap = snap_points(network, network.x_m[picked], network.y_m[picked])
    sure = picked[np.where(snap.fraction == 0.0, snap.tail, snap.head) == picked]
    np.savez(
        folder / "graph.npz",
        start=network.start,
        head=network.head,
        length_m=network.length_m,
        time_s=network.time_s,
        x_m=network.x_m,
        y_m=network.y_m,
        file_order=graph.file_order,
        units=draw.choice(sure, options.units),
        schools=draw.choice(sure, options.schools),
    )


def read_graph(folder: Path) -> tuple[RoadNetwork, Nodes, Nodes, Nodes]:
    """Return the network, the nodes of units and schools, and the nodes in a file's order."""
    with np.load(folder / "graph.npz") as parts:
        names = ("start", "head", "length_m", "time_s", "x_m", "y_m")
        network = RoadNetwork("drive", *(parts[name] for name in names))
        return network, parts["units"], parts["schools"], parts["file_order"]


def _run_apart(engine: str, folder: Path, options: argparse.Namespace) -> Figures:
    """Return the figures of one engine, run in a process of its own."""
    own = ["--engine", engine, "--folder", str(folder), "--repeats", str(options.repeats)]
    command = [sys.executable, "-m", "benchmarks.travel", *own, "--sample", str(options.sample)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:] or [str(done.returncode)]}
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def run_engine(engine: str, folder: Path, options: argparse.Namespace) -> Figures:
    """Return seconds and peak megabytes of one engine; write its answer next to the graph."""
    network, units, schools, file_order = read_graph(folder)
    base_mb = read_peak_mb()
    if engine == "ours":
        figures, answer = run_ours(network, units, schools, options.repeats)
    else:
        question = travel_peers.Question(network, units, schools, file_order, options.sample)
        figures, answer = travel_peers.PEERS[engine](question)
    np.save(folder / f"{engine}.npy", answer)
    return figures | {"peak_mb": read_peak_mb() if "peak_mb" not in figures else figures["peak_mb"], "base_mb": base_mb}


def read_peak_mb() -> int:
    """Return the most memory that this process has held (not its parent's: Linux hands that on to children)."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run_ours(network: RoadNetwork, units: Nodes, schools: Nodes, repeats: int) -> tuple[Figures, npt.NDArray[Any]]:
    """Return our figures and the first schools' minutes, shape (units, schools)."""
    from geodata.travel import TravelSearch, warm_up

    figures: Figures = {"compile_s": measure(warm_up)[0]}
    homes, goals = _as_points(network, units), _as_points(network, schools)
    figures |= _split_preparation(network)
    figures["place_units_s"], search = measure(lambda: TravelSearch(network, homes))
    figures["hierarchy_s"], _ = measure(search.hierarchy._prepare_shape)
    figures["customise_s"], _ = measure(lambda: search.prepare(lengths=False))
    figures["prepare_s"] = figures["place_units_s"] + figures["hierarchy_s"] + figures["customise_s"]
    for threads in (2, 1):
        search.threads = threads
        seconds, answer = _repeat(lambda: _time_table(search, goals), repeats)
        figures[f"minutes_{threads}_threads_s"] = seconds
    figures["peak_mb"] = read_peak_mb()  # of minutes alone
    search.threads = 2
    figures |= _measure_changes(search, network, goals, repeats)
    if len(units) * len(schools) <= 5e7:
        figures["customise_metres_s"], _ = measure(lambda: search.prepare(lengths=True))
        figures["minutes_metres_2_threads_s"], _ = _repeat(
            lambda: search.measure(goals, method="hierarchy")[0], max(repeats - 2, 1)
        )
        figures["peak_metres_mb"] = read_peak_mb()
    figures |= _measure_bounded(network, homes, goals, repeats)
    return figures, answer


def _time_table(search: Any, goals: Any) -> Any:
    """Return the first schools' minutes of a whole table."""
    return search.measure_minutes(goals, method="hierarchy")[0][:, :50].copy()


def _split_preparation(network: RoadNetwork) -> Figures:
    """Return the seconds of the steps that ``TravelSearch`` takes, measured one by one."""
    from geodata.chains import build_chains
    from geodata.snap import build_edges, build_snap_index

    pair_s, edges = measure(lambda: build_edges(network))
    fold_s, chains = measure(lambda: build_chains(network, edges))
    index_s, _ = measure(lambda: build_snap_index(network, edges))
    return {"pair_s": pair_s, "fold_s": fold_s, "index_s": index_s, "core_nodes": chains.n_core}


def _measure_changes(search: Any, network: RoadNetwork, goals: Any, repeats: int) -> Figures:
    """Return the milliseconds of one more school, a closed road, and all costs anew."""
    from geodata.hierarchy import build_metric
    from geodata.whole_costs import to_costs

    draw = np.random.default_rng(SEED)
    one = (goals[0][:1], goals[1][:1], goals[2][:1])
    added, _ = _repeat(lambda: search.measure_minutes(one, method="hierarchy"), 4 * repeats)
    fork_s, fork = measure(search.fork)
    fork.change([0], [np.inf])
    closed = []
    for arc in draw.integers(0, len(network.head), 200):
        seconds, _ = measure(lambda arc=arc: fork.change([arc], [np.inf]))  # type: ignore[misc]
        closed.append(seconds)
        fork.change([arc], [network.time_s[arc]])
    fork.change([arc], [np.inf])
    ready_s, _ = measure(lambda: fork.prepare(lengths=False))
    touched_s, touched = measure(lambda: search.find_touched(fork, goals, lengths=False))
    topology = search.hierarchy._prepare_shape()[0]
    costs = to_costs(*search.chains.measure_arcs(), lengths=False)
    whole, _ = _repeat(lambda: build_metric(topology, costs), repeats)
    return {
        "added_school_ms": added * 1e3,
        "closed_road_ms": {"median": float(np.median(closed)) * 1e3, "worst": max(closed) * 1e3},
        "closed_road_then_ready_ms": ready_s * 1e3,
        "fork_once_ms": fork_s * 1e3,
        "find_touched_ms": touched_s * 1e3,
        "touched_schools": int(touched.destinations.sum()),
        "recost_all_ms": whole * 1e3,
    }


def _measure_bounded(network: RoadNetwork, homes: Any, goals: Any, repeats: int) -> Figures:
    """Return the seconds of a table with a cutoff, all preparation counted.

    ``cutoff_nodes_…`` is scipy's own question: from node to node on the arrays as given (turning them round counted).
    ``cutoff_points_…`` is the planner's: houses and schools anywhere are placed on the roads first (folding, the grid
    and placing counted), and searched as the rule chooses; scipy has no counterpart to that part.
    """
    from geodata.travel import TravelSearch
    from geodata.travel_nodes import measure_nodes, turn_network

    def run(threads: int) -> Any:
        search = TravelSearch(network, homes, cutoff_min=CUTOFF_MIN, threads=threads)
        return search.measure_minutes(goals)[0]

    def search_alone() -> float:
        search = TravelSearch(network, homes, cutoff_min=CUTOFF_MIN, threads=1)
        search.measure_minutes(goals, method="bounded")
        return min(measure(lambda: search.measure_minutes(goals, method="bounded"))[0] for _ in range(repeats))

    nodes, schools = (np.array([int(name) for name in points[0]]) for points in (homes, goals))

    def run_nodes(threads: int) -> Any:
        return measure_nodes(turn_network(network), nodes, schools, cutoff_min=CUTOFF_MIN, threads=threads)

    return {
        "cutoff_min": CUTOFF_MIN,
        "cutoff_nodes_2_threads_s": _repeat(lambda: run_nodes(2), 3)[0],
        "cutoff_nodes_1_thread_s": _repeat(lambda: run_nodes(1), 3)[0],
        "cutoff_nodes_equal_points": bool(np.array_equal(run_nodes(2), run(2), equal_nan=True)),
        "cutoff_points_2_threads_s": _repeat(lambda: run(2), 3)[0],
        "cutoff_points_1_thread_s": _repeat(lambda: run(1), 3)[0],
        "cutoff_per_school_ms": search_alone() / len(goals[0]) * 1e3,
    }


def _as_points(
    network: RoadNetwork, nodes: Nodes
) -> tuple[list[str], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return [str(node) for node in nodes], network.x_m[nodes], network.y_m[nodes]


def measure(task: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that ``task`` took, and its result."""
    began = time.perf_counter()
    result = task()
    return time.perf_counter() - began, result


def _repeat(task: Callable[[], T], times: int) -> tuple[float, T]:
    """Return the best seconds of some runs, and the last result; one result is held at a time."""
    best = float("inf")
    for _ in range(times):
        result = None
        seconds, result = measure(task)
        best = min(best, seconds)
    return best, result  # type: ignore[return-value]


def _compare_answers(folder: Path, engines: Figures) -> dict[str, bool]:
    """Return whether each engine's milliseconds are our minutes (float32), for the schools that it answered."""
    if not (folder / "ours.npy").is_file():
        return {}
    ours = np.load(folder / "ours.npy")
    found = {}
    for engine in engines:
        if engine != "ours" and (folder / f"{engine}.npy").is_file():
            theirs = np.load(folder / f"{engine}.npy")
            columns = min(ours.shape[1], theirs.shape[1])
            minutes = np.where(theirs < 0, np.nan, theirs.astype(np.float32) / np.float32(60_000.0))
            found[engine] = bool(np.array_equal(ours[:, :columns], minutes[:, :columns], equal_nan=True))
    return found


def _compute_ratios(engines: Figures) -> Figures:
    """Return how many times longer each peer takes: query against query, and preparation counted on both sides."""
    ours = engines.get("ours", {})
    if "minutes_2_threads_s" not in ours:
        return {}
    query = ours["minutes_2_threads_s"]
    found: Figures = {}
    for name, peer in engines.items():
        if "table_s" in peer and name != "ours":
            whole = peer["table_s"] + peer["prepare_s"]
            found[name] = {"query": peer["table_s"] / query, "with_preparation": whole / (query + ours["prepare_s"])}
            if "minutes_metres_2_threads_s" in ours:
                found[name]["query_with_metres"] = peer["table_s"] / ours["minutes_metres_2_threads_s"]
        if "limit_s" in peer:
            for key in ("nodes_2_threads", "nodes_1_thread", "points_2_threads", "points_1_thread"):
                found[name][f"cutoff_{key}"] = peer["limit_s"] / ours[f"cutoff_{key}_s"]
    return found


def describe(found: Figures) -> str:
    """Return the figures as tables."""
    head = f"{found['nodes']:,} nodes, {found['arcs']:,} arcs; {found['schools']} schools × {found['units']:,} units"
    lines = [
        head,
        "",
        "| engine | prepare s | table s | peak MB | ratio | with preparation |",
        "|---|---|---|---|---|---|",
    ]
    for name, engine in found["engines"].items():
        table = engine.get("minutes_2_threads_s", engine.get("table_s"))
        if table is None:
            lines.append(f"| {name} | failed: {engine.get('failed')} | | | | |")
            continue
        mark, ratio = "*" if engine.get("sample") else "", found["ratios"].get(name, {})
        shares = " | ".join(f"{ratio[key]:.0f}" if ratio else "" for key in ("query", "with_preparation"))
        lines.append(f"| {name} | {engine['prepare_s']:.2f} | {table:.3f}{mark} | {engine['peak_mb']:,} | {shares} |")
    for name, value in found["engines"].get("ours", {}).items():
        lines.append(f"- ours, {name}: {value:.4g}" if isinstance(value, float) else f"- ours, {name}: {value}")
    for name, ratio in found["ratios"].items():
        cutoffs = {key[7:]: round(value, 1) for key, value in ratio.items() if key.startswith("cutoff")}
        if cutoffs:
            lines.append(f"- cutoff of {CUTOFF_MIN:g} min, {name} / ours, all of ours counted: {cutoffs}")
    lines += [
        f"- equal answers: {found['equal']}",
    ]
    return "\n".join(lines)


def print_growth(options: argparse.Namespace) -> None:
    """Print seconds at 10,000 to 1,000,000 nodes and 1,000 to 100,000 units, and the exponents between the ends."""
    sizes, counts = (10_000, 100_000, 1_000_000), (1_000, 10_000, 100_000)
    rows: dict[int, Figures] = {}
    print("| nodes | prepare s | " + " | ".join(f"{count:,} units s" for count in counts) + " |\n|---|---|---|---|---|")
    for size in sizes:
        own: list[float] = []
        for count in counts:
            given = argparse.Namespace(**(vars(options) | {"nodes": size, "units": count, "engines": "ours"}))
            figures = compare(given)["engines"]["ours"]
            own.append(figures["minutes_2_threads_s"])
        rows[size] = {"prepare": figures["prepare_s"], "table": own}
        table = " | ".join(f"{seconds:.4f}" for seconds in own)
        print(f"| {size:,} | {figures['prepare_s']:.3f} | {table} |", flush=True)
    steps = np.log10(sizes[-1] / sizes[0])
    by_nodes = np.log10(rows[sizes[-1]]["table"][-1] / rows[sizes[0]]["table"][-1]) / steps
    prepared = np.log10(rows[sizes[-1]]["prepare"] / rows[sizes[0]]["prepare"]) / steps
    by_units = np.log10(rows[sizes[-1]]["table"][-1] / rows[sizes[-1]]["table"][0]) / np.log10(counts[-1] / counts[0])
    print(f"\nExponents: by nodes {by_nodes:.2f}, by units {by_units:.2f}, preparation by nodes {prepared:.2f}")


if __name__ == "__main__":
    main()
