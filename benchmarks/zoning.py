"""Connected zones of whole units against published values (service-area instances of Kong, see the case's README).

One instance::

    python -m benchmarks.zoning FILE CONNECTIVITY --time-limit 60 --seed 1 --json --out plan.csv

All instances of a folder, against the published values beside them::

    python -m benchmarks.zoning FOLDER --time-limit 60

A made-up county of 50,000 units and 300 schools::

    python -m benchmarks.zoning scale --time-limit 60

``FILE`` is tab separated: id, pop, x, y, candidature, fixed cost, capacity; rows with a capacity are schools that stand
in their own unit. ``CONNECTIVITY`` names two neighbours in its second and third column. The objective is the sum of
people × straight kilometres. Every figure printed is counted again from the plan itself.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planning.solvers.problems import ZoneAnswer, ZoneProblem
from planning.solvers.zones import solve_zones

PUBLISHED = "optima_cplex.csv"


@dataclass(frozen=True, eq=False)
class Instance:
    """A published instance: ids as the file has them, the problem, and its neighbours as pairs of positions."""

    unit_ids: list[str]
    school_ids: list[str]
    problem: ZoneProblem


def read_instance(file: Path, connectivity: Path) -> Instance:
    """Read one instance; a person above the places costs as much as 1,000 of the longest ways."""
    table = pd.read_csv(file, sep="\t")
    table.columns = ["id", "people", "x_m", "y_m", "candidature", "fixed_cost", "places"]
    table["id"] = table["id"].astype(str)
    schools = np.flatnonzero(table["places"].to_numpy() > 0)
    x_m, y_m = table["x_m"].to_numpy(float), table["y_m"].to_numpy(float)
    km = np.hypot(x_m[:, None] - x_m[schools], y_m[:, None] - y_m[schools]) / 1000.0
    people = table["people"].to_numpy(float)
    start, neighbour = read_neighbours(connectivity, table["id"].tolist())
    problem = ZoneProblem(
        cost=km * people[:, None],
        pupils=people,
        places=table["places"].to_numpy(float)[schools],
        seat=schools.astype(np.int32),
        neighbour_start=start,
        neighbour=neighbour,
        overload_price=1_000.0 * float(km.max()),
        locked=np.full(len(table), -1, dtype=np.int32),
    )
    return Instance(table["id"].tolist(), table["id"].iloc[schools].tolist(), problem)


def read_neighbours(connectivity: Path, unit_ids: list[str]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the neighbours as start and list; pairs are taken in both directions, units not listed are left out."""
    pairs = pd.read_csv(connectivity, header=0, dtype=str).iloc[:, 1:3]
    order = pd.Index(unit_ids)
    first, second = (order.get_indexer(pd.Index(pairs.iloc[:, column].str.strip())) for column in (0, 1))
    known = (first >= 0) & (second >= 0) & (first != second)
    links = np.column_stack([first[known], second[known]])
    links = np.unique(np.vstack([links, links[:, ::-1]]), axis=0)
    start = np.searchsorted(links[:, 0], np.arange(len(unit_ids) + 1)).astype(np.int64)
    return start, links[:, 1].astype(np.int32)


def count_pieces(problem: ZoneProblem, school: np.ndarray[Any, Any]) -> int:
    """Return the number of units that cannot be reached from their school's seat within its zone, by plain search."""
    reached = np.zeros(problem.n_units, dtype=bool)
    for position, seat in enumerate(problem.seat):
        if school[seat] != position:
            continue
        stack = [int(seat)]
        reached[seat] = True
        while stack:
            unit = stack.pop()
            for other in problem.neighbour[problem.neighbour_start[unit] : problem.neighbour_start[unit + 1]]:
                if school[other] == position and not reached[other]:
                    reached[other] = True
                    stack.append(int(other))
    return int((~reached).sum())


