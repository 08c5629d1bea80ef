"""One question, one answer: ``run_scenario`` for app, terminal and cluster alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from geodata.errors import InfeasibleError
from geodata.messages import Message, msg
from geodata.study import Progress, StudyArea, no_progress
from planning.access_reach import compute_reach
from planning.action_steps import CHANGE_COLUMNS, ActionProblem, apply_actions, tell_problem
from planning.certificate import Certificate
from planning.choice import MIN_SCHOOLS, ChoiceFit, check_rolls
from planning.closures import build_closures
from planning.conflicts import WITHOUT_PLACE_COLUMNS, Conflict
from planning.enrolment import Limits as Limits
from planning.enrolment import StageAnswer, enrol_stage
from planning.flags import build_flags
from planning.indicators import build_indicators
from planning.leakage import LEAKAGE_COLUMNS, build_leakage
from planning.place_values import PLACE_VALUE_COLUMNS
from planning.plan import ENROLMENT_COLUMNS, PLACES_COLUMNS, Plan
from planning.projected_rolls import apply_projected_rolls
from planning.projected_study import project_for
from planning.rules import Rules
from planning.run_record import RESULTS_VERSION as RESULTS_VERSION
from planning.run_record import RunRecord as RunRecord
from planning.run_record import build_record
from planning.run_record import read_versions as read_versions
from planning.scenario import Scenario, name_mode, name_stage
from planning.tables import (
    UNIT_COLUMNS,
    StageTables,
    add_school_sizes,
    build_pairs,
    build_stage_schools,
    build_unit_table,
    build_ways,
    complete_school_table,
)

if TYPE_CHECKING:
    from planning.closures import ClosureAnswer
    from planning.forecast import Forecast
    from planning.zoning import ZoningReport

ZONES_COLUMNS = ("unit_id", "stage", "school_id")


@dataclass(frozen=True, eq=False)
class Outcome:
    """The answer: a plan, or the conflicts that stand against one, in words; never both.

    The tables are filled as far as the data go, also beside conflicts. ``flags``: see ``planning.flags``;
    ``indicators``: indicator, value, unit, stage, area_kind, area; ``school_table`` and ``unit_table``: one row per
    school or unit and stage (``planning.tables``); ``leakage``: ``planning.leakage``; ``rules``: what it was judged by.

    Filled by some methods of enrolment only, and else empty: ``zones`` (unit_id, stage, school_id) proposed;
    ``certificates``, at most one per stage; ``place_values`` (``planning.place_values``); ``without_place``,
    who is above the places (``planning.conflicts``); ``zoning`` reports;
    ``choice``, the fitted models of what families do; ``shortages``: rules that are broken at a price, or by the
    geography, in a plan that stands; ``hard_conflicts``: what ``conflicts`` says of rules, with all ids.

    With actions: ``before``, the answer to the same scenario without them; ``changes`` and ``action_problems`` (see
    ``planning.action_steps``); ``closures``, what every closure, merger and teaching point means
    (``planning.closures``). ``actual_pupils`` are then projected (``planning.projected_rolls``).
    """

    scenario: Scenario
    plan: Plan | None
    conflicts: tuple[Message, ...]
    flags: pd.DataFrame
    indicators: pd.DataFrame
    school_table: pd.DataFrame
    unit_table: pd.DataFrame
    leakage: pd.DataFrame
    record: RunRecord
    rules: Rules = field(repr=False)
    stages: tuple[StageTables, ...] = field(default=(), repr=False)
    zones: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(ZONES_COLUMNS)), repr=False)
    certificates: tuple[Certificate, ...] = ()
    place_values: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PLACE_VALUE_COLUMNS)))
    without_place: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(WITHOUT_PLACE_COLUMNS)))
    zoning: tuple[ZoningReport, ...] = ()
    choice: tuple[ChoiceFit, ...] = ()
    shortages: tuple[Conflict, ...] = ()
    hard_conflicts: tuple[Conflict, ...] = ()
    before: Outcome | None = field(default=None, repr=False)
    changes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(CHANGE_COLUMNS)), repr=False)
    closures: tuple[ClosureAnswer, ...] = ()
    action_problems: tuple[ActionProblem, ...] = ()

    def require_plan(self) -> Plan:
        """Return the plan; raises ``InfeasibleError`` with the conflicts where there is none."""
        if self.plan is None:
            raise InfeasibleError(self.conflicts)
        return self.plan

    def indicator(self, name: str, *, stage: str = "", area_kind: str = "county", area: str = "") -> float:
        """Return one value; ``KeyError`` where it was not computed. The default stage is the scenario's first."""
        table = self.indicators
        found = table[
            (table["indicator"] == name)
            & (table["stage"] == (stage or self.scenario.stages[0]))
            & (table["area_kind"] == area_kind)
            & (table["area"] == area)
        ]
        if found.empty:
            raise KeyError(name)
        return float(found["value"].iloc[0])


