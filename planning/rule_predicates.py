"""Predicates of rules: ``founded_year <= 2010 or migrant_share > 0.5``, read without running anything.

The grammar is small: comparisons of a known fact with a number, a text, a truth value or a list, joined by ``and``,
``or``, ``not`` and parentheses. The logic has three values: a fact that nobody knows makes its comparison unknown, and
``unknown or true`` is true while ``unknown and true`` stays unknown (strong Kleene logic).
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from geodata.errors import RuleError
from geodata.messages import Message, msg
from planning.rule_problems import suggest

Truth = bool | None
Plain = float | str | bool
FactKind = Literal["number", "text", "truth"]


@dataclass(frozen=True)
class Fact:
    """Something a predicate may ask: its kind and what it means."""

    name: str
    kind: FactKind
    meaning_en: str
    meaning_zh: str


FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        fact.name: fact
        for fact in (
            Fact("founded_year", "number", "Year in which the school was founded", "建校年份"),
            Fact(
                "migrant_share", "number", "Share of pupils who are migrant workers' children", "随迁子女占在校生比例"
            ),
            Fact("kind", "text", "Kind of school (primary, nine_year, …)", "办学类型"),
            Fact("setting", "text", "Urban, town or rural", "城乡类型"),
            Fact("ownership", "text", "Public or private", "办学性质"),
            Fact("stage", "text", "Stage of schooling", "学段"),
            Fact("grade", "number", "Grade of the pupils, 1 to 12", "年级"),
            Fact("year", "number", "School year (its start)", "学年起始年份"),
            Fact("pupils", "number", "Pupils of the school in the stage", "本学段在校生数"),
            Fact("school_pupils", "number", "Pupils of the whole school", "全校在校生数"),
            Fact("classes", "number", "Classes of the school in the stage", "本学段班数"),
            Fact("largest_class_pupils", "number", "Pupils in the largest class", "最大班额"),
            Fact("boarding", "truth", "Whether the school has beds for boarders", "是否寄宿制"),
            Fact("boarding_places", "number", "Beds for boarders", "寄宿床位数"),
            Fact("built_year", "number", "Year in which the rooms were built", "校舍建成年份"),
            Fact(
                "dense_core",
                "truth",
                "Whether the school stands in the dense core of a big city",
                "是否位于大城市中心密集区",
            ),
            Fact(
                "sibling_enrolled",
                "truth",
                "Whether an elder child of the dwelling attends the school",
                "是否为同户二孩及以上",
            ),
            Fact("safe_route", "truth", "Whether there is a safe route on foot", "是否有安全步行路线"),
            Fact("low_income", "truth", "Whether the family has a low income as the law defines it", "是否低收入家庭"),
            Fact("hazard_terrain", "truth", "Whether terrain or weather makes the way hazardous", "地形或气候是否危险"),
        )
    }
)
"""Every fact a predicate may name. A caller gives those it knows; the others count as unknown."""


@dataclass(frozen=True)
class Comparison:
    """``fact op value``; a bare truth fact is ``fact == true``."""

    fact: str
    op: str
    value: Plain | tuple[Plain, ...]


@dataclass(frozen=True)
class Joined:
    """``and`` or ``or`` of several parts."""

    word: Literal["and", "or"]
    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Negated:
    """``not`` of a part."""

    part: Predicate


Predicate = Comparison | Joined | Negated


@lru_cache(maxsize=1024)
def parse_predicate(text: str) -> Predicate:
    """Read a predicate.

    Raises
    ------
    RuleError
        It does not follow the grammar, or names an unknown fact; the message says at which character.
    """
    reader = _Reader(text)
    found = reader.read_choice()
    if reader.token.kind != "end":
        raise reader.fail(msg("'and', 'or' or the end was expected"))
    return found


def judge_predicate(text: str, facts: Mapping[str, Any]) -> Truth:
    """Return whether a predicate holds: True, False, or None where the facts do not decide it.

    A fact that is absent, None, NaN or an empty text is unknown.
    """
    return _judge(parse_predicate(text), facts)


def list_facts(text: str) -> tuple[str, ...]:
    """Return the facts that a predicate asks for, each once, in its order."""
    return tuple(dict.fromkeys(_iterate_facts(parse_predicate(text))))


def _iterate_facts(predicate: Predicate) -> Iterator[str]:
    if isinstance(predicate, Comparison):
        yield predicate.fact
        return
    for part in (predicate.part,) if isinstance(predicate, Negated) else predicate.parts:
        yield from _iterate_facts(part)


def _judge(predicate: Predicate, facts: Mapping[str, Any]) -> Truth:
    if isinstance(predicate, Comparison):
        return _compare(predicate, facts.get(predicate.fact))
    if isinstance(predicate, Negated):
        inner = _judge(predicate.part, facts)
        return None if inner is None else not inner
    found = [_judge(part, facts) for part in predicate.parts]
    decisive = predicate.word == "or"
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def _compare(comparison: Comparison, known: Any) -> Truth:
    """Compare one fact; a value of another kind than the fact has counts as unknown."""
    kind = FACTS[comparison.fact].kind
    if kind == "number":
        known = _read_number(known)
    elif kind == "text":
        known = known if isinstance(known, str) and known else None
    else:
        known = bool(known) if isinstance(known, bool | np.bool_) else None
    if known is None:
        return None
    return bool(_OPERATIONS[comparison.op](known, comparison.value))


def _read_number(known: Any) -> float | None:
    if isinstance(known, bool | str) or known is None or known is pd.NA:
        return None
    number = float(known)
    return None if math.isnan(number) else number


_OPERATIONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "<=": operator.le,
        "<": operator.lt,
        ">=": operator.ge,
        ">": operator.gt,
        "==": operator.eq,
        "!=": operator.ne,
        "in": lambda known, values: known in values,
        "not in": lambda known, values: known not in values,
    }
)
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<op><=|>=|==|!=|<|>)
    |(?P<mark>[()\[\],])
    |(?P<word>[A-Za-z_]\w*)
    )""",
    re.VERBOSE,
)
_KINDS: Mapping[str, Message] = MappingProxyType({"number": msg("number"), "text": msg("text"), "truth": msg("truth")})
_WORDS = ("and", "or", "not", "in", "true", "false")
_DEEPEST = 20


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def _cut(text: str) -> list[_Token]:
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            problem = msg("{found!r} is not understood", found=text[start])
            if text[start] == "=":
                problem = msg("{found!r} is not understood; write == to compare", found=text[start])
            raise RuleError(msg("{text!r}, character {at}: {problem}", text=text, at=start + 1, problem=problem))
        kind = str(found.lastgroup)
        word = found.group(kind)
        start = found.end() - len(word)
        tokens.append(
            _Token("word" if kind == "word" and word in _WORDS else "fact" if kind == "word" else kind, word, start)
        )
        at = found.end()
    return [*tokens, _Token("end", "", len(text.rstrip()))]


