"""Which schools to close, merge, expand and open over the years: proposals with proof, or why none is lawful.

Documented in ``docs/siting.md``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import pandas as pd

from geodata.messages import Message, msg
from geodata.study import Progress, StudyArea, no_progress
from planning.action_steps import tell_problem
from planning.conflicts import Conflict
from planning.rules import Rules
from planning.scenario import Scenario
from planning.siting_answer import FRONT_COLUMNS, PERIOD_COLUMNS, SitingAnswer
from planning.siting_case import SitingCase, build_siting_case
from planning.siting_checks import check_siting as check_siting
from planning.siting_conflicts import solve_wider, tell_unproven
from planning.siting_front import Found, Hunt, build_front, find_best, find_plans, start_hunt
from planning.siting_model import SitingModel, build_siting_model, keep_schools, tell_limits
from planning.siting_models import (
    TEXTBOOK,
    UNITS,
    check_kept,
    choose_schools,
    limit_to_moment,
    name_model,
    tell_ignored,
)
from planning.siting_options import SitingOptions
from planning.siting_plans import build_siting_plan
from planning.siting_record import build_siting_record
from planning.siting_tables import build_before, build_periods

_CASE_SHARE = 0.05
"""Share of the work before the search begins."""


@dataclass(frozen=True, eq=False)
class _Asked:
    """What was asked, for the answer."""

    study: StudyArea
    rules: Rules
    scenario: Scenario
    options: SitingOptions
    started: str
    began: float


def propose_sites(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    options: SitingOptions,
    *,
    progress: Progress = no_progress,
    started: str = "",
) -> SitingAnswer:
    """Propose which schools to close, merge, expand and open.

    Parameters
    ----------
    study, rules, scenario
        What is, what is allowed, and the base: its actions are applied first, whatever their year; its mode and stages
        give way to those of ``options``.
    options
        What is asked (``planning.siting_options``). The models of the textbooks, and the capacitated one, are of one
        moment: the last of the years.
    progress
        Called with the step and the share done; may raise ``Cancelled``.
    started
        Time to put into the record, as text; nothing is put there by default.

    Raises
    ------
    ScenarioError
        The forecast cannot be made; nothing stands and nothing may be opened.
    SolverError
        The solver is missing or broken.

    Returns
    -------
    SitingAnswer
        Plans, the best first, each with its certificate; or the conflicts in words.
    """
    asked = _Asked(study, rules, scenario, options, started, time.monotonic())
    found = check_siting(study, rules, options)
    if found:
        return _answer(asked, conflicts=found)
    used = options if options.model == "plan" else limit_to_moment(options)
    case = build_siting_case(study, rules, scenario, used, progress=_follow(progress, 0.0, _CASE_SHARE))
    if case.problems:
        return _answer(asked, conflicts=[Conflict("action", tell_problem(problem)) for problem in case.problems])
    follow = _follow(progress, _CASE_SHARE, 1.0)
    answer = _choose(asked, case, follow) if options.model in TEXTBOOK else _plan(asked, case, follow)
    progress(msg("Done"), 1.0)
    return answer


def _follow(progress: Progress, low: float, high: float) -> Progress:
    return lambda step, share: progress(step, low + (high - low) * min(1.0, max(0.0, share)))


def _plan(asked: _Asked, case: SitingCase, progress: Progress) -> SitingAnswer:
    """Answer with the best plan, those on the front, and alternatives; or with what stands against any."""
    kept = check_kept(case, int((~case.facilities.may_close & ~case.facilities.is_site).sum()))
    if kept:
        return _answer(asked, case, conflicts=kept)
    model = build_siting_model(case)
    hunt = start_hunt(model, progress)
    best = find_best(hunt)
    if not best.lawful:
        model, conflicts = solve_wider(model, progress)
        if conflicts:
            return _answer(asked, case, conflicts=conflicts)
        hunt = start_hunt(model, progress)
        best = find_best(hunt)
        if not best.lawful:
            return _answer(asked, case, conflicts=[tell_unproven()])
    found = find_plans(hunt, best)
    notes = (*tell_limits(hunt.model), *_tell_order(hunt), *tell_ignored(asked.options), *hunt.notes)
    answer = _tell(asked, hunt.model, found, (*notes, *_tell_scenario(asked.options)))
    return replace(answer, kept=build_periods(hunt.model, keep_schools(hunt.model)))


def _tell_scenario(options: SitingOptions) -> list[Message]:
    """Return that a plan's scenario sends pupils by fewer rules, where the proposal has more."""
    rules = options.rules
    travel = rules.max_travel_min is not None or rules.max_travel_low_min is not None
    moved = options.weights.moved_cny_per_pupil > 0
    if not (moved or travel or rules.min_pupils or rules.max_class_size or rules.fill_share < 1):
        return []
    return [
        msg(
            "Run as a scenario, a plan keeps its schools, places and years, and sends pupils by least travel within the"
            " places. What else a proposal weighs (who changes school, limits of travel, least size, class size, share"
            " of places) does not count there, so that numbers of pupils can differ."
        )
    ]


def _tell_order(hunt: Hunt) -> list[Message]:
    """Return what building before closing means where there is one year only."""
    if hunt.model.case.n_periods > 1 or not any(side.family == "order" for side in hunt.model.sides):
        return []
    return [
        msg(
            "With a single year nothing closes beside a school that is built or extended in it: building comes before"
            " closing. Name several years, or let both happen in one year."
        )
    ]


def _choose(asked: _Asked, case: SitingCase, progress: Progress) -> SitingAnswer:
    """Answer with a model of the textbooks."""
    chosen = choose_schools(case, progress)
    if chosen.solved is None:
        return _answer(asked, case, conflicts=list(chosen.conflicts))
    name = asked.options.model
    note = msg("Places play no part in this model: everybody goes to the nearest school that stands.")
    notes = (note, *tell_ignored(asked.options))
    return _tell(asked, chosen.model, [Found(chosen.solved, "best", name_model(name), name)], notes)


def _tell(asked: _Asked, model: SitingModel, found: list[Found], notes: tuple[Message, ...]) -> SitingAnswer:
    """Return plans with their tables."""
    plans = tuple(
        build_siting_plan(
            model,
            item.solved,
            asked.scenario,
            plan_id=f"plan {number}",
            role=item.role,
            name=item.name,
            bound=item.bound,
            objective=item.objective,
            unit=UNITS.get(item.objective, "yuan"),
        )
        for number, item in enumerate(found, start=1)
    )
    front = build_front(model, plans, tuple(item.solved for item in found))
    return replace(_answer(asked, model.case), plans=plans, front=front, notes=(*model.case.notes, *notes))


def _answer(asked: _Asked, case: SitingCase | None = None, *, conflicts: list[Conflict] | None = None) -> SitingAnswer:
    """Return an answer without plans yet."""
    answer = SitingAnswer(
        options=asked.options,
        plans=(),
        front=pd.DataFrame(columns=list(FRONT_COLUMNS)),
        before=pd.DataFrame(columns=list(PERIOD_COLUMNS)),
        conflicts=tuple(conflicts or ()),
        seconds=time.monotonic() - asked.began,
        record=build_siting_record(asked.study, asked.rules, asked.scenario, asked.options, asked.started),
    )
    if case is None:
        return answer
    return replace(answer, before=build_before(case), notes=case.notes, left_out=case.left_out)
