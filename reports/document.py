"""A document as a list of blocks: written once in words, then set as PDF (typst) and as Word, with the same content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reports.language import Language

Align = Literal["left", "right", "center"]
Tone = Literal["plain", "lead", "small", "good", "warn", "bad"]


@dataclass(frozen=True)
class Heading:
    """``level`` 1 (part) to 3."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Plain text; a line break is "\\n"."""

    text: str
    tone: Tone = "plain"
    bold: bool = False
    align: Align = "left"


@dataclass(frozen=True)
class Bullets:
    """A list of points, or of steps (``numbered``)."""

    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Table:
    """``rows`` are texts, as wide as ``headings``; ``widths`` are shares of the line that add up to 1.

    The heading row is repeated on every page, and a row is never cut by a page's end.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()
    aligns: tuple[Align, ...] = ()
    caption: str = ""
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """Pairs of a name and a value, set as two columns."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Picture:
    """``key`` of ``Document.pictures``; ``alt`` is read aloud and must say what the picture shows."""

    key: str
    alt: str
    caption: str = ""
    width_share: float = 1.0


@dataclass(frozen=True)
class Box:
    """A framed note: what is missing, what to do."""

    title: str
    lines: tuple[str, ...] = ()
    tone: Tone = "plain"


@dataclass(frozen=True)
class Blank:
    """Ruled lines to write on by hand, with what belongs there."""

    label: str
    lines: int = 1


@dataclass(frozen=True)
class PageBreak:
    """What follows begins on a new page."""


Block = Heading | Paragraph | Bullets | Table | Facts | Picture | Box | Blank | PageBreak


@dataclass(frozen=True, eq=False)
class Document:
    """One document, A4 upright.

    ``title`` stands on top of the first page; ``status`` (draft for comment) on every page while a step of the
    procedure is missing, empty afterwards. ``footer`` (sources, results version, pack) stands on every page beside the
    page number. ``pictures``: PNG by key. ``contents``: whether a table of contents follows the title. No file carries
    a person's name, a machine's name or the time of writing; ``author`` is the issuer or empty.
    """

    title: str
    language: Language
    blocks: tuple[Block, ...]
    subtitle: str = ""
    status: str = ""
    footer: str = ""
    author: str = ""
    contents: bool = False
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
