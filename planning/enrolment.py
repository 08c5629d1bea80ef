"""Who goes where, for one stage: the one place that knows every method of enrolment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import Progress, StudyArea, no_progress
from planning.assignment import Ints, Ways, enrol_by_zones, enrol_nearest, find_nearest, find_zone_schools
from planning.capacity import (
    build_assignment,
    build_capacity_enrolment,
    build_certificate,
    price_rules,
    send,
    send_whole,
)
from planning.certificate import Certificate
from planning.choice import ChoiceFit, enrol_by_choice, predict_choice
from planning.conflicts import (
    Case,
    Conflict,
    build_without_place,
    find_missing_limit,
    find_shortages,
    find_stranded,
    find_too_big,
)
from planning.pins import build_pins, pin_bands
from planning.place_values import build_place_values
from planning.rules import Rules
from planning.scenario import Scenario
from planning.way_costs import build_way_costs, measure_travel

if TYPE_CHECKING:
    from planning.zoning import ZoningReport


@dataclass(frozen=True)
class Limits:
    """Search effort; recorded with the result because it can change it.

    ``time_limit_s`` per stage; ``gap_share``: a search may stop at this proven gap; ``seed`` of the search.
    """

    time_limit_s: float | None = None
    gap_share: float | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class StageAnswer:
    """Who goes where in one stage, and what was found on the way.

    ``enrolment``: the table of :func:`planning.assignment.enrol_nearest`; ``nearest``: position of each unit's nearest
    school (for comparison). ``conflicts`` stand against a plan; ``shortages`` are broken at a price.
    """

    enrolment: pd.DataFrame
    nearest: npt.NDArray[np.int64]
    certificate: Certificate | None = None
    conflicts: tuple[Conflict, ...] = ()
    shortages: tuple[Conflict, ...] = ()
    place_values: pd.DataFrame | None = None
    without_place: pd.DataFrame | None = None
    choice: ChoiceFit | None = None
    zones: pd.DataFrame | None = None
    zoning: ZoningReport | None = None


def enrol_stage(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    schools: pd.DataFrame,
    ways: Ways,
    *,
    limits: Limits | None = None,
    progress: Progress = no_progress,
    feeders: pd.DataFrame | None = None,
    pins: pd.DataFrame | None = None,
    fitted: ChoiceFit | None = None,
) -> StageAnswer:
    """Return who goes where by ``scenario.enrolment``.

    Parameters
    ----------
    schools
        Of one stage, as :func:`planning.tables.build_stage_schools` gives them.
    feeders
        Zones (unit_id, stage, school_id) that this run proposed for stages before this one.
    pins
        Units that actions send to some schools only (``planning.pins``): for ``"nearest"`` and ``"capacity"``. With
        zones they stand in the zones already, and families who choose are not pinned.
    fitted
        What ``"choice"`` was fitted to today, so that it need not be fitted to schools that actions changed.
    """
    stage = str(schools["stage"].iloc[0])
    zones = find_zone_schools(ways, study.zones[study.zones["stage"] == stage])
    nearest = find_nearest(ways, measure=scenario.measure, preferred=zones)
    if scenario.enrolment == "zones":
        table = enrol_by_zones(ways, zones, measure=scenario.measure, low_grade_share=scenario.low_grade_share)
        return StageAnswer(table, nearest)
    if scenario.enrolment == "nearest":
        low, upper = pin_bands(ways, nearest, build_pins(ways, pins, stage), measure=scenario.measure, preferred=zones)
        table = enrol_nearest(
            ways,
            measure=scenario.measure,
            low_grade_share=scenario.low_grade_share,
            preferred=zones,
            nearest=low,
            upper=upper,
        )
        return StageAnswer(table, nearest)
    limits = limits or Limits()
    if scenario.enrolment == "zoning":
        from planning.zoning import propose_zones

        zoned = propose_zones(study, rules, scenario, stage, limits=limits, progress=progress, feeder_zones=feeders)
        return StageAnswer(
            zoned.enrolment,
            nearest,
            certificate=zoned.certificate,
            conflicts=zoned.conflicts,
            shortages=zoned.shortages,
            zones=zoned.zones,
            zoning=zoned.report,
        )
    if scenario.enrolment == "choice":
        return _enrol_choice(study, scenario, schools, ways, nearest, fitted)
    costs = build_way_costs(study, rules, scenario, schools, ways, pins=pins)
    assignment = build_assignment(schools, ways, costs, scenario.assignment, scenario.low_grade_share)
    case = Case(study, rules, scenario, stage, schools, ways, costs, assignment)
    return _enrol_capacity(case, nearest, zones, limits, progress)


def _enrol_choice(
    study: StudyArea,
    scenario: Scenario,
    schools: pd.DataFrame,
    ways: Ways,
    nearest: Ints,
    fitted: ChoiceFit | None,
) -> StageAnswer:
    """Return what families do, by a model fitted to the rolls."""
    travel, measure, _ = measure_travel(ways, scenario)
    about = study.units.set_index("unit_id")[["setting", "town"]].reindex(ways.unit_ids)
    travel = travel if measure == "time" else travel / 1000.0
    if fitted is not None:
        table, fit = predict_choice(fitted, ways, schools, travel, scenario, about)
    else:
        table, fit = enrol_by_choice(ways, schools, travel, scenario, about)
    return StageAnswer(table, nearest, choice=fit)


def _enrol_capacity(
    case: Case, nearest: Ints, zones: Mapping[int, Ints], limits: Limits, progress: Progress
) -> StageAnswer:
    """Return the assignment of least travel within places, with its proof, shortages and place values."""
    options = case.scenario.assignment
    stranded, unreached = find_stranded(case)
    remarks = (*unreached, *find_missing_limit(case))
    flow = send(case.assignment, zones=zones, progress=progress)
    sent = flow
    too_big: tuple[Conflict, ...] = ()
    if options.whole_units:
        sent = send_whole(case.assignment, flow, seed=limits.seed, time_limit_s=limits.time_limit_s)
        too_big = find_too_big(case)
    short = (*too_big, *find_shortages(case, sent, flow))
    forbidden = options.overload == "forbidden"
    prices = price_rules(
        case.schools, case.ways, case.costs, options, case.scenario.low_grade_share, sent=sent, flow=flow
    )
    return StageAnswer(
        enrolment=build_capacity_enrolment(case.ways, case.assignment, sent),
        nearest=nearest,
        certificate=build_certificate(case.stage, case.assignment, sent, case.costs, prices, seed=limits.seed),
        conflicts=(*stranded, *short) if forbidden else stranded,
        shortages=remarks if forbidden else (*short, *remarks),
        place_values=build_place_values(case, sent, flow),
        without_place=build_without_place(case, sent),
    )
