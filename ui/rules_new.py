"""What begins something new: a copy of the rulebook, and a rule of one's own."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import STAGES
from planning.rules import ALL_STAGES, KEYS, KINDS, OPERATORS, RULE_SETTINGS, SEVERITIES, Rule, RuleKey
from reports.language import Translator
from reports.legend import name_kind, name_setting_short
from ui.rulebooks import keep_choice
from ui.rules_copy import COPY_LEVELS, add_rule, create_copy
from ui.rules_edit import LONGEST_WORDS, SHARES, save_and_open, say_problems
from ui.rules_view import View, build_view, render_trouble, select_rule, tell_trouble
from ui.rules_words import OPERATOR_SIGNS, name_level, name_severity, name_stages, name_unit
from ui.scenario_store import read_who
from ui.scenario_who import render_who
from ui.state import translator
from ui.text import clean

NAME_KEY, LEVEL_KEY = "rules_copy_name", "rules_copy_level"
LONGEST_NAME = 60
UNITS = ("pupils", "classes", "places", "min", "m", "m2", "share", "CNY", "per_100_pupils", "ratio", "days", "years")


def render_copy_form(view: View, _: Translator) -> None:
    """Draw the button that makes a copy, with name and level."""
    with st.popover(_("Make a copy to edit"), key="rules_copy"):
        st.caption(_("A copy holds only what you change, with its source and reason; everything else stays as it is."))
        if not read_who():
            render_who(_, key="rules_who_copy")
        if NAME_KEY not in st.session_state:
            st.session_state[NAME_KEY] = ""
        st.text_input(
            _("Name of the copy"), key=NAME_KEY, max_chars=LONGEST_NAME, placeholder=_("for example: County rules 2026")
        )
        st.selectbox(
            _("Level"),
            COPY_LEVELS,
            index=len(COPY_LEVELS) - 1,
            format_func=lambda level: name_level(level, _),
            key=LEVEL_KEY,
            help=_("The rules of a province may be changed by its cities and counties, not the other way round."),
        )
        st.button(_("Make the copy"), key="rules_copy_make", type="primary", on_click=_make_copy)
        render_trouble("copy")


def _make_copy() -> None:
    _, view = translator(), build_view()
    name = clean(st.session_state.get(NAME_KEY) or "", longest=LONGEST_NAME).strip()
    problems = []
    if not read_who():
        problems.append(_("Give your name first: it stands beside every change."))
    if not name:
        problems.append(_("Give the copy a name."))
    if problems:
        tell_trouble("copy", *problems)
        return
    try:
        saved = create_copy(
            name, view.copy or view.book.choice, str(st.session_state.get(LEVEL_KEY) or "county"), read_who()
        )
    except LayoutError as error:
        tell_trouble("copy", *say_problems(error, _))
        return
    st.session_state[NAME_KEY] = ""
    tell_trouble("")
    keep_choice(saved.ruleset_id)


def suggest_rule(view: View, key: str) -> Rule | None:
    """Return a rule of the book with the same key: a new one has its unit and comparison."""
    return next((rule for rule in view.rules.rules if rule.key == key and rule.value), None)


def list_keys() -> list[RuleKey]:
    """Return the keys that a rule of one's own can have: those that something is measured or worked out by."""
    return [key for key in KEYS.values() if key.use in ("measured", "parameter")]


def name_key(key: RuleKey, _: Translator) -> str:
    """Return what a key is about."""
    return clean(key.meaning_zh if _.language == "zh" else key.meaning_en, longest=90)


def render_new_rule(view: View, _: Translator) -> None:
    """Draw the form for a rule of one's own."""
    if view.copy is None or not view.copy.editable:
        return
    with st.expander(_("Add a rule of your own")):
        keys = {key.name: key for key in list_keys()}
        chosen = st.selectbox(
            _("What it is about"), list(keys), format_func=lambda name: name_key(keys[name], _), key="rules_new_key"
        )
        like = suggest_rule(view, chosen)
        scope = f"rules_new_{view.copy.stored.ruleset_id}_{chosen}"
        if not read_who():
            render_who(_, key="rules_who_new")
        with st.form(scope, border=False):
            _render_fields(scope, like, _)
            render_trouble("new")
            st.form_submit_button(
                _("Add the rule"), type="primary", key=f"{scope}_save", on_click=_add, args=(chosen, scope)
            )


def _render_fields(scope: str, like: Rule | None, _: Translator) -> None:
    st.text_input(_("Name of the rule"), key=f"{scope}_name", max_chars=LONGEST_WORDS)
    _render_limits(scope, like, _)
    _render_about(scope, _)
    st.text_input(_("Source"), key=f"{scope}_source", max_chars=LONGEST_WORDS)
    st.text_input(_("Clause"), key=f"{scope}_clause", max_chars=LONGEST_WORDS)
    st.checkbox(_("I have read this source myself"), key=f"{scope}_verified")
    st.text_input(_("Reason"), key=f"{scope}_reason", max_chars=LONGEST_WORDS)


