"""Open files that strangers send: tables and layers, within limits, and with every refusal told in words.

What is guarded against was seen to happen: a VRT renamed ``.gpkg`` reads any file of the machine; a small workbook can
unpack to gigabytes or claim a cell in the last row and column; GeoPackage views can stall; paths can be addresses.
"""

from __future__ import annotations

import os
import sqlite3
import warnings
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import CrsError, DataError, DataIssue, GeometryError
from geodata.headers import fill_merged_cells, find_header_row, join_header_rows
from geodata.messages import Message, msg
from geodata.paths import find_path_problem
from geodata.read_text import ReadSheet, read_csv_sheets, read_workbook_sheets

os.environ["OGR_SKIP"] = "OGR_VRT"  # must stand before pyogrio is loaded: a VRT names other files to read

if TYPE_CHECKING:
    import geopandas as gpd

MAX_FILE_BYTES = 600 * 1024**2
MAX_FEATURES = 2_000_000
MAX_LAYER_CELLS = 60_000_000
MAX_SQL_STEPS = 400_000_000

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
WORKBOOK_ENDINGS = (".xlsx", ".xlsm", ".xls")
TABLE_ENDINGS = TEXT_ENDINGS + WORKBOOK_ENDINGS
LAYER_ENDINGS = (".geojson", ".json", ".gpkg", ".parquet", ".geoparquet", ".shp")

_MAGIC: dict[str, tuple[bytes, ...]] = {
    ".gpkg": (b"SQLite format 3\x00",),
    ".parquet": (b"PAR1",),
    ".geoparquet": (b"PAR1",),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".xlsx": (b"PK\x03\x04",),
    ".xlsm": (b"PK\x03\x04",),
    ".xls": (b"\xd0\xcf\x11\xe0",),
}


@dataclass(frozen=True, eq=False)
class RawTable:
    """One sheet as text. ``frame`` has the file's headers; an empty cell is ``""``.

    ``rows`` are the row numbers that the spreadsheet shows, one per row of ``frame``; ``header_row`` is that of the
    headers (rows above it, such as a title, are passed over). ``sheet`` is empty for CSV.
    """

    frame: pd.DataFrame
    rows: npt.NDArray[np.int64]
    file: str
    sheet: str = ""
    header_row: int = 1


def refuse(
    problem: Message, path: Path | str, *, found: str = "", expected: Message | None = None, cure: Message | None = None
) -> DataError:
    """Return the ``DataError`` for a file that cannot be used as a whole."""
    return DataError(
        DataIssue("file", "error", problem, file=Path(path).name, found=found, expected=expected, cure=cure)
    )


def check_path(path: str | Path, endings: tuple[str, ...]) -> Path:
    """Return ``path`` when it is an existing file of a known kind, not too large, whose first bytes fit its ending.

    Raises
    ------
    DataError
        It is an address (``http://``, ``/vsi…``), missing, a folder, too large, of another kind, or disguised.
    """
    text = str(path)
    problem = find_path_problem(text)
    if problem is not None:
        raise refuse(problem[0], "", found=text[:200], cure=problem[1])
    file = Path(path)
    if file.is_dir():
        raise refuse(msg("This is a folder, not a file."), file, found=text, cure=msg("Give the path of a file."))
    if not file.is_file():
        raise refuse(msg("The file does not exist."), file, found=text, cure=msg("Check the path in the study file."))
    ending = file.suffix.lower()
    if ending not in endings:
        raise refuse(
            msg("This kind of file is not read here."),
            file,
            found=ending or file.name,
            expected=msg("one of: {names}", names=", ".join(endings)),
        )
    if file.stat().st_size > MAX_FILE_BYTES:
        raise _too_large(file, f"{file.stat().st_size / 1024**2:.0f} MB")
    _check_magic(file, ending)
    return file


def _check_magic(file: Path, ending: str) -> None:
    try:
        with file.open("rb") as opened:
            start = opened.read(65536)
    except OSError as error:
        cure = msg("Close it in other programs, and check that you may read it.")
        raise refuse(msg("The file cannot be opened."), file, found=str(error.strerror), cure=cure) from error
    if not start:
        raise refuse(msg("The file is empty."), file)
    if ending in (".geojson", ".json"):
        start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    magic = _MAGIC.get(ending)
    # GDAL would take a file for a virtual one wherever this word stands, should another module have loaded it first
    if (magic and not start.startswith(magic)) or (ending in (".geojson", ".json") and b"<OGRVRT" in start):
        raise refuse(
            msg("The content of the file does not fit its ending."),
            file,
            found=ending,
            cure=msg("Save the file again from the program that made it."),
        )


