"""The user's own files with every finding marked in them: coloured cells, comments, a last column, a list in front."""

from __future__ import annotations

import datetime
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from geodata.errors import DataIssue, ExportError
from geodata.marked_copy import Mark, MarkedLayer, MarkedSheet, MarkedTable, find_marked_files
from geodata.study_file import StudySpec
from geodata.write_layers import write_geopackage
from reports.check_words import quote_signs
from reports.compare_files import SAFE
from reports.language import Translator

if TYPE_CHECKING:
    import geopandas as gpd
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

COLOURS: Mapping[str, str] = MappingProxyType({"error": "#f6c1bb", "warning": "#fbe3a4", "note": "#dbe7ee"})
"""Background of a marked cell, by severity."""
ORDER = ("error", "warning", "note")
HEAD_COLOUR = "#e3ecec"
LONGEST_CELL, LONGEST_COMMENT = 32_000, 1_500
MOST_COMMENTS, MOST_LINKS = 5_000, 20_000
WIDEST, NARROWEST, ROWS_MEASURED = 40, 8, 200
FINDINGS_WIDTH = 70
OTHER_FILE = "other-findings.xlsx"
_FIXED_DAY = datetime.datetime(2026, 1, 1)
"""Stands where a workbook keeps the time of writing: equal content gives equal files."""
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f']")


def build_marked_copies(spec: StudySpec, issues: Sequence[DataIssue], _: Translator) -> dict[str, bytes]:
    """Return a marked copy of every file of the study that has findings, by the name to save it under.

    Parameters
    ----------
    spec : the study; its files are read again, as they are now
    issues : the findings, of a study that was built or refused
    _ : the reader's language

    Returns
    -------
    dict
        Tables (CSV, Excel) become workbooks with a first sheet that lists and links the findings, their cells coloured
        by severity with a comment, and a last column of the findings of each row. Layers become GeoPackages with the
        columns ``finding`` and ``severity`` and a layer ``findings`` of points. What no such file can show stands in
        ``other-findings.xlsx``. Empty without findings.

    Raises
    ------
    ExportError
        A GeoPackage cannot be written.
    """
    marked, others = find_marked_files(spec, issues)
    copies: dict[str, bytes] = {}
    for each in marked:
        ending = "gpkg" if isinstance(each, MarkedLayer) else "xlsx"
        name = _name_copy(each.file, ending, copies)
        copies[name] = (
            _render_layer(each, issues, _) if isinstance(each, MarkedLayer) else _render_table(each, issues, _)
        )
    if others:
        copies[OTHER_FILE] = _render_table(MarkedTable("", (), others), issues, _)
    return copies


def _name_copy(file: str, ending: str, taken: Iterable[str]) -> str:
    """Return the name of a copy: ``schools.csv`` gives ``schools-marked.xlsx``, another one of it ``… (2)``."""
    stem = quote_signs(Path(file).name.partition(".")[0])[:80] or "file"
    names = [f"{stem}-marked.{ending}", *(f"{stem}-marked ({number}).{ending}" for number in range(2, 1000))]
    known = {name.casefold() for name in taken}
    return next(name for name in names if name.casefold() not in known)


def name_severity(_: Translator, severity: str) -> str:
    """Return a severity in the reader's language."""
    return {"error": _("Error"), "warning": _("Warning"), "note": _("Note")}.get(severity, severity)


def say_finding(issue: DataIssue, _: Translator) -> str:
    """Return a finding in one line: severity, problem, what was found and expected, how to mend it."""
    parts = [_("{severity}: {text}", severity=name_severity(_, issue.severity), text=_.say(issue.problem))]
    if issue.found:
        parts.append(_("Found: {found}.", found=issue.found))
    if issue.expected:
        parts.append(_("Expected: {expected}", expected=_.say(issue.expected)))
    if issue.cure:
        parts.append(_("To mend: {cure}", cure=_.say(issue.cure)))
    return quote_signs(" ".join(parts))


