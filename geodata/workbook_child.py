"""Runs alone in a limited process: reads the sheets of a workbook into text, so that a hostile file cannot hold us.

Called as ``python -I workbook_child.py WORKBOOK OUTPUT MAX_CELLS MAX_BYTES``; imports nothing of the project. OUTPUT
gets one JSON line per visible sheet: its name and its rows, from row 1 on, as lists of text. Exit code 3 means "too
large", 4 "cannot be read".
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

MEMORY_BYTES = 3 * 1024**3
CPU_S = 120
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


def write_sheets(source: str, target: str, max_cells: int, max_bytes: int) -> int:
    """Write every visible sheet of ``source`` to ``target``; return the exit code."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    cells = written = 0
    try:
        with Path(target).open("w", encoding="utf-8") as output, CalamineWorkbook.from_path(source) as book:
            for about in book.sheets_metadata:
                if about.visible != SheetVisibleEnum.Visible or about.typ != SheetTypeEnum.WorkSheet:
                    continue
                sheet = book.get_sheet_by_name(about.name)
                cells += sheet.height * sheet.width
                if cells > max_cells:
                    return TOO_LARGE
                rows = []
                for row in sheet.iter_rows():
                    rows.append([format_cell(cell) for cell in row])
                    written += sum(map(len, rows[-1]))
                    if written > max_bytes:
                        return TOO_LARGE
                output.write(json.dumps([about.name, rows], ensure_ascii=False) + "\n")
    except (CalamineError, OSError, ValueError):
        return UNREADABLE
    except MemoryError:
        return TOO_LARGE
    return 0


if __name__ == "__main__":
    limit_this_process()
    sys.exit(write_sheets(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
