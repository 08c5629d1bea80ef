"""Robust plans: one plan judged in every year and variant of the forecast, by its worst and its average case.

A plan that proposes who goes where (new zones, the assignment under capacity) is made once, for the scenario's own year
and variant; the share of every community at every school is then held, and only the number of children follows the
forecast. Where children go to the nearest school, by given zones, or as families choose, the flows follow the case.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import Progress, StudyArea, no_progress
from planning.action_steps import apply_actions
from planning.check_case import CHECK_COLUMNS, CheckCase
from planning.enrolment import Limits
from planning.forecast import Forecast, build_forecast
from planning.forecast_options import VARIANTS, ForecastOptions
from planning.measures import compute_mean
from planning.projected_study import project_study
from planning.rule_checks import PROPOSED, build_case, check_case
from planning.rules import Rules
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario, name_mode, name_stage
from planning.tables import StageTables, add_school_sizes, build_pairs, build_stage_schools, complete_school_table

CASE_COLUMNS = (
    *("year", "variant", "lawful", "failed_rules", "advice_rules", "failed_checks"),
    *("failed_rule_ids", "advice_rule_ids"),
)
"""First columns of the cases; the indicators follow. ``lawful``: no rule that forbids is broken, and there is a plan;
``failed_rules``: how many of those are broken; ``advice_rules``: how many that only advise; the ids, ``;``-joined."""
FAILURE_COLUMNS = ("year", "variant", *CHECK_COLUMNS)
FIRST_COLUMNS = ("rule_id", "stage", "severity", "year", "variant", "failed", "cases")
"""Per rule that fails anywhere: the first year and variant in which it does, with so many failed subjects there, and in
how many cases it fails."""
ROBUST_INDICATORS: Mapping[str, str] = {
    "places_short": "places",
    "schools_over": "schools",
    "max_fill_share": "share",
    "mean_travel_min": "min",
    "max_travel_min": "min",
    "beyond_radius_share": "share",
}
"""Name and unit; more is worse for all of them. ``pupils`` stands beside them in the cases."""
COMPARE_COLUMNS = (
    *("plan", "lawful_cases", "cases", "indicator", "unit", "worst", "worst_year", "worst_variant", "mean"),
    *("rank_worst", "rank_mean"),
)


@dataclass(frozen=True, eq=False)
class RobustAnswer:
    """A plan in all cases.

    ``cases``: one row per year and variant: ``CASE_COLUMNS``, ``pupils`` and ``ROBUST_INDICATORS``. ``failures``: the
    failed checks of all cases (``FAILURE_COLUMNS``). ``first`` (``FIRST_COLUMNS``): when each rule first fails.
    ``worst``: by indicator its worst value with year and variant; ``mean``: its average over the cases. ``basis``: how
    the plan was made and held, in words. ``conflicts``: why there is no plan to judge.
    """

    name: str
    cases: pd.DataFrame
    failures: pd.DataFrame
    first: pd.DataFrame
    worst: Mapping[str, tuple[float, int, str]]
    mean: Mapping[str, float]
    basis: tuple[Message, ...]
    conflicts: tuple[Message, ...] = ()

    @property
    def lawful(self) -> bool:
        """Whether no rule that forbids is broken in any case."""
        return bool(len(self.cases)) and bool(self.cases["lawful"].all())


def judge_cases(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    years: Sequence[int],
    variants: Sequence[str] = VARIANTS,
    *,
    options: ForecastOptions | None = None,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> RobustAnswer:
    """Judge the plan of a scenario in every year and variant.

    Parameters
    ----------
    study
        That of the files, not a projected one.
    years, variants
        The cases. Years up to the base year of the forecast are judged on today's children and rolls, once.
    options
        Of the forecast; default: those of the scenario. ``last_year`` is raised to the last of ``years``.
    limits
        Search effort of the plan.
    progress
        Called with step and share; may raise ``Cancelled``.

    Returns
    -------
    RobustAnswer
        Where no lawful plan exists, cases without indicators that are not lawful, and the conflicts.
    """
    options = options or scenario.forecast
    options = dataclasses.replace(options, last_year=max([options.last_year, *years]))
    progress(msg("Forecast"), 0.0)
    forecast = build_forecast(study, options)
    plan = None
    if scenario.enrolment in PROPOSED:
        asked = dataclasses.replace(scenario, forecast=options)
        first = _narrow(progress, 0.1, 0.4)
        plan = run_scenario(study, rules, asked, limits=limits, progress=first, forecast=forecast)
    start = 0.1 if plan is None else 0.5
    cases = _list_cases(forecast, years, variants)
    judged = []
    for number, (year, variant) in enumerate(cases):
        share = start + (1.0 - start) * number / len(cases)
        progress(msg("Judging {year} ({variant})", year=year, variant=name_variant(variant)), share)
        judged.append(_judge(study, rules, scenario, forecast, plan, limits, (year, variant)))
    progress(msg("Done"), 1.0)
    return _sum_up(scenario, plan, judged)


def _narrow(progress: Progress, start: float, width: float) -> Progress:
    return lambda step, share: progress(step, start + width * share)


def name_variant(variant: str) -> Message:
    """Return a variant of the forecast in words; empty: today's children."""
    names = {"low": msg("low"), "middle": msg("middle"), "high": msg("high"), "": msg("today's pupils")}
    return names.get(variant) or msg("{variant}", variant=variant)


