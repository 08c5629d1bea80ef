"""The command ``rules``: a rulebook with its sources, or what differs from another one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from geodata.messages import msg
from planning.flag_case import iterate_rows
from planning.rules import Rule, Rules, compare_rulebooks, describe_rule, read_rulebook
from reports.check_tables import name_rule
from reports.citations import cite_rule
from reports.language import Translator
from terminal.study import EXIT_DONE, print_lines


def rules(options: argparse.Namespace, say: Translator) -> int:
    """Print the rules of a book in words, or what a book sets otherwise than another."""
    book = read_rulebook(options.rulebook)
    if options.against:
        base = read_rulebook(options.against)
        table = compare_rulebooks(base, book)
        if options.json:
            _print_json({"base": _name(base), "rulebook": _name(book), "changes": _list_changes(table)})
        else:
            print_lines(_tell_changes(base, book, table, say))
        return EXIT_DONE
    if options.json:
        _print_json({"rulebook": _name(book), "rules": [_describe(rule, book, say) for rule in book.rules]})
        return EXIT_DONE
    for rule in book.rules:
        words = " ".join(say.say(line) for line in describe_rule(rule))
        print_lines([f"{name_rule(book, rule.id, say)}: {words} [{cite_rule(book, rule.id, say)}]"])
    return EXIT_DONE


def _name(book: Rules) -> str:
    return f"{book.name} {book.version}"


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False, default=str))


def _describe(rule: Rule, book: Rules, say: Translator) -> dict[str, Any]:
    return {
        "id": rule.id,
        "key": rule.key,
        "name": rule.name_zh if say.language == "zh" else rule.name_en,
        "value": dict(rule.value),
        "unit": rule.unit,
        "op": rule.op,
        "severity": rule.severity,
        "enabled": rule.enabled,
        "verified": rule.verified,
        "source": cite_rule(book, rule.id, say),
        "words": [say.say(line) for line in describe_rule(rule)],
    }


def _list_changes(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]


def _tell_changes(base: Rules, book: Rules, table: pd.DataFrame, say: Translator) -> list[str]:
    if table.empty:
        return [say.say(msg("{book} sets nothing otherwise than {base}.", book=_name(book), base=_name(base)))]
    return [
        say.say(
            msg(
                "{rule}, {field}: {before} → {after}. Source: {source}. Reason: {reason}.",
                rule=str(row.rule_id),
                field=str(row.field),
                before=_show(row.before, say),
                after=_show(row.after, say),
                source=str(row.source) or "–",
                reason=str(row.reason) or "–",
            )
        )
        for row in iterate_rows(table)
    ]


def _show(value: object, say: Translator) -> str:
    """Return a value as it stands in a file; nothing is a dash."""
    if value is None or value != value or value == "":
        return "–"
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, Mapping) and "name_en" in value:
        return str(value.get("name_zh" if say.language == "zh" else "name_en"))
    return str(value)
