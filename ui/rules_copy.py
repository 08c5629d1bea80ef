"""Own copies of a rulebook: an overlay on a built-in book, every version kept in the store. Nothing is drawn here.

A copy is edited as the document that it is, so that what a file says beside the changes (clauses, what was read) stays.
"""

from __future__ import annotations

import copy as copying
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from geodata.errors import LayoutError, RuleError
from geodata.messages import Message, msg
from planning.rule_overlay import NEW_RULE, write_value
from planning.rules import ALL_STAGES, RuleChange, Rules
from reports.language import Translator
from store import StoredRuleset
from ui.rulebooks import check_text, read_rules, write_text
from ui.scenario_store import open_app_store

COPY_LEVELS = ("province", "city", "county")
Document = dict[str, Any]
_ABOUT = ("id", "source", "reason", "source_zh", "clause", "clause_zh", "evidence", "verified")
"""Fields of a change that say where it comes from, not what it changes."""
_TABLES = ("value", "params")


class CopyError(LayoutError):
    """A copy cannot be saved as it is; ``message`` says why, in the reader's language."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, eq=False)
class Copy:
    """One version of an own copy. ``base``: the name of the book below; ``""`` where it stands on its own."""

    stored: StoredRuleset
    base: str
    level: str
    rules: Rules

    @property
    def editable(self) -> bool:
        """Whether it can be changed here: it stands on a built-in book."""
        return bool(self.base)

    @property
    def changes(self) -> tuple[RuleChange, ...]:
        """What it sets otherwise than the book below, which may itself change another one."""
        below = read_rules(self.base).changes if self.base else ()
        return self.rules.changes[len(below) :]

    def read_document(self) -> Document:
        """Return its text as plain data, to be changed and saved."""
        return tomllib.loads(self.stored.text)


@dataclass(frozen=True)
class Edit:
    """What one save changes about one rule.

    ``fields``: names as in ``RuleChange.field`` with their new values. ``verified``: whoever makes the change has read
    its source.
    """

    rule_id: str
    fields: Mapping[str, Any]
    source: str
    reason: str
    clause: str = ""
    verified: bool = False


@dataclass(frozen=True)
class Dated:
    """A change with the version that brought it, who made it and when (UTC)."""

    change: RuleChange
    version: int
    who: str
    at: Any


def read_copy(stored: StoredRuleset) -> Copy:
    """Return a stored copy; raises ``RuleError`` with everything that is wrong with its text."""
    check_text(stored.text)
    document = tomllib.loads(stored.text)
    rules = read_rules(str(write_text(stored.text)))
    return Copy(stored, str(document.get("base") or ""), rules.level, rules)


def create_copy(name: str, of: str | Copy, level: str, who: str) -> StoredRuleset:
    """Store a new copy of a built-in book, or of an own copy with all that it changes.

    Raises ``CopyError`` where the name is taken, ``StoreError``.
    """
    store = open_app_store()
    if store.find_ruleset(name) is not None:
        raise CopyError(msg("A rulebook of this name exists already. Choose another name."))
    document = {"base": of, "rule": []} if isinstance(of, str) else of.read_document()
    text = render_document({**document, "name": name, "version": "1", "level": level})
    return store.save_ruleset(name, _check(text), who)


def save_document(copy: Copy, document: Document, who: str) -> StoredRuleset:
    """Store the next version of a copy.

    Raises ``RuleError`` with everything that is wrong with a change, ``CopyError`` where somebody saved a version
    meanwhile, ``StoreError``.
    """
    store = open_app_store()
    latest = store.find_ruleset(copy.stored.name)
    version = 0 if latest is None else latest.version
    if version > copy.stored.version:
        raise CopyError(msg("There is a later version, {version}. Open it first.", version=version))
    text = render_document({**document, "name": copy.stored.name, "version": str(version + 1)})
    return store.save_ruleset(copy.stored.name, _check(text), who)


def restore_version(stored: StoredRuleset, who: str) -> StoredRuleset:
    """Store an older version again as the latest; raises ``RuleError``, ``StoreError``."""
    store = open_app_store()
    latest = store.find_ruleset(stored.name)
    version = 1 if latest is None else latest.version + 1
    check_text(stored.text)
    text = render_document({**tomllib.loads(stored.text), "name": stored.name, "version": str(version)})
    return store.save_ruleset(stored.name, _check(text), who)


def import_copy(text: str, who: str) -> StoredRuleset:
    """Store a rulebook of a file, under the name that it gives itself; raises ``RuleError`` with everything wrong."""
    check_text(text)
    rules = read_rules(str(write_text(text)))
    store = open_app_store()
    latest = store.find_ruleset(rules.name)
    if latest is not None and latest.text != text:
        text = render_document({**tomllib.loads(text), "version": str(latest.version + 1)})
    return store.save_ruleset(rules.name, _check(text), who)


def _check(text: str) -> str:
    """Return a text that reads as a rulebook; raises ``RuleError``."""
    check_text(text)
    read_rules(str(write_text(text)))
    return text


def render_document(document: Mapping[str, Any]) -> str:
    """Return a rulebook as TOML: its head, then a table for each rule."""
    lines = [f"{key} = {write_value(value)}" for key, value in document.items() if key != "rule"]
    for table in document.get("rule", ()):
        lines += ["", "[[rule]]", *(f"{key} = {write_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def put_edit(document: Document, edit: Edit) -> Document:
    """Return the document with a further change: what it says about the same fields so far is taken out."""
    after = copying.deepcopy(document)
    own = _find_new_rule(after, edit.rule_id)
    if own is not None:
        for field, value in edit.fields.items():
            _put_field(own, field, value)
        own |= {"source": edit.source, "reason": edit.reason}
        return after
    for field in edit.fields:
        after = drop_field(after, edit.rule_id, field)
    table: dict[str, Any] = {"id": edit.rule_id}
    for field, value in edit.fields.items():
        _put_field(table, field, value)
    table |= {"clause": edit.clause} if edit.clause else {}
    table |= {"verified": True} if edit.verified else {}
    after.setdefault("rule", []).append({**table, "source": edit.source, "reason": edit.reason})
    return after


def add_rule(document: Document, table: Mapping[str, Any]) -> Document:
    """Return the document with a rule of one's own; reading it back says what is missing."""
    after = copying.deepcopy(document)
    after.setdefault("rule", []).append(dict(table))
    return after


