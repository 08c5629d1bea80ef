"""A county, a rulebook and what is asked, as one case: who may go to which school, in which years, and who is where.

Documented in ``docs/siting.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import ScenarioError
from geodata.messages import Message, msg
from geodata.site_exclusions import name_kind
from geodata.study import FrozenArrays, Progress, StudyArea, no_progress
from planning.action_steps import ActionProblem, Applied, apply_actions
from planning.assignment import Ways
from planning.forecast import VARIANTS, build_forecast
from planning.rules import Rules
from planning.scenario import Scenario, name_stage
from planning.site_rules import check_sites, tell_site_check
from planning.siting_facilities import Facilities, list_facilities
from planning.siting_homes import find_homes
from planning.siting_options import SitingOptions
from planning.solvers.problems import Bools, Floats, Ints
from planning.tables import build_ways, choose_year
from planning.way_costs import WALK_M_PER_MIN, measure_travel

LOW_GRADE, UPPER_GRADE = 1, 5
"""Grades by which the rulebook is asked for the limits of the two bands of primary school."""


@dataclass(frozen=True, eq=False)
class SitingCase(FrozenArrays):
    """Everything that a proposal is made from, by position.

    A *row* is the children of one unit, or of one grade band of it (grades 1 to 3, and the upper ones) where the two
    have other limits or other schools. Rows without children in any year, and units without any way, are not there:
    ``lost_pupils`` (periods,) counts the children of the latter.

    Parameters
    ----------
    study, base
        After the base scenario's actions; ``base`` without them.
    years, year_weight
        Years of the plan, and how many years each stands for, shape (periods,).
    travel_min : shape (units, facilities)
        ``inf`` = no way.
    row_unit, row_low : shape (rows,)
        Position of the unit; whether grades 1 to 3 alone (False also where all grades go together).
    pupils : shape (rows, periods)
    cap_min, strict : shape (rows,)
        Longest lawful way (``inf`` = no rule has a limit), and whether the planner asks for it: then it holds also for
        those who have no school within it today.
    home : shape (rows, facilities)
        Share of the row that is at each school today.
    """

    study: StudyArea
    base: Scenario
    rules: Rules
    options: SitingOptions
    facilities: Facilities
    unit_ids: npt.NDArray[np.object_]
    years: tuple[int, ...]
    year_weight: Floats
    travel_min: Floats
    row_unit: Ints
    row_low: Bools
    pupils: Floats
    cap_min: Floats
    strict: Bools
    home: Floats
    lost_pupils: Floats
    left_out: pd.DataFrame
    notes: tuple[Message, ...]
    problems: tuple[ActionProblem, ...] = ()

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.row_unit)

    @property
    def n_periods(self) -> int:
        """Number of years of the plan."""
        return len(self.years)

    @property
    def home_pupils(self) -> Floats:
        """Pupils of each facility in each year if nothing is decided: everybody stays at today's school."""
        loads: Floats = self.home.T @ self.pupils
        return loads

    @property
    def minutes(self) -> Floats:
        """Way of each row to each facility (rows, facilities); ``inf`` where there is none, or it may not be used."""
        found: Floats = self.travel_min[self.row_unit].copy()
        found[np.ix_(self._upper, self.facilities.low_only)] = np.inf
        return found

    @property
    def _upper(self) -> Bools:
        return ~self.row_low

    def action_year(self, period: int) -> int | None:
        """Return the year of a decision; None where the present alone is asked about."""
        return self.years[period] if self.options.years else None


