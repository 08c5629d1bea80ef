"""Proposals on streets small enough to work every answer by hand, and against a search through everything."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.errors import ScenarioError
from geodata.study import StudyArea
from planning.actions import CloseSchool
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.scenario_file import parse_scenario, render_scenario
from planning.siting import propose_sites
from planning.siting_answer import (
    DECISION_COLUMNS,
    ENROLMENT_COLUMNS,
    FRONT_COLUMNS,
    PERIOD_COLUMNS,
    SCHOOL_COLUMNS,
)
from planning.siting_case import build_siting_case
from planning.siting_model import build_siting_model
from planning.siting_options import SitingCosts, SitingSearch, SitingWeights
from planning.siting_plans import comment_scenario
from tests.planning.action_worlds import build_street, shuffle
from tests.planning.siting_worlds import (
    CN,
    PLAIN_COSTS,
    PLAIN_WEIGHTS,
    ask,
    build_options,
    build_site_street,
    list_decisions,
    search_everything,
)
from tests.worlds import WorldSchool, build_world


def test_one_school_is_cheaper_than_three() -> None:
    """W 100, M 45, E 90 places for 110 pupils; a minute counts 1 yuan, a school 10,000.

    Two schools suffice: W + M (145), W + E (190), M + E (135). One with an extension: W + 2 classes = 190 places for
    90 · 500 = 45,000, a tenth of it a year = 4,500, or E + 1 class = 135 for 2,250: below the 10,000 of a second
    school. All at E: 30·40 + 20·30 + 10·20 + 20·10 = 2,200 min. At W with 1 class (145): the same by symmetry
    (20·10 + 10·20 + 20·30 + 30·40 = 2,200). M + 2 classes (135, 4,500): 30·20 + 20·10 + 20·10 + 30·20 = 1,600. So
    M + 2 costs 10,000 + 4,500 + 1,600 = 16,100; E + 1 (or W + 1) 10,000 + 2,250 + 2,200 = 14,450. The tie between
    W and E is settled somehow, but always alike.
    """
    first, second = (ask(build_street()) for _ in range(2))
    plan = first.plans[0]
    assert plan.certificate.value == pytest.approx(14_450.0)
    assert plan.certificate.bound == pytest.approx(14_450.0)
    assert plan.certificate.status == "optimal"
    assert plan.parts["travel"] == pytest.approx(2_200.0)
    assert plan.parts["building"] == pytest.approx(2_250.0)
    assert plan.parts["running"] == pytest.approx(10_000.0)
    assert list_decisions(first) == list_decisions(second)
    assert [decision for _, decision, _ in list_decisions(first)] == ["expand", "merge", "merge"]
    period = plan.periods.iloc[0]
    assert period["schools"] == 1
    assert period["places"] in (145.0, 135.0)
    assert period["mean_travel_min"] == pytest.approx(20.0)
    assert period["max_travel_min"] == 40.0
    assert period["building_cny"] == 22_500.0
    assert first.before["schools"].tolist() == [3]
    assert first.before["mean_travel_min"].iloc[0] == pytest.approx(400.0 / 110.0)


def test_a_site_is_built_where_it_pays() -> None:
    """W 100 and E 90 hold all. The site M (2 classes, 90 places, 90,000 yuan: 9,000 a year and 10,000 for running).

    Travel with W and E alone: b 10 to W, c 20, d 10: 200 + 200 + 200 = 600 min. With M: 20·10 + 20·10 = 400 (c 0, and
    b, d are as near to it): saves 200 yuan at most. At 200 yuan a minute it pays (40,000 against 19,000).
    """
    study = build_site_street()
    assert list_decisions(ask(study, may_close=())) == []
    dear = replace(PLAIN_WEIGHTS, travel_cny_per_pupil_hour=1200.0)
    answer = ask(study, may_close=(), may_expand=(), weights=dear)
    assert list_decisions(answer) == [("M", "open", 2025)]
    decision = answer.plans[0].decisions.iloc[0]
    assert decision["places_after"] == 90.0
    assert decision["cost_cny"] == 90_000.0
    assert answer.plans[0].certificate.value == pytest.approx(400.0 * 200.0 + 9_000.0 + 30_000.0)


def test_the_site_s_own_cost_is_shared_out_by_size() -> None:
    study = build_site_street(class_options="1;2", cost_cny=100_000.0)
    case = build_siting_case(study, CN, Scenario(), build_options())
    at = case.facilities.position()["M"]
    assert case.facilities.sizes_classes[at] == (1.0, 2.0)
    assert case.facilities.building_cny[at] == (50_000.0, 100_000.0)
    both = build_site_street(class_options="18;27", stages="primary;junior", cost_cny=90_000.0)
    case = build_siting_case(both, CN, Scenario(), build_options())
    at = case.facilities.position()["M"]
    assert case.facilities.sizes_classes[at] == (12.0, 18.0)
    assert case.facilities.building_cny[at] == (40_000.0, 60_000.0)


def test_sites_of_other_stages_are_left_out_and_told() -> None:
    answer = ask(build_site_street(stages="junior"), may_close=("W", "E"))
    assert answer.left_out["site_id"].tolist() == ["M"]
    assert "not meant for primary school" in str(answer.left_out["reason"].iloc[0])


def test_tables_fit_together() -> None:
    answer = ask(build_street(), years=(2026, 2028), rules={"build_before_closing": True})
    plan = answer.plans[0]
    for table, columns in (
        (plan.decisions, DECISION_COLUMNS),
        (plan.periods, PERIOD_COLUMNS),
        (plan.schools, SCHOOL_COLUMNS),
        (plan.enrolment, ENROLMENT_COLUMNS),
        (answer.front, FRONT_COLUMNS),
        (answer.before, PERIOD_COLUMNS),
    ):
        assert tuple(table.columns) == columns
    enrolled = plan.enrolment.groupby("year")["pupils"].sum()
    assert enrolled.to_numpy() == pytest.approx(plan.periods["pupils"].to_numpy())
    loads = plan.enrolment.groupby(["year", "school_id"])["pupils"].sum()
    listed = plan.schools.set_index(["year", "facility_id"])["pupils"]
    assert listed.reindex(loads.index).to_numpy() == pytest.approx(loads.to_numpy())
    assert (plan.schools["pupils"] <= plan.schools["places"] + 1e-6).all()
    assert sum(plan.parts.values()) == pytest.approx(plan.certificate.value)
    again = pickle.loads(pickle.dumps(answer))
    pd.testing.assert_frame_equal(again.plans[0].decisions, plan.decisions)


def test_years_weigh_until_the_next_and_buildings_by_what_the_horizon_carries() -> None:
    """2026 stands for two years, 2028 for as many; what is built in 2026 carries 4 of 10 years, in 2028 two."""
    case = build_siting_case(build_street(), CN, Scenario(), build_options(years=(2026, 2028)))
    assert case.year_weight.tolist() == [2.0, 2.0]
    model = build_siting_model(case)
    east = case.facilities.position()["E"]
    span = slice(model.ways.start[east], model.ways.start[east + 1])
    assert model.ways.building_cny[span].tolist() == [0.0, 0.0, 0.0, 9_000.0, 4_500.0, 18_000.0, 9_000.0]
    assert model.ways.running_cny[span].tolist() == [40_000.0, 0.0, 20_000.0] + [40_000.0] * 4


def test_what_closes_waits_for_what_is_built() -> None:
    """One extended school is best for the 17 years to come. It is extended in 2026; the others close in 2027."""
    answer = ask(build_street(), years=(2026, 2027, 2035), rules={"build_before_closing": True})
    years = {decision: year for _, decision, year in list_decisions(answer)}
    assert years == {"expand": 2026, "merge": 2027}
    free = ask(build_street(), years=(2026, 2027, 2035))
    assert {year for _, _, year in list_decisions(free)} == {2026}


def test_budgets_and_changes_hold() -> None:
    """22,500 for a class at E are too much for 20,000: two schools stay instead, one school closes."""
    poor = ask(build_street(), years=(2026,), rules={"budgets_cny": ((2026, 20_000.0),)})
    assert [decision for _, decision, _ in list_decisions(poor)] == ["merge"]
    few = ask(build_street(), years=(2026,), rules={"max_changes": 1})
    assert len(list_decisions(few)) == 1
    total = ask(build_street(), years=(2026, 2028), rules={"total_budget_cny": 0.0})
    assert float(total.plans[0].periods["building_cny"].sum()) == 0.0


def test_protected_and_unnamed_schools_stay() -> None:
    answer = ask(build_street(), rules={"protected": ("W", "M", "E")})
    assert {decision for _, decision, _ in list_decisions(answer)} <= {"expand"}
    kept = ask(build_street(), may_close=("M",), may_expand=())
    assert [key for key, _, _ in list_decisions(kept)] == ["M"]


def test_schools_that_are_full_by_their_rolls_are_not_closed_unasked() -> None:
    """E has 95 on its roll for 90 places; only 50 children live near. Nothing but a name lets it close."""
    study = build_world(
        "a/W b c/M d e/E",
        pupils={"a": 30, "b": 20, "c": 10, "d": 20, "e": 30},
        schools={
            "W": WorldSchool(places=100, roll=40),
            "M": WorldSchool(places=45, roll=20),
            "E": WorldSchool(places=90, roll=95),
        },
    )
    answer = ask(study, may_close=None, may_expand=())
    assert "E" not in {key for key, _, _ in list_decisions(answer)}
    assert any("full by their rolls" in str(note) for note in answer.notes)


def test_private_schools_take_pupils_but_are_never_decided_upon() -> None:
    study = build_world(
        "a/W b c/M d e/E",
        pupils={"a": 30, "b": 20, "c": 10, "d": 20, "e": 30},
        schools={
            "W": WorldSchool(places=100),
            "M": WorldSchool(places=45),
            "E": WorldSchool(places=90, ownership="private"),
        },
    )
    answer = ask(study)
    assert "E" not in {key for key, _, _ in list_decisions(answer)}
    assert answer.plans[0].parts["running"] <= 20_000.0


def test_the_rulebook_s_limit_holds_for_the_low_grades() -> None:
    """Within 30 min for grades 1 to 3 (rule C6): one school at an end would leave a, b or d, e 40 and 30 min away."""
    answer = ask(build_street(), rules={"max_travel_min": None, "max_travel_low_min": None})
    case = build_siting_case(
        build_street(), CN, Scenario(), build_options(rules={"max_travel_min": None, "max_travel_low_min": None})
    )
    assert case.n_rows == 10
    assert sorted(set(case.cap_min.tolist())) == [30.0, np.inf]
    assert answer.plans[0].periods["beyond_limit_pupils"].iloc[0] == 0.0
    assert answer.plans[0].parts["travel"] < 2_200.0


def test_those_beyond_the_limit_today_may_not_come_to_a_longer_way() -> None:
    """Only W and E stand, within 15 min of a, b, d, e; c is 20 min from both: told, and not sent farther."""
    study = build_street()
    study = replace(
        study,
        schools=study.schools[study.schools["school_id"] != "M"].reset_index(drop=True),
        places=study.places[study.places["school_id"] != "M"].reset_index(drop=True),
    )
    answer = ask(study, may_close=("W", "E"), may_expand=(), rules={"max_travel_min": 15.0, "max_travel_low_min": 15.0})
    assert answer.plans
    assert answer.plans[0].periods["beyond_limit_pupils"].iloc[0] == 10.0
    assert any("10 pupils" in str(note) for note in answer.notes)


def test_base_actions_come_first() -> None:
    base = Scenario(name="ours", actions=(CloseSchool(school_id="W"),))
    answer = ask(build_street(), base, may_close=(), may_expand=())
    assert answer.before["schools"].tolist() == [2]
    scenario = answer.plans[0].scenario
    assert scenario.inherited == base.actions
    assert scenario.parent == "ours"


def test_a_base_that_cannot_be_is_refused_in_words() -> None:
    answer = ask(build_street(), Scenario(actions=(CloseSchool(school_id="X"),)))
    assert not answer.plans
    assert answer.conflicts[0].rule == "action"
    assert "no school with the id X" in str(answer.conflicts[0].message)


@pytest.mark.parametrize(
    "options",
    [
        {},
        pytest.param({"years": (2026, 2028), "rules": {"build_before_closing": True}}, marks=pytest.mark.slow),
        {"years": (2026, 2028), "rules": {"max_changes": 2, "budgets_cny": ((2026, 30_000.0),)}},
        {"rules": {"min_pupils": 50.0}},
        {"rules": {"fill_share": 0.8, "max_classes": 3}},
        {"weights": SitingWeights(10.0, 400.0, 500.0, 500.0)},
    ],
)
@pytest.mark.parametrize("world", ["street", pytest.param("site", marks=pytest.mark.slow)])
def test_best_plan_is_that_of_a_search_through_everything(options: dict[str, object], world: str) -> None:
    study = build_street() if world == "street" else build_site_street()
    asked = build_options(may_close=("W", "E"), **options)
    answer = propose_sites(study, CN, Scenario(), asked)
    model = build_siting_model(build_siting_case(study, CN, Scenario(), asked))
    certificate = answer.plans[0].certificate
    assert certificate.value == pytest.approx(search_everything(model), rel=1e-7)
    assert certificate.bound <= certificate.value + 1e-6


def build_hamlets(seed: int) -> StudyArea:
    """Six villages in two rows, a complete school, a teaching point, a private school and zones; random numbers.

    ::

        a/P  b  c/S      P: teaching point (grades 1 to 3), S: complete, X: private
        d    e  f/X
    """
    random = np.random.default_rng(seed)
    pupils = {key: float(random.integers(5, 40)) for key in "abcdef"}
    return build_world(
        "a/P b c/S\nd e f/X",
        pupils=pupils,
        schools={
            "P": WorldSchool(kind="teaching_point", places=float(random.integers(40, 90)), roll=20),
            "S": WorldSchool(places=float(random.integers(60, 200)), roll=60),
            "X": WorldSchool(places=float(random.integers(20, 60)), roll=10, ownership="private"),
        },
        zones=[("a", "primary", "P"), ("a", "primary", "S"), ("b", "primary", "S"), ("e", "primary", "X")],
    )


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.slow)])
def test_bands_zones_and_private_schools_agree_with_a_search_through_everything(seed: int) -> None:
    study = build_hamlets(seed)
    weights = SitingWeights(6.0, 10.0, moved_cny_per_pupil=7.0, empty_cny_per_place_year=3.0)
    costs = replace(PLAIN_COSTS, running_cny_per_school_year=300.0, running_cny_per_class_year=50.0)
    rules = {"max_travel_min": None, "max_travel_low_min": None, "fill_share": 0.9}
    asked = build_options(may_close=("P", "S"), weights=weights, costs=costs, rules=rules)
    answer = propose_sites(study, CN, Scenario(), asked)
    case = build_siting_case(study, CN, Scenario(), asked)
    least = search_everything(build_siting_model(case))
    assert case.row_low.sum() == 6
    assert case.home.sum(axis=1) == pytest.approx(np.ones(case.n_rows))
    if not np.isfinite(least):
        assert answer.conflicts
        return
    assert answer.plans[0].certificate.value == pytest.approx(least, rel=1e-7)
    upper = answer.plans[0].enrolment.merge(
        pd.DataFrame({"unit_id": case.unit_ids[case.row_unit], "low": case.row_low, "all": case.pupils[:, 0]})
        .groupby("unit_id")["all"]
        .sum()
        .reset_index(),
        on="unit_id",
    )
    at_point = upper[upper["school_id"] == "P"]
    assert (at_point["pupils"] <= 0.5 * at_point["all"] + 1e-6).all()


def test_the_plan_s_scenario_runs_and_gives_the_same_schools() -> None:
    study = build_site_street()
    dear = replace(PLAIN_WEIGHTS, travel_cny_per_pupil_hour=1200.0)
    answer = ask(study, years=(2026, 2028), weights=dear, may_close=("W", "E"), may_expand=("W",))
    plan = answer.plans[0]
    outcome = run_scenario(study, CN, plan.scenario)
    assert outcome.conflicts == ()
    assert not [problem for problem in outcome.action_problems if problem.severity == "error"]
    last = plan.schools[plan.schools["year"] == plan.schools["year"].max()]
    stood = outcome.require_plan().places.set_index("school_id")["capacity_places"]
    assert stood.sort_index().to_dict() == dict(zip(last["facility_id"], last["places"], strict=True))


def test_merged_schools_run_as_mergers() -> None:
    answer = ask(build_street())
    kinds = [action.kind for action in answer.plans[0].scenario.actions]
    assert kinds == ["places", "merge", "merge"]
    outcome = run_scenario(build_street(), CN, answer.plans[0].scenario)
    assert outcome.plan is not None
    mean = outcome.indicator("mean_travel_min")
    assert mean == pytest.approx(answer.plans[0].periods["mean_travel_min"].iloc[0])


def test_the_order_of_rows_does_not_matter() -> None:
    """Also where plans are equally good: one school at either end is."""
    first, second = (ask(study, years=(2026, 2027)) for study in (build_street(), shuffle(build_street(), 7)))
    pd.testing.assert_frame_equal(
        first.plans[0].decisions.drop(columns="reason"), second.plans[0].decisions.drop(columns="reason")
    )
    assert first.plans[0].decisions["reason"].map(str).tolist() == second.plans[0].decisions["reason"].map(str).tolist()
    pd.testing.assert_frame_equal(first.plans[0].enrolment, second.plans[0].enrolment)


def test_a_plan_s_scenario_is_stored_and_read_again() -> None:
    plan = ask(build_street(), years=(2026, 2027)).plans[0]
    told = comment_scenario(plan, lambda reason: f"“{reason}”")
    assert all(action.comment.startswith("“") for action in told.actions)
    assert parse_scenario(render_scenario(told)) == told


def test_spare_classes_are_what_closing_saves() -> None:
    """M: 1 class for 10 children of 45 at its door (0.67 of 30 with the tie b): the rest of the class is spare."""
    costs = replace(PLAIN_COSTS, running_cny_per_class_year=9_000.0)
    case = build_siting_case(build_street(), CN, Scenario(), build_options(costs=costs))
    model = build_siting_model(case)
    at = case.facilities.position()["M"]
    home = case.home_pupils[at, 0]
    spare = 1.0 - home / 45.0
    assert model.ways.running_cny[model.ways.start[at]] == pytest.approx(10_000.0 + spare * 9_000.0)


def test_no_children_no_question() -> None:
    found = ask(build_street(), stage="junior")
    assert [conflict.rule for conflict in found.conflicts] == ["asked", "asked"]


def test_two_years_need_two_figures() -> None:
    with pytest.raises(ScenarioError, match="ascend"):
        build_options(years=(2028, 2026))


def test_progress_can_cancel() -> None:
    class Stop(Exception):
        """Stands for a planner who pressed cancel."""

    def cancel(step: object, share: float) -> None:
        if share > 0.05:
            raise Stop

    with pytest.raises(Stop):
        propose_sites(build_street(), CN, Scenario(), build_options(), progress=cancel)


def test_costs_refuse_what_is_no_number() -> None:
    with pytest.raises(ScenarioError):
        SitingCosts(building_cny_per_place=float("nan"))
    with pytest.raises(ScenarioError):
        SitingSearch(front_plans=0)
