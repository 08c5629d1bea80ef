"""What the Consultation page remembers: the draft in the visitor's folder, the pack shown, what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from ui.consultation_draft import PackDraft, read_pack_draft, write_pack_draft
from ui.state import PACK_KEY, keep_in_address
from ui.uploads import find_upload_folder, open_upload_folder

FAILURE_KEY = "consultation_failure"
MADE_KEY = "consultation_made"
TOLD_KEY = "consultation_told"
"""What went wrong with one step's file, or with a file of details: place and lines."""


def find_folder() -> Path | None:
    """Return the visitor's folder of drafts; None before anything was filled in."""
    return find_upload_folder(str(st.session_state.get(PACK_KEY) or ""))


def open_folder() -> Path:
    """Return the visitor's folder of drafts, made where there is none; the address names it from now on."""
    folder = find_folder()
    if folder is None:
        token, folder = open_upload_folder()
        keep_in_address("pack", PACK_KEY, token)
    return folder


def read_open_draft(scenario_id: str) -> PackDraft:
    """Return the draft of a scenario as it stands."""
    return read_pack_draft(find_folder(), scenario_id)


def change_draft(scenario_id: str, change: Callable[[PackDraft], None]) -> None:
    """Change the draft of a scenario and keep it; for callbacks."""
    folder = open_folder()
    draft = read_pack_draft(folder, scenario_id)
    change(draft)
    write_pack_draft(folder, scenario_id, draft)


def keep_made(scenario_id: str, key: str) -> None:
    """Remember which pack of a scenario was made last."""
    known = st.session_state.get(MADE_KEY)
    st.session_state[MADE_KEY] = {**(known if isinstance(known, dict) else {}), scenario_id: key}


def recall_made(scenario_id: str) -> str:
    """Return the key of the pack of a scenario that was made last in this visit, or ``""``."""
    known = st.session_state.get(MADE_KEY)
    return str(known.get(scenario_id, "")) if isinstance(known, dict) else ""


def read_round(place: str) -> int:
    """Return how many times an upload widget was emptied; its key must hold the number."""
    return int(st.session_state.get(f"{place}_round") or 0)


def empty_uploader(place: str) -> None:
    """Empty an upload widget with the next run: what it was given stands elsewhere on the page by then."""
    st.session_state[f"{place}_round"] = read_round(place) + 1


def tell(place: str, *lines: str) -> None:
    """Remember what is to be told at one place of the page; nothing: what stood there is gone."""
    known = st.session_state.get(TOLD_KEY)
    st.session_state[TOLD_KEY] = {**(known if isinstance(known, dict) else {}), place: list(lines)}


def recall_told(place: str) -> list[str]:
    """Return what is to be told at a place of the page."""
    known = st.session_state.get(TOLD_KEY)
    return list(known.get(place, [])) if isinstance(known, dict) else []
