"""Roads and waters of the demo county while it is being drawn: nodes, ways with tags, and small street grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Tags = dict[str, str]


def build_generator(seed: int, part: str) -> np.random.Generator:
    """Return the random generator of one part: parts do not disturb each other when one of them is changed."""
    return np.random.Generator(np.random.PCG64([seed, *part.encode()]))


def round_points(points: Points) -> Points:
    """Round to centimetres, so that equal places stay equal whatever the machine's last bit."""
    return np.round(points, 2)


@dataclass
class WayBook:
    """Nodes (x, y in metres) and ways (node numbers with OSM tags), in the order of their making."""

    xy: list[tuple[float, float]] = field(default_factory=list)
    ways: list[tuple[list[int], Tags]] = field(default_factory=list)

    def add_node(self, x_m: float, y_m: float) -> int:
        """Add one node and return its number."""
        self.xy.append((round(float(x_m), 2), round(float(y_m), 2)))
        return len(self.xy) - 1

    def add_nodes(self, points: Points) -> list[int]:
        """Add nodes and return their numbers."""
        return [self.add_node(x, y) for x, y in points]

    def add_way(self, nodes: Sequence[int], tags: Tags) -> None:
        """Add one way."""
        self.ways.append((list(nodes), tags))

    def place(self, nodes: Sequence[int]) -> Points:
        """Return the coordinates of ``nodes``, shape (n, 2)."""
        return np.array([self.xy[node] for node in nodes])


@dataclass
class Edge:
    """One stretch of street between two crossings; ``points`` holds both ends and the bends between them."""

    first: int
    last: int
    points: Points
    line: tuple[str, int]
    tags: Tags
    border: bool = False


@dataclass
class StreetNet:
    """The streets of one settlement. ``gates`` are the crossings where roads from outside arrive.

    ``axes`` names, for each gate, the edges from it to the middle: they take the class of the road that comes in.
    Edges without tags are no streets, only borders between planning units.
    """

    xy: Points
    edges: list[Edge]
    hub: int
    gates: list[int]
    axes: dict[int, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class GridPlan:
    """A street grid to be drawn: positions of its lines, their rank (0 lane … 3 main street), the built-up cells.

    ``warp`` takes local coordinates (n, 2) to metres on the ground. An edge is (direction "u" or "v", column, row);
    ``borders`` are those that bound planning units, ``closed`` those where no street is.
    """

    u: Points
    v: Points
    u_rank: Sequence[int]
    v_rank: Sequence[int]
    built: npt.NDArray[np.bool_]
    warp: Callable[[Points], Points]
    borders: frozenset[tuple[str, int, int]]
    closed: frozenset[tuple[str, int, int]]


def build_warp(
    centre: tuple[float, float], angle: float, bend: float, reach: float, phase: float, still_v: float | None = None
) -> Callable[[Points], Points]:
    """Return a map from a straight local grid to the ground: turned by ``angle`` and bent by up to ``bend`` metres.

    Near the line v = ``still_v`` (the river bank) the grid is not bent.
    """
    cos, sin = np.cos(angle), np.sin(angle)

    def warp(local: Points) -> Points:
        u, v = local[:, 0], local[:, 1]
        size = bend if still_v is None else bend * np.clip((np.abs(v - still_v) - 140.0) / 1_500.0, 0.0, 1.0)
        bent_u = u + size * (np.sin(v * 2.1 / reach + phase) + 0.4 * np.sin(v * 5.3 / reach + 2 * phase))
        bent_v = v + size * (np.sin(u * 1.9 / reach + 1.7 * phase) + 0.4 * np.sin(u * 4.7 / reach + phase))
        x = centre[0] + bent_u * cos - bent_v * sin
        y = centre[1] + bent_u * sin + bent_v * cos
        return round_points(np.column_stack([x, y]))

    return warp


def list_grid_edges(plan: GridPlan) -> list[tuple[str, int, int, bool]]:
    """Return the edges beside a built-up cell: (direction, column, row, whether inside), lines along v ("u") first."""
    built = np.pad(plan.built, 1)
    edges: list[tuple[str, int, int, bool]] = []
    for i in range(len(plan.u)):
        for j in range(len(plan.v) - 1):
            sides = int(built[i, j + 1]) + int(built[i + 1, j + 1])
            if sides:
                edges.append(("u", i, j, sides == 2))
    for j in range(len(plan.v)):
        for i in range(len(plan.u) - 1):
            sides = int(built[i + 1, j]) + int(built[i + 1, j + 1])
            if sides:
                edges.append(("v", i, j, sides == 2))
    return edges


def bend_edges(plan: GridPlan, places: Sequence[tuple[str, int, int]], step_m: float) -> list[Points]:
    """Return the points of grid edges on the ground, about ``step_m`` apart, following the bent grid."""
    pieces = []
    for direction, i, j in places:
        start = (plan.u[i], plan.v[j])
        end = (plan.u[i], plan.v[j + 1]) if direction == "u" else (plan.u[i + 1], plan.v[j])
        parts = max(1, round((end[0] - start[0] + end[1] - start[1]) / step_m))
        share = np.arange(parts + 1) / parts
        pieces.append(np.column_stack([start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share]))
    ground = plan.warp(np.vstack(pieces))
    return np.split(ground, np.cumsum([len(piece) for piece in pieces])[:-1])


def join_edges(book: WayBook, net: StreetNet) -> list[int]:
    """Write the net's streets into ``book``: stretches of one line with equal tags become one way.

    Returns the book's node number of every crossing of the net.
    """
    numbers = book.add_nodes(net.xy)
    run: list[int] = []
    previous: Edge | None = None
    for edge in net.edges:
        inner = book.add_nodes(edge.points[1:-1])
        if previous is not None and (previous.line, previous.last, previous.tags) == (edge.line, edge.first, edge.tags):
            run += [*inner, numbers[edge.last]]
        else:
            if previous is not None:
                book.add_way(run, previous.tags)
            run = [numbers[edge.first], *inner, numbers[edge.last]]
        previous = edge
    if previous is not None:
        book.add_way(run, previous.tags)
    return numbers
