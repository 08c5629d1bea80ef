"""What the Inspection page is asked: which inspection, which stage, by which rules, today or after which scenario."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import cast

import streamlit as st

from geodata.study import Stage, StudyArea
from planning.balance import BALANCE_KINDS, BALANCE_STAGES, Balance, BalanceKind, build_balance
from planning.rules import Rules
from planning.run import Outcome
from planning.scenario import Scenario
from reports.language import Translator
from reports.legend import name_stage_short
from ui.base_choice import TODAY, choose_base, read_base
from ui.rulebooks import choose_rulebook, read_rules
from ui.scenario_outcomes import ask_scenario, compute_outcome_key
from ui.text import plain
from ui.today_choices import list_stages
from ui.zoning_keep import keep_value, put_back

KIND_KEY, STAGE_KEY, SCENARIO_KEY = "inspection_kind", "inspection_stage", "inspection_scenario"
BALANCES_IN_MEMORY = 8


@dataclass(frozen=True)
class Choice:
    """What is asked. ``scenario`` None: today."""

    kind: BalanceKind
    stage: str
    scenario: Scenario | None
    rulebook: str


@dataclass(frozen=True, eq=False)
class Inspected:
    """The inspection of one county: ``stages`` are those inspected that some school teaches."""

    choice: Choice
    balance: Balance
    rules: Rules
    stages: tuple[str, ...]


def name_inspection(kind: str, _: Translator) -> str:
    """Return the name of an inspection."""
    names = {"quality": _("High-quality balance (2017)"), "basic": _("Basic balance (2012)")}
    return names.get(kind, kind)


def list_inspected_stages(study: StudyArea) -> tuple[str, ...]:
    """Return the stages of compulsory schooling that some school of the county teaches."""
    taught = list_stages(study)
    return tuple(stage for stage in BALANCE_STAGES if stage in taught)


def render_choices(study: StudyArea, _: Translator) -> Choice | None:
    """Draw the choices in one row; None where no school teaches a stage that is inspected."""
    stages = list_inspected_stages(study)
    if not stages:
        st.warning(plain(_("No school of this county teaches a primary or junior stage: there is nothing to inspect.")))
        return None
    with st.container(key="inspection_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        kind = _choose_switch(
            _("Inspection"), KIND_KEY, BALANCE_KINDS, {k: name_inspection(k, _) for k in BALANCE_KINDS}
        )
        stage = _choose_switch(_("Stage"), STAGE_KEY, stages, {name: name_stage_short(name, _) for name in stages})
        scenario = _choose_scenario(study, stages, _)
        rulebook = choose_rulebook(_, width=190)
    return Choice(cast(BalanceKind, kind), stage, scenario, rulebook)


def _choose_switch(label: str, key: str, options: tuple[str, ...], names: dict[str, str]) -> str:
    put_back(key, options[0], options)
    chosen = st.segmented_control(label, options, format_func=names.__getitem__, key=key, required=True)
    keep_value(key, chosen)
    return str(chosen)


def _choose_scenario(study: StudyArea, stages: tuple[str, ...], _: Translator) -> Scenario | None:
    """Draw the choice of a scenario; its answer must hold every stage that is inspected."""
    tip = _("After a scenario: pupils and assets move with its closures and mergers, before stands beside after.")
    chosen, _names = choose_base(study, _("Inspect"), SCENARIO_KEY, _, width=240, tip=tip)
    scenario = None if chosen == TODAY else read_base(chosen, _)
    if scenario is None:
        return None
    both = tuple(dict.fromkeys((*scenario.stages, *(cast(Stage, stage) for stage in stages))))
    return dataclasses.replace(scenario, stages=both)


def find_inspected(study: StudyArea, choice: Choice, _: Translator) -> Inspected | None:
    """Return the inspection asked for; None while the answer to its scenario is being worked out."""
    rules = read_rules(choice.rulebook)
    outcome = None
    key = "today"
    if choice.scenario is not None:
        outcome = ask_scenario(study, choice.scenario, choice.rulebook, slot="inspection", _=_)
        if outcome is None:
            return None
        key = compute_outcome_key(study.fingerprint, choice.scenario, choice.rulebook)
    balance = _build_balance(study.fingerprint, rules.fingerprint, choice.kind, key, study, rules, outcome)
    return Inspected(choice, balance, rules, list_inspected_stages(study))


@st.cache_resource(max_entries=BALANCES_IN_MEMORY, show_spinner=False)
def _build_balance(
    fingerprint: str,
    rulebook: str,
    kind: BalanceKind,
    key: str,
    _study: StudyArea,
    _rules: Rules,
    _outcome: Outcome | None,
) -> Balance:
    """Return an inspection, worked out once for each county, rulebook, kind and scenario."""
    return build_balance(_study, _rules, outcome=_outcome, kind=kind)
