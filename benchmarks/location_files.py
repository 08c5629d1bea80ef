"""Read published location instances: every layout that stands in the collections, told apart by content.

Layouts (m sites, n rows; numbers separated by white space unless said otherwise):

- ``graph`` (OR-Library pmed): ``n edges p``, then ``from to length`` per edge. Edges go both ways; of an edge given
  twice the last one counts; costs are shortest paths; every vertex is a row and a site.
- ``points`` (OR-Library pmedcap): ``number best``, ``n p capacity``, then ``id x y demand``. Distances are cut to
  whole numbers.
- ``places`` (SJC, TA): ``n p``, then ``x y capacity demand``. Distances are not rounded.
- ``warehouses`` (OR-Library cap): ``m n``, ``capacity cost`` per site, then for each row its demand and m costs of
  serving the whole row. The word ``capacity`` stands for the capacity of the series.
- ``sites_first`` (Holmberg, small OR-Library, Yang): ``m n``, ``capacity cost`` per site, n demands, m times n costs.
- ``rows_first`` (Delmaire): ``n m``, n times m costs, n demands, m costs of opening, m capacities.
- ``units`` (Kong): a heading, then ``id demand x y reserved cost capacity`` in columns; sites are the units with a
  capacity; the cost of a row is its demand times the straight distance in km.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from benchmarks.location_optima import list_optima
from planning.solvers.location_problems import LocationProblem
from planning.solvers.problems import Floats, Ints

KINDS = ("pmedian", "pcenter", "cpmp", "sscflp", "cflp")
LAYOUT_KINDS = {
    "graph": ("pmedian", "pcenter"),
    "points": ("cpmp", "pmedian", "pcenter"),
    "places": ("cpmp", "pmedian", "pcenter"),
    "warehouses": ("cflp", "sscflp"),
    "sites_first": ("sscflp", "cflp"),
    "rows_first": ("sscflp", "cflp"),
    "units": ("sscflp", "cflp", "pmedian", "pcenter"),
}
"""What can be asked of each layout, the usual first."""
METRES_PER_KM = 1000.0
ENDS = {0: " ", 26: " "}
"""Characters that old systems leave at the end of a file."""


class CaseError(ValueError):
    """The file, or what is asked of it, makes no problem; the text says why."""


@dataclass(frozen=True)
class LocationCase:
    """One file as read.

    ``cost`` (rows, sites) of serving a whole row; ``distance`` (rows, sites) without demand, where the two differ;
    ``capacity`` (sites,) with NaN where the file says only ``capacity``; ``row_ids`` and ``site_ids`` are the numbers
    that the file uses, and ``numbering`` says which; ``optima`` by kind where published values stand beside the file.
    """

    path: Path
    layout: str
    cost: Floats
    demand: Floats
    capacity: Floats
    fixed_cost: Floats
    count: int | None
    row_ids: Ints
    site_ids: Ints
    numbering: str
    distance: Floats | None = None
    optima: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_case(path: Path) -> LocationCase:
    """Read a file of any of the layouts.

    Raises
    ------
    CaseError
        When the file cannot be read or fits none of the layouts.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="strict").translate(ENDS)
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path} cannot be read: {error}") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise CaseError(f"{path} is empty.")
    if re.search(r"[A-Za-z]", lines[0]):
        return _read_units(path, lines)
    tokens = [re.split(r"[\s,;]+", line) for line in lines]
    values = _read_numbers(path, tokens)
    readers = {
        "graph": _read_graph,
        "points": _read_points,
        "places": _read_places,
        "warehouses": _read_warehouses,
        "sites_first": _read_sites_first,
        "rows_first": _read_rows_first,
    }
    layout = recognise_layout([len(line) for line in tokens], values)
    if not layout:
        raise CaseError(f"{path} fits none of the known layouts: {', '.join([*readers, 'units'])}.")
    case = readers[layout](path, values)
    _check_numbers(case)
    return case


