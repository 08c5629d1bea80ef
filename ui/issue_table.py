"""Issues as a table in the reader's language: count, filter, click, download. Words from files stay words."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import streamlit as st

from geodata.errors import DataIssue
from reports.language import Translator
from ui.issue_groups import Line, fold_issues, list_samples
from ui.text import cell, clean

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

MOST_SHOWN = 200
WIDTHS = (20, 25, 13, 19, 23)
"""Of the columns of the table: where, problem, found, expected, cure."""
COLOURS: Mapping[str, str] = MappingProxyType({"error": "#b3261e", "warning": "#9a6700", "note": "#5b6b6c"})
ORDER = ("error", "warning", "note")


def name_severity(_: Translator, severity: str) -> str:
    """Return the severity in the reader's language."""
    return {"error": _("Error"), "warning": _("Warning"), "note": _("Note")}.get(severity, severity)


def build_rows(_: Translator, issues: Sequence[DataIssue]) -> list[dict[str, str]]:
    """Return one row of words per issue, worst first, in the order of the files."""
    return [
        {
            _("Severity"): name_severity(_, issue.severity),
            _("File"): issue.file,
            _("Sheet"): issue.sheet,
            _("Row"): "" if issue.row is None else str(issue.row),
            _("Column"): issue.column,
            _("Problem"): _.say(issue.problem),
            _("Found"): issue.found,
            _("Expected"): "" if issue.expected is None else _.say(issue.expected),
            _("How to mend it"): "" if issue.cure is None else _.say(issue.cure),
        }
        for issue in (issues[at] for at in order_issues(issues))
    ]


def order_issues(issues: Sequence[DataIssue]) -> list[int]:
    """Return the positions of the issues, worst first, in the order of the files and their rows."""
    rank = {severity: place for place, severity in enumerate(ORDER)}

    def weigh(at: int) -> tuple[int, str, str, int]:
        return rank[issues[at].severity], issues[at].file, issues[at].sheet, issues[at].row or 0

    return sorted(range(len(issues)), key=weigh)


def build_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Return the rows as CSV that a spreadsheet opens with its letters right and without running formulas."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    if rows:
        writer.writerow(rows[0])
        writer.writerows([cell(value) for value in row.values()] for row in rows)
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8")


@dataclass(frozen=True)
class IssueView:
    """What is shown of the issues: positions in the list that was given, and the one that the reader has clicked."""

    shown: tuple[int, ...]
    picked: int | None = None
    clicks: int = 0


def render_issue_tools(
    _: Translator, issues: Sequence[DataIssue], *, key: str, more: Callable[[], None] | None = None
) -> tuple[int, ...]:
    """Draw counts, filter and download; return the positions of the issues that the filter leaves, worst first.

    ``more`` draws what else stands beside the download.
    """
    counts = Counter(str(issue.severity) for issue in issues)
    present = [severity for severity in ORDER if counts[severity]]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}_tools"):
        chosen = st.pills(
            _("Show"),
            present,
            selection_mode="multi",
            default=present,
            format_func=lambda severity: f"{name_severity(_, severity)} · {counts[severity]}",
            key=f"{key}_severity_{'_'.join(present)}",
        )
        words = st.text_input(_("Find"), key=f"{key}_find", placeholder=_("word, file or row"), width=260)
        st.download_button(
            _("Download as CSV"),
            data=build_csv(build_rows(_, issues)),
            file_name="issues.csv",
            mime="text/csv",
            key=f"{key}_csv",
        )
        if more is not None:
            more()
    kept = [
        at for at in order_issues(issues) if issues[at].severity in chosen and _mentions(_, issues[at], words or "")
    ]
    return tuple(kept)


