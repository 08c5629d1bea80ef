"""What an uploaded file seems to be: format, parts, rows, headers. Looked at once per upload; nothing is decided."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd
import streamlit as st

from geodata.dictionary import SHEET_NAMES
from geodata.errors import DataError, DataIssue
from geodata.files import (
    RawTable,
    list_layers,
    read_layer,
    read_raw_tables,
)  # also forbids virtual files, before their library is loaded
from geodata.read_rows import list_year_sheets
from geodata.school_sheets import open_sheets
from geodata.study_file import RowsSource
from geodata.values import parse_number, parse_year
from ui.columns import PLANNING_ROLES, count_matches, match_fields

Shape = Literal["", "point", "line", "polygon", "raster", "roads", "osm"]
TEXT_ENDINGS = ("csv",)
WORKBOOK_ENDINGS = ("xlsx", "xls")
TABLE_ENDINGS = TEXT_ENDINGS + WORKBOOK_ENDINGS
LAYER_ENDINGS = ("geojson", "json", "gpkg", "zip")
OSM_ENDINGS = ("pbf", "osm", "gz")
OSM_ROLES = ("schools", "buildings")
"""Roles that take their objects out of a file of OpenStreetMap."""
MOST_WORDS = 80
"""Columns of more different cells hold no words to choose from."""
FORMAT_NAMES = {
    "csv": "CSV",
    "xlsx": "Excel",
    "xls": "Excel",
    "geojson": "GeoJSON",
    "json": "GeoJSON",
    "gpkg": "GeoPackage",
    "zip": "Shapefile",
    "tif": "GeoTIFF",
    "tiff": "GeoTIFF",
    "pbf": "OpenStreetMap PBF",
    "osm": "OpenStreetMap XML",
    "gz": "OpenStreetMap XML",
    "graphml": "GraphML",
}
_H3_CODE = re.compile(r"8[0-9a-f]{14}")
"""A cell of the H3 grid of hexagons, in which such tables are given."""


@dataclass(frozen=True)
class Detected:
    """What was found.

    ``rows`` is None where a file has none to count; ``size_mb`` is its size. ``parts`` are the names of its sheets or
    layers and ``used`` those that are read. ``has_system`` says whether a layer names its coordinate system.
    ``hexagons``: the rows carry codes of hexagons. ``numbers`` are the headers over numbers. ``years`` are those of the
    rows, in order, for tables of years (past rolls, births, housing, assets). ``words`` are the cells of columns that
    hold few different ones, by header, each with its number of rows, the most frequent first. ``reach`` is the range of
    the numbers of a column, by header.
    """

    format: str
    size_mb: float
    rows: int | None = None
    headers: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    shape: Shape = ""
    has_system: bool = True
    hexagons: bool = False
    numbers: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    words: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    reach: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    issues: tuple[DataIssue, ...] = ()

    @property
    def shaped(self) -> bool:
        """Whether its rows have places of their own, without columns that say where."""
        return self.shape in ("point", "line", "polygon", "osm")


def detect_file(path: Path, role: str, part: str = "") -> Detected:
    """Look at an upload; a file that cannot be read comes back with its issues.

    Parameters
    ----------
    path : the file
    role : what it is for (``ui.uploads.ROLES``)
    part : sheet or layer to look at; empty = the one whose headers fit the role best
    """
    return _detect(str(path), role, part, path.stat().st_mtime_ns)


@st.cache_data(max_entries=100, show_spinner=False)
def _detect(name: str, role: str, part: str, _stamp: int) -> Detected:
    path = Path(name)
    ending = path.suffix.lower().lstrip(".")
    label, size_mb = FORMAT_NAMES.get(ending, ending.upper()), path.stat().st_size / 1e6
    try:
        if ending in TABLE_ENDINGS:
            return _detect_table(path, role, part, label, size_mb)
        if ending in LAYER_ENDINGS:
            return _detect_layer(path, role, part, label, size_mb)
    except DataError as error:
        return Detected(label, size_mb, issues=error.issues)
    if ending in OSM_ENDINGS and role in OSM_ROLES:
        return Detected(label, size_mb, shape="osm")
    return Detected(label, size_mb, shape="raster" if ending in ("tif", "tiff") else "roads")


def _detect_table(path: Path, role: str, part: str, label: str, size_mb: float) -> Detected:
    tables = {table.sheet: table for table in read_raw_tables(path)}
    filled = [name for name, table in tables.items() if len(table.frame)] or list(tables)
    if part in tables:
        used = [part]
    elif SHEET_NAMES.get(role) in filled:
        used = [SHEET_NAMES[role]]
    elif role == "schools":
        used = [sheet.name for sheet in open_sheets(path, match_school_sheets=True)]
    elif role == "rolls" and (years := list_year_sheets(path, RowsSource(path.name), "rolls")):
        used = years
    else:
        used = [max(filled, key=lambda name: count_matches(role, list(tables[name].frame.columns)))]
    headers = tuple(dict.fromkeys(str(header) for name in used for header in tables[name].frame.columns))
    first = tables[used[0]].frame
    numbers = tuple(str(header) for header in first.columns if _is_numeric(first[header].tolist()))
    hexagons = any(_are_hexagons(first[header].tolist()) for header in first.columns[:3])
    return Detected(
        label,
        size_mb,
        sum(len(tables[name].frame) for name in used),
        headers,
        tuple(name for name in filled if name),
        tuple(name for name in used if name),
        hexagons=hexagons,
        numbers=numbers,
        years=_list_years(role, [tables[name] for name in used]),
        words=_count_words({name: _gather(name, [tables[sheet].frame for sheet in used]) for name in headers}),
        reach=_measure_reach({name: first[name].tolist() for name in numbers}),
    )


def _gather(header: str, frames: Sequence[pd.DataFrame]) -> list[str]:
    return [cell for frame in frames if header in frame.columns for cell in frame[header].tolist()]


def _count_words(columns: Mapping[str, Sequence[object]]) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return the words of the columns that hold few different ones, and none that are numbers only."""
    found = {}
    for header, cells in columns.items():
        counts = Counter(text for cell in cells if (text := str(cell).strip()) and cell is not None)
        if 0 < len(counts) <= MOST_WORDS:
            found[header] = tuple(counts.most_common())
    return found


