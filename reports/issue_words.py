"""Where an issue was found, in the reader's language."""

from __future__ import annotations

from geodata.errors import DataIssue
from reports.language import Translator


def say_place(issue: DataIssue, _: Translator) -> str:
    """Return file, sheet, row and column, as far as they are known: ``schools.xlsx, 学校, row 7, 经度``."""
    row = "" if issue.row is None else _("row {row}", row=issue.row)
    return _.join([part for part in (issue.file, issue.sheet, row, issue.column) if part])
