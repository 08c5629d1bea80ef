"""Layers in the formats that others open, in degrees: GeoJSON, zipped Shapefile, KML; and the three datums of China.

GCJ-02 has no code of its own. Its layers carry a coordinate system of that name, where the format can hold one, so that
no program takes them for WGS 84 without saying so.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
import shapely

from geodata.crs import WGS84, shift_to_gcj02
from geodata.errors import ExportError
from geodata.messages import msg

if TYPE_CHECKING:
    import geopandas as gpd

DATUMS: Mapping[str, str] = MappingProxyType({"WGS-84": WGS84, "CGCS2000": "EPSG:4490", "GCJ-02": "GCJ-02"})
"""Coordinates that layers may be in, and their coordinate system."""
DECIMALS = 7
"""Of a degree: a centimetre."""
LONGEST_FIELD, LONGEST_TEXT_BYTES = 10, 254
"""What a field of a Shapefile holds."""
FIXED_DATE = "2026-01-01"
"""Stands where a format wants the day of writing: equal content gives equal files."""
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_GCJ02 = (
    'GEOGCRS["GCJ-02",DATUM["GCJ-02",ELLIPSOID["WGS 84",6378137,298.257223563,LENGTHUNIT["metre",1]]],'
    'PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,2],AXIS["latitude",north],'
    'AXIS["longitude",east],ANGLEUNIT["degree",0.0174532925199433]]'
)
_STYLES: Mapping[str, str] = MappingProxyType(
    {
        "area": "<LineStyle><color>ff8a4b1f</color><width>1.6</width></LineStyle>"
        "<PolyStyle><color>338a4b1f</color></PolyStyle>",
        "point": "<IconStyle><scale>0.8</scale></IconStyle><LabelStyle><scale>0.8</scale></LabelStyle>",
    }
)


def convert_layer(table: gpd.GeoDataFrame, datum: str) -> gpd.GeoDataFrame:
    """Return a layer in degrees of ``datum``, longitude first; areas as multipolygons, outer rings anticlockwise.

    Raises
    ------
    ExportError
        ``datum`` is none of :data:`DATUMS`, or the layer has no place on Earth (a ``"local"`` study).
    """
    if datum not in DATUMS:
        raise ExportError(msg("Unknown datum {datum!r}; known: {known}.", datum=datum, known=tuple(DATUMS)))
    if table.crs is None:
        raise ExportError(
            msg("The study lies on a grid without a place on Earth, so its layers have no longitude and latitude.")
        )
    moved = table.to_crs(WGS84 if datum == "GCJ-02" else DATUMS[datum])
    shapes = shapely.force_2d(np.asarray(moved.geometry.to_numpy(), dtype=object))
    if datum == "GCJ-02":
        shapes = shapely.transform(shapes, _shift)
    return moved.set_geometry(_gather(shapes), crs=build_crs(datum))


def build_crs(datum: str) -> Any:
    """Return the coordinate system of a datum (``pyproj.CRS``)."""
    import pyproj

    return pyproj.CRS.from_user_input(_GCJ02 if datum == "GCJ-02" else DATUMS[datum])


def _shift(points: Any) -> Any:
    lon_deg, lat_deg = shift_to_gcj02(points[:, 0], points[:, 1])
    return np.column_stack([lon_deg, lat_deg])


def _gather(shapes: Any) -> Any:
    """Return polygons as multipolygons, so that a layer is of one kind, turned as GeoJSON asks."""
    turned = shapely.orient_polygons(shapes)
    single = shapely.get_type_id(turned) == shapely.GeometryType.POLYGON
    turned[single] = [shapely.multipolygons([shape]) for shape in turned[single]]
    return turned


def name_kind(table: gpd.GeoDataFrame) -> str:
    """Return the kind of shapes of a layer, as the formats call it; that of areas where it is empty."""
    known = table.geometry[table.geometry.notna()].geom_type.unique()
    return str(known[0]) if len(known) == 1 else ("Unknown" if len(known) else "MultiPolygon")


def write_geojson(path: Path, name: str, table: gpd.GeoDataFrame, description: str) -> None:
    """Write one layer in degrees as GeoJSON, longitude before latitude whatever its coordinate system."""
    import pyogrio

    plain = table if table.crs is None or table.crs.to_epsg() is not None else table.set_crs(None, allow_override=True)
    pyogrio.write_dataframe(
        plain,
        path,
        layer=name,
        driver="GeoJSON",
        geometry_type=name_kind(table),
        layer_options={
            "COORDINATE_PRECISION": str(DECIMALS),
            "DESCRIPTION": description,
            "AUTODETECT_JSON_STRINGS": "NO",  # else a name such as "[1]" becomes a list
        },
    )


def shorten_fields(names: Iterable[str]) -> dict[str, str]:
    """Return names of at most ten plain letters, each once, by the full ones.

    Words are cut evenly: ``pupils_before_hidden`` becomes ``pup_bef_hi``.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        short = _shorten(name)
        number = 2
        while short.casefold() in taken:
            short = _shorten(name)[: LONGEST_FIELD - len(str(number))] + str(number)
            number += 1
        taken.add(short.casefold())
        found[name] = short
    return found


