"""What the Rules page works on in one run: the rulebook chosen, the default below it, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from geodata.errors import RuleError
from planning.rules import Rule, RuleChange, Rules
from reports.language import Translator
from ui.cards import text
from ui.rulebooks import DEFAULT_BOOK, Book, count_unverified, find_book, name_book, read_choice, read_rules
from ui.rules_copy import Copy, read_copy

RULE_KEY = "rules_selected"
TROUBLE_KEY = "rules_trouble"
"""Sentences about what could not be done, with the place of the page that tells them."""


@dataclass(frozen=True, eq=False)
class View:
    """One run of the page. ``copy``: the own copy chosen, None for a built-in book; ``default``: the book below it."""

    book: Book
    rules: Rules
    default: Rules
    copy: Copy | None
    changed: Mapping[str, tuple[RuleChange, ...]]

    def find_rule(self, rule_id: str) -> Rule | None:
        """Return a rule of the book by its id, None where there is none."""
        return next((rule for rule in self.rules.rules if rule.id == rule_id), None)


def build_view() -> View:
    """Return the rulebook chosen; the default where an own copy cannot be read."""
    book = find_book(read_choice()) or Book(DEFAULT_BOOK)
    if book.stored is not None:
        try:
            copy = read_copy(book.stored)
        except RuleError:
            book = Book(DEFAULT_BOOK)
        else:
            default = read_rules(copy.base) if copy.base else copy.rules
            return View(book, copy.rules, default, copy, _group(copy.changes))
    rules = read_rules(book.choice)
    return View(book, rules, rules, None, {})


def _group(changes: tuple[RuleChange, ...]) -> dict[str, tuple[RuleChange, ...]]:
    found: dict[str, tuple[RuleChange, ...]] = {}
    for change in changes:
        found[change.rule_id] = (*found.get(change.rule_id, ()), change)
    return found


def render_headline(view: View, _: Translator) -> None:
    """Say in one line what the rulebook holds, what of it nobody verified, and what was changed."""
    rules = view.rules.rules
    words = _(
        "{name} {version}: {count} rules, {on} of them in force.",
        name=view.rules.title_zh
        if _.language == "zh" and view.rules.title_zh
        else view.rules.title_en or view.rules.name,
        version=view.rules.version,
        count=_.number(len(rules)),
        on=_.number(sum(rule.enabled for rule in rules)),
    )
    if view.copy is not None:
        words = _(
            "{name}, on {base}: {count} rules, {on} of them in force.",
            name=name_book(view.book, _),
            base=view.rules.base or view.default.name,
            count=_.number(len(rules)),
            on=_.number(sum(rule.enabled for rule in rules)),
        )
    parts = [words, _say_unread(view, _)]
    if view.copy is not None:
        parts.append(_("{count} changed from the default.", count=_.number(len(view.changed))))
    gap = "" if _.language == "zh" else " "
    st.html(f'<div class="headline">{text(gap.join(parts), longest=600)}</div>')


def _say_unread(view: View, _: Translator) -> str:
    """Return how many rules nobody verified: those in force by name, the others are off for that reason."""
    unread = [rule for rule in view.rules.rules if not rule.verified and rule.evidence != "convention"]
    return _(
        "Not verified: {count}, of which {on} in force.",
        count=_.number(len(unread)),
        on=_.number(count_unverified(view.rules)),
    )


def read_selected(view: View) -> Rule | None:
    """Return the rule whose card is open."""
    return view.find_rule(str(st.session_state.get(RULE_KEY) or ""))


def select_rule(rule_id: str) -> None:
    """Open the card of a rule; for callbacks. ``""`` closes it."""
    st.session_state[RULE_KEY] = rule_id


def tell_trouble(place: str, *lines: str) -> None:
    """Keep what could not be done, to be told at its place; no line: nothing is wrong."""
    st.session_state[TROUBLE_KEY] = [place, list(lines)]


def render_trouble(place: str) -> None:
    """Draw what could not be done at this place, all of it at once."""
    kept = st.session_state.get(TROUBLE_KEY)
    if isinstance(kept, list) and kept[0] == place:
        for line in kept[1]:
            st.error(_escape(line))


def _escape(line: str) -> str:
    from ui.text import plain

    return plain(line, longest=500)
