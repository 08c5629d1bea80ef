"""What a proposal tells of itself: what its proof is of, and where its scenario would do otherwise; worked by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from geodata.errors import ScenarioError
from geodata.study import StudyArea
from planning.actions import CloseSchool, MoveUnits
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.siting_answer import SitingAnswer
from planning.siting_case import build_siting_case
from planning.siting_conflicts import Probe, _relax_travel, start_probe
from planning.siting_model import build_siting_model, tell_limits
from planning.solvers import covering
from planning.solvers.location_problems import CoverProblem, LocationAnswer
from tests.planning.action_worlds import build_street, make_site
from tests.planning.siting_worlds import CN, PLAIN_WEIGHTS, ask, build_options, list_decisions
from tests.worlds import WorldSchool, build_world


def tell(answer: SitingAnswer) -> str:
    """Return all notes as one text."""
    return " | ".join(str(note) for note in answer.notes)


def test_ways_left_out_are_told_beside_the_proof() -> None:
    """Of three schools in reach only the nearest (and today's) is kept: the bound is of these ways."""
    case = build_siting_case(build_street(), CN, Scenario(), build_options())
    assert build_siting_model(case, near=1).near == 1
    assert "the 1 nearest" in " ".join(map(str, tell_limits(build_siting_model(case, near=1))))
    assert build_siting_model(case, near=3).near == 0  # all three: nothing is left out
    assert build_siting_model(case, near=None).near == 0
    assert "nearest schools and sites" not in tell(ask(build_street()))


def test_minutes_are_those_of_the_study_also_where_the_base_compares_metres() -> None:
    """From a to E 40 min and 4,000 m; with a road of 12,000 m on which one is as quick it is 40 min still."""
    study = build_street()
    walk = study.travel["walk"]
    length = walk.length_m.copy()
    at = walk.unit_ids.index("a"), walk.destination_ids.index("E")
    length[at] *= 3.0
    far = replace(study, travel={**study.travel, "walk": replace(walk, length_m=length)})
    case = build_siting_case(far, CN, Scenario(measure="length"), build_options())
    row, column = list(case.unit_ids).index("a"), case.facilities.position()["E"]
    assert case.travel_min[row, column] == pytest.approx(40.0)


def test_nothing_to_decide_upon_is_said_in_words() -> None:
    study = make_site(build_street(), "M", stages="primary")
    empty = replace(study, schools=study.schools.iloc[:0], places=study.places.iloc[:0], rolls=study.rolls.iloc[:0])
    with pytest.raises(ScenarioError, match="no site may be opened"):
        ask(empty, may_close=(), may_open=())


def test_what_the_base_binds_is_told() -> None:
    """The move binds b to E; the proposal sends b to W, and says that a run of its scenario does not."""
    base = Scenario(actions=(MoveUnits(unit_ids=("b",), stage="primary", school_ids=("E",)),))
    assert "sends units to schools by name" in tell(ask(build_street(), base, may_close=(), may_expand=()))
    assert "by name" not in tell(ask(build_street(), may_close=(), may_expand=()))
    later = Scenario(actions=(CloseSchool(school_id="M", year=2030),))
    words = "count from the first year"
    assert words in tell(ask(build_street(), later, years=(2026, 2028), may_close=(), may_expand=()))
    assert words not in tell(ask(build_street(), later, years=(2030, 2032), may_close=(), may_expand=()))


def build_full_street() -> StudyArea:
    """M has 100 children at its door; W has 45 places left, E 50, both 20 min away, and X, 30 min away, the rest."""
    return build_world(
        "a/W b c/M d e/E f/X",
        pupils={"a": 30, "b": 20, "c": 100, "d": 20, "e": 30, "f": 1},
        schools={
            "W": WorldSchool(places=95, classes=2, roll=40),
            "M": WorldSchool(places=150, classes=3, roll=100),
            "E": WorldSchool(places=100, classes=2, roll=70),
            "X": WorldSchool(places=60, classes=2, roll=1),
        },
    )


def test_a_merger_whose_schools_cannot_take_all_runs_as_a_closure() -> None:
    """95 of 100 go to E and W, 5 to X. A merger would bind all 100 to E and W: 95 places."""
    weights = replace(PLAIN_WEIGHTS, moved_cny_per_pupil=1.0)
    study = build_full_street()
    plan = ask(study, may_close=("M",), may_expand=(), weights=weights).plans[0]
    assert plan.decisions["decision"].tolist() == ["merge"]
    sent = plan.enrolment[plan.enrolment["unit_id"] == "c"].set_index("school_id")["pupils"].to_dict()
    assert sent == pytest.approx({"E": 50.0, "W": 45.0, "X": 5.0})
    assert [action.kind for action in plan.scenario.actions] == ["close"]
    outcome = run_scenario(study, CN, plan.scenario)
    assert outcome.conflicts == ()


def test_places_built_while_the_school_closes_are_told() -> None:
    """W and E are full. X, third in line and so no likely receiver, gets 3 classes in the year in which M closes.

    135 places for 67,500 yuan, 6,750 a year; 100 children · 30 min = 3,000; M saves 10,000 a year.
    """
    study = build_full_street()
    room = {"W": 50.0, "M": 100.0, "E": 50.0, "X": 1.0}
    tight = study.places.assign(capacity_places=study.places["school_id"].map(room))
    asked: dict[str, Any] = {"may_close": ("M",), "may_expand": ("X",), "expand_classes": (3,), "years": (2026,)}
    rules = {"build_before_closing": True}
    plan = ask(replace(study, places=tight, fingerprint="tight"), rules=rules, **asked).plans[0]
    closed = plan.decisions.set_index("facility_id").loc["M"]
    assert plan.decisions["decision"].tolist() == ["expand", "merge"]
    assert "X, built or extended only in the same year" in str(closed["reason"])


def test_limits_that_a_scenario_does_not_keep_are_told() -> None:
    words = "Run as a scenario, a plan keeps"
    assert words in tell(ask(build_street(), may_close=(), may_expand=()))  # a limit of 1,000 min is asked for
    free = {"max_travel_min": None, "max_travel_low_min": None}
    assert words not in tell(ask(build_street(), may_close=(), may_expand=(), rules=free))


def test_rules_that_play_no_part_in_a_model_are_told() -> None:
    words = "play no part in it"
    assert words in tell(ask(build_street(), model="p_median", count=1, rules={"total_budget_cny": 1.0}))
    free = {"max_travel_min": None, "max_travel_low_min": None}
    assert words not in tell(ask(build_street(), model="p_median", count=1, rules=free))
    money = {"budgets_cny": ((2026, 1e9), (2028, 1e9))}
    answer = ask(build_street(), model="capacitated", may_close=("M",), years=(2026, 2028), rules=money)
    assert "of one year, 2028" in tell(answer)


def test_mean_ways_weigh_years_as_long_as_they_stand() -> None:
    """2026, all three schools: 400/110 min, for one year; then all at one end: 20 min, for 8 and 8 years."""
    answer = ask(build_street(), years=(2026, 2027, 2035), rules={"build_before_closing": True})
    assert answer.plans[0].periods["mean_travel_min"].tolist() == pytest.approx([400 / 110, 20.0, 20.0])
    mean = (400 / 110 + 16 * 20.0) / 17
    assert answer.plans[0].certificate.mean_per_pupil == pytest.approx(mean)
    front = answer.front.iloc[0]
    assert front["mean_travel_min"] * 110.0 == pytest.approx(front["travel_pupil_min"])


def test_guessed_places_are_told() -> None:
    """M: places unknown, 2 classes of 45: 90, told; with neither classes nor a roll it is without limit."""
    rest = {"W": WorldSchool(places=100), "E": WorldSchool(places=90)}
    pupils = {"a": 30, "c": 10, "e": 30}
    classes = build_world("a/W b c/M d e/E", pupils=pupils, schools={"M": WorldSchool(places=None, classes=2), **rest})
    answer = ask(classes, may_close=(), may_expand=())
    assert "places of 1 schools are not known: they are counted from their classes" in tell(answer)
    nothing = build_world("a/W b c/M d e/E", pupils=pupils, schools={"M": WorldSchool(places=None), **rest})
    assert "they count as without limit" in tell(ask(nothing, may_close=(), may_expand=()))


def test_a_stage_that_the_forecast_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    held = SimpleNamespace(unit_ids=("a",), stages=("junior",), years=(2026, 2027))
    monkeypatch.setattr("planning.siting_case.build_forecast", lambda study, options: held)
    case = build_siting_case(build_street(), CN, Scenario(), build_options(years=(2026,), variant="middle"))
    assert any("forecast does not hold primary school" in str(note) for note in case.notes)


def test_a_cure_that_the_time_cut_short_is_one_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within 15 min W and E (30 + 20 at W) have no room for all; only the longest way, 40 min, is known to do."""
    study = build_world(
        "a/W b c d e/E",
        pupils={"a": 30, "b": 20, "c": 0, "d": 20, "e": 30},
        schools={"W": WorldSchool(places=30, classes=1), "E": WorldSchool(places=90, classes=2)},
    )
    rules = {"max_travel_min": 15.0, "max_travel_low_min": 15.0}
    case = build_siting_case(study, CN, Scenario(), build_options(may_close=(), may_expand=(), rules=rules))
    probe = start_probe(build_siting_model(case, near=None), lambda step, share: None)
    assert "15 min longer" in str(_relax_travel(probe)[0].cure)  # b goes 30 min to E
    monkeypatch.setattr(Probe, "late", property(lambda self: True))
    assert "25 min longer: 40 min" in str(_relax_travel(probe)[0].cure)


def test_schools_that_stay_do_not_blur_the_gap_of_maximal_covering(monkeypatch: pytest.MonkeyPatch) -> None:
    """110 pupils; W and E stay: weights of 111 each stand for that. 1 % of the pupils are 1.1 of all 332."""
    asked: list[float] = []
    real = covering.solve_maximal_covering

    def solve(problem: CoverProblem, count: int, **effort: Any) -> LocationAnswer:
        asked.append(effort["gap_share"])
        return real(problem, count, **effort)

    monkeypatch.setattr(covering, "solve_maximal_covering", solve)
    search = replace(build_options().search, gap_share=0.01)
    answer = ask(build_street(), model="maximal_covering", count=2, cover_min=10.0, may_close=("M",), search=search)
    assert asked == pytest.approx([0.01 * 110 / 332])
    assert list_decisions(answer)[0][0] == "M"
    assert answer.plans[0].certificate.value == pytest.approx(10.0)  # c is 20 min from both
    assert np.isfinite(answer.plans[0].certificate.bound)
