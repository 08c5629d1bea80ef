from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geodata.errors import NetworkError
from geodata.network import build_basemap, build_network, build_road_report, compute_curve_position
from geodata.osm import read_osm_roads
from geodata.road_classes import read_road_classes
from geodata.road_table import RoadTable, build_road_table
from geodata.study import RoadNetwork
from tests.geodata.drawn_roads import read_table, write_osm

D = 0.001
LINE = {number: (number * D, 0.0) for number in range(1, 7)}


def arcs(network: RoadNetwork) -> set[tuple[int, int]]:
    """The arcs by the thousandths of a degree that the nodes lie at."""
    place = np.rint(network.x_m / 111.195).astype(int)
    tail = np.repeat(np.arange(network.n_nodes), np.diff(network.start))
    return {(int(place[a]), int(place[b])) for a, b in zip(tail, network.head, strict=True)}


def test_one_way_streets_bind_cars_not_people(tmp_path: Path) -> None:
    ways = [([1, 2], {"highway": "residential", "oneway": "yes"}), ([2, 3, 1], {"highway": "residential"})]
    roads = read_table(write_osm(tmp_path / "a.osm", LINE, ways))
    assert (2, 1) not in arcs(build_network(roads, "drive"))
    assert (2, 1) in arcs(build_network(roads, "walk"))


def test_a_one_way_dead_end_is_cut_off_for_cars(tmp_path: Path) -> None:
    # 1 - 2 - 3 both ways; 3 -> 4 one way: a car that goes to 4 never comes back.
    ways = [([1, 2, 3], {"highway": "residential"}), ([3, 4], {"highway": "residential", "oneway": "yes"})]
    roads = read_table(write_osm(tmp_path / "a.osm", LINE, ways))
    drive, walk = build_network(roads, "drive"), build_network(roads, "walk")
    assert drive.n_nodes == 3
    assert drive.kept_share == pytest.approx(2 / 3)
    assert walk.n_nodes == 4
    assert walk.kept_share == 1.0


def test_the_longest_part_is_kept_and_parts_are_counted(tmp_path: Path) -> None:
    ways = [([1, 2, 3], {"highway": "residential"}), ([5, 6], {"highway": "residential"})]
    network = build_network(read_table(write_osm(tmp_path / "a.osm", LINE, ways)), "walk")
    assert network.n_nodes == 3
    assert network.parts == 2
    assert network.kept_share == pytest.approx(2 / 3)


def test_a_barrier_stops_at_its_node_only(tmp_path: Path) -> None:
    # 1 - 2 -#3#- 4: cars keep 1-2-3 (222 m), the piece 3-4 is cut off, people walk through.
    path = write_osm(
        tmp_path / "a.osm", LINE, [([1, 2, 3, 4], {"highway": "residential"})], node_tags={3: {"barrier": "bollard"}}
    )
    roads = read_table(path)
    drive = build_network(roads, "drive")
    assert arcs(drive) == {(1, 2), (2, 1), (2, 3), (3, 2)}
    assert drive.parts == 2
    assert build_network(roads, "walk").n_nodes == 4


def test_expressways_carry_cars_and_take_nobody_in(tmp_path: Path) -> None:
    ways = [
        ([1, 2], {"highway": "motorway", "oneway": "no"}),
        ([2, 3], {"highway": "motorway_link", "oneway": "no"}),
        ([3, 4], {"highway": "primary"}),
    ]
    roads = read_table(write_osm(tmp_path / "a.osm", LINE, ways))
    drive = build_network(roads, "drive")
    assert drive.enterable is not None
    assert drive.enterable.sum() == 2
    assert build_network(roads, "walk").n_nodes == 2


def test_speeds_come_from_class_limit_and_override(tmp_path: Path) -> None:
    ways = [
        ([1, 2], {"highway": "primary"}),
        ([2, 3], {"highway": "primary", "maxspeed": "20"}),
        ([3, 4], {"highway": "primary", "maxspeed": "100"}),
        ([4, 5], {"highway": "path", "bicycle": "designated"}),
        ([5, 6], {"highway": "path", "bicycle": "dismount"}),
    ]
    roads = read_table(write_osm(tmp_path / "a.osm", LINE, ways))

    def kmh(network: RoadNetwork) -> dict[int, float]:
        tail = np.repeat(np.arange(network.n_nodes), np.diff(network.start))
        place = np.rint(network.x_m / 111.195).astype(int)
        speed = network.length_m / network.time_s * 3.6
        return {int(place[a]): round(float(v), 3) for a, b, v in zip(tail, network.head, speed, strict=True) if b > a}

    assert kmh(build_network(roads, "drive")) == {1: 50.0, 2: 20.0, 3: 50.0}
    assert kmh(build_network(roads, "drive", speeds={"primary": 36}))[1] == 36.0
    assert kmh(build_network(roads, "bicycle"))[4] == 12.0
    assert kmh(build_network(roads, "bicycle"))[5] == 4.0
    assert kmh(build_network(roads, "walk"))[1] == 4.0