def build_problem(
    case: LocationCase, kind: str, *, count: int | None = None, capacity: float | None = None
) -> tuple[LocationProblem, list[str]]:
    """Return the problem of a kind, and what a reader should know about it.

    Raises
    ------
    CaseError
        When the layout does not hold what the kind needs.
    """
    kinds = LAYOUT_KINDS[case.layout]
    if kind not in kinds:
        raise CaseError(
            f"{case.path.name} ({case.layout}) makes no problem of kind {kind}; it can be asked as: {', '.join(kinds)}."
        )
    notes = list(case.notes)
    limit, said = _set_capacity(case, kind, capacity)
    notes += said
    medians = kind in ("pmedian", "pcenter", "cpmp")
    opened = (count or case.count) if medians else None
    if medians and (opened is None or not 1 <= opened <= case.cost.shape[1]):
        raise CaseError(f"Kind {kind} needs the number of sites, 1 to {case.cost.shape[1]}: give it with --p.")
    if case.layout == "units":
        notes.append(
            "Service areas need not be in one piece."
            if kind == "sscflp"
            else f"Sites are the {len(limit)} units with a capacity (without any: the candidates, or all)."
        )
    if kind in ("sscflp", "cflp") and limit.sum() < case.demand.sum() * (1 - 1e-12):
        raise CaseError(f"{case.path.name}: the capacities ({limit.sum():g}) hold less than the demand.")
    cost = case.distance if kind == "pcenter" and case.distance is not None else case.cost
    problem = LocationProblem(
        cost=cost,
        demand=case.demand,
        capacity=limit,
        fixed_cost=np.zeros(len(limit)) if medians else case.fixed_cost,
        count=opened,
        single_source=kind != "cflp",
    )
    return problem, notes


def find_optimum(case: LocationCase, kind: str, problem: LocationProblem) -> float | None:
    """Return the published value of the file for the kind, where it answers exactly this problem."""
    if problem.count is not None and problem.count != case.count:
        return None
    free = bool((problem.capacity >= case.demand.sum() * (1 - 1e-9)).all())
    if kind in ("sscflp", "cflp") and free and "uncapacitated" in case.optima:
        return case.optima["uncapacitated"]
    return case.optima.get(kind)


def recognise_layout(widths: list[int], values: Floats) -> str:
    """Return the layout that the numbers fit; ``""`` = none.

    ``widths`` are the counts of numbers in the lines: ``warehouses`` and ``sites_first`` hold equally many numbers,
    but in the former every demand has a line of its own.
    """
    total = len(values)
    first = [int(value) if math.isfinite(value) and 0 <= value <= 1e9 else -1 for value in [*values[:5], 0, 0, 0, 0, 0]]
    if min(first[:2]) < 1:
        return ""
    if widths[0] == 3 and total == 3 + 3 * first[1]:
        return "graph"
    if widths[:2] == [2, 3] and total == 5 + 4 * first[2]:
        return "points"
    if widths[0] == 2 and set(widths[1:]) == {4} and total == 2 + 4 * first[0]:
        return "places"
    m, n = first[:2]
    if widths[0] == 2 and len(widths) > 1 and widths[1] == 2 and total == 2 + 2 * m + n + m * n:
        begins = set(np.concatenate([[0], np.cumsum(widths)]).tolist())
        demands = {2 + 2 * m + row * (m + 1) for row in range(n)}
        alone = demands <= begins and {at + 1 for at in demands} <= begins and len(begins) < total
        return "warehouses" if alone else "sites_first"
    n, m = first[:2]
    return "rows_first" if total == 2 + n * m + n + 2 * m else ""


def _read_numbers(path: Path, tokens: list[list[str]]) -> Floats:
    """Return all numbers in order; the word ``capacity`` becomes NaN."""
    values = []
    for number, line in enumerate(tokens, start=1):
        for token in line:
            try:
                values.append(math.nan if token.lower() == "capacity" else float(token))
            except ValueError as error:
                raise CaseError(f"{path}, line {number}: {token[:40]!r} is not a number.") from error
    return np.array(values, dtype=np.float64)


