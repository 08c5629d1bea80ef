"""A hand-made answer of a proposal, for tests of words, tables, charts and maps: a street with two plans."""

from __future__ import annotations

import dataclasses
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geodata.messages import msg
from geodata.study import StudyArea
from planning.actions import ChangePlaces, CloseSchool, OpenSchool, StagePlaces
from planning.certificate import Certificate
from planning.conflicts import Conflict
from planning.scenario import Scenario
from planning.siting_answer import (
    DECISION_COLUMNS,
    ENROLMENT_COLUMNS,
    FRONT_COLUMNS,
    PERIOD_COLUMNS,
    SCHOOL_COLUMNS,
    SitingAnswer,
    SitingPlan,
)
from planning.siting_options import SitingOptions
from tests.worlds import WorldSchool, build_world

NAN = float("nan")
HOSTILE = "<img src=x onerror=alert(1)>"


def build_county() -> StudyArea:
    """A street ``a/A b + c/C d``: A with 60 places, C with 25; a site stands in d."""
    study = build_world(
        "a/A b + c/C d",
        pupils={"a": 30, "b": 20, "c": 10, "d": 10},
        schools={
            "A": WorldSchool(places=60, classes=2, roll=50, name=HOSTILE),
            "C": WorldSchool(places=25, classes=1, roll=20, name="Middle"),
        },
    )
    unit = study.units.set_index("unit_id").loc["d"]
    sites = gpd.GeoDataFrame(
        {
            "site_id": ["s1"],
            "name": ["=Field"],
            "x_m": [float(unit["x_m"])],
            "y_m": [float(unit["y_m"])],
            "area_m2": [12000.0],
            "class_options": ["6;12"],
            "stages": ["primary"],
            "cost_cny": [9e6],
            "unit_id": ["d"],
        },
        geometry=[shapely.Point(float(unit["x_m"]), float(unit["y_m"]))],
        crs=study.units.crs,
    )
    return dataclasses.replace(study, sites=sites)


def _frame(columns: tuple[str, ...], *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))


def _certify(value: float, bound: float, seconds: float = 2.5) -> Certificate:
    return Certificate(
        stage="primary",
        objective="siting",
        unit="yuan",
        value=value,
        bound=bound,
        status="optimal" if value == bound else "feasible",
        method=msg("Lagrangian bound over all rules."),
        stopped="proven" if value == bound else "time",
        seconds=seconds,
    )


PERIODS_BEFORE = ((2027, 70.0, 85.0, 2, 12.0, 20.0, 0.0, 0.0, 15.0, 0.0, 0.0, 2e6),)
PERIODS = ((2027, 70.0, 90.0, 2, 10.0, 18.0, 0.0, 0.0, 20.0, 20.0, 6.3e6, 1.9e6),)


def build_plan() -> SitingPlan:
    """Plan 2: C closes into A, the site opens with 6 classes; mean way 10 min, 6.3 million yuan to build."""
    decisions = _frame(
        DECISION_COLUMNS,
        ("C", "Middle", "school", "close", 2027, "A;s1", 1, 0, 25, 0, 20, 0, 20, 0.0, msg("Its places are empty.")),
        (
            "s1",
            "=Field",
            "site",
            "open",
            2027,
            "",
            0,
            6,
            0,
            30,
            0,
            30,
            0,
            6.3e6,
            msg("Nearer to 30."),
        ),
    )
    schools = _frame(
        SCHOOL_COLUMNS,
        ("A", HOSTILE, "school", 2027, 2, 60.0, 40.0, 40 / 60),
        ("s1", "=Field", "site", 2027, 6, 30.0, 30.0, 1.0),
    )
    enrolment = _frame(
        ENROLMENT_COLUMNS,
        *(("a", 2027, "A", 30.0, 0.0), ("b", 2027, "A", 10.0, 10.0), ("b", 2027, "s1", 10.0, 30.0)),
        *(("c", 2027, "s1", 10.0, 10.0), ("d", 2027, "s1", 10.0, 0.0)),
    )
    actions = (
        OpenSchool(school_id="s1", name="=Field", stages=(StagePlaces("primary", 30.0, 6.0),), site_id="s1", year=2027),
        CloseSchool(school_id="C", stages=("primary",), year=2027),
    )
    return SitingPlan(
        "plan 2",
        "front",
        msg("Shortest ways"),
        decisions,
        _frame(PERIOD_COLUMNS, *PERIODS),
        schools,
        enrolment,
        {"travel": 4e6, "building": 1e5, "running": 1.9e6, "moved": 1e4},
        _certify(6.01e6, 5.985e6),
        Scenario(name="Plan 2", actions=actions),
    )


def build_best() -> SitingPlan:
    """Plan 1: A expands by 12 classes; proven best."""
    decisions = _frame(
        DECISION_COLUMNS,
        ("A", HOSTILE, "school", "expand", 2027, "", 2, 14, 60, 600, 50, 60, 0, 2.1e7, msg("More places are needed.")),
    )
    schools = _frame(
        SCHOOL_COLUMNS,
        ("A", HOSTILE, "school", 2027, 14, 600.0, 50.0, 50 / 600),
        ("C", "Middle", "school", 2027, 1, 25.0, 20.0, 0.8),
    )
    enrolment = _frame(
        ENROLMENT_COLUMNS,
        *(("a", 2027, "A", 30.0, 0.0), ("b", 2027, "A", 20.0, 10.0)),
        *(("c", 2027, "C", 10.0, 0.0), ("d", 2027, "C", 10.0, 10.0)),
    )
    actions = (ChangePlaces(school_id="A", stage="primary", add_classes=12.0, year=2027),)
    periods = ((2027, 70.0, 625.0, 2, 13.5, 20.0, 0.0, 0.0, 555.0, 0.0, 2.1e7, 4e6),)
    return SitingPlan(
        *("plan 1", "best", msg("Best of the mix"), decisions, _frame(PERIOD_COLUMNS, *periods), schools, enrolment),
        {"travel": 3e6, "building": 4e5, "running": 4e6},
        _certify(5e6, 5e6),
        Scenario(name="Plan 1", actions=actions),
    )


def build_answer(**changes: Any) -> SitingAnswer:
    """Two plans over one year, 2027."""
    best, other = build_best(), build_plan()
    front = _frame(
        FRONT_COLUMNS,
        ("plan 1", "best", 945.0, 4.4e6, 13.5, 5e6, 5e6, 0.0, 0, 0, 1, 0, 0.0, 0.0, False, "siting", "yuan"),
        (
            "plan 2",
            "front",
            700.0,
            2.0e6,
            10.0,
            6.01e6,
            5.985e6,
            0.00416,
            1,
            0,
            0,
            1,
            20.0,
            0.0,
            False,
            "siting",
            "yuan",
        ),
    )
    answer = SitingAnswer(
        SitingOptions(years=(2027,)),
        (best, other),
        front,
        _frame(PERIOD_COLUMNS, *PERIODS_BEFORE),
        notes=(msg("Costs are conventions."),),
        seconds=3.0,
        record={"seed": 0},
    )
    return dataclasses.replace(answer, **changes)


def build_refusal() -> SitingAnswer:
    """No lawful plan: the budget is too small for the places that are missing."""
    conflict = Conflict(
        "budget",
        msg("2027: {places} places are missing and the budget builds {built}.", places=40, built=10),
        ("d",),
        ("A",),
        40.0,
        msg("Raise the budget of 2027 to {money} million yuan.", money=2),
    )
    return build_answer(plans=(), front=_frame(FRONT_COLUMNS), conflicts=(conflict,))