def _too_large(file: Path, found: str) -> DataError:
    return refuse(
        msg("The file is too large, or unpacks to too much."),
        file,
        found=found,
        cure=msg("Keep only the rows and columns that are needed, or split the file."),
    )


def read_raw_tables(path: str | Path) -> list[RawTable]:
    """Return every filled sheet of a CSV, TSV or Excel file as text; see :func:`read_raw_table`."""
    file = check_path(path, TABLE_ENDINGS)
    sheets = read_csv_sheets(file) if file.suffix.lower() in TEXT_ENDINGS else read_workbook_sheets(file)
    tables = [_build_raw_table(sheet, file.name) for sheet in sheets]
    filled = [table for table in tables if len(table.frame.columns)]
    if not filled:
        raise refuse(msg("The file holds no table."), file, cure=msg("The first row must hold the headers."))
    return filled


def read_raw_table(path: str | Path, *, sheet: str = "") -> RawTable:
    """Read one sheet of a CSV, TSV or Excel file as text.

    Parameters
    ----------
    path : file; CSV in UTF-8 (with or without mark) or GB18030; ``.xlsx``, ``.xlsm``, ``.xls``
    sheet : name of the sheet; empty = the first one with rows

    Raises
    ------
    DataError
        The file is missing, disguised, unreadable, too large, empty, or lacks the sheet.
    """
    tables = read_raw_tables(path)
    if sheet:
        named = [table for table in tables if table.sheet == sheet]
        if not named:
            raise refuse(
                msg("The file has no such sheet."),
                path,
                found=sheet,
                expected=msg("one of: {names}", names=", ".join(table.sheet for table in tables)),
            )
        return named[0]
    return next((table for table in tables if len(table.frame)), tables[0])


def _build_raw_table(sheet: ReadSheet, file: str) -> RawTable:
    """Find the header row and build the table below it, without empty rows and empty columns."""
    top = find_header_row(sheet.rows)
    headers, head = join_header_rows(sheet.rows, top, sheet.merged)
    rows = fill_merged_cells(sheet.rows, headers, head, sheet.merged)
    body = [(position + 1, row) for position, row in enumerate(rows) if position > head and any(c.strip() for c in row)]
    width = max([len(headers), *(len(row) for _, row in body)]) if rows else 0
    titles = _name_columns(headers, width)
    columns = {
        title: [row[at].strip() if at < len(row) else "" for _, row in body]
        for at, title in enumerate(titles)
        if (headers[at : at + 1] or [""])[0].strip() or any(at < len(row) and row[at].strip() for _, row in body)
    }
    frame = pd.DataFrame(columns, dtype="str")
    return RawTable(frame, np.array([number for number, _ in body], dtype=np.int64), file, sheet.name, top + 1)


def _name_columns(header: list[str], width: int) -> list[str]:
    """Return one name per column; a second column of the same name gets ``(2)``, a nameless one its number."""
    names: dict[str, None] = {}
    counts: dict[str, int] = {}
    for position in range(width):
        text = header[position].strip() if position < len(header) else ""
        name = text or f"column {position + 1}"
        while name in names:
            counts[text] = counts.get(text, 1) + 1
            name = f"{text} ({counts[text]})"
        names[name] = None
    return list(names)


def read_layer(path: str | Path, *, layer: str = "") -> gpd.GeoDataFrame:
    """Read a layer of shapes: GeoJSON, GeoPackage, GeoParquet or shapefile.

    Parameters
    ----------
    path : file with ending ``.geojson``, ``.json``, ``.gpkg``, ``.parquet``, ``.shp``
    layer : table of a GeoPackage; empty = the only one (with several, the first)

    Returns
    -------
    GeoDataFrame
        As stored, with its CRS; the index counts from 0. A layer without CRS is returned as it is: see
        :func:`require_layer_crs`.

    Raises
    ------
    DataError
        The file is missing, disguised, unreadable, too large or empty, or lacks the layer.
    """
    file = check_path(path, LAYER_ENDINGS)
    ending = file.suffix.lower()
    if ending in (".parquet", ".geoparquet"):
        return _read_parquet(file)
    target, layer = (f"GPKG:{file}", _choose_gpkg_table(file, layer)) if ending == ".gpkg" else (str(file), "")
    return _read_ogr(file, target, layer)


