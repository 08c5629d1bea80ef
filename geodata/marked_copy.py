"""Where in the user's own files each finding stands, by sheet, row and column; ``reports.marked_copy`` draws it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata.dictionary import TABLES, read_table_schema
from geodata.errors import DataError, DataIssue
from geodata.files import LAYER_ENDINGS, TABLE_ENDINGS, TEXT_ENDINGS, check_path, read_layer, require_layer_crs
from geodata.headers import HeaderBlock, read_header_block
from geodata.read_text import ReadSheet, read_csv_sheets, read_workbook_sheets
from geodata.schema import match_headers
from geodata.school_columns import build_school_columns
from geodata.study_file import ROLES, StudySpec, list_sources
from geodata.values import normalise_text

if TYPE_CHECKING:
    import geopandas as gpd

MOST_CELLS = 2_000_000
"""Beyond this, a copy holds the headers and the rows with findings only."""
MOST_FEATURES = 300_000
MOST_ROWS_OF_ONE = 200
"""A finding about an id that stands in many rows is marked in so many of them."""
_OTHER_FILES = ("town_totals", "age_totals", "matches")
_TABLE_OF_ROLE = {"population": "units", "gazetteer": "units"}
_MADE_ID = re.compile(r"(?:(?P<sheet>.*)-)?row-(?P<row>\d+)")


@dataclass(frozen=True)
class Mark:
    """One finding in one row: its number in the list of all, row and column counted from 0; ``None`` = no one cell."""

    finding: int
    row: int | None
    column: int | None


@dataclass(frozen=True, eq=False)
class MarkedSheet:
    """One sheet as it was read, its headers, and the marks in it. ``kept`` are the rows that the copy shows."""

    read: ReadSheet
    head: HeaderBlock
    marks: tuple[Mark, ...]
    kept: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class MarkedTable:
    """A CSV file or workbook: all its visible sheets, and the numbers of all findings that name the file."""

    file: str
    sheets: tuple[MarkedSheet, ...]
    findings: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class MarkedLayer:
    """A layer: its features, and the marks on them (``row`` is the position of the feature)."""

    file: str
    name: str
    layer: gpd.GeoDataFrame
    marks: tuple[Mark, ...]
    findings: tuple[int, ...]


@dataclass(frozen=True)
class _File:
    """A file of the study, and what it serves for: role and source of each use."""

    path: Path
    uses: tuple[tuple[str, Any], ...]


def find_marked_files(
    spec: StudySpec, issues: Sequence[DataIssue]
) -> tuple[list[MarkedTable | MarkedLayer], tuple[int, ...]]:
    """Return every table and layer of the study that a finding names, and the findings that no such file can show.

    Parameters
    ----------
    spec : the study; its files are read again, as they are now
    issues : the findings; marks name them by their position

    Returns
    -------
    list, tuple of int
        Files in the order of the study file. The numbers of findings without a file that could be opened (no file, an
        OSM extract, a raster, the study file).
    """
    by_file: dict[str, list[int]] = {}
    for number, issue in enumerate(issues):
        by_file.setdefault(issue.file, []).append(number)
    marked: list[MarkedTable | MarkedLayer] = []
    told: set[int] = set()
    for file in _list_files(spec):
        numbers = by_file.get(file.path.name, [])
        if not numbers:
            continue
        try:
            found = _mark_table(file, issues, numbers) if _is_table(file.path) else _mark_layer(file, issues, numbers)
        except DataError:
            continue
        marked.append(found)
        told |= set(numbers)
    return marked, tuple(number for number in range(len(issues)) if number not in told)


def _is_table(path: Path) -> bool:
    return path.name.lower().endswith(TABLE_ENDINGS)


def _list_files(spec: StudySpec) -> list[_File]:
    """Return the tables and layers of a study, each once, with all that it serves for."""
    uses: dict[Path, list[tuple[str, Any]]] = {}
    for role in ROLES:
        for source in list_sources(spec, role):
            for name in ("path", *_OTHER_FILES):
                told = getattr(source, name, "")
                if told and told.lower().endswith((*TABLE_ENDINGS, *LAYER_ENDINGS, ".zip")):
                    uses.setdefault(spec.resolve(told), []).append((role, source))
    return [_File(path, tuple(each)) for path, each in uses.items()]


def _mark_table(file: _File, issues: Sequence[DataIssue], numbers: Sequence[int]) -> MarkedTable:
    path = check_path(file.path, TABLE_ENDINGS)
    reads = (
        read_csv_sheets(path) if path.name.lower().endswith(TEXT_ENDINGS) else read_workbook_sheets(path, typed=True)
    )
    heads = [read_header_block(read.rows, read.merged) for read in reads]
    marks: list[list[Mark]] = [[] for _ in reads]
    filled = [at for at, read in enumerate(reads) if len(read.rows) > heads[at].last + 1] or [0]
    for number in numbers:
        issue = issues[number]
        named = [at for at, read in enumerate(reads) if issue.sheet and read.name == issue.sheet]
        chosen = named or (filled if issue.row is None else filled[:1])
        for at in chosen if reads else []:
            texts = _Texts(tuple(heads[at].titles), reads[at].rows, heads[at].last + 1, reads[at].name)
            marks[at] += _mark_rows(issue, number, texts, file)
    sheets = [
        MarkedSheet(read, head, tuple(found), _choose_rows(read, head, found))
        for read, head, found in zip(reads, heads, marks, strict=True)
    ]
    return MarkedTable(file.path.name, tuple(sheets), tuple(numbers))


def _choose_rows(read: ReadSheet, head: HeaderBlock, marks: Sequence[Mark]) -> tuple[int, ...]:
    """Return the rows that the copy shows: all, or of a very large sheet those of the headers and the findings."""
    if sum(len(row) for row in read.rows) <= MOST_CELLS:
        return tuple(range(len(read.rows)))
    wanted = {mark.row for mark in marks if mark.row is not None} | set(range(head.last + 1))
    return tuple(sorted(row for row in wanted if row < len(read.rows)))


@dataclass(frozen=True)
class _Texts:
    """What marks are looked up in: titles of the columns, rows of text, the first row below the headers, the sheet."""

    titles: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    first: int
    sheet: str = ""


def _mark_rows(issue: DataIssue, number: int, texts: _Texts, file: _File) -> list[Mark]:
    """Return the marks of one finding in one sheet: its own cell, else the rows that hold the id it speaks of."""
    column = _find_column(issue.column, texts.titles, file)
    if issue.row is not None:
        inside = 0 < issue.row <= len(texts.rows)
        return [Mark(number, issue.row - 1, column)] if inside else []
    if not issue.record_id and not issue.found:
        return [] if column is None else [Mark(number, max(texts.first - 1, 0), column)]
    made = _MADE_ID.fullmatch(issue.record_id)
    if made and (made["sheet"] or texts.sheet) == texts.sheet and int(made["row"]) <= len(texts.rows):
        return [Mark(number, int(made["row"]) - 1, column)]
    wanted = normalise_text(issue.record_id or issue.found)
    keys = [column] if column is not None else [at for at in _find_keys(texts.titles, file) if at is not None]
    found = [
        Mark(number, row, at)
        for at in keys
        for row in range(texts.first, len(texts.rows))
        if at < len(texts.rows[row]) and normalise_text(texts.rows[row][at]) == wanted
    ]
    return found[:MOST_ROWS_OF_ONE]


def _find_column(name: str, titles: Sequence[str], file: _File) -> int | None:
    """Return the position of a column that a finding names: by its header, else by our name of it."""
    if not name:
        return None
    if name in titles:
        return titles.index(name)
    header = next((found[name] for found in _match_uses(titles, file) if name in found), "")
    return titles.index(header) if header else None


def _match_uses(titles: Sequence[str], file: _File) -> list[dict[str, str]]:
    """Return our column → header for each use of a file."""
    found = []
    for role, source in file.uses:
        table = _TABLE_OF_ROLE.get(role, role)
        if role in ("schools", "rolls"):
            columns: Mapping[str, Any] = build_school_columns()
        elif table in TABLES:
            columns = {column.name: column for column in read_table_schema(table).columns}
        else:
            continue
        wanted = {name: column.headers for name, column in columns.items()}
        found.append(match_headers(titles, wanted, getattr(source, "columns", {})))
    return found


def _find_keys(titles: Sequence[str], file: _File) -> list[int | None]:
    """Return the columns that hold ids of records, or the names that serve as such."""
    keys = dict.fromkeys(
        found[key]
        for found in _match_uses(titles, file)
        for key in ("school_id", "unit_id", "site_id", "project_id", "group_id", "name")
        if key in found
    )
    return [titles.index(header) for header in keys]


def _mark_layer(file: _File, issues: Sequence[DataIssue], numbers: Sequence[int]) -> MarkedLayer:
    source = file.uses[0][1]
    name = str(getattr(source, "layer", ""))
    layer = read_layer(file.path, layer=name)
    crs = str(getattr(source, "crs", ""))
    if layer.crs is None and crs:
        layer = require_layer_crs(layer, crs, file.path.name)
    frame = layer.drop(columns=layer.geometry.name)
    titles = tuple(str(column) for column in frame.columns)
    wanted = any(issues[number].row is None for number in numbers)
    rows = [[str(cell) for cell in row] for row in frame.itertuples(index=False)] if wanted else [[]] * len(frame)
    texts = _Texts(titles, rows, 0)
    marks = [mark for number in numbers for mark in _mark_rows(issues[number], number, texts, file)]
    if len(layer) > MOST_FEATURES:
        kept = sorted({mark.row for mark in marks if mark.row is not None})
        place = {row: at for at, row in enumerate(kept)}
        layer = layer.iloc[kept].reset_index(drop=True)
        marks = [replace(mark, row=place[mark.row]) for mark in marks if mark.row is not None]
    return MarkedLayer(file.path.name, name or file.path.stem, layer, tuple(marks), tuple(numbers))
