"""Choices that hold while the reader is on another page, and follow a change of language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

ANSWERS_KEY = "zoning_answers"
"""Keys of the last answers, by study, stage, way and task."""


def put_back(key: str, default: Any, options: Sequence[Any] | None = None) -> None:
    """Give a widget, before it is drawn, what was chosen before; what is not on offer any more is left out."""
    value = st.session_state.get(key, st.session_state.get(f"{key}_kept", default))
    if options is not None:
        if isinstance(value, list | tuple):
            value = [item for item in value if item in options]
        elif value not in options:
            value = default
    st.session_state[key] = value


def keep_value(key: str, value: Any) -> None:
    """Remember what a widget says, for a visit to another page."""
    st.session_state[f"{key}_kept"] = value
