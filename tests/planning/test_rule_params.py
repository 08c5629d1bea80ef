"""Parameters in words: every name and text of the books that come with the program has both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planning.rule_params import WORDS, list_params
from planning.rules import BOOKS, read_rulebook


def _iterate(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield "name", key
            yield from _iterate(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _iterate(item)
    elif isinstance(value, str):
        yield "text", value


def test_every_parameter_of_the_books_has_words_and_no_word_is_left_over() -> None:
    found: set[tuple[str, str]] = set()
    for book in BOOKS:
        for rule in read_rulebook(book).rules:
            for params in (rule.params, *(exception.params for exception in rule.exceptions)):
                found |= set(_iterate(params))
    assert found == set(WORDS)
    assert all(english and chinese for english, chinese in WORDS.values())


def test_parameters_in_words() -> None:
    rules = read_rulebook("cn")
    assert list_params(rules.by_id("R-school").params) == (
        ("indicators to be met", "6"),
        ("of so many", "7"),
        ("least ratio of the rest", "0.85"),
    )
    assert list_params(rules.by_id("L4").params, chinese=True)[0] == ("人口", "50,000、100,000")
    assert dict(list_params(rules.by_id("C15").params))["primary"] == "2023", "a year has no thousands"
    steps = dict(list_params(rules.by_id("Z8").params, chinese=True))["步骤"]
    assert steps == "公众参与、专家论证、风险评估、合法性审查、集体决策、公布"
    assert list_params({"elsewhere": {"DC": 10}, "mine": "so", "attendant": True, "seen": []}) == (
        ("elsewhere: DC", "10"),
        ("mine", "so"),
        ("attendant", "yes"),
        ("values seen", "none"),
    )
