"""The form that changes one rule of an own copy: limit by stage, severity, on or off, years; source and reason."""

from __future__ import annotations

from typing import Any

import streamlit as st

from geodata.errors import LayoutError, RuleError
from geodata.study import STAGES
from planning.rules import ALL_STAGES, KEYS, SEVERITIES, Rule, list_params
from reports.language import Translator
from ui.rulebooks import keep_choice
from ui.rules_copy import CopyError, Document, Edit, drop_field, list_problems, put_edit, save_document
from ui.rules_view import View, build_view, render_trouble, tell_trouble
from ui.rules_words import name_severity, name_stages, name_unit
from ui.scenario_store import read_who, say_trouble
from ui.scenario_who import render_who
from ui.state import translator
from ui.text import clean

LONGEST_WORDS = 400
FIRST_YEAR, LAST_YEAR = 1990, 2100
SHARES = ("share", "share_of_classes")


def say_problems(error: LayoutError, _: Translator) -> list[str]:
    """Return what is wrong, a line for each problem."""
    if isinstance(error, CopyError):
        return [_.say(error.message)]
    return list_problems(error, _) if isinstance(error, RuleError) else [say_trouble(error, _)]


def render_edit(view: View, rule: Rule, _: Translator) -> None:
    """Draw the form."""
    assert view.copy is not None
    scope = f"rules_edit_{view.copy.stored.ruleset_id}_{rule.id}"
    with st.expander(_("Change this rule"), key=f"{scope}_box"):
        if not read_who():
            render_who(_, key="rules_who_edit")
        _render_form(rule, scope, _)


def _render_form(rule: Rule, scope: str, _: Translator) -> None:
    with st.form(scope, border=False):
        _render_values(rule, scope, _)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.selectbox(
                _("Severity"),
                [item for item in SEVERITIES if item != "evidence" or _may_be_evidence(rule)],
                index=_list_severities(rule).index(rule.severity),
                format_func=lambda name: name_severity(name, _),
                key=f"{scope}_severity",
                width=130,
            )
            st.toggle(_("In force"), value=rule.enabled, key=f"{scope}_enabled")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            for name, label in (("valid_from", _("Valid from")), ("valid_until", _("Valid until"))):
                st.number_input(
                    label,
                    min_value=FIRST_YEAR,
                    max_value=LAST_YEAR,
                    step=1,
                    value=getattr(rule, name),
                    key=f"{scope}_{name}",
                    placeholder=_("no limit"),
                    width=130,
                )
        st.text_input(_("Source of the change"), key=f"{scope}_source", max_chars=LONGEST_WORDS)
        st.text_input(_("Clause"), key=f"{scope}_clause", max_chars=LONGEST_WORDS)
        st.checkbox(_("I have read this source myself"), key=f"{scope}_verified")
        st.text_input(_("Reason"), key=f"{scope}_reason", max_chars=LONGEST_WORDS)
        render_trouble("card")
        st.form_submit_button(
            _("Save the change"), type="primary", key=f"{scope}_save", on_click=_save, args=(rule.id, scope)
        )


def _may_be_evidence(rule: Rule) -> bool:
    key = KEYS.get(rule.key)
    return key is None or key.use != "measured"


def _list_severities(rule: Rule) -> list[str]:
    return [item for item in SEVERITIES if item != "evidence" or _may_be_evidence(rule)]


def list_stages(rule: Rule) -> list[str]:
    """Return the stages that a form asks a number for: one where the number holds for all, else every stage."""
    if not rule.value:
        return []
    return [ALL_STAGES] if ALL_STAGES in rule.value else list(STAGES)


def _render_values(rule: Rule, scope: str, _: Translator) -> None:
    """Draw a number for each stage; of the further numbers those that are plain."""
    share = rule.unit in SHARES
    unit = "%" if share else name_unit(rule.unit, _)
    with st.container(horizontal=True, gap="small"):
        for stage in list_stages(rule):
            title = name_stages(stage, _)
            value = rule.value.get(stage)
            st.number_input(
                _("{name} ({unit})", name=title, unit=unit) if unit else title,
                min_value=0.0,
                value=None if value is None else round(value * 100, 6) if share else value,
                key=f"{scope}_value_{stage}",
                placeholder=_("none"),
                format="%.6g",
                width=130,
            )
        for name, number in _list_numbers(rule).items():
            ((title, _said),) = list_params({name: number}, chinese=_.language == "zh")
            st.number_input(clean(title), value=float(number), key=f"{scope}_params_{name}", format="%.6g", width=130)