def drop_field(document: Document, rule_id: str, field: str) -> Document:
    """Return the document without its change of one field; ``rule`` or ``""`` takes out all that it says of a rule."""
    after = copying.deepcopy(document)
    kept = []
    for table in after.get("rule", []):
        if table.get("id") == rule_id:
            if field in ("", NEW_RULE):
                continue
            _take_field(table, field)
            if not any(name not in _ABOUT for name in table):
                continue
        kept.append(table)
    after["rule"] = kept
    return after


def _find_new_rule(document: Document, rule_id: str) -> dict[str, Any] | None:
    """Return the table that adds a whole rule of this id, None where the rule is one of the base."""
    tables: list[dict[str, Any]] = document.get("rule", [])
    return next((table for table in tables if table.get("id") == rule_id and "key" in table), None)


def _put_field(table: dict[str, Any], field: str, value: Any) -> None:
    name, _dot, part = field.partition(".")
    if part and (part != ALL_STAGES or name != "value"):
        table[name] = {**_as_table(table.get(name)), part: value}
    else:
        table[name] = value


def _take_field(table: dict[str, Any], field: str) -> None:
    name, _dot, part = field.partition(".")
    if name not in table:
        return
    inner = _as_table(table[name]) if name in _TABLES else {}
    inner.pop(part, None)
    if part and inner:
        table[name] = inner
    else:
        del table[name]


def _as_table(value: Any) -> dict[str, Any]:
    """Return a value by stage as a table; a single number holds for all stages."""
    if isinstance(value, Mapping):
        return dict(value)
    return {} if value is None else {ALL_STAGES: value}


def list_versions(name: str) -> tuple[StoredRuleset, ...]:
    """Return every version of a copy, the latest first."""
    return open_app_store().list_ruleset_versions(name)


def date_changes(copy: Copy, versions: Iterable[StoredRuleset]) -> list[Dated]:
    """Return the changes of a copy, each with the version that brought it; ``versions``: all, the latest first."""
    earlier = [item for item in versions if item.version < copy.stored.version]
    known = [(item, {_mark(change) for change in read_changes(item.text)}) for item in earlier]
    dated = []
    for change in copy.changes:
        brought = copy.stored
        for item, marks in known:
            if _mark(change) not in marks:
                break
            brought = item
        dated.append(Dated(change, brought.version, brought.who, brought.at))
    return dated


def date_rule(copy: Copy, rule_id: str, versions: Iterable[StoredRuleset]) -> list[Dated]:
    """Return what every version of a copy changed about one rule, the latest first."""
    found: list[Dated] = []
    before: dict[str, RuleChange] = {}
    for item in sorted(versions, key=lambda item: item.version):
        if item.version > copy.stored.version:
            break
        now = {change.field: change for change in read_changes(item.text) if change.rule_id == rule_id}
        for field, change in now.items():
            old = before.get(field)
            if old is None or old.after != change.after:
                step = change if old is None else replace(change, before=old.after)
                found.append(Dated(step, item.version, item.who, item.at))
        undone = [change for field, change in before.items() if field not in now]
        for change in undone:
            step = replace(change, before=change.after, after=change.before, source="", reason="")
            found.append(Dated(step, item.version, item.who, item.at))
        before = now
    return found[::-1]


def _mark(change: RuleChange) -> tuple[str, str, str, str, str]:
    return (change.rule_id, change.field, repr(change.after), change.source, change.reason)


@lru_cache(maxsize=256)
def read_changes(text: str) -> tuple[RuleChange, ...]:
    """Return the changes of a stored text; none where it cannot be read (the program may have written it otherwise)."""
    try:
        check_text(text)
        base = tomllib.loads(text).get("base")
        below = read_rules(str(base)).changes if base else ()
        return read_rules(str(write_text(text))).changes[len(below) :]
    except RuleError:
        return ()


def list_problems(error: RuleError, _: Translator) -> list[str]:
    """Return what is wrong with a rulebook, a line for each problem; the name of the file in the cache says nothing."""
    return [_.say(problem) for problem in error.problems]
