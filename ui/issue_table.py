"""Issues as a table in the reader's language: count, filter, download. Words from files stay words."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType

import streamlit as st

from geodata.errors import DataIssue
from reports.language import Translator
from ui.text import cell, clean

MOST_SHOWN = 200
COLOURS: Mapping[str, str] = MappingProxyType({"error": "#b3261e", "warning": "#9a6700", "note": "#5b6b6c"})
ORDER = ("error", "warning", "note")


def name_severity(_: Translator, severity: str) -> str:
    """Return the severity in the reader's language."""
    return {"error": _("Error"), "warning": _("Warning"), "note": _("Note")}.get(severity, severity)


def build_rows(_: Translator, issues: Sequence[DataIssue]) -> list[dict[str, str]]:
    """Return one row of words per issue, worst first, in the order of the files."""
    rank = {severity: place for place, severity in enumerate(ORDER)}
    ordered = sorted(issues, key=lambda issue: (rank[issue.severity], issue.file, issue.sheet, issue.row or 0))
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
        for issue in ordered
    ]


def build_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Return the rows as CSV that a spreadsheet opens with its letters right and without running formulas."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    if rows:
        writer.writerow(rows[0])
        writer.writerows([cell(value) for value in row.values()] for row in rows)
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8")


def render_issues(_: Translator, issues: Sequence[DataIssue], *, key: str) -> list[DataIssue]:
    """Draw counts, filter, table and download; return the issues that the filter leaves."""
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
    kept = [issue for issue in issues if issue.severity in chosen and _mentions(_, issue, words or "")]
    st.html(render_table(build_rows(_, kept)[:MOST_SHOWN], _severities(kept)))
    if len(kept) > MOST_SHOWN:
        st.caption(
            _("The first {shown} of {count} are shown; the download has all.", shown=MOST_SHOWN, count=len(kept))
        )
    elif not kept:
        st.caption(_("Nothing matches the filter."))
    return kept


def _severities(issues: Sequence[DataIssue]) -> list[str]:
    return sorted((issue.severity for issue in issues), key=ORDER.index)


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
