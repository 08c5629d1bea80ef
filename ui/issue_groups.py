"""Findings of one kind as one row: four hundred faulty rows of a file stay readable. A click opens them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geodata.errors import DataIssue

GROUPED_ABOVE = 15
"""As many findings are still listed one by one."""
LEAST_FOLDED = 4
MOST_SAMPLES = 3


@dataclass(frozen=True)
class Line:
    """One row of the table: a finding, or the head of several of one kind.

    ``at`` is the position of the finding, for a head that of the first of ``members`` as ``-1 - position``.
    """

    at: int
    members: tuple[int, ...] = ()
    opened: bool = False


def fold_issues(issues: Sequence[DataIssue], shown: Sequence[int], picked: int | None) -> list[Line]:
    """Return the rows of the table, in the order of ``shown``; findings of one kind are folded where there are many.

    Parameters
    ----------
    issues : all findings
    shown : positions of those that the filter leaves, in order
    picked : what was clicked last, as ``Line.at``: its kind is opened
    """
    if len(shown) <= GROUPED_ABOVE:
        return [Line(at) for at in shown]
    groups: dict[tuple[str, ...], list[int]] = {}
    for at in shown:
        issue = issues[at]
        kind = (issue.severity, issue.check, issue.file, issue.sheet, issue.column, issue.problem.template)
        groups.setdefault(kind, []).append(at)
    wanted = None if picked is None else picked if picked >= 0 else -1 - picked
    lines: list[Line] = []
    for members in groups.values():
        if len(members) >= LEAST_FOLDED:
            opened = wanted in members
            lines.append(Line(-1 - members[0], tuple(members), opened))
            lines += [Line(at) for at in members] if opened else []
        else:
            lines += [Line(at) for at in members]
    return lines


def list_samples(issues: Sequence[DataIssue], members: Sequence[int]) -> list[str]:
    """Return the first different things that were found, and ``…`` where there are more."""
    found = list(dict.fromkeys(issues[at].found for at in members if issues[at].found))
    return [*found[:MOST_SAMPLES], "…"] if len(found) > MOST_SAMPLES else found
