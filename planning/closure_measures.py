"""What closing some schools does, as numbers: only what moves is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.study import FrozenArrays
from planning.closure_dependants import Dependants, count_staying_beyond, explain, lacks_places
from planning.what_if import Change, WhatIf
from planning.what_if_direct import DirectEngine
from planning.what_if_entries import PUPIL_TOLERANCE, describe_moves, find_moves
from planning.what_if_types import Bools, Ints

HARMS = ("unreached_added_pupils", "beyond_limit_added_pupils", "over_places_added_pupils", "extra_pupil_min")


@dataclass(frozen=True, eq=False)
class Closure(FrozenArrays):
    """What closing some schools does: its numbers, and what it touches.

    ``staying_pupils`` move and are beyond the limit before and after. ``touched`` (columns of the solver, or schools):
    where anything changed, None where that is not known.
    """

    numbers: Mapping[str, float]
    staying_pupils: float
    touched: Bools | None


def measure_closure(what_if: WhatIf, closed: Ints) -> Closure:
    """Return what closing some schools (positions) does."""
    ids = frozenset(what_if.school_ids[at] for at in closed)
    solved = what_if.solve(Change(closed=ids), closed, {})
    moves = find_moves(what_if.ground, what_if.engine.base.entries, solved.entries, ())
    n_schools, base = len(what_if.school_ids), what_if.base_sums
    added = np.zeros(n_schools)
    for at, sign in ((moves.origin, -1.0), (moves.target, 1.0)):
        placed = at >= 0
        added += sign * np.bincount(at[placed], weights=moves.pupils[placed], minlength=n_schools)
    places = what_if.ground.places.copy()
    places[closed] = 0.0
    over = np.where(np.isnan(places), 0.0, np.maximum(base.load + added - places, 0.0))
    over[closed] = 0.0
    over_added = float((over - base.over)[np.abs(over - base.over) > PUPIL_TOLERANCE].sum())
    touched = solved.touched
    if isinstance(what_if.engine, DirectEngine):
        touched = np.zeros(n_schools, dtype=np.bool_)
        touched[np.concatenate([closed, moves.origin[moves.origin >= 0], moves.target[moves.target >= 0]])] = True
    described = describe_moves(moves)
    numbers = {
        "moved_pupils": described["moved_pupils"],
        "mean_min_before": described["moved_mean_min_before"],
        "mean_min_after": described["moved_mean_min_after"],
        "max_min_after": described["moved_max_min_after"],
        "extra_pupil_min": described["extra_pupil_min"],
        "beyond_limit_added_pupils": float(moves.pupils @ (moves.beyond_after * 1.0 - moves.beyond_before * 1.0)),
        "over_places_added_pupils": over_added,
        "unreached_added_pupils": float(moves.pupils @ ((moves.target < 0) * 1.0 - (moves.origin < 0) * 1.0)),
        "timed_pupils_before": described["timed_pupils_before"],
        "timed_pupils_after": described["timed_pupils_after"],
        "objective": solved.objective,
        "base_objective": what_if.engine.base.objective,
    }
    return Closure(numbers, count_staying_beyond(moves), touched)


def judge(what_if: WhatIf, limited: bool, found: Dependants, closure: Closure) -> dict[str, object]:
    """Return the columns that say whether schools can be closed."""
    return {
        "can_close": not len(found.unit),
        "places_suffice": not lacks_places(closure.numbers),
        "dependent_units": tuple(what_if.unit_ids[unit] for unit in found.unit),
        "dependent_pupils": float(found.pupils.sum()),
        "reason": explain(what_if, limited, found, closure.staying_pupils, closure.numbers),
    }


def sort_by_harm(table: pd.DataFrame, ids: list[str]) -> pd.DataFrame:
    """Return the rows with their ``rank``: lawful first, then least harm (to a millionth, gains are none), then ids."""
    keys = pd.DataFrame({name: table[name].astype(float).round(6) for name in HARMS})
    keys[list(HARMS[:3])] = keys[list(HARMS[:3])].clip(lower=0.0)
    keys["barred"] = ~table["can_close"]
    keys[ids] = table[ids]
    order = keys.sort_values(["barred", *HARMS, *ids], kind="stable").index
    return table.loc[order].reset_index(drop=True).assign(rank=np.arange(1, len(table) + 1))
