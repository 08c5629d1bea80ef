"""Predicates of rules: the grammar, its errors with their place, and the laws of three-valued logic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import RuleError
from planning.rule_words import FACT_WORDS, tell_condition
from planning.rules import FACTS, judge_predicate, list_facts, parse_predicate


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("founded_year <= 2010", {"founded_year": 2010}, True),
        ("founded_year <= 2010", {"founded_year": 2011.0}, False),
        ("founded_year <= 2010", {}, None),
        ("founded_year <= 2010", {"founded_year": math.nan}, None),
        ("founded_year <= 2010", {"founded_year": "old"}, None),
        ("migrant_share > 0.5", {"migrant_share": np.float32(0.75)}, True),
        ('kind == "nine_year"', {"kind": "nine_year"}, True),
        ("kind != 'nine_year'", {"kind": "primary"}, True),
        ('kind == "nine_year"', {"kind": ""}, None),
        ('setting in ["rural", "town"]', {"setting": "town"}, True),
        ('setting not in ["rural", "town"]', {"setting": "town"}, False),
        ("grade in [1, 2, 3]", {"grade": 4}, False),
        ("boarding", {"boarding": True}, True),
        ("not boarding", {"boarding": np.bool_(True)}, False),
        ("boarding == false", {"boarding": False}, True),
        ("boarding", {"boarding": 1}, None),
        ("not boarding", {}, None),
        ("pupils >= -1 and pupils < 3.5", {"pupils": 3}, True),
        ("founded_year <= 2010 or migrant_share > 0.5", {"migrant_share": 0.6}, True),
        ("founded_year <= 2010 or migrant_share > 0.5", {"migrant_share": 0.4}, None),
        ("founded_year <= 2010 and migrant_share > 0.5", {"migrant_share": 0.4}, False),
        ("pupils > 1 or pupils > 2 and classes > 3", {"pupils": 2, "classes": 0}, True),
        ("(pupils > 1 or pupils > 2) and classes > 3", {"pupils": 2, "classes": 0}, False),
        ("not (pupils > 1 and classes > 3)", {"classes": 0}, True),
    ],
)
def test_what_a_predicate_says(text, facts, expected):
    assert judge_predicate(text, facts) is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("founded_year <= or", r"character 17 \('or'\): a value was expected"),
        ("founded = 2010", r"character 9: '=' is not understood; write == to compare"),
        ("founded <= 2010", r"character 1 \('founded'\): unknown fact; did you mean 'founded_year'\?"),
        ("pupils", "a comparison was expected: pupils is a number"),
        ('pupils == "many"', "pupils is a number, not a text"),
        ('kind <= "primary"', "kind is a text"),
        ("kind == primary", "a value was expected"),
        ("grade in 3", r"'\[' was expected"),
        ("grade in [1, 2", "',' or ']' was expected"),
        ("(pupils > 1", r"'\)' is missing"),
        ("pupils > 1 classes > 2", "'and', 'or' or the end was expected"),
        ("", r"character 1 \(the end\): the name of a fact was expected"),
        ("not", "the name of a fact was expected"),
        ("pupils not 3", "'in' was expected after 'not'"),
        ("__import__('os')", "unknown fact"),
        ("pupils > 1; classes", "';' is not understood"),
        ("(" * 30 + "boarding" + ")" * 30, "more than 20 levels"),
    ],
)
def test_a_mistake_is_told_with_its_place(text, problem):
    with pytest.raises(RuleError, match=problem):
        parse_predicate(text)


def test_the_facts_that_a_predicate_asks_for():
    assert list_facts('boarding or not (pupils > 1 and boarding) or kind == "junior"') == ("boarding", "pupils", "kind")


def test_every_fact_has_meanings_and_words():
    assert set(FACT_WORDS) == set(FACTS)
    for fact in FACTS.values():
        assert fact.meaning_en and fact.meaning_zh and fact.kind in ("number", "text", "truth")


def test_a_predicate_in_words():
    said = str(tell_condition('founded_year <= 2010 or (setting in ["rural", "town"] and not boarding)'))
    assert said == "year of foundation ≤ 2010 or (setting is one of rural, town and also not (it is a boarding school))"
    assert str(tell_condition("boarding == false")) == "not (it is a boarding school)"
    assert str(tell_condition('kind not in ["nine_year"] and pupils != 3')) == (
        "kind of school is none of nine-year school and also pupils in the stage ≠ 3"
    )


TRUTHS = st.sampled_from([True, False, None])
LEAVES = st.sampled_from(["boarding", "dense_core", "safe_route", "pupils > 10", 'kind == "junior"'])
PREDICATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda part: f"not ({part})"),
        st.builds(lambda one, word, two: f"({one}) {word} ({two})", inner, st.sampled_from(["and", "or"]), inner),
    ),
    max_leaves=6,
)


@st.composite
def build_facts(draw):
    known = {name: draw(TRUTHS) for name in ("boarding", "dense_core", "safe_route")}
    return {
        **known,
        "pupils": draw(st.sampled_from([None, 5, 20])),
        "kind": draw(st.sampled_from([None, "junior", "senior"])),
    }


@given(PREDICATES, PREDICATES, build_facts())
def test_de_morgan_holds_with_unknown_facts(one, other, facts):
    assert judge_predicate(f"not (({one}) and ({other}))", facts) is judge_predicate(
        f"not ({one}) or not ({other})", facts
    )


@given(PREDICATES, build_facts(), build_facts())
def test_what_is_decided_stays_decided_when_more_is_known(predicate, facts, more):
    """A predicate that some facts decide is decided alike by those facts and any further ones (Kleene's monotony)."""
    decided = judge_predicate(predicate, facts)
    if decided is not None:
        richer = {name: more[name] if value is None else value for name, value in facts.items()}
        assert judge_predicate(predicate, richer) is decided


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        parse_predicate(text)
    except RuleError as error:
        assert "character" in str(error)
