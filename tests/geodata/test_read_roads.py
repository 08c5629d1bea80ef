from __future__ import annotations

import pickle
import socket
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.errors import CrsError, DataError, NetworkError, RangeError
from geodata.graphml import read_graphml
from geodata.read_roads import convert_osmnx_graph, download_roads, read_roads
from geodata.road_access import (
    BACKWARD,
    BLOCKER,
    FORWARD,
    compute_max_speed,
    compute_node_blocks,
    compute_way_access,
)
from geodata.road_classes import TABLE, read_road_classes
from geodata.road_table import build_road_table
from geodata.study import MODES
from geodata.study_file import RoadsSource, StudySpec
from tests.geodata.drawn_roads import read_table, write_osm

NODES = {1: (0.0, 0.0), 2: (0.001, 0.0), 3: (0.002, 0.0)}


def access(**tags: str) -> str:
    """Say who may go where: "w< w>" and so on, forward first."""
    data = {key.replace("__", ":"): value for key, value in tags.items()}
    bits = int(compute_way_access(pd.DataFrame([data]), read_road_classes())[0])
    words = []
    for mode in MODES:
        arrows = (">" if bits & FORWARD[mode] else "") + ("<" if bits & BACKWARD[mode] else "")
        if arrows:
            words.append(mode[0] + arrows)
    return " ".join(words)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "residential"}, "w>< b>< d><"),
        ({"highway": "residential", "oneway": "yes"}, "w>< b> d>"),
        ({"highway": "residential", "oneway": "-1"}, "w>< b< d<"),
        ({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}, "w>< b>< d>"),
        ({"highway": "residential", "oneway": "yes", "cycleway": "opposite_lane"}, "w>< b>< d>"),
        ({"highway": "residential", "junction": "roundabout"}, "w>< b> d>"),
        ({"highway": "residential", "junction": "roundabout", "oneway": "no"}, "w>< b>< d><"),
        ({"highway": "motorway"}, "d>"),
        ({"highway": "motorway", "oneway": "no"}, "d><"),
        ({"highway": "trunk", "motorroad": "yes"}, "d><"),
        ({"highway": "trunk", "motorroad": "yes", "foot": "yes"}, "w>< d><"),
        ({"highway": "footway"}, "w>< b><"),
        ({"highway": "footway", "access": "yes"}, "w>< b><"),
        ({"highway": "footway", "bicycle": "no"}, "w><"),
        ({"highway": "footway", "motor_vehicle": "yes"}, "w>< b><"),
        ({"highway": "pedestrian", "motor_vehicle": "destination"}, "w>< b>< d><"),
        ({"highway": "steps"}, "w><"),
        ({"highway": "steps", "bicycle": "yes"}, "w><"),
        ({"highway": "cycleway"}, "b><"),
        ({"highway": "cycleway", "foot": "designated"}, "w>< b><"),
        ({"highway": "service", "access": "private"}, ""),
        ({"highway": "service", "access": "private", "foot": "yes"}, "w><"),
        ({"highway": "service", "access": "no", "bicycle": "yes"}, "b><"),
        ({"highway": "track", "motor_vehicle": "agricultural"}, "w>< b><"),
        ({"highway": "track", "vehicle": "no"}, "w><"),
        ({"highway": "residential", "motor_vehicle": "no", "motorcar": "yes"}, "w>< b>< d><"),
        ({"highway": "residential", "access": "destination"}, "w>< b>< d><"),
        ({"highway": "pedestrian", "area": "yes"}, ""),
        ({"highway": "construction"}, ""),
        ({"highway": "footway", "oneway": "yes"}, "w>< b><"),
    ],
)
def test_who_may_go_where(tags: dict[str, str], expected: str) -> None:
    assert access(**{key.replace(":", "__"): value for key, value in tags.items()}) == expected


@pytest.mark.parametrize(
    ("tags", "stopped"),
    [
        ({"barrier": "bollard"}, "drive"),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, ""),
        ({"barrier": "gate"}, ""),
        ({"barrier": "gate", "access": "private"}, "walk bicycle drive"),
        ({"barrier": "gate", "access": "private", "foot": "yes"}, "bicycle drive"),
        ({"barrier": "lift_gate", "vehicle": "no"}, "bicycle drive"),
        ({"barrier": "stile"}, "bicycle drive"),
        ({"barrier": "wall"}, "walk bicycle drive"),
        ({"barrier": "kerb"}, ""),
    ],
)
def test_what_stops_whom(tags: dict[str, str], stopped: str) -> None:
    bits = int(compute_node_blocks(pd.DataFrame([tags]))[0])
    assert " ".join(mode for mode in MODES if bits & BLOCKER[mode]) == stopped