def render_issue_rows(_: Translator, issues: Sequence[DataIssue], shown: Sequence[int], *, key: str) -> IssueView:
    """Draw the table: a row can be clicked, and is then marked; see :class:`IssueView`.

    Many findings of one kind stand in one row, which a click opens and closes.
    """
    heads = [_("Where"), _("Problem"), _("Found"), _("Expected"), _("How to mend it")]
    kept = st.session_state.get(key)
    before = dict(kept.get("picked") or {}) if isinstance(kept, Mapping) else {}
    lines = fold_issues(issues, shown, before.get("at"))
    rows: list[dict[str, Any]] = [
        {
            "at": line.at,
            "next": None if line.opened and before.get("at") == line.at else line.at,
            "colour": COLOURS[issues[line.members[0] if line.members else line.at].severity],
            "kind": "" if not line.members else "head",
            "cells": _build_head(_, issues, line) if line.members else _build_cells(_, issues[line.at]),
        }
        for line in lines[:MOST_SHOWN]
    ]
    filled = [k for k in range(len(heads)) if k < 2 or any(row["cells"][k] != [""] for row in rows)]
    data = {
        "heads": [
            {"text": heads[k], "width": f"{100 * WIDTHS[k] / sum(WIDTHS[j] for j in filled):.1f}%"} for k in filled
        ],
        "rows": [row | {"cells": [row["cells"][k] for k in filled]} for row in rows],
        "picked": before.get("at"),
        "label": _("Findings"),
    }
    result = _register()(data=data, key=key, on_picked_change=_ignore)
    picked = dict(getattr(result, "picked", None) or {})
    if len(lines) > MOST_SHOWN:
        st.caption(
            _("The first {shown} of {count} are shown; the download has all.", shown=MOST_SHOWN, count=len(lines))
        )
    elif any(line.members for line in lines):
        st.caption(_("Findings of one kind stand in one row: a click opens it."))
    elif not shown:
        st.caption(_("Nothing matches the filter."))
    at = picked.get("at")
    is_shown = isinstance(at, int) and at >= 0 and at in shown
    return IssueView(tuple(shown), at if is_shown else None, int(picked.get("n") or 0))


def _build_head(_: Translator, issues: Sequence[DataIssue], line: Line) -> list[list[str]]:
    """Return the cells of the row that stands for several findings of one kind."""
    members = [issues[at] for at in line.members]
    first = members[0]
    where = " · ".join(clean(part) for part in (first.file, first.sheet, first.column) if part)
    severity = name_severity(_, first.severity)
    cells = _build_cells(_, first)
    cells[0] = [f"{'▾' if line.opened else '▸'} {severity} × {_.number(len(members))}", where]
    if len({str(issue.problem) for issue in members}) > 1:
        cells[1] = [f"{cells[1][0]} …"]
    cells[2] = [clean(_.join(list_samples(issues, line.members)), longest=400)]
    for k, words in ((3, {str(issue.expected) for issue in members}), (4, {str(issue.cure) for issue in members})):
        cells[k] = cells[k] if len(words) == 1 else [""]
    return cells


def _build_cells(_: Translator, issue: DataIssue) -> list[list[str]]:
    """Return the cells of one row, each a list of lines: a heading first, where it has one."""
    row = "" if issue.row is None else _("row {row}", row=issue.row)
    where = " · ".join(clean(part) for part in (issue.file, issue.sheet, row, issue.column) if part)
    expected = "" if issue.expected is None else _.say(issue.expected)
    cure = "" if issue.cure is None else _.say(issue.cure)
    cells = [[name_severity(_, issue.severity), where], [_.say(issue.problem)], [issue.found], [expected], [cure]]
    return [[clean(line, longest=400) for line in cell] for cell in cells]


@lru_cache(maxsize=1)
def _register() -> ComponentRenderer:
    here = resources.files("ui") / "issue_rows"
    script, style = ((here / name).read_text(encoding="utf-8") for name in ("table.js", "table.css"))
    return st.components.v2.component("buju_issue_table", html="<div class='scroll'></div>", css=style, js=script)


def _ignore() -> None:
    """Streamlit asks for a callback per value; the run that follows reads it."""


def _mentions(_: Translator, issue: DataIssue, words: str) -> bool:
    text = " ".join(next(iter(build_rows(_, [issue]))).values()).lower()
    return all(word in text for word in words.lower().split())


def render_table(rows: Sequence[Mapping[str, str]], severities: Sequence[str] = ()) -> str:
    """Return rows as an HTML table with every cell escaped; columns that are empty throughout are left out."""
    if not rows:
        return "<div></div>"
    heads = [head for head in rows[0] if any(row[head] for row in rows)]
    parts = ["<table class='buju-table'><thead><tr>", *(f"<th>{escape(head)}</th>" for head in heads), "</tr></thead>"]
    for position, row in enumerate(rows):
        colour = COLOURS.get(severities[position] if position < len(severities) else "", "transparent")
        cells = "".join(f"<td>{escape(clean(row[head], longest=400))}</td>" for head in heads)
        parts.append(f"<tr style='box-shadow: inset 3px 0 0 {colour}'>{cells}</tr>")
    return "".join([*parts, "</table>"])
