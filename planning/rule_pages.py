"""The page of rules, ``docs/rules.md``: every rule of every book that comes with the program, and every key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from planning.rule_book import BOOKS, Rules
from planning.rule_fields import ALL_STAGES, Rule
from planning.rule_files import read_rulebook
from planning.rule_keys import KEYS
from planning.rule_predicates import FACTS
from planning.rule_words import tell_condition

EXAMPLE_OVERLAY = """\
name = "myxian"
version = "3"
base = "cn"                      # or the path of another overlay: county on city on province
level = "county"
source = "Myxian education bureau, notice 12 of 2026"
source_zh = "某县教育局2026年第12号通知"

[[rule]]                         # a change: only the fields that differ
id = "L1"
value = { primary = 800 }        # the other stages stay
reason = "The old town has no room for more schools"
verified = true                  # somebody read the source
evidence = "official"

[[rule]]
id = "Z9"
enabled = true
reason = "Asked of us by the county government"

[[rule]]                         # a rule of the county's own
id = "MY.bus_seats"
key = "min_bus_seats"
name_en = "Seats of a school bus in the mountains"
name_zh = "山区校车座位数"
unit = "seats"
op = ">="
value = 19
severity = "warn"
replaces = "T3"
verified = true
evidence = "official"
reason = "Small buses are not approved on mountain roads"
"""
"""Stands on the page, and is read by the tests."""
_INTRODUCTION = """\
# Rules

Made from `planning/rulebooks/` by `make docs`; do not edit by hand.

A rule is data: what is asked of whom, with its unit, its source, and whether that source was read. **Read** says how:
*official* (a page of an authority), *press* (coverage that quotes the rule), *secondary* (a copy), *software* (the
settings of a published assessment program), *derived*, *memory* (nobody read it: off). A *convention* is a threshold
of this project, not law. Copies are not the official text: read the original before citing a value.

**Severity**: *block* (a plan that breaks it is not lawful), *warn*, *note*, *evidence* (a person answers it, with a
document). **On**: a rule that is off is shown and cited, and judges nothing.

## Which rule speaks

Of several rules with one key the one of the narrowest scope speaks: kind of school before setting, setting before none.
Where the scope is equally narrow, the lower level wins: county before city before province before nation. A higher
level never overrides a lower one. `replaces = "ID"` silences another rule wherever this one speaks, however narrow the
other is.
A rule that names settings is silent about units and schools whose setting is unknown. A rule for some grades is silent
about the others; where the grades of the children are not known it speaks for the whole stage, and of several the
strictest does. `valid_from` and `valid_until` are school years, both included.

## Exceptions

An exception has a predicate: comparisons (`<=`, `<`, `>=`, `>`, `==`, `!=`, `in [..]`, `not in [..]`) of the facts
below, joined by `and`, `or`, `not` and parentheses. It is read, never run. Where the facts do not decide it, the strict
value holds, and the answer says that it could be relaxed.
"""
_OVERLAYS = """\
## A rulebook of your own