def _list_cases(forecast: Forecast, years: Sequence[int], variants: Sequence[str]) -> list[tuple[int, str]]:
    """Return year and variant of every case in order; years that are not forecast stand once, without a variant."""
    known = [variant for variant in VARIANTS if variant in variants]
    found: list[tuple[int, str]] = []
    for year in sorted(set(years)):
        found += [(year, variant) for variant in known] if year > forecast.base_year else [(year, "")]
    return found


@dataclass(frozen=True, eq=False)
class _Judged:
    """One case."""

    year: int
    variant: str
    checks: pd.DataFrame
    numbers: dict[str, float]
    conflicts: tuple[Message, ...]


def _judge(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    forecast: Forecast,
    plan: Outcome | None,
    limits: Limits | None,
    at: tuple[int, str],
) -> _Judged:
    year, variant = at
    seen = project_study(study, forecast, year, variant) if variant else study
    if plan is None:
        asked = dataclasses.replace(scenario, year=year, variant=variant)  # type: ignore[arg-type]
        outcome, by = run_scenario(seen, rules, asked, limits=limits), "auto"
    else:
        outcome, by = _hold(seen, rules, plan, at), "model"
    case = build_case(seen, rules, outcome, by=by)
    checks = check_case(case)
    numbers = _measure(case) if outcome.plan is not None else {}
    return _Judged(year, variant, checks[checks["status"] == "failed"], numbers, outcome.conflicts)


def _hold(seen: StudyArea, rules: Rules, plan: Outcome, at: tuple[int, str]) -> Outcome:
    """Return the answer of a year: the shares of the plan, the children and rolls of the year, and its rules."""
    asked = dataclasses.replace(plan.scenario, year=at[0], variant=at[1])  # type: ignore[arg-type]
    if plan.plan is None:
        return dataclasses.replace(plan, scenario=asked)
    changed = apply_actions(seen, rules, plan.scenario).study if plan.scenario.all_actions else seen
    found = [_hold_stage(changed, rules, plan, tables, at[0]) for tables in plan.stages]
    return dataclasses.replace(plan, scenario=asked, stages=tuple(found))


def _hold_stage(changed: StudyArea, rules: Rules, plan: Outcome, tables: StageTables, year: int) -> StageTables:
    stage = tables.stage
    enrolment = plan.require_plan().stage_enrolment(stage)
    children = changed.units.set_index("unit_id")[f"{stage}_pupils"].astype(float)
    here = children.reindex(enrolment["unit_id"]).to_numpy(dtype=np.float64)
    enrolment = enrolment.assign(pupils=here * enrolment["share"].to_numpy(dtype=np.float64))
    schools = add_school_sizes(build_stage_schools(changed, stage, year), changed, year)
    pairs = build_pairs(changed, rules, stage, enrolment, schools, year=year)
    units = tables.units.assign(pupils=children.reindex(tables.units["unit_id"]).to_numpy(dtype=np.float64))
    return StageTables(stage, complete_school_table(schools, pairs), units, pairs)


def _measure(case: CheckCase) -> dict[str, float]:
    """Return ``pupils`` and ``ROBUST_INDICATORS`` over all stages of the answer; NaN where nothing is known."""
    pupils = np.concatenate([item.judged for item in case.stages])
    places = np.concatenate([item.schools["capacity_places"].to_numpy(dtype=np.float64) for item in case.stages])
    both = np.isfinite(pupils) & np.isfinite(places)
    over = np.maximum(pupils - places, 0.0)[both]
    fill = pupils[both & (places > 0)] / places[both & (places > 0)]
    pairs = pd.concat([item.tables.pairs for item in case.stages], ignore_index=True)
    weight, minutes = (pairs[name].to_numpy(dtype=np.float64) for name in ("pupils", "time_min"))
    there = np.isfinite(minutes) & (weight > 0)
    length, radius = (pairs[name].to_numpy(dtype=np.float64) for name in ("length_m", "radius_m"))
    known = (weight > 0) & np.isfinite(length) & np.isfinite(radius)
    beyond = float(weight[known & (length > radius)].sum()) / float(weight[known].sum()) if known.any() else math.nan
    return {
        "pupils": float(np.nansum(pupils)) if np.isfinite(pupils).any() else math.nan,
        "places_short": float(over.sum()) if both.any() else math.nan,
        "schools_over": float((over > 1e-6).sum()) if both.any() else math.nan,
        "max_fill_share": float(fill.max()) if len(fill) else math.nan,
        "mean_travel_min": compute_mean(minutes, weight),
        "max_travel_min": float(minutes[there].max()) if there.any() else math.nan,
        "beyond_radius_share": beyond,
    }


