"""The check of a county: today or a scenario against every rule of the rulebook, by rule, school and community."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from geodata.study import MODES, STAGES, Mode, StudyArea, compute_digest
from planning.balance import build_balance
from planning.rule_checks import check_rules, list_not_checked
from planning.rules import Rules
from planning.run import Outcome
from planning.scenario import EnrolmentMethod, Scenario
from reports.language import Translator
from reports.legend import name_mode_short, name_stage_short
from ui.base_choice import TODAY, choose_base, read_base
from ui.cards import text
from ui.rulebooks import build_judged_by, read_reference
from ui.rules_check_cards import STYLE, build_overview, build_rule_card, build_subject_card, build_weights
from ui.rules_check_files import render_check_files
from ui.rules_check_map import SELECTION, choose_rule, render_check_map
from ui.rules_check_tables import (
    build_rule_table,
    build_subject_table,
    count_by_rule,
    count_by_subject,
    list_failed,
    say_headline,
    select_stage,
)
from ui.rules_view import RULE_KEY, View
from ui.scenario_outcomes import ask_scenario, compute_outcome_key
from ui.text import plain
from ui.today_choices import choose_switch, list_stages
from ui.zoning_keep import keep_value, put_back

BASE_KEY, STAGE_KEY, BY_KEY = "rules_check_base", "rules_check_stage", "rules_check_by"
CHOSEN_KEY, SHOWN_KEY = "rules_check_chosen", "rules_check_shown"
BYS = ("rule", "school", "unit", "map", "files")
CHECKS_IN_MEMORY = 8


@dataclass(frozen=True, eq=False)
class Checked:
    """What was found. ``outcomes``: those that were judged, together all stages asked about."""

    key: str
    name: str
    outcomes: tuple[Outcome, ...]
    checks: pd.DataFrame
    not_checked: pd.DataFrame


def render_check(view: View, headline: DeltaGenerator, by: str, _: Translator) -> None:
    """Draw the tab; ``by``: one of ``BYS``, see :func:`choose_by`."""
    from ui.reopen import open_or_build

    study = open_or_build()
    if study is None:
        return
    if not list_stages(study):
        st.warning(plain(_("No school of this county teaches any stage: load a table of schools with places.")))
        return
    st.html(STYLE)
    with st.container(key="rules_check_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        base_id, names = choose_base(study, _("What is checked"), BASE_KEY, _, width=220)
        mode = _choose_mode(study, _)
        scenarios = _list_scenarios(study, base_id, mode, _)
        if scenarios is None:
            return
        stages = [stage for scenario in scenarios for stage in scenario.stages]
        stage = _choose_stage(stages, _)
    checked = _ask(study, view.rules, scenarios, names[base_id], _)
    if checked is None:
        return
    checks = select_stage(checked.checks, stage)
    with headline:
        _render_headline(study, view.rules, checked, checks, _)
    st.html(build_weights(checks, _))
    if by == "files":
        render_check_files(checked.checks, checked.not_checked, view.rules, _)
        return
    left, right = st.columns([2, 1], gap="small")
    if by == "map":
        with left:
            _render_map(study, checks, view.rules, f"{checked.key}:{stage}", _)
        with right, st.container(key="rules_side", gap="small"):
            _render_map_card(checks, checked.not_checked, view.rules, _)
        return
    with left:
        _render_table(checks, view.rules, by, _)
    with right, st.container(key="rules_side", gap="small"):
        _render_card(checks, checked.not_checked, view.rules, by, _)


def _render_headline(study: StudyArea, rules: Rules, checked: Checked, checks: pd.DataFrame, _: Translator) -> None:
    notice = text(_("Synthetic demo: no real place"))
    badge = f'<span class="badge">{notice}</span>' if study.synthetic else ""
    words = f"{study.name} · {checked.name} · {say_headline(checks, _)}"
    st.html(f'<div class="headline">{badge}{text(words, longest=600)}{build_judged_by(rules, _)}</div>')


def _choose_mode(study: StudyArea, _: Translator) -> Mode:
    modes = [mode for mode in MODES if mode in study.travel]
    return cast(Mode, choose_switch(_("On the way"), modes or ["walk"], "mode", lambda name: name_mode_short(name, _)))


def _choose_stage(stages: Sequence[str], _: Translator) -> str:
    options = ["", *(stage for stage in STAGES if stage in stages)]
    put_back(STAGE_KEY, "", options)
    names = {"": _("All stages")} | {stage: name_stage_short(stage, _) for stage in stages}
    chosen = st.segmented_control(
        _("Stage"), options, format_func=lambda stage: names[stage], key=STAGE_KEY, required=True
    )
    keep_value(STAGE_KEY, chosen)
    return str(chosen or "")


def choose_by(_: Translator) -> str:
    """Draw the switch of what is shown."""
    names = {"rule": _("By rule"), "school": _("By school"), "unit": _("By community"), "map": _("Map")}
    names["files"] = _("Downloads")
    put_back(BY_KEY, "rule", BYS)
    chosen = st.segmented_control(
        _("Show"), BYS, format_func=names.__getitem__, key=BY_KEY, required=True, label_visibility="collapsed"
    )
    keep_value(BY_KEY, chosen)
    return str(chosen or "rule")


def _list_scenarios(study: StudyArea, base_id: str, mode: Mode, _: Translator) -> list[Scenario] | None:
    """Return what is asked: a scenario as it is, or today by zones where there are any, else the nearest school.

    None where a scenario cannot be read, which is told.
    """
    if base_id == TODAY:
        return ask_today(study, mode, _("Today"))
    scenario = read_base(base_id, _)
    return None if scenario is None else [scenario]


def ask_today(study: StudyArea, mode: Mode, name: str) -> list[Scenario]:
    """Return the questions about today: the stages with zones by their zones, the others by the nearest school."""
    zoned = set(study.zones["stage"].astype(str))
    asked: list[Scenario] = []
    methods: tuple[tuple[EnrolmentMethod, bool], ...] = (("zones", True), ("nearest", False))
    for method, with_zones in methods:
        stages = tuple(stage for stage in list_stages(study) if (stage in zoned) == with_zones)
        if stages:
            asked.append(Scenario(name=name, stages=stages, mode=mode, enrolment=method))
    return asked


def _ask(study: StudyArea, rules: Rules, scenarios: Sequence[Scenario], name: str, _: Translator) -> Checked | None:
    """Return the checks; None while an answer is being worked out, which is drawn here."""
    reference = read_reference()
    outcomes = []
    with st.spinner(_("Checking every rule …")):
        for number, scenario in enumerate(scenarios):
            outcome = ask_scenario(study, scenario, reference, slot=f"rules_check_run_{number}", _=_)
            if outcome is None:
                return None
            outcomes.append(outcome)
        keys = [compute_outcome_key(study.fingerprint, scenario, reference) for scenario in scenarios]
        key = f"checks-{compute_digest(*keys, rules.fingerprint)}"
        return dataclasses.replace(_check(key, tuple(outcomes), study, rules), name=name)


@st.cache_resource(max_entries=CHECKS_IN_MEMORY, show_spinner=False)
def _check(key: str, _outcomes: tuple[Outcome, ...], _study: StudyArea, _rules: Rules) -> Checked:
    tables, silent = [], []
    for number, outcome in enumerate(_outcomes):
        # The inspection is about the whole county, whichever stages an answer has: one is enough.
        balance = build_balance(_study, _rules, outcome=outcome) if number == 0 else None
        found = check_rules(_study, _rules, outcome, balance=balance)
        tables.append(found)
        silent.append(list_not_checked(_rules, outcome, found, balanced=True))
    return Checked(key, "", _outcomes, merge_checks(tables), merge_silent(silent, tables))


def merge_checks(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the checks of several answers as one table; what is about no stage is said once."""
    whole = pd.concat(list(tables), ignore_index=True)
    return whole.drop_duplicates(["rule_id", "subject", "subject_id", "stage", "detail"]).reset_index(drop=True)


