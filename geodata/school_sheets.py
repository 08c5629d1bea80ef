"""Open a file of schools, whatever its kind, as sheets of text with positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.crs import WGS84
from geodata.dictionary import SHEET_NAMES
from geodata.errors import DataError, DataIssue
from geodata.files import TABLE_ENDINGS, RawTable, read_layer, read_raw_table, read_raw_tables, require_layer_crs
from geodata.messages import msg
from geodata.schema import match_headers
from geodata.school_columns import QUANTITIES, build_school_columns, guess_kind
from geodata.values import format_number, normalise_header, parse_year

if TYPE_CHECKING:
    import geopandas as gpd

Floats = npt.NDArray[np.float64]
_COMPANIONS: dict[str, tuple[str, ...]] = {
    "places": ("places", "capacity", "学位", "学位数", "学位表", "办学规模"),
    "rolls": ("rolls", "enrolment", "enrollment", "pupils", "在校生", "在校生数", "历年在校生", "学生数", "在校学生"),
}
"""Names of sheets, normalised, that hold the places and rolls of the schools of another sheet."""
OSM_ENDINGS = (".pbf", ".osm", ".osm.gz", ".osm.bz2")


@dataclass(frozen=True, eq=False)
class Sheet:
    """Rows of a file as text. ``x``/``y`` are the shapes' points in ``crs``, where the file has shapes.

    ``name`` is the sheet's; ``rows`` are its row numbers (for layers: the feature's number, from 1). ``unread`` names
    other sheets of the file that look like the same kind of table and were passed over. ``companions`` are sheets of
    the same workbook with the places or rolls of its schools, by table.
    """

    frame: pd.DataFrame
    rows: npt.NDArray[np.int64]
    file: str
    name: str = ""
    x: Floats | None = None
    y: Floats | None = None
    crs: str = ""
    unread: tuple[str, ...] = ()
    companions: tuple[tuple[str, Sheet], ...] = ()

    def keep(self, mask: npt.NDArray[np.bool_]) -> Sheet:
        """Return the sheet with the rows where ``mask`` is true."""
        frame = self.frame[mask].reset_index(drop=True)
        x, y = (None if values is None else values[mask] for values in (self.x, self.y))
        return replace(self, frame=frame, rows=self.rows[mask], x=x, y=y)


def open_sheets(
    path: Path, *, sheet: str = "", layer: str = "", crs: str = "", match_school_sheets: bool = False
) -> list[Sheet]:
    """Return the sheets of a table or layer file; raises ``DataError`` where it cannot be read.

    ``match_school_sheets`` chooses, where ``sheet`` is empty, the sheets of a workbook that look like tables of
    schools: all of those named after a stage or a year (小学, 初中; 2023, 2024), else the first. Sheets called
    ``places`` (学位) and ``rolls`` (在校生) with codes of schools go with the first one.
    """
    lower = path.name.lower()
    if lower.endswith(TABLE_ENDINGS):
        if not match_school_sheets:
            return [_build_sheet(read_raw_table(path, sheet=sheet))]
        return _open_school_sheets(read_raw_tables(path), sheet, path)
    if lower.endswith(OSM_ENDINGS):
        return [_open_osm(path)]
    return [build_layer_sheet(require_layer_crs(read_layer(path, layer=layer), crs, path.name), path.name)]


def _open_osm(path: Path) -> Sheet:
    from geodata.osm_features import read_osm_schools

    if not path.is_file():
        raise DataError(DataIssue("file", "error", msg("The file does not exist."), file=path.name, found=str(path)))
    return build_layer_sheet(read_osm_schools(path), path.name)


def build_layer_sheet(layer: gpd.GeoDataFrame, file: str) -> Sheet:
    """Return a layer as text with one point per shape (inside it, for areas)."""
    shapes = layer.geometry.representative_point()
    missing = (layer.geometry.isna() | layer.geometry.is_empty).to_numpy()
    x = np.where(missing, np.nan, shapes.x.to_numpy())
    y = np.where(missing, np.nan, shapes.y.to_numpy())
    frame = layer.drop(columns=layer.geometry.name)
    text = pd.DataFrame({str(name): [_format(cell) for cell in frame[name]] for name in frame.columns}, dtype="str")
    crs = "" if layer.crs is None else layer.crs.to_string()
    return Sheet(text, np.arange(1, len(layer) + 1, dtype=np.int64), file, "", x, y, crs or WGS84)


def _format(cell: object) -> str:
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else format_number(float(cell)) if np.isfinite(cell) else str(cell)
    if isinstance(cell, str | int | np.integer | bool | np.bool_):
        return str(cell).strip()
    if isinstance(cell, Sequence | np.ndarray):
        return ";".join(str(part) for part in cell)
    return "" if cell is None or cell is pd.NA or cell is pd.NaT else str(cell)


def _build_sheet(raw: RawTable) -> Sheet:
    return Sheet(raw.frame, raw.rows, raw.file, raw.sheet)


def _open_school_sheets(raws: list[RawTable], wanted: str, path: Path) -> list[Sheet]:
    """Return the sheets of schools, the first with its companions and with what was passed over."""
    tables = {raw.sheet: _name_companion(raw) for raw in raws}
    others = [raw for raw in raws if not tables[raw.sheet]]
    unread: tuple[str, ...] = ()
    if wanted:
        chosen = [read_raw_table(path, sheet=wanted)]
    else:
        chosen, unread = _choose_school_sheets(others or raws)
    told = {raw.sheet for raw in chosen}
    companions = tuple(
        (tables[raw.sheet], _build_sheet(raw)) for raw in raws if tables[raw.sheet] and raw.sheet not in told
    )
    sheets = [_build_sheet(raw) for raw in chosen]
    return [replace(sheets[0], unread=unread, companions=companions), *sheets[1:]]


def _name_companion(raw: RawTable) -> str:
    """Return the table of which a sheet holds the rows (``places``, ``rolls``), or ``""``: by its name and headers.

    The template's own sheet of past rolls is read where the study file names it under ``[rolls]``.
    """
    if raw.sheet in SHEET_NAMES.values():
        return ""
    words = {normalise_header(word) for word in (raw.sheet, *raw.sheet.split())}
    table = next((table for table, names in _COMPANIONS.items() if words & set(names)), "")
    headers = {name: column.headers for name, column in build_school_columns().items()}
    found = match_headers(raw.frame.columns, headers)
    has_place = {"lon_deg", "lat_deg"} <= set(found) or {"x_m", "y_m"} <= set(found)
    counts = any(name.endswith(QUANTITIES) for name in found)
    return table if "school_id" in found and counts and not has_place and len(raw.frame) else ""


def _choose_school_sheets(raws: list[RawTable]) -> tuple[list[RawTable], tuple[str, ...]]:
    """Return the sheets to read, and the names of others with rows that look like schools, too."""
    others = {name for table, name in SHEET_NAMES.items() if table != "schools"}
    fitting = [raw for raw in raws if raw.sheet not in others and _looks_like_schools(raw)]
    named = [raw for raw in fitting if stage_word_of(raw.sheet) or year_of(raw.sheet) is not None]
    filled = [raw for raw in named if len(raw.frame)]
    chosen = filled or [raw for raw in fitting if len(raw.frame)][:1] or fitting[:1] or raws[:1]
    read = {raw.sheet for raw in chosen}
    return chosen, tuple(raw.sheet for raw in fitting if len(raw.frame) and raw.sheet not in read)


def _looks_like_schools(raw: RawTable) -> bool:
    found = match_headers(raw.frame.columns, {name: column.headers for name, column in build_school_columns().items()})
    facts = [name for name in found if name in ("stage", "kind", "lon_deg", "x_m") or name.endswith(QUANTITIES)]
    return ("name" in found or "school_id" in found) and bool(facts)


def stage_word_of(sheet: str) -> str:
    """Return the kind of school that a sheet is named after, or ``""``."""
    return guess_kind(sheet)


def year_of(sheet: str) -> int | None:
    """Return the year in a sheet's name, or ``None``."""
    try:
        return parse_year(sheet)
    except ValueError:
        return None
