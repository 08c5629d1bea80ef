"""Published single-source and capacitated p-median sets with their optima, as assignment problems with the sites fixed.

The sets and their optima are in ``shared/data/bench`` (Holmberg; OR-Library; Lorena). Where a file gives only the
optimum, the sites that reach it are in ``published_sites.json``: found here with HiGHS or by exchange, and proven by
reaching the published value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from planning.solvers.problems import Floats, TransportProblem

SITES = Path(__file__).with_name("published_sites.json")
OVERLOAD_PER_COST = 100.0


@dataclass(frozen=True)
class Published:
    """One instance: whole rows to the sites of the optimum; ``optimum`` includes ``fixed_cost`` of the sites."""

    name: str
    problem: TransportProblem
    fixed_cost: float
    optimum: float


@dataclass(frozen=True)
class _Instance:
    """Places and fixed cost of every site, pupils, and cost (sites, rows) of whole rows."""

    places: Floats
    fixed: Floats
    pupils: Floats
    cost: Floats


def list_published(folder: Path) -> Iterator[Published]:
    """Yield the instances whose sites are known, in the order of their names' file."""
    optima = _read_optima(folder)
    for name, sites in json.loads(SITES.read_text(encoding="utf-8")).items():
        kind = name.split("/")[0]
        reader = {"orlib_pmedcap": _read_medians, "sjc_cpmp": _read_sjc}.get(kind, _read_single_source)
        instance = reader(folder / name)
        yield Published(name, _fix_sites(instance, sites), float(instance.fixed[sites].sum()), optima[name])


def _read_optima(folder: Path) -> dict[str, float]:
    optima = {}
    for kind in ("sscflp_holmberg", "sscflp_orlib_small"):
        for number, value in enumerate((folder / kind / "os").read_text().split(), start=1):
            optima[f"{kind}/p{number}"] = float(value)
    for kind in ("orlib_pmedcap", "sjc_cpmp"):
        for line in (folder / kind / "optima.csv").read_text().split()[1:]:
            name, *_, value = line.split(",")
            optima[f"{kind}/{name}"] = float(value)
    return optima


def _fix_sites(instance: _Instance, sites: list[int]) -> TransportProblem:
    n_rows, n_sites = len(instance.pupils), len(sites)
    cost = instance.cost[sites].T / instance.pupils[:, None]
    return TransportProblem(
        start=np.arange(n_rows + 1) * n_sites,
        school=np.tile(np.arange(n_sites, dtype=np.int32), n_rows),
        cost=cost.ravel(),
        pupils=instance.pupils,
        places=instance.places[sites],
        overload_price=OVERLOAD_PER_COST * float(cost.max()),
    )


def _read_single_source(path: Path) -> _Instance:
    values = np.array(path.read_text().split(), dtype=np.float64)
    n_sites, n_rows = int(values[0]), int(values[1])
    values = values[2:]
    sites, values = values[: 2 * n_sites].reshape(n_sites, 2), values[2 * n_sites :]
    return _Instance(
        sites[:, 0], sites[:, 1], values[:n_rows], values[n_rows:][: n_sites * n_rows].reshape(n_sites, -1)
    )


def _read_medians(path: Path) -> _Instance:
    values = np.array(path.read_text().split(), dtype=np.float64)
    n_rows, places = int(values[2]), values[4]
    table = values[5 : 5 + 4 * n_rows].reshape(n_rows, 4)
    cost = np.floor(_measure_distances(table[:, 1:3]))
    return _Instance(np.full(n_rows, places), np.zeros(n_rows), table[:, 3], cost)


def _read_sjc(path: Path) -> _Instance:
    values = np.array(path.read_text().split(), dtype=np.float64)
    n_rows = int(values[0])
    table = values[2 : 2 + 4 * n_rows].reshape(n_rows, 4)
    return _Instance(table[:, 2], np.zeros(n_rows), table[:, 3], _measure_distances(table[:, :2]))


def _measure_distances(points: Floats) -> Floats:
    distances: Floats = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
    return distances
