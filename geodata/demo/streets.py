"""Street nets in general: from a grid of lines to connected streets, with gates, axes and the borders of blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geodata.demo.ways import Edge, GridPlan, Points, StreetNet, Tags, bend_edges, list_grid_edges

GridEdge = tuple[str, int, int]


def build_net(
    plan: GridPlan,
    hub: tuple[int, int],
    gate_rank: int,
    step_m: float,
    tag: Callable[[GridEdge, int, bool], Tags],
) -> StreetNet:
    """Draw the streets of ``plan``: all but its closed edges, as far as they hang together with the middle.

    ``tag`` gives the OSM tags of an edge from its place, its line's rank and whether it is built up on both sides.
    """
    rows = len(plan.v)
    listed: list[tuple[GridEdge, int, Tags]] = []
    for direction, i, j, inside in list_grid_edges(plan):
        rank = plan.u_rank[i] if direction == "u" else plan.v_rank[j]
        place = (direction, i, j)
        tags = {} if place in plan.closed else tag(place, rank, inside)
        if tags or place in plan.borders:
            listed.append((place, i * rows + j, tags))
    edges = []
    bends = bend_edges(plan, [place for place, _, _ in listed], step_m)
    for (place, first, tags), points in zip(listed, bends, strict=True):
        direction, i, j = place
        last, line = (first + 1, (direction, i)) if direction == "u" else (first + rows, (direction, j))
        edges.append(Edge(first, last, points, line, tags, place in plan.borders))
    return _keep_connected(plan, edges, hub[0] * rows + hub[1], gate_rank)


def _keep_connected(plan: GridPlan, edges: list[Edge], hub: int, gate_rank: int) -> StreetNet:
    """Number the crossings in use, drop lanes that hang loose, and find gates and axes."""
    rows = len(plan.v)
    count = len(plan.u) * rows
    streets = [edge for edge in edges if edge.tags]
    ends = np.array([(edge.first, edge.last) for edge in streets]).T
    graph = coo_matrix((np.ones(len(streets)), (ends[0], ends[1])), shape=(count, count))
    part = connected_components(graph, directed=False)[1]
    for edge in edges:
        if edge.tags and part[edge.first] != part[hub]:
            edge.tags = {}
    used = np.unique([node for edge in edges if edge.tags for node in (edge.first, edge.last)])
    number = np.full(count, -1)
    number[used] = np.arange(len(used))
    local = np.column_stack([plan.u[used // rows], plan.v[used % rows]])
    gates, axes = _find_gates(plan, [edge for edge in edges if edge.tags], hub, gate_rank)
    for edge in edges:
        edge.first, edge.last = int(number[edge.first]), int(number[edge.last])
    axes = {int(number[gate]): path for gate, path in axes.items()}
    return StreetNet(plan.warp(local), edges, int(number[hub]), [int(number[gate]) for gate in gates], axes)


def _find_gates(
    plan: GridPlan, streets: list[Edge], hub: int, gate_rank: int
) -> tuple[list[int], dict[int, list[int]]]:
    """Return the ends of the lines of rank ``gate_rank`` and more, and the stretches from each end to the hub."""
    rows = len(plan.v)
    hub_line = {"u": hub // rows, "v": hub % rows}
    lines: dict[tuple[str, int], list[int]] = {}
    for k, edge in enumerate(streets):
        rank = plan.u_rank[edge.line[1]] if edge.line[0] == "u" else plan.v_rank[edge.line[1]]
        if rank >= gate_rank:
            lines.setdefault(edge.line, []).append(k)
    gates: list[int] = []
    axes: dict[int, list[int]] = {}
    for line, members in lines.items():
        for gate in (streets[members[0]].first, streets[members[-1]].last):
            if gate in gates or gate == hub:
                continue
            gates.append(gate)
            if line[1] == hub_line[line[0]]:
                low, high = min(gate, hub), max(gate, hub)
                axes[gate] = [k for k in members if low <= streets[k].first and streets[k].last <= high]
    return gates, axes


def draw_lane_gaps(
    rng: np.random.Generator, plan_edges: list[tuple[str, int, int, bool]], u_rank: list[int], v_rank: list[int],
    inner: float, fringe: float,
) -> frozenset[GridEdge]:  # fmt: skip
    """Draw which lanes do not exist: ``inner`` between lanes, ``fringe`` where a lane would meet a street."""
    closed: set[GridEdge] = set()
    draws = rng.random(len(plan_edges))
    for (direction, i, j, _), draw in zip(plan_edges, draws, strict=True):
        rank = u_rank[i] if direction == "u" else v_rank[j]
        across = (v_rank[j], v_rank[j + 1]) if direction == "u" else (u_rank[i], u_rank[i + 1])
        if rank == 0 and draw < (fringe if max(across) > 0 else inner):
            closed.add((direction, i, j))
    return frozenset(closed)


def split_lines(
    rng: np.random.Generator, start: float, blocks: list[float], ranks: list[int], inner: list[int]
) -> tuple[Points, list[int]]:
    """Return line positions and ranks: streets ``blocks`` metres apart, with ``inner`` lanes between two streets."""
    place, positions, rank = start, [start], [ranks[0]]
    for width, next_rank, lanes in zip(blocks, ranks[1:], inner, strict=True):
        shares = (np.arange(1, lanes + 1) + rng.uniform(-0.16, 0.16, lanes)) / (lanes + 1)
        positions += [place + width * share for share in shares] + [place + width]
        rank += [0] * lanes + [next_rank]
        place += width
    return np.round(np.array(positions), 1), rank


def list_borders(
    rng: np.random.Generator, edges: list[tuple[str, int, int, bool]], u_rank: list[int], v_rank: list[int],
    split_share: float,
) -> frozenset[GridEdge]:  # fmt: skip
    """Return the grid edges that bound planning units: streets, the rim, and a lane across some of the blocks."""
    u_block = np.cumsum([rank > 0 for rank in u_rank]) - 1
    v_block = np.cumsum([rank > 0 for rank in v_rank]) - 1
    shape = (int(u_block[-1]) + 1, int(v_block[-1]) + 1)
    split, way, pick = rng.random(shape), rng.random(shape), rng.integers(0, 12, (*shape, 2))
    borders: set[GridEdge] = set()
    for direction, i, j, inside in edges:
        along_u = direction == "u"
        rank, blocks, line = (u_rank[i], u_block, i) if along_u else (v_rank[j], v_block, j)
        a, b = int(u_block[i]), int(v_block[j])
        if rank > 0 or not inside:
            borders.add((direction, i, j))
        elif split[a, b] < split_share:
            lanes = np.flatnonzero(blocks == (a if along_u else b))[1:]
            chosen = lanes[int(pick[a, b, 0 if along_u else 1]) % len(lanes)]
            both = split[a, b] < 0.2 * split_share
            if line == chosen and (both or along_u == (way[a, b] < 0.5)):
                borders.add((direction, i, j))
    return frozenset(borders)