def build_siting_case(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    options: SitingOptions,
    *,
    progress: Progress = no_progress,
) -> SitingCase:
    """Return the case; ``ScenarioError`` where the forecast cannot be made, or there is nothing to decide upon."""
    asked = replace(scenario, stages=(options.stage,), mode=options.mode, year=None, variant="")
    applied = apply_actions(study, rules, asked)
    changed, base = applied.study, applied.scenario
    first = options.years[0] if options.years else scenario.year
    progress(msg("Schools and sites"), 0.1)
    blocked, warnings = _judge_sites(changed, rules, options.stage)
    listed = list_facilities(changed, rules, options, year=first, blocked=blocked)
    if not listed.facilities.count:
        raise ScenarioError(
            msg("No school teaches {stage}, and no site may be opened.", stage=name_stage(options.stage))
        )
    ways = build_ways(changed, base, listed.table)
    travel = _measure_minutes(ways, base)
    progress(msg("Children of the years to come"), 0.3)
    children, unforeseen = _count_children(study, options, ways.unit_ids)
    rows = _build_rows(changed, rules, options, base, listed.facilities, unit_ids=ways.unit_ids, year=first)
    pupils = children[rows.unit] * rows.share[:, None]
    minutes = np.where(~rows.low[:, None] & listed.facilities.low_only[None, :], np.inf, travel[rows.unit])
    reached = np.isfinite(minutes).any(axis=1)
    used = reached & (pupils > 0).any(axis=1)
    lost = pupils[~reached].sum(axis=0)
    progress(msg("Who goes where today"), 0.6)
    home = find_homes(
        changed.zones[changed.zones["stage"] == options.stage],
        listed.facilities,
        ways.unit_ids,
        row_unit=rows.unit[used],
        row_low=rows.low[used],
        minutes=minutes[used],
        pupils=pupils[used],
    )
    years = options.years or (first or choose_year(study.rolls, options.stage, None) or 0,)
    return SitingCase(
        study=changed,
        base=base,
        rules=rules,
        options=options,
        facilities=listed.facilities,
        unit_ids=ways.unit_ids,
        years=years,
        year_weight=_weigh_years(years),
        travel_min=travel,
        row_unit=rows.unit[used],
        row_low=rows.low[used],
        pupils=pupils[used],
        cap_min=rows.cap[used],
        strict=rows.strict[used],
        home=home,
        lost_pupils=lost,
        left_out=listed.left_out,
        notes=(
            *(*listed.notes, *warnings, *_tell_base(scenario, applied, options.stage, first)),
            *(*unforeseen, *_tell_children(ways.pupils, lost)),
        ),
        problems=applied.errors,
    )


def _measure_minutes(ways: Ways, base: Scenario) -> Floats:
    """Return minutes (units, facilities), also where the base compares metres: limits of travel are minutes.

    Metres at the mean pace stand in only where the study knows no minutes at all.
    """
    travel, measure, pace = measure_travel(ways, replace(base, measure="time"))
    return travel if measure == "time" else travel / (pace if pace > 0 else WALK_M_PER_MIN)


def _tell_base(scenario: Scenario, applied: Applied, stage: str, first: int | None) -> list[Message]:
    """Return what of the base the proposal sees otherwise than a run of the base does."""
    notes = []
    if first is not None and any((action.year or first) > first for action in scenario.all_actions):
        notes.append(
            msg("Steps of the base that hold only from a later year count from the first year of the proposal on.")
        )
    options = applied.scenario.assignment
    if options.closed or options.barriers or (applied.pins["stage"] == stage).any():
        notes.append(
            msg(
                "The base sends units to schools by name, or bars ways (moves, mergers, closed pairs, barriers). The"
                " proposal lets everybody go to any school within the limits; run as a scenario it keeps to the base,"
                " so that numbers of pupils can differ."
            )
        )
    return notes


def _judge_sites(study: StudyArea, rules: Rules, stage: str) -> tuple[dict[str, Message], list[Message]]:
    """Return the sites on which a rule forbids a school, with why; and what the other rules find wrong with sites."""
    if study.sites.empty:
        return {}, []
    checks = check_sites(study, rules, stage=stage)
    failed = checks[checks["status"] == "failed"]
    blocked: dict[str, Message] = {}
    notes = []
    names = study.sites.set_index("site_id")["name"].to_dict()
    for row in failed.itertuples(index=False):
        key = str(row.site_id)
        told = tell_site_check(row, rules)
        if row.severity == "block":
            blocked.setdefault(key, told)
        elif row.severity == "warn":
            notes.append(msg("Site {name}: {problem}", name=str(names.get(key) or key), problem=told))
    unknown = checks[(checks["status"] == "unknown") & (checks["severity"] == "block")]
    if len(unknown):
        kinds = tuple(name_kind(kind) for kind in sorted(unknown["kind"].astype(str).unique()))
        notes.append(msg("Not checked for any site, because no layer of the study shows it: {kinds}.", kinds=kinds))
    return blocked, notes


def _weigh_years(years: tuple[int, ...]) -> Floats:
    """Return for how many years each year stands: those until the next; the last as many as the one before it."""
    if len(years) == 1:
        return np.ones(1)
    steps = np.diff(np.array(years, dtype=np.float64))
    weights: Floats = np.append(steps, steps[-1])
    return weights


