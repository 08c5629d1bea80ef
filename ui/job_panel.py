"""A running job on the page: name of the step, a bar, a button to stop it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from geodata.messages import Message
from reports.language import Translator
from ui.jobs import JobBoard, JobState, Work
from ui.state import translator
from ui.text import plain

LOOK_EVERY_S = 0.5


@st.cache_resource(show_spinner=False)
def open_board() -> JobBoard:
    """Return the server's one board of jobs."""
    return JobBoard()


def start_job(slot: str, key: str, work: Work, **arguments: Any) -> None:
    """Start ``work`` for this visitor, or join the same work of another; ``slot`` is its place on the page."""
    board = open_board()
    board.forget(key)
    state = board.start(key, work, arguments)
    if board.look(key) is None:  # refused: nothing runs under this key
        st.session_state[f"{slot}_refused"] = str(state.problem)
    st.session_state[f"{slot}_job"] = key


def read_job(slot: str) -> JobState | None:
    """Return what is known of the job in this place, or None where there is none."""
    key = st.session_state.get(f"{slot}_job")
    if not isinstance(key, str):
        return None
    refused = st.session_state.get(f"{slot}_refused")
    found = open_board().look(key)
    return JobState("failed", problem=Message(refused)) if found is None and isinstance(refused, str) else found


def clear_job(slot: str) -> None:
    """Take the job off the page; a finished one is forgotten."""
    key = st.session_state.pop(f"{slot}_job", None)
    st.session_state.pop(f"{slot}_refused", None)
    if isinstance(key, str):
        open_board().forget(key)


def render_job(slot: str, title: str) -> JobState | None:
    """Draw the job of this place while it runs; return its state once it has finished (the caller then clears it).

    The bar looks after itself: only it is drawn again twice a second, and the page once at the end.
    """
    state = read_job(slot)
    if state is None or state.finished:
        return state
    with st.container(key=f"{slot}_progress", border=True):
        st.markdown(f"**{plain(title)}**")
        _render_bar(slot)
    return None


@st.fragment(run_every=LOOK_EVERY_S)
def _render_bar(slot: str) -> None:
    _ = translator()
    state = read_job(slot)
    if state is None or state.finished:
        st.rerun(scope="app")
    st.progress(state.share, text=plain(_.say(state.step)))
    if st.button(_("Cancel"), key=f"{slot}_cancel"):
        key = st.session_state.get(f"{slot}_job")
        if isinstance(key, str):
            open_board().cancel(key)
        st.rerun(scope="app")


def say_failure(state: JobState, _: Translator) -> str:
    """Return why a job has no result, in the reader's words."""
    if state.status == "cancelled":
        return _("Stopped. The result shown before still stands.")
    words = [] if state.problem is None else [_.say(state.problem)]
    return " ".join([*words, *(_.say(issue.problem) for issue in state.issues[:3])])
