"""A comparison as files: one workbook with a sheet per table, or CSV; text never starts a formula."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geodata.errors import ExportError
from planning.compare_measures import MEASURES
from planning.indicators import INDICATORS
from reports.language import Translator, read_catalogue
from reports.tables import render_csv

if TYPE_CHECKING:
    from planning.compare import Comparison

COMPARISON_FILES = ("options.csv", "indicators.csv", "gains.csv", "spread.csv", "worst.csv", "schools.csv", "units.csv")
WIDEST_COLUMN, ROWS_MEASURED = 48, 200
SAFE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False}
"""What keeps a workbook from running anything that stands in a name."""


def build_comparison_tables(comparison: Comparison, _: Translator) -> dict[str, pd.DataFrame]:
    """Return the tables by name of their file without ending; options are named in every one.

    ``options`` tells in words what stands against a plan and what must
    be known of the questions.
    """
    titles = {item.name: item for item in INDICATORS}
    indicators = comparison.indicators
    named = indicators.assign(
        title=[_.say(titles[str(name)].title) for name in indicators["indicator"]],
        definition=[_.say(titles[str(name)].definition) for name in indicators["indicator"]],
    )
    return {
        "options": _describe_options(comparison, _),
        "indicators": named,
        "gains": _name_options(comparison, comparison.totals),
        "spread": _name_options(comparison, comparison.spread),
        "worst": _name_options(comparison, comparison.worst),
        "schools": _name_options(comparison, comparison.schools),
        "units": _name_options(comparison, comparison.units),
    }


def _name_options(comparison: Comparison, table: pd.DataFrame) -> pd.DataFrame:
    named = table.copy()
    named.insert(1, "option_name", [comparison.names[int(number)] for number in table["option"]])
    return named


def _describe_options(comparison: Comparison, _: Translator) -> pd.DataFrame:
    notes = " ".join(_.say(note) for note in comparison.notes)
    rows = [
        {
            "option": number,
            "name": name,
            "is_baseline": number == 0,
            "has_plan": not conflicts,
            "conflicts": " ".join(_.say(conflict) for conflict in conflicts),
            "notes": notes if number == 0 else "",
        }
        for number, (name, conflicts) in enumerate(zip(comparison.names, comparison.conflicts, strict=True))
    ]
    return pd.DataFrame(rows)


def build_definition_table(_: Translator) -> pd.DataFrame:
    """Return name, title, unit, better direction and definition of every number."""
    rows = [
        *((item.name, _.say(item.title), item.unit, item.direction, _.say(item.definition)) for item in MEASURES),
        *((item.name, _.say(item.title), item.unit, item.direction, _.say(item.definition)) for item in INDICATORS),
    ]
    return pd.DataFrame(rows, columns=["name", "title", "unit", "better", "definition"])


def render_workbook(tables: Mapping[str, pd.DataFrame]) -> bytes:
    """Return an Excel workbook with one sheet per table; numbers stay numbers, unknown ones are empty cells."""
    import xlsxwriter

    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {**SAFE, "in_memory": True}) as book:
        bold = book.add_format({"bold": True, "bg_color": "#eef2f2", "text_wrap": True, "valign": "top"})
        for name, table in tables.items():
            sheet = book.add_worksheet(name[:31])
            sheet.freeze_panes(1, 0)
            for column, title in enumerate(table.columns):
                sheet.write_string(0, column, str(title), bold)
                values = table.iloc[:, column].tolist()
                for row, value in enumerate(values, start=1):
                    _write_cell(sheet, row, column, value)
                widest = max((len(str(value)) for value in values[:ROWS_MEASURED]), default=0)
                sheet.set_column(column, column, min(WIDEST_COLUMN, max(len(str(title)), widest) + 2))
    return stream.getvalue()


def _write_cell(sheet: Any, row: int, column: int, value: object) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        if math.isfinite(value):
            sheet.write_number(row, column, value)
    elif value is not None and str(value):
        sheet.write_string(row, column, str(value))


def write_comparison(comparison: Comparison, folder: str | Path, *, language: Translator | None = None) -> list[Path]:
    """Write ``COMPARISON_FILES`` and ``definitions.csv`` into ``folder`` (made where missing); return their paths.

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    _ = language or read_catalogue("en")
    tables = {**build_comparison_tables(comparison, _), "definitions": build_definition_table(_)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            (folder / f"{name}.csv").write_bytes(render_csv(table))
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error
    return [folder / f"{name}.csv" for name in tables]
