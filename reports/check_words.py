"""What ``check`` tells in the terminal: issues as lines, a study in one line, everything as one JSON object."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from geodata.errors import DataIssue
from geodata.messages import Message, msg
from geodata.study import STAGES, StudyArea
from reports.language import Translator

if TYPE_CHECKING:
    import pandas as pd

_SEVERITY = {"error": msg("Error"), "warning": msg("Warning"), "note": msg("Note")}
_ISSUE_FIELDS = ("check", "severity", "file", "sheet", "row", "column", "record_id", "found", "lon_deg", "lat_deg")
_ISSUE_WORDS = ("problem", "expected", "cure")


def quote_signs(text: str) -> str:
    """Return text of strangers fit for a terminal: one line, no sign that moves the cursor or turns the writing."""
    return "".join(
        letter if letter == " " or unicodedata.category(letter)[0] not in "CZ" else f"\\u{ord(letter):04x}"
        for letter in text
    )


def list_issue_lines(issues: Sequence[DataIssue], say: Translator) -> list[str]:
    """Return one line per issue, the worst first, fit for a terminal."""
    ordered = sorted(issues, key=lambda issue: list(_SEVERITY).index(issue.severity))
    return [quote_signs(_say_issue(issue, say)) for issue in ordered]


def _say_issue(issue: DataIssue, say: Translator) -> str:
    row = "" if issue.row is None else say("row {row}", row=issue.row)
    record = issue.record_id if issue.row is None else ""
    place = ", ".join(part for part in (issue.file, issue.sheet, row, issue.column, record) if part)
    parts = [say.say(_SEVERITY[issue.severity]), f"[{issue.check}]", place + ":" if place else ""]
    parts.append(say.say(issue.problem))
    if issue.found:
        parts.append(say.say(msg("Found: {found}.", found=issue.found)))
    if issue.expected:
        parts.append(say.say(msg("Expected: {expected}", expected=issue.expected)))
    if issue.cure:
        parts.append(say.say(msg("To mend: {cure}", cure=issue.cure)))
    return " ".join(part for part in parts if part)


def say_summary(study: StudyArea, say: Translator) -> str:
    """Return a study in one line, fit for a terminal."""
    counts = Counter(issue.severity for issue in study.issues)
    people = sum_known(study.units["population_people"])
    line = msg(
        "{name}: schools {schools:,}, planning units {units:,}, people {people}; warnings {warnings}, notes {notes}.",
        name=study.name,
        schools=len(study.schools),
        units=len(study.units),
        people=msg("unknown") if people is None else f"{people:,.0f}",
        warnings=counts["warning"],
        notes=counts["note"],
    )
    return quote_signs(say.say(line))


def sum_known(values: pd.Series[float]) -> float | None:
    """Return the sum of what is known; ``None`` where nothing is, because unknown is not zero."""
    total = float(values.sum(min_count=1))
    return None if math.isnan(total) else total


def build_check_document(study: StudyArea | None, issues: Sequence[DataIssue], say: Translator) -> dict[str, Any]:
    """Return what ``check --json`` prints; documented in ``docs/terminal.md``."""

    def words(message: Message | None) -> str:
        return "" if message is None else say.say(message)

    document: dict[str, Any] = {
        "usable": study is not None,
        "issues": [
            {
                **{name: getattr(issue, name) for name in _ISSUE_FIELDS},
                **{name: words(getattr(issue, name)) for name in _ISSUE_WORDS},
            }
            for issue in issues
        ],
    }
    if study is not None:
        document |= {
            "name": study.name,
            "crs": study.crs,
            "fingerprint": study.fingerprint,
            "synthetic": study.synthetic,
            "schools": len(study.schools),
            "units": len(study.units),
            "sites": len(study.sites),
            "people": sum_known(study.units["population_people"]),
            "pupils": {stage: sum_known(study.units[f"{stage}_pupils"]) for stage in STAGES},
            "modes": list(study.travel),
        }
    return document
