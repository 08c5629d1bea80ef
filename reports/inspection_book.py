"""A workbook whose derived cells are formulas: cells, formats and addresses for the sheets of an inspection."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from geodata.messages import Message
from planning.balance_tables import NO, UNKNOWN, YES
from planning.rules import Rules
from reports.citations import cite_rule
from reports.compare_files import SAFE
from reports.language import Translator

INPUT_COLOUR, HEAD_COLOUR, QUIET_COLOUR = "#fff8e1", "#e3ecec", "#5a6670"
PASS_COLOURS, NEAR_COLOURS = ("#dcefe3", "#1d5c38"), ("#fdeac4", "#7a4b00")
FAIL_COLOURS, UNKNOWN_COLOURS = ("#f7d6cf", "#8f2413"), ("#eceff1", "#5a6670")
FONT, LINE_COLOUR = "Arial", "#c3cdcd"
LONGEST_SHEET_NAME = 31
FIRST_WIDE_LETTER = 0x2E80
LETTER_WIDTH, LINE_HEIGHT, MOST_LINES = 1.08, 13.0, 14

FORMATS: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_size": 15},
    "section": {"bold": True, "font_size": 11, "top": 1, "top_color": "#9fb3b3"},
    "quiet": {"font_color": QUIET_COLOUR, "italic": True},
    "note": {"font_color": QUIET_COLOUR, "text_wrap": True, "valign": "top"},
    "head": {"bold": True, "bg_color": HEAD_COLOUR, "text_wrap": True, "valign": "vcenter", "border": 1},
    "small": {"font_size": 8, "font_color": QUIET_COLOUR, "text_wrap": True, "valign": "top", "border": 1},
    "text": {"valign": "top", "border": 1},
    "wrap": {"valign": "top", "text_wrap": True, "border": 1},
    "input": {"bg_color": INPUT_COLOUR, "num_format": "#,##0.##", "border": 1, "valign": "top"},
    "count": {"num_format": "#,##0", "border": 1, "valign": "top"},
    "short": {"num_format": '#,##0;-#,##0;"–"', "border": 1, "valign": "top", "align": "right"},
    "number": {"num_format": "#,##0.00", "border": 1, "valign": "top"},
    "ratio": {"num_format": "0.000", "border": 1, "valign": "top"},
    "share": {"num_format": "0.0%", "border": 1, "valign": "top"},
    "limit": {"num_format": "#,##0.##", "border": 1, "bold": True, "bg_color": INPUT_COLOUR, "valign": "top"},
    "verdict": {"border": 1, "align": "center", "valign": "top"},
    "input_text": {"bg_color": INPUT_COLOUR, "border": 1, "valign": "top", "text_wrap": True},
    "input_share": {"bg_color": INPUT_COLOUR, "border": 1, "valign": "top", "num_format": "0.0%"},
    "input_year": {"bg_color": INPUT_COLOUR, "border": 1, "valign": "top", "num_format": "0"},
}
COLOURS: Mapping[str, tuple[str, str]] = {
    YES: PASS_COLOURS,
    "near": NEAR_COLOURS,
    NO: FAIL_COLOURS,
    UNKNOWN: UNKNOWN_COLOURS,
}


class Book:
    """One workbook: writes cells, and remembers where those stand that other sheets refer to.

    Text is written as text whatever it begins with. A number that is not known is an empty cell, and the result of a
    formula that cannot be worked out is an empty text.
    """

    def __init__(self, stream: BinaryIO, rules: Rules, language: Translator) -> None:
        self.rules, self.language = rules, language
        self.book = Workbook(stream, {**SAFE, "in_memory": True})
        self.formats = {
            name: self.book.add_format({"font_name": FONT, "font_size": 10, "border_color": LINE_COLOUR, **settings})
            for name, settings in FORMATS.items()
        }
        self.colours = {
            name: self.book.add_format({"bg_color": back, "font_color": front, "bold": name == NO})
            for name, (back, front) in COLOURS.items()
        }
        self.refs: dict[tuple[str, ...], str] = {}
        self.sheets: dict[str, Any] = {}
        self.names: dict[str, str] = {}
        self._widths: dict[tuple[str, int], float] = {}
        self._lines: dict[tuple[str, int], int] = {}

    def add_sheet(self, key: str, name: str) -> None:
        """Add an empty sheet under a key; its name is cut to what a workbook allows and made unique."""
        plain = "".join(" " if letter in "[]:*?/\\'" else letter for letter in name).strip()[:LONGEST_SHEET_NAME]
        taken = {other.lower() for other in self.names.values()}
        if plain.lower() in taken:
            plain = f"{plain[: LONGEST_SHEET_NAME - 4]} {len(taken)}"
        self.names[key] = plain
        self.sheets[key] = self.book.add_worksheet(plain)
        self.sheets[key].hide_gridlines(2)

    def say(self, text: str | Message | None) -> str:
        """Return a message in the reader's language; plain text as it is."""
        if text is None:
            return ""
        return self.language.say(text) if isinstance(text, Message) else text

    def text(self, sheet: str, row: int, column: int, text: str | Message | None, style: str = "text") -> None:
        """Write text, never a formula."""
        said = self.say(text)
        if FORMATS[style].get("text_wrap"):
            self._count_lines(sheet, row, column, said)
        if said:
            self.sheets[sheet].write_string(row, column, said, self.formats[style])
        else:
            self.sheets[sheet].write_blank(row, column, None, self.formats[style])

    def number(self, sheet: str, row: int, column: int, value: float, style: str = "input") -> None:
        """Write a number; an empty cell where it is not known."""
        if math.isfinite(value):
            self.sheets[sheet].write_number(row, column, value, self.formats[style])
        else:
            self.sheets[sheet].write_blank(row, column, None, self.formats[style])

    def formula(
        self, sheet: str, row: int, column: int, formula: str, value: float | str, style: str, *, array: bool = False
    ) -> None:
        """Write a formula with its result, so that a viewer that does not calculate shows it."""
        result = value if isinstance(value, str) or math.isfinite(value) else ""
        target = self.sheets[sheet]
        if array:
            target.write_array_formula(row, column, row, column, "{=" + formula + "}", self.formats[style], result)
        else:
            target.write_formula(row, column, "=" + formula, self.formats[style], result)

    def address(self, sheet: str, row: int, column: int, *, absolute: bool = True) -> str:
        """Return the address of a cell for formulas of other sheets."""
        return f"'{self.names[sheet]}'!{xl_rowcol_to_cell(row, column, absolute, absolute)}"

    def keep(self, key: tuple[str, ...], sheet: str, row: int, column: int) -> None:
        """Remember where a cell stands."""
        self.refs[key] = self.address(sheet, row, column)

    def cite(self, rule_id: str) -> str:
        """Return name, source and standing of a rule; empty where the rulebook has none of that id."""
        known = any(rule.id == rule_id for rule in self.rules.rules)
        return cite_rule(self.rules, rule_id, self.language) if known else ""

    def name_rule(self, rule_id: str) -> str:
        """Return the id of a rule, with a mark where nobody verified it."""
        doubtful = [rule for rule in self.rules.rules if rule.id == rule_id and not rule.verified]
        _ = self.language
        return _("{id} (not verified)", id=rule_id) if doubtful else rule_id

    def colour_words(self, sheet: str, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Colour cells that hold a verdict in words."""
        for word, text in self.words().items():
            self.sheets[sheet].conditional_format(
                *first,
                *last,
                {"type": "cell", "criteria": "==", "value": f'"{text}"', "format": self.colours[word]},
            )

    def words(self) -> dict[str, str]:
        """Return verdicts in words."""
        _ = self.language
        return {YES: _("met"), NO: _("not met"), UNKNOWN: _("not known")}

    def table(self, sheet: str, row: int, heads: Sequence[str], widths: Sequence[float], *, column: int = 0) -> None:
        """Write the head of a table and set its column widths."""
        for offset, (head, width) in enumerate(zip(heads, widths, strict=True)):
            self.set_width(sheet, column + offset, width)
            self.text(sheet, row, column + offset, head, "head")

    def set_width(self, sheet: str, column: int, width: float) -> None:
        """Set the width of a column, in letters; text that is written later is wrapped to it."""
        self.sheets[sheet].set_column(column, column, width)
        self._widths[sheet, column] = width

    def _count_lines(self, sheet: str, row: int, column: int, text: str) -> None:
        """Note how many lines a wrapped text needs: not every viewer fits the height of rows by itself."""
        width = self._widths.get((sheet, column), 10.0)
        letters = sum(2 if ord(letter) >= FIRST_WIDE_LETTER else 1 for letter in text)
        lines = min(MOST_LINES, math.ceil(letters * LETTER_WIDTH / width))
        self._lines[sheet, row] = max(self._lines.get((sheet, row), 1), lines)

    def fix_height(self, sheet: str, row: int, height: float) -> None:
        """Set the height of a row, whatever is written into it."""
        self._lines[sheet, row] = 0
        self.sheets[sheet].set_row(row, height)

    def close(self) -> None:
        """Give rows the height of their text, and finish the file."""
        for (sheet, row), lines in self._lines.items():
            if lines > 1:
                self.sheets[sheet].set_row(row, LINE_HEIGHT * lines + 3)
        self.book.close()


def cell(row: int, column: int, *, row_fixed: bool = False, column_fixed: bool = False) -> str:
    """Return the address of a cell within its sheet."""
    return str(xl_rowcol_to_cell(row, column, row_fixed, column_fixed))


def column_range(column: int, first: int, last: int) -> str:
    """Return the address of a stretch of one column, fixed."""
    name = xl_col_to_name(column)
    return f"${name}${first + 1}:${name}${last + 1}"


def number_or(value: object, default: float = float("nan")) -> float:
    """Return a number; ``default`` where it is none."""
    return float(value) if isinstance(value, int | float) else default
