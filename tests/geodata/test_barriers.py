"""Barriers and their crossings: roads and lines drawn in metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geodata.barriers import find_crossings, read_barriers
from geodata.crs import EARTH_RADIUS_M
from geodata.errors import CrsError, DataError
from geodata.osm_features import read_osm_barriers
from geodata.read_roads import read_roads
from geodata.study_file import BarriersSource, RoadsSource, StudySpec
from tests.geodata.drawn_roads import read_table, write_osm

M_PER_DEG = 3.141592653589793 * EARTH_RADIUS_M / 180
FOOT = {"highway": "residential"}
RIVER = {"waterway": "river", "name": "清河"}


def draw(
    path: Path, places: Mapping[int, tuple[float, float]], ways: Sequence[tuple[Sequence[int], Mapping[str, str]]]
) -> Path:
    """Write a road file whose nodes are given in metres from longitude 0, latitude 0."""
    return write_osm(path, {key: (x / M_PER_DEG, y / M_PER_DEG) for key, (x, y) in places.items()}, ways)


# A river runs east along y = 0 from x = 0 (node 1) over x = 500 (node 2) to x = 1000 (node 3).
LINE = {1: (0.0, 0.0), 2: (500.0, 0.0), 3: (1000.0, 0.0)}


def _cross(tmp_path: Path, places: dict[int, tuple[float, float]], *ways: tuple[Sequence[int], Mapping[str, str]]):  # type: ignore[no-untyped-def]
    """Return the crossings of roads (nodes in metres) with the line; the line's own nodes are 1 to 3."""
    table = read_table(draw(tmp_path / "r.osm", {**LINE, **places}, ways))
    line = shapely.LineString([LINE[1], LINE[2], LINE[3]])
    kinds, points = find_crossings(["river"], shapely.multilinestrings([[line]]), table)
    return [(kind, round(point.x), round(point.y)) for kind, point in zip(kinds, points, strict=True)]


def test_a_bridge_crosses_and_a_road_along_the_bank_does_not(tmp_path: Path) -> None:
    over = ([11, 12], FOOT)
    along = ([13, 14], FOOT)
    places = {11: (300.0, -50.0), 12: (310.0, 60.0), 13: (0.0, 20.0), 14: (1000.0, 20.0)}
    assert _cross(tmp_path, places, over, along) == [("river", 305, 0)]


def test_a_road_that_ends_at_the_line_does_not_cross_it(tmp_path: Path) -> None:
    places = {11: (500.0, 80.0), 12: (480.0, 90.0), 13: (500.0, -80.0)}
    assert _cross(tmp_path, places, ([11, 2], FOOT), ([12, 2], FOOT)) == []
    # A level crossing: the roads on both sides share a node with the line.
    assert _cross(tmp_path, places, ([11, 2], FOOT), ([2, 13], FOOT)) == [("river", 500, 0)]


def test_a_road_through_a_vertex_of_the_line_counts_once(tmp_path: Path) -> None:
    places = {11: (500.0, 80.0), 13: (500.0, -80.0)}
    assert _cross(tmp_path, places, ([11, 13], FOOT)) == [("river", 500, 0)]


@pytest.mark.parametrize(
    ("tags", "crosses"),
    [
        ({"highway": "footway"}, True),
        ({"highway": "motorway"}, False),
        ({"highway": "track", "foot": "no"}, False),
        ({"highway": "trunk"}, True),
        ({"highway": "trunk", "motorroad": "yes"}, False),
    ],
)
def test_only_roads_that_may_be_walked_join_the_sides(tmp_path: Path, tags: dict[str, str], crosses: bool) -> None:
    places = {11: (300.0, -50.0), 12: (300.0, 50.0), 13: (0.0, 90.0)}
    assert bool(_cross(tmp_path, places, ([11, 12], tags), ([13, 12], FOOT))) == crosses


