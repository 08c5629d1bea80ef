"""Why no lawful plan exists, in words: which rule stands against it, and the smallest change that would cure it.

One family of rules is relaxed at a time, the others hold: where that gives everybody a place, the family is told with
what it would have to be. The figure is that of a plan that was found; the least that is proven stands beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from geodata.messages import Message, msg
from geodata.study import Progress
from planning.conflicts import Conflict, name_some
from planning.siting_case import SitingCase
from planning.siting_model import (
    CONVENTION_MIN,
    LACKING_PUPILS,
    SCALE,
    Mix,
    SitingModel,
    Solved,
    build_siting_model,
    build_siting_problem,
    read_solution,
)
from planning.solvers.problems import Floats
from planning.solvers.siting_solve import solve_siting

NOTHING = Mix(0.0, 0.0, 0.0, 0.0, 0.0)
PROBES = 8
"""The time for explaining is shared by so many solves."""
LEAST_PROBE_S = 3.0
MILLION = 1e6


@dataclass(frozen=True, eq=False)
class Probe:
    """Asks whether there is a plan with a place for everybody when some rules are left out."""

    model: SitingModel
    progress: Progress
    each_s: float | None
    seed: int
    ends: float

    @property
    def late(self) -> bool:
        """Whether the time for explaining is over: what was found so far is told."""
        return time.monotonic() >= self.ends

    def ask(
        self,
        *,
        without: tuple[str, ...] = (),
        measure: Floats | None = None,
        model: SitingModel | None = None,
        least: bool = True,
        period: int | None = None,
    ) -> Solved:
        """Return the plan with the fewest pupils without a place; among those the one of the least ``measure``.

        Parameters
        ----------
        without
            Families of rules over ways that do not hold; with ``period`` only their rules of that year.
        measure : shape (ways,)
            What is made small beside.
        least
            Whether the least pupils of a school hold.
        """
        self.progress(msg("Why there is no lawful plan"), 0.5)
        used = model or self.model
        kept = tuple(
            side for side in used.sides if side.family not in without or (period is not None and side.period != period)
        )
        cost = np.zeros(used.ways.count) if measure is None else measure
        problem, order = build_siting_problem(used, mix=NOTHING, sides=kept, way_cost=cost)
        top = np.maximum.reduceat(problem.way_cost, problem.way_start[:-1]) if used.ways.count else np.zeros(1)
        problem = replace(
            problem,
            overload_price=10.0 + 2.0 * float(np.maximum(top, 0.0).sum()),
            way_least_pupils=problem.way_least_pupils if least else np.zeros(problem.way_least_pupils.shape),
        )
        answer = solve_siting(
            problem, time_limit_s=self.each_s, gap_share=1e-4, seed=self.seed, progress=lambda step, share: self._tick()
        )
        return read_solution(used, problem, order, answer, NOTHING)

    def _tick(self) -> None:
        self.progress(msg("Why there is no lawful plan"), 0.5)


def start_probe(model: SitingModel, progress: Progress) -> Probe:
    """Return what answers such questions, each in its share of the time limit."""
    search = model.case.options.search
    if search.time_limit_s is None:
        return Probe(model, progress, None, search.seed, np.inf)
    each = max(LEAST_PROBE_S, search.time_limit_s / PROBES)
    return Probe(model, progress, each, search.seed, time.monotonic() + search.time_limit_s)


def explain_siting(probe: Probe) -> list[Conflict]:
    """Return why no lawful plan exists; empty where one was found after all.

    First what is short, then every rule whose relaxing alone would cure it.
    """
    nearest = probe.ask()
    if nearest.lawful:
        return []
    relaxing = (_relax_budgets, _relax_changes, _relax_count, _relax_order, _relax_min_pupils, _relax_travel)
    cures = [cure for relax in relaxing if not probe.late for cure in relax(probe)]
    return [*_tell_short(probe, nearest, bool(cures)), *cures]


def _tell_short(probe: Probe, nearest: Solved, curable: bool) -> list[Conflict]:
    """Return who has no place in the plan that comes nearest, and how many classes that makes."""
    case = probe.model.case
    if nearest.status == "infeasible":
        return [
            Conflict(
                "changes",
                msg("The rules over decisions contradict one another, whatever is decided."),
                cure=Message("") if curable else msg("Relax several of them together."),
            )
        ]
    by_year = nearest.unplaced.sum(axis=0)
    worst = int(by_year.argmax())
    if by_year[worst] <= LACKING_PUPILS:
        return [] if curable else [tell_unproven()]
    rows = np.flatnonzero(nearest.unplaced[:, worst] > LACKING_PUPILS)
    units = np.unique(case.row_unit[rows])
    about = case.study.units.set_index("unit_id")["name"].reindex(case.unit_ids[units]).fillna("").astype(str)
    names = [name or str(key) for name, key in zip(about, case.unit_ids[units], strict=True)]
    values = {
        "year": _tell_year(case, worst),
        "pupils": float(by_year[worst]),
        "names": name_some(names),
    }
    lacking = float(nearest.facts.get("lacking_pupils", 0.0))  # type: ignore[arg-type]
    # Nothing else costs anything here. Of several years only the sum is proven: another plan may lack in another one.
    if nearest.bound > 0.999 * nearest.value and case.n_periods == 1 and lacking <= LACKING_PUPILS:
        message = msg("{year}: whatever is decided, {pupils:,.0f} pupils have no place: {names}.", **values)
    else:
        message = msg("{year}: in the best plan found {pupils:,.0f} pupils have no place: {names}.", **values)
    return [
        Conflict(
            "capacity",
            message,
            unit_ids=tuple(sorted(str(key) for key in case.unit_ids[units])),
            short_pupils=float(by_year[worst]),
            cure=_cure_places(probe, nearest, worst),
        )
    ]


def _tell_year(case: SitingCase, period: int) -> Message:
    if not case.options.years:
        return msg("Today")
    return msg("{year}", year=case.years[period])


def tell_unproven() -> Conflict:
    """Return that neither a plan nor a proof was found in time."""
    return Conflict(
        "time",
        msg("No lawful plan was found in the time given, and none is proven impossible."),
        cure=msg("Search longer."),
    )


def _cure_places(probe: Probe, nearest: Solved, period: int) -> Message:
    """Return where more places would help: at the school nearest to most of those without one."""
    case = probe.model.case
    short = nearest.unplaced[:, period]
    rows = np.flatnonzero(short > LACKING_PUPILS)
    minutes = case.minutes[rows].copy()
    minutes[:, case.facilities.fixed] = np.inf
    near = minutes.argmin(axis=1)
    taken = np.bincount(near, weights=short[rows], minlength=case.facilities.count)
    at = int(taken.argmax())
    size = case.facilities.class_size[at]
    pupils = float(short.sum())
    if not size > 0:
        return msg("Allow {places:,.0f} more places near {school}.", places=pupils, school=case.facilities.names[at])
    return msg(
        "Allow {places:,.0f} more places ({classes:,.0f} classes) near {school}: larger extensions, another site, or"
        " more classes per school.",
        places=pupils,
        classes=float(np.ceil(pupils / (size * case.options.rules.fill_share) - 1e-9)),
        school=case.facilities.names[at],
    )


def _relax_budgets(probe: Probe) -> list[Conflict]:
    """Return what each budget alone would have to be; where none alone cures it, all together."""
    case, ways = probe.model.case, probe.model.ways
    sides = [side for side in probe.model.sides if side.family in ("budget", "total_budget")]
    found = []
    for side in sides:
        total = side.family == "total_budget"
        measure = ways.money_cny.sum(axis=1) if total else ways.money_cny[:, side.period]
        solved = probe.ask(without=(side.family,), measure=measure, period=None if total else side.period)
        if solved.lawful:
            found.append(_tell_budget(case, side.period, side.limit, solved, float(measure[solved.way].sum())))
    if found or len(sides) < 2:
        return found
    solved = probe.ask(without=("budget", "total_budget"), measure=ways.money_cny.sum(axis=1))
    if not solved.lawful:
        return []
    spent = ways.money_cny[solved.way].sum(axis=0) / MILLION
    by_year = [
        msg("{year}: {money:,.1f}", year=year, money=float(money))
        for year, money in zip(case.years, spent, strict=True)
    ]
    return [
        Conflict(
            "budget",
            msg("The budgets together do not pay for a lawful plan; no single one of them is the cause."),
            cure=msg("Budgets in million yuan that would do: {years}.", years=tuple(by_year)),
        )
    ]


def _tell_budget(case: SitingCase, period: int, given: float, solved: Solved, need: float) -> Conflict:
    values = {
        "given": given / MILLION,
        "need": float(np.ceil(need / MILLION * 10 - 1e-6)) / 10,
        "least": float(np.floor(max(0.0, solved.bound) / MILLION * 10)) / 10,
    }
    if period < 0:
        return Conflict(
            "budget",
            msg("The total budget of {given:,.1f} million yuan does not pay for a lawful plan.", **values),
            cure=msg(
                "It would have to be {need:,.1f} million yuan instead of {given:,.1f} (less than {least:,.1f} cannot"
                " do).",
                **values,
            ),
        )
    values["year"] = case.years[period]
    return Conflict(
        "budget",
        msg("The budget of {year}, {given:,.1f} million yuan, does not pay for a lawful plan.", **values),
        cure=msg(
            "The budget of {year} would have to be {need:,.1f} million yuan instead of {given:,.1f} (less than"
            " {least:,.1f} cannot do).",
            **values,
        ),
    )


def _relax_changes(probe: Probe) -> list[Conflict]:
    """Return how many changes a year a plan needs that makes as few as it can."""
    most = probe.model.case.options.rules.max_changes
    if most is None:
        return []
    ways = probe.model.ways
    solved = probe.ask(without=("changes",), measure=ways.changes / SCALE)
    if not solved.lawful:
        return []
    made = ways.period[solved.way]
    need = int(np.bincount(made[made >= 0], minlength=1).max())
    return [
        Conflict(
            "changes",
            msg("With at most {most} changes in a year there is no lawful plan.", most=most),
            cure=msg("{need} changes in a year would do instead of {most}.", need=need, most=most),
        )
    ]


def _relax_count(probe: Probe) -> list[Conflict]:
    """Return the fewest schools that have a place for everybody."""
    count = probe.model.case.options.count
    if count is None:
        return []
    stands = probe.model.ways.open_now[:, -1]
    solved = probe.ask(without=("count",), measure=stands / SCALE)
    if not solved.lawful:
        return []
    return [
        Conflict(
            "count",
            msg("With {count} schools there is no lawful plan.", count=count),
            cure=msg("{need} schools would do instead of {count}.", need=int(stands[solved.way].sum()), count=count),
        )
    ]


def _relax_order(probe: Probe) -> list[Conflict]:
    if not any(side.family == "order" for side in probe.model.sides):
        return []
    if not probe.ask(without=("order",)).lawful:
        return []
    return [
        Conflict(
            "order",
            msg("Building before closing leaves no lawful plan in these years."),
            cure=msg("Add an earlier year in which can be built, or let both happen in one year."),
        )
    ]


def _relax_min_pupils(probe: Probe) -> list[Conflict]:
    """Return the largest least number of pupils with which there is a plan, to the next five."""
    asked = probe.model.case.options.rules.min_pupils
    if not asked or not probe.ask(least=False).lawful:
        return []
    case = probe.model.case
    low, high = 0, int(np.ceil(asked / 5.0))
    while high - low > 1 and not probe.late:
        middle = (low + high) // 2
        rules = replace(case.options.rules, min_pupils=5.0 * middle)
        tried = build_siting_model(replace(case, options=replace(case.options, rules=rules)), near=None)
        low, high = (middle, high) if probe.ask(model=tried).lawful else (low, middle)
    return [
        Conflict(
            "min_pupils",
            msg("Not every open school can have {asked:,.0f} pupils.", asked=asked),
            cure=msg(
                "At most {most:,.0f} pupils can be asked of every school; or let more schools close.", most=5 * low
            ),
        )
    ]


def _relax_travel(probe: Probe) -> list[Conflict]:
    """Return by how many minutes the limit of travel would have to be longer."""
    case = probe.model.case
    capped = np.isfinite(case.cap_min)
    if not capped.any():
        return _relax_convention(probe)
    free = replace(case, cap_min=np.full(case.n_rows, np.inf))
    if not probe.ask(model=build_siting_model(free, near=None)).lawful:
        return _relax_convention(probe)
    minutes = case.minutes
    top = max(1, int(np.ceil(minutes[np.isfinite(minutes)].max() - case.cap_min[capped].min())))

    def allows(more: int) -> bool:
        tried = build_siting_model(replace(case, cap_min=case.cap_min + more), near=None)
        return probe.ask(model=tried).lawful

    # ``high`` always does (with ``top`` every way is allowed): a search cut short says too much, never too little.
    low, high, step = 0, top, 1
    while step < high and not probe.late:
        low, high, step = (low, step, step) if allows(step) else (step, high, 2 * step)
    while high - low > 1 and not probe.late:
        middle = (low + high) // 2
        low, high = (low, middle) if allows(middle) else (middle, high)
    limit = float(case.cap_min[capped].max())
    return [
        Conflict(
            "travel_cap",
            msg("Within the limit of travel ({limit:,.0f} min) there is no lawful plan.", limit=limit),
            cure=msg("It would have to be {more:,.0f} min longer: {longer:,.0f} min.", more=high, longer=limit + high),
        )
    ]


def _relax_convention(probe: Probe) -> list[Conflict]:
    """Return that a way longer than the convention would give a plan, where no rule limits it."""
    if not probe.ask(model=build_siting_model(probe.model.case, near=None, capped=False)).lawful:
        return []
    return [
        Conflict(
            "travel_cap",
            msg("With ways of at most {limit:,.0f} min, a convention, there is no lawful plan.", limit=CONVENTION_MIN),
            cure=msg("Ask for a longer limit of travel."),
        )
    ]


def solve_wider(model: SitingModel, progress: Progress) -> tuple[SitingModel, list[Conflict]]:
    """Return the model in which every school may take everybody within the limits, and why that gives no lawful plan.

    Asked where the model of the nearest schools gave none: so that "no lawful plan" is said of all ways only.
    """
    wide = build_siting_model(model.case, near=None)
    found = explain_siting(start_probe(wide, progress))
    return wide, found