def _sum_up(scenario: Scenario, plan: Outcome | None, judged: Sequence[_Judged]) -> RobustAnswer:
    rows = [_tell_case(item) for item in judged]
    cases = pd.DataFrame(rows, columns=[*CASE_COLUMNS, "pupils", *ROBUST_INDICATORS])
    parts = [item.checks.assign(year=item.year, variant=item.variant) for item in judged]
    failures = pd.concat(parts, ignore_index=True).loc[:, list(FAILURE_COLUMNS)]
    worst: dict[str, tuple[float, int, str]] = {}
    for name in ROBUST_INDICATORS:
        known = cases[cases[name].notna()]
        if len(known):
            row = known.iloc[int(known[name].to_numpy(dtype=np.float64).argmax())]
            worst[name] = (float(row[name]), int(row["year"]), str(row["variant"]))
    mean = {name: float(cases[name].astype(float).mean()) for name in worst}
    conflicts = tuple(dict.fromkeys(message for item in judged for message in item.conflicts))
    first = _find_first(failures)
    return RobustAnswer(scenario.name, cases, failures, first, worst, mean, _tell_basis(scenario, plan), conflicts)


def _tell_case(item: _Judged) -> dict[str, object]:
    rules = item.checks.drop_duplicates("rule_id")
    broken, advice = (rules.loc[rules["severity"] == name, "rule_id"].tolist() for name in ("block", "warn"))
    empty = dict.fromkeys(("pupils", *ROBUST_INDICATORS), math.nan)
    return {
        "year": item.year,
        "variant": item.variant,
        "lawful": not broken and not item.conflicts,
        "failed_rules": len(broken),
        "advice_rules": len(advice),
        "failed_checks": len(item.checks),
        "failed_rule_ids": ";".join(broken),
        "advice_rule_ids": ";".join(advice),
        **(item.numbers or empty),
    }


def _find_first(failures: pd.DataFrame) -> pd.DataFrame:
    rows = []
    order = {variant: place for place, variant in enumerate(("", *VARIANTS))}
    for (rule_id, stage), part in failures.groupby(["rule_id", "stage"], sort=False):
        cases = list(zip(part["year"].astype(int), part["variant"].astype(str), strict=True))
        first = min(cases, key=lambda case: (case[0], order[case[1]]))
        rows.append((rule_id, stage, str(part["severity"].iloc[0]), *first, cases.count(first), len(set(cases))))
    table = pd.DataFrame(rows, columns=list(FIRST_COLUMNS))
    grave = table["severity"].map({"block": 0, "warn": 1, "note": 2})
    table = table.assign(_grave=grave).sort_values(["_grave", "year", "rule_id", "stage"], kind="stable")
    return table.drop(columns="_grave").reset_index(drop=True)


def _tell_basis(scenario: Scenario, plan: Outcome | None) -> tuple[Message, ...]:
    counted = msg("Schools are filled by the rolls as forecast.")
    if plan is not None:
        counted = msg("Schools are filled by the children whom the plan sends there.")
        year = msg("today") if scenario.year is None else msg("{year}", year=scenario.year)
        held = msg(
            "The plan is made once, for {year} ({variant}); the share of every community at every school is then held.",
            year=year,
            variant=name_variant(scenario.variant),
        )
    elif scenario.enrolment == "zones":
        held = msg("In every case children go to the school of their zone.")
    elif scenario.enrolment == "choice":
        held = msg("In every case families choose as they are seen to choose.")
    else:
        held = msg("In every case children go to the nearest school.")
    judged = msg("Lawful: no rule that forbids is broken. Rules that advise are listed apart.")
    asked = tuple(
        msg("Ways are {mode}, over all pupils of {stage}.", mode=name_mode(scenario.mode), stage=name_stage(stage))
        for stage in scenario.stages
    )
    return (held, counted, *asked, judged)


def compare_robust(answers: Sequence[RobustAnswer]) -> pd.DataFrame:
    """Compare plans by their worst and by their average case: ``COMPARE_COLUMNS``, one row per indicator and plan.

    Ranks begin at 1 (the best); equal values share a rank. Plans judged in different cases cannot be compared.

    Raises
    ------
    ValueError
        The plans were judged in different years or variants.
    """
    asked = {tuple(zip(answer.cases["year"], answer.cases["variant"], strict=True)) for answer in answers}
    if len(asked) > 1:
        raise ValueError("the plans were judged in different years or variants")
    rows = []
    for name, unit in ROBUST_INDICATORS.items():
        for answer in answers:
            value, year, variant = answer.worst.get(name, (math.nan, 0, ""))
            lawful, mean = int(answer.cases["lawful"].sum()), answer.mean.get(name, math.nan)
            rows.append((answer.name, lawful, len(answer.cases), name, unit, value, year, variant, mean))
    table = pd.DataFrame(rows, columns=list(COMPARE_COLUMNS[:-2]))
    for rank, column in (("rank_worst", "worst"), ("rank_mean", "mean")):
        table[rank] = table.groupby("indicator")[column].rank(method="min")
    return table.loc[:, list(COMPARE_COLUMNS)]
