"""The street nets of the demo county: the county seat, the towns, and the lanes of every village."""

from __future__ import annotations

import numpy as np

from geodata.demo import names
from geodata.demo.streets import GridEdge, build_net, draw_lane_gaps, list_borders, split_lines
from geodata.demo.terrain import SEAT_ANGLE, SEAT_M, SEAT_RIVER_V_M
from geodata.demo.ways import GridPlan, Points, StreetNet, Tags, build_warp, list_grid_edges

RANK_CLASS = {3: "primary", 2: "secondary", 1: "tertiary"}
LANES = ("residential", "living_street", "residential", "service", "living_street", "footway")


def name_lines(
    rng: np.random.Generator, ranks: list[int], main: tuple[str, ...], used: set[str], second_rank: int = 2
) -> dict[int, str]:
    """Name every street: main and secondary streets from ``main`` in order, the others 健康路, 光明街 …"""
    lines: dict[int, str] = {}
    mains = iter(main)
    for line, rank in enumerate(ranks):
        name = next(mains, "") if rank >= second_rank else ""
        while rank >= 1 and (not name or name in used):
            first = names.LANE_FIRST[int(rng.integers(len(names.LANE_FIRST)))]
            name = first + ("路", "街", "路", "巷")[int(rng.integers(4))]
        if name:
            used.add(name)
            lines[line] = name
    return lines