def _count_children(
    study: StudyArea, options: SitingOptions, unit_ids: npt.NDArray[np.object_]
) -> tuple[Floats, list[Message]]:
    """Return children (units, periods), of the forecast where a variant is asked for, else today's; and what is amiss.

    Unknown is 0. Up to the year of the rolls that the forecast starts from they are today's, as in a run.
    """
    today = study.units.set_index("unit_id")[f"{options.stage}_pupils"].reindex(unit_ids).to_numpy(dtype=np.float64)
    periods = max(1, len(options.years))
    found = np.repeat(np.nan_to_num(today)[:, None], periods, axis=1)
    if not options.variant:
        return found, []
    if study.view:
        raise ScenarioError(msg("the study is projected already ({view}): ask the study of today", view=study.view))
    last = max(options.forecast.last_year, options.years[-1])
    forecast = build_forecast(study, replace(options.forecast, last_year=last))
    order = pd.Index(forecast.unit_ids).get_indexer(pd.Index(unit_ids))
    if options.stage not in forecast.stages:
        return found, [msg("The forecast does not hold {stage}: today's children stand in every year.",
                           stage=name_stage(options.stage))]  # fmt: skip
    stage, variant = forecast.stages.index(options.stage), VARIANTS.index(options.variant)
    for at, year in enumerate(options.years):
        if year in forecast.years:
            values = forecast.unit_pupils[variant, forecast.years.index(year), stage]
            found[:, at] = np.where(order >= 0, np.nan_to_num(values[order]), 0.0)
    return found, []


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows before those that do not matter are left out."""

    unit: Ints
    low: Bools
    share: Floats
    cap: Floats
    strict: Bools


def _build_rows(
    study: StudyArea,
    rules: Rules,
    options: SitingOptions,
    base: Scenario,
    facilities: Facilities,
    *,
    unit_ids: npt.NDArray[np.object_],
    year: int | None,
) -> _Rows:
    """Return one row per unit, or one per grade band where the bands have other limits or other schools."""
    settings = study.units.set_index("unit_id")["setting"].reindex(unit_ids).fillna("").astype(str)
    low_cap, low_strict = _find_caps(rules, options, settings, year, low=True)
    cap, strict = _find_caps(rules, options, settings, year, low=False)
    units = np.arange(len(unit_ids))
    never = np.zeros(len(units), dtype=np.bool_)
    if options.stage != "primary" or (not facilities.low_only.any() and np.array_equal(cap, low_cap)):
        return _Rows(units, never, np.ones(len(units)), cap, np.full(len(units), strict))
    share = base.low_grade_share
    return _Rows(
        unit=np.repeat(units, 2),
        low=np.tile([True, False], len(units)),
        share=np.tile([share, 1.0 - share], len(units)),
        cap=np.column_stack([low_cap, cap]).ravel(),
        strict=np.tile([low_strict, strict], len(units)),
    )


def _find_caps(
    rules: Rules, options: SitingOptions, settings: pd.Series[str], year: int | None, *, low: bool
) -> tuple[Floats, bool]:
    """Return the longest way by unit, and whether the planner asked for it: the rulebook's then gives way.

    Of grades 1 to 3 the rulebook's limit stands beside a limit that is asked for all grades: the shorter one holds.
    """
    asked, asked_low = options.rules.max_travel_min, options.rules.max_travel_low_min
    grade = (LOW_GRADE if low else UPPER_GRADE) if options.stage == "primary" else None

    def limit(setting: str) -> float:
        found = rules.limit("max_travel_min", options.stage, setting=setting, year=year, grade=grade)
        return np.inf if found is None else float(found)

    book: Floats = settings.map({name: limit(str(name)) for name in settings.unique()}).to_numpy(dtype=np.float64)
    if low and asked_low is not None:
        return np.full(len(book), float(asked_low)), True
    if asked is None:
        return book, False
    return (np.minimum(book, asked) if low else np.full(len(book), float(asked))), True


def _tell_children(pupils: Floats, lost: Floats) -> list[Message]:
    notes = []
    unknown = int(np.isnan(pupils).sum())
    if unknown:
        notes.append(msg("The children of {count} units are not known: they are not planned for.", count=unknown))
    if lost.max(initial=0.0) > 0:
        notes.append(
            msg(
                "{pupils:,.0f} children have no way to any school or site, whatever is decided: they are without a"
                " place in every plan. Check the roads there, or plan boarding or a bus.",
                pupils=float(lost.max()),
            )
        )
    return notes
