"""Tables with kinds of columns, and the workbook they make: frozen heads, number formats, ready to print on A4."""

from __future__ import annotations

import datetime
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from reports.compare_files import SAFE
from reports.language import MISSING_NUMBER

CellKind = Literal["text", "count", "number", "minutes", "share", "year", "ratio"]
"""How the cells of a column are written; ``text`` is wrapped."""
FONT = "Arial"
HEAD_COLOUR, LINE_COLOUR = "#e3ecec", "#c3cdcd"
NUMBER_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "count": "#,##0_ ",
        "number": "#,##0.0_ ",
        "minutes": "0.0_ ",
        "share": "0.0%_ ",
        "year": "0_ ",
        "ratio": "0.000_ ",
    }
)
LONGEST_SHEET_NAME = 31
LONGEST_HEAD, LONGEST_FOOT = 70, 200
"""A margin of a page holds 255 signs with its codes; a head has three texts."""
WIDEST_COLUMN, NARROWEST_COLUMN = 58.0, 6.0
HEADING_LINES = 3
LETTERS_UPRIGHT, LETTERS_ACROSS = 95.0, 240.0
"""So many letters stand side by side on A4 upright; beyond the second number a sheet takes two pages across."""
FIRST_WIDE_LETTER = 0x2E80
LINE_HEIGHT, MOST_LINES = 13.5, 28
PAPER_A4 = 9
_FIXED_DAY = datetime.datetime(2026, 1, 1)
"""Stands where a workbook keeps the time of writing: equal content gives equal files."""


@dataclass(frozen=True, eq=False)
class Column:
    """One column: ``cells`` are texts, numbers or None (not known); ``kind`` holds for all, or one for each cell.
    Texts are wrapped beyond ``widest`` letters.

    A hidden count is a text in a column of numbers.
    """

    heading: str
    cells: Sequence[object]
    kind: CellKind | Sequence[CellKind] = "text"
    widest: float = WIDEST_COLUMN

    def kind_of(self, row: int) -> CellKind:
        """Return how one cell is written."""
        return self.kind if isinstance(self.kind, str) else self.kind[row]


@dataclass(frozen=True, eq=False)
class Sheet:
    """One table: ``key`` names its file, ``title`` its sheet in the reader's language."""

    key: str
    title: str
    columns: tuple[Column, ...]

    @property
    def rows(self) -> int:
        """How many rows stand below the heading."""
        return max((len(column.cells) for column in self.columns), default=0)

    def as_table(self) -> pd.DataFrame:
        """Return the cells as a table; what is not known is None."""
        cells = {
            place: pd.Series([_plain(cell) for cell in column.cells], dtype=object)
            for place, column in enumerate(self.columns)
        }
        table = pd.DataFrame(cells)
        table.columns = pd.Index([column.heading for column in self.columns])
        return table


@dataclass(frozen=True)
class Margins:
    """What a workbook says beside its tables: title, status (draft) and footer on every page, and who made it."""

    title: str
    status: str = ""
    footer: str = ""
    author: str = ""


def _plain(cell: object) -> object:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def render_pack_workbook(sheets: Sequence[Sheet], margins: Margins) -> bytes:
    """Return an Excel workbook: one sheet per table, text never a formula, the same bytes for the same tables."""
    import xlsxwriter

    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {**SAFE, "in_memory": True}) as book:
        book.set_properties(
            {"title": margins.title, "author": margins.author, "status": margins.status, "created": _FIXED_DAY}
        )
        formats = _build_formats(book)
        taken: set[str] = set()
        for sheet in sheets:
            name = _name_sheet(sheet.title, taken)
            _write_sheet(book.add_worksheet(name), sheet, formats, margins)
    return stream.getvalue()


def _build_formats(book: Any) -> dict[str, Any]:
    plain = {"font_name": FONT, "font_size": 10, "valign": "top", "border": 1, "border_color": LINE_COLOUR}
    formats = {
        "text": book.add_format({**plain, "text_wrap": True}),
        "right": book.add_format({**plain, "align": "right"}),
        "head": book.add_format(
            {**plain, "bold": True, "bg_color": HEAD_COLOUR, "text_wrap": True, "valign": "vcenter"}
        ),
    }
    return formats | {
        kind: book.add_format({**plain, "num_format": pattern, "align": "right"})
        for kind, pattern in NUMBER_FORMATS.items()
    }