class _Reader:
    """Recursive descent over the tokens of one predicate."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = _cut(text)
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> _Token:
        return self._tokens[self._at]

    def fail(self, problem: Message, at: _Token | None = None) -> RuleError:
        place = at or self.token
        found = repr(place.text) if place.text else msg("the end")
        where = {"text": self.text, "at": place.at + 1, "found": found}
        return RuleError(msg("{text!r}, character {at} ({found}): {problem}", problem=problem, **where))

    def take(self, text: str) -> bool:
        """Step over a word or mark if it comes next."""
        if self.token.kind in ("word", "mark") and self.token.text == text:
            self._at += 1
            return True
        return False

    def read_choice(self) -> Predicate:
        return self._read_joined("or", lambda: self._read_joined("and", self._read_negation))

    def _read_joined(self, word: Literal["and", "or"], read: Callable[[], Predicate]) -> Predicate:
        parts = [read()]
        while self.take(word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _read_negation(self) -> Predicate:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.fail(msg("more than {count} levels of parentheses and 'not'", count=_DEEPEST))
        if self.take("not"):
            found: Predicate = Negated(self._read_negation())
        elif self.take("("):
            found = self.read_choice()
            if not self.take(")"):
                raise self.fail(msg("{key!r} is missing", key=")"))
        else:
            found = self._read_comparison()
        self._depth -= 1
        return found

    def _read_comparison(self) -> Comparison:
        name = self.token
        if name.kind != "fact":
            raise self.fail(msg("the name of a fact was expected"))
        if name.text not in FACTS:
            raise self.fail(msg("unknown fact; {hint}", hint=suggest(name.text, FACTS)))
        self._at += 1
        kind = FACTS[name.text].kind
        if self.token.kind == "op":
            op = self.token.text
            self._at += 1
            if op not in ("==", "!=") and kind != "number":
                problem = msg("{name} is a {kind}; only == , != and in compare it", name=name.text, kind=_KINDS[kind])
                raise self.fail(problem, name)
            return Comparison(name.text, op, self._read_value(name))
        negated = self.take("not")
        if self.take("in"):
            return Comparison(name.text, "not in" if negated else "in", self._read_list(name))
        if negated:
            raise self.fail(msg("'in' was expected after 'not'"))
        if kind != "truth":
            raise self.fail(msg("a comparison was expected: {name} is a {kind}", name=name.text, kind=_KINDS[kind]))
        return Comparison(name.text, "==", True)

    def _read_list(self, name: _Token) -> tuple[Plain, ...]:
        if not self.take("["):
            raise self.fail(msg("{mark!r} was expected", mark="["))
        values = [self._read_value(name)]
        while self.take(","):
            values.append(self._read_value(name))
        if not self.take("]"):
            raise self.fail(msg("',' or ']' was expected"))
        return tuple(values)

    def _read_value(self, name: _Token) -> Plain:
        kind, token = FACTS[name.text].kind, self.token
        value: Plain
        if token.kind == "number":
            found, value = "number", float(token.text)
        elif token.kind == "text":
            found, value = "text", token.text[1:-1]
        elif token.kind == "word" and token.text in ("true", "false"):
            found, value = "truth", token.text == "true"
        else:
            raise self.fail(msg("a value was expected: a number, a text in quotes, true or false"))
        if found != kind:
            words = {"kind": _KINDS[kind], "found": _KINDS[found]}
            raise self.fail(msg("{name} is a {kind}, not a {found}", name=name.text, **words))
        self._at += 1
        return value