Write an overlay: a TOML file that names the book below it and changes some rules. Every change needs a `source` and a
`reason` (of its own, or those of the file). Fields that are not named stay as they are; `value` and `params` are
changed part by part. A change of more than severity, note or switch makes its source that of the rule; without
`verified = true` the rule then counts as not verified. A table with an id that the base does not have is a new rule and
must be complete. Overlays may stand on overlays; a circle, an unknown field or a missing reason is an error, and all
problems of a file are told at once.
"""
_OVERLAY_USE = """\
Use it with `--rulebook my_rules.toml`, or load it on the Rules page. A file without `base` is a whole book of its own.
"""


def render_rules_page() -> str:
    """Return ``docs/rules.md``: every rule of the rulebooks that come with the program, every fact and every key."""
    parts = [_INTRODUCTION, _table(("fact", "kind", "meaning", "含义"), _list_facts())]
    parts += [_OVERLAYS, f"```toml\n{EXAMPLE_OVERLAY}```\n", _OVERLAY_USE]
    for book in BOOKS:
        parts += _render_book(read_rulebook(book))
    parts += [
        "## Keys\n",
        "What each key is about, and who reads it: *measured* (worked out from the data and compared), *parameter*"
        " (a computation takes its numbers), *evidence* (a person answers), *reference* (shown and cited only).\n",
        _table(("key", "used as", "about", "meaning", "含义"), _list_keys()),
    ]
    return "\n".join(parts)


def _render_book(book: Rules) -> list[str]:
    stands = f" on {book.base}" if book.base else ""
    parts = [f"## {book.name}: {book.title_en} ({book.title_zh}), version {book.version}{stands}\n"]
    if book.note:
        parts.append(book.note + "\n")
    shown = [rule for rule in book.rules if rule.layer == max(item.layer for item in book.rules)]
    if len(shown) < len(book.rules):
        parts.append(f"The {len(book.rules) - len(shown)} rules of {book.base} that it leaves as they are hold too.\n")
    chapters = [(part.name, f"### {part.title_en} ({part.title_zh})\n") for part in book.chapters] or [("", "")]
    for name, title in chapters:
        rules = [rule for rule in shown if not book.chapters or rule.chapter == name]
        parts += [title] if title else []
        parts.append(_table(_COLUMNS, [_list_cells(rule) for rule in rules]))
        notes = [line for rule in rules for line in _list_notes(rule)]
        parts += ["\n".join(notes) + "\n"] if notes else []
    return parts


_COLUMNS = (
    *("id", "rule", "规则", "key", "limit", "unit", "for", "severity", "level", "source", "来源", "read", "on"),
)


def _list_cells(rule: Rule) -> tuple[str, ...]:
    limits = ", ".join(
        f"{'' if stage == ALL_STAGES else stage + ' '}{value:.10g}" for stage, value in rule.value.items()
    )
    grades = [f"grades {', '.join(str(grade) for grade in rule.grades)}"] if rule.grades else []
    scope = ", ".join([rule.scope, *rule.setting, *rule.kind, *grades])
    source = rule.source + (f", {rule.clause}" if rule.clause else "")
    chinese = rule.source_zh + (f"{rule.clause_zh}" if rule.clause_zh else "")
    read = rule.evidence if rule.verified or rule.evidence == "convention" else f"not verified ({rule.evidence})"
    return (
        *(rule.id, rule.name_en, rule.name_zh, f"`{rule.key}`", f"{rule.op} {limits}" if limits else "", rule.unit),
        *(scope, rule.severity, rule.level, source, chinese, read, "yes" if rule.enabled else "no"),
    )


def _list_notes(rule: Rule) -> list[str]:
    """Return everything about a rule that has no column, as lines of a list."""
    parts = [rule.quantity] if rule.quantity else []
    if rule.params:
        parts.append("numbers: " + _say_plain(rule.params))
    for exception in rule.exceptions:
        what = "does not apply" if exception.exempt else _say_plain({**exception.value, **exception.params})
        parts.append(
            f"where `{exception.when}` ({tell_condition(exception.when)}): {what}. {exception.note_en}".rstrip()
        )
    years = [f"from {rule.valid_from}"] if rule.valid_from is not None else []
    years += [f"until {rule.valid_until}"] if rule.valid_until is not None else []
    parts += [f"valid {' '.join(years)}"] if years else []
    parts += [f"replaces {rule.replaces}"] if rule.replaces else []
    said = ["; ".join(parts).rstrip(".") + "."] if parts else []
    said += [f"What follows: {rule.follows_en} {rule.follows_zh}"] if rule.follows_en else []
    said += [f"Note: {rule.note}"] if rule.note else []

    return [f"- **{rule.id}**: {' '.join(said)}"] if said else []


def _say_plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_say_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_say_plain(item) for item in value) + "]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _list_facts() -> list[tuple[str, ...]]:
    return [(f"`{fact.name}`", fact.kind, fact.meaning_en, fact.meaning_zh) for fact in FACTS.values()]


def _list_keys() -> list[tuple[str, ...]]:
    return [(f"`{key.name}`", key.use, key.scope, key.meaning_en, key.meaning_zh) for key in KEYS.values()]


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(columns)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
