"""The card of one rule: everything in plain words, exceptions, what follows, where it is read from, its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from planning.rules import KEYS, Rule, describe_rule, list_params
from reports.language import Translator
from store import StoreError
from ui.cards import render_quiet, render_title, text
from ui.rules_copy import Dated, date_rule, list_versions
from ui.rules_edit import render_edit
from ui.rules_view import View, select_rule
from ui.rules_words import (
    mark_rule,
    name_field,
    name_level,
    name_mark,
    name_read,
    name_rule,
    name_scope,
    name_severity,
    name_use,
    say_about,
    say_plain,
    say_source,
    say_years,
)
from ui.scenario_store import say_when

STYLE = """
<style>
.rule-facts { width: 100%; border-collapse: collapse; font-size: 0.86rem; margin-top: 0.3rem; }
.card .rule-facts td { text-align: left; padding: 0.22rem 0.4rem 0.22rem 0; vertical-align: top;
  border-bottom: 1px solid #e8eded; }
.card .rule-facts td:first-child { color: #5d6b6c; width: 33%; font-size: 0.8rem; }
.mark { border-radius: 4px; font-size: 0.76rem; padding: 0.05rem 0.45rem; white-space: nowrap; background: #eef2f2; }
.mark.verified { background: #e2f1e8; color: #1f5b3d; } .mark.unverified { background: #fbe9dd; color: #8a3a08; }
.mark.off { background: #eceff0; color: #5d6b6c; } .mark.changed { background: #fff3d6; color: #6b4d00; }
.card p { font-size: 0.88rem; margin: 0.3rem 0; }
.card code { font-size: 0.74rem; color: #5d6b6c; background: #f4f6f6; }
.card ul { margin: 0; padding-left: 1.2rem; font-size: 0.86rem; }
.limit { font-size: 1.02rem; font-weight: 650; margin: 0.35rem 0 0.1rem; }
.dated { border-left: 3px solid #e3c477; padding: 0.05rem 0 0.05rem 0.55rem; margin: 0.35rem 0; font-size: 0.84rem; }
.dated span { color: #5d6b6c; font-size: 0.78rem; display: block; }
</style>
"""


def render_card(view: View, rule: Rule, _: Translator) -> None:
    """Draw the card, with the form below it where the rulebook is an own copy."""
    st.button(_("← Back to the rulebook"), key="rules_close", type="tertiary", on_click=select_rule, args=("",))
    st.html(f'<div class="card">{build_card(view, rule, _)}</div>')
    if view.copy is not None and view.copy.editable:
        render_edit(view, rule, _)
    elif view.copy is None:
        st.caption(_("To change it, make a copy of the rulebook: the button stands above the table."))


def build_card(view: View, rule: Rule, _: Translator) -> str:
    """Return the card as HTML in which every word is escaped."""
    mark = mark_rule(rule)
    badges = [_build_badge(mark, name_mark(mark, _))]
    if not rule.enabled:
        badges.append(_build_badge("off", _("off")))
    if rule.id in view.changed:
        badges.append(_build_badge("changed", _("★ changed")))
    head = f'<h3>{text(name_rule(rule, _))}</h3><div class="kind">{text(rule.id)} {" ".join(badges)}</div>'
    said = [_.say(message) for message in describe_rule(rule)]
    bold = 1 if rule.value else 0
    limit = "".join(f'<div class="limit">{text(words, longest=300)}</div>' for words in said[:bold])
    more = "".join(f"<p>{text(words, longest=800)}</p>" for words in said[bold:])
    parts = [head, limit, more, _build_exceptions(rule, _), _build_facts(rule, _), _build_changes(view, rule, _)]
    return "".join(parts)


def _build_badge(kind: str, words: str) -> str:
    return f'<span class="mark {kind}">{text(words)}</span>'


def _build_exceptions(rule: Rule, _: Translator) -> str:
    """Return what is said about the exceptions beside their sentences, with the predicate that decides each."""
    lines = []
    for exception in rule.exceptions:
        note = (exception.note_zh if _.language == "zh" else "") or exception.note_en
        lines.append(f"<li>{text(note, longest=500)} <code>{text(exception.when, longest=200)}</code></li>")
    return render_title(_("Exceptions")) + f"<ul>{''.join(lines)}</ul>" if lines else ""


def _build_facts(rule: Rule, _: Translator) -> str:
    key = KEYS.get(rule.key)
    chinese = _.language == "zh"
    meaning = "" if key is None else (key.meaning_zh if chinese else key.meaning_en)
    rows = [
        (_("About"), meaning),
        (_("Used as"), "" if key is None else name_use(key.use, _)),
        (_("Compared quantity"), (rule.quantity_zh if chinese else "") or rule.quantity),
        (_("For"), say_about(rule, _)),
        (_("Judged by"), name_scope(rule.scope, _)),
        (_("Severity"), name_severity(rule.severity, _)),
        (_("Level"), name_level(rule.level, _)),
        (_("What follows legally"), (rule.follows_zh if chinese else "") or rule.follows_en),
        (_("Source and clause"), say_source(rule, _)),
        (_("How it was read"), name_read(rule.evidence, _)),
        (_("Valid"), say_years(rule, _)),
        (_("Speaks instead of"), rule.replaces),
        (_("Further numbers"), _say_params(rule.params, _)),
        (_("Notes"), (rule.note_zh if chinese else "") or rule.note),
        (_("Why it was changed"), rule.reason),
    ]
    cells = "".join(
        f"<tr><td>{text(name)}</td><td>{text(value, longest=900)}</td></tr>" for name, value in rows if value
    )
    return f'<table class="rule-facts">{cells}</table>'


def _say_params(params: Mapping[str, Any], _: Translator) -> str:
    pairs = list_params(params, chinese=_.language == "zh")
    return _("; ").join(_("{name}: {value}", name=name, value=value) for name, value in pairs)


def _build_changes(view: View, rule: Rule, _: Translator) -> str:
    """Return what this copy's versions changed about the rule."""
    if view.copy is None:
        return ""
    try:
        dated = date_rule(view.copy, rule.id, list_versions(view.copy.stored.name))
    except StoreError:
        return ""
    if not dated:
        return render_title(_("History")) + render_quiet(_("As in the default; no version has changed it."))
    return render_title(_("History")) + build_dated(dated, {rule.id: rule}, _, named=False)


def build_dated(dated: Sequence[Dated], rules: dict[str, Rule], _: Translator, *, named: bool) -> str:
    """Return changes with before and after, source, reason, version, who and when."""
    blocks = []
    for item in dated:
        change = item.change
        rule = rules.get(change.rule_id)
        unit = "" if rule is None else rule.unit
        sides = [say_plain(side, change.field, unit, _) for side in (change.before, change.after)]
        words = _("{field}: {before} → {after}", field=name_field(change.field, _), before=sides[0], after=sides[1])
        if named:
            name = change.rule_id if rule is None else f"{name_rule(rule, _)} ({change.rule_id})"
            words = f"{name} · {words}"
        why = [part for part in (change.source, change.reason) if part] or [_("taken back")]
        about = _("version {number}", number=item.version)
        small = " · ".join([about, *([item.who] if item.who else []), say_when(item.at, _)])
        said = f"{text(words, longest=400)}<span>{text(' · '.join(why), longest=500)}</span>"
        blocks.append(f'<div class="dated">{said}<span>{text(small)}</span></div>')
    return "".join(blocks)