def test_speed_limits_are_read() -> None:
    words = ["50", "30 mph", "50;70", "walk", "CN:urban", "", "none", "0", "80 km/h"]
    found = compute_max_speed(pd.DataFrame({"maxspeed": words}))
    np.testing.assert_allclose(found, [50, 48.28, 50, 7, np.nan, np.nan, np.nan, np.nan, 80], atol=0.01)


def test_lengths_are_metres_on_the_ellipsoid(tmp_path: Path) -> None:
    roads = read_table(write_osm(tmp_path / "a.osm", NODES, [([1, 2, 3], {"highway": "residential"})]))
    # One thousandth of a degree of the equator: 6,378,137 m x pi / 180,000.
    np.testing.assert_allclose(roads.length_m, 111.3195, atol=1e-3)


def test_names_fall_back_to_chinese_and_number(tmp_path: Path) -> None:
    ways = [
        ([1, 2], {"highway": "primary", "name": "人民路", "ref": "G310"}),
        ([1, 3], {"highway": "primary", "name:zh": "学府路"}),
        ([2, 3], {"highway": "primary", "ref": "G310"}),
        ([2, 3], {"highway": "service"}),
    ]
    roads = read_table(write_osm(tmp_path / "a.osm", NODES, ways))
    assert [roads.names[code] for code in roads.way_name] == ["人民路", "学府路", "G310", ""]


def test_a_road_table_survives_pickling(tmp_path: Path) -> None:
    roads = read_table(write_osm(tmp_path / "a.osm", NODES, [([1, 2, 3], {"highway": "residential"})]))
    again = pickle.loads(pickle.dumps(roads))
    assert not again.x_m.flags.writeable
    assert again.classes == roads.classes
    np.testing.assert_array_equal(again.length_m, roads.length_m)


def test_the_class_table_is_complete() -> None:
    classes = read_road_classes()
    assert classes["motorway"].allowed == {"walk": False, "bicycle": False, "drive": True}
    for item in classes.values():
        assert item.meaning_en
        assert item.meaning_zh
        assert item.note or item.name in ("footway",)
        for mode in MODES:
            assert not item.allowed[mode] or item.speed_kmh[mode] > 0


def test_own_speeds_override_the_table(tmp_path: Path) -> None:
    own = tmp_path / "speeds.csv"
    head, *rows = TABLE.read_text(encoding="utf-8").splitlines()
    row = next(line for line in rows if line.startswith("primary,"))
    own.write_text(head + "\n" + row.replace(",50,", ",42.5,") + "\n", encoding="utf-8")
    write_osm(tmp_path / "a.osm", NODES, [([1, 2, 3], {"highway": "primary"})])
    spec = StudySpec("t", roads=RoadsSource(path="a.osm", speeds="speeds.csv"), folder=tmp_path)
    classes = {item.name: item for item in read_roads(spec, "local").classes}
    assert classes["primary"].speed_kmh["drive"] == 42.5
    assert classes["secondary"].speed_kmh["drive"] == 40


def test_wrong_speeds_are_all_told(tmp_path: Path) -> None:
    own = tmp_path / "speeds.csv"
    head = "road_class,group,walk,bicycle,drive,walk_kmh,bicycle_kmh,drive_kmh\n"
    own.write_text(head + "primary,main,yes,yes,maybe,4,12,500\nprimray,main,yes,yes,yes,4,12,x\n", encoding="utf-8")
    with pytest.raises(RangeError) as caught:
        read_road_classes(own)
    assert [(issue.row, issue.column) for issue in caught.value.issues] == [
        (2, "drive"), (2, "drive_kmh"), (3, "road_class"), (3, "drive_kmh"),
    ]  # fmt: skip


def test_a_study_without_roads_or_with_a_strange_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names no roads"):
        read_roads(StudySpec("t"), "local")
    with pytest.raises(DataError, match="not known"):
        read_roads(StudySpec("t", roads=RoadsSource(path="roads.dwg"), folder=tmp_path), "local")


