"""Layers in formats that the program itself never opens: read by GDAL in a process where no driver is switched off."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd

_CHILD = "import pyogrio, sys; pyogrio.read_dataframe(sys.argv[1], layer=sys.argv[2]).to_parquet(sys.argv[3])"


def read_any_layer(path: Path, layer: str) -> gpd.GeoDataFrame:
    """Return a layer as GDAL reads it, whatever its format."""
    import geopandas as gpd

    free = {name: value for name, value in os.environ.items() if name != "OGR_SKIP"}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "layer.parquet"
        subprocess.run([sys.executable, "-c", _CHILD, str(path), layer, str(target)], check=True, env=free)
        return gpd.read_parquet(target)
