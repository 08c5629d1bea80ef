"""The figures of docs/scale.md: a batch in one process and over a cluster in one run, memory and time per task.

``python -m benchmarks.batch`` measures, each in processes of its own:

* ``spread``: the same tasks one after the other and over a local cluster; that their files are equal byte for byte;
* ``overhead``: what Dask adds to a task that does nothing;
* ``tasks``: memory at its worst and time of reading, running and proposing, for the demo, real cases that are there,
  and a generated county of 20,000 units and 300 schools.

Processor seconds are what the projections of docs/scale.md use: they do not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from batch.cluster import spread_tasks
from batch.jobs import Jobs, TaskSpec
from batch.run import Spread, run_batch, spread_serially
from batch.tasks import Task, list_tasks
from batch.work import Result, carry_out
from geodata.cache import CACHE_VARIABLE
from geodata.messages import Message
from planning.scenario import Scenario
from planning.scenario_file import render_scenario
from planning.siting_file import render_siting_options
from planning.siting_options import SitingOptions, SitingSearch

ROOT = Path(__file__).resolve().parent.parent
STAGES = {"demo": "primary", "gongyi": "junior", "porto_alegre": "primary", "generated": "primary"}
SIDE, SCHOOLS = 142, 300
"""The generated county: so many squares on a side (20,164 units), so many schools."""
CELL_DEG, WEST, SOUTH = 0.003, 113.0, 34.3


def write_generated(folder: Path, *, seed: int = 0) -> Path:
    """Write a county of ``SIDE`` × ``SIDE`` squares and ``SCHOOLS`` schools; return its study file."""
    random = np.random.default_rng(seed)
    features = []
    for number in range(SIDE * SIDE):
        row, column = divmod(number, SIDE)
        west, south = WEST + column * CELL_DEG, SOUTH + row * CELL_DEG
        east, north = west + CELL_DEG, south + CELL_DEG
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        near = np.exp(-(((row - SIDE / 2) ** 2 + (column - SIDE / 2) ** 2) / (2 * (SIDE / 5) ** 2)))
        pupils = int(random.poisson(1.0 + 6.0 * near))
        properties = {"unit_id": f"u{number:05d}", "primary_pupils": pupils, "population_people": 13 * pupils}
        geometry = {"type": "Polygon", "coordinates": [[[round(x, 6), round(y, 6)] for x, y in ring]]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    units = {"type": "FeatureCollection", "features": features}
    (folder / "units.geojson").write_text(json.dumps(units), encoding="utf-8")
    total = sum(feature["properties"]["primary_pupils"] for feature in features)  # type: ignore[index]
    lines = ["school_id,name,stage,lon_deg,lat_deg,capacity_places,pupils,classes"]
    for number in range(SCHOOLS):
        x, y = (np.clip(random.normal(SIDE / 2, SIDE / 4, 2), 1, SIDE - 1) * CELL_DEG) + (WEST, SOUTH)
        classes = int(random.choice([6, 12, 18, 24, 30], p=[0.35, 0.3, 0.2, 0.1, 0.05]))
        pupils = round(0.85 * total / SCHOOLS * classes / 12.6)
        lines.append(f"s{number:03d},School {number},primary,{x:.6f},{y:.6f},{classes * 45},{pupils},{classes}")
    (folder / "schools.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = 'name = "generated"\n[schools]\npath = "schools.csv"\nyear = 2025\n'
    text += '[population]\npath = "units.geojson"\nkind = "polygons"\n[travel]\nmodes = ["walk"]\n'
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder / "study.toml"


def _write_demos(folder: Path, count: int) -> None:
    for number in range(count):
        text = f'name = "county {number}"\nsynthetic = true\n[demo]\nseed = {number}\n'
        (folder / f"county_{number}.toml").write_text(text, encoding="utf-8")


def _quiet(step: Message, share: float) -> None:
    pass


def carry_nothing(task: Task) -> Result:
    """Do nothing: what is left is what Dask takes."""
    return Result("done", facts={"plans": 0})


def measure_spread(counties: int, workers: int) -> dict[str, Any]:
    """Return wall and processor seconds of the same batch in one process and over a cluster, each with a cold cache."""
    found: dict[str, Any] = {"counties": counties, "workers": workers}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_demos(folder, counties)
        scenarios = {"nearest": Scenario("nearest"), "capacity": Scenario("capacity", enrolment="capacity")}
        for label, scenario in scenarios.items():
            (folder / f"{label}.toml").write_text(render_scenario(scenario), encoding="utf-8")
        spec = TaskSpec("run", ("county_*.toml",), ("nearest.toml", "capacity.toml"))
        jobs = Jobs(tasks=(spec,), folder=folder)

        def spread(tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
            return spread_tasks(tasks, workers=workers)

        ways: dict[str, Spread] = {"serial": spread_serially, "cluster": spread}
        for way, carry in ways.items():
            os.environ[CACHE_VARIABLE] = str(folder / f"cache_{way}")
            begun = time.perf_counter()
            summary = run_batch(list_tasks(jobs), folder / way, spread=carry, tell=_quiet)
            tasks = pd.read_parquet(folder / way / "tasks.parquet")
            found[way] = {
                "wall_s": time.perf_counter() - begun,
                "tasks_cpu_s": float(tasks["cpu_seconds"].sum()),
                "tasks_wall_s": float(tasks["seconds"].sum()),
                "counts": summary.counts,
            }
        names = sorted(path.name for path in (folder / "serial").glob("*.parquet") if path.stem != "tasks")
        found["equal_files"] = [
            (folder / "serial" / name).read_bytes() == (folder / "cluster" / name).read_bytes() for name in names
        ]
    return found


def measure_overhead(tasks: int, workers: int) -> dict[str, float]:
    """Return seconds to start and stop a local cluster, and what one more empty task takes.

    ``each_task_cpu_s`` is that of this process, which holds the scheduler and the client: while workers are at work
    this is all that a task adds.
    """
    task = Task(1, "run", "none", "none", "none", (render_scenario(Scenario("today")),), key="0" * 20)
    seconds, cpu = {}, {}
    for count in (workers, tasks):
        asked = [dataclasses.replace(task, number=number) for number in range(1, count + 1)]
        begun, used = time.perf_counter(), time.process_time()
        assert sum(1 for _ in spread_tasks(asked, workers=workers, carry=carry_nothing)) == count
        seconds[count], cpu[count] = time.perf_counter() - begun, time.process_time() - used
    more = tasks - workers
    return {
        "tasks": tasks,
        "workers": workers,
        "start_and_stop_s": seconds[workers],
        "each_task_s": (seconds[tasks] - seconds[workers]) / more,
        "each_task_cpu_s": (cpu[tasks] - cpu[workers]) / more,
    }


def measure_task(name: str, study: str, cache: str, limit_s: float, kind: str) -> dict[str, Any]:
    """Return time and memory of one task in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return dict(pool.apply(_carry_one, (name, study, cache, limit_s, kind)))


