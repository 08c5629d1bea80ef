"""What a proposal answers: several plans, each with its decisions, its figures and its proof; or why none is lawful."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from geodata.messages import Message
from geodata.study import FrozenArrays
from planning.certificate import Certificate
from planning.conflicts import Conflict
from planning.scenario import Scenario
from planning.siting_options import SitingOptions

Decision = Literal["close", "merge", "expand", "open"]
PlanRole = Literal["best", "front", "alternative"]

DECISION_COLUMNS = (
    *("facility_id", "name", "kind", "decision", "year", "into", "classes_before", "classes_after"),
    *("places_before", "places_after", "pupils_before", "pupils_after", "moved_pupils", "cost_cny", "reason"),
)
"""One row per decision. ``kind``: school or site; ``into``: ids of the receiving schools, most pupils first, joined
by ``;``; ``pupils_before``: of the facility in that year if nothing is decided, ``pupils_after``: under the plan;
``moved_pupils``: who goes elsewhere because of it; ``reason``: a ``Message``. Unknown counts are NaN."""
PERIOD_COLUMNS = (
    *("year", "pupils", "places", "schools", "mean_travel_min", "max_travel_min", "beyond_limit_pupils"),
    *("unplaced_pupils", "empty_places", "moved_pupils", "building_cny", "running_cny"),
)
"""One row per year of the plan, and first one row for today's schools in that year's place of the plan: see
``SitingAnswer.before`` (the same columns)."""
SCHOOL_COLUMNS = ("facility_id", "name", "kind", "year", "classes", "places", "pupils", "fill_share")
"""Schools open in a year of the plan."""
ENROLMENT_COLUMNS = ("unit_id", "year", "school_id", "pupils", "time_min")
"""Who goes where, by the plan; a new school stands under its ``facility_id``."""
FRONT_COLUMNS = (
    *("plan", "role", "travel_pupil_min", "cost_cny", "mean_travel_min", "objective", "bound", "gap_share"),
    *("closed", "merged", "expanded", "opened", "moved_pupils", "unplaced_pupils", "dominated"),
    *("objective_name", "unit"),
)
"""One row per plan. ``objective``, ``bound`` and ``gap_share`` are those of the plan's certificate: ``objective_name``
says of what (those on the front are least in other things than the best of the mix), ``unit`` in what.
``travel_pupil_min``: pupil-minutes of one way on one day, averaged over the years of the plan; ``cost_cny``: yearly
cost of building (written off) and running, averaged over the years."""


@dataclass(frozen=True, eq=False)
class SitingPlan(FrozenArrays):
    """One proposal.

    Parameters
    ----------
    plan_id
        ``"plan 1"`` …: stable within the answer.
    role
        ``"best"`` of the stated mix, on the ``"front"`` of cost against travel, or an ``"alternative"`` near the best.
    name
        In words, short: what sets it apart.
    decisions, periods, schools, enrolment
        ``DECISION_COLUMNS``, ``PERIOD_COLUMNS``, ``SCHOOL_COLUMNS``, ``ENROLMENT_COLUMNS``.
    parts
        The objective by part, in yuan over the horizon: travel, building, running, moved, empty, unplaced.
    certificate
        Value, proven bound, gap. For an alternative the bound is that of the best plan: how far it is from the best.
    scenario
        The plan as actions with years, on top of the scenario that it was asked on: ready to be stored and run.
    """

    plan_id: str
    role: PlanRole
    name: Message
    decisions: pd.DataFrame
    periods: pd.DataFrame
    schools: pd.DataFrame
    enrolment: pd.DataFrame
    parts: Mapping[str, float]
    certificate: Certificate
    scenario: Scenario


@dataclass(frozen=True, eq=False)
class SitingAnswer(FrozenArrays):
    """Plans, the best of the stated mix first; or the conflicts that stand against any, in words; never both.

    ``front``: ``FRONT_COLUMNS``, one row per plan. ``before``: ``PERIOD_COLUMNS`` with today's schools as they are, and
    everybody at the school of today. ``kept``: the same columns with today's schools and the children sent anew, by
    least cost of the stated mix within the places: what is gained without deciding anything about a school.
    ``notes``: what the reader must know of the model (cost figures that are conventions, sites left out and why).
    ``left_out``: site_id, reason (a ``Message``). ``price_year`` and everything else of the record in ``record``.
    """

    options: SitingOptions
    plans: tuple[SitingPlan, ...]
    front: pd.DataFrame
    before: pd.DataFrame
    conflicts: tuple[Conflict, ...] = ()
    notes: tuple[Message, ...] = ()
    kept: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PERIOD_COLUMNS)))
    left_out: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["site_id", "reason"]))
    seconds: float = 0.0
    record: Mapping[str, Any] = field(default_factory=dict)

    def find(self, plan_id: str) -> SitingPlan:
        """Return a plan by its id; ``KeyError``."""
        for plan in self.plans:
            if plan.plan_id == plan_id:
                return plan
        raise KeyError(plan_id)
