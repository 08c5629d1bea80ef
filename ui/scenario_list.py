"""The list of this county's scenarios: open, copy, delete with undo; a new one; files in and out."""

from __future__ import annotations

from typing import cast

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import Mode, StudyArea
from planning.scenario import Scenario
from reports.language import Translator
from store import StoredScenario
from ui.cards import text
from ui.rulebooks import read_reference
from ui.scenario_bar import DELETED_KEY, copy_scenario, delete_scenario, undelete_scenario
from ui.scenario_exchange import render_import_scenario, render_import_study, render_pack
from ui.scenario_quick import ask_quick
from ui.scenario_store import (
    LONGEST_NAME,
    create_stored,
    list_stored,
    open_app_store,
    open_scenario,
    read_stored,
    read_who,
    render_who,
    say_trouble,
    say_when,
)
from ui.scenario_work import REFUSED_KEY
from ui.state import MODE_KEY, STAGE_KEY, translator
from ui.text import clean, plain
from ui.today_choices import list_stages

NAME_KEY, PARENT_KEY = "scenario_new_name", "scenario_new_parent"
MOST_CHECKED = 30


def render_list(study: StudyArea, _: Translator) -> None:
    """Draw the list and, beside it, what makes a new scenario."""
    with st.container():  # a place of its own: what comes and goes here must not shift the list
        _say_deleted(_)
        refused = st.session_state.pop(REFUSED_KEY, None)
        if isinstance(refused, str) and refused:
            st.warning(plain(refused, longest=500))
    stored = list_stored(study)
    left, right = st.columns([1.9, 1], gap="medium")
    with left:
        _render_rows(study, stored, _)
        _render_deleted(study, _)
    with right:
        _render_new(study, stored, _)


def _say_deleted(_: Translator) -> None:
    deleted = st.session_state.get(DELETED_KEY)
    if isinstance(deleted, list):
        with st.container(key="scenario_deleted_box", horizontal=True, vertical_alignment="center", border=True):
            words = _("“{name}” is deleted.", name=deleted[1])
            st.html(f"<p>{text(words)}</p>", width="stretch")
            st.button(
                _("Undo"), key="scenario_undelete", on_click=undelete_scenario, args=(deleted[0],), type="primary"
            )


def _render_rows(study: StudyArea, stored: list[StoredScenario], _: Translator) -> None:
    title = _("Scenarios of {county}", county=study.name)
    st.html(f'<div class="headline">{text(title, longest=120)}</div>')
    if not stored:
        words = _("None yet. Make the first one: give it a name on the right.")
        st.html(f'<p class="quiet">{text(words)}</p>')
        return
    names = {item.scenario_id: item.name for item in stored}
    for place, item in enumerate(stored):
        _render_row(study, item, names, _, checked=place < MOST_CHECKED)


def _render_row(study: StudyArea, item: StoredScenario, names: dict[str, str], _: Translator, *, checked: bool) -> None:
    with st.container(
        key=f"scenario_row_{item.scenario_id}", border=True, horizontal=True, vertical_alignment="center"
    ):
        st.button(
            f"**{plain(item.name, longest=60)}**",
            key=f"scenario_open_{item.scenario_id}",
            on_click=open_scenario,
            args=(item.scenario_id,),
            type="tertiary",
        )
        about, state = _describe(study, item, _, checked=checked)
        above = names.get(item.parent_id or "")
        parts = [about, *([_("builds on “{name}”", name=above)] if above else [])]
        who = " · ".join([*([item.who] if item.who else []), say_when(item.changed_at, _)])
        st.html(
            f'<div class="row-words"><span>{text(" · ".join(parts), longest=160)}</span>'
            f"<span>{text(who, longest=90)}</span></div>",
            width="stretch",
        )
        st.html(f'<span class="state {state[0]}">{text(state[1])}</span>', width="content")
        with st.popover("⋯", key=f"scenario_menu_{item.scenario_id}", help=_("Copy or delete")):
            st.button(
                _("Copy"), key=f"scenario_copy_{item.scenario_id}", on_click=copy_scenario, args=(item.scenario_id,)
            )
            st.button(
                _("Delete"),
                key=f"scenario_delete_{item.scenario_id}",
                on_click=delete_scenario,
                args=(item.scenario_id, item.name),
            )


