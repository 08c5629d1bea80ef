"""Assignment within places: our flow against OR-tools and HiGHS, whole units against the split optimum, published sets.

``python -m benchmarks.assignment``; ``--fast`` leaves out HiGHS beyond the smallest size. All solve the same numbers:
minutes rounded to 1/1000, whole pupils. HiGHS interior point runs without crossover, which favours it.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.published import list_published
from geodata.study_file import compute_cases_folder
from planning.solvers.highs import open_highs
from planning.solvers.knapsack_bound import bound_whole_units
from planning.solvers.problems import TransportProblem
from planning.solvers.transport import solve_transport
from planning.solvers.whole_units import solve_whole_units

SIZES = ((5_000, 100), (50_000, 300), (200_000, 500))
NEAREST = 25
FILL = 0.9
SCALE = 1000
REPEATS = 3
HIGHS_LIMIT_S = 900.0
T = TypeVar("T")


def main() -> None:
    """Print the tables."""
    fast = "--fast" in sys.argv
    solve_transport(build_county(2_000, 20))  # compile
    solve_whole_units(build_county(2_000, 20), rounds=1, enough=0.0)
    print(
        f"{NEAREST} nearest schools of each unit, places filled to {FILL:.0%}; seconds, best of {REPEATS} (HiGHS: one)"
    )
    print(
        "| units × schools | optimum | ours s | OR-tools s | ratio | HiGHS ipm s | ratio | ours / others − 1"
        " | MB before, most in ours |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for units, schools in SIZES:
        print(compare_flow(build_county(units, schools), with_highs=not fast or units <= SIZES[0][0]), flush=True)
    print("\nWhole units, one school each\n| units × schools | flow s | whole s | ratio | above the split optimum |")
    print("|---|---|---|---|---|")
    for units, schools in SIZES:
        print(measure_whole_units(build_county(units, schools)), flush=True)
    folder = compute_cases_folder()
    if (folder / "spb_objectnat").is_dir():
        answer = solve_transport(read_vasileostrovsky(folder / "spb_objectnat"))
        print(
            f"\nVasileostrovsky: {answer.objective:,.2f} person-minutes (published: 248,032.85),"
            f" bound {answer.bound:,.2f}"
        )
    if (folder / "bench").is_dir():
        print("\nPublished sets, sites of the optimum fixed\n" + tabulate_published(folder / "bench"))


def build_county(units: int, schools: int, *, fill: float = FILL, seed: int = 2026) -> TransportProblem:
    """Return homes and schools on a square of 30 km, minutes of walking to the nearest schools, five pupils a unit."""
    from scipy.spatial import cKDTree

    draw = np.random.default_rng(seed)
    homes, sites = draw.uniform(0, 30, (units, 2)), draw.uniform(0, 30, (schools, 2))
    km, school = cKDTree(sites).query(homes, k=min(NEAREST, schools))
    order = np.argsort(school, axis=1)
    school, km = np.take_along_axis(school, order, axis=1), np.take_along_axis(km, order, axis=1)
    pupils, size = draw.poisson(5, units).astype(float), draw.uniform(0.5, 1.5, schools)
    return TransportProblem(
        start=np.arange(units + 1) * school.shape[1],
        school=school.ravel().astype(np.int32),
        cost=np.rint(km.ravel() * 1.3 / 4.5 * 60 * SCALE) / SCALE,
        pupils=pupils,
        places=np.rint(size / size.sum() * pupils.sum() / fill),
        overload_price=1000.0,
    )


def measure(work: Callable[[], T]) -> tuple[float, T]:
    """Return seconds and the result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def compare_flow(problem: TransportProblem, *, with_highs: bool) -> str:
    """Return one row of the table."""
    before_mb = measure_peak_mb()
    ours, answer = measure(lambda: solve_transport(problem))
    peak_mb, peer = measure_peak_mb(), float("inf")
    for _ in range(REPEATS):  # in turn, so that a busy machine slows both
        seconds, answer = measure(lambda: solve_transport(problem))
        ours = min(ours, seconds)
        seconds, optimum = measure(lambda: solve_with_ortools(problem, SCALE))
        peer = min(peer, seconds)
    differences = [f"{answer.objective / optimum - 1:.0e}"]
    highs_cells = "not run | |"
    if with_highs:
        seconds, (status, value) = measure(lambda: solve_with_highs(problem))
        highs_cells = f"{seconds:.1f}{'' if status == 'Optimal' else ' ' + status} | {seconds / ours:.0f} |"
        differences.append(f"{answer.objective / value - 1:.0e}")
    return (
        f"| {problem.n_rows:,} × {problem.n_schools} | {answer.objective:,.1f} | {ours:.3f} | {peer:.2f}"
        f" | {peer / ours:.1f} | {highs_cells} {', '.join(differences)} | {before_mb:,.0f}, {peak_mb:,.0f} |"
    )