def _render_limits(scope: str, like: Rule | None, _: Translator) -> None:
    """Draw comparison, unit and a number by stage; ``like``: a rule of the same key, whose unit holds."""
    share = like is not None and like.unit in SHARES
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        op = like.op if like is not None and like.op in OPERATORS else OPERATORS[0]
        st.selectbox(
            _("Comparison"),
            OPERATORS,
            index=OPERATORS.index(op),
            format_func=lambda item: OPERATOR_SIGNS.get(item, item),
            key=f"{scope}_op",
            width=110,
        )
        if like is None:
            st.selectbox(
                _("Unit"), UNITS, format_func=lambda unit: name_unit(unit, _) or unit, key=f"{scope}_unit", width=130
            )
        unit = "" if like is None else ("%" if share else name_unit(like.unit, _))
        for stage in (ALL_STAGES, *STAGES):
            title = name_stages(stage, _)
            st.number_input(
                _("{name} ({unit})", name=title, unit=unit) if unit else title,
                min_value=0.0,
                value=None,
                key=f"{scope}_value_{stage}",
                placeholder=_("none"),
                format="%.6g",
                width=128,
            )


def _render_about(scope: str, _: Translator) -> None:
    """Draw the severity, and whom the rule is about."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Severity"),
            [item for item in SEVERITIES if item != "evidence"],
            index=1,
            format_func=lambda name: name_severity(name, _),
            key=f"{scope}_severity",
            width=130,
        )
        st.multiselect(
            _("Only for settings"),
            RULE_SETTINGS,
            format_func=lambda name: name_setting_short(name, _),
            key=f"{scope}_setting",
            placeholder=_("all"),
            select_all=False,
            width=210,
        )
        st.multiselect(
            _("Only for kinds of schools"),
            KINDS,
            format_func=lambda name: name_kind(name, _),
            key=f"{scope}_kind",
            placeholder=_("all"),
            select_all=False,
            width=260,
        )


def build_rule_table(rule_id: str, key: str, given: dict[str, Any], unit: str) -> dict[str, Any]:
    """Return the table of a new rule as a file has it; ``given`` holds the widgets by name."""
    share = unit in SHARES
    numbers = {
        stage: float(given[f"value_{stage}"]) / (100 if share else 1)
        for stage in (ALL_STAGES, *STAGES)
        if given.get(f"value_{stage}") is not None
    }
    verified = bool(given.get("verified"))
    return {
        "id": rule_id,
        "key": key,
        "name_en": given["name"],
        "name_zh": given["name"],
        "unit": unit,
        "op": given["op"],
        "value": numbers.get(ALL_STAGES, numbers),
        "severity": given["severity"],
        **({"setting": list(given["setting"])} if given.get("setting") else {}),
        **({"kind": list(given["kind"])} if given.get("kind") else {}),
        **({"clause": given["clause"]} if given.get("clause") else {}),
        "verified": verified,
        "evidence": "official" if verified else "memory",
        "source": given["source"],
        "reason": given["reason"],
    }


def check_new(given: dict[str, Any], _: Translator) -> list[str]:
    """Return everything that is wrong with the form of a new rule, told at once."""
    problems = []
    if not given.get("who"):
        problems.append(_("Give your name first: it stands beside every change."))
    if not given.get("name"):
        problems.append(_("Give the rule a name."))
    if all(given.get(f"value_{stage}") is None for stage in (ALL_STAGES, *STAGES)):
        problems.append(_("Give a limit for at least one stage."))
    if not given.get("source"):
        problems.append(_("Say where the new value comes from: a document, a decision, a notice."))
    if not given.get("reason"):
        problems.append(_("Say why the rule is added."))
    return problems


def number_rule(view: View) -> str:
    """Return the next free id of a rule of one's own: ``OWN-1``, ``OWN-2`` …"""
    taken = {rule.id for rule in view.rules.rules}
    used = [int(found[1]) for found in (re.fullmatch(r"OWN-(\d+)", name) for name in taken) if found]
    return f"OWN-{max(used, default=0) + 1}"


def _add(key: str, scope: str) -> None:
    _, view = translator(), build_view()
    if view.copy is None:
        return
    names = ["op", "unit", "severity", "setting", "kind", "verified"]
    names += [f"value_{stage}" for stage in (ALL_STAGES, *STAGES)]
    given: dict[str, Any] = {name: st.session_state.get(f"{scope}_{name}") for name in names}
    for name in ("name", "source", "clause", "reason"):
        given[name] = clean(st.session_state.get(f"{scope}_{name}") or "", longest=LONGEST_WORDS).strip()
    given["who"] = read_who()
    problems = check_new(given, _)
    if problems:
        tell_trouble("new", *problems)
        return
    like = suggest_rule(view, key)
    unit = like.unit if like is not None else str(given.get("unit") or "")
    rule_id = number_rule(view)
    document = add_rule(view.copy.read_document(), build_rule_table(rule_id, key, given, unit))
    if save_and_open(document, given["who"], place="new"):
        select_rule(rule_id)