def _check_numbers(case: LocationCase) -> None:
    for name, values in (("demand", case.demand), ("cost of opening", case.fixed_cost), ("cost", case.cost)):
        if not (values >= 0).all():
            raise CaseError(f"{case.path}: a {name} below 0, or none at all.")
    if (case.capacity < 0).any():
        raise CaseError(f"{case.path}: a capacity below 0.")


def _set_capacity(case: LocationCase, kind: str, capacity: float | None) -> tuple[Floats, list[str]]:
    """Return the capacity of every site for the kind, with what is to be said about it."""
    if kind in ("pmedian", "pcenter"):
        said = ["Capacities are not part of this kind."] if np.isfinite(case.capacity).any() else []
        return np.full(case.capacity.shape, np.inf), said
    if capacity is not None:
        if capacity <= 0:
            raise CaseError("--capacity must be above 0.")
        return np.full(case.capacity.shape, capacity), [f"Every site holds {capacity:g}, as asked."]
    if np.isnan(case.capacity).any():
        said = ["The file leaves the capacity open: no limit is set. Give that of the series with --capacity."]
        return np.where(np.isnan(case.capacity), np.inf, case.capacity), said
    return case.capacity, []


def _read_graph(path: Path, values: Floats) -> LocationCase:
    n, p = int(values[0]), int(values[2])
    edges = values[3:].reshape(-1, 3)
    ends = edges[:, :2].astype(np.int64) - 1
    if len(ends) and (ends.min() < 0 or ends.max() >= n):
        raise CaseError(f"{path}: an edge names a vertex outside 1 to {n}.")
    length = {(min(a, b), max(a, b)): cost for (a, b), cost in zip(ends.tolist(), edges[:, 2].tolist(), strict=True)}
    pairs = np.array(list(length), dtype=np.int64).reshape(-1, 2)
    # A sparse matrix takes 0 for "no edge": such edges get the least positive number instead.
    weights = np.maximum(np.array(list(length.values())), np.finfo(np.float64).tiny)
    graph = coo_array((weights, (pairs[:, 0], pairs[:, 1])), shape=(n, n)).tocsr()
    cost = np.asarray(shortest_path(graph, method="D", directed=False), dtype=np.float64)
    notes = ("Some vertices cannot reach each other.",) if np.isinf(cost).any() else ()
    numbers = np.arange(1, n + 1)
    return LocationCase(
        path=path,
        layout="graph",
        cost=cost,
        demand=np.ones(n),
        capacity=np.full(n, np.inf),
        fixed_cost=np.zeros(n),
        count=p,
        row_ids=numbers,
        site_ids=numbers,
        numbering="rows and sites are the vertices of the file, counted from 1",
        optima=list_optima(path),
        notes=notes,
    )


def _measure(x: Floats, y: Floats, to_x: Floats, to_y: Floats) -> Floats:
    return np.asarray(np.hypot(x[:, None] - to_x[None, :], y[:, None] - to_y[None, :]), dtype=np.float64)


def _read_points(path: Path, values: Floats) -> LocationCase:
    n, p, capacity = int(values[2]), int(values[3]), float(values[4])
    _, x, y, demand = values[5:].reshape(n, 4).T
    optima = list_optima(path) or {"cpmp": float(values[1])}
    return _line_points(path, "points", np.floor(_measure(x, y, x, y)), (demand, np.full(n, capacity)), p, optima)


def _read_places(path: Path, values: Floats) -> LocationCase:
    n, p = int(values[0]), int(values[1])
    x, y, capacity, demand = values[2:].reshape(n, 4).T
    return _line_points(path, "places", _measure(x, y, x, y), (demand, capacity), p, list_optima(path))


