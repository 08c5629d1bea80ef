"""Open files that strangers send: tables and layers, within limits, and with every refusal told in words.

What is guarded against was seen to happen: a VRT renamed ``.gpkg`` reads any file of the machine; a small workbook can
unpack to gigabytes or claim a cell in the last row and column; GeoPackage views can stall; paths can be addresses.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.archives import PackedLayer, list_packed_layers, unpack_layer
from geodata.errors import CrsError, DataError, DataIssue, GeometryError
from geodata.headers import fill_merged_cells, read_header_block
from geodata.layer_safety import (
    count_rows,
    forbid_other_drivers,
    has_foreign_system,
    list_geopackage_tables,
    open_geopackage,
)
from geodata.messages import Message, msg
from geodata.paths import find_path_problem
from geodata.read_text import ReadSheet, read_csv_sheets, read_workbook_sheets
from geodata.shapefiles import choose_shapefile_encoding, decode_words, find_missing_part

forbid_other_drivers()  # must stand before pyogrio is loaded

if TYPE_CHECKING:
    import geopandas as gpd

MAX_FILE_BYTES = 600 * 1024**2
MAX_FEATURES = 2_000_000
MAX_LAYER_CELLS = 60_000_000

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
WORKBOOK_ENDINGS = (".xlsx", ".xlsm", ".xls")
TABLE_ENDINGS = TEXT_ENDINGS + WORKBOOK_ENDINGS
LAYER_ENDINGS = (".geojson", ".json", ".gpkg", ".parquet", ".geoparquet", ".shp", ".zip")

_MAGIC: dict[str, tuple[bytes, ...]] = {
    ".gpkg": (b"SQLite format 3\x00",),
    ".parquet": (b"PAR1",),
    ".geoparquet": (b"PAR1",),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".zip": (b"PK\x03\x04",),
    ".geojson": (b"{",),
    ".json": (b"{",),
}


_PYTHON_ERRORS = (ValueError, TypeError, LookupError, AttributeError, NameError, RuntimeError)
"""What libraries raise for files whose own words about themselves are broken: found by fuzzing."""


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
    is_json = ending in (".geojson", ".json")
    if is_json:
        start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    magic = _MAGIC.get(ending)
    # GDAL would take a file for a virtual one wherever these words stand, should another module have loaded it first
    if (magic and not start.startswith(magic)) or (is_json and (b"<OGRVRT" in start or b"gdal_streamed_alg" in start)):
        raise refuse(
            msg("The content of the file does not fit its ending."),
            file,
            found=ending,
            cure=msg("Save the file again from the program that made it."),
        )
    if is_json and has_foreign_system(file.read_bytes()):
        raise refuse(
            msg("The file names its coordinate system by an address, which is not followed."),
            file,
            found="crs",
            cure=msg("Save the layer again in longitude and latitude, as GeoJSON without a “crs” entry."),
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
    """Find the headers and build the table below them, without empty rows and empty columns."""
    block = read_header_block(sheet.rows, sheet.merged)
    headers, titles = block.headers, block.titles
    rows = fill_merged_cells(sheet.rows, headers, block.last, sheet.merged)
    body = [(at + 1, row) for at, row in enumerate(rows) if at > block.last and any(cell.strip() for cell in row)]
    columns = {
        title: [row[at].strip() if at < len(row) else "" for _, row in body]
        for at, title in enumerate(titles)
        if (headers[at : at + 1] or [""])[0].strip() or any(at < len(row) and row[at].strip() for _, row in body)
    }
    frame = pd.DataFrame(columns, dtype="str")
    return RawTable(frame, np.array([number for number, _ in body], dtype=np.int64), file, sheet.name, block.top + 1)


def list_layers(path: str | Path) -> dict[str, list[str]]:
    """Return the layers with shapes of a file, each with its headers; the one of a single-layer file is called ``""``.

    Headers are told for GeoPackages only: elsewhere a list is empty. A zip archive has the layers of the files in it.

    Raises
    ------
    DataError
        As :func:`read_layer`.
    """
    file = check_path(path, LAYER_ENDINGS)
    ending = file.suffix.lower()
    if ending == ".gpkg":
        return _list_tables(file)
    if ending != ".zip":
        return {"": []}
    packed = _list_packed(file)
    if len(packed) > 1:
        return {layer.name: [] for layer in packed}
    with unpack_layer(file, packed[0]) as inner, _told_as(file, inner):
        return list_layers(inner)


def read_layer(path: str | Path, *, layer: str = "") -> gpd.GeoDataFrame:
    """Read a layer of shapes: GeoJSON, GeoPackage, GeoParquet, or a shapefile, also zipped.

    Parameters
    ----------
    path : file with ending ``.geojson``, ``.json``, ``.gpkg``, ``.parquet``, ``.shp``, ``.zip``
    layer : table of a GeoPackage, or file in an archive; empty = the only one (with several, the first)

    Returns
    -------
    GeoDataFrame
        As stored, with its CRS; the index counts from 0. A layer without CRS is returned as it is: see
        :func:`require_layer_crs`.

    Raises
    ------
    DataError
        The file is missing, disguised, unreadable, too large or empty, or lacks the layer; an archive is unsafe.
    """
    file = check_path(path, LAYER_ENDINGS)
    ending = file.suffix.lower()
    if ending == ".zip":
        return _read_packed(file, layer)
    if ending in (".parquet", ".geoparquet"):
        return _read_parquet(file)
    if ending == ".gpkg":
        table, count = _choose_table(file, layer)
        return _read_ogr(file, f"GPKG:{file}", layer=table, most=count)
    if ending == ".shp":
        missing = find_missing_part(file)
        if missing:
            raise _lacks_part(file, missing)
        return _read_shapefile(file)
    return _read_ogr(file, str(file))


def _read_shapefile(file: Path) -> gpd.GeoDataFrame:
    """Read a shapefile whose words may be cut in the middle of a character: byte by byte first, where they are."""
    encoding = choose_shapefile_encoding(file)
    try:
        return _read_ogr(file, str(file), encoding=encoding)
    except DataError as error:
        if not isinstance(error.__cause__, UnicodeDecodeError):
            raise
    return decode_words(_read_ogr(file, str(file), encoding="ISO-8859-1"), encoding or "utf-8")


def _read_packed(file: Path, layer: str) -> gpd.GeoDataFrame:
    """Read a layer of a zip archive; one name may be that of a file in it, or of a table of its only GeoPackage."""
    packed = _list_packed(file)
    named = [each for each in packed if each.name == layer]
    if layer and not named and len(packed) > 1:
        raise _no_such_layer(file, layer, [each.name for each in packed])
    chosen = (named or packed)[0]
    inner_layer = layer if chosen.ending == ".gpkg" and not named else ""
    with unpack_layer(file, chosen) as inner, _told_as(file, inner):
        return read_layer(inner, layer=inner_layer)


def _list_packed(file: Path) -> list[PackedLayer]:
    packed = list_packed_layers(file)
    if not packed:
        raise refuse(
            msg("The archive holds no layer of shapes."),
            file,
            expected=msg("a shapefile with its parts .shp, .shx and .dbf, a GeoPackage or a GeoJSON file"),
            cure=msg("Put all parts of the layer into one ZIP file, not into an archive inside of it."),
        )
    return packed


@contextmanager
def _told_as(file: Path, inner: Path) -> Iterator[None]:
    """Let what is wrong with an unpacked file be told of the archive that the planner knows."""
    try:
        yield
    except DataError as error:
        issues = [replace(issue, file=file.name) if issue.file == inner.name else issue for issue in error.issues]
        raise type(error)(issues) from error


def _lacks_part(file: Path, missing: str) -> DataError:
    return refuse(
        msg("The shapefile lacks its part {ending}.", ending=missing),
        file,
        expected=msg("a shapefile with its parts .shp, .shx and .dbf, a GeoPackage or a GeoJSON file"),
        cure=msg("Send all parts of the shapefile together, packed in one ZIP file."),
    )


def _no_such_layer(file: Path, layer: str, names: list[str]) -> DataError:
    expected = msg("one of: {names}", names=", ".join(names) or "-")
    return refuse(msg("The file has no such layer."), file, found=layer, expected=expected)


def _read_ogr(
    file: Path, target: str, *, layer: str = "", encoding: str = "", most: int | None = None
) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pyogrio

    options: dict[str, Any] = {name: value for name, value in (("layer", layer), ("encoding", encoding)) if value}
    try:
        about = pyogrio.read_info(target, force_feature_count=not layer, **options)
        count = max(about["features"], 0) if most is None else most
        if count > MAX_FEATURES or count * len(about["fields"]) > MAX_LAYER_CELLS:
            raise _too_large(file, f"{count:,} features")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a column of mixed kinds is read as text, as it should be
            # a ring that is not closed comes back as a missing shape, which is told with its row
            found = pyogrio.read_dataframe(target, on_invalid="ignore", max_features=most, **options)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, *_PYTHON_ERRORS) as error:
        if isinstance(error, DataError):
            raise
        raise _unreadable(file, error) from error
    except MemoryError as error:
        raise _too_large(file, "") from error
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
    except (pyarrow.ArrowException, GEOSException, *_PYTHON_ERRORS, OSError) as error:
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


def _list_tables(file: Path) -> dict[str, list[str]]:
    """Return the layers of a GeoPackage that are plain tables, with their headers."""
    try:
        with open_geopackage(file) as base:
            return list_geopackage_tables(base)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from error


def _choose_table(file: Path, layer: str) -> tuple[str, int]:
    """Return the table of a GeoPackage to read, a real one of bounded size, and how many rows it has."""
    try:
        with open_geopackage(file) as base:
            tables = list_geopackage_tables(base)
            if not tables or (layer and layer not in tables):
                raise _no_such_layer(file, layer, list(tables))
            chosen = layer or next(iter(tables))
            count = count_rows(base, chosen, MAX_FEATURES)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from error
    if count > MAX_FEATURES or count * len(tables[chosen]) > MAX_LAYER_CELLS:
        raise _too_large(file, f"> {MAX_FEATURES:,} features" if count > MAX_FEATURES else f"{count:,} features")
    return chosen, count