def _describe(study: StudyArea, item: StoredScenario, _: Translator, *, checked: bool) -> tuple[str, tuple[str, str]]:
    """Return the number of steps in words, and the state as (kind, words)."""
    try:
        scenario = read_stored(item)
    except LayoutError:
        return _("cannot be read"), ("bad", _("cannot be read"))
    count = len(scenario.actions)
    about = _("no steps") if not count else _("{count} steps", count=_.number(count))
    if checked:
        problems = ask_quick(study, scenario, scenario.stages[0], read_reference()).applied.problems
        wrong = sum(problem.severity == "error" for problem in problems)
        if wrong:
            return about, ("bad", _("{count} to mend", count=_.number(wrong)))
    runs = open_app_store().list_runs(item.scenario_id)
    if any(run.version == item.version and run.plan_fingerprint for run in runs):
        return about, ("good", _("answered"))
    return about, ("", _("being drawn up"))


def _render_deleted(study: StudyArea, _: Translator) -> None:
    gone = list_stored(study, deleted=True)
    if not gone:
        return
    with st.expander(_("Deleted scenarios ({count})", count=len(gone))):
        for item in gone[:20]:
            with st.container(horizontal=True, vertical_alignment="center"):
                words = " · ".join([item.name, say_when(item.changed_at, _)])
                st.html(f"<span>{text(words, longest=120)}</span>", width="stretch")
                st.button(
                    _("Bring back"),
                    key=f"scenario_back_{item.scenario_id}",
                    on_click=undelete_scenario,
                    args=(item.scenario_id,),
                )


def _render_new(study: StudyArea, stored: list[StoredScenario], _: Translator) -> None:
    with st.container(border=True, key="scenario_new"):
        title = _("New scenario")
        st.markdown(f"**{plain(title)}**")
        who = render_who(_, key="scenario_who")
        if NAME_KEY not in st.session_state:
            st.session_state[NAME_KEY] = ""
        st.text_input(
            _("Name of the scenario"),
            key=NAME_KEY,
            max_chars=LONGEST_NAME,
            placeholder=_("for example: Merge the small schools"),
        )
        names = {item.scenario_id: clean(item.name, longest=50) for item in stored}
        if names:
            if st.session_state.get(PARENT_KEY) not in names:
                st.session_state[PARENT_KEY] = None
            st.selectbox(
                _("Builds on"),
                list(names),
                format_func=lambda item: names.get(item, item),
                key=PARENT_KEY,
                index=None,
                placeholder=_("today"),
            )
        st.button(
            _("Make the scenario"),
            type="primary",
            key="scenario_create",
            on_click=_create,
            args=(study,),
            disabled=not who,
        )
        if not who:
            st.caption(_("Give your name first: it stands beside every change."))
    with st.expander(_("Read a scenario from a file")):
        render_import_scenario(study, _, ready=bool(who))
    with st.expander(_("The whole county as one file")):
        st.caption(_("Data, scenarios and rulebooks together: for colleagues on another machine."))
        render_pack(study, _)
        render_import_study(_, ready=bool(who))


def _create(study: StudyArea) -> None:
    _ = translator()
    parent_id = st.session_state.get(PARENT_KEY)
    name = clean(st.session_state.get(NAME_KEY) or "", longest=LONGEST_NAME) or _("Scenario")
    try:
        parent = open_app_store().find_scenario(str(parent_id)) if parent_id else None
        start = build_start(study) if parent is None else read_stored(parent)
        from dataclasses import replace

        scenario = replace(start, name=name, actions=(), inherited=(), parent=None)
        made = create_stored(study, scenario, read_who(), note=_("Made"), parent=parent)
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, _)
        return
    st.session_state[NAME_KEY] = ""
    st.session_state[DELETED_KEY] = None
    open_scenario(made.scenario_id)


def build_start(study: StudyArea) -> Scenario:
    """Return a scenario that asks what the pages ask: their stage and way; within the places where they are known."""
    stages = list_stages(study)
    kept, way = st.session_state.get(STAGE_KEY), st.session_state.get(MODE_KEY)
    stage = kept if kept in stages else "primary" if "primary" in stages else stages[0]
    modes = list(study.travel)
    mode = way if way in modes else modes[0] if modes else "walk"
    zoned = bool((study.zones["stage"] == stage).any())
    return Scenario(
        stages=(stage,),
        mode=cast(Mode, mode),
        enrolment="zones" if zoned else "nearest",
    )