GRAPHML = """<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="d0" for="graph" attr.name="crs"/>
<key id="d1" for="node" attr.name="x"/><key id="d2" for="node" attr.name="y"/>
<key id="d3" for="edge" attr.name="highway"/><key id="d4" for="edge" attr.name="length"/>
<key id="d5" for="edge" attr.name="geometry"/><key id="d6" for="edge" attr.name="osmid"/>
<key id="d7" for="edge" attr.name="name"/>
<graph edgedefault="directed"><data key="d0">epsg:4326</data>
<node id="11"><data key="d1">0.0</data><data key="d2">0.0</data></node>
<node id="12"><data key="d1">0.002</data><data key="d2">0.0</data></node>
<node id="13"><data key="d1">0.003</data><data key="d2">0.0</data></node>
<edge source="11" target="12" id="0"><data key="d3">['residential', 'service']</data><data key="d4">250.0</data>
<data key="d5">LINESTRING (0 0, 0.001 0.001, 0.002 0)</data><data key="d6">[5, 6]</data>
<data key="d7">A &amp; B</data></edge>
<edge source="12" target="11" id="0"><data key="d3">['residential', 'service']</data><data key="d4">250.0</data>
<data key="d5">LINESTRING (0.002 0, 0.001 0.001, 0 0)</data><data key="d6">[6, 5]</data>
<data key="d7">A &amp; B</data></edge>
<edge source="12" target="13" id="0"><data key="d3">primary</data><data key="d4">111.0</data>
<data key="d6">7</data></edge></graph></graphml>"""


def test_graphml_of_osmnx_is_read(tmp_path: Path) -> None:
    (tmp_path / "g.graphml").write_text(GRAPHML, encoding="utf-8")
    spec = StudySpec("t", roads=RoadsSource(path="g.graphml"), folder=tmp_path)
    roads = read_roads(spec, "local")
    assert roads.n_nodes == 4  # the bend became a node
    assert roads.n_edges == 3  # both directions of the first street are one way of two pieces
    assert [roads.names[code] for code in roads.way_name] == ["A & B", ""]
    street, main = (int(bits) for bits in roads.way_access)
    assert street & FORWARD["drive"]
    assert street & BACKWARD["drive"]
    assert main & FORWARD["drive"]
    assert not main & BACKWARD["drive"]
    assert main & BACKWARD["walk"]


def test_graphml_bombs_and_other_files_are_refused(tmp_path: Path) -> None:
    bomb = GRAPHML.replace("<graphml", '<!DOCTYPE g [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><graphml', 1)
    for name, text in (("bomb", bomb), ("cut", GRAPHML[:900]), ("html", "<html><body></body></html>")):
        path = tmp_path / f"{name}.graphml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError):
            build_road_table(read_graphml(path), "local", read_road_classes())
    (tmp_path / "projected.graphml").write_text(GRAPHML.replace("epsg:4326", "epsg:32649"), encoding="utf-8")
    with pytest.raises(CrsError, match="projected"):
        read_graphml(tmp_path / "projected.graphml")


def test_an_osmnx_graph_converts_like_its_file(tmp_path: Path) -> None:
    networkx = pytest.importorskip("networkx")
    graph = networkx.MultiDiGraph(crs="epsg:4326")
    graph.add_node(1, x=0.0, y=0.0)
    graph.add_node(2, x=0.001, y=0.0, barrier="bollard")
    for tail, head in ((1, 2), (2, 1)):
        graph.add_edge(tail, head, highway=["residential"], length=111.0, osmid=5, oneway=False)
    roads = build_road_table(convert_osmnx_graph(graph), "local", read_road_classes())
    assert roads.n_edges == 1
    assert roads.node_blocks.tolist() == [0, BLOCKER["drive"]]


def test_no_internet_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    began = time.monotonic()
    with pytest.raises(NetworkError, match="no internet"):
        download_roads("Gongyi, China", timeout_s=2.0)
    assert time.monotonic() - began < 15


def test_a_silent_server_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(*_: object, **__: object) -> None:
        time.sleep(5)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", sleep)
    began = time.monotonic()
    with pytest.raises(NetworkError, match="cannot be reached"):
        download_roads("Gongyi, China", timeout_s=0.5)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("lon", ["nan", "inf", "500000"])
def test_points_that_are_not_on_earth_are_told(tmp_path: Path, lon: str) -> None:
    text = GRAPHML.replace('<data key="d1">0.003<', f'<data key="d1">{lon}<')
    (tmp_path / "g.graphml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="no longitude and latitude on Earth"):
        build_road_table(read_graphml(tmp_path / "g.graphml"), "EPSG:32631", read_road_classes())
