"""Planning units: nobody lost, nobody doubled, and every demand point where people are."""

import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.aggregate import MOSTLY_INSIDE, compute_area_shares, sum_counts
from geodata.errors import DataError, DataIssue
from geodata.population_table import COUNT_COLUMNS, Population
from geodata.raster_shares import compute_raster_shares
from geodata.read_population import read_population
from geodata.study_file import PopulationSource, StudySpec, UnitsSource
from geodata.units import UNIT_COLUMNS, build_units
from tests.geodata.population_files import CRS, EAST, NORTH, build_spec, write_layer, write_raster

GRID = UnitsSource(kind="grid", cell_m=200.0)


def _population(shapes: list[shapely.Geometry], people: list[float], **columns: object) -> Population:
    count = len(shapes)
    points = [shape.geom_type == "Point" for shape in shapes]
    base: dict[str, object] = {
        "unit_id": [f"p{position:03d}" for position in range(count)],
        "name": "",
        "kind": "other",
        "setting": "",
        "town": "",
        "x_m": [shape.x if flat else np.nan for shape, flat in zip(shapes, points, strict=True)],
        "y_m": [shape.y if flat else np.nan for shape, flat in zip(shapes, points, strict=True)],
    }
    counts = dict.fromkeys(COUNT_COLUMNS, [np.nan] * count) | {"population_people": people}
    return Population(gpd.GeoDataFrame(base | counts | columns, geometry=shapes, crs=CRS))


def _build(population: Population, units: UnitsSource, folder: Path = Path()) -> tuple[gpd.GeoDataFrame, set[str]]:
    spec = StudySpec(name="x", crs=CRS, population=PopulationSource(path="-"), units=units, folder=folder)
    found, issues = build_units(population, spec, CRS)
    return found, {issue.check for issue in issues}


def _box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


# own shapes


def test_own_polygons_are_kept_and_measured() -> None:
    population = _population([_box(0, 0, 100, 200), _box(100, 0, 200, 200)], [5, 0], kind=["village", ""])
    units, issues = _build(population, UnitsSource())
    assert tuple(units.columns) == (*UNIT_COLUMNS, "geometry")
    assert units["area_m2"].tolist() == [20_000, 20_000]
    assert units["perimeter_m"].tolist() == [600, 600]
    assert units["kind"].tolist() == ["village", "other"]
    assert shapely.contains_xy(units.geometry.to_numpy(), units["x_m"], units["y_m"]).all()
    assert issues == set()


def test_points_get_the_land_nearest_to_them() -> None:
    # Two villages 1 km apart, and a third on the spot of the first.
    points = [shapely.Point(EAST, NORTH), shapely.Point(EAST + 1000, NORTH), shapely.Point(EAST, NORTH)]
    units, issues = _build(_population(points, [1, 2, 3]), UnitsSource())
    assert units["population_people"].tolist() == [1, 2, 3]
    assert shapely.contains_xy(units.geometry.to_numpy(), units["x_m"], units["y_m"]).all()
    assert issues == {"coincident_places"}
    assert units["x_m"].iloc[1] == EAST + 1000
    assert units.geometry.iloc[1].bounds[0] == pytest.approx(EAST + 500, abs=1)


def test_overlaps_are_told() -> None:
    _, issues = _build(_population([_box(0, 0, 100, 100), _box(50, 0, 150, 100)], [1, 1]), UnitsSource())
    assert issues == {"overlap"}
    _, twice = _build(_population([_box(0, 0, 100, 100), _box(0, 0, 100, 100)], [1, 1]), UnitsSource())
    assert twice == {"overlap"}


def test_points_and_areas_do_not_mix() -> None:
    with pytest.raises(DataError, match="mixes"):
        _build(_population([_box(0, 0, 1, 1), shapely.Point(EAST, NORTH)], [1, 1]), UnitsSource())


# grids


def test_a_polygon_is_shared_out_by_area() -> None:
    # 300 m × 200 m of land with 60 people over cells of 200 m: two thirds and one third.
    units, _ = _build(_population([_box(0, 0, 300, 200)], [60]), GRID)
    cells = units.set_index("unit_id")
    assert cells["population_people"].to_dict() == pytest.approx({"c2500_19000": 40, "c2501_19000": 20})
    # The people of the second cell live in its western half.
    assert cells.loc["c2501_19000", ["x_m", "y_m"]].tolist() == [EAST + 250, NORTH + 100]
    assert set(units["kind"]) == {"cell"}
    assert set(units["area_m2"]) == {40_000}


