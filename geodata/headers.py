"""Which rows of a sheet hold the headers, and what merged cells mean: tables as statistics offices draw them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from geodata.dictionary import TABLES, read_table_schema
from geodata.school_columns import build_school_columns
from geodata.values import normalise_header, normalise_text

Span = tuple[int, int, int, int]
"""Merged cells: first row, first column, last row, last column; counted from 0, all included."""

SEARCHED_ROWS = 50
ENOUGH_HEADERS = 3
"""A row with as many headers of the data dictionary is the header row, whatever stands above it."""
MOST_HEADER_ROWS = 5
_PLACES_AND_YEARS = ("deg", "m", "year", "")
_WORDS = ("name", "stage", "kind", "town", "setting")
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_NUMBER = re.compile(r"[(（]?\d{1,3}[)）]?|[①-⑳]")


@dataclass(frozen=True)
class HeaderBlock:
    """The rows of headers: ``top`` is the first, ``last`` the last that belongs to them, counted from 0.

    ``headers`` are the texts joined from top to bottom (小学 over 学位数: 小学学位数), ``titles`` one name per column,
    each different: a second column of the same name gets ``(2)``, a nameless one its number.
    """

    top: int
    last: int
    headers: tuple[str, ...]
    titles: tuple[str, ...]


def read_header_block(rows: Sequence[Sequence[str]], spans: Sequence[Span] = ()) -> HeaderBlock:
    """Return the headers of a sheet.

    Parameters
    ----------
    rows : all rows of the sheet as text
    spans : its merged cells; without any (CSV) a header followed by empty ones is taken for the head of a group where
        the row below holds headers under it, and nothing else
    """
    top = find_header_row(rows)
    headers, last = join_header_rows(rows, top, spans)
    if last + 1 < len(rows) and is_column_numbers(rows[last + 1], headers):
        last += 1
    width = max([len(headers), *(len(row) for row in rows[last + 1 :])], default=0)
    return HeaderBlock(top, last, tuple(headers), tuple(name_columns(headers, width)))


def name_columns(headers: Sequence[str], width: int) -> list[str]:
    """Return one name per column; a second column of the same name gets ``(2)``, a nameless one its number."""
    names: dict[str, None] = {}
    counts: dict[str, int] = {}
    for position in range(width):
        text = headers[position].strip() if position < len(headers) else ""
        name = text or f"column {position + 1}"
        while name in names:
            counts[text] = counts.get(text, 1) + 1
            name = f"{text} ({counts[text]})"
        names[name] = None
    return list(names)


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
    header (单位：人, 填报日期 …) and a later one holds several, the later one is taken; of several rows of headers the
    first.
    """
    head = rows[:SEARCHED_ROWS]
    filled = [sum(bool(cell.strip()) for cell in row) for row in head]
    several = [position for position, count in enumerate(filled) if count > 1]
    some = [position for position, count in enumerate(filled) if count]
    first = (several or some or [0])[0]
    known = [_count_known(row) for row in head]
    best = max(known, default=0)
    if best < ENOUGH_HEADERS or known[first] >= 2:
        return first
    found = known.index(best)
    above = [at for at in range(max(first, found - MOST_HEADER_ROWS + 1), found) if _heads(head[at], head[found])]
    return above[0] if above else found


