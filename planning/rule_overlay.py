"""Overlays: a province, city or county changes some rules of another book, each change with its source and reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd

from geodata.errors import RuleError
from geodata.messages import Message, msg
from geodata.study import compute_digest
from planning.rule_book import BOOKS, Rules
from planning.rule_fields import ALL_STAGES, LEVELS, Rule, RuleChange, thaw
from planning.rule_problems import LEVEL_WORDS, name_table, suggest, tell_at
from planning.rule_tables import TABLE_KEYS, TABLES, build_rule, check_fields, check_references, check_rule
from planning.scenario_render import render_text

NEW_RULE = "rule"
"""The field of a change that adds a whole rule."""
COMPARE_COLUMNS = ("rule_id", "field", "before", "after", "source", "reason")
_ABOUT = ("id", "source", "reason", "level")
_CITED = ("source_zh", "clause", "clause_zh", "verified", "evidence")
"""Said of the source of a change: kept among the changes also where the base says the same of its own source."""
_LIGHT = ("enabled", "severity", "note", "note_zh", "name_en", "name_zh", "scope", "replaces")


@dataclass
class _Stack:
    """The rules of the base as plain tables, while an overlay changes them."""

    document: Mapping[str, Any]
    level: str
    layer: int
    tables: dict[str, dict[str, Any]]
    places: dict[str, tuple[str, int]]
    changes: list[RuleChange] = field(default_factory=list)
    problems: list[Message] = field(default_factory=list)


def apply_overlay(base: Rules, document: Mapping[str, Any], tables: Sequence[Any], *, file: str) -> Rules:
    """Return the stack of a base and an overlay on it.

    Parameters
    ----------
    base
        The rulebook below.
    document
        The overlay: ``name``, ``version``, ``level`` (default county) and, where they hold for all of it, ``reason``
        and ``source``.
    tables
        Its rules. One with an id of the base changes the fields it names: ``value`` and ``params`` part by part (a
        single number, or a table with ``all``, replaces the whole value), the others as a whole. One with another id is
        a new rule and must be complete.

    Raises
    ------
    RuleError
        A change lacks its source or reason, is none of the base, or would override a lower level; all problems at once.
    """
    stack = _Stack(
        document,
        str(document.get("level", "county")),
        max((rule.layer for rule in base.rules), default=0) + 1,
        {rule.id: render_table(rule) for rule in base.rules},
        {rule.id: (rule.chapter, rule.layer) for rule in base.rules},
    )
    for number, table in enumerate(tables, start=1):
        _add_table(stack, table, number)
    if not stack.problems:
        rules = _build_all(base, stack)
        stack.problems += check_references(rules)
    if stack.problems:
        raise RuleError(stack.problems, file)
    return Rules(
        name=str(document["name"]),
        version=str(document["version"]),
        rules=tuple(rules),
        title_en=str(document.get("title_en", base.title_en)),
        title_zh=str(document.get("title_zh", base.title_zh)),
        note=str(document.get("note", "")),
        level=stack.level,
        base=f"{base.name} {base.version}",
        root=base.root,
        changes=(*base.changes, *stack.changes),
        chapters=base.chapters,
        fingerprint=compute_digest(base.fingerprint, repr(sorted(document.items(), key=lambda item: item[0]))),
    )


def _build_all(base: Rules, stack: _Stack) -> list[Rule]:
    kept = {rule.id: rule for rule in base.rules}
    return [
        kept[rule_id]
        if rule_id in kept and stack.places[rule_id][1] < stack.layer
        else build_rule(table, chapter=stack.places[rule_id][0], layer=stack.layer)
        for rule_id, table in stack.tables.items()
    ]


def _add_table(stack: _Stack, table: Any, number: int) -> None:
    if not isinstance(table, Mapping) or not isinstance(table.get("id"), str):
        where = msg("rule {number}", number=number)
        stack.problems.append(tell_at(where, msg("a table with an id was expected")))
        return
    where, before = name_table(table, number), len(stack.problems)
    for name in ("source", "reason"):
        text = table.get(name, stack.document.get(name, ""))
        if not isinstance(text, str) or not text.strip():
            problem = msg("{key!r} is missing: every change says where it comes from and why", key=name)
            stack.problems.append(tell_at(where, problem))
    stack.problems += check_fields(table, where)
    if len(stack.problems) > before:
        return
    if table["id"] in stack.tables:
        _change_rule(stack, table, where)
    else:
        _add_rule(stack, table, where)


def _add_rule(stack: _Stack, table: Mapping[str, Any], where: Message) -> None:
    shared = {key: stack.document[key] for key in ("source", "source_zh", "reason") if key in stack.document}
    whole = {"level": stack.level, **shared, **table}
    missing = check_rule(whole, where)
    if missing:
        near = suggest(table["id"], stack.tables)
        stack.problems.append(
            msg("{where} is not in the base ({hint}), and as a new rule it is not complete", where=where, hint=near)
        )
        stack.problems += missing
        return
    plain = merge_table({}, whole)
    stack.tables[table["id"]] = plain
    stack.places[table["id"]] = ("", stack.layer)
    about = {key: value for key, value in plain.items() if key not in ("source", "reason")}
    stack.changes.append(RuleChange(table["id"], NEW_RULE, None, about, plain["source"], plain["reason"]))


def _change_rule(stack: _Stack, table: Mapping[str, Any], where: Message) -> None:
    rule_id = table["id"]
    now = stack.tables[rule_id]
    stack.problems += [tell_at(where, problem) for problem in _check_place(stack, table, now)]
    source, reason = (str(table.get(name, stack.document.get(name, ""))) for name in ("source", "reason"))
    after = merge_table(now, table)
    found = [row for row in compare_tables(now, after) if row[0] not in _ABOUT]
    stack.problems += [
        tell_at(where, msg("{field} must be {kind}, as in the base", field=name, kind=_name_kind(old)))
        for name, old, new in found
        if name.startswith("params.") and None not in (old, new) and _name_kind(old) != _name_kind(new)
    ]
    weighty = any(name.split(".")[0] not in _LIGHT for name, _, _ in found)
    if weighty:
        cited = {name: stack.document[name] for name in ("source_zh",) if name in stack.document} | dict(table)
        found = [row for row in found if row[0] not in _CITED]
        found += [(name, now.get(name), cited[name]) for name in _CITED if name in cited]
    made = [RuleChange(rule_id, name, old, new, source, reason) for name, old, new in found]
    done = {(change.rule_id, change.field) for change in stack.changes}
    if (rule_id, NEW_RULE) in done:
        problem = msg("rule id {id!r} stands twice; say all of a new rule in one table", id=rule_id)
        stack.problems.append(tell_at(where, problem))
    stack.problems += [
        tell_at(where, msg("{field} is changed twice", field=change.field))
        for change in made
        if (rule_id, change.field) in done
    ]
    if not made:
        return
    after |= {"level": stack.level, "reason": reason}
    if weighty:
        after |= _cite(cited, source)
    stack.problems += check_rule(after, where)
    stack.tables[rule_id] = after
    stack.places[rule_id] = (stack.places[rule_id][0], stack.layer)
    stack.changes += made


def _check_place(stack: _Stack, table: Mapping[str, Any], now: Mapping[str, Any]) -> list[Message]:
    """Return what is wrong with who changes a rule, and with its key, which stays."""
    problems = []
    if LEVELS.index(now["level"]) > LEVELS.index(stack.level):
        levels = {"level": LEVEL_WORDS[now["level"]], "own": LEVEL_WORDS[stack.level]}
        problems.append(msg("it was set by {level}; {own} cannot override that", **levels))
    if table.get("level", stack.level) != stack.level:
        problems.append(msg("a change has the level of its file, {level}", level=stack.level))
    if table.get("key", now["key"]) != now["key"]:
        problem = msg("the key of a rule stays; add a rule of your own with replaces = {id!r}", id=table["id"])
        problems.append(problem)
    return problems


def _name_kind(value: Any) -> Message:
    """Return what kind of plain value this is, in words."""
    kinds = (
        (bool, msg("true or false")),
        (int | float, msg("a number")),
        (str, msg("a text")),
        (list, msg("a list")),
        (dict, msg("a table")),
    )
    return next(name for kind, name in kinds if isinstance(value, kind))


def _cite(cited: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the source fields of a changed rule: those of the change, for the old ones do not stand behind it."""
    verified = cited.get("verified", False)
    blank = {"source_zh": "", "clause": "", "clause_zh": "", "verified": verified}
    blank["evidence"] = "official" if verified else "memory"
    return {**blank, **{name: cited[name] for name in _CITED if name in cited}, "source": source}


