"""Tables of web pages: portals hand out ``.xls`` files that are pages with a table. Only text is taken from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

MAX_SPAN = 1_000
MAX_HTML_CELLS = 2_000_000
_SILENT = ("script", "style", "title", "template")
_BREAKS = ("br", "p", "div", "li")
_PAGE_SIGNS = ("<html", "<!doctype html", "<table", "<head", "<body", "<meta", "<frameset", "<script")


@dataclass
class HtmlTable:
    """One table as text: rows of equal or unequal length, and its merged cells (all counted from 0, all included)."""

    rows: list[list[str]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


class TooManyCells(ValueError):
    """The page holds more cells than are read."""


def is_web_page(start: str) -> bool:
    """Whether the first characters of a text are those of a web page."""
    text = start.lstrip("\ufeff \t\r\n").lower()
    return (text.startswith("<") and any(sign in text for sign in _PAGE_SIGNS)) or text.startswith("mime-version:")


def read_html_tables(text: str) -> list[HtmlTable]:
    """Return the tables of a page that have at least two rows and two columns, in the order in which they end.

    Raises
    ------
    TooManyCells
        More than ``MAX_HTML_CELLS`` cells, merged ones counted as often as they are wide and high.
    """
    reader = _TableReader()
    reader.feed(text)
    reader.close()
    reader.finish()
    return [table for table in reader.tables if len(table.rows) > 1 and max(map(len, table.rows)) > 1]


@dataclass
class _Open:
    """A table whose end was not met yet. ``taken`` are cells that a taller or wider cell covers."""

    table: HtmlTable = field(default_factory=HtmlTable)
    taken: set[tuple[int, int]] = field(default_factory=set)
    spans: tuple[int, int] = (1, 1)
    words: list[str] | None = None
    row_open: bool = False


class _TableReader(HTMLParser):
    """Gathers the cells; end tags may lack, as in many pages."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[HtmlTable] = []
        self._stack: list[_Open] = []
        self._silent = 0
        self._cells = 0

    def _open_tag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell."""
        if tag in _SILENT:
            self._silent += 1
        elif tag == "table":
            self._stack.append(_Open())
        elif self._stack and tag == "tr":
            self._end_row()
            self._stack[-1].row_open = True
            self._stack[-1].table.rows.append([])
        elif self._stack and tag in ("td", "th"):
            self._start_cell(dict(attrs))
        elif self._stack and tag in _BREAKS and self._stack[-1].words:
            self._stack[-1].words.append("\n")

    def _close_tag(self, tag: str) -> None:
        """Close what ends here."""
        if tag in _SILENT:
            self._silent = max(self._silent - 1, 0)
        elif self._stack and tag == "table":
            self._end_table()
        elif self._stack and tag in ("td", "th"):
            self._end_cell()
        elif self._stack and tag == "tr":
            self._end_row()

    def _keep_words(self, data: str) -> None:
        """Keep the words of the open cell."""
        if self._stack and self._stack[-1].words is not None and not self._silent:
            self._stack[-1].words.append(data)

    # the names by which the parser calls them
    handle_starttag = _open_tag
    handle_endtag = _close_tag
    handle_data = _keep_words

    def finish(self) -> None:
        """Close what the page left open."""
        while self._stack:
            self._end_table()

    def _start_cell(self, about: dict[str, str | None]) -> None:
        self._end_cell()
        top = self._stack[-1]
        if not top.row_open:
            top.row_open = True
            top.table.rows.append([])
        top.spans = (_read_span(about.get("rowspan")), _read_span(about.get("colspan")))
        top.words = []

    def _end_cell(self) -> None:
        top = self._stack[-1]
        if top.words is None:
            return
        row, cells = len(top.table.rows) - 1, top.table.rows[-1]
        while (row, len(cells)) in top.taken:
            cells.append("")
        height, width = top.spans
        column = len(cells)
        self._cells += height * width
        if self._cells > MAX_HTML_CELLS:
            raise TooManyCells
        text = "".join(top.words).replace("\xa0", " ")
        cells += [" ".join(text.split()), *[""] * (width - 1)]
        if height * width > 1:
            top.table.merged.append((row, column, row + height - 1, column + width - 1))
            below = range(row + 1, row + height)
            top.taken |= {(lower, at) for lower in below for at in range(column, column + width)}
        top.words = None

    def _end_row(self) -> None:
        self._end_cell()
        self._stack[-1].row_open = False

    def _end_table(self) -> None:
        self._end_row()
        self.tables.append(self._stack.pop().table)


def _read_span(text: str | None) -> int:
    digits = (text or "").strip()
    return min(max(int(digits), 1), MAX_SPAN) if digits.isdecimal() and len(digits) < 10 else 1
