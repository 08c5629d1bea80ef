"""Scenario files: what is written is what is read; what is wrong is told all at once, with its place and its cure."""

import dataclasses
import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from geodata.study import MODES, STAGES
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
from planning.assignment_options import AssignmentOptions, ChoiceOptions, PriorityClass
from planning.scenario import Scenario
from planning.scenario_file import action_as_dict, build_action, parse_scenario, read_scenario, render_scenario
from planning.zoning_options import ZoningOptions


def _problems(text, **options):
    with pytest.raises(DataError) as caught:
        parse_scenario(text, file="plan.toml", **options)
    return [str(issue) for issue in caught.value.issues]


# ---- laws

IDS = st.text(string.ascii_letters + string.digits + "0学-_./ ", min_size=1, max_size=8).filter(str.strip)
TEXTS = st.text(max_size=20)
COUNTS = st.one_of(st.integers(0, 5000).map(float), st.floats(0, 5000, allow_nan=False))
CHANGES = st.one_of(st.integers(-500, 500).map(float), st.floats(-500, 500, allow_nan=False))
YEARS = st.none() | st.integers(1900, 2200)
STAGE = st.sampled_from(STAGES)
SOME_STAGES = st.lists(STAGE, max_size=4, unique=True).map(tuple)
ABOUT = {"year": YEARS, "comment": TEXTS}


def _some(ids, least=1):
    return st.lists(ids, min_size=least, max_size=3, unique=True).map(tuple)


