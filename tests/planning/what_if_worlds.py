"""Random districts with changes, and the same change made to the study itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from geodata.study import StudyArea
from planning.assignment_options import AssignmentOptions, PriorityClass
from planning.enrolment import StageAnswer, enrol_stage
from planning.rules import read_rulebook
from planning.scenario import Scenario
from planning.tables import build_stage_schools, build_ways
from planning.what_if import Change, WhatIf, build_new_column, build_what_if
from tests.worlds import WorldSchool, WorldUnit, build_world

CN = read_rulebook("cn")
SCHOOLS = "PQRSTU"
UNITS = "abcdefghijkl"


@st.composite
def worlds(draw) -> StudyArea:
    """Return a district of 3 × 4 cells: some water, up to six schools, unknown places, teaching points, zones."""
    n_schools = draw(st.integers(2, 6))
    seats = draw(st.permutations(range(12)))[:n_schools]
    water = draw(st.sets(st.sampled_from([at for at in range(12) if at not in seats]), max_size=3))
    cells = []
    for at, unit in enumerate(UNITS):
        school = f"/{SCHOOLS[seats.index(at)]}" if at in seats else ""
        cells.append("." if at in water else unit + school)
    picture = "\n".join(" ".join(cells[at : at + 4]) for at in (0, 4, 8))
    lived = [unit for at, unit in enumerate(UNITS) if at not in water]
    schools = {
        key: WorldSchool(
            kind=draw(st.sampled_from(["primary", "primary", "teaching_point"])) if key != "P" else "primary",
            places=draw(st.sampled_from([None, 0.0, 10.0, 35.0, 80.0])),
            roll=draw(st.sampled_from([None, 20.0, 300.0])),
            setting=draw(st.sampled_from(["", "rural", "urban"])),
        )
        for key in SCHOOLS[:n_schools]
    }
    unit = st.builds(WorldUnit, setting=st.sampled_from(["", "rural", "urban"]))
    zoned = draw(st.lists(st.tuples(st.sampled_from(lived), st.sampled_from(SCHOOLS[:n_schools])), max_size=10))
    return build_world(
        picture,
        pupils={key: draw(st.sampled_from([0.0, 5.0, 10.0, 33.0])) for key in lived},
        schools=schools,
        units={key: draw(unit) for key in lived},
        zones=[(unit_id, "primary", school_id) for unit_id, school_id in sorted({*zoned, (lived[0], "P")})],
    )


@st.composite
def scenarios(draw, enrolment=("capacity",)) -> Scenario:
    """Return a question; with places: limits of the way, priorities, shared zones, closed pairs."""
    groups = draw(st.sampled_from([(), (("PQ", ("P", "Q")),)]))
    options = AssignmentOptions(
        travel_cap=draw(st.sampled_from(["none", "none", "priced", "hard"])),
        closed=draw(st.sampled_from([(), (("a", "P"),)])),
        groups=groups,
        priorities=draw(st.sampled_from([(), (PriorityClass("first", 1, 0.25),)])),
        overload_price_min=draw(st.sampled_from([15.0, 1000.0])),
    )
    method = draw(st.sampled_from(enrolment))
    return Scenario(
        enrolment=method,
        measure="time" if method == "capacity" else draw(st.sampled_from(["time", "length"])),
        assignment=options,
        low_grade_share=draw(st.sampled_from([0.5, 0.5, 0.25])),
    )


@st.composite
def changes(draw, study: StudyArea) -> tuple[frozenset[str], dict[str, float], str]:
    """Return schools closed (one stays), new places, and the school that is opened (``""``: none)."""
    ids = sorted(study.schools["school_id"])
    complete = [key for key in ids if key != "P" and study.schools.set_index("school_id").loc[key, "kind"] == "primary"]
    opened = draw(st.sampled_from(["", *complete]))
    rest = [key for key in ids if key not in ("P", opened)]
    closed = draw(st.sets(st.sampled_from(rest), max_size=2)) if rest else set()
    resized = draw(st.dictionaries(st.sampled_from(ids), st.sampled_from([0.0, 5.0, 40.0, 200.0]), max_size=2))
    return frozenset(closed), {key: value for key, value in resized.items() if key not in {*closed, opened}}, opened


def close(study: StudyArea, closed: frozenset[str] | set[str], resized: dict[str, float] | None = None) -> StudyArea:
    """Return the study without some schools, and with other places: the plain way."""
    places = study.places[~study.places["school_id"].isin(closed)].copy()
    for key, value in (resized or {}).items():
        places.loc[places["school_id"] == key, "capacity_places"] = value
    return replace(
        study,
        schools=study.schools[~study.schools["school_id"].isin(closed)],
        places=places,
        zones=study.zones[~study.zones["school_id"].isin(closed)],
    )


def answer_anew(study: StudyArea, scenario: Scenario) -> StageAnswer:
    """Return the answer of the pipeline to the changed study."""
    schools = build_stage_schools(study, "primary", None)
    return enrol_stage(study, CN, scenario, schools, build_ways(study, scenario, schools))


def ready(study: StudyArea, scenario: Scenario) -> WhatIf:
    found = build_what_if(study, CN, scenario, "primary")
    assert isinstance(found, WhatIf), found
    return found


def make_change(study: StudyArea, what_if: WhatIf, closed, resized, opened: str) -> Change:
    """Return the change; the school opened is one of ``study`` that the base does not have."""
    columns = []
    if opened:
        travel = study.travel[what_if.scenario.mode]
        at = travel.destination_ids.index(opened)
        about = study.schools.set_index("school_id").loc[opened]
        places = study.places.set_index("school_id").loc[opened, "capacity_places"]
        columns.append(
            build_new_column(
                *(what_if, travel.time_min[:, at], travel.length_m[:, at]),
                unit_ids=travel.unit_ids,
                school_id=opened,
                name=opened,
                places=float(places),
                setting=str(about["setting"]),
            )
        )
    return Change(closed=frozenset(closed), places=tuple(resized.items()), opened=tuple(columns))


def sum_by_school(enrolment) -> dict[str, float]:
    """Return pupils by school id, ``""`` for those who reach none."""
    sums = enrolment.groupby("school_id")["pupils"].sum()
    return {str(key): float(value) for key, value in sums.items() if value > 1e-9}


def read_loads(answer) -> dict[str, float]:
    """Return the same from a what-if."""
    found = dict(zip(answer.schools["school_id"], answer.schools["pupils_after"], strict=True))
    found[""] = answer.numbers["unreached_pupils_after"]
    return {str(key): float(value) for key, value in found.items() if value > 1e-9}


def total_minutes(enrolment) -> float:
    """Return pupil-minutes of an enrolment table."""
    return float(np.nansum(enrolment["pupils"] * enrolment["time_min"]))
