from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely

from geodata.isochrones import compute_isochrones
from geodata.network import build_network
from geodata.osm import read_osm_roads
from geodata.road_classes import read_road_classes
from geodata.road_table import build_road_table
from tests.geodata.drawn_roads import both_ways, build_arcs

# A cross of two streets of 4 km, a node every 100 m, walked at 1 m/s; a school in the middle.
ARMS = [(x * 100.0, 0.0) for x in range(-20, 21)] + [(0.0, y * 100.0) for y in range(-20, 21) if y]
NORTH = [20, *range(61, 81)]
SOUTH = [20, *range(60, 40, -1)]
PAIRS = [*zip(range(40), range(1, 41), strict=True), *pairwise(NORTH)]
CROSS = build_arcs(ARMS, both_ways([*PAIRS, *pairwise(SOUTH)]))


def test_bands_follow_the_streets() -> None:
    bands = compute_isochrones(CROSS, [0.0], [0.0], bands_min=(10, 20), cell_m=25)
    assert bands["max_min"].tolist() == [10, 20]
    assert bands["min_min"].tolist() == [0, 10]
    near, far = bands.geometry
    for distance, shape in ((500, near), (900, far)):
        for x, y in ((distance, 0), (-distance, 0), (0, distance), (0, -distance)):
            assert shape.contains(shapely.Point(x, y))
    # 424 m from the school as the crow flies, but 300 m along the street and 300 m off it (4 km/h): 9.5 min.
    assert near.contains(shapely.Point(280, 280))
    assert not near.contains(shapely.Point(400, 400))


def test_the_area_is_that_of_hand_work() -> None:
    # Corners at 600 m along the streets; from s metres along a street one may leave it and walk (600 - s) x 1.11 m.
    # So the shape holds the square with those corners, and lies within a circle of 667 m.
    (near,) = compute_isochrones(CROSS, [0.0], [0.0], bands_min=(10,), cell_m=10).geometry
    assert 2 * 600**2 * 0.97 < near.area < np.pi * 667**2


def test_bands_share_borders_and_do_not_overlap() -> None:
    bands = compute_isochrones(CROSS, [0.0, 1500.0], [0.0, 0.0], bands_min=(5, 10, 15, 20), cell_m=50)
    assert bands.is_valid.all()
    union = shapely.union_all(bands.geometry.to_numpy())
    assert union.area == pytest.approx(bands.area.sum(), rel=1e-9)
    assert len(shapely.get_parts(union)) == 1
    assert not shapely.get_interior_ring(shapely.get_parts(union)[0], 0)


def test_a_band_that_nobody_is_in_is_left_out() -> None:
    short = build_arcs([(0, 0), (30, 0)], both_ways([(0, 1)]))
    bands = compute_isochrones(short, [0.0], [0.0], bands_min=(5, 10, 15, 1000), cell_m=50)
    assert bands["max_min"].is_monotonic_increasing
    assert bands["max_min"].iloc[0] == 5


def test_one_way_roads_show_on_the_side_that_leads_to_school() -> None:
    # Cars drive 0 -> 1 only; the school is at 1. Behind the school only those on foot come back.
    road = build_arcs([(0, 0), (6000, 0), (12_000, 0)], [(0, 1), (1, 2)], mode="drive", m_per_s=10)
    shape = shapely.union_all(compute_isochrones(road, [6000.0], [0.0], bands_min=(10,)).geometry.to_numpy())
    assert shape.contains(shapely.Point(2000, 0))
    assert not shape.contains(shapely.Point(8000, 0))


def test_bands_must_rise() -> None:
    for bands in ((), (10, 5), (0, 5)):
        with pytest.raises(ValueError, match="rising"):
            compute_isochrones(CROSS, [0.0], [0.0], bands_min=bands)


@pytest.mark.real
def test_porto_alegre_is_drawn(cases: Path) -> None:
    roads = build_road_table(read_osm_roads(cases / "porto_alegre_r5r/poa_osm.pbf"), "EPSG:32722", read_road_classes())
    network = build_network(roads, "walk")
    chosen = np.arange(0, network.n_nodes, 300)
    bands = compute_isochrones(network, network.x_m[chosen], network.y_m[chosen], crs="EPSG:32722")
    assert bands.crs == "EPSG:32722"
    assert bands.is_valid.all()
    assert bands["max_min"].tolist() == [5, 10, 15, 20, 30]