def _worst(issues: Sequence[DataIssue], marks: Iterable[Mark]) -> str:
    return min((issues[mark.finding].severity for mark in marks), key=ORDER.index)


@dataclass(frozen=True, eq=False)
class _Book:
    """A workbook that is being written, its formats, and what it is about."""

    book: Workbook
    issues: Sequence[DataIssue]
    say: Translator
    head: Format
    wrap: Format
    marks: Mapping[str, Format]
    told: Mapping[str, Format]

    def names(self, sheets: Sequence[MarkedSheet]) -> tuple[str, list[str]]:
        """Return the name of the list of findings and those of the sheets, each once and fit for a workbook."""
        taken: list[str] = []
        for wanted in (*(sheet.read.name for sheet in sheets), self.say("Findings")):
            clean = _NOT_IN_NAMES.sub("_", wanted)[:31].strip() or self.say("Table")
            options = [clean, *(f"{clean[:26]} ({number})" for number in range(2, 1000))]
            taken.append(next(name for name in options if name.casefold() not in {each.casefold() for each in taken}))
        return taken[-1], taken[:-1]


def _render_table(table: MarkedTable, issues: Sequence[DataIssue], _: Translator) -> bytes:
    """Return the workbook of a table with its findings marked."""
    import xlsxwriter

    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {**SAFE, "in_memory": True}) as book:
        book.set_properties({"created": _FIXED_DAY, "title": _("Findings")})
        line = {"border": 1, "border_color": "#9aa5a5", "valign": "top"}
        marks = {name: book.add_format({**line, "bg_color": colour}) for name, colour in COLOURS.items()}
        told = {
            name: book.add_format({**line, "bg_color": colour, "text_wrap": True}) for name, colour in COLOURS.items()
        }
        head = book.add_format({"bold": True, "bg_color": HEAD_COLOUR, "text_wrap": True, "valign": "top"})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        work = _Book(book, issues, _, head, wrap, MappingProxyType(marks), MappingProxyType(told))
        front, names = work.names(table.sheets)
        places: dict[int, tuple[str, int, int]] = {}
        for sheet, name in zip(table.sheets, names, strict=True):
            rows = {row: at for at, row in enumerate(sheet.kept)}
            for mark in sheet.marks:
                if mark.row in rows:
                    at = rows[mark.row]
                    column = sheet.read.left + (0 if mark.column is None else mark.column)
                    places.setdefault(mark.finding, (name, at, column))
        _write_list(work, front, table.findings, places)
        for sheet, name in zip(table.sheets, names, strict=True):
            _write_sheet(work, name, sheet)
    return stream.getvalue()


def _write_list(work: _Book, name: str, findings: Sequence[int], places: Mapping[int, tuple[str, int, int]]) -> None:
    """Write the first sheet: one row per finding, the worst first, with a link to its cell."""
    _, sheet = work.say, work.book.add_worksheet(name)
    heads = [_("Severity"), _("Where"), _("Problem"), _("Found"), _("Expected"), _("How to mend it")]
    heads += [_("Sheet"), _("Row"), _("Column"), _("File"), _("Longitude"), _("Latitude")]
    for column, (text, width) in enumerate(zip(heads, (11, 14, 52, 20, 32, 52, 16, 8, 16, 20, 12, 12), strict=True)):
        sheet.write_string(0, column, text, work.head)
        sheet.set_column(column, column, width)
    order = {at: (ORDER.index(work.issues[at].severity), work.issues[at].row or math.inf, at) for at in findings}
    ordered = sorted(findings, key=order.__getitem__)
    for row, number in enumerate(ordered, start=1):
        issue = work.issues[number]
        sheet.write_string(row, 0, name_severity(_, issue.severity), work.marks[issue.severity])
        if number in places and row <= MOST_LINKS:
            _write_link(sheet, row, places[number])
        texts = [_.say(issue.problem), issue.found]
        texts += ["" if words is None else _.say(words) for words in (issue.expected, issue.cure)]
        texts += [issue.sheet, "", issue.column or issue.record_id, issue.file]
        for column, text in enumerate(texts, start=2):
            sheet.write_string(row, column, quote_signs(text)[:LONGEST_CELL], work.wrap)
        for column, value in ((7, issue.row), (10, issue.lon_deg), (11, issue.lat_deg)):
            if value is not None and math.isfinite(value):
                sheet.write_number(row, column, value)
    _set_paper(sheet)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(ordered), 1), len(heads) - 1)