def _heads(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether a row is the upper row of headers: it names a column of ours that the row below leaves empty."""
    known, _ = build_known_headers()
    free = [cell for at, cell in enumerate(upper) if cell.strip() and not (lower[at : at + 1] or [""])[0].strip()]
    return any(normalise_header(cell) in known for cell in free)


def _count_known(row: Sequence[str]) -> int:
    """Return how many different columns of ours a row names."""
    known, _ = build_known_headers()
    texts = [text for cell in row for text in [cell, *cell.replace("\n", "/").split("/")] if text.strip()]
    return len({known[key] for text in texts if (key := normalise_header(text)) in known})


def is_column_numbers(row: Sequence[str], headers: Sequence[str]) -> bool:
    """Tell whether a row numbers the columns (甲, 乙, 1, 2, 3 …), as forms of statistics do below their headers.

    Without 甲 it counts only where a name or a stage would have to be a number.
    """
    known, _ = build_known_headers()
    cells = [normalise_text(cell) for cell in row if cell.strip()]
    stems = [cell for cell in cells if cell in _STEMS and len(cell) == 1]
    numbers = [int(re.sub(r"\D", "", cell) or 0) for cell in cells[len(stems) :] if _NUMBER.fullmatch(cell)]
    in_order = stems == list(_STEMS[: len(stems)]) and numbers == list(range(1, len(numbers) + 1))
    words = [at for at, header in enumerate(headers) if known.get(normalise_header(header), "") in _WORDS]
    told = bool(stems) or any(row[at].strip() for at in words if at < len(row))
    return told and len(cells) > 3 and len(stems) + len(numbers) == len(cells) and in_order


def join_header_rows(rows: Sequence[Sequence[str]], head: int, spans: Sequence[Span]) -> tuple[list[str], int]:
    """Return the headers and the position of the last header row.

    Below a cell merged over several columns (小学) stands a row with their headers (学位数, 在校生数), which may be
    merged in turn: all are joined (小学学位数). A row that fills any other column holds data and is left alone, unless
    it names several columns of ours: a head over one column (用地 over 占地面积) is not merged.
    """
    parts = [[cell.strip()] for cell in rows[head]] if rows else []
    merged = any(row <= head == low and end > first for row, first, low, end in spans)
    last, groups = head, _find_groups(rows, head, spans if merged else ())
    under = dict(groups)
    while groups and last + 1 < min(len(rows), head + MOST_HEADER_ROWS):
        below = rows[last + 1]
        held = {at for at, cell in enumerate(below) if cell.strip()}
        tall = {at for top, first, low, end in spans if top <= last < low for at in range(first, end + 1)}
        alone = held - set(under) - set(groups) - tall
        if not held & set(groups) or (alone and not _names_columns(below)):
            break
        if not merged and not _are_headers(below, groups, ["".join(part) for part in parts]):
            break
        under |= groups | {at: at for at in alone}
        parts += [[""] for _ in range(max(len(below), *(at + 1 for at in under)) - len(parts))]
        upper = {at: parts[first] for at, first in groups.items()}
        inner = _find_groups(rows, last + 1, spans if merged else (), within=under, head=head)
        for at in under:
            own = inner.get(at, at)
            parts[at] = [*upper.get(at, parts[at]), below[own].strip() if own < len(below) else ""]
        last, groups = last + 1, inner
    return _name_joined(parts), last


def _names_columns(row: Sequence[str]) -> bool:
    """Whether a row names two columns of ours or more, and holds no number."""
    return _count_known(row) > 1 and not any(cell.strip()[:1].isdigit() for cell in row)


def _name_joined(parts: Sequence[Sequence[str]]) -> list[str]:
    """Return one header per column of the texts above each other: all joined where that is known, else the first and
    the last (小学 over 规模 over 学位数), else the last alone where no other column has it.
    """
    known, _ = build_known_headers()
    told = [[text for text in column if text] for column in parts]
    lasts = [column[-1] for column in told if column]
    names = []
    for column in told:
        options = ["".join(column), *(first + column[-1] for first in column[:-1])]
        options += column[-1:] if lasts.count(column[-1] if column else "") == 1 else []
        names.append(next((text for text in options if normalise_header(text) in known), options[0]))
    return names


def _find_groups(
    rows: Sequence[Sequence[str]],
    at: int,
    spans: Sequence[Span],
    *,
    within: dict[int, int] | None = None,
    head: int = 0,
) -> dict[int, int]:
    """Return the first column of the group by column, for cells that stand over several columns and end in row ``at``.

    Where nobody merged cells, only groups below the columns ``within``; else those that start at row ``head`` or below.
    """
    row = rows[at] if at < len(rows) else []
    if spans:
        wide = [(first, end) for top, first, low, end in spans if head <= top <= at == low and end > first]
        within = None
    else:
        known, _ = build_known_headers()
        filled = [k for k, cell in enumerate(row) if cell.strip()]
        ends = [*(k - 1 for k in filled[1:]), _find_width(rows, at) - 1][: len(filled)]
        wide = [(k, end) for k, end in zip(filled, ends, strict=True) if end > k and _starts_group(row[k], known)]
    columns = {k: first for first, end in wide for k in range(first, end + 1)}
    return columns if within is None else {k: first for k, first in columns.items() if k in within}


def _find_width(rows: Sequence[Sequence[str]], at: int) -> int:
    return max((len(row) for row in rows[at : at + 2]), default=0)


def _starts_group(cell: str, known: dict[str, str]) -> bool:
    """Whether a header may stand over several columns where nobody merged them: 学校名称 and its like do not."""
    return known.get(normalise_header(cell), "") not in ("school_id", "name", "lon_deg", "lat_deg", "town")


def _are_headers(row: Sequence[str], groups: dict[int, int], upper: Sequence[str]) -> bool:
    """Whether a row below groups that nobody merged holds headers: two of ours, alone or joined, and no number."""
    known, _ = build_known_headers()
    cells = {at: cell.strip() for at, cell in enumerate(row) if cell.strip()}
    if any(cell[0].isdigit() and cell.replace(".", "").isdigit() for cell in cells.values()):
        return False
    heads = {at: upper[groups[at]] if at in groups else "" for at in cells}
    texts = [{normalise_header(cell), normalise_header(heads[at] + cell)} for at, cell in cells.items()]
    return sum(bool(text & set(known)) for text in texts) > 1


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