def run_scenario(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    *,
    limits: Limits | None = None,
    progress: Progress = no_progress,
    started: str | None = None,
    before: Outcome | None = None,
    forecast: Forecast | None = None,
) -> Outcome:
    """Answer one scenario.

    With a variant and a year after today's rolls the study is first projected (``planning.projected_study``); a study
    that is projected already is taken as it is, if it is of the year and variant asked for.

    Parameters
    ----------
    study, rules, scenario
        What is, what is allowed, what is asked.
    limits
        Search effort, recorded.
    progress
        Called with the step and the share done; may raise ``Cancelled``.
    started
        Time to put into the record, as text; nothing is put there by default.
    before
        Answer to the same scenario without its actions, where it is known already; one that does not fit is ignored.
    forecast
        The forecast of the study with ``scenario.forecast``, where it is known already; one that does not fit is made
        anew.

    Raises
    ------
    ScenarioError
        The forecast does not reach the year, or the study is projected to another year or variant.

    Returns
    -------
    Outcome
        With a plan, or with the conflicts: actions that cannot be, a stage that nobody teaches, a mode without travel,
        zones that are not there.
    """
    limits = limits or Limits()
    study = project_for(study, scenario, forecast)
    if not scenario.all_actions:
        solved = _solve(study, rules, scenario, limits, progress)
        outcome = _compose(study, study, rules, scenario, solved, limits, started)
        progress(msg("Done"), 1.0)
        return outcome
    plain = dataclasses.replace(scenario, actions=(), inherited=())
    if before is None or not _fits(before, study, rules, plain, limits):
        first = _spread_progress(progress, 0.0, 0.45)
        before = _compose(study, study, rules, plain, _solve(study, rules, plain, limits, first), limits, started)
    progress(msg("Applying actions"), 0.45)
    applied = apply_actions(study, rules, scenario)
    solved = _solve(
        applied.study,
        rules,
        applied.scenario,
        limits,
        _spread_progress(progress, 0.5, 0.45),
        pins=applied.pins,
        fitted={fit.stage: fit for fit in before.choice},
    )
    tables = apply_projected_rolls(study, applied.study, applied.scenario, before.stages, solved.tables)
    errors = [tell_problem(problem) for problem in applied.errors]
    solved = dataclasses.replace(
        solved,
        tables=tables,
        conflicts=[*errors, *solved.conflicts],
        answers=[_note_ended_zones(study, applied.study, answer) for answer in solved.answers],
    )
    progress(msg("What closures mean"), 0.95)
    outcome = dataclasses.replace(
        _compose(study, applied.study, rules, scenario, solved, limits, started),
        before=before,
        changes=applied.changes,
        closures=build_closures(study, rules, scenario, applied, before.stages, tables),
        action_problems=applied.problems,
    )
    progress(msg("Done"), 1.0)
    return outcome


def _fits(before: Outcome, study: StudyArea, rules: Rules, plain: Scenario, limits: Limits) -> bool:
    """Tell whether an answer is that to ``plain``, whatever it is called."""
    record = before.record
    asked = dataclasses.replace(before.scenario, name=plain.name, parent=plain.parent)
    return (
        bool(study.fingerprint)
        and record.study_fingerprint == study.fingerprint
        and record.rulebook_fingerprint == rules.fingerprint
        and record.results_version == RESULTS_VERSION
        and record.limits == dataclasses.asdict(limits)
        and asked == plain
    )


def _note_ended_zones(study: StudyArea, changed: StudyArea, answer: StageAnswer) -> StageAnswer:
    """Say whom new zones do not count as moved: who lived in the zone of a school that the actions take away."""
    report = answer.zoning
    if report is None:
        return answer
    rows = study.zones[study.zones["stage"] == report.stage]
    taught = changed.places.loc[changed.places["stage"] == report.stage, "school_id"]
    ended = set(rows.loc[~rows["school_id"].isin(taught), "unit_id"])
    pupils = float(answer.enrolment.loc[answer.enrolment["unit_id"].isin(ended), "pupils"].sum())
    if not pupils > 0:
        return answer
    note = msg(
        "{pupils:,.0f} pupils live in the zone of a school that closes here. They change school by that, and are not"
        " counted among those who move.",
        pupils=pupils,
    )
    return dataclasses.replace(answer, zoning=dataclasses.replace(report, notes=(*report.notes, note)))


