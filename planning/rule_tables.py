"""Reading ``[[rule]]`` tables: every problem is collected, with the rule and the place, before anything is refused."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from geodata.errors import RuleError
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
from planning.rule_keys import KEYS, RULE_KEYS, suggest
from planning.rule_predicates import parse_predicate

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


def check_fields(table: Mapping[str, Any], where: str) -> list[str]:
    """Return what is wrong with the fields that a rule or a change of one has; absent fields are not missed here."""
    problems = [f"{where}: unknown key {key!r}; {suggest(key, TABLE_KEYS)}" for key in table if key not in TABLE_KEYS]
    wrong = {
        key
        for key, wanted in _KINDS
        if key in table and (not isinstance(table[key], wanted) or (wanted is int and isinstance(table[key], bool)))
    }
    problems += [f"{where}: {key} must be {wanted.__name__}" for key, wanted in _KINDS if key in wrong]
    for key, allowed in _CHOICES:
        if key in table and key not in wrong and table[key] not in allowed:
            problems.append(f"{where}: {key} {table[key]!r} is unknown; {suggest(table[key], allowed)}")
    problems += _check_lists(table, where)
    if "value" in table:
        read_value(table["value"], where, problems)
    if not _is_plain(table.get("params", {})):
        problems.append(f"{where}: params hold numbers, texts, truth values, lists and tables only")
    asked = KEYS.get(str(table.get("key")))
    if asked is not None and asked.use == "measured" and table.get("severity") == "evidence":
        problems.append(
            f"{where}: {table['key']!r} is measured from data; severity 'evidence' is for items people answer"
        )
    read_exceptions(table.get("exceptions", []), where, problems)
    return problems


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return isinstance(value, bool | str | int) or (isinstance(value, float) and math.isfinite(value))


def _check_lists(table: Mapping[str, Any], where: str) -> list[str]:
    problems = []
    lists: tuple[tuple[str, tuple[str, ...]], ...] = (("setting", RULE_SETTINGS), ("kind", KINDS))
    for key, names in lists:
        found = table.get(key, [])
        if not isinstance(found, list | tuple):
            problems.append(f"{where}: {key} must be a list")
            continue
        problems += [
            f"{where}: {key} {item!r} is unknown; {suggest(str(item), names)}" for item in found if item not in names
        ]
    grades = table.get("grades", [])
    if not isinstance(grades, list | tuple) or not all(type(grade) is int and 1 <= grade <= 12 for grade in grades):
        problems.append(f"{where}: grades must be a list of whole numbers from 1 to 12")
    return problems


def read_value(value: Any, where: str, problems: list[str]) -> dict[str, float]:
    """Return the thresholds by stage; a single number holds for all stages."""
    by_stage = value if isinstance(value, Mapping) else {ALL_STAGES: value}
    known = (*STAGES, ALL_STAGES)
    for stage, number in by_stage.items():
        if stage not in known:
            problems.append(f"{where}: stage {stage!r} is unknown; {suggest(str(stage), known)}")
        if not _is_number(number):
            problems.append(f"{where}: value {number!r} is not a number")
            return {}
    return {stage: float(number) for stage, number in by_stage.items()}


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number that a float can hold; whole numbers of a file may be of any length."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def read_exceptions(tables: Any, where: str, problems: list[str]) -> tuple[RuleException, ...]:
    """Return the exceptions of a rule; a predicate that cannot be read is a problem with its place."""
    if not isinstance(tables, list | tuple):
        problems.append(f"{where}: exceptions must be a list of tables")
        return ()
    found = []
    for number, table in enumerate(tables, start=1):
        place = f"{where}, exception {number}"
        before = len(problems)
        if not isinstance(table, Mapping):
            problems.append(f"{place}: a table was expected")
            continue
        problems += [
            f"{place}: unknown key {key!r}; {suggest(key, _EXCEPTION_KEYS)}"
            for key in table
            if key not in _EXCEPTION_KEYS
        ]
        problems += _check_exception(table, place)
        value = read_value(table.get("value", {}), place, problems)
        if len(problems) == before:
            found.append(RuleException(**{**table, "value": value}))
    return tuple(found)


def _check_exception(table: Mapping[str, Any], place: str) -> list[str]:
    problems = []
    if not isinstance(table.get("when"), str):
        problems.append(f"{place}: 'when' is missing: a predicate such as \"founded_year <= 2010\"")
    else:
        try:
            parse_predicate(table["when"])
        except RuleError as error:
            problems.append(f"{place}: {error}")
    for key, wanted in (("exempt", bool), ("params", dict), ("note_en", str), ("note_zh", str)):
        if key in table and not isinstance(table[key], wanted):
            problems.append(f"{place}: {key} must be {wanted.__name__}")
    if not any(table.get(key) for key in ("value", "params", "exempt")) and "value" not in table:
        problems.append(f"{place}: says nothing; give value, params or exempt = true")
    return problems


def check_rule(table: Any, where: str) -> list[str]:
    """Return everything that is wrong with the table of one whole rule."""
    if not isinstance(table, Mapping):
        return [f"{where}: a table was expected"]
    problems = check_fields(table, where)
    needed = ALWAYS if "value" not in table and is_without_number(table) else (*ALWAYS, *WITH_NUMBER)
    problems += [f"{where}: {key!r} is missing" for key in needed if key not in table]
    return problems


def is_without_number(table: Mapping[str, Any]) -> bool:
    """Whether a rule needs no number: nothing is compared with it, and people or parameters answer it."""
    key = KEYS.get(str(table.get("key")))
    return key is not None and not key.number


def build_rule(table: Mapping[str, Any], *, chapter: str = "", layer: int = 0) -> Rule:
    """Return the rule of a table that :func:`check_rule` found nothing wrong with."""
    lists = {key: tuple(table.get(key, ())) for key in ("setting", "kind", "grades")}
    return Rule(
        **{
            "unit": "",
            "op": "",
            "scope": KEYS[table["key"]].scope,
            **table,
            **lists,
            "value": read_value(table.get("value", {}), "", []),
            "exceptions": read_exceptions(table.get("exceptions", ()), "", []),
            "chapter": chapter,
            "layer": layer,
        }
    )


def check_references(rules: Iterable[Rule]) -> list[str]:
    """Return what is wrong between rules: ids that stand twice, replacements that lead nowhere, round or upwards."""
    found = list(rules)
    problems = []
    by_id: dict[str, Rule] = {}
    for rule in found:
        if rule.id in by_id:
            problems.append(f"rule id {rule.id!r} stands twice")
        by_id[rule.id] = rule
    for rule in found:
        other = by_id.get(rule.replaces)
        if not rule.replaces:
            continue
        if other is None:
            problems.append(f"{rule.id}: replaces {rule.replaces!r}, which is unknown; {suggest(rule.replaces, by_id)}")
        elif LEVELS.index(other.level) > LEVELS.index(rule.level):
            problems.append(f"{rule.id}: a rule of the {rule.level} cannot replace {other.id} of the {other.level}")
        elif _leads_back(rule, by_id):
            problems.append(f"{rule.id}: replaces itself by way of {rule.replaces!r}")
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
