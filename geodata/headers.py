"""Which row of a sheet holds the headers, and what merged cells mean: tables as statistics offices draw them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from geodata.dictionary import TABLES, read_table_schema
from geodata.school_columns import build_school_columns
from geodata.values import normalise_header

Span = tuple[int, int, int, int]
"""Merged cells: first row, first column, last row, last column; counted from 0, all included."""

SEARCHED_ROWS = 50
ENOUGH_HEADERS = 3
"""A row with as many headers of the data dictionary is the header row, whatever stands above it."""
_PLACES_AND_YEARS = ("deg", "m", "year", "")


@cache
def build_known_headers() -> tuple[dict[str, str], frozenset[str]]:
    """Return our column of every header of the data dictionary, normalised, and the headers that count something."""
    columns = [column for table in TABLES for column in read_table_schema(table).columns]
    columns += build_school_columns().values()
    known = {normalise_header(text): column.name for column in reversed(columns) for text in column.headers}
    counting = [column for column in columns if column.is_numeric and column.unit not in _PLACES_AND_YEARS]
    return known, frozenset(normalise_header(text) for column in counting for text in column.headers)


def find_header_row(rows: Sequence[Sequence[str]]) -> int:
    """Return the position of the header row: the first that fills more than one cell, where any does.

    A title over the table, which Chinese statistics always have, fills one (merged) cell. Where that row holds no known
    header (单位：人, 填报日期 …) and a later one holds several, the later one is taken.
    """
    head = rows[:SEARCHED_ROWS]
    filled = [sum(bool(cell.strip()) for cell in row) for row in head]
    several = [position for position, count in enumerate(filled) if count > 1]
    some = [position for position, count in enumerate(filled) if count]
    first = (several or some or [0])[0]
    known = [_count_known(row) for row in head]
    best = max(known, default=0)
    return known.index(best) if best >= ENOUGH_HEADERS and known[first] < 2 else first


def _count_known(row: Sequence[str]) -> int:
    """Return how many different columns of ours a row names."""
    known, _ = build_known_headers()
    texts = [text for cell in row for text in [cell, *cell.replace("\n", "/").split("/")] if text.strip()]
    return len({known[key] for text in texts if (key := normalise_header(text)) in known})


def join_header_rows(rows: Sequence[Sequence[str]], head: int, spans: Sequence[Span]) -> tuple[list[str], int]:
    """Return the headers and the position of the last header row.

    Below a cell merged over several columns (小学) stands a second row with their headers (学位数, 在校生数): both are
    joined (小学学位数). A second row that fills any other column holds data and is left alone.
    """
    top = list(rows[head]) if rows else []
    wide = {
        at: first
        for row, first, last_row, last in spans
        if row == last_row == head and last > first
        for at in range(first, last + 1)
    }
    below = list(rows[head + 1]) if head + 1 < len(rows) else []
    held = [at for at, cell in enumerate(below) if cell.strip()]
    tall = {first for row, first, last_row, _ in spans if row <= head < last_row}
    if not any(at in wide for at in held) or not all(at in wide or at in tall for at in held):
        return top, head
    joined = []
    for at in range(max(len(top), len(below))):
        upper = top[wide.get(at, at)] if wide.get(at, at) < len(top) else ""
        lower = below[at] if at in wide and at < len(below) else ""
        joined.append(upper.strip() + lower.strip())
    return joined, head + 1


def fill_merged_cells(
    rows: Sequence[Sequence[str]], headers: Sequence[str], head: int, spans: Sequence[Span]
) -> list[list[str]]:
    """Return the rows with the text of a cell merged over several rows in each of them.

    Counts are not repeated: 900 places written once for two rows are not 1,800.
    """
    filled = [list(row) for row in rows]
    _, counting = build_known_headers()
    for first, column, last, _ in spans:
        name = normalise_header(headers[column]) if column < len(headers) else ""
        if first <= head or last == first or name in counting or first >= len(filled):
            continue
        text = filled[first][column] if column < len(filled[first]) else ""
        for row in filled[first + 1 : last + 1]:
            if column < len(row):
                row[column] = row[column] or text
    return filled
