"""Words of a file of schools that nobody knows yet, with the number of rows of each: to be mapped by the planner."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from geodata.schema import match_headers
from geodata.school_columns import build_school_columns, match_kind_and_stages
from geodata.school_filters import leave_out_rows, take_headings
from geodata.school_sheets import Sheet, open_sheets
from geodata.study_file import SchoolsSource
from geodata.values import is_missing, match_word, normalise_header

MAPPED_COLUMNS = ("kind", "stage", "setting", "ownership")
"""Columns of words; what a word means may be told under ``values`` of the study file."""
MOST_WORDS = 100


def list_unknown_words(path: str | Path, source: SchoolsSource) -> dict[str, dict[str, int]]:
    """Return the words of a file of schools that are not understood, by our column, with the rows that hold each.

    Parameters
    ----------
    path : the file
    source : ``sheet``, ``layer``, ``crs``, ``columns`` and ``values`` as the study file has them; words that ``values``
        explains are known. A word may be mapped to ``"-"``: its rows are then left out

    Returns
    -------
    dict
        Only columns with unknown words; the most frequent first, at most :data:`MOST_WORDS` of a column.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    sheets = open_sheets(Path(path), sheet=source.sheet, layer=source.layer, crs=source.crs, match_school_sheets=True)
    counts: dict[str, Counter[str]] = {column: Counter() for column in MAPPED_COLUMNS}
    for sheet in sheets:
        _count_words(sheet, source, counts)
        for _table, other in sheet.companions:
            _count_words(other, source, counts)
    return {column: dict(count.most_common(MOST_WORDS)) for column, count in counts.items() if count}


def _count_words(sheet: Sheet, source: SchoolsSource, counts: dict[str, Counter[str]]) -> None:
    columns = build_school_columns()
    wanted = {name: column.headers for name, column in columns.items()}
    headers = match_headers(sheet.frame.columns, wanted, source.columns)
    sheet, _issues = take_headings(sheet, headers)
    sheet, _issues = leave_out_rows(sheet, headers, source)
    for name in MAPPED_COLUMNS:
        own = source.values.get(name, {})
        words = columns[name].words | {normalise_header(word): meaning for word, meaning in own.items()}
        for text, rows in Counter(sheet.frame[headers[name]] if name in headers else ()).items():
            if is_missing(text):
                continue
            known = match_kind_and_stages(text, own) if name in ("kind", "stage") else match_word(text, words)
            if known is None:
                counts[name][str(text).strip()] += rows
