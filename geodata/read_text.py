"""The cells of CSV files and workbooks as plain text, within limits."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from geodata.archives import DAMAGED, TOO_MUCH, list_archive_problems
from geodata.errors import DataError, DataIssue
from geodata.html_table import MAX_HTML_CELLS, TooManyCells, is_web_page, read_html_tables
from geodata.messages import Message, msg

MAX_CELLS = 6_000_000
MAX_WORKBOOK_CELLS = 3_000_000
MAX_COLUMNS = 16_384
MAX_TEXT_BYTES = 300 * 1024**2
MAX_HTML_BYTES = 30 * 1024**2
WORKBOOK_TIMEOUT_S = 20
"""Of the clock; of the processor the child gives itself less (``workbook_child.CPU_S``)."""
ENCODINGS = ("utf-8-sig", "gb18030")
_WORKBOOK_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class ReadSheet:
    """One sheet: its name and all of its rows from row 1 on, as text.

    ``merged`` are its merged cells: first row, first column, last row, last column, counted from 0, all included.
    ``left`` and ``numbers`` (only where asked for): empty columns before the first one, and the cells that are numbers,
    by row and column.
    """

    name: str
    rows: list[list[str]]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    left: int = 0
    numbers: Mapping[tuple[int, int], float] = field(default_factory=dict)


def _refuse(file: Path, problem: Message, found: str = "", cure: Message | None = None) -> DataError:
    return DataError(DataIssue("file", "error", problem, file=file.name, found=found, cure=cure))


def _too_large(file: Path, found: str) -> DataError:
    return _refuse(
        file,
        msg("The file is too large, or unpacks to too much."),
        found,
        msg("Keep only the rows and columns that are needed, or split the file."),
    )


def read_csv_sheets(file: Path) -> list[ReadSheet]:
    """Read a CSV or TSV file in UTF-8 (with or without mark), UTF-16 with mark, or GB18030; ``DataError`` otherwise."""
    if file.stat().st_size > MAX_TEXT_BYTES:
        raise _too_large(file, f"{file.stat().st_size / 1024**2:.0f} MB")
    return [ReadSheet("", _read_rows(file, _decode(file)))]


def _read_rows(file: Path, text: str) -> list[list[str]]:
    delimiter = _choose_delimiter(text)
    _refuse_open_quote(file, text, delimiter)
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            cells += len(row)
            if cells > MAX_CELLS:
                raise _too_large(file, f"{cells:,} cells")
            if len(row) > MAX_COLUMNS:
                raise _too_large(file, f"{len(row):,} columns")
            rows.append(row)
    except csv.Error as error:
        raise _refuse(file, msg("The file is not a readable CSV table."), str(error), _SAVE_AGAIN) from error
    return rows


def _refuse_open_quote(file: Path, text: str, delimiter: str) -> None:
    """Refuse a table in which a quotation mark is never closed: it would swallow every row below it in silence."""
    if '"' not in text:
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    started = 1
    try:
        for _ in reader:
            started = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end of data" not in str(error):
            return  # a stray mark inside a cell, which the reader takes as it stands
        issue = DataIssue(
            "file",
            "error",
            msg("A quotation mark is opened here and never closed."),
            file=file.name,
            row=started,
            cure=_SAVE_AGAIN,
        )
        raise DataError(issue) from error


_OTHER_CONTENT = msg("The content of the file does not fit its ending.")
_SAVE_ANEW = msg("Save the file again from the program that made it.")
_SAVE_AGAIN = msg("Save it as XLSX, or as CSV in UTF-8.")


def _decode(file: Path) -> str:
    data = file.read_bytes()
    signs = max(data.count(sign) for sign in (b",", b";", b"\t"))
    if signs > MAX_CELLS * 2:  # told at once: reading so many cells would take long
        raise _too_large(file, f"> {MAX_CELLS:,} cells")
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ENCODINGS
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _refuse(file, msg("The file is not text in UTF-8 or GB18030."), "", _SAVE_AGAIN)


def _choose_delimiter(text: str) -> str:
    """Return the sign between cells: the one of comma, semicolon and tab that the first lines hold most often."""
    start = "\n".join(text.split("\n", 5)[:5])
    return max(",;\t", key=start.count)


def read_workbook_sheets(file: Path, *, typed: bool = False) -> list[ReadSheet]:
    """Read every visible sheet of an Excel file as text, in a process of its own with limits.

    ``typed`` also tells which cells are numbers, and where the first column stands.

    Also read is what portals hand out under the ending ``.xls``: a web page with tables, or plain text.

    Raises ``DataError`` for a file that is broken, locked by a password, or unpacks to too much.
    """
    with file.open("rb") as opened:
        start = opened.read(4)
    if start not in _WORKBOOK_STARTS:
        return _read_disguised(file)
    if start == _WORKBOOK_STARTS[0]:
        _check_packed(file)
    return _read_in_child(file, typed=typed)


def _check_packed(file: Path) -> None:
    """Refuse a workbook by what its table of contents declares, before anything is unpacked."""
    for problem, found in list_archive_problems(file):
        if problem == TOO_MUCH:
            raise _too_large(file, found)
        raise _refuse(file, msg("The workbook cannot be read.") if problem == DAMAGED else problem, found, _SAVE_AGAIN)


def _read_disguised(file: Path) -> list[ReadSheet]:
    """Read what is no workbook but has the ending of one: tables of a web page or text, from ``.xls`` only."""
    try:
        text = _decode(file)
    except DataError as error:
        raise _refuse(file, _OTHER_CONTENT, file.suffix.lower(), _SAVE_ANEW) from error
    is_page = is_web_page(text[:4096])
    tables = []
    if is_page and file.suffix.lower() == ".xls":
        if file.stat().st_size > MAX_HTML_BYTES:
            raise _too_large(file, f"{file.stat().st_size / 1024**2:.0f} MB")
        try:
            tables = read_html_tables(text)
        except TooManyCells as error:
            raise _too_large(file, f"> {MAX_HTML_CELLS:,} cells") from error
    if tables:
        names = [""] if len(tables) == 1 else [str(number) for number in range(1, len(tables) + 1)]
        return [ReadSheet(name, table.rows, tuple(table.merged)) for name, table in zip(names, tables, strict=True)]
    if is_page:
        cure = msg("Open it in Excel or WPS and save it as XLSX; or download the table again, signed in to the portal.")
        raise _refuse(file, msg("This is a web page, not a workbook."), " ".join(text[:80].split()), cure)
    if text.lstrip("\ufeff \t\r\n").startswith("<") or file.suffix.lower() != ".xls":
        raise _refuse(file, _OTHER_CONTENT, file.suffix.lower(), _SAVE_ANEW)
    return [ReadSheet("", _read_rows(file, text))]


def _read_in_child(file: Path, *, typed: bool) -> list[ReadSheet]:
    child = Path(__file__).with_name("workbook_child.py")
    with tempfile.TemporaryDirectory(prefix="buju-") as folder:
        target = Path(folder) / "sheets.jsonl"
        command = [sys.executable, "-I", str(child), str(file.resolve()), str(target), str(MAX_WORKBOOK_CELLS)]
        try:
            done = subprocess.run(
                [*command, str(MAX_TEXT_BYTES), *(["typed"] if typed else [])],
                capture_output=True,
                timeout=WORKBOOK_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _too_large(file, f"> {WORKBOOK_TIMEOUT_S} s") from error
        if done.returncode == 4:
            cure = msg("Open it in Excel or WPS, remove any password, and save it again as XLSX.")
            raise _refuse(file, msg("The workbook cannot be read."), "", cure)
        if done.returncode != 0:
            raise _too_large(file, f"> {MAX_WORKBOOK_CELLS:,} cells")
        return list(_parse_sheets(target))


def _parse_sheets(target: Path) -> Iterator[ReadSheet]:
    with target.open(encoding="utf-8") as lines:
        for line in lines:
            name, rows, merged, *more = json.loads(line)
            left, numbers = more or (0, ())
            spans = tuple((a, b, c, d) for a, b, c, d in merged)
            yield ReadSheet(name, rows, spans, left, {(row, column): number for row, column, number in numbers})
