"""From a what-if into a scenario: its changes become steps of a stored scenario or of a new one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from planning.actions import Action, OpenSchool
from reports.language import Translator
from store import StoreConflict, StoredScenario, StoreError
from ui.closures_engine import Engine
from ui.closures_state import Asked, build_actions, clear_asked
from ui.scenario_store import (
    append_actions,
    create_stored,
    find_stored,
    list_stored,
    read_stored,
    read_who,
    render_who,
    say_trouble,
)
from ui.state import read_address
from ui.text import clean, plain

NEW = ""
NAME_KEY, CHOICE_KEY, DONE_KEY, TROUBLE_KEY = (
    *("closures_put_name", "closures_put_where"),
    *("closures_put_done", "closures_put_trouble"),
)
TIMES_KEY = "closures_put_times"
LONGEST_NAME = 80


def render_put(study: StudyArea, engine: Engine, asked: Asked, suggestion: str, _: Translator) -> None:
    """Draw the button with its small form; ``suggestion`` is the name of a new scenario."""
    # A new key after each time closes the form.
    with st.popover(_("Put into a scenario"), key=f"closures_put_{st.session_state.get(TIMES_KEY, 0)}"):
        names = {NEW: _("a new scenario"), **_list_names(study)}
        if st.session_state.get(CHOICE_KEY) not in names:
            st.session_state[CHOICE_KEY] = engine.question.base_id if engine.question.base_id in names else NEW
        where = st.selectbox(_("Scenario"), list(names), format_func=lambda key: names[key], key=CHOICE_KEY)
        if where == NEW:
            name = st.text_input(_("Name"), value=suggestion, max_chars=LONGEST_NAME, key=f"{NAME_KEY}_{asked.digest}")
        else:
            name = names[where]
        who = read_who() or render_who(_, key="closures_who")
        st.button(
            _("Add {count} steps", count=_.number(asked.count)),
            type="primary",
            key="closures_add_go",
            disabled=not (who and name.strip()),
            on_click=_put,
            args=(study, engine, asked, where, name, who, _),
        )
        _render_trouble()


def render_done(_: Translator) -> None:
    """Say what was put where, with the way there."""
    done = st.session_state.get(DONE_KEY)
    if isinstance(done, dict):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.success(plain(_("Now in the scenario “{name}”.", name=done["name"])))
            if st.button(_("Open the scenario"), key="closures_added_open"):
                st.session_state.pop(DONE_KEY)
                st.switch_page("pages/scenarios.py", query_params={**read_address(), "scenario": done["id"]})


def _list_names(study: StudyArea) -> dict[str, str]:
    try:
        return {stored.scenario_id: clean(stored.name, longest=60) for stored in list_stored(study)}
    except StoreError:
        return {}


def _render_trouble() -> None:
    trouble = st.session_state.get(TROUBLE_KEY)
    if isinstance(trouble, str) and trouble:
        st.warning(plain(trouble, longest=500))


def _put(study: StudyArea, engine: Engine, asked: Asked, where: str, name: str, who: str, _: Translator) -> None:
    st.session_state[TROUBLE_KEY] = ""
    try:
        stored = _save(study, engine, asked, where, name.strip(), who)
    except StoreConflict:
        st.session_state[TROUBLE_KEY] = _(
            "Somebody else has just saved this scenario. Try again: your steps come after theirs."
        )
        return
    except LayoutError as error:
        st.session_state[TROUBLE_KEY] = say_trouble(error, _)
        return
    if stored is None:
        st.session_state[TROUBLE_KEY] = _("This scenario is not there any more. Choose another one.")
        return
    st.session_state[TIMES_KEY] = int(st.session_state.get(TIMES_KEY, 0)) + 1
    st.session_state[DONE_KEY] = {"id": stored.scenario_id, "name": stored.name}
    if stored.scenario_id == engine.question.base_id:
        clear_asked()  # the base itself has these steps now
    st.session_state[CHOICE_KEY] = stored.scenario_id


def _save(study: StudyArea, engine: Engine, asked: Asked, where: str, name: str, who: str) -> StoredScenario | None:
    actions = build_actions(asked, engine.stage)
    if where != NEW:
        stored = find_stored(where)
        if stored is None or stored.deleted:
            return None
        taken = {action.school_id for action in read_stored(stored).all_actions if isinstance(action, OpenSchool)}
        return append_actions(stored, rename_opened(actions, taken), who)
    base = find_stored(engine.question.base_id)
    scenario = dataclasses.replace(engine.question.scenario, name=name, actions=actions, inherited=(), parent=None)
    return create_stored(study, scenario, who, parent=base)


def rename_opened(actions: Sequence[Action], taken: set[str]) -> tuple[Action, ...]:
    """Return the actions with new schools under ids that are not ``taken`` by those of the scenario."""
    used, renamed = set(taken), []
    for action in actions:
        kept = action
        if isinstance(action, OpenSchool):
            key = action.school_id
            number = 1
            while key in used:
                number += 1
                key = f"{action.school_id}_{number}"
            used.add(key)
            kept = dataclasses.replace(action, school_id=key)
        renamed.append(kept)
    return tuple(renamed)
