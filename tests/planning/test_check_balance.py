"""What the balance inspection knows, as checks: cures by hand, and the spread."""

from __future__ import annotations

from typing import Any

import pytest

from planning.balance import build_balance
from planning.rule_checks import check_rules, iterate_checks, list_not_checked, tell_check, tell_cure
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from tests.planning.balance_worlds import build_two_schools, make_good_row
from tests.planning.check_worlds import pick

CN = read_rulebook("cn")


def _check(*rows: dict[str, Any]) -> tuple[Any, Outcome]:
    study = build_two_schools(*rows)
    outcome = run_scenario(study, CN, Scenario())
    balance = build_balance(study, CN, outcome=outcome)
    return check_rules(study, CN, outcome, balance=balance), outcome


@pytest.mark.parametrize(
    ("rule_id", "column", "there", "cure", "amount"),
    [
        ("R1", "above_degree_teachers", 7.0, "teachers", 2),  # 200 pupils: 8.4 wanted
        ("R2", "backbone_teachers", 1.0, "teachers", 1),  # 2 wanted
        ("R5", "outdoor_sports_m2", 1000.0, "m2", 400),  # 1,500 wanted, 100 of them indoors
        ("R6", "equipment_cny", 350_000.0, "cny", 50_000),  # 400,000 wanted
        ("R7", "multimedia_rooms", 3.0, "rooms", 2),  # 4.6 wanted
    ],
)
def test_assets_and_what_cures_them(rule_id: str, column: str, there: float, cure: str, amount: float) -> None:
    good = make_good_row("E", 100)
    checks, _ = _check(make_good_row("W", 200, **{column: there}), good)
    row = pick(checks, "W", rule_id)
    assert (row["status"], row["cure"], row["cure_amount"]) == ("failed", cure, amount)
    assert row["short_by"] == pytest.approx(row["limit"] - row["measured"])
    mended, _ = _check(make_good_row("W", 200, **{column: there + amount}), good)
    assert pick(mended, "W", rule_id)["status"] == "passed"
    assert str(tell_cure(row, CN)) and str(tell_check(row, CN))


def test_a_missing_number_is_named() -> None:
    checks, _ = _check(make_good_row("W", 200, equipment_cny=float("nan")), make_good_row("E", 100))
    row = pick(checks, "W", "R6")
    assert (row["status"], row["missing"], row["cure"]) == ("unknown", "assets.equipment_cny", "")
    assert pick(checks, "E", "R6")["status"] == "passed"


def test_schools_pass_and_the_county_spreads() -> None:
    bare = dict.fromkeys(("above_degree_teachers", "backbone_teachers", "multimedia_rooms"), 0.0)
    checks, _ = _check(make_good_row("W", 200, **bare), make_good_row("E", 100))
    assert pick(checks, "E", "R-school")["status"] == "passed"
    west = pick(checks, "W", "R-school")
    assert (west["status"], west["measured"], west["limit"], west["short_by"]) == ("failed", 4, 6, 2)
    spread = checks[checks["rule_id"] == "R-CV"].set_index("detail")
    assert len(spread) == 7 and spread.loc["R6", "status"] == "passed"
    assert spread.loc["R1", "measured"] == pytest.approx(2**0.5)  # 0 for 200 pupils, x for 100
    assert spread.loc["R1", "status"] == "failed"
    assert all(str(tell_check(row, CN)) for row in iterate_checks(checks))


def test_nothing_of_the_inspection_is_silent() -> None:
    checks, outcome = _check()
    left = list_not_checked(CN, outcome, checks, balanced=True)
    assert {"R1", "R7", "R-school", "R-CV", "G3", "G12"} <= set(checks["rule_id"])
    assert set(checks["rule_id"]) | set(left["rule_id"]) == {rule.id for rule in CN.rules if rule.enabled}


def test_enough_met_but_one_too_far_below() -> None:
    """Six of seven are met; R6 has 1,600 of 2,000 yuan per pupil, 80 %, below the floor of 85 %."""
    checks, _ = _check(make_good_row("W", 200, equipment_cny=320_000.0), make_good_row("E", 100))
    row = pick(checks, "W", "R-school")
    assert (row["status"], row["measured"], row["limit"]) == ("failed", 6, 6)
    assert "6 indicators, as many as asked" in str(tell_check(row, CN)) and "85%" in str(tell_check(row, CN))


def test_a_coefficient_without_some_schools_proves_no_balance() -> None:
    """E gives no equipment: the coefficient of W alone is 0, which says nothing of the county."""
    rows = make_good_row("W", 200), make_good_row("E", 100, equipment_cny=float("nan"))
    checks, outcome = _check(*rows)
    row = pick(checks, "", "R-CV", detail="R6")
    assert (row["status"], row["measured"], row["missing"]) == ("unknown", 0.0, "assets.equipment_cny")
    assert pick(checks, "", "R-CV", detail="R1")["status"] == "passed"
    items = build_balance(build_two_schools(*rows), CN, outcome=outcome).items.set_index("item_id")
    assert items.at["R-CV", "met"] == "unknown" and "1 schools have no value" in str(items.at["R-CV", "note"])
    basic = build_balance(build_two_schools(*rows), CN, kind="basic")
    assert basic.spread.set_index("indicator").at["composite", "schools_unknown"] == 1
