"""Actions as sentences."""

import pytest

from planning.action_words import collect_names, describe_action
from planning.actions import (
    ACTION_CLASSES,
    AddBoarding,
    AddBusLine,
    ChangePlaces,
    ChangeStages,
    CloseSchool,
    MakeTeachingPoint,
    MergeSchools,
    MoveUnits,
    OpenSchool,
    StagePlaces,
)
from tests.worlds import WorldSchool, WorldUnit, build_world

NAMES = {"S": "South School", "T": "Town School", "u": "Upper Village", "01": "North plot"}
PRIMARY = StagePlaces("primary", 450.0)

SENTENCES = [
    (CloseSchool(school_id="S"), "Close South School"),
    (CloseSchool(school_id="S", stages=("primary", "junior")), "Close South School (primary school, junior school)"),
    (MergeSchools(school_ids=("S", "X"), into=("T",)), "Merge South School, X into Town School"),
    (MergeSchools(school_ids=("S",), into=("T",), as_campus=True), "Make South School a campus of Town School"),
    (MakeTeachingPoint(school_id="S"), "Turn South School into a teaching point"),
    (MakeTeachingPoint(school_id="S", classes=3), "Turn South School into a teaching point (3 classes)"),
    (
        ChangePlaces(school_id="S", stage="primary", capacity_places=1350.0, classes=30),
        "Resize South School (primary school) to 1,350 places, 30 classes",
    ),
    (
        ChangePlaces(school_id="S", stage="primary", add_places=-90),
        "Resize South School (primary school) by -90 places",
    ),
    (ChangePlaces(school_id="S", stage="primary", add_classes=2), "Resize South School (primary school) by +2 classes"),
    (
        ChangeStages(school_id="S", add=(StagePlaces("junior", classes=9),)),
        "Add to South School: junior school with 9 classes",
    ),
    (ChangeStages(school_id="S", drop=("primary",)), "Drop from South School: primary school"),
    (
        ChangeStages(school_id="S", add=(StagePlaces("junior", 300.0),), drop=("primary",)),
        "Add to South School: junior school with 300 places; drop: primary school",
    ),
    (
        OpenSchool(school_id="N", name="New School", stages=(PRIMARY,), site_id="01"),
        "Open New School at the site North plot (primary school with 450 places)",
    ),
    (
        OpenSchool(school_id="N", name="", stages=(PRIMARY,), unit_id="u"),
        "Open N in Upper Village (primary school with 450 places)",
    ),
    (
        OpenSchool(school_id="N", name="New School", stages=(PRIMARY,), point=(1.0, 2.0)),
        "Open New School at a point on the map (primary school with 450 places)",
    ),
    (
        MoveUnits(unit_ids=("u", "v", "w", "x", "y"), stage="primary", school_ids=("T",)),
        "Give Upper Village, v, w and 2 more to Town School (primary school)",
    ),
    (AddBoarding(school_id="T", beds=1200), "Add 1,200 beds at Town School"),
    (AddBusLine(school_id="T", unit_ids=("u",)), "Run a school bus from Upper Village to Town School"),
    (
        AddBusLine(school_id="T", unit_ids=("u",), seats=19),
        "Run a school bus from Upper Village to Town School (19 seats)",
    ),
]


@pytest.mark.parametrize(("action", "sentence"), SENTENCES, ids=lambda value: getattr(value, "kind", ""))
def test_sentences(action, sentence):
    assert str(describe_action(action, NAMES)) == sentence


def test_every_kind_of_action_has_a_sentence():
    assert {action.kind for action, _ in SENTENCES} == set(ACTION_CLASSES)


def test_names_come_from_the_study_and_from_what_is_opened():
    study = build_world("u v/S", schools={"S": WorldSchool(name="South School")}, units={"u": WorldUnit(name="Upper")})
    opened = OpenSchool(school_id="N", name="New", stages=(PRIMARY,), unit_id="u")
    names = collect_names(study, [opened])
    assert (names["S"], names["u"], names["N"]) == ("South School", "Upper", "New")
    assert str(describe_action(CloseSchool(school_id="S"), study)) == "Close South School"
    assert str(describe_action(opened, study)) == "Open New in Upper (primary school with 450 places)"


def test_every_part_can_be_said_in_another_language():
    action = CloseSchool(school_id="S", stages=("primary", "junior"))
    templates = []
    describe_action(action, NAMES).render(lambda template: templates.append(template) or template)
    assert {"Close {school}", "primary school", "junior school", ", "} <= set(templates)
