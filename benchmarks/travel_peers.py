"""The peers of :mod:`benchmarks.travel`: scipy, networkx and pyroutingkit, fed the same whole milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.study import RoadNetwork

Nodes: TypeAlias = npt.NDArray[np.int64]
Answer: TypeAlias = tuple[dict[str, Any], npt.NDArray[np.int32]]
CUTOFF_MS = 15.0 * 60_000.0
_BOTH_WAYS = 400_000


@dataclass(frozen=True, eq=False)
class Question:
    """Milliseconds from the nodes ``units`` to the nodes ``schools``; ``sample``: schools for slow peers."""

    network: RoadNetwork
    units: Nodes
    schools: Nodes
    file_order: Nodes
    sample: int

    def list_arcs(self) -> tuple[Nodes, Nodes, npt.NDArray[np.int64]]:
        """Return tail, head and milliseconds of every arc."""
        network = self.network
        tail = np.repeat(np.arange(network.n_nodes, dtype=np.int64), np.diff(network.start))
        return tail, network.head.astype(np.int64), np.rint(network.time_s.astype(np.float64) * 1000.0).astype(np.int64)


def run_scipy(question: Question, *, as_file: bool) -> Answer:
    """Search from each school over the turned graph; scipy's output holds every node, so ten schools at a time."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    tail, head, millis = question.list_arcs()
    number = np.arange(question.network.n_nodes)
    if as_file:
        number[question.file_order] = np.arange(len(number))
    size = (len(number), len(number))
    began = time.perf_counter()
    graph = csr_array((millis.astype(np.float64), (number[head], number[tail])), shape=size)
    prepared = time.perf_counter() - began
    goals, homes = number[question.schools[: question.sample]], number[question.units]
    dijkstra(graph, indices=goals[:1])
    table_s, limit_s = np.inf, np.inf
    for _ in range(2):  # the better counts, as with ours
        began = time.perf_counter()
        found = dijkstra(graph, indices=goals)[:, homes]
        table_s = min(table_s, time.perf_counter() - began)
        began = time.perf_counter()
        dijkstra(graph, indices=goals, limit=CUTOFF_MS)[:, homes]
        limit_s = min(limit_s, time.perf_counter() - began)
    scale = len(question.schools) / len(goals)
    figures = {"prepare_s": prepared, "table_s": table_s * scale, "limit_s": limit_s * scale}
    if len(goals) < len(question.schools):
        figures["sample"] = len(goals)
    return figures, np.where(np.isfinite(found), found, -1).astype(np.int32).T


def run_pyroutingkit(question: Question) -> Answer:
    """Build customizable contraction hierarchies and ask for the whole table, from homes and from schools.

    The better of the two counts, with one preparation; on large maps only from homes, which was the better one. One
    thread customizes: with two it is eight times as slow.
    """
    homes, goals = question.units.astype(np.uint32), question.schools.astype(np.uint32)
    found = []
    for turned in (False, True) if question.network.n_nodes <= _BOTH_WAYS else (False,):
        began = time.perf_counter()
        metric = _build_pyroutingkit(question, turned=turned)
        prepared = time.perf_counter() - began
        ends = (goals, homes) if turned else (homes, goals)
        metric.distances_many_to_many(ends[0][:20], ends[1][:20])
        began = time.perf_counter()
        table = metric.distances_many_to_many(*ends)
        found.append((time.perf_counter() - began, prepared))
        answer = np.array((table.T if turned else table)[:, :50], dtype=np.int64)
        del table
    from pyroutingkit import INF_WEIGHT

    figures = {
        "prepare_s": min(item[1] for item in found),
        "table_s": min(found)[0],
        "tables_s": [item[0] for item in found],
    }
    return figures, np.where(answer >= INF_WEIGHT, -1, answer).astype(np.int32)


def _build_pyroutingkit(question: Question, *, turned: bool) -> Any:
    import pyroutingkit

    tail, head, millis = question.list_arcs()
    if turned:
        tail, head = head, tail
    network = question.network
    # It orders nodes by their places; metres serve as well as degrees.
    places = [((values - values.min()) / 1e5).astype(np.float32) for values in (network.y_m, network.x_m)]
    topology = pyroutingkit.CCHTopology()
    topology.build(tail.astype(np.uint32), head.astype(np.uint32), *places, network.n_nodes)
    metric = pyroutingkit.CCHMetric(topology)
    metric.customize(millis.astype(np.uint32), thread_count=1)
    return metric


def run_networkx(question: Question) -> Answer:
    """Search from one school or a few, as osmnx does."""
    import networkx as nx

    tail, head, millis = question.list_arcs()
    began = time.perf_counter()
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(zip(head.tolist(), tail.tolist(), millis.tolist(), strict=True))
    prepared = time.perf_counter() - began
    goals = question.schools[: max(question.sample // 10, 1)]
    began = time.perf_counter()
    rows = [nx.single_source_dijkstra_path_length(graph, int(goal)) for goal in goals]
    seconds = time.perf_counter() - began
    answer = np.array([[row.get(int(home), -1) for row in rows] for home in question.units], dtype=np.int32)
    figures = {"prepare_s": prepared, "table_s": seconds * len(question.schools) / len(goals), "sample": len(goals)}
    return figures, answer


PEERS: dict[str, Callable[[Question], Answer]] = {
    "scipy_file": lambda question: run_scipy(question, as_file=True),
    "scipy_curve": lambda question: run_scipy(question, as_file=False),
    "pyroutingkit": run_pyroutingkit,
    "networkx": run_networkx,
}
