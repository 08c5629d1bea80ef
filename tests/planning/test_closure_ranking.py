"""Closing every school in turn, and two by two: by hand, against asking one by one, and the proof of additivity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from geodata.errors import ScenarioError
from planning.closure_measures import measure_closure
from planning.closure_pairs import add_closures, touch_apart
from planning.closure_ranking import PAIR_COLUMNS, RANKING_COLUMNS, rank_closures, rank_pairs
from planning.scenario import Scenario
from planning.what_if import Change
from tests.planning import what_if_worlds as made
from tests.planning.what_if_worlds import ready
from tests.worlds import WorldSchool, build_five_villages, build_island, build_world

CAPACITY = Scenario(enrolment="capacity")
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


def test_five_villages_by_hand():
    """Limit 30 min. a is 40 min from E, e 40 min from W: both depend on their school; d has W within 30 min.

    The nearest: W has a, b (50), E has c, d, e (60). Without W: a 0 → 40, b 10 → 30: 1200 + 400 = 1,600 more, 70 above
    the places of E instead of 20. Without E: c 20 → 20, d 10 → 30, e 0 → 40: 400 + 1200 more; W has 110 for 100.
    Both make thirty go beyond the limit; without E the pupils above the places are 10 instead of 20: E comes first.
    """
    table = rank_closures(ready(build_five_villages(), Scenario())).set_index("school_id")
    assert (*table.reset_index().columns,) == RANKING_COLUMNS
    assert table["rank"].to_dict() == {"E": 1, "W": 2}
    assert not table["can_close"].any()
    assert table["dependent_units"].to_dict() == {"E": ("e",), "W": ("a",)}
    assert table["dependent_pupils"].to_dict() == {"E": 30, "W": 30}
    assert table["extra_pupil_min"].to_dict() == {"E": pytest.approx(1600), "W": pytest.approx(1600)}
    assert table["over_places_added_pupils"].to_dict() == {"E": pytest.approx(-10), "W": pytest.approx(50)}
    assert table["beyond_limit_added_pupils"].to_dict() == {"E": 30, "W": 30}
    assert table["roll_pupils"].to_dict() == {"E": 70, "W": 40}
    assert table["small"].to_dict() == {"E": False, "W": True}  # fewer than 100, and rural
    assert str(table.loc["W", "reason"]) == "1 communities with 30 pupils would have no school within 30 min: a."


def test_a_school_that_nobody_needs():
    """Two schools side by side: each can close. Where one stands alone, everybody depends on it."""
    twins = build_world("a/P b/Q", pupils={"a": 10, "b": 20}, schools={"P": WorldSchool(), "Q": WorldSchool()})
    table = rank_closures(ready(twins, CAPACITY)).set_index("school_id")
    assert table["can_close"].all() and table["rank"].to_dict() == {"P": 1, "Q": 2}
    assert str(table.loc["P", "reason"]) == "Everybody has another school within the limit of the way."
    alone = rank_closures(ready(build_island(), CAPACITY)).iloc[0]
    assert not alone["can_close"] and alone["dependent_units"] == ("b", "a") and alone["unreached_added_pupils"] == 30
    assert str(alone["reason"]) == "2 communities with 30 pupils would reach no school at all: b, a."


def test_who_is_beyond_the_limit_today_is_no_dependant():
    """z walks 40 min to P and 50 to Q: beyond 30 either way, so P can close, and it is said that z stays beyond."""
    study = build_world("z + + + p/P q/Q", pupils={"z": 7, "p": 10}, schools={"P": WorldSchool(), "Q": WorldSchool()})
    table = rank_closures(ready(study, Scenario())).set_index("school_id")
    assert table.loc["P", "can_close"] and table.loc["P", "beyond_limit_added_pupils"] == 0
    assert "7 pupils who are beyond it today" in str(table.loc["P", "reason"])


def test_teaching_points_and_upper_grades():
    """Q is a teaching point beside P: it can close, but P cannot: grades 4 to 6 of p and q have no other school.

    Half of 10 and of 20 pupils are upper grades.
    """
    schools = {"P": WorldSchool(), "Q": WorldSchool(kind="teaching_point")}
    study = build_world("p/P q/Q", pupils={"p": 10, "q": 20}, schools=schools)
    table = rank_closures(ready(study, CAPACITY)).set_index("school_id")
    assert table.loc["Q", "can_close"] and table.loc["Q", "small"]
    assert not table.loc["P", "can_close"] and table.loc["P", "dependent_pupils"] == 15
    assert table.loc["P", "unreached_added_pupils"] == 15


def test_places_push_others_beyond():
    """b has Q within reach, but b and q together are too many for it: places push five of them on to R, 40 min off."""
    study = build_world(
        "b/P q/Q + + + r/R",
        pupils={"b": 10, "q": 10, "r": 1},
        schools={"P": WorldSchool(places=20), "Q": WorldSchool(places=15), "R": WorldSchool(places=90)},
    )
    near, within = (rank_closures(ready(study, Scenario(enrolment=name))) for name in ("nearest", "capacity"))
    assert near.set_index("school_id").loc["P", "can_close"]
    row = within.set_index("school_id").loc["P"]
    assert row["can_close"] and not row["places_suffice"] and row["dependent_units"] == ()
    assert row["beyond_limit_added_pupils"] == pytest.approx(5)
    assert str(row["reason"]) == (
        "Everybody has another school near enough, but places are too few: 5 more would be sent beyond the limit of the"
        " way."
    )


def test_no_limit_in_the_rulebook():
    """Senior schools have no limit of the way: only reach counts, and the reason says so."""
    schools = {key: WorldSchool(kind="senior", stages=("senior",)) for key in "PQ"}
    study = build_world("a/P + + + + b/Q", pupils={"senior": {"a": 5, "b": 5}}, schools=schools)
    found = made.build_what_if(study, made.CN, Scenario(stages=("senior",)), "senior")
    table = rank_closures(found)
    assert table["can_close"].all() and "limits no way" in str(table["reason"].iloc[0])


def test_pairs_by_hand():
    """Four schools in a row, p q far from r s. P or Q can close, not both: then p and q walk too far. P with R can."""
    picture = "p/P q/Q + + + + r/R s/S"
    schools = {key: WorldSchool(places=100) for key in "PQRS"}
    study = build_world(picture, pupils=dict.fromkeys("pqrs", 10.0), schools=schools)
    what_if = ready(study, CAPACITY)
    singles = rank_closures(what_if)
    assert singles["can_close"].all()
    pairs = rank_pairs(what_if, singles)
    assert tuple(pairs.columns) == PAIR_COLUMNS and len(pairs) == 6
    found = {(row.school_id, row.other_id): row for row in pairs.itertuples()}
    assert [pair for pair, row in found.items() if not row.can_close] == [("P", "Q"), ("R", "S")]
    assert set(found["P", "Q"].dependent_units) == {"p", "q"} and found["P", "Q"].solved
    assert not found["P", "R"].solved and found["P", "R"].together == 0
    assert found["P", "R"].extra_pupil_min == pytest.approx(200) and found["P", "R"].moved_pupils == pytest.approx(20)
    some = rank_pairs(what_if, singles, school_ids=["S", "P"])
    assert some[["school_id", "other_id"]].values.tolist() == [["P", "S"]]


def test_stopping_and_progress():
    what_if = ready(build_five_villages(), CAPACITY)
    told: list[float] = []
    rank_closures(what_if, progress=lambda step, share: told.append(share))
    assert told == sorted(told) and told[-1] == 1.0

    def stop(step, share) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rank_closures(what_if, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        rank_pairs(what_if, rank_closures(what_if), progress=stop)


@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
@given(made.worlds(), made.scenarios(enrolment=("nearest", "zones", "capacity")))
def test_singles_and_pairs_are_what_one_by_one_gives(study, scenario):
    """Every number of the ranking, of pairs solved and of pairs added up, is that of the change asked for alone."""
    try:
        what_if = ready(study, scenario)
    except ScenarioError:
        return
    singles = rank_closures(what_if)
    pairs = rank_pairs(what_if, singles)
    rows = [((row.school_id,), row) for row in singles.itertuples()]
    rows += [((row.school_id, row.other_id), row) for row in pairs.itertuples()]
    for closed, row in rows:
        number = what_if.answer(Change(closed=frozenset(closed))).numbers
        close = {"abs": 1e-6, "nan_ok": True}
        assert row.can_close == (not row.dependent_units)
        if getattr(row, "solved", True) or scenario.enrolment != "capacity":  # else equally good flows may differ
            assert row.extra_pupil_min == pytest.approx(number["extra_pupil_min"], **close)
            assert row.mean_min_before == pytest.approx(number["moved_mean_min_before"], **close)
            assert row.mean_min_after == pytest.approx(number["moved_mean_min_after"], **close)
            assert row.max_min_after == pytest.approx(number["moved_max_min_after"], **close)
            assert row.moved_pupils == pytest.approx(number["moved_pupils"], **close)
            for name in ("beyond_limit", "over_places", "unreached"):
                added = number[f"{name}_pupils_after"] - number[f"{name}_pupils_before"]
                assert getattr(row, f"{name}_added_pupils") == pytest.approx(added, abs=1e-6)


@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
@given(made.worlds(), made.scenarios())
def test_pairs_that_add_up_are_optimal(study, scenario):
    """The proof of additivity, checked: objectives add up exactly where two closures touch no school in common."""
    plain = replace(scenario, assignment=replace(scenario.assignment, groups=()))
    try:
        what_if = ready(study, plain)
    except ScenarioError:
        return
    for one in range(len(what_if.school_ids)):
        for two in range(one):
            alone = [measure_closure(what_if, np.array([at])) for at in (one, two)]
            if touch_apart(*alone):
                ids = frozenset(what_if.school_ids[at] for at in (one, two))
                value = what_if.answer(Change(closed=ids)).numbers["objective"]
                assert add_closures(*alone).numbers["objective"] == pytest.approx(value, rel=1e-9, abs=1e-6)
