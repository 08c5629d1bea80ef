"""Reading ``[[rule]]`` tables: every problem is collected, with the rule and the place, before anything is refused."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from geodata.errors import RuleError
from geodata.messages import Message, msg
from geodata.study import STAGES
from planning.rule_fields import (
    ALL_STAGES,
    EVIDENCE,
    KINDS,
    LEVELS,
    OPERATORS,
    RULE_SETTINGS,
    SCOPES,
    SEVERITIES,
    Rule,
    RuleException,
)
from planning.rule_keys import KEYS, RULE_KEYS
from planning.rule_predicates import parse_predicate
from planning.rule_problems import LEVEL_WORDS, TYPE_WORDS, suggest, tell_at

ALWAYS = ("id", "key", "name_en", "name_zh", "severity", "source", "verified", "evidence")
"""What every rule has; a rule with a number has these too:"""
WITH_NUMBER = ("unit", "op", "value")
OPTIONAL = (
    *("quantity", "quantity_zh"),
    *("setting", "kind", "grades", "scope", "level", "params", "exceptions", "replaces", "reason"),
    *("source_zh", "clause", "clause_zh", "follows_en", "follows_zh"),
    *("enabled", "valid_from", "valid_until", "note", "note_zh"),
)
TABLE_KEYS = (*ALWAYS, *WITH_NUMBER, *OPTIONAL)
TABLES = ("value", "params")
_CHOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("severity", SEVERITIES),
    ("op", OPERATORS),
    ("evidence", EVIDENCE),
    ("key", RULE_KEYS),
    ("scope", SCOPES),
    ("level", LEVELS),
)
_KINDS: tuple[tuple[str, type], ...] = (
    *((name, bool) for name in ("verified", "enabled")),
    *((name, int) for name in ("valid_from", "valid_until")),
    *(
        (name, str)
        for name in TABLE_KEYS
        if name not in ("verified", "enabled", "valid_from", "valid_until", "setting", "kind", "grades", "exceptions")
        and name not in TABLES
    ),
    ("params", dict),
)
_EXCEPTION_KEYS = ("when", "value", "params", "exempt", "note_en", "note_zh")


def check_fields(table: Mapping[str, Any], where: Message) -> list[Message]:
    """Return what is wrong with the fields that a rule or a change of one has; absent fields are not missed here."""
    problems = _check_keys(table, where, TABLE_KEYS)
    wrong = {
        key
        for key, wanted in _KINDS
        if key in table and (not isinstance(table[key], wanted) or (wanted is int and isinstance(table[key], bool)))
    }
    problems += [_tell_type(where, key, wanted) for key, wanted in _KINDS if key in wrong]
    for key, allowed in _CHOICES:
        if key in table and key not in wrong and table[key] not in allowed:
            problems.append(_tell_unknown(where, key, table[key], allowed))
    problems += _check_lists(table, where)
    if "value" in table:
        read_value(table["value"], where, problems)
    if not _is_plain(table.get("params", {})):
        problems.append(tell_at(where, msg("params hold numbers, texts, truth values, lists and tables only")))
    asked = KEYS.get(str(table.get("key")))
    if asked is not None and asked.use == "measured" and table.get("severity") == "evidence":
        problem = msg("{key!r} is measured from data; severity 'evidence' is for items people answer", key=asked.name)
        problems.append(tell_at(where, problem))
    read_exceptions(table.get("exceptions", []), where, problems)
    return problems


def _check_keys(table: Mapping[str, Any], where: Message, known: tuple[str, ...]) -> list[Message]:
    return [
        tell_at(where, msg("unknown key {key!r}; {hint}", key=key, hint=suggest(key, known)))
        for key in table
        if key not in known
    ]


def _tell_type(where: Message, key: str, wanted: type) -> Message:
    return tell_at(where, msg("{key} must be {kind}", key=key, kind=TYPE_WORDS[wanted]))


def _tell_unknown(where: Message, key: str, found: Any, allowed: Iterable[str]) -> Message:
    hint = suggest(str(found), allowed)
    return tell_at(where, msg("{key} {found} is unknown; {hint}", key=key, found=repr(found), hint=hint))


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return isinstance(value, bool | str | int) or (isinstance(value, float) and math.isfinite(value))


def _check_lists(table: Mapping[str, Any], where: Message) -> list[Message]:
    problems = []
    lists: tuple[tuple[str, tuple[str, ...]], ...] = (("setting", RULE_SETTINGS), ("kind", KINDS))
    for key, names in lists:
        found = table.get(key, [])
        if not isinstance(found, list | tuple):
            problems.append(tell_at(where, msg("{key} must be a list", key=key)))
            continue
        problems += [_tell_unknown(where, key, item, names) for item in found if item not in names]
    grades = table.get("grades", [])
    if not isinstance(grades, list | tuple) or not all(type(grade) is int and 1 <= grade <= 12 for grade in grades):
        problems.append(tell_at(where, msg("grades must be a list of whole numbers from 1 to 12")))
    return problems


def read_value(value: Any, where: Message, problems: list[Message]) -> dict[str, float]:
    """Return the thresholds by stage; a single number holds for all stages."""
    by_stage = value if isinstance(value, Mapping) else {ALL_STAGES: value}
    known = (*STAGES, ALL_STAGES)
    for stage, number in by_stage.items():
        if stage not in known:
            problems.append(_tell_unknown(where, "stage", stage, known))
        if not _is_number(number):
            problems.append(tell_at(where, msg("value {found} is not a number", found=repr(number))))
            return {}
    return {stage: float(number) for stage, number in by_stage.items()}


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number that a float can hold; whole numbers of a file may be of any length."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def read_exceptions(tables: Any, where: Message, problems: list[Message]) -> tuple[RuleException, ...]:
    """Return the exceptions of a rule; a predicate that cannot be read is a problem with its place."""
    if not isinstance(tables, list | tuple):
        problems.append(tell_at(where, msg("exceptions must be a list of tables")))
        return ()
    found = []
    for number, table in enumerate(tables, start=1):
        place = msg("{where}, exception {number}", where=where, number=number)
        before = len(problems)
        if not isinstance(table, Mapping):
            problems.append(tell_at(place, msg("a table was expected")))
            continue
        problems += _check_keys(table, place, _EXCEPTION_KEYS)
        problems += _check_exception(table, place)
        value = read_value(table.get("value", {}), place, problems)
        if len(problems) == before:
            found.append(RuleException(**{**table, "value": value}))
    return tuple(found)


def _check_exception(table: Mapping[str, Any], place: Message) -> list[Message]:
    problems = []
    if not isinstance(table.get("when"), str):
        problem = msg("'when' is missing: a predicate such as \"{example}\"", example="founded_year <= 2010")
        problems.append(tell_at(place, problem))
    else:
        try:
            parse_predicate(table["when"])
        except RuleError as error:
            problems += [tell_at(place, problem) for problem in error.problems]
    for key, wanted in (("exempt", bool), ("params", dict), ("note_en", str), ("note_zh", str)):
        if key in table and not isinstance(table[key], wanted):
            problems.append(_tell_type(place, key, wanted))
    if not any(table.get(key) for key in ("value", "params", "exempt")) and "value" not in table:
        problems.append(tell_at(place, msg("says nothing; give value, params or exempt = true")))
    return problems


def check_rule(table: Any, where: Message) -> list[Message]:
    """Return everything that is wrong with the table of one whole rule."""
    if not isinstance(table, Mapping):
        return [tell_at(where, msg("a table was expected"))]
    problems = check_fields(table, where)
    needed = ALWAYS if "value" not in table and is_without_number(table) else (*ALWAYS, *WITH_NUMBER)
    problems += [tell_at(where, msg("{key!r} is missing", key=key)) for key in needed if key not in table]
    return problems


def is_without_number(table: Mapping[str, Any]) -> bool:
    """Whether a rule needs no number: nothing is compared with it, and people or parameters answer it."""
    key = KEYS.get(str(table.get("key")))
    return key is not None and not key.number


def build_rule(table: Mapping[str, Any], *, chapter: str = "", layer: int = 0) -> Rule:
    """Return the rule of a table that :func:`check_rule` found nothing wrong with."""
    lists = {key: tuple(table.get(key, ())) for key in ("setting", "kind", "grades")}
    where = msg("{id}", id=table["id"])
    return Rule(
        **{
            "unit": "",
            "op": "",
            "scope": KEYS[table["key"]].scope,
            **table,
            **lists,
            "value": read_value(table.get("value", {}), where, []),
            "exceptions": read_exceptions(table.get("exceptions", ()), where, []),
            "chapter": chapter,
            "layer": layer,
        }
    )


def check_references(rules: Iterable[Rule]) -> list[Message]:
    """Return what is wrong between rules: ids that stand twice, replacements that lead nowhere, round or upwards."""
    found = list(rules)
    problems = []
    by_id: dict[str, Rule] = {}
    for rule in found:
        if rule.id in by_id:
            problems.append(msg("rule id {id!r} stands twice", id=rule.id))
        by_id[rule.id] = rule
    for rule in found:
        other = by_id.get(rule.replaces)
        if not rule.replaces:
            continue
        where = msg("{id}", id=rule.id)
        if other is None:
            hint = suggest(rule.replaces, by_id)
            problem = msg("replaces {other!r}, which is unknown; {hint}", other=rule.replaces, hint=hint)
            problems.append(tell_at(where, problem))
        elif LEVELS.index(other.level) > LEVELS.index(rule.level):
            levels = {"own": LEVEL_WORDS[rule.level], "level": LEVEL_WORDS[other.level]}
            problem = msg("a rule of {own} cannot replace {other} of {level}", other=other.id, **levels)
            problems.append(tell_at(where, problem))
        elif _leads_back(rule, by_id):
            problems.append(tell_at(where, msg("replaces itself by way of {other!r}", other=rule.replaces)))
    return problems


def _leads_back(rule: Rule, by_id: Mapping[str, Rule]) -> bool:
    seen: set[str] = set()
    at = rule.replaces
    while at in by_id and at not in seen:
        if at == rule.id:
            return True
        seen.add(at)
        at = by_id[at].replaces
    return False
