"""What a scenario asks: stages, way of travel, enrolment, school year, and the scenario that it builds on."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import STAGES, StudyArea
from planning.forecast_options import VARIANTS
from planning.scenario import EnrolmentMethod, Scenario
from planning.scenario_file import render_scenario
from reports.forecast_words import say_variant
from reports.language import Translator
from reports.legend import name_mode_short, name_stage_short
from store import StoredScenario, StoreError
from ui.rulebooks import choose_rulebook
from ui.scenario_store import list_ancestors, list_stored, read_stored, say_trouble
from ui.scenario_view import View
from ui.scenario_work import REFUSED_KEY, change_work, read_work, save_text
from ui.state import translator
from ui.text import clean

EARLIEST, LATEST = 1990, 2100


def name_enrolment(method: str, _: Translator) -> str:
    """Return how children get their school, as a list shows it."""
    names = {
        "nearest": _("Nearest school"),
        "zones": _("Current catchments"),
        "capacity": _("Within the places"),
        "choice": _("What families choose"),
        "zoning": _("New zones in one piece"),
    }
    return names.get(method, method)


def list_methods(study: StudyArea, scenario: Scenario) -> list[str]:
    """Return the ways of enrolment that this county has data for."""
    zoned = set(study.zones["stage"].astype(str))
    known = any(stage in zoned for stage in scenario.stages)
    return [method for method in get_args(EnrolmentMethod) if method != "zones" or known]


def _change(key: str, field: str, title: str) -> None:
    """Take a setting over from its widget; for callbacks."""
    value: Any = st.session_state.get(key)
    if field == "stages":
        value = tuple(stage for stage in STAGES if stage in (value or ()))
    if value in (None, ()) and field != "year":
        return
    values = {field: value, **({"variant": ""} if field == "year" and value is None else {})}
    change_work(lambda scenario: dataclasses.replace(scenario, **values), title)


def render_settings(view: View, _: Translator) -> None:
    """Draw the settings."""
    study, scenario = view.study, view.scenario
    taught = set(study.places["stage"].astype(str)) | set(scenario.stages)
    stages = [stage for stage in STAGES if stage in taught]
    names = {stage: name_stage_short(stage, _) for stage in stages}
    key = "scenario_set_stages"
    st.session_state[key] = [stage for stage in stages if stage in scenario.stages]
    title = _("Stages")
    st.multiselect(
        title,
        stages,
        format_func=names.__getitem__,
        key=key,
        on_change=_change,
        args=(key, "stages", title),
        select_all=False,
    )
    key, title = "scenario_set_enrolment", _("Who goes where")
    methods = list_methods(study, scenario)
    st.session_state[key] = scenario.enrolment if scenario.enrolment in methods else methods[0]
    st.selectbox(
        title,
        methods,
        format_func=lambda method: name_enrolment(method, _),
        key=key,
        on_change=_change,
        args=(key, "enrolment", title),
        help=_("How the children of a community get their school, today and after the steps."),
    )
    key, title = "scenario_set_mode", _("On the way")
    modes = list(study.travel) or [scenario.mode]
    st.session_state[key] = scenario.mode if scenario.mode in modes else modes[0]
    st.selectbox(
        title,
        modes,
        format_func=lambda mode: name_mode_short(mode, _),
        key=key,
        on_change=_change,
        args=(key, "mode", title),
    )
    key, title = "scenario_set_year", _("School year asked about")
    own = view.work.read()  # with the pupils of a year that year is shown, and this is the scenario's own
    st.session_state[key] = own.year
    st.number_input(
        title,
        min_value=EARLIEST,
        max_value=LATEST,
        step=1,
        key=key,
        on_change=_change,
        args=(key, "year", title),
        placeholder=_("all steps"),
        help=_("Steps of later years are not yet in force. Empty: all steps, and the latest rolls."),
    )
    _choose_variant(own, _)
    _render_parent(view, _)
    choose_rulebook(_, width="stretch")


def _choose_variant(own: Scenario, _: Translator) -> None:
    """Draw whose pupils the scenario is about; a variant of the forecast needs a year."""
    key, title = "scenario_set_variant", _("Pupils of that year")
    names: dict[str, str] = {"": _("Today's"), **{name: say_variant(name, _) for name in VARIANTS}}
    st.session_state[key] = own.variant
    st.selectbox(
        title,
        list(names),
        format_func=names.__getitem__,
        key=key,
        on_change=_change,
        args=(key, "variant", title),
        disabled=own.year is None,
        help=_("With a variant of the forecast the children and the rolls are those of the year asked about."),
    )


def _render_parent(view: View, _: Translator) -> None:
    stored = view.work.stored
    try:
        others = {item.scenario_id: item for item in list_stored(view.study) if _can_build_on(item, stored)}
    except StoreError:
        others = {}
    key = "scenario_set_parent"
    st.session_state[key] = stored.parent_id if stored.parent_id in others else None
    names = {item: clean(other.name, longest=50) for item, other in others.items()}

    def take() -> None:
        put_parent(others.get(str(st.session_state.get(key))))

    st.selectbox(
        _("Builds on"),
        list(others),
        format_func=lambda item: names.get(item, item),
        key=key,
        index=None,
        placeholder=_("today"),
        on_change=take,
        help=_("The steps of that scenario come first. When it changes, this one follows."),
    )


def _can_build_on(other: StoredScenario, own: StoredScenario) -> bool:
    """Whether ``other`` may be the parent: not itself, and nothing that builds on it."""
    above = {other.scenario_id, *(item.scenario_id for item in list_ancestors(other.parent_id))}
    return own.scenario_id not in above


def put_parent(parent: StoredScenario | None) -> None:
    """Let the open scenario build on another one, or on today; for callbacks."""
    work, _ = read_work(), translator()
    if work is None:
        return
    try:
        scenario = work.read()
        above = () if parent is None else read_stored(parent).all_actions
        named = None if parent is None else parent.name
        text = render_scenario(dataclasses.replace(scenario, parent=named, inherited=above))
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, _)
        return
    note = _("Builds on today") if parent is None else _("Builds on “{name}”", name=parent.name)
    parent_id = None if parent is None else parent.scenario_id
    save_text(text, note, undo=(), redo=(), parent_id=parent_id)
