"""Layers of shapes written to files that a GIS opens."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.errors import ExportError
from geodata.layer_formats import (
    convert_layer,
    shorten_fields,
    write_geojson,
    write_kml,
    write_zipped_shapefile,
)
from geodata.messages import msg

if TYPE_CHECKING:
    import geopandas as gpd

MAX_LAYER_NAME = 60
FORMATS = ("gpkg", "geojson", "shp", "kml")
"""What :func:`write_layer_files` can write."""
FIELDS_FILE = "fields.csv"


def write_geopackage(path: str | Path, layers: Mapping[str, gpd.GeoDataFrame], *, description: str = "") -> Path:
    """Write layers into one GeoPackage, as a whole or not at all: a file that is there already is replaced at the end.

    Parameters
    ----------
    path : the file to write; its folder must exist
    layers : layer name → table with shapes. Each keeps its own CRS; a table without one (a ``"local"`` study) is
        written as a plane without a place on Earth. Empty tables are written with their columns
    description : a line about all layers (source, credit, "synthetic"), kept in each layer's entry

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExportError
        The file cannot be written, or a layer has a name that a GeoPackage cannot hold.

    Notes
    -----
    Text stays text whatever it looks like ("=1+1", tags, quotes); characters that no file can hold are replaced by "?".
    Numbers and true/false keep their kind, missing values stay empty; anything else is written as its text.
    """
    path = Path(path)
    names = [str(name).casefold() for name in layers]
    for name in layers:
        if not str(name).isidentifier() or len(str(name)) > MAX_LAYER_NAME or names.count(str(name).casefold()) > 1:
            raise ExportError(msg("A layer cannot be called “{name}”.", name=_clean(name)[:80]))
    try:
        with TemporaryDirectory(prefix=".unfinished-", dir=path.parent) as folder:
            unfinished = Path(folder) / "layers.gpkg"
            for name, table in layers.items():
                _write_layer(unfinished, str(name), table, description, shown=path.name)
            unfinished.replace(path)
    except OSError as error:
        raise ExportError(
            msg("The file {file} cannot be written: {reason}.", file=path.name, reason=str(error.strerror or error))
        ) from error
    return path


def write_layer_files(
    layers: Mapping[str, gpd.GeoDataFrame],
    folder: str | Path,
    *,
    datum: str = "WGS-84",
    formats: Sequence[str] = FORMATS,
    description: str = "",
    meanings: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Path]:
    """Write layers in degrees in every format asked for, all or none; return the paths.

    ``layers.gpkg`` and ``layers.kml`` hold all layers, ``<layer>.geojson`` and ``<layer>.shp.zip`` one each;
    ``fields.csv`` says what fields are called in a Shapefile, and what they mean. With GCJ-02 all names end in
    ``_gcj02``, because few programs know that it is not WGS 84.

    Parameters
    ----------
    layers : layer name → table with shapes (points or areas), each with a CRS
    folder : made where missing; files of these names are replaced
    datum : ``"WGS-84"``, ``"CGCS2000"`` or ``"GCJ-02"``
    formats : of :data:`FORMATS`
    description : a line about all layers (source, credit, "synthetic"), kept where the format can hold it
    meanings : heading (``"meaning_zh"``) → field → what it means; the first one names the fields in KML

    Raises
    ------
    ExportError
        A layer has no place on Earth, the datum or a format is not known, or the folder cannot be written to.

    Notes
    -----
    Text stays text, as in :func:`write_geopackage`. A Shapefile cuts names of fields to 10 letters and texts to 254
    bytes.
    """
    folder, meanings = Path(folder), meanings or {}
    if unknown := [name for name in formats if name not in FORMATS]:
        raise ExportError(msg("Unknown format {name!r}; known: {known}.", name=unknown[0], known=FORMATS))
    mark = "_gcj02" if datum == "GCJ-02" else ""
    about = _clean(f"{description} [{datum}]".strip())
    ready = {f"{name}{mark}": _prepare(convert_layer(table, datum)) for name, table in layers.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
            files = _write_formats(ready, Path(unfinished), (mark, about), formats, meanings)
            return [file.replace(folder / file.name) for file in files]
    except OSError as error:
        reason = str(error.strerror or error)
        raise ExportError(msg("{folder} cannot be written: {reason}.", folder=folder.name, reason=reason)) from error


def _write_formats(
    ready: Mapping[str, gpd.GeoDataFrame],
    folder: Path,
    about: tuple[str, str],
    formats: Sequence[str],
    meanings: Mapping[str, Mapping[str, str]],
) -> list[Path]:
    """Write prepared layers; ``about``: what all file names end in, and the description."""
    import pyogrio

    mark, description = about
    files: list[Path] = []
    titles = next(iter(meanings.values()), {})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # GeoJSON of GCJ-02 is meant to have no CRS
            if "gpkg" in formats:
                files.append(write_geopackage(folder / f"layers{mark}.gpkg", ready, description=description))
            for name, table in ready.items():
                if "geojson" in formats:
                    files.append(folder / f"{name}.geojson")
                    write_geojson(files[-1], name, table, description)
                if "shp" in formats:
                    files.append(folder / f"{name}.shp.zip")
                    write_zipped_shapefile(files[-1], name, table)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FieldError) as error:
        reason = str(error).splitlines()[0][:200]
        raise ExportError(msg("The layers cannot be written: {reason}.", reason=reason)) from error
    if "kml" in formats:
        files.append(folder / f"layers{mark}.kml")
        write_kml(files[-1], ready, title=description, titles=titles)
    files.append(folder / FIELDS_FILE)
    files[-1].write_bytes(_list_fields(ready, meanings).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig"))
    return files


def _list_fields(ready: Mapping[str, gpd.GeoDataFrame], meanings: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return what every field is called, also in a Shapefile, and what it means."""
    rows = []
    for layer, table in ready.items():
        names = [str(column) for column in table.columns if column != table.geometry.name]
        for field, short in shorten_fields(names).items():
            told = {heading: words.get(field, "") for heading, words in meanings.items()}
            rows.append({"layer": layer, "field": field, "shapefile_field": short, **told})
    return pd.DataFrame(rows, columns=["layer", "field", "shapefile_field", *meanings])


