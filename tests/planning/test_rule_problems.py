"""What is wrong with a rulebook is said in the reader's language, and as it was in English."""

from __future__ import annotations

import datetime
import math
import pickle
import re
import tomllib

import pytest

from geodata.errors import RuleError
from geodata.messages import msg
from planning.rule_predicates import parse_predicate
from planning.rule_problems import tell_not_toml
from planning.rules import build_rules, read_rulebook
from reports.language import read_catalogue
from tests.planning.test_rules import RULE

CHINESE = read_catalogue("zh")
CITED = {"source": "s", "reason": "r"}
EXCEPTIONS = [{"when": "boarding"}, {"whenn": "boarding", "exempt": 3}, "no", {"when": "pupils =< 3", "exempt": True}]
WRONG_RULES = [
    {**RULE, "key": "service_radus", "colour": "red", "scope": "planet"},
    {**RULE, "value": {"primry": 1}, "grades": [0], "params": {"day": datetime.date(2026, 1, 1)}},
    {**RULE, "exceptions": EXCEPTIONS},
    {**RULE, "severity": "evidence", "setting": ["city"], "kind": "primary", "value": math.inf},
    {key: value for key, value in {**RULE, "valid_from": True, "follows_en": 3}.items() if key != "op"},
    {**RULE, "exceptions": {"when": "boarding"}},
    "no table",
]
WRONG_CHANGES = [
    {"id": "G5", "value": 40},
    {"id": "G55", "value": 40, **CITED},
    {"id": "L1", "key": "max_classes", "level": "city", **CITED},
    {"id": "P7", "params": {"yellow": 0.9}, **CITED},
    {"id": "G6", "value": 3, **CITED},
    {"id": "G6", "value": 4, **CITED},
    3,
]
HEAD = {"name": "x", "version": "1"}
WRONG_BOOKS = [
    {"name": "x", "versoin": "1", "level": "village", "rule": WRONG_RULES},
    {**HEAD, "base": 3, "rule": {}},
    {**HEAD, "base": "cn", "level": "county", "rule": WRONG_CHANGES},
    {**HEAD, "rule": [RULE, {**RULE, "replaces": "X9"}, {**RULE, "id": "X2", "replaces": "X2"}]},
    {**HEAD, "rule": [RULE, {**RULE, "id": "X2", "replaces": "X1", "level": "nation"}, {**RULE, "level": "city"}]},
    {**HEAD, "base": "no such book"},
]
WRONG_PREDICATES = (
    *("founded_year <= or", "founded = 2010", "founded <= 2010", "pupils", 'pupils == "many"', 'kind <= "x"'),
    *("grade in 3", "grade in [1, 2", "(pupils > 1", "boarding classes", "", "not", "pupils not 3", "boarding; safe"),
    "(" * 30 + "boarding" + ")" * 30,
)
WRONG_TEXTS = (
    *("name = ", "name", "= 3", "a = 1 b = 2", "[a", "[[a", "a = [1", "a = {b = 1", 'a = "x', "a = 1\na = 2"),
    *('a = "\\q"', 'a = "\\uD800"', "a = 2026-13-01", "[a]\n[a]", "a = {b = 1}\n[a.c]", "a = {b = 1, b = 2}"),
    *("a = '\x01'", "a = 1 \x01", "a = 1\r", "a = [" * 5_000, "a = " + "9" * 5_000, "a = tru", "a\n= 1"),
)


def assert_chinese(line: str) -> None:
    """No two English words follow one another outside of what the file says itself."""
    own = re.sub(r"“[^”]*”", "", line)
    assert re.search("[\u4e00-\u9fff]", own), line
    assert not re.search(r"[A-Za-z]{2,}[,;:]? [a-z]{2,}", own), line


@pytest.mark.parametrize("document", WRONG_BOOKS)
def test_every_problem_of_a_rulebook_is_said_in_chinese(document):
    with pytest.raises(RuleError) as caught:
        build_rules(document, file="mine.toml")
    error = caught.value
    for problem in error.problems:
        assert_chinese(CHINESE.say(problem))
    said = "; ".join(str(problem) for problem in error.problems)
    assert str(error) == (f"{error.file}: {said}" if error.file else said)


@pytest.mark.parametrize("text", WRONG_PREDICATES)
def test_every_mistake_of_a_predicate_is_said_in_chinese(text):
    with pytest.raises(RuleError) as caught:
        parse_predicate(text)
    (problem,) = caught.value.problems
    assert_chinese(CHINESE.say(problem))


@pytest.mark.parametrize("text", WRONG_TEXTS)
def test_why_a_text_is_not_toml_is_said_in_chinese_and_in_english_as_it_was(text):
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        assert_chinese(CHINESE.say(msg("not valid TOML: {reason}", reason=tell_not_toml(error))))
        if isinstance(error, tomllib.TOMLDecodeError):
            assert str(tell_not_toml(error)) == str(error)


def test_a_file_that_is_not_text_is_told(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(b"name = '\xff'")
    with pytest.raises(RuleError, match=r"Rulebook mine\.toml is not valid TOML: it is not text in UTF-8"):
        read_rulebook(file)


def test_the_words_of_the_place_and_of_the_near_key():
    with pytest.raises(RuleError) as caught:
        build_rules({**HEAD, "rule": [{**RULE, "colour": "red", "enabled": "yes"}]})
    assert [CHINESE.say(problem).split("；")[0] for problem in caught.value.problems] == [
        "第 1 条规则（X1）：未知的键“colour”",
        "第 1 条规则（X1）：enabled 应为真假值（true 或 false）",
    ]


@pytest.mark.parametrize(
    "error",
    [
        RuleError("as {it} is"),
        RuleError(msg("{key!r} is missing", key="value")),
        RuleError([msg("{key!r} is missing", key="value"), msg("a table was expected")], "mine.toml"),
    ],
)
def test_an_error_keeps_its_problems_on_its_way_from_a_worker(error):
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems, again.file) == (str(error), error.problems, error.file)


def test_the_english_of_an_error_is_its_file_and_all_its_problems():
    assert str(RuleError("as {it} is")) == "as {it} is"
    both = RuleError([msg("{key!r} is missing", key="value"), msg("a table was expected")], "mine.toml")
    assert str(both) == "mine.toml: 'value' is missing; a table was expected"