@dataclass(frozen=True, eq=False)
class _Solved:
    """Every stage sent to school: its tables, the answers behind them, and what stands against a plan."""

    tables: list[StageTables]
    answers: list[StageAnswer]
    conflicts: list[Message]


def _solve(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    limits: Limits,
    progress: Progress,
    *,
    pins: pd.DataFrame | None = None,
    fitted: Mapping[str, ChoiceFit] | None = None,
) -> _Solved:
    """Send the children of every stage to school; ``scenario`` without actions."""
    conflicts: list[Message] = []
    found: list[StageTables] = []
    answers: list[StageAnswer] = []
    steps = len(scenario.stages) + 1
    for number, stage in enumerate(scenario.stages):
        step = msg("Sending children to school: {stage}", stage=name_stage(stage))
        progress(step, number / steps)
        extra = _Extra(pins, (fitted or {}).get(stage))
        against = check_stage(study, scenario, stage, fitted=extra.fitted is not None)
        conflicts += against
        inner = _spread_progress(progress, number / steps, 1 / steps)
        tables, answer = _build_stage(study, rules, scenario, stage, limits, inner, answers, None if against else extra)
        found.append(tables)
        if answer is not None:
            answers.append(answer)
            conflicts += [conflict.message for conflict in answer.conflicts]
    progress(msg("Flags and indicators"), len(scenario.stages) / steps)
    return _Solved(found, answers, conflicts)


def _compose(
    study: StudyArea,
    changed: StudyArea,
    rules: Rules,
    scenario: Scenario,
    solved: _Solved,
    limits: Limits,
    started: str | None,
) -> Outcome:
    """Return the outcome; ``changed`` is the study with the actions, whose places are those of the plan."""
    found = solved.tables
    plan = None if solved.conflicts else _build_plan(changed, found)
    return Outcome(
        scenario=scenario,
        plan=plan,
        conflicts=tuple(solved.conflicts),
        flags=build_flags(found, rules, scenario, year=scenario.year),
        indicators=build_indicators(found, rules),
        school_table=_stack([tables.schools for tables in found]),
        unit_table=_stack([tables.units for tables in found]),
        leakage=_stack([build_leakage(tables.schools) for tables in found if tables.modelled], LEAKAGE_COLUMNS),
        record=build_record(study, rules, scenario, limits, plan, started),
        rules=rules,
        stages=tuple(found),
        **_gather_answers(solved.answers),
    )


def run_many(
    study: StudyArea,
    rules: Rules,
    scenarios: Iterable[Scenario],
    *,
    limits: Limits | None = None,
    map: Callable[[Callable[[Scenario], Outcome], Iterable[Scenario]], Iterable[Outcome]] = map,
) -> list[Outcome]:
    """Answer several scenarios; ``map`` may spread them over processes or machines."""
    return list(map(_Job(study, rules, limits), scenarios))


@dataclass(frozen=True, eq=False)
class _Job:
    """A picklable ``run_scenario`` with its study and rules bound."""

    study: StudyArea
    rules: Rules
    limits: Limits | None

    def __call__(self, scenario: Scenario) -> Outcome:
        return run_scenario(self.study, self.rules, scenario, limits=self.limits)


def check_stage(study: StudyArea, scenario: Scenario, stage: str, *, fitted: bool = False) -> list[Message]:
    """Return what stands against a plan for one stage, with what would cure it.

    ``fitted``: what families choose is known already.
    """
    conflicts: list[Message] = []
    name = name_stage(stage)
    taught = study.places.loc[study.places["stage"] == stage, "school_id"]
    if not taught.isin(study.schools["school_id"]).any():
        conflicts.append(
            msg("No school teaches the stage: {stage}. Add a school with places for it, or choose another.", stage=name)
        )
    if study.units.empty:
        conflicts.append(msg("There are no planning units, so nobody is known to live here."))
    if scenario.mode not in study.travel:
        conflicts.append(
            msg(
                "There are no travel times {mode}. Choose another way to travel, or add it to the study.",
                mode=name_mode(scenario.mode),
            )
        )
    asks = scenario.enrolment == "choice" and not fitted
    if asks and not check_rolls(build_stage_schools(study, stage, scenario.year)):
        conflicts.append(
            msg(
                "{stage}: fewer than {count} schools have a roll, so what families choose cannot be seen."
                " Add the rolls, or use the nearest school.",
                stage=name,
                count=MIN_SCHOOLS,
            )
        )
    if scenario.enrolment == "zones" and not (study.zones["stage"] == stage).any():
        conflicts.append(
            msg("No catchments are given for {stage}. Load a table of zones, or use the nearest school.", stage=name)
        )
    return conflicts


