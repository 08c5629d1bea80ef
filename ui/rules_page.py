"""The Rules page: the rulebook chosen, its table and cards, what a copy changes, and the check of a county."""

from __future__ import annotations

import streamlit as st

from reports.language import Translator
from ui.cards import STYLE as CARD_STYLE
from ui.cards import render_facts, render_quiet, render_title, text
from ui.page_words import render_page_words
from ui.rulebooks import choose_rulebook
from ui.rules_card import STYLE, render_card
from ui.rules_changes import render_changes
from ui.rules_check import choose_by, render_check
from ui.rules_new import render_copy_form, render_new_rule
from ui.rules_table import choose_filter, render_table
from ui.rules_view import View, build_view, read_selected, render_headline
from ui.rules_words import MARKS, mark_rule, name_mark, name_severity
from ui.scenario_who import recall_who
from ui.state import translator
from ui.zoning_keep import keep_value, put_back

TABS = ("rules", "changes", "check")
TAB_KEY = "rules_tab"
PAGE_STYLE = """
<style>
.st-key-rules_page { gap: 0.55rem; }
.headline { font-size: 1.04rem; font-weight: 600; line-height: 1.35; }
.headline .badge { background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }
.block-container { padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }
.st-key-rules_choices button, .st-key-rules_check_choices button { min-height: 36px; padding: 0 0.62rem; }
.st-key-rules_choices label p, .st-key-rules_check_choices label p,
.st-key-rules_filter label p { font-size: 0.78rem; color: #5d6b6c; }
.st-key-rules_side { display: block; flex: none !important; height: max(460px, calc(100vh - 190px)) !important;
  min-height: 0 !important; max-height: max(460px, calc(100vh - 190px)) !important; overflow-y: auto !important;
  padding-right: 0.4rem; }
.st-key-rules_side > div { margin-bottom: 0.45rem; }
[class*="st-key-rules_version_"], [class*="st-key-rules_change_"] { flex-wrap: nowrap !important; }
[class*="st-key-rules_version_"] button, [class*="st-key-rules_change_"] button { min-height: 1.8rem;
  padding: 0 0.6rem; }
[class*="st-key-rules_version_"] { border-top: 1px solid #e8eded; padding-top: 0.25rem; }
.version b { font-weight: 600; font-size: 0.88rem; }
.version span { display: block; color: #5d6b6c; font-size: 0.78rem; }
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + CARD_STYLE + STYLE)


@st.fragment
def render_rules() -> None:
    """Draw the page; a click or a choice runs only this part again."""
    _ = translator()
    render_page_words(_)
    with st.container(key="rules_page"):
        headline = st.empty()
        recall_who()
        with st.container(key="rules_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
            choose_rulebook(_, width=220)
            tab = _choose_tab(_)
            view = build_view()
            by = choose_by(_) if tab == "check" else ""
            if tab != "check" and (view.copy is None or view.copy.editable):
                render_copy_form(view, _)
        if tab == "changes":
            with headline:
                render_headline(view, _)
            render_changes(view, _)
            return
        if tab == "check":
            render_check(view, headline, by, _)
            return
        with headline:
            render_headline(view, _)
        _render_rules(view, _)


def _choose_tab(_: Translator) -> str:
    names = {"rules": _("The rules"), "changes": _("Changes and versions"), "check": _("Check")}
    put_back(TAB_KEY, TABS[0], TABS)
    chosen = st.segmented_control(
        _("View"), TABS, format_func=names.__getitem__, key=TAB_KEY, required=True, label_visibility="collapsed"
    )
    keep_value(TAB_KEY, chosen)
    return str(chosen or TABS[0])


def _render_rules(view: View, _: Translator) -> None:
    wanted = choose_filter(view, _)
    left, right = st.columns([2.2, 1], gap="small")
    with left:
        render_table(view, wanted, _)
        render_new_rule(view, _)
    with right, st.container(key="rules_side", gap="small"):
        rule = read_selected(view)
        if rule is None:
            st.html(f'<div class="card">{_build_summary(view, _)}</div>')
        else:
            render_card(view, rule, _)


def _build_summary(view: View, _: Translator) -> str:
    """Return what the rulebook is, in figures and in its own words."""
    rules = view.rules.rules
    marks = [(name_mark(mark, _), _.number(sum(mark_rule(rule) == mark for rule in rules))) for mark in MARKS]
    severities = list(dict.fromkeys(rule.severity for rule in rules))
    weights = [
        (name_severity(name, _), _.number(sum(rule.severity == name for rule in rules)))
        for name in sorted(severities, key=("block", "warn", "note", "evidence").index)
    ]
    note = f"<p>{text(view.rules.note, longest=1200)}</p>" if view.rules.note else ""
    warning = _(
        "A source that was read may still be a copy. Read the official text before a value is cited in a document."
    )
    parts = [
        render_title(_("How far the sources were read")),
        render_facts(marks),
        render_title(_("Severity")),
        render_facts(weights),
        note,
        render_quiet(warning),
        render_quiet(_("Choose a rule in the table to read it in plain words.")),
    ]
    return "".join(parts)