def test_lines_of_an_osm_file(tmp_path: Path) -> None:
    places = {k: (100.0 * k, 10.0 * (k % 2)) for k in range(1, 30)}
    ways = [
        ([1, 2], RIVER),
        ([2, 3], {"waterway": "canal", "tunnel": "culvert"}),
        ([3, 4], {"waterway": "stream"}),
        ([5, 6], {"railway": "rail", "name": "铁路"}),
        ([6, 7], {"railway": "rail", "tunnel": "yes"}),
        ([7, 8], {"railway": "rail", "service": "siding"}),
        ([8, 9], {"railway": "subway"}),
        ([9, 10], {"railway": "rail", "bridge": "yes", "name": "铁路"}),
        ([11, 12, 99, 13, 14], {"waterway": "canal"}),  # node 99 lies outside the extract
    ]
    layer = read_osm_barriers(draw(tmp_path / "x.osm", places, ways))
    assert layer["kind"].tolist() == ["river", "railway", "railway", "river", "river"]
    assert layer["name"].tolist() == ["清河", "铁路", "铁路", "", ""]
    with pytest.raises(DataError):
        read_osm_barriers(tmp_path / "none.osm")


def test_roads_and_rivers_of_a_study(tmp_path: Path) -> None:
    # A river east-west, a motorway north-south with a footbridge and an end of road, a bridge over the river.
    places = {
        1: (0.0, 0.0), 2: (1000.0, 0.0),
        3: (500.0, -400.0), 4: (500.0, 400.0),
        5: (200.0, -100.0), 6: (200.0, 100.0), 7: (800.0, 100.0),
    }  # fmt: skip
    ways = [
        ([1, 2], RIVER),
        ([3, 4], {"highway": "motorway", "name": "高速"}),
        ([5, 6, 7], {"highway": "footway"}),
    ]
    draw(tmp_path / "r.osm", places, ways)
    spec = StudySpec("x", roads=RoadsSource(path="r.osm"), folder=tmp_path)
    barriers, crossings = read_barriers(spec, "local", read_roads(spec, "local"))
    rows = barriers[["kind", "name", "crossings"]].to_numpy().tolist()
    assert rows == [["river", "清河", 1], ["expressway", "高速", 1]]
    assert crossings["kind"].tolist() == ["river", "expressway"]
    assert [(round(p.x), round(p.y)) for p in crossings.geometry] == [(200, 0), (500, 100)]
    assert barriers.geometry.length.round().tolist() == [1000, 800]


def _layer(tmp_path: Path, **changes: object) -> StudySpec:
    table = gpd.GeoDataFrame(
        {"类型": ["铁路", "River"], "名称": ["甲线", None]},
        geometry=[shapely.LineString([(0, 0), (9, 9)]), shapely.LineString([(0, 5), (9, 5)])],
        crs="EPSG:32649",
    )
    table.to_file(tmp_path / "b.gpkg", layer="lines")
    source = BarriersSource("b.gpkg", **changes)  # type: ignore[arg-type]
    return StudySpec("x", barriers=source, folder=tmp_path)


def test_a_layer_of_lines(tmp_path: Path) -> None:
    barriers, crossings = read_barriers(_layer(tmp_path), "EPSG:32649", None)
    assert barriers[["kind", "name", "crossings"]].to_numpy().tolist() == [["river", "", 0], ["railway", "甲线", 0]]
    assert len(crossings) == 0
    assert str(barriers.crs) == "EPSG:32649"
    one, _ = read_barriers(_layer(tmp_path, columns={"kind": ""}, kind="other"), "EPSG:32649", None)
    assert set(one["kind"]) == {"other"}


def test_what_is_wrong_with_a_layer(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="kind"):
        read_barriers(_layer(tmp_path, columns={"kind": ""}), "EPSG:32649", None)
    dots = gpd.GeoDataFrame({"kind": ["river", "moat"]}, geometry=[shapely.Point(0, 0)] * 2)
    dots.to_file(tmp_path / "a.geojson", driver="GeoJSON")
    spec = StudySpec("x", barriers=BarriersSource("a.geojson"), folder=tmp_path)
    with pytest.raises(DataError) as caught:
        read_barriers(spec, "local", None)
    assert sorted(issue.check for issue in caught.value.issues) == ["allowed_value", "geometry", "geometry"]
    gpd.GeoDataFrame({"kind": ["river"]}, geometry=[shapely.LineString([(0, 0), (1, 1)])]).to_file(tmp_path / "n.gpkg")
    with pytest.raises(CrsError):
        read_barriers(StudySpec("x", barriers=BarriersSource("n.gpkg"), folder=tmp_path), "EPSG:32649", None)


def test_no_barriers_is_an_empty_table() -> None:
    barriers, crossings = read_barriers(StudySpec("x"), "local", None)
    assert list(barriers.columns) == ["kind", "name", "geometry", "crossings"]
    assert len(barriers) == len(crossings) == 0
