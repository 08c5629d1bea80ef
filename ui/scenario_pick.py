"""Picking on the map: while a step needs receivers or communities, clicks go into its list."""

from __future__ import annotations

from typing import Any

import streamlit as st

from reports.scenario_points import SITE_PREFIX
from ui.map_canvas import read_map_event
from ui.scenario_view import MAP_KEY, SELECTED_KEY, SELECTION, Selected

PICK_KEY = "scenario_pick"
"""What is being picked: ``kind`` (school or unit), ``key`` of the widget that lists it, ``of``: the card it is for."""


def start_pick(kind: str, key: str, of: Selected) -> None:
    """From the next run on, clicks on ``kind`` go into the list ``key``, as long as the card ``of`` is open."""
    st.session_state[PICK_KEY] = {"kind": kind, "key": key, "of": dict(of)}


def stop_pick() -> None:
    """Let clicks open cards again."""
    st.session_state[PICK_KEY] = None


def read_chosen() -> Selected | None:
    """Return what is chosen on the map; takes in the click that led to this run, and puts picks into their list."""
    pick: Any = st.session_state.get(PICK_KEY)
    chosen = st.session_state.get(SELECTED_KEY)
    if isinstance(pick, dict) and pick["of"] == chosen:
        event = read_map_event(MAP_KEY)
        if event is not None and event.type == "click":
            _take(pick, event.kind, event.id)
            return dict(chosen)
    chosen = SELECTION.read()
    if chosen is None or not isinstance(pick, dict) or pick["of"] != chosen:
        stop_pick()
    return chosen


def _take(pick: dict[str, Any], kind: str, key: str) -> None:
    """Add what was clicked to the list, or take it out again."""
    own = pick["of"]["kind"] == kind and pick["of"]["id"] == key
    if kind != pick["kind"] or key.startswith(SITE_PREFIX) or own:
        return
    kept = [str(item) for item in st.session_state.get(pick["key"]) or []]
    st.session_state[pick["key"]] = [item for item in kept if item != key] if key in kept else [*kept, key]


def read_picked() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the schools and the units that are in the list being picked."""
    pick: Any = st.session_state.get(PICK_KEY)
    if not isinstance(pick, dict):
        return (), ()
    found = tuple(str(item) for item in st.session_state.get(pick["key"]) or [])
    return (found, ()) if pick["kind"] == "school" else ((), found)