def measure(instance: Instance, *, time_limit_s: float, seed: int) -> tuple[dict[str, Any], ZoneAnswer]:
    """Solve one instance and return what is counted from the plan."""
    problem = instance.problem
    began = time.perf_counter()
    answer = solve_zones(problem, time_limit_s=time_limit_s, seed=seed)
    seconds = time.perf_counter() - began
    loads = np.bincount(answer.school, weights=problem.pupils, minlength=problem.n_schools)
    objective = float(problem.cost[np.arange(problem.n_units), answer.school].sum())
    apart = count_pieces(problem, answer.school)
    return {
        "units": problem.n_units,
        "schools": problem.n_schools,
        "objective": objective,
        "bound": answer.bound,
        "gap": max(0.0, 1.0 - answer.bound / answer.objective) if answer.objective else 0.0,
        "priced_objective": answer.objective,
        "overload": float(np.maximum(loads - problem.places, 0.0).sum()),
        "connected": apart == 0,
        "units_apart": apart,
        "seconds": round(seconds, 2),
        "status": answer.status,
        "stopped": answer.stopped,
        "seed": seed,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "facts": dict(answer.facts),
    }, answer


def write_plan(path: Path, instance: Instance, answer: ZoneAnswer) -> None:
    """Write ``unit,school`` with the ids of the file."""
    schools = [instance.school_ids[position] for position in answer.school]
    pd.DataFrame({"unit": instance.unit_ids, "school": schools}).to_csv(path, index=False)


def compare_folder(folder: Path, *, time_limit_s: float, seed: int, only: str = "") -> None:
    """Print every instance of the folder against its published value."""
    with (folder / PUBLISHED).open(encoding="utf-8") as file:
        published = {row["file"]: float(row["cplex_obj"]) for row in csv.DictReader(file)}
    above, proven = [], []
    print("| instance | units | schools | published | ours | above % | own gap % | overload | connected | s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, value in published.items():
        if only and not name.startswith(only):
            continue
        instance = read_instance(folder / name, folder / f"{name.split('_')[0]}_connectivity.txt")
        found, _ = measure(instance, time_limit_s=time_limit_s, seed=seed)
        above.append(100 * (found["objective"] / value - 1))
        proven.append(100 * found["gap"])
        print(
            f"| {name.removesuffix('.txt')} | {found['units']} | {found['schools']} | {value:,.1f} "
            f"| {found['objective']:,.1f} | {above[-1]:+.3f} | {proven[-1]:.3f} | {found['overload']:.0f} "
            f"| {'yes' if found['connected'] else 'NO'} | {found['seconds']:.1f} |",
            flush=True,
        )
    print(
        f"\nabove the published values: mean {np.mean(above):+.3f} %, worst {np.max(above):+.3f} %; "
        f"own proven gap: mean {np.mean(proven):.3f} %, worst {np.max(proven):.3f} %"
    )


def measure_scale(*, time_limit_s: float, seed: int) -> None:
    """Zone a grid of 250 × 200 units with 300 schools at random and print what came out."""
    from benchmarks.flips import build_grid

    problem = build_grid(250, 200, 300, slack=1.1)
    ids = [str(number) for number in range(problem.n_units)]
    found, _ = measure(Instance(ids, ids[: problem.n_schools], problem), time_limit_s=time_limit_s, seed=seed)
    print("\n".join(f"{key}: {value}" for key, value in found.items()))


def main(arguments: list[str] | None = None) -> None:
    """Run one instance or a folder of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="instance, a folder of them, or the word scale")
    parser.add_argument("connectivity", type=Path, nargs="?")
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="first letters of the instances of a folder")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    if str(options.file) == "scale":
        measure_scale(time_limit_s=options.time_limit, seed=options.seed)
        return
    if options.file.is_dir():
        compare_folder(options.file, time_limit_s=options.time_limit, seed=options.seed, only=options.only)
        return
    if options.connectivity is None:
        parser.error("a single instance needs its connectivity file")
    instance = read_instance(options.file, options.connectivity)
    found, answer = measure(instance, time_limit_s=options.time_limit, seed=options.seed)
    if options.out:
        write_plan(options.out, instance, answer)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(f"{key}: {value}" for key, value in found.items() if key != "facts"))


if __name__ == "__main__":
    main()
