"""What is said where no proposal is lawful: the rule, and the smallest change that would cure it, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from geodata.study import StudyArea
from planning.siting_answer import SitingAnswer
from tests.planning.siting_worlds import PLAIN_COSTS, ask, build_site_street
from tests.worlds import WorldSchool, build_world


def build_ends(west: float, east: float) -> StudyArea:
    """Five villages on a line, 10 min apart, a school at each end: pupils 30 20 10 20 30, 110 in all."""
    return build_world(
        "a/W b c d e/E",
        pupils={"a": 30, "b": 20, "c": 10, "d": 20, "e": 30},
        schools={"W": WorldSchool(places=west, classes=1), "E": WorldSchool(places=east, classes=1)},
    )


def refuse(study: StudyArea, **changes: Any) -> SitingAnswer:
    """Return an answer that has no plan."""
    answer = ask(study, **{"may_close": ("W", "E"), **changes})
    assert not answer.plans
    assert answer.conflicts
    return answer


def tell(answer: SitingAnswer) -> dict[str, str]:
    """Return message and cure by rule."""
    return {conflict.rule: f"{conflict.message} {conflict.cure}".strip() for conflict in answer.conflicts}


DEAR = replace(PLAIN_COSTS, expanding_cny_per_place=50_000.0)
"""A class of 45 costs 2.25 million yuan."""


def test_short_places_name_who_and_how_many_classes() -> None:
    """90 places for 110 pupils and nothing may grow: 20 have none; half a class, so one."""
    answer = refuse(build_ends(50, 40), may_expand=())
    said = tell(answer)
    assert list(said) == ["capacity"]
    assert "whatever is decided, 20 pupils have no place" in said["capacity"]
    assert "20 more places (1 classes) near" in said["capacity"]
    assert answer.conflicts[0].short_pupils == pytest.approx(20.0)
    assert answer.before["unplaced_pupils"].iloc[0] == pytest.approx(20.0)


def test_a_budget_is_told_with_what_it_would_have_to_be() -> None:
    """One class at either school places all: 2.25 million yuan, told as 2.3."""
    answer = refuse(build_ends(50, 40), years=(2026,), costs=DEAR, rules={"budgets_cny": ((2026, 1e6),)})
    said = tell(answer)
    assert "the budget of 2026, 1.0 million yuan" in said["budget"].lower()
    assert "would have to be 2.3 million yuan instead of 1.0" in said["budget"]
    total = refuse(build_ends(50, 40), years=(2026,), costs=DEAR, rules={"total_budget_cny": 1e6})
    assert "2.3 million yuan instead of 1.0" in tell(total)["budget"]


@pytest.mark.slow
def test_budgets_that_fail_together_are_told_together() -> None:
    """Places are short in both years; the class must be there in 2026, and nobody may pay: only 2026 cures it."""
    answer = refuse(
        build_ends(50, 40), years=(2026, 2028), costs=DEAR, rules={"budgets_cny": ((2026, 0.0), (2028, 0.0))}
    )
    assert [conflict.rule for conflict in answer.conflicts] == ["capacity", "budget"]
    assert "2026" in str(answer.conflicts[1].message)
    both = refuse(
        build_ends(50, 40),
        years=(2026, 2028),
        costs=DEAR,
        rules={"budgets_cny": ((2026, 0.0),), "total_budget_cny": 0.0},
    )
    assert "Budgets in million yuan that would do: 2026: 2." in tell(both)["budget"]


def test_too_few_changes() -> None:
    answer = refuse(build_ends(50, 40), years=(2026,), rules={"max_changes": 0})
    assert "1 changes in a year would do instead of 0" in tell(answer)["changes"]


def test_a_limit_of_travel_that_places_do_not_allow() -> None:
    """W 100, E 20. Within 15 min d and e (50 pupils) have E alone. 30 of them must go to W: d 30 min, 10 of e 40."""
    answer = refuse(build_ends(100, 20), may_expand=(), rules={"max_travel_min": 15.0, "max_travel_low_min": 15.0})
    said = tell(answer)
    assert "30 pupils have no place" in said["capacity"]
    assert "25 min longer: 40 min" in said["travel_cap"]


def test_a_least_size_that_not_all_can_have() -> None:
    """Two schools of 60 places are both needed; 110 pupils make 55 each."""
    answer = refuse(build_ends(60, 60), may_expand=(), rules={"min_pupils": 60.0})
    assert "At most 55 pupils can be asked" in tell(answer)["min_pupils"]


def test_too_few_schools() -> None:
    answer = refuse(build_ends(60, 60), may_expand=(), count=1)
    assert "2 schools would do instead of 1" in tell(answer)["count"]
    kept = refuse(build_ends(60, 60), may_close=("W",), count=1, may_expand=(), rules={"protected": ("W",)})
    assert "1 schools are asked for, but 2 may not close" in tell(kept)["count"]


def test_building_before_closing_may_stand_against_all() -> None:
    """One school for all needs an extension and a closing in the only year there is."""
    answer = refuse(build_ends(60, 60), count=1, years=(2026,), rules={"build_before_closing": True})
    said = tell(answer)
    assert "Building before closing" in said["order"]
    assert "2 schools would do" in said["count"]


def test_what_needs_no_search_is_told_at_once() -> None:
    study = build_site_street()
    assert tell(refuse(study, may_open=("Z",)))["asked"].startswith("sites that may be built on: there is no id Z")
    assert "no year of the plan" in tell(refuse(study, years=(2027,), rules={"budgets_cny": ((2026, 1.0),)}))["budget"]
    assert "there are 3 schools and sites" in tell(refuse(study, count=4))["count"]
    assert "No children are known" in str(refuse(study, stage="junior").conflicts[-1].message)
    assert "2027" in str(
        refuse(replace(study, view="2027 middle"), years=(2028,), variant="middle").conflicts[0].message
    )
