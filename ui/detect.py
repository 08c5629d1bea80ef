"""What an uploaded file seems to be: format, rows, headers. Looked at once per upload; nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from geodata.errors import DataError, DataIssue

Shape = Literal["", "point", "polygon", "raster", "roads"]
TABLE_ENDINGS = ("csv", "xlsx", "xls")
LAYER_ENDINGS = ("geojson", "json", "gpkg")
FORMAT_NAMES = {
    "csv": "CSV",
    "xlsx": "Excel",
    "xls": "Excel",
    "geojson": "GeoJSON",
    "json": "GeoJSON",
    "gpkg": "GeoPackage",
    "tif": "GeoTIFF",
    "tiff": "GeoTIFF",
    "pbf": "OpenStreetMap PBF",
    "osm": "OpenStreetMap XML",
    "gz": "OpenStreetMap XML",
    "graphml": "GraphML",
}


@dataclass(frozen=True)
class Detected:
    """What was found. ``rows`` is None where a file has none to count; ``size_mb`` is its size."""

    format: str
    size_mb: float
    rows: int | None = None
    headers: tuple[str, ...] = ()
    sheet: str = ""
    shape: Shape = ""
    issues: tuple[DataIssue, ...] = ()


def detect_file(path: Path) -> Detected:
    """Look at an upload; a file that cannot be read comes back with its issues."""
    return _detect(str(path), path.stat().st_mtime_ns)


@st.cache_data(max_entries=100, show_spinner=False)
def _detect(name: str, _stamp: int) -> Detected:
    path = Path(name)
    ending = path.suffix.lower().lstrip(".")
    label, size_mb = FORMAT_NAMES.get(ending, ending.upper()), path.stat().st_size / 1e6
    try:
        if ending in TABLE_ENDINGS:
            from geodata.files import read_raw_table

            table = read_raw_table(path)
            headers = tuple(str(column) for column in table.frame.columns)
            return Detected(label, size_mb, len(table.frame), headers, table.sheet)
        if ending in LAYER_ENDINGS:
            return _detect_layer(path, label, size_mb)
    except DataError as error:
        return Detected(label, size_mb, issues=error.issues)
    return Detected(label, size_mb, shape="raster" if ending in ("tif", "tiff") else "roads")


def _detect_layer(path: Path, label: str, size_mb: float) -> Detected:
    from geodata.files import read_layer

    layer = read_layer(path)
    headers = tuple(str(column) for column in layer.columns if column != layer.geometry.name)
    kinds = set(layer.geometry.geom_type.dropna().unique())
    shape: Shape = "polygon" if kinds & {"Polygon", "MultiPolygon"} else "point"
    return Detected(label, size_mb, len(layer), headers, shape=shape)
