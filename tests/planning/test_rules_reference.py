"""The Chinese rulebook against the reference it was written from: every id is there, and the numbers agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from geodata.study_file import compute_cases_folder
from planning.rules import Rule, read_rulebook

CN = read_rulebook("cn")
OWN_KEYS = {"L2", "L3", "L7", "L8", "L9", "K1", "C1", "C5", "C6", "C7", "C7b", "C8", "T3"}
"""Their keys were in use before under other names."""
_TOKEN = re.compile(r'\s*(?:([{}\[\],:])|"([^"]*)"|([^{}\[\],":][^{}\[\],:]*(?::(?!\s)[^{}\[\],:]*)*))')


def _read_flow(text: str) -> Any:
    """Read one YAML flow mapping: tables, lists, texts, numbers, true and false; nothing else stands there."""
    tokens = [match.groups() for match in _TOKEN.finditer(text)]
    at = 0

    def read() -> Any:
        nonlocal at
        mark, quoted, plain = tokens[at]
        at += 1
        if mark == "{":
            table = {}
            while tokens[at][0] != "}":
                key = str(read())
                at += 1
                table[key] = read()
                at += tokens[at][0] == ","
            at += 1
            return table
        if mark == "[":
            items = []
            while tokens[at][0] != "]":
                items.append(read())
                at += tokens[at][0] == ","
            at += 1
            return items
        return quoted if plain is None else _read_plain(plain.strip())

    return read()


def _read_plain(text: str) -> Any:
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    try:
        return float(text)
    except ValueError:
        return text


def _find_reference(name: str) -> Path:
    file = compute_cases_folder().parent / "reference" / name
    if not file.is_file():
        pytest.skip(f"{name} is not there")
    return file


def _find_rules(rule_id: str) -> list[Rule]:
    return [rule for rule in CN.rules if rule.id == rule_id or rule.id.startswith(rule_id + ".")]


def _iterate(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _iterate(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _iterate(item)
    else:
        yield value


def _collect(rules: list[Rule]) -> set[Any]:
    found: set[Any] = set()
    for rule in rules:
        for part in (rule.value, rule.params, *(item.value for item in rule.exceptions)):
            found |= set(_iterate(part))
    return found


def test_every_rule_of_the_reference_is_in_the_book_with_its_numbers() -> None:
    text = _find_reference("rules_cn.yaml").read_text(encoding="utf-8")
    entries = [_read_flow(line[2:]) for line in text.split("fixtures:")[0].splitlines() if line.startswith("- {id:")]
    assert len(entries) > 80
    for entry in entries:
        rules = _find_rules(entry["id"])
        assert rules, entry["id"]
        asked = set(_iterate([entry.get(name) for name in ("value", "params", "implied_seats_per_1000", "class_size")]))
        asked |= set(_iterate({key: item for key, item in entry.get("relax", {}).items() if key != "if"}))
        assert asked - {None} <= _collect(rules), entry["id"]
        main = rules[0]
        assert entry["id"] in OWN_KEYS or any(rule.key == entry["key"] for rule in rules), entry["id"]
        assert main.evidence == entry["evidence"] and main.verified == entry["verified"], entry["id"]
        if main.value and "op" in entry:
            assert main.op == (">=" if entry["id"] == "C8" else entry["op"]), entry["id"]
        if isinstance(entry.get("value"), dict):
            for stage, number in entry["value"].items():
                low = number[0] if isinstance(number, list) else number
                assert main.value.get(stage, low) == low, entry["id"]


def test_every_id_of_the_tables_of_the_reference_is_in_the_book() -> None:
    text = _find_reference("standards_cn.md").read_text(encoding="utf-8")
    ids = set(re.findall(r"^\| ((?:[B-Z]|CV|SPLIT)\d+[a-z]?|R-\w+) \|", text, re.MULTILINE))
    assert len(ids) > 120
    assert not {
        rule_id for rule_id in ids | {"Q5", "Q6", "Q7", "Q8", "CV", "SPLIT", "S-rec", "V"} if not _find_rules(rule_id)
    }


def test_what_the_reference_did_not_verify_is_off() -> None:
    text = _find_reference("standards_cn.md").read_text(encoding="utf-8")
    for rule_id in re.findall(r"^\| (\w+) \|.*\| \**NO\**[^|]*\|$", text, re.MULTILINE):
        for rule in _find_rules(rule_id):
            assert not rule.verified and (not rule.enabled or rule.evidence == "convention"), rule.id