SIZES = st.builds(StagePlaces, STAGE, COUNTS, st.none() | COUNTS)
SIZES_ONCE = st.lists(SIZES, min_size=1, max_size=3, unique_by=lambda item: item.stage).map(tuple)
WHERE = st.one_of(
    st.fixed_dictionaries({"site_id": IDS}),
    st.fixed_dictionaries({"unit_id": IDS}),
    st.fixed_dictionaries(
        {"point": st.tuples(*[st.floats(-1e7, 1e7, allow_nan=False)] * 2), "point_is_lonlat": st.booleans()}
    ),
)
OPENINGS = st.builds(
    lambda where, **rest: OpenSchool(**where, **rest),
    WHERE,
    school_id=IDS,
    name=TEXTS,
    stages=SIZES_ONCE,
    becomes=st.sampled_from(["", "primary", "nine_year"]),
    setting=st.sampled_from(["", "rural"]),
    ownership=st.sampled_from(["public", "private"]),
    takes=st.sampled_from(["nearest", "nobody"]),
    **ABOUT,
)
ACTIONS = st.one_of(
    st.builds(CloseSchool, school_id=IDS, stages=SOME_STAGES, **ABOUT),
    st.builds(
        lambda ids, cut, **rest: MergeSchools(school_ids=ids[:cut], into=ids[cut:], **rest),
        st.lists(IDS, min_size=3, max_size=5, unique=True).map(tuple),
        st.integers(1, 2),
        stages=SOME_STAGES,
        **ABOUT,
    ),
    st.builds(MergeSchools, school_ids=st.just(("a",)), into=st.just(("b",)), as_campus=st.booleans(), **ABOUT),
    st.builds(MakeTeachingPoint, school_id=IDS, capacity_places=st.none() | COUNTS, **ABOUT),
    st.builds(ChangePlaces, school_id=IDS, stage=STAGE, capacity_places=COUNTS, classes=st.none() | COUNTS, **ABOUT),
    st.builds(ChangePlaces, school_id=IDS, stage=STAGE, add_places=CHANGES, add_classes=st.none() | CHANGES, **ABOUT),
    st.builds(ChangeStages, school_id=IDS, add=SIZES_ONCE, becomes=st.sampled_from(["", "nine_year"]), **ABOUT),
    st.builds(ChangeStages, school_id=IDS, drop=SOME_STAGES.filter(bool), **ABOUT),
    OPENINGS,
    st.builds(MoveUnits, unit_ids=_some(IDS), stage=STAGE, school_ids=_some(IDS), **ABOUT),
    st.builds(AddBoarding, school_id=IDS, beds=COUNTS, **ABOUT),
    st.builds(
        AddBusLine,
        school_id=IDS,
        unit_ids=_some(IDS),
        seats=st.none() | COUNTS,
        time_factor=st.floats(1, 10),
        wait_min=st.floats(0, 120),
        **ABOUT,
    ),
)
SHARES = st.floats(0, 1)
ASSIGNMENTS = st.builds(
    AssignmentOptions,
    whole_units=st.booleans(),
    travel_cap=st.sampled_from(["none", "priced", "hard"]),
    cap_price=st.one_of(st.floats(0, 10), st.just(float("inf"))),
    overload_price_min=st.floats(0.1, 1e6),
    closed=st.lists(st.tuples(IDS, TEXTS), max_size=3).map(tuple),
    barriers=_some(st.sampled_from(["river", "railway"]), 0),
    groups=st.just(()) | st.tuples(st.tuples(TEXTS, _some(IDS))),
    priorities=st.lists(
        st.builds(PriorityClass, TEXTS, st.integers(1, 5), st.floats(0, 0.3), st.tuples(st.tuples(IDS, SHARES))),
        max_size=3,
    ).map(tuple),
)
ZONINGS = st.builds(
    ZoningOptions,
    start=st.sampled_from(["scratch", "current"]),
    objectives=st.just((("travel", 0.01), ("border", 0.0))),
    max_moved_pupils=st.none() | st.floats(0, 1e5),
    locks=st.lists(st.tuples(IDS, STAGE, TEXTS), max_size=3).map(tuple),
    locked_schools=_some(IDS, 0),
    grandfather=st.booleans(),
    max_feeder_split_share=st.floats(0, 0.99),
)
SCENARIOS = st.builds(
    Scenario,
    name=TEXTS,
    year=YEARS,
    actions=st.lists(ACTIONS, max_size=5).map(tuple),
    stages=SOME_STAGES.filter(bool),
    mode=st.sampled_from(MODES),
    enrolment=st.sampled_from(["nearest", "zones", "capacity", "choice", "zoning"]),
    measure=st.sampled_from(["time", "length"]),
    low_grade_share=SHARES,
    assignment=ASSIGNMENTS,
    choice=st.sampled_from([ChoiceOptions(), ChoiceOptions("fitted")]),
    zoning=ZONINGS,
)


@settings(max_examples=120, deadline=None)
@given(SCENARIOS)
def test_what_is_written_is_what_is_read(scenario):
    text = render_scenario(scenario)
    assert parse_scenario(text) == scenario
    assert render_scenario(parse_scenario(text)) == text
    text.encode("utf-8")
    assert all(sign == "\n" or sign.isprintable() for sign in text)


@settings(max_examples=60, deadline=None)
@given(parent=SCENARIOS, child=SCENARIOS, name=TEXTS.filter(str.strip))
def test_a_child_holds_its_own_settings_and_its_parents_actions(parent, child, name):
    child = dataclasses.replace(child, parent=name, inherited=parent.actions)
    texts = {name: render_scenario(parent)}
    assert parse_scenario(render_scenario(child), parents=texts.__getitem__) == child


@settings(max_examples=100, deadline=None)
@given(ACTIONS)
def test_actions_survive_as_plain_data_and_as_json(action):
    assert build_action(action_as_dict(action)) == action
    assert build_action(json.loads(json.dumps(action_as_dict(action)))) == action


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.text('[]={}".\n#ax0-', max_size=40))
def test_any_text_is_a_scenario_or_a_clear_error(text):
    try:
        scenario = parse_scenario(text)
    except DataError as error:
        assert error.issues and all(issue.problem.template for issue in error.issues)
    else:
        assert isinstance(scenario, Scenario)