def test_points_and_buildings_are_not_cut() -> None:
    points = [shapely.Point(EAST + 10, NORTH + 10), shapely.Point(EAST + 30, NORTH + 10)]
    units, _ = _build(_population(points, [10, 30], town=["甲", "乙"]), GRID)
    assert units["population_people"].tolist() == [40]
    assert units["x_m"].tolist() == [EAST + 25]
    assert units["town"].tolist() == ["乙"]
    house = _population([_box(190, 0, 220, 10)], [8], kind="building")
    assert _build(house, GRID)[0]["population_people"].tolist() == [8]


def test_empty_cells_are_dropped_and_unknown_ones_kept() -> None:
    units, _ = _build(_population([_box(0, 0, 200, 200), _box(400, 0, 600, 200)], [0, 5]), GRID)
    assert units["unit_id"].tolist() == ["c2502_19000"]
    unknown, _ = _build(_population([_box(0, 0, 200, 200), _box(400, 0, 600, 200)], [np.nan, 5]), GRID)
    assert unknown["population_people"].isna().tolist() == [True, False]


def test_cell_ids_stay_when_the_data_grow() -> None:
    few, _ = _build(_population([_box(0, 0, 50, 50)], [5]), GRID)
    more, _ = _build(_population([_box(0, 0, 50, 50), _box(-900, -900, -850, -850)], [5, 5]), GRID)
    assert set(few["unit_id"]) < set(more["unit_id"])


def test_a_senseless_cell_is_refused() -> None:
    with pytest.raises(DataError, match="between 10 m"):
        _build(_population([_box(0, 0, 1, 1)], [1]), UnitsSource(kind="grid", cell_m=0))
    with pytest.raises(DataError, match="more than"):
        _build(_population([_box(0, 0, 9e5, 9e5)], [1]), UnitsSource(kind="grid", cell_m=10))


