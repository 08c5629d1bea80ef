"""How the demo county's tables are written: CSV for Excel, Chinese words, longitude and latitude."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from geodata.demo.terrain import CRS
from geodata.demo.ways import Points

STAGE_NAMES = {"kindergarten": "幼儿园", "primary": "小学", "junior": "初中", "senior": "高中"}


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file in UTF-8 with mark."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def convert_to_lonlat(points: Points) -> Points:
    """Return longitude and latitude in degrees (n, 2), rounded to 1e-7 as OpenStreetMap does."""
    from pyproj import Transformer

    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(points[:, 0], points[:, 1])
    return np.round(np.column_stack([lon, lat]), 7)
