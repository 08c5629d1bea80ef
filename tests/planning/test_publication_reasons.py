"""Reasons told to residents: what the proposal does, where they go, and whether it is the nearest."""

from __future__ import annotations

import re

import pytest

from planning.actions import (
    AddBusLine,
    ChangePlaces,
    CloseSchool,
    MakeTeachingPoint,
    MergeSchools,
    MoveUnits,
    OpenSchool,
    StagePlaces,
)
from planning.publication import Publication
from tests.planning.action_worlds import build_street
from tests.planning.test_publication_build import publish
from tests.worlds import build_five_villages, build_island

WEST_ZONES = [
    ("a", "primary", "W"),
    ("b", "primary", "W"),
    ("c", "primary", "M"),
    ("d", "primary", "E"),
    ("e", "primary", "E"),
]


def read(publication: Publication, unit: str) -> str:
    return str(publication.units.set_index("unit_id").loc[unit, "reason"])


def test_closing() -> None:
    found = publish(build_street(), CloseSchool(school_id="M", comment="生源不足。"))
    assert read(found, "b") == (
        "Middle closes. It goes to West, the nearest school in the proposal. Note on the proposal: 生源不足."
    )
    assert read(found, "a") == "It stays at West, the nearest school."


def test_merging_into_a_school_that_is_not_the_nearest() -> None:
    found = publish(build_street(), MergeSchools(school_ids=("M",), into=("E",)))
    assert read(found, "b").startswith("Middle is merged into East. It goes to East. West would be 20 min nearer.")


def test_teaching_point() -> None:
    found = publish(build_street(), MakeTeachingPoint(school_id="M"))
    told = read(found, "b")
    assert told.startswith("Middle becomes a teaching point")
    assert "Grades 1 to 3 go to Middle, the upper grades to West." in told


def test_opening() -> None:
    school = OpenSchool(school_id="N", name="New", unit_id="d", stages=(StagePlaces("primary", capacity_places=90),))
    found = publish(build_street(), school)
    assert read(found, "d") == "New opens. It goes to New, the nearest school in the proposal."


def test_moving_in_zones_with_the_note_and_the_minutes() -> None:
    study = build_street(zones=WEST_ZONES)
    move = MoveUnits(unit_ids=("b",), stage="primary", school_ids=("E",), comment="West is full")
    found = publish(study, move, enrolment="zones")
    assert read(found, "b") == (
        "The proposal assigns this community to East. It goes to East. Middle would be 20 min nearer, but has another"
        " catchment. Note on the proposal: West is full."
    )


def test_shared_zone() -> None:
    study = build_street(zones=[*WEST_ZONES, ("b", "primary", "M")])
    assert "shared catchment of Middle, West" in read(publish(study, enrolment="zones"), "b")


def test_bus() -> None:
    bus = AddBusLine(school_id="E", unit_ids=("b",))
    found = publish(build_street(), MergeSchools(school_ids=("M",), into=("E",)), bus)
    assert "A school bus runs to East." in read(found, "b")


def test_places_that_do_not_suffice() -> None:
    # E has 30 places, and the 30 children of e live there: d goes to W, 30 instead of 10 min away.
    found = publish(
        build_five_villages(), ChangePlaces(school_id="E", stage="primary", capacity_places=30), enrolment="capacity"
    )
    told = " ".join(map(str, found.units["reason"]))
    assert "East School would be" in told and "its places do not suffice for all who live around" in told


def test_nobody_is_told_of_a_school_that_cannot_be_reached() -> None:
    assert read(publish(build_island()), "i") == "No school of this stage can be reached."


@pytest.mark.parametrize("method", ["nearest", "zones", "capacity", "zoning"])
def test_every_method_has_a_reason_for_everybody_without_counts(method: str) -> None:
    study = build_street(zones=WEST_ZONES)
    found = publish(study, CloseSchool(school_id="M"), enrolment=method)
    told = [str(reason) for reason in found.units["reason"]]
    assert all(told)
    assert not any(re.search(r"\d+ (pupils|children)", text) for text in told)
