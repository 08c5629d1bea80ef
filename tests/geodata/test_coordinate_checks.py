"""Points shifted as Chinese web maps shift them are found, and others are left in peace.

The real cases lie elsewhere; here their roads and schools are laid down in China (Gongyi), metre for metre.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from geodata.coordinate_checks import check_shifted_points, find_shift, measure_sharpness
from geodata.crs import from_lonlat, shift_from_wgs84, to_lonlat
from geodata.network import build_network
from geodata.osm_features import read_osm_schools
from geodata.quality_facts import Facts
from geodata.read_roads import read_road_file
from geodata.road_classes import read_road_classes
from geodata.road_table import build_road_table
from geodata.schema import build_empty_table
from geodata.study import RoadNetwork

CRS = "EPSG:32649"
PLACE = (113.0, 34.7)


@pytest.fixture(scope="module")
def monaco(request: pytest.FixtureRequest) -> tuple[RoadNetwork, np.ndarray]:
    """The walking network of Monaco with its schools, moved to Gongyi."""
    path: Path = request.getfixturevalue("cases") / "monaco" / "monaco-2016-03_osrm_bindings.osm.pbf"
    table = build_road_table(read_road_file(path), "EPSG:32632", read_road_classes())
    network = build_network(table, "walk")
    points = read_osm_schools(path).to_crs("EPSG:32632").geometry
    schools = np.column_stack([points.x, points.y])
    middle = np.array([network.x_m.mean(), network.y_m.mean()])
    there = np.array([value[0] for value in from_lonlat([PLACE[0]], [PLACE[1]], CRS)])
    moved = {"x_m": network.x_m - middle[0] + there[0], "y_m": network.y_m - middle[1] + there[1]}
    fields = {name: getattr(network, name) for name in network.__dataclass_fields__} | moved
    return RoadNetwork(**fields), schools - middle + there


def facts(network: RoadNetwork, schools: np.ndarray, crs: str = CRS, **more: Any) -> Facts:
    import geopandas as gpd

    frame = gpd.GeoDataFrame(
        {
            "school_id": [str(number) for number in range(len(schools))],
            "name": "",
            "x_m": schools[:, 0],
            "y_m": schools[:, 1],
        },
        geometry=gpd.points_from_xy(schools[:, 0], schools[:, 1]),
        crs=crs,
    )
    tables: Any = [build_empty_table(name, crs) for name in ("places", "rolls", "units", "zones", "sites")]
    files = {"schools": "schools.csv", "roads": "roads.gpkg"}
    return Facts(frame, *tables, crs=crs, files=files, networks={"walk": network}, **more)  # type: ignore[misc]


def shift(points: np.ndarray, datum: str) -> np.ndarray:
    lon, lat = to_lonlat(points[:, 0], points[:, 1], CRS)
    return np.column_stack(from_lonlat(*shift_from_wgs84(lon, lat, datum), CRS))


def test_schools_in_their_place_are_left_in_peace(monaco: tuple[RoadNetwork, np.ndarray]) -> None:
    assert check_shifted_points(facts(*monaco)) == []


@pytest.mark.parametrize("datum", ["GCJ-02", "BD-09"])
def test_shifted_schools_are_found_and_named(monaco: tuple[RoadNetwork, np.ndarray], datum: str) -> None:
    (issue,) = check_shifted_points(facts(monaco[0], shift(monaco[1], datum)))
    assert (issue.check, issue.severity, issue.file, issue.found) == (
        "shifted_points",
        "warning",
        "schools.csv",
        "WGS 84",
    )
    assert issue.cure and dict(issue.cure.params)["crs"] == datum
    assert issue.lon_deg == pytest.approx(PLACE[0], abs=0.1)


def test_schools_said_to_be_shifted_that_are_not(monaco: tuple[RoadNetwork, np.ndarray]) -> None:
    from geodata.crs import convert_points

    lon, lat = to_lonlat(monaco[1][:, 0], monaco[1][:, 1], CRS)
    read = np.column_stack(convert_points(lon, lat, "GCJ-02", CRS))  # what reading them so makes of them
    (issue,) = check_shifted_points(facts(monaco[0], read, declared_crs={"schools": "gcj02"}))
    assert issue.found == "gcj02" and issue.cure and dict(issue.cure.params)["crs"] == "EPSG:4326"


def test_shifted_roads_are_told_from_shifted_schools(monaco: tuple[RoadNetwork, np.ndarray]) -> None:
    network, schools = monaco
    moved = shift(np.column_stack([network.x_m, network.y_m]), "GCJ-02")
    fields = {name: getattr(network, name) for name in network.__dataclass_fields__}
    drawn = RoadNetwork(**{**fields, "x_m": moved[:, 0], "y_m": moved[:, 1]})
    (issue,) = check_shifted_points(facts(drawn, schools))
    assert issue.file == "roads.gpkg" and issue.cure and dict(issue.cure.params)["crs"] == "GCJ-02"


def test_outside_china_nothing_is_asked(monaco: tuple[RoadNetwork, np.ndarray]) -> None:
    network, schools = monaco  # the same metres of another zone lie in Tunisia
    assert check_shifted_points(facts(network, schools + np.array([400.0, 300.0]), "EPSG:32632")) == []


def test_points_without_relation_to_the_roads_prove_nothing() -> None:
    rng = np.random.default_rng(1)
    lines: Any = shapely.linestrings(rng.uniform(0, 5000, (800, 2, 2)))
    points = rng.uniform(500, 4500, (60, 2))
    moved = [points + step for step in rng.uniform(-700, 700, (5, 2))]
    assert find_shift(points, moved, [lines]) is None
    assert measure_sharpness(points, [shapely.STRtree(lines)]) < 4


def test_no_shift_is_sought_outside_china(monaco: tuple[RoadNetwork, np.ndarray]) -> None:
    """BD-09 is a formula for the whole world: schools that lie half a kilometre off in Europe are not in it."""
    network, schools = monaco
    lon, lat = to_lonlat(schools[:, 0], schools[:, 1], CRS)
    there = np.column_stack(from_lonlat(*shift_from_wgs84(lon, lat, "BD-09"), CRS))
    assert check_shifted_points(facts(network, there))
    europe = "EPSG:32632"
    offset = np.array([value[0] for value in from_lonlat([7.42], [43.74], europe)]) - [network.x_m[0], network.y_m[0]]
    fields = {name: getattr(network, name) for name in network.__dataclass_fields__}
    moved = RoadNetwork(**fields | {"x_m": network.x_m + offset[0], "y_m": network.y_m + offset[1]})
    lon, lat = to_lonlat(*(schools + offset).T, europe)
    shifted = np.column_stack(from_lonlat(*shift_from_wgs84(lon, lat, "BD-09"), europe))
    assert not check_shifted_points(facts(moved, shifted, europe))
