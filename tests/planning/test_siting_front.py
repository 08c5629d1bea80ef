"""Several good and different plans: the front is one, its ends are the ends, and alternatives differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planning.scenario import Scenario
from planning.siting import propose_sites
from planning.siting_answer import SitingAnswer
from planning.siting_case import build_siting_case
from planning.siting_front import CHEAPEST, SHORTEST
from planning.siting_model import build_siting_model
from planning.siting_options import SitingSearch
from tests.planning.action_worlds import build_street
from tests.planning.siting_worlds import CN, PLAIN_WEIGHTS, build_options, build_site_street, search_everything

SEVERAL = SitingSearch(time_limit_s=60.0, gap_share=1e-9, front_plans=6, alternatives=2, within_share=0.3, differ=2)


@pytest.fixture(scope="module")
def several() -> SitingAnswer:
    """A street where travel and money pull apart: a minute counts 20 yuan."""
    weights = replace(PLAIN_WEIGHTS, travel_cny_per_pupil_hour=120.0)
    return propose_sites(
        build_site_street(), CN, Scenario(), build_options(may_close=("W", "E"), weights=weights, search=SEVERAL)
    )


def test_the_front_is_one(several: SitingAnswer) -> None:
    front = several.front
    assert front["role"].tolist()[0] == "best"
    shown = front[front["role"] != "alternative"].sort_values("cost_cny")
    assert len(shown) >= 3
    assert (np.diff(shown["cost_cny"]) > 0).all()
    assert (np.diff(shown["travel_pupil_min"]) < 0).all()
    assert not shown["dominated"].any()
    assert front["plan"].tolist() == [plan.plan_id for plan in several.plans]
    assert (front["gap_share"] >= 0).all()


def test_its_ends_are_those_of_a_search_through_everything(several: SitingAnswer) -> None:
    study = build_site_street()
    weights = replace(PLAIN_WEIGHTS, travel_cny_per_pupil_hour=120.0)
    case = build_siting_case(study, CN, Scenario(), build_options(may_close=("W", "E"), weights=weights))
    model = build_siting_model(case)
    for objective, mix in (("siting_cost", CHEAPEST), ("siting_travel", SHORTEST)):
        found = [plan for plan in several.plans if plan.certificate.objective == objective]
        least = search_everything(model, mix)
        assert min(plan.certificate.value for plan in found) == pytest.approx(least, rel=1e-6)
        assert all(plan.certificate.bound <= plan.certificate.value + 1e-6 for plan in found)


def test_alternatives_differ_and_are_near(several: SitingAnswer) -> None:
    best = several.plans[0]
    alternatives = [plan for plan in several.plans if plan.role == "alternative"]
    assert alternatives
    chosen = [_list_kinds(plan) for plan in (best, *alternatives)]
    for at, first in enumerate(chosen):
        for second in chosen[at + 1 :]:
            assert len(first ^ second) >= 2
    for plan in alternatives:
        assert best.certificate.value <= plan.certificate.value <= 1.3 * best.certificate.value
        assert plan.certificate.bound == pytest.approx(best.certificate.bound)


def _list_kinds(plan: object) -> set[tuple[str, str]]:
    table = plan.decisions  # type: ignore[attr-defined]
    kinds = table["decision"].replace("merge", "close")
    return set(zip(table["facility_id"], kinds, strict=True))


def test_that_there_is_no_alternative_is_told_with_its_proof() -> None:
    search = replace(SEVERAL, front_plans=1, within_share=0.0001)
    answer = propose_sites(
        build_street(), CN, Scenario(), build_options(search=search, rules={"protected": ("W", "E")})
    )
    assert len(answer.plans) == 1
    assert any("It is proven that no other plan" in str(note) for note in answer.notes)


def test_every_plan_of_an_answer_is_named_and_proven(several: SitingAnswer) -> None:
    names = [str(plan.name) for plan in several.plans]
    assert len(set(names)) == len(names)
    for plan in several.plans:
        assert several.find(plan.plan_id) is plan
        assert plan.certificate.status in ("optimal", "feasible")
        assert plan.periods["unplaced_pupils"].max() == 0.0


def test_an_alternative_is_not_the_best_plan_with_something_on_top() -> None:
    """The best plan extends one school and merges two; every other plan leaves one of these out."""
    search = replace(SEVERAL, front_plans=1, within_share=1.0)
    answer = propose_sites(build_street(), CN, Scenario(), build_options(search=search))
    best, *others = (_list_kinds(plan) for plan in answer.plans)
    assert len(best) == 3
    assert others
    assert all(best - other for other in others)