def test_raster_cells_are_cut_exactly(tmp_path: Path) -> None:
    # Cells of 100 m from EAST, NORTH down; squares of 150 m: the middle column of cells is cut in two.
    write_raster(tmp_path / "p.tif", [[4, 8, 0]])
    spec = build_spec(tmp_path, UnitsSource(kind="grid", cell_m=150), path="p.tif", kind="raster")
    units, _ = build_units(read_population(spec, CRS), spec, CRS)
    west = int(EAST // 150) * 150 - EAST  # the square that holds EAST begins 50 m west of it
    assert west == -50
    by_column = units.groupby(units["unit_id"].str[:5])["population_people"].sum()
    assert by_column.tolist() == pytest.approx([4, 8])
    assert units["population_people"].sum() == pytest.approx(12, rel=1e-12)


# given polygons


def _write_units(folder: Path, shapes: list[shapely.Geometry], **columns: object) -> UnitsSource:
    names = [f"unit {position}" for position in range(len(shapes))]
    write_layer(folder / "units.gpkg", {"code": [f"0{i}" for i in range(len(shapes))], "name": names} | columns, shapes)
    return UnitsSource(kind="polygons", path="units.gpkg")


def test_given_polygons_take_people_by_place_and_area(tmp_path: Path) -> None:
    source = _write_units(tmp_path, [_box(0, 0, 100, 100), _box(100, 0, 200, 100)], town=["甲", "甲"])
    # In unit 0; on the border (goes to the id that comes first); 50 m outside; 5 km outside.
    where = [(10, 10), (100, 50), (250, 50), (5000, 50)]
    points = [shapely.Point(EAST + x, NORTH + y) for x, y in where]
    units, issues = _build(_population(points, [1, 2, 4, 8]), source, tmp_path)
    assert units["population_people"].tolist() == [3, 4]
    assert units["unit_id"].tolist() == ["00", "01"]
    assert issues == {"outside_units", "people_left_out"}
    # 80 % inside: all its people; 20 % inside: a fifth of them.
    land, _ = _build(_population([_box(0, 0, 100, 125), _box(180, 0, 280, 100)], [10, 10]), source, tmp_path)
    assert land["population_people"].tolist() == pytest.approx([10, 2])


def test_a_raster_is_cut_by_given_polygons(tmp_path: Path) -> None:
    write_raster(tmp_path / "p.tif", [[10, 20]])
    units = _write_units(tmp_path, [_box(0, -100, 125, 0), _box(125, -100, 150, 0)])
    spec = build_spec(tmp_path, units, path="p.tif", kind="raster", share={"primary": 0.5})
    found, issues = build_units(read_population(spec, CRS), spec, CRS)
    assert found["population_people"].tolist() == pytest.approx([15, 5], rel=1e-6)
    assert found["primary_pupils"].tolist() == pytest.approx([7.5, 2.5], rel=1e-6)
    assert "people_left_out" in {issue.check for issue in issues}
    assert found["name"].tolist() == ["unit 0", "unit 1"]
    # The middle of the first unit's people: 10 at 50 m and 5 at 150 m is 83 m; the second's cell has its middle
    # at 150 m, on the unit's edge.
    assert found["x_m"].tolist() == pytest.approx([EAST + 50 + 100 / 3, EAST + 150])


def test_units_without_people_are_kept_with_nobody(tmp_path: Path) -> None:
    source = _write_units(tmp_path, [_box(0, 0, 100, 100), _box(100, 0, 200, 100)])
    units, _ = _build(_population([_box(0, 0, 100, 100)], [7]), source, tmp_path)
    assert units["population_people"].tolist() == [7, 0]
    assert shapely.contains_xy(units.geometry.to_numpy(), units["x_m"], units["y_m"]).all()


def test_points_cannot_be_given_as_units(tmp_path: Path) -> None:
    source = _write_units(tmp_path, [shapely.Point(EAST, NORTH)])
    with pytest.raises(DataError, match="areas only"):
        _build(_population([_box(0, 0, 100, 100)], [7]), source, tmp_path)


def test_totals_of_the_study_are_met(tmp_path: Path) -> None:
    (tmp_path / "totals.csv").write_text("乡镇,人口,小学生数\n甲,100,\n乙,60,9\n", encoding="utf-8")
    write_layer(
        tmp_path / "v.gpkg",
        {"population": [10, 30], "town": ["甲", "乙"]},
        [_box(0, 0, 100, 100), _box(100, 0, 200, 100)],
    )
    spec = build_spec(
        tmp_path,
        path="v.gpkg",
        share={"primary": 0.1, "junior": 0.1},
        town_totals="totals.csv",
        totals={"junior": 32.0},
    )
    units, issues = build_units(read_population(spec, CRS), spec, CRS)
    assert units["population_people"].tolist() == pytest.approx([100, 60])
    # 甲 gives no pupils: they follow the people (1 → 10). 乙 counts 9.
    assert units["primary_pupils"].tolist() == pytest.approx([10, 9])
    # junior: 10 and 6 after the towns, doubled to 32.
    assert units["junior_pupils"].tolist() == pytest.approx([20, 12])
    assert all(isinstance(issue, DataIssue) for issue in issues)


# laws


@st.composite
def _lands(draw: st.DrawFn) -> tuple[list[shapely.Polygon], list[float]]:
    count = draw(st.integers(1, 8))
    shapes, people = [], []
    for _ in range(count):
        west, south = draw(st.floats(-2000, 2000)), draw(st.floats(-2000, 2000))
        wide, high = draw(st.floats(1, 900)), draw(st.floats(1, 900))
        shapes.append(_box(west, south, west + wide, south + high))
        people.append(draw(st.floats(0, 1e4)))
    return shapes, people


@settings(max_examples=40)
@given(lands=_lands(), cell_m=st.floats(50, 1500), as_points=st.booleans(), seed=st.integers(0, 99))
def test_law_nobody_is_lost_on_a_grid(
    lands: tuple[list[shapely.Polygon], list[float]], cell_m: float, as_points: bool, seed: int
) -> None:
    shapes, people = lands
    if as_points:
        shapes = [shape.centroid for shape in shapes]
    population = _population(shapes, people, primary_pupils=[0.1 * each for each in people])
    units, _ = _build(population, UnitsSource(kind="grid", cell_m=cell_m))
    assert units["population_people"].sum() == pytest.approx(sum(people), rel=1e-9, abs=1e-6)
    assert units["primary_pupils"].sum() == pytest.approx(0.1 * sum(people), rel=1e-9, abs=1e-6)
    assert units["unit_id"].is_unique
    mixed = Population(population.table.sample(frac=1, random_state=seed).reset_index(drop=True))
    again, _ = _build(mixed, UnitsSource(kind="grid", cell_m=cell_m))
    pd.testing.assert_frame_equal(
        pd.DataFrame(units.drop(columns="geometry")), pd.DataFrame(again.drop(columns="geometry")), rtol=1e-9
    )


@settings(max_examples=25)
@given(cells=st.lists(st.floats(0, 1e3), min_size=12, max_size=12), cell_m=st.floats(30, 700))
def test_law_a_raster_keeps_its_people(cells: list[float], cell_m: float) -> None:
    values = np.array(cells, dtype=np.float32).reshape(3, 4)
    if values.sum() < 1e-3:
        values[0, 0] = 1.0
    with tempfile.TemporaryDirectory() as folder:
        write_raster(Path(folder) / "p.tif", values)
        spec = build_spec(Path(folder), UnitsSource(kind="grid", cell_m=cell_m), path="p.tif", kind="raster")
        units, _ = build_units(read_population(spec, CRS), spec, CRS)
    assert units["population_people"].sum() == pytest.approx(float(values.sum(dtype=np.float64)), rel=1e-6)


@given(lands=_lands(), units=_lands())
def test_law_nobody_lives_twice(
    lands: tuple[list[shapely.Polygon], list[float]], units: tuple[list[shapely.Polygon], list[float]]
) -> None:
    """The shares of a place add up to one where half of it or more lies in units, and never to more."""
    sources, targets = np.array(lands[0], dtype=object), np.array(units[0], dtype=object)
    ids = np.array([f"u{position}" for position in range(len(targets))], dtype=object)
    found = compute_area_shares(sources, targets, ids)
    total = np.bincount(found.source, found.share, minlength=len(sources))
    assert (total <= 1 + 1e-9).all()
    inside = shapely.area(shapely.intersection(sources, shapely.union_all(targets))) / shapely.area(sources)
    np.testing.assert_allclose(total[inside >= MOSTLY_INSIDE + 1e-9], 1.0)


# real cases


@pytest.mark.real
def test_porto_alegre_zones_agree_with_exactextract(cases: Path) -> None:
    spec = build_spec(Path(), path=str(cases / "porto_alegre_r5r" / "poa_population_0002deg.tif"), kind="raster")
    population = read_population(spec, "EPSG:32722")
    assert population.raster is not None
    flat = dict.fromkeys(COUNT_COLUMNS, np.nan)
    sources = pd.DataFrame(
        flat | {"population_people": population.raster.values["population_people"]},
        columns=list(COUNT_COLUMNS),
    )
    zones = gpd.read_file(cases / "refs" / "poa_zones40.gpkg").to_crs("EPSG:32722")
    expected = pd.read_csv(cases / "refs" / "poa_zones40_exactextract.csv")["sum"]
    # The zones overlap, so each is measured alone: together they would share the people out between them.
    found = [
        sum_counts(compute_raster_shares(population.raster, zones.iloc[[position]], "EPSG:32722"), sources, 1).loc[
            0, "population_people"
        ]
        for position in range(len(zones))
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.real
def test_porto_alegre_on_a_grid_keeps_everybody(cases: Path) -> None:
    folder = cases / "porto_alegre_r5r"
    for name, kind in (("poa_population_0002deg.tif", "raster"), ("poa_hexgrid.csv", "hexagons")):
        spec = build_spec(Path(), UnitsSource(kind="grid", cell_m=500), path=str(folder / name), kind=kind)
        units, _ = build_units(read_population(spec, "EPSG:32722"), spec, "EPSG:32722")
        assert units["population_people"].sum() == pytest.approx(812_935, abs=0.5)


@pytest.mark.real
def test_gongyi_on_2_km_cells_agrees_with_tobler(cases: Path) -> None:
    columns = {"unit_id": "ID", "population_people": "population", "primary_pupils": "students"}
    spec = build_spec(
        Path(),
        UnitsSource(kind="grid", cell_m=2000),
        path=str(cases / "henan_kong" / "gongyi.gpkg"),
        columns=columns,
    )
    units, _ = build_units(read_population(spec, "EPSG:2333"), spec, "EPSG:2333")
    corners = units.assign(minx=units.bounds["minx"], miny=units.bounds["miny"])
    both = pd.read_csv(cases / "refs" / "gongyi_tobler_2km.csv").merge(corners, on=["minx", "miny"], how="outer")
    assert len(both) == len(units) == 306
    np.testing.assert_allclose(both["population_people"], both["population"], atol=0.01)
    np.testing.assert_allclose(both["primary_pupils"], both["students"], atol=0.001)
    assert units["primary_pupils"].sum() == pytest.approx(40_995)