def _carry_one(name: str, study: str, cache: str, limit_s: float, kind: str) -> dict[str, Any]:
    os.environ[CACHE_VARIABLE] = cache
    stage = STAGES.get(name, "primary")
    scenario = Scenario(kind, stages=(stage,), enrolment="capacity" if kind == "capacity" else "nearest")  # type: ignore[arg-type]
    search = SitingSearch(time_limit_s=limit_s, gap_share=0.01, front_plans=1, alternatives=0)
    task = Task(
        number=1,
        kind="propose" if kind == "propose" else "run",
        study=study,
        study_label=name,
        scenario=kind,
        scenarios=(render_scenario(scenario),),
        options=render_siting_options(SitingOptions(stage=stage, search=search)),  # type: ignore[arg-type]
        key="0" * 20,
    )
    result = carry_out(task)
    return {
        "study": name,
        "kind": kind,
        "status": result.status,
        **{key: round(value, 2) for key, value in result.times.items()},
        "gap_share": result.facts.get("gap_share"),
        "stopped": result.facts.get("stopped"),
        "result_mb": round(sum(map(len, result.tables.values())) / 1e6, 3),
        "words": result.words[:1],
    }


def measure_tasks(names: Sequence[str], limit_s: float) -> Iterator[dict[str, Any]]:
    """Yield one row per study and task: reading (with an empty cache) and running, running again, proposing."""
    for name in names:
        with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as folder:
            study = str(ROOT / "examples" / "studies" / f"{name}.toml")
            if name == "generated":
                study = str(write_generated(Path(folder)))
            # The first compilation of the numba kernels is the machine's, not the county's: it is kept on disk.
            for kind in ("read and run", "run", "capacity", "propose"):
                yield measure_task(name, study, cache, limit_s, kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["overhead", "spread", "tasks"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--counties", type=int, default=4)
    parser.add_argument("--empty", type=int, default=300, help="empty tasks, to measure what Dask takes")
    parser.add_argument("--studies", nargs="*", default=list(STAGES))
    parser.add_argument("--time-limit", type=float, default=60.0, help="of a proposal")
    options = parser.parse_args()
    if "overhead" in options.parts:
        print(json.dumps(measure_overhead(options.empty, options.workers)))
    if "spread" in options.parts:
        print(json.dumps(measure_spread(options.counties, options.workers), indent=1))
    if "tasks" in options.parts:
        for row in measure_tasks(options.studies, options.time_limit):
            print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
