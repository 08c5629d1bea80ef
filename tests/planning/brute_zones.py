"""Every zone plan of a small problem, tried all at once: the solver that cannot be wrong."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from planning.solvers.problems import ZoneAnswer, ZoneProblem

MAX_PLANS = 2_000_000


def build_matrix(problem: ZoneProblem) -> np.ndarray:
    """Return the borders (units, units) in metres, −1 where two units do not touch."""
    n = problem.n_units
    border = np.full((n, n), -1.0)
    for unit in range(n):
        for link in range(problem.neighbour_start[unit], problem.neighbour_start[unit + 1]):
            border[unit, problem.neighbour[link]] = problem.border_m[link] if len(problem.border_m) else 0.0
    return border


def list_plans(problem: ZoneProblem) -> np.ndarray:
    """Return every lawful plan (plans, units): allowed schools, locks, seats, every zone in one piece."""
    choices = []
    seats = {int(unit): zone for zone, unit in enumerate(problem.seat) if unit >= 0}
    for unit in range(problem.n_units):
        allowed = np.flatnonzero(np.isfinite(problem.cost[unit])).tolist()
        if problem.locked[unit] >= 0:
            allowed = [int(problem.locked[unit])]
        choices.append([seats[unit]] if unit in seats else allowed)
    assert np.prod([len(allowed) for allowed in choices], dtype=float) <= MAX_PLANS
    plans = np.array(list(itertools.product(*choices)), dtype=np.int64).reshape(-1, problem.n_units)
    touch = (build_matrix(problem) >= 0).astype(np.int64)
    for zone, seat in enumerate(problem.seat):
        if seat < 0:
            continue
        own = plans == zone
        reached = np.zeros_like(own)
        reached[:, seat] = own[:, seat]
        for _ in range(problem.n_units):
            reached |= own & ((reached.astype(np.int64) @ touch) > 0)
        plans = plans[(reached == own).all(axis=1)]
    return plans


def compute_values(problem: ZoneProblem, plans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the five objectives (plans, 5) and the overload (plans,)."""
    n, m = problem.n_units, problem.n_schools
    units = np.arange(n)
    inside = plans[:, :, None] == np.arange(m)
    load = (inside * problem.pupils[None, :, None]).sum(axis=1)
    finite = np.isfinite(problem.places)
    places = np.where(finite, problem.places, 0.0)
    share = places / places.sum() if places.sum() else places
    fill = np.abs(load - load[:, finite].sum(axis=1, keepdims=True) * share)[:, finite].sum(axis=1)
    moved = np.zeros(len(plans)) if problem.moved is None else problem.moved[units, plans].sum(axis=1)
    border = np.maximum(build_matrix(problem), 0.0)
    apart = plans[:, :, None] != plans[:, None, :]
    inner = np.einsum("pim,pjm,ij->pm", inside, inside, border)
    compact = np.zeros(len(plans))
    if len(problem.area_m2) and problem.area_m2.sum() > 0:
        area = (inside * problem.area_m2[None, :, None]).sum(axis=1)
        outline = (inside * problem.outline_m[None, :, None]).sum(axis=1) - inner
        compact = (outline**2 / (4 * np.pi * area) - 1).sum(axis=1)
    travel = problem.cost[units, plans].sum(axis=1)
    over = np.maximum(0.0, load - np.where(finite, problem.places, np.inf)).sum(axis=1)
    return np.column_stack([travel, fill, moved, compact, (apart * border).sum(axis=(1, 2)) / 2]), over


def solve_by_trying(problem: ZoneProblem, *, weights: Any, limits: Any, progress: Any = None, **_: Any) -> ZoneAnswer:
    """Return the best plan; the call of ``planning.solvers.zones.solve_zones``. Of equals the first in order."""
    if progress is not None:
        progress(0.0, 0.0, 0.5)
    plans = list_plans(problem)
    values, over = compute_values(problem, plans)
    lawful = (values <= limits).all(axis=1)
    plans, values, over = plans[lawful], values[lawful], over[lawful]
    if not len(plans):
        nowhere = np.full(problem.n_units, -1, dtype=np.int32)
        return ZoneAnswer(nowhere, np.zeros(5), 0.0, np.inf, -np.inf, "infeasible", "proven")
    objective = values @ weights + problem.overload_price * over
    best = int(np.flatnonzero(objective <= objective.min() + 1e-9)[0])
    value = float(objective[best])
    school = plans[best].astype(np.int32)
    return ZoneAnswer(school, values[best], float(over[best]), value, value, "optimal", "proven")
