"""Breaks files of every kind and gives them to the readers: each must come back, in time, with data or a ``DataError``.

``python -m benchmarks.fuzz --minutes 20 --seed 1``: a worker process reads one broken file after the other; one that
crashes it, holds it, or raises anything else is kept in ``--out`` with what happened. The same seed gives the same
files.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import random
import resource
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.fuzz_inputs import build_seeds, mutate
from geodata.errors import DataError, LayoutError
from geodata.study_file import compute_cases_folder

MEMORY_BYTES = 8 * 1024**3
PATIENCE_S = 60.0
FRESH_AFTER = 400


def main(arguments: list[str] | None = None) -> int:
    """Fuzz for the time given, print what was found; return 1 where anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz-found"))
    parser.add_argument("--kinds", default="", help="endings, joined by commas; default: all")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args([] if arguments is None and __name__ != "__main__" else arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    kinds = [kind for kind in options.kinds.split(",") if kind]
    told = run(options.minutes * 60, options.seed, options.out, kinds)
    print(json.dumps(told, indent=2, ensure_ascii=False) if options.json else _say(told))
    return int(bool(told["found"]))


def run(seconds: float, seed: int, out: Path, kinds: list[str]) -> dict[str, Any]:
    """Return counts by kind and outcome, and every different failure with an example."""
    rng = random.Random(seed)
    seeds = {kind: files for kind, files in build_seeds(compute_cases_folder()).items() if not kinds or kind in kinds}
    counts: Counter[str] = Counter()
    found: dict[str, dict[str, Any]] = {}
    slowest: dict[str, float] = {}
    worker = _Worker()
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        kind = rng.choice(sorted(seeds))
        content = mutate(rng.choice(seeds[kind]), rng.choice(seeds[kind]), kind, rng)
        path = out / f"case.{kind}"
        path.write_bytes(content)
        begun = time.monotonic()
        outcome, detail = worker.read(path, kind)
        took = time.monotonic() - begun
        slowest[kind] = max(slowest.get(kind, 0.0), took)
        counts[f"{kind} {outcome}"] += 1
        if outcome not in ("read", "told"):
            mark = f"{kind} {outcome} {detail.splitlines()[0] if detail else ''}"
            if mark not in found:
                kept = out / f"{len(found):03d}-{outcome}.{kind}"
                kept.write_bytes(content)
                found[mark] = {"file": kept.name, "times": 0, "detail": detail[-1500:], "seconds": round(took, 1)}
                logging.getLogger("fuzz").warning("%s", mark)
            found[mark]["times"] += 1
    worker.end()
    return {
        "seconds": round(time.monotonic() - start),
        "files": sum(counts.values()),
        "outcomes": dict(sorted(counts.items())),
        "slowest_s": {kind: round(value, 1) for kind, value in sorted(slowest.items())},
        "found": found,
    }


class _Worker:
    """A process that reads files; a new one takes the place of one that was lost."""

    def __init__(self) -> None:
        self._reads = 0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), daemon=False)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(120):
            raise RuntimeError("the worker did not start")
        self._pipe.recv()

    def read(self, path: Path, kind: str) -> tuple[str, str]:
        """Return ``read``, ``told``, ``raised``, ``crashed`` or ``held``, and what is known of it."""
        self._reads += 1
        if self._reads % FRESH_AFTER == 0:  # what libraries leave behind in memory is no fault of the next file
            self.end()
            self._start()
        self._pipe.send((str(path), kind))
        try:
            if self._pipe.poll(PATIENCE_S):
                answer: tuple[str, str] = self._pipe.recv()
                return answer
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            self._start()
            return "crashed", f"exit code {code}"
        self.end()
        self._start()
        return "held", f"> {PATIENCE_S} s"

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def _work(pipe: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    os.environ["OMP_NUM_THREADS"] = "1"
    readers = build_readers()
    pipe.send(("ready", ""))
    while True:
        name, kind = pipe.recv()
        outcome, detail = "read", ""
        for reader in readers[kind]:
            try:
                reader(Path(name))
            except (DataError, LayoutError):
                outcome = "told"
            except Exception as error:  # what is looked for
                lines = traceback.extract_tb(error.__traceback__)
                ours = next((line for line in reversed(lines) if "site-packages" not in line.filename), lines[-1])
                place = f"{Path(ours.filename).name}:{ours.lineno}"
                head = f"{type(error).__name__} at {place}: {str(error)[:60]}"
                pipe.send(("raised", f"{head}\n{traceback.format_exc()}"))
                break
        else:
            pipe.send((outcome, detail))


def build_readers() -> dict[str, list[Callable[[Path], object]]]:
    """Return the readers of every kind of file, by ending."""
    from geodata.elevation import read_ground
    from geodata.files import list_layers, read_layer, read_raw_tables
    from geodata.graphml import read_graphml
    from geodata.osm import read_osm_roads
    from geodata.osm_features import read_osm_barriers, read_osm_buildings, read_osm_schools
    from geodata.population_raster import read_total_raster
    from geodata.study_file import read_study_file

    osm: list[Callable[[Path], object]] = [read_osm_roads, read_osm_schools, read_osm_buildings, read_osm_barriers]
    layer: list[Callable[[Path], object]] = [list_layers, read_layer]
    raster: list[Callable[[Path], object]] = [
        lambda path: read_total_raster(path, share={"primary": 0.06}),
        lambda path: read_ground(path, [478_000.0], [6_677_000.0], "EPSG:32722"),
    ]
    tables: list[Callable[[Path], object]] = [read_raw_tables]
    return {
        "csv": [*tables, _build_county],
        "xlsx": [*tables],
        "xls": tables,
        **dict.fromkeys(("gpkg", "geojson", "parquet", "zip"), layer),
        **dict.fromkeys(("osm.pbf", "pbf", "osm", "osm.gz"), osm),
        "graphml": [read_graphml],
        "tif": raster,
        "toml": [read_study_file],
    }


def _build_county(path: Path) -> None:
    """Build a study whose schools and villages are both the broken table: every check has its turn."""
    from geodata.build import build_study
    from geodata.cache import DiskCache
    from geodata.study_file import build_study_spec

    text = path.read_bytes().decode("utf-8", "replace")
    is_villages = "村代码" in text
    names = {"school_id": "村代码", "capacity_places": "人口"} if is_villages else {}
    document = {
        "name": "x",
        "schools": {"path": path.name, "columns": names, "defaults": {"stage": "primary"}},
        "population": {
            "path": path.name,
            "kind": "points",
            "columns": {} if is_villages else {"unit_id": "学校代码", "population_people": "学位数"},
            "share": {"primary": 0.06},
        },
        "travel": {"modes": ["walk"]},
    }
    build_study(build_study_spec(document, folder=path.parent), cache=DiskCache(path.parent / "none", max_bytes=0))


def _say(told: dict[str, Any]) -> str:
    lines = [f"{told['files']:,} files in {told['seconds']:,} s; {len(told['found'])} different failures"]
    lines += [f"{name:24s} {count:>8,}" for name, count in told["outcomes"].items()]
    lines += [f"{mark}  ({about['times']}×, {about['file']})" for mark, about in told["found"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
