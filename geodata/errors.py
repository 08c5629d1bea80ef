"""The error tree, and the issue: one thing wrong with the input, told so that the planner can mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from geodata.messages import Message, msg

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class DataIssue:
    """One finding of one named check.

    ``row`` is the row number that the spreadsheet shows (the header is row 1). ``lon_deg`` and ``lat_deg`` place the
    finding on the map where it has a place. ``record_id`` is the id of the school, unit or site concerned.
    """

    check: str
    severity: Severity
    problem: Message
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    found: str = ""
    expected: Message | None = None
    cure: Message | None = None
    record_id: str = ""
    lon_deg: float | None = None
    lat_deg: float | None = None

    @property
    def place(self) -> str:
        """Where it was found: ``schools.xlsx, Sheet1, row 7, 经度``."""
        parts = [self.file, self.sheet, "" if self.row is None else f"row {self.row}", self.column]
        return ", ".join(part for part in parts if part)

    def __str__(self) -> str:
        parts = [f"{self.place}: " if self.place else "", str(self.problem)]
        if self.found:
            parts.append(f" Found: {self.found}.")
        if self.expected:
            parts.append(f" Expected: {self.expected}")
        if self.cure:
            parts.append(f" To mend: {self.cure}")
        return "".join(parts)


class LayoutError(Exception):
    """Root of every error that this project raises on purpose."""


class DataError(LayoutError, ValueError):
    """The input cannot be used; ``issues`` holds everything found, errors and warnings."""

    def __init__(self, issues: Iterable[DataIssue] | DataIssue) -> None:
        self.issues: tuple[DataIssue, ...] = (issues,) if isinstance(issues, DataIssue) else tuple(issues)
        super().__init__("\n".join(str(issue) for issue in self.issues))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.issues,))


class MissingColumnError(DataError):
    """A required column is absent."""


class DuplicateIdError(DataError):
    """An id that must be unique stands twice."""


class CrsError(DataError):
    """The coordinate system is unknown, or not metric where metres are needed."""


class GeometryError(DataError):
    """A shape is missing or broken."""


class RangeError(DataError):
    """A value lies outside what its column allows."""


class NetworkError(LayoutError):
    """Roads are missing or disconnected, or points lie too far from any road."""


class _ToldError(LayoutError, ValueError):
    """``problems`` holds everything found, to be said in the reader's language. A plain text is the only problem."""

    def __init__(self, problems: str | Message | Iterable[Message], file: str = "") -> None:
        if isinstance(problems, str):
            problems = msg("{problem}", problem=problems)
        self.problems: tuple[Message, ...] = (problems,) if isinstance(problems, Message) else tuple(problems)
        self.file = file
        super().__init__((f"{file}: " if file else "") + "; ".join(str(problem) for problem in self.problems))

    @property
    def message(self) -> Message:
        """All problems as one sentence."""
        return self.problems[0] if len(self.problems) == 1 else msg("{problems}", problems=self.problems)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.problems, self.file))


class RuleError(_ToldError):
    """A rulebook cannot be read; ``file`` is where the problems were found, ``""`` where no file is meant."""


class ScenarioError(_ToldError):
    """A scenario, or another set of options, asks for something that cannot be carried out."""


class InfeasibleError(LayoutError):
    """No lawful plan; ``conflicts`` says why. Raised by ``require_plan`` only."""

    def __init__(self, conflicts: Sequence[Message]) -> None:
        self.conflicts = tuple(conflicts)
        super().__init__("\n".join(str(conflict) for conflict in self.conflicts))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.conflicts,))


class SolverError(LayoutError):
    """A solver is missing or broken."""


class ExportError(LayoutError):
    """A document could not be written. ``message``: why, in words that can be said in any language."""

    def __init__(self, problem: Message | str) -> None:
        super().__init__(str(problem))
        self.message = problem if isinstance(problem, Message) else msg("{reason}", reason=problem)


class Cancelled(LayoutError):
    """The user stopped the work; raised by a progress callback."""


def tell_error(error: LayoutError) -> Message:
    """Return what an error says, in words that can be said in any language where the error has them."""
    message = getattr(error, "message", None)
    return message if isinstance(message, Message) else msg("{reason}", reason=str(error))
