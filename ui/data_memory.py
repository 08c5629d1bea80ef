"""Columns and words as last time: what was said about a file is found again for the next one with the same headers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import streamlit as st

from geodata.study import compute_digest
from reports.language import Translator
from store import StoreError
from ui.columns import match_fields, read_columns
from ui.data_systems import forget_system_widgets
from ui.detect import Detected
from ui.draft import WORD_ROLES, Draft
from ui.scenario_store import open_app_store
from ui.scenario_who import read_who
from ui.text import plain

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "schools": ("default_stage", "default_setting", "keep_where_positive"),
    "exclusions": ("exclusion_kind",),
    "barriers": ("barrier_kind",),
    "zones": ("zone_stage",),
    "roads": ("snap_m",),
}
"""What else is remembered with a file, by role: fields of the draft. The year is not: the next file has another."""
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "schools": ("set_stage", "set_setting", "set_keep"),
    "exclusions": ("set_exclusion_kind",),
    "barriers": ("set_barrier_kind",),
    "zones": ("set_zone_stage",),
    "roads": ("set_snap",),
}
log = logging.getLogger("buju.ui")


def mark_upload(draft: Draft, role: str, found: Detected) -> str:
    """Return what names an upload and the part of it that is read: a new file gets fresh widgets."""
    return compute_digest(draft.files[role][0], found.used)


def recall_mappings(draft: Draft, tables: Mapping[str, Detected]) -> None:
    """Fill in what was said last time about files with the same headers; looked up once for each upload."""
    for role, found in tables.items():
        mark = mark_upload(draft, role, found)
        if draft.recalled.get(role) == mark:
            continue
        draft.recalled[role] = mark
        draft.as_last.pop(role, None)
        stored = None
        try:
            stored = open_app_store().find_mapping(role, found.headers)
        except StoreError as error:
            log.info("a mapping cannot be looked up: %s", type(error).__name__)
        if stored is not None and _take(draft, role, found, stored.content):
            draft.as_last[role] = stored.at.date().isoformat()
            forget_system_widgets(role)
            _forget_widgets(role)


def remember_mappings(draft: Draft, tables: Mapping[str, Detected]) -> None:
    """Keep what was chosen for each file; nothing where nothing was chosen, and no word of trouble where it fails."""
    for role, found in tables.items():
        content = build_content(draft, role, found)
        if not content:
            continue
        try:
            open_app_store().save_mapping(role, found.headers, content, read_who())
        except StoreError as error:
            log.info("a mapping cannot be kept: %s", type(error).__name__)


def build_content(draft: Draft, role: str, found: Detected) -> dict[str, Any]:
    """Return what is remembered of a file: what the dictionary would not say by itself of columns and words, and more.

    That is its system and its settings. Empty where nothing was chosen.
    """
    automatic = match_fields(role, found.headers, {})
    chosen = draft.columns.get(role, {})
    empty = Draft()
    settings = {name: getattr(draft, name) for name in SETTINGS.get(role, ())}
    content = {
        "columns": {name: header for name, header in chosen.items() if automatic.get(name, "") != header},
        "words": {column: dict(words) for column, words in draft.words.get(role, {}).items() if words},
        "system": draft.systems.get(role, ""),
        "settings": {name: value for name, value in settings.items() if value != getattr(empty, name)},
    }
    return {key: value for key, value in content.items() if value}


def _take(draft: Draft, role: str, found: Detected, content: Mapping[str, Any]) -> bool:
    """Put a remembered mapping into the draft, as far as it fits; return whether anything did."""
    known, present = read_columns(role), set(found.headers)
    written = {word for counts in found.words.values() for word, _rows in counts}
    columns = {
        name: header
        for name, header in _texts(content.get("columns")).items()
        if name in known and (header == "" or header in present)
    }
    words: dict[str, dict[str, str]] = {}
    kept = content.get("words")
    for column, meant in kept.items() if isinstance(kept, Mapping) and role in WORD_ROLES else ():
        if column in known and (meanings := {w: ours for w, ours in _texts(meant).items() if w in written}):
            words[str(column)] = meanings
    system = content.get("system") if isinstance(content.get("system"), str) else ""
    settings = content.get("settings")
    changes = {
        name: value
        for name, value in (settings.items() if isinstance(settings, Mapping) else ())
        if name in SETTINGS.get(role, ()) and type(value) is type(getattr(draft, name))
    }
    if not (columns or words or system or changes):
        return False
    draft.columns[role], draft.words[role] = columns, words
    draft.systems[role] = str(system)
    for name, value in changes.items():
        setattr(draft, name, value)
    return True


def _texts(value: Any) -> dict[str, str]:
    """Return the pairs of texts of a mapping that was kept as plain data."""
    if not isinstance(value, Mapping):
        return {}
    return {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, str)}


def render_memory(_: Translator, role: str, draft: Draft, found: Detected) -> bool:
    """Say that columns and words are as last time, with a button that forgets them; return whether it was pressed."""
    day = draft.as_last.get(role)
    if not day:
        return False
    with st.container(horizontal=True, vertical_alignment="center", key=f"memory_{role}"):
        words = _("Columns and words as last time ({day}), because the headers are the same.", day=day)
        st.caption(f":material/history: {plain(words)}", width="stretch")
        if not st.button(_("Forget"), key=f"forget_{role}", type="tertiary"):
            return False
    try:
        open_app_store().forget_mapping(role, found.headers)
    except StoreError as error:
        st.warning(plain(_.say(error.message), longest=300))
        return False
    empty = Draft()
    for name in SETTINGS.get(role, ()):
        setattr(draft, name, getattr(empty, name))
    for kept in (draft.columns, draft.words, draft.systems, draft.as_last):
        kept.pop(role, None)
    draft.recalled[role] = mark_upload(draft, role, found)
    forget_system_widgets(role)
    _forget_widgets(role)
    for key in [key for key in st.session_state if str(key).startswith((f"map_{role}_", f"word_{role}_"))]:
        del st.session_state[key]
    return True


def _forget_widgets(role: str) -> None:
    for key in _WIDGETS.get(role, ()):
        st.session_state.pop(key, None)
