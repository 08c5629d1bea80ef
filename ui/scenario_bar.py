"""The bar above the map: which scenario is open, undo and redo, settings, and what else can be done with it."""

from __future__ import annotations

import dataclasses

import streamlit as st

from geodata.errors import LayoutError
from planning.scenario_file import render_scenario
from reports.language import Translator
from ui.cards import text
from ui.rulebooks import build_judged_by, read_rules
from ui.scenario_settings import render_settings
from ui.scenario_store import (
    LONGEST_NAME,
    close_scenario,
    flatten_scenario,
    open_app_store,
    open_scenario,
    read_who,
    say_trouble,
    say_when,
)
from ui.scenario_view import View
from ui.scenario_who import render_who
from ui.scenario_work import REFUSED_KEY, UNSAVED_KEY, read_work, step_back, step_forward, take_over
from ui.state import read_address, translator
from ui.text import clean

DELETED_KEY = "scenario_deleted"


def render_bar(view: View, _: Translator) -> None:
    """Draw the bar."""
    work = view.work
    with st.container(key="scenario_bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.button(_("← All scenarios"), key="scenario_all", on_click=_leave)
        st.html(_build_title(view, _), width="stretch")
        undo = _("Undo the last step")
        st.button("↶", key="scenario_undo", help=undo, disabled=not work.undo, on_click=step_back)
        st.button("↷", key="scenario_redo", help=_("Do it again"), disabled=not work.redo, on_click=step_forward)
        with st.popover(_("Settings"), key="scenario_settings"):
            render_settings(view, _)
        with st.popover(_("More"), key="scenario_more"):
            render_more(view, _)


def _leave() -> None:
    close_scenario()


def _build_title(view: View, _: Translator) -> str:
    stored = view.work.stored
    notice = _("Synthetic demo: no real place")
    badge = f'<span class="badge">{text(notice)}</span>' if view.study.synthetic else ""
    state = _("saved at {time}", time=say_when(stored.changed_at, _))
    if stored.who:
        state = _("saved at {time} by {who}", time=say_when(stored.changed_at, _), who=stored.who)
    if st.session_state.get(UNSAVED_KEY):
        state = _("not saved yet")
    more = [state, _("version {number}", number=stored.version)]
    above = view.work.ancestors
    if above:
        more.insert(0, _("builds on “{name}”", name=above[0].name))
    return (
        f'<div class="headline">{badge}{text(stored.name, longest=80)}'
        f'<span class="saved">{text(" · ".join(more), longest=200)}</span>'
        f"{build_judged_by(read_rules(view.rulebook), _)}</div>"
    )


def render_more(view: View, _: Translator) -> None:
    """Draw what else can be done: link, name, copy, file, delete."""
    stored = view.work.stored
    st.caption(_("Link to this scenario"))
    st.code(build_link(stored.scenario_id), language=None, wrap_lines=True)
    key = "scenario_rename"
    st.session_state[key] = stored.name
    st.text_input(_("Name of the scenario"), key=key, max_chars=LONGEST_NAME, on_change=rename_open, args=(key,))
    render_who(_, key="scenario_who_more")
    with st.container(horizontal=True):
        st.button(_("Copy"), key="scenario_copy", on_click=copy_scenario, args=(stored.scenario_id,))
        st.download_button(
            _("Download as TOML"),
            render_scenario(flatten_scenario(view.scenario)),
            file_name=f"{name_file(stored.name)}.toml",
            mime="application/toml",
            key="scenario_file",
            on_click="ignore",
        )
        st.button(_("Delete"), key="scenario_delete", on_click=delete_scenario, args=(stored.scenario_id, stored.name))


def build_link(scenario_id: str) -> str:
    """Return the address that opens a scenario in another browser."""
    from urllib.parse import urlencode, urlsplit

    address = {key: value for key, value in read_address().items() if key in ("study", "lang")}
    parts = urlsplit(st.context.url or "")
    base = f"{parts.scheme}://{parts.netloc}/scenarios" if parts.netloc else "/scenarios"
    return f"{base}?{urlencode({**address, 'scenario': scenario_id})}"


def name_file(name: str) -> str:
    """Return a name as a file's: letters, figures, a few signs."""
    kept = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in clean(name, longest=60))
    return kept.strip("_") or "scenario"


def rename_open(key: str) -> None:
    """Give the open scenario the name of a field; for callbacks."""
    work, _ = read_work(), translator()
    name = clean(st.session_state.get(key) or "", longest=LONGEST_NAME)
    if work is None or not name or name == work.stored.name:
        return
    try:
        saved = open_app_store().rename_scenario(work.stored.scenario_id, name, read_who(), work.stored.version)
        renamed = render_scenario(dataclasses.replace(work.read(), name=name))
        if renamed != saved.text:
            saved = open_app_store().save_scenario(
                saved.scenario_id, renamed, read_who(), saved.version, name=name, note=_("Renamed")
            )
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, _)
        return
    take_over(saved)


def copy_scenario(scenario_id: str) -> None:
    """Make a copy and open it; for callbacks."""
    _ = translator()
    store = open_app_store()
    try:
        found = store.find_scenario(scenario_id)
        if found is None:
            return
        name = store.suggest_name(found.study_key, _("Copy of {name}", name=found.name))
        made = store.copy_scenario(scenario_id, name, read_who())
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, _)
        return
    open_scenario(made.scenario_id)


def delete_scenario(scenario_id: str, name: str) -> None:
    """Delete a scenario, so that it can be brought back; for callbacks."""
    _ = translator()
    try:
        open_app_store().delete_scenario(scenario_id, read_who())
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, _)
        return
    st.session_state[DELETED_KEY] = [scenario_id, name]
    st.session_state[REFUSED_KEY] = None
    close_scenario()


def undelete_scenario(scenario_id: str) -> None:
    """Bring a deleted scenario back; for callbacks."""
    _ = translator()
    try:
        open_app_store().undelete_scenario(scenario_id, read_who())
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, _)
        return
    st.session_state[DELETED_KEY] = None