# ---- what a planner writes

FULL = """
name = "Merge two village schools"
year = 2028
stages = ["primary", "junior"]
mode = "drive"
enrolment = "capacity"
measure = "length"
low_grade_share = 0.4

[assignment]
whole_units = true
travel_cap = "hard"
closed = [["0101", "0201"]]
groups = [["East", ["0201", "0202"]]]
priorities = [{ name = "near", rank = 1, share = 0.5 }]

[zoning]
max_moved_pupils = 100
objectives = [["travel", 0.01], ["border", 0]]

[[action]]
kind = "merge"
year = 2027
school_ids = ["0301", "0302"]
into = ["0201"]
comment = "after the new wing is built"

[[action]]
kind = "open"
school_id = "N1"
name = "新城小学"
site_id = "01"
stages = [{ stage = "primary", classes = 24 }, { stage = "junior", capacity_places = 600 }]
"""


def test_a_full_file_is_read():
    scenario = parse_scenario(FULL)
    assert scenario.stages == ("primary", "junior") and scenario.year == 2028 and scenario.low_grade_share == 0.4
    assert scenario.assignment.groups == (("East", ("0201", "0202")),)
    assert scenario.assignment.priorities == (PriorityClass("near", 1, 0.5),)
    assert scenario.zoning.objectives == (("travel", 0.01), ("border", 0.0))
    merge, opening = scenario.actions
    assert merge == MergeSchools(
        school_ids=("0301", "0302"), into=("0201",), year=2027, comment="after the new wing is built"
    )
    assert opening.stages == (StagePlaces("primary", None, 24.0), StagePlaces("junior", 600.0))


def test_everything_wrong_is_told_at_once_with_its_place():
    told = _problems(
        """
name = "x"
mod = "walk"
enrolment = "capacty"
year = 12
[assignment]
whole_unit = true
cap_price = -1
[[action]]
kind = "close"
school = "S"
[[action]]
kind = "clos"
school_id = "S"
[[action]]
kind = "places"
school_id = "S"
stage = "primary"
capacity_places = "many"
[[action]]
kind = "open"
school_id = "N"
name = "N"
stages = [{ stage = "primery", classes = 6 }]
unit_id = "u"
"""
    )
    for said in (
        "plan.toml, mod: Unknown key. To mend: Did you mean 'mode'?",
        "plan.toml, enrolment: Unknown value. Found: 'capacty'.",
        "plan.toml, year: The number lies outside what is possible. Found: 12.",
        "plan.toml, [assignment], whole_unit: Unknown key. To mend: Did you mean 'whole_units'?",
        "plan.toml, [assignment], cap_price: The number lies outside what is possible.",
        "plan.toml, [[action]] 1 (close), school: Unknown key. To mend: Did you mean 'school_id'?",
        "plan.toml, [[action]] 1 (close), school_id: A required key is missing.",
        "plan.toml, [[action]] 2, kind: Unknown kind of action. Found: 'clos'.",
        "plan.toml, [[action]] 3 (places), capacity_places: A value of the wrong kind. Found: 'many'.",
        "plan.toml, [[action]] 4 (open), stages[1].stage: Unknown value. Found: 'primery'.",
    ):
        assert any(problem.startswith(said) for problem in told), said
    assert len(told) == 10


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            'kind = "close"\nschool_id = 101',
            "written as a number it loses its leading zeros. Found: 101. To mend: Put it",
        ),
        ('kind = "close"\nschool_id = "  "', "school_id is empty."),
        ('kind = "merge"\nschool_ids = ["a"]\ninto = ["a"]', "A school is merged into itself: a."),
        ('kind = "merge"\nschool_ids = []\ninto = ["a", "b"]\nas_campus = true', "A campus belongs to one school"),
        ('kind = "places"\nschool_id = "a"\nstage = "primary"', "Give capacity_places, classes, add_places or"),
        ('kind = "places"\nschool_id = "a"\nstage = "primary"\nclasses = -1', "classes must be 0 or more."),
        ('kind = "places"\nschool_id = "a"\nstage = "primary"\nclasses = 1\nadd_places = 1', "the change, not both."),
        ('kind = "stages"\nschool_id = "a"', "There is nothing to add or drop."),
        ('kind = "open"\nschool_id = "a"\nname = "A"\nstages = [{ stage = "primary", classes = 1 }]', "Say where"),
        (
            'kind = "open"\nschool_id = "a"\nname = "A"\nstages = [{ stage = "primary" }]\nunit_id = "u"',
            "primary: give",
        ),
        ('kind = "move"\nunit_ids = ["u", "u"]\nstage = "primary"\nschool_ids = ["a"]', "unit_ids names 'u' twice."),
        (
            'kind = "bus"\nschool_id = "a"\nunit_ids = ["u"]\ntime_factor = 0.5',
            "time_factor must lie between 1 and 10.",
        ),
        ('kind = "boarding"\nschool_id = "a"\nbeds = nan', "beds must be 0 or more."),
        ('kind = "close"\nschool_id = "a"\nyear = 27', "The year must lie between 1900 and 2200."),
        ('kind = "open"\nschool_id = "a"\nname = "A"\nstages = []\npoint = [1]', "Write a list of 2 values."),
        ('school_id = "a"', "The action has no kind."),
    ],
)
def test_each_action_is_checked_in_words(row, said):
    told = _problems(f'name = "x"\n[[action]]\n{row}\n')
    assert any(said in problem for problem in told), told
    assert all(problem.startswith("plan.toml, [[action]] 1") for problem in told)