def _line_points(
    path: Path, layout: str, cost: Floats, takes: tuple[Floats, Floats], count: int, optima: dict[str, float]
) -> LocationCase:
    demand, capacity = takes
    numbers = np.arange(1, len(demand) + 1)
    return LocationCase(
        path=path,
        layout=layout,
        cost=cost,
        demand=demand,
        capacity=capacity,
        fixed_cost=np.zeros(len(demand)),
        count=count,
        row_ids=numbers,
        site_ids=numbers,
        numbering="rows and sites are the points in the order of the file, counted from 1",
        optima=optima,
    )


def _read_warehouses(path: Path, values: Floats) -> LocationCase:
    m, n = int(values[0]), int(values[1])
    sites = values[2 : 2 + 2 * m].reshape(m, 2)
    rows = values[2 + 2 * m :].reshape(n, m + 1)
    return _list_sites(path, "warehouses", rows[:, 1:].copy(), rows[:, 0].copy(), sites)


def _read_sites_first(path: Path, values: Floats) -> LocationCase:
    m, n = int(values[0]), int(values[1])
    sites = values[2 : 2 + 2 * m].reshape(m, 2)
    demand = values[2 + 2 * m : 2 + 2 * m + n]
    cost = values[2 + 2 * m + n :].reshape(m, n).T
    return _list_sites(path, "sites_first", np.ascontiguousarray(cost), demand.copy(), sites)


def _read_rows_first(path: Path, values: Floats) -> LocationCase:
    n, m = int(values[0]), int(values[1])
    cost = values[2 : 2 + n * m].reshape(n, m)
    demand, fixed, capacity = np.split(values[2 + n * m :], [n, n + m])
    return _list_sites(path, "rows_first", cost.copy(), demand.copy(), np.column_stack([capacity, fixed]))


def _list_sites(path: Path, layout: str, cost: Floats, demand: Floats, sites: Floats) -> LocationCase:
    """``sites`` (sites, 2): capacity and cost of opening."""
    return LocationCase(
        path=path,
        layout=layout,
        cost=cost,
        demand=demand,
        capacity=sites[:, 0].copy(),
        fixed_cost=sites[:, 1].copy(),
        count=None,
        row_ids=np.arange(1, len(demand) + 1),
        site_ids=np.arange(1, len(sites) + 1),
        numbering="rows and sites are counted from 1 in the order of the file",
        optima=list_optima(path),
    )


def _read_units(path: Path, lines: list[str]) -> LocationCase:
    """Read a table of planning units; sites are those with a capacity; without any, the candidates, or else all."""
    split = re.compile(r"\t" if "\t" in lines[0] else r"[,;\s]+")
    rows = [[cell for cell in split.split(line) if cell.strip()] for line in lines]
    if len(rows) < 2 or any(len(row) < 7 for row in rows):
        raise CaseError(f"{path}: below a heading, every line must hold id, demand, x, y, reserved, cost and capacity.")
    table = _read_numbers(path, [row[:7] for row in rows[1:]]).reshape(-1, 7)
    ids, demand, x, y, flag, fixed, capacity = table.T
    # The fifth column is reserved: a third of the sites that the published best solutions open have 0 there.
    sites = np.flatnonzero(capacity > 0)
    sites = sites if len(sites) else np.flatnonzero(flag > 0)
    sites = sites if len(sites) else np.arange(len(ids))
    distance = _measure(x, y, x[sites], y[sites]) / METRES_PER_KM
    case = LocationCase(
        path=path,
        layout="units",
        cost=demand[:, None] * distance,
        demand=demand.copy(),
        capacity=capacity[sites],
        fixed_cost=fixed[sites],
        count=None,
        row_ids=ids.astype(np.int64),
        site_ids=ids[sites].astype(np.int64),
        numbering=f"rows and sites are named by the first column of the file ({rows[0][0]})",
        distance=distance,
        optima=list_optima(path),
    )
    _check_numbers(case)
    return case