def _name_sheet(title: str, taken: set[str]) -> str:
    """Return a name that a workbook allows, each once."""
    plain = "".join(" " if letter in "[]:*?/\\'" else letter for letter in title).strip()[:LONGEST_SHEET_NAME]
    while plain.lower() in taken:
        plain = f"{plain[: LONGEST_SHEET_NAME - 4]} {len(taken)}"
    taken.add(plain.lower())
    return plain


def _write_sheet(target: Any, sheet: Sheet, formats: Mapping[str, Any], margins: Margins) -> None:
    widths = [_measure(column) for column in sheet.columns]
    lines: dict[int, int] = {}
    for place, (column, width) in enumerate(zip(sheet.columns, widths, strict=True)):
        target.set_column(place, place, width)
        target.write_string(0, place, column.heading, formats["head"])
        lines[0] = max(lines.get(0, 1), _count_lines(column.heading, width))
        for row, cell in enumerate(column.cells, start=1):
            kind = column.kind_of(row - 1)
            _write_cell(target, (row, place), cell, kind, formats)
            if kind == "text" and isinstance(cell, str):
                lines[row] = max(lines.get(row, 1), _count_lines(cell, width))
    for row, count in lines.items():
        if count > 1:
            target.set_row(row, LINE_HEIGHT * min(count, MOST_LINES) + 3)
    target.freeze_panes(1, min(2, max(0, len(sheet.columns) - 1)))
    target.autofilter(0, 0, max(sheet.rows, 1), max(0, len(sheet.columns) - 1))
    _set_print(target, sheet, sum(widths), margins)


def _write_cell(target: Any, place: tuple[int, int], cell: object, kind: CellKind, formats: Mapping[str, Any]) -> None:
    if isinstance(cell, float) and not math.isfinite(cell):
        cell = None
    if cell is None and kind != "text":
        target.write_string(*place, MISSING_NUMBER, formats["right"])
    elif cell is None or cell == "":
        target.write_blank(*place, None, formats["text"])
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        target.write_number(*place, cell, formats[kind] if kind != "text" else formats["count"])
    else:
        target.write_string(*place, str(cell), formats["text" if kind == "text" else "right"])


def _set_print(target: Any, sheet: Sheet, width: float, margins: Margins) -> None:
    """A4, lying where the table is wide, as wide as the page, heads on every page, page numbers."""
    target.set_paper(PAPER_A4)
    if width > LETTERS_UPRIGHT:
        target.set_landscape()
    across = 1 if width <= LETTERS_ACROSS else 2
    target.fit_to_pages(across, 0)
    target.repeat_rows(0)
    if across > 1:
        target.repeat_columns(0, 1)
    target.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.8)
    steady = {"scale_with_doc": False}
    target.set_header(f"&L&9{_margin(margins.title)}&C&9{_margin(sheet.title)}&R&9{_margin(margins.status)}", steady)
    target.set_footer(f"&L&7{_margin(margins.footer, LONGEST_FOOT)}&R&9&P / &N", steady)


def _margin(text: str, most: int = LONGEST_HEAD) -> str:
    """Return text for a margin of the page, cut to its room: "&" starts a code there.

    It begins with a space: a digit after the code of a size would be read as part of the size.
    """
    words = " ".join(text.split())
    room = most - words.count("&")
    shown = words if len(words) <= room else words[: max(0, room - 1)] + "…"
    return " " + shown.replace("&", "&&")


def _measure(column: Column) -> float:
    """Return the width of a column, in letters of the font: texts and headings are wrapped beyond it."""
    longest = max((_count_letters(_show(cell)) for cell in column.cells), default=0.0)
    words = max((_count_letters(word) for word in column.heading.split()), default=0.0)
    head = max(min(words, 14.0), _count_letters(column.heading) / HEADING_LINES)
    return min(column.widest, max(NARROWEST_COLUMN, max(longest, head) * 1.1 + 2))


def _show(cell: object) -> str:
    if cell is None:
        return MISSING_NUMBER
    if isinstance(cell, float):
        return f"{cell:,.1f}"
    text = str(cell)
    return max(text.split("\n"), key=len) if "\n" in text else text


def _count_letters(text: str) -> float:
    """Return how wide a text is: letters of Chinese are twice as wide."""
    return sum(2.0 if ord(letter) >= FIRST_WIDE_LETTER else 1.0 for letter in text)


def _count_lines(text: str, width: float) -> int:
    return sum(max(1, math.ceil(_count_letters(line) / max(1.0, width - 1))) for line in text.split("\n"))
