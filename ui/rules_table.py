"""The table of the rules: searched, filtered, a click opens the card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from planning.rules import LEVELS, SEVERITIES, Rule, Rules
from reports.language import Translator
from ui.rules_view import View, select_rule
from ui.rules_words import (
    MARKS,
    mark_rule,
    name_chapter,
    name_level,
    name_mark,
    name_rule,
    name_severity,
    say_about,
    say_limits,
    say_source,
)
from ui.text import clean
from ui.zoning_keep import keep_value, put_back

ALL = ""
SHOWN_KEY = "rules_shown"


@dataclass(frozen=True)
class Filter:
    """What the reader wants to see; empty means everything."""

    words: str = ""
    chapter: str = ALL
    level: str = ALL
    severity: str = ALL
    mark: str = ALL
    changed: bool = False


def choose_filter(view: View, _: Translator) -> Filter:
    """Draw the filter in one row and return it."""
    rules = view.rules
    with st.container(key="rules_filter", horizontal=True, vertical_alignment="bottom", gap="small"):
        key = "rules_words"
        put_back(key, "")
        words = st.text_input(_("Search"), key=key, placeholder=_("name, id, source, clause"), width=210, max_chars=80)
        keep_value(key, words)
        chapter = _choose(
            _("Chapter"), _list_known(rules, "chapter"), "chapter", lambda name: name_chapter(rules, name, _), _
        )
        level = _choose(_("Level"), _order(rules, "level", LEVELS), "level", lambda name: name_level(name, _), _)
        severity = _choose(
            _("Severity"), _order(rules, "severity", SEVERITIES), "severity", lambda name: name_severity(name, _), _
        )
        found = {mark_rule(rule) for rule in rules.rules}
        marks = [mark for mark in MARKS if mark in found]
        mark = _choose(_("Source"), marks, "mark", lambda name: name_mark(name, _), _)
        changed = False
        if view.copy is not None:
            key = "rules_changed"
            put_back(key, False)
            changed = bool(st.toggle(_("Changed only"), key=key))
            keep_value(key, changed)
    return Filter(str(words or ""), chapter, level, severity, mark, changed)


def _list_known(rules: Rules, name: str) -> list[str]:
    return list(dict.fromkeys(str(getattr(rule, name)) for rule in rules.rules))


def _order(rules: Rules, name: str, order: Sequence[str]) -> list[str]:
    found = set(_list_known(rules, name))
    return [item for item in order if item in found]


def _choose(label: str, options: Sequence[str], name: str, say: Callable[[str], str], _: Translator) -> str:
    """Draw one list; nothing where there is nothing to choose."""
    if len(options) < 2:
        return ALL
    key = f"rules_filter_{name}"
    put_back(key, ALL, [ALL, *options])
    chosen = st.selectbox(
        label, [ALL, *options], format_func=lambda item: say(item) if item else _("all"), key=key, width=150
    )
    keep_value(key, chosen)
    return str(chosen or ALL)


def select_rules(view: View, wanted: Filter) -> list[Rule]:
    """Return the rules that fit, in the order of the book."""
    words = wanted.words.casefold().split()

    def fits(rule: Rule) -> bool:
        if wanted.changed and rule.id not in view.changed:
            return False
        if (wanted.chapter and rule.chapter != wanted.chapter) or (wanted.level and rule.level != wanted.level):
            return False
        if (wanted.severity and rule.severity != wanted.severity) or (wanted.mark and mark_rule(rule) != wanted.mark):
            return False
        said = (rule.id, rule.key, rule.name_en, rule.name_zh, rule.source, rule.source_zh, rule.clause, rule.clause_zh)
        whole = " ".join(said).casefold()
        return all(word in whole for word in words)

    return [rule for rule in view.rules.rules if fits(rule)]


def build_table(view: View, rules: Sequence[Rule], _: Translator) -> pd.DataFrame:
    """Return the rules as a reader sees them."""
    rows = [
        (
            rule.id,
            ("★ " if rule.id in view.changed else "") + clean(name_rule(rule, _)),
            say_limits(rule, _),
            say_about(rule, _),
            name_severity(rule.severity, _),
            name_mark(mark_rule(rule), _),
            _("on") if rule.enabled else _("off"),
            clean(say_source(rule, _)),
            name_level(rule.level, _),
        )
        for rule in rules
    ]
    columns = [
        *(_("Id"), _("Rule"), _("Limit"), _("For"), _("Severity")),
        *(_("Source read"), _("In force"), _("Source and clause"), _("Level")),
    ]
    return pd.DataFrame(rows, columns=columns)


def render_table(view: View, wanted: Filter, _: Translator) -> None:
    """Draw the table of the rules that fit."""
    rules = select_rules(view, wanted)
    if not rules:
        st.text(_("No rule fits the filter."))
        return
    shown = [rule.id for rule in rules]
    st.session_state[SHOWN_KEY] = shown
    key = f"rules_table_{len(rules)}_{_.language}"
    height: Literal["auto"] | int = "auto" if len(rules) < 10 else 520
    st.dataframe(
        build_table(view, rules, _),
        hide_index=True,
        height=height,
        key=key,
        on_select=lambda: _follow_row(key),
        selection_mode="single-row",
        column_config={
            _("Id"): st.column_config.TextColumn(width=88, pinned=True),
            _("Rule"): st.column_config.TextColumn(width=196),
            _("Limit"): st.column_config.TextColumn(width=182),
            _("For"): st.column_config.TextColumn(width=92),
            _("Severity"): st.column_config.TextColumn(width=82),
            _("Source read"): st.column_config.TextColumn(width=100),
            _("In force"): st.column_config.TextColumn(width=58),
        },
    )
    st.caption(
        _("Rules: {count}. Choose a row to see its card. ★ differs from the default.", count=_.number(len(rules)))
    )


def _follow_row(key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    shown = st.session_state.get(SHOWN_KEY, [])
    if rows and rows[0] < len(shown):
        select_rule(shown[rows[0]])