def test_a_mode_without_roads_is_told(tmp_path: Path) -> None:
    roads = read_table(write_osm(tmp_path / "a.osm", LINE, [([1, 2], {"highway": "steps"})]))
    with pytest.raises(NetworkError, match="mode drive"):
        build_network(roads, "drive")


def test_the_basemap_joins_ways_of_one_name(tmp_path: Path) -> None:
    ways = [
        ([1, 2], {"highway": "primary", "name": "A"}),
        ([2, 3], {"highway": "primary", "name": "A"}),
        ([3, 4], {"highway": "primary", "name": "B"}),
        ([4, 5], {"highway": "construction", "name": "C"}),
    ]
    basemap = build_basemap(read_table(write_osm(tmp_path / "a.osm", LINE, ways)), None)
    assert basemap.roads["name"].tolist() == ["A", "B"]
    assert basemap.roads["road_class"].tolist() == ["primary", "primary"]
    assert basemap.roads.geometry.geom_type.tolist() == ["LineString", "LineString"]
    assert basemap.roads.length.round().tolist() == [222.0, 111.0]
    assert list(basemap.water.columns) == ["kind", "name", "geometry"]
    assert build_basemap(None, None).roads.empty


def test_the_report_counts_kilometres(tmp_path: Path) -> None:
    ways = [([1, 2, 3], {"highway": "primary"}), ([3, 4], {"highway": "steps"})]
    roads = read_table(write_osm(tmp_path / "a.osm", LINE, ways))
    report = build_road_report(roads, {"walk": build_network(roads, "walk"), "drive": build_network(roads, "drive")})
    length = report.set_index(["mode", "road_class"])["length_km"].round(3).to_dict()
    assert length == {
        ("all", "primary"): 0.223,
        ("all", "steps"): 0.111,
        ("walk", "primary"): 0.223,
        ("walk", "steps"): 0.111,
        ("drive", "primary"): 0.223,
    }


def test_neighbours_on_the_curve_are_neighbours_on_the_ground() -> None:
    x, y = (grid.ravel().astype(float) for grid in np.meshgrid(np.arange(16), np.arange(16)))
    order = np.argsort(compute_curve_position(x, y))
    steps = np.hypot(np.diff(x[order]), np.diff(y[order]))
    assert steps.mean() < 2.0
    assert len(np.unique(compute_curve_position(x, y))) == 256


@pytest.fixture(scope="module")
def porto_alegre(cases: Path) -> RoadTable:
    raw = read_osm_roads(cases / "porto_alegre_r5r/poa_osm.pbf")
    return build_road_table(raw, "EPSG:32722", read_road_classes())


@pytest.mark.real
def test_porto_alegre_has_the_roads_of_the_reference(porto_alegre: RoadTable) -> None:
    """The reference: 37,667 nodes, 77 parts, 98.1 % in the largest, 1,819 km; it lets nobody walk on cycleways."""
    walk = build_network(porto_alegre, "walk")
    assert walk.n_nodes == pytest.approx(37_667 * 0.981, rel=0.02)
    assert 50 <= walk.parts <= 90
    assert walk.kept_share > 0.97
    assert walk.length_m.sum() / 2000 == pytest.approx(1819, rel=0.02)
    assert build_network(porto_alegre, "drive").kept_share > 0.95


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "crs", "nodes"),
    [
        ("liechtenstein/liechtenstein-2013-08-03_debian_osm2pgsql.osm.pbf", "EPSG:32632", (27_834, 10_372)),
        ("monaco/monaco-2016-03_osrm_bindings.osm.pbf", "EPSG:32632", (24_381, 13_405)),
        ("sao_paulo_r5r/spo_osm.pbf", "EPSG:32723", (19_882, 16_237)),
    ],
)
def test_real_networks_connect(cases: Path, file: str, crs: str, nodes: tuple[int, int]) -> None:
    """``nodes``: what another reader found for walking; driving differs by its treatment of tracks and services."""
    roads = build_road_table(read_osm_roads(cases / file), crs, read_road_classes())
    walk, drive = build_network(roads, "walk"), build_network(roads, "drive")
    assert walk.n_nodes == pytest.approx(nodes[0], rel=0.1)
    assert drive.n_nodes > nodes[1] * 0.85
    assert walk.kept_share > 0.9
    assert drive.kept_share > 0.8