def _write_link(sheet: Worksheet, row: int, place: tuple[str, int, int]) -> None:
    from xlsxwriter.utility import quote_sheetname, xl_rowcol_to_cell

    name, at, column = place
    cell = xl_rowcol_to_cell(at, column)
    sheet.write_url(row, 1, f"internal:{quote_sheetname(name)}!{cell}", string=f"{name[:20]}!{cell}")


def _write_sheet(work: _Book, name: str, sheet: MarkedSheet) -> None:
    """Write one sheet as it was, its marks, and the column of findings behind its last one."""
    page, read, left = work.book.add_worksheet(name), sheet.read, sheet.read.left
    by_row: dict[int, list[Mark]] = {}
    for mark in sheet.marks:
        by_row.setdefault(-1 if mark.row is None else mark.row, []).append(mark)
    width = max((len(row) for row in read.rows), default=0)
    if len(sheet.kept) == len(read.rows):
        _merge(page, sheet)
    comments = 0
    for at, row in enumerate(sheet.kept):
        cells, marks = read.rows[row], by_row.get(row, [])
        kinds: dict[int, list[Mark]] = {}
        for mark in marks:
            kinds.setdefault(-1 if mark.column is None else mark.column, []).append(mark)
        for column, text in enumerate(cells):
            colour = work.marks[_worst(work.issues, kinds[column])] if column in kinds else None
            form = colour or (work.head if row <= sheet.head.last and len(text) else None)
            _write_cell(page, (at, left + column), text, read.numbers.get((row, column)), form)
        for column, found in kinds.items():
            if column >= 0 and comments < MOST_COMMENTS:
                _write_comment(work, page, (at, left + column), found)
                comments += 1
        if marks:
            words = list(dict.fromkeys(say_finding(work.issues[mark.finding], work.say) for mark in marks))
            colour = work.told[_worst(work.issues, marks)]
            page.write_string(at, left + width, "\n".join(words)[:LONGEST_CELL], colour)
    if sheet.marks:
        place = next((at for at, row in enumerate(sheet.kept) if row == sheet.head.last), 0)
        if sheet.head.last not in by_row:
            page.write_string(place, left + width, work.say("Findings"), work.head)
        page.set_column(left + width, left + width, FINDINGS_WIDTH)
        page.freeze_panes(place + 1, 0)
    _set_widths(page, sheet)
    _set_paper(page)


def _set_paper(page: Worksheet) -> None:
    """Print on A4, lying, as wide as one page."""
    page.set_paper(9)
    page.set_landscape()
    page.fit_to_pages(1, 0)


def _merge(page: Worksheet, sheet: MarkedSheet) -> None:
    """Merge the cells that were merged, as far as that is possible."""
    from xlsxwriter.exceptions import OverlappingRange

    for top, first, low, last in sheet.read.merged:
        if (top, first) == (low, last):
            continue
        try:
            page.merge_range(top, sheet.read.left + first, low, sheet.read.left + last, "")
        except OverlappingRange:
            continue


def _write_cell(page: Worksheet, at: tuple[int, int], text: str, number: float | None, form: Format | None) -> None:
    if number is not None and math.isfinite(number):
        page.write_number(*at, number, form)
    elif text:
        page.write_string(*at, text.encode("utf-8", "replace").decode("utf-8")[:LONGEST_CELL], form)
    elif form is not None:
        page.write_blank(*at, None, form)


def _write_comment(work: _Book, page: Worksheet, at: tuple[int, int], marks: Sequence[Mark]) -> None:
    words = dict.fromkeys(say_finding(work.issues[mark.finding], work.say) for mark in marks)
    text = "\n".join(words)[:LONGEST_COMMENT]
    lines = 2 + len(text) // 40
    page.write_comment(*at, text, {"author": "Buju", "x_scale": 2.4, "y_scale": min(max(lines / 5, 1), 4)})


