"""Where today's rolls go: worked by hand on two or three schools."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.actions import CloseSchool, OpenSchool, StagePlaces
from planning.projected_rolls import compute_flows, project_rolls, split_bands
from planning.scenario import Scenario
from planning.tables import StageTables
from tests.planning.action_worlds import answer, build_street, list_rolls
from tests.worlds import WorldSchool, build_island, build_world

STUDY = build_street()


def tables(rows: list[tuple[str, str, float]], rolls: dict[str, float], pupils: float = 100.0) -> StageTables:
    """Return a stage of schools with rolls, and units of 100 pupils split by (unit, school, share)."""
    pairs = pd.DataFrame(rows, columns=["unit_id", "school_id", "share"])
    schools = pd.DataFrame({"school_id": list(rolls), "actual_pupils": list(rolls.values()), "low_only": False})
    return StageTables("primary", schools, pd.DataFrame(), pairs.assign(pupils=pairs["share"] * pupils))


def project(before: StageTables, after: StageTables) -> dict[str, float]:
    found = project_rolls(STUDY, Scenario(), before, after)
    return {str(key): float(value) for key, value in found.items()}


def test_those_who_can_stay_stay() -> None:
    # Unit u: W 60, M 40 -> W 50, E 50. 50 stay at W; W's other 10 and M's 40 go to E.
    before = tables([("u", "W", 0.6), ("u", "M", 0.4)], {"W": 120.0, "M": 20.0})
    after = tables([("u", "W", 0.5), ("u", "E", 0.5)], {"W": 120.0, "E": 0.0})
    flows = compute_flows(before, after, 0.5)
    assert list(map(tuple, flows[["school_from", "school_to", "pupils"]].to_numpy())) == [
        ("M", "E", pytest.approx(40)),
        ("W", "E", pytest.approx(10)),
        ("W", "W", pytest.approx(50)),
    ]
    # W hands on 10 of 60 of its roll of 120; M all of its 20.
    assert project(before, after) == pytest.approx({"W": 100, "E": 40, "": 0})


def test_who_grows_takes_in_proportion() -> None:
    # 100 leave M: W grows by 30, E by 70.
    before = tables([("u", "M", 1.0)], {"M": 50.0, "W": 0.0, "E": 7.0})
    after = tables([("u", "W", 0.3), ("u", "E", 0.7)], {"W": 0.0, "E": 7.0})
    assert project(before, after) == pytest.approx({"W": 15, "E": 42, "": 0})


def test_a_school_without_modelled_pupils_keeps_its_roll_or_hands_it_to_the_nearest() -> None:
    # Nobody is modelled at M (x 2500): open it keeps 20; closed they go to E, W being as far (the first id).
    before = tables([("u", "W", 1.0)], {"W": 10.0, "M": 20.0, "E": 5.0})
    kept = tables([("u", "W", 1.0)], {"W": 10.0, "M": 20.0, "E": 5.0})
    assert project(before, kept) == pytest.approx({"W": 10, "M": 20, "E": 5, "": 0})
    closed = tables([("u", "W", 1.0)], {"W": 10.0, "E": 5.0})
    assert project(before, closed) == pytest.approx({"W": 10, "E": 25, "": 0})


def test_what_is_not_known_stays_unknown() -> None:
    # M's roll is not known: W, which takes its pupils, is unknown; E is not concerned.
    before = tables([("u", "M", 1.0), ("v", "E", 1.0)], {"W": 10.0, "M": np.nan, "E": 5.0})
    after = tables([("u", "W", 1.0), ("v", "E", 1.0)], {"W": 10.0, "E": 5.0})
    found = project(before, after)
    assert np.isnan(found["W"]) and found["E"] == 5


def test_those_who_reach_no_school_are_not_lost() -> None:
    outcome = answer(build_island(), CloseSchool(school_id="S"))
    assert outcome.plan is None  # nobody would teach
    study = build_world(
        "a/S . b/T", pupils={"a": 10, "b": 30}, schools={"S": WorldSchool(roll=8), "T": WorldSchool(roll=9)}
    )
    closed = answer(study, CloseSchool(school_id="S"))
    assert list_rolls(closed) == {"T": 9}
    assert closed.before is not None
    assert project_rolls(study, Scenario(), closed.before.stages[0], closed.stages[0]).to_dict() == {"T": 9, "": 8}


def test_units_with_unknown_pupils_say_nothing_about_a_new_school() -> None:
    study = build_street(pupils={"junior": {"a": 1}})
    new = OpenSchool(school_id="N", name="N", stages=(StagePlaces("primary", 9),), unit_id="b")
    rolls = list_rolls(answer(study, new))
    assert np.isnan(rolls["N"]) and rolls["W"] == 40


def test_low_grades_are_at_teaching_points_first() -> None:
    pairs = pd.DataFrame(
        [("u", "T", 0.5), ("u", "C", 0.5), ("v", "C", 1.0), ("w", "T", 0.25), ("w", "C", 0.75)],
        columns=["unit_id", "school_id", "share"],
    )
    found = split_bands(pairs, {"T": True, "C": False}, 0.5)
    assert found["low_share"].tolist() == pytest.approx([0.5, 0, 0.5, 0.25, 0.25])
    assert found["upper_share"].tolist() == pytest.approx([0, 0.5, 0.5, 0, 0.5])


def test_a_complete_school_reopened_for_all_grades_gets_the_upper_ones_back() -> None:
    # b: low half at T, upper half at W. T closes: b's low half goes to W, with T's roll of 8, and no more.
    study = build_world(
        "a/W b/T", pupils={"a": 30, "b": 20},
        schools={"W": WorldSchool(roll=50), "T": WorldSchool(kind="teaching_point", roll=8)},
    )  # fmt: skip
    assert list_rolls(answer(study, CloseSchool(school_id="T"))) == pytest.approx({"W": 58})


shares = st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3).map(lambda found: [part / sum(found) for part in found])


@given(
    before=st.lists(shares, min_size=4, max_size=4),
    after=st.lists(shares, min_size=4, max_size=4),
    rolls=st.lists(st.floats(0, 500), min_size=3, max_size=3),
)
def test_totals_are_kept(before: list[list[float]], after: list[list[float]], rolls: list[float]) -> None:
    """Whatever the model says before and after: the pupils on the rolls are as many, and nobody is below zero."""

    def split(found: list[list[float]], schools: str) -> list[tuple[str, str, float]]:
        return [
            (unit, key, part)
            for unit, row in zip("abcd", found, strict=True)
            for key, part in zip(schools, row, strict=True)
        ]

    held = dict(zip("WME", rolls, strict=True))
    found = project(
        tables(split(before, "WME"), held), tables(split(after, "WEN"), {"W": rolls[0], "E": rolls[2], "N": 0.0})
    )
    assert sum(found.values()) == pytest.approx(sum(rolls))
    assert min(found.values()) >= -1e-9
