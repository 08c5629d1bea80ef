"""The scenario being worked on: every change is saved at once as a version, and can be undone and redone.

The session keeps the text that this tab shows and the version that it came from. When somebody else has saved in
between, nothing is overwritten: the change waits, and the page asks (``ui.scenario_conflict``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from geodata.errors import LayoutError
from planning.scenario import Scenario
from planning.scenario_file import render_scenario
from store import StoreConflict, StoredScenario, StoreError
from ui.scenario_store import list_ancestors, open_app_store, read_text, read_who, say_trouble
from ui.state import translator

WORK_KEY = "scenario_work"
CONFLICT_KEY = "scenario_conflict"
UNSAVED_KEY = "scenario_unsaved"
NEWS_KEY = "scenario_news"
REFUSED_KEY = "scenario_refused"
MOST_STEPS = 100


@dataclass(frozen=True)
class Work:
    """What this tab shows of a scenario. ``undo`` and ``redo``: texts to go back and forth to, the next one last."""

    stored: StoredScenario
    undo: tuple[str, ...] = ()
    redo: tuple[str, ...] = ()

    @property
    def ancestors(self) -> tuple[StoredScenario, ...]:
        """The scenarios that it builds on, the nearest first."""
        return list_ancestors(self.stored.parent_id)

    def read(self) -> Scenario:
        """Return the scenario; raises ``DataError`` where its text cannot be read."""
        return read_text(self.stored.text, self.stored.name, self.ancestors)


def _keep(work: Work) -> Work:
    fields = {item.name: getattr(work.stored, item.name) for item in dataclasses.fields(work.stored)}
    st.session_state[WORK_KEY] = {"stored": fields, "undo": list(work.undo), "redo": list(work.redo)}
    return work


def _recall() -> Work | None:
    kept: Any = st.session_state.get(WORK_KEY)
    if not isinstance(kept, dict):
        return None
    return Work(StoredScenario(**kept["stored"]), tuple(kept["undo"]), tuple(kept["redo"]))


def open_work(stored: StoredScenario) -> Work:
    """Return the work on a scenario as this tab has it; what others have saved meanwhile is shown, and said."""
    work = _recall()
    if work is None or work.stored.scenario_id != stored.scenario_id:
        for key in (CONFLICT_KEY, UNSAVED_KEY, NEWS_KEY, REFUSED_KEY):
            st.session_state.pop(key, None)
        return _keep(Work(stored))
    if st.session_state.get(CONFLICT_KEY) or st.session_state.get(UNSAVED_KEY):
        return work
    if stored.version != work.stored.version:
        if stored.text != work.stored.text:
            st.session_state[NEWS_KEY] = [stored.who, stored.version]
        return _keep(Work(stored))
    return work if work.stored == stored else _keep(dataclasses.replace(work, stored=stored))


def change_work(change: Callable[[Scenario], Scenario], note: str) -> None:
    """Change the scenario of this tab and save it; for callbacks. ``note``: what was done, as the history tells it."""
    work, _ = _recall(), translator()
    if work is None:
        return
    if not read_who():
        st.session_state[REFUSED_KEY] = _("Give your name first: it stands beside every change.")
        return
    try:
        text = render_scenario(change(work.read()))
    except LayoutError as error:
        st.session_state[REFUSED_KEY] = say_trouble(error, _)
        return
    st.session_state[REFUSED_KEY] = None
    if text != work.stored.text:
        save_text(text, note, undo=(*work.undo, work.stored.text)[-MOST_STEPS:], redo=())


def step_back() -> None:
    """Undo the last step of this tab; saved as a new version."""
    work = _recall()
    if work is not None and work.undo:
        redo = (*work.redo, work.stored.text)
        _ = translator()
        save_text(work.undo[-1], _("Step undone"), undo=work.undo[:-1], redo=redo)


def step_forward() -> None:
    """Redo what was undone last."""
    work = _recall()
    if work is not None and work.redo:
        undo = (*work.undo, work.stored.text)
        _ = translator()
        save_text(work.redo[-1], _("Step done again"), undo=undo, redo=work.redo[:-1])


def save_text(
    text: str, note: str, *, undo: tuple[str, ...], redo: tuple[str, ...], parent_id: str | None = "keep"
) -> bool:
    """Save a text as the next version; a conflict or a store that does not answer leaves the text waiting."""
    work = _recall()
    if work is None:
        return False
    stored = work.stored
    more: dict[str, Any] = {} if parent_id == "keep" else {"parent_id": parent_id}
    st.session_state[NEWS_KEY] = None
    try:
        saved = open_app_store().save_scenario(
            stored.scenario_id, text, read_who(), stored.version, name=stored.name, note=note, **more
        )
    except StoreConflict:
        st.session_state[CONFLICT_KEY] = {"text": text, "note": note, "base": stored.text}
        return False
    except StoreError as error:
        st.session_state[UNSAVED_KEY] = {"text": text, "note": note, "why": say_trouble(error, translator())}
        return False
    st.session_state[UNSAVED_KEY] = None
    _keep(Work(saved, undo, redo))
    return True


def save_again() -> None:
    """Try once more to save what could not be saved."""
    waiting: Any = st.session_state.pop(UNSAVED_KEY, None)
    work = _recall()
    if isinstance(waiting, dict) and work is not None:
        save_text(waiting["text"], waiting["note"], undo=(*work.undo, work.stored.text), redo=())


def take_over(stored: StoredScenario, *, undo: tuple[str, ...] = ()) -> None:
    """Show what the store has now, and forget what was waiting."""
    st.session_state[CONFLICT_KEY] = st.session_state[UNSAVED_KEY] = st.session_state[NEWS_KEY] = None
    _keep(Work(stored, undo))


def read_work() -> Work | None:
    """Return the work that this tab holds, or None."""
    return _recall()