def _spread_progress(progress: Progress, start: float, width: float) -> Progress:
    """Return a progress whose shares fill one step of a larger work."""
    return lambda step, share: progress(step, start + width * share)


def _gather_answers(answers: list[StageAnswer]) -> dict[str, Any]:
    """Return the fields of ``Outcome`` that only some methods of enrolment fill."""
    values = [answer.place_values for answer in answers if answer.place_values is not None]
    zones = [answer.zones for answer in answers if answer.zones is not None]
    short = [answer.without_place for answer in answers if answer.without_place is not None]
    return {
        "zones": _stack(zones, ZONES_COLUMNS),
        "certificates": tuple(answer.certificate for answer in answers if answer.certificate is not None),
        "place_values": _stack(values, PLACE_VALUE_COLUMNS),
        "without_place": _stack(short, WITHOUT_PLACE_COLUMNS),
        "zoning": tuple(answer.zoning for answer in answers if answer.zoning is not None),
        "choice": tuple(answer.choice for answer in answers if answer.choice is not None),
        "shortages": tuple(conflict for answer in answers for conflict in answer.shortages),
        "hard_conflicts": tuple(conflict for answer in answers for conflict in answer.conflicts),
    }


@dataclass(frozen=True, eq=False)
class _Extra:
    """What actions add to a stage: units that are pinned, and what families were seen to choose before."""

    pins: pd.DataFrame | None = None
    fitted: ChoiceFit | None = None


def _build_stage(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    stage: str,
    limits: Limits,
    progress: Progress,
    earlier: list[StageAnswer],
    extra: _Extra | None,
) -> tuple[StageTables, StageAnswer | None]:
    """Return tables and answer of one stage; ``extra`` None: something stands against it."""
    schools = add_school_sizes(build_stage_schools(study, stage, scenario.year), study, scenario.year)
    if extra is None:
        return _empty_stage(stage, schools), None
    ways = build_ways(study, scenario, schools)
    feeders = _stack([answer.zones for answer in earlier if answer.zones is not None], ZONES_COLUMNS)
    answer = enrol_stage(
        study,
        rules,
        scenario,
        schools,
        ways,
        limits=limits,
        progress=progress,
        feeders=feeders,
        pins=extra.pins,
        fitted=extra.fitted,
    )
    if answer.enrolment.empty:
        return _empty_stage(stage, schools), answer
    enrolment = answer.enrolment
    if "stage" not in enrolment.columns:
        enrolment.insert(1, "stage", stage)
    pairs = build_pairs(study, rules, stage, enrolment, schools, year=scenario.year)
    travel = study.travel[scenario.mode]
    snap_m = dict(zip(travel.unit_ids, map(float, travel.unit_snap_m), strict=True))
    units = build_unit_table(ways, answer.nearest, pairs, schools, snap_m)
    reach = compute_reach(ways, schools, rules, stage, year=scenario.year)
    return StageTables(stage, complete_school_table(schools, pairs), units, pairs, reach=reach), answer


def _empty_stage(stage: str, schools: pd.DataFrame) -> StageTables:
    return StageTables(
        stage=stage,
        schools=complete_school_table(schools, None),
        units=pd.DataFrame(columns=list(UNIT_COLUMNS)),
        pairs=pd.DataFrame(columns=[*ENROLMENT_COLUMNS, "name", "setting", "town", "radius_m", "max_min"]),
        modelled=False,
    )


def _build_plan(study: StudyArea, found: list[StageTables]) -> Plan:
    stages = [tables.stage for tables in found]
    places = study.places[study.places["stage"].isin(stages)].sort_values(["stage", "school_id"], kind="stable")
    places = places[places["school_id"].isin(study.schools["school_id"])]
    return Plan(places=places.loc[:, list(PLACES_COLUMNS)], enrolment=_stack([tables.pairs for tables in found]))


def _stack(tables: list[pd.DataFrame], columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the tables below each other; empty ones would only blur the column types."""
    filled = [table for table in tables if len(table)]
    if filled:
        return pd.concat(filled, ignore_index=True)
    return tables[0].copy() if tables else pd.DataFrame(columns=list(columns))
