"""Runs alone in a limited process: reads the sheets of a workbook into text, so that a hostile file cannot hold us.

Called as ``python -I workbook_child.py WORKBOOK OUTPUT MAX_CELLS MAX_BYTES [typed]``; imports nothing of the project.
OUTPUT gets one JSON line per visible sheet: its name, its rows, from row 1 on, as lists of text, and its merged cells.
Cells with an error (#DIV/0!) and formulas that were never calculated stand as they do in the sheet, not as empty. Exit
code 3 means "too large", 4 "cannot be read".
"""

from __future__ import annotations

import datetime
import html
import json
import re
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

MEMORY_BYTES = 3 * 1024**3
CPU_S = 9
TOO_LARGE, UNREADABLE = 3, 4


def format_cell(value: object) -> str:
    """Return a cell as text: 12.0 as ``12``, dates in ISO form, the rest as it stands."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def limit_this_process() -> None:
    """Cap memory and processor time where the system can."""
    try:
        import resource
    except ImportError:  # not on this system: the caller's time limit remains
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))


_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*>(.*?)</(?:\w+:)?f>", re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>(.+?)</(?:\w+:)?v>", re.DOTALL)
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def find_lost_cells(source: str, sheet: str) -> dict[tuple[int, int], str]:
    """Return the cells that the reader takes for empty and that are not: errors, and formulas without a result.

    Keys are row and column, counted from 0. Only workbooks of XML parts are searched.
    """
    if not zipfile.is_zipfile(source):
        return {}
    with zipfile.ZipFile(source) as archive:
        part = _find_part(archive, sheet)
        text = archive.read(part) if part in archive.namelist() else b""
    if b't="e"' not in text and b"<f" not in text and b":f" not in text:
        return {}
    found: dict[tuple[int, int], str] = {}
    for cell in _CELL.finditer(text):
        about, body = cell.group(1), cell.group(2) or b""
        place, formula, value = _PLACE.search(about), _FORMULA.search(body), _VALUE.search(body)
        lost = b't="e"' in about or (formula is not None and value is None and b't="str"' not in about)
        if place is None or not lost:
            continue
        shown = value.group(1) if value else b"=" + (formula.group(1) if formula else b"")
        column = 0
        for letter in place.group(1):
            column = column * 26 + letter - 64
        found[int(place.group(2)) - 1, column - 1] = html.unescape(shown.decode("utf-8", "replace"))[:200]
    return found


def _find_part(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the XML part that holds a sheet, or ``""``."""
    if "xl/workbook.xml" not in archive.namelist():
        return ""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    wanted = next((node.get(_LINK) for node in book.iter() if node.get("name") == sheet and node.get(_LINK)), None)
    target = next((node.get("Target", "") for node in links if node.get("Id") == wanted), "")
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def write_sheets(source: str, target: str, max_cells: int, max_bytes: int, *, typed: bool = False) -> int:
    """Write every visible sheet of ``source`` to ``target``; return the exit code.

    ``typed`` adds to the line of a sheet how many empty columns come before its first one, and its cells that are
    numbers as row, column (both from 0) and number.
    """
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    cells = written = 0
    try:
        with (
            Path(target).open("w", encoding="utf-8") as output,
            Path(source).open("rb") as opened,
            CalamineWorkbook.from_filelike(opened) as book,  # by its content: its ending may be that of another kind
        ):
            for about in book.sheets_metadata:
                if about.visible != SheetVisibleEnum.Visible or about.typ != SheetTypeEnum.WorkSheet:
                    continue
                sheet = book.get_sheet_by_name(about.name)
                cells += sheet.height * sheet.width
                if cells > max_cells:
                    return TOO_LARGE
                rows: list[list[str]] = []
                numbers = []
                for at, row in enumerate(sheet.iter_rows()):
                    rows.append([format_cell(cell) for cell in row])
                    if typed:
                        numbers += [(at, k, cell) for k, cell in enumerate(row) if type(cell) in (int, float)]
                    written += sum(map(len, rows[-1]))
                    if written > max_bytes:
                        return TOO_LARGE
                left = sheet.start[1] if sheet.start else 0  # rows are told from row 1 on, columns from the first used
                for (at, column), text in find_lost_cells(source, about.name).items():
                    if at < len(rows) and left <= column < left + len(rows[at]):
                        rows[at][column - left] = rows[at][column - left] or text
                spans = sheet.merged_cell_ranges or ()
                merged = [[a, max(b - left, 0), c, d - left] for (a, b), (c, d) in spans if d >= left]
                line: list[object] = [about.name, rows, merged]
                output.write(json.dumps([*line, left, numbers] if typed else line, ensure_ascii=False) + "\n")
    except (CalamineError, OSError, ValueError, KeyError, zipfile.BadZipFile, ElementTree.ParseError):
        return UNREADABLE
    except MemoryError:
        return TOO_LARGE
    return 0


if __name__ == "__main__":
    limit_this_process()
    sys.exit(write_sheets(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), typed="typed" in sys.argv[5:]))