def test_every_problem_of_the_actions_can_be_said_in_chinese():
    """A text without a translation would be shown in English inside Chinese."""
    from planning.scenario_rows import list_problems
    from reports.language import read_catalogue

    say = read_catalogue("zh")

    bad = {
        "close": {"school_id": " ", "stages": ("x",)},
        "merge": {"school_ids": ("a", "a", ""), "into": ("a", "b"), "as_campus": True, "year": 1},
        "teaching_point": {"school_id": "a", "capacity_places": -1.0},
        "places": {"school_id": "a", "stage": "x", "add_places": float("nan"), "classes": 1.0},
        "stages": {"school_id": "a", "add": (StagePlaces("primary"),) * 2, "drop": ("primary",)},
        "open": {"school_id": "", "name": "", "stages": (), "point": (1.0, float("nan")), "unit_id": "u",
                 "takes": "x", "setting": "x", "ownership": "x"},
        "move": {"unit_ids": (), "stage": "primary", "school_ids": ()},
        "boarding": {"school_id": "a", "beds": -1.0},
        "bus": {"school_id": "a", "unit_ids": (), "time_factor": 0.0, "wait_min": -1.0, "seats": -1.0},
    }  # fmt: skip
    assert set(bad) == set(ACTION_CLASSES)
    for kind, values in bad.items():
        found = list_problems(ACTION_CLASSES[kind], values)
        assert found
        for problem in found:
            said = say.say(problem)
            assert said != str(problem) or problem.template.startswith("{"), problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\n[[action]]\nkind = "close"\nschool_id = 0101\n', 'Ids stand in quotes: "0101".'),
        ('name = "x', "not valid TOML"),
        ("x = " + "[" * 50_000, "not valid TOML"),
        ("x = " + "1" * 5_000, "not valid TOML"),
        ("#" + "x" * 4_000_001, "longer than 4,000,000 signs"),
        ('name = "x"\naction = 3', "A list of tables was expected here."),
        ('name = "x"\n[action]\nkind = "close"', "A list of tables was expected here."),
        ('name = "x"\naction = [1]', "Write [[action]], with its keys below."),
        ('name = "x"\nzoning = "a"', "A table was expected here."),
        ('name = "x"\nstages = []', "The list is empty."),
        ('name = 5\nstages = "primary"', "A value of the wrong kind."),
        ('name = "x"\n[zoning]\nstart = "table"', "cannot stand together: start 'table' needs start_zones"),
        ('name = "x"\n' + '[[action]]\nkind = "close"\nschool_id = "a"\n' * 2_001, "at most 2,000 actions"),
        ("", "name: A required key is missing."),
    ],
)
def test_texts_that_are_no_scenario(text, said):
    assert any(said in problem for problem in _problems(text))