def _list_numbers(rule: Rule) -> dict[str, float]:
    """Return the further numbers of a rule that stand alone."""
    return {
        name: value
        for name, value in rule.params.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def collect_fields(rule: Rule, given: dict[str, Any]) -> dict[str, Any]:
    """Return what a form changes: names as in ``RuleChange.field`` with their new values.

    ``given`` holds the widgets by name: ``value_primary``, ``params_min_met``, ``severity``, ``enabled``,
    ``valid_from``, ``valid_until``. An empty number leaves the stage as it is: an overlay takes no stage away.
    """
    fields: dict[str, Any] = {}
    for stage in list_stages(rule):
        number = given.get(f"value_{stage}")
        if number is None:
            continue
        value = float(number) / 100 if rule.unit in SHARES else float(number)
        if stage not in rule.value or abs(value - rule.value[stage]) > 1e-9:
            fields[f"value.{stage}"] = round(value, 9)
    for name, old in _list_numbers(rule).items():
        number = given.get(f"params_{name}")
        if number is not None and float(number) != float(old):
            fields[f"params.{name}"] = int(number) if isinstance(old, int) and float(number).is_integer() else number
    for name in ("severity", "enabled", "valid_from", "valid_until"):
        if given.get(name) is not None and given[name] != getattr(rule, name):
            fields[name] = given[name]
    return fields


def check_form(rule: Rule, given: dict[str, Any], _: Translator) -> list[str]:
    """Return everything that is wrong with a form, told at once."""
    problems = []
    if not given.get("who"):
        problems.append(_("Give your name first: it stands beside every change."))
    if not collect_fields(rule, given):
        problems.append(_("Nothing differs from the rule as it is."))
    emptied = [stage for stage in rule.value if given.get(f"value_{stage}", 0.0) is None]
    if emptied:
        problems.append(
            _(
                "A limit cannot be emptied ({stages}). Switch the rule off instead.",
                stages=_.join(name_stages(stage, _) for stage in emptied),
            )
        )
    if not given.get("source"):
        problems.append(_("Say where the new value comes from: a document, a decision, a notice."))
    if not given.get("reason"):
        problems.append(_("Say why it is changed."))
    first, last = given.get("valid_from"), given.get("valid_until")
    if first is not None and last is not None and first > last:
        problems.append(_("The rule would end before it begins."))
    return problems


def _save(rule_id: str, scope: str) -> None:
    """Save the change of the form, or tell at its place what is wrong; for callbacks."""
    _ = translator()
    view = build_view()
    rule = view.find_rule(rule_id)
    if view.copy is None or rule is None:
        return
    names = [f"value_{stage}" for stage in (*STAGES, ALL_STAGES)] + [f"params_{name}" for name in rule.params]
    names += ["severity", "enabled", "valid_from", "valid_until", "verified"]
    given = {name: st.session_state[f"{scope}_{name}"] for name in names if f"{scope}_{name}" in st.session_state}
    for name in ("source", "clause", "reason"):
        given[name] = clean(st.session_state.get(f"{scope}_{name}") or "", longest=LONGEST_WORDS).strip()
    given["who"] = read_who()
    problems = check_form(rule, given, _)
    if problems:
        tell_trouble("card", *problems)
        return
    edit = Edit(
        rule_id,
        collect_fields(rule, given),
        given["source"],
        given["reason"],
        given["clause"],
        bool(given.get("verified")),
    )
    save_and_open(put_edit(view.copy.read_document(), edit), given["who"], place="card")


def save_and_open(document: Document, who: str, *, place: str) -> bool:
    """Save the copy that is chosen with another text and open the new version; False where that cannot be (told)."""
    view = build_view()
    if view.copy is None:
        return False
    try:
        saved = save_document(view.copy, document, who)
    except LayoutError as error:
        tell_trouble(place, *say_problems(error, translator()))
        return False
    tell_trouble("")
    keep_choice(saved.ruleset_id)
    return True


def undo_change(rule_id: str, field: str, place: str) -> None:
    """Take one change of the copy back; for callbacks."""
    view, _ = build_view(), translator()
    if view.copy is None:
        return
    if not read_who():
        tell_trouble(place, _("Give your name first: it stands beside every change."))
        return
    save_and_open(drop_field(view.copy.read_document(), rule_id, field), read_who(), place=place)