def _set_widths(page: Worksheet, sheet: MarkedSheet) -> None:
    rows = [sheet.read.rows[row] for row in sheet.kept[:ROWS_MEASURED] if row >= sheet.head.top]
    for column in range(max((len(row) for row in rows), default=0)):
        widest = max((_measure(row[column]) for row in rows if column < len(row)), default=0)
        page.set_column(sheet.read.left + column, sheet.read.left + column, min(max(widest + 2, NARROWEST), WIDEST))


def _measure(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text[:WIDEST])


def _render_layer(marked: MarkedLayer, issues: Sequence[DataIssue], _: Translator) -> bytes:
    """Return the GeoPackage of a layer: its features with their findings, and the findings that have a place."""
    by_row: dict[int, list[Mark]] = {}
    for mark in marked.marks:
        if mark.row is not None:
            by_row.setdefault(mark.row, []).append(mark)
    words, severities = [""] * len(marked.layer), [""] * len(marked.layer)
    for row, marks in by_row.items():
        words[row] = "\n".join(dict.fromkeys(say_finding(issues[mark.finding], _) for mark in marks))
        severities[row] = name_severity(_, _worst(issues, marks))
    names = {str(column).casefold() for column in marked.layer.columns}
    first, second = (_choose_name(name, names) for name in ("finding", "severity"))
    layer = marked.layer.assign(**{first: words, second: severities})
    name = marked.name if marked.name.isidentifier() and len(marked.name) <= 40 else "layer"
    name = "layer" if name.casefold() == "findings" else name
    layers = {name: layer, "findings": _build_points(marked, issues, _)}
    with TemporaryDirectory(prefix="buju-") as folder:
        path = Path(folder) / "marked.gpkg"
        try:
            write_geopackage(path, layers)
            return path.read_bytes()
        except OSError as error:
            reason = str(error.strerror or error)
            raise ExportError(
                _("The file {file} cannot be written: {reason}.", file=marked.file, reason=reason)
            ) from error


def _choose_name(name: str, taken: set[str]) -> str:
    return next(each for each in (name, *(f"{name}_{number}" for number in range(2, 1000))) if each not in taken)


def _build_points(marked: MarkedLayer, issues: Sequence[DataIssue], _: Translator) -> gpd.GeoDataFrame:
    """Return one row per finding of the file, the worst first, with its point where it has a place."""
    import geopandas as gpd
    import numpy as np
    import shapely

    rows: list[dict[str, Any]] = []
    places: list[tuple[float, float]] = []
    own = {mark.finding: mark.row for mark in marked.marks if mark.row is not None}
    points = marked.layer.geometry.representative_point()
    degrees = points.to_crs("EPSG:4326") if marked.layer.crs is not None else None
    for number in sorted(marked.findings, key=lambda number: ORDER.index(issues[number].severity)):
        issue = issues[number]
        lon, lat = issue.lon_deg, issue.lat_deg
        if lon is None and number in own and degrees is not None and degrees.iloc[own[number]] is not None:
            lon, lat = degrees.iloc[own[number]].x, degrees.iloc[own[number]].y
        places.append((math.nan, math.nan) if lon is None or lat is None else (lon, lat))
        rows.append(
            {
                "severity": name_severity(_, issue.severity),
                "finding": say_finding(issue, _),
                "check": issue.check,
                "feature": "" if issue.row is None else str(issue.row),
                "column": issue.column,
                "id": issue.record_id,
            }
        )
    where = np.array(places, dtype=float).reshape(-1, 2)
    shapes = np.asarray(shapely.points(where), dtype=object)
    shapes[~np.isfinite(where).all(axis=1)] = None
    columns = ("severity", "finding", "check", "feature", "column", "id")
    table = {column: [row[column] for row in rows] for column in columns}
    return gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")
