"""Places within reach against PySAL ``access`` or, where it is not installed, its way of doing it in plain pandas.

``python -m benchmarks.access``. 20,000 units × 300 schools at random places of a county, walks of up to 60 min at
80 m/min. The pandas peer joins the table of ways to demand and supply and adds up by groups, as ``access`` does; both
peers get the ways as that table, ours gets the matrix. Results must agree to 1e-9.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.access import E2SFCA_STEPS, THREE_STEPS, compute_2sfca, compute_3sfca, compute_e2sfca
from planning.access import compute_gaussian_2sfca as compute_gaussian

UNITS, SCHOOLS, SIDE_M, LONGEST_MIN = 20_000, 300, 20_000.0, 60.0
REPEATS = 3  # the best counts
SEED = 2026

Floats: TypeAlias = npt.NDArray[np.float64]
Weight: TypeAlias = Callable[[Floats], Floats]
Form: TypeAlias = Mapping[float, float] | float | None
"""Steps of minutes with their weights, the sigma of a Gaussian, or every way counts fully."""


@dataclass(frozen=True, eq=False)
class Town:
    """Units and schools: minutes (units, schools), children, places, and the ways as a table."""

    time_min: Floats
    demand: Floats
    supply: Floats
    ways: pd.DataFrame


def build_town() -> Town:
    """Return a county of random places."""
    generator = np.random.default_rng(SEED)
    homes, schools = (generator.uniform(0, SIDE_M, (count, 2)) for count in (UNITS, SCHOOLS))
    minutes = np.hypot(*(homes[:, None, :] - schools[None, :, :]).transpose(2, 0, 1)) / 80.0
    minutes[minutes > LONGEST_MIN] = np.nan
    origin, goal = np.nonzero(np.isfinite(minutes))
    ways = pd.DataFrame({"origin": origin, "dest": goal, "cost": minutes[origin, goal]})
    demand, supply = generator.integers(1, 40, UNITS), generator.integers(200, 1500, SCHOOLS)
    return Town(minutes, demand.astype(float), supply.astype(float), ways)


def build_weight(form: Form) -> Weight:
    """Return the weight of minutes for arrays."""
    if form is None:
        return np.ones_like
    if isinstance(form, float):
        return lambda minutes: np.exp(-(minutes**2) / (2 * form**2))
    bounds, values = np.array([*form]), np.array([*form.values(), 0.0])
    return lambda minutes: values[np.searchsorted(bounds, minutes)]


def compute_by_pandas(town: Town, form: Form, limit_min: float, *, three: bool = False) -> Floats:
    """Return places per child by merges and group-bys."""
    ways = town.ways.assign(w=build_weight(form)(town.ways["cost"].to_numpy()))
    if three:
        ways["w"] = ways["w"] * ways["w"] / ways.groupby("origin")["w"].transform("sum")
    demand = pd.DataFrame({"demand": town.demand})
    supply = pd.DataFrame({"supply": town.supply})
    near = ways.merge(demand, left_on="origin", right_index=True)
    near = near[near["cost"] <= limit_min].copy()
    near["demand"] *= near["w"]
    ratio = supply.join(near.groupby("dest")["demand"].sum(), how="right")
    shares = pd.DataFrame({"ratio": ratio["supply"] / ratio["demand"]})
    back = ways.merge(shares, left_on="dest", right_index=True)
    back = back[back["cost"] <= limit_min].copy()
    back["ratio"] *= back["w"]
    return back.groupby("origin")["ratio"].sum().reindex(range(UNITS)).fillna(0.0).to_numpy(dtype=np.float64)


def compute_by_pysal(town: Town, form: Form, limit_min: float, *, three: bool = False) -> Floats:
    """Return places per child by PySAL ``access``, with its own weights."""
    fca: Any = importlib.import_module("access.fca")
    weights: Any = importlib.import_module("access.weights")
    demand = pd.DataFrame({"demand": town.demand}, index=pd.RangeIndex(UNITS, name="geoid"))
    supply = pd.DataFrame({"supply": town.supply}, index=pd.RangeIndex(SCHOOLS, name="geoid"))
    run = fca.three_stage_fca if three else fca.two_stage_fca
    weight = None
    if form is not None:
        weight = weights.gaussian(form) if isinstance(form, float) else weights.step_fn(dict(form))
    found = run(demand, supply, town.ways.copy(), limit_min, weight_fn=weight)
    return np.asarray(found.reindex(range(UNITS)).fillna(0.0), dtype=np.float64)


def measure(run: Callable[[], Floats], repeats: int = REPEATS) -> tuple[float, Floats]:
    """Return the least seconds and the result."""
    best, result = float("inf"), np.empty(0)
    for _ in range(repeats):
        started = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - started)
    return best, result


def main() -> None:
    """Print the table."""
    town = build_town()
    demand, supply, times = town.demand, town.supply, town.time_min
    pysal = importlib.util.find_spec("access") is not None
    name, peer = ("PySAL access", compute_by_pysal) if pysal else ("pandas", compute_by_pandas)
    print(f"{UNITS:,} units × {SCHOOLS} schools, {len(town.ways):,} ways of up to {LONGEST_MIN:g} min; seconds")
    print(f"| method | ours | {name} | {name} / ours | greatest difference |\n|---|---|---|---|---|")
    cases: tuple[tuple[str, Callable[[], Floats], Form, bool], ...] = (
        ("2SFCA, 30 min", lambda: compute_2sfca(times, demand, supply, limit_min=30), None, False),
        ("Gaussian, 30 min", lambda: compute_gaussian(times, demand, supply, limit_min=30), 15.0, False),
        ("E2SFCA", lambda: compute_e2sfca(times, demand, supply), E2SFCA_STEPS, False),
        ("3SFCA", lambda: compute_3sfca(times, demand, supply), THREE_STEPS, True),
    )
    for title, run, form, three in cases:
        seconds, ours = measure(run)
        slow, theirs = measure(lambda form=form, three=three: peer(town, form, 30.0, three=three))  # type: ignore[misc]
        gap = float(np.abs(np.nan_to_num(ours) - theirs).max())
        print(f"| {title} | {seconds:.3f} | {slow:.2f} | {slow / seconds:.1f} | {gap:.1e} |")


if __name__ == "__main__":
    main()