def merge_silent(silent: Sequence[pd.DataFrame], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rules that none of several answers has a row of, each once."""
    known = {str(rule_id) for table in tables for rule_id in table["rule_id"]}
    whole = pd.concat(list(silent), ignore_index=True)
    return whole[~whole["rule_id"].isin(known)].drop_duplicates("rule_id").reset_index(drop=True)


def _render_table(checks: pd.DataFrame, rules: Rules, by: str, _: Translator) -> None:
    if by == "rule":
        counts = count_by_rule(checks, rules)
        table, shown = build_rule_table(counts, rules, _), [str(key) for key in counts["rule_id"]]
        caption = _("Choose a rule to see whom it fails, by how much, and what would cure it.")
    else:
        heading = _("School") if by == "school" else _("Community")
        counts = count_by_subject(checks, by)
        table, shown = (
            build_subject_table(counts, list_failed(checks, by, rules, _), heading, _),
            [str(key) for key in counts["subject_id"]],
        )
        caption = _("Choose a row to see every rule that judges it.")
    if table.empty:
        st.text(_("Nothing of this kind was checked."))
        return
    st.session_state[SHOWN_KEY] = [by, shown]
    key = f"rules_check_table_{by}_{len(shown)}_{_.language}"
    height: Literal["auto"] | int = "auto" if len(table) < 10 else 480
    widths = {str(table.columns[0]): 230, _("Rules that fail"): 380, _("Limit"): 220}
    st.dataframe(
        table,
        hide_index=True,
        height=height,
        key=key,
        on_select=_follow(key),
        selection_mode="single-row",
        column_config={name: st.column_config.TextColumn(width=width) for name, width in widths.items()},
        placeholder="",
    )
    st.caption(caption)


def _follow(key: str) -> Callable[[], None]:
    def follow() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        by, shown = st.session_state.get(SHOWN_KEY, ["", []])
        if rows and rows[0] < len(shown):
            st.session_state[CHOSEN_KEY] = [by, shown[rows[0]]]

    return follow


def _render_card(checks: pd.DataFrame, not_checked: pd.DataFrame, rules: Rules, by: str, _: Translator) -> None:
    kept = st.session_state.get(CHOSEN_KEY)
    chosen = kept[1] if isinstance(kept, list) and kept[0] == by else ""
    rows = checks[checks["rule_id" if by == "rule" else "subject_id"] == chosen]
    rows = rows if by == "rule" else rows[rows["subject"] == by]
    if not chosen or rows.empty:
        st.html(f'<div class="card">{build_overview(checks, not_checked, rules, _)}</div>')
        return
    with st.container(horizontal=True, gap="small"):
        st.button(_("← Back to the overview"), key="rules_check_close", type="tertiary", on_click=_close)
        if by == "rule":
            st.button(_("Card of the rule"), key="rules_check_open", on_click=_open_rule, args=(chosen,))
    if by == "rule":
        card = build_rule_card(rows, rules, chosen, _)
    else:
        card = build_subject_card(rows, rules, str(rows["subject_name"].iloc[0] or chosen), _)
    st.html(f'<div class="card">{card}</div>')


def _render_map(study: StudyArea, checks: pd.DataFrame, rules: Rules, mark: str, _: Translator) -> None:
    rule_id = choose_rule(checks, rules, _)
    shown = checks[checks["rule_id"] == rule_id] if rule_id else checks
    render_check_map(study, shown, f"{mark}:{rule_id}", _)


def _render_map_card(checks: pd.DataFrame, not_checked: pd.DataFrame, rules: Rules, _: Translator) -> None:
    selected = SELECTION.read()
    kind, key = (selected["kind"], selected["id"]) if selected is not None else ("", "")
    rows = checks[(checks["subject"] == kind) & (checks["subject_id"] == key)]
    if rows.empty:
        st.html(f'<div class="card">{build_overview(checks, not_checked, rules, _)}</div>')
        return
    st.button(_("← Back to the overview"), key="rules_check_map_close", type="tertiary", on_click=SELECTION.clear)
    card = build_subject_card(rows, rules, str(rows["subject_name"].iloc[0] or key), _)
    st.html(f'<div class="card">{card}</div>')


def _close() -> None:
    st.session_state[CHOSEN_KEY] = None


def _open_rule(rule_id: str) -> None:
    st.session_state[RULE_KEY] = rule_id
    for key in ("rules_tab", "rules_tab_kept"):
        st.session_state[key] = "rules"
