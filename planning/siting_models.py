"""The models of the textbooks, by name, for one moment: p-median, p-center, set covering, maximal covering.

Places play no part in them: schools are chosen, and everybody goes to the nearest one that stands. What may not close
stands in every answer: it is given a row of its own that nobody else can serve. The capacitated model is that of plans
with a single year, without extensions (``planning.siting``).

S. L. Hakimi (1964, 1965) for p-median and p-center; C. Toregas, R. Swain, C. ReVelle, L. Bergman (1971) for set
covering; R. Church, C. ReVelle (1974) for maximal covering.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geodata.messages import Message, msg
from geodata.study import Progress
from planning.conflicts import Conflict, name_some
from planning.siting_case import SitingCase
from planning.siting_model import SitingModel, Solved, build_siting_model, compute_parts
from planning.siting_options import SitingOptions
from planning.siting_ways import CLOSE, OPEN
from planning.solvers.location_problems import CoverProblem, LocationAnswer, LocationProblem
from planning.solvers.problems import Bools, Floats, Ints

TEXTBOOK = ("p_median", "p_center", "set_covering", "maximal_covering")
UNITS: Mapping[str, str] = {
    "p_median": "pupil-minutes",
    "p_center": "min",
    "set_covering": "schools",
    "maximal_covering": "pupils",
}
"""Unit of the objective; of maximal covering the pupils who are not covered, so that less is better everywhere."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """An answer of a textbook model: ``solved`` in its own unit (``UNITS``), or the conflicts."""

    model: SitingModel
    solved: Solved | None
    conflicts: tuple[Conflict, ...] = ()


def limit_to_moment(options: SitingOptions) -> SitingOptions:
    """Return options of one moment: the last of the years; within places as they are for the capacitated model."""
    years = options.years[-1:]
    expand: tuple[str, ...] | None = () if options.model == "capacitated" else options.may_expand
    return replace(options, years=years, may_expand=expand)


def choose_schools(case: SitingCase, progress: Progress) -> Chosen:
    """Return the answer of a textbook model to a case of one year."""
    model = build_siting_model(case, near=None, capped=False)
    minutes, pupils = case.minutes, case.pupils[:, 0]
    kept = ~case.facilities.may_close & ~case.facilities.is_site
    found = check_kept(case, int(kept.sum()))
    if not found and case.options.model == "set_covering":
        found = _check_cover(case, minutes)
    if found:
        return Chosen(model, None, tuple(found))
    search = case.options.search
    effort: dict[str, Any] = {
        "time_limit_s": search.time_limit_s,
        "gap_share": search.gap_share,
        "seed": search.seed,
        "progress": lambda step, share: progress(msg("Choosing schools"), share),
    }
    answer = _SOLVERS[case.options.model](case, minutes, pupils, kept, effort)
    if answer.status in ("infeasible", "no_plan_in_time"):
        return Chosen(model, None, (_tell_none(answer),))
    return Chosen(model, _read(model, minutes, pupils, answer))


def check_kept(case: SitingCase, kept: int) -> list[Conflict]:
    """Return that fewer schools are asked for than must stay."""
    count = case.options.count
    if count is None or count >= kept:
        return []
    return [
        Conflict(
            "count",
            msg("{count} schools are asked for, but {kept} may not close.", count=count, kept=kept),
            cure=msg("Ask for at least {kept}, or let more schools close.", kept=kept),
        )
    ]


def tell_ignored(options: SitingOptions) -> list[Message]:
    """Return which rules that are asked for play no part in a model of one moment."""
    rules, year = options.rules, options.years[-1] if options.years else None
    limits = (
        rules.total_budget_cny,
        rules.max_changes,
        rules.min_pupils,
        rules.max_travel_min,
        rules.max_travel_low_min,
    )
    asked = bool(rules.budgets_cny) or any(limit is not None for limit in limits)
    if options.model in TEXTBOOK:
        told = msg("Budgets, changes per year, least sizes and limits of travel are asked for, but play no part in it.")
        return [told] if asked else []
    if options.model == "capacitated" and any(of != year for of, _ in rules.budgets_cny):
        return [msg("The model is of one year, {year}: budgets of the years before play no part.", year=year)]
    return []


def _check_cover(case: SitingCase, minutes: Floats) -> list[Conflict]:
    """Return who has neither a school nor a site near enough, and how far the nearest is."""
    least = minutes.min(axis=1)
    far = np.flatnonzero(least > _cover_min(case))
    if not len(far):
        return []
    units = np.unique(case.row_unit[far])
    names = case.study.units.set_index("unit_id")["name"].reindex(case.unit_ids[units]).fillna("").astype(str)
    told = [name or str(key) for name, key in zip(names, case.unit_ids[units], strict=True)]
    pupils = float(case.pupils[far, 0].sum())
    return [
        Conflict(
            "travel_cap",
            msg(
                "{pupils:,.0f} pupils have neither a school nor a site within {cover:,.0f} min: {names}.",
                pupils=pupils,
                cover=_cover_min(case),
                names=name_some(told),
            ),
            unit_ids=tuple(sorted(str(key) for key in case.unit_ids[units])),
            short_pupils=pupils,
            cure=msg(
                "It would have to be {need:,.0f} min, or a site near them.",
                need=float(np.ceil(least[far].max())),
            ),
        )
    ]


def _cover_min(case: SitingCase) -> float:
    assert case.options.cover_min is not None
    return case.options.cover_min


def _tell_none(answer: LocationAnswer) -> Conflict:
    if answer.status == "infeasible":
        return Conflict(
            "count",
            msg("So few schools cannot reach everybody."),
            cure=msg("Ask for more schools, or add candidate sites."),
        )
    return Conflict("time", msg("No plan was found in the time given."), cure=msg("Search longer."))


def _with_kept(minutes: Floats, kept: Bools) -> Floats:
    """Return minutes with a row for every facility that stays: 0 there, no way elsewhere."""
    at = np.flatnonzero(kept)
    extra = np.full((len(at), minutes.shape[1]), np.inf)
    extra[np.arange(len(at)), at] = 0.0
    return np.vstack([minutes, extra])


def _locate(case: SitingCase, cost: Floats, demand: Floats) -> LocationProblem:
    width = cost.shape[1]
    return LocationProblem(cost, demand, np.full(width, np.inf), np.zeros(width), count=case.options.count)


def _solve_median(
    case: SitingCase, minutes: Floats, pupils: Floats, kept: Bools, effort: dict[str, Any]
) -> LocationAnswer:
    """Least pupil-minutes: ``min sum(pupils · minutes)`` with ``count`` schools."""
    from planning.solvers.p_median import solve_p_median

    demand = np.append(pupils, np.ones(int(kept.sum())))
    cost = _with_kept(minutes, kept)
    weighed = np.where(np.isfinite(cost), cost * demand[:, None], np.inf)
    return solve_p_median(_locate(case, weighed, demand), **effort)


def _solve_center(
    case: SitingCase, minutes: Floats, pupils: Floats, kept: Bools, effort: dict[str, Any]
) -> LocationAnswer:
    """Least longest way: ``min max(minutes)`` with ``count`` schools."""
    from planning.solvers.p_center import solve_p_center

    demand = np.append(pupils, np.ones(int(kept.sum())))
    return solve_p_center(_locate(case, _with_kept(minutes, kept), demand), **effort)


def _cover(case: SitingCase, minutes: Floats, kept: Bools, weight: Floats) -> CoverProblem:
    row, site = np.nonzero(_with_kept(minutes, kept) <= _cover_min(case))
    rows = len(minutes) + int(kept.sum())
    return CoverProblem(
        start=np.searchsorted(row, np.arange(rows + 1)).astype(np.int64),
        site=site.astype(np.int32),
        weight=weight,
        site_cost=np.ones(minutes.shape[1]),
    )


def _solve_set(
    case: SitingCase, minutes: Floats, pupils: Floats, kept: Bools, effort: dict[str, Any]
) -> LocationAnswer:
    """Fewest schools with everybody within ``cover_min``."""
    from planning.solvers.covering import solve_set_covering

    weight = np.append(pupils, np.ones(int(kept.sum())))
    return solve_set_covering(_cover(case, minutes, kept, weight), **effort)


def _solve_most(
    case: SitingCase, minutes: Floats, pupils: Floats, kept: Bools, effort: dict[str, Any]
) -> LocationAnswer:
    """Most pupils within ``cover_min`` of ``count`` schools; told as those who are not, so that less is better."""
    from planning.solvers.covering import solve_maximal_covering

    assert case.options.count is not None
    total = float(pupils.sum())
    # A school that must stay outweighs all pupils together, so that none is given up for them.
    must = np.full(int(kept.sum()), total + 1.0)
    problem = _cover(case, minutes, kept, np.append(pupils, must))
    # The gap asked for is a share of the pupils: those weights must not make a bad answer look good enough.
    fine = effort["gap_share"] * total / (total + float(must.sum())) if total > 0 else 0.0
    answer = solve_maximal_covering(problem, case.options.count, **{**effort, "gap_share": fine})
    covered = answer.objective - float(must.sum())
    bound = answer.bound - float(must.sum())
    return replace(answer, objective=total - covered, bound=max(0.0, total - bound))


_SOLVERS = {
    "p_median": _solve_median,
    "p_center": _solve_center,
    "set_covering": _solve_set,
    "maximal_covering": _solve_most,
}


def _read(model: SitingModel, minutes: Floats, pupils: Floats, answer: LocationAnswer) -> Solved:
    """Return the answer as ways and flows: everybody at the nearest school that stands."""
    case = model.case
    opened = np.asarray(answer.opened)
    near = np.where(opened[None, :], minutes, np.inf)
    target = near.argmin(axis=1)
    reached = np.isfinite(near[np.arange(case.n_rows), target])
    load = np.bincount(target[reached], weights=pupils[reached], minlength=len(opened)).astype(np.float64)
    way = _choose_ways(model, opened, load)
    flow = np.zeros((1, len(model.facility)))
    row = model.arc_row
    used = (model.facility == target[row]) & reached[row]
    flow[0, used] = pupils[row[used]]
    unplaced = np.where(reached, 0.0, pupils)[:, None]
    return Solved(
        way=way,
        flow=flow,
        unplaced=unplaced,
        parts=compute_parts(model, way, flow),
        value=answer.objective,
        bound=answer.bound,
        status=answer.status,
        stopped=answer.stopped,
        seconds=answer.seconds,
        least_unplaced=0.0,
        facts=dict(answer.facts),
    )


def _choose_ways(model: SitingModel, opened: Bools, load: Floats) -> Ints:
    """Return a way per facility: a new school in the smallest of its sizes that holds its pupils, else the largest."""
    ways, facilities = model.ways, model.case.facilities
    way = ways.start[:-1].copy()
    for at in range(facilities.count):
        span = np.arange(ways.start[at], ways.start[at + 1])
        if facilities.is_site[at] and opened[at]:
            built = span[ways.kind[span] == OPEN]
            enough = built[ways.places[built, 0] >= load[at] - 1e-6]
            way[at] = enough[0] if len(enough) else built[-1]
        elif not facilities.is_site[at] and not opened[at]:
            way[at] = span[ways.kind[span] == CLOSE][0]
    return way


def name_model(model: str) -> Message:
    """Return a model in words."""
    names = {
        "plan": msg("Best of the stated mix"),
        "p_median": msg("Least travel (p-median)"),
        "p_center": msg("Least longest way (p-center)"),
        "set_covering": msg("Fewest schools within reach of everybody (set covering)"),
        "maximal_covering": msg("Most pupils within reach (maximal covering)"),
        "capacitated": msg("Least cost within places (capacitated location)"),
    }
    return names[model]
