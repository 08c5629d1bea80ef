"""Layers of shapes written to files that a GIS opens."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.errors import ExportError
from geodata.messages import msg

if TYPE_CHECKING:
    import geopandas as gpd

MAX_LAYER_NAME = 60


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