def measure_peak_mb() -> float:
    """Return the most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def solve_with_ortools(problem: TransportProblem, scale: int) -> float:
    """Return the optimum by SimpleMinCostFlow; pupils and places whole, costs in multiples of ``1 / scale``."""
    from ortools.graph.python import min_cost_flow

    n_rows, n_schools = problem.n_rows, problem.n_schools
    rows = np.repeat(np.arange(n_rows), np.diff(problem.start))
    pupils = np.rint(problem.pupils).astype(np.int64)
    total, schools, sink = int(pupils.sum()), n_rows + np.arange(n_schools), np.full(n_schools, n_rows + n_schools)
    cost = np.rint(problem.cost * scale).astype(np.int64)
    places = np.minimum(problem.places, total).astype(np.int64)
    price = round(problem.overload_price * scale)
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(rows, n_rows + problem.school.astype(np.int64), pupils[rows], cost)
    flow.add_arcs_with_capacity_and_unit_cost(schools, sink, places, np.zeros(n_schools, np.int64))
    flow.add_arcs_with_capacity_and_unit_cost(schools, sink, np.full(n_schools, total), np.full(n_schools, price))
    flow.set_nodes_supplies(np.arange(n_rows), pupils)
    flow.set_node_supply(n_rows + n_schools, -total)
    if flow.solve() != flow.OPTIMAL:
        raise AssertionError("OR-tools found no optimum")
    return float(flow.optimal_cost()) / scale


def solve_with_highs(problem: TransportProblem) -> tuple[str, float]:
    """Return status and value of HiGHS's interior point method without crossover."""
    import highspy
    from scipy.sparse import coo_array

    n_rows, n_schools, n_arcs = problem.n_rows, problem.n_schools, len(problem.school)
    rows = np.repeat(np.arange(n_rows), np.diff(problem.start))
    line = np.concatenate([rows, n_rows + problem.school, n_rows + np.arange(n_schools)])
    column = np.concatenate([np.arange(n_arcs), np.arange(n_arcs), n_arcs + np.arange(n_schools)])
    value = np.concatenate([np.ones(2 * n_arcs), -np.ones(n_schools)])
    matrix = coo_array((value, (line, column)), shape=(n_rows + n_schools, n_arcs + n_schools)).tocsc()
    model, infinity = highspy.HighsLp(), highspy.kHighsInf
    model.num_col_, model.num_row_ = n_arcs + n_schools, n_rows + n_schools
    model.col_cost_ = np.concatenate([problem.cost, np.full(n_schools, problem.overload_price)])
    model.col_lower_, model.col_upper_ = np.zeros(n_arcs + n_schools), np.full(n_arcs + n_schools, infinity)
    model.row_lower_ = np.concatenate([problem.pupils, np.full(n_schools, -infinity)])
    model.row_upper_ = np.concatenate([problem.pupils, problem.places])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    highs = open_highs(time_limit_s=HIGHS_LIMIT_S)
    highs.setOptionValue("solver", "ipm")
    highs.setOptionValue("run_crossover", "off")
    highs.passModel(model)
    highs.run()
    return highs.modelStatusToString(highs.getModelStatus()), float(highs.getInfo().objective_function_value)


def measure_whole_units(problem: TransportProblem) -> str:
    """Return one row of the table; the best of some runs counts, for flow and for the rest on top of it."""
    flow_s, whole_s = float("inf"), float("inf")
    for _ in range(REPEATS):
        seconds, split = measure(lambda: solve_transport(problem))
        flow_s = min(flow_s, seconds)
        seconds, answer = measure(lambda split=split: solve_whole_units(problem, transport=split))  # type: ignore[misc]
        whole_s = min(whole_s, seconds)
    return (
        f"| {problem.n_rows:,} × {problem.n_schools} | {flow_s:.3f} | {whole_s:.3f} | {whole_s / flow_s:.1f} |"
        f" {answer.objective / answer.split_bound - 1:.4%} |"
    )


def read_vasileostrovsky(folder: Path) -> TransportProblem:
    """Return the buildings and schools of Vasileostrovsky district, Saint Petersburg."""
    import pandas as pd

    minutes = pd.read_parquet(folder / "matrix_time.parquet").to_numpy(float)
    reached = np.isfinite(minutes)
    return TransportProblem(
        start=np.concatenate([[0], np.cumsum(reached.sum(axis=1))]),
        school=np.nonzero(reached)[1].astype(np.int32),
        cost=minutes[reached],
        pupils=pd.read_parquet(folder / "buildings.parquet", columns=["demand"])["demand"].to_numpy(float),
        places=pd.read_parquet(folder / "services.parquet", columns=["capacity"])["capacity"].to_numpy(float),
        overload_price=1000.0,
    )


def tabulate_published(folder: Path) -> str:
    """Return the table of the published sets: search, bounds and proof against the optimum."""
    lines = [
        "| set | instances | search: mean, worst gap to the optimum | s | split bound: mean gap | knapsack bound: mean,"
        " worst gap | s | proven optimal, value as published |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_set: dict[str, list[tuple[float, ...]]] = {}
    for instance in list_published(folder):
        target = instance.optimum - instance.fixed_cost
        split = solve_transport(instance.problem)
        search_s, found = measure(
            lambda p=instance.problem, t=split: solve_whole_units(p, transport=t, time_limit_s=3.0)  # type: ignore[misc]
        )
        bound_s, (bound, _) = measure(
            lambda p=instance.problem, t=split, f=found: bound_whole_units(p, f.objective, row_price=t.row_price)  # type: ignore[misc]
        )
        exact = solve_whole_units(instance.problem, transport=split, time_limit_s=20.0, exact=True)
        proven = exact.stopped == "proven" and abs(exact.objective + instance.fixed_cost - instance.optimum) < (
            2e-5 * instance.optimum
        )
        optimum = instance.optimum
        by_set.setdefault(instance.name.split("/")[0], []).append(
            (
                (found.objective - target) / optimum,
                search_s,
                (target - split.bound) / optimum,
                (target - bound) / optimum,
                bound_s,
                float(proven),
            )
        )
    for name, figures in by_set.items():
        search, search_s, floor, gap, bound_s, proven_share = np.array(figures).T
        lines.append(
            f"| {name} | {len(figures)} | {search.mean():.3%}, {search.max():.3%} | {search_s.mean():.2f} |"
            f" {floor.mean():.2%} | {gap.mean():.3%}, {gap.max():.3%} | {bound_s.mean():.2f}"
            f" | {int(proven_share.sum())} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
