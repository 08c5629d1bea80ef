"""The cells of CSV files and workbooks as plain text, within limits."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg

MAX_CELLS = 6_000_000
MAX_COLUMNS = 16_384
MAX_TEXT_BYTES = 300 * 1024**2
MAX_UNPACKED_BYTES = 500 * 1024**2
MAX_ZIP_RATIO = 250
MAX_ZIP_ENTRIES = 2_000
WORKBOOK_TIMEOUT_S = 120
ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True)
class ReadSheet:
    """One sheet: its name and all of its rows from row 1 on, as text.

    ``merged`` are its merged cells: first row, first column, last row, last column, counted from 0, all included.
    """

    name: str
    rows: list[list[str]]
    merged: tuple[tuple[int, int, int, int], ...] = ()


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
    text = _decode(file)
    delimiter = _choose_delimiter(text)
    _refuse_open_quote(file, text, delimiter)
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            cells += len(row)
            if cells > MAX_CELLS * 4:
                raise _too_large(file, f"{cells:,} cells")
            if len(row) > MAX_COLUMNS:
                raise _too_large(file, f"{len(row):,} columns")
            rows.append(row)
    except csv.Error as error:
        raise _refuse(file, msg("The file is not a readable CSV table."), str(error), _SAVE_AGAIN) from error
    return [ReadSheet("", rows)]


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


_SAVE_AGAIN = msg("Save it as XLSX, or as CSV in UTF-8.")


def _decode(file: Path) -> str:
    data = file.read_bytes()
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


def read_workbook_sheets(file: Path) -> list[ReadSheet]:
    """Read every visible sheet of an Excel file as text, in a process of its own with limits.

    Raises ``DataError`` for a file that is broken, locked by a password, or unpacks to too much.
    """
    if file.suffix.lower() != ".xls":
        _check_zip(file)
    child = Path(__file__).with_name("workbook_child.py")
    with tempfile.TemporaryDirectory(prefix="buju-") as folder:
        target = Path(folder) / "sheets.jsonl"
        command = [sys.executable, "-I", str(child), str(file.resolve()), str(target), str(MAX_CELLS)]
        try:
            done = subprocess.run(
                [*command, str(MAX_TEXT_BYTES)], capture_output=True, timeout=WORKBOOK_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _too_large(file, f"> {WORKBOOK_TIMEOUT_S} s") from error
        if done.returncode == 4:
            cure = msg("Open it in Excel or WPS, remove any password, and save it again as XLSX.")
            raise _refuse(file, msg("The workbook cannot be read."), "", cure)
        if done.returncode != 0:
            raise _too_large(file, f"> {MAX_CELLS:,} cells")
        return list(_parse_sheets(target))


def _parse_sheets(target: Path) -> Iterator[ReadSheet]:
    with target.open(encoding="utf-8") as lines:
        for line in lines:
            name, rows, merged = json.loads(line)
            yield ReadSheet(name, rows, tuple((a, b, c, d) for a, b, c, d in merged))


def _check_zip(file: Path) -> None:
    """Refuse a workbook by what its table of contents declares, before anything is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise _refuse(file, msg("The workbook cannot be read."), str(error), _SAVE_AGAIN) from error
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if len(entries) > MAX_ZIP_ENTRIES:
        raise _too_large(file, f"{len(entries):,} parts")
    if unpacked > MAX_UNPACKED_BYTES:
        raise _too_large(file, f"{unpacked / 1024**2:,.0f} MB unpacked")
    if unpacked > 20 * 1024**2 and unpacked / packed > MAX_ZIP_RATIO:
        raise _too_large(file, f"unpacks {unpacked / packed:,.0f} times")
