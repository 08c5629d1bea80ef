"""A forecast small enough to work by hand: two schools and three villages, two years, every variant ten apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.study import StudyArea
from planning.forecast import (
    BACK_TEST_COLUMNS,
    COUNTY_COLUMNS,
    FLOW_COLUMNS,
    SCHOOL_COLUMNS,
    VARIANTS,
    Forecast,
    ForecastOptions,
)
from planning.seat_alerts import ALERT_COLUMNS
from tests.worlds import WorldSchool, WorldUnit, build_world

YEARS = (2026, 2027)
PUPILS = {
    # by school: middle pupils of 2026 and 2027, all in grade 1; low is 10 fewer, high 10 more
    "A": (90.0, 120.0),
    "C": (40.0, 20.0),
}
CHILDREN = {"a": (50.0, 60.0), "b": (30.0, 0.0), "c": (20.0, 20.0)}
STEP = {"low": -10.0, "middle": 0.0, "high": 10.0}


def build_sample_county() -> StudyArea:
    """Return a street of three villages: school A (100 places, 80 pupils) in a, school C (60 places, 50) in c."""
    return build_world(
        "a/A b c/C",
        pupils={"a": 40, "b": 30, "c": 0},
        schools={
            "A": WorldSchool(places=100, roll=80, name="=A school", town="West"),
            "C": WorldSchool(places=60, roll=50, name="C school", town="East"),
        },
        units={"a": WorldUnit(town="West"), "b": WorldUnit(town="West"), "c": WorldUnit(town="East")},
    )


def build_sample_forecast(study: StudyArea) -> Forecast:
    """Return the forecast of :data:`PUPILS` and :data:`CHILDREN` after 2025."""
    rows = [
        (school, "primary", 1, year, variant, pupils[at] + STEP[variant])
        for school, pupils in PUPILS.items()
        for at, year in enumerate(YEARS)
        for variant in VARIANTS
    ]
    schools = pd.DataFrame(rows, columns=list(SCHOOL_COLUMNS))
    county = schools.groupby(["stage", "grade", "year", "variant"], as_index=False)["pupils"].sum()
    units = np.zeros((3, 2, 1, 3))
    for at, key in enumerate(study.units["unit_id"]):
        for place, variant in enumerate(VARIANTS):
            units[place, :, 0, at] = np.maximum(np.array(CHILDREN[str(key)]) + STEP[variant], 0)
    tests = [
        ("county", method, "primary", years, error * years, error * years, 3 - years)
        for method, error in (("ensemble", 0.01), ("linear", 0.02), ("naive", 0.03))
        for years in (1, 2)
    ]
    return Forecast(
        schools=schools,
        county=county[list(COUNTY_COLUMNS)],
        back_test=pd.DataFrame(tests, columns=list(BACK_TEST_COLUMNS)),
        flows=pd.DataFrame(columns=list(FLOW_COLUMNS)),
        notes=(),
        base_year=2025,
        years=YEARS,
        stages=("primary",),
        unit_ids=tuple(study.units["unit_id"].astype(str)),
        unit_pupils=units,
        unit_entries=units / 6,
        children_per_pupil={"primary": 1.0},
        weights={"primary": {"cohort": 1.0}},
        options=ForecastOptions(last_year=2027),
        fingerprint="sample",
    )


def build_sample_alerts() -> pd.DataFrame:
    """Return alerts of both schools: A turns from yellow to red, C is green and then not known."""
    colours = {("A", 2026): ("yellow", 0.95), ("A", 2027): ("red", 1.2), ("C", 2026): ("green", 0.5)}
    rows = []
    for variant in VARIANTS:
        for school, places in (("A", 100.0), ("C", 60.0)):
            for at, year in enumerate(YEARS):
                alert, share = colours.get((school, year), ("", float("nan")))
                pupils = PUPILS[school][at]
                entry = share * 20
                about = (school, f"{school} school", "primary", year, variant)
                numbers = (pupils, places, pupils / places, year == 2026, "zones")
                rows.append((*about, entry, 20.0, share, alert, *numbers))
    return pd.DataFrame(rows, columns=list(ALERT_COLUMNS))
