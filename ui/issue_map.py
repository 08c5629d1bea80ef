"""The issues as a table and, those that have a place, on a map beside it: a click on a row shows its place."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from geodata.errors import DataIssue
from geodata.study import StudyArea
from geodata.study_file import StudySpec
from reports.issue_map import build_issue_map
from reports.language import Translator
from ui.data_marked import render_marked_button
from ui.issue_places import place_issues
from ui.issue_table import IssueView, render_issue_rows, render_issue_tools
from ui.map_canvas import render_map

MAP_HEIGHT = 420
WIDTHS = (1.9, 1.0)


def render_findings(
    _: Translator,
    issues: Sequence[DataIssue],
    *,
    key: str,
    spec: StudySpec | None = None,
    study: StudyArea | None = None,
    marked: bool = False,
) -> None:
    """Draw counts, filter, table and map.

    Parameters
    ----------
    issues : what was found
    key : name of this table on the page
    spec : the study that was checked, whose files say where a row lies
    study : the study that was built, whose outlines lie under the marks
    marked : also offer the files of ``spec`` with the findings marked in them
    """
    placed = place_issues(issues, spec) if spec is not None else list(issues)
    own = spec if marked and any(issue.file for issue in placed) else None
    more = None if own is None else lambda: render_marked_button(_, own, placed, key=key)
    shown = render_issue_tools(_, placed, key=key, more=more)
    if build_issue_map({at: placed[at] for at in shown}, _, study) is None:
        render_issue_rows(_, placed, shown, key=f"{key}_rows")
        return
    left, right = st.columns(WIDTHS)
    with left:
        view = render_issue_rows(_, placed, shown, key=f"{key}_rows")
    with right:
        _render_map(_, placed, view, key=f"{key}_map", study=study)


def _render_map(
    _: Translator, issues: Sequence[DataIssue], view: IssueView, *, key: str, study: StudyArea | None
) -> None:
    built = build_issue_map({at: issues[at] for at in view.shown}, _, study, picked=view.picked, clicks=view.clicks)
    if built is None:
        return
    render_map(*built, key=key, height=MAP_HEIGHT)
    if view.picked is not None and built[0].get("selected") is None:
        st.caption(_("This finding has no place on the map."))