def _measure_reach(columns: Mapping[str, Sequence[object]]) -> dict[str, tuple[float, float]]:
    """Return the least and the greatest number of each column; columns without numbers are left out."""
    found = {}
    for header, cells in columns.items():
        numbers = []
        for cell in cells:
            with suppress(ValueError):
                number = parse_number(str(cell))
                numbers += [] if number is None or not math.isfinite(number) else [number]
        if numbers:
            found[header] = min(numbers), max(numbers)
    return found


def _list_years(role: str, sheets: Sequence[RawTable]) -> tuple[int, ...]:
    """Return the years of the rows of a table of years, or those of its sheets' names; none where nothing tells."""
    if role not in PLANNING_ROLES:
        return ()
    years = set()
    for sheet in sheets:
        found = match_fields(role, [str(header) for header in sheet.frame.columns], {})
        header = found.get("year") or found.get("completion_year")
        for cell in set(sheet.frame[header]) if header else {sheet.sheet}:
            with suppress(ValueError):
                years.add(parse_year(str(cell)))
    return tuple(sorted(year for year in years if year))


def list_template_sheets(path: Path) -> dict[str, str]:
    """Return the sheets of the template that a workbook has rows in, by role, those of schools left out."""
    if path.suffix.lower() != ".xlsx":
        return {}
    try:
        filled = {table.sheet for table in read_raw_tables(path) if len(table.frame)}
    except DataError:
        return {}
    return {role: SHEET_NAMES[role] for role in PLANNING_ROLES if SHEET_NAMES[role] in filled}


def _is_numeric(cells: Sequence[str]) -> bool:
    """Whether the first filled cells of a column are numbers."""
    filled = [cell for cell in cells[:2000] if cell.strip()][:200]
    return bool(filled) and all(re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", cell.strip()) for cell in filled)


def _are_hexagons(cells: Sequence[str]) -> bool:
    sample = [cell.strip().lower() for cell in cells[:50]]
    return bool(sample) and all(_H3_CODE.fullmatch(cell) for cell in sample)


def _detect_layer(path: Path, role: str, part: str, label: str, size_mb: float) -> Detected:
    layers = list_layers(path) or {"": []}
    used = part if part in layers else max(layers, key=lambda name: count_matches(role, layers[name]))
    layer = read_layer(path, layer=used)
    table = layer.drop(columns=layer.geometry.name)
    headers = tuple(str(column) for column in table.columns)
    kinds = set(layer.geometry.geom_type.dropna().unique())
    lines = kinds & {"LineString", "MultiLineString"}
    shape: Shape = "polygon" if kinds & {"Polygon", "MultiPolygon"} else "line" if lines else "point"
    return Detected(
        label,
        size_mb,
        len(layer),
        headers,
        tuple(name for name in layers if name),
        (used,) if used else (),
        shape,
        has_system=layer.crs is not None,
        numbers=tuple(str(column) for column in table.columns if pd.api.types.is_numeric_dtype(table[column])),
        words=_count_words(
            {str(column): table[column].tolist() for column in table.columns if _holds_words(table[column])}
        ),
        reach=_measure_reach(
            {
                str(column): table[column].tolist()
                for column in table.columns
                if pd.api.types.is_numeric_dtype(table[column])
            }
        ),
    )


def _holds_words(column: pd.Series) -> bool:
    """Whether a column of a layer may hold words or codes: texts and whole numbers."""
    return not (column.dtype.kind == "f" or column.dtype.kind == "M")
