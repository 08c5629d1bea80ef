"""Two planners at once: what both have, side by side, and the three ways on. Nothing is lost by any of them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from geodata.errors import LayoutError
from planning.action_words import collect_names, describe_action
from planning.scenario import Scenario
from reports.language import Translator
from store import StoredScenario
from ui.cards import text
from ui.scenario_store import (
    create_stored,
    find_stored,
    list_ancestors,
    open_app_store,
    open_scenario,
    read_text,
    read_who,
    say_trouble,
    say_when,
)
from ui.scenario_work import CONFLICT_KEY, NEWS_KEY, REFUSED_KEY, UNSAVED_KEY, Work, save_again, take_over
from ui.state import translator
from ui.text import plain

TOLD_KEY = "scenario_told"


def has_conflict() -> bool:
    """Whether a change waits for a decision."""
    return isinstance(st.session_state.get(CONFLICT_KEY), dict)


def render_notices(work: Work, _: Translator) -> None:
    """Say what has to be said about saving: refused, unsaved, changed by others, done."""
    refused, waiting = st.session_state.get(REFUSED_KEY), st.session_state.get(UNSAVED_KEY)
    if isinstance(refused, str) and refused:
        st.warning(plain(refused, longest=500))
    if isinstance(waiting, dict):
        with st.container(key="scenario_unsaved_box", border=True):
            st.error(plain(_("The last change is not saved yet. {why}", why=waiting["why"]), longest=600))
            with st.container(horizontal=True):
                st.button(_("Save again"), key="scenario_save_again", type="primary", on_click=save_again)
                st.download_button(
                    _("Download it as a file"),
                    waiting["text"],
                    file_name="scenario.toml",
                    mime="application/toml",
                    key="scenario_save_file",
                    on_click="ignore",
                )
    news = st.session_state.get(NEWS_KEY)
    if isinstance(news, list):
        who = str(news[0]) or _("Somebody")
        st.info(plain(_("{who} has changed this scenario meanwhile; you see it as it is now.", who=who), longest=300))
    told = st.session_state.pop(TOLD_KEY, None)
    if isinstance(told, str):
        st.success(plain(told, longest=300))


def render_conflict(work: Work, names: dict[str, str], _: Translator) -> None:
    """Draw both sides and the three ways on."""
    waiting: Any = st.session_state[CONFLICT_KEY]
    theirs = find_stored(work.stored.scenario_id)
    if theirs is None:
        return
    mine = _read(waiting["text"], work.stored)
    other = _read(theirs.text, theirs)
    with st.container(key="scenario_conflict_box", border=True):
        who = theirs.who or _("Somebody")
        head = _(
            "{who} saved this scenario at {time}, while you were changing it.",
            who=who,
            time=say_when(theirs.changed_at, _),
        )
        if theirs.deleted:
            head = _(
                "{who} deleted this scenario at {time}, while you were changing it.",
                who=who,
                time=say_when(theirs.changed_at, _),
            )
        st.html(f'<div class="conflict-head"><b>{text(head, longest=300)}</b></div>')
        left, right = st.columns(2)
        left.html(_build_side(_("Mine: {note}", note=waiting["note"]), mine, other, names, _))
        right.html(_build_side(_("Theirs: {note}", note=theirs.note), other, mine, names, _))
        with st.container(horizontal=True, key="scenario_conflict_ways"):
            st.button(
                _("Keep both: mine as a new scenario"),
                type="primary",
                key="scenario_keep_both",
                on_click=_keep_both,
                args=(work,),
            )
            if not theirs.deleted:
                st.button(_("Take theirs"), key="scenario_take_theirs", on_click=_take_theirs, args=(work,))
            st.button(_("Mine in place of theirs"), key="scenario_keep_mine", on_click=_keep_mine, args=(work,))
        st.caption(_("Whatever you choose, the other version stays in the history."))


def _read(words: str, stored: StoredScenario) -> Scenario | None:
    try:
        return read_text(words, stored.name, list_ancestors(stored.parent_id))
    except LayoutError:
        return None


def _build_side(title: str, own: Scenario | None, other: Scenario | None, names: dict[str, str], _: Translator) -> str:
    """Return one side: its steps; those that the other side lacks stand out."""
    if own is None:
        return f"<h4>{text(title)}</h4>"
    there = set() if other is None else set(other.actions)
    items = [
        f"<li{'' if action in there else ' class=own'}>{text(_.say(describe_action(action, names)), longest=300)}</li>"
        for action in own.actions
    ]
    return f'<div class="side-by"><h4>{text(title, longest=200)}</h4><ol>{"".join(items)}</ol></div>'


def _keep_both(work: Work) -> None:
    waiting: Any = st.session_state[CONFLICT_KEY]
    theirs, _ = find_stored(work.stored.scenario_id), translator()
    if theirs is None:
        return
    try:
        name = _("{name} ({who})", name=theirs.name, who=read_who() or _("copy"))
        scenario = read_text(waiting["text"], name, work.ancestors)
        made = create_stored(theirs.study_key, scenario, read_who(), note=waiting["note"])
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, _)
        return
    if theirs.deleted:
        open_scenario(made.scenario_id)
        take_over(made)
    else:
        take_over(theirs)
    st.session_state[TOLD_KEY] = _("Yours is kept as “{name}”; here you see theirs.", name=made.name)


def _take_theirs(work: Work) -> None:
    theirs = find_stored(work.stored.scenario_id)
    if theirs is not None:
        take_over(theirs)


def _keep_mine(work: Work) -> None:
    waiting: Any = st.session_state[CONFLICT_KEY]
    store, theirs = open_app_store(), find_stored(work.stored.scenario_id)
    if theirs is None:
        return
    try:
        if theirs.deleted:
            theirs = store.undelete_scenario(theirs.scenario_id, read_who())
        saved = store.save_scenario(
            theirs.scenario_id, waiting["text"], read_who(), theirs.version, name=theirs.name, note=waiting["note"]
        )
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, translator())
        return
    take_over(saved, undo=(theirs.text,))


def collect_all_names(study: Any, *scenarios: Scenario | None) -> dict[str, str]:
    """Return the names of a study with those that any of the scenarios opens."""
    actions = tuple(action for scenario in scenarios if scenario is not None for action in scenario.all_actions)
    return collect_names(study, actions)
