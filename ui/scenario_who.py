"""The planner's name, asked once: written with every change, remembered by this browser, never put into a link."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st

from reports.language import Translator
from ui.text import clean

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

WHO_KEY = "who"
LONGEST_WHO = 40
MEMORY_KEY = "who_memory"
SCRIPT = """
const NAME = "buju-who";
export default function (component) {
  try {
    const { who } = component.data || {};
    if (who) localStorage.setItem(NAME, who);
    else if (localStorage.getItem(NAME)) component.setStateValue("who", localStorage.getItem(NAME));
  } catch {
    // A browser that keeps nothing asks again.
  }
}
"""


@lru_cache(maxsize=1)
def _register() -> ComponentRenderer:
    return st.components.v2.component("buju_who", html="<span></span>", js=SCRIPT)


def read_who() -> str:
    """Return the planner's name as given in this session; ``""`` where it was not asked yet."""
    return str(st.session_state.get(WHO_KEY) or "")


def recall_who() -> str:
    """Take over the name that this browser remembers; call once on a page, before the name is needed. Draws nothing."""
    told = st.session_state.get(MEMORY_KEY)
    if not read_who() and isinstance(told, Mapping) and told.get("who"):
        st.session_state[WHO_KEY] = clean(told["who"], longest=LONGEST_WHO)
    with st.container(key="who_memory_place"):
        _register()(data={"who": read_who()}, key=MEMORY_KEY, on_who_change=_ignore)
    return read_who()


def _ignore() -> None:
    """Streamlit asks for a callback per value; the run that follows reads it."""


def render_who(_: Translator, *, key: str = "who_box") -> str:
    """Draw the field for the planner's name and return the name; ``""`` while none is given."""
    st.session_state[key] = read_who()

    def keep() -> None:
        st.session_state[WHO_KEY] = clean(st.session_state.get(key) or "", longest=LONGEST_WHO).strip()

    st.text_input(
        _("Your name"),
        key=key,
        max_chars=LONGEST_WHO,
        on_change=keep,
        placeholder=_("written with every change"),
        help=_("Colleagues see in the history who changed what. Only this browser remembers the name."),
    )
    return read_who()
