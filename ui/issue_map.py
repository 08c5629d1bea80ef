"""The issues that have a place, on the map."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from geodata.errors import DataIssue
from geodata.study import StudyArea
from reports.issue_map import build_issue_map
from reports.language import Translator
from ui.map_canvas import render_map

MAP_HEIGHT = 380


def render_issue_map(_: Translator, issues: Sequence[DataIssue], *, key: str, study: StudyArea | None = None) -> None:
    """Draw the map, where any issue has a place."""
    built = build_issue_map(issues, _, study)
    if built is None:
        return
    st.markdown(f"**{_('Where they are')}**")
    render_map(*built, key=key, height=MAP_HEIGHT)
