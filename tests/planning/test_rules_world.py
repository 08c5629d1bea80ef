"""Rulebooks of other countries: they read, stand on the neutral conventions, and judge a world."""

from __future__ import annotations

import pytest

from planning.rules import BOOKS, KEYS, LEVELS, SCOPES, build_rules, describe_rule, read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, build_world

COUNTRIES = tuple(book for book in BOOKS if book not in ("cn", "intl"))


@pytest.mark.parametrize("name", COUNTRIES)
def test_a_country_stands_on_the_conventions(name: str) -> None:
    rules, base = read_rulebook(name), read_rulebook("intl")
    assert rules.name == name and rules.base == f"{base.name} {base.version}" and rules.level == "nation"
    assert len(rules.rules) == len(base.rules) + len(rules.changes)
    for stage in ("primary", "junior"):
        assert rules.limit("max_fill_share", stage) == 1.0
        assert rules.find("max_fill_share", stage).evidence == "convention"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", BOOKS)
def test_every_rule_is_complete(name: str) -> None:
    for rule in read_rulebook(name).rules:
        assert rule.scope in SCOPES and rule.level in LEVELS and rule.name_zh and rule.source_zh, rule.id
        assert bool(rule.follows_en) == bool(rule.follows_zh), rule.id
        assert bool(rule.value) or not KEYS[rule.key].number, rule.id
        assert all(exception.note_en and exception.note_zh for exception in rule.exceptions), rule.id
        assert rule.verified or not rule.enabled or rule.evidence == "convention", rule.id
        assert all(str(message) for message in describe_rule(rule)), rule.id


@pytest.mark.parametrize(
    ("name", "stage", "grade", "limit_m"),
    [
        ("poland", "primary", 4, 3000),
        ("poland", "primary", 5, 4000),
        ("poland", "junior", 8, 4000),
        ("poland", "primary", None, 3000),
        ("england", "primary", 2, 3219),
        ("england", "primary", 3, 4828),
        ("india", "primary", 5, 1000),
        ("india", "primary", 6, 3000),
        ("india", "junior", 9, 5000),
        ("kenya", "kindergarten", None, 2000),
        ("france", "primary", 1, 2000),
    ],
)
def test_distances_by_grade(name: str, stage: str, grade: int | None, limit_m: float) -> None:
    assert read_rulebook(name).limit("service_radius", stage, grade=grade) == limit_m


def test_grades_of_the_chinese_book() -> None:
    rules = read_rulebook("cn")
    assert rules.limit("max_travel_min", "primary", grade=3) == 30
    assert rules.find("max_travel_min", "primary", grade=5) is None
    assert rules.limit("max_travel_min", "primary") == 30, "where the grade is not known"


def test_among_rules_for_some_grades_the_strictest_speaks_where_the_grade_is_not_known() -> None:
    rule = {
        "key": "max_travel_min",
        "name_en": "Time",
        "name_zh": "时间",
        "unit": "min",
        "op": "<=",
        "severity": "warn",
    }
    rule |= {"source": "s", "verified": True, "evidence": "official"}
    tables = [
        {**rule, "id": "A", "value": 20, "grades": [1, 2]},
        {**rule, "id": "B", "value": 40, "grades": [3, 4]},
        {**rule, "id": "C", "value": 60},
    ]
    rules = build_rules({"name": "x", "version": "1", "rule": tables})
    assert [rules.limit("max_travel_min", "primary", grade=grade) for grade in (1, 3, 6, None)] == [20, 40, 60, 20]


def test_a_world_is_judged_by_the_polish_rules() -> None:
    """One street of five villages, 1 km apart: e is 4 km from the school, d exactly 3 km."""
    study = build_world(
        "a/S b c d e",
        pupils={"a": 10, "b": 10, "c": 10, "d": 10, "e": 10},
        schools={"S": WorldSchool(places=100, roll=50)},
    )
    outcome = run_scenario(study, read_rulebook("poland"), Scenario(stages=("primary",)))
    assert (outcome.record.rulebook, outcome.record.rulebook_version) == ("poland", "2026.1")
    far = [flag for flag in outcome.flags.itertuples() if flag.rule_id.startswith("PL.")]
    assert [(flag.subject_id, flag.rule_id) for flag in far] == [("e", "PL.way_1_4")]
