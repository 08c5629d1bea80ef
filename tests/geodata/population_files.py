"""Small population files, written where a test wants them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.transform import from_origin

from geodata.study_file import PopulationSource, StudySpec, UnitsSource

CRS = "EPSG:32649"
EAST, NORTH = 500_000.0, 3_800_000.0


def write_raster(
    path: Path,
    cells: list[list[float]] | npt.NDArray[np.float64],
    *,
    cell_m: float = 100.0,
    nodata: float | None = -99999.0,
    crs: str | None = CRS,
) -> Path:
    """Write a GeoTIFF whose north-west corner is at EAST, NORTH."""
    values = np.asarray(cells, dtype=np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=values.shape[0],
        width=values.shape[1],
        count=1,
        dtype="float32",
        crs=crs,
        nodata=nodata,
        transform=from_origin(EAST, NORTH, cell_m, cell_m),
    ) as target:
        target.write(values, 1)
    return path


def write_layer(path: Path, columns: dict[str, object], shapes: object, crs: str | None = CRS) -> Path:
    """Write a GeoPackage."""
    gpd.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path, driver="GPKG")
    return path


def build_spec(folder: Path, units: UnitsSource | None = None, **population: object) -> StudySpec:
    """Return a study with one population source."""
    source = PopulationSource(**population)  # type: ignore[arg-type]
    return StudySpec(name="test", crs=CRS, population=source, units=units or UnitsSource(), folder=folder)
