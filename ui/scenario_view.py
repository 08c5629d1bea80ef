"""What the Scenarios page works on in one run: the open scenario, its quick answer, the names of everything in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from geodata.study import Stage, StudyArea
from planning.action_words import collect_names, describe_action
from planning.actions import Action
from planning.scenario import Scenario
from reports.language import Translator
from reports.legend import name_stage_short
from ui.rulebooks import DEFAULT_BOOK, read_reference
from ui.scenario_quick import Quick, ask_quick
from ui.scenario_work import Work, change_work
from ui.selection import Selected as Selected
from ui.selection import Selection
from ui.state import STAGE_KEY, keep_in_address, translator

MAP_KEY = "scenario_map"
SELECTED_KEY = "scenario_selected"
FOCUS_KEY = "scenario_focus"
SELECTION = Selection(MAP_KEY, SELECTED_KEY, FOCUS_KEY)
select, clear_selected = SELECTION.select, SELECTION.clear


@dataclass(frozen=True, eq=False)
class Offer:
    """A step that a form offers, and the place below its button where to tell what it would do."""

    build: Callable[[], Action]
    place: DeltaGenerator


@dataclass(frozen=True, eq=False)
class View:
    """One run of the page. ``stage``: the one shown. ``names``: of schools, units and sites, by id.

    ``offers``: the steps that the forms of this run offer (``ui.scenario_preview``). ``rulebook``: a reference, see
    ``ui.rulebooks``.
    """

    study: StudyArea
    work: Work
    scenario: Scenario
    stage: Stage
    quick: Quick
    names: Mapping[str, str]
    offers: list[Offer] = field(default_factory=list)
    rulebook: str = DEFAULT_BOOK

    @property
    def after(self) -> StudyArea:
        """The study after the steps that are in force."""
        return self.quick.applied.study

    def name(self, key: str) -> str:
        """Return the name of a school, unit or site; its id where it has none."""
        return self.names.get(key) or key


def build_view(study: StudyArea, work: Work, scenario: Scenario, stage: Stage) -> View:
    """Return what the page works on."""
    names = collect_names(study, scenario.all_actions)
    rulebook = read_reference()
    quick = ask_quick(study, scenario, stage, rulebook)
    return View(study, work, scenario, stage, quick, names, rulebook=rulebook)


def choose_stage(scenario: Scenario, _: Translator) -> Stage:
    """Draw the switch of the stages that the scenario asks about; nothing to choose where it is one."""
    kept = st.session_state.get(STAGE_KEY)
    stages = scenario.stages
    first = cast(Stage, kept) if kept in stages else stages[0]
    if len(stages) == 1:
        return first
    key = "scenario_stage"
    st.session_state[key] = first

    def remember() -> None:
        if st.session_state.get(key):
            keep_in_address("stage", STAGE_KEY, str(st.session_state[key]))

    chosen = st.segmented_control(
        _("Stage"),
        stages,
        format_func=lambda name: name_stage_short(name, _),
        key=key,
        required=True,
        on_change=remember,
        label_visibility="collapsed",
    )
    return chosen or first


def add_action(action: Action, names: Mapping[str, str], *, close: bool = True) -> None:
    """Put a step at the end of the scenario; for callbacks. ``close`` puts the card of what was chosen away."""
    note = translator().say(describe_action(action, names))
    change_work(lambda scenario: put_actions(scenario, (*scenario.actions, action)), note)
    if close:
        clear_selected()


def put_actions(scenario: Scenario, actions: Sequence[Action]) -> Scenario:
    """Return the scenario with other own steps."""
    return replace(scenario, actions=tuple(actions))


def find_row(table: pd.DataFrame, column: str, key: str) -> pd.Series | None:
    """Return the first row of a table with a key, None where there is none."""
    rows = table[table[column].astype(str) == key]
    return None if rows.empty else rows.iloc[0]


def read_number(row: Mapping[str, object] | pd.Series | None, name: str) -> float:
    """Return a number of a row, NaN where it is not known."""
    value = None if row is None else row.get(name)
    try:
        return float(value) if value is not None and value is not pd.NA else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
