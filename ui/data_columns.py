"""Which column holds what, what its words mean, and in which coordinates it is: one tab per file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from reports.language import Translator
from ui.columns import PLACED_ROLES, SHAPE_ROLES, SYSTEM_NEED, Need, match_fields, read_columns
from ui.data_memory import mark_upload, recall_mappings, render_memory
from ui.data_roles import name_role
from ui.data_systems import guess_zone, render_system, take_system
from ui.data_words import count_unknown, render_words, take_words
from ui.detect import Detected
from ui.draft import Draft
from ui.mapping_form import name_choice, render_mapping
from ui.settings_form import (
    render_barrier_kind,
    render_exclusion_kind,
    render_school_settings,
    render_snap,
    render_zone_stage,
)
from ui.upload_form import Upload, list_role_needs

OPEN_KEY = "columns_open"
"""Whether the choice of columns was opened: it stays open once something was missing."""


def list_tables(uploads: Mapping[str, Upload]) -> dict[str, Detected]:
    """Return the files that have columns to choose from, by role."""
    return {
        role: upload.found
        for role, upload in uploads.items()
        if upload.found.headers and not upload.found.issues and read_columns(role)
    }


def render_columns(_: Translator, draft: Draft, uploads: Mapping[str, Upload]) -> bool:
    """Draw the choice of columns per file; what is still needed stands out. Return whether all must be drawn again."""
    tables = list_tables(uploads)
    if not tables:
        return False
    recall_mappings(draft, tables)
    marks = {role: mark_upload(draft, role, found) for role, found in tables.items()}
    now = _take_choices(draft, tables, marks)
    unmet = {role: list_role_needs(role, found, now) for role, found in tables.items()}
    unknown = {role: count_unknown(role, found, _match(role, found, now), now) for role, found in tables.items()}
    wants = any(unmet.values()) or any(unknown.values())
    st.session_state[OPEN_KEY] = st.session_state.get(OPEN_KEY) is True or wants
    with st.expander(_("Which column holds what"), expanded=st.session_state[OPEN_KEY]):
        names = [
            f":red[⚠] {name_role(_, role)}" if unmet[role] or unknown[role] else name_role(_, role) for role in tables
        ]
        for tab, (role, found) in zip(st.tabs(names), tables.items(), strict=True):
            with tab:
                if render_memory(_, role, draft, found):
                    return True
                _render_one(_, draft, role, found, marks[role], unmet[role])
    return False


def _match(role: str, found: Detected, draft: Draft) -> dict[str, str]:
    return match_fields(role, found.headers, draft.columns.get(role, {}))


def _render_one(_: Translator, draft: Draft, role: str, found: Detected, mark: str, unmet: list[Need]) -> None:
    """Draw everything that is asked about one file."""
    chosen = render_mapping(
        _,
        role,
        mark,
        found.headers,
        draft.columns.get(role, {}),
        has_shapes=found.shaped,
        wanting=frozenset[str]().union(*(need.columns for need in unmet)),
    )
    draft.columns[role] = _keep_choices(role, chosen, found, draft.columns.get(role, {}))
    columns = _match(role, found, draft)
    asked = {need.name for need in unmet}
    render_words(_, role, mark, found, columns, draft)
    if role == "schools":
        render_school_settings(_, draft, found, asks_stage="stage" in asked)
    elif role == "exclusions":
        render_exclusion_kind(_, draft, asks_kind="exclusion_kind" in asked)
    elif role == "barriers":
        render_barrier_kind(_, draft, asks_kind="barrier_kind" in asked)
    elif role == "zones" and found.shaped:
        render_zone_stage(_, draft)
    elif role == "roads":
        render_snap(_, draft)
    if role in PLACED_ROLES and (found.shaped or role not in SHAPE_ROLES):
        render_system(_, role, draft, wanted=SYSTEM_NEED in unmet, zone=guess_zone(found, columns))


def _take_choices(draft: Draft, tables: Mapping[str, Detected], marks: Mapping[str, str]) -> Draft:
    """Return the draft with what was just chosen: labels are drawn before their widgets tell."""
    columns = {role: dict(draft.columns.get(role, {})) for role in marks}
    for role, mark in marks.items():
        for name in read_columns(role):
            key = name_choice(role, name, mark)
            if key in st.session_state:
                columns[role][name] = str(st.session_state[key])
    words = {role: {name: dict(meant) for name, meant in of_role.items()} for role, of_role in draft.words.items()}
    now = replace(
        draft,
        columns=columns,
        words=words,
        default_stage=str(st.session_state.get("set_stage", draft.default_stage)),
        exclusion_kind=str(st.session_state.get("set_exclusion_kind", draft.exclusion_kind)),
        barrier_kind=str(st.session_state.get("set_barrier_kind", draft.barrier_kind)),
        systems={role: take_system(role, draft.systems.get(role, "")) for role in marks},
    )
    for role, found in tables.items():
        take_words(role, marks[role], found, _match(role, found, now), now)
    return now


def _keep_choices(role: str, chosen: dict[str, str], found: Detected, before: Mapping[str, str]) -> dict[str, str]:
    """Return the choices to remember: headers, and "not in this file" only where the dictionary would say otherwise."""
    automatic = match_fields(role, found.headers, {})
    kept = {name: header for name, header in before.items() if name in read_columns(role) and name not in chosen}
    return kept | {name: header for name, header in chosen.items() if header or name in automatic}
