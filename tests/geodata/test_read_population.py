"""Population files of every kind become one table; sums by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import CrsError, DataError, DuplicateIdError, GeometryError, MissingColumnError, RangeError
from geodata.population_table import Population, compute_band_share, compute_stage_pupils
from geodata.read_population import read_population
from geodata.study_file import PopulationSource, StudySpec, UnitsSource
from geodata.units import build_units
from tests.geodata.population_files import CRS, EAST, NORTH, build_spec, write_layer, write_raster


def _square(column: int, row: int, side: float = 100.0) -> shapely.Polygon:
    return shapely.box(EAST + column * side, NORTH + row * side, EAST + (column + 1) * side, NORTH + (row + 1) * side)


# ages


def test_rule_p5() -> None:
    assert compute_band_share("primary", (5, 9)) == 0.8
    assert compute_band_share("primary", (10, 14)) == 0.4
    assert compute_band_share("junior", (10, 14)) == 0.6
    assert compute_band_share("senior", (15, 19)) == 0.6
    assert compute_band_share("kindergarten", (1, 4)) == 0.5
    assert compute_band_share("kindergarten", (5, 9)) == 0.2
    assert compute_band_share("senior", (5, 9)) == 0


def test_a_stage_needs_every_year_of_its_ages() -> None:
    five_to_nine = {(5, 9): np.array([100.0])}
    assert compute_stage_pupils(five_to_nine) == {}
    both = compute_stage_pupils(five_to_nine | {(10, 14): np.array([50.0])})
    assert {stage: values.tolist() for stage, values in both.items()} == {"primary": [100.0], "junior": [30.0]}


@given(st.lists(st.floats(0, 1e5), min_size=5, max_size=5))
def test_no_child_is_of_two_stages(people: list[float]) -> None:
    """Children of all stages together are the people of ages 3 to 17, spread evenly over each band."""
    bands = dict(zip([(0, 0), (1, 4), (5, 9), (10, 14), (15, 19)], np.array(people), strict=True))
    pupils = sum(compute_stage_pupils(bands).values())
    expected = 0.5 * people[1] + people[2] + people[3] + 0.6 * people[4]
    assert pupils == pytest.approx(expected, rel=1e-12, abs=1e-9)


# rasters


def test_a_raster_of_totals(tmp_path: Path) -> None:
    write_raster(tmp_path / "people.tif", [[10, -99999, 0], [5, -3, np.nan]])
    population = read_population(build_spec(tmp_path, path="people.tif", kind="raster", share={"primary": 0.1}), CRS)
    table = population.table.set_index("unit_id")
    assert table["population_people"].to_dict() == {"r00000_00000": 10, "r00001_00000": 5}
    assert table["primary_pupils"].tolist() == pytest.approx([1.0, 0.5])
    assert table.loc["r00001_00000", ["x_m", "y_m"]].tolist() == [EAST + 50, NORTH - 150]
    assert [(issue.check, issue.severity) for issue in population.issues] == [
        ("raster_negative", "warning"),
        ("population_sum", "note"),
    ]
    assert population.modelled == ("primary",)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # f and m of the same band are added: 5-9: 100, 10-14: 50, 1-4: 40.
        (["chn_f_1_2020", "chn_m_1_2020", "chn_f_5_2020", "chn_m_5_2020", "chn_f_10_2020", "chn_m_10_2020"], 1),
        # t is both sexes; the f beside it is not added again.
        ([f"chn_t_{age}_2025_CN_100m_R2025A_v1" for age in ("01", "05", "10")] + ["chn_f_05_2025"], 0.5),
        # an earlier year is passed over
        ([f"x_t_{age}_2020" for age in (1, 5, 10)] + ["x_t_5_2015"], 0.5),
    ],
)
def test_age_bands(tmp_path: Path, names: list[str], expected: float) -> None:
    people = {1: 20.0, 5: 50.0, 10: 25.0}
    for name in names:
        age = next(int(part) for part in name.split("_")[2:3])
        write_raster(tmp_path / "ages" / f"{name}.tif", [[people[age], 0]])
    population = read_population(build_spec(tmp_path, path="ages", kind="age_rasters"), CRS)
    row = population.table.iloc[0]
    assert len(population.table) == 1
    assert row["kindergarten_pupils"] == pytest.approx(expected * (0.5 * 40 + 0.2 * 100))
    assert row["primary_pupils"] == pytest.approx(expected * (0.8 * 100 + 0.4 * 50))
    assert row["junior_pupils"] == pytest.approx(expected * 0.6 * 50)
    assert np.isnan(row["senior_pupils"])
    assert np.isnan(row["population_people"])
    assert set(population.modelled) == {"kindergarten", "primary", "junior"}


def test_all_age_bands_give_the_people(tmp_path: Path) -> None:
    for age in (0, 1, *range(5, 85, 5)):
        write_raster(tmp_path / f"chn_t_{age}_2020.tif", [[1.0]])
    population = read_population(build_spec(tmp_path, path="chn_t_*_2020.tif", kind="age_rasters"), CRS)
    assert population.table["population_people"].tolist() == [18]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "No raster was found"),
        (["people"], "named like"),
        (["chn_f_5_2020"], "one sex"),
        (["c_t_30_2020"], "cover"),
    ],
)
def test_age_bands_that_cannot_be_used(tmp_path: Path, names: list[str], words: str) -> None:
    (tmp_path / "ages").mkdir()
    for name in names:
        write_raster(tmp_path / "ages" / f"{name}.tif", [[1.0]])
    spec = build_spec(tmp_path, path="ages" if names else "ages/*.tif", kind="age_rasters")
    with pytest.raises(DataError, match=words):
        read_population(spec, CRS)


def test_rasters_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("<VRTDataset/>")
    write_raster(tmp_path / "placeless.tif", [[1.0]], crs=None)
    write_raster(tmp_path / "empty.tif", [[0.0]])
    for name, words in (("text", "not a GeoTIFF"), ("absent", "opened"), ("empty", "no people")):
        with pytest.raises(DataError, match=words):
            read_population(build_spec(tmp_path, path=f"{name}.tif", kind="raster"), CRS)
    with pytest.raises(CrsError):
        read_population(build_spec(tmp_path, path="placeless.tif", kind="raster"), CRS)


# layers and tables


def test_a_table_of_villages_with_chinese_headers(tmp_path: Path) -> None:
    (tmp_path / "villages.csv").write_text(
        "村代码,村名,乡镇,城乡类型,经度,纬度,人口,小学生数\n"
        '0101,东村,城关镇,乡村,111.000,34.3394,"1,200",90\n'
        "0102,西村,城关镇,220,111.010,34.3394,800,\n",
        encoding="utf-8",
    )
    population = read_population(
        build_spec(tmp_path, path="villages.csv", kind="points", share={"primary": 0.05, "junior": 0.03}), CRS
    )
    table = population.table
    assert table["unit_id"].tolist() == ["0101", "0102"]
    assert table["setting"].tolist() == ["rural", "rural"]
    assert table["kind"].tolist() == ["village", "village"]
    assert table["population_people"].tolist() == [1200, 800]
    # What is counted wins; the village without a count takes the share.
    assert table["primary_pupils"].tolist() == [90, 40]
    assert table["junior_pupils"].tolist() == pytest.approx([36, 24])
    assert population.modelled == ("junior",)
    # 111° E is the zone's own meridian: x = 500 km.
    assert table["x_m"].iloc[0] == pytest.approx(500_000, abs=0.01)


def test_columns_named_in_the_study_and_age_columns(tmp_path: Path) -> None:
    write_layer(tmp_path / "blocks.gpkg", {"who": ["a"], "k": [100.0], "age_10_14": [50.0]}, [_square(0, 0)])
    spec = build_spec(tmp_path, path="blocks.gpkg", kind="polygons", columns={"unit_id": "who", "age_5_9": "k"})
    table = read_population(spec, CRS).table
    assert table["unit_id"].tolist() == ["a"]
    assert table["primary_pupils"].tolist() == [100]
    assert table["junior_pupils"].tolist() == [30]


def test_ids_that_are_missing_are_row_labels(tmp_path: Path) -> None:
    write_layer(tmp_path / "blocks.gpkg", {"population": [1, 2]}, [_square(0, 0), _square(1, 0)])
    assert read_population(build_spec(tmp_path, path="blocks.gpkg"), CRS).table["unit_id"].tolist() == ["0", "1"]


def test_a_given_demand_point_moves_with_the_layer(tmp_path: Path) -> None:
    # The point is written in zone 48's metres; 108° E lies three degrees from the middle of both zones.
    write_layer(
        tmp_path / "far.gpkg", {"population": [5], "px": [500_000.0], "py": [NORTH]}, [_square(0, 0)], "EPSG:32648"
    )
    columns = {"x_m": "px", "y_m": "py"}
    row = read_population(build_spec(tmp_path, path="far.gpkg", columns=columns), CRS).table.iloc[0]
    assert shapely.Point(row["x_m"], row["y_m"]).distance(row.geometry) < 1


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("编号,经度,纬度,人口\n1,111,34,many\n1,,34,5\n,111,34,-4\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_population(build_spec(tmp_path, path="bad.csv", kind="points"), CRS)
    found = {(issue.check, issue.row) for issue in caught.value.issues}
    assert found >= {("type", 2), ("duplicate_id", 3), ("geometry", 3), ("required_value", 4), ("range", 4)}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("编号,经度,纬度,人口\n1,111,34,5\n1,111,34,5\n", DuplicateIdError),
        ("编号,经度,纬度,人口\n1,111,34,-5\n2,111,34,5\n", RangeError),
        ("编号,经度,纬度,备注\n1,111,34,5\n2,111,35,5\n", MissingColumnError),
        ("编号,人口\n1,5\n2,5\n", MissingColumnError),
    ],
)
def test_the_error_has_a_kind(tmp_path: Path, text: str, error: type[DataError]) -> None:
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    with pytest.raises(error):
        read_population(build_spec(tmp_path, path="bad.csv", kind="points"), CRS)


def test_a_header_that_is_not_there_is_told(tmp_path: Path) -> None:
    write_layer(tmp_path / "blocks.gpkg", {"population": [1]}, [_square(0, 0)])
    for columns in ({"population_people": "pop"}, {"age_5_9": "kids"}, {"people": "population"}):
        with pytest.raises(DataError) as caught:
            read_population(build_spec(tmp_path, path="blocks.gpkg", columns=columns), CRS)
        assert {issue.check for issue in caught.value.issues} == {"column_mapping"}


def test_shapes_are_repaired_or_refused(tmp_path: Path) -> None:
    bow = shapely.Polygon([(EAST, NORTH), (EAST + 100, NORTH + 100), (EAST + 100, NORTH), (EAST, NORTH + 100)])
    write_layer(tmp_path / "bow.gpkg", {"population": [1]}, [bow])
    population = read_population(build_spec(tmp_path, path="bow.gpkg"), CRS)
    assert population.table.geometry.is_valid.all()
    assert population.table.geometry.area.iloc[0] == pytest.approx(5000)
    assert [issue.check for issue in population.issues] == ["geometry_repaired"]
    write_layer(tmp_path / "gone.gpkg", {"population": [1, 2]}, [_square(0, 0), None])
    with pytest.raises(DataError) as caught:
        read_population(build_spec(tmp_path, path="gone.gpkg"), CRS)
    assert [(issue.check, issue.row) for issue in caught.value.issues] == [("geometry", 2)]
    assert isinstance(caught.value, GeometryError | DataError)


def test_nodata_numbers_are_missing_not_people(tmp_path: Path) -> None:
    write_layer(tmp_path / "grid.gpkg", {"population": [7, -2147483648]}, [_square(0, 0), _square(1, 0)])
    population = read_population(build_spec(tmp_path, path="grid.gpkg"), CRS)
    assert population.table["population_people"].sum() == 7
    assert {issue.check for issue in population.issues} == {"nodata_number", "count_missing"}


def test_overlapping_age_columns_are_refused(tmp_path: Path) -> None:
    write_layer(tmp_path / "b.gpkg", {"age_0_4": [1.0], "age_1_4": [1.0]}, [_square(0, 0)])
    with pytest.raises(DataError, match="overlap"):
        read_population(build_spec(tmp_path, path="b.gpkg"), CRS)


def test_hexagons_share_their_edges(tmp_path: Path) -> None:
    # One centre and its six neighbours, 200 m apart.
    angle = np.arange(6) * np.pi / 3 + 0.2
    x_m = EAST + np.append(0, 200 * np.cos(angle))
    y_m = NORTH + np.append(0, 200 * np.sin(angle))
    rows = "\n".join(f"h{i},{x},{y},1" for i, (x, y) in enumerate(zip(x_m, y_m, strict=True)))
    (tmp_path / "hex.csv").write_text("unit_id,x_m,y_m,population\n" + rows, encoding="utf-8")
    table = read_population(build_spec(tmp_path, path="hex.csv", kind="hexagons"), CRS).table
    # A hexagon 200 m across has 200² × √3 / 2 = 34,641 m².
    np.testing.assert_allclose(table.geometry.area, 34_641.0, rtol=1e-3)
    assert table.geometry.union_all().area == pytest.approx(7 * 34_641.0, rel=1e-3)
    assert set(table["kind"]) == {"hexagon"}


def test_no_population_file() -> None:
    with pytest.raises(DataError, match="names no population"):
        read_population(StudySpec(name="x", population=PopulationSource()), CRS)


# buildings and town totals

BUILDINGS = """<?xml version="1.0"?>
<osm version="0.6">
{nodes}
{ways}
</osm>
"""


def _write_town(path: Path) -> Path:
    """Two municipalities side by side: A (three buildings, two of them homes) and B (none)."""
    nodes, ways, number = [], [], [0]

    def box(west: float, south: float, size: float, tags: dict[str, str]) -> None:
        refs = []
        for lon, lat in ((west, south), (west + size, south), (west + size, south + size), (west, south + size)):
            number[0] += 1
            refs.append(number[0])
            nodes.append(f'<node id="{number[0]}" lon="{lon:.5f}" lat="{lat:.5f}" version="1"/>')
        number[0] += 1
        lines = "".join(f'<nd ref="{ref}"/>' for ref in [*refs, refs[0]])
        lines += "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        ways.append(f'<way id="{number[0]}" version="1">{lines}</way>')

    border = {"boundary": "administrative", "admin_level": "8"}
    box(111.00, 34.0, 0.01, border | {"name": "A"})
    box(111.01, 34.0, 0.01, border | {"name": "B"})
    box(111.001, 34.001, 0.0001, {"building": "house", "building:levels": "1"})
    box(111.002, 34.001, 0.0001, {"building": "house", "building:levels": "3"})
    box(111.003, 34.001, 0.0005, {"building": "industrial"})
    box(111.050, 34.001, 0.0001, {"building": "house"})
    for lon, name, people in ((111.005, "A", 80), (111.006, "a hamlet of A", 30), (111.015, "Other name", 20)):
        number[0] += 1
        nodes.append(
            f'<node id="{number[0]}" lon="{lon}" lat="34.005" version="1"><tag k="place" v="village"/>'
            f'<tag k="name" v="{name}"/><tag k="population" v="{people}"/></node>'
        )
    path.write_text(BUILDINGS.format(nodes="\n".join(nodes), ways="\n".join(ways)), encoding="utf-8")
    return path


def test_people_go_into_homes_by_floor_area(tmp_path: Path) -> None:
    _write_town(tmp_path / "town.osm")
    spec = build_spec(tmp_path, path="town.osm", kind="buildings", share={"primary": 0.1})
    population = read_population(spec, CRS)
    # A: 80 people, one floor against three: 20 and 60. B has no building: a disc holds its 20.
    assert population.table["population_people"].tolist() == pytest.approx([20, 60, 20], rel=1e-6)
    assert population.table["town"].tolist() == ["A", "A", "B"]
    assert population.table["primary_pupils"].sum() == pytest.approx(10)
    assert {issue.check for issue in population.issues} == {"buildings_outside", "town_without_buildings"}


def test_given_town_totals_come_first(tmp_path: Path) -> None:
    _write_town(tmp_path / "town.osm")
    (tmp_path / "totals.csv").write_text("乡镇,人口\nA,400\nB,100\nC,7\n", encoding="utf-8")
    spec = build_spec(tmp_path, path="town.osm", kind="buildings", town_totals="totals.csv")
    population = read_population(spec, CRS)
    assert population.table["population_people"].tolist() == pytest.approx([100, 300, 100], rel=1e-6)
    assert "town_unknown" in {issue.check for issue in population.issues}
    # Units take the people as they are: they fit the totals, and a cell on a border must not be scaled again.
    units, _ = build_units(population, replace(spec, units=UnitsSource(kind="grid", cell_m=5000)), CRS)
    assert units["population_people"].sum() == pytest.approx(500)


def test_a_town_without_total_is_an_error(tmp_path: Path) -> None:
    _write_town(tmp_path / "town.osm")
    (tmp_path / "totals.csv").write_text("乡镇,人口\nA,400\n", encoding="utf-8")
    with pytest.raises(DataError, match="inhabitants of B"):
        read_population(build_spec(tmp_path, path="town.osm", kind="buildings", town_totals="totals.csv"), CRS)


# real cases


@pytest.mark.real
def test_liechtenstein_sums_to_its_municipalities(cases: Path) -> None:
    path = str(cases / "liechtenstein" / "liechtenstein-2015-07_valhalla.osm.pbf")
    table = read_population(build_spec(Path(), path=path, kind="buildings"), "EPSG:2056").table
    assert table["population_people"].sum() == pytest.approx(36_838, abs=1e-6)
    # Nendeln (1,357) is part of Eschen and is not counted again.
    assert table.groupby("town")["population_people"].sum()["Eschen"] == pytest.approx(4_284)
    assert table["town"].nunique() == 11


@pytest.mark.real
def test_vasileostrovsky_buildings(cases: Path) -> None:
    path = str(cases / "spb_objectnat" / "buildings.parquet")
    columns = {"primary_pupils": "demand", "population_people": "population_balanced"}
    table = read_population(build_spec(Path(), path=path, kind="buildings", columns=columns), "EPSG:32636").table
    assert (len(table), (table["primary_pupils"] > 0).sum(), table["primary_pupils"].sum()) == (4_101, 1_680, 29_596)


@pytest.mark.real
def test_gongyi_villages(cases: Path) -> None:
    path = str(cases / "henan_kong" / "gongyi.gpkg")
    columns = {"unit_id": "ID", "population_people": "population", "primary_pupils": "students"}
    table = read_population(build_spec(Path(), path=path, columns=columns), "EPSG:2333").table
    assert (len(table), table["primary_pupils"].sum(), table["population_people"].sum()) == (1_276, 40_995, 819_812)


@pytest.mark.real
def test_porto_alegre_hexagons_and_raster(cases: Path) -> None:
    folder = cases / "porto_alegre_r5r"
    hexagons = read_population(
        build_spec(Path(), path=str(folder / "poa_hexgrid.csv"), kind="hexagons"), "EPSG:32722"
    ).table
    assert (len(hexagons), hexagons["population_people"].sum()) == (1_227, 812_935)
    assert hexagons.geometry.area.max() / hexagons.geometry.area.min() < 1.02
    raster = read_population(
        build_spec(Path(), path=str(folder / "poa_population_0002deg.tif"), kind="raster"), "EPSG:32722"
    )
    assert raster.table["population_people"].sum() == pytest.approx(812_935, abs=0.5)


def test_undeclared_nodata_is_not_people(tmp_path: Path) -> None:
    write_raster(tmp_path / "p.tif", [[100, 3.4e38], [5, -3.4e38]], nodata=None)
    population = read_population(build_spec(tmp_path, path="p.tif", kind="raster"), CRS)
    assert population.table["population_people"].sum() == 105
    told = {"nodata_number", "raster_negative", "raster_without_nodata"}
    assert told <= {issue.check for issue in population.issues}


def test_an_empty_folder_of_age_bands(tmp_path: Path) -> None:
    (tmp_path / "ages").mkdir()
    with pytest.raises(DataError, match="No raster was found"):
        read_population(build_spec(tmp_path, path="ages", kind="age_rasters"), CRS)


def _read_table(folder: Path, text: str, kind: str = "points") -> Population:
    (folder / "v.csv").write_text(text, encoding="utf-8")
    return read_population(build_spec(folder, path="v.csv", kind=kind), CRS)


def test_rows_without_a_place(tmp_path: Path) -> None:
    head = "id,经度,纬度,人口\n"
    found = _read_table(tmp_path, f"{head}1,113,34.5,100\n合计,,,100\n")
    assert found.table["population_people"].tolist() == [100]
    assert [issue.row for issue in found.issues if issue.check == "totals_row"] == [3]
    with pytest.raises(DataError, match="no place"):
        _read_table(tmp_path, f"{head}1,0,0,100\n2,113,34.5,100\n")
    with pytest.raises(DataError, match="swapped"):
        _read_table(tmp_path, f"{head}1,34.5,113,100\n2,34.5,113.1,100\n")


def test_hexagons_on_one_spot_are_set_apart(tmp_path: Path) -> None:
    found = _read_table(tmp_path, "id,lon,lat,人口\n1,113,34.5,100\n2,113,34.5,50\n", "hexagons")
    assert found.table["population_people"].sum() == 150
    assert "coincident_places" in {issue.check for issue in found.issues}


def test_metres_in_a_layer_of_degrees(tmp_path: Path) -> None:
    write_layer(tmp_path / "v.gpkg", {"人口": [5]}, [shapely.box(400_000, 3_800_000, 401_000, 3_801_000)], "EPSG:4326")
    with pytest.raises(DataError, match="outside what its coordinate system") as caught:
        read_population(build_spec(tmp_path, path="v.gpkg"), CRS)
    assert caught.value.issues[0].row == 1


def test_a_ring_that_is_not_closed_is_told_with_its_row(tmp_path: Path) -> None:
    ring = "[[113,34],[113.1,34],[113.1,34.1]]"
    sound = "[[113,34],[113.1,34],[113.1,34.1],[113,34]]"
    features = ",".join(
        f'{{"type":"Feature","properties":{{"人口":1}},"geometry":{{"type":"Polygon","coordinates":[{one}]}}}}'
        for one in (sound, ring)
    )
    (tmp_path / "v.geojson").write_text(f'{{"type":"FeatureCollection","features":[{features}]}}', encoding="utf-8")
    with pytest.raises(DataError, match="no shape") as caught:
        read_population(build_spec(tmp_path, path="v.geojson"), CRS)
    assert [issue.row for issue in caught.value.issues] == [2]