def merge_table(now: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule's table with the fields of a change: ``value`` and ``params`` are merged, the others replaced."""
    after = dict(now)
    for name, given in change.items():
        new = thaw(given)
        if name == "value" and not isinstance(new, dict):
            new = {ALL_STAGES: new}
        if name in TABLES and not (name == "value" and ALL_STAGES in new):
            new = {**now.get(name, {}), **new}
        after[name] = new
    return after


def compare_tables(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the fields in which two tables of one rule differ: name, before, after; None where absent."""
    found: list[tuple[str, Any, Any]] = []
    for name in TABLE_KEYS:
        old, new = before.get(name), after.get(name)
        if name in TABLES:
            old, new = old or {}, new or {}
            parts = dict.fromkeys((*old, *new))
            found += [
                (f"{name}.{part}", old.get(part), new.get(part)) for part in parts if old.get(part) != new.get(part)
            ]
        elif old != new and not (_is_absent(old) and _is_absent(new)):
            found.append((name, old, new))
    return found


def _is_absent(value: Any) -> bool:
    return value is None or value in ("", [], {})


def render_table(rule: Rule) -> dict[str, Any]:
    """Return a rule as its table in a file has it; fields at their default are left out."""
    plain = {item.name: thaw(getattr(rule, item.name)) for item in fields(rule) if item.name in TABLE_KEYS}
    plain["exceptions"] = [_render_exception(exception) for exception in rule.exceptions]
    always = ("verified", "enabled", "level", "scope", "value")
    return {name: value for name, value in plain.items() if name in always or value not in ("", [], {}, None)}


def _render_exception(exception: Any) -> dict[str, Any]:
    plain = {item.name: thaw(getattr(exception, item.name)) for item in fields(exception)}
    return {name: value for name, value in plain.items() if value not in ("", {}, False)}


def compare_rulebooks(base: Rules, own: Rules) -> pd.DataFrame:
    """Return what differs between two rulebooks, one row per field.

    Returns
    -------
    DataFrame
        ``rule_id``, ``field`` (as in :class:`RuleChange`; ``rule`` for one that stands in a single book), ``before``
        and ``after`` (plain values, None where absent), ``source`` and ``reason`` of the second book. Where only the
        citation differs (source, clause, evidence) there is no row.
    """
    said = {(change.rule_id, change.field): change for change in own.changes}
    before = {rule.id: render_table(rule) for rule in base.rules}
    after = {rule.id: render_table(rule) for rule in own.rules}
    rows = []
    for rule_id in dict.fromkeys((*before, *after)):
        old, new = before.get(rule_id), after.get(rule_id)
        if old is None or new is None:
            found: list[tuple[str, Any, Any]] = [(NEW_RULE, old, new)]
        else:
            found = [
                row for row in compare_tables(old, new) if row[0] not in (*_ABOUT, *_CITED) or row[0] == "verified"
            ]
        for name, was, now in found:
            change, table = said.get((rule_id, name)), new or {}
            source = change.source if change else table.get("source", "")
            reason = change.reason if change else table.get("reason", "")
            rows.append((rule_id, name, was, now, source, reason))
    return pd.DataFrame(rows, columns=list(COMPARE_COLUMNS))


def render_overlay(
    base: Rules,
    changes: Sequence[RuleChange],
    *,
    name: str,
    version: str,
    level: str = "county",
    base_file: str = "",
) -> str:
    """Return an overlay as TOML; reading it back gives the same changes.

    Parameters
    ----------
    base
        The book below, which ``base_file`` names in the file (by default its own name, as "cn").
    changes
        What is set otherwise, with source and reason. Changes of one rule with one source and reason share a table.
        With those of a whole stack (``Rules.changes``) and the lowest book as base the stack becomes one file.

    Raises
    ------
    RuleError
        A change takes a stage or a parameter away, which an overlay cannot say (switch the rule off instead), or names
        a rule that the base does not have; or the base is no book of the program, and ``base_file`` is missing.
    """
    if not base_file and base.name not in BOOKS:
        problem = msg("{name} does not come with the program: say in base_file where it stands", name=base.name)
        raise RuleError(problem)
    lines = [f"{key} = {write_value(value)}" for key, value in (("name", name), ("version", version))]
    lines += [f"base = {write_value(base_file or base.name)}", f"level = {write_value(level)}"]
    state = {rule.id: render_table(rule) for rule in base.rules}
    groups: dict[tuple[str, str, str], list[RuleChange]] = {}
    for change in changes:
        groups.setdefault((change.rule_id, change.source, change.reason), []).append(change)
    for (rule_id, source, reason), group in groups.items():
        lines += ["", "[[rule]]", f"id = {write_value(rule_id)}"]
        table = _collect(state, rule_id, group)
        lines += [f"{key} = {write_value(value)}" for key, value in table.items() if key != "id"]
        lines += [f"source = {write_value(source)}", f"reason = {write_value(reason)}"]
    return "\n".join(lines) + "\n"


def _collect(state: dict[str, dict[str, Any]], rule_id: str, group: Sequence[RuleChange]) -> dict[str, Any]:
    """Return the table that says a group of changes, and keep the rule's state for the next group."""
    table: dict[str, Any] = {}
    for change in group:
        if change.field == NEW_RULE:
            table |= thaw(change.after)
            state[rule_id] = merge_table({}, table)
            continue
        if rule_id not in state:
            raise RuleError(msg("Unknown rule {id!r}; {hint}", id=rule_id, hint=suggest(rule_id, state)))
        name, _, part = change.field.partition(".")
        if name not in TABLE_KEYS or name in _ABOUT or bool(part) != (name in TABLES):
            problem = msg("an overlay cannot change {field!r}", field=change.field)
            raise RuleError(tell_at(msg("{id}", id=rule_id), problem))
        if not part:
            table[name] = thaw(change.after)
            continue
        now = {**state[rule_id].get(name, {}), part: thaw(change.after)}
        state[rule_id][name] = {key: value for key, value in now.items() if value is not None}
        table.setdefault(name, {})[part] = thaw(change.after)
    changed = {change.field.partition(".")[0] for change in group}
    for name in changed.intersection(TABLES, table):
        table[name] = _complete(rule_id, name, table[name], state[rule_id][name])
    return table


def _complete(rule_id: str, name: str, given: Mapping[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    if name == "value" and ALL_STAGES in whole:
        return whole
    gone = [key for key, value in given.items() if value is None]
    if gone:
        problem = msg(
            "an overlay cannot take {parts} out of {field}; switch the rule off instead", parts=tuple(gone), field=name
        )
        raise RuleError(tell_at(msg("{id}", id=rule_id), problem))
    return dict(given)


def write_value(value: Any) -> str:
    """Return a plain value as TOML: numbers, texts, truth values, lists, and tables on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_write_key(str(key))} = {write_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(write_value(item) for item in value) + "]"
    return render_text(str(value))


def _write_key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else render_text(key)
