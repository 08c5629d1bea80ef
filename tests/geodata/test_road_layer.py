"""Roads from layers of lines: how lines become a graph, and what their columns mean."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.errors import CrsError, DataError, GeometryError
from geodata.network import build_network
from geodata.road_classes import read_road_classes
from geodata.road_layer import read_road_layer
from geodata.road_layer_columns import read_road_columns
from geodata.road_table import RoadTable
from geodata.study_file import RoadsSource

CRS = "EPSG:32649"
Lines = Sequence[Sequence[tuple[float, float]]]
X, Y = 500_000.0, 3_800_000.0


def write(folder: Path, lines: Lines, *, name: str = "roads.gpkg", **columns: Any) -> Path:
    shapes = [shapely.LineString([(X + x, Y + y) for x, y in line]) for line in lines]
    gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS).to_file(folder / name)
    return folder / name


def read(path: Path, snap_m: float = 1.0, **source: Any) -> RoadTable:
    return read_road_layer(path, RoadsSource(path=path.name, snap_m=snap_m, **source), CRS, read_road_classes())


def parts(table: RoadTable) -> int:
    return build_network(table, "walk").parts


CROSS = [[(0, 0), (200, 0)], [(100, -100), (100, 100)]]


@pytest.mark.parametrize(
    ("lines", "snap_m", "expected"),
    [
        ([[(0, 0), (100, 0)], [(100, 0), (200, 50)]], 0.0, 1),  # ends meet
        ([[(0, 0), (100, 0)], [(100.7, 0), (200, 50)]], 1.0, 1),  # nearly
        ([[(0, 0), (100, 0)], [(101.5, 0), (200, 50)]], 1.0, 2),  # not near enough
        ([[(0, 0), (200, 0)], [(100, 0.6), (100, 90)]], 1.0, 1),  # an end beside the inside of a line
        ([[(0, 0), (200, 0)], [(100, 0), (100, 90)]], 0.0, 1),  # an end on the inside, no vertex, no snapping
        ([[(0, 0), (100, 0), (200, 0)], [(100, -50), (100, 0), (100, 90)]], 0.0, 1),  # a vertex of both
        (CROSS, 1.0, 1),  # crossings without vertices are the rule in this layer
        ([[(0, 0), (100, 0)], [(100.8, 0), (101.6, 0)], [(101.7, 0), (200, 0)]], 1.0, 1),  # a line shorter than snap
    ],
)
def test_what_meets(tmp_path: Path, lines: Lines, snap_m: float, expected: int) -> None:
    assert parts(read(write(tmp_path, lines), snap_m)) == expected


def test_bridges_and_expressways_only_cross(tmp_path: Path) -> None:
    assert parts(read(write(tmp_path, CROSS, bridge=["yes", "no"]))) == 2
    assert parts(read(write(tmp_path, CROSS, 层级=[1, 0], name="a.gpkg"))) == 2
    table = read(write(tmp_path, CROSS, 道路等级=["高速公路", "国道"], name="b.gpkg"))
    assert len(np.unique(np.concatenate([table.tail, table.head]))) == 4
    # a vertex in both at the same place is no junction either where the levels differ
    shared = [[(0, 0), (100, 0), (200, 0)], [(100, -50), (100, 0), (100, 90)]]
    assert parts(read(write(tmp_path, shared, bridge=["T", "F"], name="c.gpkg"))) == 2
    # but a bridge that ends on a road does
    assert parts(read(write(tmp_path, [[(0, 0), (200, 0)], [(100, 0), (100, 90)]], bridge=["no", "yes"]))) == 2
    assert (
        parts(read(write(tmp_path, [[(0, 0), (100, 0), (200, 0)], [(100, 0), (100, 90)]], bridge=["no", "yes"]))) == 1
    )


def test_a_layer_with_vertices_at_its_junctions_crosses_on_bridges_only(tmp_path: Path) -> None:
    grid = [[(x, 100 * y) for x in range(0, 501, 100)] for y in range(6)]
    grid += [[(100 * x, y) for y in range(0, 501, 100)] for x in range(6)]
    over = [(-50.0, 50.0), (550.0, 50.0)]
    table = read(write(tmp_path, [*grid, over]))
    assert parts(table) == 2
    assert "At 6 places lines cross without meeting" in " ".join(str(issue) for issue in table.issues)


def test_gaps_are_told_with_their_place(tmp_path: Path) -> None:
    table = read(write(tmp_path, [[(0, 0), (100, 0)], [(108, 0), (200, 0)]]))
    misses = [issue for issue in table.issues if issue.check == "road_near_miss"]
    assert len(misses) == 2 and misses[0].severity == "warning" and "8.0 m" in str(misses[0].problem)
    assert misses[0].lon_deg == pytest.approx(111.0, abs=0.01) and misses[0].row in (1, 2)
    assert not [i for i in read(tmp_path / "roads.gpkg", 10.0).issues if i.check == "road_near_miss"]


def test_lines_that_stand_twice_are_taken_once(tmp_path: Path) -> None:
    line = [(0.0, 0.0), (100.0, 0.0)]
    table = read(write(tmp_path, [line, line, line[::-1], [(100, 0), (150, 0)]]))
    assert table.length_m.sum() == pytest.approx(150 / 0.9996, rel=1e-4)
    assert "2 lines" in str(next(issue for issue in table.issues if issue.check == "road_doubled").problem)
    # two one-way lines against each other are both ways of a road
    table = read(write(tmp_path, [line, line[::-1]], oneway=["yes", "yes"], name="b.gpkg"))
    assert len(build_network(table, "drive").head) == 2


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("oneway", ["yes", "-1", "no", None]),
        ("ONEWAY", ["F", "T", "B", ""]),
        ("通行方向", ["顺向", "逆向", "双向", ""]),
        ("direction", [2, 3, 1, 0]),
        ("oneway", ["true", "reverse", "false", None]),
    ],
)
def test_directions_in_every_code(tmp_path: Path, header: str, words: list[object]) -> None:
    ring = [[(0, 0), (100, 0)], [(100, 100), (100, 0)], [(100, 100), (0, 100)], [(0, 100), (0, 0)]]
    table = read(write(tmp_path, ring, **{header: words}))  # type: ignore[arg-type]
    bits = table.way_access
    assert [bool(bit & 16) for bit in bits] == [True, False, True, True]
    assert [bool(bit & 32) for bit in bits] == [False, True, True, True]
    assert (bits & 3 == 3).all()  # people walk both ways


def test_true_and_false_are_no_directions(tmp_path: Path) -> None:
    table = read(write(tmp_path, [[(0, 0), (9, 0)], [(9, 0), (9, 9)]], oneway=["T", "F"]))
    assert [bool(bit & 32) for bit in table.way_access] == [False, True]


def test_columns_and_words_of_the_study_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [[(0, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (300, 0)]],
        DLDJ=["甲", "省道", "怪"],
        LM=["一路", "", "三路"],
        限速=["30", "60 km/h", "fast"],
    )
    source: Any = {"columns": {"road_class": "DLDJ", "name": "LM"}, "values": {"road_class": {"甲": "residential"}}}
    table = read(path, **source)
    classes = [table.classes[number].name for number in table.way_class]
    assert classes == ["residential", "primary", "road"]
    assert [table.names[number] for number in table.way_name] == ["一路", "", "三路"]
    assert table.way_max_speed_kmh[:2].tolist() == [30, 60] and np.isnan(table.way_max_speed_kmh[2])
    told = {issue.check: issue for issue in table.issues}
    assert told["road_words"].found == "怪" and told["road_words"].row == 3 and told["road_speed"].found == "fast"
    with pytest.raises(DataError, match="nowhere"):
        read(path, columns={"road_class": "nowhere"})
    with pytest.raises(DataError, match="motorwey"):
        read(path, values={"road_class": {"甲": "motorwey"}})


def test_a_word_is_told_once_however_often_it_stands(tmp_path: Path) -> None:
    lines = [[(float(x), 0.0), (x + 1.0, 0.0)] for x in range(300)]
    issues = [i for i in read(write(tmp_path, lines, 道路等级=["奇怪"] * 300)).issues if i.check == "road_words"]
    assert len(issues) == 1 and "300 rows" in str(issues[0].problem)


@pytest.mark.parametrize("name", ["roads.shp", "roads.geojson"])
def test_other_formats_and_systems(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, CROSS)
    gpd.read_file(path).to_crs(4326 if name.endswith("geojson") else 4547).to_file(tmp_path / name)
    table = read(tmp_path / name)
    assert parts(table) == 1 and table.x_m.min() == pytest.approx(X, abs=0.01)


def test_what_is_no_road_layer(tmp_path: Path) -> None:
    points = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(X, Y)], crs=CRS)
    points.to_file(tmp_path / "p.gpkg")
    with pytest.raises(GeometryError, match="no line"):
        read(tmp_path / "p.gpkg")
    write(tmp_path, CROSS, name="n.shp")
    (tmp_path / "n.prj").unlink()
    with pytest.raises(CrsError):
        read(tmp_path / "n.shp")
    assert parts(read(tmp_path / "n.shp", crs=CRS)) == 1


def test_a_road_drawn_in_tiny_bits_is_not_folded_up(tmp_path: Path) -> None:
    bits = [[(0.4 * at, 0.0), (0.4 * at + 0.4, 0.0)] for at in range(250)]
    table = read(write(tmp_path, bits), 1.0)
    assert parts(table) == 1 and table.length_m.sum() == pytest.approx(100, rel=1e-2)


def test_a_local_grid_keeps_its_own_metres(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.LineString([(0, 0), (300, 400)])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # without a CRS, as meant
        frame.to_file(tmp_path / "local.gpkg")
    table = read_road_layer(tmp_path / "local.gpkg", RoadsSource(path="local.gpkg"), "local", read_road_classes())
    assert table.length_m.sum() == pytest.approx(500, abs=1e-6)


def test_the_order_of_drawing_is_no_level(tmp_path: Path) -> None:
    """QGIS and GDAL write ``z_order`` by the class of the road; roads of two classes still meet."""
    lines = [[(0, 0), (100, 0), (200, 0)], [(100, -50), (100, 0), (100, 90)]]
    assert parts(read(write(tmp_path, lines, highway=["primary", "residential"], z_order=[7, 3]))) == 1


def test_other_tags_of_an_osm_layer_are_read(tmp_path: Path) -> None:
    tags = ['"oneway"=>"yes","lanes"=>"2"', '"bridge"=>"yes","layer"=>"1"', '"junction"=>"roundabout"', None]
    lines = [
        [(0, 0), (100, 0), (200, 0)],
        [(100, -50), (100, 0), (100, 90)],
        [(0, 500), (9, 500)],
        [(0, 900), (9, 900)],
    ]
    source = RoadsSource(path="roads.gpkg")
    layer = gpd.read_file(write(tmp_path, lines, highway=["primary"] * 4, other_tags=tags))
    columns = read_road_columns(layer, "roads.gpkg", source)
    assert columns.oneway.tolist() == ["yes", "no", "yes", "no"]
    assert columns.level.tolist() == [0, 1, 0, 0] and columns.tells_levels
    assert not columns.issues


@pytest.mark.parametrize(("words", "oneway", "told"), [(["F"], "no", 0), (["1"], "yes", 1), (["1", "0", "0"], "no", 0)])
def test_a_column_that_makes_nearly_all_lines_one_way_is_doubted(
    tmp_path: Path, words: list[str], oneway: str, told: int
) -> None:
    lines = [[(10.0 * at, 0), (10.0 * at + 5, 0)] for at in range(30)]
    layer = gpd.read_file(write(tmp_path, lines, highway=["primary"] * 30, oneway=words * (30 // len(words))))
    columns = read_road_columns(layer, "roads.gpkg", RoadsSource(path="roads.gpkg"))
    assert columns.oneway[-1] == oneway
    assert [issue.check for issue in columns.issues] == ["road_words"] * told