# ---- parents


def test_settings_left_out_are_those_of_the_parent_but_not_its_year():
    texts = {"base": FULL, "step": 'name = "step"\nparent = "base"\n[assignment]\ntravel_cap = "priced"\n'}
    child = parse_scenario('name = "child"\nparent = "step"\nmode = "walk"\n', parents=texts.__getitem__)
    assert (child.name, child.parent, child.mode, child.year) == ("child", "step", "walk", None)
    assert child.stages == ("primary", "junior") and child.enrolment == "capacity" and child.measure == "length"
    assert child.assignment == AssignmentOptions(travel_cap="priced")  # a table is taken whole
    assert child.zoning.max_moved_pupils == 100
    assert child.actions == () and [action.kind for action in child.inherited] == ["merge", "open"]


def test_parents_that_are_missing_or_go_round_in_a_circle():
    child = 'name = "child"\nparent = "{}"\n'
    assert "no scenario of that name" in _problems(child.format("gone"), parents={}.__getitem__)[0]
    assert "no scenario of that name" in _problems(child.format("gone"))[0]
    texts = {"a": child.format("b"), "b": child.format("a")}
    assert "in a circle" in _problems(child.format("a"), parents=texts.__getitem__)[0]
    row = {str(number): child.format(number + 1) for number in range(40)}
    assert "More than 16 scenarios" in _problems(child.format(0), parents=row.__getitem__)[0]
    assert "parent is empty" in _problems(child.format(" "))[0]


def test_problems_of_a_parent_are_told_under_its_name_beside_the_own():
    told = _problems('name = "x"\nparent = "base"\nmood = 1', parents={"base": 'name = "b"\nmod = "walk"'}.__getitem__)
    assert told[0].startswith("plan.toml, mood:") and told[1].startswith("base, mod:")


def test_files_find_their_parents_beside_them_and_below(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "base.toml").write_text(FULL, encoding="utf-8-sig")
    (tmp_path / "below" / "step.toml").write_text('name = "step"\nparent = "../base.toml"\n', encoding="utf-8")
    (tmp_path / "top.toml").write_text('name = "top"\nparent = "below/step"\n', encoding="utf-8")
    top = read_scenario(tmp_path / "top.toml")
    assert top.parent == "below/step" and len(top.inherited) == 2


@pytest.mark.parametrize("name", ["../outside.toml", "{root}/outside.toml", "link.toml", "a\\u0000b", "https://x.y/z"])
def test_a_parent_stays_in_the_folder(tmp_path, name):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "outside.toml").write_text('name = "secret"', encoding="utf-8")
    (inner / "link.toml").symlink_to(tmp_path / "outside.toml")
    name = name.replace("{root}", str(tmp_path))
    (inner / "plan.toml").write_text(f'name = "x"\nparent = "{name}"\n', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_scenario(inner / "plan.toml")
    assert "secret" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="cannot be opened"):
        read_scenario(tmp_path / "none.toml")
    (tmp_path / "gbk.toml").write_bytes('name = "新城小学"'.encode("gbk"))
    with pytest.raises(DataError, match="not text"):
        read_scenario(tmp_path / "gbk.toml")
    (tmp_path / "child.toml").write_text('name = "x"\nparent = "gone"', encoding="utf-8")
    with pytest.raises(DataError, match="cannot be opened"):
        read_scenario(tmp_path / "child.toml")
