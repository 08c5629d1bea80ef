"""The middle line of water drawn as areas, and rivers of areas as barriers that bridges cross once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.barriers import read_barriers
from geodata.centrelines import draw_centrelines
from geodata.road_classes import read_road_classes
from geodata.road_layer import read_road_layer
from geodata.study_file import BarriersSource, RoadsSource, StudySpec

CRS = "EPSG:32649"
X, Y = 500_000.0, 3_800_000.0
BEND = shapely.LineString([(0, 0), (500, 100), (1000, 0), (1500, -200), (2500, 100)])


@pytest.mark.parametrize("cap", ["flat", "round"])
def test_the_middle_of_a_river_is_the_line_it_was_drawn_from(cap: Any) -> None:
    (line,) = draw_centrelines(np.array([BEND.buffer(40, cap_style=cap)], dtype=np.object_))
    assert shapely.hausdorff_distance(shapely.segmentize(line, 5), shapely.segmentize(BEND, 5)) < 45
    inner = shapely.intersection(line, BEND.buffer(30))
    assert inner.length > 0.97 * BEND.length


def test_a_round_pond_has_no_middle_worth_a_line() -> None:
    (line,) = draw_centrelines(np.array([shapely.Point(0, 0).buffer(200)], dtype=np.object_))
    assert line.is_empty


def test_a_river_of_tiles_is_crossed_once_by_each_bridge_of_a_road_layer(tmp_path: Path) -> None:
    river = shapely.transform(BEND.buffer(40, cap_style="flat"), lambda places: places + np.array([X, Y]))
    tiles = [
        shapely.intersection(river, shapely.box(X + x, Y - 900, X + x + 500, Y + 900)) for x in range(0, 2500, 500)
    ]
    gpd.GeoDataFrame({"name": ["清河"] * 5}, geometry=tiles, crs=CRS).to_file(tmp_path / "water.gpkg")
    # two bridges, and a pier that ends in the water
    lines = [[(250, -400), (250, 500)], [(1800, -600), (1800, 400)], [(1250, 500), (1250, -80)]]
    shapes = [shapely.LineString([(X + x, Y + y) for x, y in line]) for line in lines]
    gpd.GeoDataFrame({"a": [1, 2, 3]}, geometry=shapes, crs=CRS).to_file(tmp_path / "roads.gpkg")
    roads = read_road_layer(tmp_path / "roads.gpkg", RoadsSource(path="roads.gpkg"), CRS, read_road_classes())
    spec = StudySpec("t", barriers=BarriersSource(path="water.gpkg", kind="river"), folder=tmp_path)
    barriers, crossings = read_barriers(spec, CRS, roads)
    assert barriers[["kind", "name", "crossings"]].to_numpy().tolist() == [["river", "清河", 2]]
    assert sorted(round(point.x - X) for point in crossings.geometry) == [250, 1800]