def _write_layer(file: Path, name: str, table: gpd.GeoDataFrame, description: str, *, shown: str) -> None:
    import pyogrio

    ready = _prepare(table)
    taken = {str(column).casefold() for column in ready.columns}
    fid = next(key for key in ("fid", "fid_1", "fid_2", "feature_number") if key not in taken)
    shape = next(key for key in ("geom", "geom_1", "geom_2", "outline") if key not in taken)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    # A fixed date: else the file holds "now", and equal content would not give equal files.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2026-01-01T00:00:00.000Z"})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a local grid has no CRS is meant so
            pyogrio.write_dataframe(
                ready,
                file,
                layer=name,
                driver="GPKG",
                append=file.exists(),
                layer_options={"FID": fid, "GEOMETRY_NAME": shape, "DESCRIPTION": _clean(description)},
                **({} if len(ready) else {"geometry_type": "Unknown"}),
            )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FieldError) as error:
        reason = str(error).splitlines()[0][:200]
        raise ExportError(msg("The file {file} cannot be written: {reason}.", file=shown, reason=reason)) from error
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _prepare(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table that every driver can write: plain numbers and text, column names as text, each once."""
    import geopandas as gpd

    shapes = table.geometry
    columns: dict[str, Any] = {}
    for position, column in enumerate(table.columns):
        if column != shapes.name:
            name = _clean(column)
            while name.casefold() in {key.casefold() for key in columns}:
                name += "_"
            columns[name] = _convert(table.iloc[:, position])
    frame = pd.DataFrame(columns, index=range(len(table)))
    shape_name = "geometry"
    while shape_name in columns:
        shape_name += "_"
    frame[shape_name] = gpd.GeoSeries(shapes.to_numpy(), index=frame.index, crs=shapes.crs)
    return gpd.GeoDataFrame(frame, geometry=shape_name, crs=shapes.crs)


def _convert(values: pd.Series[Any]) -> Any:
    """Return numbers and truth values as they are, everything else as text."""
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        is_gappy = pd.api.types.is_extension_array_dtype(values.dtype) and values.isna().any()
        return values.to_numpy(dtype="float64", na_value=np.nan) if is_gappy else values.to_numpy()
    texts = [
        None if cell is None or cell is pd.NA or cell is pd.NaT or _is_nan(cell) else _clean(cell) for cell in values
    ]
    return np.array(texts, dtype=object)


def _is_nan(cell: object) -> bool:
    return isinstance(cell, float | np.floating) and bool(np.isnan(cell))


def _clean(cell: object) -> str:
    """Return a cell as text without what UTF-8 and SQLite cannot hold."""
    return str(cell).replace("\x00", "?").encode("utf-8", errors="replace").decode("utf-8")
