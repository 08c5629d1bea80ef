"""What GDAL may do with a file of a stranger: read shapes, and nothing else.

Seen to happen with files under harmless names, and shut here: a VRT or a ``gdal_streamed_alg`` reads other files of the
machine; a GeoJSON file whose coordinate system is an address makes the reader fetch it; a GeoPackage view never ends.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ALLOWED_DRIVERS = frozenset(["ESRI Shapefile", "GPKG", "GeoJSON", "GeoJSONSeq", "MEM", "GTiff", "FlatGeobuf"])
OTHER_DRIVERS = (
    "PCIDSK", "PDS4", "VICAR", "PDF", "MBTiles", "EEDA", "OGCAPI", "GDALG", "MapInfo File", "LVBAG", "S57", "DGN",
    "OGR_VRT", "CSV", "GML", "GPX", "LIBKML", "KML", "ESRIJSON", "TopoJSON", "OGR_GMT", "SQLite", "WAsP",
    "OpenFileGDB", "DXF", "GeoRSS", "VFK", "PGDUMP", "OSM", "GPSBabel", "OGR_PDS", "WFS", "OAPIF", "EDIGEO", "Idrisi",
    "ODS", "XLSX", "Elasticsearch", "Carto", "AmigoCloud", "SXF", "Selafin", "JML", "PLSCENES", "CSW", "VDV", "MVT",
    "NGW", "MapML", "GTFS", "PMTiles", "JSONFG", "MiraMonVector", "ADBC", "AVCBin", "AVCE00", "AIVector", "HTTP",
)  # fmt: skip
"""Readers of the library that are switched off: many follow addresses, or open other files that the first one names."""
NOWHERE = "127.0.0.1:9"
MAX_SQL_STEPS = 15_000_000
_STEPS_AT_ONCE = 100_000
_ESCAPED = re.compile(rb"\\u00([2-7][0-9a-fA-F])")
_SYSTEM = re.compile(rb"""["']crs["']\s*(.)""", re.IGNORECASE | re.DOTALL)
_LONGEST_SYSTEM = 4_000
_NAMED = ("name", "epsg")


def forbid_other_drivers() -> None:
    """Leave GDAL only the readers of plain layers, and no way to the network; call before its library is loaded."""
    os.environ["OGR_SKIP"] = ",".join(OTHER_DRIVERS)
    os.environ["GDAL_HTTP_PROXY"] = os.environ["GDAL_HTTPS_PROXY"] = NOWHERE


def has_foreign_system(content: bytes) -> bool:
    """Whether a GeoJSON text gives its coordinate system in another way than by name: by an address, that is.

    Also true where it cannot be told, such as with comments inside.
    """
    if b"\\u00" in content:
        content = _ESCAPED.sub(lambda found: bytes([int(found.group(1), 16)]), content)
    for found in _SYSTEM.finditer(content):
        if found.group(1) in b",]}":
            continue  # a word of its own, not a key
        if found.group(1) != b":" or not _is_named(content[found.end() : found.end() + _LONGEST_SYSTEM]):
            return True
    return False


def _is_named(text: bytes) -> bool:
    """Whether the JSON value at the start of ``text`` is no coordinate system, or one that is named."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace").lstrip())
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return True
    kind = next((each for name, each in value.items() if name.lower() == "type"), "name")
    return str(kind).lower() in _NAMED


@contextmanager
def open_geopackage(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage for reading only, with functions of the file forbidden and queries that run away stopped."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
        base.text_factory = lambda text: text.decode("utf-8", "replace")
        base.execute("PRAGMA trusted_schema=OFF")
        base.execute("PRAGMA cell_size_check=ON")
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += _STEPS_AT_ONCE
            return int(steps > MAX_SQL_STEPS)

        base.set_progress_handler(count, _STEPS_AT_ONCE)
        yield base


def list_geopackage_tables(base: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the layers of shapes that are plain tables, each with its columns; views and computed columns are not.

    Raises ``sqlite3.Error`` where the file is none, is damaged, or holds a query that runs away.
    """
    names = [
        str(row[0])
        for row in base.execute(
            "SELECT c.table_name FROM gpkg_contents c JOIN sqlite_master m ON m.name = c.table_name "
            "WHERE c.data_type = 'features' AND m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' LIMIT 1000"
        )
    ]
    shapes = {str(row[0]): str(row[1]) for row in base.execute("SELECT * FROM gpkg_geometry_columns LIMIT 5000")}
    tables: dict[str, list[str]] = {}
    for name in names:
        quoted = name.replace('"', '""')
        columns = [(str(row[1]), row[5], row[6]) for row in base.execute(f'PRAGMA table_xinfo("{quoted}")')]
        if not any(hidden for _, _, hidden in columns):
            tables[name] = [column for column, key, _ in columns if not key and column != shapes.get(name)]
    return tables


def count_rows(base: sqlite3.Connection, table: str, most: int) -> int:
    """Return the rows of a table, counted: what the file says of itself may be untrue. At most ``most`` + 1."""
    quoted = table.replace('"', '""')
    return int(base.execute(f'SELECT count(*) FROM (SELECT 1 FROM "{quoted}" LIMIT {most + 1})').fetchone()[0])
