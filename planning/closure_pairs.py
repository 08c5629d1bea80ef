"""Pairs of schools closed together, exactly, most of them without solving anything.

Additivity. Let ``x0, p0`` be the optimal flow and prices of the base, ``xA, pA`` and ``xB, pB`` those after closing A,
and B, found from it by shortest paths. Pupils set free only push others on towards free places: every path ends at the
sink, so no price falls, ``pA >= p0`` and ``pB >= p0`` (the price of the closed school counts as infinite). Let ``TA``
be the schools where the price or anybody's flow changed, A among them, and let ``TA`` and ``TB`` have no school in
common. Then ``x = xA + xB - x0`` with ``p = max(pA, pB)`` is optimal for both closed:

* Every arc leads to one school, so at most one of the two changed it: ``x`` is nowhere negative, all pupils of a row
  are in it, and every school has the pupils and the price that it has in the one answer that touched it. So places are
  kept, priced schools are full, and only schools at the price of overload are overrun.
* Let row ``r`` use the arc to ``j`` in ``x``. If A did not touch ``j``, the arc is used in ``xB`` and ``pB[j] = p[j]``;
  else it is used in ``xA`` and ``pA[j] = p[j]``. In that answer it is a least one:
  ``cost[j] + p[j] <= cost[k] + pA[k] (or pB[k]) <= cost[k] + p[k]`` for every school ``k``. So it is one at ``p``.

These are the conditions of complementary slackness (R. K. Ahuja, T. L. Magnanti, J. B. Orlin, *Network Flows*, 1993,
ch. 9.3), so both numbers and objective add up. Pairs that touch a school in common are solved. Without places the same
holds: a unit goes to B after closing A only where B is touched by closing A.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from geodata.messages import msg
from geodata.study import Progress, no_progress
from planning.closure_dependants import find_reliance, list_dependants
from planning.closure_measures import Closure, judge, measure_closure, sort_by_harm
from planning.what_if import WhatIf

PAIR_COLUMNS = (
    *("school_id", "other_id", "name", "other_name", "pupils", "moved_pupils"),
    *("mean_min_before", "mean_min_after", "max_min_after", "extra_pupil_min"),
    *("beyond_limit_added_pupils", "over_places_added_pupils", "unreached_added_pupils"),
    *("can_close", "places_suffice", "dependent_units", "dependent_pupils", "reason", "together", "solved", "rank"),
)
"""As ``RANKING_COLUMNS``; ``together``: extra pupil-minutes beyond the sum of the two alone; ``solved``: False where
additivity gives the numbers."""
_SUMS = ("moved_pupils", "extra_pupil_min", "objective")
_ADDED = ("beyond_limit_added_pupils", "over_places_added_pupils", "unreached_added_pupils")


def rank_pairs(
    what_if: WhatIf,
    singles: pd.DataFrame,
    *,
    school_ids: Sequence[str] | None = None,
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """Return ``PAIR_COLUMNS``, one row per pair of schools, in the order of ``rank`` (as of ``rank_closures``).

    Parameters
    ----------
    singles
        What ``rank_closures`` gave.
    school_ids
        Schools to pair; None: all of ``singles``.
    progress
        Told the share done; may raise to stop.
    """
    ids = sorted(singles["school_id"] if school_ids is None else set(school_ids))
    chosen = what_if.find_schools(ids)
    step = msg("Closing schools two by two")
    alone: dict[int, Closure] = {}
    for number, at in enumerate(chosen.tolist()):
        progress(step, 0.1 * number / max(1, len(chosen)))
        alone[at] = measure_closure(what_if, np.array([at]))
    reliance = find_reliance(what_if)
    by_pair = _group_pairs(reliance.schools)
    count = max(1, len(chosen) * (len(chosen) - 1) // 2)
    rows = []
    for number, (one, two) in enumerate(combinations(chosen.tolist(), 2)):
        if number % 16 == 0:
            progress(step, 0.1 + 0.9 * number / count)
        apart = touch_apart(alone[one], alone[two])
        closure = add_closures(alone[one], alone[two]) if apart else measure_closure(what_if, np.array([one, two]))
        picked = np.concatenate([by_pair.get(key, _NONE) for key in ((one, one), (two, two), (one, two))])
        found = list_dependants(what_if, reliance.pick(picked))
        sums = sum(alone[at].numbers["extra_pupil_min"] for at in (one, two))
        rows.append(
            {
                **_name_pair(what_if, one, two),
                **closure.numbers,
                **judge(what_if, reliance.limited, found, closure),
                "together": 0.0 if apart else closure.numbers["extra_pupil_min"] - sums,
                "solved": not apart,
            }
        )
    progress(step, 1.0)
    table = pd.DataFrame(rows, columns=[name for name in PAIR_COLUMNS if name != "rank"])
    return sort_by_harm(table, ["school_id", "other_id"]).loc[:, list(PAIR_COLUMNS)]


_NONE = np.zeros(0, dtype=np.int64)


def _group_pairs(schools: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """Return the positions of the parts that rely on each school (twice the same), or each two schools."""
    if not len(schools):
        return {}
    order = np.lexsort((schools[:, 1], schools[:, 0]))
    cuts = np.flatnonzero((np.diff(schools[order], axis=0) != 0).any(axis=1)) + 1
    return {(int(schools[part[0], 0]), int(schools[part[0], 1])): part for part in np.split(order, cuts)}


def touch_apart(one: Closure, two: Closure) -> bool:
    """Return whether two closures touch no school in common."""
    if one.touched is None or two.touched is None:
        return False
    return not bool((one.touched & two.touched).any())


def add_closures(one: Closure, two: Closure) -> Closure:
    """Return what two closures do together that touch no school in common."""
    numbers: dict[str, float] = {name: one.numbers[name] + two.numbers[name] for name in (*_SUMS, *_ADDED)}
    numbers["objective"] -= one.numbers["base_objective"]
    numbers["base_objective"] = one.numbers["base_objective"]
    for when in ("before", "after"):
        weights = np.array([item.numbers[f"timed_pupils_{when}"] for item in (one, two)])
        means = np.array([item.numbers[f"mean_min_{when}"] for item in (one, two)])
        total = float(weights.sum())
        numbers[f"timed_pupils_{when}"] = total
        numbers[f"mean_min_{when}"] = float(weights @ np.nan_to_num(means)) / total if total > 0 else float("nan")
    numbers["max_min_after"] = float(np.fmax(one.numbers["max_min_after"], two.numbers["max_min_after"]))
    return Closure(numbers, one.staying_pupils + two.staying_pupils, None)


def _name_pair(what_if: WhatIf, one: int, two: int) -> Mapping[str, object]:
    return {
        "school_id": what_if.school_ids[one],
        "other_id": what_if.school_ids[two],
        "name": what_if.ground.names[one],
        "other_name": what_if.ground.names[two],
        "pupils": float(what_if.base_sums.load[[one, two]].sum()),
    }
