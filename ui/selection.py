"""The school or unit chosen on a page's map: kept in the session, set by a click on the map or a row of a table."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ui.map_canvas import read_map_event

Selected = dict[str, str]


@dataclass(frozen=True)
class Selection:
    """Names of the map and of what the session keeps for it."""

    map_key: str
    selected_key: str
    focus_key: str

    def read(self) -> Selected | None:
        """Return what is chosen, ``{"kind": …, "id": …}``; takes in the click that led to this run."""
        event = read_map_event(self.map_key)
        if event is not None and event.type == "click":
            st.session_state[self.selected_key] = {"kind": event.kind, "id": event.id} if event.kind else None
        chosen = st.session_state.get(self.selected_key)
        return dict(chosen) if isinstance(chosen, dict) else None

    def select(self, kind: str, subject_id: str) -> None:
        """Choose a school or unit from a table: its card opens and the map goes there."""
        st.session_state[self.selected_key] = {"kind": kind, "id": subject_id}
        number = int((st.session_state.get(self.focus_key) or {}).get("n", 0)) + 1
        st.session_state[self.focus_key] = {"kind": kind, "id": subject_id, "n": number}

    def clear(self) -> None:
        """Close the card."""
        st.session_state[self.selected_key] = None