def _shorten(name: str) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).strip("_") or "field"
    if len(plain) <= LONGEST_FIELD:
        return plain
    words = [word for word in plain.split("_") if word]
    while sum(map(len, words)) + len(words) - 1 > LONGEST_FIELD and max(map(len, words)) > 1:
        longest = max(range(len(words)), key=lambda place: (len(words[place]), place))
        words[longest] = words[longest][:-1]
    return "_".join(words)[:LONGEST_FIELD]


def write_zipped_shapefile(path: Path, name: str, table: gpd.GeoDataFrame) -> None:
    """Write one layer as a zip of a Shapefile in UTF-8 (``.cpg``); texts are cut to 254 bytes, marked by "…"."""
    import pyogrio

    shape = table.geometry.name
    short = shorten_fields(str(column) for column in table.columns if column != shape)
    plain = table.rename(columns=short)
    for column in short.values():
        if not pd.api.types.is_numeric_dtype(plain[column].dtype) and not pd.api.types.is_bool_dtype(plain[column]):
            plain[column] = np.array([_cut(cell) for cell in plain[column]], dtype=object)
    folder = path.parent / f".{name}"
    folder.mkdir()
    pyogrio.write_dataframe(
        plain,
        folder / f"{name}.shp",
        driver="ESRI Shapefile",
        encoding="UTF-8",
        geometry_type=name_kind(table).replace("Multi", ""),
        layer_options={"DBF_DATE_LAST_UPDATE": FIXED_DATE},
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in sorted(folder.iterdir()):
            info = zipfile.ZipInfo(part.name, date_time=_EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(info, part.read_bytes())


def _cut(cell: object) -> object:
    """Return a text that fits into a field of a Shapefile."""
    if not isinstance(cell, str):
        return None if cell is None or cell != cell else cell
    if len(cell.encode()) <= LONGEST_TEXT_BYTES:
        return cell
    return cell.encode()[: LONGEST_TEXT_BYTES - 3].decode(errors="ignore") + "…"


def write_kml(path: Path, layers: Mapping[str, gpd.GeoDataFrame], *, title: str, titles: Mapping[str, str]) -> None:
    """Write layers in degrees as one KML, a folder for each; fields are shown by ``titles`` where it has them.

    A place is called by its field ``name``.
    """
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
        )
        stream.write(f"<name>{_xml(title)}</name>\n")
        for style, parts in _STYLES.items():
            stream.write(f'<Style id="{style}">{parts}</Style>\n')
        for name, table in layers.items():
            stream.write(f"<Folder>\n<name>{_xml(name)}</name>\n")
            stream.writelines(_render_places(table, titles))
            stream.write("</Folder>\n")
        stream.write("</Document>\n</kml>\n")


def _render_places(table: gpd.GeoDataFrame, titles: Mapping[str, str]) -> Iterator[str]:
    fields = [str(column) for column in table.columns if column != table.geometry.name]
    heads = [
        f'<Data name="{_xml(field)}"><displayName>{_xml(titles.get(field, field))}</displayName><value>'
        for field in fields
    ]
    name = fields.index("name") if "name" in fields else None
    rows = table.drop(columns=table.geometry.name).itertuples(index=False, name=None)
    for row, shape in zip(rows, table.geometry, strict=True):
        cells = ["" if _is_missing(cell) else _xml(_say(cell)) for cell in row]
        style = "point" if shape is not None and shape.geom_type == "Point" else "area"
        data = "".join(f"{head}{cell}</value></Data>" for head, cell in zip(heads, cells, strict=True) if cell)
        yield (
            f"<Placemark><name>{'' if name is None else cells[name]}</name><styleUrl>#{style}</styleUrl>"
            f"<ExtendedData>{data}</ExtendedData>{_render_shape(shape)}</Placemark>\n"
        )


def _render_shape(shape: Any) -> str:
    if shape is None or shape.is_empty:
        return ""
    if shape.geom_type == "Point":
        return f"<Point>{_render_line(shape)}</Point>"
    return f"<MultiGeometry>{''.join(map(_render_area, shapely.get_parts(shape)))}</MultiGeometry>"


def _render_area(area: shapely.Polygon) -> str:
    outer = f"<outerBoundaryIs><LinearRing>{_render_line(area.exterior)}</LinearRing></outerBoundaryIs>"
    inner = [
        f"<innerBoundaryIs><LinearRing>{_render_line(ring)}</LinearRing></innerBoundaryIs>" for ring in area.interiors
    ]
    return f"<Polygon>{outer}{''.join(inner)}</Polygon>"


def _render_line(line: shapely.Geometry) -> str:
    points = [f"{lon:.{DECIMALS}f},{lat:.{DECIMALS}f}" for lon, lat in shapely.get_coordinates(line).tolist()]
    return f"<coordinates>{' '.join(points)}</coordinates>"


def _is_missing(cell: object) -> bool:
    return cell is None or cell != cell or cell == ""


def _say(cell: object) -> str:
    if isinstance(cell, bool | np.bool_):
        return "true" if cell else "false"
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def _xml(text: str) -> str:
    """Return text as XML may hold it: escaped, and "?" for signs that XML forbids."""
    return escape(_FORBIDDEN.sub("?", text), {'"': "&quot;", "'": "&apos;"})
