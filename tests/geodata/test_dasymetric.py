"""People put into buildings: nobody leaves their area, nobody is lost."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.dasymetric import Footprints, put_into_buildings, read_footprints
from geodata.errors import DataError
from geodata.osm_features import read_osm_admin_areas
from geodata.population_layers import build_frame
from geodata.population_table import Population
from geodata.read_population import read_population
from geodata.study_file import BuildingsSource, PopulationSource, StudySpec, UnitsSource
from geodata.units import build_units
from tests.geodata.population_files import CRS, EAST, NORTH, write_layer, write_raster


def _house(x: float, y: float, side: float = 10.0) -> shapely.Geometry:
    return shapely.box(EAST + x, NORTH + y, EAST + x + side, NORTH + y + side)


def _square(x: float, y: float, side: float = 1000.0) -> shapely.Geometry:
    return shapely.box(EAST + x, NORTH + y, EAST + x + side, NORTH + y + side)


def _write(folder: Path) -> StudySpec:
    """Three villages in a row: two houses (one of three storeys, one shop), only a barn, nothing."""
    villages = {
        "id": ["A", "B", "C"],
        "name": ["甲村", "乙村", "丙村"],
        "人口": [400, 60, 30],
        "乡镇": ["东", "东", "西"],
    }
    write_layer(folder / "villages.gpkg", villages, [_square(0, 0), _square(1000, 0), _square(2000, 0)])
    houses = {"层数": [1, 3, 2, 1, 5], "用途": ["住宅", "住宅", "商业", "仓库", "住宅"]}
    shapes = [_house(100, 100), _house(700, 700), _house(500, 500), _house(1100, 100), _house(5000, 0)]
    write_layer(folder / "houses.gpkg", houses, shapes)
    return StudySpec(
        "Test",
        crs=CRS,
        population=PopulationSource("villages.gpkg", "polygons", share={"primary": 0.1}),
        buildings=BuildingsSource("houses.gpkg"),
        units=UnitsSource("grid", cell_m=500.0),
        folder=folder,
    )


def test_people_live_where_houses_stand(tmp_path: Path) -> None:
    spec = _write(tmp_path)
    population = read_population(spec, CRS)
    units, _ = build_units(population, spec, CRS)
    # Village A: 400 people by floors 1 : 3; B: all in its barn; C: no building, spread over four cells.
    rows = zip(units["x_m"] - EAST, units["y_m"] - NORTH, units["population_people"], strict=True)
    lived = {(round(x), round(y)): people for x, y, people in rows}
    assert lived[105, 105] == pytest.approx(100)
    assert lived[705, 705] == pytest.approx(300)
    assert lived[1105, 105] == pytest.approx(60)
    assert units["population_people"].sum() == pytest.approx(490)
    assert units.loc[units["town"] == "西", "population_people"].tolist() == pytest.approx([7.5] * 4)
    assert units["primary_pupils"].sum() == pytest.approx(49)
    told = {issue.check: issue for issue in population.issues}
    assert "3 buildings take the people of 2 places; 1 lie" in str(told["people_in_buildings"].problem)
    assert "30 people" in str(told["places_without_buildings"].problem)


def test_own_units_keep_their_counts_and_move_their_middle(tmp_path: Path) -> None:
    spec = replace(_write(tmp_path), units=UnitsSource())
    units, _ = build_units(read_population(spec, CRS), spec, CRS)
    units = units.set_index("unit_id")
    assert units["population_people"].to_dict() == {"A": 400, "B": 60, "C": 30}
    assert (units["x_m"]["A"], units["y_m"]["A"]) == pytest.approx((EAST + 555, NORTH + 555))
    assert (units["x_m"]["B"], units["y_m"]["B"]) == pytest.approx((EAST + 1105, NORTH + 105))
    assert shapely.equals(units.geometry["A"], _square(0, 0))


def test_households_stand_for_floor_area(tmp_path: Path) -> None:
    spec = _write(tmp_path)
    houses = {"户数": [9, 1, 0], "storeys": [1, 30, 1]}
    write_layer(tmp_path / "houses.gpkg", houses, [_house(100, 100), _house(700, 700), _house(1100, 100)])
    units, _ = build_units(read_population(spec, CRS), spec, CRS)
    assert sorted(units["population_people"].round(6))[-2:] == [60, 360]


def test_words_of_the_file_are_mapped(tmp_path: Path) -> None:
    spec = _write(tmp_path)
    write_layer(tmp_path / "houses.gpkg", {"art": ["Wohnen", "Lager"]}, [_house(100, 100), _house(700, 700)])
    source = BuildingsSource(
        "houses.gpkg", columns={"use": "art"}, values={"use": {"Wohnen": "dwelling", "Lager": "other"}}
    )
    found = read_footprints(replace(spec, buildings=source), CRS)
    assert found.dwelling_m2.tolist() == pytest.approx([200, 0]) and found.floor_m2.tolist() == pytest.approx(
        [200, 200]
    )


def test_raster_cells_go_into_buildings_too(tmp_path: Path) -> None:
    spec = _write(tmp_path)
    write_raster(tmp_path / "people.tif", [[0, 10], [30, 0]], cell_m=1000.0)  # its north-west corner is our corner
    houses = [_house(100, -1900), _house(150, -1500)]
    write_layer(tmp_path / "houses.gpkg", {"层数": [1, 2]}, houses)
    spec = replace(spec, population=PopulationSource("people.tif", "raster"))
    population = read_population(spec, CRS)
    units, _ = build_units(population, spec, CRS)
    assert units["population_people"].sum() == pytest.approx(40)
    housed = units[units["x_m"] < EAST + 900]
    assert sorted(housed["population_people"]) == pytest.approx([10, 20])


def test_points_have_the_land_nearest_to_them(tmp_path: Path) -> None:
    spec = _write(tmp_path)
    points = shapely.points([[EAST + 500, NORTH + 500], [EAST + 2500, NORTH + 500]])
    write_layer(tmp_path / "villages.gpkg", {"人口": [40, 20]}, list(points))
    write_layer(tmp_path / "houses.gpkg", {"层数": [1, 1, 1]}, [_house(1000, 500), _house(100, 100), _house(2400, 500)])
    spec = replace(spec, population=PopulationSource("villages.gpkg", "points"))
    units, _ = build_units(read_population(spec, CRS), spec, CRS)
    assert sorted(units["population_people"]) == pytest.approx([20, 20, 20])


def test_layers_that_do_not_meet_are_refused(tmp_path: Path) -> None:
    spec = _write(tmp_path)
    write_layer(tmp_path / "houses.gpkg", {"层数": [1]}, [_house(90_000, 0)])
    with pytest.raises(DataError, match="No building lies where people live"):
        read_population(spec, CRS)
    write_layer(tmp_path / "houses.gpkg", {"层数": [1]}, [shapely.Point(EAST, NORTH)])
    with pytest.raises(DataError, match="no areas"):
        read_population(spec, CRS)


_NUMBERS = st.lists(st.integers(0, 9), min_size=6, max_size=6)


@given(
    _NUMBERS, _NUMBERS, st.lists(st.tuples(st.integers(0, 5999), st.integers(0, 999), st.integers(0, 50)), max_size=20)
)
def test_nobody_is_lost(people: list[int], children: list[int], houses: list[tuple[int, int, int]]) -> None:
    frame = pd.DataFrame(
        {
            "unit_id": [str(at) for at in range(6)],
            "name": "",
            "kind": "village",
            "population_people": np.array(people, dtype=float),
            "primary_pupils": np.array(children, dtype=float),
        }
    )
    shapes = np.array([shapely.box(1000 * at, 0, 1000 * at + 1000, 1000) for at in range(6)], dtype=object)
    table = build_frame(frame, shapes, CRS)
    x_m, y_m, floor = (
        np.array(column, dtype=float) for column in (zip(*houses, strict=True) if houses else ([], [], []))
    )
    population = put_into_buildings(Population(table), Footprints(x_m, y_m, floor * (x_m % 2), floor))
    parts = population.parts
    assert parts is not None
    sums = np.bincount(parts.source, parts.share, minlength=6)
    sums[parts.bare] += 1
    assert sums == pytest.approx(np.ones(6))
    spec = StudySpec("Test", crs=CRS, population=PopulationSource("x"), units=UnitsSource("grid", cell_m=300.0))
    units, _ = build_units(population, spec, CRS)
    assert units["population_people"].sum() == pytest.approx(sum(people))
    assert units["primary_pupils"].sum() == pytest.approx(sum(children))


@pytest.mark.real
def test_liechtenstein_is_the_same_from_a_layer_of_municipalities(cases: Path, tmp_path: Path) -> None:
    """Municipalities given as areas with totals, and OSM buildings, give what the OSM file alone gives."""
    pbf = str(cases / "liechtenstein" / "liechtenstein-2015-07_valhalla.osm.pbf")
    spec = StudySpec(
        "Test", crs="EPSG:32632", population=PopulationSource(pbf, "buildings"), units=UnitsSource("grid", cell_m=500.0)
    )
    alone = read_population(spec, spec.crs)
    totals = alone.table.groupby("town")["population_people"].sum()
    areas = read_osm_admin_areas(pbf)[["name", "geometry"]]
    areas["people"] = totals[areas["name"]].to_numpy()
    areas.assign(town=areas["name"]).to_file(tmp_path / "areas.gpkg", driver="GPKG")
    layer = replace(spec, population=PopulationSource("areas.gpkg"), buildings=BuildingsSource(pbf), folder=tmp_path)
    first, _ = build_units(alone, spec, spec.crs)
    second, issues = build_units(read_population(layer, spec.crs), layer, spec.crs)
    assert not [issue for issue in issues if issue.severity == "error"]
    assert second["population_people"].sum() == pytest.approx(36_838)
    by_cell = [units.set_index("unit_id")["population_people"] for units in (first, second)]
    assert by_cell[0].sub(by_cell[1], fill_value=0.0).abs().sum() < 0.02 * 36_838