def _read_ogr(file: Path, target: str, layer: str) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pyogrio

    options: dict[str, Any] = {"layer": layer} if layer else {}
    try:
        about = pyogrio.read_info(target, force_feature_count=True, **options)
        if about["features"] > MAX_FEATURES or about["features"] * len(about["fields"]) > MAX_LAYER_CELLS:
            raise _too_large(file, f"{about['features']:,} features")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a column of mixed kinds is read as text, as it should be
            # a ring that is not closed comes back as a missing shape, which is told with its row
            found = pyogrio.read_dataframe(target, on_invalid="ignore", **options)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise _unreadable(file, error) from error
    return _require_shapes(found if isinstance(found, gpd.GeoDataFrame) else None, file)


def _read_parquet(file: Path) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pyarrow
    from pyarrow import parquet
    from shapely.errors import GEOSException

    try:
        about = parquet.ParquetFile(file).metadata
        size = sum(about.row_group(group).total_byte_size for group in range(about.num_row_groups))
        if about.num_rows > MAX_FEATURES or about.num_rows * about.num_columns > MAX_LAYER_CELLS or size > 4 * 1024**3:
            raise _too_large(file, f"{about.num_rows:,} rows")
        found = gpd.read_parquet(file)
    except (pyarrow.ArrowException, GEOSException, OSError, ValueError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise _unreadable(file, error) from error
    return _require_shapes(found.reset_index(drop=True), file)


def _unreadable(file: Path, error: Exception) -> DataError:
    return refuse(
        msg("The file cannot be read."),
        file,
        found=str(error).splitlines()[0][:200] if str(error) else type(error).__name__,
        cure=msg("Open it in the program that made it and save it again."),
    )


def _require_shapes(found: gpd.GeoDataFrame | None, file: Path) -> gpd.GeoDataFrame:
    if found is None:
        raise GeometryError(refuse(msg("The layer holds no shapes."), file).issues)
    if not len(found):
        raise refuse(msg("The layer is empty."), file)
    return found


def require_layer_crs(layer: gpd.GeoDataFrame, crs: str, file: str) -> gpd.GeoDataFrame:
    """Return ``layer`` with the CRS that the study file gives (``crs``), else its own; ``CrsError`` without either."""
    from geodata.crs import LOCAL, SHIFTED, normalise_crs

    named = normalise_crs(crs)
    if named == LOCAL or named in SHIFTED:
        return layer.set_crs(None, allow_override=True)
    if named:
        return layer.set_crs(named, allow_override=True)
    if layer.crs is None:
        raise CrsError(
            DataIssue(
                "layer_crs",
                "error",
                msg("The layer does not say which coordinate system it is in."),
                file=file,
                cure=msg('Write it in the study file, for instance crs = "EPSG:4547".'),
            )
        )
    return layer


def _choose_gpkg_table(file: Path, layer: str) -> str:
    """Return the table to read: one of ``gpkg_contents`` that is a real table, with a bounded count."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            base.execute("PRAGMA trusted_schema=OFF")
            _limit_steps(base)
            names = [
                str(row[0])
                for row in base.execute(
                    "SELECT c.table_name FROM gpkg_contents c JOIN sqlite_master m ON m.name = c.table_name "
                    "WHERE c.data_type = 'features' AND m.type = 'table' LIMIT 1000"
                )
            ]
            if not names or (layer and layer not in names):
                raise refuse(
                    msg("The file has no such layer."),
                    file,
                    found=layer,
                    expected=msg("one of: {names}", names=", ".join(names) or "-"),
                )
            return layer or names[0]
    except sqlite3.Error as error:
        raise _unreadable(file, error) from error


def _limit_steps(base: sqlite3.Connection) -> None:
    """Stop a query that runs away."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 100_000
        return int(steps > MAX_SQL_STEPS)

    base.set_progress_handler(count, 100_000)