def build_seat_net(rng: np.random.Generator) -> StreetNet:
    """Draw the county seat: north and south of the river, with named streets, lanes and estate paths."""
    u_blocks = [float(rng.integers(370, 540)) for _ in range(13)]
    u, u_rank = split_lines(rng, -sum(u_blocks) / 2, u_blocks, [1, 2, 1, 3, 1, 2, 1, 3, 1, 2, 3, 1, 2, 1], [2] * 13)
    south = [float(rng.integers(380, 470)) for _ in range(2)]
    north = [float(rng.integers(370, 480)) for _ in range(8)]
    bank_v = SEAT_RIVER_V_M - 135.0
    v, v_rank = split_lines(
        rng, bank_v - sum(south), [*south, 270.0, *north], [1, 2, 3, 3, 1, 2, 1, 3, 1, 2, 1, 1], [2, 2, 0, *[2] * 8]
    )
    strip = int(np.argmin(np.abs(v - bank_v)))
    middle_u, middle_v = (u[:-1] + u[1:]) / 2, (v[:-1] + v[1:]) / 2
    built = _round_off(rng, u, v, u_rank, v_rank, middle_u, middle_v)
    bridges = [i for i, rank in enumerate(u_rank) if rank == 3]
    draft = GridPlan(
        u,
        v,
        u_rank,
        v_rank,
        built,
        build_warp(SEAT_M, SEAT_ANGLE, 150.0, 2_100.0, 0.8, SEAT_RIVER_V_M),
        frozenset(),
        frozenset(),
    )
    edges = list_grid_edges(draft)
    closed = draw_lane_gaps(rng, edges, u_rank, v_rank, 0.16, 0.42)
    closed |= {("u", i, strip) for i in range(len(u)) if i not in bridges}
    borders = list_borders(rng, edges, u_rank, v_rank, 0.8)
    open_edges = {(way, i, j) for way, i, j, inside in edges if inside}
    borders -= {edge for edge in open_edges if edge[0] == "v" and edge[2] == strip + 1}
    borders -= {edge for edge in open_edges if edge[0] == "u" and edge[2] == strip and u_rank[edge[1]] == 0}
    plan = GridPlan(u, v, u_rank, v_rank, built, draft.warp, borders, closed)
    used: set[str] = {"滨河北路", "滨河南路"}
    line_names = {
        "u": name_lines(rng, u_rank, names.MAIN_NORTH_SOUTH, used),
        "v": name_lines(rng, v_rank, names.MAIN_EAST_WEST, used) | {strip: "滨河南路", strip + 1: "滨河北路"},
    }
    lane = rng.integers(0, len(LANES), (len(u), len(v)))
    one_way = {("u", k) for k in [i for i, rank in enumerate(u_rank) if rank == 1][2:4]}

    def tag(place: GridEdge, rank: int, inside: bool) -> Tags:
        direction, i, j = place
        line = i if direction == "u" else j
        tags = {"highway": RANK_CLASS.get(rank) or LANES[int(lane[i // 3 * 3, j // 3 * 3])]}
        if rank > 0:
            tags["name"] = line_names[direction][line]
            tags["maxspeed"] = {3: "50", 2: "40", 1: "30"}[rank]
        if (direction, line) in one_way:
            tags |= {"oneway": "yes"}
        if direction == "u" and j == strip:
            tags |= {"bridge": "yes", "layer": "1"}
        return tags

    hub = (bridges[len(bridges) // 2], next(j for j, rank in enumerate(v_rank) if j > strip + 1 and rank == 3))
    return build_net(plan, hub, 2, 45.0, tag)


def _round_off(
    rng: np.random.Generator, u: Points, v: Points, u_rank: list[int], v_rank: list[int], middle_u: Points,
    middle_v: Points,
) -> np.ndarray:  # fmt: skip
    """Return the cells that are built up: whole blocks within an uneven oval."""
    u_block = np.cumsum([rank > 0 for rank in u_rank])[:-1] - 1
    v_block = np.cumsum([rank > 0 for rank in v_rank])[:-1] - 1
    centre_u = np.array([middle_u[u_block == k].mean() for k in range(u_block[-1] + 1)])
    centre_v = np.array([middle_v[v_block == k].mean() for k in range(v_block[-1] + 1)])
    half_u, half_v = (u[-1] - u[0]) / 2, (v[-1] - v[0]) / 2
    oval = np.abs(centre_u[:, None] - u.mean()) ** 2.3 / half_u**2.3 + np.abs(centre_v - v.mean()) ** 2.3 / half_v**2.3
    blocks = oval + rng.uniform(-0.2, 0.2, oval.shape) < 1.0
    return np.asarray(blocks[u_block][:, v_block])


def build_town_net(rng: np.random.Generator, centre: tuple[float, float], people: float, angle: float) -> StreetNet:
    """Draw the streets of a town: a bent cross of main streets, side streets, lanes."""
    columns = 5 if people > 11_500 else 4
    rows = 4 if people > 8_500 else 3
    width = float(np.sqrt(people * 96.0 / (columns * rows)))
    u_blocks = [width * float(rng.uniform(0.85, 1.15)) for _ in range(columns)]
    v_blocks = [width * float(rng.uniform(0.85, 1.15)) for _ in range(rows)]
    u_ranks, v_ranks = [1] * (columns + 1), [1] * (rows + 1)
    u_ranks[columns // 2], v_ranks[(rows + 1) // 2] = 3, 3
    u, u_rank = split_lines(rng, -sum(u_blocks) / 2, u_blocks, u_ranks, [2] * columns)
    v, v_rank = split_lines(rng, -sum(v_blocks) / 2, v_blocks, v_ranks, [2] * rows)
    built = _round_off(rng, u, v, u_rank, v_rank, (u[:-1] + u[1:]) / 2, (v[:-1] + v[1:]) / 2)
    warp = build_warp(centre, angle, 34.0, 520.0, float(rng.uniform(0, 6)))
    draft = GridPlan(u, v, u_rank, v_rank, built, warp, frozenset(), frozenset())
    edges = list_grid_edges(draft)
    closed = draw_lane_gaps(rng, edges, u_rank, v_rank, 0.25, 0.4)
    borders = list_borders(rng, edges, u_rank, v_rank, 0.05)
    plan = GridPlan(u, v, u_rank, v_rank, built, warp, borders, closed)
    used: set[str] = set()
    pool = tuple(names.TOWN_STREETS[k] for k in rng.permutation(len(names.TOWN_STREETS)))
    line_names = {"u": name_lines(rng, u_rank, pool[:6], used, 1), "v": name_lines(rng, v_rank, pool[6:], used, 1)}

    def tag(place: GridEdge, rank: int, inside: bool) -> Tags:
        direction, i, j = place
        if rank == 0:
            return {"highway": ("residential", "service", "living_street")[(i // 3 + 2 * (j // 3)) % 3]}
        name = line_names[direction][i if direction == "u" else j]
        return {
            "highway": "secondary" if rank == 3 else "residential",
            "name": name,
            "maxspeed": "40" if rank == 3 else "30",
        }

    return build_net(plan, (u_rank.index(3), v_rank.index(3)), 3, 34.0, tag)


def build_village_net(
    rng: np.random.Generator, centre: tuple[float, float], people: float, hilliness: float
) -> StreetNet:
    """Draw the lanes of a village: a small crooked grid in the plain, a loose string of houses in the hills."""
    rows_of_homes = float(np.sqrt(people / 24.0))
    long = 1.0 + 0.9 * hilliness
    columns = int(np.clip(round(rows_of_homes * long * rng.uniform(0.85, 1.15)), 3, 12))
    rows = int(np.clip(round(rows_of_homes / long * rng.uniform(0.85, 1.15)), 2, 9))
    u = np.cumsum(rng.uniform(44.0, 82.0, columns + 1))
    v = np.cumsum(rng.uniform(44.0, 82.0, rows + 1))
    hub = (
        int(rng.integers(columns // 3, columns - columns // 3 + 1)),
        int(rng.integers(rows // 3, rows - rows // 3 + 1)),
    )
    u, v = np.round(u - u[hub[0]], 1), np.round(v - v[hub[1]], 1)
    u_rank = [int(i == hub[0]) for i in range(columns + 1)]
    v_rank = [int(j == hub[1]) for j in range(rows + 1)]
    built = rng.random((columns, rows)) < 0.9
    built[max(0, hub[0] - 1) : hub[0] + 1, :] = True
    built[:, max(0, hub[1] - 1) : hub[1] + 1] = True
    warp = build_warp(centre, float(rng.uniform(-0.45, 0.45)), 16.0 + 22.0 * hilliness, 240.0, float(rng.uniform(0, 6)))
    draft = GridPlan(u, v, u_rank, v_rank, built, warp, frozenset(), frozenset())
    gaps = 0.24 + 0.36 * hilliness
    closed = draw_lane_gaps(rng, list_grid_edges(draft), u_rank, v_rank, gaps, gaps * 0.6)
    plan = GridPlan(u, v, u_rank, v_rank, built, warp, frozenset(), closed)
    kind = rng.integers(0, 3, (columns + 1, 2))

    def tag(place: GridEdge, rank: int, inside: bool) -> Tags:
        lane = ("residential", "service", "living_street")[int(kind[place[1], 0 if place[0] == "u" else 1])]
        if not inside and rank == 0 and lane == "service":
            lane = "footway"
        return {
            "highway": "unclassified"
            if rank
            else "residential"
            if lane == "living_street" and hilliness > 0.5
            else lane
        }

    return build_net(plan, hub, 1, 30.0, tag)
