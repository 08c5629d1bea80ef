"""A solution as a plan: its tables, its proof, and the scenario that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from planning.actions import Action, ChangePlaces, CloseSchool, MergeSchools, OpenSchool, StagePlaces
from planning.certificate import OPTIMAL_GAP_SHARE, Certificate, Status
from planning.scenario import Scenario
from planning.siting_answer import PlanRole, SitingPlan
from planning.siting_decisions import build_decisions
from planning.siting_model import SitingModel, Solved
from planning.siting_models import UNITS
from planning.siting_tables import LEAST_PUPILS, build_enrolment, build_periods, build_schools


def build_siting_plan(
    model: SitingModel,
    solved: Solved,
    scenario: Scenario,
    *,
    plan_id: str,
    role: PlanRole,
    name: Message,
    bound: float | None = None,
    objective: str = "siting",
    unit: str = "yuan",
) -> SitingPlan:
    """Return a plan.

    Parameters
    ----------
    scenario
        The base as it was asked on, with its actions.
    bound
        Proven for the value, in yuan, where it is not that of ``solved``.
    objective
        What the certificate is of: the stated mix, or one end of it.
    """
    decisions = build_decisions(model, solved)
    periods = build_periods(model, solved)
    return SitingPlan(
        plan_id=plan_id,
        role=role,
        name=name,
        decisions=decisions,
        periods=periods,
        schools=build_schools(model, solved),
        enrolment=build_enrolment(model, solved),
        parts=solved.parts,
        certificate=_certify(model, solved, periods, bound=bound, objective=objective, unit=unit),
        scenario=build_plan_scenario(model, solved, decisions, scenario, plan_id),
    )


def _certify(
    model: SitingModel, solved: Solved, periods: pd.DataFrame, *, bound: float | None, objective: str, unit: str
) -> Certificate:
    proven = min(solved.value, solved.bound if bound is None else bound)
    closed = solved.value - proven <= OPTIMAL_GAP_SHARE * max(1.0, abs(solved.value))
    status: Status = "optimal" if closed else "feasible"
    weights = periods["pupils"].to_numpy() * model.case.year_weight
    mean = float((periods["mean_travel_min"] * weights).sum() / weights.sum()) if weights.sum() > 0 else float("nan")
    return Certificate(
        stage=model.case.options.stage,
        objective=objective,
        unit=unit,
        value=solved.value,
        bound=proven,
        status=status,
        method=_name_method(objective),
        stopped=solved.stopped,
        seconds=solved.seconds,
        seed=model.case.options.search.seed,
        overload_pupils=float(solved.unplaced.sum()),
        mean_per_pupil=mean,
    )


def _name_method(objective: str) -> Message:
    """Return how the bound was proven."""
    if objective in UNITS:
        return msg("the exact method of the named model: no choice of schools can do better than the bound")
    return msg(
        "branch and bound over the ways of all schools and sites: no lawful plan of these ways can cost less than the"
        " bound"
    )


def build_plan_scenario(
    model: SitingModel, solved: Solved, decisions: pd.DataFrame, scenario: Scenario, plan_id: str
) -> Scenario:
    """Return the plan as actions with years on top of the scenario that it was asked on.

    Within a year what is built stands before what closes. Pupils are sent to places as in the proposal, by least
    travel within them.
    """
    options = model.case.options
    actions = tuple(_act(model, solved, row) for row in decisions.to_dict("records"))
    year = options.years[-1] if options.years else scenario.year
    forecast = options.forecast
    if year is not None and options.variant and forecast.last_year < year:
        forecast = replace(forecast, last_year=year)
    return replace(
        scenario,
        name=f"{scenario.name}: {plan_id}",
        year=year,
        parent=scenario.name if scenario.all_actions else scenario.parent,
        inherited=scenario.all_actions,
        actions=actions,
        stages=(options.stage,),
        mode=options.mode,
        enrolment="capacity",
        variant=options.variant,
        forecast=forecast,
    )


def _act(model: SitingModel, solved: Solved, row: Mapping[Any, Any]) -> Action:
    """Return a decision as an action, with its reason as the comment.

    A merger binds the whole zone to the receiving schools: where the plan sends some of it elsewhere, because they are
    full or in a later year, the school closes, so that the scenario has room for what the plan does.
    """
    case = model.case
    stage, key = case.options.stage, str(row["facility_id"])
    at = case.facilities.position()[key]
    year = int(str(row["year"])) if case.options.years else None
    about: dict[str, Any] = {"year": year, "comment": str(row["reason"])}
    ending = () if case.facilities.alone[at] else (stage,)
    into = tuple(str(row["into"]).split(";"))
    if row["decision"] == "merge" and _takes_all(model, solved, at, into):
        return MergeSchools(school_ids=(key,), into=into, stages=ending, **about)
    if row["decision"] in ("close", "merge"):
        return CloseSchool(school_id=key, stages=ending, **about)
    places, classes = float(str(row["places_after"])), float(str(row["classes_after"]))
    if row["decision"] == "expand":
        counted = classes if classes == classes else None
        return ChangePlaces(school_id=key, stage=stage, capacity_places=places, classes=counted, **about)
    stages = (StagePlaces(stage, capacity_places=places, classes=classes),)
    return OpenSchool(school_id=key, name=str(row["name"]), stages=stages, site_id=key, **about)


def _takes_all(model: SitingModel, solved: Solved, at: int, into: tuple[str, ...]) -> bool:
    """Whether all who are at a closing school, or live nearest to it, go to ``into`` from then on."""
    case = model.case
    period = int(model.ways.period[solved.way[at]])
    minutes = np.where(case.facilities.is_site[None, :], np.inf, case.minutes)
    bound = (case.home[:, at] > 0) | (minutes[:, at] <= minutes.min(axis=1, initial=np.inf))
    bound &= np.isfinite(minutes[:, at])
    taking = np.isin(model.facility, [case.facilities.position()[key] for key in into])
    elsewhere = bound[model.arc_row] & ~taking
    return float(solved.flow[period:, elsewhere].max(initial=0.0)) <= LEAST_PUPILS


def comment_scenario(plan: SitingPlan, tell: Callable[[Message], str]) -> Scenario:
    """Return a plan's scenario with the reasons as comments in the reader's language; ``tell`` translates one."""
    reasons = plan.decisions["reason"].tolist()
    actions = tuple(
        replace(action, comment=tell(reason)) for action, reason in zip(plan.scenario.actions, reasons, strict=True)
    )
    return replace(plan.scenario, actions=actions)
